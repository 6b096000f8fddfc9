/*
 * util/call: the patience of one call: when it gives up, and whether somebody told it to.
 *
 * A FUSE operation makes a struct call, hands it down through every room, and whatever waits below
 * (a connection, a retry's pause, a session's renewal) ends at once when it is cancelled. A
 * call_group cancels all calls made in it, now and later: that is how the program stops while a
 * server hangs.
 *
 * Lock order: a call's or group's lock is taken last of all, except that call_watch's fn, which
 * runs under the call's lock, may take one leaf lock of its own room, or cancel a group of calls
 * that are made for this one; and call_group_cancel takes its calls' locks under the group's.
 */
#ifndef XACCTFS_UTIL_CALL_H
#define XACCTFS_UTIL_CALL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "xacctfs/util/clock.h"

struct call_watch {
	void (*fn)(void *data);
	void *data;
	struct call_watch *prev, *next;
};

struct call_group {
	pthread_mutex_t lock;
	struct call *calls; /* lock */
	bool cancelled;     /* lock */
};

struct call {
	struct clock *clock;
	int64_t deadline_ms; /* boot time, CLOCK_NEVER for none; of the thread in the call */
	struct call_group *group;
	pthread_mutex_t lock;
	bool cancelled;             /* lock */
	struct call_watch *watches; /* lock */
	struct call *prev, *next;   /* group->lock */
};

void call_group_init(struct call_group *group);
/* All its calls must have been deinitialised. */
void call_group_deinit(struct call_group *group);
/* Cancels every call of the group, and those that will be made in it. Any thread. */
void call_group_cancel(struct call_group *group);
bool call_group_cancelled(struct call_group *group);

/* group may be NULL. timeout_ms: from now; CLOCK_NEVER for none. */
void call_init(struct call *call, struct call_group *group, struct clock *clock,
	       int64_t timeout_ms);
void call_deinit(struct call *call);

/* Any thread; idempotent. Whoever waits in the call returns -EINTR. */
void call_cancel(struct call *call);

/* 0 to go on, -EINTR when cancelled, -ETIMEDOUT past the deadline. */
int call_check(struct call *call);

/* Milliseconds until the deadline, 0 when past it, CLOCK_NEVER when there is none. */
int64_t call_remaining_ms(struct call *call);

/*
 * fn(data) is called once when the call is cancelled: by the cancelling thread, or here at once
 * when it was already. After call_unwatch returned, fn neither runs nor will. watch is the caller's
 * memory and stays valid until unwatched.
 */
void call_watch(struct call *call, struct call_watch *watch, void (*fn)(void *data), void *data);
void call_unwatch(struct call *call, struct call_watch *watch);

/* Sleeps. Returns 0 after ms, -EINTR when cancelled, -ETIMEDOUT at once if the deadline is nearer.
 */
int call_sleep(struct call *call, int64_t ms);

#endif
