/* value.c - what does a setting's text mean? See settings.h. Those kinds that need a
 * distribution or own memory are scenario.c's: a client library has no use for them.
 *
 * Room:     src/scenario, the product. */
#include "scenario/settings.h"

#include "base/options.h"
#include "base/text.h"
#include "jobq/units.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int setting_out_of_range(const struct setting *st, const char *text,
                         struct jobq_error *err)
{
    char safe[60], word[24] = "";
    text_escape(text, (int64_t)strlen(text), safe, sizeof safe);
    if (st->words) {
        size_t len = 0;
        for (const char *p = st->words; *p && len < sizeof word - 8; p++)
            if (*p == '|')
                len = (memcpy(word + len, ", ", 2), len + 2);
            else
                word[len++] = *p;
        memcpy(word + len, " or ", 5);
    }
    return jobq_fail(err, JOBQ_LIMIT, "'%s' is out of range, want %s%s to %s", safe, word,
                     st->low, st->high);
}

/* The index of text among "a|b|c", or -1. */
static int value_word_index(const char *words, const char *text)
{
    size_t len = strlen(text);
    for (int i = 0; words && *words; i++) {
        size_t word = strcspn(words, "|");
        if (word == len && memcmp(words, text, len) == 0)
            return i;
        words += word + (words[word] == '|');
    }
    return -1;
}

/* "never" also goes by 0 where a zero would be out of range. */
static int value_word_value(const struct setting *st, const char *value)
{
    int word = value_word_index(st->words, value);
    if (word < 0 && strcmp(value, "0") == 0 && st->low && st->low[0] != '0')
        word = value_word_index(st->words, "never");
    return word;
}

static int value_parse_whole(enum setting_kind kind, const char *text, int64_t *out,
                             struct jobq_error *err)
{
    return kind == SETTING_DURATION ? jobq_parse_duration(text, out, err)
           : kind == SETTING_SIZE   ? jobq_parse_size(text, out, err)
                                    : jobq_parse_count(text, out, err);
}

static int value_integer(const struct setting *st, int64_t *to, const char *value,
                         struct jobq_error *err)
{
    int64_t got = 0, low = 0, high = 0;
    int word = value_word_value(st, value);
    if (word >= 0) {
        *to = -1 - word;
        return JOBQ_OK;
    }
    int code = value_parse_whole(st->kind, value, &got, err);
    if (code == JOBQ_LIMIT)
        return setting_out_of_range(st, value, err);
    if (code != JOBQ_OK)
        return code;
    value_parse_whole(st->kind, st->low, &low, err);
    value_parse_whole(st->kind, st->high, &high, err);
    if (got < low || got > high)
        return setting_out_of_range(st, value, err);
    *to = got;
    return JOBQ_OK;
}

static int value_number(const struct setting *st, double *to, const char *value,
                        struct jobq_error *err)
{
    double got, low = 0, high = 0;
    int word = value_word_value(st, value);
    if (word >= 0) {
        *to = -1 - word;
        return JOBQ_OK;
    }
    int code = jobq_parse_number(value, &got, err);
    if (code != JOBQ_OK)
        return code;
    jobq_parse_number(st->low, &low, err);
    jobq_parse_number(st->high, &high, err);
    if (!(got >= low && got <= high))
        return setting_out_of_range(st, value, err);
    *to = got;
    return JOBQ_OK;
}

static int value_choice(const struct setting *st, int64_t *to, const char *value,
                        struct jobq_error *err)
{
    char safe[60];
    int word = value_word_index(st->words, value);
    if (word >= 0) {
        *to = word;
        return JOBQ_OK;
    }
    text_escape(value, (int64_t)strlen(value), safe, sizeof safe);
    return jobq_fail(err, JOBQ_INVALID, "unknown value '%s', want %s", safe, st->words);
}

static int value_name(const struct setting *st, char *to, const char *value,
                      struct jobq_error *err)
{
    size_t len = strlen(value);
    if (len == 0 || len >= st->cap ||
        strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789.-") != len) {
        char safe[60];
        text_escape(value, (int64_t)len, safe, sizeof safe);
        return jobq_fail(err, JOBQ_INVALID,
                         "malformed name '%s', want 1 to %d of a-z, 0-9, '.' and '-'",
                         safe, (int)st->cap - 1);
    }
    memcpy(to, value, len + 1);
    return JOBQ_OK;
}

static int value_seed(uint64_t *to, const char *value, struct jobq_error *err)
{
    char *end;
    size_t digits = strspn(value, "0123456789");
    errno = 0;
    if (digits > 0 && value[digits] == '\0') {
        uint64_t seed = strtoull(value, &end, 10);
        if (errno == 0) {
            *to = seed;
            return JOBQ_OK;
        }
    }
    if (value[0] == '0' && value[1] == 'x' && strlen(value) <= 18 && strlen(value) > 2 &&
        strspn(value + 2, "0123456789abcdefABCDEF") == strlen(value) - 2) {
        *to = strtoull(value + 2, &end, 16);
        return JOBQ_OK;
    }
    char safe[60];
    text_escape(value, (int64_t)strlen(value), safe, sizeof safe);
    return jobq_fail(err, JOBQ_INVALID, "malformed seed '%s', want a number", safe);
}

int setting_read(const struct setting *st, void *field, const char *value,
                 struct jobq_error *err)
{
    switch (st->kind) {
    case SETTING_COUNT:
    case SETTING_SIZE:
    case SETTING_DURATION:
        return value_integer(st, field, value, err);
    case SETTING_NUMBER:
        return value_number(st, field, value, err);
    case SETTING_NAME:
        return value_name(st, field, value, err);
    case SETTING_FLAG:
        return options_yes(value, field, err);
    case SETTING_CHOICE:
        return value_choice(st, field, value, err);
    case SETTING_SEED:
        return value_seed(field, value, err);
    case SETTING_DIST:
    case SETTING_ARRIVALS:
    case SETTING_PATH:
    case SETTING_MODEL:
        break;
    }
    assert(false);
    return JOBQ_INVALID;
}

bool scenario_given(const struct scenario *s, const char *name)
{
    int index = setting_find(name);
    assert(index >= 0);
    return s->given[index];
}

int setting_take(struct scenario *scenario, uint32_t taker, const char *name,
                 const char *value, struct jobq_error *err)
{
    int index = setting_find(name);
    if (index < 0 || !(setting_at(index)->takers & taker))
        return setting_refuse(name, "", taker, setting_taker_name(taker), err);
    const struct setting *st = setting_at(index);
    if (setting_read(st, (char *)scenario + st->offset, value, err) < 0)
        return jobq_wrap(err, "%s", name);
    scenario->given[index] = true;
    return JOBQ_OK;
}

void setting_defaults(struct scenario *scenario, uint32_t taker)
{
    struct jobq_error err;
    *scenario = (struct scenario){0};
    for (int i = 0; i < setting_count(); i++)
        if (setting_at(i)->takers & taker) {
            int code = setting_take(scenario, taker, setting_at(i)->name,
                                    setting_at(i)->value, &err);
            assert(code == JOBQ_OK);
            (void)code;
        }
    memset(scenario->given, 0, sizeof scenario->given);
}
