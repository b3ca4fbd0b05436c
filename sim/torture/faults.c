/* faults.c - the names of faults and branches. See faults.h.
 *
 * Room:     sim. */
#include "sim/torture/faults.h"

#include "base/nearest.h"

#include <string.h>

static const struct {
    const char *name, *text;
} FAULTS[] = {
#define TORTURE_FAULT_ROW(id, name, text) {name, text},
    TORTURE_FAULTS(TORTURE_FAULT_ROW)
#undef TORTURE_FAULT_ROW
};

static const char *const BRANCHES[] = {
#define TORTURE_BRANCH_ROW(id, name) name,
    TORTURE_BRANCHES(TORTURE_BRANCH_ROW)
#undef TORTURE_BRANCH_ROW
};

const char *torture_branch_name(enum torture_branch branch)
{
    return BRANCHES[branch];
}

const char *torture_fault_name(enum torture_fault fault)
{
    return FAULTS[fault].name;
}

const char *torture_fault_text(enum torture_fault fault)
{
    return FAULTS[fault].text;
}

/* The classes that a word names; 0: none. */
static uint64_t faults_of(struct jobq_str word)
{
    if (str_is(word, "all"))
        return TORTURE_ALL;
    for (int i = 0; i < TORTURE_FAULT_COUNT; i++)
        if (str_is(word, FAULTS[i].name))
            return UINT64_C(1) << i;
    return 0;
}

static int unknown_fault(struct jobq_str word, struct jobq_error *err)
{
    char safe[40];
    struct nearest nearest = {0};
    text_escape(word.ptr, word.len, safe, sizeof safe);
    for (int i = 0; i < TORTURE_FAULT_COUNT; i++)
        nearest_try(&nearest, safe, FAULTS[i].name);
    return nearest.word ? jobq_fail(err, JOBQ_INVALID, "'%s' is no fault; '%s' is one",
                                    safe, nearest.word)
                        : jobq_fail(err, JOBQ_INVALID,
                                    "'%s' is no fault; --help lists them", safe);
}

int torture_faults_read(const char *list, uint64_t *out, struct jobq_error *err)
{
    uint64_t faults = 0;
    for (const char *at = list;;) {
        size_t len = strcspn(at, ",");
        bool take_away = len > 0 && at[0] == '-';
        struct jobq_str word = {at + take_away, (int64_t)(len - take_away)};
        uint64_t named = faults_of(word);
        if (!named && !str_is(word, "none"))
            return unknown_fault((struct jobq_str){at, (int64_t)len}, err);
        faults = take_away ? faults & ~named : faults | named;
        if (!at[len])
            break;
        at += len + 1;
    }
    *out = faults;
    return JOBQ_OK;
}

void torture_faults_put(uint64_t faults, struct text *out)
{
    if (faults == 0 || faults == TORTURE_ALL) {
        text_puts(out, faults ? "all" : "none");
        return;
    }
    /* The shorter list: of those that are on, or of those that are not. */
    bool most = __builtin_popcountll(faults) > TORTURE_FAULT_COUNT / 2;
    const char *comma = "";
    if (most)
        text_puts(out, "all");
    for (int i = 0; i < TORTURE_FAULT_COUNT; i++)
        if ((bool)(faults & UINT64_C(1) << i) != most) {
            text_printf(out, "%s%s", most ? ",-" : comma, FAULTS[i].name);
            comma = ",";
        }
}
