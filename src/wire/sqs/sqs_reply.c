/* sqs_reply.c - reads SQS's JSON replies (declared in wire/sqs/sqs_bodies.h).
 *
 * Room:     src/wire. Callers: as wire/sqs/sqs_bodies.h.
 * Knows nothing of: sockets. Every value is checked before it is used: a reply comes from
 * the network. */
#include "wire/sqs/sqs_bodies.h"

#include "base/arena.h"
#include "base/text.h"
#include "jobq/units.h"
#include "wire/http/aws_error.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static json_t *load(struct jobq_str reply, struct jobq_error *err)
{
    json_error_t e;
    json_t *root = json_loadb(reply.ptr, (size_t)reply.len, 0, &e);
    if (!root)
        jobq_fail(err, JOBQ_CORRUPT, "reply is not JSON, byte %d", e.position);
    else if (!json_is_object(root)) {
        json_decref(root);
        root = NULL;
        jobq_fail(err, JOBQ_CORRUPT, "reply is not a JSON object");
    }
    return root;
}

static struct jobq_str string_of(const json_t *value)
{
    if (!json_is_string(value))
        return (struct jobq_str){NULL, 0};
    return (struct jobq_str){json_string_value(value),
                             (int64_t)json_string_length(value)};
}

static struct jobq_str member(const json_t *object, const char *name)
{
    return string_of(json_object_get(object, name));
}

/* Attribute values are decimal strings; if absent, `missing`. */
static bool member_int(const json_t *object, const char *name, int64_t missing,
                       int64_t *out)
{
    const json_t *value = json_object_get(object, name);
    *out = missing;
    if (!value)
        return true;
    if (json_is_integer(value)) {
        *out = json_integer_value(value);
        return true;
    }
    return str_to_int(string_of(value), out);
}

int sqs_wire_read_url(struct jobq_str reply, struct arena *arena,
                      struct jobq_str *out_url, struct jobq_error *err)
{
    json_t *root = load(reply, err);
    if (!root)
        return err->code;
    struct jobq_str url = member(root, "QueueUrl");
    int rc = JOBQ_OK;
    if (url.len <= 0 || url.len > 1024)
        rc = jobq_fail(err, JOBQ_CORRUPT, "reply has no QueueUrl");
    else
        *out_url = arena_str(arena, url);
    json_decref(root);
    return rc;
}

int sqs_wire_read_depth(struct jobq_str reply, struct jobq_queue_depth *out,
                        struct jobq_error *err)
{
    json_t *root = load(reply, err);
    if (!root)
        return err->code;
    const json_t *a = json_object_get(root, "Attributes");
    struct jobq_queue_depth d = {0};
    int64_t visibility_s, retention_s, receives = 0;
    bool ok = json_is_object(a) &&
              member_int(a, "ApproximateNumberOfMessages", 0, &d.visible) &&
              member_int(a, "ApproximateNumberOfMessagesNotVisible", 0, &d.in_flight) &&
              member_int(a, "ApproximateNumberOfMessagesDelayed", 0, &d.delayed) &&
              member_int(a, "VisibilityTimeout", 30, &visibility_s) &&
              visibility_s >= 0 && visibility_s <= 43200 &&
              member_int(a, "MessageRetentionPeriod", 345600, &retention_s) &&
              retention_s >= 60 && retention_s <= 1209600;
    struct jobq_str policy = ok ? member(a, "RedrivePolicy") : (struct jobq_str){0};
    if (policy.len) {
        json_t *p = json_loadb(policy.ptr, (size_t)policy.len, 0, NULL);
        ok = member_int(p, "maxReceiveCount", 0, &receives) && receives >= 0 &&
             receives <= 1000;
        json_decref(p);
    }
    json_decref(root);
    if (!ok)
        return jobq_fail(err, JOBQ_CORRUPT, "reply has malformed queue attributes");
    d.visibility_ns = visibility_s * JOBQ_NS_PER_S;
    d.retention_ns = retention_s * JOBQ_NS_PER_S;
    d.max_receive_count = (int32_t)receives;
    *out = d;
    return JOBQ_OK;
}

static bool md5_is(struct digest *digest, const char *bytes, int64_t len,
                   struct jobq_str hex)
{
    unsigned char md5[DIGEST_MD5_BYTES];
    char text[2 * DIGEST_MD5_BYTES + 1];
    digest_md5(digest, bytes, (size_t)len, md5);
    digest_hex(md5, sizeof md5, text);
    return str_is(hex, text);
}

/* A phantom tail was sent as 'x's, which do not exist here: their MD5 cannot be
 * checked. */
static bool sent_as_meant(struct digest *digest, const struct jobq_outgoing *in,
                          struct jobq_str hex)
{
    if (!in->phantom_bytes)
        return md5_is(digest, in->body.ptr, in->body.len, hex);
    struct text whole = {0};
    text_put_str(&whole, in->body);
    text_put_str(&whole, (struct jobq_str){NULL, in->phantom_bytes});
    bool same = md5_is(digest, whole.ptr, (int64_t)whole.len, hex);
    text_release(&whole);
    return same;
}

int sqs_wire_read_send(struct jobq_str reply, struct digest *digest,
                       const struct jobq_outgoing *in, struct jobq_error *err)
{
    json_t *root = load(reply, err);
    if (!root)
        return err->code;
    int rc = JOBQ_OK;
    if (!member(root, "MessageId").len)
        rc = jobq_fail(err, JOBQ_CORRUPT, "reply to a send has no MessageId");
    else if (!sent_as_meant(digest, in, member(root, "MD5OfMessageBody")))
        rc = jobq_fail(err, JOBQ_CORRUPT,
                       "SQS reports another MD5 for the message than it was "
                       "sent with");
    json_decref(root);
    return rc;
}

/* The index of the entry that a result names; -1: none, or named before. */
static int entry_of(const json_t *entry, int count, const bool *seen)
{
    int64_t index;
    if (!json_is_object(entry) || !str_to_int(member(entry, "Id"), &index) || index < 0 ||
        index >= count || seen[index])
        return -1;
    return (int)index;
}

int sqs_wire_entry_code(struct jobq_str code, struct jobq_str message)
{
    char name[80] = "", said[320];
    if (code.len > 0 && code.len < (int64_t)sizeof name)
        memcpy(name, code.ptr, (size_t)code.len);
    text_escape_ends(message.ptr, message.len, said, sizeof said);
    /* SQS uses InvalidParameterValue for three different errors here, and says which behind
     * the receipt, which has some 400 bytes. */
    if (strstr(said, "not available for visibility timeout change") ||
        strstr(said, "receipt handle has expired"))
        return JOBQ_NOT_FOUND;
    if (strstr(said, "beyond the limit"))
        return JOBQ_LIMIT;
    return aws_error_code(name, 400);
}

void sqs_wire_entry_text(struct jobq_str code, struct jobq_str message,
                         struct jobq_entry_result *out)
{
    char name[40], said[sizeof out->text - sizeof name - 2];
    text_escape(code.ptr, code.len, name, sizeof name);
    text_escape_ends(message.ptr, message.len, said, sizeof said);
    snprintf(out->text, sizeof out->text, "%s: %s", name, said);
}

int sqs_wire_read_batch(struct jobq_str reply, struct digest *digest,
                        const struct jobq_outgoing *in, int count,
                        struct jobq_entry_result *result, struct jobq_error *err)
{
    json_t *root = load(reply, err);
    if (!root)
        return err->code;
    bool seen[JOBQ_BATCH_MAX] = {false}, ok = true;
    size_t at;
    json_t *entry;
    json_array_foreach(json_object_get(root, "Successful"), at, entry)
    {
        int i = entry_of(entry, count, seen);
        if (i < 0) {
            ok = false;
            break;
        }
        seen[i] = true;
        bool same =
            !in || sent_as_meant(digest, &in[i], member(entry, "MD5OfMessageBody"));
        result[i].code = same ? JOBQ_OK : JOBQ_CORRUPT;
        snprintf(result[i].text, sizeof result[i].text, "%s",
                 same ? "" : "the queue received another body than was sent");
    }
    json_array_foreach(json_object_get(root, "Failed"), at, entry)
    {
        int i = ok ? entry_of(entry, count, seen) : -1;
        if (i < 0) {
            ok = false;
            break;
        }
        seen[i] = true;
        struct jobq_str code = member(entry, "Code"), said = member(entry, "Message");
        result[i].code = sqs_wire_entry_code(code, said);
        sqs_wire_entry_text(code, said, &result[i]);
    }
    json_decref(root);
    for (int i = 0; i < count; i++)
        ok = ok && seen[i];
    if (!ok)
        return jobq_fail(err, JOBQ_CORRUPT,
                         "batch reply does not list each entry exactly once");
    return JOBQ_OK;
}

static int read_message(const json_t *m, struct digest *digest, struct arena *arena,
                        struct jobq_message *out, struct jobq_error *err)
{
    struct jobq_str id = member(m, "MessageId"), receipt = member(m, "ReceiptHandle");
    struct jobq_str body = member(m, "Body");
    const json_t *a = json_object_get(m, "Attributes");
    int64_t receives, sent_ms;
    if (id.len <= 0 || receipt.len <= 0 || !body.ptr ||
        !member_int(a, "ApproximateReceiveCount", 1, &receives) || receives < 1 ||
        receives > INT32_MAX || !member_int(a, "SentTimestamp", 0, &sent_ms) ||
        sent_ms < 0 || sent_ms > INT64_MAX / JOBQ_NS_PER_MS)
        return jobq_fail(err, JOBQ_CORRUPT,
                         "reply holds a message without id, receipt or "
                         "body");
    if (!md5_is(digest, body.ptr, body.len, member(m, "MD5OfBody")))
        return jobq_fail(err, JOBQ_CORRUPT,
                         "message arrived with another MD5 than its body "
                         "has");
    *out = (struct jobq_message){.id = arena_str(arena, id),
                                 .receipt = arena_str(arena, receipt),
                                 .body = arena_str(arena, body),
                                 .sent_wall_ns = sent_ms * JOBQ_NS_PER_MS,
                                 .receive_count = (int32_t)receives};
    return JOBQ_OK;
}

int sqs_wire_read_receive(struct jobq_str reply, struct digest *digest, int max,
                          struct arena *arena, struct jobq_message *out,
                          struct jobq_error *err)
{
    json_t *root = load(reply, err);
    if (!root)
        return err->code;
    const json_t *list = json_object_get(root, "Messages");
    int count = (int)json_array_size(list), rc = count;
    if (count > max)
        rc = jobq_fail(err, JOBQ_CORRUPT, "reply holds '%d' messages, asked for %d",
                       count, max);
    for (int i = 0; rc >= 0 && i < count; i++) {
        int one =
            read_message(json_array_get(list, (size_t)i), digest, arena, &out[i], err);
        if (one < 0)
            rc = one;
    }
    json_decref(root);
    return rc;
}

bool sqs_wire_arn(struct jobq_str url, struct jobq_str region, struct text *out)
{
    int64_t slash[2] = {-1, -1};
    for (int64_t i = url.len - 1; i >= 0 && slash[1] < 0; i--)
        if (url.ptr[i] == '/')
            slash[slash[0] >= 0] = i;
    if (slash[1] < 0 || slash[0] + 1 == url.len || slash[1] + 1 == slash[0])
        return false;
    const char *partition = "aws";
    if (region.len > 3 && memcmp(region.ptr, "cn-", 3) == 0)
        partition = "aws-cn";
    else if (region.len > 7 && memcmp(region.ptr, "us-gov-", 7) == 0)
        partition = "aws-us-gov";
    text_printf(out, "arn:%s:sqs:", partition);
    text_put_str(out, region);
    text_putc(out, ':');
    text_put(out, url.ptr + slash[1] + 1, (size_t)(slash[0] - slash[1] - 1));
    text_putc(out, ':');
    text_put(out, url.ptr + slash[0] + 1, (size_t)(url.len - slash[0] - 1));
    return true;
}
