/*
 * fs/control: the root's directory FS_CONTROL_DIR and the files in it, which tell of the program
 * itself and of nothing in S3.
 *
 * Their nodes are entered once and stay. Nothing below that name is ever asked of S3, and nothing
 * can be changed there: -EPERM. A file's text is made when it is opened, and read from then on.
 */
#ifndef FS_CONTROL_H
#define FS_CONTROL_H

#include "private.h"

/* Enters the nodes, if the options have such files. 0, -ENOMEM. */
int control_init(struct fs *fs);

/* True when the name below parent is the directory's, or one in it, there or not. */
bool control_owns(const struct fs *fs, const struct node *parent, const char *name);
/* The node of such a name, as lookup_child() does it. 0, -ENOENT. */
int control_find(struct fs *fs, struct node *parent, const char *name, struct node **ret_node,
		 int64_t *ret_valid_ms);
/* What making such a name is answered: -EEXIST, -EPERM; 0 for other names. */
int control_check_new(const struct fs *fs, const struct node *parent, const char *name);

/* The index-th file, for a listing. 0, -ENOENT behind the last. */
int control_dirent(struct fs *fs, const struct node *dir, uint64_t index,
		   struct fs_dirent *ret_dirent);
/* ... and as it is looked up. */
void control_entry(struct fs *fs, const struct node *dir, const char *name,
		   struct fs_entry *ret_entry);

/* The file's text, as of now, appended. 0, -ENOMEM. */
int control_render(struct fs *fs, const struct node *node, struct buf *text);

#endif
