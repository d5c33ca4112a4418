#include "support/leaks_win32.h"
#include "support/leaks.h"

#include <windows.h>

#include <winternl.h>

#include <algorithm>
#include <vector>

namespace {

/* The names of the types of all handles of this process. The values are tried one by one: Wine's
 * GetProcessHandleCount answers 0, and its list of all handles brings it down when a process ends
 * at the same time. */
std::vector<std::string> ListHandles()
{
    constexpr int kGap = 1024; /* so many values without a handle are the end */
    std::vector<std::string> types;
    int missing = 0;
    for (uintptr_t value = 4; missing < kGap; value += 4) {
        const HANDLE handle = reinterpret_cast<HANDLE>(value);
        union {
            PUBLIC_OBJECT_TYPE_INFORMATION facts;
            unsigned char room[1024];
        } type;
        DWORD flags = 0;
        if (!GetHandleInformation(handle, &flags)) {
            missing++;
            continue;
        }
        missing = 0;
        std::string name = "handle";
        if (NtQueryObject(handle, ObjectTypeInformation, &type, sizeof type, nullptr) >= 0) {
            const UNICODE_STRING &wide = type.facts.TypeName;
            for (size_t i = 0; i < wide.Length / sizeof(wchar_t); i++) {
                name += i == 0 ? " of type " : "";
                name += static_cast<char>(wide.Buffer[i]);
            }
        }
        types.push_back(name);
    }
    return types;
}

const char kEvent[] = "handle of type Event";

} // namespace

size_t CountEvents()
{
    const std::vector<std::string> types = ListHandles();
    return static_cast<size_t>(std::count(types.begin(), types.end(), kEvent));
}

/* Without events: a std::mutex of MinGW makes one when two threads first want it, and keeps it.
 * The tests of the port count events where no mutex is around. */
OpenThings ListOpenThings()
{
    OpenThings things;
    things.known = true;
    for (const std::string &type : ListHandles()) {
        if (type != kEvent) {
            things.handles.insert(type);
        }
    }
    return things;
}
