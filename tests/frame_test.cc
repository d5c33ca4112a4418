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
        brood_frame read = {99, 99};
        for (size_t have = 0; have < header.size(); have++) {
            EXPECT_EQ(0, brood_frame_read(header.data(), have, &read)) << size << " " << have;
        }
        EXPECT_EQ(static_cast<int>(header.size()),
                  brood_frame_read(header.data(), header.size(), &read));
        EXPECT_EQ(size, read.size);
        EXPECT_EQ(0u, read.handles);
    }
}

TEST(FrameRead, ReadsAnnouncements)
{
    for (const uint32_t handles : {1u, 253u, BROOD_FRAME_HANDLES_MAX}) {
        for (const uint32_t filler : {0u, 32u, BROOD_FRAME_FILLER_MAX}) {
            unsigned char header[BROOD_FRAME_LONG];
            const size_t size = brood_frame_announce(header, handles, filler);
            brood_frame read = {99, 99};
            for (size_t have = 0; have < size; have++) {
                EXPECT_EQ(0, brood_frame_read(header, have, &read));
            }
            EXPECT_EQ(static_cast<int>(size), brood_frame_read(header, size, &read));
            EXPECT_EQ(handles, read.handles);
            EXPECT_EQ(filler, read.size);
        }
    }
}

TEST(FrameRead, RefusesWhatNobodySends)
{
    const std::vector<std::vector<unsigned char>> headers = {
        {255, 255, 255, 253},
        {0x80, 0, 0, 0},
        {255, 255, 255, 255, 0x80, 0, 0, 0, 0, 0, 0, 0},
        {255, 255, 255, 254, 0, 0, 0, 0, 0, 0, 0, 0},
        {255, 255, 255, 254, 0, 0x10, 0, 1, 0, 0, 0, 0},
        {255, 255, 255, 254, 0, 0, 0, 1, 0, 1, 0, 1},
    };
    brood_frame read = {99, 99};
    for (const auto &header : headers) {
        EXPECT_EQ(BROOD_EDECODE, brood_frame_read(header.data(), header.size(), &read));
    }
    EXPECT_STREQ("a message header announces 1 handles behind 65537 bytes",
                 brood_last_error()->message);
    EXPECT_EQ(BROOD_EDECODE, brood_frame_read(headers[0].data(), 4, &read));
    EXPECT_STREQ("a message header says a length of -3 bytes", brood_last_error()->message);
    EXPECT_EQ(99u, read.size);
}

} // namespace
