/* The files of a system that is not this one. */
#pragma once

#include <cstring>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>

extern "C" {
#include "cgroup.h"
}

class Files {
  public:
    Files(std::initializer_list<std::pair<const std::string, std::string>> files) : files_(files)
    {
    }
    int64_t Cpus() const
    {
        const brood_cgroup_files reader = {Read, const_cast<Files *>(this)};
        return brood_cgroup_cpus(&reader);
    }
    int64_t Memory(int64_t swap = 0) const
    {
        const brood_cgroup_files reader = {Read, const_cast<Files *>(this)};
        return brood_cgroup_memory(&reader, swap);
    }

  private:
    static bool Read(void *user, const char *path, brood_buffer *out)
    {
        const auto &files = static_cast<Files *>(user)->files_;
        const auto file = files.find(path);
        if (file == files.end() || brood_buffer_new(out, file->second.size()) != 0) {
            return false;
        }
        std::memcpy(out->data, file->second.data(), out->size);
        return true;
    }
    std::map<std::string, std::string> files_;
};

inline const char kGroups[] = "/proc/self/cgroup";
inline const char kMounts[] = "/proc/self/mountinfo";
