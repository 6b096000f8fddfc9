#include "control.h"

#include <errno.h>

#define DIR_MODE 0555

/* ---- the nodes ---- */

/* They have neither owner nor date of their own, and no kernel's forgetting ends them. */
static struct node *enter_locked(struct fs *fs, struct node *parent, const char *name,
				 enum node_kind kind, mode_t mode)
{
	struct node *node = tree_add_locked(&fs->tree, parent, name, kind);

	if (!node)
		return NULL;
	tree_ref_locked(&fs->tree, node);
	node->posix = (struct posix_attr){.has = POSIX_MODE, .mode = mode};
	return node;
}

static int enter_all_locked(struct fs *fs)
{
	const struct fs_options *o = &fs->options;
	struct node *dir =
	    enter_locked(fs, fs->tree.root, FS_CONTROL_DIR, NODE_CONTROL_DIR, DIR_MODE);

	for (size_t i = 0; dir && i < o->n_control; i++)
		if (!enter_locked(fs, dir, o->control[i].name, NODE_CONTROL_FILE,
				  o->control[i].mode))
			return -ENOMEM;
	return dir ? 0 : -ENOMEM;
}

int control_init(struct fs *fs)
{
	int r;

	if (fs->options.n_control == 0)
		return 0;
	pthread_mutex_lock(&fs->tree.lock);
	r = enter_all_locked(fs);
	pthread_mutex_unlock(&fs->tree.lock);
	return r;
}

/* ---- names ---- */

bool control_owns(const struct fs *fs, const struct node *parent, const char *name)
{
	return parent->kind == NODE_CONTROL_DIR ||
	       (parent == fs->tree.root && fs->options.n_control > 0 &&
		!strcmp(name, FS_CONTROL_DIR));
}

int control_find(struct fs *fs, struct node *parent, const char *name, struct node **ret_node,
		 int64_t *ret_valid_ms)
{
	struct node *node;

	pthread_mutex_lock(&fs->tree.lock);
	node = tree_find_locked(&fs->tree, parent, name);
	if (node)
		tree_ref_locked(&fs->tree, node);
	pthread_mutex_unlock(&fs->tree.lock);
	if (node)
		*ret_node = node;
	else if (ret_valid_ms)
		*ret_valid_ms = fs->options.metadata_ttl_ms;
	return node ? 0 : -ENOENT;
}

int control_check_new(const struct fs *fs, const struct node *parent, const char *name)
{
	if (!control_owns(fs, parent, name))
		return 0;
	return parent->kind == NODE_CONTROL_DIR ? -EPERM : -EEXIST;
}

/* ---- the directory ---- */

int control_dirent(struct fs *fs, const struct node *dir, uint64_t index,
		   struct fs_dirent *ret_dirent)
{
	const struct fs_options *o = &fs->options;

	if (index >= o->n_control)
		return -ENOENT;
	ret_dirent->name = o->control[index].name;
	ret_dirent->mode = S_IFREG;
	pthread_mutex_lock(&fs->tree.lock);
	ret_dirent->st_ino = tree_child_number(tree_number_locked(dir), ret_dirent->name);
	pthread_mutex_unlock(&fs->tree.lock);
	return 0;
}

void control_entry(struct fs *fs, const struct node *dir, const char *name,
		   struct fs_entry *ret_entry)
{
	struct node *node;

	pthread_mutex_lock(&fs->tree.lock);
	node = tree_find_locked(&fs->tree, dir, name);
	if (node)
		fs_hand_out_locked(fs, node, ret_entry);
	pthread_mutex_unlock(&fs->tree.lock);
}

/* ---- the files ---- */

int control_render(struct fs *fs, const struct node *node, struct buf *text)
{
	const struct fs_options *o = &fs->options;

	/* the name of such a node never changes */
	for (size_t i = 0; i < o->n_control; i++)
		if (!strcmp(o->control[i].name, node->name->text))
			return o->control[i].render(o->control_data, text);
	return -ENOENT;
}
