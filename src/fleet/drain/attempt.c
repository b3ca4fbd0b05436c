/* attempt.c - take one job, run it, report it.
 *
 * Room:     src/fleet, private to the drainer.
 * Blocks:   at the claim, the child and the final put; after the slot is free, at what a
 *           failed or dead job's message still needs.
 *
 * Each message has a fiber of its own, so idle slots cost nothing. The slot is free when the
 * final put returns: the next message's fiber gets it before this one makes its last calls
 * (delete, give back, copy to the dead-letter queue). */
#include "base/text.h"
#include "fleet/drain/parts.h"
#include "fleet/enqueue/queues.h"
#include "jobq/units.h"

#include <assert.h>
#include <string.h>

#define PROGRESS_NS (5 * JOBQ_NS_PER_S)
#define LOOK_AGAIN_MAX_NS JOBQ_NS_PER_HOUR

/* What is to happen with the message when the slot is free. */
enum next_step {
    STEP_DELETE,
    STEP_DEAD,   /* copy to the dead-letter queue, then delete */
    STEP_LATER,  /* return after a back-off */
    STEP_RETURN, /* return now */
    STEP_WAIT,   /* cannot be run now: hide it, longer each time */
    STEP_LEAVE   /* returns by its visibility */
};

void drain_event(struct held *h, enum drainer_event_kind kind, enum job_state state,
                 const struct jobq_work_result *result, const char *text)
{
    struct drainer *d = h->d;
    if (!d->options.on_event)
        return;
    bool is_job = h->body.id.ptr != NULL; /* else the rest of the body says nothing */
    struct drainer_event event = {
        .kind = kind,
        .job_id = is_job ? h->body.id : STR("-"),
        .state = state,
        .attempt = h->attempt,
        .enqueued_wall_ns = h->message.sent_wall_ns,
        .started_at_ns = h->started_at_ns,
        .ended_at_ns = kind == DRAINER_STARTED ? 0 : jobq_now(d->b),
        .payload_bytes = is_job ? h->body.pairs.len + h->body.phantom_bytes : 0,
        .result = result,
        .text = text,
    };
    d->options.on_event(d->options.event_ctx, &event);
}

static void set_deadline(struct held *h, int64_t now_ns)
{
    struct drainer *d = h->d;
    h->deadline_ns = now_ns + d->options.retry_for_ns;
    if (h->deadline_ns > d->give_up_at_ns)
        h->deadline_ns = d->give_up_at_ns;
}

int64_t attempts_max(const struct held *h)
{
    int64_t own = h->body.limits.attempts;
    return own ? own : h->d->options.max_attempts;
}

/* ---- before -------------------------------------------------------------------------- */

static enum next_step skip(struct held *h, enum next_step step, enum job_state state,
                           const char *why)
{
    drain_event(h, DRAINER_SKIPPED, state, NULL, why);
    return step;
}

/* A message lives for 14 days at most (SQS's retention), and clocks differ. */
#define ROWS_EXPECTED_NS (15 * JOBQ_NS_PER_DAY)

/* A job's table is missing. If it should be there, the store was wiped or is another one
 * than the enqueuer's: nobody's job may be given up for that, and all that is left to do is
 * to say so and stop. An older day was dropped as a whole, and a message of it (a dead
 * letter sent again, say) must not stop the drainer: it goes to the dead letters. */
static enum next_step no_table(struct held *h, struct jobq_error *err)
{
    struct drainer *d = h->d;
    const struct job_id_parts *id = &h->body.id_parts;
    int64_t age_ns = jobq_wall(d->b) - id->created_ms * JOBQ_NS_PER_MS;
    bool expected = age_ns < ROWS_EXPECTED_NS && age_ns > -ROWS_EXPECTED_NS;
    jobq_fail(err, JOBQ_NOT_FOUND,
              expected ? "the table for the row of '%.*s' does not exist: a wiped "
                         "store, or another region than the enqueuer's? --create makes it"
                       : "the table for the row of '%.*s' was dropped long after the job "
                         "was made; --create makes it anew",
              (int)h->body.id.len, h->body.id.ptr);
    if (!expected) {
        d->counters.corrupt++;
        return skip(h, STEP_DEAD, JOB_QUEUED, err->text);
    }
    refusal_end(d, err);
    return skip(h, STEP_WAIT, JOB_QUEUED, "its table is missing");
}

static enum final_outcome store(struct held *h, enum job_state state,
                                const struct jobq_work_result *result,
                                struct jobq_error *err);

/* A job that runs without a claim has had all its attempts: by the count of its receives. */
static enum next_step no_attempts(struct held *h, struct jobq_error *err)
{
    struct drainer *d = h->d;
    struct jobq_work_result none = {.exit_code = -1, .progress_percent = -1};
    enum final_outcome outcome = store(h, JOB_DEAD, &none, err);
    if (outcome == FINAL_ENDED)
        return skip(h, STEP_DELETE, JOB_DEAD, "the job has ended");
    if (outcome != FINAL_STORED)
        return skip(h, STEP_LEAVE, JOB_QUEUED, err->text);
    d->counters.dead++;
    d->b->ledger->jobs[JOBQ_JOBS_DEAD]++;
    return skip(h, STEP_DEAD, JOB_DEAD, "attempts are used up");
}

/* Claims the job. True: run it. False: *step says what becomes of the message. */
static bool claim(struct held *h, enum next_step *step, struct jobq_error *err)
{
    struct drainer *d = h->d;
    enum job_state state = JOB_RUNNING;
    if (!d->b->store) {
        h->attempt = h->message.receive_count;
        if (h->attempt <= attempts_max(h))
            return true;
        d->counters.dead++;
        d->b->ledger->jobs[JOBQ_JOBS_DEAD]++;
        *step = skip(h, STEP_DEAD, JOB_DEAD, "attempts are used up");
        return false;
    }
    h->table = rows_tables_find(&d->tables, d->b, &h->body.id_parts, err);
    enum claim_outcome outcome = CLAIM_LEAVE;
    if (h->table >= 0)
        outcome = d->options.rows == JOB_ROWS_END ? claim_look(h, &state, err)
                                                  : claim_take(h, &state, err);
    switch (outcome) {
    case CLAIM_OURS:
        if (d->options.rows != JOB_ROWS_END || h->attempt <= attempts_max(h))
            return true;
        *step = no_attempts(h, err);
        return false;
    case CLAIM_ENDED:
        d->counters.duplicates++;
        *step = skip(h, STEP_DELETE, state, "the job has ended");
        return false;
    case CLAIM_DEAD:
        *step = skip(h, STEP_DEAD, state, "attempts are used up");
        return false;
    case CLAIM_ORPHAN:
        d->counters.corrupt++;
        *step = skip(h, STEP_DEAD, state, "the job has no row");
        return false;
    case CLAIM_ELSEWHERE:
        d->counters.duplicates++;
        *step = skip(h, STEP_WAIT, state, "the job runs under another message");
        return false;
    case CLAIM_NO_TABLE:
        *step = no_table(h, err);
        return false;
    case CLAIM_LEAVE:
        break;
    }
    refusal_check(d, err->code, err);
    *step = skip(h, STEP_LEAVE, state, err->text);
    return false;
}

/* The pairs of a job whose message does not carry them. */
static int fetch_pairs(struct held *h, struct jobq_error *err)
{
    struct jobq_item item;
    struct job_row row;
    int64_t phantom = 0;
    if (!h->d->b->store)
        return jobq_fail(err, JOBQ_CORRUPT, "the payload is in a store that is not used");
    if (claim_read_row(h, &item, &row, err) < 0)
        return err->code;
    if (!claim_is_ours(h, &row)) {
        h->cancelled = row.state == JOB_CANCELLED;
        h->lost = "a newer attempt has the job";
        return JOBQ_OK;
    }
    struct jobq_str encoded = job_row_encoded(&item, &h->batch->strings, &phantom);
    struct job_body body;
    if (job_encoded_read(encoded, phantom, &body, err) < 0)
        return err->code;
    h->body.pairs = body.pairs;
    h->body.phantom_bytes = body.phantom_bytes;
    return JOBQ_OK;
}

/* ---- the child ----------------------------------------------------------------------- */

void attempt_end_child(struct held *h, int64_t grace_ns)
{
    if (h->child >= 0)
        jobq_child_stop(h->d->b, h->child, grace_ns);
}

static int start_again(struct held *h, int code, const struct jobq_work *work,
                       struct jobq_error *err)
{
    struct retry r;
    retry_init(&r, h->d->b, &RETRY_CALLS, &h->deadline_ns);
    while (code < 0 && retry_again(&r, code))
        code = jobq_child_start(h->d->b, work, err);
    return code;
}

static int start_child(struct held *h, struct jobq_error *err)
{
    struct drainer *d = h->d;
    struct jobq_work work = {
        .kind = h->body.kind,
        .sleep_ns = h->body.kind == JOBQ_WORK_SLEEP ? h->body.number : 0,
        .primes_below = h->body.kind == JOBQ_WORK_PRIMES ? h->body.number : 0,
        .payload = STR(""),
        .job_id = h->body.id,
        .queue_name = d->queue_name,
        .attempt = h->attempt,
    };
    if (work.kind == JOBQ_WORK_EXEC)
        work.payload = job_stdin(&h->body, &h->batch->strings);
    int handle = jobq_child_start(d->b, &work, err);
    return handle < 0 ? start_again(h, handle, &work, err) : handle;
}

static int64_t time_limit_ns(const struct held *h)
{
    int64_t own_ns = h->body.limits.time_limit_ns;
    return own_ns ? own_ns : h->d->options.time_limit_ns;
}

/* Until when to wait before something is to be done: a time limit, a look at the progress. */
static int64_t wait_until(const struct held *h)
{
    const struct drainer *d = h->d;
    int64_t until_ns = JOBQ_FOREVER;
    if (time_limit_ns(h) < JOBQ_FOREVER && !h->timed_out)
        until_ns = h->started_at_ns + time_limit_ns(h);
    if (h->body.kind == JOBQ_WORK_EXEC) {
        bool often = d->progress_ns < PROGRESS_NS;
        int64_t look_ns = jobq_now(d->b) + (often ? d->progress_ns : PROGRESS_NS);
        until_ns = look_ns < until_ns ? look_ns : until_ns;
    }
    return until_ns;
}

/* What a count of primes gives is its output. */
static void note_primes(struct held *h, struct jobq_work_result *result)
{
    char *text = arena_alloc(&h->batch->strings, 24);
    result->tail_bytes = (int32_t)text_write_int(text, result->primes);
    text[result->tail_bytes++] = '\n';
    result->tail = text;
}

/* Runs the work. JOBQ_OK: *result is its end. */
static int run(struct held *h, struct jobq_work_result *result, struct jobq_error *err)
{
    struct drainer *d = h->d;
    if (h->body.kind == JOBQ_WORK_EXEC)
        result->tail = arena_alloc(&h->batch->strings, JOBQ_OUTPUT_TAIL);
    h->child = start_child(h, err);
    if (h->child < 0)
        return h->child;
    if (h->lost || h->give_back || h->cancelled)
        attempt_end_child(h, 0);
    int code;
    while ((code = jobq_child_wait(d->b, h->child, wait_until(h), result, err)) ==
           JOBQ_TIMEOUT) {
        watch_progress(h, result->progress_percent);
        if (!h->timed_out && jobq_now(d->b) - h->started_at_ns >= time_limit_ns(h)) {
            h->timed_out = true;
            attempt_end_child(h, d->options.kill_grace_ns);
        }
    }
    h->child = -1;
    if (code == JOBQ_OK && h->body.kind == JOBQ_WORK_PRIMES && result->exit_code == 0)
        note_primes(h, result);
    return code;
}

/* ---- after --------------------------------------------------------------------------- */

/* Stores the state, if there is a store. */
static enum final_outcome store(struct held *h, enum job_state state,
                                const struct jobq_work_result *result,
                                struct jobq_error *err)
{
    bool end_only = h->d->options.rows == JOB_ROWS_END && !job_state_is_final(state);
    if (!h->d->b->store || end_only)
        return FINAL_STORED;
    set_deadline(h, jobq_now(h->d->b));
    return final_put(h, state, result, err);
}

static enum next_step not_stored(struct held *h, enum final_outcome outcome,
                                 const struct jobq_error *err)
{
    struct drainer *d = h->d;
    if (h->cancelled) {
        d->counters.cancelled++;
        drain_event(h, DRAINER_LOST, JOB_CANCELLED, NULL, "cancelled");
        return STEP_DELETE;
    }
    d->counters.lost++;
    if (outcome == FINAL_FAILED)
        refusal_check(d, err->code, err);
    drain_event(h, DRAINER_LOST, JOB_RUNNING, NULL,
                outcome == FINAL_FAILED ? err->text : "a newer attempt has the job");
    return outcome == FINAL_ENDED ? STEP_DELETE : STEP_LEAVE;
}

static enum next_step report(struct held *h, const struct jobq_work_result *result,
                             struct jobq_error *err)
{
    struct drainer *d = h->d;
    enum job_state state = JOB_DONE;
    if (result->exit_code != 0 || h->timed_out)
        state = h->attempt >= attempts_max(h) ? JOB_DEAD : JOB_FAILED;
    enum final_outcome outcome = store(h, state, result, err);
    if (outcome != FINAL_STORED)
        return not_stored(h, outcome, err);
    if (state == JOB_FAILED) {
        d->counters.failed++;
    } else {
        d->b->ledger->jobs[state == JOB_DONE ? JOBQ_JOBS_DONE : JOBQ_JOBS_DEAD]++;
        if (state == JOB_DONE)
            d->counters.done++;
        else
            d->counters.dead++;
    }
    drain_event(h, DRAINER_ENDED, state, result,
                h->too_long    ? "a job cannot take 12 h: the queue hides it no longer"
                : h->timed_out ? "time limit"
                               : "");
    return state == JOB_DONE ? STEP_DELETE : state == JOB_DEAD ? STEP_DEAD : STEP_LATER;
}

static enum next_step give_back(struct held *h, struct jobq_error *err)
{
    enum final_outcome outcome = store(h, JOB_QUEUED, NULL, err);
    /* A row that still says running is taken over by the drainer that gets its message:
     * that counts as an attempt, and is better than to let the message wait. */
    if (outcome == FINAL_FAILED) {
        not_stored(h, outcome, err);
        return STEP_RETURN;
    }
    if (outcome != FINAL_STORED)
        return not_stored(h, outcome, err);
    h->d->counters.gave_back++;
    drain_event(h, DRAINER_GAVE_BACK, JOB_QUEUED, NULL, "");
    return STEP_RETURN;
}

/* No process, no payload: a failed attempt like any other. */
static enum next_step report_error(struct held *h, struct jobq_error *why)
{
    struct jobq_work_result none = {.exit_code = 127, .progress_percent = -1};
    char text[sizeof why->text];
    memcpy(text, why->text, sizeof text);
    none.tail = text;
    none.tail_bytes = (int32_t)strlen(text);
    return report(h, &none, why);
}

static enum next_step settle(struct held *h, int code,
                             const struct jobq_work_result *result,
                             struct jobq_error *err)
{
    struct drainer *d = h->d;
    if (h->lost && !h->cancelled) {
        d->counters.lost++;
        drain_event(h, DRAINER_LOST, JOB_RUNNING, NULL, h->lost);
        return STEP_LEAVE;
    }
    if (h->cancelled) {
        d->counters.cancelled++;
        drain_event(h, DRAINER_LOST, JOB_CANCELLED, NULL, "cancelled");
        return STEP_DELETE;
    }
    if (code < 0 && !h->give_back)
        return report_error(h, err);
    if (h->give_back && (code < 0 || result->killed))
        return give_back(h, err);
    return report(h, result, err);
}

/* How long to hide a message that cannot be run now: the second one of a job that is still
 * running, or an exec job without a command. Each look at it counts as a receive, and the queue moves a message to the dead letters after its
 * maxReceiveCount: at one look a visibility timeout (6 s, 50 receives) that happens after
 * five minutes of a job's run. So the wait doubles from look to look, up to an hour: 50
 * looks then last for more than the 12 hours that a job may run. */
static int64_t look_again_ns(const struct held *h)
{
    int64_t wait_ns = h->d->visibility_ns;
    for (int32_t i = 1; i < h->message.receive_count && wait_ns < LOOK_AGAIN_MAX_NS; i++)
        wait_ns *= 2;
    if (wait_ns <= LOOK_AGAIN_MAX_NS)
        return wait_ns;
    return h->d->visibility_ns > LOOK_AGAIN_MAX_NS ? h->d->visibility_ns
                                                   : LOOK_AGAIN_MAX_NS;
}

/* Returns what becomes of the message. The slot is still taken. */
static enum next_step attempt(struct held *h, struct jobq_error *err)
{
    struct drainer *d = h->d;
    enum next_step step;
    h->give_back = d->giving_back;
    h->started_at_ns = jobq_now(d->b);
    set_deadline(h, h->started_at_ns);
    int read = job_body_read(h->message.body, h->message.phantom_bytes, &h->body, err);
    if (!held_is_hidden(h))
        return skip(h, STEP_LEAVE, JOB_QUEUED, h->lost);
    if (read < 0) {
        d->counters.corrupt++;
        return skip(h, STEP_DEAD, JOB_QUEUED, err->text);
    }
    if (h->body.kind == JOBQ_WORK_EXEC && !d->options.exec) {
        refusal_no_command(d, h->message.receive_count, look_again_ns(h));
        return STEP_WAIT;
    }
    if (!claim(h, &step, err))
        return step;
    d->counters.attempts++;
    d->b->ledger->attempts++;
    drain_event(h, DRAINER_STARTED, JOB_RUNNING, NULL, "");
    int code = h->body.stored ? fetch_pairs(h, err) : JOBQ_OK;
    struct jobq_work_result result = {.progress_percent = -1};
    /* What cannot be read now is not the job's fault; what makes no sense is. */
    if (code < 0 && code != JOBQ_CORRUPT) {
        refusal_check(d, code, err);
        h->give_back = true;
    }
    if (code == JOBQ_OK && (!held_is_hidden(h) || h->give_back))
        code = JOBQ_CANCELLED;
    if (code == JOBQ_OK)
        code = run(h, &result, err);
    d->counters.work_ns += code == JOBQ_OK ? result.wall_ns : 0;
    d->counters.cpu_ns += code == JOBQ_OK ? result.cpu_ns : 0;
    return settle(h, code, &result, err);
}

/* Copies the message to the dead-letter queue. A copy twice is a nuisance, one lost is not
 * to be had back: no delete before it is there. */
static bool bury(struct held *h)
{
    struct drainer *d = h->d;
    struct jobq_outgoing copy = {.body = h->message.body,
                                 .phantom_bytes = h->message.phantom_bytes};
    struct jobq_entry_result result;
    struct jobq_error err;
    struct retry r;
    set_deadline(h, jobq_now(d->b));
    retry_init(&r, d->b, &RETRY_CALLS, &h->deadline_ns);
    int code;
    do {
        code = JOBQ_OK;
        if (d->dead_queue < 0)
            code = queues_open_dead(d->b, d->options.queue, d->options.create,
                                    &d->dead_queue, &err);
        if (code == JOBQ_NOT_FOUND)
            return true; /* no such queue: the row alone says so */
        if (code == JOBQ_OK)
            code = jobq_queue_send(d->b, d->dead_queue, &copy, 1, &result, &err);
        if (code == JOBQ_OK && result.code < 0)
            code = jobq_fail(&err, (enum jobq_code)result.code, "%s", result.text);
    } while (code < 0 && retry_again(&r, code));
    refusal_check(d, code, &err);
    return code == JOBQ_OK;
}

/* How long a failed job's message is hidden: exponential, capped, and at most for what is left
 * of the 12 h that a queue hides a message after its receive. */
static int64_t back_off_ns(const struct held *h)
{
    const struct drainer *d = h->d;
    struct retry_policy back_off = {.base_ns = d->options.retry_base_ns,
                                    .cap_ns = d->options.retry_cap_ns};
    if (h->body.limits.has_backoff)
        back_off.base_ns = h->body.limits.backoff_ns;
    int64_t wait_ns = retry_delay_ns(d->b, &back_off, h->attempt);
    int64_t left_ns = h->received_at_ns + DRAIN_HIDDEN_MAX_NS - jobq_now(d->b);
    return wait_ns <= left_ns ? wait_ns : left_ns > 0 ? left_ns : 0;
}

/* Takes the message's last step, without the slot. */
static void attempt_finish(struct held *h, enum next_step step)
{
    struct drainer *d = h->d;
    switch (step) {
    case STEP_DEAD:
        if (!bury(h)) {
            held_release(h);
            return;
        }
        deleter_add(h);
        return;
    case STEP_DELETE:
        deleter_add(h);
        return;
    case STEP_LATER:
        deleter_give_back(d, &h, 1, back_off_ns(h));
        return;
    case STEP_RETURN:
        deleter_give_back(d, &h, 1, 0);
        return;
    case STEP_WAIT:
        deleter_give_back(d, &h, 1, look_again_ns(h));
        return;
    case STEP_LEAVE:
        held_release(h);
        return;
    }
}

static void leave_slot(struct held *h)
{
    struct drainer *d = h->d;
    int64_t took_ns = jobq_now(d->b) - h->started_at_ns;
    run_remove(h);
    h->place = HELD_AFTER;
    share_give(h, took_ns);
    d->counters.busy_slot_ns += took_ns;
    if (d->mean_job_ns == 0)
        d->mean_job_ns = took_ns > 0 ? took_ns : 1;
    else
        d->mean_job_ns += (took_ns - d->mean_job_ns) / 8;
}

void attempt_main(void *held)
{
    struct held *h = held;
    struct drainer *d = h->d;
    struct jobq_error err;
    h->place = HELD_RUNNING;
    run_append(h);
    enum next_step step = attempt(h, &err);
    leave_slot(h);
    d->after++;
    drain_pump(d); /* the slot has work again before the message's last call is made */
    attempt_finish(h, step);
    d->after--;
    if (d->mode == DRAINER_STOPPING)
        fiber_cond_broadcast(&d->changed);
}
