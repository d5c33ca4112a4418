#include "support/process_list.h"

#include <windows.h>

#include <tlhelp32.h>

#include <stdlib.h>

std::vector<int64_t> ChildrenOf(int64_t pid)
{
    std::vector<int64_t> found;
    PROCESSENTRY32 entry = {};
    const HANDLE list = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    entry.dwSize = sizeof entry;
    for (BOOL more = Process32First(list, &entry); more; more = Process32Next(list, &entry)) {
        if (static_cast<int64_t>(entry.th32ParentProcessID) == pid &&
            IsAlive(entry.th32ProcessID)) {
            found.push_back(entry.th32ProcessID);
        }
    }
    CloseHandle(list);
    return found;
}

void LeadGroup()
{
}

std::vector<int64_t> ProcessesOfGroup(int64_t)
{
    return {};
}

bool IsAlive(int64_t pid)
{
    const HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, static_cast<DWORD>(pid));
    if (process == nullptr) {
        return false;
    }
    const bool alive = WaitForSingleObject(process, 0) == WAIT_TIMEOUT;
    CloseHandle(process);
    return alive;
}

/* The record stays as long as anybody has a handle of the process. */
bool IsKnown(int64_t pid)
{
    const HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, static_cast<DWORD>(pid));
    if (process != nullptr) {
        CloseHandle(process);
    }
    return process != nullptr;
}

void KillHard(int64_t pid)
{
    const HANDLE process = OpenProcess(PROCESS_TERMINATE, FALSE, static_cast<DWORD>(pid));
    if (process != nullptr) {
        TerminateProcess(process, 99);
        CloseHandle(process);
    }
}

void SetEnvironment(const std::string &name, const std::string &value)
{
    _putenv_s(name.c_str(), value.c_str());
}

bool UseOneProcessor()
{
    DWORD_PTR ours = 0;
    DWORD_PTR all = 0;
    return GetProcessAffinityMask(GetCurrentProcess(), &ours, &all) && all != 1 &&
           SetProcessAffinityMask(GetCurrentProcess(), ours & (~ours + 1));
}
