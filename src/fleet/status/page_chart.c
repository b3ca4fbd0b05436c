/* page_chart.c - the queue over the last hours as a picture. See page_text.h.
 *
 * Room:     src/fleet, the product. Pure.
 *
 * Depth as two areas on top of each other, in flight below and waiting above; jobs a minute
 * as a line with a scale of its own. One path each, coordinates in whole numbers, so that
 * four hours are some 6 KB. */
#include "fleet/status/page_text.h"

#include "jobq/units.h"

enum { CHART_WIDTH = 960, CHART_HEIGHT = 100 };

struct chart {
    const struct status_sample *sample;
    int count;
    int64_t from_ns, span_ns, depth_max;
    double rate_max; /* jobs a minute */
};

static int64_t chart_x(const struct chart *c, int i)
{
    return (c->sample[i].wall_ns - c->from_ns) / (c->span_ns / CHART_WIDTH + 1);
}

static int64_t chart_y(double value, double max)
{
    return CHART_HEIGHT - (int64_t)(value / max * (CHART_HEIGHT - 4));
}

/* Jobs that ended between a sample and the one before, a minute. A count that fell (another
 * set of drainers' rows) is no rate. */
static double chart_rate(const struct chart *c, int i)
{
    const struct status_sample *now = &c->sample[i], *was = &c->sample[i - 1];
    int64_t took_ns = now->wall_ns - was->wall_ns;
    if (took_ns <= 0 || now->ended < was->ended)
        return 0;
    return (double)(now->ended - was->ended) * 60 / jobq_seconds_from_ns(took_ns);
}

static int64_t chart_depth(const struct status_sample *s, bool waiting)
{
    return s->in_flight + (waiting ? s->visible + s->delayed : 0);
}

static void put_point(struct text *out, int64_t x, int64_t y)
{
    text_put_int(out, x);
    text_putc(out, ' ');
    text_put_int(out, y);
    text_putc(out, ' ');
}

static void put_area(const struct chart *c, bool waiting, const char *class,
                     struct text *out)
{
    text_printf(out, "<path class=%s d=\"M0 %d L", class, CHART_HEIGHT);
    for (int i = 0; i < c->count; i++)
        put_point(
            out, chart_x(c, i),
            chart_y((double)chart_depth(&c->sample[i], waiting), (double)c->depth_max));
    put_point(out, chart_x(c, c->count - 1), CHART_HEIGHT);
    text_puts(out, "Z\" />");
}

static void put_rate(const struct chart *c, struct text *out)
{
    text_puts(out, "<path class=s d=\"M");
    for (int i = 1; i < c->count; i++) {
        put_point(out, chart_x(c, i), chart_y(chart_rate(c, i), c->rate_max));
        if (i == 1)
            text_puts(out, "L");
    }
    text_puts(out, "\" />");
}

void page_chart(const struct status_view *view, struct text *out)
{
    struct chart c = {.sample = view->sample, .count = view->sample_count};
    if (c.count < 2)
        return;
    c.from_ns = c.sample[0].wall_ns;
    c.span_ns = c.sample[c.count - 1].wall_ns - c.from_ns;
    c.depth_max = 1;
    c.rate_max = 1;
    for (int i = 0; i < c.count; i++) {
        int64_t depth = chart_depth(&c.sample[i], true);
        double rate = i ? chart_rate(&c, i) : 0;
        c.depth_max = depth > c.depth_max ? depth : c.depth_max;
        c.rate_max = rate > c.rate_max ? rate : c.rate_max;
    }
    if (c.span_ns <= 0)
        return;
    text_printf(out, "<h2>The last ");
    page_put_age(out, c.span_ns);
    text_printf(
        out,
        "</h2><svg class=g viewBox=\"0 0 %d %d\" preserveAspectRatio=none "
        "role=img aria-label=\"messages waiting and in flight, and jobs a minute, "
        "over time\">",
        CHART_WIDTH, CHART_HEIGHT);
    put_area(&c, true, "w", out);
    put_area(&c, false, "y", out);
    put_rate(&c, out);
    text_puts(out, "</svg><p class=m><i class=w></i>waiting, on top of <i class=y></i>in "
                   "flight: at most ");
    text_put_int(out, c.depth_max);
    text_puts(out, " messages. <i class=r></i>Jobs a minute: at most ");
    text_put_int(out, (int64_t)(c.rate_max + 0.5));
    text_puts(out, ".</p>");
}
