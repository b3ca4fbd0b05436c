#include "cost/ledger/ledger_json.h"

#include "base/text.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char SCHEMA[] = "jobq.ledger/2";

/* The integer members of one action, in order. */
static const struct {
    const char *name;
    size_t offset;
} USAGE[] = {
    {"requests", offsetof(struct jobq_usage, requests)},
    {"entries", offsetof(struct jobq_usage, entries)},
    {"empty", offsetof(struct jobq_usage, empty)},
    {"failed", offsetof(struct jobq_usage, failed)},
    {"throttled", offsetof(struct jobq_usage, throttled)},
    {"bytes_out", offsetof(struct jobq_usage, bytes_out)},
    {"bytes_in", offsetof(struct jobq_usage, bytes_in)},
    {"box_usage_e10h", offsetof(struct jobq_usage, box_usage_e10h)},
};

static const struct {
    const char *name;
    size_t offset;
} WHOLE[] = {
    {"attempts", offsetof(struct jobq_ledger, attempts)},
    {"internet_out_bytes", offsetof(struct jobq_ledger, internet_out_bytes)},
    {"internet_in_bytes", offsetof(struct jobq_ledger, internet_in_bytes)},
};

static const struct {
    const char *name;
    size_t offset;
} REALS[] = {
    {"store_byte_hours", offsetof(struct jobq_ledger, store_byte_hours)},
    {"table_byte_hours", offsetof(struct jobq_ledger, table_byte_hours)},
    {"volume_gib_hours", offsetof(struct jobq_ledger, volume_gib_hours)},
    {"ipv4_hours", offsetof(struct jobq_ledger, ipv4_hours)},
    {"write_units", offsetof(struct jobq_ledger, write_units)},
    {"read_units", offsetof(struct jobq_ledger, read_units)},
};

static const struct {
    const char *name;
    size_t offset;
} INSTANCE[] = {
    {"launched_at_ns", offsetof(struct jobq_instance_use, launched_at_ns)},
    {"running_at_ns", offsetof(struct jobq_instance_use, running_at_ns)},
    {"ready_at_ns", offsetof(struct jobq_instance_use, ready_at_ns)},
    {"ended_at_ns", offsetof(struct jobq_instance_use, ended_at_ns)},
    {"busy_slot_ns", offsetof(struct jobq_instance_use, busy_slot_ns)},
    {"cpu_ns", offsetof(struct jobq_instance_use, cpu_ns)},
    {"slots", offsetof(struct jobq_instance_use, slots)},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int64_t get_whole(const void *base, size_t offset)
{
    int64_t value;
    memcpy(&value, (const char *)base + offset, sizeof value);
    return value;
}

static void add_whole(void *base, size_t offset, int64_t more)
{
    int64_t value = get_whole(base, offset);
    value = more > INT64_MAX - value ? INT64_MAX : value + more;
    memcpy((char *)base + offset, &value, sizeof value);
}

static double get_real(const void *base, size_t offset)
{
    double value;
    memcpy(&value, (const char *)base + offset, sizeof value);
    return value;
}

/* ---- writing ---------------------------------------------------------------------------- */

static json_t *buckets_json(const int64_t *kib)
{
    json_t *object = json_object();
    for (int i = 0; i < JOBQ_PAYLOAD_BUCKETS; i++)
        if (kib[i]) {
            char key[24];
            key[text_write_int(key, i)] = '\0';
            json_object_set_new(object, key, json_integer(kib[i]));
        }
    return object;
}

static json_t *instance_json(const struct jobq_instance_use *use)
{
    json_t *object = json_object();
    json_object_set_new(object, "type", json_string(use->type));
    json_object_set_new(object, "id", json_string(use->id));
    json_object_set_new(object, "spot", json_boolean(use->spot));
    if (use->ended_by)
        json_object_set_new(
            object, "ended_by",
            json_string(jobq_instance_end_name((enum jobq_instance_end)use->ended_by)));
    for (size_t i = 0; i < COUNT(INSTANCE); i++)
        json_object_set_new(object, INSTANCE[i].name,
                            json_integer(get_whole(use, INSTANCE[i].offset)));
    return object;
}

json_t *ledger_to_json(const struct jobq_ledger *ledger)
{
    json_t *root = json_object(), *actions = json_object(), *instances = json_array();
    json_t *jobs = json_object();
    json_object_set_new(root, "schema", json_string(SCHEMA));
    for (int i = 0; i < JOBQ_JOB_END_COUNT; i++)
        if (i == JOBQ_JOBS_DONE || ledger->jobs[i])
            json_object_set_new(jobs, jobq_job_end_name((enum jobq_job_end)i),
                                json_integer(ledger->jobs[i]));
    json_object_set_new(root, "jobs", jobs);
    if (ledger->span_ns)
        json_object_set_new(root, "span_ns", json_integer(ledger->span_ns));
    for (size_t i = 0; i < COUNT(WHOLE); i++)
        json_object_set_new(root, WHOLE[i].name,
                            json_integer(get_whole(ledger, WHOLE[i].offset)));
    for (int i = 0; i < JOBQ_ACTION_COUNT; i++) {
        const struct jobq_usage *usage = &ledger->action[i];
        if (!usage->requests)
            continue;
        json_t *action = json_object();
        for (size_t j = 0; j < COUNT(USAGE); j++)
            if (j == 0 || get_whole(usage, USAGE[j].offset))
                json_object_set_new(action, USAGE[j].name,
                                    json_integer(get_whole(usage, USAGE[j].offset)));
        json_object_set_new(actions, jobq_action_name((enum jobq_action)i), action);
    }
    json_object_set_new(root, "actions", actions);
    json_object_set_new(root, "send_kib", buckets_json(ledger->send_kib));
    json_object_set_new(root, "receive_kib", buckets_json(ledger->receive_kib));
    for (size_t i = 0; i < COUNT(REALS); i++)
        json_object_set_new(root, REALS[i].name,
                            json_real(get_real(ledger, REALS[i].offset)));
    for (int64_t i = 0; i < ledger->instance_count; i++)
        json_array_append_new(instances, instance_json(&ledger->instance[i]));
    json_object_set_new(root, "instances", instances);
    return root;
}

/* ---- reading ---------------------------------------------------------------------------- */

static int ledger_fail(struct jobq_error *err, const char *where, const char *member,
                       const char *what)
{
    char shown[60];
    text_escape(member, (int64_t)strlen(member), shown, sizeof shown);
    return jobq_fail(err, JOBQ_INVALID, "%s: '%s' %s", where, shown, what);
}

/* A count: an integer, or a number that is whole, not negative. */
static bool ledger_whole(const json_t *value, int64_t *out)
{
    if (json_is_integer(value)) {
        *out = json_integer_value(value);
        return *out >= 0;
    }
    if (!json_is_real(value))
        return false;
    double real = json_real_value(value);
    if (!(real >= 0 && real < 9e18 && real == floor(real)))
        return false;
    *out = (int64_t)real;
    return true;
}

static int read_action(const json_t *object, const char *name, const char *where,
                       struct jobq_ledger *ledger, struct jobq_error *err)
{
    int action = 0;
    const char *key;
    json_t *value;
    while (action < JOBQ_ACTION_COUNT &&
           strcmp(jobq_action_name((enum jobq_action)action), name) != 0)
        action++;
    if (action == JOBQ_ACTION_COUNT)
        return ledger_fail(err, where, name, "is not an action");
    if (!json_is_object(object))
        return ledger_fail(err, where, name, "is not an object");
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        int64_t count;
        size_t at = 0;
        while (at < COUNT(USAGE) && strcmp(USAGE[at].name, key) != 0)
            at++;
        if (at == COUNT(USAGE))
            return ledger_fail(err, where, key, "is not a count of an action");
        if (!ledger_whole(value, &count))
            return ledger_fail(err, where, key, "is not a count");
        add_whole(&ledger->action[action], USAGE[at].offset, count);
    }
    return JOBQ_OK;
}

static int read_buckets(const json_t *object, const char *where, int64_t *kib,
                        struct jobq_error *err)
{
    const char *key;
    json_t *value;
    if (object && !json_is_object(object))
        return ledger_fail(err, where, "send_kib, receive_kib", "are not objects");
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        int64_t bucket, count;
        if (!str_to_int(str_of(key), &bucket) || bucket < 0 ||
            bucket >= JOBQ_PAYLOAD_BUCKETS)
            return ledger_fail(err, where, key, "is not a size in KiB, 0..1024");
        if (!ledger_whole(value, &count))
            return ledger_fail(err, where, key, "is not a count");
        kib[bucket] = count > INT64_MAX - kib[bucket] ? INT64_MAX : kib[bucket] + count;
    }
    return JOBQ_OK;
}

static int read_jobs(const json_t *object, const char *where, struct jobq_ledger *ledger,
                     struct jobq_error *err)
{
    const char *key;
    json_t *value;
    if (object && !json_is_object(object))
        return ledger_fail(err, where, "jobs", "is not an object");
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        int64_t count;
        int end = 0;
        while (end < JOBQ_JOB_END_COUNT &&
               strcmp(jobq_job_end_name((enum jobq_job_end)end), key) != 0)
            end++;
        if (end == JOBQ_JOB_END_COUNT)
            return ledger_fail(err, where, key, "is not an end of a job");
        if (!ledger_whole(value, &count))
            return ledger_fail(err, where, key, "is not a count");
        add_whole(ledger->jobs, (size_t)end * sizeof *ledger->jobs, count);
    }
    return JOBQ_OK;
}

static int read_ended_by(const json_t *value, const char *where, int32_t *out,
                         struct jobq_error *err)
{
    const char *text = json_string_value(value);
    if (!value)
        return JOBQ_OK;
    for (int i = 0; text && i < JOBQ_INSTANCE_END_COUNT; i++)
        if (strcmp(text, jobq_instance_end_name((enum jobq_instance_end)i)) == 0) {
            *out = i;
            return JOBQ_OK;
        }
    return ledger_fail(err, where, "ended_by", "is neither us nor aws");
}

static int read_instance(const json_t *object, const char *where,
                         struct jobq_ledger *ledger, struct jobq_error *err)
{
    const char *type = json_string_value(json_object_get(object, "type"));
    const char *id = json_string_value(json_object_get(object, "id"));
    if (!type || strlen(type) >= sizeof ledger->instance->type || strlen(type) == 0)
        return ledger_fail(err, where, "type", "of an instance is missing or too long");
    if (id && strlen(id) >= sizeof ledger->instance->id)
        return ledger_fail(err, where, "id", "of an instance is too long");
    struct jobq_instance_use *use = jobq_ledger_instance(ledger);
    strcpy(use->type, type);
    if (id)
        strcpy(use->id, id);
    use->spot = json_is_true(json_object_get(object, "spot"));
    int code =
        read_ended_by(json_object_get(object, "ended_by"), where, &use->ended_by, err);
    if (code)
        return code;
    for (size_t i = 0; i < COUNT(INSTANCE); i++) {
        const json_t *value = json_object_get(object, INSTANCE[i].name);
        int64_t number = 0;
        if (value && !ledger_whole(value, &number))
            return ledger_fail(err, where, INSTANCE[i].name, "is not a whole number");
        add_whole(use, INSTANCE[i].offset, number);
    }
    if (use->ended_at_ns < use->running_at_ns)
        return ledger_fail(err, where, "ended_at_ns", "is before running_at_ns");
    return JOBQ_OK;
}

/* Adds what the object says to an initialised ledger; on failure to part of it. */
static int ledger_from_json(const json_t *root, const char *where,
                            struct jobq_ledger *ledger, struct jobq_error *err)
{
    const char *key, *schema = json_string_value(json_object_get(root, "schema"));
    json_t *value;
    int64_t number;
    if (!schema || strcmp(schema, SCHEMA) != 0)
        return ledger_fail(err, where, "schema", "is not jobq.ledger/2");
    for (size_t i = 0; i < COUNT(WHOLE); i++) {
        const json_t *member = json_object_get(root, WHOLE[i].name);
        if (member && !ledger_whole(member, &number))
            return ledger_fail(err, where, WHOLE[i].name, "is not a count");
        if (member)
            add_whole(ledger, WHOLE[i].offset, number);
    }
    const json_t *span = json_object_get(root, "span_ns");
    if (span && !ledger_whole(span, &number))
        return ledger_fail(err, where, "span_ns", "is not a count");
    if (span && number > ledger->span_ns)
        ledger->span_ns = number;
    for (size_t i = 0; i < COUNT(REALS); i++) {
        const json_t *member = json_object_get(root, REALS[i].name);
        double real = json_number_value(member);
        if (member && (!json_is_number(member) || !(real >= 0) || !isfinite(real)))
            return ledger_fail(err, where, REALS[i].name, "is not a number >= 0");
        real += get_real(ledger, REALS[i].offset);
        memcpy((char *)ledger + REALS[i].offset, &real, sizeof real);
    }
    const json_t *actions = json_object_get(root, "actions");
    if (actions && !json_is_object(actions))
        return ledger_fail(err, where, "actions", "is not an object");
    json_object_foreach((json_t *)(uintptr_t)actions, key, value)
    {
        int code = read_action(value, key, where, ledger, err);
        if (code)
            return code;
    }
    int code = read_jobs(json_object_get(root, "jobs"), where, ledger, err);
    if (!code)
        code =
            read_buckets(json_object_get(root, "send_kib"), where, ledger->send_kib, err);
    if (!code)
        code = read_buckets(json_object_get(root, "receive_kib"), where,
                            ledger->receive_kib, err);
    const json_t *instances = json_object_get(root, "instances");
    if (!code && instances && !json_is_array(instances))
        code = ledger_fail(err, where, "instances", "is not an array");
    for (size_t i = 0; !code && i < json_array_size(instances); i++)
        code = read_instance(json_array_get(instances, i), where, ledger, err);
    return code;
}

static int parse_one(const char *text, size_t len, const char *name, int line,
                     struct jobq_ledger *ledger, struct jobq_error *err)
{
    json_error_t fault;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &fault);
    if (!root) {
        char shown[120];
        text_escape(fault.text, (int64_t)strlen(fault.text), shown, sizeof shown);
        return jobq_fail(err, JOBQ_INVALID, "%s:%d: %s", name,
                         line + (fault.line > 0 ? fault.line : 1), shown);
    }
    const json_t *inner = json_object_get(root, "ledger");
    int code = ledger_from_json(inner ? inner : root, name, ledger, err);
    json_decref(root);
    return code;
}

/* A trace: JSON lines. Those that begin with the member "ledger" are read. */
static int parse_trace(const char *text, size_t len, const char *name,
                       struct jobq_ledger *ledger, struct jobq_error *err)
{
    static const char begins[] = "{\"ledger\":";
    int line = 0, found = 0;
    for (size_t at = 0; at < len; line++) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t size = end ? (size_t)(end - (text + at)) : len - at;
        if (size >= sizeof begins && memcmp(text + at, begins, sizeof begins - 1) == 0) {
            int code = parse_one(text + at, size, name, line, ledger, err);
            if (code)
                return code;
            found++;
        }
        at += size + 1;
    }
    return found ? JOBQ_OK
                 : jobq_fail(err, JOBQ_INVALID,
                             "%s:%d: a trace without its ledger (cut off?)", name, line);
}

int ledger_parse(const char *text, size_t len, const char *name,
                 struct jobq_ledger *ledger, struct jobq_error *err)
{
    assert(name && ledger && err && (text || len == 0));
    static const char trace[] = "{\"schema\":\"jobq.trace/1\"";
    if (len >= sizeof trace && memcmp(text, trace, sizeof trace - 1) == 0)
        return parse_trace(text, len, name, ledger, err);
    return parse_one(text, len, name, 0, ledger, err);
}
