/* fs/content from several threads: who waits for whom, who is let go, and that nobody sees a mix.
 */
#include "content_bench.h"

#include <pthread.h>
#include <stdatomic.h>

#define PLENTY (1 << 20)

/* ---- a call in a thread of its own ---- */

enum job_op { JOB_WRITE, JOB_READ, JOB_FLUSH };

struct job {
	struct bench *b;
	enum job_op op;
	uint64_t offset;
	size_t len, n;
	uint8_t bytes[FILE_MAX]; /* to write, or read */
	struct call call;
	pthread_t thread;
	struct object object;
	int r;
};

static void *job_run(void *data)
{
	struct job *job = data;
	struct content *content = job->b->content;

	switch (job->op) {
	case JOB_WRITE:
		job->r = content_write(content, &job->call, job->offset, job->bytes, job->len);
		break;
	case JOB_READ:
		job->r =
		    content_read(content, &job->call, job->offset, job->len, job->bytes, &job->n);
		break;
	case JOB_FLUSH:
		job->r = content_flush(content, &job->call, &job->object);
		break;
	}
	return NULL;
}

static struct job *job_start(struct bench *b, enum job_op op, uint64_t offset, size_t len)
{
	struct job *job = calloc(1, sizeof(*job));

	assert_non_null(job);
	job->b = b;
	job->op = op;
	job->offset = offset;
	job->len = len;
	if (op == JOB_WRITE)
		bench_fill(job->bytes, offset, len, 7);
	call_init(&job->call, NULL, &b->clock.clock, CLOCK_NEVER);
	assert_int_equal(pthread_create(&job->thread, NULL, job_run, job), 0);
	return job;
}

/* What it returned. */
static int job_join(struct job *job)
{
	int r;

	assert_int_equal(pthread_join(job->thread, NULL), 0);
	r = job->r;
	if (r == 0 && job->op == JOB_WRITE)
		bench_expect_write(job->b, job->offset, job->len, 7);
	if (r == 0 && job->op == JOB_READ) {
		assert_int_equal(job->n, job->len);
		assert_memory_equal(job->bytes, job->b->bytes + job->offset, job->len);
	}
	object_deinit(&job->object);
	call_deinit(&job->call);
	free(job);
	return r;
}

/* ---- flush ---- */

static void a_cancelled_flush_leaves_it_dirty(void **state)
{
	static const struct {
		size_t size;
		enum memory_op held;
	} table[] = {
	    {10, MEMORY_PUT_OBJECT},
	    {3 * PART, MEMORY_UPLOAD_PART},
	    {3 * PART, MEMORY_COMPLETE_UPLOAD},
	};
	struct bench b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct job *job;

		bench_begin(&b, PLENTY);
		bench_create(&b, true);
		memory_hold(&b.s3, table[i].held, MEMORY_BEFORE);
		bench_append(&b, table[i].size);
		job = job_start(&b, JOB_FLUSH, 0, 0);
		assert_true(memory_wait_held(&b.s3, table[i].held, 1));
		call_cancel(&job->call);
		assert_int_equal(job_join(job), -EINTR);
		assert_true(content_dirty(b.content));
		assert_false(memory_has(&b.s3, BUCKET, KEY));
		memory_release(&b.s3, table[i].held);
		bench_flush_check(&b);
		bench_end(&b);
	}
}

static void a_second_flush_waits_and_finds_nothing_to_do(void **state)
{
	struct job *first, *second;
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, false);
	bench_append(&b, 10);
	memory_hold(&b.s3, MEMORY_PUT_OBJECT, MEMORY_BEFORE);
	first = job_start(&b, JOB_FLUSH, 0, 0);
	assert_true(memory_wait_held(&b.s3, MEMORY_PUT_OBJECT, 1));
	second = job_start(&b, JOB_FLUSH, 0, 0);
	/* its wait is looked for in vain from outside: the counts tell, whenever it came */
	memory_release(&b.s3, MEMORY_PUT_OBJECT);
	assert_int_equal(job_join(first), 0);
	assert_int_equal(job_join(second), 0);
	assert_int_equal(memory_count(&b.s3, MEMORY_PUT_OBJECT), 1);
	assert_int_equal(memory_count(&b.s3, MEMORY_ANY), 1);
	assert_true(bench_is_saved(&b));
	bench_end(&b);
}

static void a_write_waits_for_a_flush(void **state)
{
	struct job *flush, *write, *cancelled;
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, false);
	bench_append(&b, 10);
	memory_hold(&b.s3, MEMORY_PUT_OBJECT, MEMORY_AFTER);
	flush = job_start(&b, JOB_FLUSH, 0, 0);
	assert_true(memory_wait_held(&b.s3, MEMORY_PUT_OBJECT, 1));
	cancelled = job_start(&b, JOB_WRITE, 0, 5);
	call_cancel(&cancelled->call);
	assert_int_equal(job_join(cancelled), -EINTR);
	write = job_start(&b, JOB_WRITE, 5, 10);
	memory_release(&b.s3, MEMORY_PUT_OBJECT);
	assert_int_equal(job_join(flush), 0);
	assert_true(bench_is_saved(&b));
	assert_int_equal(job_join(write), 0);
	assert_true(content_dirty(b.content));
	bench_check_all(&b);
	bench_flush_check(&b);
	bench_end(&b);
}

static void reads_go_on_while_it_is_flushed(void **state)
{
	struct job *flush;
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_open_new(&b, 10 * PART);
	bench_write(&b, 5, 5, 2);
	memory_hold(&b.s3, MEMORY_COMPLETE_UPLOAD, MEMORY_BEFORE);
	flush = job_start(&b, JOB_FLUSH, 0, 0);
	assert_true(memory_wait_held(&b.s3, MEMORY_COMPLETE_UPLOAD, 1));
	bench_check_all(&b);
	memory_release(&b.s3, MEMORY_COMPLETE_UPLOAD);
	assert_int_equal(job_join(flush), 0);
	bench_check_all(&b);
	bench_end(&b);
}

/* The object is the new one already, and nobody knows: a read of the old one is not stale. */
static void a_read_waits_for_the_end_of_a_flush(void **state)
{
	struct job *flush, *read;
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_open_new(&b, 10 * PART);
	bench_write(&b, 0, PART, 2); /* whole, so that nothing was read yet */
	memory_hold(&b.s3, MEMORY_COMPLETE_UPLOAD, MEMORY_AFTER);
	flush = job_start(&b, JOB_FLUSH, 0, 0);
	assert_true(memory_wait_held(&b.s3, MEMORY_COMPLETE_UPLOAD, 1));
	memory_hold(&b.s3, MEMORY_GET_OBJECT, MEMORY_BEFORE);
	read = job_start(&b, JOB_READ, 8 * PART, PART);
	assert_true(memory_wait_held(&b.s3, MEMORY_GET_OBJECT, 1));
	memory_release(&b.s3, MEMORY_GET_OBJECT);
	memory_release(&b.s3, MEMORY_COMPLETE_UPLOAD);
	assert_int_equal(job_join(flush), 0);
	assert_int_equal(job_join(read), 0);
	bench_end(&b);
}

static void a_flush_whose_parts_hang_can_be_given_up(void **state)
{
	struct job *flush;
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_open_new(&b, 20 * PART);
	bench_write(&b, 3 * PART, 9 * PART, 2);
	memory_hold(&b.s3, MEMORY_UPLOAD_PART, MEMORY_BEFORE);
	flush = job_start(&b, JOB_FLUSH, 0, 0);
	assert_true(memory_wait_held(&b.s3, MEMORY_UPLOAD_PART, 3));
	call_cancel(&flush->call);
	assert_int_equal(job_join(flush), -EINTR);
	assert_true(content_dirty(b.content));
	memory_release(&b.s3, MEMORY_UPLOAD_PART);
	bench_flush_check(&b);
	bench_end(&b);
}

/* ---- memory ---- */

/* So many threads wait by the clock, before and after: held requests, and who waits for memory. */
static void let_seconds_pass(struct bench *b, unsigned int threads, int seconds)
{
	assert_true(test_clock_settled(&b->clock, threads));
	for (int i = 0; i < seconds; i++) {
		test_clock_advance(&b->clock, 1001);
		assert_true(test_clock_settled(&b->clock, threads));
	}
}

/* However long: its own parts will give memory back. Only the first one takes what is not there. */
static void a_flush_waits_for_the_memory_of_its_own_parts(void **state)
{
	struct job *flush;
	struct bench b;

	(void)state;
	bench_begin(&b, 16 * PART);
	b.clock.auto_advance = false;
	bench_open_new(&b, 20 * PART);
	bench_write(&b, 3 * PART, 9 * PART, 2);
	memory_force(&b.memory, 16 * PART);
	memory_hold(&b.s3, MEMORY_UPLOAD_PART, MEMORY_BEFORE);
	flush = job_start(&b, JOB_FLUSH, 0, 0);
	/* until the copy is done, and the first part forced */
	while (memory_count(&b.s3, MEMORY_UPLOAD_PART) == 0)
		let_seconds_pass(&b, 1, 1);
	assert_true(memory_wait_held(&b.s3, MEMORY_UPLOAD_PART, 1));
	let_seconds_pass(&b, 2, 20);
	memory_release(&b.s3, MEMORY_UPLOAD_PART);
	memory_give(&b.memory, 16 * PART);
	assert_int_equal(job_join(flush), 0);
	assert_true(bench_is_saved(&b));
	assert_int_equal(b.memory.most, 17 * PART);
	bench_end(&b);
}

static void a_writer_waits_for_memory_that_will_come(void **state)
{
	struct job *write;
	struct bench b;

	(void)state;
	bench_begin(&b, 17 * PART);
	b.clock.auto_advance = false; /* patience has no end */
	memory_force(&b.memory, 12 * PART);
	bench_create(&b, false);
	memory_hold(&b.s3, MEMORY_UPLOAD_PART, MEMORY_BEFORE);
	bench_append(&b, 4 * PART);
	assert_true(memory_wait_held(&b.s3, MEMORY_UPLOAD_PART, 3));
	write = job_start(&b, JOB_WRITE, b.size, 2 * PART);
	let_seconds_pass(&b, 4, 3);
	pthread_mutex_lock(&b.staging.lock);
	assert_int_equal(b.staging.used, 0);
	pthread_mutex_unlock(&b.staging.lock);
	memory_release(&b.s3, MEMORY_UPLOAD_PART);
	assert_int_equal(job_join(write), 0);
	for (int i = 0; i < 20; i++)
		bench_append(&b, PART);
	assert_int_equal(b.staging.used, 0);
	assert_true(b.memory.most <= b.memory.limit);
	bench_flush_check(&b);
	memory_give(&b.memory, 12 * PART);
	bench_end(&b);
}

static void a_writer_whose_parts_hang_can_be_given_up(void **state)
{
	struct job *write;
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, false);
	memory_hold(&b.s3, MEMORY_UPLOAD_PART, MEMORY_BEFORE);
	for (int i = 0; i < 5; i++)
		bench_append(&b, i < 4 ? PART : 2 * PART);
	assert_true(memory_wait_held(&b.s3, MEMORY_UPLOAD_PART, 4));
	write = job_start(&b, JOB_WRITE, b.size, PART);
	call_cancel(&write->call);
	assert_int_equal(job_join(write), -EINTR);
	assert_int_equal(content_size(b.content), b.size);
	memory_release(&b.s3, MEMORY_UPLOAD_PART);
	bench_flush_check(&b);
	bench_end(&b);
}

/* ---- the end, and names ---- */

static void a_close_ends_what_hangs(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, false);
	memory_hold(&b.s3, MEMORY_UPLOAD_PART, MEMORY_BEFORE);
	bench_append(&b, 4 * PART);
	assert_true(memory_wait_held(&b.s3, MEMORY_UPLOAD_PART, 3));
	bench_close(&b);
	assert_int_equal(memory_uploads(&b.s3, NULL), 0);
	memory_release(&b.s3, MEMORY_UPLOAD_PART);
	bench_end(&b);
}

static void a_close_ends_what_has_not_begun(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	pool_free(b.uploads);
	assert_int_equal(pool_new(1, &b.uploads), 0);
	b.room.uploads = b.uploads;
	bench_create(&b, false);
	memory_hold(&b.s3, MEMORY_UPLOAD_PART, MEMORY_BEFORE);
	bench_append(&b, 4 * PART);
	assert_true(memory_wait_held(&b.s3, MEMORY_UPLOAD_PART, 1));
	bench_close(&b);
	assert_int_equal(memory_count(&b.s3, MEMORY_UPLOAD_PART), 1);
	memory_release(&b.s3, MEMORY_UPLOAD_PART);
	bench_end(&b);
}

/* Another file's part hangs in the only thread: that is none of this one's business. */
static void a_close_waits_for_no_other_file(void **state)
{
	static const struct object_id other = {BUCKET, "other"};
	struct content *hangs;
	uint8_t bytes[2 * PART] = {0};
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	pool_free(b.uploads);
	assert_int_equal(pool_new(1, &b.uploads), 0);
	b.room.uploads = b.uploads;
	assert_int_equal(content_create(&b.room, &other, false, &hangs), 0);
	memory_hold(&b.s3, MEMORY_UPLOAD_PART, MEMORY_BEFORE);
	assert_int_equal(content_write(hangs, &b.call, 0, bytes, sizeof(bytes)), 0);
	assert_true(memory_wait_held(&b.s3, MEMORY_UPLOAD_PART, 1));
	bench_create(&b, false);
	bench_append(&b, 4 * PART);
	bench_truncate(&b, 0);
	bench_append(&b, 3 * PART);
	bench_close(&b);
	memory_release(&b.s3, MEMORY_UPLOAD_PART);
	assert_int_equal(content_flush(hangs, &b.call, NULL), 0);
	content_free(hangs, &b.call);
	bench_end(&b);
}

static void an_unlink_ends_what_hangs(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, false);
	memory_hold(&b.s3, MEMORY_UPLOAD_PART, MEMORY_BEFORE);
	bench_append(&b, 4 * PART);
	assert_true(memory_wait_held(&b.s3, MEMORY_UPLOAD_PART, 3));
	content_unlinked(b.content, &b.call);
	assert_int_equal(memory_uploads(&b.s3, NULL), 0);
	bench_check_all(&b); /* nothing had arrived, and so nothing is lost */
	memory_release(&b.s3, MEMORY_UPLOAD_PART);
	bench_append(&b, 10);
	bench_check_all(&b);
	bench_end(&b);
}

static void who_holds_it_is_alone(void **state)
{
	struct job *flush, *cancelled;
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, false);
	bench_append(&b, 10);
	assert_int_equal(content_hold(b.content, &b.call), 0);
	flush = job_start(&b, JOB_FLUSH, 0, 0);
	cancelled = job_start(&b, JOB_FLUSH, 0, 0);
	call_cancel(&cancelled->call);
	assert_int_equal(job_join(cancelled), -EINTR);
	assert_int_equal(memory_count(&b.s3, MEMORY_ANY), 0);
	bench_flush_check(&b);
	content_unlinked(b.content, &b.call);
	memory_remove(&b.s3, BUCKET, KEY);
	content_release(b.content);
	assert_int_equal(job_join(flush), 0);
	assert_false(memory_has(&b.s3, BUCKET, KEY));
	assert_int_equal(memory_count(&b.s3, MEMORY_ANY), 1);
	bench_end(&b);
}

/* The object has its new name, and who reads asked for it by the old one. */
static void check_read_over_rename(bool etag_is_known)
{
	static const struct object_id other = {BUCKET, "other"};
	_cleanup_(object_deinit) struct object object = {0};
	struct job *read;
	struct bench b;

	bench_begin(&b, PLENTY);
	bench_open_new(&b, 10 * PART);
	assert_int_equal(content_hold(b.content, &b.call), 0);
	memory_hold(&b.s3, MEMORY_GET_OBJECT, MEMORY_BEFORE);
	read = job_start(&b, JOB_READ, 0, PART);
	assert_true(memory_wait_held(&b.s3, MEMORY_GET_OBJECT, 1));
	memory_put(&b.s3, BUCKET, "other", b.bytes, b.size);
	memory_remove(&b.s3, BUCKET, KEY);
	assert_true(memory_stat(&b.s3, BUCKET, "other", &object));
	assert_int_equal(
	    content_rename(b.content, &b.call, &other, etag_is_known ? object.etag : NULL), 0);
	memory_release(&b.s3, MEMORY_GET_OBJECT);
	content_release(b.content);
	assert_int_equal(job_join(read), 0);
	bench_end(&b);
}

static void a_read_goes_on_over_a_rename(void **state)
{
	(void)state;
	check_read_over_rename(true);
	check_read_over_rename(false);
}

/* ---- all at once ---- */

/*
 * Every byte is that of its offset, whoever writes it and when, or zero where nobody did. Half of
 * the threads write, cut and flush, the others read.
 */
#define ROUNDS  150
#define THREADS 6

struct crowd {
	struct bench *b;
	unsigned int number;
	pthread_t thread;
	uint8_t bytes[FILE_MAX];
};

static void check_bytes(const uint8_t *bytes, uint64_t offset, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i] != 0 && bytes[i] != bench_byte(offset + i, 0))
			fail_msg("byte %llu is another's", (unsigned long long)offset + i);
}

static void *crowd_run(void *data)
{
	struct crowd *one = data;
	struct content *content = one->b->content;
	uint32_t random = one->number;
	struct call call;

	call_init(&call, NULL, &one->b->clock.clock, CLOCK_NEVER);
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t offset;
		size_t len, n = 0;

		random = random * 1103515245 + 12345;
		offset = (random >> 8) % (FILE_MAX / 2);
		len = 1 + (random >> 5) % (3 * PART);
		if (one->number % 2) {
			assert_int_equal(content_read(content, &call, offset, len, one->bytes, &n),
					 0);
			check_bytes(one->bytes, offset, n);
		} else if (i % 13 == 12) {
			assert_int_equal(content_flush(content, &call, NULL), 0);
		} else if (i % 17 == 16) {
			assert_int_equal(content_truncate(content, &call, i % 2 ? 0 : offset), 0);
		} else {
			bench_fill(one->bytes, offset, len, 0);
			assert_int_equal(content_write(content, &call, offset, one->bytes, len), 0);
		}
	}
	call_deinit(&call);
	return NULL;
}

static void a_crowd_sees_no_mix(void **state)
{
	static struct crowd crowd[THREADS];
	static uint8_t bytes[FILE_MAX];
	struct bench b;
	size_t n = 0;

	(void)state;
	bench_begin(&b, 64 * PART);
	bench_open_new(&b, 0);
	for (unsigned int i = 0; i < THREADS; i++) {
		crowd[i].b = &b;
		crowd[i].number = i;
		assert_int_equal(pthread_create(&crowd[i].thread, NULL, crowd_run, &crowd[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(crowd[i].thread, NULL), 0);
	assert_int_equal(content_read(b.content, &b.call, 0, FILE_MAX, bytes, &n), 0);
	check_bytes(bytes, 0, n);
	assert_int_equal(bench_flush(&b), 0);
	assert_true(memory_is(&b.s3, BUCKET, KEY, bytes, n));
	bench_end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_cancelled_flush_leaves_it_dirty),
	    cmocka_unit_test(a_second_flush_waits_and_finds_nothing_to_do),
	    cmocka_unit_test(a_write_waits_for_a_flush),
	    cmocka_unit_test(reads_go_on_while_it_is_flushed),
	    cmocka_unit_test(a_read_waits_for_the_end_of_a_flush),
	    cmocka_unit_test(a_flush_whose_parts_hang_can_be_given_up),
	    cmocka_unit_test(a_flush_waits_for_the_memory_of_its_own_parts),
	    cmocka_unit_test(a_writer_waits_for_memory_that_will_come),
	    cmocka_unit_test(a_writer_whose_parts_hang_can_be_given_up),
	    cmocka_unit_test(a_close_ends_what_hangs),
	    cmocka_unit_test(a_close_ends_what_has_not_begun),
	    cmocka_unit_test(a_close_waits_for_no_other_file),
	    cmocka_unit_test(an_unlink_ends_what_hangs),
	    cmocka_unit_test(who_holds_it_is_alone),
	    cmocka_unit_test(a_read_goes_on_over_a_rename),
	    cmocka_unit_test(a_crowd_sees_no_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
