/* Everything that a connection can go over, for tests that hold for all of it. */
#pragma once

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "objects.h"

/// Transport is one way to join two connections.
struct Transport {
    const char *name;
    bool duplex; /* the second end receives, too */
    bool exact;  /* a small send that timed out has not left in part */
    std::pair<Connection, Connection> (
        *make)(); /* first sends, second receives; empty: see words */
};

/// Transports lists those of this system.
std::vector<Transport> Transports();

inline std::string NameOf(const Transport &transport)
{
    std::string name = transport.name;
    for (char &c : name) {
        c = c == ' ' ? '_' : c;
    }
    return name;
}

inline void PrintTo(const Transport &transport, std::ostream *out)
{
    *out << transport.name;
}

/// Adopted makes a connection of a handle, or an empty pointer.
inline Connection Adopted(brood_handle handle, bool readable, bool writable)
{
    brood_connection *raw = nullptr;
    const int rc = brood_connection_adopt(&raw, handle, readable, writable);
    return Connection(rc == 0 ? raw : nullptr);
}
