/* Reads that wait, are cancelled, fail; objects that change; memory that is short. */
#include "reader_bench.h"

#define SMALL (600 * KIB)

/* ---- waiting ---- */

static void bytes_are_handed_out_as_they_come(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, SMALL);
	hold_back(bench, 0, 256 * KIB);
	read_right(bench, 0, 128 * KIB);
	read_right(bench, 128 * KIB, 128 * KIB);
	wait_until_held_back(bench, 1);
	hold_back(bench, 0, UNLIMITED);
	read_right(bench, 256 * KIB, 128 * KIB);
	assert_int_equal(gets(bench), 1);
}

static void who_waits_for_the_same_waits_for_one_get(void **state)
{
	struct bench *bench = *state;
	struct background b[5];

	bench_open(bench, SMALL);
	hold_back(bench, 0, 0);
	for (size_t i = 0; i < ARRAY_LEN(b); i++)
		background_read(bench, &b[i], i * 100 * KIB, 128 * KIB, CLOCK_NEVER);
	assert_true(test_clock_settled(&bench->clock, ARRAY_LEN(b)));
	hold_back(bench, 0, UNLIMITED);
	for (size_t i = 0; i < ARRAY_LEN(b); i++)
		assert_int_equal(background_end(&b[i]), 0);
	assert_int_equal(gets(bench), 1);
}

static void a_cancelled_read_leaves_its_fetch_to_the_others(void **state)
{
	struct bench *bench = *state;
	struct background first, second;

	bench_open(bench, SMALL);
	hold_back(bench, 0, 16 * KIB);
	background_read(bench, &first, 0, 128 * KIB, CLOCK_NEVER);
	wait_until_held_back(bench, 1);
	background_read(bench, &second, 0, 64 * KIB, CLOCK_NEVER);
	assert_true(test_clock_settled(&bench->clock, 2));
	call_cancel(&first.call);
	assert_int_equal(background_end(&first), -EINTR);
	hold_back(bench, 0, UNLIMITED);
	assert_int_equal(background_end(&second), 0);
	read_right(bench, 0, SMALL);
	assert_int_equal(gets(bench), 1);
	assert_int_equal(sent(bench), SMALL);
}

static void a_late_read_leaves_too(void **state)
{
	struct bench *bench = *state;
	struct background first, second;

	bench_open(bench, SMALL);
	hold_back(bench, 0, 0);
	background_read(bench, &first, 0, 128 * KIB, 1000);
	background_read(bench, &second, 0, 128 * KIB, 5000);
	assert_true(test_clock_settled(&bench->clock, 2));
	test_clock_advance(&bench->clock, 1000);
	assert_int_equal(background_end(&first), -ETIMEDOUT);
	hold_back(bench, 0, UNLIMITED);
	assert_int_equal(background_end(&second), 0);
	assert_int_equal(gets(bench), 1);
}

static void what_is_at_hand_is_served_to_the_cancelled_too(void **state)
{
	struct bench *bench = *state;
	uint8_t data[4096];
	struct call call;
	size_t n = 0;

	bench_open(bench, SMALL);
	read_right(bench, 0, 4096);
	bench_settle(bench);
	call_init(&call, NULL, &bench->clock.clock, 0);
	call_cancel(&call);
	assert_int_equal(reader_read(bench->reader, &call, 0, sizeof(data), data, &n), 0);
	assert_int_equal(n, sizeof(data));
	assert_true(same(1, 0, data, n));
	call_deinit(&call);
}

static void a_fetch_has_the_rooms_patience(void **state)
{
	struct bench *bench = *state;
	struct background b;

	bench_open(bench, SMALL);
	hold_back(bench, 0, 0);
	background_read(bench, &b, 0, 4096, CLOCK_NEVER);
	wait_until_held_back(bench, 1);
	test_clock_advance(&bench->clock, 60000);
	hold_back(bench, 0, 0); /* it looks at the time */
	assert_int_equal(background_end(&b), -ETIMEDOUT);
	hold_back(bench, 0, UNLIMITED);
	read_right(bench, 0, 4096);
}

static void the_end_of_the_mount_ends_reads(void **state)
{
	struct bench *bench = *state;
	struct background b;

	bench_open(bench, SMALL);
	hold_back(bench, 0, 0);
	background_read(bench, &b, 0, 4096, CLOCK_NEVER);
	wait_until_held_back(bench, 1);
	call_group_cancel(&bench->group);
	assert_int_equal(background_end(&b), -EINTR);
	assert_int_equal(try_read(bench, 0, 4096), -EINTR);
}

/* ---- failures ---- */

static void a_failure_is_told_to_those_who_wait(void **state)
{
	struct bench *bench = *state;
	struct background b[3];

	bench_open(bench, SMALL);
	hold_back(bench, 0, 0);
	fail_next(bench, 1, -EACCES, 0, 0);
	for (size_t i = 0; i < ARRAY_LEN(b); i++)
		background_read(bench, &b[i], i * 128 * KIB, 128 * KIB, CLOCK_NEVER);
	assert_true(test_clock_settled(&bench->clock, ARRAY_LEN(b)));
	hold_back(bench, 0, UNLIMITED);
	for (size_t i = 0; i < ARRAY_LEN(b); i++)
		assert_int_equal(background_end(&b[i]), -EACCES);
	assert_int_equal(gets(bench), 1);
}

static void the_next_one_tries_again(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, SMALL);
	fail_next(bench, 2, -EAGAIN, 0, 0);
	assert_int_equal(try_read(bench, 0, 4096), -EAGAIN);
	assert_int_equal(try_read(bench, 0, 4096), -EAGAIN);
	read_in_order(bench, 0, SMALL, 128 * KIB);
	assert_true(sent(bench) <= SMALL);
}

static void what_came_before_a_failure_is_used(void **state)
{
	struct bench *bench = *state;
	struct background b;

	bench_open(bench, SMALL);
	fail_next(bench, 1, -EIO, 0, 200 * KIB);
	background_read(bench, &b, 0, 400 * KIB, CLOCK_NEVER);
	assert_int_equal(background_end(&b), -EIO);
	read_right(bench, 0, 128 * KIB);
	assert_int_equal(gets(bench), 1);
	read_right(bench, 128 * KIB, SMALL);
	assert_int_equal(sent(bench), SMALL);
}

static void a_failure_ahead_is_nobodys_yet(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, 20 * MIB);
	fail_next(bench, 1, -EIO, READER_FIRST, 0);
	read_in_order(bench, 0, MIB, 128 * KIB);
	bench_settle(bench);
	assert_int_equal(bench->fail_times, 0);
	read_in_order(bench, MIB, 20 * MIB, 128 * KIB);
	assert_int_equal(sent(bench), 20 * MIB);
}

static void failures_do_not_multiply_ahead(void **state)
{
	struct bench *bench = *state;
	uint64_t pos = 40 * MIB;
	size_t before;

	bench_open(bench, 1000 * MIB);
	read_in_order(bench, 0, 40 * MIB, MIB);
	bench_settle(bench);
	fail_next(bench, UINT32_MAX, -EIO, 0, 0);
	while (try_read(bench, pos, MIB) == 0)
		pos += MIB;
	bench_settle(bench);
	before = gets(bench);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(try_read(bench, pos + i * MIB, MIB), -EIO);
	bench_settle(bench);
	assert_int_equal(gets(bench), before + 3);
	/* nor is more asked for than is needed */
	for (size_t i = before; i < before + 3; i++)
		assert_int_equal(bench->gets[i].len, MIB);
	fail_next(bench, 0, 0, 0, 0);
	read_in_order(bench, pos, pos + 40 * MIB, MIB);
	assert_true(gets(bench) <= before + 3 + 20);
}

static void a_short_answer_is_another_object(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, SMALL);
	bench->size = SMALL - 5000;
	assert_int_equal(try_read(bench, SMALL - 6000, 6000), -ESTALE);
	assert_int_equal(gets(bench), 1);
	assert_int_equal(try_read(bench, SMALL - 100, 100), -ESTALE);
}

/* ---- the object that is meant ---- */

static void every_get_has_the_etag(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, 20 * MIB);
	read_in_order(bench, 0, 20 * MIB, MIB);
	bench_settle(bench);
	assert_true(gets(bench) > 3);
	for (size_t i = 0; i < bench->n_gets; i++)
		assert_string_equal(bench->gets[i].if_match, "\"v1\"");
}

static void the_first_answer_tells_the_etag(void **state)
{
	struct bench *bench = *state;
	struct background b[4];

	bench_open_unpinned(bench, 20 * MIB);
	hold_back(bench, 0, 0);
	for (size_t i = 0; i < ARRAY_LEN(b); i++)
		background_read(bench, &b[i], i * 5 * MIB, 128 * KIB, CLOCK_NEVER);
	assert_true(test_clock_settled(&bench->clock, ARRAY_LEN(b)));
	wait_until_held_back(bench, 1);
	assert_int_equal(gets(bench), 1);
	hold_back(bench, 0, UNLIMITED);
	for (size_t i = 0; i < ARRAY_LEN(b); i++)
		assert_int_equal(background_end(&b[i]), 0);
	read_in_order(bench, 0, 20 * MIB, MIB);
	bench_settle(bench);
	assert_string_equal(bench->gets[0].if_match, "");
	for (size_t i = 1; i < bench->n_gets; i++)
		assert_string_equal(bench->gets[i].if_match, "\"v1\"");
	assert_true(sent(bench) <= 20 * MIB + ARRAY_LEN(b) * 128 * KIB);
}

static void nothing_runs_ahead_of_an_unknown_etag(void **state)
{
	struct bench *bench = *state;
	struct background b[2];

	bench_open_unpinned(bench, 20 * MIB);
	hold_back(bench, 0, 0);
	background_read(bench, &b[0], 0, 700 * KIB, CLOCK_NEVER);
	wait_until_held_back(bench, 1);
	background_read(bench, &b[1], 700 * KIB, 64 * KIB, CLOCK_NEVER);
	assert_true(test_clock_settled(&bench->clock, 2));
	assert_int_equal(gets(bench), 1);
	hold_back(bench, 0, UNLIMITED);
	assert_int_equal(background_end(&b[0]), 0);
	assert_int_equal(background_end(&b[1]), 0);
}

static void the_get_that_tells_the_etag_is_short(void **state)
{
	struct bench *bench = *state;

	bench_open_unpinned(bench, 20 * MIB);
	read_right(bench, 0, 8 * MIB);
	assert_int_equal(bench->gets[0].len, READER_FIRST);
	assert_true(gets(bench) <= 4);
}

/* Were they handed out, and the GET failed, the next one might bring another object. */
static void bytes_of_an_unknown_etag_wait_for_it(void **state)
{
	struct bench *bench = *state;
	struct background b;

	bench_open_unpinned(bench, SMALL);
	hold_back(bench, 0, 256 * KIB);
	background_read(bench, &b, 0, 4096, 1000);
	wait_until_held_back(bench, 1);
	assert_true(test_clock_settled(&bench->clock, 1));
	test_clock_advance(&bench->clock, 1000);
	assert_int_equal(background_end(&b), -ETIMEDOUT);
	fail_next(bench, 1, -EIO, 0, 256 * KIB);
	background_read(bench, &b, 0, 4096, CLOCK_NEVER);
	assert_true(test_clock_settled(&bench->clock, 1));
	hold_back(bench, 0, UNLIMITED);
	assert_int_equal(background_end(&b), -EIO);
	assert_int_equal(gets(bench), 1);
	read_right(bench, 0, SMALL);
	assert_int_equal(bench->gets[1].offset, 0);
	assert_string_equal(bench->gets[1].if_match, "");
}

static void another_size_is_another_object(void **state)
{
	struct bench *bench = *state;

	bench_open_unpinned(bench, SMALL);
	bench->size = SMALL + 1;
	assert_int_equal(try_read(bench, 0, 4096), -ESTALE);
}

static void a_server_that_tells_no_etag_is_read_from(void **state)
{
	struct bench *bench = *state;

	bench_open_unpinned(bench, 20 * MIB);
	bench->no_etag = true;
	read_in_order(bench, 0, 20 * MIB, MIB);
	assert_int_equal(sent(bench), 20 * MIB);
}

static void set_version(struct bench *bench, unsigned int version)
{
	pthread_mutex_lock(&bench->lock);
	bench->version = version;
	pthread_mutex_unlock(&bench->lock);
}

/* try_read asserts that no byte is the second version's. */
static void a_changed_object_is_never_mixed(void **state)
{
	struct bench *bench = *state;
	int r = 0;

	bench_open(bench, 40 * MIB);
	read_in_order(bench, 0, 4 * MIB, 128 * KIB);
	set_version(bench, 2);
	for (uint64_t pos = 4 * MIB; r == 0 && pos < 40 * MIB; pos += 128 * KIB)
		r = try_read(bench, pos, 128 * KIB);
	assert_int_equal(r, -ESTALE);
	assert_int_equal(try_read(bench, 39 * MIB, 4096), -ESTALE);
	set_version(bench, 1);
	read_right(bench, 39 * MIB, 4096);
}

static void a_change_while_it_is_fetched_is_told(void **state)
{
	struct bench *bench = *state;
	struct background b;

	bench_open(bench, SMALL);
	hold_back(bench, 0, 256 * KIB);
	background_read(bench, &b, 0, SMALL, CLOCK_NEVER);
	wait_until_held_back(bench, 1);
	set_version(bench, 2);
	hold_back(bench, 0, UNLIMITED);
	assert_int_equal(background_end(&b), -ESTALE);
	read_right(bench, 0, 256 * KIB);
	assert_int_equal(try_read(bench, 256 * KIB, 4096), -ESTALE);
}

static void a_deleted_object_is_stale_but_for_what_is_at_hand(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, 20 * MIB);
	read_right(bench, 0, 128 * KIB);
	bench_settle(bench);
	bench->gone = true;
	read_right(bench, 0, READER_FIRST);
	assert_int_equal(try_read(bench, 10 * MIB, 128 * KIB), -ESTALE);
}

static void a_gone_object_is_asked_for_once_in_a_ttl(void **state)
{
	struct bench *bench = *state;

	bench->room.gone_ttl_ms = 1000;
	bench_open(bench, 20 * MIB);
	read_right(bench, 0, 128 * KIB);
	bench_settle(bench);
	set_version(bench, 2);
	assert_int_equal(try_read(bench, 10 * MIB, 4096), -ESTALE);
	for (uint64_t pos = 2 * MIB; pos < 20 * MIB; pos += MIB)
		assert_int_equal(try_read(bench, pos, 128 * KIB), -ESTALE);
	assert_int_equal(gets(bench), 2);
	read_right(bench, 0, READER_FIRST); /* it is at hand */
	test_clock_advance(&bench->clock, 999);
	assert_int_equal(try_read(bench, 10 * MIB, 4096), -ESTALE);
	assert_int_equal(gets(bench), 2);
	test_clock_advance(&bench->clock, 1);
	assert_int_equal(try_read(bench, 10 * MIB, 4096), -ESTALE);
	assert_int_equal(try_read(bench, 10 * MIB, 4096), -ESTALE);
	assert_int_equal(gets(bench), 3);
	/* the same bytes again: the same ETag */
	set_version(bench, 1);
	test_clock_advance(&bench->clock, 1000);
	read_in_order(bench, READER_FIRST, 20 * MIB, MIB);
}

static void another_failure_is_asked_about_again(void **state)
{
	struct bench *bench = *state;

	bench->room.gone_ttl_ms = 1000;
	bench_open(bench, 20 * MIB);
	fail_next(bench, 2, -EIO, 0, 0);
	assert_int_equal(try_read(bench, 10 * MIB, 4096), -EIO);
	assert_int_equal(try_read(bench, 10 * MIB, 4096), -EIO);
	read_right(bench, 10 * MIB, 4096);
	assert_int_equal(gets(bench), 3);
}

/* ---- another name ---- */

static int rename_to(struct bench *bench, const char *key, unsigned int version)
{
	const struct object_id id = {"bucket", key};
	char etag[24];

	etag_of(version, etag);
	pthread_mutex_lock(&bench->lock);
	snprintf(bench->key, sizeof(bench->key), "%s", key);
	pthread_mutex_unlock(&bench->lock);
	return reader_rename(bench->reader, &id, etag);
}

static void later_fetches_go_to_the_new_name(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, 20 * MIB);
	read_right(bench, 0, 128 * KIB);
	bench_settle(bench);
	assert_int_equal(rename_to(bench, "other", 1), 0);
	read_in_order(bench, 0, 20 * MIB, MIB);
	bench_settle(bench);
	assert_string_equal(bench->gets[0].key, "key");
	for (size_t i = 1; i < bench->n_gets; i++)
		assert_string_equal(bench->gets[i].key, "other");
	assert_int_equal(sent(bench), 20 * MIB);
}

static void under_its_new_name_it_is_not_gone(void **state)
{
	struct bench *bench = *state;

	bench->room.gone_ttl_ms = 1000;
	bench_open(bench, 20 * MIB);
	bench->gone = true;
	assert_int_equal(try_read(bench, 0, 4096), -ESTALE);
	bench_settle(bench);
	bench->gone = false;
	assert_int_equal(rename_to(bench, "other", 1), 0);
	read_right(bench, 0, 4096);
}

/* A copy in parts has another ETag, and the same bytes. */
static void the_etag_is_the_new_ones(void **state)
{
	struct bench *bench = *state;
	const struct object_id id = {"bucket", "other"};

	bench_open(bench, 20 * MIB);
	read_right(bench, 0, 128 * KIB);
	bench_settle(bench);
	assert_int_equal(reader_rename(bench->reader, &id, "\"x\""), 0);
	assert_int_equal(try_read(bench, 10 * MIB, 4096), -ESTALE);
	assert_string_equal(bench->gets[gets(bench) - 1].if_match, "\"x\"");
}

static void a_fetch_that_a_rename_made_fail_is_done_again(void **state)
{
	struct bench *bench = *state;
	struct background b;

	bench_open(bench, SMALL);
	hold_back(bench, 0, 256 * KIB);
	background_read(bench, &b, 128 * KIB, SMALL, CLOCK_NEVER);
	wait_until_held_back(bench, 1);
	fail_next(bench, 1, -ENOENT, 0, 0);
	assert_int_equal(rename_to(bench, "other", 1), 0);
	hold_back(bench, 0, UNLIMITED);
	assert_int_equal(background_end(&b), 0);
	assert_int_equal(gets(bench), 2);
	assert_int_equal(bench->gets[1].offset, 256 * KIB);
}

static void an_unpinned_fetch_is_done_again_after_a_rename(void **state)
{
	struct bench *bench = *state;
	struct background b;

	bench_open_unpinned(bench, SMALL);
	hold_back(bench, 0, 256 * KIB);
	background_read(bench, &b, 0, SMALL, CLOCK_NEVER);
	wait_until_held_back(bench, 1);
	assert_int_equal(rename_to(bench, "other", 1), 0);
	hold_back(bench, 0, UNLIMITED);
	assert_int_equal(background_end(&b), 0);
	assert_int_equal(gets(bench), 2);
	assert_string_equal(bench->gets[1].if_match, "\"v1\"");
}

/* ---- memory ---- */

static void without_any_memory_reads_go_on(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench_open(bench, 5 * MIB + 100);
	read_in_order(bench, 0, bench->size, 128 * KIB);
	assert_int_equal(sent(bench), bench->size);
	assert_true(bench->purse.most <= 1 * MIB);
	read_right(bench, 0, 4 * MIB);
	bench_settle(bench);
	assert_true(bench->purse.most <= 4 * MIB);
	assert_int_equal(bench->purse.used, 0);
	bench_free(bench);
}

static void a_large_read_is_forced_piece_by_piece(void **state)
{
	struct bench *bench = bench_new(0);
	struct background b;

	(void)state;
	bench_open(bench, 20 * MIB);
	hold_back(bench, 0, 0);
	background_read(bench, &b, 0, 8 * MIB, CLOCK_NEVER);
	wait_until_held_back(bench, 1);
	assert_true(test_clock_settled(&bench->clock, 1));
	assert_int_equal(bench->purse.used, MIB);
	hold_back(bench, 0, UNLIMITED);
	assert_int_equal(background_end(&b), 0);
	assert_int_equal(sent(bench), 8 * MIB);
	bench_free(bench);
}

static void a_reader_alone_at_work_has_the_share_of_the_idle(void **state)
{
	struct bench *bench = bench_new(32 * MIB);
	struct reader *idle, *busy;

	(void)state;
	bench_open(bench, 200 * MIB);
	idle = bench->reader;
	read_right(bench, 0, READER_FIRST);
	assert_int_equal(reader_new(&bench->room, ID, "\"v1\"", bench->size, &busy), 0);
	bench->reader = busy;
	read_in_order(bench, 0, 80 * MIB, MIB);
	bench_settle(bench);
	assert_true(bench->purse.used > 16 * MIB);
	assert_true(bench->purse.most <= 32 * MIB);
	reader_unref(idle);
	bench_free(bench);
}

static void without_any_memory_nothing_is_left_of_a_failure(void **state)
{
	struct bench *bench = bench_new(0);

	(void)state;
	bench_open(bench, 5 * MIB);
	fail_next(bench, 1, -EIO, 0, 64 * KIB);
	assert_int_equal(try_read(bench, 0, 128 * KIB), -EIO);
	bench_settle(bench);
	assert_int_equal(bench->purse.used, 0);
	bench_free(bench);
}

static void what_was_used_longest_ago_makes_room_first(void **state)
{
	struct bench *bench = bench_new(4 * MIB);
	size_t before;

	(void)state;
	bench_open(bench, 1000 * MIB);
	/* of each a part of a page stays unread: 31 of them are in the purse */
	for (uint64_t i = 1; i <= 40; i++) {
		read_right(bench, i * 2 * MIB + 100, 128 * KIB);
		bench_settle(bench);
	}
	before = gets(bench);
	read_right(bench, 20 * 2 * MIB + 100, 128 * KIB);
	read_right(bench, 40 * 2 * MIB + 100, 128 * KIB);
	assert_int_equal(gets(bench), before);
	read_right(bench, 2 * MIB + 100, 128 * KIB);
	assert_int_equal(gets(bench), before + 1);
	bench_free(bench);
}

static void a_small_purse_is_enough(void **state)
{
	struct bench *bench = bench_new(4 * MIB);

	(void)state;
	bench_open(bench, 40 * MIB);
	read_in_order(bench, 0, bench->size, 128 * KIB);
	assert_int_equal(sent(bench), bench->size);
	assert_true(bench->purse.most <= 4 * MIB);
	assert_true(gets(bench) <= 60);
	bench_free(bench);
}

static void what_nobody_wants_makes_room(void **state)
{
	struct bench *bench = bench_new(4 * MIB);

	(void)state;
	bench_open(bench, 1000 * MIB);
	/* of each of these something stays unread */
	for (uint64_t i = 1; i < 400; i++)
		read_right(bench, i * 2 * MIB + 100, 128 * KIB);
	bench_settle(bench);
	assert_true(bench->purse.most <= 4 * MIB);
	read_in_order(bench, 900 * MIB, 940 * MIB, 128 * KIB);
	assert_true(bench->purse.most <= 4 * MIB);
	bench_free(bench);
}

static void no_reader_runs_ahead_over_its_share(void **state)
{
	struct bench *bench = bench_new(32 * MIB);
	struct reader *one, *other;

	(void)state;
	bench_open(bench, 200 * MIB);
	one = bench->reader;
	assert_int_equal(reader_new(&bench->room, ID, "\"v1\"", bench->size, &other), 0);
	for (uint64_t pos = 0; pos < 60 * MIB; pos += MIB) {
		bench->reader = other;
		read_right(bench, pos, MIB);
		bench->reader = one;
		read_right(bench, pos, MIB);
	}
	bench_settle(bench);
	/* until the first is down to its share, the other has what it needs just now */
	assert_true(bench->purse.most <= 33 * MIB);
	/* with both, neither is down to what it needs just now */
	assert_true(gets(bench) <= 2 * (15 + 60 / 4));
	reader_unref(other);
	bench_free(bench);
}

/* ---- the end ---- */

static void unref_does_not_wait_for_the_network(void **state)
{
	struct bench *bench = *state;
	size_t before;

	bench_open(bench, 1000 * MIB);
	read_in_order(bench, 0, 20 * MIB, MIB);
	bench_settle(bench);
	hold_back(bench, 0, 16 * KIB);
	read_in_order(bench, 20 * MIB, 40 * MIB, MIB);
	wait_until_held_back(bench, POOL_THREADS);
	reader_unref(bench->reader);
	bench->reader = NULL;
	before = sent(bench);
	bench_settle(bench); /* cancelled, not let go by the test */
	assert_int_equal(sent(bench), before);
}

static void only_the_last_unref_ends_it(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, SMALL);
	hold_back(bench, 0, 128 * KIB);
	read_right(bench, 0, 4096);
	wait_until_held_back(bench, 1);
	assert_ptr_equal(reader_ref(bench->reader), bench->reader);
	reader_unref(bench->reader);
	hold_back(bench, 0, UNLIMITED);
	read_right(bench, 0, SMALL);
	assert_int_equal(gets(bench), 1);
	reader_unref(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    timeless_test(bytes_are_handed_out_as_they_come),
	    bench_test(who_waits_for_the_same_waits_for_one_get),
	    bench_test(a_cancelled_read_leaves_its_fetch_to_the_others),
	    bench_test(a_late_read_leaves_too),
	    timeless_test(what_is_at_hand_is_served_to_the_cancelled_too),
	    bench_test(a_fetch_has_the_rooms_patience),
	    timeless_test(the_end_of_the_mount_ends_reads),
	    bench_test(a_failure_is_told_to_those_who_wait),
	    timeless_test(the_next_one_tries_again),
	    timeless_test(what_came_before_a_failure_is_used),
	    timeless_test(a_failure_ahead_is_nobodys_yet),
	    timeless_test(failures_do_not_multiply_ahead),
	    timeless_test(a_short_answer_is_another_object),
	    timeless_test(every_get_has_the_etag),
	    bench_test(the_first_answer_tells_the_etag),
	    bench_test(nothing_runs_ahead_of_an_unknown_etag),
	    timeless_test(the_get_that_tells_the_etag_is_short),
	    bench_test(bytes_of_an_unknown_etag_wait_for_it),
	    timeless_test(another_size_is_another_object),
	    timeless_test(a_server_that_tells_no_etag_is_read_from),
	    timeless_test(a_changed_object_is_never_mixed),
	    timeless_test(a_change_while_it_is_fetched_is_told),
	    timeless_test(a_deleted_object_is_stale_but_for_what_is_at_hand),
	    bench_test(a_gone_object_is_asked_for_once_in_a_ttl),
	    bench_test(another_failure_is_asked_about_again),
	    timeless_test(later_fetches_go_to_the_new_name),
	    timeless_test(under_its_new_name_it_is_not_gone),
	    timeless_test(the_etag_is_the_new_ones),
	    timeless_test(a_fetch_that_a_rename_made_fail_is_done_again),
	    timeless_test(an_unpinned_fetch_is_done_again_after_a_rename),
	    cmocka_unit_test(without_any_memory_reads_go_on),
	    cmocka_unit_test(a_large_read_is_forced_piece_by_piece),
	    cmocka_unit_test(a_reader_alone_at_work_has_the_share_of_the_idle),
	    cmocka_unit_test(without_any_memory_nothing_is_left_of_a_failure),
	    cmocka_unit_test(what_was_used_longest_ago_makes_room_first),
	    cmocka_unit_test(a_small_purse_is_enough),
	    cmocka_unit_test(what_nobody_wants_makes_room),
	    cmocka_unit_test(no_reader_runs_ahead_over_its_share),
	    timeless_test(unref_does_not_wait_for_the_network),
	    timeless_test(only_the_last_unref_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
