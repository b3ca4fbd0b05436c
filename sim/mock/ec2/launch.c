#include "sim/mock/ec2/launch.h"

#include "sim/mock/ec2/resource.h"
#include "wire/text/base64.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is kept --------------------------------------------------------------------- */

const struct tree *launch_said(const struct mock_region *region, int32_t instance)
{
    return instance < region->launch_count ? region->launch[instance].said : NULL;
}

struct jobq_str launch_text(const struct mock_region *region, int32_t instance)
{
    return instance < region->launch_count ? region->launch[instance].query : STR("");
}

void launch_keep(struct mock_region *region, int32_t first, int32_t count,
                 struct jobq_str query)
{
    struct jobq_error err;
    struct tree *tree = NULL;
    struct mock_launch one = {arena_str(&region->launches, query), NULL};
    int32_t end = first + count;
    if (tree_from_query(&one.query, 1, &region->launches, &tree, &err) == JOBQ_OK)
        one.said = tree;
    if (end > region->launch_count) {
        region->launch = xrealloc(region->launch, (size_t)end * sizeof *region->launch);
        memset(region->launch + region->launch_count, 0,
               (size_t)(end - region->launch_count) * sizeof *region->launch);
        region->launch_count = end;
    }
    for (int32_t i = first; i < end; i++)
        region->launch[i] = one;
}

void launch_reset(struct mock_region *region)
{
    region->launch_count = 0;
    arena_reset(&region->launches);
}

/* ---- the default VPC ------------------------------------------------------------------- */

char *launch_id(const struct mock *mock, const char *prefix, const char *of,
                char out[LAUNCH_ID])
{
    uint64_t bits = mock->seed;
    for (const char *c = of; *c; c++)
        bits = mock_mix(bits ^ (unsigned char)*c);
    size_t len = strlen(prefix);
    memcpy(out, prefix, len);
    out[len] = '0';
    text_write_hex64(out + len + 1, bits);
    out[len + 17] = '\0';
    return out;
}

char *launch_subnet(const struct mock *mock, const struct mock_region *region, char zone,
                    char out[LAUNCH_ID])
{
    char of[40];
    size_t len = strlen(region->name);
    memcpy(of, region->name, len);
    of[len] = zone;
    of[len + 1] = '\0';
    return launch_id(mock, "subnet-", of, out);
}

char *launch_vpc(const struct mock *mock, const struct mock_region *region,
                 char out[LAUNCH_ID])
{
    return launch_id(mock, "vpc-", region->name, out);
}

char *launch_group(const struct mock *mock, const struct mock_region *region,
                   char out[LAUNCH_ID])
{
    return launch_id(mock, "sg-", region->name, out);
}

/* The first network interface, where a launch may name its subnet and groups too. */
static const struct tree *interface_of(const struct tree *said, struct arena *arena)
{
    const struct tree *list = tree_list(said, "NetworkInterface", arena);
    return list ? list->first : NULL;
}

static struct jobq_str said_subnet(const struct tree *said, struct arena *arena)
{
    struct jobq_str subnet = tree_text(said, "SubnetId");
    return subnet.len > 0 ? subnet : tree_text(interface_of(said, arena), "SubnetId");
}

struct jobq_str launch_box_subnet(const struct mock *mock,
                                  const struct mock_region *region, int32_t instance,
                                  char out[LAUNCH_ID])
{
    struct arena scratch;
    arena_init(&scratch, 1024);
    struct jobq_str subnet = said_subnet(launch_said(region, instance), &scratch);
    arena_release(&scratch); /* the text is the launch's own */
    if (subnet.len > 0)
        return subnet;
    struct jobq_str zone = ec2_instance_at(region->ec2, instance)->zone;
    return str_of(launch_subnet(mock, region, zone.ptr[zone.len - 1], out));
}

/* The groups that a launch names, ids first, as one list; NULL: none. */
static const struct tree *said_groups(const struct tree *said, struct arena *arena,
                                      bool *named)
{
    const struct tree *ids = tree_list(said, "SecurityGroupId", arena);
    if (!ids || ids->count == 0)
        ids = tree_list(interface_of(said, arena), "SecurityGroupId", arena);
    *named = !ids || ids->count == 0;
    return *named ? tree_list(said, "SecurityGroup", arena) : ids;
}

/* Copies the id of the group that is called so. False: there is none. */
static bool group_of_name(struct mock *mock, struct mock_region *region,
                          struct jobq_str name, char id[LAUNCH_ID])
{
    if (str_is(name, "default")) {
        launch_group(mock, region, id);
        return true;
    }
    const struct resource *group = resource_named(mock, region, RESOURCE_GROUP, name);
    if (group)
        memcpy(id, group->id, LAUNCH_ID);
    return group != NULL;
}

static struct jobq_str name_of_group(struct mock *mock, struct mock_region *region,
                                     struct jobq_str id)
{
    char own[LAUNCH_ID];
    if (str_is(id, launch_group(mock, region, own)))
        return STR("default");
    const struct resource *group = resource_find(region, RESOURCE_GROUP, id);
    struct jobq_str name = group ? tree_text(resource_read(mock, group), "Name")
                                 : (struct jobq_str){NULL, 0};
    return name.ptr ? name : id;
}

bool launch_box_group(struct mock *mock, struct mock_region *region, int32_t instance,
                      int index, char id[LAUNCH_ID], struct jobq_str *name)
{
    bool named;
    const struct tree *groups =
        said_groups(launch_said(region, instance), &mock->arena, &named);
    const struct tree *one = groups ? groups->first : NULL;
    if (!one) {
        launch_group(mock, region, id);
        *name = STR("default");
        return index == 0;
    }
    for (int i = 0; one && i < index; i++)
        one = one->next;
    if (!one)
        return false;
    if (named) {
        *name = one->text;
        return group_of_name(mock, region, one->text, id);
    }
    size_t len =
        (size_t)one->text.len < LAUNCH_ID ? (size_t)one->text.len : LAUNCH_ID - 1;
    memcpy(id, one->text.ptr, len);
    id[len] = '\0';
    *name = name_of_group(mock, region, one->text);
    return true;
}

bool launch_metadata_tags(const struct tree *said)
{
    return str_is(tree_text(tree_get(said, "MetadataOptions"), "InstanceMetadataTags"),
                  "enabled");
}

struct jobq_str launch_profile(const struct tree *said)
{
    const struct tree *profile = tree_get(said, "IamInstanceProfile");
    struct jobq_str arn = tree_text(profile, "Arn");
    struct jobq_str text = arn.len > 0 ? arn : tree_text(profile, "Name");
    return text.ptr ? text : STR("");
}

/* ---- reading ----------------------------------------------------------------------------- */

static bool launch_refuse(struct call *call, struct jobq_str value, const char *name)
{
    mock_fail(call, 400, "InvalidParameterValue", NULL,
              "Value (%s) for parameter %s is invalid.", mock_quote(call, value), name);
    return false;
}

/* InstanceMarketOptions: a spot request, and the most it may cost an hour. */
static bool read_market(struct call *call, const struct tree *said, struct ec2_run *run)
{
    const struct tree *market = tree_get(said, "InstanceMarketOptions");
    const struct tree *spot = tree_get(market, "SpotOptions");
    struct jobq_str type = tree_text(market, "MarketType");
    struct jobq_str kind = tree_text(spot, "SpotInstanceType");
    struct jobq_error err;
    if (!type.ptr)
        return true;
    if (!str_is(type, "spot"))
        return launch_refuse(call, type, "MarketType");
    if (kind.len > 0 && !str_is(kind, "one-time")) {
        mock_fail(call, 400, "UnsupportedOperation", NULL,
                  "Of Spot requests, one-time ones alone are served here.");
        return false;
    }
    run->spot = true;
    struct jobq_str price = tree_text(spot, "MaxPrice");
    if (!price.ptr)
        return true;
    if (jobq_parse_number(mock_quote(call, price), &run->spot_max_price_usd, &err) ==
            JOBQ_OK &&
        run->spot_max_price_usd > 0)
        return true;
    return launch_refuse(call, price, "MaxPrice");
}

/* The zone that the placement or the subnet says. */
static bool read_zone(struct call *call, const struct tree *said, struct ec2_run *run)
{
    const struct tree *placement = tree_get(said, "Placement");
    struct jobq_str zone = tree_text(placement, "AvailabilityZone");
    struct jobq_str subnet = said_subnet(said, &call->mock->arena);
    char known[LAUNCH_ID], letter = '\0';
    const char *region = call->region->name;
    for (const struct tree *one = placement ? placement->first : NULL; one;
         one = one->next)
        if (!str_is(one->name, "AvailabilityZone") && one->text.len > 0 &&
            !(str_is(one->name, "Tenancy") && str_is(one->text, "default"))) {
            mock_fail(call, 400, "UnsupportedOperation", NULL,
                      "Placement.%s is not served here.", mock_quote(call, one->name));
            return false;
        }
    if (subnet.len > 0 && (subnet.len < 8 || memcmp(subnet.ptr, "subnet-", 7) != 0)) {
        mock_fail(call, 400, "InvalidSubnetID.NotFound", NULL,
                  "The subnet ID '%s' does not exist", mock_quote(call, subnet));
        return false;
    }
    for (char z = 'a'; z < 'a' + LAUNCH_ZONES; z++)
        if (subnet.len > 0 &&
            str_is(subnet, launch_subnet(call->mock, call->region, z, known)))
            letter = z;
    for (char z = 'a'; z < 'a' + LAUNCH_ZONES; z++) {
        struct jobq_str name = str_of(mock_format(call, "%s%c", region, z));
        if (zone.len == 0 ? z == letter : str_eq(zone, name))
            run->zone = name;
    }
    if (zone.len > 0 && run->zone.len == 0) {
        mock_fail(call, 400, "InvalidParameterValue", NULL,
                  "Invalid availability zone: [%s]", mock_quote(call, zone));
        return false;
    }
    if (zone.len > 0 && letter && run->zone.ptr[run->zone.len - 1] != letter) {
        mock_fail(call, 400, "InvalidParameterValue", NULL,
                  "The availability zone '%s' does not match the subnet '%s'.",
                  mock_quote(call, zone), mock_quote(call, subnet));
        return false;
    }
    return true;
}

/* Names must be of groups that exist; ids need only look like one, as image ids do. */
static bool check_groups(struct call *call, const struct tree *said)
{
    bool named;
    char id[LAUNCH_ID];
    const struct tree *groups = said_groups(said, &call->mock->arena, &named);
    for (const struct tree *one = groups ? groups->first : NULL; one; one = one->next) {
        bool fine = named ? group_of_name(call->mock, call->region, one->text, id)
                          : one->text.len > 3 && one->text.len < LAUNCH_ID &&
                                memcmp(one->text.ptr, "sg-", 3) == 0;
        if (fine)
            continue;
        mock_fail(call, 400, "InvalidGroup.NotFound", NULL,
                  "The security group '%s' does not exist", mock_quote(call, one->text));
        return false;
    }
    return true;
}

struct jobq_tag *launch_tags(const struct call *call, const struct tree *said,
                             const char *type, int *count)
{
    struct arena *arena = &call->mock->arena;
    const struct tree *specs = call_list(call, said, "TagSpecification");
    int cap = 0;
    *count = 0;
    for (const struct tree *one = specs ? specs->first : NULL; one; one = one->next) {
        const struct tree *tags = call_list(call, one, "Tag");
        cap += tags ? tags->count : 0;
    }
    struct jobq_tag *out = arena_alloc(arena, (size_t)cap * sizeof *out + 1);
    for (const struct tree *one = specs ? specs->first : NULL; one; one = one->next) {
        const struct tree *tags = call_list(call, one, "Tag");
        if (!str_is(tree_text(one, "ResourceType"), type))
            continue;
        for (const struct tree *tag = tags ? tags->first : NULL; tag; tag = tag->next) {
            struct jobq_str key = tree_text(tag, "Key");
            out[(*count)++] =
                (struct jobq_tag){key.ptr ? key : STR(""), tree_text(tag, "Value")};
        }
    }
    return out;
}

static bool check_tag_types(struct call *call, const struct tree *said)
{
    static const char *const known[] = {"instance", "volume", "network-interface",
                                        "spot-instances-request", "elastic-gpu"};
    const struct tree *specs = call_list(call, said, "TagSpecification");
    for (const struct tree *one = specs ? specs->first : NULL; one; one = one->next) {
        struct jobq_str type = tree_text(one, "ResourceType");
        bool fine = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            fine = fine || str_is(type, known[i]);
        if (fine)
            continue;
        mock_fail(call, 400, "InvalidParameterValue", NULL,
                  "'%s' is not a valid taggable resource type for this operation.",
                  mock_quote(call, type));
        return false;
    }
    return true;
}

/* What a launch may say. Kept: for DescribeInstances, which says it again. */
static const struct {
    const char *name;
    bool kept;
} parameters[] = {
    {"SubnetId", true},
    {"SecurityGroupId", true},
    {"SecurityGroup", true},
    {"NetworkInterface", true},
    {"IamInstanceProfile", true},
    {"MetadataOptions", true},
    {"BlockDeviceMapping", true},
    {"Monitoring", true},
    {"EbsOptimized", true},
    {"TagSpecification", true},
    {"InstanceMarketOptions", true},
    {"Placement", false},
    {"ImageId", false},
    {"InstanceType", false},
    {"KeyName", false},
    {"UserData", false},
    {"InstanceInitiatedShutdownBehavior", false},
    {"CreditSpecification", false},
};

/* What every request may hold beside what its action takes. */
static bool is_common(struct jobq_str name)
{
    static const char *const known[] = {
        "Action",    "Version",         "DryRun",           "ClientToken",
        "MinCount",  "MaxCount",        "LaunchTemplate",   "AWSAccessKeyId",
        "Signature", "SignatureMethod", "SignatureVersion", "Timestamp",
        "Expires",   "SecurityToken"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_is(name, known[i]))
            return true;
    return name.len > 6 && memcmp(name.ptr, "X-Amz-", 6) == 0;
}

/* Writes what is kept; what is not understood is refused, for silence would be a lie. */
static bool keep_parameters(struct call *call, const struct tree *said,
                            struct jobq_str *kept)
{
    struct tree only = {.kind = TREE_OBJECT};
    struct text out = {0};
    for (const struct tree *one = said->first; one; one = one->next) {
        size_t i = 0, count = sizeof parameters / sizeof parameters[0];
        while (i < count && !str_is(one->name, parameters[i].name))
            i++;
        if (i == count && !is_common(one->name)) {
            mock_fail(call, 400, "UnsupportedOperation", NULL,
                      "The parameter %s of a launch is not served here.",
                      mock_quote(call, one->name));
            text_release(&out);
            return false;
        }
        if (i == count || !parameters[i].kept)
            continue;
        struct tree copy = *one;
        copy.next = NULL;
        only.first = &copy;
        tree_write_query(&only, &out);
    }
    *kept = arena_str(&call->mock->arena, text_str(&out));
    text_release(&out);
    return true;
}

bool launch_read(struct call *call, const struct tree *said, struct ec2_run *run,
                 struct jobq_str *kept)
{
    struct jobq_str data = tree_text(said, "UserData");
    struct jobq_str behaviour = tree_text(said, "InstanceInitiatedShutdownBehavior");
    int tags;
    if (!keep_parameters(call, said, kept))
        return false;
    run->image = tree_text(said, "ImageId");
    run->type = tree_text(said, "InstanceType");
    run->key_name = tree_text(said, "KeyName");
    if (!run->image.ptr) {
        mock_fail(call, 400, "MissingParameter", NULL,
                  "The request must contain the parameter ImageId");
        return false;
    }
    if (!run->type.ptr)
        run->type = STR("m1.small"); /* EC2's own default */
    if (behaviour.len > 0 && !str_is(behaviour, "stop") &&
        !str_is(behaviour, "terminate"))
        return launch_refuse(call, behaviour, "InstanceInitiatedShutdownBehavior");
    run->stops = !str_is(behaviour, "terminate");
    if (!read_market(call, said, run) || !read_zone(call, said, run) ||
        !check_groups(call, said) || !check_tag_types(call, said))
        return false;
    if (data.ptr && !base64_decode(data, &call->mock->arena, &run->user_data)) {
        mock_fail(call, 400, "InvalidUserData.Malformed", NULL,
                  "Invalid BASE64 encoding of user data.");
        return false;
    }
    run->tag = launch_tags(call, said, "instance", &tags);
    run->tag_count = tags;
    return true;
}
