#include "raw.h"

#include <windows.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace raw {

const char *const kSpawnIs = "CreateProcess + WaitForSingleObject of the same program";
const char *const kForkIs = nullptr;
const char *const kZygoteIs = nullptr;
const char *const kChannelIs = "ReadFile and WriteFile on a named pipe";
const char *const kMemoryIs = "CreateFileMapping + MapViewOfFile, and back";
const char *const kPassIs = "DuplicateHandle, a view there and back, a byte back";
const char *const kWaitIs = "WaitForMultipleObjects on the same handles, 64 by 64";

namespace {

void Check(bool ok, const char *what)
{
    if (!ok) {
        throw std::runtime_error(std::string(what) + ": error " + std::to_string(GetLastError()));
    }
}

HANDLE AsHandle(intptr_t value)
{
    return reinterpret_cast<HANDLE>(value);
}

/* Arguments here are plain words and need no quotes. */
HANDLE Spawn(const std::vector<std::string> &arguments, bool inherit)
{
    wchar_t path[32768];
    Check(GetModuleFileNameW(nullptr, path, 32768) != 0, "GetModuleFileName");
    std::wstring line = L"brood_bench";
    for (const std::string &argument : arguments) {
        line += L" " + std::wstring(argument.begin(), argument.end());
    }
    STARTUPINFOW startup = {};
    startup.cb = sizeof startup;
    PROCESS_INFORMATION info;
    Check(CreateProcessW(path, line.data(), nullptr, nullptr, inherit, 0, nullptr, nullptr,
                         &startup, &info) != 0,
          "CreateProcess");
    CloseHandle(info.hThread);
    return info.hProcess;
}

void Wait(HANDLE process)
{
    WaitForSingleObject(process, INFINITE);
    CloseHandle(process);
}

void MakePipe(HANDLE ends[2])
{
    static int number;
    constexpr DWORD kBuffer = 1024 * 1024;
    const std::wstring name = L"\\\\.\\pipe\\brood-bench-" +
                              std::to_wstring(GetCurrentProcessId()) + L"-" +
                              std::to_wstring(number++);
    SECURITY_ATTRIBUTES inheritable = {sizeof inheritable, nullptr, TRUE};
    ends[0] = CreateNamedPipeW(name.c_str(), PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE,
                               PIPE_TYPE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, 1, kBuffer,
                               kBuffer, 0, nullptr);
    Check(ends[0] != INVALID_HANDLE_VALUE, "CreateNamedPipe");
    ends[1] = CreateFileW(name.c_str(), GENERIC_READ | GENERIC_WRITE, 0, &inheritable,
                          OPEN_EXISTING, 0, nullptr);
    Check(ends[1] != INVALID_HANDLE_VALUE, "CreateFile");
}

} // namespace

void RunAndWait()
{
    Wait(Spawn({kExitMode}, false));
}

void ForkAndWait()
{
}

void AskZygoteAndWait()
{
}

int Zygote(int, char **)
{
    return 2;
}

void WriteAll(Channel channel, const void *data, size_t size)
{
    const char *next = static_cast<const char *>(data);
    while (size > 0) {
        DWORD count = 0;
        Check(WriteFile(AsHandle(channel), next, static_cast<DWORD>(size), &count, nullptr) != 0,
              "WriteFile");
        next += count;
        size -= count;
    }
}

size_t ReadSome(Channel channel, void *data, size_t size)
{
    DWORD count = 0;
    if (!ReadFile(AsHandle(channel), data, static_cast<DWORD>(size), &count, nullptr)) {
        Check(GetLastError() == ERROR_BROKEN_PIPE, "ReadFile");
        return 0;
    }
    return count;
}

bool ReadAll(Channel channel, void *data, size_t size)
{
    char *next = static_cast<char *>(data);
    while (size > 0) {
        const size_t count = ReadSome(channel, next, size);
        if (count == 0) {
            return false;
        }
        next += count;
        size -= count;
    }
    return true;
}

Peer::Peer(const std::vector<std::string> &arguments, const char *mode)
{
    HANDLE ends[2];
    MakePipe(ends);
    std::vector<std::string> all = {mode, std::to_string(reinterpret_cast<intptr_t>(ends[1]))};
    all.insert(all.end(), arguments.begin(), arguments.end());
    process_ = reinterpret_cast<intptr_t>(Spawn(all, true));
    CloseHandle(ends[1]);
    channel_ = reinterpret_cast<intptr_t>(ends[0]);
}

Peer::~Peer()
{
    CloseHandle(AsHandle(channel_));
    Wait(AsHandle(process_));
}

Memory::Memory(size_t size) : size_(size)
{
    const uint64_t bytes = size;
    const HANDLE section =
        CreateFileMappingW(INVALID_HANDLE_VALUE, nullptr, PAGE_READWRITE,
                           static_cast<DWORD>(bytes >> 32), static_cast<DWORD>(bytes), nullptr);
    Check(section != nullptr, "CreateFileMapping");
    handle_ = reinterpret_cast<intptr_t>(section);
    data_ = MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, size);
    Check(data_ != nullptr, "MapViewOfFile");
}

Memory::~Memory()
{
    UnmapViewOfFile(data_);
    CloseHandle(AsHandle(handle_));
}

void Peer::Give(const Memory &memory) const
{
    HANDLE there = nullptr;
    Check(DuplicateHandle(GetCurrentProcess(), AsHandle(memory.handle()), AsHandle(process_),
                          &there, 0, FALSE, DUPLICATE_SAME_ACCESS) != 0,
          "DuplicateHandle");
    WriteAll(channel_, &there, sizeof there);
}

bool TakeMemory(Channel channel, size_t size)
{
    HANDLE section = nullptr;
    if (!ReadAll(channel, &section, sizeof section)) {
        return false;
    }
    void *data = MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, size);
    Check(data != nullptr, "MapViewOfFile");
    UnmapViewOfFile(data);
    CloseHandle(section);
    return true;
}

std::string OutputOf(const std::string &command)
{
    std::string text;
    char part[4096];
    size_t size = 0;
    FILE *output = _popen((command + " 2>NUL").c_str(), "r");
    while (output != nullptr && (size = std::fread(part, 1, sizeof part, output)) > 0) {
        text.append(part, size);
    }
    return output != nullptr && _pclose(output) == 0 ? text : "";
}

struct Waiter::Set {
    std::vector<HANDLE> handles;
};

Waiter::Waiter(const std::vector<Channel> &channels) : set_(new Set)
{
    for (const Channel channel : channels) {
        set_->handles.push_back(AsHandle(channel));
    }
}

Waiter::~Waiter()
{
    delete set_;
}

/* Looks at them in turns: here one is ready at once. */
void Waiter::Wait()
{
    const size_t count = set_->handles.size();
    for (size_t i = 0;; i = i + MAXIMUM_WAIT_OBJECTS < count ? i + MAXIMUM_WAIT_OBJECTS : 0) {
        const size_t part = std::min<size_t>(count - i, MAXIMUM_WAIT_OBJECTS);
        const DWORD got = WaitForMultipleObjects(static_cast<DWORD>(part), &set_->handles[i], FALSE,
                                                 count == part ? INFINITE : 0);
        Check(got != WAIT_FAILED, "WaitForMultipleObjects");
        if (got != WAIT_TIMEOUT) {
            return;
        }
    }
}

bool AllowChannels(size_t)
{
    return true;
}

std::vector<int> Cpus()
{
    return {};
}

void PinTo(const std::vector<int> &)
{
}

} // namespace raw
