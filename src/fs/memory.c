#include "memory.h"

#include <assert.h>
#include <errno.h>

#include "xacctfs/util/clock.h"

int memory_purse_init(struct memory_purse *purse, struct clock *clock, size_t limit)
{
	*purse = (struct memory_purse){.clock = clock, .limit = limit};
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

struct taker {
	struct memory_purse *purse;
	bool cancelled; /* purse->lock */
};

static void taker_cancel(void *data)
{
	struct taker *taker = data;

	pthread_mutex_lock(&taker->purse->lock);
	taker->cancelled = true;
	pthread_cond_broadcast(&taker->purse->returned);
	pthread_mutex_unlock(&taker->purse->lock);
}

static int64_t later(int64_t now_ms, int64_t ms)
{
	return ms > CLOCK_NEVER - now_ms ? CLOCK_NEVER : now_ms + ms;
}

static int take_locked(struct memory_purse *purse, struct taker *taker, size_t n,
		       int64_t deadline_ms, int64_t patient_until_ms)
{
	int64_t until = deadline_ms < patient_until_ms ? deadline_ms : patient_until_ms;

	while (!try_locked(purse, n)) {
		int64_t now = purse->clock->boot_ms(purse->clock);

		if (taker->cancelled)
			return -EINTR;
		if (now >= deadline_ms)
			return -ETIMEDOUT;
		if (now >= patient_until_ms)
			return -EAGAIN;
		purse->clock->wait(purse->clock, &purse->returned, &purse->lock, until);
	}
	return 0;
}

int memory_take(struct memory_purse *purse, struct call *call, size_t n, int64_t patience_ms)
{
	int64_t until = later(purse->clock->boot_ms(purse->clock), patience_ms);
	struct taker taker = {.purse = purse};
	struct call_watch watch;
	int r;

	call_watch(call, &watch, taker_cancel, &taker);
	pthread_mutex_lock(&purse->lock);
	r = take_locked(purse, &taker, n, call->deadline_ms, until);
	pthread_mutex_unlock(&purse->lock);
	call_unwatch(call, &watch);
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
