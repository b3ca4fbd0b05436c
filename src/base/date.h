/* date.h - days and dates of the Gregorian calendar, without the C library's clock.
 *
 * Room:     src/base, a tool.
 * Callers:  anyone.
 * Units:    days since 1970-01-01; years 0 to 9999, months 1 to 12, days 1 to 31. */
#ifndef JOBQ_BASE_DATE_H
#define JOBQ_BASE_DATE_H

#include <stdint.h>

struct date {
    int year, month, day;
};

/* A day that its month does not have counts on: February 30 is March 1 or 2. */
int64_t date_days(struct date date);
struct date date_of_days(int64_t days);

#endif
