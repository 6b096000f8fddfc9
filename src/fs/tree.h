/*
 * fs/tree: the names that the kernel knows, or that were just listed: nodes, each below its parent.
 *
 * A node is kept as long as the kernel has it (lookups), somebody uses it (refs: an operation, a
 * handle, a node below it), or it is local. Others are idle: kept for the attributes that a listing
 * told, and dropped oldest first.
 *
 * Files that the kernel has and nobody uses are held, or, where it may have pages of them, cached.
 * It keeps them as long as it has memory: of held ones an eighth of names_max may be there, of
 * cached ones a quarter, and more are recalled, oldest first: the kernel is asked to forget them.
 * All together are names_max. The more of it is left to idle ones the better: find, du and rm read
 * 100,000 names of a large directory before they look at the first.
 *
 * All functions that end in _locked need tree.lock, which is never held across a request; every
 * field of a node is protected by it unless it says otherwise.
 */
#ifndef FS_TREE_H
#define FS_TREE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uthash.h>

#include "posix.h"

#define TREE_ABSENT_MAX 4096
/* node.expires_ms: nothing is believed any more, not even that a directory is there. */
#define TREE_EXPIRED (-1)

enum node_kind {
	NODE_ROOT, /* of buckets */
	NODE_BUCKET,
	NODE_DIR, /* a prefix */
	NODE_FILE,
	NODE_SYMLINK,     /* with attrs=posix */
	NODE_CONTROL_DIR, /* of the program's own files, and these: see control.h */
	NODE_CONTROL_FILE,
};

struct content;

/* A file's content while handles are open, shared by them. */
struct opened {
	struct content *content; /* constant */
	unsigned int handles;
	char *etag;    /* of the object that the content is based on; NULL when it is new */
	bool told;     /* an upload failed, and whoever asked for it was told */
	bool doubt;    /* one may have been done though it failed */
	bool replaced; /* the name is another client's object now */
	bool full;     /* there was no local room for the last write, and that was logged */
	/* its type and metadata; with attrs=posix, when it was opened for writing */
	struct object kept;
	bool kept_known;
	/* attrs=posix: what the content was told that its upload takes along */
	int64_t given_mtime_ns;
	uint64_t given_changes;
	uint64_t mark; /* fs/stats: of the last count that saw it */
};

/* Of the tree, where a node is. */
enum node_list {
	LIST_NONE,
	LIST_IDLE,
	LIST_HELD,
	LIST_CACHED,
	LISTS,
};

struct node_name {
	uint64_t parent;
	char text[];
};

struct node {
	uint64_t ino;             /* constant */
	struct node *parent;      /* referenced; NULL for the root, and when unlinked */
	struct node_name *name;   /* NULL for the root, and when unlinked */
	struct node *prev, *next; /* of a list of the tree, or of tree.locals */
	UT_hash_handle hh;
	uint64_t lookups; /* how often the kernel was given it and did not forget it yet */
	unsigned int refs;
	enum node_kind kind; /* constant */
	enum node_list list;
	bool recalled; /* the kernel was asked to forget it, and was not given it since */
	/*
	 * It is there though S3 does not show it: a new file that is not uploaded yet, a directory
	 * whose last file was removed here.
	 */
	bool local;
	/* of a directory: how often this mount changed its entries, or was told to look anew */
	uint64_t changes;
	uint64_t changed;   /* the directory's changes when this mount changed this entry last */
	int64_t expires_ms; /* boot time until which what follows holds */
	/* a file's */
	uint64_t size;
	int64_t mtime_ns;      /* since 1970; of a bucket or directory, too */
	char *etag;            /* NULL when not known, or not uploaded */
	char *storage_class;   /* that it keeps when it is copied; NULL: the default */
	char *cached_etag;     /* the object whose bytes the kernel's page cache may hold */
	struct opened *opened; /* NULL when it is not open */
	uint64_t saved;        /* the how manieth object that this mount wrote was its last one */
	/* attrs=posix: what the object's metadata say, or will when it is uploaded; see complete.h
	 */
	struct posix_attr posix;
	uint64_t posix_changes; /* how often this mount changed it */
	/* attrs=posix: changes that are on their way to S3, which says older things meanwhile */
	unsigned int keeping;
	int64_t posix_until_ms; /* boot time until which it holds; of a file: of the same object */
	int64_t posix_date_ms;  /* the object's date, when its metadata were read */
	bool posix_known;       /* of a file: posix is that of the object with this ETag */
	bool posix_settled;     /* no later change can have the same date */
};

/* An inode number is a slot's index, and above it how often that slot was used. */
struct tree_slot {
	struct node *node; /* NULL when free */
	uint32_t uses;
	uint32_t next_free;
};

/* A name that was not there. */
struct absent {
	struct node_name *name;
	int64_t expires_ms; /* boot time until which that holds */
	UT_hash_handle hh;
};

struct tree {
	pthread_mutex_t lock;
	struct node *by_name;
	struct tree_slot *slots;
	uint32_t n_slots, first_free;
	/* each begins with the one that has been there longest */
	struct node *lists[LISTS];
	size_t n[LISTS], names_max;
	bool dropping;
	struct node *locals;
	struct absent *absents; /* those whose parents have no such node; the oldest first */
	struct node *root;
	char *bucket, *prefix; /* of the root, when a bucket or a part of one is mounted; or NULL */
};

/*
 * bucket NULL: the root is all buckets. prefix: "" or ends in '/'. names_max: 8 at least. Returns
 * 0, -ENOMEM.
 */
int tree_init(struct tree *tree, const char *bucket, const char *prefix, size_t names_max);
void tree_deinit(struct tree *tree);

/* NULL for a number never or no longer known. */
struct node *tree_get_locked(struct tree *tree, uint64_t ino);
struct node *tree_find_locked(struct tree *tree, const struct node *parent, const char *name);
/* A new node of that name, which must be free. NULL when out of memory. */
struct node *tree_add_locked(struct tree *tree, struct node *parent, const char *name,
			     enum node_kind kind);

void tree_ref_locked(struct tree *tree, struct node *node);
void tree_unref_locked(struct tree *tree, struct node *node); /* NULL is fine */
void tree_looked_up_locked(struct tree *tree, struct node *node);
void tree_forget(struct tree *tree, uint64_t ino, uint64_t count);
/* True while there are more files in that list than may be. */
bool tree_is_full_locked(const struct tree *tree, enum node_list list);
/* The file that the kernel is to be asked to forget next: each once. NULL when it is enough. */
struct node *tree_recall_locked(struct tree *tree);

/* The name is gone; the node stays for whoever has it. It is no longer local. */
void tree_unlink_locked(struct tree *tree, struct node *node);
/* To another name, which must be free. Returns 0, or -ENOMEM and nothing was changed. */
int tree_move_locked(struct tree *tree, struct node *node, struct node *parent, const char *name);
void tree_set_local_locked(struct tree *tree, struct node *node, bool local);
/*
 * The name, which has no node, is not there. That holds until expires_ms, or a node has the name,
 * or TREE_ABSENT_MAX others were noted. Without memory nothing is noted.
 */
void tree_set_absent_locked(struct tree *tree, const struct node *parent, const char *name,
			    int64_t expires_ms);
bool tree_is_absent_locked(struct tree *tree, const struct node *parent, const char *name,
			   int64_t now_ms);
/*
 * What is known of the directory's entries holds no longer. Those that the kernel may remember are
 * appended: their names, each with its NUL, and their numbers (uint64_t), in the same order. 0,
 * -ENOMEM.
 */
struct buf;
int tree_expire_locked(struct tree *tree, struct node *parent, struct buf *names, struct buf *inos);
/* The node is the directory, or somewhere below it. NULL is below nothing. */
bool node_is_below_locked(const struct node *node, const struct node *dir);
/* Copies the text; what was there is freed. Returns 0, -ENOMEM. */
int tree_set_text(char **field, const char *text);

/* Where a node is in S3. */
struct place {
	char *bucket; /* NULL for the root of buckets */
	char *key;    /* "" for a bucket; of a directory with '/' at its end */
};
void place_deinit(struct place *place);
/*
 * Returns 0, -ENOMEM, -ESTALE when its name, or that of a directory above it, is gone; -EPERM for
 * what is never in S3.
 */
int tree_place_locked(struct tree *tree, const struct node *node, struct place *ret_place);
/* Of a name below a directory: of a key, or (directory) of a prefix. As above. */
int tree_child_place_locked(struct tree *tree, const struct node *parent, const char *name,
			    bool directory, struct place *ret_place);

/*
 * st_ino: made of the path, so that it is the same when a node was forgotten and looked up again.
 * Never 0 or 1 but for the root.
 */
uint64_t tree_number_locked(const struct node *node);
/* That of a name below a directory with that number. */
uint64_t tree_child_number(uint64_t parent_number, const char *name);

/* Of any kind that has entries. */
static inline bool node_is_directory(const struct node *node)
{
	return node->kind != NODE_FILE && node->kind != NODE_SYMLINK &&
	       node->kind != NODE_CONTROL_FILE;
}

static inline bool node_is_control(const struct node *node)
{
	return node->kind == NODE_CONTROL_DIR || node->kind == NODE_CONTROL_FILE;
}

#endif
