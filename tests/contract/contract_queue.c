/* contract_queue.c - the queue port's promises (jobq/ports.h), one after the other. */
#include "tests/contract/contract.h"

#include "fiber/fiber.h"

static const struct jobq_queue_options plain = {.visibility_ns = 30 * JOBQ_NS_PER_S};

static int receive(struct contract *c, int queue, int max, int64_t wait_ns,
                   int64_t visibility_ns, struct jobq_message *out)
{
    struct jobq_receive how = {max, wait_ns, visibility_ns};
    struct jobq_error err;
    return jobq_queue_receive(c->b, queue, &how, &c->arena, out, &err);
}

/* Receives until `want` came or nothing more does: a receive may return fewer. */
static int receive_all(struct contract *c, int queue, int want, struct jobq_message *out)
{
    int got = 0;
    for (int i = 0; got < want && i < 12; i++) {
        int n = receive(c, queue, want - got < 10 ? want - got : 10, 2 * JOBQ_NS_PER_S,
                        -1, out + got);
        if (n < 0)
            return n;
        got += n;
    }
    return got;
}

static void names(struct contract *c, int *queue)
{
    struct jobq_error err;
    int again, other;
    const char *name = contract_name(c, "queue");
    WANT(c,
         jobq_queue_open(c->b, contract_name(c, "none"), &other, &err) == JOBQ_NOT_FOUND);
    WANT(c, jobq_queue_create(c->b, name, &plain, queue, &err) == JOBQ_OK);
    WANT(c, jobq_queue_open(c->b, name, &again, &err) == JOBQ_OK);
    WANT(c, jobq_queue_create(c->b, name, &plain, &again, &err) == JOBQ_OK);
    struct jobq_queue_options differs = plain;
    differs.visibility_ns = 60 * JOBQ_NS_PER_S;
    WANT(c, jobq_queue_create(c->b, name, &differs, &again, &err) == JOBQ_CONFLICT);
    struct jobq_queue_depth depth;
    WANT(c, jobq_queue_set_options(c->b, *queue, &differs, &err) == JOBQ_OK);
    WANT(c, jobq_queue_depth(c->b, *queue, &depth, &err) == JOBQ_OK);
    WANT(c, depth.visibility_ns == differs.visibility_ns);
    WANT(c, jobq_queue_set_options(c->b, *queue, &plain, &err) == JOBQ_OK);
}

static void one_message(struct contract *c, int queue)
{
    struct jobq_error err;
    struct jobq_message m[10];
    struct jobq_entry_result result[10];
    struct jobq_outgoing out = {.body = STR("one \"quoted\"\nl\xc3\xadne & <tag> \\")};
    int64_t before = jobq_wall(c->b);
    WANT(c, receive(c, queue, 10, 0, -1, m) == 0);
    WANT(c, jobq_queue_send(c->b, queue, &out, 1, result, &err) == JOBQ_OK);
    WANT(c, result[0].code == JOBQ_OK);
    if (!WANT(c, receive_all(c, queue, 1, m) == 1))
        return;
    WANT(c, str_eq(m[0].body, out.body));
    WANT(c, m[0].id.len > 0 && m[0].receipt.len > 0 && m[0].receive_count == 1);
    int64_t age = m[0].sent_wall_ns - before;
    WANT(c, age > -2 * JOBQ_NS_PER_S && age < 10 * JOBQ_NS_PER_S);
    /* Hidden from others while it is held; given back, it comes with another receipt. */
    WANT(c, receive(c, queue, 1, 0, -1, m + 1) == 0);
    struct jobq_visibility_change give_back = {m[0].receipt, 0};
    WANT(c,
         jobq_queue_set_visibility(c->b, queue, &give_back, 1, result, &err) == JOBQ_OK);
    if (!WANT(c, receive_all(c, queue, 1, m + 1) == 1))
        return;
    WANT(c, str_eq(m[1].id, m[0].id) && !str_eq(m[1].receipt, m[0].receipt));
    WANT(c, m[1].receive_count == 2);
    WANT(c, jobq_queue_remove(c->b, queue, &m[1].receipt, 1, result, &err) == JOBQ_OK);
    WANT(c, result[0].code == JOBQ_OK);
    /* A receipt whose message is gone owns nothing. */
    struct jobq_visibility_change late = {m[1].receipt, 10 * JOBQ_NS_PER_S};
    WANT(c, jobq_queue_set_visibility(c->b, queue, &late, 1, result, &err) == JOBQ_OK);
    WANT(c, result[0].code == JOBQ_NOT_FOUND);
}

static void batches(struct contract *c, int queue)
{
    struct jobq_error err;
    struct jobq_message m[10];
    struct jobq_outgoing out[10];
    struct jobq_entry_result result[10];
    struct jobq_visibility_change change[10];
    struct jobq_str receipt[10];
    char body[10][16];
    for (int i = 0; i < 10; i++) {
        snprintf(body[i], sizeof body[i], "message %d", i);
        out[i] = (struct jobq_outgoing){.body = str_of(body[i])};
        result[i].code = JOBQ_CORRUPT;
    }
    WANT(c, jobq_queue_send(c->b, queue, out, 10, result, &err) == JOBQ_OK);
    for (int i = 0; i < 10; i++)
        WANT(c, result[i].code == JOBQ_OK);
    if (!WANT(c, receive_all(c, queue, 10, m) == 10))
        return;
    bool seen[10] = {false};
    for (int i = 0; i < 10; i++) {
        int which = m[i].body.len == 9 ? m[i].body.ptr[8] - '0' : -1;
        if (WANT(c, which >= 0 && which < 10 && !seen[which]))
            seen[which] = true;
        change[i] = (struct jobq_visibility_change){m[i].receipt, 40 * JOBQ_NS_PER_S};
        receipt[i] = m[i].receipt;
    }
    struct jobq_queue_depth depth;
    WANT(c, jobq_queue_depth(c->b, queue, &depth, &err) == JOBQ_OK);
    WANT(c, depth.visible + depth.in_flight == 10);
    WANT(c, jobq_queue_set_visibility(c->b, queue, change, 10, result, &err) == JOBQ_OK);
    for (int i = 0; i < 10; i++)
        WANT(c, result[i].code == JOBQ_OK);
    /* Some of a batch may be deleted already: it succeeds all the same. */
    WANT(c, jobq_queue_remove(c->b, queue, receipt, 1, result, &err) == JOBQ_OK);
    WANT(c, jobq_queue_remove(c->b, queue, receipt, 10, result, &err) == JOBQ_OK);
    for (int i = 0; i < 10; i++)
        WANT(c, result[i].code == JOBQ_OK);
    WANT(c, receive(c, queue, 10, 0, -1, m) == 0);
}

static void times(struct contract *c, int queue)
{
    struct jobq_error err;
    struct jobq_message first, second;
    struct jobq_entry_result result;
    struct jobq_outgoing out = {.body = STR("late"), .delay_ns = 2 * JOBQ_NS_PER_S};
    WANT(c, jobq_queue_send(c->b, queue, &out, 1, &result, &err) == JOBQ_OK);
    WANT(c, receive(c, queue, 1, 0, -1, &first) == 0);
    /* A long poll waits for it and takes it for a second. */
    int64_t from = jobq_now(c->b);
    if (!WANT(c, receive(c, queue, 1, 10 * JOBQ_NS_PER_S, JOBQ_NS_PER_S, &first) == 1))
        return;
    int64_t took = jobq_now(c->b) - from;
    WANT(c, took > JOBQ_NS_PER_S && took < 6 * JOBQ_NS_PER_S);
    /* Its visibility runs out; the old receipt deletes nothing and says success. */
    if (!WANT(c, receive(c, queue, 1, 10 * JOBQ_NS_PER_S, -1, &second) == 1))
        return;
    WANT(c, second.receive_count == 2);
    WANT(c, jobq_queue_remove(c->b, queue, &first.receipt, 1, &result, &err) == JOBQ_OK);
    struct jobq_visibility_change back = {second.receipt, 0};
    WANT(c, jobq_queue_set_visibility(c->b, queue, &back, 1, &result, &err) == JOBQ_OK);
    if (WANT(c, receive_all(c, queue, 1, &second) == 1))
        WANT(c, jobq_queue_remove(c->b, queue, &second.receipt, 1, &result, &err) ==
                    JOBQ_OK);
    /* An empty long poll takes its wait. */
    from = jobq_now(c->b);
    WANT(c, receive(c, queue, 1, JOBQ_NS_PER_S, -1, &first) == 0);
    took = jobq_now(c->b) - from;
    WANT(c, took >= JOBQ_NS_PER_S * 9 / 10 && took < 4 * JOBQ_NS_PER_S);
}

static void dead_letters(struct contract *c)
{
    struct jobq_error err;
    struct jobq_message m;
    struct jobq_entry_result result;
    struct jobq_outgoing out = {.body = STR("poison")};
    int dead, queue;
    WANT(c, jobq_queue_create(c->b, contract_name(c, "dead"), &plain, &dead, &err) ==
                JOBQ_OK);
    struct jobq_queue_options redrive = plain;
    redrive.max_receive_count = 1;
    redrive.dead_queue = dead;
    WANT(c, jobq_queue_create(c->b, contract_name(c, "poison"), &redrive, &queue, &err) ==
                JOBQ_OK);
    WANT(c, jobq_queue_send(c->b, queue, &out, 1, &result, &err) == JOBQ_OK);
    if (WANT(c, receive_all(c, queue, 1, &m) == 1)) {
        struct jobq_visibility_change back = {m.receipt, 0};
        jobq_queue_set_visibility(c->b, queue, &back, 1, &result, &err);
        WANT(c, receive(c, queue, 1, JOBQ_NS_PER_S, -1, &m) == 0);
        if (WANT(c, receive_all(c, dead, 1, &m) == 1))
            WANT(c, str_is(m.body, "poison"));
    }
    struct jobq_queue_depth depth;
    WANT(c, jobq_queue_depth(c->b, queue, &depth, &err) == JOBQ_OK);
    WANT(c, depth.max_receive_count == 1);
    WANT(c, jobq_queue_purge(c->b, dead, &err) == JOBQ_OK);
}

struct aborted {
    struct contract *c;
    int queue, rc;
    bool done;
};

static void waiting_fiber(void *arg)
{
    struct aborted *a = arg;
    struct jobq_message m;
    a->rc = receive(a->c, a->queue, 1, 15 * JOBQ_NS_PER_S, -1, &m);
    a->done = true;
}

static void aborts(struct contract *c, int queue)
{
    struct aborted *a = arena_zalloc(&c->arena, sizeof *a);
    *a = (struct aborted){.c = c, .queue = queue};
    fiber_spawn(c->b->proc, waiting_fiber, a);
    contract_sleep(c, 300 * JOBQ_NS_PER_MS);
    int64_t from = jobq_now(c->b);
    jobq_queue_abort_receives(c->b);
    while (!a->done && jobq_now(c->b) - from < 5 * JOBQ_NS_PER_S)
        contract_sleep(c, 10 * JOBQ_NS_PER_MS);
    WANT(c, a->done && a->rc == JOBQ_CANCELLED);
    WANT(c, jobq_now(c->b) - from < 2 * JOBQ_NS_PER_S);
}

void contract_queue(struct contract *c)
{
    int queue = -1;
    names(c, &queue);
    one_message(c, queue);
    batches(c, queue);
    times(c, queue);
    dead_letters(c);
    aborts(c, queue);
}
