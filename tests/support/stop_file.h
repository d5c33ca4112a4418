/* Holding a process still at a named point (BROOD_TEST_STOP, see src/fault.h). */
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "support/process_list.h"

/// StopFile is a file in which a process that was stopped says who it is; it goes on when the file
/// is gone.
class StopFile {
  public:
    explicit StopFile(const std::string &stage) : path_(TemporaryFile(stage)), stage_(stage)
    {
    }
    ~StopFile()
    {
        Release();
    }
    void Release() const
    {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }
    /// Setting is the value for BROOD_TEST_STOP.
    std::string Setting() const
    {
        return stage_ + ":" + path_;
    }
    /// Pid waits until a process has stopped; 0 if none does.
    int64_t Pid() const
    {
        int64_t pid = 0;
        WaitFor([&] {
            const std::string text = ReadFile(path_);
            pid = !text.empty() && text.back() == '\n' ? std::atoll(text.c_str()) : 0;
            return pid != 0;
        });
        return pid;
    }

  private:
    std::string path_;
    std::string stage_;
};
