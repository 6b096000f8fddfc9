/* The root of the tree: buckets as directories, by the contract of fs.h. */
#include "bench.h"

#include <fcntl.h>
#include <limits.h>

#include "log_lines.h"

static int setup_ttl(void **state, int64_t ttl_ms)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	bench_begin(b, ttl_ms);
	memory_add_bucket(&b->s3, "alpha", CREATED_MS, "eu-west-1");
	memory_add_bucket(&b->s3, "beta", CREATED_MS + 1000, "ap-south-1");
	memory_add_bucket(&b->s3, "gamma", CREATED_MS + 2000, "us-east-1");
	*state = b;
	return 0;
}

static int setup(void **state)
{
	return setup_ttl(state, TTL_MS);
}

static int setup_ttl_zero(void **state)
{
	return setup_ttl(state, 0);
}

static int setup_pages(void **state)
{
	setup(state);
	((struct bench *)*state)->s3.page_size = 1;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	bench_end(b);
	free(b);
	return 0;
}

/* ---- shorthand ---- */

/* The inode, 0 when there is no such name. */
static uint64_t look(struct bench *b, const char *name)
{
	struct fs_entry entry;

	assert_int_equal(fs_lookup(b->fs, &b->call, FS_ROOT, name, &entry), 0);
	return entry.ino;
}

static bool there(struct bench *b, const char *name)
{
	uint64_t ino = look(b, name);

	if (ino)
		fs_forget(b->fs, ino, 1);
	return ino != 0;
}

static int make(struct bench *b, const char *name)
{
	struct fs_entry entry;
	int r = fs_mkdir(b->fs, &b->call, FS_ROOT, name, MAKER, &entry);

	if (r == 0)
		fs_forget(b->fs, entry.ino, 1);
	return r;
}

static int lose(struct bench *b, const char *name)
{
	return fs_rmdir(b->fs, &b->call, FS_ROOT, name);
}

static struct fs_dir *open_root(struct bench *b)
{
	struct fs_dir *dir;

	assert_int_equal(fs_opendir(b->fs, &b->call, FS_ROOT, &dir), 0);
	return dir;
}

/* All of it from the start, each name followed by a space. */
static const char *names_in(struct bench *b, struct fs_dir *dir)
{
	static char names[1024];
	struct fs_dirent dirent = {0};
	size_t used = 0;
	int r;

	names[0] = '\0';
	while ((r = fs_readdir(b->fs, &b->call, dir, dirent.next, &dirent)) == 0)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s ", dirent.name);
	assert_int_equal(r, -ENOENT);
	return names;
}

static const char *names(struct bench *b)
{
	struct fs_dir *dir = open_root(b);
	const char *found = names_in(b, dir);

	fs_releasedir(b->fs, dir);
	return found;
}

static struct fs_dirent dirent_of(struct bench *b, struct fs_dir *dir, const char *name)
{
	struct fs_dirent dirent = {0};

	do
		assert_int_equal(fs_readdir(b->fs, &b->call, dir, dirent.next, &dirent), 0);
	while (strcmp(dirent.name, name) != 0);
	return dirent;
}

static size_t lists(struct bench *b)
{
	return memory_count(&b->s3, MEMORY_LIST_BUCKETS);
}

static bool hold_list(struct bench *b, struct job *job, enum job_op op, const char *name,
		      enum memory_when when)
{
	memory_hold(&b->s3, MEMORY_LIST_BUCKETS, when);
	job_start(job, b, op, name);
	return memory_wait_held(&b->s3, MEMORY_LIST_BUCKETS, 1);
}

/* ---- lookup, forget, getattr ---- */

static void assert_directory(const struct stat *attr, int64_t time_ms)
{
	assert_int_equal(attr->st_mode, S_IFDIR | DIR_MODE);
	assert_int_equal(attr->st_uid, UID);
	assert_int_equal(attr->st_gid, GID);
	assert_true(attr->st_nlink >= 1);
	assert_int_equal(attr->st_mtim.tv_sec, time_ms / 1000);
	assert_int_equal(attr->st_mtim.tv_nsec, time_ms % 1000 * 1000000);
}

static void lookup_finds_a_bucket(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;

	assert_int_equal(fs_lookup(b->fs, &b->call, FS_ROOT, "beta", &entry), 0);
	assert_true(entry.ino > FS_ROOT);
	assert_true(entry.attr.st_ino > FS_ROOT);
	assert_directory(&entry.attr, CREATED_MS + 1000);
	assert_int_equal(entry.valid_ms, TTL_MS);
	assert_int_equal(lists(b), 1);
}

static void lookup_answers_from_the_listing(void **state)
{
	struct bench *b = *state;

	assert_true(there(b, "alpha"));
	assert_true(there(b, "gamma"));
	assert_false(there(b, "delta"));
	assert_string_equal(names(b), ". .. alpha beta gamma ");
	assert_int_equal(lists(b), 1);
}

static void a_name_that_is_not_there_is_remembered_as_long(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;

	assert_int_equal(fs_lookup(b->fs, &b->call, FS_ROOT, "delta", &entry), 0);
	assert_int_equal(entry.ino, 0);
	assert_int_equal(entry.valid_ms, 0); /* by the kernel it is not */
	memory_add_bucket(&b->s3, "delta", CREATED_MS, "eu-west-1");
	test_clock_advance(&b->clock, TTL_MS - 1);
	assert_false(there(b, "delta"));
	assert_int_equal(lists(b), 1);
	test_clock_advance(&b->clock, 1);
	assert_true(there(b, "delta"));
}

static void validity_ends_with_the_listing(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;

	assert_true(there(b, "alpha"));
	test_clock_advance(&b->clock, 400);
	assert_int_equal(fs_lookup(b->fs, &b->call, FS_ROOT, "beta", &entry), 0);
	assert_int_equal(entry.valid_ms, TTL_MS - 400);
	assert_int_equal(lists(b), 1);
}

static int slow_list(void *data, enum memory_op op, enum memory_when when, const char *name)
{
	struct bench *b = data;

	(void)name;
	if (op == MEMORY_LIST_BUCKETS && when == MEMORY_AFTER)
		test_clock_advance(&b->clock, 300);
	return 0;
}

static void validity_begins_with_the_request(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;

	memory_hook(&b->s3, slow_list, b);
	assert_int_equal(fs_lookup(b->fs, &b->call, FS_ROOT, "beta", &entry), 0);
	assert_int_equal(entry.valid_ms, TTL_MS - 300);
	/* of a name that is not there, too */
	assert_false(there(b, "delta"));
	memory_add_bucket(&b->s3, "delta", CREATED_MS, "eu-west-1");
	test_clock_advance(&b->clock, TTL_MS - 301);
	assert_false(there(b, "delta"));
	test_clock_advance(&b->clock, 1);
	assert_true(there(b, "delta"));
}

static void what_others_did_is_seen_within_the_ttl(void **state)
{
	struct bench *b = *state;

	assert_true(there(b, "alpha"));
	assert_true(memory_remove_bucket(&b->s3, "alpha"));
	memory_add_bucket(&b->s3, "delta", CREATED_MS, "eu-west-1");
	test_clock_advance(&b->clock, TTL_MS);
	assert_false(there(b, "alpha"));
	assert_true(there(b, "delta"));
	assert_string_equal(names(b), ". .. beta delta gamma ");
	assert_int_equal(lists(b), 2);
}

static void a_ttl_of_zero_asks_each_time(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;

	assert_int_equal(fs_lookup(b->fs, &b->call, FS_ROOT, "alpha", &entry), 0);
	assert_int_equal(entry.valid_ms, 0);
	assert_true(memory_remove_bucket(&b->s3, "alpha"));
	assert_false(there(b, "alpha"));
	assert_int_equal(make(b, "delta"), 0);
	assert_true(there(b, "delta"));
	assert_int_equal(lists(b), 3);
}

static void lookup_in_pages_asks_for_the_name_alone(void **state)
{
	struct bench *b = *state;

	assert_true(there(b, "alpha"));
	assert_int_equal(lists(b), 3);
	test_clock_advance(&b->clock, TTL_MS);
	assert_true(there(b, "beta"));
	assert_int_equal(lists(b), 4);
	assert_false(there(b, "bet")); /* a prefix of one, and no name */
	assert_int_equal(lists(b), 5);
	assert_string_equal(names(b), ". .. alpha beta gamma ");
	assert_int_equal(lists(b), 8);
}

static void a_server_that_ignores_the_prefix_is_asked_for_all(void **state)
{
	struct bench *b = *state;

	b->s3.ignores_prefix = true;
	assert_true(there(b, "alpha"));
	test_clock_advance(&b->clock, TTL_MS);
	assert_true(there(b, "gamma"));
	assert_false(there(b, "gam"));
}

static void a_server_that_pages_for_ever_is_an_error(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;

	b->s3.page_size = 0;
	log_lines_start(LOG_LEVEL_ERROR);
	assert_int_equal(fs_lookup(b->fs, &b->call, FS_ROOT, "alpha", &entry), -EIO);
	assert_int_equal(log_lines_count("does not stop"), 1);
	log_lines_stop();
}

static void names_longer_than_a_component_are_refused(void **state)
{
	struct bench *b = *state;
	char name[NAME_MAX + 2];
	struct fs_entry entry;

	memset(name, 'a', sizeof(name) - 1);
	name[NAME_MAX + 1] = '\0';
	assert_int_equal(fs_lookup(b->fs, &b->call, FS_ROOT, name, &entry), -ENAMETOOLONG);
	assert_int_equal(lists(b), 0);
	name[NAME_MAX] = '\0';
	assert_int_equal(fs_lookup(b->fs, &b->call, FS_ROOT, name, &entry), 0);
	assert_int_equal(entry.ino, 0);
}

static void names_of_files_are_just_not_there(void **state)
{
	struct bench *b = *state;

	assert_false(there(b, ".Trash-1000"));
	assert_false(there(b, "autorun.inf"));
	assert_false(there(b, "Alpha"));
	assert_false(there(b, "\xff\xfe"));
}

static void an_inode_lives_until_it_is_forgotten(void **state)
{
	struct bench *b = *state;
	uint64_t ino = look(b, "alpha"), st_ino;
	struct stat attr;
	int64_t valid_ms;

	assert_int_equal(look(b, "alpha"), ino);
	assert_int_not_equal(look(b, "beta"), ino);
	fs_forget(b->fs, ino, 1);
	assert_int_equal(fs_getattr(b->fs, &b->call, ino, &attr, &valid_ms), 0);
	assert_directory(&attr, CREATED_MS);
	assert_true(valid_ms <= TTL_MS);
	st_ino = attr.st_ino;
	fs_forget(b->fs, ino, 1);
	assert_int_equal(lose(b, "alpha"), 0);
	assert_int_equal(fs_getattr(b->fs, &b->call, ino, &attr, &valid_ms), -ESTALE);
	assert_int_equal(make(b, "alpha"), 0);
	assert_int_not_equal(look(b, "alpha"), ino);
	assert_int_equal(fs_getattr(b->fs, &b->call, look(b, "alpha"), &attr, &valid_ms), 0);
	assert_int_equal(attr.st_ino, st_ino);
}

static void a_failed_getattr_leaves_its_outputs(void **state)
{
	struct bench *b = *state;
	struct stat attr = {.st_ino = 42};
	int64_t valid_ms = 43;

	assert_int_equal(fs_getattr(b->fs, &b->call, 77, &attr, &valid_ms), -ESTALE);
	assert_int_equal(attr.st_ino, 42);
	assert_int_equal(valid_ms, 43);
}

static void the_root_is_there_without_a_request(void **state)
{
	struct bench *b = *state;
	struct stat attr;
	int64_t valid_ms;

	assert_int_equal(fs_getattr(b->fs, &b->call, FS_ROOT, &attr, &valid_ms), 0);
	assert_int_equal(attr.st_ino, FS_ROOT);
	assert_directory(&attr, TEST_CLOCK_WALL_MS);
	fs_forget(b->fs, FS_ROOT, 1);
	assert_int_equal(fs_getattr(b->fs, &b->call, FS_ROOT, &attr, &valid_ms), 0);
	assert_int_equal(lists(b), 0);
}

/* ---- errors ---- */

static void an_error_is_passed_on_and_changes_nothing(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry = {.ino = 42};
	struct fs_dir *dir;

	memory_fail(&b->s3, MEMORY_LIST_BUCKETS, 3, -EKEYEXPIRED);
	assert_int_equal(fs_lookup(b->fs, &b->call, FS_ROOT, "alpha", &entry), -EKEYEXPIRED);
	assert_int_equal(fs_opendir(b->fs, &b->call, FS_ROOT, &dir), -EKEYEXPIRED);
	assert_int_equal(lose(b, "alpha"), -EKEYEXPIRED);
	assert_int_equal(entry.ino, 42);
	assert_int_equal(memory_count(&b->s3, MEMORY_DELETE_BUCKET), 0);
	assert_string_equal(names(b), ". .. alpha beta gamma ");
}

static void an_error_on_a_later_page_is_passed_on(void **state)
{
	struct bench *b = *state;
	struct job job;

	assert_true(hold_list(b, &job, JOB_OPENDIR, NULL, MEMORY_AFTER));
	memory_fail(&b->s3, MEMORY_LIST_BUCKETS, 1, -EACCES);
	memory_release(&b->s3, MEMORY_LIST_BUCKETS);
	assert_int_equal(job_join(&job), -EACCES);
	assert_int_equal(lists(b), 2);
	assert_string_equal(names(b), ". .. alpha beta gamma ");
}

static void a_listing_that_fails_leaves_the_good_one(void **state)
{
	struct bench *b = *state;

	assert_true(there(b, "alpha"));
	memory_fail(&b->s3, MEMORY_LIST_BUCKETS, 1000, -EIO);
	test_clock_advance(&b->clock, TTL_MS - 1);
	assert_true(there(b, "alpha"));
	assert_string_equal(names(b), ". .. alpha beta gamma ");
}

/* ---- mkdir, rmdir ---- */

static void mkdir_is_seen_at_once_and_costs_one_request(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;

	assert_false(there(b, "delta"));
	assert_int_equal(fs_mkdir(b->fs, &b->call, FS_ROOT, "delta", MAKER, &entry), 0);
	assert_true(memory_has_bucket(&b->s3, "delta"));
	assert_true(entry.ino > FS_ROOT);
	assert_directory(&entry.attr, TEST_CLOCK_WALL_MS);
	assert_int_equal(entry.valid_ms, TTL_MS);
	assert_int_equal(look(b, "delta"), entry.ino);
	assert_string_equal(names(b), ". .. alpha beta delta gamma ");
	assert_int_equal(lists(b), 1);
	assert_int_equal(memory_count(&b->s3, MEMORY_CREATE_BUCKET), 1);
}

static void mkdir_is_seen_at_once_without_a_listing(void **state)
{
	struct bench *b = *state;

	assert_int_equal(make(b, "delta"), 0);
	assert_string_equal(names(b), ". .. alpha beta delta gamma ");
	test_clock_advance(&b->clock, TTL_MS);
	assert_int_equal(make(b, "epsilon"), 0);
	assert_true(there(b, "epsilon"));
	assert_string_equal(names(b), ". .. alpha beta delta epsilon gamma ");
}

static void a_made_bucket_does_not_make_the_listing_younger(void **state)
{
	struct bench *b = *state;

	assert_true(there(b, "alpha"));
	test_clock_advance(&b->clock, TTL_MS / 2);
	assert_int_equal(make(b, "delta"), 0);
	assert_true(memory_remove_bucket(&b->s3, "beta"));
	test_clock_advance(&b->clock, TTL_MS / 2);
	assert_string_equal(names(b), ". .. alpha delta gamma ");
}

static int slow_create(void *data, enum memory_op op, enum memory_when when, const char *name)
{
	struct bench *b = data;

	(void)name;
	if (op == MEMORY_CREATE_BUCKET && when == MEMORY_AFTER)
		test_clock_advance(&b->clock, 300);
	return 0;
}

static void a_made_buckets_validity_begins_with_the_request(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;

	memory_hook(&b->s3, slow_create, b);
	assert_int_equal(fs_mkdir(b->fs, &b->call, FS_ROOT, "delta", MAKER, &entry), 0);
	assert_int_equal(entry.valid_ms, TTL_MS - 300);
}

static void a_bucket_made_again_has_its_new_date(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;

	assert_true(there(b, "beta"));
	assert_true(memory_remove_bucket(&b->s3, "beta"));
	assert_int_equal(make(b, "beta"), 0);
	assert_int_equal(fs_lookup(b->fs, &b->call, FS_ROOT, "beta", &entry), 0);
	assert_directory(&entry.attr, TEST_CLOCK_WALL_MS);
}

static void mkdir_errors_change_nothing(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry = {.ino = 42};

	assert_int_equal(make(b, "alpha"), -EEXIST);
	memory_fail(&b->s3, MEMORY_CREATE_BUCKET, 1, -EDQUOT);
	assert_int_equal(fs_mkdir(b->fs, &b->call, FS_ROOT, "delta", MAKER, &entry), -EDQUOT);
	assert_int_equal(entry.ino, 42);
	assert_false(there(b, "delta"));
	assert_string_equal(names(b), ". .. alpha beta gamma ");
}

static void mkdir_refuses_bad_names_before_a_request(void **state)
{
	static const char *const bad[] = {
	    "ab",
	    "Upper",
	    "under_score",
	    "-begin",
	    "end-",
	    "two..dots",
	    "192.168.1.1",
	    "xn--bucket",
	    "sthree-x",
	    "x-s3alias",
	    "a b c",
	    "x--ol-s3",
	    "amzn-s3-demo-",
	    ".xacctfs",
	    "caf\xc3\xa9",
	    "x.mrap",
	    "x--x-s3",
	    "x--table-s3",
	    "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-0123456789",
	};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		log_lines_start(LOG_LEVEL_INFO);
		assert_int_equal(make(b, bad[i]), -EINVAL);
		assert_int_equal(log_lines_count("a bucket's name"), 1);
	}
	log_lines_stop();
	assert_int_equal(lists(b), 0);
	assert_int_equal(memory_count(&b->s3, MEMORY_CREATE_BUCKET), 0);
}

static void mkdir_takes_the_names_at_the_edge_of_the_rules(void **state)
{
	static const char *const good[] = {
	    "abc",
	    "0.1",
	    "192.168.1.1.1",
	    "a-.-b",
	    "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-012345678",
	};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(make(b, good[i]), 0);
		assert_true(there(b, good[i]));
	}
}

static void rmdir_is_seen_at_once_and_costs_one_request(void **state)
{
	struct bench *b = *state;

	assert_true(there(b, "beta"));
	assert_int_equal(lose(b, "beta"), 0);
	assert_false(memory_has_bucket(&b->s3, "beta"));
	assert_false(there(b, "beta"));
	assert_string_equal(names(b), ". .. alpha gamma ");
	assert_int_equal(lists(b), 1);
	assert_int_equal(memory_count(&b->s3, MEMORY_DELETE_BUCKET), 1);
}

static void rmdir_of_what_is_not_shown_asks_for_nothing(void **state)
{
	struct bench *b = *state;

	assert_int_equal(lose(b, "delta"), -ENOENT);
	memory_add_bucket(&b->s3, "delta", CREATED_MS, "eu-west-1");
	assert_int_equal(lose(b, "delta"), -ENOENT);
	assert_int_equal(memory_count(&b->s3, MEMORY_DELETE_BUCKET), 0);
	assert_true(memory_has_bucket(&b->s3, "delta"));
}

static void rmdir_errors_change_nothing(void **state)
{
	struct bench *b = *state;

	memory_fail(&b->s3, MEMORY_DELETE_BUCKET, 1, -ENOTEMPTY);
	assert_int_equal(lose(b, "beta"), -ENOTEMPTY);
	assert_true(there(b, "beta"));
	assert_string_equal(names(b), ". .. alpha beta gamma ");
}

static void rmdir_of_what_another_removed_is_seen_at_once(void **state)
{
	struct bench *b = *state;

	assert_true(there(b, "beta"));
	assert_true(memory_remove_bucket(&b->s3, "beta"));
	assert_int_equal(lose(b, "beta"), -ENOENT);
	assert_false(there(b, "beta"));
	assert_string_equal(names(b), ". .. alpha gamma ");
}

static void a_removed_buckets_inode_lives_until_it_is_forgotten(void **state)
{
	struct bench *b = *state;
	uint64_t ino = look(b, "beta");
	struct stat attr;
	int64_t valid_ms;

	assert_int_equal(lose(b, "beta"), 0);
	assert_int_equal(fs_getattr(b->fs, &b->call, ino, &attr, &valid_ms), 0);
	fs_forget(b->fs, ino, 1);
	assert_int_equal(fs_getattr(b->fs, &b->call, ino, &attr, &valid_ms), -ESTALE);
}

static void what_cannot_be_done_at_the_root_says_so(void **state)
{
	struct bench *b = *state;
	struct stat attr = {.st_mode = 0700, .st_uid = UID + 1, .st_gid = GID + 1};
	struct fs_entry entry;
	struct fs_file *file;
	int64_t valid_ms;

	assert_int_equal(
	    fs_create(b->fs, &b->call, FS_ROOT, "file", MAKER, O_WRONLY | O_CREAT, &entry, &file),
	    -EPERM);
	assert_int_equal(fs_mknod(b->fs, FS_ROOT), -EPERM);
	for (int what = FS_SET_MODE; what <= FS_SET_MTIME_NOW; what <<= 1)
		assert_int_equal(
		    fs_setattr(b->fs, &b->call, FS_ROOT, NULL, &attr, what, &attr, &valid_ms),
		    -EPERM);
	assert_int_equal(fs_rename(b->fs, &b->call, FS_ROOT, "alpha", FS_ROOT, "delta", 0), -EXDEV);
	assert_int_equal(fs_unlink(b->fs, &b->call, FS_ROOT, "alpha"), -EISDIR);
	assert_int_equal(fs_unlink(b->fs, &b->call, FS_ROOT, "delta"), -ENOENT);
}

/* ---- one listing for many callers ---- */

static void waiters_share_one_listing(void **state)
{
	struct bench *b = *state;
	struct job jobs[4];

	assert_true(hold_list(b, &jobs[0], JOB_LOOKUP, "alpha", MEMORY_BEFORE));
	job_start(&jobs[1], b, JOB_LOOKUP, "beta");
	job_start(&jobs[2], b, JOB_LOOKUP, "delta");
	job_start(&jobs[3], b, JOB_OPENDIR, NULL);
	assert_true(test_clock_settled(&b->clock, 4));
	memory_release(&b->s3, MEMORY_LIST_BUCKETS);
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
		assert_int_equal(job_join(&jobs[i]), 0);
	assert_int_not_equal(jobs[0].entry.ino, 0);
	assert_int_not_equal(jobs[1].entry.ino, 0);
	assert_int_equal(jobs[2].entry.ino, 0);
	assert_string_equal(names_in(b, jobs[3].dir), ". .. alpha beta gamma ");
	fs_releasedir(b->fs, jobs[3].dir);
	assert_int_equal(lists(b), 1);
}

/* With a TTL of 0 the listing that was under way is too old for those who came later: they share
 * the next one. */
static void waiters_share_the_next_listing_when_the_ttl_is_zero(void **state)
{
	struct bench *b = *state;
	struct job jobs[4];

	assert_true(hold_list(b, &jobs[0], JOB_LOOKUP, "alpha", MEMORY_AFTER));
	for (size_t i = 1; i < ARRAY_LEN(jobs); i++)
		job_start(&jobs[i], b, JOB_LOOKUP, "delta");
	assert_true(test_clock_settled(&b->clock, 4));
	memory_add_bucket(&b->s3, "delta", CREATED_MS, "eu-west-1");
	memory_release(&b->s3, MEMORY_LIST_BUCKETS);
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
		assert_int_equal(job_join(&jobs[i]), 0);
		assert_int_not_equal(jobs[i].entry.ino, 0);
	}
	assert_int_equal(lists(b), 2);
}

static int refuse_answer(void *data, enum memory_op op, enum memory_when when, const char *name)
{
	(void)data;
	(void)op;
	(void)name;
	return when == MEMORY_AFTER ? -EACCES : 0;
}

static void waiters_share_an_error(void **state)
{
	struct bench *b = *state;
	struct job jobs[3];

	memory_hook(&b->s3, refuse_answer, NULL);
	assert_true(hold_list(b, &jobs[0], JOB_LOOKUP, "alpha", MEMORY_AFTER));
	job_start(&jobs[1], b, JOB_LOOKUP, "beta");
	job_start(&jobs[2], b, JOB_OPENDIR, NULL);
	assert_true(test_clock_settled(&b->clock, 3));
	memory_release(&b->s3, MEMORY_LIST_BUCKETS);
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
		assert_int_equal(job_join(&jobs[i]), -EACCES);
	assert_int_equal(lists(b), 1);
}

static void a_cancelled_fetcher_hands_over_to_those_who_wait(void **state)
{
	struct bench *b = *state;
	struct job first, second, third;

	assert_true(hold_list(b, &first, JOB_LOOKUP, "alpha", MEMORY_AFTER));
	job_start(&second, b, JOB_LOOKUP, "beta");
	job_start(&third, b, JOB_LOOKUP, "gamma");
	assert_true(test_clock_settled(&b->clock, 3));
	call_cancel(&first.call);
	assert_int_equal(job_join(&first), -EINTR);
	memory_release(&b->s3, MEMORY_LIST_BUCKETS);
	assert_int_equal(job_join(&second), 0);
	assert_int_equal(job_join(&third), 0);
	assert_int_not_equal(second.entry.ino, 0);
	assert_int_not_equal(third.entry.ino, 0);
	assert_int_equal(lists(b), 2);
}

static void a_fetcher_past_its_deadline_hands_over(void **state)
{
	struct bench *b = *state;
	struct job first, second;

	memory_hold(&b->s3, MEMORY_LIST_BUCKETS, MEMORY_AFTER);
	job_start_timeout(&first, b, JOB_LOOKUP, "alpha", 500);
	assert_true(memory_wait_held(&b->s3, MEMORY_LIST_BUCKETS, 1));
	job_start(&second, b, JOB_LOOKUP, "beta");
	assert_true(test_clock_settled(&b->clock, 2));
	test_clock_advance(&b->clock, 500);
	assert_int_equal(job_join(&first), -ETIMEDOUT);
	memory_release(&b->s3, MEMORY_LIST_BUCKETS);
	assert_int_equal(job_join(&second), 0);
	assert_int_not_equal(second.entry.ino, 0);
}

static void a_cancelled_waiter_goes_alone(void **state)
{
	struct bench *b = *state;
	struct job first, second;

	assert_true(hold_list(b, &first, JOB_LOOKUP, "alpha", MEMORY_BEFORE));
	job_start(&second, b, JOB_LOOKUP, "beta");
	assert_true(test_clock_settled(&b->clock, 2));
	call_cancel(&second.call);
	assert_int_equal(job_join(&second), -EINTR);
	memory_release(&b->s3, MEMORY_LIST_BUCKETS);
	assert_int_equal(job_join(&first), 0);
	assert_int_equal(lists(b), 1);
}

static void a_waiter_past_its_deadline_goes_alone(void **state)
{
	struct bench *b = *state;
	struct job first, second;

	assert_true(hold_list(b, &first, JOB_LOOKUP, "alpha", MEMORY_BEFORE));
	job_start_timeout(&second, b, JOB_LOOKUP, "beta", 500);
	assert_true(test_clock_settled(&b->clock, 2));
	test_clock_advance(&b->clock, 500);
	assert_int_equal(job_join(&second), -ETIMEDOUT);
	memory_release(&b->s3, MEMORY_LIST_BUCKETS);
	assert_int_equal(job_join(&first), 0);
}

/* ---- an answer that was under way while this mount did something ---- */

static void an_answer_from_before_a_mkdir_is_not_believed_after(void **state)
{
	struct bench *b = *state;
	struct job before, after;

	assert_true(hold_list(b, &before, JOB_LOOKUP, "delta", MEMORY_AFTER));
	assert_int_equal(make(b, "delta"), 0);
	job_start(&after, b, JOB_LOOKUP, "delta");
	assert_true(test_clock_settled(&b->clock, 2));
	memory_release(&b->s3, MEMORY_LIST_BUCKETS);
	assert_int_equal(job_join(&before), 0);
	assert_int_equal(job_join(&after), 0);
	/* it may be either, but nobody keeps it */
	assert_int_equal(before.entry.valid_ms, 0);
	assert_int_not_equal(after.entry.ino, 0);
	assert_string_equal(names(b), ". .. alpha beta delta gamma ");
}

static void an_answer_from_before_a_rmdir_is_not_believed_after(void **state)
{
	struct bench *b = *state;
	struct job before, after, rmdir;

	assert_true(there(b, "beta"));
	memory_hold(&b->s3, MEMORY_DELETE_BUCKET, MEMORY_BEFORE);
	job_start(&rmdir, b, JOB_RMDIR, "beta");
	assert_true(memory_wait_held(&b->s3, MEMORY_DELETE_BUCKET, 1));
	test_clock_advance(&b->clock, TTL_MS);
	assert_true(hold_list(b, &before, JOB_LOOKUP, "beta", MEMORY_AFTER));
	memory_release(&b->s3, MEMORY_DELETE_BUCKET);
	assert_int_equal(job_join(&rmdir), 0);
	job_start(&after, b, JOB_LOOKUP, "beta");
	assert_true(test_clock_settled(&b->clock, 2));
	memory_release(&b->s3, MEMORY_LIST_BUCKETS);
	assert_int_equal(job_join(&before), 0);
	assert_int_equal(job_join(&after), 0);
	assert_int_equal(before.entry.valid_ms, 0);
	assert_int_equal(after.entry.ino, 0);
	assert_string_equal(names(b), ". .. alpha gamma ");
}

static void an_answer_for_one_name_from_before_a_mkdir_is_not_kept(void **state)
{
	struct bench *b = *state;
	struct job before;

	assert_true(there(b, "alpha"));
	test_clock_advance(&b->clock, TTL_MS);
	assert_true(hold_list(b, &before, JOB_LOOKUP, "delta", MEMORY_AFTER));
	assert_int_equal(make(b, "delta"), 0);
	memory_release(&b->s3, MEMORY_LIST_BUCKETS);
	assert_int_equal(job_join(&before), 0);
	assert_int_equal(before.entry.valid_ms, 0);
	assert_true(there(b, "delta"));
}

/* ---- open directories ---- */

static void a_directory_lists_each_bucket_once(void **state)
{
	struct bench *b = *state;
	struct fs_dir *dir = open_root(b);
	struct fs_dirent dirent;
	struct fs_entry entry;

	assert_string_equal(names_in(b, dir), ". .. alpha beta gamma ");
	dirent = dirent_of(b, dir, "beta");
	assert_int_equal(dirent.mode, S_IFDIR);
	assert_int_equal(fs_lookup(b->fs, &b->call, FS_ROOT, "beta", &entry), 0);
	assert_int_equal(dirent.st_ino, entry.attr.st_ino);
	fs_releasedir(b->fs, dir);
}

static void an_empty_account_is_an_empty_directory(void **state)
{
	struct bench *b = *state;

	assert_true(memory_remove_bucket(&b->s3, "alpha"));
	assert_true(memory_remove_bucket(&b->s3, "beta"));
	assert_true(memory_remove_bucket(&b->s3, "gamma"));
	assert_string_equal(names(b), ". .. ");
}

static void a_read_directory_stays_as_it_was(void **state)
{
	struct bench *b = *state;
	struct fs_dir *dir = open_root(b);
	struct fs_dirent alpha = dirent_of(b, dir, "alpha"), dirent;

	assert_int_equal(make(b, "abc"), 0);
	assert_int_equal(lose(b, "alpha"), 0);
	test_clock_advance(&b->clock, TTL_MS);
	assert_true(memory_remove_bucket(&b->s3, "beta"));
	assert_int_equal(fs_readdir(b->fs, &b->call, dir, alpha.next, &dirent), 0);
	assert_string_equal(dirent.name, "beta");
	assert_int_equal(fs_readdir(b->fs, &b->call, dir, dirent.next, &dirent), 0);
	assert_string_equal(dirent.name, "gamma");
	assert_int_equal(fs_readdir(b->fs, &b->call, dir, dirent.next, &dirent), -ENOENT);
	fs_releasedir(b->fs, dir);
}

static void a_rewound_directory_is_fresh(void **state)
{
	struct bench *b = *state;
	struct fs_dir *dir = open_root(b);

	assert_string_equal(names_in(b, dir), ". .. alpha beta gamma ");
	assert_int_equal(make(b, "delta"), 0);
	assert_int_equal(lose(b, "alpha"), 0);
	assert_string_equal(names_in(b, dir), ". .. beta delta gamma ");
	assert_true(memory_remove_bucket(&b->s3, "beta"));
	test_clock_advance(&b->clock, TTL_MS);
	assert_string_equal(names_in(b, dir), ". .. delta gamma ");
	fs_releasedir(b->fs, dir);
}

static void a_rewind_that_fails_can_be_tried_again(void **state)
{
	struct bench *b = *state;
	struct fs_dir *dir = open_root(b);
	struct fs_dirent dirent;

	assert_string_equal(names_in(b, dir), ". .. alpha beta gamma ");
	test_clock_advance(&b->clock, TTL_MS);
	memory_fail(&b->s3, MEMORY_LIST_BUCKETS, 1, -EAGAIN);
	assert_int_equal(fs_readdir(b->fs, &b->call, dir, 0, &dirent), -EAGAIN);
	assert_true(memory_remove_bucket(&b->s3, "beta"));
	assert_string_equal(names_in(b, dir), ". .. alpha gamma ");
	fs_releasedir(b->fs, dir);
}

/* The mount may end before the kernel said so; a tool that looks for leaks sees what is left. */
static void directories_that_are_open_end_with_the_file_system(void **state)
{
	struct bench *b = *state;
	struct fs_dir *first = open_root(b), *closed = open_root(b), *last = open_root(b);

	fs_releasedir(b->fs, closed);
	assert_string_equal(names_in(b, first), ". .. alpha beta gamma ");
	assert_string_equal(names_in(b, last), ". .. alpha beta gamma ");
}

static void names_that_no_file_system_can_show_are_left_out(void **state)
{
	struct bench *b = *state;
	char name[NAME_MAX + 2];

	memset(name, 'z', sizeof(name) - 1);
	name[NAME_MAX + 1] = '\0';
	memory_add_bucket(&b->s3, name, CREATED_MS, "eu-west-1");
	memory_add_bucket(&b->s3, "", CREATED_MS, "eu-west-1");
	memory_add_bucket(&b->s3, ".", CREATED_MS, "eu-west-1");
	memory_add_bucket(&b->s3, "..", CREATED_MS, "eu-west-1");
	memory_add_bucket(&b->s3, "a/b", CREATED_MS, "eu-west-1");
	memory_add_bucket(&b->s3, "Old_Style", CREATED_MS, "us-east-1");
	assert_string_equal(names(b), ". .. Old_Style alpha beta gamma ");
	assert_true(there(b, "Old_Style"));
	assert_int_equal(lose(b, "Old_Style"), 0);
}

static void an_entry_of_a_directory_is_the_lookups(void **state)
{
	struct bench *b = *state;
	struct fs_dir *dir = open_root(b);
	struct fs_dirent dirent = dirent_of(b, dir, "beta");
	struct fs_entry entry, looked;

	test_clock_advance(&b->clock, 100);
	assert_int_equal(fs_readdir_entry(b->fs, &b->call, dir, &dirent, 0, &entry), 0);
	assert_int_equal(fs_lookup(b->fs, &b->call, FS_ROOT, "beta", &looked), 0);
	assert_int_equal(entry.ino, looked.ino);
	assert_memory_equal(&entry.attr, &looked.attr, sizeof(entry.attr));
	assert_int_equal(entry.valid_ms, TTL_MS - 100);
	assert_int_equal(lists(b), 1);
	/* each is to be forgotten once */
	fs_forget(b->fs, entry.ino, 1);
	assert_int_equal(fs_getattr(b->fs, &b->call, entry.ino, &entry.attr, &entry.valid_ms), 0);
	fs_forget(b->fs, entry.ino, 1);
	assert_int_equal(lose(b, "beta"), 0);
	assert_int_equal(fs_getattr(b->fs, &b->call, entry.ino, &entry.attr, &entry.valid_ms),
			 -ESTALE);
	fs_releasedir(b->fs, dir);
}

static void the_dots_have_no_entry(void **state)
{
	struct bench *b = *state;
	struct fs_dir *dir = open_root(b);
	struct fs_dirent dot = dirent_of(b, dir, "."), dots = dirent_of(b, dir, "..");
	struct fs_entry entry;

	assert_int_equal(fs_readdir_entry(b->fs, &b->call, dir, &dot, 0, &entry), 0);
	assert_int_equal(entry.ino, 0);
	assert_int_equal(fs_readdir_entry(b->fs, &b->call, dir, &dots, 0, &entry), 0);
	assert_int_equal(entry.ino, 0);
	fs_releasedir(b->fs, dir);
}

static void an_entry_of_a_removed_bucket_is_gone(void **state)
{
	struct bench *b = *state;
	struct fs_dir *dir = open_root(b);
	struct fs_dirent beta = dirent_of(b, dir, "beta");
	struct fs_entry entry;

	assert_int_equal(lose(b, "beta"), 0);
	assert_int_equal(fs_readdir_entry(b->fs, &b->call, dir, &beta, 0, &entry), 0);
	assert_int_equal(entry.ino, 0);
	fs_releasedir(b->fs, dir);
}

static void an_entry_of_an_old_listing_is_not_kept(void **state)
{
	struct bench *b = *state;
	struct fs_dir *dir = open_root(b);
	struct fs_dirent beta = dirent_of(b, dir, "beta");
	struct fs_entry entry;

	assert_true(memory_remove_bucket(&b->s3, "beta"));
	test_clock_advance(&b->clock, TTL_MS);
	assert_int_equal(fs_readdir_entry(b->fs, &b->call, dir, &beta, 0, &entry), 0);
	assert_int_equal(entry.valid_ms, 0);
	assert_int_equal(lists(b), 1);
	fs_releasedir(b->fs, dir);
}

/* ---- the rest ---- */

static void prime_counts_the_buckets(void **state)
{
	struct bench *b = *state;
	size_t n = 42;

	memory_fail(&b->s3, MEMORY_LIST_BUCKETS, 1, -EACCES);
	assert_int_equal(fs_prime(b->fs, &b->call, &n), -EACCES);
	assert_int_equal(n, 42);
	assert_int_equal(fs_prime(b->fs, &b->call, &n), 0);
	assert_int_equal(n, 3);
	assert_true(there(b, "alpha"));
	assert_int_equal(lists(b), 2);
}

static void statfs_has_room_for_all(void **state)
{
	struct bench *b = *state;
	struct statvfs statvfs;

	assert_int_equal(fs_statfs(b->fs, &statvfs), 0);
	assert_true(statvfs.f_frsize > 0 && statvfs.f_bsize > 0);
	assert_true(statvfs.f_bavail * statvfs.f_frsize >= INT64_C(1) << 50);
	assert_true(statvfs.f_bavail <= statvfs.f_blocks);
	assert_true(statvfs.f_favail > 1000000);
	assert_int_equal(statvfs.f_namemax, NAME_MAX);
}

static void the_region_is_an_attribute(void **state)
{
	struct bench *b = *state;
	uint64_t ino = look(b, "beta");
	_cleanup_(buf_deinit) struct buf value = BUF_INIT, list = BUF_INIT;

	assert_int_equal(fs_getxattr(b->fs, &b->call, ino, "user.s3.region", &value), 0);
	assert_string_equal(buf_str(&value), "ap-south-1");
	assert_int_equal(value.len, strlen("ap-south-1"));
	assert_int_equal(memory_count(&b->s3, MEMORY_HEAD_BUCKET), 0);
	assert_int_equal(fs_listxattr(b->fs, &b->call, ino, &list), 0);
	assert_int_equal(list.len, sizeof("user.s3.region"));
	assert_memory_equal(buf_str(&list), "user.s3.region", sizeof("user.s3.region"));
}

static void the_region_is_asked_for_once_when_no_listing_told_it(void **state)
{
	struct bench *b = *state;
	_cleanup_(buf_deinit) struct buf value = BUF_INIT;
	uint64_t ino;

	b->s3.without_regions = true;
	ino = look(b, "beta");
	memory_fail(&b->s3, MEMORY_HEAD_BUCKET, 1, -EACCES);
	assert_int_equal(fs_getxattr(b->fs, &b->call, ino, "user.s3.region", &value), -EACCES);
	assert_int_equal(value.len, 0);
	for (int i = 0; i < 2; i++) {
		buf_clear(&value);
		assert_int_equal(fs_getxattr(b->fs, &b->call, ino, "user.s3.region", &value), 0);
		assert_string_equal(buf_str(&value), "ap-south-1");
	}
	assert_int_equal(memory_count(&b->s3, MEMORY_HEAD_BUCKET), 2);
}

static void other_attributes_are_not_there(void **state)
{
	struct bench *b = *state;
	uint64_t ino = look(b, "beta");
	_cleanup_(buf_deinit) struct buf value = BUF_INIT;
	size_t sent = lists(b);

	assert_int_equal(fs_getxattr(b->fs, &b->call, ino, "user.mime", &value), -ENODATA);
	assert_int_equal(fs_getxattr(b->fs, &b->call, ino, "security.capability", &value),
			 -EOPNOTSUPP);
	assert_int_equal(fs_getxattr(b->fs, &b->call, FS_ROOT, "user.s3.region", &value), -ENODATA);
	assert_int_equal(fs_listxattr(b->fs, &b->call, FS_ROOT, &value), 0);
	assert_int_equal(value.len, 0);
	fs_forget(b->fs, ino, 1);
	assert_int_equal(lose(b, "beta"), 0);
	assert_int_equal(fs_getxattr(b->fs, &b->call, ino, "user.s3.region", &value), -ESTALE);
	assert_int_equal(lists(b), sent);
	assert_int_equal(memory_count(&b->s3, MEMORY_HEAD_BUCKET), 0);
}

#define TEST(name)       cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_TTL_0(name) cmocka_unit_test_setup_teardown(name, setup_ttl_zero, teardown)
#define TEST_PAGES(name) cmocka_unit_test_setup_teardown(name, setup_pages, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(lookup_finds_a_bucket),
	    TEST(lookup_answers_from_the_listing),
	    TEST(a_name_that_is_not_there_is_remembered_as_long),
	    TEST(validity_ends_with_the_listing),
	    TEST(validity_begins_with_the_request),
	    TEST(what_others_did_is_seen_within_the_ttl),
	    TEST_TTL_0(a_ttl_of_zero_asks_each_time),
	    TEST_PAGES(lookup_in_pages_asks_for_the_name_alone),
	    TEST_PAGES(a_server_that_ignores_the_prefix_is_asked_for_all),
	    TEST(a_server_that_pages_for_ever_is_an_error),
	    TEST(names_longer_than_a_component_are_refused),
	    TEST(names_of_files_are_just_not_there),
	    TEST(an_inode_lives_until_it_is_forgotten),
	    TEST(a_failed_getattr_leaves_its_outputs),
	    TEST(the_root_is_there_without_a_request),
	    TEST(an_error_is_passed_on_and_changes_nothing),
	    TEST_PAGES(an_error_on_a_later_page_is_passed_on),
	    TEST(a_listing_that_fails_leaves_the_good_one),
	    TEST(mkdir_is_seen_at_once_and_costs_one_request),
	    TEST(mkdir_is_seen_at_once_without_a_listing),
	    TEST(a_made_bucket_does_not_make_the_listing_younger),
	    TEST(a_made_buckets_validity_begins_with_the_request),
	    TEST(a_bucket_made_again_has_its_new_date),
	    TEST(mkdir_errors_change_nothing),
	    TEST(mkdir_refuses_bad_names_before_a_request),
	    TEST(mkdir_takes_the_names_at_the_edge_of_the_rules),
	    TEST(rmdir_is_seen_at_once_and_costs_one_request),
	    TEST(rmdir_of_what_is_not_shown_asks_for_nothing),
	    TEST(rmdir_errors_change_nothing),
	    TEST(rmdir_of_what_another_removed_is_seen_at_once),
	    TEST(a_removed_buckets_inode_lives_until_it_is_forgotten),
	    TEST(what_cannot_be_done_at_the_root_says_so),
	    TEST(waiters_share_one_listing),
	    TEST_TTL_0(waiters_share_the_next_listing_when_the_ttl_is_zero),
	    TEST(waiters_share_an_error),
	    TEST(a_cancelled_fetcher_hands_over_to_those_who_wait),
	    TEST(a_fetcher_past_its_deadline_hands_over),
	    TEST(a_cancelled_waiter_goes_alone),
	    TEST(a_waiter_past_its_deadline_goes_alone),
	    TEST(an_answer_from_before_a_mkdir_is_not_believed_after),
	    TEST(an_answer_from_before_a_rmdir_is_not_believed_after),
	    TEST_PAGES(an_answer_for_one_name_from_before_a_mkdir_is_not_kept),
	    TEST(a_directory_lists_each_bucket_once),
	    TEST(an_empty_account_is_an_empty_directory),
	    TEST(a_read_directory_stays_as_it_was),
	    TEST(a_rewound_directory_is_fresh),
	    TEST(a_rewind_that_fails_can_be_tried_again),
	    TEST(directories_that_are_open_end_with_the_file_system),
	    TEST(names_that_no_file_system_can_show_are_left_out),
	    TEST(an_entry_of_a_directory_is_the_lookups),
	    TEST(the_dots_have_no_entry),
	    TEST(an_entry_of_a_removed_bucket_is_gone),
	    TEST(an_entry_of_an_old_listing_is_not_kept),
	    TEST(prime_counts_the_buckets),
	    TEST(statfs_has_room_for_all),
	    TEST(the_region_is_an_attribute),
	    TEST(the_region_is_asked_for_once_when_no_listing_told_it),
	    TEST(other_attributes_are_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
