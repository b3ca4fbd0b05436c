/* load.c - the file of --state, read back into the models.
 *
 * Room:     sim/mock.
 * Callers:  state.c.
 * Knows nothing of: how it is kept up to date. */
#include "models/sqs/admin.h"
#include "sim/mock/dynamodb/json.h"
#include "sim/mock/ec2/launch.h"
#include "sim/mock/ec2/resource.h"
#include "sim/mock/state/db.h"

#include <stdio.h>
#include <string.h>

enum { ITEM_PAIRS_MAX = 256 }; /* SimpleDB's limit */

typedef int row_fn(struct mock_state *state, sqlite3_stmt *row, struct jobq_error *err);

static struct jobq_str blob(sqlite3_stmt *row, int column)
{
    const char *bytes = sqlite3_column_blob(row, column);
    return (struct jobq_str){bytes ? bytes : "", sqlite3_column_bytes(row, column)};
}

static int64_t whole(sqlite3_stmt *row, int column)
{
    return sqlite3_column_int64(row, column);
}

static int corrupt(struct jobq_error *err, const char *what)
{
    return jobq_fail(err, JOBQ_CORRUPT, "its table '%s' does not hold together", what);
}

static int each(struct mock_state *state, const char *query, row_fn *fn,
                struct jobq_error *err)
{
    sqlite3_stmt *row;
    int code = JOBQ_OK;
    char said[STATE_SAID_BYTES];
    if (sqlite3_prepare_v2(state->db, query, -1, &row, NULL) != SQLITE_OK)
        return jobq_fail(err, JOBQ_INVALID, "%s", state_said(state, said));
    int got = SQLITE_DONE;
    while (code == JOBQ_OK && (got = sqlite3_step(row)) == SQLITE_ROW)
        code = fn(state, row, err);
    if (code == JOBQ_OK && got != SQLITE_DONE)
        code = jobq_fail(err, JOBQ_CORRUPT, "%s", state_said(state, said));
    sqlite3_finalize(row);
    return code;
}

static struct mock_region *region_of(struct mock_state *state, sqlite3_stmt *row)
{
    int64_t number = whole(row, 0);
    bool known = number >= 0 && number < state->mock->region_count;
    return known ? state->mock->region[number] : NULL;
}

static int load_meta(struct mock_state *state, sqlite3_stmt *row, struct jobq_error *err)
{
    struct mock *mock = state->mock;
    const char *key = (const char *)sqlite3_column_text(row, 0);
    struct jobq_str name = str_of(key ? key : "");
    if (str_is(name, "clock") && whole(row, 1) > mock->model_base_ns)
        mock->model_base_ns = whole(row, 1);
    if (str_is(name, "seed") && !mock->options->seeded)
        mock->seed = (uint64_t)whole(row, 1); /* receipt handles stay good */
    if (str_is(name, "seed") && whole(row, 1) != (int64_t)mock->seed)
        return jobq_fail(err, JOBQ_INVALID, "made with --seed %lld",
                         (long long)whole(row, 1));
    if (str_is(name, "account") && !str_is(blob(row, 1), mock->options->account))
        return jobq_fail(err, JOBQ_INVALID, "made with another --account");
    return JOBQ_OK;
}

static int load_region(struct mock_state *state, sqlite3_stmt *row,
                       struct jobq_error *err)
{
    struct mock_region *region = mock_region(state->mock, blob(row, 1));
    return region && region->index == whole(row, 0) ? JOBQ_OK : corrupt(err, "region");
}

/* ---- SQS ------------------------------------------------------------------------------- */

static const char *filler(int number, char out[24])
{
    snprintf(out, 24, "jobq-filler-%d", number);
    return out;
}

/* Handles are what messages and policies name, so each queue must get its old one; a gap
 * is filled by a queue that goes again (load_fillers). */
static int load_queue(struct mock_state *state, sqlite3_stmt *row, struct jobq_error *err)
{
    struct mock_region *region = region_of(state, row);
    struct sqs_settings settings = {.given = SQS_SET_VISIBILITY | SQS_SET_DELAY |
                                             SQS_SET_RETENTION | SQS_SET_WAIT |
                                             SQS_SET_MESSAGE_BYTES,
                                    .visibility_ns = whole(row, 4),
                                    .delay_ns = whole(row, 5),
                                    .retention_ns = whole(row, 6),
                                    .wait_ns = whole(row, 7),
                                    .message_bytes_max = whole(row, 8),
                                    .redrive_queue = -1,
                                    .fifo = whole(row, 13) != 0,
                                    .content_dedup = whole(row, 14) != 0,
                                    .dedup_by_group = whole(row, 15) & 1,
                                    .throughput_by_group = whole(row, 16) != 0};
    const struct sqs_settings nothing = {.redrive_queue = -1};
    struct jobq_error why;
    int queue;
    char name[24];
    if (!region)
        return corrupt(err, "queue");
    if (settings.fifo)
        settings.given |= SQS_SET_FIFO | SQS_SET_CONTENT_DEDUP | SQS_SET_DEDUP_SCOPE |
                          SQS_SET_THROUGHPUT;
    while (region->next_queue < whole(row, 2))
        if (sqs_create(region->sqs, whole(row, 3),
                       str_of(filler(region->next_queue++, name)), &nothing, &queue,
                       &why) != SQS_OK)
            return corrupt(err, "queue");
    region->next_queue++;
    if (sqs_create(region->sqs, whole(row, 3), blob(row, 1), &settings, &queue, &why) !=
            SQS_OK ||
        queue != whole(row, 2))
        return corrupt(err, "queue");
    return JOBQ_OK;
}

/* Policies name other queues, which all exist by now. */
static int load_policy_of(struct mock_state *state, sqlite3_stmt *row,
                          struct jobq_error *err)
{
    struct mock_region *region = region_of(state, row);
    struct jobq_str names = blob(row, 12), allowed[SQS_ALLOW_MAX];
    struct sqs_settings settings = {.redrive_queue = (int)whole(row, 9),
                                    .redrive_receives = (int32_t)whole(row, 10),
                                    .allow = (enum sqs_allow)whole(row, 11),
                                    .allow_name = allowed};
    struct jobq_error why;
    while (settings.allow_count < SQS_ALLOW_MAX &&
           state_take_string(&names, &allowed[settings.allow_count]))
        settings.allow_count++;
    if (settings.redrive_queue >= 0)
        settings.given |= SQS_SET_REDRIVE;
    if (settings.allow != SQS_ALLOW_ALL)
        settings.given |= SQS_SET_ALLOW;
    if (settings.given != 0 && sqs_set(region->sqs, state->mock->model_base_ns,
                                       (int)whole(row, 2), &settings, &why) != SQS_OK)
        return jobq_fail(err, JOBQ_CORRUPT, "%s", why.text);
    sqs_restore_changed(region->sqs, (int)whole(row, 2), whole(row, 17),
                        (whole(row, 15) & 1) != (whole(row, 15) >> 1 & 1));
    return JOBQ_OK;
}

static int load_note(struct mock_state *state, sqlite3_stmt *row, struct jobq_error *err)
{
    struct mock_region *region = region_of(state, row);
    struct jobq_error why;
    /* Notes of a deleted queue may have stayed behind. */
    if (region && sqs_exists(region->sqs, (int)whole(row, 1)) &&
        sqs_note_set(region->sqs, (int)whole(row, 1), (enum sqs_note_kind)whole(row, 2),
                     blob(row, 3), blob(row, 4), &why) != SQS_OK)
        return corrupt(err, "note");
    return JOBQ_OK;
}

static int load_message(struct mock_state *state, sqlite3_stmt *row,
                        struct jobq_error *err)
{
    struct mock_region *region = region_of(state, row);
    struct sqs_message message = {.id = (uint64_t)whole(row, 1),
                                  .receipt = {(uint64_t)whole(row, 4)},
                                  .state = (enum sqs_state)whole(row, 5),
                                  .sent_at_ns = whole(row, 6),
                                  .first_received_at_ns = whole(row, 7),
                                  .received_at_ns = whole(row, 8),
                                  .due_at_ns = whole(row, 9),
                                  .receive_count = (int32_t)whole(row, 10),
                                  .source_queue = (int)whole(row, 11),
                                  .phantom_bytes = whole(row, 12),
                                  .leaked = whole(row, 13) != 0,
                                  .extra = blob(row, 14),
                                  .body = blob(row, 15)};
    if (!region || !sqs_exists(region->sqs, (int)whole(row, 2)))
        return corrupt(err, "message");
    sqs_restore(region->sqs, (int)whole(row, 2), &message);
    state->sequence = whole(row, 3);
    return JOBQ_OK;
}

static void copy_text(char *out, size_t cap, struct jobq_str from)
{
    size_t len = (size_t)from.len < cap ? (size_t)from.len : cap - 1;
    memcpy(out, from.ptr, len);
    out[len] = '\0';
}

static int load_dedup(struct mock_state *state, sqlite3_stmt *row, struct jobq_error *err)
{
    struct mock_region *region = region_of(state, row);
    struct sqs_message gone = {.id = (uint64_t)whole(row, 1),
                               .sent_at_ns = whole(row, 3),
                               .extra = blob(row, 4)};
    if (!region)
        return corrupt(err, "dedup");
    sqs_restore_gone(region->sqs, (int)whole(row, 2), &gone);
    return JOBQ_OK;
}

static int load_move(struct mock_state *state, sqlite3_stmt *row, struct jobq_error *err)
{
    struct mock_region *region = region_of(state, row);
    struct sqs_move move = {.id = (uint64_t)whole(row, 1),
                            .source = (int)whole(row, 2),
                            .destination = (int)whole(row, 3),
                            .asked_per_s = sqlite3_column_double(row, 5),
                            .per_s = sqlite3_column_double(row, 6),
                            .status = (enum sqs_move_status)whole(row, 7),
                            .started_at_ns = whole(row, 8),
                            .moved = whole(row, 9),
                            .to_move = whole(row, 10)};
    if (!region || whole(row, 7) < SQS_MOVE_RUNNING || whole(row, 7) > SQS_MOVE_FAILED)
        return corrupt(err, "move");
    copy_text(move.destination_name, sizeof move.destination_name, blob(row, 4));
    sqs_move_restore(region->sqs, &move);
    return JOBQ_OK;
}

static void end_queues(struct mock_state *state)
{
    struct mock *mock = state->mock;
    struct jobq_error err;
    char name[24];
    for (int i = 0; i < mock->region_count; i++) {
        struct mock_region *region = mock->region[i];
        sqs_restore_end(region->sqs, mock->model_base_ns);
        for (int k = 0; k < region->next_queue; k++) {
            int queue = sqs_find(region->sqs, str_of(filler(k, name)));
            if (queue >= 0)
                sqs_delete_queue(region->sqs, mock->model_base_ns, queue, &err);
        }
    }
}

/* ---- SimpleDB and EC2 ------------------------------------------------------------------- */

static int load_domain(struct mock_state *state, sqlite3_stmt *row,
                       struct jobq_error *err)
{
    struct mock_region *region = region_of(state, row);
    int domain = region ? simpledb_domain(region->sdb, blob(row, 1)) : -1;
    if (domain < 0)
        return corrupt(err, "domain");
    simpledb_restore_domain(region->sdb, state->mock->model_base_ns, domain);
    return JOBQ_OK;
}

static int load_row(struct mock_state *state, sqlite3_stmt *row, struct jobq_error *err)
{
    struct mock_region *region = region_of(state, row);
    arena_reset(&state->mock->arena);
    struct jobq_attr *attr =
        arena_zalloc(&state->mock->arena, ITEM_PAIRS_MAX * sizeof *attr);
    struct jobq_str image = blob(row, 3);
    struct jobq_item item = {blob(row, 2), attr, 0};
    int domain = region ? simpledb_domain_find(region->sdb, blob(row, 1)) : -1;
    while (item.attr_count < ITEM_PAIRS_MAX &&
           state_take_string(&image, &attr[item.attr_count].name) &&
           state_take_string(&image, &attr[item.attr_count].value))
        item.attr_count++;
    if (domain < 0 || !simpledb_domain_exists(region->sdb, domain) ||
        item.attr_count == 0 || image.len != 0)
        return corrupt(err, "row");
    simpledb_restore_row(region->sdb, state->mock->model_base_ns, domain, &item);
    return JOBQ_OK;
}

/* The next string of an image as a struct of that size. */
static bool take_struct(struct jobq_str *image, void *out, size_t bytes)
{
    struct jobq_str part;
    if (!state_take_string(image, &part) || part.len != (int64_t)bytes)
        return false;
    memcpy(out, part.ptr, bytes);
    return true;
}

static bool take_index(struct mock_state *state, struct jobq_str *image,
                       struct dynamodb_index *index)
{
    struct arena *arena = &state->mock->arena;
    if (!take_struct(image, index, sizeof *index) || index->non_key_count < 0 ||
        index->non_key_count > DYNAMODB_NON_KEYS_MAX)
        return false;
    const char **non_key =
        arena_alloc(arena, (size_t)(index->non_key_count + 1) * sizeof *non_key);
    for (int i = 0; i < index->non_key_count; i++) {
        struct jobq_str name;
        if (!state_take_string(image, &name))
            return false;
        non_key[i] = arena_str(arena, name).ptr;
    }
    index->non_key = non_key;
    return true;
}

static int load_table(struct mock_state *state, sqlite3_stmt *row, struct jobq_error *err)
{
    struct mock_region *region = region_of(state, row);
    struct jobq_str image = blob(row, 2);
    struct dynamodb_table table;
    arena_reset(&state->mock->arena);
    struct dynamodb_index *index =
        arena_alloc(&state->mock->arena, DYNAMODB_INDEXES_MAX * sizeof *index);
    if (!region || !take_struct(&image, &table, sizeof table) || table.index_count < 0 ||
        table.index_count > DYNAMODB_INDEXES_MAX)
        return corrupt(err, "dynamodb_table");
    for (int i = 0; i < table.index_count; i++)
        if (!take_index(state, &image, &index[i]))
            return corrupt(err, "dynamodb_table");
    if (image.len != 0 || !str_is(blob(row, 1), table.name) ||
        dynamodb_find_table(region->dynamodb, blob(row, 1)) >= 0)
        return corrupt(err, "dynamodb_table");
    table.index = index;
    dynamodb_restore_table(region->dynamodb, state->mock->model_base_ns, &table);
    return JOBQ_OK;
}

static int load_item(struct mock_state *state, sqlite3_stmt *row, struct jobq_error *err)
{
    struct mock_region *region = region_of(state, row);
    struct jobq_str image = blob(row, 3);
    struct dynamodb_item item;
    struct json_fault fault;
    int table = region ? dynamodb_find_table(region->dynamodb, blob(row, 1)) : -1;
    json_t *json = json_loadb(image.ptr, (size_t)image.len, 0, NULL);
    arena_reset(&state->mock->arena);
    bool good = table >= 0 && json &&
                json_read_item(json, &state->mock->arena, &item, &fault) &&
                item.count > 0;
    if (good)
        dynamodb_restore_item(region->dynamodb, state->mock->model_base_ns, table, &item);
    json_decref(json);
    return good ? JOBQ_OK : corrupt(err, "dynamodb_item");
}

static int load_box(struct mock_state *state, sqlite3_stmt *row, struct jobq_error *err)
{
    struct mock_region *region = region_of(state, row);
    struct jobq_tag tag[EC2_TAGS_MAX];
    struct jobq_str tags = blob(row, 23), spans = blob(row, 27);
    struct ec2_instance box = {.image = blob(row, 5),
                               .user_data = blob(row, 6),
                               .client_token = blob(row, 7),
                               .key_name = blob(row, 8),
                               .state = (enum ec2_state)whole(row, 10),
                               .reason = (enum ec2_reason)whole(row, 11),
                               .spot = whole(row, 12) != 0,
                               .launch_index = (int32_t)whole(row, 14),
                               .launched_at_ns = whole(row, 15),
                               .running_at_ns = whole(row, 16),
                               .notice_at_ns = whole(row, 17),
                               .take_at_ns = whole(row, 18),
                               .ended_at_ns = whole(row, 19),
                               .gone_at_ns = whole(row, 20),
                               .boot_u = sqlite3_column_double(row, 21),
                               .run_print = (uint64_t)whole(row, 22),
                               .zone = blob(row, 25),
                               .stops = whole(row, 26) != 0,
                               .span_count =
                                   (int32_t)(spans.len / (int64_t)sizeof *box.span),
                               .tag = tag};
    copy_text(box.id, sizeof box.id, blob(row, 2));
    copy_text(box.reservation, sizeof box.reservation, blob(row, 3));
    copy_text(box.private_ip, sizeof box.private_ip, blob(row, 4));
    copy_text(box.spot_request, sizeof box.spot_request, blob(row, 13));
    while (box.tag_count < EC2_TAGS_MAX &&
           state_take_string(&tags, &tag[box.tag_count].key) &&
           state_take_string(&tags, &tag[box.tag_count].value))
        box.tag_count++;
    if (!region || !ec2_type_find(blob(row, 9), &box.type))
        return corrupt(err, "box");
    /* SQLite's bytes stand where they like; the model copies these. */
    struct ec2_span *span =
        arena_alloc(&region->launches, (size_t)box.span_count * sizeof *span + 1);
    memcpy(span, spans.ptr, (size_t)box.span_count * sizeof *span);
    box.span = span;
    int32_t index = ec2_restore(region->ec2, state->mock->model_base_ns, &box);
    if (index != whole(row, 1))
        return corrupt(err, "box");
    launch_keep(region, index, 1, blob(row, 24));
    region->saved_boxes = index + 1;
    return JOBQ_OK;
}

static int load_resource(struct mock_state *state, sqlite3_stmt *row,
                         struct jobq_error *err)
{
    struct mock_region *region = region_of(state, row);
    char id[32];
    if (!region || whole(row, 1) < RESOURCE_TEMPLATE ||
        whole(row, 1) > RESOURCE_CANCELLED)
        return corrupt(err, "resource");
    copy_text(id, sizeof id, blob(row, 2));
    resource_put(state->mock, region, (enum resource_kind)whole(row, 1), id,
                 blob(row, 3));
    return JOBQ_OK;
}

int state_load(struct mock_state *state, struct jobq_error *err)
{
    static const struct {
        const char *query;
        row_fn *fn;
    } tables[] = {
        {"SELECT * FROM meta", load_meta},
        {"SELECT * FROM region ORDER BY number", load_region},
        {"SELECT * FROM queue ORDER BY region, number", load_queue},
        {"SELECT * FROM queue ORDER BY region, number", load_policy_of},
        {"SELECT * FROM note", load_note},
        {"SELECT * FROM message ORDER BY sequence", load_message},
        {"SELECT * FROM dedup", load_dedup},
        {"SELECT * FROM move ORDER BY region, id", load_move},
        {"SELECT * FROM domain", load_domain},
        {"SELECT * FROM row", load_row},
        {"SELECT * FROM dynamodb_table", load_table},
        {"SELECT * FROM dynamodb_item", load_item},
        {"SELECT * FROM box ORDER BY region, number", load_box},
        {"SELECT * FROM resource", load_resource},
    };
    int code = JOBQ_OK;
    for (size_t i = 0; code == JOBQ_OK && i < sizeof tables / sizeof tables[0]; i++)
        code = each(state, tables[i].query, tables[i].fn, err);
    if (code == JOBQ_OK)
        end_queues(state);
    return code;
}
