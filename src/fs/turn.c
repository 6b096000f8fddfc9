#include "turn.h"

#include <errno.h>
#include <utlist.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/waiter.h"

#include "private.h"

int turns_init(struct turns *turns)
{
	*turns = (struct turns){0};
	if (clock_cond_init(&turns->ended) < 0)
		return -ENOMEM;
	pthread_mutex_init(&turns->lock, NULL);
	return 0;
}

void turns_deinit(struct turns *turns)
{
	pthread_cond_destroy(&turns->ended);
	pthread_mutex_destroy(&turns->lock);
}

/* One moves what the other is about. Of two that change names, or different directories, none is
 * in the other's way. */
static bool disturbs_locked(const struct turn *mover, const struct turn *other)
{
	if (!mover->moves)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(other->changes); i++)
		if (node_is_below_locked(other->changes[i], mover->moves))
			return true;
	return mover->moves == other->moves;
}

static bool may_go(struct fs *fs, const struct turn *turn)
{
	bool may = true;

	/* where a directory is can change only until this has its turn */
	pthread_mutex_lock(&fs->tree.lock);
	for (const struct turn *other = fs->turns.queue; other != turn && may; other = other->next)
		may = !disturbs_locked(other, turn) && !disturbs_locked(turn, other);
	pthread_mutex_unlock(&fs->tree.lock);
	return may;
}

static void leave_locked(struct turns *turns, struct turn *turn)
{
	DL_DELETE(turns->queue, turn);
	pthread_cond_broadcast(&turns->ended);
}

static int wait_for_turn(struct fs *fs, struct call *call, struct turn *turn)
{
	struct turns *turns = &fs->turns;
	struct waiter waiter;
	int r = 0;

	waiter_begin(&waiter, call, &turns->lock, &turns->ended);
	pthread_mutex_lock(&turns->lock);
	DL_APPEND(turns->queue, turn);
	for (turn->waited = false; r == 0 && !may_go(fs, turn); turn->waited = true)
		r = waiter_wait_locked(&waiter);
	if (r < 0)
		leave_locked(turns, turn);
	pthread_mutex_unlock(&turns->lock);
	waiter_end(&waiter);
	return r;
}

int turn_take(struct fs *fs, struct call *call, struct turn *turn)
{
	int64_t left_ms = call_remaining_ms(call);
	int r;

	/* how long somebody else's rename takes says nothing about the server */
	call->deadline_ms = CLOCK_NEVER;
	r = wait_for_turn(fs, call, turn);
	call->deadline_ms = clock_after(call->clock, left_ms);
	return r;
}

void turn_end(struct fs *fs, struct turn *turn)
{
	pthread_mutex_lock(&fs->turns.lock);
	leave_locked(&fs->turns, turn);
	pthread_mutex_unlock(&fs->turns.lock);
}

int turn_begin(struct fs *fs, struct call *call, uint64_t ino, struct turn *ret_turn)
{
	int r;

	*ret_turn = (struct turn){0};
	r = fs_ref_dir(fs, ino, &ret_turn->changes[0]);
	if (r == 0)
		r = turn_take(fs, call, ret_turn);
	if (r < 0)
		fs_unref(fs, ret_turn->changes[0]);
	return r;
}

void turn_finish(struct fs *fs, struct turn *turn)
{
	turn_end(fs, turn);
	fs_unref(fs, turn->changes[0]);
}
