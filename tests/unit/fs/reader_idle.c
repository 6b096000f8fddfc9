/* Many readers on one purse: the idle ones make room, and those at work keep what they need. */
#include "reader_bench.h"

#define READ  (128 * KIB)
#define LARGE (64 * MIB)

/* n more readers of the object. */
static struct reader **readers_new(struct bench *bench, size_t n)
{
	struct reader **v = calloc(n, sizeof(struct reader *));

	assert_non_null(v);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(reader_new(&bench->room, ID, "\"v1\"", bench->size, &v[i]), 0);
	return v;
}

static void readers_free(struct reader **v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		reader_unref(v[i]);
	free(v);
}

/* Reads with another reader of the bench. */
static void read_by(struct bench *bench, struct reader *reader, uint64_t offset, size_t len)
{
	struct reader *own = bench->reader;

	bench->reader = reader;
	read_right(bench, offset, len);
	bench->reader = own;
}

static void all_read(struct bench *bench, struct reader **v, size_t n, uint64_t offset, size_t len)
{
	for (size_t i = 0; i < n; i++)
		read_by(bench, v[i], offset, len);
	bench_settle(bench);
}

static struct bench *large_bench(size_t memory)
{
	struct bench *bench = bench_new(memory);

	bench->room.clock = &bench->timeless;
	bench_open(bench, LARGE);
	return bench;
}

/* How many GETs the whole object takes, read in order. */
static size_t gets_of_all(struct bench *bench)
{
	size_t before = gets(bench);
	uint64_t bytes = sent(bench);

	read_in_order(bench, 0, LARGE, READ);
	bench_settle(bench);
	assert_int_equal(sent(bench) - bytes, LARGE);
	return gets(bench) - before;
}

static size_t gets_of_one_alone(size_t memory)
{
	struct bench *bench = large_bench(memory);
	size_t n = gets_of_all(bench);

	bench_free(bench);
	return n;
}

/* Beyond those it takes alone, while the last idle ones still count. */
#define MORE_GETS 3

static void a_new_reader_among_idle_ones_reads_as_if_alone(void **state)
{
	static const size_t numbers[] = {15, 40, 300};
	size_t alone = gets_of_one_alone(32 * MIB);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		struct bench *bench = large_bench(32 * MIB);
		struct reader **idle = readers_new(bench, numbers[i]);
		size_t n;

		all_read(bench, idle, numbers[i], 0, 4096);
		n = gets_of_all(bench);
		assert_true(n <= alone + MORE_GETS);
		assert_true(bench->purse.most <= bench->purse.limit);
		readers_free(idle, numbers[i]);
		bench_free(bench);
	}
}

static void idle_ones_that_ran_ahead_make_room_too(void **state)
{
	struct bench *bench = large_bench(32 * MIB);
	struct reader **idle = readers_new(bench, 4);
	size_t alone = gets_of_one_alone(32 * MIB), n;

	(void)state;
	for (uint64_t pos = 0; pos < 20 * MIB; pos += READ)
		all_read(bench, idle, 4, pos, READ);
	n = gets_of_all(bench);
	assert_true(n <= alone + 4 * MORE_GETS);
	assert_true(bench->purse.most <= bench->purse.limit + MIB);
	readers_free(idle, 4);
	bench_free(bench);
}

/* They were quiet for long between two reads: it takes longer until they are idle. */
static void idle_ones_that_came_again_make_room_in_the_end(void **state)
{
	struct bench *bench = large_bench(32 * MIB);
	struct reader **idle = readers_new(bench, 200);
	size_t alone = gets_of_one_alone(32 * MIB);

	(void)state;
	all_read(bench, idle, 200, 0, 4096);
	all_read(bench, idle, 200, 4096, 4096);
	assert_true(gets_of_all(bench) <= 8 * alone);
	assert_true(gets_of_all(bench) <= alone + MORE_GETS);
	readers_free(idle, 200);
	bench_free(bench);
}

/* What it lost is fetched again, no more than that. */
static void who_was_idle_goes_on(void **state)
{
	struct bench *bench = large_bench(32 * MIB);
	struct reader **idle = readers_new(bench, 1);
	uint64_t before;

	(void)state;
	for (uint64_t pos = 0; pos < 20 * MIB; pos += READ)
		read_by(bench, idle[0], pos, READ);
	bench_settle(bench);
	gets_of_all(bench);
	before = sent(bench);
	for (uint64_t pos = 20 * MIB; pos < LARGE; pos += READ)
		read_by(bench, idle[0], pos, READ);
	bench_settle(bench);
	assert_true(sent(bench) - before <= LARGE - 20 * MIB);
	readers_free(idle, 1);
	bench_free(bench);
}

/* Nothing of what is fetched ahead is fetched twice, when each reads n times before the next. */
static void work_in_turn(size_t readers, size_t n)
{
	struct bench *bench = bench_new(80 * MIB);
	struct reader **v;

	bench_open(bench, 4 * MIB);
	v = readers_new(bench, readers);
	for (uint64_t pos = 0; pos < bench->size; pos += n * READ)
		for (size_t i = 0; i < readers; i++)
			for (size_t k = 0; k < n; k++)
				read_by(bench, v[i], pos + k * READ, READ);
	bench_settle(bench);
	assert_int_equal(sent(bench), readers * bench->size);
	readers_free(v, readers);
	bench_free(bench);
}

static void who_is_at_work_keeps_what_was_fetched(void **state)
{
	(void)state;
	work_in_turn(2, 1);
	work_in_turn(2, 8);
	work_in_turn(20, 1);
	work_in_turn(20, 8);
	work_in_turn(50, 1);
}

/* More than there is memory for: what they lose does not make them fetch ever more. */
static void too_many_in_turn_do_not_starve_each_other(void **state)
{
	struct bench *bench = large_bench(8 * MIB);
	struct reader **v = readers_new(bench, 200);
	uint64_t read = 0;

	(void)state;
	for (uint64_t pos = 0; pos < 40 * 4 * KIB; pos += 4 * KIB)
		for (size_t i = 0; i < 200; i++) {
			read_by(bench, v[i], pos, 4 * KIB);
			read += 4 * KIB;
		}
	bench_settle(bench);
	/* the first fetch of each is READER_FIRST */
	assert_true(sent(bench) <= 200 * READER_FIRST + read);
	assert_true(gets(bench) <= 200 * 40 / 2);
	assert_true(bench->purse.most <= bench->purse.limit + 8 * MIB);
	readers_free(v, 200);
	bench_free(bench);
}

/* One that jumps about is at work, and has a purse full of what no read of it will want. */
static void leavings_of_one_at_work_make_room(void **state)
{
	struct bench *bench = large_bench(8 * MIB);
	struct reader **v = readers_new(bench, 1);
	size_t before;

	(void)state;
	for (uint64_t i = 1; i < 300; i++)
		read_by(bench, v[0], (i * 37 % 60) * MIB + i * 8 * KIB + 100, 128 * KIB);
	before = gets(bench);
	for (uint64_t pos = 0; pos < 16 * MIB; pos += READ) {
		read_right(bench, pos, READ);
		if (pos % MIB == 0)
			read_by(bench, v[0], LARGE - 4096, 4096);
	}
	bench_settle(bench);
	assert_true(gets(bench) - before <= 40);
	readers_free(v, 1);
	bench_free(bench);
}

struct visitor {
	struct bench *bench;
	unsigned int number;
	pthread_t thread;
};

/* Opens, reads a little, leaves it idle, closes it later. */
static void *visit(void *data)
{
	struct visitor *visitor = data;
	struct reader *v[8] = {0};
	uint8_t page[4096];

	for (unsigned int i = 0; i < 150; i++) {
		struct reader **slot = &v[(i * 5 + visitor->number) % ARRAY_LEN(v)];
		struct bench *bench = visitor->bench;
		struct call call;
		size_t n;

		if (i % 3 == 0) {
			reader_unref(*slot);
			assert_int_equal(reader_new(&bench->room, ID, "\"v1\"", bench->size, slot),
					 0);
		}
		if (!*slot)
			continue;
		call_init(&call, NULL, bench->room.clock, CLOCK_NEVER);
		assert_int_equal(reader_read(*slot, &call, i * 4096, sizeof(page), page, &n), 0);
		assert_true(same(1, i * 4096, page, n));
		call_deinit(&call);
	}
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		reader_unref(v[i]);
	return NULL;
}

static void readers_come_and_go_while_others_need_room(void **state)
{
	struct bench *bench = large_bench(6 * MIB);
	struct visitor visitors[4];

	(void)state;
	for (unsigned int i = 0; i < ARRAY_LEN(visitors); i++) {
		visitors[i] = (struct visitor){.bench = bench, .number = i};
		assert_int_equal(pthread_create(&visitors[i].thread, NULL, visit, &visitors[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(visitors); i++)
		pthread_join(visitors[i].thread, NULL);
	bench_free(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_new_reader_among_idle_ones_reads_as_if_alone),
	    cmocka_unit_test(idle_ones_that_ran_ahead_make_room_too),
	    cmocka_unit_test(idle_ones_that_came_again_make_room_in_the_end),
	    cmocka_unit_test(who_was_idle_goes_on),
	    cmocka_unit_test(who_is_at_work_keeps_what_was_fetched),
	    cmocka_unit_test(too_many_in_turn_do_not_starve_each_other),
	    cmocka_unit_test(leavings_of_one_at_work_make_room),
	    cmocka_unit_test(readers_come_and_go_while_others_need_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
