/*
 * fs/content/staged: a file that was changed in part: a local sparse file over the object. The
 * state STAGED of a content, and its upload.
 */
#ifndef FS_STAGED_H
#define FS_STAGED_H

#include "content.h"
#include "staging.h"
#include "multipart.h"

/*
 * present: the newest bytes. dirty, all of it present: those that the base does not have. What is
 * not present is the base's below `visible`, zeroes above.
 */
struct staged {
	struct staging_area area;
	struct ranges dirty;
	uint64_t size, visible; /* visible <= size */
	bool changed;           /* in whatever way since it was the base */
};

int staged_init(struct staged *staged, struct content_room *room, uint64_t size, uint64_t visible);
void staged_deinit(struct staged *staged);

/* All of it or an error and none; but -EIO as in staging_write. */
int staged_write(struct staged *staged, uint64_t offset, const void *data, size_t len);
/* Up or down. */
int staged_truncate(struct staged *staged, uint64_t size);
/* The base has all that is in it. */
void staged_clean(struct staged *staged);

enum staged_from { STAGED_FILE, STAGED_BASE, STAGED_ZEROES };

/* Where the bytes at offset, before the end, come from, and how many lie together; len at most. */
enum staged_from staged_at(const struct staged *staged, uint64_t offset, uint64_t len,
			   uint64_t *ret_n);

struct staged_upload {
	struct content_room *room;
	const struct object_id *id;
	struct staged *staged;
	struct reader *base;      /* NULL when nothing of it is visible */
	const char *base_etag;    /* the copied parts'; NULL: nothing is copied */
	pthread_mutex_t *lock;    /* held while present changes */
	struct put_params params; /* with conditions */
	/* It stays described as the base is: as this, or when that is NULL, as it is asked for. */
	bool keeps;
	const struct object *told;

	/* What comes out of it, also when it fails. */
	struct object description; /* with keeps, when it is 0: how it was written; to deinit */
	bool attempted;            /* the object may be as expected */
	char *expected;            /* its ETag then, to free(); NULL when not known */
	struct multipart *left;    /* an upload that could not be aborted; the caller's */
};

/*
 * The file becomes the object: by one PUT, or in parts. Nobody writes or truncates meanwhile.
 * Returns 0, or a negative errno, and then the object is as before unless attempted is set.
 */
int staged_upload(struct staged_upload *job, struct call *call, struct object *ret_object);

#endif
