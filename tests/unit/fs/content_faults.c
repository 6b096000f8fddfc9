/*
 * fs/content where requests fail: the Nth one of each way of writing a file, for all N, before it
 * is done and after; and single failures by name.
 *
 * Always: a call that fails says so and the file is as before; the object is the old one or the new
 * one; the file is dirty until a flush succeeds; when nothing fails any more it does, at the second
 * try at the latest; no upload is left but one whose creation was not answered.
 */
#include "content_bench.h"

#define PLENTY (1 << 20)

/* ---- the Nth request ---- */

struct way {
	const char *name;
	void (*begin)(struct bench *b); /* without faults */
	int (*change)(struct bench *b); /* 0, or the first error */
};

static void begin_new(struct bench *b)
{
	bench_create(b, false);
}

static void begin_exclusive(struct bench *b)
{
	bench_create(b, true);
}

static void begin_small(struct bench *b)
{
	bench_open_new(b, PART + 10);
}

static void begin_long(struct bench *b)
{
	bench_open_new(b, 20 * PART + 10);
}

static int first_error(int a, int b)
{
	return a < 0 ? a : b;
}

/* Behind these a stream does not change once it is written. */
#define CHANGED_LAST 20

static int change_small(struct bench *b)
{
	return bench_try_write(b, 0, 100, 1);
}

static int change_stream(struct bench *b)
{
	int r = 0;

	for (unsigned int i = 0; i < 12 && r == 0; i++)
		r = bench_try_write(b, b->size, PART / 2 + 100, 1);
	return r;
}

static int change_stream_read_back(struct bench *b)
{
	uint8_t bytes[10];
	size_t n;
	int r = change_stream(b);

	if (r == 0)
		r = content_read(b->content, &b->call, PART + 5, 10, bytes, &n);
	return first_error(r, bench_try_write(b, 10, CHANGED_LAST - 10, 2));
}

static int change_again_from_nothing(struct bench *b)
{
	int r = change_stream(b);

	r = first_error(r, bench_try_truncate(b, 0));
	return first_error(r, change_stream(b));
}

static int change_parts(struct bench *b)
{
	int r = bench_try_write(b, 7 * PART, 100, 1);

	r = first_error(r, bench_try_write(b, 15 * PART + 5, PART, 2));
	r = first_error(r, bench_try_truncate(b, 19 * PART));
	return first_error(r, bench_try_write(b, 21 * PART, 10, 3));
}

static int change_overwrite(struct bench *b)
{
	int r = bench_try_truncate(b, 0);

	return first_error(r, change_stream(b));
}

static int change_params(struct bench *b)
{
	struct object_meta meta = {(char *)(uintptr_t) "mtime", (char *)(uintptr_t) "77"};
	struct put_params params = {.content_type = "text/plain", .meta = &meta, .n_meta = 1};

	return content_set_params(b->content, &params, true);
}

static int change_stream_late_params(struct bench *b)
{
	int r = change_stream(b);

	return first_error(r, change_params(b));
}

static const struct way ways[] = {
    {"a small file", begin_new, change_small},
    {"a small file, exclusive", begin_exclusive, change_small},
    {"a stream", begin_new, change_stream},
    {"a stream, exclusive", begin_exclusive, change_stream},
    {"a stream that is read", begin_exclusive, change_stream_read_back},
    {"a stream that begins again", begin_new, change_again_from_nothing},
    {"an overwrite", begin_long, change_overwrite},
    {"a change in a small file", begin_small, change_small},
    {"changes in a long file", begin_long, change_parts},
    {"parameters", begin_long, change_params},
    {"parameters that come late", begin_new, change_stream_late_params},
};

struct fault {
	pthread_mutex_t lock;
	size_t in;             /* lock */
	enum memory_when when; /* lock */
	int error;
	bool came;      /* lock */
	size_t orphans; /* lock */
};

static int fault_hook(void *data, enum memory_op op, enum memory_when when, const char *name)
{
	struct fault *fault = data;
	int r = 0;

	(void)name;
	pthread_mutex_lock(&fault->lock);
	if (when == fault->when && fault->in > 0 && --fault->in == 0) {
		fault->came = true;
		r = fault->error;
		fault->orphans += op == MEMORY_CREATE_UPLOAD && when == MEMORY_AFTER;
	}
	pthread_mutex_unlock(&fault->lock);
	return r;
}

static void no_more_faults(struct fault *fault)
{
	pthread_mutex_lock(&fault->lock);
	fault->in = 0;
	pthread_mutex_unlock(&fault->lock);
}

/* The object is what it was, or what the file was at some time since. */
static void assert_old_or_whole(struct bench *b, const struct buf *old, bool old_there)
{
	_cleanup_(buf_deinit) struct buf now = BUF_INIT;

	if (!memory_read(&b->s3, BUCKET, KEY, &now)) {
		assert_false(old_there);
		return;
	}
	if (old_there && now.len == old->len &&
	    (now.len == 0 || !memcmp(now.data, old->data, now.len)))
		return;
	/* a stream that was completed on the way, before its first bytes were changed */
	if (now.len > CHANGED_LAST && now.len <= b->size &&
	    !memcmp(now.data + CHANGED_LAST, b->bytes + CHANGED_LAST, now.len - CHANGED_LAST))
		return;
	assert_true(bench_is_saved(b));
}

/* False when the way has fewer requests than n. */
static bool run_way(const struct way *way, size_t n, enum memory_when when)
{
	_cleanup_(buf_deinit) struct buf old = BUF_INIT;
	struct fault fault = {
	    .lock = PTHREAD_MUTEX_INITIALIZER, .in = n, .when = when, .error = -EIO};
	struct bench b;
	bool old_there;
	int r;

	bench_begin(&b, PLENTY);
	way->begin(&b);
	old_there = memory_read(&b.s3, BUCKET, KEY, &old);
	memory_hook(&b.s3, fault_hook, &fault);
	r = way->change(&b);
	if (r == 0) {
		r = bench_flush(&b);
		if (r < 0)
			assert_true(content_dirty(b.content));
		else
			assert_true(bench_is_saved(&b));
	}
	no_more_faults(&fault);
	assert_true(r == 0 || r == -EIO);
	assert_true(r == 0 || fault.came);
	assert_old_or_whole(&b, &old, old_there);
	if (r < 0) {
		assert_true(way->change(&b) == 0 || content_dirty(b.content));
		if (bench_flush(&b) < 0)
			assert_int_equal(bench_flush(&b), 0);
	}
	assert_true(bench_is_saved(&b));
	assert_false(content_dirty(b.content));
	bench_check_all(&b);
	bench_end_with(&b, fault.orphans);
	return fault.came;
}

/* The same, but what fails is not tried again: the old object stays, and nothing is left. */
static void run_way_and_give_up(const struct way *way, size_t n)
{
	_cleanup_(buf_deinit) struct buf old = BUF_INIT;
	struct fault fault = {
	    .lock = PTHREAD_MUTEX_INITIALIZER, .in = n, .when = MEMORY_BEFORE, .error = -EIO};
	struct bench b;
	bool old_there;
	int r;

	bench_begin(&b, PLENTY);
	way->begin(&b);
	old_there = memory_read(&b.s3, BUCKET, KEY, &old);
	memory_hook(&b.s3, fault_hook, &fault);
	r = way->change(&b);
	if (r == 0)
		r = bench_flush(&b);
	no_more_faults(&fault);
	bench_close(&b);
	assert_old_or_whole(&b, &old, old_there);
	bench_end(&b);
}

static void every_request_may_fail(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		size_t n = 1, lost = 1;

		while (run_way(&ways[i], n, MEMORY_BEFORE))
			n++;
		while (run_way(&ways[i], lost, MEMORY_AFTER))
			lost++;
		for (size_t given_up = 1; given_up <= n; given_up++)
			run_way_and_give_up(&ways[i], given_up);
		printf("%s: %zu requests\n", ways[i].name, n - 1);
		assert_true(n > 1 && lost > 1);
	}
}

/* ---- by name ---- */

static void a_failed_part_is_told_by_the_next_write_and_the_flush(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, false);
	memory_fail(&b.s3, MEMORY_UPLOAD_PART, 1, -EACCES);
	bench_append(&b, 2 * PART);
	assert_int_equal(multipart_wait(b.content->stream->upload, &b.call, 0), 0);
	assert_int_equal(bench_try_write(&b, b.size, 1, 2), -EACCES);
	assert_int_equal(bench_try_write(&b, b.size, 1, 2), -EACCES);
	bench_check_all(&b);
	assert_int_equal(bench_flush(&b), -EACCES);
	assert_true(content_dirty(b.content));
	assert_false(memory_has(&b.s3, BUCKET, KEY));
	memory_reset_counts(&b.s3);
	bench_flush_check(&b);
	assert_int_equal(memory_count(&b.s3, MEMORY_UPLOAD_PART), 2);
	assert_int_equal(memory_count(&b.s3, MEMORY_CREATE_UPLOAD), 0);
	bench_end(&b);
}

static void a_flush_sends_again_what_nobody_was_told_of(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, false);
	memory_fail(&b.s3, MEMORY_UPLOAD_PART, 1, -EACCES);
	bench_append(&b, 2 * PART);
	assert_int_equal(multipart_wait(b.content->stream->upload, &b.call, 0), 0);
	bench_flush_check(&b);
	bench_end(&b);
}

static void a_flush_that_fails_is_tried_again_with_what_is_missing(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, false);
	bench_append(&b, 3 * PART + 1);
	assert_int_equal(multipart_wait(b.content->stream->upload, &b.call, 0), 0);
	memory_fail(&b.s3, MEMORY_UPLOAD_PART, 1, -EIO);
	assert_int_equal(bench_flush(&b), -EIO);
	assert_false(memory_has(&b.s3, BUCKET, KEY));
	memory_reset_counts(&b.s3);
	bench_flush_check(&b);
	assert_int_equal(memory_count(&b.s3, MEMORY_UPLOAD_PART), 1);
	bench_end(&b);
}

/* The upload's parts were sent to the last: what is written then lies over the completed object. */
static void after_a_failed_flush_more_may_be_written(void **state)
{
	struct bench b;

	(void)state;
	for (int when = MEMORY_BEFORE; when <= MEMORY_AFTER; when++) {
		bench_begin(&b, PLENTY);
		bench_create(&b, false);
		bench_append(&b, 2 * PART + 1);
		memory_fail_nth(&b.s3, MEMORY_COMPLETE_UPLOAD, 1, (enum memory_when)when, -EIO);
		assert_int_equal(bench_flush(&b), -EIO);
		bench_append(&b, 5);
		bench_write(&b, 3, 3, 4);
		bench_check_all(&b);
		bench_flush_check(&b);
		bench_end(&b);
	}
}

static void a_lost_answer_is_found_out(void **state)
{
	struct bench b;

	(void)state;
	/* one PUT, exclusive */
	bench_begin(&b, PLENTY);
	bench_create(&b, true);
	bench_append(&b, 10);
	memory_fail_nth(&b.s3, MEMORY_PUT_OBJECT, 1, MEMORY_AFTER, -ETIMEDOUT);
	assert_int_equal(bench_flush(&b), -ETIMEDOUT);
	assert_true(content_dirty(b.content));
	bench_append(&b, 5);
	bench_flush_check(&b);
	bench_end(&b);
	/* a completed stream: nothing is sent again */
	bench_begin(&b, PLENTY);
	bench_create(&b, true);
	bench_append(&b, 3 * PART);
	memory_fail_nth(&b.s3, MEMORY_COMPLETE_UPLOAD, 1, MEMORY_AFTER, -ETIMEDOUT);
	assert_int_equal(bench_flush(&b), -ETIMEDOUT);
	memory_reset_counts(&b.s3);
	bench_flush_check(&b);
	assert_int_equal(memory_count(&b.s3, MEMORY_HEAD_OBJECT), 1);
	assert_int_equal(memory_bytes_put(&b.s3), 0);
	bench_end(&b);
	/* a change in part, by one PUT, and in parts */
	for (int i = 0; i < 2; i++) {
		bench_begin(&b, PLENTY);
		bench_open_new(&b, i ? 10 * PART : 10);
		bench_write(&b, 5, 3, 1);
		memory_fail_nth(&b.s3, i ? MEMORY_COMPLETE_UPLOAD : MEMORY_PUT_OBJECT, 1,
				MEMORY_AFTER, -ETIMEDOUT);
		assert_int_equal(bench_flush(&b), -ETIMEDOUT);
		bench_check_all(&b);
		bench_write(&b, 4, 1, 2);
		bench_flush_check(&b);
		bench_end(&b);
	}
}

/* Who reads it need not wait for the next flush. */
static void a_read_finds_out_too(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_open_new(&b, 10 * PART);
	bench_write(&b, 0, PART, 1); /* whole, so that nothing was read yet */
	memory_fail_nth(&b.s3, MEMORY_COMPLETE_UPLOAD, 1, MEMORY_AFTER, -ETIMEDOUT);
	assert_int_equal(bench_flush(&b), -ETIMEDOUT);
	bench_check_all(&b);
	assert_int_equal(memory_count(&b.s3, MEMORY_HEAD_OBJECT), 1);
	assert_true(content_dirty(b.content));
	bench_flush_check(&b);
	bench_end(&b);
}

/* What came in between is another client's, though it be of the same size. */
static void a_lost_answer_is_not_mixed_up(void **state)
{
	struct bench b;
	char theirs[10 * PART];

	(void)state;
	bench_begin(&b, PLENTY);
	bench_open_new(&b, sizeof(theirs));
	bench_write(&b, 5, 3, 1);
	memory_fail(&b.s3, MEMORY_COMPLETE_UPLOAD, 1, -ETIMEDOUT);
	assert_int_equal(bench_flush(&b), -ETIMEDOUT);
	memset(theirs, 'x', sizeof(theirs));
	memory_put(&b.s3, BUCKET, KEY, theirs, sizeof(theirs));
	assert_int_equal(bench_flush(&b), -ESTALE);
	assert_true(memory_is(&b.s3, BUCKET, KEY, theirs, sizeof(theirs)));
	bench_end(&b);
}

/* An empty file, made with O_EXCL, is a lock: one that is there is another's. */
static void an_empty_file_is_never_taken_for_ours(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, true);
	memory_fail(&b.s3, MEMORY_PUT_OBJECT, 1, -ETIMEDOUT);
	assert_int_equal(bench_flush(&b), -ETIMEDOUT);
	memory_put(&b.s3, BUCKET, KEY, "", 0);
	assert_int_equal(bench_flush(&b), -EEXIST);
	bench_end(&b);
}

static void an_upload_that_others_abort_is_told(void **state)
{
	struct upload_page page = {0};
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_create(&b, false);
	bench_append(&b, 3 * PART);
	assert_int_equal(multipart_wait(b.content->stream->upload, &b.call, 0), 0);
	assert_int_equal(
	    b.s3.store.list_uploads(&b.s3.store, &b.call, BUCKET, NULL, NULL, NULL, &page), 0);
	assert_int_equal(page.n, 1);
	assert_int_equal(
	    b.s3.store.abort_upload(&b.s3.store, &b.call, &bench_id, page.v[0].upload_id), 0);
	upload_page_deinit(&page);
	assert_int_equal(bench_flush(&b), -ESTALE);
	assert_int_equal(bench_flush(&b), -ESTALE);
	assert_true(content_dirty(b.content));
	bench_end(&b);
}

static void an_abort_that_fails_is_tried_again(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, PLENTY);
	bench_open_new(&b, 10 * PART);
	bench_append(&b, 5);
	memory_fail(&b.s3, MEMORY_COMPLETE_UPLOAD, 1, -EIO);
	memory_fail(&b.s3, MEMORY_ABORT_UPLOAD, 1, -EIO);
	assert_int_equal(bench_flush(&b), -EIO);
	assert_int_equal(memory_uploads(&b.s3, NULL), 1);
	bench_flush_check(&b);
	assert_int_equal(memory_uploads(&b.s3, NULL), 0);
	bench_end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_request_may_fail),
	    cmocka_unit_test(a_failed_part_is_told_by_the_next_write_and_the_flush),
	    cmocka_unit_test(a_flush_sends_again_what_nobody_was_told_of),
	    cmocka_unit_test(a_flush_that_fails_is_tried_again_with_what_is_missing),
	    cmocka_unit_test(after_a_failed_flush_more_may_be_written),
	    cmocka_unit_test(a_lost_answer_is_found_out),
	    cmocka_unit_test(a_read_finds_out_too),
	    cmocka_unit_test(a_lost_answer_is_not_mixed_up),
	    cmocka_unit_test(an_empty_file_is_never_taken_for_ours),
	    cmocka_unit_test(an_upload_that_others_abort_is_told),
	    cmocka_unit_test(an_abort_that_fails_is_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
