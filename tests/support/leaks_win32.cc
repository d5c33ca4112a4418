#include "support/leaks.h"

#include <windows.h>

/* Wine answers 0 handles whatever is open, so there the check is off and the tests say nothing
 * about leaks; on Windows it counts. */
OpenThings ListOpenThings()
{
    OpenThings things;
    DWORD count = 0;

    if (GetProcessHandleCount(GetCurrentProcess(), &count) && count > 0) {
        things.known = true;
        for (DWORD i = 0; i < count; i++) {
            things.handles.insert("handle");
        }
    }
    return things;
}
