/* queue.c - SQS's actions on queues: made, found, listed, set, emptied, deleted.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/sqs/actions.c's table.
 * Knows nothing of: sockets, messages. */
#include "models/sqs/admin.h"
#include "sim/mock/sqs/actions.h"
#include "sim/mock/state/state.h"
#include "sim/mock/sqs/names.h"
#include "sim/mock/sqs/settings.h"

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

/* False: call->error is filled. */
static bool keep_tags(struct call *call, int queue)
{
    const struct tree *tags =
        mock_sqs_list(call, tree_get(call->params, "tags") ? "tags" : "Tags", "Tag");
    struct jobq_error err = {0};
    for (const struct tree *one = tags ? tags->first : NULL; one; one = one->next) {
        const struct tree *value = mock_sqs_value(call, one);
        enum sqs_fault fault =
            sqs_note_set(call->region->sqs, queue, SQS_NOTE_TAG, mock_sqs_key(call, one),
                         value && value->text.ptr ? value->text : STR(""), &err);
        if (fault != SQS_OK) {
            mock_sqs_fault(call, fault, err.text);
            return false;
        }
    }
    return true;
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
        return mock_settings_fault(call, &given, fault, err.text);
    if (!existed) {
        mock_settings_keep(call->region, queue, &given);
        if (!keep_tags(call, queue))
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
    if (fault == SQS_OK)
        state_forget(call->mock->state, call->region, queue);
    return fault == SQS_OK ? CALL_DONE : mock_sqs_fault(call, fault, err.text);
}

enum call_end mock_purge_queue(struct call *call)
{
    struct jobq_error err = {0};
    int queue = mock_sqs_queue(call);
    if (queue < 0)
        return CALL_FAILED;
    enum sqs_fault fault = sqs_purge(call->region->sqs, call->now_ns, queue, &err);
    if (fault == SQS_OK)
        state_forget(call->mock->state, call->region, queue);
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
        return mock_settings_fault(call, &given, fault, err.text);
    mock_settings_keep(call->region, queue, &given);
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
            return mock_sqs_unknown_attribute(call, one->text);
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

/* Writes the URLs of up to `limit` queues; one more than that was asked of the model, and
 * says whether there is a next page. The token is the last name given. */
static enum call_end write_page(struct call *call, const char *json_name,
                                const int *queue, int count, int limit, bool paging)
{
    int shown = count < limit ? count : limit;
    for (int i = 0; i < shown; i++) {
        struct text url = {0};
        if (i == 0)
            emit_list(&call->out, json_name);
        mock_names_url(call, queue[i], &url);
        emit_item(&call->out, "QueueUrl", text_str(&url));
        text_release(&url);
    }
    if (shown > 0)
        emit_list_end(&call->out);
    if (paging && count > limit)
        emit_text(&call->out, "NextToken", sqs_name(call->region->sqs, queue[limit - 1]));
    return CALL_DONE;
}

/* MaxResults and NextToken; -1: call->error is filled. */
static int queue_read_page(struct call *call, struct jobq_str *after, bool *paging)
{
    struct jobq_str token = call_text(call, "NextToken");
    int64_t max = 0;
    if (mock_sqs_int(call, call->params, "MaxResults", 1, LIST_MAX, &max) < 0)
        return -1;
    if (token.len > 0 && max == 0) {
        mock_sqs_fault(call, SQS_BAD_PARAMETER,
                       "MaxResults is a mandatory parameter when you provide a value for "
                       "NextToken.");
        return -1;
    }
    *after = token.ptr ? token : STR("");
    *paging = max > 0;
    return max > 0 ? (int)max : LIST_MAX;
}

enum call_end mock_list_queues(struct call *call)
{
    struct jobq_str prefix = call_text(call, "QueueNamePrefix"), after;
    int queue[LIST_MAX + 1];
    bool paging;
    int limit = queue_read_page(call, &after, &paging);
    if (limit < 0)
        return CALL_FAILED;
    int count = sqs_list(call->region->sqs, prefix.ptr ? prefix : STR(""), after, queue,
                         limit + 1);
    return write_page(call, call->query_json ? "queueUrls" : "QueueUrls", queue, count,
                      limit, paging);
}

enum call_end mock_list_sources(struct call *call)
{
    struct jobq_str after;
    int source[LIST_MAX + 1];
    bool paging;
    int queue = mock_sqs_queue(call);
    int limit = queue < 0 ? -1 : queue_read_page(call, &after, &paging);
    if (limit < 0)
        return CALL_FAILED;
    int count =
        sqs_dead_letter_sources(call->region->sqs, queue, after, source, limit + 1);
    /* The one member of SQS's JSON that begins in lower case, and that is always there. */
    if (count == 0) {
        emit_list(&call->out, "queueUrls");
        emit_list_end(&call->out);
    }
    return write_page(call, "queueUrls", source, count, limit, paging);
}

/* ---- tags --------------------------------------------------------------------------- */

enum call_end mock_tag_queue(struct call *call)
{
    int queue = mock_sqs_queue(call);
    if (queue < 0)
        return CALL_FAILED;
    const struct tree *tags = mock_sqs_list(call, "Tags", "Tag");
    if (!tags || tags->count == 0)
        return mock_sqs_missing(call, "Tags");
    return keep_tags(call, queue) ? CALL_DONE : CALL_FAILED;
}

enum call_end mock_untag_queue(struct call *call)
{
    int queue = mock_sqs_queue(call);
    if (queue < 0)
        return CALL_FAILED;
    const struct tree *keys = mock_sqs_list(call, "TagKeys", "TagKey");
    if (!keys || keys->count == 0)
        return mock_sqs_missing(call, "TagKeys");
    for (const struct tree *one = keys->first; one; one = one->next)
        sqs_note_remove(call->region->sqs, queue, SQS_NOTE_TAG, one->text);
    return CALL_DONE;
}

enum call_end mock_list_tags(struct call *call)
{
    int queue = mock_sqs_queue(call);
    if (queue < 0)
        return CALL_FAILED;
    const struct sqs_note *tag = sqs_note_at(call->region->sqs, queue, SQS_NOTE_TAG, 0);
    if (!tag)
        return CALL_DONE;
    emit_map(&call->out, "Tags");
    for (int i = 0; tag; tag = sqs_note_at(call->region->sqs, queue, SQS_NOTE_TAG, ++i))
        emit_map_put(&call->out, "Tag", "Key", tag->name, tag->value);
    emit_map_end(&call->out);
    return CALL_DONE;
}
