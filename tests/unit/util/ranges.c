/*
 * util/ranges: the edges by hand, and generated sequences against a bitmap.
 *
 *	XACCTFS_SEED=N         begins with sequence N instead of a random one
 *	XACCTFS_SEQUENCES=N    how many
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <cmocka.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/ranges.h"

#define SEQUENCES 2000
#define STEPS     60
#define BYTES     48
#define NOTHING   UINT64_MAX

/* The sequence that runs. */
static uint64_t replayed_by = NOTHING;

/* "2-5 7-9" */
static const char *shown(const struct ranges *ranges)
{
	static char text[1024];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < ranges->n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%" PRIu64 "-%" PRIu64,
					i ? " " : "", ranges->v[i].start, ranges->v[i].end);
	return text;
}

static void edges(void **state)
{
	_cleanup_(ranges_deinit) struct ranges ranges = {0};

	(void)state;
	assert_int_equal(ranges_add(&ranges, 5, 5), 0);
	assert_string_equal(shown(&ranges), "");
	assert_int_equal(ranges_add(&ranges, 10, 20), 0);
	assert_int_equal(ranges_add(&ranges, 20, 30), 0);
	assert_string_equal(shown(&ranges), "10-30");
	assert_int_equal(ranges_add(&ranges, 40, 50), 0);
	assert_int_equal(ranges_add(&ranges, 60, 70), 0);
	assert_int_equal(ranges_add(&ranges, 35, 60), 0);
	assert_string_equal(shown(&ranges), "10-30 35-70");
	assert_int_equal(ranges_remove(&ranges, 15, 20), 0);
	assert_string_equal(shown(&ranges), "10-15 20-30 35-70");
	assert_int_equal(ranges_remove(&ranges, 30, 35), 0);
	assert_int_equal(ranges_remove(&ranges, 12, 40), 0);
	assert_string_equal(shown(&ranges), "10-12 40-70");
	assert_int_equal(ranges_total(&ranges), 32);
	assert_int_equal(ranges_remove(&ranges, 0, UINT64_MAX), 0);
	assert_string_equal(shown(&ranges), "");
	assert_int_equal(ranges_total(&ranges), 0);
}

static void the_ends_of_64_bits(void **state)
{
	_cleanup_(ranges_deinit) struct ranges ranges = {0};
	struct range run;

	(void)state;
	assert_int_equal(ranges_add(&ranges, UINT64_MAX - 1, UINT64_MAX), 0);
	assert_int_equal(ranges_add(&ranges, 0, 1), 0);
	assert_true(ranges_has(&ranges, UINT64_MAX - 1, UINT64_MAX));
	assert_true(ranges_next(&ranges, 0, UINT64_MAX, false, &run));
	assert_true(run.start == 1 && run.end == UINT64_MAX - 1);
}

static void an_empty_range_is_in_every_set(void **state)
{
	_cleanup_(ranges_deinit) struct ranges ranges = {0};
	struct range run;

	(void)state;
	assert_true(ranges_has(&ranges, 3, 3));
	assert_false(ranges_meets(&ranges, 3, 3));
	assert_int_equal(ranges_add(&ranges, 2, 5), 0);
	assert_true(ranges_has(&ranges, 3, 3));
	assert_false(ranges_meets(&ranges, 3, 3));
	assert_false(ranges_next(&ranges, 3, 3, true, &run));
	assert_false(ranges_next(&ranges, 9, 9, false, &run));
}

static void what_was_reserved_is_there(void **state)
{
	_cleanup_(ranges_deinit) struct ranges ranges = {0};
	const struct range *v;

	(void)state;
	assert_int_equal(ranges_reserve(&ranges, 100), 0);
	v = ranges.v;
	for (uint64_t i = 0; i < 100; i++)
		assert_int_equal(ranges_add(&ranges, 2 * i, 2 * i + 1), 0);
	assert_ptr_equal(ranges.v, v);
	assert_int_equal(ranges.n, 100);
	assert_int_equal(ranges_reserve(&ranges, SIZE_MAX), -ENOMEM);
	assert_int_equal(ranges.n, 100);
}

/* ---- against a bitmap ---- */

/* splitmix64 (Steele, Lea, Flood 2014) */
static uint64_t any(uint64_t *random)
{
	uint64_t z = *random += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* Sorted, disjoint, not touching, and the bitmap's bytes. */
static void check_set(const struct ranges *ranges, const bool bitmap[BYTES])
{
	bool seen[BYTES] = {false};
	uint64_t total = 0;

	for (size_t i = 0; i < ranges->n; i++) {
		assert_true(ranges->v[i].start < ranges->v[i].end && ranges->v[i].end <= BYTES);
		assert_true(i == 0 || ranges->v[i - 1].end < ranges->v[i].start);
		for (uint64_t at = ranges->v[i].start; at < ranges->v[i].end; at++)
			seen[at] = true;
	}
	for (size_t at = 0; at < BYTES; at++)
		total += bitmap[at];
	assert_memory_equal(seen, bitmap, sizeof(seen));
	assert_int_equal(ranges_total(ranges), total);
}

static void check_questions(const struct ranges *ranges, const bool bitmap[BYTES], uint64_t start,
			    uint64_t end, bool wanted)
{
	uint64_t first = start, last, there = 0;
	struct range run = {77, 77};
	bool found;

	for (uint64_t at = start; at < end; at++)
		there += bitmap[at];
	assert_int_equal(ranges_has(ranges, start, end), there == end - start);
	assert_int_equal(ranges_meets(ranges, start, end), there > 0);
	while (first < end && bitmap[first] != wanted)
		first++;
	for (last = first; last < end && bitmap[last] == wanted; last++)
		;
	found = ranges_next(ranges, start, end, wanted, &run);
	assert_int_equal(found, first < end);
	assert_int_equal(run.start, found ? first : 77);
	assert_int_equal(run.end, found ? last : 77);
}

static void run_sequence(uint64_t seed)
{
	_cleanup_(ranges_deinit) struct ranges ranges = {0};
	bool bitmap[BYTES] = {false};
	uint64_t random = seed;

	for (int step = 0; step < STEPS; step++) {
		uint64_t start = any(&random) % BYTES;
		uint64_t end = start + any(&random) % (1 + (any(&random) % 4 ? 6 : BYTES - start));
		bool add = any(&random) % 2;

		end = end < BYTES ? end : BYTES;
		if (add)
			assert_int_equal(ranges_add(&ranges, start, end), 0);
		else
			assert_int_equal(ranges_remove(&ranges, start, end), 0);
		for (uint64_t at = start; at < end; at++)
			bitmap[at] = add;
		check_set(&ranges, bitmap);
		start = any(&random) % (BYTES + 1);
		end = start + any(&random) % (BYTES + 1 - start);
		check_questions(&ranges, bitmap, start, end, any(&random) % 2);
	}
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

static void sequences_hold(void **state)
{
	uint32_t random = 0;
	uint64_t seed, n;

	(void)state;
	assert_int_equal(getrandom(&random, sizeof(random), 0), sizeof(random));
	seed = number_from("XACCTFS_SEED", random);
	n = number_from("XACCTFS_SEQUENCES", SEQUENCES);
	printf("XACCTFS_SEED=%" PRIu64 " XACCTFS_SEQUENCES=%" PRIu64 "\n", seed, n);
	assert_true(n > 0);
	for (uint64_t i = 0; i < n; i++) {
		replayed_by = seed + i;
		run_sequence(seed + i);
	}
	replayed_by = NOTHING;
}

static int tell_seed(void **state)
{
	(void)state;
	if (replayed_by != NOTHING)
		fprintf(stderr, "to replay: XACCTFS_SEED=%" PRIu64 " XACCTFS_SEQUENCES=1\n",
			replayed_by);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(edges),
	    cmocka_unit_test(the_ends_of_64_bits),
	    cmocka_unit_test(an_empty_range_is_in_every_set),
	    cmocka_unit_test(what_was_reserved_is_there),
	    cmocka_unit_test_teardown(sequences_hold, tell_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
