#include "xacctfs/util/call.h"

#include <errno.h>
#include <utlist.h>

void call_group_init(struct call_group *group)
{
	*group = (struct call_group){0};
	pthread_mutex_init(&group->lock, NULL);
}

void call_group_deinit(struct call_group *group)
{
	pthread_mutex_destroy(&group->lock);
}

void call_group_cancel(struct call_group *group)
{
	struct call *call;

	pthread_mutex_lock(&group->lock);
	group->cancelled = true;
	DL_FOREACH (group->calls, call)
		call_cancel(call);
	pthread_mutex_unlock(&group->lock);
}

bool call_group_cancelled(struct call_group *group)
{
	bool cancelled;

	pthread_mutex_lock(&group->lock);
	cancelled = group->cancelled;
	pthread_mutex_unlock(&group->lock);
	return cancelled;
}

void call_init(struct call *call, struct call_group *group, struct clock *clock, int64_t timeout_ms)
{
	*call = (struct call){.clock = clock, .group = group};
	call->deadline_ms = clock_after(clock, timeout_ms);
	pthread_mutex_init(&call->lock, NULL);
	if (!group)
		return;
	pthread_mutex_lock(&group->lock);
	call->cancelled = group->cancelled;
	DL_APPEND(group->calls, call);
	pthread_mutex_unlock(&group->lock);
}

void call_deinit(struct call *call)
{
	if (call->group) {
		pthread_mutex_lock(&call->group->lock);
		DL_DELETE(call->group->calls, call);
		pthread_mutex_unlock(&call->group->lock);
	}
	pthread_mutex_destroy(&call->lock);
}

void call_cancel(struct call *call)
{
	struct call_watch *watch;

	pthread_mutex_lock(&call->lock);
	if (!call->cancelled) {
		call->cancelled = true;
		DL_FOREACH (call->watches, watch)
			watch->fn(watch->data);
	}
	pthread_mutex_unlock(&call->lock);
}

int call_check(struct call *call)
{
	bool cancelled;

	pthread_mutex_lock(&call->lock);
	cancelled = call->cancelled;
	pthread_mutex_unlock(&call->lock);
	if (cancelled)
		return -EINTR;
	return call_remaining_ms(call) == 0 ? -ETIMEDOUT : 0;
}

int64_t call_remaining_ms(struct call *call)
{
	int64_t left;

	if (call->deadline_ms == CLOCK_NEVER)
		return CLOCK_NEVER;
	left = call->deadline_ms - call->clock->boot_ms(call->clock);
	return left > 0 ? left : 0;
}

void call_watch(struct call *call, struct call_watch *watch, void (*fn)(void *data), void *data)
{
	*watch = (struct call_watch){.fn = fn, .data = data};
	pthread_mutex_lock(&call->lock);
	DL_APPEND(call->watches, watch);
	if (call->cancelled)
		fn(data);
	pthread_mutex_unlock(&call->lock);
}

void call_unwatch(struct call *call, struct call_watch *watch)
{
	pthread_mutex_lock(&call->lock);
	DL_DELETE(call->watches, watch);
	pthread_mutex_unlock(&call->lock);
}

struct sleeper {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool woken; /* lock */
};

static void wake(void *data)
{
	struct sleeper *sleeper = data;

	pthread_mutex_lock(&sleeper->lock);
	sleeper->woken = true;
	pthread_cond_signal(&sleeper->cond);
	pthread_mutex_unlock(&sleeper->lock);
}

int call_sleep(struct call *call, int64_t ms)
{
	struct sleeper sleeper = {.lock = PTHREAD_MUTEX_INITIALIZER};
	int64_t until = clock_after(call->clock, ms);
	struct call_watch watch;
	bool woken;
	int r;

	r = call_check(call);
	if (r < 0)
		return r;
	if (ms > call_remaining_ms(call))
		return -ETIMEDOUT;
	r = clock_cond_init(&sleeper.cond);
	if (r < 0)
		return r;
	call_watch(call, &watch, wake, &sleeper);
	pthread_mutex_lock(&sleeper.lock);
	while (!sleeper.woken && call->clock->boot_ms(call->clock) < until)
		call->clock->wait(call->clock, &sleeper.cond, &sleeper.lock, until);
	woken = sleeper.woken;
	pthread_mutex_unlock(&sleeper.lock);
	call_unwatch(call, &watch);
	pthread_cond_destroy(&sleeper.cond);
	return woken ? -EINTR : 0;
}
