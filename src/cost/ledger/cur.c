#include "cost/ledger/cur.h"

#include "base/text.h"
#include "pricing/csv.h"
#include "pricing/sheet.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 512, COLUMNS = 6 };
enum column { LINE_TYPE, PRODUCT, USAGE_TYPE, OPERATION, AMOUNT, COST };
static const char *const COLUMN[COLUMNS] = {
    "lineItem/LineItemType", "lineItem/ProductCode", "lineItem/UsageType",
    "lineItem/Operation",    "lineItem/UsageAmount", "lineItem/UnblendedCost"};

bool cur_is(const char *text, size_t len)
{
    const char *end = memchr(text, '\n', len);
    size_t head = end ? (size_t)(end - text) : len;
    static const char want[] = "lineItem/UsageType";
    for (size_t i = 0; i + sizeof want - 1 <= head; i++)
        if (memcmp(text + i, want, sizeof want - 1) == 0)
            return true;
    return false;
}

/* "USE2-BoxUsage:c7g.large" -> "BoxUsage:c7g.large"; other regions than us-east-1 have such a
 * prefix. */
static const char *cur_without_region(const char *usage)
{
    const char *dash = strchr(usage, '-');
    for (const char *p = usage; dash && p < dash; p++)
        if (!isupper((unsigned char)*p) && !isdigit((unsigned char)*p))
            return usage;
    return dash ? dash + 1 : usage;
}

static int cur_action(enum jobq_service service, const char *operation)
{
    for (int i = 0; i < JOBQ_ACTION_COUNT; i++)
        if (jobq_action_service((enum jobq_action)i) == service &&
            strcmp(jobq_action_name((enum jobq_action)i), operation) == 0)
            return i;
    return -1;
}

static bool cur_starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static void cur_instance(struct jobq_ledger *ledger, const char *type, bool spot,
                         double hours)
{
    struct jobq_instance_use *use = jobq_ledger_instance(ledger);
    text_escape(type, (int64_t)strlen(type), use->type, sizeof use->type);
    use->spot = spot;
    use->ended_by = JOBQ_ENDED_BY_US;
    use->slots = 1;
    use->ended_at_ns = (int64_t)(hours * 3600e9);
    /* The report does not say what a box did: all its time is one line. */
    use->busy_slot_ns = use->ended_at_ns;
}

/* False: a ledger has no place for it. */
static bool cur_usage(struct jobq_ledger *ledger, const char *product, const char *usage,
                      const char *operation, double amount)
{
    const double month = 1073741824.0 * SHEET_HOURS_PER_MONTH;
    int action;
    usage = cur_without_region(usage);
    if ((strcmp(product, "AWSQueueService") == 0 || strcmp(product, "AmazonSQS") == 0) &&
        cur_starts(usage, "Requests")) {
        action = cur_action(JOBQ_SQS, operation);
        ledger->action[action < 0 ? JOBQ_ACT_SQS_GET_ATTRIBUTES : action].requests +=
            (int64_t)(amount + 0.5);
    } else if (strcmp(product, "AmazonSimpleDB") == 0 && cur_starts(usage, "BoxUsage")) {
        action = cur_action(JOBQ_SIMPLEDB, operation);
        ledger->action[action < 0 ? JOBQ_ACT_SDB_METADATA : action].box_usage_e10h +=
            (int64_t)(amount * 1e10 + 0.5);
    } else if (strcmp(product, "AmazonSimpleDB") == 0 &&
               cur_starts(usage, "TimedStorage")) {
        ledger->store_byte_hours += amount * month;
    } else if (cur_starts(usage, "BoxUsage:") || cur_starts(usage, "SpotUsage:")) {
        cur_instance(ledger, strchr(usage, ':') + 1, usage[0] == 'S', amount);
    } else if (cur_starts(usage, "EBS:VolumeUsage")) {
        ledger->volume_gib_hours += amount * SHEET_HOURS_PER_MONTH;
    } else if (cur_starts(usage, "PublicIPv4:")) {
        ledger->ipv4_hours += amount;
    } else if (cur_starts(usage, "DataTransfer-Out-Bytes")) {
        ledger->internet_out_bytes += (int64_t)(amount * 1e9 + 0.5);
    } else if (cur_starts(usage, "DataTransfer-In-Bytes")) {
        ledger->internet_in_bytes += (int64_t)(amount * 1e9 + 0.5);
    } else {
        return false;
    }
    return true;
}

static bool cur_number(const char *text, double *out)
{
    char *end;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*out);
}

static int cur_columns(char **field, int count, const char *name, int column[COLUMNS],
                       struct jobq_error *err)
{
    for (int c = 0; c < COLUMNS; c++) {
        column[c] = -1;
        for (int i = 0; i < count; i++)
            if (strcmp(field[i], COLUMN[c]) == 0)
                column[c] = i;
        if (column[c] < 0)
            return jobq_fail(err, JOBQ_INVALID, "%s:1: no column '%s'", name, COLUMN[c]);
    }
    return JOBQ_OK;
}

int cur_parse(char *text, size_t len, const char *name, struct jobq_ledger *ledger,
              double *out_usd, double *out_other, struct jobq_error *err)
{
    assert(text && name && ledger && out_usd && out_other && err);
    static const char *const kinds[] = {"Usage", "DiscountedUsage",
                                        "SavingsPlanCoveredUsage"};
    char *field[FIELDS_MAX];
    int column[COLUMNS], line = 0;
    for (char *at = text; at < text + len; line++) {
        char *end = memchr(at, '\n', (size_t)(text + len - at));
        char *next = end ? end + 1 : text + len;
        char *stop = end ? end : text + len;
        *stop = '\0'; /* cost_read leaves room for one */
        if (stop > at && stop[-1] == '\r')
            stop[-1] = '\0';
        int count = *at ? csv_split(at, field, FIELDS_MAX) : 0;
        at = next;
        if (count == 0)
            continue;
        if (count < 0)
            return jobq_fail(err, JOBQ_INVALID, "%s:%d: not CSV", name, line + 1);
        if (line == 0) {
            int code = cur_columns(field, count, name, column, err);
            if (code)
                return code;
            continue;
        }
        const char *cell[COLUMNS];
        for (int c = 0; c < COLUMNS; c++)
            cell[c] = column[c] < count ? field[column[c]] : "";
        bool usage = false;
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
            usage = usage || strcmp(cell[LINE_TYPE], kinds[i]) == 0;
        double amount, usd;
        if (!usage)
            continue; /* tax, credits, fees */
        if (!cur_number(cell[AMOUNT], &amount) || !cur_number(cell[COST], &usd))
            return jobq_fail(err, JOBQ_INVALID, "%s:%d: an amount is no number", name,
                             line + 1);
        *out_usd += usd;
        if (!cur_usage(ledger, cell[PRODUCT], cell[USAGE_TYPE], cell[OPERATION], amount))
            *out_other += usd;
    }
    return JOBQ_OK;
}
