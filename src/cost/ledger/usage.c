#include "cost/ledger/usage.h"

#include "base/text.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define CHUNK_KIB 64

static const struct {
    const char *name, *unit;
} LINES[USAGE_LINE_COUNT] = {
#define LINE_ROW(id, name, unit) {name, unit},
    USAGE_LINES(LINE_ROW)
#undef LINE_ROW
};

const char *usage_line_name(enum usage_line line)
{
    assert(line >= 0 && line < USAGE_LINE_COUNT);
    return LINES[line].name;
}

const char *usage_line_unit(enum usage_line line)
{
    assert(line >= 0 && line < USAGE_LINE_COUNT);
    return LINES[line].unit;
}

int usage_line_find(const char *name)
{
    for (int i = 0; i < USAGE_LINE_COUNT; i++)
        if (strcmp(LINES[i].name, name) == 0)
            return i;
    return -1;
}

/* ---- from a ledger ------------------------------------------------------------------ */

/* The line that counts an action's requests, and the one that has its BoxUsage or -1. */
static int request_line(int action, int *box)
{
    *box = -1;
    switch ((enum jobq_action)action) {
    case JOBQ_ACT_SQS_SEND:
    case JOBQ_ACT_SQS_SEND_BATCH:
        return USAGE_SEND;
    case JOBQ_ACT_SQS_RECEIVE:
        return USAGE_RECEIVE;
    case JOBQ_ACT_SQS_DELETE:
    case JOBQ_ACT_SQS_DELETE_BATCH:
        return USAGE_DELETE;
    case JOBQ_ACT_SQS_VISIBILITY:
    case JOBQ_ACT_SQS_VISIBILITY_BATCH:
        return USAGE_VISIBILITY;
    case JOBQ_ACT_SDB_PUT:
        *box = USAGE_BOX_PUT;
        return USAGE_PUT;
    case JOBQ_ACT_SDB_PUT_BATCH:
        *box = USAGE_BOX_PUT_BATCH;
        return USAGE_PUT_BATCH;
    case JOBQ_ACT_SDB_GET:
        *box = USAGE_BOX_GET;
        return USAGE_GET;
    case JOBQ_ACT_SDB_SELECT:
        *box = USAGE_BOX_SELECT;
        return USAGE_SELECT;
    case JOBQ_ACT_SQS_GET_ATTRIBUTES:
    case JOBQ_ACT_SQS_SET_ATTRIBUTES:
    case JOBQ_ACT_SQS_CREATE_QUEUE:
    case JOBQ_ACT_SQS_DELETE_QUEUE:
    case JOBQ_ACT_SQS_GET_URL:
    case JOBQ_ACT_SQS_LIST_QUEUES:
    case JOBQ_ACT_SQS_PURGE:
        return USAGE_QUEUE_OTHER;
    case JOBQ_ACT_SDB_CREATE_DOMAIN:
    case JOBQ_ACT_SDB_DELETE_DOMAIN:
    case JOBQ_ACT_SDB_LIST_DOMAINS:
    case JOBQ_ACT_SDB_METADATA:
    case JOBQ_ACT_SDB_DELETE:
    case JOBQ_ACT_SDB_DELETE_BATCH:
        *box = USAGE_BOX_OTHER;
        return USAGE_STORE_OTHER;
    case JOBQ_ACT_DDB_PUT:
    case JOBQ_ACT_DDB_UPDATE:
    case JOBQ_ACT_DDB_GET:
    case JOBQ_ACT_DDB_DELETE:
    case JOBQ_ACT_DDB_PUT_BATCH:
    case JOBQ_ACT_DDB_GET_BATCH:
    case JOBQ_ACT_DDB_QUERY:
    case JOBQ_ACT_DDB_SCAN:
    case JOBQ_ACT_DDB_TRANSACT:
    case JOBQ_ACT_DDB_CREATE_TABLE:
    case JOBQ_ACT_DDB_DELETE_TABLE:
    case JOBQ_ACT_DDB_DESCRIBE_TABLE:
    case JOBQ_ACT_EC2_RUN:
    case JOBQ_ACT_EC2_TERMINATE:
    case JOBQ_ACT_EC2_DESCRIBE:
    case JOBQ_ACT_EC2_TAG:
    case JOBQ_ACTION_COUNT:
        break;
    }
    return -1; /* DynamoDB bills units, not calls; EC2 calls are free */
}

/* Chunks of `requests` requests with the payload sizes in the histogram. Requests that
 * are not in it (deletes, empty receives) are one chunk each. */
static double usage_chunks(const int64_t *kib, double requests)
{
    double extra = 0;
    for (int i = CHUNK_KIB + 1; i < JOBQ_PAYLOAD_BUCKETS; i++)
        if (kib[i])
            extra += (double)kib[i] * ((i + CHUNK_KIB - 1) / CHUNK_KIB - 1);
    return requests + extra;
}

static void usage_add_instances(const struct jobq_ledger *ledger, double *line)
{
    for (int64_t i = 0; i < ledger->instance_count; i++) {
        const struct jobq_instance_use *use = &ledger->instance[i];
        double whole = (double)(use->ended_at_ns - use->running_at_ns) / 1e9;
        /* An instance that never became ready has no ready_at_ns. */
        int64_t ready_at_ns =
            use->ready_at_ns < use->running_at_ns ? use->ended_at_ns : use->ready_at_ns;
        double boot = (double)(ready_at_ns - use->running_at_ns) / 1e9;
        if (whole < 0)
            whole = 0;
        if (boot < 0)
            boot = 0;
        if (boot > whole)
            boot = whole;
        double slots = use->slots > 0 ? (double)use->slots : 1;
        double busy = (double)use->busy_slot_ns / 1e9 / slots;
        if (busy > whole - boot)
            busy = whole - boot;
        line[USAGE_BUSY] += busy;
        line[USAGE_BOOT] += boot;
        line[USAGE_IDLE] += whole - boot - busy;
        line[USAGE_CPU] += (double)use->cpu_ns / 1e9;
    }
}

void usage_from_ledger(const struct jobq_ledger *ledger, struct usage *out)
{
    double *line = out->line;
    memset(out, 0, sizeof *out);
    if (jobq_ledger_finished(ledger) <= 0)
        return;
    for (int i = 0; i < JOBQ_ACTION_COUNT; i++) {
        const struct jobq_usage *a = &ledger->action[i];
        int box, at = request_line(i, &box);
        if (at < 0)
            continue;
        line[at] += (double)a->requests;
        if (box >= 0)
            line[box] += (double)a->box_usage_e10h * 1e-10;
        line[USAGE_WIRE_OUT] += (double)a->bytes_out;
        line[USAGE_WIRE_IN] += (double)a->bytes_in;
    }
    line[USAGE_EMPTY] = (double)ledger->action[JOBQ_ACT_SQS_RECEIVE].empty;
    line[USAGE_SEND_CHUNKS] = usage_chunks(ledger->send_kib, line[USAGE_SEND]);
    line[USAGE_RECEIVE_CHUNKS] = usage_chunks(ledger->receive_kib, line[USAGE_RECEIVE]);
    line[USAGE_WRITE_UNITS] = ledger->write_units;
    line[USAGE_READ_UNITS] = ledger->read_units;
    line[USAGE_CLIENT_OUT] = (double)ledger->internet_in_bytes;
    line[USAGE_CLIENT_IN] = (double)ledger->internet_out_bytes;
    line[USAGE_STORE_BYTE_HOURS] = ledger->store_byte_hours + ledger->table_byte_hours;
    line[USAGE_VOLUME] = ledger->volume_gib_hours;
    line[USAGE_IPV4] = ledger->ipv4_hours;
    line[USAGE_ATTEMPTS] = (double)ledger->attempts;
    usage_add_instances(ledger, line);
    for (int i = 0; i < USAGE_LINE_COUNT; i++)
        line[i] /= (double)jobq_ledger_finished(ledger);
}

/* ---- to a ledger ---------------------------------------------------------------------- */

static int64_t usage_whole(double amount)
{
    if (!(amount > 0))
        return 0;
    return amount < 9e18 ? (int64_t)(amount + 0.5) : INT64_MAX;
}

/* Spreads requests over two neighbouring chunk counts so that their total is right, with
 * payloads at the upper end of each chunk. full: requests that have a payload. */
static void put_chunks(int64_t *kib, double full, double extra_chunks)
{
    if (full <= 0)
        return;
    double mean = 1 + (extra_chunks > 0 ? extra_chunks / full : 0);
    int64_t low = (int64_t)mean;
    if (low > 15)
        low = 15;
    int64_t above = usage_whole(full * (mean - (double)low));
    int64_t below = usage_whole(full) - above;
    kib[low * CHUNK_KIB] += below > 0 ? below : 0;
    kib[(low + 1) * CHUNK_KIB] += above;
}

static void usage_put_action(struct jobq_ledger *ledger, enum jobq_action action,
                             double requests, double box_hours)
{
    ledger->action[action].requests += usage_whole(requests);
    ledger->action[action].box_usage_e10h += usage_whole(box_hours * 1e10);
}

static void put_instances(const struct usage *usage, double jobs,
                          const struct usage_shape *shape, struct jobq_ledger *ledger)
{
    const double *line = usage->line;
    double total = jobs * (line[USAGE_BUSY] + line[USAGE_IDLE] + line[USAGE_BOOT]);
    if (!shape->instance || strcmp(shape->instance, "none") == 0 || total <= 0)
        return;
    int64_t boxes = shape->instances > 0 ? shape->instances : 1;
    double share = jobs / (double)boxes * 1e9;
    for (int64_t i = 0; i < boxes; i++) {
        struct jobq_instance_use *use = jobq_ledger_instance(ledger);
        text_escape(shape->instance, (int64_t)strlen(shape->instance), use->type,
                    sizeof use->type);
        use->spot = shape->spot;
        use->slots = shape->slots > 0 ? shape->slots : 1;
        use->ready_at_ns = usage_whole(share * line[USAGE_BOOT]);
        use->ended_at_ns =
            use->ready_at_ns + usage_whole(share * (line[USAGE_BUSY] + line[USAGE_IDLE]));
        use->busy_slot_ns = usage_whole(share * line[USAGE_BUSY] * (double)use->slots);
        use->cpu_ns = usage_whole(share * line[USAGE_CPU]);
    }
}

void usage_to_ledger(const struct usage *usage, double jobs,
                     const struct usage_shape *shape, struct jobq_ledger *ledger)
{
    assert(usage && ledger && jobs > 0);
    const double *line = usage->line;
    usage_put_action(ledger,
                     shape->batch_sends ? JOBQ_ACT_SQS_SEND_BATCH : JOBQ_ACT_SQS_SEND,
                     jobs * line[USAGE_SEND], 0);
    usage_put_action(ledger, JOBQ_ACT_SQS_RECEIVE, jobs * line[USAGE_RECEIVE], 0);
    ledger->action[JOBQ_ACT_SQS_RECEIVE].empty += usage_whole(jobs * line[USAGE_EMPTY]);
    usage_put_action(
        ledger, shape->batch_deletes ? JOBQ_ACT_SQS_DELETE_BATCH : JOBQ_ACT_SQS_DELETE,
        jobs * line[USAGE_DELETE], 0);
    usage_put_action(ledger,
                     shape->batch_beats ? JOBQ_ACT_SQS_VISIBILITY_BATCH
                                        : JOBQ_ACT_SQS_VISIBILITY,
                     jobs * line[USAGE_VISIBILITY], 0);
    usage_put_action(ledger, JOBQ_ACT_SQS_GET_ATTRIBUTES, jobs * line[USAGE_QUEUE_OTHER],
                     0);
    usage_put_action(ledger, JOBQ_ACT_SDB_PUT, jobs * line[USAGE_PUT],
                     jobs * line[USAGE_BOX_PUT]);
    usage_put_action(ledger, JOBQ_ACT_SDB_PUT_BATCH, jobs * line[USAGE_PUT_BATCH],
                     jobs * line[USAGE_BOX_PUT_BATCH]);
    usage_put_action(ledger, JOBQ_ACT_SDB_GET, jobs * line[USAGE_GET],
                     jobs * line[USAGE_BOX_GET]);
    usage_put_action(ledger, JOBQ_ACT_SDB_SELECT, jobs * line[USAGE_SELECT],
                     jobs * line[USAGE_BOX_SELECT]);
    usage_put_action(ledger, JOBQ_ACT_SDB_CREATE_DOMAIN, jobs * line[USAGE_STORE_OTHER],
                     jobs * line[USAGE_BOX_OTHER]);
    put_chunks(ledger->send_kib, jobs * line[USAGE_SEND],
               jobs * (line[USAGE_SEND_CHUNKS] - line[USAGE_SEND]));
    put_chunks(ledger->receive_kib, jobs * (line[USAGE_RECEIVE] - line[USAGE_EMPTY]),
               jobs * (line[USAGE_RECEIVE_CHUNKS] - line[USAGE_RECEIVE]));
    /* A usage does not say which calls the bytes belong to: they are put with the
     * sends. */
    struct jobq_usage *wire =
        &ledger->action[shape->batch_sends ? JOBQ_ACT_SQS_SEND_BATCH : JOBQ_ACT_SQS_SEND];
    wire->bytes_out += usage_whole(jobs * line[USAGE_WIRE_OUT]);
    wire->bytes_in += usage_whole(jobs * line[USAGE_WIRE_IN]);
    wire->entries += usage_whole(jobs);
    ledger->internet_in_bytes += usage_whole(jobs * line[USAGE_CLIENT_OUT]);
    ledger->internet_out_bytes += usage_whole(jobs * line[USAGE_CLIENT_IN]);
    bool table = shape->table || (line[USAGE_WRITE_UNITS] > 0 && !(line[USAGE_PUT] > 0));
    *(table ? &ledger->table_byte_hours : &ledger->store_byte_hours) +=
        jobs * line[USAGE_STORE_BYTE_HOURS];
    ledger->volume_gib_hours += jobs * line[USAGE_VOLUME];
    ledger->ipv4_hours += jobs * line[USAGE_IPV4];
    ledger->write_units += jobs * line[USAGE_WRITE_UNITS];
    ledger->read_units += jobs * line[USAGE_READ_UNITS];
    ledger->jobs[JOBQ_JOBS_DONE] += usage_whole(jobs);
    ledger->attempts += usage_whole(jobs * line[USAGE_ATTEMPTS]);
    put_instances(usage, jobs, shape, ledger);
}
