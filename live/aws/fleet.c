/* fleet.c - the fleet port by EC2's Query protocol and the instance metadata.
 *
 * Room:     live. Callers: live/world/live.c.
 * Knows nothing of: the product.
 * Blocks:   each call, on the calling fiber. */
#include "live/aws/aws.h"

#include "base/arena.h"
#include "wire/ec2/ec2_calls.h"
#include "wire/ec2/metadata.h"

#include <stdio.h>
#include <stdlib.h>

struct aws_fleet {
    struct jobq_fleet port; /* first */
    struct aws *aws;
    struct imds *imds;
    struct jobq_self me; /* read once: a box does not change */
    bool known;
};

static struct aws_fleet *self(struct jobq_fleet *f)
{
    return (struct aws_fleet *)f;
}

struct ec2_args {
    const struct jobq_launch *launch;
    const struct jobq_str *id;
    const struct jobq_tag *tag;
    int id_count, tag_count;
    struct jobq_str token;
    /* results */
    struct arena *arena;
    struct jobq_str *out;
    struct jobq_box *box;
    int cap;
};

static int run(struct jobq_fleet *f, const char *action, struct ec2_args *args,
               void (*write)(const void *, struct text *, struct query *),
               int (*read)(void *, struct jobq_str, struct jobq_call_cost *,
                           struct jobq_error *),
               struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct aws_call call = {.service = JOBQ_EC2,
                            .action = action,
                            .write = write,
                            .args = args,
                            .read = read,
                            .out = args,
                            .wait_ns = -1};
    return aws_run(self(f)->aws, &call, cost, err);
}

static void write_launch(const void *args, struct text *body, struct query *query)
{
    (void)body;
    ec2_wire_launch(query, ((const struct ec2_args *)args)->launch);
}

static int read_launch(void *out, struct jobq_str body, struct jobq_call_cost *cost,
                       struct jobq_error *err)
{
    struct ec2_args *a = out;
    (void)cost;
    return ec2_wire_read_launch(body, a->arena, a->out, a->cap, err);
}

static int fleet_launch(struct jobq_fleet *f, const struct jobq_launch *launch,
                        struct arena *arena, struct jobq_str *out, int cap,
                        struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct ec2_args args = {.launch = launch, .arena = arena, .out = out, .cap = cap};
    return run(f, "RunInstances", &args, write_launch, read_launch, cost, err);
}

static void write_terminate(const void *args, struct text *body, struct query *query)
{
    const struct ec2_args *a = args;
    (void)body;
    ec2_wire_terminate(query, a->id, a->id_count);
}

static int fleet_terminate(struct jobq_fleet *f, const struct jobq_str *id, int count,
                           struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct ec2_args args = {.id = id, .id_count = count};
    return run(f, "TerminateInstances", &args, write_terminate, NULL, cost, err);
}

static void write_describe(const void *args, struct text *body, struct query *query)
{
    const struct ec2_args *a = args;
    (void)body;
    ec2_wire_describe(query, *a->tag, a->token);
}

static int read_describe(void *out, struct jobq_str body, struct jobq_call_cost *cost,
                         struct jobq_error *err)
{
    struct ec2_args *a = out;
    (void)cost;
    return ec2_wire_read_describe(body, a->arena, a->box, a->cap, &a->token, err);
}

static int fleet_describe(struct jobq_fleet *f, struct jobq_tag tag,
                          struct jobq_str *next_token, struct arena *arena,
                          struct jobq_box *out, struct jobq_call_cost *cost,
                          struct jobq_error *err)
{
    struct ec2_args args = {.tag = &tag,
                            .arena = arena,
                            .token = *next_token,
                            .box = out,
                            .cap = JOBQ_BOXES_PAGE};
    int count =
        run(f, "DescribeInstances", &args, write_describe, read_describe, cost, err);
    *next_token = count < 0 ? STR("") : args.token;
    return count;
}

static void write_tag(const void *args, struct text *body, struct query *query)
{
    const struct ec2_args *a = args;
    (void)body;
    ec2_wire_tag(query, a->id, a->id_count, a->tag, a->tag_count);
}

static int fleet_tag(struct jobq_fleet *f, const struct jobq_str *id, int id_count,
                     const struct jobq_tag *tag, int tag_count,
                     struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct ec2_args args = {
        .id = id, .id_count = id_count, .tag = tag, .tag_count = tag_count};
    return run(f, "CreateTags", &args, write_tag, NULL, cost, err);
}

/* ---- this box --------------------------------------------------------------------------- */

static int metadata(struct imds *imds, const char *path, char *out, size_t cap,
                    struct jobq_error *err)
{
    struct text text = {0};
    int rc = imds_get(imds, path, &text, err);
    if (rc == JOBQ_OK)
        text_escape(text.ptr ? text.ptr : "", (int64_t)text.len, out, (int)cap);
    text_release(&text);
    return rc;
}

struct role {
    struct text reply;
    struct jobq_self *me;
};

static void read_role(void *ctx)
{
    struct role *role = ctx;
    if (!metadata_read_profile(text_str(&role->reply), role->me->profile,
                               sizeof role->me->profile))
        role->me->profile[0] = '\0';
}

/* What a box like this one would be started with. */
static void find_role(struct aws_fleet *s, struct jobq_self *me)
{
    struct role role = {.me = me};
    struct jobq_error no_role;
    if (imds_get(s->imds, "meta-data/iam/info", &role.reply, &no_role) == JOBQ_OK)
        transport_on_loop(s->aws->transport, read_role, &role);
    text_release(&role.reply);
}

static int fleet_self(struct jobq_fleet *f, struct jobq_self *out, struct jobq_error *err)
{
    struct aws_fleet *s = self(f);
    struct jobq_self me = {0};
    char life[24] = "";
    if (!s->known) {
        int rc = metadata(s->imds, "meta-data/instance-id", me.id, sizeof me.id, err);
        if (rc == JOBQ_OK)
            rc = metadata(s->imds, "meta-data/instance-type", me.type, sizeof me.type,
                          err);
        if (rc == JOBQ_OK)
            rc = metadata(s->imds, "meta-data/placement/availability-zone", me.zone,
                          sizeof me.zone, err);
        if (rc == JOBQ_OK)
            rc = metadata(s->imds, "meta-data/instance-life-cycle", life, sizeof life,
                          err);
        if (rc < 0)
            return rc;
        /* What a box like this one would be started from; a box without one starts none. */
        struct jobq_error no_image;
        if (metadata(s->imds, "meta-data/ami-id", me.image, sizeof me.image, &no_image) <
            0)
            me.image[0] = '\0';
        find_role(s, &me);
        snprintf(me.region, sizeof me.region, "%.31s", s->aws->region);
        me.spot = strcmp(life, "spot") == 0;
        s->me = me;
        s->known = true;
    }
    *out = s->me;
    return JOBQ_OK;
}

struct reading {
    struct text *reply;
    int64_t at_wall_ns;
    bool ok;
};

static void read_notice(void *ctx)
{
    struct reading *r = ctx;
    r->ok = metadata_read_notice(text_str(r->reply), &r->at_wall_ns);
}

static int fleet_notice(struct jobq_fleet *f, struct jobq_notice *out,
                        struct jobq_error *err)
{
    struct aws_fleet *s = self(f);
    struct jobq_notice notice = {0};
    struct text reply = {0};
    struct jobq_error why;
    int rc = imds_get(s->imds, "meta-data/spot/instance-action", &reply, &why);
    if (rc == JOBQ_OK) {
        struct reading r = {.reply = &reply};
        transport_on_loop(s->aws->transport, read_notice, &r);
        /* A notice that cannot be read is still a notice; two minutes are usual. */
        notice.due = true;
        notice.at_wall_ns =
            r.ok ? r.at_wall_ns : loop_wall_ns() + 120 * INT64_C(1000000000);
    }
    if (rc == JOBQ_NOT_FOUND) {
        rc =
            imds_get(s->imds, "meta-data/events/recommendations/rebalance", &reply, &why);
        notice.rebalance = rc == JOBQ_OK;
        if (rc == JOBQ_NOT_FOUND)
            rc = JOBQ_OK;
    }
    text_release(&reply);
    if (rc < 0) {
        *err = why;
        return rc;
    }
    *out = notice;
    return JOBQ_OK;
}

static const struct jobq_fleet_ops ops = {.name = "ec2",
                                          .launch = fleet_launch,
                                          .terminate = fleet_terminate,
                                          .describe = fleet_describe,
                                          .tag = fleet_tag,
                                          .self = fleet_self,
                                          .notice = fleet_notice};

struct jobq_fleet *aws_fleet_new(struct aws *aws, struct imds *imds)
{
    struct aws_fleet *s = xcalloc(1, sizeof *s);
    s->port.ops = &ops;
    s->aws = aws;
    s->imds = imds;
    return &s->port;
}

void aws_fleet_free(struct jobq_fleet *fleet)
{
    free(self(fleet));
}
