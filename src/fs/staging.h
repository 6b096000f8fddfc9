/*
 * fs/staging: bytes of files that are changed elsewhere than at their end, in unlinked files of
 * staging_dir, all together no more than staging_limit. Thread-safe per area; one area is used by
 * one file's content, under its lock.
 */
#ifndef FS_STAGING_H
#define FS_STAGING_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "xacctfs/util/ranges.h"

struct staging {
	char *dir;
	uint64_t limit;
	pthread_mutex_t lock;
	uint64_t used; /* lock: bytes reserved by all areas */
};

/* Makes dir (0700) when it is missing; the parent must be there. Returns 0 or a negative errno. */
int staging_init(struct staging *staging, const char *dir, uint64_t limit);
void staging_deinit(struct staging *staging);

/* A sparse local file; what it holds is in `present`. */
struct staging_area {
	struct staging *staging;
	int fd;
	struct ranges present;
};

/* Returns 0, or a negative errno (-ENOSPC, -EMFILE, -EACCES, ...). */
int staging_area_init(struct staging_area *area, struct staging *staging);
void staging_area_deinit(struct staging_area *area);

/*
 * Writes whole or not at all. -ENOSPC at the limit and when the disk is full, -EIO. What is written
 * is present from then on.
 */
int staging_write(struct staging_area *area, uint64_t offset, const void *data, size_t len);
/* Makes [start, end) present zeroes. */
int staging_zero(struct staging_area *area, uint64_t start, uint64_t end);
/* All of it must be present. */
int staging_read(const struct staging_area *area, uint64_t offset, void *data, size_t len);
/* Drops what is at and behind size, and gives its space back. */
int staging_truncate(struct staging_area *area, uint64_t size);

#endif
