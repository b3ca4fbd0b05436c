#include "cost/bill/bill.h"

#include "base/arena.h"
#include "base/text.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const COMPONENTS[BILL_COMPONENT_COUNT] = {
    "bandwidth_in", "bandwidth_out", "service_calls", "storage", "cpu", "boot", "idle"};

static const struct {
    const char *service;
    unsigned bit;
} FREE[] = {{"sqs", BILL_FREE_SQS},
            {"simpledb", BILL_FREE_SIMPLEDB},
            {"transfer", BILL_FREE_TRANSFER},
            {"dynamodb", BILL_FREE_DYNAMODB},
            {"lambda", BILL_FREE_LAMBDA}};

const char *bill_component_name(enum bill_component component)
{
    assert(component >= 0 && component < BILL_COMPONENT_COUNT);
    return COMPONENTS[component];
}

int bill_free_parse(const char *text, unsigned *out, struct jobq_error *err)
{
    assert(text && out && err);
    unsigned mask = 0;
    if (strcmp(text, "none") == 0 || strcmp(text, "all") == 0) {
        *out = text[0] == 'a' ? BILL_FREE_ALL : 0;
        return JOBQ_OK;
    }
    for (const char *p = text;; p++) {
        size_t len = strcspn(p, ","), i = 0, count = sizeof FREE / sizeof *FREE;
        while (i < count &&
               (strlen(FREE[i].service) != len || memcmp(FREE[i].service, p, len) != 0))
            i++;
        if (i == count) {
            char shown[60];
            text_escape(p, (int64_t)len, shown, sizeof shown);
            return jobq_fail(
                err, JOBQ_INVALID,
                "unknown free tier '%s': none, all, or some of sqs, simpledb, "
                "transfer, dynamodb, lambda",
                shown);
        }
        mask |= FREE[i].bit;
        p += len;
        if (!*p)
            break;
    }
    *out = mask;
    return JOBQ_OK;
}

char *bill_usd_text(double usd, char *out, int cap)
{
    double size = fabs(usd);
    const char *sign = usd < 0 ? "-" : "";
    if (size < 5e-10 || size >= 0.9995) {
        snprintf(out, (size_t)cap, "%s$%.2f", sign, size);
        return out;
    }
    /* People read "$0.00001224", not an exponent. */
    int decimals = 3 - (int)floor(log10(size));
    snprintf(out, (size_t)cap, "%s$%.*f", sign, decimals > 12 ? 12 : decimals, size);
    return out;
}

const char *bill_service_name(enum bill_service service)
{
    static const char *const names[BILL_SERVICE_COUNT] = {
#define BILL_SERVICE_NAME(id, name) name,
        BILL_SERVICES(BILL_SERVICE_NAME)
#undef BILL_SERVICE_NAME
    };
    assert(service >= 0 && service < BILL_SERVICE_COUNT);
    return names[service];
}

void bill_by_service(const struct bill *bill, double usd[BILL_SERVICE_COUNT])
{
    static const struct {
        const char *name;
        enum bill_service service;
    } of[] = {{"sqs", BILL_BY_SQS},           {"simpledb", BILL_BY_SIMPLEDB},
              {"dynamodb", BILL_BY_DYNAMODB}, {"ec2", BILL_BY_EC2},
              {"ec2-spot", BILL_BY_EC2},      {"ebs", BILL_BY_EC2},
              {"ipv4", BILL_BY_EC2},          {"transfer", BILL_BY_TRANSFER}};
    for (int i = 0; i < BILL_SERVICE_COUNT; i++)
        usd[i] = 0;
    for (int i = 0; i < bill->count; i++) {
        enum bill_service service = BILL_BY_OTHER;
        for (size_t k = 0; k < sizeof of / sizeof *of; k++)
            if (strcmp(of[k].name, bill->item[i].service) == 0)
                service = of[k].service;
        usd[service] += bill->item[i].usd;
    }
}

void bill_init(struct bill *bill)
{
    memset(bill, 0, sizeof *bill);
}

void bill_release(struct bill *bill)
{
    free(bill->item);
    memset(bill, 0, sizeof *bill);
}

/* ---- a bill in the making --------------------------------------------------------- */

struct draft {
    struct bill *bill;
    int first; /* this call's items start here */
    const struct sheet *sheet;
    const struct bill_options *options;
    double months;
    struct jobq_error *err;
    int code; /* the first failure; nothing is added after it */
};

static struct draft draft_begin(struct bill *bill, const struct sheet *sheet,
                                const struct bill_options *options,
                                struct jobq_error *err)
{
    return (struct draft){.bill = bill,
                          .first = bill->count,
                          .sheet = sheet,
                          .options = options,
                          .months = options->months > 0 ? options->months : 1,
                          .err = err};
}

/* Adds an item; its dollars are computed once all items of its price are known. A
 * quantity of 0 needs no price. */
static void draft_add(struct draft *d, const char *service, const char *item,
                      const char *what, enum bill_component component, double quantity)
{
    if (d->code || !(quantity > 0))
        return;
    struct sheet_price price;
    d->code = sheet_find(d->sheet, service, item, &price, d->err);
    if (d->code)
        return;
    struct bill *bill = d->bill;
    if (bill->count == bill->cap) {
        bill->cap = bill->cap ? 2 * bill->cap : 16;
        bill->item = xrealloc(bill->item, (size_t)bill->cap * sizeof *bill->item);
    }
    const struct sheet_row *row = price.tier;
    struct bill_item *mine = &bill->item[bill->count++];
    *mine = (struct bill_item){.service = row->service,
                               .item = row->item,
                               .component = component,
                               .quantity = quantity,
                               .unit = row->unit,
                               .usd_per_unit = row->usd,
                               .source = row->source,
                               .date = row->date,
                               .confidence = row->confidence,
                               .assumed = price.assumed,
                               .region = price.region};
    text_escape(what, (int64_t)strlen(what), mine->what, sizeof mine->what);
}

static bool is_free(const struct draft *d, const char *service)
{
    for (size_t i = 0; i < sizeof FREE / sizeof *FREE; i++)
        if (strcmp(FREE[i].service, service) == 0)
            return d->options->free & FREE[i].bit;
    return false;
}

static bool same_price(const struct bill_item *a, const struct bill_item *b)
{
    return strcmp(a->service, b->service) == 0 && strcmp(a->item, b->item) == 0;
}

/* Tiers and free amounts apply to the sum of all items of a price; each item then gets
 * its share. */
static void price_like(struct draft *d, int first)
{
    struct bill *bill = d->bill;
    const struct bill_item *lead = &bill->item[first];
    struct sheet_price price;
    double quantity = 0;
    for (int i = first; i < bill->count; i++)
        if (same_price(&bill->item[i], lead))
            quantity += bill->item[i].quantity;
    d->code = sheet_find(d->sheet, lead->service, lead->item, &price, d->err);
    if (d->code)
        return;
    if (quantity > sheet_reach(&price) * d->months) {
        d->code = jobq_fail(d->err, JOBQ_NOT_FOUND,
                            "no price for '%s.%s' above %.0f %s a month in %s at %s",
                            lead->service, lead->item, sheet_reach(&price),
                            sheet_unit_name(lead->unit), price.region, price.date);
        return;
    }
    double free_units = is_free(d, lead->service)
                            ? sheet_free_units(d->sheet, lead->service, lead->item)
                            : 0;
    double usd = sheet_cost(&price, quantity, free_units, d->months);
    for (int i = first; i < bill->count; i++)
        if (same_price(&bill->item[i], lead))
            bill->item[i].usd = usd * (bill->item[i].quantity / quantity);
}

static int draft_end(struct draft *d)
{
    struct bill *bill = d->bill;
    for (int i = d->first; i < bill->count && !d->code; i++) {
        bool seen = false;
        for (int j = d->first; j < i && !seen; j++)
            seen = same_price(&bill->item[j], &bill->item[i]);
        if (!seen)
            price_like(d, i);
    }
    if (d->code) {
        bill->count = d->first;
        return d->code;
    }
    for (int i = d->first; i < bill->count; i++) {
        bill->component_usd[bill->item[i].component] += bill->item[i].usd;
        bill->usd += bill->item[i].usd;
    }
    return JOBQ_OK;
}

/* ---- SQS -------------------------------------------------------------------------- */

/* The chunks of a request after its first. */
static double further_chunks(const int64_t *kib, int64_t grain_bytes)
{
    double further = 0;
    int64_t grain_kib = grain_bytes / 1024;
    for (int64_t i = grain_kib + 1; i < JOBQ_PAYLOAD_BUCKETS; i++)
        if (kib[i])
            further += (double)kib[i] * (double)((i + grain_kib - 1) / grain_kib - 1);
    return further;
}

static void bill_add_sqs(struct draft *d, const struct jobq_ledger *ledger)
{
    const char *kind = d->options->queue_kind ? d->options->queue_kind : "standard";
    bool fair = strcmp(kind, "fair") == 0;
    const char *item = fair ? "standard" : kind;
    double total = 0;
    for (int i = 0; i < JOBQ_ACTION_COUNT; i++) {
        const struct jobq_usage *a = &ledger->action[i];
        if (jobq_action_service((enum jobq_action)i) != JOBQ_SQS)
            continue;
        double empty = (double)a->empty, billed = (double)(a->requests - a->throttled);
        draft_add(d, "sqs", item, jobq_action_name((enum jobq_action)i),
                  BILL_SERVICE_CALLS, billed - empty);
        draft_add(d, "sqs", item, "ReceiveMessage, empty", BILL_SERVICE_CALLS, empty);
        total += billed;
    }
    if (d->code || !(total > 0))
        return;
    struct sheet_price price;
    d->code = sheet_find(d->sheet, "sqs", item, &price, d->err);
    if (d->code)
        return;
    if (price.tier->grain) {
        double send = further_chunks(ledger->send_kib, price.tier->grain);
        double receive = further_chunks(ledger->receive_kib, price.tier->grain);
        draft_add(d, "sqs", item, "send, further chunks", BILL_SERVICE_CALLS, send);
        draft_add(d, "sqs", item, "receive, further chunks", BILL_SERVICE_CALLS, receive);
        total += send + receive;
    }
    if (fair)
        draft_add(d, "sqs", "fair", "fair queue surcharge", BILL_SERVICE_CALLS, total);
}

/* ---- stores ----------------------------------------------------------------------- */

static void add_stores(struct draft *d, const struct jobq_ledger *ledger)
{
    for (int i = 0; i < JOBQ_ACTION_COUNT; i++)
        if (jobq_action_service((enum jobq_action)i) == JOBQ_SIMPLEDB)
            draft_add(d, "simpledb", "box", jobq_action_name((enum jobq_action)i),
                      BILL_SERVICE_CALLS,
                      (double)ledger->action[i].box_usage_e10h * 1e-10);
    draft_add(d, "dynamodb", "write", "write units", BILL_SERVICE_CALLS,
              ledger->write_units);
    draft_add(d, "dynamodb", "read", "read units", BILL_SERVICE_CALLS,
              ledger->read_units);
    double month = 1073741824.0 * SHEET_HOURS_PER_MONTH;
    draft_add(d, "simpledb", "storage", "rows kept", BILL_STORAGE,
              ledger->store_byte_hours / month);
    draft_add(d, "dynamodb", "storage", "items kept", BILL_STORAGE,
              ledger->table_byte_hours / month);
}

/* ---- instances -------------------------------------------------------------------- */

struct span {
    double busy, boot, idle, rounding; /* seconds */
    double surplus; /* vCPU seconds above a burstable type's baseline */
};

/* What an instance used above its type's baseline, which its credits pay for. A t2 has no
 * unlimited credits by default: it is throttled instead. */
static double surplus_of(const struct jobq_instance_use *use, double whole)
{
    double baseline = sheet_instance_baseline(use->type);
    int vcpus = sheet_instance_vcpus(use->type);
    if (baseline >= 1 || strncmp(use->type, "t2.", 3) == 0)
        return 0;
    double cpu = (double)use->cpu_ns / 1e9;
    double above = cpu - baseline * (vcpus > 0 ? vcpus : 1) * whole;
    return above > 1e-12 * cpu ? above : 0;
}

/* One instance's billed time, split by what it was used for. */
static struct span span_of(const struct jobq_instance_use *use,
                           const struct sheet_row *row, bool exact)
{
    struct span span = {0};
    double whole = (double)(use->ended_at_ns - use->running_at_ns) / 1e9;
    if (use->ended_at_ns <= use->running_at_ns)
        return span; /* it never ran */
    double billed = exact ? whole : sheet_billed_seconds(row, whole);
    if (use->ended_by == JOBQ_ENDED_BY_AWS && use->spot) {
        if (row->grain >= 3600 && !exact)
            billed = floor(whole / (double)row->grain) * (double)row->grain;
        else if (row->grain < 3600 && whole < 3600)
            return span;
    }
    span.surplus = surplus_of(use, whole);
    if (use->ready_at_ns >= use->running_at_ns)
        span.boot = (double)(use->ready_at_ns - use->running_at_ns) / 1e9;
    else
        span.boot = whole; /* it was never ready */
    span.boot = fmin(span.boot, whole);
    double slots = use->slots > 0 ? (double)use->slots : 1;
    span.busy = fmin((double)use->busy_slot_ns / 1e9 / slots, whole - span.boot);
    span.idle = whole - span.boot - span.busy;
    if (billed < whole) { /* if an hour is waived, the rest is split in the same
                           * proportion */
        double share = billed / whole;
        return (struct span){span.busy * share, span.boot * share, span.idle * share, 0,
                             span.surplus};
    }
    span.rounding = billed - whole;
    return span;
}

static bool same_kind(const struct jobq_instance_use *a,
                      const struct jobq_instance_use *b)
{
    return !a->spot == !b->spot && strcmp(a->type, b->type) == 0;
}

static void add_kind(struct draft *d, const struct jobq_ledger *ledger, int64_t first)
{
    const struct jobq_instance_use *lead = &ledger->instance[first];
    const char *service = lead->spot ? "ec2-spot" : "ec2";
    struct sheet_price price;
    d->code = sheet_find(d->sheet, service, lead->type, &price, d->err);
    if (d->code)
        return;
    struct span sum = {0};
    for (int64_t i = first; i < ledger->instance_count; i++) {
        if (!same_kind(&ledger->instance[i], lead))
            continue;
        struct span span =
            span_of(&ledger->instance[i], price.tier, d->options->exact_time);
        sum.busy += span.busy;
        sum.boot += span.boot;
        sum.idle += span.idle;
        sum.rounding += span.rounding;
        sum.surplus += span.surplus;
    }
    struct text what = {0};
    const struct {
        const char *name;
        double seconds;
        enum bill_component component;
    } part[] = {{"busy", sum.busy, BILL_CPU},
                {"boot", sum.boot, BILL_BOOT},
                {"idle", sum.idle, BILL_IDLE},
                {"rounding", sum.rounding, BILL_IDLE}};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        text_clear(&what);
        text_printf(&what, "%s%s, %s", lead->type, lead->spot ? " spot" : "",
                    part[i].name);
        draft_add(d, service, lead->type, what.ptr, part[i].component,
                  part[i].seconds / 3600);
    }
    char item[40], shown[48];
    int family = (int)strcspn(lead->type, ".");
    snprintf(item, sizeof item, "surplus.%.*s", family, lead->type);
    snprintf(shown, sizeof shown, "%.*s, CPU credits", family, lead->type);
    draft_add(d, "ec2", item, shown, BILL_CPU, sum.surplus / 3600);
    text_release(&what);
}

static void bill_add_instances(struct draft *d, const struct jobq_ledger *ledger)
{
    for (int64_t i = 0; i < ledger->instance_count && !d->code; i++) {
        bool seen = false;
        for (int64_t j = 0; j < i && !seen; j++)
            seen = same_kind(&ledger->instance[j], &ledger->instance[i]);
        if (!seen)
            add_kind(d, ledger, i);
    }
    const char *volume = d->options->volume;
    if (!volume)
        volume =
            sheet_has(d->sheet, "ebs", "gp3") || !sheet_has(d->sheet, "ebs", "standard")
                ? "gp3"
                : "standard";
    draft_add(d, "ebs", volume, "root volumes", BILL_STORAGE,
              ledger->volume_gib_hours / SHEET_HOURS_PER_MONTH);
    draft_add(d, "ipv4", "public", "public addresses", BILL_CPU, ledger->ipv4_hours);
}

int bill_ledger(struct bill *bill, const struct jobq_ledger *ledger,
                const struct sheet *sheet, const struct bill_options *options,
                struct jobq_error *err)
{
    assert(bill && ledger && sheet && options && err);
    struct draft d = draft_begin(bill, sheet, options, err);
    draft_add(&d, "transfer", "in", "from the internet", BILL_BANDWIDTH_IN,
              (double)ledger->internet_in_bytes / 1e9);
    draft_add(&d, "transfer", "out", "to the internet", BILL_BANDWIDTH_OUT,
              (double)ledger->internet_out_bytes / 1e9);
    bill_add_sqs(&d, ledger);
    add_stores(&d, ledger);
    bill_add_instances(&d, ledger);
    return draft_end(&d);
}

/* ---- bare quantities -------------------------------------------------------------- */

static enum bill_component component_of(const char *service, const char *item)
{
    if (strcmp(service, "transfer") == 0)
        return strcmp(item, "in") == 0 ? BILL_BANDWIDTH_IN : BILL_BANDWIDTH_OUT;
    if (strcmp(item, "storage") == 0 || strcmp(service, "ebs") == 0)
        return BILL_STORAGE;
    if (strncmp(service, "ec2", 3) == 0 || strcmp(service, "fargate") == 0 ||
        strncmp(item, "gb-second", 9) == 0 || strcmp(service, "ipv4") == 0)
        return BILL_CPU;
    return BILL_SERVICE_CALLS;
}

int bill_quantity(struct bill *bill, const char *what, double quantity,
                  const struct sheet *sheet, const struct bill_options *options,
                  struct jobq_error *err)
{
    assert(bill && what && sheet && options && err && isfinite(quantity) &&
           quantity >= 0);
    char service[48];
    const char *dot = strchr(what, '.');
    size_t len = dot ? (size_t)(dot - what) : 0;
    if (!dot || len == 0 || len >= sizeof service || !dot[1]) {
        char shown[60];
        text_escape(what, (int64_t)strlen(what), shown, sizeof shown);
        return jobq_fail(err, JOBQ_INVALID, "malformed price name '%s' (SERVICE.ITEM)",
                         shown);
    }
    memcpy(service, what, len);
    service[len] = '\0';
    struct sheet_price price;
    int code = sheet_find(sheet, service, dot + 1, &price, err);
    if (code)
        return code;
    if (price.tier->unit == SHEET_HOUR && !options->exact_time)
        quantity = /* rounded to the nanosecond, so that a third of an hour is 1,200 s
                    * exactly */
            sheet_billed_seconds(price.tier, round(quantity * 3.6e12) / 1e9) / 3600;
    struct draft d = draft_begin(bill, sheet, options, err);
    draft_add(&d, service, dot + 1, what, component_of(service, dot + 1), quantity);
    return draft_end(&d);
}

double bill_box_hour(const struct sheet *sheet, const char *type, bool spot)
{
    const struct bill_options how = {.exact_time = true};
    struct bill bill;
    struct jobq_error err;
    char what[48];
    snprintf(what, sizeof what, "%s.%s", spot ? "ec2-spot" : "ec2", type);
    bill_init(&bill);
    double usd = bill_quantity(&bill, what, 1, sheet, &how, &err) == JOBQ_OK
                     ? bill.usd
                     : (double)NAN;
    bill_release(&bill);
    return usd;
}
