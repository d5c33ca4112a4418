/* Native handles and processes as values: who owns what. */
#include <gtest/gtest.h>

#include <utility>

#include "fault.h"
#include "support/fault.h"
#include "support/native.h"
#include "support/objects.h"
#include "support/receive.h"
#include "support/values.h"

namespace {

TEST(HandleValue, IsReadWithItsAccessor)
{
    const NativePipe pipe;
    const brood_value value = brood_handle_value(pipe.in.get());
    EXPECT_EQ(BROOD_HANDLE, brood_value_kind(value));
    EXPECT_EQ(pipe.in.get(), brood_as_handle(value));
    EXPECT_EQ("<handle>", Shown(value));
    EXPECT_EQ(BROOD_NONE, brood_value_kind(brood_handle_value(BROOD_NO_HANDLE)));
    EXPECT_EQ(BROOD_NO_HANDLE, brood_as_handle(brood_int(3)));
    EXPECT_EQ(7, brood_as_int(value, 7));
}

TEST(HandleValue, IsEqualToTheSameHandleOnly)
{
    const NativePipe pipe;
    const brood_value in = brood_handle_value(pipe.in.get());
    const Message message = Copy(in);
    const Message again = Copy(brood_message_value(message.get()));
    EXPECT_TRUE(brood_value_equal(in, in));
    EXPECT_FALSE(brood_value_equal(in, brood_handle_value(pipe.out.get())));
    EXPECT_FALSE(brood_value_equal(in, brood_int(pipe.in.get())));
    EXPECT_FALSE(brood_value_equal(in, brood_message_value(message.get())));
    EXPECT_TRUE(
        brood_value_equal(brood_message_value(message.get()), brood_message_value(again.get())));
}

TEST(HandleValue, UnpacksIntoAValue)
{
    const NativePipe pipe;
    const Message message = Copy(BROOD_LIST(brood_handle_value(pipe.in.get()), 1));
    brood_value handle = brood_none();
    int one = 0;
    ASSERT_EQ(0, BROOD_UNPACK(message.get(), &handle, &one)) << LastWords();
    EXPECT_TRUE(NativeWrite(brood_as_handle(handle), "x"));
    EXPECT_EQ("x", NativeRead(pipe.out.get()));
    intptr_t number = 0;
    EXPECT_EQ(BROOD_ETYPE, BROOD_UNPACK(message.get(), &number, &one));
    EXPECT_EQ("value 1 takes an int, got handle", LastWords());
}

TEST(HandleInMessage, IsADuplicateThatEndsWithIt)
{
    NativePipe pipe;
    Message message = Copy(BROOD_LIST(brood_handle_value(pipe.in.get())));
    ASSERT_TRUE(message) << LastWords();
    pipe.in.Close();
    const brood_handle inside =
        brood_as_handle(brood_value_at(brood_message_value(message.get()), 0));
    EXPECT_FALSE(NativeIsInherited(inside));
    EXPECT_TRUE(NativeWrite(inside, "still open"));
    EXPECT_EQ("still open", NativeRead(pipe.out.get()));
    message.reset();
    EXPECT_EQ("", NativeRead(pipe.out.get())); /* nobody writes any more */
}

TEST(HandleInMessage, IsSharedByCopiesAndEndsWithTheLast)
{
    NativePipe pipe;
    Message message = Copy(brood_handle_value(pipe.in.get()));
    pipe.in.Close();
    Message copy =
        Copy(BROOD_LIST(brood_message_value(message.get()), brood_message_value(message.get())));
    message.reset();
    brood_value first = brood_none();
    brood_value second = brood_none();
    ASSERT_EQ(0, BROOD_UNPACK(copy.get(), &first, &second));
    EXPECT_TRUE(brood_value_equal(first, second));
    EXPECT_TRUE(NativeWrite(brood_as_handle(second), "x"));
    EXPECT_EQ("x", NativeRead(pipe.out.get()));
    copy.reset();
    EXPECT_EQ("", NativeRead(pipe.out.get()));
}

TEST(HandleInMessage, IsKeptByADuplicate)
{
    NativePipe pipe;
    Message message = Copy(brood_handle_value(pipe.in.get()));
    pipe.in.Close();
    brood_handle kept = BROOD_NO_HANDLE;
    ASSERT_EQ(0, brood_handle_duplicate(&kept, HandleIn(message))) << LastWords();
    message.reset();
    EXPECT_FALSE(NativeIsInherited(kept));
    EXPECT_TRUE(NativeWrite(kept, "x"));
    EXPECT_EQ("x", NativeRead(pipe.out.get()));
    brood_handle_close(kept);
    EXPECT_EQ("", NativeRead(pipe.out.get()));
}

TEST(HandleInMessage, HasToBeOpen)
{
    NativePipe pipe;
    const brood_handle gone = pipe.in.get();
    pipe.in.Close();
    EXPECT_FALSE(Copy(BROOD_LIST(brood_handle_value(gone))));
    EXPECT_EQ(BROOD_EINVAL, brood_last_error()->error);
    EXPECT_NE(std::string::npos, LastWords().find("is not open")) << LastWords();
    brood_handle copy = BROOD_NO_HANDLE;
    EXPECT_EQ(BROOD_EINVAL, brood_handle_duplicate(&copy, gone));
    EXPECT_EQ(BROOD_EINVAL, brood_handle_duplicate(&copy, BROOD_NO_HANDLE));
    EXPECT_EQ(BROOD_EINVAL, brood_handle_duplicate(nullptr, pipe.out.get()));
    EXPECT_EQ(BROOD_NO_HANDLE, copy);
    brood_handle_close(BROOD_NO_HANDLE);
}

TEST(HandleInMessage, LeavesNothingBehindWhenAnyStepFails)
{
    ForEachFault([] {
        NativePipe pipe;
        const brood_value handle = brood_handle_value(pipe.in.get());
        const Message message = Copy(BROOD_LIST(handle, handle));
        EXPECT_EQ(brood_fault_fired(), message == nullptr);
        pipe.in.Close();
        if (!message) {
            EXPECT_EQ("", NativeRead(pipe.out.get()));
        }
    });
}

TEST(HandleValue, IsNoDataToEncode)
{
    const NativePipe pipe;
    EXPECT_EQ("error: a handle cannot be sent here", Encoded(brood_handle_value(pipe.in.get())));
}

/* ---- processes ---- */

int Nothing(brood_call *)
{
    return 0;
}

TEST(ProcessValue, IsReferencedByMessages)
{
    Process child = Start(Nothing);
    ASSERT_TRUE(child) << LastWords();
    brood_process *raw = child.get();
    EXPECT_EQ("<process>", Shown(brood_of(raw)));
    EXPECT_TRUE(brood_value_equal(brood_of(raw), brood_of(raw)));
    const Message message = Copy(BROOD_LIST(raw, raw));
    ASSERT_TRUE(message) << LastWords();
    child.reset();
    brood_process *first = nullptr;
    brood_process *second = nullptr;
    ASSERT_EQ(0, BROOD_UNPACK(message.get(), &first, &second)) << LastWords();
    EXPECT_EQ(raw, first);
    EXPECT_EQ(raw, second);
    EXPECT_EQ(0, brood_process_join(first, kSoon));
}

TEST(ProcessValue, UnpacksAsAProcessOnly)
{
    const auto pipe = Pipe();
    const Message message = Copy(BROOD_LIST(pipe.first.get()));
    brood_process *process = nullptr;
    EXPECT_EQ(BROOD_ETYPE, BROOD_UNPACK(message.get(), &process));
    EXPECT_EQ("value 1 takes a process, got connection", LastWords());
    EXPECT_EQ(BROOD_NONE, brood_value_kind(brood_of(process)));
}

} // namespace
