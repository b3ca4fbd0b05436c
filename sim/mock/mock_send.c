/* mock_send.c - SendMessage and SendMessageBatch.
 *
 * Room:     sim/mock.
 * Callers:  mock_sqs.c's table.
 * Knows nothing of: sockets, protocols beyond call->json. */
#include "sim/mock/mock_sqs.h"
#include "sim/mock/mock_attribute.h"
#include "sim/mock/mock_chars.h"
#include "sim/mock/mock_entry.h"
#include "sim/mock/mock_receive.h"

#include <stdio.h>
#include <string.h>

/* One message on its way in, with room for its attributes. */
struct draft {
    struct sqs_outgoing out;
    struct sqs_attribute attribute[MOCK_ATTRIBUTES_MAX + 1];
    char dedup[2 * DIGEST_SHA256_BYTES + 1];
};

static int64_t payload_of(const struct sqs_outgoing *out)
{
    int64_t bytes = out->body.len;
    for (int i = 0; i < out->attribute_count; i++)
        bytes += out->attribute[i].name.len + out->attribute[i].type.len +
                 out->attribute[i].value.len;
    return bytes;
}

/* Reads one message. On failure text (256 bytes) says why; the fault is returned. */
static enum sqs_fault read_draft(const struct call *call, const struct tree *entry,
                                 struct draft *draft, char *text)
{
    const struct tree *body = tree_get(entry, "MessageBody");
    struct jobq_str delay = tree_text(entry, "DelaySeconds");
    struct sqs_outgoing *out = &draft->out;
    *out = (struct sqs_outgoing){.delay_ns = SQS_DEFAULT};
    if (!body || body->kind == TREE_NULL) {
        strcpy(text, "The request must contain the parameter MessageBody.");
        return SQS_MISSING_PARAMETER;
    }
    out->body = body->text;
    if (out->body.len == 0) {
        strcpy(text, "The request must contain the parameter MessageBody.");
        return SQS_MISSING_PARAMETER;
    }
    if (!mock_chars_ok(out->body)) {
        strcpy(text, sqs_fault_info(SQS_BAD_CONTENTS)->text);
        return SQS_BAD_CONTENTS;
    }
    int64_t delay_s = 0;
    if (delay.ptr) {
        if (!str_to_int(delay, &delay_s) || delay_s < 0 || delay_s > 900) {
            char shown[40];
            struct text put = {0};
            text_printf(&put,
                        "Value %s for parameter DelaySeconds is invalid. Reason: "
                        "DelaySeconds must be >= 0 and <= 900.",
                        text_escape(delay.ptr, delay.len, shown, sizeof shown));
            memcpy(text, put.ptr, put.len + 1);
            text_release(&put);
            return SQS_BAD_PARAMETER;
        }
        out->delay_ns = delay_s * JOBQ_NS_PER_S;
    }
    out->group = tree_text(entry, "MessageGroupId");
    out->dedup = tree_text(entry, "MessageDeduplicationId");
    int count = mock_attribute_read(call, entry, draft->attribute, text);
    if (count < 0)
        return SQS_BAD_PARAMETER;
    out->attribute = draft->attribute;
    out->attribute_count = count;
    return SQS_OK;
}

static bool is_fifo(const struct call *call, int queue)
{
    struct jobq_str name = sqs_name(call->region->sqs, queue);
    return name.len > 5 && memcmp(name.ptr + name.len - 5, ".fifo", 5) == 0;
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

static void write_sent(struct call *call, int queue, const struct sqs_outgoing *out,
                       const struct sqs_sent *sent)
{
    struct mock *mock = call->mock;
    struct emit *e = &call->out;
    char id[MOCK_UUID_BYTES], md5[33], sequence[24];
    unsigned char digest[DIGEST_MD5_BYTES];
    mock_uuid_of(mock, (uint64_t)call->region->index, sent->id, id);
    digest_md5(&mock->digest, out->body.ptr, (size_t)out->body.len, digest);
    digest_hex(digest, sizeof digest, md5);
    emit_text(e, "MessageId", str_of(id));
    emit_text(e, "MD5OfMessageBody", str_of(md5));
    if (mock_attribute_md5(mock, out->attribute, out->attribute_count, false, md5))
        emit_text(e, "MD5OfMessageAttributes", str_of(md5));
    if (mock_attribute_md5(mock, out->attribute, out->attribute_count, true, md5))
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
    char text[256] = "";
    int queue = mock_sqs_queue(call);
    if (queue < 0)
        return CALL_FAILED;
    enum sqs_fault fault = read_draft(call, call->params, &draft, text);
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
                              sent.reason ? sent.reason
                                          : sqs_entry_text(call->region->sqs, queue,
                                                           sent.fault, text, 256));
    write_sent(call, queue, &draft.out, &sent);
    return CALL_DONE;
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
        entry[i].fault = read_draft(call, entry[i].in, &draft[i], entry[i].text);
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
            if (sent[i].reason)
                snprintf(one->text, sizeof one->text, "%s", sent[i].reason);
            continue;
        }
        if (!any)
            emit_list(&call->out, "Successful");
        any = true;
        emit_object(&call->out, NULL, "SendMessageBatchResultEntry");
        emit_text(&call->out, "Id", one->id);
        write_sent(call, queue, &out[i], &sent[i]);
        emit_object_end(&call->out, "SendMessageBatchResultEntry");
    }
    if (any)
        emit_list_end(&call->out);
    mock_entry_write_failed(call, queue, entry, count);
    return CALL_DONE;
}
