/* Names below the buckets: look-ups and their requests; mkdir, rmdir, unlink. */
#include "tree_bench.h"

static int setup(void **state)
{
	return tree_setup(state);
}

static int setup_ttl_zero(void **state)
{
	return tree_setup_ttl(state, 0);
}

static int teardown(void **state)
{
	return tree_teardown(state);
}

static size_t lists(struct bench *b)
{
	return count(b, MEMORY_LIST_OBJECTS);
}

/* ---- look-ups ---- */

static void a_name_is_a_file_a_directory_both_or_neither(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;
	uint64_t one = ino_of(b, "one");

	put(b, "one", "file", "text");
	put(b, "one", "dir/x", "");
	put(b, "one", "marked/", "");
	put(b, "one", "both", "text");
	put(b, "one", "both/x", "");
	assert_int_equal(fs_lookup(b->fs, &b->call, one, "file", &entry), 0);
	assert_int_equal(entry.attr.st_mode, S_IFREG | FILE_MODE);
	assert_int_equal(entry.attr.st_size, 4);
	assert_int_equal(entry.attr.st_blocks, 1);
	assert_int_equal(entry.attr.st_nlink, 1);
	assert_int_equal(entry.attr.st_uid, UID);
	assert_int_equal(entry.attr.st_gid, GID);
	assert_int_equal(entry.attr.st_mtim.tv_sec, TEST_CLOCK_WALL_MS / 1000);
	assert_int_equal(entry.valid_ms, TTL_MS);
	assert_int_equal(mode_at(b, "one/dir"), S_IFDIR | DIR_MODE);
	assert_int_equal(mode_at(b, "one/marked"), S_IFDIR | DIR_MODE);
	assert_int_equal(mode_at(b, "one/both"), S_IFDIR | DIR_MODE);
	assert_int_equal(fs_lookup(b->fs, &b->call, one, "fil", &entry), 0);
	assert_int_equal(entry.ino, 0);
	assert_int_equal(entry.valid_ms, 0);
	assert_false(exists(b, "one/file2"));
	assert_false(exists(b, "one/di"));
	assert_false(exists(b, "one/dir/y"));
	assert_false(exists(b, "one/marked/x"));
}

static void a_look_at_a_name_is_one_request(void **state)
{
	struct bench *b = *state;

	put(b, "one", "file", "text");
	put(b, "one", "dir/x", "");
	ino_of(b, "one");
	memory_reset_counts(&b->s3);
	assert_false(exists(b, "one/missing"));
	assert_int_equal(count(b, MEMORY_ANY), 1);
	assert_true(exists(b, "one/file"));
	assert_int_equal(count(b, MEMORY_ANY), 2);
	assert_true(exists(b, "one/dir"));
	assert_int_equal(count(b, MEMORY_ANY), 3);
	/* known now */
	assert_true(exists(b, "one/file") && exists(b, "one/dir"));
	assert_int_equal(count(b, MEMORY_ANY), 3);
}

static void a_listed_name_is_no_request(void **state)
{
	struct bench *b = *state;
	struct stat attr;
	int64_t valid_ms;

	put(b, "one", "file", "text");
	put(b, "one", "dir/x", "");
	names_at(b, "one");
	memory_reset_counts(&b->s3);
	assert_true(exists(b, "one/file") && exists(b, "one/dir"));
	assert_int_equal(fs_getattr(b->fs, &b->call, ino_of(b, "one/file"), &attr, &valid_ms), 0);
	assert_int_equal(count(b, MEMORY_ANY), 0);
}

/* "name-1" and the like stand between "name" and "name/". */
static void a_directory_behind_a_long_run_of_names_is_found(void **state)
{
	struct bench *b = *state;

	put_many(b, "one", "name-", 1500);
	ino_of(b, "one");
	memory_reset_counts(&b->s3);
	assert_false(exists(b, "one/name"));
	assert_int_equal(lists(b), 2);
	test_clock_advance(&b->clock, TTL_MS);
	put(b, "one", "name", "text");
	assert_true(S_ISREG(mode_at(b, "one/name")));
	test_clock_advance(&b->clock, TTL_MS);
	put(b, "one", "name/x", "");
	assert_true(S_ISDIR(mode_at(b, "one/name")));
	assert_true(memory_remove(&b->s3, "one", "name"));
	test_clock_advance(&b->clock, TTL_MS);
	memory_reset_counts(&b->s3);
	assert_true(S_ISDIR(mode_at(b, "one/name")));
	assert_int_equal(lists(b), 2);
}

static void names_behind_the_slash_need_no_second_request(void **state)
{
	struct bench *b = *state;

	put_many(b, "one", "name", 1500); /* digits are behind '/' */
	put(b, "one", "name", "text");
	ino_of(b, "one");
	memory_reset_counts(&b->s3);
	assert_true(S_ISREG(mode_at(b, "one/name")));
	assert_int_equal(lists(b), 1);
	put(b, "one", "name/x", "text");
	test_clock_advance(&b->clock, TTL_MS);
	assert_true(S_ISDIR(mode_at(b, "one/name")));
}

/* Every length of the run around that of a page. */
static void a_directory_is_found_at_every_place(void **state)
{
	struct bench *b = *state;
	char prefix[32], path[40];

	for (unsigned int n = 28; n < 36; n++) {
		for (int i = 0; i < 4; i++) {
			snprintf(prefix, sizeof(prefix), "n%u%d-", n, i);
			put_many(b, "one", prefix, n);
			prefix[strlen(prefix) - 1] = '\0';
			if (i & 1)
				put(b, "one", prefix, "");
			snprintf(path, sizeof(path), "%s/x", prefix);
			if (i & 2)
				put(b, "one", path, "");
			snprintf(path, sizeof(path), "one/%s", prefix);
			if (i == 0)
				assert_false(exists(b, path));
			else
				assert_int_equal(S_ISDIR(mode_at(b, path)), (i & 2) != 0);
		}
	}
}

static void what_others_did_is_seen_within_the_ttl(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;
	uint64_t ino;

	put(b, "one", "file", "text");
	put(b, "one", "gone", "text");
	put(b, "one", "dir", "text");
	ino = ino_of(b, "one/file");
	assert_true(exists(b, "one/gone") && exists(b, "one/dir"));
	put(b, "one", "file", "longer text");
	assert_true(memory_remove(&b->s3, "one", "gone"));
	put(b, "one", "dir/x", "");
	test_clock_advance(&b->clock, TTL_MS - 1);
	assert_int_equal(find(b, "one/file", &entry), 0);
	assert_int_equal(entry.attr.st_size, 4);
	assert_int_equal(entry.valid_ms, 1);
	test_clock_advance(&b->clock, 1);
	assert_int_equal(find(b, "one/file", &entry), 0);
	assert_int_equal(entry.attr.st_size, strlen("longer text"));
	assert_int_equal(entry.ino, ino);
	assert_false(exists(b, "one/gone"));
	assert_true(S_ISDIR(mode_at(b, "one/dir")));
}

static void getattr_asks_again_after_the_ttl(void **state)
{
	struct bench *b = *state;
	uint64_t ino, dir;
	struct stat attr;
	int64_t valid_ms;
	size_t sent;

	put(b, "one", "dir/file", "text");
	ino = ino_of(b, "one/dir/file");
	dir = ino_of(b, "one/dir");
	put(b, "one", "dir/file", "longer text");
	test_clock_advance(&b->clock, TTL_MS);
	sent = lists(b);
	assert_int_equal(fs_getattr(b->fs, &b->call, ino, &attr, &valid_ms), 0);
	assert_int_equal(attr.st_size, strlen("longer text"));
	assert_int_equal(valid_ms, TTL_MS);
	assert_int_equal(lists(b), sent + 1);
	/* a directory's attributes never change */
	assert_int_equal(fs_getattr(b->fs, &b->call, dir, &attr, &valid_ms), 0);
	assert_int_equal(lists(b), sent + 1);
	/* it is gone, or something else */
	assert_true(memory_remove(&b->s3, "one", "dir/file"));
	test_clock_advance(&b->clock, TTL_MS);
	attr.st_ino = 42;
	assert_true(fs_getattr(b->fs, &b->call, ino, &attr, &valid_ms) < 0);
	assert_int_equal(attr.st_ino, 42);
	put(b, "one", "dir/file", "text");
	assert_int_not_equal(ino_of(b, "one/dir/file"), ino);
	assert_int_equal(fs_getattr(b->fs, &b->call, ino, &attr, &valid_ms), 0); /* unlinked */
	assert_int_equal(attr.st_nlink, 0);
}

static int slow_list(void *data, enum memory_op op, enum memory_when when, const char *name)
{
	struct bench *b = data;

	(void)name;
	if (op == MEMORY_LIST_OBJECTS && when == MEMORY_AFTER)
		test_clock_advance(&b->clock, 300);
	return 0;
}

static void validity_begins_with_the_request(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;
	uint64_t one = ino_of(b, "one");

	put(b, "one", "file", "");
	memory_hook(&b->s3, slow_list, b);
	assert_int_equal(fs_lookup(b->fs, &b->call, one, "file", &entry), 0);
	assert_int_equal(entry.valid_ms, TTL_MS - 300);
	/* of a name that is not there, too */
	assert_false(exists(b, "one/gone"));
	put(b, "one", "gone", "");
	test_clock_advance(&b->clock, TTL_MS - 301);
	assert_false(exists(b, "one/gone"));
	test_clock_advance(&b->clock, 1);
	assert_true(exists(b, "one/gone"));
}

static void a_ttl_of_zero_asks_each_time(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;
	uint64_t one = ino_of(b, "one");

	for (unsigned int i = 0; i < 3; i++) {
		put(b, "one", "file", &"12345"[i]);
		assert_int_equal(fs_lookup(b->fs, &b->call, one, "file", &entry), 0);
		assert_int_equal(entry.attr.st_size, 5 - i);
		assert_int_equal(entry.valid_ms, 0);
	}
	assert_int_equal(lists(b), 3);
	assert_int_equal(close_file(b, create_file(b, "one/new")), 0);
	assert_true(exists(b, "one/new"));
	assert_int_equal(unlink_file(b, "one/new"), 0);
	assert_false(exists(b, "one/new"));
	assert_int_equal(make_dir(b, "one/dir"), 0);
	assert_true(exists(b, "one/dir"));
}

static void what_is_not_a_directory_has_no_names(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry = {.ino = 42};
	struct fs_file *opened;
	uint64_t file;

	put(b, "one", "file", "");
	file = ino_of(b, "one/file");
	assert_int_equal(fs_lookup(b->fs, &b->call, file, "x", &entry), -ENOTDIR);
	assert_int_equal(fs_mkdir(b->fs, &b->call, file, "x", MAKER, &entry), -ENOTDIR);
	assert_int_equal(fs_rmdir(b->fs, &b->call, file, "x"), -ENOTDIR);
	assert_int_equal(fs_unlink(b->fs, &b->call, file, "x"), -ENOTDIR);
	assert_int_equal(fs_mknod(b->fs, file), -ENOTDIR);
	assert_int_equal(fs_mknod(b->fs, ino_of(b, "one")), -EPERM);
	assert_int_equal(
	    fs_create(b->fs, &b->call, file, "x", MAKER, O_CREAT | O_RDWR, &entry, &opened),
	    -ENOTDIR);
	assert_int_equal(fs_lookup(b->fs, &b->call, 77, "x", &entry), -ESTALE);
	assert_int_equal(entry.ino, 42);
}

static void names_that_are_too_long_are_refused(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;
	struct fs_file *file;
	uint64_t ino = ino_of(b, "one");
	char name[NAME_MAX + 2];
	size_t sent = count(b, MEMORY_ANY);

	memset(name, 'n', NAME_MAX + 1);
	name[NAME_MAX + 1] = '\0';
	assert_int_equal(fs_lookup(b->fs, &b->call, ino, name, &entry), -ENAMETOOLONG);
	assert_int_equal(fs_mkdir(b->fs, &b->call, ino, name, MAKER, &entry), -ENAMETOOLONG);
	assert_int_equal(fs_rmdir(b->fs, &b->call, ino, name), -ENAMETOOLONG);
	assert_int_equal(fs_unlink(b->fs, &b->call, ino, name), -ENAMETOOLONG);
	assert_int_equal(
	    fs_create(b->fs, &b->call, ino, name, MAKER, O_CREAT | O_RDWR, &entry, &file),
	    -ENAMETOOLONG);
	assert_int_equal(count(b, MEMORY_ANY), sent);
	/* four of 255 and their slashes are 1,024: a file of that key can't have anything below */
	name[NAME_MAX] = '\0';
	for (int i = 0; i < 3; i++) {
		assert_int_equal(fs_mkdir(b->fs, &b->call, ino, name, MAKER, &entry), 0);
		ino = entry.ino;
	}
	name[NAME_MAX] = '\0';
	assert_int_equal(
	    fs_create(b->fs, &b->call, ino, name, MAKER, O_CREAT | O_RDWR, &entry, &file), 0);
	assert_int_equal(close_file(b, file), 0);
	assert_int_equal(fs_unlink(b->fs, &b->call, ino, name), 0);
	assert_int_equal(fs_mkdir(b->fs, &b->call, ino, name, MAKER, &entry), 0);
	ino = entry.ino;
	assert_int_equal(fs_mkdir(b->fs, &b->call, ino, "x", MAKER, &entry), -ENAMETOOLONG);
	assert_int_equal(fs_lookup(b->fs, &b->call, ino, "x", &entry), -ENAMETOOLONG);
	assert_int_equal(
	    fs_create(b->fs, &b->call, ino, "x", MAKER, O_CREAT | O_RDWR, &entry, &file),
	    -ENAMETOOLONG);
}

static void errors_are_passed_on_and_change_nothing(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry = {.ino = 42};
	uint64_t one = ino_of(b, "one");

	put(b, "one", "file", "");
	memory_fail(&b->s3, MEMORY_LIST_OBJECTS, 3, -EKEYEXPIRED);
	assert_int_equal(fs_lookup(b->fs, &b->call, one, "file", &entry), -EKEYEXPIRED);
	assert_int_equal(fs_unlink(b->fs, &b->call, one, "file"), -EKEYEXPIRED);
	assert_int_equal(fs_rmdir(b->fs, &b->call, one, "file"), -EKEYEXPIRED);
	assert_int_equal(entry.ino, 42);
	assert_true(exists(b, "one/file"));
	assert_true(memory_has(&b->s3, "one", "file"));
}

static void an_error_of_the_second_request_is_passed_on(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry = {.ino = 42};
	uint64_t one = ino_of(b, "one");

	put_many(b, "one", "name-", 100);
	put(b, "one", "name", "");
	memory_fail_nth(&b->s3, MEMORY_LIST_OBJECTS, 2, MEMORY_BEFORE, -EACCES);
	assert_int_equal(fs_lookup(b->fs, &b->call, one, "name", &entry), -EACCES);
	assert_int_equal(entry.ino, 42);
	assert_true(exists(b, "one/name"));
}

static void a_look_up_can_be_given_up(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;
	uint64_t one = ino_of(b, "one");
	struct call call;

	call_init(&call, NULL, &b->clock.clock, CLOCK_NEVER);
	call_cancel(&call);
	assert_int_equal(fs_lookup(b->fs, &call, one, "file", &entry), -EINTR);
	call_deinit(&call);
}

/* ---- mkdir ---- */

static void mkdir_is_an_object_and_seen_at_once(void **state)
{
	struct bench *b = *state;
	_cleanup_(object_deinit) struct object object = {0};
	uint64_t one = ino_of(b, "one");
	struct fs_entry entry;

	assert_false(exists(b, "one/dir"));
	memory_reset_counts(&b->s3);
	assert_int_equal(fs_mkdir(b->fs, &b->call, one, "dir", MAKER, &entry), 0);
	assert_int_equal(count(b, MEMORY_ANY), 1);
	assert_true(memory_stat(&b->s3, "one", "dir/", &object));
	assert_int_equal(object.size, 0);
	assert_string_equal(object.content_type, "application/x-directory");
	assert_int_equal(entry.attr.st_mode, S_IFDIR | DIR_MODE);
	assert_int_equal(entry.attr.st_mtim.tv_sec, TEST_CLOCK_WALL_MS / 1000);
	assert_int_equal(entry.valid_ms, TTL_MS);
	assert_int_equal(ino_of(b, "one/dir"), entry.ino);
	assert_int_equal(count(b, MEMORY_ANY), 1);
	assert_string_equal(names_at(b, "one"), "dir/ ");
	assert_int_equal(make_dir(b, "one/dir/deep"), 0);
	assert_true(memory_has(&b->s3, "one", "dir/deep/"));
}

static void mkdir_errors_change_nothing(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry = {.ino = 42};
	uint64_t one = ino_of(b, "one");

	memory_fail(&b->s3, MEMORY_PUT_OBJECT, 1, -EACCES);
	assert_int_equal(fs_mkdir(b->fs, &b->call, one, "dir", MAKER, &entry), -EACCES);
	assert_int_equal(entry.ino, 42);
	assert_false(exists(b, "one/dir"));
	assert_int_equal(fs_mkdir(b->fs, &b->call, one, "dir", MAKER, &entry), 0);
}

static void an_made_directory_is_anothers_to_remove(void **state)
{
	struct bench *b = *state;

	assert_int_equal(make_dir(b, "one/dir"), 0);
	assert_true(memory_remove(&b->s3, "one", "dir/"));
	test_clock_advance(&b->clock, TTL_MS);
	assert_false(exists(b, "one/dir"));
}

/* ---- rmdir ---- */

static void rmdir_removes_a_marked_directory(void **state)
{
	struct bench *b = *state;

	assert_int_equal(make_dir(b, "one/dir"), 0);
	memory_reset_counts(&b->s3);
	assert_int_equal(remove_dir(b, "one/dir"), 0);
	assert_int_equal(lists(b), 1);
	assert_int_equal(count(b, MEMORY_DELETE_OBJECT), 1);
	assert_int_equal(memory_objects(&b->s3, "one"), 0);
	assert_false(exists(b, "one/dir"));
	assert_string_equal(names_at(b, "one"), "");
	assert_int_equal(remove_dir(b, "one/dir"), -ENOENT);
}

static void a_directory_that_is_not_empty_stays(void **state)
{
	struct bench *b = *state;
	struct fs_file *file;

	put(b, "one", "implicit/x", "");
	put(b, "one", "marked/", "");
	put(b, "one", "marked/x", "");
	put(b, "one", "deep/deep/", "");
	put(b, "one", "hidden//x", ""); /* it shows nothing, and is not empty */
	assert_int_equal(remove_dir(b, "one/implicit"), -ENOTEMPTY);
	assert_int_equal(remove_dir(b, "one/marked"), -ENOTEMPTY);
	assert_int_equal(remove_dir(b, "one/deep"), -ENOTEMPTY);
	assert_int_equal(remove_dir(b, "one/hidden"), -ENOTEMPTY);
	b->s3.listing_size = 1; /* fewer than are asked for */
	assert_int_equal(remove_dir(b, "one/marked"), -ENOTEMPTY);
	b->s3.listing_size = MEMORY_LISTING;
	assert_int_equal(make_dir(b, "one/local"), 0);
	file = create_file(b, "one/local/x");
	assert_int_equal(remove_dir(b, "one/local"), -ENOTEMPTY);
	assert_int_equal(close_file(b, file), 0);
	assert_int_equal(count(b, MEMORY_DELETE_OBJECT), 0);
	assert_string_equal(names_at(b, "one"), "deep/ hidden/ implicit/ local/ marked/ ");
}

static void an_emptied_directory_is_there_and_can_be_removed(void **state)
{
	struct bench *b = *state;

	put(b, "one", "dir/deep/a", "");
	put(b, "one", "dir/deep/b", "");
	assert_int_equal(unlink_file(b, "one/dir/deep/a"), 0);
	assert_int_equal(remove_dir(b, "one/dir/deep"), -ENOTEMPTY);
	assert_int_equal(unlink_file(b, "one/dir/deep/b"), 0);
	test_clock_advance(&b->clock, 5 * TTL_MS);
	assert_int_equal(remove_dir(b, "one/dir"), -ENOTEMPTY);
	assert_int_equal(remove_dir(b, "one/dir/deep"), 0);
	assert_false(exists(b, "one/dir/deep"));
	assert_true(exists(b, "one/dir"));
	assert_int_equal(remove_dir(b, "one/dir"), 0);
	assert_false(exists(b, "one/dir"));
	assert_int_equal(memory_objects(&b->s3, NULL), 0);
	assert_string_equal(names_at(b, "one"), "");
}

static void an_emptied_directory_takes_new_files(void **state)
{
	struct bench *b = *state;

	put(b, "one", "dir/a", "");
	assert_int_equal(unlink_file(b, "one/dir/a"), 0);
	assert_int_equal(close_file(b, create_file(b, "one/dir/b")), 0);
	assert_true(memory_has(&b->s3, "one", "dir/b"));
	assert_string_equal(names_at(b, "one"), "dir/ ");
	/* it is S3's again: when another client removes it, it is gone */
	assert_true(memory_remove(&b->s3, "one", "dir/b"));
	test_clock_advance(&b->clock, TTL_MS);
	assert_false(exists(b, "one/dir"));
	assert_string_equal(names_at(b, "one"), "");
}

/* It was not emptied: others' files are in it, and who removes them removes it. */
static void a_directory_that_only_lost_a_file_is_anothers_to_remove(void **state)
{
	struct bench *b = *state;

	put(b, "one", "dir/a", "");
	put(b, "one", "dir/b", "");
	assert_int_equal(unlink_file(b, "one/dir/a"), 0);
	test_clock_advance(&b->clock, TTL_MS);
	assert_true(exists(b, "one/dir"));
	assert_true(memory_remove(&b->s3, "one", "dir/b"));
	test_clock_advance(&b->clock, TTL_MS);
	assert_false(exists(b, "one/dir"));
}

static void rmdir_takes_directories_only(void **state)
{
	struct bench *b = *state;

	put(b, "one", "file", "");
	assert_int_equal(remove_dir(b, "one/file"), -ENOTDIR);
	assert_int_equal(remove_dir(b, "one/gone"), -ENOENT);
	assert_true(memory_has(&b->s3, "one", "file"));
}

static void rmdir_errors_change_nothing(void **state)
{
	struct bench *b = *state;

	assert_int_equal(make_dir(b, "one/dir"), 0);
	memory_fail(&b->s3, MEMORY_LIST_OBJECTS, 1, -EACCES);
	assert_int_equal(remove_dir(b, "one/dir"), -EACCES);
	memory_fail(&b->s3, MEMORY_DELETE_OBJECT, 1, -EAGAIN);
	assert_int_equal(remove_dir(b, "one/dir"), -EAGAIN);
	assert_true(exists(b, "one/dir"));
	assert_true(memory_has(&b->s3, "one", "dir/"));
	assert_int_equal(remove_dir(b, "one/dir"), 0);
}

/* Another client puts a file there between the look and the deletion: it is not lost. */
static int put_in_time(void *data, enum memory_op op, enum memory_when when, const char *name)
{
	struct bench *b = data;

	(void)name;
	if (op == MEMORY_DELETE_OBJECT && when == MEMORY_BEFORE)
		put(b, "one", "dir/x", "text");
	return 0;
}

static void rmdir_loses_no_file_that_comes_in_between(void **state)
{
	struct bench *b = *state;

	assert_int_equal(make_dir(b, "one/dir"), 0);
	memory_hook(&b->s3, put_in_time, b);
	assert_int_equal(remove_dir(b, "one/dir"), 0);
	memory_hook(&b->s3, NULL, NULL);
	assert_true(has_text(b, "one", "dir/x", "text"));
	assert_true(exists(b, "one/dir/x"));
}

/* ---- unlink ---- */

static void unlink_is_one_request_and_seen_at_once(void **state)
{
	struct bench *b = *state;

	put(b, "one", "file", "text");
	put(b, "one", "other", "text");
	names_at(b, "one");
	memory_reset_counts(&b->s3);
	assert_int_equal(unlink_file(b, "one/file"), 0);
	assert_int_equal(count(b, MEMORY_ANY), 1);
	assert_false(memory_has(&b->s3, "one", "file"));
	assert_false(exists(b, "one/file"));
	assert_int_equal(unlink_file(b, "one/file"), -ENOENT);
	assert_string_equal(names_at(b, "one"), "other ");
}

static void unlink_takes_files_only(void **state)
{
	struct bench *b = *state;

	put(b, "one", "dir/x", "");
	put(b, "one", "both", "text");
	put(b, "one", "both/x", "");
	assert_int_equal(unlink_file(b, "one/dir"), -EISDIR);
	assert_int_equal(unlink_file(b, "one/both"), -EISDIR);
	assert_int_equal(unlink_file(b, "one/gone"), -ENOENT);
	assert_int_equal(unlink_file(b, "one"), -EISDIR);
	assert_int_equal(count(b, MEMORY_DELETE_OBJECT), 0);
}

static void unlink_errors_change_nothing(void **state)
{
	struct bench *b = *state;
	struct fs_file *file;

	put(b, "one", "file", "text");
	file = open_file(b, "one/file", O_RDWR);
	assert_int_equal(write_at(b, file, 0, "TEXT"), 0);
	memory_fail(&b->s3, MEMORY_DELETE_OBJECT, 1, -EACCES);
	assert_int_equal(unlink_file(b, "one/file"), -EACCES);
	assert_true(exists(b, "one/file"));
	assert_text(b, file, "TEXT");
	assert_int_equal(close_file(b, file), 0);
	assert_true(has_text(b, "one", "file", "TEXT"));
}

static void a_file_that_was_never_uploaded_is_unlinked_without_a_request(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = create_file(b, "one/file");

	assert_int_equal(write_at(b, file, 0, "text"), 0);
	memory_reset_counts(&b->s3);
	assert_int_equal(unlink_file(b, "one/file"), 0);
	assert_int_equal(count(b, MEMORY_ANY), 0);
	assert_int_equal(close_file(b, file), 0);
	assert_false(memory_has(&b->s3, "one", "file"));
	assert_false(exists(b, "one/file"));
	assert_string_equal(names_at(b, "one"), "");
}

static void a_file_whose_upload_was_not_answered_is_unlinked_in_s3(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = create_file(b, "one/file");

	memory_fail_nth(&b->s3, MEMORY_PUT_OBJECT, 1, MEMORY_AFTER, -ETIMEDOUT);
	assert_int_equal(flush(b, file), -ETIMEDOUT);
	assert_true(memory_has(&b->s3, "one", "file"));
	assert_int_equal(unlink_file(b, "one/file"), 0);
	assert_false(memory_has(&b->s3, "one", "file"));
	release(b, file);
	/* one that another client was first with is another client's */
	file = create_file(b, "one/file");
	put(b, "one", "file", "another client's");
	assert_int_equal(flush(b, file), -EEXIST);
	assert_int_equal(unlink_file(b, "one/file"), 0);
	assert_true(memory_has(&b->s3, "one", "file"));
	release(b, file);
}

/* The kernel knows the directory, and what this mount put into it is not asked for. */
static void a_removed_directorys_number_is_stale(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;
	struct fs_file *file;
	struct fs_dir *dir;
	uint64_t ino;

	assert_int_equal(make_dir(b, "one/dir"), 0);
	ino = ino_of(b, "one/dir");
	assert_int_equal(remove_dir(b, "one/dir"), 0);
	assert_int_equal(fs_lookup(b->fs, &b->call, ino, "x", &entry), -ESTALE);
	assert_int_equal(fs_mkdir(b->fs, &b->call, ino, "x", MAKER, &entry), -ESTALE);
	assert_int_equal(
	    fs_create(b->fs, &b->call, ino, "x", MAKER, O_CREAT | O_RDWR, &entry, &file), -ESTALE);
	assert_int_equal(fs_opendir(b->fs, &b->call, ino, &dir), -ESTALE);
}

/* ---- an older answer under way ---- */

struct during {
	struct bench *b;
	void (*fn)(struct bench *b);
	bool done;
};

static int hook(void *data, enum memory_op op, enum memory_when when, const char *name)
{
	struct during *during = data;

	(void)name;
	if (op == MEMORY_LIST_OBJECTS && when == MEMORY_AFTER && !during->done) {
		during->done = true;
		during->fn(during->b);
	}
	return 0;
}

/* Looks the name up in "one"; fn happens when the answer is on its way. */
static struct fs_entry look_during(struct bench *b, const char *name, void (*fn)(struct bench *b))
{
	struct during during = {.b = b, .fn = fn};
	uint64_t one = ino_of(b, "one");
	struct fs_entry entry;

	memory_hook(&b->s3, hook, &during);
	assert_int_equal(fs_lookup(b->fs, &b->call, one, name, &entry), 0);
	memory_hook(&b->s3, NULL, NULL);
	assert_true(during.done);
	return entry;
}

static struct fs_file *held;

static void create_it(struct bench *b)
{
	held = create_file(b, "one/file");
	assert_int_equal(write_at(b, held, 0, "text"), 0);
	assert_int_equal(flush(b, held), 0);
}

static void an_older_look_up_does_not_take_away_what_was_made(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry = look_during(b, "file", create_it);
	uint64_t ino = ino_of(b, "one/file");

	assert_true(entry.ino == ino || (entry.ino == 0 && entry.valid_ms == 0));
	assert_text(b, held, "text");
	assert_int_equal(write_at(b, held, 0, "TEXT"), 0);
	assert_int_equal(close_file(b, held), 0);
	assert_true(has_text(b, "one", "file", "TEXT"));
	assert_int_equal(ino_of(b, "one/file"), ino);
}

static void make_it(struct bench *b)
{
	assert_int_equal(make_dir(b, "one/dir"), 0);
}

static void an_older_look_up_does_not_take_away_a_directory(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry = look_during(b, "dir", make_it);
	size_t sent = count(b, MEMORY_ANY);

	assert_true(entry.ino != 0 || entry.valid_ms == 0);
	assert_true(exists(b, "one/dir"));
	assert_int_equal(count(b, MEMORY_ANY), sent);
}

static void unlink_it(struct bench *b)
{
	assert_int_equal(unlink_file(b, "one/file"), 0);
}

static void an_older_look_up_does_not_bring_back_what_was_unlinked(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;

	put(b, "one", "file", "text");
	entry = look_during(b, "file", unlink_it);
	assert_int_equal(entry.valid_ms, 0); /* it may be either, but nobody keeps it */
	assert_false(exists(b, "one/file"));
}

static void write_it(struct bench *b)
{
	assert_int_equal(write_at(b, held, 0, "longer text"), 0);
	assert_int_equal(flush(b, held), 0);
}

static void an_older_look_up_does_not_undo_what_was_written(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;

	put(b, "one", "file", "text");
	held = open_file(b, "one/file", O_RDWR);
	test_clock_advance(&b->clock, TTL_MS);
	entry = look_during(b, "file", write_it);
	assert_int_equal(entry.attr.st_size, strlen("longer text"));
	assert_text(b, held, "longer text");
	assert_int_equal(close_file(b, held), 0);
}

#define TEST(name)       cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_TTL_0(name) cmocka_unit_test_setup_teardown(name, setup_ttl_zero, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_name_is_a_file_a_directory_both_or_neither),
	    TEST(a_look_at_a_name_is_one_request),
	    TEST(a_listed_name_is_no_request),
	    TEST(a_directory_behind_a_long_run_of_names_is_found),
	    TEST(names_behind_the_slash_need_no_second_request),
	    TEST(a_directory_is_found_at_every_place),
	    TEST(what_others_did_is_seen_within_the_ttl),
	    TEST(getattr_asks_again_after_the_ttl),
	    TEST(validity_begins_with_the_request),
	    TEST_TTL_0(a_ttl_of_zero_asks_each_time),
	    TEST(what_is_not_a_directory_has_no_names),
	    TEST(names_that_are_too_long_are_refused),
	    TEST(errors_are_passed_on_and_change_nothing),
	    TEST(an_error_of_the_second_request_is_passed_on),
	    TEST(a_look_up_can_be_given_up),
	    TEST(mkdir_is_an_object_and_seen_at_once),
	    TEST(mkdir_errors_change_nothing),
	    TEST(an_made_directory_is_anothers_to_remove),
	    TEST(rmdir_removes_a_marked_directory),
	    TEST(a_directory_that_is_not_empty_stays),
	    TEST(an_emptied_directory_is_there_and_can_be_removed),
	    TEST(an_emptied_directory_takes_new_files),
	    TEST(a_directory_that_only_lost_a_file_is_anothers_to_remove),
	    TEST(rmdir_takes_directories_only),
	    TEST(rmdir_errors_change_nothing),
	    TEST(rmdir_loses_no_file_that_comes_in_between),
	    TEST(unlink_is_one_request_and_seen_at_once),
	    TEST(unlink_takes_files_only),
	    TEST(unlink_errors_change_nothing),
	    TEST(a_file_that_was_never_uploaded_is_unlinked_without_a_request),
	    TEST(a_file_whose_upload_was_not_answered_is_unlinked_in_s3),
	    TEST(a_removed_directorys_number_is_stale),
	    TEST(an_older_look_up_does_not_take_away_what_was_made),
	    TEST(an_older_look_up_does_not_take_away_a_directory),
	    TEST(an_older_look_up_does_not_bring_back_what_was_unlinked),
	    TEST(an_older_look_up_does_not_undo_what_was_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
