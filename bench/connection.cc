/* Messages between two processes: there and back, and one way as fast as they go. */
#include "bench.h"
#include "raw.h"

#include <brood.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

/* ---- the other ends ---- */

/* Sends every message back. */
int EchoBytes(brood_call *call)
{
    brood_connection *connection;
    uint64_t size;
    int cpu;
    int rc = BROOD_UNPACK(call, &connection, &size, &cpu);
    if (rc != 0) {
        return rc;
    }
    raw::PinTo(cpu < 0 ? std::vector<int>{} : std::vector<int>{cpu});
    std::vector<char> buffer(size);
    for (;;) {
        size_t got = buffer.size();
        rc = brood_recv_bytes_into(connection, buffer.data(), &got, BROOD_FOREVER);
        if (rc == 0) {
            rc = brood_send_bytes(connection, buffer.data(), got, BROOD_FOREVER);
        }
        if (rc != 0) {
            return rc == BROOD_EEND ? 0 : rc;
        }
    }
}

int EchoValues(brood_call *call)
{
    brood_connection *connection;
    uint64_t size; /* not used: all peers have the same arguments */
    int cpu;
    int rc = BROOD_UNPACK(call, &connection, &size, &cpu);
    raw::PinTo(rc != 0 || cpu < 0 ? std::vector<int>{} : std::vector<int>{cpu});
    while (rc == 0) {
        brood_message *message = nullptr;
        rc = brood_recv(connection, &message, BROOD_FOREVER);
        if (rc == 0) {
            rc = brood_send(connection, brood_message_value(message), BROOD_FOREVER);
        }
        brood_message_free(message);
    }
    return rc == BROOD_EEND ? 0 : rc;
}

/* Takes as many messages as the first one says, then answers with one. */
int Sink(brood_call *call)
{
    brood_connection *connection;
    uint64_t size;
    int cpu;
    int rc = BROOD_UNPACK(call, &connection, &size, &cpu);
    if (rc != 0) {
        return rc;
    }
    raw::PinTo(cpu < 0 ? std::vector<int>{} : std::vector<int>{cpu});
    std::vector<char> buffer(size);
    for (;;) {
        uint64_t count = 0;
        size_t got = sizeof count;
        rc = brood_recv_bytes_into(connection, &count, &got, BROOD_FOREVER);
        for (; rc == 0 && count > 0; count--) {
            got = buffer.size();
            rc = brood_recv_bytes_into(connection, buffer.data(), &got, BROOD_FOREVER);
        }
        if (rc == 0) {
            rc = brood_send_bytes(connection, "", 1, BROOD_FOREVER);
        }
        if (rc != 0) {
            return rc == BROOD_EEND ? 0 : rc;
        }
    }
}

void RawEcho(raw::Channel channel, size_t size)
{
    std::vector<char> buffer(size);
    while (raw::ReadAll(channel, buffer.data(), size)) {
        raw::WriteAll(channel, buffer.data(), size);
    }
}

void RawSink(raw::Channel channel, size_t size)
{
    /* Many small messages with one read, as every good reader does. */
    std::vector<char> buffer(size < 65536 ? 65536 : size);
    uint64_t count = 0;
    while (raw::ReadAll(channel, &count, sizeof count)) {
        for (uint64_t left = count * size; left > 0;) {
            const size_t most = left < buffer.size() ? static_cast<size_t>(left) : buffer.size();
            left -= raw::ReadSome(channel, buffer.data(), most);
        }
        raw::WriteAll(channel, "", 1);
    }
}

/* ---- this end ---- */

/* A brood child that holds the other end of a duplex pipe. */
class BroodPeer {
  public:
    BroodPeer(brood_function function, uint64_t size, int cpu)
    {
        brood_connection *theirs = nullptr;
        Must(brood_pipe(&connection_, &theirs, BROOD_DUPLEX), "pipe");
        const int rc = brood_process_start(&process_, function,
                                           BROOD_ARGS(BROOD_GIVE(theirs), size, cpu), nullptr);
        brood_connection_free(theirs);
        Must(rc, "start");
    }
    BroodPeer(const BroodPeer &) = delete;
    BroodPeer &operator=(const BroodPeer &) = delete;
    ~BroodPeer()
    {
        brood_connection_free(connection_);
        (void)brood_process_join(process_, BROOD_FOREVER);
        brood_process_free(process_);
    }
    brood_connection *connection() const
    {
        return connection_;
    }

  private:
    brood_connection *connection_ = nullptr;
    brood_process *process_ = nullptr;
};

struct Placement {
    std::string words;
    std::vector<int> ours;
    int theirs = -1;
};

std::vector<std::string> PeerArguments(const char *what, size_t size, int cpu)
{
    return {what, std::to_string(size), std::to_string(cpu)};
}

Work RawRoundTrips(raw::Channel channel, std::vector<char> &buffer)
{
    return [channel, &buffer](uint64_t count) {
        return Seconds([&] {
            for (uint64_t i = 0; i < count; i++) {
                raw::WriteAll(channel, buffer.data(), buffer.size());
                raw::ReadAll(channel, buffer.data(), buffer.size());
            }
        });
    };
}

Work BytesRoundTrips(brood_connection *connection, std::vector<char> &buffer)
{
    return [connection, &buffer](uint64_t count) {
        return Seconds([&] {
            for (uint64_t i = 0; i < count; i++) {
                size_t size = buffer.size();
                Must(brood_send_bytes(connection, buffer.data(), size, BROOD_FOREVER), "send");
                Must(brood_recv_bytes_into(connection, buffer.data(), &size, BROOD_FOREVER),
                     "receive");
            }
        });
    };
}

Work ValueRoundTrips(brood_connection *connection)
{
    return [connection](uint64_t count) {
        return Seconds([&] {
            for (uint64_t i = 0; i < count; i++) {
                brood_message *message = nullptr;
                Must(brood_send(connection, BROOD_LIST(i, "a small value", 0.5), BROOD_FOREVER),
                     "send");
                Must(brood_recv(connection, &message, BROOD_FOREVER), "receive");
                brood_message_free(message);
            }
        });
    };
}

/* There and back with a connection in it. */
Work ObjectRoundTrips(brood_connection *connection)
{
    return [connection](uint64_t count) {
        return Seconds([&] {
            for (uint64_t i = 0; i < count; i++) {
                brood_message *message = nullptr;
                Must(brood_send(connection, brood_of(connection), BROOD_FOREVER), "send");
                Must(brood_recv(connection, &message, BROOD_FOREVER), "receive");
                brood_message_free(message);
            }
        });
    };
}

Row RoundTripRow(const std::string &name)
{
    Row row;
    row.name = name;
    row.unit = "us";
    row.limit_is = raw::kChannelIs;
    row.value = [](double seconds) { return seconds * 1e6; };
    return row;
}

const char *SizeInWords(size_t size)
{
    return size == 64 ? "64 B" : size == 65536 ? "64 KiB" : "1 MiB";
}

void RoundTripOfBytes(Bench &bench, const Placement &place, size_t size)
{
    Row row = RoundTripRow("round trip " + std::string(SizeInWords(size)) + ", " + place.words);
    row.bar = size == 64 ? 1.15 : 0;
    if (!bench.Wants(row.name)) {
        return;
    }
    std::vector<char> buffer(size, 'x');
    const raw::Peer raw_peer(PeerArguments("echo", size, place.theirs));
    const BroodPeer brood_peer(EchoBytes, size, place.theirs);
    bench.Compare(row, RawRoundTrips(raw_peer.channel(), buffer),
                  BytesRoundTrips(brood_peer.connection(), buffer));
}

void RoundTripOfValue(Bench &bench, const Placement &place)
{
    const Row row = RoundTripRow("round trip small value, " + place.words);
    if (!bench.Wants(row.name)) {
        return;
    }
    std::vector<char> buffer(64, 'x');
    const raw::Peer raw_peer(PeerArguments("echo", buffer.size(), place.theirs));
    const BroodPeer brood_peer(EchoValues, 0, place.theirs);
    bench.Compare(row, RawRoundTrips(raw_peer.channel(), buffer),
                  ValueRoundTrips(brood_peer.connection()));
}

/* The limit carries 64 bytes and no handle: what a handle costs is in the ratio. */
void RoundTripOfObject(Bench &bench, const Placement &place)
{
    const Row row = RoundTripRow("round trip a connection, " + place.words);
    if (!bench.Wants(row.name)) {
        return;
    }
    std::vector<char> buffer(64, 'x');
    const raw::Peer raw_peer(PeerArguments("echo", buffer.size(), place.theirs));
    const BroodPeer brood_peer(EchoValues, 0, place.theirs);
    bench.Compare(row, RawRoundTrips(raw_peer.channel(), buffer),
                  ObjectRoundTrips(brood_peer.connection()));
}

Work RawOneWay(raw::Channel channel, std::vector<char> &buffer)
{
    return [channel, &buffer](uint64_t count) {
        return Seconds([&] {
            char answer;
            raw::WriteAll(channel, &count, sizeof count);
            for (uint64_t i = 0; i < count; i++) {
                raw::WriteAll(channel, buffer.data(), buffer.size());
            }
            raw::ReadAll(channel, &answer, 1);
        });
    };
}

Work BroodOneWay(brood_connection *connection, std::vector<char> &buffer)
{
    return [connection, &buffer](uint64_t count) {
        return Seconds([&] {
            char answer;
            size_t size = 1;
            Must(brood_send_bytes(connection, &count, sizeof count, BROOD_FOREVER), "send");
            for (uint64_t i = 0; i < count; i++) {
                Must(brood_send_bytes(connection, buffer.data(), buffer.size(), BROOD_FOREVER),
                     "send");
            }
            Must(brood_recv_bytes_into(connection, &answer, &size, BROOD_FOREVER), "receive");
        });
    };
}

void OneWay(Bench &bench, const Placement &place, size_t size)
{
    Row row;
    row.name = "one way " + std::string(SizeInWords(size)) + ", " + place.words;
    row.unit = size == 64 ? "1000/s" : "MB/s";
    row.limit_is = raw::kChannelIs;
    row.value = [size](double seconds) {
        return size == 64 ? 1e-3 / seconds : 1e-6 * static_cast<double>(size) / seconds;
    };
    row.bar = 0.9;
    row.more_is_better = true;
    if (!bench.Wants(row.name)) {
        return;
    }
    std::vector<char> buffer(size, 'x');
    const raw::Peer raw_peer(PeerArguments("sink", size, place.theirs));
    const BroodPeer brood_peer(Sink, size < 8 ? 8 : size, place.theirs);
    bench.Compare(row, RawOneWay(raw_peer.channel(), buffer),
                  BroodOneWay(brood_peer.connection(), buffer));
}

std::vector<Placement> Placements(const std::vector<int> &cpus)
{
    if (cpus.empty()) {
        return {{"not pinned", {}, -1}};
    }
    std::vector<Placement> places = {{"one CPU", {cpus[0]}, cpus[0]}};
    if (cpus.size() > 1) {
        places.push_back({"two CPUs", {cpus[0]}, cpus[1]});
    }
    return places;
}

} // namespace

/* argv: program, mode, channel, what, size of a message, CPU or -1 */
int RawPeer(int argc, char **argv)
{
    if (argc != 6) {
        return 2;
    }
    const raw::Channel channel = static_cast<raw::Channel>(std::atoll(argv[2]));
    const size_t size = static_cast<size_t>(std::atoll(argv[4]));
    const int cpu = std::atoi(argv[5]);
    raw::PinTo(cpu < 0 ? std::vector<int>{} : std::vector<int>{cpu});
    if (std::strcmp(argv[3], "echo") == 0) {
        RawEcho(channel, size);
    } else if (std::strcmp(argv[3], "memory") == 0) {
        TakeMemories(channel, size);
    } else {
        RawSink(channel, size);
    }
    return 0;
}

void BenchConnection(Bench &bench)
{
    const std::vector<int> all = raw::Cpus();
    const std::vector<Placement> places = Placements(all);
    for (const Placement &place : places) {
        raw::PinTo(place.ours);
        for (const size_t size : {64, 65536, 1 << 20}) {
            RoundTripOfBytes(bench, place, size);
        }
        RoundTripOfValue(bench, place);
        RoundTripOfObject(bench, place);
    }
    raw::PinTo(places.back().ours);
    for (const size_t size : {64, 65536, 1 << 20}) {
        OneWay(bench, places.back(), size);
    }
    raw::PinTo(all);
}
