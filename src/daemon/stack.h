/*
 * daemon/stack: the rooms, one on the other, for one account.
 */
#ifndef DAEMON_STACK_H
#define DAEMON_STACK_H

#include "xacctfs/aws/caller.h"
#include "xacctfs/aws/session.h"
#include "xacctfs/aws/sts.h"
#include "xacctfs/conf/conf.h"
#include "xacctfs/fs/fs.h"
#include "xacctfs/http/transport.h"
#include "xacctfs/s3/store.h"

struct stack {
	struct http_transport *transport;
	struct aws_caller caller;
	struct sts sts;
	struct credentials_provider *provider;
	struct session *session;
	struct store *store;
	struct fs *fs;
	const struct conf *conf;    /* not owned */
	struct call_group *closing; /* not owned */
};

/*
 * Builds all of it (the file system only when it is mounted); sends nothing, starts no thread. conf
 * must outlive the stack. Returns 0 or a negative errno, which has been logged; the stack is to be
 * closed in every case. closing: ends early what stack_close asks S3 for.
 */
int stack_open(struct stack *stack, const struct conf *conf, struct call_group *closing);

/* Takes it down in reverse. */
void stack_close(struct stack *stack);

#endif
