#include "keep.h"
#include "opened.h"

#include <errno.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"

#include "complete.h"
#include "copy.h"

/* How often it begins again when the node is changed meanwhile. */
#define TRIES 5

/* ---- the node ---- */

/* In a directory with the set-group-ID bit, its group goes to what is made there (inode(7)). */
struct posix_attr keep_new_locked(const struct fs *fs, const struct node *parent,
				  const struct fs_maker *maker, mode_t type)
{
	struct posix_attr attr = {
	    .has = POSIX_ALL,
	    .mode = type | (maker->mode & 07777),
	    .uid = maker->uid,
	    .gid = maker->gid,
	    .mtime_ns = fs_now_ns(fs),
	};

	if (!fs->options.posix)
		return (struct posix_attr){0};
	if ((parent->posix.has & POSIX_MODE) && (parent->posix.mode & S_ISGID)) {
		attr.gid = attr_of_locked(fs, parent).st_gid;
		if (type == S_IFDIR)
			attr.mode |= S_ISGID;
	}
	return attr;
}

/* The type that the metadata had stays: s3fs knows more of them than there are here. */
static mode_t type_of(const struct posix_attr *posix, const struct stat *now)
{
	mode_t type = posix->has & POSIX_MODE ? posix->mode & S_IFMT : 0;

	return type ? type : now->st_mode & S_IFMT;
}

bool keep_change_locked(struct fs *fs, struct node *node, const struct stat *attr, int what)
{
	struct posix_attr *posix = &node->posix;
	struct stat now = attr_of_locked(fs, node);
	unsigned int set = 0;

	if ((what & FS_SET_MODE) && (attr->st_mode & 07777) != (now.st_mode & 07777)) {
		posix->mode = type_of(posix, &now) | (attr->st_mode & 07777);
		set |= POSIX_MODE;
	}
	if ((what & FS_SET_UID) && attr->st_uid != now.st_uid) {
		posix->uid = attr->st_uid;
		set |= POSIX_UID;
	}
	if ((what & FS_SET_GID) && attr->st_gid != now.st_gid) {
		posix->gid = attr->st_gid;
		set |= POSIX_GID;
	}
	if ((what & FS_SET_MTIME_NOW) ||
	    ((what & FS_SET_MTIME) && fs_ns_of(&attr->st_mtim) != fs_ns_of(&now.st_mtim))) {
		posix->mtime_ns =
		    what & FS_SET_MTIME_NOW ? fs_now_ns(fs) : fs_ns_of(&attr->st_mtim);
		set |= POSIX_MTIME;
	}
	posix->has |= set;
	if (set)
		node->posix_changes++;
	return set;
}

/* ---- metadata ---- */

static int merge(const struct object *object, const struct posix_attr *attr, const char *type,
		 struct posix_meta *meta, struct put_params *ret_params)
{
	struct put_params params = object_put_params(object);
	int r = posix_merge(object->meta, object->n_meta, attr, meta);

	if (r < 0)
		return r;
	if (!params.content_type)
		params.content_type = type;
	params.meta = meta->v;
	params.n_meta = meta->n;
	*ret_params = params;
	return 0;
}

int keep_with_upload(const struct fs *fs, struct content *content, const struct object *kept,
		     const char *name, const struct posix_attr *attr, enum keep_how how)
{
	_cleanup_(posix_meta_deinit) struct posix_meta meta = {0};
	struct put_params params;
	int r = merge(kept, attr, mime_find(&fs->mime, name), &meta, &params);

	if (r < 0)
		return r;
	return how == KEEP_IF_CHEAP ? content_suggest_params(content, &params)
				    : content_set_params(content, &params, how == KEEP_DIRTY);
}

/* ---- S3 ---- */

/* The node as it was when this began. */
struct keeping {
	struct place place;
	struct posix_attr attr;
	uint64_t changes;
	char *etag; /* of a file */
	bool directory;
};

static void keeping_deinit(struct keeping *k)
{
	place_deinit(&k->place);
	free(k->etag);
}

static int begin(struct fs *fs, const struct node *node, struct keeping *k)
{
	int r;

	pthread_mutex_lock(&fs->tree.lock);
	r = tree_place_locked(&fs->tree, node, &k->place);
	if (r == 0)
		r = tree_set_text(&k->etag, node->etag);
	k->attr = node->posix;
	k->changes = node->posix_changes;
	k->directory = node->kind == NODE_DIR;
	pthread_mutex_unlock(&fs->tree.lock);
	return r;
}

static int make_marker(struct fs *fs, struct call *call, const struct keeping *k)
{
	_cleanup_(posix_meta_deinit) struct posix_meta meta = {0};
	struct object_id id = {k->place.bucket, k->place.key};
	struct put_params params;
	int r = merge(&(struct object){0}, &k->attr, DIRECTORY_TYPE, &meta, &params);

	if (r < 0)
		return r;
	return fs->options.store->put_object(fs->options.store, call, &id, &params, "", 0, NULL);
}

static int copy_onto_itself(struct fs *fs, struct call *call, const struct keeping *k,
			    const struct object *object, struct object *ret_copy)
{
	_cleanup_(posix_meta_deinit) struct posix_meta meta = {0};
	struct object_id id = {k->place.bucket, k->place.key};
	struct put_params params;
	int r = merge(object, &k->attr, NULL, &meta, &params);

	if (r < 0)
		return r;
	return copy_object(fs, call, &id, object, &id, &params, ret_copy);
}

static int write_metadata(struct fs *fs, struct call *call, const struct keeping *k,
			  struct object *ret_copy)
{
	_cleanup_(object_deinit) struct object object = {0};
	struct object_id id = {k->place.bucket, k->place.key};
	int r = fs->options.store->head_object(fs->options.store, call, &id, &object);

	if (r == -ENOENT)
		return k->directory ? make_marker(fs, call, k) : -ESTALE;
	if (r < 0)
		return r;
	if (!k->directory && k->etag && object.etag && strcmp(k->etag, object.etag) != 0)
		return -ESTALE;
	if (!fs->options.posix) /* the date is that of the copy */
		object_meta_drop(&object, "mtime");
	return copy_onto_itself(fs, call, k, &object, ret_copy);
}

/* 0; 1 when the node says something else by now. */
static int end(struct fs *fs, struct node *node, const struct keeping *k, const struct object *copy)
{
	int r;

	pthread_mutex_lock(&fs->tree.lock);
	node->saved = ++fs->saves;
	r = node->posix_changes != k->changes;
	if (r == 0)
		complete_written_locked(fs, node, copy);
	pthread_mutex_unlock(&fs->tree.lock);
	return r;
}

static int write_and_follow(struct fs *fs, struct call *call, struct node *node)
{
	_cleanup_(keeping_deinit) struct keeping k = {0};
	_cleanup_(object_deinit) struct object copy = {0};
	struct object_id id;
	int r = begin(fs, node, &k);

	if (r < 0)
		return r;
	id = (struct object_id){k.place.bucket, k.place.key};
	r = write_metadata(fs, call, &k, &copy);
	if (r == 0 && !k.directory)
		r = opened_copied(fs, call, node, &id, &copy);
	return r < 0 ? r : end(fs, node, &k, &copy);
}

static int keep_once(struct fs *fs, struct call *call, struct node *node)
{
	struct opened *opened = NULL;
	int r = 1;

	if (node->kind != NODE_DIR) {
		r = opened_take_along(fs, call, node);
		if (r == 1)
			r = opened_hold_saved(fs, call, node, &opened);
		if (r == -EBUSY) /* it was written to just now */
			return 1;
		if (!opened)
			return r;
	}
	r = write_and_follow(fs, call, node);
	opened_let_go(fs, call, node, opened);
	return r;
}

/* What S3 has now, nobody knows here. */
static void doubt(struct fs *fs, struct node *node)
{
	pthread_mutex_lock(&fs->tree.lock);
	node->posix_changes++;
	node->posix_known = false;
	node->posix_until_ms = 0;
	node->expires_ms = 0;
	pthread_mutex_unlock(&fs->tree.lock);
}

/* Whoever writes last has all that was set until then: of two at once, one begins again. */
int keep_attributes(struct fs *fs, struct call *call, struct node *node)
{
	struct turn turn = {.changes = {node}};
	int r = turn_take(fs, call, &turn);

	if (r == 0) {
		r = 1;
		for (int i = 0; i < TRIES && r == 1; i++)
			r = keep_once(fs, call, node);
		turn_end(fs, &turn);
	}
	if (r != 0)
		doubt(fs, node);
	return r == 1 ? -ESTALE : r;
}
