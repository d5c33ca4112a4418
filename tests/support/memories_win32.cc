#include "support/memories.h"

#include <windows.h>

const bool kNamesOutliveProcesses = false;

bool CanBeWrittenTo(brood_handle section)
{
    const HANDLE handle = reinterpret_cast<HANDLE>(section);
    const void *data = MapViewOfFile(handle, FILE_MAP_WRITE, 0, 0, 0);
    HANDLE more = nullptr;
    const HANDLE self = GetCurrentProcess();
    bool can = data != nullptr;
    if (data != nullptr) {
        UnmapViewOfFile(data);
    }
    /* nor does a copy get more rights */
    if (DuplicateHandle(self, handle, self, &more, FILE_MAP_WRITE, FALSE, 0)) {
        data = MapViewOfFile(more, FILE_MAP_WRITE, 0, 0, 0);
        can = can || data != nullptr;
        if (data != nullptr) {
            UnmapViewOfFile(data);
        }
        CloseHandle(more);
    }
    return can;
}

bool CanBeMadeWritable(void *data)
{
    DWORD before = 0;
    const bool can = VirtualProtect(data, 1, PAGE_READWRITE, &before) != FALSE;
    if (can) {
        VirtualProtect(data, 1, before, &before);
    }
    return can;
}
