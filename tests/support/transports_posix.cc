#include "support/transports.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/process_list.h"

namespace {

using Pair = std::pair<Connection, Connection>;

Pair AdoptBoth(int sends, int receives, bool duplex)
{
    Pair pair(Adopted(sends, duplex, true), Adopted(receives, true, duplex));
    return pair.first && pair.second ? std::move(pair) : Pair();
}

Pair OwnPipe()
{
    return Pipe();
}

Pair OwnOneWayPipe()
{
    Pair pair = Pipe(BROOD_ONE_WAY);
    std::swap(pair.first, pair.second);
    return pair;
}

Pair Sockets(int flags)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
        return Pair();
    }
    for (const int fd : ends) {
        (void)fcntl(fd, F_SETFL, flags);
    }
    return AdoptBoth(ends[0], ends[1], true);
}

Pair BlockingSockets()
{
    return Sockets(0);
}

Pair NonblockingSockets()
{
    return Sockets(O_NONBLOCK);
}

Pair TcpSockets()
{
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    const int first = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {};
    socklen_t size = sizeof address;
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto *plain = reinterpret_cast<struct sockaddr *>(&address);
    const bool ok = bind(listener, plain, size) == 0 && listen(listener, 1) == 0 &&
                    getsockname(listener, plain, &size) == 0 && connect(first, plain, size) == 0;
    const int second = ok ? accept(listener, nullptr, nullptr) : -1;
    close(listener);
    return AdoptBoth(first, second, true);
}

Pair PlainPipe(int flags)
{
    int ends[2];
    if (pipe(ends) != 0) {
        return Pair();
    }
    for (const int fd : ends) {
        (void)fcntl(fd, F_SETFL, flags);
    }
    return AdoptBoth(ends[1], ends[0], false);
}

Pair BlockingPipe()
{
    return PlainPipe(0);
}

Pair NonblockingPipe()
{
    return PlainPipe(O_NONBLOCK);
}

Pair Fifo()
{
    const std::string path = TemporaryFile("fifo");
    if (mkfifo(path.c_str(), 0600) != 0) {
        return Pair();
    }
    const int receives = open(path.c_str(), O_RDONLY | O_NONBLOCK); /* does not wait for a writer */
    const int sends = open(path.c_str(), O_WRONLY);
    (void)fcntl(receives, F_SETFL, 0);
    (void)unlink(path.c_str());
    return AdoptBoth(sends, receives, false);
}

} // namespace

std::vector<Transport> Transports()
{
    return {{"pipe of ours", true, true, OwnPipe},
            {"one way pipe of ours", false, true, OwnOneWayPipe},
            {"sockets", true, true, BlockingSockets},
            {"nonblocking sockets", true, true, NonblockingSockets},
            {"tcp sockets", true, false, TcpSockets},
            {"plain pipe", false, true, BlockingPipe},
            {"nonblocking plain pipe", false, true, NonblockingPipe},
            {"fifo", false, true, Fifo}};
}
