/* The example b2sum, run as a user runs it. */
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#if defined(_WIN32)
#include <windows.h>
#else
#include <sys/stat.h>
#include <unistd.h>
#endif

#include "support/run_program.h"

namespace fs = std::filesystem;

namespace {

#if defined(_WIN32)
constexpr bool kWindows = true;
constexpr size_t kManyNames = 4000; /* a command line has 32,767 characters */
#else
constexpr bool kWindows = false;
constexpr size_t kManyNames = 100000;
#endif

/* Written down from another implementation of BLAKE2b (Python's hashlib). */
struct Vector {
    size_t size;
    int bits;
    const char *digest;
};

const Vector kVectors[] = {
    {0, 128, "cae66941d9efbd404e4d88758ea67670"},
    {1, 128, "71b186b851e866e71be237342976049a"},
    {128, 128, "120af2bd1ed97928449907294e27fbf5"},
    {129, 128, "88f87d5ece4a9173c174a8d9941e9cc7"},
    {0, 136, "246c0442cd564aced8145b8b60f1370aa7"},
    {1, 136, "95ec499aaf35468a753dc14c7b624e60f5"},
    {128, 136, "d2ca5ef87c01345af3a4856e8c180e4e43"},
    {129, 136, "26ae02677df2358ab606673b4b7cbfc7e1"},
    {0, 256, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"},
    {1, 256, "e88bd757ad5b9bedf372d8d3f0cf6c962a469db61a265f6418e1ffed86da29ec"},
    {128, 256, "6afdad1409d770bce274b62a69123c97c86ffb40ce9708f3ff9ae4cbba8ba080"},
    {129, 256, "69e98b10112e4b7ae396bfbddaee75cc5fe6a9dc1fffc2b11e7c0fc48de04ae5"},
    {0, 384,
     "b32811423377f52d7862286ee1a72ee540524380fda1724a6f25d7978c6fd3244a6caf0498812673c5e05ef583825"
     "100"},
    {1, 384,
     "c61d5ef4db452d1d11b82a174c56dc4e9b215a08decc8a0d16a2ade9ca1b545131309e3dc152e461cd7be3fc737f2"
     "317"},
    {128, 384,
     "b768f0abe93027c800dbbaea255f67d21a0695f0ee6e6dce23e529cddfef2d943d7b9dddd1d2c6ee98810c68b36f4"
     "266"},
    {129, 384,
     "c0ffd8cb7751d02e2385350b0089e27a4f6542e6de87acbd72aacf641140b8f2808d6e2a07f8a121b72ad7a41da5b"
     "dcb"},
    {0, 504,
     "4ded8c5fc8b12f3273f877ca585a44ad6503249a2b345d6d9c0e67d85bcb700db4178c0303e93b8f4ad758b8e2c9f"
     "d8b3d0c28e585f1928334bb77d36782e8"},
    {1, 504,
     "3d92d0dee6a243926b99f0ee827035269b7bf997a47fd7cdbc646c2ece2d395f077f794887115259a6f35d42c7833"
     "c46e017833d92bca8394be88d66395ed1"},
    {128, 504,
     "51481c43c46b05340e6b0c91def181995f2b6bcb921dc08f7070b7acf5e9d3143fc9155d42f3830d86fb70cde2b9c"
     "1334a81dae5af5bd2a198cee961049d97"},
    {129, 504,
     "55980c47785873f2b0f230e64f022094b4000449c04059b9907f7706469c33a544b18d19cdefae9d0c77d6a211a3f"
     "30e38d8b3b2806e5270f2c90bd77ad3e8"},
    {0, 512,
     "786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419d25e1031afee585313896444934eb"
     "04b903a685b1448b755d56f701afe9be2ce"},
    {1, 512,
     "4fe4da61bcc756071b226843361d74944c72245d23e8245ea678c13fdcd7fe2ae529cf999ad99cc24f7a73416a18b"
     "a53e76c0afef83b16a568b12fbfc1a2674d"},
    {128, 512,
     "a4d40e9fac2f4491cc7c048202589a43de09be6e0a9e16efe8765eb2fe2c9395d27417f6e21256f26d90a1315d76e"
     "51db0045e934a29c8dae2150a4484ad5d87"},
    {129, 512,
     "0263b9cb461cd36c77452119f6920ce4a95a9c47f48f241377dc33d09732464c30295c38590761f1b16464f4fa54b"
     "bb37e95c6e664adf7b66800b71ffec75503"},
};

const char kDigestOf5MiB[] =
    "4c4a9c356c441eaa45bc7297ed5d5ed3de7a8e28d856f020ac9343dd7b372ca880813ef77c1945042bd7981707e0d4"
    "3faa866e730ad51d7959245fd5cb8c85d5";
const char kDigestOfAbc[] =
    "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc"
    "9518d38aa8dbf1925ab92386edd4009923";

/* The content that the vectors are about. */
std::string Pattern(size_t size)
{
    std::string text(size, '\0');
    for (size_t i = 0; i < size; i++) {
        text[i] = static_cast<char>((i * 7 + 3) % 251);
    }
    return text;
}

std::string DigestOf(size_t size, int bits = 512)
{
    for (const Vector &vector : kVectors) {
        if (vector.size == size && vector.bits == bits) {
            return vector.digest;
        }
    }
    throw std::runtime_error("no such vector");
}

std::vector<std::string> Lines(const std::string &text)
{
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        if (!line.empty() && line.back() == '\r') {
            line.pop_back(); /* standard error on Windows */
        }
        lines.push_back(line);
    }
    return lines;
}

/* Lines as they are, so that a file name's own letters cannot confuse a regular expression. */
bool HasLine(const std::string &text, const std::string &line)
{
    const std::vector<std::string> lines = Lines(text);
    return std::find(lines.begin(), lines.end(), line) != lines.end();
}

/* The example in a folder of its own, which is gone afterwards. */
class B2sum : public testing::Test {
  protected:
    B2sum()
    {
        std::random_device random;
        do {
            folder_ = fs::temp_directory_path() / ("brood-test-b2sum-" + std::to_string(random()));
        } while (!fs::create_directory(folder_));
    }
    ~B2sum() override
    {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }

    static fs::path PathOf(const std::string &name)
    {
        return kWindows ? fs::u8path(name) : fs::path(name);
    }
    void Write(const std::string &name, const std::string &content)
    {
        std::ofstream stream(folder_ / PathOf(name), std::ios::binary);
        stream << content;
        ASSERT_TRUE(stream.flush().good()) << name;
    }
    void WriteVectors()
    {
        Write("empty", "");
        Write("one", Pattern(1));
        Write("edge", Pattern(128));
        Write("past", Pattern(129));
    }

    ProgramRun Prepare(const char *program, const std::vector<std::string> &arguments) const
    {
        ProgramRun run;
        run.directory = folder_.u8string();
        run.arguments.push_back(program);
        run.arguments.insert(run.arguments.end(), arguments.begin(), arguments.end());
        return run;
    }
    ProgramResult Run(const std::vector<std::string> &arguments, const std::string &input = "")
    {
        ProgramRun run = Prepare(BROOD_B2SUM_PATH, arguments);
        run.input = input;
        const ProgramResult result = RunProgram(run);
        EXPECT_TRUE(result.ended) << "it hangs";
        return result;
    }
    ProgramResult RunWithKillMe(const std::vector<std::string> &arguments)
    {
        const ProgramResult result = RunProgram(Prepare(BROOD_B2SUM_TESTING_PATH, arguments));
        EXPECT_TRUE(result.ended) << "it hangs";
        return result;
    }

    fs::path folder_;
};

class B2sumLength : public B2sum, public testing::WithParamInterface<int> {};

TEST_P(B2sumLength, GivesKnownDigests)
{
    WriteVectors();
    const ProgramResult result =
        Run({"-l", std::to_string(GetParam()), "empty", "one", "edge", "past"});
    EXPECT_EQ(result.out, DigestOf(0, GetParam()) + "  empty\n" + DigestOf(1, GetParam()) +
                              "  one\n" + DigestOf(128, GetParam()) + "  edge\n" +
                              DigestOf(129, GetParam()) + "  past\n");
    EXPECT_EQ(result.err, "");
    EXPECT_EQ(result.status, 0);
}

const char *FindCoreutils()
{
    for (const char *path : {"/usr/bin/b2sum", "/bin/b2sum", "/usr/local/bin/gb2sum"}) {
        if (!kWindows && fs::exists(path)) {
            ProgramRun run;
            run.arguments = {path, "--version"};
            if (RunProgram(run).out.find("GNU coreutils") != std::string::npos) {
                return path;
            }
        }
    }
    return nullptr;
}

TEST_P(B2sumLength, PrintsWhatCoreutilsPrints)
{
    const char *coreutils = FindCoreutils();
    if (!coreutils) {
        GTEST_SKIP() << "no b2sum of GNU coreutils on this system";
    }
    std::vector<std::string> arguments = {"-l", std::to_string(GetParam())};
    size_t size = 0;
    /* A carriage return is not among them: it is escaped only since coreutils 9.0. */
    for (const char *name : {"empty", "with space", "back\\slash", "new\nline", "\\\n", "\xff\xfe",
                             "caf\xc3\xa9", "*star", "'quote'\"", "  ", "tab\t"}) {
        Write(name, Pattern(size));
        arguments.push_back(name);
        size = size * 3 + 43;
    }
    Write("big", Pattern(5 << 20));
    arguments.push_back("big");
    const ProgramResult expected = RunProgram(Prepare(coreutils, arguments));
    const ProgramResult result = Run(arguments);
    EXPECT_EQ(expected.status, 0) << expected.err;
    EXPECT_EQ(result.out, expected.out);
    EXPECT_EQ(result.err, expected.err);
    EXPECT_EQ(result.status, expected.status);
}

INSTANTIATE_TEST_SUITE_P(Bits, B2sumLength, testing::Values(128, 136, 256, 384, 504, 512),
                         testing::PrintToStringParamName());

TEST_F(B2sum, Gives512BitsUnlessToldOtherwise)
{
    Write("past", Pattern(129));
    Write("big", Pattern(5 << 20));
    const ProgramResult result = Run({"past", "big"});
    EXPECT_EQ(result.out, DigestOf(129) + "  past\n" + kDigestOf5MiB + "  big\n");
    EXPECT_EQ(result.status, 0);
}

TEST_F(B2sum, TakesUnicodeNames)
{
    const std::string name = "gr\xc3\xbc\xc3\x9f \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x90\xa3";
    Write(name, Pattern(1));
    const ProgramResult result = Run({name});
    EXPECT_EQ(result.out, DigestOf(1) + "  " + name + "\n");
    EXPECT_EQ(result.err, "");
}

#if !defined(_WIN32)

TEST_F(B2sum, EscapesNamesThatWouldBreakALine)
{
    Write("a\\b", Pattern(0));
    Write("a\nb", Pattern(1));
    Write("a\rb", Pattern(128));
    const ProgramResult result = Run({"a\\b", "a\nb", "a\rb"});
    EXPECT_EQ(result.out, "\\" + DigestOf(0) + "  a\\\\b\n" + "\\" + DigestOf(1) + "  a\\nb\n" +
                              "\\" + DigestOf(128) + "  a\\rb\n");
    EXPECT_EQ(result.err, "");
}

TEST_F(B2sum, TakesNamesThatAreNotUtf8)
{
    Write("\x80\xff\xc3", Pattern(1));
    const ProgramResult result = Run({"\x80\xff\xc3", "no\xff"});
    EXPECT_EQ(result.out, DigestOf(1) + "  \x80\xff\xc3\n");
    EXPECT_EQ(result.err, "b2sum: no\xff: No such file or directory\n");
    EXPECT_EQ(result.status, 1);
}

TEST_F(B2sum, ReadsDevices)
{
    EXPECT_EQ(Run({"/dev/null"}).out, DigestOf(0) + "  /dev/null\n");
}

TEST_F(B2sum, ReportsALoopOfLinks)
{
    fs::create_symlink("loop", folder_ / "loop");
    EXPECT_EQ(Run({"loop"}).err, "b2sum: loop: Too many levels of symbolic links\n");
}

TEST_F(B2sum, FailsWhenItsOutputIsFull)
{
    if (!fs::exists("/dev/full")) {
        GTEST_SKIP() << "no /dev/full on this system";
    }
    Write("one", Pattern(1));
    ProgramRun run = Prepare(BROOD_B2SUM_PATH, {"one"});
    run.output_file = "/dev/full";
    const ProgramResult result = RunProgram(run);
    EXPECT_TRUE(HasLine(result.err, "b2sum: write error: No space left on device")) << result.err;
    EXPECT_EQ(result.status, 1);
}

#endif

TEST_F(B2sum, ReportsWhatIsMissingAndPrintsTheOthers)
{
    WriteVectors();
    fs::create_directory(folder_ / "folder");
    const ProgramResult result = Run({"-j", "2", "one", "missing", "folder", "past"});
    EXPECT_EQ(result.out, DigestOf(1) + "  one\n" + DigestOf(129) + "  past\n");
    EXPECT_EQ(Lines(result.err),
              (std::vector<std::string>{"b2sum: missing: No such file or directory",
                                        "b2sum: folder: Is a directory"}));
    EXPECT_EQ(result.status, 1);
}

TEST_F(B2sum, ReportsWhatMayNotBeRead)
{
    WriteVectors();
    const fs::path locked = folder_ / "edge";
    ProgramRun run = Prepare(BROOD_B2SUM_PATH, {"one", "edge", "past"});
    run.unprivileged = true;
#if defined(_WIN32)
    const HANDLE lock =
        CreateFileW(locked.c_str(), GENERIC_READ, 0, nullptr, OPEN_EXISTING, 0, nullptr);
    ASSERT_NE(lock, INVALID_HANDLE_VALUE);
    const ProgramResult result = RunProgram(run);
    CloseHandle(lock);
#else
    fs::permissions(locked, fs::perms::none);
    const ProgramResult result = RunProgram(run);
    if (geteuid() == 0 && result.status == 127) {
        GTEST_SKIP() << "only root may run what lies here, and root may read everything";
    }
#endif
    EXPECT_EQ(result.out, DigestOf(1) + "  one\n" + DigestOf(129) + "  past\n");
    EXPECT_EQ(Lines(result.err), std::vector<std::string>{"b2sum: edge: Permission denied"});
    EXPECT_EQ(result.status, 1);
}

TEST_F(B2sum, RefusesBadLengths)
{
    WriteVectors();
    const std::map<std::string, std::string> bad = {
        {"0", "minimum"},    {"120", "minimum"},
        {"8", "minimum"},    {"520", "maximum"},
        {"1024", "maximum"}, {"127", "multiple"},
        {"513", "multiple"}, {"", "number"},
        {"abc", "number"},   {"128x", "number"},
        {"-256", "number"},  {"1e3", "number"},
        {"0x80", "number"},  {"9999999999999999999999", "number"},
        {"25.6", "number"},
    };
    for (const auto &[length, words] : bad) {
        const ProgramResult result = Run({"-l", length, "one"});
        EXPECT_EQ(result.out, "") << length;
        EXPECT_TRUE(HasLine(result.err, "b2sum: invalid length: '" + length + "'")) << result.err;
        EXPECT_NE(result.err.find(words), std::string::npos) << result.err;
        EXPECT_EQ(result.status, 1) << length;
    }
}

TEST_F(B2sum, RefusesBadOptions)
{
    WriteVectors();
    const std::vector<std::vector<std::string>> bad = {
        {"-j", "0", "one"},
        {"-j", "-1", "one"},
        {"-j", "two", "one"},
        {"-j", "", "one"},
        {"-j"},
        {"-l"},
        {"-q", "one"},
        {"--no-such-option"},
    };
    for (const auto &arguments : bad) {
        const ProgramResult result = Run(arguments);
        EXPECT_EQ(result.out, "") << arguments[0];
        EXPECT_NE(result.err, "") << arguments[0];
        EXPECT_EQ(result.status, 1) << arguments[0];
    }
}

TEST_F(B2sum, PrintsTheSameForAnyNumberOfWorkers)
{
    WriteVectors();
    Write("big", Pattern(5 << 20));
    const std::vector<std::string> names = {"big", "one", "edge", "past", "empty", "one", "big"};
    std::string expected;
    for (const char *count : {"1", "2", "3", "7", "40"}) {
        std::vector<std::string> arguments = {"-j", count};
        arguments.insert(arguments.end(), names.begin(), names.end());
        const ProgramResult result = Run(arguments);
        expected = expected.empty() ? result.out : expected;
        EXPECT_EQ(Lines(result.out).size(), names.size());
        EXPECT_EQ(result.out, expected) << "with " << count;
        EXPECT_EQ(result.err, "");
        EXPECT_EQ(result.status, 0);
    }
}

TEST_F(B2sum, KeepsTheOrderOfManyNames)
{
    WriteVectors();
    const char *names[] = {"one", "no", "edge", "past"};
    const size_t sizes[] = {1, 0, 128, 129};
    std::vector<std::string> arguments = {"-j", "3"};
    std::string out, err;
    for (size_t i = 0; i < kManyNames; i++) {
        /* Every thousandth is missing; the rest is not in an order that a share has by chance. */
        const size_t pick = i % 1000 == 999 ? 1 : (i * i / 7) % 3 == 1 ? 0 : 2 + i % 2;
        arguments.push_back(names[pick]);
        (pick == 1 ? err : out) += pick == 1 ? "b2sum: no: No such file or directory\n"
                                             : DigestOf(sizes[pick]) + "  " + names[pick] + "\n";
    }
    const ProgramResult result = Run(arguments);
    EXPECT_TRUE(result.out == out) << result.out.size() << " bytes, not " << out.size();
    EXPECT_EQ(Lines(result.err), Lines(err));
    EXPECT_EQ(result.status, 1);
}

TEST_F(B2sum, ReadsStandardInput)
{
    Write("one", Pattern(1));
    EXPECT_EQ(Run({}, "abc").out, kDigestOfAbc + std::string("  -\n"));
    EXPECT_EQ(Run({"-"}, "abc").out, kDigestOfAbc + std::string("  -\n"));
    EXPECT_EQ(Run({"one", "-", "-"}, "abc").out,
              DigestOf(1) + "  one\n" + kDigestOfAbc + "  -\n" + DigestOf(0) + "  -\n");
    EXPECT_EQ(Run({"-"}, Pattern(5 << 20)).out, kDigestOf5MiB + std::string("  -\n"));
}

TEST_F(B2sum, PrintsADigestAsSoonAsItsTurnComes)
{
    Write("one", Pattern(1));
    ProgramRun run = Prepare(BROOD_B2SUM_PATH, {"one", "-"});
    run.input = "abc";
    run.input_after = DigestOf(1) + "  one\n"; /* it would wait for its input for ever */
    const ProgramResult result = RunProgram(run);
    EXPECT_TRUE(result.ended);
    EXPECT_EQ(result.out, run.input_after + kDigestOfAbc + "  -\n");
}

TEST_F(B2sum, PrintsHelp)
{
    const ProgramResult result = Run({"--help"});
    EXPECT_NE(result.out.find("--length=BITS"), std::string::npos);
    EXPECT_EQ(result.status, 0);
}

TEST_F(B2sum, TriesAFileAgainWhoseWorkerWasKilled)
{
    WriteVectors();
    Write("kill-once", Pattern(128));
    const ProgramResult result = RunWithKillMe({"-j", "2", "one", "kill-once", "past"});
    EXPECT_EQ(result.out, DigestOf(1) + "  one\n" + DigestOf(128) + "  kill-once\n" +
                              DigestOf(129) + "  past\n");
    EXPECT_EQ(result.err, "");
    EXPECT_EQ(result.status, 0);
    EXPECT_TRUE(fs::exists(folder_ / "killed-once"));
}

TEST_F(B2sum, ReportsAFileThatKillsItsWorkersAndPrintsTheOthers)
{
    WriteVectors();
    Write("kill-me", "x");
    for (const char *workers : {"1", "3"}) {
        const ProgramResult result =
            RunWithKillMe({"-j", workers, "one", "edge", "kill-me", "past", "empty"});
        EXPECT_EQ(result.out, DigestOf(1) + "  one\n" + DigestOf(128) + "  edge\n" + DigestOf(129) +
                                  "  past\n" + DigestOf(0) + "  empty\n");
        ASSERT_EQ(Lines(result.err).size(), 1u) << result.err;
        const std::string how = Lines(result.err).at(0);
        EXPECT_EQ(how.find("b2sum: kill-me: PoolWorker-"), 0u) << how;
        EXPECT_NE(how.find(kWindows ? "9" : "signal 9"), std::string::npos) << how;
        EXPECT_EQ(result.status, 1);
    }
}

TEST_F(B2sum, SurvivesTheDeathOfEveryWorker)
{
    Write("kill-me", "x");
    const ProgramResult result =
        RunWithKillMe({"-j", "4", "kill-me", "kill-me", "kill-me", "kill-me", "-"});
    EXPECT_EQ(result.out, DigestOf(0) + "  -\n");
    EXPECT_EQ(Lines(result.err).size(), 4u) << result.err;
    EXPECT_EQ(result.status, 1);
}

} // namespace
