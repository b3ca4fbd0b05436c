/* scenario.h - what a fleet, its workload and its settings are: one struct for all programs.
 *
 * Room:     src/scenario, the product.
 * Callers:  the command lines, the simulator, the closed form's inputs, tests.
 * Knows nothing of: prices, models, worlds, what comes out.
 * Blocks:   scenario_read_file and scenario_finish read files.
 *
 * Command lines, scenario files (INI, keys of the same names) and sweeps all set a scenario
 * by a setting's name and text, through the one table of settings.h. A program reads the
 * settings that it needs: a file may hold the others too.
 *
 * Words such as "auto" and "never" are values of their own (SCENARIO_AUTO, ...), negative
 * ones; 0 is a zero. What a caller did not give holds the table's default, which is the same
 * in every program; where "not given" is a meaning of its own (the visibility timeout of a
 * queue that exists) scenario_given says so. */
#ifndef JOBQ_SCENARIO_SCENARIO_H
#define JOBQ_SCENARIO_SCENARIO_H

#include "scenario/trace.h"
#include "scenario/workload.h"

#include "base/text.h"
#include "jobq/error.h"

#include <stdbool.h>
#include <stdint.h>

/* A setting's first word, and its second: "auto", "never"; "all", "none". */
#define SCENARIO_AUTO (-1)
#define SCENARIO_NONE (-1)
#define SCENARIO_NEVER (-1)
#define SCENARIO_PROGRESS_NEVER (-2)

enum scenario_place {
    SCENARIO_PAYLOAD_AUTO,
    SCENARIO_PAYLOAD_MESSAGE,
    SCENARIO_PAYLOAD_STORE
};
enum scenario_boot { SCENARIO_BOOT_AUTO, SCENARIO_BOOT_MODEL, SCENARIO_BOOT_NONE };
enum scenario_store {
    SCENARIO_STORE_SIMPLEDB,
    SCENARIO_STORE_NONE,
    SCENARIO_STORE_DYNAMODB
};
enum scenario_rows {
    SCENARIO_ROWS_ALL,
    SCENARIO_ROWS_CLAIM,
    SCENARIO_ROWS_END,
    SCENARIO_ROWS_NONE
};
enum scenario_client { SCENARIO_CLIENT_IN_REGION, SCENARIO_CLIENT_INTERNET };

#define SCENARIO_SETTINGS_MAX 96

struct scenario {
    /* The workload. */
    int64_t jobs;          /* after scenario_finish also with a trace */
    int64_t payload_bytes; /* of each job */
    struct distribution job_time;
    double job_cv;        /* closed form: instead of job_time's own; SCENARIO_AUTO */
    double cpu_share;     /* of a job's time: what it computes; the rest it waits */
    int64_t memory_bytes; /* that a job needs; 0: not known */
    struct arrivals arrivals;
    char *trace_path; /* NULL: generated; owner: the scenario */
    struct trace_options trace_options;
    struct trace trace; /* read by scenario_finish; shared by copies, see scenario_copy */
    bool trace_owned;
    int64_t delay_ns, queued_ns;
    double status_per_job, cancel_checks, expansion, failure_share;
    /* The fleet. */
    int64_t boxes;       /* autoscaled: boxes_max, after scenario_finish */
    int64_t concurrency; /* slots a box */
    char instance[24];   /* "c7g.large"; "none": instance time is free */
    bool spot, public_ip, session_token;
    bool autoscale; /* boxes are started by the backlog; what follows says how */
    int64_t target_ns, scale_every_ns;
    int64_t boxes_min, boxes_max;
    double hour_usd_max; /* or SCENARIO_NONE */
    double vcpus;        /* SCENARIO_AUTO: by the type */
    double utilisation;  /* (0,1] */
    double volume_gib;
    int64_t boot;    /* enum scenario_boot */
    int64_t clients; /* enqueue calls that the client keeps going at once */
    int64_t client;  /* enum scenario_client: where it sits */
    /* The services. */
    char model[64];
    char region[32], date[16]; /* of the prices; "latest" */
    char *sets;    /* "sqs.duplicate_rate=0.01;..." changes of the model; NULL: none */
    int64_t store; /* enum scenario_store */
    int64_t rows;  /* enum scenario_rows; NONE: as store none */
    int64_t visibility_ns;
    int64_t domains;
    int64_t retention_ns; /* of a queue that is made: how long a message may wait */
    int64_t keep_ns;      /* of rows, from the end of their day */
    int64_t payload_in;   /* enum scenario_place */
    int64_t pipeline;     /* batches of enqueue under way at once */
    /* The drainer. */
    int64_t wait_ns;
    int64_t batch;    /* 1..10 */
    int64_t prefetch; /* messages, or SCENARIO_AUTO */
    int64_t receives; /* under way at once */
    int64_t attempts; /* after so many a job is dead */
    int64_t backoff_ns, linger_ns;
    int64_t time_limit_ns, memory_limit_bytes, cpu_limit_ns; /* or SCENARIO_NONE */
    int64_t kill_grace_ns, drain_timeout_ns;
    int64_t cancel_check_ns, stats_ns, notice_ns, idle_exit_ns; /* or SCENARIO_NEVER */
    bool idle_alone;         /* idle_exit_ns is of one drainer, whatever others hold */
    int64_t housekeeping_ns; /* one drainer of the queue keeps house so often, or NEVER */
    int64_t progress_ns;     /* or SCENARIO_AUTO, SCENARIO_PROGRESS_NEVER */
    int64_t refresh_ns;      /* of the status page */
    /* The experiment. */
    uint64_t seed;
    int64_t reps;
    int64_t threads;                   /* SCENARIO_AUTO: as many as there are cores */
    bool given[SCENARIO_SETTINGS_MAX]; /* by index of the table */
};

/* The defaults. Release it afterwards. */
void scenario_init(struct scenario *scenario);
void scenario_release(struct scenario *scenario);
/* An independent copy, but for the trace's arrays, which stay the original's: release it
 * before the original. */
void scenario_copy(struct scenario *out, const struct scenario *from);

/* Set one setting by its name (without dashes) from text; a flag takes yes or no.
 * NOT_FOUND: no such setting (the text suggests one); INVALID: malformed; LIMIT: out of
 * range, and the text names the range. The text does not name the setting. */
int scenario_set(struct scenario *scenario, const char *name, const char *value,
                 struct jobq_error *err);
/* Set every key of an INI file ([scenario], or no section), errors with FILE:LINE. Settings
 * that no program of yours uses are checked all the same. */
int scenario_read_file(struct scenario *scenario, const char *path,
                       struct jobq_error *err);
/* Where rows are kept, NONE also for rows none. */
enum scenario_store scenario_store(const struct scenario *scenario);
bool scenario_given(const struct scenario *scenario, const char *name);

/* Resolve what depends on other settings (the ideal model's defaults, the instance type of
 * 2012, the trace) and check what only the whole shows. Call once. */
int scenario_finish(struct scenario *scenario, struct jobq_error *err);
/* What a drainer refuses to start with (fleet/housekeeping/housekeeping.h): rows kept for less
 * than their messages can live. INVALID. */
int scenario_check_keep(const struct scenario *scenario, struct jobq_error *err);
/* The instance type that is meant where none is given: the smallest that a fleet of that
 * model's year would take. */
const char *scenario_default_instance(const char *model);

/* One setting's value, without the name: what scenario_set reads. */
void scenario_put_value(const struct scenario *scenario, int index, struct text *out);
/* All settings that change a result of `takers` (settings.h), "name=value" separated by
 * single blanks, in the table's order. */
void scenario_put_normal(const struct scenario *scenario, uint32_t takers,
                         struct text *out);
/* The same as a scenario file. */
void scenario_put_file(const struct scenario *scenario, uint32_t takers,
                       struct text *out);
/* Of the values that the trace and the empirical distributions hold: two scenarios of one
 * normal form whose files differ differ here (FNV-1a, a value at a time). */
uint64_t scenario_files_hash(const struct scenario *scenario);

#endif
