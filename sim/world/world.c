/* world.c - worlds, processes and the two legs of a call. See world.h.
 *
 * Room:     sim. */
#include "sim/world/world.h"

#include "sim/world/internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- clock, dice, board ------------------------------------------------------------- */

static int64_t clock_now(struct jobq_clock *port)
{
    return kernel_now(((struct world_port_clock *)port)->proc->world->kernel);
}

static int64_t clock_wall(struct jobq_clock *port)
{
    const struct world_proc *p = ((struct world_port_clock *)port)->proc;
    return WORLD_EPOCH_NS + clock_now(port) + p->wall_offset_ns;
}

static const struct jobq_clock_ops CLOCK_OPS = {"sim", clock_now, clock_wall};

static uint64_t dice_port_bits(struct jobq_dice *port)
{
    return dice_bits(&((struct world_port_dice *)port)->proc->own);
}

static const struct jobq_dice_ops DICE_OPS = {"sim", dice_port_bits};

static void board_post(struct jobq_board *port, const char *path, int status,
                       const char *content_type, struct jobq_str bytes)
{
    (void)content_type;
    struct world_proc *p = ((struct world_port_board *)port)->proc;
    struct arena *arena = fiber_proc_arena(p->fibers);
    struct world_page *page = NULL;
    for (int i = 0; i < WORLD_BOARD_PATHS && !page; i++)
        if (!p->page[i].path || strcmp(p->page[i].path, path) == 0)
            page = &p->page[i];
    if (!page)
        return;
    if (!page->path)
        page->path = arena_cstr(arena, path);
    if (bytes.len > page->cap) {
        page->cap = 2 * bytes.len;
        page->bytes = arena_alloc(arena, (size_t)page->cap);
    }
    memcpy(page->bytes, bytes.ptr, (size_t)bytes.len);
    page->len = bytes.len;
    page->status = status;
}

static int board_take(struct jobq_board *port, struct arena *arena,
                      struct jobq_question *out, struct jobq_error *err)
{
    struct world_proc *p = ((struct world_port_board *)port)->proc;
    struct world_question *q;
    (void)err;
    do {
        for (q = p->asked; q && q->taken; q = q->next)
            ;
        if (!q)
            fiber_cond_wait(p->world->sched, &p->asks, JOBQ_FOREVER);
    } while (!q);
    q->taken = true;
    *out = (struct jobq_question){.handle = q->number,
                                  .action = q->action,
                                  .path = str_of(arena_cstr(arena, q->path)),
                                  .form = str_of(arena_cstr(arena, q->form)),
                                  .from = str_of(arena_cstr(arena, q->from))};
    return JOBQ_OK;
}

static void board_answer(struct jobq_board *port, int64_t handle,
                         const struct jobq_answer *answer)
{
    struct world_proc *p = ((struct world_port_board *)port)->proc;
    struct world_question **at = &p->asked;
    while (*at && (*at)->number != handle)
        at = &(*at)->next;
    struct world_question *q = *at;
    assert(q && q->taken);
    *at = q->next;
    q->answered = true;
    q->status = answer->status;
    text_put_str(&q->body, answer->bytes);
    snprintf(q->location, sizeof q->location, "%s",
             answer->location ? answer->location : "");
}

static const struct jobq_board_ops BOARD_OPS = {"sim", board_post, board_take,
                                                board_answer};

void world_board_ask(struct world_proc *p, struct world_question *question)
{
    struct world_question **at = &p->asked;
    while (*at)
        at = &(*at)->next;
    question->next = NULL;
    question->taken = question->answered = false;
    question->number = p->questions++;
    *at = question;
    fiber_cond_broadcast(&p->asks);
}

static const struct world_page *board_find(const struct world_proc *p, const char *path)
{
    for (int i = 0; i < WORLD_BOARD_PATHS; i++)
        if (p->page[i].path && strcmp(p->page[i].path, path) == 0)
            return &p->page[i];
    return NULL;
}

struct jobq_str world_board(struct world_proc *p, const char *path)
{
    const struct world_page *page = board_find(p, path);
    return page ? (struct jobq_str){page->bytes, page->len} : (struct jobq_str){NULL, 0};
}

int world_board_status(struct world_proc *p, const char *path)
{
    const struct world_page *page = board_find(p, path);
    return page ? page->status : 0;
}

/* ---- calls ------------------------------------------------------------------------ */

static void count_answer(struct world_proc *p, const struct world_call *call,
                         enum world_latency_kind kind)
{
    struct world_calls *calls = p->calls;
    calls->answered[kind]++;
    calls->sum.bytes_out += call->cost->bytes_out;
    calls->sum.bytes_in += call->cost->bytes_in;
    calls->sum.box_usage_e10h += call->cost->box_usage_e10h;
}

void world_ask_hinted(struct world_proc *p, struct world_call *call,
                      kernel_event_fn *apply, enum world_latency_kind kind, uint64_t hint)
{
    struct world *w = p->world;
    const struct latency *latency = &w->params->latency[kind];
    call->proc = p;
    call->code = JOBQ_OK;
    p->calls->asked[kind]++;
    if (latency->zero && p->rtt_ns == 0) {
        call->reply_ns = -1;
        apply(call, hint);
        count_answer(p, call, kind);
        return;
    }
    int64_t total_ns =
        p->rtt_ns + (latency->zero ? 0 : latency_ns(latency, dice_u(&p->call)));
    int64_t request_ns = total_ns / 2;
    call->reply_ns = total_ns - request_ns;
    call->ticket = fiber_ticket(w->sched);
    fiber_proc_pin(p->fibers);
    kernel_at(w->kernel, kernel_now(w->kernel) + request_ns, apply, call, hint);
    fiber_park(w->sched, JOBQ_FOREVER);
    count_answer(p, call, kind);
}

enum world_latency_kind world_kind_of(enum jobq_action action)
{
    switch ((int)action) {
    case JOBQ_ACT_SQS_SEND:
    case JOBQ_ACT_SQS_SEND_BATCH:
        return WORLD_SQS_SEND;
    case JOBQ_ACT_SQS_RECEIVE:
        return WORLD_SQS_RECEIVE;
    case JOBQ_ACT_SQS_DELETE:
    case JOBQ_ACT_SQS_DELETE_BATCH:
        return WORLD_SQS_DELETE;
    case JOBQ_ACT_SDB_PUT:
    case JOBQ_ACT_SDB_PUT_BATCH:
    case JOBQ_ACT_SDB_DELETE:
    case JOBQ_ACT_SDB_DELETE_BATCH:
        return WORLD_SDB_PUT;
    case JOBQ_ACT_SDB_GET:
        return WORLD_SDB_GET;
    case JOBQ_ACT_SDB_SELECT:
        return WORLD_SDB_SELECT;
    case JOBQ_ACT_DDB_PUT:
    case JOBQ_ACT_DDB_UPDATE:
    case JOBQ_ACT_DDB_DELETE:
    case JOBQ_ACT_DDB_PUT_BATCH:
        return WORLD_DDB_WRITE;
    case JOBQ_ACT_DDB_GET:
        return WORLD_DDB_READ;
    case JOBQ_ACT_DDB_SCAN:
    case JOBQ_ACT_DDB_QUERY:
        return WORLD_DDB_SCAN;
    default:
        return jobq_action_service(action) == JOBQ_SQS        ? WORLD_SQS_OTHER
               : jobq_action_service(action) == JOBQ_SIMPLEDB ? WORLD_SDB_OTHER
               : jobq_action_service(action) == JOBQ_DYNAMODB ? WORLD_DDB_OTHER
                                                              : WORLD_EC2;
    }
}

void world_reply(struct world_call *call)
{
    if (call->reply_ns < 0)
        return;
    struct world *w = call->proc->world;
    kernel_wake_at(w->kernel, kernel_now(w->kernel) + call->reply_ns, call->ticket);
    fiber_proc_unpin(call->proc->fibers);
}

/* ---- processes -------------------------------------------------------------------- */

struct world_proc *world_proc_new(struct world *w, const char *name, uint64_t index,
                                  struct world_box *box, struct jobq_ledger *ledger,
                                  int64_t rtt_ns)
{
    struct fiber_proc *fibers = fiber_proc_new(w->sched, name);
    struct world_proc *p = arena_zalloc(fiber_proc_arena(fibers), sizeof *p);
    p->world = w;
    p->calls = ledger ? &w->calls : &w->unmetered;
    p->fibers = fibers;
    p->box = box;
    p->rtt_ns = rtt_ns;
    /* Two streams, so that what the product draws does not depend on how many calls it
     * has made. */
    uint64_t seed = w->options.seed;
    dice_init(&p->own, seed, name, 2 * index);
    dice_init(&p->call, seed, name, 2 * index + 1);
    p->clock = (struct world_port_clock){{&CLOCK_OPS}, p};
    p->dice = (struct world_port_dice){{&DICE_OPS}, p};
    p->queue = (struct world_port_queue){{&world_queue_ops}, p};
    p->store = (struct world_port_store){{w->store_ops, 0}, p};
    p->fleet = (struct world_port_fleet){{&world_fleet_ops}, p};
    p->child = (struct world_port_child){{&world_child_ops}, p};
    p->board = (struct world_port_board){{&BOARD_OPS}, p};
    p->backend = (struct jobq_backend){.clock = &p->clock.port,
                                       .dice = &p->dice.port,
                                       .queue = &p->queue.port,
                                       .store = &p->store.port,
                                       .fleet = &p->fleet.port,
                                       .child = &p->child.port,
                                       .board = &p->board.port,
                                       .sched = w->sched,
                                       .proc = fibers,
                                       .ledger = ledger};
    if (box) {
        p->next_on_box = box->procs;
        box->procs = p;
    }
    return p;
}

struct jobq_backend *world_backend(struct world_proc *proc)
{
    return &proc->backend;
}

struct fiber_proc *world_fibers(struct world_proc *proc)
{
    return proc->fibers;
}

void world_proc_kill(struct world_proc *p)
{
    if (p->box) {
        if (p->box->up)
            world_child_kill_all(p);
        struct world_proc **at = &p->box->procs;
        while (*at && *at != p)
            at = &(*at)->next_on_box;
        if (*at)
            *at = p->next_on_box;
    }
    fiber_proc_kill(p->fibers);
}

void world_set_wall(struct jobq_backend *b, int64_t offset_ns)
{
    ((struct world_port_clock *)b->clock)->proc->wall_offset_ns = offset_ns;
}

void world_set_rtt(struct jobq_backend *b, int64_t rtt_ns)
{
    ((struct world_port_clock *)b->clock)->proc->rtt_ns = rtt_ns;
}

void world_set_metadata_down(struct jobq_backend *b, bool down)
{
    ((struct world_port_clock *)b->clock)->proc->metadata_down = down;
}

void world_watch(struct world *w, const struct world_watch *watch)
{
    w->watch = watch;
}

void world_watch_rows(const struct world *w, int code, const struct jobq_item *item,
                      int count)
{
    for (int i = 0; w->watch && code == JOBQ_OK && i < count; i++)
        w->watch->row(w->watch->ctx, &item[i]);
}

const struct world_calls *world_calls(const struct world *w)
{
    return &w->calls;
}

/* ---- life ------------------------------------------------------------------------- */

struct world *world_new(const struct world_params *params,
                        const struct world_options *options)
{
    struct world *w = xcalloc(1, sizeof *w);
    struct fiber_options fibers = {.paint = options->paint_stacks};
    w->kernel = kernel_new(&fibers);
    w->sched = kernel_fibers(w->kernel);
    w->params = params;
    w->options = *options;
    w->sqs = sqs_new(&params->sqs);
    w->simpledb = simpledb_new(&params->simpledb);
    w->dynamodb = dynamodb_new(&params->dynamodb);
    w->tables = world_dynamodb_tables_new();
    w->store_ops = options->dynamodb ? &world_dynamodb_ops : &world_simpledb_ops;
    world_store_prefetch(w);
    w->ec2 = ec2_new(&params->ec2, "us-east-1a");
    world_queue_reset(w);
    world_fleet_reset(w);
    return w;
}

void world_free(struct world *w)
{
    if (!w)
        return;
    kernel_free(w->kernel);
    world_fleet_reset(w);
    sqs_free(w->sqs);
    simpledb_free(w->simpledb);
    dynamodb_free(w->dynamodb);
    world_dynamodb_tables_free(w->tables);
    ec2_free(w->ec2);
    for (int64_t i = 0; i < w->box_cap; i++) {
        box_release(&w->box[i]->cpu);
        free(w->box[i]);
    }
    free(w->box);
    free(w->waiter);
    free(w);
}

void world_reset(struct world *w, const struct world_params *params,
                 const struct world_options *options)
{
    kernel_reset(w->kernel);
    w->params = params;
    w->options = *options;
    sqs_params_change(w->sqs, &params->sqs);
    sqs_reset(w->sqs);
    simpledb_reset(w->simpledb, &params->simpledb);
    dynamodb_reset(w->dynamodb, &params->dynamodb);
    world_dynamodb_tables_reset(w->tables);
    w->store_ops = options->dynamodb ? &world_dynamodb_ops : &world_simpledb_ops;
    ec2_reset(w->ec2, &params->ec2);
    world_queue_reset(w);
    world_fleet_reset(w);
    w->on_up = w->on_down = NULL;
    w->watch = NULL;
    w->calls = w->unmetered = (struct world_calls){0};
    w->late_made = 0;
    w->late_pending = 0;
}

struct kernel *world_kernel(struct world *w)
{
    return w->kernel;
}

struct sqs *world_sqs(struct world *w)
{
    return w->sqs;
}

struct dynamodb *world_dynamodb(struct world *w)
{
    return w->dynamodb;
}

struct simpledb *world_simpledb(struct world *w)
{
    return w->simpledb;
}

struct ec2 *world_ec2(struct world *w)
{
    return w->ec2;
}

int64_t world_now(const struct world *w)
{
    return kernel_now(w->kernel);
}

int64_t world_memory(const struct world *w)
{
    return sqs_memory_bytes(w->sqs) + simpledb_memory(w->simpledb) +
           dynamodb_memory(w->dynamodb) + kernel_pool_bytes(w->kernel);
}

size_t world_stack_used_max(const struct world *w)
{
    return fiber_stack_used_max(w->sched);
}
