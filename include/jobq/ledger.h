/* ledger.h - what a run used, counted before any rounding that a price brings.
 *
 * A closed formula, a simulated run and a live run all end in one of these, and one
 * function (src/cost/bill/bill.h) prices it. Counts are integers; integrals over time are
 * doubles. A ledger holds no dollars and no prices' grains: message sizes are kept
 * before chunks, each instance's own run time before minutes or hours, because the
 * sheet of the day decides the grain.
 *
 * A predicted ledger may hold fractions of a request; it scales a run of many jobs
 * (src/cost/predict/predict.h) rather than changing these types. */
#ifndef JOBQ_LEDGER_H
#define JOBQ_LEDGER_H

#include <stdint.h>

enum jobq_service {
    JOBQ_SQS,
    JOBQ_SIMPLEDB,
    JOBQ_EC2,
    JOBQ_DYNAMODB,
    JOBQ_SERVICE_COUNT
};

/* X(enumerator, service, name as AWS writes it) */
#define JOBQ_ACTIONS(X)                                                                  \
    X(SQS_SEND, JOBQ_SQS, "SendMessage")                                                 \
    X(SQS_SEND_BATCH, JOBQ_SQS, "SendMessageBatch")                                      \
    X(SQS_RECEIVE, JOBQ_SQS, "ReceiveMessage")                                           \
    X(SQS_DELETE, JOBQ_SQS, "DeleteMessage")                                             \
    X(SQS_DELETE_BATCH, JOBQ_SQS, "DeleteMessageBatch")                                  \
    X(SQS_VISIBILITY, JOBQ_SQS, "ChangeMessageVisibility")                               \
    X(SQS_VISIBILITY_BATCH, JOBQ_SQS, "ChangeMessageVisibilityBatch")                    \
    X(SQS_GET_ATTRIBUTES, JOBQ_SQS, "GetQueueAttributes")                                \
    X(SQS_SET_ATTRIBUTES, JOBQ_SQS, "SetQueueAttributes")                                \
    X(SQS_CREATE_QUEUE, JOBQ_SQS, "CreateQueue")                                         \
    X(SQS_DELETE_QUEUE, JOBQ_SQS, "DeleteQueue")                                         \
    X(SQS_GET_URL, JOBQ_SQS, "GetQueueUrl")                                              \
    X(SQS_LIST_QUEUES, JOBQ_SQS, "ListQueues")                                           \
    X(SQS_PURGE, JOBQ_SQS, "PurgeQueue")                                                 \
    X(SDB_CREATE_DOMAIN, JOBQ_SIMPLEDB, "CreateDomain")                                  \
    X(SDB_DELETE_DOMAIN, JOBQ_SIMPLEDB, "DeleteDomain")                                  \
    X(SDB_LIST_DOMAINS, JOBQ_SIMPLEDB, "ListDomains")                                    \
    X(SDB_METADATA, JOBQ_SIMPLEDB, "DomainMetadata")                                     \
    X(SDB_PUT, JOBQ_SIMPLEDB, "PutAttributes")                                           \
    X(SDB_PUT_BATCH, JOBQ_SIMPLEDB, "BatchPutAttributes")                                \
    X(SDB_GET, JOBQ_SIMPLEDB, "GetAttributes")                                           \
    X(SDB_DELETE, JOBQ_SIMPLEDB, "DeleteAttributes")                                     \
    X(SDB_DELETE_BATCH, JOBQ_SIMPLEDB, "BatchDeleteAttributes")                          \
    X(SDB_SELECT, JOBQ_SIMPLEDB, "Select")                                               \
    X(DDB_PUT, JOBQ_DYNAMODB, "PutItem")                                                 \
    X(DDB_UPDATE, JOBQ_DYNAMODB, "UpdateItem")                                           \
    X(DDB_GET, JOBQ_DYNAMODB, "GetItem")                                                 \
    X(DDB_DELETE, JOBQ_DYNAMODB, "DeleteItem")                                           \
    X(DDB_PUT_BATCH, JOBQ_DYNAMODB, "BatchWriteItem")                                    \
    X(DDB_GET_BATCH, JOBQ_DYNAMODB, "BatchGetItem")                                      \
    X(DDB_QUERY, JOBQ_DYNAMODB, "Query")                                                 \
    X(DDB_SCAN, JOBQ_DYNAMODB, "Scan")                                                   \
    X(DDB_TRANSACT, JOBQ_DYNAMODB, "TransactWriteItems")                                 \
    X(DDB_CREATE_TABLE, JOBQ_DYNAMODB, "CreateTable")                                    \
    X(DDB_DELETE_TABLE, JOBQ_DYNAMODB, "DeleteTable")                                    \
    X(DDB_DESCRIBE_TABLE, JOBQ_DYNAMODB, "DescribeTable")                                \
    X(EC2_RUN, JOBQ_EC2, "RunInstances")                                                 \
    X(EC2_TERMINATE, JOBQ_EC2, "TerminateInstances")                                     \
    X(EC2_DESCRIBE, JOBQ_EC2, "DescribeInstances")                                       \
    X(EC2_TAG, JOBQ_EC2, "CreateTags")

enum jobq_action {
#define JOBQ_ACTION_ENUM(id, service, name) JOBQ_ACT_##id,
    JOBQ_ACTIONS(JOBQ_ACTION_ENUM)
#undef JOBQ_ACTION_ENUM
        JOBQ_ACTION_COUNT
};

/* One action's counts, as its client saw them. */
struct jobq_usage {
    int64_t requests;       /* calls that reached the service, billed or not */
    int64_t entries;        /* messages or items in them (a batch of 10 counts 10) */
    int64_t empty;          /* receives that returned nothing */
    int64_t failed;         /* of requests: those that ended in an error reply */
    int64_t throttled;      /* of failed: those turned away by a rate limit */
    int64_t bytes_out;      /* sent by the client, request line and headers included */
    int64_t bytes_in;       /* received by it, status line and headers included */
    int64_t box_usage_e10h; /* SimpleDB BoxUsage in 1e-10 machine hours, exact */
};

/* SQS payloads: requests counted by their payload in whole started KiB (0: no payload,
 * 1: 1..1,024 bytes, ... 1024: 1 MiB), because chunk prices (64 KiB since 2013) round
 * each request by itself. A chunk of any whole number of KiB can be priced exactly. */
#define JOBQ_PAYLOAD_BUCKETS 1025

/* What became of the jobs of a run. What a job costs is said of the finished ones, those
 * that were done; the rest has to be said beside it. X(enumerator, name). */
#define JOBQ_JOB_ENDS(X)                                                                 \
    X(DONE, "done")           /* the job ran and its command succeeded */                \
    X(DEAD, "dead")           /* its attempts were used up */                            \
    X(CANCELLED, "cancelled") /* by a client, before its end */                          \
    X(EXPIRED, "expired")     /* its message outlived the queue's retention */           \
    X(GIVEN_UP, "given_up")   /* the run was over before the job was */

enum jobq_job_end {
#define JOBQ_JOB_END_ENUM(id, name) JOBQ_JOBS_##id,
    JOBQ_JOB_ENDS(JOBQ_JOB_END_ENUM)
#undef JOBQ_JOB_END_ENUM
        JOBQ_JOB_END_COUNT
};

enum jobq_instance_end {
    JOBQ_INSTANCE_RUNS, /* it ran when the ledger was written */
    JOBQ_ENDED_BY_US,   /* terminated by its owner, or it shut itself down */
    JOBQ_ENDED_BY_AWS,  /* a spot instance that AWS took back */
    JOBQ_INSTANCE_END_COUNT
};

/* One instance, from its request to its end. */
struct jobq_instance_use {
    char type[24];    /* "c7g.large" */
    char id[24];      /* "i-..." */
    int32_t spot;     /* 1: bought on the spot market */
    int32_t ended_by; /* enum jobq_instance_end: what AWS interrupts it may not bill */
    int64_t launched_at_ns;
    int64_t running_at_ns; /* billing starts here, not at the launch */
    int64_t ended_at_ns;   /* or the end of the run for one still running */
    int64_t ready_at_ns;   /* the drainer's first receive; running..ready is boot */
    int64_t busy_slot_ns;  /* sum over its slots of time spent in attempts */
    int64_t cpu_ns; /* of all its vCPUs, used by jobs: burstable types pay for it */
    int64_t slots;
};

struct jobq_ledger {
    struct jobq_usage action[JOBQ_ACTION_COUNT];
    int64_t send_kib[JOBQ_PAYLOAD_BUCKETS];    /* SendMessage and its batch */
    int64_t receive_kib[JOBQ_PAYLOAD_BUCKETS]; /* ReceiveMessage, by what it returned */
    double store_byte_hours; /* billed bytes (45-byte overheads included) x hours kept */
    double table_byte_hours; /* the same of DynamoDB: 100 bytes an item beside its own */
    double volume_gib_hours; /* EBS root volumes */
    double ipv4_hours;       /* public addresses */
    int64_t internet_out_bytes; /* of bytes out of AWS: those that left the region */
    int64_t internet_in_bytes;
    double write_units; /* DynamoDB WRU and RRU, where that store is priced */
    double read_units;
    int64_t jobs[JOBQ_JOB_END_COUNT]; /* by what became of them */
    int64_t attempts;
    int64_t
        span_ns; /* from the first arrival to the last job's end; of a sum the longest */
    struct jobq_instance_use *instance; /* instance_count long; owner: the ledger */
    int64_t instance_count;
    int64_t instance_cap;
};

/* Names for reports and JSON. Static storage; never NULL for a value in range. */
const char *jobq_action_name(enum jobq_action action);
enum jobq_service jobq_action_service(enum jobq_action action);
const char *jobq_service_name(enum jobq_service service); /* "sqs", "simpledb", ... */
const char *jobq_job_end_name(enum jobq_job_end end);     /* "done", "given_up", ... */
/* "us", "aws"; "" for one that still runs. */
const char *jobq_instance_end_name(enum jobq_instance_end end);

void jobq_ledger_init(struct jobq_ledger *ledger);
void jobq_ledger_release(struct jobq_ledger *ledger);
/* Adds from to into, instances included. */
void jobq_ledger_add(struct jobq_ledger *into, const struct jobq_ledger *from);
/* Appends a zeroed instance and returns it; valid until the next append. */
struct jobq_instance_use *jobq_ledger_instance(struct jobq_ledger *ledger);
/* The bucket of send_kib and receive_kib for a payload. Past 1 MiB counts as 1 MiB. */
int jobq_payload_bucket(int64_t payload_bytes);
int64_t jobq_ledger_requests(const struct jobq_ledger *ledger, enum jobq_service service);
/* Jobs that were done: the unit of every cost a job. */
int64_t jobq_ledger_finished(const struct jobq_ledger *ledger);
/* Jobs that came to another end or to none. */
int64_t jobq_ledger_unfinished(const struct jobq_ledger *ledger);
/* What became of those, for people: "41 expired, 2 dead"; "" if all finished. */
char *jobq_ledger_others_text(const struct jobq_ledger *ledger, char *out, int cap);

#endif
