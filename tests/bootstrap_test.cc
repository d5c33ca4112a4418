#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <brood.h>

extern "C" {
#include "bootstrap.h"
#include "report.h"
}

namespace {

const std::string kBody = "what the child has to do";

struct Signed {
    unsigned char record[BROOD_RECORD_SIZE];
    Signed()
    {
        brood_record_sign(record, kBody.data(), kBody.size(), 3);
    }
    int Check(const std::string &body = kBody, uint32_t handles = 3) const
    {
        uint64_t size = 0;
        const int rc = brood_record_body_size(record, sizeof record, handles, &size);
        return rc ? rc : brood_record_verify(record, body.data(), body.size());
    }
};

TEST(BootstrapRecord, IsAcceptedAsItWasSigned)
{
    uint64_t size = 0;
    const Signed message;
    EXPECT_EQ(0, brood_record_body_size(message.record, sizeof message.record, 3, &size));
    EXPECT_EQ(kBody.size(), size);
    EXPECT_EQ(0, message.Check()) << brood_last_error()->message;
}

TEST(BootstrapRecord, IsRefusedWithAnyBitChanged)
{
    const Signed message;
    for (size_t i = 0; i < sizeof message.record * 8; i++) {
        Signed changed = message;
        changed.record[i / 8] = static_cast<unsigned char>(changed.record[i / 8] ^ (1 << i % 8));
        EXPECT_EQ(BROOD_EAUTH, changed.Check()) << "bit " << i;
    }
}

TEST(BootstrapRecord, IsRefusedWithAnyByteOfTheBodyChanged)
{
    const Signed message;
    for (size_t i = 0; i < kBody.size(); i++) {
        std::string changed = kBody;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_EQ(BROOD_EAUTH, message.Check(changed)) << "byte " << i;
    }
    EXPECT_EQ(BROOD_EAUTH, message.Check(kBody.substr(1)));
    EXPECT_NE(std::string::npos,
              std::string(brood_last_error()->message).find("signature is wrong"));
}

TEST(BootstrapRecord, IsRefusedAtEveryOtherLength)
{
    const Signed message;
    std::vector<unsigned char> longer(message.record, message.record + sizeof message.record);
    uint64_t size = 0;
    longer.push_back(0);
    for (size_t n = 0; n < sizeof message.record; n++) {
        EXPECT_EQ(BROOD_EAUTH, brood_record_body_size(message.record, n, 3, &size)) << n;
    }
    EXPECT_EQ(BROOD_EAUTH, brood_record_body_size(longer.data(), longer.size(), 3, &size));
}

TEST(BootstrapRecord, SaysWhichVersionItCannotRead)
{
    Signed message;
    message.record[11] = 9;
    EXPECT_EQ(BROOD_EAUTH, message.Check());
    EXPECT_STREQ("the start record has version 9, this library reads 1",
                 brood_last_error()->message);
}

TEST(BootstrapRecord, IsRefusedWhenHandlesAreMissing)
{
    EXPECT_EQ(BROOD_EAUTH, Signed().Check(kBody, 2));
    EXPECT_STREQ("the start record announces 3 handles, 2 came", brood_last_error()->message);
}

TEST(BootstrapRecord, HasAKeyOfItsOwnEveryTime)
{
    const Signed first;
    const Signed second;
    EXPECT_NE(std::string(first.record + 16, first.record + 48),
              std::string(second.record + 16, second.record + 48));
}

std::string WriteReport(int code, const char *words, const std::string &result)
{
    unsigned char head[BROOD_REPORT_HEAD + BROOD_WORDS_SIZE];
    brood_report report = {};
    report.code = code;
    snprintf(report.words, sizeof report.words, "%s", words);
    const size_t size = brood_report_write(head, &report);
    return std::string(head, head + size) + result;
}

TEST(Report, ReadsWhatWasWritten)
{
    for (const int code : {0, 1, 255, static_cast<int>(BROOD_EINVAL), -1032}) {
        brood_report report = {};
        const std::string bytes = WriteReport(code, "why", "result");
        ASSERT_EQ(0, brood_report_read(&report, bytes.data(), bytes.size()));
        EXPECT_EQ(code, report.code);
        EXPECT_STREQ("why", report.words);
        EXPECT_EQ("result",
                  std::string(static_cast<const char *>(report.result.data), report.result.size));
    }
}

TEST(Report, IsRefusedWhenDamaged)
{
    brood_report report = {};
    const std::string good = WriteReport(0, "why", "");
    for (size_t n = 0; n < good.size(); n++) {
        EXPECT_EQ(BROOD_EDECODE, brood_report_read(&report, good.data(), n)) << n;
    }
    for (const size_t byte : {0, 4, 8, 12}) { /* magic, code, size of the words, zero */
        std::string bad = good;
        bad[byte] = 0x7f;
        EXPECT_EQ(BROOD_EDECODE, brood_report_read(&report, bad.data(), bad.size())) << byte;
    }
}

} // namespace
