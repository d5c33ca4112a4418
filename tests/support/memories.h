/* Shared memory for tests: what a test makes with a name goes with it. */
#pragma once

#include <brood.h>

#include <cstring>
#include <string>

#include "support/insides.h"
#include "support/objects.h"
#include "support/process_list.h"

/* What the system says. */

/// kNamesOutliveProcesses tells whether a block's name stays when all who had it have ended.
extern const bool kNamesOutliveProcesses;

/// CanBeWrittenTo tells whether the system gives a view through this handle that can be written to.
bool CanBeWrittenTo(brood_handle section);

/// CanBeMadeWritable tells whether the system lets a page be made writable; it is not, afterwards.
bool CanBeMadeWritable(void *data);

/// NewMemory makes a block, or an empty pointer (the words are in brood_last_error).
inline Memory NewMemory(size_t size, const char *name = nullptr, bool read_only = false)
{
    brood_memory_options options = BROOD_OPTIONS_INIT(memory);
    brood_memory *raw = nullptr;
    options.name = name;
    options.read_only = read_only;
    const int rc = brood_memory_new(&raw, size, &options);
    return Memory(rc == 0 ? raw : nullptr);
}

/// OpenMemory opens one by its name, likewise.
inline Memory OpenMemory(const std::string &name, bool read_only = false)
{
    brood_memory_options options = BROOD_OPTIONS_INIT(memory);
    brood_memory *raw = nullptr;
    options.read_only = read_only;
    const int rc = brood_memory_open(&raw, name.c_str(), &options);
    return Memory(rc == 0 ? raw : nullptr);
}

/// Data is a block's bytes.
inline char *Data(const Memory &memory)
{
    return static_cast<char *>(brood_memory_data(memory.get()));
}

/// MemoryName is a name that nobody else uses, free when the test ends.
class MemoryName {
  public:
    MemoryName()
    {
        static int count = 0;
        name_ = "brood-test-" + std::to_string(inside_pid()) + "-" + std::to_string(count++);
    }
    MemoryName(const MemoryName &) = delete;
    MemoryName &operator=(const MemoryName &) = delete;
    ~MemoryName()
    {
        (void)!brood_memory_unlink(name_.c_str());
    }
    const char *c_str() const
    {
        return name_.c_str();
    }
    operator const std::string &() const
    {
        return name_;
    }

  private:
    std::string name_;
};
