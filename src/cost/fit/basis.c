#include "cost/fit/basis.h"

#include "jobq/flow.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

/* Each term is one expression of scenario (sc), state (s) and parameters (p). With it:
 * its text, and its uncertainty: the relative standard deviation that the closed form
 * assumes (0: a count that follows from the settings). X(name, text, doubt, expression).
 * The uncertainties of times and batches are estimates, to be replaced by a fit's
 * residuals. */
#define TERMS(X)                                                                         \
    X(one, "1", 0, 1)                                                                    \
    X(sends, "1 / send batch", 0, 1 / s->send_batch)                                     \
    X(send_chunks, "64 KiB chunks of a send / send batch", 0,                            \
      terms_chunks(s->send_batch, s->body_bytes))                                        \
    X(receives, "attempts / receive batch", 0.05, s->attempts / s->receive_batch)        \
    X(receive_chunks, "attempts x chunks received / receive batch", 0.05,                \
      s->attempts *terms_chunks(s->receive_batch, s->body_bytes))                        \
    X(empties, "empty receives: 1 / (exp(rate x wait) - 1)", 0.2, s->empty)              \
    X(deletes, "1 / delete batch", 0.05, 1 / s->delete_batch)                            \
    X(beats, "attempts x floor(held / beat) / beat batch", 0.2, s->beats)                \
    X(retries, "attempts - 1", 0.05, s->attempts - 1)                                    \
    X(per_run, "1 / jobs", 0.05, sc->jobs > 0 ? 1 / sc->jobs : 0)                        \
    X(boxes_per_run, "boxes / jobs", 0.1, sc->jobs > 0 ? sc->boxes / sc->jobs : 0)       \
    X(domains_per_run, "domains made and dropped / jobs", 0.05, s->tables)               \
    X(house_rounds, "rounds of housekeeping / jobs", 0.2, s->house_rounds)               \
    X(house_asks, "asks whose turn it is / jobs", 0.2, s->house_asks)                    \
    X(house_looks, "looks at a queue without a round / jobs", 0.2, s->house_looks)       \
    X(single_rows, "share of rows put one by one", 0,                                    \
      terms_begun(sc) ? s->single_rows : 0)                                              \
    X(row_batches, "rows put in batches / row batch", 0,                                 \
      terms_begun(sc) ? (1 - s->single_rows) / s->row_batch : 0)                         \
    X(batched_rows, "share of rows put in batches", 0,                                   \
      terms_begun(sc) ? 1 - s->single_rows : 0)                                          \
    X(attempts, "attempts", 0, s->attempts)                                              \
    X(attempt_puts, "claims and final states: 2 x attempts, or 1", 0,                    \
      terms_simpledb(sc) ? s->job_puts : 0)                                              \
    X(attempt_cubes, "attempts x attributes^3 (claim and final)", 0,                     \
      terms_simpledb(sc) ? (sc->rows == PREDICT_ROWS_END                                 \
                                ? 0                                                      \
                                : s->attempts * terms_cube(JOBQ_FLOW_CLAIM_N)) +         \
                               s->job_puts / s->slot_puts *terms_cube(JOBQ_FLOW_FINAL_N) \
                         : 0)                                                            \
    X(refused_puts, "single puts that a domain refuses", 0.15,                           \
      terms_simpledb(sc) ? s->job_puts *(s->put_tries - 1) +                             \
                               s->enqueue_row * s->single_rows *(s->row_tries - 1)       \
                         : 0)                                                            \
    X(refused_batches, "batch puts that a domain refuses", 0.15,                         \
      terms_begun(sc) ? (1 - s->single_rows) / s->row_batch *(s->row_tries - 1) : 0)     \
    X(row_cubes, "row attributes^3, one by one", 0,                                      \
      terms_begun(sc) ? s->single_rows *terms_cube(s->row_attrs) : 0)                    \
    X(batched_cubes, "row attributes^3, in batches", 0,                                  \
      terms_begun(sc) ? (1 - s->single_rows) * terms_cube(s->row_attrs) : 0)             \
    X(reads, "row reads", 0, terms_simpledb(sc) ? s->reads : 0)                          \
    X(read_squares, "row reads x attributes^2", 0,                                       \
      terms_simpledb(sc) ? s->reads * s->get_attrs * s->get_attrs : 0)                   \
    X(write_units, "DynamoDB: row writes x its KiB then", 0, s->write_units)             \
    X(read_units, "DynamoDB: row reads x its read units", 0, s->read_units)              \
    X(wire_out, "bytes sent, by the calls above", 0.01, s->wire_out)                     \
    X(wire_in, "bytes received, by the calls above", 0.01, s->wire_in)                   \
    X(client_out, "bytes into AWS from the internet", 0.01, s->client_out)               \
    X(client_in, "bytes out of AWS to the internet", 0.01, s->client_in)                 \
    X(row_byte_hours, "row bytes billed: queued and held", 0.02,                         \
      sc->store == PREDICT_NO_STORE                                                      \
          ? 0                                                                            \
          : (s->queued_row_bytes * s->queued_s + s->row_bytes * s->hold_s) / 3600)       \
    X(kept_byte_hours, "row bytes billed: kept after the job", 0.02,                     \
      sc->store == PREDICT_NO_STORE ? 0 : s->row_bytes * sc->keep_s / 3600)              \
    X(job_slot, "attempts x job time x stretch / slots", 0.01,                           \
      terms_boxed(sc) ? s->attempts * sc->job_s * s->stretch / sc->slots : 0)            \
    X(put_slot, "claims and final states x put time / slots", 0.05,                      \
      terms_boxed(sc) ? s->job_puts * s->put_s / sc->slots : 0)                          \
    X(refused_slot, "attempts x refused puts and waits / slots", 0.1,                    \
      terms_boxed(sc) ? s->attempts * s->refused_s / sc->slots : 0)                      \
    X(idle, "boxes / rate - busy", 0.1, s->idle_s)                                       \
    X(boot, "boxes x boot / jobs", 0.1, s->boot_s)                                       \
    X(receive_slot, "attempts x receive time / slots", 0.05,                             \
      terms_boxed(sc) ? s->attempts * p->receive_s / sc->slots : 0)                      \
    X(per_slot, "1 / slots", 0.05, 1 / sc->slots)                                        \
    X(per_batch, "1 / batch", 0.05, 1 / sc->batch)                                       \
    X(polls_per_run, "boxes x makespan / wait / jobs", 0.2,                              \
      sc->jobs > 0 && sc->wait_s > 0 ? sc->boxes * s->makespan_s / sc->wait_s / sc->jobs \
                                     : 0)                                                \
    X(polls, "empty receives once the queue is empty", 0.06, s->polls)

static double terms_cube(double n)
{
    return n * n * n;
}

static bool terms_simpledb(const struct predict_scenario *sc)
{
    return sc->store == PREDICT_SIMPLEDB;
}

/* The enqueuer begins each job's row in SimpleDB. */
static bool terms_begun(const struct predict_scenario *sc)
{
    return terms_simpledb(sc) && sc->rows == PREDICT_ROWS_ALL;
}

static bool terms_boxed(const struct predict_scenario *sc)
{
    return strcmp(sc->instance, "none") != 0;
}

/* Chunks a message when `batch` messages of `body` bytes are sent together. A fractional
 * batch is a mix of the two neighbouring whole sizes. */
static double terms_chunks(double batch, double body)
{
    /* A ledger counts a payload past 1 MiB as 1 MiB. */
    double low = floor(batch), high_share = batch - low;
    double low_chunks = fmin(16, fmax(1, ceil(low * body / 65536)));
    double high_chunks = fmin(16, fmax(1, ceil((low + 1) * body / 65536)));
    return (low_chunks * (1 - high_share) + high_chunks * high_share) / batch;
}

#define TERM_VALUE(name, text, doubt, expression)                                        \
    static double value_##name(const struct predict_scenario *sc,                        \
                               const struct predict_state *s,                            \
                               const struct predict_params *p)                           \
    {                                                                                    \
        (void)sc;                                                                        \
        (void)s;                                                                         \
        (void)p;                                                                         \
        return expression;                                                               \
    }
TERMS(TERM_VALUE)

enum {
#define TERM_ENUM(name, text, doubt, expression) T_##name,
    TERMS(TERM_ENUM) T_COUNT
};

static const struct term LIBRARY[T_COUNT] = {
#define TERM_ROW(name, text, doubt, expression) {#name, text, doubt, value_##name},
    TERMS(TERM_ROW)};

_Static_assert(T_COUNT <= TERMS_MAX, "TERMS_MAX");

const struct term *terms_at(int index)
{
    assert(index >= 0 && index < TERMS_MAX);
    return &LIBRARY[index];
}

int terms_find(const char *name)
{
    for (int i = 0; i < T_COUNT; i++)
        if (strcmp(LIBRARY[i].name, name) == 0)
            return i;
    return -1;
}

double terms_doubt(int index, const struct predict_scenario *sc,
                   const struct predict_state *state)
{
    if ((index == T_receives || index == T_receive_chunks) && state->receive_batch <= 1)
        return 0;
    if (index == T_deletes && (state->delete_batch <= 1 || sc->batch <= 1))
        return 0;
    return LIBRARY[index].doubt;
}

/* BoxUsage, machine hours: PutAttributes 0.0000219907 + 2e-10 N^3, BatchPutAttributes 0.7
 * of the sum of that, GetAttributes 0.0000093202 + 2e-9 N^2, CreateDomain 0.0055590278.
 * Sources: daemonology.net 2008-06-25 and recorded responses of 2011-10-07. */
#define PUT_HOURS 0.0000219907
#define PUT_CUBE_HOURS 2e-10
#define GET_HOURS 0.0000093202
#define GET_SQUARE_HOURS 2e-9
#define DOMAIN_HOURS 0.0055590278
#define LIST_HOURS 0.0000071759
#define SELECT_HOURS 0.0000137200 /* that finds nothing */

static const struct {
    enum usage_line line;
    int term;
    double coefficient;
} CLOSED[] = {
    {USAGE_SEND, T_sends, 1},
    {USAGE_SEND_CHUNKS, T_send_chunks, 1},
    {USAGE_RECEIVE, T_receives, 1},
    {USAGE_RECEIVE, T_empties, 1},
    {USAGE_RECEIVE, T_polls, 1},
    {USAGE_RECEIVE, T_boxes_per_run, 2}, /* polls cut off by the end of the run */
    {USAGE_RECEIVE_CHUNKS, T_receive_chunks, 1},
    {USAGE_RECEIVE_CHUNKS, T_empties, 1},
    {USAGE_RECEIVE_CHUNKS, T_polls, 1},
    {USAGE_RECEIVE_CHUNKS, T_boxes_per_run, 2},
    {USAGE_EMPTY, T_empties, 1},
    {USAGE_EMPTY, T_polls, 1},
    {USAGE_DELETE, T_deletes, 1},
    {USAGE_VISIBILITY, T_beats, 1},
    {USAGE_VISIBILITY, T_retries, 1},
    {USAGE_QUEUE_OTHER, T_per_run, 2},
    {USAGE_QUEUE_OTHER, T_boxes_per_run, 2},
    {USAGE_QUEUE_OTHER, T_house_rounds, 1},
    {USAGE_PUT, T_single_rows, 1},
    {USAGE_PUT, T_attempt_puts, 1},
    {USAGE_PUT, T_refused_puts, 1},
    {USAGE_PUT_BATCH, T_row_batches, 1},
    {USAGE_PUT_BATCH, T_refused_batches, 1},
    {USAGE_GET, T_reads, 1},
    {USAGE_GET, T_house_asks, 1},
    {USAGE_PUT, T_house_rounds, 1},
    {USAGE_SELECT, T_house_rounds, 1},
    {USAGE_STORE_OTHER, T_domains_per_run, 1},
    {USAGE_STORE_OTHER, T_house_rounds, 2},
    {USAGE_STORE_OTHER, T_house_looks, 1},
    {USAGE_BOX_PUT, T_single_rows, PUT_HOURS},
    {USAGE_BOX_PUT, T_attempt_puts, PUT_HOURS},
    {USAGE_BOX_PUT, T_refused_puts, PUT_HOURS}, /* an error is billed without the cubic
                                                 * term */
    {USAGE_BOX_PUT, T_row_cubes, PUT_CUBE_HOURS},
    {USAGE_BOX_PUT, T_attempt_cubes, PUT_CUBE_HOURS},
    {USAGE_BOX_PUT_BATCH, T_batched_rows, 0.7 * PUT_HOURS},
    {USAGE_BOX_PUT_BATCH, T_batched_cubes, 0.7 * PUT_CUBE_HOURS},
    {USAGE_BOX_PUT_BATCH, T_refused_batches, PUT_HOURS},
    {USAGE_BOX_GET, T_reads, GET_HOURS},
    {USAGE_BOX_GET, T_read_squares, GET_SQUARE_HOURS},
    {USAGE_BOX_GET, T_house_asks, GET_HOURS},
    {USAGE_BOX_PUT, T_house_rounds, PUT_HOURS},
    {USAGE_BOX_SELECT, T_house_rounds, SELECT_HOURS},
    {USAGE_BOX_OTHER, T_domains_per_run, DOMAIN_HOURS},
    {USAGE_BOX_OTHER, T_house_rounds, 2 * LIST_HOURS},
    {USAGE_BOX_OTHER, T_house_looks, LIST_HOURS},
    {USAGE_WRITE_UNITS, T_write_units, 1},
    {USAGE_READ_UNITS, T_read_units, 1},
    {USAGE_WIRE_OUT, T_wire_out, 1},
    {USAGE_WIRE_IN, T_wire_in, 1},
    {USAGE_CLIENT_OUT, T_client_out, 1},
    {USAGE_CLIENT_IN, T_client_in, 1},
    {USAGE_STORE_BYTE_HOURS, T_row_byte_hours, 1},
    {USAGE_STORE_BYTE_HOURS, T_kept_byte_hours, 1},
    {USAGE_BUSY, T_job_slot, 1},
    {USAGE_BUSY, T_put_slot, 1},
    {USAGE_BUSY, T_refused_slot, 1},
    {USAGE_IDLE, T_idle, 1},
    {USAGE_BOOT, T_boot, 1},
    {USAGE_ATTEMPTS, T_attempts, 1},
};

int terms_closed(enum usage_line line, int term[TERMS_LINE_MAX],
                 double coefficient[TERMS_LINE_MAX])
{
    assert(line >= 0 && line < USAGE_LINE_COUNT);
    int count = 0;
    for (size_t i = 0; i < sizeof CLOSED / sizeof *CLOSED; i++)
        if (CLOSED[i].line == line) {
            term[count] = CLOSED[i].term;
            coefficient[count++] = CLOSED[i].coefficient;
        }
    return count;
}

static const struct {
    enum usage_line line;
    int term;
} CANDIDATES[] = {
    {USAGE_RECEIVE, T_per_batch},
    {USAGE_RECEIVE, T_one},
    {USAGE_RECEIVE_CHUNKS, T_per_batch},
    {USAGE_EMPTY, T_boxes_per_run},
    {USAGE_DELETE, T_boxes_per_run},
    {USAGE_DELETE, T_per_batch},
    {USAGE_DELETE, T_one},
    {USAGE_VISIBILITY, T_boxes_per_run},
    {USAGE_SEND, T_per_run},
    {USAGE_PUT_BATCH, T_per_run},
    {USAGE_GET, T_boxes_per_run},
    {USAGE_BUSY, T_receive_slot},
    {USAGE_BUSY, T_per_slot},
    {USAGE_IDLE, T_receive_slot},
    {USAGE_IDLE, T_boxes_per_run},
    {USAGE_IDLE, T_per_slot},
    {USAGE_BOOT, T_boxes_per_run},
    {USAGE_WIRE_OUT, T_receives},
    {USAGE_WIRE_OUT, T_one},
    {USAGE_WIRE_IN, T_receives},
    {USAGE_WIRE_IN, T_one},
    {USAGE_CLIENT_OUT, T_one},
    {USAGE_CLIENT_IN, T_one},
};

int terms_candidates(enum usage_line line, int term[TERMS_LINE_MAX])
{
    assert(line >= 0 && line < USAGE_LINE_COUNT);
    int count = 0;
    for (size_t i = 0; i < sizeof CANDIDATES / sizeof *CANDIDATES; i++)
        if (CANDIDATES[i].line == line && count < TERMS_LINE_MAX)
            term[count++] = CANDIDATES[i].term;
    return count;
}
