/* chmod, chown, utimens, truncate: what they may change, without and with attrs=posix. */
#include <errno.h>
#include <fcntl.h>

#include "keep.h"
#include "opened.h"

/* Mode and owner are the mount's: only a change that changes nothing succeeds. */
static int check_unchanged(const struct stat *now, const struct stat *attr, int what)
{
	if ((what & FS_SET_MODE) && (attr->st_mode & 07777) != (now->st_mode & 07777))
		return -EPERM;
	if ((what & FS_SET_UID) && attr->st_uid != now->st_uid)
		return -EPERM;
	if ((what & FS_SET_GID) && attr->st_gid != now->st_gid)
		return -EPERM;
	return 0;
}

static int touch_now(struct fs *fs, struct call *call, struct node *node)
{
	bool unsaved;

	pthread_mutex_lock(&fs->tree.lock);
	unsaved = node_unsaved_locked(node);
	pthread_mutex_unlock(&fs->tree.lock);
	/* what is not uploaded yet is dated by its upload */
	return unsaved ? 0 : keep_attributes(fs, call, node);
}

static int set_mtime(struct fs *fs, struct node *node, const struct stat *now,
		     const struct stat *attr)
{
	if (fs_ns_of(&attr->st_mtim) == fs_ns_of(&now->st_mtim))
		return 0;
	return opened_set_mtime(fs, node, fs_ns_of(&attr->st_mtim));
}

static int set_times(struct fs *fs, struct call *call, struct node *node, const struct stat *now,
		     const struct stat *attr, int what)
{
	bool file = node->kind == NODE_FILE;

	if (what & FS_SET_MTIME_NOW)
		return file ? touch_now(fs, call, node) : -EPERM;
	if (what & FS_SET_MTIME)
		return file ? set_mtime(fs, node, now, attr) : -EPERM;
	return 0; /* S3 has no date of access */
}

/* attrs=object */
static int change(struct fs *fs, struct call *call, struct node *node, struct fs_file *file,
		  const struct stat *attr, int what)
{
	struct stat now;
	int r;

	pthread_mutex_lock(&fs->tree.lock);
	now = attr_of_locked(fs, node);
	pthread_mutex_unlock(&fs->tree.lock);
	r = check_unchanged(&now, attr, what);
	if (r == 0 && (what & FS_SET_SIZE))
		r = file_truncate(fs, call, node, file, (uint64_t)attr->st_size);
	/* a truncation dates by itself */
	if (r == 0 && !((what & FS_SET_SIZE) && (what & FS_SET_MTIME_NOW)))
		r = set_times(fs, call, node, &now, attr, what);
	return r;
}

/* What has no name any more is nowhere to be kept. */
static int change_posix(struct fs *fs, struct call *call, struct node *node, struct fs_file *file,
			const struct stat *attr, int what)
{
	bool changed;
	int r = 0;

	if (what & FS_SET_SIZE)
		r = file_truncate(fs, call, node, file, (uint64_t)attr->st_size);
	if (r < 0)
		return r;
	if (what & FS_SET_SIZE)
		what &= ~FS_SET_MTIME_NOW;
	pthread_mutex_lock(&fs->tree.lock);
	changed = keep_change_locked(fs, node, attr, what);
	if (!node->name && node != fs->tree.root)
		changed = false;
	node->keeping += changed;
	pthread_mutex_unlock(&fs->tree.lock);
	if (!changed)
		return 0;
	r = keep_attributes(fs, call, node);
	pthread_mutex_lock(&fs->tree.lock);
	node->keeping--;
	pthread_mutex_unlock(&fs->tree.lock);
	return r;
}

static bool is_kept(const struct fs *fs, const struct node *node)
{
	return fs->options.posix && node->kind != NODE_ROOT && node->kind != NODE_BUCKET;
}

int fs_setattr(struct fs *fs, struct call *call, uint64_t ino, struct fs_file *file,
	       const struct stat *attr, int what, struct stat *ret_attr, int64_t *ret_valid_ms)
{
	struct node *node;
	int r = fs_ref(fs, ino, &node);

	if (r < 0)
		return r;
	if (node_is_control(node)) {
		fs_unref(fs, node);
		return what & FS_SET_SIZE ? -EACCES : -EPERM;
	}
	if (!file || is_kept(fs, node))
		r = lookup_refresh(fs, call, node);
	if (r == 0)
		r = is_kept(fs, node) ? change_posix(fs, call, node, file, attr, what)
				      : change(fs, call, node, file, attr, what);
	if (r == 0) {
		pthread_mutex_lock(&fs->tree.lock);
		*ret_attr = attr_of_locked(fs, node);
		*ret_valid_ms = node_valid_ms(fs, node);
		pthread_mutex_unlock(&fs->tree.lock);
	}
	fs_unref(fs, node);
	return r;
}
