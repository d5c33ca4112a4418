/* Threads as coroutines, and the operations that are their steps. */
#include <string.h>
#include <ucontext.h>

#include "hooks.h"
#include "world.h"

uint32_t explore_running = EXPLORE_NONE;

static void *to_explorer[5];
static unsigned chosen_way;
static ucontext_t begin_context;

/* Between its call and its return a function that switches does all that another thread does, and
 * more than a compiler can see in it. */
#if defined(__GNUC__) && !defined(__clang__)
#define APART __attribute__((noipa))
#else
#define APART __attribute__((noinline))
#endif

APART static void leave_thread(void)
{
    __builtin_longjmp(to_explorer, 1);
}

APART static void enter_thread(explore_thread_state *thread)
{
    __builtin_longjmp(thread->context, 1);
}

APART unsigned explore_yield(explore_kind kind, const volatile void *address, size_t size,
                             uint64_t a, uint64_t b)
{
    explore_thread_state *thread = &explore_now.threads[explore_running];

    thread->op.kind = (uint32_t)kind;
    thread->op.size = (uint32_t)size;
    thread->op.address = address;
    thread->op.a = a;
    thread->op.b = b;
    if (__builtin_setjmp(thread->context) == 0) {
        explore_now.threads[explore_running].stack_pointer =
            explore_now.threads[explore_running].context[2];
        leave_thread();
    }
    return chosen_way;
}

/* What a thread finds below its stack pointer is as good as not there; but compilers keep room in
 * frames for what is never written, and two states that differ in it only would not be the same. */
static void clear_below(uint32_t thread)
{
    unsigned char *end = explore_now.threads[thread].stack_pointer;
    unsigned char *start = explore_set.stacks[thread] + 128;
    const size_t room = (size_t)(end - start);
    const size_t size = room < 2048 ? room : 2048;

    memset(end - size, 0, size);
}

static void exchange_thread_locals(uint32_t thread, bool enters)
{
    explore_thread_state *state = &explore_now.threads[thread];
    const explore_image *image = &explore_set.images[state->process];

    if (enters) {
        *image->thread_number = state->number;
    } else {
        state->number = *image->thread_number;
        *image->thread_number = 0;
    }
}

APART static void switch_to(uint32_t thread)
{
    if (__builtin_setjmp(to_explorer) == 0) {
        enter_thread(&explore_now.threads[thread]);
    }
}

void explore_run_thread(uint32_t thread, unsigned way)
{
    chosen_way = way;
    explore_running = thread;
    clear_below(thread);
    exchange_thread_locals(thread, true);
    switch_to(thread);
    exchange_thread_locals(thread, false);
    explore_running = EXPLORE_NONE;
}

static void thread_main(void)
{
    (void)explore_yield(EXPLORE_BEGIN, NULL, 0, 0, 0);
    explore_set.images[explore_now.threads[explore_running].process]
        .scenarios[explore_board()[EXPLORE_BOARD - 1]]
        .threads[explore_running]
        .run();
    (void)explore_yield(EXPLORE_DONE, NULL, 0, 0, 0);
}

APART static void begin_thread(void)
{
    if (__builtin_setjmp(to_explorer) == 0) {
        (void)setcontext(&begin_context);
    }
}

void explore_prepare_thread(uint32_t thread)
{
    (void)getcontext(&begin_context);
    begin_context.uc_stack.ss_sp = explore_set.stacks[thread];
    begin_context.uc_stack.ss_size = EXPLORE_STACK;
    begin_context.uc_link = NULL;
    makecontext(&begin_context, thread_main, 0);
    explore_running = thread;
    begin_thread();
    explore_running = EXPLORE_NONE;
}

/* ---- words ---- */

static bool is_within(const volatile void *address, const unsigned char *data, size_t size)
{
    return (const volatile unsigned char *)address >= data &&
           (const volatile unsigned char *)address < data + size;
}

bool explore_is_step(const volatile void *address, bool writes)
{
    if (explore_running == EXPLORE_NONE) {
        return false;
    }
    if (!is_within(address, explore_set.shared, explore_set.shared_size)) {
        return explore_set.threads_of[explore_now.threads[explore_running].process] > 1;
    }
    for (size_t i = 0; i < explore_set.part_count; i++) {
        if (explore_set.parts[i].process == EXPLORE_NONE &&
            is_within(address, explore_set.parts[i].data, explore_set.parts[i].size)) {
            return true;
        }
    }
    if (writes) {
        explore_object("shared memory is written that the scenario does not show, at %td",
                       (const volatile unsigned char *)address - explore_set.shared);
    }
    return false;
}

static uint64_t get(const volatile void *word, size_t size)
{
    return size == 8 ? *(const volatile uint64_t *)word : *(const volatile uint32_t *)word;
}

static void put_plainly(volatile void *word, size_t size, uint64_t x)
{
    if (size == 8) {
        *(volatile uint64_t *)word = x;
    } else {
        *(volatile uint32_t *)word = (uint32_t)x;
    }
}

static void put(volatile void *word, size_t size, uint64_t x)
{
    const uint64_t before = get(word, size);

    put_plainly(word, size, x);
    if (word == explore_last.op.address) {
        explore_last.after = get(word, size);
    }
    explore_check_write(word, before, get(word, size));
}

/* For the report: of the operations of a step only the first can be seen by others. */
static uint64_t step(explore_kind kind, const volatile void *word, size_t size, uint64_t a,
                     uint64_t b)
{
    if (explore_is_step(word, kind != EXPLORE_LOAD)) {
        (void)explore_yield(kind, word, size, a, b);
        explore_last.before = get(word, size);
        explore_last.after = explore_last.before;
    }
    return get(word, size);
}

uint64_t explore_load(const volatile void *word, size_t size)
{
    return step(EXPLORE_LOAD, word, size, 0, 0);
}

void explore_store(volatile void *word, size_t size, uint64_t x)
{
    (void)step(EXPLORE_STORE, word, size, x, 0);
    put(word, size, x);
}

uint64_t explore_exchange(volatile void *word, size_t size, uint64_t x)
{
    const uint64_t before = step(EXPLORE_EXCHANGE, word, size, x, 0);

    put(word, size, x);
    return before;
}

uint64_t explore_add(volatile void *word, size_t size, uint64_t x)
{
    const uint64_t before = step(EXPLORE_ADD, word, size, x, 0);

    put(word, size, before + x);
    return before;
}

uint64_t explore_or(volatile void *word, size_t size, uint64_t x)
{
    const uint64_t before = step(EXPLORE_OR, word, size, x, 0);

    put(word, size, before | x);
    return before;
}

uint64_t explore_and(volatile void *word, size_t size, uint64_t x)
{
    const uint64_t before = step(EXPLORE_AND, word, size, x, 0);

    put(word, size, before & x);
    return before;
}

bool explore_cas(volatile void *word, size_t size, void *expected, uint64_t x)
{
    const uint64_t wanted = get(expected, size);
    const uint64_t before = step(EXPLORE_CAS, word, size, wanted, x);

    if (before != wanted) {
        put_plainly(expected, size, before);
        return false;
    }
    put(word, size, x);
    return true;
}
