#include "region.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "xacctfs/util/cleanup.h"

struct region_entry {
	char region[S3_REGION_MAX + 1];
	UT_hash_handle hh;
	char bucket[];
};

void region_map_init(struct region_map *map)
{
	pthread_mutex_init(&map->lock, NULL);
	map->entries = NULL;
}

void region_map_deinit(struct region_map *map)
{
	struct region_entry *entry, *next;

	HASH_ITER (hh, map->entries, entry, next) {
		HASH_DEL(map->entries, entry);
		free(entry);
	}
	pthread_mutex_destroy(&map->lock);
}

bool region_valid(const char *region)
{
	size_t len = strlen(region);

	if (len == 0 || len > S3_REGION_MAX || region[0] == '-' || region[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!islower((unsigned char)region[i]) && !isdigit((unsigned char)region[i]) &&
		    region[i] != '-')
			return false;
	return true;
}

static struct region_entry *find_locked(struct region_map *map, const char *bucket)
{
	struct region_entry *entry;

	HASH_FIND_STR(map->entries, bucket, entry);
	return entry;
}

void region_map_set(struct region_map *map, const char *bucket, const char *region)
{
	struct region_entry *entry;
	size_t len = strlen(bucket) + 1;

	if (!region_valid(region))
		return;
	pthread_mutex_lock(&map->lock);
	entry = find_locked(map, bucket);
	if (!entry) {
		entry = calloc(1, sizeof(*entry) + len);
		if (entry) {
			memcpy(entry->bucket, bucket, len);
			HASH_ADD_STR(map->entries, bucket, entry);
		}
	}
	if (entry)
		strcpy(entry->region, region);
	pthread_mutex_unlock(&map->lock);
}

void region_map_forget(struct region_map *map, const char *bucket)
{
	struct region_entry *entry;

	pthread_mutex_lock(&map->lock);
	entry = find_locked(map, bucket);
	if (entry)
		HASH_DEL(map->entries, entry);
	pthread_mutex_unlock(&map->lock);
	free(entry);
}

int region_map_get(struct region_map *map, const char *bucket, char ret_region[S3_REGION_MAX + 1])
{
	struct region_entry *entry;

	pthread_mutex_lock(&map->lock);
	entry = find_locked(map, bucket);
	if (entry)
		strcpy(ret_region, entry->region);
	pthread_mutex_unlock(&map->lock);
	return entry ? 0 : -ENODATA;
}
