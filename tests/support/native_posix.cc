#include "support/native.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

NativePipe::NativePipe()
{
    int ends[2];
    if (pipe(ends) == 0) {
        out = NativeHandle(ends[0]);
        in = NativeHandle(ends[1]);
    }
}

std::vector<NativeHandle> NativeInheritable()
{
    std::vector<NativeHandle> made;
    int ends[2];
    made.emplace_back(open("/dev/null", O_RDWR));
    if (pipe(ends) == 0) {
        made.emplace_back(ends[0]);
        made.emplace_back(ends[1]);
    }
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0) {
        made.emplace_back(ends[0]);
        made.emplace_back(ends[1]);
    }
    return made;
}

bool NativeWrite(brood_handle in, const std::string &text)
{
    return write(static_cast<int>(in), text.data(), text.size()) ==
           static_cast<ssize_t>(text.size());
}

std::string NativeRead(brood_handle out)
{
    char room[256];
    const ssize_t n = read(static_cast<int>(out), room, sizeof room);
    return n > 0 ? std::string(room, static_cast<size_t>(n)) : std::string();
}

bool NativeIsOpen(brood_handle handle)
{
    return fcntl(static_cast<int>(handle), F_GETFD) >= 0;
}

bool NativeIsInherited(brood_handle handle)
{
    return (fcntl(static_cast<int>(handle), F_GETFD) & FD_CLOEXEC) == 0;
}
