/*
 * fs/opened: a file's content from its first handle to its last, shared by all of them, and what an
 * upload of it means for its node.
 *
 * All handles of a node share one. When another client replaced the object, the node and its
 * handles part from the name at the next open, which is of a new node: the pages that the kernel
 * has of a node are of one object while it is open.
 */
#ifndef FS_OPENED_H
#define FS_OPENED_H

#include "xacctfs/util/buf.h"

#include "private.h"

/* A handle. */
struct fs_file {
	struct node *node;           /* referenced */
	struct opened *opened;       /* NULL for a control file */
	struct buf snapshot;         /* its text */
	bool writes;                 /* opened for writing */
	bool appends;                /* O_APPEND: wherever the end is by now */
	atomic_int writer;           /* fs_note_writer */
	struct fs_file *prev, *next; /* fs->tree.lock: of fs->files, or fs->snapshots */
};

/* Takes content over. NULL: out of memory, and it is the caller's still. */
struct opened *opened_new(struct content *content, const char *etag);
void opened_free(struct opened *opened, struct call *call);

/*
 * The content that a new handle uses, with that handle counted. 0, -ENOMEM; -ESTALE: the name is to
 * be looked up again.
 */
int opened_get_locked(struct fs *fs, struct node *node, struct call *call,
		      struct opened **ret_opened);
/* The end of a handle; the last one saves what no flush did, and logs when that fails. */
void opened_put(struct fs *fs, struct call *call, struct node *node, struct opened *opened);
/* The same in two steps: what the last handle is to save; and its end, true for the last one. */
int opened_save_rest(struct fs *fs, struct call *call, struct node *node, struct opened *opened);
bool opened_drop(struct fs *fs, struct node *node, struct opened *opened);
/* What was written is lost for this errno. */
void opened_log_lost(struct fs *fs, const struct node *node, int r);
/* There was no local room for what was to be written: said once, until a write finds some. */
void opened_log_full(struct fs *fs, const struct node *node, struct opened *opened);

/* attrs=posix: the content is going to be written to. */
int opened_prepare(struct fs *fs, struct call *call, struct node *node, struct opened *opened);
/* It is written to now. */
void opened_date_locked(const struct fs *fs, struct node *node);
/* After what may have completed an upload, and ended with r. */
void opened_note_settled(struct fs *fs, struct call *call, struct node *node, struct opened *opened,
			 int r);
/* Uploads what is not saved. */
int opened_save(struct fs *fs, struct call *call, struct node *node, struct opened *opened);

/* ---- of whatever content the node has, if it is open ---- */

/*
 * Holds off uploads and changes of the file by other threads, if it is open (else *ret_opened is
 * NULL), until opened_let_go. 0, -EINTR, -ETIMEDOUT.
 */
int opened_hold(struct fs *fs, struct call *call, struct node *node, struct opened **ret_opened);
void opened_let_go(struct fs *fs, struct call *call, struct node *node, struct opened *opened);
/* The name is gone: what handles still write goes nowhere. */
void opened_unlinked(struct fs *fs, struct call *call, struct node *node);
int opened_save_node(struct fs *fs, struct call *call, struct node *node);
/*
 * The upload of what is not saved takes along what the node says of mode, owner and date. 0, or 1
 * when the file is saved; -ENOMEM.
 */
int opened_take_along(struct fs *fs, struct call *call, struct node *node);
/*
 * As opened_hold, of a saved file, which is open then: so that its object can be replaced by
 * another one of the same bytes. -EBUSY: it is not saved; -ENOMEM, -ESTALE.
 */
int opened_hold_saved(struct fs *fs, struct call *call, struct node *node,
		      struct opened **ret_opened);
/*
 * The saved file's bytes are this object now, under this name. Returns 0; -EBUSY when it was
 * written to meanwhile; -ENOMEM.
 */
int opened_copied(struct fs *fs, struct call *call, struct node *node, const struct object_id *id,
		  const struct object *object);
/* A date for what is not uploaded yet; -EPERM for what is. */
int opened_set_mtime(struct fs *fs, struct node *node, int64_t mtime_ns);

#endif
