/* Jobs in a bounded number of threads. */
#include <stdint.h>

static int64_t idle_ms = 30;
#define POOL_IDLE_MS idle_ms
#include "../../../src/util/pool.c" /* with less patience for threads that idle */

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "event.h"

static struct pool *new_pool(size_t max_threads)
{
	struct pool *pool = NULL;

	assert_int_equal(pool_new(max_threads, &pool), 0);
	assert_non_null(pool);
	return pool;
}

static void count(void *data)
{
	atomic_fetch_add((atomic_int *)data, 1);
}

static void a_pool_without_work_has_no_thread(void **state)
{
	struct pool *pool = new_pool(4);

	(void)state;
	assert_int_equal(pool->threads, 0);
	pool_free(pool);
	pool_free(NULL);
}

static void free_waits_for_every_job(void **state)
{
	struct pool *pool = new_pool(3);
	atomic_int n = 0;

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(pool_submit(pool, count, &n), 0);
	pool_free(pool);
	assert_int_equal(n, 1000);
}

struct order {
	int v[200];
	int n;
	struct event go;
};

struct numbered {
	struct order *order;
	int i;
};

static void note(void *data)
{
	struct numbered *numbered = data;

	event_wait(&numbered->order->go);
	numbered->order->v[numbered->order->n++] = numbered->i;
}

static void one_thread_does_jobs_in_order(void **state)
{
	struct pool *pool = new_pool(1);
	struct order order = {.go = EVENT_INIT};
	struct numbered jobs[ARRAY_LEN(order.v)];

	(void)state;
	for (int i = 0; i < (int)ARRAY_LEN(jobs); i++) {
		jobs[i] = (struct numbered){&order, i};
		assert_int_equal(pool_submit(pool, note, &jobs[i]), 0);
	}
	event_set(&order.go);
	pool_free(pool);
	assert_int_equal(order.n, ARRAY_LEN(jobs));
	for (int i = 0; i < order.n; i++)
		assert_int_equal(order.v[i], i);
}

/* As many as meet here are at work at the same time. */
struct meeting {
	pthread_mutex_t lock;
	int now, most, expected;
	struct event complete;
};

static void meet(void *data)
{
	struct meeting *meeting = data;

	pthread_mutex_lock(&meeting->lock);
	if (++meeting->now > meeting->most)
		meeting->most = meeting->now;
	if (meeting->most == meeting->expected)
		event_set(&meeting->complete);
	pthread_mutex_unlock(&meeting->lock);
	event_wait(&meeting->complete);
	pthread_mutex_lock(&meeting->lock);
	meeting->now--;
	pthread_mutex_unlock(&meeting->lock);
}

static void as_many_threads_as_allowed_and_not_one_more(void **state)
{
	struct pool *pool = new_pool(4);
	struct meeting meeting = {PTHREAD_MUTEX_INITIALIZER, 0, 0, 4, EVENT_INIT};

	(void)state;
	for (int i = 0; i < 40; i++)
		assert_int_equal(pool_submit(pool, meet, &meeting), 0);
	pool_free(pool);
	assert_int_equal(meeting.most, 4);
	assert_int_equal(meeting.now, 0);
}

static size_t idle_threads(struct pool *pool)
{
	size_t n;

	pthread_mutex_lock(&pool->lock);
	n = pool->idle;
	pthread_mutex_unlock(&pool->lock);
	return n;
}

static size_t threads(struct pool *pool)
{
	size_t n;

	pthread_mutex_lock(&pool->lock);
	n = pool->threads;
	pthread_mutex_unlock(&pool->lock);
	return n;
}

static size_t jobs_waiting(struct pool *pool)
{
	size_t n;

	pthread_mutex_lock(&pool->lock);
	n = pool->waiting;
	pthread_mutex_unlock(&pool->lock);
	return n;
}

static void until(struct pool *pool, size_t (*figure)(struct pool *pool), size_t wanted)
{
	const struct timespec slice = {.tv_nsec = 200000};

	while (figure(pool) != wanted)
		nanosleep(&slice, NULL);
}

static void jobs_one_after_the_other_share_a_thread(void **state)
{
	struct pool *pool = new_pool(4);

	(void)state;
	for (int i = 0; i < 50; i++) {
		struct event done = EVENT_INIT;

		assert_int_equal(pool_submit(pool, (void (*)(void *))event_set, &done), 0);
		event_wait(&done);
		/* it may have ended by itself; then it is not idle for a while */
		while (idle_threads(pool) == 0 && threads(pool) > 0)
			sched_yield();
		assert_true(threads(pool) <= 1);
	}
	pool_free(pool);
}

static void an_idle_thread_is_no_reason_to_do_with_it_alone(void **state)
{
	struct pool *pool = new_pool(3);
	struct meeting meeting = {PTHREAD_MUTEX_INITIALIZER, 0, 0, 3, EVENT_INIT};
	atomic_int n = 0;

	(void)state;
	idle_ms = 60000;
	assert_int_equal(pool_submit(pool, count, &n), 0);
	until(pool, idle_threads, 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pool_submit(pool, meet, &meeting), 0);
	pool_free(pool); /* at once, not when the idle ones have had enough of it */
	idle_ms = 30;
	assert_int_equal(meeting.most, 3);
}

static void take_long(void *data)
{
	for (int i = 0; i < 10000; i++)
		sched_yield();
	count(data);
}

static void free_waits_for_jobs_that_take_long(void **state)
{
	struct pool *pool = new_pool(2);
	atomic_int n = 0;

	(void)state;
	assert_int_equal(pool_submit(pool, take_long, &n), 0);
	assert_int_equal(pool_submit(pool, take_long, &n), 0);
	until(pool, jobs_waiting, 0);
	pool_free(pool);
	assert_int_equal(n, 2);
}

static void threads_without_work_end_and_new_ones_come(void **state)
{
	struct pool *pool = new_pool(3);

	(void)state;
	for (int round = 0; round < 4; round++) {
		struct meeting meeting = {PTHREAD_MUTEX_INITIALIZER, 0, 0, 3, EVENT_INIT};

		for (int i = 0; i < 3; i++)
			assert_int_equal(pool_submit(pool, meet, &meeting), 0);
		until(pool, threads, 0);
		assert_int_equal(meeting.most, 3);
	}
	pool_free(pool);
}

struct family {
	struct pool *pool;
	atomic_int n;
	atomic_int refused;
};

static void bear(void *data)
{
	struct family *family = data;

	if (atomic_fetch_add(&family->n, 1) < 100)
		for (int i = 0; i < 2; i++)
			if (pool_submit(family->pool, bear, family) < 0)
				atomic_fetch_add(&family->refused, 1);
}

static void jobs_give_jobs_though_the_pool_is_being_freed(void **state)
{
	struct family family = {.pool = new_pool(3)};

	(void)state;
	assert_int_equal(pool_submit(family.pool, bear, &family), 0);
	pool_free(family.pool);
	assert_int_equal(family.n, 201);
	assert_int_equal(family.refused, 0);
}

static void look_at_signals(void *data)
{
	pthread_sigmask(SIG_BLOCK, NULL, data);
}

static void no_signal_goes_to_a_worker(void **state)
{
	struct pool *pool = new_pool(1);
	sigset_t mask, mine;

	(void)state;
	sigemptyset(&mask);
	assert_int_equal(pool_submit(pool, look_at_signals, &mask), 0);
	pool_free(pool);
	assert_true(sigismember(&mask, SIGTERM));
	assert_true(sigismember(&mask, SIGUSR1));
	pthread_sigmask(SIG_BLOCK, NULL, &mine);
	assert_false(sigismember(&mine, SIGTERM));
}

struct giver {
	struct pool *pool;
	atomic_int *n;
};

static void *give(void *data)
{
	struct giver *giver = data;

	for (int i = 0; i < 2000; i++)
		if (pool_submit(giver->pool, count, giver->n) < 0)
			return data;
	return NULL;
}

static void many_give_at_once(void **state)
{
	struct pool *pool = new_pool(4);
	atomic_int n = 0;
	struct giver giver = {pool, &n};
	pthread_t givers[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(givers); i++)
		assert_int_equal(pthread_create(&givers[i], NULL, give, &giver), 0);
	for (size_t i = 0; i < ARRAY_LEN(givers); i++) {
		void *failed;

		pthread_join(givers[i], &failed);
		assert_null(failed);
	}
	pool_free(pool);
	assert_int_equal(n, 4 * 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_pool_without_work_has_no_thread),
	    cmocka_unit_test(free_waits_for_every_job),
	    cmocka_unit_test(one_thread_does_jobs_in_order),
	    cmocka_unit_test(as_many_threads_as_allowed_and_not_one_more),
	    cmocka_unit_test(jobs_one_after_the_other_share_a_thread),
	    cmocka_unit_test(an_idle_thread_is_no_reason_to_do_with_it_alone),
	    cmocka_unit_test(free_waits_for_jobs_that_take_long),
	    cmocka_unit_test(threads_without_work_end_and_new_ones_come),
	    cmocka_unit_test(jobs_give_jobs_though_the_pool_is_being_freed),
	    cmocka_unit_test(no_signal_goes_to_a_worker),
	    cmocka_unit_test(many_give_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
