/*
 * fs/complete: attrs=posix: what a listing does not tell of a name: mode, owner, date and whether
 * it is a symbolic link, asked for by one HEAD. With attrs=object nothing is ever asked.
 *
 * What is known of a file holds for the object it was read of. A change of metadata alone may leave
 * the ETag as it was, so the object's date counts, too; as that is of a second, an object is
 * "settled" only when it was older than that when it was asked for. Until then, and for directories
 * always, what is known holds for metadata_ttl.
 */
#ifndef FS_COMPLETE_H
#define FS_COMPLETE_H

#include "private.h"

/* How many nodes are completed at once at most. */
#define COMPLETE_MAX 128

/* True when a HEAD is needed to tell the node's attributes. */
bool complete_needed_locked(const struct fs *fs, const struct node *node);

/*
 * Asks if needed. *node is referenced, and so is what it is then: another one when the name was of
 * a file, and is of a symbolic link, or the other way round. 0; -ENOENT: it is gone; -ESTALE.
 */
int complete_node(struct fs *fs, struct call *call, struct node **node);

/*
 * Asks for n nodes (up to COMPLETE_MAX), several at a time. What could not be asked for stays
 * incomplete. v's references stay the caller's.
 */
void complete_many(struct fs *fs, struct call *call, struct node **v, size_t n);

/*
 * The file's object is this one now, whose metadata say what the node says: an upload, or a copy
 * with other metadata.
 */
void complete_written_locked(struct fs *fs, struct node *node, const struct object *object);

/* False when another date or ETag tells that what is known of the file may not hold any more. */
bool complete_holds_locked(const struct fs *fs, const struct node *node, int64_t date_ms,
			   const char *etag);

#endif
