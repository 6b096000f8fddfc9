/*
 * Open directories. That of the root is a listing of buckets, whole. One below is read page by
 * page: entry i of the stream has the offset 2 + i; where each page began is remembered (a token),
 * so that any place can be gone back to, while one page is held.
 *
 * What is here only (local nodes) is put in its place among what the server listed.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"

#include "complete.h"
#include "control.h"
#include "namespace.h"
#include "private.h"

#define PAGE_KEYS 1000 /* S3's most */

/* One entry: a name and what the kernel is told of it. */
struct entry {
	char *name;
	enum node_kind kind;
	bool local;                 /* known here, not listed; then nothing below is told */
	bool asked;                 /* attrs=posix: for what the listing does not tell */
	struct object_entry object; /* a file's; key is NULL */
};

struct page {
	size_t index; /* of the page in marks */
	struct entry *v;
	size_t n;
	int64_t expires_ms;
	uint64_t changes; /* of the directory, when it was asked for */
	char *next_token;
};

/* Where a page begins. */
struct mark {
	uint64_t first; /* the stream's index of its first entry */
	char *token;    /* NULL for the first page */
	char *after; /* the last key of the page before, without the directory's prefix, or NULL */
	/* names that were given and whose directory ("name/") may still come: NUL behind each */
	struct buf given;
};

/* A name that is here only, as it was when the directory was opened. */
struct local_name {
	char *key; /* with '/' at the end of a directory's */
	enum node_kind kind;
};

/* Used by one call at a time, as the kernel does with a file's position. */
struct fs_dir {
	struct node *node; /* referenced */
	bool read;         /* entries were given, so offset 0 is a rewind */
	/* the root's */
	struct listing *listing;
	/* others' */
	struct place place;
	struct mark *marks;
	size_t n_marks;
	struct page page; /* at hand */
	bool whole;       /* the last page was seen: marks are complete */
	struct local_name *locals;
	size_t n_locals;
	const struct entry *at;     /* in page: what fs_readdir gave last, or NULL */
	struct fs_dir *prev, *next; /* fs->tree.lock: of fs->dirs */
};

static void entry_deinit(struct entry *e)
{
	free(e->name);
	free(e->object.etag);
}

static void page_deinit(struct page *page)
{
	for (size_t i = 0; i < page->n; i++)
		entry_deinit(&page->v[i]);
	free(page->v);
	free(page->next_token);
	*page = (struct page){0};
}

static void mark_deinit(struct mark *mark)
{
	free(mark->token);
	free(mark->after);
	buf_deinit(&mark->given);
}

static void stream_deinit(struct fs_dir *dir)
{
	page_deinit(&dir->page);
	for (size_t i = 0; i < dir->n_marks; i++)
		mark_deinit(&dir->marks[i]);
	free(dir->marks);
	for (size_t i = 0; i < dir->n_locals; i++)
		free(dir->locals[i].key);
	free(dir->locals);
	dir->marks = NULL;
	dir->locals = NULL;
	dir->n_marks = dir->n_locals = 0;
	dir->whole = false;
}

static void dir_free(struct fs *fs, struct fs_dir *dir)
{
	if (dir->listing)
		buckets_unref(&fs->buckets, dir->listing);
	stream_deinit(dir);
	place_deinit(&dir->place);
	fs_unref(fs, dir->node);
	free(dir);
}

/* ---- what is here only ---- */

static int compare_locals(const void *a, const void *b)
{
	return strcmp(((const struct local_name *)a)->key, ((const struct local_name *)b)->key);
}

static int add_local(struct fs_dir *dir, const struct node *node)
{
	struct local_name *v = reallocarray(dir->locals, dir->n_locals + 1, sizeof(*v));
	char *key;

	if (!v)
		return -ENOMEM;
	dir->locals = v;
	if (asprintf(&key, "%s%s", node->name->text, node->kind == NODE_DIR ? "/" : "") < 0)
		return -ENOMEM;
	v[dir->n_locals++] = (struct local_name){key, node->kind};
	return 0;
}

static int note_locals(struct fs *fs, struct fs_dir *dir)
{
	int r = 0;

	pthread_mutex_lock(&fs->tree.lock);
	for (struct node *node = fs->tree.locals; node && r == 0; node = node->next)
		if (node->parent == dir->node)
			r = add_local(dir, node);
	pthread_mutex_unlock(&fs->tree.lock);
	if (dir->n_locals > 1)
		qsort(dir->locals, dir->n_locals, sizeof(*dir->locals), compare_locals);
	return r;
}

/* ---- a page ---- */

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	/* a directory before the file of its name, and what was listed before what is local */
	if (c == 0)
		c = (x->kind == NODE_FILE) - (y->kind == NODE_FILE);
	return c ? c : x->local - y->local;
}

/* The key behind the directory's prefix. */
static const char *tail_of(const struct fs_dir *dir, const struct object_entry *e)
{
	size_t skip = strlen(dir->place.key);

	return strlen(e->key) > skip ? e->key + skip : "";
}

/* A bucket that is mounted alone has a key of the control files' directory's name. */
static void tell_hidden(struct fs *fs, const struct fs_dir *dir)
{
	if (!atomic_exchange(&fs->hidden_told, true))
		log_warn("%s/%s%s is hidden by the control files of this name", dir->place.bucket,
			 dir->place.key, FS_CONTROL_DIR);
}

/* True for a name that the file system cannot show, which is counted. */
static bool is_hidden(struct fs *fs, const struct fs_dir *dir, const char *name)
{
	bool owned = control_owns(fs, dir->node, name);

	if (owned)
		tell_hidden(fs, dir);
	else if (name_representable(name))
		return false;
	fs->unrepresentable++;
	return true;
}

static int take_listed(struct fs *fs, struct fs_dir *dir, struct object_page *from,
		       struct page *page)
{
	page->v = calloc(from->n + dir->n_locals + 1, sizeof(*page->v));
	if (!page->v)
		return -ENOMEM;
	for (size_t i = 0; i < from->n; i++) {
		struct object_entry *e = &from->v[i];
		const char *tail = tail_of(dir, e);
		struct entry *entry = &page->v[page->n];

		if (tail[0] == '\0')
			continue; /* the directory's own marker */
		entry->name = strndup(tail, strlen(tail) - (e->is_prefix ? 1 : 0));
		if (!entry->name)
			return -ENOMEM;
		if (is_hidden(fs, dir, entry->name)) {
			free(steal(&entry->name));
			continue;
		}
		entry->kind = e->is_prefix ? NODE_DIR : NODE_FILE;
		entry->object = *e;
		entry->object.key = NULL;
		e->etag = NULL;
		page->n++;
	}
	return 0;
}

/* The local names that stand behind `after` and not behind `upto` (NULL: no bound). */
static int take_locals(const struct fs_dir *dir, const char *after, const char *upto,
		       struct page *page)
{
	for (size_t i = 0; i < dir->n_locals; i++) {
		const struct local_name *local = &dir->locals[i];
		struct entry *entry = &page->v[page->n];

		if (after && strcmp(local->key, after) <= 0)
			continue;
		if (upto && strcmp(local->key, upto) > 0)
			break;
		*entry =
		    (struct entry){.name = strdup(local->key), .kind = local->kind, .local = true};
		if (!entry->name)
			return -ENOMEM;
		if (local->kind == NODE_DIR)
			entry->name[strlen(entry->name) - 1] = '\0';
		page->n++;
	}
	return 0;
}

/* What was dropped for another of its name: an object that a directory of S3 covers is told. */
static void tell_covered(struct fs *fs, const struct fs_dir *dir, const struct entry *kept,
			 const struct entry *dropped)
{
	bool covers = kept->kind == NODE_DIR && dropped->kind == NODE_FILE;

	if (covers && !kept->local && !dropped->local)
		covered_tell(&fs->covered, dir->place.bucket, dir->place.key, dropped->name);
}

static bool was_given(const struct mark *mark, const char *name)
{
	for (size_t i = 0; i < mark->given.len; i += strlen(mark->given.data + i) + 1)
		if (!strcmp(mark->given.data + i, name))
			return true;
	return false;
}

/* Sorts; drops the second of each name, and a directory whose file was given on an earlier page. */
static void merge(struct fs *fs, const struct fs_dir *dir, const struct mark *mark,
		  struct page *page)
{
	size_t kept = 0;

	if (page->n > 1)
		qsort(page->v, page->n, sizeof(*page->v), compare_entries);
	for (size_t i = 0; i < page->n; i++) {
		bool again = kept > 0 && !strcmp(page->v[i].name, page->v[kept - 1].name);

		if (again)
			tell_covered(fs, dir, &page->v[kept - 1], &page->v[i]);
		if (again || was_given(mark, page->v[i].name))
			entry_deinit(&page->v[i]);
		else
			page->v[kept++] = page->v[i];
	}
	page->n = kept;
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* All keys between "name" and "name/" begin with "name": so few files are to be remembered. */
static int note_given(const struct mark *last, const struct page *page, struct mark *mark)
{
	int r = 0;

	for (size_t i = 0; i < last->given.len && r == 0; i += strlen(last->given.data + i) + 1)
		if (begins(mark->after, last->given.data + i))
			r = buf_add(&mark->given, last->given.data + i,
				    strlen(last->given.data + i) + 1);
	for (size_t i = 0; i < page->n && r == 0; i++)
		if (begins(mark->after, page->v[i].name))
			r = buf_add(&mark->given, page->v[i].name, strlen(page->v[i].name) + 1);
	return r;
}

/* Remembers where the page behind this one begins. */
static int note_mark(struct fs_dir *dir, const struct page *page, const char *last_key)
{
	struct mark mark = {.first = dir->marks[page->index].first + page->n};
	struct mark *marks;

	if (page->index + 1 < dir->n_marks)
		return 0;
	marks = reallocarray(dir->marks, dir->n_marks + 1, sizeof(*marks));
	if (!marks)
		return -ENOMEM;
	dir->marks = marks;
	mark.token = strdup(page->next_token);
	mark.after = strdup(last_key);
	if (!mark.token || !mark.after || note_given(&marks[page->index], page, &mark) < 0) {
		mark_deinit(&mark);
		return -ENOMEM;
	}
	marks[dir->n_marks++] = mark;
	return 0;
}

/* True when the directory of this file's name ("name/") may be on a page that is still to come. */
static bool is_undecided(const struct page *page, const char *last, const struct entry *e)
{
	return page->next_token && e->kind == NODE_FILE && begins(last, e->name) &&
	       (unsigned char)last[strlen(e->name)] < '/';
}

static void become_directory(struct entry *e)
{
	free(e->object.etag);
	*e = (struct entry){.name = e->name, .kind = NODE_DIR, .local = true};
}

static bool is_known_directory_locked(struct fs *fs, const struct fs_dir *dir, const char *name)
{
	const struct node *node = tree_find_locked(&fs->tree, dir->node, name);

	return node && node->kind == NODE_DIR;
}

static struct listed listed_of(const struct entry *e)
{
	return (struct listed){.kind = e->kind,
			       .size = e->object.size,
			       .mtime_ms = e->object.mtime_ms,
			       .etag = e->object.etag,
			       .storage_class = e->object.storage_class};
}

/* So that the look-ups that follow a listing need no request. */
static void enter_page(struct fs *fs, const struct fs_dir *dir, struct page *page, const char *last)
{
	int ignored;

	pthread_mutex_lock(&fs->tree.lock);
	for (size_t i = 0; i < page->n; i++) {
		struct entry *e = &page->v[i];
		struct listed listed = listed_of(e);

		if (is_undecided(page, last, e) && is_known_directory_locked(fs, dir, e->name))
			become_directory(e);
		else
			lookup_enter_locked(fs, dir->node, e->name, &listed, page->expires_ms,
					    page->changes, &ignored);
	}
	pthread_mutex_unlock(&fs->tree.lock);
}

/* The server says nothing, and to ask for the same again. */
static bool is_stuck(const struct mark *mark, const struct object_page *from)
{
	return from->n == 0 && from->next_token && mark->token &&
	       !strcmp(from->next_token, mark->token);
}

/* Without what is local. The page is to be deinitialised in every case. */
static int fetch(struct fs *fs, struct call *call, struct fs_dir *dir, struct page *page)
{
	const struct mark *mark = &dir->marks[page->index];
	_cleanup_(object_page_deinit) struct object_page from = {0};
	struct list_params params = {.prefix = dir->place.key,
				     .delimited = true,
				     .token = mark->token,
				     .max_keys = PAGE_KEYS};
	const char *last;
	int r;

	page->expires_ms = fs_boot_ms(fs) + fs->options.metadata_ttl_ms;
	pthread_mutex_lock(&fs->tree.lock);
	page->changes = dir->node->changes;
	pthread_mutex_unlock(&fs->tree.lock);
	r = fs->options.store->list_objects(fs->options.store, call, dir->place.bucket, &params,
					    &from);
	if (r == 0)
		r = take_listed(fs, dir, &from, page);
	if (r < 0)
		return r;
	if (is_stuck(mark, &from)) {
		log_error("ListObjectsV2 of %s/%s: an empty page for ever", dir->place.bucket,
			  dir->place.key);
		return -EIO;
	}
	page->next_token = steal(&from.next_token);
	last = from.n ? tail_of(dir, &from.v[from.n - 1]) : mark->after ? mark->after : "";
	enter_page(fs, dir, page, last);
	r = take_locals(dir, mark->after, page->next_token ? last : NULL, page);
	merge(fs, dir, mark, page);
	if (r == 0 && page->next_token)
		return note_mark(dir, page, last);
	dir->whole = r == 0;
	return r;
}

static int load(struct fs *fs, struct call *call, struct fs_dir *dir, size_t index)
{
	struct page page = {.index = index};
	int r = fetch(fs, call, dir, &page);

	if (r < 0) {
		page_deinit(&page);
		return r == -ENOENT ? -ESTALE : r; /* the bucket is gone; ENOENT is the end */
	}
	page_deinit(&dir->page);
	dir->page = page;
	return 0;
}

/* ---- open, rewind, close ---- */

/* Takes over what was begun; what it had ends. */
static void take_stream(struct fs_dir *dir, struct fs_dir *begun)
{
	stream_deinit(dir);
	dir->marks = begun->marks;
	dir->n_marks = begun->n_marks;
	dir->page = begun->page;
	dir->whole = begun->whole;
	dir->locals = begun->locals;
	dir->n_locals = begun->n_locals;
}

/* With the first page. */
static int begin_stream(struct fs *fs, struct call *call, struct fs_dir *dir)
{
	struct fs_dir begun = {.node = dir->node, .place = dir->place};
	int r;

	begun.marks = calloc(1, sizeof(*begun.marks));
	if (!begun.marks)
		return -ENOMEM;
	begun.n_marks = 1;
	r = note_locals(fs, &begun);
	if (r == 0)
		r = load(fs, call, &begun, 0);
	if (r < 0)
		stream_deinit(&begun);
	else
		take_stream(dir, &begun);
	return r;
}

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

/* When it fails, the directory is as it was, and is rewound by the next try. */
static int begin(struct fs *fs, struct call *call, struct fs_dir *dir)
{
	int r = 0;

	if (dir->node->kind == NODE_ROOT)
		r = begin_listing(fs, call, dir);
	else if (dir->node->kind != NODE_CONTROL_DIR)
		r = begin_stream(fs, call, dir);
	if (r == 0)
		dir->read = false;
	return r;
}

int fs_opendir(struct fs *fs, struct call *call, uint64_t ino, struct fs_dir **ret_dir)
{
	struct fs_dir *dir = calloc(1, sizeof(*dir));
	int r;

	if (!dir)
		return -ENOMEM;
	r = fs_ref_dir(fs, ino, &dir->node);
	if (r == 0 && dir->node->kind != NODE_CONTROL_DIR) {
		pthread_mutex_lock(&fs->tree.lock);
		r = tree_place_locked(&fs->tree, dir->node, &dir->place);
		pthread_mutex_unlock(&fs->tree.lock);
	}
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

static size_t page_of(const struct fs_dir *dir, uint64_t index)
{
	size_t low = 0, high = dir->n_marks;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (dir->marks[middle].first <= index)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static bool at_hand(const struct fs_dir *dir, uint64_t index)
{
	uint64_t first = dir->marks[dir->page.index].first;

	return index >= first && index - first < dir->page.n;
}

/* Entry *index of the stream, or the first that is there behind it, is then in dir->page. */
static int seek(struct fs *fs, struct call *call, struct fs_dir *dir, uint64_t *index)
{
	while (!at_hand(dir, *index)) {
		size_t page = page_of(dir, *index);
		int r;

		if (page == dir->page.index) {
			/* behind what this page holds; a page read again may hold less than before
			 */
			if (page + 1 == dir->n_marks)
				return -ENOENT;
			page++;
			*index = dir->marks[page].first;
		}
		r = load(fs, call, dir, page);
		if (r < 0)
			return r;
	}
	return 0;
}

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

static int read_stream(struct fs *fs, struct call *call, struct fs_dir *dir, uint64_t index,
		       struct fs_dirent *dirent)
{
	int r = seek(fs, call, dir, &index);

	if (r < 0)
		return r;
	dir->at = &dir->page.v[index - dir->marks[dir->page.index].first];
	dirent->name = dir->at->name;
	dirent->mode = mode_of(fs, dir->at->kind);
	dirent->st_ino = tree_child_number(number_of(fs, dir->node), dir->at->name);
	dirent->next = index + 2 + 1;
	return 0;
}

/* Offsets: 0 is ".", 1 is "..", 2 + i is entry i. */
int fs_readdir(struct fs *fs, struct call *call, struct fs_dir *dir, uint64_t offset,
	       struct fs_dirent *ret_dirent)
{
	struct fs_dirent dirent = {.mode = S_IFDIR, .next = offset + 1};
	int r = 0;

	dir->at = NULL;
	/* rewinddir() shows what is there now (POSIX) */
	if ((offset == 0 && dir->read) || (!dir->listing && !dir->marks))
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
		r = read_stream(fs, call, dir, offset - 2, &dirent);
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

/* NULL when the directory was changed since it was listed: the kernel then looks for itself. */
static struct node *node_of_locked(struct fs *fs, const struct fs_dir *dir, const struct entry *e,
				   int *ret_error)
{
	struct listed listed = listed_of(e);

	*ret_error = 0;
	if (e->local)
		return tree_find_locked(&fs->tree, dir->node, e->name);
	if (dir->node->changes != dir->page.changes)
		return NULL;
	return lookup_enter_locked(fs, dir->node, e->name, &listed, dir->page.expires_ms,
				   dir->page.changes, ret_error);
}

/* attrs=posix: the entry at hand, and up to `ahead` behind it. Each is asked for once. */
static void complete_ahead(struct fs *fs, struct call *call, struct fs_dir *dir, size_t ahead)
{
	struct node *nodes[COMPLETE_MAX];
	size_t at = (size_t)(dir->at - dir->page.v), n = 0;
	int ignored;

	if (dir->at->asked)
		return;
	pthread_mutex_lock(&fs->tree.lock);
	for (size_t i = at; i < dir->page.n && i - at <= ahead && n < COMPLETE_MAX; i++) {
		struct entry *e = &dir->page.v[i];
		struct node *node = e->asked ? NULL : node_of_locked(fs, dir, e, &ignored);

		e->asked = true;
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
	node = node_of_locked(fs, dir, dir->at, &r);
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
