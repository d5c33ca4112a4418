/* What the instrumented library calls instead of the processor's atomic operations and the memory
 * allocator. Each operation on a word that others can see is a step: the explorer decides who makes
 * the next one. Steps are sequentially consistent, whatever order was asked for: what a weaker
 * processor may reorder is not explored. */
#ifndef BROOD_TESTS_EXPLORE_HOOKS_H
#define BROOD_TESTS_EXPLORE_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint64_t explore_load(const volatile void *word, size_t size);
void explore_store(volatile void *word, size_t size, uint64_t x);
uint64_t explore_exchange(volatile void *word, size_t size, uint64_t x);
uint64_t explore_add(volatile void *word, size_t size, uint64_t x);
uint64_t explore_or(volatile void *word, size_t size, uint64_t x);
uint64_t explore_and(volatile void *word, size_t size, uint64_t x);
bool explore_cas(volatile void *word, size_t size, void *expected, uint64_t x);

void *explore_calloc(size_t count, size_t size);
void *explore_malloc(size_t size);
void *explore_realloc(void *data, size_t size);
void explore_free(void *data);

#endif
