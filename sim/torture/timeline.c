/* timeline.c - records a run's calls, events and faults. See timeline.h.
 *
 * Room:     sim.
 *
 * Calls are seen by tables of our own between the product and the world, one pair a process,
 * found again by the address of the table. A fault strikes within the call that it hits: after
 * its entry was made (late), after it was answered (a lost reply), or before there is one: then
 * it is of the process that looked at its clock last, as every traced call does first. */
#include "sim/torture/timeline.h"

#include "base/arena.h"
#include "base/text.h"
#include "fiber/fiber.h"
#include "jobq/units.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* FEW: of so many jobs every fault is shown, of more only those that hit a call in question. */
enum { LANES_MAX = 64, LANE_BYTES = 12, FEW = 8 };

struct lane {
    char name[LANE_BYTES];
    struct world_box *box; /* NULL: none, or it is gone */
    bool about;            /* it had to do with the jobs that are shown */
};

struct receipt {
    char text[40];
    int job;
};

struct timeline {
    struct world *world;
    struct timeline_entry *entry;
    int64_t count, cap;
    struct lane lane[LANES_MAX];
    int lanes;
    char (*job)[JOB_ID_MAX + 1];
    int jobs, jobs_cap;
    struct receipt *receipt;
    int64_t receipts, receipts_cap;
    int64_t newest; /* the call that was made or answered last; -1: none */
    int asking;     /* the lane that looked at its clock last; -1: none */
};

/* One process's tables. */
struct port {
    struct jobq_queue_ops queue_ops;
    struct jobq_store_ops store_ops;
    struct jobq_clock_ops clock_ops;
    const struct jobq_queue_ops *real_queue;
    const struct jobq_store_ops *real_store;
    const struct jobq_clock_ops *real_clock;
    struct timeline *timeline;
    int lane;
};

struct timeline *timeline_new(void)
{
    return xcalloc(1, sizeof(struct timeline));
}

void timeline_free(struct timeline *t)
{
    free(t->entry);
    free(t->job);
    free(t->receipt);
    free(t);
}

const struct timeline_entry *timeline_at(const struct timeline *t, int64_t index)
{
    return &t->entry[index];
}

int timeline_lanes(const struct timeline *t)
{
    return t->lanes;
}

const char *timeline_lane_name(const struct timeline *t, int lane)
{
    return lane < 0 ? "" : t->lane[lane].name;
}

const char *timeline_job_id(const struct timeline *t, int job)
{
    return t->job[job];
}

/* ---- names ----------------------------------------------------------------------------- */

static int job_of(struct timeline *t, struct jobq_str id)
{
    if (id.len <= 0 || id.len > JOB_ID_MAX || !id.ptr)
        return -1;
    for (int i = 0; i < t->jobs; i++)
        if (str_is(id, t->job[i]))
            return i;
    if (t->jobs == t->jobs_cap) {
        t->jobs_cap = t->jobs_cap ? 2 * t->jobs_cap : 64;
        t->job = xrealloc(t->job, (size_t)t->jobs_cap * sizeof *t->job);
    }
    memcpy(t->job[t->jobs], id.ptr, (size_t)id.len);
    t->job[t->jobs][id.len] = '\0';
    return t->jobs++;
}

/* A message begins with its job's id. */
static int job_of_body(struct timeline *t, struct jobq_str body)
{
    const char *blank = body.ptr ? memchr(body.ptr, ' ', (size_t)body.len) : NULL;
    return blank ? job_of(t, (struct jobq_str){body.ptr, blank - body.ptr}) : -1;
}

static void note_receipt(struct timeline *t, struct jobq_str text, int job)
{
    if (t->receipts == t->receipts_cap) {
        t->receipts_cap = t->receipts_cap ? 2 * t->receipts_cap : 256;
        t->receipt = xrealloc(t->receipt, (size_t)t->receipts_cap * sizeof *t->receipt);
    }
    struct receipt *r = &t->receipt[t->receipts++];
    snprintf(r->text, sizeof r->text, "%.*s", (int)text.len, text.ptr);
    r->job = job;
}

static int job_of_receipt(const struct timeline *t, struct jobq_str text)
{
    for (int64_t i = t->receipts - 1; i >= 0; i--)
        if (str_is(text, t->receipt[i].text))
            return t->receipt[i].job;
    return -1;
}

/* ---- entries --------------------------------------------------------------------------- */

static struct timeline_entry *entry_add(struct timeline *t, enum timeline_kind kind,
                                        int lane, int job)
{
    if (t->count == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 1024;
        t->entry = xrealloc(t->entry, (size_t)t->cap * sizeof *t->entry);
    }
    struct timeline_entry *e = &t->entry[t->count++];
    int64_t now_ns = world_now(t->world);
    *e = (struct timeline_entry){.at_ns = now_ns,
                                 .ended_at_ns = kind == TIMELINE_CALL ? -1 : now_ns,
                                 .lane = lane,
                                 .job = job,
                                 .kind = kind,
                                 .action = -1};
    return e;
}

/* Boxes that have gone since the last look: nobody tells of them one by one. Of one that a
 * fault took, the fault says it, and when. */
static void entries_of_boxes(struct timeline *t)
{
    for (int i = 0; i < t->lanes; i++) {
        if (!t->lane[i].box || world_box_up(t->lane[i].box))
            continue;
        t->lane[i].box = NULL;
        int64_t at = t->count - 1;
        while (at >= 0 && !(t->entry[at].kind == TIMELINE_FAULT &&
                            t->entry[at].lane < 0 && t->entry[at].action < 0))
            at--;
        struct timeline_entry *e =
            at >= 0 ? &t->entry[at] : entry_add(t, TIMELINE_WORD, i, -1);
        if (at < 0)
            snprintf(e->what, sizeof e->what, "is gone");
        e->kind = TIMELINE_WORD;
        e->lane = i;
        e->failed = true;
    }
}

/* Enters a call about a job and returns its place, which is good as long as the run. */
static int64_t call_made(struct port *p, enum jobq_action action, int job,
                         const char *what)
{
    struct timeline *t = p->timeline;
    entries_of_boxes(t);
    struct timeline_entry *e = entry_add(t, TIMELINE_CALL, p->lane, job);
    e->action = (int)action;
    e->failed = true;
    snprintf(e->what, sizeof e->what, "%s", what);
    snprintf(e->result, sizeof e->result, "no answer");
    return t->newest = t->count - 1;
}

static void call_answered(struct timeline *t, int64_t at, int code, const char *result)
{
    struct timeline_entry *e = &t->entry[at];
    bool late = strcmp(e->result, "late") == 0;
    e->ended_at_ns = world_now(t->world);
    e->failed = code < 0 && code != JOBQ_CONFLICT;
    t->newest = at;
    if (late)
        return;
    snprintf(e->result, sizeof e->result, "%s",
             code >= 0                ? result
             : code == JOBQ_CONFLICT  ? "condition failed"
             : code == JOBQ_NOT_FOUND ? "not found"
                                      : jobq_code_name((enum jobq_code)code));
}

/* ---- the queue's calls ----------------------------------------------------------------- */

static struct port *port_of_queue(struct jobq_queue *q)
{
    return (struct port *)((uintptr_t)q->ops - offsetof(struct port, queue_ops));
}

static struct port *port_of_store(struct jobq_store *s)
{
    return (struct port *)((uintptr_t)s->ops - offsetof(struct port, store_ops));
}

static void entries_answered(struct timeline *t, int64_t first, int count, int code,
                             const struct jobq_entry_result *result)
{
    for (int i = 0; i < count; i++)
        call_answered(t, first + i, code < 0 ? code : result[i].code, "ok");
}

static int seen_send(struct jobq_queue *q, int queue, const struct jobq_outgoing *in,
                     int count, struct jobq_entry_result *result,
                     struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct port *p = port_of_queue(q);
    int64_t first = p->timeline->count;
    for (int i = 0; i < count; i++) {
        int64_t at =
            call_made(p, count == 1 ? JOBQ_ACT_SQS_SEND : JOBQ_ACT_SQS_SEND_BATCH,
                      job_of_body(p->timeline, in[i].body), "send");
        first = i == 0 ? at : first;
    }
    int code = p->real_queue->send(q, queue, in, count, result, cost, err);
    entries_answered(p->timeline, first, count, code, result);
    return code;
}

static int seen_receive(struct jobq_queue *q, int queue,
                        const struct jobq_receive *options, struct arena *arena,
                        struct jobq_message *out, struct jobq_call_cost *cost,
                        struct jobq_error *err)
{
    struct port *p = port_of_queue(q);
    struct timeline *t = p->timeline;
    int count = p->real_queue->receive(q, queue, options, arena, out, cost, err);
    for (int i = 0; i < count; i++) {
        char what[40];
        int job = job_of_body(t, out[i].body);
        snprintf(what, sizeof what, "receive, delivery %d", out[i].receive_count);
        note_receipt(t, out[i].receipt, job);
        call_answered(t, call_made(p, JOBQ_ACT_SQS_RECEIVE, job, what), count, "ok");
    }
    return count;
}

static int seen_remove(struct jobq_queue *q, int queue, const struct jobq_str *receipt,
                       int count, struct jobq_entry_result *result,
                       struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct port *p = port_of_queue(q);
    int64_t first = 0;
    for (int i = 0; i < count; i++) {
        int64_t at =
            call_made(p, count == 1 ? JOBQ_ACT_SQS_DELETE : JOBQ_ACT_SQS_DELETE_BATCH,
                      job_of_receipt(p->timeline, receipt[i]), "delete the message");
        first = i == 0 ? at : first;
    }
    int code = p->real_queue->remove(q, queue, receipt, count, result, cost, err);
    entries_answered(p->timeline, first, count, code, result);
    return code;
}

static int seen_set_visibility(struct jobq_queue *q, int queue,
                               const struct jobq_visibility_change *change, int count,
                               struct jobq_entry_result *result,
                               struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct port *p = port_of_queue(q);
    int64_t first = 0;
    for (int i = 0; i < count; i++) {
        char what[48] = "give the message back", took[24];
        if (change[i].visibility_ns > 0)
            snprintf(what, sizeof what, "hide the message for %s",
                     jobq_format_duration(change[i].visibility_ns / JOBQ_NS_PER_MS *
                                              JOBQ_NS_PER_MS,
                                          took, sizeof took));
        int64_t at = call_made(
            p, count == 1 ? JOBQ_ACT_SQS_VISIBILITY : JOBQ_ACT_SQS_VISIBILITY_BATCH,
            job_of_receipt(p->timeline, change[i].receipt), what);
        first = i == 0 ? at : first;
    }
    int code = p->real_queue->set_visibility(q, queue, change, count, result, cost, err);
    entries_answered(p->timeline, first, count, code, result);
    return code;
}

/* ---- the store's calls ----------------------------------------------------------------- */

/* "running 1": a claim without its owner. */
static int claim_words(struct jobq_str claim)
{
    const char *slash = claim.ptr ? memchr(claim.ptr, '/', (size_t)claim.len) : NULL;
    return (int)(slash ? slash - claim.ptr : claim.len);
}

static struct jobq_str claim_in(const struct jobq_item *item)
{
    for (int i = 0; i < item->attr_count; i++)
        if (str_is(item->attr[i].name, "claim"))
            return item->attr[i].value;
    return (struct jobq_str){0};
}

static void describe_put(const struct jobq_item *item, const struct jobq_expect *expect,
                         char *out, size_t cap)
{
    struct jobq_str claim = claim_in(item);
    char over[48] = ", whatever there is";
    if (expect && expect->exists)
        snprintf(over, sizeof over, " over '%.*s'", claim_words(expect->value),
                 expect->value.ptr);
    else if (expect)
        snprintf(over, sizeof over, ", the first claim");
    if (claim.ptr)
        snprintf(out, cap, "put '%.*s'%s", claim_words(claim), claim.ptr, over);
    else
        snprintf(out, cap, "put %.*s",
                 str_is(item->attr[0].name, "t") ? 3 : (int)item->attr[0].name.len,
                 str_is(item->attr[0].name, "t") ? "row" : item->attr[0].name.ptr);
}

static int seen_put(struct jobq_store *s, int table, const struct jobq_item *item,
                    const struct jobq_expect *expect, struct jobq_met *met,
                    struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct port *p = port_of_store(s);
    char what[72];
    if (str_is(item->attr[0].name, "s") || str_is(item->attr[0].name, "turn"))
        return p->real_store->put(s, table, item, expect, met, cost, err);
    describe_put(item, expect, what, sizeof what);
    int64_t at = call_made(p, JOBQ_ACT_SDB_PUT, job_of(p->timeline, item->name), what);
    int code = p->real_store->put(s, table, item, expect, met, cost, err);
    call_answered(p->timeline, at, code, "ok");
    return code;
}

static int seen_put_batch(struct jobq_store *s, int table, const struct jobq_item *item,
                          int count, struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct port *p = port_of_store(s);
    int64_t first = 0;
    for (int i = 0; i < count; i++) {
        char what[72];
        describe_put(&item[i], NULL, what, sizeof what);
        int64_t at =
            call_made(p, JOBQ_ACT_SDB_PUT_BATCH, job_of(p->timeline, item[i].name), what);
        first = i == 0 ? at : first;
    }
    int code = p->real_store->put_batch(s, table, item, count, cost, err);
    for (int i = 0; i < count; i++)
        call_answered(p->timeline, first + i, code, "ok");
    return code;
}

static int seen_get(struct jobq_store *s, int table, struct jobq_str item,
                    const struct jobq_str *name, int name_count, bool consistent,
                    struct arena *arena, struct jobq_item *out,
                    struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct port *p = port_of_store(s);
    char result[32] = "no row";
    if (str_is(item, "turn"))
        return p->real_store->get(s, table, item, name, name_count, consistent, arena,
                                  out, cost, err);
    int64_t at = call_made(p, JOBQ_ACT_SDB_GET, job_of(p->timeline, item), "read row");
    int code = p->real_store->get(s, table, item, name, name_count, consistent, arena,
                                  out, cost, err);
    if (code >= 0 && out->attr_count > 0) {
        struct jobq_str claim = claim_in(out);
        snprintf(result, sizeof result, claim.ptr ? "'%.*s'" : "no claim",
                 claim_words(claim), claim.ptr);
    }
    call_answered(p->timeline, at, code, result);
    return code;
}

/* ---- the clock ------------------------------------------------------------------------- */

static int64_t seen_now(struct jobq_clock *clock)
{
    struct port *p =
        (struct port *)((uintptr_t)clock->ops - offsetof(struct port, clock_ops));
    p->timeline->asking = p->lane;
    return p->real_clock->now(clock);
}

static void trace_nothing(void *ctx, const struct jobq_trace_call *call)
{
    (void)ctx, (void)call;
}

/* ---- the hooks ------------------------------------------------------------------------- */

static int lane_add(struct timeline *t, struct world_box *box)
{
    if (t->lanes == LANES_MAX)
        return -1;
    struct lane *lane = &t->lane[t->lanes];
    lane->box = box;
    if (box)
        snprintf(lane->name, LANE_BYTES, "box %lld",
                 (long long)(world_box_index(box) + 1) % 1000000);
    else
        snprintf(lane->name, LANE_BYTES, t->lanes == 0 ? "client" : "operator");
    return t->lanes++;
}

static void on_process(void *ctx, struct world *w, struct jobq_backend *b,
                       struct world_box *box)
{
    struct timeline *t = ctx;
    t->world = w;
    struct port *p = arena_zalloc(fiber_proc_arena(b->proc), sizeof *p);
    p->timeline = t;
    p->lane = lane_add(t, box);
    if (box)
        snprintf(entry_add(t, TIMELINE_WORD, p->lane, -1)->what, 72, "is up");
    p->real_clock = b->clock->ops;
    p->clock_ops = *b->clock->ops;
    p->clock_ops.now = seen_now;
    b->clock->ops = &p->clock_ops;
    if (!b->trace)
        b->trace = trace_nothing;
    p->real_queue = b->queue->ops;
    p->queue_ops = *b->queue->ops;
    p->queue_ops.send = seen_send;
    p->queue_ops.receive = seen_receive;
    p->queue_ops.remove = seen_remove;
    p->queue_ops.set_visibility = seen_set_visibility;
    b->queue->ops = &p->queue_ops;
    if (!b->store)
        return;
    p->real_store = b->store->ops;
    p->store_ops = *b->store->ops;
    p->store_ops.put = seen_put;
    p->store_ops.put_batch = seen_put_batch;
    p->store_ops.get = seen_get;
    b->store->ops = &p->store_ops;
}

static void on_fault(void *ctx, int64_t now_ns, enum torture_fault fault, int action)
{
    struct timeline *t = ctx;
    struct timeline_entry *e = t->newest >= 0 ? &t->entry[t->newest] : NULL;
    bool same = e && e->action == action && action >= 0;
    if (same && e->at_ns == now_ns && e->ended_at_ns < 0) {
        snprintf(e->result, sizeof e->result, "%s", torture_fault_name(fault));
        return;
    }
    if (same && e->ended_at_ns == now_ns && !e->failed) {
        /* A batch has an entry a job; all of them were answered now. */
        for (int64_t i = t->newest;
             i >= 0 && t->entry[i].ended_at_ns == now_ns && t->entry[i].lane == e->lane &&
             t->entry[i].action == action;
             i--) {
            snprintf(t->entry[i].result, sizeof e->result, "%s",
                     torture_fault_name(fault));
            t->entry[i].failed = true;
        }
        return;
    }
    e = entry_add(t, TIMELINE_FAULT, action >= 0 ? t->asking : -1, -1);
    e->failed = true;
    snprintf(e->what, sizeof e->what, "%s%s%s", torture_fault_name(fault),
             action >= 0 ? ": " : "",
             action >= 0 ? jobq_action_name((enum jobq_action)action) : "");
}

/* Who spoke of the job last: an event follows a call of the same process. */
static int lane_of_job(const struct timeline *t, int job)
{
    for (int64_t i = t->count - 1; i >= 0; i--)
        if (t->entry[i].job == job && t->entry[i].lane >= 0)
            return t->entry[i].lane;
    return -1;
}

static void on_event(void *ctx, int64_t now_ns, const struct drainer_event *event)
{
    (void)now_ns;
    struct timeline *t = ctx;
    if (event->kind == DRAINER_NOTICE)
        return;
    entries_of_boxes(t);
    int job = str_is(event->job_id, "-") ? -1 : job_of(t, event->job_id);
    bool ends = event->kind != DRAINER_STARTED && event->kind != DRAINER_SKIPPED;
    struct timeline_entry *e = entry_add(t,
                                         event->kind == DRAINER_STARTED ? TIMELINE_START
                                         : ends                         ? TIMELINE_END
                                                                        : TIMELINE_WORD,
                                         lane_of_job(t, job), job);
    switch (event->kind) {
    case DRAINER_STARTED:
        snprintf(e->what, sizeof e->what, "attempt %d starts", event->attempt);
        break;
    case DRAINER_ENDED:
        snprintf(e->what, sizeof e->what, "attempt %d ends: %s", event->attempt,
                 job_state_name(event->state));
        break;
    case DRAINER_GAVE_BACK:
        snprintf(e->what, sizeof e->what, "attempt %d is given back", event->attempt);
        break;
    case DRAINER_LOST:
        snprintf(e->what, sizeof e->what, "attempt %d is lost: %.40s", event->attempt,
                 event->text);
        break;
    case DRAINER_SKIPPED:
        snprintf(e->what, sizeof e->what, "skipped: %.55s", event->text);
        break;
    case DRAINER_NOTICE:
        break;
    }
}

struct torture_hooks timeline_hooks(struct timeline *t)
{
    t->count = t->receipts = t->jobs = t->lanes = 0;
    t->newest = t->asking = -1;
    return (struct torture_hooks){
        .ctx = t, .decorate = on_process, .fault = on_fault, .event = on_event};
}

/* ---- choosing -------------------------------------------------------------------------- */

static bool is_about(const struct timeline *t, const struct timeline_entry *e,
                     const char *finding, bool named)
{
    if (strncmp(e->what, "hide ", 5) == 0 && !e->failed && strcmp(e->result, "ok") == 0)
        return false;
    if (e->job < 0)
        return e->kind == TIMELINE_WORD ? t->lane[e->lane].about
                                        : !named || t->jobs <= FEW;
    return !named || strstr(finding, t->job[e->job]) != NULL;
}

int timeline_select(struct timeline *t, const char *finding, int most, int64_t **out)
{
    assert(t && finding && most >= 1 && out);
    bool named = false;
    for (int i = 0; i < t->jobs; i++)
        named |= strstr(finding, t->job[i]) != NULL;
    /* That a box is up says something only of one that had to do with these jobs. */
    for (int i = 0; i < t->lanes; i++)
        t->lane[i].about = false;
    for (int64_t i = 0; i < t->count; i++)
        if (t->entry[i].lane >= 0 && t->entry[i].job >= 0 &&
            is_about(t, &t->entry[i], finding, named))
            t->lane[t->entry[i].lane].about = true;
    int64_t *index = xmalloc((size_t)most * sizeof *index);
    int count = 0;
    for (int64_t i = t->count - 1; i >= 0 && count < most; i--)
        if (is_about(t, &t->entry[i], finding, named))
            index[count++] = i;
    for (int i = 0; i < count / 2; i++) {
        int64_t other = index[i];
        index[i] = index[count - 1 - i];
        index[count - 1 - i] = other;
    }
    *out = index;
    return count;
}

/* ---- text ------------------------------------------------------------------------------ */

void timeline_text(struct timeline *t, const char *finding, int most, struct text *out)
{
    int64_t *index;
    int count = timeline_select(t, finding, most, &index);
    text_printf(out, "%9s  %-8s  %-4s %s\n", "s", "who", "job", "what, and its answer");
    for (int i = 0; i < count; i++) {
        const struct timeline_entry *e = &t->entry[index[i]];
        char job[16] = "", line[160];
        if (e->job >= 0)
            snprintf(job, sizeof job, "j%d", e->job + 1);
        snprintf(line, sizeof line, "%9.3f  %-8s  %-4s %s%s%s",
                 (double)(e->at_ns - t->entry[0].at_ns) / 1e9,
                 timeline_lane_name(t, e->lane), job, e->what, e->result[0] ? ": " : "",
                 e->result);
        text_printf(out, "%.80s\n", line);
    }
    free(index);
}
