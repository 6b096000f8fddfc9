/* The operations on open files: each handle is one fs_file, over the content that they share. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"

#include "control.h"
#include "keep.h"
#include "least.h"
#include "opened.h"

/* ---- open ---- */

static int file_new(struct fs *fs, struct node *node, struct opened *opened, int flags,
		    struct fs_file **ret_file)
{
	struct fs_file *file = calloc(1, sizeof(*file));

	if (!file)
		return -ENOMEM;
	*file = (struct fs_file){.node = node, .opened = opened};
	file->writes = (flags & O_ACCMODE) != O_RDONLY;
	file->appends = flags & O_APPEND;
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

static int truncate_content(struct fs *fs, struct call *call, struct node *node,
			    struct opened *opened, uint64_t size)
{
	int r = content_truncate(opened->content, call, size);

	if (r == 0) {
		pthread_mutex_lock(&fs->tree.lock);
		opened_date_locked(fs, node);
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
	r = opened_get_locked(fs, node, call, &opened);
	if (r == 0)
		*ret_keep_cache = keep_cache_locked(node, truncate);
	pthread_mutex_unlock(&fs->tree.lock);
	if (r < 0)
		return r;
	if (fs->options.posix && (flags & O_ACCMODE) != O_RDONLY)
		r = opened_prepare(fs, call, node, opened);
	if (r == 0 && truncate)
		r = truncate_content(fs, call, node, opened, 0);
	if (r == 0)
		r = file_new(fs, node, opened, flags, ret_file);
	if (r < 0)
		opened_put(fs, call, node, opened);
	return r;
}

/* ---- control files ---- */

/* The node is referenced for the file. */
static int open_control(struct fs *fs, struct node *node, int flags, struct fs_file **ret_file,
			bool *ret_keep_cache)
{
	struct fs_file *file;
	int r;

	if ((flags & O_ACCMODE) != O_RDONLY)
		return -EACCES;
	file = calloc(1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	*file = (struct fs_file){.node = node};
	r = control_render(fs, node, &file->snapshot);
	if (r < 0) {
		buf_deinit(&file->snapshot);
		free(file);
		return r;
	}
	pthread_mutex_lock(&fs->tree.lock);
	DL_APPEND(fs->snapshots, file);
	pthread_mutex_unlock(&fs->tree.lock);
	*ret_file = file;
	*ret_keep_cache = false;
	return 0;
}

static void read_control(const struct fs_file *file, uint64_t offset, size_t len, void *data,
			 size_t *ret_n)
{
	size_t n = 0;

	if (offset < file->snapshot.len) {
		n = (size_t)least(len, file->snapshot.len - offset);
		memcpy(data, file->snapshot.data + offset, n);
	}
	*ret_n = n;
}

static void release_control(struct fs *fs, struct fs_file *file)
{
	pthread_mutex_lock(&fs->tree.lock);
	DL_DELETE(fs->snapshots, file);
	tree_unref_locked(&fs->tree, file->node);
	pthread_mutex_unlock(&fs->tree.lock);
	buf_deinit(&file->snapshot);
	free(file);
}

bool fs_direct_io(const struct fs_file *file)
{
	return !file->opened;
}

/* ---- ... and all others ---- */

static int open_object(struct fs *fs, struct call *call, struct node *node, int flags,
		       struct fs_file **ret_file, bool *ret_keep_cache)
{
	int r = lookup_refresh(fs, call, node);

	return r < 0 ? r : open_node(fs, call, node, flags, ret_file, ret_keep_cache);
}

int fs_open(struct fs *fs, struct call *call, uint64_t ino, int flags, struct fs_file **ret_file,
	    bool *ret_keep_cache)
{
	struct node *node;
	int r = fs_ref(fs, ino, &node);

	if (r < 0)
		return r;
	if (node->kind == NODE_CONTROL_FILE)
		r = open_control(fs, node, flags, ret_file, ret_keep_cache);
	else if (node->kind == NODE_SYMLINK)
		r = -ELOOP;
	else if (node->kind != NODE_FILE)
		r = -EISDIR;
	else
		r = open_object(fs, call, node, flags, ret_file, ret_keep_cache);
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
	node->mtime_ns = fs_now_ns(fs);
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

	return open_object(fs, call, node, flags, ret_file, &ignored);
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
			opened_put(fs, call, node, node->opened);
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
	struct turn turn;
	int r = turn_begin(fs, call, parent_ino, &turn);

	if (r < 0)
		return r;
	parent = turn.changes[0];
	r = control_check_new(fs, parent, name);
	if (r == 0)
		r = parent->kind == NODE_ROOT
			? -EPERM
			: create_in(fs, call, parent, name, maker, flags, &node, &file);
	if (r == 0) {
		pthread_mutex_lock(&fs->tree.lock);
		fs_hand_out_locked(fs, node, ret_entry);
		pthread_mutex_unlock(&fs->tree.lock);
		*ret_file = file;
	}
	turn_finish(fs, &turn);
	return r;
}

/* ---- bytes ---- */

/*
 * The kernel's pages are of the file's present object, so that handles of an older one must not
 * fill them, nor write over what another client made.
 */
static int check_present(struct fs *fs, const struct fs_file *file)
{
	const struct opened *opened = file->opened;
	const struct node *node = file->node;
	bool present;

	pthread_mutex_lock(&fs->tree.lock);
	/* what has no name any more is nobody else's */
	present = !opened->replaced && (!node->name || content_dirty(opened->content) ||
					same_text(node->etag, opened->etag));
	pthread_mutex_unlock(&fs->tree.lock);
	return present ? 0 : -ESTALE;
}

int fs_read(struct fs *fs, struct call *call, struct fs_file *file, uint64_t offset, size_t len,
	    void *data, size_t *ret_n)
{
	int r;

	if (!file->opened) {
		read_control(file, offset, len, data, ret_n);
		return 0;
	}
	r = check_present(fs, file);
	if (r == 0) {
		r = content_read(file->opened->content, call, offset, len, data, ret_n);
		opened_note_settled(fs, call, file->node, file->opened, r);
	}
	if (r == 0)
		fs->read_bytes += *ret_n;
	if (r == -ESTALE) {
		/* the next open looks again */
		pthread_mutex_lock(&fs->tree.lock);
		file->node->expires_ms = 0;
		pthread_mutex_unlock(&fs->tree.lock);
	}
	return r;
}

static int write_file(struct fs *fs, struct call *call, const struct fs_file *file, bool appends,
		      uint64_t offset, const void *data, size_t len)
{
	int r = file->opened ? check_present(fs, file) : -EBADF;

	if (r == 0) {
		struct content *content = file->opened->content;

		r = appends ? content_append(content, call, data, len)
			    : content_write(content, call, offset, data, len);
		opened_note_settled(fs, call, file->node, file->opened, r);
		if (r == -ENOSPC)
			opened_log_full(fs, file->node, file->opened);
	}
	if (r == 0) {
		fs->written_bytes += len;
		pthread_mutex_lock(&fs->tree.lock);
		opened_date_locked(fs, file->node);
		file->opened->full = false;
		pthread_mutex_unlock(&fs->tree.lock);
	}
	return r;
}

int fs_write(struct fs *fs, struct call *call, struct fs_file *file, uint64_t offset,
	     const void *data, size_t len)
{
	return write_file(fs, call, file, file->appends, offset, data, len);
}

int fs_write_pages(struct fs *fs, struct call *call, struct fs_file *file, uint64_t offset,
		   const void *data, size_t len)
{
	return write_file(fs, call, file, false, offset, data, len);
}

/* ---- close ---- */

int fs_flush(struct fs *fs, struct call *call, struct fs_file *file)
{
	if (!file->writes || !content_dirty(file->opened->content))
		return 0;
	return opened_save(fs, call, file->node, file->opened);
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
	return file->opened ? opened_save(fs, call, file->node, file->opened) : 0;
}

/* ---- the end of a handle ---- */

void fs_release(struct fs *fs, struct call *call, struct fs_file *file)
{
	int r;

	if (!file->opened) {
		release_control(fs, file);
		return;
	}
	r = opened_save_rest(fs, call, file->node, file->opened);
	if (r == -EINTR)
		return; /* files_close_all() frees it */
	if (r < 0)
		opened_log_lost(fs, file->node, r);
	/* at first, so that nobody comes by it to what is freed */
	pthread_mutex_lock(&fs->tree.lock);
	DL_DELETE(fs->files, file);
	pthread_mutex_unlock(&fs->tree.lock);
	if (opened_drop(fs, file->node, file->opened))
		opened_free(file->opened, call);
	fs_unref(fs, file->node);
	free(file);
}

/* ---- truncation ---- */

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
			opened_note_settled(fs, call, file->node, file->opened, r);
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
		r = opened_save(fs, call, node, own->opened);
	fs_release(fs, call, own);
	return r;
}

/* ---- at the end ---- */

void files_close_all(struct fs *fs, struct call *call)
{
	while (fs->snapshots)
		release_control(fs, fs->snapshots);
	while (fs->files) {
		struct fs_file *file = fs->files;

		if (opened_drop(fs, file->node, file->opened))
			opened_free(file->opened, call);
		DL_DELETE(fs->files, file);
		fs_unref(fs, file->node);
		free(file);
	}
}
