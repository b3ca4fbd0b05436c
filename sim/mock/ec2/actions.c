#include "sim/mock/ec2/actions.h"

#include "sim/mock/server/respond.h"
#include "sim/mock/ec2/boxes.h"
#include "sim/mock/server/chars.h"
#include "sim/mock/ec2/imds.h"
#include "sim/mock/state/state.h"
#include "wire/text/base64.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what the model does not keep -------------------------------------------------- */

const struct mock_launch *mock_ec2_launch(const struct mock_region *region,
                                          int32_t instance)
{
    static const struct mock_launch nothing;
    return instance < region->launch_count ? &region->launch[instance] : &nothing;
}

void mock_ec2_keep(struct mock_region *region, int32_t first, int32_t count,
                   const struct mock_launch *launch)
{
    int32_t end = first + count;
    if (end > region->launch_count) {
        region->launch = xrealloc(region->launch, (size_t)end * sizeof *region->launch);
        memset(region->launch + region->launch_count, 0,
               (size_t)(end - region->launch_count) * sizeof *region->launch);
        region->launch_count = end;
    }
    for (int32_t i = first; i < end; i++)
        region->launch[i] = *launch;
}

/* ---- reading ----------------------------------------------------------------------- */

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

static enum call_end missing(struct call *call, const char *name)
{
    return mock_fail(call, 400, "MissingParameter", NULL,
                     "The request must contain the parameter %s", name);
}

/* The texts of a flattened list; NULL: empty. */
static struct jobq_str *read_texts(struct call *call, const char *name, int *count)
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

static struct jobq_tag *read_tags(struct call *call, const struct tree *list, int *count)
{
    *count = 0;
    if (!list || list->count == 0)
        return NULL;
    struct jobq_tag *out =
        arena_alloc(&call->mock->arena, (size_t)list->count * sizeof *out);
    for (const struct tree *one = list->first; one; one = one->next) {
        struct jobq_str key = tree_text(one, "Key");
        out[(*count)++] =
            (struct jobq_tag){key.ptr ? key : STR(""), tree_text(one, "Value")};
    }
    return out;
}

/* ---- RunInstances ------------------------------------------------------------------ */

static bool read_count(struct call *call, const char *name, int32_t *out)
{
    struct jobq_str text = call_text(call, name);
    int64_t number;
    if (!text.ptr) {
        missing(call, name);
        return false;
    }
    if (!str_to_int(text, &number) || number < 1 || number > 100000) {
        mock_fail(call, 400, "InvalidParameterValue", NULL,
                  "Value (%s) for parameter %s is invalid.", mock_quote(call, text),
                  name);
        return false;
    }
    *out = (int32_t)number;
    return true;
}

/* InstanceMarketOptions: a spot request, and the most it may cost an hour. */
static bool read_market(struct call *call, struct ec2_run *run)
{
    const struct tree *market = tree_get(call->params, "InstanceMarketOptions");
    struct jobq_str type = tree_text(market, "MarketType");
    struct jobq_error err;
    if (!type.ptr)
        return true;
    if (!str_is(type, "spot")) {
        mock_fail(call, 400, "InvalidParameterValue", NULL,
                  "Value (%s) for parameter MarketType is invalid.",
                  mock_quote(call, type));
        return false;
    }
    run->spot = true;
    struct jobq_str price = tree_text(tree_get(market, "SpotOptions"), "MaxPrice");
    if (!price.ptr)
        return true;
    const char *text = arena_str(&call->mock->arena, price).ptr;
    if (jobq_parse_number(text, &run->spot_max_price_usd, &err) == JOBQ_OK &&
        run->spot_max_price_usd > 0)
        return true;
    mock_fail(call, 400, "InvalidParameterValue", NULL,
              "Value (%s) for parameter MaxPrice is invalid.", text);
    return false;
}

static void copy_text(struct jobq_str text, char *out, size_t cap)
{
    size_t len = text.len > 0 ? (size_t)text.len : 0;
    if (len >= cap)
        len = cap - 1;
    if (len > 0)
        memcpy(out, text.ptr, len);
    out[len] = '\0';
}

static void read_launch(struct call *call, struct mock_launch *out)
{
    const struct tree *params = call->params;
    const struct tree *profile = tree_get(params, "IamInstanceProfile");
    const struct tree *groups = call_list(call, params, "SecurityGroupId");
    const struct tree *metadata = tree_get(params, "MetadataOptions");
    struct jobq_str name = tree_text(profile, "Arn");
    *out = (struct mock_launch){0};
    copy_text(call_text(call, "SubnetId"), out->subnet, sizeof out->subnet);
    copy_text(name.ptr ? name : tree_text(profile, "Name"), out->profile,
              sizeof out->profile);
    if (groups && groups->first)
        copy_text(groups->first->text, out->security_group, sizeof out->security_group);
    out->metadata_tags = str_is(tree_text(metadata, "InstanceMetadataTags"), "enabled");
}

static enum call_end show_reservation(struct call *call, int32_t first, int count,
                                      bool fresh)
{
    struct text *out = call->out.out;
    const struct ec2_instance *box = ec2_instance_at(call->region->ec2, first);
    emit_xml(out, "reservationId", str_of(box->reservation));
    emit_xml(out, "ownerId", str_of(call->mock->options->account));
    text_puts(out, "<groupSet/><instancesSet>");
    for (int32_t i = 0; i < count; i++)
        mock_ec2_show_instance(call, first + i, fresh);
    text_puts(out, "</instancesSet>");
    return CALL_DONE;
}

/* What one call may launch, whatever the account may hold: a reply must stay bounded. */
enum { RUN_MAX = 1000 };

static enum call_end too_many(struct call *call, int32_t asked)
{
    return mock_fail(call, 400, "InstanceLimitExceeded", NULL,
                     "You have requested more instances (%d) than your current instance "
                     "limit of %d allows for the specified instance type. Please visit "
                     "http://aws.amazon.com/contact-us/ec2-request to request an "
                     "adjustment to this limit.",
                     (int)asked, RUN_MAX);
}

static enum call_end run_instances(struct call *call)
{
    struct ec2_run run = {.image = call_text(call, "ImageId"),
                          .type = call_text(call, "InstanceType"),
                          .client_token = call_text(call, "ClientToken"),
                          .key_name = call_text(call, "KeyName"),
                          .dry_run = mock_ec2_is_dry(call)};
    struct ec2_reply reply;
    struct jobq_error err = {0};
    struct mock_launch launch;
    int32_t first = 0;
    int tags = 0;
    if (!run.image.ptr)
        return missing(call, "ImageId");
    if (!run.type.ptr)
        run.type = STR("m1.small"); /* EC2's own default */
    if (!read_count(call, "MinCount", &run.min_count) ||
        !read_count(call, "MaxCount", &run.max_count) || !read_market(call, &run))
        return CALL_FAILED;
    if (run.min_count > RUN_MAX)
        return too_many(call, run.min_count);
    if (run.max_count > RUN_MAX)
        run.max_count = RUN_MAX;
    struct jobq_str data = call_text(call, "UserData");
    if (data.ptr && !base64_decode(data, &call->mock->arena, &run.user_data))
        return mock_fail(call, 400, "InvalidUserData.Malformed", NULL,
                         "Invalid BASE64 encoding of user data.");
    const struct tree *specs = call_list(call, call->params, "TagSpecification");
    for (const struct tree *one = specs ? specs->first : NULL; one; one = one->next)
        if (str_is(tree_text(one, "ResourceType"), "instance"))
            run.tag = read_tags(call, call_list(call, one, "Tag"), &tags);
    run.tag_count = tags;
    read_launch(call, &launch);
    int count = ec2_run(call->region->ec2, call->now_ns, mock_u(call->mock), &run, &first,
                        &reply, &err);
    if (count < 0)
        return mock_ec2_fault(call, &reply, &err);
    call->entries = count;
    bool fresh = first + count > call->region->launch_count;
    if (fresh)
        mock_ec2_keep(call->region, first, count, &launch);
    return show_reservation(call, first, count, fresh);
}

/* ---- TerminateInstances, tags ------------------------------------------------------- */

static void show_state(struct text *out, const char *name, enum ec2_state state)
{
    text_printf(out, "<%s><code>%d</code><name>%s</name></%s>", name,
                ec2_state_code(state), ec2_state_name(state), name);
}

static enum call_end terminate_instances(struct call *call)
{
    struct ec2_reply reply;
    struct jobq_error err = {0};
    int count;
    struct jobq_str *id = read_texts(call, "InstanceId", &count);
    if (count == 0)
        return missing(call, "InstanceId");
    struct ec2_transition *moved =
        arena_alloc(&call->mock->arena, (size_t)count * sizeof *moved);
    int code = ec2_terminate(call->region->ec2, call->now_ns, mock_u(call->mock), id,
                             count, mock_ec2_is_dry(call), moved, &reply, &err);
    if (code < 0)
        return mock_ec2_fault(call, &reply, &err);
    struct text *out = call->out.out;
    text_puts(out, "<instancesSet>");
    for (int i = 0; i < count; i++) {
        const struct ec2_instance *box =
            ec2_instance_at(call->region->ec2, moved[i].instance);
        text_puts(out, "<item>");
        emit_xml(out, "instanceId", str_of(box->id));
        show_state(out, "currentState", moved[i].after);
        show_state(out, "previousState", moved[i].before);
        text_puts(out, "</item>");
    }
    text_puts(out, "</instancesSet>");
    call->entries = count;
    return CALL_DONE;
}

static enum call_end change_tags(struct call *call, bool create)
{
    struct ec2_reply reply;
    struct jobq_error err = {0};
    int ids, tags;
    struct jobq_str *id = read_texts(call, "ResourceId", &ids);
    struct jobq_tag *tag = read_tags(call, call_list(call, call->params, "Tag"), &tags);
    if (ids == 0)
        return missing(call, "ResourceId");
    if (create && tags == 0)
        return missing(call, "Tag");
    for (int i = 0; create && i < tags; i++)
        if (!tag[i].value.ptr)
            tag[i].value = STR("");
    bool dry = mock_ec2_is_dry(call);
    int code = create ? ec2_create_tags(call->region->ec2, call->now_ns, id, ids, tag,
                                        tags, dry, &reply, &err)
                      : ec2_delete_tags(call->region->ec2, call->now_ns, id, ids, tag,
                                        tags, dry, &reply, &err);
    if (code < 0)
        return mock_ec2_fault(call, &reply, &err);
    text_puts(call->out.out, "<return>true</return>");
    call->entries = ids;
    return CALL_DONE;
}

static enum call_end create_tags(struct call *call)
{
    return change_tags(call, true);
}

static enum call_end delete_tags(struct call *call)
{
    return change_tags(call, false);
}

/* ---- the tables -------------------------------------------------------------------- */

static const struct action {
    const char *name;
    mock_ec2_fn *fn;
} actions[] = {
    {"DescribeInstances", mock_ec2_describe},
    {"RunInstances", run_instances},
    {"TerminateInstances", terminate_instances},
    {"CreateTags", create_tags},
    {"DeleteTags", delete_tags},
    {"DescribeTags", mock_ec2_describe_tags},
    {"DescribeInstanceStatus", mock_ec2_describe_status},
    {"DescribeSpotPriceHistory", mock_ec2_describe_prices},
    {"DescribeInstanceTypes", mock_ec2_describe_types},
};

static const struct action *find_action(struct jobq_str name)
{
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (str_is(name, actions[i].name))
            return &actions[i];
    return NULL;
}

bool mock_ec2_knows(struct jobq_str action)
{
    return find_action(action) != NULL;
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
    const struct action *action = find_action(str_of(call->action));
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
