/* Functions of shared libraries and of programs of every make, each really run in a child. */
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "config.h"
#include "support/library.h"
#include "support/objects.h"
#include "support/process_list.h"
#include "support/run_program.h"

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace fs = std::filesystem;

namespace {

/* The numbers of tests/CMakeLists.txt. */
constexpr int kBuild = 11;
constexpr int kOtherBuild = 12;
constexpr int kBareBuild = 13;
constexpr int kOtherBareBuild = 14;

/* A folder of one test, under which files are replaced and removed. */
class Folder {
  public:
    explicit Folder(const std::string &name = "modules")
        : path_(fs::u8path(TemporaryFile("") + name))
    {
        fs::create_directories(path_);
    }
    Folder(const Folder &) = delete;
    Folder &operator=(const Folder &) = delete;
    ~Folder()
    {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    fs::path operator/(const std::string &name) const
    {
        return path_ / fs::u8path(name);
    }

  private:
    fs::path path_;
};

std::string Copy(const std::string &from, const fs::path &to)
{
    fs::copy_file(from, to, fs::copy_options::overwrite_existing);
    return to.u8string();
}

/* Puts another file into the place of one that is in use. */
void Replace(const fs::path &file, const std::string &by)
{
#if defined(_WIN32)
    fs::rename(file, fs::u8path(TemporaryFile("old"))); /* what is in use cannot be removed */
#else
    fs::remove(file);
#endif
    fs::copy_file(by, file);
}

/* What the function gives in a child: its code, or the words of why it did not run. */
std::string RunInChild(brood_function function)
{
    const Process child = Start(function);
    if (!child) {
        return "start: " + LastWords();
    }
    const int rc = Result(child);
    if (rc == BROOD_ETASK) {
        return std::to_string(brood_last_error()->code);
    }
    return (rc == BROOD_EMODULE ? "child: " : "? ") + LastWords();
}

std::string Number(int build)
{
    return std::to_string(build);
}

bool Has(const std::string &text, const std::string &part)
{
    return text.find(part) != std::string::npos;
}

/* ---- libraries of every make ---- */

struct Make {
    const char *path;
    int build;
};

class LoadedLibrary : public testing::TestWithParam<Make> {};

TEST_P(LoadedLibrary, LendsItsFunctionsToChildren)
{
    const Library library(GetParam().path);
    ASSERT_EQ("", library.Words());
    EXPECT_EQ(Number(GetParam().build), RunInChild(library.Static()));
    EXPECT_EQ(Number(GetParam().build), RunInChild(library.Public()));
}

INSTANTIATE_TEST_SUITE_P(OfEveryMake, LoadedLibrary,
                         testing::Values(Make{BROOD_LIBRARY, kBuild},
                                         Make{BROOD_BARE_LIBRARY, kBareBuild}),
                         [](const auto &given) {
                             return given.param.build == kBuild ? "WithId" : "WithoutId";
                         });

TEST(LibraryFunction, TravelsAsAnArgument)
{
    const Library library(BROOD_LIBRARY);
    ASSERT_EQ("", library.Words());
    const auto call = [](brood_call *given) {
        brood_function function = nullptr;
        const int rc = BROOD_UNPACK(given, &function);
        return rc == 0 ? function(given) : rc;
    };
    const Process child = Start(call, BROOD_ARGS(library.Static()));
    ASSERT_TRUE(child) << LastWords();
    EXPECT_EQ(BROOD_ETASK, Result(child));
    EXPECT_EQ(kBuild, brood_last_error()->code);
}

TEST(LibraryFunction, OfOneOfSeveralBuildsIsTheRightOne)
{
    const Library first(BROOD_LIBRARY);
    const Library second(BROOD_OTHER_LIBRARY);
    const Library third(BROOD_BARE_LIBRARY);
    const Library fourth(BROOD_OTHER_BARE_LIBRARY);
    const Library *const all[] = {&first, &second, &third, &fourth};
    const int builds[] = {kBuild, kOtherBuild, kBareBuild, kOtherBareBuild};
    for (size_t i = 0; i < 4; i++) {
        EXPECT_EQ(Number(builds[i]), RunInChild(all[i]->Static()));
    }
}

TEST(LibraryFunction, OfACopyRuns)
{
    const Folder folder;
    const Library first(BROOD_LIBRARY);
    const Library second(Copy(BROOD_LIBRARY, folder / "copy.so"));
    ASSERT_EQ("", second.Words());
    EXPECT_NE(first.Static(), second.Static());
    EXPECT_EQ(Number(kBuild), RunInChild(first.Static()));
    EXPECT_EQ(Number(kBuild), RunInChild(second.Static()));
}

TEST(LibraryFunction, TravelsFromStrangePaths)
{
    std::string deep;
    for (int i = 0; i < 12; i++) {
        deep += "deep folder number " + std::to_string(i) + "/";
    }
    const std::vector<std::string> names = {
        "a name with spaces.so", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa3.so", deep + "library.so"};
    const Folder folder;
    for (const std::string &name : names) {
        const fs::path path = folder / name;
        SCOPED_TRACE(name);
        fs::create_directories(path.parent_path());
        const Library library(Copy(BROOD_LIBRARY, path));
        ASSERT_EQ("", library.Words());
        EXPECT_EQ(Number(kBuild), RunInChild(library.Static()));
    }
}

#if !defined(_WIN32)
TEST(LibraryFunction, TravelsFromPathsThatAreHardToWrite)
{
    const Folder folder;
    for (const std::string name :
         {"a\xff.so", "two\nlines.so", "back\\012slash.so", "it is (deleted)"}) {
        const Library library(Copy(BROOD_LIBRARY, folder / name));
        ASSERT_EQ("", library.Words());
        EXPECT_EQ(Number(kBuild), RunInChild(library.Static())) << name;
    }
}

TEST(LibraryFunction, TravelsFromALongPath)
{
    const Folder folder;
    fs::path path = folder / "x";
    for (int i = 0; i < 15; i++) {
        path /= std::string(200, 'd');
    }
    fs::create_directories(path);
    const Library library(Copy(BROOD_LIBRARY, path / "library.so"));
    ASSERT_EQ("", library.Words());
    EXPECT_EQ(Number(kBuild), RunInChild(library.Static()));
    fs::remove(path / "library.so");
    EXPECT_TRUE(Has(RunInChild(library.Static()), "cannot be loaded: open it: No such file"))
        << LastWords();
}

TEST(LibraryFunction, OfALibraryInTheFolderThatWasLeftTravels)
{
#if !defined(BROOD_HAVE_PROC_MAPS)
    GTEST_SKIP() << "without /proc/self/maps nothing knows the folder a library came from";
#endif
    const Folder folder;
    Copy(BROOD_LIBRARY, folder / "library.so");
    const fs::path before = fs::current_path();
    fs::current_path(folder / ".");
    const Library library("./library.so");
    fs::current_path(before);
    ASSERT_EQ("", library.Words());
    EXPECT_EQ(Number(kBuild), RunInChild(library.Static()));
}
#endif

#if defined(__linux__)
TEST(LibraryFunction, OfALibraryWithoutAFileIsRefused)
{
    const int fd = memfd_create("plugin", MFD_CLOEXEC);
    ASSERT_LE(0, fd);
    const std::string bytes = ReadFile(BROOD_LIBRARY);
    ASSERT_EQ(static_cast<ssize_t>(bytes.size()), write(fd, bytes.data(), bytes.size()));
    {
        const Library library("/proc/self/fd/" + std::to_string(fd));
        ASSERT_EQ("", library.Words());
        const std::string words = RunInChild(library.Static());
        EXPECT_TRUE(Has(words, "child: ")) << words;
        EXPECT_TRUE(Has(words, "has no file") || Has(words, "cannot be loaded")) << words;
    }
    close(fd);
}
#endif

/* ---- what goes wrong with files ---- */

class ChangedLibrary : public testing::TestWithParam<const char *> {
  protected:
    void SetUp() override
    {
        SetEnvironment("LIBRARY_TRACE", trace_);
    }
    void TearDown() override
    {
        SetEnvironment("LIBRARY_TRACE", "");
        fs::remove(fs::u8path(trace_));
    }

    const std::string trace_ = TemporaryFile("trace");
    const Folder folder_;
    const fs::path file_ = folder_ / "plugin.so";
};

TEST_P(ChangedLibrary, IsNotRunWhereAnotherBuildTookItsPlace)
{
    const Library library(Copy(GetParam(), file_));
    ASSERT_EQ("", library.Words());
    Replace(file_, BROOD_OTHER_LIBRARY);
    const std::string words = RunInChild(library.Static());
    EXPECT_TRUE(Has(words, "replaced")) << words;
    EXPECT_FALSE(Has(ReadFile(trace_), Number(kOtherBuild))) << "its constructors ran";
}

TEST_P(ChangedLibrary, RunsAgainOnceItIsBack)
{
    const Library library(Copy(GetParam(), file_));
    ASSERT_EQ("", library.Words());
    const std::string before = RunInChild(library.Static());
    Replace(file_, BROOD_OTHER_BARE_LIBRARY);
    const std::string words = RunInChild(library.Static());
    EXPECT_TRUE(Has(words, "replaced")) << words;
    Replace(file_, GetParam());
    EXPECT_EQ(before, RunInChild(library.Static()));
}

TEST_P(ChangedLibrary, ThatIsGoneIsSaidToBe)
{
    const Library library(Copy(GetParam(), file_));
    ASSERT_EQ("", library.Words());
    fs::create_directories(folder_ / "elsewhere");
    fs::rename(file_, folder_ / "elsewhere" / "renamed.so");
    std::string words = RunInChild(library.Static());
#if defined(BROOD_HAVE_PROC_MAPS)
    EXPECT_EQ(GetParam() == std::string(BROOD_LIBRARY) ? Number(kBuild) : Number(kBareBuild), words)
        << "a renamed file is found";
    fs::remove(folder_ / "elsewhere" / "renamed.so");
    words = RunInChild(library.Static());
#endif
    EXPECT_TRUE(Has(words, ".so, which has the function, cannot be loaded: ") ||
                Has(words, "find the file of a module") || Has(words, "open the file of a module"))
        << words;
}

INSTANTIATE_TEST_SUITE_P(OfEveryMake, ChangedLibrary,
                         testing::Values(BROOD_LIBRARY, BROOD_BARE_LIBRARY), [](const auto &given) {
                             return given.param == std::string(BROOD_LIBRARY) ? "WithId"
                                                                              : "WithoutId";
                         });

/* Two libraries with the same id, which nothing but a mistake makes. */
TEST(ForgedLibrary, WithoutTheOffsetIsRefused)
{
    struct {
        const char *path;
        const char *why;
    } const forgeries[] = {{BROOD_SMALL_LIBRARY, "beyond the module"},
                           {BROOD_DATA_LIBRARY, "in its data"}};
    for (const auto &forgery : forgeries) {
        const Folder folder;
        const fs::path file = folder / "plugin.so";
        const Library library(Copy(BROOD_LARGE_LIBRARY, file));
        ASSERT_EQ("", library.Words());
        Replace(file, forgery.path);
        const std::string words = RunInChild(library.Static());
        EXPECT_TRUE(Has(words, "child: ") && Has(words, "there is no function at offset 0x"))
            << words << ": " << forgery.why;
    }
}

#if defined(BROOD_MOVED_LIBRARY)
TEST(MovedLibrary, IsToldToGetAnId)
{
    const Library library(BROOD_MOVED_LIBRARY);
    ASSERT_EQ("", library.Words());
    const std::string words = RunInChild(library.Static());
    EXPECT_TRUE(Has(words, "start: ") && Has(words, "link it with -Wl,--build-id")) << words;
}
#endif

/* ---- what is no function ---- */

TEST(NoFunction, IsRefusedByTheParentInWords)
{
    static int data;
    const Library library(BROOD_LIBRARY);
    auto *heap = new int(0);
    const struct {
        const void *address;
        const char *words;
    } cases[] = {{&data, "is in no code: it lies in data of "},
                 {library.Data(), "is in no code: it lies in data of "},
                 {heap, "is in no program or library"},
                 {&heap, "is in no program or library"},
                 {reinterpret_cast<void *>(16), "is in no program or library"}};
    for (const auto &one : cases) {
        brood_process *process = nullptr;
        EXPECT_EQ(BROOD_EMODULE,
                  brood_process_start(&process, FunctionAt(one.address), nullptr, nullptr));
        EXPECT_TRUE(Has(LastWords(), one.words)) << LastWords();
        EXPECT_EQ(nullptr, process);
    }
    delete heap;
}

TEST(NoFunction, IsWhatAnUnloadedLibraryHad)
{
    auto library = std::make_unique<Library>(BROOD_LIBRARY);
    const brood_function function = library->Static();
    EXPECT_EQ(Number(kBuild), RunInChild(function));
    library.reset();
    const std::string words = RunInChild(function);
    EXPECT_TRUE(Has(words, "start: ") && Has(words, "is in no program or library")) << words;
}

/* ---- programs of every make ---- */

#if defined(_WIN32)
constexpr int kRuns = 1;
const char *const kMakes[] = {"pie", "pie_bare", "nopie", "linked"};
#else
constexpr int kRuns = 8; /* to see that the places of functions change */
const char *const kMakes[] = {"pie",         "pie_bare",   "nopie",  "nopie_bare",   "static",
                              "static_bare", "static_pie", "linked", "linked_nopie", "linked_bare"};
#endif

class ModuleProgram : public testing::TestWithParam<const char *> {};

TEST_P(ModuleProgram, RunsItsFunctionsInChildren)
{
    const std::string folder = BROOD_MODULE_PROGRAMS;
    const std::string name = GetParam();
    std::string path = folder + "/module_" + name;
#if defined(_WIN32)
    path += ".exe";
#endif
    if (!fs::exists(path)) {
        GTEST_SKIP() << "this tool chain does not make such programs";
    }
    std::set<std::string> places;
    for (int i = 0; i < kRuns; i++) {
        ProgramRun run;
        run.arguments = {path};
        const ProgramResult result = RunProgram(run);
        ASSERT_EQ(0, result.status) << result.err;
        const size_t space = result.out.find(' ');
        ASSERT_NE(std::string::npos, space) << result.out;
        places.insert(result.out.substr(0, space));
        places.insert(result.out.substr(space + 1, result.out.find_first_of("\r\n") - space - 1));
        EXPECT_EQ(Has(name, "linked"), Has(result.out, "library " + Number(kBuild))) << result.out;
    }
#if defined(__linux__) && !defined(__SANITIZE_THREAD__)
    if (ReadFile("/proc/sys/kernel/randomize_va_space") != "0\n") {
        const bool fixed = Has(name, "nopie") || (Has(name, "static") && name != "static_pie");
        EXPECT_EQ(fixed, places.size() == 1) << "places of one function in many processes";
    }
#endif
}

INSTANTIATE_TEST_SUITE_P(OfEveryMake, ModuleProgram, testing::ValuesIn(kMakes),
                         [](const auto &given) { return std::string(given.param); });

} // namespace
