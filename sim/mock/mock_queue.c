/* mock_queue.c - SQS's actions on queues: made, found, listed, set, emptied, deleted.
 *
 * Room:     sim/mock.
 * Callers:  mock_sqs.c's table.
 * Knows nothing of: sockets, messages. */
#include "sim/mock/mock_sqs.h"
#include "sim/mock/mock_names.h"
#include "sim/mock/mock_settings.h"
#include "sim/mock/mock_side.h"

#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 1000 };

static void emit_url(struct call *call, const char *name, int queue)
{
    struct text url = {0};
    mock_names_url(call, queue, &url);
    if (name)
        emit_text(&call->out, name, text_str(&url));
    text_release(&url);
}

static int keep_tags(struct call *call, struct mock_queue *side)
{
    const struct tree *tags =
        mock_sqs_list(call, tree_get(call->params, "tags") ? "tags" : "Tags", "Tag");
    for (const struct tree *one = tags ? tags->first : NULL; one; one = one->next) {
        struct jobq_str key = mock_sqs_key(call, one);
        const struct tree *value = mock_sqs_value(call, one);
        if (key.len < 1 || key.len > 128 || (value && value->text.len > 256)) {
            mock_sqs_fault(call, SQS_BAD_PARAMETER,
                           "Tag keys must be between 1 and 128 characters in length, and "
                           "values at most 256.");
            return -1;
        }
        if (!pairs_get(&side->tags, key) && side->tags.count == 50) {
            mock_sqs_fault(call, SQS_BAD_PARAMETER, "Too many tags added for queue.");
            return -1;
        }
        pairs_set(&side->tags, key,
                  value && value->text.ptr ? value->text : (struct jobq_str){"", 0});
    }
    return 0;
}

enum call_end mock_create_queue(struct call *call)
{
    struct mock_given given;
    struct jobq_error err = {0};
    struct jobq_str name = call_text(call, "QueueName");
    int queue;
    if (!name.ptr)
        return mock_sqs_missing(call, "QueueName");
    if (mock_settings_read(call, mock_sqs_list(call, "Attributes", "Attribute"), &given) <
        0)
        return CALL_FAILED;
    bool existed = sqs_find(call->region->sqs, name) >= 0;
    enum sqs_fault fault =
        sqs_create(call->region->sqs, call->now_ns, name, &given.settings, &queue, &err);
    if (fault != SQS_OK)
        return mock_sqs_fault(call, fault, err.text);
    if (!existed) {
        mock_side_clear(call->region->queues, queue);
        struct mock_queue *side = mock_side(call->region->queues, queue);
        mock_settings_keep(side, &given);
        if (keep_tags(call, side) < 0)
            return CALL_FAILED;
    }
    emit_url(call, "QueueUrl", queue);
    return CALL_DONE;
}

enum call_end mock_get_queue_url(struct call *call)
{
    struct jobq_str name = call_text(call, "QueueName");
    struct jobq_str owner = call_text(call, "QueueOwnerAWSAccountId");
    if (!name.ptr)
        return mock_sqs_missing(call, "QueueName");
    int queue = sqs_find(call->region->sqs, name);
    if (queue < 0 || (owner.len > 0 && !str_is(owner, call->mock->options->account)))
        return mock_sqs_fault(call, SQS_NO_QUEUE, NULL);
    emit_url(call, "QueueUrl", queue);
    return CALL_DONE;
}

enum call_end mock_delete_queue(struct call *call)
{
    struct jobq_error err = {0};
    int queue = mock_sqs_queue(call);
    if (queue < 0)
        return CALL_FAILED;
    enum sqs_fault fault = sqs_delete_queue(call->region->sqs, call->now_ns, queue, &err);
    if (fault != SQS_OK)
        return mock_sqs_fault(call, fault, err.text);
    mock_side_clear(call->region->queues, queue);
    return CALL_DONE;
}

enum call_end mock_purge_queue(struct call *call)
{
    struct jobq_error err = {0};
    int queue = mock_sqs_queue(call);
    if (queue < 0)
        return CALL_FAILED;
    enum sqs_fault fault = sqs_purge(call->region->sqs, call->now_ns, queue, &err);
    return fault == SQS_OK ? CALL_DONE : mock_sqs_fault(call, fault, err.text);
}

enum call_end mock_set_attributes(struct call *call)
{
    struct mock_given given;
    struct jobq_error err = {0};
    int queue = mock_sqs_queue(call);
    const struct tree *map = mock_sqs_list(call, "Attributes", "Attribute");
    if (queue < 0)
        return CALL_FAILED;
    if (!map || map->count == 0)
        return mock_sqs_missing(call, "Attribute.Name");
    if (mock_settings_read(call, map, &given) < 0)
        return CALL_FAILED;
    enum sqs_fault fault =
        sqs_set(call->region->sqs, call->now_ns, queue, &given.settings, &err);
    if (fault != SQS_OK)
        return mock_sqs_fault(call, fault, err.text);
    mock_settings_keep(mock_side(call->region->queues, queue), &given);
    return CALL_DONE;
}

struct attribute_writer {
    struct call *call;
    const struct tree *names;
    bool open;
};

static void put_attribute(void *ctx, const char *name, struct jobq_str value)
{
    struct attribute_writer *w = ctx;
    bool wanted = false;
    for (const struct tree *one = w->names->first; one && !wanted; one = one->next)
        wanted = str_is(one->text, "All") || str_is(one->text, name);
    if (!wanted)
        return;
    if (!w->open)
        emit_map(&w->call->out, "Attributes");
    w->open = true;
    emit_map_put(&w->call->out, "Attribute", "Name", str_of(name), value);
}

enum call_end mock_get_attributes(struct call *call)
{
    struct sqs_queue_info info;
    struct jobq_error err = {0};
    int queue = mock_sqs_queue(call);
    const struct tree *names = mock_sqs_list(call, "AttributeNames", "AttributeName");
    if (queue < 0)
        return CALL_FAILED;
    for (const struct tree *one = names ? names->first : NULL; one; one = one->next) {
        if (!mock_settings_knows(one->text))
            return mock_fail(call, 400, "InvalidAttributeName", NULL,
                             "Unknown Attribute %.80s.", one->text.ptr);
    }
    enum sqs_fault fault = sqs_info(call->region->sqs, call->now_ns, queue, &info, &err);
    if (fault != SQS_OK)
        return mock_sqs_fault(call, fault, err.text);
    if (!names)
        return CALL_DONE;
    struct attribute_writer w = {call, names, false};
    mock_settings_show(call->mock, call->region, queue, &info, put_attribute, &w);
    if (w.open)
        emit_map_end(&call->out);
    return CALL_DONE;
}

/* ---- lists ------------------------------------------------------------------------ */

static int compare_names(const void *left, const void *right)
{
    const struct jobq_str *a = left, *b = right;
    return str_cmp(*a, *b);
}

/* Names of the queues that fit, sorted. Owner: the arena. */
static int collect(struct call *call, bool (*fits)(struct call *, int, void *), void *ctx,
                   struct jobq_str **out)
{
    struct sqs *sqs = call->region->sqs;
    int count = 0, cap = 64;
    struct jobq_str *list = arena_alloc(&call->mock->arena, (size_t)cap * sizeof *list);
    for (int queue = 0; queue < SQS_QUEUES_MAX; queue++) {
        if (!sqs_exists(sqs, queue) || !fits(call, queue, ctx))
            continue;
        if (count == cap) {
            struct jobq_str *more =
                arena_alloc(&call->mock->arena, (size_t)cap * 2 * sizeof *more);
            memcpy(more, list, (size_t)cap * sizeof *list);
            list = more;
            cap *= 2;
        }
        list[count++] = sqs_name(sqs, queue);
    }
    qsort(list, (size_t)count, sizeof *list, compare_names);
    *out = list;
    return count;
}

/* Writes the page of names behind NextToken (the last name given). */
static enum call_end write_page(struct call *call, const char *json_name,
                                const struct jobq_str *list, int count)
{
    struct jobq_str token = call_text(call, "NextToken");
    int64_t max = 0;
    if (mock_sqs_int(call, call->params, "MaxResults", 1, LIST_MAX, &max) < 0)
        return CALL_FAILED;
    if (token.len > 0 && max == 0)
        return mock_sqs_fault(call, SQS_BAD_PARAMETER,
                              "Invalid or expired next token: it needs MaxResults.");
    int from = 0, put = 0, last = -1;
    while (token.len > 0 && from < count && str_cmp(list[from], token) <= 0)
        from++;
    int limit = max ? (int)max : LIST_MAX;
    for (int i = from; i < count && put < limit; i++, put++) {
        struct text url = {0};
        if (put == 0)
            emit_list(&call->out, json_name);
        mock_names_url(call, sqs_find(call->region->sqs, list[i]), &url);
        emit_item(&call->out, "QueueUrl", text_str(&url));
        text_release(&url);
        last = i;
    }
    if (put > 0)
        emit_list_end(&call->out);
    if (max && last >= 0 && last + 1 < count)
        emit_text(&call->out, "NextToken", list[last]);
    return CALL_DONE;
}

static bool has_prefix(struct call *call, int queue, void *ctx)
{
    const struct jobq_str *prefix = ctx;
    struct jobq_str name = sqs_name(call->region->sqs, queue);
    return prefix->len <= name.len &&
           (prefix->len == 0 || memcmp(name.ptr, prefix->ptr, (size_t)prefix->len) == 0);
}

enum call_end mock_list_queues(struct call *call)
{
    struct jobq_str prefix = call_text(call, "QueueNamePrefix");
    struct jobq_str *list;
    int count = collect(call, has_prefix, &prefix, &list);
    return write_page(call, "QueueUrls", list, count);
}

static bool redrives_to(struct call *call, int queue, void *ctx)
{
    struct sqs_queue_info info;
    struct jobq_error err;
    const int *target = ctx;
    return sqs_info(call->region->sqs, call->now_ns, queue, &info, &err) == SQS_OK &&
           info.settings.redrive_queue == *target;
}

enum call_end mock_list_sources(struct call *call)
{
    struct jobq_str *list;
    int queue = mock_sqs_queue(call);
    if (queue < 0)
        return CALL_FAILED;
    int count = collect(call, redrives_to, &queue, &list);
    /* The one member of SQS's JSON that begins in lower case. */
    if (call->json && count == 0) {
        emit_list(&call->out, "queueUrls");
        emit_list_end(&call->out);
        return CALL_DONE;
    }
    return write_page(call, "queueUrls", list, count);
}

/* ---- tags and permissions --------------------------------------------------------- */

enum call_end mock_tag_queue(struct call *call)
{
    int queue = mock_sqs_queue(call);
    if (queue < 0)
        return CALL_FAILED;
    const struct tree *tags = mock_sqs_list(call, "Tags", "Tag");
    if (!tags || tags->count == 0)
        return mock_sqs_missing(call, "Tags");
    return keep_tags(call, mock_side(call->region->queues, queue)) < 0 ? CALL_FAILED
                                                                       : CALL_DONE;
}

enum call_end mock_untag_queue(struct call *call)
{
    int queue = mock_sqs_queue(call);
    if (queue < 0)
        return CALL_FAILED;
    const struct tree *keys = mock_sqs_list(call, "TagKeys", "TagKey");
    if (!keys || keys->count == 0)
        return mock_sqs_missing(call, "TagKeys");
    struct mock_queue *side = mock_side(call->region->queues, queue);
    for (const struct tree *one = keys->first; one; one = one->next)
        pairs_remove(&side->tags, one->text);
    return CALL_DONE;
}

enum call_end mock_list_tags(struct call *call)
{
    int queue = mock_sqs_queue(call);
    if (queue < 0)
        return CALL_FAILED;
    const struct pairs *tags = &mock_side(call->region->queues, queue)->tags;
    if (tags->count == 0)
        return CALL_DONE;
    emit_map(&call->out, "Tags");
    for (int i = 0; i < tags->count; i++)
        emit_map_put(&call->out, "Tag", "Key", str_of(tags->at[i].key),
                     str_of(tags->at[i].value));
    emit_map_end(&call->out);
    return CALL_DONE;
}

static bool action_ok(struct jobq_str name)
{
    static const char *const known[] = {"*",
                                        "SendMessage",
                                        "ReceiveMessage",
                                        "DeleteMessage",
                                        "ChangeMessageVisibility",
                                        "GetQueueAttributes",
                                        "GetQueueUrl",
                                        "ListDeadLetterSourceQueues",
                                        "PurgeQueue"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_is(name, known[i]))
            return true;
    return false;
}

static void write_statement(const struct call *call, int queue, struct jobq_str label,
                            const struct tree *accounts, const struct tree *names,
                            struct text *json)
{
    text_puts(json, "{\"Sid\":");
    emit_json_string(json, label);
    text_puts(json, ",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":[");
    for (const struct tree *one = accounts->first; one; one = one->next) {
        if (one != accounts->first)
            text_putc(json, ',');
        text_puts(json, "\"arn:aws:iam::");
        text_put_str(json, one->text);
        text_puts(json, ":root\"");
    }
    text_puts(json, "]},\"Action\":[");
    for (const struct tree *one = names->first; one; one = one->next) {
        if (one != names->first)
            text_putc(json, ',');
        text_puts(json, "\"SQS:");
        text_put_str(json, one->text);
        text_putc(json, '"');
    }
    text_puts(json, "],\"Resource\":\"");
    mock_names_arn(call->mock, call->region, sqs_name(call->region->sqs, queue), json);
    text_puts(json, "\"}");
}

enum call_end mock_add_permission(struct call *call)
{
    struct jobq_str label = call_text(call, "Label");
    int queue = mock_sqs_queue(call);
    if (queue < 0)
        return CALL_FAILED;
    const struct tree *accounts = mock_sqs_list(call, "AWSAccountIds", "AWSAccountId");
    const struct tree *names = mock_sqs_list(call, "Actions", "ActionName");
    if (label.len == 0)
        return mock_sqs_missing(call, "Label");
    if (!accounts || accounts->count == 0)
        return mock_sqs_missing(call, "AWSAccountIds");
    if (!names || names->count == 0)
        return mock_sqs_missing(call, "Actions");
    struct mock_queue *side = mock_side(call->region->queues, queue);
    if (pairs_get(&side->permissions, label))
        return mock_sqs_fault(call, SQS_BAD_PARAMETER,
                              "Value for parameter Label is invalid. Reason: Already "
                              "exists.");
    int64_t number;
    for (const struct tree *one = accounts->first; one; one = one->next)
        if (one->text.len != 12 || !str_to_int(one->text, &number))
            return mock_sqs_fault(call, SQS_BAD_PARAMETER,
                                  "Value for parameter PrincipalId is invalid. Reason: "
                                  "Unable to verify.");
    for (const struct tree *one = names->first; one; one = one->next)
        if (!action_ok(one->text))
            return mock_sqs_fault(call, SQS_BAD_PARAMETER,
                                  "Value for parameter ActionName is invalid. Reason: "
                                  "Only the queue owner is allowed to invoke this "
                                  "action.");
    struct text json = {0};
    write_statement(call, queue, label, accounts, names, &json);
    pairs_set(&side->permissions, label, text_str(&json));
    text_release(&json);
    return CALL_DONE;
}

enum call_end mock_remove_permission(struct call *call)
{
    struct jobq_str label = call_text(call, "Label");
    int queue = mock_sqs_queue(call);
    if (queue < 0)
        return CALL_FAILED;
    if (label.len == 0)
        return mock_sqs_missing(call, "Label");
    struct mock_queue *side = mock_side(call->region->queues, queue);
    if (!pairs_get(&side->permissions, label))
        return mock_sqs_fault(call, SQS_BAD_PARAMETER,
                              "Value for parameter Label is invalid. Reason: can't find "
                              "label.");
    pairs_remove(&side->permissions, label);
    return CALL_DONE;
}
