/*
 * fs/content/staging: bytes of files that are changed elsewhere than at their end, in unlinked
 * files of staging_dir, all together no more than staging_limit. Thread-safe per area; one area is
 * used by one file's content, under its lock.
 */
#ifndef FS_STAGING_H
#define FS_STAGING_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xacctfs/util/call.h"
#include "xacctfs/util/ranges.h"

struct staging {
	bool ready; /* false: zeroed, it is none */
	int dir;    /* open: where its name leads to later is of no matter */
	uint64_t limit;
	pthread_mutex_t lock;
	uint64_t used;           /* lock: bytes present in all areas */
	uint64_t mapped;         /* lock: bytes that are mapped now */
	pthread_cond_t unmapped; /* mapped went down */
};

/*
 * Makes dir (0700) when it is missing; the parent must be there. Returns 0; -EPERM when it is
 * another user's or not closed to others, since whoever made it first could have what is in it; or
 * another negative errno: -ENOTDIR, -EACCES when it cannot be written to, ...
 */
int staging_init(struct staging *staging, const char *dir, uint64_t limit);
void staging_deinit(struct staging *staging);
/* Bytes that all areas hold. */
uint64_t staging_used(struct staging *staging);

/* A sparse local file; what it holds is in `present`. Zeroed, it is none. */
struct staging_area {
	struct staging *staging; /* NULL: none */
	int fd;
	struct ranges present;
};

/* Returns 0, or a negative errno (-ENOSPC, -EMFILE, -EACCES, ...). */
int staging_area_init(struct staging_area *area, struct staging *staging);
void staging_area_deinit(struct staging_area *area); /* leaves it zeroed */

/*
 * Writes whole, or returns an error and nothing more is present than before. -ENOSPC at the limit
 * and when the disk is full: the bytes that were there are as they were; -EIO: of those that were
 * to be overwritten, some may be.
 */
int staging_write(struct staging_area *area, uint64_t offset, const void *data, size_t len);
/* All of it must be present. */
int staging_read(const struct staging_area *area, uint64_t offset, void *data, size_t len);
/* Drops what is at and behind size, and gives its space back. */
int staging_truncate(struct staging_area *area, uint64_t size);
/* How much may be mapped at once, by those who can wait for it. One mapping may be larger. */
#define STAGING_MAPPED_MAX ((uint64_t)16 << 20)

/*
 * The first len bytes (not 0) as memory, which counts as the program's as long as it is mapped: all
 * must be present and not change until staging_unmap. Waits while too much is mapped, but not with
 * call NULL. Returns 0, -ENOMEM, -EINTR, -ETIMEDOUT.
 */
int staging_map(const struct staging_area *area, struct call *call, size_t len,
		const void **ret_data);
void staging_unmap(const struct staging_area *area, size_t len, const void *data);

#endif
