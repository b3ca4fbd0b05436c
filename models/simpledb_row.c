/* simpledb_row.c - the index, the past and the accounts of rows.
 *
 * Room:     models, the facts; internal to the SimpleDB model. */
#include "models/simpledb_row.h"

#include <assert.h>
#include <stdlib.h>

#define X16 "xxxxxxxxxxxxxxxx"
#define X256 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16
static const char phantom_bytes[ROW_STRING_MAX + 1] = X256 X256 X256 X256;

const char *row_phantom_bytes(void)
{
    return phantom_bytes;
}

/* ---- the index ----------------------------------------------------------------------- */

static uint32_t home(const struct row_domain *domain, uint32_t hash)
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

int64_t row_find(const struct simpledb *model, const struct row_domain *domain,
                 struct jobq_str name, uint32_t hash)
{
    if (domain->used == 0)
        return -1;
    for (uint32_t at = home(domain, hash); at < domain->slots; at++) {
        const struct row_slot *slot = &domain->slot[at];
        if (slot->blob == 0 || slot->hash > hash)
            return -1;
        if (slot->hash == hash) {
            int order = slot_cmp(model, slot, name, hash);
            if (order == 0)
                return at;
            if (order > 0)
                return -1;
        }
    }
    return -1;
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
    int64_t at = (int64_t)home(domain, hash) - 1;
    while ((at = row_next(domain, at)) >= 0) {
        int order = slot_cmp(model, &domain->slot[at], name, hash);
        if (order > 0 || (order == 0 && !after))
            return at;
    }
    return -1;
}

/* Rebuild with 2^bits homes and room for `over` slots behind them. Order is kept, so that
 * one pass does it; grows `over` where the last rows do not fit. */
static void index_build(struct row_domain *domain, uint32_t bits, uint32_t over)
{
    const struct row_slot *old = domain->slot;
    for (;; over *= 2) {
        uint32_t slots = (1u << bits) + over;
        struct row_slot *slot = xmalloc_huge(slots * sizeof *slot);
        memset(slot, 0, slots * sizeof *slot);
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
        uint32_t at = home(domain, hash);
        while (at < domain->slots && domain->slot[at].blob &&
               slot_cmp(model, &domain->slot[at], name, hash) < 0)
            at++;
        uint32_t end = at;
        while (end < domain->slots && domain->slot[end].blob)
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
    while (end < domain->slots && domain->slot[end].blob &&
           home(domain, domain->slot[end].hash) < end)
        end++;
    memmove(&domain->slot[at], &domain->slot[at + 1],
            (end - 1 - at) * sizeof *domain->slot);
    domain->slot[end - 1].blob = 0;
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

static void past_push(struct row_domain *domain, struct row_past entry)
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
    domain->past[tail] = entry;
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

static void forget(struct simpledb *model, struct row_domain *domain, int64_t until_ns)
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
    forget(model, domain, now_ns - window_ns(&model->params));
}

void row_forget_all(struct simpledb *model, struct row_domain *domain)
{
    forget(model, domain, INT64_MAX);
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

static void count_change(struct simpledb *model, struct row_domain *domain,
                         const struct row_change *change, uint32_t change_count)
{
    int64_t values = 0, value_bytes = 0;
    for (uint32_t i = 0; i < change_count; i++) {
        struct row_change c = change[i];
        if (c.name >= domain->name_cap)
            grow_name_values(domain, c.name);
        int32_t count = domain->name_values[c.name] += c.sign;
        if (count == (c.sign > 0 ? 1 : 0)) {
            int64_t bytes = model->names.str[c.name].len;
            domain->stats.names += c.sign;
            domain->stats.name_bytes += c.sign * bytes;
            model->billed_bytes += c.sign * (bytes + OVERHEAD_BYTES);
        }
        values += c.sign;
        value_bytes += c.sign * c.value_bytes;
    }
    domain->stats.values += values;
    domain->stats.value_bytes += value_bytes;
    model->billed_bytes += value_bytes + OVERHEAD_BYTES * values;
}

/* The account of a row that is written, removed or made (slot < 0: it is not there). */
static void count_row(struct simpledb *model, struct row_domain *domain, int64_t slot,
                      const char *image, const struct row_change *change,
                      uint32_t change_count)
{
    struct row_head head = row_head(image);
    int was =
        slot >= 0 && (row_head(blobs_at(&model->blobs, domain->slot[slot].blob)).pairs &
                      ROW_PAIRS) != 0;
    int more = (head.pairs != 0) - was;
    domain->stats.items += more;
    domain->stats.item_bytes += more * head.name_len;
    model->billed_bytes += more * (head.name_len + OVERHEAD_BYTES);
    count_change(model, domain, change, change_count);
}

/* ---- writing ------------------------------------------------------------------------- */

/* The image as a blob with its date, in front of the older version. */
static uint32_t dated_row(struct simpledb *model, int64_t now_ns, const char *image,
                          uint32_t older)
{
    struct row_head head = row_head(image);
    uint32_t body = head.bytes - ROW_HEAD_BYTES;
    uint32_t blob = blobs_alloc(&model->blobs, head.bytes + ROW_DATE_BYTES);
    char *row = blobs_at(&model->blobs, blob);
    head.bytes += ROW_DATE_BYTES;
    head.pairs |= ROW_DATED | (head.pairs ? 0 : ROW_GONE);
    struct row_date date = {now_ns, older, 0};
    memcpy(row, &head, sizeof head);
    memcpy(row + ROW_HEAD_BYTES, &date, sizeof date);
    memcpy(row + ROW_HEAD_BYTES + ROW_DATE_BYTES, image + ROW_HEAD_BYTES, body);
    return blob;
}

static void commit_dated(struct simpledb *model, struct row_domain *domain,
                         int64_t now_ns, int64_t slot, uint32_t hash, const char *image)
{
    struct row_head head = row_head(image);
    struct jobq_str name = {image + ROW_HEAD_BYTES, head.name_len};
    uint32_t older = slot >= 0 ? domain->slot[slot].blob : 0;
    if (older == 0 && head.pairs == 0)
        return;
    uint32_t blob = dated_row(model, now_ns, image, older);
    if (slot >= 0)
        domain->slot[slot].blob = blob;
    else
        index_insert(model, domain, name, hash, blob);
    if (older)
        past_push(domain,
                  (struct row_past){
                      .written_ns = now_ns,
                      .older = older,
                      .older_bytes = row_head(blobs_at(&model->blobs, older)).bytes,
                      .gone = head.pairs ? 0 : blob,
                  });
}

/* Nobody can see the past: the old row's memory is the new row's, if it fits. */
static void commit_plain(struct simpledb *model, struct row_domain *domain, int64_t slot,
                         uint32_t hash, const char *image)
{
    struct row_head head = row_head(image);
    uint32_t blob = 0;
    if (slot >= 0) {
        blob = domain->slot[slot].blob;
        uint32_t old_bytes = row_head(blobs_at(&model->blobs, blob)).bytes;
        if (head.pairs == 0 || blobs_class(old_bytes) != blobs_class(head.bytes)) {
            blobs_free(&model->blobs, blob, old_bytes);
            blob = 0;
        }
    }
    if (head.pairs == 0) {
        if (slot >= 0)
            index_remove(domain, (uint32_t)slot);
        return;
    }
    if (blob == 0)
        blob = blobs_alloc(&model->blobs, head.bytes);
    memcpy(blobs_at(&model->blobs, blob), image, head.bytes);
    if (slot >= 0)
        domain->slot[slot].blob = blob;
    else
        index_insert(model, domain,
                     (struct jobq_str){image + ROW_HEAD_BYTES, head.name_len}, hash,
                     blob);
}

void row_commit(struct simpledb *model, struct row_domain *domain, int64_t now_ns,
                int64_t slot, uint32_t hash, const char *image,
                const struct row_change *change, uint32_t change_count)
{
    row_account(model, now_ns);
    count_row(model, domain, slot, image, change, change_count);
    if (model->params.window.points == 0)
        commit_plain(model, domain, slot, hash, image);
    else
        commit_dated(model, domain, now_ns, slot, hash, image);
}

void row_restore(struct simpledb *model, struct row_domain *domain, int64_t now_ns,
                 int64_t slot, uint32_t hash, const char *image,
                 const struct row_change *change, uint32_t change_count)
{
    row_account(model, now_ns);
    count_row(model, domain, slot, image, change, change_count);
    commit_plain(model, domain, slot, hash, image);
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
        memset(kept.slot, 0, kept.slots * sizeof *kept.slot);
    if (kept.name_values)
        memset(kept.name_values, 0, (size_t)kept.name_cap * sizeof *kept.name_values);
    *domain = kept;
}

void row_drop_all(struct simpledb *model, struct row_domain *domain, int64_t now_ns)
{
    row_account(model, now_ns);
    forget(model, domain, INT64_MAX);
    for (int64_t at = -1; (at = row_next(domain, at)) >= 0;)
        free_row(model, domain->slot[at].blob);
    const struct jobq_domain_stats *stats = &domain->stats;
    model->billed_bytes -= stats->item_bytes + stats->name_bytes + stats->value_bytes +
                           OVERHEAD_BYTES * (stats->items + stats->names + stats->values);
    free(domain->slot);
    free(domain->past);
    free(domain->name_values);
    *domain = (struct row_domain){0};
}
