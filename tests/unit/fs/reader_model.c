/* Generated sequences of reads, failures, changes and renames, against what is right. */
#include "reader_bench.h"

#include "sequence.h"

#define SEQUENCES 10
#define STEPS     400

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* One who reads: in order, with jumps. */
struct walker {
	struct bench *bench;
	uint64_t chance, pos;
	bool may_fail; /* the store does, now and then */
	unsigned int failed;
	pthread_t thread;
};

#define LEN_MAX (3 * MIB)

static size_t any_len(uint64_t *chance)
{
	static const size_t lens[] = {1,         100,       4096, 10000,  65536,
				      128 * KIB, 128 * KIB, MIB,  LEN_MAX};

	return lens[chance_below(chance, ARRAY_LEN(lens))];
}

/* Where the next read is: mostly where the last one ended, or near it. */
static uint64_t any_pos(struct walker *walker)
{
	uint64_t size = walker->bench->size, slack = chance_below(&walker->chance, 512 * KIB);

	switch (chance_below(&walker->chance, 16)) {
	case 0:
		return chance_below(&walker->chance, size + 100);
	case 1:
		return walker->pos + slack;
	case 2:
		return walker->pos - least(walker->pos, slack);
	case 3:
		return 0;
	default:
		return walker->pos;
	}
}

/* try_read asserts that what comes is right. */
static void step(struct walker *walker)
{
	uint64_t offset = any_pos(walker);
	size_t len = any_len(&walker->chance);
	int r = try_read(walker->bench, offset, len);

	if (r == 0) {
		walker->pos = offset + len;
		return;
	}
	walker->failed++;
	assert_true(walker->may_fail);
	assert_true(r == -EIO || r == -ESTALE || r == -EAGAIN);
}

static void rename_to(struct bench *bench, const char *key)
{
	const struct object_id id = {"bucket", key};

	pthread_mutex_lock(&bench->lock);
	snprintf(bench->key, sizeof(bench->key), "%s", key);
	pthread_mutex_unlock(&bench->lock);
	assert_int_equal(reader_rename(bench->reader, &id, "\"v1\""), 0);
}

static void disturb(struct bench *bench, uint64_t *chance)
{
	static const int errors[] = {-EIO, -EAGAIN, -ESTALE, -ENOENT, -ERANGE};

	if (chance_below(chance, 8) == 0)
		fail_next(bench, 1 + (unsigned int)chance_below(chance, 3),
			  errors[chance_below(chance, ARRAY_LEN(errors))],
			  chance_below(chance, bench->size), chance_below(chance, MIB));
	if (chance_below(chance, 20) == 0) {
		pthread_mutex_lock(&bench->lock);
		bench->version = 3 - bench->version;
		pthread_mutex_unlock(&bench->lock);
	}
	if (chance_below(chance, 20) == 0)
		rename_to(bench, chance_below(chance, 2) ? "key" : "other");
}

static void *walk(void *data)
{
	struct walker *walker = data;

	for (int i = 0; i < STEPS / 4; i++) {
		if (walker->may_fail)
			disturb(walker->bench, &walker->chance);
		step(walker);
	}
	return NULL;
}

static size_t any_memory(uint64_t *chance)
{
	static const size_t limits[] = {0, 300 * KIB, 2 * MIB, 20 * MIB, 128 * MIB};

	return limits[chance_below(chance, ARRAY_LEN(limits))];
}

static uint64_t any_size(uint64_t *chance)
{
	static const uint64_t sizes[] = {1,
					 4096,
					 READER_FIRST - 1,
					 READER_FIRST,
					 READER_FIRST + 1,
					 3 * MIB + 17,
					 READER_EXTENT_MAX,
					 30 * MIB + 1};

	return sizes[chance_below(chance, ARRAY_LEN(sizes))];
}

static void one_reads_while_the_store_fails(struct sequence *seq, void *data)
{
	struct bench *bench = bench_new(any_memory(&seq->chance));
	struct walker walker = {
	    .bench = bench, .chance = chance_any(&seq->chance), .may_fail = true};

	(void)data;
	bench->room.clock = &bench->timeless;
	bench->room.gone_ttl_ms = (int64_t)chance_below(&seq->chance, 2);
	bench_open(bench, any_size(&seq->chance));
	for (int i = 0; i < STEPS; i++) {
		disturb(bench, &seq->chance);
		step(&walker);
	}
	/* and when it fails no more, all is well */
	fail_next(bench, 0, 0, 0, 0);
	pthread_mutex_lock(&bench->lock);
	bench->version = 1;
	pthread_mutex_unlock(&bench->lock);
	rename_to(bench, "key");
	bench_settle(bench);
	read_in_order(bench, 0, bench->size, MIB);
	bench_free(bench);
}

static void many_read(struct sequence *seq, bool trouble)
{
	struct bench *bench = bench_new(any_memory(&seq->chance));
	struct walker walkers[4];

	bench->room.clock = &bench->timeless;
	bench->room.gone_ttl_ms = (int64_t)chance_below(&seq->chance, 2);
	if (chance_below(&seq->chance, 2) == 0 && !trouble)
		bench_open_unpinned(bench, any_size(&seq->chance));
	else
		bench_open(bench, any_size(&seq->chance));
	for (size_t i = 0; i < ARRAY_LEN(walkers); i++) {
		walkers[i] = (struct walker){bench, chance_any(&seq->chance), 0, trouble, 0, 0};
		assert_int_equal(pthread_create(&walkers[i].thread, NULL, walk, &walkers[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(walkers); i++)
		pthread_join(walkers[i].thread, NULL);
	bench_settle(bench);
	/* beyond the limit there is what the reads under way ask for, in whole pages */
	if (!trouble)
		assert_true(bench->purse.most <=
			    bench->purse.limit + ARRAY_LEN(walkers) * (LEN_MAX + 8 * KIB));
	bench_free(bench);
}

static void many_read_well(struct sequence *seq, void *data)
{
	(void)data;
	many_read(seq, false);
}

static void many_read_while_the_store_fails(struct sequence *seq, void *data)
{
	(void)data;
	many_read(seq, true);
}

static void sequences_with_failures(void **state)
{
	(void)state;
	sequences_run(SEQUENCES, one_reads_while_the_store_fails, NULL);
}

static void sequences_from_many_threads(void **state)
{
	(void)state;
	sequences_run(SEQUENCES, many_read_well, NULL);
}

static void sequences_from_many_threads_with_failures(void **state)
{
	(void)state;
	sequences_run(SEQUENCES, many_read_while_the_store_fails, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sequences_with_failures),
	    cmocka_unit_test(sequences_from_many_threads),
	    cmocka_unit_test(sequences_from_many_threads_with_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
