/* wire_bytes.h - how many bytes a port call costs on the wire, without building them.
 *
 * Room: src/wire, a tool; pure arithmetic.
 * Callers:  sim/ (fills jobq_call_cost), src/cost/ (the closed form), tests.
 * Knows nothing of: sockets, TLS and TCP overheads (not counted anywhere in jobq).
 *
 * Requests are exact: tests/unit/wire/test_wire_bytes.c holds each against request_bytes, which
 * tests/e2e holds against what libcurl sends. One thing is a mean: SigV2's base64
 * signature is itself percent-encoded, and '+' and '/' cost two bytes more each; 43
 * characters, of which 42 are uniform over 64, cost 2.6 more on average, counted as 3
 * (SIZE_SIGV2_SIGNATURE).
 *
 * Replies are what AWS is expected to send; it publishes no byte counts. Heads as below,
 * bodies in the services' documented layouts, ids of 36 characters, and a receipt handle
 * of size_client.receipt bytes (412 seen on standard queues in public logs; assumed).
 * jobqmock sends the same heads, so that a mock run and a simulated one agree.
 *
 * Byte counts of strings are of the encoded form: for JSON text_json_bytes, for a Query
 * parameter query_encoded_bytes. Of unreserved characters both equal the length. For a
 * payload that is only a length, multiply it by an expansion factor first. */
#ifndef JOBQ_WIRE_HTTP_WIRE_BYTES_H
#define JOBQ_WIRE_HTTP_WIRE_BYTES_H

#include "jobq/ports.h"

#include <stdbool.h>
#include <stdint.h>

/* Heads of replies; %s are a request id, an HTTP date, and the body's length in
 * digits. */
#define SIZE_SQS_REPLY_HEAD                                                              \
    "HTTP/1.1 200 OK\r\nx-amzn-RequestId: %s\r\nDate: %s\r\n"                            \
    "Content-Type: application/x-amz-json-1.0\r\nContent-Length: %s\r\n"                 \
    "connection: keep-alive\r\n\r\n"
#define SIZE_SDB_REPLY_HEAD                                                              \
    "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nDate: %s\r\n"                          \
    "Content-Length: %s\r\nServer: Amazon SimpleDB\r\n\r\n"
/* The checksum has ten digits, nearly always. */
#define SIZE_DDB_REPLY_HEAD                                                              \
    "HTTP/1.1 200 OK\r\nx-amzn-RequestId: %s\r\nDate: %s\r\n"                            \
    "x-amz-crc32: 1234567890\r\nContent-Type: application/x-amz-json-1.0\r\n"            \
    "Content-Length: %s\r\nconnection: keep-alive\r\n\r\n"
#define SIZE_EC2_REPLY_HEAD                                                              \
    "HTTP/1.1 200 OK\r\nx-amzn-requestid: %s\r\nCache-Control: no-cache, no-store\r\n"   \
    "Content-Type: text/xml;charset=UTF-8\r\nDate: %s\r\nContent-Length: %s\r\n"         \
    "Server: AmazonEC2\r\n\r\n"

enum {
    SIZE_REQUEST_ID = 36,
    SIZE_HTTP_DATE = 29,
    SIZE_ACCOUNT = 12,    /* digits of an account id */
    SIZE_ACCESS_KEY = 20, /* "AKIA" and 16 more */
    SIZE_RECEIPT = 412,
    SIZE_SIGV2_SIGNATURE = 49 /* percent-encoded, mean */
};

/* The client's names and endpoints: what is the same for every call. In bytes. The
 * members from sqs_out on are computed by size_client_init and size_client_update. */
struct size_client {
    int64_t sqs_host, sdb_host, ec2_host,
        ddb_host; /* ":port" included where it is sent */
    int64_t sqs_path, sdb_path, ec2_path, ddb_path; /* 1 for "/" */
    int64_t region;
    int64_t url; /* of a queue's URL, without its name */
    int64_t access_key;
    int64_t token;         /* session token; 0: none */
    int64_t token_encoded; /* the same, percent-encoded */
    int64_t receipt;
    int64_t sqs_out, sdb_out, ec2_out, ddb_out; /* fixed part of a request */
    int64_t sqs_in, sdb_in, ec2_in, ddb_in;     /* fixed part of a reply */
    int64_t sdb_body; /* what SimpleDB's version and signature put into every body */
};

/* AWS's own endpoints in region; token_bytes 0: long-lived keys, else the expected length
 * of a session token (base64: it grows by 1/16 where it is percent-encoded). */
void size_client_init(struct size_client *c, const char *region, int64_t token_bytes);
/* Call it after changing members before sqs_out. */
void size_client_update(struct size_client *c);

struct size_call {
    int64_t out; /* request line, headers, body */
    int64_t in;  /* the expected reply, status line included, if it succeeds */
};

int64_t size_digits(int64_t value); /* of a decimal >= 0 */

/* ---- SQS. name: bytes of the queue's name ---- */

/* body: encoded bytes of all bodies together. delayed entries carry DelaySeconds, whose
 * digits together are delay_digits. entries 1 is SendMessage. */
struct size_call size_send(const struct size_client *c, int64_t name, int entries,
                           int64_t body, int delayed, int64_t delay_digits);
/* visibility_s < 0: not given. got messages with `body` bytes in total; count_digits:
 * the digits of their receive counts (usually got). */
struct size_call size_receive(const struct size_client *c, int64_t name, int max,
                              int64_t wait_s, int64_t visibility_s, int got, int64_t body,
                              int64_t count_digits);
struct size_call size_remove(const struct size_client *c, int64_t name, int entries);
/* visibility_digits: of all VisibilityTimeout values together. */
struct size_call size_set_visibility(const struct size_client *c, int64_t name,
                                     int entries, int64_t visibility_digits);
/* dead_name: bytes of the dead-letter queue's name, if options->max_receive_count > 0. */
struct size_call size_create_queue(const struct size_client *c, int64_t name,
                                   const struct jobq_queue_options *options,
                                   int64_t dead_name);
struct size_call size_set_options(const struct size_client *c, int64_t name,
                                  const struct jobq_queue_options *options,
                                  int64_t dead_name);
struct size_call size_open_queue(const struct size_client *c, int64_t name);
/* depth: what the reply says (a queue without redrive: max_receive_count 0). */
struct size_call size_depth(const struct size_client *c, int64_t name,
                            const struct jobq_queue_depth *depth, int64_t dead_name);
struct size_call size_purge(const struct size_client *c, int64_t name);

/* ---- SimpleDB. domain, item, names, values: encoded bytes ---- */

/* Adds up the attributes of a write. Zero it; for a batch call size_item before the
 * attributes of each item. */
struct size_attrs {
    int64_t params, bytes; /* of the parameters so far, '&' not counted */
    int attr, item;        /* index of the last one; item 0: not a batch */
};
void size_item(struct size_attrs *a, int64_t item);
void size_attr(struct size_attrs *a, int64_t name, int64_t value, bool replace);
/* size_attr for each of them, with names and values of 0 bytes: query_encoded_put adds
 * those up for the whole row. */
void size_attr_list(struct size_attrs *a, const struct jobq_attr *attr, int count);

/* The condition: expect_name < 0: none; expect_value < 0: must be absent. */
struct size_call size_put(const struct size_client *c, int64_t domain, int64_t item,
                          const struct size_attrs *attrs, int64_t expect_name,
                          int64_t expect_value);
/* The same for a whole put; strings: all its strings but the domain's name
 * (query_encoded_put). */
struct size_call size_put_item(const struct size_client *c, int64_t domain,
                               int64_t strings, const struct jobq_item *item,
                               const struct jobq_expect *expect);
struct size_call size_put_batch(const struct size_client *c, int64_t domain,
                                const struct size_attrs *attrs);
/* got attributes of got_bytes (names and values) in the reply; names asked for: `names`
 * parameters of name_bytes in all. */
struct size_call size_get(const struct size_client *c, int64_t domain, int64_t item,
                          int names, int64_t name_bytes, bool consistent, int got,
                          int64_t got_bytes);
struct size_call size_delete_item(const struct size_client *c, int64_t domain,
                                  int64_t item, const struct size_attrs *attrs,
                                  int64_t expect_name, int64_t expect_value);
/* got_items rows with got attributes; got_bytes: of item names, names and values. token
 * and next_token: bytes of the continuation token sent and returned, 0: none. */
struct size_call size_select(const struct size_client *c, int64_t expression,
                             bool consistent, int64_t token, int got_items, int got,
                             int64_t got_bytes, int64_t next_token);
struct size_call size_create_domain(const struct size_client *c, int64_t domain);
struct size_call size_delete_domain(const struct size_client *c, int64_t domain);
struct size_call size_domain_stats(const struct size_client *c, int64_t domain);
/* token: bytes sent; got names of got_bytes come back. */
struct size_call size_list_domains(const struct size_client *c, int64_t token, int cap,
                                   int got, int64_t got_bytes, int64_t next_token);

/* ---- DynamoDB: action: bytes of its name; body, reply: of wire/dynamodb/ddb_bodies.h ---- */

struct size_call size_ddb(const struct size_client *c, int64_t action, int64_t body,
                          int64_t reply);

/* ---- EC2: requests are exact, replies an estimate (1.6 KB an instance) ---- */

/* tag_bytes: encoded keys and values of `tags` tags. user_data: its bytes before base64;
 * its percent-encoding is counted at base64's mean. client_token 0: none. */
struct size_call size_launch(const struct size_client *c, int64_t type, int64_t image,
                             int64_t user_data, int tags, int64_t tag_bytes, int count,
                             bool spot, int64_t client_token);
struct size_call size_terminate(const struct size_client *c, int count);
/* tag_bytes: encoded key and value. */
struct size_call size_describe(const struct size_client *c, int64_t tag_bytes, int got);
struct size_call size_tag(const struct size_client *c, int ids, int tags,
                          int64_t tag_bytes);

#endif
