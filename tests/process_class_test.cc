#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "fault.h"
#include "support/fault.h"
#include "support/methods.h"
#include "support/objects.h"
#include "support/process_list.h"

namespace {

OVER_METHODS(ProcessClass);

/* ---- a plain state ---- */

struct Greeter {
    int times;
    double pause;
};

int Greet(void *state, brood_call *call)
{
    const auto *self = static_cast<const Greeter *>(state);
    const char *whom = nullptr;
    const int rc = BROOD_UNPACK(call, &whom);
    std::string text;
    for (int i = 0; rc == 0 && i < self->times; i++) {
        text += std::string("hello ") + whom + ";";
    }
    return rc ? rc : brood_return(call, brood_str(text.c_str()));
}

brood_process_class GreeterClass()
{
    brood_process_class klass = {};
    klass.size = sizeof klass;
    klass.name = "Greeter";
    klass.state_size = sizeof(Greeter);
    klass.run = Greet;
    return klass;
}

Process StartClass(const brood_process_class &klass, const void *argument,
                   const brood_args *args = nullptr, const brood_process_options *options = nullptr)
{
    brood_process *raw = nullptr;
    const int rc = brood_process_start_class(&raw, &klass, argument, args, options);
    EXPECT_EQ(rc == 0, raw != nullptr);
    return Process(raw);
}

std::string TextOf(const Process &child)
{
    Message answer;
    const int rc = Result(child, &answer);
    return rc ? "error: " + LastWords() : brood_as_str(brood_message_value(answer.get()), "?");
}

TEST_P(ProcessClass, RunsWithACopyOfAPlainState)
{
    const brood_process_class klass = GreeterClass();
    const Greeter state = {3, 0.5};
    const Process child = StartClass(klass, &state, BROOD_ARGS("world"));
    ASSERT_TRUE(child) << LastWords();
    EXPECT_EQ("hello world;hello world;hello world;", TextOf(child));
}

TEST_P(ProcessClass, NamesItsProcesses)
{
    const brood_process_class klass = GreeterClass();
    const Greeter state = {1, 0};
    const Process child = StartClass(klass, &state, BROOD_ARGS("a"));
    const std::string name = brood_process_name(child.get());
    EXPECT_EQ(0u, name.find("Greeter-")) << name;
    brood_process_options options = BROOD_OPTIONS_INIT(process);
    options.name = "Bob";
    const Process bob = StartClass(klass, &state, BROOD_ARGS("b"), &options);
    EXPECT_STREQ("Bob", brood_process_name(bob.get()));
    EXPECT_EQ("hello a;", TextOf(child));
    EXPECT_EQ("hello b;", TextOf(bob));
}

TEST_P(ProcessClass, HasAZeroedAndAlignedStateWithoutAnArgument)
{
    brood_process_class klass = GreeterClass();
    klass.state_size = 100;
    klass.name = nullptr;
    klass.run = [](void *state, brood_call *call) {
        const auto *bytes = static_cast<const unsigned char *>(state);
        int64_t sum =
            static_cast<int64_t>(reinterpret_cast<uintptr_t>(state) % alignof(std::max_align_t));
        for (int i = 0; i < 100; i++) {
            sum += bytes[i];
        }
        return brood_return(call, brood_int(sum));
    };
    const Process child = StartClass(klass, nullptr);
    Message answer;
    ASSERT_EQ(0, Result(child, &answer)) << LastWords();
    EXPECT_EQ(0, brood_as_int(brood_message_value(answer.get()), -1));
    EXPECT_EQ(0u, std::string(brood_process_name(child.get())).find("Process-"));
}

TEST_P(ProcessClass, MayHaveNoState)
{
    brood_process_class klass = GreeterClass();
    klass.state_size = 0;
    klass.run = [](void *state, brood_call *call) {
        return brood_return(call, brood_bool(state != nullptr));
    };
    const Process child = StartClass(klass, nullptr);
    Message answer;
    ASSERT_EQ(0, Result(child, &answer)) << LastWords();
    EXPECT_TRUE(brood_as_bool(brood_message_value(answer.get()), false));
}

/* ---- a state with pointers, which has to be saved and loaded ---- */

struct Writer {
    char *text;
    brood_connection *connection;
    brood_connection *report; /* where finalize says that it ran */
};

int finalized_here;

int InitWriter(void *state, const void *argument)
{
    auto *self = static_cast<Writer *>(state);
    const auto *from = static_cast<const Writer *>(argument);
    self->text = strdup(from->text);
    self->connection = brood_connection_ref(from->connection);
    self->report = brood_connection_ref(from->report);
    return self->text != nullptr ? 0 : BROOD_ENOMEM;
}

int SaveWriter(const void *state, brood_message **out)
{
    const auto *self = static_cast<const Writer *>(state);
    return brood_message_new(out, BROOD_LIST(self->text, self->connection, self->report));
}

int LoadWriter(void *state, brood_value saved)
{
    auto *self = static_cast<Writer *>(state);
    const brood_value report = brood_value_at(saved, 2);
    self->text = strdup(brood_as_str(brood_value_at(saved, 0), ""));
    self->connection =
        brood_connection_ref(static_cast<brood_connection *>(brood_value_at(saved, 1).as.object));
    if (brood_value_kind(report) == BROOD_CONNECTION) {
        self->report = brood_connection_ref(static_cast<brood_connection *>(report.as.object));
    }
    return 0;
}

int RunWriter(void *state, brood_call *)
{
    const auto *self = static_cast<const Writer *>(state);
    return brood_send_bytes(self->connection, self->text, strlen(self->text), kSoon);
}

void FinalizeWriter(void *state)
{
    auto *self = static_cast<Writer *>(state);
    finalized_here++;
    if (self->report != nullptr && finalized_here == 1) {
        (void)!brood_send_bytes(self->report, "finalized", 9, kSoon);
    }
    free(self->text);
    brood_connection_free(self->connection);
    brood_connection_free(self->report);
}

brood_process_class WriterClass()
{
    brood_process_class klass = {};
    klass.size = sizeof klass;
    klass.name = "Writer";
    klass.state_size = sizeof(Writer);
    klass.init = InitWriter;
    klass.save = SaveWriter;
    klass.load = LoadWriter;
    klass.run = RunWriter;
    klass.finalize = FinalizeWriter;
    return klass;
}

TEST_P(ProcessClass, CarriesWhatItSavesAndFinalizesOnBothSides)
{
    char text[] = "from far away";
    auto [mine, theirs] = Pipe();
    auto [news, report] = Pipe();
    Writer argument = {text, theirs.get(), report.get()};
    const Process child = StartClass(WriterClass(), &argument);
    ASSERT_TRUE(child) << LastWords();
    EXPECT_EQ(1, finalized_here);
    EXPECT_EQ("finalized", ReceiveBytes(news)) << "here";
    EXPECT_EQ("from far away", ReceiveBytes(mine));
    EXPECT_EQ("finalized", ReceiveBytes(news)) << "there";
    EXPECT_EQ(0, Result(child)) << LastWords();
}

TEST_P(ProcessClass, FinalizesTheParentsStateWhenTheStartFails)
{
    char text[] = "";
    auto [mine, theirs] = Pipe();
    Writer argument = {text, theirs.get(), nullptr};
    EXPECT_FALSE(StartClass(WriterClass(), &argument, BROOD_ARGS(BROOD_NAMED("a", 1), 2)));
    EXPECT_EQ(BROOD_EARGS, brood_last_error()->error) << LastWords();
    EXPECT_EQ(1, finalized_here);
}

TEST_P(ProcessClass, LeavesNothingBehindWhenAnyStepFails)
{
    ForEachFault([] {
        char text[] = "hello";
        brood_process *raw = nullptr;
        brood_fault_pause(true);
        auto [mine, theirs] = Pipe();
        brood_process_class klass = WriterClass();
        Writer argument = {text, theirs.get(), nullptr};
        finalized_here = 0;
        brood_fault_pause(false);
        const int rc = brood_process_start_class(&raw, &klass, &argument, nullptr, nullptr);
        brood_fault_pause(true);
        EXPECT_EQ(rc == 0, raw != nullptr);
        EXPECT_TRUE(rc == 0 || brood_fault_fired()) << LastWords();
        if (rc == 0) {
            EXPECT_EQ(1, finalized_here);
            EXPECT_EQ("hello", ReceiveBytes(mine));
            EXPECT_EQ(0, Result(Process(raw))) << LastWords();
        }
        brood_fault_pause(false);
    });
}

/* ---- what the functions of a class return ---- */

TEST_P(ProcessClass, FailsToStartWithWhatInitReturned)
{
    brood_process_class klass = WriterClass();
    klass.init = [](void *, const void *) -> int { return BROOD_ERANGE; };
    EXPECT_FALSE(StartClass(klass, nullptr));
    EXPECT_EQ(BROOD_ERANGE, brood_last_error()->error);
    EXPECT_NE(std::string::npos, LastWords().find("init of class Writer")) << LastWords();
    klass.init = [](void *, const void *) { return 7; };
    EXPECT_FALSE(StartClass(klass, nullptr));
    EXPECT_EQ(BROOD_ETASK, brood_last_error()->error);
    EXPECT_EQ(7, brood_last_error()->code);
    EXPECT_EQ(0, finalized_here) << "there was no state to finalize";
}

TEST_P(ProcessClass, FailsToStartWithWhatSaveReturned)
{
    brood_process_class klass = WriterClass();
    klass.init = nullptr;
    klass.finalize = nullptr;
    klass.save = [](const void *, brood_message **) { return 9; };
    EXPECT_FALSE(StartClass(klass, nullptr));
    EXPECT_EQ(9, brood_last_error()->code);
    klass.save = [](const void *, brood_message **) { return 0; };
    EXPECT_FALSE(StartClass(klass, nullptr));
    EXPECT_EQ(BROOD_EINVAL, brood_last_error()->error);
    EXPECT_NE(std::string::npos, LastWords().find("made no message")) << LastWords();
}

TEST_P(ProcessClass, EndsTheChildWithWhatLoadOrRunReturned)
{
    brood_process_class klass = WriterClass();
    klass.init = nullptr;
    klass.finalize = nullptr;
    klass.save = [](const void *, brood_message **out) {
        return brood_message_new(out, brood_none());
    };
    klass.load = [](void *, brood_value) { return 11; };
    const Process load = StartClass(klass, nullptr);
    ASSERT_TRUE(load) << LastWords();
    EXPECT_EQ(BROOD_ETASK, Result(load));
    EXPECT_EQ(11, brood_last_error()->code);
    klass.load = [](void *, brood_value) { return 0; };
    klass.run = [](void *, brood_call *call) { return brood_raise(call, 12, "no ink"); };
    const Process run = StartClass(klass, nullptr);
    ASSERT_TRUE(run) << LastWords();
    EXPECT_EQ(BROOD_ETASK, Result(run));
    EXPECT_EQ(12, brood_last_error()->code);
    EXPECT_NE(std::string::npos, LastWords().find("no ink")) << LastWords();
}

TEST_P(ProcessClass, KeepsTheWordsOfAFailureThatFinalizeWouldHide)
{
    brood_process_class klass = GreeterClass();
    klass.run = [](void *, brood_call *) { return brood_poll(nullptr, 0); };
    klass.finalize = [](void *) { (void)!brood_set_start_method("thread", true); };
    testing::internal::CaptureStderr();
    const Process child = StartClass(klass, nullptr);
    ASSERT_TRUE(child) << LastWords();
    EXPECT_EQ(BROOD_EINVAL, Result(child));
    EXPECT_NE(std::string::npos, LastWords().find("the connection is NULL")) << LastWords();
    testing::internal::GetCapturedStderr();
}

TEST_P(ProcessClass, RefusesWhatMakesNoSense)
{
    const brood_process_class good = GreeterClass();
    brood_process *raw = nullptr;
    EXPECT_EQ(BROOD_EINVAL, brood_process_start_class(&raw, nullptr, nullptr, nullptr, nullptr));
    EXPECT_EQ(BROOD_EINVAL, brood_process_start_class(nullptr, &good, nullptr, nullptr, nullptr));
    brood_process_class klass = good;
    klass.size = 0;
    EXPECT_FALSE(StartClass(klass, nullptr));
    EXPECT_EQ(BROOD_EINVAL, brood_last_error()->error);
    EXPECT_NE(std::string::npos, LastWords().find("brood_process_class")) << LastWords();
    klass = good;
    klass.run = nullptr;
    EXPECT_FALSE(StartClass(klass, nullptr));
    EXPECT_NE(std::string::npos, LastWords().find("class Greeter has no run")) << LastWords();
    klass = WriterClass();
    klass.load = nullptr;
    EXPECT_FALSE(StartClass(klass, nullptr));
    EXPECT_NE(std::string::npos, LastWords().find("both or none")) << LastWords();
    const std::string long_name(201, 'n');
    for (const char *name : {"", long_name.c_str()}) {
        klass = good;
        klass.name = name;
        EXPECT_FALSE(StartClass(klass, nullptr));
        EXPECT_EQ(BROOD_EINVAL, brood_last_error()->error);
    }
    klass = good;
    klass.state_size = SIZE_MAX / 2;
    EXPECT_FALSE(StartClass(klass, nullptr));
    EXPECT_EQ(BROOD_ENOMEM, brood_last_error()->error) << LastWords();
}

} // namespace
