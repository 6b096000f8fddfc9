/*
 * fs/turn: who renames a directory, and who changes names below it, take turns.
 *
 *	struct turn turn;
 *	r = turn_begin(fs, call, parent_ino, &turn);
 *	if (r < 0)
 *		return r;
 *	...				changes an entry of turn.changes[0]
 *	turn_finish(fs, &turn);
 *
 * A rename copies what is below the directory and then deletes it, in many requests: a name that is
 * made or removed there meanwhile would be lost, or be back under the new name. Whoever comes first
 * goes first; nobody waits for a turn while he has one, or holds a content, so that no two can wait
 * for each other. Reading, and writing to files, needs no turn.
 */
#ifndef FS_TURN_H
#define FS_TURN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct call;
struct fs;
struct node;

struct turn {
	/* Set before, and referenced: what has entries, or metadata, that are changed; or NULL. */
	struct node *changes[2];
	struct node *moves;       /* the same: a directory that goes elsewhere, or NULL */
	bool waited;              /* set by turn_take: what was known before may be wrong by now */
	struct turn *prev, *next; /* turns->lock */
};

struct turns {
	pthread_mutex_t lock; /* tree.lock may be taken under it */
	pthread_cond_t ended;
	struct turn *queue; /* lock: all that are taken or waited for, as they came */
};

int turns_init(struct turns *turns); /* 0, -ENOMEM */
void turns_deinit(struct turns *turns);

/*
 * Waits for all who came before, and move a directory that this is about, or change what this
 * moves. The time until then is not the call's. Returns 0, -EINTR.
 */
int turn_take(struct fs *fs, struct call *call, struct turn *turn);
void turn_end(struct fs *fs, struct turn *turn);

/* To change entries of the directory of this number. Returns 0, -ESTALE, -ENOTDIR, -EINTR. */
int turn_begin(struct fs *fs, struct call *call, uint64_t ino, struct turn *ret_turn);
void turn_finish(struct fs *fs, struct turn *turn);

#endif
