/* What is fetched for a sequence of reads, as a pure function of it. */
#include "../../../src/fs/reader/streams.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../../src/fs/reader/reader.h"

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define BIG (1000 * MIB)

static struct stream_plan note(struct streams *streams, uint64_t offset, uint64_t len)
{
	return streams_note(streams, BIG, READER_WINDOW_MAX, offset, offset + len);
}

static void assert_span(const struct stream_plan *plan, uint64_t from, uint64_t to)
{
	assert_int_equal(plan->from, from);
	assert_int_equal(plan->to, to);
}

static void the_first_read_at_the_beginning(void **state)
{
	struct streams streams = {0};
	struct stream_plan plan = note(&streams, 0, 4096);

	(void)state;
	assert_span(&plan, 0, READER_FIRST);
	assert_false(plan.ahead);
}

static void a_read_near_the_beginning_is_from_the_beginning_once(void **state)
{
	struct streams streams = {0};
	struct stream_plan plan = note(&streams, 300 * KIB, 4096);

	(void)state;
	assert_span(&plan, 0, READER_FIRST);
	plan = note(&streams, 100 * KIB, 4096);
	assert_span(&plan, 100 * KIB, 104 * KIB);
	streams = (struct streams){0};
	plan = note(&streams, READER_FIRST / 2, 4096);
	assert_span(&plan, READER_FIRST / 2, READER_FIRST / 2 + 4096);
}

static void of_a_small_file_it_is_all_each_time(void **state)
{
	struct streams streams = {0};

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct stream_plan plan =
		    streams_note(&streams, 900 * KIB, READER_WINDOW_MAX, 200 * KIB, 201 * KIB);

		assert_span(&plan, 0, 900 * KIB);
	}
}

static void a_read_from_elsewhere_is_whole_pages(void **state)
{
	struct streams streams = {0};
	struct stream_plan plan = note(&streams, 10 * MIB + 5, 10);

	(void)state;
	assert_span(&plan, 10 * MIB, 10 * MIB + 4096);
	plan = note(&streams, 20 * MIB - 1, 2);
	assert_span(&plan, 20 * MIB - 4096, 20 * MIB + 4096);
	plan = streams_note(&streams, BIG + 10, READER_WINDOW_MAX, BIG + 5, BIG + 10);
	assert_span(&plan, BIG, BIG + 10);
	assert_false(plan.ahead);
}

static void the_second_read_makes_a_stream(void **state)
{
	struct streams streams = {0};
	struct stream_plan plan;

	(void)state;
	note(&streams, 10 * MIB, 100 * KIB);
	plan = note(&streams, 10 * MIB + 100 * KIB, 100 * KIB);
	assert_true(plan.ahead);
	assert_int_equal(plan.pos, 10 * MIB + 200 * KIB);
	assert_int_equal(plan.window, 200 * KIB);
	assert_span(&plan, 10 * MIB + 100 * KIB, 10 * MIB + 400 * KIB);
}

static void the_window_grows_with_the_stream_and_has_an_end(void **state)
{
	struct streams streams = {0};
	uint64_t before = 0;

	(void)state;
	for (uint64_t pos = 0; pos < 200 * MIB; pos += MIB) {
		struct stream_plan plan = note(&streams, pos, MIB);

		if (pos == 0)
			continue;
		assert_true(plan.ahead);
		assert_true(plan.window >= before && plan.window <= READER_WINDOW_MAX);
		assert_true(plan.window <= 2 * (pos + MIB));
		before = plan.window;
	}
	assert_int_equal(before, READER_WINDOW_MAX);
	assert_int_equal(streams.n, 1);
}

static void the_window_ends_with_the_callers_and_with_the_file(void **state)
{
	struct streams streams = {0};
	struct stream_plan plan;

	(void)state;
	for (uint64_t pos = 0; pos < 50 * MIB; pos += MIB)
		plan = streams_note(&streams, 51 * MIB, 3 * MIB, pos, pos + MIB);
	assert_int_equal(plan.window, 3 * MIB);
	assert_int_equal(plan.to, 51 * MIB);
}

static void a_seek_has_no_window_and_the_stream_keeps_its_own(void **state)
{
	struct streams streams = {0};
	struct stream_plan plan;
	uint64_t window;

	(void)state;
	for (uint64_t pos = 0; pos < 10 * MIB; pos += MIB)
		plan = note(&streams, pos, MIB);
	window = plan.window;
	plan = note(&streams, 500 * MIB, 4096);
	assert_false(plan.ahead);
	plan = note(&streams, 10 * MIB, 4096);
	assert_true(plan.ahead);
	assert_true(plan.window >= window);
}

static void what_was_read_just_now_is_the_streams(void **state)
{
	struct streams streams = {0};
	struct stream_plan plan;

	(void)state;
	for (uint64_t pos = 0; pos < 10 * MIB; pos += MIB)
		note(&streams, pos, MIB);
	plan = note(&streams, 9 * MIB + 512 * KIB, 4096);
	assert_false(plan.ahead);
	assert_int_equal(streams.n, 1);
	note(&streams, 5 * MIB, 4096);
	assert_int_equal(streams.n, 2);
}

static void reads_out_of_order_become_one_stream(void **state)
{
	static const unsigned int order[] = {3, 1, 7, 0, 2, 6, 5, 4};
	struct streams streams = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		note(&streams, 100 * MIB + order[i] * 128 * KIB, 128 * KIB);
	assert_int_equal(streams.n, 1);
	assert_int_equal(streams.v[0].start, 100 * MIB);
	assert_int_equal(streams.v[0].pos, 101 * MIB);
	assert_int_equal(streams.v[0].reads, 8);
}

static void a_read_that_ran_ahead_of_a_stream_takes_the_hole_along(void **state)
{
	struct streams streams = {0};
	struct stream_plan plan;

	(void)state;
	for (uint64_t pos = 0; pos < 10 * MIB; pos += MIB)
		note(&streams, pos, MIB);
	plan = note(&streams, 10 * MIB + 256 * KIB, 128 * KIB);
	assert_span(&plan, 10 * MIB, 10 * MIB + 384 * KIB);
	plan = note(&streams, 12 * MIB, 128 * KIB);
	assert_int_equal(plan.from, 12 * MIB);
}

static void reading_backwards_never_runs_ahead(void **state)
{
	struct streams streams = {0};

	(void)state;
	for (uint64_t pos = 100 * MIB; pos > 50 * MIB; pos -= 128 * KIB) {
		struct stream_plan plan = note(&streams, pos, 128 * KIB);

		assert_false(plan.ahead);
		assert_span(&plan, pos, pos + 128 * KIB);
	}
}

static void a_stream_stops_where_another_has_been(void **state)
{
	struct streams streams = {0};
	struct stream_plan plan;

	(void)state;
	for (uint64_t pos = 0; pos < 18 * MIB; pos += MIB) {
		plan = note(&streams, pos, MIB);
		note(&streams, 20 * MIB + pos, MIB);
	}
	assert_int_equal(plan.pos, 18 * MIB);
	assert_int_equal(plan.window, 2 * MIB);
	/* long ago: who knows whether anybody still has it */
	for (uint64_t i = 0; i < 300; i++)
		note(&streams, 10, 1);
	plan = note(&streams, 18 * MIB, 1);
	assert_true(plan.window > 30 * MIB);
}

static void more_streams_than_are_remembered(void **state)
{
	struct streams streams = {0};

	(void)state;
	for (uint64_t i = 0; i < 3 * STREAMS_MAX; i++)
		note(&streams, (i + 1) * 5 * MIB, 4096);
	assert_int_equal(streams.n, STREAMS_MAX);
	/* the oldest were forgotten */
	assert_true(note(&streams, 3 * STREAMS_MAX * 5 * MIB + 4096, 4096).ahead);
	assert_false(note(&streams, 5 * MIB + 4096, 4096).ahead);
}

static void a_stream_needs_what_is_before_it_while_it_lives(void **state)
{
	struct streams streams = {0};

	(void)state;
	for (uint64_t pos = 100 * MIB; pos < 110 * MIB; pos += MIB)
		note(&streams, pos, MIB);
	assert_true(streams_need(&streams, 110 * MIB, 111 * MIB));
	assert_true(streams_need(&streams, 105 * MIB, 110 * MIB + 1));
	assert_true(streams_need(&streams, 119 * MIB, 125 * MIB));
	assert_false(streams_need(&streams, 105 * MIB, 110 * MIB));
	assert_false(streams_need(&streams, 120 * MIB, 125 * MIB));
	for (uint64_t i = 0; i < 300; i++)
		note(&streams, 500 * MIB, 4096);
	assert_false(streams_need(&streams, 110 * MIB, 111 * MIB));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_read_at_the_beginning),
	    cmocka_unit_test(a_read_near_the_beginning_is_from_the_beginning_once),
	    cmocka_unit_test(of_a_small_file_it_is_all_each_time),
	    cmocka_unit_test(a_read_from_elsewhere_is_whole_pages),
	    cmocka_unit_test(the_second_read_makes_a_stream),
	    cmocka_unit_test(the_window_grows_with_the_stream_and_has_an_end),
	    cmocka_unit_test(the_window_ends_with_the_callers_and_with_the_file),
	    cmocka_unit_test(a_seek_has_no_window_and_the_stream_keeps_its_own),
	    cmocka_unit_test(what_was_read_just_now_is_the_streams),
	    cmocka_unit_test(reads_out_of_order_become_one_stream),
	    cmocka_unit_test(a_read_that_ran_ahead_of_a_stream_takes_the_hole_along),
	    cmocka_unit_test(reading_backwards_never_runs_ahead),
	    cmocka_unit_test(a_stream_stops_where_another_has_been),
	    cmocka_unit_test(more_streams_than_are_remembered),
	    cmocka_unit_test(a_stream_needs_what_is_before_it_while_it_lives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
