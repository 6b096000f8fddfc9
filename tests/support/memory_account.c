/* What a test does to the account as another client, and what it looks at in it. */
#include <string.h>

#include "memory_private.h"

static void replace_text(char **text, const char *with)
{
	if (!with)
		return;
	free(*text);
	*text = memory_must(strdup(with));
}

/* Takes content. */
static void put_content(struct memory_store *s3, const char *bucket_name, const char *key,
			struct memory_content *content, const struct object *as)
{
	static const struct object nothing;
	struct memory_bucket *bucket;
	struct memory_object *object;

	object =
	    memory_object_new(s3, key, as ? as : &nothing, content, memory_content_etag(content));
	if (!object->told.content_type)
		replace_text(&object->told.content_type, MEMORY_TYPE);
	if (as && as->mtime_ms != 0)
		object->told.mtime_ms = as->mtime_ms;
	if (as)
		replace_text(&object->told.etag, as->etag);
	pthread_mutex_lock(&s3->lock);
	bucket = memory_must(memory_bucket_locked(s3, bucket_name));
	memory_object_install_locked(bucket, object);
	pthread_mutex_unlock(&s3->lock);
}

void memory_put_as(struct memory_store *s3, const char *bucket, const char *key, const void *data,
		   size_t len, const struct object *as)
{
	struct memory_content content = {0};

	memory_content_add(&content, data, len);
	put_content(s3, bucket, key, &content, as);
}

void memory_put(struct memory_store *s3, const char *bucket, const char *key, const void *data,
		size_t len)
{
	memory_put_as(s3, bucket, key, data, len, NULL);
}

void memory_put_zeros(struct memory_store *s3, const char *bucket, const char *key, uint64_t len)
{
	struct memory_content content = {0};

	memory_content_add_zeros(&content, len);
	put_content(s3, bucket, key, &content, NULL);
}

bool memory_remove(struct memory_store *s3, const char *bucket_name, const char *key)
{
	struct memory_object *object = NULL;
	struct memory_bucket *bucket;

	pthread_mutex_lock(&s3->lock);
	bucket = memory_bucket_locked(s3, bucket_name);
	if (bucket)
		object = memory_map_remove(&bucket->objects, key);
	pthread_mutex_unlock(&s3->lock);
	if (!object)
		return false;
	memory_object_free(object);
	return true;
}

/* ---- what is there ---- */

bool memory_has(struct memory_store *s3, const char *bucket, const char *key)
{
	bool has;

	pthread_mutex_lock(&s3->lock);
	has = memory_object_locked(s3, &(struct object_id){bucket, key});
	pthread_mutex_unlock(&s3->lock);
	return has;
}

/* The bytes to deinit; false when there is no such object. */
static bool content_of(struct memory_store *s3, const char *bucket, const char *key,
		       struct memory_content *ret_content)
{
	const struct memory_object *object;

	pthread_mutex_lock(&s3->lock);
	object = memory_object_locked(s3, &(struct object_id){bucket, key});
	if (object)
		memory_content_add_range(ret_content, &object->content, 0, object->content.size);
	pthread_mutex_unlock(&s3->lock);
	return object;
}

bool memory_read(struct memory_store *s3, const char *bucket, const char *key,
		 struct buf *ret_bytes)
{
	struct memory_content content = {0};
	bool there = content_of(s3, bucket, key, &content);
	const uint8_t *bytes;

	for (uint64_t at = 0; at < content.size;) {
		size_t n = memory_content_at(&content, at, &bytes);

		if (buf_add(ret_bytes, bytes, n) < 0)
			abort();
		at += n;
	}
	memory_content_deinit(&content);
	return there;
}

bool memory_is(struct memory_store *s3, const char *bucket, const char *key, const void *data,
	       size_t len)
{
	struct memory_content content = {0};
	bool same = content_of(s3, bucket, key, &content) && content.size == len;
	const uint8_t *bytes;

	for (uint64_t at = 0; same && at < len;) {
		size_t n = memory_content_at(&content, at, &bytes);

		same = !memcmp((const uint8_t *)data + at, bytes, n);
		at += n;
	}
	memory_content_deinit(&content);
	return same;
}

bool memory_stat(struct memory_store *s3, const char *bucket, const char *key,
		 struct object *ret_object)
{
	const struct memory_object *object;

	pthread_mutex_lock(&s3->lock);
	object = memory_object_locked(s3, &(struct object_id){bucket, key});
	if (object)
		*ret_object = memory_told_copy(&object->told);
	pthread_mutex_unlock(&s3->lock);
	return object;
}

static size_t count(struct memory_store *s3, const char *name, bool of_uploads)
{
	size_t n = 0;

	pthread_mutex_lock(&s3->lock);
	for (size_t i = 0; i < s3->buckets.n; i++) {
		const struct memory_bucket *bucket = (struct memory_bucket *)s3->buckets.v[i];

		if (!name || !strcmp(bucket->named.name, name))
			n += of_uploads ? bucket->uploads.n : bucket->objects.n;
	}
	pthread_mutex_unlock(&s3->lock);
	return n;
}

size_t memory_objects(struct memory_store *s3, const char *bucket)
{
	return count(s3, bucket, false);
}

size_t memory_uploads(struct memory_store *s3, const char *bucket)
{
	return count(s3, bucket, true);
}

void memory_keys(struct memory_store *s3, const char *bucket_name, struct buf *ret_keys)
{
	const struct memory_bucket *bucket;

	pthread_mutex_lock(&s3->lock);
	bucket = memory_bucket_locked(s3, bucket_name);
	for (size_t i = 0; bucket && i < bucket->objects.n; i++)
		if (buf_printf(ret_keys, "%s\n", bucket->objects.v[i]->name) < 0)
			abort();
	pthread_mutex_unlock(&s3->lock);
}
