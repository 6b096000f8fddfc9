/*
 * fs/pages: what is in a directory below a bucket, as S3 lists it, page by page.
 *
 *	pages_begin(fs, call, dir, &pages);		asks for the first page
 *	pages_seek(fs, call, pages, &index, &entry);	asks for another one when it must
 *
 * Where each page began is remembered (a token), so that any place can be gone back to, while one
 * page is held. What is here only (local nodes) is put in its place among what the server listed,
 * as it was when the pages were begun. One call at a time.
 */
#ifndef FS_PAGES_H
#define FS_PAGES_H

#include "private.h"

/* One entry: a name and what the kernel is told of it. */
struct page_entry {
	char *name;
	enum node_kind kind;        /* NODE_DIR, NODE_FILE, of local ones NODE_SYMLINK too */
	bool local;                 /* known here, not listed; then nothing below is told */
	bool asked;                 /* attrs=posix: the caller's, at first false */
	struct object_entry object; /* a file's; key is NULL */
};

struct page {
	size_t index; /* of the page in marks */
	struct page_entry *v;
	size_t n;
	int64_t expires_ms;
	uint64_t changes; /* of the directory, when it was asked for */
	char *next_token;
};

struct pages {
	struct node *node;  /* the directory; the owner's reference */
	struct place place; /* where it was when they were begun */
	struct mark *marks;
	size_t n_marks;
	struct page page; /* at hand */
	struct local_name *locals;
	size_t n_locals;
};

/*
 * dir must outlive the pages. 0; -ESTALE: its name or the bucket is gone; -ENOMEM; the store's
 * errno.
 */
int pages_begin(struct fs *fs, struct call *call, struct node *dir, struct pages **ret_pages);
void pages_free(struct pages *pages); /* NULL is fine */

/*
 * Entry *index, or the first that is there behind it, whose index it then is: in pages->page, and
 * valid as long as that is at hand, until the next call. 0; -ENOENT behind the last; as above.
 */
int pages_seek(struct fs *fs, struct call *call, struct pages *pages, uint64_t *index,
	       struct page_entry **ret_entry);

/*
 * The node of an entry of the page at hand, entered if need be. NULL when the directory was changed
 * since it was listed, so that the kernel has to look for itself, or with *ret_error -ENOMEM.
 */
struct node *pages_node_locked(struct fs *fs, const struct pages *pages,
			       const struct page_entry *entry, int *ret_error);

#endif
