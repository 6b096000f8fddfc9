#include "waiter.h"

#include <errno.h>

static void waiter_cancel(void *data)
{
	struct waiter *waiter = data;

	pthread_mutex_lock(waiter->lock);
	waiter->cancelled = true;
	pthread_cond_broadcast(waiter->changed);
	pthread_mutex_unlock(waiter->lock);
}

void waiter_begin(struct waiter *waiter, struct call *call, pthread_mutex_t *lock,
		  pthread_cond_t *changed)
{
	*waiter = (struct waiter){.call = call, .lock = lock, .changed = changed};
	call_watch(call, &waiter->watch, waiter_cancel, waiter);
}

int waiter_wait_locked(struct waiter *waiter)
{
	struct call *call = waiter->call;

	if (waiter->cancelled)
		return -EINTR;
	if (call_remaining_ms(call) == 0)
		return -ETIMEDOUT;
	call->clock->wait(call->clock, waiter->changed, waiter->lock, call->deadline_ms);
	return 0;
}

void waiter_end(struct waiter *waiter)
{
	call_unwatch(waiter->call, &waiter->watch);
}
