/*
 * fs/memory: how many bytes of file data the program may hold (memory_limit), for all files
 * together. Thread-safe.
 *
 * Two purses, so that neither readers nor writers starve the others: each is half of the limit.
 */
#ifndef FS_MEMORY_H
#define FS_MEMORY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "xacctfs/util/call.h"

struct memory_purse {
	pthread_mutex_t lock;
	pthread_cond_t returned; /* bytes were given back */
	size_t limit;
	size_t used;        /* lock */
	size_t most;        /* lock: the highest that used ever was */
	unsigned int users; /* lock: files that share it */
};

int memory_purse_init(struct memory_purse *purse, size_t limit);
void memory_purse_deinit(struct memory_purse *purse);

/* A file begins and ends to use the purse: what each may hold is limit / users (memory_share). */
void memory_join(struct memory_purse *purse);
void memory_leave(struct memory_purse *purse);
size_t memory_share(struct memory_purse *purse);

/* Takes n bytes if they are there. False, taking none, when not. */
bool memory_try(struct memory_purse *purse, size_t n);
/*
 * Takes n bytes, waiting for them no longer than patience_ms. Returns 0; -EAGAIN when they did not
 * come; -EINTR, -ETIMEDOUT as the call says.
 */
int memory_take(struct memory_purse *purse, struct call *call, size_t n, int64_t patience_ms);
/* Takes n bytes whatever the limit: for what must go on, and is small. */
void memory_force(struct memory_purse *purse, size_t n);
void memory_give(struct memory_purse *purse, size_t n);

void memory_get(struct memory_purse *purse, size_t *ret_used, size_t *ret_most);

#endif
