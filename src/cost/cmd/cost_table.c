/* cost_table.c - how a scenario and its cost are printed: tables and schema jobq.cost/1.
 *
 * Room:     src/cost, jobqcost's command line; does I/O. */
#include "cost/cmd/shared.h"

#include <math.h>
#include <string.h>

struct cost_table *cost_components(const double usd[BILL_COMPONENT_COUNT], double scale)
{
    static const char *const head[] = {"component", "#$/million jobs", "#share"};
    static const char *const key[] = {"component", "usd_per_million", "share"};
    struct cost_table *table = cost_table_new(head, key, 3);
    double sum = 0;
    char shown[40];
    for (int i = 0; i < BILL_COMPONENT_COUNT; i++)
        sum += usd[i];
    for (int i = 0; i < BILL_COMPONENT_COUNT; i++) {
        double share = sum > 0 ? usd[i] / sum : 0;
        cost_table_text(table, bill_component_name((enum bill_component)i));
        cost_table_number(table, usd[i] * scale,
                          cost_usd_cell(usd[i] * scale, shown, 40));
        snprintf(shown, sizeof shown, "%.1f %%", 100 * share);
        cost_table_number(table, share, shown);
    }
    return table;
}

struct cost_table *cost_items(const struct bill *bill, double scale)
{
    static const char *const head[] = {"!price",  "item", "#quantity", "unit",
                                       "#$/unit", "#$",   "#share"};
    static const char *const key[] = {"price",        "item", "quantity", "unit",
                                      "usd_per_unit", "usd",  "share"};
    struct cost_table *table = cost_table_new(head, key, 7);
    char shown[96];
    for (int i = 0; i < bill->count; i++) {
        const struct bill_item *item = &bill->item[i];
        double share = bill->usd > 0 ? item->usd / bill->usd : 0;
        snprintf(shown, sizeof shown, "%s.%s", item->service, item->item);
        cost_table_text(table, shown);
        /* A star marks a price that is assumed from another region. */
        snprintf(shown, sizeof shown, "%s%s", item->what, item->assumed ? " *" : "");
        cost_table_text(table, shown);
        cost_table_number(table, item->quantity * scale,
                          item->quantity * scale < 0.001
                              ? "<0.001"
                              : cost_si(item->quantity * scale, shown, sizeof shown));
        cost_table_text(table, sheet_unit_name(item->unit));
        /* Requests and the like have prices of a million of them. */
        if (item->usd_per_unit < 1e-3 && item->usd_per_unit > 0)
            snprintf(shown, sizeof shown, "%.6g/M", item->usd_per_unit * 1e6);
        else
            snprintf(shown, sizeof shown, "%.6g", item->usd_per_unit);
        cost_table_number(table, item->usd_per_unit, shown);
        cost_table_number(table, item->usd * scale,
                          cost_usd_cell(item->usd * scale, shown, sizeof shown));
        snprintf(shown, sizeof shown, "%.1f %%", 100 * share);
        cost_table_number(table, share, shown);
    }
    return table;
}

void cost_print_scenario(const struct predict_scenario *sc, FILE *out)
{
    static const enum predict_input shown[] = {
        PREDICT_PAYLOAD, PREDICT_JOB_TIME, PREDICT_CPU_SHARE,  PREDICT_CONCURRENCY,
        PREDICT_BATCH,   PREDICT_PREFETCH, PREDICT_WAIT,       PREDICT_VISIBILITY,
        PREDICT_DOMAINS, PREDICT_KEEP,     PREDICT_UTILISATION};
    char value[40], boxes[40];
    int column = 0;
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        char word[80];
        if (shown[i] == PREDICT_UTILISATION && (sc->jobs > 0 || sc->arrivals_per_s > 0))
            continue;
        snprintf(word, sizeof word, "%s %s", predict_input_name(shown[i]),
                 predict_input_text(shown[i], predict_get(sc, shown[i]), value, 40));
        if (column && column + 2 + (int)strlen(word) > 78) {
            fputs(",\n", out);
            column = 0;
        }
        column += fprintf(out, "%s%s", column ? ", " : "", word);
    }
    bool fewer = sc->store != PREDICT_NO_STORE && sc->rows != PREDICT_ROWS_ALL;
    fprintf(out, ",\ninstance %s%s, store %s%s%s, client %s", sc->instance,
            sc->spot ? " spot" : "", predict_store_name(sc->store),
            fewer ? ", rows " : "", fewer ? predict_rows_name(sc->rows) : "",
            sc->client_internet ? "internet" : "in-region");
    if (sc->jobs > 0)
        fprintf(out, ",\n%s jobs at once on %s box%s", cost_count(sc->jobs, value, 40),
                cost_count(sc->boxes, boxes, 40), sc->boxes > 1 ? "es" : "");
    else if (sc->arrivals_per_s > 0)
        fprintf(out, ",\njobs come %s to %s box%s",
                cost_rate(sc->arrivals_per_s, value, 40),
                cost_count(sc->boxes, boxes, 40), sc->boxes > 1 ? "es" : "");
    fputc('\n', out);
}

static json_t *scenario_json(const struct predict_scenario *sc)
{
    json_t *object = json_object();
    for (int i = 0; i < PREDICT_INPUT_COUNT; i++)
        json_object_set_new(object, predict_input_name((enum predict_input)i),
                            json_real(predict_get(sc, (enum predict_input)i)));
    json_object_set_new(object, "instance", json_string(sc->instance));
    json_object_set_new(object, "spot", json_boolean(sc->spot));
    json_object_set_new(object, "store", json_string(predict_store_name(sc->store)));
    json_object_set_new(object, "rows", json_string(predict_rows_name(sc->rows)));
    json_object_set_new(object, "client",
                        json_string(sc->client_internet ? "internet" : "in-region"));
    json_object_set_new(object, "public_ip", json_boolean(sc->public_ip));
    json_object_set_new(object, "no_boot", json_boolean(sc->no_boot));
    json_object_set_new(object, "era", json_string(sc->era));
    return object;
}

static json_t *items_json(const struct bill *bill, double scale)
{
    json_t *items = json_array();
    for (int i = 0; i < bill->count; i++) {
        const struct bill_item *item = &bill->item[i];
        char confidence[2] = {item->confidence, '\0'};
        json_t *object = json_object();
        json_object_set_new(object, "service", json_string(item->service));
        json_object_set_new(object, "price", json_string(item->item));
        json_object_set_new(object, "item", json_string(item->what));
        json_object_set_new(object, "component",
                            json_string(bill_component_name(item->component)));
        json_object_set_new(object, "quantity_per_million",
                            json_real(item->quantity * scale));
        json_object_set_new(object, "unit", json_string(sheet_unit_name(item->unit)));
        json_object_set_new(object, "usd_per_unit", json_real(item->usd_per_unit));
        json_object_set_new(object, "usd_per_million", json_real(item->usd * scale));
        json_object_set_new(object, "source", json_string(item->source));
        json_object_set_new(object, "date", json_string(item->date));
        json_object_set_new(object, "confidence", json_string(confidence));
        json_object_set_new(object, "region", json_string(item->region));
        json_object_set_new(object, "assumed", json_boolean(item->assumed));
        json_array_append_new(items, object);
    }
    return items;
}

json_t *cost_cost_json(struct cost *cli, const struct sheet *sheet,
                       const struct predict_scenario *sc, const struct evaluation *e)
{
    json_t *root = json_object(), *components = json_object(), *formula = json_object();
    double scale = 1e6 / e->jobs, low, high;
    evaluation_interval(e, &low, &high);
    json_object_set_new(root, "schema", json_string("jobq.cost/1"));
    json_object_set_new(root, "per_job_usd", json_real(e->usd_per_job));
    json_object_set_new(root, "per_million_usd", json_real(e->usd_per_million));
    json_object_set_new(root, "interval95_per_million_usd",
                        json_pack("[f, f]", low, high));
    json_object_set_new(root, "interval95_model_per_million_usd",
                        json_pack("[f, f]", e->low_per_million, e->high_per_million));
    json_object_set_new(root, "interval_jobs",
                        json_real(sc->jobs > 0 ? sc->jobs : cli->interval_jobs));
    for (int i = 0; i < BILL_COMPONENT_COUNT; i++)
        json_object_set_new(components, bill_component_name((enum bill_component)i),
                            json_real(e->bill.component_usd[i] * scale));
    json_object_set_new(root, "components", components);
    json_object_set_new(root, "items", items_json(&e->bill, scale));
    json_object_set_new(root, "sheet", cost_sheet_json(sheet));
    json_object_set_new(formula, "name", json_string(cli->formula_name));
    json_object_set_new(formula, "fitted", json_boolean(e->value.fitted));
    json_object_set_new(formula, "outside", json_real(e->value.outside));
    json_object_set_new(formula, "outside_of", json_string(e->value.outside_of));
    json_object_set_new(root, "formula", formula);
    json_t *usage = json_object();
    for (int i = 0; i < USAGE_LINE_COUNT; i++)
        if (e->value.usage.line[i] != 0)
            json_object_set_new(usage, usage_line_name((enum usage_line)i),
                                json_real(e->value.usage.line[i]));
    json_object_set_new(root, "usage_per_job", usage);
    json_object_set_new(root, "scenario", scenario_json(sc));
    json_object_set_new(root, "rate_per_s",
                        isfinite(e->value.state.rate_per_s)
                            ? json_real(e->value.state.rate_per_s)
                            : json_null());
    json_object_set_new(root, "binding",
                        json_string(predict_binding_name(e->value.state.binding)));
    if (sc->jobs > 0) {
        json_object_set_new(root, "makespan_s", json_real(e->value.state.makespan_s));
        json_object_set_new(root, "total_usd", json_real(e->bill.usd));
    }
    return root;
}
