#include "sim/mock/ec2/imds_tree.h"

#include "models/ec2/ec2.h"
#include "sim/mock/ec2/launch.h"
#include "sim/mock/ec2/imds.h"
#include "wire/text/awstime.h"

#include <stdio.h>
#include <string.h>

/* One box being asked. */
struct box {
    struct mock *mock;
    struct mock_region *region;
    const struct tree *said; /* at its launch */
    int32_t index;
    const struct ec2_instance *view;
    char mac[18];
};

typedef bool put_fn(struct box *box, struct text *out);

/* ---- entries -------------------------------------------------------------------------- */

static bool put_str(struct text *out, const char *value)
{
    text_puts(out, value);
    return true;
}

static bool imds_tree_put_image(struct box *b, struct text *out)
{
    text_put_str(out, b->view->image);
    return true;
}

static bool put_launch_index(struct box *b, struct text *out)
{
    text_put_int(out, b->view->launch_index);
    return true;
}

static bool put_manifest(struct box *b, struct text *out)
{
    (void)b;
    return put_str(out, "(unknown)");
}

static bool put_none(struct box *b, struct text *out)
{
    (void)b;
    return put_str(out, "none");
}

static bool put_no_events(struct box *b, struct text *out)
{
    (void)b;
    return put_str(out, "[]");
}

static bool put_hostname(struct box *b, struct text *out)
{
    char name[80];
    return put_str(out, mock_ec2_dns_name(b->region, b->view, name));
}

static bool put_id(struct box *b, struct text *out)
{
    return put_str(out, b->view->id);
}

static bool put_life_cycle(struct box *b, struct text *out)
{
    return put_str(out, b->view->spot ? "spot" : "on-demand");
}

static bool imds_tree_put_type(struct box *b, struct text *out)
{
    return put_str(out, b->view->type.name);
}

static bool put_ip(struct box *b, struct text *out)
{
    return put_str(out, b->view->private_ip);
}

static bool put_mac(struct box *b, struct text *out)
{
    return put_str(out, b->mac);
}

static bool put_zero(struct box *b, struct text *out)
{
    (void)b;
    return put_str(out, "0");
}

static bool put_owner(struct box *b, struct text *out)
{
    return put_str(out, b->mock->options->account);
}

static bool put_subnet(struct box *b, struct text *out)
{
    char id[32];
    text_put_str(out, launch_box_subnet(b->mock, b->region, b->index, id));
    return true;
}

static bool imds_tree_put_groups(struct box *b, struct text *out, bool ids)
{
    char id[LAUNCH_ID];
    struct jobq_str name;
    for (int i = 0; launch_box_group(b->mock, b->region, b->index, i, id, &name); i++) {
        if (i > 0)
            text_putc(out, '\n');
        text_put_str(out, ids ? str_of(id) : name);
    }
    return true;
}

static bool put_group_id(struct box *b, struct text *out)
{
    return imds_tree_put_groups(b, out, true);
}

static bool put_group(struct box *b, struct text *out)
{
    return imds_tree_put_groups(b, out, false);
}

static bool put_zone(struct box *b, struct text *out)
{
    text_put_str(out, b->view->zone);
    return true;
}

static bool put_region(struct box *b, struct text *out)
{
    return put_str(out, b->region->name);
}

static bool imds_tree_put_profile(struct box *b, struct text *out)
{
    (void)b;
    return put_str(out, "default-hvm");
}

static bool put_reservation(struct box *b, struct text *out)
{
    return put_str(out, b->view->reservation);
}

static bool put_domain(struct box *b, struct text *out)
{
    (void)b;
    return put_str(out, "amazonaws.com");
}

static bool put_partition(struct box *b, struct text *out)
{
    (void)b;
    return put_str(out, "aws");
}

static bool imds_tree_put_system(struct box *b, struct text *out)
{
    return put_str(out, b->view->type.current ? "nitro" : "xen");
}

static bool put_iam_info(struct box *b, struct text *out)
{
    char now[AWSTIME_ISO];
    struct jobq_str said = launch_profile(b->said);
    struct jobq_str profile = said.len > 0 ? said : STR(MOCK_IMDS_ROLE);
    awstime_iso(mock_now_ns(b->mock), now);
    text_printf(out,
                "{\"Code\":\"Success\",\"LastUpdated\":\"%s\","
                "\"InstanceProfileArn\":\"",
                now);
    if (profile.len < 4 || memcmp(profile.ptr, "arn:", 4) != 0)
        text_printf(out, "arn:aws:iam::%s:instance-profile/", b->mock->options->account);
    text_put_str(out, profile);
    return put_str(out, "\",\"InstanceProfileId\":\"AIPAJOBQMOCKEXAMPLE01\"}");
}

static bool put_credentials(struct box *b, struct text *out)
{
    char secret[41], token[49], now[AWSTIME_ISO], later[AWSTIME_ISO];
    int64_t now_ns = mock_now_ns(b->mock);
    mock_imds_secret(b->mock, secret, token);
    awstime_iso(now_ns, now);
    awstime_iso(now_ns + 6 * JOBQ_NS_PER_HOUR, later);
    text_printf(out,
                "{\"Code\":\"Success\",\"LastUpdated\":\"%s\",\"Type\":\"AWS-HMAC\","
                "\"AccessKeyId\":\"" MOCK_IMDS_ACCESS "\",\"SecretAccessKey\":\"%s\","
                "\"Token\":\"%s\",\"Expiration\":\"%s\"}",
                now, secret, token, later);
    return true;
}

/* The notice of a spot box that will be taken back is there once it is due. */
static bool has_notice(const struct box *b)
{
    return b->view->notice_at_ns <= mock_now_ns(b->mock);
}

static bool put_action(struct box *b, struct text *out)
{
    char time[AWSTIME_ISO];
    if (!has_notice(b))
        return false;
    awstime_iso(b->view->take_at_ns, time);
    text_printf(out, "{\"action\":\"terminate\",\"time\":\"%s\"}", time);
    return true;
}

static bool put_take_time(struct box *b, struct text *out)
{
    char time[AWSTIME_ISO];
    awstime_iso(b->view->take_at_ns, time);
    return has_notice(b) && put_str(out, time);
}

/* AWS may recommend it earlier, and not always; here it comes with the notice. */
static bool put_rebalance(struct box *b, struct text *out)
{
    char time[AWSTIME_ISO];
    if (!has_notice(b))
        return false;
    awstime_iso(b->view->notice_at_ns, time);
    text_printf(out, "{\"noticeTime\":\"%s\"}", time);
    return true;
}

/* ---- the tree ------------------------------------------------------------------------- */

#define MACS "network/interfaces/macs/" /* then the address, which is the box's own */

/* In the order of names, so that what a folder holds lies together. */
static const struct entry {
    const char *path;
    put_fn *put;
    bool of_notice; /* not there without one */
} entries[] = {
    {"ami-id", imds_tree_put_image, false},
    {"ami-launch-index", put_launch_index, false},
    {"ami-manifest-path", put_manifest, false},
    {"events/maintenance/history", put_no_events, false},
    {"events/maintenance/scheduled", put_no_events, false},
    {"events/recommendations/rebalance", put_rebalance, true},
    {"hostname", put_hostname, false},
    {"iam/info", put_iam_info, false},
    {"iam/security-credentials/" MOCK_IMDS_ROLE, put_credentials, false},
    {"instance-action", put_none, false},
    {"instance-id", put_id, false},
    {"instance-life-cycle", put_life_cycle, false},
    {"instance-type", imds_tree_put_type, false},
    {"local-hostname", put_hostname, false},
    {"local-ipv4", put_ip, false},
    {"mac", put_mac, false},
    {MACS "MAC/device-number", put_zero, false},
    {MACS "MAC/local-ipv4s", put_ip, false},
    {MACS "MAC/mac", put_mac, false},
    {MACS "MAC/owner-id", put_owner, false},
    {MACS "MAC/security-group-ids", put_group_id, false},
    {MACS "MAC/security-groups", put_group, false},
    {MACS "MAC/subnet-id", put_subnet, false},
    {"placement/availability-zone", put_zone, false},
    {"placement/region", put_region, false},
    {"profile", imds_tree_put_profile, false},
    {"reservation-id", put_reservation, false},
    {"security-groups", put_group, false},
    {"services/domain", put_domain, false},
    {"services/partition", put_partition, false},
    {"services/region", put_region, false},
    {"spot/instance-action", put_action, true},
    {"spot/termination-time", put_take_time, true},
    {"system", imds_tree_put_system, false},
};
enum { ENTRIES = sizeof entries / sizeof entries[0] };

/* An entry's path with the box's address in it. */
static const char *path_of(const struct box *b, const struct entry *entry, char out[100])
{
    const char *mac = strstr(entry->path, "MAC");
    if (!mac)
        return entry->path;
    snprintf(out, 100, MACS "%s%s", b->mac, mac + 3);
    return out;
}

static void put_line(struct text *out, const char *name, size_t len)
{
    if (out->len > 0)
        text_putc(out, '\n');
    text_put(out, name, len);
}

/* The names below a folder; each once. */
static bool put_folder(struct box *b, struct jobq_str folder, struct text *out)
{
    char full[100], last[64] = "";
    for (int i = 0; i < ENTRIES; i++) {
        const char *path = path_of(b, &entries[i], full);
        size_t skip = (size_t)folder.len;
        if ((entries[i].of_notice && !has_notice(b)) || strlen(path) <= skip ||
            (skip > 0 && (memcmp(path, folder.ptr, skip) != 0 || path[skip++] != '/')))
            continue;
        const char *name = path + skip, *slash = strchr(name, '/');
        size_t len = slash ? (size_t)(slash - name) + 1 : strlen(name);
        if (strlen(last) == len && memcmp(last, name, len) == 0)
            continue;
        memcpy(last, name, len);
        last[len] = '\0';
        put_line(out, name, len);
    }
    if (folder.len == 0 && launch_metadata_tags(b->said))
        put_line(out, "tags/", 5);
    return out->len > 0;
}

/* Tags of the box, if its launch allowed them to be seen. rest: behind "tags". */
static bool put_tags(struct box *b, struct jobq_str rest, struct text *out)
{
    if (!launch_metadata_tags(b->said))
        return false;
    if (rest.len == 0 || str_is(rest, "/"))
        return put_str(out, "instance/");
    if (rest.len < 9 || memcmp(rest.ptr, "/instance", 9) != 0)
        return false;
    rest = (struct jobq_str){rest.ptr + 9, rest.len - 9};
    if (rest.len > 0 && rest.ptr[0] == '/')
        rest.ptr++, rest.len--;
    for (int32_t i = 0; i < b->view->tag_count; i++) {
        const struct jobq_tag *tag = &b->view->tag[i];
        if (rest.len == 0) {
            put_line(out, tag->key.ptr, (size_t)tag->key.len);
        } else if (str_eq(rest, tag->key)) {
            text_put_str(out, tag->value);
            return true;
        }
    }
    return rest.len == 0;
}

static struct box box_of(struct mock *mock, struct mock_region *region, int32_t instance)
{
    struct box b = {.mock = mock,
                    .region = region,
                    .said = launch_said(region, instance),
                    .index = instance,
                    .view = ec2_instance_at(region->ec2, instance)};
    snprintf(b.mac, sizeof b.mac, "0a:%02x:%02x:%02x:%02x:%02x", region->index & 255,
             (unsigned)instance >> 24 & 255, (unsigned)instance >> 16 & 255,
             (unsigned)instance >> 8 & 255, (unsigned)instance & 255);
    return b;
}

/* "/a/b/" as "a/b". False: it did not begin with a slash, and was not empty. */
static bool imds_tree_trim(struct jobq_str *path)
{
    if (path->len > 0 && path->ptr[0] != '/')
        return false;
    if (path->len > 0)
        path->ptr++, path->len--;
    if (path->len > 0 && path->ptr[path->len - 1] == '/')
        path->len--;
    return true;
}

bool imds_entry(struct mock *mock, struct mock_region *region, int32_t instance,
                struct jobq_str path, struct text *out)
{
    struct box b = box_of(mock, region, instance);
    char full[100];
    if (path.len >= 5 && memcmp(path.ptr, "/tags", 5) == 0)
        return put_tags(&b, (struct jobq_str){path.ptr + 5, path.len - 5}, out);
    if (!imds_tree_trim(&path))
        return false;
    for (int i = 0; i < ENTRIES; i++)
        if (str_is(path, path_of(&b, &entries[i], full)))
            return entries[i].put(&b, out);
    return put_folder(&b, path, out);
}

/* ---- dynamic -------------------------------------------------------------------------- */

static void put_document(const struct box *b, struct text *out)
{
    char time[AWSTIME_ISO];
    awstime_iso(b->view->launched_at_ns, time);
    text_printf(out, "{\"accountId\":\"%s\",\"architecture\":\"%s\",",
                b->mock->options->account, b->view->type.arch);
    text_printf(out,
                "\"availabilityZone\":\"%s\",\"billingProducts\":null,"
                "\"devpayProductCodes\":null,\"marketplaceProductCodes\":null,"
                "\"imageId\":\"",
                b->view->zone.ptr);
    text_put_str(out, b->view->image);
    text_printf(out,
                "\",\"instanceId\":\"%s\",\"instanceType\":\"%s\","
                "\"kernelId\":null,\"pendingTime\":\"%s\",",
                b->view->id, b->view->type.name, time);
    text_printf(out,
                "\"privateIp\":\"%s\",\"ramdiskId\":null,\"region\":\"%s\","
                "\"version\":\"2017-09-30\"}",
                b->view->private_ip, b->region->name);
}

bool imds_dynamic(struct mock *mock, struct mock_region *region, int32_t instance,
                  struct jobq_str path, struct text *out)
{
    struct box b = box_of(mock, region, instance);
    if (!imds_tree_trim(&path))
        return false;
    if (path.len == 0)
        return put_str(out, "instance-identity/");
    if (str_is(path, "instance-identity"))
        return put_str(out, "document");
    if (!str_is(path, "instance-identity/document"))
        return false;
    put_document(&b, out);
    return true;
}
