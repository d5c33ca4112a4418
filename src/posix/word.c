/* Sleeping until a shared word changes: futexes, and semaphores where there are none.
 *
 * A witness is a robust mutex that a process holds for as long as it lives. When its thread ends,
 * the kernel itself marks the mutex's word and wakes a sleeper of it. Where that word is in the
 * mutex, the thread's robust list says: no C library's layout is assumed. See robust_list(2) and
 * futex_waitv(2). */
#include "posix.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined(BROOD_HAVE_FUTEX)
#include <linux/futex.h>
#else
#include <semaphore.h>
#endif

#define NS_PER_S ((int64_t)1000 * 1000 * 1000)
#define NAP_NS ((int64_t)30 * 1000) /* while a process ends; each next one is twice as long */
#define NAPS 7

void brood_os_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("isb");
#endif
}

void brood_os_yield(void)
{
    (void)sched_yield();
}

void brood_os_sleep(int64_t deadline_ns)
{
    const int64_t left = deadline_ns - brood_os_now();
    const struct timespec time = {(time_t)(left / NS_PER_S), (long)(left % NS_PER_S)};

    if (left > 0) {
        (void)nanosleep(&time, NULL);
    }
}

/* ---- witnesses ---- */

#if defined(BROOD_HAVE_FUTEX) && defined(BROOD_HAVE_ROBUST_MUTEX)
typedef struct witness {
    atomic_uint place; /* 1 + where the mutex's word is in it; 0: it cannot be told */
    pthread_mutex_t mutex;
} witness;

_Static_assert(sizeof(witness) <= BROOD_OS_WITNESS_SIZE, "it has to fit a participant's row");

/* The kernel's view: struct robust_list_head. */
typedef struct robust_head {
    void *newest;
    long offset;
    void *pending;
} robust_head;

/* Where the word is of the mutex that this thread took last; 0 if the system does not say. */
static unsigned find_place(const witness *own)
{
    robust_head *head = NULL;
    size_t size = 0;
    uintptr_t word;

    if (syscall(SYS_get_robust_list, 0, &head, &size) != 0 || head == NULL) {
        return 0;
    }
    word = ((uintptr_t)head->newest & ~(uintptr_t)1) + (uintptr_t)head->offset;
    if (word < (uintptr_t)&own->mutex || word + 4 > (uintptr_t)(own + 1)) {
        return 0;
    }
    return 1 + (unsigned)(word - (uintptr_t)&own->mutex);
}

bool brood_os_witness_begin(void *room)
{
    witness *own = room;
    pthread_mutexattr_t attributes;
    bool held = false;

    atomic_store(&own->place, 0);
    if (pthread_mutexattr_init(&attributes) != 0) {
        return false;
    }
    (void)pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    (void)pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    memset(&own->mutex, 0, sizeof own->mutex);
    if (pthread_mutex_init(&own->mutex, &attributes) == 0) {
        held = pthread_mutex_trylock(&own->mutex) == 0;
    }
    if (held) {
        atomic_store(&own->place, find_place(own));
    }
    (void)pthread_mutexattr_destroy(&attributes);
    return held;
}

void brood_os_witness_end(void *room)
{
    witness *own = room;

    atomic_store(&own->place, 0);
    (void)pthread_mutex_unlock(&own->mutex);
}

/* The word that tells of the peer's end, NULL if there is none. */
static atomic_uint *witness_word(const brood_os_peer *peer)
{
    witness *its = peer != NULL ? peer->witness : NULL;
    const unsigned place = its != NULL ? atomic_load(&its->place) : 0;

    if (place == 0 || place - 1 > sizeof its->mutex - 4) {
        return NULL;
    }
    return (atomic_uint *)((char *)&its->mutex + (place - 1));
}
#else
bool brood_os_witness_begin(void *room)
{
    (void)room;
    return false;
}

void brood_os_witness_end(void *room)
{
    (void)room;
}
#endif

/* ---- words ---- */

#if defined(BROOD_HAVE_FUTEX)
#if !defined(SYS_futex) && defined(SYS_futex_time64)
#define SYS_futex SYS_futex_time64
#endif

/* As the kernel has it behind this number: 64 bits each on 64-bit systems. */
typedef struct kernel_time {
    long seconds;
    long nanoseconds;
} kernel_time;

bool brood_os_word_waits(void)
{
    return true;
}

static void wait_plainly(brood_word *word, uint32_t value, int64_t deadline_ns)
{
    const kernel_time limit = {(long)(deadline_ns / NS_PER_S), (long)(deadline_ns % NS_PER_S)};

    (void)syscall(SYS_futex, word, FUTEX_WAIT_BITSET, value,
                  deadline_ns == INT64_MAX ? NULL : &limit, NULL, FUTEX_BITSET_MATCH_ANY);
}

#if defined(BROOD_HAVE_ROBUST_MUTEX)
#if !defined(SYS_futex_waitv)
#define SYS_futex_waitv 449
#endif
#define FUTEX_SIZE_32 2 /* FUTEX_32 of struct futex_waitv */

typedef struct wait_entry {
    uint64_t value;
    uint64_t address;
    uint32_t flags;
    uint32_t reserved;
} wait_entry;

typedef struct long_time {
    int64_t seconds;
    int64_t nanoseconds;
} long_time;

/* False where the system does not know how. */
static bool wait_with(brood_word *word, uint32_t value, atomic_uint *its, unsigned state,
                      int64_t deadline_ns)
{
    static brood_atomic unknown;
    const wait_entry entries[2] = {{value, (uintptr_t)word, FUTEX_SIZE_32, 0},
                                   {state, (uintptr_t)its, FUTEX_SIZE_32, 0}};
    const long_time limit = {deadline_ns / NS_PER_S, deadline_ns % NS_PER_S};

    if (brood_atomic_load(&unknown) != 0) {
        return false;
    }
    if (syscall(SYS_futex_waitv, entries, 2, 0, deadline_ns == INT64_MAX ? NULL : &limit,
                CLOCK_MONOTONIC) < 0 &&
        (errno == ENOSYS || errno == EPERM)) {
        brood_atomic_store(&unknown, 1);
        return false;
    }
    if ((atomic_load(its) & FUTEX_OWNER_DIED) != 0) { /* the kernel wakes one of us only */
        (void)syscall(SYS_futex, its, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
    }
    return true;
}

/* The kernel marks the witness of a process that ends, and a moment later the process has ended; or
 * only the thread that had it. Looks a few times, longer apart each time, and tells whether there is
 * something to be seen. */
static bool sleep_shortly(brood_word *word, uint32_t value, uint64_t stamp, int64_t deadline_ns)
{
    for (int64_t nap_ns = NAP_NS; nap_ns < NAP_NS << NAPS; nap_ns *= 2) {
        const int64_t now = brood_os_now();
        if (now >= deadline_ns || !brood_os_stamp_runs(stamp) || brood_word_load(word) != value) {
            return true;
        }
        wait_plainly(word, value, deadline_ns - now < nap_ns ? deadline_ns : now + nap_ns);
    }
    return !brood_os_stamp_runs(stamp) || brood_word_load(word) != value;
}

void brood_os_word_wait(brood_word *word, uint32_t value, const brood_os_peer *peer,
                        int64_t deadline_ns)
{
    atomic_uint *its = witness_word(peer);

    if (its != NULL) {
        const unsigned before = atomic_fetch_or(its, FUTEX_WAITERS);
        if ((before & FUTEX_TID_MASK) != 0 && (before & FUTEX_OWNER_DIED) == 0) {
            if (wait_with(word, value, its, before | FUTEX_WAITERS, deadline_ns)) {
                return;
            }
        } else if (sleep_shortly(word, value, peer->stamp, deadline_ns)) {
            return;
        }
    }
    wait_plainly(word, value, deadline_ns);
}
#else
void brood_os_word_wait(brood_word *word, uint32_t value, const brood_os_peer *peer,
                        int64_t deadline_ns)
{
    (void)peer;
    wait_plainly(word, value, deadline_ns);
}
#endif

void brood_os_word_wake(brood_word *word, uint32_t count)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE, count < INT32_MAX ? count : INT32_MAX, NULL, NULL,
                  0);
}

int brood_os_bells_open(brood_os_bells **out, void *room, const unsigned char id[16], bool create)
{
    (void)room;
    (void)id;
    (void)create;
    *out = NULL;
    return 0;
}

void brood_os_bells_close(brood_os_bells *bells)
{
    (void)bells;
}

void brood_os_bell_wait(brood_os_bells *bells, uint32_t index, const brood_os_peer *peer,
                        int64_t deadline_ns)
{
    (void)bells;
    (void)index;
    (void)peer;
    (void)deadline_ns;
}

void brood_os_bell_ring(brood_os_bells *bells, uint32_t index)
{
    (void)bells;
    (void)index;
}
#else
bool brood_os_word_waits(void)
{
    return false;
}

void brood_os_word_wait(brood_word *word, uint32_t value, const brood_os_peer *peer,
                        int64_t deadline_ns)
{
    (void)word;
    (void)value;
    (void)peer;
    (void)deadline_ns;
}

void brood_os_word_wake(brood_word *word, uint32_t count)
{
    (void)word;
    (void)count;
}

/* ---- bells: semaphores in the segment, which are all there is to them ---- */

_Static_assert(sizeof(sem_t) <= BROOD_OS_BELL_SIZE, "it has to fit the segment's room");

static sem_t *bell(brood_os_bells *bells, uint32_t index)
{
    return (sem_t *)((char *)bells + (size_t)index * BROOD_OS_BELL_SIZE);
}

int brood_os_bells_open(brood_os_bells **out, void *room, const unsigned char id[16], bool create)
{
    (void)id;
    for (uint32_t i = 0; create && i < BROOD_OS_BELLS; i++) {
        if (BROOD_SYS("sem_init", ENOSPC, sem_init(bell(room, i), 1, 0)) < 0) {
            return brood_posix_error(errno, "make a semaphore in shared memory");
        }
    }
    *out = room;
    return 0;
}

void brood_os_bells_close(brood_os_bells *bells)
{
    (void)bells;
}

void brood_os_bell_wait(brood_os_bells *bells, uint32_t index, const brood_os_peer *peer,
                        int64_t deadline_ns)
{
    struct timespec limit;

    (void)peer;
#if defined(BROOD_HAVE_SEM_CLOCKWAIT)
    limit.tv_sec = (time_t)(deadline_ns / NS_PER_S);
    limit.tv_nsec = (long)(deadline_ns % NS_PER_S);
    (void)sem_clockwait(bell(bells, index), CLOCK_MONOTONIC, &limit);
#else
    /* On the clock that can be set: a step back while it sleeps makes this sleep longer. */
    int64_t left = deadline_ns - brood_os_now();

    left = left > 0 ? left : 0;
    (void)clock_gettime(CLOCK_REALTIME, &limit);
    left += limit.tv_nsec;
    limit.tv_sec += (time_t)(left / NS_PER_S);
    limit.tv_nsec = (long)(left % NS_PER_S);
    (void)sem_timedwait(bell(bells, index), &limit);
#endif
}

void brood_os_bell_ring(brood_os_bells *bells, uint32_t index)
{
    (void)sem_post(bell(bells, index));
}
#endif
