/* show.c - what EC2 says of boxes: instances, their status, their tags.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/ec2/actions.c's table.
 * Knows nothing of: sockets, how boxes come and go.
 *
 * Elements as in the API reference's samples, 2016-11-15. */
#include "sim/mock/ec2/actions.h"
#include "sim/mock/ec2/launch.h"

#include "wire/text/awstime.h"

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

char *mock_ec2_dns_name(const struct mock_region *region, const struct ec2_instance *box,
                        char out[80])
{
    char dashed[20];
    bool east = strcmp(region->name, "us-east-1") == 0;
    snprintf(dashed, sizeof dashed, "%s", box->private_ip);
    for (char *c = dashed; *c; c++)
        if (*c == '.')
            *c = '-';
    snprintf(out, 80, "ip-%s.%s%s", dashed, east ? "ec2" : region->name,
             east ? ".internal" : ".compute.internal");
    return out;
}

static void put_address(struct call *call, struct text *out,
                        const struct ec2_instance *box)
{
    char name[80];
    if (ec2_is_over(box->state)) {
        text_puts(out, "<privateDnsName/><dnsName/>");
        return;
    }
    mock_ec2_dns_name(call->region, box, name);
    emit_xml(out, "privateDnsName", str_of(name));
    text_puts(out, "<dnsName/>");
    emit_xml(out, "privateIpAddress", str_of(box->private_ip));
}

static void show_put_groups(struct call *call, struct text *out, int32_t index)
{
    char id[LAUNCH_ID];
    struct jobq_str name;
    text_puts(out, "<groupSet>");
    for (int i = 0; launch_box_group(call->mock, call->region, index, i, id, &name);
         i++) {
        text_puts(out, "<item>");
        emit_xml(out, "groupId", str_of(id));
        emit_xml(out, "groupName", name);
        text_puts(out, "</item>");
    }
    text_puts(out, "</groupSet>");
}

/* "arn:..." as given, or of the name. */
static void show_put_profile(const struct call *call, struct text *out,
                             struct jobq_str profile)
{
    char id[LAUNCH_ID];
    text_puts(out, "<iamInstanceProfile><arn>");
    if (profile.len < 4 || memcmp(profile.ptr, "arn:", 4) != 0)
        text_printf(out, "arn:aws:iam::%s:instance-profile/",
                    call->mock->options->account);
    emit_xml_text(out, profile);
    text_puts(out, "</arn>");
    emit_xml(out, "id",
             str_of(launch_id(call->mock, "AIPA", mock_quote(call, profile), id)));
    text_puts(out, "</iamInstanceProfile>");
}

static void put_device(const struct call *call, struct text *out,
                       const struct ec2_instance *box, struct jobq_str device, bool kept)
{
    char id[LAUNCH_ID], time[32];
    text_puts(out, "<item>");
    emit_xml(out, "deviceName", device);
    text_puts(out, "<ebs>");
    emit_xml(out, "volumeId",
             str_of(launch_id(
                 call->mock, "vol-",
                 mock_format(call, "%s %s", box->id, mock_quote(call, device)), id)));
    text_puts(out, "<status>attached</status>");
    emit_xml(out, "attachTime", str_of(mock_ec2_time(box->launched_at_ns, time)));
    text_printf(out, "<deleteOnTermination>%s</deleteOnTermination></ebs></item>",
                kept ? "false" : "true");
}

/* The root's volume, then those that the launch asked for. */
static void put_devices(const struct call *call, struct text *out,
                        const struct ec2_instance *box, const struct tree *said)
{
    const struct tree *list = call_list(call, said, "BlockDeviceMapping");
    bool root = false;
    text_puts(out, "<blockDeviceMapping>");
    for (const struct tree *one = list ? list->first : NULL; one; one = one->next)
        root = root || str_is(tree_text(one, "DeviceName"), "/dev/xvda");
    if (!root)
        put_device(call, out, box, STR("/dev/xvda"), false);
    for (const struct tree *one = list ? list->first : NULL; one; one = one->next) {
        const struct tree *ebs = tree_get(one, "Ebs");
        if (ebs && !tree_get(one, "NoDevice"))
            put_device(call, out, box, tree_text(one, "DeviceName"),
                       str_is(tree_text(ebs, "DeleteOnTermination"), "false"));
    }
    text_puts(out, "</blockDeviceMapping>");
}

/* What every Linux box of today says of itself. */
static void put_options(struct text *out, const struct ec2_instance *box,
                        const struct tree *said)
{
    const struct tree *metadata = tree_get(said, "MetadataOptions");
    struct jobq_str tokens = tree_text(metadata, "HttpTokens");
    struct jobq_str hops = tree_text(metadata, "HttpPutResponseHopLimit");
    int64_t hop_limit = 2;
    if (hops.len > 0)
        str_to_int(hops, &hop_limit);
    int threads = strcmp(box->type.arch, "x86_64") == 0 && box->type.vcpus > 1 ? 2 : 1;
    char time[32];
    text_printf(out,
                "<sourceDestCheck>true</sourceDestCheck><ebsOptimized>%s</ebsOptimized>"
                "<enaSupport>true</enaSupport><cpuOptions><coreCount>%d</coreCount>"
                "<threadsPerCore>%d</threadsPerCore></cpuOptions>"
                "<capacityReservationSpecification><capacityReservationPreference>open"
                "</capacityReservationPreference></capacityReservationSpecification>"
                "<hibernationOptions><configured>false</configured></hibernationOptions>"
                "<enclaveOptions><enabled>false</enabled></enclaveOptions>"
                "<maintenanceOptions><autoRecovery>default</autoRecovery>"
                "</maintenanceOptions>",
                str_is(tree_text(said, "EbsOptimized"), "true") ? "true" : "false",
                (int)box->type.vcpus / threads, threads);
    text_printf(out,
                "<metadataOptions><state>%s</state><httpTokens>%s</httpTokens>"
                "<httpPutResponseHopLimit>%d</httpPutResponseHopLimit>"
                "<httpEndpoint>enabled</httpEndpoint><httpProtocolIpv6>disabled"
                "</httpProtocolIpv6><instanceMetadataTags>%s</instanceMetadataTags>"
                "</metadataOptions><platformDetails>Linux/UNIX</platformDetails>"
                "<usageOperation>RunInstances</usageOperation>",
                box->state == EC2_PENDING ? "pending" : "applied",
                str_is(tokens, "optional") ? "optional" : "required", (int)hop_limit,
                launch_metadata_tags(said) ? "enabled" : "disabled");
    emit_xml(out, "usageOperationUpdateTime",
             str_of(mock_ec2_time(box->launched_at_ns, time)));
}

void mock_ec2_show_instance(struct call *call, int32_t index, bool fresh)
{
    struct text *out = call->out.out;
    const struct ec2_instance *box = ec2_instance_at(call->region->ec2, index);
    const struct tree *said = launch_said(call->region, index);
    bool monitored = str_is(tree_text(tree_get(said, "Monitoring"), "Enabled"), "true");
    char time[32], id[LAUNCH_ID];
    text_puts(out, "<item>");
    emit_xml(out, "instanceId", str_of(box->id));
    emit_xml(out, "imageId", box->image);
    put_state(out, fresh ? EC2_PENDING : box->state);
    put_address(call, out, box);
    put_reason(out, box);
    if (box->key_name.len > 0)
        emit_xml(out, "keyName", box->key_name);
    text_printf(out, "<amiLaunchIndex>%d</amiLaunchIndex><productCodes/>",
                (int)box->launch_index);
    emit_xml(out, "instanceType", str_of(box->type.name));
    emit_xml(out, "launchTime", str_of(mock_ec2_time(box->launched_at_ns, time)));
    text_puts(out, "<placement>");
    emit_xml(out, "availabilityZone", box->zone);
    text_printf(out,
                "<groupName/><tenancy>default</tenancy></placement>"
                "<monitoring><state>%s</state></monitoring>",
                !monitored ? "disabled"
                : fresh    ? "pending"
                           : "enabled");
    if (!ec2_is_over(box->state)) {
        emit_xml(out, "subnetId", launch_box_subnet(call->mock, call->region, index, id));
        emit_xml(out, "vpcId", str_of(launch_vpc(call->mock, call->region, id)));
    }
    emit_xml(out, "architecture", str_of(box->type.arch));
    text_puts(out, "<rootDeviceType>ebs</rootDeviceType>"
                   "<rootDeviceName>/dev/xvda</rootDeviceName>");
    put_devices(call, out, box, said);
    text_puts(out, "<virtualizationType>hvm</virtualizationType>"
                   "<hypervisor>xen</hypervisor>");
    if (box->spot) {
        text_puts(out, "<instanceLifecycle>spot</instanceLifecycle>");
        emit_xml(out, "spotInstanceRequestId", str_of(box->spot_request));
    }
    if (box->client_token.len > 0)
        emit_xml(out, "clientToken", box->client_token);
    mock_ec2_show_tags(out, box->tag, box->tag_count);
    show_put_groups(call, out, index);
    if (launch_profile(said).len > 0)
        show_put_profile(call, out, launch_profile(said));
    put_options(out, box, said);
    text_puts(out, "</item>");
}

/* ---- queries ----------------------------------------------------------------------- */

int mock_ec2_filters(struct call *call, const struct ec2_filter **out)
{
    struct arena *arena = &call->mock->arena;
    const struct tree *filters = call_list(call, call->params, "Filter");
    int used = 0;
    if (!filters || filters->count == 0)
        return 0;
    struct ec2_filter *filter =
        arena_alloc(arena, (size_t)filters->count * sizeof *filter);
    for (const struct tree *one = filters->first; one; one = one->next) {
        const struct tree *values = call_list(call, one, "Value");
        int count = values ? values->count : 0, values_used = 0;
        struct jobq_str *value = arena_alloc(arena, (size_t)count * sizeof *value + 1);
        struct jobq_str name = tree_text(one, "Name");
        for (const struct tree *v = values ? values->first : NULL; v; v = v->next)
            value[values_used++] = v->text.ptr ? v->text : STR("");
        filter[used++] =
            (struct ec2_filter){name.ptr ? name : STR(""), value, values_used};
    }
    *out = filter;
    return used;
}

/* InstanceId, Filter, MaxResults and NextToken of a Describe call. */
static bool read_query(struct call *call, struct ec2_query *out)
{
    struct arena *arena = &call->mock->arena;
    const struct tree *ids = call_list(call, call->params, "InstanceId");
    struct jobq_str max = call_text(call, "MaxResults");
    struct jobq_str token = call_text(call, "NextToken");
    int64_t number = 0;
    *out = (struct ec2_query){.next_token = token.ptr ? token : STR("")};
    if (max.ptr && (!str_to_int(max, &number) || number < 5 || number > PAGE_MAX)) {
        mock_fail(call, 400, "InvalidParameterValue", NULL,
                  "Value ( %s ) for parameter maxResults is invalid. Expecting a value "
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
    out->filter_count = mock_ec2_filters(call, &out->filter);
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
        mock_ec2_show_instance(call, found.instance[i], false);
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
    if (!read_query(call, &query))
        return CALL_FAILED;
    query.all_states = str_is(call_text(call, "IncludeAllInstances"), "true");
    int code = ec2_describe_status(call->region->ec2, call->now_ns, &query,
                                   &call->mock->arena, &found, &reply, &err);
    if (code < 0)
        return mock_ec2_fault(call, &reply, &err);
    text_puts(out, "<instanceStatusSet>");
    for (int32_t i = 0; i < found.count; i++) {
        const struct ec2_instance *box =
            ec2_instance_at(call->region->ec2, found.instance[i]);
        text_puts(out, "<item>");
        emit_xml(out, "instanceId", str_of(box->id));
        emit_xml(out, "availabilityZone", box->zone);
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
