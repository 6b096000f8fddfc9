/*
 * fs/reader/extents: pieces of an object that were fetched or are being fetched, sorted and
 * disjoint. Pure data; whose lock it is, fs/reader says.
 */
#ifndef FS_EXTENTS_H
#define FS_EXTENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader;
struct target;
struct call;

/* LOADING until `loading` is false; then it is READY as far as len, or has FAILED behind that. */
struct extent {
	struct reader *reader;
	struct target *target; /* of which object; referenced while loading */
	struct call *call;     /* the fetch's, while it runs */

	uint64_t start;
	size_t len;
	size_t have; /* bytes that came */
	uint8_t *data;
	size_t taken; /* from the purse */
	bool loading;
	bool pinned; /* the ETag was sent along: what came may be used before all did */
	bool forced; /* over the purse's limit: goes as soon as it is not in use */
	bool listed; /* in the set */
	int error;   /* why nothing is behind len; 0 when there is nothing to miss */

	unsigned int users; /* who waits or copies: it stays */
	size_t wake_at;     /* the least number of bytes that somebody waits for */
	uint64_t used;      /* tick of the last use */
	size_t unread;      /* pages */
	uint8_t read[];     /* a bit for each page whose end was handed out */
};

/* Zeroed is empty. */
struct extents {
	struct extent **v;
	size_t n, size;
};

/* NULL when out of memory. len is at least 1. */
struct extent *extent_new(uint64_t start, size_t len);
void extent_free(struct extent *extent); /* NULL is fine */
uint64_t extent_end(const struct extent *extent);
/* [start, end) of it was handed out. */
void extent_mark_read(struct extent *extent, uint64_t start, uint64_t end);
/* It ends there; nothing behind was handed out. */
void extent_cut(struct extent *extent, size_t len);
bool extent_consumed(const struct extent *extent);

void extents_deinit(struct extents *extents); /* what is in it, too */
/* It overlaps none that is there. 0, -ENOMEM. */
int extents_add(struct extents *extents, struct extent *extent);
void extents_remove(struct extents *extents, struct extent *extent);
/* The one with that byte, or NULL. */
struct extent *extents_find(const struct extents *extents, uint64_t pos);
/* Where the bytes that lie without a hole from pos end; pos when it is in a hole. */
uint64_t extents_covered(const struct extents *extents, uint64_t pos);
/* The hole around pos, which is in none: from 0, or to UINT64_MAX, where there is no neighbour. */
void extents_hole(const struct extents *extents, uint64_t pos, uint64_t *ret_start,
		  uint64_t *ret_end);

#endif
