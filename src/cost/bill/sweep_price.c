#include "cost/bill/sweep_price.h"

#include "cost/fit/fit.h"

#include <assert.h>
#include <math.h>
#include <string.h>

int sweep_price(const struct table *sweep, size_t row, bool no_instances,
                const struct sheet *sheet, const struct bill_options *options,
                struct jobq_ledger *ledger, struct bill *bill, struct jobq_error *err)
{
    assert(row < table_rows(sweep) && sheet && options && ledger && bill->count == 0 &&
           err);
    struct predict_scenario sc;
    struct usage usage = {{0}};
    int code = fit_scenario(sweep, row, &sc, err);
    if (code)
        return code;
    for (int i = 0; i < USAGE_LINE_COUNT; i++) {
        int column = table_find(sweep, usage_line_name((enum usage_line)i));
        double value = column < 0 ? 0 : table_number(sweep, row, column);
        if (!(value >= 0) || !isfinite(value))
            return jobq_fail(err, JOBQ_INVALID, "line %zu: %s is not a number >= 0",
                             table_line(sweep, row), usage_line_name((enum usage_line)i));
        usage.line[i] = value;
    }
    if (no_instances) {
        strcpy(sc.instance, "none");
        usage.line[USAGE_VOLUME] = usage.line[USAGE_IPV4] = 0;
    }
    double jobs = sc.jobs > 0 ? sc.jobs : 1e6;
    predict_ledger(&sc, &usage, jobs, ledger);
    code = bill_ledger(bill, ledger, sheet, options, err);
    for (int i = 0; i < BILL_COMPONENT_COUNT && !code; i++)
        bill->component_usd[i] *= 1e6 / jobs;
    bill->usd *= 1e6 / jobs;
    return code;
}
