/*
 * Open files. All handles of a file share its content, but one: when another client replaced the
 * object, handles from before keep what they have pinned and read ESTALE, and new ones read the new
 * object.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"

#include "complete.h"
#include "keep.h"
#include "private.h"

struct fs_file {
	struct node *node; /* referenced */
	struct opened *opened;
	bool writes;                 /* opened for writing */
	atomic_int writer;           /* fs_note_writer */
	struct fs_file *prev, *next; /* fs->tree.lock: of fs->files */
};

static bool same_text(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

static int64_t now_ns(const struct fs *fs)
{
	return fs->options.clock->wall_ms(fs->options.clock) * 1000000;
}

/* ---- contents and their handles ---- */

static struct opened *opened_new(struct content *content, const char *etag)
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

static void opened_free(struct opened *opened, struct call *call)
{
	content_free(opened->content, call);
	object_deinit(&opened->kept);
	free(opened->etag);
	free(opened);
}

/* The content that a new handle uses, with that handle counted. */
static int open_content_locked(struct fs *fs, struct node *node, struct call *call,
			       struct opened **ret_opened)
{
	_cleanup_(place_deinit) struct place place = {0};
	struct opened *opened = node->opened;
	struct content *content;
	int r;

	if (opened && (content_dirty(opened->content) || same_text(opened->etag, node->etag))) {
		opened->handles++;
		*ret_opened = opened;
		return 0;
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

static int file_new(struct fs *fs, struct node *node, struct opened *opened, int flags,
		    struct fs_file **ret_file)
{
	struct fs_file *file = calloc(1, sizeof(*file));

	if (!file)
		return -ENOMEM;
	*file = (struct fs_file){.node = node, .opened = opened};
	file->writes = (flags & O_ACCMODE) != O_RDONLY;
	pthread_mutex_lock(&fs->tree.lock);
	DL_APPEND(fs->files, file);
	pthread_mutex_unlock(&fs->tree.lock);
	*ret_file = file;
	return 0;
}

/* True when the pages that the kernel has of the file are right; it is noted that they are, now. */
static bool keep_cache_locked(struct node *node, bool truncated)
{
	bool keep = !truncated && same_text(node->cached_etag, node->etag);

	if (!keep && tree_set_text(&node->cached_etag, truncated ? NULL : node->etag) < 0)
		tree_set_text(&node->cached_etag, NULL);
	return keep;
}

static void close_content(struct fs *fs, struct call *call, struct node *node,
			  struct opened *opened);

/* It is written to now. */
static void date_locked(const struct fs *fs, struct node *node)
{
	node->mtime_ns = now_ns(fs);
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
static int prepare(struct fs *fs, struct call *call, struct node *node, struct opened *opened)
{
	int r = content_dirty(opened->content) ? 0 : find_kept(fs, call, node, opened);

	return r < 0 || content_dirty(opened->content) ? r
						       : give_params(fs, node, opened, KEEP_SET);
}

/* ---- open ---- */

static int truncate_content(struct fs *fs, struct call *call, struct node *node,
			    struct opened *opened, uint64_t size)
{
	int r = content_truncate(opened->content, call, size);

	if (r == 0) {
		pthread_mutex_lock(&fs->tree.lock);
		date_locked(fs, node);
		pthread_mutex_unlock(&fs->tree.lock);
	}
	return r;
}

/* The node is referenced for the file. */
static int open_node(struct fs *fs, struct call *call, struct node *node, int flags,
		     struct fs_file **ret_file, bool *ret_keep_cache)
{
	bool truncate = (flags & O_TRUNC) && (flags & O_ACCMODE) != O_RDONLY;
	struct opened *opened;
	int r;

	pthread_mutex_lock(&fs->tree.lock);
	r = open_content_locked(fs, node, call, &opened);
	if (r == 0)
		*ret_keep_cache = keep_cache_locked(node, truncate);
	pthread_mutex_unlock(&fs->tree.lock);
	if (r < 0)
		return r;
	if (fs->options.posix && (flags & O_ACCMODE) != O_RDONLY)
		r = prepare(fs, call, node, opened);
	if (r == 0 && truncate)
		r = truncate_content(fs, call, node, opened, 0);
	if (r == 0)
		r = file_new(fs, node, opened, flags, ret_file);
	if (r < 0)
		close_content(fs, call, node, opened);
	return r;
}

int fs_open(struct fs *fs, struct call *call, uint64_t ino, int flags, struct fs_file **ret_file,
	    bool *ret_keep_cache)
{
	struct node *node;
	int r = fs_ref(fs, ino, &node);

	if (r < 0)
		return r;
	if (node->kind == NODE_SYMLINK)
		r = -ELOOP;
	else if (node->kind != NODE_FILE)
		r = -EISDIR;
	if (r == 0)
		r = lookup_refresh(fs, call, node);
	if (r == 0)
		r = open_node(fs, call, node, flags, ret_file, ret_keep_cache);
	if (r < 0)
		fs_unref(fs, node);
	return r;
}

/* ---- new files ---- */

/* A name that is here and not in S3; with a reference. */
static int enter_new_locked(struct fs *fs, struct call *call, struct node *parent, const char *name,
			    const struct posix_attr *attr, struct content *content,
			    struct node **ret_node)
{
	struct node *node = tree_find_locked(&fs->tree, parent, name);
	struct opened *opened;

	if (node) /* the kernel knows that this one is gone */
		tree_unlink_locked(&fs->tree, node);
	opened = opened_new(content, NULL);
	if (!opened)
		return -ENOMEM;
	node = tree_add_locked(&fs->tree, parent, name, NODE_FILE);
	if (!node) {
		opened->content = NULL;
		opened_free(opened, call);
		return -ENOMEM;
	}
	tree_ref_locked(&fs->tree, node);
	node->opened = opened;
	opened->handles = 1;
	node->mtime_ns = now_ns(fs);
	node->posix = *attr;
	opened->given_mtime_ns = attr->mtime_ns;
	opened->kept_known = true; /* there is nothing */
	tree_set_local_locked(&fs->tree, node, true);
	names_changed_locked(parent, node);
	*ret_node = node;
	return 0;
}

static int create_new(struct fs *fs, struct call *call, struct node *parent, const char *name,
		      const struct fs_maker *maker, int flags, struct node **ret_node)
{
	_cleanup_(place_deinit) struct place place = {0};
	struct posix_attr attr;
	struct content *content;
	int r = names_place(fs, parent, name, false, &place);

	if (r < 0)
		return r;
	/* without O_TRUNC, what somebody else made meanwhile must not be lost */
	r = content_create(&fs->room, &(struct object_id){place.bucket, place.key},
			   (flags & O_EXCL) || !(flags & O_TRUNC), &content);
	if (r < 0)
		return r;
	pthread_mutex_lock(&fs->tree.lock);
	attr = keep_new_locked(fs, parent, maker, S_IFREG);
	r = keep_with_upload(fs, content, &(struct object){0}, name, &attr, KEEP_SET);
	if (r == 0)
		r = enter_new_locked(fs, call, parent, name, &attr, content, ret_node);
	pthread_mutex_unlock(&fs->tree.lock);
	if (r < 0)
		content_free(content, call);
	return r;
}

/*
 * What of this name is known here, with a reference: two programs made it at once, or a listing
 * told of it since the kernel asked.
 */
static struct node *known(struct fs *fs, struct node *parent, const char *name)
{
	struct node *node;

	pthread_mutex_lock(&fs->tree.lock);
	node = tree_find_locked(&fs->tree, parent, name);
	if (node && (node_unsaved_locked(node) || fs_boot_ms(fs) < node->expires_ms))
		tree_ref_locked(&fs->tree, node);
	else
		node = NULL;
	pthread_mutex_unlock(&fs->tree.lock);
	return node;
}

static int open_known(struct fs *fs, struct call *call, struct node *node, int flags,
		      struct fs_file **ret_file)
{
	bool ignored;
	int r = lookup_refresh(fs, call, node);

	return r < 0 ? r : open_node(fs, call, node, flags, ret_file, &ignored);
}

static int create_in(struct fs *fs, struct call *call, struct node *parent, const char *name,
		     const struct fs_maker *maker, int flags, struct node **ret_node,
		     struct fs_file **ret_file)
{
	struct node *node = known(fs, parent, name);
	int r;

	if (node && (flags & O_EXCL))
		r = -EEXIST;
	else if (node && node->kind != NODE_FILE)
		r = node->kind == NODE_SYMLINK ? -ELOOP : -EISDIR;
	else if (node)
		r = open_known(fs, call, node, flags, ret_file);
	else
		r = create_new(fs, call, parent, name, maker, flags, &node);
	if (r == 0 && !*ret_file) {
		r = file_new(fs, node, node->opened, flags, ret_file);
		if (r < 0)
			close_content(fs, call, node, node->opened);
	}
	if (r < 0)
		fs_unref(fs, node);
	else
		*ret_node = node;
	return r;
}

int fs_create(struct fs *fs, struct call *call, uint64_t parent_ino, const char *name,
	      const struct fs_maker *maker, int flags, struct fs_entry *ret_entry,
	      struct fs_file **ret_file)
{
	struct fs_file *file = NULL;
	struct node *parent, *node = NULL;
	int r = fs_ref_dir(fs, parent_ino, &parent);

	if (r < 0)
		return r;
	r = parent->kind == NODE_ROOT
		? -EPERM
		: create_in(fs, call, parent, name, maker, flags, &node, &file);
	if (r == 0) {
		pthread_mutex_lock(&fs->tree.lock);
		fs_hand_out_locked(fs, node, ret_entry);
		pthread_mutex_unlock(&fs->tree.lock);
		*ret_file = file;
	}
	fs_unref(fs, parent);
	return r;
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
static void note_settled(struct fs *fs, struct call *call, const struct fs_file *file, int r)
{
	struct content *content = file->opened->content;

	note_failure(fs, file->opened, r);
	if (!content_has_settled(content) || content_hold(content, call) < 0)
		return; /* whoever holds it next notes it */
	note_held(fs, file->node, file->opened);
	content_release(content);
}

/* ---- bytes ---- */

/*
 * The kernel's pages are of the file's present object, so that handles of an older one must not
 * fill them, nor write over what another client made.
 */
static int check_present(struct fs *fs, const struct fs_file *file)
{
	const struct node *node = file->node;
	bool present;

	pthread_mutex_lock(&fs->tree.lock);
	/* what has no name any more is nobody else's */
	present =
	    node->opened == file->opened && (!node->name || content_dirty(file->opened->content) ||
					     same_text(node->etag, file->opened->etag));
	pthread_mutex_unlock(&fs->tree.lock);
	return present ? 0 : -ESTALE;
}

int fs_read(struct fs *fs, struct call *call, struct fs_file *file, uint64_t offset, size_t len,
	    void *data, size_t *ret_n)
{
	int r = check_present(fs, file);

	if (r == 0) {
		r = content_read(file->opened->content, call, offset, len, data, ret_n);
		note_settled(fs, call, file, r);
	}
	if (r == -ESTALE) {
		/* the next open looks again */
		pthread_mutex_lock(&fs->tree.lock);
		file->node->expires_ms = 0;
		pthread_mutex_unlock(&fs->tree.lock);
	}
	return r;
}

int fs_write(struct fs *fs, struct call *call, struct fs_file *file, uint64_t offset,
	     const void *data, size_t len)
{
	int r = check_present(fs, file);

	if (r == 0) {
		r = content_write(file->opened->content, call, offset, data, len);
		note_settled(fs, call, file, r);
	}
	if (r == 0) {
		pthread_mutex_lock(&fs->tree.lock);
		date_locked(fs, file->node);
		pthread_mutex_unlock(&fs->tree.lock);
	}
	return r;
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

static int save(struct fs *fs, struct call *call, struct node *node, struct opened *opened)
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

int fs_flush(struct fs *fs, struct call *call, struct fs_file *file)
{
	if (!file->writes || !content_dirty(file->opened->content))
		return 0;
	return save(fs, call, file->node, file->opened);
}

void fs_note_writer(struct fs_file *file, pid_t pid)
{
	atomic_store(&file->writer, pid);
}

pid_t fs_writer(const struct fs_file *file)
{
	return atomic_load(&file->writer);
}

bool fs_unwritten(const struct fs_file *file)
{
	return file->writes && content_unwritten(file->opened->content);
}

int fs_fsync(struct fs *fs, struct call *call, struct fs_file *file)
{
	return save(fs, call, file->node, file->opened);
}

/* ---- the end of a handle ---- */

static void log_lost(struct fs *fs, const struct node *node, int r)
{
	_cleanup_(place_deinit) struct place place = {0};

	pthread_mutex_lock(&fs->tree.lock);
	if (tree_place_locked(&fs->tree, node, &place) < 0)
		place = (struct place){0};
	pthread_mutex_unlock(&fs->tree.lock);
	log_error("%s/%s: what was written is lost, the object is as it was: %s",
		  place.bucket ? place.bucket : "?", place.key ? place.key : "?", strerror(-r));
}

/* True for the last one; the content is then nobody's but the caller's. */
static bool drop_handle(struct fs *fs, struct node *node, struct opened *opened)
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
static int save_rest(struct fs *fs, struct call *call, struct node *node, struct opened *opened)
{
	bool told;

	if (!is_last(fs, opened, &told) || told || !content_dirty(opened->content))
		return 0;
	return save(fs, call, node, opened);
}

static void close_content(struct fs *fs, struct call *call, struct node *node,
			  struct opened *opened)
{
	int r = save_rest(fs, call, node, opened);

	if (r < 0)
		log_lost(fs, node, r);
	if (drop_handle(fs, node, opened))
		opened_free(opened, call);
}

void fs_release(struct fs *fs, struct call *call, struct fs_file *file)
{
	int r = save_rest(fs, call, file->node, file->opened);

	if (r == -EINTR)
		return; /* files_close_all() frees it */
	if (r < 0)
		log_lost(fs, file->node, r);
	if (drop_handle(fs, file->node, file->opened))
		opened_free(file->opened, call);
	pthread_mutex_lock(&fs->tree.lock);
	DL_DELETE(fs->files, file);
	tree_unref_locked(&fs->tree, file->node);
	pthread_mutex_unlock(&fs->tree.lock);
	free(file);
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

int file_hold(struct fs *fs, struct call *call, struct node *node, struct opened **ret_opened)
{
	struct opened *opened = hold(fs, node);
	int r = opened ? content_hold(opened->content, call) : 0;

	if (r < 0) {
		close_content(fs, call, node, opened);
		return r;
	}
	if (opened)
		note_held(fs, node, opened);
	*ret_opened = opened;
	return 0;
}

void file_let_go(struct fs *fs, struct call *call, struct node *node, struct opened *opened)
{
	if (!opened)
		return;
	content_release(opened->content);
	close_content(fs, call, node, opened);
}

void file_unlinked(struct fs *fs, struct call *call, struct node *node)
{
	struct opened *opened = hold(fs, node);

	if (!opened)
		return;
	content_unlinked(opened->content, call);
	close_content(fs, call, node, opened);
}

int file_save(struct fs *fs, struct call *call, struct node *node)
{
	struct opened *opened = hold(fs, node);
	int r;

	if (!opened)
		return 0;
	r = save(fs, call, node, opened);
	close_content(fs, call, node, opened);
	return r;
}

int file_take_along(struct fs *fs, struct call *call, struct node *node)
{
	struct opened *opened = hold(fs, node);
	int r = 1;

	if (!opened)
		return 1;
	/* a flush that is under way writes them behind the bytes */
	if (content_dirty(opened->content))
		r = give_params(fs, node, opened, KEEP_DIRTY);
	close_content(fs, call, node, opened);
	return r;
}

int file_hold_saved(struct fs *fs, struct call *call, struct node *node, struct opened **ret_opened)
{
	struct opened *opened;
	int r;

	pthread_mutex_lock(&fs->tree.lock);
	r = open_content_locked(fs, node, call, &opened);
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
		close_content(fs, call, node, opened);
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

int file_copied(struct fs *fs, struct call *call, struct node *node, const struct object_id *id,
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
		close_content(fs, call, node, opened);
	return r;
}

int file_truncate(struct fs *fs, struct call *call, struct node *node, struct fs_file *file,
		  uint64_t size)
{
	struct fs_file *own = NULL;
	bool ignored;
	int r;

	if (node->kind != NODE_FILE)
		return -EISDIR;
	if (file) {
		r = check_present(fs, file);
		if (r == 0) {
			r = truncate_content(fs, call, node, file->opened, size);
			note_settled(fs, call, file, r);
		}
		return r;
	}
	/* truncate(2): there is no close() that would upload it */
	pthread_mutex_lock(&fs->tree.lock);
	tree_ref_locked(&fs->tree, node);
	pthread_mutex_unlock(&fs->tree.lock);
	r = open_node(fs, call, node, O_WRONLY, &own, &ignored);
	if (r < 0) {
		fs_unref(fs, node);
		return r;
	}
	r = truncate_content(fs, call, node, own->opened, size);
	if (r == 0)
		r = save(fs, call, node, own->opened);
	fs_release(fs, call, own);
	return r;
}

int file_set_mtime(struct fs *fs, struct node *node, int64_t mtime_ns)
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

/* ---- at the end ---- */

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
		int r = save(fs, call, node, opened);

		if (r < 0) {
			log_lost(fs, node, r);
			lost = -EIO;
		}
		pthread_mutex_lock(&fs->tree.lock);
		opened->handles--;
		tree_unref_locked(&fs->tree, node);
		pthread_mutex_unlock(&fs->tree.lock);
	}
	return lost;
}

void files_close_all(struct fs *fs, struct call *call)
{
	while (fs->files) {
		struct fs_file *file = fs->files;

		if (drop_handle(fs, file->node, file->opened))
			opened_free(file->opened, call);
		DL_DELETE(fs->files, file);
		fs_unref(fs, file->node);
		free(file);
	}
}
