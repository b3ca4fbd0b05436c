#include "cost/cmd/table.h"

#include "cost/bill/bill.h"

#include "base/arena.h"
#include "base/text.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 80

struct cell {
    char *shown;
    double value;
    bool number;
};

struct cost_table {
    const char *const *head;
    const char *const *key;
    int columns;
    struct cell *cell;
    int count, cap;
};

struct cost_table *cost_table_new(const char *const *head, const char *const *key,
                                  int count)
{
    struct cost_table *table = xcalloc(1, sizeof *table);
    *table = (struct cost_table){.head = head, .key = key, .columns = count};
    return table;
}

void cost_table_free(struct cost_table *table)
{
    for (int i = 0; i < table->count; i++)
        free(table->cell[i].shown);
    free(table->cell);
    free(table);
}

int cost_table_rows(const struct cost_table *table)
{
    return table->count / table->columns;
}

static struct cell *next_cell(struct cost_table *table)
{
    if (table->count == table->cap) {
        table->cap = table->cap ? 2 * table->cap : 64;
        table->cell = xrealloc(table->cell, (size_t)table->cap * sizeof *table->cell);
    }
    struct cell *cell = &table->cell[table->count++];
    *cell = (struct cell){0};
    return cell;
}

void cost_table_text(struct cost_table *table, const char *text)
{
    next_cell(table)->shown = xstrdup(text);
}

void cost_table_number(struct cost_table *table, double value, const char *shown)
{
    struct cell *cell = next_cell(table);
    cell->number = true;
    cell->value = value;
    if (shown) {
        cell->shown = xstrdup(shown);
        return;
    }
    struct text text = {0};
    text_put_double(&text, value);
    cell->shown = text.ptr;
}

static bool is_number(const struct cost_table *table, int column)
{
    return table->head[column][0] == '#';
}

static bool is_hidden(const struct cost_table *table, int column)
{
    return table->head[column][0] == '!';
}

static const char *table_title(const struct cost_table *table, int column)
{
    return table->head[column] + (is_number(table, column) || is_hidden(table, column));
}

static void print_cell(const char *text, int width, bool right, bool last, FILE *out)
{
    int len = (int)strlen(text);
    if (len > width)
        fprintf(out, "%.*s~", width - 1, text);
    else if (right)
        fprintf(out, "%*s", width, text);
    else
        fprintf(out, "%-*s", last ? len : width, text);
    fputs(last ? "\n" : "  ", out);
}

/* The width of each column; the widest text column is cut to fit the page. */
static void widths(const struct cost_table *table, int *width, int *last)
{
    int sum = -2, widest = -1;
    for (int i = 0; i < table->columns; i++)
        width[i] = (int)strlen(table_title(table, i));
    for (int i = 0; i < table->count; i++) {
        int column = i % table->columns;
        int len = (int)strlen(table->cell[i].shown);
        if (len > width[column])
            width[column] = len;
    }
    for (int i = 0; i < table->columns; i++) {
        if (is_hidden(table, i))
            continue;
        *last = i;
        sum += width[i] + 2;
        if (!is_number(table, i) && (widest < 0 || width[i] > width[widest]))
            widest = i;
    }
    if (sum > WIDTH && widest >= 0 && width[widest] - (sum - WIDTH) >= 8) {
        width[widest] -= sum - WIDTH;
    }
}

void cost_table_print(const struct cost_table *table, FILE *out)
{
    int width[32], last = 0;
    assert(table->columns <= 32);
    widths(table, width, &last);
    for (int i = 0; i < table->columns; i++)
        if (!is_hidden(table, i))
            print_cell(table_title(table, i), width[i], is_number(table, i), i == last,
                       out);
    for (int i = 0; i < table->count; i++) {
        int column = i % table->columns;
        if (!is_hidden(table, column))
            print_cell(table->cell[i].shown, width[column], is_number(table, column),
                       column == last, out);
    }
}

static void print_field(const char *text, FILE *out)
{
    if (!strpbrk(text, ",\"\n")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

void cost_table_print_csv(const struct cost_table *table, FILE *out)
{
    for (int i = 0; i < table->columns; i++)
        fprintf(out, "%s%s", table->key[i], i + 1 == table->columns ? "\n" : ",");
    for (int i = 0; i < table->count; i++) {
        const struct cell *cell = &table->cell[i];
        bool last = i % table->columns + 1 == table->columns;
        if (cell->number) {
            struct text text = {0};
            text_put_double(&text, cell->value);
            fputs(text.ptr, out);
            text_release(&text);
        } else {
            print_field(cell->shown, out);
        }
        fputc(last ? '\n' : ',', out);
    }
}

json_t *cost_table_json(const struct cost_table *table)
{
    json_t *rows = json_array(), *row = NULL;
    for (int i = 0; i < table->count; i++) {
        int column = i % table->columns;
        const struct cell *cell = &table->cell[i];
        if (column == 0) {
            row = json_object();
            json_array_append_new(rows, row);
        }
        json_object_set_new(row, table->key[column],
                            !cell->number           ? json_string(cell->shown)
                            : isfinite(cell->value) ? json_real(cell->value)
                                                    : json_null());
    }
    return rows;
}

char *cost_usd(double usd, char *out, int cap)
{
    return bill_usd_text(usd, out, cap);
}

char *cost_usd_cell(double usd, char *out, int cap)
{
    double size = fabs(usd);
    if (size >= 0.9995 || size == 0)
        return cost_usd(usd, out, cap);
    if (size < 0.00005)
        snprintf(out, (size_t)cap, "<$0.0001");
    else
        snprintf(out, (size_t)cap, "%s$%.4f", usd < 0 ? "-" : "", size);
    return out;
}

char *cost_count(double count, char *out, int cap)
{
    char digits[64];
    int len = snprintf(digits, sizeof digits, "%.0f", fabs(round(count))), at = 0;
    if (count < -0.5 && at + 1 < cap)
        out[at++] = '-';
    for (int i = 0; i < len && at + 2 < cap; i++) {
        out[at++] = digits[i];
        if ((len - 1 - i) % 3 == 0 && i + 1 < len)
            out[at++] = ',';
    }
    out[at] = '\0';
    return out;
}

char *cost_money(double usd, char *out, int cap)
{
    char count[40];
    double size = fabs(usd);
    const char *sign = usd < 0 ? "-" : "";
    if (size >= 999.5)
        snprintf(out, (size_t)cap, "%s$%s", sign, cost_count(size, count, 40));
    else if (size >= 0.095 || size < 5e-10)
        snprintf(out, (size_t)cap, "%s$%.2f", sign, size);
    else
        snprintf(out, (size_t)cap, "%s$%.*f", sign, 1 - (int)floor(log10(size)), size);
    return out;
}

char *cost_duration(double seconds, char *out, int cap)
{
    static const struct {
        double seconds;
        const char *name;
    } unit[] = {{86400, "day"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    size_t size = (size_t)cap;
    if (seconds < 0.9995) {
        if (seconds < 0.9995e-3)
            snprintf(out, size, seconds > 0 ? "%.3g us" : "0 s", seconds * 1e6);
        else
            snprintf(out, size, "%.3g ms", seconds * 1e3);
        return out;
    }
    if (seconds < 59.95) {
        snprintf(out, size, "%.3g s", seconds);
        return out;
    }
    for (int i = 0; i < 3; i++) {
        double less = unit[i + 1].seconds;
        double whole = round(seconds / less) * less; /* in the smaller of the two units */
        if (whole < unit[i].seconds)
            continue;
        double first = floor(whole / unit[i].seconds);
        double rest = round((whole - first * unit[i].seconds) / less);
        int len = snprintf(out, size, "%.0f %s%s", first, unit[i].name,
                           i == 0 && first > 1 ? "s" : "");
        if (rest > 0 && len > 0 && len < cap)
            snprintf(out + len, size - (size_t)len, " %.0f %s", rest, unit[i + 1].name);
        break;
    }
    return out;
}

char *cost_size(double bytes, char *out, int cap)
{
    static const char *const unit[] = {"bytes", "KiB", "MiB", "GiB"};
    int i = 0;
    for (; i < 3 && bytes >= 1024; i++)
        bytes /= 1024;
    if (i == 0)
        snprintf(out, (size_t)cap, "%.0f byte%s", bytes, bytes == 1 ? "" : "s");
    else
        snprintf(out, (size_t)cap, "%.3g %s", bytes, unit[i]);
    return out;
}

char *cost_rate(double per_s, char *out, int cap)
{
    static const struct {
        double seconds;
        const char *name;
    } unit[] = {{1, "a second"}, {60, "a minute"}, {3600, "an hour"}, {86400, "a day"}};
    int i = 0;
    char count[40];
    while (i < 3 && per_s * unit[i].seconds < 0.9995)
        i++;
    double value = per_s * unit[i].seconds;
    if (value >= 999.5)
        snprintf(out, (size_t)cap, "%s %s", cost_count(value, count, 40), unit[i].name);
    else
        snprintf(out, (size_t)cap, "%.3g %s", value, unit[i].name);
    return out;
}

char *cost_si(double value, char *out, int cap)
{
    static const struct {
        double scale;
        const char *name;
    } scales[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
    double size = fabs(value);
    for (size_t i = 0; i < 4; i++)
        if (size >= scales[i].scale * 0.99995) {
            snprintf(out, (size_t)cap, "%.4g%s", value / scales[i].scale, scales[i].name);
            return out;
        }
    snprintf(out, (size_t)cap, "%.4g", value);
    return out;
}
