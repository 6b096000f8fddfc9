/*
 * util/waiter: a wait for a condition that ends when the call is cancelled or out of time.
 *
 *	waiter_begin(&waiter, call, &lock, &changed);	without the lock
 *	pthread_mutex_lock(&lock);
 *	while (r == 0 && !condition)
 *		r = waiter_wait_locked(&waiter);
 *	pthread_mutex_unlock(&lock);
 *	waiter_end(&waiter);
 */
#ifndef XACCTFS_UTIL_WAITER_H
#define XACCTFS_UTIL_WAITER_H

#include <pthread.h>
#include <stdbool.h>

#include "xacctfs/util/call.h"

struct waiter {
	struct call *call;
	struct call_watch watch;
	pthread_mutex_t *lock;
	pthread_cond_t *changed; /* made by clock_cond_init() */
	bool cancelled;          /* lock */
};

/*
 * Without the lock. waiter, lock and changed stay valid until waiter_end(). The lock is taken under
 * the call's to say that it was cancelled: it is the leaf that util/call speaks of.
 */
void waiter_begin(struct waiter *waiter, struct call *call, pthread_mutex_t *lock,
		  pthread_cond_t *changed);
/* Returns 0 to look at the condition again, -EINTR, -ETIMEDOUT. */
int waiter_wait_locked(struct waiter *waiter);
/* The same; and -EAGAIN once it is until_ms, in boot time. */
int waiter_wait_until_locked(struct waiter *waiter, int64_t until_ms);
/* Without the lock. */
void waiter_end(struct waiter *waiter);

#endif
