/* instance.c - RunInstances, Terminate, Stop, Start and RebootInstances, and tags.
 *
 * Room:     sim/mock.
 * Callers:  the table of sim/mock/ec2/actions.h.
 * Knows nothing of: what a launch may say (launch.c), how a box is shown (show.c). */
#include "sim/mock/ec2/actions.h"
#include "sim/mock/ec2/boxes.h"
#include "sim/mock/ec2/launch.h"
#include "sim/mock/ec2/template.h"

#include <string.h>

/* ---- RunInstances ------------------------------------------------------------------ */

/* What one call may launch, whatever the account may hold: a reply must stay bounded. */
enum { RUN_MAX = 1000 };

static bool read_count(struct call *call, const char *name, int32_t *out)
{
    struct jobq_str text = call_text(call, name);
    int64_t number;
    if (!text.ptr) {
        mock_ec2_missing(call, name);
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

static enum call_end too_many(struct call *call, int32_t asked)
{
    return mock_fail(call, 400, "InstanceLimitExceeded", NULL,
                     "You have requested more instances (%d) than your current instance "
                     "limit of %d allows for the specified instance type. Please visit "
                     "http://aws.amazon.com/contact-us/ec2-request to request an "
                     "adjustment to this limit.",
                     (int)asked, RUN_MAX);
}

enum call_end mock_ec2_run(struct call *call)
{
    struct ec2_run run = {.client_token = call_text(call, "ClientToken"),
                          .dry_run = mock_ec2_is_dry(call)};
    struct ec2_reply reply;
    struct jobq_error err = {0};
    struct jobq_str kept;
    int32_t first = 0;
    const struct tree *said = template_merge(call, call->params);
    if (!said)
        return CALL_FAILED;
    if (!launch_read(call, said, &run, &kept) ||
        !read_count(call, "MinCount", &run.min_count) ||
        !read_count(call, "MaxCount", &run.max_count))
        return CALL_FAILED;
    if (run.min_count > RUN_MAX)
        return too_many(call, run.min_count);
    if (run.max_count > RUN_MAX)
        run.max_count = RUN_MAX;
    int count = ec2_run(call->region->ec2, call->now_ns, mock_u(call->mock), &run, &first,
                        &reply, &err);
    if (count < 0)
        return mock_ec2_fault(call, &reply, &err);
    call->entries = count;
    bool fresh = first + count > call->region->launch_count;
    if (fresh)
        launch_keep(call->region, first, count, kept);
    return show_reservation(call, first, count, fresh);
}

/* ---- ends, stops and starts ------------------------------------------------------------ */

static void show_state(struct text *out, const char *name, enum ec2_state state)
{
    text_printf(out, "<%s><code>%d</code><name>%s</name></%s>", name,
                ec2_state_code(state), ec2_state_name(state), name);
}

typedef int move_fn(struct ec2 *model, int64_t now_ns, double u,
                    const struct jobq_str *id, int count, bool dry_run,
                    struct ec2_transition *out, struct ec2_reply *reply,
                    struct jobq_error *err);

static enum call_end move_instances(struct call *call, move_fn *move)
{
    struct ec2_reply reply;
    struct jobq_error err = {0};
    int count;
    struct jobq_str *id = mock_ec2_texts(call, "InstanceId", &count);
    if (count == 0)
        return mock_ec2_missing(call, "InstanceId");
    struct ec2_transition *moved =
        arena_alloc(&call->mock->arena, (size_t)count * sizeof *moved);
    int code = move(call->region->ec2, call->now_ns, mock_u(call->mock), id, count,
                    mock_ec2_is_dry(call), moved, &reply, &err);
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

enum call_end mock_ec2_terminate(struct call *call)
{
    return move_instances(call, ec2_terminate);
}

enum call_end mock_ec2_stop(struct call *call)
{
    return move_instances(call, ec2_stop);
}

enum call_end mock_ec2_start(struct call *call)
{
    return move_instances(call, ec2_start);
}

enum call_end mock_ec2_reboot(struct call *call)
{
    struct ec2_reply reply;
    struct jobq_error err = {0};
    int count;
    struct jobq_str *id = mock_ec2_texts(call, "InstanceId", &count);
    if (ec2_reboot(call->region->ec2, call->now_ns, id, count, mock_ec2_is_dry(call),
                   &reply, &err) < 0)
        return mock_ec2_fault(call, &reply, &err);
    for (int i = 0; i < count; i++)
        boxes_reboot(call->mock, call->region,
                     ec2_instance_find(call->region->ec2, id[i]));
    text_puts(call->out.out, "<return>true</return>");
    call->entries = count;
    return CALL_DONE;
}

/* ---- tags ---------------------------------------------------------------------------------- */

static struct jobq_tag *read_tags(struct call *call, int *count)
{
    const struct tree *list = call_list(call, call->params, "Tag");
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

static enum call_end change_tags(struct call *call, bool create)
{
    struct ec2_reply reply;
    struct jobq_error err = {0};
    int ids, tags;
    struct jobq_str *id = mock_ec2_texts(call, "ResourceId", &ids);
    struct jobq_tag *tag = read_tags(call, &tags);
    if (ids == 0)
        return mock_ec2_missing(call, "ResourceId");
    if (create && tags == 0)
        return mock_ec2_missing(call, "Tag");
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

enum call_end mock_ec2_create_tags(struct call *call)
{
    return change_tags(call, true);
}

enum call_end mock_ec2_delete_tags(struct call *call)
{
    return change_tags(call, false);
}
