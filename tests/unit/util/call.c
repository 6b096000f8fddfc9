#include "xacctfs/util/call.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>

#include <cmocka.h>

#include "event.h"
#include "xacctfs/util/cleanup.h"

/* Time passes only when somebody waits. */
struct fake_clock {
	struct clock clock;
	int64_t now_ms;
	struct event *waiting; /* not NULL: waits really wait, and this says that one does */
};

static int64_t fake_now(struct clock *clock)
{
	return ((struct fake_clock *)clock)->now_ms;
}

static void fake_wait(struct clock *clock, pthread_cond_t *cond, pthread_mutex_t *mutex,
		      int64_t deadline_ms)
{
	struct fake_clock *fake = (struct fake_clock *)clock;

	if (!fake->waiting) {
		fake->now_ms = deadline_ms;
		return;
	}
	event_set(fake->waiting);
	pthread_cond_wait(cond, mutex);
}

#define FAKE_CLOCK(...)                                                                            \
	{                                                                                          \
		.clock = {fake_now, fake_now, fake_wait}, .now_ms = 1000, __VA_ARGS__              \
	}

static void count(void *data)
{
	atomic_fetch_add((atomic_int *)data, 1);
}

static void no_deadline_is_never(void **state)
{
	struct fake_clock fake = FAKE_CLOCK();
	struct call call;

	(void)state;
	call_init(&call, NULL, &fake.clock, CLOCK_NEVER);
	fake.now_ms = INT64_C(1) << 60;
	assert_int_equal(call_remaining_ms(&call), CLOCK_NEVER);
	assert_int_equal(call_check(&call), 0);
	call_deinit(&call);
}

static void deadline_comes(void **state)
{
	struct fake_clock fake = FAKE_CLOCK();
	struct call call;

	(void)state;
	call_init(&call, NULL, &fake.clock, 500);
	assert_int_equal(call_remaining_ms(&call), 500);
	fake.now_ms += 499;
	assert_int_equal(call_check(&call), 0);
	assert_int_equal(call_remaining_ms(&call), 1);
	fake.now_ms += 1;
	assert_int_equal(call_check(&call), -ETIMEDOUT);
	fake.now_ms += 1000;
	assert_int_equal(call_remaining_ms(&call), 0);
	call_deinit(&call);
}

static void deadline_beyond_time_is_never(void **state)
{
	struct fake_clock fake = FAKE_CLOCK();
	struct call call;

	(void)state;
	call_init(&call, NULL, &fake.clock, CLOCK_NEVER - 1);
	assert_int_equal(call_remaining_ms(&call), CLOCK_NEVER);
	call_deinit(&call);
}

static void cancel_is_for_good(void **state)
{
	struct fake_clock fake = FAKE_CLOCK();
	struct call call;

	(void)state;
	call_init(&call, NULL, &fake.clock, 0);
	assert_int_equal(call_check(&call), -ETIMEDOUT);
	call_cancel(&call);
	call_cancel(&call);
	assert_int_equal(call_check(&call), -EINTR);
	call_deinit(&call);
}

static void watches_are_told_once(void **state)
{
	struct fake_clock fake = FAKE_CLOCK();
	struct call_watch first, second, gone;
	atomic_int told[3] = {0};
	struct call call;

	(void)state;
	call_init(&call, NULL, &fake.clock, CLOCK_NEVER);
	call_watch(&call, &first, count, &told[0]);
	call_watch(&call, &gone, count, &told[1]);
	call_watch(&call, &second, count, &told[2]);
	call_unwatch(&call, &gone);
	call_cancel(&call);
	call_cancel(&call);
	assert_int_equal(told[0], 1);
	assert_int_equal(told[1], 0);
	assert_int_equal(told[2], 1);
	call_unwatch(&call, &second);
	call_unwatch(&call, &first);
	call_deinit(&call);
}

static void late_watch_is_told_at_once(void **state)
{
	struct fake_clock fake = FAKE_CLOCK();
	struct call_watch watch;
	atomic_int told = 0;
	struct call call;

	(void)state;
	call_init(&call, NULL, &fake.clock, CLOCK_NEVER);
	call_cancel(&call);
	call_watch(&call, &watch, count, &told);
	assert_int_equal(told, 1);
	call_cancel(&call);
	assert_int_equal(told, 1);
	call_unwatch(&call, &watch);
	call_deinit(&call);
}

static void sleep_takes_its_time(void **state)
{
	struct fake_clock fake = FAKE_CLOCK();
	struct call call;

	(void)state;
	call_init(&call, NULL, &fake.clock, 500);
	assert_int_equal(call_sleep(&call, 300), 0);
	assert_int_equal(fake.now_ms, 1300);
	assert_int_equal(call_sleep(&call, 0), 0);
	assert_int_equal(fake.now_ms, 1300);
	assert_int_equal(call_sleep(&call, 200), 0);
	call_deinit(&call);
}

static void sleep_beyond_the_deadline_ends_at_once(void **state)
{
	struct fake_clock fake = FAKE_CLOCK();
	struct call call;

	(void)state;
	call_init(&call, NULL, &fake.clock, 500);
	assert_int_equal(call_sleep(&call, 501), -ETIMEDOUT);
	assert_int_equal(call_sleep(&call, CLOCK_NEVER), -ETIMEDOUT);
	assert_int_equal(fake.now_ms, 1000);
	call_deinit(&call);
}

static void sleep_of_a_cancelled_call_ends_at_once(void **state)
{
	struct fake_clock fake = FAKE_CLOCK();
	struct call call;

	(void)state;
	call_init(&call, NULL, &fake.clock, 500);
	call_cancel(&call);
	assert_int_equal(call_sleep(&call, 100), -EINTR);
	assert_int_equal(call_sleep(&call, 501), -EINTR);
	assert_int_equal(fake.now_ms, 1000);
	call_deinit(&call);
}

struct canceller {
	struct event *when;
	struct call *call;
	struct call_group *group;
};

static void *cancel_main(void *data)
{
	struct canceller *canceller = data;

	event_wait(canceller->when);
	if (canceller->call)
		call_cancel(canceller->call);
	else
		call_group_cancel(canceller->group);
	return NULL;
}

static void assert_sleep_is_cancelled(bool by_group)
{
	struct event waiting = EVENT_INIT;
	struct fake_clock fake = FAKE_CLOCK(.waiting = &waiting);
	struct call_group group;
	struct call call;
	struct canceller canceller = {&waiting, by_group ? NULL : &call, &group};
	pthread_t thread;

	call_group_init(&group);
	call_init(&call, &group, &fake.clock, CLOCK_NEVER);
	assert_int_equal(pthread_create(&thread, NULL, cancel_main, &canceller), 0);
	assert_int_equal(call_sleep(&call, CLOCK_NEVER), -EINTR);
	pthread_join(thread, NULL);
	call_deinit(&call);
	call_group_deinit(&group);
}

static void cancel_wakes_a_sleeper(void **state)
{
	(void)state;
	assert_sleep_is_cancelled(false);
}

static void group_cancel_wakes_a_sleeper(void **state)
{
	(void)state;
	assert_sleep_is_cancelled(true);
}

static void sleep_on_the_system_clock(void **state)
{
	struct clock *clock = clock_system();
	int64_t begin = clock->boot_ms(clock);
	struct call call;

	(void)state;
	call_init(&call, NULL, clock, CLOCK_NEVER);
	assert_int_equal(call_sleep(&call, 20), 0);
	assert_true(clock->boot_ms(clock) - begin >= 20);
	call_deinit(&call);
}

static void group_cancels_all_now_and_later(void **state)
{
	struct fake_clock fake = FAKE_CLOCK();
	struct call_group group;
	struct call a, b, gone, later, outside;

	(void)state;
	call_group_init(&group);
	call_init(&a, &group, &fake.clock, CLOCK_NEVER);
	call_init(&gone, &group, &fake.clock, CLOCK_NEVER);
	call_init(&b, &group, &fake.clock, CLOCK_NEVER);
	call_init(&outside, NULL, &fake.clock, CLOCK_NEVER);
	call_deinit(&gone);
	assert_false(call_group_cancelled(&group));
	call_group_cancel(&group);
	assert_true(call_group_cancelled(&group));
	call_init(&later, &group, &fake.clock, CLOCK_NEVER);
	assert_int_equal(call_check(&a), -EINTR);
	assert_int_equal(call_check(&b), -EINTR);
	assert_int_equal(call_check(&later), -EINTR);
	assert_int_equal(call_check(&outside), 0);
	call_deinit(&later);
	call_deinit(&b);
	call_deinit(&a);
	call_deinit(&outside);
	call_group_deinit(&group);
}

static atomic_bool storm_over;

static void *storm_main(void *data)
{
	struct call_group *group = data;

	while (!atomic_load(&storm_over)) {
		struct call_watch watch;
		atomic_int told = 0;
		struct call call;

		call_init(&call, group, clock_system(), CLOCK_NEVER);
		call_watch(&call, &watch, count, &told);
		(void)call_check(&call);
		call_unwatch(&call, &watch);
		call_deinit(&call);
	}
	return NULL;
}

/* For the thread sanitizer. */
static void group_cancel_in_a_storm_of_calls(void **state)
{
	struct call_group group;
	pthread_t threads[4];

	(void)state;
	call_group_init(&group);
	atomic_store(&storm_over, false);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_create(&threads[i], NULL, storm_main, &group);
	for (int i = 0; i < 1000; i++)
		call_group_cancel(&group);
	atomic_store(&storm_over, true);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	assert_null(group.calls);
	call_group_deinit(&group);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_deadline_is_never),
	    cmocka_unit_test(deadline_comes),
	    cmocka_unit_test(deadline_beyond_time_is_never),
	    cmocka_unit_test(cancel_is_for_good),
	    cmocka_unit_test(watches_are_told_once),
	    cmocka_unit_test(late_watch_is_told_at_once),
	    cmocka_unit_test(sleep_takes_its_time),
	    cmocka_unit_test(sleep_beyond_the_deadline_ends_at_once),
	    cmocka_unit_test(sleep_of_a_cancelled_call_ends_at_once),
	    cmocka_unit_test(cancel_wakes_a_sleeper),
	    cmocka_unit_test(group_cancel_wakes_a_sleeper),
	    cmocka_unit_test(sleep_on_the_system_clock),
	    cmocka_unit_test(group_cancels_all_now_and_later),
	    cmocka_unit_test(group_cancel_in_a_storm_of_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
