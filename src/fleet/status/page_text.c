/* page_text.c - the page's small texts. See page_text.h.
 *
 * Room:     src/fleet, the product. Pure. */
#include "fleet/status/page_text.h"

#include "base/date.h"
#include "jobq/units.h"

#include <math.h>
#include <string.h>

char page_shown(char c)
{
    return c >= 0x20 && c < 0x7f ? c : '?';
}

void page_put_html(struct text *out, struct jobq_str value)
{
    for (int64_t i = 0; value.ptr && i < value.len; i++) {
        char c = page_shown(value.ptr[i]);
        if (c == '&')
            text_puts(out, "&amp;");
        else if (c == '<')
            text_puts(out, "&lt;");
        else if (c == '>')
            text_puts(out, "&gt;");
        else if (c == '"')
            text_puts(out, "&quot;");
        else if (c == '\'')
            text_puts(out, "&#39;");
        else
            text_putc(out, c);
    }
}

void page_put_lines(struct text *out, struct jobq_str value)
{
    for (int64_t at = 0; value.ptr && at < value.len;) {
        const char *line = value.ptr + at;
        const char *end = memchr(line, '\n', (size_t)(value.len - at));
        int64_t bytes = end ? end - line : value.len - at;
        page_put_html(out, (struct jobq_str){line, bytes});
        if (end)
            text_putc(out, '\n');
        at += bytes + 1;
    }
}

void page_put_usd(struct text *out, double usd)
{
    if (isnan(usd) || fabs(usd) > 1e15) {
        text_puts(out, "-");
        return;
    }
    int digits = fabs(usd) >= 1 || fabs(usd) < 1e-9 ? 2 : fabs(usd) >= 0.001 ? 4 : 6;
    int64_t unit = digits == 2 ? 100 : digits == 4 ? 10000 : 1000000;
    int64_t parts = (int64_t)(fabs(usd) * (double)unit + 0.5);
    text_printf(out, "%s$%lld.%0*lld", usd < 0 ? "-" : "", (long long)(parts / unit),
                digits, (long long)(parts % unit));
}

void page_put_time(struct text *out, int64_t wall_ns)
{
    int64_t seconds = wall_ns > 0 ? wall_ns / JOBQ_NS_PER_S : 0;
    struct date date = date_of_days(seconds / 86400);
    int of_day = (int)(seconds % 86400);
    text_printf(out, "%04d-%02d-%02d %02d:%02d:%02d UTC", date.year, date.month, date.day,
                of_day / 3600, of_day / 60 % 60, of_day % 60);
}

void page_put_age(struct text *out, int64_t ns)
{
    static const struct {
        int64_t of_ns;
        const char *name;
    } unit[] = {{JOBQ_NS_PER_DAY, " d"},
                {JOBQ_NS_PER_HOUR, " h"},
                {JOBQ_NS_PER_MIN, " min"},
                {JOBQ_NS_PER_S, " s"}};
    int at = 0;
    if (ns < 0)
        ns = 0;
    while (at < 3 && ns < unit[at].of_ns)
        at++;
    text_put_int(out, ns / unit[at].of_ns);
    text_puts(out, unit[at].name);
    int64_t rest_ns = ns % unit[at].of_ns;
    if (at < 3 && rest_ns >= unit[at + 1].of_ns) {
        text_putc(out, ' ');
        text_put_int(out, rest_ns / unit[at + 1].of_ns);
        text_puts(out, unit[at + 1].name);
    }
}

const char *page_mode_name(enum drainer_mode mode)
{
    static const char *const names[] = {"running", "quiet", "stopping", "stopped"};
    return names[mode];
}

const char *page_box_state_name(enum jobq_box_state state)
{
    static const char *const names[] = {"pending", "running", "stopping", "ended"};
    return names[state];
}
