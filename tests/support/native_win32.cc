#include "support/native.h"

#include <windows.h>

namespace {

HANDLE Of(brood_handle handle)
{
    return reinterpret_cast<HANDLE>(handle);
}

} // namespace

NativePipe::NativePipe()
{
    HANDLE ends[2];
    if (CreatePipe(&ends[0], &ends[1], nullptr, 0)) {
        out = NativeHandle(reinterpret_cast<brood_handle>(ends[0]));
        in = NativeHandle(reinterpret_cast<brood_handle>(ends[1]));
    }
}

std::vector<NativeHandle> NativeInheritable()
{
    SECURITY_ATTRIBUTES inherited = {sizeof inherited, nullptr, TRUE};
    std::vector<NativeHandle> made;
    HANDLE ends[2];
    if (CreatePipe(&ends[0], &ends[1], &inherited, 0)) {
        made.emplace_back(reinterpret_cast<brood_handle>(ends[0]));
        made.emplace_back(reinterpret_cast<brood_handle>(ends[1]));
    }
    made.emplace_back(reinterpret_cast<brood_handle>(
        CreateFileMappingW(INVALID_HANDLE_VALUE, &inherited, PAGE_READWRITE, 0, 4096, nullptr)));
    made.emplace_back(reinterpret_cast<brood_handle>(CreateSemaphoreW(&inherited, 0, 1, nullptr)));
    return made;
}

bool NativeWrite(brood_handle in, const std::string &text)
{
    DWORD written = 0;
    return WriteFile(Of(in), text.data(), static_cast<DWORD>(text.size()), &written, nullptr) &&
           written == text.size();
}

std::string NativeRead(brood_handle out)
{
    char room[256];
    DWORD n = 0;
    const bool read = ReadFile(Of(out), room, sizeof room, &n, nullptr) != FALSE;
    return read ? std::string(room, n) : std::string();
}

bool NativeIsOpen(brood_handle handle)
{
    DWORD flags = 0;
    return GetHandleInformation(Of(handle), &flags) != FALSE;
}

bool NativeIsInherited(brood_handle handle)
{
    DWORD flags = 0;
    return GetHandleInformation(Of(handle), &flags) && (flags & HANDLE_FLAG_INHERIT) != 0;
}
