/*
 * s3/region: which bucket is where, as told by listings, headers and redirects. Thread-safe.
 */
#ifndef S3_REGION_H
#define S3_REGION_H

#include <pthread.h>
#include <stdbool.h>

#include "xacctfs/s3/store.h"

struct region_entry;

struct region_map {
	pthread_mutex_t lock;
	struct region_entry *entries; /* lock */
};

void region_map_init(struct region_map *map);
void region_map_deinit(struct region_map *map);

/* True for what can be a region's name: what a server sends goes into a host name. */
bool region_valid(const char *region);

/* An invalid region, or no memory, leaves the map as it is: it is only a hint. */
void region_map_set(struct region_map *map, const char *bucket, const char *region);
void region_map_forget(struct region_map *map, const char *bucket);
/* Returns 0, or -ENODATA. */
int region_map_get(struct region_map *map, const char *bucket, char ret_region[S3_REGION_MAX + 1]);

#endif
