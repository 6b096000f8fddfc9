/*
 * fs: the file system, without a FUSE type in it. Each function is one operation of the kernel's:
 * it returns 0 or the negative errno that goes back, and may be called by any thread.
 *
 * The tree: the root's entries are Account B's buckets, as ListBuckets tells. A listing serves for
 * metadata_ttl, and every answer's validity ends with the listing that it came of, so that what
 * another client did is seen within one TTL; what this mount did is seen at once.
 */
#ifndef XACCTFS_FS_FS_H
#define XACCTFS_FS_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "xacctfs/s3/store.h"
#include "xacctfs/util/call.h"

#define FS_ROOT 1 /* the root's inode number, as in FUSE */

struct fs;

struct fs_options {
	struct clock *clock;
	struct store *store; /* not owned */
	int64_t metadata_ttl_ms;
	uid_t uid;
	gid_t gid;
	mode_t dir_mode; /* permission bits */
};

struct fs_entry {
	uint64_t ino; /* to be forgotten as often as it was handed out; 0: there is no such name */
	struct stat attr;
	int64_t valid_ms; /* how long the kernel may keep name and attributes */
};

/* Returns 0, -ENOMEM. */
int fs_new(const struct fs_options *options, struct fs **ret_fs);
void fs_free(struct fs *fs); /* no call may be running; open directories end; NULL is fine */

/* Lists the buckets, so that a mount that cannot does not come to be. 0 with their number. */
int fs_prime(struct fs *fs, struct call *call, size_t *ret_buckets);

/* A name that is not there is 0 with ret_entry->ino 0, for the kernel to remember. */
int fs_lookup(struct fs *fs, struct call *call, uint64_t parent, const char *name,
	      struct fs_entry *ret_entry);
void fs_forget(struct fs *fs, uint64_t ino, uint64_t count);
int fs_getattr(struct fs *fs, uint64_t ino, struct stat *ret_attr, int64_t *ret_valid_ms);

/*
 * At the root: CreateBucket and DeleteBucket. A name against AWS's rules is -EINVAL before any
 * request, with the broken rule in the log.
 */
int fs_mkdir(struct fs *fs, struct call *call, uint64_t parent, const char *name,
	     struct fs_entry *ret_entry);
int fs_rmdir(struct fs *fs, struct call *call, uint64_t parent, const char *name);

/*
 * What can't be done, by the rules of DESIGN's table of operations: the errno for a file, link or
 * node made, a name unlinked, an attribute changed, at this place.
 */
int fs_create(struct fs *fs, uint64_t parent);
int fs_unlink(struct fs *fs, struct call *call, uint64_t parent, const char *name);
int fs_rename(struct fs *fs, uint64_t parent, uint64_t new_parent);
int fs_setattr(struct fs *fs, uint64_t ino);

/* An open directory: a listing as it was when it was first read; rewound to 0, a fresh one. */
struct fs_dir;
int fs_opendir(struct fs *fs, struct call *call, uint64_t ino, struct fs_dir **ret_dir);
void fs_releasedir(struct fs *fs, struct fs_dir *dir);

struct fs_dirent {
	const char *name; /* valid until the dir's next call */
	uint64_t st_ino;
	mode_t mode;   /* S_IFDIR */
	uint64_t next; /* the offset to go on from */
};

/* The entry at offset (0 is the first). Returns 0, -ENOENT behind the last, -EINTR, ... */
int fs_readdir(struct fs *fs, struct call *call, struct fs_dir *dir, uint64_t offset,
	       struct fs_dirent *ret_dirent);

/*
 * The same entry as fs_lookup would give it, without a request, for readdirplus. ino 0 for "." and
 * ".." and for what is gone; else to be forgotten.
 */
int fs_readdir_entry(struct fs *fs, struct fs_dir *dir, const struct fs_dirent *dirent,
		     struct fs_entry *ret_entry);

int fs_statfs(struct fs *fs, struct statvfs *ret_statvfs);

/*
 * Attributes: user.s3.region on a bucket. Returns 0 with the value, -ENODATA, -EOPNOTSUPP for other
 * namespaces. List: names, each with its NUL.
 */
struct buf;
int fs_getxattr(struct fs *fs, struct call *call, uint64_t ino, const char *name,
		struct buf *ret_value);
int fs_listxattr(struct fs *fs, uint64_t ino, struct buf *ret_names);

#endif
