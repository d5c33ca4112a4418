/* Framing: headers against a second implementation, and the messages of a whole stream, which comes
 * in pieces through a real pipe, against what a reader that has all of it at once would see. */
#include "fuzz.h"

#include <string.h>

#include <brood.h>

#include "connection.h"
#include "frame.h"

#define MOST 300 /* bytes of a message; larger ones are refused first */

/* ---- headers ---- */

static uint64_t read_number(const uint8_t *data, size_t size)
{
    uint64_t number = 0;

    for (size_t i = 0; i < size; i++) {
        number = number * 256 + data[i];
    }
    return number;
}

/* Returns and sets what brood_frame_read has to. */
static int read_header(const uint8_t *data, size_t size, brood_frame *frame)
{
    int64_t narrow;
    uint64_t wide;

    if (size < 4) {
        return 0;
    }
    narrow = (int64_t)read_number(data, 4) - (data[0] >= 0x80 ? INT64_C(1) << 32 : 0);
    if (narrow >= 0) {
        *frame = (brood_frame){(uint64_t)narrow, 0};
        return 4;
    }
    if (narrow < -2) {
        return BROOD_EDECODE;
    }
    if (size < 12) {
        return 0;
    }
    wide = read_number(data + 4, 8);
    if (narrow == -1 && wide >> 63 == 0) {
        *frame = (brood_frame){wide, 0};
        return 12;
    }
    if (narrow == -1 || wide >> 32 == 0 || wide >> 32 > 1 << 20 || (uint32_t)wide > 1 << 16) {
        return BROOD_EDECODE;
    }
    *frame = (brood_frame){(uint32_t)wide, (uint32_t)(wide >> 32)};
    return 12;
}

static void check_header(const uint8_t *data, size_t size)
{
    brood_frame frame = {99, 99};
    brood_frame expected = {99, 99};
    int rc = brood_frame_read(data, size, &frame);

    FUZZ_CHECK(rc == read_header(data, size, &expected));
    FUZZ_CHECK(frame.size == expected.size && frame.handles == expected.handles);
}

static void check_back(const unsigned char *header, size_t size, brood_frame expected)
{
    brood_frame back = {~expected.size, ~expected.handles};

    for (size_t have = 0; have < size; have++) {
        FUZZ_CHECK(brood_frame_read(header, have, &back) == 0);
    }
    FUZZ_CHECK(brood_frame_read(header, size, &back) == (int)size);
    FUZZ_CHECK(back.size == expected.size && back.handles == expected.handles);
}

static void check_written(uint64_t length)
{
    unsigned char header[BROOD_FRAME_LONG];
    const size_t size = brood_frame_write(header, length);
    const uint32_t handles = 1 + (uint32_t)(length % BROOD_FRAME_HANDLES_MAX);
    const uint32_t filler = (uint32_t)(length >> 32) % (BROOD_FRAME_FILLER_MAX + 1);

    FUZZ_CHECK(size == (length < (UINT64_C(1) << 31) ? 4u : 12u));
    check_back(header, size, (brood_frame){length, 0});
    FUZZ_CHECK(brood_frame_announce(header, handles, filler) == 12);
    check_back(header, 12, (brood_frame){filler, handles});
}

static void check_headers(const uint8_t *data, size_t size)
{
    uint64_t number = 0;

    for (size_t have = 0; have <= size && have <= BROOD_FRAME_LONG; have++) {
        /* A copy of that size, so that a read behind it is seen. */
        uint8_t *copy = malloc(have + (have == 0));
        FUZZ_CHECK(copy != NULL);
        memcpy(copy, data, have);
        check_header(copy, have);
        free(copy);
    }
    memcpy(&number, data, size < sizeof number ? size : sizeof number);
    check_written(number & INT64_MAX);
    check_written(number & UINT32_MAX);
}

/* ---- streams ---- */

typedef struct stream {
    brood_connection *reader;
    brood_connection *writer;
    const uint8_t *all; /* what the writer sends */
    size_t size;
    size_t sent;
    size_t at; /* where the reader is: at a header */
    unsigned ways;
    int last; /* the last call's result */
} stream;

static void send_piece(stream *s, size_t size)
{
    brood_view pieces[2] = {{s->all + s->sent, size}, {NULL, 0}};

    while (pieces[0].size > 0) {
        size_t n = 0;
        FUZZ_CHECK(brood_os_stream_write(&s->writer->stream, pieces, &n, INT64_MAX) == 0);
        pieces[0].data = (const uint8_t *)pieces[0].data + n;
        pieces[0].size -= n;
        s->sent += n;
    }
}

/* Where a reader stands in what was sent so far. */
typedef struct place {
    size_t at;
    size_t begin; /* of what belongs to the next message */
    bool handles; /* some were announced, and all marks of theirs came */
} place;

/* Behind an announcement: 0, or what has to come of receiving. None of the handles is there. */
static int pass_handles(const stream *s, place *p, brood_frame announced)
{
    size_t left = announced.handles;

    if (p->handles) {
        return BROOD_EDECODE;
    }
    if (s->sent - p->at < announced.size) {
        return BROOD_ETIMEDOUT;
    }
    p->at += (size_t)announced.size;
    while (left > 0) {
        if (p->at == s->sent) {
            return BROOD_ETIMEDOUT;
        }
        switch (s->all[p->at++]) {
        case 'h':
            left -= left < BROOD_OS_GROUP_MAX ? left : BROOD_OS_GROUP_MAX;
            p->handles = true;
            break;
        case 'c':
            *p = (place){p->at, p->at, false};
            return 0;
        default:
            return BROOD_EDECODE;
        }
    }
    return 0;
}

/* What has to come of receiving now. If that is a message, its bytes are at the place. */
static int expect_message(const stream *s, place *p, brood_frame *frame)
{
    for (;;) {
        int rc = read_header(s->all + p->at, s->sent - p->at, frame);
        if (rc <= 0) {
            return rc < 0 ? rc : BROOD_ETIMEDOUT;
        }
        p->at += (size_t)rc;
        if (frame->handles == 0) {
            break;
        }
        rc = pass_handles(s, p, *frame);
        if (rc) {
            return rc;
        }
    }
    if (frame->size > MOST) {
        return BROOD_ETOOBIG;
    }
    return frame->size <= s->sent - p->at ? 0 : BROOD_ETIMEDOUT;
}

static int expect(const stream *s, bool ended, uint64_t *length, size_t *header)
{
    place p = {s->at, s->at, false};
    brood_frame frame = {0, 0};
    int rc = expect_message(s, &p, &frame);

    *length = frame.size;
    *header = p.at - s->at;
    if (rc == BROOD_EDECODE && (s->last == BROOD_EDECODE || s->last == BROOD_EBROKEN)) {
        return BROOD_EBROKEN;
    }
    if (rc == BROOD_ETIMEDOUT && ended) {
        return p.begin == s->sent ? BROOD_EEND : BROOD_EPEER;
    }
    return rc;
}

static int receive_into(stream *s, const uint8_t *expected, uint64_t length)
{
    unsigned char room[MOST];
    size_t size = (s->ways & 2) != 0 && length < MOST ? (size_t)length : MOST;
    int rc = brood_recv_bytes_into(s->reader, room, &size, 0);

    if (rc == 0) {
        FUZZ_CHECK(size == length && memcmp(room, expected, size) == 0);
    }
    return rc == BROOD_ETOOSMALL ? BROOD_ETOOBIG : rc;
}

static int receive_new(stream *s, const uint8_t *expected, uint64_t length)
{
    brood_message *message = NULL;
    int rc = brood_recv_bytes(s->reader, &message, MOST, 0);

    FUZZ_CHECK((rc == 0) == (message != NULL));
    if (rc == 0) {
        brood_view view = brood_as_view(brood_message_value(message));
        FUZZ_CHECK(view.size == length);
        FUZZ_CHECK(view.size == 0 || memcmp(view.data, expected, view.size) == 0);
    }
    brood_message_free(message);
    return rc;
}

/* Receives all that is there. The two ways take turns as `ways` says. */
static void receive(stream *s, bool ended)
{
    do {
        uint64_t length = 0;
        size_t header = 0;
        const int expected = expect(s, ended, &length, &header);
        const uint8_t *bytes = s->all + s->at + header;

        if ((s->ways & 1) != 0) {
            s->last = receive_into(s, bytes, length);
        } else {
            s->last = receive_new(s, bytes, length);
        }
        s->ways = s->ways >> 1 | (s->ways & 1) << 7;
        FUZZ_CHECK(s->last == expected);
        if (s->last == 0) {
            s->at += header + (size_t)length;
        }
    } while (s->last == 0);
}

static void run_stream(stream *s, fuzz_input sizes)
{
    FUZZ_CHECK(brood_pipe(&s->reader, &s->writer, BROOD_ONE_WAY) == 0);
    receive(s, false);
    while (s->sent < s->size) {
        size_t size = fuzz_take(&sizes);
        size = size > 0 && size < s->size - s->sent ? size : s->size - s->sent;
        send_piece(s, size);
        receive(s, false);
    }
    brood_connection_close(s->writer);
    receive(s, true);
    receive(s, true);
    brood_connection_free(s->writer);
    brood_connection_free(s->reader);
}

/* A byte that says which ways to receive, four sizes of pieces, the stream. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    fuzz_input sizes = {NULL, 0};
    stream s = {NULL, NULL, NULL, 0, 0, 0, 0, 0};

    check_headers(data, size);
    s.ways = fuzz_take(&input);
    sizes.data = input.data;
    while (sizes.size < 4 && input.size > 0) {
        (void)fuzz_take(&input);
        sizes.size++;
    }
    s.all = input.data;
    s.size = input.size;
    run_stream(&s, sizes);
    return 0;
}
