#include <errno.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"

#include "memory_private.h"

/* ---- values ---- */

static char *copy_text(const char *text)
{
	return text ? memory_must(strdup(text)) : NULL;
}

static void copy_meta(const struct object_meta *from, size_t n, struct object *to)
{
	to->meta = memory_must(calloc(n + 1, sizeof(*to->meta)));
	to->n_meta = n;
	for (size_t i = 0; i < n; i++)
		to->meta[i] = (struct object_meta){memory_must(strdup(from[i].name)),
						   memory_must(strdup(from[i].value))};
}

struct object memory_told_copy(const struct object *from)
{
	struct object to = {
	    .size = from->size,
	    .mtime_ms = from->mtime_ms,
	    .etag = copy_text(from->etag),
	    .content_type = copy_text(from->content_type),
	    .version_id = copy_text(from->version_id),
	    .storage_class = copy_text(from->storage_class),
	    .encryption = copy_text(from->encryption),
	};

	for (size_t i = 0; i < OBJECT_HEADERS; i++)
		to.headers[i] = copy_text(from->headers[i]);
	copy_meta(from->meta, from->n_meta, &to);
	return to;
}

/* What the answer to a write tells of the object; its size only that to a put. */
static struct object told_of_write(const struct object *from, uint64_t size)
{
	return (struct object){
	    .size = size,
	    .mtime_ms = memory_header_date(from->mtime_ms),
	    .etag = copy_text(from->etag),
	    .version_id = copy_text(from->version_id),
	};
}

int64_t memory_header_date(int64_t ms)
{
	return ms - ms % 1000;
}

int memory_check_key(const char *key)
{
	if (key[0] == '\0')
		return -EINVAL;
	return strlen(key) > S3_KEY_MAX ? -ENAMETOOLONG : 0;
}

void memory_describe(struct object *told, const struct put_params *params)
{
	static const struct put_params none;

	if (!params)
		params = &none;
	told->content_type = copy_text(params->content_type ? params->content_type : MEMORY_TYPE);
	told->storage_class = copy_text(params->storage_class);
	for (size_t i = 0; params->headers && i < OBJECT_HEADERS; i++)
		told->headers[i] = copy_text(params->headers[i]);
	copy_meta(params->meta, params->n_meta, told);
}

void memory_object_free(struct memory_object *object)
{
	if (!object)
		return;
	object_deinit(&object->told);
	memory_content_deinit(&object->content);
	free(object->named.name);
	free(object);
}

struct memory_object *memory_object_new(struct memory_store *s3, const char *key,
					const struct object *source, struct memory_content *content,
					char *etag)
{
	struct memory_object *object = memory_must(calloc(1, sizeof(*object)));

	object->named.name = memory_must(strdup(key));
	object->told = memory_told_copy(source);
	free(object->told.etag);
	object->told.etag = etag;
	object->told.size = content->size;
	object->told.mtime_ms = s3->clock->wall_ms(s3->clock);
	object->content = *content;
	*content = (struct memory_content){0};
	return object;
}

/* ---- the account ---- */

struct memory_object *memory_object_locked(struct memory_store *s3, const struct object_id *id)
{
	struct memory_bucket *bucket = memory_bucket_locked(s3, id->bucket);

	return bucket ? memory_map_find(&bucket->objects, id->key) : NULL;
}

void memory_object_install_locked(struct memory_bucket *bucket, struct memory_object *object)
{
	memory_object_free(memory_map_remove(&bucket->objects, object->named.name));
	memory_map_insert(&bucket->objects, &object->named);
}

int memory_conditions(const struct memory_object *old, const struct put_params *params)
{
	if (!params)
		return 0;
	if (params->if_none_match && old)
		return -EEXIST;
	if (params->if_match && (!old || strcmp(old->told.etag, params->if_match) != 0))
		return -ESTALE;
	return 0;
}

/* Takes object, whatever it returns; ret_told may be NULL. */
static int install(struct memory_store *s3, const char *bucket_name, struct memory_object *object,
		   const struct put_params *params, struct object *ret_told)
{
	struct memory_bucket *bucket;
	int r = -ENOENT;

	pthread_mutex_lock(&s3->lock);
	bucket = memory_bucket_locked(s3, bucket_name);
	if (bucket)
		r = memory_conditions(memory_map_find(&bucket->objects, object->named.name),
				      params);
	if (r == 0) {
		if (ret_told)
			*ret_told = told_of_write(&object->told, object->told.size);
		memory_object_install_locked(bucket, steal(&object));
	}
	pthread_mutex_unlock(&s3->lock);
	memory_object_free(object);
	return r;
}

/* The call's end: told is the caller's when it is 0 and the caller wants it. */
static int answer(struct memory_call *c, int r, struct object *told, struct object *ret_object)
{
	r = memory_end(c, r);
	if (r == 0 && ret_object)
		*ret_object = *told;
	else
		object_deinit(told);
	return r;
}

/* ---- head and get ---- */

int memory_head_object(struct store *store, struct call *call, const struct object_id *id,
		       struct object *ret_object)
{
	struct memory_store *s3 = memory_of(store);
	struct object told = {0};
	struct memory_call c;
	int r = memory_begin(&c, store, call, MEMORY_HEAD_OBJECT, id->bucket, id->key);

	if (r < 0)
		return r;
	if (memory_stat(s3, id->bucket, id->key, &told))
		told.mtime_ms = memory_header_date(told.mtime_ms);
	else
		r = -ENOENT;
	return answer(&c, r, &told, ret_object);
}

static bool archived(const struct object *told)
{
	return told->storage_class && (!strcmp(told->storage_class, "GLACIER") ||
				       !strcmp(told->storage_class, "DEEP_ARCHIVE"));
}

/* The range of the object as it is now, and what is told of it. */
static int get_locked(struct memory_store *s3, const struct object_id *id,
		      const struct get_params *params, struct memory_content *ret_content,
		      struct object *ret_told)
{
	const struct memory_object *object = memory_object_locked(s3, id);

	if (!object)
		return -ENOENT;
	if (params->if_match && strcmp(params->if_match, object->told.etag) != 0)
		return -ESTALE;
	if (archived(&object->told))
		return -EACCES;
	if (params->offset >= object->content.size)
		return -ERANGE;
	memory_content_add_range(ret_content, &object->content, params->offset, params->len);
	*ret_told = memory_told_copy(&object->told);
	ret_told->mtime_ms = memory_header_date(ret_told->mtime_ms);
	return 0;
}

/* Up to limit bytes from there; how many they are. */
static size_t next_piece(struct memory_store *s3, const struct memory_content *content,
			 uint64_t offset, uint64_t limit, const uint8_t **ret_bytes)
{
	size_t n = memory_content_at(content, offset, ret_bytes);

	if (n > limit)
		n = (size_t)limit;
	return n < s3->get_size ? n : s3->get_size;
}

/* Feeds the sink, up to where the call is to be cut. */
static int feed(struct memory_call *c, const struct get_params *params,
		const struct memory_content *content)
{
	bool cut = c->cut_error < 0;
	uint64_t end = cut && c->cut_bytes < content->size ? c->cut_bytes : content->size;
	const uint8_t *bytes;
	uint64_t at = 0;
	int r = 0;

	while (r == 0 && at < end) {
		size_t n = next_piece(c->s3, content, at, end - at, &bytes);

		if (at > 0)
			r = memory_between(c);
		if (r != 0)
			break;
		pthread_mutex_lock(&c->s3->lock);
		c->s3->bytes_got += n;
		pthread_mutex_unlock(&c->s3->lock);
		r = params->sink(params->sink_data, bytes, n);
		at += n;
	}
	return r == 0 && cut ? c->cut_error : r;
}

int memory_get_object(struct store *store, struct call *call, const struct object_id *id,
		      const struct get_params *params, struct object *ret_object)
{
	struct memory_store *s3 = memory_of(store);
	struct memory_content content = {0};
	struct object told = {0};
	struct memory_call c;
	int r = memory_begin(&c, store, call, MEMORY_GET_OBJECT, id->bucket, id->key);

	if (r < 0)
		return r;
	r = params->len == 0 ? -EINVAL : 0;
	if (r == 0) {
		pthread_mutex_lock(&s3->lock);
		r = get_locked(s3, id, params, &content, &told);
		pthread_mutex_unlock(&s3->lock);
	}
	if (r == 0 && params->told)
		params->told(params->told_data, &told);
	if (r == 0)
		r = feed(&c, params, &content);
	memory_content_deinit(&content);
	return answer(&c, r, &told, ret_object);
}

/* ---- put and copy ---- */

static int put(struct memory_store *s3, const struct object_id *id, const struct put_params *params,
	       const void *data, size_t len, struct object *ret_told)
{
	struct memory_content content = {0};
	struct object description = {0};
	struct memory_object *object;
	int r = memory_check_key(id->key);

	if (r < 0)
		return r;
	if (len > s3->put_max)
		return -EFBIG;
	memory_content_add(&content, data, len);
	memory_describe(&description, params);
	object =
	    memory_object_new(s3, id->key, &description, &content, memory_content_etag(&content));
	object_deinit(&description);
	return install(s3, id->bucket, object, params, ret_told);
}

int memory_put_object(struct store *store, struct call *call, const struct object_id *id,
		      const struct put_params *params, const void *data, size_t len,
		      struct object *ret_object)
{
	struct memory_store *s3 = memory_of(store);
	struct object told = {0};
	struct memory_call c;
	int r = memory_begin(&c, store, call, MEMORY_PUT_OBJECT, id->bucket, id->key);

	if (r < 0)
		return r;
	pthread_mutex_lock(&s3->lock);
	s3->bytes_put += len;
	pthread_mutex_unlock(&s3->lock);
	r = put(s3, id, params, data, len, &told);
	return answer(&c, r, &told, ret_object);
}

/* Onto itself only with something replaced (AWS: InvalidRequest). */
static int check_copy(struct memory_store *s3, const struct object_id *source,
		      const struct object_id *target, const struct copy_params *params,
		      const struct memory_object *object)
{
	if (!object)
		return -ENOENT;
	if (params->if_match && strcmp(params->if_match, object->told.etag) != 0)
		return -ESTALE;
	if (object->content.size > s3->put_max)
		return -EFBIG;
	if (archived(&object->told))
		return -EACCES;
	if (!params->replace && !strcmp(source->bucket, target->bucket) &&
	    !strcmp(source->key, target->key))
		return -EINVAL;
	return memory_check_key(target->key);
}

/* Neither the class nor the redirect is the source's (API Reference, CopyObject). */
static struct object copied_description(const struct object *source, const char *storage_class)
{
	struct object copy = memory_told_copy(source);

	free(copy.storage_class);
	copy.storage_class = copy_text(storage_class);
	free(copy.headers[OBJECT_WEBSITE_REDIRECT]);
	copy.headers[OBJECT_WEBSITE_REDIRECT] = NULL;
	return copy;
}

static struct memory_object *copy_of(struct memory_store *s3, const struct memory_object *source,
				     const char *key, const struct copy_params *params)
{
	struct memory_content content = {0};
	struct object description = {0};
	struct memory_object *object;

	if (params->replace)
		memory_describe(&description, params->replace);
	else
		description = copied_description(&source->told, params->storage_class);
	memory_content_add_range(&content, &source->content, 0, source->content.size);
	object = memory_object_new(s3, key, &description, &content, memory_content_etag(&content));
	object_deinit(&description);
	return object;
}

static int copy_locked(struct memory_store *s3, const struct object_id *source,
		       const struct object_id *target, const struct copy_params *params,
		       struct object *ret_told)
{
	struct memory_bucket *bucket = memory_bucket_locked(s3, target->bucket);
	const struct memory_object *from = memory_object_locked(s3, source);
	int r = bucket ? check_copy(s3, source, target, params, from) : -ENOENT;
	struct memory_object *object;

	if (r < 0)
		return r;
	object = copy_of(s3, from, target->key, params);
	*ret_told = told_of_write(&object->told, 0);
	memory_object_install_locked(bucket, object);
	return 0;
}

int memory_copy_object(struct store *store, struct call *call, const struct object_id *source,
		       const struct object_id *target, const struct copy_params *params,
		       struct object *ret_object)
{
	static const struct copy_params none;
	struct memory_store *s3 = memory_of(store);
	struct object told = {0};
	struct memory_call c;
	int r = memory_begin(&c, store, call, MEMORY_COPY_OBJECT, target->bucket, target->key);

	if (r < 0)
		return r;
	pthread_mutex_lock(&s3->lock);
	r = copy_locked(s3, source, target, params ? params : &none, &told);
	pthread_mutex_unlock(&s3->lock);
	return answer(&c, r, &told, ret_object);
}

/* ---- delete ---- */

/* An object with another ETag than if_match, which may be NULL, stays. */
static int delete_one(struct memory_store *s3, const char *bucket_name, const char *key,
		      const char *if_match)
{
	struct memory_object *object = NULL, *old;
	struct memory_bucket *bucket;

	pthread_mutex_lock(&s3->lock);
	bucket = memory_bucket_locked(s3, bucket_name);
	old = bucket ? memory_map_find(&bucket->objects, key) : NULL;
	if (old && (!if_match || !strcmp(old->told.etag, if_match)))
		object = memory_map_remove(&bucket->objects, key);
	pthread_mutex_unlock(&s3->lock);
	memory_object_free(object);
	return bucket ? 0 : -ENOENT;
}

int memory_delete_object(struct store *store, struct call *call, const struct object_id *id,
			 const char *if_match)
{
	struct memory_call c;
	int r = memory_begin(&c, store, call, MEMORY_DELETE_OBJECT, id->bucket, id->key);

	if (r < 0)
		return r;
	return memory_end(&c, delete_one(memory_of(store), id->bucket, id->key, if_match));
}

static int delete_some(struct memory_store *s3, const char *bucket, const char *const *keys,
		       const char *const *etags, size_t n)
{
	int first = 0;

	if (n < 1 || n > S3_DELETE_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		int r = memory_refusal(s3, bucket, keys[i]);

		if (r == 0)
			r = delete_one(s3, bucket, keys[i], etags ? etags[i] : NULL);
		if (first == 0)
			first = r;
	}
	return first;
}

int memory_delete_objects(struct store *store, struct call *call, const char *bucket,
			  const char *const *keys, const char *const *etags, size_t n)
{
	struct memory_call c;
	int r = memory_begin(&c, store, call, MEMORY_DELETE_OBJECTS, bucket, NULL);

	if (r < 0)
		return r;
	return memory_end(&c, delete_some(memory_of(store), bucket, keys, etags, n));
}
