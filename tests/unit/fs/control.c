/* The control files: there without a request, as of their opening, and not to be changed. */
#include "tree_bench.h"

#include "xacctfs/util/buf.h"

#include "log_lines.h"

static int renders; /* how often the file "count" was */

static int render_count(void *data, struct buf *text)
{
	assert_string_equal(data, "ours");
	return buf_printf(text, "%d\n", ++renders);
}

static int render_long(void *data, struct buf *text)
{
	int r = 0;

	(void)data;
	for (int i = 0; i < 100000 && r == 0; i++)
		r = buf_printf(text, "%d\n", renders);
	return r;
}

static int render_nothing(void *data, struct buf *text)
{
	(void)data;
	(void)text;
	return 0;
}

static int render_fails(void *data, struct buf *text)
{
	(void)data;
	(void)text;
	return -ENOMEM;
}

static const struct fs_control table[] = {
    {"count", 0444, render_count},
    {"long", 0400, render_long},
    {"nothing", 0444, render_nothing},
    {"fails", 0444, render_fails},
};

static char ours[] = "ours";

static void with_control(struct bench *b)
{
	renders = 0;
	b->options.control = table;
	b->options.n_control = ARRAY_LEN(table);
	b->options.control_data = ours;
	bench_remount(b);
	memory_reset_counts(&b->s3);
}

static int setup(void **state)
{
	tree_setup(state);
	with_control(*state);
	return 0;
}

static int setup_posix(void **state)
{
	tree_setup(state);
	((struct bench *)*state)->options.posix = true;
	with_control(*state);
	return 0;
}

/* The bucket "one" alone, or what is below a prefix of it. */
static int setup_alone(void **state, const char *prefix)
{
	struct bench *b;

	tree_setup(state);
	b = *state;
	b->options.bucket = "one";
	b->options.prefix = prefix;
	with_control(b);
	log_lines_start(LOG_LEVEL_WARN);
	return 0;
}

static int setup_bucket(void **state)
{
	return setup_alone(state, "");
}

static int setup_prefix(void **state)
{
	return setup_alone(state, "deep/");
}

/* None of what the test did asked S3. */
static int teardown(void **state)
{
	struct bench *b = *state;

	assert_int_equal(count(b, MEMORY_ANY), 0);
	return tree_teardown(state);
}

static int teardown_any(void **state)
{
	log_lines_stop();
	return tree_teardown(state);
}

/* ---- there ---- */

static void the_directory_is_found_and_not_listed(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;

	assert_int_equal(find(b, ".xacctfs", &entry), 0);
	assert_int_equal(entry.attr.st_mode, S_IFDIR | 0555);
	assert_int_equal(entry.attr.st_uid, UID);
	assert_int_equal(entry.attr.st_gid, GID);
	assert_int_equal(entry.valid_ms, TTL_MS);
	assert_int_equal(count(b, MEMORY_ANY), 0);
	assert_string_equal(names_at(b, ""), "one/ two/ ");
	memory_reset_counts(&b->s3);
}

static void its_files_are_found(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;

	assert_int_equal(find(b, ".xacctfs/count", &entry), 0);
	assert_int_equal(entry.attr.st_mode, S_IFREG | 0444);
	assert_int_equal(entry.attr.st_nlink, 1);
	assert_int_equal(find(b, ".xacctfs/long", &entry), 0);
	assert_int_equal(entry.attr.st_mode, S_IFREG | 0400);
	assert_int_equal(entry.attr.st_uid, UID);
	assert_int_equal(find(b, ".xacctfs/nope", &entry), -ENOENT);
	assert_int_equal(find(b, ".xacctfs/.xacctfs", &entry), -ENOENT);
}

/* Also without bytes of the listing: readdirplus gives the nodes themselves. */
static void its_files_are_listed(void **state)
{
	struct bench *b = *state;
	struct fs_dir *dir = open_dir(b, ".xacctfs");
	struct fs_dirent dirent;
	struct fs_entry listed, entry;

	assert_string_equal(names_in(b, dir), "count long nothing fails ");
	dirent = dirent_of(b, dir, "long");
	assert_int_equal(dirent.mode, S_IFREG);
	assert_int_equal(fs_readdir_entry(b->fs, &b->call, dir, &dirent, 10, &listed), 0);
	assert_int_equal(find(b, ".xacctfs/long", &entry), 0);
	assert_int_equal(listed.ino, entry.ino);
	assert_int_equal(listed.attr.st_mode, S_IFREG | 0400);
	assert_int_equal(listed.attr.st_ino, dirent.st_ino);
	dirent = dirent_of(b, dir, ".");
	assert_int_equal(fs_readdir_entry(b->fs, &b->call, dir, &dirent, 10, &listed), 0);
	assert_int_equal(listed.ino, 0);
	fs_releasedir(b->fs, dir);
}

static void they_are_there_when_they_were_forgotten(void **state)
{
	struct bench *b = *state;
	uint64_t ino = ino_of(b, ".xacctfs/count"), number, again;

	assert_int_equal(fs_number(b->fs, ino, &number), 0);
	fs_forget(b->fs, ino, 1);
	fs_forget(b->fs, ino_of(b, ".xacctfs"), 100);
	assert_int_equal(ino_of(b, ".xacctfs/count"), ino);
	assert_int_equal(fs_number(b->fs, ino, &again), 0);
	assert_int_equal(again, number);
}

/* As many others were looked at since as names are kept that the kernel does not have. */
static void they_are_there_when_they_were_long_forgotten(void **state)
{
	struct bench *b = *state;
	struct fs_dirent dirent = {0};
	uint64_t ino, dir;
	struct fs_dir *many;

	b->options.memory_limit = MIB;
	bench_remount(b);
	ino = ino_of(b, ".xacctfs/count");
	dir = ino_of(b, ".xacctfs");
	fs_forget(b->fs, ino, 1);
	fs_forget(b->fs, dir, 2);
	put_many(b, "one", "f", 3000); /* five times as many as there may be */
	many = open_dir(b, "one");
	while (fs_readdir(b->fs, &b->call, many, dirent.next, &dirent) == 0)
		;
	fs_releasedir(b->fs, many);
	assert_int_equal(dirent.next, 2 + 3000);
	assert_int_equal(ino_of(b, ".xacctfs"), dir);
	assert_int_equal(ino_of(b, ".xacctfs/count"), ino);
	memory_reset_counts(&b->s3);
}

static void they_hold_when_the_root_is_looked_at_afresh(void **state)
{
	struct bench *b = *state;
	struct buf names = BUF_INIT, inos = BUF_INIT;
	struct fs_entry entry;

	assert_int_equal(find(b, ".xacctfs", &entry), 0);
	assert_int_equal(fs_expire_dir(b->fs, FS_ROOT, &names, &inos), 0);
	assert_int_equal(fs_expire_dir(b->fs, entry.ino, &names, &inos), 0);
	buf_deinit(&names);
	buf_deinit(&inos);
	assert_int_equal(find(b, ".xacctfs", &entry), 0);
	assert_int_equal(entry.valid_ms, TTL_MS);
}

/* ---- read ---- */

static void a_file_is_as_it_was_when_it_was_opened(void **state)
{
	struct bench *b = *state;
	struct fs_file *first = open_file(b, ".xacctfs/count", O_RDONLY), *second;

	second = open_file(b, ".xacctfs/count", O_RDONLY);
	assert_true(fs_direct_io(first));
	assert_text(b, second, "2\n");
	assert_text(b, first, "1\n");
	assert_text(b, first, "1\n");
	assert_int_equal(fs_fsync(b->fs, &b->call, first), 0);
	assert_false(fs_unwritten(first));
	assert_int_equal(close_file(b, first), 0);
	assert_text(b, second, "2\n");
	assert_int_equal(close_file(b, second), 0);
}

static void a_long_file_is_read_in_pieces(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = open_file(b, ".xacctfs/long", O_RDONLY);
	char piece[8];
	size_t n;

	renders = 7; /* of no more interest to it */
	assert_int_equal(fs_read(b->fs, &b->call, file, 199990, 8, piece, &n), 0);
	assert_int_equal(n, 8);
	assert_memory_equal(piece, "0\n0\n0\n0\n", 8);
	assert_int_equal(fs_read(b->fs, &b->call, file, 199998, 8, piece, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(fs_read(b->fs, &b->call, file, 200000, 8, piece, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(fs_read(b->fs, &b->call, file, UINT64_MAX, 8, piece, &n), 0);
	assert_int_equal(n, 0);
	release(b, file);
}

static void a_file_without_text(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = open_file(b, ".xacctfs/nothing", O_RDONLY);

	assert_text(b, file, "");
	release(b, file);
}

static void a_file_that_cannot_be_made(void **state)
{
	struct bench *b = *state;
	struct fs_file *file;

	assert_int_equal(open_path(b, ".xacctfs/fails", O_RDONLY, &file), -ENOMEM);
}

/* The kernel does not tell of what is open when the mount ends. */
static void a_file_that_is_open_at_the_end(void **state)
{
	struct bench *b = *state;

	open_file(b, ".xacctfs/count", O_RDONLY);
	assert_int_equal(fs_save(b->fs, &b->call), 0);
	bench_remount(b);
}

static void the_directory_is_no_file(void **state)
{
	struct bench *b = *state;
	struct fs_file *file;
	struct fs_dir *dir;

	assert_int_equal(open_path(b, ".xacctfs", O_RDONLY, &file), -EISDIR);
	assert_int_equal(fs_opendir(b->fs, &b->call, ino_of(b, ".xacctfs/count"), &dir), -ENOTDIR);
}

/* ---- and not changed ---- */

static void nothing_is_written(void **state)
{
	struct bench *b = *state;
	struct stat attr = {.st_size = 0, .st_mode = 0444};
	struct fs_file *file;
	int64_t valid_ms;

	assert_int_equal(open_path(b, ".xacctfs/count", O_WRONLY, &file), -EACCES);
	assert_int_equal(open_path(b, ".xacctfs/count", O_RDWR | O_TRUNC, &file), -EACCES);
	assert_int_equal(fs_setattr(b->fs, &b->call, ino_of(b, ".xacctfs/count"), NULL, &attr,
				    FS_SET_SIZE, &attr, &valid_ms),
			 -EACCES);
	assert_int_equal(fs_setattr(b->fs, &b->call, ino_of(b, ".xacctfs/count"), NULL, &attr,
				    FS_SET_MODE, &attr, &valid_ms),
			 -EPERM);
	assert_int_equal(fs_setattr(b->fs, &b->call, ino_of(b, ".xacctfs"), NULL, &attr,
				    FS_SET_MTIME_NOW, &attr, &valid_ms),
			 -EPERM);
	file = open_file(b, ".xacctfs/count", O_RDONLY);
	assert_int_equal(write_at(b, file, 0, "x"), -EBADF);
	release(b, file);
}

static void no_name_is_made(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;
	struct fs_file *file;
	uint64_t dir = ino_of(b, ".xacctfs");

	assert_int_equal(make_dir(b, ".xacctfs"), -EEXIST);
	assert_int_equal(create_path(b, ".xacctfs", O_WRONLY, &file), -EEXIST);
	assert_int_equal(fs_symlink(b->fs, &b->call, FS_ROOT, ".xacctfs", "t", MAKER, &entry),
			 -EEXIST);
	assert_int_equal(make_dir(b, ".xacctfs/new"), -EPERM);
	assert_int_equal(create_path(b, ".xacctfs/new", O_WRONLY, &file), -EPERM);
	assert_int_equal(create_path(b, ".xacctfs/count", O_WRONLY, &file), -EPERM);
	assert_int_equal(fs_symlink(b->fs, &b->call, dir, "new", "t", MAKER, &entry), -EPERM);
	assert_int_equal(fs_mknod(b->fs, dir), -EPERM);
}

static void no_name_is_removed(void **state)
{
	struct bench *b = *state;

	assert_int_equal(remove_dir(b, ".xacctfs"), -EPERM);
	assert_int_equal(unlink_file(b, ".xacctfs"), -EPERM);
	assert_int_equal(unlink_file(b, ".xacctfs/count"), -EPERM);
	assert_int_equal(remove_dir(b, ".xacctfs/count"), -EPERM);
}

static void no_name_is_moved(void **state)
{
	struct bench *b = *state;

	put(b, "one", "file", "x");
	assert_int_equal(rename_path(b, ".xacctfs", "three", 0), -EPERM);
	assert_int_equal(rename_path(b, "one", ".xacctfs", 0), -EPERM);
	assert_int_equal(rename_path(b, ".xacctfs/count", ".xacctfs/long", 0), -EPERM);
	assert_int_equal(rename_path(b, ".xacctfs/count", "one/count", 0), -EPERM);
	assert_int_equal(rename_path(b, "one/file", ".xacctfs/file", 0), -EPERM);
	assert_true(has_text(b, "one", "file", "x"));
	memory_reset_counts(&b->s3);
}

static void there_are_no_attributes(void **state)
{
	struct bench *b = *state;
	uint64_t ino = ino_of(b, ".xacctfs/count");
	struct buf text = BUF_INIT;

	assert_int_equal(fs_getxattr(b->fs, &b->call, ino, "user.s3.etag", &text), -ENODATA);
	assert_int_equal(fs_listxattr(b->fs, &b->call, ino, &text), 0);
	assert_int_equal(fs_listxattr(b->fs, &b->call, ino_of(b, ".xacctfs"), &text), 0);
	assert_int_equal(text.len, 0);
	buf_deinit(&text);
}

/* ---- below a bucket that is mounted alone ---- */

static void a_bucket_alone_has_them_too(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = open_file(b, ".xacctfs/count", O_RDONLY);

	assert_text(b, file, "1\n");
	release(b, file);
	assert_int_equal(count(b, MEMORY_ANY), 0);
	assert_int_equal(make_dir(b, ".xacctfs"), -EEXIST);
	assert_int_equal(remove_dir(b, ".xacctfs"), -EPERM);
	assert_int_equal(rename_path(b, ".xacctfs", "other", 0), -EPERM);
	assert_int_equal(count(b, MEMORY_ANY), 0);
}

static void keys_of_that_name_are_hidden(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;

	put(b, "one", ".xacctfs", "a key");
	put(b, "one", ".xacctfs/count", "another");
	put(b, "one", "dir/.xacctfs", "shown");
	put(b, "one", "other", "shown");
	assert_string_equal(names_at(b, ""), "dir/ other ");
	assert_string_equal(names_at(b, ""), "dir/ other ");
	assert_string_equal(names_at(b, "dir"), ".xacctfs ");
	assert_int_equal(
	    log_lines_count("warn: one/.xacctfs is hidden by the control files of this name"), 1);
	assert_int_equal(find(b, ".xacctfs", &entry), 0);
	assert_int_equal(entry.attr.st_mode, S_IFDIR | 0555);
	assert_int_equal(unlink_file(b, "dir/.xacctfs"), 0);
	assert_true(has_text(b, "one", ".xacctfs/count", "another"));
}

static void keys_of_that_name_are_hidden_below_a_prefix(void **state)
{
	struct bench *b = *state;

	put(b, "one", ".xacctfs", "of no interest");
	put(b, "one", "deep/.xacctfs/key", "hidden");
	put(b, "one", "deep/other", "shown");
	assert_string_equal(names_at(b, ""), "other ");
	assert_int_equal(
	    log_lines_count("warn: one/deep/.xacctfs is hidden by the control files of this name"),
	    1);
	assert_int_equal(mode_at(b, ".xacctfs"), S_IFDIR | 0555);
}

/* ---- without a table ---- */

static void without_files_the_name_is_like_others(void **state)
{
	struct bench *b = *state;

	assert_false(exists(b, ".xacctfs"));
	put(b, "one", ".xacctfs", "a key");
	assert_string_equal(names_at(b, "one"), ".xacctfs ");
}

#define quiet(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define posix(name) cmocka_unit_test_setup_teardown(name, setup_posix, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    quiet(the_directory_is_found_and_not_listed),
	    quiet(its_files_are_found),
	    quiet(its_files_are_listed),
	    quiet(they_are_there_when_they_were_forgotten),
	    quiet(they_are_there_when_they_were_long_forgotten),
	    quiet(they_hold_when_the_root_is_looked_at_afresh),
	    quiet(a_file_is_as_it_was_when_it_was_opened),
	    quiet(a_long_file_is_read_in_pieces),
	    quiet(a_file_without_text),
	    quiet(a_file_that_cannot_be_made),
	    quiet(a_file_that_is_open_at_the_end),
	    quiet(the_directory_is_no_file),
	    quiet(nothing_is_written),
	    quiet(no_name_is_made),
	    quiet(no_name_is_removed),
	    quiet(no_name_is_moved),
	    quiet(there_are_no_attributes),
	    posix(its_files_are_found),
	    posix(its_files_are_listed),
	    posix(nothing_is_written),
	    posix(no_name_is_made),
	    posix(no_name_is_moved),
	    cmocka_unit_test_setup_teardown(a_bucket_alone_has_them_too, setup_bucket,
					    teardown_any),
	    cmocka_unit_test_setup_teardown(keys_of_that_name_are_hidden, setup_bucket,
					    teardown_any),
	    cmocka_unit_test_setup_teardown(keys_of_that_name_are_hidden_below_a_prefix,
					    setup_prefix, teardown_any),
	    cmocka_unit_test_setup_teardown(without_files_the_name_is_like_others, tree_setup,
					    tree_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
