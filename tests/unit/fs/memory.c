/* Purses of memory. */
#include "../../../src/fs/memory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "event.h"
#include "test_clock.h"
#include "xacctfs/util/cleanup.h"

#define LIMIT 1000

struct bench {
	struct test_clock clock;
	struct memory_purse purse;
};

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_non_null(bench);
	test_clock_init(&bench->clock, false);
	assert_int_equal(memory_purse_init(&bench->purse, LIMIT), 0);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	memory_purse_deinit(&bench->purse);
	test_clock_deinit(&bench->clock);
	free(bench);
	return 0;
}

static void try_takes_up_to_the_limit(void **state)
{
	struct memory_purse *purse = &((struct bench *)*state)->purse;

	assert_true(memory_try(purse, LIMIT - 1));
	assert_false(memory_try(purse, 2));
	assert_int_equal(purse->used, LIMIT - 1);
	assert_true(memory_try(purse, 1));
	assert_false(memory_try(purse, 1));
	assert_true(memory_try(purse, 0));
	memory_give(purse, LIMIT);
	assert_false(memory_try(purse, LIMIT + 1));
	assert_false(memory_try(purse, SIZE_MAX));
	assert_int_equal(purse->used, 0);
	assert_int_equal(purse->most, LIMIT);
}

static void force_takes_beyond_it(void **state)
{
	struct memory_purse *purse = &((struct bench *)*state)->purse;

	memory_force(purse, LIMIT + 500);
	assert_int_equal(purse->used, LIMIT + 500);
	assert_int_equal(purse->most, LIMIT + 500);
	assert_false(memory_try(purse, 1));
	memory_give(purse, 500);
	assert_false(memory_try(purse, 1));
	memory_give(purse, 1);
	assert_true(memory_try(purse, 1));
	memory_give(purse, LIMIT);
	assert_int_equal(purse->used, 0);
}

static void the_limit_is_shared_by_those_who_joined(void **state)
{
	struct memory_purse *purse = &((struct bench *)*state)->purse;

	assert_int_equal(memory_share(purse), LIMIT);
	memory_join(purse);
	assert_int_equal(memory_share(purse), LIMIT);
	memory_join(purse);
	assert_int_equal(memory_share(purse), LIMIT / 2);
	memory_join(purse);
	assert_int_equal(memory_share(purse), LIMIT / 3);
	memory_leave(purse);
	memory_leave(purse);
	assert_int_equal(memory_share(purse), LIMIT);
	memory_leave(purse);
	assert_int_equal(memory_share(purse), LIMIT);
}

struct taker {
	struct memory_purse *purse;
	struct call call;
	size_t n;
	int64_t patience_ms;
	int r;
	pthread_t thread;
};

static void *take_main(void *data)
{
	struct taker *taker = data;

	taker->r = memory_take(taker->purse, &taker->call, taker->n, taker->patience_ms);
	return NULL;
}

/* Begins to take, of an empty purse, and waits until it waits. */
static void begin_to_take(struct bench *bench, struct taker *taker, size_t n, int64_t patience_ms,
			  int64_t timeout_ms)
{
	taker->purse = &bench->purse;
	taker->n = n;
	taker->patience_ms = patience_ms;
	call_init(&taker->call, NULL, &bench->clock.clock, timeout_ms);
	assert_int_equal(pthread_create(&taker->thread, NULL, take_main, taker), 0);
	assert_true(test_clock_settled(&bench->clock, 1));
}

static int end_of(struct taker *taker)
{
	pthread_join(taker->thread, NULL);
	call_deinit(&taker->call);
	return taker->r;
}

static void take_of_what_is_there_does_not_wait(void **state)
{
	struct bench *bench = *state;
	struct call call;

	call_init(&call, NULL, &bench->clock.clock, 0);
	assert_int_equal(memory_take(&bench->purse, &call, 600, 0), 0);
	assert_int_equal(memory_take(&bench->purse, &call, 400, 0), 0);
	assert_int_equal(memory_take(&bench->purse, &call, 1, 0), -ETIMEDOUT);
	assert_int_equal(bench->purse.used, LIMIT);
	call_deinit(&call);
	memory_give(&bench->purse, LIMIT);
}

static void take_waits_for_what_is_given_back(void **state)
{
	struct bench *bench = *state;
	struct taker taker;

	memory_force(&bench->purse, LIMIT);
	begin_to_take(bench, &taker, 300, 1000, CLOCK_NEVER);
	memory_give(&bench->purse, 299);
	memory_give(&bench->purse, 1);
	assert_int_equal(end_of(&taker), 0);
	assert_int_equal(bench->purse.used, LIMIT);
	memory_give(&bench->purse, LIMIT);
}

static void take_loses_its_patience(void **state)
{
	struct bench *bench = *state;
	struct taker taker;

	memory_force(&bench->purse, LIMIT);
	begin_to_take(bench, &taker, 300, 1000, 5000);
	test_clock_advance(&bench->clock, 999);
	assert_true(test_clock_settled(&bench->clock, 1));
	test_clock_advance(&bench->clock, 1);
	assert_int_equal(end_of(&taker), -EAGAIN);
	assert_int_equal(bench->purse.used, LIMIT);
	memory_give(&bench->purse, LIMIT);
}

static void take_ends_at_the_calls_deadline(void **state)
{
	struct bench *bench = *state;
	struct taker taker;

	memory_force(&bench->purse, LIMIT);
	begin_to_take(bench, &taker, 300, CLOCK_NEVER, 1000);
	test_clock_advance(&bench->clock, 1000);
	assert_int_equal(end_of(&taker), -ETIMEDOUT);
	memory_give(&bench->purse, LIMIT);
	assert_int_equal(bench->purse.used, 0);
}

static void take_ends_when_its_call_is_cancelled(void **state)
{
	struct bench *bench = *state;
	struct taker taker;

	memory_force(&bench->purse, LIMIT);
	begin_to_take(bench, &taker, 300, CLOCK_NEVER, CLOCK_NEVER);
	call_cancel(&taker.call);
	assert_int_equal(end_of(&taker), -EINTR);
	memory_give(&bench->purse, LIMIT);
	assert_int_equal(bench->purse.used, 0);
}

static void what_is_given_back_serves_all_who_wait_for_it(void **state)
{
	struct bench *bench = *state;
	struct taker takers[4];

	memory_force(&bench->purse, LIMIT);
	for (size_t i = 0; i < ARRAY_LEN(takers); i++)
		begin_to_take(bench, &takers[i], LIMIT / 4, CLOCK_NEVER, CLOCK_NEVER);
	memory_give(&bench->purse, LIMIT);
	for (size_t i = 0; i < ARRAY_LEN(takers); i++)
		assert_int_equal(end_of(&takers[i]), 0);
	assert_int_equal(bench->purse.used, LIMIT);
	memory_give(&bench->purse, LIMIT);
}

static void *take_and_give(void *data)
{
	struct taker *taker = data;

	taker->r = 0;
	for (size_t i = 0; i < 500 && taker->r == 0; i++) {
		size_t n = 1 + (i * 37) % (LIMIT / 2);

		taker->r = memory_take(taker->purse, &taker->call, n, CLOCK_NEVER);
		if (taker->r == 0)
			memory_give(taker->purse, n);
	}
	return NULL;
}

static void many_take_and_give(void **state)
{
	struct memory_purse purse;
	struct taker takers[4];

	(void)state;
	assert_int_equal(memory_purse_init(&purse, LIMIT), 0);
	for (size_t i = 0; i < ARRAY_LEN(takers); i++) {
		takers[i].purse = &purse;
		call_init(&takers[i].call, NULL, clock_system(), CLOCK_NEVER);
		assert_int_equal(pthread_create(&takers[i].thread, NULL, take_and_give, &takers[i]),
				 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(takers); i++)
		assert_int_equal(end_of(&takers[i]), 0);
	assert_int_equal(purse.used, 0);
	assert_true(purse.most <= LIMIT);
	memory_purse_deinit(&purse);
}

/* ---- holders ---- */

struct asked {
	struct memory_holder holder;
	struct memory_purse *purse;
	size_t has, gives; /* bytes; of them, when it is asked */
	unsigned int times, times_idle;
	struct event *begin, *end; /* of an answer that waits, or NULL */
};

static size_t give_up(void *data, size_t n, bool idle)
{
	struct asked *asked = data;
	size_t given = n < asked->gives ? n : asked->gives;

	asked->times++;
	asked->times_idle += idle;
	if (asked->begin) {
		event_set(asked->begin);
		event_wait(asked->end);
	}
	if (given == 0)
		return 0;
	memory_give(asked->purse, given);
	asked->gives -= given;
	asked->has -= given;
	if (asked->has == 0)
		memory_holder_end(asked->purse, &asked->holder);
	return given;
}

static void begin_to_hold(struct memory_purse *purse, struct asked *asked, size_t n)
{
	*asked = (struct asked){.purse = purse, .has = n, .gives = n};
	asked->holder = (struct memory_holder){.give_up = give_up, .data = asked};
	memory_holder_read(purse, &asked->holder);
	assert_true(memory_try(purse, n));
	memory_holder_begin(purse, &asked->holder);
}

static void end_to_hold(struct asked *asked)
{
	memory_give(asked->purse, asked->has);
	if (asked->has > 0)
		memory_holder_end(asked->purse, &asked->holder);
	memory_holder_part(asked->purse, &asked->holder);
}

static void read_times(struct memory_purse *purse, struct asked *asked, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		memory_holder_read(purse, &asked->holder);
}

static void the_limit_is_shared_by_those_at_work(void **state)
{
	struct memory_purse *purse = &((struct bench *)*state)->purse;
	struct memory_holder third = {.give_up = give_up};
	struct asked one, other;

	begin_to_hold(purse, &one, 10);
	assert_int_equal(memory_holder_read(purse, &one.holder), LIMIT);
	begin_to_hold(purse, &other, 10);
	assert_int_equal(memory_holder_read(purse, &other.holder), LIMIT / 2);
	assert_int_equal(memory_holder_read(purse, &third), LIMIT / 3); /* holds nothing yet */
	assert_int_equal(memory_holder_read(purse, &one.holder), LIMIT / 2);
	read_times(purse, &other, 40);
	assert_int_equal(memory_share(purse), LIMIT);
	assert_int_equal(memory_holder_read(purse, &one.holder), LIMIT / 2);
	end_to_hold(&one);
	end_to_hold(&other);
	assert_int_equal(memory_share(purse), LIMIT);
}

/* It is not idle before it was quiet for longer than it is used to. */
static void a_slow_pace_is_work(void **state)
{
	struct memory_purse *purse = &((struct bench *)*state)->purse;
	struct asked slow, quick;

	begin_to_hold(purse, &slow, 10);
	begin_to_hold(purse, &quick, 10);
	for (int i = 0; i < 3; i++) {
		read_times(purse, &quick, 40);
		read_times(purse, &slow, 2);
	}
	read_times(purse, &quick, 80);
	assert_int_equal(memory_share(purse), LIMIT / 2);
	read_times(purse, &quick, 40);
	assert_int_equal(memory_share(purse), LIMIT);
	/* nor is it at work for ever, however long its pause was */
	read_times(purse, &quick, 10000);
	read_times(purse, &slow, 1);
	read_times(purse, &quick, 300);
	assert_int_equal(memory_share(purse), LIMIT);
	end_to_hold(&slow);
	end_to_hold(&quick);
}

static void who_was_read_from_longest_ago_is_asked_first(void **state)
{
	struct memory_purse *purse = &((struct bench *)*state)->purse;
	struct asked v[4];

	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		begin_to_hold(purse, &v[i], LIMIT / 4);
	memory_holder_read(purse, &v[0].holder);
	assert_true(memory_reclaim(purse, 300));
	assert_int_equal(v[1].has, 0);
	assert_int_equal(v[2].has, 200);
	assert_int_equal(v[3].times + v[0].times, 0);
	assert_true(memory_try(purse, 300));
	/* what lacks is asked for, no more */
	memory_give(purse, 300);
	assert_true(memory_try(purse, 100));
	assert_true(memory_reclaim(purse, 210));
	assert_int_equal(v[2].has, 190);
	memory_give(purse, 100);
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		end_to_hold(&v[i]);
	assert_int_equal(purse->used, 0);
}

static void who_has_nothing_to_give_is_passed_by(void **state)
{
	struct memory_purse *purse = &((struct bench *)*state)->purse;
	struct asked v[3];

	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		begin_to_hold(purse, &v[i], LIMIT / 4);
	v[0].gives = 0;
	v[1].gives = 100;
	assert_true(memory_reclaim(purse, 600));
	assert_int_equal(v[0].has + v[1].has + v[2].has, 250 + 150 + 0);
	assert_false(memory_reclaim(purse, 700));
	assert_false(memory_reclaim(purse, LIMIT));
	assert_int_equal(v[0].times, 3);
	assert_false(memory_reclaim(purse, LIMIT + 1));
	assert_int_equal(v[0].times, 3); /* that would be in vain */
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		end_to_hold(&v[i]);
}

static void who_is_asked_learns_that_it_is_idle(void **state)
{
	struct memory_purse *purse = &((struct bench *)*state)->purse;
	struct asked one, other;

	begin_to_hold(purse, &one, LIMIT / 2);
	begin_to_hold(purse, &other, LIMIT / 2);
	one.gives = other.gives = 0;
	assert_false(memory_reclaim(purse, 1));
	assert_int_equal(one.times_idle, 0);
	read_times(purse, &other, 40);
	assert_false(memory_reclaim(purse, 1));
	assert_int_equal(one.times_idle, 1);
	assert_int_equal(other.times_idle, 0);
	end_to_hold(&one);
	end_to_hold(&other);
}

struct leaver {
	struct asked asked;
	struct event going;
};

static void *ask_main(void *data)
{
	struct leaver *leaver = data;

	assert_false(memory_reclaim(leaver->asked.purse, LIMIT));
	return NULL;
}

static void *leave_main(void *data)
{
	struct leaver *leaver = data;

	memory_give(leaver->asked.purse, LIMIT);
	memory_holder_end(leaver->asked.purse, &leaver->asked.holder);
	event_set(&leaver->going);
	memory_holder_part(leaver->asked.purse, &leaver->asked.holder);
	/* no lock: the answer is over, or the thread sanitizer tells */
	assert_int_equal(leaver->asked.times, 1);
	leaver->asked.times = 0;
	return NULL;
}

static void who_goes_waits_until_its_answer_is_over(void **state)
{
	struct memory_purse *purse = &((struct bench *)*state)->purse;
	struct event begin = EVENT_INIT, end = EVENT_INIT;
	struct leaver leaver = {.going = EVENT_INIT};
	pthread_t asker, goer;

	begin_to_hold(purse, &leaver.asked, LIMIT);
	leaver.asked.gives = 0;
	leaver.asked.begin = &begin;
	leaver.asked.end = &end;
	assert_int_equal(pthread_create(&asker, NULL, ask_main, &leaver), 0);
	event_wait(&begin);
	assert_int_equal(pthread_create(&goer, NULL, leave_main, &leaver), 0);
	event_wait(&leaver.going);
	event_set(&end);
	pthread_join(goer, NULL);
	pthread_join(asker, NULL);
	assert_int_equal(purse->used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(try_takes_up_to_the_limit, setup, teardown),
	    cmocka_unit_test_setup_teardown(force_takes_beyond_it, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_limit_is_shared_by_those_who_joined, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(take_of_what_is_there_does_not_wait, setup, teardown),
	    cmocka_unit_test_setup_teardown(take_waits_for_what_is_given_back, setup, teardown),
	    cmocka_unit_test_setup_teardown(take_loses_its_patience, setup, teardown),
	    cmocka_unit_test_setup_teardown(take_ends_at_the_calls_deadline, setup, teardown),
	    cmocka_unit_test_setup_teardown(take_ends_when_its_call_is_cancelled, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_is_given_back_serves_all_who_wait_for_it, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(the_limit_is_shared_by_those_at_work, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_slow_pace_is_work, setup, teardown),
	    cmocka_unit_test_setup_teardown(who_was_read_from_longest_ago_is_asked_first, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(who_has_nothing_to_give_is_passed_by, setup, teardown),
	    cmocka_unit_test_setup_teardown(who_is_asked_learns_that_it_is_idle, setup, teardown),
	    cmocka_unit_test_setup_teardown(who_goes_waits_until_its_answer_is_over, setup,
					    teardown),
	    cmocka_unit_test(many_take_and_give),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
