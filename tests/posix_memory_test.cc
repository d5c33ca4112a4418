/* Unix only: shared memory under limits, after forks, and from those who mean harm. */
#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <string>

#include "config.h"
#include "support/host.h"
#include "support/leaks.h"
#include "support/memories.h"
#include "support/receive.h"
#include "support/sanitizer.h"
#include "support/usage.h"
#include "support/values.h"

namespace {

/* ---- names that are there for a moment, where memory has to have one ---- */

TEST(MemoryNew, DoesNotMindWhatOneWithOurNumberHasLeft)
{
    const std::string name = "/brood-" + std::to_string(getpid());
    for (const bool read_only : {false, true}) {
        const int fd = shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
        ASSERT_LE(0, fd);
        (void)close(fd);
        const Memory memory = NewMemory(5000, nullptr, read_only);
        EXPECT_TRUE(memory) << LastWords();
#if !defined(BROOD_HAVE_MEMFD)
        EXPECT_EQ(-1, shm_unlink(name.c_str())) << "it is taken away";
#endif
        (void)shm_unlink(name.c_str());
    }
}

/* ---- limits ---- */

int HasAFileLimit(brood_call *call)
{
    const MemoryName name;
    rlimit before = {};
    getrlimit(RLIMIT_FSIZE, &before);
    for (const rlim_t most : {rlim_t{0}, rlim_t{5000}, rlim_t{3} << 20}) {
        rlimit limit = before;
        limit.rlim_cur = most;
        CHILD_CHECK(call, setrlimit(RLIMIT_FSIZE, &limit) == 0);
        for (const char *chosen : {static_cast<const char *>(nullptr), name.c_str()}) {
            const Memory memory = NewMemory(static_cast<size_t>(most) + 1, chosen);
            const int rc = brood_last_error()->error;
            CHILD_CHECK(call, !memory && rc == BROOD_ENOMEM);
            CHILD_CHECK(call, !OpenMemory(name));
            if (most > 0) {
                const Memory fits = NewMemory(static_cast<size_t>(most), chosen);
                CHILD_CHECK(call, fits);
                std::memset(Data(fits), 'x', static_cast<size_t>(most));
                CHILD_CHECK(call, chosen == nullptr || brood_memory_unlink(chosen) == 0);
            }
        }
        CHILD_CHECK(call, setrlimit(RLIMIT_FSIZE, &before) == 0);
    }
    return 0;
}

TEST(MemoryLimits, OfFilesAreALackOfMemory)
{
#if defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "ThreadSanitizer takes part in signals: this one ends its process";
#endif
    ExpectItWorks(HasAFileLimit);
}

int HasASmallTmpfs(brood_call *call)
{
    constexpr size_t kSize = 4 << 20;
    CHILD_NEEDS(call, unshare(CLONE_NEWNS) == 0);
    CHILD_NEEDS(call, mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
    CHILD_NEEDS(call, mount("none", "/dev/shm", "tmpfs", 0, "size=4m") == 0);
    CHILD_CHECK(call, !NewMemory(kSize + 1, "brood-test"));
    CHILD_CHECK(call, brood_last_error()->error == BROOD_ENOMEM);
    CHILD_CHECK(call, ListOpenThings().memory_names.empty());
    const Memory first = NewMemory(kSize / 2, "brood-test");
    CHILD_CHECK(call, first);
    CHILD_CHECK(call, !NewMemory(kSize / 2 + 1, "brood-test-2"));
    CHILD_CHECK(call, brood_last_error()->error == BROOD_ENOMEM);
    const Memory second = NewMemory(kSize / 2, "brood-test-2");
    CHILD_CHECK(call, second);
    std::memset(Data(first), 'x', kSize / 2);
    std::memset(Data(second), 'x', kSize / 2);
    CHILD_CHECK(call, !NewMemory(1, "brood-test-3"));
    CHILD_CHECK(call, brood_memory_unlink("brood-test") == 0);
    CHILD_CHECK(call, brood_memory_unlink("brood-test-2") == 0);
    return 0;
}

TEST(MemoryLimits, OfTheFileSystemAreToldAtOnce)
{
    ExpectItWorks(HasASmallTmpfs);
}

TEST(MemoryLimits, OfTheMachineAreToldAtOnce)
{
    const unsigned long long available = AvailableMemory();
    if (available == 0 || available > SIZE_MAX / 4) {
        GTEST_SKIP() << "it does not say how much memory it has";
    }
    const MemoryName name;
    for (const char *chosen : {static_cast<const char *>(nullptr), name.c_str()}) {
        EXPECT_FALSE(NewMemory(static_cast<size_t>(available) * 2, chosen));
        EXPECT_EQ(BROOD_ENOMEM, brood_last_error()->error) << LastWords();
    }
    EXPECT_LT(available / 2, AvailableMemory()); /* and it has it still */
}

void Ignore(int)
{
}

/* The system begins anew after each signal. */
TEST(MemoryNew, ComesToAnEndHoweverManySignalsComeMeanwhile)
{
    struct sigaction action = {};
    struct sigaction before = {};
    action.sa_handler = Ignore;
    sigaction(SIGALRM, &action, &before);
    const itimerval often = {{0, 1000}, {0, 1000}};
    const itimerval never = {};
    setitimer(ITIMER_REAL, &often, nullptr);
    const Memory memory = NewMemory(size_t{64} << 20);
    setitimer(ITIMER_REAL, &never, nullptr);
    sigaction(SIGALRM, &before, nullptr);
    EXPECT_TRUE(memory) << LastWords();
}

/* ---- what others may do with it ---- */

TEST(MemoryHandle, CannotBeMadeSmaller)
{
#if !defined(BROOD_HAVE_MEMFD)
    GTEST_SKIP() << "nothing is sealed here";
#endif
    for (const bool read_only : {false, true}) {
        const Memory memory = NewMemory(10000, nullptr, read_only);
        const int fd = static_cast<int>(inside_memory_handle(memory.get()));
        EXPECT_NE(0, ftruncate(fd, 0));
        EXPECT_NE(0, ftruncate(fd, 20000));
        EXPECT_EQ(0, Data(memory)[9999]);
    }
}

TEST(MemoryHandle, OfOneForReadingCannotWrite)
{
    const Memory memory = NewMemory(10, nullptr, true);
    const int fd = static_cast<int>(inside_memory_handle(memory.get()));
    EXPECT_FALSE(CanBeWrittenTo(fd));
    EXPECT_EQ(-1, pwrite(fd, "x", 1, 0));
#if defined(BROOD_HAVE_MEMFD)
    /* nor does the file, opened once more */
    const NativeHandle again(open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDWR));
    EXPECT_FALSE(CanBeWrittenTo(again.get()));
#endif
    EXPECT_EQ(0, Data(memory)[0]);
    Data(memory)[0] = 'x';
}

#if defined(BROOD_HAVE_MEMFD) /* else nothing is sealed */
/* A reference as src/parcel.c writes it. */
std::string Reference(size_t size, const char *name)
{
    const std::string id(16, 'i');
    const std::string encoded = Encoded(BROOD_TUPLE("memory", 0, 0, size, false, brood_str(name),
                                                    brood_bytes(id.data(), id.size())));
    return encoded.substr(0, encoded.size() - 1) + "Q.";
}

TEST(HostileMemory, ThatCouldShrinkIsRefused)
{
    const auto [a, b] = Pipe();
    const std::string anonymous = Reference(100, nullptr);
    const NativeHandle plain(open("/proc/self/exe", O_RDONLY));
    const NativeHandle unsealed(memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    const NativeHandle grown(memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    ASSERT_EQ(0, ftruncate(static_cast<int>(unsealed.get()), 100));
    ASSERT_EQ(0, ftruncate(static_cast<int>(grown.get()), 99));
    ASSERT_EQ(0, fcntl(static_cast<int>(grown.get()), F_ADD_SEALS, F_SEAL_SHRINK));
    const NativeHandle directory(open("/", O_RDONLY));
    for (const NativeHandle *one : {&plain, &unsealed, &grown, &directory}) {
        const brood_handle handle = one->get();
        ASSERT_EQ(0,
                  inside_send_bytes_with(a.get(), anonymous.data(), anonymous.size(), &handle, 1));
        EXPECT_EQ(BROOD_EHANDLE, ReceiveError(b)) << LastWords();
    }
    const std::string named = Reference(100, "name");
    for (const NativeHandle *one : {&grown, &directory}) {
        const brood_handle handle = one->get();
        ASSERT_EQ(0, inside_send_bytes_with(a.get(), named.data(), named.size(), &handle, 1));
        EXPECT_EQ(BROOD_EHANDLE, ReceiveError(b)) << LastWords();
    }
}
#endif

/* ---- names ---- */

TEST(NamedMemory, IsWhereOthersLookForIt)
{
    const MemoryName name;
    const Memory memory = NewMemory(5000, name.c_str());
    ASSERT_TRUE(memory) << LastWords();
    const std::string path = "/" + std::string(name.c_str());
    const NativeHandle opened(shm_open(path.c_str(), O_RDONLY, 0));
    struct stat facts = {};
    ASSERT_EQ(0, fstat(static_cast<int>(opened.get()), &facts));
    EXPECT_EQ(5000, facts.st_size);
    EXPECT_EQ(0600u, facts.st_mode & 07777);
    ASSERT_EQ(0, brood_memory_unlink(name.c_str()));

    const NativeHandle made(shm_open(path.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600));
    EXPECT_FALSE(OpenMemory(name)); /* still empty */
    EXPECT_EQ(BROOD_ENOENT, brood_last_error()->error) << LastWords();
    ASSERT_EQ(0, ftruncate(static_cast<int>(made.get()), 77));
    EXPECT_EQ(77u, brood_memory_size(OpenMemory(name).get()));
    ASSERT_EQ(0, fchmod(static_cast<int>(made.get()), 0));
    EXPECT_FALSE(OpenMemory(name)); /* still being made */
    ASSERT_EQ(0, fchmod(static_cast<int>(made.get()), 0400));
    EXPECT_FALSE(OpenMemory(name));
    EXPECT_EQ(BROOD_EACCES, brood_last_error()->error) << LastWords();
    EXPECT_TRUE(OpenMemory(name, true)) << LastWords();
}

int HasAStrangeMask(brood_call *call)
{
    const MemoryName name;
    umask(0777);
    const Memory memory = NewMemory(10, name.c_str());
    CHILD_CHECK(call, memory);
    CHILD_CHECK(call, OpenMemory(name));
    return 0;
}

TEST(NamedMemory, DoesNotCareAboutTheMask)
{
    ExpectItWorks(HasAStrangeMask);
}

/* Whoever reads the file sees what the block has; nothing but its name is needed. */
TEST(NamedMemory, OutlivesAllProcesses)
{
    const MemoryName name;
    const Process child = Start(
        [](brood_call *call) {
            const char *theirs = nullptr;
            const int rc = BROOD_UNPACK(call, &theirs);
            CHILD_CHECK(call, rc == 0);
            const Memory memory = NewMemory(10, theirs);
            CHILD_CHECK(call, memory);
            std::strcpy(Data(memory), "left");
            return kill(getpid(), SIGKILL);
        },
        BROOD_ARGS(name.c_str()));
    EXPECT_EQ(BROOD_EWORKER, Result(child));
    const Memory opened = OpenMemory(name);
    ASSERT_TRUE(opened) << LastWords();
    EXPECT_STREQ("left", Data(opened));
}

/* ---- forks ---- */

Memory inherited;
Memory for_reading;

int UseInherited(brood_call *call)
{
    brood_memory *sent = nullptr;
    const int rc = BROOD_BIND(call, "sent?", &sent);
    CHILD_CHECK(call, rc == 0);
    CHILD_CHECK(call, inherited && std::strcmp(Data(inherited), "before") == 0);
    std::strcpy(Data(inherited), "after");
    const auto [a, b] = Pipe();
    if (sent == nullptr) {
        /* its descriptor is closed, and the number may be something else's */
        CHILD_CHECK(call, brood_send(a.get(), brood_of(inherited.get()), kSoon) == BROOD_EINVAL);
        CHILD_CHECK(call, LastWords().find("was not sent") != std::string::npos);
    } else {
        CHILD_CHECK(call, sent == inherited.get());
        CHILD_CHECK(call, brood_send(a.get(), brood_of(inherited.get()), kSoon) == 0);
        const Message message = Receive(b);
        brood_memory *again = nullptr;
        CHILD_CHECK(call, BROOD_UNPACK(message.get(), &again) == 0 && again == sent);
    }
    const NativePipe pipe; /* might have the numbers of what was closed */
    inherited.reset();
    for_reading.reset();
    CHILD_CHECK(call, NativeWrite(pipe.in.get(), "x") && NativeRead(pipe.out.get()) == "x");
    return 0;
}

TEST(MemoryAfterFork, IsUsableAsItWas)
{
    ASSERT_EQ(0, brood_set_start_method(BROOD_FORK, true));
    for (const bool is_sent : {false, true}) {
        inherited = NewMemory(10);
        for_reading = NewMemory(10, nullptr, true);
        std::strcpy(Data(inherited), "before");
        const Process child =
            is_sent ? Start(UseInherited, BROOD_ARGS(inherited.get())) : Start(UseInherited);
        EXPECT_EQ(0, Result(child)) << LastWords();
        EXPECT_STREQ("after", Data(inherited));
        inherited.reset();
        for_reading.reset();
    }
}

/* The child has the view of the block's maker, but what it is sent is for reading. */
int ReadsWhatItInherited(brood_call *call)
{
    brood_memory *sent = nullptr;
    const int rc = BROOD_UNPACK(call, &sent);
    CHILD_CHECK(call, rc == 0);
    CHILD_CHECK(call, sent != for_reading.get());
    CHILD_CHECK(call, brood_memory_read_only(sent));
    CHILD_CHECK(call, !CanBeMadeWritable(brood_memory_data(sent)));
    for_reading.reset();
    CHILD_CHECK(call, *static_cast<char *>(brood_memory_data(sent)) == 'x');
    return 0;
}

TEST(MemoryAfterFork, IsForReadingIfItIsSentSo)
{
    ASSERT_EQ(0, brood_set_start_method(BROOD_FORK, true));
    for_reading = NewMemory(10, nullptr, true);
    Data(for_reading)[0] = 'x';
    EXPECT_EQ(0, Result(Start(ReadsWhatItInherited, BROOD_ARGS(for_reading.get())))) << LastWords();
    for_reading.reset();
}

TEST(MemoryAfterFork, OfTheProgramIsStillSent)
{
    const auto [a, b] = Pipe();
    const Memory memory = NewMemory(10);
    const int64_t pid = brood_fork();
    ASSERT_GE(pid, 0) << LastWords();
    if (pid == 0) {
        std::strcpy(Data(memory), "forked");
        _exit(brood_send(a.get(), brood_of(memory.get()), kSoon) == 0 ? 0 : 1);
    }
    const Message message = Receive(b);
    brood_memory *same = nullptr;
    EXPECT_EQ(0, BROOD_UNPACK(message.get(), &same)) << LastWords();
    EXPECT_EQ(memory.get(), same);
    EXPECT_STREQ("forked", Data(memory));
    int status = -1;
    EXPECT_EQ(pid, waitpid(static_cast<pid_t>(pid), &status, 0));
    EXPECT_EQ(0, status);
}

Array shared_value;

int UsesAnInheritedArray(brood_call *)
{
    int *value = brood_array_data(shared_value.get(), int);
    if (value == nullptr || brood_lock_acquire(brood_array_lock(shared_value.get()), kSoon)) {
        return brood_last_error()->error;
    }
    *value += 1;
    return brood_lock_release(brood_array_lock(shared_value.get()));
}

TEST(ArrayAfterFork, IsUsableAsItWas)
{
    ASSERT_EQ(0, brood_set_start_method(BROOD_FORK, true));
    for (const size_t count : {size_t{1}, size_t{100000}}) {
        brood_array *raw = nullptr;
        ASSERT_EQ(0, brood_array_new(&raw, int, count, nullptr)) << LastWords();
        shared_value.reset(raw);
        for (int i = 0; i < 3; i++) {
            EXPECT_EQ(0, Result(Start(UsesAnInheritedArray))) << LastWords();
        }
        EXPECT_EQ(0, Result(Start(UsesAnInheritedArray, BROOD_ARGS(raw)))) << LastWords();
        EXPECT_EQ(4, *brood_array_data(raw, int));
        shared_value.reset();
    }
}

/* Nobody has counted the child, so the place is another array's by then. */
TEST(ArrayAfterFork, SaysThatItIsNoMore)
{
    const auto [a, b] = Pipe();
    const auto make = [] {
        brood_array *raw = nullptr;
        EXPECT_EQ(0, brood_array_new(&raw, int, 1, nullptr)) << LastWords();
        return Array(raw);
    };
    Array array = make();
    const int64_t pid = brood_fork();
    ASSERT_GE(pid, 0) << LastWords();
    if (pid == 0) {
        const bool told = Shown(Receive(b)) == "'freed'";
        const bool gone = brood_array_data(array.get(), int) == nullptr;
        _exit(told && gone && brood_last_error()->error == BROOD_ECLOSED ? 0 : 1);
    }
    array.reset();
    const Array other = make();
    ASSERT_EQ(0, brood_send(a.get(), brood_str("freed"), kSoon)) << LastWords();
    int status = -1;
    EXPECT_EQ(pid, waitpid(static_cast<pid_t>(pid), &status, 0));
    EXPECT_EQ(0, status);
}

} // namespace
