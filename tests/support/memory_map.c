#include <string.h>

#include "memory_private.h"

size_t memory_map_from(const struct memory_map *map, const char *name)
{
	size_t low = 0, high = map->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(map->v[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t memory_map_past(const struct memory_map *map, const char *prefix)
{
	size_t low = 0, high = map->n, len = strlen(prefix);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strncmp(map->v[middle]->name, prefix, len) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The index of name. */
static bool find(const struct memory_map *map, const char *name, size_t *ret_index)
{
	size_t i = memory_map_from(map, name);

	*ret_index = i;
	return i < map->n && !strcmp(map->v[i]->name, name);
}

void *memory_map_find(const struct memory_map *map, const char *name)
{
	size_t i;

	return find(map, name, &i) ? map->v[i] : NULL;
}

void memory_map_insert(struct memory_map *map, struct memory_named *named)
{
	size_t i = memory_map_from(map, named->name);

	if (map->n == map->size) {
		map->size = map->size ? 2 * map->size : 8;
		map->v = memory_must(reallocarray(map->v, map->size, sizeof(*map->v)));
	}
	memmove(map->v + i + 1, map->v + i, (map->n - i) * sizeof(*map->v));
	map->v[i] = named;
	map->n++;
}

void *memory_map_remove(struct memory_map *map, const char *name)
{
	struct memory_named *named;
	size_t i;

	if (!find(map, name, &i))
		return NULL;
	named = map->v[i];
	memmove(map->v + i, map->v + i + 1, (map->n - i - 1) * sizeof(*map->v));
	map->n--;
	return named;
}
