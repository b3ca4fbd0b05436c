/* imds.h - instance metadata, version 2, of the boxes of the EC2 model.
 *
 * Room:     sim/mock.
 * Callers:  route.c.
 * Knows nothing of: how boxes come and go.
 *
 * Under /latest/ it speaks for the box that was launched last and has not ended (of
 * us-east-1 first); under /_jobq/box/ID/latest/ for that one. A token is a word that says
 * when it ends, under a check of this mock's seed. */
#ifndef JOBQ_SIM_MOCK_EC2_IMDS_H
#define JOBQ_SIM_MOCK_EC2_IMDS_H

#include "sim/mock/server/mock.h"

/* True: the path is of metadata, and the request was answered. */
bool mock_imds(struct mock *mock, struct http_exchange *x,
               const struct http_request *request);

/* The temporary keys of a box's role, which --auth check knows. */
#define MOCK_IMDS_ACCESS "ASIAJOBQMOCKROLE0001"
#define MOCK_IMDS_ROLE "jobq-box"
/* Derived from the seed; 41 and 49 bytes with their NULs. */
void mock_imds_secret(const struct mock *mock, char secret[41], char token[49]);

#endif
