/* simpledb_params.c - the faults' names and the documented numbers.
 *
 * Room:     models, the facts.
 * Callers:  as simpledb.h.
 * Knows nothing of: rows. */
#include "models/simpledb.h"

#include <assert.h>

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

/* Limits: "Limits" page of the Developer Guide, 2009-2026. BoxUsage: simpledb_usage.h. */
void simpledb_params_default(struct simpledb_params *params)
{
    *params = (struct simpledb_params){
        .domains_max = 250,
        .domain_bytes_max = INT64_C(10) << 30,
        .domain_pairs_max = 1000000000,
        .item_pairs_max = 256,
        .put_pairs_max = 256,
        .name_bytes_max = 1024,
        .batch_items_max = 25,
        .batch_bytes_max = 1 << 20,
        .select_items_max = 2500,
        .select_items_default = 100,
        .select_bytes_max = 1 << 20,
        .select_scan_max = 250000, /* assumed: the limit is 5 s, the rate is not known */
        .select_comparisons_max = 20,
        .select_attributes_max = 20,
        .write_burst = 1,
        .usage_domain_e14h = 555902780000,
        .usage_list_e14h = 717590000,
        .usage_write_e14h = 2199070000,
        .usage_write_cubic_e14h = 20000,
        .usage_get_e14h = 932020000,
        .usage_get_square_e14h = 200000,
        .usage_batch_put_permille = 700,
        .usage_batch_delete_permille = 700,
        .usage_select_names_e14h = 1400000000,
        .usage_select_name_e14h = 800000,
        .usage_select_rows_e14h = 1372000000,
        .usage_select_row_e14h = 914165000,
        .usage_select_count_e14h = 1400000000,
        .usage_select_counted_e14h = 1121288,
        .usage_throttled_e14h = 2199070000, /* assumed: as any other refused call */
        .read_latency = quantile_constant(0),
        .write_latency = quantile_constant(0),
        .select_latency = quantile_constant(0),
    };
}
