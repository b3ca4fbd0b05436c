/* bytes.h - how many bytes a port call is on the wire, both ways.
 *
 * Room:     sim; world_*.c only. Takes the arguments of a port call apart for wire/size.h,
 *           which does the arithmetic.
 * Knows nothing of: time, models' state. */
#ifndef JOBQ_SIM_WORLD_BYTES_H
#define JOBQ_SIM_WORLD_BYTES_H

#include "sim/world/internal.h"
#include "wire/http/wire_bytes.h"

/* The mark by which the model keeps a body's size: it is measured when it is sent, and not
 * again at each receive. */
uint8_t world_bytes_mark(struct jobq_str body);
struct size_call world_bytes_send(const struct world *w, int queue,
                                  const struct sqs_outgoing *in, int count);
struct size_call world_bytes_receive(const struct world *w, int queue,
                                     const struct jobq_receive *options,
                                     const struct sqs_message *out, int count);
struct size_call world_bytes_remove(const struct world *w, int queue, int count);
struct size_call world_bytes_visibility(const struct world *w, int queue,
                                        const struct jobq_visibility_change *change,
                                        int count);
struct size_call world_bytes_put(const struct world *w, const struct simpledb_put *put);
struct size_call world_bytes_delete(const struct world *w,
                                    const struct simpledb_put *call);
struct size_call world_bytes_put_batch(const struct world *w, int domain,
                                       const struct jobq_item *item, int item_count);
/* out NULL: an error came back. */
struct size_call world_bytes_get(const struct world *w, int domain, struct jobq_str item,
                                 const struct jobq_str *name, int name_count,
                                 bool consistent, const struct jobq_item *out);
struct size_call world_bytes_select(const struct world *w, struct jobq_str expression,
                                    bool consistent, int64_t token,
                                    const struct jobq_item *out, int count,
                                    int64_t next_token);
struct size_call world_bytes_launch(const struct world *w,
                                    const struct jobq_launch *launch);
struct size_call world_bytes_describe(const struct world *w, struct jobq_tag tag,
                                      int got);
struct size_call world_bytes_tag(const struct world *w, int ids,
                                 const struct jobq_tag *tag, int tag_count);

#endif
