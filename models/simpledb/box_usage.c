#include "models/simpledb/box_usage.h"

enum { E14_PER_E10 = 10000, PERMILLE = 1000 };

int64_t simpledb_usage_domain(const struct simpledb_params *params)
{
    return params->usage_domain_e14h / E14_PER_E10;
}

int64_t simpledb_usage_list(const struct simpledb_params *params)
{
    return params->usage_list_e14h / E14_PER_E10;
}

int64_t simpledb_usage_batch_term(const struct simpledb_params *params, int64_t pairs)
{
    return params->usage_write_e14h +
           params->usage_write_cubic_e14h * pairs * pairs * pairs;
}

int64_t simpledb_usage_write(const struct simpledb_params *params, int64_t pairs)
{
    return simpledb_usage_batch_term(params, pairs) / E14_PER_E10;
}

int64_t simpledb_usage_get(const struct simpledb_params *params, int64_t names)
{
    return (params->usage_get_e14h + params->usage_get_square_e14h * names * names) /
           E14_PER_E10;
}

int64_t simpledb_usage_batch_put(const struct simpledb_params *params, int64_t sum_e14h)
{
    return sum_e14h * params->usage_batch_put_permille / PERMILLE / E14_PER_E10;
}

int64_t simpledb_usage_batch_delete(const struct simpledb_params *params,
                                    int64_t sum_e14h)
{
    return sum_e14h * params->usage_batch_delete_permille / PERMILLE / E14_PER_E10;
}

int64_t simpledb_usage_select_names(const struct simpledb_params *params, int64_t items)
{
    return (params->usage_select_names_e14h + params->usage_select_name_e14h * items) /
           E14_PER_E10;
}

int64_t simpledb_usage_select_rows(const struct simpledb_params *params, int64_t items)
{
    return (params->usage_select_rows_e14h + params->usage_select_row_e14h * items) /
           E14_PER_E10;
}

int64_t simpledb_usage_select_count(const struct simpledb_params *params, int64_t items)
{
    return (params->usage_select_count_e14h + params->usage_select_counted_e14h * items) /
           E14_PER_E10;
}
