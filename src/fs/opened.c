#include "opened.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"

#include "complete.h"
#include "content/describe.h"
#include "keep.h"

/* ---- contents and their handles ---- */

struct opened *opened_new(struct content *content, const char *etag)
{
	struct opened *opened = calloc(1, sizeof(*opened));

	if (!opened)
		return NULL;
	if (tree_set_text(&opened->etag, etag) < 0) {
		free(opened);
		return NULL;
	}
	opened->content = content;
	return opened;
}

void opened_free(struct opened *opened, struct call *call)
{
	content_free(opened->content, call);
	object_deinit(&opened->kept);
	free(opened->etag);
	free(opened);
}

/*
 * The name is another client's object now. The node stays with its handles, and so do the kernel's
 * pages of it, which nobody may fill with other bytes than theirs.
 */
static void leave_name_locked(struct fs *fs, struct node *node)
{
	node->opened->replaced = true;
	tree_unlink_locked(&fs->tree, node);
}

/* The content that a new handle uses, with that handle counted. */
int opened_get_locked(struct fs *fs, struct node *node, struct call *call,
		      struct opened **ret_opened)
{
	_cleanup_(place_deinit) struct place place = {0};
	struct opened *opened = node->opened;
	struct content *content;
	int r;

	if (opened && (content_is_changing(opened->content) || !node->name ||
		       same_text(opened->etag, node->etag))) {
		opened->handles++;
		*ret_opened = opened;
		return 0;
	}
	if (opened) {
		leave_name_locked(fs, node);
		return -ESTALE;
	}
	r = tree_place_locked(&fs->tree, node, &place);
	if (r < 0)
		return r;
	r = content_open(&fs->room, &(struct object_id){place.bucket, place.key}, node->etag,
			 node->size, &content);
	if (r < 0)
		return r;
	r = keep_with_upload(fs, content, &(struct object){0}, node->name->text,
			     &(struct posix_attr){0}, KEEP_SET);
	opened = r == 0 ? opened_new(content, node->etag) : NULL;
	if (!opened) {
		content_free(content, call);
		return -ENOMEM;
	}
	opened->handles = 1;
	node->opened = opened;
	*ret_opened = opened;
	return 0;
}

/* It is written to now. */
void opened_date_locked(const struct fs *fs, struct node *node)
{
	node->mtime_ns = fs_now_ns(fs);
	if (!fs->options.posix)
		return;
	node->posix.mtime_ns = node->mtime_ns;
	node->posix.has |= POSIX_MTIME;
}

/* ---- type and metadata of an upload ---- */

/* How the content is written; with attrs=posix as the node has it now. */
static int give_params(struct fs *fs, const struct node *node, struct opened *opened,
		       enum keep_how how)
{
	_cleanup_(freep) char *name = NULL;
	struct posix_attr attr;
	bool nameless;

	pthread_mutex_lock(&fs->tree.lock);
	nameless = !node->name || node->opened != opened; /* it will not be uploaded */
	if (!nameless)
		name = strdup(node->name->text);
	attr = node->posix;
	opened->given_mtime_ns = attr.mtime_ns;
	opened->given_changes = node->posix_changes;
	pthread_mutex_unlock(&fs->tree.lock);
	if (nameless)
		return 0;
	if (!name)
		return -ENOMEM;
	return keep_with_upload(fs, opened->content, &opened->kept, name, &attr, how);
}

static int take_kept(struct fs *fs, struct node *node, struct opened *opened, struct object *object)
{
	int r = 0;

	pthread_mutex_lock(&fs->tree.lock);
	if (object->etag && !same_text(object->etag, opened->etag)) {
		node->expires_ms = 0;
		r = -ESTALE; /* the kernel looks again */
	} else if (!opened->kept_known) {
		opened->kept = *object;
		opened->kept_known = true;
		object_meta_drop(&opened->kept, DESCRIBE_MD5); /* other bytes are to come */
		*object = (struct object){0};
	}
	pthread_mutex_unlock(&fs->tree.lock);
	return r;
}

/* attrs=posix: what others put into the object's metadata is there after it was written to, too. */
static int find_kept(struct fs *fs, struct call *call, struct node *node, struct opened *opened)
{
	_cleanup_(place_deinit) struct place place = {0};
	_cleanup_(object_deinit) struct object object = {0};
	struct object_id id;
	bool known;
	int r;

	pthread_mutex_lock(&fs->tree.lock);
	known = opened->kept_known || !opened->etag;
	r = known ? 0 : tree_place_locked(&fs->tree, node, &place);
	pthread_mutex_unlock(&fs->tree.lock);
	if (known || r < 0)
		return r;
	id = (struct object_id){place.bucket, place.key};
	r = fs->options.store->head_object(fs->options.store, call, &id, &object);
	/* not there: as if it had been removed just behind the open */
	return r < 0 && r != -ENOENT ? r : take_kept(fs, node, opened, &object);
}

/* attrs=posix: the content is going to be written to. */
int opened_prepare(struct fs *fs, struct call *call, struct node *node, struct opened *opened)
{
	int r = content_dirty(opened->content) ? 0 : find_kept(fs, call, node, opened);

	return r < 0 || content_dirty(opened->content) ? r
						       : give_params(fs, node, opened, KEEP_SET);
}

/* ---- what was uploaded ---- */

/* attrs=posix: the object's metadata are what the content was told. */
static void take_given_locked(struct fs *fs, struct node *node, const struct opened *opened,
			      const struct object *object, bool dated)
{
	if (opened->given_changes == node->posix_changes && !content_dirty(opened->content))
		node->posix.mtime_ns = opened->given_mtime_ns;
	complete_written_locked(fs, node, object);
	/* what was told behind the first part, and is not worth a copy, is not in them */
	node->posix_known = dated;
}

/* S3 has the file as it is here. */
static void saved_locked(struct fs *fs, struct node *node, struct opened *opened,
			 const struct object *object)
{
	/* a multipart object's date is that of its beginning: only the server knows it */
	bool dated = object->mtime_ms && object->etag && !strchr(object->etag, '-');

	opened->told = opened->doubt = false;
	if (node->opened != opened)
		return;
	if (tree_set_text(&opened->etag, object->etag) < 0 ||
	    tree_set_text(&node->etag, object->etag) < 0 ||
	    tree_set_text(&node->storage_class, object_kept_class(object->storage_class)) < 0 ||
	    tree_set_text(&node->cached_etag, object->etag) < 0)
		tree_set_text(&node->etag, NULL);
	node->size = content_size(opened->content);
	if (dated)
		node->mtime_ns = object->mtime_ms * 1000000;
	node->expires_ms = dated ? fs_boot_ms(fs) + fs->options.metadata_ttl_ms : 0;
	if (fs->options.posix)
		take_given_locked(fs, node, opened, object, dated);
	tree_set_local_locked(&fs->tree, node, false);
	node->saved = ++fs->saves;
	if (node->parent)
		names_changed_locked(node->parent, node);
}

/* The content is held: what it uploaded before its time is noted. */
static void note_held(struct fs *fs, struct node *node, struct opened *opened)
{
	_cleanup_(object_deinit) struct object object = {0};

	if (!content_take_settled(opened->content, &object))
		return;
	pthread_mutex_lock(&fs->tree.lock);
	saved_locked(fs, node, opened, &object);
	pthread_mutex_unlock(&fs->tree.lock);
}

/* Not when the server said that it did nothing. */
static void note_failure(struct fs *fs, struct opened *opened, int r)
{
	if (r >= 0 || r == -EEXIST || r == -ESTALE)
		return;
	pthread_mutex_lock(&fs->tree.lock);
	opened->doubt = true;
	pthread_mutex_unlock(&fs->tree.lock);
}

/* After what may have completed an upload, and ended with r. */
void opened_note_settled(struct fs *fs, struct call *call, struct node *node, struct opened *opened,
			 int r)
{
	struct content *content = opened->content;

	note_failure(fs, opened, r);
	if (!content_has_settled(content) || content_hold(content, call) < 0)
		return; /* whoever holds it next notes it */
	note_held(fs, node, opened);
	content_release(content);
}

/* ---- upload ---- */

/* With the content held, so that who holds it finds the node as the object is. */
static int flush(struct fs *fs, struct call *call, struct node *node, struct opened *opened)
{
	_cleanup_(object_deinit) struct object object = {0};
	int r = content_hold(opened->content, call);

	if (r < 0)
		return r;
	note_held(fs, node, opened);
	r = content_flush(opened->content, call, &object);
	note_failure(fs, opened, r);
	if (r == 0 && object.etag) {
		pthread_mutex_lock(&fs->tree.lock);
		saved_locked(fs, node, opened, &object);
		pthread_mutex_unlock(&fs->tree.lock);
	}
	content_release(opened->content);
	return r;
}

/*
 * attrs=posix: what was set, and the date of the last write, go with the upload. Where that was
 * begun, another date alone is not worth a copy: the object then has that of its beginning, as S3's
 * own date of it is.
 */
static int give_last(struct fs *fs, const struct node *node, struct opened *opened)
{
	bool dated, changed;

	pthread_mutex_lock(&fs->tree.lock);
	changed = opened->given_changes != node->posix_changes;
	dated = opened->given_mtime_ns != node->posix.mtime_ns;
	pthread_mutex_unlock(&fs->tree.lock);
	if (!fs->options.posix || (!changed && !dated))
		return 0;
	return give_params(fs, node, opened, changed ? KEEP_SET : KEEP_IF_CHEAP);
}

int opened_save(struct fs *fs, struct call *call, struct node *node, struct opened *opened)
{
	int r = give_last(fs, node, opened);

	if (r == 0)
		r = flush(fs, call, node, opened);
	pthread_mutex_lock(&fs->tree.lock);
	/* a signal is not the end: the last close tries again */
	if (r < 0 && r != -EINTR)
		opened->told = true;
	pthread_mutex_unlock(&fs->tree.lock);
	return r;
}

/* ---- the end of a handle ---- */

/* For the log: question marks where it has no name any more. */
static void find_place(struct fs *fs, const struct node *node, struct place *ret_place,
		       const char **ret_bucket, const char **ret_key)
{
	pthread_mutex_lock(&fs->tree.lock);
	if (tree_place_locked(&fs->tree, node, ret_place) < 0)
		*ret_place = (struct place){0};
	pthread_mutex_unlock(&fs->tree.lock);
	*ret_bucket = ret_place->bucket ? ret_place->bucket : "?";
	*ret_key = ret_place->key ? ret_place->key : "?";
}

void opened_log_lost(struct fs *fs, const struct node *node, int r)
{
	/* a server that did not answer may have carried it out, or do so yet */
	bool answered = r != -ETIMEDOUT && r != -EINTR && r != -EIO;
	_cleanup_(place_deinit) struct place place = {0};
	const char *bucket, *key;

	find_place(fs, node, &place, &bucket, &key);
	log_error("%s/%s: what was written is lost, the object is as it was%s: %s", bucket, key,
		  answered ? "" : " (or S3 carried the last request out without an answer)",
		  strerror(-r));
}

void opened_log_full(struct fs *fs, const struct node *node, struct opened *opened)
{
	_cleanup_(place_deinit) struct place place = {0};
	const char *bucket, *key;
	bool told;

	pthread_mutex_lock(&fs->tree.lock);
	told = opened->full;
	opened->full = true;
	pthread_mutex_unlock(&fs->tree.lock);
	if (told)
		return;
	find_place(fs, node, &place, &bucket, &key);
	log_error(
	    "write to %s/%s: no room in staging_dir: %" PRIu64 " bytes of staging_limit's %" PRIu64
	    " are used, else its disk is full; close files that are changed in part, or raise "
	    "staging_limit",
	    bucket, key, staging_used(&fs->staging), fs->options.staging_limit);
}

/* True for the last one; the content is then nobody's but the caller's. */
bool opened_drop(struct fs *fs, struct node *node, struct opened *opened)
{
	bool last;

	pthread_mutex_lock(&fs->tree.lock);
	last = --opened->handles == 0;
	if (last && node->opened == opened) {
		/* it stays the last until it is freed: a new handle opens a new content */
		node->opened = NULL;
		if (content_dirty(opened->content) || node->local) {
			/* never uploaded: there is no such file */
			if (!node->etag)
				tree_unlink_locked(&fs->tree, node);
			node->expires_ms = 0;
			/* the kernel has pages of what is lost */
			tree_set_text(&node->cached_etag, NULL);
		}
	}
	pthread_mutex_unlock(&fs->tree.lock);
	return last;
}

static bool is_last(struct fs *fs, const struct opened *opened, bool *ret_told)
{
	bool last;

	pthread_mutex_lock(&fs->tree.lock);
	last = opened->handles == 1;
	*ret_told = opened->told;
	pthread_mutex_unlock(&fs->tree.lock);
	return last;
}

/* What no close() was asked for: pages written by mmap, a close that left it to the next. */
int opened_save_rest(struct fs *fs, struct call *call, struct node *node, struct opened *opened)
{
	bool told;

	if (!is_last(fs, opened, &told) || told || !content_dirty(opened->content))
		return 0;
	return opened_save(fs, call, node, opened);
}

void opened_put(struct fs *fs, struct call *call, struct node *node, struct opened *opened)
{
	int r = opened_save_rest(fs, call, node, opened);

	if (r < 0)
		opened_log_lost(fs, node, r);
	if (opened_drop(fs, node, opened))
		opened_free(opened, call);
}

/* ---- names and contents ---- */

/* A handle of the node's content for the time of an operation, or NULL when it is not open. */
static struct opened *hold(struct fs *fs, struct node *node)
{
	struct opened *opened;

	pthread_mutex_lock(&fs->tree.lock);
	opened = node->opened;
	if (opened)
		opened->handles++;
	pthread_mutex_unlock(&fs->tree.lock);
	return opened;
}

int opened_hold(struct fs *fs, struct call *call, struct node *node, struct opened **ret_opened)
{
	struct opened *opened = hold(fs, node);
	int r = opened ? content_hold(opened->content, call) : 0;

	if (r < 0) {
		opened_put(fs, call, node, opened);
		return r;
	}
	if (opened)
		note_held(fs, node, opened);
	*ret_opened = opened;
	return 0;
}

void opened_let_go(struct fs *fs, struct call *call, struct node *node, struct opened *opened)
{
	if (!opened)
		return;
	content_release(opened->content);
	opened_put(fs, call, node, opened);
}

void opened_unlinked(struct fs *fs, struct call *call, struct node *node)
{
	struct opened *opened = hold(fs, node);

	if (!opened)
		return;
	content_unlinked(opened->content, call);
	opened_put(fs, call, node, opened);
}

int opened_save_node(struct fs *fs, struct call *call, struct node *node)
{
	struct opened *opened = hold(fs, node);
	int r;

	if (!opened)
		return 0;
	r = opened_save(fs, call, node, opened);
	opened_put(fs, call, node, opened);
	return r;
}

int opened_take_along(struct fs *fs, struct call *call, struct node *node)
{
	struct opened *opened = hold(fs, node);
	int r = 1;

	if (!opened)
		return 1;
	/* a flush that is under way writes them behind the bytes */
	if (content_dirty(opened->content))
		r = give_params(fs, node, opened, KEEP_DIRTY);
	opened_put(fs, call, node, opened);
	return r;
}

int opened_hold_saved(struct fs *fs, struct call *call, struct node *node,
		      struct opened **ret_opened)
{
	struct opened *opened;
	int r;

	pthread_mutex_lock(&fs->tree.lock);
	r = opened_get_locked(fs, node, call, &opened);
	pthread_mutex_unlock(&fs->tree.lock);
	if (r < 0)
		return r;
	r = content_hold(opened->content, call);
	if (r == 0)
		note_held(fs, node, opened);
	if (r == 0 && content_dirty(opened->content)) {
		content_release(opened->content);
		r = -EBUSY;
	}
	if (r < 0)
		opened_put(fs, call, node, opened);
	else
		*ret_opened = opened;
	return r;
}

/* The same bytes are another object. */
static void take_object_locked(struct fs *fs, struct node *node, const struct object *object)
{
	bool cached = same_text(node->cached_etag, node->etag);

	if (tree_set_text(&node->etag, object->etag) < 0 ||
	    tree_set_text(&node->cached_etag, cached ? object->etag : NULL) < 0 ||
	    (node->opened && tree_set_text(&node->opened->etag, object->etag) < 0))
		tree_set_text(&node->etag, NULL);
	if (node->posix_known)
		complete_written_locked(fs, node, object);
	if (object->mtime_ms)
		node->mtime_ns = object->mtime_ms * 1000000;
	node->expires_ms = object->mtime_ms ? fs_boot_ms(fs) + fs->options.metadata_ttl_ms : 0;
	if (node->parent)
		names_changed_locked(node->parent, node);
}

int opened_copied(struct fs *fs, struct call *call, struct node *node, const struct object_id *id,
		  const struct object *object)
{
	struct opened *opened = hold(fs, node);
	int r = opened ? content_rename(opened->content, call, id, object->etag) : 0;

	if (r == 0) {
		pthread_mutex_lock(&fs->tree.lock);
		take_object_locked(fs, node, object);
		pthread_mutex_unlock(&fs->tree.lock);
	}
	if (opened)
		opened_put(fs, call, node, opened);
	return r;
}

int opened_set_mtime(struct fs *fs, struct node *node, int64_t mtime_ns)
{
	struct posix_attr attr = {.has = POSIX_MTIME, .mtime_ns = mtime_ns};
	struct opened *opened;
	int r = -EPERM;

	pthread_mutex_lock(&fs->tree.lock);
	opened = node->opened;
	if (node->name && opened && content_dirty(opened->content)) {
		r = keep_with_upload(fs, opened->content, &opened->kept, node->name->text, &attr,
				     KEEP_SET);
		if (r == 0)
			node->mtime_ns = mtime_ns;
	}
	pthread_mutex_unlock(&fs->tree.lock);
	return r;
}

/* ---- at the end of the mount ---- */

/* An open file that is not saved, with a handle and a reference. */
static struct node *next_unsaved(struct fs *fs, uint32_t *slot, struct opened **ret_opened)
{
	struct node *found = NULL;

	pthread_mutex_lock(&fs->tree.lock);
	for (; *slot < fs->tree.n_slots && !found; (*slot)++) {
		struct node *node = fs->tree.slots[*slot].node;

		if (node && node->opened && content_dirty(node->opened->content))
			found = node;
	}
	if (found) {
		tree_ref_locked(&fs->tree, found);
		found->opened->handles++;
		*ret_opened = found->opened;
	}
	pthread_mutex_unlock(&fs->tree.lock);
	return found;
}

int fs_save(struct fs *fs, struct call *call)
{
	struct opened *opened;
	struct node *node;
	uint32_t slot = 0;
	int lost = 0;

	while ((node = next_unsaved(fs, &slot, &opened))) {
		int r = opened_save(fs, call, node, opened);

		if (r < 0) {
			opened_log_lost(fs, node, r);
			lost = -EIO;
		}
		pthread_mutex_lock(&fs->tree.lock);
		opened->handles--;
		tree_unref_locked(&fs->tree, node);
		pthread_mutex_unlock(&fs->tree.lock);
	}
	return lost;
}
