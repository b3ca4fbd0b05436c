#include "sim/mock/state/state.h"

#include "models/sqs/admin.h"
#include "sim/mock/dynamodb/json.h"
#include "sim/mock/ec2/launch.h"
#include "sim/mock/state/db.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char schema[] =
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=NORMAL;"
    "CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS region(number INTEGER PRIMARY KEY, name);"
    "CREATE TABLE IF NOT EXISTS queue(region, name, number, created, visibility, delay,"
    " retention, wait, bytes, dead, receives, allow, allowed, fifo, content, scope,"
    " throughput, changed, PRIMARY KEY(region, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS note(region, queue, kind, name, value,"
    " PRIMARY KEY(region, queue, kind, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS message(region, id, queue, sequence, receipt, state, "
    "sent,"
    " first, received, due, receives, source, phantom, leaked, extra, body,"
    " PRIMARY KEY(region, id)) WITHOUT ROWID;"
    /* What FIFO queues remember of deleted messages. */
    "CREATE TABLE IF NOT EXISTS dedup(region, id, queue, sent, extra,"
    " PRIMARY KEY(region, id)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS move(region, id, source, destination, name, asked, rate,"
    " status, started, moved, total, PRIMARY KEY(region, id)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS domain(region, name, PRIMARY KEY(region, name))"
    " WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS row(region, domain, item, image,"
    " PRIMARY KEY(region, domain, item)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS dynamodb_table(region, name, image,"
    " PRIMARY KEY(region, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS dynamodb_item(region, name, key, image,"
    " PRIMARY KEY(region, name, key)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS box(region, number, id, reservation, ip, image, data,"
    " token, key, type, state, reason, spot, request, launch, launched, running, notice,"
    " taken, ended, gone, boot, print, tags, extra, zone, stops, spans,"
    " PRIMARY KEY(region, number)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS resource(region, kind, id, query,"
    " PRIMARY KEY(region, kind, id)) WITHOUT ROWID;";

enum { DEDUPS_KEPT = 1000, FILE_MARK = 0x6a6f6271 /* "jobq" */, FILE_VERSION = 5 };

static const char *const sql[STATE_SQL_COUNT] = {
    [STATE_BEGIN] = "BEGIN",
    [STATE_COMMIT] = "COMMIT",
    [STATE_META] = "INSERT OR REPLACE INTO meta VALUES(?,?)",
    [STATE_REGION] = "INSERT OR REPLACE INTO region VALUES(?,?)",
    [STATE_QUEUE] =
        "INSERT OR REPLACE INTO queue VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [STATE_QUEUE_GONE] = "DELETE FROM queue WHERE region=? AND name=?",
    [STATE_NOTE] = "INSERT OR REPLACE INTO note VALUES(?,?,?,?,?)",
    [STATE_NOTES_GONE] = "DELETE FROM note WHERE region=? AND queue=?",
    /* A message that another queue redrove keeps its id and enters at the end. */
    [STATE_MESSAGE] =
        "INSERT INTO message VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO "
        "UPDATE "
        "SET sequence=iif(queue=excluded.queue, sequence, excluded.sequence),"
        " queue=excluded.queue, receipt=excluded.receipt, state=excluded.state,"
        " sent=excluded.sent, first=excluded.first, received=excluded.received,"
        " due=excluded.due, receives=excluded.receives, source=excluded.source,"
        " leaked=excluded.leaked",
    [STATE_MESSAGE_GONE] = "DELETE FROM message WHERE region=? AND id=?",
    [STATE_DEDUP] = ("INSERT OR REPLACE INTO dedup "
                     "SELECT region, id, queue, sent, extra FROM message "
                     "WHERE region=? AND id=?"),
    [STATE_DEDUP_OLD] = "DELETE FROM dedup WHERE sent<?",
    [STATE_DEDUP_GONE] = "DELETE FROM dedup WHERE region=? AND queue=?",
    [STATE_MOVE] = "INSERT OR REPLACE INTO move VALUES(?,?,?,?,?,?,?,?,?,?,?)",
    [STATE_MOVES_GONE] = "DELETE FROM move WHERE region=?",
    [STATE_DOMAIN] = "INSERT OR REPLACE INTO domain VALUES(?,?)",
    [STATE_DOMAIN_GONE] = "DELETE FROM domain WHERE region=? AND name=?",
    [STATE_DOMAIN_ROWS_GONE] = "DELETE FROM row WHERE region=? AND domain=?",
    [STATE_ROW] = "INSERT OR REPLACE INTO row VALUES(?,?,?,?)",
    [STATE_ROW_GONE] = "DELETE FROM row WHERE region=? AND domain=? AND item=?",
    [STATE_TABLE] = "INSERT OR REPLACE INTO dynamodb_table VALUES(?,?,?)",
    [STATE_TABLE_GONE] = "DELETE FROM dynamodb_table WHERE region=? AND name=?",
    [STATE_TABLE_ITEMS_GONE] = "DELETE FROM dynamodb_item WHERE region=? AND name=?",
    [STATE_ITEM] = "INSERT OR REPLACE INTO dynamodb_item VALUES(?,?,?,?)",
    [STATE_ITEM_GONE] = "DELETE FROM dynamodb_item WHERE region=? AND name=? AND key=?",
    [STATE_BOX] = ("INSERT OR REPLACE INTO box "
                   "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"),
    [STATE_RESOURCE] = "INSERT OR REPLACE INTO resource VALUES(?,?,?,?)",
    [STATE_RESOURCE_GONE] = "DELETE FROM resource WHERE region=? AND kind=? AND id=?",
};

/* ---- statements ----------------------------------------------------------------------- */

static void give_up(const struct mock_state *state)
{
    fprintf(stderr, "jobqmock: --state cannot be written: %s\n",
            sqlite3_errmsg(state->db));
    /* Replies of this turn promise what is not on file; they must not leave. */
    _exit(1);
}

const char *state_said(const struct mock_state *state, char out[STATE_SAID_BYTES])
{
    const char *text = sqlite3_errmsg(state->db);
    return text_escape(text, (int64_t)strlen(text), out, STATE_SAID_BYTES);
}

static void bind(sqlite3_stmt *to, const char *types, va_list args)
{
    for (int i = 0; types[i]; i++) {
        if (types[i] == 'i') {
            sqlite3_bind_int64(to, i + 1, va_arg(args, int64_t));
        } else if (types[i] == 'd') {
            sqlite3_bind_double(to, i + 1, va_arg(args, double));
        } else {
            struct jobq_str s = va_arg(args, struct jobq_str);
            sqlite3_bind_blob64(to, i + 1, s.len > 0 ? s.ptr : "",
                                (sqlite3_uint64)(s.len > 0 ? s.len : 0), SQLITE_STATIC);
        }
    }
}

static void step(struct mock_state *state, enum state_sql which)
{
    if (sqlite3_step(state->statement[which]) != SQLITE_DONE)
        give_up(state);
    sqlite3_reset(state->statement[which]);
}

void state_run(struct mock_state *state, enum state_sql which, const char *types, ...)
{
    va_list args;
    if (!state->changed) {
        state->changed = true;
        step(state, STATE_BEGIN);
    }
    va_start(args, types);
    bind(state->statement[which], types, args);
    va_end(args);
    step(state, which);
}

void state_put_string(struct text *out, struct jobq_str s)
{
    uint64_t len = s.len > 0 ? (uint64_t)s.len : 0;
    char head[4] = {(char)(len >> 24), (char)(len >> 16), (char)(len >> 8), (char)len};
    text_put(out, head, 4);
    if (len > 0)
        text_put(out, s.ptr, len);
}

bool state_take_string(struct jobq_str *image, struct jobq_str *out)
{
    if (image->len < 4)
        return false;
    const unsigned char *head = (const unsigned char *)image->ptr;
    int64_t len = (int64_t)head[0] << 24 | (int64_t)head[1] << 16 |
                  (int64_t)head[2] << 8 | (int64_t)head[3];
    if (len > image->len - 4)
        return false;
    *out = (struct jobq_str){image->ptr + 4, len};
    image->ptr += 4 + len;
    image->len -= 4 + len;
    return true;
}

/* ---- changes --------------------------------------------------------------------------- */

void state_clock(struct mock_state *state)
{
    if (state)
        state_run(state, STATE_META, "si", STR("clock"), mock_now_ns(state->mock));
}

/* A FIFO queue knows a message for minutes after it was deleted. */
static void note_dedup(struct mock_state *state, const struct mock_region *region,
                       int queue, const struct sqs_message *m)
{
    struct jobq_str name = sqs_name(region->sqs, queue);
    if (name.len < 5 || memcmp(name.ptr + name.len - 5, ".fifo", 5) != 0)
        return;
    state_run(state, STATE_DEDUP, "ii", (int64_t)region->index, (int64_t)m->id);
    if (++state->deduped < DEDUPS_KEPT)
        return;
    state->deduped = 0;
    state_run(state, STATE_DEDUP_OLD, "i",
              mock_now_ns(state->mock) - state->mock->models.sqs.dedup_window_ns);
}

void state_forget(struct mock_state *state, const struct mock_region *region, int queue)
{
    if (state)
        state_run(state, STATE_DEDUP_GONE, "ii", (int64_t)region->index, (int64_t)queue);
}

void state_moves(struct mock_state *state, const struct mock_region *region)
{
    const struct sqs_move *m;
    int64_t number = region->index;
    if (!state)
        return;
    state_run(state, STATE_MOVES_GONE, "i", number);
    for (int i = 0; (m = sqs_move_at(region->sqs, i)) != NULL; i++)
        state_run(state, STATE_MOVE, "iiiisddiiii", number, (int64_t)m->id,
                  (int64_t)m->source, (int64_t)m->destination,
                  str_of(m->destination_name), m->asked_per_s, m->per_s,
                  (int64_t)m->status, m->started_at_ns, m->moved, m->to_move);
}

/* Tasks go on by themselves; what they moved is in the same transaction. */
static void note_running_moves(struct mock_state *state)
{
    const struct sqs_move *m;
    for (int r = 0; r < state->mock->region_count; r++) {
        bool running = false;
        for (int i = 0; (m = sqs_move_at(state->mock->region[r]->sqs, i)) != NULL; i++)
            running = running || m->status == SQS_MOVE_RUNNING;
        if (running)
            state_moves(state, state->mock->region[r]);
    }
}

void state_commit(void *ctx)
{
    struct mock_state *state = ctx;
    if (!state->changed)
        return;
    state_clock(state);
    note_running_moves(state);
    step(state, STATE_COMMIT);
    state->changed = false;
}

static void note_message(void *ctx, enum sqs_event event, int queue,
                         const struct sqs_message *m)
{
    const struct mock_region *region = ctx;
    struct mock_state *state = region->state;
    int64_t number = region->index;
    if (event == SQS_EVENT_GONE) {
        note_dedup(state, region, queue, m);
        state_run(state, STATE_MESSAGE_GONE, "ii", number, (int64_t)m->id);
        return;
    }
    state_run(state, STATE_MESSAGE, "iiiiiiiiiiiiiiss", number, (int64_t)m->id,
              (int64_t)queue, ++state->sequence, (int64_t)m->receipt.bits,
              (int64_t)m->state, m->sent_at_ns, m->first_received_at_ns,
              m->received_at_ns, m->due_at_ns, (int64_t)m->receive_count,
              (int64_t)m->source_queue, m->phantom_bytes, (int64_t)m->leaked, m->extra,
              m->body);
}

void state_region(struct mock_state *state, const struct mock_region *region)
{
    if (!state)
        return;
    struct mock_region *watched = state->mock->region[region->index];
    watched->state = state;
    sqs_watch(region->sqs, note_message, watched);
    state_run(state, STATE_REGION, "is", (int64_t)region->index, str_of(region->name));
}

static void note_notes(struct mock_state *state, const struct mock_region *region,
                       int queue)
{
    static const enum sqs_note_kind kinds[] = {SQS_NOTE_ATTRIBUTE, SQS_NOTE_TAG};
    state_run(state, STATE_NOTES_GONE, "ii", (int64_t)region->index, (int64_t)queue);
    for (int k = 0; k < 2; k++)
        for (int i = 0;; i++) {
            const struct sqs_note *note = sqs_note_at(region->sqs, queue, kinds[k], i);
            if (!note)
                break;
            state_run(state, STATE_NOTE, "iiiss", (int64_t)region->index, (int64_t)queue,
                      (int64_t)kinds[k], note->name, note->value);
        }
}

void state_queue(struct mock_state *state, const struct mock_region *region,
                 struct jobq_str name)
{
    struct sqs_queue_info info;
    struct jobq_error err;
    if (!state)
        return;
    int queue = sqs_find(region->sqs, name);
    int64_t number = region->index;
    if (queue < 0) {
        state_run(state, STATE_QUEUE_GONE, "is", number, name);
        return;
    }
    if (sqs_info(region->sqs, mock_now_ns(state->mock), queue, &info, &err) != SQS_OK)
        return;
    const struct sqs_settings *s = &info.settings;
    struct text *allowed = &state->scratch;
    text_clear(allowed);
    for (int i = 0; i < s->allow_count; i++)
        state_put_string(allowed, s->allow_name[i]);
    /* The second bit: what was set is not what it was made with. */
    int64_t scope = s->dedup_by_group | (s->dedup_by_group != info.dedup_made_by_group)
                                            << 1;
    state_run(state, STATE_QUEUE, "isiiiiiiiiiisiiiii", number, name, (int64_t)queue,
              info.created_at_ns, s->visibility_ns, s->delay_ns, s->retention_ns,
              s->wait_ns, s->message_bytes_max, (int64_t)s->redrive_queue,
              (int64_t)s->redrive_receives, (int64_t)s->allow, text_str(allowed),
              (int64_t)s->fifo, (int64_t)s->content_dedup, scope,
              (int64_t)s->throughput_by_group, info.changed_at_ns);
    note_notes(state, region, queue);
}

void state_domain(struct mock_state *state, const struct mock_region *region,
                  struct jobq_str name)
{
    if (!state)
        return;
    int domain = simpledb_domain_find(region->sdb, name);
    if (domain >= 0 && simpledb_domain_exists(region->sdb, domain)) {
        state_run(state, STATE_DOMAIN, "is", (int64_t)region->index, name);
        return;
    }
    state_run(state, STATE_DOMAIN_GONE, "is", (int64_t)region->index, name);
    state_run(state, STATE_DOMAIN_ROWS_GONE, "is", (int64_t)region->index, name);
}

void state_row(struct mock_state *state, const struct mock_region *region, int domain,
               struct jobq_str item)
{
    struct simpledb_reply reply;
    struct jobq_error err;
    struct jobq_item row;
    if (!state ||
        simpledb_get(region->sdb, mock_now_ns(state->mock), 0.5, domain, item, NULL, 0,
                     true, &state->mock->arena, &row, &reply, &err) < 0)
        return;
    struct jobq_str name = simpledb_domain_name(region->sdb, domain);
    if (row.attr_count == 0) {
        state_run(state, STATE_ROW_GONE, "iss", (int64_t)region->index, name, item);
        return;
    }
    struct text *image = &state->scratch;
    text_clear(image);
    for (int i = 0; i < row.attr_count; i++) {
        state_put_string(image, row.attr[i].name);
        state_put_string(image, row.attr[i].value);
    }
    state_run(state, STATE_ROW, "isss", (int64_t)region->index, name, item,
              text_str(image));
}

void state_table(struct mock_state *state, const struct mock_region *region,
                 struct jobq_str name)
{
    if (!state)
        return;
    int table = dynamodb_find_table(region->dynamodb, name);
    if (table >= 0) {
        const struct dynamodb_table *t = dynamodb_table(region->dynamodb, table);
        struct text *image = &state->scratch;
        text_clear(image);
        state_put_string(image, (struct jobq_str){(const char *)t, (int64_t)sizeof *t});
        for (int i = 0; i < t->index_count; i++) {
            const struct dynamodb_index *x = &t->index[i];
            state_put_string(image,
                             (struct jobq_str){(const char *)x, (int64_t)sizeof *x});
            for (int k = 0; k < x->non_key_count; k++)
                state_put_string(image, str_of(x->non_key[k]));
        }
        state_run(state, STATE_TABLE, "iss", (int64_t)region->index, name,
                  text_str(image));
        return;
    }
    state_run(state, STATE_TABLE_GONE, "is", (int64_t)region->index, name);
    state_run(state, STATE_TABLE_ITEMS_GONE, "is", (int64_t)region->index, name);
}

void state_item(struct mock_state *state, const struct mock_region *region, int table,
                const struct dynamodb_item *key)
{
    if (!state)
        return;
    const struct dynamodb_table *t = dynamodb_table(region->dynamodb, table);
    struct jobq_str keys[2] = {str_of(t->partition.name), str_of(t->sort.name)};
    struct text *name = &state->scratch, image = {0};
    text_clear(name);
    for (int i = 0; i < 2 && keys[i].len > 0; i++)
        json_write_value(dynamodb_find(key, keys[i]), name);
    const struct dynamodb_item *item = dynamodb_peek(region->dynamodb, table, key);
    if (item) {
        json_write_item(item, &image);
        state_run(state, STATE_ITEM, "isss", (int64_t)region->index, str_of(t->name),
                  text_str(name), text_str(&image));
    } else {
        state_run(state, STATE_ITEM_GONE, "iss", (int64_t)region->index, str_of(t->name),
                  text_str(name));
    }
    text_release(&image);
}

void state_box(struct mock_state *state, struct mock_region *region, int32_t instance)
{
    if (!state)
        return;
    const struct ec2_instance *b = ec2_instance_at(region->ec2, instance);
    struct jobq_str spans = {(const char *)b->span,
                             (int64_t)b->span_count * (int64_t)sizeof *b->span};
    struct text *tags = &state->scratch;
    text_clear(tags);
    for (int32_t i = 0; i < b->tag_count; i++) {
        state_put_string(tags, b->tag[i].key);
        state_put_string(tags, b->tag[i].value);
    }
    state_run(
        state, STATE_BOX, "iissssssssiiisiiiiiiidisssis", (int64_t)region->index,
        (int64_t)instance, str_of(b->id), str_of(b->reservation), str_of(b->private_ip),
        b->image, b->user_data, b->client_token, b->key_name, str_of(b->type.name),
        (int64_t)b->state, (int64_t)b->reason, (int64_t)b->spot, str_of(b->spot_request),
        (int64_t)b->launch_index, b->launched_at_ns, b->running_at_ns, b->notice_at_ns,
        b->take_at_ns, b->ended_at_ns, b->gone_at_ns, b->boot_u, (int64_t)b->run_print,
        text_str(tags), launch_text(region, instance), b->zone, (int64_t)b->stops, spans);
    if (instance >= region->saved_boxes)
        region->saved_boxes = instance + 1;
}

void state_resource(struct mock_state *state, const struct mock_region *region, int kind,
                    const char *id, struct jobq_str query)
{
    if (!state)
        return;
    if (query.ptr)
        state_run(state, STATE_RESOURCE, "iiss", (int64_t)region->index, (int64_t)kind,
                  str_of(id), query);
    else
        state_run(state, STATE_RESOURCE_GONE, "iis", (int64_t)region->index,
                  (int64_t)kind, str_of(id));
}

void state_new_boxes(struct mock_state *state, struct mock_region *region)
{
    int32_t count = ec2_instance_count(region->ec2);
    for (int32_t i = region->saved_boxes; state && i < count; i++)
        state_box(state, region, i);
}

void state_reset(struct mock_state *state)
{
    if (!state)
        return;
    state_clock(state); /* opens the transaction */
    if (sqlite3_exec(state->db,
                     "DELETE FROM queue; DELETE FROM note; DELETE FROM message;"
                     "DELETE FROM dedup; DELETE FROM move;"
                     "DELETE FROM domain; DELETE FROM row; DELETE FROM box;"
                     "DELETE FROM dynamodb_table; DELETE FROM dynamodb_item;"
                     "DELETE FROM resource;",
                     NULL, NULL, NULL) != SQLITE_OK)
        give_up(state);
    for (int i = 0; i < state->mock->region_count; i++)
        state->mock->region[i]->saved_boxes = 0;
}

/* ---- life ------------------------------------------------------------------------------ */

/* The one number that the query tells. */
static int read_number(sqlite3 *db, const char *query, int64_t *out)
{
    sqlite3_stmt *row;
    int code = sqlite3_prepare_v2(db, query, -1, &row, NULL);
    if (code != SQLITE_OK)
        return code;
    code = sqlite3_step(row);
    *out = code == SQLITE_ROW ? sqlite3_column_int64(row, 0) : 0;
    sqlite3_finalize(row);
    return code == SQLITE_ROW ? SQLITE_OK : code;
}

/* Nothing is written into a file before it is known to be ours, or new. Returns SQLite's
 * code; not ours: *refused with err filled. */
static int look(struct mock_state *state, const char *file, bool *refused,
                struct jobq_error *err)
{
    int64_t tables = 0, mark = 0, version = 0;
    int code = sqlite3_exec(state->db, "PRAGMA locking_mode=EXCLUSIVE", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = read_number(state->db, "SELECT count(*) FROM sqlite_master", &tables);
    if (code == SQLITE_OK)
        code = read_number(state->db, "PRAGMA application_id", &mark);
    if (code == SQLITE_OK)
        code = read_number(state->db, "PRAGMA user_version", &version);
    if (code != SQLITE_OK || tables == 0)
        return code;
    *refused = mark != FILE_MARK || version != FILE_VERSION;
    if (mark != FILE_MARK)
        jobq_fail(err, JOBQ_INVALID, "--state '%s': not a state file of jobqmock", file);
    else if (version != FILE_VERSION)
        jobq_fail(err, JOBQ_INVALID, "--state '%s': of version %lld, not %d", file,
                  (long long)version, FILE_VERSION);
    return code;
}

static int make_tables(struct mock_state *state)
{
    char mark[80];
    snprintf(mark, sizeof mark, "PRAGMA application_id=%d; PRAGMA user_version=%d;",
             FILE_MARK, FILE_VERSION);
    int code = sqlite3_exec(state->db, schema, NULL, NULL, NULL);
    return code == SQLITE_OK ? sqlite3_exec(state->db, mark, NULL, NULL, NULL) : code;
}

static int prepare(struct mock_state *state, const char *file, struct jobq_error *err)
{
    bool refused = false;
    char said[STATE_SAID_BYTES];
    int code = sqlite3_open(file, &state->db);
    if (code == SQLITE_OK)
        code = look(state, file, &refused, err);
    if (refused)
        return (int)err->code;
    if (code == SQLITE_OK)
        code = make_tables(state);
    for (int i = 0; code == SQLITE_OK && i < STATE_SQL_COUNT; i++)
        code = sqlite3_prepare_v3(state->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                                  &state->statement[i], NULL);
    if (code == SQLITE_OK)
        return JOBQ_OK;
    enum jobq_code kind = code == SQLITE_BUSY     ? JOBQ_CONFLICT
                          : code == SQLITE_NOTADB ? JOBQ_INVALID
                                                  : JOBQ_UNAVAILABLE;
    return jobq_fail(err, kind, "--state '%s': %s", file,
                     code == SQLITE_BUSY ? "in use by another process"
                                         : state_said(state, said));
}

struct mock_state *state_open(struct mock *mock, const char *file, struct jobq_error *err)
{
    struct mock_state *state = xcalloc(1, sizeof *state);
    state->mock = mock;
    int code = prepare(state, file, err);
    if (code == JOBQ_OK && state_load(state, err) < 0)
        code = jobq_wrap(err, "--state '%s'", file);
    if (code < 0) {
        state_close(state);
        return NULL;
    }
    for (int i = 0; i < mock->region_count; i++)
        state_region(state, mock->region[i]);
    state_run(state, STATE_META, "si", STR("seed"), (int64_t)mock->seed);
    state_run(state, STATE_META, "ss", STR("account"), str_of(mock->options->account));
    state_commit(state);
    return state;
}

void state_close(struct mock_state *state)
{
    if (!state)
        return;
    state_commit(state);
    for (int i = 0; i < STATE_SQL_COUNT; i++)
        sqlite3_finalize(state->statement[i]);
    sqlite3_close(state->db);
    text_release(&state->scratch);
    free(state);
}
