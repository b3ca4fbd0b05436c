/* json.h - DynamoDB's attribute values, from and to the JSON of its protocol.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/dynamodb.
 * Knows nothing of: actions, tables. Faults are told in AWS's words. */
#ifndef JOBQ_SIM_MOCK_DYNAMODB_JSON_H
#define JOBQ_SIM_MOCK_DYNAMODB_JSON_H

#include "base/text.h"
#include "models/dynamodb/value.h"

#include <jansson.h>

/* Why a value cannot be read. */
struct json_fault {
    bool shape; /* the JSON is not of the protocol: a SerializationException */
    char text[400];
};

/* {"S":"text"}. Owner: strings stay the JSON's, the rest is in arena. */
bool json_read_value(json_t *json, struct arena *arena, struct dynamodb_value *out,
                     struct json_fault *fault);
/* {"name":{"S":"text"},...} */
bool json_read_item(json_t *json, struct arena *arena, struct dynamodb_item *out,
                    struct json_fault *fault);
void json_write_value(const struct dynamodb_value *value, struct text *out);
void json_write_item(const struct dynamodb_item *item, struct text *out);

#endif
