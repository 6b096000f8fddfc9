#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/param.h>

#include "xacctfs/util/cleanup.h"

#include "complete.h"
#include "control.h"
#include "private.h"

/*
 * How many keys a look at one name asks for: the name itself comes first, but its directory
 * ("name/") only behind "name-1", "name.txt" and the like.
 */
#define LOOK_KEYS 32

/* ---- nodes by number ---- */

int fs_ref(struct fs *fs, uint64_t ino, struct node **ret_node)
{
	struct node *node;

	pthread_mutex_lock(&fs->tree.lock);
	node = tree_get_locked(&fs->tree, ino);
	if (node)
		tree_ref_locked(&fs->tree, node);
	pthread_mutex_unlock(&fs->tree.lock);
	if (!node)
		return -ESTALE;
	*ret_node = node;
	return 0;
}

void fs_unref(struct fs *fs, struct node *node)
{
	if (!node)
		return;
	pthread_mutex_lock(&fs->tree.lock);
	tree_unref_locked(&fs->tree, node);
	pthread_mutex_unlock(&fs->tree.lock);
}

int fs_ref_dir(struct fs *fs, uint64_t ino, struct node **ret_node)
{
	struct node *node;
	int r = fs_ref(fs, ino, &node);

	if (r < 0)
		return r;
	if (!node_is_directory(node)) {
		fs_unref(fs, node);
		return -ENOTDIR;
	}
	*ret_node = node;
	return 0;
}

bool node_unsaved_locked(const struct node *node)
{
	return node->local || (node->opened && content_dirty(node->opened->content));
}

int64_t node_valid_ms(const struct fs *fs, const struct node *node)
{
	int64_t left = node->expires_ms - fs_boot_ms(fs);

	if (node_is_control(node))
		return fs->options.metadata_ttl_ms;
	/* of a file it is known at its upload only whether it is so; the old one may be back then
	 */
	if (node_unsaved_locked(node))
		left = node_is_directory(node) ? fs->options.metadata_ttl_ms : 0;
	if (fs->options.posix && node->kind == NODE_DIR)
		left = MIN(left, node->posix_until_ms - fs_boot_ms(fs));
	return left > 0 ? left : 0;
}

void fs_hand_out_locked(struct fs *fs, struct node *node, struct fs_entry *ret_entry)
{
	tree_looked_up_locked(&fs->tree, node);
	*ret_entry = (struct fs_entry){
	    .ino = node->ino,
	    .attr = attr_of_locked(fs, node),
	    .valid_ms = node_valid_ms(fs, node),
	};
}

/* ---- what the server told of a name ---- */

static bool is_file(enum node_kind kind)
{
	return kind == NODE_FILE || kind == NODE_SYMLINK;
}

static int take_attributes(const struct fs *fs, struct node *node, const struct listed *listed)
{
	if (!is_file(listed->kind))
		return 0;
	if (!complete_holds_locked(fs, node, listed->mtime_ms, listed->etag))
		node->posix_known = false;
	if (tree_set_text(&node->etag, listed->etag) < 0 ||
	    tree_set_text(&node->storage_class, object_kept_class(listed->storage_class)) < 0)
		return -ENOMEM;
	node->size = listed->size;
	node->mtime_ns = listed->mtime_ms * 1000000;
	return 0;
}

static bool has_locals_below_locked(struct fs *fs, const struct node *dir)
{
	for (const struct node *local = fs->tree.locals; local; local = local->next)
		for (const struct node *node = local->parent; node; node = node->parent)
			if (node == dir)
				return true;
	return false;
}

struct node *lookup_enter_locked(struct fs *fs, struct node *parent, const char *name,
				 const struct listed *listed, int64_t expires_ms, uint64_t changes,
				 int *ret_error)
{
	struct node *node = tree_find_locked(&fs->tree, parent, name);

	*ret_error = 0;
	if (node && node->changed > changes)
		return node;
	if (node && listed && is_file(node->kind) == is_file(listed->kind) && node->local &&
	    !is_file(node->kind))
		tree_set_local_locked(&fs->tree, node, false);
	if (node && !listed && has_locals_below_locked(fs, node))
		tree_set_local_locked(&fs->tree, node, true);
	if (node && node_unsaved_locked(node)) {
		node->expires_ms = expires_ms;
		return node;
	}
	if (node && (!listed || is_file(node->kind) != is_file(listed->kind))) {
		tree_unlink_locked(&fs->tree, node);
		node = NULL;
	}
	if (!listed)
		return NULL;
	if (!node)
		node = tree_add_locked(&fs->tree, parent, name, listed->kind);
	if (!node || take_attributes(fs, node, listed) < 0) {
		*ret_error = -ENOMEM;
		return NULL;
	}
	node->expires_ms = parent->changes == changes ? expires_ms : 0;
	return node;
}

/* ---- asking ---- */

struct answer {
	struct listed listed;
	bool file, directory;
	struct object_page page; /* holds what listed points to */
};

static void read_page(struct answer *a, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < a->page.n; i++) {
		const struct object_entry *e = &a->page.v[i];

		if (strncmp(e->key, key, len) != 0)
			continue;
		if (!e->is_prefix && e->key[len] == '\0') {
			a->file = true;
			a->listed = (struct listed){NODE_FILE, e->size, e->mtime_ms, e->etag,
						    e->storage_class};
		}
		if (e->is_prefix && e->key[len] == '/' && e->key[len + 1] == '\0')
			a->directory = true;
	}
}

/* True when the page ends before the place where the directory of this key would stand. */
static bool ends_before_directory(const struct object_page *page, const char *key)
{
	size_t len = strlen(key);
	const char *last = page->n ? page->v[page->n - 1].key : "";

	if (!page->next_token)
		return false;
	return strncmp(last, key, len) != 0 || (unsigned char)last[len] < '/';
}

static int ask_for_directory(struct fs *fs, struct call *call, const char *bucket, const char *key,
			     bool *ret_found)
{
	_cleanup_(object_page_deinit) struct object_page page = {0};
	_cleanup_(freep) char *prefix = NULL;
	struct list_params params = {.max_keys = 1};
	int r;

	if (asprintf(&prefix, "%s/", key) < 0) {
		prefix = NULL;
		return -ENOMEM;
	}
	params.prefix = prefix;
	r = fs->options.store->list_objects(fs->options.store, call, bucket, &params, &page);
	if (r == 0)
		*ret_found = page.n > 0;
	return r;
}

/* A directory wins over a file of its name. */
static int ask(struct fs *fs, struct call *call, const struct place *place, struct answer *a)
{
	struct list_params params = {
	    .prefix = place->key, .delimited = true, .max_keys = LOOK_KEYS};
	int r;

	r = fs->options.store->list_objects(fs->options.store, call, place->bucket, &params,
					    &a->page);
	if (r < 0)
		return r;
	read_page(a, place->key);
	if (!a->directory && ends_before_directory(&a->page, place->key))
		r = ask_for_directory(fs, call, place->bucket, place->key, &a->directory);
	if (a->directory)
		a->listed = (struct listed){.kind = NODE_DIR};
	if (r == 0 && a->directory && a->file)
		covered_tell(&fs->covered, place->bucket, "", place->key);
	return r;
}

static int ask_and_enter(struct fs *fs, struct call *call, struct node *parent, const char *name,
			 const struct place *place, uint64_t changes, struct node **ret_node,
			 int64_t *ret_valid_ms)
{
	int64_t expires_ms = fs_boot_ms(fs) + fs->options.metadata_ttl_ms;
	struct answer a = {0};
	struct node *node;
	int r, error;

	fs->lookups_asked++;
	r = ask(fs, call, place, &a);
	if (r == 0) {
		pthread_mutex_lock(&fs->tree.lock);
		node =
		    lookup_enter_locked(fs, parent, name, a.file || a.directory ? &a.listed : NULL,
					expires_ms, changes, &error);
		if (node) {
			tree_ref_locked(&fs->tree, node);
			*ret_node = node;
		} else {
			int64_t left = expires_ms - fs_boot_ms(fs);

			if (ret_valid_ms)
				*ret_valid_ms = left > 0 && parent->changes == changes ? left : 0;
			r = error ? error : -ENOENT;
		}
		pthread_mutex_unlock(&fs->tree.lock);
	}
	object_page_deinit(&a.page);
	return r;
}

/* What is known already: a node that is fresh, with a reference. */
static struct node *known_locked(struct fs *fs, const struct node *parent, const char *name)
{
	struct node *node = tree_find_locked(&fs->tree, parent, name);

	/* a directory that is local may be S3's again, by another client's doing, and end so */
	if (!node || !((is_file(node->kind) && node_unsaved_locked(node)) ||
		       fs_boot_ms(fs) < node->expires_ms))
		return NULL;
	tree_ref_locked(&fs->tree, node);
	return node;
}

/* 0 with a fresh node, or 1 with where to ask for it. */
static int know_or_place(struct fs *fs, struct node *parent, const char *name,
			 struct place *ret_place, uint64_t *ret_changes, struct node **ret_node)
{
	struct node *node;
	int r = 0;

	pthread_mutex_lock(&fs->tree.lock);
	node = known_locked(fs, parent, name);
	*ret_changes = parent->changes;
	if (!node)
		r = tree_child_place_locked(&fs->tree, parent, name, false, ret_place);
	pthread_mutex_unlock(&fs->tree.lock);
	if (r < 0)
		return r;
	if (!node)
		return 1;
	fs->lookups_known++;
	*ret_node = node;
	return 0;
}

int lookup_child(struct fs *fs, struct call *call, struct node *parent, const char *name,
		 struct node **ret_node, int64_t *ret_valid_ms)
{
	_cleanup_(place_deinit) struct place place = {0};
	uint64_t changes;
	int r;

	if (strlen(name) > NAME_MAX)
		return -ENAMETOOLONG;
	if (control_owns(fs, parent, name))
		return control_find(fs, parent, name, ret_node, ret_valid_ms);
	if (parent->kind == NODE_ROOT)
		return root_find(fs, call, name, ret_node, ret_valid_ms);
	if (!node_is_directory(parent))
		return -ENOTDIR;
	r = know_or_place(fs, parent, name, &place, &changes, ret_node);
	if (r <= 0)
		return r;
	if (strlen(place.key) > S3_KEY_MAX)
		return -ENAMETOOLONG;
	return ask_and_enter(fs, call, parent, name, &place, changes, ret_node, ret_valid_ms);
}

/* ---- the kernel's questions ---- */

/* As lookup_child, but a name that was not there is not asked for again within the TTL. */
static int look(struct fs *fs, struct call *call, struct node *parent, const char *name,
		struct node **ret_node)
{
	int64_t valid_ms = 0;
	bool absent;
	int r;

	pthread_mutex_lock(&fs->tree.lock);
	absent = tree_is_absent_locked(&fs->tree, parent, name, fs_boot_ms(fs));
	pthread_mutex_unlock(&fs->tree.lock);
	if (absent) {
		fs->lookups_known++;
		return -ENOENT;
	}
	r = lookup_child(fs, call, parent, name, ret_node, &valid_ms);
	if (r == -ENOENT && valid_ms > 0) {
		pthread_mutex_lock(&fs->tree.lock);
		if (!tree_find_locked(&fs->tree, parent, name))
			tree_set_absent_locked(&fs->tree, parent, name, fs_boot_ms(fs) + valid_ms);
		pthread_mutex_unlock(&fs->tree.lock);
	}
	return r;
}

int fs_lookup(struct fs *fs, struct call *call, uint64_t parent_ino, const char *name,
	      struct fs_entry *ret_entry)
{
	struct node *parent, *node = NULL;
	int r = fs_ref_dir(fs, parent_ino, &parent);

	if (r < 0)
		return r;
	r = look(fs, call, parent, name, &node);
	if (r == 0)
		r = complete_node(fs, call, &node);
	if (r == 0) {
		pthread_mutex_lock(&fs->tree.lock);
		fs_hand_out_locked(fs, node, ret_entry);
		pthread_mutex_unlock(&fs->tree.lock);
	} else if (r == -ENOENT) {
		*ret_entry = (struct fs_entry){0};
		r = 0;
	}
	fs_unref(fs, node);
	fs_unref(fs, parent);
	return r;
}

void fs_forget(struct fs *fs, uint64_t ino, uint64_t count)
{
	tree_forget(&fs->tree, ino, count);
}

bool fs_is_full(struct fs *fs)
{
	bool full;

	pthread_mutex_lock(&fs->tree.lock);
	full = tree_is_full_locked(&fs->tree, LIST_HELD) ||
	       tree_is_full_locked(&fs->tree, LIST_CACHED);
	pthread_mutex_unlock(&fs->tree.lock);
	return full;
}

bool fs_recall(struct fs *fs, uint64_t *ret_parent, char ret_name[NAME_MAX + 1])
{
	const struct node *node;

	pthread_mutex_lock(&fs->tree.lock);
	node = tree_recall_locked(&fs->tree);
	if (node) {
		*ret_parent = node->parent->ino;
		snprintf(ret_name, NAME_MAX + 1, "%s", node->name->text);
	}
	pthread_mutex_unlock(&fs->tree.lock);
	return node;
}

static int list_again(struct fs *fs, struct call *call, struct node *node)
{
	_cleanup_(freep) char *name = NULL;
	struct node *parent = NULL, *now = NULL;
	int r = 0;

	pthread_mutex_lock(&fs->tree.lock);
	if ((is_file(node->kind) || node->expires_ms == TREE_EXPIRED) && node->name &&
	    !node_unsaved_locked(node) && fs_boot_ms(fs) >= node->expires_ms) {
		parent = node->parent;
		tree_ref_locked(&fs->tree, parent);
		name = strdup(node->name->text);
		r = name ? 0 : -ENOMEM;
	}
	pthread_mutex_unlock(&fs->tree.lock);
	if (!parent)
		return 0;
	if (r == 0)
		r = lookup_child(fs, call, parent, name, &now, NULL);
	fs_unref(fs, parent);
	fs_unref(fs, now);
	return r < 0 ? r : now == node ? 0 : -ESTALE;
}

int lookup_refresh(struct fs *fs, struct call *call, struct node *node)
{
	struct node *now = node;
	int r = list_again(fs, call, node);

	if (r < 0 || !fs->options.posix)
		return r;
	pthread_mutex_lock(&fs->tree.lock);
	tree_ref_locked(&fs->tree, now);
	pthread_mutex_unlock(&fs->tree.lock);
	r = complete_node(fs, call, &now);
	fs_unref(fs, now);
	return r < 0 ? r : now == node ? 0 : -ESTALE;
}

/* Whether a directory is still there, lookup tells; its attributes change with attrs=posix only. */
static int64_t attr_valid_ms(const struct fs *fs, const struct node *node)
{
	int64_t left = fs->options.metadata_ttl_ms;

	if (!node_is_directory(node))
		return node_valid_ms(fs, node);
	if (fs->options.posix && node->kind == NODE_DIR)
		left = MIN(left, node->posix_until_ms - fs_boot_ms(fs));
	return left > 0 ? left : 0;
}

int fs_getattr(struct fs *fs, struct call *call, uint64_t ino, struct stat *ret_attr,
	       int64_t *ret_valid_ms)
{
	struct node *node;
	int r = fs_ref(fs, ino, &node);

	if (r < 0)
		return r;
	r = lookup_refresh(fs, call, node);
	if (r == -ENOENT) /* of a handle that is open: the kernel looks before it reads */
		r = -ESTALE;
	if (r == 0) {
		pthread_mutex_lock(&fs->tree.lock);
		*ret_attr = attr_of_locked(fs, node);
		*ret_valid_ms = attr_valid_ms(fs, node);
		pthread_mutex_unlock(&fs->tree.lock);
	}
	fs_unref(fs, node);
	return r;
}

int fs_number(struct fs *fs, uint64_t ino, uint64_t *ret_number)
{
	struct node *node;
	int r = fs_ref(fs, ino, &node);

	if (r < 0)
		return r;
	pthread_mutex_lock(&fs->tree.lock);
	*ret_number = tree_number_locked(node);
	tree_unref_locked(&fs->tree, node);
	pthread_mutex_unlock(&fs->tree.lock);
	return 0;
}
