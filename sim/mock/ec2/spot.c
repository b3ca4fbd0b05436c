/* spot.c - Spot requests: each is fulfilled by one box at once, or refused.
 *
 * Room:     sim/mock.
 * Callers:  the table of sim/mock/ec2/actions.h.
 * Knows nothing of: prices (the model does).
 *
 * A request is its box, seen from the other side: what RunInstances asked for as spot is found
 * here too. AWS keeps a request open until there is capacity; here it is refused with EC2's
 * error. Persistent requests are not served. */
#include "sim/mock/ec2/actions.h"
#include "sim/mock/ec2/launch.h"
#include "sim/mock/ec2/resource.h"

#include <string.h>

enum { SPOT_MAX = 1000 };

static bool is_cancelled(struct call *call, const struct ec2_instance *box)
{
    return resource_find(call->region, RESOURCE_CANCELLED, str_of(box->spot_request)) !=
           NULL;
}

static const char *state_of(struct call *call, const struct ec2_instance *box)
{
    if (is_cancelled(call, box))
        return "cancelled";
    return ec2_is_over(box->state) ? "closed" : "active";
}

static void put_status(struct call *call, const struct ec2_instance *box)
{
    bool over = ec2_is_over(box->state), cancelled = is_cancelled(call, box);
    const char *code = !over && !cancelled ? "fulfilled"
                       : !over             ? "request-canceled-and-instance-running"
                       : box->reason == EC2_REASON_SPOT
                           ? "instance-terminated-no-capacity"
                           : "instance-terminated-by-user";
    char time[32];
    int64_t at_ns = over ? box->ended_at_ns : box->launched_at_ns;
    text_printf(call->out.out,
                "<status><code>%s</code><updateTime>%s</updateTime></status>", code,
                mock_ec2_time(at_ns, time));
}

static void put_request(struct call *call, int32_t instance)
{
    struct text *out = call->out.out;
    const struct ec2_instance *box = ec2_instance_at(call->region->ec2, instance);
    const struct tree *said = launch_said(call->region, instance);
    struct jobq_str price = tree_text(
        tree_get(tree_get(said, "InstanceMarketOptions"), "SpotOptions"), "MaxPrice");
    char time[32];
    int count;
    text_puts(out, "<item>");
    emit_xml(out, "spotInstanceRequestId", str_of(box->spot_request));
    if (price.len > 0)
        emit_xml(out, "spotPrice", price);
    text_puts(out, "<type>one-time</type>");
    emit_xml(out, "state", str_of(state_of(call, box)));
    put_status(call, box);
    text_puts(out, "<launchSpecification>");
    emit_xml(out, "imageId", box->image);
    emit_xml(out, "instanceType", str_of(box->type.name));
    text_puts(out, "</launchSpecification>");
    emit_xml(out, "instanceId", str_of(box->id));
    emit_xml(out, "createTime", str_of(mock_ec2_time(box->launched_at_ns, time)));
    emit_xml(out, "launchedAvailabilityZone", box->zone);
    text_puts(out,
              "<productDescription>Linux/UNIX</productDescription>"
              "<instanceInterruptionBehavior>terminate</instanceInterruptionBehavior>");
    struct jobq_tag *tag = launch_tags(call, said, "spot-instances-request", &count);
    mock_ec2_show_tags(out, tag, count);
    text_puts(out, "</item>");
}

/* The request as RunInstances would say it: the specification, a spot market and its price. */
static const struct tree *as_launch(struct call *call)
{
    struct arena *arena = &call->mock->arena;
    struct jobq_error err;
    struct jobq_str price = call_text(call, "SpotPrice");
    struct jobq_str query =
        price.len == 0
            ? STR("InstanceMarketOptions.MarketType=spot")
            : str_of(mock_format(call,
                                 "InstanceMarketOptions.MarketType=spot&"
                                 "InstanceMarketOptions.SpotOptions.MaxPrice=%s",
                                 mock_quote(call, price)));
    struct tree *market, *tags = arena_zalloc(arena, sizeof *tags);
    if (tree_from_query(&query, 1, arena, &market, &err) < 0)
        return NULL;
    const struct tree *given = tree_get(call->params, "TagSpecification");
    if (given) {
        struct tree *copy = arena_alloc(arena, sizeof *copy);
        *copy = *given;
        copy->next = NULL;
        tags->first = tags->last = copy;
    }
    return tree_merge(tree_merge(market, tags, arena),
                      tree_get(call->params, "LaunchSpecification"), arena);
}

enum call_end mock_ec2_request_spot(struct call *call)
{
    struct ec2_run run = {.client_token = call_text(call, "ClientToken"),
                          .dry_run = mock_ec2_is_dry(call)};
    struct jobq_str type = call_text(call, "Type"),
                    count = call_text(call, "InstanceCount");
    struct ec2_reply reply;
    struct jobq_error err = {0};
    struct jobq_str kept;
    int64_t wanted = 1;
    int32_t first = 0;
    if (!tree_get(call->params, "LaunchSpecification"))
        return mock_ec2_missing(call, "LaunchSpecification");
    if (type.len > 0 && !str_is(type, "one-time"))
        return mock_fail(call, 400, "UnsupportedOperation", NULL,
                         "Of Spot requests, one-time ones alone are served here.");
    if (count.len > 0 && (!str_to_int(count, &wanted) || wanted < 1 || wanted > SPOT_MAX))
        return mock_fail(call, 400, "InvalidParameterValue", NULL,
                         "Value (%s) for parameter InstanceCount is invalid.",
                         mock_quote(call, count));
    const struct tree *said = as_launch(call);
    if (!said || !launch_read(call, said, &run, &kept))
        return CALL_FAILED;
    run.min_count = run.max_count = (int32_t)wanted;
    int made = ec2_run(call->region->ec2, call->now_ns, mock_u(call->mock), &run, &first,
                       &reply, &err);
    if (made < 0)
        return mock_ec2_fault(call, &reply, &err);
    if (first + made > call->region->launch_count)
        launch_keep(call->region, first, made, kept);
    text_puts(call->out.out, "<spotInstanceRequestSet>");
    for (int32_t i = 0; i < made; i++)
        put_request(call, first + i);
    text_puts(call->out.out, "</spotInstanceRequestSet>");
    call->entries = made;
    return CALL_DONE;
}

/* ---- finding and cancelling ---------------------------------------------------------------- */

static int32_t find_request(struct call *call, struct jobq_str id)
{
    for (int32_t i = 0; i < ec2_instance_count(call->region->ec2); i++)
        if (id.len > 0 && str_is(id, ec2_instance_at(call->region->ec2, i)->spot_request))
            return i;
    mock_fail(call, 400, "InvalidSpotInstanceRequestID.NotFound", NULL,
              "The spot instance request ID '%s' does not exist", mock_quote(call, id));
    return -1;
}

struct found {
    struct call *call;
    const struct ec2_instance *box;
};

static struct jobq_str request_text(void *ctx, struct jobq_str filter)
{
    const struct found *f = ctx;
    if (str_is(filter, "state"))
        return str_of(state_of(f->call, f->box));
    if (str_is(filter, "spot-instance-request-id"))
        return str_of(f->box->spot_request);
    if (str_is(filter, "instance-id"))
        return str_of(f->box->id);
    if (str_is(filter, "launch.instance-type"))
        return str_of(f->box->type.name);
    if (str_is(filter, "launch.image-id"))
        return f->box->image;
    if (str_is(filter, "launched-availability-zone"))
        return f->box->zone;
    if (str_is(filter, "type"))
        return STR("one-time");
    return (struct jobq_str){NULL, 0};
}

enum call_end mock_ec2_describe_spot(struct call *call)
{
    int asked;
    struct jobq_str *id = mock_ec2_texts(call, "SpotInstanceRequestId", &asked);
    struct text *out = call->out.out;
    for (int i = 0; i < asked; i++)
        if (find_request(call, id[i]) < 0)
            return CALL_FAILED;
    text_puts(out, "<spotInstanceRequestSet>");
    for (int32_t i = 0; i < ec2_instance_count(call->region->ec2); i++) {
        struct found f = {call, ec2_instance_at(call->region->ec2, i)};
        bool passes = f.box->spot, listed = asked == 0;
        for (int k = 0; passes && k < asked; k++)
            listed = listed || str_is(id[k], f.box->spot_request);
        if (!passes || !listed)
            continue;
        if (!mock_ec2_passes(call, request_text, &f, &passes))
            return CALL_FAILED;
        if (passes)
            put_request(call, i);
    }
    text_puts(out, "</spotInstanceRequestSet>");
    return CALL_DONE;
}

enum call_end mock_ec2_cancel_spot(struct call *call)
{
    int asked;
    struct jobq_str *id = mock_ec2_texts(call, "SpotInstanceRequestId", &asked);
    struct text *out = call->out.out;
    if (asked == 0)
        return mock_ec2_missing(call, "SpotInstanceRequestId");
    for (int i = 0; i < asked; i++)
        if (find_request(call, id[i]) < 0)
            return CALL_FAILED;
    text_puts(out, "<spotInstanceRequestSet>");
    for (int i = 0; i < asked; i++) {
        const struct ec2_instance *box =
            ec2_instance_at(call->region->ec2, find_request(call, id[i]));
        if (!ec2_is_over(box->state))
            resource_put(call->mock, call->region, RESOURCE_CANCELLED, box->spot_request,
                         STR("State=cancelled"));
        text_puts(out, "<item>");
        emit_xml(out, "spotInstanceRequestId", id[i]);
        text_puts(out, "<state>cancelled</state></item>");
    }
    text_puts(out, "</spotInstanceRequestSet>");
    return CALL_DONE;
}
