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

#define UNIT     8
#define COPY_MAX 100

/* "c0+10 s10+8": copied from 0, 10 bytes; sent from 10, 8 bytes. */
static void assert_plan(uint64_t size, uint64_t visible, const struct ranges *dirty,
			const char *expected)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	struct plan plan = {0};

	assert_int_equal(plan_make(size, visible, dirty, UNIT, COPY_MAX, &plan), 0);
	for (size_t i = 0; i < plan.n; i++)
		assert_int_equal(buf_printf(&text, "%s%c%llu+%llu", i ? " " : "",
					    plan.v[i].copied ? 'c' : 's',
					    (unsigned long long)plan.v[i].offset,
					    (unsigned long long)plan.v[i].len),
				 0);
	plan_deinit(&plan);
	assert_string_equal(buf_str(&text), expected);
}

static void rows(void **state)
{
	static const struct {
		uint64_t size, visible;
		struct range dirty[3];
		const char *plan;
	} table[] = {
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
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		_cleanup_(ranges_deinit) struct ranges dirty = {0};

		for (size_t j = 0; j < 3; j++)
			assert_int_equal(
			    ranges_add(&dirty, table[i].dirty[j].start, table[i].dirty[j].end), 0);
		assert_plan(table[i].size, table[i].visible, &dirty, table[i].plan);
	}
}

/* In order, without a gap, within S3's limits, and no dirty byte copied. */
static void check_plan(uint64_t size, uint64_t visible, const struct ranges *dirty)
{
	uint64_t unit = content_part_size(1), at = 0;
	struct plan plan = {0};

	assert_int_equal(plan_make(size, visible, dirty, unit, S3_PART_MAX, &plan), 0);
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
	    cmocka_unit_test(the_largest_file_fits),
	    cmocka_unit_test(parts_of_a_stream_reach_to_the_largest_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
