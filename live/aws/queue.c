/* queue.c - the queue port by SQS's JSON protocol.
 *
 * Room:     live. Callers: live/world/live.c.
 * Knows nothing of: the product's messages.
 * Blocks:   each call but abort_receives, on the calling fiber. */
#include "live/aws/aws.h"

#include "base/arena.h"
#include "jobq/units.h"
#include "wire/sqs/sqs_bodies.h"

#include <stdlib.h>

struct one_queue {
    char *url, *arn;
};

struct aws_queue {
    struct jobq_queue port; /* first */
    struct aws *aws;
    struct one_queue *queue;
    int count;
};

static struct aws_queue *self(struct jobq_queue *q)
{
    return (struct aws_queue *)q;
}

static struct jobq_str url_of(struct jobq_queue *q, int queue)
{
    return str_of(self(q)->queue[queue].url);
}

static int check_handle(struct jobq_queue *q, int queue, struct jobq_error *err)
{
    if (queue < 0 || queue >= self(q)->count)
        return jobq_fail(err, JOBQ_INVALID, "no queue has the handle '%d'", queue);
    return JOBQ_OK;
}

/* Arguments and results of all calls; each uses what it needs. */
struct sqs_args {
    const char *name, *dead_arn;
    struct jobq_str url;
    const struct jobq_queue_options *options;
    const struct jobq_outgoing *in;
    const struct jobq_receive *receive;
    const struct jobq_str *receipt;
    const struct jobq_visibility_change *change;
    int count;
    /* results */
    struct digest *digest;
    struct arena *arena;
    struct jobq_message *message;
    struct jobq_entry_result *result;
    struct jobq_queue_depth *depth;
    struct jobq_str out_url;
};

static int run(struct jobq_queue *q, const char *action, struct sqs_args *args,
               void (*write)(const void *, struct text *, struct query *),
               int (*read)(void *, struct jobq_str, struct jobq_call_cost *,
                           struct jobq_error *),
               struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct aws_call call = {.service = JOBQ_SQS,
                            .action = action,
                            .write = write,
                            .args = args,
                            .read = read,
                            .out = args,
                            .wait_ns = args->receive ? args->receive->wait_ns : -1};
    args->digest = &self(q)->aws->digest;
    int rc = aws_run(self(q)->aws, &call, cost, err);
    /* A single call that failed for its one entry's sake is a batch whose entry failed. */
    if (rc < 0 && args->result && args->count == 1 && call.error_code[0]) {
        int entry =
            sqs_wire_entry_code(str_of(call.error_code), str_of(call.error_message));
        bool of_entry = strcmp(call.error_code, "ReceiptHandleIsInvalid") == 0 ||
                        strstr(call.error_code, "MessageNotInflight") ||
                        strcmp(call.error_code, "InvalidParameterValue") == 0 ||
                        strcmp(call.error_code, "InvalidParameterValueException") == 0;
        if (of_entry && (entry == JOBQ_NOT_FOUND || entry == JOBQ_LIMIT)) {
            args->result[0].code = entry;
            sqs_wire_entry_text(str_of(call.error_code), str_of(call.error_message),
                                &args->result[0]);
            return JOBQ_OK;
        }
    }
    return rc;
}

/* ---- handles -------------------------------------------------------------------------- */

static int keep(struct jobq_queue *q, struct jobq_str url, struct jobq_error *err)
{
    struct aws_queue *s = self(q);
    struct text arn = {0};
    for (int i = 0; i < s->count; i++)
        if (str_is(url, s->queue[i].url))
            return i;
    if (!sqs_wire_arn(url, str_of(s->aws->region), &arn))
        return jobq_fail(err, JOBQ_CORRUPT, "queue's URL names no account and queue");
    s->queue = xrealloc(s->queue, (size_t)(s->count + 1) * sizeof *s->queue);
    char *copy = xmalloc((size_t)url.len + 1);
    memcpy(copy, url.ptr, (size_t)url.len);
    copy[url.len] = '\0';
    s->queue[s->count] = (struct one_queue){copy, arn.ptr};
    return s->count++;
}

static int read_url(void *out, struct jobq_str body, struct jobq_call_cost *cost,
                    struct jobq_error *err)
{
    struct sqs_args *a = out;
    (void)cost;
    return sqs_wire_read_url(body, a->arena, &a->out_url, err);
}

static void write_create(const void *args, struct text *body, struct query *query)
{
    const struct sqs_args *a = args;
    (void)query;
    sqs_wire_create(body, a->name, a->options, a->dead_arn);
}

static void write_get_url(const void *args, struct text *body, struct query *query)
{
    (void)query;
    sqs_wire_get_url(body, ((const struct sqs_args *)args)->name);
}

static int find(struct jobq_queue *q, const char *action, struct sqs_args *args,
                void (*write)(const void *, struct text *, struct query *),
                int *out_queue, struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct arena arena;
    arena_init(&arena, 0);
    args->arena = &arena;
    int rc = run(q, action, args, write, read_url, cost, err);
    if (rc == JOBQ_OK)
        rc = keep(q, args->out_url, err);
    arena_release(&arena);
    if (rc < 0)
        return rc;
    *out_queue = rc;
    return JOBQ_OK;
}

static const char *dead_arn(struct jobq_queue *q,
                            const struct jobq_queue_options *options)
{
    return options->max_receive_count > 0 ? self(q)->queue[options->dead_queue].arn
                                          : NULL;
}

static int check_options(struct jobq_queue *q, const struct jobq_queue_options *options,
                         struct jobq_error *err)
{
    return options->max_receive_count > 0 ? check_handle(q, options->dead_queue, err)
                                          : JOBQ_OK;
}

static int queue_create(struct jobq_queue *q, const char *name,
                        const struct jobq_queue_options *options, int *out_queue,
                        struct jobq_call_cost *cost, struct jobq_error *err)
{
    int rc = check_options(q, options, err);
    if (rc < 0)
        return rc;
    struct sqs_args args = {
        .name = name, .options = options, .dead_arn = dead_arn(q, options)};
    return find(q, "CreateQueue", &args, write_create, out_queue, cost, err);
}

static int queue_open(struct jobq_queue *q, const char *name, int *out_queue,
                      struct jobq_call_cost *cost, struct jobq_error *err)
{
    struct sqs_args args = {.name = name};
    return find(q, "GetQueueUrl", &args, write_get_url, out_queue, cost, err);
}

static void write_set_options(const void *args, struct text *body, struct query *query)
{
    const struct sqs_args *a = args;
    (void)query;
    sqs_wire_set_options(body, a->url, a->options, a->dead_arn);
}

static int queue_set_options(struct jobq_queue *q, int queue,
                             const struct jobq_queue_options *options,
                             struct jobq_call_cost *cost, struct jobq_error *err)
{
    int rc = check_handle(q, queue, err);
    if (rc == JOBQ_OK)
        rc = check_options(q, options, err);
    if (rc < 0)
        return rc;
    struct sqs_args args = {
        .url = url_of(q, queue), .options = options, .dead_arn = dead_arn(q, options)};
    return run(q, "SetQueueAttributes", &args, write_set_options, NULL, cost, err);
}

/* ---- messages ------------------------------------------------------------------------- */

static void write_depth(const void *args, struct text *body, struct query *query)
{
    (void)query;
    sqs_wire_depth(body, ((const struct sqs_args *)args)->url);
}

static int read_depth(void *out, struct jobq_str body, struct jobq_call_cost *cost,
                      struct jobq_error *err)
{
    (void)cost;
    return sqs_wire_read_depth(body, ((struct sqs_args *)out)->depth, err);
}

static int queue_depth(struct jobq_queue *q, int queue, struct jobq_queue_depth *out,
                       struct jobq_call_cost *cost, struct jobq_error *err)
{
    int rc = check_handle(q, queue, err);
    if (rc < 0)
        return rc;
    struct sqs_args args = {.url = url_of(q, queue), .depth = out};
    return run(q, "GetQueueAttributes", &args, write_depth, read_depth, cost, err);
}

static void write_send(const void *args, struct text *body, struct query *query)
{
    const struct sqs_args *a = args;
    (void)query;
    sqs_wire_send(body, a->url, a->in, a->count);
}

static int read_send(void *out, struct jobq_str body, struct jobq_call_cost *cost,
                     struct jobq_error *err)
{
    struct sqs_args *a = out;
    (void)cost;
    if (a->count > 1)
        return sqs_wire_read_batch(body, a->digest, a->in, a->count, a->result, err);
    a->result[0].code = JOBQ_OK;
    return sqs_wire_read_send(body, a->digest, a->in, err);
}

static int check_count(int count, struct jobq_error *err)
{
    if (count < 1 || count > JOBQ_BATCH_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "batch of '%d' is not 1 to 10", count);
    return JOBQ_OK;
}

static int queue_send(struct jobq_queue *q, int queue, const struct jobq_outgoing *in,
                      int count, struct jobq_entry_result *result,
                      struct jobq_call_cost *cost, struct jobq_error *err)
{
    int rc = check_handle(q, queue, err);
    if (rc == JOBQ_OK)
        rc = check_count(count, err);
    for (int i = 0; rc == JOBQ_OK && i < count; i++)
        if (!sqs_wire_body_ok(in[i].body))
            rc = jobq_fail(err, JOBQ_INVALID,
                           "message holds bytes that SQS does not carry");
    if (rc < 0)
        return rc;
    struct sqs_args args = {
        .url = url_of(q, queue), .in = in, .count = count, .result = result};
    return run(q, count == 1 ? "SendMessage" : "SendMessageBatch", &args, write_send,
               read_send, cost, err);
}

static void write_receive(const void *args, struct text *body, struct query *query)
{
    const struct sqs_args *a = args;
    (void)query;
    sqs_wire_receive(body, a->url, a->receive);
}

static int read_receive(void *out, struct jobq_str body, struct jobq_call_cost *cost,
                        struct jobq_error *err)
{
    struct sqs_args *a = out;
    (void)cost;
    return sqs_wire_read_receive(body, a->digest, a->receive->max, a->arena, a->message,
                                 err);
}

static int queue_receive(struct jobq_queue *q, int queue,
                         const struct jobq_receive *options, struct arena *arena,
                         struct jobq_message *out, struct jobq_call_cost *cost,
                         struct jobq_error *err)
{
    int rc = check_handle(q, queue, err);
    if (rc == JOBQ_OK)
        rc = check_count(options->max, err);
    if (rc < 0)
        return rc;
    struct sqs_args args = {
        .url = url_of(q, queue), .receive = options, .arena = arena, .message = out};
    return run(q, "ReceiveMessage", &args, write_receive, read_receive, cost, err);
}

/* Delete and visibility: alike but for the body. */
static int read_entries(void *out, struct jobq_str body, struct jobq_call_cost *cost,
                        struct jobq_error *err)
{
    struct sqs_args *a = out;
    (void)cost;
    if (a->count > 1)
        return sqs_wire_read_batch(body, a->digest, NULL, a->count, a->result, err);
    a->result[0].code = JOBQ_OK;
    return JOBQ_OK;
}

static void write_remove(const void *args, struct text *body, struct query *query)
{
    const struct sqs_args *a = args;
    (void)query;
    sqs_wire_remove(body, a->url, a->receipt, a->count);
}

static int queue_remove(struct jobq_queue *q, int queue, const struct jobq_str *receipt,
                        int count, struct jobq_entry_result *result,
                        struct jobq_call_cost *cost, struct jobq_error *err)
{
    int rc = check_handle(q, queue, err);
    if (rc == JOBQ_OK)
        rc = check_count(count, err);
    if (rc < 0)
        return rc;
    struct sqs_args args = {
        .url = url_of(q, queue), .receipt = receipt, .count = count, .result = result};
    return run(q, count == 1 ? "DeleteMessage" : "DeleteMessageBatch", &args,
               write_remove, read_entries, cost, err);
}

static void write_visibility(const void *args, struct text *body, struct query *query)
{
    const struct sqs_args *a = args;
    (void)query;
    sqs_wire_set_visibility(body, a->url, a->change, a->count);
}

static int queue_set_visibility(struct jobq_queue *q, int queue,
                                const struct jobq_visibility_change *change, int count,
                                struct jobq_entry_result *result,
                                struct jobq_call_cost *cost, struct jobq_error *err)
{
    int rc = check_handle(q, queue, err);
    if (rc == JOBQ_OK)
        rc = check_count(count, err);
    if (rc < 0)
        return rc;
    struct sqs_args args = {
        .url = url_of(q, queue), .change = change, .count = count, .result = result};
    return run(q, count == 1 ? "ChangeMessageVisibility" : "ChangeMessageVisibilityBatch",
               &args, write_visibility, read_entries, cost, err);
}

static void write_purge(const void *args, struct text *body, struct query *query)
{
    (void)query;
    sqs_wire_purge(body, ((const struct sqs_args *)args)->url);
}

static int queue_purge(struct jobq_queue *q, int queue, struct jobq_call_cost *cost,
                       struct jobq_error *err)
{
    int rc = check_handle(q, queue, err);
    if (rc < 0)
        return rc;
    struct sqs_args args = {.url = url_of(q, queue)};
    return run(q, "PurgeQueue", &args, write_purge, NULL, cost, err);
}

static void queue_abort_receives(struct jobq_queue *q)
{
    transport_abort_polls(self(q)->aws->transport);
}

static const struct jobq_queue_ops ops = {.name = "sqs",
                                          .create = queue_create,
                                          .open = queue_open,
                                          .set_options = queue_set_options,
                                          .depth = queue_depth,
                                          .send = queue_send,
                                          .receive = queue_receive,
                                          .remove = queue_remove,
                                          .set_visibility = queue_set_visibility,
                                          .purge = queue_purge,
                                          .abort_receives = queue_abort_receives};

struct jobq_queue *aws_queue_new(struct aws *aws)
{
    struct aws_queue *s = xcalloc(1, sizeof *s);
    s->port.ops = &ops;
    s->aws = aws;
    return &s->port;
}

void aws_queue_free(struct jobq_queue *queue)
{
    struct aws_queue *s = self(queue);
    for (int i = 0; i < s->count; i++) {
        free(s->queue[i].url);
        free(s->queue[i].arn);
    }
    free(s->queue);
    free(s);
}
