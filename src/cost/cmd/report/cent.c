/* cent.c - what the money is, in 2012 and today, and what moves it.
 *
 * Room: src/cost, jobqcost's command line; does I/O. */
#include "cost/cmd/report/report.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- by service --------------------------------------------------------------------------- */

/* A colour is a service's on every picture. */
static unsigned colour_of(const char *name)
{
    static const struct {
        const char *name;
        unsigned colour;
    } colours[] = {{"SQS", 0x56B4E9},
                   {"SimpleDB", 0x009E73},
                   {"DynamoDB", 0xCC79A7},
                   {"EC2", 0xE69F00},
                   {"transfer", 0xF0E442}};
    for (size_t i = 0; i < sizeof colours / sizeof *colours; i++)
        if (strcmp(colours[i].name, name) == 0)
            return colours[i].colour;
    return 0xD55E00;
}

struct bar {
    char name[80];
    struct answer_service service[BILL_SERVICE_COUNT];
    int services;
    double sum;
};

/* A sheet of another year: its era, no long poll where there was none, the closed form,
 * and the smallest box of its time where the scenario's type was not for sale. */
static int fill_bar(struct report *r, const char *date, struct bar *bar,
                    struct jobq_error *err)
{
    struct sheet *sheet;
    struct predict_scenario sc = r->base;
    struct evaluation e;
    struct formula *kept = r->cli->formula;
    bool wait_cut = r->cli->wait_cut, era_given = r->cli->era_given;
    int code = cost_sheet(r->cli, r->cli->region, date, &sheet, err);
    if (code)
        return code;
    r->cli->era_given = false;
    cost_era(r->cli, sheet, &sc);
    r->cli->era_given = era_given;
    r->cli->wait_cut = wait_cut;
    if (strcmp(sc.instance, "none") != 0 && !sheet_has(sheet, "ec2", sc.instance))
        strcpy(sc.instance, scenario_default_instance(sc.era));
    if (kept && strcmp(kept->era, sc.era) != 0)
        r->cli->formula = NULL;
    code = cost_evaluate(r->cli, sheet, &sc, &e, err);
    r->cli->formula = kept;
    if (code)
        return code;
    snprintf(bar->name, sizeof bar->name, "%.4s, %s", sheet_date(sheet),
             strcmp(sc.instance, "none") == 0 ? "without EC2" : sc.instance);
    bar->services = answer_services(&e.bill, 1e6 / e.jobs, bar->service);
    bar->sum = e.usd_per_million;
    evaluation_release(&e);
    return JOBQ_OK;
}

/* Bars from below: the first on top. */
static void bars_csv(const struct bar *bar, int bars, struct text *csv,
                     struct text *titles)
{
    double most = 0;
    char usd[40];
    for (int b = 0; b < bars; b++)
        most = fmax(most, bar[b].sum);
    text_puts(csv, "bar,name,service,from,to,usd_per_million,colour,label\n");
    text_puts(titles, "bar,title,parts\n");
    for (int b = 0; b < bars; b++) {
        double at = 0;
        int row = bars - 1 - b;
        text_printf(titles, "%d,\"%s: %s a million\",\"", row, bar[b].name,
                    cost_money(bar[b].sum, usd, 40));
        for (int i = 0; i < bar[b].services; i++) {
            const struct answer_service *s = &bar[b].service[i];
            text_printf(csv, "%d,\"%s\",%s,%.8g,%.8g,%.8g,%u,%s\n", row, bar[b].name,
                        s->name, at, at + s->usd, s->usd, colour_of(s->name),
                        s->usd > 0.14 * most ? s->name : "");
            if (i < 4)
                text_printf(titles, "%s%s %s", i ? ", " : "", s->name,
                            cost_money(s->usd, usd, 40));
            at += s->usd;
        }
        text_puts(titles, "\"\n");
    }
}

static void bars_table(struct report *r, const struct bar *bar, int bars)
{
    char usd[40];
    report_fold(r, "The same as a table");
    report_table(r, "year|service|#USD a million|#share");
    for (int b = 0; b < bars; b++)
        for (int i = 0; i < bar[b].services; i++) {
            report_row(r);
            report_cell(r, "%s", bar[b].name);
            report_cell(r, "%s", bar[b].service[i].name);
            report_cell(r, "%s", cost_usd_cell(bar[b].service[i].usd, usd, 40));
            report_cell(r, "%.1f %%", 100 * bar[b].service[i].usd / bar[b].sum);
        }
    report_table_end(r);
    report_unfold(r);
}

static void bars_open(struct report *r, const struct bar *bar, int bars)
{
    if (bars == 2 && bar[0].services && bar[1].services &&
        strcmp(bar[0].service[0].name, bar[1].service[0].name) == 0)
        report_open(r, "services", "Cost by service",
                    "%s is the largest part, in %.4s as in %.4s", bar[0].service[0].name,
                    bar[0].name, bar[1].name);
    else if (bars == 2 && bar[0].services && bar[1].services)
        report_open(r, "services", "Cost by service",
                    "%s is the largest part in %.4s; in %.4s it was %s",
                    bar[0].service[0].name, bar[0].name, bar[1].name,
                    bar[1].service[0].name);
    else
        report_open(r, "services", "Cost by service", "What the money is for");
}

int report_services(struct report *r, struct jobq_error *err)
{
    static const char *const dates[] = {"2026", "2012-10"};
    struct bar bar[2] = {0};
    struct text csv = {0}, titles = {0}, missing = {0};
    char settings[40];
    int bars = 0, code = JOBQ_OK;
    for (int i = 0; i < 2 && code == JOBQ_OK; i++) {
        code = fill_bar(r, dates[i], &bar[bars], err);
        if (code == JOBQ_NOT_FOUND || code == JOBQ_LIMIT) {
            /* A region or service that was not there then: said, not guessed. */
            text_printf(&missing, "%s%s: %s.", missing.len ? " " : "", dates[i],
                        err->text);
            code = JOBQ_OK;
        } else if (!code)
            bars++;
    }
    bars_open(r, bar, bars);
    if (!code && missing.len)
        report_say(r, "note", "%s", missing.ptr);
    if (!code && bars) {
        bars_csv(bar, bars, &csv, &titles);
        code = report_keep(r, "services.csv", csv.ptr, csv.len, err);
        if (!code)
            code = report_keep(r, "services-titles.csv", titles.ptr, titles.len, err);
        snprintf(settings, sizeof settings, "BARS = %d\n", bars);
        struct report_picture picture = {"services",
                                         "services.gp",
                                         settings,
                                         "The same jobs at the prices of two years. A "
                                         "type that a year did not sell is "
                                         "replaced by the smallest of its time.",
                                         110 + 130 * bars,
                                         100 + 120 * bars};
        if (!code)
            code = report_plot(r, &picture, err);
        if (!code)
            bars_table(r, bar, bars);
    }
    text_release(&csv);
    text_release(&titles);
    text_release(&missing);
    report_close(r);
    return code;
}

/* ---- tornado ------------------------------------------------------------------------------ */

#define SWING 0.2
#define TORNADO_SHOWN 8
#define TORNADO_MAX (PREDICT_INPUT_COUNT + 8)

struct swing {
    char name[64], side[2][32];
    double low, high, usd[2];
};

static double span(const struct swing *s)
{
    return fabs(s->usd[1] - s->usd[0]);
}

static int by_span(const void *a, const void *b)
{
    double x = span(a), y = span(b);
    return x > y ? -1
           : x < y
               ? 1
               : strcmp(((const struct swing *)a)->name, ((const struct swing *)b)->name);
}

/* What the input is, in words; its option where there are none. */
static const char *words_of(enum predict_input input)
{
    static const struct {
        enum predict_input input;
        const char *words;
    } words[] = {{PREDICT_PAYLOAD, "the payload"},
                 {PREDICT_JOB_TIME, "the time of a job"},
                 {PREDICT_CPU_SHARE, "the share of processor time"},
                 {PREDICT_CONCURRENCY, "the slots of a box"},
                 {PREDICT_BOXES, "the number of boxes"},
                 {PREDICT_UTILISATION, "how busy the slots are"},
                 {PREDICT_ARRIVALS, "the rate of arrivals"},
                 {PREDICT_JOBS, "the number of jobs"},
                 {PREDICT_BATCH, "messages a request"},
                 {PREDICT_WAIT, "the long poll"},
                 {PREDICT_VISIBILITY, "the visibility timeout"},
                 {PREDICT_KEEP, "how long rows are kept"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i].input == input)
            return words[i].words;
    return predict_input_name(input);
}

/* An input moved by a fifth either way; a side that is refused (batch 12) stays put. */
static void swing_input(struct report *r, enum predict_input input, double base_usd,
                        struct swing *out)
{
    double value = predict_get(&r->base, input);
    double side[2] = {value * (1 - SWING), value * (1 + SWING)};
    snprintf(out->name, sizeof out->name, "%s", words_of(input));
    for (int i = 0; i < 2; i++) {
        struct predict_scenario sc = r->base;
        struct jobq_error ignored;
        if (predict_input_whole(input))
            side[i] = round(side[i]);
        predict_put(&sc, input, side[i]);
        if (report_point(r, &sc, &out->usd[i], NULL, NULL, &ignored)) {
            out->usd[i] = base_usd;
            side[i] = value;
        }
        if (input == PREDICT_ARRIVALS)
            cost_rate(side[i], out->side[i], 32);
        else if (input == PREDICT_PAYLOAD)
            cost_size(side[i], out->side[i], 32);
        else if (input == PREDICT_JOB_TIME || input == PREDICT_KEEP)
            cost_duration(side[i], out->side[i], 32);
        else
            predict_input_text(input, side[i], out->side[i], 32);
    }
    out->low = side[0];
    out->high = side[1];
}

/* A service's prices moved by a fifth: its share of the bill moves by as much. */
static int swing_prices(struct report *r, double base_usd, struct swing *out, int cap)
{
    int count = 0;
    for (; count < r->answer.services && count < cap; count++) {
        const struct answer_service *s = &r->answer.service[count];
        out[count] =
            (struct swing){.low = 1 - SWING,
                           .high = 1 + SWING,
                           .side = {"20 % less", "more"},
                           .usd = {base_usd - SWING * s->usd, base_usd + SWING * s->usd}};
        snprintf(out[count].name, sizeof out[count].name, "the prices of %s", s->name);
    }
    return count;
}

static void swing_text(const struct swing *s, double base_usd, struct text *out)
{
    char usd[40];
    const char *join = ": ";
    text_puts(out, s->name);
    for (int i = 0; i < 2; i++)
        if (fabs(s->usd[i] - base_usd) > 1e-9 * base_usd) {
            text_printf(out, "%s%s \xe2\x86\x92 %s", join, s->side[i],
                        cost_money(s->usd[i], usd, 40));
            join = ", ";
        }
}

static int draw_tornado(struct report *r, const struct swing *swing, int count,
                        double base_usd, struct jobq_error *err)
{
    struct text csv = {0}, line = {0};
    char settings[160];
    double low = base_usd, high = base_usd;
    text_puts(&csv, "row,input,low,high,usd_at_low,usd_at_high,text\n");
    for (int i = count - 1; i >= 0; i--) {
        text_clear(&line);
        swing_text(&swing[i], base_usd, &line);
        text_printf(&csv, "%d,%s,%.8g,%.8g,%.8g,%.8g,\"%s\"\n", count - 1 - i,
                    swing[i].name, swing[i].low, swing[i].high, swing[i].usd[0],
                    swing[i].usd[1], line.ptr);
        for (int k = 0; k < 2; k++) {
            low = fmin(low, swing[i].usd[k]);
            high = fmax(high, swing[i].usd[k]);
        }
    }
    snprintf(settings, sizeof settings,
             "BASE = %.10g\nROWS = %d\nXLO = %.8g\nXHI = %.8g\n", base_usd, count,
             low - 0.05 * (high - low), high + 0.05 * (high - low));
    int code = report_keep(r, "tornado.csv", csv.ptr, csv.len, err);
    struct report_picture picture = {
        "tornado",
        "tornado.gp",
        settings,
        "Each input and each service's prices 20 % less (light blue) and 20 % more "
        "(orange), the others as they are. A value that is refused, such as a batch over "
        "10, stays.",
        100 + 46 * count,
        90 + 42 * count};
    if (!code)
        code = report_plot(r, &picture, err);
    text_release(&csv);
    text_release(&line);
    return code;
}

int report_tornado(struct report *r, struct jobq_error *err)
{
    struct swing swing[TORNADO_MAX];
    char title[80];
    double base_usd;
    int count = 0;
    int code = report_point(r, &r->base, &base_usd, NULL, NULL, err);
    if (code)
        return code;
    for (int i = 0; i < PREDICT_INPUT_COUNT; i++)
        if (predict_get(&r->base, (enum predict_input)i) > 0)
            swing_input(r, (enum predict_input)i, base_usd, &swing[count++]);
    count += swing_prices(r, base_usd, swing + count, TORNADO_MAX - count);
    qsort(swing, (size_t)count, sizeof *swing, by_span);
    while (count > 1 && span(&swing[count - 1]) < 1e-3 * base_usd)
        count--;
    if (count > TORNADO_SHOWN)
        count = TORNADO_SHOWN;
    snprintf(title, sizeof title, "%s", swing[0].name);
    title[0] = (char)toupper((unsigned char)title[0]);
    const char *move =
        strncmp(title, "The prices", 10) == 0 || strncmp(title, "The slots", 9) == 0
            ? "move"
            : "moves";
    double less = 100 * fabs(swing[0].usd[0] / base_usd - 1);
    double more = 100 * fabs(swing[0].usd[1] / base_usd - 1);
    if (fabs(less - more) < 0.5)
        report_open(r, "tornado", "What moves it",
                    "%s %s it most: 20 %% of them are %.0f %% of the cost", title, move,
                    less);
    else
        report_open(
            r, "tornado", "What moves it",
            "%s %s it most: by %.0f %% when 20 %% less, by %.0f %% when 20 %% more",
            title, move, less, more);
    code = draw_tornado(r, swing, count, base_usd, err);
    report_close(r);
    return code;
}
