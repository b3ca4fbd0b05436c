/* ec2.h - boxes: asked for, booted, tagged, found, billed, taken back.
 *
 * A pure state machine: (state, call, now_ns, u) -> reply. No clock, no random generator,
 * no I/O. now_ns must not step back. What happens by itself (a box comes up, a spot box
 * is warned and taken) happens at instants fixed by the u of its launch: the driver asks
 * ec2_next_at, moves there, and takes the changes from ec2_advance. A call at now_ns
 * first lets everything due happen; those changes still come out of ec2_advance.
 *
 * Room:     models, the facts.
 * Callers:  sim (the fleet port), sim/mock (the wire), tests.
 * Knows nothing of: HTTP, XML, what runs on a box, what a box costs (but for spot prices,
 *           which EC2 itself tells).
 * Blocks:   never.
 * Units:    instants in ns on the driver's clock; the driver turns them into dates.
 *
 * Sources: EC2 API reference 2016-11-15, "Error codes" and "Request throttling" pages,
 * read 2023-2026; boot times as in models/params. Where AWS publishes nothing (how often
 * capacity is missing), the parameter says assumed. */
#ifndef JOBQ_MODELS_EC2_EC2_H
#define JOBQ_MODELS_EC2_EC2_H

#include "jobq/error.h"
#include "jobq/ports.h"
#include "base/distribution.h"

#include <stdbool.h>
#include <stdint.h>

struct arena;
struct ec2;

/* X(enumerator, code on the wire, HTTP status, what the caller should do) */
#define EC2_FAULTS(X)                                                                    \
    X(AMI_MALFORMED, "InvalidAMIID.Malformed", 400, JOBQ_INVALID)                        \
    X(ID_MALFORMED, "InvalidInstanceID.Malformed", 400, JOBQ_INVALID)                    \
    X(ID_NOT_FOUND, "InvalidInstanceID.NotFound", 400, JOBQ_NOT_FOUND)                   \
    X(RESOURCE_ID, "InvalidID", 400, JOBQ_NOT_FOUND)                                     \
    X(TYPE, "InvalidInstanceType", 400, JOBQ_INVALID)                                    \
    X(PARAMETER, "InvalidParameterValue", 400, JOBQ_INVALID)                             \
    X(COMBINATION, "InvalidParameterCombination", 400, JOBQ_INVALID)                     \
    X(MISSING, "MissingParameter", 400, JOBQ_INVALID)                                    \
    X(NEXT_TOKEN, "InvalidNextToken", 400, JOBQ_INVALID)                                 \
    X(MISMATCH, "IdempotentParameterMismatch", 400, JOBQ_INVALID)                        \
    X(TAG_LIMIT, "TagLimitExceeded", 400, JOBQ_LIMIT)                                    \
    X(INSTANCE_LIMIT, "InstanceLimitExceeded", 400, JOBQ_LIMIT)                          \
    X(VCPU_LIMIT, "VcpuLimitExceeded", 400, JOBQ_LIMIT)                                  \
    X(SPOT_LIMIT, "MaxSpotInstanceCountExceeded", 400, JOBQ_LIMIT)                       \
    X(SPOT_PRICE, "SpotMaxPriceTooLow", 400, JOBQ_INVALID)                               \
    X(STATE, "IncorrectInstanceState", 400, JOBQ_INVALID)                                \
    X(UNSUPPORTED, "UnsupportedOperation", 400, JOBQ_INVALID)                            \
    X(DRY_RUN, "DryRunOperation", 412, JOBQ_CONFLICT)                                    \
    X(CAPACITY, "InsufficientInstanceCapacity", 500, JOBQ_LIMIT)                         \
    X(THROTTLED, "RequestLimitExceeded", 503, JOBQ_THROTTLED)

enum ec2_fault {
    EC2_FAULT_NONE,
#define EC2_FAULT_ENUM(id, name, status, code) EC2_FAULT_##id,
    EC2_FAULTS(EC2_FAULT_ENUM)
#undef EC2_FAULT_ENUM
        EC2_FAULT_COUNT
};

/* The code of AWS ("" for NONE) and its HTTP status (200 for NONE). */
const char *ec2_fault_name(enum ec2_fault fault);
int ec2_fault_status(enum ec2_fault fault);

/* ---- parameters ------------------------------------------------------------------- */

/* Each number has its source in models/params/, section [ec2]. */
struct ec2_params {
    struct distribution pending; /* RunInstances to running, ns */
    struct distribution boot; /* running to the first instruction of a program on it, ns;
                                 billed. For the driver: the model only carries it */
    struct distribution stopping; /* shutting-down to terminated, ns; not billed */
    double request_bucket;        /* RunInstances calls at once; 0: no throttle */
    double request_refill_per_s;
    double resource_bucket; /* instances at once; 0: no throttle */
    double resource_refill_per_s;
    double capacity_failure_p;      /* that a RunInstances finds no capacity */
    double spot_capacity_failure_p; /* the same for spot */
    int64_t vcpu_limit;             /* on-demand vCPUs of an account; 0: none */
    int64_t spot_vcpu_limit;        /* the same for spot */
    int64_t instance_limit;      /* instances of an account (before 2019: 20); 0: none */
    double spot_hazard_per_hour; /* of being taken back; exponential; 0: never */
    int64_t spot_notice_ns;      /* warning ahead of it: 2 min; 0 before 2015: none */
    double spot_price_factor;    /* spot price / on-demand price, where no spot price is
                                    known */
    int64_t visible_after_ns;    /* until a new box is found by other calls; 0: at once */
    int64_t remembered_ns; /* a terminated box stays in describe for about an hour */
    /* Service time of a call, for the driver: the model answers at once. */
    struct distribution run_latency;
    struct distribution call_latency;
};

/* The set called model: "aws-2026", "aws-2012", "ideal". NOT_FOUND names the known ones. */
int ec2_params_load(const char *model, struct ec2_params *out, struct jobq_error *err);
/* The set "ideal": boxes up at once, no limit, no throttle, no failure, no interruption. */
void ec2_params_default(struct ec2_params *params);
/* One parameter by its key in the ini file, as text. */
int ec2_params_set(struct ec2_params *params, const char *key, const char *value,
                   struct jobq_error *err);

/* ---- instance types --------------------------------------------------------------- */

struct ec2_type {
    char name[24];
    const char *arch; /* "x86_64", "arm64", "i386" */
    int32_t vcpus;
    int64_t memory_mib;
    double on_demand_usd; /* an hour, Linux, us-east-1; 0: not known here. Only for the
                             spot price; bills are priced by the sheets */
    double spot_usd;      /* an hour, if one was observed; 0: none */
    bool burstable;
    bool current; /* of a current generation, as DescribeInstanceTypes says */
};

/* Fills *out; false: not a type known here nor one whose name follows AWS's size rule in
 * a known family. */
bool ec2_type_find(struct jobq_str name, struct ec2_type *out);
/* The table itself, for listings. */
int ec2_type_count(void);
const struct ec2_type *ec2_type_at(int index);

/* ---- life ------------------------------------------------------------------------- */

/* zone: "us-east-1a"; copied. Owner: the caller frees. */
struct ec2 *ec2_new(const struct ec2_params *params, const char *zone);
void ec2_free(struct ec2 *model);
/* Ids from now on are those of this salt, so that two models (or one after the other) do not
 * give the same ones; 0, the default, gives the same ids each time. */
void ec2_salt_ids(struct ec2 *model, uint64_t salt);
/* Forget all boxes. params NULL: as before. */
void ec2_reset(struct ec2 *model, const struct ec2_params *params);
void ec2_set_params(struct ec2 *model, const struct ec2_params *params);
const struct ec2_params *ec2_params(const struct ec2 *model);

/* ---- boxes ------------------------------------------------------------------------ */

/* From SHUTTING_DOWN on a box runs nothing and is not billed. */
enum ec2_state {
    EC2_PENDING,
    EC2_RUNNING,
    EC2_SHUTTING_DOWN,
    EC2_TERMINATED,
    EC2_STOPPING,
    EC2_STOPPED
};
const char *ec2_state_name(enum ec2_state state); /* "pending", ... */
int ec2_state_code(enum ec2_state state);         /* 0, 16, 32, 48, 64, 80 */
/* SHUTTING_DOWN or TERMINATED: it does not come back. */
bool ec2_is_over(enum ec2_state state);

/* Why a box ended; "" while it has not. As in StateReason: a code and a message. */
enum ec2_reason {
    EC2_REASON_NONE,
    EC2_REASON_USER,  /* Client.UserInitiatedShutdown */
    EC2_REASON_GUEST, /* Client.InstanceInitiatedShutdown */
    EC2_REASON_SPOT   /* Server.SpotInstanceTermination: taken back */
};
const char *ec2_reason_code(enum ec2_reason reason);
const char *ec2_reason_text(enum ec2_reason reason);

#define EC2_NEVER INT64_MAX
enum { EC2_TAGS_MAX = 50, EC2_USER_DATA_MAX = 16384 };

/* A time for which a box ran and was billed, before it was stopped and started again. */
struct ec2_span {
    int64_t running_at_ns, ended_at_ns;
};

/* One box. Strings belong to the model and live until reset. */
struct ec2_instance {
    char id[24];          /* "i-0123456789abcdef0" */
    char reservation[24]; /* "r-..." */
    char private_ip[16];
    struct jobq_str image, user_data, client_token, key_name, zone;
    struct ec2_type type;
    enum ec2_state state;
    enum ec2_reason reason;
    bool spot;
    bool stops;            /* a shutdown from within stops it instead of terminating it */
    char spot_request[24]; /* "sir-...", "" for on demand */
    int32_t launch_index;
    int64_t launched_at_ns;      /* or started again */
    const struct ec2_span *span; /* earlier times that it ran, each ended by a stop */
    int32_t span_count;
    int64_t running_at_ns; /* billing begins; EC2_NEVER until it runs */
    int64_t notice_at_ns;  /* a spot box is warned; EC2_NEVER: not (yet) to be taken */
    int64_t take_at_ns;    /* a spot box is taken back; EC2_NEVER: never */
    int64_t ended_at_ns;   /* shutting-down or stopping: billing ends; EC2_NEVER before */
    int64_t gone_at_ns;    /* terminated; EC2_NEVER before ended_at is known */
    double boot_u;         /* in (0,1): this box's draw for params.boot */
    uint64_t run_print;    /* of what a repeated client_token must repeat */
    struct jobq_tag *tag;  /* sorted by key */
    int32_t tag_count;
};

/* Boxes are 0..count-1 in the order of launch, ended ones included. */
int32_t ec2_instance_count(const struct ec2 *model);
const struct ec2_instance *ec2_instance_at(const struct ec2 *model, int32_t index);
/* -1: no such box. */
int32_t ec2_instance_find(const struct ec2 *model, struct jobq_str id);
/* The instant at which params.boot is over: running_at + boot(boot_u). EC2_NEVER before
 * it runs. */
int64_t ec2_ready_at(const struct ec2 *model, int32_t index);

/* ---- what happens by itself ---- */

enum ec2_change_kind { EC2_CAME_UP, EC2_WARNED, EC2_WENT_DOWN, EC2_GONE };

struct ec2_change {
    int64_t at_ns;
    int32_t instance;
    enum ec2_change_kind kind;
};

/* The next change's instant, which may lie in the past; EC2_NEVER: none to come. */
int64_t ec2_next_at(const struct ec2 *model);
/* Changes up to now_ns in order of (time, box); returns how many (<= cap); call again
 * while it returns cap. */
int ec2_advance(struct ec2 *model, int64_t now_ns, struct ec2_change *out, int cap);

/* ---- calls ------------------------------------------------------------------------ */

struct ec2_reply {
    enum ec2_fault fault;
    int http_status;
};

/* Every call returns JOBQ_OK or a count, or a negative code with err and reply filled. */

struct ec2_run {
    struct jobq_str image; /* "ami-" and 8 or 17 hex digits; need not exist */
    struct jobq_str type;
    int32_t min_count, max_count; /* 1 <= min <= max */
    struct jobq_str user_data;    /* decoded; at most EC2_USER_DATA_MAX */
    struct jobq_str client_token; /* len 0: none; at most 64 */
    struct jobq_str key_name;
    const struct jobq_tag *tag;
    int32_t tag_count;
    struct jobq_str zone; /* empty: the model's own */
    bool spot;
    double spot_max_price_usd; /* 0: the on-demand price */
    bool stops;                /* as in ec2_instance; never of a spot box */
    bool dry_run;
};

/* RunInstances. Launches max_count, or as many as limits allow if at least min_count;
 * with a client_token seen before (and the same parameters) it returns what was launched
 * then. u decides capacity, and every box's times. Returns: how many boxes, from
 * *out_first on. */
int ec2_run(struct ec2 *model, int64_t now_ns, double u, const struct ec2_run *run,
            int32_t *out_first, struct ec2_reply *reply, struct jobq_error *err);

struct ec2_transition {
    int32_t instance;
    enum ec2_state before, after;
};
/* TerminateInstances: all or none. Terminating what is terminated is a success.
 * out: count entries. */
int ec2_terminate(struct ec2 *model, int64_t now_ns, double u, const struct jobq_str *id,
                  int count, bool dry_run, struct ec2_transition *out,
                  struct ec2_reply *reply, struct jobq_error *err);
/* StopInstances, StartInstances, RebootInstances: all or none. A stop of what is stopped
 * and a start of what runs are successes. Refused: STATE, UNSUPPORTED (a spot box), and for
 * a start limits and capacity as for a launch. out: count entries; NULL for a reboot, which
 * changes no state. */
int ec2_stop(struct ec2 *model, int64_t now_ns, double u, const struct jobq_str *id,
             int count, bool dry_run, struct ec2_transition *out, struct ec2_reply *reply,
             struct jobq_error *err);
int ec2_start(struct ec2 *model, int64_t now_ns, double u, const struct jobq_str *id,
              int count, bool dry_run, struct ec2_transition *out,
              struct ec2_reply *reply, struct jobq_error *err);
int ec2_reboot(struct ec2 *model, int64_t now_ns, const struct jobq_str *id, int count,
               bool dry_run, struct ec2_reply *reply, struct jobq_error *err);
/* The box shut itself down (InstanceInitiatedShutdownBehavior=terminate), or died: no API
 * call, no fault. Nothing if it has ended already. */
void ec2_guest_shutdown(struct ec2 *model, int64_t now_ns, double u, int32_t instance);
/* EC2 takes this spot box back: notice now, end params.spot_notice_ns later. */
void ec2_interrupt(struct ec2 *model, int64_t now_ns, int32_t instance);

/* name = any of value; '*' and '?' are wildcards, '\' escapes them. */
struct ec2_filter {
    struct jobq_str name;
    const struct jobq_str *value;
    int32_t value_count;
};

/* Does the text fit one value of a filter? */
bool ec2_wild(struct jobq_str pattern, struct jobq_str text);

struct ec2_query {
    const struct jobq_str *id;
    int32_t id_count;
    const struct ec2_filter *filter; /* all must hold */
    int32_t filter_count;
    int32_t max_results; /* 0: no paging; else 5..1000 */
    struct jobq_str next_token;
    bool all_states; /* describe_status: also those not running */
};

struct ec2_found {
    int32_t *instance; /* in order of launch */
    int32_t count;
    struct jobq_str next_token; /* empty: no more */
};

/* DescribeInstances. Filters: instance-state-name, instance-state-code, instance-id,
 * instance-type, instance-lifecycle ("spot"), image-id, client-token, reservation-id,
 * availability-zone, architecture, key-name, private-ip-address, state-reason-code,
 * spot-instance-request-id, launch-index, tag:KEY, tag-key, tag-value. Owner: out's arrays live in arena. */
int ec2_describe(struct ec2 *model, int64_t now_ns, const struct ec2_query *query,
                 struct arena *arena, struct ec2_found *out, struct ec2_reply *reply,
                 struct jobq_error *err);
/* DescribeInstanceStatus: running boxes (or all_states). */
int ec2_describe_status(struct ec2 *model, int64_t now_ns, const struct ec2_query *query,
                        struct arena *arena, struct ec2_found *out,
                        struct ec2_reply *reply, struct jobq_error *err);

/* CreateTags: overwrite or add, all or none. Keys 1..127 characters not beginning with
 * "aws:", values up to 255, EC2_TAGS_MAX a box. */
int ec2_create_tags(struct ec2 *model, int64_t now_ns, const struct jobq_str *id,
                    int id_count, const struct jobq_tag *tag, int tag_count, bool dry_run,
                    struct ec2_reply *reply, struct jobq_error *err);
/* DeleteTags: a tag with value.ptr NULL goes whatever its value, else only if the value
 * is this one; tag_count 0: all tags. */
int ec2_delete_tags(struct ec2 *model, int64_t now_ns, const struct jobq_str *id,
                    int id_count, const struct jobq_tag *tag, int tag_count, bool dry_run,
                    struct ec2_reply *reply, struct jobq_error *err);

struct ec2_tag_row {
    int32_t instance;
    struct jobq_tag tag;
};
/* DescribeTags. Filters: key, value, resource-id, resource-type, tag:KEY. Paging as in
 * describe (5..1000). Returns: how many rows at *out, in arena. */
int ec2_describe_tags(struct ec2 *model, int64_t now_ns, const struct ec2_query *query,
                      struct arena *arena, struct ec2_tag_row **out,
                      struct jobq_str *out_token, struct ec2_reply *reply,
                      struct jobq_error *err);

/* Dollars an hour for a spot box of this type now; 0: no price known. The price does not
 * move within a run: since 2018 it is smooth, and its archives are not among the
 * facts. */
double ec2_spot_price(const struct ec2 *model, const struct ec2_type *type);

/* ---- restoring -------------------------------------------------------------------- */

/* Put back a box as it was saved (all fields; strings are copied). Boxes must come in
 * their old order. Returns its index. */
int32_t ec2_restore(struct ec2 *model, int64_t now_ns, const struct ec2_instance *saved);

#endif
