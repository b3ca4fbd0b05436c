/* scenario.h - what is simulated: one struct, and the texts that people set it by.
 *
 * Room:     sim, the virtual-time world.
 * Callers:  run, the sweep, torture, the jobqsim commands, tests.
 * Knows nothing of: worlds, results, how a run is printed.
 * Blocks:   scenario_read_file and scenario_finish read files.
 *
 * The command line, a scenario file (INI, keys of the same names) and the sweep all set
 * options by name and text through scenario_set, so that there is one list of names, one
 * parser and one set of limits. Then scenario_finish checks what only shows in the whole.
 */
#ifndef JOBQ_SIM_PLAY_SCENARIO_H
#define JOBQ_SIM_PLAY_SCENARIO_H

#include "sim/play/trace.h"
#include "sim/play/workload.h"

#include "base/text.h"
#include "jobq/error.h"

#include <stdbool.h>
#include <stdint.h>

#define SCENARIO_PREFETCH_AUTO (-1)

enum scenario_place {
    SCENARIO_PAYLOAD_AUTO,
    SCENARIO_PAYLOAD_MESSAGE,
    SCENARIO_PAYLOAD_STORE
};
enum scenario_boot { SCENARIO_BOOT_AUTO, SCENARIO_BOOT_MODEL, SCENARIO_BOOT_NONE };
enum scenario_store { SCENARIO_STORE_SIMPLEDB, SCENARIO_STORE_NONE };
enum scenario_client { SCENARIO_CLIENT_IN_REGION, SCENARIO_CLIENT_INTERNET };

struct scenario {
    /* The workload. */
    int64_t jobs;          /* after scenario_finish also with a trace */
    int64_t payload_bytes; /* of each job */
    struct distribution job_time;
    double cpu_share; /* of a job's time: what it computes; the rest it waits */
    struct arrivals arrivals;
    char *trace_path; /* NULL: generated; owner: the scenario */
    struct trace_options trace_options;
    struct trace trace; /* read by scenario_finish; shared by copies, see scenario_copy */
    bool trace_owned;
    /* The fleet. */
    int64_t boxes;
    int64_t concurrency; /* slots a box */
    char instance[24];   /* "c7g.large" */
    bool spot;
    int64_t boot;    /* enum scenario_boot */
    int64_t clients; /* enqueue calls that the client keeps going at once */
    int64_t client;  /* enum scenario_client: where it sits */
    /* The services and the drainer's settings. */
    char model[64];
    char *sets;    /* "sqs.duplicate_rate=0.01;..." changes of the model; NULL: none */
    int64_t store; /* enum scenario_store */
    int64_t visibility_ns;
    int64_t wait_ns;
    int64_t batch;    /* 1..10 */
    int64_t prefetch; /* messages, or SCENARIO_PREFETCH_AUTO */
    int64_t domains;
    int64_t keep_ns;    /* how long a row stays after its job has ended */
    int64_t payload_in; /* enum scenario_place */
    int64_t attempts;   /* after so many a job is dead */
    /* The experiment. */
    uint64_t seed;
    int64_t reps;
    int64_t threads; /* 0: as many as there are cores */
    /* Outputs; none of these changes a result. Owner of the texts: the scenario. */
    bool json, timing;
    char *jobs_csv;
    char *page;
    uint64_t given; /* bit i: option i of the table was set */
};

/* One option, for help, the sweep and whoever walks them. */
struct scenario_option {
    const char *name;    /* "job-time" */
    const char *metavar; /* "DIST"; NULL: a flag, which takes no value */
    const char *help;    /* one line of at most 54 columns */
    bool output;         /* changes what is printed, never a result */
};
int scenario_option_count(void);
const struct scenario_option *scenario_option_at(int index);
/* The table's index, or -1. */
int scenario_option_find(const char *name);
/* The option's name that is nearest to a mistyped one, or NULL if none is near. */
const char *scenario_option_nearest(const char *name);

/* The defaults. Release it afterwards. */
void scenario_init(struct scenario *scenario);
void scenario_release(struct scenario *scenario);
/* An independent copy, but for the trace's arrays, which stay the original's: release it
 * before the original. */
void scenario_copy(struct scenario *out, const struct scenario *from);

/* Set one option by its name (without dashes) from text; a flag takes yes or no.
 * INVALID: no such option (the text suggests one) or malformed; LIMIT: out of range, and
 * the text names the range. */
int scenario_set(struct scenario *scenario, const char *name, const char *value,
                 struct jobq_error *err);
/* Set every key of an INI file, errors with FILE:LINE. */
int scenario_read_file(struct scenario *scenario, const char *path,
                       struct jobq_error *err);
bool scenario_given(const struct scenario *scenario, const char *name);
/* How an option's value is written: 'N' count, 'B' size, 'S' duration (or a distribution of
 * them), 'F' number, 'T' any other text. */
char scenario_option_unit(int index);

/* Resolve what depends on other options (the ideal model's defaults, the trace) and check
 * what only the whole shows. Call once, before any world is made. */
int scenario_finish(struct scenario *scenario, struct jobq_error *err);

/* One option's value in its normal form, without the name: what scenario_set would read
 * (files by the last part of their name and a hash of what they held). */
void scenario_put_option(const struct scenario *scenario, int index, struct text *out);
/* All that can change a result, "name=value" separated by single blanks, in the table's
 * order; not threads, outputs or paths. */
void scenario_put_normal(const struct scenario *scenario, struct text *out);
/* FNV-1a of the normal form. */
uint64_t scenario_hash(const struct scenario *scenario);

#endif
