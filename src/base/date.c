#include "base/date.h"

#include <assert.h>

/* Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2013: years begin in March,
 * so that the leap day is the last of a year, and repeat every 400 years (146,097 days).
 * Known answers: 2000-03-01 is day 11017, 2026-11-24 is day 20781. */
enum { DAYS_OF_400_YEARS = 146097, DAYS_BEFORE_1970 = 719468 };

int64_t date_days(struct date date)
{
    assert(date.year >= 0 && date.month >= 1 && date.month <= 12 && date.day >= 1 &&
           date.day <= 31);
    int64_t year = date.year - (date.month <= 2);
    int64_t cycle = (year >= 0 ? year : year - 399) / 400, of_cycle = year - cycle * 400;
    int64_t of_year =
        (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
    return cycle * DAYS_OF_400_YEARS + of_cycle * 365 + of_cycle / 4 - of_cycle / 100 +
           of_year - DAYS_BEFORE_1970;
}

struct date date_of_days(int64_t days)
{
    assert(days >= -DAYS_BEFORE_1970);
    days += DAYS_BEFORE_1970;
    int64_t cycle = days / DAYS_OF_400_YEARS, of_cycle = days % DAYS_OF_400_YEARS;
    int64_t year =
        (of_cycle - of_cycle / 1460 + of_cycle / 36524 - of_cycle / 146096) / 365;
    int64_t of_year = of_cycle - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153; /* 0: March */
    struct date date = {.day = (int)(of_year - (153 * month + 2) / 5 + 1),
                        .month = (int)(month < 10 ? month + 3 : month - 9)};
    date.year = (int)(year + cycle * 400) + (date.month <= 2);
    return date;
}
