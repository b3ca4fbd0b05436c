#include "sim/mock/server/options.h"

#include "base/text.h"
#include "jobq/units.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

const char options_help[] =
    "jobqmock - SQS, SimpleDB, EC2 and STS on a port, by the models of jobqsim\n"
    "\n"
    "  jobqmock                                 serve on http://127.0.0.1:4566\n"
    "  jobqmock --port 0                        a free port\n"
    "  aws --endpoint-url http://127.0.0.1:4566 sqs list-queues\n"
    "\n"
    "usage: jobqmock [options]\n"
    "  --port N            port; 0 takes a free one (4566)\n"
    "  --host ADDRESS      address to listen on (127.0.0.1); any other than loopback\n"
    "                      needs --auth check\n"
    "  --model NAME        parameter set: aws-2026, aws-2012, ideal (aws-2026); its\n"
    "                      faults and throttles stay off until --faults sets them\n"
    "  --seed N            of every random draw (1); also of ids and receipt handles,\n"
    "                      which are new ones each time without it\n"
    "  --speed X           model seconds a second (1)\n"
    "  --auth off|check    check: refuse what is not signed by a known key (off)\n"
    "  --credentials FILE  the known keys: [access-key-id] secret = ... token = ...;\n"
    "                      without it: AKIDEXAMPLE with AWS's example secret\n"
    "  --account ID        12 digits (123456789012)\n"
    "  --state FILE        keep queues, domains and boxes there, also through kill -9\n"
    "  --faults SPEC       what goes wrong: \"error=0.01; sqs.throttle=0.02\"; see\n"
    "                      /_jobq/faults\n"
    "  --latency model|none  model: replies, and boxes that come up or end, take the\n"
    "                      model's time (none)\n"
    "  --boxes exec:CMD    a launched instance is CMD, run by sh with its user data\n"
    "  --max-connections N  open at once; more wait until one ends (4096)\n"
    "  --max-buffers SIZE  of all requests and replies under way together; past it\n"
    "                      the largest ends, half a request with a 503 (256MiB)\n"
    "  -h, --help          this text\n"
    "  --version           version\n"
    "\n"
    "Control while it runs, by programs on this machine:\n"
    "  GET  /_jobq/ledger     what was used, and the bill; ?region=R&date=YYYY-MM\n"
    "  GET  /_jobq/faults     what is set; POST SPEC sets, DELETE clears:\n"
    "       [SERVICE.[ACTION.]]error|throttle|drop|lost=P, latency=20ms|exp:20ms,\n"
    "       duplicate|undelete|reorder=P, short_poll=on, window=1s, and parameters\n"
    "       of the models: sqs|sdb|ec2.model.KEY=VALUE\n"
    "  GET  /_jobq/clock      the models' time; POST advance=12h, speed=60\n"
    "  POST /_jobq/interrupt  instance=i-...: its spot notice comes now\n"
    "  POST /_jobq/reset      forget everything\n"
    "  GET  /_jobq/healthz, /metrics (Prometheus)\n"
    "Instance metadata: /latest/ of the newest box, /_jobq/box/ID/latest/ of any.\n"
    "API calls made: none.\n";

static int parse_whole(const char *name, const char *text, int64_t low, int64_t high,
                       int64_t *out, struct jobq_error *err)
{
    if (!str_to_int(str_of(text), out) || *out < low || *out > high)
        return jobq_fail(err, JOBQ_INVALID, "%s '%s' is not a whole number of %lld..%lld",
                         name, text, (long long)low, (long long)high);
    return JOBQ_OK;
}

static int parse_choice(const char *name, const char *text, const char *off,
                        const char *on, bool *out, struct jobq_error *err)
{
    if (strcmp(text, on) == 0)
        *out = true;
    else if (strcmp(text, off) == 0)
        *out = false;
    else
        return jobq_fail(err, JOBQ_INVALID, "%s '%s' is neither '%s' nor '%s'", name,
                         text, off, on);
    return JOBQ_OK;
}

/* It must hold the longest request, which may come in chunks of a byte. */
#define BUFFERS_MIN (32 * JOBQ_MIB)
#define BUFFERS_MAX (1024 * JOBQ_GIB)

static bool is_account(const char *text)
{
    return strlen(text) == 12 && strspn(text, "0123456789") == 12;
}

static const struct option known[] = {{"port", required_argument, NULL, 'p'},
                                      {"host", required_argument, NULL, 'H'},
                                      {"model", required_argument, NULL, 'm'},
                                      {"seed", required_argument, NULL, 's'},
                                      {"speed", required_argument, NULL, 'x'},
                                      {"auth", required_argument, NULL, 'a'},
                                      {"credentials", required_argument, NULL, 'c'},
                                      {"account", required_argument, NULL, 'A'},
                                      {"state", required_argument, NULL, 'S'},
                                      {"faults", required_argument, NULL, 'f'},
                                      {"latency", required_argument, NULL, 'l'},
                                      {"boxes", required_argument, NULL, 'b'},
                                      {"max-connections", required_argument, NULL, 'n'},
                                      {"max-buffers", required_argument, NULL, 'B'},
                                      {"help", no_argument, NULL, 'h'},
                                      {"version", no_argument, NULL, 'V'},
                                      {NULL, 0, NULL, 0}};

static int take(int key, const char *value, struct options *out, struct jobq_error *err)
{
    int64_t number = 0;
    int code = JOBQ_OK;
    switch (key) {
    case 'p':
        code = parse_whole("--port", value, 0, 65535, &number, err);
        out->port = (int)number;
        return code;
    case 'H':
        out->host = value;
        return JOBQ_OK;
    case 'm':
        out->model = value;
        return JOBQ_OK;
    case 's':
        code = parse_whole("--seed", value, 0, INT64_MAX, &number, err);
        out->seed = (uint64_t)number;
        out->seeded = true;
        return code;
    case 'x':
        if (jobq_parse_number(value, &out->speed, err) < 0 || out->speed <= 0 ||
            out->speed > 1e6)
            return jobq_fail(err, JOBQ_INVALID,
                             "--speed '%s' is not a number above 0 and up to 1e6", value);
        return JOBQ_OK;
    case 'a':
        return parse_choice("--auth", value, "off", "check", &out->auth_check, err);
    case 'c':
        out->credentials = value;
        return JOBQ_OK;
    case 'A':
        out->account = value;
        if (!is_account(value))
            return jobq_fail(err, JOBQ_INVALID, "--account '%s' is not 12 digits", value);
        return JOBQ_OK;
    case 'S':
        out->state = value;
        return value[0] ? JOBQ_OK : jobq_fail(err, JOBQ_INVALID, "--state names no file");
    case 'f':
        out->faults = value;
        return JOBQ_OK;
    case 'l':
        return parse_choice("--latency", value, "none", "model", &out->latency_model,
                            err);
    case 'b':
        if (strncmp(value, "exec:", 5) != 0 || value[5] == '\0')
            return jobq_fail(err, JOBQ_INVALID, "--boxes '%s' is not exec:COMMAND",
                             value);
        out->boxes = value + 5;
        return JOBQ_OK;
    case 'n':
        return parse_whole("--max-connections", value, 1, 1000000, &out->max_connections,
                           err);
    case 'B':
        if (jobq_parse_size(value, &out->max_buffer_bytes, err) < 0 ||
            out->max_buffer_bytes < BUFFERS_MIN || out->max_buffer_bytes > BUFFERS_MAX)
            return jobq_fail(err, JOBQ_INVALID,
                             "--max-buffers '%s' is not a size of 32MiB to 1TiB", value);
        return JOBQ_OK;
    case 'h':
        out->help = true;
        return JOBQ_OK;
    case 'V':
        out->version = true;
        return JOBQ_OK;
    default:
        return jobq_fail(err, JOBQ_INVALID, "unknown option");
    }
}

static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}

int options_parse(int argc, char **argv, struct options *out, struct jobq_error *err)
{
    *out = (struct options){.host = "127.0.0.1",
                            .model = "aws-2026",
                            .account = "123456789012",
                            .port = 4566,
                            .max_connections = 4096,
                            .max_buffer_bytes = 256 * JOBQ_MIB,
                            .seed = 1,
                            .speed = 1};
    opterr = 0;
    optind = 1;
    int key;
    while ((key = getopt_long(argc, argv, "+:h", known, NULL)) != -1) {
        if (key == '?')
            return jobq_fail(err, JOBQ_INVALID, "unknown option '%s'", argv[optind - 1]);
        if (key == ':')
            return jobq_fail(err, JOBQ_INVALID, "option '%s' needs a value",
                             argv[optind - 1]);
        int code = take(key, optarg, out, err);
        if (code < 0)
            return code;
    }
    if (optind < argc)
        return jobq_fail(err, JOBQ_INVALID, "unexpected argument '%s'", argv[optind]);
    if (!is_loopback(out->host) && !out->auth_check)
        return jobq_fail(err, JOBQ_INVALID,
                         "--host '%s' is not loopback and needs --auth check", out->host);
    return JOBQ_OK;
}
