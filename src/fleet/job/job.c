/* job.c - ids, names, states and the reading of a client's pairs. See job.h; the
 * encodings are in encoding.c and the rows in row.c. */
#include "fleet/job/job.h"

#include "base/text.h"
#include "jobq/units.h"

#include <assert.h>
#include <string.h>

enum { COUNTER_BITS = 20, COUNTER_MASK = (1 << COUNTER_BITS) - 1 };

const char *job_state_name(enum job_state state)
{
    static const char *const names[JOB_STATE_COUNT] = {"queued", "running", "done",
                                                       "failed", "dead",    "cancelled"};
    assert(state >= 0 && state < JOB_STATE_COUNT);
    return names[state];
}

bool job_state_parse(struct jobq_str text, enum job_state *out)
{
    for (int i = 0; i < JOB_STATE_COUNT; i++)
        if (str_is(text, job_state_name((enum job_state)i))) {
            *out = (enum job_state)i;
            return true;
        }
    return false;
}

int job_claim_write(enum job_state state, int64_t attempt, struct jobq_str token,
                    char *out)
{
    assert(token.len > 0 && token.len <= JOB_TOKEN_MAX);
    struct jobq_str name = str_of(job_state_name(state));
    memcpy(out, name.ptr, (size_t)name.len);
    char *p = out + name.len;
    *p++ = ' ';
    p += text_write_int(p, attempt);
    *p++ = '/';
    memcpy(p, token.ptr, (size_t)token.len);
    return (int)(p + token.len - out);
}

bool job_state_is_final(enum job_state state)
{
    return state == JOB_DONE || state == JOB_DEAD || state == JOB_CANCELLED;
}

struct jobq_str job_kind_str(enum jobq_work_kind kind)
{
    return kind == JOBQ_WORK_SLEEP    ? STR("sleep")
           : kind == JOBQ_WORK_PRIMES ? STR("primes")
                                      : STR("exec");
}

const char *job_kind_name(enum jobq_work_kind kind)
{
    return job_kind_str(kind).ptr;
}

bool job_kind_parse(struct jobq_str text, enum jobq_work_kind *out)
{
    if (str_is(text, "sleep"))
        *out = JOBQ_WORK_SLEEP;
    else if (str_is(text, "primes"))
        *out = JOBQ_WORK_PRIMES;
    else if (str_is(text, "exec"))
        *out = JOBQ_WORK_EXEC;
    else
        return false;
    return true;
}

/* ---- names --------------------------------------------------------------------------- ---- */

static bool is_fifo(const char *queue, size_t len)
{
    return len > 5 && memcmp(queue + len - 5, ".fifo", 5) == 0;
}

int job_visibility_check(int64_t visibility_ns, struct jobq_error *err)
{
    char shown[32];
    if (visibility_ns >= JOB_VISIBILITY_MIN_NS && visibility_ns <= JOB_VISIBILITY_MAX_NS)
        return JOBQ_OK;
    return jobq_fail(
        err, JOBQ_LIMIT,
        "visibility timeout '%s' is out of range, want " JOB_VISIBILITY_MIN_TEXT
        " to " JOB_VISIBILITY_MAX_TEXT,
        jobq_format_duration(visibility_ns, shown, sizeof shown));
}

int job_queue_name_check(const char *queue, struct jobq_error *err)
{
    size_t len = strlen(queue);
    char shown[100];
    text_escape(queue, (int64_t)len, shown, sizeof shown);
    if (len == 0)
        return jobq_fail(err, JOBQ_INVALID, "empty queue name");
    if (len > JOB_QUEUE_NAME_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "queue name '%s' is longer than %d characters",
                         shown, JOB_QUEUE_NAME_MAX);
    size_t letters = is_fifo(queue, len) ? len - 5 : len;
    for (size_t i = 0; i < letters; i++) {
        char c = queue[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (!good)
            return jobq_fail(err, JOBQ_INVALID,
                             "queue name '%s' has more than letters, digits, '-' and '_'",
                             shown);
    }
    return JOBQ_OK;
}

void job_dead_queue_name(const char *queue, char *out)
{
    size_t len = strlen(queue);
    assert(len <= JOB_QUEUE_NAME_MAX);
    size_t stem = is_fifo(queue, len) ? len - 5 : len;
    memcpy(out, queue, stem);
    memcpy(out + stem, "-dead", 5);
    memcpy(out + stem + 5, queue + stem, len - stem + 1);
}

/* ---- ids ----------------------------------------------------------------------------- */

void job_ids_init(struct job_ids *ids, struct jobq_str queue, uint64_t bits)
{
    *ids = (struct job_ids){.queue = queue, .process = bits & ((1 << 30) - 1)};
}

int job_ids_next(struct job_ids *ids, int64_t wall_ns, int day, int shard, char *out)
{
    uint64_t now = (uint64_t)(wall_ns / JOBQ_NS_PER_MS) << COUNTER_BITS;
    uint64_t next = ids->last + 1;
    if (now >> COUNTER_BITS > next >> COUNTER_BITS)
        next = now | (next & COUNTER_MASK);
    ids->last = next;

    memcpy(out, ids->queue.ptr, (size_t)ids->queue.len);
    char *p = out + ids->queue.len;
    *p = '-';
    text_digits_write(p + 1, next, 13);
    text_digits_write(p + 14, (uint64_t)day, 3);
    text_digits_write(p + 17, (uint64_t)shard, 2);
    text_digits_write(p + 19, ids->process, 6);
    p[25] = '\0';
    return (int)ids->queue.len + JOB_ID_SUFFIX;
}

int job_id_floor(struct jobq_str queue, int64_t wall_ns, char *out)
{
    memcpy(out, queue.ptr, (size_t)queue.len);
    char *p = out + queue.len;
    *p = '-';
    text_digits_write(p + 1, (uint64_t)(wall_ns / JOBQ_NS_PER_MS) << COUNTER_BITS, 13);
    p[14] = '\0';
    return (int)queue.len + 14;
}

int job_id_parse(struct jobq_str id, struct job_id_parts *out, struct jobq_error *err)
{
    /* 13 digits of time and counter, 3 of the day, 2 of the shard, 6 of the process. */
    uint64_t at, day, shard, process;
    int64_t queue_bytes = id.len - JOB_ID_SUFFIX;
    const char *p = id.ptr && queue_bytes >= 1 ? id.ptr + queue_bytes : NULL;
    if (!p || queue_bytes > JOBQ_QUEUE_NAME_MAX || p[0] != '-' ||
        !text_digits_read(p + 1, 13, &at) || !text_digits_read(p + 14, 3, &day) ||
        !text_digits_read(p + 17, 2, &shard) || !text_digits_read(p + 19, 6, &process)) {
        char shown[120];
        text_escape(id.ptr ? id.ptr : "", id.ptr ? id.len : 0, shown, sizeof shown);
        return jobq_fail(err, JOBQ_INVALID, "'%s' is not a job id", shown);
    }
    out->queue = (struct jobq_str){id.ptr, queue_bytes};
    out->created_ms = (int64_t)(at >> COUNTER_BITS);
    out->day = (int)day;
    out->shard = (int)shard;
    return JOBQ_OK;
}

int job_day(int64_t wall_ns)
{
    return (int)(wall_ns / JOBQ_NS_PER_DAY);
}

/* ---- a client's pairs ---------------------------------------------------------------- */

/* "12" and "0.25" without a detour; everything else as a duration. */
static int read_seconds(struct jobq_str text, int64_t *out_ns, struct jobq_error *err)
{
    int64_t whole = 0, nanos = 0;
    int64_t i = 0;
    for (; i < text.len && i < 9 && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
        whole = 10 * whole + (text.ptr[i] - '0');
    bool plain = i > 0;
    if (plain && i < text.len && text.ptr[i] == '.') {
        int64_t unit = JOBQ_NS_PER_S / 10;
        for (i++; i < text.len && unit > 0 && text.ptr[i] >= '0' && text.ptr[i] <= '9';
             i++) {
            nanos += unit * (text.ptr[i] - '0');
            unit /= 10;
        }
    }
    if (plain && i == text.len) {
        *out_ns = whole * JOBQ_NS_PER_S + nanos;
        return JOBQ_OK;
    }
    char copy[64];
    if (text.len >= (int64_t)sizeof copy || memchr(text.ptr, 0, (size_t)text.len))
        return jobq_fail(err, JOBQ_INVALID, "malformed duration");
    memcpy(copy, text.ptr, (size_t)text.len);
    copy[text.len] = '\0';
    return jobq_parse_duration(copy, out_ns, err);
}

static int read_count(struct jobq_str text, int64_t *out, struct jobq_error *err)
{
    if (str_to_int(text, out))
        return JOBQ_OK;
    char copy[64];
    if (text.len >= (int64_t)sizeof copy || memchr(text.ptr, 0, (size_t)text.len))
        return jobq_fail(err, JOBQ_INVALID, "malformed count");
    memcpy(copy, text.ptr, (size_t)text.len);
    copy[text.len] = '\0';
    return jobq_parse_count(copy, out, err);
}

static int name_check(const struct job_pair *pair, struct jobq_error *err)
{
    if (!pair->name.ptr || pair->name.len == 0)
        return jobq_fail(err, JOBQ_INVALID, "empty name of a pair");
    if (pair->name.len > JOB_NAME_BYTES_MAX) {
        char shown[60];
        text_escape(pair->name.ptr, pair->name.len, shown, sizeof shown);
        return jobq_fail(err, JOBQ_LIMIT, "name '%s' is longer than %d bytes", shown,
                         JOB_NAME_BYTES_MAX);
    }
    return JOBQ_OK;
}

static int twice(struct jobq_str name, struct jobq_error *err)
{
    char shown[100];
    text_escape(name.ptr, name.len, shown, sizeof shown);
    return jobq_fail(err, JOBQ_INVALID, "name '%s' is given twice", shown);
}

static int read_numbers(struct jobq_str seconds, struct jobq_str n, struct job_spec *out,
                        struct jobq_error *err)
{
    if (seconds.ptr) {
        if (out->kind != JOBQ_WORK_SLEEP)
            return jobq_fail(err, JOBQ_INVALID,
                             "'seconds' belongs to kind 'sleep', not '%s'",
                             job_kind_name(out->kind));
        if (read_seconds(seconds, &out->number, err) < 0)
            return jobq_wrap(err, "'seconds'");
        if (out->number > JOB_SLEEP_MAX_NS)
            return jobq_fail(err, JOBQ_LIMIT, "'seconds' is over 100 years");
    }
    if (n.ptr) {
        if (out->kind != JOBQ_WORK_PRIMES)
            return jobq_fail(err, JOBQ_INVALID, "'n' belongs to kind 'primes', not '%s'",
                             job_kind_name(out->kind));
        if (read_count(n, &out->number, err) < 0)
            return jobq_wrap(err, "'n'");
        if (out->number < 0)
            return jobq_fail(err, JOBQ_INVALID, "'n' is negative");
    }
    return JOBQ_OK;
}

/* Without a kind the words must leave no doubt: a job that says "done" while the command
 * that its author meant never ran is worse than one that is refused. */
static int guess_kind(struct jobq_str seconds, struct jobq_str n,
                      const struct job_pair *payload, int payload_count,
                      struct job_spec *out, struct jobq_error *err)
{
    char shown[60];
    out->kind = payload_count > 0 ? JOBQ_WORK_EXEC
                : n.ptr           ? JOBQ_WORK_PRIMES
                                  : JOBQ_WORK_SLEEP;
    if (payload_count == 0 || (!seconds.ptr && !n.ptr))
        return JOBQ_OK;
    text_escape(payload[0].name.ptr, payload[0].name.len, shown, sizeof shown);
    return jobq_fail(err, JOBQ_INVALID,
                     "no kind, but '%s' means kind '%s' and '%s' means 'exec'; give kind",
                     seconds.ptr ? "seconds" : "n", seconds.ptr ? "sleep" : "primes",
                     shown);
}

int job_spec_read(const struct job_pair *pair, int pair_count, struct job_pair *payload,
                  struct job_spec *out, struct jobq_error *err)
{
    struct jobq_str kind = {0}, seconds = {0}, n = {0};
    int payload_count = 0, phantoms = 0;
    if (pair_count > JOB_PAIRS_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "%d pairs exceed the limit of %d a job",
                         pair_count, JOB_PAIRS_MAX);
    for (int i = 0; i < pair_count; i++) {
        struct jobq_str name = pair[i].name;
        if (name_check(&pair[i], err) < 0)
            return err->code;
        struct jobq_str *slot = str_is(name, "kind")      ? &kind
                                : str_is(name, "seconds") ? &seconds
                                : str_is(name, "n")       ? &n
                                                          : NULL;
        if (slot) {
            if (slot->ptr)
                return twice(name, err);
            if (!pair[i].value.ptr)
                return jobq_fail(err, JOBQ_INVALID, "a reserved name has no value");
            *slot = pair[i].value;
            continue;
        }
        for (int k = 0; k < payload_count; k++)
            if (str_eq(payload[k].name, name))
                return twice(name, err);
        phantoms += !pair[i].value.ptr && pair[i].value.len > 0;
        if (phantoms > 1)
            return jobq_fail(err, JOBQ_INVALID, "more than one phantom value");
        payload[payload_count++] = pair[i];
    }
    *out = (struct job_spec){.pair = payload, .pair_count = payload_count};
    if (!kind.ptr && guess_kind(seconds, n, payload, payload_count, out, err) < 0)
        return err->code;
    if (kind.ptr && !job_kind_parse(kind, &out->kind)) {
        char shown[60];
        text_escape(kind.ptr, kind.len, shown, sizeof shown);
        return jobq_fail(err, JOBQ_INVALID,
                         "unknown kind '%s'; it is sleep, primes or exec", shown);
    }
    return read_numbers(seconds, n, out, err);
}
