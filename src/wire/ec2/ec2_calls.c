#include "wire/ec2/ec2_calls.h"

#include "base/arena.h"
#include "wire/text/awstime.h"
#include "wire/sign/digest.h"
#include "wire/text/xml.h"

#include <assert.h>
#include <stdlib.h>

static void ec2_begin(struct query *out, const char *action)
{
    query_add(out, "Action", str_of(action));
    query_add(out, "Version", STR("2016-11-15"));
}

static void add_tags(struct query *out, const char *prefix, const struct jobq_tag *tag,
                     int tag_count)
{
    for (int i = 0; i < tag_count; i++) {
        query_add_indexed(out, prefix, i + 1, ".Key", tag[i].key);
        query_add_indexed(out, prefix, i + 1, ".Value", tag[i].value);
    }
}

void ec2_wire_launch(struct query *out, const struct jobq_launch *launch)
{
    assert(launch->count > 0 && launch->tag_count >= 0);
    ec2_begin(out, "RunInstances");
    if (launch->launch_template) {
        bool id = strncmp(launch->launch_template, "lt-", 3) == 0;
        query_add(out,
                  id ? "LaunchTemplate.LaunchTemplateId"
                     : "LaunchTemplate.LaunchTemplateName",
                  str_of(launch->launch_template));
    }
    if (launch->image[0])
        query_add(out, "ImageId", str_of(launch->image));
    if (launch->profile) {
        bool arn = strncmp(launch->profile, "arn:", 4) == 0;
        query_add(out, arn ? "IamInstanceProfile.Arn" : "IamInstanceProfile.Name",
                  str_of(launch->profile));
    }
    query_add(out, "InstanceType", str_of(launch->type));
    query_add_int(out, "MinCount", launch->count);
    query_add_int(out, "MaxCount", launch->count);
    query_add(out, "InstanceInitiatedShutdownBehavior", STR("terminate"));
    query_add(out, "MetadataOptions.HttpTokens", STR("required"));
    query_add(out, "MetadataOptions.InstanceMetadataTags", STR("enabled"));
    if (launch->user_data.len) {
        size_t len = (size_t)launch->user_data.len;
        char *encoded = xmalloc(4 * ((len + 2) / 3) + 1);
        digest_base64((const unsigned char *)launch->user_data.ptr, len, encoded);
        query_add(out, "UserData", str_of(encoded));
        free(encoded);
    }
    if (launch->tag_count) {
        query_add(out, "TagSpecification.1.ResourceType", STR("instance"));
        add_tags(out, "TagSpecification.1.Tag.", launch->tag, launch->tag_count);
    }
    if (launch->spot) {
        query_add(out, "InstanceMarketOptions.MarketType", STR("spot"));
        query_add(out, "InstanceMarketOptions.SpotOptions.SpotInstanceType",
                  STR("one-time"));
    }
    if (launch->client_token)
        query_add(out, "ClientToken", str_of(launch->client_token));
}

void ec2_wire_terminate(struct query *out, const struct jobq_str *id, int count)
{
    assert(id && count > 0);
    ec2_begin(out, "TerminateInstances");
    for (int i = 0; i < count; i++)
        query_add_indexed(out, "InstanceId.", i + 1, "", id[i]);
}

void ec2_wire_describe(struct query *out, struct jobq_tag tag, struct jobq_str token)
{
    struct text name = {0};
    ec2_begin(out, "DescribeInstances");
    text_puts(&name, "tag:");
    text_put_str(&name, tag.key);
    query_add(out, "Filter.1.Name", text_str(&name));
    query_add(out, "Filter.1.Value.1", tag.value);
    query_add(out, "Filter.2.Name", STR("instance-state-name"));
    query_add(out, "Filter.2.Value.1", STR("pending"));
    query_add(out, "Filter.2.Value.2", STR("running"));
    query_add(out, "Filter.2.Value.3", STR("shutting-down"));
    query_add(out, "Filter.2.Value.4", STR("stopping"));
    query_add(out, "MaxResults", STR("1000"));
    if (token.len)
        query_add(out, "NextToken", token);
    text_release(&name);
}

void ec2_wire_tag(struct query *out, const struct jobq_str *id, int id_count,
                  const struct jobq_tag *tag, int tag_count)
{
    assert(id && tag && id_count > 0 && tag_count > 0);
    ec2_begin(out, "CreateTags");
    for (int i = 0; i < id_count; i++)
        query_add_indexed(out, "ResourceId.", i + 1, "", id[i]);
    add_tags(out, "Tag.", tag, tag_count);
}

int ec2_wire_read_launch(struct jobq_str reply, struct arena *arena, struct jobq_str *out,
                         int cap, struct jobq_error *err)
{
    assert(arena && out && cap > 0);
    struct xml_doc doc;
    int rc = xml_parse(&doc, reply, err), count = 0;
    if (rc < 0)
        return rc;
    const struct xml_node *set = xml_child(xml_root(&doc), "instancesSet");
    for (const struct xml_node *n = xml_child(set, "item"); n && rc == JOBQ_OK;
         n = xml_next(n, "item")) {
        struct jobq_str id = xml_text(&doc, xml_child(n, "instanceId"));
        if (!id.len)
            rc = jobq_fail(err, JOBQ_CORRUPT, "reply holds an instance without an id");
        else if (count == cap)
            rc = jobq_fail(err, JOBQ_LIMIT, "reply holds more than '%d' instances", cap);
        else
            out[count++] = arena_str(arena, id);
    }
    xml_release(&doc);
    return rc < 0 ? rc : count;
}

static enum jobq_box_state state_of(struct jobq_str name)
{
    if (str_is(name, "pending"))
        return JOBQ_BOX_PENDING;
    if (str_is(name, "running"))
        return JOBQ_BOX_RUNNING;
    if (str_is(name, "shutting-down") || str_is(name, "stopping"))
        return JOBQ_BOX_STOPPING;
    return JOBQ_BOX_ENDED;
}

static void read_box(struct xml_doc *doc, const struct xml_node *n, struct arena *arena,
                     struct jobq_box *out)
{
    const struct xml_node *tags = xml_child(n, "tagSet"), *t;
    int count = 0;
    *out = (struct jobq_box){
        .id = arena_str(arena, xml_text(doc, xml_child(n, "instanceId"))),
        .type = arena_str(arena, xml_text(doc, xml_child(n, "instanceType"))),
        .zone = arena_str(arena, xml_text(doc, xml_child(xml_child(n, "placement"),
                                                         "availabilityZone"))),
        .state =
            state_of(xml_text(doc, xml_child(xml_child(n, "instanceState"), "name"))),
        .spot = str_is(xml_text(doc, xml_child(n, "instanceLifecycle")), "spot")};
    awstime_parse_iso(xml_text(doc, xml_child(n, "launchTime")), &out->launched_wall_ns);
    for (t = xml_child(tags, "item"); t; t = xml_next(t, "item"))
        count++;
    struct jobq_tag *tag = arena_zalloc(arena, (size_t)count * sizeof *tag);
    out->tag = tag;
    out->tag_count = count;
    for (t = xml_child(tags, "item"); t; t = xml_next(t, "item"), tag++) {
        tag->key = arena_str(arena, xml_text(doc, xml_child(t, "key")));
        tag->value = arena_str(arena, xml_text(doc, xml_child(t, "value")));
    }
}

int ec2_wire_read_describe(struct jobq_str reply, struct arena *arena,
                           struct jobq_box *out, int cap, struct jobq_str *next_token,
                           struct jobq_error *err)
{
    assert(arena && out && cap > 0 && next_token);
    struct xml_doc doc;
    int rc = xml_parse(&doc, reply, err), count = 0;
    if (rc < 0)
        return rc;
    const struct xml_node *set = xml_child(xml_root(&doc), "reservationSet");
    for (const struct xml_node *r = xml_child(set, "item"); r; r = xml_next(r, "item")) {
        const struct xml_node *n = xml_child(xml_child(r, "instancesSet"), "item");
        for (; n && rc == JOBQ_OK; n = xml_next(n, "item")) {
            if (count == cap)
                rc = jobq_fail(err, JOBQ_LIMIT, "reply holds more than '%d' boxes", cap);
            else
                read_box(&doc, n, arena, &out[count++]);
        }
    }
    *next_token =
        arena_str(arena, xml_text(&doc, xml_child(xml_root(&doc), "nextToken")));
    xml_release(&doc);
    return rc < 0 ? rc : count;
}
