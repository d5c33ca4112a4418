#include "support/leaks.h"

#include <windows.h>

#include <winternl.h>

#include <vector>

namespace {

/* What ntdll tells about every handle of the system; the headers leave it out. */
struct HandleEntry {
    void *object;
    ULONG_PTR pid;
    ULONG_PTR handle;
    ULONG access;
    USHORT trace_index;
    USHORT type;
    ULONG attributes;
    ULONG unused;
};

struct HandleList {
    ULONG_PTR count;
    ULONG_PTR unused;
    HandleEntry entries[1];
};

constexpr auto kExtendedHandleInformation = static_cast<SYSTEM_INFORMATION_CLASS>(64);
constexpr auto kTooSmall = static_cast<NTSTATUS>(0xC0000004);

} // namespace

/* GetProcessHandleCount would be simpler, but Wine answers 0 whatever is open. */
OpenThings ListOpenThings()
{
    OpenThings things;
    std::vector<ULONG_PTR> room(1 << 15);
    NTSTATUS status;
    do {
        room.resize(room.size() * 2);
        status =
            NtQuerySystemInformation(kExtendedHandleInformation, room.data(),
                                     static_cast<ULONG>(room.size() * sizeof room[0]), nullptr);
    } while (status == kTooSmall);
    if (status < 0) {
        return things;
    }
    things.known = true;
    const auto *list = reinterpret_cast<const HandleList *>(room.data());
    for (ULONG_PTR i = 0; i < list->count; i++) {
        if (list->entries[i].pid == GetCurrentProcessId()) {
            things.handles.insert("handle of type " + std::to_string(list->entries[i].type));
        }
    }
    return things;
}
