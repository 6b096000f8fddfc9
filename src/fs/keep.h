/*
 * fs/keep: what a node says of mode, owner and date becomes the object's metadata.
 */
#ifndef FS_KEEP_H
#define FS_KEEP_H

#include "private.h"

/* The type of a directory's object: s3fs and the AWS console name it so. */
#define DIRECTORY_TYPE "application/x-directory"

/*
 * attrs=posix: what is made below parent begins with this; type: S_IFREG, S_IFDIR, S_IFLNK. With
 * attrs=object nothing is told.
 */
struct posix_attr keep_new_locked(const struct fs *fs, const struct node *parent,
				  const struct fs_maker *maker, mode_t type);

/*
 * attrs=posix: what chmod, chown and utimens set: FS_SET_* and their values. Returns true when that
 * differs from what the node said, or is a date of now. It is the node's at once.
 */
bool keep_change_locked(struct fs *fs, struct node *node, const struct stat *attr, int what);

enum keep_how {
	KEEP_SET,      /* the next upload has it, or a copy behind it when that was begun */
	KEEP_IF_CHEAP, /* unless the upload was begun: it is not worth a copy */
	KEEP_DIRTY,    /* even if nothing else is to be uploaded */
};

/*
 * How the content's next upload is written: kept has type and metadata of an object that it
 * replaces, or none; name tells the type where that does not. Returns 0, -ENOMEM.
 */
int keep_with_upload(const struct fs *fs, struct content *content, const struct object *kept,
		     const char *name, const struct posix_attr *attr, enum keep_how how);

/*
 * What the node says goes to the object of a file, or to that of a directory, which is made when
 * there is none; all else of its metadata, and its type, stays. What is not saved takes it along
 * when it is uploaded; else the object is copied onto itself, which makes its date the present one.
 * Returns 0; -ESTALE: it is another object.
 */
int keep_attributes(struct fs *fs, struct call *call, struct node *node);

#endif
