/* places.c - regions, zones, the default VPC and its subnets, images: what there is to launch
 * on, which is the same in each region.
 *
 * Room:     sim/mock.
 * Callers:  the table of sim/mock/ec2/actions.h.
 * Knows nothing of: boxes.
 *
 * The default VPC is as AWS makes it (Amazon VPC user guide, default VPCs): 172.31.0.0/16, a
 * /20 subnet a zone. Any well-formed image id can be launched; DescribeImages knows two
 * Amazon Linux images by name and says of any other id that is asked for that it is there. */
#include "sim/mock/ec2/actions.h"
#include "sim/mock/ec2/launch.h"

#include <stdio.h>
#include <string.h>

/* One row of a list: what filters look at, and what is written. */
struct row {
    const char *key[8], *value[8];
};

static struct jobq_str row_text(void *ctx, struct jobq_str filter)
{
    const struct row *row = ctx;
    for (int i = 0; i < 8 && row->key[i]; i++)
        if (str_is(filter, row->key[i]))
            return str_of(row->value[i]);
    return (struct jobq_str){NULL, 0};
}

static bool places_is_asked(struct call *call, const char *list, const char *name)
{
    const struct tree *asked = call_list(call, call->params, list);
    if (!asked || asked->count == 0)
        return true;
    for (const struct tree *one = asked->first; one; one = one->next)
        if (str_is(one->text, name))
            return true;
    return false;
}

/* False: an id that is asked for is none of those that were found. */
static bool all_found(struct call *call, const char *list, int found)
{
    const struct tree *asked = call_list(call, call->params, list);
    return !asked || asked->count <= found;
}

/* Starts <item> of a row that is asked for and passes the filters. -1: refused. */
static int open_item(struct call *call, const char *list, const char *name,
                     struct row *row)
{
    bool passes;
    if (!places_is_asked(call, list, name))
        return 0;
    if (!mock_ec2_passes(call, row_text, row, &passes))
        return -1;
    if (passes)
        text_puts(call->out.out, "<item>");
    return passes;
}

/* The regions that accounts have without opting in. */
enum call_end mock_ec2_describe_regions(struct call *call)
{
    static const char *const regions[] = {
        "ap-south-1",     "eu-north-1",     "eu-west-3",      "eu-west-2",    "eu-west-1",
        "ap-northeast-3", "ap-northeast-2", "ap-northeast-1", "ca-central-1", "sa-east-1",
        "ap-southeast-1", "ap-southeast-2", "eu-central-1",   "us-east-1",    "us-east-2",
        "us-west-1",      "us-west-2"};
    enum { COUNT = sizeof regions / sizeof regions[0] };
    struct text *out = call->out.out;
    int found = 0;
    text_puts(out, "<regionInfo>");
    for (int i = 0; i < COUNT; i++) {
        char endpoint[80];
        snprintf(endpoint, sizeof endpoint, "ec2.%s.amazonaws.com", regions[i]);
        struct row row = {{"region-name", "endpoint", "opt-in-status"},
                          {regions[i], endpoint, "opt-in-not-required"}};
        found += places_is_asked(call, "RegionName", regions[i]);
        int opened = open_item(call, "RegionName", regions[i], &row);
        if (opened < 0)
            return CALL_FAILED;
        if (!opened)
            continue;
        emit_xml(out, "regionName", str_of(regions[i]));
        emit_xml(out, "regionEndpoint", str_of(endpoint));
        text_puts(out, "<optInStatus>opt-in-not-required</optInStatus></item>");
    }
    text_puts(out, "</regionInfo>");
    return all_found(call, "RegionName", found)
               ? CALL_DONE
               : mock_fail(call, 400, "InvalidParameterValue", NULL,
                           "Invalid region provided.");
}

enum call_end mock_ec2_describe_zones(struct call *call)
{
    struct text *out = call->out.out;
    int found = 0;
    text_puts(out, "<availabilityZoneInfo>");
    for (char z = 'a'; z < 'a' + LAUNCH_ZONES; z++) {
        const char *region = call->region->name;
        char name[40], id[40];
        snprintf(name, sizeof name, "%s%c", region, z);
        snprintf(id, sizeof id, "%s-az%d", region, z - 'a' + 1);
        struct row row = {{"zone-name", "zone-id", "state", "region-name", "zone-type",
                           "group-name", "opt-in-status"},
                          {name, id, "available", region, "availability-zone", region,
                           "opt-in-not-required"}};
        bool asked = places_is_asked(call, "ZoneName", name) &&
                     places_is_asked(call, "ZoneId", id);
        found += asked;
        int opened = asked ? open_item(call, "ZoneName", name, &row) : 0;
        if (opened < 0)
            return CALL_FAILED;
        if (!opened)
            continue;
        emit_xml(out, "zoneName", str_of(name));
        text_printf(out,
                    "<zoneState>available</zoneState><regionName>%s</regionName>"
                    "<messageSet/><zoneId>%s</zoneId><groupName>%s</groupName>"
                    "<networkBorderGroup>%s</networkBorderGroup>"
                    "<optInStatus>opt-in-not-required</optInStatus>"
                    "<zoneType>availability-zone</zoneType></item>",
                    region, id, region, region);
    }
    text_puts(out, "</availabilityZoneInfo>");
    return all_found(call, "ZoneName", found)
               ? CALL_DONE
               : mock_fail(call, 400, "InvalidParameterValue", NULL,
                           "Invalid availability zone.");
}

enum call_end mock_ec2_describe_vpcs(struct call *call)
{
    struct text *out = call->out.out;
    char id[LAUNCH_ID];
    launch_vpc(call->mock, call->region, id);
    const char *account = call->mock->options->account;
    struct row row = {{"vpc-id", "state", "is-default", "isDefault", "cidr", "owner-id"},
                      {id, "available", "true", "true", "172.31.0.0/16", account}};
    text_puts(out, "<vpcSet>");
    int opened = open_item(call, "VpcId", id, &row);
    if (opened < 0)
        return CALL_FAILED;
    if (opened)
        text_printf(out,
                    "<vpcId>%s</vpcId><ownerId>%s</ownerId><state>available</state>"
                    "<cidrBlock>172.31.0.0/16</cidrBlock><dhcpOptionsId>default"
                    "</dhcpOptionsId><instanceTenancy>default</instanceTenancy>"
                    "<isDefault>true</isDefault></item>",
                    id, account);
    text_puts(out, "</vpcSet>");
    return all_found(call, "VpcId", places_is_asked(call, "VpcId", id))
               ? CALL_DONE
               : mock_fail(call, 400, "InvalidVpcID.NotFound", NULL,
                           "The vpc ID does not exist");
}

enum call_end mock_ec2_describe_subnets(struct call *call)
{
    struct text *out = call->out.out;
    char vpc[LAUNCH_ID];
    int found = 0;
    launch_vpc(call->mock, call->region, vpc);
    text_puts(out, "<subnetSet>");
    for (char z = 'a'; z < 'a' + LAUNCH_ZONES; z++) {
        char id[LAUNCH_ID], zone[40], cidr[32];
        launch_subnet(call->mock, call->region, z, id);
        snprintf(zone, sizeof zone, "%s%c", call->region->name, z);
        snprintf(cidr, sizeof cidr, "172.31.%d.0/20", 16 * (z - 'a'));
        struct row row = {{"subnet-id", "vpc-id", "availability-zone", "availabilityZone",
                           "default-for-az", "defaultForAz", "state", "cidr-block"},
                          {id, vpc, zone, zone, "true", "true", "available", cidr}};
        found += places_is_asked(call, "SubnetId", id);
        int opened = open_item(call, "SubnetId", id, &row);
        if (opened < 0)
            return CALL_FAILED;
        if (opened)
            text_printf(out,
                        "<subnetId>%s</subnetId><state>available</state>"
                        "<ownerId>%s</ownerId><vpcId>%s</vpcId><cidrBlock>%s</cidrBlock>"
                        "<availableIpAddressCount>4091</availableIpAddressCount>"
                        "<availabilityZone>%s</availabilityZone>"
                        "<defaultForAz>true</defaultForAz>"
                        "<mapPublicIpOnLaunch>true</mapPublicIpOnLaunch></item>",
                        id, call->mock->options->account, vpc, cidr, zone);
    }
    text_puts(out, "</subnetSet>");
    return all_found(call, "SubnetId", found)
               ? CALL_DONE
               : mock_fail(call, 400, "InvalidSubnetID.NotFound", NULL,
                           "The subnet ID does not exist");
}

/* ---- images ---------------------------------------------------------------------------- */

static int places_put_image(struct call *call, const char *id, const char *arch)
{
    struct text *out = call->out.out;
    char name[80];
    snprintf(name, sizeof name, "al2023-ami-2023.6.20241121.0-kernel-6.1-%s", arch);
    struct row row = {{"image-id", "name", "architecture", "state", "virtualization-type",
                       "root-device-type", "owner-alias", "is-public"},
                      {id, name, arch, "available", "hvm", "ebs", "amazon", "true"}};
    int opened = open_item(call, "ImageId", id, &row);
    if (opened > 0)
        text_printf(
            out,
            "<imageId>%s</imageId><imageLocation>amazon/%s</imageLocation>"
            "<imageState>available</imageState><imageOwnerId>137112412989</imageOwnerId>"
            "<creationDate>2024-11-22T00:00:00.000Z</creationDate>"
            "<isPublic>true</isPublic><architecture>%s</architecture>"
            "<imageType>machine</imageType><imageOwnerAlias>amazon</imageOwnerAlias>"
            "<name>%s</name><rootDeviceType>ebs</rootDeviceType>"
            "<rootDeviceName>/dev/xvda</rootDeviceName><blockDeviceMapping><item>"
            "<deviceName>/dev/xvda</deviceName><ebs><volumeSize>8</volumeSize>"
            "<deleteOnTermination>true</deleteOnTermination><volumeType>gp3</volumeType>"
            "<encrypted>false</encrypted></ebs></item></blockDeviceMapping>"
            "<virtualizationType>hvm</virtualizationType><hypervisor>xen</hypervisor>"
            "<enaSupport>true</enaSupport></item>",
            id, name, arch, name);
    return opened;
}

enum call_end mock_ec2_describe_images(struct call *call)
{
    const struct tree *ids = call_list(call, call->params, "ImageId");
    char x86[LAUNCH_ID], arm[LAUNCH_ID];
    launch_id(call->mock, "ami-", "x86_64", x86);
    launch_id(call->mock, "ami-", "arm64", arm);
    text_puts(call->out.out, "<imagesSet>");
    if (places_put_image(call, x86, "x86_64") < 0 ||
        places_put_image(call, arm, "arm64") < 0)
        return CALL_FAILED;
    for (const struct tree *one = ids ? ids->first : NULL; one; one = one->next) {
        if (str_is(one->text, x86) || str_is(one->text, arm))
            continue;
        if (one->text.len < 5 || one->text.len >= LAUNCH_ID ||
            memcmp(one->text.ptr, "ami-", 4) != 0)
            return mock_fail(call, 400, "InvalidAMIID.Malformed", NULL,
                             "Invalid id: \"%s\" (expecting \"ami-...\")",
                             mock_quote(call, one->text));
        if (places_put_image(call, mock_quote(call, one->text), "x86_64") < 0)
            return CALL_FAILED;
    }
    text_puts(call->out.out, "</imagesSet>");
    return CALL_DONE;
}
