/* contract_fleet.c - the fleet port's promises (jobq/ports.h), one after the other. */
#include "tests/contract/contract.h"

void contract_fleet(struct contract *c)
{
    struct jobq_error err;
    struct jobq_box *box = arena_alloc(&c->arena, JOBQ_BOXES_PAGE * sizeof *box);
    struct jobq_str token = {0};
    struct jobq_str id[2];
    const char *queue = contract_name(c, "queue");
    struct jobq_tag tag = {STR("jobq:queue"), str_of(queue)};
    WANT(c, jobq_fleet_describe(c->b, tag, &token, &c->arena, box, &err) == 0);
    WANT(c, token.len == 0);
    if (!c->image)
        return;
    struct jobq_launch launch = {.type = "t4g.nano",
                                 .image = c->image,
                                 .user_data = STR("#cloud-config\n"),
                                 .tag = &tag,
                                 .tag_count = 1,
                                 .count = 2,
                                 .client_token = contract_name(c, "token")};
    if (!WANT(c, jobq_fleet_launch(c->b, &launch, &c->arena, id, 2, &err) == 2))
        return;
    /* The same token launches once. */
    struct jobq_str again[2];
    WANT(c, jobq_fleet_launch(c->b, &launch, &c->arena, again, 2, &err) == 2);
    WANT(c, str_eq(again[0], id[0]) && str_eq(again[1], id[1]));
    /* Describe may lag behind a launch by seconds. */
    int got = 0;
    for (int i = 0; i < 20 && got != 2; i++) {
        contract_sleep(c, 500 * JOBQ_NS_PER_MS);
        got = jobq_fleet_describe(c->b, tag, &token, &c->arena, box, &err);
    }
    WANT(c, got == 2);
    for (int i = 0; i < got; i++) {
        WANT(c, str_eq(box[i].id, id[0]) || str_eq(box[i].id, id[1]));
        WANT(c, str_is(box[i].type, "t4g.nano") && !box[i].spot);
        WANT(c, box[i].state == JOBQ_BOX_PENDING || box[i].state == JOBQ_BOX_RUNNING);
    }
    struct jobq_tag more = {STR("Name"), STR("contract")};
    WANT(c, jobq_fleet_tag(c->b, id, 2, &more, 1, &err) == JOBQ_OK);
    WANT(c, jobq_fleet_terminate(c->b, id, 2, &err) == JOBQ_OK);
    for (int i = 0; i < 240 && got; i++) {
        contract_sleep(c, 500 * JOBQ_NS_PER_MS);
        got = jobq_fleet_describe(c->b, tag, &token, &c->arena, box, &err);
    }
    WANT(c, got == 0);
    struct jobq_self self;
    int rc = jobq_fleet_self(c->b, &self, &err);
    WANT(c, rc == JOBQ_OK || rc == JOBQ_NOT_FOUND);
}
