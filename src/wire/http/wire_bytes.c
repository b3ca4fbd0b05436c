#include "wire/http/wire_bytes.h"

#include "jobq/units.h"
#include <assert.h>
#include <string.h>

#define LEN(literal) ((int64_t)sizeof(literal) - 1)
#define AGENT LEN("User-Agent: jobq/" JOBQ_VERSION "\r\n")
#define LINE LEN("POST  HTTP/1.1\r\nHost: \r\nContent-Length: \r\n\r\n")
#define JSON_TYPE LEN("Content-Type: application/x-amz-json-1.0\r\n")
#define FORM_TYPE                                                                        \
    LEN("Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n")
#define TOKEN_LINE LEN("X-Amz-Security-Token: \r\n")

/* Date, scope (without region and access key) and signature of a SigV4 request. Of a
 * service whose name has three letters. */
#define SIGV4                                                                            \
    (LEN("X-Amz-Date: 20261124T034500Z\r\n") +                                           \
     LEN("Authorization: AWS4-HMAC-SHA256 Credential=/20261124//sqs/aws4_request, "      \
         "SignedHeaders=content-type;host;x-amz-date, Signature=\r\n") +                 \
     64)

/* A Query parameter: key, '=', value; its '&' is counted by query_out. */
#define PARAM(key) (LEN(key "="))

static __attribute__((noinline)) int64_t digits_of_many(int64_t value)
{
    int64_t digits = 1;
    for (; value >= 10; value /= 10)
        digits++;
    return digits;
}

int64_t size_digits(int64_t value)
{
    assert(value >= 0);
    if (value >= 10000) /* most lengths and indexes are below 100 */
        return digits_of_many(value);
    return 1 + (value >= 10) + (value >= 100) + (value >= 1000);
}

/* Nearly always 1 or 2: lists are short. */
static inline int64_t index_digits_of(int64_t index)
{
    return index < 10 ? 1 : index < 100 ? 2 : digits_of_many(index);
}

/* Total digits of 0, 1, ..., count - 1 (ids of a batch); count <= 10. */
static int64_t id_digits(int count)
{
    return count;
}

static int64_t size_seconds_up(int64_t ns)
{
    return (ns + JOBQ_NS_PER_S - 1) / JOBQ_NS_PER_S;
}

void size_client_init(struct size_client *c, const char *region, int64_t token_bytes)
{
    assert(c && region && token_bytes >= 0);
    int64_t r = (int64_t)strlen(region);
    bool first =
        strcmp(region, "us-east-1") == 0; /* SimpleDB's oldest endpoint has none */
    *c = (struct size_client){
        .sqs_host = LEN("sqs..amazonaws.com") + r,
        .sdb_host = first ? LEN("sdb.amazonaws.com") : LEN("sdb..amazonaws.com") + r,
        .ec2_host = LEN("ec2..amazonaws.com") + r,
        .ddb_host = LEN("dynamodb..amazonaws.com") + r,
        .sqs_path = 1,
        .sdb_path = 1,
        .ec2_path = 1,
        .ddb_path = 1,
        .region = r,
        .url = LEN("https://sqs..amazonaws.com//") + r + SIZE_ACCOUNT,
        .access_key = SIZE_ACCESS_KEY,
        .token = token_bytes,
        .token_encoded = token_bytes + token_bytes / 16,
        .receipt = SIZE_RECEIPT};
    size_client_update(c);
}

void size_client_update(struct size_client *c)
{
    int64_t v4_token =
        c->token ? c->token + TOKEN_LINE + LEN(";x-amz-security-token") : 0;
    int64_t v4 = SIGV4 + c->access_key + c->region + v4_token;
    c->sqs_out = LINE + c->sqs_path + c->sqs_host + AGENT + JSON_TYPE + v4 +
                 LEN("X-Amz-Target: AmazonSQS.\r\n") + LEN(";x-amz-target");
    c->ddb_out = LINE + c->ddb_path + c->ddb_host + AGENT + JSON_TYPE + v4 +
                 LEN("dynamodb") - LEN("sqs") +
                 LEN("X-Amz-Target: DynamoDB_20120810.\r\n") + LEN(";x-amz-target");
    c->ec2_out = LINE + c->ec2_path + c->ec2_host + AGENT + FORM_TYPE + v4;
    c->sdb_out = LINE + c->sdb_path + c->sdb_host + AGENT + FORM_TYPE;
    c->sqs_in =
        LEN(SIZE_SQS_REPLY_HEAD) - LEN("%s%s%s") + SIZE_REQUEST_ID + SIZE_HTTP_DATE;
    c->ddb_in =
        LEN(SIZE_DDB_REPLY_HEAD) - LEN("%s%s%s") + SIZE_REQUEST_ID + SIZE_HTTP_DATE;
    c->sdb_in = LEN(SIZE_SDB_REPLY_HEAD) - LEN("%s%s") + SIZE_HTTP_DATE;
    c->ec2_in =
        LEN(SIZE_EC2_REPLY_HEAD) - LEN("%s%s%s") + SIZE_REQUEST_ID + SIZE_HTTP_DATE;
    c->sdb_body = PARAM("Version") + LEN("2009-04-15") + PARAM("AWSAccessKeyId") +
                  c->access_key + PARAM("SignatureMethod") + LEN("HmacSHA256") +
                  PARAM("SignatureVersion") + 1 + PARAM("Timestamp") +
                  LEN("2026-11-24T03%3A45%3A00Z") + PARAM("Signature") +
                  SIZE_SIGV2_SIGNATURE + LEN("&&&&&&");
    if (c->token)
        c->sdb_body += LEN("&") + PARAM("SecurityToken") + c->token_encoded;
}

/* ---- SQS ---- */

static struct size_call size_sqs(const struct size_client *c, int64_t action,
                                 int64_t body, int64_t reply)
{
    return (struct size_call){c->sqs_out + action + size_digits(body) + body,
                              c->sqs_in + size_digits(reply) + reply};
}

static int64_t size_url(const struct size_client *c, int64_t name)
{
    return LEN("{\"QueueUrl\":\"\"}") + c->url + name;
}

/* What surrounds the entries of a batch: "Entries":[{..},{..}] after the URL. */
static int64_t entries_around(int entries)
{
    return LEN(",\"Entries\":[]") + entries * LEN("{\"Id\":\"\",},") - 1 +
           id_digits(entries);
}

static int64_t batch_reply(int entries)
{
    return LEN("{\"Successful\":[]}") + entries * LEN("{\"Id\":\"\"},") - 1 +
           id_digits(entries);
}

struct size_call size_send(const struct size_client *c, int64_t name, int entries,
                           int64_t body, int delayed, int64_t delay_digits)
{
    assert(entries >= 1 && entries <= JOBQ_BATCH_MAX && delayed <= entries);
    int64_t bodies = entries * LEN("\"MessageBody\":\"\"") + body +
                     delayed * LEN(",\"DelaySeconds\":") + delay_digits;
    int64_t sent = LEN(",\"MessageId\":\"\",\"MD5OfMessageBody\":\"\"") + 36 + 32;
    if (entries == 1)
        return size_sqs(c, LEN("SendMessage"), size_url(c, name) + 1 + bodies,
                        LEN("{}") + sent - 1);
    return size_sqs(c, LEN("SendMessageBatch"),
                    size_url(c, name) + entries_around(entries) + bodies,
                    batch_reply(entries) + entries * sent);
}

struct size_call size_receive(const struct size_client *c, int64_t name, int max,
                              int64_t wait_s, int64_t visibility_s, int got, int64_t body,
                              int64_t count_digits)
{
    assert(max >= 1 && max <= JOBQ_BATCH_MAX && got >= 0 && got <= max);
    int64_t ask = size_url(c, name) + LEN(",\"MaxNumberOfMessages\":") +
                  size_digits(max) + LEN(",\"WaitTimeSeconds\":") + size_digits(wait_s) +
                  LEN(",\"AttributeNames\":[\"ApproximateReceiveCount\","
                      "\"SentTimestamp\"]");
    if (visibility_s >= 0)
        ask += LEN(",\"VisibilityTimeout\":") + size_digits(visibility_s);
    int64_t each = LEN("{\"MessageId\":\"\",\"ReceiptHandle\":\"\",\"MD5OfBody\":\"\","
                       "\"Body\":\"\",\"Attributes\":{\"SentTimestamp\":\"\","
                       "\"ApproximateReceiveCount\":\"\"}},") +
                   36 + c->receipt + 32 + 13;
    int64_t reply =
        got ? LEN("{\"Messages\":[]}") + got * each - 1 + body + count_digits : LEN("{}");
    return size_sqs(c, LEN("ReceiveMessage"), ask, reply);
}

struct size_call size_remove(const struct size_client *c, int64_t name, int entries)
{
    assert(entries >= 1 && entries <= JOBQ_BATCH_MAX);
    int64_t each = LEN("\"ReceiptHandle\":\"\"") + c->receipt;
    if (entries == 1)
        return size_sqs(c, LEN("DeleteMessage"), size_url(c, name) + 1 + each, 0);
    return size_sqs(c, LEN("DeleteMessageBatch"),
                    size_url(c, name) + entries_around(entries) + entries * each,
                    batch_reply(entries));
}

struct size_call size_set_visibility(const struct size_client *c, int64_t name,
                                     int entries, int64_t visibility_digits)
{
    assert(entries >= 1 && entries <= JOBQ_BATCH_MAX);
    int64_t all =
        entries * (LEN("\"ReceiptHandle\":\"\",\"VisibilityTimeout\":") + c->receipt) +
        visibility_digits;
    if (entries == 1)
        return size_sqs(c, LEN("ChangeMessageVisibility"), size_url(c, name) + 1 + all,
                        0);
    return size_sqs(c, LEN("ChangeMessageVisibilityBatch"),
                    size_url(c, name) + entries_around(entries) + all,
                    batch_reply(entries));
}

/* {"deadLetterTargetArn":"ARN","maxReceiveCount":"N"} with its quotes escaped. */
static int64_t size_redrive(const struct size_client *c, int64_t count, int64_t dead_name)
{
    return LEN("{\\\"deadLetterTargetArn\\\":\\\"arn:aws:sqs:::\\\","
               "\\\"maxReceiveCount\\\":\\\"\\\"}") +
           c->region + SIZE_ACCOUNT + dead_name + size_digits(count);
}

static int64_t size_attributes(const struct size_client *c,
                               const struct jobq_queue_options *o, int64_t dead_name)
{
    int64_t bytes =
        LEN(",\"Attributes\":{\"VisibilityTimeout\":\"\",\"DelaySeconds\":\"\","
            "\"ReceiveMessageWaitTimeSeconds\":\"\"}") +
        size_digits(size_seconds_up(o->visibility_ns)) +
        size_digits(size_seconds_up(o->delay_ns)) +
        size_digits(size_seconds_up(o->receive_wait_ns));
    if (o->retention_ns > 0)
        bytes += LEN(",\"MessageRetentionPeriod\":\"\"") +
                 size_digits(size_seconds_up(o->retention_ns));
    if (o->max_receive_count > 0)
        bytes += LEN(",\"RedrivePolicy\":\"\"") +
                 size_redrive(c, o->max_receive_count, dead_name);
    return bytes;
}

struct size_call size_create_queue(const struct size_client *c, int64_t name,
                                   const struct jobq_queue_options *options,
                                   int64_t dead_name)
{
    return size_sqs(c, LEN("CreateQueue"),
                    LEN("{\"QueueName\":\"\"}") + name +
                        size_attributes(c, options, dead_name),
                    size_url(c, name));
}

struct size_call size_set_options(const struct size_client *c, int64_t name,
                                  const struct jobq_queue_options *options,
                                  int64_t dead_name)
{
    return size_sqs(c, LEN("SetQueueAttributes"),
                    size_url(c, name) + size_attributes(c, options, dead_name), 0);
}

struct size_call size_open_queue(const struct size_client *c, int64_t name)
{
    return size_sqs(c, LEN("GetQueueUrl"), LEN("{\"QueueName\":\"\"}") + name,
                    size_url(c, name));
}

struct size_call size_depth(const struct size_client *c, int64_t name,
                            const struct jobq_queue_depth *depth, int64_t dead_name)
{
    int64_t ask = size_url(c, name) +
                  LEN(",\"AttributeNames\":[\"ApproximateNumberOfMessages\","
                      "\"ApproximateNumberOfMessagesNotVisible\","
                      "\"ApproximateNumberOfMessagesDelayed\",\"VisibilityTimeout\","
                      "\"MessageRetentionPeriod\",\"RedrivePolicy\"]");
    int64_t reply = LEN("{\"Attributes\":{\"ApproximateNumberOfMessages\":\"\","
                        "\"ApproximateNumberOfMessagesNotVisible\":\"\","
                        "\"ApproximateNumberOfMessagesDelayed\":\"\","
                        "\"VisibilityTimeout\":\"\",\"MessageRetentionPeriod\":\"\"}}") +
                    size_digits(depth->visible) + size_digits(depth->in_flight) +
                    size_digits(depth->delayed) +
                    size_digits(depth->visibility_ns / JOBQ_NS_PER_S) +
                    size_digits(depth->retention_ns / JOBQ_NS_PER_S);
    if (depth->max_receive_count > 0)
        reply += LEN(",\"RedrivePolicy\":\"\"") +
                 size_redrive(c, depth->max_receive_count, dead_name);
    return size_sqs(c, LEN("GetQueueAttributes"), ask, reply);
}

struct size_call size_purge(const struct size_client *c, int64_t name)
{
    return size_sqs(c, LEN("PurgeQueue"), size_url(c, name), 0);
}

/* ---- SimpleDB ---- */

void size_item(struct size_attrs *a, int64_t item)
{
    a->item++;
    a->attr = 0;
    a->params++;
    a->bytes += LEN("Item..ItemName=") + index_digits_of(a->item) + item;
}

/* Bytes of "Attribute.I." or "Item.N.Attribute.I.". */
static inline int64_t attr_key(const struct size_attrs *a, int index)
{
    return (a->item ? LEN("Item..") + index_digits_of(a->item) : 0) + LEN("Attribute..") +
           index_digits_of(index);
}

/* The parameters of `count` attributes, `replaced` of them with Replace, without names
 * and values. All keys have the same length. */
static inline void attr_keys(struct size_attrs *a, int64_t key, int count, int replaced)
{
    a->params += 2 * count + replaced;
    a->bytes +=
        count * (2 * key + LEN("Name=Value=")) + replaced * (key + LEN("Replace=true"));
}

void size_attr(struct size_attrs *a, int64_t name, int64_t value, bool replace)
{
    attr_keys(a, attr_key(a, ++a->attr), 1, replace);
    a->bytes += name + value;
}

static inline __attribute__((always_inline)) void
attr_list(struct size_attrs *a, const struct jobq_attr *attr, int count)
{
    int replaced = 0;
    if (a->attr + count >= 10) { /* not all indexes have one digit */
        for (int i = 0; i < count; i++)
            size_attr(a, 0, 0, attr[i].replace);
        return;
    }
    for (int i = 0; i < count; i++)
        replaced += attr[i].replace;
    a->attr += count;
    attr_keys(a, attr_key(a, 1), count, replaced);
}

void size_attr_list(struct size_attrs *a, const struct jobq_attr *attr, int count)
{
    attr_list(a, attr, count);
}

/* params: the action's own parameters, including Action and Version. */
static inline struct size_call size_sdb(const struct size_client *c, int64_t action,
                                        int64_t params, int64_t bytes, int64_t result)
{
    int64_t body = PARAM("Action") + action + c->sdb_body + bytes + params;
    int64_t reply = LEN("<?xml version=\"1.0\"?>\n<Response "
                        "xmlns=\"http://sdb.amazonaws.com/doc/2009-04-15/\">"
                        "<ResponseMetadata><RequestId></RequestId><BoxUsage>0.0000219907"
                        "</BoxUsage></ResponseMetadata></Response>") +
                    2 * action + SIZE_REQUEST_ID + result;
    return (struct size_call){c->sdb_out + size_digits(body) + body,
                              c->sdb_in + size_digits(reply) + reply};
}

/* A write of one item: its own parameters and those of its condition. */
static inline struct size_call size_write_item(const struct size_client *c,
                                               int64_t action, int64_t params,
                                               int64_t bytes, int64_t expect_name,
                                               int64_t expect_value)
{
    bytes += PARAM("DomainName") + PARAM("ItemName");
    if (expect_name >= 0) {
        params += 2;
        bytes += PARAM("Expected.Name") + expect_name +
                 (expect_value < 0 ? LEN("Expected.Exists=false")
                                   : PARAM("Expected.Value") + expect_value);
    }
    return size_sdb(c, action, params + 2, bytes, 0);
}

struct size_call size_put(const struct size_client *c, int64_t domain, int64_t item,
                          const struct size_attrs *attrs, int64_t expect_name,
                          int64_t expect_value)
{
    return size_write_item(c, LEN("PutAttributes"), attrs->params,
                           attrs->bytes + domain + item, expect_name, expect_value);
}

struct size_call size_put_item(const struct size_client *c, int64_t domain,
                               int64_t strings, const struct jobq_item *item,
                               const struct jobq_expect *expect)
{
    struct size_attrs attrs = {.bytes = strings + domain};
    attr_list(&attrs, item->attr, item->attr_count);
    return size_write_item(c, LEN("PutAttributes"), attrs.params, attrs.bytes,
                           expect ? 0 : -1, expect && expect->exists ? 0 : -1);
}

struct size_call size_put_batch(const struct size_client *c, int64_t domain,
                                const struct size_attrs *attrs)
{
    return size_sdb(c, LEN("BatchPutAttributes"), attrs->params + 1,
                    attrs->bytes + PARAM("DomainName") + domain, 0);
}

/* "<Attribute><Name>n</Name><Value>v</Value></Attribute>" around names and values. */
static int64_t attributes_in(int64_t got, int64_t got_bytes)
{
    return got * LEN("<Attribute><Name></Name><Value></Value></Attribute>") + got_bytes;
}

/* Total digits of 1, 2, ..., count, for indexes of lists. */
static int64_t index_digits(int64_t count)
{
    int64_t sum = 0;
    for (int64_t from = 1; from <= count; from *= 10)
        sum += count - from + 1;
    return sum;
}

struct size_call size_get(const struct size_client *c, int64_t domain, int64_t item,
                          int names, int64_t name_bytes, bool consistent, int got,
                          int64_t got_bytes)
{
    int64_t bytes = PARAM("DomainName") + domain + PARAM("ItemName") + item +
                    names * PARAM("AttributeName.") + index_digits(names) + name_bytes +
                    (consistent ? LEN("ConsistentRead=true") : 0);
    return size_sdb(c, LEN("GetAttributes"), 2 + names + consistent, bytes,
                    LEN("<GetAttributesResult></GetAttributesResult>") +
                        attributes_in(got, got_bytes));
}

struct size_call size_delete_item(const struct size_client *c, int64_t domain,
                                  int64_t item, const struct size_attrs *attrs,
                                  int64_t expect_name, int64_t expect_value)
{
    return size_write_item(c, LEN("DeleteAttributes"), attrs ? attrs->params : 0,
                           (attrs ? attrs->bytes : 0) + domain + item, expect_name,
                           expect_value);
}

struct size_call size_select(const struct size_client *c, int64_t expression,
                             bool consistent, int64_t token, int got_items, int got,
                             int64_t got_bytes, int64_t next_token)
{
    assert(got_items >= 0 && got >= 0);
    int64_t bytes = PARAM("SelectExpression") + expression +
                    (consistent ? LEN("ConsistentRead=true") : 0) +
                    (token ? PARAM("NextToken") + token : 0);
    int64_t result = LEN("<SelectResult></SelectResult>") +
                     got_items * LEN("<Item><Name></Name></Item>") +
                     attributes_in(got, got_bytes) +
                     (next_token ? LEN("<NextToken></NextToken>") + next_token : 0);
    return size_sdb(c, LEN("Select"), 1 + consistent + (token > 0), bytes, result);
}

struct size_call size_create_domain(const struct size_client *c, int64_t domain)
{
    return size_sdb(c, LEN("CreateDomain"), 1, PARAM("DomainName") + domain, 0);
}

struct size_call size_delete_domain(const struct size_client *c, int64_t domain)
{
    return size_sdb(c, LEN("DeleteDomain"), 1, PARAM("DomainName") + domain, 0);
}

struct size_call size_domain_stats(const struct size_client *c, int64_t domain)
{
    /* Six numbers of about eight digits and a timestamp of ten. */
    return size_sdb(
        c, LEN("DomainMetadata"), 1, PARAM("DomainName") + domain,
        LEN("<DomainMetadataResult><ItemCount></ItemCount><ItemNamesSizeBytes>"
            "</ItemNamesSizeBytes><AttributeNameCount></AttributeNameCount>"
            "<AttributeNamesSizeBytes></AttributeNamesSizeBytes>"
            "<AttributeValueCount></AttributeValueCount><AttributeValuesSizeBytes>"
            "</AttributeValuesSizeBytes><Timestamp></Timestamp>"
            "</DomainMetadataResult>") +
            6 * 8 + 10);
}

struct size_call size_list_domains(const struct size_client *c, int64_t token, int cap,
                                   int got, int64_t got_bytes, int64_t next_token)
{
    assert(cap >= 1 && cap <= 100 && got >= 0 && got <= cap);
    int64_t bytes = PARAM("MaxNumberOfDomains") + size_digits(cap) +
                    (token ? PARAM("NextToken") + token : 0);
    return size_sdb(c, LEN("ListDomains"), 1 + (token > 0), bytes,
                    LEN("<ListDomainsResult></ListDomainsResult>") +
                        got * LEN("<DomainName></DomainName>") + got_bytes +
                        (next_token ? LEN("<NextToken></NextToken>") + next_token : 0));
}

/* ---- DynamoDB ---- */

struct size_call size_ddb(const struct size_client *c, int64_t action, int64_t body,
                          int64_t reply)
{
    return (struct size_call){c->ddb_out + action + size_digits(body) + body,
                              c->ddb_in + size_digits(reply) + reply};
}

/* ---- EC2 ---- */

enum { EC2_REPLY_AROUND = 300, EC2_REPLY_INSTANCE = 1600, EC2_REPLY_CHANGE = 230 };

static struct size_call size_ec2(const struct size_client *c, int64_t action,
                                 int64_t params, int64_t bytes, int64_t reply)
{
    int64_t body = PARAM("Action") + action + LEN("&") + PARAM("Version") +
                   LEN("2016-11-15") + params + bytes;
    return (struct size_call){c->ec2_out + size_digits(body) + body,
                              c->ec2_in + size_digits(reply) + reply};
}

struct size_call size_launch(const struct size_client *c, int64_t type, int64_t image,
                             int64_t user_data, int tags, int64_t tag_bytes, int count,
                             bool spot, int64_t client_token)
{
    assert(count > 0 && tags >= 0);
    int64_t params = 7;
    int64_t bytes = PARAM("ImageId") + image + PARAM("InstanceType") + type +
                    PARAM("MinCount") + PARAM("MaxCount") + 2 * size_digits(count) +
                    LEN("InstanceInitiatedShutdownBehavior=terminate"
                        "MetadataOptions.HttpTokens=required"
                        "MetadataOptions.InstanceMetadataTags=enabled");
    if (user_data) {
        int64_t base64 = 4 * ((user_data + 2) / 3);
        params++;
        bytes += PARAM("UserData") + base64 + base64 / 16;
    }
    if (tags) {
        params += 1 + 2 * tags;
        bytes += LEN("TagSpecification.1.ResourceType=instance") +
                 tags * 2 * LEN("TagSpecification.1.Tag.") + 2 * index_digits(tags) +
                 tags * LEN(".Key=.Value=") + tag_bytes;
    }
    if (spot) {
        params += 2;
        bytes += LEN("InstanceMarketOptions.MarketType=spot"
                     "InstanceMarketOptions.SpotOptions.SpotInstanceType=one-time");
    }
    if (client_token) {
        params++;
        bytes += PARAM("ClientToken") + client_token;
    }
    return size_ec2(c, LEN("RunInstances"), params, bytes,
                    EC2_REPLY_AROUND + count * EC2_REPLY_INSTANCE);
}

struct size_call size_terminate(const struct size_client *c, int count)
{
    assert(count > 0);
    return size_ec2(c, LEN("TerminateInstances"), count,
                    count * (PARAM("InstanceId.") + LEN("i-0123456789abcdef0")) +
                        index_digits(count),
                    EC2_REPLY_AROUND + count * EC2_REPLY_CHANGE);
}

struct size_call size_describe(const struct size_client *c, int64_t tag_bytes, int got)
{
    assert(got >= 0);
    return size_ec2(c, LEN("DescribeInstances"), 8,
                    LEN("Filter.1.Name=tag%3AFilter.1.Value.1="
                        "Filter.2.Name=instance-state-nameFilter.2.Value.1=pending"
                        "Filter.2.Value.2=runningFilter.2.Value.3=shutting-down"
                        "Filter.2.Value.4=stoppingMaxResults=1000") +
                        tag_bytes,
                    EC2_REPLY_AROUND + got * EC2_REPLY_INSTANCE);
}

struct size_call size_tag(const struct size_client *c, int ids, int tags,
                          int64_t tag_bytes)
{
    assert(ids > 0 && tags > 0);
    int64_t bytes = ids * (PARAM("ResourceId.") + LEN("i-0123456789abcdef0")) +
                    index_digits(ids) + tags * LEN("Tag..Key=Tag..Value=") +
                    2 * index_digits(tags) + tag_bytes;
    return size_ec2(c, LEN("CreateTags"), ids + 2 * tags, bytes, EC2_REPLY_AROUND);
}
