/* maps.c - the report's heat maps and break-even curve.
 *
 * Room: src/cost, jobqcost's command line; does I/O. */
#include "cost/cmd/report/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- heat maps ------------------------------------------------------------------------ */

#define MAP_COLUMNS 33
#define JOB_LOW_S 0.01
#define JOB_HIGH_S 100.0

struct map {
    const char *name, *ylabel;
    enum predict_input input; /* of y */
    int rows;                 /* >= 2 */
    double low, high;         /* of y; each step of the rows is an equal factor */
    double least, most;       /* dollars */
    bool has_target;          /* $1 is on the map */
};

static double spaced(double low, double high, double at)
{
    return low * pow(high / low, at);
}

static int map_cells(struct report *r, const struct predict_scenario *base, struct map *m,
                     struct text *csv, struct jobq_error *err)
{
    text_puts(csv, "job_time_s,y,x_low,x_high,y_low,y_high,usd_per_million\n");
    double half = 0.5 / (MAP_COLUMNS - 1), half_y = 0.5 / (m->rows - 1);
    m->least = HUGE_VAL;
    m->most = 0;
    for (int i = 0; i < MAP_COLUMNS; i++)
        for (int j = 0; j < m->rows; j++) {
            struct predict_scenario sc = *base;
            double x = (double)i / (MAP_COLUMNS - 1), y = (double)j / (m->rows - 1), usd;
            sc.job_s = spaced(JOB_LOW_S, JOB_HIGH_S, x);
            predict_put(&sc, m->input, round(spaced(m->low, m->high, y)));
            int code = report_point(r, &sc, &usd, NULL, NULL, err);
            /* What the service of that year refuses stays white. */
            if (code == JOBQ_LIMIT)
                usd = (double)NAN;
            else if (code)
                return code;
            m->least = fmin(m->least, usd);
            m->most = fmax(m->most, usd);
            text_printf(csv, "%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.8g\n", sc.job_s,
                        spaced(m->low, m->high, y),
                        spaced(JOB_LOW_S, JOB_HIGH_S, x - half),
                        spaced(JOB_LOW_S, JOB_HIGH_S, x + half),
                        spaced(m->low, m->high, y - half_y),
                        spaced(m->low, m->high, y + half_y), usd);
        }
    return JOBQ_OK;
}

/* Each contour is where along the job time the cost crosses its level, row by row. */
static void map_contours(struct report *r, const struct predict_scenario *base,
                         struct map *m, struct text *csv, struct text *labels)
{
    static const double level[] = {1, 2, 5, 10, 20, 50, 100, 200, 500};
    text_puts(csv, "level,job_time_s,y\n");
    text_puts(labels, "level,job_time_s,y,text\n");
    for (size_t l = 0; l < sizeof level / sizeof *level; l++) {
        double label_x = 0, label_y = 0;
        int found = 0;
        for (int j = 0; j < m->rows; j++) {
            struct predict_scenario sc = *base;
            double y = spaced(m->low, m->high, (double)j / (m->rows - 1)), x;
            predict_put(&sc, m->input, round(y));
            if (!search_cross(&r->context, &sc, PREDICT_JOB_TIME, JOB_LOW_S, JOB_HIGH_S,
                              level[l], &x))
                continue;
            /* Labels of neighbours stand on different rows. */
            if (!found++ || j <= (int)(1 + l % 3 * 2)) {
                label_x = x;
                label_y = y;
            }
            text_printf(csv, "%g,%.6g,%.6g\n", level[l], x, y);
        }
        if (found) {
            text_puts(csv, "\n");
            text_printf(labels, "%g,%.6g,%.6g,$%g\n", level[l], label_x, label_y,
                        level[l]);
        }
        if (level[l] == 1)
            m->has_target = found > 0;
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

static int draw_map(struct report *r, const struct predict_scenario *base, struct map *m,
                    struct jobq_error *err)
{
    struct text cells = {0}, contours = {0}, labels = {0};
    char settings[400], alt[500], a[40], b[40];
    int code = map_cells(r, base, m, &cells, err);
    if (!code) {
        map_contours(r, base, m, &contours, &labels);
        code = keep_named(r, m->name, "", &cells, err);
    }
    if (!code)
        code = keep_named(r, m->name, "-contour", &contours, err);
    if (!code)
        code = keep_named(r, m->name, "-labels", &labels, err);
    if (!code) {
        double half = 0.5 / (MAP_COLUMNS - 1), half_y = 0.5 / (m->rows - 1);
        snprintf(settings, sizeof settings,
                 "FILE = '%s'\nYLABEL = '%s'\nXLO = %.6g\nXHI = %.6g\nYLO = %.6g\n"
                 "YHI = %.6g\n",
                 m->name, m->ylabel, spaced(JOB_LOW_S, JOB_HIGH_S, -half),
                 spaced(JOB_LOW_S, JOB_HIGH_S, 1 + half),
                 spaced(m->low, m->high, -half_y), spaced(m->low, m->high, 1 + half_y));
        snprintf(alt, sizeof alt,
                 "Cost over job time and %s, store %s: %s to %s per million. %s",
                 predict_input_name(m->input), predict_store_name(base->store),
                 cost_usd(m->least, a, 40), cost_usd(m->most, b, 40),
                 m->has_target    ? "The thick red line is $1 per million."
                 : m->least > 1.0 ? "Nowhere on it is $1 per million reached."
                                  : "Everywhere on it $1 per million is reached.");
        code = report_plot(r, m->name, "heat.gp", settings, alt, err);
    }
    text_release(&cells);
    text_release(&contours);
    text_release(&labels);
    return code;
}

int report_maps(struct report *r, struct jobq_error *err)
{
    struct map map[] = {
        {"heat-concurrency", "slots a box (log)", PREDICT_CONCURRENCY, 7, 1, 64, 0, 0, 0},
        {"heat-payload", "payload, bytes (log)", PREDICT_PAYLOAD, 11, 64, 65536, 0, 0, 0},
        {"heat-concurrency-none", "slots a box (log)", PREDICT_CONCURRENCY, 7, 1, 64, 0,
         0, 0},
        {"heat-payload-none", "payload, bytes (log)", PREDICT_PAYLOAD, 11, 64, 65536, 0,
         0, 0},
    };
    struct predict_scenario sc = r->base;
    sc.jobs = 0;
    text_puts(&r->page, "<section id=\"maps\"><h2>Where $1 per million is</h2>\n");
    int code = JOBQ_OK;
    for (int i = 0; i < 2 && !code; i++)
        code = draw_map(r, &sc, &map[i], err);
    if (!code && !map[0].has_target && !map[1].has_target &&
        sc.store != PREDICT_NO_STORE) {
        report_say(r, "",
                   "No job time, concurrency or payload on these maps crosses $1. "
                   "Without status rows (store none) the maps are these.");
        sc.store = PREDICT_NO_STORE;
        for (int i = 2; i < 4 && !code; i++)
            code = draw_map(r, &sc, &map[i], err);
    }
    text_puts(&r->page, "</section>\n");
    return code;
}

/* ---- break-even ------------------------------------------------------------------------ */

struct even {
    const char *option, *first, *second; /* the two things compared */
    enum predict_input input;            /* along which */
    double low, high;
    const char *xlabel;
};

#define EVEN_POINTS 61

static int even_point(struct report *r, const struct even *e, double x, double usd[2],
                      struct jobq_error *err)
{
    for (int i = 0; i < 2; i++) {
        struct predict_scenario sc = r->base;
        sc.jobs = 0;
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

static int draw_even(struct report *r, const struct even *e, const struct text *csv,
                     double cross, struct jobq_error *err)
{
    char settings[600], alt[400], at[40] = "none";
    int code = report_keep(r, "breakeven.csv", csv->ptr, csv->len, err);
    if (code)
        return code;
    bool crosses = !isnan(cross);
    if (crosses)
        predict_input_text(e->input, cross, at, sizeof at);
    if (crosses && strlen(at) > 10)
        snprintf(at, sizeof at, "%.4g", cross);
    snprintf(settings, sizeof settings,
             "XLABEL = '%s'\nFIRST = '%s %s'\nSECOND = '%s %s'\nCROSS_X = %.8g\n"
             "CROSS_TEXT = 'even at %s'\n",
             e->xlabel, e->option, e->first, e->option, e->second, crosses ? cross : -1,
             at);
    snprintf(alt, sizeof alt, "%s %s against %s over %s: %s%s.", e->option, e->first,
             e->second, predict_input_name(e->input),
             crosses ? "even at " : "no crossing on this range", crosses ? at : "");
    json_object_set_new(r->facts, "break_even",
                        json_pack("{s:s,s:s,s:s,s:s,s:o}", "option", e->option, "first",
                                  e->first, "second", e->second, "over",
                                  predict_input_name(e->input), "at",
                                  crosses ? json_real(cross) : json_null()));
    return report_plot(r, "breakeven", "breakeven.gp", settings, alt, err);
}

int report_even(struct report *r, struct jobq_error *err)
{
    static const struct even pair[] = {
        {"store", "simpledb", "dynamodb", PREDICT_PAYLOAD, 64, 65536,
         "payload, bytes (log)"},
        {"wait", "0s", "20s", PREDICT_UTILISATION, 0.01, 1, "utilisation (log)"},
        {"batch", "1", "10", PREDICT_JOB_TIME, 0.01, 100, "job time, s (log)"},
    };
    text_puts(&r->page, "<section id=\"break-even\"><h2>Break-even</h2>\n");
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
    text_puts(&r->page, "</section>\n");
    return code;
}
