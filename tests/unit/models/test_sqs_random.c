/* test_sqs_random.c - the SQS model against a brute-force one, under random calls.
 *
 * The reference keeps every message in one array and looks at all of it for each question.
 * In the strict world (parameters of `ideal`, with retention) it predicts each reply
 * exactly: which messages, in which order. For FIFO queues, and in the world of `aws-2026`
 * with its chances turned up, it checks that a reply was allowed, and goes on from it. */
#include "models/sqs/sqs.h"

#include "base/dice.h"
#include "base/text.h"
#include "jobq/units.h"
#include "tests/seed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#define S JOBQ_NS_PER_S

enum { CAP = 4096, QUEUES = 4, WAITERS = 16, RECEIPTS = 64, WORK = 0, DEAD, SHORT, FIFO };

struct ref_message {
    bool there;
    uint64_t id;
    int queue;
    enum sqs_state state;
    int64_t sent, due, received;
    uint64_t receipt;
    int receives, earlier;
    bool leaked;
    char group;
    int dedup;
};
struct ref_waiter {
    uint64_t cookie;
    int queue, max;
    int64_t until, hide;
};
struct world {
    struct dice dice;
    struct sqs *s;
    struct sqs_params params;
    bool strict;
    int64_t now;
    int queue[QUEUES];
    int64_t visibility[QUEUES];
    struct ref_message m[CAP];
    int count; /* messages, in order of id */
    struct ref_waiter waiter[WAITERS];
    int waiter_count;
    uint64_t next_cookie;
    struct {
        int queue;
        struct sqs_receipt receipt;
        uint64_t id; /* of its message */
        int got_from;
    } receipt[RECEIPTS];
    struct {
        int dedup;
        int64_t at;
        uint64_t id;
    } dedup[CAP];
    int dedup_count;
    struct sqs_stats stats[QUEUES];
    int64_t purged_at[QUEUES];
    int64_t rung, vain; /* instants that the model named */
    struct jobq_error err;
};

static const int64_t retention_ns = 600 * S;

#define CHECK(what)                                                                      \
    do {                                                                                 \
        if (!(what))                                                                     \
            fail_msg("now=%lld: %s", (long long)w->now, #what);                          \
    } while (0)

/* ---- the reference --------------------------------------------------------------------- */

static void ref_age(struct world *w)
{
    for (int i = 0; i < w->count; i++) {
        struct ref_message *m = &w->m[i];
        if (!m->there)
            continue;
        if (m->state != SQS_VISIBLE && m->due <= w->now)
            m->state = SQS_VISIBLE;
        int64_t keep = m->queue == SHORT ? 60 * S : retention_ns;
        if (m->sent + keep <= w->now) {
            m->there = false;
            w->stats[m->queue].expired++;
        }
    }
}

/* An earlier message of its group is in flight. */
static bool is_blocked(const struct world *w, const struct ref_message *m)
{
    for (int i = 0; i < (int)(m - w->m); i++)
        if (w->m[i].there && w->m[i].queue == FIFO && w->m[i].group == m->group &&
            w->m[i].state == SQS_IN_FLIGHT)
            return true;
    return false;
}

static bool can_be_received(const struct world *w, const struct ref_message *m, int q)
{
    if (!m->there || m->queue != q || m->state != SQS_VISIBLE)
        return false;
    return q != FIFO || !is_blocked(w, m);
}

/* Older in the strict world: by sending, then by id. */
static int oldest_unpicked(const struct world *w, int q, const bool *picked)
{
    int best = -1;
    for (int i = 0; i < w->count; i++)
        if (can_be_received(w, &w->m[i], q) && !picked[i] &&
            (best < 0 || w->m[i].sent < w->m[best].sent ||
             (w->m[i].sent == w->m[best].sent && w->m[i].id < w->m[best].id)))
            best = i;
    return best;
}

static bool too_many(const struct ref_message *m)
{
    return m->queue == WORK && m->receives >= 3;
}

static void ref_redrive(struct world *w, struct ref_message *m)
{
    m->queue = DEAD;
    m->earlier += m->receives;
    m->receives = 0;
    m->receipt = 0;
    m->leaked = false;
    w->stats[WORK].moved_out++;
    w->stats[WORK].redriven++;
    w->stats[DEAD].moved_in++;
}

/* What a strict receive must give, and what it must redrive. */
static int ref_pick(struct world *w, int q, int max, int *out)
{
    static bool picked[CAP];
    memset(picked, 0, sizeof picked);
    int count = 0, i;
    while (count < max && (i = oldest_unpicked(w, q, picked)) >= 0) {
        picked[i] = true;
        if (too_many(&w->m[i]))
            ref_redrive(w, &w->m[i]);
        else
            out[count++] = i;
    }
    return count;
}

static struct ref_message *ref_of(struct world *w, uint64_t id)
{
    CHECK(id >= 1 && id <= (uint64_t)w->count);
    return &w->m[id - 1];
}

static void check_groups(struct world *w, const struct sqs_received *got, int max)
{
    bool taken[CAP] = {false};
    for (int i = 0; i < got->count; i++) {
        struct ref_message *m = ref_of(w, got->message[i].id);
        CHECK(can_be_received(w, m, FIFO));
        /* The first of its group that was not taken yet. */
        for (int k = 0; k < (int)(m - w->m); k++)
            CHECK(taken[k] || !can_be_received(w, &w->m[k], FIFO) ||
                  w->m[k].group != m->group);
        taken[m - w->m] = true;
    }
    int could = 0;
    for (int i = 0; i < w->count; i++)
        could += can_be_received(w, &w->m[i], FIFO);
    CHECK(got->count == (could < max ? could : max));
}

/* Redrives of the loose world are seen, not predicted: by looking at the dead queue. */
static bool see_dead(void *ctx, const struct sqs_message *message)
{
    struct world *w = ctx;
    struct ref_message *m = ref_of(w, message->id);
    CHECK(m->there);
    /* One that was granted just before is not known to be due yet: it is seen later. */
    if (m->queue == WORK && m->state == SQS_VISIBLE && too_many(m))
        ref_redrive(w, m);
    return true;
}

static void adopt(struct world *w, int q, int64_t hide, const struct sqs_received *got)
{
    for (int i = 0; i < got->count; i++) {
        const struct sqs_message *message = &got->message[i];
        struct ref_message *m = ref_of(w, message->id);
        CHECK(m->there && m->queue == q && m->state == SQS_VISIBLE);
        m->receives++;
        if (m->leaked && m->due > w->now)
            w->stats[q].duplicates++;
        m->leaked = message->leaked;
        m->received = w->now;
        m->due = w->now + hide;
        m->state = m->leaked || hide == 0 ? SQS_VISIBLE : SQS_IN_FLIGHT;
        CHECK(message->receipt.bits != m->receipt);
        m->receipt = message->receipt.bits;
        CHECK(message->receive_count == m->receives + m->earlier);
        CHECK(message->sent_at_ns == m->sent && message->due_at_ns == m->due);
        CHECK(message->body.len == 8 && memcmp(message->body.ptr, &m->sent, 8) == 0);
        for (int copy = 0; copy < 2; copy++) {
            int k = (int)dice_below(&w->dice, RECEIPTS);
            w->receipt[k].receipt = message->receipt;
            w->receipt[k].id = message->id;
            w->receipt[k].got_from = q;
            if (copy == 1)
                w->receipt[k].queue = q;
        }
    }
    w->stats[q].received += got->count;
    w->stats[q].receives++;
    if (got->count == 0)
        w->stats[q].empty_receives++;
}

/* Checks what was received from q, and takes it over. */
static void judge(struct world *w, int q, int max, int64_t hide, bool short_poll,
                  const struct sqs_received *got)
{
    CHECK(got->count <= max);
    if (q == FIFO) {
        check_groups(w, got, max);
    } else if (w->strict) {
        int want[SQS_BATCH_MAX];
        int count = ref_pick(w, q, max, want);
        CHECK(got->count == count);
        for (int i = 0; i < count; i++)
            CHECK(got->message[i].id == w->m[want[i]].id);
    } else {
        if (q == WORK)
            sqs_visit(w->s, w->now, w->queue[DEAD], see_dead, w);
        for (int i = 0; i < got->count; i++)
            CHECK(!too_many(ref_of(w, got->message[i].id)));
        for (int i = 0; i < w->count && got->count == 0 && !short_poll; i++)
            CHECK(!can_be_received(w, &w->m[i], q));
    }
    adopt(w, q, hide, got);
}

/* ---- waiting ----------------------------------------------------------------------------- */

/* The end of a message in flight frees its group, if others of the queue are visible. */
static int64_t first_end(const struct world *w, int64_t at)
{
    bool visible = false;
    for (int k = 0; k < w->count; k++)
        visible = visible || (w->m[k].there && w->m[k].queue == FIFO &&
                              w->m[k].state == SQS_VISIBLE);
    for (int k = 0; k < w->count && visible; k++)
        if (w->m[k].there && w->m[k].queue == FIFO && w->m[k].sent + retention_ns < at)
            at = w->m[k].sent + retention_ns;
    return at;
}

static int64_t ref_next_at(const struct world *w)
{
    int64_t at = JOBQ_FOREVER;
    for (int i = 0; i < w->waiter_count; i++) {
        if (w->waiter[i].until < at)
            at = w->waiter[i].until;
        if (w->waiter[i].queue == FIFO)
            at = first_end(w, at);
        for (int k = 0; k < w->count; k++)
            if (w->m[k].there && w->m[k].queue == w->waiter[i].queue &&
                w->m[k].state != SQS_VISIBLE && w->m[k].due < at)
                at = w->m[k].due;
    }
    return at;
}

/* A poll that finds only what was received too often redrives it and waits on. */
static void redrive_for_waiters(struct world *w)
{
    bool waits = false;
    for (int i = 0; i < w->waiter_count; i++)
        waits = waits || w->waiter[i].queue == WORK;
    if (!w->strict) {
        sqs_visit(w->s, w->now, w->queue[DEAD], see_dead, w);
        return;
    }
    for (int i = 0; i < w->count && waits; i++)
        waits = !can_be_received(w, &w->m[i], WORK) || too_many(&w->m[i]);
    for (int i = 0; i < w->count && waits; i++)
        if (can_be_received(w, &w->m[i], WORK))
            ref_redrive(w, &w->m[i]);
}

static void take_grants(struct world *w)
{
    struct sqs_grant grant;
    while (sqs_take_grant(w->s, &grant)) {
        ref_age(w);
        int at = 0;
        while (at < w->waiter_count && w->waiter[at].cookie != grant.cookie)
            at++;
        CHECK(at < w->waiter_count);
        struct ref_waiter waiter = w->waiter[at];
        CHECK(w->queue[waiter.queue] == grant.queue && grant.fault == SQS_OK);
        if (grant.received.count == 0)
            CHECK(waiter.until == w->now);
        else
            for (int i = 0; i < at && w->strict; i++) /* else any of them is served */
                CHECK(w->waiter[i].queue != waiter.queue);
        memmove(&w->waiter[at], &w->waiter[at + 1],
                (size_t)(w->waiter_count - at - 1) * sizeof *w->waiter);
        w->waiter_count--;
        if (waiter.queue != WORK)
            redrive_for_waiters(w);
        judge(w, waiter.queue, waiter.max, waiter.hide, false, &grant.received);
    }
    ref_age(w);
    redrive_for_waiters(w);
    /* Nobody waits for what is there. */
    for (int i = 0; i < w->waiter_count; i++)
        for (int k = 0; k < w->count; k++)
            CHECK(!can_be_received(w, &w->m[k], w->waiter[i].queue));
}

static void advance(struct world *w, int64_t by)
{
    int64_t until = w->now + by;
    for (;;) {
        int64_t at = sqs_next_at(w->s), want = ref_next_at(w);
        CHECK(at <= want);
        if (at > until)
            break;
        /* A message that nobody looked at since its retention ended may ring in vain. */
        if (at < want)
            w->vain++;
        w->rung++;
        w->now = at;
        ref_age(w);
        sqs_advance(w->s, at);
        take_grants(w);
    }
    w->now = until;
    ref_age(w);
}

/* ---- calls -------------------------------------------------------------------------------- */

static uint64_t pick(struct world *w, uint64_t n)
{
    return dice_below(&w->dice, n);
}

static void do_send(struct world *w)
{
    static const int64_t delay[] = {SQS_DEFAULT, SQS_DEFAULT, 0, 5 * S, 30 * S};
    struct sqs_outgoing out[SQS_BATCH_MAX];
    struct sqs_sent sent[SQS_BATCH_MAX];
    int q = (int)pick(w, QUEUES), count = 1 + (int)pick(w, SQS_BATCH_MAX);
    char text[SQS_BATCH_MAX][2][4];
    if (w->count + count > CAP)
        return;
    for (int i = 0; i < count; i++) {
        out[i] = (struct sqs_outgoing){.body = {(const char *)&w->now, 8},
                                       .delay_ns = delay[pick(w, 5)]};
        if (q != FIFO)
            continue;
        out[i].delay_ns = SQS_DEFAULT;
        snprintf(text[i][0], 4, "%c", (char)('a' + pick(w, 3)));
        snprintf(text[i][1], 4, "%d", (int)pick(w, 200));
        out[i].group = str_of(text[i][0]);
        out[i].dedup = str_of(text[i][1]);
    }
    enum sqs_fault fault =
        sqs_send(w->s, w->now, w->queue[q], true, out, count, sent, &w->err);
    CHECK(fault == SQS_OK);
    for (int i = 0; i < count; i++) {
        CHECK(sent[i].fault == SQS_OK);
        int dedup = q == FIFO ? atoi(text[i][1]) : -1;
        int known = -1;
        for (int k = 0; k < w->dedup_count && q == FIFO; k++)
            if (w->dedup[k].dedup == dedup && w->dedup[k].at + 300 * S > w->now)
                known = k;
        CHECK(sent[i].duplicate == (known >= 0));
        if (known >= 0) {
            CHECK(sent[i].id == w->dedup[known].id);
            w->stats[q].swallowed++;
            continue;
        }
        struct ref_message *m = &w->m[w->count++];
        CHECK(sent[i].id == (uint64_t)w->count);
        int64_t late = out[i].delay_ns == SQS_DEFAULT ? 0 : out[i].delay_ns;
        *m = (struct ref_message){.there = true,
                                  .id = sent[i].id,
                                  .queue = q,
                                  .state = late > 0 ? SQS_DELAYED : SQS_VISIBLE,
                                  .sent = w->now,
                                  .due = w->now + late,
                                  .group = q == FIFO ? text[i][0][0] : (char)0,
                                  .dedup = dedup};
        w->stats[q].sent++;
        if (q == FIFO) {
            w->dedup[w->dedup_count].dedup = dedup;
            w->dedup[w->dedup_count].id = m->id;
            w->dedup[w->dedup_count++].at = w->now;
        }
    }
}

static void do_receive(struct world *w)
{
    static const int64_t wait[] = {0, 0, 5 * S, 20 * S};
    static const int64_t hide[] = {SQS_DEFAULT, SQS_DEFAULT, SQS_DEFAULT, 0,
                                   10 * S,      30 * S,      45 * S};
    int q = (int)pick(w, QUEUES);
    struct sqs_receive r = {.max = 1 + (int)pick(w, SQS_BATCH_MAX),
                            .wait_ns = wait[pick(w, 4)],
                            .visibility_ns = hide[pick(w, 7)],
                            .cookie = w->next_cookie++};
    if (r.wait_ns > 0 && w->waiter_count == WAITERS)
        r.wait_ns = 0;
    int64_t hidden = r.visibility_ns == SQS_DEFAULT ? w->visibility[q] : r.visibility_ns;
    struct sqs_received got;
    enum sqs_fault fault =
        sqs_receive(w->s, w->now, dice_u(&w->dice), w->queue[q], &r, &got, &w->err);
    CHECK(fault == SQS_OK);
    if (!got.waiting) {
        judge(w, q, r.max, hidden, r.wait_ns == 0, &got);
        return;
    }
    CHECK(r.wait_ns > 0 && got.count == 0);
    int none[SQS_BATCH_MAX];
    if (!w->strict)
        redrive_for_waiters(w);
    if (q != FIFO && w->strict)
        CHECK(ref_pick(w, q, r.max, none) == 0);
    w->waiter[w->waiter_count++] =
        (struct ref_waiter){r.cookie, q, r.max, w->now + r.wait_ns, hidden};
}

static struct ref_message *owner_of(struct world *w, int q, struct sqs_receipt receipt)
{
    for (int i = 0; i < w->count; i++)
        if (w->m[i].there && w->m[i].queue == q && receipt.bits &&
            w->m[i].receipt == receipt.bits)
            return &w->m[i];
    return NULL;
}

static void do_delete(struct world *w)
{
    struct sqs_receipt receipt[SQS_BATCH_MAX];
    enum sqs_fault result[SQS_BATCH_MAX];
    int q = (int)pick(w, QUEUES), count = 1 + (int)pick(w, 4);
    /* The same receipt may come twice; where a delete may be lost that cannot be judged. */
    for (int i = 0; i < count; i++)
        receipt[i] = w->receipt[pick(w, RECEIPTS)].receipt;
    if (!w->strict)
        count = 1;
    CHECK(sqs_delete(w->s, w->now, dice_u(&w->dice), w->queue[q], receipt, count, result,
                     &w->err) == SQS_OK);
    for (int i = 0; i < count; i++) {
        struct ref_message *m = owner_of(w, q, receipt[i]);
        struct sqs_message still;
        if (!m) {
            CHECK(result[i] == SQS_OK);
            w->stats[q].silent_deletes++;
        } else if (q == FIFO && m->state != SQS_IN_FLIGHT) {
            CHECK(result[i] == SQS_RECEIPT_EXPIRED);
        } else if (sqs_lookup(w->s, w->queue[q], receipt[i], &still)) {
            CHECK(result[i] == SQS_OK && !w->strict); /* a lost delete */
            w->stats[q].undeleted++;
        } else {
            CHECK(result[i] == SQS_OK);
            m->there = false;
            w->stats[q].deleted++;
        }
    }
}

/* The message of the k-th receipt is still in the queue that gave it, and was received again. */
static bool is_superseded(struct world *w, int q, int k)
{
    if (q == FIFO || w->receipt[k].got_from != q || !w->receipt[k].receipt.bits)
        return false;
    for (int i = 0; i < w->count; i++)
        if (w->m[i].there && w->m[i].id == w->receipt[k].id)
            return w->m[i].queue == q && w->m[i].receipt;
    return false;
}

static void do_change(struct world *w)
{
    static const int64_t hide[] = {0, 10 * S, 30 * S, 45 * S, 43200 * S};
    int k = (int)pick(w, RECEIPTS), q = (int)pick(w, QUEUES);
    struct sqs_change change = {w->receipt[k].receipt, hide[pick(w, 5)]};
    if (pick(w, 4))
        q = w->receipt[k].queue;
    enum sqs_fault result;
    CHECK(sqs_change_visibility(w->s, w->now, w->queue[q], &change, 1, &result,
                                &w->err) == SQS_OK);
    struct ref_message *m = owner_of(w, q, change.receipt);
    if (!m && is_superseded(w, q, k)) {
        CHECK(result == SQS_OK);
        w->stats[q].silent_changes++;
    } else if (!m || (q == FIFO && m->state != SQS_IN_FLIGHT)) {
        CHECK(result == SQS_NOT_AVAILABLE);
    } else if (w->params.visibility_total_max_ns &&
               w->now + change.visibility_ns - m->received >
                   w->params.visibility_total_max_ns) {
        CHECK(result == SQS_VISIBILITY_TOTAL);
    } else {
        CHECK(result == SQS_OK);
        m->leaked = false;
        m->due = w->now + change.visibility_ns;
        m->state = change.visibility_ns ? SQS_IN_FLIGHT : SQS_VISIBLE;
    }
}

static void do_rarely(struct world *w)
{
    int q = (int)pick(w, QUEUES);
    if (pick(w, 8) == 0) {
        enum sqs_fault fault = sqs_purge(w->s, w->now, w->queue[q], &w->err);
        if (w->now - w->purged_at[q] < w->params.purge_interval_ns) {
            CHECK(fault == SQS_PURGE_IN_PROGRESS);
            return;
        }
        CHECK(fault == SQS_OK);
        w->purged_at[q] = w->now;
        if (q == FIFO)
            w->dedup_count = 0;
        for (int i = 0; i < w->count; i++)
            if (w->m[i].there && w->m[i].queue == q) {
                w->m[i].there = false;
                w->stats[q].purged++;
            }
    } else if (pick(w, 2) && w->waiter_count > 0) {
        int at = (int)pick(w, (uint64_t)w->waiter_count);
        CHECK(sqs_cancel(w->s, w->waiter[at].cookie) == SQS_CANCELLED);
        memmove(&w->waiter[at], &w->waiter[at + 1],
                (size_t)(w->waiter_count - at - 1) * sizeof *w->waiter);
        w->waiter_count--;
    } else {
        struct sqs_settings set = {.given = SQS_SET_VISIBILITY,
                                   .visibility_ns = (int64_t)(10 + pick(w, 40)) * S};
        CHECK(sqs_set(w->s, w->now, w->queue[q], &set, &w->err) == SQS_OK);
        w->visibility[q] = set.visibility_ns;
    }
}

/* ---- comparison ---------------------------------------------------------------------------- */

struct visit {
    struct world *w;
    int q, seen;
    int64_t last_sent;
};

static bool see(void *ctx, const struct sqs_message *message)
{
    struct visit *v = ctx;
    struct world *w = v->w;
    struct ref_message *m = ref_of(w, message->id);
    CHECK(m->there && m->queue == v->q);
    CHECK(message->state == m->state && message->sent_at_ns == m->sent);
    CHECK(message->receive_count == m->receives + m->earlier);
    CHECK(message->leaked == m->leaked || m->due <= w->now);
    CHECK(message->sent_at_ns >= v->last_sent);
    if (m->state != SQS_VISIBLE)
        CHECK(message->due_at_ns == m->due);
    v->last_sent = message->sent_at_ns;
    v->seen++;
    return true;
}

static void compare(struct world *w)
{
    int64_t total = 0;
    for (int q = 0; q < QUEUES; q++) {
        int64_t n[3] = {0, 0, 0}, all = 0;
        struct visit v = {w, q, 0, INT64_MIN};
        struct sqs_queue_info info;
        struct sqs_stats got;
        for (int i = 0; i < w->count; i++)
            if (w->m[i].there && w->m[i].queue == q) {
                n[w->m[i].state]++;
                all++;
            }
        CHECK(sqs_info(w->s, w->now, w->queue[q], &info, &w->err) == SQS_OK);
        CHECK(info.delayed == n[SQS_DELAYED] && info.visible == n[SQS_VISIBLE]);
        CHECK(info.in_flight == n[SQS_IN_FLIGHT]);
        sqs_visit(w->s, w->now, w->queue[q], see, &v);
        CHECK(v.seen == all);
        CHECK(sqs_stats(w->s, w->now, w->queue[q], &got) == SQS_OK);
        const struct sqs_stats *want = &w->stats[q];
        CHECK(got.sent == want->sent && got.deleted == want->deleted);
        CHECK(got.expired == want->expired && got.purged == want->purged);
        CHECK(got.moved_in == want->moved_in && got.moved_out == want->moved_out);
        CHECK(got.received == want->received && got.receives == want->receives);
        CHECK(got.empty_receives == want->empty_receives);
        CHECK(got.silent_deletes == want->silent_deletes);
        CHECK(got.silent_changes == want->silent_changes);
        CHECK(got.swallowed == want->swallowed && got.undeleted == want->undeleted);
        CHECK(got.duplicates == want->duplicates && got.redriven == want->redriven);
        /* No message is lost: every one has exactly one end. */
        CHECK(got.sent + got.moved_in ==
              got.deleted + got.expired + got.purged + got.moved_out + all);
        total += all;
    }
    CHECK(sqs_message_count(w->s) == total);
}

static int make(struct world *w, const char *name, struct sqs_settings settings)
{
    int q = -1;
    settings.given |= SQS_SET_RETENTION;
    CHECK(sqs_create(w->s, 0, str_of(name), &settings, &q, &w->err) == SQS_OK);
    return q;
}

static void start(struct world *w, uint64_t seed)
{
    dice_init(&w->dice, seed, "sqs", 0);
    w->now = 0;
    w->count = w->waiter_count = w->dedup_count = 0;
    w->next_cookie = 1;
    memset(w->stats, 0, sizeof w->stats);
    memset(w->receipt, 0, sizeof w->receipt);
    struct sqs_settings plain = {.retention_ns = retention_ns};
    struct sqs_settings brief = {.retention_ns = 60 * S};
    struct sqs_settings fifo = {
        .given = SQS_SET_FIFO, .fifo = true, .retention_ns = retention_ns};
    w->queue[DEAD] = make(w, "dead", plain);
    struct sqs_settings work = {.given = SQS_SET_REDRIVE,
                                .redrive_receives = 3,
                                .redrive_queue = w->queue[DEAD],
                                .retention_ns = retention_ns};
    w->queue[WORK] = make(w, "work", work);
    w->queue[SHORT] = make(w, "short", brief);
    w->queue[FIFO] = make(w, "q.fifo", fifo);
    for (int q = 0; q < QUEUES; q++) {
        w->visibility[q] = 30 * S;
        w->purged_at[q] = INT64_MIN / 2;
    }
}

static void run(struct world *w, int calls)
{
    static const int64_t step[] = {0, 0, 0, 1, 1 * S, 5 * S, 10 * S, 30 * S};
    for (int i = 0; i < calls; i++) {
        advance(w, step[pick(w, 8)]);
        switch (pick(w, 12)) {
        case 0:
        case 1:
            do_send(w);
            break;
        case 2:
        case 3:
        case 4:
        case 5:
            do_receive(w);
            break;
        case 6:
        case 7:
        case 8:
            do_delete(w);
            break;
        case 9:
        case 10:
            do_change(w);
            break;
        default:
            do_rarely(w);
        }
        take_grants(w);
        if (i % 16 == 0)
            compare(w);
    }
    compare(w);
}

static void worlds(struct world *w, int calls)
{
    struct seeds seeds = seeds_of(1, 13);
    w->s = sqs_new(&w->params);
    for (uint64_t seed = seeds.from; seed < seeds.to; seed++) {
        print_message("seed=%llu\n", (unsigned long long)seed);
        sqs_reset(w->s);
        start(w, seed);
        run(w, calls);
    }
    sqs_free(w->s);
    CHECK(w->rung > 40 * (int64_t)(seeds.to - seeds.from) && w->vain * 50 < w->rung);
}

static void strict_replies_are_predicted(void **state)
{
    (void)state;
    static struct world world;
    struct world *w = &world;
    CHECK(sqs_params_load("ideal", &w->params, &w->err) == JOBQ_OK);
    w->params.retention = true;
    w->strict = true;
    worlds(w, 2500);
}

static void loose_replies_are_allowed(void **state)
{
    (void)state;
    static struct world world;
    struct world *w = &world;
    CHECK(sqs_params_load("aws-2026", &w->params, &w->err) == JOBQ_OK);
    w->params.duplicate_rate = 0.1;
    w->params.undelete_rate = 0.1;
    w->params.reorder_rate = 0.3;
    w->strict = false;
    worlds(w, 2500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strict_replies_are_predicted),
        cmocka_unit_test(loose_replies_are_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
