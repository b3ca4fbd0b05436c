/* params.c - the numbers of a world: one parameter set for all services.
 *
 * Room:     sim; see world.h. */
#include "sim/world/world.h"

#include "models/params/params.h"

#include <string.h>

static void compile_all(struct world_params *p)
{
    latency_compile(&p->sqs.send_latency, &p->latency[WORLD_SQS_SEND]);
    latency_compile(&p->sqs.receive_latency, &p->latency[WORLD_SQS_RECEIVE]);
    latency_compile(&p->sqs.delete_latency, &p->latency[WORLD_SQS_DELETE]);
    latency_compile(&p->sqs.other_latency, &p->latency[WORLD_SQS_OTHER]);
    latency_compile(&p->simpledb.write_latency, &p->latency[WORLD_SDB_PUT]);
    latency_compile(&p->simpledb.read_latency, &p->latency[WORLD_SDB_GET]);
    latency_compile(&p->simpledb.select_latency, &p->latency[WORLD_SDB_SELECT]);
    latency_compile(&p->simpledb.read_latency, &p->latency[WORLD_SDB_OTHER]);
    latency_compile(&p->dynamodb.write_latency, &p->latency[WORLD_DDB_WRITE]);
    latency_compile(&p->dynamodb.read_latency, &p->latency[WORLD_DDB_READ]);
    latency_compile(&p->dynamodb.scan_latency, &p->latency[WORLD_DDB_SCAN]);
    latency_compile(&p->dynamodb.read_latency, &p->latency[WORLD_DDB_OTHER]);
}

int world_params_load(const char *model, struct world_params *out, struct jobq_error *err)
{
    if (strlen(model) >= sizeof out->model)
        return jobq_fail(err, JOBQ_NOT_FOUND, "unknown model");
    memcpy(out->model, model, strlen(model) + 1);
    int code = sqs_params_load(model, &out->sqs, err);
    if (code != JOBQ_OK)
        return code;
    code = simpledb_params_load(model, &out->simpledb, err);
    if (code != JOBQ_OK)
        return code;
    code = dynamodb_params_load(model, &out->dynamodb, err);
    if (code != JOBQ_OK)
        return code;
    code = ec2_params_load(model, &out->ec2, err);
    if (code != JOBQ_OK)
        return code;
    /* EC2's control plane: RunInstances answered after 1.54 s (daemonology.net, 2021-08, one
     * run); the spread is assumed. It matters once a box. */
    struct distribution ec2 = distribution_constant(0);
    if (strcmp(model, "ideal") != 0)
        ec2 = distribution_lognormal_p99(1.5e9, 5e9);
    latency_compile(&ec2, &out->latency[WORLD_EC2]);
    compile_all(out);
    size_client_init(&out->client, "us-east-1", 0);
    return JOBQ_OK;
}

int world_params_set(struct world_params *params, const char *assignment,
                     struct jobq_error *err)
{
    const char *dot = strchr(assignment, '.'), *equals = strchr(assignment, '=');
    char key[64], safe[80];
    text_escape(assignment, (int64_t)strlen(assignment), safe, sizeof safe);
    if (!dot || !equals || dot > equals || (size_t)(equals - dot) > sizeof key)
        return jobq_fail(err, JOBQ_INVALID, "malformed '%s', want SECTION.KEY=VALUE",
                         safe);
    memcpy(key, dot + 1, (size_t)(equals - dot - 1));
    key[equals - dot - 1] = '\0';
    int code;
    if (strncmp(assignment, "sqs.", 4) == 0)
        code = sqs_params_set(&params->sqs, key, equals + 1, err);
    else if (strncmp(assignment, "ec2.", 4) == 0)
        code = ec2_params_set(&params->ec2, key, equals + 1, err);
    else if (strncmp(assignment, "simpledb.", 9) == 0)
        code = simpledb_params_set(&params->simpledb, key, equals + 1, err);
    else if (strncmp(assignment, "dynamodb.", 9) == 0)
        code = dynamodb_params_set(&params->dynamodb, key, equals + 1, err);
    else
        code = jobq_fail(err, JOBQ_INVALID, "unknown section in '%s'", safe);
    if (code == JOBQ_OK)
        compile_all(params);
    return code;
}
