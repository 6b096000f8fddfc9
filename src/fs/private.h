/* What the files of src/fs share: the file system's parts, and its way from a name to a node. */
#ifndef FS_PRIVATE_H
#define FS_PRIVATE_H

#include <stdatomic.h>
#include <string.h>

#include "xacctfs/fs/fs.h"
#include "xacctfs/util/pool.h"

#include "buckets.h"
#include "content/content.h"
#include "covered.h"
#include "memory.h"
#include "mime.h"
#include "content/staging.h"
#include "tree.h"
#include "turn.h"

struct fs {
	struct fs_options options;
	struct buckets buckets;
	struct tree tree;
	struct covered covered;
	struct turns turns;
	int64_t born_wall_ms; /* the root's dates, and those of directories */
	/* ever; see struct fs_stats */
	atomic_uint_fast64_t unrepresentable, lookups_known, lookups_asked;
	atomic_uint_fast64_t read_bytes, written_bytes;
	struct call_group background; /* of what nobody waits for */
	struct pool *downloads, *uploads;
	struct memory_purse read_memory, write_memory;
	struct staging staging;
	struct content_room room;
	struct mime mime;
	/* open ones: the kernel drops what it has not sent yet when the mount ends */
	struct fs_dir *dirs;   /* tree.lock */
	size_t n_dirs;         /* tree.lock */
	uint64_t saves;        /* tree.lock: objects that this mount wrote, ever */
	struct fs_file *files; /* tree.lock */
	/* tree.lock: open control files, which have neither content nor anything to save */
	struct fs_file *snapshots;
	uint64_t marks;          /* tree.lock: of opened, the last one that was given */
	atomic_bool hidden_told; /* the log says that a key is hidden by FS_CONTROL_DIR */
};

static inline int64_t fs_boot_ms(const struct fs *fs)
{
	return fs->options.clock->boot_ms(fs->options.clock);
}

static inline int64_t fs_now_ns(const struct fs *fs)
{
	return fs->options.clock->wall_ms(fs->options.clock) * 1000000;
}

static inline int64_t fs_ns_of(const struct timespec *ts)
{
	return (int64_t)ts->tv_sec * 1000000000 + ts->tv_nsec;
}

/* Of two ETags: NULL is like nothing. */
static inline bool same_text(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

/* fs/lookup */

/* What a listing told of one name. */
struct listed {
	enum node_kind kind; /* NODE_DIR, NODE_FILE */
	uint64_t size;
	int64_t mtime_ms;
	const char *etag;
	const char *storage_class; /* NULL or "": the default */
};

/*
 * Enters what was listed of a name below parent, good until expires_ms if parent was not changed by
 * this mount since `changes`; listed NULL: there is no such name. What is local, is being written
 * here, or was changed here since, stays as it is. Returns the node, or NULL when there is none (or
 * no memory, with *ret_error -ENOMEM).
 */
struct node *lookup_enter_locked(struct fs *fs, struct node *parent, const char *name,
				 const struct listed *listed, int64_t expires_ms, uint64_t changes,
				 int *ret_error);

/*
 * The node of a name, by what is known, or by asking. Returns 0 with a reference (to be dropped by
 * fs_unref); -ENOENT, *ret_valid_ms then being for how long that holds (it may be NULL); -ENOTDIR.
 */
int lookup_child(struct fs *fs, struct call *call, struct node *parent, const char *name,
		 struct node **ret_node, int64_t *ret_valid_ms);

/* Asks again for a file whose attributes are too old. 0; -ENOENT; -ESTALE when it is another now.
 */
int lookup_refresh(struct fs *fs, struct call *call, struct node *node);

/* The node of a number with a reference. 0, -ESTALE. */
int fs_ref(struct fs *fs, uint64_t ino, struct node **ret_node);
void fs_unref(struct fs *fs, struct node *node); /* NULL is fine */
/* As fs_ref, of a directory (else -ENOTDIR). */
int fs_ref_dir(struct fs *fs, uint64_t ino, struct node **ret_node);

/* True while the file's bytes or name are here only. */
bool node_unsaved_locked(const struct node *node);
/* The node is handed to the kernel once more. */
void fs_hand_out_locked(struct fs *fs, struct node *node, struct fs_entry *ret_entry);
/* How long the kernel may keep what the node says. */
int64_t node_valid_ms(const struct fs *fs, const struct node *node);

/* fs/attr: what stat shows of a node. */
struct stat attr_of_locked(const struct fs *fs, const struct node *node);

/* fs/root: buckets as directories. */
int root_find(struct fs *fs, struct call *call, const char *name, struct node **ret_node,
	      int64_t *ret_valid_ms);
int root_mkdir(struct fs *fs, struct call *call, const char *name, struct fs_entry *ret_entry);
int root_rmdir(struct fs *fs, struct call *call, const char *name);
/* Enters a bucket. NULL: no memory. */
struct node *root_enter_locked(struct fs *fs, const char *name, int64_t created_ms,
			       int64_t expires_ms);

/* fs/names */

/*
 * This mount changed an entry of the directory: that of node, or with NULL one that is gone. Older
 * answers about it are not believed.
 */
void names_changed_locked(struct node *parent, struct node *node);
/*
 * An entry of the directory is gone. The directory stays, as directories do, and those above it,
 * though S3 may know nothing of them any more.
 */
void names_keep_directory_locked(struct fs *fs, struct node *dir);
/*
 * Where a name's object is; with '/' at the end of its key for a directory. Returns 0,
 * -ENAMETOOLONG, -ESTALE, -ENOMEM.
 */
int names_place(struct fs *fs, const struct node *parent, const char *name, bool directory,
		struct place *ret_place);
/* The node's name is gone from parent. */
void names_removed(struct fs *fs, struct node *parent, struct node *node);
/*
 * 0 when nothing but its own marker (*ret_marker) is in the directory dir, which is at place;
 * -ENOTEMPTY.
 */
int names_check_empty(struct fs *fs, struct call *call, const struct node *dir,
		      const struct place *place, bool *ret_marker);
/* Deletes the object of a file, and its name. */
int names_unlink(struct fs *fs, struct call *call, struct node *parent, struct node *node,
		 const char *name);

/* fs/file */

/* file: the handle, or NULL: then it is uploaded at once. */
int file_truncate(struct fs *fs, struct call *call, struct node *node, struct fs_file *file,
		  uint64_t size);
/* fs/dir, fs/file: for the end. */
void dirs_close_all(struct fs *fs);
void files_close_all(struct fs *fs, struct call *call);

#endif
