/*
 * fs: the file system, without a FUSE type in it. Each function is one operation of the kernel's:
 * it returns 0 or the negative errno that goes back, and may be called by any thread. Besides what
 * is said there, any that takes a call may return -EINTR, -ETIMEDOUT and what the store does; one
 * that takes the number of a node -ESTALE, when it is not known, or not there any more; and many
 * -ENOMEM.
 *
 * The tree: the root's entries are Account B's buckets, as ListBuckets tells; below them are the
 * objects' keys, split at '/'. What was listed or asked for serves for metadata_ttl, and every
 * answer's validity ends with the request that it came of, so that what another client did is seen
 * within one TTL; what this mount did is seen at once.
 *
 * A file's bytes are an object when fs_flush or fs_fsync returned 0, and not before.
 *
 * The root also has FS_CONTROL_DIR, which is not listed: files that tell of the program itself.
 */
#ifndef XACCTFS_FS_FS_H
#define XACCTFS_FS_FS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "xacctfs/s3/store.h"
#include "xacctfs/util/call.h"

#define FS_ROOT 1 /* the root's inode number, as in FUSE */

/*
 * The name of the control files' directory. No bucket can have it; where a bucket is mounted alone,
 * keys of this name, and below it, are hidden.
 */
#define FS_CONTROL_DIR ".xacctfs"

struct buf;
struct fs;

/* A control file: read-only, and as it was when it was opened. */
struct fs_control {
	const char *name;
	mode_t mode; /* permission bits */
	/*
	 * Appends the whole text. Any thread, several at once. It must neither wait for anybody nor
	 * ask S3, and may call no function of fs's but those that say what fs did. 0, -ENOMEM.
	 */
	int (*render)(void *data, struct buf *text);
};

struct fs_options {
	struct clock *clock;
	struct store *store; /* not owned */
	int64_t metadata_ttl_ms;
	uid_t uid;
	gid_t gid;
	mode_t dir_mode, file_mode; /* permission bits */
	bool posix;                 /* attrs=posix: modes, owners, dates, symbolic links are kept */
	const char *bucket;         /* mounted alone; NULL: all buckets. Not kept */
	const char *prefix;         /* of it: "" or with '/' at its end. Not kept */
	uint64_t memory_limit;      /* bytes of files and names held; 1 MiB or more */
	const char *staging_dir;    /* for files that are changed in the middle. Not kept */
	uint64_t staging_limit;     /* bytes */
	int64_t background_timeout_ms; /* patience of one transfer that nobody waits for */
	struct call_group *closing; /* of what fs_free() asks S3 for, and copies that are given up;
				       NULL: none. Not owned */
	const struct fs_control *control; /* n_control of them; none: there is no FS_CONTROL_DIR */
	size_t n_control;
	void *control_data; /* of their render; neither is owned */
};

struct fs_entry {
	uint64_t ino; /* to be forgotten as often as it was handed out; 0: there is no such name */
	struct stat attr;
	int64_t valid_ms; /* how long the kernel may keep name and attributes */
};

/* Returns 0, -ENOMEM, or staging_dir's errno, which was logged. Threads are made when needed. */
int fs_new(const struct fs_options *options, struct fs **ret_fs);
/*
 * Uploads what open files still hold, all of them within the call, and logs each that could not be.
 * Returns 0, or -EIO when one was lost. For the time between the last operation and fs_free.
 */
int fs_save(struct fs *fs, struct call *call);
/*
 * No call may be running; open files and directories end. Aborts uploads that were not completed,
 * for a few seconds at most. NULL is fine.
 */
void fs_free(struct fs *fs);

/* Lists the root, so that a mount that cannot does not come to be. 0 with the number of buckets. */
int fs_prime(struct fs *fs, struct call *call, size_t *ret_buckets);

/* ---- names ---- */

/* Who makes something, and its permission bits: with attrs=posix it is kept. */
struct fs_maker {
	uid_t uid;
	gid_t gid;
	mode_t mode;
};

/*
 * A name that is not there is 0 with ret_entry->ino 0. The kernel is not to remember it: it could
 * not be told to forget it while it waits for an fsync of the directory.
 */
int fs_lookup(struct fs *fs, struct call *call, uint64_t parent, const char *name,
	      struct fs_entry *ret_entry);
/* The kernel knows the node by `count` fewer of the times that it was handed out. */
void fs_forget(struct fs *fs, uint64_t ino, uint64_t count);
/* True while the kernel holds more names than memory_limit has room for. */
bool fs_is_full(struct fs *fs);
/*
 * A file's name, of the directory with the number *ret_parent, that the kernel is then to be asked
 * to forget: the one that was not looked at for longest. It is free to keep it, and is asked once.
 * False when the others can stay.
 */
bool fs_recall(struct fs *fs, uint64_t *ret_parent, char ret_name[NAME_MAX + 1]);
/* ret_valid_ms: how long the kernel may keep them. -ESTALE: the name is another file's by now. */
int fs_getattr(struct fs *fs, struct call *call, uint64_t ino, struct stat *ret_attr,
	       int64_t *ret_valid_ms);
/* st_ino of a node. Returns 0, -ESTALE. */
int fs_number(struct fs *fs, uint64_t ino, uint64_t *ret_number);

/*
 * At the root: CreateBucket and DeleteBucket; a name against AWS's rules is -EINVAL before any
 * request, with the broken rule in the log. Below: an object of 0 bytes whose key ends in '/'; what
 * is removed may have had one or not.
 */
int fs_mkdir(struct fs *fs, struct call *call, uint64_t parent, const char *name,
	     const struct fs_maker *maker, struct fs_entry *ret_entry);
int fs_rmdir(struct fs *fs, struct call *call, uint64_t parent, const char *name);
/* -EISDIR; what has the file open goes on reading what is at hand. */
int fs_unlink(struct fs *fs, struct call *call, uint64_t parent, const char *name);

/* flags: RENAME_NOREPLACE of rename(2) or 0; others are -EINVAL. Buckets: -EXDEV. */
int fs_rename(struct fs *fs, struct call *call, uint64_t parent, const char *name,
	      uint64_t new_parent, const char *new_name, unsigned int flags);

/* attrs=posix: -EEXIST, -ENAMETOOLONG. attrs=object: -EPERM. */
int fs_symlink(struct fs *fs, struct call *call, uint64_t parent, const char *name,
	       const char *target, const struct fs_maker *maker, struct fs_entry *ret_entry);
/* The target, to free(). Returns 0, -EINVAL for what is no symbolic link, -ENAMETOOLONG. */
int fs_readlink(struct fs *fs, struct call *call, uint64_t ino, char **ret_target);

/* What is not a file, directory or symbolic link can't be made: -EPERM. */
int fs_mknod(struct fs *fs, uint64_t parent);

/* ---- directories ---- */

/*
 * An open directory: read page by page; rewound to 0, a fresh one. What this mount changes while it
 * is open may show or not.
 */
struct fs_dir;
/* The root is listed at once, others when they are read. -ENOTDIR. */
int fs_opendir(struct fs *fs, struct call *call, uint64_t ino, struct fs_dir **ret_dir);
void fs_releasedir(struct fs *fs, struct fs_dir *dir);

struct fs_dirent {
	const char *name; /* valid until the dir's next call */
	uint64_t st_ino;
	mode_t mode;   /* S_IFDIR, S_IFREG; 0 with attrs=posix, where it may be S_IFLNK, too */
	uint64_t next; /* the offset to go on from */
};

/* The entry at offset (0 is the first). Returns 0, -ENOENT behind the last, -EINTR, ... */
int fs_readdir(struct fs *fs, struct call *call, struct fs_dir *dir, uint64_t offset,
	       struct fs_dirent *ret_dirent);

/*
 * The entry that fs_readdir gave last, as fs_lookup would give it but without a request, for
 * readdirplus. ino 0 for "." and "..", for what changed meanwhile, and while fs_is_full; else to be
 * forgotten.
 *
 * With attrs=posix objects are asked for what no listing tells: several at once, of this entry and
 * up to `ahead` that follow. ino is 0 then for what could not be told, too.
 */
int fs_readdir_entry(struct fs *fs, struct call *call, struct fs_dir *dir,
		     const struct fs_dirent *dirent, size_t ahead, struct fs_entry *ret_entry);

/*
 * Forgets what is known of the directory's entries, so that the next look asks the server (fsync of
 * a directory, or its opening with O_DIRECT). Of the entries that the kernel may remember, for it
 * to forget them too, the names, each with its NUL, and the inode numbers (uint64_t) are appended.
 */
int fs_expire_dir(struct fs *fs, uint64_t ino, struct buf *ret_names, struct buf *ret_inos);

/* ---- files ---- */

struct fs_file;

/*
 * flags: those of open(2); O_TRUNC empties the file (the object stays until the flush).
 * ret_keep_cache: the pages that the kernel has of the file are this object's.
 */
int fs_open(struct fs *fs, struct call *call, uint64_t ino, int flags, struct fs_file **ret_file,
	    bool *ret_keep_cache);
/* A new file; it is an object at its first flush. O_EXCL: -EEXIST then, when somebody was first. */
int fs_create(struct fs *fs, struct call *call, uint64_t parent, const char *name,
	      const struct fs_maker *maker, int flags, struct fs_entry *ret_entry,
	      struct fs_file **ret_file);
/* True when the file's size says nothing: its reads are to come here, past the page cache. */
bool fs_direct_io(const struct fs_file *file);
/*
 * Fewer than len bytes only at the end. -ESTALE: the file is another object by now, or this one is
 * gone and the bytes are not at hand.
 */
int fs_read(struct fs *fs, struct call *call, struct fs_file *file, uint64_t offset, size_t len,
	    void *data, size_t *ret_n);
/*
 * All of it or nothing. With O_APPEND at the end, whatever the offset. -ESTALE: the object is
 * another by now; -EFBIG over S3_OBJECT_MAX; -ENOSPC; what the upload of a part failed with.
 */
int fs_write(struct fs *fs, struct call *call, struct fs_file *file, uint64_t offset,
	     const void *data, size_t len);
/* What a shared mapping changed, by whichever handle: at its offset, with O_APPEND, too. */
int fs_write_pages(struct fs *fs, struct call *call, struct fs_file *file, uint64_t offset,
		   const void *data, size_t len);
/* close(2) and fsync(2): what was written is an object when they return 0. */
int fs_flush(struct fs *fs, struct call *call, struct fs_file *file);
int fs_fsync(struct fs *fs, struct call *call, struct fs_file *file);
/* True when the file was made or emptied, and nothing was written to it since. */
bool fs_unwritten(const struct fs_file *file);
/* Which process opened the handle, or wrote by it last, as the caller noted it; 0 for none. */
void fs_note_writer(struct fs_file *file, pid_t pid);
pid_t fs_writer(const struct fs_file *file);
/*
 * The last close of the handle; saves what no flush did, and logs when that fails. When the call is
 * cancelled, which only the mount's end does, the file stays open for fs_save.
 */
void fs_release(struct fs *fs, struct call *call, struct fs_file *file);

enum {
	FS_SET_SIZE = 1 << 0,
	FS_SET_MODE = 1 << 1,
	FS_SET_UID = 1 << 2,
	FS_SET_GID = 1 << 3,
	FS_SET_MTIME = 1 << 4,
	FS_SET_MTIME_NOW = 1 << 5,
	FS_SET_ATIME = 1 << 6, /* to a given time, or to now */
};

/*
 * file: the handle, or NULL: then another size is uploaded at once. what: FS_SET_*; attr has the
 * values. -EPERM: what an object can't have; without attrs=posix that is any mode and owner but its
 * own, and a date of what is uploaded, now excepted.
 */
int fs_setattr(struct fs *fs, struct call *call, uint64_t ino, struct fs_file *file,
	       const struct stat *attr, int what, struct stat *ret_attr, int64_t *ret_valid_ms);

/* ---- what the file system did and holds, for FS_CONTROL_DIR; asks nothing of S3 ---- */

/* Bytes. */
struct fs_memory_stats {
	uint64_t used;
	uint64_t most; /* that it ever was */
	uint64_t limit;
};

struct fs_stats {
	/* Ever: */
	uint64_t hidden_keys; /* left out of a listing; each time that they were */
	/* names below buckets that were looked up: by what was known, and by asking S3 */
	uint64_t lookups_known, lookups_asked;
	uint64_t read_bytes, written_bytes; /* of files, as the kernel asked for them */
	/* Now: */
	struct fs_memory_stats read_memory, write_memory;
	uint64_t staging_used, staging_limit;
	unsigned int parts_under_way; /* of files */
	size_t inodes;                /* names known */
	size_t open_files, open_dirs; /* handles */
	size_t unsaved_files;         /* open, and not in S3 as they are */
};

void fs_get_stats(struct fs *fs, struct fs_stats *ret_stats);

enum fs_unsaved_how {
	FS_UNSAVED_STREAM,     /* parts are sent while it is written */
	FS_UNSAVED_STAGED,     /* what was changed is in staging_dir until it is closed */
	FS_UNSAVED_ATTRIBUTES, /* its bytes are in S3, its metadata not */
};

/* A file that is not in S3 as it is. */
struct fs_unsaved {
	char *bucket, *key;
	enum fs_unsaved_how how;
	uint64_t size;
	uint64_t sent, under_way; /* bytes in parts that S3 has, and that are being sent */
	size_t parts_failed;      /* which the next close or fsync sends again */
};

struct fs_unsaved_list {
	struct fs_unsaved *v;
	size_t n;
};

void fs_unsaved_list_deinit(struct fs_unsaved_list *list); /* leaves it zeroed */
/* In the order in which they were opened. Returns 0, -ENOMEM. */
int fs_list_unsaved(struct fs *fs, struct fs_unsaved_list *ret_list);

/* ---- the rest ---- */

/* Large constants: S3 has no end. */
int fs_statfs(struct fs *fs, struct statvfs *ret_statvfs);

/*
 * Extended attributes: user.s3.region on a bucket; on an object user.s3.etag, storage-class,
 * version-id, content-type and others (fs/xattr has the list), and user.meta.NAME. The value, or
 * the names, each with its NUL, are appended. -ENODATA: not there; -EOPNOTSUPP: another namespace
 * than user. Costs a HEAD.
 */
int fs_getxattr(struct fs *fs, struct call *call, uint64_t ino, const char *name,
		struct buf *ret_value);
int fs_listxattr(struct fs *fs, struct call *call, uint64_t ino, struct buf *ret_names);

#endif
