#include "complete.h"

#include <errno.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"

#include "batch.h"

/* An object older than this when it is looked at gets another date when it is changed later. Its
 * date is of a second (RFC 9110, 5.6.7), and clocks differ.
 */
#define SETTLED_MS 5000

/* How often a node that is renamed or replaced meanwhile is asked for again. */
#define TRIES 3

static bool is_directory(const struct node *node)
{
	return node->kind == NODE_DIR;
}

bool complete_needed_locked(const struct fs *fs, const struct node *node)
{
	if (!fs->options.posix || node->kind == NODE_ROOT || node->kind == NODE_BUCKET ||
	    node_is_control(node))
		return false;
	if (node->keeping > 0)
		return false;
	if (is_directory(node))
		return fs_boot_ms(fs) >= node->posix_until_ms;
	return !node->posix_known && !node_unsaved_locked(node);
}

static bool same_second(int64_t a_ms, int64_t b_ms)
{
	return a_ms / 1000 == b_ms / 1000;
}

bool complete_holds_locked(const struct fs *fs, const struct node *node, int64_t date_ms,
			   const char *etag)
{
	return node->posix_known && node->etag && etag && !strcmp(node->etag, etag) &&
	       same_second(date_ms, node->posix_date_ms) &&
	       (node->posix_settled || fs_boot_ms(fs) < node->posix_until_ms);
}

/* ---- taking the answer ---- */

/* Where a node is, and how often it was changed, when it was asked for. */
struct question {
	struct place place;
	uint64_t changes;
};

/* The node is where it was when it was asked for. */
static bool same_place_locked(struct fs *fs, const struct node *node, const struct place *place)
{
	_cleanup_(place_deinit) struct place now = {0};

	return tree_place_locked(&fs->tree, node, &now) == 0 && now.bucket &&
	       !strcmp(now.bucket, place->bucket) && !strcmp(now.key, place->key);
}

static void note_date_locked(const struct fs *fs, struct node *node, int64_t date_ms)
{
	struct clock *clock = fs->options.clock;

	node->posix_known = true;
	node->posix_date_ms = date_ms;
	node->posix_settled = clock->wall_ms(clock) - date_ms >= SETTLED_MS;
	node->posix_until_ms = fs_boot_ms(fs) + fs->options.metadata_ttl_ms;
}

void complete_written_locked(struct fs *fs, struct node *node, const struct object *object)
{
	note_date_locked(fs, node, object->mtime_ms);
}

static int take_object_locked(struct fs *fs, struct node *node, const struct object *object)
{
	if (tree_set_text(&node->etag, object->etag) < 0 ||
	    tree_set_text(&node->storage_class, object_kept_class(object->storage_class)) < 0)
		return -ENOMEM;
	node->size = object->size;
	/* a listing may have told the date more exactly */
	if (!same_second(node->mtime_ns / 1000000, object->mtime_ms))
		node->mtime_ns = object->mtime_ms * 1000000;
	posix_read(object, &node->posix);
	note_date_locked(fs, node, object->mtime_ms);
	return 0;
}

/* Another node has the name from now on. A node's kind is constant. */
static int replace_locked(struct fs *fs, struct node **node, enum node_kind kind)
{
	_cleanup_(freep) char *name = strdup((*node)->name->text);
	struct node *parent = (*node)->parent, *fresh;

	if (!name)
		return -ENOMEM;
	tree_ref_locked(&fs->tree, parent);
	tree_unlink_locked(&fs->tree, *node);
	fresh = tree_add_locked(&fs->tree, parent, name, kind);
	if (fresh) {
		fresh->expires_ms = (*node)->expires_ms;
		fresh->changed = (*node)->changed;
		tree_ref_locked(&fs->tree, fresh);
		tree_unref_locked(&fs->tree, *node);
		*node = fresh;
	}
	tree_unref_locked(&fs->tree, parent);
	return fresh ? 0 : -ENOMEM;
}

static int take_file_locked(struct fs *fs, struct node **node, const struct object *object)
{
	struct posix_attr attr;
	enum node_kind kind;
	int r = 0;

	posix_read(object, &attr);
	kind = (attr.has & POSIX_MODE) && S_ISLNK(attr.mode) ? NODE_SYMLINK : NODE_FILE;
	if (kind != (*node)->kind)
		r = replace_locked(fs, node, kind);
	return r < 0 ? r : take_object_locked(fs, *node, object);
}

/* One without a marker is as the mount has it. */
static void take_directory_locked(struct fs *fs, struct node *node, const struct object *object)
{
	posix_read(object, &node->posix);
	note_date_locked(fs, node, object->mtime_ms);
}

static int take_gone_locked(struct fs *fs, struct node *node)
{
	tree_unlink_locked(&fs->tree, node);
	return -ENOENT;
}

/* 0, or 1 when this mount changed the node meanwhile: then the answer is not about it. */
static int take(struct fs *fs, struct node **node, const struct question *question, int result,
		const struct object *object)
{
	int r = 0;

	pthread_mutex_lock(&fs->tree.lock);
	if ((*node)->posix_changes != question->changes ||
	    !same_place_locked(fs, *node, &question->place))
		r = 1;
	else if (!complete_needed_locked(fs, *node))
		r = 0; /* it was written to, or somebody else asked */
	else if (is_directory(*node))
		take_directory_locked(fs, *node, object);
	else if (result == 0)
		r = take_file_locked(fs, node, object);
	else
		r = take_gone_locked(fs, *node);
	pthread_mutex_unlock(&fs->tree.lock);
	return r;
}

/* ---- asking ---- */

/* 0 when nothing is to be asked, or 1. */
static int put_question(struct fs *fs, const struct node *node, struct question *ret_question)
{
	int r = 0;

	pthread_mutex_lock(&fs->tree.lock);
	if (complete_needed_locked(fs, node) && (node->name || node == fs->tree.root)) {
		r = tree_place_locked(&fs->tree, node, &ret_question->place);
		ret_question->changes = node->posix_changes;
		if (r == 0)
			r = 1;
	}
	pthread_mutex_unlock(&fs->tree.lock);
	return r;
}

static int ask(struct fs *fs, struct call *call, struct node **node,
	       const struct question *question)
{
	_cleanup_(object_deinit) struct object object = {0};
	struct object_id id = {question->place.bucket, question->place.key};
	int r = fs->options.store->head_object(fs->options.store, call, &id, &object);

	if (r < 0 && r != -ENOENT)
		return r;
	return take(fs, node, question, r, &object);
}

int complete_node(struct fs *fs, struct call *call, struct node **node)
{
	int r = 1;

	for (int i = 0; i < TRIES && r == 1; i++) {
		struct question question = {0};

		r = put_question(fs, *node, &question);
		if (r == 1)
			r = ask(fs, call, node, &question);
		place_deinit(&question.place);
	}
	return r == 1 ? -ESTALE : r;
}

/* ---- many ---- */

struct job {
	struct fs *fs;
	struct node *node; /* referenced */
};

/* That one is gone, or changes, is no reason not to ask for the others. */
static int run(struct call *call, void *data)
{
	struct job *job = data;
	int r = complete_node(job->fs, call, &job->node);

	return r == -ENOENT || r == -ESTALE ? 0 : r;
}

void complete_many(struct fs *fs, struct call *call, struct node **v, size_t n)
{
	struct job jobs[COMPLETE_MAX];
	struct batch batch;
	size_t begun;
	int r = 0;

	batch_init(&batch, fs->downloads, call, fs->options.background_timeout_ms);
	for (begun = 0; begun < n && r == 0; begun++) {
		jobs[begun] = (struct job){fs, v[begun]};
		pthread_mutex_lock(&fs->tree.lock);
		tree_ref_locked(&fs->tree, v[begun]);
		pthread_mutex_unlock(&fs->tree.lock);
		r = batch_add(&batch, run, &jobs[begun]);
	}
	batch_finish(&batch);
	for (size_t i = 0; i < begun; i++)
		fs_unref(fs, jobs[i].node);
}
