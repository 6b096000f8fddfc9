#include "pages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"

#include "control.h"
#include "namespace.h"

#define PAGE_KEYS 1000 /* S3's most */

/* Where a page begins. */
struct mark {
	uint64_t first; /* the index of its first entry */
	char *token;    /* NULL for the first page */
	char *after; /* the last key of the page before, without the directory's prefix, or NULL */
	/* names that were given and whose directory ("name/") may still come: NUL behind each */
	struct buf given;
};

/* A name that is here only, as it was when the pages were begun. */
struct local_name {
	char *key; /* with '/' at the end of a directory's */
	enum node_kind kind;
};

static void entry_deinit(struct page_entry *e)
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

void pages_free(struct pages *pages)
{
	if (!pages)
		return;
	page_deinit(&pages->page);
	for (size_t i = 0; i < pages->n_marks; i++)
		mark_deinit(&pages->marks[i]);
	free(pages->marks);
	for (size_t i = 0; i < pages->n_locals; i++)
		free(pages->locals[i].key);
	free(pages->locals);
	place_deinit(&pages->place);
	free(pages);
}

/* ---- what is here only ---- */

static int compare_locals(const void *a, const void *b)
{
	return strcmp(((const struct local_name *)a)->key, ((const struct local_name *)b)->key);
}

static int add_local(struct pages *pages, const struct node *node)
{
	struct local_name *v = reallocarray(pages->locals, pages->n_locals + 1, sizeof(*v));
	char *key;

	if (!v)
		return -ENOMEM;
	pages->locals = v;
	if (asprintf(&key, "%s%s", node->name->text, node->kind == NODE_DIR ? "/" : "") < 0)
		return -ENOMEM;
	v[pages->n_locals++] = (struct local_name){key, node->kind};
	return 0;
}

static int note_locals_locked(struct fs *fs, struct pages *pages)
{
	int r = 0;

	for (struct node *node = fs->tree.locals; node && r == 0; node = node->next)
		if (node->parent == pages->node)
			r = add_local(pages, node);
	if (pages->n_locals > 1)
		qsort(pages->locals, pages->n_locals, sizeof(*pages->locals), compare_locals);
	return r;
}

/* ---- a page ---- */

static int compare_entries(const void *a, const void *b)
{
	const struct page_entry *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	/* a directory before the file of its name, and what was listed before what is local */
	if (c == 0)
		c = (x->kind == NODE_FILE) - (y->kind == NODE_FILE);
	return c ? c : x->local - y->local;
}

/* The key behind the directory's prefix. */
static const char *tail_of(const struct pages *pages, const struct object_entry *e)
{
	size_t skip = strlen(pages->place.key);

	return strlen(e->key) > skip ? e->key + skip : "";
}

/* A bucket that is mounted alone has a key of the control files' directory's name. */
static void tell_hidden(struct fs *fs, const struct pages *pages)
{
	if (!atomic_exchange(&fs->hidden_told, true))
		log_warn("%s/%s%s is hidden by the control files of this name", pages->place.bucket,
			 pages->place.key, FS_CONTROL_DIR);
}

/* True for a name that the file system cannot show, which is counted. */
static bool is_hidden(struct fs *fs, const struct pages *pages, const char *name)
{
	bool owned = control_owns(fs, pages->node, name);

	if (owned)
		tell_hidden(fs, pages);
	else if (name_representable(name))
		return false;
	fs->unrepresentable++;
	return true;
}

static int take_listed(struct fs *fs, struct pages *pages, struct object_page *from,
		       struct page *page)
{
	page->v = calloc(from->n + pages->n_locals + 1, sizeof(*page->v));
	if (!page->v)
		return -ENOMEM;
	for (size_t i = 0; i < from->n; i++) {
		struct object_entry *e = &from->v[i];
		const char *tail = tail_of(pages, e);
		struct page_entry *entry = &page->v[page->n];

		if (tail[0] == '\0')
			continue; /* the directory's own marker */
		entry->name = strndup(tail, strlen(tail) - (e->is_prefix ? 1 : 0));
		if (!entry->name)
			return -ENOMEM;
		if (is_hidden(fs, pages, entry->name)) {
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
static int take_locals(const struct pages *pages, const char *after, const char *upto,
		       struct page *page)
{
	for (size_t i = 0; i < pages->n_locals; i++) {
		const struct local_name *local = &pages->locals[i];
		struct page_entry *entry = &page->v[page->n];

		if (after && strcmp(local->key, after) <= 0)
			continue;
		if (upto && strcmp(local->key, upto) > 0)
			break;
		*entry = (struct page_entry){
		    .name = strdup(local->key), .kind = local->kind, .local = true};
		if (!entry->name)
			return -ENOMEM;
		if (local->kind == NODE_DIR)
			entry->name[strlen(entry->name) - 1] = '\0';
		page->n++;
	}
	return 0;
}

/* What was dropped for another of its name: an object that a directory of S3 covers is told. */
static void tell_covered(struct fs *fs, const struct pages *pages, const struct page_entry *kept,
			 const struct page_entry *dropped)
{
	bool covers = kept->kind == NODE_DIR && dropped->kind == NODE_FILE;

	if (covers && !kept->local && !dropped->local)
		covered_tell(&fs->covered, pages->place.bucket, pages->place.key, dropped->name);
}

static bool was_given(const struct mark *mark, const char *name)
{
	for (size_t i = 0; i < mark->given.len; i += strlen(mark->given.data + i) + 1)
		if (!strcmp(mark->given.data + i, name))
			return true;
	return false;
}

/* Sorts; drops the second of each name, and a directory whose file was given on an earlier page. */
static void merge(struct fs *fs, const struct pages *pages, const struct mark *mark,
		  struct page *page)
{
	size_t kept = 0;

	if (page->n > 1)
		qsort(page->v, page->n, sizeof(*page->v), compare_entries);
	for (size_t i = 0; i < page->n; i++) {
		bool again = kept > 0 && !strcmp(page->v[i].name, page->v[kept - 1].name);

		if (again)
			tell_covered(fs, pages, &page->v[kept - 1], &page->v[i]);
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
static int note_mark(struct pages *pages, const struct page *page, const char *last_key)
{
	struct mark mark = {.first = pages->marks[page->index].first + page->n};
	struct mark *marks;

	if (page->index + 1 < pages->n_marks)
		return 0;
	marks = reallocarray(pages->marks, pages->n_marks + 1, sizeof(*marks));
	if (!marks)
		return -ENOMEM;
	pages->marks = marks;
	mark.token = strdup(page->next_token);
	mark.after = strdup(last_key);
	if (!mark.token || !mark.after || note_given(&marks[page->index], page, &mark) < 0) {
		mark_deinit(&mark);
		return -ENOMEM;
	}
	marks[pages->n_marks++] = mark;
	return 0;
}

/* True when the directory of this file's name ("name/") may be on a page that is still to come. */
static bool is_undecided(const struct page *page, const char *last, const struct page_entry *e)
{
	return page->next_token && e->kind == NODE_FILE && begins(last, e->name) &&
	       (unsigned char)last[strlen(e->name)] < '/';
}

static void become_directory(struct page_entry *e)
{
	free(e->object.etag);
	*e = (struct page_entry){.name = e->name, .kind = NODE_DIR, .local = true};
}

static bool is_known_directory_locked(struct fs *fs, const struct pages *pages, const char *name)
{
	const struct node *node = tree_find_locked(&fs->tree, pages->node, name);

	return node && node->kind == NODE_DIR;
}

static struct listed listed_of(const struct page_entry *e)
{
	return (struct listed){.kind = e->kind,
			       .size = e->object.size,
			       .mtime_ms = e->object.mtime_ms,
			       .etag = e->object.etag,
			       .storage_class = e->object.storage_class};
}

/* So that the look-ups that follow a listing need no request. */
static void enter_page(struct fs *fs, const struct pages *pages, struct page *page,
		       const char *last)
{
	int ignored;

	pthread_mutex_lock(&fs->tree.lock);
	for (size_t i = 0; i < page->n; i++) {
		struct page_entry *e = &page->v[i];
		struct listed listed = listed_of(e);

		if (is_undecided(page, last, e) && is_known_directory_locked(fs, pages, e->name))
			become_directory(e);
		else
			lookup_enter_locked(fs, pages->node, e->name, &listed, page->expires_ms,
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
static int fetch(struct fs *fs, struct call *call, struct pages *pages, struct page *page)
{
	const struct mark *mark = &pages->marks[page->index];
	_cleanup_(object_page_deinit) struct object_page from = {0};
	struct list_params params = {.prefix = pages->place.key,
				     .delimited = true,
				     .token = mark->token,
				     .max_keys = PAGE_KEYS};
	const char *last;
	int r;

	page->expires_ms = fs_boot_ms(fs) + fs->options.metadata_ttl_ms;
	pthread_mutex_lock(&fs->tree.lock);
	page->changes = pages->node->changes;
	pthread_mutex_unlock(&fs->tree.lock);
	r = fs->options.store->list_objects(fs->options.store, call, pages->place.bucket, &params,
					    &from);
	if (r == 0)
		r = take_listed(fs, pages, &from, page);
	if (r < 0)
		return r;
	if (is_stuck(mark, &from)) {
		log_error("ListObjectsV2 of %s/%s: an empty page for ever", pages->place.bucket,
			  pages->place.key);
		return -EIO;
	}
	page->next_token = steal(&from.next_token);
	last = from.n ? tail_of(pages, &from.v[from.n - 1]) : mark->after ? mark->after : "";
	enter_page(fs, pages, page, last);
	r = take_locals(pages, mark->after, page->next_token ? last : NULL, page);
	merge(fs, pages, mark, page);
	return r == 0 && page->next_token ? note_mark(pages, page, last) : r;
}

static int load(struct fs *fs, struct call *call, struct pages *pages, size_t index)
{
	struct page page = {.index = index};
	int r = fetch(fs, call, pages, &page);

	if (r < 0) {
		page_deinit(&page);
		return r == -ENOENT ? -ESTALE : r; /* the bucket is gone; ENOENT is the end */
	}
	page_deinit(&pages->page);
	pages->page = page;
	return 0;
}

/* ---- from one to the next ---- */

/* Where it is, and what is in it only here. */
static int look(struct fs *fs, struct pages *pages)
{
	int r;

	pthread_mutex_lock(&fs->tree.lock);
	r = tree_place_locked(&fs->tree, pages->node, &pages->place);
	if (r == 0)
		r = note_locals_locked(fs, pages);
	pthread_mutex_unlock(&fs->tree.lock);
	return r;
}

int pages_begin(struct fs *fs, struct call *call, struct node *dir, struct pages **ret_pages)
{
	struct pages *pages = calloc(1, sizeof(*pages));
	int r;

	if (!pages)
		return -ENOMEM;
	pages->node = dir;
	pages->marks = calloc(1, sizeof(*pages->marks));
	pages->n_marks = pages->marks ? 1 : 0;
	r = pages->marks ? look(fs, pages) : -ENOMEM;
	if (r == 0)
		r = load(fs, call, pages, 0);
	if (r < 0)
		pages_free(pages);
	else
		*ret_pages = pages;
	return r;
}

static size_t page_of(const struct pages *pages, uint64_t index)
{
	size_t low = 0, high = pages->n_marks;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (pages->marks[middle].first <= index)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static bool at_hand(const struct pages *pages, uint64_t index)
{
	uint64_t first = pages->marks[pages->page.index].first;

	return index >= first && index - first < pages->page.n;
}

/* Entry *index, or the first that is there behind it, is then at hand. */
static int seek(struct fs *fs, struct call *call, struct pages *pages, uint64_t *index)
{
	while (!at_hand(pages, *index)) {
		size_t page = page_of(pages, *index);
		int r;

		if (page == pages->page.index) {
			/* behind what this page holds; a page read again may hold less than before
			 */
			if (page + 1 == pages->n_marks)
				return -ENOENT;
			page++;
			*index = pages->marks[page].first;
		}
		r = load(fs, call, pages, page);
		if (r < 0)
			return r;
	}
	return 0;
}

int pages_seek(struct fs *fs, struct call *call, struct pages *pages, uint64_t *index,
	       struct page_entry **ret_entry)
{
	int r = seek(fs, call, pages, index);

	if (r == 0)
		*ret_entry = &pages->page.v[*index - pages->marks[pages->page.index].first];
	return r;
}

struct node *pages_node_locked(struct fs *fs, const struct pages *pages,
			       const struct page_entry *entry, int *ret_error)
{
	struct listed listed = listed_of(entry);

	*ret_error = 0;
	if (entry->local)
		return tree_find_locked(&fs->tree, pages->node, entry->name);
	if (pages->node->changes != pages->page.changes)
		return NULL;
	return lookup_enter_locked(fs, pages->node, entry->name, &listed, pages->page.expires_ms,
				   pages->page.changes, ret_error);
}
