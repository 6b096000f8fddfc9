/*
 * fs/content: the bytes of one open file: what S3 holds, what was written and is not there yet, and
 * how the one becomes the other. One content per file, shared by its handles. Thread-safe.
 *
 *	state	 bytes					a write at the end    any other write,
 *truncate
 *	CLEAN	 the base object's (reader)		-> STAGED	      -> STAGED; to 0 ->
 *STREAM STREAM	 new from 0: parts sent, the rest in	STREAM		      in the first part,
 *while it memory, first part kept back				      is in memory: STREAM; else
 *									      -> STAGED, see below
 *	STAGED	 a local sparse file over the base	STAGED		      STAGED
 *
 * STREAM -> STAGED: what is in memory goes into the local file. Where parts were sent already, the
 * upload is completed first (the object then is what was written so far) and is the base of what
 * follows; so it is, too, when such a stream is read from.
 *
 * content_flush makes the object what the file is: one PUT of a small stream, the last parts of a
 * long one; of a STAGED file what changed, the rest copied on the server (UploadPartCopy). When it
 * fails, the file is dirty as before, the old object is untouched, and the next flush tries again.
 */
#ifndef FS_CONTENT_H
#define FS_CONTENT_H

#include <stdbool.h>
#include <stdint.h>

#include "xacctfs/s3/store.h"
#include "xacctfs/util/call.h"
#include "xacctfs/util/pool.h"

#include "memory.h"
#include "reader.h"
#include "staging.h"

/* The size of part `number` of a stream, so that 5 TiB fit into 10,000. */
uint64_t content_part_size(int number);

/* Shared by all contents; nothing is owned. */
struct content_room {
	struct reader_room reader;
	struct pool *uploads;        /* sends parts */
	struct memory_purse *memory; /* of streams */
	struct staging *staging;
};

struct content;

/* The content of an object that is there. id and etag are copied. 0, -ENOMEM. */
int content_open(const struct content_room *room, const struct object_id *id, const char *etag,
		 uint64_t size, struct content **ret_content);
/*
 * The content of a new file, empty and dirty. exclusive: the first flush fails with -EEXIST when
 * somebody else made the object meanwhile.
 */
int content_create(const struct content_room *room, const struct object_id *id, bool exclusive,
		   struct content **ret_content);

/* Aborts what was sent and not completed. Nobody may use it any more. NULL is fine. */
void content_free(struct content *content, struct call *call);

uint64_t content_size(struct content *content);
bool content_dirty(struct content *content);
/* True when a flush is of no use any more: written, and nothing but the creation is unsaved. */
bool content_unwritten(struct content *content);

/* Fewer than len bytes only at the end. */
int content_read(struct content *content, struct call *call, uint64_t offset, size_t len,
		 void *data, size_t *ret_n);
/* All len bytes, or an error and none. -EFBIG over S3_OBJECT_MAX; -ENOSPC, -ENOMEM. */
int content_write(struct content *content, struct call *call, uint64_t offset, const void *data,
		  size_t len);
/* At the end, wherever that is now (O_APPEND). */
int content_append(struct content *content, struct call *call, const void *data, size_t len);
int content_truncate(struct content *content, struct call *call, uint64_t size);

/*
 * How the object is written by the next flush: type and user metadata (copied; conditions are not
 * used), and makes the content dirty when `dirty`.
 */
int content_set_params(struct content *content, const struct put_params *params, bool dirty);

/*
 * Uploads what is not in S3. Returns 0, *ret_object (may be NULL) then being what S3 has now: etag,
 * size, mtime_ms when something was uploaded, else zeroed. -ESTALE: the object that was changed
 * here in part is another by now; -EEXIST for an exclusive creation; the store's errno.
 */
int content_flush(struct content *content, struct call *call, struct object *ret_object);

/* The object has this name and ETag now. The content must be clean. 0, -ENOMEM. */
int content_rename(struct content *content, const struct object_id *id, const char *etag);

/* The name is gone: nothing will be uploaded any more, and what is not at hand is -ESTALE. */
void content_unlinked(struct content *content, struct call *call);

#endif
