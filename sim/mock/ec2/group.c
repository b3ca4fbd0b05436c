/* group.c - security groups: made, given rules, shown, deleted. No packet ever meets them.
 *
 * Room:     sim/mock.
 * Callers:  the table of sim/mock/ec2/actions.h.
 * Knows nothing of: boxes; who uses a group is not looked at when it is deleted. */
#include "sim/mock/ec2/actions.h"
#include "sim/mock/ec2/launch.h"
#include "sim/mock/ec2/resource.h"
#include "sim/mock/ec2/show_tree.h"

#include <string.h>

/* A group is kept as Name, Description, TagSpecification.* and its rules In.N.* and Out.N.*,
 * each as IpPermissions.N.* of the request that gave it. */

static void add_node(struct text *query, const char *name, const struct tree *node)
{
    struct tree copy = *node, top = {.kind = TREE_OBJECT, .first = &copy};
    copy.name = str_of(name);
    copy.next = NULL;
    tree_write_query(&top, query);
}

static void group_add_pair(struct text *query, const char *name, struct jobq_str value)
{
    const struct tree one = {.text = value};
    add_node(query, name, &one);
}

static enum call_end group_done(struct call *call)
{
    text_puts(call->out.out, "<return>true</return>");
    return CALL_DONE;
}

enum call_end mock_ec2_create_group(struct call *call)
{
    struct jobq_str name = call_text(call, "GroupName");
    struct jobq_str about = call_text(call, "GroupDescription");
    struct text query = {0};
    char id[LAUNCH_ID];
    if (!name.ptr)
        return mock_ec2_missing(call, "GroupName");
    if (!about.ptr)
        return mock_ec2_missing(call, "GroupDescription");
    if (name.len > 255 || name.len < 1 ||
        (name.len > 3 && memcmp(name.ptr, "sg-", 3) == 0))
        return mock_fail(call, 400, "InvalidParameterValue", NULL,
                         "Value (%s) for parameter GroupName is invalid.",
                         mock_quote(call, name));
    if (str_is(name, "default") ||
        resource_named(call->mock, call->region, RESOURCE_GROUP, name))
        return mock_fail(call, 400, "InvalidGroup.Duplicate", NULL,
                         "The security group '%s' already exists for VPC '%s'",
                         mock_quote(call, name),
                         launch_vpc(call->mock, call->region, id));
    if (resource_count(call->region) >= RESOURCES_MAX)
        return mock_fail(call, 400, "SecurityGroupLimitExceeded", NULL,
                         "The maximum number of security groups has been reached.");
    group_add_pair(&query, "Name", name);
    group_add_pair(&query, "Description", about);
    const struct tree *tags = tree_get(call->params, "TagSpecification");
    if (tags)
        add_node(&query, "TagSpecification", tags);
    group_add_pair(&query, "Out.1.IpProtocol", STR("-1"));
    group_add_pair(&query, "Out.1.IpRanges.1.CidrIp", STR("0.0.0.0/0"));
    launch_id(call->mock, "sg-",
              mock_format(call, "%s %s %lld", call->region->name, mock_quote(call, name),
                          (long long)call->now_ns),
              id);
    resource_put(call->mock, call->region, RESOURCE_GROUP, id, text_str(&query));
    text_release(&query);
    group_done(call);
    emit_xml(call->out.out, "groupId", str_of(id));
    return CALL_DONE;
}

static enum call_end not_found(struct call *call, struct jobq_str group)
{
    return mock_fail(call, 400, "InvalidGroup.NotFound", NULL,
                     "The security group '%s' does not exist", mock_quote(call, group));
}

static const struct resource *find_group(struct call *call)
{
    struct jobq_str id = call_text(call, "GroupId"), name = call_text(call, "GroupName");
    const struct resource *group =
        id.len > 0 ? resource_find(call->region, RESOURCE_GROUP, id)
                   : resource_named(call->mock, call->region, RESOURCE_GROUP, name);
    if (!group && id.len + name.len == 0)
        mock_ec2_missing(call, "GroupId");
    else if (!group)
        not_found(call, id.len > 0 ? id : name);
    return group;
}

/* ---- rules -------------------------------------------------------------------------------- */

/* The rules of a request: IpPermissions.N, or the one that stands at its top level. */
static const struct tree *read_rules(struct call *call)
{
    struct arena *arena = &call->mock->arena;
    const struct tree *rules = call_list(call, call->params, "IpPermissions");
    if ((rules && rules->count > 0) || !tree_get(call->params, "IpProtocol"))
        return rules;
    struct text text = {0};
    struct tree *out;
    struct jobq_error err;
    static const char *const names[][2] = {{"IpProtocol", "1.IpProtocol"},
                                           {"FromPort", "1.FromPort"},
                                           {"ToPort", "1.ToPort"},
                                           {"CidrIp", "1.IpRanges.1.CidrIp"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (call_text(call, names[i][0]).ptr)
            group_add_pair(&text, names[i][1], call_text(call, names[i][0]));
    struct jobq_str query = arena_str(arena, text_str(&text));
    text_release(&text);
    return tree_from_query(&query, 1, arena, &out, &err) < 0 ? NULL : out;
}

static bool same_rule(const struct tree *a, const struct tree *b)
{
    struct text one = {0}, two = {0};
    tree_write_query(a, &one);
    tree_write_query(b, &two);
    bool same = str_eq(text_str(&one), text_str(&two));
    text_release(&one);
    text_release(&two);
    return same;
}

static bool has_rule(const struct tree *rules, const struct tree *rule)
{
    for (const struct tree *one = rules ? rules->first : NULL; one; one = one->next)
        if (same_rule(one, rule))
            return true;
    return false;
}

/* Writes the group with its rules of `side` as old without `less` and with `more`. */
static void write_group(struct call *call, const struct resource *group, const char *side,
                        const struct tree *less, const struct tree *more)
{
    const struct tree *kept = resource_read(call->mock, group);
    const struct tree *old = tree_get(kept, side);
    struct text query = {0};
    char id[LAUNCH_ID];
    int number = 0;
    for (const struct tree *one = kept->first; one; one = one->next)
        if (!str_is(one->name, side))
            add_node(&query, mock_quote(call, one->name), one);
    for (const struct tree *one = old ? old->first : NULL; one; one = one->next)
        if (!has_rule(less, one))
            add_node(&query, mock_format(call, "%s.%d", side, ++number), one);
    for (const struct tree *one = more ? more->first : NULL; one; one = one->next)
        add_node(&query, mock_format(call, "%s.%d", side, ++number), one);
    memcpy(id, group->id, sizeof id);
    resource_put(call->mock, call->region, RESOURCE_GROUP, id, text_str(&query));
    text_release(&query);
}

static enum call_end change_rules(struct call *call, const char *side, bool add)
{
    const struct resource *group = find_group(call);
    if (!group)
        return CALL_FAILED;
    const struct tree *rules = read_rules(call);
    const struct tree *have = tree_get(resource_read(call->mock, group), side);
    if (!rules || rules->count == 0)
        return mock_ec2_missing(call, "IpPermissions");
    if (rules->count + (have && add ? have->count : 0) > 1000)
        return mock_fail(
            call, 400, "RulesPerSecurityGroupLimitExceeded", NULL,
            "The maximum number of rules per security group has been reached.");
    for (const struct tree *one = rules->first; one; one = one->next) {
        if (!tree_text(one, "IpProtocol").ptr)
            return mock_ec2_missing(call, "IpProtocol");
        if (has_rule(have, one) == add)
            return add ? mock_fail(call, 400, "InvalidPermission.Duplicate", NULL,
                                   "the specified rule already exists")
                       : mock_fail(call, 400, "InvalidPermission.NotFound", NULL,
                                   "The specified rule does not exist in this security "
                                   "group.");
    }
    write_group(call, group, side, add ? NULL : rules, add ? rules : NULL);
    return group_done(call);
}

enum call_end mock_ec2_authorize_in(struct call *call)
{
    return change_rules(call, "In", true);
}

enum call_end mock_ec2_authorize_out(struct call *call)
{
    return change_rules(call, "Out", true);
}

enum call_end mock_ec2_revoke_in(struct call *call)
{
    return change_rules(call, "In", false);
}

enum call_end mock_ec2_revoke_out(struct call *call)
{
    return change_rules(call, "Out", false);
}

enum call_end mock_ec2_delete_group(struct call *call)
{
    struct jobq_str id = call_text(call, "GroupId");
    char own[LAUNCH_ID];
    launch_group(call->mock, call->region, own);
    if (str_is(id, own) || str_is(call_text(call, "GroupName"), "default"))
        return mock_fail(
            call, 400, "CannotDelete", NULL,
            "the specified group: \"%s\" name: \"default\" cannot be deleted "
            "by a user",
            own);
    const struct resource *group = find_group(call);
    if (!group)
        return CALL_FAILED;
    char gone[LAUNCH_ID];
    memcpy(gone, group->id, sizeof gone);
    resource_drop(call->mock, call->region, RESOURCE_GROUP, gone);
    return group_done(call);
}

/* ---- showing --------------------------------------------------------------------------------- */

static struct jobq_str default_group(const struct call *call, const char *id)
{
    return str_of(
        mock_format(call,
                    "Name=default&Description=default%%20VPC%%20security%%20group&"
                    "In.1.IpProtocol=-1&In.1.Groups.1.GroupId=%s&"
                    "Out.1.IpProtocol=-1&Out.1.IpRanges.1.CidrIp=0.0.0.0/0",
                    id));
}

static void put_rules(struct text *out, const char *name, const struct tree *rules)
{
    text_printf(out, "<%s>", name);
    for (const struct tree *one = rules ? rules->first : NULL; one; one = one->next) {
        text_puts(out, "<item>");
        show_tree(out, one, "");
        text_puts(out, "</item>");
    }
    text_printf(out, "</%s>", name);
}

struct shown {
    struct call *call;
    const char *id;
    const struct tree *kept;
};

static struct jobq_str group_text(void *ctx, struct jobq_str filter)
{
    const struct shown *g = ctx;
    if (str_is(filter, "group-id"))
        return str_of(g->id);
    if (str_is(filter, "group-name"))
        return tree_text(g->kept, "Name");
    if (str_is(filter, "description"))
        return tree_text(g->kept, "Description");
    if (str_is(filter, "owner-id"))
        return str_of(g->call->mock->options->account);
    if (str_is(filter, "vpc-id")) {
        char *vpc = arena_alloc(&g->call->mock->arena, LAUNCH_ID);
        return str_of(launch_vpc(g->call->mock, g->call->region, vpc));
    }
    if (filter.len > 4 && memcmp(filter.ptr, "tag:", 4) == 0) {
        int count;
        struct jobq_str key = {filter.ptr + 4, filter.len - 4};
        const struct jobq_tag *tag =
            launch_tags(g->call, g->kept, "security-group", &count);
        for (int i = 0; i < count; i++)
            if (str_eq(tag[i].key, key))
                return tag[i].value;
        return STR("\x01"); /* no value that a filter fits */
    }
    return (struct jobq_str){NULL, 0};
}

static bool group_is_asked(const struct tree *list, struct jobq_str text)
{
    for (const struct tree *one = list ? list->first : NULL; one; one = one->next)
        if (str_eq(one->text, text))
            return true;
    return false;
}

/* -1: refused; else whether it was asked for by id or name. */
static int show_group(struct call *call, const struct shown *g)
{
    struct text *out = call->out.out;
    const struct tree *ids = call_list(call, call->params, "GroupId");
    const struct tree *names = call_list(call, call->params, "GroupName");
    struct jobq_str name = tree_text(g->kept, "Name");
    struct shown shown = *g;
    char vpc[LAUNCH_ID];
    bool passes, all = (!ids || ids->count == 0) && (!names || names->count == 0);
    int count;
    if (!all && !group_is_asked(ids, str_of(g->id)) && !group_is_asked(names, name))
        return 0;
    if (!mock_ec2_passes(call, group_text, &shown, &passes))
        return -1;
    if (!passes)
        return 1;
    text_puts(out, "<item>");
    emit_xml(out, "ownerId", str_of(call->mock->options->account));
    emit_xml(out, "groupId", str_of(g->id));
    emit_xml(out, "groupName", name);
    emit_xml(out, "groupDescription", tree_text(g->kept, "Description"));
    emit_xml(out, "vpcId", str_of(launch_vpc(call->mock, call->region, vpc)));
    put_rules(out, "ipPermissions", tree_get(g->kept, "In"));
    put_rules(out, "ipPermissionsEgress", tree_get(g->kept, "Out"));
    struct jobq_tag *tag = launch_tags(call, g->kept, "security-group", &count);
    mock_ec2_show_tags(out, tag, count);
    text_puts(out, "</item>");
    return 1;
}

enum call_end mock_ec2_describe_groups(struct call *call)
{
    struct text *out = call->out.out;
    struct jobq_error err;
    struct tree *own;
    char id[LAUNCH_ID];
    launch_group(call->mock, call->region, id);
    struct jobq_str query = default_group(call, id);
    int found = 0;
    text_puts(out, "<securityGroupInfo>");
    if (tree_from_query(&query, 1, &call->mock->arena, &own, &err) == JOBQ_OK)
        found = show_group(call, &(struct shown){call, id, own});
    for (int i = 0; found >= 0 && i < resource_count(call->region); i++) {
        const struct resource *group = resource_at(call->region, i);
        if (group->kind != RESOURCE_GROUP)
            continue;
        int more = show_group(
            call, &(struct shown){call, group->id, resource_read(call->mock, group)});
        found = more < 0 ? -1 : found + more;
    }
    text_puts(out, "</securityGroupInfo>");
    const struct tree *ids = call_list(call, call->params, "GroupId");
    if (found == 0 && ids && ids->count > 0)
        return not_found(call, ids->first->text);
    const struct tree *names = call_list(call, call->params, "GroupName");
    if (found == 0 && names && names->count > 0)
        return not_found(call, names->first->text);
    return found < 0 ? CALL_FAILED : CALL_DONE;
}
