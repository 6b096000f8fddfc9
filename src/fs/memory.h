/*
 * fs/memory: how many bytes of file data the program may hold (memory_limit), for all files
 * together. Thread-safe.
 *
 * Two purses, so that neither readers nor writers starve the others: each is half of the limit.
 *
 * What each may hold is its share of the purse, among those who are at work. A writer joins and
 * leaves. A reader is a holder: what it fetched ahead can be fetched again, and so is taken from it
 * when another reader needs the bytes and this one is idle. Time is counted in reads: a holder is
 * idle when it was not read from while others were, for longer than it is used to.
 *
 *	memory_holder_read()	a read begins: what may this one hold now?
 *	memory_try()		or else memory_reclaim(), and again
 *	memory_holder_begin()	it had nothing of the purse and now does
 *	memory_holder_end()	it gave back the last of it
 *	memory_holder_part()	it is to be freed
 *
 * Locks: the purse's is a leaf. It is not held while a holder is asked; the holder stays until it
 * has answered, for which memory_holder_part() waits. Who asks may hold its own lock, which is of
 * the same kind as the one that the asked needs: so the asked only tries to take it, and one who is
 * busy gives nothing.
 */
#ifndef FS_MEMORY_H
#define FS_MEMORY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xacctfs/util/call.h"

struct memory_holder {
	/*
	 * Gives n bytes back to the purse, or some more, or as many as it can, and returns how
	 * many: when it is idle whatever nobody waits for, else only what no read is expected to
	 * want. Takes locks by trying only, and does not wait.
	 */
	size_t (*give_up)(void *data, size_t n, bool idle);
	void *data;
	/* all below: the purse's lock */
	bool holding;                      /* it is in the list */
	struct memory_holder *prev, *next; /* by `read` */
	uint64_t read;                     /* the tick of its last read, 0 before the first */
	uint64_t quiet;                    /* how many ticks it used to be quiet between two */
	unsigned int asked;                /* by so many just now */
};

struct memory_purse {
	pthread_mutex_t lock;
	pthread_cond_t returned; /* bytes were given back */
	size_t limit;
	size_t used;                   /* lock */
	size_t most;                   /* lock: the highest that used ever was */
	unsigned int users;            /* lock: who joined */
	struct memory_holder *holders; /* lock: who hold some of it */
	uint64_t tick;                 /* lock: reads, and those who became holders */
};

int memory_purse_init(struct memory_purse *purse, size_t limit);
void memory_purse_deinit(struct memory_purse *purse);

/* A file begins and ends to use the purse: what each may hold is memory_share(). */
void memory_join(struct memory_purse *purse);
void memory_leave(struct memory_purse *purse);
size_t memory_share(struct memory_purse *purse);

/* Takes n bytes if they are there. False, taking none, when not. */
bool memory_try(struct memory_purse *purse, size_t n);
/*
 * Takes n bytes, waiting for them no longer than patience_ms. Returns 0; -EAGAIN when they did not
 * come; -EINTR, -ETIMEDOUT as the call says.
 */
int memory_take(struct memory_purse *purse, struct call *call, size_t n, int64_t patience_ms);
/* Takes n bytes whatever the limit: for what must go on, and is small. */
void memory_force(struct memory_purse *purse, size_t n);
void memory_give(struct memory_purse *purse, size_t n);

void memory_get(struct memory_purse *purse, size_t *ret_used, size_t *ret_most);

/* A read of the holder begins, which is at work. Returns its share. */
size_t memory_holder_read(struct memory_purse *purse, struct memory_holder *holder);
/* In a read: it is asked from now on, and counts among those who share. */
void memory_holder_begin(struct memory_purse *purse, struct memory_holder *holder);
/* It is asked no more, but by those who ask already. */
void memory_holder_end(struct memory_purse *purse, struct memory_holder *holder);
/*
 * Asks the holders for what is lacking to n bytes, who has not been read from for longest first.
 * True when some was given up, which is not kept for the caller: memory_try() tells. One whose lock
 * the caller holds is asked, too, and must find it taken.
 */
bool memory_reclaim(struct memory_purse *purse, size_t n);
/* Released, and without the holder's lock: returns when nobody asks it any more. */
void memory_holder_part(struct memory_purse *purse, struct memory_holder *holder);

#endif
