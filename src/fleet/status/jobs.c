/* jobs.c - how do single jobs stand? See status.h.
 *
 * Room:     src/fleet, the product. */
#include "base/arena.h"
#include "base/text.h"
#include "fiber/fiber.h"
#include "fleet/port/retry.h"
#include "fleet/port/scratch.h"
#include "fleet/status/status.h"
#include "jobq/units.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { LOOKS_MAX = 8, DOMAINS_PAGE = 100 };
#define RETRY_FOR_NS (30 * JOBQ_NS_PER_S)

static void fill(struct jobq_str id, const struct job_row *row, struct status_job *out)
{
    int64_t id_bytes = id.len <= JOB_ID_MAX ? id.len : JOB_ID_MAX;
    int64_t box_bytes = row->box.len < 24 ? row->box.len : 23;
    *out = (struct status_job){.state = row->state,
                               .attempt = row->attempt,
                               .enqueued_ms = row->enqueued_ms,
                               .started_ms = row->started_ms,
                               .finished_ms = row->finished_ms,
                               .exit_code = row->exit_code,
                               .wall_ns = row->wall_ns,
                               .cpu_ns = row->cpu_ns,
                               .progress = (int)row->progress};
    memcpy(out->id, id.ptr, (size_t)id_bytes);
    memcpy(out->box, row->box.ptr, (size_t)box_bytes);
    for (int i = 0; i < row->tail_count; i++) {
        /* Decoding never grows, and a piece is at most 1,024 bytes: four fit. */
        struct jobq_str piece = row->tail[i];
        if (piece.len > JOB_PIECE_BYTES)
            piece.len = JOB_PIECE_BYTES;
        out->tail_bytes += (int)job_unescape(piece, out->tail + out->tail_bytes);
    }
    out->tail[out->tail_bytes] = '\0';
}

/* A name that is no id of the queue's may hold any bytes, up to 1,024. */
static void fill_fault(struct jobq_str name, const struct jobq_error *why,
                       struct status_job *out)
{
    *out = (struct status_job){.progress = -1};
    text_escape(name.ptr, name.len, out->id, sizeof out->id);
    text_escape(why->text, (int64_t)strlen(why->text), out->fault, sizeof out->fault);
}

static int open_domain(struct jobq_backend *b, struct jobq_str id, int *domain,
                       struct jobq_error *err)
{
    struct job_id_parts parts;
    char name[JOB_DOMAIN_MAX + 1];
    if (job_id_parse(id, &parts, err) < 0)
        return err->code;
    job_domain_name(parts.queue, parts.day, parts.shard, name);
    return jobq_store_open(b, name, domain, err);
}

/* Reads the row; strings live in arena. */
static int read_row(struct jobq_backend *b, int domain, struct jobq_str id,
                    const struct jobq_str *name, int name_count, struct arena *arena,
                    struct job_row *row, struct jobq_error *err)
{
    int64_t deadline_ns = jobq_now(b) + RETRY_FOR_NS;
    struct jobq_item item = {.name = id};
    struct retry r;
    int code;
    retry_init(&r, b, &RETRY_CALLS, &deadline_ns);
    do
        code = jobq_store_get(b, domain, id, name, name_count, true, arena, &item, err);
    while (code < 0 && retry_again(&r, code));
    if (code == JOBQ_OK && item.attr_count == 0)
        code = JOBQ_NOT_FOUND;
    if (code == JOBQ_NOT_FOUND) {
        char shown[120];
        text_escape(id.ptr, id.len, shown, sizeof shown);
        return jobq_fail(err, JOBQ_NOT_FOUND, "no job '%s'", shown);
    }
    return code < 0 ? code : job_row_read(&item, row, err);
}

/* Everything but the payload, which may be a quarter of a megabyte. */
enum { SHOWN_STATE = 2, SHOWN_COUNT = 9 };
static void shown_names(struct jobq_str *name)
{
    static const char *const names[SHOWN_COUNT] = {
        "t", "claim", "run", "end", "progress", "tail0", "tail1", "tail2", "tail3"};
    for (int i = 0; i < SHOWN_COUNT; i++)
        name[i] = str_of(names[i]);
}

int status_job(struct jobq_backend *b, struct jobq_str id, struct status_job *out,
               struct jobq_error *err)
{
    int domain;
    struct job_row row;
    int code = open_domain(b, id, &domain, err);
    if (code < 0)
        return code;
    struct jobq_str shown[SHOWN_COUNT];
    struct scratch *scratch = scratch_take(b);
    shown_names(shown);
    code = read_row(b, domain, id, shown, SHOWN_COUNT, &scratch->arena, &row, err);
    if (code == JOBQ_OK)
        fill(id, &row, out);
    scratch_give(b, scratch);
    return code;
}

static int put_cancelled(struct jobq_backend *b, int domain, struct jobq_str id,
                         const struct job_row *row, struct jobq_error *err)
{
    char claim[JOB_CLAIM_MAX];
    struct jobq_str token = row->token.len > 0 ? row->token : STR("-");
    if (token.len > JOB_TOKEN_MAX) /* no claim of ours */
        token.len = JOB_TOKEN_MAX;
    int len = job_claim_write(JOB_CANCELLED, row->attempt, token, claim);
    const struct jobq_attr attr = {STR("claim"), {claim, len}, true};
    struct jobq_expect expect = {
        .name = STR("claim"), .value = row->claim, .exists = row->claim.len > 0};
    return jobq_store_put(b, domain, &(struct jobq_item){id, &attr, 1}, &expect, err);
}

static int cancel(struct jobq_backend *b, int domain, struct jobq_str id,
                  struct arena *arena, enum job_state *out, struct jobq_error *err)
{
    struct jobq_str shown[SHOWN_COUNT];
    struct job_row row;
    int64_t deadline_ns = jobq_now(b) + RETRY_FOR_NS;
    struct retry r;
    shown_names(shown);
    retry_init(&r, b, &RETRY_CALLS, &deadline_ns);
    for (int looks = 0; looks < LOOKS_MAX; looks++) {
        int code = read_row(b, domain, id, shown, SHOWN_STATE, arena, &row, err);
        if (code < 0)
            return code;
        *out = row.state;
        if (row.state == JOB_CANCELLED)
            return JOBQ_OK; /* perhaps by a put of ours whose reply was lost */
        if (job_state_is_final(row.state))
            return jobq_fail(err, JOBQ_CONFLICT, "the job is '%s' already",
                             job_state_name(row.state));
        code = put_cancelled(b, domain, id, &row, err);
        if (code == JOBQ_OK) {
            *out = JOB_CANCELLED;
            b->ledger->jobs++;
            return JOBQ_OK;
        }
        if (code != JOBQ_CONFLICT && !retry_again(&r, code))
            return code;
    }
    return jobq_fail(err, JOBQ_CONFLICT, "the job changes too fast");
}

int status_cancel(struct jobq_backend *b, struct jobq_str id, enum job_state *out,
                  struct jobq_error *err)
{
    int domain;
    int code = open_domain(b, id, &domain, err);
    if (code < 0)
        return code;
    struct scratch *scratch = scratch_take(b);
    code = cancel(b, domain, id, &scratch->arena, out, err);
    scratch_give(b, scratch);
    return code;
}

/* ---- lists --------------------------------------------------------------------------- */

int status_list_start(struct jobq_backend *b, const char *queue, int state, int64_t limit,
                      struct arena *arena, struct status_list *list,
                      struct jobq_error *err)
{
    if (job_queue_name_check(queue, err) < 0)
        return err->code;
    memset(list, 0, sizeof *list);
    list->b = b;
    list->queue = str_of(arena_cstr(arena, queue));
    list->state = state;
    list->left = limit;
    struct jobq_str page[DOMAINS_PAGE];
    const char *after = NULL;
    int count;
    do {
        int64_t deadline_ns = jobq_now(b) + RETRY_FOR_NS;
        struct retry r;
        retry_init(&r, b, &RETRY_CALLS, &deadline_ns);
        do
            count = jobq_store_list_domains(b, after, arena, page, DOMAINS_PAGE, err);
        while (count < 0 && retry_again(&r, count));
        if (count < 0)
            return count;
        for (int i = 0; i < count; i++) {
            int day, shard;
            if (!job_domain_parse(page[i], list->queue, &day, &shard))
                continue;
            if (list->domain_count == JOB_SHARDS_MAX * 4)
                return jobq_fail(err, JOBQ_LIMIT, "more than %d domains",
                                 JOB_SHARDS_MAX * 4);
            list->domain[list->domain_count++] = page[i];
        }
        after = count > 0 ? page[count - 1].ptr : NULL;
    } while (count == DOMAINS_PAGE);
    return JOBQ_OK;
}

static int select_page(struct status_list *list, struct arena *arena,
                       struct jobq_item *item, int cap, struct jobq_error *err)
{
    char expression[JOB_DOMAIN_MAX + 160];
    struct jobq_str domain = list->domain[list->domain_at];
    char where[64] = "";
    if (list->state >= 0)
        snprintf(where, sizeof where, " where %sclaim like '%s %%'",
                 list->state == JOB_QUEUED ? "claim is null or " : "",
                 job_state_name((enum job_state)list->state));
    int len = snprintf(expression, sizeof expression,
                       "select t, claim, run, end, progress from `%.*s`%s limit %d",
                       (int)domain.len, domain.ptr, where, cap);
    struct jobq_str select = {expression, len};
    int64_t deadline_ns = jobq_now(list->b) + RETRY_FOR_NS;
    struct retry r;
    retry_init(&r, list->b, &RETRY_CALLS, &deadline_ns);
    int count;
    do
        count =
            jobq_store_select(list->b, select, true, &list->token, arena, item, cap, err);
    while (count < 0 && retry_again(&r, count));
    if (count < 0)
        return count;
    /* The token outlives the caller's arena. */
    if (list->token.len >= (int64_t)sizeof list->token_bytes)
        return jobq_fail(err, JOBQ_CORRUPT, "a next token of %lld bytes",
                         (long long)list->token.len);
    if (list->token.len > 0)
        memmove(list->token_bytes, list->token.ptr, (size_t)list->token.len);
    list->token.ptr = list->token_bytes;
    if (list->token.len == 0)
        list->domain_at++;
    return count;
}

int status_list_next(struct status_list *list, struct arena *arena,
                     struct status_job *out, int cap, struct jobq_error *err)
{
    struct jobq_item item[DOMAINS_PAGE];
    if (cap > DOMAINS_PAGE)
        cap = DOMAINS_PAGE;
    if (list->page == 0)
        list->page = cap < list->left ? cap : (int)list->left;
    assert(cap >= list->page);
    int written = 0;
    while (written == 0 && list->left > 0 && list->domain_at < list->domain_count) {
        int count = select_page(list, arena, item, list->page, err);
        if (count < 0)
            return count;
        /* What the last page has too many is dropped. */
        for (int i = 0; i < count && i < list->left; i++) {
            struct job_row row;
            struct job_id_parts parts;
            struct jobq_error why;
            int code = job_id_parse(item[i].name, &parts, &why);
            if (code == JOBQ_OK)
                code = job_row_read(&item[i], &row, &why);
            /* An item, though with none of the attributes that were asked for. */
            if (code == JOBQ_OK && !row.exists)
                code = jobq_fail(&why, JOBQ_CORRUPT, JOB_ROW_IS_NONE);
            if (code < 0)
                fill_fault(item[i].name, &why, &out[written++]);
            else
                fill(item[i].name, &row, &out[written++]);
        }
    }
    list->left -= written;
    return written;
}

int64_t status_list_box_usage_e10h(int64_t rows)
{
    return 137200 + (int64_t)(91416.5 * (double)rows);
}
