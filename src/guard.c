#include "guard.h"

#include "fault.h"

#define FIRST_SLICE_NS ((int64_t)5 * 1000 * 1000) /* until the first look at the owner */

bool brood_guard_bury(brood_segment *segment, brood_word *word, uint32_t value)
{
    if (brood_word_cas(word, value, BROOD_DIED | (value & BROOD_OWNER))) {
        if ((value & BROOD_WAITERS) != 0) {
            brood_segment_wake(segment, word, UINT32_MAX);
        }
        return true;
    }
    return false;
}

void brood_guard_sweep(brood_segment *segment, brood_word *word, uint32_t identity)
{
    uint32_t value = brood_word_load(word);

    while ((value & BROOD_PROCESS_BITS) == identity && (value & BROOD_DIED) == 0) {
        if (brood_guard_bury(segment, word, value)) {
            return;
        }
        value = brood_word_load(word);
    }
}

typedef struct contender {
    brood_segment *segment;
    brood_word *word;
    uint32_t me;
    bool take_over;
    bool slept;
} contender;

/* Who has slept cannot know whether others sleep, too. */
static uint32_t mine(const contender *one, uint32_t value)
{
    return one->me | (value & BROOD_WAITERS) | (one->slept ? BROOD_WAITERS : 0);
}

/* One look at a word that is `*seen`: 0 or an error when it is decided, BROOD_ERUNNING when somebody
 * holds it, who is in `*seen` then, BROOD_EOWNERDEAD too when it was taken over. */
static int look(const contender *one, uint32_t *seen)
{
    for (;;) {
        const uint32_t value = *seen;
        if ((value & BROOD_DIED) != 0) {
            if (!one->take_over || brood_word_cas(one->word, value, mine(one, value))) {
                return BROOD_EOWNERDEAD;
            }
        } else if ((value & BROOD_OWNER) == 0) {
            if (brood_word_cas(one->word, value, mine(one, value))) {
                return 0;
            }
        } else {
            return (value & BROOD_OWNER) == one->me ? BROOD_EDEADLK : BROOD_ERUNNING;
        }
        *seen = brood_word_load(one->word);
    }
}

static int spin(const contender *one)
{
    const uint32_t count = brood_spin_count();
    uint32_t value = brood_word_load(one->word);
    int rc = look(one, &value);

    for (uint32_t i = 0; rc == BROOD_ERUNNING && i < count; i++) {
        brood_os_relax();
        value = brood_word_load_relaxed(one->word);
        if ((value & BROOD_WAITERS) != 0 && (value & BROOD_OWNER) != 0) {
            return rc; /* others sleep already: it is held for long, or much wanted */
        }
        rc = look(one, &value);
    }
    return rc;
}

/* Sleeps once, and looks at the owner if nothing has changed, or nothing has come for a whole slice:
 * the owner may be another one, who died as well. */
static void sleep_on(contender *one, uint32_t value, int64_t slice_ns, int64_t deadline_ns)
{
    const int64_t latest = brood_os_now() + BROOD_SLICE(slice_ns);
    uint32_t now;

    if ((value & BROOD_WAITERS) == 0) {
        if (!brood_word_cas(one->word, value, value | BROOD_WAITERS)) {
            return;
        }
        value |= BROOD_WAITERS;
    }
    one->slept = true;
    brood_segment_sleep(one->segment, one->word, value, (value & BROOD_OWNER) >> BROOD_ROW_SHIFT,
                        latest < deadline_ns ? latest : deadline_ns);
    BROOD_STOP("guard-woken");
    now = brood_word_load(one->word);
    if ((now == value || ((now & BROOD_OWNER) != 0 && brood_os_now() >= latest)) &&
        (now & BROOD_DIED) == 0 && brood_segment_word_is_dead(one->segment, now)) {
        (void)brood_guard_bury(one->segment, one->word, now);
    }
}

/* Who only tries never sleeps, and has to learn of a dead owner all the same; but not at every try,
 * since it costs more than all the rest. */
static bool is_dead_now(brood_segment *segment, uint32_t value)
{
    static brood_word64 next_ns;
    const uint64_t next = brood_word64_load_relaxed(&next_ns);
    const uint64_t now = (uint64_t)brood_os_now();

    if (now < next || !brood_word64_cas(&next_ns, next, now + (uint64_t)FIRST_SLICE_NS)) {
        return false;
    }
    return brood_segment_word_is_dead(segment, value);
}

/* Who has slept may have got the wake-up of somebody who sleeps still, and the owner does not know of
 * them. It tells whether `value` is still there. */
static bool pass_on(const contender *one, uint32_t value)
{
    return (value & BROOD_WAITERS) != 0 || brood_word_cas(one->word, value, value | BROOD_WAITERS);
}

int brood_guard_wait(brood_segment *segment, brood_word *word, uint32_t me, bool take_over,
                     int64_t deadline_ns)
{
    contender one = {segment, word, me, take_over, false};
    int64_t slice_ns = FIRST_SLICE_NS;
    int rc = spin(&one);

    while (rc == BROOD_ERUNNING) {
        uint32_t value = brood_word_load(word);
        rc = look(&one, &value);
        if (rc != BROOD_ERUNNING) {
            break;
        }
        if (deadline_ns != INT64_MAX && (deadline_ns == 0 || brood_os_now() >= deadline_ns)) {
            if (is_dead_now(segment, value) && brood_guard_bury(segment, word, value)) {
                continue;
            }
            if (one.slept && !pass_on(&one, value)) {
                continue;
            }
            rc = BROOD_ETIMEDOUT;
            break;
        }
        sleep_on(&one, value, slice_ns, deadline_ns);
        slice_ns = slice_ns < BROOD_SLICE_NS / 2 ? slice_ns * 2 : BROOD_SLICE_NS;
    }
    if (rc == BROOD_EOWNERDEAD && !take_over && one.slept) {
        brood_segment_wake(segment, word, UINT32_MAX); /* as in pass_on: nobody will unlock it */
    }
    return rc;
}
