/* fuzz_replies.c - any bytes as a reply of SQS, SimpleDB or EC2, as an AWS configuration file,
 * as a batch file's line or as a command's output: read or refused, and what is read is whole.
 *
 * The first byte says which reader gets the rest. */
#include "cost_driver.h"

#include "base/arena.h"
#include "live/work/batchline.h"
#include "live/work/command.h"
#include "wire/http/aws_error.h"
#include "wire/text/awsconfig.h"
#include "wire/text/awstime.h"
#include "wire/ec2/ec2_calls.h"
#include "wire/text/query.h"
#include "wire/simpledb/simpledb_calls.h"
#include "wire/sqs/sqs_bodies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const fuzz_seeds[] = {
    "a{\"QueueUrl\":\"https://sqs.us-east-1.amazonaws.com/123456789012/q\"}",
    "b{\"Attributes\":{\"ApproximateNumberOfMessages\":\"3\",\"VisibilityTimeout\":"
    "\"30\","
    "\"RedrivePolicy\":\"{\\\"deadLetterTargetArn\\\":\\\"a\\\",\\\"maxReceiveCount\\\":"
    "\\\"5\\\"}"
    "\"}}",
    "c{\"Successful\":[{\"Id\":\"0\",\"MessageId\":\"m\"}],\"Failed\":[{\"Id\":\"1\","
    "\"Code\":"
    "\"ReceiptHandleIsInvalid\",\"Message\":\"x\",\"SenderFault\":true}]}",
    "d{\"Messages\":[{\"MessageId\":\"m\",\"ReceiptHandle\":\"r\",\"MD5OfBody\":"
    "\"5d41402abc4b2a76b9719d911017c592\",\"Body\":\"hello\",\"Attributes\":{"
    "\"SentTimestamp\":\"1795492800000\",\"ApproximateReceiveCount\":\"1\"}}]}",
    "e<?xml version=\"1.0\"?><GetAttributesResponse xmlns=\"http://sdb.amazonaws.com/doc/"
    "2009-04-15/\"><GetAttributesResult><Attribute><Name>a</Name><Value>1</Value></"
    "Attribute>"
    "<Attribute><Name encoding=\"base64\">Yg==</Name><Value "
    "encoding=\"base64\">AAE=</Value>"
    "</Attribute></GetAttributesResult><ResponseMetadata><RequestId>r</"
    "RequestId><BoxUsage>"
    "0.0000093222</BoxUsage></ResponseMetadata></GetAttributesResponse>",
    "f<SelectResponse><SelectResult><Item><Name>i</Name><Attribute><Name>a</Name><Value>1"
    "</Value></Attribute></Item><NextToken>t</NextToken></SelectResult><ResponseMetadata>"
    "<BoxUsage>0.1</BoxUsage></ResponseMetadata></SelectResponse>",
    "g<DescribeInstancesResponse><reservationSet><item><instancesSet><item><instanceId>i-"
    "1"
    "</instanceId><instanceState><name>running</name></instanceState><launchTime>"
    "2026-11-24T00:00:00.000Z</launchTime><tagSet><item><key>k</key><value>v</value></"
    "item>"
    "</tagSet></item></instancesSet></item></reservationSet></DescribeInstancesResponse>",
    "h<Response><Errors><Error><Code>NoSuchDomain</Code><Message>m</Message><BoxUsage>"
    "0.0000219907</BoxUsage></Error></Errors><RequestID>r</RequestID></Response>",
    "i[default]\naws_access_key_id = AKIA # c\nservices = s\n[services s]\nsqs =\n  "
    "endpoint_url = http://x\n",
    "jkind=exec a='b c' d=\"e \\\" f\" g\\ h=1",
    "j{\"kind\":\"sleep\",\"seconds\":1.5,\"x\":true}",
    "kprogress 5%\nhello\nprogress 100%\n",
    "lAction=x%20y&z=%C3%A4+b",
    "m2026-11-24T03:45:00.5Z",
    NULL};

static void fail(const char *what)
{
    fprintf(stderr, "fuzz_replies: %s\n", what);
    abort();
}

static void whole(struct jobq_str s)
{
    if (s.len < 0 || (s.len > 0 && !s.ptr))
        fail("a string that is none");
    for (int64_t i = 0; i < s.len; i++)
        ((volatile const char *)s.ptr)[i];
}

static void try_sqs(char which, struct jobq_str in, struct arena *arena)
{
    struct jobq_error err;
    struct digest digest;
    digest_init(&digest);
    if (which == 'a') {
        struct jobq_str url;
        struct text arn = {0};
        if (sqs_wire_read_url(in, arena, &url, &err) == JOBQ_OK)
            sqs_wire_arn(url, STR("us-east-1"), &arn);
        text_release(&arn);
    } else if (which == 'b') {
        struct jobq_queue_depth depth;
        if (sqs_wire_read_depth(in, &depth, &err) == JOBQ_OK && depth.visibility_ns < 0)
            fail("a negative visibility");
    } else if (which == 'c') {
        struct jobq_entry_result result[3];
        sqs_wire_read_batch(in, &digest, NULL, 2, result, &err);
    } else {
        struct jobq_message m[10];
        int got = sqs_wire_read_receive(in, &digest, 10, arena, m, &err);
        for (int i = 0; i < got; i++) {
            whole(m[i].id);
            whole(m[i].receipt);
            whole(m[i].body);
        }
    }
    digest_release(&digest);
}

static void try_xml(char which, struct jobq_str in, struct arena *arena)
{
    struct jobq_error err;
    struct jobq_item item[8];
    struct jobq_box box[4];
    struct jobq_str token;
    struct aws_error e;
    int64_t usage;
    if (which == 'e' &&
        sdb_wire_read_get(in, STR("i"), arena, item, &usage, &err) == JOBQ_OK)
        for (int i = 0; i < item[0].attr_count; i++) {
            whole(item[0].attr[i].name);
            whole(item[0].attr[i].value);
        }
    if (which == 'f') {
        int got = sdb_wire_read_select(in, arena, item, 8, &token, &usage, &err);
        for (int i = 0; i < got; i++)
            whole(item[i].name);
        struct jobq_str name[4];
        struct sdb_stats stats;
        sdb_wire_read_list(in, arena, name, 4, &token, &usage, &err);
        sdb_wire_read_stats(in, &stats, &usage, &err);
    }
    if (which == 'g') {
        int got = ec2_wire_read_describe(in, arena, box, 4, &token, &err);
        for (int i = 0; i < got; i++)
            whole(box[i].id);
    }
    if (which == 'h') {
        aws_error_read(in, &e);
        if (e.box_usage_e10h < 0 || aws_error_code(e.code, 400) >= 0)
            fail("an error that is none");
    }
}

static int on_key(void *ctx, struct jobq_str section, struct jobq_str key,
                  struct jobq_str value, struct jobq_error *err)
{
    (void)ctx;
    (void)err;
    whole(section);
    whole(key);
    whole(value);
    return JOBQ_OK;
}

static void try_text(char which, struct jobq_str in, struct arena *arena)
{
    struct jobq_error err;
    struct job_pair pair[8];
    struct text out = {0}, back = {0};
    int64_t wall;
    if (which == 'i')
        awsconfig_read(in, "f", on_key, NULL, &err);
    if (which == 'j') {
        int got = batchline_read(in, arena, pair, 8, &err);
        for (int i = 0; i < got; i++) {
            whole(pair[i].name);
            whole(pair[i].value);
        }
    }
    if (which == 'k') {
        struct command_lines lines = {0};
        int percent = command_lines_feed(&lines, in.ptr, (size_t)in.len);
        if (percent < -1 || percent > 100)
            fail("progress past 100");
    }
    if (which == 'l') {
        query_encode(&out, in);
        if (!query_decode(&back, text_str(&out)) ||
            (in.len && !str_eq(text_str(&back), in)))
            fail("what was encoded is not what is decoded");
        text_clear(&back);
        query_decode(&back, in);
    }
    if (which == 'm') {
        awstime_parse_iso(in, &wall);
        awstime_parse_http(in, &wall);
    }
    text_release(&out);
    text_release(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    if (size < 1)
        return 0;
    /* A copy of its own, so that a read past its end is seen. */
    char *copy = xmalloc(size);
    memcpy(copy, data + 1, size - 1);
    struct jobq_str in = {copy, (int64_t)size - 1};
    arena_init(&arena, 0);
    char which = (char)('a' + (data[0] - 'a' + 26) % 13);
    if (which <= 'd')
        try_sqs(which, in, &arena);
    else if (which <= 'h')
        try_xml(which, in, &arena);
    else
        try_text(which, in, &arena);
    arena_release(&arena);
    free(copy);
    return 0;
}
