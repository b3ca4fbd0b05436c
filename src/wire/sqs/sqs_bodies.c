#include "wire/sqs/sqs_bodies.h"

#include "base/lanes.h"
#include "jobq/units.h"

static int64_t seconds_up(int64_t ns)
{
    return (ns + JOBQ_NS_PER_S - 1) / JOBQ_NS_PER_S;
}

/* How many bytes follow the backslash; 0: the byte stands for itself. */
static int escape(unsigned char c, char out[6])
{
    static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (size_t i = 0; i < sizeof named - 1; i += 2)
        if (c == (unsigned char)named[i]) {
            out[0] = named[i + 1];
            return 1;
        }
    if (c >= 0x20)
        return 0;
    memcpy(out, "u00", 3);
    out[3] = "0123456789abcdef"[c >> 4];
    out[4] = "0123456789abcdef"[c & 15];
    return 5;
}

void sqs_wire_put_string(struct text *out, struct jobq_str value)
{
    text_putc(out, '"');
    if (!value.ptr) {
        text_put_str(out, value);
    } else {
        int64_t run = 0;
        for (int64_t i = 0; i < value.len; i++) {
            char after[6];
            int len = escape((unsigned char)value.ptr[i], after);
            if (!len)
                continue;
            text_put(out, value.ptr + run, (size_t)(i - run));
            text_putc(out, '\\');
            text_put(out, after, (size_t)len);
            run = i + 1;
        }
        text_put(out, value.ptr + run, (size_t)(value.len - run));
    }
    text_putc(out, '"');
}

static int64_t added_one_by_one(const char *p, int64_t len)
{
    char after[6];
    int64_t added = 0;
    for (int64_t at = 0; at < len; at++)
        added += escape((unsigned char)p[at], after);
    return added;
}

/* All ones in every lane whose byte gets a backslash; *rare: in those that are written with
 * digits behind it, or with a letter that our own bodies never need. */
static inline lanes16 escaped(lanes16 v, lanes16 *rare)
{
    lanes16 control = lanes16_within(v, 0, 0x1f);
    *rare |= control & (lanes16)(v != '\n');
    return control | (lanes16)(v == '"') | (lanes16)(v == '\\');
}

/* How many bytes the escapes add. A lane counts to 255. */
enum { LONG_MAX_BYTES = 255 * 16 };
static int64_t added_by_escapes(const char *p, int64_t len)
{
    int64_t before = 0;
    for (; len > LONG_MAX_BYTES; len -= LONG_MAX_BYTES, p += LONG_MAX_BYTES)
        before += added_by_escapes(p, LONG_MAX_BYTES);
    if (len < 16)
        return before + added_one_by_one(p, len);
    lanes16 rare = {0}, count = {0};
    int64_t at = 0;
    for (; at + 16 <= len; at += 16)
        count -= escaped(lanes16_load(p + at), &rare);
    if (at < len)
        count -= escaped(lanes16_load(p + len - 16), &rare) & lanes16_last(len - at);
    return before + (lanes16_any(rare) ? added_one_by_one(p, len) : lanes16_sum(count));
}

int64_t sqs_wire_string_bytes(struct jobq_str value)
{
    return value.len + (value.ptr ? added_by_escapes(value.ptr, value.len) : 0);
}

/* One UTF-8 character at p; its length, or 0 if it is malformed or not allowed. */
static int utf8_step(const unsigned char *p, int64_t left)
{
    if (p[0] < 0x80)
        return p[0] >= 0x20 || p[0] == '\t' || p[0] == '\n' || p[0] == '\r';
    int len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || left < len)
        return 0;
    uint32_t c = p[0] & (0x7fu >> len);
    for (int i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    bool surrogate = c >= 0xd800 && c <= 0xdfff;
    if (c < least[len] || c > 0x10ffff || surrogate || c == 0xfffe || c == 0xffff)
        return 0;
    return len;
}

bool sqs_wire_body_ok(struct jobq_str body)
{
    const unsigned char *p = (const unsigned char *)body.ptr;
    if (!p)
        return true;
    for (int64_t i = 0; i < body.len;) {
        int step = utf8_step(p + i, body.len - i);
        if (!step)
            return false;
        i += step;
    }
    return true;
}

/* ,"Name":"123" of the attribute map. */
static void put_number(struct text *out, const char *name, int64_t value)
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

static void put_attributes(struct text *out, const struct jobq_queue_options *o,
                           const char *dead_arn)
{
    text_puts(out, ",\"Attributes\":{");
    put_number(out, "VisibilityTimeout", seconds_up(o->visibility_ns));
    if (o->retention_ns > 0)
        put_number(out, "MessageRetentionPeriod", seconds_up(o->retention_ns));
    put_number(out, "DelaySeconds", seconds_up(o->delay_ns));
    put_number(out, "ReceiveMessageWaitTimeSeconds", seconds_up(o->receive_wait_ns));
    if (dead_arn && o->max_receive_count > 0) {
        struct text policy = {0};
        text_printf(&policy,
                    "{\"deadLetterTargetArn\":\"%s\",\"maxReceiveCount\":\"%d\"}",
                    dead_arn, o->max_receive_count);
        text_puts(out, ",\"RedrivePolicy\":");
        sqs_wire_put_string(out, text_str(&policy));
        text_release(&policy);
    }
    text_puts(out, "}}");
}

void sqs_wire_create(struct text *out, const char *name,
                     const struct jobq_queue_options *options, const char *dead_arn)
{
    text_puts(out, "{\"QueueName\":");
    sqs_wire_put_string(out, str_of(name));
    put_attributes(out, options, dead_arn);
}

static void put_url(struct text *out, struct jobq_str url)
{
    text_puts(out, "{\"QueueUrl\":");
    sqs_wire_put_string(out, url);
}

void sqs_wire_set_options(struct text *out, struct jobq_str url,
                          const struct jobq_queue_options *options, const char *dead_arn)
{
    put_url(out, url);
    put_attributes(out, options, dead_arn);
}

void sqs_wire_get_url(struct text *out, const char *name)
{
    text_puts(out, "{\"QueueName\":");
    sqs_wire_put_string(out, str_of(name));
    text_putc(out, '}');
}

void sqs_wire_depth(struct text *out, struct jobq_str url)
{
    put_url(out, url);
    text_puts(out, ",\"AttributeNames\":[\"ApproximateNumberOfMessages\","
                   "\"ApproximateNumberOfMessagesNotVisible\","
                   "\"ApproximateNumberOfMessagesDelayed\",\"VisibilityTimeout\","
                   "\"RedrivePolicy\"]}");
}

void sqs_wire_purge(struct text *out, struct jobq_str url)
{
    put_url(out, url);
    text_putc(out, '}');
}

static void put_body(struct text *out, const struct jobq_outgoing *in)
{
    text_puts(out, "\"MessageBody\":");
    sqs_wire_put_string(out, in->body);
    if (in->phantom_bytes) {
        out->len--; /* the closing quote moves behind the phantom */
        text_put_str(out, (struct jobq_str){NULL, in->phantom_bytes});
        text_putc(out, '"');
    }
    if (in->delay_ns > 0) {
        text_puts(out, ",\"DelaySeconds\":");
        text_put_int(out, seconds_up(in->delay_ns));
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
    put_url(out, url);
    text_puts(out, ",\"MaxNumberOfMessages\":");
    text_put_int(out, options->max);
    text_puts(out, ",\"WaitTimeSeconds\":");
    text_put_int(out, seconds_up(options->wait_ns));
    if (options->visibility_ns >= 0) {
        text_puts(out, ",\"VisibilityTimeout\":");
        text_put_int(out, seconds_up(options->visibility_ns));
    }
    text_puts(out,
              ",\"AttributeNames\":[\"ApproximateReceiveCount\",\"SentTimestamp\"]}");
}

void sqs_wire_remove(struct text *out, struct jobq_str url,
                     const struct jobq_str *receipt, int count)
{
    put_url(out, url);
    text_putc(out, ',');
    if (count > 1)
        text_puts(out, "\"Entries\":[");
    for (int i = 0; i < count; i++) {
        if (count > 1)
            put_entry_head(out, i);
        text_puts(out, "\"ReceiptHandle\":");
        sqs_wire_put_string(out, receipt[i]);
        text_putc(out, '}');
    }
    if (count > 1)
        text_puts(out, "]}");
}

void sqs_wire_set_visibility(struct text *out, struct jobq_str url,
                             const struct jobq_visibility_change *change, int count)
{
    put_url(out, url);
    text_putc(out, ',');
    if (count > 1)
        text_puts(out, "\"Entries\":[");
    for (int i = 0; i < count; i++) {
        if (count > 1)
            put_entry_head(out, i);
        text_puts(out, "\"ReceiptHandle\":");
        sqs_wire_put_string(out, change[i].receipt);
        text_puts(out, ",\"VisibilityTimeout\":");
        text_put_int(out, seconds_up(change[i].visibility_ns));
        text_putc(out, '}');
    }
    if (count > 1)
        text_puts(out, "]}");
}
