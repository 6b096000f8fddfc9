/* Multipart uploads of the store in memory. */
#include "bench.h"

#define PART_MIN 4

static const struct object_id id_x = {"b", "x"}, id_source = {"b", "source"};

static int setup(void **state)
{
	bench_setup(state);
	((struct bench *)*state)->s3.part_min = PART_MIN;
	return 0;
}

static char *begin_as(struct bench *b, const char *key, const struct put_params *params)
{
	char *id = NULL;

	assert_int_equal(
	    b->store->create_upload(b->store, &b->call, &(struct object_id){"b", key}, params, &id),
	    0);
	assert_non_null(id);
	return id;
}

static char *begin(struct bench *b, const char *key)
{
	return begin_as(b, key, NULL);
}

static int try_part(struct bench *b, const char *id, int number, const char *text, char **ret_etag)
{
	return b->store->upload_part(b->store, &b->call, &id_x, id, number, text, strlen(text),
				     ret_etag);
}

static char *part(struct bench *b, const char *id, int number, const char *text)
{
	char *etag = NULL;

	assert_int_equal(try_part(b, id, number, text, &etag), 0);
	return etag;
}

static int complete(struct bench *b, const char *id, char *const *etags, size_t n,
		    const struct put_params *params, struct object *ret_object)
{
	const char *texts[4] = {etags[0], n > 1 ? etags[1] : NULL, n > 2 ? etags[2] : NULL};

	return b->store->complete_upload(b->store, &b->call, &id_x, id, params, texts, n,
					 ret_object);
}

static int abort_it(struct bench *b, const char *id)
{
	return b->store->abort_upload(b->store, &b->call, &id_x, id);
}

static void parts_become_the_object_at_once(void **state)
{
	_cleanup_(object_deinit) struct object told = {0}, seen = {0};
	struct object_meta meta = {(char[]){"a"}, (char[]){"1"}};
	struct bench *b = *state;
	_cleanup_(freep) char *id = begin_as(
	    b, "x", &(struct put_params){.content_type = "t/t", .meta = &meta, .n_meta = 1});
	_cleanup_(freep) char *second = part(b, id, 2, "b"), *first = part(b, id, 1, "aaaa");

	assert_int_equal(memory_objects(&b->s3, "b"), 0);
	assert_int_equal(memory_uploads(&b->s3, "b"), 1);
	assert_int_equal(complete(b, id, (char *[]){first, second}, 2, NULL, &told), 0);
	assert_true(is_text(b, "x", "aaaab"));
	/* printf aaaa | md5sum, printf b | md5sum; both as bytes | md5sum */
	assert_string_equal(first, "\"74b87337454200d4d33f80c4663dc5e5\"");
	assert_string_equal(second, "\"92eb5ffee6ae2fec3ad71c777531578f\"");
	assert_string_equal(told.etag, "\"1c0de90ae8f336732437c692476f5803-2\"");
	assert_int_equal(told.mtime_ms, TEST_CLOCK_WALL_MS);
	assert_true(memory_stat(&b->s3, "b", "x", &seen));
	assert_string_equal(seen.etag, told.etag);
	assert_string_equal(seen.content_type, "t/t");
	assert_string_equal(object_meta_get(&seen, "a"), "1");
	assert_int_equal(seen.size, 5);
	assert_int_equal(memory_uploads(&b->s3, NULL), 0);
	assert_int_equal(memory_bytes_put(&b->s3), 5);
	assert_int_equal(complete(b, id, (char *[]){first, second}, 2, NULL, NULL), -ESTALE);
}

static void a_part_sent_again_replaces(void **state)
{
	struct bench *b = *state;
	_cleanup_(freep) char *id = begin(b, "x");
	_cleanup_(freep) char *old = part(b, id, 1, "old"), *new = part(b, id, 1, "new");

	assert_int_equal(complete(b, id, &old, 1, NULL, NULL), -EINVAL);
	assert_int_equal(memory_uploads(&b->s3, "b"), 1);
	assert_int_equal(complete(b, id, &new, 1, NULL, NULL), 0);
	assert_true(is_text(b, "x", "new"));
}

static void parts_have_rules(void **state)
{
	struct bench *b = *state;
	_cleanup_(freep) char *id = begin(b, "x");
	_cleanup_(freep) char *small = part(b, id, 1, "aaa"), *last = part(b, id, 3, "c");
	_cleanup_(freep) char *middle = NULL, *large = NULL;
	char *none = NULL;

	assert_int_equal(try_part(b, id, 0, "", &none), -EINVAL);
	assert_int_equal(try_part(b, id, S3_PARTS_MAX + 1, "", &none), -EINVAL);
	assert_int_equal(try_part(b, "none", 1, "", &none), -ESTALE);
	assert_null(none);
	/* 2 is missing; 1 is too small; and then all is well */
	assert_int_equal(complete(b, id, (char *[]){small, last, last}, 3, NULL, NULL), -EINVAL);
	middle = part(b, id, 2, "bbbb");
	assert_int_equal(complete(b, id, (char *[]){small, middle, last}, 3, NULL, NULL), -EINVAL);
	assert_int_equal(complete(b, id, (char *[]){small}, 0, NULL, NULL), -EINVAL);
	large = part(b, id, 1, "aaaa");
	assert_false(memory_has(&b->s3, "b", "x"));
	assert_int_equal(complete(b, id, (char *[]){large, middle, last}, 3, NULL, NULL), 0);
	assert_true(is_text(b, "x", "aaaabbbbc"));
}

static void a_completion_has_conditions(void **state)
{
	struct put_params new = {.if_none_match = true}, over = {.if_match = "\"other\""};
	_cleanup_(object_deinit) struct object seen = {0};
	struct bench *b = *state;
	_cleanup_(freep) char *id = begin(b, "x"), *etag = part(b, id, 1, "mine");

	put_text(b, "x", "theirs");
	assert_int_equal(complete(b, id, &etag, 1, &new, NULL), -EEXIST);
	assert_int_equal(complete(b, id, &etag, 1, &over, NULL), -ESTALE);
	assert_true(is_text(b, "x", "theirs"));
	assert_int_equal(memory_uploads(&b->s3, "b"), 1);
	assert_true(memory_stat(&b->s3, "b", "x", &seen));
	over.if_match = seen.etag;
	assert_int_equal(complete(b, id, &etag, 1, &over, NULL), 0);
	assert_true(is_text(b, "x", "mine"));
}

static void an_aborted_upload_is_gone(void **state)
{
	struct bench *b = *state;
	_cleanup_(freep) char *id = begin(b, "x"), *etag = part(b, id, 1, "mine");
	char *none = NULL;

	assert_int_equal(abort_it(b, id), 0);
	assert_int_equal(abort_it(b, id), 0);
	assert_int_equal(memory_uploads(&b->s3, NULL), 0);
	assert_int_equal(try_part(b, id, 2, "", &none), -ESTALE);
	assert_int_equal(complete(b, id, &etag, 1, NULL, NULL), -ESTALE);
	assert_int_equal(memory_objects(&b->s3, NULL), 0);
}

static int copy_range(struct bench *b, const char *id, int number, const char *etag,
		      uint64_t offset, uint64_t len, char **ret_etag)
{
	return b->store->copy_part(b->store, &b->call, &id_x, id, number, &id_source, etag, offset,
				   len, ret_etag);
}

static void parts_are_copied_from_an_object(void **state)
{
	_cleanup_(object_deinit) struct object source = {0};
	struct bench *b = *state;
	_cleanup_(freep) char *id = begin(b, "x"), *first = NULL, *second = NULL;
	char *none = NULL;

	assert_int_equal(copy_range(b, id, 1, NULL, 0, 1, &none), -ENOENT);
	put_text(b, "source", "0123456789");
	assert_true(memory_stat(&b->s3, "b", "source", &source));
	assert_int_equal(copy_range(b, id, 1, "\"other\"", 0, 1, &none), -ESTALE);
	assert_int_equal(copy_range(b, id, 1, NULL, 5, 6, &none), -EINVAL);
	assert_int_equal(copy_range(b, id, 1, NULL, 5, 0, &none), -EINVAL);
	assert_int_equal(copy_range(b, "none", 1, NULL, 0, 1, &none), -ESTALE);
	assert_int_equal(copy_range(b, id, 1, NULL, 0, S3_PART_MAX + 1, &none), -EFBIG);
	assert_null(none);
	assert_int_equal(copy_range(b, id, 1, source.etag, 2, 4, &first), 0);
	assert_int_equal(copy_range(b, id, 2, source.etag, 7, 3, &second), 0);
	put_text(b, "source", "gone");
	assert_int_equal(complete(b, id, (char *[]){first, second}, 2, NULL, NULL), 0);
	assert_true(is_text(b, "x", "2345789"));
}

static void a_range_may_cross_parts(void **state)
{
	_cleanup_(taken_deinit) struct taken taken = {0};
	struct bench *b = *state;
	_cleanup_(freep) char *id = begin(b, "x");
	_cleanup_(freep) char *first = part(b, id, 1, "0123"), *second = part(b, id, 2, "4567");
	_cleanup_(freep) char *third = part(b, id, 3, "89");

	assert_int_equal(complete(b, id, (char *[]){first, second, third}, 3, NULL, NULL), 0);
	for (uint64_t from = 0; from < 10; from++)
		for (uint64_t len = 1; len <= 10 - from; len++) {
			assert_int_equal(get(b, &b->call, "x", from, len, NULL, &taken), 0);
			assert_int_equal(taken.bytes.len, len);
			assert_memory_equal(taken.bytes.data, &"0123456789"[from], len);
		}
}

static void six_gigabytes_are_copied_in_parts(void **state)
{
	_cleanup_(object_deinit) struct object seen = {0};
	_cleanup_(freep) char *first = NULL, *second = NULL;
	struct bench *b = *state;
	_cleanup_(freep) char *id = begin(b, "x");
	const uint64_t half = UINT64_C(3) << 30;

	memory_put_zeros(&b->s3, "b", "source", 2 * half);
	assert_int_equal(copy_range(b, id, 1, NULL, 0, half, &first), 0);
	assert_int_equal(copy_range(b, id, 2, NULL, half, half, &second), 0);
	assert_int_equal(complete(b, id, (char *[]){first, second}, 2, NULL, NULL), 0);
	assert_true(memory_stat(&b->s3, "b", "x", &seen));
	assert_int_equal(seen.size, 2 * half);
}

static void no_bucket_no_upload(void **state)
{
	struct object_id elsewhere = {"none", "x"};
	struct bench *b = *state;
	struct store *s = b->store;
	struct upload_page page;
	const char *etag = "";
	char *text;

	assert_int_equal(s->create_upload(s, &b->call, &elsewhere, NULL, &text), -ENOENT);
	assert_int_equal(s->upload_part(s, &b->call, &elsewhere, "1", 1, "", 0, &text), -ENOENT);
	assert_int_equal(
	    s->copy_part(s, &b->call, &elsewhere, "1", 1, &id_source, NULL, 0, 1, &text), -ENOENT);
	assert_int_equal(s->complete_upload(s, &b->call, &elsewhere, "1", NULL, &etag, 1, NULL),
			 -ENOENT);
	assert_int_equal(s->abort_upload(s, &b->call, &elsewhere, "1"), -ENOENT);
	assert_int_equal(s->list_uploads(s, &b->call, "none", NULL, NULL, NULL, &page), -ENOENT);
}

/* "key number-of-upload" of all pages. */
static void assert_uploads(struct bench *b, const char *prefix, const char *expected)
{
	_cleanup_(buf_deinit) struct buf line = BUF_INIT;
	_cleanup_(upload_page_deinit) struct upload_page last = {0};

	do {
		struct upload_page page = {0};

		assert_int_equal(b->store->list_uploads(b->store, &b->call, "b", prefix,
							last.next_key, last.next_id, &page),
				 0);
		assert_true(page.n <= b->s3.uploads_size);
		upload_page_deinit(&last);
		last = page;
		for (size_t i = 0; i < page.n; i++) {
			assert_int_equal(page.v[i].initiated_ms, TEST_CLOCK_WALL_MS);
			assert_int_equal(buf_printf(&line, "%s %c ", page.v[i].key,
						    page.v[i].upload_id[strlen("upload-0000000")]),
					 0);
		}
	} while (last.next_key);
	assert_null(last.next_id);
	assert_string_equal(buf_str(&line), expected);
}

static void uploads_are_listed_by_key_in_pages(void **state)
{
	static const char *const keys[] = {"x", "a/2", "x", "a/1", "x", "a"};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		free(begin(b, keys[i]));
	for (b->s3.uploads_size = 1; b->s3.uploads_size < 8; b->s3.uploads_size++) {
		assert_uploads(b, NULL, "a 6 a/1 4 a/2 2 x 1 x 3 x 5 ");
		assert_uploads(b, "a/", "a/1 4 a/2 2 ");
		assert_uploads(b, "none", "");
	}
	/* they do not keep the bucket, and end with it */
	assert_int_equal(b->store->delete_bucket(b->store, &b->call, "b"), 0);
	assert_int_equal(memory_uploads(&b->s3, NULL), 0);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(parts_become_the_object_at_once),
	    test(a_part_sent_again_replaces),
	    test(parts_have_rules),
	    test(a_completion_has_conditions),
	    test(an_aborted_upload_is_gone),
	    test(parts_are_copied_from_an_object),
	    test(a_range_may_cross_parts),
	    test(six_gigabytes_are_copied_in_parts),
	    test(no_bucket_no_upload),
	    test(uploads_are_listed_by_key_in_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
