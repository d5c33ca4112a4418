#include "support/run_program.h"

#include <windows.h>

#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace {

class Handle {
  public:
    Handle() = default;
    Handle(const Handle &) = delete;
    Handle &operator=(const Handle &) = delete;
    ~Handle()
    {
        Reset();
    }
    void Reset(HANDLE handle = nullptr)
    {
        if (handle_ != nullptr) {
            CloseHandle(handle_);
        }
        handle_ = handle;
    }
    HANDLE get() const
    {
        return handle_;
    }

  private:
    HANDLE handle_ = nullptr;
};

void Check(bool ok, const char *what)
{
    if (!ok) {
        throw std::runtime_error(std::string(what) + ": error " + std::to_string(GetLastError()));
    }
}

std::wstring Widen(const std::string &text)
{
    const int size = static_cast<int>(text.size());
    std::wstring wide(static_cast<size_t>(size), L'\0');
    const int count = MultiByteToWideChar(CP_UTF8, 0, text.data(), size, wide.data(), size);
    wide.resize(static_cast<size_t>(count));
    return wide;
}

/* The inverse of CommandLineToArgvW: a backslash is only special before a quote. */
void AppendQuoted(std::wstring &line, const std::wstring &argument)
{
    size_t backslashes = 0;
    line += line.empty() ? L"\"" : L" \"";
    for (const wchar_t letter : argument) {
        if (letter == L'\\') {
            backslashes++;
        } else {
            line.append(letter == L'"' ? backslashes + 1 : 0, L'\\');
            backslashes = 0;
        }
        line += letter;
    }
    line.append(backslashes, L'\\');
    line += L'"';
}

void MakePipe(Handle &read, Handle &write)
{
    HANDLE ends[2];
    Check(CreatePipe(&ends[0], &ends[1], nullptr, 0) != 0, "CreatePipe");
    read.Reset(ends[0]);
    write.Reset(ends[1]);
}

class Session {
  public:
    explicit Session(const ProgramRun &run) : run_(run)
    {
    }

    ProgramResult Run()
    {
        if (!Start()) {
            result_.ended = true;
            result_.status = 127;
            return result_;
        }
        std::thread out([this] { ReadAll(out_.get(), result_.out); });
        std::thread err([this] { ReadAll(err_.get(), result_.err); });
        std::thread in([this] { WriteInput(); });
        result_.ended = WaitForSingleObject(process_.get(), 100000) == WAIT_OBJECT_0;
        if (!result_.ended) {
            TerminateProcess(process_.get(), 127);
        }
        {
            std::lock_guard<std::mutex> guard(mutex_);
            over_ = true;
            changed_.notify_all();
        }
        out.join();
        err.join();
        in.join();
        DWORD status = 0;
        GetExitCodeProcess(process_.get(), &status);
        result_.status = static_cast<int>(status);
        return result_;
    }

  private:
    bool Start()
    {
        Handle in, out, err;
        std::wstring line;
        for (const std::string &argument : run_.arguments) {
            AppendQuoted(line, Widen(argument));
        }
        if (line.size() > 32766) {
            throw std::runtime_error("a command line of " + std::to_string(line.size()) +
                                     " characters"); /* Wine would cut it and say nothing */
        }
        MakePipe(in, in_);
        MakePipe(out_, out);
        MakePipe(err_, err);
        for (HANDLE theirs : {in.get(), out.get(), err.get()}) {
            SetHandleInformation(theirs, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
        }
        STARTUPINFOW startup = {};
        startup.cb = sizeof startup;
        startup.dwFlags = STARTF_USESTDHANDLES;
        startup.hStdInput = in.get();
        startup.hStdOutput = out.get();
        startup.hStdError = err.get();
        const std::wstring directory = Widen(run_.directory);
        PROCESS_INFORMATION info;
        if (!CreateProcessW(nullptr, line.data(), nullptr, nullptr, TRUE, 0, nullptr,
                            directory.empty() ? nullptr : directory.c_str(), &startup, &info)) {
            const DWORD code = GetLastError();
            Check(code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND, "CreateProcess");
            return false;
        }
        CloseHandle(info.hThread);
        process_.Reset(info.hProcess);
        return true;
    }

    void ReadAll(HANDLE handle, std::string &text)
    {
        char buffer[4096];
        DWORD count = 0;
        while (ReadFile(handle, buffer, sizeof buffer, &count, nullptr) && count > 0) {
            std::lock_guard<std::mutex> guard(mutex_);
            text.append(buffer, count);
            changed_.notify_all();
        }
    }

    void WriteInput()
    {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [this] { return over_ || result_.Says(run_.input_after); });
        lock.unlock();
        DWORD count = 0;
        WriteFile(in_.get(), run_.input.data(), static_cast<DWORD>(run_.input.size()), &count,
                  nullptr);
        in_.Reset();
    }

    const ProgramRun &run_;
    ProgramResult result_;
    Handle process_, in_, out_, err_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool over_ = false;
};

} // namespace

ProgramResult RunProgram(const ProgramRun &run)
{
    return Session(run).Run();
}
