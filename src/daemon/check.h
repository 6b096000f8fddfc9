/*
 * daemon/check: `xacctfs --check` walks the chain from Anne's key to Account B's buckets and tells
 * of each link whether it holds, and how to mend it when not.
 */
#ifndef DAEMON_CHECK_H
#define DAEMON_CHECK_H

#include "xacctfs/conf/conf.h"

#include "stack.h"

/* Prints to stdout, as text or, with conf->json, as one JSON object. Returns the exit status: 0
 * when all links hold, else 1. */
int check_run(struct stack *stack, const struct conf *conf, struct call_group *group);

#endif
