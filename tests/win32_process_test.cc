#include <gtest/gtest.h>

#include <windows.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "support/objects.h"
#include "support/run_program.h"

namespace {

/* Children crash on purpose here and in other tests: neither a dialog nor a debugger may open for
 * them. Before main, so that it holds in the children too. */
const UINT kErrorMode = SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);

int CountsNothing(brood_call *)
{
    return 0;
}

int ExitWith(brood_call *call)
{
    uint64_t status = 0;
    const int rc = BROOD_UNPACK(call, &status);
    if (rc) {
        return rc;
    }
    ExitProcess(static_cast<UINT>(status));
}

struct Status {
    uint64_t system_code;
    int exitcode;
};

TEST(Win32ExitCode, IsTheSignalThatACrashResembles)
{
    const Status statuses[] = {
        {0, 0},
        {3, 3},
        {255, 255},
        {256, 255}, /* must not look like success */
        {257, 1},
        {0x10000, -15},
        {0x10009, -9},
        {0x80000003, -5},
        {0xC0000005, -11},
        {0xC000001D, -4},
        {0xC0000094, -8},
        {0xC00000FD, -11},
        {0xC0000135, -6}, /* a DLL is missing */
        {0xC000013A, -2},
        {0xC0000374, -6}, /* heap corruption */
        {0xC0000409, -6}, /* fail-fast */
        {0xE06D7363, -6}, /* a C++ exception */
        {0xFFFFFFFF, 255},
    };
    for (const Status &status : statuses) {
        const Process process = Start(ExitWith, BROOD_ARGS(status.system_code));
        ASSERT_TRUE(process) << LastWords();
        int exitcode = 1000;
        EXPECT_EQ(0, brood_process_join(process.get(), kSoon));
        EXPECT_EQ(0, brood_process_exitcode(process.get(), &exitcode));
        EXPECT_EQ(status.exitcode, exitcode) << std::hex << status.system_code;
        if (exitcode != 0) {
            const brood_failure *failure = brood_process_failure(process.get());
            ASSERT_NE(nullptr, failure);
            EXPECT_EQ(static_cast<int64_t>(status.system_code), failure->system_code);
        }
    }
}

int WritesToNowhere(brood_call *)
{
    volatile uintptr_t nowhere = 16;
    *reinterpret_cast<volatile int *>(nowhere) = 1;
    return 0;
}

TEST(Win32ExitCode, OfARealCrashIsNegative)
{
    const Process process = Start(WritesToNowhere);
    ASSERT_TRUE(process) << LastWords();
    EXPECT_EQ(BROOD_EWORKER, Result(process));
    EXPECT_EQ(-11, brood_last_error()->exitcode);
}

#if defined(__x86_64__) || defined(_M_X64)
int DividesByZero(brood_call *call)
{
    const volatile int zero = static_cast<int>(brood_call_count(call));
    return 7 / zero;
}

/* A real overflow ends the process with status 0 under Wine 8, so this is only the exception. */
int OverflowsItsStack(brood_call *)
{
    RaiseException(EXCEPTION_STACK_OVERFLOW, EXCEPTION_NONCONTINUABLE, 0, nullptr);
    return 0;
}

int RunsNoInstruction(brood_call *)
{
    __builtin_trap();
}

int FailsFast(brood_call *)
{
    __asm__ volatile("int $0x29" : : "c"(7)); /* what __fastfail is */
    return 0;
}

struct Crash {
    const char *name;
    brood_function function;
    int exitcode;
};

TEST(Win32ExitCode, OfEachKindOfRealCrashIsItsSignals)
{
    const Crash crashes[] = {{"division", DividesByZero, -8},
                             {"stack", OverflowsItsStack, -11},
                             {"instruction", RunsNoInstruction, -4},
                             {"fail-fast", FailsFast, -6}};
    for (const Crash &crash : crashes) {
        const Process process = Start(crash.function);
        ASSERT_TRUE(process) << LastWords();
        EXPECT_EQ(BROOD_EWORKER, Result(process)) << crash.name;
        EXPECT_EQ(crash.exitcode, brood_last_error()->exitcode)
            << crash.name << ", status " << std::hex << brood_last_error()->system_code;
    }
}
#endif

/* ---- a child that outlives ---- */

/* Puts itself into a job that keeps its processes, as some hosts do, and tries to have such a child. */
int StartsOneFromAClosedJob(brood_call *)
{
    const HANDLE job = CreateJobObjectW(nullptr, nullptr);
    if (!AssignProcessToJobObject(job, GetCurrentProcess())) {
        return brood_raise(nullptr, 9, "no nested jobs");
    }
    brood_process_options options = BROOD_OPTIONS_INIT(process);
    options.outlive_parent = true;
    brood_process *raw = nullptr;
    const int rc = brood_process_start(&raw, CountsNothing, nullptr, &options);
    brood_process_free(raw);
    return rc;
}

TEST(Win32Start, SaysWhichJobKeepsAChildFromOutliving)
{
    testing::internal::CaptureStderr();
    const Process process = Start(StartsOneFromAClosedJob);
    const int rc = Result(process);
    testing::internal::GetCapturedStderr();
    if (rc == 0) {
        GTEST_SKIP() << "this system lets it leave all the same";
    }
    EXPECT_EQ(BROOD_EACCES, rc) << LastWords();
    EXPECT_NE(std::string::npos, LastWords().find("JOB_OBJECT_LIMIT_BREAKAWAY_OK is missing"))
        << LastWords();
}

/* ---- what a child inherits ---- */

constexpr char kSecretWords[] = "no child should read this";

int ReadsSection(brood_call *call)
{
    uint64_t value = 0;
    const int rc = BROOD_UNPACK(call, &value);
    if (rc) {
        return rc;
    }
    const void *view = MapViewOfFile(reinterpret_cast<HANDLE>(value), FILE_MAP_READ, 0, 0, 0);
    return view != nullptr && std::memcmp(view, kSecretWords, sizeof kSecretWords) == 0 ? 9 : 0;
}

TEST(Win32Start, GivesTheChildNoOtherInheritableHandle)
{
    SECURITY_ATTRIBUTES inheritable = {sizeof inheritable, nullptr, TRUE};
    const HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, &inheritable, PAGE_READWRITE, 0,
                                              sizeof kSecretWords, nullptr);
    void *const view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
    ASSERT_NE(nullptr, view);
    std::memcpy(view, kSecretWords, sizeof kSecretWords);

    const Process process = Start(ReadsSection, BROOD_ARGS(reinterpret_cast<uint64_t>(section)));
    ASSERT_TRUE(process) << LastWords();
    EXPECT_EQ(0, Result(process)) << LastWords();
    UnmapViewOfFile(view);
    CloseHandle(section);
}

TEST(Win32Start, MakesHandlesThatNobodyInherits)
{
    const auto [first, second] = Pipe();
    const Process process = Start(ExitWith, BROOD_ARGS(static_cast<uint64_t>(0)));
    ASSERT_TRUE(first && process) << LastWords();
    for (const brood_handle handle :
         {brood_connection_handle(first.get()), brood_connection_handle(second.get()),
          brood_process_sentinel(process.get())}) {
        DWORD flags = 99;
        EXPECT_TRUE(GetHandleInformation(reinterpret_cast<HANDLE>(handle), &flags));
        EXPECT_EQ(0u, flags & HANDLE_FLAG_INHERIT);
    }
    EXPECT_EQ(0, brood_process_join(process.get(), kSoon));
}

/* Puts other standard streams in the place of this process's for a while. */
class StandardStreams {
  public:
    StandardStreams(HANDLE in, HANDLE out, HANDLE err)
    {
        const HANDLE wanted[] = {in, out, err};
        for (int i = 0; i < 3; i++) {
            kept_[i] = GetStdHandle(kWhich[i]);
            SetStdHandle(kWhich[i], wanted[i]);
        }
    }
    StandardStreams(const StandardStreams &) = delete;
    StandardStreams &operator=(const StandardStreams &) = delete;
    ~StandardStreams()
    {
        for (int i = 0; i < 3; i++) {
            SetStdHandle(kWhich[i], kept_[i]);
        }
    }
    static constexpr DWORD kWhich[] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};

  private:
    HANDLE kept_[3];
};

int CountsStreams(brood_call *)
{
    int count = 0;
    for (const DWORD which : StandardStreams::kWhich) {
        const HANDLE stream = GetStdHandle(which);
        count += stream != nullptr && stream != INVALID_HANDLE_VALUE &&
                 GetFileType(stream) != FILE_TYPE_UNKNOWN;
    }
    return count;
}

TEST(Win32Start, GivesNoStreamsWhereWeHaveNone)
{
    Process process;
    {
        const StandardStreams none(nullptr, INVALID_HANDLE_VALUE, nullptr);
        process = Start(CountsStreams);
    }
    ASSERT_TRUE(process) << LastWords();
    EXPECT_EQ(0, Result(process)) << LastWords();
}

TEST(Win32Start, TakesAClosedStreamForNone)
{
    const HANDLE closed = reinterpret_cast<HANDLE>(0x3ffffff0); /* nobody opens so many */
    Process process;
    {
        const StandardStreams broken(closed, closed, closed);
        process = Start(CountsStreams);
    }
    ASSERT_TRUE(process) << LastWords();
    EXPECT_EQ(0, Result(process)) << LastWords();
}

int WritesToBoth(brood_call *)
{
    DWORD written = 0;
    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), "out ", 4, &written, nullptr);
    WriteFile(GetStdHandle(STD_ERROR_HANDLE), "err", 3, &written, nullptr);
    return 0;
}

TEST(Win32Start, SharesOneHandleThatIsTwoStreams)
{
    HANDLE read = nullptr;
    HANDLE write = nullptr;
    ASSERT_TRUE(CreatePipe(&read, &write, nullptr, 0));
    Process process;
    {
        const StandardStreams same(nullptr, write, write);
        process = Start(WritesToBoth);
    }
    CloseHandle(write);
    ASSERT_TRUE(process) << LastWords();
    EXPECT_EQ(0, Result(process)) << LastWords();
    std::string text;
    char buffer[64];
    for (DWORD got = 0; ReadFile(read, buffer, sizeof buffer, &got, nullptr) && got > 0;) {
        text.append(buffer, got);
    }
    EXPECT_EQ("out err", text);
    CloseHandle(read);
}

/* ---- a marker that brood did not write ---- */

TEST(Win32Child, SaysInWordsThatItWasStartedByHand)
{
    char path[MAX_PATH] = "";
    GetModuleFileNameA(nullptr, path, sizeof path);
    for (const char *number :
         {"", "zz", "4", "8", "1c", "40", "ffffffffffffffff", "fffffffffffffffff"}) {
        ProgramRun run;
        run.arguments = {path, "--brood-child", number};
        const ProgramResult result = RunProgram(run);
        EXPECT_EQ(1, result.status) << number;
        EXPECT_NE(std::string::npos,
                  result.err.find("--brood-child is for programs that brood starts"))
            << number << ": " << result.err;
    }
}

/* ---- reports ---- */

int ReturnsMuch(brood_call *call)
{
    const std::string much(1 << 20, 'x');
    return brood_return(call, brood_bytes(much.data(), much.size()));
}

TEST(Win32Report, ThatNobodyAsksForLeavesNoHandle)
{
    /* The check for leaks around each test is what looks. */
    for (int i = 0; i < 5; i++) {
        const Process process = Start(ReturnsMuch);
        ASSERT_TRUE(process) << LastWords();
        EXPECT_EQ(0, brood_process_join(process.get(), kSoon));
    }
}

} // namespace
