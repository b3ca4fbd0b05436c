/* template.h - launch templates: kept, shown, and put behind the parameters of a launch.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/ec2/instance.c.
 * Knows nothing of: what a launch may say. */
#ifndef JOBQ_SIM_MOCK_EC2_TEMPLATE_H
#define JOBQ_SIM_MOCK_EC2_TEMPLATE_H

#include "sim/mock/server/mock.h"

/* What a launch says: the request's parameters, and behind them those of the template that
 * its LaunchTemplate names, if it does. NULL: call->error is filled. */
const struct tree *template_merge(struct call *call, const struct tree *request);

#endif
