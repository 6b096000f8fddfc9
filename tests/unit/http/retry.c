#include "xacctfs/http/retry.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "xacctfs/util/cleanup.h"

#define NOON_MS INT64_C(1795435200000) /* 2026-11-23T12:00:00Z */

/* The longest delay before attempt `attempt` + 1: seen by looking at many random numbers. */
static int64_t longest(int attempt)
{
	int64_t max = 0;

	for (uint32_t random = 0; random <= RETRY_CAP_MS + 1; random++) {
		int64_t ms = retry_delay_ms(attempt, 0, random);

		assert_true(ms >= 0);
		max = ms > max ? ms : max;
	}
	return max;
}

static void delay_doubles_up_to_the_cap(void **state)
{
	(void)state;
	assert_int_equal(longest(1), 100);
	assert_int_equal(longest(2), 200);
	assert_int_equal(longest(3), 400);
	assert_int_equal(longest(8), 12800);
	assert_int_equal(longest(9), RETRY_CAP_MS);
	assert_int_equal(longest(100), RETRY_CAP_MS);
	assert_int_equal(longest(INT_MAX), RETRY_CAP_MS);
}

static void delay_is_full_jitter(void **state)
{
	(void)state;
	assert_int_equal(retry_delay_ms(1, 0, 0), 0);
	assert_int_equal(retry_delay_ms(1, 0, 50), 50);
	assert_in_range(retry_delay_ms(5, 0, UINT32_MAX), 0, 1600);
}

static void delay_is_no_less_than_asked_for(void **state)
{
	(void)state;
	assert_int_equal(retry_delay_ms(1, 5000, 50), 5000);
	assert_int_equal(retry_delay_ms(5, 5, 700), 700);
}

static void retry_after_in_seconds(void **state)
{
	(void)state;
	assert_int_equal(retry_after_parse("0", NOON_MS), 0);
	assert_int_equal(retry_after_parse("7", NOON_MS), 7000);
	assert_int_equal(retry_after_parse("3600", NOON_MS), 3600000);
	assert_int_equal(retry_after_parse("3601", NOON_MS), 3600000);
	assert_int_equal(retry_after_parse("99999999999999999999999999", NOON_MS), 3600000);
}

static void retry_after_as_a_date(void **state)
{
	(void)state;
	assert_int_equal(retry_after_parse("Mon, 23 Nov 2026 12:00:30 GMT", NOON_MS), 30000);
	assert_int_equal(retry_after_parse("Mon, 23 Nov 2026 11:59:59 GMT", NOON_MS), 0);
	assert_int_equal(retry_after_parse("Mon, 23 Nov 2099 12:00:00 GMT", NOON_MS), 3600000);
}

static void retry_after_nonsense_is_zero(void **state)
{
	static const char *const values[] = {"", "-1", "1.5", "5s", "soon", " 5", "0x10"};

	(void)state;
	assert_int_equal(retry_after_parse(NULL, NOON_MS), 0);
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		assert_int_equal(retry_after_parse(values[i], NOON_MS), 0);
}

static void budget_is_spent_and_refilled(void **state)
{
	struct retry_budget budget;

	(void)state;
	retry_budget_init(&budget);
	for (int i = 0; i < RETRY_BUDGET_TOKENS / RETRY_COST; i++)
		assert_true(retry_budget_take(&budget, RETRY_COST));
	assert_false(retry_budget_take(&budget, RETRY_COST));
	retry_budget_give(&budget, 4);
	assert_false(retry_budget_take(&budget, RETRY_COST));
	retry_budget_give(&budget, 1);
	assert_true(retry_budget_take(&budget, RETRY_COST));
	retry_budget_deinit(&budget);
}

static void budget_is_never_more_than_full(void **state)
{
	struct retry_budget budget;

	(void)state;
	retry_budget_init(&budget);
	retry_budget_give(&budget, 1);
	retry_budget_give(&budget, INT_MAX);
	assert_true(retry_budget_take(&budget, RETRY_BUDGET_TOKENS));
	assert_false(retry_budget_take(&budget, 1));
	retry_budget_deinit(&budget);
}

static void random_numbers_differ(void **state)
{
	uint32_t first = retry_random();
	int same = 0;

	(void)state;
	for (int i = 0; i < 8; i++)
		same += retry_random() == first;
	assert_true(same < 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(delay_doubles_up_to_the_cap),
	    cmocka_unit_test(delay_is_full_jitter),
	    cmocka_unit_test(delay_is_no_less_than_asked_for),
	    cmocka_unit_test(retry_after_in_seconds),
	    cmocka_unit_test(retry_after_as_a_date),
	    cmocka_unit_test(retry_after_nonsense_is_zero),
	    cmocka_unit_test(budget_is_spent_and_refilled),
	    cmocka_unit_test(budget_is_never_more_than_full),
	    cmocka_unit_test(random_numbers_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
