#include "live/work/hooks.h"

#include "base/arena.h"
#include "base/text.h"
#include "jobq/units.h"

#include <stdio.h>
#include <stdlib.h>

enum trouble {
    TROUBLE_FAILED,
    TROUBLE_LATE,
    TROUBLE_NO_PROCESS,
    TROUBLE_DROPPED,
    TROUBLES
};

struct hook {
    struct hook_kind_state *of;
    struct hook *next; /* of those that wait, or run */
    struct command *command;
    struct loop_timer *limit;
    bool late;
    struct command_state state;
    int32_t attempt;
    int id_bytes, queue_bytes;
    char id[128], queue[128];
};

struct hook_kind_state {
    struct hooks *hooks;
    const char *name;
    struct command_host *host;
    struct hook *first, **last; /* wait */
    struct hook *run_first;
    int waiting, running;
    bool told[TROUBLES];
};

struct hooks {
    struct loop *loop;
    struct fiber_sched *sched;
    struct hooks_options options;
    struct hook_kind_state kind[HOOK_KINDS];
    struct fiber_cond idle;
};

/* ---- what goes wrong ---------------------------------------------------------------------- */

static void hook_say(const struct hook *hook, enum trouble trouble, const char *what)
{
    struct hook_kind_state *k = hook->of;
    char text[400], id[140];
    if (k->told[trouble])
        return;
    k->told[trouble] = true;
    text_escape(hook->id, hook->id_bytes, id, sizeof id);
    snprintf(
        text, sizeof text,
        "the hook --%s of job '%s' %s; the job is not affected, and this is said once",
        k->name, id, what);
    k->hooks->options.say(k->hooks->options.say_ctx, text);
}

static void say_end(const struct hook *hook, const struct command_end *end)
{
    char what[200], tail[JOBQ_OUTPUT_TAIL], shown[120];
    int len = command_tail(hook->command, tail);
    if (hook->late) {
        hook_say(hook, TROUBLE_LATE, "was ended at its time limit (--hook-limit)");
        return;
    }
    if (end->exit_code == 0)
        return;
    text_escape(tail, len < 80 ? len : 80, shown, sizeof shown);
    snprintf(what, sizeof what, "failed with exit code %d%s%s", end->exit_code,
             len ? ": " : "", shown);
    hook_say(hook, TROUBLE_FAILED, what);
}

/* ---- runs ----------------------------------------------------------------------------------- */

static void hook_free(struct hook *hook)
{
    loop_timer_free(hook->limit);
    free(hook);
}

static void hook_next(struct hook_kind_state *k);

static void hook_ended(void *ctx)
{
    struct hook *hook = ctx;
    struct hook_kind_state *k = hook->of;
    struct command_end end;
    command_result(hook->command, &end);
    say_end(hook, &end);
    command_free(hook->command);
    struct hook **at = &k->run_first;
    while (*at != hook)
        at = &(*at)->next;
    *at = hook->next;
    hook_free(hook);
    k->running--;
    hook_next(k);
}

static void hook_late(void *ctx)
{
    struct hook *hook = ctx;
    hook->late = true;
    command_stop(hook->command, JOBQ_NS_PER_S);
}

static bool hook_start(struct hook *hook)
{
    struct hook_kind_state *k = hook->of;
    struct jobq_error err;
    struct jobq_work work = {.kind = JOBQ_WORK_EXEC,
                             .payload = STR(""),
                             .job_id = {hook->id, hook->id_bytes},
                             .queue_name = {hook->queue, hook->queue_bytes},
                             .attempt = hook->attempt};
    if (command_start_hook(k->host, &work, &hook->state, hook_ended, hook, &hook->command,
                           &err) < 0) {
        hook_say(hook, TROUBLE_NO_PROCESS, "could not be started");
        return false;
    }
    hook->limit = loop_timer_new(k->hooks->loop, hook_late, hook);
    loop_timer_set(hook->limit, loop_now_ns() + k->hooks->options.limit_ns);
    return true;
}

static void hook_next(struct hook_kind_state *k)
{
    while (k->first && k->running < HOOKS_AT_ONCE) {
        struct hook *hook = k->first;
        k->first = hook->next;
        if (!k->first)
            k->last = &k->first;
        k->waiting--;
        hook->next = NULL;
        if (!hook_start(hook)) {
            hook_free(hook);
            continue;
        }
        hook->next = k->run_first;
        k->run_first = hook;
        k->running++;
    }
    fiber_cond_broadcast(&k->hooks->idle);
}

static int copy_name(char *out, size_t cap, struct jobq_str name)
{
    int len = snprintf(out, cap, "%.*s", (int)name.len, name.ptr);
    return len < (int)cap ? len : (int)cap - 1;
}

void hooks_run(struct hooks *hooks, const struct hook_call *call)
{
    struct hook_kind_state *k = &hooks->kind[call->kind];
    if (!k->host)
        return;
    struct hook *hook = xcalloc(1, sizeof *hook);
    hook->of = k;
    hook->state = (struct command_state){call->state, call->has_exit, call->exit_code};
    hook->attempt = call->attempt;
    hook->id_bytes = copy_name(hook->id, sizeof hook->id, call->job_id);
    hook->queue_bytes = copy_name(hook->queue, sizeof hook->queue, call->queue_name);
    if (k->waiting == HOOKS_WAITING_MAX) {
        hook_say(hook, TROUBLE_DROPPED, "was dropped: too many wait");
        hook_free(hook);
        return;
    }
    *k->last = hook;
    k->last = &hook->next;
    k->waiting++;
    hook_next(k);
}

/* ---- all of them ---------------------------------------------------------------------------- */

void hooks_settle(struct hooks *hooks, int64_t until_ns)
{
    for (int i = 0; i < HOOK_KINDS; i++)
        while (hooks->kind[i].running > 0 && loop_now_ns() < until_ns)
            fiber_cond_wait(hooks->sched, &hooks->idle, until_ns);
}

struct hooks *hooks_new(struct loop *loop, struct fiber_sched *sched,
                        const struct hooks_options *options)
{
    static const char *const names[HOOK_KINDS] = {"on-start", "on-end"};
    struct hooks *hooks = xcalloc(1, sizeof *hooks);
    hooks->loop = loop;
    hooks->sched = sched;
    hooks->options = *options;
    for (int i = 0; i < HOOK_KINDS; i++) {
        struct hook_kind_state *k = &hooks->kind[i];
        const struct command_options command = {.command = options->command[i],
                                                .pass_env = options->pass_env};
        k->hooks = hooks;
        k->name = names[i];
        k->last = &k->first;
        if (options->command[i])
            k->host = command_host_new(loop, &command);
    }
    return hooks;
}

static void hooks_drop(struct hook *hook)
{
    for (struct hook *next; hook; hook = next) {
        next = hook->next;
        hook_free(hook);
    }
}

void hooks_free(struct hooks *hooks)
{
    if (!hooks)
        return;
    for (int i = 0; i < HOOK_KINDS; i++) {
        struct hook_kind_state *k = &hooks->kind[i];
        hooks_drop(k->first);
        hooks_drop(k->run_first);
        if (k->host)
            command_host_free(k->host); /* with the commands that run */
    }
    free(hooks);
}
