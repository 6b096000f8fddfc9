/* Open files: what is read, what is written, and when it is an object. */
#include "tree_bench.h"

#include <pthread.h>
#include <sched.h>

#include "log_lines.h"

#define KEY  "file"
#define PATH "one/file"

static int setup(void **state)
{
	return tree_setup(state);
}

/* With an object. */
static int setup_file(void **state)
{
	tree_setup(state);
	put(*state, "one", KEY, "text");
	return 0;
}

static int teardown(void **state)
{
	return tree_teardown(state);
}

/* ---- shorthand ---- */

static bool is(struct bench *b, const char *text)
{
	return has_text(b, "one", KEY, text);
}

static void assert_read_fails(struct bench *b, struct fs_file *file, int error)
{
	char byte;
	size_t n = 42;

	assert_int_equal(fs_read(b->fs, &b->call, file, 0, 1, &byte, &n), error);
	assert_int_equal(n, 42);
}

/* Opens as the kernel does; true when it keeps its pages. */
static bool keeps(struct bench *b, int flags, struct fs_file **ret_file)
{
	bool keep;

	assert_int_equal(fs_open(b->fs, &b->call, ino_of(b, PATH), flags, ret_file, &keep), 0);
	return keep;
}

static struct stat attr_of(struct bench *b, uint64_t ino)
{
	struct stat attr;
	int64_t valid_ms;

	assert_int_equal(fs_getattr(b->fs, &b->call, ino, &attr, &valid_ms), 0);
	return attr;
}

static void expire(struct bench *b)
{
	test_clock_advance(&b->clock, TTL_MS);
}

/* ---- reading ---- */

static void a_file_is_its_object(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = open_file(b, PATH, O_RDONLY);
	char bytes[8];
	size_t n;

	assert_text(b, file, "text");
	assert_int_equal(fs_read(b->fs, &b->call, file, 1, 2, bytes, &n), 0);
	assert_int_equal(n, 2);
	assert_memory_equal(bytes, "ex", 2);
	assert_int_equal(fs_read(b->fs, &b->call, file, 3, 8, bytes, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(fs_read(b->fs, &b->call, file, 4, 8, bytes, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(fs_read(b->fs, &b->call, file, UINT64_C(1) << 40, 8, bytes, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(close_file(b, file), 0);
	assert_int_equal(count(b, MEMORY_PUT_OBJECT), 0);
}

static void an_empty_file_is_no_get(void **state)
{
	struct bench *b = *state;
	struct fs_file *file;

	put(b, "one", KEY, "");
	file = open_file(b, PATH, O_RDONLY);
	assert_text(b, file, "");
	release(b, file);
	assert_int_equal(count(b, MEMORY_GET_OBJECT), 0);
}

static void a_listed_file_is_read_with_one_get(void **state)
{
	struct bench *b = *state;
	struct fs_file *first, *second;

	names_at(b, "one");
	memory_reset_counts(&b->s3);
	first = open_file(b, PATH, O_RDONLY);
	second = open_file(b, PATH, O_RDONLY);
	assert_text(b, first, "text");
	assert_text(b, second, "text");
	release(b, first);
	assert_text(b, second, "text");
	release(b, second);
	assert_int_equal(count(b, MEMORY_ANY), 1);
	assert_int_equal(memory_bytes_got(&b->s3), 4);
}

static void an_error_of_reading_is_passed_on(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = open_file(b, PATH, O_RDONLY);

	memory_fail(&b->s3, MEMORY_GET_OBJECT, 1, -EACCES);
	assert_read_fails(b, file, -EACCES);
	assert_text(b, file, "text");
	release(b, file);
}

static void what_is_no_file_is_not_opened(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = NULL;
	uint64_t ino = ino_of(b, PATH);
	bool keep;

	put(b, "one", "dir/x", "");
	assert_int_equal(open_path(b, "one/dir", O_RDONLY, &file), -EISDIR);
	assert_int_equal(open_path(b, "one", O_RDONLY, &file), -EISDIR);
	assert_int_equal(open_path(b, "", O_RDONLY, &file), -EISDIR);
	assert_int_equal(fs_open(b->fs, &b->call, 77, O_RDONLY, &file, &keep), -ESTALE);
	assert_true(memory_remove(&b->s3, "one", KEY));
	expire(b);
	assert_int_equal(fs_open(b->fs, &b->call, ino, O_RDONLY, &file, &keep), -ENOENT);
	assert_null(file);
}

/* ---- the kernel's pages ---- */

static void the_pages_of_an_unchanged_file_are_kept(void **state)
{
	struct bench *b = *state;
	struct fs_file *file;

	assert_false(keeps(b, O_RDONLY, &file));
	release(b, file);
	assert_true(keeps(b, O_RDONLY, &file));
	release(b, file);
	expire(b);
	assert_true(keeps(b, O_RDWR, &file));
	release(b, file);
}

static void the_pages_of_a_replaced_file_are_not_kept(void **state)
{
	struct bench *b = *state;
	struct fs_file *file;

	assert_false(keeps(b, O_RDONLY, &file));
	release(b, file);
	put(b, "one", KEY, "other");
	expire(b);
	assert_false(keeps(b, O_RDONLY, &file));
	assert_text(b, file, "other");
	release(b, file);
	assert_true(keeps(b, O_RDONLY, &file));
	release(b, file);
}

static void the_pages_of_what_was_written_are_kept(void **state)
{
	struct bench *b = *state;
	struct fs_file *file, *again;

	assert_false(keeps(b, O_RDWR, &file));
	assert_int_equal(write_at(b, file, 0, "TEXT"), 0);
	assert_true(keeps(b, O_RDONLY, &again));
	release(b, again);
	assert_int_equal(close_file(b, file), 0);
	assert_true(keeps(b, O_RDONLY, &file));
	release(b, file);
	assert_false(keeps(b, O_RDWR | O_TRUNC, &file));
	assert_int_equal(write_at(b, file, 0, "short"), 0);
	assert_int_equal(close_file(b, file), 0);
	assert_true(keeps(b, O_RDONLY, &file));
	release(b, file);
}

/* The kernel has pages of what is lost. */
static void the_pages_of_what_was_lost_are_not_kept(void **state)
{
	struct bench *b = *state;
	struct fs_file *file;

	assert_false(keeps(b, O_RDWR, &file));
	assert_int_equal(write_at(b, file, 0, "TEXT"), 0);
	memory_fail(&b->s3, MEMORY_PUT_OBJECT, 1, -EACCES);
	assert_int_equal(close_file(b, file), -EACCES);
	assert_true(is(b, "text"));
	assert_false(keeps(b, O_RDONLY, &file));
	assert_text(b, file, "text");
	release(b, file);
}

/* ---- another client's replacement ---- */

static void a_replaced_file_is_stale_for_old_handles(void **state)
{
	struct bench *b = *state;
	struct fs_file *old = open_file(b, PATH, O_RDWR), *fresh;
	uint64_t ino = ino_of(b, PATH);

	put(b, "one", KEY, "another client's");
	expire(b);
	fresh = open_file(b, PATH, O_RDWR);
	/* else the kernel's pages of the one would be read by the other */
	assert_int_not_equal(ino_of(b, PATH), ino);
	assert_int_equal(attr_of(b, ino).st_size, strlen("text"));
	assert_text(b, fresh, "another client's");
	assert_read_fails(b, old, -ESTALE);
	assert_int_equal(write_at(b, old, 0, "X"), -ESTALE);
	assert_int_equal(close_file(b, old), 0);
	assert_int_equal(write_at(b, fresh, 0, "A"), 0);
	assert_int_equal(close_file(b, fresh), 0);
	assert_true(is(b, "Another client's"));
}

/* Within the TTL nobody was told: the bytes are the old ones, or there are none. */
static void a_replaced_file_is_never_a_mix(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = open_file(b, PATH, O_RDONLY);

	put(b, "one", KEY, "TEXT");
	assert_read_fails(b, file, -ESTALE);
	/* and the next open looks again, without waiting for the TTL */
	release(b, file);
	file = open_file(b, PATH, O_RDONLY);
	assert_text(b, file, "TEXT");
	release(b, file);
}

/* The kernel may ask for attributes before it reads. */
static void a_removed_file_is_stale_for_its_handles(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = open_file(b, PATH, O_RDONLY);
	uint64_t ino = ino_of(b, PATH);
	int64_t valid_ms;
	struct stat attr;

	assert_true(memory_remove(&b->s3, "one", KEY));
	expire(b);
	assert_int_equal(fs_getattr(b->fs, &b->call, ino, &attr, &valid_ms), -ESTALE);
	assert_read_fails(b, file, -ESTALE);
	release(b, file);
}

static void a_change_of_what_was_replaced_is_refused(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = open_file(b, PATH, O_RDWR);

	assert_text(b, file, "text");
	assert_int_equal(write_at(b, file, 0, "T"), 0);
	put(b, "one", KEY, "another client's");
	assert_int_equal(flush(b, file), -ESTALE);
	assert_true(is(b, "another client's"));
	release(b, file);
	assert_true(is(b, "another client's"));
	file = open_file(b, PATH, O_RDONLY);
	assert_text(b, file, "another client's");
	release(b, file);
}

static void a_whole_replacement_wins_over_anothers(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = open_file(b, PATH, O_WRONLY | O_TRUNC);

	assert_int_equal(write_at(b, file, 0, "mine"), 0);
	put(b, "one", KEY, "another client's");
	assert_int_equal(close_file(b, file), 0);
	assert_true(is(b, "mine"));
}

/* ---- new files ---- */

static void a_new_file_is_an_object_when_it_is_closed(void **state)
{
	struct bench *b = *state;
	_cleanup_(object_deinit) struct object object = {0};
	struct fs_file *file;
	struct stat attr;

	assert_false(exists(b, "one/a.txt"));
	memory_reset_counts(&b->s3);
	file = create_file(b, "one/a.txt");
	assert_true(fs_unwritten(file));
	assert_int_equal(write_at(b, file, 0, "new "), 0);
	assert_false(fs_unwritten(file));
	assert_int_equal(write_at(b, file, 4, "text"), 0);
	assert_text(b, file, "new text");
	attr = attr_of(b, ino_of(b, "one/a.txt"));
	assert_int_equal(attr.st_size, 8);
	assert_int_equal(attr.st_mode, S_IFREG | FILE_MODE);
	assert_int_equal(attr.st_mtim.tv_sec, TEST_CLOCK_WALL_MS / 1000);
	assert_int_equal(count(b, MEMORY_ANY), 0);
	assert_int_equal(close_file(b, file), 0);
	assert_int_equal(count(b, MEMORY_PUT_OBJECT), 1);
	assert_int_equal(count(b, MEMORY_ANY), 1);
	assert_true(has_text(b, "one", "a.txt", "new text"));
	assert_true(memory_stat(&b->s3, "one", "a.txt", &object));
	assert_string_equal(object.content_type, "text/plain");
	/* known without a request, and kept */
	assert_int_equal(attr_of(b, ino_of(b, "one/a.txt")).st_size, 8);
	assert_int_equal(count(b, MEMORY_ANY), 1);
}

static void a_new_file_may_be_empty(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = create_file(b, PATH);

	assert_text(b, file, "");
	assert_int_equal(close_file(b, file), 0);
	assert_true(is(b, ""));
	assert_int_equal(count(b, MEMORY_PUT_OBJECT), 1);
}

static void a_new_file_that_nobody_flushed_is_saved_by_its_release(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = create_file(b, PATH);

	assert_int_equal(write_at(b, file, 0, "text"), 0);
	release(b, file);
	assert_true(is(b, "text"));
}

static void a_new_file_that_cannot_be_saved_is_gone(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = create_file(b, PATH);

	assert_int_equal(write_at(b, file, 0, "text"), 0);
	memory_fail(&b->s3, MEMORY_PUT_OBJECT, 1, -EDQUOT);
	assert_int_equal(flush(b, file), -EDQUOT);
	assert_true(exists(b, PATH));
	assert_text(b, file, "text");
	release(b, file);
	assert_false(exists(b, PATH));
	assert_string_equal(names_at(b, "one"), "");
	assert_int_equal(count(b, MEMORY_PUT_OBJECT), 1); /* whoever closed it was told */
}

static void a_loss_that_nobody_was_told_of_is_logged(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = create_file(b, PATH);

	assert_int_equal(write_at(b, file, 0, "text"), 0);
	memory_fail(&b->s3, MEMORY_PUT_OBJECT, 1, -EDQUOT);
	log_lines_start(LOG_LEVEL_ERROR);
	release(b, file);
	assert_int_equal(log_lines_count("one/file"), 1);
	log_lines_stop();
	assert_false(exists(b, PATH));
}

static void an_exclusive_creation_finds_that_somebody_was_first(void **state)
{
	struct bench *b = *state;
	struct fs_file *file;

	assert_int_equal(create_path(b, PATH, O_RDWR | O_EXCL, &file), 0);
	assert_int_equal(write_at(b, file, 0, "mine"), 0);
	put(b, "one", KEY, "another client's");
	assert_int_equal(flush(b, file), -EEXIST);
	release(b, file);
	assert_true(is(b, "another client's"));
	file = open_file(b, PATH, O_RDONLY);
	assert_text(b, file, "another client's");
	release(b, file);
}

static void a_creation_does_not_lose_what_somebody_made_meanwhile(void **state)
{
	struct bench *b = *state;
	struct fs_file *file;

	assert_int_equal(create_path(b, PATH, O_RDWR, &file), 0);
	assert_int_equal(write_at(b, file, 0, "mine"), 0);
	put(b, "one", KEY, "another client's");
	assert_int_equal(flush(b, file), -EEXIST);
	release(b, file);
	assert_true(is(b, "another client's"));
}

static void a_creation_that_truncates_replaces(void **state)
{
	struct bench *b = *state;
	struct fs_file *file;

	assert_int_equal(create_path(b, PATH, O_RDWR | O_TRUNC, &file), 0);
	assert_int_equal(write_at(b, file, 0, "mine"), 0);
	put(b, "one", KEY, "another client's");
	assert_int_equal(close_file(b, file), 0);
	assert_true(is(b, "mine"));
}

static void two_creations_of_one_name_are_one_file(void **state)
{
	struct bench *b = *state;
	struct fs_file *first, *second, *third = NULL;

	assert_int_equal(create_path(b, PATH, O_RDWR | O_EXCL, &first), 0);
	assert_int_equal(write_at(b, first, 0, "text"), 0);
	assert_int_equal(create_path(b, PATH, O_RDWR | O_EXCL, &third), -EEXIST);
	assert_null(third);
	assert_int_equal(create_path(b, PATH, O_RDWR, &second), 0);
	assert_text(b, second, "text");
	assert_int_equal(create_path(b, PATH, O_RDWR | O_TRUNC, &third), 0);
	assert_text(b, first, "");
	assert_int_equal(write_at(b, second, 0, "last"), 0);
	assert_int_equal(close_file(b, first), 0);
	assert_int_equal(close_file(b, second), 0);
	assert_int_equal(close_file(b, third), 0);
	assert_true(is(b, "last"));
	assert_int_equal(count(b, MEMORY_PUT_OBJECT), 1);
}

/* The kernel still believes that there is none; this mount has seen it in a listing since. */
static void a_creation_of_what_is_known_opens_it(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = NULL;

	assert_false(exists(b, PATH));
	put(b, "one", KEY, "another client's");
	put(b, "one", "dir/x", "");
	names_at(b, "one");
	assert_int_equal(create_path(b, PATH, O_RDWR | O_EXCL, &file), -EEXIST);
	assert_int_equal(create_path(b, "one/dir", O_RDWR, &file), -EISDIR);
	assert_null(file);
	assert_int_equal(create_path(b, PATH, O_RDWR, &file), 0);
	assert_text(b, file, "another client's");
	assert_int_equal(close_file(b, file), 0);
	assert_true(is(b, "another client's"));
	assert_true(exists(b, "one/dir/x"));
}

/* ---- writing ---- */

static void what_was_written_is_read_by_every_handle(void **state)
{
	struct bench *b = *state;
	struct fs_file *writer = open_file(b, PATH, O_RDWR);
	struct fs_file *reader = open_file(b, PATH, O_RDONLY), *late;

	assert_int_equal(write_at(b, writer, 1, "EX"), 0);
	assert_text(b, writer, "tEXt");
	assert_text(b, reader, "tEXt");
	expire(b);
	late = open_file(b, PATH, O_RDONLY);
	assert_text(b, late, "tEXt");
	assert_true(is(b, "text"));
	assert_int_equal(flush(b, reader), 0); /* it wrote nothing */
	assert_true(is(b, "text"));
	assert_int_equal(flush(b, writer), 0);
	assert_true(is(b, "tEXt"));
	release(b, writer);
	release(b, late);
	release(b, reader);
	assert_int_equal(count(b, MEMORY_PUT_OBJECT), 1);
}

/* The kernel's idea of the end may be old where two handles write. */
static void appending_is_at_the_end_wherever_that_is(void **state)
{
	struct bench *b = *state;
	struct fs_file *one = open_file(b, PATH, O_WRONLY | O_APPEND);
	struct fs_file *two = open_file(b, PATH, O_RDWR | O_APPEND);

	assert_int_equal(write_at(b, one, 4, " one"), 0);
	assert_int_equal(write_at(b, two, 4, " two"), 0);
	assert_text(b, two, "text one two");
	/* but what is changed by a mapping is where it is mapped */
	assert_int_equal(fs_write_pages(b->fs, &b->call, two, 5, "ONE", 3), 0);
	release(b, one);
	release(b, two);
	assert_true(is(b, "text ONE two"));
}

static void a_flush_of_nothing_is_no_request(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = open_file(b, PATH, O_RDWR);
	size_t sent = count(b, MEMORY_ANY);

	assert_false(fs_unwritten(file));
	assert_int_equal(flush(b, file), 0);
	assert_int_equal(fs_fsync(b->fs, &b->call, file), 0);
	release(b, file);
	assert_int_equal(count(b, MEMORY_ANY), sent);
}

static void writing_goes_on_after_fsync(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = create_file(b, PATH);

	assert_int_equal(write_at(b, file, 0, "one"), 0);
	assert_int_equal(fs_fsync(b->fs, &b->call, file), 0);
	assert_true(is(b, "one"));
	assert_int_equal(write_at(b, file, 3, "two"), 0);
	assert_int_equal(fs_fsync(b->fs, &b->call, file), 0);
	assert_true(is(b, "onetwo"));
	assert_int_equal(write_at(b, file, 0, "ONE"), 0);
	assert_int_equal(close_file(b, file), 0);
	assert_true(is(b, "ONEtwo"));
}

static void fsync_by_a_reader_saves_what_others_wrote(void **state)
{
	struct bench *b = *state;
	struct fs_file *writer = open_file(b, PATH, O_RDWR);
	struct fs_file *reader = open_file(b, PATH, O_RDONLY);

	assert_int_equal(write_at(b, writer, 0, "TEXT"), 0);
	assert_int_equal(fs_fsync(b->fs, &b->call, reader), 0);
	assert_true(is(b, "TEXT"));
	release(b, reader);
	release(b, writer);
}

static void truncation_on_open_leaves_the_object_until_the_flush(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = open_file(b, PATH, O_WRONLY | O_TRUNC);

	assert_true(fs_unwritten(file));
	assert_text(b, file, "");
	assert_int_equal(attr_of(b, ino_of(b, PATH)).st_size, 0);
	assert_true(is(b, "text"));
	assert_int_equal(write_at(b, file, 0, "new"), 0);
	assert_true(is(b, "text"));
	assert_int_equal(close_file(b, file), 0);
	assert_true(is(b, "new"));
}

static void truncation_by_a_reader_is_none(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = open_file(b, PATH, O_RDONLY | O_TRUNC);

	assert_text(b, file, "text");
	release(b, file);
	assert_true(is(b, "text"));
}

static void a_failed_flush_can_be_tried_again(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = open_file(b, PATH, O_RDWR | O_TRUNC);

	assert_int_equal(write_at(b, file, 0, "new"), 0);
	memory_fail(&b->s3, MEMORY_PUT_OBJECT, 2, -EAGAIN);
	assert_int_equal(flush(b, file), -EAGAIN);
	assert_int_equal(fs_fsync(b->fs, &b->call, file), -EAGAIN);
	assert_true(is(b, "text"));
	assert_text(b, file, "new");
	assert_int_equal(write_at(b, file, 3, "er"), 0);
	assert_int_equal(flush(b, file), 0);
	assert_true(is(b, "newer"));
	release(b, file);
	assert_true(is(b, "newer"));
}

static void a_failed_overwrite_leaves_the_old_object(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = open_file(b, PATH, O_RDWR);

	assert_int_equal(write_at(b, file, 4, " and more"), 0);
	memory_fail(&b->s3, MEMORY_PUT_OBJECT, 100, -EACCES);
	assert_int_equal(flush(b, file), -EACCES);
	assert_int_equal(attr_of(b, ino_of(b, PATH)).st_size, 13);
	release(b, file);
	memory_clear_faults(&b->s3);
	assert_true(is(b, "text"));
	assert_int_equal(attr_of(b, ino_of(b, PATH)).st_size, 4);
}

/* The kernel then asks again at the next look, when the old object may be back. */
static void attributes_of_what_is_unsaved_are_not_kept(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = open_file(b, PATH, O_RDWR);
	uint64_t ino = ino_of(b, PATH);
	int64_t valid_ms;
	struct stat attr;

	assert_int_equal(write_at(b, file, 4, " and more"), 0);
	assert_int_equal(fs_getattr(b->fs, &b->call, ino, &attr, &valid_ms), 0);
	assert_int_equal(attr.st_size, 13);
	assert_int_equal(valid_ms, 0);
	assert_int_equal(close_file(b, file), 0);
	assert_int_equal(fs_getattr(b->fs, &b->call, ino, &attr, &valid_ms), 0);
	assert_int_equal(valid_ms, TTL_MS);
}

static void an_interrupted_flush_is_done_by_the_release(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = open_file(b, PATH, O_RDWR | O_TRUNC);

	assert_int_equal(write_at(b, file, 0, "new"), 0);
	memory_fail(&b->s3, MEMORY_PUT_OBJECT, 1, -EINTR);
	assert_int_equal(flush(b, file), -EINTR);
	release(b, file);
	assert_true(is(b, "new"));
}

static void handles_close_in_any_order(void **state)
{
	static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
					{1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct fs_file *files[3];
		char text[8];

		files[0] = open_file(b, PATH, O_RDWR);
		files[1] = open_file(b, PATH, O_WRONLY);
		files[2] = open_file(b, PATH, O_RDONLY);
		snprintf(text, sizeof(text), "a%zu", i);
		assert_int_equal(write_at(b, files[0], 0, text), 0);
		snprintf(text, sizeof(text), "b%zu", i);
		assert_int_equal(write_at(b, files[1], 2, text), 0);
		for (int k = 0; k < 3; k++)
			assert_int_equal(close_file(b, files[orders[i][k]]), 0);
		snprintf(text, sizeof(text), "a%zub%zu", i, i);
		assert_true(is(b, text));
	}
	/* closed without a flush, the last one saves */
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct fs_file *files[3];
		char text[8];

		for (int k = 0; k < 3; k++)
			files[k] = open_file(b, PATH, k == 2 ? O_RDONLY : O_RDWR);
		snprintf(text, sizeof(text), "c%zu", i);
		assert_int_equal(write_at(b, files[0], 0, text), 0);
		for (int k = 0; k < 3; k++)
			release(b, files[orders[i][k]]);
		snprintf(text, sizeof(text), "c%zub5", i);
		assert_true(is(b, text));
	}
}

/* One close failed and told so; what another handle then saves is saved. */
static void a_later_handle_saves_what_an_earlier_could_not(void **state)
{
	struct bench *b = *state;
	struct fs_file *first = open_file(b, PATH, O_RDWR), *second;

	assert_int_equal(write_at(b, first, 0, "T"), 0);
	second = open_file(b, PATH, O_RDWR);
	memory_fail(&b->s3, MEMORY_PUT_OBJECT, 1, -EAGAIN);
	assert_int_equal(close_file(b, first), -EAGAIN);
	assert_text(b, second, "Text");
	assert_int_equal(close_file(b, second), 0);
	assert_true(is(b, "Text"));
}

/* The second part is read from memory until it is sent; then the upload is completed. */
static void read_until_uploaded(struct bench *b, struct fs_file *file, size_t uploads)
{
	char byte;
	size_t n;

	while (count(b, MEMORY_COMPLETE_UPLOAD) < uploads) {
		assert_int_equal(fs_read(b->fs, &b->call, file, 9 * MIB, 1, &byte, &n), 0);
		sched_yield();
	}
}

/* It is longer than two parts: what is read of it is uploaded first. */
static void a_long_new_file_can_be_read_before_it_is_flushed(void **state)
{
	const size_t size = 20 * MIB;
	struct bench *b = *state;
	char *bytes = calloc(1, size), byte;
	struct fs_file *file = create_file(b, PATH);
	struct fs_entry entry;
	size_t n, uploads;

	assert_non_null(bytes);
	memset(bytes, 'x', size);
	assert_int_equal(fs_write(b->fs, &b->call, file, 0, bytes, size), 0);
	read_until_uploaded(b, file, 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(fs_read(b->fs, &b->call, file, 9 * MIB, 1, &byte, &n), 0);
		assert_int_equal(byte, 'x');
	}
	assert_int_equal(find(b, PATH, &entry), 0);
	assert_int_equal(entry.attr.st_size, size);
	assert_int_equal(write_at(b, file, 1, "y"), 0);
	assert_int_equal(close_file(b, file), 0);
	bytes[1] = 'y';
	assert_true(memory_is(&b->s3, "one", KEY, bytes, size));
	assert_int_equal(unlink_file(b, PATH), 0);
	/* unlinked without a flush, it is in S3 no more */
	uploads = count(b, MEMORY_COMPLETE_UPLOAD);
	file = create_file(b, PATH);
	assert_int_equal(fs_write(b->fs, &b->call, file, 0, bytes, size), 0);
	read_until_uploaded(b, file, uploads + 1);
	assert_int_equal(unlink_file(b, PATH), 0);
	release(b, file);
	assert_int_equal(memory_objects(&b->s3, NULL), 0);
	free(bytes);
}

/* ---- unlinked and open ---- */

static void a_new_file_goes_on_when_it_is_unlinked(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = create_file(b, PATH);
	struct stat attr;
	uint64_t ino = ino_of(b, PATH);

	assert_int_equal(write_at(b, file, 0, "temporary"), 0);
	assert_int_equal(unlink_file(b, PATH), 0);
	assert_text(b, file, "temporary");
	assert_int_equal(write_at(b, file, 0, "TEMPORARY"), 0);
	assert_text(b, file, "TEMPORARY");
	attr = attr_of(b, ino);
	assert_int_equal(attr.st_nlink, 0);
	assert_int_equal(attr.st_size, 9);
	assert_int_equal(fs_fsync(b->fs, &b->call, file), 0);
	assert_int_equal(close_file(b, file), 0);
	assert_int_equal(memory_objects(&b->s3, NULL), 0);
	assert_false(exists(b, PATH));
}

static void a_file_that_was_read_goes_on_when_it_is_unlinked(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = open_file(b, PATH, O_RDWR);
	int r;

	assert_text(b, file, "text");
	assert_int_equal(write_at(b, file, 0, "T"), 0);
	assert_int_equal(unlink_file(b, PATH), 0);
	assert_int_equal(strlen(text_of(b, file, &r)), r == 0 ? 4 : 0);
	assert_true(r == 0 || r == -ESTALE);
	assert_int_equal(close_file(b, file), 0);
	assert_int_equal(memory_objects(&b->s3, NULL), 0);
}

static void what_is_not_at_hand_of_an_unlinked_file_is_stale(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = open_file(b, PATH, O_RDONLY);

	assert_int_equal(unlink_file(b, PATH), 0);
	assert_read_fails(b, file, -ESTALE);
	release(b, file);
}

static void an_unlinked_name_can_be_made_again(void **state)
{
	struct bench *b = *state;
	struct fs_file *old = open_file(b, PATH, O_RDWR), *fresh;

	assert_text(b, old, "text");
	assert_int_equal(write_at(b, old, 0, "old!"), 0);
	assert_int_equal(unlink_file(b, PATH), 0);
	fresh = create_file(b, PATH);
	assert_int_equal(write_at(b, fresh, 0, "fresh"), 0);
	assert_int_equal(close_file(b, old), 0);
	assert_text(b, fresh, "fresh");
	assert_false(memory_has(&b->s3, "one", KEY));
	assert_int_equal(close_file(b, fresh), 0);
	assert_true(is(b, "fresh"));
}

/* A close is at its upload while the file is unlinked. */

struct unlinking {
	struct bench *b;
	uint64_t parent;
	pthread_t thread;
	int r;
};

static void *run_unlink(void *data)
{
	struct unlinking *u = data;
	struct call call;

	call_init(&call, NULL, &u->b->clock.clock, CLOCK_NEVER);
	u->r = fs_unlink(u->b->fs, &call, u->parent, KEY);
	call_deinit(&call);
	return NULL;
}

struct flushing {
	struct bench *b;
	struct fs_file *file;
	pthread_t thread;
	int r;
};

static void *run_flush(void *data)
{
	struct flushing *f = data;
	struct call call;

	call_init(&call, NULL, &f->b->clock.clock, CLOCK_NEVER);
	f->r = fs_flush(f->b->fs, &call, f->file);
	call_deinit(&call);
	return NULL;
}

static void an_upload_under_way_does_not_bring_back_what_is_unlinked(void **state)
{
	struct bench *b = *state;
	struct unlinking unlinking = {.b = b, .parent = ino_of(b, "one")};
	struct flushing flushing = {.b = b};

	for (int i = 0; i < 2; i++) {
		/* a new file, and one that is there */
		flushing.file = i ? open_file(b, PATH, O_RDWR) : create_file(b, PATH);
		assert_int_equal(write_at(b, flushing.file, 0, "text"), 0);
		memory_hold(&b->s3, MEMORY_PUT_OBJECT, MEMORY_BEFORE);
		assert_int_equal(pthread_create(&flushing.thread, NULL, run_flush, &flushing), 0);
		assert_true(memory_wait_held(&b->s3, MEMORY_PUT_OBJECT, 1));
		assert_int_equal(pthread_create(&unlinking.thread, NULL, run_unlink, &unlinking),
				 0);
		memory_release(&b->s3, MEMORY_PUT_OBJECT);
		assert_int_equal(pthread_join(flushing.thread, NULL), 0);
		assert_int_equal(pthread_join(unlinking.thread, NULL), 0);
		assert_int_equal(flushing.r, 0);
		assert_int_equal(unlinking.r, 0);
		assert_false(memory_has(&b->s3, "one", KEY));
		release(b, flushing.file);
		assert_false(exists(b, PATH));
		put(b, "one", KEY, "there");
		expire(b);
	}
}

/* ---- setattr ---- */

static int set(struct bench *b, const char *path, struct fs_file *file, int what, struct stat attr)
{
	struct stat now;
	int64_t valid_ms;

	return fs_setattr(b->fs, &b->call, ino_of(b, path), file, &attr, what, &now, &valid_ms);
}

static void truncate_by_path_is_uploaded_at_once(void **state)
{
	struct bench *b = *state;

	assert_int_equal(set(b, PATH, NULL, FS_SET_SIZE, (struct stat){.st_size = 2}), 0);
	assert_true(is(b, "te"));
	assert_int_equal(set(b, PATH, NULL, FS_SET_SIZE, (struct stat){.st_size = 4}), 0);
	assert_true(memory_is(&b->s3, "one", KEY, "te\0\0", 4));
	assert_int_equal(attr_of(b, ino_of(b, PATH)).st_size, 4);
	assert_int_equal(set(b, PATH, NULL, FS_SET_SIZE, (struct stat){.st_size = 0}), 0);
	assert_true(is(b, ""));
	memory_fail(&b->s3, MEMORY_PUT_OBJECT, 1, -EACCES);
	assert_int_equal(set(b, PATH, NULL, FS_SET_SIZE, (struct stat){.st_size = 5}), -EACCES);
	assert_true(is(b, ""));
	assert_int_equal(attr_of(b, ino_of(b, PATH)).st_size, 0);
	put(b, "one", "dir/x", "");
	assert_int_equal(set(b, "one/dir", NULL, FS_SET_SIZE, (struct stat){0}), -EISDIR);
}

static void truncate_by_handle_is_uploaded_by_its_flush(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = open_file(b, PATH, O_RDWR);

	assert_int_equal(set(b, PATH, file, FS_SET_SIZE, (struct stat){.st_size = 2}), 0);
	assert_text(b, file, "te");
	assert_int_equal(attr_of(b, ino_of(b, PATH)).st_size, 2);
	assert_true(is(b, "text"));
	assert_int_equal(write_at(b, file, 4, "end"), 0);
	assert_int_equal(close_file(b, file), 0);
	assert_true(memory_is(&b->s3, "one", KEY, "te\0\0end", 7));
}

static void truncate_of_an_open_file_changes_it_for_all(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = open_file(b, PATH, O_RDWR);

	assert_int_equal(write_at(b, file, 0, "TEXT"), 0);
	assert_int_equal(set(b, PATH, NULL, FS_SET_SIZE, (struct stat){.st_size = 2}), 0);
	assert_text(b, file, "TE");
	assert_true(is(b, "TE"));
	assert_int_equal(close_file(b, file), 0);
	assert_true(is(b, "TE"));
}

static void a_truncate_by_a_stale_handle_is_refused(void **state)
{
	struct bench *b = *state;
	struct fs_file *old = open_file(b, PATH, O_RDWR), *fresh;

	put(b, "one", KEY, "another client's");
	expire(b);
	fresh = open_file(b, PATH, O_RDONLY);
	assert_int_equal(set(b, PATH, old, FS_SET_SIZE, (struct stat){0}), -ESTALE);
	release(b, old);
	release(b, fresh);
	assert_true(is(b, "another client's"));
}

static void a_change_that_changes_nothing_succeeds(void **state)
{
	struct bench *b = *state;
	uint64_t ino = ino_of(b, PATH);
	struct stat now = attr_of(b, ino), attr = now;
	size_t sent = count(b, MEMORY_ANY);
	int all = FS_SET_MODE | FS_SET_UID | FS_SET_GID | FS_SET_MTIME | FS_SET_ATIME;

	assert_int_equal(set(b, PATH, NULL, all, now), 0);
	attr.st_mode ^= 0100;
	assert_int_equal(set(b, PATH, NULL, FS_SET_MODE, attr), -EPERM);
	attr.st_uid++;
	assert_int_equal(set(b, PATH, NULL, FS_SET_UID, attr), -EPERM);
	attr.st_gid++;
	assert_int_equal(set(b, PATH, NULL, FS_SET_GID, attr), -EPERM);
	attr.st_mtim.tv_nsec++;
	assert_int_equal(set(b, PATH, NULL, FS_SET_MTIME, attr), -EPERM);
	assert_int_equal(set(b, PATH, NULL, FS_SET_ATIME, attr), 0);
	assert_int_equal(count(b, MEMORY_ANY), sent);
	now = attr_of(b, ino);
	assert_int_equal(now.st_mode, S_IFREG | FILE_MODE);
}

static void a_refused_change_changes_nothing_else(void **state)
{
	struct bench *b = *state;
	struct stat attr = {.st_size = 0, .st_mode = 0777};

	assert_int_equal(set(b, PATH, NULL, FS_SET_SIZE | FS_SET_MODE, attr), -EPERM);
	assert_true(is(b, "text"));
}

static void touch_is_a_copy_onto_itself(void **state)
{
	struct bench *b = *state;
	char name[] = "owner", value[] = "anne";
	struct object_meta meta = {name, value};
	char type[] = "text/x-special";
	_cleanup_(object_deinit) struct object object = {0};
	struct stat before;
	struct fs_file *file;

	memory_put_as(&b->s3, "one", KEY, "text", 4,
		      &(struct object){.content_type = type, .meta = &meta, .n_meta = 1});
	file = open_file(b, PATH, O_RDONLY);
	assert_text(b, file, "text");
	before = attr_of(b, ino_of(b, PATH));
	test_clock_advance(&b->clock, 5000);
	memory_reset_counts(&b->s3);
	assert_int_equal(set(b, PATH, NULL, FS_SET_MTIME_NOW | FS_SET_ATIME, (struct stat){0}), 0);
	assert_int_equal(count(b, MEMORY_COPY_OBJECT), 1);
	assert_int_equal(attr_of(b, ino_of(b, PATH)).st_mtim.tv_sec, before.st_mtim.tv_sec + 5);
	assert_true(memory_stat(&b->s3, "one", KEY, &object));
	assert_string_equal(object.content_type, "text/x-special");
	assert_string_equal(object_meta_get(&object, "owner"), "anne");
	assert_true(is(b, "text"));
	/* handles and pages are still good */
	assert_text(b, file, "text");
	release(b, file);
	assert_true(keeps(b, O_RDONLY, &file));
	assert_text(b, file, "text");
	release(b, file);
	put(b, "one", "dir/x", "");
	assert_int_equal(set(b, "one/dir", NULL, FS_SET_MTIME_NOW, (struct stat){0}), -EPERM);
}

static void touch_of_what_is_not_uploaded_yet_is_no_request(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = create_file(b, PATH);
	size_t sent = count(b, MEMORY_ANY);

	assert_int_equal(set(b, PATH, file, FS_SET_MTIME_NOW | FS_SET_ATIME, (struct stat){0}), 0);
	assert_int_equal(count(b, MEMORY_ANY), sent);
	assert_int_equal(close_file(b, file), 0);
	assert_true(is(b, ""));
}

static void a_date_set_while_writing_goes_with_the_upload(void **state)
{
	struct bench *b = *state;
	_cleanup_(object_deinit) struct object object = {0};
	struct fs_file *file = create_file(b, "one/a.txt");
	struct stat attr = {.st_mtim = {.tv_sec = 1234567890, .tv_nsec = 5}};

	assert_int_equal(write_at(b, file, 0, "text"), 0);
	assert_int_equal(set(b, "one/a.txt", file, FS_SET_MTIME, attr), 0);
	assert_int_equal(attr_of(b, ino_of(b, "one/a.txt")).st_mtim.tv_sec, 1234567890);
	assert_int_equal(close_file(b, file), 0);
	assert_true(memory_stat(&b->s3, "one", "a.txt", &object));
	assert_string_equal(object_meta_get(&object, "mtime"), "1234567890.000000005");
	assert_string_equal(object.content_type, "text/plain");
}

static void the_type_is_by_the_name_when_it_is_written_anew(void **state)
{
	struct bench *b = *state;
	_cleanup_(object_deinit) struct object object = {0};
	struct fs_file *file;

	put(b, "one", "a.html", "old");
	file = open_file(b, "one/a.html", O_RDWR | O_TRUNC);
	assert_int_equal(write_at(b, file, 0, "new"), 0);
	assert_int_equal(close_file(b, file), 0);
	assert_true(memory_stat(&b->s3, "one", "a.html", &object));
	assert_string_equal(object.content_type, "text/html");
}

static void the_date_is_the_servers_when_it_is_uploaded(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = open_file(b, PATH, O_RDWR);
	uint64_t ino = ino_of(b, PATH);
	struct stat attr = attr_of(b, ino);

	test_clock_advance(&b->clock, 10000);
	assert_int_equal(write_at(b, file, 0, "T"), 0);
	assert_int_equal(attr_of(b, ino).st_mtim.tv_sec, attr.st_mtim.tv_sec + 10);
	test_clock_advance(&b->clock, 10000);
	assert_int_equal(close_file(b, file), 0);
	assert_int_equal(attr_of(b, ino).st_mtim.tv_sec, attr.st_mtim.tv_sec + 20);
}

/* ---- attributes ---- */

static void an_object_tells_its_attributes(void **state)
{
	struct bench *b = *state;
	char name[] = "owner", value[] = "anne", type[] = "text/x-special", class[] = "GLACIER_IR",
	     gzip[] = "gzip";
	struct object_meta meta = {name, value};
	_cleanup_(buf_deinit) struct buf text = BUF_INIT, list = BUF_INIT;
	uint64_t ino;
	size_t sent;

	memory_put_as(&b->s3, "one", KEY, "text", 4,
		      &(struct object){.content_type = type,
				       .storage_class = class,
				       .headers[OBJECT_CONTENT_ENCODING] = gzip,
				       .meta = &meta,
				       .n_meta = 1});
	ino = ino_of(b, PATH);
	assert_int_equal(fs_getxattr(b->fs, &b->call, ino, "user.s3.content-encoding", &text), 0);
	assert_string_equal(buf_str(&text), "gzip");
	buf_clear(&text);
	assert_int_equal(fs_getxattr(b->fs, &b->call, ino, "user.s3.content-type", &text), 0);
	assert_string_equal(buf_str(&text), "text/x-special");
	buf_clear(&text);
	assert_int_equal(fs_getxattr(b->fs, &b->call, ino, "user.s3.storage-class", &text), 0);
	assert_string_equal(buf_str(&text), "GLACIER_IR");
	buf_clear(&text);
	assert_int_equal(fs_getxattr(b->fs, &b->call, ino, "user.meta.owner", &text), 0);
	assert_string_equal(buf_str(&text), "anne");
	assert_int_equal(fs_getxattr(b->fs, &b->call, ino, "user.meta.other", &text), -ENODATA);
	assert_int_equal(fs_getxattr(b->fs, &b->call, ino, "user.s3.version-id", &text), -ENODATA);
	assert_int_equal(fs_listxattr(b->fs, &b->call, ino, &list), 0);
	assert_non_null(memmem(list.data, list.len, "user.meta.owner", 16));
	assert_non_null(memmem(list.data, list.len, "user.s3.etag", 13));
	assert_non_null(memmem(list.data, list.len, "user.s3.content-encoding", 25));
	assert_null(memmem(list.data, list.len, "user.s3.expires", 16));
	assert_null(memmem(list.data, list.len, "user.s3.version-id", 19));
	sent = count(b, MEMORY_ANY);
	assert_int_equal(fs_getxattr(b->fs, &b->call, ino, "user.other", &text), -ENODATA);
	assert_int_equal(fs_getxattr(b->fs, &b->call, ino, "security.capability", &text),
			 -EOPNOTSUPP);
	assert_int_equal(count(b, MEMORY_ANY), sent);
}

static void what_is_not_uploaded_has_no_attributes(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = create_file(b, PATH);
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	uint64_t ino = ino_of(b, PATH);
	size_t sent = count(b, MEMORY_ANY);

	assert_int_equal(fs_getxattr(b->fs, &b->call, ino, "user.s3.etag", &text), -ENODATA);
	assert_int_equal(fs_listxattr(b->fs, &b->call, ino, &text), 0);
	assert_int_equal(text.len, 0);
	assert_int_equal(count(b, MEMORY_ANY), sent);
	assert_int_equal(close_file(b, file), 0);
	assert_int_equal(fs_getxattr(b->fs, &b->call, ino, "user.s3.etag", &text), 0);
	assert_true(text.len > 2);
}

/* ---- the end ---- */

static void the_end_saves_what_is_open(void **state)
{
	struct bench *b = *state;
	struct fs_file *files[3];

	files[0] = create_file(b, "one/a");
	files[1] = create_file(b, "two/b");
	files[2] = open_file(b, PATH, O_RDWR);
	assert_int_equal(write_at(b, files[0], 0, "a"), 0);
	assert_int_equal(write_at(b, files[2], 0, "T"), 0);
	assert_int_equal(fs_save(b->fs, &b->call), 0);
	assert_true(has_text(b, "one", "a", "a"));
	assert_true(has_text(b, "two", "b", ""));
	assert_true(is(b, "Text"));
	assert_int_equal(fs_save(b->fs, &b->call), 0);
	assert_int_equal(count(b, MEMORY_PUT_OBJECT), 3);
	/* they end with the file system */
}

static void the_end_says_what_is_lost(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = create_file(b, "one/a"), *other = create_file(b, "one/b");

	assert_int_equal(write_at(b, file, 0, "a"), 0);
	memory_deny(&b->s3, "one", "a", -EACCES);
	log_lines_start(LOG_LEVEL_ERROR);
	assert_int_equal(fs_save(b->fs, &b->call), -EIO);
	assert_int_equal(log_lines_count("one/a"), 1);
	assert_int_equal(log_lines_count(""), 1);
	log_lines_stop();
	assert_true(has_text(b, "one", "b", ""));
	assert_int_equal(close_file(b, other), 0);
	memory_clear_faults(&b->s3);
	assert_int_equal(close_file(b, file), 0);
	assert_true(has_text(b, "one", "a", "a"));
}

static void files_that_are_open_end_with_the_file_system(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = create_file(b, "one/a");

	assert_int_equal(write_at(b, file, 0, "a"), 0);
	assert_text(b, open_file(b, PATH, O_RDONLY), "text");
	file = create_file(b, "one/b");
	assert_int_equal(unlink_file(b, "one/b"), 0);
	bench_remount(b);
	assert_false(exists(b, "one/a"));
	assert_true(is(b, "text"));
	assert_int_equal(memory_uploads(&b->s3, NULL), 0);
}

/* ---- many threads ---- */

#define THREADS 4
#define ROUNDS  60

struct runner {
	struct bench *b;
	pthread_t thread;
	unsigned int number;
	uint64_t parent;
	int wrong;
};

static int write_round(struct runner *runner, struct call *call, const char *name, unsigned int i)
{
	struct fs *fs = runner->b->fs;
	char text[16] = {0}, back[16] = {0};
	struct fs_entry entry;
	struct fs_file *file;
	size_t n = 0;
	int r = fs_create(fs, call, runner->parent, name, MAKER, O_CREAT | O_RDWR | O_TRUNC, &entry,
			  &file);

	if (r < 0)
		return r;
	snprintf(text, sizeof(text), "%u-%u", runner->number, i);
	r = fs_write(fs, call, file, 0, text, sizeof(text));
	if (r == 0)
		r = fs_read(fs, call, file, 0, sizeof(back), back, &n);
	if (r == 0)
		r = fs_flush(fs, call, file);
	fs_release(fs, call, file);
	fs_forget(fs, entry.ino, 1);
	return r;
}

/* Each has a file of its own, and all share one; they make, write, read and unlink. */
static void *run(void *data)
{
	struct runner *runner = data;
	struct call call;
	char own[16];

	call_init(&call, NULL, &runner->b->clock.clock, CLOCK_NEVER);
	snprintf(own, sizeof(own), "own-%u", runner->number);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		int shared = write_round(runner, &call, "shared", i);

		if (write_round(runner, &call, own, i) != 0)
			runner->wrong++;
		if (shared != 0 && shared != -ESTALE)
			runner->wrong++;
		if (i % 7 == 0) {
			int r = fs_unlink(runner->b->fs, &call, runner->parent, "shared");

			if (r != 0 && r != -ENOENT)
				runner->wrong++;
		}
	}
	call_deinit(&call);
	return NULL;
}

static void many_threads_use_one_directory(void **state)
{
	struct bench *b = *state;
	struct runner runners[THREADS];

	for (unsigned int i = 0; i < THREADS; i++) {
		runners[i] = (struct runner){.b = b, .number = i, .parent = ino_of(b, "one")};
		assert_int_equal(pthread_create(&runners[i].thread, NULL, run, &runners[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		char key[16], text[16] = {0};

		assert_int_equal(pthread_join(runners[i].thread, NULL), 0);
		assert_int_equal(runners[i].wrong, 0);
		snprintf(key, sizeof(key), "own-%u", i);
		snprintf(text, sizeof(text), "%u-%u", i, ROUNDS - 1);
		assert_true(memory_is(&b->s3, "one", key, text, sizeof(text)));
	}
}

#define TEST(name)      cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_FILE(name) cmocka_unit_test_setup_teardown(name, setup_file, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST_FILE(a_file_is_its_object),
	    TEST(an_empty_file_is_no_get),
	    TEST_FILE(a_listed_file_is_read_with_one_get),
	    TEST_FILE(an_error_of_reading_is_passed_on),
	    TEST_FILE(what_is_no_file_is_not_opened),
	    TEST_FILE(the_pages_of_an_unchanged_file_are_kept),
	    TEST_FILE(the_pages_of_a_replaced_file_are_not_kept),
	    TEST_FILE(the_pages_of_what_was_written_are_kept),
	    TEST_FILE(the_pages_of_what_was_lost_are_not_kept),
	    TEST_FILE(a_replaced_file_is_stale_for_old_handles),
	    TEST_FILE(a_replaced_file_is_never_a_mix),
	    TEST_FILE(a_removed_file_is_stale_for_its_handles),
	    TEST_FILE(a_change_of_what_was_replaced_is_refused),
	    TEST_FILE(a_whole_replacement_wins_over_anothers),
	    TEST(a_new_file_is_an_object_when_it_is_closed),
	    TEST(a_new_file_may_be_empty),
	    TEST(a_new_file_that_nobody_flushed_is_saved_by_its_release),
	    TEST(a_new_file_that_cannot_be_saved_is_gone),
	    TEST(a_loss_that_nobody_was_told_of_is_logged),
	    TEST(an_exclusive_creation_finds_that_somebody_was_first),
	    TEST(a_creation_does_not_lose_what_somebody_made_meanwhile),
	    TEST(a_creation_that_truncates_replaces),
	    TEST(two_creations_of_one_name_are_one_file),
	    TEST(a_creation_of_what_is_known_opens_it),
	    TEST_FILE(what_was_written_is_read_by_every_handle),
	    TEST_FILE(appending_is_at_the_end_wherever_that_is),
	    TEST_FILE(a_flush_of_nothing_is_no_request),
	    TEST(writing_goes_on_after_fsync),
	    TEST_FILE(fsync_by_a_reader_saves_what_others_wrote),
	    TEST_FILE(truncation_on_open_leaves_the_object_until_the_flush),
	    TEST_FILE(truncation_by_a_reader_is_none),
	    TEST_FILE(a_failed_flush_can_be_tried_again),
	    TEST_FILE(a_failed_overwrite_leaves_the_old_object),
	    TEST_FILE(attributes_of_what_is_unsaved_are_not_kept),
	    TEST_FILE(an_interrupted_flush_is_done_by_the_release),
	    TEST_FILE(handles_close_in_any_order),
	    TEST_FILE(a_later_handle_saves_what_an_earlier_could_not),
	    TEST(a_long_new_file_can_be_read_before_it_is_flushed),
	    TEST(a_new_file_goes_on_when_it_is_unlinked),
	    TEST_FILE(a_file_that_was_read_goes_on_when_it_is_unlinked),
	    TEST_FILE(what_is_not_at_hand_of_an_unlinked_file_is_stale),
	    TEST_FILE(an_unlinked_name_can_be_made_again),
	    TEST(an_upload_under_way_does_not_bring_back_what_is_unlinked),
	    TEST_FILE(truncate_by_path_is_uploaded_at_once),
	    TEST_FILE(truncate_by_handle_is_uploaded_by_its_flush),
	    TEST_FILE(truncate_of_an_open_file_changes_it_for_all),
	    TEST_FILE(a_truncate_by_a_stale_handle_is_refused),
	    TEST_FILE(a_change_that_changes_nothing_succeeds),
	    TEST_FILE(a_refused_change_changes_nothing_else),
	    TEST(touch_is_a_copy_onto_itself),
	    TEST(touch_of_what_is_not_uploaded_yet_is_no_request),
	    TEST(a_date_set_while_writing_goes_with_the_upload),
	    TEST(the_type_is_by_the_name_when_it_is_written_anew),
	    TEST_FILE(the_date_is_the_servers_when_it_is_uploaded),
	    TEST(an_object_tells_its_attributes),
	    TEST(what_is_not_uploaded_has_no_attributes),
	    TEST_FILE(the_end_saves_what_is_open),
	    TEST(the_end_says_what_is_lost),
	    TEST_FILE(files_that_are_open_end_with_the_file_system),
	    TEST(many_threads_use_one_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
