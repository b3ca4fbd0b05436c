/* simpledb.h - how SimpleDB behaves and what each of its replies says it used.
 *
 * A pure state machine: (state, call, now_ns, u) -> reply. It has no clock, no random
 * generator and does no I/O: the simulator drives it in virtual time, jobqmock by the
 * wall clock. now_ns must not step back from one call to the next. A call applies at
 * now_ns and is answered at once; latency is the driver's (struct simpledb_params only
 * carries it).
 *
 * Room:     models, the facts.
 * Callers:  sim (the store port), sim/mock (the wire), their checkers, tests.
 * Knows nothing of: HTTP, signatures, XML, prices, who calls.
 * Blocks:   never.
 *
 * Sources of behaviour. "API error codes" and "Select" pages of the Amazon SimpleDB
 * Developer Guide (2009-04-15), read 2026-11; recorded replies in the php-sdb2 test data,
 * 2011-10-07; Percival, "Dissecting SimpleDB BoxUsage", 2008-06-25; Wada et al., CIDR
 * 2011.
 *
 * Domains are named by an id that stands for a name, not for what exists: an id is good
 * from simpledb_domain until simpledb_reset, whether its domain has been created or not.
 *
 * Phantom values ({NULL, len}) are len bytes of 'x' that are not kept: they compare, sort
 * and count as those bytes, and come back as phantoms. Names and item names are never
 * phantom.
 *
 * Rows are ordered by (hash of the name, name), whatever the history of the domain but for
 * its first two names (models/simpledb/row.h): that is the order of Select without order by, of the
 * iterators and of next tokens. */
#ifndef JOBQ_MODELS_SIMPLEDB_SIMPLEDB_H
#define JOBQ_MODELS_SIMPLEDB_SIMPLEDB_H

#include "jobq/error.h"
#include "jobq/ports.h"
#include "base/distribution.h"

#include <stdbool.h>
#include <stdint.h>

struct arena;
struct simpledb;

/* X(enumerator, code on the wire, HTTP status, what the caller should do) */
#define SIMPLEDB_FAULTS(X)                                                               \
    X(NO_SUCH_DOMAIN, "NoSuchDomain", 400, JOBQ_NOT_FOUND)                               \
    X(DUPLICATE_ITEM, "DuplicateItemName", 400, JOBQ_INVALID)                            \
    X(EXISTS_AND_VALUE, "ExistsAndExpectedValue", 400, JOBQ_INVALID)                     \
    X(INCOMPLETE_EXPECTED, "IncompleteExpectedExpression", 400, JOBQ_INVALID)            \
    X(NEXT_TOKEN, "InvalidNextToken", 400, JOBQ_INVALID)                                 \
    X(PREDICATES, "InvalidNumberPredicates", 400, JOBQ_LIMIT)                            \
    X(VALUE_TESTS, "InvalidNumberValueTests", 400, JOBQ_LIMIT)                           \
    X(PARAMETER, "InvalidParameterValue", 400, JOBQ_INVALID)                             \
    X(QUERY, "InvalidQueryExpression", 400, JOBQ_INVALID)                                \
    X(SORT, "InvalidSortExpression", 400, JOBQ_INVALID)                                  \
    X(MISSING, "MissingParameter", 400, JOBQ_INVALID)                                    \
    X(MULTIPLE_EXISTS, "MultipleExistsConditions", 400, JOBQ_INVALID)                    \
    X(MULTIPLE_NAMES, "MultipleExpectedNames", 400, JOBQ_INVALID)                        \
    X(MULTIPLE_VALUES, "MultipleExpectedValues", 400, JOBQ_INVALID)                      \
    X(REQUESTED_ATTRIBUTES, "TooManyRequestedAttributes", 400, JOBQ_LIMIT)               \
    X(NO_ATTRIBUTE, "AttributeDoesNotExist", 404, JOBQ_CONFLICT)                         \
    X(QUERY_TIMEOUT, "RequestTimeout", 408, JOBQ_TIMEOUT)                                \
    X(CONDITION, "ConditionalCheckFailed", 409, JOBQ_CONFLICT)                           \
    X(MULTI_VALUED, "MultiValuedAttribute", 409, JOBQ_CONFLICT)                          \
    X(DOMAIN_ATTRIBUTES, "NumberDomainAttributesExceeded", 409, JOBQ_LIMIT)              \
    X(DOMAIN_BYTES, "NumberDomainBytesExceeded", 409, JOBQ_LIMIT)                        \
    X(DOMAINS, "NumberDomainsExceeded", 409, JOBQ_LIMIT)                                 \
    X(ITEM_ATTRIBUTES, "NumberItemAttributesExceeded", 409, JOBQ_LIMIT)                  \
    X(SUBMITTED_ATTRIBUTES, "NumberSubmittedAttributesExceeded", 409, JOBQ_LIMIT)        \
    X(SUBMITTED_ITEMS, "NumberSubmittedItemsExceeded", 409, JOBQ_LIMIT)                  \
    X(UNAVAILABLE, "ServiceUnavailable", 503, JOBQ_THROTTLED)

enum simpledb_fault {
    SIMPLEDB_FAULT_NONE,
#define SIMPLEDB_FAULT_ENUM(id, name, status, code) SIMPLEDB_FAULT_##id,
    SIMPLEDB_FAULTS(SIMPLEDB_FAULT_ENUM)
#undef SIMPLEDB_FAULT_ENUM
        SIMPLEDB_FAULT_COUNT
};

/* The code of AWS ("NoSuchDomain"; "" for NONE) and its HTTP status (200 for NONE). */
const char *simpledb_fault_name(enum simpledb_fault fault);
int simpledb_fault_status(enum simpledb_fault fault);

/* ---- parameters ------------------------------------------------------------------- */

#define SIMPLEDB_WINDOW_MAX 8

/* A point of the curve "a read of a write this old sees it with this probability".
 * Linear between points; two points of one age make a step. */
struct simpledb_window_point {
    int64_t age_ns;
    double fresh_p;
};

/* fresh_p is 1 after the last point. points 0: every read is fresh. */
struct simpledb_window {
    int32_t points;
    struct simpledb_window_point point[SIMPLEDB_WINDOW_MAX]; /* neither value falls */
};

/* Each number has its source in models/params/, section [simpledb]. A limit of 0 means none,
 * where 0 is allowed. Hours are kept in 1e-14 machine hours, so that the formulas stay exact
 * integers. */
struct simpledb_params {
    int64_t domains_max;      /* domains an account: 250 */
    int64_t domain_bytes_max; /* raw bytes a domain: 10 GB */
    int64_t domain_pairs_max; /* attribute-values a domain: 1e9 */
    int64_t item_pairs_max;   /* attribute-values an item: 256; at most 256 */
    int64_t put_pairs_max;    /* attribute-values in a call, or an item of a batch: 256 */
    int64_t name_bytes_max;   /* item name, attribute name, value: 1,024; at most 1,024 */
    int64_t batch_items_max;  /* 25 */
    int64_t batch_bytes_max;  /* names and values of a batch: 1 MB */
    int64_t select_items_max; /* 2,500 */
    int64_t select_items_default;   /* 100 */
    int64_t select_bytes_max;       /* names and values of a page: 1 MB */
    int64_t select_scan_max;        /* rows examined within the 5 s limit */
    int64_t select_comparisons_max; /* 20 */
    int64_t select_attributes_max;  /* 20 unique attributes */

    /* Writes: a bucket a domain. A call that finds less than it needs is turned away with
     * 503 and takes nothing. A put or delete takes 1; a batch takes max(1, rows x
     * batch_row_writes): 0 counts a batch as one write, 1 each of its rows. */
    double writes_per_s; /* 0: no throttle */
    double write_burst;  /* depth of the bucket, >= 1 */
    double batch_row_writes;

    struct simpledb_window window; /* reads that are not consistent */

    /* BoxUsage, 1e-14 h. See models/simpledb/box_usage.h for the formulas. */
    int64_t usage_domain_e14h; /* CreateDomain, DeleteDomain */
    int64_t usage_list_e14h;   /* ListDomains, DomainMetadata */
    int64_t usage_write_e14h;  /* constant of a put or delete, and of a refused call */
    int64_t usage_write_cubic_e14h; /* x N^3 */
    int64_t usage_get_e14h;
    int64_t usage_get_square_e14h;       /* x N^2 distinct names returned */
    int64_t usage_batch_put_permille;    /* 700 */
    int64_t usage_batch_delete_permille; /* 700, assumed */
    int64_t usage_select_names_e14h;     /* select itemName() */
    int64_t usage_select_name_e14h;      /* x items returned */
    int64_t usage_select_rows_e14h;      /* select attributes */
    int64_t usage_select_row_e14h;       /* x items returned */
    int64_t usage_select_count_e14h;     /* select count(*) */
    int64_t usage_select_counted_e14h;   /* x items looked at */
    int64_t usage_refused_e14h;          /* a call that was refused, but with 503 */
    int64_t usage_throttled_e14h;        /* a call turned away with 503 */

    /* Service time of a call, for the driver: the model answers at once. */
    struct distribution read_latency; /* Get, DomainMetadata, ListDomains */
    struct distribution
        write_latency; /* Put, Delete and their batches, Create, DeleteDomain */
    struct distribution select_latency;
};

/* The set called model: "aws-2026", "aws-2012", "ideal". NOT_FOUND names the known ones. */
int simpledb_params_load(const char *model, struct simpledb_params *out,
                         struct jobq_error *err);
/* One parameter by its key in the ini file, as text ("70", "30s", "none"). */
int simpledb_params_set(struct simpledb_params *params, const char *key,
                        const char *value, struct jobq_error *err);

/* ---- life ------------------------------------------------------------------------- */

/* params is copied. Owner: the caller frees. */
struct simpledb *simpledb_new(const struct simpledb_params *params);
void simpledb_free(struct simpledb *model);
/* Forget all domains, rows, names and integrals; keep the memory for the next run.
 * params NULL: as before. */
void simpledb_reset(struct simpledb *model, const struct simpledb_params *params);
/* Change parameters while it runs (jobqmock's faults). Existing data is kept. */
void simpledb_set_params(struct simpledb *model, const struct simpledb_params *params);
const struct simpledb_params *simpledb_params(const struct simpledb *model);

/* ---- calls ------------------------------------------------------------------------ */

/* What every call fills, also when it fails. */
struct simpledb_reply {
    enum simpledb_fault fault;
    int http_status;
    int64_t box_usage_e10h; /* as on the wire: truncated to 1e-10 machine hours */
};

/* The id of a domain's name: >= 0, or -1 when the name is not a legal one (the calls then
 * answer InvalidParameterValue). Does not look whether it exists, costs nothing. */
int simpledb_domain(struct simpledb *model, struct jobq_str name);
/* As simpledb_domain, but makes no new id: -2 for a name never given an id before (the
 * calls then answer NoSuchDomain). For servers, which must not grow by wrong names. */
int simpledb_domain_find(const struct simpledb *model, struct jobq_str name);
struct jobq_str simpledb_domain_name(const struct simpledb *model, int domain);
bool simpledb_domain_exists(const struct simpledb *model, int domain);

/* Every call returns JOBQ_OK, a count, or a negative code with err and reply filled. */

/* Idempotent, as AWS: creating what exists and deleting what does not are successes. */
int simpledb_create_domain(struct simpledb *model, int64_t now_ns, int domain,
                           struct simpledb_reply *reply, struct jobq_error *err);
int simpledb_delete_domain(struct simpledb *model, int64_t now_ns, int domain,
                           struct simpledb_reply *reply, struct jobq_error *err);
/* Names in bytewise order, from the one after `token` (empty: from the start), at most
 * max (1..100; 0: 100). *out_token is empty at the end; on AWS it is opaque,
 * here it is the last name given. Returns: how many. Owner: strings live until the next
 * call that creates or deletes a domain. */
int simpledb_list_domains(struct simpledb *model, int64_t now_ns, struct jobq_str token,
                          int max, struct jobq_str *out, struct jobq_str *out_token,
                          struct simpledb_reply *reply, struct jobq_error *err);
struct simpledb_stats {
    int64_t items, names, values;                /* counts */
    int64_t item_bytes, name_bytes, value_bytes; /* their sizes */
};
/* DomainMetadata. Its counts are exact and fresh here; AWS's may be a day old. */
int simpledb_metadata(struct simpledb *model, int64_t now_ns, int domain,
                      struct simpledb_stats *out, struct simpledb_reply *reply,
                      struct jobq_error *err);

/* Where a row is or would be: for a write that is on its way, so that the work of finding it
 * is done once. Good for ever, though it may become useless. */
struct simpledb_place {
    uint32_t hash;
    int32_t tail; /* -1: no place */
};
struct simpledb_place simpledb_place(const struct simpledb *model, int domain,
                                     struct jobq_str item);
/* A write is about to come to the row with the hash of a place: asks for its memory. domain
 * may be none. */
void simpledb_prefetch(const struct simpledb *model, int domain, uint32_t hash);
/* A put on its way; the strings and pairs are the caller's. */
struct simpledb_put {
    struct simpledb_place place; /* made for this item in this domain */
    int domain;
    struct jobq_item item;
    const struct jobq_expect *expect; /* NULL: no condition */
};
/* As simpledb_put. */
int simpledb_put_at(struct simpledb *model, int64_t now_ns,
                    const struct simpledb_put *put, struct simpledb_reply *reply,
                    struct jobq_error *err);

/* PutAttributes. `expect` NULL: no condition. All or nothing. */
int simpledb_put(struct simpledb *model, int64_t now_ns, int domain, struct jobq_str item,
                 const struct jobq_attr *attr, int attr_count,
                 const struct jobq_expect *expect, struct simpledb_reply *reply,
                 struct jobq_error *err);
/* BatchPutAttributes. All or nothing. */
int simpledb_put_batch(struct simpledb *model, int64_t now_ns, int domain,
                       const struct jobq_item *item, int item_count,
                       struct simpledb_reply *reply, struct jobq_error *err);
/* DeleteAttributes: the whole item (attr_count 0), all values of a name (value.len 0), or
 * one value. What is not there is deleted with success. */
int simpledb_delete(struct simpledb *model, int64_t now_ns, int domain,
                    struct jobq_str item, const struct jobq_attr *attr, int attr_count,
                    const struct jobq_expect *expect, struct simpledb_reply *reply,
                    struct jobq_error *err);
int simpledb_delete_batch(struct simpledb *model, int64_t now_ns, int domain,
                          const struct jobq_item *item, int item_count,
                          struct simpledb_reply *reply, struct jobq_error *err);

/* GetAttributes: all attributes, or those named. u in (0,1) decides which replica answers
 * a read that is not consistent: it sees the newest write of age a with u < p(a).
 * A row that is not there is JOBQ_OK with attr_count 0. Owner: out's strings are copied
 * into arena. */
int simpledb_get(struct simpledb *model, int64_t now_ns, double u, int domain,
                 struct jobq_str item, const struct jobq_str *name, int name_count,
                 bool consistent, struct arena *arena, struct jobq_item *out,
                 struct simpledb_reply *reply, struct jobq_error *err);

/* One page of Select (grammar: models/simpledb/query.h). The domain is in the expression. u as in get:
 * one replica answers the whole page. */
struct simpledb_page {
    struct jobq_item *item; /* count(*): one item "Domain" with the attribute "Count" */
    int item_count;
    struct jobq_str next_token; /* empty: no more */
    int64_t rows_scanned;
};
int simpledb_select(struct simpledb *model, int64_t now_ns, double u,
                    struct jobq_str expression, struct jobq_str next_token,
                    bool consistent, struct arena *arena, struct simpledb_page *out,
                    struct simpledb_reply *reply, struct jobq_error *err);

/* Answer a call that the caller found wrong before it could be made (a malformed request):
 * fills reply with the fault and the BoxUsage of a refused call, err with text. Returns the
 * fault's code. */
int simpledb_refuse(const struct simpledb *model, enum simpledb_fault fault,
                    const char *text, struct simpledb_reply *reply,
                    struct jobq_error *err);

/* ---- accounts and iteration ------------------------------------------------------- */

/* Billed storage now: raw bytes of item names, of attribute names (once a domain) and of
 * values, and 45 bytes for each of them (Developer Guide; pricing page 2009-2012). */
int64_t simpledb_billed_bytes(const struct simpledb *model);
/* Its integral over time since the start or the last reset, in byte-hours. */
double simpledb_byte_hours(struct simpledb *model, int64_t now_ns);
/* Bytes of memory that the model holds from the system. */
int64_t simpledb_memory(const struct simpledb *model);

/* How many ids have been given; domains are 0..count-1, existing or not. */
int simpledb_domain_count(const struct simpledb *model);

/* The rows of a domain one by one, as a consistent read sees them. Zero the cursor to
 * start; writes between steps are allowed and neither skip nor repeat other rows. Returns
 * false at the end. Owner: strings are copied into arena. */
struct simpledb_cursor {
    bool started;
    struct jobq_str name; /* the last row given, in the arena: do not reset it between */
};
bool simpledb_next_row(struct simpledb *model, int domain, struct simpledb_cursor *cursor,
                       struct arena *arena, struct jobq_item *out);

/* Put back what was saved: no limits, throttle, usage or window apply. */
void simpledb_restore_domain(struct simpledb *model, int64_t now_ns, int domain);
void simpledb_restore_row(struct simpledb *model, int64_t now_ns, int domain,
                          const struct jobq_item *item);

#endif
