#include "wire/text/awstime.h"

#include "jobq/units.h"

#include <string.h>

struct civil {
    int64_t year;
    int month, day, hour, minute, second, weekday; /* weekday 0: Sunday */
};

static const char month_name[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char day_name[] = "SunMonTueWedThuFriSat";

/* Days since 1970-01-01 to and from a date of the proleptic Gregorian calendar, in years
 * that begin in March so that the leap day is a year's last. Howard Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms", 2013; here for year >= 0 only.
 * Known answer: 2000-03-01 is day 11017. */
static int64_t days_from(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = year / 400, of_era = year % 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static struct civil civil_of(int64_t wall_ns)
{
    if (wall_ns < 0)
        wall_ns = 0;
    int64_t second = wall_ns / JOBQ_NS_PER_S, days = second / 86400;
    int64_t z = days + 719468, era = z / 146097, of_era = z % 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100), m = (5 * of_year + 2) / 153;
    struct civil c = {.day = (int)(of_year - (153 * m + 2) / 5 + 1),
                      .month = (int)(m < 10 ? m + 3 : m - 9),
                      .hour = (int)(second % 86400 / 3600),
                      .minute = (int)(second % 3600 / 60),
                      .second = (int)(second % 60),
                      .weekday = (int)((days + 4) % 7)};
    c.year = y + era * 400 + (c.month <= 2);
    return c;
}

static char *digits(char *at, int64_t value, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + width;
}

static char *put(char *at, const char *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}

void awstime_basic(int64_t wall_ns, char out[AWSTIME_BASIC])
{
    struct civil c = civil_of(wall_ns);
    char *at = digits(digits(digits(out, c.year, 4), c.month, 2), c.day, 2);
    *at++ = 'T';
    at = digits(digits(digits(at, c.hour, 2), c.minute, 2), c.second, 2);
    put(at, "Z", 2);
}

static char *clock_time(char *at, const struct civil *c)
{
    at = put(digits(at, c->hour, 2), ":", 1);
    at = put(digits(at, c->minute, 2), ":", 1);
    return digits(at, c->second, 2);
}

void awstime_iso(int64_t wall_ns, char out[AWSTIME_ISO])
{
    struct civil c = civil_of(wall_ns);
    char *at = put(digits(out, c.year, 4), "-", 1);
    at = put(digits(at, c.month, 2), "-", 1);
    at = put(digits(at, c.day, 2), "T", 1);
    put(clock_time(at, &c), "Z", 2);
}

void awstime_http(int64_t wall_ns, char out[AWSTIME_HTTP])
{
    struct civil c = civil_of(wall_ns);
    char *at = put(put(out, day_name + 3 * c.weekday, 3), ", ", 2);
    at = put(digits(at, c.day, 2), " ", 1);
    at = put(put(at, month_name + 3 * (c.month - 1), 3), " ", 1);
    at = put(digits(at, c.year, 4), " ", 1);
    put(clock_time(at, &c), " GMT", 5);
}

static bool number(const char *at, int width, int64_t low, int64_t high, int64_t *out)
{
    int64_t value = 0;
    for (int i = 0; i < width; i++) {
        if (at[i] < '0' || at[i] > '9')
            return false;
        value = value * 10 + (at[i] - '0');
    }
    *out = value;
    return value >= low && value <= high;
}

static bool instant(int64_t year, int64_t month, int64_t day, const char *hms,
                    int64_t *out)
{
    int64_t h, m, s;
    if (!number(hms, 2, 0, 23, &h) || hms[2] != ':' || !number(hms + 3, 2, 0, 59, &m) ||
        hms[5] != ':' || !number(hms + 6, 2, 0, 60, &s))
        return false;
    int64_t days = days_from(year, (int)month, (int)day);
    *out = (days * 86400 + h * 3600 + m * 60 + s) * JOBQ_NS_PER_S;
    return true;
}

bool awstime_parse_iso(struct jobq_str text, int64_t *out_wall_ns)
{
    const char *t = text.ptr;
    int64_t year, month, day, wall;
    if (!t || text.len < 20 || text.len > 35 || t[4] != '-' || t[7] != '-' ||
        t[10] != 'T' || t[text.len - 1] != 'Z' || !number(t, 4, 1970, 2261, &year) ||
        !number(t + 5, 2, 1, 12, &month) || !number(t + 8, 2, 1, 31, &day) ||
        !instant(year, month, day, t + 11, &wall))
        return false;
    if (text.len > 20) {
        if (t[19] != '.' || text.len < 22)
            return false;
        int64_t scale = JOBQ_NS_PER_S / 10;
        for (int64_t i = 20; i < text.len - 1; i++, scale /= 10) {
            if (t[i] < '0' || t[i] > '9')
                return false;
            wall += (t[i] - '0') * scale;
        }
    }
    *out_wall_ns = wall;
    return true;
}

bool awstime_parse_http(struct jobq_str text, int64_t *out_wall_ns)
{
    const char *t = text.ptr;
    int64_t year, day;
    if (!t || text.len != 29 || memcmp(t + 3, ", ", 2) || t[7] != ' ' || t[11] != ' ' ||
        t[16] != ' ' || memcmp(t + 25, " GMT", 4) || !number(t + 5, 2, 1, 31, &day) ||
        !number(t + 12, 4, 1970, 2261, &year))
        return false;
    for (int month = 1; month <= 12; month++)
        if (memcmp(t + 8, month_name + 3 * (month - 1), 3) == 0)
            return instant(year, month, day, t + 17, out_wall_ns);
    return false;
}
