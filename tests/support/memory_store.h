/*
 * support/memory_store: an S3 in memory, behind the store seam.
 *
 *	struct memory_store s3;
 *	memory_store_init(&s3, &clock.clock);
 *	memory_add_bucket(&s3, "photos", 0, "eu-west-1");
 *	memory_put(&s3, "photos", "2026/a.jpg", bytes, n);
 *	fs_new(&(struct fs_options){.store = &s3.store, ...}, &fs);
 *
 * The test is the account's other clients (memory_add_bucket, memory_put, ...) and whatever goes
 * wrong on the way: calls that fail, that are cut, that are held until released, and a hook that
 * runs before and after each call. Like the real one it refuses a call that is cancelled or past
 * its deadline.
 *
 * A call goes: counted; hook before; the fault; held before; done; held after; hook after; a fault
 * after; answered. Whatever ends it behind "done" is a lost answer: the account has changed. A get
 * is done by and by: between two pieces that the sink is fed it may be held, hooked and cut, and
 * what it reads stays the object that it began with.
 *
 * Thread-safe but for init, deinit and the settings.
 */
#ifndef SUPPORT_MEMORY_STORE_H
#define SUPPORT_MEMORY_STORE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xacctfs/s3/store.h"
#include "xacctfs/util/buf.h"

/* Where create_bucket makes them. */
#define MEMORY_REGION "eu-west-1"
/* What a get feeds the sink at once: as much as libcurl does. */
#define MEMORY_GET_SIZE 16384
/* The most on a page of objects, and of uploads. */
#define MEMORY_LISTING 1000
/* The type of an object that was put without one. */
#define MEMORY_TYPE "binary/octet-stream"
/* The most faults that may be set and not yet have come. */
#define MEMORY_FAULTS 16

enum memory_op {
	MEMORY_LIST_BUCKETS,
	MEMORY_CREATE_BUCKET,
	MEMORY_DELETE_BUCKET,
	MEMORY_HEAD_BUCKET,
	MEMORY_LIST_OBJECTS,
	MEMORY_HEAD_OBJECT,
	MEMORY_GET_OBJECT,
	MEMORY_PUT_OBJECT,
	MEMORY_COPY_OBJECT,
	MEMORY_DELETE_OBJECT,
	MEMORY_DELETE_OBJECTS,
	MEMORY_CREATE_UPLOAD,
	MEMORY_UPLOAD_PART,
	MEMORY_COPY_PART,
	MEMORY_COMPLETE_UPLOAD,
	MEMORY_ABORT_UPLOAD,
	MEMORY_LIST_UPLOADS,
	MEMORY_OPS,
	MEMORY_ANY = MEMORY_OPS, /* each of them */
};

enum memory_when {
	MEMORY_BEFORE, /* the account is as it was */
	MEMORY_AFTER,  /* done, and not answered yet; not for a call that failed */
	MEMORY_DURING, /* only in a get: before each piece of its bytes but the first */
};

/*
 * name: the bucket, or "bucket/key" where the call has a key (the target's, of a copy) or, in a
 * listing of objects, a prefix; NULL for MEMORY_LIST_BUCKETS. Called by the thread that calls the
 * store, without a lock: it may do anything. Returns 0 to go on, or the negative errno that the
 * call ends with.
 */
typedef int memory_hook_fn(void *data, enum memory_op op, enum memory_when when, const char *name);

/* Things with names, sorted by their bytes. */
struct memory_named {
	char *name;
};

struct memory_map {
	struct memory_named **v;
	size_t n, size;
};

struct memory_calls {
	size_t n;        /* that came */
	size_t held;     /* that wait now */
	bool hold[3];    /* by enum memory_when */
	size_t failures; /* to come */
	int error;       /* what they end with */
};

struct memory_fault {
	enum memory_op op;
	enum memory_when when;
	size_t in; /* the how manieth call from now; 0: none */
	int error;
	uint64_t bytes; /* that come before it, with MEMORY_DURING */
};

struct memory_store {
	struct store store; /* first: what is handed out is a pointer to it */
	struct clock *clock;

	/* Settings. */
	size_t page_size;     /* buckets on a page; 0: empty pages that never end */
	bool ignores_prefix;  /* list_buckets sends what does not begin so, too */
	bool without_regions; /* list_buckets does not tell regions */
	size_t listing_size;  /* the most entries on a page of objects; 0: as page_size */
	bool listing_millis;  /* a listing tells milliseconds, as Ceph's; a header never does */
	/*
	 * start_after within a common prefix is behind all of it, as Ceph has it. Else that prefix
	 * comes when a key below it is behind start_after, as the S3 API has it.
	 */
	bool start_after_skips;
	size_t uploads_size; /* uploads on a page; at least 1 */
	size_t get_size;     /* bytes that the sink is fed at once; at least 1 */
	uint64_t part_min;   /* of all parts but the last */
	uint64_t put_max;    /* of put_object and copy_object */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct memory_map buckets;                 /* lock */
	struct memory_calls calls[MEMORY_OPS];     /* lock */
	struct memory_fault faults[MEMORY_FAULTS]; /* lock */
	char *denied;                              /* lock */
	int denied_error;                          /* lock */
	memory_hook_fn *hook;                      /* lock */
	void *data;                                /* lock: the hook's */
	uint64_t bytes_got, bytes_put;             /* lock */
	unsigned long last_upload;                 /* lock */
};

/* An empty account, one page of any size. clock: for the dates of what is made. */
void memory_store_init(struct memory_store *s3, struct clock *clock);
void memory_store_deinit(struct memory_store *s3);

/* ---- other clients ---- */

/* Another client makes a bucket (of any name, replacing one of that name), or removes it with all
 * that is in it.
 */
void memory_add_bucket(struct memory_store *s3, const char *name, int64_t created_ms,
		       const char *region);
/* False when there is none. */
bool memory_remove_bucket(struct memory_store *s3, const char *name);
bool memory_has_bucket(struct memory_store *s3, const char *name);

/* Another client puts an object, or removes it (false when there is none). The bucket is there. */
void memory_put(struct memory_store *s3, const char *bucket, const char *key, const void *data,
		size_t len);
/*
 * As memory_put, and of as it has content_type, version_id, storage_class, encryption, headers and
 * meta, and mtime_ms and etag when they are set. A get of the storage classes GLACIER and
 * DEEP_ARCHIVE is -EACCES.
 */
void memory_put_as(struct memory_store *s3, const char *bucket, const char *key, const void *data,
		   size_t len, const struct object *as);
/* An object of so many zeros, that take no memory. */
void memory_put_zeros(struct memory_store *s3, const char *bucket, const char *key, uint64_t len);
bool memory_remove(struct memory_store *s3, const char *bucket, const char *key);

/* ---- what the account has: without a call, a count or a fault ---- */

bool memory_has(struct memory_store *s3, const char *bucket, const char *key);
/* Appends the object's bytes. False when there is none. */
bool memory_read(struct memory_store *s3, const char *bucket, const char *key,
		 struct buf *ret_bytes);
/* That the object is there and consists of these bytes. */
bool memory_is(struct memory_store *s3, const char *bucket, const char *key, const void *data,
	       size_t len);
/* As head_object tells it, but for mtime_ms, that has its milliseconds. False when there is none.
 */
bool memory_stat(struct memory_store *s3, const char *bucket, const char *key,
		 struct object *ret_object);
/* In a bucket, or with NULL in all of them. */
size_t memory_objects(struct memory_store *s3, const char *bucket);
size_t memory_uploads(struct memory_store *s3, const char *bucket);
/* Appends the bucket's keys in their order, each with a '\n' behind it. */
void memory_keys(struct memory_store *s3, const char *bucket, struct buf *ret_keys);

/* ---- faults ---- */

/* The next n calls of op end with this negative errno, and nothing is done. */
void memory_fail(struct memory_store *s3, enum memory_op op, size_t n, int error);
/*
 * The nth call of op (or of MEMORY_ANY) from now, 1 being the next, ends with this negative errno:
 * with MEMORY_BEFORE nothing is done, with MEMORY_AFTER the answer is lost. Such faults are
 * independent of each other.
 */
void memory_fail_nth(struct memory_store *s3, enum memory_op op, size_t nth, enum memory_when when,
		     int error);
/* The nth get from now ends with this negative errno behind so many bytes, or at its end. */
void memory_cut(struct memory_store *s3, size_t nth, uint64_t bytes, int error);
/*
 * Each call for that key (the target's, of a copy) ends with this negative errno, and
 * delete_objects leaves it. One key at a time; NULL, NULL for none.
 */
void memory_deny(struct memory_store *s3, const char *bucket, const char *key, int error);
/* No fault of the above is to come any more. */
void memory_clear_faults(struct memory_store *s3);
/* NULL for no hook. */
void memory_hook(struct memory_store *s3, memory_hook_fn *fn, void *data);

/* From now on calls of op wait there for release, cancellation or their deadline. */
void memory_hold(struct memory_store *s3, enum memory_op op, enum memory_when when);
void memory_release(struct memory_store *s3, enum memory_op op);
/* Waits until n calls of op are held. False after ten real seconds. */
bool memory_wait_held(struct memory_store *s3, enum memory_op op, size_t n);

/* ---- counts ---- */

/* How many calls of op (or of MEMORY_ANY) came. */
size_t memory_count(struct memory_store *s3, enum memory_op op);
/* Bytes that sinks were fed; that put_object and upload_part brought. */
uint64_t memory_bytes_got(struct memory_store *s3);
uint64_t memory_bytes_put(struct memory_store *s3);
/* All of them are 0 again. */
void memory_reset_counts(struct memory_store *s3);

#endif
