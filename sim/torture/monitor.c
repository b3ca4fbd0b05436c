/* monitor.c - is each thing that happens during a run allowed to happen?
 *
 * Room:     sim.
 *
 * It sees each write of a row when the store has made it, each delete of a message when the
 * queue makes it, and what drainers report. The protocol that it holds them to is that of
 * fleet/job/job.h: the first claim is attempt 1, the next one more, under a token of its own;
 * an end is stored by the attempt that holds the claim, and once. So at any time at most one
 * attempt holds a claim, nothing runs after its end was stored, no end is overwritten, and no
 * message is deleted before its job's end is stored. */
#include "sim/torture/internal.h"

#include "base/hash.h"

#include <string.h>

/* ---- rows ----------------------------------------------------------------------------- */

static bool is_job_id(struct jobq_str name)
{
    return name.len == (int64_t)sizeof REPLICATION_QUEUE - 1 + JOB_ID_SUFFIX &&
           memcmp(name.ptr, REPLICATION_QUEUE "-", sizeof REPLICATION_QUEUE) == 0;
}

struct torture_claim *monitor_claim(struct torture *t, struct jobq_str id)
{
    int64_t at = jobrec_of(&t->rows, id) - t->rows.rec;
    if (at >= t->claim_cap) {
        int64_t cap = t->claim_cap ? 2 * t->claim_cap : 256;
        t->claim = xrealloc(t->claim, (size_t)cap * sizeof *t->claim);
        memset(t->claim + t->claim_cap, 0,
               (size_t)(cap - t->claim_cap) * sizeof *t->claim);
        t->claim_cap = cap;
    }
    return &t->claim[at];
}

/* A claim as it was written; false: it is none. */
static bool read_claim(struct jobq_str text, struct torture_claim *out)
{
    const char *blank = memchr(text.ptr, ' ', (size_t)text.len);
    const char *end = text.ptr + text.len;
    const char *slash = blank ? memchr(blank, '/', (size_t)(end - blank)) : NULL;
    int64_t attempt;
    if (!slash ||
        !job_state_parse((struct jobq_str){text.ptr, blank - text.ptr}, &out->state) ||
        !str_to_int((struct jobq_str){blank + 1, slash - blank - 1}, &attempt))
        return false;
    out->attempt = (int32_t)attempt;
    out->token = hash_add(HASH_START, slash + 1, (size_t)(end - slash - 1));
    return true;
}

/* A drainer takes a claim that is 13 h old for lost, by clocks that may have been set; no job
 * of a run takes a tenth of that. */
#define CLAIM_ALIVE_NS JOBQ_NS_PER_HOUR

/* "STARTED_MS BOX MESSAGE_ID" */
static uint64_t message_of(struct jobq_str run)
{
    int64_t at = run.len;
    while (at > 0 && run.ptr[at - 1] != ' ')
        at--;
    return hash_add(HASH_START, run.ptr + at, (size_t)(run.len - at));
}

/* Why `to` must not follow `from`; NULL: it may. */
static const char *wrong_step(const struct torture *t, const struct torture_claim *from,
                              const struct torture_claim *to)
{
    bool same = from->token == to->token;
    bool runs = from->state == JOB_RUNNING;
    if (t->run->rows == SCENARIO_ROWS_END)
        return job_state_is_final(from->state)  ? "an end was overwritten"
               : !job_state_is_final(to->state) ? "a row says what is no end"
               : to->state == JOB_DEAD && to->attempt < t->attempts_max
                   ? "a job is dead, and has attempts left"
                   : NULL;
    if (job_state_is_final(from->state)) {
        bool redrive = from->state == JOB_DEAD && to->state == JOB_QUEUED;
        return redrive ? NULL : "an end was overwritten";
    }
    switch (to->state) {
    case JOB_RUNNING:
        return to->attempt != from->attempt + 1 ? "a claim is not the next attempt"
               : same && from->claims > 0       ? "a claim has the token of the last one"
               : to->attempt > t->attempts_max  ? "a claim exceeds the attempts"
               : runs && to->message != from->message &&
                       to->at_ns - from->at_ns < CLAIM_ALIVE_NS
                   ? "a job was taken over by another of its messages"
                   : NULL;
    case JOB_DONE:
    case JOB_FAILED:
        return runs && same && to->attempt == from->attempt
                   ? NULL
                   : "an end was stored without the claim";
    case JOB_DEAD: /* whether it had attempts left is checked at the end (check.c) */
        return to->attempt == from->attempt ? NULL : "a job is dead by another attempt";
    case JOB_QUEUED: /* given back, or sent again by an operator */
        return runs || to->attempt == 0 ? NULL : "a job was given back that did not run";
    case JOB_CANCELLED:
    case JOB_STATE_COUNT:
        break;
    }
    return NULL;
}

static void step(struct torture *t, struct torture_claim *claim,
                 const struct jobq_item *item, struct jobq_str text)
{
    struct jobq_str id = item->name;
    struct torture_claim to = *claim;
    to.at_ns = world_now(t->world);
    for (int i = 0; i < item->attr_count; i++)
        if (str_is(item->attr[i].name, "run"))
            to.message = message_of(item->attr[i].value);
    if (!read_claim(text, &to)) {
        torture_find(t, "claim", "job %.*s has the claim '%.*s'", (int)id.len, id.ptr,
                     (int)text.len, text.ptr);
        return;
    }
    const char *wrong = wrong_step(t, claim, &to);
    if (wrong)
        torture_find(t, "claim", "job %.*s: %s: '%s %d' became '%.*s'", (int)id.len,
                     id.ptr, wrong, job_state_name(claim->state), claim->attempt,
                     (int)text.len, text.ptr);
    if (to.state == JOB_RUNNING) {
        to.claims++;
        if (claim->state == JOB_RUNNING)
            torture_branch(t, TORTURE_BRANCH_TAKEN_OVER);
    }
    if (to.state == JOB_DEAD && claim->state == JOB_RUNNING && claim->token != to.token)
        torture_branch(t, TORTURE_BRANCH_EXHAUSTED);
    to.backs += to.state == JOB_QUEUED && claim->state == JOB_RUNNING &&
                claim->token == to.token && to.attempt == claim->attempt - 1;
    to.dead_last = to.state == JOB_DEAD && claim->token == to.token;
    to.redriven |= claim->state != JOB_RUNNING && to.state == JOB_QUEUED;
    t->open_rows += job_state_is_final(claim->state) - job_state_is_final(to.state);
    *claim = to;
}

static void see_row(void *ctx, const struct jobq_item *item)
{
    struct torture *t = ctx;
    if (!is_job_id(item->name))
        return;
    struct torture_claim *claim = monitor_claim(t, item->name);
    if (claim->garbage)
        return;
    bool exists = item->attr_count > 0;
    if (!exists && claim->exists && claim->claims > 0)
        torture_find(t, "row removed", "the row of job %.*s was removed after a claim",
                     (int)item->name.len, item->name.ptr);
    if (exists != claim->exists && !job_state_is_final(claim->state))
        t->open_rows += exists ? 1 : -1;
    claim->exists = exists;
    for (int i = 0; i < item->attr_count; i++)
        if (str_is(item->attr[i].name, "claim"))
            step(t, claim, item, item->attr[i].value);
}

/* ---- messages ------------------------------------------------------------------------- */

static void see_delete(void *ctx, int queue, const struct sqs_message *message)
{
    struct torture *t = ctx;
    struct job_body body;
    struct jobq_error err;
    if (!str_is(sqs_name(world_sqs(t->world), queue), REPLICATION_QUEUE) ||
        job_body_read(message->body, message->phantom_bytes, &body, &err) < 0)
        return; /* a dead letter, or no job */
    const struct jobrec *rec = jobrec_find(&t->rows, body.id);
    const struct torture_claim *claim = rec ? &t->claim[rec - t->rows.rec] : NULL;
    /* A job that was sent again has a message of its own: the first one may go. */
    bool needs_end = claim && (claim->exists ||
                               (t->run->rows != SCENARIO_ROWS_ALL && !claim->garbage));
    if (needs_end && !claim->redriven && !job_state_is_final(claim->state))
        torture_find(t, "deleted too early",
                     "a message of job %.*s is deleted, and its row says '%s'",
                     (int)body.id.len, body.id.ptr, job_state_name(claim->state));
}

static void see_receive(void *ctx, const struct jobq_message *message, int count)
{
    struct torture *t = ctx;
    struct job_body body;
    struct jobq_error err;
    t->brought.count = 0;
    for (int i = 0; i < count; i++)
        if (job_body_read(message[i].body, message[i].phantom_bytes, &body, &err) ==
            JOBQ_OK)
            t->brought.job[t->brought.count++] = monitor_claim(t, body.id) - t->claim;
}

/* ---- what drainers report ------------------------------------------------------------- */

static void started(struct torture *t, const struct drainer_event *event)
{
    struct torture_claim *claim = monitor_claim(t, event->job_id);
    bool claimed = t->run->rows != SCENARIO_ROWS_END;
    if (!claim->garbage && ++claim->starts > claim->claims && claimed)
        torture_find(t, "claim", "job %.*s starts %d times, and was claimed %d times",
                     (int)event->job_id.len, event->job_id.ptr, claim->starts,
                     claim->claims);
}

static void gave_back(struct torture *t, const struct drainer_event *event)
{
    struct torture_claim *claim = monitor_claim(t, event->job_id);
    if (++claim->told_back > claim->backs && !claim->garbage)
        torture_find(
            t, "claim", "job %.*s was given back %d times, and its row says so %d times",
            (int)event->job_id.len, event->job_id.ptr, claim->told_back, claim->backs);
}

/* Its work starts now. Nobody else can have got the message while it was hidden, which is what
 * the drainer goes by. Where a receive's reply was long under way, it cannot know when that
 * was, for a reply in flight cannot be told from one that is waited for: it may start late, or
 * claim what another holds. Nor does a message that is delivered twice stay hidden. A cancel
 * may come at any time. */
void monitor_child(struct torture *t, const struct jobq_work *work)
{
    const struct torture_claim *claim = monitor_claim(t, work->job_id);
    if (claim->misled || torture_on(t, TORTURE_REDELIVERED) || claim->claims == 0 ||
        claim->state == JOB_CANCELLED ||
        (claim->state == JOB_RUNNING && claim->attempt == work->attempt))
        return;
    torture_find(t, "started late",
                 "attempt %d of job %.*s starts, and its row says '%s %d'", work->attempt,
                 (int)work->job_id.len, work->job_id.ptr, job_state_name(claim->state),
                 claim->attempt);
}

static const struct {
    enum drainer_event_kind kind;
    const char *text; /* its beginning; "": all others */
    enum torture_branch branch;
} TEXTS[] = {
    {DRAINER_LOST, "a heartbeat was refused", TORTURE_BRANCH_LOST_BEAT},
    {DRAINER_LOST, "its visibility ran out", TORTURE_BRANCH_LOST_LATE},
    {DRAINER_LOST, "cancelled", TORTURE_BRANCH_LOST_CANCELLED},
    {DRAINER_LOST, "a newer attempt", TORTURE_BRANCH_LOST_NEWER},
    {DRAINER_LOST, "", TORTURE_BRANCH_LOST_STORE},
    {DRAINER_SKIPPED, "its visibility ran out", TORTURE_BRANCH_SKIP_LATE},
    {DRAINER_SKIPPED, "the job has ended", TORTURE_BRANCH_SKIP_ENDED},
    {DRAINER_SKIPPED, "attempts are used up", TORTURE_BRANCH_SKIP_DEAD},
    {DRAINER_SKIPPED, "the job has no row", TORTURE_BRANCH_SKIP_NO_ROW},
    {DRAINER_SKIPPED, "the job runs under", TORTURE_BRANCH_SKIP_ELSEWHERE},
    {DRAINER_SKIPPED, "its table is missing", TORTURE_BRANCH_SKIP_NO_TABLE},
    {DRAINER_SKIPPED, "", TORTURE_BRANCH_SKIP_STORE},
    {DRAINER_NOTICE, "housekeeping", TORTURE_BRANCH_NOTICE_HOUSE},
    {DRAINER_NOTICE, "", TORTURE_BRANCH_NOTICE_FAILS},
};

static void count_text(struct torture *t, const struct drainer_event *event)
{
    if (event->kind == DRAINER_SKIPPED && str_is(event->job_id, "-")) {
        torture_branch(t, TORTURE_BRANCH_SKIP_UNREADABLE);
        return;
    }
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++)
        if (event->kind == TEXTS[i].kind &&
            strncmp(event->text, TEXTS[i].text, strlen(TEXTS[i].text)) == 0) {
            torture_branch(t, TEXTS[i].branch);
            return;
        }
}

void monitor_event(struct torture *t, const struct drainer_event *event)
{
    switch (event->kind) {
    case DRAINER_STARTED:
        started(t, event);
        break;
    case DRAINER_ENDED:
        torture_branch(t, event->state == JOB_DONE     ? TORTURE_BRANCH_ENDED_DONE
                          : event->state == JOB_FAILED ? TORTURE_BRANCH_ENDED_FAILED
                                                       : TORTURE_BRANCH_ENDED_DEAD);
        break;
    case DRAINER_GAVE_BACK:
        torture_branch(t, TORTURE_BRANCH_GAVE_BACK);
        gave_back(t, event);
        break;
    case DRAINER_LOST:
    case DRAINER_NOTICE:
    case DRAINER_SKIPPED:
        count_text(t, event);
        break;
    }
}

void monitor_exit(struct torture *t, int code)
{
    torture_branch(t, code == JOBQ_OK          ? TORTURE_BRANCH_EXIT_OK
                      : code == JOBQ_DENIED    ? TORTURE_BRANCH_EXIT_DENIED
                      : code == JOBQ_NOT_FOUND ? TORTURE_BRANCH_EXIT_NOT_FOUND
                      : code == JOBQ_TIMEOUT   ? TORTURE_BRANCH_EXIT_DEADLINE
                                               : TORTURE_BRANCH_EXIT_UNAVAILABLE);
}

void monitor_start(struct torture *t)
{
    if (t->claim_cap > 0)
        memset(t->claim, 0, (size_t)t->claim_cap * sizeof *t->claim);
    jobrec_reset(&t->rows, t->run->jobs, true);
    t->open_rows = 0;
    t->watch = (struct world_watch){
        .ctx = t, .row = see_row, .deleted = see_delete, .received = see_receive};
}
