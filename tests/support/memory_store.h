/*
 * support/memory_store: an S3 in memory, behind the store seam.
 *
 *	struct memory_store s3;
 *	memory_store_init(&s3, &clock.clock);
 *	memory_add_bucket(&s3, "photos", 0, "eu-west-1");
 *	fs_new(&(struct fs_options){.store = &s3.store, ...}, &fs);
 *
 * The test is the account's other clients (memory_add_bucket, memory_remove_bucket) and whatever
 * goes wrong on the way: calls that fail, that are held until released, and a hook that runs before
 * and after each call. Like the real one it refuses a call that is cancelled or past its deadline.
 *
 * A call goes: counted; hook before; the fault; held before; done; held after; hook after;
 *answered. Whatever ends it behind "done" is a lost answer: the account has changed. Thread-safe
 *but for init, deinit and the settings.
 */
#ifndef SUPPORT_MEMORY_STORE_H
#define SUPPORT_MEMORY_STORE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xacctfs/s3/store.h"

/* Where create_bucket makes them. */
#define MEMORY_REGION "eu-west-1"

enum memory_op {
	MEMORY_LIST_BUCKETS,
	MEMORY_CREATE_BUCKET,
	MEMORY_DELETE_BUCKET,
	MEMORY_HEAD_BUCKET,
	MEMORY_OPS,
};

enum memory_when {
	MEMORY_BEFORE, /* the account is as it was */
	MEMORY_AFTER,  /* done, and not answered yet; not for a call that failed */
};

/*
 * name: the bucket, NULL for MEMORY_LIST_BUCKETS. Called by the thread that calls the store,
 * without a lock: it may do anything. Returns 0 to go on, or the negative errno that the call ends
 * with.
 */
typedef int memory_hook_fn(void *data, enum memory_op op, enum memory_when when, const char *name);

/* Things with names, sorted by them. */
struct memory_named {
	char *name;
};

struct memory_map {
	struct memory_named **v;
	size_t n;
};

struct memory_calls {
	size_t n;        /* that came */
	size_t held;     /* that wait now */
	bool hold[2];    /* by enum memory_when */
	size_t failures; /* to come */
	int error;       /* what they end with */
};

struct memory_store {
	struct store store; /* first: what is handed out is a pointer to it */
	struct clock *clock;

	/* Settings. */
	size_t page_size;     /* buckets on a page; 0: empty pages that never end */
	bool ignores_prefix;  /* list_buckets sends what does not begin so, too */
	bool without_regions; /* list_buckets does not tell regions */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct memory_map buckets;             /* lock */
	struct memory_calls calls[MEMORY_OPS]; /* lock */
	memory_hook_fn *hook;                  /* lock */
	void *data;                            /* lock: the hook's */
};

/* An empty account, one page of any size. clock: for the dates of new buckets. */
void memory_store_init(struct memory_store *s3, struct clock *clock);
void memory_store_deinit(struct memory_store *s3);

/* Another client makes a bucket (of any name, replacing one of that name), or removes it. */
void memory_add_bucket(struct memory_store *s3, const char *name, int64_t created_ms,
		       const char *region);
/* False when there is none. */
bool memory_remove_bucket(struct memory_store *s3, const char *name);
bool memory_has_bucket(struct memory_store *s3, const char *name);

/* The next n calls of op end with this negative errno, and nothing is done. */
void memory_fail(struct memory_store *s3, enum memory_op op, size_t n, int error);
/* NULL for no hook. */
void memory_hook(struct memory_store *s3, memory_hook_fn *fn, void *data);

/* From now on calls of op wait there for release, cancellation or their deadline. */
void memory_hold(struct memory_store *s3, enum memory_op op, enum memory_when when);
void memory_release(struct memory_store *s3, enum memory_op op);
/* Waits until n calls of op are held. False after ten real seconds. */
bool memory_wait_held(struct memory_store *s3, enum memory_op op, size_t n);

/* How many calls of op came. */
size_t memory_count(struct memory_store *s3, enum memory_op op);

#endif
