/* queue.c - the queue port over the SQS model.
 *
 * Room:     sim; see world.h. */
#include "sim/world/internal.h"

#include "sim/world/bytes.h"

#include <assert.h>
#include <string.h>

static struct world_proc *proc_of(struct jobq_queue *port)
{
    return ((struct world_port_queue *)port)->proc;
}

/* Fills the cost of a call that was answered, and its code. */
static void answered(struct world_call *call, enum sqs_fault fault,
                     struct size_call bytes)
{
    const struct sqs_fault_info *info = sqs_fault_info(fault);
    *call->cost = (struct jobq_call_cost){.requests = 1,
                                          .http_status = info->http_status,
                                          .bytes_out = bytes.out,
                                          .bytes_in = bytes.in};
    if (fault != SQS_OK)
        call->code = info->code;
}

static int64_t now_of(const struct world_call *call)
{
    return kernel_now(call->proc->world->kernel);
}

/* ---- queues ----------------------------------------------------------------------- */

enum admin { ADMIN_CREATE, ADMIN_OPEN, ADMIN_SET, ADMIN_DEPTH, ADMIN_PURGE };

struct admin_call {
    struct world_call call;
    enum admin what;
    int queue;
    const char *name;
    const struct jobq_queue_options *options;
    int *out_queue;
    struct jobq_queue_depth *out_depth;
};

static struct sqs_settings settings_of(const struct jobq_queue_options *o)
{
    struct sqs_settings s = {.given = SQS_SET_VISIBILITY | SQS_SET_DELAY | SQS_SET_WAIT,
                             .visibility_ns = o->visibility_ns,
                             .delay_ns = o->delay_ns,
                             .wait_ns = o->receive_wait_ns,
                             .redrive_queue = -1};
    if (o->retention_ns > 0) {
        s.given |= SQS_SET_RETENTION;
        s.retention_ns = o->retention_ns;
    }
    if (o->max_receive_count > 0) {
        s.given |= SQS_SET_REDRIVE;
        s.redrive_queue = o->dead_queue;
        s.redrive_receives = o->max_receive_count;
    }
    return s;
}

static enum sqs_fault read_depth(struct admin_call *a)
{
    struct sqs_queue_info info;
    struct world *w = a->call.proc->world;
    enum sqs_fault fault =
        sqs_info(w->sqs, now_of(&a->call), a->queue, &info, a->call.err);
    if (fault == SQS_OK)
        *a->out_depth = (struct jobq_queue_depth){
            .visible = info.visible,
            .in_flight = info.in_flight,
            .delayed = info.delayed,
            .visibility_ns = info.settings.visibility_ns,
            .retention_ns = w->params->sqs.retention ? info.settings.retention_ns : 0,
            .max_receive_count =
                info.settings.redrive_queue >= 0 ? info.settings.redrive_receives : 0};
    return fault;
}

static enum sqs_fault open_queue(struct admin_call *a)
{
    int queue = sqs_find(a->call.proc->world->sqs, str_of(a->name));
    if (queue < 0) {
        jobq_fail(a->call.err, JOBQ_NOT_FOUND, "no queue '%s'", a->name);
        return SQS_NO_QUEUE;
    }
    *a->out_queue = queue;
    return SQS_OK;
}

static struct size_call admin_bytes(const struct admin_call *a)
{
    const struct world *w = a->call.proc->world;
    const struct size_client *c = &w->params->client;
    int64_t name = a->name ? str_of(a->name).len : sqs_name(w->sqs, a->queue).len;
    int64_t dead = a->options && a->options->max_receive_count > 0
                       ? sqs_name(w->sqs, a->options->dead_queue).len
                       : 0;
    switch (a->what) {
    case ADMIN_CREATE:
        return size_create_queue(c, name, a->options, dead);
    case ADMIN_OPEN:
        return size_open_queue(c, name);
    case ADMIN_SET:
        return size_set_options(c, name, a->options, dead);
    case ADMIN_DEPTH:
        /* Its dead-letter queue, if there is one, is called QUEUE-dead. */
        return size_depth(c, name, a->out_depth, name + 5);
    case ADMIN_PURGE:
        return size_purge(c, name);
    }
    return (struct size_call){0, 0};
}

static void admin_apply(void *ctx, uint64_t arg)
{
    (void)arg;
    struct admin_call *a = ctx;
    struct world *w = a->call.proc->world;
    enum sqs_fault fault = SQS_OK;
    struct sqs_settings settings;
    switch (a->what) {
    case ADMIN_CREATE:
        settings = settings_of(a->options);
        fault = sqs_create(w->sqs, now_of(&a->call), str_of(a->name), &settings,
                           a->out_queue, a->call.err);
        break;
    case ADMIN_OPEN:
        fault = open_queue(a);
        break;
    case ADMIN_SET:
        settings = settings_of(a->options);
        fault = sqs_set(w->sqs, now_of(&a->call), a->queue, &settings, a->call.err);
        break;
    case ADMIN_DEPTH:
        fault = read_depth(a);
        break;
    case ADMIN_PURGE:
        fault = sqs_purge(w->sqs, now_of(&a->call), a->queue, a->call.err);
        break;
    }
    answered(&a->call, fault, admin_bytes(a));
    world_sqs_pump(w);
    world_reply(&a->call);
}

static int admin(struct jobq_queue *port, struct admin_call *a)
{
    world_ask(proc_of(port), &a->call, admin_apply, WORLD_SQS_OTHER);
    return a->call.code;
}

static int queue_create(struct jobq_queue *port, const char *name,
                        const struct jobq_queue_options *options, int *out_queue,
                        struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct admin_call a = {.call = {.cost = cost, .err = err},
                           .what = ADMIN_CREATE,
                           .name = name,
                           .options = options,
                           .out_queue = out_queue};
    return admin(port, &a);
}

static int queue_open(struct jobq_queue *port, const char *name, int *out_queue,
                      struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct admin_call a = {.call = {.cost = cost, .err = err},
                           .what = ADMIN_OPEN,
                           .name = name,
                           .out_queue = out_queue};
    return admin(port, &a);
}

static int queue_set_options(struct jobq_queue *port, int queue,
                             const struct jobq_queue_options *options,
                             struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct admin_call a = {.call = {.cost = cost, .err = err},
                           .what = ADMIN_SET,
                           .queue = queue,
                           .options = options};
    return admin(port, &a);
}

static int queue_depth(struct jobq_queue *port, int queue, struct jobq_queue_depth *out,
                       struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct admin_call a = {.call = {.cost = cost, .err = err},
                           .what = ADMIN_DEPTH,
                           .queue = queue,
                           .out_depth = out};
    return admin(port, &a);
}

static int queue_purge(struct jobq_queue *port, int queue, struct jobq_call_cost *cost,
                       struct jobq_error *err)
{
    struct admin_call a = {
        .call = {.cost = cost, .err = err}, .what = ADMIN_PURGE, .queue = queue};
    return admin(port, &a);
}

/* ---- send ------------------------------------------------------------------------- */

struct send_call {
    struct world_call call;
    int queue, count;
    const struct jobq_outgoing *in;
    struct jobq_entry_result *result;
};

static void send_apply(void *ctx, uint64_t arg)
{
    (void)arg;
    struct send_call *s = ctx;
    struct world *w = s->call.proc->world;
    struct sqs_outgoing out[JOBQ_BATCH_MAX];
    struct sqs_sent sent[JOBQ_BATCH_MAX];
    for (int i = 0; i < s->count; i++)
        out[i] = (struct sqs_outgoing){
            .body = s->in[i].body,
            .phantom_bytes = s->in[i].phantom_bytes,
            .delay_ns = s->in[i].delay_ns > 0 ? s->in[i].delay_ns : SQS_DEFAULT,
            .mark = world_bytes_mark(s->in[i].body)};
    enum sqs_fault fault = sqs_send(w->sqs, now_of(&s->call), s->queue, s->count > 1, out,
                                    s->count, sent, s->call.err);
    for (int i = 0; i < s->count && fault == SQS_OK; i++)
        s->result[i].code = sqs_fault_info(sent[i].fault)->code;
    answered(&s->call, fault, world_bytes_send(w, s->queue, out, s->count));
    world_sqs_pump(w);
    world_reply(&s->call);
}

static int queue_send(struct jobq_queue *port, int queue, const struct jobq_outgoing *in,
                      int count, struct jobq_entry_result *result,
                      struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct send_call s = {.call = {.cost = cost, .err = err},
                          .queue = queue,
                          .count = count,
                          .in = in,
                          .result = result};
    world_ask(proc_of(port), &s.call, send_apply, WORLD_SQS_SEND);
    return s.call.code;
}

/* ---- receive ---------------------------------------------------------------------- */

enum receive_state { RECEIVE_ASKING, RECEIVE_WAITING, RECEIVE_ANSWERED };

struct world_receive {
    struct world_call call;
    int queue;
    const struct jobq_receive *options;
    struct arena *arena;
    struct jobq_message *out;
    int count;
    enum receive_state state;
    bool aborted;
    bool parks; /* without latency: it has to wait after all */
    uint32_t waiter;
    struct world_receive *next, *prev; /* of the process, until it is answered */
};

static void waiter_take(struct world *w, struct world_receive *r)
{
    if (w->waiter_free == w->waiter_cap) {
        w->waiter_cap = w->waiter_cap ? 2 * w->waiter_cap : 64;
        w->waiter = xrealloc(w->waiter, w->waiter_cap * sizeof(struct world_receive *));
    }
    /* Slots that are free hold nothing; they are found from the lowest hint on. */
    uint32_t slot = w->waiter_free;
    w->waiter[slot] = r;
    r->waiter = slot;
    if (slot == w->waiter_count)
        w->waiter_count++;
    w->waiter_free = slot + 1;
    while (w->waiter_free < w->waiter_count && w->waiter[w->waiter_free])
        w->waiter_free++;
}

static void waiter_drop(struct world *w, uint32_t slot)
{
    w->waiter[slot] = NULL;
    if (slot < w->waiter_free)
        w->waiter_free = slot;
}

static void receive_unlink(struct world_receive *r)
{
    if (r->next)
        r->next->prev = r->prev;
    if (r->prev)
        r->prev->next = r->next;
    else
        r->call.proc->receives = r->next;
}

/* A message id as SQS writes one: 36 characters, the model's number in the last 16 digits;
 * a receipt: 16 digits here (several hundred bytes on the wire, which wirebytes counts). */
static void copy_message(struct arena *arena, const struct sqs_message *from,
                         struct jobq_message *to)
{
    static const char shape[] = "00000000-0000-4000-8000-000000000000";
    char digits[16];
    char *text = arena_alloc(arena, 36 + 16 + (size_t)from->body.len);
    memcpy(text, shape, 36);
    text_write_hex64(digits, from->id);
    memcpy(text + 19, digits, 4);
    memcpy(text + 24, digits + 4, 12);
    text_write_hex64(text + 36, from->receipt.bits);
    if (from->body.len > 0)
        memcpy(text + 52, from->body.ptr, (size_t)from->body.len);
    *to = (struct jobq_message){.id = {text, 36},
                                .receipt = {text + 36, 16},
                                .body = {text + 52, from->body.len},
                                .phantom_bytes = from->phantom_bytes,
                                .sent_wall_ns = WORLD_EPOCH_NS + from->sent_at_ns,
                                .receive_count = from->receive_count};
}

/* The answer is known at the server: write it where the caller will look. */
static void receive_answer(struct world_receive *r, enum sqs_fault fault,
                           const struct sqs_received *received)
{
    receive_unlink(r);
    r->state = RECEIVE_ANSWERED;
    r->count = 0;
    if (fault == SQS_OK) {
        for (int i = 0; i < received->count; i++)
            copy_message(r->arena, &received->message[i], &r->out[i]);
        r->count = received->count;
    }
    answered(&r->call, fault,
             world_bytes_receive(r->call.proc->world, r->queue, r->options,
                                 received->message, r->count));
}

static void receive_apply(void *ctx, uint64_t arg)
{
    (void)arg;
    struct world_receive *r = ctx;
    struct world *w = r->call.proc->world;
    if (r->aborted) { /* its connection was closed before the request arrived */
        struct fiber_proc *fibers = r->call.proc->fibers;
        fiber_wake(r->call.ticket);
        fiber_proc_unpin(fibers);
        return;
    }
    struct sqs_receive options = {.max = r->options->max,
                                  .wait_ns = r->options->wait_ns,
                                  .visibility_ns = r->options->visibility_ns < 0
                                                       ? SQS_DEFAULT
                                                       : r->options->visibility_ns};
    if (options.wait_ns > 0) {
        waiter_take(w, r);
        options.cookie = r->waiter;
    }
    enum sqs_fault fault =
        sqs_receive(w->sqs, now_of(&r->call), dice_u(&r->call.proc->call), r->queue,
                    &options, &w->received, r->call.err);
    if (fault == SQS_OK && w->received.waiting) {
        r->state = RECEIVE_WAITING;
        if (r->call.reply_ns < 0) {
            r->parks = true;
            fiber_proc_pin(r->call.proc->fibers);
        }
        world_sqs_pump(w);
        return;
    }
    if (options.wait_ns > 0)
        waiter_drop(w, r->waiter);
    receive_answer(r, fault, &w->received);
    world_sqs_pump(w);
    world_reply(&r->call);
}

/* A wait has ended at the server. */
static void receive_granted(struct world *w, const struct sqs_grant *grant)
{
    struct world_receive *r = w->waiter[grant->cookie];
    assert(r && r->state == RECEIVE_WAITING);
    waiter_drop(w, (uint32_t)grant->cookie);
    if (grant->fault != SQS_OK)
        jobq_fail(r->call.err, sqs_fault_info(grant->fault)->code, "%s",
                  sqs_fault_info(grant->fault)->text);
    receive_answer(r, grant->fault, &grant->received);
    if (r->call.reply_ns >= 0) {
        world_reply(&r->call);
        return;
    }
    struct fiber_proc *fibers = r->call.proc->fibers;
    fiber_wake(r->call.ticket);
    fiber_proc_unpin(fibers);
}

static int queue_receive(struct jobq_queue *port, int queue,
                         const struct jobq_receive *options, struct arena *arena,
                         struct jobq_message *out, struct jobq_call_cost *cost,
                         struct jobq_error *err)
{
    struct world_proc *p = proc_of(port);
    if (p->box && p->box->ready_at_ns < 0)
        p->box->ready_at_ns = kernel_now(p->world->kernel);
    /* Field by field: gcc zeroes a struct of this size by `rep stos`. */
    struct world_receive r;
    r.call.proc = p;
    r.call.cost = cost;
    r.call.err = err;
    r.queue = queue;
    r.options = options;
    r.arena = arena;
    r.out = out;
    r.count = 0;
    r.state = RECEIVE_ASKING;
    r.aborted = r.parks = false;
    r.next = p->receives;
    r.prev = NULL;
    if (r.next)
        r.next->prev = &r;
    p->receives = &r;
    if (p->world->params->latency[WORLD_SQS_RECEIVE].zero && p->rtt_ns == 0)
        r.call.ticket = fiber_ticket(p->world->sched);
    world_ask(p, &r.call, receive_apply, WORLD_SQS_RECEIVE);
    if (r.parks)
        fiber_park(p->world->sched, JOBQ_FOREVER);
    if (r.aborted && cost->requests == 0)
        p->calls->receives_dropped++;
    if (r.aborted)
        return jobq_fail(err, JOBQ_CANCELLED, "the receive was asked to stop waiting");
    if (r.call.code < 0)
        return r.call.code;
    const struct world_watch *watch = p->world->watch;
    if (watch && watch->received)
        watch->received(watch->ctx, out, r.count);
    return r.count;
}

/* A receive that waits at the server is cancelled and ends now. One that is on its way there is
 * dropped when it arrives, and ends then: until then the call reads its caller's stack. */
static void queue_abort_receives(struct jobq_queue *port)
{
    struct world_proc *p = proc_of(port);
    struct world *w = p->world;
    struct world_receive *next;
    for (struct world_receive *r = p->receives; r; r = next) {
        next = r->next;
        bool waits = r->state == RECEIVE_WAITING;
        if (waits && sqs_cancel(w->sqs, r->waiter) != SQS_CANCELLED)
            continue; /* its messages are granted: they come */
        receive_unlink(r);
        r->aborted = true;
        *r->call.cost = (struct jobq_call_cost){.requests = waits};
        if (waits) /* it was sent, and is never answered */
            r->call.cost->bytes_out =
                world_bytes_receive(w, r->queue, r->options, NULL, 0).out;
        if (waits) {
            waiter_drop(w, r->waiter);
            fiber_wake(r->call.ticket);
            fiber_proc_unpin(p->fibers);
        }
    }
}

/* ---- delete and visibility --------------------------------------------------------- */

static bool receipt_of(struct jobq_str text, struct sqs_receipt *out)
{
    uint64_t bits = 0;
    for (int64_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        bits = bits << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    if (text.len != 16)
        return false;
    out->bits = bits;
    return true;
}

struct receipts_call {
    struct world_call call;
    int queue, count;
    struct sqs_receipt receipt[JOBQ_BATCH_MAX];
    const struct jobq_visibility_change *change; /* visibility */
    struct jobq_entry_result *result;
};

static void remove_apply(void *ctx, uint64_t arg)
{
    (void)arg;
    struct receipts_call *d = ctx;
    struct world *w = d->call.proc->world;
    enum sqs_fault result[JOBQ_BATCH_MAX];
    struct sqs_message message;
    if (w->watch && w->watch->deleted)
        for (int i = 0; i < d->count; i++)
            if (sqs_lookup(w->sqs, d->queue, d->receipt[i], &message))
                w->watch->deleted(w->watch->ctx, d->queue, &message);
    enum sqs_fault fault =
        sqs_delete(w->sqs, now_of(&d->call), dice_u(&d->call.proc->call), d->queue,
                   d->receipt, d->count, result, d->call.err);
    for (int i = 0; i < d->count && fault == SQS_OK; i++)
        d->result[i].code = sqs_fault_info(result[i])->code;
    answered(&d->call, fault, world_bytes_remove(w, d->queue, d->count));
    world_sqs_pump(w);
    world_reply(&d->call);
}

static int queue_remove(struct jobq_queue *port, int queue,
                        const struct jobq_str *receipt, int count,
                        struct jobq_entry_result *result, struct jobq_call_cost *cost,
                        struct jobq_error *err)
{
    struct receipts_call d;
    d.call.cost = cost;
    d.call.err = err;
    d.queue = queue;
    d.count = count;
    d.result = result;
    for (int i = 0; i < count; i++)
        if (!receipt_of(receipt[i], &d.receipt[i]))
            d.receipt[i].bits = 0;
    world_ask(proc_of(port), &d.call, remove_apply, WORLD_SQS_DELETE);
    return d.call.code;
}

static void visibility_apply(void *ctx, uint64_t arg)
{
    (void)arg;
    struct receipts_call *v = ctx;
    struct world *w = v->call.proc->world;
    struct sqs_change change[JOBQ_BATCH_MAX];
    enum sqs_fault result[JOBQ_BATCH_MAX];
    for (int i = 0; i < v->count; i++) {
        change[i].visibility_ns = v->change[i].visibility_ns;
        if (!receipt_of(v->change[i].receipt, &change[i].receipt))
            change[i].receipt.bits = 0;
    }
    enum sqs_fault fault = sqs_change_visibility(w->sqs, now_of(&v->call), v->queue,
                                                 change, v->count, result, v->call.err);
    for (int i = 0; i < v->count && fault == SQS_OK; i++)
        v->result[i].code = sqs_fault_info(result[i])->code;
    answered(&v->call, fault, world_bytes_visibility(w, v->queue, v->change, v->count));
    world_sqs_pump(w);
    world_reply(&v->call);
}

static int queue_set_visibility(struct jobq_queue *port, int queue,
                                const struct jobq_visibility_change *change, int count,
                                struct jobq_entry_result *result,
                                struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct receipts_call v = {.call = {.cost = cost, .err = err},
                              .queue = queue,
                              .count = count,
                              .change = change,
                              .result = result};
    world_ask(proc_of(port), &v.call, visibility_apply, WORLD_SQS_OTHER);
    return v.call.code;
}

const struct jobq_queue_ops world_queue_ops = {
    .name = "sim",
    .create = queue_create,
    .open = queue_open,
    .set_options = queue_set_options,
    .depth = queue_depth,
    .send = queue_send,
    .receive = queue_receive,
    .remove = queue_remove,
    .set_visibility = queue_set_visibility,
    .purge = queue_purge,
    .abort_receives = queue_abort_receives,
};

/* ---- time and waiting --------------------------------------------------------------- */

static void sqs_due(void *ctx, uint64_t arg)
{
    (void)arg;
    struct world *w = ctx;
    w->sqs_armed_at_ns = JOBQ_FOREVER;
    sqs_advance(w->sqs, kernel_now(w->kernel));
    world_sqs_pump(w);
}

/* The armed event may come before anything is due (what it was armed for was taken back):
 * then it looks again. It is never late. */
void world_sqs_pump(struct world *w)
{
    while (sqs_take_grant(w->sqs, &w->grant))
        receive_granted(w, &w->grant);
    int64_t next_ns = sqs_next_at(w->sqs);
    if (next_ns >= w->sqs_armed_at_ns)
        return;
    if (w->sqs_armed_at_ns != JOBQ_FOREVER)
        kernel_cancel(w->kernel, w->sqs_armed);
    int64_t now_ns = kernel_now(w->kernel);
    w->sqs_armed_at_ns = next_ns < now_ns ? now_ns : next_ns;
    w->sqs_armed = kernel_at(w->kernel, w->sqs_armed_at_ns, sqs_due, w, 0);
}

void world_queue_reset(struct world *w)
{
    w->waiter_count = w->waiter_free = 0;
    w->sqs_armed_at_ns = JOBQ_FOREVER;
}
