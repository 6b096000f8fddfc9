/* How much is fetched for what is read, and in how many GETs. */
#include "reader_bench.h"

#include "sequence.h"

static void assert_within_the_object(struct bench *bench)
{
	for (size_t i = 0; i < gets(bench); i++) {
		assert_true(bench->gets[i].len > 0);
		assert_true(bench->gets[i].offset + bench->gets[i].len <= bench->size);
	}
}

static void an_empty_file_is_no_request(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, 0);
	read_right(bench, 0, 100);
	read_right(bench, 5, 100);
	assert_int_equal(gets(bench), 0);
}

static void nothing_is_behind_the_end(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, 100);
	read_right(bench, 100, 1);
	read_right(bench, UINT64_MAX, SIZE_MAX);
	read_right(bench, 0, 0);
	assert_int_equal(gets(bench), 0);
	read_right(bench, 99, SIZE_MAX);
	assert_int_equal(gets(bench), 1);
}

static void a_small_file_is_one_get(void **state)
{
	static const size_t sizes[] = {
	    1, 2, 4095, 4096, 4097, 128 * KIB, READER_FIRST - 1, READER_FIRST};
	static const size_t steps[] = {128 * KIB, 4096, MIB};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes) * ARRAY_LEN(steps); i++) {
		struct bench *bench = bench_new(128 * MIB);
		size_t size = sizes[i / ARRAY_LEN(steps)];

		bench_open(bench, size);
		read_in_order(bench, 0, size, steps[i % ARRAY_LEN(steps)]);
		assert_int_equal(gets(bench), 1);
		assert_int_equal(bench->gets[0].offset, 0);
		assert_int_equal(bench->gets[0].len, size);
		bench_free(bench);
	}
}

static void a_small_file_is_one_get_out_of_order_and_again(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, 400 * KIB);
	read_right(bench, 128 * KIB, 128 * KIB);
	read_right(bench, 384 * KIB, 128 * KIB);
	read_right(bench, 0, 128 * KIB);
	read_right(bench, 256 * KIB, 128 * KIB);
	read_right(bench, 0, 128 * KIB);
	assert_int_equal(gets(bench), 1);
	assert_int_equal(sent(bench), 400 * KIB);
}

static void the_tail_of_a_file_is_no_reason_for_all_of_it(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, READER_FIRST);
	read_right(bench, READER_FIRST - 5000, 5000);
	assert_int_equal(gets(bench), 1);
	assert_true(sent(bench) <= 5000 + 4096);
}

static void a_large_file_in_order_is_each_byte_once(void **state)
{
	static const uint64_t sizes[] = {READER_FIRST + 1,      2 * READER_FIRST,
					 READER_EXTENT_MAX - 1, READER_EXTENT_MAX + 1,
					 41 * MIB + 3,          130 * MIB};
	static const size_t steps[] = {128 * KIB, MIB, 1000 * 37};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes) * ARRAY_LEN(steps); i++) {
		struct bench *bench = bench_new(128 * MIB);
		uint64_t size = sizes[i / ARRAY_LEN(steps)];

		bench_open(bench, size);
		read_in_order(bench, 0, size, steps[i % ARRAY_LEN(steps)]);
		assert_int_equal(sent(bench), size);
		assert_int_equal(bench->gets[0].len, READER_FIRST);
		assert_true(gets(bench) <= 14 + size / READER_EXTENT_MAX);
		assert_within_the_object(bench);
		bench_free(bench);
	}
}

static void several_gets_are_under_way(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, 1000 * MIB);
	read_in_order(bench, 0, 40 * MIB, MIB);
	bench_settle(bench);
	hold_back(bench, 0, 0);
	read_in_order(bench, 40 * MIB, 72 * MIB, MIB);
	wait_until_held_back(bench, POOL_THREADS);
	hold_back(bench, 0, UNLIMITED);
}

struct crew {
	struct bench *bench;
	atomic_uint_least64_t next;
	size_t step;
};

static void *crew_main(void *data)
{
	struct crew *crew = data;
	uint64_t pos;

	while ((pos = atomic_fetch_add(&crew->next, crew->step)) < crew->bench->size)
		read_right(crew->bench, pos, crew->step);
	return NULL;
}

/* As the kernel's read-ahead is dealt out to the session's threads. */
static void reads_in_order_from_many_threads_are_each_byte_once(void **state)
{
	static const size_t steps[] = {128 * KIB, MIB, 4096};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct bench *bench = bench_new(128 * MIB);
		struct crew crew = {bench, 0, steps[i]};
		pthread_t threads[6];

		bench_open(bench, 20 * MIB + 77);
		for (size_t t = 0; t < ARRAY_LEN(threads); t++)
			assert_int_equal(pthread_create(&threads[t], NULL, crew_main, &crew), 0);
		for (size_t t = 0; t < ARRAY_LEN(threads); t++)
			pthread_join(threads[t], NULL);
		assert_int_equal(sent(bench), bench->size);
		bench_free(bench);
	}
}

/* Eight at a time, in a shuffled order. */
static void reads_a_bit_out_of_order_are_no_seeks(void **state)
{
	static const unsigned int orders[][8] = {
	    {7, 6, 5, 4, 3, 2, 1, 0}, {1, 0, 3, 2, 5, 4, 7, 6}, {3, 0, 7, 1, 2, 6, 4, 5}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct bench *bench = bench_new(128 * MIB);

		bench_open(bench, 64 * MIB);
		for (uint64_t batch = 0; batch < bench->size; batch += MIB)
			for (size_t k = 0; k < 8; k++)
				read_right(bench, batch + orders[i][k] * 128 * KIB, 128 * KIB);
		assert_int_equal(sent(bench), bench->size);
		assert_true(gets(bench) <= 24);
		bench_free(bench);
	}
}

static void a_far_read_is_fetched_as_it_is(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, 1024 * MIB);
	read_right(bench, 500 * MIB + 8192, 4096);
	assert_int_equal(sent(bench), 4096);
	read_right(bench, 700 * MIB + 10, 1000);
	assert_int_equal(sent(bench), 2 * 4096);
	read_right(bench, 600 * MIB - 1, 2);
	assert_int_equal(sent(bench), 4 * 4096);
	assert_int_equal(gets(bench), 3);
}

static void random_reads_fetch_about_what_they_need(void **state)
{
	struct bench *bench = *state;
	uint64_t chance = 4711;

	bench_open(bench, 4096 * MIB);
	for (int i = 0; i < 1000; i++)
		read_right(bench, chance_below(&chance, 4095 * MIB) / 4096 * 4096 + MIB, 16 * KIB);
	bench_settle(bench);
	assert_true(sent(bench) <= 1000 * 16 * KIB * 11 / 10);
}

/* A read of 1 MiB comes in eight. */
static void random_reads_in_pieces_fetch_no_more_than_twice_as_much(void **state)
{
	struct bench *bench = *state;
	uint64_t chance = 4712;

	bench_open(bench, 8192 * MIB);
	for (int i = 0; i < 30; i++) {
		uint64_t offset = chance_below(&chance, 8180 * MIB) / 4096 * 4096 + 2 * MIB;

		read_in_order(bench, offset, offset + MIB, 128 * KIB);
	}
	bench_settle(bench);
	assert_true(sent(bench) <= 30 * 2 * MIB + 30 * 128 * KIB);
	assert_true(gets(bench) <= 30 * 6);
}

static void a_stream_from_the_middle_runs_ahead_too(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, 100 * MIB);
	read_in_order(bench, 50 * MIB, 100 * MIB, 128 * KIB);
	assert_int_equal(sent(bench), 50 * MIB);
	assert_true(gets(bench) <= 30);
}

static void streams_side_by_side_are_each_byte_once(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, 60 * MIB);
	for (uint64_t pos = 0; pos < 20 * MIB; pos += 128 * KIB)
		for (uint64_t third = 0; third < 3; third++)
			read_right(bench, third * 20 * MIB + pos, 128 * KIB);
	assert_int_equal(sent(bench), bench->size);
	assert_true(gets(bench) <= 60);
}

/* The second one a bit behind the first. */
static void two_who_read_the_same_share_what_was_fetched(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, 40 * MIB);
	read_in_order(bench, 0, 3 * MIB, 128 * KIB);
	for (uint64_t pos = 0; pos < bench->size; pos += 128 * KIB) {
		read_right(bench, pos + 3 * MIB, 128 * KIB);
		read_right(bench, pos, 128 * KIB);
	}
	assert_true(sent(bench) <= bench->size + 3 * MIB);
}

static void a_seek_does_not_run_ahead(void **state)
{
	struct bench *bench = *state;
	uint64_t before;

	bench_open(bench, 1000 * MIB);
	read_in_order(bench, 0, 20 * MIB, MIB);
	bench_settle(bench);
	before = sent(bench);
	read_right(bench, 500 * MIB, 4096);
	bench_settle(bench);
	assert_int_equal(sent(bench), before + 4096);
}

static void what_was_handed_out_is_given_back(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, 100 * MIB);
	read_in_order(bench, 0, 100 * MIB, MIB);
	bench_settle(bench);
	assert_true(bench->purse.used <= READER_EXTENT_MAX);
	assert_true(bench->purse.most <= READER_WINDOW_MAX + 4 * READER_EXTENT_MAX);
}

static void what_was_read_last_is_asked_for_again_at_no_cost(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, 3 * MIB);
	read_in_order(bench, 0, 3 * MIB, 128 * KIB);
	read_right(bench, 3 * MIB - 128 * KIB, 128 * KIB);
	read_right(bench, 3 * MIB - 4096, 4096);
	assert_int_equal(sent(bench), 3 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    timeless_test(an_empty_file_is_no_request),
	    timeless_test(nothing_is_behind_the_end),
	    cmocka_unit_test(a_small_file_is_one_get),
	    timeless_test(a_small_file_is_one_get_out_of_order_and_again),
	    timeless_test(the_tail_of_a_file_is_no_reason_for_all_of_it),
	    cmocka_unit_test(a_large_file_in_order_is_each_byte_once),
	    timeless_test(several_gets_are_under_way),
	    cmocka_unit_test(reads_in_order_from_many_threads_are_each_byte_once),
	    cmocka_unit_test(reads_a_bit_out_of_order_are_no_seeks),
	    timeless_test(a_far_read_is_fetched_as_it_is),
	    timeless_test(random_reads_fetch_about_what_they_need),
	    timeless_test(random_reads_in_pieces_fetch_no_more_than_twice_as_much),
	    timeless_test(a_stream_from_the_middle_runs_ahead_too),
	    timeless_test(streams_side_by_side_are_each_byte_once),
	    timeless_test(two_who_read_the_same_share_what_was_fetched),
	    timeless_test(a_seek_does_not_run_ahead),
	    timeless_test(what_was_handed_out_is_given_back),
	    timeless_test(what_was_read_last_is_asked_for_again_at_no_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
