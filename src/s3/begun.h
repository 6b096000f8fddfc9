/*
 * s3/begun: the multipart uploads that this store began and that did not end yet, and what there is
 * to do so that none is left. Thread-safe.
 *
 *	BEGINNING	its CreateMultipartUpload is under way
 *	OPEN		it has an id
 *	UNABORTED	somebody wanted it aborted, and that failed
 *	AGAIN		aborted while a part may have been on its way: once more, later
 *	ENDED		of use only for what may have been lost
 *
 * Why AGAIN: Amazon S3 API Reference, AbortMultipartUpload.
 *
 * In each state an upload of the same key may be lost: begun by an attempt whose answer did not
 * come, before another one succeeded or all failed.
 */
#ifndef S3_BEGUN_H
#define S3_BEGUN_H

#include <pthread.h>

#include "xacctfs/s3/client.h"

/* A part that was on its way when its upload was aborted is there by then, or never. */
#define BEGUN_AGAIN_MS 60000
/* How often a chore is tried before the end of all. */
#define BEGUN_TRIES 3

enum begun_state { BEGUN_BEGINNING, BEGUN_OPEN, BEGUN_UNABORTED, BEGUN_AGAIN, BEGUN_ENDED };

/* Texts do not change while the entry is a chore, or BEGINNING; the rest is begun's own. */
struct begun_entry {
	struct s3_begun upload;
	enum begun_state state;
	int64_t lost_from_ms, lost_to_ms; /* when the lost one was begun; 0: none is */
	bool cut;                         /* a part of it may be on its way */
	int64_t again_ms;                 /* AGAIN: when, by the boot clock */
	unsigned int tries;
	unsigned int pass; /* the last one that had it as a chore */
	bool busy;         /* is a chore */
	struct begun_entry *prev, *next;
};

struct begun {
	pthread_mutex_t lock;
	struct begun_entry *entries; /* lock; in the order of their beginning */
	unsigned int passes;         /* lock */
};

void begun_init(struct begun *begun);
void begun_deinit(struct begun *begun);

/* An upload is going to be begun; to be followed by begun_opened or begun_failed. 0, -ENOMEM. */
int begun_reserve(struct begun *begun, const struct object_id *id, struct begun_entry **ret_entry);
/* ... and another one may have been meanwhile, that nobody knows the id of. */
void begun_may_have_lost(struct begun *begun, struct begun_entry *entry, int64_t from_ms,
			 int64_t to_ms);
/* Takes the entry, in every case. 0, -ENOMEM. */
int begun_opened(struct begun *begun, struct begun_entry *entry, const char *upload_id,
		 int64_t begun_ms);
void begun_failed(struct begun *begun, struct begun_entry *entry);

/* Of an upload by its id; an unknown one is fine. */
void begun_cut(struct begun *begun, const char *upload_id);
void begun_completed(struct begun *begun, const char *upload_id);
void begun_aborted(struct begun *begun, const char *upload_id, int64_t boot_ms);
void begun_unaborted(struct begun *begun, const char *upload_id);

/* ---- chores ---- */

enum begun_chore { BEGUN_ABORT, BEGUN_FIND_LOST };

/* A pass over all chores, for begun_next. 0: there is none. last: nobody uses an upload any more.
 */
unsigned int begun_begin_pass(struct begun *begun, bool last);
/*
 * The next one that is due, or NULL; to be followed by one of those below. A lost one is not looked
 * for while the key has an upload that is in use: its turn comes when that ends.
 */
struct begun_entry *begun_next(struct begun *begun, unsigned int pass, bool last, int64_t boot_ms,
			       enum begun_chore *ret_chore);
/* True when the key has an upload that is in use, or being begun. */
bool begun_in_use(struct begun *begun, const struct begun_entry *entry);
/* Both take the entry. done: or given up. */
void begun_end_abort(struct begun *begun, struct begun_entry *entry, bool done, int64_t boot_ms);
void begun_end_find(struct begun *begun, struct begun_entry *entry, bool done);
/* Not now: as if it had not been tried. Takes the entry. */
void begun_put_off(struct begun *begun, struct begun_entry *entry);

/* A copy of those that are OPEN or UNABORTED. Returns 0, -ENOMEM. */
int begun_list(struct begun *begun, struct s3_begun_list *ret_list);

#endif
