/* calibrate.c - `jobqsim calibrate`: a model's latencies, from traces of real runs.
 *
 * Room:     sim, the command line. */
#include "sim/cmd/subcommand.h"

#include "base/arena.h"
#include "base/distribution.h"
#include "base/text.h"
#include "jobq/ledger.h"
#include "jobq/units.h"
#include "sim/sweep/outfile.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_sf_psi.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char HEAD[] =
    "Usage: jobqsim calibrate TRACE... -o PARAMS.ini\n"
    "Fit the model's latencies, CPU share, boot and sizes to what --record wrote.\n"
    "\n"
    "  jobq enqueue render --batch jobs --record a.jsonl\n"
    "  jobq drain render -n 32 --record b.jsonl\n"
    "  jobqsim calibrate a.jsonl b.jsonl -o params.ini --plot fit.svg\n"
    "  jobqsim run fleet.ini --scenario params.ini\n"
    "\n"
    "Each latency is fitted by maximum likelihood, lognormal or gamma, whichever is\n"
    "likelier; where neither is likely (p below 0.01) the percentiles seen are\n"
    "written instead. The table shows how many calls were seen, the percentiles seen\n"
    "and fitted, and the Kolmogorov-Smirnov distance D with its p value. Calls that\n"
    "failed are left out, and receives that were not full, for they may have waited.\n"
    "The file is a scenario file: settings of the model, CPU share and payload.\n"
    "\n"
    "Options:\n";
static const char TAIL[] = "\nExit codes: 0 ok, 1 failure, 2 usage.\n"
                           "API calls: none; nothing leaves this machine.\n";

enum { OUT, PLOT, LEAST = 20 };
static const struct option_def OPTIONS[] = {
    {"out", 'o', "FILE", "the scenario file to write"},
    {"plot", 0, "FILE", "draw seen and fitted distributions, .svg or .png (gnuplot)"},
    {NULL, 0, NULL, NULL}};

const struct subcommand sub_calibrate = {"calibrate", HEAD, TAIL, OPTIONS,
                                         0,           true, false};

/* ---- samples ------------------------------------------------------------------------- */

enum key {
    KEY_SEND,
    KEY_RECEIVE,
    KEY_DELETE,
    KEY_OTHER,
    KEY_WRITE,
    KEY_READ,
    KEY_SELECT,
    KEY_PENDING,
    KEY_BOOT,
    KEY_COUNT
};
static const char *const KEYS[KEY_COUNT] = {"sqs.send_latency",
                                            "sqs.receive_latency",
                                            "sqs.delete_latency",
                                            "sqs.other_latency",
                                            "simpledb.write_latency",
                                            "simpledb.read_latency",
                                            "simpledb.select_latency",
                                            "ec2.pending",
                                            "ec2.boot"};

struct samples {
    double *s; /* seconds */
    size_t count, cap;
};

struct calibration {
    struct samples of[KEY_COUNT];
    int64_t receive_full; /* the most messages that a receive brought */
    double cpu_s, wall_s, payload_bytes;
    int64_t jobs;
};

static void sample(struct samples *to, double seconds)
{
    if (to->count == to->cap) {
        to->cap = to->cap ? 2 * to->cap : 256;
        to->s = xrealloc(to->s, to->cap * sizeof *to->s);
    }
    to->s[to->count++] = seconds;
}

static int key_of(const char *action)
{
    static const struct {
        const char *action;
        enum key key;
    } known[] = {{"SendMessage", KEY_SEND},
                 {"SendMessageBatch", KEY_SEND},
                 {"ReceiveMessage", KEY_RECEIVE},
                 {"DeleteMessage", KEY_DELETE},
                 {"DeleteMessageBatch", KEY_DELETE},
                 {"ChangeMessageVisibility", KEY_OTHER},
                 {"ChangeMessageVisibilityBatch", KEY_OTHER},
                 {"GetQueueAttributes", KEY_OTHER},
                 {"PutAttributes", KEY_WRITE},
                 {"BatchPutAttributes", KEY_WRITE},
                 {"DeleteAttributes", KEY_WRITE},
                 {"GetAttributes", KEY_READ},
                 {"Select", KEY_SELECT}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(action, known[i].action) == 0)
            return (int)known[i].key;
    return -1;
}

static double whole(const json_t *line, const char *name)
{
    return (double)json_integer_value(json_object_get(line, name));
}

static void take_call(struct calibration *c, const json_t *line, const char *action)
{
    const char *code = json_string_value(json_object_get(line, "code"));
    int key = key_of(action);
    double ns = whole(line, "ns");
    int64_t entries = (int64_t)whole(line, "entries");
    if (key < 0 || !code || strcmp(code, "ok") != 0 || !(ns > 0))
        return;
    if (key == KEY_RECEIVE && entries > c->receive_full) {
        /* Those seen so far were not full. */
        c->receive_full = entries;
        c->of[KEY_RECEIVE].count = 0;
    }
    if (key == KEY_RECEIVE && (entries < c->receive_full || entries == 0))
        return;
    sample(&c->of[key], ns / 1e9);
}

static void take_job(struct calibration *c, const json_t *line)
{
    const json_t *cpu = json_object_get(line, "cpu_ns");
    if (!cpu) { /* it was enqueued */
        return;
    }
    c->jobs++;
    c->cpu_s += whole(line, "cpu_ns") / 1e9;
    c->wall_s += whole(line, "ns") / 1e9;
    c->payload_bytes += whole(line, "bytes");
}

static void take_ledger(struct calibration *c, const json_t *ledger)
{
    const json_t *instances = json_object_get(ledger, "instances");
    for (size_t i = 0; i < json_array_size(instances); i++) {
        const json_t *box = json_array_get(instances, i);
        double launched = whole(box, "launched_at_ns"), up = whole(box, "running_at_ns"),
               ready = whole(box, "ready_at_ns");
        if (up > launched && launched > 0)
            sample(&c->of[KEY_PENDING], (up - launched) / 1e9);
        if (ready > up && up > 0)
            sample(&c->of[KEY_BOOT], (ready - up) / 1e9);
    }
}

static int read_trace(struct calibration *c, const char *path, struct jobq_error *err)
{
    static const char head[] = "{\"schema\":\"jobq.trace/1\"";
    FILE *file = fopen(path, "r");
    char *line = NULL, shown[120];
    size_t cap = 0;
    int code = JOBQ_OK;
    text_escape(path, (int64_t)strlen(path), shown, sizeof shown);
    if (!file)
        return jobq_fail(err, JOBQ_INVALID, "cannot open '%s'", shown);
    for (int64_t number = 1; !code && getline(&line, &cap, file) > 0; number++) {
        if (number == 1 && strncmp(line, head, sizeof head - 1) != 0)
            code =
                jobq_fail(err, JOBQ_INVALID, "%s: no trace (schema jobq.trace/1)", shown);
        json_t *json = code ? NULL : json_loads(line, 0, NULL);
        if (!code && !json)
            code = jobq_fail(err, JOBQ_INVALID, "%s:%lld: no JSON", shown,
                             (long long)number);
        const char *action = json_string_value(json_object_get(json, "call"));
        if (action)
            take_call(c, json, action);
        else if (json_object_get(json, "job"))
            take_job(c, json);
        else if (json_object_get(json, "ledger"))
            take_ledger(c, json_object_get(json, "ledger"));
        json_decref(json);
    }
    free(line);
    fclose(file);
    return code;
}

/* ---- fits ---------------------------------------------------------------------------- */

struct fit {
    bool gamma;
    double a, b; /* lognormal: mu, sigma of the logarithm; gamma: shape, scale */
    double log_likelihood;
    double ks, p; /* Kolmogorov-Smirnov: distance, chance of a larger one */
};

static double fit_quantile(const struct fit *f, double u)
{
    return f->gamma ? gsl_cdf_gamma_Pinv(u, f->a, f->b)
                    : gsl_cdf_lognormal_Pinv(u, f->a, f->b);
}

static double fit_cdf(const struct fit *f, double x)
{
    return f->gamma ? gsl_cdf_gamma_P(x, f->a, f->b) : gsl_cdf_lognormal_P(x, f->a, f->b);
}

/* The maximum of the likelihood of a gamma: ln k - psi(k) = ln mean - mean of ln, by Newton's
 * method from Minka's start. */
static void fit_gamma(const struct samples *s, double mean, double mean_log,
                      struct fit *out)
{
    double d = fmax(1e-9, log(mean) - mean_log);
    double k = (3 - d + sqrt((d - 3) * (d - 3) + 24 * d)) / (12 * d);
    for (int i = 0; i < 30; i++) {
        double step = (log(k) - gsl_sf_psi(k) - d) / (1 / k - gsl_sf_psi_1(k));
        if (!isfinite(step))
            break;
        k = k - step > 0 ? k - step : k / 2;
    }
    *out = (struct fit){.gamma = true, .a = k, .b = mean / k};
    for (size_t i = 0; i < s->count; i++)
        out->log_likelihood += log(fmax(1e-300, gsl_ran_gamma_pdf(s->s[i], k, mean / k)));
}

/* Sorts the samples. */
static struct fit fit_samples(struct samples *s)
{
    double *logs = xmalloc(s->count * sizeof *logs);
    gsl_sort(s->s, 1, s->count);
    for (size_t i = 0; i < s->count; i++)
        logs[i] = log(s->s[i]);
    double n = (double)s->count;
    double mu = gsl_stats_mean(logs, 1, s->count);
    double sigma = fmax(1e-6, gsl_stats_sd_m(logs, 1, s->count, mu) * sqrt((n - 1) / n));
    struct fit best = {.a = mu, .b = sigma}, gamma;
    for (size_t i = 0; i < s->count; i++)
        best.log_likelihood +=
            log(fmax(1e-300, gsl_ran_lognormal_pdf(s->s[i], mu, sigma)));
    fit_gamma(s, gsl_stats_mean(s->s, 1, s->count), mu, &gamma);
    if (gamma.log_likelihood > best.log_likelihood)
        best = gamma;
    for (size_t i = 0; i < s->count; i++) {
        double at = fit_cdf(&best, s->s[i]), low = (double)i / n, high = low + 1 / n;
        best.ks = fmax(best.ks, fmax(fabs(at - low), fabs(high - at)));
    }
    /* Kolmogorov's series with Stephens' correction for n. */
    double lambda = (sqrt(n) + 0.12 + 0.11 / sqrt(n)) * best.ks;
    for (int j = 1; j <= 100; j++)
        best.p += (j % 2 ? 2 : -2) * exp(-2.0 * j * j * lambda * lambda);
    best.p = lambda < 0.2 ? 1 : fmin(1, fmax(0, best.p));
    free(logs);
    return best;
}

/* A call takes some time before its latency begins, and a busy machine more: then no
 * distribution of two parameters is right, and what was seen is. */
static bool fit_is_rejected(const struct fit *f)
{
    return f->p < 0.01;
}

static void fit_text(const struct fit *f, const struct samples *s, struct text *out)
{
    static const double share[DISTRIBUTION_POINTS] = {0,    0.05, 0.2,   0.35, 0.5,  0.65,
                                                      0.8,  0.9,  0.93,  0.95, 0.96, 0.97,
                                                      0.98, 0.99, 0.997, 1};
    if (fit_is_rejected(f)) {
        text_puts(out, "table:");
        for (int i = 0; i < DISTRIBUTION_POINTS; i++)
            text_printf(out, "%s%g=%.4gms", i ? "," : "", share[i],
                        gsl_stats_quantile_from_sorted_data(s->s, 1, s->count, share[i]) *
                            1e3);
    } else if (f->gamma)
        text_printf(out, "gamma:mean=%.6gms,cv=%.6g", f->a * f->b * 1e3, 1 / sqrt(f->a));
    else
        text_printf(out, "lognormal:median=%.6gms,p99=%.6gms", exp(f->a) * 1e3,
                    fit_quantile(f, 0.99) * 1e3);
}

/* ---- output -------------------------------------------------------------------------- */

static void write_params(const struct calibration *c, const struct fit *fits, FILE *out)
{
    struct text sets = {0};
    for (int k = 0; k < KEY_COUNT; k++) {
        if (c->of[k].count < LEAST)
            continue;
        text_printf(&sets, "%s%s=", sets.len ? ";" : "", KEYS[k]);
        fit_text(&fits[k], &c->of[k], &sets);
    }
    fputs("# Fitted to traces by jobqsim calibrate " JOBQ_VERSION ".\n[scenario]\n", out);
    if (sets.len)
        fprintf(out, "set = %s\n", sets.ptr);
    if (c->jobs > 0 && c->wall_s > 0)
        fprintf(out, "cpu-share = %.6g\n", fmin(1, c->cpu_s / c->wall_s));
    if (c->jobs > 0)
        fprintf(out, "payload = %.0f\n", c->payload_bytes / (double)c->jobs);
    text_release(&sets);
}

static void print_fits(const struct calibration *c, const struct fit *fits)
{
    printf("%-24s %7s  %-9s %17s %17s %7s %7s\n", "", "calls", "fit", "p50 seen, fit",
           "p95 seen, fit", "D", "p");
    for (int k = 0; k < KEY_COUNT; k++) {
        const struct samples *s = &c->of[k];
        if (s->count == 0)
            continue;
        if (s->count < LEAST) {
            printf("%-24s %7zu  too few: the model's own is kept\n", KEYS[k], s->count);
            continue;
        }
        printf("%-24s %7zu  %-9s %7.4g %7.4g ms %7.4g %7.4g ms %6.3f %7.2g\n", KEYS[k],
               s->count,
               fit_is_rejected(&fits[k]) ? "table"
               : fits[k].gamma           ? "gamma"
                                         : "lognormal",
               gsl_stats_quantile_from_sorted_data(s->s, 1, s->count, 0.5) * 1e3,
               fit_quantile(&fits[k], 0.5) * 1e3,
               gsl_stats_quantile_from_sorted_data(s->s, 1, s->count, 0.95) * 1e3,
               fit_quantile(&fits[k], 0.95) * 1e3, fits[k].ks, fits[k].p);
    }
    if (c->jobs > 0)
        printf("%lld jobs: CPU share %.3g, payload %.4g bytes\n", (long long)c->jobs,
               c->wall_s > 0 ? c->cpu_s / c->wall_s : 0,
               c->payload_bytes / (double)c->jobs);
}

/* One panel a latency: the share of calls that took at most so long. */
static int plot(const struct calibration *c, const struct fit *fits, const char *path,
                struct jobq_error *err)
{
    const char *dot = strrchr(path, '.');
    bool png = dot && strcmp(dot, ".png") == 0;
    int panels = 0;
    for (int k = 0; k < KEY_COUNT; k++)
        panels += c->of[k].count >= LEAST;
    if (panels == 0 || strpbrk(path, "'\"\\\n"))
        return jobq_fail(err, JOBQ_INVALID, "--plot: %s",
                         panels ? "the name has a quote" : "nothing was fitted");
    FILE *p = popen("gnuplot 2>/dev/null", "w");
    if (!p)
        return jobq_fail(err, JOBQ_UNAVAILABLE, "--plot: gnuplot cannot be started");
    fprintf(p,
            "set terminal %s size 1200,%d\nset output '%s'\nset multiplot layout %d,2\n"
            "set logscale x\nset xlabel 'ms'\nset yrange [0:1]\nset key bottom right\n",
            png ? "pngcairo" : "svg", 330 * ((panels + 1) / 2), path, (panels + 1) / 2);
    for (int k = 0; k < KEY_COUNT; k++) {
        const struct samples *s = &c->of[k];
        if (s->count < LEAST)
            continue;
        fprintf(p,
                "set title '%s: %zu calls'\nplot '-' with points pt 7 ps 0.3 lc rgb "
                "'#0072B2' title 'seen', '-' with lines lw 2 lc rgb '#D55E00' title "
                "'fitted'\n",
                KEYS[k], s->count);
        for (int i = 1; i < 200; i++)
            fprintf(p, "%g %g\n",
                    gsl_stats_quantile_from_sorted_data(s->s, 1, s->count, i / 200.0) *
                        1e3,
                    i / 200.0);
        fputs("e\n", p);
        for (int i = 1; i < 200; i++)
            fprintf(p, "%g %g\n", fit_quantile(&fits[k], i / 200.0) * 1e3, i / 200.0);
        fputs("e\n", p);
    }
    fputs("unset multiplot\n", p);
    return pclose(p) == 0 ? JOBQ_OK
                          : jobq_fail(err, JOBQ_UNAVAILABLE,
                                      "--plot: gnuplot failed (is it there?)");
}

static int calibrate(const struct options *read, struct calibration *c,
                     struct jobq_error *err)
{
    struct fit fits[KEY_COUNT] = {{0}};
    struct outfile out = {0};
    size_t calls = 0;
    int code = JOBQ_OK;
    for (int i = 0; i < read->args && !code; i++)
        code = read_trace(c, read->arg[i], err);
    for (int k = 0; k < KEY_COUNT && !code; k++) {
        calls += c->of[k].count;
        if (c->of[k].count >= LEAST)
            fits[k] = fit_samples(&c->of[k]);
    }
    if (!code && calls == 0)
        code = jobq_fail(err, JOBQ_INVALID, "the traces hold no call that can be used");
    if (!code)
        code = outfile_open(options_text(read, OUT), &out, err);
    if (!code) {
        write_params(c, fits, out.file);
        code = outfile_commit(&out, err);
    }
    if (!code)
        print_fits(c, fits);
    if (!code && options_text(read, PLOT))
        code = plot(c, fits, options_text(read, PLOT), err);
    outfile_abandon(&out);
    return code;
}

int cmd_calibrate(int argc, char **argv)
{
    struct jobq_error err = {0};
    struct commandline command;
    struct options read;
    struct calibration *c = xcalloc(1, sizeof *c);
    int done = cmd_read(&sub_calibrate, argc, argv, &command, &read, NULL);
    if (done < 0 && (read.args == 0 || !options_text(&read, OUT))) {
        jobq_fail(&err, JOBQ_INVALID, "give traces and -o FILE");
        done = cmd_fail("calibrate", &err);
    }
    if (done < 0) {
        cmd_catch_signals();
        done =
            calibrate(&read, c, &err) == JOBQ_OK ? CMD_OK : cmd_fail("calibrate", &err);
    }
    for (int k = 0; k < KEY_COUNT; k++)
        free(c->of[k].s);
    free(c);
    options_release(&read);
    commandline_release(&command);
    return done;
}
