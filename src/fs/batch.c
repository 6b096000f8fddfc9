#include "batch.h"

#include <errno.h>
#include <stdlib.h>

struct job {
	struct batch *batch;
	int (*fn)(struct call *call, void *data);
	void *data;
};

static void cancel_all(void *data)
{
	call_group_cancel(&((struct batch *)data)->group);
}

void batch_init(struct batch *batch, struct pool *pool, struct call *call, int64_t timeout_ms)
{
	*batch = (struct batch){.pool = pool, .call = call, .timeout_ms = timeout_ms};
	pthread_mutex_init(&batch->lock, NULL);
	pthread_cond_init(&batch->ended, NULL);
	call_group_init(&batch->group);
	call_watch(call, &batch->watch, cancel_all, batch);
}

static void run(void *data)
{
	struct job job = *(struct job *)data;
	struct batch *batch = job.batch;
	struct call call;
	int r;

	free(data);
	call_init(&call, &batch->group, batch->call->clock, batch->timeout_ms);
	r = job.fn(&call, job.data);
	call_deinit(&call);
	pthread_mutex_lock(&batch->lock);
	if (r < 0 && batch->error == 0)
		batch->error = r;
	batch->running--;
	pthread_cond_broadcast(&batch->ended);
	pthread_mutex_unlock(&batch->lock);
}

/* Waits for fewer than n to be under way. A cancelled call ends them soon. */
static int wait_below(struct batch *batch, unsigned int n)
{
	int error;

	pthread_mutex_lock(&batch->lock);
	while (batch->running >= n && (n == 1 || batch->error == 0))
		pthread_cond_wait(&batch->ended, &batch->lock);
	error = batch->error;
	pthread_mutex_unlock(&batch->lock);
	return error;
}

int batch_add(struct batch *batch, int (*fn)(struct call *call, void *data), void *data)
{
	struct job *job;
	int r = wait_below(batch, BATCH_AT_ONCE);

	if (r == 0)
		r = call_check(batch->call);
	if (r < 0)
		return r;
	job = malloc(sizeof(*job));
	if (!job)
		return -ENOMEM;
	*job = (struct job){batch, fn, data};
	pthread_mutex_lock(&batch->lock);
	batch->running++;
	pthread_mutex_unlock(&batch->lock);
	r = pool_submit(batch->pool, run, job);
	if (r < 0) {
		pthread_mutex_lock(&batch->lock);
		batch->running--;
		pthread_mutex_unlock(&batch->lock);
		free(job);
	}
	return r;
}

int batch_finish(struct batch *batch)
{
	int r = wait_below(batch, 1);

	call_unwatch(batch->call, &batch->watch);
	call_group_deinit(&batch->group);
	pthread_cond_destroy(&batch->ended);
	pthread_mutex_destroy(&batch->lock);
	return r;
}
