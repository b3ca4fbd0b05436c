/* maps.c - the report's $1 maps and break-even curve.
 *
 * Room: src/cost, jobqcost's command line; does I/O. */
#include "cost/cmd/report/report.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- the $1 maps ---------------------------------------------------------------------- */

#define MAP_COLUMNS 33
#define MAP_ROWS_MAX 16

struct map {
    const char *name, *store;
    int rows;
    double job_low_s, job_high_s, slots_high; /* rows are slots 1, 2, 4, ... */
    double least, most;                       /* dollars */
    double
        dollar_s; /* the longest job that $1 is enough for on the middle row; 0: none */
    double dollar_slots;
};

static double spaced(double low, double high, double at)
{
    return low * pow(high / low, at);
}

static int map_cells(struct report *r, const struct predict_scenario *base, struct map *m,
                     struct text *csv, struct jobq_error *err)
{
    text_puts(csv, "job_time_s,slots,x_low,x_high,y_low,y_high,usd_per_million\n");
    double half = 0.5 / (MAP_COLUMNS - 1);
    m->least = HUGE_VAL;
    m->most = 0;
    for (int i = 0; i < MAP_COLUMNS; i++)
        for (int j = 0; j < m->rows; j++) {
            struct predict_scenario sc = *base;
            double x = (double)i / (MAP_COLUMNS - 1), usd;
            sc.job_s = spaced(m->job_low_s, m->job_high_s, x);
            sc.slots = pow(2, j);
            int code = report_point(r, &sc, &usd, NULL, NULL, err);
            /* What the service of that year refuses stays empty. */
            if (code == JOBQ_LIMIT)
                usd = (double)NAN;
            else if (code)
                return code;
            m->least = fmin(m->least, usd);
            m->most = fmax(m->most, usd);
            text_printf(csv, "%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.8g\n", sc.job_s, sc.slots,
                        spaced(m->job_low_s, m->job_high_s, x - half),
                        spaced(m->job_low_s, m->job_high_s, x + half), sc.slots / sqrt(2),
                        sc.slots * sqrt(2), usd);
        }
    return JOBQ_OK;
}

/* Each contour is where along the job time the cost crosses its level, row by row. */
static void map_contours(struct report *r, const struct predict_scenario *base,
                         struct map *m, struct text *csv, struct text *labels)
{
    static const double level[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};
    text_puts(csv, "level,job_time_s,slots\n");
    text_puts(labels, "level,job_time_s,slots,text\n");
    for (size_t l = 0; l < sizeof level / sizeof *level; l++) {
        double label_x = 0, label_y = 0;
        int found = 0, points = 0;
        for (int j = 0; j < m->rows; j++) {
            struct predict_scenario sc = *base;
            double x;
            sc.slots = pow(2, j);
            if (!search_cross(&r->context, &sc, PREDICT_JOB_TIME, m->job_low_s,
                              m->job_high_s, level[l], &x))
                continue;
            text_printf(csv, "%g,%.6g,%.6g\n", level[l], x, sc.slots);
            if (level[l] == 1 && sc.slots <= base->slots) {
                m->dollar_s = x;
                m->dollar_slots = sc.slots;
            }
            points++;
            if (x > m->job_high_s / 1.4)
                continue; /* no room for a label */
            /* Labels of neighbours stand on different rows. */
            if (!found++ || j <= (int)(1 + l % 3 * 2)) {
                label_x = x;
                label_y = sc.slots;
            }
        }
        if (points)
            text_puts(csv, "\n");
        if (found)
            text_printf(labels, "%g,%.6g,%.6g,$%g\n", level[l], label_x, label_y,
                        level[l]);
    }
    /* gnuplot refuses a file without a row: a point off the map. */
    text_puts(csv, "0,nan,nan\n");
    text_puts(labels, "0,nan,nan,\n");
}

static int keep_named(struct report *r, const char *name, const char *end,
                      const struct text *csv, struct jobq_error *err)
{
    char file[48];
    snprintf(file, sizeof file, "%s%s.csv", name, end);
    return report_keep(r, file, csv->ptr, csv->len, err);
}

/* What the map shows, as a title. */
static void map_title(const struct map *m, char *out, size_t cap)
{
    char a[40], time[40];
    const char *rows = strcmp(m->store, "none") == 0 ? "Without rows" : "With rows";
    if (m->dollar_s > 0)
        snprintf(out, cap, "%s, $1 pays for jobs of up to %s with %.0f slot%s a box",
                 rows, cost_duration(m->dollar_s, time, 40), m->dollar_slots,
                 m->dollar_slots > 1 ? "s" : "");
    else if (m->least > 1)
        snprintf(out, cap, "%s, nothing reaches $1: the least is %s", rows,
                 cost_money(m->least, a, 40));
    else
        snprintf(out, cap, "%s, $1 is reached with more slots than are set", rows);
}

static int map_draw(struct report *r, const struct predict_scenario *base, struct map *m,
                    struct jobq_error *err)
{
    struct text cells = {0}, contours = {0}, labels = {0};
    char settings[400], alt[400], here[80], a[40], b[40];
    double half = 0.5 / (MAP_COLUMNS - 1), usd = 0;
    bool on_it = base->job_s >= m->job_low_s && base->job_s <= m->job_high_s &&
                 base->slots <= m->slots_high &&
                 !report_point(r, base, &usd, NULL, NULL, err);
    int code = map_cells(r, base, m, &cells, err);
    if (!code) {
        map_contours(r, base, m, &contours, &labels);
        code = keep_named(r, m->name, "", &cells, err);
    }
    if (!code)
        code = keep_named(r, m->name, "-contour", &contours, err);
    if (!code)
        code = keep_named(r, m->name, "-labels", &labels, err);
    text_release(&cells);
    text_release(&contours);
    text_release(&labels);
    if (code)
        return code;
    snprintf(here, sizeof here, "%s: %s",
             base->store == r->base.store ? "you are here" : "the same",
             cost_money(usd, a, 40));
    snprintf(settings, sizeof settings,
             "FILE = '%s'\nXLO = %.6g\nXHI = %.6g\nYLO = %.6g\nYHI = %.6g\n"
             "HERE = %d\nHERE_X = %.8g\nHERE_Y = %.8g\nHERE_TEXT = '%s'\n",
             m->name, spaced(m->job_low_s, m->job_high_s, -half),
             spaced(m->job_low_s, m->job_high_s, 1 + half), sqrt(0.5),
             m->slots_high * sqrt(2), on_it, fmax(base->job_s, m->job_low_s), base->slots,
             here);
    snprintf(alt, sizeof alt,
             "One job more, store %s, over its time and the slots of a box: %s to %s a "
             "million.%s",
             m->store, cost_money(m->least, a, 40), cost_money(m->most, b, 40),
             m->dollar_s > 0 ? " The thick line is $1." : "");
    struct report_picture picture = {m->name, "heat.gp", settings, alt, 400, 330};
    return report_plot(r, &picture, err);
}

int report_maps(struct report *r, struct jobq_error *err)
{
    struct predict_scenario sc = r->base;
    double slots = fmax(64, fmin(1024, pow(2, ceil(log2(r->base.slots)))));
    double job_s = r->base.job_s > 0 ? r->base.job_s : 1;
    struct map map[2] = {
        {.name = "heat", .store = predict_store_name(sc.store)},
        {.name = "heat-none", .store = "none"},
    };
    char title[160];
    int code = JOBQ_OK;
    sc.jobs = 0;
    if (sc.arrivals_per_s > 0) {
        sc.utilisation = fmax(0.01, r->e.value.state.utilisation);
        sc.arrivals_per_s = 0;
    }
    for (int i = 0; i < (sc.store == PREDICT_NO_STORE ? 1 : 2) && !code; i++) {
        struct map *m = &map[i];
        if (i)
            sc.store = PREDICT_NO_STORE;
        m->slots_high = slots;
        m->rows = (int)lround(log2(slots)) + 1;
        m->job_low_s = fmin(0.01, job_s / 10);
        m->job_high_s = fmax(100, job_s * 10);
        struct text before = r->page;
        r->page = (struct text){0};
        code = map_draw(r, &sc, m, err);
        struct text drawn = r->page;
        r->page = before;
        map_title(m, title, sizeof title);
        if (!code) {
            report_open(r, i ? "map-none" : "map", "Where $1 a million is", "%s", title);
            text_put(&r->page, drawn.ptr, drawn.len);
            report_close(r);
        }
        text_release(&drawn);
    }
    return code;
}

/* ---- break-even ------------------------------------------------------------------------ */

struct even {
    const char *option, *first, *second; /* the two things compared */
    const char *first_name, *second_name;
    enum predict_input input; /* along which */
    double low, high;
    const char *words; /* what runs along */
};

#define EVEN_POINTS 61

static int even_point(struct report *r, const struct even *e, double x, double usd[2],
                      struct jobq_error *err)
{
    for (int i = 0; i < 2; i++) {
        struct predict_scenario sc = r->base;
        sc.jobs = 0;
        sc.arrivals_per_s = 0;
        int code = predict_set(&sc, e->option, i ? e->second : e->first, err);
        predict_put(&sc, e->input, predict_input_whole(e->input) ? round(x) : x);
        if (!code)
            code = report_point(r, &sc, &usd[i], NULL, NULL, err);
        if (code)
            return code;
    }
    return JOBQ_OK;
}

/* Where the sign of the difference changes between low and high; (double)NAN: a point there
 * cannot be priced. */
static double even_cross(struct report *r, const struct even *e, double low, double high)
{
    double usd[2], sign;
    struct jobq_error err;
    if (even_point(r, e, low, usd, &err))
        return (double)NAN;
    sign = usd[0] - usd[1];
    for (int i = 0; i < 40; i++) {
        double middle = sqrt(low * high);
        if (even_point(r, e, middle, usd, &err))
            return (double)NAN;
        if ((usd[0] - usd[1] > 0) == (sign > 0))
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* Fills csv and returns 1 with the crossing, 0 without one, -1 if the pair cannot be
 * priced here. */
static int even_curve(struct report *r, const struct even *e, struct text *csv,
                      double *out_cross)
{
    double before = 0, before_x = 0, usd[2];
    struct jobq_error err;
    *out_cross = (double)NAN;
    text_printf(csv, "%s,%s_%s,%s_%s\n", predict_input_name(e->input), e->option,
                e->first, e->option, e->second);
    for (int i = 0; i < EVEN_POINTS; i++) {
        double x = spaced(e->low, e->high, (double)i / (EVEN_POINTS - 1));
        if (even_point(r, e, x, usd, &err))
            return -1;
        double difference = usd[0] - usd[1];
        if (isnan(*out_cross) && i && difference * before < 0)
            *out_cross = even_cross(r, e, before_x, x);
        before = difference;
        before_x = x;
        text_printf(csv, "%.6g,%.8g,%.8g\n", x, usd[0], usd[1]);
    }
    return isnan(*out_cross) ? 0 : 1;
}

/* The line of a file's points nearest to a share of the range, for a label on it. */
static void label_at(struct report *r, const struct even *e, double share, int which,
                     double *out_x, double *out_y)
{
    double usd[2] = {1, 1};
    struct jobq_error ignored;
    *out_x = spaced(e->low, e->high, share);
    even_point(r, e, *out_x, usd, &ignored);
    *out_y = usd[which];
}

static void open_even(struct report *r, const struct even *e, double cross,
                      const char *at)
{
    double usd[2] = {0, 0};
    struct jobq_error ignored;
    even_point(r, e, isnan(cross) ? e->low : fmax(e->low, cross / 1.5), usd, &ignored);
    const char *less = usd[0] < usd[1] ? e->first_name : e->second_name;
    const char *more = usd[0] < usd[1] ? e->second_name : e->first_name;
    char first = (char)toupper((unsigned char)*less);
    if (isnan(cross))
        report_open(r, "break-even", "Break-even", "%c%s cost less than %s at any %s",
                    first, less + 1, more, predict_input_name(e->input));
    else
        report_open(r, "break-even", "Break-even", "%c%s cost less than %s below %s %s",
                    first, less + 1, more, e->words, at);
}

static int draw_even(struct report *r, const struct even *e, const struct text *csv,
                     double cross, struct jobq_error *err)
{
    char settings[600], alt[400], at[40] = "none";
    double x[2], y[2];
    int code = report_keep(r, "breakeven.csv", csv->ptr, csv->len, err);
    if (code)
        return code;
    bool crosses = !isnan(cross);
    if (crosses && e->input == PREDICT_PAYLOAD)
        cost_size(cross, at, sizeof at);
    else if (crosses && e->input == PREDICT_JOB_TIME)
        cost_duration(cross, at, sizeof at);
    else if (crosses)
        snprintf(at, sizeof at, "%.3g", cross);
    label_at(r, e, 0.25, 0, &x[0], &y[0]);
    label_at(r, e, 0.75, 1, &x[1], &y[1]);
    snprintf(settings, sizeof settings,
             "XLO = %.6g\nXHI = %.6g\nXLABEL = '%s'\nFIRST = '%s'\nSECOND = '%s'\n"
             "CROSS_X = %.8g\nCROSS_TEXT = 'even at %s'\nTICS = '%s'\nFIRST_X = %.6g\n"
             "FIRST_Y = %.6g\nSECOND_X = %.6g\nSECOND_Y = %.6g\n",
             e->low, e->high, predict_input_name(e->input), e->first_name, e->second_name,
             crosses ? cross : -1, at,
             e->input == PREDICT_PAYLOAD    ? "bytes"
             : e->input == PREDICT_JOB_TIME ? "seconds"
                                            : "",
             x[0], y[0], x[1], y[1]);
    snprintf(alt, sizeof alt, "%s (blue) against %s (orange), by %s: %s%s.",
             e->first_name, e->second_name, predict_input_name(e->input),
             crosses ? "even at " : "no crossing on this range", crosses ? at : "");
    json_object_set_new(r->facts, "break_even",
                        json_pack("{s:s,s:s,s:s,s:s,s:o}", "option", e->option, "first",
                                  e->first, "second", e->second, "over",
                                  predict_input_name(e->input), "at",
                                  crosses ? json_real(cross) : json_null()));
    open_even(r, e, cross, at);
    struct report_picture picture = {"breakeven", "breakeven.gp", settings, alt, 380,
                                     320};
    code = report_plot(r, &picture, err);
    report_close(r);
    return code;
}

int report_even(struct report *r, struct jobq_error *err)
{
    static const struct even pair[] = {
        {"store", "simpledb", "dynamodb", "rows in SimpleDB", "rows in DynamoDB",
         PREDICT_PAYLOAD, 64, 65536, "payloads of"},
        {"wait", "0s", "20s", "short polls", "polls of 20 s", PREDICT_UTILISATION, 0.01,
         1, "a utilisation of"},
        {"batch", "1", "10", "single requests", "batches of ten", PREDICT_JOB_TIME, 0.01,
         100, "job times of"},
    };
    int code = JOBQ_OK, drawn = 0, fallback = -1;
    /* The first pair that crosses; if none does, the first that can be priced. */
    for (int i = 0; i < 3 && !drawn && !code; i++) {
        struct text csv = {0};
        double cross;
        int got = even_curve(r, &pair[i], &csv, &cross);
        if (got == 1) {
            code = draw_even(r, &pair[i], &csv, cross, err);
            drawn = 1;
        } else if (got == 0 && fallback < 0)
            fallback = i;
        text_release(&csv);
    }
    if (!drawn && fallback >= 0 && !code) {
        struct text csv = {0};
        double cross;
        even_curve(r, &pair[fallback], &csv, &cross);
        code = draw_even(r, &pair[fallback], &csv, (double)NAN, err);
        text_release(&csv);
    }
    return code;
}
