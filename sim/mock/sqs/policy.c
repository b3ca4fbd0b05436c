/* policy.c - AddPermission and RemovePermission: statements of a queue's policy.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/sqs/actions.c's table.
 * Knows nothing of: what a policy allows; nothing is refused because of one.
 *
 * The policy is one text, the queue's attribute, whether it came by SetQueueAttributes or
 * grew by AddPermission. Its form, the texts of the errors: as recorded from AWS
 * (localstack's test of the permission life cycle). */
#include "models/sqs/admin.h"
#include "sim/mock/sqs/names.h"
#include "sim/mock/sqs/actions.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { ACTIONS_MAX = 7, LABEL_MAX = 80 };

static const struct jobq_str policy_name = {"Policy", 6};

/* The queue's policy, or the empty one that AWS begins with. Owner: the caller. */
static json_t *policy_load_policy(const struct call *call, int queue)
{
    const struct sqs_note *note =
        sqs_note_find(call->region->sqs, queue, SQS_NOTE_ATTRIBUTE, policy_name);
    json_t *policy =
        note ? json_loadb(note->value.ptr, (size_t)note->value.len, 0, NULL) : NULL;
    if (!policy) {
        struct text id = {0};
        mock_names_arn(call->mock, call->region, sqs_name(call->region->sqs, queue), &id);
        text_puts(&id, "/SQSDefaultPolicy");
        policy = json_pack("{s:s, s:s%, s:[]}", "Version", "2008-10-17", "Id", id.ptr,
                           id.len, "Statement");
        text_release(&id);
    }
    /* One statement may stand without a list around it. */
    json_t *statement = json_object_get(policy, "Statement");
    if (!json_is_array(statement)) {
        json_t *list = json_array();
        if (statement)
            json_array_append(list, statement);
        json_object_set_new(policy, "Statement", list);
    }
    return policy;
}

/* Takes the policy over. One without statements is none. */
static enum sqs_fault store_policy(struct call *call, int queue, json_t *policy,
                                   struct jobq_error *err)
{
    enum sqs_fault fault = SQS_OK;
    if (json_array_size(json_object_get(policy, "Statement")) == 0) {
        sqs_note_remove(call->region->sqs, queue, SQS_NOTE_ATTRIBUTE, policy_name);
    } else {
        char *text = json_dumps(policy, JSON_COMPACT | JSON_PRESERVE_ORDER);
        fault = sqs_note_set(call->region->sqs, queue, SQS_NOTE_ATTRIBUTE, policy_name,
                             str_of(text), err);
        free(text);
    }
    json_decref(policy);
    return fault;
}

/* Position of the statement with this Sid; -1: none. */
static int find_statement(const json_t *policy, struct jobq_str label)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(policy, "Statement"), i, one)
    {
        const char *sid = json_string_value(json_object_get(one, "Sid"));
        if (sid && str_is(label, sid))
            return (int)i;
    }
    return -1;
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

/* "prefix TEXT suffix" of each; a list of one is written as the one. */
static json_t *join(const struct tree *list, const char *prefix, const char *suffix)
{
    json_t *out = json_array();
    for (const struct tree *one = list->first; one; one = one->next) {
        struct text text = {0};
        text_puts(&text, prefix);
        text_put_str(&text, one->text);
        text_puts(&text, suffix);
        json_array_append_new(out, json_stringn(text.ptr, text.len));
        text_release(&text);
    }
    if (json_array_size(out) > 1)
        return out;
    json_t *only = json_incref(json_array_get(out, 0));
    json_decref(out);
    return only;
}

static bool label_ok(struct jobq_str label)
{
    for (int64_t i = 0; i < label.len; i++) {
        char c = label.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return label.len <= LABEL_MAX;
}

static enum call_end bad(struct call *call, struct jobq_str value, const char *parameter,
                         const char *reason)
{
    return mock_fail(call, 400, "InvalidParameterValue", "InvalidParameterValueException",
                     "%s", mock_sqs_invalid_text(call, value, parameter, reason));
}

static enum call_end check_add(struct call *call, struct jobq_str label,
                               const struct tree *accounts, const struct tree *names)
{
    int64_t number;
    if (label.len == 0)
        return mock_sqs_missing(call, "Label");
    if (!accounts || accounts->count == 0)
        return mock_sqs_missing(call, "AWSAccountIds");
    if (!names || names->count == 0)
        return mock_sqs_missing(call, "Actions");
    if (!label_ok(label))
        return bad(call, label, "Label",
                   "Can only include alphanumeric characters, hyphens, or underscores. 1 "
                   "to 80 in length");
    if (names->count > ACTIONS_MAX)
        return mock_fail(call, 403, "OverLimit", NULL,
                         "%d Actions were found, maximum allowed is %d.", names->count,
                         ACTIONS_MAX);
    for (const struct tree *one = accounts->first; one; one = one->next)
        if (one->text.len != 12 || !str_to_int(one->text, &number))
            return bad(call, one->text, "PrincipalId", "Unable to verify.");
    for (const struct tree *one = names->first; one; one = one->next)
        if (!action_ok(one->text))
            return bad(call, one->text, "ActionName",
                       "Only the queue owner is allowed to invoke this action.");
    return CALL_DONE;
}

enum call_end mock_add_permission(struct call *call)
{
    struct jobq_str label = call_text(call, "Label");
    struct jobq_error err = {0};
    int queue = mock_sqs_queue(call);
    if (queue < 0)
        return CALL_FAILED;
    const struct tree *accounts = mock_sqs_list(call, "AWSAccountIds", "AWSAccountId");
    const struct tree *names = mock_sqs_list(call, "Actions", "ActionName");
    if (check_add(call, label, accounts, names) != CALL_DONE)
        return CALL_FAILED;
    json_t *policy = policy_load_policy(call, queue);
    if (find_statement(policy, label) >= 0) {
        json_decref(policy);
        return bad(call, label, "Label", "Already exists.");
    }
    struct text arn = {0};
    mock_names_arn(call->mock, call->region, sqs_name(call->region->sqs, queue), &arn);
    json_t *statement = json_pack(
        "{s:s%, s:s, s:{s:o}, s:o, s:s%}", "Sid", label.ptr, (size_t)label.len, "Effect",
        "Allow", "Principal", "AWS", join(accounts, "arn:aws:iam::", ":root"), "Action",
        join(names, "SQS:", ""), "Resource", arn.ptr, arn.len);
    text_release(&arn);
    json_array_append_new(json_object_get(policy, "Statement"), statement);
    enum sqs_fault fault = store_policy(call, queue, policy, &err);
    return fault == SQS_OK ? CALL_DONE : mock_sqs_fault(call, fault, err.text);
}

enum call_end mock_remove_permission(struct call *call)
{
    struct jobq_str label = call_text(call, "Label");
    struct jobq_error err = {0};
    int queue = mock_sqs_queue(call);
    if (queue < 0)
        return CALL_FAILED;
    if (label.len == 0)
        return mock_sqs_missing(call, "Label");
    json_t *policy = policy_load_policy(call, queue);
    int at = find_statement(policy, label);
    if (at < 0) {
        json_decref(policy);
        return bad(call, label, "Label", "can't find label.");
    }
    json_array_remove(json_object_get(policy, "Statement"), (size_t)at);
    enum sqs_fault fault = store_policy(call, queue, policy, &err);
    return fault == SQS_OK ? CALL_DONE : mock_sqs_fault(call, fault, err.text);
}
