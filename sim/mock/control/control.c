#include "sim/mock/control/control.h"

#include "cost/bill/bill.h"
#include "cost/ledger/ledger_json.h"
#include "models/sqs/admin.h"
#include "pricing/sheet.h"
#include "sim/mock/server/respond.h"
#include "sim/mock/ec2/boxes.h"
#include "sim/mock/control/faults.h"
#include "sim/mock/control/meter.h"
#include "sim/mock/sqs/receive.h"
#include "sim/mock/state/state.h"
#include "wire/text/awstime.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void answer_json(struct mock *mock, struct http_exchange *x, int status,
                        json_t *json)
{
    char *bytes = json_dumps(json, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    struct text *out = &mock->body;
    text_clear(out);
    text_puts(out, bytes ? bytes : "{}");
    text_putc(out, '\n');
    free(bytes);
    json_decref(json);
    answer_plain(mock, x, status, STR("application/json"), text_str(out));
}

static void answer_error(struct mock *mock, struct http_exchange *x, int status,
                         const char *text)
{
    answer_json(mock, x, status, json_pack("{s:s}", "error", text));
}

/* ---- ledger ------------------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* One time that a box ran: AWS bills each start by itself. */
static void add_use(struct jobq_ledger *ledger, const struct ec2_instance *box,
                    int64_t running_at_ns, int64_t ended_at_ns,
                    enum jobq_instance_end ended_by)
{
    struct jobq_instance_use *use = jobq_ledger_instance(ledger);
    memcpy(use->type, box->type.name, sizeof use->type);
    memcpy(use->id, box->id, sizeof use->id);
    use->spot = box->spot;
    use->ended_by = (int32_t)ended_by;
    use->ended_at_ns = ended_at_ns;
    use->running_at_ns = earlier(running_at_ns, ended_at_ns);
    use->launched_at_ns = earlier(box->launched_at_ns, use->running_at_ns);
    use->ready_at_ns = use->running_at_ns;
}

/* The meter's counts, and what the models count by themselves. Owner: the caller. */
static struct jobq_ledger *take_ledger(struct mock *mock)
{
    struct jobq_ledger *ledger = xcalloc(1, sizeof *ledger);
    int64_t now_ns = mock_now_ns(mock);
    jobq_ledger_init(ledger);
    jobq_ledger_add(ledger, &mock->meter->ledger);
    for (int i = 0; i < mock->region_count; i++) {
        const struct mock_region *region = mock->region[i];
        ledger->store_byte_hours += simpledb_byte_hours(region->sdb, now_ns);
        ledger->table_byte_hours += dynamodb_byte_hours(region->dynamodb, now_ns);
        for (int32_t k = 0; k < ec2_instance_count(region->ec2); k++) {
            const struct ec2_instance *box = ec2_instance_at(region->ec2, k);
            for (int32_t span = 0; span < box->span_count; span++)
                add_use(ledger, box, box->span[span].running_at_ns,
                        box->span[span].ended_at_ns, JOBQ_ENDED_BY_US);
            add_use(ledger, box, box->running_at_ns, earlier(box->ended_at_ns, now_ns),
                    box->ended_at_ns > now_ns        ? JOBQ_INSTANCE_RUNS
                    : box->reason == EC2_REASON_SPOT ? JOBQ_ENDED_BY_AWS
                                                     : JOBQ_ENDED_BY_US);
        }
    }
    return ledger;
}

static json_t *bill_json(const struct bill *bill, const struct sheet *sheet)
{
    json_t *items = json_array(), *components = json_object();
    for (int i = 0; i < bill->count; i++) {
        const struct bill_item *item = &bill->item[i];
        json_array_append_new(items,
                              json_pack("{s:s, s:s, s:s, s:f, s:s, s:f}", "service",
                                        item->service, "item", item->item, "what",
                                        item->what, "quantity", item->quantity, "unit",
                                        sheet_unit_name(item->unit), "usd", item->usd));
    }
    for (int i = 0; i < BILL_COMPONENT_COUNT; i++)
        json_object_set_new(components, bill_component_name((enum bill_component)i),
                            json_real(bill->component_usd[i]));
    return json_pack("{s:f, s:s, s:s, s:o, s:o}", "usd", bill->usd, "region",
                     sheet_region(sheet), "date", sheet_date(sheet), "components",
                     components, "items", items);
}

/* FIFO queues have their own price, and so their own ledger; all else is what is left. */
static int price_all(struct bill *bill, struct mock_meter *meter,
                     const struct jobq_ledger *all, const struct sheet *sheet,
                     struct jobq_error *err)
{
    const struct bill_options options = {0}, fifo = {.queue_kind = "fifo"};
    struct jobq_ledger *rest = xcalloc(1, sizeof *rest);
    jobq_ledger_init(rest);
    jobq_ledger_add(rest, all);
    for (int i = 0; i < JOBQ_ACTION_COUNT; i++) {
        rest->action[i].requests -= meter->fifo.action[i].requests;
        rest->action[i].throttled -= meter->fifo.action[i].throttled;
        rest->action[i].empty -= meter->fifo.action[i].empty;
    }
    for (int i = 0; i < JOBQ_PAYLOAD_BUCKETS; i++) {
        rest->send_kib[i] -= meter->fifo.send_kib[i];
        rest->receive_kib[i] -= meter->fifo.receive_kib[i];
    }
    int code = bill_ledger(bill, rest, sheet, &options, err);
    jobq_ledger_release(rest);
    free(rest);
    if (code == JOBQ_OK && jobq_ledger_requests(&meter->fifo, JOBQ_SQS) > 0)
        code = bill_ledger(bill, &meter->fifo, sheet, &fifo, err);
    static const char *const kind[2] = {"sqs.standard", "sqs.fifo"};
    for (int i = 0; i < 2 && code == JOBQ_OK; i++)
        if (meter->sqs_other[i] > 0)
            code = bill_quantity(bill, kind[i], (double)meter->sqs_other[i], sheet,
                                 &options, err);
    return code;
}

static void show_ledger(struct mock *mock, struct http_exchange *x,
                        const struct tree *params)
{
    struct jobq_error err;
    struct sheet *sheet = NULL;
    struct bill bill;
    struct jobq_str region = tree_text(params, "region"),
                    date = tree_text(params, "date");
    const char *where =
        region.len > 0 ? arena_str(&mock->arena, region).ptr : "us-east-1";
    const char *when = date.len > 0 ? arena_str(&mock->arena, date).ptr : NULL;
    struct jobq_ledger *ledger = take_ledger(mock);
    json_t *json = json_pack("{s:s, s:o}", "schema", "jobqmock.ledger/1", "ledger",
                             ledger_to_json(ledger));
    json_object_set_new(json, "other_requests",
                        json_integer((json_int_t)mock->meter->other_requests));
    int code = sheet_open(where, when, NULL, &sheet, &err);
    bill_init(&bill);
    if (code == JOBQ_OK)
        code = price_all(&bill, mock->meter, ledger, sheet, &err);
    if (code == JOBQ_OK)
        json_object_set_new(json, "bill", bill_json(&bill, sheet));
    else
        json_object_set_new(json, "bill_error", json_string(err.text));
    bill_release(&bill);
    if (sheet)
        sheet_free(sheet);
    jobq_ledger_release(ledger);
    free(ledger);
    answer_json(mock, x, 200, json);
}

/* ---- clock, faults, reset ------------------------------------------------------------- */

static void show_clock(struct mock *mock, struct http_exchange *x)
{
    char iso[AWSTIME_ISO];
    int64_t now_ns = mock_now_ns(mock);
    state_clock(mock->state); /* what was told does not go back in a later life */
    awstime_iso(now_ns, iso);
    answer_json(mock, x, 200,
                json_pack("{s:s, s:I, s:f}", "now", iso, "now_ns", (json_int_t)now_ns,
                          "speed", mock->speed));
}

static void set_clock(struct mock *mock, struct http_exchange *x,
                      const struct tree *params)
{
    struct jobq_error err;
    struct jobq_str advance = tree_text(params, "advance");
    struct jobq_str speed_text = tree_text(params, "speed");
    int64_t advance_ns = 0;
    double speed = mock->speed;
    if (!advance.ptr && !speed_text.ptr) {
        answer_error(mock, x, 400, "advance=DURATION or speed=X is needed");
        return;
    }
    if (advance.ptr && (jobq_parse_duration(arena_str(&mock->arena, advance).ptr,
                                            &advance_ns, &err) < 0 ||
                        advance_ns > 366 * 10 * JOBQ_NS_PER_DAY)) {
        answer_error(mock, x, 400, "advance is not a duration of at most ten years");
        return;
    }
    if (speed_text.ptr &&
        (jobq_parse_number(arena_str(&mock->arena, speed_text).ptr, &speed, &err) < 0 ||
         speed <= 0 || speed > 1e6)) {
        answer_error(mock, x, 400, "speed is not a number above 0 and up to 1e6");
        return;
    }
    int64_t now_ns = mock_now_ns(mock) + advance_ns;
    if (now_ns > MOCK_END_NS) {
        answer_error(mock, x, 400, "the clock ends in the year 2200");
        return;
    }
    mock_set_clock(mock, now_ns, speed);
    show_clock(mock, x);
}

static void show_faults(struct mock *mock, struct http_exchange *x)
{
    text_clear(&mock->body);
    faults_show(mock, &mock->body);
    answer_plain(mock, x, 200, STR("text/plain"), text_str(&mock->body));
}

static void set_faults(struct mock *mock, struct http_exchange *x, struct jobq_str spec)
{
    struct jobq_error err;
    if (faults_set(mock, spec, &err) < 0)
        answer_error(mock, x, 400, err.text);
    else
        show_faults(mock, x);
}

static int64_t box_notice_ns(const struct mock_region *region)
{
    return ec2_params(region->ec2)->spot_notice_ns;
}

/* A spot box is warned now and taken when the notice is over. */
static void interrupt(struct mock *mock, struct http_exchange *x,
                      const struct tree *params)
{
    struct jobq_str id = tree_text(params, "instance");
    for (int i = 0; i < mock->region_count; i++) {
        struct mock_region *region = mock->region[i];
        int32_t instance = ec2_instance_find(region->ec2, id);
        if (instance < 0)
            continue;
        int64_t now_ns = mock_now_ns(mock);
        const struct ec2_instance *box = ec2_instance_at(region->ec2, instance);
        boxes_follow(mock, region);
        if (!box->spot || box->state >= EC2_SHUTTING_DOWN) {
            answer_error(mock, x, 409, "the instance is no spot instance that runs");
            return;
        }
        ec2_interrupt(region->ec2, now_ns, instance);
        boxes_follow(mock, region);
        char iso[AWSTIME_ISO]; /* without a notice it is gone by now */
        awstime_iso(earlier(box->take_at_ns, now_ns + box_notice_ns(region)), iso);
        answer_json(mock, x, 200,
                    json_pack("{s:s, s:s}", "instance", box->id, "taken_at", iso));
        return;
    }
    answer_error(mock, x, 404, "instance=ID names none");
}

/* ---- metrics ------------------------------------------------------------------------ */

static void put_metric(struct text *out, const char *name, const char *type,
                       const char *help)
{
    text_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_action_metrics(const struct mock *mock, struct text *out)
{
    static const struct {
        const char *name, *help;
        size_t offset;
    } counts[] = {
        {"jobqmock_requests_total", "Calls by action.",
         offsetof(struct jobq_usage, requests)},
        {"jobqmock_failed_total", "Of them, those answered by an error.",
         offsetof(struct jobq_usage, failed)},
        {"jobqmock_throttled_total", "Of them, those turned away by a rate.",
         offsetof(struct jobq_usage, throttled)},
        {"jobqmock_entries_total", "Messages or items in them.",
         offsetof(struct jobq_usage, entries)},
        {"jobqmock_bytes_in_total", "Bytes of the requests.",
         offsetof(struct jobq_usage, bytes_out)},
        {"jobqmock_bytes_out_total", "Bytes of the replies.",
         offsetof(struct jobq_usage, bytes_in)},
    };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        put_metric(out, counts[i].name, "counter", counts[i].help);
        for (int action = 0; action < JOBQ_ACTION_COUNT; action++) {
            const struct jobq_usage *usage = &mock->meter->ledger.action[action];
            int64_t value;
            memcpy(&value, (const char *)usage + counts[i].offset, sizeof value);
            if (usage->requests == 0)
                continue;
            enum jobq_action a = (enum jobq_action)action;
            text_printf(out, "%s{service=\"%s\",action=\"%s\"} %lld\n", counts[i].name,
                        jobq_service_name(jobq_action_service(a)), jobq_action_name(a),
                        (long long)value);
        }
    }
}

static void put_fault_metrics(const struct mock *mock, struct text *out)
{
    const char *kind;
    int64_t count;
    put_metric(out, "jobqmock_faults_total", "counter", "Faults that struck a call.");
    for (int i = 0; (kind = faults_struck(mock, i, &count)); i++)
        text_printf(out, "jobqmock_faults_total{kind=\"%s\"} %lld\n", kind,
                    (long long)count);
}

enum { QUEUES_SHOWN = 1000 };

static void put_queue_metrics(struct mock *mock, struct text *out)
{
    struct jobq_error err;
    put_metric(out, "jobqmock_queue_messages", "gauge", "Messages by state.");
    for (int i = 0; i < mock->region_count; i++) {
        struct mock_region *region = mock->region[i];
        int queue[QUEUES_SHOWN];
        int count = sqs_list(region->sqs, STR(""), STR(""), queue, QUEUES_SHOWN);
        for (int k = 0; k < count; k++) {
            struct sqs_queue_info info;
            if (sqs_info(region->sqs, mock_now_ns(mock), queue[k], &info, &err) != SQS_OK)
                continue;
            struct jobq_str name = sqs_name(region->sqs, queue[k]);
            const struct {
                const char *state;
                int64_t value;
            } states[] = {{"visible", info.visible},
                          {"in_flight", info.in_flight},
                          {"delayed", info.delayed}};
            for (int s = 0; s < 3; s++)
                text_printf(out,
                            "jobqmock_queue_messages{region=\"%s\",queue=\"%.*s\","
                            "state=\"%s\"} %lld\n",
                            region->name, (int)name.len, name.ptr, states[s].state,
                            (long long)states[s].value);
        }
    }
}

static void show_metrics(struct mock *mock, struct http_exchange *x)
{
    struct text *out = &mock->body;
    int64_t sqs_bytes = 0, sdb_bytes = 0;
    for (int i = 0; i < mock->region_count; i++) {
        sqs_bytes += sqs_memory_bytes(mock->region[i]->sqs);
        sdb_bytes += simpledb_memory(mock->region[i]->sdb);
    }
    text_clear(out);
    put_action_metrics(mock, out);
    put_fault_metrics(mock, out);
    put_metric(out, "jobqmock_late_calls", "gauge", "Calls held, to be applied late.");
    text_printf(out, "jobqmock_late_calls %d\n", late_count(mock->late));
    put_queue_metrics(mock, out);
    put_metric(out, "jobqmock_long_polls", "gauge", "Receives that wait.");
    text_printf(out, "jobqmock_long_polls %d\n", mock_wait_count(mock->waits));
    put_metric(out, "jobqmock_connections", "gauge", "Open connections.");
    text_printf(out, "jobqmock_connections %d\n", http_server_connections(mock->server));
    put_metric(out, "jobqmock_buffer_bytes", "gauge",
               "Held for requests and replies under way.");
    text_printf(out, "jobqmock_buffer_bytes %lld\n",
                (long long)http_server_buffer_bytes(mock->server));
    put_metric(out, "jobqmock_overloads_total", "counter",
               "Connections ended for what they held.");
    text_printf(out, "jobqmock_overloads_total %lld\n",
                (long long)http_server_evicted(mock->server));
    put_metric(out, "jobqmock_model_bytes", "gauge", "Memory of the models.");
    text_printf(out, "jobqmock_model_bytes{service=\"sqs\"} %lld\n",
                (long long)sqs_bytes);
    text_printf(out, "jobqmock_model_bytes{service=\"simpledb\"} %lld\n",
                (long long)sdb_bytes);
    answer_plain(mock, x, 200, STR("text/plain; version=0.0.4"), text_str(out));
}

/* ---- requests ------------------------------------------------------------------------- */

static bool allowed(struct mock *mock, struct http_exchange *x,
                    const struct http_request *request)
{
    if (http_is_local(x) && !http_header(request, "origin").ptr)
        return true;
    answer_error(mock, x, 403, "control is for programs on this machine");
    return false;
}

bool control_request(struct mock *mock, struct http_exchange *x,
                     const struct http_request *request)
{
    struct jobq_str path = request->path;
    struct tree *params = NULL;
    struct jobq_error err;
    bool get = str_is(request->method, "GET"), post = str_is(request->method, "POST");
    if (str_is(path, "/metrics") && get) {
        show_metrics(mock, x);
        return true;
    }
    if (path.len < 7 || memcmp(path.ptr, "/_jobq/", 7) != 0)
        return false;
    if (str_is(path, "/_jobq/healthz") && get) {
        answer_json(mock, x, 200, json_pack("{s:s}", "status", "ok"));
        return true;
    }
    if (!allowed(mock, x, request))
        return true;
    struct jobq_str parts[2] = {request->query, request->body};
    bool form = !str_is(path, "/_jobq/faults");
    if (tree_from_query(parts, form ? 2 : 1, &mock->arena, &params, &err) < 0)
        answer_error(mock, x, 400, err.text);
    else if (str_is(path, "/_jobq/ledger") && get)
        show_ledger(mock, x, params);
    else if (str_is(path, "/_jobq/clock") && get)
        show_clock(mock, x);
    else if (str_is(path, "/_jobq/clock") && post)
        set_clock(mock, x, params);
    else if (str_is(path, "/_jobq/faults") && get)
        show_faults(mock, x);
    else if (str_is(path, "/_jobq/faults") && post)
        set_faults(mock, x, request->body);
    else if (str_is(path, "/_jobq/faults") && str_is(request->method, "DELETE"))
        set_faults(mock, x, STR("off"));
    else if (str_is(path, "/_jobq/interrupt") && post)
        interrupt(mock, x, params);
    else if (str_is(path, "/_jobq/reset") && post) {
        mock_reset(mock);
        answer_json(mock, x, 200, json_pack("{s:s}", "status", "reset"));
    } else {
        answer_error(mock, x, 404, "no such page, or not with this method");
    }
    return true;
}
