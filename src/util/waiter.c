#include "xacctfs/util/waiter.h"

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

int waiter_wait_until_locked(struct waiter *waiter, int64_t until_ms)
{
	struct call *call = waiter->call;
	struct clock *clock = call->clock;
	int64_t now = clock->boot_ms(clock);

	if (waiter->cancelled)
		return -EINTR;
	if (now >= call->deadline_ms)
		return -ETIMEDOUT;
	if (now >= until_ms)
		return -EAGAIN;
	clock->wait(clock, waiter->changed, waiter->lock,
		    until_ms < call->deadline_ms ? until_ms : call->deadline_ms);
	return 0;
}

int waiter_wait_locked(struct waiter *waiter)
{
	return waiter_wait_until_locked(waiter, CLOCK_NEVER);
}

void waiter_end(struct waiter *waiter)
{
	call_unwatch(waiter->call, &waiter->watch);
}
