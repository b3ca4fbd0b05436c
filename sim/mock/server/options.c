#include "sim/mock/server/options.h"

#include "base/completion.h"
#include "base/text.h"
#include "jobq/units.h"
#include "scenario/commandline.h"

#include <stdlib.h>
#include <string.h>

static const char HEAD[] =
    "jobqmock - SQS, SimpleDB, EC2 and STS on a port, by the models of jobqsim\n"
    "\n"
    "  jobqmock                                 serve on http://127.0.0.1:4566\n"
    "  jobqmock --port 0                        a free port\n"
    "  aws --endpoint-url http://127.0.0.1:4566 sqs list-queues\n"
    "\n"
    "Usage: jobqmock [options]\n";
static const char TAIL[] =
    "\n"
    "The model's faults and throttles stay off until --faults sets them. Without\n"
    "--seed ids and receipt handles are new ones each time.\n"
    "\n"
    "Control while it runs, by programs on this machine:\n"
    "  GET  /_jobq/ledger     what was used, and the bill; ?region=R&date=YYYY-MM\n"
    "  GET  /_jobq/faults     what is set; POST SPEC sets, DELETE clears:\n"
    "       [SERVICE.[ACTION.]]error|throttle|drop|lost=P, latency=20ms|exp:20ms,\n"
    "       late=P|Nx (takes effect when its client has given up;\n"
    "       late_after=30s..120s, late_reply=1s|503), duplicate|undelete|reorder=P,\n"
    "       short_poll=on, window=1s, and parameters of the models:\n"
    "       sqs|sdb|dynamodb|ec2.model.KEY=VALUE\n"
    "  GET  /_jobq/clock      the models' time; POST advance=12h, speed=60\n"
    "  POST /_jobq/interrupt  instance=i-...: its spot notice comes now\n"
    "  POST /_jobq/reset      forget everything\n"
    "  GET  /_jobq/healthz, /metrics (Prometheus)\n"
    "Instance metadata: /latest/ of the newest box, /_jobq/box/ID/latest/ of any.\n"
    "API calls made: none.\n";

enum {
    PORT,
    HOST,
    SPEED,
    AUTH,
    CREDENTIALS,
    ACCOUNT,
    STATE,
    FAULTS,
    LATENCY,
    BOXES,
    MAX_CONNECTIONS,
    MAX_BUFFERS,
    COMPLETION,
    VERSION
};
static const struct option_def mock_option_defs[] = {
    {"port", 0, "N", "port; 0 takes a free one (4566)"},
    {"host", 0, "ADDRESS",
     "address to listen on; any other than loopback needs --auth check (127.0.0.1)"},
    {"speed", 0, "X", "model seconds a second (1)"},
    {"auth", 0, "off|check", "check: refuse what is not signed by a known key (off)"},
    {"credentials", 0, "FILE",
     "the known keys: [access-key-id] secret = ... token = ...; without it: AKIDEXAMPLE "
     "with AWS's example secret"},
    {"account", 0, "ID", "12 digits (123456789012)"},
    {"state", 0, "FILE", "keep queues, domains and boxes there, also through kill -9"},
    {"faults", 0, "SPEC",
     "what goes wrong: \"error=0.01; sqs.throttle=0.02\"; see /_jobq/faults"},
    {"latency", 0, "model|none",
     "model: replies, and boxes that come up or end, take the model's time (none)"},
    {"boxes", 0, "exec:CMD", "a launched instance is CMD, run by sh with its user data"},
    {"max-connections", 0, "N", "open at once; more wait until one ends (4096)"},
    {"max-buffers", 0, "SIZE",
     "of all requests and replies under way together; past it the largest ends, half a "
     "request with a 503 (256MiB)"},
    {"completion", 0, "bash|zsh|fish",
     "print what the shell needs to complete these, and end"},
    {"version", 0, NULL, "version"},
    {NULL, 0, NULL, NULL}};

void mock_options_help(FILE *out)
{
    struct commandline command;
    commandline_init(&command, "jobqmock", NULL, mock_option_defs, TAKER_MOCK);
    fputs(HEAD, out);
    options_help(command.def, command.spec.count, out);
    fputs(TAIL, out);
    commandline_release(&command);
}

static int parse_whole(const char *text, int64_t low, int64_t high, int64_t *out,
                       struct jobq_error *err)
{
    if (!str_to_int(str_of(text), out) || *out < low || *out > high)
        return jobq_fail(err, JOBQ_INVALID, "'%s' is not a whole number of %lld..%lld",
                         text, (long long)low, (long long)high);
    return JOBQ_OK;
}

static int parse_choice(const char *text, const char *off, const char *on, bool *out,
                        struct jobq_error *err)
{
    if (strcmp(text, on) == 0)
        *out = true;
    else if (strcmp(text, off) == 0)
        *out = false;
    else
        return jobq_fail(err, JOBQ_INVALID, "'%s' is neither '%s' nor '%s'", text, off,
                         on);
    return JOBQ_OK;
}

/* It must hold the longest request, which may come in chunks of a byte. */
#define BUFFERS_MIN (32 * JOBQ_MIB)
#define BUFFERS_MAX (1024 * JOBQ_GIB)

static bool options_is_account(const char *text)
{
    return strlen(text) == 12 && strspn(text, "0123456789") == 12;
}

static int complete(const char *shell, struct jobq_error *err)
{
    struct commandline line;
    commandline_init(&line, "jobqmock", NULL, mock_option_defs, TAKER_MOCK);
    struct completion_command all = {.def = line.def, .count = line.spec.count};
    int code = completion_write(shell, "jobqmock", &all, 1, stdout, err);
    commandline_release(&line);
    return code;
}

static int options_take(int option, const char *value, struct mock_options *out,
                        struct jobq_error *err)
{
    int64_t number = 0;
    int code = JOBQ_OK;
    switch (option) {
    case PORT:
        code = parse_whole(value, 0, 65535, &number, err);
        out->port = (int)number;
        return code;
    case HOST:
        out->host = value;
        return JOBQ_OK;
    case SPEED:
        if (jobq_parse_number(value, &out->speed, err) < 0 || out->speed <= 0 ||
            out->speed > 1e6)
            return jobq_fail(err, JOBQ_INVALID,
                             "'%s' is not a number above 0 and up to 1e6", value);
        return JOBQ_OK;
    case AUTH:
        return parse_choice(value, "off", "check", &out->auth_check, err);
    case CREDENTIALS:
        out->credentials = value;
        return JOBQ_OK;
    case ACCOUNT:
        out->account = value;
        if (!options_is_account(value))
            return jobq_fail(err, JOBQ_INVALID, "'%s' is not 12 digits", value);
        return JOBQ_OK;
    case STATE:
        out->state = value;
        return value[0] ? JOBQ_OK : jobq_fail(err, JOBQ_INVALID, "names no file");
    case FAULTS:
        out->faults = value;
        return JOBQ_OK;
    case LATENCY:
        return parse_choice(value, "none", "model", &out->latency_model, err);
    case BOXES:
        if (strncmp(value, "exec:", 5) != 0 || value[5] == '\0')
            return jobq_fail(err, JOBQ_INVALID, "'%s' is not exec:COMMAND", value);
        out->boxes = value + 5;
        return JOBQ_OK;
    case MAX_CONNECTIONS:
        return parse_whole(value, 1, 1000000, &out->max_connections, err);
    case MAX_BUFFERS:
        if (jobq_parse_size(value, &out->max_buffer_bytes, err) < 0 ||
            out->max_buffer_bytes < BUFFERS_MIN || out->max_buffer_bytes > BUFFERS_MAX)
            return jobq_fail(err, JOBQ_INVALID, "'%s' is not a size of 32MiB to 1TiB",
                             value);
        return JOBQ_OK;
    case COMPLETION:
        out->shown = true;
        return complete(value, err);
    case VERSION:
        out->version = true;
        return JOBQ_OK;
    default: /* settings, help */
        return JOBQ_OK;
    }
}

static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}

static int read_settings(const struct options *read, struct mock_options *out,
                         struct jobq_error *err)
{
    struct scenario scenario;
    scenario_init(&scenario);
    int code = commandline_scenario(read, &scenario, err);
    if (code == JOBQ_OK && commandline_wants_scenario(read)) {
        commandline_show_scenario(read, &scenario, stdout);
        out->shown = true;
    }
    strcpy(out->model, scenario.model);
    out->seed = scenario.seed;
    out->seeded = scenario_given(&scenario, "seed");
    scenario_release(&scenario);
    return code;
}

int mock_options_parse(int argc, char **argv, struct mock_options *out,
                       struct jobq_error *err)
{
    struct commandline command;
    struct options read;
    *out = (struct mock_options){.host = "127.0.0.1",
                                 .account = "123456789012",
                                 .port = 4566,
                                 .max_connections = 4096,
                                 .max_buffer_bytes = 256 * JOBQ_MIB,
                                 .speed = 1};
    commandline_init(&command, "jobqmock", NULL, mock_option_defs, TAKER_MOCK);
    int code = options_read(&read, &command.spec, argc - 1, argv + 1, err);
    out->help = code == JOBQ_OK && commandline_wants_help(&read);
    for (int i = 0; i < read.items && code == JOBQ_OK && !out->help; i++) {
        code = options_take(read.item[i].option, read.item[i].text, out, err);
        if (code != JOBQ_OK)
            options_blame(&read, &read.item[i], err);
    }
    if (code == JOBQ_OK && !out->help)
        code = read_settings(&read, out, err);
    if (code == JOBQ_OK && read.args > 0)
        code = jobq_fail(err, JOBQ_INVALID, "unexpected argument '%s'", read.arg[0]);
    if (code == JOBQ_OK && !is_loopback(out->host) && !out->auth_check)
        code = jobq_fail(err, JOBQ_INVALID,
                         "--host '%s' is not loopback and needs --auth check", out->host);
    options_release(&read);
    commandline_release(&command);
    return code;
}
