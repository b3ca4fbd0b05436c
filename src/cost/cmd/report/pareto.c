/* pareto.c - the report's answer, its four tiles and the cost-time picture.
 *
 * Room: src/cost, jobqcost's command line; does I/O. */
#include "cost/cmd/report/report.h"

#include "base/arena.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the answer ----------------------------------------------------------------------- */

/* The least cost over what one may choose without changing what the jobs are. */
static int least(struct report *r, const char *store, struct search_result *out,
                 char settings[160], struct jobq_error *err)
{
    static const char *const free_text[] = {"batch", "concurrency=1,2,4,8,16,32,64,128",
                                            "instance"};
    struct search_axis axis[3] = {0};
    struct search_summary summary;
    struct search_limits limits = {HUGE_VAL, HUGE_VAL};
    struct predict_scenario sc = r->base;
    int code = predict_set(&sc, "store", store, err), axes = 0;
    sc.jobs = 0;
    for (; axes < (strcmp(sc.instance, "none") == 0 ? 2 : 3) && !code; axes++)
        code = search_axis_parse(free_text[axes], &sc, r->sheet, &axis[axes], err);
    int found =
        code ? code
             : search_run(&r->context, &sc, axis, axes, &limits, out, 1, &summary, err);
    if (found > 0)
        snprintf(settings, 160, "batch %s, %s slots%s%s", axis[0].text[out->choice[0]],
                 axis[1].text[out->choice[1]], axes > 2 ? " a " : "",
                 axes > 2 ? axis[2].text[out->choice[2]] : "");
    for (int i = 0; i < axes; i++)
        search_axis_release(&axis[i]);
    return found > 0 ? JOBQ_OK : found < 0 ? found : JOBQ_NOT_FOUND;
}

int report_answer(struct report *r, struct jobq_error *err)
{
    struct evaluation e;
    struct search_result best[2];
    char a[40], b[40], c[40], d[40], how[2][160], title[120];
    int code = cost_evaluate(r->cli, r->sheet, &r->base, &e, err);
    if (code)
        return code;
    const char *store = predict_store_name(r->base.store);
    code = least(r, store, &best[0], how[0], err);
    if (!code)
        code = least(r, "none", &best[1], how[1], err);
    if (!code) {
        text_puts(&r->page, "<p class=\"answer\"><strong>");
        text_puts(&r->page, e.high_per_million <= 1  ? "Yes"
                            : e.low_per_million <= 1 ? "Within the interval"
                            : best[0].per_million <= 1
                                ? "Not as it is set, but other settings reach it"
                                : "No");
        text_puts(&r->page, ":</strong> ");
        char line[600];
        snprintf(line, sizeof line,
                 "a million of these jobs cost %s (95 %%: %s to %s); the least that "
                 "batch, slots and instance type reach with store %s is %s (%s).",
                 cost_usd(e.usd_per_million, a, 40), cost_usd(e.low_per_million, b, 40),
                 cost_usd(e.high_per_million, c, 40), store,
                 cost_usd(best[0].per_million, d, 40), how[0]);
        report_escape(&r->page, line);
        text_puts(&r->page, "</p>\n");
        if (r->base.store != PREDICT_NO_STORE)
            report_say(r, "note", "Without status rows (store none) it would be %s (%s).",
                       cost_usd(best[1].per_million, a, 40), how[1]);
        report_say(r, "note", "Prices: %s. Formula: %s.%s%s",
                   cost_sheet_title(r->sheet, title, sizeof title), r->cli->formula_name,
                   e.value.fitted && e.value.outside > 0
                       ? " Outside its domain, so the interval is widened: "
                       : "",
                   e.value.fitted && e.value.outside > 0 ? e.value.outside_of : "");
        json_object_set_new(r->facts, "per_million_usd", json_real(e.usd_per_million));
        json_object_set_new(r->facts, "interval95_per_million_usd",
                            json_pack("[f,f]", e.low_per_million, e.high_per_million));
        json_object_set_new(r->facts, "least_per_million_usd",
                            json_real(best[0].per_million));
        json_object_set_new(r->facts, "least_without_store_usd",
                            json_real(best[1].per_million));
    }
    evaluation_release(&e);
    return code;
}

/* ---- candidates ------------------------------------------------------------------------- */

#define PARETO_JOBS 1e6

struct candidate {
    char instance[24];
    double slots, boxes, usd, hours;
    bool front;
    const char *label;
};

static int by_hours(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    return x->hours < y->hours   ? -1
           : x->hours > y->hours ? 1
           : x->usd < y->usd     ? -1
                                 : x->usd > y->usd;
}

static bool try_candidate(struct report *r, const char *instance, double slots,
                          double boxes, struct candidate *out)
{
    struct predict_scenario sc = r->base;
    struct predict_state state;
    struct jobq_error ignored; /* a type without a price is no candidate */
    if (predict_set(&sc, "instance", instance, &ignored))
        return false;
    sc.slots = slots;
    sc.boxes = boxes;
    if (!(sc.jobs > 0))
        sc.jobs = PARETO_JOBS;
    snprintf(out->instance, sizeof out->instance, "%s", instance);
    out->slots = slots;
    out->boxes = boxes;
    out->front = false;
    out->label = "";
    if (report_point(r, &sc, &out->usd, NULL, &state, &ignored))
        return false;
    out->hours = state.makespan_s / 3600;
    return out->usd > 0 && out->hours > 0 && isfinite(out->hours);
}

/* Marks the points that no other point beats in both cost and time; the array is by
 * hours. The fastest is the cheapest of those within 1 % of the least time: less is the
 * rounding of a boot. Returns the knee: the front's point farthest below the line between
 * its ends, both axes logarithmic. */
static int mark_front(struct candidate *c, int count, int *first, int *last)
{
    double farthest = -1;
    *first = 0;
    for (int i = 1; i < count && c[i].hours <= c[0].hours * 1.01; i++)
        if (c[i].usd < c[*first].usd)
            *first = i;
    *last = *first;
    double least_usd = c[*first].usd;
    c[*first].front = true;
    for (int i = *first + 1; i < count; i++)
        if (c[i].usd < least_usd * (1 - 1e-9)) {
            least_usd = c[i].usd;
            c[i].front = true;
            *last = i;
        }
    int knee = *first;
    double x0 = log(c[*first].hours), y0 = log(c[*first].usd);
    double dx = log(c[*last].hours) - x0, dy = log(c[*last].usd) - y0;
    for (int i = *first; i <= *last; i++) {
        double below = dy * (log(c[i].hours) - x0) - dx * (log(c[i].usd) - y0);
        if (c[i].front && below > farthest) {
            farthest = below;
            knee = i;
        }
    }
    return knee;
}

static void tile(struct report *r, const char *name, const struct candidate *c)
{
    char usd[40], line[200];
    text_printf(&r->page, "<div class=\"tile\">%s<b>", name);
    report_escape(&r->page, cost_usd(c->usd, usd, 40));
    text_puts(&r->page, "</b><span>");
    snprintf(line, sizeof line, "per million; done in %.3g h; %.0f x %s, %.0f slots each",
             c->hours, c->boxes, c->instance, c->slots);
    report_escape(&r->page, line);
    text_puts(&r->page, "</span></div>\n");
    json_object_set_new(json_object_get(r->facts, "tiles"), name,
                        json_pack("{s:s,s:f,s:f,s:f,s:f}", "instance", c->instance,
                                  "concurrency", c->slots, "boxes", c->boxes,
                                  "per_million_usd", c->usd, "hours", c->hours));
}

static int draw_pareto(struct report *r, struct candidate *c, int count,
                       struct jobq_error *err)
{
    struct text csv = {0};
    char settings[160];
    double low_usd = HUGE_VAL, high_usd = 0;
    text_puts(&csv,
              "instance,concurrency,boxes,usd_per_million,hours,front,marked,label\n");
    for (int i = 0; i < count; i++)
        text_printf(&csv, "%s,%.0f,%.0f,%.8g,%.8g,%d,%d,%s\n", c[i].instance, c[i].slots,
                    c[i].boxes, c[i].usd, c[i].hours, c[i].front, *c[i].label != 0,
                    *c[i].label ? c[i].label : "-");
    for (int i = 0; i < count; i++) {
        low_usd = fmin(low_usd, c[i].usd);
        high_usd = fmax(high_usd, c[i].usd);
    }
    snprintf(settings, sizeof settings,
             "XLO = %.6g\nXHI = %.6g\nYLO = %.6g\nYHI = %.6g\n", c[0].hours / 1.5,
             c[count - 1].hours * 2, low_usd / 1.5, high_usd * 1.5);
    int code = report_keep(r, "pareto.csv", csv.ptr, csv.len, err);
    text_release(&csv);
    if (code)
        return code;
    return report_plot(r, "pareto", "pareto.gp", settings,
                       "Cost against time of a whole run, boot and rounding included: "
                       "each point is an instance type with a number of slots and boxes; "
                       "blue: nothing is both cheaper and faster; grey: dominated.",
                       err);
}

int report_pareto(struct report *r, struct jobq_error *err)
{
    static const double slots[] = {1, 4, 16, 64}, boxes[] = {1, 4, 16, 64};
    struct search_axis axis;
    int code = search_axis_parse("instance", &r->base, r->sheet, &axis, err), count = 0;
    if (code)
        return code;
    struct candidate *c = xcalloc((size_t)axis.count * 16 + 1, sizeof *c), current;
    for (int i = 0; i < axis.count; i++)
        for (int j = 0; j < 16; j++)
            if (strcmp(axis.text[i], "none") != 0 &&
                try_candidate(r, axis.text[i], slots[j / 4], boxes[j % 4], &c[count]))
                count++;
    bool is_current =
        try_candidate(r, r->base.instance, r->base.slots, r->base.boxes, &current);
    if (is_current)
        c[count++] = current;
    search_axis_release(&axis);
    text_puts(&r->page, "<section id=\"tiles\"><h2>Four choices</h2>\n");
    if (count == 0) {
        report_say(r, "note", "No instance type of this sheet can run these jobs.");
    } else {
        int first, last;
        qsort(c, (size_t)count, sizeof *c, by_hours);
        int knee = mark_front(c, count, &first, &last);
        c[knee].label = "knee";
        c[first].label = "fastest";
        c[last].label = "cheapest";
        for (int i = 0; is_current && i < count; i++)
            if (c[i].usd == current.usd && c[i].hours == current.hours && !*c[i].label)
                c[i].label = "current";
        text_puts(&r->page, "<div class=\"tiles\">\n");
        tile(r, "cheapest", &c[last]);
        tile(r, "fastest", &c[first]);
        tile(r, "knee", &c[knee]);
        if (is_current)
            tile(r, "current", &current);
        text_puts(&r->page, "</div>\n");
    }
    text_puts(&r->page,
              "</section>\n<section id=\"pareto\"><h2>Cost against time</h2>\n");
    if (count)
        code = draw_pareto(r, c, count, err);
    text_puts(&r->page, "</section>\n");
    free(c);
    return code;
}
