#include "sim/mock/sqs/settings.h"

#include "models/sqs/admin.h"

#include "sim/mock/sqs/actions.h"
#include "sim/mock/sqs/names.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Attributes that are a whole number of seconds or bytes. */
static const struct number {
    const char *name;
    enum sqs_setting bit;
    size_t offset;
    int64_t unit;
} numbers[] = {
    {"VisibilityTimeout", SQS_SET_VISIBILITY,
     offsetof(struct sqs_settings, visibility_ns), JOBQ_NS_PER_S},
    {"MaximumMessageSize", SQS_SET_MESSAGE_BYTES,
     offsetof(struct sqs_settings, message_bytes_max), 1},
    {"MessageRetentionPeriod", SQS_SET_RETENTION,
     offsetof(struct sqs_settings, retention_ns), JOBQ_NS_PER_S},
    {"DelaySeconds", SQS_SET_DELAY, offsetof(struct sqs_settings, delay_ns),
     JOBQ_NS_PER_S},
    {"ReceiveMessageWaitTimeSeconds", SQS_SET_WAIT,
     offsetof(struct sqs_settings, wait_ns), JOBQ_NS_PER_S},
};
enum { NUMBER_COUNT = sizeof numbers / sizeof numbers[0] };

/* Attributes that are one of two words. */
static const struct choice {
    const char *name;
    enum sqs_setting bit;
    size_t offset;
    const char *off, *on;
} choices[] = {
    {"FifoQueue", SQS_SET_FIFO, offsetof(struct sqs_settings, fifo), "false", "true"},
    {"ContentBasedDeduplication", SQS_SET_CONTENT_DEDUP,
     offsetof(struct sqs_settings, content_dedup), "false", "true"},
    {"DeduplicationScope", SQS_SET_DEDUP_SCOPE,
     offsetof(struct sqs_settings, dedup_by_group), "queue", "messageGroup"},
    {"FifoThroughputLimit", SQS_SET_THROUGHPUT,
     offsetof(struct sqs_settings, throughput_by_group), "perQueue", "perMessageGroupId"},
};
enum { CHOICE_COUNT = sizeof choices / sizeof choices[0] };

static const char *const verbatim[] = {
    "Policy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled"};
enum { VERBATIM_COUNT = sizeof verbatim / sizeof verbatim[0] };

static int bad_value(struct call *call, const char *name)
{
    mock_sqs_fault(call, SQS_BAD_ATTRIBUTE_VALUE,
                   mock_format(call, "Invalid value for the parameter %s.", name));
    return -1;
}

static int bad_policy(struct call *call, const char *name, struct jobq_str value,
                      const char *reason)
{
    mock_fail(call, 400, "InvalidParameterValue",
              "com.amazon.coral.service#InvalidParameterValueException", "%s",
              mock_sqs_invalid_text(call, value, name, reason));
    return -1;
}

static int bad_receives(struct call *call, struct jobq_str value, struct jobq_str count)
{
    return bad_policy(
        call, "RedrivePolicy", value,
        mock_format(call,
                    "Invalid value for maxReceiveCount: %s, valid values are from 1 to "
                    "1000 both inclusive.",
                    mock_quote(call, count)));
}

static int read_redrive(struct call *call, struct jobq_str value,
                        struct sqs_settings *out)
{
    struct tree *json;
    struct jobq_error err;
    struct jobq_str arn, name;
    int64_t receives = 0;
    out->given |= SQS_SET_REDRIVE;
    out->redrive_queue = -1;
    if (value.len == 0)
        return 0;
    if (tree_from_json(value, &call->mock->arena, &json, &err) < 0)
        return bad_policy(call, "RedrivePolicy", value,
                          "Redrive policy is not a valid JSON map.");
    if (json->count == 0)
        return 0;
    arn = tree_text(json, "deadLetterTargetArn");
    if (!arn.ptr)
        return bad_policy(
            call, "RedrivePolicy", value,
            "Redrive policy does not contain mandatory attribute: deadLetterTargetArn.");
    if (!tree_get(json, "maxReceiveCount"))
        return bad_policy(
            call, "RedrivePolicy", value,
            "Redrive policy does not contain mandatory attribute: maxReceiveCount.");
    if (!str_to_int(tree_text(json, "maxReceiveCount"), &receives) || receives < 1 ||
        receives > 1000)
        return bad_receives(call, value, tree_text(json, "maxReceiveCount"));
    out->redrive_queue = mock_names_from_arn(call, arn, &name);
    if (out->redrive_queue < 0)
        return bad_policy(call, "RedrivePolicy", value,
                          "Dead letter target does not exist.");
    out->redrive_receives = (int32_t)receives;
    return 0;
}

static int read_allow(struct call *call, struct jobq_str value, struct mock_given *out)
{
    struct tree *json;
    struct jobq_error err;
    struct sqs_settings *settings = &out->settings;
    settings->given |= SQS_SET_ALLOW;
    settings->allow = SQS_ALLOW_ALL;
    if (value.len == 0)
        return 0;
    if (tree_from_json(value, &call->mock->arena, &json, &err) < 0)
        return bad_policy(call, "RedriveAllowPolicy", value,
                          "Redrive allow policy is not a valid JSON map.");
    struct jobq_str permission = tree_text(json, "redrivePermission");
    const struct tree *arns = tree_get(json, "sourceQueueArns");
    if (str_is(permission, "denyAll"))
        settings->allow = SQS_ALLOW_NONE;
    else if (str_is(permission, "byQueue"))
        settings->allow = SQS_ALLOW_LISTED;
    else if (!str_is(permission, "allowAll"))
        return bad_policy(call, "RedriveAllowPolicy", value,
                          "redrivePermission must be one of [allowAll, denyAll, "
                          "byQueue].");
    if ((settings->allow == SQS_ALLOW_LISTED) != (arns && arns->count > 0))
        return bad_policy(call, "RedriveAllowPolicy", value,
                          "sourceQueueArns must be given for byQueue and only for it.");
    if (arns && arns->count > SQS_ALLOW_MAX)
        return bad_policy(call, "RedriveAllowPolicy", value,
                          "sourceQueueArns may hold at most 10 ARNs.");
    for (const struct tree *one = arns ? arns->first : NULL; one; one = one->next) {
        struct jobq_str name;
        mock_names_from_arn(call, one->text, &name);
        if (name.ptr)
            out->allow[settings->allow_count++] = name;
    }
    settings->allow_name = out->allow;
    return 0;
}

/* AWS takes "True" as well as "true". */
static bool is_word(struct jobq_str value, const char *word)
{
    return (size_t)value.len == strlen(word) &&
           strncasecmp(value.ptr, word, (size_t)value.len) == 0;
}

/* A number or a word; 0: not one of these, 1: taken, -1: bad. */
static int read_simple(struct call *call, struct jobq_str name, struct jobq_str value,
                       struct sqs_settings *out)
{
    int64_t number = 0;
    for (int i = 0; i < NUMBER_COUNT; i++) {
        if (!str_is(name, numbers[i].name))
            continue;
        if (!str_to_int(value, &number) || number < 0 || number > INT32_MAX)
            return bad_value(call, numbers[i].name);
        *(int64_t *)(void *)((char *)out + numbers[i].offset) = number * numbers[i].unit;
        out->given |= numbers[i].bit;
        return 1;
    }
    for (int i = 0; i < CHOICE_COUNT; i++) {
        if (!str_is(name, choices[i].name))
            continue;
        bool on = is_word(value, choices[i].on);
        if (!on && !is_word(value, choices[i].off))
            return bad_value(call, choices[i].name);
        *(bool *)((char *)out + choices[i].offset) = on;
        out->given |= choices[i].bit;
        return 1;
    }
    return 0;
}

/* -1 with call->error filled: not a value that the attribute takes. Empty: unset it. */
static int check_verbatim(struct call *call, struct jobq_str name, struct jobq_str value)
{
    struct tree *json;
    struct jobq_error err;
    int64_t seconds;
    bool fine = true;
    if (value.len == 0)
        return 0;
    if (str_is(name, "Policy"))
        fine = tree_from_json(value, &call->mock->arena, &json, &err) == JOBQ_OK;
    else if (str_is(name, "SqsManagedSseEnabled"))
        fine = is_word(value, "true") || is_word(value, "false");
    else if (str_is(name, "KmsDataKeyReusePeriodSeconds"))
        fine = str_to_int(value, &seconds) && seconds >= 60 && seconds <= 86400;
    return fine ? 0 : bad_value(call, mock_quote(call, name));
}

static struct jobq_str find_verbatim(const struct mock_given *given, const char *name)
{
    for (int i = 0; i < given->verbatim_count; i++)
        if (str_is(given->verbatim_name[i], name))
            return given->verbatim_value[i];
    return (struct jobq_str){"", 0};
}

static bool has_verbatim(const struct mock_given *given, const char *name)
{
    return find_verbatim(given, name).len > 0;
}

enum call_end mock_settings_fault(struct call *call, const struct mock_given *given,
                                  enum sqs_fault fault, const char *text)
{
    static const char model[] = "Value for parameter RedrivePolicy is invalid. Reason: ";
    if (given->redrive.len > 0 && strncmp(text, model, sizeof model - 1) == 0) {
        bad_policy(call, "RedrivePolicy", given->redrive, text + sizeof model - 1);
        return CALL_FAILED;
    }
    return mock_sqs_fault(call, fault, text);
}

int mock_settings_read(struct call *call, const struct tree *map, struct mock_given *out)
{
    *out = (struct mock_given){.settings.redrive_queue = -1};
    for (const struct tree *entry = map ? map->first : NULL; entry; entry = entry->next) {
        struct jobq_str name = mock_sqs_key(call, entry);
        const struct tree *node = mock_sqs_value(call, entry);
        struct jobq_str value = node && node->text.ptr ? node->text : STR("");
        int taken = read_simple(call, name, value, &out->settings);
        if (taken < 0)
            return -1;
        if (taken)
            continue;
        if (str_is(name, "RedrivePolicy")) {
            out->redrive = value;
            if (read_redrive(call, value, &out->settings) < 0)
                return -1;
            continue;
        }
        if (str_is(name, "RedriveAllowPolicy")) {
            if (read_allow(call, value, out) < 0)
                return -1;
            continue;
        }
        int i = 0;
        while (i < VERBATIM_COUNT && !str_is(name, verbatim[i]))
            i++;
        if (i == VERBATIM_COUNT || out->verbatim_count == 8) {
            mock_sqs_unknown_attribute(call, name);
            return -1;
        }
        if (check_verbatim(call, name, value) < 0)
            return -1;
        out->verbatim_name[out->verbatim_count] = name;
        out->verbatim_value[out->verbatim_count++] = value;
    }
    if (has_verbatim(out, "KmsMasterKeyId") &&
        is_word(find_verbatim(out, "SqsManagedSseEnabled"), "true")) {
        mock_fail(call, 400, "InvalidAttributeName", NULL,
                  "You can use one type of server-side encryption (SSE) at one time. You "
                  "can either enable KMS SSE or SQS SSE.");
        return -1;
    }
    return 0;
}

void mock_settings_keep(struct mock_region *region, int queue,
                        const struct mock_given *given)
{
    struct jobq_error err;
    if (has_verbatim(given, "KmsMasterKeyId"))
        sqs_note_set(region->sqs, queue, SQS_NOTE_ATTRIBUTE, STR("SqsManagedSseEnabled"),
                     STR("false"), &err);
    if (is_word(find_verbatim(given, "SqsManagedSseEnabled"), "true"))
        sqs_note_remove(region->sqs, queue, SQS_NOTE_ATTRIBUTE, STR("KmsMasterKeyId"));
    for (int i = 0; i < given->verbatim_count; i++) {
        if (given->verbatim_value[i].len > 0)
            sqs_note_set(region->sqs, queue, SQS_NOTE_ATTRIBUTE, given->verbatim_name[i],
                         given->verbatim_value[i], &err);
        else
            sqs_note_remove(region->sqs, queue, SQS_NOTE_ATTRIBUTE,
                            given->verbatim_name[i]);
    }
}

/* ---- back to names ---------------------------------------------------------------- */

struct shower {
    mock_settings_fn *put;
    void *ctx;
};

static void show_int(const struct shower *s, const char *name, int64_t value)
{
    char digits[24];
    s->put(s->ctx, name, (struct jobq_str){digits, text_write_int(digits, value)});
}

static void show_redrive(const struct shower *s, struct mock *mock,
                         struct mock_region *region, const struct sqs_settings *settings)
{
    struct text json = {0};
    if (settings->redrive_queue >= 0) {
        text_puts(&json, "{\"deadLetterTargetArn\":\"");
        mock_names_arn(mock, region, sqs_name(region->sqs, settings->redrive_queue),
                       &json);
        text_puts(&json, "\",\"maxReceiveCount\":");
        text_put_int(&json, settings->redrive_receives);
        text_putc(&json, '}');
        s->put(s->ctx, "RedrivePolicy", text_str(&json));
    }
    text_clear(&json);
    if (settings->allow == SQS_ALLOW_NONE) {
        s->put(s->ctx, "RedriveAllowPolicy", STR("{\"redrivePermission\":\"denyAll\"}"));
    } else if (settings->allow == SQS_ALLOW_LISTED) {
        text_puts(&json, "{\"redrivePermission\":\"byQueue\",\"sourceQueueArns\":[");
        for (int i = 0; i < settings->allow_count; i++) {
            text_puts(&json, i ? ",\"" : "\"");
            mock_names_arn(mock, region, settings->allow_name[i], &json);
            text_putc(&json, '"');
        }
        text_puts(&json, "]}");
        s->put(s->ctx, "RedriveAllowPolicy", text_str(&json));
    }
    text_release(&json);
}

static struct jobq_str note(const struct mock_region *region, int queue, const char *name)
{
    const struct sqs_note *found =
        sqs_note_find(region->sqs, queue, SQS_NOTE_ATTRIBUTE, str_of(name));
    return found ? found->value : (struct jobq_str){NULL, 0};
}

/* Encryption is only shown, nothing is encrypted. KMS and SQS's own exclude each other,
 * and which of them was set last is remembered (mock_settings_keep). */
static void show_encryption(const struct shower *s, const struct mock_region *region,
                            int queue)
{
    struct jobq_str key = note(region, queue, "KmsMasterKeyId");
    struct jobq_str reuse = note(region, queue, "KmsDataKeyReusePeriodSeconds");
    struct jobq_str managed = note(region, queue, "SqsManagedSseEnabled");
    if (key.ptr) {
        s->put(s->ctx, "KmsMasterKeyId", key);
        s->put(s->ctx, "KmsDataKeyReusePeriodSeconds", reuse.ptr ? reuse : STR("300"));
    }
    s->put(s->ctx, "SqsManagedSseEnabled", managed.ptr ? managed : STR("true"));
}

void mock_settings_show(struct mock *mock, struct mock_region *region, int queue,
                        const struct sqs_queue_info *info, mock_settings_fn *put,
                        void *ctx)
{
    struct shower s = {put, ctx};
    const struct sqs_settings *settings = &info->settings;
    struct text arn = {0};
    struct jobq_str policy = note(region, queue, "Policy");
    if (policy.ptr)
        put(ctx, "Policy", policy);
    for (int i = 0; i < NUMBER_COUNT; i++) {
        int64_t value;
        memcpy(&value, (const char *)settings + numbers[i].offset, sizeof value);
        show_int(&s, numbers[i].name, value / numbers[i].unit);
    }
    show_int(&s, "ApproximateNumberOfMessages", info->visible);
    show_int(&s, "ApproximateNumberOfMessagesNotVisible", info->in_flight);
    show_int(&s, "ApproximateNumberOfMessagesDelayed", info->delayed);
    show_int(&s, "CreatedTimestamp", info->created_at_ns / JOBQ_NS_PER_S);
    show_int(&s, "LastModifiedTimestamp", info->changed_at_ns / JOBQ_NS_PER_S);
    mock_names_arn(mock, region, sqs_name(region->sqs, queue), &arn);
    put(ctx, "QueueArn", text_str(&arn));
    text_release(&arn);
    show_redrive(&s, mock, region, settings);
    for (int i = 0; settings->fifo && i < CHOICE_COUNT; i++) {
        bool on;
        memcpy(&on, (const char *)settings + choices[i].offset, sizeof on);
        put(ctx, choices[i].name, str_of(on ? choices[i].on : choices[i].off));
    }
    show_encryption(&s, region, queue);
}

bool mock_settings_knows(struct jobq_str name)
{
    static const char *const others[] = {"All",
                                         "ApproximateNumberOfMessages",
                                         "ApproximateNumberOfMessagesNotVisible",
                                         "ApproximateNumberOfMessagesDelayed",
                                         "CreatedTimestamp",
                                         "LastModifiedTimestamp",
                                         "QueueArn",
                                         "RedrivePolicy",
                                         "RedriveAllowPolicy"};
    for (int i = 0; i < NUMBER_COUNT; i++)
        if (str_is(name, numbers[i].name))
            return true;
    for (int i = 0; i < CHOICE_COUNT; i++)
        if (str_is(name, choices[i].name))
            return true;
    for (int i = 0; i < VERBATIM_COUNT; i++)
        if (str_is(name, verbatim[i]))
            return true;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (str_is(name, others[i]))
            return true;
    return false;
}
