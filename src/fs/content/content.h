/*
 * fs/content: the bytes of one open file: what S3 holds, what was written and is not there yet, and
 * how the one becomes the other. One content per file, shared by its handles. Thread-safe.
 *
 *	CLEAN	the object's bytes (the base), read by a reader
 *	STREAM	new from 0: parts that were sent, and those in memory
 *	STAGED	a local sparse file over the base
 *
 *	CLEAN   truncated to 0				STREAM
 *		written, else truncated			STAGED
 *	STREAM	written at its end, or where it is in memory and not sent; cut there; truncated to 0
 *							STREAM
 *		flushed					CLEAN
 *		read, written, truncated elsewhere: settled, which is
 *		    nothing was sent: what is in memory goes into the local file	STAGED
 *		    parts were sent: the upload is completed, and goes on as	CLEAN
 *	STAGED	truncated to 0				STREAM
 *		all else				STAGED
 *
 * The first part of a stream is kept back and sent last while memory is plenty, so that a header
 * that is written at the end costs nothing.
 *
 * In STAGED what is not in the local file is the base's where the base is visible, that is below
 * the smallest size that the file ever had, and else zeroes: a hole takes no space, and is sent as
 * zeroes.
 *
 * content_flush makes the object what the file is: one PUT of a small stream, the last parts of a
 * long one; of a STAGED file what changed, the rest copied on the server (UploadPartCopy). When it
 * fails, the file is dirty as before, the old object is untouched, and the next flush tries again.
 * When an answer was lost, so that nobody knows whether the object is the old one or the new one,
 * the next flush asks (HEAD) before it goes on. What a STAGED file's object was described by, it is
 * described by again (room->keeps): as the base's bytes came with, else as a HEAD tells.
 *
 * Changes (write, truncate, flush, ...) come one at a time, and wait for each other; reads go on
 * meanwhile.
 */
#ifndef FS_CONTENT_H
#define FS_CONTENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "xacctfs/fs/fs.h"
#include "xacctfs/s3/store.h"
#include "xacctfs/util/call.h"
#include "xacctfs/util/pool.h"

#include "../memory.h"
#include "../reader/reader.h"
#include "staging.h"

/*
 * The size of part `number` of a stream, so that 5 TiB fit into 10,000: 8 MiB, and where these
 * come to an end 32 MiB, and 1 GiB.
 */
uint64_t content_part_size(int number);

/* Tests have smaller ones. */
struct content_limits {
	uint64_t (*part_size)(int number); /* of the first is the unit of STAGED uploads, too */
	uint64_t copy_max;                 /* of one CopyObject or UploadPartCopy */
};

/* Shared by all contents, and must live as long; nothing is owned. */
struct content_room {
	struct reader_room reader;
	struct pool *uploads;        /* sends parts */
	struct memory_purse *memory; /* of parts */
	/*
	 * For STAGED files, and for parts of streams: those that are larger than a quarter of the
	 * memory, and those that memory does not come for.
	 */
	struct staging *staging;
	struct call_group *group;            /* of parts: when it is cancelled, none is sent */
	int64_t timeout_ms;                  /* the patience of one part */
	const struct content_limits *limits; /* NULL: S3's */
	/*
	 * An object that is changed in part stays described as it was: of what content_set_params
	 * sets only the metadata are added to it. Else what that sets is all that there is.
	 */
	bool keeps;
	atomic_uint under_way; /* parts, of all contents; at first 0 */
};

struct content;

/* The content of an object that is there. id and etag are copied. 0, -ENOMEM. */
int content_open(struct content_room *room, const struct object_id *id, const char *etag,
		 uint64_t size, struct content **ret_content);
/*
 * The content of a new file, empty and dirty. exclusive: the first flush fails with -EEXIST when
 * somebody else made the object meanwhile. 0, -ENOMEM.
 */
int content_create(struct content_room *room, const struct object_id *id, bool exclusive,
		   struct content **ret_content);

/*
 * Aborts what was sent and not completed; when that fails, logs it. Nobody may use the content any
 * more. NULL is fine.
 */
void content_free(struct content *content, struct call *call);

uint64_t content_size(struct content *content);
/* True when there is something that content_flush would do. */
bool content_dirty(struct content *content);
/*
 * True when there is, and while a change is under way, or what it made is not taken (see
 * content_take_settled): the object may then be this content's, whatever its ETag.
 */
bool content_is_changing(struct content *content);
/* True when the file was created or truncated to 0 and not written since: only that is unsaved. */
bool content_unwritten(struct content *content);

/* For a person: of a dirty file, everything in *ret_unsaved but its name, which is NULL. */
void content_get_unsaved(struct content *content, struct fs_unsaved *ret_unsaved);

/* Fewer than len bytes only at the end. */
int content_read(struct content *content, struct call *call, uint64_t offset, size_t len,
		 void *data, size_t *ret_n);
/*
 * All len bytes, or an error and none. -EFBIG over S3_OBJECT_MAX; -ENOSPC, -ENOMEM; what a part
 * failed with that was sent meanwhile: then no more is accepted until a flush succeeds.
 */
int content_write(struct content *content, struct call *call, uint64_t offset, const void *data,
		  size_t len);
/* At the end, wherever that is now (O_APPEND). */
int content_append(struct content *content, struct call *call, const void *data, size_t len);
/* Returns as content_write does. */
int content_truncate(struct content *content, struct call *call, uint64_t size);

/*
 * How the object is written from now on: type, headers, class, user metadata (copied; conditions
 * are not used), over an object that is there as room->keeps says. Until it is called an upload has
 * none. dirty: they are what the next flush writes, even if no byte changed. Waits for no other
 * change. 0, -ENOMEM.
 */
int content_set_params(struct content *content, const struct put_params *params, bool dirty);
/*
 * As above, not dirty. But when an upload was begun, which has the parameters of then, these are
 * not worth the copy that others cost: it stays as it is.
 */
int content_suggest_params(struct content *content, const struct put_params *params);

/*
 * Uploads what is not in S3. Returns 0, *ret_object (may be NULL) then being what S3 has now: etag,
 * size, mtime_ms, storage_class when something was uploaded, else zeroed. -ESTALE: the object that
 * was changed here in part is another by now; -EEXIST for an exclusive creation; the store's errno;
 * once more that of a write that was refused because a part had failed: the next one sends it
 * again.
 */
int content_flush(struct content *content, struct call *call, struct object *ret_object);

/*
 * True, once, when an upload was completed before its time, because the file was read or changed
 * elsewhere: *ret_object is what S3 has then. With the content held.
 */
bool content_take_settled(struct content *content, struct object *ret_object);
/* True when there is something to take. */
bool content_has_settled(struct content *content);

/*
 * Waits for the change that is under way, and holds off those of other threads until
 * content_release. The caller may do all of the above and below meanwhile: so that nothing comes
 * between a flush and a rename or unlink of the object. 0, -EINTR, -ETIMEDOUT.
 */
int content_hold(struct content *content, struct call *call);
void content_release(struct content *content);

/*
 * The object has this name and ETag (may be NULL: not known) now. 0, -ENOMEM; -EBUSY when the
 * content is not clean.
 */
int content_rename(struct content *content, struct call *call, const struct object_id *id,
		   const char *etag);

/*
 * The name is gone: nothing will be uploaded any more, and what is not at hand is -ESTALE. An
 * upload that is under way just now may be completed yet, unless content_hold is held.
 */
void content_unlinked(struct content *content, struct call *call);

#endif
