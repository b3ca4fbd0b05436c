/* mock.h - what the parts of jobqmock share: the process, and one call in it.
 *
 * Room:     sim/mock, jobqmock: the service models on a port.
 * Callers:  sim/mock only.
 * Knows nothing of: the product.
 * Blocks:   never; everything runs in the loop's turn.
 *
 * The life of a request: route.c tells which service it is for and fills a struct call;
 * the service's action applies it to the region's model at call->now_ns and writes its
 * reply into call->out; sim/mock/server/respond.c wraps, meters and sends it, through the
 * faults that are switched on. A receive that waits leaves a waiter behind
 * (sim/mock/sqs/receive.h), a call that is to be applied late a copy of its request
 * (sim/mock/control/late.h). */
#ifndef JOBQ_SIM_MOCK_SERVER_MOCK_H
#define JOBQ_SIM_MOCK_SERVER_MOCK_H

#include "base/arena.h"
#include "base/dice.h"
#include "base/text.h"
#include "jobq/units.h"
#include "models/dynamodb/dynamodb.h"
#include "models/ec2/ec2.h"
#include "models/simpledb/simpledb.h"
#include "models/sqs/sqs.h"
#include "net/http_server.h"
#include "sim/mock/server/options.h"
#include "wire/sign/digest.h"
#include "wire/text/emit.h"
#include "wire/text/params.h"

struct mock_waits;
struct mock_keys;
struct mock_boxes;
struct resource;
struct mock_delays;
struct mock_meter;
struct mock_faults;
struct mock_late;
struct mock_state;

#define MOCK_USER_ID "AIDAJOBQMOCKEXAMPLE01" /* of the IAM user that calls */
enum { MOCK_REGIONS_MAX = 64, MOCK_UUID_BYTES = 37 };

enum mock_service {
    MOCK_SQS,
    MOCK_SDB,
    MOCK_DYNAMODB,
    MOCK_EC2,
    MOCK_STS,
    MOCK_SERVICE_COUNT
};

/* What a launch said that the model does not keep: sim/mock/ec2/launch.h. */
struct mock_launch {
    struct jobq_str query;
    const struct tree *said;
};

/* What one region of the account holds. Made when it is first named. */
struct mock_region {
    char name[32];
    int index;
    struct sqs *sqs;
    struct simpledb *sdb;
    struct dynamodb *dynamodb;
    struct ec2 *ec2;
    struct mock_launch *launch; /* by instance */
    int32_t launch_count;
    struct arena launches;     /* of what launches said */
    struct resource *resource; /* sim/mock/ec2/resource.h */
    int resource_count;
    struct mock_state *state; /* NULL: no --state, or it is being read */
    int32_t saved_boxes;      /* so many are on its file */
    int next_queue;           /* while it is being read */
};

/* The models' parameters. */
struct mock_models {
    struct sqs_params sqs;
    struct simpledb_params sdb;
    struct dynamodb_params dynamodb;
    struct ec2_params ec2;
};

struct mock {
    const struct mock_options *options;
    struct loop *loop;
    struct http_server *server;
    struct mock_region *region[MOCK_REGIONS_MAX];
    int region_count;
    uint64_t seed; /* of ids and handles: fresh ones, unless --seed is given */
    struct dice dice, id_dice; /* of the models' draws; of request ids */
    struct digest digest;
    /* As they are now, for new regions; calm, with nothing going wrong by itself; and as the
     * set of --model has them. */
    struct mock_models models, calm, whole;
    struct arena arena; /* reset for each call */
    struct text body;   /* the reply being written */
    struct text head;   /* its further header lines */
    /* The models' clock: model_base_ns + (loop_now_ns() - loop_base_ns) * speed. */
    int64_t model_base_ns, loop_base_ns;
    double speed;
    struct loop_timer *model_timer;
    int64_t timer_at_ns; /* model time it is set to */
    struct mock_waits *waits;
    struct mock_delays *delays;
    struct mock_meter *meter;
    struct mock_faults *faults;
    struct mock_late *late;
    struct mock_keys *keys;   /* NULL: --auth off */
    struct mock_boxes *boxes; /* NULL: no --boxes */
    struct mock_state *state; /* NULL: no --state */
    char url[128];            /* where it listens: "http://127.0.0.1:4566" */
};

/* An error as the services write it; texts are AWS's. */
struct mock_error {
    const char *code;  /* of Query replies */
    const char *shape; /* of JSON replies; NULL: as code */
    int status;
    bool receiver;    /* the service's fault, not the sender's */
    const char *more; /* further members of a JSON error; NULL: none */
    char *text;       /* in the call's arena; whole, however long what it quotes */
};

enum call_end {
    CALL_DONE,    /* the reply is in call->out */
    CALL_FAILED,  /* call->error says why */
    CALL_WAITING, /* the exchange was handed on */
};

struct call {
    struct mock *mock;
    struct http_exchange *x; /* NULL: applied late, and nobody is there to answer */
    struct mock_region *region;
    enum mock_service service;
    bool json;          /* the JSON protocol */
    bool query_json;    /* Query, answered in the older JSON that Accept asks for */
    const char *action; /* as AWS spells it; "" until known */
    const struct tree *params;
    struct jobq_str version; /* EC2: of the API, as asked for; empty: not said */
    struct jobq_str host;    /* of the request, for queue URLs */
    struct jobq_str trace;   /* its X-Amzn-Trace-Id; {NULL, 0}: none */
    struct jobq_str path;
    struct jobq_str body;
    struct jobq_str access_key; /* as claimed; empty: unsigned */
    struct emit out;
    int64_t now_ns; /* of the models */
    char request_id[MOCK_UUID_BYTES];
    struct mock_error error;
    /* For the meter. */
    int64_t request_bytes, payload_bytes, box_usage_e10h;
    double write_units, read_units; /* of DynamoDB */
    int entries;
    bool empty;
    bool
        unmetered; /* the client is put off; the meter counts the call when it is applied */
    bool fifo;     /* SQS: about a FIFO queue */
};

/* 2200-01-01: the models add to a time, and all of it must fit. There the clock stands. */
#define MOCK_END_NS (7258118400 * JOBQ_NS_PER_S)
/* The models' time now, nanoseconds since 1970; up to MOCK_END_NS. */
int64_t mock_now_ns(const struct mock *mock);
/* From now on the models' clock goes on from now_ns (not before the present, up to
 * MOCK_END_NS) at this speed; at 0 it stands. What became due meanwhile happens in the same turn. */
void mock_set_clock(struct mock *mock, int64_t now_ns, double speed);
/* Forget all queues, domains, boxes and counts. Waiting receives are answered: their
 * queue is gone. */
void mock_reset(struct mock *mock);
/* The region of this name, made if it is new. NULL: not a region's name, or too many. */
struct mock_region *mock_region(struct mock *mock, struct jobq_str name);
/* A draw in (0,1) for a model. */
double mock_u(struct mock *mock);
/* A random UUID (version 4's form) from the mock's dice. */
void mock_uuid(struct mock *mock, char out[MOCK_UUID_BYTES]);
/* The UUID that belongs to (seed, tag, number), always the same one. */
void mock_uuid_of(const struct mock *mock, uint64_t tag, uint64_t number,
                  char out[MOCK_UUID_BYTES]);
/* Mixes bits; SplitMix64's finalizer. */
uint64_t mock_mix(uint64_t bits);

/* Returns CALL_FAILED with call->error filled. shape NULL: as code. */
enum call_end mock_fail(struct call *call, int status, const char *code,
                        const char *shape, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* A formatted text in the call's arena. */
char *mock_format(const struct call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A copy that ends with a zero byte, for a message that quotes it. Owner: the arena of the
 * call. */
const char *mock_quote(const struct call *call, struct jobq_str text);

/* The text of a parameter, or {NULL, 0}. */
static inline struct jobq_str call_text(const struct call *call, const char *name)
{
    return tree_text(call->params, name);
}

/* The entries of a list parameter (tree_list), of the request or of one entry in it. */
static inline const struct tree *call_list(const struct call *call, const struct tree *in,
                                           const char *name)
{
    return tree_list(in, name, &call->mock->arena);
}

#endif
