/* types.c - DescribeSpotPriceHistory and DescribeInstanceTypes.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/ec2/actions.c's table.
 * Knows nothing of: boxes.
 *
 * Both go through the model's table of types: for each, the filters ask texts of it by name. */
#include "sim/mock/ec2/actions.h"

#include <stdio.h>
#include <string.h>

enum { TYPES_PAGE_MAX = 100, PRICES_PAGE_MAX = 1000 };

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
                  "The following supplied instance types do not exist: [%s]",
                  mock_quote(call, one->text));
        return false;
    }
    return true;
}

/* ---- filters ------------------------------------------------------------------------- */

/* The text of a type that a filter of this name asks for; false: no filter of that name. */
typedef bool text_fn(const struct call *call, const struct ec2_type *type,
                     struct jobq_str filter, char out[40]);

static bool filters_ok(struct call *call, const struct ec2_filter *filter, int count,
                       text_fn *text)
{
    char scratch[40];
    for (int i = 0; i < count; i++) {
        if (text(call, ec2_type_at(0), filter[i].name, scratch))
            continue;
        mock_fail(call, 400, "InvalidParameterValue", NULL, "The filter '%s' is invalid",
                  mock_quote(call, filter[i].name));
        return false;
    }
    return true;
}

static bool passes(const struct call *call, const struct ec2_type *type,
                   const struct ec2_filter *filter, int count, text_fn *text)
{
    char value[40];
    for (int i = 0; i < count; i++) {
        bool any = false;
        text(call, type, filter[i].name, value);
        for (int32_t v = 0; v < filter[i].value_count && !any; v++)
            any = ec2_wild(filter[i].value[v], str_of(value));
        if (!any)
            return false;
    }
    return true;
}

/* MaxResults within [5, most] and NextToken, a row's number. */
static bool types_read_page(struct call *call, int64_t least, int64_t most,
                            int64_t *limit, int64_t *from)
{
    struct jobq_str max = call_text(call, "MaxResults");
    struct jobq_str token = call_text(call, "NextToken");
    *limit = most;
    *from = 0;
    if (max.ptr && (!str_to_int(max, limit) || *limit < least || *limit > most)) {
        mock_fail(call, 400, "InvalidParameterValue", NULL,
                  "Value ( %s ) for parameter maxResults is invalid. Expecting a value "
                  "between %d and %d.",
                  mock_quote(call, max), (int)least, (int)most);
        return false;
    }
    if (token.len > 0 && (!str_to_int(token, from) || *from < 0)) {
        mock_fail(call, 400, "InvalidNextToken", NULL, "The token '%s' is invalid",
                  mock_quote(call, token));
        return false;
    }
    return true;
}

/* ---- prices -------------------------------------------------------------------------- */

static void write_price(const struct call *call, const struct ec2_type *type, char *out)
{
    int64_t micro = (int64_t)(ec2_spot_price(call->region->ec2, type) * 1e6 + 0.5);
    snprintf(out, 40, "%d.%06d", (int)(micro / 1000000), (int)(micro % 1000000));
}

static bool price_text(const struct call *call, const struct ec2_type *type,
                       struct jobq_str filter, char out[40])
{
    if (str_is(filter, "instance-type"))
        snprintf(out, 40, "%s", type->name);
    else if (str_is(filter, "product-description"))
        strcpy(out, "Linux/UNIX");
    else if (str_is(filter, "availability-zone"))
        snprintf(out, 40, "%sa", call->region->name);
    else if (str_is(filter, "spot-price"))
        write_price(call, type, out);
    else
        return false;
    return true;
}

static void put_price(const struct call *call, struct text *out,
                      const struct ec2_type *type)
{
    char time[32], price[40];
    text_puts(out, "<item>");
    emit_xml(out, "instanceType", str_of(type->name));
    text_puts(out, "<productDescription>Linux/UNIX</productDescription>");
    write_price(call, type, price);
    emit_xml(out, "spotPrice", str_of(price));
    emit_xml(out, "timestamp", str_of(mock_ec2_time(call->now_ns, time)));
    text_puts(out, "<availabilityZone>");
    text_puts(out, call->region->name);
    text_puts(out, "a</availabilityZone></item>");
}

/* The price does not move, so one line a type is its history, whatever StartTime. */
enum call_end mock_ec2_describe_prices(struct call *call)
{
    struct text *out = call->out.out;
    const struct tree *types = call_list(call, call->params, "InstanceType");
    const struct tree *products = call_list(call, call->params, "ProductDescription");
    struct jobq_str zone = call_text(call, "AvailabilityZone");
    const struct ec2_filter *filter = NULL;
    char here[40];
    int64_t limit, from;
    int filters = mock_ec2_filters(call, &filter), shown = 0;
    if (!types_ok(call, types) || !filters_ok(call, filter, filters, price_text) ||
        !types_read_page(call, 1, PRICES_PAGE_MAX, &limit, &from))
        return CALL_FAILED;
    snprintf(here, sizeof here, "%sa", call->region->name);
    bool any =
        (listed(products, "Linux/UNIX") || listed(products, "Linux/UNIX (Amazon VPC)")) &&
        (zone.len == 0 || str_is(zone, here));
    int i = (int)(from < ec2_type_count() ? from : ec2_type_count());
    text_puts(out, "<spotPriceHistorySet>");
    for (; any && i < ec2_type_count() && shown < limit; i++) {
        const struct ec2_type *type = ec2_type_at(i);
        if (ec2_spot_price(call->region->ec2, type) <= 0 || !listed(types, type->name) ||
            !passes(call, type, filter, filters, price_text))
            continue;
        put_price(call, out, type);
        shown++;
    }
    text_puts(out, "</spotPriceHistorySet>");
    if (any && i < ec2_type_count())
        text_printf(out, "<nextToken>%d</nextToken>", i);
    else
        text_puts(out, "<nextToken/>");
    return CALL_DONE;
}

/* ---- types --------------------------------------------------------------------------- */

static int threads_of(const struct ec2_type *type)
{
    return strcmp(type->arch, "x86_64") == 0 && type->vcpus > 1 ? 2 : 1;
}

static bool type_text(const struct call *call, const struct ec2_type *type,
                      struct jobq_str filter, char out[40])
{
    (void)call;
    if (str_is(filter, "instance-type"))
        snprintf(out, 40, "%s", type->name);
    else if (str_is(filter, "current-generation"))
        strcpy(out, type->current ? "true" : "false");
    else if (str_is(filter, "processor-info.supported-architecture"))
        snprintf(out, 40, "%s", type->arch);
    else if (str_is(filter, "vcpu-info.default-vcpus"))
        snprintf(out, 40, "%d", (int)type->vcpus);
    else if (str_is(filter, "vcpu-info.default-cores"))
        snprintf(out, 40, "%d", (int)type->vcpus / threads_of(type));
    else if (str_is(filter, "memory-info.size-in-mib"))
        snprintf(out, 40, "%lld", (long long)type->memory_mib);
    else if (str_is(filter, "burstable-performance-supported"))
        strcpy(out, type->burstable ? "true" : "false");
    else if (str_is(filter, "bare-metal"))
        strcpy(out, "false");
    else if (str_is(filter, "hypervisor"))
        strcpy(out, type->current ? "nitro" : "xen");
    else if (str_is(filter, "supported-virtualization-type"))
        strcpy(out, "hvm");
    else if (str_is(filter, "supported-root-device-type"))
        strcpy(out, "ebs");
    else
        return false;
    return true;
}

static void types_put_type(struct text *out, const struct ec2_type *type)
{
    int threads = threads_of(type);
    text_puts(out, "<item>");
    emit_xml(out, "instanceType", str_of(type->name));
    text_printf(out,
                "<currentGeneration>%s</currentGeneration>"
                "<freeTierEligible>%s</freeTierEligible>",
                type->current ? "true" : "false",
                strcmp(type->name, "t3.micro") == 0 ? "true" : "false");
    text_puts(out, "<supportedUsageClasses><item>on-demand</item><item>spot</item>"
                   "</supportedUsageClasses><supportedRootDeviceTypes><item>ebs</item>"
                   "</supportedRootDeviceTypes><supportedVirtualizationTypes>"
                   "<item>hvm</item></supportedVirtualizationTypes>"
                   "<bareMetal>false</bareMetal>");
    emit_xml(out, "hypervisor", type->current ? STR("nitro") : STR("xen"));
    text_puts(out, "<processorInfo><supportedArchitectures><item>");
    text_puts(out, type->arch);
    text_puts(out, "</item></supportedArchitectures></processorInfo>");
    text_printf(
        out,
        "<vCpuInfo><defaultVCpus>%d</defaultVCpus><defaultCores>%d</defaultCores>"
        "<defaultThreadsPerCore>%d</defaultThreadsPerCore></vCpuInfo><memoryInfo>"
        "<sizeInMiB>%lld</sizeInMiB></memoryInfo>"
        "<instanceStorageSupported>false</instanceStorageSupported>"
        "<burstablePerformanceSupported>%s</burstablePerformanceSupported></item>",
        (int)type->vcpus, (int)type->vcpus / threads, threads,
        (long long)type->memory_mib, type->burstable ? "true" : "false");
}

/* Types that the table lacks and the size rule knows (ec2_type_find) come behind it when
 * they are asked for by name. */
static void put_derived(struct text *out, const struct tree *types)
{
    for (const struct tree *one = types ? types->first : NULL; one; one = one->next) {
        struct ec2_type type;
        bool in_table = false;
        for (int i = 0; i < ec2_type_count() && !in_table; i++)
            in_table = str_is(one->text, ec2_type_at(i)->name);
        if (!in_table && ec2_type_find(one->text, &type))
            types_put_type(out, &type);
    }
}

enum call_end mock_ec2_describe_types(struct call *call)
{
    struct text *out = call->out.out;
    const struct tree *types = call_list(call, call->params, "InstanceType");
    const struct ec2_filter *filter = NULL;
    int64_t limit, from;
    int filters = mock_ec2_filters(call, &filter), shown = 0;
    if (!types_ok(call, types) || !filters_ok(call, filter, filters, type_text) ||
        !types_read_page(call, 5, TYPES_PAGE_MAX, &limit, &from))
        return CALL_FAILED;
    int i = (int)(from < ec2_type_count() ? from : ec2_type_count());
    text_puts(out, "<instanceTypeSet>");
    for (; i < ec2_type_count() && shown < limit; i++) {
        const struct ec2_type *type = ec2_type_at(i);
        if (!listed(types, type->name) || !passes(call, type, filter, filters, type_text))
            continue;
        types_put_type(out, type);
        shown++;
    }
    if (filters == 0)
        put_derived(out, types);
    text_puts(out, "</instanceTypeSet>");
    if (i < ec2_type_count())
        text_printf(out, "<nextToken>%d</nextToken>", i);
    return CALL_DONE;
}
