/* Purses of memory. */
#include "../../../src/fs/memory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

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
	    cmocka_unit_test(many_take_and_give),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
