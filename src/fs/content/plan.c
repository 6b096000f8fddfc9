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

/* What is planned. */
struct file {
	uint64_t size, visible;
	const struct ranges *dirty;
	struct plan_limits limits;
};

/* The next bytes of the base at or behind offset. */
static bool next_run(const struct file *file, uint64_t offset, struct range *ret_run)
{
	return ranges_next(file->dirty, offset, file->visible, false, ret_run);
}

/* It is long enough for a part, or is the last one. */
static bool is_copied(const struct file *file, const struct range *run)
{
	return run->end - run->start >= file->limits.min || run->end == file->size;
}

/* Where a part that is sent ends: before what can be copied, when it is long enough by then. */
static uint64_t sent_end(const struct file *file, uint64_t offset)
{
	uint64_t max = least(file->size, offset + file->limits.unit);
	struct range run;

	for (uint64_t at = offset + file->limits.min; at < max && next_run(file, at, &run);
	     at = run.end)
		if (is_copied(file, &run))
			return least(run.start, max);
	return max;
}

static struct plan_part part_from(const struct file *file, uint64_t offset)
{
	struct range run;

	if (next_run(file, offset, &run) && run.start == offset && is_copied(file, &run))
		return (struct plan_part){offset, least(run.end - offset, file->limits.copy_max),
					  true};
	return (struct plan_part){offset, sent_end(file, offset) - offset, false};
}

int plan_make(uint64_t size, uint64_t visible, const struct ranges *dirty,
	      const struct plan_limits *limits, struct plan *ret_plan)
{
	struct file file = {size, visible, dirty, *limits};
	struct plan plan = {0};

	for (uint64_t at = 0; at < size;) {
		struct plan_part part = part_from(&file, at);
		int r = add(&plan, part);

		if (r < 0) {
			plan_deinit(&plan);
			return r;
		}
		at += part.len;
		if (plan.n > S3_PARTS_MAX) {
			plan.n = 0;
			at = 0;
			file.limits.min *= 2;
			file.limits.unit *= 2;
		}
	}
	*ret_plan = plan;
	return 0;
}
