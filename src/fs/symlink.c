/* attrs=posix: symbolic links, as s3fs has them: an object with mode S_IFLNK, whose body is the
 * target. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"

#include "complete.h"
#include "control.h"
#include "keep.h"
#include "private.h"

#define LINK_TYPE "application/octet-stream"

/* ---- symlink ---- */

static int enter_link(struct fs *fs, struct node *parent, const char *name,
		      const struct posix_attr *attr, const struct object *object,
		      struct fs_entry *ret_entry)
{
	struct node *node;
	int r = 0;

	pthread_mutex_lock(&fs->tree.lock);
	node = tree_find_locked(&fs->tree, parent, name);
	if (node) /* the kernel knows that this one is gone */
		tree_unlink_locked(&fs->tree, node);
	node = tree_add_locked(&fs->tree, parent, name, NODE_SYMLINK);
	if (!node || tree_set_text(&node->etag, object->etag) < 0) {
		r = -ENOMEM;
	} else {
		node->size = object->size;
		node->mtime_ns = object->mtime_ms * 1000000;
		node->expires_ms = fs_boot_ms(fs) + fs->options.metadata_ttl_ms;
		names_changed_locked(parent, node);
		node->posix = *attr;
		node->saved = ++fs->saves;
		complete_written_locked(fs, node, object);
		fs_hand_out_locked(fs, node, ret_entry);
	}
	pthread_mutex_unlock(&fs->tree.lock);
	return r;
}

static int put_link(struct fs *fs, struct call *call, const struct place *place,
		    const struct posix_attr *attr, const char *target, struct object *ret_object)
{
	_cleanup_(posix_meta_deinit) struct posix_meta meta = {0};
	struct object_id id = {place->bucket, place->key};
	struct put_params params;
	int r = posix_merge(NULL, 0, attr, &meta);

	if (r < 0)
		return r;
	params = (struct put_params){
	    .content_type = LINK_TYPE, .meta = meta.v, .n_meta = meta.n, .if_none_match = true};
	return fs->options.store->put_object(fs->options.store, call, &id, &params, target,
					     strlen(target), ret_object);
}

static int make_link(struct fs *fs, struct call *call, struct node *parent, const char *name,
		     const char *target, const struct fs_maker *maker, struct fs_entry *ret_entry)
{
	_cleanup_(place_deinit) struct place place = {0};
	_cleanup_(object_deinit) struct object object = {0};
	struct fs_maker link = {maker->uid, maker->gid, 0777}; /* symlink(7) */
	struct posix_attr attr;
	int r = names_place(fs, parent, name, false, &place);

	if (r < 0)
		return r;
	pthread_mutex_lock(&fs->tree.lock);
	attr = keep_new_locked(fs, parent, &link, S_IFLNK);
	pthread_mutex_unlock(&fs->tree.lock);
	r = put_link(fs, call, &place, &attr, target, &object);
	object.size = strlen(target);
	return r < 0 ? r : enter_link(fs, parent, name, &attr, &object, ret_entry);
}

/* A file of this name that is not uploaded yet, or is but was not looked for. */
static bool is_taken(struct fs *fs, const struct node *parent, const char *name)
{
	const struct node *node;
	bool taken;

	pthread_mutex_lock(&fs->tree.lock);
	node = tree_find_locked(&fs->tree, parent, name);
	taken = node && node_unsaved_locked(node);
	pthread_mutex_unlock(&fs->tree.lock);
	return taken;
}

static int check_new_link(struct fs *fs, const struct node *parent, const char *name,
			  const char *target)
{
	int r = control_check_new(fs, parent, name);

	if (r < 0)
		return r;
	if (!fs->options.posix || parent->kind == NODE_ROOT)
		return -EPERM;
	if (strlen(target) >= PATH_MAX)
		return -ENAMETOOLONG;
	return is_taken(fs, parent, name) ? -EEXIST : 0;
}

int fs_symlink(struct fs *fs, struct call *call, uint64_t parent_ino, const char *name,
	       const char *target, const struct fs_maker *maker, struct fs_entry *ret_entry)
{
	struct node *parent;
	struct turn turn;
	int r = turn_begin(fs, call, parent_ino, &turn);

	if (r < 0)
		return r;
	parent = turn.changes[0];
	r = check_new_link(fs, parent, name, target);
	if (r == 0)
		r = make_link(fs, call, parent, name, target, maker, ret_entry);
	turn_finish(fs, &turn);
	return r;
}

/* ---- readlink ---- */

static int add_bytes(void *data, const void *bytes, size_t n)
{
	return buf_add(data, bytes, n);
}

static int get_target(struct fs *fs, struct call *call, const struct place *place, const char *etag,
		      struct buf *target)
{
	struct object_id id = {place->bucket, place->key};
	struct get_params params = {
	    .len = PATH_MAX, .if_match = etag, .sink = add_bytes, .sink_data = target};
	int r = fs->options.store->get_object(fs->options.store, call, &id, &params, NULL);

	return r == -ERANGE ? 0 : r; /* an object of no bytes */
}

int fs_readlink(struct fs *fs, struct call *call, uint64_t ino, char **ret_target)
{
	_cleanup_(buf_deinit) struct buf target = BUF_INIT;
	_cleanup_(place_deinit) struct place place = {0};
	_cleanup_(freep) char *etag = NULL;
	struct node *node;
	int r = fs_ref(fs, ino, &node);

	if (r < 0)
		return r;
	pthread_mutex_lock(&fs->tree.lock);
	r = node->kind == NODE_SYMLINK ? tree_place_locked(&fs->tree, node, &place) : -EINVAL;
	if (r == 0)
		r = tree_set_text(&etag, node->etag);
	if (r == 0 && node->size >= PATH_MAX)
		r = -ENAMETOOLONG;
	pthread_mutex_unlock(&fs->tree.lock);
	fs_unref(fs, node);
	if (r == 0)
		r = get_target(fs, call, &place, etag, &target);
	if (r == 0)
		r = buf_add_char(&target, '\0');
	if (r == 0)
		*ret_target = buf_steal(&target);
	return r;
}
