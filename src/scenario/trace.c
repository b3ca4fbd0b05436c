#include "scenario/trace.h"

#include "base/arena.h"
#include "base/date.h"
#include "base/text.h"
#include "jobq/units.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SWF_FIELDS 18
#define LINE_MAX_BYTES 4096
#define CSV_COLUMNS_MAX 64
/* Later than this the first arrival is a date, not an offset. */
#define ABSOLUTE_NS (10 * 365 * JOBQ_NS_PER_DAY)
/* A century: past it a time is a mistake, and sums of times stay far from overflow. */
#define TIME_MAX_NS (100 * 365 * JOBQ_NS_PER_DAY)

struct job {
    int64_t arrival_ns, job_ns, index;
};

struct reading {
    const struct trace_options *options;
    enum trace_format format;
    bool known; /* the format has been recognised */
    struct job *job;
    int64_t count, cap;
    int column[3]; /* CSV: where the header has the format's columns */
    int64_t line;
    struct trace skipped; /* its counts and notes */
};

const char *trace_format_name(enum trace_format format)
{
    static const char *const names[] = {"SWF", "Azure Functions CSV", "Azure LLM CSV"};
    return names[format];
}

/* A field in quotes, escaped, for a message. */
static const char *quote(const char *field, char out[48])
{
    return text_escape(field, (int64_t)strlen(field), out, 48);
}

/* Seconds with decimals and an optional sign. */
static int read_seconds(const char *what, const char *field, int64_t *out_ns,
                        struct jobq_error *err)
{
    bool negative = *field == '-';
    const char *digits = field + (negative || *field == '+');
    char safe[48];
    if (digits[0] == '\0' || strspn(digits, "0123456789.eE+-") != strlen(digits))
        return jobq_fail(err, JOBQ_INVALID, "malformed %s '%s'", what,
                         quote(field, safe));
    struct jobq_error why;
    int code = jobq_parse_duration(digits, out_ns, &why);
    if (code == JOBQ_LIMIT || (code == JOBQ_OK && *out_ns > TIME_MAX_NS))
        return jobq_fail(err, JOBQ_INVALID, "%s '%s' is out of range (over 100 years)",
                         what, quote(field, safe));
    if (code != JOBQ_OK)
        return jobq_fail(err, JOBQ_INVALID, "malformed %s '%s'", what,
                         quote(field, safe));
    if (negative)
        *out_ns = -*out_ns;
    return JOBQ_OK;
}

int64_t trace_skipped(const struct trace *t)
{
    return t->skipped_runtime + t->skipped_arrival + t->skipped_malformed;
}

/* Counts a line that is no use, under *count, and keeps the reason of the first few. */
static int skip_line(struct reading *r, int64_t *count, const char *why)
{
    int64_t at = trace_skipped(&r->skipped);
    if (at < TRACE_NOTES)
        snprintf(r->skipped.note[at], TRACE_NOTE_BYTES, "line %lld: %.70s",
                 (long long)r->line, why);
    ++*count;
    return JOBQ_OK;
}

static int too_few(int fields, int want, struct jobq_error *err)
{
    return jobq_fail(err, JOBQ_INVALID, "%d of %d fields", fields, want);
}

static int add_job(struct reading *r, int64_t arrival_ns, int64_t job_ns,
                   struct jobq_error *err)
{
    if (r->count == TRACE_JOBS_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "more than %d jobs", TRACE_JOBS_MAX);
    if (r->count == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 1024;
        r->job = xrealloc(r->job, (size_t)r->cap * sizeof *r->job);
    }
    r->job[r->count] = (struct job){arrival_ns, job_ns, r->count};
    r->count++;
    return JOBQ_OK;
}

/* Splits at any of the separators, in place. Returns how many fields, at most cap; the
 * rest of the line is left alone. Blanks separate in runs, commas one by one. */
static int split(char *line, bool comma, char **field, int cap)
{
    int count = 0;
    char *p = line;
    while (count < cap) {
        p += strspn(p, " \t");
        if (!comma && *p == '\0')
            break;
        field[count++] = p;
        p += strcspn(p, comma ? "," : " \t");
        if (*p == '\0')
            break;
        *p++ = '\0';
    }
    return count;
}

/* Without the blanks and the quotes around it, in place. */
static char *unquote(char *field)
{
    field += strspn(field, " \t\"");
    for (size_t len = strlen(field); len > 0 && strchr(" \t\"", field[len - 1]); len--)
        field[len - 1] = '\0';
    return field;
}

static int read_swf(struct reading *r, char *line, struct jobq_error *err)
{
    char *field[SWF_FIELDS];
    line[strcspn(line, ";")] = '\0';
    int fields = split(line, false, field, SWF_FIELDS);
    if (fields == 0)
        return JOBQ_OK;
    if (fields < SWF_FIELDS)
        return too_few(fields, SWF_FIELDS, err);
    int64_t arrival_ns, job_ns;
    int code = read_seconds("submit time", field[1], &arrival_ns, err);
    if (code == JOBQ_OK)
        code = read_seconds("run time", field[3], &job_ns, err);
    if (code != JOBQ_OK)
        return code;
    if (job_ns <= 0)
        return skip_line(r, &r->skipped.skipped_runtime, "a run time of 0 or less");
    if (arrival_ns < 0)
        return skip_line(r, &r->skipped.skipped_arrival, "no arrival");
    return add_job(r, arrival_ns, job_ns, err);
}

/* The fields of a CSV line that its format wants, in the format's order. */
static int csv_fields(const struct reading *r, char *line, int want, char **out,
                      struct jobq_error *err)
{
    char *field[CSV_COLUMNS_MAX];
    int fields = split(line, true, field, CSV_COLUMNS_MAX), last = 0;
    for (int i = 0; i < want; i++)
        last = r->column[i] > last ? r->column[i] : last;
    if (fields <= last || *field[last] == '\0')
        return too_few(fields <= last ? fields : last, last + 1, err);
    for (int i = 0; i < want; i++)
        out[i] = unquote(field[r->column[i]]);
    return JOBQ_OK;
}

static int read_azure_functions(struct reading *r, char *line, struct jobq_error *err)
{
    char *field[2];
    int64_t end_ns, job_ns;
    int code = csv_fields(r, line, 2, field, err);
    if (code == JOBQ_OK)
        code = read_seconds("end_timestamp", field[0], &end_ns, err);
    if (code == JOBQ_OK)
        code = read_seconds("duration", field[1], &job_ns, err);
    if (code != JOBQ_OK)
        return code;
    if (job_ns < 0)
        return skip_line(r, &r->skipped.skipped_runtime, "a negative duration");
    return add_job(r, end_ns - job_ns, job_ns, err);
}

static bool read_digits(const char **p, int digits, int64_t *out)
{
    *out = 0;
    for (int i = 0; i < digits; i++, (*p)++) {
        if (**p < '0' || **p > '9')
            return false;
        *out = *out * 10 + (**p - '0');
    }
    return true;
}

/* 2023-11-16 18:17:03.9799600, with up to nine decimals. */
static bool read_timestamp(const char *text, int64_t *out_ns)
{
    static const char separators[6] = "-- ::";
    static const int widths[6] = {4, 2, 2, 2, 2, 2};
    int64_t part[6];
    for (int i = 0; i < 6; i++) {
        if (!read_digits(&text, widths[i], &part[i]))
            return false;
        if (i < 5 && *text != separators[i] && !(i == 2 && *text == 'T'))
            return false;
        text += i < 5;
    }
    if (part[1] < 1 || part[1] > 12 || part[2] < 1 || part[2] > 31 || part[3] > 23 ||
        part[4] > 59 || part[5] > 60 || part[0] < 1970 || part[0] > 2200)
        return false;
    int64_t fraction = 0;
    if (*text == '.') {
        int64_t scale = JOBQ_NS_PER_S / 10;
        for (text++; *text >= '0' && *text <= '9'; text++, scale /= 10)
            fraction += (*text - '0') * scale;
    }
    int64_t day_s = (part[3] * 60 + part[4]) * 60 + part[5];
    *out_ns = date_days((struct date){(int)part[0], (int)part[1], (int)part[2]}) *
                  JOBQ_NS_PER_DAY +
              day_s * JOBQ_NS_PER_S + fraction;
    return *text == '\0' || strcmp(text, "Z") == 0 || strcmp(text, "+00:00") == 0;
}

static int read_tokens(const char *what, const char *field, int64_t *out,
                       struct jobq_error *err)
{
    char safe[48];
    if (!str_to_int(str_of(field), out))
        return jobq_fail(err, JOBQ_INVALID, "malformed %s '%s'", what,
                         quote(field, safe));
    if (*out < 0 || *out > 1000000000)
        return jobq_fail(err, JOBQ_INVALID, "%s '%s' is out of range (0 to 1e9)", what,
                         quote(field, safe));
    return JOBQ_OK;
}

static int read_azure_llm(struct reading *r, char *line, struct jobq_error *err)
{
    char *field[3], safe[48];
    if (csv_fields(r, line, 3, field, err) != JOBQ_OK)
        return err->code;
    int64_t arrival_ns, context, generated;
    if (!read_timestamp(field[0], &arrival_ns))
        return jobq_fail(err, JOBQ_INVALID, "malformed TIMESTAMP '%s'",
                         quote(field[0], safe));
    int code = read_tokens("ContextTokens", field[1], &context, err);
    if (code == JOBQ_OK)
        code = read_tokens("GeneratedTokens", field[2], &generated, err);
    if (code != JOBQ_OK)
        return code;
    double job_ns = (double)context * (double)r->options->context_token_ns +
                    (double)generated * (double)r->options->token_ns;
    if (job_ns > (double)TIME_MAX_NS)
        return jobq_fail(err, JOBQ_INVALID, "job time is out of range (over 100 years)");
    return add_job(r, arrival_ns, (int64_t)job_ns, err);
}

/* Does the header name all of these columns? Notes where. */
static bool find_columns(struct reading *r, const char *header,
                         const char *const names[3])
{
    char copy[LINE_MAX_BYTES], *field[CSV_COLUMNS_MAX];
    memcpy(copy, header, strlen(header) + 1);
    int fields = split(copy, true, field, CSV_COLUMNS_MAX);
    for (int i = 0; i < 3 && names[i]; i++) {
        r->column[i] = -1;
        for (int f = 0; f < fields; f++)
            if (strcasecmp(unquote(field[f]), names[i]) == 0)
                r->column[i] = f;
        if (r->column[i] < 0)
            return false;
    }
    return true;
}

/* The first line that is neither empty nor a comment shows the format. True: it was a
 * header. */
static bool tell_format(struct reading *r, const char *line)
{
    static const char *const functions[3] = {"end_timestamp", "duration", NULL};
    static const char *const llm[3] = {"TIMESTAMP", "ContextTokens", "GeneratedTokens"};
    r->known = true;
    r->format = TRACE_SWF;
    if (find_columns(r, line, functions))
        r->format = TRACE_AZURE_FUNCTIONS;
    else if (find_columns(r, line, llm))
        r->format = TRACE_AZURE_LLM;
    return r->format != TRACE_SWF;
}

static int read_line(struct reading *r, char *line, struct jobq_error *err)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    if (r->line == 1 && strncmp(line, byte_order_mark, 3) == 0)
        line += 3;
    size_t len = strcspn(line, "\r\n");
    line[len] = '\0';
    if (line[strspn(line, " \t")] == '\0' || line[strspn(line, " \t")] == ';')
        return JOBQ_OK;
    if (!r->known && tell_format(r, line))
        return JOBQ_OK;
    if (r->format == TRACE_AZURE_FUNCTIONS)
        return read_azure_functions(r, line, err);
    if (r->format == TRACE_AZURE_LLM)
        return read_azure_llm(r, line, err);
    return read_swf(r, line, err);
}

/* The rest of a line that is too long. */
static void drop_rest(FILE *file)
{
    int c;
    while ((c = getc(file)) != EOF && c != '\n')
        ;
}

static int read_lines(FILE *file, struct reading *r, struct jobq_error *err)
{
    char line[LINE_MAX_BYTES];
    struct jobq_error why;
    for (r->line = 1;; r->line++) {
        /* A NUL byte would hide the rest of its line: fill first, so that it shows. */
        memset(line, '\n', sizeof line);
        if (!fgets(line, sizeof line, file))
            return JOBQ_OK;
        int code = JOBQ_OK;
        char *end = memchr(line, '\n', sizeof line);
        if (!end || end == line + sizeof line - 1) {
            code =
                jobq_fail(&why, JOBQ_INVALID, "longer than %d bytes", LINE_MAX_BYTES - 2);
            drop_rest(file);
        } else if (strlen(line) + (feof(file) != 0) < (size_t)(end - line)) {
            code = jobq_fail(&why, JOBQ_INVALID, "it holds a NUL byte");
        }
        if (code == JOBQ_OK)
            code = read_line(r, line, &why);
        if (code == JOBQ_INVALID) {
            skip_line(r, &r->skipped.skipped_malformed, why.text);
        } else if (code != JOBQ_OK) {
            *err = why;
            return code;
        }
    }
}

static int by_arrival(const void *a, const void *b)
{
    const struct job *x = a, *y = b;
    if (x->arrival_ns != y->arrival_ns)
        return x->arrival_ns < y->arrival_ns ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

static int64_t scaled(int64_t ns, double scale)
{
    return scale > 1.0 || scale < 1.0 ? (int64_t)llrint((double)ns * scale) : ns;
}

static int check_scale(const struct reading *r, int64_t origin_ns, struct jobq_error *err)
{
    for (int64_t i = 0; i < r->count; i++) {
        int64_t arrival_ns = r->job[i].arrival_ns - origin_ns, job_ns = r->job[i].job_ns;
        double most = (double)(arrival_ns > job_ns ? arrival_ns : job_ns);
        if (most * r->options->time_scale > (double)TIME_MAX_NS)
            return jobq_fail(err, JOBQ_LIMIT,
                             "scaled by %g the trace's times pass 100 years",
                             r->options->time_scale);
    }
    return JOBQ_OK;
}

static int deliver(struct reading *r, struct trace *out, struct jobq_error *err)
{
    qsort(r->job, (size_t)r->count, sizeof *r->job, by_arrival);
    int64_t first = r->job[0].arrival_ns;
    int64_t origin = first < 0 || first > ABSOLUTE_NS ? first : 0;
    int code = check_scale(r, origin, err);
    if (code != JOBQ_OK)
        return code;
    int64_t count = r->options->limit > 0 && r->options->limit < r->count
                        ? r->options->limit
                        : r->count;
    *out = r->skipped;
    out->format = r->format;
    out->count = count;
    out->arrival_ns = xmalloc((size_t)count * sizeof(int64_t));
    out->job_ns = xmalloc((size_t)count * sizeof(int64_t));
    for (int64_t i = 0; i < count; i++) {
        out->arrival_ns[i] =
            scaled(r->job[i].arrival_ns - origin, r->options->time_scale);
        out->job_ns[i] = scaled(r->job[i].job_ns, r->options->time_scale);
    }
    return JOBQ_OK;
}

int trace_read(const char *path, const struct trace_options *options, struct trace *out,
               struct jobq_error *err)
{
    assert(options->time_scale > 0);
    char shown[100];
    text_escape(path, (int64_t)strlen(path), shown, sizeof shown);
    FILE *file = fopen(path, "r");
    if (!file)
        return jobq_fail(err, errno == ENOENT ? JOBQ_NOT_FOUND : JOBQ_DENIED,
                         "cannot open trace '%s': %s", shown,
                         errno == ENOENT ? "no such file" : "not readable");
    struct reading r = {.options = options};
    int code = read_lines(file, &r, err);
    if (code == JOBQ_OK && ferror(file))
        code = jobq_fail(err, JOBQ_DENIED, "cannot read trace '%s'", shown);
    fclose(file);
    if (code == JOBQ_OK && r.count == 0)
        code = trace_skipped(&r.skipped) > 0
                   ? jobq_fail(err, JOBQ_INVALID,
                               "trace '%s' has no usable job: %lld lines skipped (%s)",
                               shown, (long long)trace_skipped(&r.skipped),
                               r.skipped.note[0])
                   : jobq_fail(err, JOBQ_INVALID, "trace '%s' is empty", shown);
    if (code == JOBQ_OK)
        code = deliver(&r, out, err);
    if (code == JOBQ_LIMIT)
        jobq_wrap(err, "%s", shown);
    free(r.job);
    return code;
}

void trace_release(struct trace *trace)
{
    free(trace->arrival_ns);
    free(trace->job_ns);
    *trace = (struct trace){0};
}
