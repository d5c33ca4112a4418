/* Kills children whose deadline has passed, whoever waits or not: a thread that there is only while
 * there are such children. */
#ifndef BROOD_SRC_WATCHDOG_H
#define BROOD_SRC_WATCHDOG_H

/// brood_watchdog_hold lets it run, before a child with a deadline is started.
int brood_watchdog_hold(void);

/// brood_watchdog_look lets it look at the children's deadlines again.
void brood_watchdog_look(void);

/// brood_watchdog_release ends one hold: the child has ended, or was not started.
void brood_watchdog_release(void);

#endif
