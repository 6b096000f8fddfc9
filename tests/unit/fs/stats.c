/* What the file system says of itself: counts, and the files that are not in S3 as they are. */
#include "tree_bench.h"

#define PART (8 * MIB)

static int setup(void **state)
{
	return tree_setup(state);
}

static int teardown(void **state)
{
	return tree_teardown(state);
}

static struct fs_stats stats(struct bench *b)
{
	struct fs_stats s;

	fs_get_stats(b->fs, &s);
	return s;
}

static void write_zeroes(struct bench *b, struct fs_file *file, uint64_t offset, size_t len)
{
	char *zeroes = calloc(1, len);

	assert_non_null(zeroes);
	assert_int_equal(fs_write(b->fs, &b->call, file, offset, zeroes, len), 0);
	free(zeroes);
}

/* "bucket/key how size sent+under_way failed" of each, in lines. */
static const char *unsaved(struct bench *b)
{
	static const char *const hows[] = {
	    [FS_UNSAVED_STREAM] = "stream",
	    [FS_UNSAVED_STAGED] = "staged",
	    [FS_UNSAVED_ATTRIBUTES] = "attributes",
	};
	static char text[1000];
	struct fs_unsaved_list list;
	size_t n = 0;

	text[0] = '\0';
	assert_int_equal(fs_list_unsaved(b->fs, &list), 0);
	for (size_t i = 0; i < list.n; i++) {
		const struct fs_unsaved *u = &list.v[i];

		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s/%s %s %ju %ju+%ju %zu\n",
				      u->bucket, u->key, hows[u->how], (uintmax_t)u->size,
				      (uintmax_t)u->sent, (uintmax_t)u->under_way, u->parts_failed);
	}
	fs_unsaved_list_deinit(&list);
	return text;
}

/* ---- counts ---- */

static void a_fresh_mount_has_done_nothing(void **state)
{
	struct bench *b = *state;
	struct fs_stats s = stats(b);

	assert_int_equal(s.hidden_keys, 0);
	assert_int_equal(s.lookups_known + s.lookups_asked, 0);
	assert_int_equal(s.read_bytes + s.written_bytes, 0);
	assert_int_equal(s.read_memory.used + s.read_memory.most, 0);
	assert_int_equal(s.write_memory.limit, 96 * MIB);
	assert_int_equal(s.staging_used, 0);
	assert_int_equal(s.staging_limit, 64 * MIB);
	assert_int_equal(s.parts_under_way, 0);
	assert_int_equal(s.inodes, 1);
	assert_int_equal(s.open_files + s.open_dirs + s.unsaved_files, 0);
	assert_string_equal(unsaved(b), "");
}

static void hidden_keys_count_whenever_they_are_listed(void **state)
{
	struct bench *b = *state;

	put(b, "one", "dir//empty", "");
	put(b, "one", "dir/./dot", "");
	put(b, "one", "dir/..", "");
	put(b, "one", "dir/shown", "");
	assert_string_equal(names_at(b, "one/dir"), "shown ");
	assert_int_equal(stats(b).hidden_keys, 3);
	assert_string_equal(names_at(b, "one/dir"), "shown ");
	assert_int_equal(stats(b).hidden_keys, 6);
}

static void lookups_are_known_or_asked_for(void **state)
{
	struct bench *b = *state;

	put(b, "one", "file", "");
	ino_of(b, "one/file");
	assert_int_equal(stats(b).lookups_asked, 1);
	assert_int_equal(stats(b).lookups_known, 0);
	ino_of(b, "one/file");
	assert_false(exists(b, "one/none"));
	assert_false(exists(b, "one/none"));
	assert_int_equal(stats(b).lookups_asked, 2);
	assert_int_equal(stats(b).lookups_known, 2);
	assert_int_equal(stats(b).inodes, 3); /* the root, "one", "file" */
}

static void bytes_of_programs_count(void **state)
{
	struct bench *b = *state;
	struct fs_file *file;

	put(b, "one", "file", "hello");
	file = open_file(b, "one/file", O_RDONLY);
	assert_text(b, file, "hello");
	assert_text(b, file, "hello");
	assert_int_equal(stats(b).read_bytes, 10);
	release(b, file);
	file = create_file(b, "one/new");
	assert_int_equal(write_at(b, file, 0, "abc"), 0);
	assert_int_equal(stats(b).written_bytes, 3);
	assert_int_equal(close_file(b, file), 0);
}

static void handles_count_while_they_are_open(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = create_file(b, "one/new"),
		       *again = open_file(b, "one/new", O_RDONLY);
	struct fs_dir *dir = open_dir(b, "one");

	assert_int_equal(stats(b).open_files, 2);
	assert_int_equal(stats(b).unsaved_files, 1);
	assert_int_equal(stats(b).open_dirs, 1);
	assert_int_equal(flush(b, file), 0);
	assert_int_equal(stats(b).unsaved_files, 0);
	release(b, again);
	release(b, file);
	fs_releasedir(b->fs, dir);
	assert_int_equal(stats(b).open_files, 0);
	assert_int_equal(stats(b).open_dirs, 0);
}

static void memory_is_that_of_parts(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = create_file(b, "one/new");

	write_zeroes(b, file, 0, MIB);
	assert_in_range(stats(b).write_memory.used, MIB, PART);
	assert_int_equal(close_file(b, file), 0);
	assert_int_equal(stats(b).write_memory.used, 0);
	assert_in_range(stats(b).write_memory.most, MIB, PART);
}

/* ---- what is not saved ---- */

static void a_new_file_is_unsaved_until_it_is_flushed(void **state)
{
	struct bench *b = *state;
	struct fs_file *one, *two, *again;

	one = create_file(b, "one/a b");
	assert_int_equal(make_dir(b, "two/dir"), 0);
	two = create_file(b, "two/dir/x");
	again = open_file(b, "two/dir/x", O_RDWR);
	assert_int_equal(write_at(b, one, 0, "hello"), 0);
	assert_string_equal(unsaved(b), "one/a b stream 5 0+0 0\n"
					"two/dir/x stream 0 0+0 0\n");
	assert_int_equal(flush(b, again), 0);
	assert_string_equal(unsaved(b), "one/a b stream 5 0+0 0\n");
	assert_int_equal(close_file(b, one), 0);
	assert_string_equal(unsaved(b), "");
	release(b, two);
	release(b, again);
}

static void a_file_changed_in_the_middle_is_staged(void **state)
{
	struct bench *b = *state;
	struct fs_file *file;

	put(b, "one", "file", "hello");
	file = open_file(b, "one/file", O_RDWR);
	assert_string_equal(unsaved(b), "");
	assert_int_equal(write_at(b, file, 1, "a"), 0);
	assert_string_equal(unsaved(b), "one/file staged 5 0+0 0\n");
	assert_int_equal(stats(b).staging_used, 1);
	assert_int_equal(close_file(b, file), 0);
	assert_string_equal(unsaved(b), "");
	assert_int_equal(stats(b).staging_used, 0);
}

static void an_unlinked_file_is_not_saved_any_more(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = create_file(b, "one/new");

	assert_int_equal(write_at(b, file, 0, "hello"), 0);
	assert_int_equal(unlink_file(b, "one/new"), 0);
	assert_string_equal(unsaved(b), "");
	assert_int_equal(stats(b).unsaved_files, 0);
	release(b, file);
}

/* The first part is kept back until the end. */
static void parts_are_under_way(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = create_file(b, "one/new");

	memory_hold(&b->s3, MEMORY_UPLOAD_PART, MEMORY_BEFORE);
	write_zeroes(b, file, 0, 2 * PART + 5);
	assert_true(memory_wait_held(&b->s3, MEMORY_UPLOAD_PART, 1));
	assert_string_equal(unsaved(b), "one/new stream 16777221 0+8388608 0\n");
	assert_int_equal(stats(b).parts_under_way, 1);
	memory_release(&b->s3, MEMORY_UPLOAD_PART);
	assert_int_equal(close_file(b, file), 0);
	assert_string_equal(unsaved(b), "");
	assert_int_equal(stats(b).parts_under_way, 0);
}

static void parts_are_sent_and_others_failed(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = create_file(b, "one/new");

	memory_hold(&b->s3, MEMORY_UPLOAD_PART, MEMORY_BEFORE);
	write_zeroes(b, file, 0, 2 * PART + 5);
	assert_true(memory_wait_held(&b->s3, MEMORY_UPLOAD_PART, 1));
	memory_deny(&b->s3, "one", "new", -EACCES); /* all but that one */
	memory_release(&b->s3, MEMORY_UPLOAD_PART);
	assert_int_equal(flush(b, file), -EACCES);
	assert_string_equal(unsaved(b), "one/new stream 16777221 8388608+0 2\n");
	memory_clear_faults(&b->s3);
	assert_int_equal(close_file(b, file), 0);
	assert_string_equal(unsaved(b), "");
}

#define stats_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    stats_test(a_fresh_mount_has_done_nothing),
	    stats_test(hidden_keys_count_whenever_they_are_listed),
	    stats_test(lookups_are_known_or_asked_for),
	    stats_test(bytes_of_programs_count),
	    stats_test(handles_count_while_they_are_open),
	    stats_test(memory_is_that_of_parts),
	    stats_test(a_new_file_is_unsaved_until_it_is_flushed),
	    stats_test(a_file_changed_in_the_middle_is_staged),
	    stats_test(an_unlinked_file_is_not_saved_any_more),
	    stats_test(parts_are_under_way),
	    stats_test(parts_are_sent_and_others_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
