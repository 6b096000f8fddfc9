/*
 * fs/reader: the bytes of one object, as it was when it was opened, by ranged GETs pinned to its
 * ETag. One reader serves all handles of a file. Thread-safe.
 *
 *	reader_new(&options, &id, etag, size, &reader);
 *	reader_read(reader, &call, offset, len, data, &n);
 *
 * What was fetched is kept as extents: LOADING (one thread fetches, others wait for the bytes that
 * they need, as they come), READY, or FAILED (who waits takes over its errno; the next one tries
 * again). In-order reads run ahead: the window doubles with each one that the reader saw coming,
 * up to READER_WINDOW_MAX and the file's share of memory, and falls back when a read comes from
 * elsewhere. Several in-order streams in one file are told apart. An extent is dropped when its
 * bytes were handed out and a stream has gone past it; or, of an idle reader, when another one
 * needs the memory (fs/memory): the window is small again then.
 */
#ifndef FS_READER_H
#define FS_READER_H

#include <stdint.h>

#include "xacctfs/s3/store.h"
#include "xacctfs/util/call.h"
#include "xacctfs/util/pool.h"

#include "../memory.h"

/* The first fetch of a file that is read from its beginning; a smaller file is one GET. */
#define READER_FIRST (1 << 20)
/* One GET's most, and the most that is under way or unread ahead of one stream. */
#define READER_EXTENT_MAX (8 << 20)
#define READER_WINDOW_MAX (64 << 20)

struct reader;

/* Shared by all readers; nothing is owned. */
struct reader_room {
	struct store *store;
	struct clock *clock;
	struct pool *pool;           /* runs ahead */
	struct call_group *group;    /* of what runs ahead: cancelled when the mount ends */
	int64_t timeout_ms;          /* the patience of one fetch that runs ahead */
	struct memory_purse *memory; /* for extents */
	int64_t gone_ttl_ms;         /* how long the answer holds that an object is gone */
};

/*
 * id is copied. etag: the object that is meant; NULL when not known: then the first answer says.
 * Returns 0 with one reference, -ENOMEM.
 */
int reader_new(const struct reader_room *room, const struct object_id *id, const char *etag,
	       uint64_t size, struct reader **ret_reader);
struct reader *reader_ref(struct reader *reader);
/* The last one lets fetches under way go, without waiting for them. NULL is fine. */
void reader_unref(struct reader *reader);

/*
 * Copies up to len bytes from offset; fewer only at the object's end (size). Returns 0; -ESTALE
 * when the object is another by now, or gone: what is not at hand is then asked for once in a
 * gone_ttl_ms only, because the same bytes put again have the same ETag; -EINTR and -ETIMEDOUT as
 * the call says; the store's errno.
 */
int reader_read(struct reader *reader, struct call *call, uint64_t offset, size_t len, void *data,
		size_t *ret_n);

/*
 * How the object's bytes came described: type, headers, class, metadata; to be deinitialised.
 * -ENODATA when none came yet; -ENOMEM.
 */
int reader_told(struct reader *reader, struct object *ret_object);

/* The object has another name now (a rename by this mount); the ETag is the new one's. -ENOMEM. */
int reader_rename(struct reader *reader, const struct object_id *id, const char *etag);

#endif
