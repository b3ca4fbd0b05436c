/* box.h - what the calls of the EC2 model share.
 *
 * Room:     models, the facts; internal to the EC2 model.
 * Callers:  the files of models/ec2. */
#ifndef JOBQ_MODELS_EC2_BOX_H
#define JOBQ_MODELS_EC2_BOX_H

#include "base/arena.h"
#include "models/ec2/ec2.h"

#include <stddef.h>

/* A box, and what is planned for it. */
struct ec2_box {
    struct ec2_instance view; /* what others see */
    int64_t next_at_ns;       /* the next change; EC2_NEVER: none */
    enum ec2_change_kind next;
    int64_t planned_take_ns; /* of a spot box, not yet announced; EC2_NEVER: never */
    double stop_u;
    uint32_t stamp; /* of its newest entry among the planned changes */
};

struct ec2_planned {
    int64_t at_ns;
    int32_t instance;
    uint32_t stamp;
};

struct ec2 {
    struct ec2_params params;
    char zone[32];
    struct ec2_box **box;
    int32_t count, cap;
    struct ec2_planned *planned; /* a heap by (at_ns, instance); stale ones are skipped */
    int32_t planned_count, planned_cap;
    struct ec2_change *queued; /* happened, not yet given to the driver */
    int32_t queued_first, queued_count, queued_cap;
    double request_tokens, resource_tokens;
    int64_t tokens_at_ns;
    bool tokens_started;
    uint64_t id_salt;
    struct arena arena; /* boxes and their strings; tags are on the heap */
};

/* Let everything due until now happen. */
void box_settle(struct ec2 *model, int64_t now_ns);
/* Plan (or, with EC2_NEVER, unplan) this box's next change. */
void box_plan(struct ec2 *model, int32_t index, int64_t at_ns, enum ec2_change_kind next);
/* The next of a box's own draws: a function of u and which alone, in (0,1). */
double box_draw(double u, uint64_t which);
/* Known to calls: launched long enough ago and not forgotten. */
bool box_visible(const struct ec2 *model, const struct ec2_instance *box, int64_t now_ns);
void box_set_tag(struct ec2_instance *box, struct jobq_tag tag);
void box_drop_tag(struct ec2_instance *box, int32_t index);

int ec2_ok(struct ec2_reply *reply);
int ec2_refuse(enum ec2_fault fault, struct ec2_reply *reply, struct jobq_error *err,
               const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Resolve ids; out holds count. NOT_FOUND or malformed: refused. */
int ec2_resolve(const struct ec2 *model, int64_t now_ns, const struct jobq_str *id,
                int count, int32_t *out, struct ec2_reply *reply, struct jobq_error *err);
/* Tags of a request: keys and values within their limits. */
int ec2_check_tags(const struct jobq_tag *tag, int count, struct ec2_reply *reply,
                   struct jobq_error *err);

#define EC2_STR(str)                                                                     \
    ((int)((str).len < 64 ? (str).len : 64)), ((str).ptr ? (str).ptr : "")

#endif
