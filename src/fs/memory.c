#include "memory.h"

#include <assert.h>
#include <errno.h>

#include <utlist.h>

#include "xacctfs/util/waiter.h"

#include "least.h"

/* So many reads of others pass before one is idle, and twice as many as it used to let pass; but
 * that is not taken for more than so many. */
#define QUIET_MIN 16
#define QUIET_MAX 128

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

static uint64_t quiet_for_locked(const struct memory_purse *purse,
				 const struct memory_holder *holder)
{
	return purse->tick - holder->read;
}

static bool idle_locked(const struct memory_purse *purse, const struct memory_holder *holder)
{
	return quiet_for_locked(purse, holder) > QUIET_MIN + 2 * holder->quiet;
}

static unsigned int holders_at_work_locked(const struct memory_purse *purse)
{
	const struct memory_holder *holder = purse->holders ? purse->holders->prev : NULL;
	unsigned int n = 0;

	while (holder && quiet_for_locked(purse, holder) <= QUIET_MIN + 2 * QUIET_MAX) {
		n += !idle_locked(purse, holder);
		holder = holder == purse->holders ? NULL : holder->prev;
	}
	return n;
}

static size_t share_locked(const struct memory_purse *purse, unsigned int others)
{
	unsigned int users = purse->users + holders_at_work_locked(purse) + others;

	return users > 1 ? purse->limit / users : purse->limit;
}

size_t memory_share(struct memory_purse *purse)
{
	size_t share;

	pthread_mutex_lock(&purse->lock);
	share = share_locked(purse, 0);
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

/* ---- holders ---- */

static void note_read_locked(struct memory_purse *purse, struct memory_holder *holder)
{
	purse->tick++;
	if (holder->read > 0) {
		uint64_t quiet = least(quiet_for_locked(purse, holder), QUIET_MAX);

		/* reads may come in bursts: what counts is the time between these */
		holder->quiet -= holder->quiet / 32;
		if (holder->quiet < quiet)
			holder->quiet = quiet;
	}
	holder->read = purse->tick;
}

size_t memory_holder_read(struct memory_purse *purse, struct memory_holder *holder)
{
	size_t share;

	pthread_mutex_lock(&purse->lock);
	note_read_locked(purse, holder);
	if (holder->holding) {
		DL_DELETE(purse->holders, holder);
		DL_APPEND(purse->holders, holder);
	}
	share = share_locked(purse, holder->holding ? 0 : 1);
	pthread_mutex_unlock(&purse->lock);
	return share;
}

void memory_holder_begin(struct memory_purse *purse, struct memory_holder *holder)
{
	pthread_mutex_lock(&purse->lock);
	assert(!holder->holding);
	holder->holding = true;
	holder->read = ++purse->tick; /* others may have read since: the list is sorted */
	DL_APPEND(purse->holders, holder);
	pthread_mutex_unlock(&purse->lock);
}

void memory_holder_end(struct memory_purse *purse, struct memory_holder *holder)
{
	pthread_mutex_lock(&purse->lock);
	assert(holder->holding);
	holder->holding = false;
	DL_DELETE(purse->holders, holder);
	pthread_mutex_unlock(&purse->lock);
}

/* Who comes behind the one that was read from at that tick, and may have moved on since. */
static struct memory_holder *next_locked(struct memory_purse *purse, struct memory_holder *holder,
					 uint64_t tick)
{
	if (holder->holding && holder->read == tick)
		return holder->next;
	for (holder = purse->holders; holder && holder->read <= tick;)
		holder = holder->next;
	return holder;
}

/* Lets the lock go meanwhile. Adds to what was given up. */
static struct memory_holder *ask_locked(struct memory_purse *purse, struct memory_holder *holder,
					size_t n, size_t *given)
{
	bool idle = idle_locked(purse, holder);
	uint64_t tick = holder->read;
	struct memory_holder *next;

	holder->asked++;
	pthread_mutex_unlock(&purse->lock);
	*given += holder->give_up(holder->data, n, idle);
	pthread_mutex_lock(&purse->lock);
	next = next_locked(purse, holder, tick);
	if (--holder->asked == 0)
		pthread_cond_broadcast(&purse->returned);
	return next;
}

bool memory_reclaim(struct memory_purse *purse, size_t n)
{
	struct memory_holder *holder;
	size_t lacking, given = 0;
	uint64_t last;

	if (n > purse->limit)
		return false;
	pthread_mutex_lock(&purse->lock);
	lacking = purse->used + n > purse->limit ? purse->used + n - purse->limit : 0;
	last = purse->tick; /* who is read from meanwhile is not asked again */
	holder = purse->holders;
	while (holder && holder->read <= last && given < lacking)
		holder = ask_locked(purse, holder, lacking - given, &given);
	pthread_mutex_unlock(&purse->lock);
	return given > 0;
}

void memory_holder_part(struct memory_purse *purse, struct memory_holder *holder)
{
	pthread_mutex_lock(&purse->lock);
	assert(!holder->holding);
	while (holder->asked > 0)
		pthread_cond_wait(&purse->returned, &purse->lock);
	pthread_mutex_unlock(&purse->lock);
}
