/* What a test may do to the calls of the store in memory; and many callers at once. */
#include "bench.h"

#include <stdatomic.h>

#define THREADS 4
#define ROUNDS  200

static int head(struct bench *b)
{
	struct object told = {0};
	int r = b->store->head_object(b->store, &b->call, &(struct object_id){"b", "x"}, &told);

	object_deinit(&told);
	return r;
}

static void the_nth_call_fails_before_it_is_done(void **state)
{
	struct bench *b = *state;

	memory_fail_nth(&b->s3, MEMORY_PUT_OBJECT, 2, MEMORY_BEFORE, -EIO);
	assert_int_equal(put(b, &b->call, "x", "1", NULL), 0);
	assert_int_equal(head(b), 0);
	assert_int_equal(put(b, &b->call, "x", "2", NULL), -EIO);
	assert_true(is_text(b, "x", "1"));
	assert_int_equal(put(b, &b->call, "x", "3", NULL), 0);
	assert_int_equal(memory_count(&b->s3, MEMORY_PUT_OBJECT), 3);
	assert_int_equal(memory_count(&b->s3, MEMORY_ANY), 4);
	memory_reset_counts(&b->s3);
	assert_int_equal(memory_count(&b->s3, MEMORY_ANY), 0);
	assert_int_equal(memory_bytes_put(&b->s3), 0);
}

static void the_nth_answer_is_lost(void **state)
{
	struct object told = {0};
	struct bench *b = *state;

	memory_fail_nth(&b->s3, MEMORY_ANY, 2, MEMORY_AFTER, -ETIMEDOUT);
	assert_int_equal(head(b), -ENOENT);
	assert_int_equal(b->store->put_object(b->store, &b->call, &(struct object_id){"b", "x"},
					      NULL, "1", 1, &told),
			 -ETIMEDOUT);
	assert_null(told.etag);
	assert_true(is_text(b, "x", "1"));
	assert_int_equal(head(b), 0);
}

static void faults_are_independent_and_can_be_taken_back(void **state)
{
	struct bench *b = *state;

	put_text(b, "x", "");
	memory_fail_nth(&b->s3, MEMORY_HEAD_OBJECT, 1, MEMORY_BEFORE, -EIO);
	memory_fail_nth(&b->s3, MEMORY_ANY, 3, MEMORY_BEFORE, -EAGAIN);
	assert_int_equal(head(b), -EIO);
	assert_int_equal(head(b), 0);
	assert_int_equal(head(b), -EAGAIN);
	memory_fail(&b->s3, MEMORY_HEAD_OBJECT, 2, -EACCES);
	memory_fail_nth(&b->s3, MEMORY_HEAD_OBJECT, 2, MEMORY_BEFORE, -EIO);
	memory_deny(&b->s3, "b", "x", -EPERM);
	assert_int_equal(head(b), -EACCES);
	memory_clear_faults(&b->s3);
	for (int i = 0; i < 5; i++)
		assert_int_equal(head(b), 0);
}

static void a_get_is_cut(void **state)
{
	_cleanup_(taken_deinit) struct taken taken = {0};
	struct bench *b = *state;

	put_text(b, "x", "0123456789");
	b->s3.get_size = 4;
	memory_cut(&b->s3, 2, 6, -EIO);
	memory_cut(&b->s3, 3, 0, -ETIMEDOUT);
	memory_cut(&b->s3, 4, 100, -ENOTCONN);
	assert_int_equal(get(b, &b->call, "x", 0, 10, NULL, &taken), 0);
	assert_int_equal(get(b, &b->call, "x", 1, 9, NULL, &taken), -EIO);
	assert_string_equal(buf_str(&taken.bytes), "123456");
	assert_int_equal(get(b, &b->call, "x", 0, 10, NULL, &taken), -ETIMEDOUT);
	assert_int_equal(taken.pieces, 0);
	assert_int_equal(get(b, &b->call, "x", 0, 10, NULL, &taken), -ENOTCONN);
	assert_string_equal(buf_str(&taken.bytes), "0123456789");
	assert_int_equal(get(b, &b->call, "x", 0, 10, NULL, &taken), 0);
}

static int refuse(void *data, enum memory_op op, enum memory_when when, const char *name)
{
	struct buf *trace = data;

	assert_int_equal(buf_printf(trace, "%d%d %s\n", (int)op, (int)when, name), 0);
	return when == MEMORY_AFTER ? -EIO : 0;
}

static void a_hook_sees_each_call(void **state)
{
	_cleanup_(buf_deinit) struct buf trace = BUF_INIT, expected = BUF_INIT;
	struct object_page page = {0};
	struct bench *b = *state;
	const char *key = "x";

	memory_hook(&b->s3, refuse, &trace);
	assert_int_equal(put(b, &b->call, "x", "", NULL), -EIO);
	assert_int_equal(
	    b->store->list_objects(b->store, &b->call, "b",
				   &(struct list_params){.prefix = "p/", .max_keys = 1}, &page),
	    -EIO);
	assert_int_equal(b->store->delete_objects(b->store, &b->call, "b", &key, NULL, 1), -EIO);
	memory_hook(&b->s3, NULL, NULL);
	assert_int_equal(
	    buf_printf(&expected, "%d0 b/x\n%d1 b/x\n%d0 b/p/\n%d1 b/p/\n%d0 b\n%d1 b\n",
		       MEMORY_PUT_OBJECT, MEMORY_PUT_OBJECT, MEMORY_LIST_OBJECTS,
		       MEMORY_LIST_OBJECTS, MEMORY_DELETE_OBJECTS, MEMORY_DELETE_OBJECTS),
	    0);
	assert_string_equal(buf_str(&trace), buf_str(&expected));
}

/* ---- calls that are held ---- */

struct job {
	struct bench *b;
	struct call call;
	pthread_t thread;
	struct taken taken;
	int r;
};

static void *run_get(void *data)
{
	struct job *job = data;

	job->r = get(job->b, &job->call, "x", 0, 10, NULL, &job->taken);
	return NULL;
}

static void start_get(struct job *job, struct bench *b, enum memory_when when, int64_t timeout_ms)
{
	*job = (struct job){.b = b};
	put_text(b, "x", "0123456789");
	b->s3.get_size = 4;
	memory_hold(&b->s3, MEMORY_GET_OBJECT, when);
	call_init(&job->call, NULL, &b->clock.clock, timeout_ms);
	assert_int_equal(pthread_create(&job->thread, NULL, run_get, job), 0);
	assert_true(memory_wait_held(&b->s3, MEMORY_GET_OBJECT, 1));
}

/* What it returned, with so many bytes taken. */
static void assert_ended(struct job *job, int r, size_t bytes)
{
	assert_int_equal(pthread_join(job->thread, NULL), 0);
	assert_int_equal(job->r, r);
	assert_int_equal(job->taken.bytes.len, bytes);
	taken_deinit(&job->taken);
	call_deinit(&job->call);
}

static void a_held_call_goes_on_when_released(void **state)
{
	static const enum memory_when places[] = {MEMORY_BEFORE, MEMORY_DURING, MEMORY_AFTER};
	struct job job;

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		start_get(&job, *state, places[i], CLOCK_NEVER);
		memory_release(&job.b->s3, MEMORY_GET_OBJECT);
		assert_ended(&job, 0, 10);
	}
}

static void a_held_call_ends_when_cancelled(void **state)
{
	struct job job;

	start_get(&job, *state, MEMORY_BEFORE, CLOCK_NEVER);
	call_cancel(&job.call);
	assert_ended(&job, -EINTR, 0);
	memory_release(&job.b->s3, MEMORY_GET_OBJECT);
	start_get(&job, *state, MEMORY_DURING, CLOCK_NEVER);
	call_cancel(&job.call);
	assert_ended(&job, -EINTR, 4);
}

static void a_held_call_ends_at_its_deadline(void **state)
{
	struct job job;

	start_get(&job, *state, MEMORY_DURING, 1000);
	test_clock_advance(&job.b->clock, 1000);
	assert_ended(&job, -ETIMEDOUT, 4);
}

static void a_call_that_has_ended_is_not_counted(void **state)
{
	struct bench *b = *state;
	struct call over;

	call_init(&over, NULL, &b->clock.clock, CLOCK_NEVER);
	call_cancel(&over);
	assert_int_equal(put(b, &over, "x", "", NULL), -EINTR);
	call_deinit(&over);
	call_init(&over, NULL, &b->clock.clock, 0);
	assert_int_equal(put(b, &over, "x", "", NULL), -ETIMEDOUT);
	call_deinit(&over);
	assert_int_equal(memory_count(&b->s3, MEMORY_ANY), 0);
	assert_int_equal(memory_objects(&b->s3, NULL), 0);
}

/* ---- many at once ---- */

struct worker {
	struct bench *b;
	char letter;
	atomic_uint *wrong;
	pthread_t thread;
};

static void expect(struct worker *w, bool holds)
{
	if (!holds)
		atomic_fetch_add(w->wrong, 1);
}

/* An upload of three parts of one letter. */
static void upload(struct worker *w, const struct object_id *id, const char *text)
{
	struct store *s = w->b->store;
	char *upload_id = NULL, *etags[3] = {0};

	expect(w, s->create_upload(s, &w->b->call, id, NULL, &upload_id) == 0);
	for (int i = 0; i < 3; i++)
		expect(w, s->upload_part(s, &w->b->call, id, upload_id, i + 1, text, 8,
					 &etags[i]) == 0);
	expect(w, s->complete_upload(s, &w->b->call, id, upload_id, NULL,
				     (const char *[]){etags[0], etags[1], etags[2]}, 3, NULL) == 0);
	for (int i = 0; i < 3; i++)
		free(etags[i]);
	free(upload_id);
}

/* Whatever is read is of one writer: 8 or 24 times one letter. */
static void read_whole(struct worker *w, const struct object_id *id)
{
	struct store *s = w->b->store;
	struct taken taken = {0};
	struct object told = {0};
	int r = s->get_object(s, &w->b->call, id,
			      &(struct get_params){.offset = 0,
						   .len = UINT64_MAX,
						   .if_match = NULL,
						   .sink = take,
						   .sink_data = &taken},
			      &told);

	expect(w, r == 0 || r == -ENOENT);
	if (r == 0) {
		expect(w, taken.bytes.len == told.size && (told.size == 8 || told.size == 24));
		expect(w, (told.size == 24) == (strstr(told.etag, "-3") != NULL));
		expect(w, strspn(buf_str(&taken.bytes), (char[]){taken.bytes.data[0], '\0'}) ==
			      told.size);
	}
	taken_deinit(&taken);
	object_deinit(&told);
}

static void list_all(struct worker *w)
{
	struct store *s = w->b->store;
	struct object_page page = {0};
	struct list_params params = {.prefix = "", .delimited = true, .max_keys = 10};

	expect(w, s->list_objects(s, &w->b->call, "b", &params, &page) == 0 && page.n <= 2);
	object_page_deinit(&page);
}

static void *work(void *data)
{
	struct worker *w = data;
	struct store *s = w->b->store;
	struct object_id own = {"b", (char[]){'d', '/', w->letter, '\0'}}, shared = {"b", "s"};
	char text[] = "########";

	memset(text, w->letter, strlen(text));
	for (int i = 0; i < ROUNDS; i++) {
		expect(w, s->put_object(s, &w->b->call, &shared, NULL, text, 8, NULL) == 0);
		read_whole(w, &shared);
		upload(w, &own, text);
		upload(w, &shared, text);
		read_whole(w, &shared);
		expect(w, s->copy_object(s, &w->b->call, &own, &(struct object_id){"b", "d/copy"},
					 &(struct copy_params){0}, NULL) == 0);
		list_all(w);
		expect(w, s->delete_object(s, &w->b->call, &own, NULL) == 0);
	}
	return NULL;
}

static void many_callers_see_whole_objects(void **state)
{
	struct worker workers[THREADS];
	struct bench *b = *state;
	atomic_uint wrong = 0;

	b->s3.part_min = 1;
	b->s3.get_size = 3;
	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.b = b, .letter = (char)('a' + i), .wrong = &wrong};
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
	assert_int_equal(wrong, 0);
	assert_int_equal(memory_objects(&b->s3, "b"), 2);
	assert_int_equal(memory_uploads(&b->s3, "b"), 0);
	assert_int_equal(memory_count(&b->s3, MEMORY_PUT_OBJECT), THREADS * ROUNDS);
	assert_int_equal(memory_bytes_put(&b->s3), THREADS * ROUNDS * (8 + 24 + 24));
}

#define test(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(the_nth_call_fails_before_it_is_done),
	    test(the_nth_answer_is_lost),
	    test(faults_are_independent_and_can_be_taken_back),
	    test(a_get_is_cut),
	    test(a_hook_sees_each_call),
	    test(a_held_call_goes_on_when_released),
	    test(a_held_call_ends_when_cancelled),
	    test(a_held_call_ends_at_its_deadline),
	    test(a_call_that_has_ended_is_not_counted),
	    test(many_callers_see_whole_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
