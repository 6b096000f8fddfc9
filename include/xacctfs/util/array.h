/*
 * util/array: arrays that grow by one at a time.
 *
 *	r = array_grow(&page->v, page->n, sizeof(*page->v));
 *	if (r == 0)
 *		page->v[page->n++] = one;
 */
#ifndef XACCTFS_UTIL_ARRAY_H
#define XACCTFS_UTIL_ARRAY_H

#include <stddef.h>

/*
 * array: the address of a pointer, NULL at first, that only this has given room. Gives it room for
 * more than n items of size bytes each; the room is a power of two. Returns 0, or -ENOMEM, with the
 * array as it was.
 */
int array_grow(void *array, size_t n, size_t size);

#endif
