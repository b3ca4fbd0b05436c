/* claim.c - may this process run this job, and may it say how it ended?
 *
 * Room:     src/fleet, private to the drainer.
 * Blocks:   at store calls, tried again until h->deadline_ns.
 *
 * A store's conditional put takes one expected attribute, so `claim` carries state, attempt
 * and owner together (fleet/job/job.h says why that is safe). The first attempt expects it
 * absent and reads nothing; every other one expects exactly what it read. A condition that
 * fails after a lost reply may have failed on our own write: the row is read, and one's own
 * claim there means success.
 *
 * Whose message it is decides a running row: the claiming message delivered again says that
 * its visibility ran out, and is taken over as attempt + 1; another message of the job waits
 * until it finds the job ended, or the claim too old to be held by anybody. */
#include "base/text.h"
#include "fleet/drain/parts.h"
#include "jobq/units.h"

#include <assert.h>
#include <string.h>

/* Of a message id: SQS's own bound (developer guide, queue and message identifiers: at most
 * 100 characters). */
enum { LOOKS_MAX = 16, MESSAGE_ID_MAX = 100, RUN_BYTES = MESSAGE_ID_MAX + 64 };

bool claim_makes_rows(const struct drainer *d)
{
    return d->options.rows != JOB_ROWS_ALL;
}

/* ---- pieces -------------------------------------------------------------------------- */

static char *put_word(char *p, struct jobq_str word)
{
    memcpy(p, word.ptr, (size_t)word.len);
    return p + word.len;
}

static struct jobq_str message_id(const struct held *h)
{
    struct jobq_str id = h->message.id;
    return id.len <= MESSAGE_ID_MAX ? id : (struct jobq_str){id.ptr, MESSAGE_ID_MAX};
}

static struct jobq_str token_of(const struct held *h)
{
    return (struct jobq_str){h->token, h->token_bytes};
}

/* h's own running claim, in room of JOB_CLAIM_MAX bytes. */
static struct jobq_str running_claim(const struct held *h, char *room)
{
    return (struct jobq_str){room,
                             job_claim_write(JOB_RUNNING, h->attempt, token_of(h), room)};
}

/* h's calls for its row. */
static struct rows claim_rows_of(const struct held *h)
{
    return (struct rows){h->d->b, &h->deadline_ns, &h->d->counters.retries};
}

static bool has_our_token(const struct held *h, const struct job_row *row)
{
    return h->token_bytes > 0 && str_eq(row->token, token_of(h));
}

bool claim_is_ours(const struct held *h, const struct job_row *row)
{
    return row->state == JOB_RUNNING && has_our_token(h, row);
}

/* A token that was never used before: PROCESS.COUNTER. All puts that try to claim for one
 * delivery carry it, so that one of them which arrives late is known as ours. */
static void new_token(struct held *h)
{
    struct drainer *d = h->d;
    memcpy(h->token, d->token, 8);
    h->token[8] = '.';
    h->token_bytes = 9 + text_write_int(h->token + 9, ++d->claims);
    assert(h->token_bytes <= JOB_TOKEN_MAX);
}

/* over: the claim that was read; "" before the first. */
static int put_claimed(struct held *h, struct jobq_str over, struct jobq_met *met,
                       struct jobq_error *err)
{
    struct drainer *d = h->d;
    struct rows rows = claim_rows_of(h);
    char run[RUN_BYTES];
    char *p = run + text_write_int(run, jobq_wall(d->b) / JOBQ_NS_PER_MS);
    *p++ = ' ';
    p = put_word(p, d->box);
    *p++ = ' ';
    p = put_word(p, message_id(h));
    const struct jobq_attr attr = {STR("run"), {run, p - run}, true};
    const struct rows_claim claim = {over,  JOB_RUNNING, h->attempt, token_of(h),
                                     &attr, 1,           met};
    return rows_claim(&rows, h->table, h->body.id, &claim, err);
}

int claim_read_row(struct held *h, struct jobq_item *item, struct job_row *row,
                   struct jobq_error *err)
{
    struct rows rows = claim_rows_of(h);
    return rows_read(&rows, h->table, h->body.id, ROWS_WHOLE, &h->batch->strings, item,
                     row, err);
}

/* The row as a refused put met it, if the store showed that; else it is read. */
static int look_at_row(struct held *h, struct jobq_met *met, struct jobq_item *item,
                       struct job_row *row, struct jobq_error *err)
{
    if (!met->known)
        return claim_read_row(h, item, row, err);
    *item = met->item;
    item->name = h->body.id;
    return job_row_read(item, row, err);
}

/* ---- the claim ----------------------------------------------------------------------- */

/* Every attempt that was allowed has been taken: the row says dead, under a claim of its own,
 * so that none of those attempts can still report. */
static int put_exhausted(struct held *h, const struct job_row *row,
                         struct jobq_error *err)
{
    struct rows rows = claim_rows_of(h);
    char end[64];
    char *p = end + text_write_int(end, jobq_wall(h->d->b) / JOBQ_NS_PER_MS);
    p = put_word(p, STR(" -1 0 0"));
    const struct jobq_attr attr = {STR("end"), {end, p - end}, true};
    const struct rows_claim claim = {row->claim, JOB_DEAD, row->attempt, token_of(h),
                                     &attr,      1,        NULL};
    return rows_claim(&rows, h->table, h->body.id, &claim, err);
}

enum verdict { TAKE, GIVE_UP_ON, SETTLED };

/* A message is hidden for 12 h at most, and its attempt is ended before that. Clocks differ. */
#define OVERDUE_NS (13 * JOBQ_NS_PER_HOUR)

/* The job runs under another message, which is there to bring it back. A claim that is too old
 * has lost its message and its attempt both (to a purge, and a box that failed): only this
 * message is left. */
static bool runs_elsewhere(const struct held *h, const struct job_row *row)
{
    int64_t age_ns = jobq_wall(h->d->b) - row->started_ms * JOBQ_NS_PER_MS;
    return row->state == JOB_RUNNING && !str_eq(row->message_id, message_id(h)) &&
           age_ns < OVERDUE_NS;
}

/* What a row says about its message. TAKE: claim it as attempt + 1 over row->claim. */
static enum verdict judge(const struct held *h, const struct job_row *row,
                          enum claim_outcome *out)
{
    *out = CLAIM_OURS;
    if (!row->exists && !claim_makes_rows(h->d))
        *out = CLAIM_ORPHAN;
    else if (row->state == JOB_DEAD)
        *out = CLAIM_DEAD;
    else if (job_state_is_final(row->state))
        *out = CLAIM_ENDED;
    else if (claim_is_ours(h, row))
        *out = CLAIM_OURS; /* a lost reply: it was we */
    else if (runs_elsewhere(h, row))
        *out = CLAIM_ELSEWHERE;
    else
        return row->attempt >= attempts_max(h) ? GIVE_UP_ON : TAKE;
    return SETTLED;
}

/* Looks at the row and does what it says, once. Returns JOBQ_OK with *out, JOBQ_CONFLICT when
 * the row has changed in between, or the store's failure. */
static int look(struct held *h, struct jobq_met *met, enum claim_outcome *out,
                enum job_state *out_state, struct jobq_error *err)
{
    struct jobq_item item;
    struct job_row row;
    int code = look_at_row(h, met, &item, &row, err);
    if (code < 0)
        return code;
    *out_state = row.state;
    enum verdict verdict = judge(h, &row, out);
    if (verdict == SETTLED) {
        h->attempt = (int32_t)row.attempt;
        return JOBQ_OK;
    }
    if (!held_is_hidden(h)) {
        *out = CLAIM_LEAVE;
        jobq_fail(err, JOBQ_TIMEOUT, "%s", h->lost);
        return JOBQ_OK;
    }
    if (verdict == GIVE_UP_ON) {
        *out = CLAIM_DEAD;
        *out_state = JOB_DEAD;
        code = put_exhausted(h, &row, err);
        if (code == JOBQ_OK) {
            h->d->counters.dead++;
            h->d->b->ledger->jobs[JOBQ_JOBS_DEAD]++;
        }
        return code;
    }
    h->attempt = (int32_t)row.attempt + 1;
    code = put_claimed(h, row.claim, met, err);
    if (code == JOBQ_OK && row.state == JOB_RUNNING)
        h->d->counters.takeovers++;
    return code;
}

/* Makes the job's table, which no enqueuer made; one at a time does, and the others wait. */
static int make_missing(struct held *h, struct jobq_error *err)
{
    struct drainer *d = h->d;
    struct retry r;
    int64_t made = d->tables_made;
    int code = JOBQ_OK;
    while (d->makes_table)
        if (fiber_cond_wait(d->b->sched, &d->table_made, h->deadline_ns) ==
            FIBER_TIMED_OUT)
            return jobq_fail(err, JOBQ_TIMEOUT, "its table is not made yet");
    if (d->tables_made != made)
        return JOBQ_OK;
    d->makes_table = true;
    retry_init(&r, d->b, &RETRY_CALLS, &h->deadline_ns);
    do
        code = rows_make_table(d->b, &h->body.id_parts, err);
    while (code < 0 && retry_again(&r, code));
    d->counters.retries += r.tries;
    d->makes_table = false;
    d->tables_made += code == JOBQ_OK;
    fiber_cond_broadcast(&d->table_made);
    return code;
}

/* A table that was just made may not be seen everywhere yet. */
enum { TABLE_TRIES = 5 };

/* Makes a missing table if the drainer may (--create), and waits. False: enough. */
static bool await_table(struct held *h, struct retry *r)
{
    struct drainer *d = h->d;
    struct jobq_error err;
    int code = JOBQ_OK;
    if (d->options.create || claim_makes_rows(d)) {
        code = claim_makes_rows(d) ? make_missing(h, &err)
                                   : rows_make_table(d->b, &h->body.id_parts, &err);
        refusal_check(d, code, &err);
    }
    if (r->tries >= TABLE_TRIES || d->fatal.code != JOBQ_OK ||
        (code < 0 && !jobq_code_is_retryable(code)))
        return false;
    d->counters.retries++;
    return retry_again(r, JOBQ_THROTTLED);
}

/* Goes on from the code of a first put until it is known whose the job is. */
static enum claim_outcome claim_on(struct held *h, int code, struct jobq_met *met,
                                   enum job_state *out_state, struct jobq_error *err)
{
    struct drainer *d = h->d;
    struct retry r;
    retry_init(&r, d->b, &RETRY_CALLS, &h->deadline_ns);
    bool read = false;
    enum claim_outcome out = CLAIM_OURS;
    for (int looks = 0;; looks += read) {
        if (code == JOBQ_OK)
            return out;
        if (code == JOBQ_NOT_FOUND) {
            if (!await_table(h, &r))
                return CLAIM_NO_TABLE;
            read = false;
            h->attempt = 1;
            code = put_claimed(h, STR(""), met, err);
            continue;
        }
        if (code == JOBQ_CONFLICT)
            read = true;
        else if (!retry_again(&r, code))
            return CLAIM_LEAVE;
        d->counters.retries += code != JOBQ_CONFLICT;
        if (looks >= LOOKS_MAX)
            return CLAIM_LEAVE;
        if (!read && !held_is_hidden(h)) {
            jobq_fail(err, JOBQ_TIMEOUT, "%s", h->lost);
            return CLAIM_LEAVE;
        }
        code =
            read ? look(h, met, &out, out_state, err) : put_claimed(h, STR(""), met, err);
    }
}

enum claim_outcome claim_take(struct held *h, enum job_state *out_state,
                              struct jobq_error *err)
{
    struct jobq_met met = {.arena = &h->batch->strings};
    *out_state = JOB_RUNNING;
    /* A message that came before has most likely a claim already: reading first saves a put
     * that is billed although its condition fails. */
    new_token(h);
    if (h->message.receive_count > 1)
        return claim_on(h, JOBQ_CONFLICT, &met, out_state, err);
    h->attempt = 1;
    int code = put_claimed(h, STR(""), &met, err);
    return code == JOBQ_OK ? CLAIM_OURS : claim_on(h, code, &met, out_state, err);
}

enum claim_outcome claim_look(struct held *h, enum job_state *out_state,
                              struct jobq_error *err)
{
    struct jobq_item item;
    struct job_row row;
    h->attempt = h->message.receive_count;
    *out_state = JOB_RUNNING;
    new_token(h);
    if (h->message.receive_count == 1)
        return CLAIM_OURS;
    int code = claim_read_row(h, &item, &row, err);
    if (code < 0 && code != JOBQ_NOT_FOUND)
        return CLAIM_LEAVE;
    *out_state = row.state;
    return row.exists && row.state == JOB_DEAD           ? CLAIM_DEAD
           : row.exists && job_state_is_final(row.state) ? CLAIM_ENDED
                                                         : CLAIM_OURS;
}

int progress_put(const struct held *h, struct jobq_error *err)
{
    struct rows rows = claim_rows_of(h);
    char room[JOB_CLAIM_MAX], value[JOB_CLAIM_MAX];
    char *p = value + text_write_int(value, h->attempt);
    *p++ = '/';
    p = put_word(p, token_of(h));
    *p++ = ' ';
    p += text_write_int(p, h->progress);
    const struct jobq_attr attr = {STR("progress"), {value, p - value}, true};
    return rows_note(&rows, h->table, h->body.id, running_claim(h, room), &attr, err);
}

/* ---- the end ------------------------------------------------------------------------- */

/* The last output that fits JOB_TAIL_PIECES attributes, cut into them. Returns how many.
 * *kept: bytes of output that they hold. */
static int put_tail(struct held *h, const struct jobq_work_result *result,
                    struct jobq_attr *attr, int64_t *kept)
{
    static const char names[JOB_TAIL_PIECES][6] = {"tail0", "tail1", "tail2", "tail3"};
    struct jobq_str raw = {result->tail, result->tail_bytes};
    *kept = 0;
    if (!raw.ptr || raw.len == 0)
        return 0;
    /* Escapes may triple it; a piece may end up to three bytes early. */
    const int64_t most = JOB_TAIL_PIECES * (JOB_PIECE_BYTES - 3);
    int64_t bytes;
    while ((bytes = job_escape(raw, false, NULL)) > most) {
        int64_t cut = (bytes - most + 2) / 3;
        raw.ptr += cut;
        raw.len -= cut;
    }
    *kept = raw.len;
    char *text = arena_alloc(&h->batch->strings, (size_t)bytes + 1);
    job_escape(raw, false, text);
    int count = 0;
    for (int64_t at = 0; at < bytes; count++) {
        int64_t piece = bytes - at < JOB_PIECE_BYTES ? bytes - at : JOB_PIECE_BYTES;
        while (at + piece < bytes && ((unsigned char)text[at + piece] & 0xc0) == 0x80)
            piece--;
        assert(count < JOB_TAIL_PIECES);
        attr[count] = (struct jobq_attr){{names[count], 5}, {text + at, piece}, true};
        at += piece;
    }
    return count;
}

/* A refused final put: whose end stands in the row? */
static enum final_outcome look_at_end(struct held *h, enum job_state state,
                                      struct jobq_met *met, struct jobq_error *err)
{
    struct jobq_item item;
    struct job_row row;
    if (look_at_row(h, met, &item, &row, err) < 0)
        return FINAL_FAILED;
    int64_t attempt = state == JOB_QUEUED ? h->attempt - 1 : h->attempt;
    if (row.exists && row.state == state && row.attempt == attempt &&
        has_our_token(h, &row))
        return FINAL_STORED; /* a lost reply: it was we */
    h->d->counters.stale_writes++;
    h->cancelled = row.exists && row.state == JOB_CANCELLED;
    return row.exists && job_state_is_final(row.state) ? FINAL_ENDED : FINAL_LOST;
}

/* Over our own running claim, or where none was written over nothing; tried again. */
static int put_over(struct held *h, struct rows_claim *claim, struct jobq_error *err)
{
    struct rows rows = claim_rows_of(h);
    struct retry r;
    char room[JOB_CLAIM_MAX];
    int code;
    claim->over = h->d->options.rows == JOB_ROWS_END ? STR("") : running_claim(h, room);
    claim->token = token_of(h);
    retry_init(&r, h->d->b, &RETRY_CALLS, &h->deadline_ns);
    do {
        code = rows_claim(&rows, h->table, h->body.id, claim, err);
        if (code == JOBQ_NOT_FOUND && claim_makes_rows(h->d) &&
            (code = make_missing(h, err)) == JOBQ_OK)
            code = jobq_fail(err, JOBQ_UNAVAILABLE, "its table was just made");
    } while (code < 0 && retry_again(&r, code));
    h->d->counters.retries += r.tries;
    return code;
}

/* Given back: the attempt does not count. */
static int put_queued(struct held *h, struct jobq_met *met, struct jobq_error *err)
{
    struct rows_claim claim = {
        .state = JOB_QUEUED, .attempt = h->attempt - 1, .met = met};
    return put_over(h, &claim, err);
}

static int put_end(struct held *h, enum job_state state,
                   const struct jobq_work_result *result, struct jobq_met *met,
                   struct jobq_error *err)
{
    char end[110]; /* five numbers */
    struct jobq_attr attr[ROWS_CLAIM_ATTRS];
    int64_t kept;
    int pieces = put_tail(h, result, attr + 1, &kept);
    char *p = end + text_write_int(end, jobq_wall(h->d->b) / JOBQ_NS_PER_MS);
    *p++ = ' ';
    p += text_write_int(p, result->exit_code);
    *p++ = ' ';
    p += text_write_int(p, result->wall_ns);
    *p++ = ' ';
    p += text_write_int(p, result->cpu_ns);
    if (result->printed_bytes > kept) {
        *p++ = ' ';
        p += text_write_int(p, result->printed_bytes);
    }
    attr[0] = (struct jobq_attr){STR("end"), {end, p - end}, true};
    struct rows_claim claim = {.state = state,
                               .attempt = h->attempt,
                               .attr = attr,
                               .met = met,
                               .attr_count = 1 + pieces};
    return put_over(h, &claim, err);
}

enum final_outcome final_put(struct held *h, enum job_state state,
                             const struct jobq_work_result *result,
                             struct jobq_error *err)
{
    struct jobq_met met = {.arena = &h->batch->strings};
    int code = state == JOB_QUEUED ? put_queued(h, &met, err)
                                   : put_end(h, state, result, &met, err);
    if (code == JOBQ_OK)
        return FINAL_STORED;
    return code == JOBQ_CONFLICT ? look_at_end(h, state, &met, err) : FINAL_FAILED;
}
