#include "played.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void played_set_up(struct played *r, const char *options)
{
    char copy[400], *save;
    *r = (struct played){.code = JOBQ_OK};
    scenario_init(&r->scenario);
    snprintf(copy, sizeof copy, "%s", options);
    for (char *word = strtok_r(copy, " ", &save); word;
         word = strtok_r(NULL, " ", &save)) {
        char *value = strchr(word, '=');
        *value++ = '\0';
        if (scenario_set(&r->scenario, word, value, &r->err) != JOBQ_OK)
            fail_msg("%s", r->err.text);
    }
    if (scenario_finish(&r->scenario, &r->err) != JOBQ_OK)
        fail_msg("%s", r->err.text);
    r->params = run_params(&r->scenario, &r->err);
    if (!r->params)
        r->code = r->err.code;
    r->replication = replication_new();
    replication_result_init(&r->result);
}

void played_play(struct played *r, const struct replication_hooks *hooks)
{
    r->options.hooks = hooks;
    if (r->scenario.autoscale)
        run_autoscaled(&r->scenario, NULL, &r->options);
    r->options.box_hour_usd = r->box_hour_usd;
    if (r->code == JOBQ_OK)
        r->code = replication_play(r->replication, &r->scenario, r->params, &r->options,
                                   &r->result, &r->err);
}

void played_end(struct played *r)
{
    replication_result_release(&r->result);
    replication_free(r->replication);
    free(r->params);
    scenario_release(&r->scenario);
}

struct played played(const char *options)
{
    struct played r;
    played_set_up(&r, options);
    played_play(&r, NULL);
    return r;
}
