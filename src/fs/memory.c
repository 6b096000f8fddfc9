#include "memory.h"

#include <assert.h>
#include <errno.h>

#include "xacctfs/util/waiter.h"

int memory_purse_init(struct memory_purse *purse, size_t limit)
{
	*purse = (struct memory_purse){.limit = limit};
	if (clock_cond_init(&purse->returned) < 0)
		return -ENOMEM;
	pthread_mutex_init(&purse->lock, NULL);
	return 0;
}

void memory_purse_deinit(struct memory_purse *purse)
{
	pthread_cond_destroy(&purse->returned);
	pthread_mutex_destroy(&purse->lock);
}

void memory_join(struct memory_purse *purse)
{
	pthread_mutex_lock(&purse->lock);
	purse->users++;
	pthread_mutex_unlock(&purse->lock);
}

void memory_leave(struct memory_purse *purse)
{
	pthread_mutex_lock(&purse->lock);
	assert(purse->users > 0);
	purse->users--;
	pthread_mutex_unlock(&purse->lock);
}

size_t memory_share(struct memory_purse *purse)
{
	size_t share;

	pthread_mutex_lock(&purse->lock);
	share = purse->users > 1 ? purse->limit / purse->users : purse->limit;
	pthread_mutex_unlock(&purse->lock);
	return share;
}

static void use_locked(struct memory_purse *purse, size_t n)
{
	purse->used += n;
	if (purse->used > purse->most)
		purse->most = purse->used;
}

static bool try_locked(struct memory_purse *purse, size_t n)
{
	if (purse->used > purse->limit || n > purse->limit - purse->used)
		return false;
	use_locked(purse, n);
	return true;
}

bool memory_try(struct memory_purse *purse, size_t n)
{
	bool taken;

	pthread_mutex_lock(&purse->lock);
	taken = try_locked(purse, n);
	pthread_mutex_unlock(&purse->lock);
	return taken;
}

int memory_take(struct memory_purse *purse, struct call *call, size_t n, int64_t patience_ms)
{
	int64_t until = clock_after(call->clock, patience_ms);
	struct waiter waiter;
	int r = 0;

	waiter_begin(&waiter, call, &purse->lock, &purse->returned);
	pthread_mutex_lock(&purse->lock);
	while (r == 0 && !try_locked(purse, n))
		r = waiter_wait_until_locked(&waiter, until);
	pthread_mutex_unlock(&purse->lock);
	waiter_end(&waiter);
	return r;
}

void memory_force(struct memory_purse *purse, size_t n)
{
	pthread_mutex_lock(&purse->lock);
	use_locked(purse, n);
	pthread_mutex_unlock(&purse->lock);
}

void memory_give(struct memory_purse *purse, size_t n)
{
	pthread_mutex_lock(&purse->lock);
	assert(n <= purse->used);
	purse->used -= n;
	pthread_cond_broadcast(&purse->returned);
	pthread_mutex_unlock(&purse->lock);
}

void memory_get(struct memory_purse *purse, size_t *ret_used, size_t *ret_most)
{
	pthread_mutex_lock(&purse->lock);
	*ret_used = purse->used;
	*ret_most = purse->most;
	pthread_mutex_unlock(&purse->lock);
}
