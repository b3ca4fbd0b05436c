#include "sim/play/scenario.h"

#include "base/arena.h"
#include "base/ini.h"
#include "jobq/units.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ---- the table -------------------------------------------------------------------- */

enum kind {
    K_COUNT,    /* int64_t, jobq_parse_count, within low..high */
    K_SIZE,     /* int64_t bytes */
    K_DURATION, /* int64_t ns */
    K_NUMBER,   /* double, within low..high */
    K_DIST,
    K_ARRIVALS,
    K_NAME,   /* char array of `high` bytes */
    K_PATH,   /* char * */
    K_SETS,   /* char *, each setting adds to it behind a ';' */
    K_FLAG,   /* bool */
    K_CHOICE, /* int64_t, an index into choices */
    K_PREFETCH,
    K_SEED,
    K_THREADS
};

struct row {
    struct scenario_option option;
    enum kind kind;
    size_t offset;
    double low, high;
    const char *choices; /* "a|b|c" */
    const char *range;   /* how the limits are named in an error */
};

#define AT(field) offsetof(struct scenario, field)
#define NS 1e9

static const struct row TABLE[] = {
    {{"jobs", "N", "how many jobs", false}, K_COUNT, AT(jobs), 1, 1e9, NULL, "1 to 1G"},
    {{"payload", "SIZE", "bytes of each job's payload", false},
     K_SIZE,
     AT(payload_bytes),
     0,
     1048576,
     NULL,
     "0 to 1MiB"},
    {{"job-time", "DIST", "how long a job runs", false},
     K_DIST,
     AT(job_time),
     0,
     0,
     NULL,
     NULL},
    {{"cpu-share", "X", "part of a job's time that it computes, 0..1", false},
     K_NUMBER,
     AT(cpu_share),
     0,
     1,
     NULL,
     "0 to 1"},
    {{"concurrency", "N", "slots a box: jobs it runs at once", false},
     K_COUNT,
     AT(concurrency),
     1,
     100000,
     NULL,
     "1 to 100k"},
    {{"boxes", "N", "boxes that drain the queue", false},
     K_COUNT,
     AT(boxes),
     1,
     10000,
     NULL,
     "1 to 10k"},
    {{"instance", "TYPE", "instance type of the boxes", false},
     K_NAME,
     AT(instance),
     0,
     24,
     NULL,
     "1 to 23 bytes"},
    {{"spot", NULL, "boxes come from the spot market", false},
     K_FLAG,
     AT(spot),
     0,
     0,
     NULL,
     NULL},
    {{"boot", "model|none", "boxes boot first, or run already (auto)", false},
     K_CHOICE,
     AT(boot),
     0,
     0,
     "auto|model|none",
     NULL},
    {{"arrivals", "SPEC", "when jobs come: at-once, poisson:R/s, every:T", false},
     K_ARRIVALS,
     AT(arrivals),
     0,
     0,
     NULL,
     NULL},
    {{"trace", "FILE", "recorded workload: SWF or Azure CSV", false},
     K_PATH,
     AT(trace_path),
     0,
     0,
     NULL,
     NULL},
    {{"time-scale", "X", "multiply the trace's arrivals and job times", false},
     K_NUMBER,
     AT(trace_options.time_scale),
     1e-9,
     1e6,
     NULL,
     "1e-9 to 1e6"},
    {{"limit", "N", "only the trace's first N usable jobs", false},
     K_COUNT,
     AT(trace_options.limit),
     1,
     1e9,
     NULL,
     "1 to 1G"},
    {{"context-token-time", "T", "LLM trace: time of a prompt token (assumed)", false},
     K_DURATION,
     AT(trace_options.context_token_ns),
     0,
     3600 * NS,
     NULL,
     "0 to 1h"},
    {{"token-time", "T", "LLM trace: time of a generated token (assumed)", false},
     K_DURATION,
     AT(trace_options.token_ns),
     0,
     3600 * NS,
     NULL,
     "0 to 1h"},
    {{"clients", "N", "enqueue calls kept going at once", false},
     K_COUNT,
     AT(clients),
     1,
     10000,
     NULL,
     "1 to 10k"},
    {{"client", "WHERE", "the client is in-region or on the internet", false},
     K_CHOICE,
     AT(client),
     0,
     0,
     "in-region|internet",
     NULL},
    {{"model", "NAME", "how the services behave: aws-2026 aws-2012 ideal", false},
     K_NAME,
     AT(model),
     0,
     64,
     NULL,
     "1 to 63 bytes"},
    {{"set", "S.KEY=V", "change a number of the model; may be repeated", false},
     K_SETS,
     AT(sets),
     0,
     0,
     NULL,
     NULL},
    {{"store", "S", "simpledb, or none: the queue alone", false},
     K_CHOICE,
     AT(store),
     0,
     0,
     "simpledb|none",
     NULL},
    {{"visibility", "T", "the queue's visibility timeout", false},
     K_DURATION,
     AT(visibility_ns),
     NS,
     43200 * NS,
     NULL,
     "1s to 12h"},
    {{"wait", "T", "long poll of a receive, 0: short polls", false},
     K_DURATION,
     AT(wait_ns),
     0,
     20 * NS,
     NULL,
     "0 to 20s"},
    {{"batch", "N", "entries a request at most", false},
     K_COUNT,
     AT(batch),
     1,
     10,
     NULL,
     "1 to 10"},
    {{"prefetch", "P|auto", "messages held beyond the free slots", false},
     K_PREFETCH,
     AT(prefetch),
     0,
     10000,
     NULL,
     "auto or 0 to 10k"},
    {{"domains", "N", "SimpleDB domains that the rows are spread over", false},
     K_COUNT,
     AT(domains),
     1,
     250,
     NULL,
     "1 to 250"},
    {{"keep", "T", "how long rows are kept after their job", false},
     K_DURATION,
     AT(keep_ns),
     0,
     100.0 * 365 * 86400 * NS,
     NULL,
     "0 to 100 years"},
    {{"payload-in", "WHERE", "payload travels in auto, message or store", false},
     K_CHOICE,
     AT(payload_in),
     0,
     0,
     "auto|message|store",
     NULL},
    {{"attempts", "N", "a job is dead after so many attempts", false},
     K_COUNT,
     AT(attempts),
     1,
     1000,
     NULL,
     "1 to 1000"},
    {{"seed", "N", "every random stream follows from it", false},
     K_SEED,
     AT(seed),
     0,
     0,
     NULL,
     NULL},
    {{"reps", "N", "replications, with intervals over them", false},
     K_COUNT,
     AT(reps),
     1,
     1000000,
     NULL,
     "1 to 1M"},
    {{"threads", "N|auto", "replications that run at once", true},
     K_THREADS,
     AT(threads),
     1,
     1024,
     NULL,
     "auto or 1 to 1024"},
    {{"json", NULL, "one JSON object on stdout, schema jobq.run/1", true},
     K_FLAG,
     AT(json),
     0,
     0,
     NULL,
     NULL},
    {{"timing", NULL, "add wall time and events a second", true},
     K_FLAG,
     AT(timing),
     0,
     0,
     NULL,
     NULL},
    {{"jobs-csv", "FILE", "write one line a job (first replication)", true},
     K_PATH,
     AT(jobs_csv),
     0,
     0,
     NULL,
     NULL},
    {{"page", "FILE", "write the status page as it stood at the end", true},
     K_PATH,
     AT(page),
     0,
     0,
     NULL,
     NULL},
};
#define ROWS ((int)(sizeof TABLE / sizeof TABLE[0]))

int scenario_option_count(void)
{
    return ROWS;
}

const struct scenario_option *scenario_option_at(int index)
{
    assert(index >= 0 && index < ROWS);
    return &TABLE[index].option;
}

int scenario_option_find(const char *name)
{
    for (int i = 0; i < ROWS; i++)
        if (strcmp(TABLE[i].option.name, name) == 0)
            return i;
    return -1;
}

/* Levenshtein distance, both at most 31 bytes; more counts as far. */
static int distance(const char *a, const char *b)
{
    int n = (int)strlen(a), m = (int)strlen(b), row[32];
    if (n > 31 || m > 31)
        return 99;
    for (int j = 0; j <= m; j++)
        row[j] = j;
    for (int i = 1; i <= n; i++) {
        int corner = row[0];
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            int best = corner + (a[i - 1] != b[j - 1]);
            best = row[j] + 1 < best ? row[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            corner = row[j];
            row[j] = best;
        }
    }
    return row[m];
}

const char *scenario_option_nearest(const char *name)
{
    const char *nearest = NULL;
    int least = 99;
    for (int i = 0; i < ROWS; i++) {
        int far = distance(name, TABLE[i].option.name);
        /* A beginning of the name counts as near: --conc. */
        if (strlen(name) >= 3 && strncmp(name, TABLE[i].option.name, strlen(name)) == 0)
            far = 1;
        if (far < least) {
            least = far;
            nearest = TABLE[i].option.name;
        }
    }
    return least <= 2 && least < (int)strlen(name) ? nearest : NULL;
}

/* ---- life ------------------------------------------------------------------------- */

void scenario_init(struct scenario *s)
{
    *s = (struct scenario){
        .jobs = 1000,
        .payload_bytes = 1024,
        .arrivals = {.kind = ARRIVALS_AT_ONCE},
        .trace_options = {.time_scale = 1,
                          .context_token_ns = 200 * JOBQ_NS_PER_US,
                          .token_ns = 20 * JOBQ_NS_PER_MS},
        .boxes = 1,
        .concurrency = 10,
        .instance = "t4g.small",
        .clients = 64,
        .model = "aws-2026",
        .visibility_ns = 30 * JOBQ_NS_PER_S,
        .wait_ns = 20 * JOBQ_NS_PER_S,
        .batch = 10,
        .prefetch = SCENARIO_PREFETCH_AUTO,
        .domains = 4,
        .attempts = 5,
        .seed = 1,
        .reps = 1,
    };
    s->job_time = distribution_constant((double)JOBQ_NS_PER_S);
}

void scenario_release(struct scenario *s)
{
    distribution_release(&s->job_time);
    arrivals_release(&s->arrivals);
    if (s->trace_owned)
        trace_release(&s->trace);
    free(s->trace_path);
    free(s->jobs_csv);
    free(s->page);
    free(s->sets);
    *s = (struct scenario){0};
}

static char *copy_text(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

void scenario_copy(struct scenario *out, const struct scenario *from)
{
    *out = *from;
    distribution_copy(&out->job_time, &from->job_time);
    arrivals_copy(&out->arrivals, &from->arrivals);
    out->trace_owned = false;
    out->trace_path = copy_text(from->trace_path);
    out->jobs_csv = copy_text(from->jobs_csv);
    out->page = copy_text(from->page);
    out->sets = copy_text(from->sets);
}

bool scenario_given(const struct scenario *s, const char *name)
{
    int index = scenario_option_find(name);
    return index >= 0 && (s->given >> index & 1);
}

/* ---- setting ---------------------------------------------------------------------- */

static int out_of_range(const struct row *row, const char *value, struct jobq_error *err)
{
    char safe[60];
    text_escape(value, (int64_t)strlen(value), safe, sizeof safe);
    return jobq_fail(err, JOBQ_LIMIT, "'%s' is out of range, want %s", safe, row->range);
}

static int set_integer(const struct row *row, int64_t *to, const char *value,
                       struct jobq_error *err)
{
    int64_t read;
    int code = row->kind == K_SIZE       ? jobq_parse_size(value, &read, err)
               : row->kind == K_DURATION ? jobq_parse_duration(value, &read, err)
                                         : jobq_parse_count(value, &read, err);
    if (code == JOBQ_LIMIT)
        return out_of_range(row, value, err);
    if (code != JOBQ_OK)
        return code;
    if ((double)read < row->low || (double)read > row->high)
        return out_of_range(row, value, err);
    *to = read;
    return JOBQ_OK;
}

static int set_number(const struct row *row, double *to, const char *value,
                      struct jobq_error *err)
{
    double read;
    int code = jobq_parse_number(value, &read, err);
    if (code != JOBQ_OK)
        return code;
    if (!(read >= row->low && read <= row->high))
        return out_of_range(row, value, err);
    *to = read;
    return JOBQ_OK;
}

static int set_choice(const struct row *row, int64_t *to, const char *value,
                      struct jobq_error *err)
{
    size_t len = strlen(value);
    int64_t index = 0;
    for (const char *p = row->choices;; index++) {
        size_t width = strcspn(p, "|");
        if (width == len && memcmp(p, value, len) == 0) {
            *to = index;
            return JOBQ_OK;
        }
        if (p[width] == '\0')
            break;
        p += width + 1;
    }
    char safe[60];
    text_escape(value, (int64_t)len, safe, sizeof safe);
    return jobq_fail(err, JOBQ_INVALID, "unknown value '%s', want %s", safe,
                     row->choices);
}

static int set_flag(bool *to, const char *value, struct jobq_error *err)
{
    static const char *const words[] = {"yes", "true",  "1", "on",
                                        "no",  "false", "0", "off"};
    for (int i = 0; i < 8; i++)
        if (strcmp(value, words[i]) == 0) {
            *to = i < 4;
            return JOBQ_OK;
        }
    char safe[60];
    text_escape(value, (int64_t)strlen(value), safe, sizeof safe);
    return jobq_fail(err, JOBQ_INVALID, "unknown value '%s', want yes or no", safe);
}

static int set_name(const struct row *row, char *to, const char *value,
                    struct jobq_error *err)
{
    size_t len = strlen(value);
    if (len == 0 || len >= (size_t)row->high)
        return out_of_range(row, value, err);
    memcpy(to, value, len + 1);
    return JOBQ_OK;
}

static int set_seed(uint64_t *to, const char *value, struct jobq_error *err)
{
    char *end;
    size_t digits = strspn(value, "0123456789");
    if (digits > 0 && digits <= 19 && value[digits] == '\0') {
        *to = strtoull(value, &end, 10);
        return JOBQ_OK;
    }
    if (value[0] == '0' && value[1] == 'x' && strlen(value) <= 18 && strlen(value) > 2 &&
        strspn(value + 2, "0123456789abcdefABCDEF") == strlen(value) - 2) {
        *to = strtoull(value + 2, &end, 16);
        return JOBQ_OK;
    }
    char safe[60];
    text_escape(value, (int64_t)strlen(value), safe, sizeof safe);
    return jobq_fail(err, JOBQ_INVALID, "malformed seed '%s', want a number", safe);
}

static int set_path(char **to, const char *value, struct jobq_error *err)
{
    if (!*value)
        return jobq_fail(err, JOBQ_INVALID, "the file name is empty");
    free(*to);
    *to = xstrdup(value);
    return JOBQ_OK;
}

static int set_sets(char **to, const char *value, struct jobq_error *err)
{
    if (strchr(value, ';') || !strchr(value, '=') || !strchr(value, '.'))
        return jobq_fail(err, JOBQ_INVALID, "want SECTION.KEY=VALUE");
    struct text all = {0};
    if (*to) {
        text_puts(&all, *to);
        text_putc(&all, ';');
    }
    text_puts(&all, value);
    free(*to);
    *to = all.ptr;
    return JOBQ_OK;
}

static int set_dist(struct distribution *to, const char *value, struct jobq_error *err)
{
    struct distribution read;
    int code = distribution_read(value, &read, err);
    if (code != JOBQ_OK)
        return code;
    distribution_release(to);
    *to = read;
    return JOBQ_OK;
}

static int set_arrivals(struct arrivals *to, const char *value, struct jobq_error *err)
{
    struct arrivals read;
    int code = arrivals_parse(value, &read, err);
    if (code != JOBQ_OK)
        return code;
    arrivals_release(to);
    *to = read;
    return JOBQ_OK;
}

static int set_row(const struct row *row, void *field, const char *value,
                   struct jobq_error *err)
{
    switch (row->kind) {
    case K_COUNT:
    case K_SIZE:
    case K_DURATION:
        return set_integer(row, field, value, err);
    case K_NUMBER:
        return set_number(row, field, value, err);
    case K_DIST:
        return set_dist(field, value, err);
    case K_ARRIVALS:
        return set_arrivals(field, value, err);
    case K_NAME:
        return set_name(row, field, value, err);
    case K_PATH:
        return set_path(field, value, err);
    case K_SETS:
        return set_sets(field, value, err);
    case K_FLAG:
        return set_flag(field, value, err);
    case K_CHOICE:
        return set_choice(row, field, value, err);
    case K_PREFETCH:
        if (strcmp(value, "auto") == 0) {
            *(int64_t *)field = SCENARIO_PREFETCH_AUTO;
            return JOBQ_OK;
        }
        return set_integer(row, field, value, err);
    case K_THREADS:
        if (strcmp(value, "auto") == 0) {
            *(int64_t *)field = 0;
            return JOBQ_OK;
        }
        return set_integer(row, field, value, err);
    case K_SEED:
        return set_seed(field, value, err);
    }
    return JOBQ_INVALID;
}

int scenario_set(struct scenario *s, const char *name, const char *value,
                 struct jobq_error *err)
{
    int index = scenario_option_find(name);
    if (index < 0) {
        char safe[60];
        text_escape(name, (int64_t)strlen(name), safe, sizeof safe);
        const char *nearest = scenario_option_nearest(name);
        if (nearest)
            return jobq_fail(err, JOBQ_INVALID, "unknown option '%s', did you mean '%s'?",
                             safe, nearest);
        return jobq_fail(err, JOBQ_INVALID, "unknown option '%s'", safe);
    }
    const struct row *row = &TABLE[index];
    int code = set_row(row, (char *)s + row->offset, value, err);
    if (code != JOBQ_OK)
        return jobq_wrap(err, "--%s", name);
    s->given |= (uint64_t)1 << index;
    return JOBQ_OK;
}

static int on_key(void *ctx, const char *section, const char *key, const char *value,
                  int line, struct jobq_error *err)
{
    (void)line;
    if (*section && strcmp(section, "scenario") != 0) {
        char safe[60];
        text_escape(section, (int64_t)strlen(section), safe, sizeof safe);
        return jobq_fail(err, JOBQ_INVALID,
                         "unknown section '%s', want [scenario] or none", safe);
    }
    return scenario_set(ctx, key, value, err);
}

int scenario_read_file(struct scenario *s, const char *path, struct jobq_error *err)
{
    return ini_read_file(path, on_key, s, err);
}

/* ---- the whole -------------------------------------------------------------------- */

static int conflict(const struct scenario *s, struct jobq_error *err)
{
    static const char *const generated[] = {"jobs", "arrivals", "job-time"};
    static const char *const recorded[] = {"time-scale", "limit", "context-token-time",
                                           "token-time"};
    for (int i = 0; s->trace_path && i < 3; i++)
        if (scenario_given(s, generated[i]))
            return jobq_fail(err, JOBQ_INVALID, "'--%s' does not go with '--trace'%s",
                             generated[i], i == 0 ? ", use '--limit'" : "");
    for (int i = 0; !s->trace_path && i < 4; i++)
        if (scenario_given(s, recorded[i]))
            return jobq_fail(err, JOBQ_INVALID, "'--%s' needs '--trace'", recorded[i]);
    return JOBQ_OK;
}

int scenario_finish(struct scenario *s, struct jobq_error *err)
{
    int code = conflict(s, err);
    if (code != JOBQ_OK)
        return code;
    if (s->boxes * s->concurrency > 1000000)
        return jobq_fail(
            err, JOBQ_LIMIT,
            "'%lld' boxes of '%lld' slots exceed the limit of 1M slots in all",
            (long long)s->boxes, (long long)s->concurrency);
    bool ideal = strcmp(s->model, "ideal") == 0;
    if (ideal && !scenario_given(s, "prefetch"))
        s->prefetch = 0;
    if (s->boot == SCENARIO_BOOT_AUTO)
        s->boot = ideal ? SCENARIO_BOOT_NONE : SCENARIO_BOOT_MODEL;
    if (s->trace_path && !s->trace.arrival_ns) {
        code = trace_read(s->trace_path, &s->trace_options, &s->trace, err);
        if (code != JOBQ_OK)
            return code;
        s->trace_owned = true;
        s->jobs = s->trace.count;
    }
    return JOBQ_OK;
}

/* ---- the normal form -------------------------------------------------------------- */

#define FNV_START 0xcbf29ce484222325u

static uint64_t fnv(uint64_t hash, const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ p[i]) * 0x100000001b3u;
    return hash;
}

static void put_hashed(const char *path, uint64_t hash, struct text *out)
{
    const char *slash = strrchr(path, '/');
    char hex[17] = "";
    text_write_hex64(hex, hash);
    text_puts(out, slash ? slash + 1 : path);
    text_putc(out, '#');
    text_puts(out, hex);
}

static void put_dist(const struct distribution *d, struct text *out)
{
    if (d->kind != DISTRIBUTION_EMPIRICAL) {
        distribution_format(d, out);
        return;
    }
    text_puts(out, "empirical:");
    put_hashed(d->path,
               fnv(FNV_START, d->sample_ns, (size_t)d->count * sizeof *d->sample_ns),
               out);
}

static void put_arrivals(const struct arrivals *a, struct text *out)
{
    if (a->kind == ARRIVALS_RENEWAL && a->gap.kind == DISTRIBUTION_EMPIRICAL) {
        text_puts(out, "renewal:");
        put_dist(&a->gap, out);
        return;
    }
    arrivals_format(a, out);
}

static void put_path(const struct scenario *s, const char *path, struct text *out)
{
    if (!path) {
        text_puts(out, "none");
        return;
    }
    if (path != s->trace_path || !s->trace.arrival_ns) {
        text_puts(out, path);
        return;
    }
    size_t bytes = (size_t)s->trace.count * sizeof *s->trace.arrival_ns;
    put_hashed(path,
               fnv(fnv(FNV_START, s->trace.arrival_ns, bytes), s->trace.job_ns, bytes),
               out);
}

static void put_choice(const struct row *row, int64_t index, struct text *out)
{
    const char *p = row->choices;
    for (; index > 0; index--)
        p += strcspn(p, "|") + 1;
    text_put(out, p, strcspn(p, "|"));
}

void scenario_put_option(const struct scenario *s, int index, struct text *out)
{
    const struct row *row = &TABLE[index];
    const char *field = (const char *)s + row->offset;
    int64_t integer = 0;
    char shown[48];
    if (row->kind != K_FLAG && row->kind != K_NAME)
        memcpy(&integer, field, sizeof integer);
    switch (row->kind) {
    case K_COUNT:
        text_put_int(out, integer);
        return;
    case K_SIZE:
        text_put_int(out, integer);
        return;
    case K_DURATION:
        text_puts(out, jobq_format_duration(integer, shown, sizeof shown));
        return;
    case K_NUMBER:
        text_put_double(out, *(const double *)(const void *)field);
        return;
    case K_DIST:
        put_dist((const struct distribution *)(const void *)field, out);
        return;
    case K_ARRIVALS:
        put_arrivals((const struct arrivals *)(const void *)field, out);
        return;
    case K_NAME:
        text_puts(out, field);
        return;
    case K_PATH:
        put_path(s, *(char *const *)(const void *)field, out);
        return;
    case K_SETS:
        text_puts(out, s->sets ? s->sets : "none");
        return;
    case K_FLAG:
        text_puts(out, *(const bool *)field ? "yes" : "no");
        return;
    case K_CHOICE:
        put_choice(row, integer, out);
        return;
    case K_PREFETCH:
    case K_THREADS:
        if (integer == (row->kind == K_PREFETCH ? SCENARIO_PREFETCH_AUTO : 0))
            text_puts(out, "auto");
        else
            text_put_int(out, integer);
        return;
    case K_SEED:
        text_printf(out, "%llu", (unsigned long long)s->seed);
        return;
    }
}

char scenario_option_unit(int index)
{
    switch (TABLE[index].kind) {
    case K_COUNT:
    case K_PREFETCH:
        return 'N';
    case K_SIZE:
        return 'B';
    case K_DURATION:
    case K_DIST:
        return 'S';
    case K_NUMBER:
        return 'F';
    case K_ARRIVALS:
    case K_NAME:
    case K_PATH:
    case K_SETS:
    case K_FLAG:
    case K_CHOICE:
    case K_SEED:
    case K_THREADS:
        break;
    }
    return 'T';
}

void scenario_put_normal(const struct scenario *s, struct text *out)
{
    bool first = true;
    for (int i = 0; i < ROWS; i++) {
        if (TABLE[i].option.output)
            continue;
        if (!first)
            text_putc(out, ' ');
        first = false;
        text_puts(out, TABLE[i].option.name);
        text_putc(out, '=');
        scenario_put_option(s, i, out);
    }
}

uint64_t scenario_hash(const struct scenario *s)
{
    struct text form = {0};
    scenario_put_normal(s, &form);
    uint64_t hash = fnv(FNV_START, form.ptr, form.len);
    text_release(&form);
    return hash;
}
