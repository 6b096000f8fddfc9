/* fs/content: each way of writing a file: what S3 has then, and by which requests. */
#include "content_bench.h"

#include "log_lines.h"

#define PLENTY (1 << 20)

static size_t count(struct bench *b, enum memory_op op)
{
	return memory_count(&b->s3, op);
}

/* Those that came since the last time, and no others. */
static void assert_requests(struct bench *b, size_t puts, size_t creates, size_t parts,
			    size_t copies, size_t completes)
{
	assert_int_equal(count(b, MEMORY_PUT_OBJECT), puts);
	assert_int_equal(count(b, MEMORY_CREATE_UPLOAD), creates);
	assert_int_equal(count(b, MEMORY_UPLOAD_PART), parts);
	assert_int_equal(count(b, MEMORY_COPY_PART), copies);
	assert_int_equal(count(b, MEMORY_COMPLETE_UPLOAD), completes);
	assert_int_equal(count(b, MEMORY_ANY) - count(b, MEMORY_GET_OBJECT),
			 puts + creates + parts + copies + completes);
	memory_reset_counts(&b->s3);
}

static enum content_state state_of(struct bench *b)
{
	return b->content->state;
}

/* ---- STREAM ---- */

static void a_small_file_is_one_put(void **state)
{
	static const size_t sizes[] = {0, 1, 100, PART - 1, PART};
	struct bench b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		bench_begin(&b, PLENTY);
		bench_create(&b, false);
		bench_append(&b, sizes[i]);
		assert_true(content_dirty(b.content));
		bench_flush_check(&b);
		assert_requests(&b, 1, 0, 0, 0, 0);
		assert_int_equal(state_of(&b), CONTENT_CLEAN);
		bench_check_all(&b);
		bench_end(&b);
	}
}

static void a_long_one_goes_in_parts(void **state)
{
	static const struct {
		size_t size, parts;
	} table[] = {
	    {PART + 1, 2},     {2 * PART - 1, 2}, {2 * PART, 2},   {2 * PART + 1, 3},
	    {4 * PART + 1, 5}, {12 * PART, 8},    {20 * PART, 10},
	};
	struct bench b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		bench_begin(&b, PLENTY);
		bench_create(&b, true);
		for (size_t at = 0; at < table[i].size; at += 1000)
			bench_append(&b, at + 1000 < table[i].size ? 1000 : table[i].size - at);
		bench_flush_check(&b);
		assert_requests(&b, 0, 1, table[i].parts, 0, 1);
		assert_int_equal(b.staging.used, 0);
		bench_check_all(&b);
		bench_end(&b);
	}
}

static void bytes_one_by_one(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, false);
	for (size_t i = 0; i < 2 * PART + 3; i++)
		bench_append(&b, 1);
	bench_flush_check(&b);
	assert_requests(&b, 0, 1, 3, 0, 1);
	bench_end(&b);
}

static void parts_go_up_while_it_is_written(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, false);
	bench_append(&b, 3 * PART);
	assert_int_equal(multipart_wait(b.content->stream->upload, &b.call, 0), 0);
	assert_requests(&b, 0, 1, 2, 0, 0);
	assert_int_equal(memory_uploads(&b.s3, BUCKET), 1);
	assert_false(memory_has(&b.s3, BUCKET, KEY));
	bench_flush_check(&b);
	assert_requests(&b, 0, 0, 1, 0, 1);
	bench_end(&b);
}

static void a_header_written_at_the_end_costs_nothing(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, false);
	bench_append(&b, 4 * PART + 10);
	bench_write(&b, 0, 64, 2);
	bench_write(&b, PART - 1, 1, 3);
	bench_write(&b, b.size - 5, 20, 4);
	assert_int_equal(state_of(&b), CONTENT_STREAM);
	bench_flush_check(&b);
	assert_requests(&b, 0, 1, 5, 0, 1);
	bench_end(&b);
}

static void where_memory_is_short_the_first_part_goes_too(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, 8 * PART);
	for (int i = 0; i < 7; i++)
		memory_join(&b.memory);
	bench_create(&b, false);
	bench_append(&b, 2 * PART);
	assert_int_equal(multipart_wait(b.content->stream->upload, &b.call, 0), 0);
	assert_int_equal(count(&b, MEMORY_UPLOAD_PART), 2);
	assert_int_equal(b.memory.used, 0);
	bench_write(&b, 10, 10, 2); /* it is gone: the upload is completed, and the change staged */
	assert_int_equal(state_of(&b), CONTENT_STAGED);
	assert_int_equal(count(&b, MEMORY_COMPLETE_UPLOAD), 1);
	bench_flush_check(&b);
	bench_check_all(&b);
	for (int i = 0; i < 7; i++)
		memory_leave(&b.memory);
	bench_end(&b);
}

static void parts_larger_than_a_quarter_of_the_memory_are_in_files(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, 4 * PART - 1);
	bench_create(&b, false);
	bench_append(&b, PART / 2);
	assert_int_equal(b.memory.used, 0);
	assert_int_equal(b.staging.used, PART / 2);
	bench_append(&b, 9 * PART);
	bench_write(&b, 3, 3, 2);
	bench_flush_check(&b);
	assert_int_equal(b.memory.most, 0);
	assert_requests(&b, 0, 1, 7, 0, 1);
	bench_end(&b);
}

static void memory_that_does_not_come_is_a_file(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, 16 * PART);
	bench_create(&b, false);
	bench_append(&b, 100);
	memory_force(&b.memory, 15 * PART);
	bench_append(&b, 2 * PART);
	pthread_mutex_lock(&b.staging.lock); /* a part is on its way */
	assert_true(b.staging.used > 0);
	pthread_mutex_unlock(&b.staging.lock);
	bench_check_all(&b);
	bench_flush_check(&b);
	assert_requests(&b, 0, 1, 3, 0, 1);
	memory_give(&b.memory, 15 * PART);
	bench_end(&b);
}

/* The wait for the memory of its end sends the first part, which it was to change. */
static void a_write_may_lose_its_place_while_it_waits(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, 16 * PART);
	bench_create(&b, false);
	bench_append(&b, PART + 100);
	memory_force(&b.memory, 14 * PART);
	bench_write(&b, 10, 4 * PART, 2);
	assert_int_equal(count(&b, MEMORY_COMPLETE_UPLOAD), 1);
	bench_check_all(&b);
	bench_flush_check(&b);
	memory_give(&b.memory, 14 * PART);
	bench_end(&b);
}

static void without_memory_and_space_nothing_is_accepted(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, 16 * PART);
	bench_create(&b, false);
	bench_append(&b, 100);
	memory_force(&b.memory, 15 * PART);
	b.staging.limit = 50;
	assert_int_equal(bench_try_write(&b, b.size, 2 * PART, 2), -ENOSPC);
	assert_int_equal(b.staging.used, 0);
	bench_check_all(&b);
	memory_give(&b.memory, 15 * PART);
	bench_append(&b, 2 * PART);
	bench_flush_check(&b);
	bench_end(&b);
}

static void reads_of_what_is_in_memory_need_no_request(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, false);
	bench_check_all(&b);
	bench_append(&b, PART + 100);
	bench_check_all(&b);
	bench_check_read(&b, PART - 10, 20);
	assert_int_equal(count(&b, MEMORY_ANY), 0);
	assert_int_equal(state_of(&b), CONTENT_STREAM);
	bench_end(&b);
}

static void a_read_of_what_was_sent_completes_the_upload(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, false);
	bench_append(&b, 3 * PART + 5);
	assert_int_equal(multipart_wait(b.content->stream->upload, &b.call, 0), 0);
	bench_check_all(&b);
	assert_int_equal(state_of(&b), CONTENT_CLEAN);
	assert_true(bench_is_saved(&b));
	assert_requests(&b, 0, 1, 4, 0, 1);
	bench_append(&b, 10);
	assert_int_equal(state_of(&b), CONTENT_STAGED);
	bench_check_all(&b);
	bench_flush_check(&b);
	bench_end(&b);
}

static void a_hole_needs_the_local_file_and_no_request(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, true);
	bench_append(&b, 100);
	bench_write(&b, 5 * PART, 100, 2);
	assert_int_equal(state_of(&b), CONTENT_STAGED);
	assert_int_equal(b.staging.used, 200);
	bench_check_all(&b);
	assert_int_equal(count(&b, MEMORY_ANY), 0);
	bench_flush_check(&b);
	assert_requests(&b, 0, 1, 6, 0, 1);
	bench_end(&b);
}

static void cut_where_it_is_in_memory(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, false);
	bench_append(&b, 3 * PART + 500);
	bench_truncate(&b, 3 * PART + 100);
	bench_append(&b, 7);
	assert_int_equal(state_of(&b), CONTENT_STREAM);
	bench_truncate(&b, 3 * PART);
	bench_append(&b, 9);
	assert_int_equal(state_of(&b), CONTENT_STREAM);
	bench_truncate(&b, 3 * PART - 1);
	assert_int_equal(state_of(&b), CONTENT_STAGED);
	bench_append(&b, 7);
	bench_check_all(&b);
	bench_flush_check(&b);
	bench_end(&b);
}

static void cut_and_written_again(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, false);
	bench_append(&b, PART + 500);
	bench_truncate(&b, PART - 1);
	bench_write(&b, PART - 1, 3, 5);
	bench_truncate(&b, 10);
	bench_append(&b, 1);
	assert_int_equal(state_of(&b), CONTENT_STREAM);
	bench_check_all(&b);
	bench_flush_check(&b);
	assert_requests(&b, 1, 0, 0, 0, 0);
	bench_end(&b);
}

static void truncated_to_nothing_it_begins_again(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, false);
	assert_true(content_unwritten(b.content));
	bench_append(&b, 3 * PART);
	assert_false(content_unwritten(b.content));
	bench_truncate(&b, 0);
	assert_true(content_unwritten(b.content));
	assert_true(content_dirty(b.content));
	assert_int_equal(memory_uploads(&b.s3, NULL), 0);
	bench_append(&b, 5);
	memory_reset_counts(&b.s3);
	bench_flush_check(&b);
	assert_requests(&b, 1, 0, 0, 0, 0);
	assert_false(content_unwritten(b.content));
	bench_end(&b);
}

/* ---- CLEAN and STAGED ---- */

static void an_overwrite_streams(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_open_new(&b, 10 * PART);
	assert_false(content_dirty(b.content));
	bench_truncate(&b, 0);
	assert_true(content_unwritten(b.content));
	bench_append(&b, 50);
	/* another client's object in between: the last writer wins */
	memory_put(&b.s3, BUCKET, KEY, "theirs", 6);
	bench_flush_check(&b);
	assert_requests(&b, 1, 0, 0, 0, 0);
	bench_end(&b);
}

static void an_append_copies_the_rest(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_open_new(&b, 10 * PART + 100);
	bench_append(&b, 10);
	assert_int_equal(count(&b, MEMORY_ANY), 0);
	bench_check_read(&b, 10 * PART + 50, 100);
	memory_reset_counts(&b.s3);
	bench_flush_check(&b);
	assert_int_equal(memory_bytes_put(&b.s3), 10);
	assert_int_equal(memory_bytes_got(&b.s3), 0);
	assert_requests(&b, 0, 1, 1, 1, 1);
	bench_check_all(&b);
	bench_end(&b);
}

static void a_change_in_the_middle_sends_one_part(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_open_new(&b, 20 * PART);
	bench_write(&b, 7 * PART + 5, 100, 2);
	bench_check_all(&b);
	memory_reset_counts(&b.s3);
	bench_flush_check(&b);
	assert_int_equal(memory_bytes_put(&b.s3), PART);
	assert_requests(&b, 0, 1, 1, 2, 1);
	bench_write(&b, 1, 1, 3); /* over the new object */
	bench_check_all(&b);
	bench_flush_check(&b);
	bench_check_all(&b);
	bench_end(&b);
}

/* With S3's own sizes. */
static void a_change_costs_the_smallest_part(void **state)
{
	const size_t size = 24 << 20, at = (12 << 20) + 1;
	_cleanup_(freep) uint8_t *bytes = malloc(size);
	struct bench b;

	(void)state;
	assert_non_null(bytes);
	bench_fill(bytes, 0, size, 0);
	bench_begin(&b, 64 << 20);
	b.room.limits = NULL;
	b.s3.part_min = S3_PART_MIN;
	memory_put(&b.s3, BUCKET, KEY, bytes, size);
	bench_open(&b);
	memory_reset_counts(&b.s3);
	memcpy(bytes + at, "patch", 5);
	assert_int_equal(content_write(b.content, &b.call, at, "patch", 5), 0);
	assert_int_equal(bench_flush(&b), 0);
	assert_true(memory_is(&b.s3, BUCKET, KEY, bytes, size));
	assert_int_equal(memory_bytes_put(&b.s3), S3_PART_MIN);
	assert_int_equal(memory_bytes_got(&b.s3), S3_PART_MIN - 5);
	assert_int_equal(count(&b, MEMORY_GET_OBJECT), 1);
	assert_requests(&b, 0, 1, 1, 2, 1);
	bench_end(&b);
}

/* What is fetched for a part is another client's object by now, or gone. */
static void a_change_of_what_was_replaced_is_stale(void **state)
{
	const size_t size = 24 << 20;
	_cleanup_(freep) uint8_t *bytes = calloc(1, size);
	struct bench b;

	(void)state;
	assert_non_null(bytes);
	for (int gone = 0; gone < 2; gone++) {
		bench_begin(&b, 64 << 20);
		b.room.limits = NULL;
		b.s3.part_min = S3_PART_MIN;
		memory_put(&b.s3, BUCKET, KEY, bytes, size);
		bench_open(&b);
		assert_int_equal(content_write(b.content, &b.call, 0, "patch", 5), 0);
		if (gone)
			memory_remove(&b.s3, BUCKET, KEY);
		else
			memory_put(&b.s3, BUCKET, KEY, bytes, 1);
		assert_int_equal(bench_flush(&b), -ESTALE);
		bench_end(&b);
	}
}

static void a_small_one_is_fetched_once_and_put(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_open_new(&b, PART + 100);
	bench_write(&b, 50, 10, 2);
	bench_flush_check(&b);
	assert_true(count(&b, MEMORY_GET_OBJECT) > 0);
	assert_requests(&b, 1, 0, 0, 0, 0);
	for (int i = 0; i < 3; i++) {
		bench_append(&b, 10);
		bench_flush_check(&b);
		assert_int_equal(count(&b, MEMORY_GET_OBJECT), 0);
		assert_requests(&b, 1, 0, 0, 0, 0);
	}
	bench_check_all(&b);
	assert_int_equal(count(&b, MEMORY_ANY), 0);
	bench_end(&b);
}

static void random_patches(void **state)
{
	struct bench b;
	uint32_t random = 1;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_open_new(&b, 30 * PART);
	for (unsigned int i = 0; i < 60; i++) {
		random = random * 1103515245 + 12345;
		bench_write(&b, (random >> 8) % (34 * PART), 1 + (random >> 4) % 300, i);
		if (i % 13 == 12)
			bench_flush_check(&b);
		if (i % 7 == 6)
			bench_check_all(&b);
	}
	bench_flush_check(&b);
	bench_check_all(&b);
	bench_end(&b);
}

static void cut_and_made_longer_it_has_zeroes(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_open_new(&b, 10 * PART);
	bench_truncate(&b, 3 * PART + 1);
	bench_check_all(&b);
	bench_truncate(&b, 9 * PART);
	bench_check_all(&b);
	bench_write(&b, 6 * PART, 5, 2);
	bench_check_all(&b);
	assert_int_equal(b.staging.used, 5);
	bench_flush_check(&b);
	bench_check_all(&b);
	bench_end(&b);
}

static void what_was_flushed_is_copied_next_time(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_open_new(&b, 100);
	bench_truncate(&b, 20 * PART);
	bench_flush_check(&b);
	assert_int_equal(memory_bytes_put(&b.s3), 20 * PART);
	memory_reset_counts(&b.s3);
	bench_write(&b, 0, 1, 2);
	bench_flush_check(&b);
	assert_int_equal(memory_bytes_put(&b.s3), PART);
	assert_requests(&b, 0, 1, 1, 1, 1);
	bench_end(&b);
}

static void a_cut_alone_is_a_copy(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_open_new(&b, 10 * PART);
	bench_truncate(&b, 5 * PART + 7);
	bench_flush_check(&b);
	assert_int_equal(memory_bytes_put(&b.s3), 0);
	assert_requests(&b, 0, 1, 0, 1, 1);
	bench_truncate(&b, 5 * PART + 7);
	assert_false(content_dirty(b.content));
	bench_end(&b);
}

static void a_hole_of_a_tebibyte_takes_no_space(void **state)
{
	uint64_t tib = (uint64_t)1 << 40;
	char bytes[10] = "xxxxxxxxx";
	struct bench b;
	size_t n;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_open_new(&b, 100);
	assert_int_equal(content_truncate(b.content, &b.call, tib), 0);
	assert_int_equal(content_size(b.content), tib);
	assert_int_equal(b.staging.used, 0);
	assert_int_equal(content_read(b.content, &b.call, tib - 4, 10, bytes, &n), 0);
	assert_int_equal(n, 4);
	assert_memory_equal(bytes, "\0\0\0\0xxxxx", 9);
	assert_int_equal(content_truncate(b.content, &b.call, S3_OBJECT_MAX), 0);
	assert_int_equal(content_truncate(b.content, &b.call, S3_OBJECT_MAX + 1), -EFBIG);
	assert_int_equal(content_write(b.content, &b.call, S3_OBJECT_MAX, "x", 1), -EFBIG);
	assert_int_equal(content_append(b.content, &b.call, "x", 1), -EFBIG);
	assert_int_equal(content_write(b.content, &b.call, UINT64_MAX, "xy", 2), -EFBIG);
	assert_int_equal(content_size(b.content), S3_OBJECT_MAX);
	bench_end(&b);
}

static void local_space_is_bounded(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	b.staging.limit = 1000;
	bench_open_new(&b, 10 * PART);
	bench_write(&b, 5, 900, 2);
	assert_int_equal(bench_try_write(&b, 5000, 200, 2), -ENOSPC);
	bench_check_all(&b);
	bench_write(&b, 5, 900, 3); /* over what is there */
	bench_flush_check(&b);
	bench_check_all(&b);
	bench_end(&b);
}

static void a_flush_needs_no_local_space(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PART); /* and so all parts are in files, as long as there is space */
	b.staging.limit = 100;
	bench_open_new(&b, 10 * PART);
	bench_write(&b, 5, 100, 2);
	bench_flush_check(&b);
	bench_end(&b);
}

static void a_flush_needs_no_memory_to_be_free(void **state)
{
	static const size_t sizes[] = {100, 10 * PART};
	struct bench b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		bench_begin(&b, 16 * PART);
		memory_force(&b.memory, 16 * PART);
		bench_open_new(&b, sizes[i]);
		bench_write(&b, 5, 50, 2);
		bench_flush_check(&b);
		assert_true(b.memory.most > b.memory.limit);
		assert_true(b.memory.most <= b.memory.limit + 2 * PART);
		memory_give(&b.memory, 16 * PART);
		bench_end(&b);
	}
}

/* ---- conditions ---- */

static void an_exclusive_creation_overwrites_nothing(void **state)
{
	static const size_t sizes[] = {0, 10, 3 * PART, 20};
	struct bench b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		bench_begin(&b, PLENTY);
		bench_create(&b, true);
		bench_append(&b, sizes[i]);
		if (i == 3)
			bench_write(&b, sizes[i] + 10, 1, 2); /* STAGED */
		memory_put(&b.s3, BUCKET, KEY, "theirs", 6);
		assert_int_equal(bench_flush(&b), -EEXIST);
		assert_int_equal(bench_flush(&b), -EEXIST);
		assert_true(content_dirty(b.content));
		assert_true(memory_is(&b.s3, BUCKET, KEY, "theirs", 6));
		bench_end(&b);
	}
}

static void a_creation_that_is_not_exclusive_does(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, false);
	bench_append(&b, 3 * PART);
	memory_put(&b.s3, BUCKET, KEY, "theirs", 6);
	bench_flush_check(&b);
	bench_end(&b);
}

static void a_change_in_part_of_another_object_is_stale(void **state)
{
	static const size_t sizes[] = {10, 10 * PART};
	struct bench b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		char bytes[20];
		size_t n;

		bench_begin(&b, PLENTY);
		bench_open_new(&b, sizes[i]);
		bench_append(&b, 10);
		memory_put(&b.s3, BUCKET, KEY, "theirs, but longer", 18);
		assert_int_equal(bench_flush(&b), -ESTALE);
		assert_int_equal(bench_flush(&b), -ESTALE);
		assert_true(content_dirty(b.content));
		assert_true(memory_is(&b.s3, BUCKET, KEY, "theirs, but longer", 18));
		assert_int_equal(content_read(b.content, &b.call, 0, 5, bytes, &n), -ESTALE);
		/* what was written is at hand */
		bench_check_read(&b, sizes[i], 10);
		bench_end(&b);
	}
}

/* All of it is at hand, and still it was a change of that object, and not of the one there is now.
 */
static void so_is_a_change_of_all_of_it(void **state)
{
	static const size_t sizes[] = {10, 10 * PART};
	struct bench b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		bench_begin(&b, PLENTY);
		bench_open_new(&b, sizes[i]);
		bench_write(&b, 0, sizes[i], 2);
		memory_put(&b.s3, BUCKET, KEY, "theirs", 6);
		assert_int_equal(bench_flush(&b), -ESTALE);
		assert_true(content_dirty(b.content));
		assert_true(memory_is(&b.s3, BUCKET, KEY, "theirs", 6));
		bench_end(&b);
	}
}

/* ---- for a person ---- */

static void assert_unsaved(struct bench *b, enum fs_unsaved_how how, uint64_t size)
{
	struct fs_unsaved unsaved;

	content_get_unsaved(b->content, &unsaved);
	assert_int_equal(unsaved.how, how);
	assert_int_equal(unsaved.size, size);
	assert_int_equal(unsaved.sent + unsaved.under_way, 0);
	assert_int_equal(unsaved.parts_failed, 0);
}

static void how_it_is_unsaved(void **state)
{
	struct put_params params = {.content_type = "text/plain"};
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, false);
	bench_append(&b, 10);
	assert_unsaved(&b, FS_UNSAVED_STREAM, 10);
	bench_flush_check(&b);
	assert_int_equal(content_set_params(b.content, &params, true), 0);
	assert_unsaved(&b, FS_UNSAVED_ATTRIBUTES, 10);
	bench_flush_check(&b);
	bench_write(&b, 5, 10, 2);
	assert_unsaved(&b, FS_UNSAVED_STAGED, 15);
	bench_flush_check(&b);
	/* the local file is there still, and all of it is in S3 */
	assert_int_equal(content_set_params(b.content, &params, true), 0);
	assert_unsaved(&b, FS_UNSAVED_ATTRIBUTES, 15);
	bench_flush_check(&b);
	bench_end(&b);
}

/* ---- parameters ---- */

static void set_mtime(struct bench *b, const char *value, bool dirty)
{
	struct object_meta meta = {(char *)(uintptr_t) "mtime", (char *)(uintptr_t)value};
	struct put_params params = {.content_type = "text/plain", .meta = &meta, .n_meta = 1};

	assert_int_equal(content_set_params(b->content, &params, dirty), 0);
}

static void assert_mtime(struct bench *b, const char *value)
{
	_cleanup_(object_deinit) struct object object = {0};

	assert_true(memory_stat(&b->s3, BUCKET, KEY, &object));
	assert_string_equal(object.content_type, "text/plain");
	assert_string_equal(object_meta_get(&object, "mtime"), value);
}

static void parameters_go_with_the_bytes(void **state)
{
	static const size_t sizes[] = {10, 3 * PART};
	struct bench b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		bench_begin(&b, PLENTY);
		bench_create(&b, false);
		set_mtime(&b, "1", false);
		bench_append(&b, sizes[i]);
		bench_flush_check(&b);
		assert_mtime(&b, "1");
		assert_int_equal(count(&b, MEMORY_COPY_OBJECT), 0);
		bench_write(&b, 5, 1, 2);
		bench_flush_check(&b);
		assert_mtime(&b, "1");
		bench_end(&b);
	}
}

static void parameters_that_come_late_are_a_copy(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, false);
	set_mtime(&b, "1", false);
	bench_append(&b, 3 * PART);
	set_mtime(&b, "2", true);
	bench_flush_check(&b);
	assert_mtime(&b, "2");
	assert_int_equal(count(&b, MEMORY_COPY_OBJECT), 1);
	bench_check_all(&b);
	bench_end(&b);
}

static void parameters_alone_are_a_copy(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_open_new(&b, 5 * PART);
	set_mtime(&b, "1", false);
	assert_false(content_dirty(b.content));
	set_mtime(&b, "2", true);
	assert_true(content_dirty(b.content));
	bench_flush_check(&b);
	assert_mtime(&b, "2");
	assert_int_equal(count(&b, MEMORY_COPY_OBJECT), 1);
	assert_int_equal(count(&b, MEMORY_ANY), 1);
	bench_check_all(&b);
	bench_end(&b);
}

static void parameters_of_a_huge_object_are_a_copy_in_parts(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	b.limits.copy_max = 3 * PART;
	bench_open_new(&b, 10 * PART);
	set_mtime(&b, "2", true);
	bench_flush_check(&b);
	assert_mtime(&b, "2");
	assert_requests(&b, 0, 1, 0, 4, 1);
	bench_end(&b);
}

/* ---- names ---- */

static void a_clean_file_may_be_renamed(void **state)
{
	static const struct object_id other = {BUCKET, "other"};
	_cleanup_(object_deinit) struct object object = {0};
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_open_new(&b, 5 * PART);
	bench_check_read(&b, 0, 10);
	memory_put(&b.s3, BUCKET, "other", b.bytes, b.size);
	memory_remove(&b.s3, BUCKET, KEY);
	assert_true(memory_stat(&b.s3, BUCKET, "other", &object));
	assert_int_equal(content_rename(b.content, &b.call, &other, object.etag), 0);
	bench_check_all(&b);
	bench_write(&b, 1, 1, 2);
	assert_int_equal(content_rename(b.content, &b.call, &bench_id, NULL), -EBUSY);
	assert_int_equal(bench_flush(&b), 0);
	assert_true(memory_is(&b.s3, BUCKET, "other", b.bytes, b.size));
	assert_false(memory_has(&b.s3, BUCKET, KEY));
	/* STAGED, and clean again */
	memory_put(&b.s3, BUCKET, KEY, b.bytes, b.size);
	memory_remove(&b.s3, BUCKET, "other");
	assert_int_equal(content_rename(b.content, &b.call, &bench_id, NULL), 0);
	bench_check_all(&b);
	bench_append(&b, 5);
	bench_flush_check(&b);
	bench_end(&b);
}

static void a_stream_may_not_be_renamed(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, false);
	assert_int_equal(content_rename(b.content, &b.call, &bench_id, NULL), -EBUSY);
	bench_end(&b);
}

static void without_a_name_nothing_is_uploaded(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, false);
	bench_append(&b, 100);
	content_unlinked(b.content, &b.call);
	assert_false(content_dirty(b.content));
	bench_append(&b, 10 * PART);
	bench_write(&b, 20 * PART, 5, 2);
	bench_truncate(&b, 15 * PART);
	bench_check_all(&b);
	assert_int_equal(bench_flush(&b), 0);
	bench_truncate(&b, 0);
	bench_append(&b, 5 * PART);
	bench_check_all(&b);
	assert_int_equal(bench_flush(&b), 0);
	assert_int_equal(count(&b, MEMORY_ANY), 0);
	bench_end(&b);
}

static void without_a_name_what_was_sent_is_lost(void **state)
{
	struct bench b;
	char bytes[10];
	size_t n;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, false);
	bench_append(&b, 3 * PART + 100);
	assert_int_equal(multipart_wait(b.content->stream->upload, &b.call, 0), 0);
	content_unlinked(b.content, &b.call);
	assert_int_equal(memory_uploads(&b.s3, NULL), 0);
	bench_check_read(&b, 0, PART);
	bench_check_read(&b, 3 * PART, 100);
	assert_int_equal(content_read(b.content, &b.call, PART, 10, bytes, &n), -ESTALE);
	bench_write(&b, PART, 20, 3);
	bench_check_read(&b, PART, 20);
	bench_check_read(&b, 0, PART + 20);
	assert_int_equal(content_read(b.content, &b.call, PART + 20, 1, bytes, &n), -ESTALE);
	assert_int_equal(content_size(b.content), b.size);
	assert_int_equal(bench_flush(&b), 0);
	assert_int_equal(count(&b, MEMORY_COMPLETE_UPLOAD), 0);
	bench_end(&b);
}

static void a_removed_object_is_stale(void **state)
{
	struct bench b;
	char bytes[10];
	size_t n;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_open_new(&b, 3 * PART);
	bench_write(&b, 5, 5, 2);
	memory_remove(&b.s3, BUCKET, KEY);
	content_unlinked(b.content, &b.call);
	bench_check_read(&b, 5, 5);
	assert_int_equal(content_read(b.content, &b.call, 0, 10, bytes, &n), -ESTALE);
	assert_int_equal(bench_flush(&b), 0);
	assert_false(memory_has(&b.s3, BUCKET, KEY));
	bench_end(&b);
}

/* ---- S3's own sizes ---- */

#define MIB ((size_t)1 << 20)

static void the_real_part_sizes_hold(void **state)
{
	size_t size = 41 * MIB + 3;
	uint8_t *bytes = malloc(size);
	struct bench b;

	(void)state;
	assert_non_null(bytes);
	bench_fill(bytes, 0, size, 1);
	bench_begin(&b, 128 * MIB);
	b.room.limits = NULL;
	b.s3.part_min = S3_PART_MIN;
	bench_create(&b, false);
	for (size_t at = 0; at < size; at += MIB)
		assert_int_equal(content_append(b.content, &b.call, bytes + at,
						size - at < MIB ? size - at : MIB),
				 0);
	assert_int_equal(bench_flush(&b), 0);
	assert_true(memory_is(&b.s3, BUCKET, KEY, bytes, size));
	assert_requests(&b, 0, 1, 6, 0, 1);
	assert_true(b.memory.most <= 41 * MIB);
	bytes[20 * MIB] ^= 1;
	bytes[40 * MIB] ^= 1;
	assert_int_equal(content_write(b.content, &b.call, 20 * MIB, bytes + 20 * MIB, 1), 0);
	assert_int_equal(content_write(b.content, &b.call, 40 * MIB, bytes + 40 * MIB, 1), 0);
	assert_int_equal(bench_flush(&b), 0);
	assert_true(memory_is(&b.s3, BUCKET, KEY, bytes, size));
	assert_requests(&b, 0, 1, 2, 2, 1);
	free(bytes);
	bench_end(&b);
}

/* ---- the end ---- */

static void what_was_not_flushed_is_aborted(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	memory_put(&b.s3, BUCKET, KEY, "old", 3);
	bench_open(&b);
	bench_truncate(&b, 0);
	b.size = 0;
	bench_append(&b, 5 * PART);
	bench_close(&b);
	assert_int_equal(memory_uploads(&b.s3, NULL), 0);
	assert_true(memory_is(&b.s3, BUCKET, KEY, "old", 3));
	bench_end(&b);
}

static void an_upload_that_cannot_be_aborted_is_told(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, false);
	bench_append(&b, 5 * PART);
	memory_fail(&b.s3, MEMORY_ABORT_UPLOAD, 10, -EIO);
	log_lines_start(LOG_LEVEL_WARN);
	bench_close(&b);
	assert_int_equal(log_lines_count("s3://" BUCKET "/" KEY ": the incomplete upload"), 1);
	assert_int_equal(log_lines_count(""), 1);
	log_lines_stop();
	bench_end_with(&b, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_small_file_is_one_put),
	    cmocka_unit_test(a_long_one_goes_in_parts),
	    cmocka_unit_test(bytes_one_by_one),
	    cmocka_unit_test(parts_go_up_while_it_is_written),
	    cmocka_unit_test(a_header_written_at_the_end_costs_nothing),
	    cmocka_unit_test(where_memory_is_short_the_first_part_goes_too),
	    cmocka_unit_test(parts_larger_than_a_quarter_of_the_memory_are_in_files),
	    cmocka_unit_test(memory_that_does_not_come_is_a_file),
	    cmocka_unit_test(a_write_may_lose_its_place_while_it_waits),
	    cmocka_unit_test(without_memory_and_space_nothing_is_accepted),
	    cmocka_unit_test(reads_of_what_is_in_memory_need_no_request),
	    cmocka_unit_test(a_read_of_what_was_sent_completes_the_upload),
	    cmocka_unit_test(a_hole_needs_the_local_file_and_no_request),
	    cmocka_unit_test(cut_where_it_is_in_memory),
	    cmocka_unit_test(cut_and_written_again),
	    cmocka_unit_test(truncated_to_nothing_it_begins_again),
	    cmocka_unit_test(an_overwrite_streams),
	    cmocka_unit_test(an_append_copies_the_rest),
	    cmocka_unit_test(a_change_in_the_middle_sends_one_part),
	    cmocka_unit_test(a_change_costs_the_smallest_part),
	    cmocka_unit_test(a_change_of_what_was_replaced_is_stale),
	    cmocka_unit_test(a_small_one_is_fetched_once_and_put),
	    cmocka_unit_test(random_patches),
	    cmocka_unit_test(cut_and_made_longer_it_has_zeroes),
	    cmocka_unit_test(what_was_flushed_is_copied_next_time),
	    cmocka_unit_test(a_cut_alone_is_a_copy),
	    cmocka_unit_test(a_hole_of_a_tebibyte_takes_no_space),
	    cmocka_unit_test(local_space_is_bounded),
	    cmocka_unit_test(a_flush_needs_no_local_space),
	    cmocka_unit_test(a_flush_needs_no_memory_to_be_free),
	    cmocka_unit_test(an_exclusive_creation_overwrites_nothing),
	    cmocka_unit_test(a_creation_that_is_not_exclusive_does),
	    cmocka_unit_test(a_change_in_part_of_another_object_is_stale),
	    cmocka_unit_test(so_is_a_change_of_all_of_it),
	    cmocka_unit_test(how_it_is_unsaved),
	    cmocka_unit_test(parameters_go_with_the_bytes),
	    cmocka_unit_test(parameters_that_come_late_are_a_copy),
	    cmocka_unit_test(parameters_alone_are_a_copy),
	    cmocka_unit_test(parameters_of_a_huge_object_are_a_copy_in_parts),
	    cmocka_unit_test(a_clean_file_may_be_renamed),
	    cmocka_unit_test(a_stream_may_not_be_renamed),
	    cmocka_unit_test(without_a_name_nothing_is_uploaded),
	    cmocka_unit_test(without_a_name_what_was_sent_is_lost),
	    cmocka_unit_test(a_removed_object_is_stale),
	    cmocka_unit_test(the_real_part_sizes_hold),
	    cmocka_unit_test(what_was_not_flushed_is_aborted),
	    cmocka_unit_test(an_upload_that_cannot_be_aborted_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
