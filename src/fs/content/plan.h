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

struct plan_limits {
	uint64_t min;      /* of all parts but the last; S3_PART_MIN or more on a real server */
	uint64_t unit;     /* a part that is sent has not more; min or more */
	uint64_t copy_max; /* nor one that is copied */
};

/*
 * The parts of a file of that size, in order and without a gap. Below `visible` it is the base but
 * for what is dirty; all else is to be sent, and so is what is too short to be copied. When that
 * makes too many parts, min and unit are doubled. Returns 0, -ENOMEM.
 */
int plan_make(uint64_t size, uint64_t visible, const struct ranges *dirty,
	      const struct plan_limits *limits, struct plan *ret_plan);

#endif
