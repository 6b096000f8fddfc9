/*
 * fs/content/upstream: a file that is written from 0 on: parts go up while it grows, and what was
 * not sent is in memory. The state STREAM of a content.
 *
 * One thread at a time changes it; upstream_size and upstream_read may be called meanwhile.
 */
#ifndef FS_UPSTREAM_H
#define FS_UPSTREAM_H

#include "content.h"
#include "multipart.h"

/* The stream cannot do that: it must be settled. */
#define UPSTREAM_E_ELSEWHERE 1

/* How the object is to be written. version: another one means that put is another. */
struct upstream_params {
	struct put_params put;
	uint64_t version;
};

struct upstream {
	struct content_room *room;
	struct multipart *upload;
	uint64_t size;      /* upload->lock for writing */
	uint64_t version;   /* of the parameters that the upload was begun with */
	size_t next;        /* 1 or more: this part and those behind it were not sent */
	bool first_is_kept; /* the first part goes last */
	bool sealed;        /* its last part was sent: no more can be written */
	bool refused;       /* a write was refused because a part had failed */
	bool attempted;     /* an upload was tried that may have been done */
	char *expected;     /* the ETag that it would have; NULL when not known */
};

/* Empty. 0, -ENOMEM. */
int upstream_new(struct content_room *room, const struct object_id *id,
		 struct upstream **ret_stream);
/* Cancels what is under way; the upload is the caller's then, to abort. */
struct multipart *upstream_free(struct upstream *stream);

uint64_t upstream_size(struct upstream *stream);
/* True when parts were sent, or are under way. */
bool upstream_has_sent(struct upstream *stream);

/* 0, or UPSTREAM_E_ELSEWHERE: some of it is not in memory any more. */
int upstream_read(struct upstream *stream, uint64_t offset, size_t len, void *data, size_t *ret_n);

/* All of it or none. params: of an upload that is begun. 0, UPSTREAM_E_ELSEWHERE, a negative errno.
 */
int upstream_write(struct upstream *stream, struct call *call, const struct upstream_params *params,
		   uint64_t offset, const void *data, size_t len);
/* Down, to 1 or more. 0, UPSTREAM_E_ELSEWHERE. */
int upstream_truncate(struct upstream *stream, uint64_t size);

/*
 * The whole of it becomes the object. params with conditions. When it fails, the stream is as it
 * was, and with attempted set nobody knows whether the object is as expected.
 */
int upstream_flush(struct upstream *stream, struct call *call, const struct upstream_params *params,
		   struct object *ret_object);

/* Calls fn with all that is at hand, in its order. Returns what fn does, when that is not 0. */
int upstream_each(struct upstream *stream,
		  int (*fn)(void *data, uint64_t offset, const void *bytes, size_t len),
		  void *data);

#endif
