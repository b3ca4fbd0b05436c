/* sqs_bodies.h - SQS's JSON bodies, both ways.
 *
 * Room:     src/wire, a tool.
 * Callers:  live/, tests.
 * Knows nothing of: sockets, signatures, the product's messages.
 *
 * AWS JSON protocol 1.0 of SQS (2023-11-09). Requests are written in a fixed layout whose
 * length wire/http/wire_bytes.h computes; replies are read by jansson, which refuses nesting past 2,048
 * and invalid UTF-8. Writers append to out. */
#ifndef JOBQ_WIRE_SQS_SQS_BODIES_H
#define JOBQ_WIRE_SQS_SQS_BODIES_H

#include "base/text.h"
#include "jobq/ports.h"
#include "wire/sign/digest.h"

struct arena;

/* True if SQS accepts it as a message body: UTF-8 of the characters that XML 1.0
 * allows. */
bool sqs_wire_body_ok(struct jobq_str body);

/* dead_arn: NULL, or the dead-letter queue's (used if options->max_receive_count > 0).
 * Retention 0: the service's default. */
void sqs_wire_create(struct text *out, const char *name,
                     const struct jobq_queue_options *options, const char *dead_arn);
void sqs_wire_set_options(struct text *out, struct jobq_str url,
                          const struct jobq_queue_options *options, const char *dead_arn);
void sqs_wire_get_url(struct text *out, const char *name);
void sqs_wire_depth(struct text *out, struct jobq_str url);
void sqs_wire_purge(struct text *out, struct jobq_str url);
/* One entry writes SendMessage's body, more SendMessageBatch's, with the ids "0".."9";
 * likewise for the two below. */
void sqs_wire_send(struct text *out, struct jobq_str url, const struct jobq_outgoing *in,
                   int count);
void sqs_wire_receive(struct text *out, struct jobq_str url,
                      const struct jobq_receive *options);
void sqs_wire_remove(struct text *out, struct jobq_str url,
                     const struct jobq_str *receipt, int count);
void sqs_wire_set_visibility(struct text *out, struct jobq_str url,
                             const struct jobq_visibility_change *change, int count);

/* Readers return CORRUPT for a malformed reply. */
int sqs_wire_read_url(struct jobq_str reply, struct arena *arena,
                      struct jobq_str *out_url, struct jobq_error *err);
int sqs_wire_read_depth(struct jobq_str reply, struct jobq_queue_depth *out,
                        struct jobq_error *err);
/* Reads the reply of a single send: its MD5 of the body must match ours. */
int sqs_wire_read_send(struct jobq_str reply, struct digest *digest,
                       const struct jobq_outgoing *in, struct jobq_error *err);
/* Reads the reply of a batch: each entry must appear once, as successful or failed. For
 * sends pass `in`, to check each body's MD5; else NULL. */
int sqs_wire_read_batch(struct jobq_str reply, struct digest *digest,
                        const struct jobq_outgoing *in, int count,
                        struct jobq_entry_result *result, struct jobq_error *err);
/* What a failed entry, or a failed single call in its place, means: as aws_error_code,
 * with NOT_FOUND for a receipt that no longer owns its message and LIMIT for the 12
 * hours. */
int sqs_wire_entry_code(struct jobq_str code, struct jobq_str message);
/* Writes "CODE: MESSAGE" into out->text, cut to fit. */
void sqs_wire_entry_text(struct jobq_str code, struct jobq_str message,
                         struct jobq_entry_result *out);
/* 0..max messages, bodies checked against MD5OfBody. */
int sqs_wire_read_receive(struct jobq_str reply, struct digest *digest, int max,
                          struct arena *arena, struct jobq_message *out,
                          struct jobq_error *err);

/* "https://host/123456789012/name" -> "arn:aws:sqs:REGION:123456789012:name". False if
 * the URL does not end so. */
bool sqs_wire_arn(struct jobq_str url, struct jobq_str region, struct text *out);

#endif
