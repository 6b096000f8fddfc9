/*
 * fs/waiter: a wait for a condition that ends when the call is cancelled or out of time.
 *
 *	waiter_begin(&waiter, call, &lock, &changed);	without the lock
 *	pthread_mutex_lock(&lock);
 *	while (r == 0 && !condition)
 *		r = waiter_wait_locked(&waiter);
 *	pthread_mutex_unlock(&lock);
 *	waiter_end(&waiter);
 */
#ifndef FS_WAITER_H
#define FS_WAITER_H

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

void waiter_begin(struct waiter *waiter, struct call *call, pthread_mutex_t *lock,
		  pthread_cond_t *changed);
/* Returns 0 to look at the condition again, -EINTR, -ETIMEDOUT. */
int waiter_wait_locked(struct waiter *waiter);
void waiter_end(struct waiter *waiter);

#endif
