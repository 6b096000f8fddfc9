/*
 * fs/batch: many requests for one operation, several at once.
 *
 *	batch_init(&batch, pool, clock, call, timeout_ms);
 *	r = batch_add(&batch, fn, data);	as often as needed; waits while enough are under way
 *	r = batch_finish(&batch);		waits for all; the first error
 *
 * Each fn(data) runs in the pool with a call of its own, cancelled when the operation's is. After
 * the first error no more are begun. Used by the operation's thread.
 */
#ifndef FS_BATCH_H
#define FS_BATCH_H

#include <pthread.h>

#include "xacctfs/util/call.h"
#include "xacctfs/util/pool.h"

#define BATCH_AT_ONCE 16

struct batch {
	struct pool *pool;
	struct call *call;
	int64_t timeout_ms; /* of each job */
	struct call_group group;
	struct call_watch watch;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	unsigned int running; /* lock */
	int error;            /* lock: the first */
};

void batch_init(struct batch *batch, struct pool *pool, struct call *call, int64_t timeout_ms);
/*
 * fn returns 0 or a negative errno; data must live until batch_finish. Returns 0 or the first error
 * so far: then fn will not run.
 */
int batch_add(struct batch *batch, int (*fn)(struct call *call, void *data), void *data);
/* Once, in every case. */
int batch_finish(struct batch *batch);

#endif
