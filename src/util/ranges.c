#include "xacctfs/util/ranges.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void ranges_deinit(struct ranges *ranges)
{
	free(ranges->v);
	*ranges = (struct ranges){0};
}

int ranges_reserve(struct ranges *ranges, size_t more)
{
	size_t size = ranges->size;
	struct range *v;

	if (more <= size - ranges->n)
		return 0;
	if (more > SIZE_MAX / sizeof(*v) / 2 - ranges->n)
		return -ENOMEM;
	size = 2 * size > ranges->n + more ? 2 * size : ranges->n + more;
	v = reallocarray(ranges->v, size, sizeof(*v));
	if (!v)
		return -ENOMEM;
	ranges->v = v;
	ranges->size = size;
	return 0;
}

/* The index of the first range that ends at `at` or behind it; n when there is none. */
static size_t ending_from(const struct ranges *ranges, uint64_t at)
{
	size_t low = 0, high = ranges->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ranges->v[middle].end < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The index of the first range that has bytes at `at` or behind it; n when there is none. */
static size_t reaching(const struct ranges *ranges, uint64_t at)
{
	size_t i = ending_from(ranges, at);

	return i < ranges->n && ranges->v[i].end == at ? i + 1 : i;
}

/* In place of the ranges [first, last) stands one; or one is put in where first == last. */
static void replace(struct ranges *ranges, size_t first, size_t last, struct range range)
{
	memmove(ranges->v + first + 1, ranges->v + last, (ranges->n - last) * sizeof(*ranges->v));
	ranges->v[first] = range;
	ranges->n = ranges->n + 1 - (last - first);
}

int ranges_add(struct ranges *ranges, uint64_t start, uint64_t end)
{
	struct range range = {start, end};
	size_t first, last;
	int r;

	if (start >= end)
		return 0;
	r = ranges_reserve(ranges, 1);
	if (r < 0)
		return r;
	first = ending_from(ranges, start);
	for (last = first; last < ranges->n && ranges->v[last].start <= end; last++)
		;
	if (first < last && ranges->v[first].start < start)
		range.start = ranges->v[first].start;
	if (first < last && ranges->v[last - 1].end > end)
		range.end = ranges->v[last - 1].end;
	replace(ranges, first, last, range);
	return 0;
}

int ranges_remove(struct ranges *ranges, uint64_t start, uint64_t end)
{
	size_t first = reaching(ranges, start), last;
	int r;

	if (start >= end || first == ranges->n || ranges->v[first].start >= end)
		return 0;
	if (ranges->v[first].start < start && ranges->v[first].end > end) {
		struct range tail = {end, ranges->v[first].end};

		r = ranges_reserve(ranges, 1);
		if (r < 0)
			return r;
		ranges->v[first].end = start;
		replace(ranges, first + 1, first + 1, tail);
		return 0;
	}
	if (ranges->v[first].start < start)
		ranges->v[first++].end = start;
	for (last = first; last < ranges->n && ranges->v[last].end <= end; last++)
		;
	if (last < ranges->n && ranges->v[last].start < end)
		ranges->v[last].start = end;
	memmove(ranges->v + first, ranges->v + last, (ranges->n - last) * sizeof(*ranges->v));
	ranges->n -= last - first;
	return 0;
}

bool ranges_has(const struct ranges *ranges, uint64_t start, uint64_t end)
{
	struct range absent;

	return !ranges_next(ranges, start, end, false, &absent);
}

bool ranges_meets(const struct ranges *ranges, uint64_t start, uint64_t end)
{
	struct range present;

	return ranges_next(ranges, start, end, true, &present);
}

static bool next_present(const struct ranges *ranges, size_t i, uint64_t start, uint64_t end,
			 struct range *ret_run)
{
	const struct range *range = &ranges->v[i];

	if (i == ranges->n || range->start >= end)
		return false;
	ret_run->start = range->start > start ? range->start : start;
	ret_run->end = range->end < end ? range->end : end;
	return true;
}

static bool next_absent(const struct ranges *ranges, size_t i, uint64_t start, uint64_t end,
			struct range *ret_run)
{
	if (i < ranges->n && ranges->v[i].start <= start)
		start = ranges->v[i++].end;
	if (start >= end)
		return false;
	ret_run->start = start;
	ret_run->end = i < ranges->n && ranges->v[i].start < end ? ranges->v[i].start : end;
	return true;
}

bool ranges_next(const struct ranges *ranges, uint64_t start, uint64_t end, bool wanted,
		 struct range *ret_run)
{
	size_t i = reaching(ranges, start);

	if (start >= end)
		return false;
	return wanted ? next_present(ranges, i, start, end, ret_run)
		      : next_absent(ranges, i, start, end, ret_run);
}

uint64_t ranges_total(const struct ranges *ranges)
{
	uint64_t total = 0;

	for (size_t i = 0; i < ranges->n; i++)
		total += ranges->v[i].end - ranges->v[i].start;
	return total;
}
