#include "wire/text/awstime.h"

#include "base/date.h"
#include "jobq/units.h"

#include <string.h>

static const char month_name[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char day_name[] = "SunMonTueWedThuFriSat";

/* Times before 1970 are shown as 1970-01-01T00:00:00Z. */
static struct date date_of(int64_t wall_ns)
{
    return date_of_days(wall_ns > 0 ? wall_ns / JOBQ_NS_PER_DAY : 0);
}

static char *awstime_digits(char *at, int64_t value, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + width;
}

static char *awstime_put(char *at, const char *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}

static char *clock_time(char *at, int64_t wall_ns, const char *separator)
{
    int64_t second = wall_ns > 0 ? wall_ns / JOBQ_NS_PER_S : 0;
    at = awstime_put(awstime_digits(at, second / 3600 % 24, 2), separator,
                     strlen(separator));
    at = awstime_put(awstime_digits(at, second / 60 % 60, 2), separator,
                     strlen(separator));
    return awstime_digits(at, second % 60, 2);
}

static char *date_parts(char *at, struct date date, const char *separator)
{
    at = awstime_put(awstime_digits(at, date.year, 4), separator, strlen(separator));
    at = awstime_put(awstime_digits(at, date.month, 2), separator, strlen(separator));
    return awstime_digits(at, date.day, 2);
}

void awstime_basic(int64_t wall_ns, char out[AWSTIME_BASIC])
{
    char *at = awstime_put(date_parts(out, date_of(wall_ns), ""), "T", 1);
    awstime_put(clock_time(at, wall_ns, ""), "Z", 2);
}

void awstime_iso(int64_t wall_ns, char out[AWSTIME_ISO])
{
    char *at = awstime_put(date_parts(out, date_of(wall_ns), "-"), "T", 1);
    awstime_put(clock_time(at, wall_ns, ":"), "Z", 2);
}

void awstime_http(int64_t wall_ns, char out[AWSTIME_HTTP])
{
    struct date date = date_of(wall_ns);
    int64_t weekday = wall_ns > 0 ? (wall_ns / JOBQ_NS_PER_DAY + 4) % 7 : 4;
    char *at = awstime_put(awstime_put(out, day_name + 3 * weekday, 3), ", ", 2);
    at = awstime_put(awstime_digits(at, date.day, 2), " ", 1);
    at = awstime_put(awstime_put(at, month_name + 3 * (date.month - 1), 3), " ", 1);
    at = awstime_put(awstime_digits(at, date.year, 4), " ", 1);
    awstime_put(clock_time(at, wall_ns, ":"), " GMT", 5);
}

static bool awstime_number(const char *at, int width, int64_t low, int64_t high,
                           int64_t *out)
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

static bool awstime_instant(int64_t year, int64_t month, int64_t day, const char *hms,
                            int64_t *out)
{
    int64_t h, m, s;
    if (!awstime_number(hms, 2, 0, 23, &h) || hms[2] != ':' ||
        !awstime_number(hms + 3, 2, 0, 59, &m) || hms[5] != ':' ||
        !awstime_number(hms + 6, 2, 0, 60, &s))
        return false;
    int64_t days = date_days((struct date){(int)year, (int)month, (int)day});
    *out = (days * 86400 + h * 3600 + m * 60 + s) * JOBQ_NS_PER_S;
    return true;
}

bool awstime_parse_iso(struct jobq_str text, int64_t *out_wall_ns)
{
    const char *t = text.ptr;
    int64_t year, month, day, wall;
    if (!t || text.len < 20 || text.len > 35 || t[4] != '-' || t[7] != '-' ||
        t[10] != 'T' || t[text.len - 1] != 'Z' ||
        !awstime_number(t, 4, 1970, 2261, &year) ||
        !awstime_number(t + 5, 2, 1, 12, &month) ||
        !awstime_number(t + 8, 2, 1, 31, &day) ||
        !awstime_instant(year, month, day, t + 11, &wall))
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
        t[16] != ' ' || memcmp(t + 25, " GMT", 4) ||
        !awstime_number(t + 5, 2, 1, 31, &day) ||
        !awstime_number(t + 12, 4, 1970, 2261, &year))
        return false;
    for (int month = 1; month <= 12; month++)
        if (memcmp(t + 8, month_name + 3 * (month - 1), 3) == 0)
            return awstime_instant(year, month, day, t + 17, out_wall_ns);
    return false;
}
