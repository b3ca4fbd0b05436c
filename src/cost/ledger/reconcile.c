#include "cost/ledger/reconcile.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Lines without a price in any sheet, or included in another line. */
static bool is_priced(int line)
{
    return line != USAGE_EMPTY && line != USAGE_WIRE_OUT && line != USAGE_WIRE_IN &&
           line != USAGE_ATTEMPTS && line != USAGE_CPU && line != USAGE_PUT &&
           line != USAGE_PUT_BATCH && line != USAGE_GET && line != USAGE_SELECT &&
           line != USAGE_STORE_OTHER;
}

void reconcile_lines(const struct usage *predicted, const double half[USAGE_LINE_COUNT],
                     const struct usage *observed, double jobs, struct reconcile *out)
{
    assert(predicted && observed && out && jobs > 0);
    double errors = 0;
    int compared = 0;
    memset(out, 0, sizeof *out);
    for (int i = 0; i < USAGE_LINE_COUNT; i++) {
        double p = predicted->line[i], o = observed->line[i];
        if (p == 0 && o == 0)
            continue;
        struct reconcile_line *line = &out->line[out->count++];
        double slack = fmax(half[i], jobs > 0 ? 1 / jobs : 0);
        /* Sums of doubles differ in their last bits. */
        slack = fmax(slack, 1e-9 * fmax(fabs(p), fabs(o)));
        *line = (struct reconcile_line){.line = (enum usage_line)i,
                                        .predicted = p,
                                        .observed = o,
                                        .low = fmax(0, p - slack),
                                        .high = p + slack,
                                        .priced = is_priced(i)};
        line->inside = o >= line->low && o <= line->high;
        if (!line->priced)
            continue;
        out->outside += !line->inside;
        if (o > 0) {
            errors += fabs(o - p) / o;
            compared++;
        }
    }
    out->mape = compared ? errors / compared : 0;
}
