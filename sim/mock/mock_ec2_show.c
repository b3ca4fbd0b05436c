/* mock_ec2_show.c - what EC2 tells: instances, their status, tags, types and prices.
 *
 * Room:     sim/mock.
 * Callers:  mock_ec2.c's table.
 * Knows nothing of: sockets, how boxes come and go.
 *
 * Elements as in the API reference's samples, 2016-11-15. */
#include "sim/mock/mock_ec2.h"

#include "wire/awstime.h"

#include <stdio.h>
#include <string.h>

enum { PAGE_MAX = 1000 };

char *mock_ec2_time(int64_t wall_ns, char *out)
{
    awstime_iso(wall_ns, out);
    strcpy(out + AWSTIME_ISO - 2, ".000Z");
    return out;
}

static void put_state(struct text *out, enum ec2_state state)
{
    text_printf(out, "<instanceState><code>%d</code><name>%s</name></instanceState>",
                ec2_state_code(state), ec2_state_name(state));
}

static void put_tags(struct text *out, const struct ec2_instance *box)
{
    if (box->tag_count == 0)
        return;
    text_puts(out, "<tagSet>");
    for (int32_t i = 0; i < box->tag_count; i++) {
        text_puts(out, "<item>");
        emit_xml(out, "key", box->tag[i].key);
        emit_xml(out, "value", box->tag[i].value);
        text_puts(out, "</item>");
    }
    text_puts(out, "</tagSet>");
}

static void put_reason(struct text *out, const struct ec2_instance *box)
{
    if (box->reason == EC2_REASON_NONE) {
        text_puts(out, "<reason/>");
        return;
    }
    emit_xml(out, "reason", str_of(ec2_reason_text(box->reason)));
    text_puts(out, "<stateReason>");
    emit_xml(out, "code", str_of(ec2_reason_code(box->reason)));
    emit_xml(out, "message", str_of(ec2_reason_text(box->reason)));
    text_puts(out, "</stateReason>");
}

static void put_address(struct call *call, struct text *out,
                        const struct ec2_instance *box)
{
    char name[80], dashed[20];
    if (box->state >= EC2_SHUTTING_DOWN) {
        text_puts(out, "<privateDnsName/><dnsName/>");
        return;
    }
    snprintf(dashed, sizeof dashed, "%s", box->private_ip);
    for (char *c = dashed; *c; c++)
        if (*c == '.')
            *c = '-';
    bool east = strcmp(call->region->name, "us-east-1") == 0;
    snprintf(name, sizeof name, "ip-%s.%s%s", dashed, east ? "ec2" : call->region->name,
             east ? ".internal" : ".compute.internal");
    emit_xml(out, "privateDnsName", str_of(name));
    text_puts(out, "<dnsName/>");
    emit_xml(out, "privateIpAddress", str_of(box->private_ip));
}

void mock_ec2_show_instance(struct call *call, int32_t index)
{
    struct text *out = call->out.out;
    const struct ec2_instance *box = ec2_instance_at(call->region->ec2, index);
    const struct mock_launch *launch = mock_ec2_launch(call->region, index);
    char time[32], zone[40];
    snprintf(zone, sizeof zone, "%sa", call->region->name);
    text_puts(out, "<item>");
    emit_xml(out, "instanceId", str_of(box->id));
    emit_xml(out, "imageId", box->image);
    put_state(out, box->state);
    put_address(call, out, box);
    put_reason(out, box);
    if (box->key_name.len > 0)
        emit_xml(out, "keyName", box->key_name);
    text_printf(out, "<amiLaunchIndex>%d</amiLaunchIndex><productCodes/>",
                (int)box->launch_index);
    emit_xml(out, "instanceType", str_of(box->type.name));
    emit_xml(out, "launchTime", str_of(mock_ec2_time(box->launched_at_ns, time)));
    text_puts(out, "<placement>");
    emit_xml(out, "availabilityZone", str_of(zone));
    text_puts(out, "<groupName/><tenancy>default</tenancy></placement>"
                   "<monitoring><state>disabled</state></monitoring>");
    if (launch->subnet[0])
        emit_xml(out, "subnetId", str_of(launch->subnet));
    emit_xml(out, "architecture", str_of(box->type.arch));
    text_puts(out, "<rootDeviceType>ebs</rootDeviceType>"
                   "<rootDeviceName>/dev/xvda</rootDeviceName><blockDeviceMapping/>"
                   "<virtualizationType>hvm</virtualizationType>"
                   "<hypervisor>xen</hypervisor>");
    if (box->spot) {
        text_puts(out, "<instanceLifecycle>spot</instanceLifecycle>");
        emit_xml(out, "spotInstanceRequestId", str_of(box->spot_request));
    }
    if (box->client_token.len > 0)
        emit_xml(out, "clientToken", box->client_token);
    put_tags(out, box);
    text_puts(out, "<groupSet>");
    if (launch->security_group[0]) {
        text_puts(out, "<item>");
        emit_xml(out, "groupId", str_of(launch->security_group));
        emit_xml(out, "groupName", str_of(launch->security_group));
        text_puts(out, "</item>");
    }
    text_puts(out, "</groupSet>");
    if (launch->profile[0]) {
        text_puts(out, "<iamInstanceProfile>");
        emit_xml(out, "arn", str_of(launch->profile));
        text_puts(out, "</iamInstanceProfile>");
    }
    text_printf(
        out,
        "<ebsOptimized>false</ebsOptimized><metadataOptions><state>applied</state>"
        "<httpTokens>required</httpTokens><httpEndpoint>enabled</httpEndpoint>"
        "<instanceMetadataTags>%s</instanceMetadataTags></metadataOptions>",
        launch->metadata_tags ? "enabled" : "disabled");
    text_puts(out, "</item>");
}

/* ---- queries ----------------------------------------------------------------------- */

/* InstanceId, Filter, MaxResults and NextToken of a Describe call. */
static bool read_query(struct call *call, struct ec2_query *out)
{
    struct arena *arena = &call->mock->arena;
    const struct tree *ids = tree_get(call->params, "InstanceId");
    const struct tree *filters = tree_get(call->params, "Filter");
    struct jobq_str max = call_text(call, "MaxResults");
    struct jobq_str token = call_text(call, "NextToken");
    int64_t number = 0;
    *out = (struct ec2_query){.next_token = token.ptr ? token : STR("")};
    if (max.ptr && (!str_to_int(max, &number) || number < 5 || number > PAGE_MAX)) {
        mock_fail(
            call, 400, "InvalidParameterValue", NULL,
            "Value ( %.20s ) for parameter maxResults is invalid. Expecting a value "
            "between 5 and 1000.",
            mock_quote(call, max));
        return false;
    }
    out->max_results = (int32_t)number;
    if (ids && ids->count > 0) {
        struct jobq_str *id = arena_alloc(arena, (size_t)ids->count * sizeof *id);
        for (const struct tree *one = ids->first; one; one = one->next)
            id[out->id_count++] = one->text.ptr ? one->text : STR("");
        out->id = id;
    }
    if (!filters || filters->count == 0)
        return true;
    struct ec2_filter *filter =
        arena_alloc(arena, (size_t)filters->count * sizeof *filter);
    for (const struct tree *one = filters->first; one; one = one->next) {
        const struct tree *values = tree_get(one, "Value");
        int count = values ? values->count : 0;
        struct jobq_str *value = arena_alloc(arena, (size_t)count * sizeof *value + 1);
        struct jobq_str name = tree_text(one, "Name");
        int used = 0;
        for (const struct tree *v = values ? values->first : NULL; v; v = v->next)
            value[used++] = v->text.ptr ? v->text : STR("");
        filter[out->filter_count++] =
            (struct ec2_filter){name.ptr ? name : STR(""), value, used};
    }
    out->filter = filter;
    return true;
}

enum call_end mock_ec2_describe(struct call *call)
{
    struct ec2_query query;
    struct ec2_found found;
    struct ec2_reply reply;
    struct jobq_error err = {0};
    struct text *out = call->out.out;
    const char *reservation = "";
    if (!read_query(call, &query))
        return CALL_FAILED;
    int code = ec2_describe(call->region->ec2, call->now_ns, &query, &call->mock->arena,
                            &found, &reply, &err);
    if (code < 0)
        return mock_ec2_fault(call, &reply, &err);
    text_puts(out, "<reservationSet>");
    for (int32_t i = 0; i < found.count; i++) {
        const struct ec2_instance *box =
            ec2_instance_at(call->region->ec2, found.instance[i]);
        if (strcmp(reservation, box->reservation) != 0) {
            if (i > 0)
                text_puts(out, "</instancesSet></item>");
            reservation = box->reservation;
            text_puts(out, "<item>");
            emit_xml(out, "reservationId", str_of(reservation));
            emit_xml(out, "ownerId", str_of(call->mock->options->account));
            text_puts(out, "<groupSet/><instancesSet>");
        }
        mock_ec2_show_instance(call, found.instance[i]);
    }
    if (found.count > 0)
        text_puts(out, "</instancesSet></item>");
    text_puts(out, "</reservationSet>");
    if (found.next_token.len > 0)
        emit_xml(out, "nextToken", found.next_token);
    call->entries = found.count;
    return CALL_DONE;
}

static void put_check(struct text *out, const char *name, bool ok)
{
    const char *word = ok ? "ok" : "initializing";
    text_printf(out,
                "<%s><status>%s</status><details><item><name>reachability</name>"
                "<status>%s</status></item></details></%s>",
                name, word, ok ? "passed" : "initializing", name);
}

enum call_end mock_ec2_describe_status(struct call *call)
{
    struct ec2_query query;
    struct ec2_found found;
    struct ec2_reply reply;
    struct jobq_error err = {0};
    struct text *out = call->out.out;
    char zone[40];
    if (!read_query(call, &query))
        return CALL_FAILED;
    query.all_states = str_is(call_text(call, "IncludeAllInstances"), "true");
    int code = ec2_describe_status(call->region->ec2, call->now_ns, &query,
                                   &call->mock->arena, &found, &reply, &err);
    if (code < 0)
        return mock_ec2_fault(call, &reply, &err);
    snprintf(zone, sizeof zone, "%sa", call->region->name);
    text_puts(out, "<instanceStatusSet>");
    for (int32_t i = 0; i < found.count; i++) {
        const struct ec2_instance *box =
            ec2_instance_at(call->region->ec2, found.instance[i]);
        text_puts(out, "<item>");
        emit_xml(out, "instanceId", str_of(box->id));
        emit_xml(out, "availabilityZone", str_of(zone));
        put_state(out, box->state);
        bool ok = box->state == EC2_RUNNING;
        put_check(out, "systemStatus", ok);
        put_check(out, "instanceStatus", ok);
        text_puts(out, "</item>");
    }
    text_puts(out, "</instanceStatusSet>");
    if (found.next_token.len > 0)
        emit_xml(out, "nextToken", found.next_token);
    return CALL_DONE;
}

enum call_end mock_ec2_describe_tags(struct call *call)
{
    struct ec2_query query;
    struct ec2_tag_row *row;
    struct ec2_reply reply;
    struct jobq_error err = {0};
    struct jobq_str token = {NULL, 0};
    struct text *out = call->out.out;
    if (!read_query(call, &query))
        return CALL_FAILED;
    int count = ec2_describe_tags(call->region->ec2, call->now_ns, &query,
                                  &call->mock->arena, &row, &token, &reply, &err);
    if (count < 0)
        return mock_ec2_fault(call, &reply, &err);
    text_puts(out, "<tagSet>");
    for (int i = 0; i < count; i++) {
        text_puts(out, "<item>");
        emit_xml(out, "resourceId",
                 str_of(ec2_instance_at(call->region->ec2, row[i].instance)->id));
        text_puts(out, "<resourceType>instance</resourceType>");
        emit_xml(out, "key", row[i].tag.key);
        emit_xml(out, "value", row[i].tag.value);
        text_puts(out, "</item>");
    }
    text_puts(out, "</tagSet>");
    if (token.len > 0)
        emit_xml(out, "nextToken", token);
    return CALL_DONE;
}

/* ---- types and prices ----------------------------------------------------------------- */

static bool listed(const struct tree *list, const char *name)
{
    if (!list || list->count == 0)
        return true;
    for (const struct tree *one = list->first; one; one = one->next)
        if (str_is(one->text, name))
            return true;
    return false;
}

/* The types asked for by name that are known must all be: as EC2, else InvalidInstanceType. */
static bool types_ok(struct call *call, const struct tree *list)
{
    struct ec2_type type;
    for (const struct tree *one = list ? list->first : NULL; one; one = one->next) {
        if (one->text.ptr && ec2_type_find(one->text, &type))
            continue;
        mock_fail(call, 400, "InvalidInstanceType", NULL,
                  "The following supplied instance types do not exist: [%.40s]",
                  mock_quote(call, one->text));
        return false;
    }
    return true;
}

enum call_end mock_ec2_describe_prices(struct call *call)
{
    struct text *out = call->out.out;
    const struct tree *types = tree_get(call->params, "InstanceType");
    const struct tree *products = tree_get(call->params, "ProductDescription");
    char time[32], price[32];
    if (!types_ok(call, types))
        return CALL_FAILED;
    bool linux =
        listed(products, "Linux/UNIX") || listed(products, "Linux/UNIX (Amazon VPC)");
    text_puts(out, "<spotPriceHistorySet>");
    for (int i = 0; linux && i < ec2_type_count(); i++) {
        const struct ec2_type *type = ec2_type_at(i);
        double usd = ec2_spot_price(call->region->ec2, type);
        if (usd <= 0 || !listed(types, type->name))
            continue;
        int64_t micro = (int64_t)(usd * 1e6 + 0.5);
        snprintf(price, sizeof price, "%d.%06d", (int)(micro / 1000000),
                 (int)(micro % 1000000));
        text_puts(out, "<item>");
        emit_xml(out, "instanceType", str_of(type->name));
        text_puts(out, "<productDescription>Linux/UNIX</productDescription>");
        emit_xml(out, "spotPrice", str_of(price));
        emit_xml(out, "timestamp", str_of(mock_ec2_time(call->now_ns, time)));
        text_puts(out, "<availabilityZone>");
        text_puts(out, call->region->name);
        text_puts(out, "a</availabilityZone></item>");
    }
    text_puts(out, "</spotPriceHistorySet><nextToken/>");
    return CALL_DONE;
}

static void put_type(struct text *out, const struct ec2_type *type)
{
    text_puts(out, "<item>");
    emit_xml(out, "instanceType", str_of(type->name));
    text_printf(out, "<currentGeneration>%s</currentGeneration>",
                type->current ? "true" : "false");
    text_puts(out, "<supportedUsageClasses><item>on-demand</item><item>spot</item>"
                   "</supportedUsageClasses><bareMetal>false</bareMetal>");
    text_puts(out, "<processorInfo><supportedArchitectures><item>");
    text_puts(out, type->arch);
    text_puts(out, "</item></supportedArchitectures></processorInfo>");
    text_printf(
        out,
        "<vCpuInfo><defaultVCpus>%d</defaultVCpus></vCpuInfo><memoryInfo>"
        "<sizeInMiB>%lld</sizeInMiB></memoryInfo>"
        "<burstablePerformanceSupported>%s</burstablePerformanceSupported></item>",
        (int)type->vcpus, (long long)type->memory_mib,
        type->burstable ? "true" : "false");
}

enum call_end mock_ec2_describe_types(struct call *call)
{
    struct text *out = call->out.out;
    const struct tree *types = tree_get(call->params, "InstanceType");
    struct jobq_str max = call_text(call, "MaxResults"),
                    token = call_text(call, "NextToken");
    int64_t limit = 100, from = 0;
    if (!types_ok(call, types))
        return CALL_FAILED;
    if (max.ptr && (!str_to_int(max, &limit) || limit < 5 || limit > 100))
        return mock_fail(call, 400, "InvalidParameterValue", NULL,
                         "Value for parameter maxResults is invalid. Expecting a value "
                         "between 5 and 100.");
    if (token.len > 0 && (!str_to_int(token, &from) || from < 0))
        return mock_fail(call, 400, "InvalidNextToken", NULL,
                         "The token '%.20s' is invalid", mock_quote(call, token));
    int shown = 0, i = (int)from;
    text_puts(out, "<instanceTypeSet>");
    for (; i < ec2_type_count() && shown < limit; i++) {
        if (!listed(types, ec2_type_at(i)->name))
            continue;
        put_type(out, ec2_type_at(i));
        shown++;
    }
    text_puts(out, "</instanceTypeSet>");
    if (i < ec2_type_count() && (!types || types->count == 0))
        text_printf(out, "<nextToken>%d</nextToken>", i);
    return CALL_DONE;
}
