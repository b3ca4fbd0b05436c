#include "sim/mock/control/faults.h"

#include "base/distribution.h"

#include <stdlib.h>
#include <string.h>

enum { RULES_MAX = 64, KEY_BYTES = 64, VALUE_BYTES = 160 };

enum rule_kind {
    RULE_ERROR,
    RULE_THROTTLE,
    RULE_DROP,
    RULE_LOST,
    RULE_LATE,
    RULE_COUNTED, /* those before it are counted as they strike */
    RULE_LATE_AFTER = RULE_COUNTED,
    RULE_LATE_REPLY,
    RULE_LATENCY,
    RULE_KINDS
};
static const char *const kind_names[RULE_KINDS] = {
    "error", "throttle", "drop", "lost", "late", "late_after", "late_reply", "latency"};
static const char *const service_names[MOCK_SERVICE_COUNT] = {"sqs", "sdb", "dynamodb",
                                                              "ec2", "sts"};

/* One setting. Those of the models are kept only to be shown. */
struct rule {
    char key[KEY_BYTES], value[VALUE_BYTES]; /* as given, trimmed */
    bool model;
    int service; /* -1: any */
    char action[48];
    enum rule_kind kind;
    double p;
    int64_t left;          /* LATE: so many calls more; -1: by p */
    struct late_rule late; /* LATE_AFTER and LATE_REPLY: their part of it */
    struct distribution latency;
};

struct mock_faults {
    struct rule rule[RULES_MAX];
    int count;
    int64_t struck[RULE_KINDS];
};

struct mock_faults *faults_new(void)
{
    return xcalloc(1, sizeof(struct mock_faults));
}

void faults_free(struct mock_faults *faults)
{
    free(faults);
}

/* ---- reading ---------------------------------------------------------------------- */

static int read_probability(const struct rule *rule, double *out, struct jobq_error *err)
{
    struct jobq_error inner;
    if (jobq_parse_number(rule->value, out, &inner) < 0 || *out < 0 || *out > 1)
        return jobq_fail(err, JOBQ_INVALID, "'%s=%s': not a probability of 0..1",
                         rule->key, rule->value);
    return JOBQ_OK;
}

/* "0.1", or "3x": the next three. */
static int read_late(struct rule *rule, struct jobq_error *err)
{
    size_t len = strlen(rule->value);
    rule->left = -1;
    if (len < 2 || rule->value[len - 1] != 'x')
        return read_probability(rule, &rule->p, err);
    if (!str_to_int((struct jobq_str){rule->value, (int64_t)len - 1}, &rule->left) ||
        rule->left < 0)
        return jobq_fail(err, JOBQ_INVALID, "'%s=%s': neither a probability nor Nx",
                         rule->key, rule->value);
    return JOBQ_OK;
}

/* "30s..120s", or one duration. */
static int read_late_after(struct rule *rule, struct jobq_error *err)
{
    char first[VALUE_BYTES];
    const char *dots = strstr(rule->value, "..");
    struct late_rule *late = &rule->late;
    size_t len = dots ? (size_t)(dots - rule->value) : strlen(rule->value);
    memcpy(first, rule->value, len);
    first[len] = '\0';
    int code = jobq_parse_duration(first, &late->after_ns, err);
    late->before_ns = late->after_ns;
    if (code == JOBQ_OK && dots)
        code = jobq_parse_duration(dots + 2, &late->before_ns, err);
    if (code < 0)
        return jobq_wrap(err, "'%s'", rule->key);
    if (late->after_ns > late->before_ns || late->before_ns > 30 * JOBQ_NS_PER_DAY)
        return jobq_fail(err, JOBQ_INVALID, "'%s=%s': not a range of 0s..30d", rule->key,
                         rule->value);
    return JOBQ_OK;
}

static int read_late_reply(struct rule *rule, struct jobq_error *err)
{
    struct late_rule *late = &rule->late;
    late->unavailable = strcmp(rule->value, "503") == 0;
    if (late->unavailable)
        return JOBQ_OK;
    if (jobq_parse_duration(rule->value, &late->hold_ns, err) < 0)
        return jobq_wrap(err, "'%s'", rule->key);
    return JOBQ_OK;
}

static int read_switch(const struct rule *rule, bool *out, struct jobq_error *err)
{
    *out = strcmp(rule->value, "on") == 0;
    if (!*out && strcmp(rule->value, "off") != 0)
        return jobq_fail(err, JOBQ_INVALID, "'%s=%s': neither 'on' nor 'off'", rule->key,
                         rule->value);
    return JOBQ_OK;
}

static int read_window(const struct rule *rule, struct simpledb_params *sdb,
                       struct jobq_error *err)
{
    int64_t window_ns;
    sdb->window.points = 0;
    if (strcmp(rule->value, "off") == 0)
        return JOBQ_OK;
    if (jobq_parse_duration(rule->value, &window_ns, err) < 0)
        return jobq_wrap(err, "'%s'", rule->key);
    sdb->window.points = 2;
    sdb->window.point[0] = (struct simpledb_window_point){0, 0};
    sdb->window.point[1] = (struct simpledb_window_point){window_ns, 1};
    return JOBQ_OK;
}

/* The code, with the setting's name in front of what is wrong with it. */
static int named(int code, const struct rule *rule, struct jobq_error *err)
{
    return code < 0 ? jobq_wrap(err, "'%s'", rule->key) : code;
}

/* A setting of the models: 1 taken, 0 not one, < 0 wrong. */
static int read_model(const struct mock *mock, struct rule *rule,
                      struct mock_models *models, struct jobq_error *err)
{
    struct sqs_params *sqs = &models->sqs;
    const char *key = rule->key;
    bool on = false;
    int code = JOBQ_OK;
    rule->model = true;
    if (strcmp(key, "duplicate") == 0) {
        code = read_probability(rule, &sqs->duplicate_rate, err);
    } else if (strcmp(key, "undelete") == 0) {
        code = read_probability(rule, &sqs->undelete_rate, err);
    } else if (strcmp(key, "reorder") == 0) {
        code = read_probability(rule, &sqs->reorder_rate, err);
    } else if (strcmp(key, "short_poll") == 0) {
        code = read_switch(rule, &on, err);
        sqs->short_poll_servers = on ? mock->whole.sqs.short_poll_servers : 0;
    } else if (strcmp(key, "window") == 0) {
        code = read_window(rule, &models->sdb, err);
    } else if (strncmp(key, "sqs.model.", 10) == 0) {
        code = named(sqs_params_set(sqs, key + 10, rule->value, err), rule, err);
    } else if (strncmp(key, "sdb.model.", 10) == 0) {
        code = named(simpledb_params_set(&models->sdb, key + 10, rule->value, err), rule,
                     err);
    } else if (strncmp(key, "dynamodb.model.", 15) == 0) {
        code = named(dynamodb_params_set(&models->dynamodb, key + 15, rule->value, err),
                     rule, err);
    } else if (strncmp(key, "ec2.model.", 10) == 0) {
        code = named(ec2_params_set(&models->ec2, key + 10, rule->value, err), rule, err);
    } else {
        rule->model = false;
        return 0;
    }
    return code < 0 ? code : 1;
}

/* [SERVICE.[ACTION.]]KEY */
static int read_call_rule(struct rule *rule, struct jobq_error *err)
{
    const char *rest = rule->key, *dot = strchr(rest, '.');
    rule->service = -1;
    rule->action[0] = '\0';
    if (dot) {
        for (int i = 0; i < MOCK_SERVICE_COUNT; i++)
            if (strlen(service_names[i]) == (size_t)(dot - rest) &&
                memcmp(rest, service_names[i], (size_t)(dot - rest)) == 0)
                rule->service = i;
        if (rule->service < 0)
            return jobq_fail(err, JOBQ_INVALID,
                             "'%s': the service is none of sqs, sdb, dynamodb, ec2, sts",
                             rule->key);
        rest = dot + 1;
        dot = strchr(rest, '.');
    }
    if (dot) {
        size_t len = (size_t)(dot - rest);
        if (len >= sizeof rule->action)
            return jobq_fail(err, JOBQ_INVALID, "'%s': no such action", rule->key);
        memcpy(rule->action, rest, len);
        rule->action[len] = '\0';
        rest = dot + 1;
    }
    int kind = 0;
    while (kind < RULE_KINDS && strcmp(rest, kind_names[kind]) != 0)
        kind++;
    if (kind == RULE_KINDS)
        return jobq_fail(err, JOBQ_INVALID, "'%s' is not a setting", rule->key);
    rule->kind = (enum rule_kind)kind;
    if (rule->kind == RULE_LATE)
        return read_late(rule, err);
    if (rule->kind == RULE_LATE_AFTER)
        return read_late_after(rule, err);
    if (rule->kind == RULE_LATE_REPLY)
        return read_late_reply(rule, err);
    if (rule->kind != RULE_LATENCY)
        return read_probability(rule, &rule->p, err);
    if (strcmp(rule->value, "off") == 0) {
        rule->latency = distribution_constant(0);
        return JOBQ_OK;
    }
    return named(distribution_parse(rule->value, &rule->latency, err), rule, err);
}

static struct jobq_str trimmed(struct jobq_str s)
{
    while (s.len > 0 && strchr(" \t\r\n", s.ptr[0]))
        s.ptr++, s.len--;
    while (s.len > 0 && strchr(" \t\r\n", s.ptr[s.len - 1]))
        s.len--;
    return s;
}

static int copy_part(struct jobq_str part, char *out, size_t cap, struct jobq_error *err)
{
    part = trimmed(part);
    if ((size_t)part.len >= cap || memchr(part.ptr, '\0', (size_t)part.len))
        return jobq_fail(err, JOBQ_INVALID, "a setting of more than '%d' bytes",
                         (int)cap - 1);
    memcpy(out, part.ptr, (size_t)part.len);
    out[part.len] = '\0';
    return JOBQ_OK;
}

/* Puts one setting into the scratch set, in the place of an older one of its key. */
static int read_setting(const struct mock *mock, struct jobq_str text,
                        struct mock_faults *faults, struct mock_models *models,
                        struct jobq_error *err)
{
    struct rule rule = {.service = -1};
    char shown[80];
    const char *equals = memchr(text.ptr, '=', (size_t)text.len);
    if (!equals)
        return jobq_fail(err, JOBQ_INVALID, "'%s' is not KEY=VALUE",
                         text_escape(text.ptr, text.len, shown, sizeof shown));
    struct jobq_str key = {text.ptr, equals - text.ptr};
    struct jobq_str value = {equals + 1, text.len - key.len - 1};
    int code = copy_part(key, rule.key, sizeof rule.key, err);
    if (code == JOBQ_OK)
        code = copy_part(value, rule.value, sizeof rule.value, err);
    if (code == JOBQ_OK)
        code = read_model(mock, &rule, models, err);
    if (code == 0)
        code = read_call_rule(&rule, err);
    if (code < 0)
        return code;
    int i = 0;
    while (i < faults->count && strcmp(faults->rule[i].key, rule.key) != 0)
        i++;
    if (i == RULES_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "more than '%d' settings", RULES_MAX);
    if (i == faults->count)
        faults->count++;
    faults->rule[i] = rule;
    return JOBQ_OK;
}

static struct jobq_str take_setting(struct jobq_str *rest)
{
    int64_t len = 0;
    while (len < rest->len && rest->ptr[len] != ';' && rest->ptr[len] != '\n')
        len++;
    struct jobq_str part = {rest->ptr, len};
    int64_t used = len < rest->len ? len + 1 : len;
    rest->ptr += used;
    rest->len -= used;
    return trimmed(part);
}

int faults_set(struct mock *mock, struct jobq_str spec, struct jobq_error *err)
{
    struct mock_faults *scratch = faults_new();
    struct mock_models models = mock->models;
    int code = JOBQ_OK;
    *scratch = *mock->faults;
    while (spec.len > 0 && code == JOBQ_OK) {
        struct jobq_str part = take_setting(&spec);
        if (part.len == 0)
            continue;
        if (str_is(part, "off")) {
            scratch->count = 0;
            models = mock->calm;
            continue;
        }
        code = read_setting(mock, part, scratch, &models, err);
    }
    if (code == JOBQ_OK) {
        *mock->faults = *scratch;
        mock->models = models;
        for (int i = 0; i < mock->region_count; i++) {
            sqs_params_change(mock->region[i]->sqs, &models.sqs);
            simpledb_set_params(mock->region[i]->sdb, &models.sdb);
            dynamodb_set_params(mock->region[i]->dynamodb, &models.dynamodb);
            ec2_set_params(mock->region[i]->ec2, &models.ec2);
        }
    }
    faults_free(scratch);
    return code;
}

void faults_show(const struct mock *mock, struct text *out)
{
    for (int i = 0; i < mock->faults->count; i++) {
        text_puts(out, mock->faults->rule[i].key);
        text_putc(out, '=');
        text_puts(out, mock->faults->rule[i].value);
        text_putc(out, '\n');
    }
}

/* ---- striking --------------------------------------------------------------------- */

/* The most special rule of this kind for the call, or NULL. */
static struct rule *find_rule(const struct call *call, enum rule_kind kind)
{
    struct mock_faults *faults = call->mock->faults;
    struct rule *best = NULL;
    int best_rank = -1;
    for (int i = 0; i < faults->count; i++) {
        struct rule *rule = &faults->rule[i];
        if (rule->model || rule->kind != kind ||
            (rule->service >= 0 && rule->service != (int)call->service) ||
            (rule->action[0] && strcmp(rule->action, call->action) != 0))
            continue;
        int rank = (rule->service >= 0) + (rule->action[0] != '\0');
        if (rank > best_rank) {
            best_rank = rank;
            best = rule;
        }
    }
    return best;
}

static bool strikes(const struct call *call, enum rule_kind kind)
{
    const struct rule *rule = find_rule(call, kind);
    bool struck = rule && rule->p > 0 && mock_u(call->mock) < rule->p;
    call->mock->faults->struck[kind] += struck;
    return struck;
}

/* Is this call to be applied late, and how? */
static bool strikes_late(const struct call *call, struct late_rule *late)
{
    struct rule *rule = find_rule(call, RULE_LATE);
    if (!rule || !late_changes(call))
        return false;
    bool struck = rule->left >= 0 ? rule->left > 0 : mock_u(call->mock) < rule->p;
    rule->left -= rule->left > 0;
    call->mock->faults->struck[RULE_LATE] += struck;
    *late = (struct late_rule){.after_ns = 30 * JOBQ_NS_PER_S,
                               .before_ns = 120 * JOBQ_NS_PER_S,
                               .hold_ns = JOBQ_NS_PER_S};
    const struct rule *after = find_rule(call, RULE_LATE_AFTER);
    const struct rule *reply = find_rule(call, RULE_LATE_REPLY);
    if (after) {
        late->after_ns = after->late.after_ns;
        late->before_ns = after->late.before_ns;
    }
    if (reply) {
        late->unavailable = reply->late.unavailable;
        late->hold_ns = reply->late.hold_ns;
    }
    return struck;
}

/* Each service's own words for "slower, please". */
static void fill_throttle(struct call *call)
{
    switch (call->service) {
    case MOCK_SQS:
        mock_fail(call, 403, "RequestThrottled", NULL, "Request is throttled.");
        return;
    case MOCK_SDB:
        mock_fail(call, 503, "ServiceUnavailable", NULL,
                  "Service is currently unavailable. Please try again later");
        return;
    case MOCK_DYNAMODB:
        mock_fail(
            call, 400, "ProvisionedThroughputExceededException",
            "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput for the table was exceeded. "
            "Consider increasing your provisioning level with the UpdateTable API.");
        return;
    case MOCK_EC2:
        mock_fail(call, 503, "RequestLimitExceeded", NULL, "Request limit exceeded.");
        return;
    case MOCK_STS:
    case MOCK_SERVICE_COUNT:
        break;
    }
    mock_fail(call, 400, "Throttling", NULL, "Rate exceeded");
}

enum faults_strike faults_before(struct call *call, struct late_rule *late)
{
    if (call->mock->faults->count == 0)
        return FAULTS_NONE;
    if (strikes(call, RULE_DROP))
        return FAULTS_DROP;
    if (strikes(call, RULE_THROTTLE)) {
        fill_throttle(call);
        return FAULTS_ERROR;
    }
    if (strikes(call, RULE_ERROR)) {
        bool ec2 = call->service == MOCK_EC2;
        mock_fail(call, 500, ec2 ? "InternalError" : "InternalFailure",
                  "com.amazon.coral.service#InternalFailure",
                  "We encountered an internal error. Please try again.");
        return FAULTS_ERROR;
    }
    return strikes_late(call, late) ? FAULTS_LATE : FAULTS_NONE;
}

bool faults_lose(struct call *call)
{
    return call->mock->faults->count > 0 && strikes(call, RULE_LOST);
}

const char *faults_struck(const struct mock *mock, int kind, int64_t *count)
{
    if (kind >= RULE_COUNTED)
        return NULL;
    *count = mock->faults->struck[kind];
    return kind_names[kind];
}

static const struct distribution *sqs_latency(const struct sqs_params *params,
                                              const char *action)
{
    if (strncmp(action, "Send", 4) == 0)
        return &params->send_latency;
    if (strncmp(action, "Receive", 7) == 0)
        return &params->receive_latency;
    if (strncmp(action, "Delete", 6) == 0)
        return &params->delete_latency;
    return &params->other_latency;
}

static const struct distribution *model_latency(const struct call *call)
{
    const struct mock_models *models = &call->mock->models;
    switch (call->service) {
    case MOCK_SDB:
        if (strcmp(call->action, "Select") == 0)
            return &models->sdb.select_latency;
        return strncmp(call->action, "Get", 3) == 0 ||
                       strncmp(call->action, "List", 4) == 0 ||
                       strcmp(call->action, "DomainMetadata") == 0
                   ? &models->sdb.read_latency
                   : &models->sdb.write_latency;
    case MOCK_DYNAMODB:
        return strcmp(call->action, "Query") == 0 || strcmp(call->action, "Scan") == 0
                   ? &models->dynamodb.scan_latency
               : strstr(call->action, "Get") || strncmp(call->action, "Describe", 8) == 0
                   ? &models->dynamodb.read_latency
                   : &models->dynamodb.write_latency;
    case MOCK_EC2:
        return strcmp(call->action, "RunInstances") == 0 ? &models->ec2.run_latency
                                                         : &models->ec2.call_latency;
    case MOCK_SQS:
    case MOCK_STS:
    case MOCK_SERVICE_COUNT:
        break;
    }
    return sqs_latency(&models->sqs, call->action);
}

int64_t faults_latency_ns(struct call *call)
{
    const struct rule *rule =
        call->mock->faults->count > 0 ? find_rule(call, RULE_LATENCY) : NULL;
    const struct distribution *latency = rule ? &rule->latency
                                         : call->mock->options->latency_model
                                             ? model_latency(call)
                                             : NULL;
    return latency ? distribution_ns(latency, mock_u(call->mock)) : 0;
}
