#include "memory_store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/clock.h"

#include "memory_private.h"

static struct memory_bucket *bucket_new(const char *name, int64_t created_ms, const char *region)
{
	struct memory_bucket *bucket = memory_must(calloc(1, sizeof(*bucket)));

	bucket->named.name = memory_must(strdup(name));
	bucket->created_ms = created_ms;
	snprintf(bucket->region, sizeof(bucket->region), "%s", region);
	return bucket;
}

static void bucket_free(struct memory_bucket *bucket)
{
	if (!bucket)
		return;
	for (size_t i = 0; i < bucket->objects.n; i++)
		memory_object_free((struct memory_object *)bucket->objects.v[i]);
	for (size_t i = 0; i < bucket->uploads.n; i++)
		memory_upload_free((struct memory_upload *)bucket->uploads.v[i]);
	free(bucket->objects.v);
	free(bucket->uploads.v);
	free(bucket->named.name);
	free(bucket);
}

struct memory_bucket *memory_bucket_locked(struct memory_store *s3, const char *name)
{
	return memory_map_find(&s3->buckets, name);
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
		page->next_token = memory_must(strdup(last));
	pthread_mutex_unlock(&s3->lock);
}

static int list_buckets(struct store *store, struct call *call, const char *prefix,
			const char *token, struct bucket_page *ret_page)
{
	_cleanup_(bucket_page_deinit) struct bucket_page page = {0};
	struct memory_store *s3 = memory_of(store);
	struct memory_call c;
	int r = memory_begin(&c, store, call, MEMORY_LIST_BUCKETS, NULL, NULL);

	if (r < 0)
		return r;
	fill_page(s3, prefix, token, &page);
	r = memory_end(&c, 0);
	if (r < 0)
		return r;
	*ret_page = page;
	page = (struct bucket_page){0};
	return 0;
}

static int create_bucket(struct store *store, struct call *call, const char *name)
{
	struct memory_store *s3 = memory_of(store);
	struct memory_call c;
	int r = memory_begin(&c, store, call, MEMORY_CREATE_BUCKET, name, NULL);
	struct memory_bucket *bucket;
	bool exists;

	if (r < 0)
		return r;
	pthread_mutex_lock(&s3->lock);
	exists = memory_bucket_locked(s3, name);
	if (!exists) {
		bucket = bucket_new(name, s3->clock->wall_ms(s3->clock), MEMORY_REGION);
		bucket->region_known = true;
		memory_map_insert(&s3->buckets, &bucket->named);
	}
	pthread_mutex_unlock(&s3->lock);
	return memory_end(&c, exists ? -EEXIST : 0);
}

static int delete_empty(struct memory_store *s3, const char *name)
{
	struct memory_bucket *bucket;
	int r = 0;

	pthread_mutex_lock(&s3->lock);
	bucket = memory_bucket_locked(s3, name);
	if (!bucket)
		r = -ENOENT;
	else if (bucket->objects.n > 0)
		r = -ENOTEMPTY;
	else
		bucket_free(memory_map_remove(&s3->buckets, name));
	pthread_mutex_unlock(&s3->lock);
	return r;
}

static int delete_bucket(struct store *store, struct call *call, const char *name)
{
	struct memory_store *s3 = memory_of(store);
	struct memory_call c;
	int r = memory_begin(&c, store, call, MEMORY_DELETE_BUCKET, name, NULL);

	if (r < 0)
		return r;
	return memory_end(&c, delete_empty(s3, name));
}

static int head_bucket(struct store *store, struct call *call, const char *name)
{
	struct memory_store *s3 = memory_of(store);
	struct memory_call c;
	int r = memory_begin(&c, store, call, MEMORY_HEAD_BUCKET, name, NULL);
	struct memory_bucket *bucket;

	if (r < 0)
		return r;
	pthread_mutex_lock(&s3->lock);
	bucket = memory_bucket_locked(s3, name);
	if (bucket)
		bucket->region_known = true;
	pthread_mutex_unlock(&s3->lock);
	return memory_end(&c, bucket ? 0 : -ENOENT);
}

static int bucket_region(struct store *store, const char *name, char ret_region[S3_REGION_MAX + 1])
{
	struct memory_store *s3 = memory_of(store);
	const struct memory_bucket *bucket;
	int r = -ENODATA;

	pthread_mutex_lock(&s3->lock);
	bucket = memory_bucket_locked(s3, name);
	if (bucket && bucket->region_known) {
		memcpy(ret_region, bucket->region, sizeof(bucket->region));
		r = 0;
	}
	pthread_mutex_unlock(&s3->lock);
	return r;
}

static void deinit(struct store *store)
{
	memory_store_deinit(memory_of(store));
}

/* ---- the test's side ---- */

void memory_store_init(struct memory_store *s3, struct clock *clock)
{
	*s3 = (struct memory_store){
	    .store =
		{
		    .list_buckets = list_buckets,
		    .create_bucket = create_bucket,
		    .delete_bucket = delete_bucket,
		    .head_bucket = head_bucket,
		    .bucket_region = bucket_region,
		    .list_objects = memory_list_objects,
		    .head_object = memory_head_object,
		    .get_object = memory_get_object,
		    .put_object = memory_put_object,
		    .copy_object = memory_copy_object,
		    .delete_object = memory_delete_object,
		    .delete_objects = memory_delete_objects,
		    .create_upload = memory_create_upload,
		    .upload_part = memory_upload_part,
		    .copy_part = memory_copy_part,
		    .complete_upload = memory_complete_upload,
		    .abort_upload = memory_abort_upload,
		    .list_uploads = memory_list_uploads,
		    .free = deinit,
		},
	    .clock = clock,
	    .page_size = SIZE_MAX,
	    .listing_size = MEMORY_LISTING,
	    .uploads_size = MEMORY_LISTING,
	    .get_size = MEMORY_GET_SIZE,
	    .part_min = S3_PART_MIN,
	    .put_max = S3_PUT_MAX,
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
	free(s3->denied);
	pthread_cond_destroy(&s3->changed);
	pthread_mutex_destroy(&s3->lock);
}

void memory_add_bucket(struct memory_store *s3, const char *name, int64_t created_ms,
		       const char *region)
{
	struct memory_bucket *bucket = bucket_new(name, created_ms, region);

	pthread_mutex_lock(&s3->lock);
	bucket_free(memory_map_remove(&s3->buckets, name));
	memory_map_insert(&s3->buckets, &bucket->named);
	pthread_mutex_unlock(&s3->lock);
}

bool memory_remove_bucket(struct memory_store *s3, const char *name)
{
	struct memory_bucket *bucket;

	pthread_mutex_lock(&s3->lock);
	bucket = memory_map_remove(&s3->buckets, name);
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
	has = memory_bucket_locked(s3, name);
	pthread_mutex_unlock(&s3->lock);
	return has;
}
