/* Shared by the files with scripts. */
#ifndef BROOD_TESTS_EXPLORE_SCRIPTS_H
#define BROOD_TESTS_EXPLORE_SCRIPTS_H

#include "guard.h"
#include "script.h"

#define SCRIPT_LONG_MS 500000 /* until a thread is late */

/* ---- scripts_guard.c: a segment with a word that is a lock ---- */

brood_segment *script_segment(void);

void script_words(unsigned process);  /* made or attached */
void script_joined(unsigned process); /* and with a row */

void script_lock(void); /* takes it, gives it back */
void script_lock_twice(void);
void script_repair(void); /* takes it over if its owner died */
void script_late(void);   /* has a deadline */
void script_try(void);
void script_join(void);  /* takes a row, and repairs the lock */
void script_leave(void); /* leaves with the lock, and comes again */
void script_part(void);  /* leaves with the lock, which it had before, and for good */
void script_visit(void); /* takes a row, gives it back, takes one */

/* ---- scripts_places.c: two words to sleep for ---- */

void script_sleepers(unsigned process);
void script_used_places(unsigned process); /* in all three processes */
void script_sleep_0(void);
void script_sleep_1(void);
void script_wake_each(void);
void script_wake_both(void);

/* ---- scripts_heap.c: a lock that its maker has sent, once or twice, and gives up ---- */

void script_cells(unsigned process);
void script_cells_twice(unsigned process);
void script_make(void);
void script_receive_0(void);
void script_receive_1(void);
void script_pass_on(void);
void script_await_1(void);

/* ---- scripts_sync.c ---- */

void script_semaphore_of_0(unsigned process);
void script_semaphore_of_1(unsigned process);
void script_semaphore_of_2(unsigned process);
void script_permit(void); /* takes one, gives it back */
void script_permit_late(void);
void script_acquire(void); /* takes one for good */
void script_release_1(void);
void script_release_2(void);
bool script_no_permits(void);

void script_condition(unsigned process);
void script_condition_repaired(unsigned process);
void script_wait(void); /* until something was brought */
void script_wait_late(void);
void script_consume(void);    /* what was brought */
void script_bring_two(void);  /* one after the other */
void script_notify_all(void); /* of one thing */
bool script_nothing_brought(void);
void script_wait_on(void); /* these repair the lock and go on */
void script_bring_on(void);
void script_notify_in_vain(void);
bool script_nobody_brought(void);

void script_event(unsigned process);
void script_event_wait(void);
void script_event_late(void);
void script_event_poll(void);
void script_event_set(void);
void script_event_pulse(void); /* set, clear, set */
void script_event_clear_set(void);
bool script_event_unset(void);

void script_barrier_of_2(unsigned process);
void script_barrier_of_3(unsigned process);
void script_meet(void);
void script_meet_twice(void);
void script_meet_late(void);
void script_abort(void);
void script_all_passed(void);
bool script_nobody_missed(void);

/* ---- scripts_wrong.c ---- */

void wrong_exclusion(void);
void wrong_wake(void);
void wrong_memory(void);
void wrong_patience(void);
void wrong_burial(void);
void wrong_place(void);
void wrong_endless(void);

#endif
