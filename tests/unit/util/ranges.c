/* util/ranges: the edges by hand, and generated sequences against a bitmap. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/ranges.h"

#include "sequence.h"

#define SEQUENCES 2000
#define STEPS     60
#define BYTES     48

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

static void run_sequence(struct sequence *seq, void *data)
{
	_cleanup_(ranges_deinit) struct ranges ranges = {0};
	bool bitmap[BYTES] = {false};

	(void)data;
	for (int step = 0; step < STEPS; step++) {
		uint64_t start = chance_any(&seq->chance) % BYTES;
		uint64_t end = start + chance_any(&seq->chance) %
					   (1 + (chance_any(&seq->chance) % 4 ? 6 : BYTES - start));
		bool add = chance_any(&seq->chance) % 2;

		end = end < BYTES ? end : BYTES;
		if (add)
			assert_int_equal(ranges_add(&ranges, start, end), 0);
		else
			assert_int_equal(ranges_remove(&ranges, start, end), 0);
		for (uint64_t at = start; at < end; at++)
			bitmap[at] = add;
		check_set(&ranges, bitmap);
		start = chance_any(&seq->chance) % (BYTES + 1);
		end = start + chance_any(&seq->chance) % (BYTES + 1 - start);
		check_questions(&ranges, bitmap, start, end, chance_any(&seq->chance) % 2);
	}
}

static void sequences_hold(void **state)
{
	(void)state;
	sequences_run(SEQUENCES, run_sequence, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(edges),
	    cmocka_unit_test(the_ends_of_64_bits),
	    cmocka_unit_test(an_empty_range_is_in_every_set),
	    cmocka_unit_test(what_was_reserved_is_there),
	    cmocka_unit_test(sequences_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
