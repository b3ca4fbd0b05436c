#include "wire/http/aws_error.h"

#include "base/text.h"
#include "wire/text/xml.h"

#include <jansson.h>
#include <stdio.h>
#include <strings.h>

struct row {
    const char *code;
    int means;
};

/* Grouped by meaning; searched from the start, which is fast enough for errors. */
static const struct row table[] = {
    {"RequestThrottled", JOBQ_THROTTLED},
    {"ThrottlingException", JOBQ_THROTTLED},
    {"Throttling", JOBQ_THROTTLED},
    {"ThrottledException", JOBQ_THROTTLED},
    {"RequestThrottledException", JOBQ_THROTTLED},
    {"TooManyRequestsException", JOBQ_THROTTLED},
    {"RequestLimitExceeded", JOBQ_THROTTLED},
    {"SlowDown", JOBQ_THROTTLED},
    {"KmsThrottled", JOBQ_THROTTLED},
    {"KMS.ThrottlingException", JOBQ_THROTTLED},
    {"PurgeQueueInProgress", JOBQ_THROTTLED},
    {"QueueDeletedRecently", JOBQ_THROTTLED},
    /* SimpleDB answers 503 ServiceUnavailable when a domain is written too fast; the
     * request was not applied. */
    {"ServiceUnavailable", JOBQ_THROTTLED},
    {"ProvisionedThroughputExceededException", JOBQ_THROTTLED},
    {"TransactionConflictException", JOBQ_THROTTLED},
    {"RequestTimeout", JOBQ_TIMEOUT},
    {"InternalError", JOBQ_UNAVAILABLE},
    {"InternalFailure", JOBQ_UNAVAILABLE},
    {"InternalServerError", JOBQ_UNAVAILABLE},
    {"ServiceUnavailableException", JOBQ_UNAVAILABLE},
    {"Unavailable", JOBQ_UNAVAILABLE},
    {"QueueDoesNotExist", JOBQ_NOT_FOUND},
    {"AWS.SimpleQueueService.NonExistentQueue", JOBQ_NOT_FOUND},
    {"NoSuchDomain", JOBQ_NOT_FOUND},
    {"ReceiptHandleIsInvalid", JOBQ_NOT_FOUND},
    {"MessageNotInflight", JOBQ_NOT_FOUND},
    {"AWS.SimpleQueueService.MessageNotInflight", JOBQ_NOT_FOUND},
    {"InvalidInstanceID.NotFound", JOBQ_NOT_FOUND},
    {"ResourceNotFoundException", JOBQ_NOT_FOUND},
    {"ResourceInUseException", JOBQ_CONFLICT},
    {"ConditionalCheckFailedException", JOBQ_CONFLICT},
    {"QueueNameExists", JOBQ_CONFLICT},
    {"QueueAlreadyExists", JOBQ_CONFLICT},
    {"ConditionalCheckFailed", JOBQ_CONFLICT},
    /* A condition on an attribute that does not exist cannot hold. */
    {"AttributeDoesNotExist", JOBQ_CONFLICT},
    {"IdempotentParameterMismatch", JOBQ_CONFLICT},
    {"AccessDenied", JOBQ_DENIED},
    {"AccessDeniedException", JOBQ_DENIED},
    {"AuthFailure", JOBQ_DENIED},
    {"UnauthorizedOperation", JOBQ_DENIED},
    {"AuthorizationFailure", JOBQ_DENIED},
    {"OptInRequired", JOBQ_DENIED},
    {"InvalidClientTokenId", JOBQ_DENIED},
    {"UnrecognizedClientException", JOBQ_DENIED},
    {"InvalidAccessKeyId", JOBQ_DENIED},
    {"SignatureDoesNotMatch", JOBQ_DENIED},
    {"InvalidSignatureException", JOBQ_DENIED},
    {"MissingAuthenticationToken", JOBQ_DENIED},
    {"MissingAuthenticationTokenException", JOBQ_DENIED},
    {"IncompleteSignature", JOBQ_DENIED},
    {"ExpiredToken", JOBQ_DENIED},
    {"ExpiredTokenException", JOBQ_DENIED},
    {"InvalidSecurity", JOBQ_DENIED},
    {"RequestExpired", JOBQ_DENIED},
    {"RequestTimeTooSkewed", JOBQ_DENIED},
    /* The KMS key of an encrypted queue: all of these need a change of the key or its
     * policy. */
    {"KmsAccessDenied", JOBQ_DENIED},
    {"KmsDisabled", JOBQ_DENIED},
    {"KmsInvalidKeyUsage", JOBQ_DENIED},
    {"KmsInvalidState", JOBQ_DENIED},
    {"KmsNotFound", JOBQ_DENIED},
    {"KmsOptInRequired", JOBQ_DENIED},
    {"KMS.AccessDeniedException", JOBQ_DENIED},
    {"KMS.DisabledException", JOBQ_DENIED},
    {"KMS.InvalidKeyUsageException", JOBQ_DENIED},
    {"KMS.InvalidStateException", JOBQ_DENIED},
    {"KMS.NotFoundException", JOBQ_DENIED},
    {"KMS.OptInRequired", JOBQ_DENIED},
    {"OverLimit", JOBQ_LIMIT},
    {"BatchRequestTooLong", JOBQ_LIMIT},
    {"AWS.SimpleQueueService.BatchRequestTooLong", JOBQ_LIMIT},
    {"TooManyEntriesInBatchRequest", JOBQ_LIMIT},
    {"AWS.SimpleQueueService.TooManyEntriesInBatchRequest", JOBQ_LIMIT},
    {"NumberDomainAttributesExceeded", JOBQ_LIMIT},
    {"NumberDomainBytesExceeded", JOBQ_LIMIT},
    {"NumberDomainsExceeded", JOBQ_LIMIT},
    {"NumberItemAttributesExceeded", JOBQ_LIMIT},
    {"NumberSubmittedAttributesExceeded", JOBQ_LIMIT},
    {"NumberSubmittedItemsExceeded", JOBQ_LIMIT},
    {"TooManyRequestedAttributes", JOBQ_LIMIT},
    {"InvalidNumberPredicates", JOBQ_LIMIT},
    {"InvalidNumberValueTests", JOBQ_LIMIT},
    {"LimitExceededException", JOBQ_LIMIT},
    {"InstanceLimitExceeded", JOBQ_LIMIT},
    {"VcpuLimitExceeded", JOBQ_LIMIT},
    {"MaxSpotInstanceCountExceeded", JOBQ_LIMIT},
    {"InsufficientInstanceCapacity", JOBQ_LIMIT},
};

int aws_error_code(const char *code, int http_status)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(code, table[i].code) == 0)
            return table[i].means;
    if (http_status == 429)
        return JOBQ_THROTTLED;
    if (http_status == 408)
        return JOBQ_TIMEOUT;
    if (http_status == 401 || http_status == 403)
        return JOBQ_DENIED;
    if (http_status == 404)
        return JOBQ_NOT_FOUND;
    if (http_status == 409)
        return JOBQ_CONFLICT;
    if (http_status >= 500)
        return JOBQ_UNAVAILABLE;
    return JOBQ_INVALID;
}

bool aws_error_is_skew(const char *code)
{
    static const char *const skew[] = {
        "RequestTimeTooSkewed",      "RequestExpired", "SignatureDoesNotMatch",
        "InvalidSignatureException", "AuthFailure",    "RequestInTheFuture"};
    for (size_t i = 0; i < sizeof skew / sizeof *skew; i++)
        if (strcmp(code, skew[i]) == 0)
            return true;
    return false;
}

/* "com.amazonaws.sqs#QueueDoesNotExist" -> "QueueDoesNotExist". */
static void copy_code(struct jobq_str from, char *out, int cap)
{
    int64_t at = 0;
    for (int64_t i = 0; i < from.len; i++)
        if (from.ptr[i] == '#')
            at = i + 1;
    text_escape(from.ptr + at, from.len - at, out, cap);
}

/* What SQS has against a receipt comes behind the receipt, which has some 400 bytes. The first
 * line only: in the lines after it, SignatureDoesNotMatch repeats the request
 * that should have been signed, with the session token. */
static void copy_message(struct jobq_str from, char *out, int cap)
{
    while (from.len && (*from.ptr == '\n' || *from.ptr == '\r' || *from.ptr == ' ')) {
        from.ptr++;
        from.len--;
    }
    const char *newline = from.len ? memchr(from.ptr, '\n', (size_t)from.len) : NULL;
    text_escape_ends(from.ptr, newline ? newline - from.ptr : from.len, out, cap);
}

static void read_json(struct jobq_str body, struct aws_error *out)
{
    json_t *root = json_loadb(body.ptr, (size_t)body.len, 0, NULL);
    const char *type = json_string_value(json_object_get(root, "__type"));
    const char *said = json_string_value(json_object_get(root, "message"));
    if (!said)
        said = json_string_value(json_object_get(root, "Message"));
    if (type)
        copy_code(str_of(type), out->code, sizeof out->code);
    if (said)
        copy_message(str_of(said), out->message, sizeof out->message);
    json_decref(root);
}

static void read_xml(struct jobq_str body, struct aws_error *out)
{
    struct jobq_error ignored;
    struct xml_doc doc;
    if (xml_parse(&doc, body, &ignored) < 0)
        return;
    /* SQS: ErrorResponse/Error + RequestId. SimpleDB, EC2: Response/Errors/Error +
     * RequestID. */
    const struct xml_node *errors = xml_child(xml_root(&doc), "Errors");
    const struct xml_node *error = xml_child(errors ? errors : xml_root(&doc), "Error");
    struct jobq_str code = xml_text(&doc, xml_child(error, "Code"));
    struct jobq_str said = xml_text(&doc, xml_child(error, "Message"));
    struct jobq_str id = xml_text(&doc, xml_child(xml_root(&doc), "RequestID"));
    if (!id.len)
        id = xml_text(&doc, xml_child(xml_root(&doc), "RequestId"));
    copy_code(code, out->code, sizeof out->code);
    copy_message(said, out->message, sizeof out->message);
    text_escape(id.ptr, id.len, out->request_id, sizeof out->request_id);
    out->box_usage_e10h =
        aws_error_box_usage(xml_text(&doc, xml_child(error, "BoxUsage")));
    xml_release(&doc);
}

void aws_error_read(struct jobq_str body, struct aws_error *out)
{
    *out = (struct aws_error){0};
    int64_t at = 0;
    while (at < body.len && strchr(" \t\r\n", body.ptr[at]) && body.ptr[at])
        at++;
    if (at < body.len && body.ptr[at] == '{')
        read_json(body, out);
    else if (at < body.len && body.ptr[at] == '<')
        read_xml(body, out);
}

int64_t aws_error_box_usage(struct jobq_str text)
{
    enum { PLACES = 10, WHOLE_MAX = 6 };
    int64_t value = 0, places = -1, whole = 0;
    for (int64_t i = 0; i < text.len && places < PLACES; i++) {
        char c = text.ptr[i];
        if (c == '.' && places < 0) {
            places = 0;
            continue;
        }
        if (c < '0' || c > '9' || (places < 0 && ++whole > WHOLE_MAX))
            return 0;
        value = value * 10 + (c - '0');
        places += places >= 0;
    }
    for (int64_t p = places < 0 ? 0 : places; p < PLACES; p++)
        value *= 10;
    return value;
}
