/* Shared by the files with scripts. */
#ifndef BROOD_TESTS_EXPLORE_SCRIPTS_H
#define BROOD_TESTS_EXPLORE_SCRIPTS_H

#include "guard.h"
#include "script.h"

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

/* ---- scripts_wrong.c ---- */

void wrong_exclusion(void);
void wrong_wake(void);
void wrong_memory(void);
void wrong_patience(void);
void wrong_burial(void);
void wrong_place(void);
void wrong_endless(void);

#endif
