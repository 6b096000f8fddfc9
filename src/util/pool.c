#include "xacctfs/util/pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/clock.h"

/* How long a thread without work stays. */
#ifndef POOL_IDLE_MS
#define POOL_IDLE_MS 10000
#endif

struct job {
	void (*fn)(void *data);
	void *data;
	struct job *next;
};

struct pool {
	size_t max_threads;
	pthread_mutex_t lock;
	pthread_cond_t given;    /* a job, or the pool is to end */
	pthread_cond_t none;     /* no thread is left */
	struct job *jobs, *last; /* lock */
	size_t waiting;          /* lock: jobs */
	size_t threads, idle;    /* lock */
	bool ending;             /* lock */
	/* lock: a thread that has ended, or is just about to: whoever ends next joins it */
	bool has_ended;
	pthread_t ended;
};

int pool_new(size_t max_threads, struct pool **ret_pool)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return -ENOMEM;
	pool->max_threads = max_threads;
	if (clock_cond_init(&pool->given) < 0) {
		free(pool);
		return -ENOMEM;
	}
	if (clock_cond_init(&pool->none) < 0) {
		pthread_cond_destroy(&pool->given);
		free(pool);
		return -ENOMEM;
	}
	pthread_mutex_init(&pool->lock, NULL);
	*ret_pool = pool;
	return 0;
}

static struct job *take_locked(struct pool *pool)
{
	struct job *job = pool->jobs;

	pool->jobs = job->next;
	if (!pool->jobs)
		pool->last = NULL;
	pool->waiting--;
	return job;
}

/* The next job; NULL when none comes. */
static struct job *next_locked(struct pool *pool)
{
	struct clock *clock = clock_system();
	int64_t until = clock->boot_ms(clock) + POOL_IDLE_MS;

	while (!pool->jobs) {
		if (pool->ending || clock->boot_ms(clock) >= until)
			return NULL;
		pool->idle++;
		clock->wait(clock, &pool->given, &pool->lock, until);
		pool->idle--;
	}
	return take_locked(pool);
}

static void run(struct job *job)
{
	void (*fn)(void *data) = job->fn;
	void *data = job->data;

	free(job);
	fn(data);
}

static void *work(void *data)
{
	struct pool *pool = data;
	struct job *job;
	pthread_t before;
	bool join;

	pthread_mutex_lock(&pool->lock);
	while ((job = next_locked(pool))) {
		pthread_mutex_unlock(&pool->lock);
		run(job);
		pthread_mutex_lock(&pool->lock);
	}
	before = pool->ended;
	join = pool->has_ended;
	pool->ended = pthread_self();
	pool->has_ended = true;
	if (--pool->threads == 0)
		pthread_cond_broadcast(&pool->none);
	pthread_mutex_unlock(&pool->lock);
	/* the pool may be gone by now */
	if (join)
		pthread_join(before, NULL);
	return NULL;
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->ending = true;
	pthread_cond_broadcast(&pool->given);
	while (pool->threads > 0)
		pthread_cond_wait(&pool->none, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
	if (pool->has_ended)
		pthread_join(pool->ended, NULL);
	pthread_cond_destroy(&pool->none);
	pthread_cond_destroy(&pool->given);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

/* Signals are for the program's own threads. */
static int start_locked(struct pool *pool)
{
	sigset_t all, before;
	pthread_t thread;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	r = pthread_create(&thread, NULL, work, pool);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r == 0)
		pool->threads++;
	return -r;
}

static void add_locked(struct pool *pool, struct job *job)
{
	if (pool->last)
		pool->last->next = job;
	else
		pool->jobs = job;
	pool->last = job;
	pool->waiting++;
}

int pool_submit(struct pool *pool, void (*fn)(void *data), void *data)
{
	_cleanup_(freep) struct job *job = calloc(1, sizeof(*job));
	int r = 0;

	if (!job)
		return -ENOMEM;
	*job = (struct job){.fn = fn, .data = data};
	pthread_mutex_lock(&pool->lock);
	if (pool->waiting >= pool->idle && pool->threads < pool->max_threads)
		r = start_locked(pool);
	/* with other threads at work, the job is only later */
	if (r < 0 && pool->threads > 0)
		r = 0;
	if (r == 0) {
		add_locked(pool, steal(&job));
		pthread_cond_signal(&pool->given);
	}
	pthread_mutex_unlock(&pool->lock);
	return r;
}
