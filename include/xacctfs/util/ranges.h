/*
 * util/ranges: a set of byte positions as sorted, disjoint, non-touching half-open ranges.
 * Not thread-safe. Functions that grow return 0 or -ENOMEM and leave the set as it was then.
 */
#ifndef XACCTFS_UTIL_RANGES_H
#define XACCTFS_UTIL_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
	uint64_t start, end; /* start < end; end is not in it */
};

/* Zeroed is empty. */
struct ranges {
	struct range *v;
	size_t n, size;
};

void ranges_deinit(struct ranges *ranges); /* leaves it empty */
/* So many ranges_add and ranges_remove that follow cannot fail. */
int ranges_reserve(struct ranges *ranges, size_t more);
/* start <= end, in all functions; an empty range adds nothing. */
int ranges_add(struct ranges *ranges, uint64_t start, uint64_t end);
int ranges_remove(struct ranges *ranges, uint64_t start, uint64_t end);
/* True when all of [start, end) is in the set: of an empty range always. */
bool ranges_has(const struct ranges *ranges, uint64_t start, uint64_t end);
/* True when any byte of [start, end) is. */
bool ranges_meets(const struct ranges *ranges, uint64_t start, uint64_t end);
/*
 * The first run in [start, end) that is in the set (wanted true) or out of it (false). False when
 * there is none.
 */
bool ranges_next(const struct ranges *ranges, uint64_t start, uint64_t end, bool wanted,
		 struct range *ret_run);
uint64_t ranges_total(const struct ranges *ranges);

#endif
