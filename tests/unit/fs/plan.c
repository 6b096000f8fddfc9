/* fs/plan and content_part_size: which parts, row by row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/fs/content/content.h"
#include "../../../src/fs/content/plan.h"
#include "xacctfs/s3/store.h"
#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"

static const struct plan_limits even = {8, 8, 100}, uneven = {5, 8, 100};

/* "c0+10 s10+8": copied from 0, 10 bytes; sent from 10, 8 bytes. */
static void assert_plan(uint64_t size, uint64_t visible, const struct ranges *dirty,
			const struct plan_limits *limits, const char *expected)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	struct plan plan = {0};

	assert_int_equal(plan_make(size, visible, dirty, limits, &plan), 0);
	for (size_t i = 0; i < plan.n; i++)
		assert_int_equal(buf_printf(&text, "%s%c%llu+%llu", i ? " " : "",
					    plan.v[i].copied ? 'c' : 's',
					    (unsigned long long)plan.v[i].offset,
					    (unsigned long long)plan.v[i].len),
				 0);
	plan_deinit(&plan);
	assert_string_equal(buf_str(&text), expected);
}

struct row {
	uint64_t size, visible;
	struct range dirty[3];
	const char *plan;
};

static void check_rows(const struct row *table, size_t n, const struct plan_limits *limits)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_(ranges_deinit) struct ranges dirty = {0};

		for (size_t j = 0; j < 3; j++)
			assert_int_equal(
			    ranges_add(&dirty, table[i].dirty[j].start, table[i].dirty[j].end), 0);
		assert_plan(table[i].size, table[i].visible, &dirty, limits, table[i].plan);
	}
}

static void rows(void **state)
{
	static const struct row table[] = {
	    /* all of it new */
	    {20, 0, {{0, 20}}, "s0+8 s8+8 s16+4"},
	    {16, 0, {{0, 16}}, "s0+8 s8+8"},
	    /* nothing but the base */
	    {20, 20, {{0}}, "c0+20"},
	    {5, 5, {{0}}, "c0+5"},
	    /* longer than one copy; a short rest is copied as the last part */
	    {250, 250, {{0}}, "c0+100 c100+100 c200+50"},
	    {203, 203, {{0}}, "c0+100 c100+100 c200+3"},
	    /* appended: the base to its end, then what is new */
	    {21, 20, {{20, 21}}, "c0+20 s20+1"},
	    {40, 20, {{20, 40}}, "c0+20 s20+8 s28+8 s36+4"},
	    /* a base too short for a part is sent with what comes behind it */
	    {21, 7, {{7, 21}}, "s0+8 s8+8 s16+5"},
	    /* changed at the start, in the middle, at the end */
	    {40, 40, {{0, 1}}, "s0+8 c8+32"},
	    {40, 40, {{20, 21}}, "c0+20 s20+8 c28+12"},
	    {40, 40, {{39, 40}}, "c0+39 s39+1"},
	    /* a change over the bound of two sent parts */
	    {40, 40, {{10, 19}}, "c0+10 s10+8 s18+8 c26+14"},
	    /* a gap too short for a part goes with the change before it */
	    {40, 40, {{10, 11}, {16, 17}}, "c0+10 s10+8 c18+22"},
	    {40, 40, {{10, 11}, {22, 23}}, "c0+10 s10+8 s18+8 c26+14"},
	    {40, 40, {{10, 11}, {26, 27}}, "c0+10 s10+8 c18+8 s26+8 c34+6"},
	    /* a short rest of a long run is sent where something follows */
	    {120, 120, {{103, 104}}, "c0+100 s100+8 c108+12"},
	    /* cut, and cut and made longer: zeroes are sent */
	    {20, 20, {{0}}, "c0+20"},
	    {30, 20, {{0}}, "c0+20 s20+8 s28+2"},
	    {30, 4, {{0}}, "s0+8 s8+8 s16+8 s24+6"},
	    {0, 0, {{0}}, ""},
	};

	(void)state;
	check_rows(table, ARRAY_LEN(table), &even);
}

/* A part that is sent ends, once it is long enough, where the base can be copied again. */
static void a_change_sends_little(void **state)
{
	static const struct row table[] = {
	    {40, 40, {{20, 21}}, "c0+20 s20+5 c25+15"},
	    {40, 40, {{20, 26}}, "c0+20 s20+6 c26+14"},
	    {40, 40, {{20, 30}}, "c0+20 s20+8 s28+5 c33+7"},
	    /* what lies between is too short, or not */
	    {40, 40, {{10, 11}, {17, 18}}, "c0+10 s10+8 c18+22"},
	    {40, 40, {{10, 11}, {20, 21}}, "c0+10 s10+5 c15+5 s20+5 c25+15"},
	    {40, 40, {{10, 11}, {16, 17}, {21, 22}}, "c0+10 s10+8 s18+5 c23+17"},
	    /* the last part may be short */
	    {28, 28, {{20, 21}}, "c0+20 s20+5 c25+3"},
	    {24, 24, {{20, 21}}, "c0+20 s20+4"},
	    /* all of it new: as long as can be */
	    {20, 0, {{0, 20}}, "s0+8 s8+8 s16+4"},
	};

	(void)state;
	check_rows(table, ARRAY_LEN(table), &uneven);
}

/* In order, without a gap, within S3's limits, and no dirty byte copied. */
static void check_plan(uint64_t size, uint64_t visible, const struct ranges *dirty)
{
	const struct plan_limits limits = {S3_PART_MIN, content_part_size(1), S3_PART_MAX};
	uint64_t at = 0;
	struct plan plan = {0};

	assert_int_equal(plan_make(size, visible, dirty, &limits, &plan), 0);
	assert_true(plan.n > 0 && plan.n <= S3_PARTS_MAX);
	for (size_t i = 0; i < plan.n; i++) {
		const struct plan_part *part = &plan.v[i];

		assert_int_equal(part->offset, at);
		at += part->len;
		assert_true(part->len <= S3_PART_MAX);
		assert_true(i + 1 == plan.n || part->len >= S3_PART_MIN);
		if (part->copied)
			assert_true(at <= visible && !ranges_meets(dirty, part->offset, at));
	}
	assert_int_equal(at, size);
	plan_deinit(&plan);
}

static void the_largest_file_fits(void **state)
{
	_cleanup_(ranges_deinit) struct ranges none = {0}, some = {0};

	(void)state;
	check_plan(S3_OBJECT_MAX, 0, &none);
	check_plan(S3_OBJECT_MAX, S3_OBJECT_MAX, &none);
	for (uint64_t at = 0; at < S3_OBJECT_MAX; at += (uint64_t)1 << 29)
		assert_int_equal(ranges_add(&some, at, at + 1), 0);
	check_plan(S3_OBJECT_MAX, S3_OBJECT_MAX, &some);
	check_plan(S3_OBJECT_MAX, S3_OBJECT_MAX / 3, &some);
}

static void parts_of_a_stream_reach_to_the_largest_file(void **state)
{
	uint64_t sum = 0;

	(void)state;
	assert_int_equal(content_part_size(1), 8 << 20);
	for (int number = 1; number <= S3_PARTS_MAX; number++) {
		uint64_t size = content_part_size(number);

		assert_true(size >= S3_PART_MIN && size <= S3_PART_MAX);
		assert_true(number == 1 || size >= content_part_size(number - 1));
		sum += size;
	}
	assert_true(sum >= S3_OBJECT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows),
	    cmocka_unit_test(a_change_sends_little),
	    cmocka_unit_test(the_largest_file_fits),
	    cmocka_unit_test(parts_of_a_stream_reach_to_the_largest_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
