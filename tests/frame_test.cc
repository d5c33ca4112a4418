#include <gtest/gtest.h>

#include <vector>

extern "C" {
#include "frame.h"
}

#include <brood.h>

namespace {

std::vector<unsigned char> Header(uint64_t size)
{
    unsigned char header[BROOD_FRAME_LONG];
    const size_t n = brood_frame_write(header, size);
    return std::vector<unsigned char>(header, header + n);
}

TEST(FrameWrite, IsFourBigEndianBytesBelowTwoGibibytes)
{
    EXPECT_EQ(Header(0), (std::vector<unsigned char>{0, 0, 0, 0}));
    EXPECT_EQ(Header(0x01020304), (std::vector<unsigned char>{1, 2, 3, 4}));
    EXPECT_EQ(Header(0x7fffffff), (std::vector<unsigned char>{0x7f, 0xff, 0xff, 0xff}));
}

TEST(FrameWrite, IsMinusOneAndEightBytesFromThere)
{
    EXPECT_EQ(Header(0x80000000),
              (std::vector<unsigned char>{255, 255, 255, 255, 0, 0, 0, 0, 0x80, 0, 0, 0}));
}

TEST(FrameRead, ReadsWhatWasWrittenAtEverySizeAndWaitsForTheRest)
{
    for (const uint64_t size : {uint64_t{0}, uint64_t{1}, uint64_t{0x7fffffff},
                                uint64_t{0x80000000}, uint64_t{1} << 62}) {
        const std::vector<unsigned char> header = Header(size);
        uint64_t read = 99;
        for (size_t have = 0; have < header.size(); have++) {
            EXPECT_EQ(0, brood_frame_read(header.data(), have, &read)) << size << " " << have;
        }
        EXPECT_EQ(static_cast<int>(header.size()),
                  brood_frame_read(header.data(), header.size(), &read));
        EXPECT_EQ(size, read);
    }
}

TEST(FrameRead, RefusesLengthsThatNobodySends)
{
    uint64_t read = 99;
    const unsigned char minus_two[] = {255, 255, 255, 254, 0, 0, 0, 0, 0, 0, 0, 0};
    const unsigned char lowest[] = {0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    const unsigned char wide[] = {255, 255, 255, 255, 0x80, 0, 0, 0, 0, 0, 0, 0};

    EXPECT_EQ(BROOD_EDECODE, brood_frame_read(minus_two, sizeof minus_two, &read));
    EXPECT_STREQ("a message header says a length of -2 bytes", brood_last_error()->message);
    EXPECT_EQ(BROOD_EDECODE, brood_frame_read(lowest, sizeof lowest, &read));
    EXPECT_EQ(BROOD_EDECODE, brood_frame_read(wide, sizeof wide, &read));
    EXPECT_EQ(99u, read);
}

} // namespace
