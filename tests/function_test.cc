/* References to functions, and the names that functions are exported with. Functions of libraries
 * and of other programs: module_test.cc. */
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/fault.h"
#include "support/library.h"
#include "support/objects.h"
#include "support/process_list.h"

extern "C" {
#include "arena.h"
#include "fault.h"
#include "function.h"
}

namespace {

enum Field {
    kKind,
    kIdentity,
    kOffset,
    kInProgram,
    kPath,
    kName,
    kFields
};

int Nothing(brood_call *)
{
    return 0;
}

int Something(brood_call *)
{
    return 1;
}

/* A reference whose fields a test may change. */
class Reference {
  public:
    explicit Reference(brood_function function)
    {
        brood_value id;
        EXPECT_EQ(0, brood_function_save(&arena_, function, &id)) << LastWords();
        EXPECT_EQ(static_cast<size_t>(kFields), brood_value_count(id));
        for (size_t i = 0; i < kFields; i++) {
            field[i] = brood_value_at(id, i);
        }
    }
    Reference(const Reference &) = delete;
    Reference &operator=(const Reference &) = delete;
    ~Reference()
    {
        brood_arena_release(&arena_);
    }
    int Load(brood_function *function, bool may_load = true) const
    {
        return brood_function_load(brood_tuple(field, kFields), may_load, function);
    }
    std::string Text(Field which) const
    {
        const brood_view view = brood_as_view(field[which]);
        return std::string(static_cast<const char *>(view.data), view.size);
    }

    brood_value field[kFields];

  private:
    brood_arena arena_ = {};
};

bool Has(const std::string &text, const std::string &part)
{
    return text.find(part) != std::string::npos;
}

/* ---- the program's own ---- */

TEST(FunctionReference, FindsTheFunctionAgain)
{
    const Reference reference(Nothing);
    for (const bool may_load : {true, false}) {
        brood_function function = nullptr;
        ASSERT_EQ(0, reference.Load(&function, may_load)) << LastWords();
        EXPECT_EQ(Nothing, function);
    }
}

TEST(FunctionReference, OfAnotherBuildIsRefused)
{
    Reference reference(Nothing);
    std::string other = reference.Text(kIdentity);
    brood_function function = nullptr;
    ASSERT_GE(other.size(), 16u);
    other[0] = static_cast<char>(other[0] ^ 1);
    for (const size_t size : {other.size(), other.size() - 1, size_t{0}}) {
        reference.field[kIdentity] = brood_bytes(other.data(), size);
        EXPECT_EQ(BROOD_EMODULE, reference.Load(&function));
        EXPECT_TRUE(Has(LastWords(), "was replaced meanwhile")) << LastWords();
    }
    EXPECT_EQ(nullptr, function);
}

TEST(FunctionReference, OfAnotherProgramIsSaidToBe)
{
    Reference reference(Nothing);
    brood_function function = nullptr;
    reference.field[kIdentity] = brood_str("another id");
    reference.field[kPath] = brood_str("/usr/bin/another\nprogram");
    EXPECT_EQ(BROOD_EMODULE, reference.Load(&function));
    EXPECT_TRUE(Has(LastWords(), "is in the program /usr/bin/another?program itself, and this "
                                 "process runs "))
        << LastWords();
    EXPECT_TRUE(Has(LastWords(), "brood_tests")) << LastWords();
}

TEST(FunctionReference, OutsideTheCodeIsRefused)
{
    Reference reference(Nothing);
    brood_function function = nullptr;
    for (const uint64_t offset : {uint64_t{0}, uint64_t{1} << 40, UINT64_MAX}) {
        reference.field[kOffset] = brood_uint(offset);
        EXPECT_EQ(BROOD_EMODULE, reference.Load(&function)) << offset;
        EXPECT_TRUE(Has(LastWords(), "there is no function at offset 0x")) << LastWords();
    }
    reference.field[kOffset] = brood_str("far");
    EXPECT_EQ(BROOD_EMODULE, reference.Load(&function));
    EXPECT_EQ(nullptr, function);
}

TEST(FunctionReference, OfWrongShapeIsRefused)
{
    brood_function function = nullptr;
    for (size_t count = 0; count < kFields; count++) {
        Reference reference(Nothing);
        reference.field[count] = brood_list(nullptr, 0);
        const int rc = brood_function_load(brood_tuple(reference.field, count), true, &function);
        EXPECT_EQ(count > kOffset ? 0 : BROOD_EMODULE, rc) << count;
    }
    EXPECT_EQ(BROOD_EMODULE, brood_function_load(brood_int(1), true, &function));
}

/* ---- libraries ---- */

TEST(FunctionReference, OfALibraryIsFoundInTheOneThatIsLoaded)
{
    const Library library(BROOD_LIBRARY);
    ASSERT_EQ("", library.Words());
    Reference reference(library.Static());
    reference.field[kPath] = brood_str("/nowhere/renamed.so");
    brood_function function = nullptr;
    ASSERT_EQ(0, reference.Load(&function, false)) << LastWords();
    EXPECT_EQ(library.Static(), function);
}

TEST(FunctionReference, OfOneOfTwoCopiesIsFoundByItsPath)
{
    const std::string path = TemporaryFile("copy.so");
    std::filesystem::copy_file(BROOD_LIBRARY, path);
    {
        const Library first(BROOD_LIBRARY);
        const Library second(path);
        for (const Library *library : {&first, &second}) {
            brood_function function = nullptr;
            ASSERT_EQ(0, Reference(library->Static()).Load(&function, false)) << LastWords();
            EXPECT_EQ(library->Static(), function);
        }
    }
    std::filesystem::remove(path);
}

class UnloadedLibrary : public testing::TestWithParam<const char *> {};

TEST_P(UnloadedLibrary, IsLoadedOnlyForWhoMayHaveItLoaded)
{
    auto library = std::make_unique<Library>(GetParam());
    ASSERT_EQ("", library->Words());
    const Reference reference(library->Static());
    library.reset();
    brood_function function = nullptr;
    EXPECT_EQ(BROOD_EMODULE, reference.Load(&function, false));
    EXPECT_TRUE(Has(LastWords(), "is not loaded here")) << LastWords();
    EXPECT_EQ(nullptr, function);
    ASSERT_EQ(0, reference.Load(&function, true)) << LastWords();
    EXPECT_LT(10, function(nullptr));
    brood_function again = nullptr;
    EXPECT_EQ(0, reference.Load(&again, false)) << LastWords();
    EXPECT_EQ(function, again);
}

INSTANTIATE_TEST_SUITE_P(OfEveryMake, UnloadedLibrary,
                         testing::Values(BROOD_LIBRARY, BROOD_BARE_LIBRARY));

TEST(FunctionReference, OfWhatIsNoLibraryIsRefused)
{
    const Library library(BROOD_LIBRARY);
    Reference reference(library.Static());
    brood_function function = nullptr;
    reference.field[kIdentity] = brood_str("an id that nothing here has");
    const std::string text = TemporaryFile("text");
    std::ofstream(text) << "no library";
    const std::string folder = std::filesystem::temp_directory_path().string();
    for (const std::string &path :
         {text, folder, std::string("relative.so"), std::string("../relative.so"), std::string(),
          std::string("/a\0b", 4), std::string(9000, 'x'), text + "/x"}) {
        reference.field[kPath] = brood_bytes(path.data(), path.size());
        EXPECT_EQ(BROOD_EMODULE, reference.Load(&function)) << path;
        EXPECT_TRUE(Has(LastWords(), "cannot be loaded: ") || Has(LastWords(), "has no file"))
            << LastWords();
    }
    std::filesystem::remove(text);
    EXPECT_EQ(nullptr, function);
}

/* A message may have thousands of references to what is not here, and code is large. */
TEST(FunctionReference, IsLookedForWithoutHashingTheSameCodeAgain)
{
    const Library bare(BROOD_BARE_LIBRARY);
    Reference reference(bare.Static());
    const std::string unknown(32, 'x'); /* as long as a hash */
    brood_function function = nullptr;
    reference.field[kPath] = brood_str("/nowhere/library.so");
    reference.field[kIdentity] = brood_bytes(unknown.data(), 20);
    EXPECT_EQ(BROOD_EMODULE, reference.Load(&function, false));
    { /* what was learned is forgotten */
        const Library changes(BROOD_OTHER_LIBRARY);
    }
    long points[2] = {};
    reference.field[kIdentity] = brood_bytes(unknown.data(), unknown.size());
    for (long &passed : points) {
        brood_fault_arm(0, BROOD_FAULT_OFF);
        EXPECT_EQ(BROOD_EMODULE, reference.Load(&function, false));
        passed = brood_fault_count();
    }
    EXPECT_LT(points[1], points[0]) << "nothing was kept";
}

TEST(FunctionReference, LeavesNothingWhenAnyStepFails)
{
    const Library library(BROOD_LIBRARY);
    const Library bare(BROOD_BARE_LIBRARY);
    for (const Library *one : {&library, &bare}) {
        ForEachFault([&] {
            brood_arena arena = {};
            brood_value id = brood_none();
            brood_function function = nullptr;
            brood_fault_pause(true);
            { /* what was learned before is forgotten */
                const Library changes(BROOD_OTHER_LIBRARY);
            }
            brood_fault_pause(false);
            int rc = brood_function_save(&arena, one->Static(), &id);
            if (rc == 0) {
                rc = brood_function_load(id, true, &function);
            }
            EXPECT_EQ(rc == 0, function != nullptr);
            if (!brood_fault_fired()) {
                EXPECT_EQ(0, rc) << LastWords();
            }
            brood_arena_release(&arena);
        });
    }
}

TEST(FunctionReference, IsMadeByManyThreadsWhileLibrariesComeAndGo)
{
    std::vector<std::thread> threads;
    std::atomic<bool> over{false};
    std::atomic<int> wrong{0};
    const Library library(BROOD_LIBRARY);
    for (int i = 0; i < 3; i++) {
        threads.emplace_back([&] {
            while (!over) {
                brood_function function = nullptr;
                wrong += Reference(library.Static()).Load(&function, false) != 0 ||
                         function != library.Static();
                wrong += Reference(Nothing).Load(&function, false) != 0 || function != Nothing;
            }
        });
    }
    for (long i = 0; i < Scaled(500); i++) {
        const Library other(BROOD_OTHER_BARE_LIBRARY);
        brood_function function = nullptr;
        EXPECT_EQ(0, Reference(other.Static()).Load(&function, false)) << LastWords();
        EXPECT_EQ(other.Static(), function);
    }
    over = true;
    for (std::thread &thread : threads) {
        thread.join();
    }
    EXPECT_EQ(0, wrong);
}

/* ---- names ---- */

TEST(Export, GivesAFunctionAName)
{
    brood_function function = nullptr;
    EXPECT_EQ(BROOD_ENOENT, brood_function_named(&function, "nothing"));
    EXPECT_EQ("no function is exported as \"nothing\"", LastWords());
    EXPECT_EQ(0, brood_export("nothing", Nothing));
    EXPECT_EQ(0, brood_export("n\xc3\xa4mlich nichts", Nothing)) << "a second name";
    EXPECT_EQ(0, brood_function_named(&function, "nothing"));
    EXPECT_EQ(Nothing, function);
    function = nullptr;
    EXPECT_EQ(0, brood_function_named(&function, "n\xc3\xa4mlich nichts"));
    EXPECT_EQ(Nothing, function);
}

TEST(Export, TakesTheSameTwiceAndNoOther)
{
    brood_function function = nullptr;
    EXPECT_EQ(0, brood_export("one", Nothing));
    EXPECT_EQ(0, brood_export("one", Nothing));
    EXPECT_EQ(BROOD_EEXIST, brood_export("one", Something));
    EXPECT_EQ("another function is exported as \"one\" already", LastWords());
    EXPECT_EQ(0, brood_function_named(&function, "one"));
    EXPECT_EQ(Nothing, function);
}

TEST(Export, TakesNamesOfOneTo255BytesOfUtf8)
{
    brood_function function = Something;
    EXPECT_EQ(0, brood_export(std::string(255, 'n').c_str(), Nothing));
    for (const std::string &name : {std::string(), std::string(256, 'n'), std::string("a\xff")}) {
        EXPECT_EQ(BROOD_EINVAL, brood_export(name.c_str(), Nothing)) << name;
        EXPECT_EQ(BROOD_EINVAL, brood_function_named(&function, name.c_str())) << name;
    }
    EXPECT_EQ(BROOD_EINVAL, brood_export(nullptr, Nothing));
    EXPECT_EQ(BROOD_EINVAL, brood_export("null", nullptr));
    EXPECT_EQ(BROOD_EINVAL, brood_function_named(nullptr, "one"));
    EXPECT_EQ(BROOD_EINVAL, brood_function_named(&function, nullptr));
    EXPECT_EQ(Something, function);
}

TEST(Export, FailsWithoutMemoryAndCanBeTriedAgain)
{
    brood_fault_arm(0, BROOD_FAULT_ONCE);
    EXPECT_EQ(BROOD_ENOMEM, brood_export("late", Nothing));
    brood_fault_arm(0, BROOD_FAULT_OFF);
    brood_function function = nullptr;
    EXPECT_EQ(BROOD_ENOENT, brood_function_named(&function, "late"));
    EXPECT_EQ(0, brood_export("late", Nothing));
}

TEST(Export, FromManyThreadsKeepsOneOfEach)
{
    std::vector<std::thread> threads;
    std::atomic<int> added{0};
    for (int i = 0; i < 4; i++) {
        threads.emplace_back([&added, i] {
            for (int n = 0; n < 200; n++) {
                const brood_function function = i % 2 == 0 ? Nothing : Something;
                added += brood_export(std::to_string(n).c_str(), function) == 0;
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    EXPECT_EQ(400, added) << "each name was given to one function, by its two threads";
}

/* ---- by name, to another program ---- */

TEST(ExportedReference, IsThePlaceAsLongAsTheModuleIsTheSame)
{
    ASSERT_EQ(0, brood_export("same", Nothing));
    Reference reference(Nothing);
    EXPECT_EQ("same", reference.Text(kName));
    ASSERT_EQ(0, brood_export("another", Something));
    reference.field[kName] = brood_str("another");
    brood_function function = nullptr;
    ASSERT_EQ(0, reference.Load(&function));
    EXPECT_EQ(Nothing, function);
}

TEST(ExportedReference, IsTheNameInAnotherProgram)
{
    ASSERT_EQ(0, brood_export("by name", Nothing));
    Reference reference(Nothing);
    reference.field[kIdentity] = brood_str("another program");
    brood_function function = nullptr;
    for (const bool may_load : {true, false}) {
        function = nullptr;
        ASSERT_EQ(0, reference.Load(&function, may_load)) << LastWords();
        EXPECT_EQ(Nothing, function);
    }
    reference.field[kName] = brood_str("unknown");
    EXPECT_EQ(BROOD_EMODULE, reference.Load(&function));
}

TEST(ExportedReference, MayBeNothingButAName)
{
    ASSERT_EQ(0, brood_export("only a name", Nothing));
    brood_value fields[] = {brood_str("export"), brood_str("only a name")};
    brood_function function = nullptr;
    ASSERT_EQ(0, brood_function_load(brood_tuple(fields, 2), false, &function)) << LastWords();
    EXPECT_EQ(Nothing, function);
    for (const brood_value &name : {brood_str("no\nname"), brood_none(), brood_int(5)}) {
        fields[1] = name;
        EXPECT_EQ(BROOD_ENOENT, brood_function_load(brood_tuple(fields, 2), false, &function));
    }
    EXPECT_EQ(BROOD_ENOENT, brood_function_load(brood_tuple(fields, 1), false, &function));
    fields[1] = brood_str("no\nname");
    EXPECT_EQ(BROOD_ENOENT, brood_function_load(brood_tuple(fields, 2), false, &function));
    EXPECT_EQ("no function is exported here as \"no?name\"", LastWords());
}

} // namespace
