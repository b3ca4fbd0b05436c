/* settings.h - the one table of settings: names, units, ranges, defaults, and who takes them.
 *
 * Room:     src/scenario, the product.
 * Callers:  scenario.c (parsing, the normal form), commandline.c (options, help, completion),
 *           libjobq, the sweep's axes, the closed form's inputs, tests.
 * Knows nothing of: what a setting does.
 *
 * A new setting is a field of struct scenario and a row here; it then has its option, its
 * help, its place in completion, manual, scenario files and sweeps. */
#ifndef JOBQ_SCENARIO_SETTINGS_H
#define JOBQ_SCENARIO_SETTINGS_H

#include "scenario/scenario.h"

#include <stddef.h>

enum setting_kind {
    SETTING_COUNT,    /* int64_t */
    SETTING_SIZE,     /* int64_t bytes */
    SETTING_DURATION, /* int64_t ns */
    SETTING_NUMBER,   /* double */
    SETTING_DIST,     /* struct distribution; the range is of its mean */
    SETTING_ARRIVALS, /* struct arrivals; the range is of its rate */
    SETTING_NAME,     /* char array of `cap` bytes */
    SETTING_PATH,     /* char *, NULL: "none" */
    SETTING_MODEL,    /* char *, each setting adds to it behind a ';'; NULL: "none" */
    SETTING_FLAG,     /* bool */
    SETTING_CHOICE,   /* int64_t, an index into the words */
    SETTING_SEED      /* uint64_t */
};

/* The programs and subcommands that take settings. */
enum setting_taker {
    TAKER_RUN = 1 << 0,     /* jobqsim run */
    TAKER_SWEEP = 1 << 1,   /* jobqsim sweep */
    TAKER_TORTURE = 1 << 2, /* jobqsim torture */
    TAKER_COST = 1 << 3,    /* jobqcost eval, solve, optimise, compare, check, report */
    TAKER_ENQUEUE = 1 << 4, /* jobq ... */
    TAKER_DRAIN = 1 << 5,
    TAKER_SPAWN = 1 << 6,
    TAKER_SERVE = 1 << 7,
    TAKER_DLQ = 1 << 8,
    TAKER_DOCTOR = 1 << 9,
    TAKER_PRUNE = 1 << 10,
    TAKER_REPAIR = 1 << 11,
    TAKER_MOCK = 1 << 12,    /* jobqmock */
    TAKER_LIBRARY = 1 << 13, /* libjobq, its Python class */
    TAKER_STATUS = 1 << 14,
    TAKER_LIST = 1 << 15,
    TAKER_ROWS = 1 << 16,  /* jobq wait, cancel, purge */
    TAKER_SCALE = 1 << 17, /* jobq autoscale */
    TAKER_JOB = 1 << 18,   /* one job of libjobq */
    TAKER_SIM = TAKER_RUN | TAKER_SWEEP,
    TAKER_BOX = TAKER_DRAIN | TAKER_SPAWN /* spawn tells the drainers of its boxes */
};
#define TAKER_COUNT 19
/* "jobqsim run", of one bit. Static storage. */
const char *setting_taker_name(uint32_t taker);

struct setting {
    const char *name; /* "wait" */
    char letter;      /* 0: none */
    const char *arg;  /* "T"; the words of a choice; NULL: a flag */
    enum setting_kind kind;
    size_t offset;          /* in struct scenario */
    const char *value;      /* the default, as it is written */
    const char *low, *high; /* the range, as it is written; NULL: none */
    const char *words; /* "auto|never": values beside the range, SCENARIO_AUTO, -2; of
                                a choice: all that there are; else NULL */
    uint32_t takers;
    const char *help;
    size_t cap; /* of SETTING_NAME */
    bool same;  /* changes no result (threads) */
};

int setting_count(void);
const struct setting *setting_at(int index);
int setting_find(const char *name); /* or -1 */
/* A setting's former or usual other name ("slots"), as the right one; NULL: none. */
const char *setting_renamed(const char *name);
/* "unknown setting 'kep'; did you mean 'keep'?". Returns NOT_FOUND. */
int setting_unknown(const char *name, struct jobq_error *err);
/* The same of a name that `who` (of these takers) does not take: INVALID, with who does if it is
 * a setting. dash is put before the names: "--" or "". */
int setting_refuse(const char *name, const char *dash, uint32_t takers, const char *who,
                   struct jobq_error *err);

/* Reads a value of a kind that owns no memory and is no distribution into its field.
 * INVALID: malformed; LIMIT: out of range, and the text names the range. */
int setting_read(const struct setting *st, void *field, const char *value,
                 struct jobq_error *err);
/* LIMIT, and the range. */
int setting_out_of_range(const struct setting *st, const char *text,
                         struct jobq_error *err);

/* For programs whose settings are all of these kinds: the defaults, nothing to release; and one
 * by name, whose errors name it (NOT_FOUND, INVALID, LIMIT). */
void setting_defaults(struct scenario *scenario, uint32_t taker);
int setting_take(struct scenario *scenario, uint32_t taker, const char *name,
                 const char *value, struct jobq_error *err);

#endif
