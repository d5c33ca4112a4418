/* Four producers, four consumers, and somebody who kills one of them every few milliseconds: every
 * message that was committed is taken exactly once, in order.
 *
 * A consumer notes what it is about to take, under the queue's lock, just before it is taken: the
 * number of the take, and the message. Whoever is killed between the two has its note written once
 * more, by the next one, with the same number. So the notes, by their numbers, are all that was ever
 * taken, also by those who did not live to tell. */
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "fault.h"
#include "support/family.h"
#include "support/insides.h"
#include "support/methods.h"

namespace {

constexpr uint32_t kEach = 4; /* producers, and consumers */
constexpr uint64_t kNotes = 1 << 16;

/* What begins every message. The rest follows from it. */
struct Head {
    uint32_t producer;
    uint32_t life; /* how often a producer was started in that place */
    uint64_t number;
};

struct Note {
    std::atomic<uint64_t> take; /* 1 + its number; written last */
    std::atomic<uint64_t> who;  /* producer and life */
    std::atomic<uint64_t> number;
};

/* In memory that all share. */
struct Board {
    std::atomic<uint64_t> checked; /* notes */
    std::atomic<uint64_t> got[kEach];
    std::atomic<uint64_t> put[kEach]; /* by the present life */
    Note notes[kNotes];
};

Board *board;
uint64_t last_take;

size_t SizeOf(const Head &head)
{
    const uint64_t mixed = (head.number + head.life * 31 + head.producer * 7) * 2654435761u;
    const size_t more = mixed % 64 == 0   ? mixed % 50000
                        : mixed % 16 == 0 ? mixed % 5000
                                          : mixed % 120;
    return sizeof(Head) + more;
}

char FillerOf(const Head &head, size_t at)
{
    return static_cast<char>(head.number * 13 + head.producer + at);
}

std::string MessageOf(const Head &head)
{
    std::string text(SizeOf(head), '\0');
    memcpy(&text[0], &head, sizeof head);
    for (size_t i = sizeof head; i < text.size(); i++) {
        text[i] = FillerOf(head, i);
    }
    return text;
}

int OpenBoard(brood_value memory)
{
    void *data = nullptr;
    const int rc = inside_memory_open(&data, brood_as_handle(memory));
    board = static_cast<Board *>(data);
    return rc;
}

/* ---- children ---- */

int Produce(brood_call *call)
{
    brood_queue *queue;
    brood_value memory;
    Head head;
    int rc = BROOD_UNPACK(call, &queue, &memory, &head.producer, &head.life);
    rc = rc ? rc : OpenBoard(memory);
    for (head.number = 0; rc == 0; head.number++) {
        const std::string text = MessageOf(head);
        rc = brood_queue_put_bytes(queue, text.data(), text.size(), kSoon);
        if (rc == 0) {
            board->put[head.producer].store(head.number + 1);
        }
    }
    return rc == BROOD_ESHUTDOWN ? 0 : rc;
}

void WriteNote(const char *, uint64_t number, const void *data, size_t)
{
    Head head;
    memcpy(&head, data, sizeof head);
    Note &note = board->notes[number % kNotes];
    note.who.store(uint64_t{head.life} << 32 | head.producer);
    note.number.store(head.number);
    note.take.store(number + 1);
    last_take = number + 1;
}

int Consume(brood_call *call)
{
    brood_queue *queue;
    brood_value memory;
    uint32_t place;
    int rc = BROOD_UNPACK(call, &queue, &memory, &place);
    rc = rc ? rc : OpenBoard(memory);
    brood_fault_watch(WriteNote);
    std::string room(sizeof(Head) + 50000, '\0');
    while (rc == 0) {
        size_t size = room.size();
        while (last_take > board->checked.load() + kNotes / 2) {
            std::this_thread::yield(); /* the notes must not be written over before they are read */
        }
        rc = brood_queue_get_bytes_into(queue, &room[0], &size, kSoon);
        if (rc == 0) {
            Head head;
            memcpy(&head, room.data(), sizeof head);
            CHILD_CHECK(call, size == SizeOf(head));
            for (size_t i = sizeof head; i < size; i++) {
                CHILD_CHECK(call, room[i] == FillerOf(head, i));
            }
            board->got[place].fetch_add(1);
        }
    }
    return rc == BROOD_ESHUTDOWN ? 0 : rc;
}

/* ---- the one who kills and keeps the books ---- */

class Torture {
  public:
    Torture()
    {
        void *data = nullptr;
        EXPECT_EQ(0, inside_memory_new(&data, &memory_, sizeof(Board))) << LastWords();
        board = static_cast<Board *>(data);
        queue_ = NewQueue(1000, 8 << 20);
        for (uint32_t i = 0; i < 2 * kEach; i++) {
            children_.emplace_back();
            StartOne(i);
        }
    }
    ~Torture()
    {
        children_.clear();
        inside_memory_close(board, memory_, sizeof(Board));
    }
    Torture(const Torture &) = delete;
    Torture &operator=(const Torture &) = delete;

    void Run(std::chrono::milliseconds duration)
    {
        const auto end = std::chrono::steady_clock::now() + duration;
        auto next_kill = std::chrono::steady_clock::now();
        while (std::chrono::steady_clock::now() < end && !testing::Test::HasFailure()) {
            CheckNotes();
            if (std::chrono::steady_clock::now() >= next_kill) {
                KillOne(random_() % (2 * kEach));
                next_kill =
                    std::chrono::steady_clock::now() + std::chrono::microseconds(random_() % 6000);
            }
            std::this_thread::yield();
        }
    }

    void Finish()
    {
        ASSERT_EQ(0, brood_queue_shutdown(queue_.get(), false)) << LastWords();
        for (Process &child : children_) {
            while (brood_process_is_alive(child.get())) {
                CheckNotes();
                std::this_thread::yield();
            }
            EXPECT_EQ(0, Result(child)) << LastWords();
        }
        CheckNotes();
        EXPECT_TRUE(brood_queue_empty(queue_.get()));
        for (uint32_t p = 0; p < kEach; p++) {
            EndLife(p);
        }
        uint64_t got = 0;
        for (uint32_t c = 0; c < kEach; c++) {
            got += board->got[c].load();
        }
        EXPECT_LE(got, next_);
        EXPECT_LE(next_, got + consumers_killed_) << "only the last one of the killed is not told";
        ExpectNothingLeft();
        std::printf("%llu messages taken, %llu producers and %llu consumers killed\n",
                    static_cast<unsigned long long>(next_),
                    static_cast<unsigned long long>(producers_killed_),
                    static_cast<unsigned long long>(consumers_killed_));
    }

  private:
    /* Producers first, then consumers. */
    void StartOne(uint32_t index)
    {
        const brood_value memory = brood_handle_value(memory_);
        children_[index] =
            index < kEach ? Start(Produce, BROOD_ARGS(queue_.get(), memory, index, lives_[index]))
                          : Start(Consume, BROOD_ARGS(queue_.get(), memory, index - kEach));
        ASSERT_TRUE(children_[index]) << LastWords();
    }
    void KillOne(uint32_t index)
    {
        ASSERT_TRUE(brood_process_is_alive(children_[index].get()))
            << (Result(children_[index]), LastWords());
        brood_process_kill(children_[index].get());
        ASSERT_EQ(0, brood_process_join(children_[index].get(), kSoon)) << LastWords();
        if (index < kEach) {
            ended_[{index, lives_[index]}] = board->put[index].exchange(0);
            lives_[index]++;
            producers_killed_++;
        } else {
            consumers_killed_++;
        }
        StartOne(index);
    }
    /* All notes that are there, in the order of the takes. */
    void CheckNotes()
    {
        for (;; next_++) {
            const Note &note = board->notes[next_ % kNotes];
            if (note.take.load() != next_ + 1) {
                break;
            }
            const uint64_t who = note.who.load();
            CheckOne(static_cast<uint32_t>(who), static_cast<uint32_t>(who >> 32),
                     note.number.load());
            if (testing::Test::HasFailure()) {
                return;
            }
        }
        board->checked.store(next_);
    }
    void CheckOne(uint32_t producer, uint32_t life, uint64_t number)
    {
        ASSERT_LT(producer, kEach);
        if (life != life_[producer]) {
            EndLife(producer);
            for (life_[producer]++; life_[producer] < life; life_[producer]++) {
                EndLife(producer); /* one of which nothing was seen */
            }
            ASSERT_EQ(life, life_[producer]);
        }
        ASSERT_EQ(taken_[producer], number) << "of producer " << producer << ", life " << life;
        taken_[producer]++;
    }
    /* All that it knew to be put has been taken, and perhaps one more. */
    void EndLife(uint32_t producer)
    {
        const auto found = ended_.find({producer, life_[producer]});
        const uint64_t put = found != ended_.end() ? found->second : board->put[producer].load();
        EXPECT_LE(put, taken_[producer]) << "of producer " << producer;
        EXPECT_LE(taken_[producer], put + 1) << "of producer " << producer;
        taken_[producer] = 0;
        ended_.erase({producer, life_[producer]});
    }
    /* As much memory is free as in a new one. */
    void ExpectNothingLeft()
    {
        const Queue used = NewQueue(1000, 8 << 20); /* the other one takes no more */
        EXPECT_EQ(inside_queue_granules(used.get()), inside_queue_granules(queue_.get()));
    }

    brood_handle memory_ = BROOD_NO_HANDLE;
    Queue queue_;
    std::vector<Process> children_;
    std::mt19937 random_{12345};
    uint32_t lives_[kEach] = {}; /* of those that run */
    uint32_t life_[kEach] = {};  /* whose messages come now */
    uint64_t taken_[kEach] = {};
    std::map<std::pair<uint32_t, uint32_t>, uint64_t> ended_; /* what they knew to be put */
    uint64_t next_ = 0;
    uint64_t producers_killed_ = 0;
    uint64_t consumers_killed_ = 0;
};

OVER_METHODS(QueueTorture);

TEST_P(QueueTorture, LosesNothingAndDeliversNothingTwice)
{
    Torture torture;
    torture.Run(std::chrono::milliseconds(Scaled(60000)));
    torture.Finish();
}

} // namespace
