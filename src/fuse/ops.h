/*
 * fuse/ops: the operations that the kernel asks for. Each unpacks its arguments, makes one call
 * into fs/, and sends exactly one reply.
 */
#ifndef FUSE_OPS_H
#define FUSE_OPS_H

#include <fuse_lowlevel.h>
#include <stdatomic.h>

#include "xacctfs/fs/fs.h"
#include "xacctfs/util/call.h"

#include "lookups.h"
#include "recall.h"

/* The userdata of the session. */
struct ops_context {
	struct fs *fs;
	struct fuse_session *session;
	struct clock *clock;
	struct call_group *group; /* of all operations under way */
	int64_t timeout_ms;
	struct lookups lookups;
	struct recall recall;
	/* init asked for FUSE_CAP_PARALLEL_DIROPS, and its reply is yet to be sent: see device.h */
	atomic_bool parallel_dirops;
};

extern const struct fuse_lowlevel_ops ops;

#endif
