/* nearest.h - which of some words was meant: "did you mean" of every program.
 *
 * Room:     src/base, a tool.
 * Callers:  option parsers, subcommand tables, readers of settings.
 * Knows nothing of: what the words are for. */
#ifndef JOBQ_BASE_NEAREST_H
#define JOBQ_BASE_NEAREST_H

#include <stdbool.h>

/* How many letters are to be put in, left out, changed or swapped with the next to get from
 * one word to the other (optimal string alignment). Words of more than 31 bytes are far (99) from all others. */
int nearest_distance(const char *a, const char *b);

/* The nearest so far. Zero it to init; borrows the words. */
struct nearest {
    const char *word; /* NULL: none is near enough */
    int distance;
};
/* Keeps `word` if it is nearer to `typed` than the one before: at most two letters off, or
 * a word that begins as typed. */
void nearest_try(struct nearest *best, const char *typed, const char *word);

#endif
