/* queue.c - queues: made, set, described, purged, deleted.
 *
 * Room:     models, facts; of the SQS model.
 * Callers:  those of sqs.h.
 * Knows nothing of: ARNs and URLs.
 *
 * Sources: CreateQueue, SetQueueAttributes, PurgeQueue, DeleteQueue and GetQueueAttributes
 * references. A purge also forgets a FIFO queue's deduplication ids (recorded from AWS:
 * localstack's tests). */
#include "models/sqs/impl.h"

#include "base/arena.h"
#include "base/text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- by name ---------------------------------------------------------------------------- */

struct sqs_queue *sqs_queue_at(const struct sqs *s, int queue)
{
    if (queue < 0 || (uint32_t)queue >= s->queue_count || !s->queue[queue]->exists)
        return NULL;
    return s->queue[queue];
}

struct jobq_str sqs_name_of(const struct sqs_queue *q)
{
    return (struct jobq_str){q->name, q->name_len};
}

uint32_t sqs_name_lower(const struct sqs *s, struct jobq_str name)
{
    uint32_t low = 0, high = s->name_count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (str_cmp(sqs_name_of(s->queue[s->by_name[mid]]), name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

int sqs_find(const struct sqs *s, struct jobq_str name)
{
    uint32_t at = sqs_name_lower(s, name);
    if (at < s->name_count && str_eq(sqs_name_of(s->queue[s->by_name[at]]), name))
        return s->by_name[at];
    return -1;
}

bool sqs_exists(const struct sqs *s, int queue)
{
    return sqs_queue_at(s, queue) != NULL;
}

struct jobq_str sqs_name(const struct sqs *s, int queue)
{
    const struct sqs_queue *q = sqs_queue_at(s, queue);
    return q ? sqs_name_of(q) : (struct jobq_str){"", 0};
}

/* ---- names that rest -------------------------------------------------------------------- */

static bool is_buried(struct sqs *s, struct jobq_str name, int64_t now)
{
    uint32_t kept = 0;
    bool found = false;
    for (uint32_t i = 0; i < s->buried_count; i++) {
        struct sqs_buried *b = &s->buried[i];
        if (b->until <= now)
            continue;
        found = found || str_eq((struct jobq_str){b->name, b->name_len}, name);
        s->buried[kept++] = *b;
    }
    s->buried_count = kept;
    return found;
}

static void queue_bury(struct sqs *s, const struct sqs_queue *q, int64_t until)
{
    if (s->buried_count == s->buried_cap) {
        s->buried_cap = s->buried_cap ? s->buried_cap * 2 : 8;
        s->buried = xrealloc(s->buried, s->buried_cap * sizeof *s->buried);
    }
    struct sqs_buried *b = &s->buried[s->buried_count++];
    memcpy(b->name, q->name, sizeof b->name);
    b->name_len = q->name_len;
    b->until = until;
}

/* ---- settings ------------------------------------------------------------------------------ */

static enum sqs_fault queue_bad_value(struct jobq_error *err, const char *attribute)
{
    char text[96];
    snprintf(text, sizeof text, "Invalid value for the parameter %s.", attribute);
    return sqs_fail(err, SQS_BAD_ATTRIBUTE_VALUE, text);
}

/* A standard queue has no such attribute, not even as "false" (recorded from AWS). */
static enum sqs_fault unknown_fifo(struct jobq_error *err)
{
    return sqs_fail(err, SQS_BAD_ATTRIBUTE_NAME, "Unknown Attribute FifoQueue.");
}

/* max 0: no limit, but that sums of instants must not overflow. */
static bool queue_outside(int64_t value, int64_t min, int64_t max)
{
    return value < min || value > (max ? max : SQS_LONGEST_NS);
}

/* AWS's message, as a client of CreateQueue received it (cloud-service-broker, csb-sqs
 * notes of high throughput). have: the queue's settings; NULL: it is being made. */
static enum sqs_fault check_throughput(const struct sqs_settings *have,
                                       const struct sqs_settings *set,
                                       struct jobq_error *err)
{
    bool by_group = have && have->throughput_by_group;
    bool dedup = have && have->dedup_by_group;
    if (set->given & SQS_SET_THROUGHPUT)
        by_group = set->throughput_by_group;
    if (set->given & SQS_SET_DEDUP_SCOPE)
        dedup = set->dedup_by_group;
    if (!by_group || dedup)
        return SQS_OK;
    return sqs_fail(
        err, SQS_BAD_ATTRIBUTE_VALUE,
        "Invalid value for the parameter FifoThroughputLimit. Reason: To set "
        "FifoThroughputLimit to perMessageGroupId, the DeduplicationScope must "
        "be messageGroup.");
}

/* Messages as clients of AWS received them, two full stops included
 * (serverless-offline-sqs, and Terraform logs of 2025); a driver puts the policy behind
 * "Value". A queue may be its own target (seen on AWS). */
static enum sqs_fault check_redrive(const struct sqs *s, struct jobq_str name, bool fifo,
                                    const struct sqs_settings *set,
                                    struct jobq_error *err)
{
    if (set->redrive_queue < 0)
        return SQS_OK;
    const struct sqs_queue *dead = sqs_queue_at(s, set->redrive_queue);
    const char *why = NULL;
    if (!dead)
        why = "Dead letter target does not exist.";
    else if (dead->settings.fifo != fifo)
        why = "Dead-letter queue must be same type of queue as the source..";
    else if (set->redrive_receives < 1 || set->redrive_receives > 1000)
        why = "Invalid value for maxReceiveCount, valid values are from 1 to 1000 both "
              "inclusive.";
    else if (dead->settings.allow == SQS_ALLOW_NONE)
        why = "Queue does not allow its use as a dead-letter queue.";
    if (!why && dead && dead->settings.allow == SQS_ALLOW_LISTED) {
        why = "Queue does not allow this queue to use it as a dead-letter queue.";
        for (int i = 0; i < dead->settings.allow_count; i++)
            if (str_eq(dead->settings.allow_name[i], name))
                why = NULL;
    }
    if (!why)
        return SQS_OK;
    char text[160];
    snprintf(text, sizeof text,
             "Value for parameter RedrivePolicy is invalid. Reason: %s", why);
    return sqs_fail(err, SQS_BAD_PARAMETER, text);
}

static enum sqs_fault check_settings(const struct sqs *s, struct jobq_str name, bool fifo,
                                     const struct sqs_settings *set,
                                     struct jobq_error *err)
{
    const struct sqs_params *p = &s->params;
    int64_t wait_max = p->long_poll_max_ns ? p->long_poll_max_ns : 20 * JOBQ_NS_PER_S;
    unsigned given = set->given;
    if ((given & SQS_SET_VISIBILITY) &&
        queue_outside(set->visibility_ns, 0, p->visibility_max_ns))
        return queue_bad_value(err, "VisibilityTimeout");
    if ((given & SQS_SET_DELAY) && queue_outside(set->delay_ns, 0, p->delay_max_ns))
        return queue_bad_value(err, "DelaySeconds");
    if ((given & SQS_SET_RETENTION) &&
        queue_outside(set->retention_ns, p->retention_min_ns, p->retention_max_ns))
        return queue_bad_value(err, "MessageRetentionPeriod");
    if ((given & SQS_SET_WAIT) && queue_outside(set->wait_ns, 0, wait_max))
        return queue_bad_value(err, "ReceiveMessageWaitTimeSeconds");
    if ((given & SQS_SET_MESSAGE_BYTES) && p->message_bytes_max &&
        queue_outside(set->message_bytes_max, 1024, p->message_bytes_max))
        return queue_bad_value(err, "MaximumMessageSize");
    if ((given & SQS_SET_ALLOW) && set->allow == SQS_ALLOW_LISTED &&
        queue_outside(set->allow_count, 1, SQS_ALLOW_MAX))
        return queue_bad_value(err, "RedriveAllowPolicy");
    unsigned fifo_only = SQS_SET_CONTENT_DEDUP | SQS_SET_DEDUP_SCOPE | SQS_SET_THROUGHPUT;
    if ((given & fifo_only) && !fifo)
        return sqs_fail(
            err, SQS_BAD_ATTRIBUTE_NAME,
            given & SQS_SET_CONTENT_DEDUP ? "Unknown Attribute ContentBasedDeduplication."
            : given & SQS_SET_DEDUP_SCOPE
                ? "You can specify the DeduplicationScope only when FifoQueue "
                  "is set to true."
                : "You can specify the FifoThroughputLimit only when FifoQueue "
                  "is set to true.");
    if (given & SQS_SET_REDRIVE)
        return check_redrive(s, name, fifo, set, err);
    return SQS_OK;
}

static void free_allow(struct sqs_settings *settings)
{
    for (int i = 0; i < settings->allow_count; i++) {
        union {
            const char *read;
            char *owned;
        } name = {settings->allow_name[i].ptr};
        free(name.owned);
    }
    union {
        const struct jobq_str *read;
        struct jobq_str *owned;
    } list = {settings->allow_name};
    free(list.owned);
    settings->allow_name = NULL;
    settings->allow_count = 0;
}

static void copy_allow(struct sqs_settings *to, const struct sqs_settings *from)
{
    free_allow(to);
    to->allow = from->allow;
    if (from->allow != SQS_ALLOW_LISTED)
        return;
    struct jobq_str *name = xcalloc((size_t)from->allow_count, sizeof *name);
    for (int i = 0; i < from->allow_count; i++) {
        size_t len = (size_t)from->allow_name[i].len;
        char *copy = xmalloc(len + 1);
        memcpy(copy, from->allow_name[i].ptr, len);
        copy[len] = '\0';
        name[i] = (struct jobq_str){copy, (int64_t)len};
    }
    to->allow_name = name;
    to->allow_count = from->allow_count;
}

static void queue_apply(struct sqs_settings *to, const struct sqs_settings *from)
{
    unsigned given = from->given;
    if (given & SQS_SET_VISIBILITY)
        to->visibility_ns = from->visibility_ns;
    if (given & SQS_SET_DELAY)
        to->delay_ns = from->delay_ns;
    if (given & SQS_SET_RETENTION)
        to->retention_ns = from->retention_ns;
    if (given & SQS_SET_WAIT)
        to->wait_ns = from->wait_ns;
    if (given & SQS_SET_MESSAGE_BYTES)
        to->message_bytes_max = from->message_bytes_max;
    if (given & SQS_SET_REDRIVE) {
        to->redrive_queue = from->redrive_queue < 0 ? -1 : from->redrive_queue;
        to->redrive_receives = from->redrive_queue < 0 ? 0 : from->redrive_receives;
    }
    if (given & SQS_SET_ALLOW)
        copy_allow(to, from);
    if (given & SQS_SET_CONTENT_DEDUP)
        to->content_dedup = from->content_dedup;
    if (given & SQS_SET_DEDUP_SCOPE)
        to->dedup_by_group = from->dedup_by_group;
    if (given & SQS_SET_THROUGHPUT)
        to->throughput_by_group = from->throughput_by_group;
}

static bool same_allow(const struct sqs_settings *a, const struct sqs_settings *b)
{
    if (a->allow != b->allow)
        return false;
    if (a->allow != SQS_ALLOW_LISTED)
        return true;
    if (a->allow_count != b->allow_count)
        return false;
    for (int i = 0; i < a->allow_count; i++)
        if (!str_eq(a->allow_name[i], b->allow_name[i]))
            return false;
    return true;
}

/* The first attribute that is given and differs; NULL: none. */
static const char *queue_difference(const struct sqs_settings *have,
                                    const struct sqs_settings *want)
{
    unsigned given = want->given;
    if ((given & SQS_SET_VISIBILITY) && have->visibility_ns != want->visibility_ns)
        return "VisibilityTimeout";
    if ((given & SQS_SET_DELAY) && have->delay_ns != want->delay_ns)
        return "DelaySeconds";
    if ((given & SQS_SET_RETENTION) && have->retention_ns != want->retention_ns)
        return "MessageRetentionPeriod";
    if ((given & SQS_SET_WAIT) && have->wait_ns != want->wait_ns)
        return "ReceiveMessageWaitTimeSeconds";
    if ((given & SQS_SET_MESSAGE_BYTES) &&
        have->message_bytes_max != want->message_bytes_max)
        return "MaximumMessageSize";
    if ((given & SQS_SET_REDRIVE) &&
        (have->redrive_queue != (want->redrive_queue < 0 ? -1 : want->redrive_queue) ||
         (want->redrive_queue >= 0 && have->redrive_receives != want->redrive_receives)))
        return "RedrivePolicy";
    if ((given & SQS_SET_ALLOW) && !same_allow(have, want))
        return "RedriveAllowPolicy";
    if ((given & SQS_SET_FIFO) && have->fifo != want->fifo)
        return "FifoQueue";
    if ((given & SQS_SET_CONTENT_DEDUP) && have->content_dedup != want->content_dedup)
        return "ContentBasedDeduplication";
    if ((given & SQS_SET_DEDUP_SCOPE) && have->dedup_by_group != want->dedup_by_group)
        return "DeduplicationScope";
    if ((given & SQS_SET_THROUGHPUT) &&
        have->throughput_by_group != want->throughput_by_group)
        return "FifoThroughputLimit";
    return NULL;
}

/* ---- made --------------------------------------------------------------------------------- */

static bool queue_is_name(struct jobq_str name, bool fifo)
{
    int64_t len = name.len;
    if (len < 1 || len > SQS_NAME_MAX)
        return false;
    bool suffix = len > 5 && memcmp(name.ptr + len - 5, ".fifo", 5) == 0;
    if (suffix != fifo)
        return false;
    if (fifo)
        len -= 5;
    for (int64_t i = 0; i < len; i++) {
        char c = name.ptr[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (!ok)
            return false;
    }
    return true;
}

static struct sqs_queue *new_queue(struct sqs *s)
{
    for (uint32_t i = 0; i < s->queue_count; i++)
        if (!s->queue[i]->exists)
            return s->queue[i];
    if (s->queue_count == s->queue_cap) {
        s->queue_cap = s->queue_cap ? s->queue_cap * 2 : 16;
        s->queue = xrealloc(s->queue, s->queue_cap * sizeof(struct sqs_queue *));
    }
    struct sqs_queue *q = xcalloc(1, sizeof *q);
    q->index = (uint16_t)s->queue_count;
    s->queue[s->queue_count++] = q;
    return q;
}

static void init_queue(struct sqs *s, struct sqs_queue *q, struct jobq_str name,
                       bool fifo, int64_t now)
{
    const struct sqs_params *p = &s->params;
    struct sqs_queue kept = *q;
    struct sqs_list empty = {.head_due = JOBQ_FOREVER, .tail_due = INT64_MIN};
    *q = (struct sqs_queue){.exists = true, .index = kept.index, .uid = s->next_uid++};
    q->heap = kept.heap;
    q->quiet = kept.quiet;
    q->noisy = kept.noisy;
    q->grouped = fifo;
    q->note = kept.note;
    q->note_cap = kept.note_cap;
    q->name_len = (int)name.len;
    memcpy(q->name, name.ptr, (size_t)name.len);
    q->ready = q->steady = q->odd = q->late = empty;
    q->oldest_sent = q->alarm_at = JOBQ_FOREVER;
    q->created_at = q->changed_at = now;
    q->purged_at = q->counted_at = INT64_MIN;
    q->settings = (struct sqs_settings){.given = ~0U,
                                        .visibility_ns = p->visibility_default_ns,
                                        .retention_ns = p->retention_default_ns,
                                        .message_bytes_max = p->message_bytes_max,
                                        .redrive_queue = -1,
                                        .fifo = fifo};
    for (int i = 0; i < SQS_BUCKETS; i++)
        q->bucket[i] = (struct sqs_bucket){
            i == SQS_BUCKET_ALL ? p->throttle_burst : p->fifo_throttle_per_s, now};
}

static void index_name(struct sqs *s, const struct sqs_queue *q)
{
    uint32_t at = sqs_name_lower(s, sqs_name_of(q));
    if (s->name_count == s->name_cap) {
        s->name_cap = s->name_cap ? s->name_cap * 2 : 16;
        s->by_name = xrealloc(s->by_name, s->name_cap * sizeof *s->by_name);
    }
    memmove(&s->by_name[at + 1], &s->by_name[at],
            (s->name_count - at) * sizeof *s->by_name);
    s->by_name[at] = q->index;
    s->name_count++;
}

enum sqs_fault sqs_create(struct sqs *s, int64_t now_ns, struct jobq_str name,
                          const struct sqs_settings *settings, int *out_queue,
                          struct jobq_error *err)
{
    assert(settings && out_queue && err);
    now_ns = sqs_begin(s, now_ns);
    bool fifo = (settings->given & SQS_SET_FIFO) && settings->fifo;
    if ((settings->given & SQS_SET_FIFO) && !fifo)
        return unknown_fifo(err);
    int have = sqs_find(s, name);
    if (have >= 0) {
        const char *which = queue_difference(&s->queue[have]->settings, settings);
        char text[160];
        if (which) {
            snprintf(text, sizeof text, "%s %s", sqs_fault_info(SQS_QUEUE_EXISTS)->text,
                     which);
            return sqs_fail(err, SQS_QUEUE_EXISTS, text);
        }
        *out_queue = have;
        return SQS_OK;
    }
    if (!queue_is_name(name, fifo))
        return sqs_fail(err, SQS_BAD_NAME,
                        fifo ? "The name of a FIFO queue can only include alphanumeric "
                               "characters, hyphens, or underscores, must end with .fifo "
                               "suffix and be 1 to 80 in length."
                             : NULL);
    enum sqs_fault fault = check_settings(s, name, fifo, settings, err);
    if (fault == SQS_OK)
        fault = check_throughput(NULL, settings, err);
    if (fault != SQS_OK)
        return fault;
    if (is_buried(s, name, now_ns))
        return sqs_fail(err, SQS_DELETED_RECENTLY, NULL);
    if (s->name_count == SQS_QUEUES_MAX)
        return sqs_fail(err, SQS_OVER_LIMIT, "Too many queues for this model.");
    struct sqs_queue *q = new_queue(s);
    init_queue(s, q, name, fifo, now_ns);
    queue_apply(&q->settings, settings);
    q->dedup_by_group = q->settings.dedup_by_group;
    index_name(s, q);
    *out_queue = q->index;
    return SQS_OK;
}

enum sqs_fault sqs_set(struct sqs *s, int64_t now_ns, int queue,
                       const struct sqs_settings *settings, struct jobq_error *err)
{
    assert(settings && err);
    struct sqs_queue *q = sqs_begin_queue(s, &now_ns, queue, err);
    if (!q)
        return SQS_NO_QUEUE;
    if ((settings->given & SQS_SET_FIFO) && !q->settings.fifo)
        return unknown_fifo(err);
    if ((settings->given & SQS_SET_FIFO) && !settings->fifo)
        return sqs_fail(err, SQS_BAD_ATTRIBUTE_VALUE,
                        "Invalid value for the parameter FifoQueue. Reason: Modifying "
                        "queue type is not supported.");
    enum sqs_fault fault =
        check_settings(s, sqs_name_of(q), q->settings.fifo, settings, err);
    if (fault == SQS_OK)
        fault = check_throughput(&q->settings, settings, err);
    if (fault != SQS_OK)
        return fault;
    queue_apply(&q->settings, settings);
    q->changed_at = now_ns;
    sqs_settle(s, q, now_ns);
    return SQS_OK;
}

/* ---- described ------------------------------------------------------------------------------ */

enum sqs_fault sqs_info(struct sqs *s, int64_t now_ns, int queue,
                        struct sqs_queue_info *out, struct jobq_error *err)
{
    struct sqs_queue *q = sqs_begin_queue(s, &now_ns, queue, err);
    if (!q)
        return SQS_NO_QUEUE;
    if (q->counted_at == INT64_MIN ||
        now_ns - q->counted_at >= s->params.counts_window_ns) {
        q->counted_at = now_ns;
        q->counted[0] = q->visible;
        q->counted[1] = q->in_flight;
        q->counted[2] = q->delayed;
    }
    *out = (struct sqs_queue_info){.settings = q->settings,
                                   .visible = q->counted[0],
                                   .in_flight = q->counted[1],
                                   .delayed = q->counted[2],
                                   .created_at_ns = q->created_at,
                                   .changed_at_ns = q->changed_at,
                                   .oldest_sent_at_ns = q->oldest_sent,
                                   .dedup_made_by_group = q->dedup_by_group};
    return SQS_OK;
}

enum sqs_fault sqs_stats(struct sqs *s, int64_t now_ns, int queue, struct sqs_stats *out)
{
    struct jobq_error err;
    struct sqs_queue *q = sqs_begin_queue(s, &now_ns, queue, &err);
    if (!q)
        return SQS_NO_QUEUE;
    *out = q->stats;
    return SQS_OK;
}

/* ---- emptied and deleted ---------------------------------------------------------------------- */

enum sqs_fault sqs_purge(struct sqs *s, int64_t now_ns, int queue, struct jobq_error *err)
{
    struct sqs_queue *q = sqs_begin_queue(s, &now_ns, queue, err);
    if (!q)
        return SQS_NO_QUEUE;
    if (q->purged_at != INT64_MIN &&
        now_ns - q->purged_at < s->params.purge_interval_ns) {
        char text[160];
        snprintf(text, sizeof text,
                 "Only one PurgeQueue operation on %s is allowed every 60 seconds.",
                 q->name);
        return sqs_fail(err, SQS_PURGE_IN_PROGRESS, text);
    }
    q->purged_at = now_ns;
    while (q->oldest) {
        sqs_drop(s, q, q->oldest);
        q->stats.purged++;
    }
    if (q->settings.fifo)
        sqs_dedup_purge(s, q);
    if (q->waiter_head)
        sqs_wake(s, q, now_ns);
    return SQS_OK;
}

void sqs_queue_clear(struct sqs *s, struct sqs_queue *q)
{
    sqs_dismiss(s, q, SQS_NO_QUEUE);
    while (q->oldest)
        sqs_drop(s, q, q->oldest);
    sqs_fair_clear(s, q);
    for (int i = 0; i < q->note_count; i++) {
        union {
            const char *read;
            char *owned;
        } name = {q->note[i].name.ptr};
        free(name.owned); /* the value lies behind it */
    }
    q->note_count = 0;
    free_allow(&q->settings);
}

void sqs_queue_release(struct sqs *s, struct sqs_queue *q)
{
    (void)s;
    sqs_heap_release(&q->heap);
    sqs_heap_release(&q->quiet);
    sqs_heap_release(&q->noisy);
    free(q->note);
    free(q);
}

enum sqs_fault sqs_delete_queue(struct sqs *s, int64_t now_ns, int queue,
                                struct jobq_error *err)
{
    struct sqs_queue *q = sqs_begin_queue(s, &now_ns, queue, err);
    if (!q)
        return SQS_NO_QUEUE;
    sqs_move_orphan(s, q);
    sqs_queue_clear(s, q);
    uint32_t at = sqs_name_lower(s, sqs_name_of(q));
    memmove(&s->by_name[at], &s->by_name[at + 1],
            (s->name_count - at - 1) * sizeof *s->by_name);
    s->name_count--;
    q->exists = false;
    for (uint32_t i = 0; i < s->queue_count; i++)
        if (s->queue[i]->exists && s->queue[i]->settings.redrive_queue == queue)
            s->queue[i]->settings.redrive_queue = -1;
    if (s->params.recreate_interval_ns > 0)
        queue_bury(s, q, now_ns + s->params.recreate_interval_ns);
    return SQS_OK;
}
