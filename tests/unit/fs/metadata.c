/*
 * What another client gave an object besides its bytes: kept when the file is changed in part,
 * touched or renamed; gone when it is written anew.
 */
#include "tree_bench.h"

#define SMALL 10
#define LARGE (20 * MIB)
#define PATH  "one/page.txt"
#define KEY   "page.txt"

/* ---- the other client ---- */

static struct object_meta meta[] = {{(char[]){"colour"}, (char[]){"blue"}},
				    {(char[]){"empty"}, (char[]){""}},
				    {(char[]){"mtime"}, (char[]){"1500000000.5"}},
				    {(char[]){"md5chksum"}, (char[]){"XUFAKrxLKna5cZ2REBfFkg=="}}};
static const struct object told = {
    .content_type = (char[]){"text/x-special"},
    .storage_class = (char[]){"STANDARD_IA"},
    .headers = {[OBJECT_CACHE_CONTROL] = (char[]){"max-age=60"},
		[OBJECT_CONTENT_DISPOSITION] = (char[]){"inline"},
		[OBJECT_CONTENT_ENCODING] = (char[]){"gzip"},
		[OBJECT_CONTENT_LANGUAGE] = (char[]){"de"},
		[OBJECT_EXPIRES] = (char[]){"Mon, 23 Nov 2026 12:00:00 GMT"},
		[OBJECT_WEBSITE_REDIRECT] = (char[]){"/other"}},
    .meta = meta,
    .n_meta = ARRAY_LEN(meta),
};

static void put_told(struct bench *b, const char *bucket, const char *key, size_t size)
{
	char *bytes = calloc(1, size + 1);

	assert_non_null(bytes);
	memory_put_as(&b->s3, bucket, key, bytes, size, &told);
	free(bytes);
	memory_reset_counts(&b->s3);
}

static void assert_value(const struct object *object, const char *name, const char *value)
{
	const char *found = object_meta_get(object, name);

	if (value ? !found || strcmp(found, value) != 0 : found != NULL)
		fail_msg("%s is %s, not %s", name, found ? found : "none", value ? value : "none");
}

/* redirect, mtime, md5: what stands there; NULL: nothing. */
static void assert_kept(struct bench *b, const char *bucket, const char *key, const char *redirect,
			const char *mtime, const char *md5)
{
	_cleanup_(object_deinit) struct object object = {0};

	assert_true(memory_stat(&b->s3, bucket, key, &object));
	assert_string_equal(object.content_type, told.content_type);
	assert_non_null(object.storage_class);
	assert_string_equal(object.storage_class, told.storage_class);
	for (size_t i = 0; i < OBJECT_WEBSITE_REDIRECT; i++) {
		assert_non_null(object.headers[i]);
		assert_string_equal(object.headers[i], told.headers[i]);
	}
	assert_int_equal(object.headers[OBJECT_WEBSITE_REDIRECT] != NULL, redirect != NULL);
	if (redirect)
		assert_string_equal(object.headers[OBJECT_WEBSITE_REDIRECT], redirect);
	assert_value(&object, "colour", "blue");
	assert_value(&object, "empty", "");
	assert_value(&object, "mtime", mtime);
	assert_value(&object, "md5chksum", md5);
}

static void assert_kept_with_other_bytes(struct bench *b)
{
	assert_kept(b, "one", KEY, "/other", NULL, NULL);
}

static void assert_new(struct bench *b)
{
	_cleanup_(object_deinit) struct object object = {0};

	assert_true(memory_stat(&b->s3, "one", KEY, &object));
	assert_string_equal(object.content_type, "text/plain");
	assert_null(object.storage_class);
	for (size_t i = 0; i < OBJECT_HEADERS; i++)
		assert_null(object.headers[i]);
	assert_int_equal(object.n_meta, 0);
}

/* ---- changes ---- */

static int set_attributes(struct bench *b, struct fs_file *file, int what, const struct stat *attr)
{
	struct stat now;
	int64_t valid_ms;

	return fs_setattr(b->fs, &b->call, ino_of(b, PATH), file, attr, what, &now, &valid_ms);
}

static int truncate_to(struct bench *b, size_t size)
{
	return set_attributes(b, NULL, FS_SET_SIZE, &(struct stat){.st_size = (off_t)size});
}

static int patch(struct bench *b, size_t size)
{
	struct fs_file *file = open_file(b, PATH, O_WRONLY);

	assert_int_equal(write_at(b, file, size / 2, "12345"), 0);
	return close_file(b, file);
}

static int append(struct bench *b, size_t size)
{
	struct fs_file *file = open_file(b, PATH, O_WRONLY | O_APPEND);

	assert_int_equal(write_at(b, file, size, "12345"), 0);
	return close_file(b, file);
}

static int shorten(struct bench *b, size_t size)
{
	return truncate_to(b, size - 1);
}

static int lengthen(struct bench *b, size_t size)
{
	return truncate_to(b, size + 1);
}

static int (*const changes[])(struct bench *b, size_t size) = {patch, append, shorten, lengthen};

/* What put_told() puts, and the file is open for writing, with a change that is not uploaded yet.
 */
static struct fs_file *put_told_and_change(struct bench *b, size_t size, size_t offset)
{
	struct fs_file *file;

	put_told(b, "one", KEY, size);
	file = open_file(b, PATH, O_WRONLY);
	assert_int_equal(write_at(b, file, offset, "12345"), 0);
	return file;
}

/* ---- changed in part ---- */

/* The GET of the bytes that stay tells all. */
static void a_small_file_that_is_changed_needs_no_request_more(void **state)
{
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		put_told(b, "one", KEY, SMALL);
		test_clock_advance(&b->clock, 2 * TTL_MS);
		assert_int_equal(changes[i](b, SMALL), 0);
		assert_kept_with_other_bytes(b);
		assert_int_equal(count(b, MEMORY_GET_OBJECT), 1);
		assert_int_equal(count(b, MEMORY_PUT_OBJECT), 1);
		assert_int_equal(count(b, MEMORY_HEAD_OBJECT), 0);
	}
}

static void a_large_file_that_is_changed_costs_a_head(void **state)
{
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		put_told(b, "one", KEY, LARGE);
		test_clock_advance(&b->clock, 2 * TTL_MS);
		assert_int_equal(changes[i](b, LARGE), 0);
		assert_kept_with_other_bytes(b);
		assert_int_equal(count(b, MEMORY_CREATE_UPLOAD), 1);
		assert_true(count(b, MEMORY_COPY_PART) > 0);
		assert_int_equal(count(b, MEMORY_HEAD_OBJECT), 1);
	}
}

static void what_was_read_is_not_asked_for(void **state)
{
	struct bench *b = *state;
	struct fs_file *file;
	char byte;
	size_t n;

	put_told(b, "one", KEY, LARGE);
	file = open_file(b, PATH, O_RDWR);
	assert_int_equal(fs_read(b->fs, &b->call, file, 0, 1, &byte, &n), 0);
	assert_int_equal(write_at(b, file, LARGE, "12345"), 0);
	assert_int_equal(close_file(b, file), 0);
	assert_kept_with_other_bytes(b);
	assert_int_equal(count(b, MEMORY_HEAD_OBJECT), 0);
}

static void it_is_asked_once(void **state)
{
	struct bench *b = *state;
	struct fs_file *file;

	put_told(b, "one", KEY, LARGE);
	file = open_file(b, PATH, O_WRONLY);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(write_at(b, file, 5, "12345"), 0);
		assert_int_equal(flush(b, file), 0);
		assert_kept_with_other_bytes(b);
	}
	release(b, file);
	assert_int_equal(count(b, MEMORY_HEAD_OBJECT), 1);
}

/* No byte of it stays, but nobody said that it is to be another file. */
static void a_file_that_is_written_over_is_the_same_file(void **state)
{
	static const size_t sizes[] = {5, 3, 0};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct fs_file *file;

		put_told(b, "one", KEY, sizes[i]);
		test_clock_advance(&b->clock, 2 * TTL_MS);
		file = open_file(b, PATH, O_WRONLY);
		assert_int_equal(write_at(b, file, 0, "12345"), 0);
		assert_int_equal(close_file(b, file), 0);
		assert_kept_with_other_bytes(b);
		assert_true(has_text(b, "one", KEY, "12345"));
		assert_int_equal(count(b, MEMORY_HEAD_OBJECT), 1);
		assert_int_equal(count(b, MEMORY_GET_OBJECT), 0);
	}
}

static void what_this_mount_wrote_is_known(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = create_file(b, "one/new.html");
	_cleanup_(object_deinit) struct object object = {0};

	assert_int_equal(write_at(b, file, 0, "12345"), 0);
	assert_int_equal(flush(b, file), 0);
	assert_int_equal(write_at(b, file, 0, "54321"), 0);
	assert_int_equal(close_file(b, file), 0);
	assert_true(has_text(b, "one", "new.html", "54321"));
	assert_true(memory_stat(&b->s3, "one", "new.html", &object));
	assert_string_equal(object.content_type, "text/html");
	assert_int_equal(count(b, MEMORY_HEAD_OBJECT), 0);
}

static void a_date_that_is_set_goes_with_the_rest(void **state)
{
	struct stat attr = {.st_mtim = {.tv_sec = 1600000000}};
	struct bench *b = *state;
	struct fs_file *file = put_told_and_change(b, SMALL, 5);

	assert_int_equal(set_attributes(b, file, FS_SET_MTIME, &attr), 0);
	assert_int_equal(close_file(b, file), 0);
	assert_kept(b, "one", KEY, "/other", "1600000000", NULL);
	assert_int_equal(count(b, MEMORY_HEAD_OBJECT), 0);
	assert_int_equal(count(b, MEMORY_COPY_OBJECT), 0);
}

/* ---- when something goes wrong ---- */

static void of_another_version_nothing_is_kept(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = put_told_and_change(b, LARGE, LARGE);

	put(b, "one", KEY, "theirs");
	assert_int_equal(flush(b, file), -ESTALE);
	assert_int_equal(count(b, MEMORY_CREATE_UPLOAD), 0);
	assert_true(has_text(b, "one", KEY, "theirs"));
	release(b, file);
}

static void of_a_removed_object_nothing_is_kept(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = put_told_and_change(b, LARGE, LARGE);

	assert_true(memory_remove(&b->s3, "one", KEY));
	assert_int_equal(flush(b, file), -ESTALE);
	assert_false(memory_has(&b->s3, "one", KEY));
	release(b, file);
}

static void what_cannot_be_asked_is_not_lost(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = put_told_and_change(b, LARGE, LARGE);

	memory_fail(&b->s3, MEMORY_HEAD_OBJECT, 1, -EAGAIN);
	assert_int_equal(flush(b, file), -EAGAIN);
	assert_int_equal(count(b, MEMORY_CREATE_UPLOAD), 0);
	assert_kept(b, "one", KEY, "/other", meta[2].value, meta[3].value);
	assert_int_equal(close_file(b, file), 0);
	assert_kept_with_other_bytes(b);
}

static void behind_a_lost_answer_it_is_known(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = put_told_and_change(b, SMALL, 5);

	memory_fail_nth(&b->s3, MEMORY_PUT_OBJECT, 1, MEMORY_AFTER, -ETIMEDOUT);
	assert_int_equal(flush(b, file), -ETIMEDOUT);
	assert_kept_with_other_bytes(b);
	assert_int_equal(write_at(b, file, 0, "54321"), 0);
	assert_int_equal(close_file(b, file), 0);
	assert_kept_with_other_bytes(b);
	assert_true(has_text(b, "one", KEY, "5432112345"));
	assert_int_equal(count(b, MEMORY_HEAD_OBJECT), 1); /* for what became of the first */
}

/* ---- written anew ---- */

static void a_file_that_is_truncated_at_its_opening_is_new(void **state)
{
	struct bench *b = *state;
	struct fs_file *file;

	put_told(b, "one", KEY, SMALL);
	file = open_file(b, PATH, O_WRONLY | O_TRUNC);
	assert_int_equal(write_at(b, file, 0, "12345"), 0);
	assert_int_equal(close_file(b, file), 0);
	assert_new(b);
	assert_int_equal(count(b, MEMORY_PUT_OBJECT), 1);
	assert_int_equal(count(b, MEMORY_HEAD_OBJECT) + count(b, MEMORY_GET_OBJECT), 0);
}

static void a_file_that_was_emptied_is_new(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = put_told_and_change(b, LARGE, 5);

	assert_int_equal(set_attributes(b, file, FS_SET_SIZE, &(struct stat){.st_size = 0}), 0);
	assert_int_equal(write_at(b, file, 0, "12345"), 0);
	assert_int_equal(close_file(b, file), 0);
	assert_new(b);
	assert_int_equal(count(b, MEMORY_HEAD_OBJECT) + count(b, MEMORY_GET_OBJECT), 0);
}

/* ---- touched and renamed ---- */

static void a_touched_file_keeps_all_but_the_date(void **state)
{
	struct bench *b = *state;

	put_told(b, "one", KEY, SMALL);
	assert_int_equal(
	    set_attributes(b, NULL, FS_SET_MTIME | FS_SET_MTIME_NOW, &(struct stat){0}), 0);
	assert_kept(b, "one", KEY, "/other", NULL, meta[3].value);
	assert_int_equal(count(b, MEMORY_HEAD_OBJECT), 1);
	assert_int_equal(count(b, MEMORY_COPY_OBJECT), 1);
}

static void a_renamed_file_keeps_all_but_the_redirect(void **state)
{
	struct bench *b = *state;

	put_told(b, "one", KEY, SMALL);
	assert_int_equal(rename_path(b, PATH, "one/other", 0), 0);
	assert_kept(b, "one", "other", NULL, meta[2].value, meta[3].value);
	/* what is known of it is the copy's */
	assert_int_equal(rename_path(b, "one/other", "two/other", 0), 0);
	assert_kept(b, "two", "other", NULL, meta[2].value, meta[3].value);
	assert_int_equal(count(b, MEMORY_HEAD_OBJECT), 0);
	assert_int_equal(count(b, MEMORY_COPY_OBJECT), 2);
}

static void so_does_what_is_in_a_renamed_directory(void **state)
{
	struct bench *b = *state;

	put_told(b, "one", "dir/a", SMALL);
	put_told(b, "one", "dir/sub/b", SMALL);
	assert_int_equal(rename_path(b, "one/dir", "two/dir", 0), 0);
	assert_kept(b, "two", "dir/a", NULL, meta[2].value, meta[3].value);
	assert_kept(b, "two", "dir/sub/b", NULL, meta[2].value, meta[3].value);
	assert_int_equal(count(b, MEMORY_HEAD_OBJECT), 0);
}

/* A copy in parts is a new object: all is given again. */
static void a_renamed_file_of_more_than_5_gib_keeps_all(void **state)
{
	struct bench *b = *state;
	struct put_params params = object_put_params(&told);
	struct copy_params copy = {.replace = &params};
	struct object_id id = {"one", KEY};

	b->s3.put_max = UINT64_MAX;
	memory_put_zeros(&b->s3, "one", KEY, S3_PUT_MAX + 1);
	assert_int_equal(b->s3.store.copy_object(&b->s3.store, &b->call, &id, &id, &copy, NULL), 0);
	b->s3.put_max = S3_PUT_MAX;
	assert_int_equal(rename_path(b, PATH, "two/other", 0), 0);
	assert_true(count(b, MEMORY_COPY_PART) > 0);
	assert_kept(b, "two", "other", "/other", meta[2].value, meta[3].value);
}

static void a_file_that_was_changed_keeps_all_when_it_is_renamed(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = put_told_and_change(b, SMALL, 5);

	assert_int_equal(rename_path(b, PATH, "one/other", 0), 0);
	assert_kept(b, "one", "other", NULL, NULL, NULL);
	assert_int_equal(write_at(b, file, 0, "54321"), 0);
	assert_int_equal(close_file(b, file), 0);
	assert_true(has_text(b, "one", "other", "5432112345"));
	/* what was known of it before the copy is known still */
	assert_kept(b, "one", "other", "/other", NULL, NULL);
	assert_int_equal(count(b, MEMORY_HEAD_OBJECT), 0);
}

/* ---- attrs=posix ---- */

static void assert_kept_posix(struct bench *b, const char *key, const char *md5)
{
	_cleanup_(object_deinit) struct object object = {0};

	assert_true(memory_stat(&b->s3, "one", key, &object));
	assert_string_equal(object.content_type, told.content_type);
	assert_string_equal(object.storage_class, told.storage_class);
	for (size_t i = 0; i < OBJECT_HEADERS; i++)
		assert_string_equal(object.headers[i], told.headers[i]);
	assert_value(&object, "colour", "blue");
	assert_value(&object, "md5chksum", md5);
	assert_non_null(object_meta_get(&object, "mtime"));
	assert_string_not_equal(object_meta_get(&object, "mtime"), meta[2].value);
}

static void posix_keeps_all_and_dates_it(void **state)
{
	static const size_t sizes[] = {SMALL, LARGE};
	struct bench *b = *state;

	for (size_t n = 0; n < ARRAY_LEN(sizes); n++) {
		for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
			put_told(b, "one", KEY, sizes[n]);
			test_clock_advance(&b->clock, 2 * TTL_MS);
			assert_int_equal(changes[i](b, sizes[n]), 0);
			assert_kept_posix(b, KEY, NULL);
		}
	}
}

static void posix_keeps_all_when_it_is_written_anew(void **state)
{
	struct bench *b = *state;
	struct fs_file *file;

	put_told(b, "one", KEY, SMALL);
	file = open_file(b, PATH, O_WRONLY | O_TRUNC);
	assert_int_equal(write_at(b, file, 0, "12345"), 0);
	assert_int_equal(close_file(b, file), 0);
	assert_kept_posix(b, KEY, NULL);
}

static void posix_keeps_all_of_what_is_touched(void **state)
{
	struct bench *b = *state;

	put_told(b, "one", KEY, SMALL);
	assert_int_equal(
	    set_attributes(b, NULL, FS_SET_MTIME | FS_SET_MTIME_NOW, &(struct stat){0}), 0);
	assert_kept_posix(b, KEY, meta[3].value);
	assert_int_equal(set_attributes(b, NULL, FS_SET_MODE, &(struct stat){.st_mode = 0600}), 0);
	assert_kept_posix(b, KEY, meta[3].value);
}

/* ---- main ---- */

static int setup_posix(void **state)
{
	struct bench *b;

	tree_setup(state);
	b = *state;
	fs_free(b->fs);
	b->options.posix = true;
	bench_mount(b);
	return 0;
}

#define TEST(name)  cmocka_unit_test_setup_teardown(name, tree_setup, tree_teardown)
#define POSIX(name) cmocka_unit_test_setup_teardown(name, setup_posix, tree_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_small_file_that_is_changed_needs_no_request_more),
	    TEST(a_large_file_that_is_changed_costs_a_head),
	    TEST(what_was_read_is_not_asked_for),
	    TEST(it_is_asked_once),
	    TEST(a_file_that_is_written_over_is_the_same_file),
	    TEST(what_this_mount_wrote_is_known),
	    TEST(a_date_that_is_set_goes_with_the_rest),
	    TEST(of_another_version_nothing_is_kept),
	    TEST(of_a_removed_object_nothing_is_kept),
	    TEST(what_cannot_be_asked_is_not_lost),
	    TEST(behind_a_lost_answer_it_is_known),
	    TEST(a_file_that_is_truncated_at_its_opening_is_new),
	    TEST(a_file_that_was_emptied_is_new),
	    TEST(a_touched_file_keeps_all_but_the_date),
	    TEST(a_renamed_file_keeps_all_but_the_redirect),
	    TEST(so_does_what_is_in_a_renamed_directory),
	    TEST(a_renamed_file_of_more_than_5_gib_keeps_all),
	    TEST(a_file_that_was_changed_keeps_all_when_it_is_renamed),
	    POSIX(posix_keeps_all_and_dates_it),
	    POSIX(posix_keeps_all_when_it_is_written_anew),
	    POSIX(posix_keeps_all_of_what_is_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
