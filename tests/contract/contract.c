#include "tests/contract/contract.h"

#include "fiber/fiber.h"

bool contract_want(struct contract *c, bool holds, const char *text, const char *file,
                   int line)
{
    c->wants++;
    if (!holds) {
        c->failures++;
        printf("%s:%d: does not hold: %s\n", file, line, text);
    }
    return holds;
}

void contract_sleep(struct contract *c, int64_t ns)
{
    fiber_sleep_until(c->b->sched, jobq_now(c->b) + ns);
}

const char *contract_name(struct contract *c, const char *name)
{
    struct text t = {0};
    text_printf(&t, "%s-%s", c->prefix, name);
    const char *kept = arena_cstr(&c->arena, t.ptr);
    text_release(&t);
    return kept;
}
