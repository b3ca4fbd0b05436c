/* call.h - what the calls of the SimpleDB model share.
 *
 * Room:     models, the facts; internal to the SimpleDB model.
 * Callers:  simpledb_*.c. */
#ifndef JOBQ_MODELS_SIMPLEDB_CALL_H
#define JOBQ_MODELS_SIMPLEDB_CALL_H

#include "models/simpledb/row.h"

/* Fill reply for a success, or for a refusal with the BoxUsage of one. Return the code. */
int call_ok(struct simpledb_reply *reply, int64_t box_usage_e10h);
int call_fail(const struct simpledb *model, enum simpledb_fault fault,
              struct simpledb_reply *reply, struct jobq_error *err, const char *format,
              ...) __attribute__((cold, format(printf, 5, 6)));

static inline bool call_domain_exists(const struct simpledb *model, int domain)
{
    return domain >= 0 && domain < model->domain_names.count &&
           model->domain[domain].exists;
}
/* NULL, with the refusal made. */
struct row_domain *call_refuse_domain(const struct simpledb *model, int domain,
                                      struct simpledb_reply *reply,
                                      struct jobq_error *err) __attribute__((cold));
/* An existing domain, or NULL with the refusal made. */
static inline struct row_domain *call_domain(struct simpledb *model, int domain,
                                             struct simpledb_reply *reply,
                                             struct jobq_error *err)
{
    return call_domain_exists(model, domain)
               ? &model->domain[domain]
               : call_refuse_domain(model, domain, reply, err);
}
/* A name, item name or value within its limit; parameter is "Name", "ItemName", "Value". */
int call_string(const struct simpledb *model, struct jobq_str str, const char *parameter,
                struct simpledb_reply *reply, struct jobq_error *err);

/* A fresh serial for model->mark, which reaches all names; and the same where marks must
 * grow, or serials begin anew. */
uint32_t call_renew_serials(struct simpledb *model) __attribute__((cold));
static inline uint32_t call_serial(struct simpledb *model)
{
    if (model->mark_cap < model->names.count || model->serial == UINT32_MAX)
        return call_renew_serials(model);
    return ++model->serial;
}

/* Copy a row (and of its pairs those whose mark is seen, if only_marked) into arena. Returns
 * how many distinct names there are; marks are used up. */
int call_copy_row(struct simpledb *model, const char *row, uint32_t only_marked,
                  struct arena *arena, struct jobq_item *out);

/* The first 64 bytes of str, for "%.*s" in AWS's texts. */
#define CALL_STR(str)                                                                    \
    ((int)((str).len < 64 ? (str).len : 64)), ((str).ptr ? (str).ptr : "x")

#endif
