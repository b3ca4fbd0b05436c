#include "wire/sqs/sqs_bodies.h"

#include "jobq/units.h"

#include <assert.h>

static int64_t sqs_seconds_up(int64_t ns)
{
    return (ns + JOBQ_NS_PER_S - 1) / JOBQ_NS_PER_S;
}

bool sqs_wire_body_ok(struct jobq_str body)
{
    for (int64_t at = 0, step; body.ptr && at < body.len; at += step) {
        unsigned char c = (unsigned char)body.ptr[at];
        step = text_utf8_bytes(body.ptr + at, body.len - at);
        if (!step || (c < 0x20 && c != '\t' && c != '\n' && c != '\r'))
            return false;
        if (step == 3 && memcmp(body.ptr + at, "\xef\xbf", 2) == 0 &&
            (unsigned char)body.ptr[at + 2] >= 0xbe)
            return false; /* U+FFFE, U+FFFF */
    }
    return true;
}

/* ,"Name":"123" of the attribute map. */
static void sqs_put_number(struct text *out, const char *name, int64_t value)
{
    char last = out->len ? out->ptr[out->len - 1] : '{';
    if (last != '{')
        text_putc(out, ',');
    text_putc(out, '"');
    text_puts(out, name);
    text_puts(out, "\":\"");
    text_put_int(out, value);
    text_putc(out, '"');
}

static void sqs_put_attributes(struct text *out, const struct jobq_queue_options *o,
                               const char *dead_arn)
{
    text_puts(out, ",\"Attributes\":{");
    sqs_put_number(out, "VisibilityTimeout", sqs_seconds_up(o->visibility_ns));
    if (o->retention_ns > 0)
        sqs_put_number(out, "MessageRetentionPeriod", sqs_seconds_up(o->retention_ns));
    sqs_put_number(out, "DelaySeconds", sqs_seconds_up(o->delay_ns));
    sqs_put_number(out, "ReceiveMessageWaitTimeSeconds",
                   sqs_seconds_up(o->receive_wait_ns));
    if (dead_arn && o->max_receive_count > 0) {
        struct text policy = {0};
        text_printf(&policy,
                    "{\"deadLetterTargetArn\":\"%s\",\"maxReceiveCount\":\"%d\"}",
                    dead_arn, o->max_receive_count);
        text_puts(out, ",\"RedrivePolicy\":");
        text_put_json(out, text_str(&policy));
        text_release(&policy);
    }
    text_puts(out, "}}");
}

void sqs_wire_create(struct text *out, const char *name,
                     const struct jobq_queue_options *options, const char *dead_arn)
{
    text_puts(out, "{\"QueueName\":");
    text_put_json(out, str_of(name));
    sqs_put_attributes(out, options, dead_arn);
}

static void put_url(struct text *out, struct jobq_str url)
{
    text_puts(out, "{\"QueueUrl\":");
    text_put_json(out, url);
}

void sqs_wire_set_options(struct text *out, struct jobq_str url,
                          const struct jobq_queue_options *options, const char *dead_arn)
{
    put_url(out, url);
    sqs_put_attributes(out, options, dead_arn);
}

void sqs_wire_get_url(struct text *out, const char *name)
{
    text_puts(out, "{\"QueueName\":");
    text_put_json(out, str_of(name));
    text_putc(out, '}');
}

void sqs_wire_depth(struct text *out, struct jobq_str url)
{
    put_url(out, url);
    text_puts(out, ",\"AttributeNames\":[\"ApproximateNumberOfMessages\","
                   "\"ApproximateNumberOfMessagesNotVisible\","
                   "\"ApproximateNumberOfMessagesDelayed\",\"VisibilityTimeout\","
                   "\"MessageRetentionPeriod\",\"RedrivePolicy\"]}");
}

void sqs_wire_purge(struct text *out, struct jobq_str url)
{
    put_url(out, url);
    text_putc(out, '}');
}

static void put_body(struct text *out, const struct jobq_outgoing *in)
{
    text_puts(out, "\"MessageBody\":");
    text_put_json(out, in->body);
    if (in->phantom_bytes) {
        out->len--; /* the closing quote moves behind the phantom */
        text_put_str(out, (struct jobq_str){NULL, in->phantom_bytes});
        text_putc(out, '"');
    }
    if (in->delay_ns > 0) {
        text_puts(out, ",\"DelaySeconds\":");
        text_put_int(out, sqs_seconds_up(in->delay_ns));
    }
}

static void put_entry_head(struct text *out, int index)
{
    if (index)
        text_putc(out, ',');
    text_puts(out, "{\"Id\":\"");
    text_put_int(out, index);
    text_puts(out, "\",");
}

void sqs_wire_send(struct text *out, struct jobq_str url, const struct jobq_outgoing *in,
                   int count)
{
    assert(in && count >= 1 && count <= JOBQ_BATCH_MAX);
    put_url(out, url);
    text_putc(out, ',');
    if (count == 1) {
        put_body(out, in);
        text_putc(out, '}');
        return;
    }
    text_puts(out, "\"Entries\":[");
    for (int i = 0; i < count; i++) {
        put_entry_head(out, i);
        put_body(out, &in[i]);
        text_putc(out, '}');
    }
    text_puts(out, "]}");
}

void sqs_wire_receive(struct text *out, struct jobq_str url,
                      const struct jobq_receive *options)
{
    assert(options->max >= 1 && options->max <= JOBQ_BATCH_MAX && options->wait_ns >= 0);
    put_url(out, url);
    text_puts(out, ",\"MaxNumberOfMessages\":");
    text_put_int(out, options->max);
    text_puts(out, ",\"WaitTimeSeconds\":");
    text_put_int(out, sqs_seconds_up(options->wait_ns));
    if (options->visibility_ns >= 0) {
        text_puts(out, ",\"VisibilityTimeout\":");
        text_put_int(out, sqs_seconds_up(options->visibility_ns));
    }
    text_puts(out,
              ",\"AttributeNames\":[\"ApproximateReceiveCount\",\"SentTimestamp\"]}");
}

void sqs_wire_remove(struct text *out, struct jobq_str url,
                     const struct jobq_str *receipt, int count)
{
    assert(receipt && count >= 1 && count <= JOBQ_BATCH_MAX);
    put_url(out, url);
    text_putc(out, ',');
    if (count > 1)
        text_puts(out, "\"Entries\":[");
    for (int i = 0; i < count; i++) {
        if (count > 1)
            put_entry_head(out, i);
        text_puts(out, "\"ReceiptHandle\":");
        text_put_json(out, receipt[i]);
        text_putc(out, '}');
    }
    if (count > 1)
        text_puts(out, "]}");
}

void sqs_wire_set_visibility(struct text *out, struct jobq_str url,
                             const struct jobq_visibility_change *change, int count)
{
    assert(change && count >= 1 && count <= JOBQ_BATCH_MAX);
    put_url(out, url);
    text_putc(out, ',');
    if (count > 1)
        text_puts(out, "\"Entries\":[");
    for (int i = 0; i < count; i++) {
        if (count > 1)
            put_entry_head(out, i);
        text_puts(out, "\"ReceiptHandle\":");
        text_put_json(out, change[i].receipt);
        text_puts(out, ",\"VisibilityTimeout\":");
        text_put_int(out, sqs_seconds_up(change[i].visibility_ns));
        text_putc(out, '}');
    }
    if (count > 1)
        text_puts(out, "]}");
}
