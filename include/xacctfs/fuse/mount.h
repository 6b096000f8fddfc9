/*
 * fuse/mount: the file system given to the kernel. The only room that knows libfuse.
 */
#ifndef XACCTFS_FUSE_MOUNT_H
#define XACCTFS_FUSE_MOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "xacctfs/fs/fs.h"
#include "xacctfs/util/call.h"

struct mount;

/* Texts and fs are not owned, and outlive the mount. */
struct mount_options {
	struct fs *fs;
	struct clock *clock;
	int64_t request_timeout_ms; /* each operation's patience */
	const char *mountpoint;     /* an absolute path */
	const char *source;         /* what mount(8) and df show */
	bool read_only, allow_other, allow_root;
	bool debug;       /* libfuse's trace on stderr */
	const char *more; /* further mount options, comma-separated, or NULL */
};

/*
 * Mounts. Returns 0; -EINVAL when libfuse refused, which has then said why on stderr; -ENOMEM, or
 * another negative errno of a descriptor that is not to be had.
 */
int mount_new(const struct mount_options *options, struct mount **ret_mount);

/*
 * Serves the kernel until the file system is unmounted or mount_stop was called. Many threads; this
 * one waits. Returns 0 or a negative errno. Before it returns, every operation has been answered:
 * those that hang are cancelled.
 */
int mount_serve(struct mount *mount);

/* Makes mount_serve return at once. Any thread. */
void mount_stop(struct mount *mount);

/* Unmounts if that has not happened. Not while mount_serve is running. NULL is fine. */
void mount_free(struct mount *mount);

/* For --version: "3.14.0". Constant. */
const char *mount_fuse_version(void);

#endif
