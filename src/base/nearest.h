/* nearest.h - finds the word that was probably meant ("did you mean").
 *
 * Room:     src/base, a tool.
 * Callers:  option parsers, subcommand tables, readers of settings.
 * Knows nothing of: what the words are for. */
#ifndef JOBQ_BASE_NEAREST_H
#define JOBQ_BASE_NEAREST_H

#include <stdbool.h>

/* The edit distance: how many letters must be inserted, deleted, changed or swapped with
 * their neighbour to turn one word into the other (optimal string alignment). 99 if
 * either word is longer than 31 bytes. */
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
