#include "private.h"

#define BLOCK 512 /* what st_blocks counts (stat(2)) */

static struct timespec timespec_of(int64_t ns)
{
	int64_t rest = (ns % 1000000000 + 1000000000) % 1000000000;

	return (struct timespec){.tv_sec = (ns - rest) / 1000000000, .tv_nsec = rest};
}

static mode_t type_of(const struct node *node)
{
	switch (node->kind) {
	case NODE_FILE:
	case NODE_CONTROL_FILE:
		return S_IFREG;
	case NODE_SYMLINK:
		return S_IFLNK;
	case NODE_ROOT:
	case NODE_BUCKET:
	case NODE_DIR:
	case NODE_CONTROL_DIR:
		break;
	}
	return S_IFDIR;
}

static mode_t permissions(const struct fs *fs, const struct node *node)
{
	if (node->posix.has & POSIX_MODE)
		return node->posix.mode & 07777;
	switch (node->kind) {
	case NODE_FILE:
		return fs->options.file_mode;
	case NODE_SYMLINK:
		return 0777;
	case NODE_ROOT:
	case NODE_BUCKET:
	case NODE_DIR:
	case NODE_CONTROL_DIR:
	case NODE_CONTROL_FILE:
		break;
	}
	return fs->options.dir_mode;
}

static int64_t mtime_of(const struct fs *fs, const struct node *node)
{
	if (node->posix.has & POSIX_MTIME)
		return node->posix.mtime_ns;
	return node->mtime_ns ? node->mtime_ns : fs->born_wall_ms * 1000000;
}

struct stat attr_of_locked(const struct fs *fs, const struct node *node)
{
	bool directory = type_of(node) == S_IFDIR;
	int64_t mtime_ns = mtime_of(fs, node);
	struct stat attr = {
	    .st_ino = tree_number_locked(node),
	    .st_mode = type_of(node) | permissions(fs, node),
	    .st_nlink = directory    ? 2
			: node->name ? 1
				     : 0,
	    .st_uid = node->posix.has & POSIX_UID ? node->posix.uid : fs->options.uid,
	    .st_gid = node->posix.has & POSIX_GID ? node->posix.gid : fs->options.gid,
	    .st_blksize = 4096,
	    .st_atim = timespec_of(mtime_ns),
	    .st_mtim = timespec_of(mtime_ns),
	    .st_ctim = timespec_of(mtime_ns),
	};

	if (!directory) {
		/* of an unlinked file the content is all that there is */
		uint64_t size = node->opened && (node_unsaved_locked(node) || !node->name)
				    ? content_size(node->opened->content)
				    : node->size;

		attr.st_size = (off_t)size;
		attr.st_blocks = (blkcnt_t)((size + BLOCK - 1) / BLOCK);
		attr.st_blksize = 128 * 1024;
	}
	return attr;
}
