#include "cost/cmd/answer.h"

#include "base/arena.h"
#include "base/text.h"
#include "jobq/units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400.0
#define MONTH_S (SHEET_HOURS_PER_MONTH * 3600)
#define RATE_PER_S (1e6 / DAY_S) /* where none is given */

/* ---- by service ------------------------------------------------------------------------ */

static int answer_by_usd(const void *a, const void *b)
{
    const struct answer_service *x = a, *y = b;
    return x->usd > y->usd ? -1 : x->usd < y->usd ? 1 : strcmp(x->name, y->name);
}

int answer_services(const struct bill *bill, double scale,
                    struct answer_service out[BILL_SERVICE_COUNT])
{
    double usd[BILL_SERVICE_COUNT];
    int count = 0;
    bill_by_service(bill, usd);
    for (int i = 0; i < BILL_SERVICE_COUNT; i++)
        if (usd[i] > 0)
            out[count++] = (struct answer_service){
                bill_service_name((enum bill_service)i), usd[i] * scale};
    if (count)
        qsort(out, (size_t)count, sizeof *out, answer_by_usd);
    return count;
}

/* ---- other settings for the same jobs ---------------------------------------------------- */

/* What one may try, from the least given up to the most. */
struct trial {
    const char *option, *text, *shown; /* shown: as an option of the command line */
    const char *cost;
    int weight; /* what is given up: no number, an order */
};
#define TRIALS_MAX 8
#define TRIALS_TOGETHER 3

/* Where rows are kept, and how many. */
static int answer_row_trials(const struct predict_scenario *sc,
                             struct trial out[TRIALS_MAX])
{
    static const struct trial_rows {
        enum predict_rows rows;
        const char *shown;
        int weight;
    } fewer[] = {{PREDICT_ROWS_CLAIM, "--rows claim", 10},
                 {PREDICT_ROWS_END, "--rows end", 15}};
    int count = 0;
    if (sc->store == PREDICT_SIMPLEDB)
        out[count++] = (struct trial){"store", "dynamodb", "--store dynamodb", "", 3};
    for (size_t i = 0; i < sizeof fewer / sizeof *fewer; i++)
        if (sc->store != PREDICT_NO_STORE && sc->rows < fewer[i].rows)
            out[count++] = (struct trial){
                "rows", predict_rows_name(fewer[i].rows), fewer[i].shown,
                predict_gives_up(sc->store, fewer[i].rows), fewer[i].weight};
    if (sc->store != PREDICT_NO_STORE)
        out[count++] =
            (struct trial){"store", "none", "--store none",
                           predict_gives_up(PREDICT_NO_STORE, PREDICT_ROWS_ALL), 60};
    return count;
}

static int answer_trials(const struct predict_scenario *sc, char slots[2][32],
                         struct trial out[TRIALS_MAX])
{
    int count = 0;
    snprintf(slots[0], 32, "%.0f", sc->slots * 4);
    snprintf(slots[1], 32, "--concurrency %.0f", sc->slots * 4);
    if (sc->batch < 10)
        out[count++] = (struct trial){"batch", "10", "--batch 10", "", 1};
    if (sc->wait_s < 20 && strcmp(sc->era, "aws-2012") != 0)
        out[count++] = (struct trial){"wait", "20s", "--wait 20s", "", 1};
    if (strcmp(sc->instance, "none") != 0) {
        if (sc->slots * 4 <= 1000)
            out[count++] =
                (struct trial){"concurrency", slots[0], slots[1],
                               "four times the jobs at once in a box's memory", 2};
        if (!sc->spot)
            out[count++] = (struct trial){"spot", "yes", "--spot",
                                          "boxes that AWS may take back", 3};
    }
    return count + answer_row_trials(sc, out + count);
}

static void answer_describe(const struct trial *trial, int count, unsigned mask,
                            struct answer_change *out)
{
    out->how[0] = out->cost[0] = '\0';
    for (int i = 0; i < count; i++) {
        if (!(mask & 1u << i))
            continue;
        size_t how = strlen(out->how), cost = strlen(out->cost);
        snprintf(out->how + how, sizeof out->how - how, "%s%s", how ? " " : "",
                 trial[i].shown);
        if (*trial[i].cost)
            snprintf(out->cost + cost, sizeof out->cost - cost, "%s%s", cost ? "; " : "",
                     trial[i].cost);
    }
}

/* The fewest changes that reach the target with the least given up; if none do, the cheapest. */
static void answer_reach(const struct evaluate_context *context,
                         const struct predict_scenario *base, double usd, double target,
                         struct answer_change *out)
{
    struct trial trial[TRIALS_MAX];
    char slots[2][32];
    int count = answer_trials(base, slots, trial), least_weight = 0;
    unsigned reach = 0, cheapest = 0;
    double reach_usd = HUGE_VAL, least_usd = usd;
    struct jobq_ledger *scratch = xcalloc(1, sizeof *scratch);
    struct predict_scenario best = *base;
    *out = (struct answer_change){.found = usd <= target, .usd = usd};
    for (unsigned mask = 1; !out->found && mask < 1u << count; mask++) {
        struct predict_scenario sc = *base;
        struct jobq_error err;
        double now;
        int together = 0, weight = 0, stores = 0, rows = 0, code = JOBQ_OK;
        for (int i = 0; i < count && !code; i++) {
            if (!(mask & 1u << i))
                continue;
            together++;
            weight += 10 + trial[i].weight;
            stores += strcmp(trial[i].option, "store") == 0;
            rows += strcmp(trial[i].option, "rows") == 0;
            code = predict_set(&sc, trial[i].option, trial[i].text, &err);
        }
        bool none = sc.store == PREDICT_NO_STORE && rows;
        if (code || together > TRIALS_TOGETHER || stores > 1 || rows > 1 || none ||
            evaluate_point(context, &sc, scratch, &now, NULL, NULL, &err))
            continue;
        if (now < least_usd) {
            least_usd = now;
            cheapest = mask;
            best = sc;
        }
        if (now <= target && (!reach || weight < least_weight)) {
            reach = mask;
            reach_usd = now;
            least_weight = weight;
        }
    }
    if (!out->found) {
        answer_describe(trial, count, reach ? reach : cheapest, out);
        out->found = reach != 0;
        out->usd = reach ? reach_usd : least_usd;
        if (!reach && base->job_s > 0 &&
            !search_cross(context, &best, PREDICT_JOB_TIME, fmin(1e-3, base->job_s / 2),
                          base->job_s, target, &out->job_s))
            out->job_s = 0;
    }
    jobq_ledger_release(scratch);
    free(scratch);
}

/* The cheapest store and rows for the same boxes that can still be asked how a job stands. */
static void answer_status(const struct evaluate_context *context,
                          const struct predict_scenario *base, double usd,
                          struct answer_change *out)
{
    struct trial trial[TRIALS_MAX];
    int count = answer_row_trials(base, trial);
    struct jobq_ledger *scratch = xcalloc(1, sizeof *scratch);
    *out = (struct answer_change){.usd = usd};
    for (unsigned mask = 1; mask < 1u << count; mask++) {
        struct predict_scenario sc = *base;
        struct jobq_error err;
        double now;
        int code = JOBQ_OK;
        for (int i = 0; i < count && !code; i++)
            if (mask & 1u << i)
                code = predict_set(&sc, trial[i].option, trial[i].text, &err);
        if (code || sc.store == PREDICT_NO_STORE ||
            evaluate_point(context, &sc, scratch, &now, NULL, NULL, &err) ||
            now > out->usd * (1 - 1e-6))
            continue;
        answer_describe(trial, count, mask, out);
        out->usd = now;
        out->found = true;
    }
    jobq_ledger_release(scratch);
    free(scratch);
}

/* ---- in words -------------------------------------------------------------------------- */

static void answer_say_jobs(const struct predict_scenario *sc, char *out, size_t cap)
{
    char size[120], time[40], cpu[80], memory[40];
    cost_size(sc->payload_bytes, size, 40);
    if (sc->memory_bytes > 0) {
        size_t len = strlen(size);
        snprintf(size + len, sizeof size - len, " and %s of memory",
                 cost_size(sc->memory_bytes, memory, 40));
    }
    const char *rows = sc->store == PREDICT_NO_STORE    ? ""
                       : sc->rows == PREDICT_ROWS_CLAIM ? ", with rows at claim and end,"
                       : sc->rows == PREDICT_ROWS_END   ? ", with a row at the end alone,"
                                                        : "";
    if (!(sc->job_s > 0)) {
        snprintf(out, cap, "jobs of %s that take no time%s", size, rows);
        return;
    }
    cost_duration(sc->job_s, time, 40);
    if (!(sc->cpu_share > 0))
        snprintf(cpu, sizeof cpu, "no processor time");
    else if (sc->cpu_share >= 1)
        snprintf(cpu, sizeof cpu, "all processor time");
    else
        snprintf(cpu, sizeof cpu, "%.3g %% of it processor time", 100 * sc->cpu_share);
    snprintf(out, cap, "jobs of %s that take %s%s (%s)%s", size, time,
             sc->job_cv > 0 ? " on average" : " each", cpu, rows);
}

static void answer_say_counts(const struct predict_scenario *sc, char *out, size_t cap)
{
    char a[40], b[40];
    int n = 0;
    if (sc->jobs > 0)
        n = snprintf(out, cap,
                     "a whole run of %s jobs that are there at once, on %s box%s, boot "
                     "and idle time included",
                     cost_count(sc->jobs, a, 40), cost_count(sc->boxes, b, 40),
                     sc->boxes > 1 ? "es" : "");
    else if (sc->arrivals_per_s > 0)
        n = snprintf(out, cap,
                     "jobs that keep coming, %s, to %s box%s, idle time included",
                     cost_rate(sc->arrivals_per_s, a, 40), cost_count(sc->boxes, b, 40),
                     sc->boxes > 1 ? "es" : "");
    else if (sc->utilisation < 1)
        n = snprintf(out, cap,
                     "one job more, on boxes whose slots are busy %.3g %% of the time",
                     100 * sc->utilisation);
    else
        n = snprintf(
            out, cap,
            "one job more, on boxes whose slots are all busy: no boot, no idle time");
    if (strcmp(sc->instance, "none") == 0 && n > 0 && (size_t)n < cap)
        snprintf(out + n, cap - (size_t)n, "; without EC2");
}

/* The price that adds most to the doubt. */
static void answer_say_doubtful(const struct bill *bill, char *out, size_t cap)
{
    const struct bill_item *worst = NULL;
    double most = 0;
    out[0] = '\0';
    for (int i = 0; i < bill->count; i++) {
        struct bill one = {.item = &bill->item[i], .count = 1};
        double half = evaluate_price_half(&one);
        if (half > most) {
            most = half;
            worst = &bill->item[i];
        }
    }
    if (worst && worst->assumed)
        snprintf(out, cap, "%s.%s, assumed from %s", worst->service, worst->item,
                 worst->region);
    else if (worst)
        snprintf(out, cap, "%s.%s, last seen %s", worst->service, worst->item,
                 worst->date);
}

/* ---- the whole --------------------------------------------------------------------------- */

static void answer_fleet(const struct predict_scenario *sc,
                         const struct predict_state *state, struct answer *out)
{
    double slots = state->ceiling_per_s[PREDICT_BOUND_SLOTS];
    double domains = state->ceiling_per_s[PREDICT_BOUND_DOMAINS];
    out->box_rate_per_s =
        strcmp(sc->instance, "none") != 0 && isfinite(slots)
            ? fmin(slots, state->ceiling_per_s[PREDICT_BOUND_VCPU]) / sc->boxes
            : 0;
    if (!(out->rate_per_s > 0))
        return;
    if (out->box_rate_per_s > 0)
        out->boxes = floor(out->rate_per_s / out->box_rate_per_s) + 1;
    if (domains < out->rate_per_s)
        out->domains = ceil(out->rate_per_s / (domains / sc->domains));
}

void answer_make(struct cost *cli, const struct sheet *sheet,
                 const struct predict_scenario *sc, const struct evaluation *e,
                 struct answer *out)
{
    struct evaluate_context context = {sheet, &cli->bill, cli->formula};
    memset(out, 0, sizeof *out);
    out->usd = e->usd_per_million;
    evaluation_interval(e, &out->low, &out->high);
    out->model_half = (e->high_per_million - e->low_per_million) / 2;
    out->price_half = e->price_half_per_million;
    answer_say_doubtful(&e->bill, out->doubtful, sizeof out->doubtful);
    out->services = answer_services(&e->bill, 1e6 / e->jobs, out->service);
    if (sc->jobs > 0) {
        out->run_usd = e->bill.usd;
        out->run_s = e->value.state.makespan_s;
    } else {
        out->rate_given = sc->arrivals_per_s > 0;
        out->rate_per_s = out->rate_given ? sc->arrivals_per_s : RATE_PER_S;
        out->per_day_usd = out->rate_per_s * DAY_S * e->usd_per_job;
        out->per_month_usd = out->rate_per_s * MONTH_S * e->usd_per_job;
    }
    answer_fleet(sc, &e->value.state, out);
    answer_reach(&context, sc, out->usd, out->usd / 2, &out->half);
    answer_reach(&context, sc, out->usd, 1, &out->one);
    answer_status(&context, sc, out->usd, &out->status);
    answer_say_jobs(sc, out->jobs, sizeof out->jobs);
    answer_say_counts(sc, out->counts, sizeof out->counts);
}

static bool answer_is_dollar(double usd)
{
    return fabs(usd - 1) < 0.005;
}

void answer_sentence(const struct answer *a, struct text *out)
{
    char usd[40];
    text_printf(out, "A million %s cost %s", a->jobs, cost_money(a->usd, usd, 40));
    const char *join = ": ";
    for (int i = 0; i < a->services && a->usd > 0; i++) {
        double percent = 100 * a->service[i].usd / a->usd;
        if (percent < 0.5)
            break;
        text_printf(out, "%s%.0f %% %s%s", join, percent, i ? "" : "is ",
                    a->service[i].name);
        join = ", ";
    }
    text_puts(out, ".");
    if (a->status.found)
        text_printf(out, " The least with a status: %s with %s.",
                    cost_money(a->status.usd, usd, 40), a->status.how);
}

static void answer_put_services(const struct answer *a, struct text *out)
{
    char usd[40];
    bool transfer = false;
    for (int i = 0; i < a->services; i++) {
        transfer |= strcmp(a->service[i].name, "transfer") == 0;
        text_printf(out, "%s%s %s", i ? ", " : "", a->service[i].name,
                    cost_money(a->service[i].usd, usd, 40));
    }
    if (!transfer)
        text_printf(out, "%stransfer nothing", a->services ? ", " : "");
}

static void answer_put_rate(const struct answer *a, struct text *out)
{
    char day[40], month[40], rate[40];
    if (a->run_usd > 0) {
        text_printf(out, "%s, done in %s", cost_money(a->run_usd, day, 40),
                    cost_duration(a->run_s, rate, 40));
        return;
    }
    text_printf(out, "%s a day, %s a month at %s%s", cost_money(a->per_day_usd, day, 40),
                cost_money(a->per_month_usd, month, 40),
                a->rate_given ? cost_rate(a->rate_per_s, rate, 40)
                              : "a million jobs a day",
                a->rate_given ? "" : " (--arrivals gives yours)");
}

static void answer_put_boxes(const struct answer *a, const struct predict_scenario *sc,
                             struct text *out)
{
    char boxes[40], rate[40], one[40];
    if (a->rate_per_s > 0)
        text_printf(out, "%s x %s with %.0f slot%s for %s; one does at most %s",
                    cost_count(a->boxes, boxes, 40), sc->instance, sc->slots,
                    sc->slots > 1 ? "s" : "", cost_rate(a->rate_per_s, rate, 40),
                    cost_rate(a->box_rate_per_s, one, 40));
    else
        text_printf(out, "%s x %s with %.0f slot%s; one does at most %s",
                    cost_count(sc->boxes, boxes, 40), sc->instance, sc->slots,
                    sc->slots > 1 ? "s" : "", cost_rate(a->box_rate_per_s, one, 40));
    if (a->rate_given && sc->boxes > a->boxes)
        text_printf(out, "; %s are given", cost_count(sc->boxes, boxes, 40));
    if (a->domains > 0)
        text_printf(out, "; and %s domains", cost_count(a->domains, boxes, 40));
}

static void answer_put_change(const struct answer_change *c, const char *what,
                              struct text *out)
{
    char usd[40], time[40];
    if (c->found && !*c->how) {
        text_puts(out, "reached as it is");
        return;
    }
    if (c->found)
        text_printf(out, "%s: %s", c->how, cost_money(c->usd, usd, 40));
    else
        text_printf(
            out, "not reached by batch, slots, spot, store or rows: the least is %s%s%s",
            cost_money(c->usd, usd, 40), *c->how ? " with " : "", c->how);
    if (*c->cost)
        text_printf(out, " (%s)", c->cost);
    if (c->job_s > 0)
        text_printf(out, "; %s then needs jobs of %s", what,
                    cost_duration(c->job_s, time, 40));
}

static void answer_put_sure(const struct answer *a, struct text *out)
{
    char low[40], high[40], model[40], price[40];
    text_printf(out, "95 %%: %s to %s; the model may be off by %s, the prices by %s",
                cost_money(a->low, low, 40), cost_money(a->high, high, 40),
                cost_money(a->model_half, model, 40),
                cost_money(a->price_half, price, 40));
    if (*a->doubtful)
        text_printf(out, " (%s)", a->doubtful);
}

bool answer_line(const struct answer *a, const struct predict_scenario *sc, int index,
                 const char **out_label, struct text *out)
{
    static const char *const labels[] = {"this is",    "in all", "by service", "boxes",
                                         "half of it", "for $1", "how sure"};
    text_clear(out);
    text_puts(out, "");
    if (index < 0 || index >= (int)(sizeof labels / sizeof *labels))
        return false;
    *out_label = labels[index];
    switch (index) {
    case 0:
        text_puts(out, a->counts);
        break;
    case 1:
        answer_put_rate(a, out);
        break;
    case 2:
        answer_put_services(a, out);
        break;
    case 3:
        if (a->box_rate_per_s > 0)
            answer_put_boxes(a, sc, out);
        else
            text_puts(out, "not counted (--instance none)");
        break;
    case 4:
        answer_put_change(&a->half, "half", out);
        break;
    case 5:
        if (answer_is_dollar(a->usd))
            text_puts(out, "reached as it is");
        else
            answer_put_change(&a->one, "$1", out);
        break;
    case 6:
        answer_put_sure(a, out);
        break;
    default:
        return false;
    }
    return true;
}

/* Words in lines of at most 79 columns; those after the first are indented. */
static void answer_wrap(const char *text, int column, int indent, FILE *out)
{
    while (*text) {
        int len = (int)strcspn(text, " ");
        if (strncmp(text + len, " %", 2) == 0) /* "57 %" stays together */
            len += 1 + (int)strcspn(text + len + 1, " ");
        if (column > indent && column + 1 + len > 79) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            fputc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", len, text);
        column += len;
        text += len + (text[len] == ' ');
    }
    fputc('\n', out);
}

void answer_print(const struct answer *a, const struct predict_scenario *sc, FILE *out)
{
    enum { INDENT = 14 };
    struct text line = {0};
    const char *label;
    answer_sentence(a, &line);
    answer_wrap(line.ptr, 0, 0, out);
    fputc('\n', out);
    for (int i = 0; answer_line(a, sc, i, &label, &line); i++) {
        fprintf(out, "  %-*s", INDENT - 2, label);
        answer_wrap(line.ptr, INDENT, INDENT, out);
    }
    text_release(&line);
}

static json_t *answer_change_json(const struct answer_change *c)
{
    return json_pack("{s:b,s:f,s:s,s:s,s:o}", "reached", c->found, "per_million_usd",
                     c->usd, "settings", c->how, "gives_up", c->cost, "if_job_time_s",
                     c->job_s > 0 ? json_real(c->job_s) : json_null());
}

json_t *answer_json(const struct answer *a)
{
    struct text line = {0};
    json_t *services = json_object();
    answer_sentence(a, &line);
    for (int i = 0; i < a->services; i++)
        json_object_set_new(services, a->service[i].name, json_real(a->service[i].usd));
    json_t *root =
        json_pack("{s:s,s:s,s:o,s:f,s:f}", "sentence", line.ptr, "counts", a->counts,
                  "services_per_million_usd", services, "model_half_usd", a->model_half,
                  "price_half_usd", a->price_half);
    text_release(&line);
    if (a->rate_per_s > 0) {
        json_object_set_new(root, "rate_per_s", json_real(a->rate_per_s));
        json_object_set_new(root, "per_day_usd", json_real(a->per_day_usd));
        json_object_set_new(root, "per_month_usd", json_real(a->per_month_usd));
        json_object_set_new(root, "boxes", json_real(a->boxes));
    }
    json_object_set_new(root, "half", answer_change_json(&a->half));
    json_object_set_new(root, "one_dollar", answer_change_json(&a->one));
    json_object_set_new(root, "with_status", answer_change_json(&a->status));
    return root;
}
