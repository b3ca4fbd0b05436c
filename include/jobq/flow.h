/* flow.h - the numbers of a job's normal path that its bill depends on.
 *
 * The product (src/fleet/job/job.h) makes rows and messages of these shapes; the closed form
 * (src/cost/predict/predict.h) prices them and may not look into the product. A test holds the two
 * equal.
 *
 * Normal path: the enqueuer puts a row and sends a message; a drainer receives, claims by a
 * conditional put, runs, stores the final state by another, deletes. */
#ifndef JOBQ_FLOW_H
#define JOBQ_FLOW_H

/* Attribute values in each put: BoxUsage goes by their cube. */
#define JOBQ_FLOW_ROW_N(pieces) (1 + (pieces)) /* t, p0... */
#define JOBQ_FLOW_CLAIM_N 2                    /* claim, run */
#define JOBQ_FLOW_FINAL_N 2                    /* claim, end */
/* Distinct names of a finished row: what a whole GetAttributes returns. */
#define JOBQ_FLOW_GET_N(pieces) (4 + (pieces)) /* t, claim, run, end, p0... */

#define JOBQ_FLOW_PIECE_BYTES 1024 /* of payload in one value */
#define JOBQ_FLOW_PIECES_MAX 244
#define JOBQ_FLOW_ROW_BATCH 25 /* rows a BatchPutAttributes, when jobs are batched */
#define JOBQ_FLOW_ID_SUFFIX 25 /* id = queue's name and so many more */

/* A message can be held for so long: rows are kept for longer than this and the queue's
 * retention (src/fleet/housekeeping). */
#define JOBQ_FLOW_HELD_S (12 * 3600)

/* Bytes of values, besides the payload's pieces, of a finished row on a box of EC2:
 * t (ms since 1970), claim "done 1/" and a token of 12, run "MS BOX MESSAGE_ID"
 * (13 + 1 + 19 + 1 + 36), end "MS EXIT WALL_NS CPU_NS" (13 + 1 + 1 + 1 + 10 + 1 + 10). */
#define JOBQ_FLOW_QUEUED_VALUE_BYTES 13 /* t */
#define JOBQ_FLOW_CLAIM_VALUE_BYTES 19
#define JOBQ_FLOW_RUN_VALUE_BYTES 70
#define JOBQ_FLOW_ROW_VALUE_BYTES                                                        \
    (JOBQ_FLOW_QUEUED_VALUE_BYTES + JOBQ_FLOW_CLAIM_VALUE_BYTES +                        \
     JOBQ_FLOW_RUN_VALUE_BYTES + 37)
/* In a message besides id and payload: " sleep 1000000000" and "\npayload=". */
#define JOBQ_FLOW_MESSAGE_BYTES (17 + 9)

#endif
