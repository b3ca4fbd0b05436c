/* number.h - DynamoDB's numbers: decimals of 38 significant digits.
 *
 * Room:     models, the facts.
 * Callers:  the DynamoDB model.
 * Knows nothing of: items, expressions.
 *
 * Source: DynamoDB developer guide, naming rules and data types: up to 38 significant
 * digits; positive from 1E-130 to 9.9999999999999999999999999999999999999E+125, negative
 * likewise. Zeros before and behind are trimmed, so that a value has one text, and equal
 * texts are equal numbers. */
#ifndef JOBQ_MODELS_DYNAMODB_NUMBER_H
#define JOBQ_MODELS_DYNAMODB_NUMBER_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    NUMBER_DIGITS = 38,
    NUMBER_EXPONENT_MAX = 125,
    NUMBER_EXPONENT_MIN = -130,
    NUMBER_TEXT_MAX = 2 + 1 + 130 + NUMBER_DIGITS /* "-0." and the zeros of 1E-130 */
};

/* d[0].d[1]d[2]... x 10^exponent, d[0] and the last digit not zero; digits 0: zero. */
struct number {
    bool negative;
    int digits, exponent;
    int8_t d[NUMBER_DIGITS];
};

enum number_fault {
    NUMBER_OK,
    NUMBER_MALFORMED,
    NUMBER_TOO_LONG, /* more than 38 significant digits */
    NUMBER_OVERFLOW,
    NUMBER_UNDERFLOW
};

enum number_fault number_read(struct jobq_str text, struct number *out);
/* Plain notation, no exponent, at out (NUMBER_TEXT_MAX bytes); returns its length. */
int number_write(const struct number *number, char *out);
/* Below 0, 0 or above 0, as a is less, equal or more. */
int number_compare(const struct number *a, const struct number *b);
/* a + b, or a - b. TOO_LONG when the exact sum has more than 38 digits. */
enum number_fault number_add(const struct number *a, const struct number *b, bool minus,
                             struct number *out);
/* What an item is charged for it: a byte for every two digits, one more, and one for a
 * minus (developer guide, item sizes). */
int number_bytes(const struct number *number);
/* The same of a number in number_write's text. */
int number_text_bytes(struct jobq_str text);

#endif
