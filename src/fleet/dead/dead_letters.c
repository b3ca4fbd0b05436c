/* dead_letters.c - the dead-letter queue. See fleet/dead/dead_letters.h. */
#include "fleet/dead/dead_letters.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/text.h"
#include "fleet/enqueue/queues.h"
#include "fleet/port/retry.h"
#include "fleet/port/scratch.h"
#include "fleet/rows/rows.h"
#include "jobq/units.h"

#include <assert.h>
#include <string.h>

#define HIDE_NS JOBQ_NS_PER_MIN
#define RETRY_FOR_NS (2 * JOBQ_NS_PER_MIN)
/* STALE_MAX: so many receives in a row that bring nothing new end a scan. */
enum { LOOKS_MAX = 8, STALE_MAX = 3, BUCKETS = 1024 };

struct seen;

/* The id of a message that came already, or of a job that was sent again. */
struct known {
    struct known *next; /* of its bucket */
    struct jobq_str id;
};

struct scan {
    struct jobq_backend *b;
    struct jobq_str queue_name;
    int queue, dead;
    struct scratch *kept; /* receipts of letters that stay */
    struct seen *seen;
    struct known **known;    /* BUCKETS */
    int stale;               /* receives in a row that brought nothing new */
    struct scratch *scratch; /* of one receive */
    char token[17];
    int64_t sequence;
    int64_t deadline_ns;
};

struct letter {
    struct scan *s;
    const struct jobq_message *message;
    struct job_body body; /* id.ptr NULL: no job */
    int table;
    struct job_row row;
    bool unreadable; /* the row; the letter stays, for a person to look at */
};

static int start(struct scan *s, struct jobq_backend *b, const char *queue,
                 struct jobq_error *err)
{
    if (job_queue_name_check(queue, err) < 0)
        return err->code;
    *s = (struct scan){.b = b, .queue_name = str_of(queue), .queue = -1};
    text_write_hex64(s->token, jobq_bits(b));
    int code = queues_open_dead(b, queue, false, &s->dead, err);
    if (code < 0)
        return code;
    s->kept = scratch_take(b);
    s->scratch = scratch_take(b);
    s->known = arena_zalloc(&s->kept->arena, BUCKETS * sizeof *s->known);
    return JOBQ_OK;
}

static void dead_end(struct scan *s)
{
    scratch_give(s->b, s->kept);
    scratch_give(s->b, s->scratch);
}

static void new_deadline(struct scan *s, struct retry *r)
{
    s->deadline_ns = jobq_now(s->b) + RETRY_FOR_NS;
    retry_init(r, s->b, &RETRY_CALLS, &s->deadline_ns);
}

static int receive(struct scan *s, struct jobq_message *out, struct jobq_error *err)
{
    struct jobq_receive options = {
        .max = JOBQ_BATCH_MAX, .wait_ns = JOBQ_NS_PER_S, .visibility_ns = HIDE_NS};
    struct retry r;
    int count;
    new_deadline(s, &r);
    arena_reset(&s->scratch->arena);
    do
        count = jobq_queue_receive(s->b, s->dead, &options, &s->scratch->arena, out, err);
    while (count < 0 && retry_again(&r, count));
    return count;
}

static struct rows dead_rows_of(struct scan *s)
{
    s->deadline_ns = jobq_now(s->b) + RETRY_FOR_NS;
    return (struct rows){s->b, &s->deadline_ns, NULL};
}

static int dead_read_row(struct letter *l, struct jobq_error *err)
{
    struct jobq_item item;
    struct rows rows = dead_rows_of(l->s);
    int code = rows_read(&rows, l->table, l->body.id, ROWS_CLAIM, &l->s->scratch->arena,
                         &item, &l->row, err);
    return code == JOBQ_NOT_FOUND ? JOBQ_OK : code; /* no table: no row */
}

/* Reads the letter's job and, with a store, its row. */
static int read_letter(struct scan *s, const struct jobq_message *message,
                       struct letter *l, struct jobq_error *err)
{
    struct jobq_error unreadable;
    *l = (struct letter){.s = s, .message = message};
    if (job_body_read(message->body, message->phantom_bytes, &l->body, &unreadable) < 0) {
        l->body.id = (struct jobq_str){0};
        return JOBQ_OK;
    }
    if (!s->b->store)
        return JOBQ_OK;
    l->table = rows_table(s->b, &l->body.id_parts, err);
    if (l->table < 0)
        return l->table;
    int code = dead_read_row(l, &unreadable);
    if (code == JOBQ_CORRUPT) {
        l->unreadable = true;
        l->row = (struct job_row){0};
        return JOBQ_OK;
    }
    if (code < 0)
        *err = unreadable;
    return code;
}

/* Writes a claim of our own in that state over the one that was read. */
static int put_state(struct letter *l, int64_t attempt, enum job_state state,
                     struct jobq_error *err)
{
    struct scan *s = l->s;
    char token[JOB_TOKEN_MAX];
    memcpy(token, s->token, 16);
    token[16] = '.';
    int len = 17 + text_write_int(token + 17, ++s->sequence);
    struct rows rows = {.b = s->b};
    struct rows_claim claim = {
        .over = l->row.claim, .state = state, .attempt = attempt, .token = {token, len}};
    return rows_claim(&rows, l->table, l->body.id, &claim, err);
}

/* Brings a row to `state` unless `leave` says that it is to be left. Looks again when
 * somebody else wrote; a lost reply shows as the state wanted. */
static int move_row(struct letter *l, enum job_state state, bool forget,
                    bool (*leave)(const struct job_row *row), struct jobq_error *err)
{
    struct retry r;
    int code = JOBQ_OK;
    new_deadline(l->s, &r);
    for (int looks = 0; looks < LOOKS_MAX; looks++) {
        if (!l->row.exists || leave(&l->row))
            return JOBQ_OK;
        code = put_state(l, forget ? 0 : l->row.attempt, state, err);
        if (code == JOBQ_OK) {
            l->row.state = state;
            return JOBQ_OK;
        }
        if (code != JOBQ_CONFLICT && !retry_again(&r, code))
            return code;
        int read = dead_read_row(l, err);
        if (read < 0)
            return read;
    }
    return code;
}

static bool has_ended(const struct job_row *row)
{
    return job_state_is_final(row->state);
}

static bool needs_no_chance(const struct job_row *row)
{
    return row->state == JOB_DONE || row->state == JOB_CANCELLED ||
           row->state == JOB_QUEUED;
}

/* ---- showing ------------------------------------------------------------------------- */

static void unhide(struct scan *s, const struct jobq_str *receipt, int count)
{
    struct jobq_visibility_change change[JOBQ_BATCH_MAX];
    struct jobq_entry_result result[JOBQ_BATCH_MAX];
    struct jobq_error err;
    for (int i = 0; i < count; i++)
        change[i] = (struct jobq_visibility_change){receipt[i], 0};
    /* Not tried again: they come back by themselves in a minute. */
    jobq_queue_set_visibility(s->b, s->dead, change, count, result, &err);
}

static int tell(const struct letter *l, bool sent, dead_letter_fn *each, void *ctx)
{
    if (!each)
        return 0;
    struct dead_letter letter = {
        .job_id = l->body.id.ptr ? l->body.id : STR("-"),
        .kind = l->body.kind,
        .sent_wall_ns = l->message->sent_wall_ns,
        .message_id = l->message->id,
        .body_bytes = l->message->body.len + l->message->phantom_bytes,
        .state = l->row.exists ? l->row.state : JOB_DEAD,
        .row_exists = l->row.exists,
        .row_unreadable = l->unreadable,
        .sent = sent,
    };
    return each(ctx, &letter);
}

/* A job may have two messages, after a send or a delete whose reply was lost. That one of them
 * is a dead letter says nothing of the job while it runs, or waits to be tried again, under the
 * other. */
static bool has_another(const struct letter *l)
{
    return l->row.exists && l->row.claim.len > 0 && !job_state_is_final(l->row.state) &&
           !str_eq(l->row.message_id, l->message->id);
}

static int dead_show(struct letter *l, dead_letter_fn *each, void *ctx,
                     struct jobq_error *err)
{
    bool has_row = l->body.id.ptr && l->s->b->store && !l->unreadable;
    int code = has_row && !has_another(l) ? move_row(l, JOB_DEAD, false, has_ended, err)
                                          : JOBQ_OK;
    if (code < 0)
        return code;
    return tell(l, false, each, ctx) ? 1 : 0;
}

/* Receipts of letters that stay, to be unhidden at the end: ten at a time, in a list. */
struct seen {
    struct seen *next;
    struct jobq_str receipt[JOBQ_BATCH_MAX];
    int count;
};

static void keep(struct scan *s, struct jobq_str receipt)
{
    if (!s->seen || s->seen->count == JOBQ_BATCH_MAX) {
        struct seen *page = arena_zalloc(&s->kept->arena, sizeof *page);
        page->next = s->seen;
        s->seen = page;
    }
    s->seen->receipt[s->seen->count++] = arena_str(&s->kept->arena, receipt);
}

static struct known **bucket_of(const struct scan *s, struct jobq_str id)
{
    return &s->known[hash_add(HASH_START, id.ptr, (size_t)id.len) % BUCKETS];
}

static bool is_known(const struct scan *s, struct jobq_str id)
{
    for (const struct known *k = *bucket_of(s, id); k; k = k->next)
        if (str_eq(k->id, id))
            return true;
    return false;
}

static void remember(struct scan *s, struct jobq_str id)
{
    struct known **bucket = bucket_of(s, id);
    struct known *k = arena_alloc(&s->kept->arena, sizeof *k);
    *k = (struct known){*bucket, arena_str(&s->kept->arena, id)};
    *bucket = k;
}

/* A scan that takes longer than letters stay hidden receives them again: they are listed once, and
 * it ends. */
static bool is_new(struct scan *s, struct jobq_str message_id)
{
    if (is_known(s, message_id))
        return false;
    remember(s, message_id);
    s->stale = 0;
    return true;
}

static void unhide_kept(struct scan *s)
{
    for (; s->seen; s->seen = s->seen->next)
        unhide(s, s->seen->receipt, s->seen->count);
}

int64_t dead_scan(struct jobq_backend *b, const char *queue, dead_letter_fn *each,
                  void *ctx, struct jobq_error *err)
{
    assert(b && queue && err);
    struct scan s;
    struct jobq_message message[JOBQ_BATCH_MAX];
    int64_t total = 0;
    int code = start(&s, b, queue, err);
    if (code < 0)
        return code;
    while (code == JOBQ_OK && s.stale < STALE_MAX) {
        int count = code = receive(&s, message, err);
        if (count <= 0)
            break;
        s.stale++;
        for (int i = 0; i < count; i++)
            keep(&s, message[i].receipt);
        code = JOBQ_OK;
        for (int i = 0; i < count && code == JOBQ_OK; i++) {
            struct letter letter;
            if (!is_new(&s, message[i].id))
                continue;
            code = read_letter(&s, &message[i], &letter, err);
            if (code == JOBQ_OK)
                code = dead_show(&letter, each, ctx, err);
            total += code >= 0;
        }
    }
    unhide_kept(&s);
    dead_end(&s);
    return code < 0 ? code : total;
}

int64_t dead_hidden(struct jobq_backend *b, const char *queue, struct jobq_error *err)
{
    assert(b && queue && err);
    struct jobq_queue_depth depth;
    struct scan s = {.b = b};
    struct retry r;
    int code = queues_open_dead(b, queue, false, &s.dead, err);
    if (code < 0)
        return code;
    new_deadline(&s, &r);
    do
        code = jobq_queue_depth(b, s.dead, &depth, err);
    while (code < 0 && retry_again(&r, code));
    return code < 0 ? code : depth.in_flight;
}

/* ---- another chance ------------------------------------------------------------------ */

static int dead_send_again(struct letter *l, struct jobq_error *err)
{
    struct scan *s = l->s;
    struct jobq_outgoing message = {.body = l->message->body,
                                    .phantom_bytes = l->message->phantom_bytes};
    int code;
    s->deadline_ns = jobq_now(s->b) + RETRY_FOR_NS;
    return queues_send(s->b, s->queue, &message, 1, &s->deadline_ns, &code, NULL, err);
}

static int delete_letter(struct letter *l, struct jobq_error *err)
{
    struct scan *s = l->s;
    struct jobq_entry_result result = {0};
    struct retry r;
    int code;
    new_deadline(s, &r);
    do
        code = jobq_queue_remove(s->b, s->dead, &l->message->receipt, 1, &result, err);
    while (code < 0 && retry_again(&r, code));
    return code;
}

/* Returns 1 if it was sent, 0 if it was only deleted or stays, or an error. */
static int redrive_one(struct letter *l, struct jobq_error *err)
{
    if (!l->body.id.ptr || l->unreadable) {
        keep(l->s, l->message->receipt); /* for a person to look at */
        return 0;
    }
    bool send = !l->s->b->store || !l->row.exists || !needs_no_chance(&l->row) ||
                l->row.state == JOB_QUEUED;
    int code = JOBQ_OK;
    if (l->s->b->store && send)
        code = move_row(l, JOB_QUEUED, true, needs_no_chance, err);
    if (code == JOBQ_OK && send)
        code = dead_send_again(l, err);
    if (code == JOBQ_OK)
        code = delete_letter(l, err);
    return code < 0 ? code : send;
}

int64_t dead_redrive(struct jobq_backend *b, const char *queue, int64_t max,
                     dead_letter_fn *each, void *ctx, struct jobq_error *err)
{
    assert(b && queue && max >= 0 && err);
    struct scan s;
    struct jobq_message message[JOBQ_BATCH_MAX];
    int64_t sent = 0;
    int code = start(&s, b, queue, err);
    if (code < 0)
        return code;
    code = jobq_queue_open(b, queue, &s.queue, err);
    while (code >= 0 && sent < max && s.stale < STALE_MAX) {
        int count = code = receive(&s, message, err);
        if (count <= 0)
            break;
        s.stale++;
        for (int i = 0; i < count && code >= 0; i++) {
            struct letter letter;
            if (sent >= max) {
                unhide(&s, &message[i].receipt, 1);
                continue;
            }
            if (!is_new(&s, message[i].id)) {
                keep(&s, message[i].receipt);
                continue;
            }
            code = read_letter(&s, &message[i], &letter, err);
            /* A job that was sent in this call and is back already fails each time: it would
             * go round for as long as it fails faster than we look. */
            if (code == JOBQ_OK && letter.body.id.ptr && is_known(&s, letter.body.id)) {
                keep(&s, message[i].receipt);
                continue;
            }
            if (code == JOBQ_OK)
                code = redrive_one(&letter, err);
            if (code > 0)
                remember(&s, letter.body.id);
            sent += code > 0;
            if (code >= 0 && tell(&letter, code > 0, each, ctx))
                max = sent;
        }
    }
    unhide_kept(&s);
    dead_end(&s);
    return code < 0 ? code : sent;
}
