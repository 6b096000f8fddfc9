/*
 * Open directories. That of the root is a listing of buckets, whole; one below is read page by
 * page. The offset 0 is ".", 1 is "..", and 2 + i is entry i.
 */
#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"

#include "complete.h"
#include "control.h"
#include "pages.h"

/* Used by one call at a time, as the kernel does with a file's position. */
struct fs_dir {
	struct node *node;          /* referenced */
	bool read;                  /* entries were given, so offset 0 is a rewind */
	struct listing *listing;    /* the root's */
	struct pages *pages;        /* others'; NULL until one is read */
	struct page_entry *at;      /* of these: what fs_readdir gave last, or NULL */
	struct fs_dir *prev, *next; /* fs->tree.lock: of fs->dirs */
};

static void dir_free(struct fs *fs, struct fs_dir *dir)
{
	if (dir->listing)
		buckets_unref(&fs->buckets, dir->listing);
	pages_free(dir->pages);
	fs_unref(fs, dir->node);
	free(dir);
}

/* ---- open, rewind, close ---- */

static int begin_listing(struct fs *fs, struct call *call, struct fs_dir *dir)
{
	struct listing *fresh;
	int r = buckets_list(&fs->buckets, call, &fresh);

	if (r < 0)
		return r;
	if (dir->listing)
		buckets_unref(&fs->buckets, dir->listing);
	dir->listing = fresh;
	return 0;
}

static int begin_pages(struct fs *fs, struct call *call, struct fs_dir *dir)
{
	struct pages *fresh;
	int r = pages_begin(fs, call, dir->node, &fresh);

	if (r < 0)
		return r;
	pages_free(dir->pages);
	dir->pages = fresh;
	return 0;
}

/* When it fails, the directory is as it was, and is rewound by the next try. */
static int begin(struct fs *fs, struct call *call, struct fs_dir *dir)
{
	int r = 0;

	if (dir->node->kind == NODE_ROOT)
		r = begin_listing(fs, call, dir);
	else if (dir->node->kind != NODE_CONTROL_DIR)
		r = begin_pages(fs, call, dir);
	if (r == 0)
		dir->read = false;
	return r;
}

/* -ESTALE for one whose name is gone. */
static int check_name(struct fs *fs, const struct node *node)
{
	_cleanup_(place_deinit) struct place place = {0};
	int r;

	if (node->kind == NODE_CONTROL_DIR)
		return 0;
	pthread_mutex_lock(&fs->tree.lock);
	r = tree_place_locked(&fs->tree, node, &place);
	pthread_mutex_unlock(&fs->tree.lock);
	return r;
}

int fs_opendir(struct fs *fs, struct call *call, uint64_t ino, struct fs_dir **ret_dir)
{
	struct fs_dir *dir = calloc(1, sizeof(*dir));
	int r;

	if (!dir)
		return -ENOMEM;
	r = fs_ref_dir(fs, ino, &dir->node);
	if (r == 0)
		r = check_name(fs, dir->node);
	/* many programs open a directory and never read it: a page is asked for when one does */
	if (r == 0 && dir->node->kind == NODE_ROOT)
		r = begin(fs, call, dir);
	if (r < 0) {
		dir_free(fs, dir);
		return r;
	}
	pthread_mutex_lock(&fs->tree.lock);
	DL_APPEND(fs->dirs, dir);
	fs->n_dirs++;
	pthread_mutex_unlock(&fs->tree.lock);
	*ret_dir = dir;
	return 0;
}

void fs_releasedir(struct fs *fs, struct fs_dir *dir)
{
	pthread_mutex_lock(&fs->tree.lock);
	DL_DELETE(fs->dirs, dir);
	fs->n_dirs--;
	pthread_mutex_unlock(&fs->tree.lock);
	dir_free(fs, dir);
}

void dirs_close_all(struct fs *fs)
{
	while (fs->dirs)
		fs_releasedir(fs, fs->dirs);
}

/* ---- reading ---- */

static mode_t mode_of(const struct fs *fs, enum node_kind kind)
{
	if (kind == NODE_DIR)
		return S_IFDIR;
	return fs->options.posix ? 0 : S_IFREG;
}

static uint64_t number_of(struct fs *fs, const struct node *node)
{
	uint64_t number;

	pthread_mutex_lock(&fs->tree.lock);
	number = tree_number_locked(node);
	pthread_mutex_unlock(&fs->tree.lock);
	return number;
}

static int read_listing(struct fs_dir *dir, uint64_t index, struct fs_dirent *dirent)
{
	if (index >= dir->listing->n)
		return -ENOENT;
	dirent->name = dir->listing->v[index].name;
	dirent->st_ino = tree_child_number(FS_ROOT, dirent->name);
	return 0;
}

static int read_pages(struct fs *fs, struct call *call, struct fs_dir *dir, uint64_t index,
		      struct fs_dirent *dirent)
{
	int r = pages_seek(fs, call, dir->pages, &index, &dir->at);

	if (r < 0)
		return r;
	dirent->name = dir->at->name;
	dirent->mode = mode_of(fs, dir->at->kind);
	dirent->st_ino = tree_child_number(number_of(fs, dir->node), dir->at->name);
	dirent->next = index + 2 + 1;
	return 0;
}

int fs_readdir(struct fs *fs, struct call *call, struct fs_dir *dir, uint64_t offset,
	       struct fs_dirent *ret_dirent)
{
	struct fs_dirent dirent = {.mode = S_IFDIR, .next = offset + 1};
	int r = 0;

	dir->at = NULL;
	/* rewinddir() shows what is there now (POSIX) */
	if ((offset == 0 && dir->read) || (!dir->listing && !dir->pages))
		r = begin(fs, call, dir);
	if (r < 0)
		return r;
	if (offset < 2) {
		dirent.name = offset == 0 ? "." : "..";
		dirent.st_ino = number_of(fs, dir->node);
	} else if (dir->listing) {
		r = read_listing(dir, offset - 2, &dirent);
	} else if (dir->node->kind == NODE_CONTROL_DIR) {
		r = control_dirent(fs, dir->node, offset - 2, &dirent);
	} else {
		r = read_pages(fs, call, dir, offset - 2, &dirent);
	}
	if (offset > 0)
		dir->read = true;
	if (r == 0)
		*ret_dirent = dirent;
	return r;
}

static int bucket_entry(struct fs *fs, struct fs_dir *dir, const struct fs_dirent *dirent,
			struct fs_entry *ret_entry)
{
	int64_t created_ms, valid_ms;
	struct node *node;

	if (!buckets_entry(&fs->buckets, dir->listing, dirent->name, &created_ms, &valid_ms)) {
		/* the name is in the listing still */
		*ret_entry =
		    (struct fs_entry){.attr = {.st_ino = dirent->st_ino, .st_mode = dirent->mode}};
		return 0;
	}
	pthread_mutex_lock(&fs->tree.lock);
	node = root_enter_locked(fs, dirent->name, created_ms, fs_boot_ms(fs) + valid_ms);
	if (node)
		fs_hand_out_locked(fs, node, ret_entry);
	pthread_mutex_unlock(&fs->tree.lock);
	return node ? 0 : -ENOMEM;
}

/* attrs=posix: the entry at hand, and up to `ahead` behind it. Each is asked for once. */
static void complete_ahead(struct fs *fs, struct call *call, struct fs_dir *dir, size_t ahead)
{
	const struct page *page = &dir->pages->page;
	struct node *nodes[COMPLETE_MAX];
	size_t at = (size_t)(dir->at - page->v), n = 0;
	int ignored;

	if (dir->at->asked)
		return;
	pthread_mutex_lock(&fs->tree.lock);
	for (size_t i = at; i < page->n && i - at <= ahead && n < COMPLETE_MAX; i++) {
		struct page_entry *entry = &page->v[i];
		struct node *node =
		    entry->asked ? NULL : pages_node_locked(fs, dir->pages, entry, &ignored);

		entry->asked = true;
		if (!node || !complete_needed_locked(fs, node))
			continue;
		tree_ref_locked(&fs->tree, node);
		nodes[n++] = node;
	}
	pthread_mutex_unlock(&fs->tree.lock);
	if (n > 0)
		complete_many(fs, call, nodes, n);
	for (size_t i = 0; i < n; i++)
		fs_unref(fs, nodes[i]);
}

static int object_entry(struct fs *fs, struct fs_dir *dir, const struct fs_dirent *dirent,
			struct fs_entry *ret_entry)
{
	struct node *node;
	int r;

	*ret_entry = (struct fs_entry){.attr = {.st_ino = dirent->st_ino, .st_mode = dirent->mode}};
	pthread_mutex_lock(&fs->tree.lock);
	node = pages_node_locked(fs, dir->pages, dir->at, &r);
	/* while a directory is read, the kernel can't be made to forget names of it */
	if (node && !complete_needed_locked(fs, node) && !tree_is_full_locked(&fs->tree, LIST_HELD))
		fs_hand_out_locked(fs, node, ret_entry);
	pthread_mutex_unlock(&fs->tree.lock);
	return r;
}

int fs_readdir_entry(struct fs *fs, struct call *call, struct fs_dir *dir,
		     const struct fs_dirent *dirent, size_t ahead, struct fs_entry *ret_entry)
{
	if (dirent->next > 2 && dir->listing)
		return bucket_entry(fs, dir, dirent, ret_entry);
	if (dirent->next > 2 && dir->node->kind == NODE_CONTROL_DIR) {
		control_entry(fs, dir->node, dirent->name, ret_entry);
		return 0;
	}
	if (dir->at && fs->options.posix)
		complete_ahead(fs, call, dir, ahead);
	if (dir->at)
		return object_entry(fs, dir, dirent, ret_entry);
	pthread_mutex_lock(&fs->tree.lock);
	*ret_entry = (struct fs_entry){.attr = attr_of_locked(fs, dir->node)};
	pthread_mutex_unlock(&fs->tree.lock);
	return 0;
}

int fs_expire_dir(struct fs *fs, uint64_t ino, struct buf *ret_names, struct buf *ret_inos)
{
	struct node *dir;
	int r = fs_ref_dir(fs, ino, &dir);

	if (r < 0)
		return r;
	if (dir->kind == NODE_ROOT)
		buckets_expire(&fs->buckets);
	pthread_mutex_lock(&fs->tree.lock);
	r = tree_expire_locked(&fs->tree, dir, ret_names, ret_inos);
	tree_unref_locked(&fs->tree, dir);
	pthread_mutex_unlock(&fs->tree.lock);
	return r;
}
