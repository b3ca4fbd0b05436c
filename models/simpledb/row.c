/* row.c - the index, the past and the accounts of rows.
 *
 * Room:     models, the facts; internal to the SimpleDB model. */
#include "models/simpledb/row.h"

#include "models/simpledb/draft.h"

#include <stdlib.h>

#define X16 "xxxxxxxxxxxxxxxx"
#define X256 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16
static const char phantom_bytes[ROW_STRING_MAX + 1] = X256 X256 X256 X256;

const char *row_phantom_bytes(void)
{
    return phantom_bytes;
}

/* ---- the index ----------------------------------------------------------------------- */

enum { ROW_LINES = 3 }; /* of a job's row */

static uint32_t row_home(const struct row_domain *domain, uint32_t hash)
{
    return hash >> (32 - domain->bits);
}

static const char *row_at(const struct simpledb *model, const struct row_slot *slot)
{
    return blobs_at(&model->blobs, slot->blob);
}

/* Of the name in a slot against (hash, name): the order of rows. */
static int slot_cmp(const struct simpledb *model, const struct row_slot *slot,
                    struct jobq_str name, uint32_t hash)
{
    if (slot->hash != hash)
        return slot->hash < hash ? -1 : 1;
    const char *row = row_at(model, slot);
    int64_t len = row_head(row).name_len;
    int order =
        memcmp(row_name(row), name.ptr, (size_t)(len < name.len ? len : name.len));
    return order ? order : (len > name.len) - (len < name.len);
}

/* As memcmp == 0, in line; names are some 40 bytes. */
static inline bool row_same_name(const char *a, const char *b, int64_t len)
{
    uint64_t x, y, differ = 0;
    if (len < 8)
        return memcmp(a, b, (size_t)len) == 0;
    for (int64_t at = 0; at < len - 8; at += 8) {
        memcpy(&x, a + at, 8);
        memcpy(&y, b + at, 8);
        differ |= x ^ y;
    }
    memcpy(&x, a + len - 8, 8);
    memcpy(&y, b + len - 8, 8);
    return (differ | (x ^ y)) == 0;
}

/* The first slot from a hash's home on that is empty or has no lesser hash. How far it is
 * cannot be predicted, so the lesser ones of a few are counted without a branch. */
static inline uint32_t first_at(const struct row_domain *domain, uint32_t hash)
{
    uint32_t at = row_home(domain, hash), lesser = 0;
    const struct row_slot *slot = &domain->slot[at];
#pragma GCC unroll 8
    for (int i = 0; i < ROW_SLOTS_BEHIND; i++)
        lesser += slot[i].hash < hash;
    at += lesser;
    if (lesser == ROW_SLOTS_BEHIND)
        while (domain->slot[at].hash < hash)
            at++;
    return at;
}

/* The first slot of a hash; NULL: none. */
static inline const struct row_slot *first_of(const struct row_domain *domain,
                                              uint32_t hash)
{
    if (domain->used == 0)
        return NULL;
    const struct row_slot *slot = &domain->slot[first_at(domain, hash)];
    return slot->blob && slot->hash == hash ? slot : NULL;
}

int64_t row_find(const struct simpledb *model, const struct row_domain *domain,
                 struct jobq_str name, uint32_t hash)
{
    const struct row_slot *slot = first_of(domain, hash);
    /* Nearly always one row has the hash; several are in order of name. */
    for (; slot && slot->blob && slot->hash == hash; slot++) {
        const char *row = row_at(model, slot);
        if (row_head(row).name_len == name.len &&
            row_same_name(row_name(row), name.ptr, name.len))
            return slot - domain->slot;
    }
    return -1;
}

void row_prefetch(const struct simpledb *model, const struct row_domain *domain,
                  uint32_t hash)
{
    const struct row_slot *slot = first_of(domain, hash);
    if (!slot)
        return;
    const char *row = row_at(model, slot);
    for (int line = 0; line < ROW_LINES; line++)
        __builtin_prefetch(row + line * 64);
}

int64_t row_next(const struct row_domain *domain, int64_t slot)
{
    for (int64_t at = slot + 1; at < domain->slots; at++) {
        if (domain->slot[at].blob)
            return at;
    }
    return -1;
}

int64_t row_seek(const struct simpledb *model, const struct row_domain *domain,
                 struct jobq_str name, uint32_t hash, bool after)
{
    if (domain->used == 0)
        return -1;
    int64_t at = (int64_t)row_home(domain, hash) - 1;
    while ((at = row_next(domain, at)) >= 0) {
        int order = slot_cmp(model, &domain->slot[at], name, hash);
        if (order > 0 || (order == 0 && !after))
            return at;
    }
    return -1;
}

static void index_clear(struct row_slot *slot, uint32_t slots)
{
    for (uint32_t i = 0; i < slots; i++)
        slot[i] = ROW_SLOT_EMPTY;
}

/* Rebuild with 2^bits homes and room for `over` slots behind them. Order is kept, so that
 * one pass does it; grows `over` where the last rows do not fit. */
static void index_build(struct row_domain *domain, uint32_t bits, uint32_t over)
{
    const struct row_slot *old = domain->slot;
    for (;; over *= 2) {
        uint32_t slots = (1u << bits) + over;
        struct row_slot *slot = xmalloc_huge((slots + ROW_SLOTS_BEHIND) * sizeof *slot);
        index_clear(slot, slots + ROW_SLOTS_BEHIND);
        uint64_t at = 0;
        for (uint32_t i = 0; i < domain->slots && at < slots; i++) {
            if (old[i].blob == 0)
                continue;
            uint32_t want = old[i].hash >> (32 - bits);
            if (at < want)
                at = want;
            if (at < slots)
                slot[at] = old[i];
            at++;
        }
        if (at <= slots) {
            free(domain->slot);
            domain->slot = slot;
            domain->slots = slots;
            domain->bits = bits;
            return;
        }
        free(slot);
    }
}

static void index_insert(struct simpledb *model, struct row_domain *domain,
                         struct jobq_str name, uint32_t hash, uint32_t blob)
{
    if (domain->bits == 0)
        index_build(domain, 4, 16);
    /* At most three quarters full. */
    if (4 * (uint64_t)(domain->used + 1) > 3 * (UINT64_C(1) << domain->bits))
        index_build(domain, domain->bits + 1, domain->slots - (1u << domain->bits));
    for (;;) {
        uint32_t at = first_at(domain, hash);
        while (domain->slot[at].blob &&
               slot_cmp(model, &domain->slot[at], name, hash) < 0)
            at++;
        uint32_t end = at;
        while (domain->slot[end].blob)
            end++;
        if (end < domain->slots) {
            memmove(&domain->slot[at + 1], &domain->slot[at],
                    (end - at) * sizeof *domain->slot);
            domain->slot[at] = (struct row_slot){hash, blob};
            domain->used++;
            return;
        }
        index_build(domain, domain->bits, 2 * (domain->slots - (1u << domain->bits)));
    }
}

static void index_remove(struct row_domain *domain, uint32_t at)
{
    uint32_t end = at + 1;
    while (domain->slot[end].blob && row_home(domain, domain->slot[end].hash) < end)
        end++;
    memmove(&domain->slot[at], &domain->slot[at + 1],
            (end - 1 - at) * sizeof *domain->slot);
    domain->slot[end - 1] = ROW_SLOT_EMPTY;
    domain->used--;
}

void row_learn(struct simpledb *model, struct row_domain *domain, struct jobq_str a,
               struct jobq_str b)
{
    int64_t at = a.len == b.len ? a.len - 1 : -1;
    while (at >= 0 && a.ptr[at] == b.ptr[at])
        at--;
    if (domain->used > 1 || at < 0)
        return;
    uint32_t blob = 0;
    if (domain->used == 1) {
        int64_t slot = row_next(domain, -1);
        blob = domain->slot[slot].blob;
        index_remove(domain, (uint32_t)slot);
    }
    domain->tail = (int32_t)(a.len - 1 - at);
    if (blob) {
        const char *row = blobs_at(&model->blobs, blob);
        struct jobq_str name = {row_name(row), row_head(row).name_len};
        index_insert(model, domain, name, row_hash(domain, name), blob);
    }
}

/* ---- the past ------------------------------------------------------------------------ */

struct row_date {
    int64_t written_ns;
    uint32_t older;
    uint32_t zero;
};

static struct row_date row_date(const char *row)
{
    struct row_date date = {0};
    if (row_head(row).pairs & ROW_DATED)
        memcpy(&date, row + ROW_HEAD_BYTES, sizeof date);
    return date;
}

static void row_set_older(char *row, uint32_t older)
{
    memcpy(row + ROW_HEAD_BYTES + offsetof(struct row_date, older), &older, sizeof older);
}

/* The measured curve (Wada et al., CIDR 2011): how likely a read sees a write so old. */
static double window_p(const struct simpledb_params *params, int64_t age_ns)
{
    const struct simpledb_window_point *point = params->window.point;
    int32_t n = params->window.points;
    if (n == 0 || age_ns >= point[n - 1].age_ns)
        return 1;
    int32_t i = 0;
    while (point[i].age_ns <= age_ns)
        i++;
    if (i == 0)
        return point[0].fresh_p;
    double span = (double)(point[i].age_ns - point[i - 1].age_ns);
    double along = (double)(age_ns - point[i - 1].age_ns) / span;
    return point[i - 1].fresh_p + along * (point[i].fresh_p - point[i - 1].fresh_p);
}

static int64_t window_ns(const struct simpledb_params *params)
{
    int32_t points = params->window.points;
    return points ? params->window.point[points - 1].age_ns : 0;
}

const char *row_visible(const struct simpledb *model, uint32_t blob, int64_t now_ns,
                        double u)
{
    while (blob) {
        const char *row = blobs_at(&model->blobs, blob);
        struct row_head head = row_head(row);
        struct row_date date = row_date(row);
        if (u < 0 || !(head.pairs & ROW_DATED) ||
            u < window_p(&model->params, now_ns - date.written_ns))
            return head.pairs & ROW_GONE ? NULL : row;
        blob = date.older;
    }
    return NULL;
}

static void free_row(struct simpledb *model, uint32_t blob)
{
    blobs_free(&model->blobs, blob, row_head(blobs_at(&model->blobs, blob)).bytes);
}

/* The next entry of the past, to be filled in: a struct that is made elsewhere and copied
 * waits for its pieces to leave the store buffer. */
static struct row_past *past_next(struct row_domain *domain)
{
    if (domain->past_count == domain->past_cap) {
        uint32_t cap = domain->past_cap ? 2 * domain->past_cap : 64;
        struct row_past *past = xmalloc(cap * sizeof *past);
        for (uint32_t i = 0; i < domain->past_count; i++)
            past[i] = domain->past[(domain->past_head + i) & (domain->past_cap - 1)];
        free(domain->past);
        domain->past = past;
        domain->past_cap = cap;
        domain->past_head = 0;
    }
    uint32_t tail = (domain->past_head + domain->past_count++) & (domain->past_cap - 1);
    return &domain->past[tail];
}

/* A gone row leaves the index, unless it has been written anew; then a later entry of the
 * past has it as its older version. */
static void drop_gone(struct simpledb *model, struct row_domain *domain, uint32_t blob)
{
    const char *row = blobs_at(&model->blobs, blob);
    struct jobq_str name = {row_name(row), row_head(row).name_len};
    int64_t at = row_find(model, domain, name, row_hash(domain, name));
    if (at >= 0 && domain->slot[at].blob == blob) {
        index_remove(domain, (uint32_t)at);
        free_row(model, blob);
    }
}

static void row_forget_until(struct simpledb *model, struct row_domain *domain,
                             int64_t until_ns)
{
    while (domain->past_count && domain->past[domain->past_head].written_ns <= until_ns) {
        struct row_past past = domain->past[domain->past_head];
        domain->past_head = (domain->past_head + 1) & (domain->past_cap - 1);
        domain->past_count--;
        blobs_free(&model->blobs, past.older, past.older_bytes);
        if (past.gone)
            drop_gone(model, domain, past.gone);
    }
}

void row_forget(struct simpledb *model, struct row_domain *domain, int64_t now_ns)
{
    row_forget_until(model, domain, now_ns - window_ns(&model->params));
}

void row_forget_all(struct simpledb *model, struct row_domain *domain)
{
    row_forget_until(model, domain, INT64_MAX);
    for (int64_t at = -1; (at = row_next(domain, at)) >= 0;) {
        char *row = blobs_at(&model->blobs, domain->slot[at].blob);
        if (row_head(row).pairs & ROW_DATED)
            row_set_older(row, 0);
    }
}

/* ---- accounts ------------------------------------------------------------------------ */

void row_account(struct simpledb *model, int64_t now_ns)
{
    if (now_ns > model->account_at_ns) {
        model->byte_ns +=
            (double)model->billed_bytes * (double)(now_ns - model->account_at_ns);
        model->account_at_ns = now_ns;
    }
}

static void grow_name_values(struct row_domain *domain, int32_t name)
{
    int32_t cap = domain->name_cap ? domain->name_cap : 32;
    while (cap <= name)
        cap *= 2;
    domain->name_values =
        xrealloc(domain->name_values, (size_t)cap * sizeof *domain->name_values);
    memset(domain->name_values + domain->name_cap, 0,
           (size_t)(cap - domain->name_cap) * sizeof *domain->name_values);
    domain->name_cap = cap;
}

/* A name's first value was added, or its last removed. */
static __attribute__((noinline)) void
count_name(struct simpledb *model, struct row_domain *domain, int32_t name, int more)
{
    int64_t bytes = model->names.str[name].len;
    domain->stats.names += more;
    domain->stats.name_bytes += more * bytes;
    model->billed_bytes += more * (bytes + OVERHEAD_BYTES);
}

/* count more values of a name. */
static inline void count_values(struct simpledb *model, struct row_domain *domain,
                                int32_t name, int32_t count)
{
    if (name >= domain->name_cap)
        grow_name_values(domain, name);
    int32_t was = domain->name_values[name], is = was + count;
    domain->name_values[name] = is;
    if ((is > 0) != (was > 0))
        count_name(model, domain, name, is > 0 ? 1 : -1);
}

/* The account of a row that is written, removed or made: only what differs is counted. */
static inline void count_row(struct simpledb *model, struct row_domain *domain,
                             const struct row_draft *draft)
{
    int64_t values = draft->pairs, value_bytes = draft->value_bytes;
    int64_t name_len = draft->name.len;
    if (draft->old)
        values -= row_head(draft->old).pairs & ROW_PAIRS;
    int more = (draft->pairs != 0) - (draft->old != NULL);
    if (more != 0) {
        domain->stats.items += more;
        domain->stats.item_bytes += more * name_len;
        model->billed_bytes += more * (name_len + OVERHEAD_BYTES);
    }
    domain->stats.values += values;
    domain->stats.value_bytes += value_bytes;
    model->billed_bytes += value_bytes + OVERHEAD_BYTES * values;
    for (int32_t i = 0; i < draft->attr_count; i++)
        if (draft->removed[i] != 1)
            count_values(model, domain, draft->id[i], 1 - draft->removed[i]);
    const struct row_change *change = model->change + draft->change_at;
    for (uint32_t i = 0; i < draft->change_count; i++)
        count_values(model, domain, change[i].name, change[i].sign);
}

/* ---- writing ------------------------------------------------------------------------- */

/* A new version, dated or not, in memory of its own. */
static uint32_t new_row(struct simpledb *model, const struct row_draft *draft,
                        const struct row_date *date)
{
    uint32_t date_bytes = date ? ROW_DATE_BYTES : 0;
    uint32_t bytes =
        ROW_HEAD_BYTES + date_bytes + (uint32_t)draft->name.len + draft->bytes;
    uint32_t blob = blobs_alloc(&model->blobs, bytes);
    char *row = blobs_at(&model->blobs, blob);
    uint32_t flags = (date ? ROW_DATED : 0u) | (draft->pairs ? 0 : ROW_GONE);
    struct row_head head = {bytes, (uint16_t)draft->name.len,
                            (uint16_t)((uint32_t)draft->pairs | flags)};
    memcpy(row, &head, sizeof head);
    if (date)
        memcpy(row + ROW_HEAD_BYTES, date, sizeof *date);
    draft_fill(model, draft, row + ROW_HEAD_BYTES + date_bytes);
    return blob;
}

static void row_place(struct simpledb *model, struct row_domain *domain, int64_t slot,
                      uint32_t hash, const struct row_draft *draft, uint32_t blob)
{
    if (slot >= 0)
        domain->slot[slot].blob = blob;
    else
        index_insert(model, domain, draft->name, hash, blob);
}

/* While reads may be stale: in front of the older version. */
static void commit_dated(struct simpledb *model, struct row_domain *domain,
                         int64_t now_ns, int64_t slot, uint32_t hash,
                         const struct row_draft *draft)
{
    uint32_t older = slot >= 0 ? domain->slot[slot].blob : 0;
    if (older == 0 && draft->pairs == 0)
        return;
    struct row_date date = {now_ns, older, 0};
    uint32_t blob = new_row(model, draft, &date);
    row_place(model, domain, slot, hash, draft, blob);
    if (!older)
        return;
    struct row_past *past = past_next(domain);
    past->written_ns = now_ns;
    past->older = older;
    past->older_bytes = row_head(blobs_at(&model->blobs, older)).bytes;
    past->gone = draft->pairs ? 0 : blob;
}

/* Nobody can see the past. */
static void commit_plain(struct simpledb *model, struct row_domain *domain, int64_t slot,
                         uint32_t hash, const struct row_draft *draft)
{
    uint32_t older = slot >= 0 ? domain->slot[slot].blob : 0;
    if (draft->pairs)
        row_place(model, domain, slot, hash, draft, new_row(model, draft, NULL));
    else if (slot >= 0)
        index_remove(domain, (uint32_t)slot);
    if (older)
        free_row(model, older);
}

void row_commit(struct simpledb *model, struct row_domain *domain, int64_t now_ns,
                int64_t slot, uint32_t hash, const struct row_draft *draft)
{
    row_account(model, now_ns);
    count_row(model, domain, draft);
    if (model->params.window.points == 0)
        commit_plain(model, domain, slot, hash, draft);
    else
        commit_dated(model, domain, now_ns, slot, hash, draft);
}

void row_restore(struct simpledb *model, struct row_domain *domain, int64_t now_ns,
                 uint32_t hash, const struct row_draft *draft)
{
    row_account(model, now_ns);
    count_row(model, domain, draft);
    commit_plain(model, domain, -1, hash, draft);
}

void row_reset(struct row_domain *domain)
{
    struct row_domain kept = {
        .slot = domain->slot,
        .bits = domain->bits,
        .slots = domain->slots,
        .name_values = domain->name_values,
        .name_cap = domain->name_cap,
        .past = domain->past,
        .past_cap = domain->past_cap,
    };
    if (kept.slot && domain->used)
        index_clear(kept.slot, kept.slots);
    if (kept.name_values)
        memset(kept.name_values, 0, (size_t)kept.name_cap * sizeof *kept.name_values);
    *domain = kept;
}

void row_drop_all(struct simpledb *model, struct row_domain *domain, int64_t now_ns)
{
    row_account(model, now_ns);
    row_forget_until(model, domain, INT64_MAX);
    for (int64_t at = -1; (at = row_next(domain, at)) >= 0;)
        free_row(model, domain->slot[at].blob);
    const struct simpledb_stats *stats = &domain->stats;
    model->billed_bytes -= stats->item_bytes + stats->name_bytes + stats->value_bytes +
                           OVERHEAD_BYTES * (stats->items + stats->names + stats->values);
    free(domain->slot);
    free(domain->past);
    free(domain->name_values);
    *domain = (struct row_domain){0};
}
