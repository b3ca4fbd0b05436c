/* prices.c - jobqcost prices: show, diff and import price sheets.
 *
 * Room:     src/cost, jobqcost's command line; does I/O. */
#include "cost/cmd/shared.h"

#include "base/arena.h"
#include "base/text.h"
#include "pricing/import.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char HELP[] =
    "  jobqcost prices show --region us-east-1 --date 2026 sqs simpledb\n"
    "  jobqcost prices show                       (the sheets there are)\n"
    "  jobqcost prices diff us-east-1@2012-10 us-east-1@2012-12\n"
    "  jobqcost prices import index.csv --region us-west-2 --date 2026-11 \\\n"
    "                  -o us-west-2@2026-11.csv\n\n"
    "show   the rows of a sheet, of the services or service.items named; without\n"
    "       --region and --date, and without names, the list of sheets.\n"
    "diff   what changed between two sheets: REGION@DATE or FILE.csv each.\n"
    "import reads AWS Price List offer files in CSV form (index.csv), of any size in\n"
    "       constant memory, and writes a sheet with the offers' version and\n"
    "       publication date. Several files (SQS, EC2, ...) make one sheet. Rows that\n"
    "       jobq has no use for are counted. The sheet is written whole or not at\n"
    "       all.\n\n"
    "Download an offer file with any HTTP client.\n";
static const struct option_def OPTIONS[] = {
    {"out", 'o', "FILE", "file that import writes (stdout)"}, {NULL, 0, NULL, NULL}};

/* ---- show ------------------------------------------------------------------------------------ */

static bool wanted(const struct cost *cli, const struct sheet_row *row)
{
    char full[96];
    snprintf(full, sizeof full, "%s.%s", row->service, row->item);
    for (int i = 1; i < cli->argument_count; i++)
        if (strcmp(cli->argument[i], row->service) == 0 ||
            strcmp(cli->argument[i], full) == 0)
            return true;
    return cli->argument_count == 1;
}

static void print_table(struct cost *cli, struct cost_table *table, const char *schema,
                        const char *member, json_t *more)
{
    if (cli->json) {
        json_t *root = json_object();
        json_object_set_new(root, "schema", json_string(schema));
        if (more)
            json_object_update(root, more);
        json_object_set_new(root, member, cost_table_json(table));
        cost_print_json(root);
    } else if (cli->csv) {
        cost_table_print_csv(table, stdout);
    } else {
        cost_table_print(table, stdout);
    }
    if (more)
        json_decref(more);
    cost_table_free(table);
}

static int list_sheets(struct cost *cli)
{
    static const char *const head[] = {"region", "date", "as of", "#rows", "note"};
    static const char *const key[] = {"region", "date", "as_of", "rows", "note"};
    struct jobq_error err;
    const char **name;
    int count, code = cost_sheet_names(cli, &name, &count, &err);
    if (code)
        return cost_fail(cli, &err);
    struct cost_table *table = cost_table_new(head, key, 5);
    for (int i = 0; i < count && !code; i++) {
        char region[32], date[16];
        struct sheet *sheet;
        if (!sheet_name_split(name[i], region, sizeof region, date, sizeof date))
            continue;
        code = cost_sheet(cli, region, date, &sheet, &err);
        if (code)
            break;
        cost_table_text(table, region);
        cost_table_text(table, date);
        cost_table_text(table, sheet_property(sheet, "as_of"));
        cost_table_number(table, sheet_row_count(sheet), NULL);
        cost_table_text(table, sheet_property(sheet, "note"));
    }
    for (int i = 0; cli->sheets_dir && i < count; i++)
        free((void *)(uintptr_t)name[i]);
    free(name);
    if (code) {
        cost_table_free(table);
        return cost_fail(cli, &err);
    }
    print_table(cli, table, "jobq.sheets/1", "sheets", NULL);
    return COST_OK;
}

static int show(struct cost *cli, bool region_given)
{
    static const char *const head[] = {"price", "unit", "#from", "#to",
                                       "#usd",  "date", "c",     "source"};
    static const char *const key[] = {"price", "unit", "from",       "to",
                                      "usd",   "date", "confidence", "source"};
    struct jobq_error err;
    struct sheet *sheet;
    if (!region_given && !cli->date && cli->argument_count == 1)
        return list_sheets(cli);
    if (cost_sheet(cli, cli->region, cli->date, &sheet, &err))
        return cost_fail(cli, &err);
    struct cost_table *table = cost_table_new(head, key, 8);
    int rows = 0;
    for (int i = 0; i < sheet_row_count(sheet); i++) {
        const struct sheet_row *row = sheet_row_at(sheet, i);
        char text[96], confidence[2] = {row->confidence, '\0'};
        if (!wanted(cli, row))
            continue;
        rows++;
        snprintf(text, sizeof text, "%s.%s", row->service, row->item);
        cost_table_text(table, text);
        cost_table_text(table, sheet_unit_text(row, text, sizeof text));
        cost_table_number(table, row->from, cost_si(row->from, text, sizeof text));
        cost_table_number(table, row->to,
                          isfinite(row->to) ? cost_si(row->to, text, sizeof text) : "");
        cost_table_number(table, row->usd, NULL);
        cost_table_text(table, row->date);
        cost_table_text(table, confidence);
        cost_table_text(table, row->source);
    }
    if (rows == 0) {
        cost_table_free(table);
        jobq_fail(&err, JOBQ_NOT_FOUND, "no such price in %s at %s", sheet_region(sheet),
                  sheet_date(sheet));
        return cost_fail(cli, &err);
    }
    if (!cli->json && !cli->csv)
        printf("%s\n", cost_sheet_title(sheet, (char[120]){0}, 120));
    json_t *more = json_object();
    json_object_set_new(more, "sheet", cost_sheet_json(sheet));
    print_table(cli, table, "jobq.prices/1", "rows", more);
    return COST_OK;
}

/* ---- diff ------------------------------------------------------------------------------------ */

static int open_side(struct cost *cli, const char *name, struct sheet **out,
                     struct jobq_error *err)
{
    char region[32];
    const char *at = strchr(name, '@');
    size_t len = strlen(name);
    if (len > 4 && strcmp(name + len - 4, ".csv") == 0)
        return cost_sheet(cli, cli->region, name, out, err);
    if (!at || (size_t)(at - name) >= sizeof region)
        return jobq_fail(err, JOBQ_INVALID, "'%.60s' is not REGION@DATE or FILE.csv",
                         name);
    memcpy(region, name, (size_t)(at - name));
    region[at - name] = '\0';
    return cost_sheet(cli, region, at + 1, out, err);
}

static int row_name_order(const struct sheet_row *a, const struct sheet_row *b)
{
    int order = strcmp(a->service, b->service);
    if (!order)
        order = strcmp(a->item, b->item);
    return order ? order : (a->from > b->from) - (a->from < b->from);
}

/* row: of the first sheet, or of the second when it is new there; now: of the second. */
static void diff_row(struct cost_table *table, const struct sheet_row *row, bool gone,
                     bool is_new, const struct sheet_row *now)
{
    char text[120], unit[40], unit_now[40];
    snprintf(text, sizeof text, "%s.%s", row->service, row->item);
    cost_table_text(table, text);
    sheet_unit_text(row, unit, sizeof unit);
    if (!gone && !is_new && strcmp(unit, sheet_unit_text(now, unit_now, 40)) != 0)
        snprintf(text, sizeof text, "%s -> %s", unit, unit_now);
    else
        snprintf(text, sizeof text, "%s", unit);
    cost_table_text(table, text);
    cost_table_number(table, row->from, cost_si(row->from, text, sizeof text));
    double before = is_new ? (double)NAN : row->usd,
           after = gone ? (double)NAN : now->usd;
    cost_table_number(table, before, is_new ? "-" : NULL);
    cost_table_number(table, after, gone ? "-" : NULL);
    double change = before > 0 ? after / before - 1 : (double)NAN;
    snprintf(text, sizeof text, "%+.1f %%", 100 * change);
    cost_table_number(table, change,
                      is_new             ? "new"
                      : gone             ? "gone"
                      : isfinite(change) ? text
                                         : "");
}

static int diff(struct cost *cli)
{
    static const char *const head[] = {"price", "unit",     "#from",
                                       "#usd",  "#usd now", "#change"};
    static const char *const key[] = {"price",      "unit",      "from",
                                      "usd_before", "usd_after", "change"};
    struct jobq_error err;
    struct sheet *a, *b;
    if (cli->argument_count != 3)
        return cost_usage(cli, "diff needs two sheets");
    if (open_side(cli, cli->argument[1], &a, &err) ||
        open_side(cli, cli->argument[2], &b, &err))
        return cost_fail(cli, &err);
    struct cost_table *table = cost_table_new(head, key, 6);
    int i = 0, j = 0;
    while (i < sheet_row_count(a) || j < sheet_row_count(b)) {
        const struct sheet_row *x = i < sheet_row_count(a) ? sheet_row_at(a, i) : NULL;
        const struct sheet_row *y = j < sheet_row_count(b) ? sheet_row_at(b, j) : NULL;
        int order = !x ? 1 : !y ? -1 : row_name_order(x, y);
        i += order <= 0;
        j += order >= 0;
        if (order == 0 && x->usd == y->usd && x->grain == y->grain && x->to == y->to)
            continue;
        if (order <= 0 || y)
            diff_row(table, order <= 0 ? x : y, order<0, order> 0, y);
    }
    print_table(cli, table, "jobq.prices.diff/1", "rows", NULL);
    return COST_OK;
}

/* ---- import ---------------------------------------------------------------------------------- */

static int import_file(struct cost *cli, const char *path, struct sheet *sheet,
                       struct jobq_error *err)
{
    struct import_counts counts = {0};
    FILE *file = fopen(path, "rb");
    if (!file)
        return jobq_fail(err, JOBQ_INVALID, "cannot open '%s': %s", path,
                         strerror(errno));
    int code = import_offer(file, path, sheet, &counts, err);
    fclose(file);
    if (!code && !cli->quiet)
        fprintf(stderr,
                "%s: %lld products, %lld prices read, %d rows kept, %lld of no use here, "
                "%lld of other regions\n",
                path, (long long)counts.products, (long long)counts.prices, counts.rows,
                (long long)counts.unused, (long long)counts.other_regions);
    if (!code && counts.rows == 0)
        code = jobq_fail(err, JOBQ_INVALID, "%s: no price of %s that jobq knows", path,
                         sheet_region(sheet));
    return code;
}

static int import_offers(struct cost *cli, const char *output)
{
    struct jobq_error err;
    char *text = NULL;
    size_t len;
    if (cli->argument_count < 2)
        return cost_usage(cli, "import needs a file");
    if (!cli->date || cost_date_days(cli->date) < 0)
        return cost_usage(cli, "import needs --date YYYY-MM, the sheet's name");
    struct sheet *sheet = sheet_new(cli->region, cli->date);
    int code = JOBQ_OK;
    for (int i = 1; i < cli->argument_count && !code; i++)
        code = import_file(cli, cli->argument[i], sheet, &err);
    if (!code)
        code = sheet_finish(sheet, "import", &err);
    const char *published = sheet_property(sheet, "publication_date");
    if (!code && strlen(published) >= 10) {
        char day[11] = "";
        memcpy(day, published, 10);
        sheet_set_property(sheet, "as_of", day);
        sheet_set_property(sheet, "era",
                           "aws-2026"); /* offer files begin long after 2012 */
    }
    if (!code) {
        sheet_write(sheet, &text, &len);
        code = cost_write(output, text, len, &err);
    }
    free(text);
    sheet_free(sheet);
    return code ? cost_fail(cli, &err) : COST_OK;
}

static int prices_run(struct cost *cli)
{
    const char *output = "-";
    struct cost_target options[] = {{COST_TEXT, &output}};
    int code = cost_parse(cli, options);
    if (code >= 0)
        return code;
    if (cli->argument_count == 0)
        return cost_usage(cli, "show, diff or import?");
    const char *verb = cli->argument[0];
    if (strcmp(verb, "show") == 0)
        return show(cli, cli->region_given);
    if (strcmp(verb, "diff") == 0)
        return diff(cli);
    if (strcmp(verb, "import") == 0)
        return import_offers(cli, output);
    return cost_usage(cli, "show, diff or import, not '%.40s'", verb);
}

const struct cost_command cost_prices = {"prices", "show, diff and import price sheets",
                                         HELP,     prices_run,
                                         OPTIONS,  COST_PRICES};
