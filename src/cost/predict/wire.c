#include "cost/predict/wire.h"

#include "jobq/flow.h"
#include "wire/http/wire_bytes.h"

#include <math.h>

/* Bytes of "running 1/", a token of 8, a dot and a count of three digits, as they are
 * percent-encoded: blank and '/' cost two more each. */
#define RUNNING (10 + 12 + 4)

struct bytes {
    double out, in;
};

/* What all calls of a scenario share; lengths in bytes. */
struct names {
    struct size_client client;
    int64_t queue, domain, item;
    int64_t body;        /* of a message, as a JSON string */
    int64_t encoded;     /* of the job in its row, as query values */
    int64_t time_digits; /* of a job time in nanoseconds */
    int pieces;
};

static void wire_add(struct bytes *sum, struct size_call call, double times)
{
    sum->out += (double)call.out * times;
    sum->in += (double)call.in * times;
}

/* A mean batch of 3.4 is a mix of batches of 3 and of 4: calls a message of each. */
static void wire_split(double batch, int *low, double *low_calls, double *high_calls)
{
    if (batch < 1)
        batch = 1;
    *low = (int)batch;
    double high_share = batch - *low; /* of the calls */
    *low_calls = (1 - high_share) / batch;
    *high_calls = high_share / batch;
}

static void add_sends(const struct names *n, const struct predict_state *s,
                      struct bytes *sum)
{
    int low;
    double calls[2];
    wire_split(s->send_batch, &low, &calls[0], &calls[1]);
    for (int i = 0; i < 2; i++)
        if (calls[i] > 0)
            wire_add(sum,
                     size_send(&n->client, n->queue, low + i, n->body * (low + i), 0, 0),
                     calls[i]);
}

static void add_receives(const struct names *n, const struct predict_scenario *sc,
                         const struct predict_params *p, const struct predict_state *s,
                         struct bytes *sum)
{
    int low, max = (int)sc->batch;
    double calls[2];
    int64_t wait = p->long_poll > 0 ? (int64_t)sc->wait_s : 0;
    wire_split(s->receive_batch, &low, &calls[0], &calls[1]);
    for (int i = 0; i < 2; i++)
        if (calls[i] > 0)
            wire_add(sum,
                     size_receive(&n->client, n->queue, max, wait, -1, low + i,
                                  n->body * (low + i), low + i),
                     calls[i] * s->attempts);
    wire_add(sum, size_receive(&n->client, n->queue, max, wait, -1, 0, 0, 0), s->empty);
}

static void add_deletes(const struct names *n, const struct predict_state *s,
                        struct bytes *sum)
{
    int low;
    double calls[2];
    wire_split(s->delete_batch, &low, &calls[0], &calls[1]);
    for (int i = 0; i < 2; i++)
        if (calls[i] > 0)
            wire_add(sum, size_remove(&n->client, n->queue, low + i), calls[i]);
}

static void wire_put_row(const struct names *n, struct size_attrs *attrs)
{
    size_attr(attrs, 1, 13, true); /* t=MS */
    for (int i = 0; i < n->pieces; i++)
        size_attr(attrs, 1 + size_digits(i),
                  i + 1 < n->pieces
                      ? n->encoded / n->pieces
                      : n->encoded - n->encoded / n->pieces * (n->pieces - 1),
                  true);
}

static void add_rows(const struct names *n, const struct predict_state *s,
                     struct bytes *sum)
{
    int low;
    double calls[2];
    if (s->single_rows > 0) {
        struct size_attrs attrs = {0};
        wire_put_row(n, &attrs);
        wire_add(sum, size_put(&n->client, n->domain, n->item, &attrs, -1, -1),
                 s->single_rows * s->row_tries);
    }
    if (s->single_rows >= 1)
        return;
    wire_split(s->row_batch, &low, &calls[0], &calls[1]);
    for (int i = 0; i < 2; i++) {
        struct size_attrs attrs = {0};
        for (int row = 0; row < low + i && calls[i] > 0; row++) {
            size_item(&attrs, n->item);
            wire_put_row(n, &attrs);
        }
        if (calls[i] > 0)
            wire_add(sum, size_put_batch(&n->client, n->domain, &attrs),
                     calls[i] * (1 - s->single_rows) * s->row_tries);
    }
}

/* Values as they are percent-encoded: '/' and each blank cost two bytes more. */
static void add_attempt_puts(const struct names *n, const struct predict_scenario *sc,
                             const struct predict_state *s, struct bytes *sum)
{
    struct size_attrs claim = {0}, final = {0};
    size_attr(&claim, 5, RUNNING, true); /* claim=running 1/TOKEN.COUNT */
    size_attr(&claim, 3, 70 + 4, true);  /* run=MS BOX MESSAGE */
    bool ends = sc->rows == PREDICT_ROWS_END;
    double puts = s->job_puts / s->slot_puts * s->put_tries;
    if (!ends)
        wire_add(sum, size_put(&n->client, n->domain, n->item, &claim, 5, -1), puts);
    size_attr(&final, 5, RUNNING - 3, true); /* claim=done 1/TOKEN.COUNT */
    /* end=MS EXIT WALL_NS CPU_NS, with three blanks. */
    size_attr(&final, 3, 13 + 1 + 2 * n->time_digits + 3 + 6, true);
    wire_add(sum,
             size_put(&n->client, n->domain, n->item, &final, 5, ends ? -1 : RUNNING),
             puts);
}

void predict_wire(const struct predict_scenario *sc, const struct predict_params *p,
                  struct predict_state *s)
{
    struct names n = {.queue = (int64_t)p->queue_bytes,
                      .domain = (int64_t)p->queue_bytes + 6,
                      .item = (int64_t)p->queue_bytes + JOBQ_FLOW_ID_SUFFIX,
                      .pieces = (int)s->payload_attrs};
    struct bytes client = {0}, box = {0};
    size_client_init(&n.client, "us-east-1",
                     sc->session_token ? (int64_t)p->token_bytes : 0);
    n.time_digits = size_digits((int64_t)fmin(9e18, sc->job_s * 1e9));
    /* The contract's head has ten digits of job time. A newline is "\n" in JSON; blank,
     * newline and '=' are %XX in a query. */
    int64_t head = n.time_digits - 10;
    bool stored = s->body_bytes < sc->payload_bytes;
    n.body = (int64_t)s->body_bytes + head + !stored;
    n.encoded =
        (int64_t)(JOBQ_FLOW_MESSAGE_BYTES - 1 + 6 + sc->payload_bytes * sc->expansion) +
        head;
    add_sends(&n, s, &client);
    add_receives(&n, sc, p, s, &box);
    add_deletes(&n, s, &box);
    if (s->beats > 0) {
        int together = (int)(s->beat_batch + 0.5);
        int64_t digits = size_digits((int64_t)sc->visibility_s);
        wire_add(&box,
                 size_set_visibility(&n.client, n.queue, together, together * digits),
                 s->beats);
    }
    if (sc->store == PREDICT_SIMPLEDB) {
        if (s->enqueue_row > 0)
            add_rows(&n, s, &client);
        add_attempt_puts(&n, sc, s, &box);
        if (s->reads > 0)
            wire_add(sc->status_per_job > 0 ? &client : &box,
                     size_get(&n.client, n.domain, n.item, 0, 0, true, (int)s->get_attrs,
                              (int64_t)(s->row_bytes - 45 * (s->get_attrs + 1))),
                     s->reads);
    }
    if (sc->jobs > 0 && sc->store == PREDICT_SIMPLEDB)
        wire_add(&client, size_create_domain(&n.client, n.domain),
                 sc->domains / sc->jobs);
    s->wire_out = client.out + box.out;
    s->wire_in = client.in + box.in;
    s->client_out = sc->client_internet ? client.out : 0;
    s->client_in = sc->client_internet ? client.in : 0;
}
