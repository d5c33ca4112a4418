/* Waiting: for one of several connections, one of which is ready, and for the end of a process. */
#include "bench.h"
#include "raw.h"

#include <brood.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace {

Row RowOf(const std::string &name, const char *limit_is)
{
    Row row;
    row.name = name;
    row.unit = "us";
    row.limit_is = limit_is;
    row.value = [](double seconds) { return seconds * 1e6; };
    return row;
}

/* Pipes whose first ends are waited for; the last one has a message. */
class Pipes {
  public:
    explicit Pipes(size_t count)
    {
        for (size_t i = 0; i < count; i++) {
            brood_connection *first = nullptr;
            brood_connection *second = nullptr;
            Must(brood_pipe(&first, &second, BROOD_ONE_WAY), "pipe");
            ends_.push_back(first);
            ends_.push_back(second);
            items_.push_back({brood_of(first), false});
        }
        Must(brood_send_bytes(ends_.back(), "x", 1, BROOD_FOREVER), "send");
    }
    Pipes(const Pipes &) = delete;
    Pipes &operator=(const Pipes &) = delete;
    ~Pipes()
    {
        for (brood_connection *end : ends_) {
            brood_connection_free(end);
        }
    }
    std::vector<raw::Channel> Handles() const
    {
        std::vector<raw::Channel> handles;
        for (const brood_wait_item &item : items_) {
            brood_handle handle = BROOD_NO_HANDLE;
            Must(brood_waitable_handle(item.object, &handle), "handle");
            handles.push_back(handle);
        }
        return handles;
    }
    void Wait()
    {
        Must(brood_wait(items_.data(), items_.size(), BROOD_FOREVER), "wait");
        if (!items_.back().ready) {
            throw std::runtime_error("wait: the wrong one is ready");
        }
    }

  private:
    std::vector<brood_connection *> ends_;
    std::vector<brood_wait_item> items_;
};

template <class Waits>
Work Repeat(Waits &waits)
{
    return [&waits](uint64_t count) {
        return Seconds([&] {
            for (uint64_t i = 0; i < count; i++) {
                waits.Wait();
            }
        });
    };
}

void OneOf(Bench &bench, size_t count)
{
    const Row row =
        RowOf("wait, 1 of " + std::to_string(count) + " connections is ready", raw::kWaitIs);
    if (!bench.Wants(row.name)) {
        return;
    }
    if (!raw::AllowChannels(2 * count)) {
        bench.Skip(row.name, "the system does not allow so many descriptors");
        return;
    }
    Pipes pipes(count);
    raw::Waiter waiter(pipes.Handles());
    bench.Compare(row, Repeat(waiter), Repeat(pipes));
}

int UntilTheEnd(brood_call *call)
{
    brood_connection *connection;
    brood_message *message;
    int rc = BROOD_UNPACK(call, &connection);
    if (rc == 0) {
        rc = brood_send(connection, brood_none(), BROOD_FOREVER);
    }
    if (rc == 0) {
        rc = brood_recv(connection, &message, BROOD_FOREVER);
    }
    return rc == BROOD_EEND ? 0 : 1;
}

/* From the end of what a child waits for until its own end is known. */
double EndOfRawPeer()
{
    auto *peer = new raw::Peer({"echo", "1", "-1"});
    char byte = 'x';
    raw::WriteAll(peer->channel(), &byte, 1);
    if (!raw::ReadAll(peer->channel(), &byte, 1)) { /* it runs and waits now */
        throw std::runtime_error("the raw peer ended");
    }
    return Seconds([peer] { delete peer; });
}

double EndOfChild()
{
    brood_connection *mine = nullptr;
    brood_connection *theirs = nullptr;
    brood_process *process = nullptr;
    Must(brood_pipe(&mine, &theirs, BROOD_DUPLEX), "pipe");
    Must(brood_process_start(&process, UntilTheEnd, BROOD_ARGS(BROOD_GIVE(theirs)), nullptr),
         "start");
    brood_connection_free(theirs);
    Must(brood_poll(mine, BROOD_FOREVER), "poll"); /* it runs and waits now */
    const double seconds = Seconds([&] {
        brood_wait_item item = {brood_of(process), false};
        brood_connection_free(mine);
        Must(brood_wait(&item, 1, BROOD_FOREVER), "wait");
        Must(brood_process_join(process, BROOD_NOWAIT), "join");
    });
    brood_process_free(process);
    return seconds;
}

Work Sum(double (*once)())
{
    return [once](uint64_t count) {
        double seconds = 0;
        for (uint64_t i = 0; i < count; i++) {
            seconds += once();
        }
        return seconds;
    };
}

void EndOfAProcess(Bench &bench)
{
    const Row row = RowOf("wait, end of a process", "the same child without brood, waitpid");
    if (bench.Wants(row.name)) {
        bench.Compare(row, Sum(EndOfRawPeer), Sum(EndOfChild));
    }
}

} // namespace

void BenchWait(Bench &bench)
{
    for (const size_t count : {1, 100, 1000}) {
        OneOf(bench, count);
    }
    EndOfAProcess(bench);
}
