/* attrs=posix: what is asked for, what is kept, and what happens when several things happen at
 * once. */
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/stat.h>

#include "bench.h"

#define BUCKET "photos"
/* Long before now: an object with this date is settled. */
#define OLD_MS INT64_C(1600000000000)

static struct fs_maker maker = {.uid = 1000, .gid = 1001, .mode = 0640};

/* ---- the other client ---- */

/* With up to two user metadata; NULL: none. */
static void put_at(struct bench *b, const char *key, const char *text, const char *name,
		   const char *value, const char *etag, int64_t mtime_ms)
{
	struct object_meta meta[2] = {{(char[]){"colour"}, (char[]){"red"}},
				      {strdup(name ? name : ""), strdup(value ? value : "")}};
	struct object as = {.content_type = (char[]){"text/css"},
			    .meta = meta,
			    .n_meta = name ? 2 : 1,
			    .mtime_ms = mtime_ms,
			    .etag = etag ? strdup(etag) : NULL};

	memory_put_as(&b->s3, BUCKET, key, text, strlen(text), &as);
	free(meta[1].name);
	free(meta[1].value);
	free(as.etag);
}

static void put(struct bench *b, const char *key, const char *name, const char *value)
{
	put_at(b, key, "hello", name, value, NULL, OLD_MS);
}

static void assert_meta(struct bench *b, const char *key, const char *name, const char *value)
{
	_cleanup_(object_deinit) struct object object = {0};
	const char *found;

	assert_true(memory_stat(&b->s3, BUCKET, key, &object));
	found = object_meta_get(&object, name);
	if (value ? !found || strcmp(found, value) != 0 : found != NULL)
		fail_msg("%s of %s is %s, not %s", name, key, found ? found : "none",
			 value ? value : "none");
}

/* ---- operations ---- */

static uint64_t look_in(struct bench *b, uint64_t parent, const char *name)
{
	struct fs_entry entry;

	assert_int_equal(fs_lookup(b->fs, &b->call, parent, name, &entry), 0);
	return entry.ino;
}

static uint64_t look(struct bench *b, const char *name)
{
	return look_in(b, look_in(b, FS_ROOT, BUCKET), name);
}

static struct stat stat_of(struct bench *b, uint64_t ino)
{
	struct stat attr;
	int64_t valid_ms;

	assert_int_equal(fs_getattr(b->fs, &b->call, ino, &attr, &valid_ms), 0);
	return attr;
}

static int set(struct bench *b, struct call *call, uint64_t ino, struct fs_file *file, int what,
	       const struct stat *attr)
{
	struct stat now;
	int64_t valid_ms;

	return fs_setattr(b->fs, call, ino, file, attr, what, &now, &valid_ms);
}

static int set_mode(struct bench *b, uint64_t ino, struct fs_file *file, mode_t mode)
{
	return set(b, &b->call, ino, file, FS_SET_MODE, &(struct stat){.st_mode = mode});
}

static uint64_t create(struct bench *b, const char *name, struct fs_file **file)
{
	struct fs_entry entry;

	assert_int_equal(fs_create(b->fs, &b->call, look_in(b, FS_ROOT, BUCKET), name, &maker,
				   O_WRONLY | O_CREAT | O_TRUNC, &entry, file),
			 0);
	return entry.ino;
}

static struct fs_file *open_file(struct bench *b, uint64_t ino, int flags)
{
	struct fs_file *file;
	bool keep;

	assert_int_equal(fs_open(b->fs, &b->call, ino, flags, &file, &keep), 0);
	return file;
}

static void write_text(struct bench *b, struct fs_file *file, uint64_t offset, const char *text)
{
	assert_int_equal(fs_write(b->fs, &b->call, file, offset, text, strlen(text)), 0);
}

static void close_file(struct bench *b, struct fs_file *file)
{
	assert_int_equal(fs_flush(b->fs, &b->call, file), 0);
	fs_release(b->fs, &b->call, file);
}

static size_t heads(struct bench *b)
{
	return memory_count(&b->s3, MEMORY_HEAD_OBJECT);
}

static void pass(struct bench *b, int64_t ms)
{
	test_clock_advance(&b->clock, ms);
}

static int begin_test(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	bench_prepare(b, TTL_MS);
	b->options.posix = true;
	bench_mount(b);
	memory_add_bucket(&b->s3, BUCKET, CREATED_MS, MEMORY_REGION);
	*state = b;
	return 0;
}

static int end_test(void **state)
{
	bench_end(*state);
	free(*state);
	return 0;
}

/* ---- asking ---- */

static void a_file_is_asked_for_once(void **state)
{
	struct bench *b = *state;
	uint64_t ino;

	put(b, "a", "mode", "33261");
	ino = look(b, "a");
	assert_int_equal(stat_of(b, ino).st_mode, S_IFREG | 0755);
	assert_int_equal(heads(b), 1);
	assert_true(look(b, "a") == ino);
	for (int i = 0; i < 3; i++) {
		pass(b, TTL_MS);
		assert_true(look(b, "a") == ino);
		stat_of(b, ino);
	}
	assert_int_equal(heads(b), 1);
}

static void what_is_not_told_is_the_mounts(void **state)
{
	struct bench *b = *state;
	struct stat attr;

	put(b, "a", "uid", "nobody");
	attr = stat_of(b, look(b, "a"));
	assert_int_equal(attr.st_mode, S_IFREG | FILE_MODE);
	assert_int_equal(attr.st_uid, UID);
	assert_int_equal(attr.st_gid, GID);
	assert_int_equal(attr.st_mtim.tv_sec, OLD_MS / 1000);
}

/* chmod by s3fs: the same bytes, and so the same ETag. */
static void a_change_of_metadata_alone_is_seen(void **state)
{
	struct bench *b = *state;
	uint64_t ino;

	put(b, "a", "mode", "33261");
	ino = look(b, "a");
	put_at(b, "a", "hello", "mode", "33152", NULL, OLD_MS + 60000);
	assert_int_equal(stat_of(b, ino).st_mode, S_IFREG | 0755);
	pass(b, TTL_MS);
	assert_int_equal(stat_of(b, ino).st_mode, S_IFREG | 0600);
	assert_int_equal(heads(b), 2);
}

/* The date of both is the same second. */
static void a_change_behind_a_fresh_object_is_seen(void **state)
{
	struct bench *b = *state;
	int64_t now = b->clock.clock.wall_ms(&b->clock.clock);
	uint64_t ino;

	put_at(b, "a", "hello", "mode", "33261", NULL, now);
	ino = look(b, "a");
	put_at(b, "a", "hello", "mode", "33152", NULL, now);
	pass(b, TTL_MS);
	assert_int_equal(stat_of(b, ino).st_mode, S_IFREG | 0600);
	/* settled by then */
	pass(b, 10000);
	stat_of(b, ino);
	pass(b, TTL_MS);
	stat_of(b, ino);
	assert_int_equal(heads(b), 3);
}

static void a_file_that_becomes_a_link_is_another_node(void **state)
{
	struct bench *b = *state;
	uint64_t file, link;
	struct stat attr;
	int64_t valid_ms;

	put(b, "a", NULL, NULL);
	file = look(b, "a");
	put_at(b, "a", "b", "mode", "41471", NULL, OLD_MS + 5000);
	pass(b, TTL_MS);
	link = look(b, "a");
	assert_true(link != file);
	assert_int_equal(stat_of(b, link).st_mode, S_IFLNK | 0777);
	put(b, "a", NULL, NULL);
	pass(b, TTL_MS);
	assert_int_equal(fs_getattr(b->fs, &b->call, link, &attr, &valid_ms), -ESTALE);
	assert_int_equal(stat_of(b, look(b, "a")).st_mode, S_IFREG | FILE_MODE);
}

static void a_file_that_goes_between_the_requests(void **state)
{
	struct bench *b = *state;

	put(b, "a", NULL, NULL);
	memory_fail(&b->s3, MEMORY_HEAD_OBJECT, 1, -ENOENT);
	assert_int_equal(look(b, "a"), 0);
	assert_int_not_equal(look(b, "a"), 0);
}

static void a_file_that_cannot_be_asked_for(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;

	put(b, "a", NULL, NULL);
	memory_fail(&b->s3, MEMORY_HEAD_OBJECT, 1, -EACCES);
	assert_int_equal(fs_lookup(b->fs, &b->call, look_in(b, FS_ROOT, BUCKET), "a", &entry),
			 -EACCES);
	assert_int_not_equal(look(b, "a"), 0);
}

static void a_directory_is_asked_for_within_the_ttl(void **state)
{
	struct bench *b = *state;
	uint64_t ino;

	put(b, "d/", "mode", "17407"); /* S_IFDIR | 01777 */
	put(b, "implicit/a", NULL, NULL);
	ino = look(b, "d");
	assert_int_equal(stat_of(b, ino).st_mode, S_IFDIR | 01777);
	assert_int_equal(heads(b), 1);
	put(b, "d/", "mode", "16832");
	assert_int_equal(stat_of(b, ino).st_mode, S_IFDIR | 01777);
	pass(b, TTL_MS);
	assert_int_equal(stat_of(b, ino).st_mode, S_IFDIR | 0700);
	assert_int_equal(heads(b), 2);
	assert_int_equal(stat_of(b, look(b, "implicit")).st_mode, S_IFDIR | DIR_MODE);
}

/* A listing tells that it is there, and nothing of its attributes. */
static void the_kernel_keeps_what_is_known_of_a_directory_no_longer(void **state)
{
	struct bench *b = *state;
	uint64_t bucket = look_in(b, FS_ROOT, BUCKET);
	struct fs_dirent dirent = {0};
	struct fs_entry entry;
	struct fs_dir *dir;
	struct stat attr;
	int64_t valid_ms;

	put(b, "d/", "mode", "16832");
	look(b, "d");
	pass(b, TTL_MS - 400);
	assert_int_equal(fs_opendir(b->fs, &b->call, bucket, &dir), 0);
	while (fs_readdir(b->fs, &b->call, dir, dirent.next, &dirent) == 0)
		;
	fs_releasedir(b->fs, dir);
	assert_int_equal(fs_lookup(b->fs, &b->call, bucket, "d", &entry), 0);
	assert_int_equal(entry.valid_ms, 400);
	assert_int_equal(fs_getattr(b->fs, &b->call, entry.ino, &attr, &valid_ms), 0);
	assert_int_equal(valid_ms, 400);
	assert_int_equal(heads(b), 1);
}

static void attrs_object_asks_for_nothing(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;

	b->options.posix = false;
	bench_remount(b);
	put(b, "a", "mode", "33261");
	put(b, "l", "mode", "41471");
	put(b, "d/", "mode", "16832");
	assert_int_equal(stat_of(b, look(b, "a")).st_mode, S_IFREG | FILE_MODE);
	assert_int_equal(stat_of(b, look(b, "l")).st_mode, S_IFREG | FILE_MODE);
	assert_int_equal(stat_of(b, look(b, "d")).st_mode, S_IFDIR | DIR_MODE);
	assert_int_equal(heads(b), 0);
	assert_int_equal(
	    fs_symlink(b->fs, &b->call, look_in(b, FS_ROOT, BUCKET), "x", "y", &maker, &entry),
	    -EPERM);
}

/* ---- listings ---- */

#define FILES 20

/* Reads the bucket's entries, and their attributes if so; each is a directory or a file 0604. */
struct reading {
	struct bench *b;
	bool plus;
	size_t n, told;
};

static void *read_bucket(void *data)
{
	struct reading *reading = data;
	struct fs *fs = reading->b->fs;
	struct fs_dirent dirent = {0};
	struct fs_entry entry;
	struct fs_dir *dir;
	struct call call;

	call_init(&call, NULL, &reading->b->clock.clock, CLOCK_NEVER);
	assert_int_equal(fs_opendir(fs, &call, look_in(reading->b, FS_ROOT, BUCKET), &dir), 0);
	while (fs_readdir(fs, &call, dir, dirent.next, &dirent) == 0) {
		if (dirent.next <= 2)
			continue;
		assert_int_equal(dirent.mode, dirent.name[0] == 'd' ? S_IFDIR : 0);
		reading->n++;
		if (!reading->plus)
			continue;
		assert_int_equal(fs_readdir_entry(fs, &call, dir, &dirent, FILES, &entry), 0);
		if (!entry.ino)
			continue;
		assert_int_equal(entry.attr.st_mode & 07777, dirent.name[0] == 'd' ? 0700 : 0604);
		reading->told++;
	}
	fs_releasedir(fs, dir);
	call_deinit(&call);
	return NULL;
}

static void put_many(struct bench *b)
{
	char name[16];

	put(b, "d/", "mode", "16832");
	for (int i = 1; i < FILES; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		put(b, name, "mode", "33156");
	}
}

static void a_plain_listing_asks_for_nothing(void **state)
{
	struct reading reading = {.b = *state};

	put_many(reading.b);
	read_bucket(&reading);
	assert_int_equal(reading.n, FILES);
	assert_int_equal(heads(reading.b), 0);
}

static void a_listing_with_attributes_asks_several_at_once(void **state)
{
	struct reading reading = {.b = *state, .plus = true};
	pthread_t thread;

	put_many(reading.b);
	memory_hold(&reading.b->s3, MEMORY_HEAD_OBJECT, MEMORY_BEFORE);
	assert_int_equal(pthread_create(&thread, NULL, read_bucket, &reading), 0);
	assert_true(memory_wait_held(&reading.b->s3, MEMORY_HEAD_OBJECT, 16));
	memory_release(&reading.b->s3, MEMORY_HEAD_OBJECT);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(reading.n, FILES);
	assert_int_equal(reading.told, FILES);
	assert_int_equal(heads(reading.b), FILES);
	/* what is known is not asked for again, but for directories */
	pass(reading.b, TTL_MS);
	reading.told = reading.n = 0;
	read_bucket(&reading);
	assert_int_equal(reading.told, FILES);
	assert_int_equal(heads(reading.b), FILES + 1);
}

static void a_listing_shows_what_cannot_be_told(void **state)
{
	struct reading reading = {.b = *state, .plus = true};

	put_many(reading.b);
	memory_deny(&reading.b->s3, BUCKET, "f1", -EACCES);
	read_bucket(&reading);
	assert_int_equal(reading.n, FILES);
	assert_in_range(reading.told, 0, FILES - 1);
	assert_in_range(heads(reading.b), 1, FILES);
}

/* ---- making ---- */

static void a_new_file_takes_all_along(void **state)
{
	struct bench *b = *state;
	struct stat attr = {.st_mtim = {.tv_sec = 981173106, .tv_nsec = 5}, .st_uid = 7};
	struct fs_file *file;
	uint64_t ino = create(b, "a.css", &file);

	write_text(b, file, 0, "hello");
	assert_int_equal(set(b, &b->call, ino, file, FS_SET_MTIME | FS_SET_UID, &attr), 0);
	assert_int_equal(set_mode(b, ino, file, 04755), 0);
	close_file(b, file);
	assert_int_equal(memory_count(&b->s3, MEMORY_PUT_OBJECT), 1);
	assert_int_equal(memory_count(&b->s3, MEMORY_COPY_OBJECT), 0);
	assert_meta(b, "a.css", "mode", "35309");
	assert_meta(b, "a.css", "uid", "7");
	assert_meta(b, "a.css", "gid", "1001");
	assert_meta(b, "a.css", "mtime", "981173106.000000005");
	assert_int_equal(stat_of(b, ino).st_mode, S_IFREG | 04755);
	assert_int_equal(stat_of(b, ino).st_mtim.tv_nsec, 5);
	assert_int_equal(heads(b), 0);
}

static void the_last_write_is_the_date(void **state)
{
	struct bench *b = *state;
	char date[32];
	struct fs_file *file;
	uint64_t ino = create(b, "a", &file);
	int64_t now;

	write_text(b, file, 0, "hello");
	pass(b, 5000);
	write_text(b, file, 5, "hello");
	now = b->clock.clock.wall_ms(&b->clock.clock);
	pass(b, 5000);
	close_file(b, file);
	assert_int_equal(stat_of(b, ino).st_mtim.tv_sec, now / 1000);
	snprintf(date, sizeof(date), "%lld.%09lld", (long long)now / 1000,
		 (long long)now % 1000 * 1000000);
	if (now % 1000 == 0)
		*strchr(date, '.') = '\0';
	assert_meta(b, "a", "mtime", date);
}

static void a_group_is_inherited(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;

	put(b, "d/", "mode", "17917"); /* S_IFDIR | 02775 */
	assert_int_equal(fs_mkdir(b->fs, &b->call, look(b, "d"), "e", &maker, &entry), 0);
	assert_int_equal(entry.attr.st_mode, S_IFDIR | 02640);
	assert_int_equal(entry.attr.st_gid, GID);
	assert_meta(b, "d/e/", "uid", "1000");
	assert_meta(b, "d/e/", "gid", "567");
}

static void symbolic_links(void **state)
{
	_cleanup_(freep) char *target = NULL;
	char longest[PATH_MAX + 1] = {0};
	struct bench *b = *state;
	uint64_t bucket = look_in(b, FS_ROOT, BUCKET);
	struct fs_entry entry, other;

	assert_int_equal(fs_symlink(b->fs, &b->call, bucket, "l", "../to here ", &maker, &entry),
			 0);
	assert_int_equal(entry.attr.st_mode, S_IFLNK | 0777);
	assert_int_equal(entry.attr.st_uid, 1000);
	assert_int_equal(entry.attr.st_size, 11);
	assert_true(memory_is(&b->s3, BUCKET, "l", "../to here ", 11));
	assert_meta(b, "l", "mode", "41471");
	assert_int_equal(fs_readlink(b->fs, &b->call, entry.ino, &target), 0);
	assert_string_equal(target, "../to here ");
	assert_int_equal(heads(b), 0);
	assert_int_equal(fs_symlink(b->fs, &b->call, bucket, "l", "x", &maker, &other), -EEXIST);
	memset(longest, 'x', PATH_MAX);
	assert_int_equal(fs_symlink(b->fs, &b->call, bucket, "m", longest, &maker, &other),
			 -ENAMETOOLONG);
	assert_int_equal(fs_unlink(b->fs, &b->call, bucket, "l"), 0);
	assert_int_equal(fs_readlink(b->fs, &b->call, entry.ino, &(char *){0}), -ESTALE);
	put(b, "f", NULL, NULL);
	assert_int_equal(fs_readlink(b->fs, &b->call, look(b, "f"), &(char *){0}), -EINVAL);
}

/* Whatever stands there. */
static void links_of_others(void **state)
{
	char longest[PATH_MAX + 1] = {0};
	struct bench *b = *state;
	char *target;

	put_at(b, "empty", "", "mode", "41471", NULL, OLD_MS);
	assert_int_equal(fs_readlink(b->fs, &b->call, look(b, "empty"), &target), 0);
	assert_string_equal(target, "");
	free(target);
	memset(longest, 'x', PATH_MAX);
	put_at(b, "long", longest, "mode", "41471", NULL, OLD_MS);
	assert_int_equal(fs_readlink(b->fs, &b->call, look(b, "long"), &target), -ENAMETOOLONG);
}

/* ---- changing ---- */

static void chmod_copies_the_object_onto_itself(void **state)
{
	struct bench *b = *state;
	_cleanup_(object_deinit) struct object object = {0};
	uint64_t ino;

	put(b, "a", "mtime", "981173106.5");
	ino = look(b, "a");
	memory_reset_counts(&b->s3);
	assert_int_equal(set_mode(b, ino, NULL, FILE_MODE), 0); /* as it is */
	assert_int_equal(memory_count(&b->s3, MEMORY_ANY), 0);
	assert_int_equal(set_mode(b, ino, NULL, 0600), 0);
	assert_int_equal(heads(b), 1);
	assert_int_equal(memory_count(&b->s3, MEMORY_COPY_OBJECT), 1);
	assert_int_equal(memory_count(&b->s3, MEMORY_ANY), 2);
	assert_meta(b, "a", "mode", "33152");
	assert_meta(b, "a", "colour", "red");
	assert_meta(b, "a", "mtime", "981173106.500000000");
	assert_meta(b, "a", "uid", NULL);
	assert_true(memory_stat(&b->s3, BUCKET, "a", &object));
	assert_string_equal(object.content_type, "text/css");
	assert_int_equal(stat_of(b, ino).st_mode, S_IFREG | 0600);
	assert_int_equal(heads(b), 1);
}

/* s3fs has more types than there are here. */
static void the_type_of_a_fifo_is_kept(void **state)
{
	struct bench *b = *state;
	uint64_t ino;

	put(b, "a", "mode", "4516"); /* S_IFIFO | 0644 */
	ino = look(b, "a");
	assert_int_equal(stat_of(b, ino).st_mode, S_IFREG | 0644);
	assert_int_equal(set_mode(b, ino, NULL, 0600), 0);
	assert_meta(b, "a", "mode", "4480");
}

static void touch_and_dates(void **state)
{
	struct bench *b = *state;
	struct stat attr = {.st_mtim = {.tv_sec = -2, .tv_nsec = 500000000}};
	uint64_t ino;

	put(b, "a", NULL, NULL);
	ino = look(b, "a");
	assert_int_equal(set(b, &b->call, ino, NULL, FS_SET_MTIME | FS_SET_ATIME, &attr), 0);
	assert_meta(b, "a", "mtime", "-2.500000000");
	assert_int_equal(stat_of(b, ino).st_mtim.tv_sec, -2);
	assert_int_equal(stat_of(b, ino).st_mtim.tv_nsec, 500000000);
	assert_int_equal(set(b, &b->call, ino, NULL, FS_SET_ATIME, &attr), 0);
	assert_int_equal(memory_count(&b->s3, MEMORY_COPY_OBJECT), 1);
	assert_int_equal(set(b, &b->call, ino, NULL, FS_SET_MTIME_NOW, &attr), 0);
	assert_int_equal(stat_of(b, ino).st_mtim.tv_sec,
			 b->clock.clock.wall_ms(&b->clock.clock) / 1000);
	assert_int_equal(memory_count(&b->s3, MEMORY_COPY_OBJECT), 2);
}

static void a_directory_gets_a_marker(void **state)
{
	struct bench *b = *state;
	uint64_t ino;

	put(b, "d/a", NULL, NULL);
	ino = look(b, "d");
	assert_int_equal(set_mode(b, ino, NULL, 0700), 0);
	assert_meta(b, "d/", "mode", "16832");
	assert_int_equal(set_mode(b, ino, NULL, 0711), 0);
	assert_meta(b, "d/", "mode", "16841");
	assert_int_equal(memory_count(&b->s3, MEMORY_PUT_OBJECT), 1);
	assert_int_equal(memory_count(&b->s3, MEMORY_COPY_OBJECT), 1);
	assert_int_equal(stat_of(b, ino).st_mode, S_IFDIR | 0711);
}

static void a_bucket_has_no_attributes(void **state)
{
	struct bench *b = *state;
	uint64_t ino = look_in(b, FS_ROOT, BUCKET);

	assert_int_equal(set_mode(b, ino, NULL, DIR_MODE), 0);
	assert_int_equal(set_mode(b, ino, NULL, 0700), -EPERM);
	assert_int_equal(set_mode(b, FS_ROOT, NULL, 0700), -EPERM);
}

static void an_overwritten_file_keeps_its_attributes(void **state)
{
	struct bench *b = *state;
	_cleanup_(object_deinit) struct object object = {0};
	struct fs_file *file;

	put(b, "a", "mode", "33152");
	file = open_file(b, look(b, "a"), O_WRONLY | O_TRUNC);
	write_text(b, file, 0, "other");
	close_file(b, file);
	assert_true(memory_is(&b->s3, BUCKET, "a", "other", 5));
	assert_meta(b, "a", "mode", "33152");
	assert_meta(b, "a", "colour", "red");
	assert_true(memory_stat(&b->s3, BUCKET, "a", &object));
	assert_string_equal(object.content_type, "text/css");
	file = open_file(b, look(b, "a"), O_WRONLY);
	write_text(b, file, 5, "!");
	close_file(b, file);
	assert_true(memory_is(&b->s3, BUCKET, "a", "other!", 6));
	assert_meta(b, "a", "mode", "33152");
	assert_meta(b, "a", "colour", "red");
}

/* Its ETag is another one behind the copy, and open handles go on. */
static void a_multipart_object_is_followed(void **state)
{
	struct bench *b = *state;
	struct fs_file *reader, *writer;
	char data[8];
	size_t n;
	uint64_t ino;

	put_at(b, "a", "hello", NULL, NULL, "\"0123456789abcdef0123456789abcdef-2\"", OLD_MS);
	ino = look(b, "a");
	reader = open_file(b, ino, O_RDONLY);
	writer = open_file(b, ino, O_RDWR);
	assert_int_equal(set_mode(b, ino, NULL, 0600), 0);
	assert_int_equal(fs_read(b->fs, &b->call, reader, 0, sizeof(data), data, &n), 0);
	assert_int_equal(n, 5);
	write_text(b, writer, 5, "!");
	close_file(b, writer);
	fs_release(b->fs, &b->call, reader);
	assert_true(memory_is(&b->s3, BUCKET, "a", "hello!", 6));
	assert_meta(b, "a", "mode", "33152");
}

static void above_what_one_copy_takes(void **state)
{
	struct bench *b = *state;
	_cleanup_(object_deinit) struct object object = {0};
	uint64_t ino;

	memory_put_zeros(&b->s3, BUCKET, "a", S3_PUT_MAX + 1);
	ino = look(b, "a");
	assert_int_equal(set_mode(b, ino, NULL, 0600), 0);
	assert_int_equal(memory_count(&b->s3, MEMORY_COPY_OBJECT), 0);
	assert_int_equal(memory_count(&b->s3, MEMORY_COPY_PART), 6);
	assert_true(memory_stat(&b->s3, BUCKET, "a", &object));
	assert_true(object.size == S3_PUT_MAX + 1);
	assert_meta(b, "a", "mode", "33152");
	assert_int_equal(memory_uploads(&b->s3, NULL), 0);
	assert_int_equal(stat_of(b, ino).st_mode, S_IFREG | 0600);
}

/* ---- what goes wrong ---- */

static void a_change_that_fails_is_undone(void **state)
{
	struct bench *b = *state;
	uint64_t ino;

	put(b, "a", "mode", "33188");
	ino = look(b, "a");
	memory_fail(&b->s3, MEMORY_COPY_OBJECT, 1, -EACCES);
	assert_int_equal(set_mode(b, ino, NULL, 0600), -EACCES);
	assert_int_equal(stat_of(b, ino).st_mode, S_IFREG | 0644);
	memory_fail_nth(&b->s3, MEMORY_COPY_OBJECT, 1, MEMORY_AFTER, -ETIMEDOUT);
	assert_int_equal(set_mode(b, ino, NULL, 0600), -ETIMEDOUT);
	assert_int_equal(stat_of(b, ino).st_mode, S_IFREG | 0600); /* it was done */
}

static void a_change_of_another_object_is_refused(void **state)
{
	struct bench *b = *state;
	uint64_t ino;

	put(b, "a", NULL, NULL);
	ino = look(b, "a");
	put_at(b, "a", "another", NULL, NULL, NULL, OLD_MS);
	assert_int_equal(set_mode(b, ino, NULL, 0600), -ESTALE);
	assert_true(memory_is(&b->s3, BUCKET, "a", "another", 7));
	assert_meta(b, "a", "mode", NULL);
	assert_int_equal(set_mode(b, look(b, "a"), NULL, 0600), 0);
	assert_meta(b, "a", "mode", "33152");
}

struct changing {
	struct bench *b;
	uint64_t ino;
	int what, r;
	struct stat attr;
};

static void *change(void *data)
{
	struct changing *changing = data;
	struct call call;

	call_init(&call, NULL, &changing->b->clock.clock, CLOCK_NEVER);
	changing->r = set(changing->b, &call, changing->ino, NULL, changing->what, &changing->attr);
	call_deinit(&call);
	return NULL;
}

static void two_changes_at_once_are_both_kept(void **state)
{
	struct bench *b = *state;
	struct changing one = {b, 0, FS_SET_MODE, 1, {.st_mode = 0600}};
	struct changing other = {b, 0, FS_SET_UID, 1, {.st_uid = 7}};
	pthread_t threads[2];

	put(b, "a", NULL, NULL);
	one.ino = other.ino = look(b, "a");
	memory_hold(&b->s3, MEMORY_COPY_OBJECT, MEMORY_BEFORE);
	assert_int_equal(pthread_create(&threads[0], NULL, change, &one), 0);
	assert_true(memory_wait_held(&b->s3, MEMORY_COPY_OBJECT, 1));
	assert_int_equal(pthread_create(&threads[1], NULL, change, &other), 0);
	while (stat_of(b, one.ino).st_uid != 7)
		sched_yield();
	memory_release(&b->s3, MEMORY_COPY_OBJECT);
	assert_int_equal(pthread_join(threads[0], NULL), 0);
	assert_int_equal(pthread_join(threads[1], NULL), 0);
	assert_int_equal(one.r, 0);
	assert_int_equal(other.r, 0);
	assert_meta(b, "a", "mode", "33152");
	assert_meta(b, "a", "uid", "7");
}

/* The marker that one makes is written over what the other one set. */
struct look_meanwhile {
	struct bench *b;
	uint64_t ino;
	bool done;
};

/* Another program looks at the file, behind the TTL, just before S3 has the change. */
static int look_before_the_copy(void *data, enum memory_op op, enum memory_when when,
				const char *name)
{
	struct look_meanwhile *look = data;

	(void)name;
	if (op == MEMORY_COPY_OBJECT && when == MEMORY_BEFORE && !look->done) {
		look->done = true;
		pass(look->b, 10 * TTL_MS);
		assert_int_equal(stat_of(look->b, look->ino).st_mode & 07777, 0600);
	}
	return 0;
}

static void a_look_while_a_change_is_written_does_not_undo_it(void **state)
{
	struct bench *b = *state;
	struct fs_file *file;
	struct look_meanwhile meanwhile = {.b = b};

	/* a fresh one: its metadata may change without another date */
	meanwhile.ino = create(b, "file", &file);
	close_file(b, file);
	memory_hook(&b->s3, look_before_the_copy, &meanwhile);
	assert_int_equal(set_mode(b, meanwhile.ino, NULL, 0600), 0);
	memory_hook(&b->s3, NULL, NULL);
	assert_true(meanwhile.done);
	assert_int_equal(stat_of(b, meanwhile.ino).st_mode & 07777, 0600);
	assert_meta(b, "file", "mode", "33152");
}

static void two_changes_of_a_directory_are_both_kept(void **state)
{
	struct bench *b = *state;
	struct changing one = {b, 0, FS_SET_MODE, 1, {.st_mode = 0700}};
	pthread_t thread;

	put(b, "d/a", NULL, NULL);
	one.ino = look(b, "d");
	memory_hold(&b->s3, MEMORY_PUT_OBJECT, MEMORY_BEFORE);
	assert_int_equal(pthread_create(&thread, NULL, change, &one), 0);
	assert_true(memory_wait_held(&b->s3, MEMORY_PUT_OBJECT, 1));
	put(b, "d/", NULL, NULL);
	assert_int_equal(set(b, &b->call, one.ino, NULL, FS_SET_UID, &(struct stat){.st_uid = 7}),
			 0);
	memory_release(&b->s3, MEMORY_PUT_OBJECT);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(one.r, 0);
	assert_meta(b, "d/", "mode", "16832");
	assert_meta(b, "d/", "uid", "7");
}

static void *flush(void *data)
{
	struct changing *changing = data;
	struct fs_file *file;
	struct fs_entry entry;
	struct bench *b = changing->b;
	struct call call;

	call_init(&call, NULL, &b->clock.clock, CLOCK_NEVER);
	assert_int_equal(fs_create(b->fs, &call, look_in(b, FS_ROOT, BUCKET), "a", &maker,
				   O_WRONLY | O_CREAT, &entry, &file),
			 0);
	changing->r = fs_flush(b->fs, &call, file);
	fs_release(b->fs, &call, file);
	call_deinit(&call);
	return NULL;
}

static void a_change_while_the_upload_is_under_way(void **state)
{
	struct bench *b = *state;
	struct changing upload = {.b = b, .r = 1};
	pthread_t thread;

	memory_hold(&b->s3, MEMORY_PUT_OBJECT, MEMORY_BEFORE);
	assert_int_equal(pthread_create(&thread, NULL, flush, &upload), 0);
	assert_true(memory_wait_held(&b->s3, MEMORY_PUT_OBJECT, 1));
	assert_int_equal(set_mode(b, look(b, "a"), NULL, 0600), 0);
	memory_release(&b->s3, MEMORY_PUT_OBJECT);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(upload.r, 0);
	assert_meta(b, "a", "mode", "33152");
	assert_int_equal(stat_of(b, look(b, "a")).st_mode, S_IFREG | 0600);
}

/* ---- long files ---- */

#define LONG (20 * MIB)

static uint64_t write_long(struct bench *b, struct fs_file **file)
{
	_cleanup_(freep) char *data = calloc(1, MIB);
	uint64_t ino = create(b, "long", file);

	assert_non_null(data);
	for (uint64_t at = 0; at < LONG; at += MIB) {
		pass(b, 1000);
		assert_int_equal(fs_write(b->fs, &b->call, *file, at, data, MIB), 0);
	}
	assert_int_equal(memory_count(&b->s3, MEMORY_CREATE_UPLOAD), 1);
	return ino;
}

static void a_date_alone_is_not_worth_a_copy(void **state)
{
	struct bench *b = *state;
	_cleanup_(object_deinit) struct object object = {0};
	struct fs_file *file;
	uint64_t ino = write_long(b, &file);
	struct posix_time {
		long long s;
	} kept;

	close_file(b, file);
	assert_int_equal(memory_count(&b->s3, MEMORY_COPY_OBJECT), 0);
	assert_meta(b, "long", "mode", "33184");
	/* what is shown is what is kept */
	assert_true(memory_stat(&b->s3, BUCKET, "long", &object));
	kept.s = atoll(object_meta_get(&object, "mtime"));
	assert_int_equal(stat_of(b, ino).st_mtim.tv_sec, kept.s);
}

static void what_is_set_behind_the_first_part_is_kept(void **state)
{
	struct bench *b = *state;
	struct stat attr = {.st_mtim = {.tv_sec = 981173106}, .st_mode = 0600};
	struct fs_file *file;
	uint64_t ino = write_long(b, &file);

	assert_int_equal(set(b, &b->call, ino, file, FS_SET_MTIME | FS_SET_MODE, &attr), 0);
	close_file(b, file);
	assert_int_equal(memory_count(&b->s3, MEMORY_COPY_OBJECT), 1);
	assert_meta(b, "long", "mode", "33152");
	assert_meta(b, "long", "mtime", "981173106");
	assert_int_equal(stat_of(b, ino).st_mtim.tv_sec, 981173106);
}

/* What was sent is read, for which it is completed. */
static void what_is_set_before_a_stream_is_read_is_kept(void **state)
{
	struct bench *b = *state;
	struct fs_file *file, *reader;
	char data[8];
	size_t n;
	uint64_t ino = write_long(b, &file);

	assert_int_equal(set_mode(b, ino, file, 0600), 0);
	reader = open_file(b, ino, O_RDONLY);
	/* as soon as the second part is at the server, and not here any more */
	for (uint64_t at = 0; memory_count(&b->s3, MEMORY_COMPLETE_UPLOAD) == 0;
	     at = (at + MIB) % LONG)
		assert_int_equal(fs_read(b->fs, &b->call, reader, at, sizeof(data), data, &n), 0);
	close_file(b, file);
	fs_release(b->fs, &b->call, reader);
	assert_meta(b, "long", "mode", "33152");
	assert_int_equal(stat_of(b, ino).st_mode, S_IFREG | 0600);
}

/* ---- names ---- */

static void renames_take_them_along(void **state)
{
	struct bench *b = *state;
	uint64_t bucket = look_in(b, FS_ROOT, BUCKET);

	put(b, "a", "mode", "33152");
	put(b, "d/", "mode", "16832");
	put(b, "d/b", "mode", "33156");
	look(b, "a");
	assert_int_equal(fs_rename(b->fs, &b->call, bucket, "a", bucket, "z", 0), 0);
	assert_int_equal(fs_rename(b->fs, &b->call, bucket, "d", bucket, "e", 0), 0);
	assert_meta(b, "z", "mode", "33152");
	assert_meta(b, "e/", "mode", "16832");
	assert_int_equal(stat_of(b, look(b, "z")).st_mode, S_IFREG | 0600);
	assert_int_equal(stat_of(b, look(b, "e")).st_mode, S_IFDIR | 0700);
	assert_int_equal(stat_of(b, look_in(b, look(b, "e"), "b")).st_mode, S_IFREG | 0604);
	pass(b, TTL_MS);
	assert_int_equal(stat_of(b, look(b, "z")).st_mode, S_IFREG | 0600);
}

struct renaming {
	struct bench *b;
	int r;
};

static void *rename_d(void *data)
{
	struct renaming *renaming = data;
	struct bench *b = renaming->b;
	uint64_t bucket = look_in(b, FS_ROOT, BUCKET);
	struct call call;

	call_init(&call, NULL, &b->clock.clock, CLOCK_NEVER);
	renaming->r = fs_rename(b->fs, &call, bucket, "d", bucket, "e", 0);
	call_deinit(&call);
	return NULL;
}

struct making {
	struct bench *b;
	uint64_t dir;
	int r;
};

static void *make_two(void *data)
{
	struct making *making = data;
	struct bench *b = making->b;
	struct fs_entry entry;
	struct call call;

	call_init(&call, NULL, &b->clock.clock, CLOCK_NEVER);
	making->r = fs_symlink(b->fs, &call, making->dir, "link", "target", &maker, &entry);
	if (making->r == 0)
		making->r = fs_mkdir(b->fs, &call, making->dir, "made", &maker, &entry);
	call_deinit(&call);
	return NULL;
}

/* The copies are made when they come, and wait for its end. */
static void changes_while_a_directory_is_renamed(void **state)
{
	struct bench *b = *state;
	struct renaming renaming = {.b = b, .r = 1};
	uint64_t dir, file;
	pthread_t thread, changer, two;

	put(b, "d/", "mode", "16832");
	put(b, "d/a", "mode", "33188");
	put(b, "d/z", "mode", "33188");
	dir = look(b, "d");
	file = look_in(b, dir, "a");
	memory_hold(&b->s3, MEMORY_COPY_OBJECT, MEMORY_AFTER);
	assert_int_equal(pthread_create(&thread, NULL, rename_d, &renaming), 0);
	assert_true(memory_wait_held(&b->s3, MEMORY_COPY_OBJECT, 3));
	struct changing changing = {b, file, FS_SET_MODE, 1, {.st_mode = 0600}};
	struct making making = {b, dir, 1};

	assert_int_equal(pthread_create(&changer, NULL, change, &changing), 0);
	assert_int_equal(pthread_create(&two, NULL, make_two, &making), 0);
	assert_true(test_clock_settled(&b->clock, 3 + 2));
	memory_release(&b->s3, MEMORY_COPY_OBJECT);
	assert_int_equal(pthread_join(changer, NULL), 0);
	assert_int_equal(pthread_join(two, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(renaming.r, 0);
	assert_int_equal(changing.r, 0);
	assert_int_equal(making.r, 0);
	assert_meta(b, "e/", "mode", "16832");
	assert_meta(b, "e/a", "mode", "33152");
	assert_meta(b, "e/link", "mode", "41471");
	assert_meta(b, "e/made/", "mode", "16800");
	assert_false(memory_has(&b->s3, BUCKET, "d/a"));
}

static void a_file_without_a_name(void **state)
{
	struct bench *b = *state;
	struct fs_file *file;
	uint64_t ino = create(b, "a", &file);

	close_file(b, file);
	file = open_file(b, ino, O_RDWR);
	assert_int_equal(fs_unlink(b->fs, &b->call, look_in(b, FS_ROOT, BUCKET), "a"), 0);
	assert_int_equal(set_mode(b, ino, file, 0600), 0);
	assert_int_equal(stat_of(b, ino).st_mode, S_IFREG | 0600);
	assert_false(memory_has(&b->s3, BUCKET, "a"));
	fs_release(b->fs, &b->call, file);
	assert_false(memory_has(&b->s3, BUCKET, "a"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_test, end_test)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_file_is_asked_for_once),
	    TEST(what_is_not_told_is_the_mounts),
	    TEST(a_change_of_metadata_alone_is_seen),
	    TEST(a_change_behind_a_fresh_object_is_seen),
	    TEST(a_file_that_becomes_a_link_is_another_node),
	    TEST(a_file_that_goes_between_the_requests),
	    TEST(a_file_that_cannot_be_asked_for),
	    TEST(a_directory_is_asked_for_within_the_ttl),
	    TEST(the_kernel_keeps_what_is_known_of_a_directory_no_longer),
	    TEST(attrs_object_asks_for_nothing),
	    TEST(a_plain_listing_asks_for_nothing),
	    TEST(a_listing_with_attributes_asks_several_at_once),
	    TEST(a_listing_shows_what_cannot_be_told),
	    TEST(a_new_file_takes_all_along),
	    TEST(the_last_write_is_the_date),
	    TEST(a_group_is_inherited),
	    TEST(symbolic_links),
	    TEST(links_of_others),
	    TEST(chmod_copies_the_object_onto_itself),
	    TEST(the_type_of_a_fifo_is_kept),
	    TEST(touch_and_dates),
	    TEST(a_directory_gets_a_marker),
	    TEST(a_bucket_has_no_attributes),
	    TEST(an_overwritten_file_keeps_its_attributes),
	    TEST(a_multipart_object_is_followed),
	    TEST(above_what_one_copy_takes),
	    TEST(a_change_that_fails_is_undone),
	    TEST(a_change_of_another_object_is_refused),
	    TEST(two_changes_at_once_are_both_kept),
	    TEST(a_look_while_a_change_is_written_does_not_undo_it),
	    TEST(two_changes_of_a_directory_are_both_kept),
	    TEST(a_change_while_the_upload_is_under_way),
	    TEST(a_date_alone_is_not_worth_a_copy),
	    TEST(what_is_set_behind_the_first_part_is_kept),
	    TEST(what_is_set_before_a_stream_is_read_is_kept),
	    TEST(renames_take_them_along),
	    TEST(changes_while_a_directory_is_renamed),
	    TEST(a_file_without_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
