/*
 * fuse/lookups: the names that are being looked up.
 *
 *	lookups_begin(&lookups, &lookup, parent, name);
 *	...
 *	lookups_end(&lookups, &lookup);
 */
#ifndef FUSE_LOOKUPS_H
#define FUSE_LOOKUPS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* One of them; its place is on its operation's stack. */
struct lookup {
	uint64_t parent;
	const char *name;
	struct lookup *prev, *next; /* lookups->lock */
};

struct lookups {
	pthread_mutex_t lock;
	struct lookup *all; /* lock */
};

void lookups_init(struct lookups *lookups);
void lookups_deinit(struct lookups *lookups); /* none may be under way */

/* Any thread. name must last until lookups_end. */
void lookups_begin(struct lookups *lookups, struct lookup *lookup, uint64_t parent,
		   const char *name);
void lookups_end(struct lookups *lookups, struct lookup *lookup);

/* Whether this name is being looked up now. Any thread. */
bool lookups_has(struct lookups *lookups, uint64_t parent, const char *name);

#endif
