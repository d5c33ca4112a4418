#include "support/family.h"

#include <thread>

#include "support/insides.h"
#include "support/methods.h"
#include "support/process_list.h"

std::vector<std::string> StartWays()
{
    return StartMethods();
}

Process StartBy(const std::string &way, brood_function target, const brood_args *args)
{
    brood_process_options options = BROOD_OPTIONS_INIT(process);
    const int rc = brood_get_context(&options.context, way.c_str());
    return rc == 0 ? Start(target, args, &options) : Process();
}

std::vector<int64_t> ChildrenBy(const std::string &way, int64_t pid)
{
    if (way != BROOD_FORKSERVER) {
        return ChildrenOf(pid);
    }
    std::vector<int64_t> all;
    for (const int64_t server : ChildrenOf(pid)) {
        const std::vector<int64_t> some = ChildrenOf(server);
        all.insert(all.end(), some.begin(), some.end());
    }
    return all;
}

void LetForkserverGo()
{
    (void)!brood_set_forkserver_preload(nullptr, 0);
}

bool HasNoChildren()
{
    LetForkserverGo();
    return WaitFor([] { return ChildrenOf(inside_pid()).empty(); });
}

bool ParentSide::Has(brood_function child)
{
    if (rc == 0) {
        children.push_back(StartBy(way, child, BROOD_ARGS(connection)));
        rc = children.back() ? 0 : brood_last_error()->error;
    }
    return rc == 0;
}

bool ParentSide::Tell(int64_t number)
{
    rc = rc ? rc : brood_send(connection, brood_int(number), kSoon);
    return rc == 0;
}

int ParentSide::Stay()
{
    return rc ? rc : brood_poll(connection, BROOD_FOREVER);
}

bool ChildSide::Ready()
{
    rc = rc ? rc : brood_send(connection, brood_int(inside_pid()), kSoon);
    return rc == 0;
}

void SpinForEver()
{
    for (;;) {
        std::this_thread::yield();
    }
}

int Spin(brood_call *call)
{
    ChildSide side(call);
    if (!side.Ready()) {
        return side.rc;
    }
    SpinForEver();
}

Family::Family(brood_function parent, const std::string &way, const std::string &setting)
{
    auto [mine, theirs] = Pipe();
    connection_ = std::move(mine);
    parent_ = Start(parent, BROOD_ARGS(BROOD_GIVE(theirs.get()), way.c_str(), setting.c_str()));
}

Family::~Family()
{
    (void)brood_process_kill(parent_.get());
    End();
}

int64_t Family::Receive()
{
    brood_message *raw = nullptr;
    if (brood_recv(connection_.get(), &raw, kSoon)) {
        return 0;
    }
    const int64_t number = brood_as_int(brood_message_value(raw), 0);
    brood_message_free(raw);
    return number;
}

std::vector<int64_t> Family::Receive(size_t count)
{
    std::vector<int64_t> numbers;
    while (numbers.size() < count) {
        numbers.push_back(Receive());
        if (numbers.back() == 0) {
            numbers.pop_back();
            break;
        }
    }
    return numbers;
}

int64_t Family::Pid() const
{
    return brood_process_pid(parent_.get());
}

void Family::Kill()
{
    KillHard(Pid());
    End();
}

void Family::End()
{
    (void)brood_process_join(parent_.get(), kSoon);
}

void Family::LetGo()
{
    connection_.reset();
}

std::string Family::Words() const
{
    const brood_failure *failure = brood_process_failure(parent_.get());
    return failure != nullptr ? failure->message : "";
}

bool AllGone(const std::vector<int64_t> &pids)
{
    for (const int64_t pid : pids) {
        if (!WaitFor([pid] { return !IsAlive(pid); })) {
            return false;
        }
    }
    return true;
}

bool AllAlive(const std::vector<int64_t> &pids)
{
    for (const int64_t pid : pids) {
        if (!IsAlive(pid)) {
            return false;
        }
    }
    return true;
}
