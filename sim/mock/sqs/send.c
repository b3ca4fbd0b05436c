/* send.c - SendMessage and SendMessageBatch.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/sqs/actions.c's table.
 * Knows nothing of: sockets, protocols beyond call->json. */
#include "sim/mock/sqs/actions.h"
#include "sim/mock/sqs/attribute.h"
#include "sim/mock/server/chars.h"
#include "sim/mock/sqs/entry.h"
#include "sim/mock/sqs/receive.h"

#include <stdio.h>
#include <string.h>

/* One message on its way in, with room for its attributes. */
struct draft {
    struct sqs_outgoing out;
    struct sqs_attribute attribute[MOCK_ATTRIBUTES_MAX + 1];
    char dedup[2 * DIGEST_SHA256_BYTES + 1];
    int sent_attributes; /* without the trace that came as a header */
};

static int64_t payload_of(const struct sqs_outgoing *out)
{
    int64_t bytes = out->body.len;
    for (int i = 0; i < out->attribute_count; i++)
        bytes += out->attribute[i].name.len + out->attribute[i].type.len +
                 out->attribute[i].value.len;
    return bytes;
}

/* text: "Value VALUE for parameter NAME is invalid. Reason: ...". */
static enum sqs_fault send_refuse(const struct call *call, struct jobq_str value,
                                  const char *name, const char *reason, const char **text)
{
    *text = mock_sqs_invalid_text(call, value, name, reason);
    return SQS_BAD_PARAMETER;
}

/* Group and deduplication ids: if they are there, 1 to 128 characters without blanks. */
static enum sqs_fault read_id(const struct call *call, const struct tree *entry,
                              const char *name, struct jobq_str *out, const char **text)
{
    char reason[140];
    *out = tree_text(entry, name);
    bool fine = !out->ptr || (out->len >= 1 && out->len <= SQS_ID_MAX);
    for (int64_t i = 0; fine && i < out->len; i++)
        fine = out->ptr[i] > ' ' && out->ptr[i] <= '~';
    if (fine)
        return SQS_OK;
    snprintf(reason, sizeof reason,
             "%s can only include alphanumeric and punctuation characters. 1 to 128 in "
             "length.",
             name);
    return send_refuse(call, *out, name, reason, text);
}

static enum sqs_fault read_delay(const struct call *call, const struct tree *entry,
                                 bool fifo, int64_t *out_ns, const char **text)
{
    struct jobq_str delay = tree_text(entry, "DelaySeconds");
    int64_t delay_s = 0;
    if (!delay.ptr)
        return SQS_OK;
    if (!str_to_int(delay, &delay_s) || delay_s < 0 || delay_s > 900)
        return send_refuse(call, delay, "DelaySeconds",
                           "DelaySeconds must be >= 0 and <= 900.", text);
    if (fifo && delay_s > 0)
        return send_refuse(
            call, delay, "DelaySeconds",
            "The request include parameter that is not valid for this queue type.", text);
    *out_ns = delay_s * JOBQ_NS_PER_S;
    return SQS_OK;
}

static bool is_fifo(const struct call *call, int queue)
{
    struct jobq_str name = sqs_name(call->region->sqs, queue);
    return name.len > 5 && memcmp(name.ptr + name.len - 5, ".fifo", 5) == 0;
}

/* The header of a traced request is kept as the attribute, unless that was sent. */
static void take_trace(const struct call *call, struct draft *draft)
{
    struct sqs_outgoing *out = &draft->out;
    if (call->trace.len == 0 ||
        (out->attribute_count > 0 && draft->attribute[out->attribute_count - 1].system))
        return;
    draft->attribute[out->attribute_count++] =
        (struct sqs_attribute){.name = STR("AWSTraceHeader"),
                               .type = STR("String"),
                               .value = call->trace,
                               .system = true};
}

/* Reads one message. On failure *text says why; the fault is returned. */
static enum sqs_fault read_draft(const struct call *call, int queue,
                                 const struct tree *entry, struct draft *draft,
                                 const char **text)
{
    const struct tree *body = tree_get(entry, "MessageBody");
    struct sqs_outgoing *out = &draft->out;
    bool fifo = is_fifo(call, queue);
    *out = (struct sqs_outgoing){.delay_ns = SQS_DEFAULT};
    if (!body || body->kind == TREE_NULL) {
        *text = "The request must contain the parameter MessageBody.";
        return SQS_MISSING_PARAMETER;
    }
    out->body = body->text;
    if (out->body.len == 0) {
        *text = "The request must contain the parameter MessageBody.";
        return SQS_MISSING_PARAMETER;
    }
    if (!mock_chars_ok(out->body)) {
        *text = sqs_fault_info(SQS_BAD_CONTENTS)->text;
        return SQS_BAD_CONTENTS;
    }
    if (read_delay(call, entry, fifo, &out->delay_ns, text) != SQS_OK ||
        read_id(call, entry, "MessageGroupId", &out->group, text) != SQS_OK ||
        read_id(call, entry, "MessageDeduplicationId", &out->dedup, text) != SQS_OK)
        return SQS_BAD_PARAMETER;
    if (!fifo && out->dedup.len > 0)
        return send_refuse(
            call, out->dedup, "MessageDeduplicationId",
            "The request include parameter that is not valid for this queue type.", text);
    int count = mock_attribute_read(call, entry, draft->attribute, text);
    if (count < 0)
        return SQS_BAD_PARAMETER;
    out->attribute = draft->attribute;
    out->attribute_count = draft->sent_attributes = count;
    take_trace(call, draft);
    return SQS_OK;
}

/* Content-based deduplication: the id is the body's SHA-256, and receivers see it. */
static void name_by_content(struct call *call, int queue, struct draft *draft, int count)
{
    struct sqs_queue_info info;
    struct jobq_error err;
    unsigned char sha[DIGEST_SHA256_BYTES];
    if (!is_fifo(call, queue) ||
        sqs_info(call->region->sqs, call->now_ns, queue, &info, &err) != SQS_OK ||
        !info.settings.content_dedup)
        return;
    for (int i = 0; i < count; i++) {
        struct sqs_outgoing *out = &draft[i].out;
        if (out->dedup.len > 0 || out->body.len == 0)
            continue;
        digest_sha256(&call->mock->digest, out->body.ptr, (size_t)out->body.len, sha);
        digest_hex(sha, sizeof sha, draft[i].dedup);
        out->dedup = str_of(draft[i].dedup);
    }
}

static void write_sent(struct call *call, int queue, const struct draft *draft,
                       const struct sqs_sent *sent)
{
    const struct sqs_outgoing *out = &draft->out;
    int attributes = draft->sent_attributes;
    struct mock *mock = call->mock;
    struct emit *e = &call->out;
    char id[MOCK_UUID_BYTES], md5[33], sequence[24];
    unsigned char digest[DIGEST_MD5_BYTES];
    mock_uuid_of(mock, (uint64_t)call->region->index, sent->id, id);
    digest_md5(&mock->digest, out->body.ptr, (size_t)out->body.len, digest);
    digest_hex(digest, sizeof digest, md5);
    emit_text(e, "MessageId", str_of(id));
    emit_text(e, "MD5OfMessageBody", str_of(md5));
    if (mock_attribute_md5(mock, out->attribute, attributes, false, md5))
        emit_text(e, "MD5OfMessageAttributes", str_of(md5));
    if (mock_attribute_md5(mock, out->attribute, attributes, true, md5))
        emit_text(e, "MD5OfMessageSystemAttributes", str_of(md5));
    if (is_fifo(call, queue)) {
        mock_receive_sequence(sent->id, sequence);
        emit_text(e, "SequenceNumber", str_of(sequence));
    }
}

enum call_end mock_send_message(struct call *call)
{
    struct draft draft;
    struct sqs_sent sent = {0};
    struct jobq_error err = {0};
    const char *text = NULL;
    char usual[240];
    int queue = mock_sqs_queue(call);
    if (queue < 0)
        return CALL_FAILED;
    enum sqs_fault fault = read_draft(call, queue, call->params, &draft, &text);
    if (fault != SQS_OK)
        return mock_sqs_fault(call, fault, text);
    name_by_content(call, queue, &draft, 1);
    call->entries = 1;
    call->payload_bytes = payload_of(&draft.out);
    fault = sqs_send(call->region->sqs, call->now_ns, queue, false, &draft.out, 1, &sent,
                     &err);
    if (fault != SQS_OK)
        return mock_sqs_fault(call, fault, err.text);
    if (sent.fault != SQS_OK)
        return mock_sqs_fault(call, sent.fault,
                              sent.reason
                                  ? sent.reason
                                  : sqs_entry_text(call->region->sqs, queue, sent.fault,
                                                   usual, sizeof usual));
    write_sent(call, queue, &draft, &sent);
    return CALL_DONE;
}

static const char *too_long(const struct call *call, int queue)
{
    struct sqs_queue_info info;
    struct jobq_error err;
    if (sqs_info(call->region->sqs, call->now_ns, queue, &info, &err) != SQS_OK)
        return NULL;
    return mock_format(call,
                       "One or more parameters cannot be validated. Reason: Message must "
                       "be shorter than %lld bytes.",
                       (long long)info.settings.message_bytes_max);
}

enum call_end mock_send_batch(struct call *call)
{
    struct draft *draft = arena_alloc(&call->mock->arena, SQS_BATCH_MAX * sizeof *draft);
    struct sqs_outgoing out[SQS_BATCH_MAX];
    struct sqs_sent sent[SQS_BATCH_MAX] = {{0}};
    struct mock_entry entry[SQS_BATCH_MAX];
    struct jobq_error err = {0};
    int queue = mock_sqs_queue(call), good = 0, which[SQS_BATCH_MAX];
    if (queue < 0)
        return CALL_FAILED;
    int count = mock_entry_read(call, "SendMessageBatchRequestEntry", entry);
    if (count < 0)
        return CALL_FAILED;
    for (int i = 0; i < count; i++)
        entry[i].fault = read_draft(call, queue, entry[i].in, &draft[i], &entry[i].text);
    name_by_content(call, queue, draft, count);
    for (int i = 0; i < count; i++) {
        if (entry[i].fault != SQS_OK)
            continue;
        call->payload_bytes += payload_of(&draft[i].out);
        which[good] = i;
        out[good++] = draft[i].out;
    }
    enum sqs_fault fault = SQS_OK;
    if (good > 0)
        fault =
            sqs_send(call->region->sqs, call->now_ns, queue, true, out, good, sent, &err);
    if (fault != SQS_OK)
        return mock_sqs_fault(call, fault, err.text);
    call->entries = good;
    bool any = false;
    for (int i = 0; i < good; i++) {
        struct mock_entry *one = &entry[which[i]];
        one->fault = sent[i].fault;
        if (one->fault != SQS_OK) {
            if (one->fault == SQS_TOO_LONG) /* in other words than of a single message */
                one->text = too_long(call, queue);
            if (sent[i].reason)
                one->text = sent[i].reason;
            continue;
        }
        if (!any)
            emit_list(&call->out, "Successful");
        any = true;
        emit_object(&call->out, NULL, "SendMessageBatchResultEntry");
        emit_text(&call->out, "Id", one->id);
        write_sent(call, queue, &draft[which[i]], &sent[i]);
        emit_object_end(&call->out, "SendMessageBatchResultEntry");
    }
    if (any)
        emit_list_end(&call->out);
    mock_entry_write_failed(call, queue, entry, count);
    return CALL_DONE;
}
