#include "sim/mock/server/respond.h"

#include "sim/mock/server/delay.h"
#include "sim/mock/control/faults.h"
#include "sim/mock/control/meter.h"
#include "sim/mock/server/chars.h"
#include "wire/text/awstime.h"

#include <string.h>
#include <zlib.h>

/* How each service writes its replies. Sources: the API references' samples, and replies
 * recorded from AWS (boto's and moto's tests). */
struct style {
    const char *xmlns; /* EC2's goes on with the version that was asked for */
    const char *prolog;
    bool result;        /* <ActionResult> around the members */
    bool request_first; /* <requestId> leads (EC2) */
};

static const struct style styles[MOCK_SERVICE_COUNT] = {
    [MOCK_SQS] = {"http://queue.amazonaws.com/doc/2012-11-05/", "<?xml version=\"1.0\"?>",
                  true, false},
    [MOCK_SDB] = {"http://sdb.amazonaws.com/doc/2009-04-15/", "<?xml version=\"1.0\"?>\n",
                  true, false},
    [MOCK_EC2] = {"http://ec2.amazonaws.com/doc/",
                  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", false, true},
    [MOCK_STS] = {"https://sts.amazonaws.com/doc/2011-06-15/",
                  "<?xml version=\"1.0\"?>\n", true, false},
};

char *answer_box_usage(int64_t e10h, char *out)
{
    int len = text_write_int(out, e10h / 10000000000);
    int64_t part = e10h % 10000000000;
    out[len] = '.';
    for (int i = 10; i >= 1; i--, part /= 10)
        out[len + i] = (char)('0' + part % 10);
    out[len + 11] = '\0';
    return out;
}

static void put_tag(struct text *out, const char *open, const char *name,
                    const char *suffix)
{
    text_puts(out, open);
    text_puts(out, name);
    text_puts(out, suffix);
    text_putc(out, '>');
}

void answer_open(struct call *call, bool has_result)
{
    struct text *out = &call->mock->body;
    const struct style *style = &styles[call->service];
    text_clear(out);
    call->out = (struct emit){
        .out = out, .json = call->json || call->query_json, .pairs = call->query_json};
    if (call->query_json) {
        text_printf(out, "{\"%sResponse\":{", call->action);
        if (has_result)
            text_printf(out, "\"%sResult\":{", call->action);
        return;
    }
    if (call->json) {
        if (has_result)
            text_putc(out, '{');
        return;
    }
    text_puts(out, style->prolog);
    text_putc(out, '<');
    text_puts(out, call->action);
    text_puts(out, "Response xmlns=\"");
    text_puts(out, style->xmlns);
    if (call->service == MOCK_EC2) {
        text_put_str(out, call->version.len > 0 ? call->version : STR("2016-11-15"));
        text_putc(out, '/');
    }
    text_puts(out, "\">");
    if (style->request_first)
        emit_xml(out, "requestId", str_of(call->request_id));
    if (style->result && has_result)
        put_tag(out, "<", call->action, "Result");
}

/* "<ActionResult/>" where nothing was written into it. */
static void close_result(const struct call *call, struct text *out)
{
    size_t len = strlen(call->action);
    const char *tail = out->ptr + out->len - len - sizeof "<Result>" + 1;
    if (out->ptr[out->len - 1] == '>' && tail > out->ptr && tail[0] == '<' &&
        memcmp(tail + 1, call->action, len) == 0) {
        out->len--;
        text_puts(out, "/>");
        return;
    }
    put_tag(out, "</", call->action, "Result");
}

static void close_reply(struct call *call, bool has_result)
{
    struct text *out = &call->mock->body;
    const struct style *style = &styles[call->service];
    char usage[32];
    if (call->query_json) {
        text_printf(out, "%s\"ResponseMetadata\":{\"RequestId\":\"%s\"}}}",
                    has_result ? "}," : "", call->request_id);
        return;
    }
    if (call->json) {
        if (has_result)
            text_putc(out, '}');
        return;
    }
    if (style->result && has_result)
        close_result(call, out);
    if (!style->request_first) {
        text_puts(out, "<ResponseMetadata>");
        emit_xml(out, "RequestId", str_of(call->request_id));
        if (call->service == MOCK_SDB)
            emit_xml(out, "BoxUsage",
                     str_of(answer_box_usage(call->box_usage_e10h, usage)));
        text_puts(out, "</ResponseMetadata>");
    }
    put_tag(out, "</", call->action, "Response");
}

/* SQS and STS: one Error in an ErrorResponse. SimpleDB and EC2: a list in a Response. */
static void write_xml_error(struct call *call)
{
    struct text *out = &call->mock->body;
    const struct mock_error *error = &call->error;
    const struct style *style = &styles[call->service];
    char usage[32];
    text_puts(out, style->prolog);
    if (style->result && call->service != MOCK_SDB) {
        text_puts(out, "<ErrorResponse xmlns=\"");
        text_puts(out, style->xmlns);
        text_puts(out, "\"><Error>");
        emit_xml(out, "Type", error->receiver ? STR("Receiver") : STR("Sender"));
        emit_xml(out, "Code", str_of(error->code));
        emit_xml(out, "Message", str_of(error->text));
        text_puts(out, "<Detail/></Error>");
        emit_xml(out, "RequestId", str_of(call->request_id));
        text_puts(out, "</ErrorResponse>");
        return;
    }
    text_puts(out, "<Response><Errors><Error>");
    emit_xml(out, "Code", str_of(error->code));
    emit_xml(out, "Message", str_of(error->text));
    if (call->service == MOCK_SDB)
        emit_xml(out, "BoxUsage", str_of(answer_box_usage(call->box_usage_e10h, usage)));
    text_puts(out, "</Error></Errors>");
    emit_xml(out, "RequestID", str_of(call->request_id));
    text_puts(out, "</Response>");
}

static void write_json_error(struct call *call)
{
    struct text *out = &call->mock->body, *head = &call->mock->head;
    const struct mock_error *error = &call->error;
    const char *shape = error->shape ? error->shape : error->code;
    text_puts(out, "{\"__type\":\"");
    if (!strchr(shape, '#'))
        text_puts(out, "com.amazonaws.sqs#");
    text_puts(out, shape);
    /* Coral itself writes its member with a capital. */
    text_puts(out, call->service == MOCK_DYNAMODB && strstr(shape, "coral.service#")
                       ? "\",\"Message\":"
                       : "\",\"message\":");
    text_put_json(out, str_of(error->text));
    if (error->more) {
        text_putc(out, ',');
        text_puts(out, error->more);
    }
    text_putc(out, '}');
    if (call->service != MOCK_SQS)
        return;
    text_puts(head, "x-amzn-query-error: ");
    text_puts(head, error->code);
    text_puts(head, error->receiver ? ";Receiver\r\n" : ";Sender\r\n");
}

/* {"Error":{...},"RequestId":...}: the older JSON's. */
static void write_query_json_error(struct call *call)
{
    struct emit e = {.out = &call->mock->body, .json = true};
    text_puts(e.out, "{\"Error\":{");
    emit_text(&e, "Type", call->error.receiver ? STR("Receiver") : STR("Sender"));
    emit_text(&e, "Code", str_of(call->error.code));
    emit_text(&e, "Message", str_of(call->error.text));
    text_printf(e.out, "},\"RequestId\":\"%s\"}", call->request_id);
}

static void put_date(struct mock *mock, struct text *head)
{
    char date[AWSTIME_HTTP];
    awstime_http(mock_now_ns(mock), date);
    text_put(head, "Date: ", 6);
    text_puts(head, date);
    text_put(head, "\r\n", 2);
}

static void send_reply(struct call *call, const struct http_reply *reply)
{
    struct mock *mock = call->mock;
    if (!call->x) {
        meter_call(mock->meter, call, reply->status, 0);
        return;
    }
    if (call->unmetered) {
        http_reply(call->x, reply);
        return;
    }
    if (faults_lose(call)) {
        meter_call(mock->meter, call, reply->status, 0);
        http_drop(call->x);
        return;
    }
    int64_t wait_ns = faults_latency_ns(call);
    if (wait_ns > 0) {
        meter_call(mock->meter, call, reply->status, http_reply_bytes(reply));
        delay_reply(mock->delays, call->x, reply, wait_ns);
        return;
    }
    meter_call(mock->meter, call, reply->status, http_reply(call->x, reply));
}

void answer_end(struct call *call, enum call_end end, bool has_result)
{
    struct mock *mock = call->mock;
    struct text *head = &mock->head;
    if (end == CALL_WAITING)
        return;
    text_clear(head);
    if (call->service == MOCK_SDB) { /* its request's id is in the body only */
        text_puts(head, "Server: Amazon SimpleDB\r\n");
    } else {
        text_puts(head, "x-amzn-RequestId: ");
        text_put(head, call->request_id, MOCK_UUID_BYTES - 1);
        text_put(head, "\r\n", 2);
    }
    put_date(mock, head);
    if (end == CALL_DONE) {
        close_reply(call, has_result);
    } else {
        text_clear(&mock->body);
        mock_chars_mend(call->error.text);
        if (call->query_json)
            write_query_json_error(call);
        else if (call->json)
            write_json_error(call);
        else
            write_xml_error(call);
    }
    if (call->service == MOCK_DYNAMODB)
        text_printf(
            head, "x-amz-crc32: %lu\r\n",
            crc32(0, (const unsigned char *)mock->body.ptr, (uInt)mock->body.len));
    struct http_reply reply = {.status = end == CALL_DONE ? 200 : call->error.status,
                               .content_type =
                                   call->json         ? STR("application/x-amz-json-1.0")
                                   : call->query_json ? STR("application/json")
                                                      : STR("text/xml"),
                               .headers = text_str(head),
                               .body = text_str(&mock->body),
                               .say_keep_alive = call->service == MOCK_SQS};
    send_reply(call, &reply);
}

void answer_plain(struct mock *mock, struct http_exchange *x, int status,
                  struct jobq_str content_type, struct jobq_str body)
{
    text_clear(&mock->head);
    put_date(mock, &mock->head);
    struct http_reply reply = {.status = status,
                               .content_type = content_type,
                               .headers = text_str(&mock->head),
                               .body = body};
    http_reply(x, &reply);
}
