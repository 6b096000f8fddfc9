#include "xacctfs/fs/fs.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"

#include "buckets.h"
#include "inode.h"
#include "namespace.h"

#define XATTR_REGION "user.s3.region"

struct fs_dir {
	pthread_mutex_t lock;
	struct listing *listing;    /* lock; NULL until read */
	bool read;                  /* lock: entries were given, so offset 0 is a rewind */
	struct fs_dir *prev, *next; /* fs->dirs_lock */
};

struct fs {
	struct fs_options options;
	struct buckets buckets;
	struct inode_table inodes;
	int64_t born_wall_ms; /* the root's dates */
	pthread_mutex_t dirs_lock;
	struct fs_dir *dirs; /* dirs_lock; those that are open */
};

int fs_new(const struct fs_options *options, struct fs **ret_fs)
{
	struct fs *fs = calloc(1, sizeof(*fs));

	if (!fs)
		return -ENOMEM;
	fs->options = *options;
	fs->born_wall_ms = options->clock->wall_ms(options->clock);
	if (buckets_init(&fs->buckets, options->store, options->clock, options->metadata_ttl_ms) <
	    0) {
		free(fs);
		return -ENOMEM;
	}
	inode_table_init(&fs->inodes);
	pthread_mutex_init(&fs->dirs_lock, NULL);
	*ret_fs = fs;
	return 0;
}

void fs_free(struct fs *fs)
{
	if (!fs)
		return;
	/* the kernel drops what it has not sent yet when the mount ends, releasedirs too */
	while (fs->dirs)
		fs_releasedir(fs, fs->dirs);
	pthread_mutex_destroy(&fs->dirs_lock);
	inode_table_deinit(&fs->inodes);
	buckets_deinit(&fs->buckets);
	free(fs);
}

int fs_prime(struct fs *fs, struct call *call, size_t *ret_buckets)
{
	struct listing *listing;
	int r = buckets_list(&fs->buckets, call, &listing);

	if (r < 0)
		return r;
	*ret_buckets = listing->n;
	buckets_unref(&fs->buckets, listing);
	return 0;
}

/* ---- attributes ---- */

static struct stat directory(const struct fs *fs, uint64_t st_ino, int64_t time_ms)
{
	struct timespec ts = {.tv_sec = time_ms / 1000, .tv_nsec = time_ms % 1000 * 1000000};

	return (struct stat){
	    .st_ino = st_ino,
	    .st_mode = S_IFDIR | fs->options.dir_mode,
	    .st_nlink = 2,
	    .st_uid = fs->options.uid,
	    .st_gid = fs->options.gid,
	    .st_blksize = 4096,
	    .st_atim = ts,
	    .st_mtim = ts,
	    .st_ctim = ts,
	};
}

/* A bucket's entry, handed out to the kernel. */
static int make_entry(struct fs *fs, const char *name, int64_t created_ms, int64_t valid_ms,
		      struct fs_entry *ret_entry)
{
	struct fs_entry entry = {.valid_ms = valid_ms};
	int r = inode_acquire(&fs->inodes, name, created_ms, &entry.ino);

	if (r < 0)
		return r;
	entry.attr = directory(fs, inode_number(name), created_ms);
	*ret_entry = entry;
	return 0;
}

int fs_getattr(struct fs *fs, uint64_t ino, struct stat *ret_attr, int64_t *ret_valid_ms)
{
	_cleanup_(freep) char *name = NULL;
	int64_t created_ms;
	int r;

	if (ino == FS_ROOT) {
		*ret_attr = directory(fs, FS_ROOT, fs->born_wall_ms);
	} else {
		/* a bucket's attributes never change; whether it is still there, lookup tells */
		r = inode_bucket(&fs->inodes, ino, &name, &created_ms);
		if (r < 0)
			return r;
		*ret_attr = directory(fs, inode_number(name), created_ms);
	}
	*ret_valid_ms = fs->options.metadata_ttl_ms;
	return 0;
}

/* ---- names ---- */

int fs_lookup(struct fs *fs, struct call *call, uint64_t parent, const char *name,
	      struct fs_entry *ret_entry)
{
	int64_t created_ms, valid_ms;
	bool found;
	int r;

	if (parent != FS_ROOT)
		return -EOPNOTSUPP;
	if (strlen(name) > NAME_MAX)
		return -ENAMETOOLONG;
	r = buckets_find(&fs->buckets, call, name, &found, &created_ms, &valid_ms);
	if (r < 0)
		return r;
	if (!found) {
		*ret_entry = (struct fs_entry){.valid_ms = valid_ms};
		return 0;
	}
	return make_entry(fs, name, created_ms, valid_ms, ret_entry);
}

void fs_forget(struct fs *fs, uint64_t ino, uint64_t count)
{
	inode_forget(&fs->inodes, ino, count);
}

int fs_mkdir(struct fs *fs, struct call *call, uint64_t parent, const char *name,
	     struct fs_entry *ret_entry)
{
	struct clock *clock = fs->options.clock;
	int64_t now_ms = clock->wall_ms(clock), started_ms = clock->boot_ms(clock), valid_ms;
	const char *rule;
	int r;

	if (parent != FS_ROOT)
		return -EOPNOTSUPP;
	rule = bucket_name_rule_broken(name);
	if (rule) {
		log_info("mkdir %s: %s", name, rule);
		return -EINVAL;
	}
	r = fs->options.store->create_bucket(fs->options.store, call, name);
	if (r < 0)
		return r;
	buckets_added(&fs->buckets, name, now_ms);
	valid_ms = started_ms + fs->options.metadata_ttl_ms - clock->boot_ms(clock);
	return make_entry(fs, name, now_ms, valid_ms > 0 ? valid_ms : 0, ret_entry);
}

int fs_rmdir(struct fs *fs, struct call *call, uint64_t parent, const char *name)
{
	bool found;
	int64_t created_ms, valid_ms;
	int r;

	if (parent != FS_ROOT)
		return -EOPNOTSUPP;
	/* what the mount does not show, it does not delete */
	r = buckets_find(&fs->buckets, call, name, &found, &created_ms, &valid_ms);
	if (r < 0)
		return r;
	if (!found)
		return -ENOENT;
	r = fs->options.store->delete_bucket(fs->options.store, call, name);
	if (r == 0 || r == -ENOENT)
		buckets_removed(&fs->buckets, name);
	return r;
}

/* ---- what is not offered here ---- */

int fs_create(struct fs *fs, uint64_t parent)
{
	(void)fs;
	return parent == FS_ROOT ? -EPERM : -EOPNOTSUPP;
}

int fs_unlink(struct fs *fs, struct call *call, uint64_t parent, const char *name)
{
	bool found;
	int64_t created_ms, valid_ms;
	int r;

	if (parent != FS_ROOT)
		return -EOPNOTSUPP;
	r = buckets_find(&fs->buckets, call, name, &found, &created_ms, &valid_ms);
	if (r < 0)
		return r;
	return found ? -EISDIR : -ENOENT;
}

int fs_rename(struct fs *fs, uint64_t parent, uint64_t new_parent)
{
	(void)fs;
	return parent == FS_ROOT || new_parent == FS_ROOT ? -EXDEV : -EOPNOTSUPP;
}

int fs_setattr(struct fs *fs, uint64_t ino)
{
	(void)fs;
	return ino == FS_ROOT ? -EPERM : -EOPNOTSUPP;
}

/* ---- directories ---- */

int fs_opendir(struct fs *fs, struct call *call, uint64_t ino, struct fs_dir **ret_dir)
{
	struct fs_dir *dir;
	int r;

	if (ino != FS_ROOT)
		return -EOPNOTSUPP;
	dir = calloc(1, sizeof(*dir));
	if (!dir)
		return -ENOMEM;
	/* a directory that can't be listed says so at open, where programs look for it */
	r = buckets_list(&fs->buckets, call, &dir->listing);
	if (r < 0) {
		free(dir);
		return r;
	}
	pthread_mutex_init(&dir->lock, NULL);
	pthread_mutex_lock(&fs->dirs_lock);
	DL_APPEND(fs->dirs, dir);
	pthread_mutex_unlock(&fs->dirs_lock);
	*ret_dir = dir;
	return 0;
}

void fs_releasedir(struct fs *fs, struct fs_dir *dir)
{
	pthread_mutex_lock(&fs->dirs_lock);
	DL_DELETE(fs->dirs, dir);
	pthread_mutex_unlock(&fs->dirs_lock);
	if (dir->listing)
		buckets_unref(&fs->buckets, dir->listing);
	pthread_mutex_destroy(&dir->lock);
	free(dir);
}

/* rewinddir() shows what is there now (POSIX). The lock is not held across the request. */
static int rewind_dir(struct fs *fs, struct call *call, struct fs_dir *dir)
{
	struct listing *fresh, *old;
	bool again;
	int r;

	pthread_mutex_lock(&dir->lock);
	again = dir->read;
	pthread_mutex_unlock(&dir->lock);
	if (!again)
		return 0;
	r = buckets_list(&fs->buckets, call, &fresh);
	if (r < 0)
		return r;
	pthread_mutex_lock(&dir->lock);
	old = dir->listing;
	dir->listing = fresh;
	dir->read = false;
	pthread_mutex_unlock(&dir->lock);
	buckets_unref(&fs->buckets, old);
	return 0;
}

/* Offsets: 0 is ".", 1 is "..", 2 + i is the listing's entry i. */
int fs_readdir(struct fs *fs, struct call *call, struct fs_dir *dir, uint64_t offset,
	       struct fs_dirent *ret_dirent)
{
	struct fs_dirent dirent = {.mode = S_IFDIR, .st_ino = FS_ROOT, .next = offset + 1};
	int r = 0;

	if (offset == 0) {
		r = rewind_dir(fs, call, dir);
		if (r < 0)
			return r;
	}
	pthread_mutex_lock(&dir->lock);
	if (offset < 2) {
		dirent.name = offset == 0 ? "." : "..";
	} else if (offset - 2 < dir->listing->n) {
		dirent.name = dir->listing->v[offset - 2].name;
		dirent.st_ino = inode_number(dirent.name);
	} else {
		r = -ENOENT;
	}
	if (offset > 0)
		dir->read = true;
	pthread_mutex_unlock(&dir->lock);
	if (r == 0)
		*ret_dirent = dirent;
	return r;
}

int fs_readdir_entry(struct fs *fs, struct fs_dir *dir, const struct fs_dirent *dirent,
		     struct fs_entry *ret_entry)
{
	int64_t created_ms, valid_ms;
	bool found;

	if (dirent->next <= 2) {
		*ret_entry = (struct fs_entry){.attr = directory(fs, FS_ROOT, fs->born_wall_ms)};
		return 0;
	}
	pthread_mutex_lock(&dir->lock);
	found = buckets_entry(&fs->buckets, dir->listing, dirent->name, &created_ms, &valid_ms);
	pthread_mutex_unlock(&dir->lock);
	if (found)
		return make_entry(fs, dirent->name, created_ms, valid_ms, ret_entry);
	/* the name is in the listing still */
	*ret_entry = (struct fs_entry){.attr = {.st_ino = dirent->st_ino, .st_mode = dirent->mode}};
	return 0;
}

/* ---- the rest ---- */

int fs_statfs(struct fs *fs, struct statvfs *ret_statvfs)
{
	/* S3 has no end; these are numbers that no program's arithmetic trips over */
	const fsblkcnt_t blocks = (fsblkcnt_t)1 << 38; /* of 4 KiB: 1 PiB */

	(void)fs;
	*ret_statvfs = (struct statvfs){
	    .f_bsize = 4096,
	    .f_frsize = 4096,
	    .f_blocks = blocks,
	    .f_bfree = blocks,
	    .f_bavail = blocks,
	    .f_files = 1000000000,
	    .f_ffree = 1000000000,
	    .f_favail = 1000000000,
	    .f_namemax = NAME_MAX,
	};
	return 0;
}

static int get_region(struct fs *fs, struct call *call, const char *bucket, struct buf *value)
{
	struct store *store = fs->options.store;
	char region[S3_REGION_MAX + 1];
	int r = store->bucket_region(store, bucket, region);

	if (r == -ENODATA) {
		r = store->head_bucket(store, call, bucket);
		if (r == 0)
			r = store->bucket_region(store, bucket, region);
	}
	return r < 0 ? r : buf_add_str(value, region);
}

int fs_getxattr(struct fs *fs, struct call *call, uint64_t ino, const char *name,
		struct buf *ret_value)
{
	_cleanup_(freep) char *bucket = NULL;
	int64_t created_ms;
	int r;

	if (strncmp(name, "user.", 5) != 0)
		return -EOPNOTSUPP;
	if (ino == FS_ROOT || strcmp(name, XATTR_REGION) != 0)
		return -ENODATA;
	r = inode_bucket(&fs->inodes, ino, &bucket, &created_ms);
	return r < 0 ? r : get_region(fs, call, bucket, ret_value);
}

int fs_listxattr(struct fs *fs, uint64_t ino, struct buf *ret_names)
{
	(void)fs;
	return ino == FS_ROOT ? 0 : buf_add(ret_names, XATTR_REGION, sizeof(XATTR_REGION));
}
