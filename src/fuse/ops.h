/*
 * fuse/ops: the operations that the kernel asks for. Each unpacks its arguments, makes one call
 * into fs/, and sends exactly one reply.
 */
#ifndef FUSE_OPS_H
#define FUSE_OPS_H

#include <fuse_lowlevel.h>

#include "xacctfs/fs/fs.h"
#include "xacctfs/util/call.h"

/* The userdata of the session. */
struct ops_context {
	struct fs *fs;
	struct clock *clock;
	struct call_group *group; /* of all operations under way */
	int64_t timeout_ms;
};

extern const struct fuse_lowlevel_ops ops;

#endif
