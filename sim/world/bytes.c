/* bytes.c - the size of a call on the wire, in bytes. See bytes.h.
 *
 * Room:     sim. */
#include "sim/world/bytes.h"

#include "wire/text/query.h"
#include "wire/sqs/sqs_bodies.h"

static const struct size_client *client(const struct world *w)
{
    return &w->params->client;
}

static int64_t queue_name(const struct world *w, int queue)
{
    return sqs_name(w->sqs, queue).len;
}

static int64_t domain_name(const struct world *w, int domain)
{
    /* A domain's name is letters, digits, '_', '-' and '.', none of which is encoded. */
    return domain < 0 ? 1 : simpledb_domain_name(w->simpledb, domain).len;
}

/* ---- SQS -------------------------------------------------------------------------- */

uint8_t world_bytes_mark(struct jobq_str body)
{
    int64_t added = text_json_bytes(body) - body.len;
    return added < UINT8_MAX ? (uint8_t)(added + 1) : 0;
}

static int64_t body_bytes(struct jobq_str body, uint8_t mark)
{
    return mark ? body.len + mark - 1 : text_json_bytes(body);
}

struct size_call world_bytes_send(const struct world *w, int queue,
                                  const struct sqs_outgoing *in, int count)
{
    int64_t body = 0, delay_digits = 0;
    int delayed = 0;
    for (int i = 0; i < count; i++) {
        body += body_bytes(in[i].body, in[i].mark) + in[i].phantom_bytes;
        if (in[i].delay_ns > 0) {
            delayed++;
            delay_digits += size_digits(in[i].delay_ns / JOBQ_NS_PER_S);
        }
    }
    return size_send(client(w), queue_name(w, queue), count, body, delayed, delay_digits);
}

struct size_call world_bytes_receive(const struct world *w, int queue,
                                     const struct jobq_receive *options,
                                     const struct sqs_message *out, int count)
{
    int64_t body = 0, count_digits = 0;
    for (int i = 0; i < count; i++) {
        body += body_bytes(out[i].body, out[i].mark) + out[i].phantom_bytes;
        count_digits += size_digits(out[i].receive_count);
    }
    return size_receive(
        client(w), queue_name(w, queue), options->max, options->wait_ns / JOBQ_NS_PER_S,
        options->visibility_ns < 0 ? -1 : options->visibility_ns / JOBQ_NS_PER_S, count,
        body, count_digits);
}

struct size_call world_bytes_remove(const struct world *w, int queue, int count)
{
    return size_remove(client(w), queue_name(w, queue), count);
}

struct size_call world_bytes_visibility(const struct world *w, int queue,
                                        const struct jobq_visibility_change *change,
                                        int count)
{
    int64_t digits = 0;
    for (int i = 0; i < count; i++)
        digits += size_digits(change[i].visibility_ns / JOBQ_NS_PER_S);
    return size_set_visibility(client(w), queue_name(w, queue), count, digits);
}

/* ---- SimpleDB --------------------------------------------------------------------- */

struct size_call world_bytes_put(const struct world *w, const struct simpledb_put *put)
{
    return size_put_item(client(w), domain_name(w, put->domain),
                         query_encoded_put(&put->item, put->expect), &put->item,
                         put->expect);
}

struct size_call world_bytes_delete(const struct world *w,
                                    const struct simpledb_put *call)
{
    const struct jobq_expect *expect = call->expect;
    /* All strings are counted in one sum; each counts 0 bytes elsewhere. */
    struct size_attrs attrs = {.bytes = query_encoded_put(&call->item, expect)};
    size_attr_list(&attrs, call->item.attr, call->item.attr_count);
    return size_delete_item(client(w), domain_name(w, call->domain), 0, &attrs,
                            expect ? 0 : -1, expect && expect->exists ? 0 : -1);
}

struct size_call world_bytes_put_batch(const struct world *w, int domain,
                                       const struct jobq_item *item, int item_count)
{
    struct size_attrs attrs = {0};
    for (int i = 0; i < item_count; i++) {
        size_item(&attrs, query_encoded_put(&item[i], NULL));
        size_attr_list(&attrs, item[i].attr, item[i].attr_count);
    }
    return size_put_batch(client(w), domain_name(w, domain), &attrs);
}

/* Names and values as XML carries them; what must be escaped there is rare in rows. */
static int64_t pair_bytes(const struct jobq_item *item)
{
    int64_t bytes = 0;
    for (int i = 0; i < item->attr_count; i++)
        bytes += item->attr[i].name.len + item->attr[i].value.len;
    return bytes;
}

struct size_call world_bytes_get(const struct world *w, int domain, struct jobq_str item,
                                 const struct jobq_str *name, int name_count,
                                 bool consistent, const struct jobq_item *out)
{
    int64_t name_bytes = 0;
    for (int i = 0; i < name_count; i++)
        name_bytes += query_encoded_bytes(name[i]);
    return size_get(client(w), domain_name(w, domain), query_encoded_bytes(item),
                    name_count, name_bytes, consistent, out ? out->attr_count : 0,
                    out ? pair_bytes(out) : 0);
}

struct size_call world_bytes_select(const struct world *w, struct jobq_str expression,
                                    bool consistent, int64_t token,
                                    const struct jobq_item *out, int count,
                                    int64_t next_token)
{
    int64_t bytes = 0;
    int attrs = 0;
    for (int i = 0; i < count; i++) {
        bytes += out[i].name.len + pair_bytes(&out[i]);
        attrs += out[i].attr_count;
    }
    return size_select(client(w), query_encoded_bytes(expression), consistent, token,
                       count, attrs, bytes, next_token);
}

/* ---- EC2 -------------------------------------------------------------------------- */

static int64_t tag_bytes(const struct jobq_tag *tag, int count)
{
    int64_t bytes = 0;
    for (int i = 0; i < count; i++)
        bytes += query_encoded_bytes(tag[i].key) + query_encoded_bytes(tag[i].value);
    return bytes;
}

struct size_call world_bytes_launch(const struct world *w, const struct jobq_launch *l)
{
    return size_launch(client(w), str_of(l->type).len, str_of(l->image).len,
                       l->user_data.len, l->tag_count, tag_bytes(l->tag, l->tag_count),
                       l->count, l->spot,
                       l->client_token ? str_of(l->client_token).len : 0);
}

struct size_call world_bytes_describe(const struct world *w, struct jobq_tag tag, int got)
{
    return size_describe(client(w), tag_bytes(&tag, 1), got);
}

struct size_call world_bytes_tag(const struct world *w, int ids,
                                 const struct jobq_tag *tag, int tag_count)
{
    return size_tag(client(w), ids, tag_count, tag_bytes(tag, tag_count));
}
