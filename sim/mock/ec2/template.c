#include "sim/mock/ec2/template.h"

#include "sim/mock/ec2/actions.h"
#include "sim/mock/ec2/launch.h"
#include "sim/mock/ec2/resource.h"
#include "sim/mock/ec2/show_tree.h"

#include <string.h>

/* A template is kept as Name, Created (ns), Latest, Tag.N.{Key,Value} and, for each version n,
 * V.n.{Created,Description,Data.*}. Its default version is 1, as long as nobody says
 * otherwise, which no action here does. */
enum { VERSIONS_MAX = 10000 };

static enum call_end no_version(struct call *call)
{
    mock_fail(call, 400, "InvalidLaunchTemplateId.VersionNotFound", NULL,
              "Could not find launch template version");
    return CALL_FAILED;
}

/* The template that LaunchTemplateId or LaunchTemplateName names. NULL: call->error. */
static const struct resource *find_template(struct call *call, const struct tree *in)
{
    struct jobq_str id = tree_text(in, "LaunchTemplateId");
    struct jobq_str name = tree_text(in, "LaunchTemplateName");
    const struct resource *found = NULL;
    if (id.len > 0)
        found = resource_find(call->region, RESOURCE_TEMPLATE, id);
    else if (name.len > 0)
        found = resource_named(call->mock, call->region, RESOURCE_TEMPLATE, name);
    if (found)
        return found;
    if (id.len > 0)
        mock_fail(call, 400, "InvalidLaunchTemplateId.NotFound", NULL,
                  "The specified launch template, with template ID %s, does not exist.",
                  mock_quote(call, id));
    else if (name.len > 0)
        mock_fail(call, 400, "InvalidLaunchTemplateName.NotFoundException", NULL,
                  "The specified launch template, with template name %s, does not exist.",
                  mock_quote(call, name));
    else
        mock_fail(
            call, 400, "MissingParameter", NULL,
            "Either a launch template ID or a launch template name must be specified "
            "in the request.");
    return NULL;
}

/* The version that is named: a number, $Latest, $Default; empty: the default. NULL: none. */
static const struct tree *find_version(const struct tree *kept, struct jobq_str version)
{
    struct jobq_str number = version.len == 0 || str_is(version, "$Default") ? STR("1")
                             : str_is(version, "$Latest") ? tree_text(kept, "Latest")
                                                          : version;
    const struct tree *versions = tree_get(kept, "V");
    for (const struct tree *one = versions ? versions->first : NULL; one; one = one->next)
        if (str_eq(one->name, number))
            return one;
    return NULL;
}

const struct tree *template_merge(struct call *call, const struct tree *request)
{
    const struct tree *named = tree_get(request, "LaunchTemplate");
    if (!named)
        return request;
    const struct resource *found = find_template(call, named);
    if (!found)
        return NULL;
    const struct tree *version =
        find_version(resource_read(call->mock, found), tree_text(named, "Version"));
    if (!version) {
        no_version(call);
        return NULL;
    }
    return tree_merge(request, tree_get(version, "Data"), &call->mock->arena);
}

/* ---- showing ----------------------------------------------------------------------------- */

static void put_created(const struct call *call, struct text *out, const struct tree *in)
{
    int64_t created_ns = 0;
    char time[32];
    str_to_int(tree_text(in, "Created"), &created_ns);
    emit_xml(out, "createTime", str_of(mock_ec2_time(created_ns, time)));
    text_printf(out, "<createdBy>arn:aws:iam::%s:user/jobqmock</createdBy>",
                call->mock->options->account);
}

static void put_template(struct call *call, const struct resource *template)
{
    struct text *out = call->out.out;
    const struct tree *kept = resource_read(call->mock, template);
    emit_xml(out, "launchTemplateId", str_of(template->id));
    emit_xml(out, "launchTemplateName", tree_text(kept, "Name"));
    put_created(call, out, kept);
    text_puts(out, "<defaultVersionNumber>1</defaultVersionNumber>");
    emit_xml(out, "latestVersionNumber", tree_text(kept, "Latest"));
    int tags;
    struct jobq_tag *tag = launch_tags(call, kept, "launch-template", &tags);
    mock_ec2_show_tags(out, tag, tags);
}

static void put_version(struct call *call, const struct resource *template,
                        const struct tree *kept, const struct tree *version)
{
    struct text *out = call->out.out;
    emit_xml(out, "launchTemplateId", str_of(template->id));
    emit_xml(out, "launchTemplateName", tree_text(kept, "Name"));
    emit_xml(out, "versionNumber", version->name);
    if (tree_text(version, "Description").len > 0)
        emit_xml(out, "versionDescription", tree_text(version, "Description"));
    put_created(call, out, version);
    text_printf(out, "<defaultVersion>%s</defaultVersion><launchTemplateData>",
                str_is(version->name, "1") ? "true" : "false");
    show_tree(out, tree_get(version, "Data"), "Set");
    text_puts(out, "</launchTemplateData>");
}

/* ---- making ---------------------------------------------------------------------------------- */

/* Appends "V.n.Created=...&V.n.Data...." of the request. False: call->error is filled. */
static bool add_version(struct call *call, int64_t number, const struct tree *source,
                        struct text *out)
{
    const struct tree *data = tree_get(call->params, "LaunchTemplateData");
    struct jobq_str description = call_text(call, "VersionDescription");
    if (!data || data->count == 0) {
        mock_ec2_missing(call, "LaunchTemplateData");
        return false;
    }
    /* The request's tree, under other names. */
    struct tree all = *tree_merge(data, tree_get(source, "Data"), &call->mock->arena);
    struct tree when = {.name = STR("Created"),
                        .text =
                            str_of(mock_format(call, "%lld", (long long)call->now_ns))};
    struct tree says = {.name = STR("Description"), .text = description};
    struct tree one = {.kind = TREE_OBJECT,
                       .name = str_of(mock_format(call, "%lld", (long long)number)),
                       .first = &when};
    struct tree versions = {.kind = TREE_OBJECT, .name = STR("V"), .first = &one};
    struct tree top = {.kind = TREE_OBJECT, .first = &versions};
    all.name = STR("Data");
    when.next = &all;
    if (description.len > 0)
        all.next = &says;
    tree_write_query(&top, out);
    return true;
}

static void template_add_pair(struct call *call, struct text *out, const char *name,
                              struct jobq_str value)
{
    (void)call;
    struct tree one = {.name = str_of(name), .text = value};
    struct tree top = {.kind = TREE_OBJECT, .first = &one};
    tree_write_query(&top, out);
}

static enum call_end put_kept(struct call *call, const char *id, struct text *query)
{
    resource_put(call->mock, call->region, RESOURCE_TEMPLATE, id, text_str(query));
    text_release(query);
    return CALL_DONE;
}

enum call_end mock_ec2_create_template(struct call *call)
{
    struct jobq_str name = call_text(call, "LaunchTemplateName");
    struct text query = {0}, *out = call->out.out;
    char id[LAUNCH_ID];
    if (name.len < 3 || name.len > 128)
        return name.ptr ? mock_fail(call, 400,
                                    "InvalidLaunchTemplateName.MalformedException", NULL,
                                    "A launch template name must be between 3 and 128 "
                                    "characters.")
                        : mock_ec2_missing(call, "LaunchTemplateName");
    if (resource_named(call->mock, call->region, RESOURCE_TEMPLATE, name))
        return mock_fail(call, 400, "InvalidLaunchTemplateName.AlreadyExistsException",
                         NULL, "Launch template name already in use.");
    if (resource_count(call->region) >= RESOURCES_MAX)
        return mock_fail(call, 400, "LaunchTemplateLimitExceeded", NULL,
                         "The maximum number of launch templates has been reached.");
    template_add_pair(call, &query, "Name", name);
    template_add_pair(call, &query, "Created",
                      str_of(mock_format(call, "%lld", (long long)call->now_ns)));
    template_add_pair(call, &query, "Latest", STR("1"));
    const struct tree *tags = tree_get(call->params, "TagSpecification");
    if (tags) {
        struct tree copy = *tags, top = {.kind = TREE_OBJECT, .first = &copy};
        copy.next = NULL;
        tree_write_query(&top, &query);
    }
    if (!add_version(call, 1, NULL, &query) || mock_ec2_is_dry(call)) {
        text_release(&query);
        return call->error.code
                   ? CALL_FAILED
                   : mock_fail(call, 412, "DryRunOperation", NULL,
                               "Request would have succeeded, but DryRun flag "
                               "is set.");
    }
    launch_id(
        call->mock, "lt-",
        mock_format(call, "%s %lld", mock_quote(call, name), (long long)call->now_ns),
        id);
    put_kept(call, id, &query);
    text_puts(out, "<launchTemplate>");
    put_template(call, resource_find(call->region, RESOURCE_TEMPLATE, str_of(id)));
    text_puts(out, "</launchTemplate>");
    return CALL_DONE;
}

enum call_end mock_ec2_create_version(struct call *call)
{
    const struct resource *template = find_template(call, call->params);
    struct text query = {0}, *out = call->out.out;
    char id[LAUNCH_ID];
    int64_t latest = 0;
    if (!template)
        return CALL_FAILED;
    const struct tree *kept = resource_read(call->mock, template), *source = NULL;
    struct jobq_str from = call_text(call, "SourceVersion");
    if (from.len > 0 && !(source = find_version(kept, from)))
        return no_version(call);
    str_to_int(tree_text(kept, "Latest"), &latest);
    if (latest >= VERSIONS_MAX)
        return mock_fail(call, 400, "LaunchTemplateVersionLimitExceeded", NULL,
                         "The maximum number of versions has been reached.");
    /* Of a key given twice the first counts. */
    template_add_pair(call, &query, "Latest",
                      str_of(mock_format(call, "%lld", (long long)latest + 1)));
    tree_write_query(kept, &query);
    if (!add_version(call, latest + 1, source, &query)) {
        text_release(&query);
        return CALL_FAILED;
    }
    memcpy(id, template->id, sizeof id);
    put_kept(call, id, &query);
    template = resource_find(call->region, RESOURCE_TEMPLATE, str_of(id));
    kept = resource_read(call->mock, template);
    text_puts(out, "<launchTemplateVersion>");
    put_version(call, template, kept, find_version(kept, STR("$Latest")));
    text_puts(out, "</launchTemplateVersion>");
    return CALL_DONE;
}

/* ---- finding ----------------------------------------------------------------------------------- */

struct described {
    struct call *call;
    const struct resource *template;
};

static struct jobq_str template_text(void *ctx, struct jobq_str filter)
{
    const struct described *d = ctx;
    if (str_is(filter, "launch-template-name"))
        return tree_text(resource_read(d->call->mock, d->template), "Name");
    if (str_is(filter, "launch-template-id"))
        return str_of(d->template->id);
    return (struct jobq_str){NULL, 0};
}

static bool is_listed(const struct tree *list, struct jobq_str text)
{
    for (const struct tree *one = list ? list->first : NULL; one; one = one->next)
        if (str_eq(one->text, text))
            return true;
    return false;
}

enum call_end mock_ec2_describe_templates(struct call *call)
{
    struct text *out = call->out.out;
    const struct tree *ids = call_list(call, call->params, "LaunchTemplateId");
    const struct tree *names = call_list(call, call->params, "LaunchTemplateName");
    bool all = (!ids || ids->count == 0) && (!names || names->count == 0);
    int found = 0;
    text_puts(out, "<launchTemplates>");
    for (int i = 0; i < resource_count(call->region); i++) {
        struct described d = {call, resource_at(call->region, i)};
        bool passes;
        if (d.template->kind != RESOURCE_TEMPLATE)
            continue;
        struct jobq_str name = tree_text(resource_read(call->mock, d.template), "Name");
        if (!all && !is_listed(ids, str_of(d.template->id)) && !is_listed(names, name))
            continue;
        if (!mock_ec2_passes(call, template_text, &d, &passes))
            return CALL_FAILED;
        found++;
        if (!passes)
            continue;
        text_puts(out, "<item>");
        put_template(call, d.template);
        text_puts(out, "</item>");
    }
    text_puts(out, "</launchTemplates>");
    if (all || found > 0)
        return CALL_DONE;
    const struct tree *first = ids && ids->count > 0 ? ids : names;
    return mock_fail(call, 400,
                     first == ids ? "InvalidLaunchTemplateId.NotFound"
                                  : "InvalidLaunchTemplateName.NotFoundException",
                     NULL,
                     "At least one of the launch templates specified in the request "
                     "does not exist.");
}

enum call_end mock_ec2_describe_versions(struct call *call)
{
    const struct resource *template = find_template(call, call->params);
    struct text *out = call->out.out;
    if (!template)
        return CALL_FAILED;
    const struct tree *kept = resource_read(call->mock, template);
    const struct tree *asked = call_list(call, call->params, "LaunchTemplateVersion");
    const struct tree *versions = tree_get(kept, "V");
    bool all = !asked || asked->count == 0;
    text_puts(out, "<launchTemplateVersionSet>");
    for (const struct tree *one = all ? versions->first : asked->first; one;
         one = one->next) {
        const struct tree *version = all ? one : find_version(kept, one->text);
        if (!version)
            return no_version(call);
        text_puts(out, "<item>");
        put_version(call, template, kept, version);
        text_puts(out, "</item>");
    }
    text_puts(out, "</launchTemplateVersionSet>");
    return CALL_DONE;
}

enum call_end mock_ec2_delete_template(struct call *call)
{
    const struct resource *template = find_template(call, call->params);
    struct text *out = call->out.out;
    char id[LAUNCH_ID];
    if (!template)
        return CALL_FAILED;
    text_puts(out, "<launchTemplate>");
    put_template(call, template);
    text_puts(out, "</launchTemplate>");
    memcpy(id, template->id, sizeof id);
    resource_drop(call->mock, call->region, RESOURCE_TEMPLATE, id);
    return CALL_DONE;
}
