#include "support/memories.h"

#include <sys/mman.h>

const bool kNamesOutliveProcesses = true;

bool CanBeWrittenTo(brood_handle section)
{
    const int fd = static_cast<int>(section);
    void *data = mmap(nullptr, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (data != MAP_FAILED) {
        munmap(data, 1);
    }
    return data != MAP_FAILED;
}

bool CanBeMadeWritable(void *data)
{
    const bool can = mprotect(data, 1, PROT_READ | PROT_WRITE) == 0;
    mprotect(data, 1, PROT_READ);
    return can;
}
