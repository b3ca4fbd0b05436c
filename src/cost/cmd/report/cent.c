/* cent.c - what one job's cent is made of, and what moves it.
 *
 * Room: src/cost, jobqcost's command line; does I/O. */
#include "cost/cmd/report/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one job's cent --------------------------------------------------------------------- */

enum part {
    PART_SEND,
    PART_RECEIVE,
    PART_DELETE,
    PART_QUEUE,
    PART_STORE,
    PART_KEPT,
    PART_CPU,
    PART_IDLE,
    PART_BYTES,
    PART_COUNT
};
/* A colour is a service's: blues the queue, greens the store, orange the boxes. */
static const struct {
    const char *name;
    unsigned colour;
} PARTS[PART_COUNT] = {
    {"send", 0x56B4E9},        {"receive", 0x0072B2},    {"delete", 0xA6D8F5},
    {"other queue", 0x7FA8C9}, {"store", 0x009E73},      {"rows kept, volumes", 0x8CD1BC},
    {"CPU", 0xE69F00},         {"boot, idle", 0xF0E442}, {"bytes", 0xCC79A7},
};

static enum part part_of(const struct bill_item *item)
{
    switch (item->component) {
    case BILL_BANDWIDTH_IN:
    case BILL_BANDWIDTH_OUT:
        return PART_BYTES;
    case BILL_STORAGE:
        return PART_KEPT;
    case BILL_CPU:
        return PART_CPU;
    case BILL_BOOT:
    case BILL_IDLE:
        return PART_IDLE;
    case BILL_SERVICE_CALLS:
    case BILL_COMPONENT_COUNT:
        break;
    }
    if (strcmp(item->service, "sqs") != 0)
        return PART_STORE;
    return strncmp(item->what, "SendMessage", 11) == 0      ? PART_SEND
           : strncmp(item->what, "ReceiveMessage", 14) == 0 ? PART_RECEIVE
           : strncmp(item->what, "DeleteMessage", 13) == 0  ? PART_DELETE
                                                            : PART_QUEUE;
}

struct bar {
    char name[80];
    double usd[PART_COUNT], sum;
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
    sc.jobs = 0;
    if (strcmp(sc.instance, "none") != 0 && !sheet_has(sheet, "ec2", sc.instance))
        strcpy(sc.instance, "m1.small");
    if (kept && strcmp(kept->era, sc.era) != 0)
        r->cli->formula = NULL;
    code = cost_evaluate(r->cli, sheet, &sc, &e, err);
    r->cli->formula = kept;
    if (code)
        return code;
    snprintf(bar->name, sizeof bar->name, "%s %s", sheet_date(sheet), sc.instance);
    for (int i = 0; i < e.bill.count; i++) {
        double usd = e.bill.item[i].usd * 1e6 / e.jobs;
        bar->usd[part_of(&e.bill.item[i])] += usd;
        bar->sum += usd;
    }
    evaluation_release(&e);
    return JOBQ_OK;
}

static void bars_csv(const struct bar *bar, int bars, struct text *csv)
{
    double most = 0;
    for (int b = 0; b < bars; b++)
        most = fmax(most, bar[b].sum);
    text_puts(csv, "bar,name,part,from,to,usd_per_million,colour,text\n");
    for (int b = 0; b < bars; b++) {
        double at = 0;
        for (int p = 0; p < PART_COUNT; p++) {
            double usd = bar[b].usd[p];
            if (usd > 0)
                text_printf(csv, "%d,%s,%s,%.8g,%.8g,%.8g,%u,%s\n", b, bar[b].name,
                            p == PART_KEPT   ? "kept"
                            : p == PART_IDLE ? "boot and idle"
                                             : PARTS[p].name,
                            at, at + usd, usd, PARTS[p].colour,
                            usd > 0.05 * most ? PARTS[p].name : "");
            at += usd;
        }
    }
}

static void bars_table(struct report *r, const struct bar *bar, int bars)
{
    char usd[40];
    text_puts(&r->page, "<div class=\"wide\"><table><tr><th>USD per million</th>");
    for (int b = 0; b < bars; b++) {
        text_puts(&r->page, "<th>");
        report_escape(&r->page, bar[b].name);
        text_puts(&r->page, "</th>");
    }
    text_puts(&r->page, "</tr>\n");
    for (int p = 0; p <= PART_COUNT; p++) {
        double sum = 0;
        for (int b = 0; b < bars; b++)
            sum += p < PART_COUNT ? bar[b].usd[p] : bar[b].sum;
        if (!(sum > 0))
            continue;
        text_puts(&r->page, "<tr>");
        report_cell(r, false, "%s", p < PART_COUNT ? PARTS[p].name : "all");
        for (int b = 0; b < bars; b++)
            report_cell(
                r, true, "%s",
                cost_usd_cell(p < PART_COUNT ? bar[b].usd[p] : bar[b].sum, usd, 40));
        text_puts(&r->page, "</tr>\n");
    }
    text_puts(&r->page, "</table></div>\n");
}

int report_cent(struct report *r, struct jobq_error *err)
{
    static const char *const dates[] = {"2026", "2012-10"};
    struct bar bar[2] = {0};
    struct text csv = {0};
    char settings[300];
    int bars = 0, code = JOBQ_OK;
    text_puts(&r->page, "<section id=\"cent\"><h2>What a job's cent is made of</h2>\n");
    for (int i = 0; i < 2 && code == JOBQ_OK; i++) {
        code = fill_bar(r, dates[i], &bar[bars], err);
        if (code == JOBQ_NOT_FOUND) {
            /* A region that did not sell this then: said, not guessed. */
            report_say(r, "note", "%s: %s.", dates[i], err->text);
            code = JOBQ_OK;
        } else if (!code)
            bars++;
    }
    if (!code && bars) {
        bars_csv(bar, bars, &csv);
        code = report_keep(r, "cent.csv", csv.ptr, csv.len, err);
        snprintf(settings, sizeof settings, "BARS = %d\nNAMES = '\"%s\" \"%s\"'\n", bars,
                 bar[0].name, bars > 1 ? bar[1].name : "");
        if (!code)
            code = report_plot(r, "cent", "cent.gp", settings,
                               "The same job in two years, by what is paid for. A type "
                               "that a year did not sell is replaced by m1.small.",
                               err);
        if (!code)
            bars_table(r, bar, bars);
    }
    text_release(&csv);
    text_puts(&r->page, "</section>\n");
    return code;
}

/* ---- tornado ------------------------------------------------------------------------------ */

#define SWING 0.2
#define TORNADO_SHOWN 12
#define TORNADO_MAX (PREDICT_INPUT_COUNT + 8)

struct swing {
    char name[48];
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

/* An input moved by a fifth either way; a side that is refused (batch 12) stays put. */
static void swing_input(struct report *r, enum predict_input input, double base_usd,
                        struct swing *out)
{
    double value = predict_get(&r->base, input);
    double side[2] = {value * (1 - SWING), value * (1 + SWING)};
    snprintf(out->name, sizeof out->name, "%s", predict_input_name(input));
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
    }
    out->low = side[0];
    out->high = side[1];
}

/* A service's prices moved by a fifth: its share of the bill moves by as much. */
static int swing_prices(struct report *r, double base_usd, struct swing *out, int cap,
                        struct jobq_error *err)
{
    struct evaluation e;
    int count = 0, code = cost_evaluate(r->cli, r->sheet, &r->base, &e, err);
    if (code)
        return code;
    for (int i = 0; i < e.bill.count; i++) {
        char name[48];
        int at = 0;
        snprintf(name, sizeof name, "price:%s", e.bill.item[i].service);
        while (at < count && strcmp(out[at].name, name) != 0)
            at++;
        if (at == cap)
            continue;
        if (at == count) {
            out[count++] = (struct swing){
                .low = 1 - SWING, .high = 1 + SWING, .usd = {base_usd, base_usd}};
            strcpy(out[at].name, name);
        }
        double usd = e.bill.item[i].usd * 1e6 / e.jobs * SWING;
        out[at].usd[0] -= usd;
        out[at].usd[1] += usd;
    }
    evaluation_release(&e);
    return count;
}

int report_tornado(struct report *r, struct jobq_error *err)
{
    struct swing swing[TORNADO_MAX];
    struct text csv = {0}, names = {0};
    double base_usd;
    int count = 0;
    text_puts(&r->page, "<section id=\"tornado\"><h2>What moves it</h2>\n");
    int code = report_point(r, &r->base, &base_usd, NULL, NULL, err);
    for (int i = 0; i < PREDICT_INPUT_COUNT && !code; i++)
        if (predict_get(&r->base, (enum predict_input)i) > 0)
            swing_input(r, (enum predict_input)i, base_usd, &swing[count++]);
    int prices =
        code ? code : swing_prices(r, base_usd, swing + count, TORNADO_MAX - count, err);
    if (prices < 0)
        return prices;
    count += prices;
    qsort(swing, (size_t)count, sizeof *swing, by_span);
    while (count > 1 && span(&swing[count - 1]) < 1e-3 * base_usd)
        count--;
    if (count > TORNADO_SHOWN)
        count = TORNADO_SHOWN;
    text_puts(&csv, "row,input,low,high,usd_at_low,usd_at_high\n");
    text_printf(&names, "BASE = %.10g\nROWS = %d\nNAMES = \"", base_usd, count);
    for (int i = count - 1; i >= 0; i--) {
        text_printf(&csv, "%d,%s,%.8g,%.8g,%.8g,%.8g\n", count - 1 - i, swing[i].name,
                    swing[i].low, swing[i].high, swing[i].usd[0], swing[i].usd[1]);
        text_printf(&names, "%s ", swing[i].name);
    }
    text_puts(&names, "\"\n");
    code = report_keep(r, "tornado.csv", csv.ptr, csv.len, err);
    if (!code)
        code =
            report_plot(r, "tornado", "tornado.gp", names.ptr,
                        "Each input and each service's prices moved by 20 % either way, "
                        "the others as they are; a value that is refused (a batch over "
                        "10) stays.",
                        err);
    text_release(&csv);
    text_release(&names);
    text_puts(&r->page, "</section>\n");
    return code;
}
