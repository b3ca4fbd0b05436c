/* request.h - one call of DynamoDB: what its JSON says, checked, and what its reply says.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/dynamodb.
 * Knows nothing of: how a reply leaves. */
#ifndef JOBQ_SIM_MOCK_DYNAMODB_REQUEST_H
#define JOBQ_SIM_MOCK_DYNAMODB_REQUEST_H

#include "models/dynamodb/dynamodb.h"
#include "sim/mock/dynamodb/json.h"
#include "sim/mock/server/mock.h"

enum { REQUEST_TABLES_MAX = 128 };

struct request {
    struct call *call;
    struct dynamodb *model;
    struct arena *arena;
    struct text *out; /* the reply's members, behind its '{' */
    json_t *in;
    bool failed; /* call->error says why */
    bool wrote;  /* a member of the reply */
    struct expression_context context;
    /* What the call consumed, by table. */
    struct {
        int table;
        double units;
    } used[REQUEST_TABLES_MAX];
    int used_count;
};

/* Each refuses the call (the first refusal counts) and returns false. */
bool request_invalid(struct request *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool request_malformed(struct request *r, const char *text); /* SerializationException */
/* As the model says. */
bool request_refused(struct request *r, const struct dynamodb_reply *reply,
                     const struct jobq_error *err);
bool request_fault(struct request *r, const struct json_fault *fault);

/* Members of `of`, by type; absent (or null): *out as it was, true. Another type refuses. */
bool request_text(struct request *r, json_t *of, const char *name, struct jobq_str *out);
bool request_flag(struct request *r, json_t *of, const char *name, bool *out);
bool request_count(struct request *r, json_t *of, const char *name, int64_t low,
                   int64_t *out);
/* One of "A|B|C": *out is its index. */
bool request_choice(struct request *r, json_t *of, const char *name, const char *words,
                    int *out);

/* TableName: checked; *out -1 when there is no such table, which the model refuses. */
bool request_table(struct request *r, json_t *of, int *out);
/* Item, Key. */
bool request_item(struct request *r, json_t *of, const char *name,
                  struct dynamodb_item *out);

/* ExpressionAttributeNames and Values of `of` into r->context, before expressions are read. */
bool request_placeholders(struct request *r, json_t *of);
/* The expression of that member; NULL if there is none. */
bool request_condition(struct request *r, json_t *of, const char *name,
                       const struct expression_node **out);
bool request_update(struct request *r, json_t *of, const struct expression_update **out);
bool request_projection(struct request *r, json_t *of, struct expression_projection *out);
/* None may be left over: after all expressions. */
bool request_all_used(struct request *r);

/* ---- replies ------------------------------------------------------------------------ */

/* "name": - the value is the caller's to write. */
void request_member(struct request *r, const char *name);
void request_write_item(struct request *r, const char *name,
                        const struct dynamodb_item *item);
void request_use(struct request *r, int table, double units);
/* ConsumedCapacity, if asked for: an object, or a list of one a table. */
bool request_consumed(struct request *r, bool list);

#endif
