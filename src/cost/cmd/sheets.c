/* sheets.c - finds and opens price sheets and formulas for the command line.
 *
 * Room:     src/cost, jobqcost's command line; does I/O. */
#include "cost/cmd/shared.h"

#include "base/arena.h"
#include "base/date.h"
#include "base/text.h"
#include "jobq/units.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STALE_DAYS 366

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int cost_sheet_names(struct cost *cli, const char ***out, int *out_count,
                     struct jobq_error *err)
{
    const char **name = NULL;
    int count = 0;
    if (!cli->sheets_dir) {
        name = xcalloc((size_t)sheet_file_count + 1, sizeof *name);
        for (; count < sheet_file_count; count++)
            name[count] = sheet_files[count].name;
    } else {
        DIR *dir = opendir(cli->sheets_dir);
        if (!dir)
            return jobq_fail(err, JOBQ_INVALID, "cannot open '%s': %s", cli->sheets_dir,
                             strerror(errno));
        struct dirent *entry;
        while ((entry = readdir(dir)) != NULL) {
            char region[32], date[16];
            if (!sheet_name_split(entry->d_name, region, sizeof region, date,
                                  sizeof date))
                continue;
            name = xrealloc(name, (size_t)(count + 1) * sizeof *name);
            name[count++] = xstrdup(entry->d_name);
        }
        closedir(dir);
        if (count)
            qsort(name, (size_t)count, sizeof *name, by_text);
    }
    *out = name;
    *out_count = count;
    return JOBQ_OK;
}

static void free_names(const struct cost *cli, const char **name, int count)
{
    for (int i = 0; cli->sheets_dir && i < count; i++)
        free((void *)(uintptr_t)name[i]);
    free(name);
}

static int open_file(const char *path, struct sheet **out, struct jobq_error *err)
{
    char *text;
    size_t len;
    int code = cost_read(path, &text, &len, err);
    if (code)
        return code;
    code = sheet_parse(text, len, path, out, err);
    free(text);
    return code;
}

static int open_named(struct cost *cli, const char *region, const char *date,
                      struct sheet **out, struct jobq_error *err)
{
    const char **name;
    int count, code = cost_sheet_names(cli, &name, &count, err);
    if (code)
        return code;
    int at = sheet_pick(name, count, region, date, err);
    if (at < 0) {
        free_names(cli, name, count);
        return at;
    }
    if (cli->sheets_dir) {
        struct text path = {0};
        text_printf(&path, "%s/%s", cli->sheets_dir, name[at]);
        code = open_file(path.ptr, out, err);
        text_release(&path);
    } else {
        code = sheet_parse((const char *)sheet_files[at].bytes, sheet_files[at].len,
                           name[at], out, err);
    }
    free_names(cli, name, count);
    if (!code && date && strncmp(sheet_date(*out), date, strlen(date)) != 0)
        cost_warn(cli, "there is no price sheet of %s for %s: prices are those of %s",
                  date, region, sheet_date(*out));
    return code;
}

/* SERVICE.ITEM=USD: a price to use instead of the sheet's. */
static int apply_price(struct sheet *sheet, const char *text, struct jobq_error *err)
{
    char name[96], *dot;
    const char *equals = strchr(text, '=');
    double usd = 0;
    size_t len = equals ? (size_t)(equals - text) : 0;
    if (!equals || len == 0 || len >= sizeof name)
        return jobq_fail(err, JOBQ_INVALID, "--price is SERVICE.ITEM=USD, not '%.60s'",
                         text);
    memcpy(name, text, len);
    name[len] = '\0';
    dot = strchr(name, '.');
    int code = jobq_parse_number(equals + 1, &usd, err);
    if (code)
        return jobq_wrap(err, "--price");
    if (!dot || usd < 0)
        return jobq_fail(err, JOBQ_INVALID, "--price is SERVICE.ITEM=USD, not '%.60s'",
                         text);
    *dot = '\0';
    return sheet_override(sheet, name, dot + 1, usd, "--price", err);
}

static int keep(struct cost *cli, struct sheet *sheet, struct jobq_error *err)
{
    if (cli->sheet_count == COST_SHEETS_MAX) {
        sheet_free(sheet);
        return jobq_fail(err, JOBQ_LIMIT, "more than %d sheets", COST_SHEETS_MAX);
    }
    cli->sheet[cli->sheet_count++] = sheet;
    return JOBQ_OK;
}

int cost_sheet(struct cost *cli, const char *region, const char *date, struct sheet **out,
               struct jobq_error *err)
{
    struct sheet *sheet, *from;
    size_t len = date ? strlen(date) : 0;
    int code = len > 4 && strcmp(date + len - 4, ".csv") == 0
                   ? open_file(date, &sheet, err)
                   : open_named(cli, region, date, &sheet, err);
    if (!code)
        code = keep(cli, sheet, err);
    if (code)
        return code;
    if (cli->assume_from && strcmp(cli->assume_from, sheet_region(sheet)) != 0) {
        /* The same date if there is one, so that prices of two eras are not mixed. */
        code = open_named(cli, cli->assume_from, sheet_date(sheet), &from, err);
        if (code)
            return jobq_wrap(err, "--assume-from");
        code = keep(cli, from, err);
        if (code)
            return code;
        sheet_assume(sheet, from);
    }
    for (int i = 0; i < cli->price.count && !code; i++)
        code = apply_price(sheet, cli->price.text[i], err);
    *out = sheet;
    return code;
}

void cost_era(struct cost *cli, const struct sheet *sheet,
              struct predict_scenario *scenario)
{
    const char *era = sheet_property(sheet, "era");
    if (!cli->era_given && *era && strlen(era) < sizeof scenario->era)
        strcpy(scenario->era, era);
    if (!cli->instance_given)
        strcpy(scenario->instance, scenario_default_instance(scenario->era));
    if (strcmp(sheet_property(sheet, "long_poll"), "no") == 0 && scenario->wait_s > 0) {
        scenario->wait_s = 0;
        cli->wait_cut = true;
    }
}

int cost_formula(struct cost *cli, const char *era, struct jobq_error *err)
{
    char *text;
    size_t len;
    free(cli->formula);
    cli->formula = NULL;
    snprintf(cli->formula_name, sizeof cli->formula_name, "closed form");
    if (cli->formula_path && strcmp(cli->formula_path, "closed") == 0)
        return JOBQ_OK;
    if (cli->formula_path) {
        int code = cost_read(cli->formula_path, &text, &len, err);
        if (code)
            return code;
        code = formula_parse(text, len, cli->formula_path, &cli->formula, err);
        free(text);
        if (!code)
            snprintf(cli->formula_name, sizeof cli->formula_name, "%.70s",
                     cli->formula_path);
        return code;
    }
    for (int i = 0; i < formula_file_count; i++) {
        const struct formula_file *file = &formula_files[i];
        if (strlen(file->name) != strlen(era) + 5 ||
            strncmp(file->name, era, strlen(era)) != 0)
            continue;
        snprintf(cli->formula_name, sizeof cli->formula_name, "fitted, %s", era);
        return formula_parse((const char *)file->bytes, file->len, file->name,
                             &cli->formula, err);
    }
    return JOBQ_OK;
}

int cost_evaluate(struct cost *cli, const struct sheet *sheet,
                  const struct predict_scenario *scenario, struct evaluation *out,
                  struct jobq_error *err)
{
    struct evaluate_context context = {sheet, &cli->bill, cli->formula};
    return evaluate(&context, scenario,
                    scenario->jobs > 0 ? scenario->jobs : cli->interval_jobs, out, err);
}

/* ---- dates --------------------------------------------------------------------------------- */

int64_t cost_date_days(const char *date)
{
    int year = 0, month = 12, day = 0;
    int got = sscanf(date, "%4d-%2d-%2d", &year, &month, &day);
    if (got < 1 || year < 1970 || year > 9999 || month < 1 || month > 12)
        return -1;
    if (day < 1 || day > 31)
        day = month == 2 ? 28 : 30;
    return date_days((struct date){year, month, day});
}

char *cost_sheet_title(const struct sheet *sheet, char *out, int cap)
{
    const char *as_of = sheet_property(sheet, "as_of");
    snprintf(out, (size_t)cap, "%s %s%s%s%s", sheet_region(sheet), sheet_date(sheet),
             *as_of ? " (as of " : "", as_of, *as_of ? ")" : "");
    return out;
}

void cost_warn_prices(struct cost *cli, const struct sheet *sheet,
                      const struct bill *bill)
{
    struct text old = {0}, borrowed = {0};
    int old_count = 0;
    for (int i = 0; i < bill->count; i++) {
        const struct bill_item *item = &bill->item[i];
        bool again = false;
        for (int j = 0; j < i && !again; j++)
            again = bill->item[j].item == item->item &&
                    bill->item[j].service == item->service;
        if (again)
            continue;
        int64_t days = cost_date_days(item->date);
        if (days >= 0 && cli->today_days - days > STALE_DAYS && !cli->told_stale) {
            if (old_count++ < 4)
                text_printf(&old, "%s%s.%s %s", old.len ? ", " : "", item->service,
                            item->item, item->date);
        }
        if (item->assumed)
            text_printf(&borrowed, "%s%s.%s", borrowed.len ? ", " : "", item->service,
                        item->item);
    }
    /* With --date, old prices are what was asked for. */
    if (!cli->date && old_count) {
        cost_warn(cli, "%d price%s older than a year: %s%s", old_count,
                  old_count == 1 ? " is" : "s are", old.ptr,
                  old_count > 4 ? ", ..." : "");
        cli->told_stale = true;
    }
    if (borrowed.len)
        cost_warn(cli, "not known in %s and assumed from %s: %s", sheet_region(sheet),
                  cli->assume_from, borrowed.ptr);
    text_release(&old);
    text_release(&borrowed);
}

json_t *cost_sheet_json(const struct sheet *sheet)
{
    const char *key, *value;
    json_t *object = json_object();
    json_object_set_new(object, "region", json_string(sheet_region(sheet)));
    json_object_set_new(object, "date", json_string(sheet_date(sheet)));
    for (int i = 0; sheet_property_at(sheet, i, &key, &value), key; i++)
        json_object_set_new(object, key, json_string(value));
    return object;
}
