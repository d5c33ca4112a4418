/* A parent that is killed, and the children that have to end with it. The parent is a child of the
 * test, so that the test can do with it what it likes. */
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/objects.h"

/// StartWays lists all ways a child can be started here, for testing::ValuesIn.
std::vector<std::string> StartWays();

/// StartBy starts a child in one of these ways, as Start does.
Process StartBy(const std::string &way, brood_function target, const brood_args *args = nullptr);

/// ChildrenBy lists the living children that a process has started in this way: those of its fork
/// servers are not the system's children of it.
std::vector<int64_t> ChildrenBy(const std::string &way, int64_t pid);

/// LetForkserverGo makes the next start by a fork server begin a new one, which has the environment
/// as it is now.
void LetForkserverGo();

/// HasNoChildren lets the fork server go and tells whether nobody else is there.
bool HasNoChildren();

/// ParentSide is what a function that plays the parent is given.
struct ParentSide {
    explicit ParentSide(brood_call *call) : rc(BROOD_UNPACK(call, &connection, &way, &setting))
    {
    }
    /// Has starts a child that gets the connection, and remembers it; false and rc if that fails.
    bool Has(brood_function child);
    /// Tell sends a number to the test.
    bool Tell(int64_t number);
    /// Stay returns when the test lets go of the connection; at once, with the error, if rc is one.
    int Stay();

    brood_connection *connection = nullptr;
    const char *way = nullptr;
    const char *setting = nullptr; /* whatever the test wants to say */
    int rc = 0;
    std::vector<Process> children;
};

/// ChildSide is what the parent's children are given.
struct ChildSide {
    explicit ChildSide(brood_call *call) : rc(BROOD_UNPACK(call, &connection))
    {
    }
    /// Ready sends this process's id to the test.
    bool Ready();

    brood_connection *connection = nullptr;
    int rc = 0;
};

/// Spin says that it is ready and never ends by itself.
int Spin(brood_call *call);

/// SpinForEver never returns.
[[noreturn]] void SpinForEver();

/// Family is a parent in a process of its own and what the test knows of it.
class Family {
  public:
    explicit Family(brood_function parent, const std::string &way = "spawn",
                    const std::string &setting = "");
    Family(const Family &) = delete;
    Family &operator=(const Family &) = delete;
    ~Family();
    /// Receives the next number that parent or child sends, 0 if none comes.
    int64_t Receive();
    /// Receives `count` numbers.
    std::vector<int64_t> Receive(size_t count);
    /// Pid of the parent.
    int64_t Pid() const;
    /// Kill ends the parent as hard as can be and waits until it has ended.
    void Kill();
    /// End waits until it has ended by itself.
    void End();
    /// LetGo ends the connection.
    void LetGo();
    /// Words of the failure of the parent, once it has ended.
    std::string Words() const;

  private:
    Connection connection_;
    Process parent_;
};

/// AllGone waits until none of them is alive; false if that takes too long.
bool AllGone(const std::vector<int64_t> &pids);

/// AllAlive tells whether each of them is.
bool AllAlive(const std::vector<int64_t> &pids);

/// CHILD_CHECK is an assertion in a function that runs in a child: it makes it return a failure.
#define CHILD_CHECK(call, condition)                                                           \
    do {                                                                                       \
        if (!(condition)) {                                                                    \
            return brood_raise(call, 1, "%s:%d: %s does not hold; last failure: %s", __FILE__, \
                               __LINE__, #condition, LastWords().c_str());                     \
        }                                                                                      \
    } while (0)
