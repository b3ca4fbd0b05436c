#include "sim/mock/sqs/receive.h"

#include "sim/mock/control/meter.h"
#include "sim/mock/server/respond.h"
#include "sim/mock/sqs/actions.h"
#include "sim/mock/sqs/attribute.h"
#include "sim/mock/sqs/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is asked for --------------------------------------------------------------- */

/* Which system attributes a receive asked for, one bit each in the order of system_names;
 * and which message attributes: "All", ".*" and "prefix.*" as given. */
struct wanted {
    unsigned system;
    struct jobq_str *name;
    int name_count;
};

enum wanted_bit {
    WANT_SENDER,
    WANT_SENT,
    WANT_COUNT,
    WANT_FIRST,
    WANT_SEQUENCE,
    WANT_DEDUP,
    WANT_GROUP,
    WANT_TRACE,
    WANT_SOURCE,
    WANT_BITS
};

static const char *const system_names[WANT_BITS] = {
    [WANT_SENDER] = "SenderId",
    [WANT_SENT] = "SentTimestamp",
    [WANT_COUNT] = "ApproximateReceiveCount",
    [WANT_FIRST] = "ApproximateFirstReceiveTimestamp",
    [WANT_SEQUENCE] = "SequenceNumber",
    [WANT_DEDUP] = "MessageDeduplicationId",
    [WANT_GROUP] = "MessageGroupId",
    [WANT_TRACE] = "AWSTraceHeader",
    [WANT_SOURCE] = "DeadLetterQueueSourceArn",
};

/* Queue attributes that older clients ask of a receive; taken, and not answered. */
static bool is_queue_attribute(struct jobq_str name)
{
    static const char *const known[] = {
        "Policy",
        "VisibilityTimeout",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "CreatedTimestamp",
        "LastModifiedTimestamp",
        "QueueArn",
        "ApproximateNumberOfMessagesDelayed",
        "DelaySeconds",
        "ReceiveMessageWaitTimeSeconds",
        "RedrivePolicy",
        "FifoQueue",
        "ContentBasedDeduplication",
        "KmsMasterKeyId",
        "KmsDataKeyReusePeriodSeconds",
        "DeduplicationScope",
        "FifoThroughputLimit",
        "RedriveAllowPolicy",
        "SqsManagedSseEnabled",
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_is(name, known[i]))
            return true;
    return false;
}

static int read_system(struct call *call, const struct tree *list, unsigned *bits)
{
    for (const struct tree *one = list ? list->first : NULL; one; one = one->next) {
        unsigned found = str_is(one->text, "All") ? (1u << WANT_BITS) - 1 : 0;
        for (int i = 0; i < WANT_BITS; i++)
            if (str_is(one->text, system_names[i]))
                found = 1u << i;
        if (!found && !is_queue_attribute(one->text)) {
            mock_sqs_unknown_attribute(call, one->text);
            return -1;
        }
        *bits |= found;
    }
    return 0;
}

static int read_wanted(struct call *call, struct wanted *out)
{
    *out = (struct wanted){0};
    if (read_system(call, mock_sqs_list(call, "AttributeNames", "AttributeName"),
                    &out->system) < 0 ||
        read_system(call,
                    mock_sqs_list(call, "MessageSystemAttributeNames",
                                  "MessageSystemAttributeName"),
                    &out->system) < 0)
        return -1;
    const struct tree *names =
        mock_sqs_list(call, "MessageAttributeNames", "MessageAttributeName");
    if (!names || names->count == 0)
        return 0;
    out->name = arena_alloc(&call->mock->arena, (size_t)names->count * sizeof *out->name);
    for (const struct tree *one = names->first; one; one = one->next)
        out->name[out->name_count++] = one->text;
    return 0;
}

static bool wants_name(const struct wanted *wanted, struct jobq_str name)
{
    for (int i = 0; i < wanted->name_count; i++) {
        struct jobq_str asked = wanted->name[i];
        if (str_is(asked, "All") || str_is(asked, ".*") || str_is(asked, "*") ||
            str_eq(asked, name))
            return true;
        if (asked.len > 2 && memcmp(asked.ptr + asked.len - 2, ".*", 2) == 0 &&
            name.len >= asked.len - 2 &&
            memcmp(name.ptr, asked.ptr, (size_t)asked.len - 2) == 0)
            return true;
    }
    return false;
}

/* ---- the reply ------------------------------------------------------------------------ */

void mock_receive_sequence(uint64_t id, char out[24])
{
    snprintf(out, 24, "188%017llu", (unsigned long long)(id * 256 % 100000000000000000));
}

struct system_writer {
    struct call *call;
    const struct wanted *wanted;
    bool open;
};

static void receive_put_system(struct system_writer *w, enum wanted_bit bit,
                               struct jobq_str value)
{
    struct emit *e = &w->call->out;
    if (!(w->wanted->system & 1u << bit) || value.len == 0)
        return;
    if (!w->open)
        emit_map(e, "Attributes");
    w->open = true;
    emit_map_put(e, "Attribute", "Name", str_of(system_names[bit]), value);
}

static void put_system_int(struct system_writer *w, enum wanted_bit bit, int64_t value)
{
    char digits[24];
    receive_put_system(w, bit, (struct jobq_str){digits, text_write_int(digits, value)});
}

static void write_system(struct call *call, const struct wanted *wanted,
                         const struct sqs_message *message, const struct sqs_extra *extra)
{
    struct system_writer w = {call, wanted, false};
    char sequence[24];
    struct sqs_attribute attribute;
    receive_put_system(&w, WANT_SENDER, STR(MOCK_USER_ID));
    put_system_int(&w, WANT_SENT, message->sent_at_ns / JOBQ_NS_PER_MS);
    put_system_int(&w, WANT_COUNT, message->receive_count);
    put_system_int(&w, WANT_FIRST, message->first_received_at_ns / JOBQ_NS_PER_MS);
    if (extra->dedup.len > 0) {
        mock_receive_sequence(message->id, sequence);
        receive_put_system(&w, WANT_SEQUENCE, str_of(sequence));
    }
    receive_put_system(&w, WANT_DEDUP, extra->dedup);
    receive_put_system(&w, WANT_GROUP, extra->group);
    for (int i = 0; i < extra->attribute_count; i++) {
        sqs_extra_attribute(message->extra, i, &attribute);
        if (attribute.system)
            receive_put_system(&w, WANT_TRACE, attribute.value);
    }
    if (message->source_queue >= 0 &&
        sqs_exists(call->region->sqs, message->source_queue)) {
        struct text arn = {0};
        mock_names_arn(call->mock, call->region,
                       sqs_name(call->region->sqs, message->source_queue), &arn);
        receive_put_system(&w, WANT_SOURCE, text_str(&arn));
        text_release(&arn);
    }
    if (w.open)
        emit_map_end(&call->out);
}

static void write_attributes(struct call *call, const struct wanted *wanted,
                             const struct sqs_message *message,
                             const struct sqs_extra *extra)
{
    struct sqs_attribute chosen[MOCK_ATTRIBUTES_MAX + 1];
    int count = 0;
    char md5[33];
    for (int i = 0; i < extra->attribute_count && count <= MOCK_ATTRIBUTES_MAX; i++) {
        sqs_extra_attribute(message->extra, i, &chosen[count]);
        if (!chosen[count].system && wants_name(wanted, chosen[count].name))
            count++;
    }
    if (!mock_attribute_md5(call->mock, chosen, count, false, md5))
        return;
    emit_text(&call->out, "MD5OfMessageAttributes", str_of(md5));
    emit_map(&call->out, "MessageAttributes");
    for (int i = 0; i < count; i++) {
        mock_attribute_write(&call->out, &call->mock->arena, &chosen[i]);
        call->payload_bytes +=
            chosen[i].name.len + chosen[i].type.len + chosen[i].value.len;
    }
    emit_map_end(&call->out);
}

static void write_message(struct call *call, int queue, const struct wanted *wanted,
                          const struct sqs_message *message)
{
    struct mock *mock = call->mock;
    struct emit *e = &call->out;
    char id[MOCK_UUID_BYTES], handle[MOCK_NAMES_HANDLE], md5[33];
    unsigned char digest[DIGEST_MD5_BYTES];
    mock_uuid_of(mock, (uint64_t)call->region->index, message->id, id);
    mock_names_handle(mock, call->region, queue, message->receipt, handle);
    digest_md5(&mock->digest, message->body.ptr, (size_t)message->body.len, digest);
    digest_hex(digest, sizeof digest, md5);
    emit_object(e, NULL, "Message");
    emit_text(e, "MessageId", str_of(id));
    emit_text(e, "ReceiptHandle", str_of(handle));
    emit_text(e, "MD5OfBody", str_of(md5));
    emit_text(e, "Body", message->body);
    call->payload_bytes += message->body.len;
    call->entries++;
    if (wanted->system || wanted->name_count > 0) {
        struct sqs_extra extra;
        sqs_extra_read(message->extra, &extra);
        if (wanted->system)
            write_system(call, wanted, message, &extra);
        if (wanted->name_count > 0)
            write_attributes(call, wanted, message, &extra);
    }
    emit_object_end(e, "Message");
}

static void write_messages(struct call *call, int queue, const struct wanted *wanted,
                           const struct sqs_received *received)
{
    call->empty = received->count == 0;
    if (received->count == 0) {
        if (call->query_json)
            text_puts(call->out.out, "\"messages\":null");
        return;
    }
    emit_list(&call->out, call->query_json ? "messages" : "Messages");
    for (int i = 0; i < received->count; i++)
        write_message(call, queue, wanted, &received->message[i]);
    emit_list_end(&call->out);
}

/* ---- receives that wait ------------------------------------------------------------- */

struct waiter {
    struct mock *mock;
    struct mock_region *region;
    struct http_exchange *x;
    uint64_t cookie; /* generation in the high half, 1 + index in the low one */
    int next_free;
    int queue;
    bool used, json, query_json;
    int64_t request_bytes;
    char request_id[MOCK_UUID_BYTES];
    struct wanted wanted; /* its names are one allocation, freed with it */
};

struct mock_waits {
    struct waiter **slot; /* pointers: a gone callback holds one */
    int count, used, free_head;
};

struct mock_waits *mock_wait_new(void)
{
    struct mock_waits *waits = xcalloc(1, sizeof *waits);
    waits->free_head = -1;
    return waits;
}

void mock_wait_free(struct mock_waits *waits)
{
    if (!waits)
        return;
    for (int i = 0; i < waits->count; i++) {
        free(waits->slot[i]->wanted.name);
        free(waits->slot[i]);
    }
    free(waits->slot);
    free(waits);
}

int mock_wait_count(const struct mock_waits *waits)
{
    return waits->used;
}

/* A free cookie, to be given to sqs_receive. */
static uint64_t wait_cookie(struct mock_waits *waits)
{
    if (waits->free_head < 0) {
        waits->slot =
            xrealloc(waits->slot, (size_t)(waits->count + 1) * sizeof *waits->slot);
        struct waiter *fresh = xcalloc(1, sizeof *fresh);
        fresh->cookie = (uint64_t)waits->count + 1;
        fresh->next_free = -1;
        waits->slot[waits->count] = fresh;
        waits->free_head = waits->count++;
    }
    return waits->slot[waits->free_head]->cookie;
}

static struct waiter *find_waiter(struct mock_waits *waits, uint64_t cookie)
{
    uint64_t index = (cookie & UINT32_MAX) - 1;
    if (index >= (uint64_t)waits->count)
        return NULL;
    struct waiter *waiter = waits->slot[index];
    return waiter->used && waiter->cookie == cookie ? waiter : NULL;
}

static void forget(struct waiter *waiter)
{
    struct mock_waits *waits = waiter->mock->waits;
    free(waiter->wanted.name);
    waiter->wanted = (struct wanted){0};
    waiter->used = false;
    int index = (int)(waiter->cookie & UINT32_MAX) - 1;
    waiter->cookie += UINT64_C(1) << 32;
    waiter->next_free = waits->free_head;
    waits->free_head = index;
    waits->used--;
}

/* What is kept of the request, as a call. */
static struct call call_of(const struct waiter *waiter)
{
    struct call call = {
        .mock = waiter->mock,
        .x = waiter->x,
        .region = waiter->region,
        .service = MOCK_SQS,
        .json = waiter->json,
        .query_json = waiter->query_json,
        .fifo = mock_sqs_is_fifo(sqs_name(waiter->region->sqs, waiter->queue)),
        .action = "ReceiveMessage",
        .now_ns = mock_now_ns(waiter->mock),
        .request_bytes = waiter->request_bytes};
    memcpy(call.request_id, waiter->request_id, sizeof call.request_id);
    return call;
}

/* It was asked, so it is billed, though nobody gets the answer. */
static bool client_gone(void *ctx)
{
    struct waiter *waiter = ctx;
    struct call call = call_of(waiter);
    meter_call(waiter->mock->meter, &call, 200, 0);
    /* Granted ones are answered within the call that granted them, so that one found here
     * is still waiting. */
    sqs_cancel(waiter->region->sqs, waiter->cookie);
    forget(waiter);
    return false;
}

/* The names outlive the request: copy them, array and bytes in one allocation. */
static void keep_wanted(struct waiter *waiter, const struct wanted *wanted)
{
    waiter->wanted = *wanted;
    waiter->wanted.name = NULL;
    if (wanted->name_count == 0)
        return;
    size_t head = (size_t)wanted->name_count * sizeof *wanted->name, bytes = head;
    for (int i = 0; i < wanted->name_count; i++)
        bytes += (size_t)wanted->name[i].len;
    waiter->wanted.name = xmalloc(bytes);
    char *at = (char *)waiter->wanted.name + head;
    for (int i = 0; i < wanted->name_count; i++) {
        size_t len = (size_t)wanted->name[i].len;
        if (len > 0)
            memcpy(at, wanted->name[i].ptr, len);
        waiter->wanted.name[i] = (struct jobq_str){at, (int64_t)len};
        at += len;
    }
}

/* The model said "waiting": keep what is needed to answer later. */
static void wait_park(struct call *call, uint64_t cookie, int queue,
                      const struct wanted *wanted)
{
    struct mock_waits *waits = call->mock->waits;
    struct waiter *waiter = waits->slot[waits->free_head];
    waits->free_head = waiter->next_free;
    waits->used++;
    waiter->mock = call->mock;
    waiter->region = call->region;
    waiter->x = call->x;
    waiter->cookie = cookie;
    waiter->queue = queue;
    waiter->used = true;
    waiter->json = call->json;
    waiter->query_json = call->query_json;
    waiter->request_bytes = call->request_bytes;
    memcpy(waiter->request_id, call->request_id, sizeof waiter->request_id);
    keep_wanted(waiter, wanted);
    http_on_gone(call->x, client_gone, waiter);
}

static void answer_grant(struct waiter *waiter, const struct sqs_grant *grant)
{
    struct call call = call_of(waiter);
    answer_open(&call, true);
    enum call_end end = CALL_DONE;
    if (grant->fault != SQS_OK)
        end = mock_sqs_fault(&call, grant->fault, NULL);
    else
        write_messages(&call, waiter->queue, &waiter->wanted, &grant->received);
    forget(waiter);
    answer_end(&call, end, true);
}

void mock_wait_drain(struct mock *mock, struct mock_region *region)
{
    struct sqs_grant grant;
    while (sqs_take_grant(region->sqs, &grant)) {
        struct waiter *waiter = find_waiter(mock->waits, grant.cookie);
        if (waiter)
            answer_grant(waiter, &grant);
    }
}

/* ---- the action ----------------------------------------------------------------------- */

enum call_end mock_receive_message(struct call *call)
{
    struct mock *mock = call->mock;
    struct wanted wanted;
    struct sqs_received received;
    struct jobq_error err = {0};
    int64_t max = 1, wait_s = -1, visibility_s = -1;
    int queue = mock_sqs_queue(call);
    if (queue < 0 || read_wanted(call, &wanted) < 0 ||
        mock_sqs_int(call, call->params, "MaxNumberOfMessages", 1, SQS_BATCH_MAX, &max) <
            0 ||
        mock_sqs_int(call, call->params, "WaitTimeSeconds", 0, 20, &wait_s) < 0 ||
        mock_sqs_int(call, call->params, "VisibilityTimeout", 0, 43200, &visibility_s) <
            0)
        return CALL_FAILED;
    struct sqs_receive options = {
        .max = (int)max,
        .wait_ns = wait_s < 0 ? SQS_DEFAULT : wait_s * JOBQ_NS_PER_S,
        .visibility_ns = visibility_s < 0 ? SQS_DEFAULT : visibility_s * JOBQ_NS_PER_S,
        .cookie = wait_cookie(mock->waits)};
    enum sqs_fault fault = sqs_receive(call->region->sqs, call->now_ns, mock_u(mock),
                                       queue, &options, &received, &err);
    if (fault != SQS_OK)
        return mock_sqs_fault(call, fault, err.text);
    if (received.waiting) {
        wait_park(call, options.cookie, queue, &wanted);
        return CALL_WAITING;
    }
    write_messages(call, queue, &wanted, &received);
    return CALL_DONE;
}
