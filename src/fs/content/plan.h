/*
 * fs/content/plan: which parts a STAGED file is uploaded in. Pure.
 */
#ifndef FS_PLAN_H
#define FS_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xacctfs/util/ranges.h"

struct plan_part {
	uint64_t offset, len;
	bool copied; /* by the server, from the same place of the base */
};

/* Zeroed is empty. */
struct plan {
	struct plan_part *v;
	size_t n, size;
};

void plan_deinit(struct plan *plan);

/*
 * The parts of a file of that size, in order and without a gap. Below `visible` it is the base but
 * for what is dirty; all else is to be sent. A part has unit bytes at least, the last excepted; one
 * that is sent not more, one that is copied copy_max at most. When that makes too many parts, unit
 * is doubled. unit >= S3_PART_MIN on a real server. Returns 0, -ENOMEM.
 */
int plan_make(uint64_t size, uint64_t visible, const struct ranges *dirty, uint64_t unit,
	      uint64_t copy_max, struct plan *ret_plan);

#endif
