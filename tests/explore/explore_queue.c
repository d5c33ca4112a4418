/* Every way in which two producers and two consumers of a queue can run and die.
 *
 * This is a model of the protocol in src/queue*.c: its locks, the two places, granules and their
 * intents, gates with their tokens, and the system's wake-ups, in steps between which any process may
 * be interrupted, or killed for good. All states that can be reached are visited. In each of them
 * - a message that was put is whole when it is taken, and while its consumer copies it,
 * - no granule is lost, or used twice;
 * and from each of them
 * - without further deaths, everything that was put gets taken and everybody who lives goes on, only
 *   in states after a death by way of a sleep that ends by itself.
 * That each message is taken once, in the order of the commits, follows from the places: they count.
 *
 * What only the holder of a lock sees, one step does at once, and processes with the same role are told
 * apart only where it matters.
 *
 *     explore_queue [MESSAGES DEATHS EARLY MAXSIZE [BREAK]]
 *
 * MESSAGES by both producers, at most DEATHS, at most EARLY sleeps that end though others still run, at
 * most MAXSIZE messages in the queue. BREAK makes one of the mistakes below; then something must be
 * found, and the exit code is 1. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PRODUCERS = 2,
    PROCESSES = 4, /* the others are consumers */
    GRANULES = 4,
    MESSAGES_MAX = 4,
    NOBODY = 0xff,
    NONE = 0xff
};

/* Mistakes. */
enum {
    RIGHT,
    SLEEP_WITHOUT_LOOKING, /* does not try again once it is at the gate */
    MARK_AFTER_PUT,        /* a message's granule is marked when it is already put */
    MARK_BEFORE_TAKE,      /* or is the consumer's before the message is taken */
    NO_INTENT,             /* nobody writes down what it is about to do */
    NO_TAGS,               /* granules are freed by old intents */
    TOKEN_WITHOUT_TURN,    /* the word that is slept on stays the same */
    MISTAKES
};

/* What a process is about to do. */
enum {
    PUT_BEGIN = 10, /* takes the lock and looks; for a loan, then for the put itself */
    PUT_MARK,
    PUT_COMMIT,
    PUT_FINISH, /* forgets the intent and hands out a token */
    PUT_UNLOCK,
    PUT_WAKE,
    TAKE_BEGIN = 20,
    TAKE_COMMIT,
    TAKE_MARK,
    TAKE_FINISH,
    TAKE_UNLOCK,
    TAKE_WAKE,
    TAKE_COPY,
    AT_GATE = 40, /* goes to it, or leaves it */
    TO_SLEEP,
    ASLEEP,
    MEND_FREE = 50, /* what the dead holder of a lock was about to do */
    MEND_END,
    DONE = 60,
    DEAD
};

enum {
    FREE,
    LOANED, /* `by` is a process */
    QUEUED  /* `by` is a tag */
};

typedef struct process {
    uint8_t at;
    uint8_t resume;  /* behind the mending */
    uint8_t granule; /* that it has, or NONE */
    uint8_t tag;
    uint8_t turn;
    bool at_gate;
    bool leaving;
    bool owes;
    bool done; /* what it tried, and has only to leave the gate */
} process;

typedef struct gate {
    uint8_t sleepers, tokens, turn;
} gate;

typedef struct intent {
    uint8_t granule, tag, commit;
} intent;

typedef struct granule {
    uint8_t kind, by;
} granule;

typedef struct message {
    uint8_t granule, tag;
} message;

typedef struct state {
    process processes[PROCESSES];
    granule granules[GRANULES];
    message messages[MESSAGES_MAX];
    gate
        gates[2]; /* of those who take: items, under locks[0]; of those who put: slots, under [1] */
    intent intents[2];
    uint8_t locks[2]; /* whose: [0] for putting, [1] for taking */
    uint8_t tail, head, last_tag, deaths, early;
    uint8_t begun; /* messages. (None of this is padding, which would tell equal states apart.) */
} state;

static int wanted = 2;
static int deaths_max = 2;
static int early_max = 1;
static int maxsize = 1;
static int mistake = RIGHT;

/* ---- all states that were found ---- */

typedef struct node {
    state state;
    uint32_t parent;
    uint32_t first_edge; /* in `edges` */
    bool good;           /* nothing more has to happen */
    bool well;           /* a good one can be reached */
} node;

static node *nodes;
static size_t node_count, node_room;
static uint32_t *slots;
static size_t slot_count;
static struct edge {
    uint32_t from, next;
} * edges; /* backwards: who leads here without dying */
static size_t edge_count, edge_room;
static uint32_t current;
static bool failed;

static void *must(void *data)
{
    if (data == NULL) {
        (void)fputs("explore_queue: no memory\n", stderr);
        exit(2);
    }
    return data;
}

static size_t hash(const state *s)
{
    const unsigned char *bytes = (const unsigned char *)s;
    uint64_t x = 1469598103934665603u;

    for (size_t i = 0; i < sizeof *s; i++) {
        x = (x ^ bytes[i]) * 1099511628211u;
    }
    return (size_t)(x ^ x >> 29);
}

static uint32_t *slot_of(const state *s)
{
    size_t at = hash(s) & (slot_count - 1);

    while (slots[at] != 0 && memcmp(&nodes[slots[at] - 1].state, s, sizeof *s) != 0) {
        at = (at + 1) & (slot_count - 1);
    }
    return &slots[at];
}

static void grow_slots(void)
{
    free(slots);
    slot_count = slot_count == 0 ? 1u << 16 : slot_count * 2;
    slots = must(calloc(slot_count, sizeof *slots));
    for (size_t i = 0; i < node_count; i++) {
        *slot_of(&nodes[i].state) = (uint32_t)i + 1;
    }
}

static uint32_t find(const state *s)
{
    uint32_t *slot;

    if (node_count * 2 >= slot_count) {
        grow_slots();
    }
    slot = slot_of(s);
    if (*slot == 0) {
        if (node_count == node_room) {
            node_room = node_room == 0 ? 1024 : node_room * 2;
            nodes = must(realloc(nodes, node_room * sizeof *nodes));
        }
        nodes[node_count] = (node){*s, current, 0, false, false};
        *slot = (uint32_t)++node_count;
    }
    return *slot - 1;
}

/* ---- equal but for the order of the processes ---- */

static uint8_t swapped(uint8_t who, uint8_t first)
{
    return who == first ? (uint8_t)(first + 1) : who == first + 1 ? first : who;
}

/* The same with two processes of one role in each other's place. */
static state swap(const state *s, uint8_t first)
{
    state other = *s;

    other.processes[first] = s->processes[first + 1];
    other.processes[first + 1] = s->processes[first];
    for (int i = 0; i < 2; i++) {
        other.locks[i] = swapped(s->locks[i], first);
    }
    for (int i = 0; i < GRANULES; i++) {
        if (s->granules[i].kind == LOANED) {
            other.granules[i].by = swapped(s->granules[i].by, first);
        }
    }
    return other;
}

static void keep_less(state *least, state other)
{
    if (memcmp(&other, least, sizeof other) < 0) {
        *least = other;
    }
}

static state canonical(const state *s)
{
    state least = *s;
    state both;

    keep_less(&least, swap(s, 0));
    keep_less(&least, swap(s, PRODUCERS));
    both = swap(s, 0);
    keep_less(&least, swap(&both, PRODUCERS));
    return least;
}

static void reach(const state *any, bool by_death)
{
    const state canonized = canonical(any);
    const uint32_t to = find(&canonized);

    if (!by_death) {
        if (edge_count == edge_room) {
            edge_room = edge_room == 0 ? 4096 : edge_room * 2;
            edges = must(realloc(edges, edge_room * sizeof *edges));
        }
        edges[edge_count] = (struct edge){current, nodes[to].first_edge};
        nodes[to].first_edge = (uint32_t)++edge_count;
    }
}

/* ---- saying what is wrong ---- */

static void print_state(const state *s)
{
    printf("  tail %u head %u locks %d %d items %u/%u/%u slots %u/%u/%u |", s->tail, s->head,
           (int8_t)s->locks[0], (int8_t)s->locks[1], s->gates[0].sleepers, s->gates[0].tokens,
           s->gates[0].turn, s->gates[1].sleepers, s->gates[1].tokens, s->gates[1].turn);
    for (int i = 0; i < PROCESSES; i++) {
        printf(" %c%u%s", i < PRODUCERS ? 'p' : 'c', s->processes[i].at,
               s->processes[i].at_gate ? "g" : "");
    }
    printf(" |");
    for (int i = 0; i < GRANULES; i++) {
        printf(" %c%u", "fLQ"[s->granules[i].kind], s -> granules[i].by);
    }
    printf("\n");
}

static void print_way(uint32_t to)
{
    if (to != 0) {
        print_way(nodes[to].parent);
    }
    print_state(&nodes[to].state);
}

static void wrong(const char *what)
{
    if (!failed) {
        printf("%s, by this way:\n", what);
        print_way(current);
    }
    failed = true;
}

/* ---- steps ---- */

static bool is_producer(int who)
{
    return who < PRODUCERS;
}

static bool is_dead(const state *s, int who)
{
    return s->processes[who].at == DEAD;
}

/* Whether a lock is to be had: free, or its holder has died. */
static bool can_lock(const state *s, int which)
{
    return s->locks[which] == NOBODY || is_dead(s, s->locks[which]);
}

/* Takes it; false: first there is something to mend, and the lock stays taken. */
static bool take_lock(state *s, int who, int which)
{
    process *p = &s->processes[who];
    const uint8_t holder = s->locks[which];

    s->locks[which] = (uint8_t)who;
    if (holder == NOBODY || holder == who) {
        return true;
    }
    p->resume = p->at;
    p->at = MEND_FREE;
    return false;
}

static int lock_of(const state *s, int who)
{
    return s->locks[0] == who ? 0 : 1;
}

static void mend_free(state *s, int who)
{
    const int which = lock_of(s, who);
    const intent *about = &s->intents[which];
    granule *its = &s->granules[about->granule % GRANULES];
    const bool is_true = which == 0 ? s->tail != about->commit : s->head == about->commit;

    if (about->granule != NONE && is_true && its->kind == QUEUED &&
        (its->by == about->tag || mistake == NO_TAGS)) {
        its->kind = FREE;
        its->by = 0;
    }
    s->processes[who].at = MEND_END;
}

static void mend_end(state *s, int who)
{
    s->intents[lock_of(s, who)] = (intent){NONE, 0, 0};
    s->processes[who].at = s->processes[who].resume;
}

/* A try has failed: to the gate first, and to sleep if it fails there again. */
static void wait_at_gate(process *p)
{
    if (p->at_gate) {
        p->at = TO_SLEEP;
    } else {
        p->leaving = false;
        p->at = AT_GATE;
    }
}

static void go_on(state *s, int who)
{
    process *p = &s->processes[who];

    p->at = is_producer(who) ? PUT_BEGIN : TAKE_BEGIN;
    if (p->done && is_producer(who)) {
        if (s->begun == wanted) {
            p->at = DONE;
        } else {
            s->begun++;
        }
    }
    p->done = false;
}

static void pass_gate(state *s, int who)
{
    process *p = &s->processes[who];
    gate *its = &s->gates[is_producer(who)];

    if (!take_lock(s, who, is_producer(who))) {
        return;
    }
    if (p->leaving) {
        its->sleepers--;
        its->tokens = (uint8_t)(its->tokens - (its->tokens > 0));
        p->at_gate = false;
    } else {
        its->sleepers++;
        p->turn = its->turn;
        p->at_gate = true;
    }
    s->locks[is_producer(who)] = NOBODY;
    go_on(s, who);
    if (p->at_gate && mistake == SLEEP_WITHOUT_LOOKING) {
        p->at = TO_SLEEP;
    }
}

static void wake_up(process *p)
{
    p->leaving = true;
    p->turn = 0;
    p->at = AT_GATE;
}

static void fall_asleep(state *s, int who)
{
    process *p = &s->processes[who];

    if (s->gates[is_producer(who)].turn != p->turn) {
        wake_up(p);
    } else {
        p->at = ASLEEP;
    }
}

/* What was tried has been done; who is at a gate leaves it first. */
static void finish(state *s, int who)
{
    process *p = &s->processes[who];

    p->done = true;
    if (p->at_gate) {
        wake_up(p);
    } else {
        go_on(s, who);
    }
}

/* The token of a sleeper that has none. */
static void hand_out(state *s, process *p, int which)
{
    gate *its = &s->gates[which];

    p->owes = its->sleepers > its->tokens;
    if (p->owes) {
        its->tokens++;
        its->turn = (uint8_t)(its->turn + (mistake != TOKEN_WITHOUT_TURN));
    }
}

static void after_wake(state *s, int who)
{
    process *p = &s->processes[who];

    p->owes = false;
    if (is_producer(who)) {
        finish(s, who);
    } else {
        p->at = TAKE_COPY;
    }
}

/* The system wakes any one of those who sleep there. */
static void wake(const state *s, int who)
{
    bool any = false;

    for (int i = 0; i < PROCESSES && s->processes[who].owes; i++) {
        if (s->processes[i].at == ASLEEP && is_producer(i) != is_producer(who)) {
            state next = *s;
            wake_up(&next.processes[i]);
            after_wake(&next, who);
            reach(&next, false);
            any = true;
        }
    }
    if (!any) {
        state next = *s;
        after_wake(&next, who);
        reach(&next, false);
    }
}

static int free_granule(const state *s)
{
    for (int i = 0; i < GRANULES; i++) {
        if (s->granules[i].kind == FREE) {
            return i;
        }
    }
    return NONE;
}

static void put_begin(state *s, int who)
{
    process *p = &s->processes[who];

    if (!take_lock(s, who, 0)) {
        return;
    }
    if (s->tail - s->head >= maxsize) {
        s->locks[0] = NOBODY;
        wait_at_gate(p);
    } else if (p->granule == NONE) {
        p->granule = (uint8_t)free_granule(s);
        s->granules[p->granule] = (granule){LOANED, (uint8_t)who};
        s->locks[0] = NOBODY; /* and copies */
    } else {
        p->tag = ++s->last_tag;
        s->intents[0] =
            (intent){mistake == NO_INTENT ? NONE : p->granule, p->tag, (uint8_t)(s->tail + 1)};
        p->at = mistake == MARK_AFTER_PUT ? PUT_COMMIT : PUT_MARK;
    }
}

static void put_finish(state *s, process *p)
{
    s->intents[0] = (intent){NONE, 0, 0};
    p->granule = NONE;
    p->tag = 0;
    hand_out(s, p, 0);
    p->at = PUT_UNLOCK;
}

static void put_step(state *s, int who)
{
    process *p = &s->processes[who];
    const bool late = mistake == MARK_AFTER_PUT;

    switch (p->at) {
    case PUT_BEGIN:
        put_begin(s, who);
        break;
    case PUT_MARK:
        s->granules[p->granule] = (granule){QUEUED, p->tag};
        p->at = late ? PUT_FINISH : PUT_COMMIT;
        break;
    case PUT_COMMIT:
        s->messages[s->tail++] = (message){p->granule, p->tag};
        p->at = late ? PUT_MARK : PUT_FINISH;
        break;
    case PUT_FINISH:
        put_finish(s, p);
        break;
    default:
        s->locks[0] = NOBODY;
        p->at = PUT_WAKE;
        break;
    }
}

static void check_whole(const state *s, const process *p)
{
    const granule its = s->granules[p->granule];

    if (its.kind != QUEUED || its.by != p->tag) {
        wrong("a message is taken whose memory is not its own");
    }
}

static void take_begin(state *s, int who)
{
    process *p = &s->processes[who];

    if (!take_lock(s, who, 1)) {
        return;
    }
    if (s->tail == s->head) {
        s->locks[1] = NOBODY;
        wait_at_gate(p);
        return;
    }
    p->granule = s->messages[s->head].granule;
    p->tag = s->messages[s->head].tag;
    check_whole(s, p);
    s->intents[1] =
        (intent){mistake == NO_INTENT ? NONE : p->granule, p->tag, (uint8_t)(s->head + 1)};
    p->at = mistake == MARK_BEFORE_TAKE ? TAKE_MARK : TAKE_COMMIT;
}

static void take_copy(state *s, int who)
{
    process *p = &s->processes[who];

    if (s->granules[p->granule].kind != LOANED || s->granules[p->granule].by != who) {
        wrong("a message is copied whose memory is somebody else's");
    }
    s->granules[p->granule] = (granule){FREE, 0};
    p->granule = NONE;
    p->tag = 0;
    finish(s, who);
}

static void take_step(state *s, int who)
{
    process *p = &s->processes[who];
    const bool early = mistake == MARK_BEFORE_TAKE;

    switch (p->at) {
    case TAKE_BEGIN:
        take_begin(s, who);
        break;
    case TAKE_COMMIT:
        s->head++;
        p->at = early ? TAKE_FINISH : TAKE_MARK;
        break;
    case TAKE_MARK:
        s->granules[p->granule] = (granule){LOANED, (uint8_t)who};
        p->at = early ? TAKE_COMMIT : TAKE_FINISH;
        break;
    case TAKE_FINISH:
        s->intents[1] = (intent){NONE, 0, 0};
        hand_out(s, p, 1);
        p->at = TAKE_UNLOCK;
        break;
    case TAKE_UNLOCK:
        s->locks[1] = NOBODY;
        p->at = TAKE_WAKE;
        break;
    default:
        take_copy(s, who);
        break;
    }
}

/* Whether it can go on: it has a lock to get, and memory. */
static bool can_step(const state *s, int who)
{
    const process *p = &s->processes[who];

    switch (p->at) {
    case PUT_BEGIN:
        return s->locks[0] == who ||
               (can_lock(s, 0) && (p->granule != NONE || free_granule(s) != NONE));
    case TAKE_BEGIN:
        return s->locks[1] == who || can_lock(s, 1);
    case AT_GATE:
        return s->locks[is_producer(who)] == who || can_lock(s, is_producer(who));
    case ASLEEP:
    case DONE:
    case DEAD:
        return false;
    default:
        return true;
    }
}

/* The next step of a process; false if it cannot make one. */
static bool step(const state *s, int who)
{
    state next = *s;

    if (!can_step(s, who)) {
        return false;
    }
    switch (s->processes[who].at) {
    case AT_GATE:
        pass_gate(&next, who);
        break;
    case TO_SLEEP:
        fall_asleep(&next, who);
        break;
    case MEND_FREE:
        mend_free(&next, who);
        break;
    case MEND_END:
        mend_end(&next, who);
        break;
    case PUT_WAKE:
    case TAKE_WAKE:
        wake(s, who);
        return true;
    default:
        if (is_producer(who)) {
            put_step(&next, who);
        } else {
            take_step(&next, who);
        }
        break;
    }
    reach(&next, false);
    return true;
}

static void die(const state *s, int who)
{
    state next = *s;

    memset(&next.processes[who], 0, sizeof next.processes[who]);
    next.processes[who].at = DEAD;
    next.deaths++;
    reach(&next, true);
}

/* A sleep ends by itself, a tenth of a second later at most. */
static void time_out(const state *s, int who, bool early)
{
    state next = *s;

    if (next.processes[who].at == ASLEEP) {
        wake_up(&next.processes[who]);
        next.early = (uint8_t)(next.early + early);
        reach(&next, false);
    }
}

/* Loans of the dead are freed by whoever looks for memory. */
static bool sweep(const state *s)
{
    bool any = false;

    for (int i = 0; i < GRANULES; i++) {
        if (s->granules[i].kind == LOANED && is_dead(s, s->granules[i].by)) {
            state next = *s;
            next.granules[i] = (granule){FREE, 0};
            reach(&next, false);
            any = true;
        }
    }
    return any;
}

/* ---- what has to hold ---- */

static int granules_queued(const state *s)
{
    int count = 0;

    for (int i = 0; i < GRANULES; i++) {
        count += s->granules[i].kind == QUEUED;
    }
    return count;
}

static bool any_lives(const state *s, int first, int end)
{
    for (int i = first; i < end; i++) {
        if (!is_dead(s, i)) {
            return true;
        }
    }
    return false;
}

/* Nobody makes another step: all who live wait, and for good reason. */
static bool is_good(const state *s)
{
    const bool consumers = any_lives(s, PRODUCERS, PROCESSES);
    bool good = !consumers || s->tail == s->head;

    for (int i = 0; i < PRODUCERS; i++) {
        const process *p = &s->processes[i];
        good = good && (p->at == DONE || p->at == DEAD ||
                        (p->at == ASLEEP && !consumers && s->tail - s->head >= maxsize));
    }
    return good;
}

static bool is_anybody_dead_in_a_lock(const state *s)
{
    for (int i = 0; i < 2; i++) {
        if (s->locks[i] != NOBODY && is_dead(s, s->locks[i])) {
            return true;
        }
    }
    return false;
}

/* Where everybody has stopped. */
static void check_rest(const state *s)
{
    const bool good = is_good(s);

    nodes[current].good = good;
    if (!good && s->deaths == 0) {
        wrong("somebody sleeps through a wake-up though nobody has died");
    }
    if (good && !is_anybody_dead_in_a_lock(s) && granules_queued(s) != s->tail - s->head) {
        wrong("memory is lost");
    }
}

static void visit(uint32_t which)
{
    const state s = nodes[which].state;
    bool moved = false;

    current = which;
    for (int i = 0; i < PROCESSES; i++) {
        moved = step(&s, i) || moved;
        if (s.deaths < deaths_max && s.processes[i].at != DEAD && s.processes[i].at != DONE) {
            die(&s, i);
        }
    }
    moved = sweep(&s) || moved;
    if (!moved) {
        check_rest(&s);
    }
    for (int i = 0; i < PROCESSES && (!moved || s.early < early_max); i++) {
        time_out(&s, i, moved);
    }
}

/* From wherever it may come: a good end can be reached. */
static void check_ways(void)
{
    uint32_t *todo = must(malloc(node_count * sizeof *todo));
    size_t count = 0;

    for (size_t i = 0; i < node_count; i++) {
        if (nodes[i].good) {
            nodes[i].well = true;
            todo[count++] = (uint32_t)i;
        }
    }
    while (count > 0) {
        const node *one = &nodes[todo[--count]];
        for (uint32_t e = one->first_edge; e != 0; e = edges[e - 1].next) {
            node *from = &nodes[edges[e - 1].from];
            if (!from->well) {
                from->well = true;
                todo[count++] = edges[e - 1].from;
            }
        }
    }
    free(todo);
    for (size_t i = 0; i < node_count && !failed; i++) {
        if (!nodes[i].well) {
            current = (uint32_t)i;
            wrong("somebody waits for ever");
        }
    }
}

static void begin(state *s)
{
    memset(s, 0, sizeof *s);
    for (int i = 0; i < PROCESSES; i++) {
        s->processes[i].at = is_producer(i) ? PUT_BEGIN : TAKE_BEGIN;
        s->processes[i].granule = NONE;
    }
    s->begun = PRODUCERS;
    s->locks[0] = s->locks[1] = NOBODY;
    s->intents[0] = s->intents[1] = (intent){NONE, 0, 0};
}

static bool read_arguments(int argc, char **argv)
{
    int *const numbers[] = {&wanted, &deaths_max, &early_max, &maxsize, &mistake};

    for (int i = 1; i < argc && i <= 5; i++) {
        *numbers[i - 1] = atoi(argv[i]);
    }
    return argc <= 6 && wanted >= PRODUCERS && wanted <= MESSAGES_MAX && deaths_max >= 0 &&
           early_max >= 0 && maxsize >= 1 && mistake >= RIGHT && mistake < MISTAKES;
}

int main(int argc, char **argv)
{
    state first;

    if (!read_arguments(argc, argv)) {
        (void)fputs("Usage: explore_queue [MESSAGES DEATHS EARLY MAXSIZE [BREAK]]\n", stderr);
        return 2;
    }
    begin(&first);
    (void)find(&first);
    for (uint32_t i = 0; i < node_count && !failed; i++) {
        visit(i);
    }
    if (!failed) {
        check_ways();
    }
    printf("%zu states, %zu steps: %s\n", node_count, edge_count, failed ? "wrong" : "all is well");
    free(nodes);
    free(edges);
    free(slots);
    return failed ? 1 : 0;
}
