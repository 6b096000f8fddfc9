#include "memory_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/clock.h"

#define PATIENCE_S 10

struct memory_bucket {
	struct memory_named named; /* first */
	int64_t created_ms;
	char region[S3_REGION_MAX + 1];
	bool region_known; /* to the client */
};

/* A test that has no memory has no result either. */
static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

/* ---- things with names ---- */

/* The index of name, or of where it would stand. */
static size_t map_position(const struct memory_map *map, const char *name, bool *ret_found)
{
	size_t low = 0, high = map->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(map->v[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_found = low < map->n && !strcmp(map->v[low]->name, name);
	return low;
}

static void *map_find(const struct memory_map *map, const char *name)
{
	bool found;
	size_t i = map_position(map, name, &found);

	return found ? map->v[i] : NULL;
}

/* The name is not there yet. */
static void map_insert(struct memory_map *map, struct memory_named *named)
{
	bool found;
	size_t i = map_position(map, named->name, &found);

	map->v = must(reallocarray(map->v, map->n + 1, sizeof(*map->v)));
	memmove(map->v + i + 1, map->v + i, (map->n - i) * sizeof(*map->v));
	map->v[i] = named;
	map->n++;
}

/* What was taken out, or NULL. */
static void *map_remove(struct memory_map *map, const char *name)
{
	bool found;
	size_t i = map_position(map, name, &found);
	struct memory_named *named;

	if (!found)
		return NULL;
	named = map->v[i];
	memmove(map->v + i, map->v + i + 1, (map->n - i - 1) * sizeof(*map->v));
	map->n--;
	return named;
}

/* ---- buckets ---- */

static struct memory_bucket *bucket_new(const char *name, int64_t created_ms, const char *region)
{
	struct memory_bucket *bucket = must(calloc(1, sizeof(*bucket)));

	bucket->named.name = must(strdup(name));
	bucket->created_ms = created_ms;
	snprintf(bucket->region, sizeof(bucket->region), "%s", region);
	return bucket;
}

static void bucket_free(struct memory_bucket *bucket)
{
	if (!bucket)
		return;
	free(bucket->named.name);
	free(bucket);
}

/* ---- what every call goes through ---- */

static struct memory_store *of(struct store *store)
{
	return (struct memory_store *)store;
}

static void wake(void *data)
{
	struct memory_store *s3 = data;

	pthread_mutex_lock(&s3->lock);
	pthread_cond_broadcast(&s3->changed);
	pthread_mutex_unlock(&s3->lock);
}

/* Waits while the test holds calls there. 0, or as call_check. */
static int wait_for_test(struct memory_store *s3, struct call *call, enum memory_op op,
			 enum memory_when when)
{
	struct memory_calls *calls = &s3->calls[op];
	struct call_watch watch;
	size_t held = 0;
	int r;

	call_watch(call, &watch, wake, s3);
	pthread_mutex_lock(&s3->lock);
	for (;;) {
		/* the call's lock comes before this one */
		pthread_mutex_unlock(&s3->lock);
		r = call_check(call);
		pthread_mutex_lock(&s3->lock);
		if (r < 0 || !calls->hold[when])
			break;
		if (held == 0) {
			held = 1;
			calls->held++;
			pthread_cond_broadcast(&s3->changed);
		}
		call->clock->wait(call->clock, &s3->changed, &s3->lock, call->deadline_ms);
	}
	calls->held -= held;
	pthread_mutex_unlock(&s3->lock);
	call_unwatch(call, &watch);
	return r;
}

static int run_hook(struct memory_store *s3, enum memory_op op, enum memory_when when,
		    const char *name)
{
	memory_hook_fn *hook;
	void *data;

	pthread_mutex_lock(&s3->lock);
	hook = s3->hook;
	data = s3->data;
	pthread_mutex_unlock(&s3->lock);
	return hook ? hook(data, op, when, name) : 0;
}

static int take_fault(struct memory_store *s3, enum memory_op op)
{
	struct memory_calls *calls = &s3->calls[op];
	int r = 0;

	pthread_mutex_lock(&s3->lock);
	if (calls->failures > 0) {
		calls->failures--;
		r = calls->error;
	}
	pthread_mutex_unlock(&s3->lock);
	return r;
}

/* 0 to go on and do it. */
static int before(struct memory_store *s3, struct call *call, enum memory_op op, const char *name)
{
	int r = call_check(call);

	if (r < 0)
		return r;
	pthread_mutex_lock(&s3->lock);
	s3->calls[op].n++;
	pthread_mutex_unlock(&s3->lock);
	r = run_hook(s3, op, MEMORY_BEFORE, name);
	if (r == 0)
		r = take_fault(s3, op);
	return r < 0 ? r : wait_for_test(s3, call, op, MEMORY_BEFORE);
}

/* 0 when the answer comes through. */
static int after(struct memory_store *s3, struct call *call, enum memory_op op, const char *name)
{
	int r = wait_for_test(s3, call, op, MEMORY_AFTER);

	return r < 0 ? r : run_hook(s3, op, MEMORY_AFTER, name);
}

/* ---- the store ---- */

static void add_locked(struct memory_store *s3, const char *prefix, struct memory_bucket *bucket,
		       struct bucket_page *page)
{
	if (prefix && !s3->ignores_prefix &&
	    strncmp(bucket->named.name, prefix, strlen(prefix)) != 0)
		return;
	if (bucket_page_add(page, bucket->named.name, bucket->created_ms) < 0)
		abort();
	bucket->region_known = bucket->region_known || !s3->without_regions;
}

/* A token is the last name that was looked at. */
static void fill_page(struct memory_store *s3, const char *prefix, const char *token,
		      struct bucket_page *page)
{
	const char *last = token ? token : "";
	size_t i;

	pthread_mutex_lock(&s3->lock);
	for (i = 0; i < s3->buckets.n && page->n < s3->page_size; i++) {
		struct memory_named *named = s3->buckets.v[i];

		if (token && strcmp(named->name, token) <= 0)
			continue;
		add_locked(s3, prefix, (struct memory_bucket *)named, page);
		last = named->name;
	}
	if (i < s3->buckets.n || s3->page_size == 0)
		page->next_token = must(strdup(last));
	pthread_mutex_unlock(&s3->lock);
}

static int list_buckets(struct store *store, struct call *call, const char *prefix,
			const char *token, struct bucket_page *ret_page)
{
	_cleanup_(bucket_page_deinit) struct bucket_page page = {0};
	struct memory_store *s3 = of(store);
	int r = before(s3, call, MEMORY_LIST_BUCKETS, NULL);

	if (r < 0)
		return r;
	fill_page(s3, prefix, token, &page);
	r = after(s3, call, MEMORY_LIST_BUCKETS, NULL);
	if (r < 0)
		return r;
	*ret_page = page;
	page = (struct bucket_page){0};
	return 0;
}

static int create_bucket(struct store *store, struct call *call, const char *name)
{
	struct memory_store *s3 = of(store);
	int r = before(s3, call, MEMORY_CREATE_BUCKET, name);
	struct memory_bucket *bucket;
	bool exists;

	if (r < 0)
		return r;
	pthread_mutex_lock(&s3->lock);
	exists = map_find(&s3->buckets, name);
	if (!exists) {
		bucket = bucket_new(name, s3->clock->wall_ms(s3->clock), MEMORY_REGION);
		bucket->region_known = true;
		map_insert(&s3->buckets, &bucket->named);
	}
	pthread_mutex_unlock(&s3->lock);
	return exists ? -EEXIST : after(s3, call, MEMORY_CREATE_BUCKET, name);
}

static int delete_bucket(struct store *store, struct call *call, const char *name)
{
	struct memory_store *s3 = of(store);
	int r = before(s3, call, MEMORY_DELETE_BUCKET, name);

	if (r < 0)
		return r;
	if (!memory_remove_bucket(s3, name))
		return -ENOENT;
	return after(s3, call, MEMORY_DELETE_BUCKET, name);
}

static int head_bucket(struct store *store, struct call *call, const char *name)
{
	struct memory_store *s3 = of(store);
	int r = before(s3, call, MEMORY_HEAD_BUCKET, name);
	struct memory_bucket *bucket;

	if (r < 0)
		return r;
	pthread_mutex_lock(&s3->lock);
	bucket = map_find(&s3->buckets, name);
	if (bucket)
		bucket->region_known = true;
	pthread_mutex_unlock(&s3->lock);
	return bucket ? after(s3, call, MEMORY_HEAD_BUCKET, name) : -ENOENT;
}

static int bucket_region(struct store *store, const char *name, char ret_region[S3_REGION_MAX + 1])
{
	struct memory_store *s3 = of(store);
	const struct memory_bucket *bucket;
	int r = -ENODATA;

	pthread_mutex_lock(&s3->lock);
	bucket = map_find(&s3->buckets, name);
	if (bucket && bucket->region_known) {
		memcpy(ret_region, bucket->region, sizeof(bucket->region));
		r = 0;
	}
	pthread_mutex_unlock(&s3->lock);
	return r;
}

static void deinit(struct store *store)
{
	memory_store_deinit(of(store));
}

/* ---- the test's side ---- */

void memory_store_init(struct memory_store *s3, struct clock *clock)
{
	*s3 = (struct memory_store){
	    .store = {list_buckets, create_bucket, delete_bucket, head_bucket, bucket_region,
		      deinit},
	    .clock = clock,
	    .page_size = SIZE_MAX,
	};
	pthread_mutex_init(&s3->lock, NULL);
	if (clock_cond_init(&s3->changed) < 0)
		abort();
}

void memory_store_deinit(struct memory_store *s3)
{
	for (size_t i = 0; i < s3->buckets.n; i++)
		bucket_free((struct memory_bucket *)s3->buckets.v[i]);
	free(s3->buckets.v);
	pthread_cond_destroy(&s3->changed);
	pthread_mutex_destroy(&s3->lock);
}

void memory_add_bucket(struct memory_store *s3, const char *name, int64_t created_ms,
		       const char *region)
{
	struct memory_bucket *bucket = bucket_new(name, created_ms, region);

	pthread_mutex_lock(&s3->lock);
	bucket_free(map_remove(&s3->buckets, name));
	map_insert(&s3->buckets, &bucket->named);
	pthread_mutex_unlock(&s3->lock);
}

bool memory_remove_bucket(struct memory_store *s3, const char *name)
{
	struct memory_bucket *bucket;

	pthread_mutex_lock(&s3->lock);
	bucket = map_remove(&s3->buckets, name);
	pthread_mutex_unlock(&s3->lock);
	if (!bucket)
		return false;
	bucket_free(bucket);
	return true;
}

bool memory_has_bucket(struct memory_store *s3, const char *name)
{
	bool has;

	pthread_mutex_lock(&s3->lock);
	has = map_find(&s3->buckets, name);
	pthread_mutex_unlock(&s3->lock);
	return has;
}

void memory_fail(struct memory_store *s3, enum memory_op op, size_t n, int error)
{
	pthread_mutex_lock(&s3->lock);
	s3->calls[op].failures = n;
	s3->calls[op].error = error;
	pthread_mutex_unlock(&s3->lock);
}

void memory_hook(struct memory_store *s3, memory_hook_fn *fn, void *data)
{
	pthread_mutex_lock(&s3->lock);
	s3->hook = fn;
	s3->data = data;
	pthread_mutex_unlock(&s3->lock);
}

void memory_hold(struct memory_store *s3, enum memory_op op, enum memory_when when)
{
	pthread_mutex_lock(&s3->lock);
	s3->calls[op].hold[when] = true;
	pthread_mutex_unlock(&s3->lock);
}

void memory_release(struct memory_store *s3, enum memory_op op)
{
	pthread_mutex_lock(&s3->lock);
	s3->calls[op].hold[MEMORY_BEFORE] = false;
	s3->calls[op].hold[MEMORY_AFTER] = false;
	pthread_cond_broadcast(&s3->changed);
	pthread_mutex_unlock(&s3->lock);
}

bool memory_wait_held(struct memory_store *s3, enum memory_op op, size_t n)
{
	struct timespec ts;
	bool done;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&s3->lock);
	while (!(done = s3->calls[op].held >= n) && r == 0)
		r = pthread_cond_timedwait(&s3->changed, &s3->lock, &ts);
	pthread_mutex_unlock(&s3->lock);
	return done;
}

size_t memory_count(struct memory_store *s3, enum memory_op op)
{
	size_t n;

	pthread_mutex_lock(&s3->lock);
	n = s3->calls[op].n;
	pthread_mutex_unlock(&s3->lock);
	return n;
}
