/*
 * util/pool: a bounded number of threads that do jobs in the order in which they were given.
 *
 * Threads are started when there is work, up to the bound, and end after a while without. The queue
 * is not bounded: who submits bounds what is under way (memory, parts).
 */
#ifndef XACCTFS_UTIL_POOL_H
#define XACCTFS_UTIL_POOL_H

#include <stddef.h>

struct pool;

/* Returns 0 or -ENOMEM. No thread is started yet, so it may be made before a fork. */
int pool_new(size_t max_threads, struct pool **ret_pool);

/* Waits for every job given. NULL is fine. */
void pool_free(struct pool *pool);

/*
 * fn(data) will run once in one of the threads; data is fn's then. Never waits. Returns 0; -ENOMEM
 * or -EAGAIN (no thread can be started at all), and fn will not run. Any thread, jobs included.
 */
int pool_submit(struct pool *pool, void (*fn)(void *data), void *data);

#endif
