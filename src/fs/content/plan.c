#include "plan.h"

#include <errno.h>
#include <stdlib.h>

#include "xacctfs/s3/store.h"

#include "../least.h"

void plan_deinit(struct plan *plan)
{
	free(plan->v);
	*plan = (struct plan){0};
}

static int add(struct plan *plan, struct plan_part part)
{
	if (plan->n == plan->size) {
		size_t size = plan->size ? 2 * plan->size : 16;
		struct plan_part *v = reallocarray(plan->v, size, sizeof(*v));

		if (!v)
			return -ENOMEM;
		plan->v = v;
		plan->size = size;
	}
	plan->v[plan->n++] = part;
	return 0;
}

/* Where the base's bytes that begin at offset end. */
static uint64_t base_end(uint64_t offset, uint64_t visible, const struct ranges *dirty)
{
	struct range clean;

	if (!ranges_next(dirty, offset, visible, false, &clean) || clean.start > offset)
		return offset;
	return clean.end;
}

/* A run of the base is copied when it is long enough for a part, or is the last one. */
static struct plan_part part_from(uint64_t offset, uint64_t size, uint64_t visible,
				  const struct ranges *dirty, uint64_t unit, uint64_t copy_max)
{
	uint64_t run = base_end(offset, visible, dirty) - offset;

	if (run > 0 && (run >= unit || offset + run == size))
		return (struct plan_part){offset, least(run, copy_max), true};
	return (struct plan_part){offset, least(unit, size - offset), false};
}

int plan_make(uint64_t size, uint64_t visible, const struct ranges *dirty, uint64_t unit,
	      uint64_t copy_max, struct plan *ret_plan)
{
	struct plan plan = {0};

	for (uint64_t at = 0; at < size;) {
		struct plan_part part = part_from(at, size, visible, dirty, unit, copy_max);
		int r = add(&plan, part);

		if (r < 0) {
			plan_deinit(&plan);
			return r;
		}
		at += part.len;
		if (plan.n > S3_PARTS_MAX) {
			plan.n = 0;
			at = 0;
			unit *= 2;
		}
	}
	*ret_plan = plan;
	return 0;
}
