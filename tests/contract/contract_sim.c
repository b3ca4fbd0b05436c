/* contract_sim.c - the contract suites on the simulated world. */
#include "tests/contract/contract.h"

#include "fiber/fiber.h"
#include "sim/kernel/kernel.h"
#include "sim/world/world.h"

#include <stdlib.h>

static void run(void *arg)
{
    struct contract *c = arg;
    contract_queue(c);
    contract_store(c);
    contract_fleet(c);
    contract_house(c);
}

static int on_model(const char *model, bool dynamodb)
{
    struct world_params *params = xcalloc(1, sizeof *params);
    struct world_options options = {.seed = 1, .dynamodb = dynamodb};
    struct jobq_ledger *ledger = xcalloc(1, sizeof *ledger);
    struct jobq_error err;
    if (world_params_load(model, params, &err) < 0) {
        puts(err.text);
        return 1;
    }
    jobq_ledger_init(ledger);
    struct world *w = world_new(params, &options);
    struct world_proc *proc = world_proc_new(w, "contract", 0, NULL, ledger, 0);
    struct contract c = {
        .b = world_backend(proc), .prefix = "contract", .image = "ami-12345678"};
    arena_init(&c.arena, 0);
    fiber_spawn(world_fibers(proc), run, &c);
    kernel_run(world_kernel(w), 3600 * JOBQ_NS_PER_S);
    printf("%s, %s: %d of %d hold\n", model, c.b->store->ops->name, c.wants - c.failures,
           c.wants);
    arena_release(&c.arena);
    world_free(w);
    jobq_ledger_release(ledger);
    free(ledger);
    free(params);
    return c.failures || c.wants < 100;
}

int main(void)
{
    int bad = on_model("ideal", false) | on_model("ideal", true);
    return on_model("aws-2026", false) | on_model("aws-2026", true) | bad;
}
