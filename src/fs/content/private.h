/* What the files of fs/content share. */
#ifndef FS_CONTENT_PRIVATE_H
#define FS_CONTENT_PRIVATE_H

#include <pthread.h>

#include "content.h"
#include "staged.h"
#include "upstream.h"

enum content_state { CONTENT_CLEAN, CONTENT_STREAM, CONTENT_STAGED };

/* The object in S3 that the content is, or lies over. */
struct content_base {
	char *etag; /* NULL: not known, or no object is meant */
	uint64_t size;
	struct reader *reader;            /* NULL until it is read from */
	uint64_t generation;              /* how often it became another */
	bool gone;                        /* nobody has its bytes any more */
	struct content_params *described; /* how; NULL: not known. With room->keeps */
};

/* How an object is written, or was. Does not change. */
struct content_params {
	atomic_uint references;
	uint64_t version;
	struct object object; /* type, headers, class, metadata */
};

/*
 * Fields are written by who has the turn, under the lock, except where something else is said: so
 * who has either may read them.
 */
struct content {
	struct content_room *room;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* the turn is free */
	bool turn;              /* lock: somebody changes it */
	pthread_t owner;        /* lock: who */
	unsigned int depth;     /* lock: how often */

	char *bucket, *key;
	struct object_id id; /* these */
	enum content_state state;
	struct content_base base;
	struct upstream *stream; /* STREAM */
	struct staged staged;    /* STAGED; and then its size is the file's */
	bool exclusive;          /* no object may be there when it is uploaded */
	struct object settled;   /* lock: content_take_settled's; its etag is NULL for none */
	bool unlinked;           /* lock */

	struct content_params *params; /* lock; NULL: none were set */
	bool params_dirty;             /* lock */

	/*
	 * The last upload may have been done though its call failed: then the object has this ETag
	 * or, when it was a copy onto itself, these parameters.
	 */
	char *expected;
	struct content_params *expected_params;

	struct multipart *abandoned; /* turn; to be aborted */
};

/* Only with the turn, which content_hold() takes, may the functions below be called. */

uint64_t content_size_locked(struct content *content);
bool content_dirty_locked(struct content *content);
/* The object that is meant is another now, and not known how described. etag may be NULL. */
void content_set_base(struct content *content, const char *etag, uint64_t size);
/* Takes described, which may be NULL: how the base is. */
void content_set_described(struct content *content, struct content_params *described);
/* A reader of the base, to unref. 0, -ENOMEM. */
int content_reader_locked(struct content *content, struct reader **ret_reader);

/* What was uploaded before its time is this (which it takes), or with NULL nothing any more. */
void content_set_settled(struct content *content, struct object *object);

void content_abandon(struct content *content, struct call *call, struct multipart *upload);
void content_abort_abandoned(struct content *content, struct call *call);

/* A copy, with one reference. NULL: out of memory. */
struct content_params *content_params_new(const struct put_params *params, uint64_t version);
/* NULL is NULL. */
struct content_params *content_params_ref(struct content_params *params);
/* Those that are set now, with a reference; NULL when none were set. */
struct content_params *content_params_get(struct content *content);
void content_params_unref(struct content_params *params);
uint64_t content_params_version(const struct content_params *params);
/* Without conditions; valid as long as params. */
struct put_params content_put_params(const struct content_params *params);

/* ---- change.c ---- */

/* STREAM becomes CLEAN or STAGED, with the same bytes. */
int content_settle(struct content *content, struct call *call);
/* CLEAN becomes STAGED. */
int content_stage(struct content *content);

/* ---- flush.c ---- */

/* STREAM becomes CLEAN. */
int content_flush_stream(struct content *content, struct call *call, struct object *ret_object);
/*
 * Finds out whether an upload whose answer was lost was done after all; if so, *ret_object (may be
 * NULL) is what it made, and the base now. 0, or the errno of asking.
 */
int content_resolve(struct content *content, struct call *call, struct object *ret_object);

#endif
