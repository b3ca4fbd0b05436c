/* keyed.c - how is a job enqueued once, however often its client says so?
 *
 * Room:     src/fleet, the product; private to the enqueuer.
 *
 * A job's id says where its row is, so the key has a row of its own, which names the id, and is
 * written first, on condition that the key is free. Whoever finds it taken has the same job,
 * and completes what the first may have left undone: the row, on condition that it is not there,
 * so that one client's payload stands; and the message, made from that row, unless the job has
 * been claimed. A message too many is harmless, because a row is claimed once.
 *
 * A key is free again when its job's message cannot be left: after the retention, or the rows'
 * keep where that is shorter. Housekeeping deletes it then; until it does, the next client
 * replaces it. */
#include "base/text.h"
#include "fleet/enqueue/parts.h"
#include "jobq/units.h"

#include <assert.h>
#include <string.h>

/* Looks at a key or row that others change at the same time. */
enum { KEYED_LOOKS_MAX = 10 };

int keyed_check(const struct enqueuer *e, const struct enqueuer_job *job,
                struct jobq_error *err)
{
    if (!job->key.ptr)
        return JOBQ_OK;
    if (job->key.len == 0)
        return jobq_fail(err, JOBQ_INVALID, "key is empty");
    if (job->key.len > JOB_KEY_BYTES_MAX)
        return jobq_fail(err, JOBQ_LIMIT,
                         "key of %lld bytes exceeds the limit of %d bytes",
                         (long long)job->key.len, JOB_KEY_BYTES_MAX);
    if (!e->b->store || e->options.rows == JOB_ROWS_END)
        return jobq_fail(err, JOBQ_INVALID,
                         "a key needs rows that are written at the claim: not rows "
                         "'end' or 'none', nor store 'none'");
    return JOBQ_OK;
}

static struct jobq_str keyed_name(struct enqueue_batch *batch, int i)
{
    struct jobq_str key = batch->job[i]->key;
    char *name = arena_alloc(&batch->scratch, (size_t)(3 * key.len));
    return (struct jobq_str){name, job_escape(key, true, name)};
}

static bool is_over(const struct enqueuer *e, const struct job_id_parts *id)
{
    const struct enqueuer_options *o = &e->options;
    int64_t held_ns = o->retention_ns ? o->retention_ns : QUEUES_RETENTION_NS;
    if (held_ns > o->keep_ns)
        held_ns = o->keep_ns;
    return jobq_wall(e->b) - id->created_ms * JOBQ_NS_PER_MS > held_ns;
}

/* The batch's job i has this id from now on: its key's. */
static void adopt(struct enqueue_batch *batch, int i, struct jobq_str id)
{
    struct enqueuer_job *job = batch->job[i];
    struct jobq_str body = batch->message[i].body;
    char *text = arena_alloc(&batch->scratch, (size_t)body.len);
    assert(id.len == job->id_bytes);
    memcpy(job->id, id.ptr, (size_t)id.len);
    memcpy(text, body.ptr, (size_t)body.len);
    memcpy(text, id.ptr, (size_t)id.len);
    batch->message[i].body.ptr = text;
    batch->keyed[i] = KEYED_FOUND;
}

/* Looks whose the key is. JOBQ_OK: *over is what to replace, or the job was found, or the key is
 * ours already. */
static int key_look(struct enqueuer *e, struct enqueue_batch *batch, int i,
                    struct jobq_str name, struct jobq_str *over, bool *done,
                    struct jobq_error *err)
{
    const struct enqueuer_job *job = batch->job[i];
    struct rows rows = {e->b, &batch->deadline_ns, NULL};
    struct job_id_parts parts;
    int code = rows_key_read(&rows, e->queue_name, name, &batch->scratch, over, err);
    if (code < 0 || over->len == 0)
        return code;
    if (str_eq(*over, (struct jobq_str){job->id, job->id_bytes})) {
        *done = true; /* a lost reply: it was we */
        return JOBQ_OK;
    }
    if (job_id_parse(*over, &parts, err) < 0 || over->len != job->id_bytes)
        return jobq_fail(err, JOBQ_CORRUPT, "the key's row names no job of this queue");
    if (!is_over(e, &parts)) {
        adopt(batch, i, *over);
        *done = true;
    }
    return JOBQ_OK;
}

int keyed_take(struct enqueuer *e, struct enqueue_batch *batch, int i,
               struct jobq_error *err)
{
    const struct enqueuer_job *job = batch->job[i];
    struct jobq_str name = keyed_name(batch, i), over = STR("");
    struct rows rows = {e->b, &batch->deadline_ns, NULL};
    struct retry r;
    bool look = false, done = false;
    int code = JOBQ_OK;
    retry_init(&r, e->b, &RETRY_CALLS, &batch->deadline_ns);
    batch->keyed[i] = KEYED_NEW;
    for (int looks = 0; !done && looks < KEYED_LOOKS_MAX;) {
        code = look ? key_look(e, batch, i, name, &over, &done, err)
                    : rows_key_take(&rows, e->queue_name, name, over,
                                    (struct jobq_str){job->id, job->id_bytes}, err);
        if (code == JOBQ_OK) {
            done = done || !look;
            look = false;
        } else if (code == JOBQ_CONFLICT) {
            look = true;
            looks++;
        } else if (!retry_again(&r, code)) {
            break;
        }
    }
    e->adder.retries += r.tries;
    return done ? JOBQ_OK : code;
}

/* Makes the message of a job whose row is there, from that row. */
static int complete(struct enqueuer *e, struct enqueue_batch *batch, int i,
                    const struct jobq_item *item, const struct job_row *row,
                    struct jobq_error *err)
{
    int64_t delay_ns = batch->message[i].delay_ns;
    if (row->claim.len > 0) {
        batch->silent[i] = true;
        return JOBQ_OK;
    }
    int code = enqueue_row_message(e, batch, item, &batch->message[i], err);
    batch->message[i].delay_ns = delay_ns;
    return code;
}

int keyed_row(struct enqueuer *e, struct enqueue_batch *batch, int i,
              struct jobq_error *err)
{
    struct enqueuer_job *job = batch->job[i];
    struct jobq_str id = {job->id, job->id_bytes};
    struct rows rows = {e->b, &batch->deadline_ns, &e->adder.retries};
    struct jobq_item item;
    struct job_id_parts parts;
    struct job_row row;
    bool look = batch->keyed[i] == KEYED_FOUND;
    if (job_id_parse(id, &parts, err) < 0)
        return err->code;
    int code = JOBQ_CONFLICT, table = rows_table(e->b, &parts, err);
    for (int looks = 0; table >= 0 && looks < KEYED_LOOKS_MAX; looks++) {
        if (look) {
            code = rows_read(&rows, table, id, ROWS_WHOLE, &batch->scratch, &item, &row,
                             err);
            if (code < 0 && code != JOBQ_NOT_FOUND)
                return code;
            if (row.exists)
                return complete(e, batch, i, &item, &row, err);
        }
        if (!e->writes_rows)
            return JOBQ_OK; /* its drainer writes it */
        code = rows_add_new(&e->adder, parts.day, parts.shard, &batch->row[i],
                            &batch->deadline_ns, err);
        if (code != JOBQ_CONFLICT)
            return code;
        look = true;
    }
    return table < 0 ? table : code;
}
