/* A bench with two buckets, and shorthand for what is below them. */
#ifndef TESTS_FS_TREE_BENCH_H
#define TESTS_FS_TREE_BENCH_H

#include "bench.h"

#include <fcntl.h>
#include <limits.h>

static inline void put(struct bench *b, const char *bucket, const char *key, const char *text)
{
	memory_put(&b->s3, bucket, key, text, strlen(text));
}

/* n keys "<prefix>0000" and so on, without content. */
static inline void put_many(struct bench *b, const char *bucket, const char *prefix, unsigned int n)
{
	char key[S3_KEY_MAX + 1];

	for (unsigned int i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "%s%04u", prefix, i);
		memory_put(&b->s3, bucket, key, "", 0);
	}
}

static inline bool has_text(struct bench *b, const char *bucket, const char *key, const char *text)
{
	return memory_is(&b->s3, bucket, key, text, strlen(text));
}

static inline size_t count(struct bench *b, enum memory_op op)
{
	return memory_count(&b->s3, op);
}

/* ---- names ---- */

/* What is at the path ("bucket/a/b"; "" is the root), looked up once: to be forgotten, or not. */
static inline int find(struct bench *b, const char *path, struct fs_entry *ret_entry)
{
	struct fs_entry entry = {.ino = FS_ROOT};
	char name[S3_KEY_MAX + 1];
	int r = 0;

	while (*path && r == 0) {
		size_t n = strcspn(path, "/");

		snprintf(name, sizeof(name), "%.*s", (int)n, path);
		r = fs_lookup(b->fs, &b->call, entry.ino, name, &entry);
		if (r == 0 && entry.ino == 0)
			r = -ENOENT;
		path += n + (path[n] == '/');
	}
	*ret_entry = entry;
	return r;
}

static inline uint64_t ino_of(struct bench *b, const char *path)
{
	struct fs_entry entry;

	assert_int_equal(find(b, path, &entry), 0);
	return entry.ino;
}

static inline bool exists(struct bench *b, const char *path)
{
	struct fs_entry entry;
	int r = find(b, path, &entry);

	assert_true(r == 0 || r == -ENOENT);
	return r == 0;
}

static inline mode_t mode_at(struct bench *b, const char *path)
{
	struct fs_entry entry;

	assert_int_equal(find(b, path, &entry), 0);
	return entry.attr.st_mode;
}

/* The directory of a path, and its last name. */
static inline uint64_t parent_of(struct bench *b, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	char parent[S3_KEY_MAX + 1];

	*ret_name = slash ? slash + 1 : path;
	snprintf(parent, sizeof(parent), "%.*s", slash ? (int)(slash - path) : 0, path);
	return ino_of(b, parent);
}

static inline int make_dir(struct bench *b, const char *path)
{
	struct fs_entry entry;
	const char *name;
	uint64_t parent = parent_of(b, path, &name);

	return fs_mkdir(b->fs, &b->call, parent, name, MAKER, &entry);
}

static inline int remove_dir(struct bench *b, const char *path)
{
	const char *name;
	uint64_t parent = parent_of(b, path, &name);

	return fs_rmdir(b->fs, &b->call, parent, name);
}

static inline int unlink_file(struct bench *b, const char *path)
{
	const char *name;
	uint64_t parent = parent_of(b, path, &name);

	return fs_unlink(b->fs, &b->call, parent, name);
}

static inline int rename_path(struct bench *b, const char *from, const char *to, unsigned int flags)
{
	const char *name, *new_name;
	uint64_t parent = parent_of(b, from, &name), new_parent = parent_of(b, to, &new_name);

	return fs_rename(b->fs, &b->call, parent, name, new_parent, new_name, flags);
}

/* ---- files ---- */

/* As open(2), which looks for the name once more when that is ESTALE. */
static inline int open_path(struct bench *b, const char *path, int flags, struct fs_file **ret_file)
{
	bool keep;
	int r = fs_open(b->fs, &b->call, ino_of(b, path), flags, ret_file, &keep);

	if (r == -ESTALE)
		r = fs_open(b->fs, &b->call, ino_of(b, path), flags, ret_file, &keep);
	return r;
}

static inline struct fs_file *open_file(struct bench *b, const char *path, int flags)
{
	struct fs_file *file;

	assert_int_equal(open_path(b, path, flags, &file), 0);
	return file;
}

static inline int create_path(struct bench *b, const char *path, int flags,
			      struct fs_file **ret_file)
{
	struct fs_entry entry;
	const char *name;
	uint64_t parent = parent_of(b, path, &name);

	return fs_create(b->fs, &b->call, parent, name, MAKER, flags | O_CREAT, &entry, ret_file);
}

static inline struct fs_file *create_file(struct bench *b, const char *path)
{
	struct fs_file *file;

	assert_int_equal(create_path(b, path, O_RDWR, &file), 0);
	return file;
}

static inline int write_at(struct bench *b, struct fs_file *file, uint64_t offset, const char *text)
{
	return fs_write(b->fs, &b->call, file, offset, text, strlen(text));
}

static inline int flush(struct bench *b, struct fs_file *file)
{
	return fs_flush(b->fs, &b->call, file);
}

static inline void release(struct bench *b, struct fs_file *file)
{
	fs_release(b->fs, &b->call, file);
}

/* What close(2) returns. */
static inline int close_file(struct bench *b, struct fs_file *file)
{
	int r = flush(b, file);

	release(b, file);
	return r;
}

/* The file's first bytes, as a text; "" and the errno in *ret_error when they can't be read. */
static inline const char *text_of(struct bench *b, struct fs_file *file, int *ret_error)
{
	static char text[4096];
	size_t n = 0;

	*ret_error = fs_read(b->fs, &b->call, file, 0, sizeof(text) - 1, text, &n);
	text[*ret_error ? 0 : n] = '\0';
	return text;
}

static inline void assert_text(struct bench *b, struct fs_file *file, const char *text)
{
	const char *found;
	int r;

	found = text_of(b, file, &r);
	assert_int_equal(r, 0);
	assert_string_equal(found, text);
}

/* ---- directories ---- */

static inline struct fs_dir *open_dir(struct bench *b, const char *path)
{
	struct fs_dirent dirent;
	struct fs_dir *dir;

	assert_int_equal(fs_opendir(b->fs, &b->call, ino_of(b, path), &dir), 0);
	/* the first entry, ".", comes with the first page */
	assert_int_equal(fs_readdir(b->fs, &b->call, dir, 0, &dirent), 0);
	return dir;
}

/* All of it from the start, each name followed by a space, a directory's by "/ ". */
static inline const char *names_in(struct bench *b, struct fs_dir *dir)
{
	static char names[64 * 1024];
	struct fs_dirent dirent = {0};
	size_t used = 0;
	int r;

	names[0] = '\0';
	while ((r = fs_readdir(b->fs, &b->call, dir, dirent.next, &dirent)) == 0) {
		if (!strcmp(dirent.name, ".") || !strcmp(dirent.name, ".."))
			continue;
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s ", dirent.name,
					 S_ISDIR(dirent.mode) ? "/" : "");
		assert_true(used < sizeof(names));
	}
	assert_int_equal(r, -ENOENT);
	return names;
}

static inline const char *names_at(struct bench *b, const char *path)
{
	struct fs_dir *dir = open_dir(b, path);
	const char *names = names_in(b, dir);

	fs_releasedir(b->fs, dir);
	return names;
}

static inline struct fs_dirent dirent_of(struct bench *b, struct fs_dir *dir, const char *name)
{
	struct fs_dirent dirent = {.next = name[0] == '.' ? 0 : 2}; /* 0 would be a rewind */

	do
		assert_int_equal(fs_readdir(b->fs, &b->call, dir, dirent.next, &dirent), 0);
	while (strcmp(dirent.name, name) != 0);
	return dirent;
}

/* ---- the account ---- */

static inline int tree_setup_ttl(void **state, int64_t ttl_ms)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	bench_begin(b, ttl_ms);
	memory_add_bucket(&b->s3, "one", CREATED_MS, "eu-west-1");
	memory_add_bucket(&b->s3, "two", CREATED_MS, "ap-south-1");
	*state = b;
	return 0;
}

static inline int tree_setup(void **state)
{
	return tree_setup_ttl(state, TTL_MS);
}

static inline int tree_teardown(void **state)
{
	struct bench *b = *state;

	assert_int_equal(memory_uploads(&b->s3, NULL), 0);
	bench_end(b);
	free(b);
	return 0;
}

#endif
