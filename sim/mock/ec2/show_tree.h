/* show_tree.h - the parameters of a query string as EC2 says them again in XML.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/ec2. */
#ifndef JOBQ_SIM_MOCK_EC2_SHOW_TREE_H
#define JOBQ_SIM_MOCK_EC2_SHOW_TREE_H

#include "base/text.h"
#include "wire/text/params.h"

/* Each member as an element of its name with a small first letter; a list's has `suffix`
 * ("Set") behind it and holds <item>s. */
void show_tree(struct text *out, const struct tree *tree, const char *suffix);

#endif
