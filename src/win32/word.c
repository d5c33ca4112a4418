/* Bells (a word of shared memory is nothing this system waits for), and stamps of processes.
 *
 * A bell is an auto-reset event with a name that only those know who have the segment. Names of
 * events are gone with their last handle, so nothing is left behind. */
#include "win32.h"

#include <stdio.h>
#include <stdlib.h>

void brood_os_relax(void)
{
    YieldProcessor();
}

void brood_os_yield(void)
{
    (void)SwitchToThread();
}

void brood_os_sleep(int64_t deadline_ns)
{
    Sleep(brood_win32_left_ms(deadline_ns));
}

/* ---- words: not on this system, not between processes ---- */

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

/* A process handle tells of the end of the process itself. */
bool brood_os_witness_begin(void *room)
{
    (void)room;
    return false;
}

void brood_os_witness_end(void *room)
{
    (void)room;
}

/* ---- bells ---- */

struct brood_os_bells {
    unsigned char id[16];
    HANDLE volatile events[BROOD_OS_BELLS]; /* opened when they are first used */
};

int brood_os_bells_open(brood_os_bells **out, void *room, const unsigned char id[16], bool create)
{
    brood_os_bells *bells = BROOD_ALLOC(calloc(1, sizeof *bells));

    (void)room;
    (void)create;
    if (bells == NULL) {
        return brood_fail_nomem("the bells of a segment");
    }
    memcpy(bells->id, id, sizeof bells->id);
    *out = bells;
    return 0;
}

void brood_os_bells_close(brood_os_bells *bells)
{
    for (size_t i = 0; bells != NULL && i < BROOD_OS_BELLS; i++) {
        brood_win32_close(bells->events[i]);
    }
    free(bells);
}

/* NULL if there is no memory: its sleepers then look again by themselves. */
static HANDLE bell(brood_os_bells *bells, uint32_t index)
{
    HANDLE event = bells->events[index];
    HANDLE other;
    wchar_t name[64];
    wchar_t *at = name + swprintf(name, 64, L"Local\\brood-");

    if (event != NULL) {
        return event;
    }
    for (size_t i = 0; i < sizeof bells->id; i++) {
        at += swprintf(at, 3, L"%02x", bells->id[i]);
    }
    (void)swprintf(at, 8, L"-%u", (unsigned)index);
    event = CreateEventW(NULL, FALSE, FALSE, name); /* made or opened */
    if (event == NULL) {
        return NULL;
    }
    other = InterlockedCompareExchangePointer((PVOID volatile *)&bells->events[index], event, NULL);
    if (other != NULL) {
        brood_win32_close(event);
        event = other;
    }
    return event;
}

/* The process itself, NULL if it is not to be had or has ended. */
static HANDLE open_peer(const brood_os_peer *peer)
{
    return peer != NULL && peer->stamp != 0
               ? OpenProcess(SYNCHRONIZE, FALSE, (DWORD)(peer->stamp >> 32))
               : NULL;
}

void brood_os_bell_wait(brood_os_bells *bells, uint32_t index, const brood_os_peer *peer,
                        int64_t deadline_ns)
{
    const DWORD ms = brood_win32_left_ms(deadline_ns);
    HANDLE both[2] = {bell(bells, index), open_peer(peer)};

    if (both[0] == NULL) {
        Sleep(ms < 1 ? ms : 1);
    } else {
        (void)WaitForMultipleObjects(both[1] != NULL ? 2 : 1, both, FALSE, ms);
    }
    brood_win32_close(both[1]);
}

void brood_os_bell_ring(brood_os_bells *bells, uint32_t index)
{
    HANDLE event = bell(bells, index);

    if (event != NULL) {
        (void)SetEvent(event);
    }
}

/* ---- stamps ---- */

static uint32_t born_of(HANDLE process)
{
    FILETIME born = {0, 0};
    FILETIME other[3];

    (void)GetProcessTimes(process, &born, &other[0], &other[1], &other[2]);
    return born.dwLowDateTime ^ born.dwHighDateTime;
}

uint64_t brood_os_self_stamp(void)
{
    return (uint64_t)GetCurrentProcessId() << 32 | born_of(GetCurrentProcess());
}

bool brood_os_stamp_runs(uint64_t stamp)
{
    HANDLE process =
        OpenProcess(SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, (DWORD)(stamp >> 32));
    bool runs;

    if (process == NULL) {
        return GetLastError() != ERROR_INVALID_PARAMETER; /* which is: no such process */
    }
    runs = WaitForSingleObject(process, 0) == WAIT_TIMEOUT && born_of(process) == (uint32_t)stamp;
    brood_win32_close(process);
    return runs;
}

uint64_t brood_os_pid_space(void)
{
    return 0;
}
