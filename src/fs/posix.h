/*
 * fs/posix: mode, owner and date as s3fs keeps them in user metadata, so that both read each other:
 *
 *	mode	  st_mode with its type, a decimal number
 *	uid, gid  decimal numbers
 *	mtime	  seconds since 1970, and behind a dot nine digits of nanoseconds, unless 0
 *
 * s3fs's atime and ctime, and all that others put there, stay as they are. Pure functions.
 *
 * Source: s3fs-fuse, src/metaheader.cpp and src/string_util.cpp, versions 1.87 to 1.95.
 */
#ifndef FS_POSIX_H
#define FS_POSIX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "xacctfs/s3/store.h"

/* What a struct posix_attr has. */
enum {
	POSIX_MODE = 1 << 0,
	POSIX_UID = 1 << 1,
	POSIX_GID = 1 << 2,
	POSIX_MTIME = 1 << 3,
	POSIX_ALL = POSIX_MODE | POSIX_UID | POSIX_GID | POSIX_MTIME,
};

struct posix_attr {
	unsigned int has; /* POSIX_*: of the rest only this is told */
	mode_t mode;      /* with the type, S_IFMT, which may be missing */
	uid_t uid;
	gid_t gid;
	int64_t mtime_ns; /* since 1970; may be negative */
};

/* What is no such number, or no possible one, is not told. */
void posix_read(const struct object *object, struct posix_attr *ret_attr);

/* Owned user metadata. Zeroed is empty. */
struct posix_meta {
	struct object_meta *v;
	size_t n;
};

void posix_meta_deinit(struct posix_meta *meta); /* leaves it zeroed */

/* Copies old with what attr has instead of what stood there. Returns 0, -ENOMEM. */
int posix_merge(const struct object_meta *old, size_t n_old, const struct posix_attr *attr,
		struct posix_meta *ret_meta);

#endif
