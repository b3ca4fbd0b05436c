/* params.c - the times and limits of a model, as the closed form uses them.
 *
 * Room:     src/cost, the money.
 * Sources:  models/params/aws-2026.ini and aws-2012.ini, where each number has its own;
 *           means are taken because usage is a mean. */
#include "cost/predict/predict.h"

#include "base/text.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

int predict_params_for(const char *era, struct predict_params *out,
                       struct jobq_error *err)
{
    assert(era && out && err);
#define PARAM_NOW(field, now, then) .field = now,
#define PARAM_THEN(field, now, then) .field = then,
    static const struct predict_params now = {PREDICT_PARAMS(PARAM_NOW)};
    static const struct predict_params then = {PREDICT_PARAMS(PARAM_THEN)};
    if (strcmp(era, "aws-2026") == 0)
        *out = now;
    else if (strcmp(era, "aws-2012") == 0)
        *out = then;
    else {
        char shown[40];
        text_escape(era, (int64_t)strlen(era), shown, sizeof shown);
        return jobq_fail(err, JOBQ_NOT_FOUND,
                         "unknown model '%s', want aws-2012 or aws-2026", shown);
    }
    return JOBQ_OK;
}

static const struct {
    const char *name;
    size_t offset;
} PARAMS[] = {
#define PARAM_ROW(field, now, then) {#field, offsetof(struct predict_params, field)},
    PREDICT_PARAMS(PARAM_ROW)};

int predict_param_count(void)
{
    return (int)(sizeof PARAMS / sizeof *PARAMS);
}

const char *predict_param_name(int index)
{
    return PARAMS[index].name;
}

double predict_param_get(const struct predict_params *params, int index)
{
    double value;
    memcpy(&value, (const char *)params + PARAMS[index].offset, sizeof value);
    return value;
}

void predict_param_put(struct predict_params *params, int index, double value)
{
    memcpy((char *)params + PARAMS[index].offset, &value, sizeof value);
}

void predict_params_of(const struct predict_scenario *scenario,
                       struct predict_params *params)
{
    if (scenario->no_boot)
        params->boot_s = params->pending_s = 0;
}
