/* settings_list.c - prints the table of settings, a line each, for settings.py: name, kind, default,
 * low, high, just below, just above, words, takers; fields between tabs, "-" for none. */
#include "scenario/settings.h"

#include "jobq/units.h"

#include <stdio.h>

static const char *const KINDS[] = {"count", "size",     "duration", "number",
                                    "dist",  "arrivals", "name",     "path",
                                    "model", "flag",     "choice",   "seed"};

static const char *or_dash(const char *text)
{
    return text ? text : "-";
}

/* One unit beyond an end, as it would be typed. */
static void print_beyond(const struct setting *st, const char *end, int step)
{
    struct jobq_error err;
    int64_t whole = 0;
    double number = 0;
    switch (st->kind) {
    case SETTING_COUNT:
        jobq_parse_count(end, &whole, &err);
        printf("\t%lld", (long long)whole + step);
        return;
    case SETTING_SIZE:
        jobq_parse_size(end, &whole, &err);
        printf("\t%lld", (long long)whole + step);
        return;
    case SETTING_DURATION:
    case SETTING_DIST:
        jobq_parse_duration(end, &whole, &err);
        /* The mean of a distribution is a double. */
        printf("\t%lldns",
               (long long)whole + (st->kind == SETTING_DIST ? 1000 : 1) * step);
        return;
    case SETTING_NUMBER:
        jobq_parse_number(end, &number, &err);
        printf("\t%.17g", number + step * (number > 0 ? number * 1e-9 : 1e-9));
        return;
    case SETTING_ARRIVALS:
        jobq_parse_rate(end, &number, &err);
        printf("\t%.17g/s", number + step * number * 1e-3);
        return;
    case SETTING_NAME:
    case SETTING_PATH:
    case SETTING_MODEL:
    case SETTING_FLAG:
    case SETTING_CHOICE:
    case SETTING_SEED:
        break;
    }
    printf("\t-");
}

int main(void)
{
    for (int i = 0; i < setting_count(); i++) {
        const struct setting *st = setting_at(i);
        printf("%s\t%s\t%s\t%s\t%s", st->name, KINDS[st->kind], st->value,
               or_dash(st->low), or_dash(st->high));
        print_beyond(st, st->low, -1);
        print_beyond(st, st->high, 1);
        printf("\t%s\t", or_dash(st->words));
        const char *between = "";
        for (int bit = 0; bit < TAKER_COUNT; bit++)
            if (st->takers >> bit & 1) {
                printf("%s%s", between, setting_taker_name(1u << bit));
                between = ",";
            }
        printf("\t%s\n", st->same ? "same" : "changes");
    }
    return 0;
}
