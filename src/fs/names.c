/* Directories made and removed, files unlinked, below the buckets. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"

#include "control.h"
#include "keep.h"
#include "opened.h"

void names_changed_locked(struct node *parent, struct node *node)
{
	parent->changes++;
	if (node)
		node->changed = parent->changes;
}

int names_place(struct fs *fs, const struct node *parent, const char *name, bool directory,
		struct place *ret_place)
{
	int r;

	if (strlen(name) > NAME_MAX)
		return -ENAMETOOLONG;
	pthread_mutex_lock(&fs->tree.lock);
	r = tree_child_place_locked(&fs->tree, parent, name, directory, ret_place);
	pthread_mutex_unlock(&fs->tree.lock);
	if (r == 0 && strlen(ret_place->key) > S3_KEY_MAX) {
		place_deinit(ret_place);
		return -ENAMETOOLONG;
	}
	return r;
}

/* ---- mkdir ---- */

/* The name is a directory from the request on. */
static int enter_directory(struct fs *fs, struct node *parent, const char *name, int64_t expires_ms,
			   const struct posix_attr *attr, struct fs_entry *ret_entry)
{
	struct clock *clock = fs->options.clock;
	struct listed listed = {.kind = NODE_DIR};
	struct node *node;
	int r;

	pthread_mutex_lock(&fs->tree.lock);
	names_changed_locked(parent, NULL);
	node = lookup_enter_locked(fs, parent, name, &listed, expires_ms, parent->changes, &r);
	if (node)
		node->changed = parent->changes;
	if (node && !node->mtime_ns)
		node->mtime_ns = clock->wall_ms(clock) * 1000000;
	if (node) {
		node->posix = *attr;
		node->posix_changes++;
		node->posix_until_ms = expires_ms;
		node->saved = ++fs->saves;
		fs_hand_out_locked(fs, node, ret_entry);
	}
	pthread_mutex_unlock(&fs->tree.lock);
	return r;
}

static int put_directory(struct fs *fs, struct call *call, const struct place *place,
			 const struct posix_attr *attr)
{
	_cleanup_(posix_meta_deinit) struct posix_meta meta = {0};
	struct object_id id = {place->bucket, place->key};
	struct put_params params = {.content_type = DIRECTORY_TYPE};
	int r = posix_merge(NULL, 0, attr, &meta);

	if (r < 0)
		return r;
	params.meta = meta.v;
	params.n_meta = meta.n;
	return fs->options.store->put_object(fs->options.store, call, &id, &params, "", 0, NULL);
}

static int make_directory(struct fs *fs, struct call *call, struct node *parent, const char *name,
			  const struct fs_maker *maker, struct fs_entry *ret_entry)
{
	_cleanup_(place_deinit) struct place place = {0};
	int64_t expires_ms = fs_boot_ms(fs) + fs->options.metadata_ttl_ms;
	struct posix_attr attr;
	int r = names_place(fs, parent, name, true, &place);

	if (r < 0)
		return r;
	pthread_mutex_lock(&fs->tree.lock);
	attr = keep_new_locked(fs, parent, maker, S_IFDIR);
	pthread_mutex_unlock(&fs->tree.lock);
	r = put_directory(fs, call, &place, &attr);
	return r < 0 ? r : enter_directory(fs, parent, name, expires_ms, &attr, ret_entry);
}

int fs_mkdir(struct fs *fs, struct call *call, uint64_t parent_ino, const char *name,
	     const struct fs_maker *maker, struct fs_entry *ret_entry)
{
	struct node *parent;
	struct turn turn;
	int r = turn_begin(fs, call, parent_ino, &turn);

	if (r < 0)
		return r;
	parent = turn.changes[0];
	r = control_check_new(fs, parent, name);
	if (r == 0)
		r = parent->kind == NODE_ROOT
			? root_mkdir(fs, call, name, ret_entry)
			: make_directory(fs, call, parent, name, maker, ret_entry);
	turn_finish(fs, &turn);
	return r;
}

int fs_mknod(struct fs *fs, uint64_t parent_ino)
{
	struct node *parent;
	int r = fs_ref_dir(fs, parent_ino, &parent);

	if (r == 0)
		fs_unref(fs, parent);
	return r < 0 ? r : -EPERM;
}

/* ---- what goes ---- */

void names_keep_directory_locked(struct fs *fs, struct node *dir)
{
	for (; dir && dir->kind == NODE_DIR && dir->name; dir = dir->parent) {
		names_changed_locked(dir->parent, dir);
		tree_set_local_locked(&fs->tree, dir, true);
	}
}

/* The name is gone here and there. */
void names_removed(struct fs *fs, struct node *parent, struct node *node)
{
	pthread_mutex_lock(&fs->tree.lock);
	names_changed_locked(parent, NULL);
	tree_unlink_locked(&fs->tree, node);
	names_keep_directory_locked(fs, parent);
	pthread_mutex_unlock(&fs->tree.lock);
}

/* True when something is in it that S3 does not show yet. */
static bool has_locals(struct fs *fs, const struct node *dir)
{
	bool has = false;

	pthread_mutex_lock(&fs->tree.lock);
	for (struct node *node = fs->tree.locals; node && !has; node = node->next)
		has = node->parent == dir;
	pthread_mutex_unlock(&fs->tree.lock);
	return has;
}

/* 0 when nothing but its own marker is in the directory; *ret_marker: that is there. */
int names_check_empty(struct fs *fs, struct call *call, const struct node *dir,
		      const struct place *place, bool *ret_marker)
{
	struct list_params params = {.prefix = place->key, .max_keys = 2};
	_cleanup_(freep) char *token = NULL;
	bool marker = false;
	int r = has_locals(fs, dir) ? -ENOTEMPTY : 0;

	/* a server may send fewer than it was asked for, and a token */
	while (r == 0) {
		_cleanup_(object_page_deinit) struct object_page page = {0};

		r = fs->options.store->list_objects(fs->options.store, call, place->bucket, &params,
						    &page);
		for (size_t i = 0; i < page.n && r == 0; i++) {
			if (strcmp(page.v[i].key, place->key) != 0)
				r = -ENOTEMPTY;
			marker = true;
		}
		if (r < 0 || !page.next_token)
			break;
		free(token);
		params.token = token = steal(&page.next_token);
	}
	if (r == 0)
		*ret_marker = marker;
	return r;
}

static int remove_directory(struct fs *fs, struct call *call, struct node *parent, const char *name)
{
	_cleanup_(place_deinit) struct place place = {0};
	struct node *node;
	bool marker;
	int r = lookup_child(fs, call, parent, name, &node, NULL);

	if (r < 0)
		return r;
	if (node->kind != NODE_DIR)
		r = -ENOTDIR;
	if (r == 0)
		r = names_place(fs, parent, name, true, &place);
	if (r == 0)
		r = names_check_empty(fs, call, node, &place, &marker);
	if (r == 0 && marker) {
		struct object_id id = {place.bucket, place.key};

		r = fs->options.store->delete_object(fs->options.store, call, &id, NULL);
	}
	if (r == 0)
		names_removed(fs, parent, node);
	fs_unref(fs, node);
	return r;
}

int fs_rmdir(struct fs *fs, struct call *call, uint64_t parent_ino, const char *name)
{
	struct node *parent;
	struct turn turn;
	int r = turn_begin(fs, call, parent_ino, &turn);

	if (r < 0)
		return r;
	parent = turn.changes[0];
	if (control_owns(fs, parent, name))
		r = -EPERM;
	else
		r = parent->kind == NODE_ROOT ? root_rmdir(fs, call, name)
					      : remove_directory(fs, call, parent, name);
	turn_finish(fs, &turn);
	return r;
}

/* A file that was never uploaded is in no bucket; but the answer may have been lost. */
static bool is_uploaded(struct fs *fs, const struct node *node)
{
	bool uploaded;

	pthread_mutex_lock(&fs->tree.lock);
	uploaded = !node->local || (node->opened && node->opened->doubt);
	pthread_mutex_unlock(&fs->tree.lock);
	return uploaded;
}

/* Uploads of the file are held off. */
static int unlink_held(struct fs *fs, struct call *call, struct node *parent, struct node *node,
		       const struct place *place)
{
	int r = 0;

	if (is_uploaded(fs, node)) {
		struct object_id id = {place->bucket, place->key};

		r = fs->options.store->delete_object(fs->options.store, call, &id, NULL);
	}
	if (r < 0)
		return r;
	names_removed(fs, parent, node);
	opened_unlinked(fs, call, node); /* after that, so that none opens it meanwhile */
	return 0;
}

int names_unlink(struct fs *fs, struct call *call, struct node *parent, struct node *node,
		 const char *name)
{
	_cleanup_(place_deinit) struct place place = {0};
	struct opened *opened;
	int r = names_place(fs, parent, name, false, &place);

	if (r == 0)
		r = opened_hold(fs, call, node, &opened);
	if (r < 0)
		return r;
	r = unlink_held(fs, call, parent, node, &place);
	opened_let_go(fs, call, node, opened);
	return r;
}

int fs_unlink(struct fs *fs, struct call *call, uint64_t parent_ino, const char *name)
{
	struct node *parent, *node;
	struct turn turn;
	int r = turn_begin(fs, call, parent_ino, &turn);

	if (r < 0)
		return r;
	parent = turn.changes[0];
	r = control_owns(fs, parent, name) ? -EPERM
					   : lookup_child(fs, call, parent, name, &node, NULL);
	if (r == 0) {
		if (node->kind == NODE_FILE || node->kind == NODE_SYMLINK)
			r = names_unlink(fs, call, parent, node, name);
		else
			r = -EISDIR;
		fs_unref(fs, node);
	}
	turn_finish(fs, &turn);
	return r;
}
