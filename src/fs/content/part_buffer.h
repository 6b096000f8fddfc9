/*
 * fs/content/part_buffer: the bytes of one part, in memory that is accounted for in the purse, or
 * in a local file of the staging area. Not thread-safe.
 *
 * Memory is taken as it is filled: what was never touched costs nothing, and is zeroes.
 */
#ifndef FS_PART_BUFFER_H
#define FS_PART_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "content.h"
#include "staging.h"

/* Zeroed is none. */
struct part_buffer {
	struct content_room *room;
	size_t size;
	uint8_t *bytes;           /* NULL: in the file, or none */
	size_t taken;             /* of the purse */
	struct staging_area area; /* none: in memory */
};

/* In memory, or in a file when it is larger than a quarter of the purse. 0, a negative errno. */
int part_buffer_init(struct part_buffer *buffer, struct content_room *room, size_t size);
/* In memory, however large. */
int part_buffer_init_memory(struct part_buffer *buffer, struct content_room *room, size_t size);
void part_buffer_deinit(struct part_buffer *buffer); /* leaves it zeroed */

/* How much the purse must give so that the first len bytes may be written. */
size_t part_buffer_needs(const struct part_buffer *buffer, size_t len);
/* So much was taken of the purse for it. */
void part_buffer_took(struct part_buffer *buffer, size_t n);
/* The same bytes in a file. The first len are kept. 0, -ENOSPC, ... and then it is as it was. */
int part_buffer_in_file(const struct part_buffer *buffer, size_t len,
			struct part_buffer *ret_buffer);

/* In memory, what it needs must have been taken, and it cannot fail. */
int part_buffer_write(struct part_buffer *buffer, size_t offset, const void *data, size_t len);
/* Fresh bytes become zeroes. */
int part_buffer_zero(struct part_buffer *buffer, size_t offset, size_t len);
int part_buffer_read(const struct part_buffer *buffer, size_t offset, void *data, size_t len);

/* The first len bytes, for the store, until part_buffer_unmap. Waits as staging_map does. */
int part_buffer_map(const struct part_buffer *buffer, struct call *call, size_t len,
		    const void **ret_data);
void part_buffer_unmap(const struct part_buffer *buffer, size_t len, const void *data);

#endif
