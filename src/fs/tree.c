#include "tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "xacctfs/fs/fs.h"
#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"

#include "least.h"

#define NO_SLOT   UINT32_MAX
#define SLOTS_MIN 64

/* ---- inode numbers ---- */

static uint32_t slot_of(uint64_t ino)
{
	return (uint32_t)ino;
}

static bool grow_slots(struct tree *tree)
{
	uint32_t n = tree->n_slots ? tree->n_slots * 2 : SLOTS_MIN;
	struct tree_slot *slots;

	if (n >= NO_SLOT / 2)
		return false;
	slots = reallocarray(tree->slots, n, sizeof(*slots));
	if (!slots)
		return false;
	tree->slots = slots;
	for (; tree->n_slots < n; tree->n_slots++) {
		slots[tree->n_slots] = (struct tree_slot){.next_free = tree->first_free};
		tree->first_free = tree->n_slots;
	}
	return true;
}

static bool give_number(struct tree *tree, struct node *node)
{
	struct tree_slot *slot;

	if (tree->first_free == NO_SLOT && !grow_slots(tree))
		return false;
	slot = &tree->slots[tree->first_free];
	node->ino = (uint64_t)slot->uses << 32 | tree->first_free;
	tree->first_free = slot->next_free;
	slot->node = node;
	return true;
}

static void take_number(struct tree *tree, const struct node *node)
{
	struct tree_slot *slot = &tree->slots[slot_of(node->ino)];

	slot->node = NULL;
	slot->uses++;
	slot->next_free = tree->first_free;
	tree->first_free = slot_of(node->ino);
}

struct node *tree_get_locked(struct tree *tree, uint64_t ino)
{
	struct node *node;

	if (slot_of(ino) >= tree->n_slots)
		return NULL;
	node = tree->slots[slot_of(ino)].node;
	return node && node->ino == ino ? node : NULL;
}

/* ---- names ---- */

static struct node_name *name_new(const struct node *parent, const char *text)
{
	size_t len = strlen(text);
	struct node_name *name = malloc(sizeof(*name) + len + 1);

	if (!name)
		return NULL;
	name->parent = parent->ino;
	memcpy(name->text, text, len + 1);
	return name;
}

static unsigned int name_len(const struct node_name *name)
{
	return (unsigned int)(sizeof(*name) + strlen(name->text));
}

static void absent_free(struct tree *tree, struct absent *absent)
{
	HASH_DEL(tree->absents, absent);
	free(absent->name);
	free(absent);
}

static struct absent *find_absent(struct tree *tree, const struct node_name *name)
{
	struct absent *absent;

	HASH_FIND(hh, tree->absents, name, name_len(name), absent);
	return absent;
}

static void hash_name(struct tree *tree, struct node *node)
{
	struct absent *absent = find_absent(tree, node->name);

	if (absent)
		absent_free(tree, absent);
	HASH_ADD_KEYPTR(hh, tree->by_name, node->name, name_len(node->name), node);
}

struct node *tree_find_locked(struct tree *tree, const struct node *parent, const char *name)
{
	_cleanup_(freep) struct node_name *key = name_new(parent, name);
	struct node *node = NULL;

	if (key)
		HASH_FIND(hh, tree->by_name, key, name_len(key), node);
	return node;
}

/* ---- life ---- */

static void node_free(struct tree *tree, struct node *node)
{
	take_number(tree, node);
	free(node->name);
	free(node->etag);
	free(node->storage_class);
	free(node->cached_etag);
	free(node);
}

static struct node *node_new(struct tree *tree, enum node_kind kind)
{
	struct node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->kind = kind;
	if (!give_number(tree, node)) {
		free(node);
		return NULL;
	}
	return node;
}

static void leave_list(struct tree *tree, struct node *node)
{
	if (node->list == LIST_NONE)
		return;
	DL_DELETE(tree->lists[node->list], node);
	tree->n[node->list]--;
	node->list = LIST_NONE;
}

static void enter_list(struct tree *tree, struct node *node, enum node_list list)
{
	/* a directory is as old as the last name in it that is dropped; what is recalled must not
	 * displace what was listed meanwhile */
	bool old = list == LIST_IDLE && (tree->dropping || node->recalled);

	if (list == LIST_NONE)
		return;
	if (old)
		DL_PREPEND(tree->lists[list], node);
	else
		DL_APPEND(tree->lists[list], node);
	tree->n[list]++;
	node->list = list;
}

static void drop_locked(struct tree *tree, struct node *node)
{
	struct node *parent = node->parent;

	leave_list(tree, node);
	if (node->name)
		HASH_DELETE(hh, tree->by_name, node);
	node_free(tree, node);
	tree_unref_locked(tree, parent);
}

static enum node_list list_of(const struct node *node)
{
	if (node->refs > 0 || node->local)
		return LIST_NONE;
	if (node->lookups == 0)
		return LIST_IDLE;
	/* a directory may be where a process is, or where something is mounted */
	if (!node->name || node->recalled || node_is_directory(node))
		return LIST_NONE;
	return node->cached_etag ? LIST_CACHED : LIST_HELD;
}

static size_t list_max(const struct tree *tree, enum node_list list)
{
	return list == LIST_HELD ? tree->names_max / 8 : tree->names_max / 4;
}

/* It never gets so small that what was just listed is dropped before it is looked at. */
static size_t idle_max(const struct tree *tree)
{
	return tree->names_max - least(tree->n[LIST_HELD], list_max(tree, LIST_HELD)) -
	       least(tree->n[LIST_CACHED], list_max(tree, LIST_CACHED));
}

/* A directory that becomes idle by this is dropped by the same loop: no depth is too deep. */
static void drop_surplus_locked(struct tree *tree)
{
	if (tree->dropping)
		return;
	tree->dropping = true;
	while (tree->n[LIST_IDLE] > idle_max(tree))
		drop_locked(tree, tree->lists[LIST_IDLE]);
	tree->dropping = false;
}

/* In its list, or free: as lookups, refs, local and the name now have it. */
static void settle_locked(struct tree *tree, struct node *node)
{
	enum node_list list = list_of(node);

	if (node == tree->root)
		return;
	if (list == LIST_IDLE && !node->name) {
		drop_locked(tree, node);
		return;
	}
	if (list == node->list)
		return;
	leave_list(tree, node);
	enter_list(tree, node, list);
	drop_surplus_locked(tree);
}

int tree_init(struct tree *tree, const char *bucket, const char *prefix, size_t names_max)
{
	*tree = (struct tree){.names_max = names_max, .first_free = NO_SLOT};
	if (!grow_slots(tree))
		return -ENOMEM;
	if (bucket && (tree_set_text(&tree->bucket, bucket) < 0 ||
		       tree_set_text(&tree->prefix, prefix) < 0)) {
		tree_deinit(tree);
		return -ENOMEM;
	}
	/* FUSE's number of the root is slot 1, used for the first time */
	tree->first_free = FS_ROOT;
	tree->slots[FS_ROOT].next_free = NO_SLOT;
	tree->root = node_new(tree, !bucket ? NODE_ROOT : prefix[0] ? NODE_DIR : NODE_BUCKET);
	for (uint32_t i = FS_ROOT + 1; i < tree->n_slots; i++) {
		tree->slots[i].next_free = tree->first_free;
		tree->first_free = i;
	}
	if (!tree->root) {
		tree_deinit(tree);
		return -ENOMEM;
	}
	pthread_mutex_init(&tree->lock, NULL);
	return 0;
}

void tree_deinit(struct tree *tree)
{
	if (tree->root)
		pthread_mutex_destroy(&tree->lock);
	HASH_CLEAR(hh, tree->by_name);
	for (uint32_t i = 0; i < tree->n_slots; i++)
		if (tree->slots[i].node)
			node_free(tree, tree->slots[i].node);
	while (tree->absents)
		absent_free(tree, tree->absents);
	free(tree->slots);
	free(tree->bucket);
	free(tree->prefix);
	*tree = (struct tree){0};
}

struct node *tree_add_locked(struct tree *tree, struct node *parent, const char *name,
			     enum node_kind kind)
{
	struct node *node = node_new(tree, kind);

	if (!node)
		return NULL;
	node->name = name_new(parent, name);
	if (!node->name) {
		node_free(tree, node);
		return NULL;
	}
	node->parent = parent;
	tree_ref_locked(tree, parent);
	hash_name(tree, node);
	settle_locked(tree, node);
	return node;
}

void tree_ref_locked(struct tree *tree, struct node *node)
{
	node->refs++;
	settle_locked(tree, node);
}

void tree_unref_locked(struct tree *tree, struct node *node)
{
	if (!node)
		return;
	node->refs--;
	settle_locked(tree, node);
}

void tree_looked_up_locked(struct tree *tree, struct node *node)
{
	node->lookups++;
	node->recalled = false;
	leave_list(tree, node); /* it is the latest now */
	settle_locked(tree, node);
}

void tree_forget(struct tree *tree, uint64_t ino, uint64_t count)
{
	struct node *node;

	pthread_mutex_lock(&tree->lock);
	node = tree_get_locked(tree, ino);
	if (node) {
		node->lookups -= count < node->lookups ? count : node->lookups;
		settle_locked(tree, node);
	}
	pthread_mutex_unlock(&tree->lock);
}

bool tree_is_full_locked(const struct tree *tree, enum node_list list)
{
	return tree->n[list] > list_max(tree, list);
}

struct node *tree_recall_locked(struct tree *tree)
{
	struct node *node = NULL;

	if (tree_is_full_locked(tree, LIST_HELD))
		node = tree->lists[LIST_HELD];
	else if (tree_is_full_locked(tree, LIST_CACHED))
		node = tree->lists[LIST_CACHED];
	if (node) {
		node->recalled = true;
		settle_locked(tree, node);
	}
	return node;
}

/* ---- changes ---- */

void tree_set_local_locked(struct tree *tree, struct node *node, bool local)
{
	if (node->local == local || node == tree->root)
		return;
	if (local) {
		node->local = true;
		settle_locked(tree, node); /* out of the idle ones, whose links these are */
		DL_APPEND(tree->locals, node);
	} else {
		DL_DELETE(tree->locals, node);
		node->local = false;
		settle_locked(tree, node);
	}
}

void tree_unlink_locked(struct tree *tree, struct node *node)
{
	struct node *parent = node->parent;

	if (!node->name)
		return;
	node->refs++; /* for the time of this function */
	settle_locked(tree, node);
	tree_set_local_locked(tree, node, false);
	HASH_DELETE(hh, tree->by_name, node);
	free(node->name);
	node->name = NULL;
	node->parent = NULL;
	tree_unref_locked(tree, parent);
	tree_unref_locked(tree, node);
}

int tree_move_locked(struct tree *tree, struct node *node, struct node *parent, const char *name)
{
	struct node_name *moved = name_new(parent, name);
	struct node *old_parent = node->parent;

	if (!moved)
		return -ENOMEM;
	if (node->name)
		HASH_DELETE(hh, tree->by_name, node);
	free(node->name);
	node->name = moved;
	node->parent = parent;
	tree_ref_locked(tree, parent);
	hash_name(tree, node);
	tree_unref_locked(tree, old_parent);
	return 0;
}

void tree_set_absent_locked(struct tree *tree, const struct node *parent, const char *name,
			    int64_t expires_ms)
{
	_cleanup_(freep) struct node_name *key = name_new(parent, name);
	struct absent *absent = key ? find_absent(tree, key) : NULL;

	if (!key)
		return;
	if (absent)
		absent_free(tree, absent);
	if (HASH_COUNT(tree->absents) >= TREE_ABSENT_MAX)
		absent_free(tree, tree->absents);
	absent = malloc(sizeof(*absent));
	if (!absent)
		return;
	*absent = (struct absent){.name = steal(&key), .expires_ms = expires_ms};
	HASH_ADD_KEYPTR(hh, tree->absents, absent->name, name_len(absent->name), absent);
}

bool tree_is_absent_locked(struct tree *tree, const struct node *parent, const char *name,
			   int64_t now_ms)
{
	_cleanup_(freep) struct node_name *key = name_new(parent, name);
	const struct absent *absent = key ? find_absent(tree, key) : NULL;

	return absent && now_ms < absent->expires_ms;
}

int tree_expire_locked(struct tree *tree, struct node *parent, struct buf *names, struct buf *inos)
{
	struct absent *absent, *next_absent;
	struct node *node, *next;
	int r = 0;

	parent->changes++; /* answers that are on their way are not believed for long */
	HASH_ITER (hh, tree->by_name, node, next) {
		if (node->parent != parent)
			continue;
		node->expires_ms = TREE_EXPIRED;
		if (node->lookups == 0 || r < 0)
			continue;
		r = buf_add(names, node->name->text, strlen(node->name->text) + 1);
		if (r == 0)
			r = buf_add(inos, &node->ino, sizeof(node->ino));
	}
	HASH_ITER (hh, tree->absents, absent, next_absent)
		if (absent->name->parent == parent->ino)
			absent_free(tree, absent);
	return r;
}

bool node_is_below_locked(const struct node *node, const struct node *dir)
{
	for (; node; node = node->parent)
		if (node == dir)
			return true;
	return false;
}

int tree_set_text(char **field, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

/* ---- places ---- */

void place_deinit(struct place *place)
{
	free(place->bucket);
	free(place->key);
	*place = (struct place){0};
}

/* The key of a directory, '/' at its end, or "". */
static int add_prefix(const struct tree *tree, const struct node *node, const char **ret_bucket,
		      struct buf *key)
{
	int r;

	if (node == tree->root) {
		if (!tree->bucket)
			return -EINVAL;
		*ret_bucket = tree->bucket;
		return buf_add_str(key, tree->prefix);
	}
	if (node_is_control(node))
		return -EPERM;
	if (!node->name)
		return -ESTALE;
	if (node->kind == NODE_BUCKET) {
		*ret_bucket = node->name->text;
		return 0;
	}
	r = add_prefix(tree, node->parent, ret_bucket, key);
	if (r == 0)
		r = buf_add_str(key, node->name->text);
	return r < 0 ? r : buf_add_char(key, '/');
}

static int make_place(const char *bucket, struct buf *key, struct place *ret_place)
{
	struct place place = {.bucket = strdup(bucket)};

	if (buf_add(key, "", 0) == 0)
		place.key = key->data ? buf_steal(key) : strdup("");
	if (!place.bucket || !place.key) {
		place_deinit(&place);
		return -ENOMEM;
	}
	*ret_place = place;
	return 0;
}

int tree_place_locked(struct tree *tree, const struct node *node, struct place *ret_place)
{
	_cleanup_(buf_deinit) struct buf key = BUF_INIT;
	const char *bucket = NULL;
	int r;

	if (node->kind == NODE_ROOT) {
		*ret_place = (struct place){0};
		return 0;
	}
	if (node->kind == NODE_FILE || node->kind == NODE_SYMLINK) {
		if (!node->name)
			return -ESTALE;
		return tree_child_place_locked(tree, node->parent, node->name->text, false,
					       ret_place);
	}
	r = add_prefix(tree, node, &bucket, &key);
	return r < 0 ? r : make_place(bucket, &key, ret_place);
}

int tree_child_place_locked(struct tree *tree, const struct node *parent, const char *name,
			    bool directory, struct place *ret_place)
{
	_cleanup_(buf_deinit) struct buf key = BUF_INIT;
	const char *bucket = NULL;
	int r = add_prefix(tree, parent, &bucket, &key);

	if (r == 0)
		r = buf_add_str(&key, name);
	if (r == 0 && directory)
		r = buf_add_char(&key, '/');
	return r < 0 ? r : make_place(bucket, &key, ret_place);
}

/* FNV-1a, 64 bits, of the names on the way down. */
uint64_t tree_child_number(uint64_t parent_number, const char *name)
{
	uint64_t hash = parent_number == FS_ROOT ? 0xcbf29ce484222325 : parent_number;

	if (parent_number != FS_ROOT)
		hash = (hash ^ '/') * 0x100000001b3;
	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3;
	return hash > FS_ROOT ? hash : FS_ROOT + 1;
}

uint64_t tree_number_locked(const struct node *node)
{
	if (!node->parent)
		return node->name || node->ino == FS_ROOT ? FS_ROOT : node->ino;
	return tree_child_number(tree_number_locked(node->parent), node->name->text);
}
