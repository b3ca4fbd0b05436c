/* claim.c - may this process run this job, and may it say how it ended?
 *
 * Room:     src/fleet, private to the drainer.
 * Blocks:   at store calls, tried again until h->deadline_ns.
 *
 * SimpleDB's conditional put takes one expected attribute, so `claim` carries state, attempt
 * and owner together (fleet/job/job.h says why that is safe). The first attempt expects it
 * absent and reads nothing; every other one expects exactly what it read. A condition that
 * fails after a lost reply may have failed on our own write: the row is read, and one's own
 * claim there means success.
 *
 * Whose message it is decides a running row: the claiming message delivered again says that
 * its visibility ran out, and is taken over as attempt + 1; another message of the job waits
 * until it finds the job ended. */
#include "base/text.h"
#include "fleet/drain/parts.h"
#include "jobq/units.h"

#include <assert.h>
#include <string.h>

/* Of a message id: SQS's own bound (developer guide, queue and message identifiers: at most
 * 100 characters). */
enum { LOOKS_MAX = 16, MESSAGE_ID_MAX = 100, RUN_BYTES = MESSAGE_ID_MAX + 64 };

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

/* h's claim as it is in a state, in room of JOB_CLAIM_MAX bytes. */
static struct jobq_str claim_of(const struct held *h, enum job_state state,
                                int64_t attempt, char *room)
{
    struct jobq_str token = {h->token, h->token_bytes};
    return (struct jobq_str){room, job_claim_write(state, attempt, token, room)};
}

static bool is_ours(const struct held *h, const struct job_row *row)
{
    return h->token_bytes > 0 &&
           str_eq(row->token, (struct jobq_str){h->token, h->token_bytes});
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

/* What a first claim expects. */
static const struct jobq_expect NO_CLAIM = {.name = {"claim", 5}, .value = {"", 0}};

static int put_claimed(struct held *h, const struct jobq_expect *expect,
                       struct jobq_error *err)
{
    struct drainer *d = h->d;
    char run[RUN_BYTES], claim[JOB_CLAIM_MAX];
    char *p = run + text_write_int(run, jobq_wall(d->b) / JOBQ_NS_PER_MS);
    *p++ = ' ';
    p = put_word(p, d->box);
    *p++ = ' ';
    p = put_word(p, message_id(h));
    const struct jobq_attr attr[JOB_CLAIM_N] = {
        {STR("claim"), claim_of(h, JOB_RUNNING, h->attempt, claim), true},
        {STR("run"), {run, p - run}, true},
    };
    const struct jobq_item item = {h->body.id, attr, JOB_CLAIM_N};
    return jobq_store_put(d->b, h->domain, &item, expect, err);
}

int claim_read_row(struct held *h, struct jobq_item *item, struct job_row *row,
                   struct jobq_error *err)
{
    struct drainer *d = h->d;
    struct retry r;
    retry_init(&r, d->b, &RETRY_CALLS, &h->deadline_ns);
    int code;
    *item = (struct jobq_item){.name = h->body.id};
    do
        code = jobq_store_get(d->b, h->domain, h->body.id, NULL, 0, true,
                              &h->batch->strings, item, err);
    while (code < 0 && retry_again(&r, code));
    d->counters.retries += r.tries;
    return code < 0 ? code : job_row_read(item, row, err);
}

/* ---- the claim ----------------------------------------------------------------------- */

/* Every attempt that was allowed has been taken: the row says dead, under a claim of its own,
 * so that none of those attempts can still report. */
static int put_exhausted(struct held *h, const struct job_row *row,
                         struct jobq_error *err)
{
    struct drainer *d = h->d;
    char end[64], claim[JOB_CLAIM_MAX];
    char *p = end + text_write_int(end, jobq_wall(d->b) / JOBQ_NS_PER_MS);
    p = put_word(p, STR(" -1 0 0"));
    const struct jobq_attr attr[2] = {
        {STR("claim"), claim_of(h, JOB_DEAD, row->attempt, claim), true},
        {STR("end"), {end, p - end}, true},
    };
    struct jobq_expect expect = {
        .name = STR("claim"), .value = row->claim, .exists = true};
    return jobq_store_put(d->b, h->domain, &(struct jobq_item){h->body.id, attr, 2},
                          &expect, err);
}

enum verdict { TAKE, GIVE_UP_ON, SETTLED };

/* What a row says about its message. TAKE: claim it as attempt + 1 over row->claim. */
static enum verdict judge(const struct held *h, const struct job_row *row,
                          enum claim_outcome *out)
{
    const struct drainer *d = h->d;
    *out = CLAIM_OURS;
    if (!row->exists)
        *out = CLAIM_ORPHAN;
    else if (row->state == JOB_DEAD)
        *out = CLAIM_DEAD;
    else if (job_state_is_final(row->state))
        *out = CLAIM_ENDED;
    else if (row->state == JOB_RUNNING && is_ours(h, row))
        *out = CLAIM_OURS; /* a lost reply: it was we */
    else if (row->state == JOB_RUNNING && !str_eq(row->message_id, message_id(h)))
        *out = CLAIM_ELSEWHERE;
    else
        return row->attempt >= d->options.max_attempts ? GIVE_UP_ON : TAKE;
    return SETTLED;
}

/* Reads the row and does what it says, once. Returns JOBQ_OK with *out, JOBQ_CONFLICT when
 * the row has changed in between, or the store's failure. */
static int look(struct held *h, enum claim_outcome *out, enum job_state *out_state,
                struct jobq_error *err)
{
    struct jobq_item item;
    struct job_row row;
    int code = claim_read_row(h, &item, &row, err);
    if (code < 0)
        return code;
    *out_state = row.state;
    enum verdict verdict = judge(h, &row, out);
    if (verdict == SETTLED) {
        h->attempt = (int32_t)row.attempt;
        return JOBQ_OK;
    }
    if (verdict == GIVE_UP_ON) {
        *out = CLAIM_DEAD;
        *out_state = JOB_DEAD;
        code = put_exhausted(h, &row, err);
        if (code == JOBQ_OK) {
            h->d->counters.dead++;
            h->d->b->ledger->jobs++;
        }
        return code;
    }
    struct jobq_expect over = {
        .name = STR("claim"), .value = row.claim, .exists = row.claim.len > 0};
    h->attempt = (int32_t)row.attempt + 1;
    code = put_claimed(h, &over, err);
    if (code == JOBQ_OK && row.state == JOB_RUNNING)
        h->d->counters.takeovers++;
    return code;
}

/* A domain that was just made may not be seen everywhere yet. */
enum { DOMAIN_TRIES = 5 };

/* Makes a missing domain if the drainer may (--create), and waits. False: enough. */
static bool await_domain(struct held *h, struct retry *r)
{
    struct drainer *d = h->d;
    char name[JOB_DOMAIN_MAX + 1];
    struct jobq_error err;
    int code = JOBQ_OK;
    if (d->options.create) {
        job_domain_name(d->queue_name, h->body.id_parts.day, h->body.id_parts.shard,
                        name);
        code = jobq_store_create_domain(d->b, name, &err);
        refusal_check(d, code, &err);
    }
    if (r->tries >= DOMAIN_TRIES || d->fatal.code != JOBQ_OK ||
        (code < 0 && !jobq_code_is_retryable(code)))
        return false;
    d->counters.retries++;
    return retry_again(r, JOBQ_THROTTLED);
}

/* Goes on from the code of a first put until it is known whose the job is. */
static enum claim_outcome claim_on(struct held *h, int code, enum job_state *out_state,
                                   struct jobq_error *err)
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
            if (!await_domain(h, &r))
                return CLAIM_NO_DOMAIN;
            read = false;
            h->attempt = 1;
            code = put_claimed(h, &NO_CLAIM, err);
            continue;
        }
        if (code == JOBQ_CONFLICT)
            read = true;
        else if (!retry_again(&r, code))
            return CLAIM_LEAVE;
        d->counters.retries += code != JOBQ_CONFLICT;
        if (looks >= LOOKS_MAX)
            return CLAIM_LEAVE;
        code = read ? look(h, &out, out_state, err) : put_claimed(h, &NO_CLAIM, err);
    }
}

enum claim_outcome claim_take(struct held *h, enum job_state *out_state,
                              struct jobq_error *err)
{
    *out_state = JOB_RUNNING;
    /* A message that came before has most likely a claim already: reading first saves a put
     * that is billed although its condition fails. */
    new_token(h);
    if (h->message.receive_count > 1)
        return claim_on(h, JOBQ_CONFLICT, out_state, err);
    h->attempt = 1;
    int code = put_claimed(h, &NO_CLAIM, err);
    return code == JOBQ_OK ? CLAIM_OURS : claim_on(h, code, out_state, err);
}

int progress_put(const struct held *h, struct jobq_error *err)
{
    struct drainer *d = h->d;
    /* The attempt may end, and change its claim, while this call is under way. */
    char room[JOB_CLAIM_MAX], value[JOB_CLAIM_MAX];
    struct jobq_str claim = claim_of(h, JOB_RUNNING, h->attempt, room);
    char *p = value + text_write_int(value, h->attempt);
    *p++ = '/';
    p = put_word(p, (struct jobq_str){h->token, h->token_bytes});
    *p++ = ' ';
    p += text_write_int(p, h->progress);
    const struct jobq_attr attr = {STR("progress"), {value, p - value}, true};
    struct jobq_expect expect = {.name = STR("claim"), .value = claim, .exists = true};
    return jobq_store_put(d->b, h->domain, &(struct jobq_item){h->body.id, &attr, 1},
                          &expect, err);
}

/* ---- the end ------------------------------------------------------------------------- */

/* The last output that fits JOB_TAIL_PIECES attributes, cut into them. Returns how many. */
static int put_tail(struct held *h, const struct jobq_work_result *result,
                    struct jobq_attr *attr)
{
    static const char names[JOB_TAIL_PIECES][6] = {"tail0", "tail1", "tail2", "tail3"};
    struct jobq_str raw = {result->tail, result->tail_bytes};
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
                                      struct jobq_error *err)
{
    struct jobq_item item;
    struct job_row row;
    if (claim_read_row(h, &item, &row, err) < 0)
        return FINAL_FAILED;
    if (row.exists && row.state == state && is_ours(h, &row))
        return FINAL_STORED; /* a lost reply: it was we */
    h->d->counters.stale_writes++;
    h->cancelled = row.exists && row.state == JOB_CANCELLED;
    return row.exists && job_state_is_final(row.state) ? FINAL_ENDED : FINAL_LOST;
}

static int put_again(struct held *h, int code, const struct jobq_item *item,
                     const struct jobq_expect *expect, struct jobq_error *err)
{
    struct drainer *d = h->d;
    struct retry r;
    retry_init(&r, d->b, &RETRY_CALLS, &h->deadline_ns);
    while (code < 0 && retry_again(&r, code))
        code = jobq_store_put(d->b, h->domain, item, expect, err);
    d->counters.retries += r.tries;
    return code;
}

/* Over our own running claim. */
static int put_over(struct held *h, const struct jobq_attr *attr, int attr_count,
                    struct jobq_error *err)
{
    char room[JOB_CLAIM_MAX];
    const struct jobq_item item = {h->body.id, attr, attr_count};
    struct jobq_expect expect = {.name = STR("claim"),
                                 .value = claim_of(h, JOB_RUNNING, h->attempt, room),
                                 .exists = true};
    int code = jobq_store_put(h->d->b, h->domain, &item, &expect, err);
    return code < 0 ? put_again(h, code, &item, &expect, err) : code;
}

/* Given back: the attempt does not count. */
static int put_queued(struct held *h, struct jobq_error *err)
{
    char room[JOB_CLAIM_MAX];
    const struct jobq_attr attr = {STR("claim"),
                                   claim_of(h, JOB_QUEUED, h->attempt - 1, room), true};
    return put_over(h, &attr, 1, err);
}

/* An end whose last output goes with it: end[] and the pieces. */
static int put_with_tail(struct held *h, const struct jobq_attr *end,
                         const struct jobq_work_result *result, struct jobq_error *err)
{
    struct jobq_attr attr[JOB_FINAL_N(JOB_TAIL_PIECES)];
    memcpy(attr, end, JOB_FINAL_N(0) * sizeof *attr);
    int pieces = put_tail(h, result, attr + JOB_FINAL_N(0));
    return put_over(h, attr, JOB_FINAL_N(pieces), err);
}

static int put_end(struct held *h, enum job_state state,
                   const struct jobq_work_result *result, struct jobq_error *err)
{
    char room[JOB_CLAIM_MAX], end[80]; /* four numbers */
    char *p = end + text_write_int(end, jobq_wall(h->d->b) / JOBQ_NS_PER_MS);
    *p++ = ' ';
    p += text_write_int(p, result->exit_code);
    *p++ = ' ';
    p += text_write_int(p, result->wall_ns);
    *p++ = ' ';
    p += text_write_int(p, result->cpu_ns);
    const struct jobq_attr attr[JOB_FINAL_N(0)] = {
        {STR("claim"), claim_of(h, state, h->attempt, room), true},
        {STR("end"), {end, p - end}, true},
    };
    if (result->tail && result->tail_bytes > 0)
        return put_with_tail(h, attr, result, err);
    return put_over(h, attr, JOB_FINAL_N(0), err);
}

enum final_outcome final_put(struct held *h, enum job_state state,
                             const struct jobq_work_result *result,
                             struct jobq_error *err)
{
    int code = state == JOB_QUEUED ? put_queued(h, err) : put_end(h, state, result, err);
    if (code == JOBQ_OK)
        return FINAL_STORED;
    return code == JOBQ_CONFLICT ? look_at_end(h, state, err) : FINAL_FAILED;
}
