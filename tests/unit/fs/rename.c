/* rename(2): files and directories, what fails on the way, and what is open meanwhile. */
#include "tree_bench.h"

#include <pthread.h>
#include <stdio.h>

#include "../../../src/fs/copy.h"
#include "log_lines.h"

static int setup(void **state)
{
	return tree_setup(state);
}

static int teardown(void **state)
{
	return tree_teardown(state);
}

static void assert_keys(struct bench *b, const char *bucket, const char *expected)
{
	_cleanup_(buf_deinit) struct buf buf = BUF_INIT;

	memory_keys(&b->s3, bucket, &buf);
	assert_string_equal(buf_str(&buf), expected);
}

/* ---- files ---- */

static void a_file_is_copied_and_deleted(void **state)
{
	struct bench *b = *state;
	char name[] = "owner", value[] = "anne", type[] = "text/x-special";
	struct object_meta meta = {name, value};
	_cleanup_(object_deinit) struct object object = {0};
	uint64_t ino;
	struct fs_entry entry;

	memory_put_as(&b->s3, "one", "a", "text", 4,
		      &(struct object){.content_type = type, .meta = &meta, .n_meta = 1});
	ino = ino_of(b, "one/a");
	assert_false(exists(b, "one/b"));
	memory_reset_counts(&b->s3);
	assert_int_equal(rename_path(b, "one/a", "one/b", 0), 0);
	assert_int_equal(count(b, MEMORY_COPY_OBJECT), 1);
	assert_int_equal(count(b, MEMORY_DELETE_OBJECT), 1);
	assert_true(count(b, MEMORY_ANY) <= 3); /* one to look for the new name */
	assert_keys(b, "one", "b\n");
	assert_true(memory_stat(&b->s3, "one", "b", &object));
	assert_string_equal(object.content_type, "text/x-special");
	assert_string_equal(object_meta_get(&object, "owner"), "anne");
	/* seen at once */
	memory_reset_counts(&b->s3);
	assert_int_equal(find(b, "one/b", &entry), 0);
	assert_int_equal(entry.ino, ino);
	assert_int_equal(entry.attr.st_size, 4);
	assert_int_equal(count(b, MEMORY_ANY), 0);
	assert_false(exists(b, "one/a"));
	assert_string_equal(names_at(b, "one"), "b ");
}

static void a_file_goes_over_another(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;

	put(b, "one", "a", "text");
	put(b, "one", "b", "longer text");
	assert_int_equal(rename_path(b, "one/a", "one/b", 0), 0);
	assert_keys(b, "one", "b\n");
	assert_true(has_text(b, "one", "b", "text"));
	assert_int_equal(find(b, "one/b", &entry), 0);
	assert_int_equal(entry.attr.st_size, 4);
}

static void noreplace_replaces_nothing(void **state)
{
	struct bench *b = *state;

	put(b, "one", "a", "text");
	put(b, "one", "b", "longer text");
	put(b, "one", "dir/x", "");
	assert_int_equal(rename_path(b, "one/a", "one/b", RENAME_NOREPLACE), -EEXIST);
	assert_int_equal(rename_path(b, "one/dir", "one/b", RENAME_NOREPLACE), -EEXIST);
	assert_true(has_text(b, "one", "b", "longer text"));
	assert_int_equal(rename_path(b, "one/a", "one/c", RENAME_NOREPLACE), 0);
	assert_keys(b, "one", "b\nc\ndir/x\n");
	assert_int_equal(rename_path(b, "one/c", "one/d", RENAME_EXCHANGE), -EINVAL);
	assert_int_equal(rename_path(b, "one/c", "one/d", RENAME_WHITEOUT), -EINVAL);
}

static void a_file_goes_into_another_bucket(void **state)
{
	struct bench *b = *state;

	put(b, "one", "dir/a", "text");
	put(b, "two", "deep/er/x", "");
	assert_int_equal(rename_path(b, "one/dir/a", "two/deep/er/b", 0), 0);
	assert_keys(b, "one", "");
	assert_true(has_text(b, "two", "deep/er/b", "text"));
	/* the directory that lost its last file is there */
	assert_true(exists(b, "one/dir"));
	assert_int_equal(remove_dir(b, "one/dir"), 0);
	assert_string_equal(names_at(b, "two/deep/er"), "b x ");
}

static void buckets_are_not_renamed(void **state)
{
	struct bench *b = *state;
	size_t sent;

	put(b, "one", "a", "text");
	ino_of(b, "one/a");
	sent = count(b, MEMORY_ANY);
	assert_int_equal(rename_path(b, "one", "three", 0), -EXDEV);
	assert_int_equal(rename_path(b, "one/a", "three", 0), -EXDEV);
	assert_int_equal(rename_path(b, "one", "two/x", 0), -EXDEV);
	assert_int_equal(count(b, MEMORY_ANY), sent);
}

static void what_is_not_there_is_not_renamed(void **state)
{
	struct bench *b = *state;
	uint64_t one = ino_of(b, "one");
	char name[NAME_MAX + 2];

	memset(name, 'n', NAME_MAX + 1);
	name[NAME_MAX + 1] = '\0';
	put(b, "one", "a", "text");
	assert_int_equal(rename_path(b, "one/gone", "one/b", 0), -ENOENT);
	assert_int_equal(fs_rename(b->fs, &b->call, one, "a", one, name, 0), -ENAMETOOLONG);
	assert_int_equal(fs_rename(b->fs, &b->call, one, name, one, "a", 0), -ENAMETOOLONG);
	assert_int_equal(fs_rename(b->fs, &b->call, 77, "a", one, "b", 0), -ESTALE);
	assert_int_equal(fs_rename(b->fs, &b->call, one, "a", 77, "b", 0), -ESTALE);
	assert_int_equal(fs_rename(b->fs, &b->call, one, "a", ino_of(b, "one/a"), "b", 0),
			 -ENOTDIR);
	assert_int_equal(rename_path(b, "one/a", "one/a", 0), 0);
	assert_keys(b, "one", "a\n");
	assert_int_equal(count(b, MEMORY_COPY_OBJECT), 0);
}

static void files_and_directories_do_not_replace_each_other(void **state)
{
	struct bench *b = *state;

	put(b, "one", "file", "text");
	put(b, "one", "dir/x", "");
	assert_int_equal(rename_path(b, "one/file", "one/dir", 0), -EISDIR);
	assert_int_equal(rename_path(b, "one/dir", "one/file", 0), -ENOTDIR);
	assert_keys(b, "one", "dir/x\nfile\n");
}

static void a_file_of_more_than_5_gib_is_copied_in_parts(void **state)
{
	struct bench *b = *state;
	const uint64_t size = S3_PUT_MAX + 12345;
	_cleanup_(object_deinit) struct object object = {0};
	struct fs_entry entry;

	memory_put_zeros(&b->s3, "one", "big", size);
	memory_put_zeros(&b->s3, "one", "most", S3_PUT_MAX);
	assert_int_equal(rename_path(b, "one/most", "one/moved", 0), 0);
	assert_int_equal(count(b, MEMORY_COPY_OBJECT), 1);
	assert_int_equal(count(b, MEMORY_COPY_PART), 0);
	assert_int_equal(rename_path(b, "one/big", "two/big", 0), 0);
	assert_int_equal(count(b, MEMORY_COPY_OBJECT), 1);
	assert_int_equal(count(b, MEMORY_COPY_PART), 6);
	assert_keys(b, "one", "moved\n");
	assert_true(memory_stat(&b->s3, "two", "big", &object));
	assert_int_equal(object.size, size);
	assert_int_equal(find(b, "two/big", &entry), 0);
	assert_int_equal(entry.attr.st_size, size);
	/* a part fails: all is as it was, and nothing is left behind */
	memory_fail_nth(&b->s3, MEMORY_COPY_PART, 3, MEMORY_BEFORE, -EACCES);
	assert_int_equal(rename_path(b, "two/big", "two/other", 0), -EACCES);
	assert_keys(b, "two", "big\n");
	assert_int_equal(memory_uploads(&b->s3, NULL), 0);
	memory_fail(&b->s3, MEMORY_COMPLETE_UPLOAD, 1, -EAGAIN);
	assert_int_equal(rename_path(b, "two/big", "two/other", 0), -EAGAIN);
	assert_keys(b, "two", "big\n");
	assert_int_equal(memory_uploads(&b->s3, NULL), 0);
}

struct giving_up {
	struct bench *b;
	enum memory_op op;
};

static int give_up(void *data, enum memory_op op, enum memory_when when, const char *name)
{
	struct giving_up *giving_up = data;

	(void)name;
	if (op == giving_up->op && when == MEMORY_BEFORE)
		call_cancel(&giving_up->b->call);
	return 0;
}

/* Whatever ends it: an error, a lost answer, or that nobody waits any more. */
static void a_copy_in_parts_leaves_no_upload(void **state)
{
	static const enum memory_op ops[] = {MEMORY_COPY_PART, MEMORY_COMPLETE_UPLOAD};
	struct bench *b = *state;

	memory_put_zeros(&b->s3, "one", "big", S3_PUT_MAX + 1);
	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		struct giving_up giving_up = {b, ops[i]};

		for (enum memory_when when = MEMORY_BEFORE; when <= MEMORY_AFTER; when++) {
			memory_fail_nth(&b->s3, ops[i], 1, when, -EIO);
			assert_int_equal(rename_path(b, "one/big", "two/big", 0), -EIO);
			assert_int_equal(memory_uploads(&b->s3, NULL), 0);
			assert_true(memory_has(&b->s3, "one", "big"));
		}
		memory_hook(&b->s3, give_up, &giving_up);
		assert_int_equal(rename_path(b, "one/big", "two/big", 0), -EINTR);
		memory_hook(&b->s3, NULL, NULL);
		assert_int_equal(memory_uploads(&b->s3, NULL), 0);
		assert_true(memory_has(&b->s3, "one", "big"));
		call_deinit(&b->call);
		call_init(&b->call, NULL, &b->clock.clock, CLOCK_NEVER);
	}
	assert_int_equal(count(b, MEMORY_ABORT_UPLOAD), 6);
}

/* Without an ETag, the size is all that tells of which object the parts are. */
static void a_copy_in_parts_is_of_the_whole_object(void **state)
{
	struct bench *b = *state;
	struct object_id from = {"one", "big"}, to = {"two", "big"};
	struct object source = {.size = S3_PUT_MAX + 1};
	_cleanup_(object_deinit) struct object copy = {0};

	memory_put_zeros(&b->s3, "one", "big", source.size + 1);
	assert_int_equal(copy_object(b->fs, &b->call, &from, &source, &to, NULL, &copy), -ESTALE);
	assert_keys(b, "two", "");
	assert_int_equal(memory_uploads(&b->s3, NULL), 0);
}

static void a_copy_that_fails_changes_nothing(void **state)
{
	struct bench *b = *state;
	struct fs_file *file;

	put(b, "one", "a", "text");
	put(b, "one", "b", "other");
	file = open_file(b, "one/a", O_RDONLY);
	memory_fail(&b->s3, MEMORY_COPY_OBJECT, 1, -EACCES);
	assert_int_equal(rename_path(b, "one/a", "one/b", 0), -EACCES);
	assert_true(has_text(b, "one", "a", "text"));
	assert_true(has_text(b, "one", "b", "other"));
	assert_text(b, file, "text");
	release(b, file);
	assert_string_equal(names_at(b, "one"), "a b ");
}

static void a_source_that_cannot_be_deleted_is_there_still(void **state)
{
	struct bench *b = *state;
	uint64_t ino;
	struct fs_file *file;

	put(b, "one", "a", "text");
	put(b, "one", "b", "other");
	ino = ino_of(b, "one/a");
	assert_true(exists(b, "one/b"));
	file = open_file(b, "one/a", O_RDWR);
	memory_fail(&b->s3, MEMORY_DELETE_OBJECT, 1, -EACCES);
	log_lines_start(LOG_LEVEL_WARN);
	assert_int_equal(rename_path(b, "one/a", "one/b", 0), -EACCES);
	assert_int_equal(log_lines_count("one/a"), 1);
	log_lines_stop();
	assert_true(has_text(b, "one", "a", "text"));
	assert_int_equal(ino_of(b, "one/a"), ino);
	assert_text(b, file, "text");
	assert_int_equal(write_at(b, file, 0, "T"), 0);
	assert_int_equal(close_file(b, file), 0);
	assert_true(has_text(b, "one", "a", "Text"));
	/* what is there under the new name is seen as it is */
	file = open_file(b, "one/b", O_RDONLY);
	assert_text(b, file, "text");
	release(b, file);
	assert_int_equal(rename_path(b, "one/a", "one/b", 0), 0);
	assert_keys(b, "one", "b\n");
	assert_true(has_text(b, "one", "b", "Text"));
}

/* The name was not taken from it, so it is told what becomes of its bytes. */
static void a_file_that_was_nearly_replaced_is_told(void **state)
{
	struct bench *b = *state;
	struct fs_file *target;

	put(b, "one", "a", "text");
	target = create_file(b, "one/b");
	assert_int_equal(write_at(b, target, 0, "new"), 0);
	memory_fail(&b->s3, MEMORY_DELETE_OBJECT, 1, -EACCES);
	assert_int_equal(rename_path(b, "one/a", "one/b", 0), -EACCES);
	assert_text(b, target, "new");
	assert_int_equal(close_file(b, target), -EEXIST);
	assert_true(has_text(b, "one", "a", "text"));
	assert_true(has_text(b, "one", "b", "text"));
}

/* Whatever answer is lost, the bytes are somewhere under one of the names. */
static void a_lost_answer_loses_no_byte(void **state)
{
	struct bench *b = *state;

	for (size_t nth = 1; nth <= 4; nth++) {
		int r;

		put(b, "one", "a", "text");
		memory_remove(&b->s3, "one", "b");
		test_clock_advance(&b->clock, TTL_MS);
		assert_true(exists(b, "one/a"));
		memory_fail_nth(&b->s3, MEMORY_ANY, nth, MEMORY_AFTER, -ETIMEDOUT);
		r = rename_path(b, "one/a", "one/b", 0);
		memory_clear_faults(&b->s3);
		assert_true(r == 0 || r == -ETIMEDOUT);
		assert_true(has_text(b, "one", "a", "text") || has_text(b, "one", "b", "text"));
		if (r == 0)
			assert_keys(b, "one", "b\n");
	}
}

static int replace_source(void *data, enum memory_op op, enum memory_when when, const char *name)
{
	struct bench *b = data;

	(void)name;
	if (op == MEMORY_COPY_OBJECT && when == MEMORY_BEFORE)
		put(b, "one", "a", "another client's");
	return 0;
}

static void a_source_that_another_replaces_is_not_lost(void **state)
{
	struct bench *b = *state;

	put(b, "one", "a", "text");
	memory_hook(&b->s3, replace_source, b);
	assert_int_equal(rename_path(b, "one/a", "one/b", 0), -ESTALE);
	memory_hook(&b->s3, NULL, NULL);
	assert_keys(b, "one", "a\n");
	assert_true(has_text(b, "one", "a", "another client's"));
}

static int replace_copied(void *data, enum memory_op op, enum memory_when when, const char *name)
{
	struct bench *b = data;

	(void)name;
	if ((op == MEMORY_DELETE_OBJECT || op == MEMORY_DELETE_OBJECTS) && when == MEMORY_BEFORE)
		put(b, "one", "dir/a", "another client's");
	return 0;
}

/* As if it had come just behind the rename. */
static void what_another_makes_of_a_copied_source_stays(void **state)
{
	struct bench *b = *state;

	put(b, "one", "dir/a", "text");
	memory_hook(&b->s3, replace_copied, b);
	assert_int_equal(rename_path(b, "one/dir/a", "one/b", 0), 0);
	memory_hook(&b->s3, NULL, NULL);
	assert_keys(b, "one", "b\ndir/a\n");
	assert_true(has_text(b, "one", "b", "text"));
	assert_true(has_text(b, "one", "dir/a", "another client's"));
	assert_true(exists(b, "one/dir/a"));
}

static void what_another_makes_below_a_copied_directory_stays(void **state)
{
	struct bench *b = *state;

	put(b, "one", "dir/a", "text");
	put(b, "one", "dir/b", "more");
	memory_hook(&b->s3, replace_copied, b);
	assert_int_equal(rename_path(b, "one/dir", "one/to", 0), 0);
	memory_hook(&b->s3, NULL, NULL);
	assert_keys(b, "one", "dir/a\nto/a\nto/b\n");
	assert_true(has_text(b, "one", "to/a", "text"));
	assert_true(has_text(b, "one", "dir/a", "another client's"));
	assert_string_equal(names_at(b, "one"), "dir/ to/ ");
}

/* ---- open files ---- */

static void handles_go_on_under_the_new_name(void **state)
{
	struct bench *b = *state;
	struct fs_file *file, *reader;

	put(b, "one", "a", "text");
	file = open_file(b, "one/a", O_RDWR);
	reader = open_file(b, "one/a", O_RDONLY);
	assert_int_equal(rename_path(b, "one/a", "two/b", 0), 0);
	assert_text(b, file, "text");
	assert_int_equal(write_at(b, file, 0, "T"), 0);
	assert_text(b, reader, "Text");
	assert_int_equal(close_file(b, file), 0);
	assert_text(b, reader, "Text");
	assert_int_equal(close_file(b, reader), 0);
	assert_keys(b, "one", "");
	assert_true(has_text(b, "two", "b", "Text"));
}

static void what_was_written_goes_with_it(void **state)
{
	struct bench *b = *state;
	struct fs_file *file;

	put(b, "one", "a", "text");
	file = open_file(b, "one/a", O_RDWR);
	assert_int_equal(write_at(b, file, 0, "TE"), 0);
	assert_int_equal(rename_path(b, "one/a", "one/b", 0), 0);
	assert_true(has_text(b, "one", "b", "TExt"));
	assert_int_equal(write_at(b, file, 2, "XT"), 0);
	assert_int_equal(close_file(b, file), 0);
	assert_keys(b, "one", "b\n");
	assert_true(has_text(b, "one", "b", "TEXT"));
}

/* As editors do: a new file is written, and goes over the old one before or after its close. */
static void a_new_file_goes_over_an_old_one(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 2; i++) {
		struct fs_file *file, *old;

		put(b, "one", "file", "old");
		test_clock_advance(&b->clock, TTL_MS);
		old = open_file(b, "one/file", O_RDONLY);
		file = create_file(b, "one/file.tmp");
		assert_int_equal(write_at(b, file, 0, "new"), 0);
		if (i)
			assert_int_equal(close_file(b, file), 0);
		assert_int_equal(rename_path(b, "one/file.tmp", "one/file", 0), 0);
		assert_true(has_text(b, "one", "file", "new"));
		if (!i)
			assert_int_equal(close_file(b, file), 0);
		assert_int_equal(close_file(b, old), 0);
		assert_keys(b, "one", "file\n");
		assert_true(has_text(b, "one", "file", "new"));
		file = open_file(b, "one/file", O_RDONLY);
		assert_text(b, file, "new");
		release(b, file);
	}
}

static void a_file_that_cannot_be_saved_is_not_renamed(void **state)
{
	struct bench *b = *state;
	struct fs_file *file = create_file(b, "one/a");

	assert_int_equal(write_at(b, file, 0, "text"), 0);
	memory_fail(&b->s3, MEMORY_PUT_OBJECT, 1, -EACCES);
	assert_int_equal(rename_path(b, "one/a", "one/b", 0), -EACCES);
	assert_true(exists(b, "one/a"));
	assert_false(exists(b, "one/b"));
	assert_int_equal(close_file(b, file), 0);
	assert_keys(b, "one", "a\n");
}

static void what_is_written_to_a_replaced_file_goes_nowhere(void **state)
{
	struct bench *b = *state;
	struct fs_file *target;

	put(b, "one", "a", "text");
	put(b, "one", "b", "other");
	target = open_file(b, "one/b", O_RDWR);
	assert_text(b, target, "other");
	assert_int_equal(write_at(b, target, 0, "OTHER"), 0);
	assert_int_equal(rename_path(b, "one/a", "one/b", 0), 0);
	assert_text(b, target, "OTHER");
	assert_int_equal(write_at(b, target, 0, "lost?"), 0);
	assert_int_equal(close_file(b, target), 0);
	assert_true(has_text(b, "one", "b", "text"));
}

/* ---- open files, in other threads ---- */

struct flushing {
	struct bench *b;
	struct fs_file *file;
	const char *text; /* written first, when it is not NULL */
	pthread_t thread;
	int r;
};

static void *run_flush(void *data)
{
	struct flushing *f = data;
	struct call call;

	call_init(&call, NULL, &f->b->clock.clock, CLOCK_NEVER);
	f->r = f->text ? fs_write(f->b->fs, &call, f->file, 0, f->text, strlen(f->text)) : 0;
	if (f->r == 0)
		f->r = fs_flush(f->b->fs, &call, f->file);
	call_deinit(&call);
	return NULL;
}

static void start_flush(struct flushing *f)
{
	assert_int_equal(pthread_create(&f->thread, NULL, run_flush, f), 0);
}

static int join_flush(struct flushing *f)
{
	assert_int_equal(pthread_join(f->thread, NULL), 0);
	return f->r;
}

/* Begins when the copy is there, before the source goes; the rename goes on when it waits. */
static struct flushing *meanwhile;

static int flush_meanwhile(void *data, enum memory_op op, enum memory_when when, const char *name)
{
	(void)data;
	(void)name;
	/* looked at last: requests of other threads are not that copy, and come at any time */
	if (when == MEMORY_AFTER && op == MEMORY_COPY_OBJECT && meanwhile) {
		struct flushing *f = meanwhile;

		meanwhile = NULL;
		start_flush(f);
		assert_true(test_clock_settled(&f->b->clock, 1));
	}
	return 0;
}

static void bytes_written_while_it_is_renamed_are_not_lost(void **state)
{
	struct bench *b = *state;
	struct flushing flushing = {.b = b, .text = "TEXT"};

	put(b, "one", "a", "text");
	flushing.file = open_file(b, "one/a", O_RDWR);
	meanwhile = &flushing;
	memory_hook(&b->s3, flush_meanwhile, NULL);
	assert_int_equal(rename_path(b, "one/a", "one/b", 0), 0);
	assert_int_equal(join_flush(&flushing), 0);
	memory_hook(&b->s3, NULL, NULL);
	assert_int_equal(close_file(b, flushing.file), 0);
	assert_keys(b, "one", "b\n");
	assert_true(has_text(b, "one", "b", "TEXT"));
}

static void a_replaced_files_late_upload_does_not_replace_the_new_one(void **state)
{
	struct bench *b = *state;
	struct flushing flushing = {.b = b, .text = "OTHER"};

	put(b, "one", "a", "text");
	put(b, "one", "b", "other");
	flushing.file = open_file(b, "one/b", O_RDWR);
	assert_text(b, flushing.file, "other");
	meanwhile = &flushing;
	memory_hook(&b->s3, flush_meanwhile, NULL);
	assert_int_equal(rename_path(b, "one/a", "one/b", 0), 0);
	(void)join_flush(&flushing);
	memory_hook(&b->s3, NULL, NULL);
	release(b, flushing.file);
	assert_true(has_text(b, "one", "b", "text"));
}

/* A file is opened, written and closed while its directory is copied. */
struct visitor {
	struct bench *b;
	uint64_t ino;
	const char *text;
	bool done;
	bool leave_open;
	struct fs_file *file;
};

static int visit(void *data, enum memory_op op, enum memory_when when, const char *name)
{
	struct visitor *v = data;
	struct bench *b = v->b;
	struct call call;
	bool keep;

	/* done is looked at last: other threads copy the directory's other files */
	if (op != MEMORY_COPY_OBJECT || when != MEMORY_AFTER || strcmp(name, "two/to/file") != 0 ||
	    v->done)
		return 0;
	v->done = true;
	call_init(&call, NULL, &b->clock.clock, CLOCK_NEVER);
	assert_int_equal(fs_open(b->fs, &call, v->ino, O_RDWR, &v->file, &keep), 0);
	assert_int_equal(fs_write(b->fs, &call, v->file, 0, v->text, strlen(v->text)), 0);
	if (!v->leave_open) {
		assert_int_equal(fs_flush(b->fs, &call, v->file), 0);
		fs_release(b->fs, &call, v->file);
	}
	call_deinit(&call);
	return 0;
}

static void bytes_written_while_the_directory_is_renamed_are_not_lost(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 2; i++) {
		struct visitor visitor = {.b = b, .text = "TEXT", .leave_open = i};

		put(b, "one", "from/file", "text");
		put(b, "one", "from/other", "text");
		test_clock_advance(&b->clock, TTL_MS);
		visitor.ino = ino_of(b, "one/from/file");
		memory_hook(&b->s3, visit, &visitor);
		assert_int_equal(rename_path(b, "one/from", "two/to", 0), 0);
		memory_hook(&b->s3, NULL, NULL);
		assert_true(visitor.done);
		if (i)
			assert_int_equal(close_file(b, visitor.file), 0);
		assert_keys(b, "one", "");
		assert_keys(b, "two", "to/file\nto/other\n");
		assert_true(has_text(b, "two", "to/file", "TEXT"));
		assert_true(memory_remove(&b->s3, "two", "to/file"));
		assert_true(memory_remove(&b->s3, "two", "to/other"));
		test_clock_advance(&b->clock, TTL_MS);
	}
}

/* ---- directories ---- */

static void a_directory_goes_with_all_that_is_in_it(void **state)
{
	struct bench *b = *state;
	uint64_t ino;

	put(b, "one", "from/", "");
	put(b, "one", "from/a", "a");
	put(b, "one", "from/deep/b", "b");
	put(b, "one", "from//c", "hidden");
	put(b, "one", "from-not", "stays");
	put(b, "one", "fro", "stays");
	ino = ino_of(b, "one/from/a");
	assert_int_equal(rename_path(b, "one/from", "two/to", 0), 0);
	assert_keys(b, "one", "fro\nfrom-not\n");
	assert_keys(b, "two", "to/\nto//c\nto/a\nto/deep/b\n");
	assert_true(has_text(b, "two", "to/deep/b", "b"));
	assert_int_equal(ino_of(b, "two/to/a"), ino);
	assert_false(exists(b, "one/from"));
	assert_string_equal(names_at(b, "one"), "fro from-not ");
	assert_string_equal(names_at(b, "two"), "to/ ");
	assert_string_equal(names_at(b, "two/to"), "a deep/ ");
}

static void a_directory_of_2500_keys_is_renamed(void **state)
{
	struct bench *b = *state;

	put_many(b, "one", "from/f", 2500);
	assert_int_equal(rename_path(b, "one/from", "one/to", 0), 0);
	assert_int_equal(count(b, MEMORY_COPY_OBJECT), 2500);
	assert_int_equal(count(b, MEMORY_DELETE_OBJECTS), 3);
	assert_int_equal(memory_objects(&b->s3, "one"), 2500);
	assert_true(memory_has(&b->s3, "one", "to/f0000"));
	assert_true(memory_has(&b->s3, "one", "to/f2499"));
	assert_false(exists(b, "one/from"));
}

static void a_directory_goes_over_an_empty_one(void **state)
{
	struct bench *b = *state;

	put(b, "one", "from/a", "a");
	put(b, "one", "to/", "");
	assert_true(exists(b, "one/to"));
	assert_int_equal(rename_path(b, "one/from", "one/to", 0), 0);
	assert_true(has_text(b, "one", "to/a", "a"));
	assert_string_equal(names_at(b, "one"), "to/ ");
	put(b, "one", "full/x", "");
	assert_int_equal(rename_path(b, "one/to", "one/full", 0), -ENOTEMPTY);
	assert_true(has_text(b, "one", "to/a", "a"));
	{
		struct fs_file *file;

		assert_int_equal(make_dir(b, "one/local"), 0);
		file = create_file(b, "one/local/new");
		assert_int_equal(rename_path(b, "one/to", "one/local", 0), -ENOTEMPTY);
		assert_int_equal(close_file(b, file), 0);
	}
}

static void an_empty_directory_is_renamed(void **state)
{
	struct bench *b = *state;

	assert_int_equal(make_dir(b, "one/from"), 0);
	assert_int_equal(rename_path(b, "one/from", "one/to", 0), 0);
	assert_keys(b, "one", "to/\n");
	/* one that is here only */
	put(b, "one", "dir/x", "");
	assert_int_equal(unlink_file(b, "one/dir/x"), 0);
	assert_int_equal(rename_path(b, "one/dir", "one/to/dir", 0), 0);
	assert_true(exists(b, "one/to/dir"));
	assert_false(exists(b, "one/dir"));
	assert_string_equal(names_at(b, "one/to"), "dir/ ");
}

static void a_directory_does_not_go_into_itself(void **state)
{
	struct bench *b = *state;

	put(b, "one", "a/b/c", "");
	assert_int_equal(rename_path(b, "one/a", "one/a/x", 0), -EINVAL);
	assert_int_equal(rename_path(b, "one/a", "one/a/b/x", 0), -EINVAL);
	assert_int_equal(rename_path(b, "one/a/b", "one/a/x", 0), 0);
	assert_keys(b, "one", "a/x/c\n");
}

static void keys_that_would_be_too_long_are_refused_before_a_copy(void **state)
{
	struct bench *b = *state;
	char key[1001], to[NAME_MAX + 1];

	for (size_t i = 0; i < 1000; i++)
		key[i] = i % 200 == 199 ? '/' : 'k';
	key[0] = 'd';
	key[1] = '/';
	key[1000] = '\0';
	put(b, "one", key, "");
	memset(to, 't', 200);
	to[200] = '\0';
	{
		uint64_t one = ino_of(b, "one");

		assert_int_equal(fs_rename(b->fs, &b->call, one, "d", one, to, 0), -ENAMETOOLONG);
	}
	assert_int_equal(count(b, MEMORY_COPY_OBJECT), 0);
	assert_true(memory_has(&b->s3, "one", key));
}

/* Whichever request fails, and however: nothing is lost, and what failed is undone. */
static void a_failing_request_loses_nothing(void **state)
{
	static const enum memory_op ops[] = {MEMORY_LIST_OBJECTS, MEMORY_COPY_OBJECT};
	struct bench *b = *state;

	put_many(b, "one", "from/f", 30);
	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		for (size_t nth = 1; nth <= 30; nth += 7) {
			for (int when = MEMORY_BEFORE; when <= MEMORY_AFTER; when++) {
				int r;

				memory_fail_nth(&b->s3, ops[i], nth, (enum memory_when)when,
						-EACCES);
				r = rename_path(b, "one/from", "two/to", 0);
				memory_clear_faults(&b->s3);
				test_clock_advance(&b->clock, TTL_MS);
				if (r == 0) {
					assert_int_equal(memory_objects(&b->s3, "one"), 0);
					assert_int_equal(memory_objects(&b->s3, "two"), 30);
					assert_int_equal(rename_path(b, "two/to", "one/from", 0),
							 0);
				} else {
					assert_int_equal(r, -EACCES);
					assert_true(exists(b, "one/from/f0029"));
					assert_false(exists(b, "two/to"));
				}
				assert_int_equal(memory_objects(&b->s3, "one"), 30);
				assert_keys(b, "two", "");
			}
		}
	}
}

static void sources_that_cannot_be_deleted_are_there_still(void **state)
{
	struct bench *b = *state;

	put(b, "one", "from/a", "a");
	put(b, "one", "from/b", "b");
	assert_true(exists(b, "one/from/b"));
	memory_deny(&b->s3, "one", "from/b", -EACCES);
	log_lines_start(LOG_LEVEL_WARN);
	assert_int_equal(rename_path(b, "one/from", "one/to", 0), -EACCES);
	assert_int_equal(log_lines_count("one/from/"), 1);
	log_lines_stop();
	memory_clear_faults(&b->s3);
	assert_true(has_text(b, "one", "to/a", "a"));
	assert_true(has_text(b, "one", "to/b", "b"));
	assert_true(has_text(b, "one", "from/b", "b"));
	/* what the mount shows is what there is */
	test_clock_advance(&b->clock, TTL_MS);
	assert_string_equal(names_at(b, "one"), "from/ to/ ");
	assert_string_equal(names_at(b, "one/from"), "b ");
	assert_string_equal(names_at(b, "one/to"), "a b ");
}

static void handles_below_go_on(void **state)
{
	struct bench *b = *state;
	struct fs_file *read, *dirty, *fresh, *outside;

	put(b, "one", "from/a", "text");
	put(b, "one", "from/deep/b", "text");
	put(b, "one", "outside", "text");
	read = open_file(b, "one/from/a", O_RDONLY);
	dirty = open_file(b, "one/from/deep/b", O_RDWR);
	outside = open_file(b, "one/outside", O_RDWR);
	fresh = create_file(b, "one/from/c");
	assert_int_equal(write_at(b, dirty, 0, "T"), 0);
	assert_int_equal(write_at(b, fresh, 0, "new"), 0);
	assert_int_equal(write_at(b, outside, 0, "T"), 0);
	assert_int_equal(rename_path(b, "one/from", "two/to", 0), 0);
	assert_text(b, read, "text");
	assert_text(b, dirty, "Text");
	assert_true(has_text(b, "two", "to/deep/b", "Text"));
	assert_true(has_text(b, "two", "to/c", "new"));
	assert_true(has_text(b, "one", "outside", "text")); /* it is not asked to be saved */
	assert_int_equal(write_at(b, dirty, 1, "EXT"), 0);
	assert_int_equal(write_at(b, fresh, 0, "NEW"), 0);
	assert_int_equal(close_file(b, read), 0);
	assert_int_equal(close_file(b, dirty), 0);
	assert_int_equal(close_file(b, fresh), 0);
	assert_int_equal(close_file(b, outside), 0);
	assert_keys(b, "one", "outside\n");
	assert_keys(b, "two", "to/a\nto/c\nto/deep/b\n");
	assert_true(has_text(b, "two", "to/deep/b", "TEXT"));
	assert_true(has_text(b, "two", "to/c", "NEW"));
}

static void a_file_below_that_cannot_be_saved_stops_it(void **state)
{
	struct bench *b = *state;
	struct fs_file *file;

	put(b, "one", "from/a", "text");
	file = create_file(b, "one/from/b");
	assert_int_equal(write_at(b, file, 0, "text"), 0);
	memory_fail(&b->s3, MEMORY_PUT_OBJECT, 1, -EACCES);
	assert_int_equal(rename_path(b, "one/from", "one/to", 0), -EACCES);
	assert_keys(b, "one", "from/a\n");
	assert_int_equal(close_file(b, file), 0);
	assert_keys(b, "one", "from/a\nfrom/b\n");
}

/* ---- cancellation ---- */

struct renaming_job {
	struct bench *b;
	uint64_t one;
	struct call call;
	pthread_t thread;
	int r;
};

static void *run_rename(void *data)
{
	struct renaming_job *job = data;

	job->r = fs_rename(job->b->fs, &job->call, job->one, "from", job->one, "to", 0);
	return NULL;
}

static void an_interrupted_rename_ends_at_once_and_loses_nothing(void **state)
{
	struct bench *b = *state;
	struct renaming_job job = {.b = b};

	put_many(b, "one", "from/f", 40);
	job.one = ino_of(b, "one");
	assert_true(exists(b, "one/from"));
	memory_hold(&b->s3, MEMORY_COPY_OBJECT, MEMORY_AFTER);
	call_init(&job.call, NULL, &b->clock.clock, CLOCK_NEVER);
	assert_int_equal(pthread_create(&job.thread, NULL, run_rename, &job), 0);
	assert_true(memory_wait_held(&b->s3, MEMORY_COPY_OBJECT, 2));
	call_cancel(&job.call);
	assert_int_equal(pthread_join(job.thread, NULL), 0);
	assert_int_equal(job.r, -EINTR);
	call_deinit(&job.call);
	memory_release(&b->s3, MEMORY_COPY_OBJECT);
	assert_int_equal(memory_objects(&b->s3, "one"), 40);
	assert_true(exists(b, "one/from/f0039"));
	test_clock_advance(&b->clock, TTL_MS);
	assert_false(exists(b, "one/to"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_file_is_copied_and_deleted),
	    TEST(a_file_goes_over_another),
	    TEST(noreplace_replaces_nothing),
	    TEST(a_file_goes_into_another_bucket),
	    TEST(buckets_are_not_renamed),
	    TEST(what_is_not_there_is_not_renamed),
	    TEST(files_and_directories_do_not_replace_each_other),
	    TEST(a_file_of_more_than_5_gib_is_copied_in_parts),
	    TEST(a_copy_in_parts_leaves_no_upload),
	    TEST(a_copy_in_parts_is_of_the_whole_object),
	    TEST(a_copy_that_fails_changes_nothing),
	    TEST(a_source_that_cannot_be_deleted_is_there_still),
	    TEST(a_file_that_was_nearly_replaced_is_told),
	    TEST(a_lost_answer_loses_no_byte),
	    TEST(a_source_that_another_replaces_is_not_lost),
	    TEST(what_another_makes_of_a_copied_source_stays),
	    TEST(what_another_makes_below_a_copied_directory_stays),
	    TEST(handles_go_on_under_the_new_name),
	    TEST(what_was_written_goes_with_it),
	    TEST(a_new_file_goes_over_an_old_one),
	    TEST(a_file_that_cannot_be_saved_is_not_renamed),
	    TEST(what_is_written_to_a_replaced_file_goes_nowhere),
	    TEST(bytes_written_while_it_is_renamed_are_not_lost),
	    TEST(a_replaced_files_late_upload_does_not_replace_the_new_one),
	    TEST(bytes_written_while_the_directory_is_renamed_are_not_lost),
	    TEST(a_directory_goes_with_all_that_is_in_it),
	    TEST(a_directory_of_2500_keys_is_renamed),
	    TEST(a_directory_goes_over_an_empty_one),
	    TEST(an_empty_directory_is_renamed),
	    TEST(a_directory_does_not_go_into_itself),
	    TEST(keys_that_would_be_too_long_are_refused_before_a_copy),
	    TEST(a_failing_request_loses_nothing),
	    TEST(sources_that_cannot_be_deleted_are_there_still),
	    TEST(handles_below_go_on),
	    TEST(a_file_below_that_cannot_be_saved_stops_it),
	    TEST(an_interrupted_rename_ends_at_once_and_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
