/* draft.c - which pairs of a row stay and which come.
 *
 * Room:     models, the facts; internal to the SimpleDB model. */
#include "models/simpledb/draft.h"

#include "base/text.h"
#include "models/simpledb/call.h"

#include <assert.h>

enum { PAIR_HEAD = 4, PAIR_HEAD_LONG = 6 };

/* As memcpy; what rows are made of is mostly too short to be worth the call. */
static inline char *draft_copy(char *to, const char *from, size_t len)
{
    if (len > 64) {
        memcpy(to, from, len);
    } else if (len > 32) {
        uint64_t word[8];
        memcpy(word, from, 32);
        memcpy(word + 4, from + len - 32, 32);
        memcpy(to, word, 32);
        memcpy(to + len - 32, word + 4, 32);
    } else if (len >= 16) {
        uint64_t word[4];
        memcpy(word, from, 16);
        memcpy(word + 2, from + len - 16, 16);
        memcpy(to, word, 16);
        memcpy(to + len - 16, word + 2, 16);
    } else if (len >= 8) {
        uint64_t first, last;
        memcpy(&first, from, 8);
        memcpy(&last, from + len - 8, 8);
        memcpy(to, &first, 8);
        memcpy(to + len - 8, &last, 8);
    } else if (len >= 4) {
        uint32_t first, last;
        memcpy(&first, from, 4);
        memcpy(&last, from + len - 4, 4);
        memcpy(to, &first, 4);
        memcpy(to + len - 4, &last, 4);
    } else {
        for (size_t i = 0; i < len; i++)
            to[i] = from[i];
    }
    return to + len;
}

static inline char *put_pair(char *out, int32_t name, struct jobq_str value)
{
    if (__builtin_expect(name >= ROW_LONG_ID, 0)) {
        uint16_t high = (uint16_t)(name >> 16 | ROW_LONG_ID);
        memcpy(out, &high, 2);
        out += 2;
    }
    uint16_t head[2] = {(uint16_t)name, (uint16_t)value.len};
    if (value.ptr) {
        memcpy(out, head, sizeof head);
        return draft_copy(out + PAIR_HEAD, value.ptr, (size_t)value.len);
    }
    head[1] |= value.len ? ROW_PHANTOM : 0;
    memcpy(out, head, sizeof head);
    return out + PAIR_HEAD;
}

void draft_fill(const struct simpledb *model, const struct row_draft *draft, char *out)
{
    int32_t runs = draft->run_count, count = draft->attr_count;
    const struct row_run *run = draft->run;
    const struct jobq_attr *attr = draft->attr;
    const int32_t *id = draft->id;
    out = draft_copy(out, draft->name.ptr, (size_t)draft->name.len);
    if (runs < 0) {
        memcpy(out, model->scratch + draft->image_at, draft->bytes);
        return;
    }
    for (int32_t i = 0; i < runs; i++)
        out = draft_copy(out, run[i].from, run[i].bytes);
    for (int32_t i = 0; i < count; i++)
        out = put_pair(out, id[i], attr[i].value);
}

bool draft_same_value(const struct row_pair *pair, struct jobq_str value)
{
    const char *a = pair->phantom ? row_phantom_bytes() : pair->bytes;
    const char *b = value.ptr ? value.ptr : row_phantom_bytes();
    return pair->len == value.len && memcmp(a, b, pair->len) == 0;
}

void draft_begin(struct simpledb *model, const struct jobq_item *item, int item_count)
{
    uint32_t need = 0;
    for (int i = 0; i < item_count; i++)
        need += (uint32_t)item[i].attr_count;
    if (need > model->id_cap) {
        model->id_cap = 2 * need;
        model->id = xrealloc(model->id, model->id_cap * sizeof *model->id);
    }
    model->id_count = 0;
    model->scratch_used = 0;
    model->change_count = 0;
}

void draft_look(const char *row, struct row_held *held)
{
    held->values = 0;
    if (!row || held->name < 0)
        return;
    const char *at = row_name(row) + row_head(row).name_len;
    for (int i = row_head(row).pairs & ROW_PAIRS; i > 0; i--) {
        struct row_pair pair = row_pair(at);
        if (pair.name == held->name && held->values++ == 0)
            held->first = pair;
        at = pair.next;
    }
}

/* ---- by pieces ----------------------------------------------------------------------- */

/* Ids of the names of a put. The usual name, short and known and where its probe begins, costs
 * no call. */
static inline void name_ids(struct simpledb *model, const struct jobq_item *item,
                            int32_t *id)
{
    const struct jobq_attr *attr = item->attr, *end = attr + item->attr_count;
    for (; attr < end; attr++, id++) {
        struct jobq_str name = attr->name;
        if (name.len <= 8) {
            uint64_t word = row_word(name.ptr, name.len);
            const struct name_slot *slot =
                &model->names.slot[names_home(&model->names, word, name.len)];
            *id = slot->id - 1;
            if (slot->word == word && slot->len == name.len && slot->id)
                continue;
        }
        *id = names_intern(&model->names, name);
    }
}

/* What the pairs of a put take in a row, and their names marked for replacement under serial.
 * False: this write is not so simple, for a name comes twice or is to be added to its old
 * values. */
static inline bool new_pairs(struct name_mark *marks, const struct jobq_item *item,
                             const int32_t *id, uint32_t serial, struct row_draft *d)
{
    int32_t count = item->attr_count, all_ids = 0;
    uint32_t bytes = (uint32_t)count * PAIR_HEAD;
    int64_t value_bytes = 0;
    bool simple = count <= DRAFT_ATTRS, is_new = d->old == NULL;
    const struct jobq_attr *attr = item->attr;
    for (int32_t i = 0; i < count; i++, attr++) {
        uint32_t *replace = &marks[id[i]].replace;
        simple &= (*replace != serial) & (attr->replace | is_new);
        *replace = serial;
        all_ids |= id[i];
        bytes += attr->value.ptr ? (uint32_t)attr->value.len : 0;
        value_bytes += attr->value.len;
    }
    for (int32_t i = 0; all_ids >= ROW_LONG_ID && i < count; i++)
        bytes += id[i] >= ROW_LONG_ID ? PAIR_HEAD_LONG - PAIR_HEAD : 0;
    d->attr = item->attr;
    d->attr_count = d->pairs = count;
    d->id = id;
    d->bytes = bytes;
    d->value_bytes = (int32_t)value_bytes;
    return simple;
}

/* Counts an old pair that goes. */
static inline void note_removed(struct row_draft *d, int32_t name)
{
    int k = 0;
    while (d->id[k] != name)
        k++;
    d->removed[k]++;
}

/* Splits the old row at the pairs that go, whose names are marked. False: into too many
 * pieces. */
static inline bool keep_runs(const struct name_mark *marks, uint32_t serial,
                             struct row_held *held, struct row_draft *d)
{
    struct row_head head = row_head(d->old);
    const char *at = row_name(d->old) + head.name_len, *run = at;
    int count = head.pairs & ROW_PAIRS, gone = 0, values = 0, runs = 0;
    int32_t looked_for = held->name, gone_bytes = 0;
    uint32_t bytes = 0;
    for (int i = count; i > 0; i--) {
        const char *from = at;
        uint32_t word = row_pair_word(at);
        int32_t name = (int32_t)(word & 0xffff), len = (int32_t)(word >> 16);
        at += PAIR_HEAD + len;
        if (word & ROW_SPECIAL) {
            struct row_pair pair = row_pair(from);
            name = pair.name;
            len = (int32_t)pair.len;
            at = pair.next;
        }
        if (name == looked_for && values++ == 0)
            held->first = row_pair(from);
        if (marks[name].replace != serial)
            continue;
        note_removed(d, name);
        gone++;
        gone_bytes += len;
        if (run < from) {
            if (runs == DRAFT_RUNS)
                return false;
            d->run[runs++] = (struct row_run){run, (uint32_t)(from - run)};
            bytes += (uint32_t)(from - run);
        }
        run = at;
    }
    if (run < at) {
        if (runs == DRAFT_RUNS)
            return false;
        d->run[runs++] = (struct row_run){run, (uint32_t)(at - run)};
        bytes += (uint32_t)(at - run);
    }
    d->run_count = runs;
    d->pairs += count - gone;
    d->bytes += bytes;
    d->value_bytes -= gone_bytes;
    held->values = values;
    return true;
}

/* False: the write is not so simple. */
static inline bool by_pieces(struct simpledb *model, const struct jobq_item *item,
                             const int32_t *id, uint32_t serial, struct row_held *held,
                             struct row_draft *d)
{
    if (!new_pairs(model->mark, item, id, serial, d))
        return false;
    d->run_count = 0;
    d->change_at = d->change_count = 0;
    memset(d->removed, 0, sizeof d->removed);
    held->values = 0;
    return !d->old || keep_runs(model->mark, serial, held, d);
}

/* ---- by image ------------------------------------------------------------------------ */

static char *scratch_for(struct simpledb *model, uint64_t bytes)
{
    uint64_t need = model->scratch_used + bytes;
    assert(need < UINT32_MAX / 2);
    if (need > model->scratch_bytes) {
        uint32_t grown = model->scratch_bytes ? model->scratch_bytes : 4096;
        while (grown < need)
            grown *= 2;
        model->scratch = xrealloc(model->scratch, grown);
        model->scratch_bytes = grown;
    }
    return model->scratch + model->scratch_used;
}

/* Room for the changes of one more row: each of its old pairs may go, each new one come. */
static void reserve_changes(struct simpledb *model)
{
    uint32_t need = model->change_count + 2 * ROW_PAIRS_MAX;
    if (need <= model->change_cap)
        return;
    model->change_cap = 2 * need;
    model->change = xrealloc(model->change, model->change_cap * sizeof *model->change);
}

static inline void note_change(struct simpledb *model, int32_t name, int sign)
{
    model->change[model->change_count++] = (struct row_change){name, sign};
}

/* Begins an image, which has room for the old pairs and those of item. */
static char *open_image(struct simpledb *model, const struct jobq_item *item,
                        struct row_draft *d)
{
    uint64_t bytes = d->old ? row_head(d->old).bytes : 0;
    for (int i = 0; i < item->attr_count; i++)
        bytes += PAIR_HEAD_LONG + (uint64_t)item->attr[i].value.len;
    reserve_changes(model);
    d->run_count = -1;
    d->attr_count = 0;
    d->pairs = 0;
    d->value_bytes = 0;
    d->image_at = model->scratch_used;
    d->change_at = model->change_count;
    return scratch_for(model, bytes);
}

static void close_image(struct simpledb *model, const char *end, struct row_draft *d)
{
    d->bytes = (uint32_t)(end - (model->scratch + d->image_at));
    d->change_count = model->change_count - d->change_at;
    model->scratch_used += d->bytes;
}

static bool has_pair(const char *at, const char *end, int32_t name, struct jobq_str value)
{
    while (at < end) {
        struct row_pair pair = row_pair(at);
        if (pair.name == name && draft_same_value(&pair, value))
            return true;
        at = pair.next;
    }
    return false;
}

/* The pairs of the old row that stay: those whose name is not marked for replacement. Marks
 * the names that stay as seen. */
static char *keep_pairs(struct simpledb *model, uint32_t serial, char *out,
                        struct row_draft *d)
{
    struct row_head head = row_head(d->old);
    const char *at = row_name(d->old) + head.name_len;
    for (int i = head.pairs & ROW_PAIRS; i > 0; i--) {
        struct row_pair pair = row_pair(at);
        struct name_mark *mark = &model->mark[pair.name];
        if (mark->replace == serial) {
            note_change(model, pair.name, -1);
            d->value_bytes -= (int32_t)pair.len;
        } else {
            out = draft_copy(out, at, (size_t)(pair.next - at));
            mark->seen = serial;
            d->pairs++;
        }
        at = pair.next;
    }
    return out;
}

static void by_image(struct simpledb *model, const struct jobq_item *item,
                     const int32_t *id, struct row_draft *d)
{
    uint32_t serial = call_serial(model);
    struct name_mark *marks = model->mark;
    for (int i = 0; i < item->attr_count; i++) {
        if (item->attr[i].replace)
            marks[id[i]].replace = serial;
    }
    char *first = open_image(model, item, d);
    char *out = d->old ? keep_pairs(model, serial, first, d) : first;
    for (int i = 0; i < item->attr_count; i++) {
        struct jobq_str value = item->attr[i].value;
        /* A row is a set of pairs: one that is there is not added again. */
        if (marks[id[i]].seen == serial && has_pair(first, out, id[i], value))
            continue;
        marks[id[i]].seen = serial;
        out = put_pair(out, id[i], value);
        note_change(model, id[i], 1);
        d->value_bytes += (int32_t)value.len;
        d->pairs++;
    }
    close_image(model, out, d);
}

/* ---- drafts -------------------------------------------------------------------------- */

void draft_put(struct simpledb *model, const char *old, const struct jobq_item *item,
               struct row_held *held, struct row_draft *out)
{
    int32_t *id = model->id + model->id_count;
    model->id_count += (uint32_t)item->attr_count;
    assert(model->id_count <= model->id_cap);
    out->name = item->name;
    out->old = old;
    out->nothing = false;
    name_ids(model, item, id);
    if (by_pieces(model, item, id, call_serial(model), held, out))
        return;
    by_image(model, item, id, out);
    draft_look(old, held);
}

/* Does a pair go? By name, if the call names it alone, or by name and value. */
static bool draft_goes(const struct simpledb *model, uint32_t serial,
                       const struct jobq_item *item, const struct row_pair *pair)
{
    struct name_mark mark = model->mark[pair->name];
    if (item->attr_count == 0 || mark.replace == serial)
        return true;
    for (int i = 0; i < item->attr_count && mark.seen == serial; i++)
        if (item->attr[i].value.len > 0 &&
            str_eq(item->attr[i].name, model->names.str[pair->name]) &&
            draft_same_value(pair, item->attr[i].value))
            return true;
    return false;
}

void draft_delete(struct simpledb *model, const char *old, const struct jobq_item *item,
                  struct row_draft *out)
{
    out->name = item->name;
    out->old = old;
    out->nothing = true;
    if (!old)
        return;
    uint32_t serial = call_serial(model);
    for (int i = 0; i < item->attr_count; i++) {
        int32_t name = names_find(&model->names, item->attr[i].name);
        if (name >= 0 && item->attr[i].value.len == 0)
            model->mark[name].replace = serial;
        else if (name >= 0)
            model->mark[name].seen = serial;
    }
    char *to = open_image(model, item, out);
    const char *at = row_name(old) + row_head(old).name_len;
    for (int i = row_head(old).pairs & ROW_PAIRS; i > 0; i--) {
        struct row_pair pair = row_pair(at);
        if (draft_goes(model, serial, item, &pair)) {
            note_change(model, pair.name, -1);
            out->value_bytes -= (int32_t)pair.len;
            out->nothing = false;
        } else {
            to = draft_copy(to, at, (size_t)(pair.next - at));
            out->pairs++;
        }
        at = pair.next;
    }
    close_image(model, to, out);
}
