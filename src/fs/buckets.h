/*
 * fs/buckets: the root's listing, kept for one TTL and fetched once for all who wait. Thread-safe.
 *
 *   generation   counts the buckets made and removed through this mount
 *   a listing    is of the generation at which its first page was asked for
 *
 * An answer is good for a caller when it is within its TTL and of the generation at the caller's
 * start or later: so whatever this mount did before is in it, and an answer that was on its way
 * meanwhile is not believed. Its own caller gets it, to be kept for no time at all.
 */
#ifndef FS_BUCKETS_H
#define FS_BUCKETS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "xacctfs/s3/store.h"
#include "xacctfs/util/call.h"

/* Sorted by name, immutable once others hold it. */
struct listing {
	struct bucket *v;
	size_t n;
	size_t pages; /* requests that it took */
	uint64_t generation;
	int64_t expires_ms; /* boot time */
	unsigned int refs;  /* buckets.lock */
};

struct buckets {
	struct store *store;
	struct clock *clock;
	int64_t ttl_ms;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* a fetch ended, or a waiter's call was cancelled */
	struct listing *latest; /* lock; NULL before the first */
	uint64_t generation;    /* lock */
	bool fetching;          /* lock: one caller is at it */
	uint64_t fetches;       /* lock: ended ones */
	int fetch_error;        /* lock: what the last one ended with */
};

/* Returns 0 or -ENOMEM. */
int buckets_init(struct buckets *buckets, struct store *store, struct clock *clock, int64_t ttl_ms);
void buckets_deinit(struct buckets *buckets);

/*
 * A reference to a listing that is good for a caller who starts now: the kept one, or a fresh one.
 * Waiting callers share one fetch and its errno; if the one that fetches is interrupted, the next
 * takes over. Returns 0 or a negative errno.
 */
int buckets_list(struct buckets *buckets, struct call *call, struct listing **ret_listing);
void buckets_unref(struct buckets *buckets, struct listing *listing);

/* The bucket of that name, or NULL. Valid as long as the reference. */
const struct bucket *listing_find(const struct listing *listing, const char *name);

/*
 * One name: answered by a good listing, by listing again where that takes one request, else by one
 * request for this name. Returns 0 with ret_found, and for how long that holds.
 */
int buckets_find(struct buckets *buckets, struct call *call, const char *name, bool *ret_found,
		 int64_t *ret_created_ms, int64_t *ret_valid_ms);

/*
 * An entry of a listing that a directory holds, without a request: what it is now, and for how long
 * that holds. False when it is gone, or this mount did something since and no listing tells.
 */
bool buckets_entry(struct buckets *buckets, const struct listing *listing, const char *name,
		   int64_t *ret_created_ms, int64_t *ret_valid_ms);

/* What is kept holds no longer. */
void buckets_expire(struct buckets *buckets);

/* The mount made or removed a bucket: seen at once by every call that starts from now on. */
void buckets_added(struct buckets *buckets, const char *name, int64_t created_ms);
void buckets_removed(struct buckets *buckets, const char *name);

#endif
