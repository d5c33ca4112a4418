/* What is said when something is wrong: all moves that led there. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "world.h"

explore_event explore_last;

static void print_place(const volatile void *address)
{
    for (size_t i = 0; i < explore_set.part_count; i++) {
        const explore_part *part = &explore_set.parts[i];
        const volatile unsigned char *at = address;
        if (at >= part->data && at < part->data + part->size) {
            (void)printf("%s+%td", part->name, at - part->data);
            return;
        }
    }
    (void)printf("%p", (const void *)(uintptr_t)address);
}

static void print_word(const char *verb, const explore_event *event)
{
    (void)printf("%s ", verb);
    print_place(event->op.address);
    if (event->before == event->after) {
        (void)printf(": %llx\n", (unsigned long long)event->before);
    } else {
        (void)printf(": %llx -> %llx\n", (unsigned long long)event->before,
                     (unsigned long long)event->after);
    }
}

static void print_step(const explore_event *event)
{
    const unsigned long long a = event->op.a;

    switch ((explore_kind)event->op.kind) {
    case EXPLORE_BEGIN:
        (void)printf("begins\n");
        break;
    case EXPLORE_LOAD:
        print_word("reads", event);
        break;
    case EXPLORE_STORE:
        print_word("writes", event);
        break;
    case EXPLORE_EXCHANGE:
        print_word("exchanges", event);
        break;
    case EXPLORE_ADD:
    case EXPLORE_OR:
    case EXPLORE_AND:
        print_word("changes", event);
        break;
    case EXPLORE_CAS:
        print_word(event->before == event->op.a ? "cas" : "cas in vain of", event);
        break;
    case EXPLORE_PLAIN:
        (void)printf("%s\n", event->op.address != NULL ? (const char *)(uintptr_t)event->op.address
                                                       : "goes on");
        break;
    case EXPLORE_MUTEX:
        (void)printf("locks the process's mutex\n");
        break;
    case EXPLORE_RUNS:
        (void)printf("asks whether process %llu runs: %s\n", (a >> 32) % 100,
                     event->note != NULL ? event->note : "");
        break;
    case EXPLORE_SLEEP:
        (void)printf("goes to sleep if it is %llx, on ", a);
        print_place(event->op.address);
        (void)printf("; %s\n", event->note != NULL ? event->note : "it is");
        break;
    case EXPLORE_ASLEEP:
    case EXPLORE_ASLEEP_BELL:
    case EXPLORE_NAP:
        (void)printf("wakes up%s%s\n",
                     event->move.kind != EXPLORE_TIMEOUT ? ""
                     : event->move.forced                ? ", since the slice ends"
                                                         : " for no reason",
                     event->note != NULL ? event->note : "");
        break;
    case EXPLORE_WAKE:
        (void)printf("wakes %lld of ", (long long)(int32_t)a);
        print_place(event->op.address);
        (void)printf(" (way %u)\n", event->move.way);
        break;
    case EXPLORE_BELL:
        (void)printf("goes to sleep for bell %llu; %s\n", a,
                     event->note != NULL ? event->note : "it is silent");
        break;
    case EXPLORE_RING:
        (void)printf("rings bell %llu\n", a);
        break;
    case EXPLORE_AWAIT:
        (void)printf("has signal %llu\n", a);
        break;
    case EXPLORE_FLAG:
        (void)printf("sees the flag\n");
        break;
    case EXPLORE_DONE:
        (void)printf("is done\n");
        break;
    }
}

static void print_event(const explore_event *event)
{
    switch ((explore_move_kind)event->move.kind) {
    case EXPLORE_CRASH:
        (void)printf("    process %u is killed\n", event->move.who);
        break;
    case EXPLORE_RESTART:
        (void)printf("    process %u is started again\n", event->move.who);
        break;
    case EXPLORE_STEP:
    case EXPLORE_TIMEOUT:
        (void)printf("    thread %u (process %u) ", event->move.who,
                     explore_set.scenario->threads[event->move.who].process);
        print_step(event);
        break;
    }
}

void explore_object(const char *format, ...)
{
    const explore_scenario *scenario = explore_set.scenario;
    char words[256];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    (void)printf("%s: %s\n", scenario->name, words);
    if (scenario->objected != NULL && strstr(words, scenario->objected) != NULL) {
        (void)fflush(stdout);
        _exit(0);
    }
    explore_history(print_event);
    (void)fflush(stdout);
    _exit(1);
}
