/* pareto.c - the report's choices: cost against time of a whole run.
 *
 * Room: src/cost, jobqcost's command line; does I/O. */
#include "cost/cmd/report/report.h"

#include "base/arena.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- candidates ------------------------------------------------------------------------- */

#define PARETO_JOBS 1e6

struct candidate {
    char instance[24];
    double slots, boxes, usd, hours;
    bool front;
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
    sc.arrivals_per_s = 0; /* they are there at once */
    if (!(sc.jobs > 0))
        sc.jobs = PARETO_JOBS;
    snprintf(out->instance, sizeof out->instance, "%s", instance);
    out->slots = slots;
    out->boxes = boxes;
    out->front = false;
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

/* The choices that have a name; one that has two is one row. */
struct choice {
    const struct candidate *at;
    char name[80];
};
#define CHOICES_MAX 4

static void add_choice(struct choice *choice, int *count, const struct candidate *at,
                       const char *name)
{
    for (int i = 0; i < *count; i++)
        if (choice[i].at == at ||
            (choice[i].at->usd == at->usd && choice[i].at->hours == at->hours)) {
            size_t len = strlen(choice[i].name);
            snprintf(choice[i].name + len, sizeof choice[i].name - len, ", %s", name);
            return;
        }
    choice[*count].at = at;
    snprintf(choice[(*count)++].name, sizeof choice[0].name, "%s", name);
}

static void choices_table(struct report *r, const struct choice *choice, int count)
{
    char usd[40], time[40];
    json_t *facts = json_object();
    report_table(r, "choice|boxes|#USD a million|#done in");
    for (int i = 0; i < count; i++) {
        const struct candidate *c = choice[i].at;
        report_row(r);
        report_cell(r, "%s", choice[i].name);
        report_cell(r, "%.0f x %s with %.0f slot%s", c->boxes, c->instance, c->slots,
                    c->slots > 1 ? "s" : "");
        report_cell(r, "%s", cost_money(c->usd, usd, 40));
        report_cell(r, "%s", cost_duration(c->hours * 3600, time, 40));
        json_object_set_new(facts, choice[i].name,
                            json_pack("{s:s,s:f,s:f,s:f,s:f}", "instance", c->instance,
                                      "concurrency", c->slots, "boxes", c->boxes,
                                      "per_million_usd", c->usd, "hours", c->hours));
    }
    report_table_end(r);
    json_object_set_new(r->facts, "choices", facts);
}

static int draw_pareto(struct report *r, const struct candidate *c, int count,
                       const struct choice *choice, int choices, struct jobq_error *err)
{
    struct text csv = {0}, named = {0};
    char settings[160], usd[40];
    double low_usd = HUGE_VAL, high_usd = 0;
    text_puts(&csv, "instance,concurrency,boxes,usd_per_million,hours,front\n");
    for (int i = 0; i < count; i++) {
        text_printf(&csv, "%s,%.0f,%.0f,%.8g,%.8g,%d\n", c[i].instance, c[i].slots,
                    c[i].boxes, c[i].usd, c[i].hours, c[i].front);
        low_usd = fmin(low_usd, c[i].usd);
        high_usd = fmax(high_usd, c[i].usd);
    }
    text_puts(&named, "hours,usd_per_million,label\n");
    for (int i = 0; i < choices; i++)
        text_printf(&named, "%.8g,%.8g,\"%s: %s\"\n", choice[i].at->hours,
                    choice[i].at->usd, choice[i].name,
                    cost_money(choice[i].at->usd, usd, 40));
    snprintf(settings, sizeof settings,
             "XLO = %.6g\nXHI = %.6g\nYLO = %.6g\nYHI = %.6g\n", c[0].hours / 2,
             c[count - 1].hours * 3, low_usd / 2, high_usd * 1.5);
    int code = report_keep(r, "pareto.csv", csv.ptr, csv.len, err);
    if (!code)
        code = report_keep(r, "pareto-named.csv", named.ptr, named.len, err);
    text_release(&csv);
    text_release(&named);
    struct report_picture picture = {
        "pareto",
        "pareto.gp",
        settings,
        "Each point is an instance type with 1, 4, 16 or 64 slots on 1, 4, 16 or 64 "
        "boxes, "
        "and a whole run on it, boot and rounding included. On the blue line nothing is "
        "both cheaper and faster.",
        420,
        360};
    return code ? code : report_plot(r, &picture, err);
}

static void open_pareto(struct report *r, const struct candidate *fastest,
                        const struct candidate *cheapest)
{
    char usd[2][40], time[2][40];
    cost_money(fastest->usd, usd[0], 40);
    cost_duration(fastest->hours * 3600, time[0], 40);
    if (fastest == cheapest)
        report_open(r, "pareto", "Cost against time",
                    "The fastest is the cheapest too: %s in %s", usd[0], time[0]);
    else
        report_open(r, "pareto", "Cost against time",
                    "Done in %s for %s a million, or in %s for %s", time[0], usd[0],
                    cost_duration(cheapest->hours * 3600, time[1], 40),
                    cost_money(cheapest->usd, usd[1], 40));
}

int report_pareto(struct report *r, struct jobq_error *err)
{
    static const double slots[] = {1, 4, 16, 64}, boxes[] = {1, 4, 16, 64};
    struct search_axis axis;
    struct choice choice[CHOICES_MAX];
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
    if (count == 0) {
        report_open(r, "pareto", "Cost against time",
                    "No instance type of this sheet can run these jobs");
    } else {
        int first, last, choices = 0;
        qsort(c, (size_t)count, sizeof *c, by_hours);
        int knee = mark_front(c, count, &first, &last);
        add_choice(choice, &choices, &c[first], "fastest");
        add_choice(choice, &choices, &c[knee], "best trade");
        add_choice(choice, &choices, &c[last], "cheapest");
        if (is_current)
            add_choice(choice, &choices, &current, "as it is set");
        open_pareto(r, &c[first], &c[last]);
        code = draw_pareto(r, c, count, choice, choices, err);
        if (!code)
            choices_table(r, choice, choices);
    }
    report_close(r);
    free(c);
    return code;
}
