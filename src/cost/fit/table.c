#include "cost/fit/table.h"

#include "base/arena.h"
#include "base/text.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct cell {
    double number;
    struct jobq_str text;
};

struct key {
    const char *name, *value;
    struct key *next;
};

struct table {
    struct arena arena;
    char *copy; /* a copy of the text; cells and names are views of it */
    struct key *keys;
    const char **name, **unit;
    int columns;
    struct cell *cell;
    size_t *line;
    size_t rows, cap;
};

void table_free(struct table *table)
{
    if (!table)
        return;
    arena_release(&table->arena);
    free(table->copy);
    free(table->cell);
    free(table->line);
    free(table);
}

/* "# key=value" */
static void table_take_key(struct table *table, char *line)
{
    line += strspn(line, "# ");
    char *equals = strchr(line, '=');
    if (!equals)
        return; /* a comment */
    *equals = '\0';
    struct key *key = arena_alloc(&table->arena, sizeof *key);
    *key = (struct key){line, equals + 1, table->keys};
    table->keys = key;
}

static int take_names(struct table *table, char *line, const char *file, size_t number,
                      struct jobq_error *err)
{
    int count = 1;
    for (const char *p = line; *p; p++)
        count += *p == ',';
    if (count > TABLE_COLUMNS_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "%s:%zu: %d columns exceed %d", file, number,
                         count, TABLE_COLUMNS_MAX);
    table->name = arena_alloc(&table->arena, (size_t)count * sizeof *table->name);
    table->unit = arena_alloc(&table->arena, (size_t)count * sizeof *table->unit);
    table->columns = count;
    for (int c = 0; c < count; c++) {
        char *end = strchr(line, ',');
        if (end)
            *end = '\0';
        char *open = strchr(line, '['), *close = open ? strchr(open, ']') : NULL;
        if (*line == '\0' || open == line || (open && (!close || close[1] != '\0')))
            return jobq_fail(err, JOBQ_INVALID, "%s:%zu: column %d has an invalid name",
                             file, number, c + 1);
        table->unit[c] = "";
        if (open) {
            *open = *close = '\0';
            table->unit[c] = open + 1;
        }
        table->name[c] = line;
        for (int before = 0; before < c; before++)
            if (strcmp(table->name[before], line) == 0)
                return jobq_fail(err, JOBQ_INVALID,
                                 "%s:%zu: column '%.40s' appears twice", file, number,
                                 line);
        line = end + 1;
    }
    return JOBQ_OK;
}

static double table_read_number(const char *text)
{
    char *end;
    if (!((*text >= '0' && *text <= '9') || *text == '-' || *text == '+' || *text == '.'))
        return (double)NAN;
    double value = strtod(text, &end);
    return *end == '\0' && end != text ? value : (double)NAN;
}

static int take_row(struct table *table, char *line, const char *file, size_t number,
                    struct jobq_error *err)
{
    if (table->rows == table->cap) {
        table->cap = table->cap ? 2 * table->cap : 64;
        table->cell = xrealloc(table->cell,
                               table->cap * (size_t)table->columns * sizeof *table->cell);
        table->line = xrealloc(table->line, table->cap * sizeof *table->line);
    }
    struct cell *row = table->cell + table->rows * (size_t)table->columns;
    for (int c = 0; c < table->columns; c++) {
        char *end = strchr(line, ',');
        if (!end != (c == table->columns - 1))
            return jobq_fail(err, JOBQ_INVALID, "%s:%zu: %s cells than the %d columns",
                             file, number, end ? "more" : "fewer", table->columns);
        if (end)
            *end = '\0';
        row[c] = (struct cell){table_read_number(line), str_of(line)};
        line = end ? end + 1 : line;
    }
    table->line[table->rows++] = number;
    return JOBQ_OK;
}

int table_parse(const char *text, size_t len, const char *name, struct table **out,
                struct jobq_error *err)
{
    assert(name && out && err && (text || len == 0));
    struct table *table = xcalloc(1, sizeof *table);
    arena_init(&table->arena, 0);
    table->copy = xmalloc(len + 1);
    memcpy(table->copy, text, len);
    table->copy[len] = '\0';
    int code = JOBQ_OK;
    size_t number = 0;
    char *line = table->copy, *stop = table->copy + len;
    while (line < stop && code == JOBQ_OK) {
        number++;
        char *end = memchr(line, '\n', (size_t)(stop - line));
        if (!end)
            code = jobq_fail(err, JOBQ_INVALID, "%s:%zu: the last line is cut short",
                             name, number);
        else if (memchr(line, '\0', (size_t)(end - line)))
            code =
                jobq_fail(err, JOBQ_INVALID, "%s:%zu: contains a NUL byte", name, number);
        if (code != JOBQ_OK)
            break;
        *end = '\0';
        if (*line == '#' && !table->columns)
            table_take_key(table, line);
        else if (!table->columns)
            code = take_names(table, line, name, number, err);
        else
            code = take_row(table, line, name, number, err);
        line = end + 1;
    }
    if (code == JOBQ_OK && !table->columns)
        code = jobq_fail(err, JOBQ_INVALID, "%s: has no line of column names", name);
    if (code != JOBQ_OK) {
        table_free(table);
        return code;
    }
    *out = table;
    return JOBQ_OK;
}

const char *table_key(const struct table *table, const char *key)
{
    for (const struct key *k = table->keys; k; k = k->next)
        if (strcmp(k->name, key) == 0)
            return k->value;
    return NULL;
}

size_t table_rows(const struct table *table)
{
    return table->rows;
}

int table_columns(const struct table *table)
{
    return table->columns;
}

const char *table_unit(const struct table *table, int column)
{
    return table->unit[column];
}

int table_find(const struct table *table, const char *name)
{
    for (int c = 0; c < table->columns; c++)
        if (strcmp(table->name[c], name) == 0)
            return c;
    return -1;
}

double table_number(const struct table *table, size_t row, int column)
{
    assert(row < table_rows(table) && column >= 0 && column < table_columns(table));
    return table->cell[row * (size_t)table->columns + (size_t)column].number;
}

struct jobq_str table_text(const struct table *table, size_t row, int column)
{
    assert(row < table_rows(table) && column >= 0 && column < table_columns(table));
    return table->cell[row * (size_t)table->columns + (size_t)column].text;
}

size_t table_line(const struct table *table, size_t row)
{
    assert(row < table_rows(table));
    return table->line[row];
}
