/* predict.h - the closed form: what one job uses, from the workload and the settings.
 *
 * Room:     src/cost, the money.
 * Callers:  jobqcost, fit (its terms and the values beside them), jobq's explain-cost.
 * Knows nothing of: prices. No I/O, no clock, no dice.
 * Units:    seconds and bytes as double in a scenario; usage a job.
 *
 * It answers two questions, chosen by `jobs`:
 * - jobs == 0: the marginal cost of one more job for a fleet that runs at `utilisation`
 *   (default 1: every slot busy, so no idle time and no empty receive).
 * - jobs > 0: a run of that many on `boxes` boxes, asked for at the start: also boot (boxes
 *   are ready one by one), the tail in which slots run dry, and each instance's rounding.
 *
 * It goes in two steps. predict_state works out what is not linear (how full batches are,
 * how far jobs are stretched, which ceiling binds); then each line of the usage is a sum
 * of coefficient x term (cost/fit/basis.h), the same terms that the fit regresses on. */
#ifndef JOBQ_COST_PREDICT_PREDICT_H
#define JOBQ_COST_PREDICT_PREDICT_H

#include "cost/ledger/usage.h"
#include "jobq/error.h"
#include "scenario/scenario.h"

#include <stdbool.h>

enum predict_store { PREDICT_SIMPLEDB, PREDICT_DYNAMODB, PREDICT_NO_STORE };
/* When a job's row is written: at enqueue, claim and end; not at enqueue; at the end alone. */
enum predict_rows {
    PREDICT_ROWS_ALL,
    PREDICT_ROWS_CLAIM,
    PREDICT_ROWS_END,
    PREDICT_ROWS_NONE
};
enum predict_payload_in { PREDICT_PAYLOAD_AUTO, PREDICT_IN_MESSAGE, PREDICT_IN_STORE };

/* What is known of the spread of job times beyond its coefficient of variation: the tail of a
 * run depends on it. TWO_MOMENTS: nothing, such as of a trace. */
enum predict_family {
    PREDICT_TWO_MOMENTS,
    PREDICT_CONSTANT,
    PREDICT_UNIFORM,
    PREDICT_EXPONENTIAL,
    PREDICT_LOGNORMAL,
    PREDICT_GAMMA,
    PREDICT_WEIBULL,
    PREDICT_PARETO
};

/* The numeric inputs: a formula's domain bounds them, solve and optimise may vary them.
 * X(enumerator, field, option name, kind); kind is the type of the text: S duration, B
 * size, N count, F number. */
#define PREDICT_INPUTS(X)                                                                \
    X(PAYLOAD, payload_bytes, "payload", B) /* 0..; of one job */                        \
    X(JOB_TIME, job_s, "job-time", S)       /* mean, alone on a box */                   \
    X(JOB_CV, job_cv, "job-cv", F)          /* its coefficient of variation */           \
    X(CPU_SHARE, cpu_share, "cpu-share", F) /* 0..1 of the job time is CPU */            \
    X(MEMORY, memory_bytes, "memory", B)    /* of a job; 0: not known */                 \
    X(CONCURRENCY, slots, "concurrency", N) /* slots a box */                            \
    X(BOXES, boxes, "boxes", N)                                                          \
    X(VCPUS, vcpus, "vcpus", F)                   /* of a box; 0: by its type */         \
    X(UTILISATION, utilisation, "utilisation", F) /* (0,1] of slot time in attempts */   \
    X(ARRIVALS, arrivals_per_s, "arrivals", F) /* jobs a second offered to all boxes; \
                                                     0: not given, see utilisation */  \
    X(JOBS, jobs, "jobs", N)                   /* 0: marginal */                         \
    X(BATCH, batch, "batch", N)                /* 1..10 messages a call */               \
    X(PREFETCH, prefetch, "prefetch", N)       /* held beyond the slots; -1: auto */     \
    X(WAIT, wait_s, "wait", S)                 /* long poll, 0..20 s */                  \
    X(VISIBILITY, visibility_s, "visibility", S) /* 0..12 h */                           \
    X(DOMAINS, domains, "domains", N)                                                    \
    X(RETENTION, retention_s, "retention", S)   /* of the queue; changes no cost */      \
    X(KEEP, keep_s, "keep", S)                  /* how long a row stays after its end */ \
    X(HOUSEKEEPING, house_s, "housekeeping", S) /* every so often; 0: never */           \
    X(QUEUED, queued_s, "queued", S)            /* mean time in the queue */             \
    X(STATUS, status_per_job, "status", F)      /* status reads a job */                 \
    X(CANCEL_CHECKS, cancel_checks, "cancel-checks", F) /* row reads a job, by beats */  \
    /* Wire bytes a payload byte in a query; 1: only unreserved characters. */           \
    X(EXPANSION, expansion, "expansion", F)                                              \
    X(FAILURE, failure_share, "failures", F) /* attempts that fail, [0,1) */             \
    X(VOLUME_GIB, volume_gib, "volume", F)   /* EBS root volume of a box */

enum predict_input {
#define PREDICT_INPUT_ENUM(id, field, option, kind) PREDICT_##id,
    PREDICT_INPUTS(PREDICT_INPUT_ENUM)
#undef PREDICT_INPUT_ENUM
        PREDICT_INPUT_COUNT
};

struct predict_scenario {
#define PREDICT_INPUT_FIELD(id, field, option, kind) double field;
    PREDICT_INPUTS(PREDICT_INPUT_FIELD)
#undef PREDICT_INPUT_FIELD
    enum predict_family family; /* of job times; moments by job_s and job_cv */
    char instance[24];          /* "none": instance time is free and not counted */
    bool spot;
    bool public_ip;
    bool client_internet;     /* the enqueuer is not in the region */
    bool session_token;       /* requests carry a session token */
    bool no_boot;             /* the boxes run already */
    enum predict_store store; /* none too if no rows are written */
    enum predict_store
        asked_store; /* the setting's own word, for when rows are wanted again */
    enum predict_rows rows;
    enum predict_payload_in payload_in;
    char era[12]; /* parameter set: "aws-2026", "aws-2012" */
};

/* What the closed form takes from the models: mean times and limits. The defaults are
 * the means of models/params (lognormal of median 9 ms and 99th percentile 90 ms: 14.7
 * ms; 18 and 200: 30.8 ms; rows 35 and 150: 42.6 ms); a fit may replace those that it
 * estimates. X(field, aws-2026, aws-2012). */
/* clang-format off */
#define PREDICT_PARAMS(X)                                                                  \
    X(receive_s, 0.0147, 0.0308)        /* one receive of messages that wait */            \
    X(put_s, 0.0426, 0.0426)            /* one row write */                                \
    X(item_put_s, 0.00597, 0.00597)     /* the same in DynamoDB: lognormal, 5 ms and 20 */ \
    X(boot_s, 10.8, 70)                 /* running to the first receive: billed */         \
    X(pending_s, 18.5, 28.7)            /* asked for, not yet running: not billed */       \
    X(linger_s, 5, 5)                   /* longest wait of a delete for more of them;
                                         * <= visibility / 4 */\
    X(beat_share, 0.475, 0.475)         /* of the visibility between beats: half, jittered */\
    X(receives, 4, 4)                   /* receives under way at once in a drainer */      \
    X(enqueue_calls, 64, 64)            /* enqueue calls under way at once */              \
    X(domain_writes_per_s, 70, 70)      /* row writes of a domain */                       \
    X(table_s, 12.8, 12.8)              /* a DynamoDB table being made, 8 s, until a retry
                                         * with doubled delays finds it */\
    X(table_units_per_s, 4000, 0)       /* write units of a new on-demand table; 0: there
                                         * are none, and provisioned ones have what is
                                         * asked for */\
    X(read_unit_bytes, 4096, 1024)      /* of a row, read consistently for one unit */     \
    X(batched_row_writes, 0, 0)         /* how much a batched row counts towards that
                                         * limit: not known */\
    X(in_flight_max, 120000, 120000)    /* messages received and not deleted */            \
    X(launches_per_s, 2, 2)             /* boxes, once the burst is used up */             \
    X(launch_burst, 1000, 1000)         /* boxes at once */                                \
    X(message_max_bytes, 1048576, 65536)/* of a message, and of a batch */                 \
    X(long_poll, 1, 1)                  /* 0 before 2012-11-08: all polls are short */     \
    X(queue_bytes, 4, 4)                /* of the queue's name */                          \
    X(token_bytes, 900, 0)              /* of a session token, if requests carry one */
/* clang-format on */

struct predict_params {
#define PREDICT_PARAM_FIELD(field, now, then) double field;
    PREDICT_PARAMS(PREDICT_PARAM_FIELD)
#undef PREDICT_PARAM_FIELD
};

enum predict_binding {
    PREDICT_BOUND_SLOTS,     /* slots x boxes over the job time: the usual one */
    PREDICT_BOUND_VCPU,      /* the processors are full: jobs take longer */
    PREDICT_BOUND_DOMAINS,   /* row writes */
    PREDICT_BOUND_TABLE,     /* the same of a DynamoDB table: write units */
    PREDICT_BOUND_IN_FLIGHT, /* messages received and not deleted */
    PREDICT_BOUND_LAUNCH,    /* boxes do not start fast enough */
    PREDICT_BOUND_COUNT
};

/* Intermediate values between the scenario and the lines, which the terms read. */
struct predict_state {
    double stretch;       /* >= 1: job time shared with others over job time alone */
    double hold_s;        /* a slot's time in one attempt: claim, job, final put; without
                             what refused puts add */
    double attempts;      /* a job, >= 1 */
    double send_batch;    /* messages a send */
    double receive_batch; /* messages a receive that returns any */
    double delete_batch;
    double row_batch;   /* rows a batch put; 1: single puts */
    double single_rows; /* share of rows that are put alone */
    double group_jobs;  /* jobs that the enqueuer takes at once */
    double group_calls; /* row puts for them, each to the next domain */
    double group_first; /* share of their rows in the first of these */
    double enqueue_row; /* 1: the enqueuer writes a row; 0: none */
    double
        slot_puts; /* row writes of an attempt: claim and final state, or one, or none */
    double job_puts; /* the same of a job: an attempt that fails may write none */
    double put_s;    /* one row write, by its store */
    double write_units, read_units; /* DynamoDB's, a job */
    double enqueue_units;           /* of these: the enqueuer's */
    double row_tries;               /* >= 1: puts of rows asked for a put that is taken */
    double put_tries;               /* >= 1: the same of claims and final states */
    double refused_s; /* slot time an attempt spends on refused puts and the waits
                           * after them */
    double empty;     /* empty receives a job, of a fleet at work */
    double polls;     /* of a run: empty receives a job once the queue is empty */
    double
        work_s; /* of a run: from its first receive until the mean last job of a slot ends */
    double
        backlog; /* of a run: share of its jobs that wait when the first box is ready */
    double beat_batch;       /* messages a beat */
    double beats;            /* visibility requests a job */
    double prefetch;         /* messages held beyond the slots; auto resolved */
    double row_attrs;        /* attribute values in the enqueuer's put */
    double payload_attrs;    /* of them: pieces of the payload */
    double body_bytes;       /* message body */
    double queued_row_bytes; /* billed bytes of a row before its first claim */
    double row_bytes;        /* billed bytes of a finished row, overheads included */
    double get_attrs;        /* distinct names in a row read */
    double reads; /* row reads a job: status, cancel checks, payload in store, and of each
                   * attempt after the first one */
    double rate_per_s; /* jobs a second that the fleet of the scenario does */
    double ceiling_per_s[PREDICT_BOUND_COUNT];
    enum predict_binding binding;
    double utilisation; /* after ceilings: slot time in attempts over slot time */
    double busy_s, idle_s, boot_s; /* instance seconds a job */
    double doubt; /* relative standard deviation of the sum of these, the model's own */
    double queued_s;   /* between enqueue and start */
    double makespan_s; /* of a run, once a box is up; 0: marginal */
    double tables; /* created and dropped, a job: each day's domains, and the drainers'
                    * own */
    /* Housekeeping a job: done, asked for (reads), and young queues looked at (lists). */
    double house_rounds, house_asks, house_looks;
    double
        table_wait_s; /* of a run: how long a slot waits until the table of its first row is
                          * made, where no enqueuer made it */
    double end_s;     /* of a run at its domains' limit, from its start; else 0 */
    double wire_out, wire_in, client_out, client_in; /* bytes a job */
    double too_long; /* share of jobs that take longer than a message is held, 12 h */
};

/* The one conversion: what the closed form takes of a scenario. A trace that was read gives
 * mean and spread of the job times. jobs and boxes are those of the scenario: who asks for the
 * marginal cost sets jobs to 0. */
void predict_from_scenario(const struct scenario *scenario, struct predict_scenario *out);
/* The table's defaults, and marginal. */
void predict_defaults(struct predict_scenario *out);
/* Returns JOBQ_OK; NOT_FOUND: no such model. */
int predict_params_for(const char *era, struct predict_params *out,
                       struct jobq_error *err);
/* What the scenario says of the parameters: boxes that run already do not boot. */
void predict_params_of(const struct predict_scenario *scenario,
                       struct predict_params *params);
/* Parameters by index, for a fit that estimates some and a formula that keeps them. */
int predict_param_count(void);
const char *predict_param_name(int index); /* "put_s" */
double predict_param_get(const struct predict_params *params, int index);
void predict_param_put(struct predict_params *params, int index, double value);

/* Set one setting that the closed form takes by its name and text (scenario/settings.h); "era"
 * for the model in stored files. NOT_FOUND: no such setting; INVALID or LIMIT: names the value
 * and the limit. */
int predict_set(struct predict_scenario *scenario, const char *option, const char *text,
                struct jobq_error *err);
/* True for inputs that are whole numbers (bytes, counts). */
bool predict_input_whole(enum predict_input input);
const char *predict_store_name(enum predict_store store); /* "simpledb" */
const char *predict_rows_name(enum predict_rows rows);    /* "all" */
/* What a person does without, against rows at enqueue, claim and end; "": nothing. */
const char *predict_gives_up(enum predict_store store, enum predict_rows rows);
double predict_get(const struct predict_scenario *scenario, enum predict_input input);
void predict_put(struct predict_scenario *scenario, enum predict_input input,
                 double value);
const char *predict_input_name(enum predict_input input);
/* The input's value as predict_set reads it ("64KiB", "250ms"). Returns out. */
char *predict_input_text(enum predict_input input, double value, char *out, int cap);
int predict_input_find(const char *option);                     /* or -1 */
const char *predict_binding_name(enum predict_binding binding); /* "domains" */

/* Refuses what the services would refuse: a payload over the row's or the message's
 * limit, a batch over 10, a visibility over 12 h; also zero slots. */
int predict_check(const struct predict_scenario *scenario,
                  const struct predict_params *params, struct jobq_error *err);

/* Refuses more slots than the box has memory or processors for; types and jobs of unknown size
 * pass. LIMIT: the text names what there is, and how many slots fit. */
int predict_fits(const struct predict_scenario *scenario, struct jobq_error *err);

/* Refuses arrivals, without an end, that the fleet of that state does not serve. LIMIT: the text
 * names the resource and how much of it is needed. */
int predict_serves(const struct predict_scenario *scenario,
                   const struct predict_state *state, struct jobq_error *err);

void predict_state(const struct predict_scenario *scenario,
                   const struct predict_params *params, struct predict_state *out);
/* The closed form. params NULL: those of the scenario's model. */
int predict_usage(const struct predict_scenario *scenario,
                  const struct predict_params *params, struct usage *out,
                  struct predict_state *out_state /* or NULL */, struct jobq_error *err);

/* vCPUs of a box: the scenario's, else by its type, else 1. */
double predict_vcpus(const struct predict_scenario *scenario);

/* The time of an attempt on a box on which n slots are at work (>= 1, fractions are fine). */
double predict_hold_at(const struct predict_scenario *scenario,
                       const struct predict_params *params, double n);

/* The probability that an arrival finds all c servers busy at load rho (Erlang's C), by
 * the recursion of Erlang's B; 1 for rho >= 1. */
double predict_erlang_c(double c, double rho);

/* Sets the lines that follow from others (volumes, addresses, CPU time). predict_usage and
 * formula_eval do so themselves. */
void predict_derived(const struct predict_scenario *scenario, struct usage *usage);

/* A usage as a ledger, in the shape the scenario gives it: marginal, `jobs` jobs on one
 * long instance (bill with exact_time); a run, its own instances. Adds to `ledger`. */
void predict_ledger(const struct predict_scenario *scenario, const struct usage *usage,
                    double jobs, struct jobq_ledger *ledger);

#endif
