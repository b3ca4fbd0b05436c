/* params.c - the faults' names, and the table of SimpleDB's parameters.
 *
 * Room:     models, the facts.
 * Callers:  as simpledb.h.
 * Knows nothing of: rows; the parameters' values, which are in models/params/. */
#include "models/simpledb/simpledb.h"

#include "jobq/units.h"
#include "models/params/params.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const struct {
    const char *name;
    int status;
} fault_table[SIMPLEDB_FAULT_COUNT] = {[SIMPLEDB_FAULT_NONE] = {"", 200},
#define FAULT_ROW(id, name, status, code) [SIMPLEDB_FAULT_##id] = {name, status},
                                       SIMPLEDB_FAULTS(FAULT_ROW)
#undef FAULT_ROW
};

const char *simpledb_fault_name(enum simpledb_fault fault)
{
    assert((unsigned)fault < SIMPLEDB_FAULT_COUNT);
    return fault_table[fault].name;
}

int simpledb_fault_status(enum simpledb_fault fault)
{
    assert((unsigned)fault < SIMPLEDB_FAULT_COUNT);
    return fault_table[fault].status;
}

/* ---- values ---- */

/* Machine hours, "0.0000219907" or "2e-10", to whole 1e-14 h. */
static int parse_hours(const char *value, void *at, struct jobq_error *err)
{
    double hours;
    int code = jobq_parse_number(value, &hours, err);
    if (code != JOBQ_OK)
        return code;
    if (!(hours >= 0 && hours <= 1))
        return jobq_fail(err, JOBQ_LIMIT, "hours out of 0..1: '%.60s'", value);
    *(int64_t *)at = llround(hours * 1e14);
    return JOBQ_OK;
}

static int parse_permille(const char *value, void *at, struct jobq_error *err)
{
    double factor;
    int code = jobq_parse_number(value, &factor, err);
    if (code != JOBQ_OK)
        return code;
    if (!(factor >= 0 && factor <= 1))
        return jobq_fail(err, JOBQ_LIMIT, "factor out of 0..1: '%.60s'", value);
    *(int64_t *)at = llround(factor * 1000);
    return JOBQ_OK;
}

static int parse_point(char *text, struct simpledb_window_point *out,
                       struct jobq_error *err)
{
    char *equals = strchr(text, '=');
    if (!equals)
        return jobq_fail(err, JOBQ_INVALID, "want AGE=PROBABILITY: '%.60s'", text);
    *equals = '\0';
    int code = jobq_parse_duration(text, &out->age_ns, err);
    if (code == JOBQ_OK)
        code = jobq_parse_number(equals + 1, &out->fresh_p, err);
    if (code == JOBQ_OK && !(out->fresh_p >= 0 && out->fresh_p <= 1))
        return jobq_fail(err, JOBQ_LIMIT, "probability out of 0..1: '%.60s'", equals + 1);
    return code;
}

/* "none" or "0s=0.334,450ms=0.334,1s=1": ages and probabilities that do not fall, the last
 * of them 1. */
static int parse_window(const char *value, void *at, struct jobq_error *err)
{
    struct simpledb_window window = {0};
    char copy[256];
    if (strlen(value) >= sizeof copy)
        return jobq_fail(err, JOBQ_LIMIT, "window is too long");
    memcpy(copy, value, strlen(value) + 1);
    for (char *part = strcmp(copy, "none") == 0 ? NULL : copy; part;) {
        char *comma = strchr(part, ',');
        if (comma)
            *comma = '\0';
        if (window.points == SIMPLEDB_WINDOW_MAX)
            return jobq_fail(err, JOBQ_LIMIT, "window of more than '%d' points",
                             SIMPLEDB_WINDOW_MAX);
        struct simpledb_window_point *point = &window.point[window.points];
        int code = parse_point(part, point, err);
        if (code != JOBQ_OK)
            return code;
        if (window.points++ > 0 &&
            (point->age_ns < point[-1].age_ns || point->fresh_p < point[-1].fresh_p))
            return jobq_fail(err, JOBQ_INVALID, "window falls at point '%d'",
                             window.points);
        part = comma ? comma + 1 : NULL;
    }
    if (window.points && window.point[window.points - 1].fresh_p < 1)
        return jobq_fail(err, JOBQ_INVALID, "window does not end at probability '1'");
    *(struct simpledb_window *)at = window;
    return JOBQ_OK;
}

/* ---- the table ---- */

#define FIELD(name, kind, member, low, high)                                             \
    {                                                                                    \
        name, kind, offsetof(struct simpledb_params, member), low, high, NULL            \
    }
#define CUSTOM(name, member, parse)                                                      \
    {                                                                                    \
        name, PARAM_CUSTOM, offsetof(struct simpledb_params, member), 0, 0, parse        \
    }

static const struct param_field field[] = {
    FIELD("domains_max", PARAM_COUNT, domains_max, 0, 0),
    FIELD("domain_bytes_max", PARAM_BYTES, domain_bytes_max, 0, 0),
    FIELD("domain_pairs_max", PARAM_COUNT, domain_pairs_max, 0, 0),
    FIELD("item_pairs_max", PARAM_COUNT, item_pairs_max, 1, 256),
    FIELD("put_pairs_max", PARAM_COUNT, put_pairs_max, 1, 256),
    FIELD("name_bytes_max", PARAM_BYTES, name_bytes_max, 1, 1024),
    FIELD("batch_items_max", PARAM_COUNT, batch_items_max, 1, 25),
    FIELD("batch_bytes_max", PARAM_BYTES, batch_bytes_max, 0, 0),
    FIELD("select_items_max", PARAM_COUNT, select_items_max, 1, 1e6),
    FIELD("select_items_default", PARAM_COUNT, select_items_default, 1, 1e6),
    FIELD("select_bytes_max", PARAM_BYTES, select_bytes_max, 0, 0),
    FIELD("select_scan_max", PARAM_COUNT, select_scan_max, 0, 0),
    FIELD("select_comparisons_max", PARAM_COUNT, select_comparisons_max, 1, 32),
    FIELD("select_attributes_max", PARAM_COUNT, select_attributes_max, 1, 32),
    FIELD("writes_per_s", PARAM_NUMBER, writes_per_s, 0, 0),
    FIELD("write_burst", PARAM_NUMBER, write_burst, 1, 1e9),
    FIELD("batch_row_writes", PARAM_NUMBER, batch_row_writes, 0, 1),
    CUSTOM("window", window, parse_window),
    CUSTOM("usage_domain", usage_domain_e14h, parse_hours),
    CUSTOM("usage_list", usage_list_e14h, parse_hours),
    CUSTOM("usage_write", usage_write_e14h, parse_hours),
    CUSTOM("usage_write_cubic", usage_write_cubic_e14h, parse_hours),
    CUSTOM("usage_get", usage_get_e14h, parse_hours),
    CUSTOM("usage_get_square", usage_get_square_e14h, parse_hours),
    CUSTOM("usage_batch_put", usage_batch_put_permille, parse_permille),
    CUSTOM("usage_batch_delete", usage_batch_delete_permille, parse_permille),
    CUSTOM("usage_select_names", usage_select_names_e14h, parse_hours),
    CUSTOM("usage_select_name", usage_select_name_e14h, parse_hours),
    CUSTOM("usage_select_rows", usage_select_rows_e14h, parse_hours),
    CUSTOM("usage_select_row", usage_select_row_e14h, parse_hours),
    CUSTOM("usage_select_count", usage_select_count_e14h, parse_hours),
    CUSTOM("usage_select_counted", usage_select_counted_e14h, parse_hours),
    CUSTOM("usage_refused", usage_refused_e14h, parse_hours),
    CUSTOM("usage_throttled", usage_throttled_e14h, parse_hours),
    FIELD("read_latency", PARAM_DISTRIBUTION, read_latency, 0, 0),
    FIELD("write_latency", PARAM_DISTRIBUTION, write_latency, 0, 0),
    FIELD("select_latency", PARAM_DISTRIBUTION, select_latency, 0, 0),
};
enum { FIELD_COUNT = sizeof field / sizeof *field };

int simpledb_params_load(const char *model, struct simpledb_params *out,
                         struct jobq_error *err)
{
    return params_load(model, "simpledb", field, FIELD_COUNT, out, err);
}

int simpledb_params_set(struct simpledb_params *params, const char *key,
                        const char *value, struct jobq_error *err)
{
    return params_set(field, FIELD_COUNT, params, key, value, err);
}
