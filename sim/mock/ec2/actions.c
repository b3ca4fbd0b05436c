#include "sim/mock/ec2/actions.h"

#include "sim/mock/ec2/boxes.h"
#include "sim/mock/ec2/imds.h"
#include "sim/mock/server/chars.h"
#include "sim/mock/server/respond.h"
#include "sim/mock/state/state.h"

#include <stdio.h>
#include <string.h>

/* ---- what the actions share ------------------------------------------------------------- */

enum call_end mock_ec2_fault(struct call *call, const struct ec2_reply *reply,
                             const struct jobq_error *err)
{
    return mock_fail(call, reply->http_status, ec2_fault_name(reply->fault), NULL, "%s",
                     err->text);
}

bool mock_ec2_is_dry(const struct call *call)
{
    return str_is(call_text(call, "DryRun"), "true");
}

enum call_end mock_ec2_missing(struct call *call, const char *name)
{
    return mock_fail(call, 400, "MissingParameter", NULL,
                     "The request must contain the parameter %s", name);
}

struct jobq_str *mock_ec2_texts(struct call *call, const char *name, int *count)
{
    const struct tree *list = call_list(call, call->params, name);
    *count = 0;
    if (!list || list->count == 0)
        return NULL;
    struct jobq_str *out =
        arena_alloc(&call->mock->arena, (size_t)list->count * sizeof *out);
    for (const struct tree *one = list->first; one; one = one->next)
        out[(*count)++] = one->text.ptr ? one->text : STR("");
    return out;
}

void mock_ec2_show_tags(struct text *out, const struct jobq_tag *tag, int count)
{
    if (count == 0)
        return;
    text_puts(out, "<tagSet>");
    for (int i = 0; i < count; i++) {
        text_puts(out, "<item>");
        emit_xml(out, "key", tag[i].key);
        emit_xml(out, "value", tag[i].value.ptr ? tag[i].value : STR(""));
        text_puts(out, "</item>");
    }
    text_puts(out, "</tagSet>");
}

bool mock_ec2_passes(struct call *call, mock_ec2_text_fn *text, void *ctx, bool *passes)
{
    const struct ec2_filter *filter = NULL;
    int count = mock_ec2_filters(call, &filter);
    *passes = true;
    for (int i = 0; i < count; i++) {
        struct jobq_str looked_at = text(ctx, filter[i].name);
        bool any = false;
        if (!looked_at.ptr) {
            mock_fail(call, 400, "InvalidParameterValue", NULL,
                      "The filter '%s' is invalid", mock_quote(call, filter[i].name));
            return false;
        }
        for (int32_t k = 0; k < filter[i].value_count && !any; k++)
            any = ec2_wild(filter[i].value[k], looked_at);
        *passes = *passes && any;
    }
    return true;
}

/* ---- the table -------------------------------------------------------------------------- */

static const struct action {
    const char *name;
    mock_ec2_fn *fn;
} actions[] = {
#define ACTION_ROW(name, fn) {#name, fn},
    MOCK_EC2_ACTIONS(ACTION_ROW)
#undef ACTION_ROW
};

static const struct action *ec2_find_action(struct jobq_str name)
{
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (str_is(name, actions[i].name))
            return &actions[i];
    return NULL;
}

bool mock_ec2_knows(struct jobq_str action)
{
    return ec2_find_action(action) != NULL;
}

/* New boxes, and those that the call named, whether it changed them or not. */
static void keep_boxes(struct call *call)
{
    static const char *const lists[] = {"InstanceId", "ResourceId"};
    struct mock_region *region = call->region;
    state_new_boxes(call->mock->state, region);
    if (!call->mock->state || strncmp(call->action, "Describe", 8) == 0)
        return;
    for (int i = 0; i < 2; i++) {
        const struct tree *list = call_list(call, call->params, lists[i]);
        for (const struct tree *one = list ? list->first : NULL; one; one = one->next) {
            int32_t instance = ec2_instance_find(region->ec2, one->text);
            if (instance >= 0)
                state_box(call->mock->state, region, instance);
        }
    }
}

/* A Describe that was only tried; calls that change something are checked first. */
static enum call_end refuse_dry(struct call *call)
{
    return mock_fail(call, 412, "DryRunOperation", NULL,
                     "Request would have succeeded, but DryRun flag is set.");
}

void mock_ec2(struct call *call)
{
    const struct action *action = ec2_find_action(str_of(call->action));
    if (!action) {
        mock_fail(call, 400, "InvalidAction", NULL,
                  "The action %s is not valid for this web service.", call->action);
        answer_end(call, CALL_FAILED, false);
        return;
    }
    call->action = action->name;
    if (!mock_chars_all_ok(call->params)) {
        mock_fail(call, 400, "InvalidParameterValue", NULL,
                  "A parameter holds a character that XML cannot carry.");
        answer_end(call, CALL_FAILED, false);
        return;
    }
    answer_open(call, true);
    bool tries = strncmp(action->name, "Describe", 8) == 0 && mock_ec2_is_dry(call);
    answer_end(call, tries ? refuse_dry(call) : action->fn(call), true);
    keep_boxes(call);
    boxes_follow(call->mock, call->region);
}

void mock_sts(struct call *call)
{
    char arn[80];
    if (strcmp(call->action, "GetCallerIdentity") != 0) {
        mock_fail(call, 400, "InvalidAction", NULL,
                  "Could not find operation %s for version 2011-06-15", call->action);
        answer_end(call, CALL_FAILED, false);
        return;
    }
    call->action = "GetCallerIdentity";
    answer_open(call, true);
    /* The keys that instance metadata hands out belong to a role. */
    bool role = str_is(call->access_key, MOCK_IMDS_ACCESS);
    snprintf(arn, sizeof arn, "arn:aws:%s::%s:%s", role ? "sts" : "iam",
             call->mock->options->account,
             role ? "assumed-role/" MOCK_IMDS_ROLE "/box" : "user/jobqmock");
    emit_text(&call->out, "Arn", str_of(arn));
    emit_text(&call->out, "UserId",
              role ? STR("AROAJOBQMOCKEXAMPLE01:box") : STR(MOCK_USER_ID));
    emit_text(&call->out, "Account", str_of(call->mock->options->account));
    answer_end(call, CALL_DONE, true);
}
