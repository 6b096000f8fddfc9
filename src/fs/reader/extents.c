#include "extents.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096

struct extent *extent_new(uint64_t start, size_t len)
{
	size_t pages = (len + PAGE - 1) / PAGE;
	struct extent *extent = calloc(1, sizeof(*extent) + (pages + 7) / 8);

	if (!extent)
		return NULL;
	extent->start = start;
	extent->len = len;
	extent->unread = pages;
	extent->wake_at = SIZE_MAX;
	extent->data = malloc(len);
	if (!extent->data) {
		free(extent);
		return NULL;
	}
	return extent;
}

void extent_free(struct extent *extent)
{
	if (!extent)
		return;
	free(extent->data);
	free(extent);
}

uint64_t extent_end(const struct extent *extent)
{
	return extent->start + extent->len;
}

static size_t page_end(const struct extent *extent, size_t page)
{
	size_t end = (page + 1) * PAGE;

	return end < extent->len ? end : extent->len;
}

void extent_mark_read(struct extent *extent, uint64_t start, uint64_t end)
{
	size_t from = (size_t)(start - extent->start), to = (size_t)(end - extent->start);

	for (size_t page = from / PAGE; page * PAGE < to; page++) {
		uint8_t bit = (uint8_t)(1U << page % 8);

		if (page_end(extent, page) > to || extent->read[page / 8] & bit)
			continue;
		extent->read[page / 8] |= bit;
		extent->unread--;
	}
}

void extent_cut(struct extent *extent, size_t len)
{
	extent->unread -= (extent->len + PAGE - 1) / PAGE - (len + PAGE - 1) / PAGE;
	extent->len = len;
}

bool extent_consumed(const struct extent *extent)
{
	return extent->unread == 0;
}

void extents_deinit(struct extents *extents)
{
	for (size_t i = 0; i < extents->n; i++)
		extent_free(extents->v[i]);
	free(extents->v);
	*extents = (struct extents){0};
}

/* How many begin at or before pos. */
static size_t count_before(const struct extents *extents, uint64_t pos)
{
	size_t low = 0, high = extents->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (extents->v[middle]->start <= pos)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int reserve(struct extents *extents)
{
	size_t size = extents->size ? 2 * extents->size : 16;
	struct extent **v;

	if (extents->n < extents->size)
		return 0;
	v = reallocarray(extents->v, size, sizeof(struct extent *));
	if (!v)
		return -ENOMEM;
	extents->v = v;
	extents->size = size;
	return 0;
}

int extents_add(struct extents *extents, struct extent *extent)
{
	size_t i = count_before(extents, extent->start);
	int r = reserve(extents);

	if (r < 0)
		return r;
	memmove(extents->v + i + 1, extents->v + i, (extents->n - i) * sizeof(struct extent *));
	extents->v[i] = extent;
	extents->n++;
	extent->listed = true;
	return 0;
}

void extents_remove(struct extents *extents, struct extent *extent)
{
	size_t i = count_before(extents, extent->start) - 1;

	extents->n--;
	memmove(extents->v + i, extents->v + i + 1, (extents->n - i) * sizeof(struct extent *));
	extent->listed = false;
}

struct extent *extents_find(const struct extents *extents, uint64_t pos)
{
	size_t i = count_before(extents, pos);

	return i > 0 && pos < extent_end(extents->v[i - 1]) ? extents->v[i - 1] : NULL;
}

uint64_t extents_covered(const struct extents *extents, uint64_t pos)
{
	struct extent *extent;

	while ((extent = extents_find(extents, pos)))
		pos = extent_end(extent);
	return pos;
}

void extents_hole(const struct extents *extents, uint64_t pos, uint64_t *ret_start,
		  uint64_t *ret_end)
{
	size_t i = count_before(extents, pos);

	*ret_start = i > 0 ? extent_end(extents->v[i - 1]) : 0;
	*ret_end = i < extents->n ? extents->v[i]->start : UINT64_MAX;
}
