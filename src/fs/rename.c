/*
 * rename(2) by copies on the server. No source is deleted before every copy is there, so that what
 * is interrupted loses nothing: at worst, something is there twice.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/array.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"

#include "batch.h"
#include "control.h"
#include "copy.h"
#include "opened.h"

/* How often a file that is opened while it is renamed is copied again. */
#define TRIES 5

/* One rename: where from, where to. */
struct renaming {
	struct fs *fs;
	struct call *call;
	struct node *parent, *new_parent;
	const char *name, *new_name;
	struct node *node;
	struct node *target; /* what has the new name, or NULL */
	bool target_marker;  /* and it is an empty directory with an object of its own */
	struct place from, to;
};

/* ---- the tree ---- */

static int move_locked(const struct renaming *m, struct node *parent, const char *name)
{
	struct tree *tree = &m->fs->tree;
	struct node *taken = tree_find_locked(tree, parent, name);
	struct node *old_parent = m->node->parent;
	int r;

	if (taken && taken != m->node)
		tree_unlink_locked(tree, taken);
	r = tree_move_locked(tree, m->node, parent, name);
	if (r < 0)
		return r;
	names_changed_locked(parent, m->node);
	if (old_parent) {
		names_changed_locked(old_parent, NULL);
		if (old_parent != parent)
			names_keep_directory_locked(m->fs, old_parent);
	}
	return 0;
}

/* The old name was deleted in S3: who looked for it in between may have found it still. */
static void forget_old_name(const struct renaming *m)
{
	struct tree *tree = &m->fs->tree;
	struct node *node;

	pthread_mutex_lock(&tree->lock);
	node = tree_find_locked(tree, m->parent, m->name);
	if (node && !node_unsaved_locked(node))
		tree_unlink_locked(tree, node);
	names_changed_locked(m->parent, NULL);
	pthread_mutex_unlock(&tree->lock);
}

/* ---- files ---- */

/* The object of a saved file. */
static int object_of(struct fs *fs, struct node *node, struct object *ret_object)
{
	int r;

	pthread_mutex_lock(&fs->tree.lock);
	ret_object->size = node->size;
	ret_object->mtime_ms = node->mtime_ns / 1000000;
	r = tree_set_text(&ret_object->etag, node->etag);
	if (r == 0)
		r = tree_set_text(&ret_object->storage_class, node->storage_class);
	pthread_mutex_unlock(&fs->tree.lock);
	return r;
}

/* Moves the file, if it is what was copied still; -EBUSY when somebody has opened it since. */
static int move_file(const struct renaming *m, const struct opened *opened,
		     const struct object *source)
{
	struct node *node = m->node;
	bool same;
	int r = -EBUSY;

	pthread_mutex_lock(&m->fs->tree.lock);
	same = node->etag && source->etag ? !strcmp(node->etag, source->etag)
					  : node->etag == source->etag;
	if (node->opened == opened && same)
		r = move_locked(m, m->new_parent, m->new_name);
	pthread_mutex_unlock(&m->fs->tree.lock);
	return r;
}

/* Its handles write on, and are told when they can't: the object is another now. */
static void put_back_locked(const struct renaming *m, struct node *target)
{
	struct tree *tree = &m->fs->tree;

	if (tree_find_locked(tree, m->new_parent, m->new_name) ||
	    tree_move_locked(tree, target, m->new_parent, m->new_name) < 0)
		return;
	tree_set_local_locked(tree, target, !target->etag && target->opened);
	target->expires_ms = 0;
	names_changed_locked(m->new_parent, NULL);
}

/* The old object could not be deleted: the file is there, as it was. */
static void move_back(const struct renaming *m, const struct object_id *from,
		      const struct object *source)
{
	pthread_mutex_lock(&m->fs->tree.lock);
	if (move_locked(m, m->parent, m->name) < 0) /* both names will be asked for again */
		tree_unlink_locked(&m->fs->tree, m->node);
	if (m->target)
		put_back_locked(m, m->target);
	pthread_mutex_unlock(&m->fs->tree.lock);
	opened_copied(m->fs, m->call, m->node, from, source);
}

/*
 * Whatever became of the caller's patience, so that a rename that is given up is none or all of
 * one. What another client made of the name since the copy stays: it came after the rename.
 */
static int delete_source(const struct fs *fs, const struct object_id *id, const char *etag)
{
	struct store *store = fs->options.store;
	struct call call;
	int r;

	call_init(&call, NULL, fs->options.clock, fs->options.background_timeout_ms);
	r = store->delete_object(store, &call, id, etag);
	call_deinit(&call);
	return r;
}

/*
 * Its content, when it is open, is held; so nothing comes between the copy and the move. The file
 * is moved before the old object goes, so that who opens it opens the copy.
 */
static int rename_held(const struct renaming *m, const struct opened *opened)
{
	struct object_id from = {m->from.bucket, m->from.key}, to = {m->to.bucket, m->to.key};
	_cleanup_(object_deinit) struct object source = {0}, copy = {0};
	int r = opened_save_node(m->fs, m->call, m->node);

	if (r == 0)
		r = object_of(m->fs, m->node, &source);
	if (r == 0)
		r = copy_object(m->fs, m->call, &from, &source, &to, NULL, &copy);
	if (r == 0)
		r = move_file(m, opened, &source);
	if (r < 0)
		return r;
	opened_copied(m->fs, m->call, m->node, &to, &copy);
	r = delete_source(m->fs, &from, source.etag);
	if (r < 0) {
		log_warn("rename: %s/%s was copied to %s/%s, and is there still", from.bucket,
			 from.key, to.bucket, to.key);
		move_back(m, &from, &source);
		return r;
	}
	if (m->target)
		opened_unlinked(m->fs, m->call, m->target);
	forget_old_name(m);
	return 0;
}

static int rename_file(const struct renaming *m)
{
	struct opened *target = NULL;
	int r = m->target ? opened_hold(m->fs, m->call, m->target, &target) : 0;

	if (r < 0)
		return r;
	r = -EBUSY;
	for (int i = 0; i < TRIES && r == -EBUSY; i++) {
		struct opened *opened;

		r = opened_hold(m->fs, m->call, m->node, &opened);
		if (r < 0)
			break;
		r = rename_held(m, opened);
		opened_let_go(m->fs, m->call, m->node, opened);
	}
	if (target)
		opened_let_go(m->fs, m->call, m->target, target);
	return r;
}

/* ---- directories ---- */

struct tree_copy;

struct moved {
	struct tree_copy *copy;
	char *from, *to;      /* keys */
	struct object source; /* size, etag, class */
	bool tried, done;
	struct object object; /* the copy */
};

/* An open file below the directory: nothing is uploaded for it until it is let go. */
struct held {
	struct node *node; /* referenced */
	struct opened *opened;
};

struct tree_copy {
	const struct renaming *m;
	struct moved **v;
	size_t n;
	struct held *held;
	size_t n_held;
	uint64_t saves; /* fs's, when the sources were listed */
};

static void moved_free(struct moved *moved)
{
	if (!moved)
		return;
	free(moved->from);
	free(moved->to);
	object_deinit(&moved->source);
	object_deinit(&moved->object);
	free(moved);
}

static void tree_copy_deinit(struct tree_copy *copy)
{
	const struct renaming *m = copy->m;

	for (size_t i = 0; i < copy->n_held; i++) {
		opened_let_go(m->fs, m->call, copy->held[i].node, copy->held[i].opened);
		fs_unref(m->fs, copy->held[i].node);
	}
	free(copy->held);
	for (size_t i = 0; i < copy->n; i++)
		moved_free(copy->v[i]);
	free(copy->v);
}

/* Takes from, and what source has. */
static int add_moved(struct tree_copy *copy, char *from, struct object *source)
{
	const struct renaming *m = copy->m;
	struct moved *moved = calloc(1, sizeof(*moved));

	if (!moved || array_grow(&copy->v, copy->n, sizeof(*copy->v)) < 0) {
		free(moved);
		free(from);
		object_deinit(source);
		return -ENOMEM;
	}
	copy->v[copy->n++] = moved;
	*moved = (struct moved){.copy = copy, .from = from, .source = *source};
	*source = (struct object){0};
	if (asprintf(&moved->to, "%s%s", m->to.key, moved->from + strlen(m->from.key)) < 0) {
		moved->to = NULL;
		return -ENOMEM;
	}
	return strlen(moved->to) > S3_KEY_MAX ? -ENAMETOOLONG : 0;
}

/* True when this mount has written below since the sources were listed. */
static bool has_written(const struct tree_copy *copy)
{
	const struct fs *fs = copy->m->fs;
	bool has;

	pthread_mutex_lock(&copy->m->fs->tree.lock);
	has = fs->saves != copy->saves;
	pthread_mutex_unlock(&copy->m->fs->tree.lock);
	return has;
}

static int copy_moved(struct call *call, void *data)
{
	struct moved *moved = data;
	const struct renaming *m = moved->copy->m;
	struct object_id from = {m->from.bucket, moved->from}, to = {m->to.bucket, moved->to};
	int r;

	moved->tried = true;
	object_deinit(&moved->object);
	r = copy_object(m->fs, call, &from, &moved->source, &to, NULL, &moved->object);
	moved->done = r == 0;
	return r;
}

static int add_listed(struct tree_copy *copy, struct object_entry *entry)
{
	struct object source = {.size = entry->size};
	int r = tree_set_text(&source.storage_class, object_kept_class(entry->storage_class));

	if (r < 0)
		return r;
	source.etag = steal(&entry->etag);
	return add_moved(copy, steal(&entry->key), &source);
}

static int list_sources(struct tree_copy *copy)
{
	const struct renaming *m = copy->m;
	struct store *store = m->fs->options.store;
	_cleanup_(freep) char *token = NULL;
	int r = 0;

	pthread_mutex_lock(&m->fs->tree.lock);
	copy->saves = m->fs->saves;
	pthread_mutex_unlock(&m->fs->tree.lock);
	do {
		_cleanup_(object_page_deinit) struct object_page page = {0};
		struct list_params params = {
		    .prefix = m->from.key, .token = token, .max_keys = 1000};

		r = store->list_objects(store, m->call, m->from.bucket, &params, &page);
		for (size_t i = 0; i < page.n && r == 0; i++)
			r = add_listed(copy, &page.v[i]);
		free(token);
		token = steal(&page.next_token);
	} while (r == 0 && token);
	return r;
}

/* What this mount has replaced since is copied by copy_saved(). */
static int copy_listed(struct call *call, void *data)
{
	struct moved *moved = data;
	int r = copy_moved(call, moved);

	return r == -ESTALE && has_written(moved->copy) ? 0 : r;
}

static int copy_sources(struct tree_copy *copy)
{
	const struct renaming *m = copy->m;
	struct batch batch;
	int r = 0, first;

	batch_init(&batch, m->fs->uploads, m->call, m->fs->options.background_timeout_ms);
	for (size_t i = 0; i < copy->n && r == 0; i++)
		r = batch_add(&batch, copy_listed, copy->v[i]);
	first = batch_finish(&batch);
	return first < 0 ? first : r;
}

static bool is_to_delete(const struct moved *moved, bool copies)
{
	const struct renaming *m = moved->copy->m;

	if (!copies)
		return moved->done;
	/* the target was there before */
	return moved->tried && !(m->target_marker && !strcmp(moved->to, m->to.key));
}

/*
 * Deletes the sources; or the copies, those too of which nobody knows whether they were made. As
 * delete_source: whatever became of the caller's patience, and what others wrote there since stays,
 * where it can be told.
 */
static int delete_keys(const struct tree_copy *copy, bool copies)
{
	const struct fs *fs = copy->m->fs;
	struct store *store = fs->options.store;
	const char *bucket = copies ? copy->m->to.bucket : copy->m->from.bucket;
	const char *keys[S3_DELETE_MAX], *etags[S3_DELETE_MAX];
	size_t n = 0;
	int r = 0, first = 0;
	struct call call;

	call_init(&call, NULL, fs->options.clock, fs->options.background_timeout_ms);
	for (size_t i = 0; i < copy->n; i++) {
		const struct moved *moved = copy->v[i];

		if (is_to_delete(moved, copies)) {
			etags[n] = copies ? moved->object.etag : moved->source.etag;
			keys[n++] = copies ? moved->to : moved->from;
		}
		if (n == S3_DELETE_MAX || (i + 1 == copy->n && n > 0)) {
			r = store->delete_objects(store, &call, bucket, keys, etags, n);
			first = first ? first : r;
			n = 0;
		}
	}
	call_deinit(&call);
	return first;
}

/* The rename failed: what was copied goes. */
static void undo(const struct tree_copy *copy)
{
	if (delete_keys(copy, true) < 0)
		log_warn("rename: copies below %s/%s are there still", copy->m->to.bucket,
			 copy->m->to.key);
}

/* ---- open files below ---- */

static bool is_held(const struct tree_copy *copy, const struct node *node)
{
	for (size_t i = 0; i < copy->n_held; i++)
		if (copy->held[i].node == node && copy->held[i].opened == node->opened)
			return true;
	return false;
}

/* An open file below the directory that is not held. */
static struct node *find_open_locked(const struct tree_copy *copy)
{
	struct tree *tree = &copy->m->fs->tree;

	for (uint32_t slot = 0; slot < tree->n_slots; slot++) {
		struct node *node = tree->slots[slot].node;

		if (node && node->opened && node_is_below_locked(node, copy->m->node) &&
		    !is_held(copy, node))
			return node;
	}
	return NULL;
}

static struct node *find_open(const struct tree_copy *copy)
{
	struct fs *fs = copy->m->fs;
	struct node *node;

	pthread_mutex_lock(&fs->tree.lock);
	node = find_open_locked(copy);
	if (node)
		tree_ref_locked(&fs->tree, node);
	pthread_mutex_unlock(&fs->tree.lock);
	return node;
}

/* Takes the reference of node. */
static int hold_one(struct tree_copy *copy, struct node *node)
{
	const struct renaming *m = copy->m;
	struct opened *opened = NULL;
	int r = array_grow(&copy->held, copy->n_held, sizeof(*copy->held));

	if (r == 0)
		r = opened_hold(m->fs, m->call, node, &opened);
	if (r < 0 || !opened) { /* it was closed just now */
		fs_unref(m->fs, node);
		return r;
	}
	copy->held[copy->n_held++] = (struct held){node, opened};
	return 0;
}

/* Holds all open files below, and uploads what they hold. */
static int hold_below(struct tree_copy *copy)
{
	const struct renaming *m = copy->m;
	struct node *node;
	int r = 0;

	while (r == 0 && (node = find_open(copy))) {
		r = hold_one(copy, node);
		if (r == 0 && is_held(copy, node))
			r = opened_save_node(m->fs, m->call, node);
	}
	return r;
}

static struct moved *find_moved(const struct tree_copy *copy, const char *key, bool to)
{
	for (size_t i = 0; i < copy->n; i++)
		if (!strcmp(to ? copy->v[i]->to : copy->v[i]->from, key))
			return copy->v[i];
	return NULL;
}

/* The saved file is another object than the one that was copied, or none was. */
static int copy_again(struct tree_copy *copy, struct node *node)
{
	const struct renaming *m = copy->m;
	_cleanup_(place_deinit) struct place place = {0};
	_cleanup_(object_deinit) struct object object = {0};
	struct moved *moved;
	int r;

	pthread_mutex_lock(&m->fs->tree.lock);
	r = tree_place_locked(&m->fs->tree, node, &place);
	pthread_mutex_unlock(&m->fs->tree.lock);
	if (r == -ESTALE) /* unlinked */
		return 0;
	if (r == 0)
		r = object_of(m->fs, node, &object);
	if (r < 0)
		return r;
	moved = find_moved(copy, place.key, false);
	if (!moved) {
		r = add_moved(copy, steal(&place.key), &object);
		return r < 0 ? r : copy_moved(m->call, copy->v[copy->n - 1]);
	}
	/* with attrs=posix other metadata may be all that changed */
	if (!m->fs->options.posix && moved->done && same_text(moved->source.etag, object.etag))
		return 0;
	object_deinit(&moved->source);
	moved->source = object;
	object = (struct object){0};
	return copy_moved(m->call, moved);
}

/* It has an object that this mount wrote since the sources were listed. */
static bool is_written_locked(const struct tree_copy *copy, const struct node *node)
{
	return node->saved > copy->saves && !node->local &&
	       (node->etag || node->kind == NODE_DIR) && node_is_below_locked(node, copy->m->node);
}

/* The next one of those below, with a reference. */
static struct node *next_written(const struct tree_copy *copy, uint32_t *slot)
{
	struct fs *fs = copy->m->fs;
	struct node *found = NULL;

	pthread_mutex_lock(&fs->tree.lock);
	for (; *slot < fs->tree.n_slots && !found; (*slot)++) {
		struct node *node = fs->tree.slots[*slot].node;

		if (node && is_written_locked(copy, node))
			found = node;
	}
	if (found)
		tree_ref_locked(&fs->tree, found);
	pthread_mutex_unlock(&fs->tree.lock);
	return found;
}

/* What this mount wrote below since the sources were listed. */
static int copy_saved(struct tree_copy *copy)
{
	struct node *node;
	uint32_t slot = 0;
	int r = 0;

	while (r == 0 && (node = next_written(copy, &slot))) {
		r = copy_again(copy, node);
		fs_unref(copy->m->fs, node);
	}
	return r;
}

/* One that another client has replaced is not. */
static int check_copied(const struct tree_copy *copy)
{
	for (size_t i = 0; i < copy->n; i++)
		if (!copy->v[i]->done)
			return -ESTALE;
	return 0;
}

/* True when it was tried: nobody has opened or uploaded anything below since. */
static bool try_move(struct tree_copy *copy, uint64_t saves, int *ret_error)
{
	const struct renaming *m = copy->m;
	bool quiet;

	pthread_mutex_lock(&m->fs->tree.lock);
	quiet = m->fs->saves == saves && !find_open_locked(copy);
	if (quiet)
		*ret_error = move_locked(m, m->new_parent, m->new_name);
	pthread_mutex_unlock(&m->fs->tree.lock);
	return quiet;
}

/* Moves the directory when all that is below it was copied as it is now. */
static int move_directory(struct tree_copy *copy)
{
	uint64_t saves;
	int r;

	do {
		r = hold_below(copy);
		pthread_mutex_lock(&copy->m->fs->tree.lock);
		saves = copy->m->fs->saves;
		pthread_mutex_unlock(&copy->m->fs->tree.lock);
		if (r == 0)
			r = copy_saved(copy);
		if (r == 0)
			r = check_copied(copy);
	} while (r == 0 && !try_move(copy, saves, &r));
	return r;
}

/* After the move: handles of files below go on with the copies. */
static void follow_below(const struct tree_copy *copy)
{
	const struct renaming *m = copy->m;

	for (size_t i = 0; i < copy->n_held; i++) {
		struct node *node = copy->held[i].node;
		_cleanup_(place_deinit) struct place place = {0};
		const struct moved *moved = NULL;
		int r;

		pthread_mutex_lock(&m->fs->tree.lock);
		r = tree_place_locked(&m->fs->tree, node, &place);
		pthread_mutex_unlock(&m->fs->tree.lock);
		if (r == 0)
			moved = find_moved(copy, place.key, true);
		if (moved)
			opened_copied(m->fs, m->call, node,
				      &(struct object_id){place.bucket, place.key}, &moved->object);
	}
}

/* What is known of names below holds for the old objects. */
static void expire_below(struct fs *fs, const struct node *dir)
{
	pthread_mutex_lock(&fs->tree.lock);
	for (uint32_t slot = 0; slot < fs->tree.n_slots; slot++) {
		struct node *node = fs->tree.slots[slot].node;

		if (node && node != dir && node_is_below_locked(node, dir))
			node->expires_ms = 0;
	}
	pthread_mutex_unlock(&fs->tree.lock);
}

static int rename_directory(const struct renaming *m)
{
	_cleanup_(tree_copy_deinit) struct tree_copy copy = {.m = m};
	int r = hold_below(&copy);

	if (r == 0)
		r = list_sources(&copy);
	if (r < 0)
		return r;
	r = copy_sources(&copy);
	if (r == 0)
		r = move_directory(&copy);
	if (r < 0) {
		undo(&copy);
		return r;
	}
	expire_below(m->fs, m->node);
	follow_below(&copy);
	r = delete_keys(&copy, false);
	if (r < 0)
		log_warn("rename: all below %s/%s was copied to %s/%s, and is there in part still",
			 m->from.bucket, m->from.key, m->to.bucket, m->to.key);
	forget_old_name(m);
	return r;
}

/* ---- rules ---- */

/* rename(2)'s rules for a name that is taken. */
static int check_target(struct renaming *m, unsigned int flags)
{
	if (!m->target)
		return 0;
	if (flags & RENAME_NOREPLACE)
		return -EEXIST;
	if (node_is_directory(m->target) && !node_is_directory(m->node))
		return -EISDIR;
	if (!node_is_directory(m->target) && node_is_directory(m->node))
		return -ENOTDIR;
	if (!node_is_directory(m->target))
		return 0;
	return names_check_empty(m->fs, m->call, m->target, &m->to, &m->target_marker);
}

/* Looks for what is renamed again where the turn had to be waited for. -ESTALE: it is another. */
static int find_source(struct renaming *m, const struct turn *turn)
{
	struct node *node;
	int r;

	if (!turn->waited)
		return 0;
	r = lookup_child(m->fs, m->call, m->parent, m->name, &node, NULL);
	if (r < 0)
		return r;
	fs_unref(m->fs, node);
	return node == m->node ? 0 : -ESTALE;
}

static int find_target(struct renaming *m)
{
	int r = lookup_child(m->fs, m->call, m->new_parent, m->new_name, &m->target, NULL);

	if (r < 0 && r != -ENOENT)
		return r;
	pthread_mutex_lock(&m->fs->tree.lock);
	r = tree_place_locked(&m->fs->tree, m->node, &m->from);
	if (r == 0)
		r = tree_child_place_locked(&m->fs->tree, m->new_parent, m->new_name,
					    node_is_directory(m->node), &m->to);
	pthread_mutex_unlock(&m->fs->tree.lock);
	if (r == 0 && strlen(m->to.key) > S3_KEY_MAX)
		return -ENAMETOOLONG;
	return r;
}

/* A directory does not go into itself. */
static bool is_into_itself(const struct renaming *m)
{
	bool is;

	pthread_mutex_lock(&m->fs->tree.lock);
	is = node_is_below_locked(m->new_parent, m->node);
	pthread_mutex_unlock(&m->fs->tree.lock);
	return is;
}

static int rename_found(struct renaming *m, unsigned int flags)
{
	int r = find_target(m);

	if (r < 0 || m->node == m->target)
		return r;
	r = is_into_itself(m) ? -EINVAL : check_target(m, flags);
	if (r < 0)
		return r;
	return node_is_directory(m->node) ? rename_directory(m) : rename_file(m);
}

static int rename_in(struct renaming *m, unsigned int flags)
{
	struct turn turn = {.changes = {m->parent, m->new_parent}};
	int r;

	if (control_owns(m->fs, m->parent, m->name) ||
	    control_owns(m->fs, m->new_parent, m->new_name))
		return -EPERM;
	if (m->parent->kind == NODE_ROOT || m->new_parent->kind == NODE_ROOT)
		return -EXDEV;
	r = lookup_child(m->fs, m->call, m->parent, m->name, &m->node, NULL);
	if (r < 0)
		return r;
	turn.moves = node_is_directory(m->node) ? m->node : NULL;
	r = turn_take(m->fs, m->call, &turn);
	if (r < 0)
		return r;
	r = find_source(m, &turn);
	if (r == 0)
		r = rename_found(m, flags);
	turn_end(m->fs, &turn);
	return r;
}

int fs_rename(struct fs *fs, struct call *call, uint64_t parent, const char *name,
	      uint64_t new_parent, const char *new_name, unsigned int flags)
{
	struct renaming m = {.fs = fs, .call = call, .name = name, .new_name = new_name};
	int r;

	if (flags & ~(unsigned int)RENAME_NOREPLACE)
		return -EINVAL;
	r = fs_ref_dir(fs, parent, &m.parent);
	if (r == 0)
		r = fs_ref_dir(fs, new_parent, &m.new_parent);
	if (r == 0)
		r = rename_in(&m, flags);
	place_deinit(&m.from);
	place_deinit(&m.to);
	fs_unref(fs, m.target);
	fs_unref(fs, m.node);
	fs_unref(fs, m.new_parent);
	fs_unref(fs, m.parent);
	return r;
}
