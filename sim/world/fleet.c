/* fleet.c - the fleet port over the EC2 model, and the boxes themselves.
 *
 * Room:     sim; see world.h. */
#include "sim/world/internal.h"

#include "sim/world/bytes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static struct world_proc *proc_of(struct jobq_fleet *port)
{
    return ((struct world_port_fleet *)port)->proc;
}

static int64_t now_of(const struct world_call *call)
{
    return kernel_now(call->proc->world->kernel);
}

static void answered(struct world_call *call, int code, const struct ec2_reply *reply,
                     struct size_call bytes)
{
    call->code = code;
    *call->cost = (struct jobq_call_cost){.requests = 1,
                                          .http_status = reply->http_status,
                                          .bytes_out = bytes.out,
                                          .bytes_in = bytes.in};
}

/* ---- calls ------------------------------------------------------------------------ */

enum what { FLEET_LAUNCH, FLEET_TERMINATE, FLEET_DESCRIBE, FLEET_TAG };

struct fleet_call {
    struct world_call call;
    enum what what;
    const struct jobq_launch *launch;
    const struct jobq_str *id;
    int id_count;
    struct jobq_tag tag; /* to look for */
    const struct jobq_tag *tags;
    int tag_count;
    struct arena *arena;
    struct jobq_str *out_id;
    struct jobq_box *out_box;
    struct jobq_str *next_token;
    int cap;
};

static int launch_apply(struct fleet_call *f, struct ec2_reply *reply)
{
    struct world *w = f->call.proc->world;
    const struct jobq_launch *l = f->launch;
    struct ec2_run run = {.image = str_of(l->image),
                          .type = str_of(l->type),
                          .min_count = l->count,
                          .max_count = l->count,
                          .user_data = l->user_data,
                          .tag = l->tag,
                          .tag_count = l->tag_count,
                          .spot = l->spot};
    if (l->client_token)
        run.client_token = str_of(l->client_token);
    if (l->count > f->cap)
        return jobq_fail(f->call.err, JOBQ_LIMIT, "%d boxes exceed the caller's '%d'",
                         l->count, f->cap);
    int32_t first;
    int count = ec2_run(w->ec2, now_of(&f->call), dice_u(&f->call.proc->call), &run,
                        &first, reply, f->call.err);
    for (int i = 0; i < count; i++)
        f->out_id[i] =
            arena_str(f->arena, str_of(ec2_instance_at(w->ec2, first + i)->id));
    return count;
}

static void box_of(const struct ec2_instance *from, struct arena *arena,
                   struct jobq_box *to)
{
    struct jobq_tag *tag = arena_alloc(arena, (size_t)from->tag_count * sizeof *tag + 1);
    for (int i = 0; i < from->tag_count; i++) {
        tag[i].key = arena_str(arena, from->tag[i].key);
        tag[i].value = arena_str(arena, from->tag[i].value);
    }
    static const enum jobq_box_state states[] = {JOBQ_BOX_PENDING, JOBQ_BOX_RUNNING,
                                                 JOBQ_BOX_STOPPING, JOBQ_BOX_ENDED};
    *to = (struct jobq_box){.id = arena_str(arena, str_of(from->id)),
                            .type = arena_str(arena, str_of(from->type.name)),
                            .zone = STR("us-east-1a"),
                            .state = states[from->state],
                            .spot = from->spot,
                            .launched_wall_ns = WORLD_EPOCH_NS + from->launched_at_ns,
                            .tag = tag,
                            .tag_count = from->tag_count};
}

static int describe_apply(struct fleet_call *f, struct ec2_reply *reply)
{
    struct world *w = f->call.proc->world;
    char *name = arena_alloc(f->arena, 4 + (size_t)f->tag.key.len);
    memcpy(name, "tag:", 4);
    memcpy(name + 4, f->tag.key.ptr, (size_t)f->tag.key.len);
    static const struct jobq_str alive[3] = {
        {"pending", 7}, {"running", 7}, {"shutting-down", 13}};
    struct ec2_filter filter[2] = {
        {.name = {name, 4 + f->tag.key.len}, .value = &f->tag.value, .value_count = 1},
        {.name = STR("instance-state-name"), .value = alive, .value_count = 3}};
    struct ec2_query query = {.filter = filter,
                              .filter_count = 2,
                              .max_results = JOBQ_BOXES_PAGE,
                              .next_token = *f->next_token};
    struct ec2_found found;
    int code = ec2_describe(w->ec2, now_of(&f->call), &query, f->arena, &found, reply,
                            f->call.err);
    if (code < 0)
        return code;
    *f->next_token = found.next_token;
    for (int i = 0; i < found.count; i++)
        box_of(ec2_instance_at(w->ec2, found.instance[i]), f->arena, &f->out_box[i]);
    return found.count;
}

static int terminate_apply(struct fleet_call *f, struct ec2_reply *reply)
{
    struct world *w = f->call.proc->world;
    struct ec2_transition *out =
        xmalloc((size_t)(f->id_count > 0 ? f->id_count : 1) * sizeof *out);
    int code = ec2_terminate(w->ec2, now_of(&f->call), dice_u(&f->call.proc->call), f->id,
                             f->id_count, false, out, reply, f->call.err);
    free(out);
    return code;
}

static struct size_call fleet_bytes(const struct fleet_call *f, int code)
{
    const struct world *w = f->call.proc->world;
    switch (f->what) {
    case FLEET_LAUNCH:
        return world_bytes_launch(w, f->launch);
    case FLEET_TERMINATE:
        return size_terminate(&w->params->client, f->id_count);
    case FLEET_DESCRIBE:
        return world_bytes_describe(w, f->tag, code > 0 ? code : 0);
    case FLEET_TAG:
        return world_bytes_tag(w, f->id_count, f->tags, f->tag_count);
    }
    return (struct size_call){0, 0};
}

static void fleet_apply(void *ctx, uint64_t arg)
{
    (void)arg;
    struct fleet_call *f = ctx;
    struct world *w = f->call.proc->world;
    struct ec2_reply reply = {0};
    int code = JOBQ_OK;
    switch (f->what) {
    case FLEET_LAUNCH:
        code = launch_apply(f, &reply);
        break;
    case FLEET_TERMINATE:
        code = terminate_apply(f, &reply);
        break;
    case FLEET_DESCRIBE:
        code = describe_apply(f, &reply);
        break;
    case FLEET_TAG:
        code = ec2_create_tags(w->ec2, now_of(&f->call), f->id, f->id_count, f->tags,
                               f->tag_count, false, &reply, f->call.err);
        break;
    }
    answered(&f->call, code, &reply, fleet_bytes(f, code));
    world_reply(&f->call);
    world_ec2_pump(w);
}

static int ask(struct jobq_fleet *port, struct fleet_call *f)
{
    world_ask(proc_of(port), &f->call, fleet_apply, WORLD_EC2);
    return f->call.code;
}

static int fleet_launch(struct jobq_fleet *port, const struct jobq_launch *launch,
                        struct arena *arena, struct jobq_str *out, int cap,
                        struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct fleet_call f = {.call = {.cost = cost, .err = err},
                           .what = FLEET_LAUNCH,
                           .launch = launch,
                           .arena = arena,
                           .out_id = out,
                           .cap = cap};
    return ask(port, &f);
}

static int fleet_terminate(struct jobq_fleet *port, const struct jobq_str *id, int count,
                           struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct fleet_call f = {.call = {.cost = cost, .err = err},
                           .what = FLEET_TERMINATE,
                           .id = id,
                           .id_count = count};
    return ask(port, &f);
}

static int fleet_describe(struct jobq_fleet *port, struct jobq_tag tag,
                          struct jobq_str *next_token, struct arena *arena,
                          struct jobq_box *out, struct jobq_call_cost *cost,
                          struct jobq_error *err)
{
    struct fleet_call f = {.call = {.cost = cost, .err = err},
                           .what = FLEET_DESCRIBE,
                           .tag = tag,
                           .arena = arena,
                           .next_token = next_token,
                           .out_box = out};
    return ask(port, &f);
}

static int fleet_tag(struct jobq_fleet *port, const struct jobq_str *id, int id_count,
                     const struct jobq_tag *tag, int tag_count,
                     struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct fleet_call f = {.call = {.cost = cost, .err = err},
                           .what = FLEET_TAG,
                           .id = id,
                           .id_count = id_count,
                           .tags = tag,
                           .tag_count = tag_count};
    return ask(port, &f);
}

/* Instance metadata is on the box: it answers at once. */
static int fleet_self(struct jobq_fleet *port, struct jobq_self *out,
                      struct jobq_error *err)
{
    struct world_proc *p = proc_of(port);
    if (!p->box)
        return jobq_fail(err, JOBQ_NOT_FOUND, "not on a box");
    if (p->metadata_down)
        return jobq_fail(err, JOBQ_UNAVAILABLE, "the instance metadata does not answer");
    const struct ec2_instance *i = world_box_instance(p->box);
    *out = (struct jobq_self){.zone = "us-east-1a",
                              .region = "us-east-1",
                              .image = "ami-0123456789abcdef0",
                              .spot = i->spot};
    memcpy(out->id, i->id, sizeof out->id);
    memcpy(out->type, i->type.name, sizeof out->type);
    return JOBQ_OK;
}

static int fleet_notice(struct jobq_fleet *port, struct jobq_notice *out,
                        struct jobq_error *err)
{
    struct world_proc *p = proc_of(port);
    if (!p->box)
        return jobq_fail(err, JOBQ_NOT_FOUND, "not on a box");
    const struct ec2_instance *i = world_box_instance(p->box);
    if (p->metadata_down)
        return jobq_fail(err, JOBQ_UNAVAILABLE, "the instance metadata does not answer");
    *out = (struct jobq_notice){0};
    if (i->notice_at_ns <= kernel_now(p->world->kernel)) {
        out->due = true;
        out->at_wall_ns = WORLD_EPOCH_NS + i->take_at_ns;
    }
    return JOBQ_OK;
}

const struct jobq_fleet_ops world_fleet_ops = {
    .name = "sim",
    .launch = fleet_launch,
    .terminate = fleet_terminate,
    .describe = fleet_describe,
    .tag = fleet_tag,
    .self = fleet_self,
    .notice = fleet_notice,
};

/* ---- boxes ------------------------------------------------------------------------ */

void world_on_boot(struct world *w, world_boot_fn *up, world_boot_fn *down, void *ctx)
{
    w->on_up = up;
    w->on_down = down;
    w->boot_ctx = ctx;
}

static struct world_box *box_of_instance(struct world *w, int64_t index)
{
    while (index >= w->box_count) {
        if (w->box_count == w->box_cap) {
            int64_t cap = w->box_cap ? 2 * w->box_cap : 16;
            w->box = xrealloc(w->box, (size_t)cap * sizeof(struct world_box *));
            for (int64_t i = w->box_cap; i < cap; i++)
                w->box[i] = xcalloc(1, sizeof(struct world_box));
            w->box_cap = cap;
        }
        struct world_box *b = w->box[w->box_count];
        struct box cpu = b->cpu; /* keeps its memory */
        bool live = b->cpu_live;
        *b = (struct world_box){.world = w,
                                .index = w->box_count,
                                .ready_at_ns = -1,
                                .cpu = cpu,
                                .cpu_live = live,
                                .armed_at_ns = JOBQ_FOREVER};
        w->box_count++;
    }
    return w->box[index];
}

static void box_up(struct world_box *b)
{
    struct world *w = b->world;
    const struct ec2_instance *i = world_box_instance(b);
    if (i->state != EC2_RUNNING)
        return;
    if (b->cpu_live)
        box_reset(&b->cpu, i->type.vcpus, kernel_now(w->kernel));
    else
        box_init(&b->cpu, i->type.vcpus, kernel_now(w->kernel));
    b->cpu_live = true;
    b->up = true;
    if (w->on_up)
        w->on_up(w->boot_ctx, b);
}

static void box_down(struct world_box *b)
{
    struct world *w = b->world;
    if (b->gone)
        return;
    b->gone = true;
    bool was_up = b->up;
    b->up = false;
    if (was_up)
        b->cpu_used_ns = box_busy_ns(&b->cpu, kernel_now(w->kernel));
    /* The owner reads what the processes did before they are killed. */
    if (w->on_down)
        w->on_down(w->boot_ctx, b);
    while (b->procs) {
        struct world_proc *p = b->procs;
        b->procs = p->next_on_box;
        fiber_proc_kill(p->fibers);
    }
    if (was_up)
        world_box_stop_cpu(b);
}

static void booted(void *ctx, uint64_t index)
{
    struct world *w = ctx;
    box_up(box_of_instance(w, (int64_t)index));
}

static void ec2_due(void *ctx, uint64_t arg)
{
    (void)arg;
    struct world *w = ctx;
    w->ec2_armed_at_ns = JOBQ_FOREVER;
    world_ec2_pump(w);
}

void world_ec2_pump(struct world *w)
{
    struct ec2_change change[16];
    int count;
    int64_t now_ns = kernel_now(w->kernel);
    do {
        count = ec2_advance(w->ec2, now_ns, change, 16);
        for (int i = 0; i < count; i++) {
            struct world_box *b = box_of_instance(w, change[i].instance);
            int64_t ready_ns = ec2_ready_at(w->ec2, change[i].instance);
            if (change[i].kind == EC2_CAME_UP && ready_ns <= now_ns)
                box_up(b);
            else if (change[i].kind == EC2_CAME_UP)
                kernel_at(w->kernel, ready_ns, booted, w, (uint64_t)change[i].instance);
            else if (change[i].kind == EC2_WENT_DOWN)
                box_down(b);
        }
    } while (count == 16);
    int64_t next_ns = ec2_next_at(w->ec2);
    if (next_ns >= w->ec2_armed_at_ns)
        return;
    if (w->ec2_armed_at_ns != JOBQ_FOREVER)
        kernel_cancel(w->kernel, w->ec2_armed);
    w->ec2_armed_at_ns = next_ns < now_ns ? now_ns : next_ns;
    w->ec2_armed = kernel_at(w->kernel, w->ec2_armed_at_ns, ec2_due, w, 0);
}

int world_boxes_running(struct world *w, const char *type, int64_t count, bool spot,
                        struct jobq_error *err)
{
    /* Running before the run began: no throttle, no wait, no interruption. */
    struct ec2_params plain;
    ec2_params_default(&plain);
    ec2_set_params(w->ec2, &plain);
    struct ec2_run run = {.image = STR("ami-00000000"),
                          .type = str_of(type),
                          .min_count = (int32_t)count,
                          .max_count = (int32_t)count,
                          .spot = spot};
    int32_t first;
    struct ec2_reply reply;
    int code = ec2_run(w->ec2, kernel_now(w->kernel), 0.5, &run, &first, &reply, err);
    world_ec2_pump(w);
    ec2_set_params(w->ec2, &w->params->ec2);
    return code < 0 ? code : JOBQ_OK;
}

static void box_ends(struct world_box *b)
{
    struct world *w = b->world;
    ec2_guest_shutdown(w->ec2, kernel_now(w->kernel), 0.5, (int32_t)b->index);
    box_down(b);
    world_ec2_pump(w);
}

void world_box_die(struct world_box *b)
{
    box_ends(b);
}

void world_box_shutdown(struct world_box *b)
{
    box_ends(b);
}

int64_t world_box_count(const struct world *w)
{
    return ec2_instance_count(w->ec2);
}

struct world_box *world_box_at(struct world *w, int64_t index)
{
    return box_of_instance(w, index);
}

const struct ec2_instance *world_box_instance(const struct world_box *b)
{
    return ec2_instance_at(b->world->ec2, (int32_t)b->index);
}

int64_t world_box_index(const struct world_box *b)
{
    return b->index;
}

bool world_box_up(const struct world_box *b)
{
    return b->up;
}

int32_t world_box_vcpus(const struct world_box *b)
{
    return world_box_instance(b)->type.vcpus;
}

int64_t world_box_cpu_ns(const struct world_box *b)
{
    return b->up ? box_busy_ns(&b->cpu, kernel_now(b->world->kernel)) : b->cpu_used_ns;
}

int64_t world_box_ready_at(const struct world_box *b)
{
    return b->ready_at_ns;
}

void world_fleet_reset(struct world *w)
{
    w->box_count = 0;
    w->ec2_armed_at_ns = JOBQ_FOREVER;
}
