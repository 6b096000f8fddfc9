/* ListObjectsV2 (Amazon S3 API Reference). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/array.h"

#include "memory_private.h"

/* A token is the last entry, behind one of these. */
#define TOKEN_KEY    'k'
#define TOKEN_PREFIX 'p'

static char *token_of(const struct object_entry *entry)
{
	char *token;

	if (asprintf(&token, "%c%s", entry->is_prefix ? TOKEN_PREFIX : TOKEN_KEY, entry->key) < 0)
		abort();
	return token;
}

/* The index of the first name behind this one. */
static size_t behind(const struct memory_map *objects, const char *name)
{
	size_t i = memory_map_from(objects, name);

	return i < objects->n && !strcmp(objects->v[i]->name, name) ? i + 1 : i;
}

/* The common prefix that key counts to, to free(), or NULL. key begins with the prefix. */
static char *common_prefix(const struct list_params *params, const char *key)
{
	const char *slash = params->delimited ? strchr(key + strlen(params->prefix), '/') : NULL;

	return slash ? memory_must(strndup(key, (size_t)(slash + 1 - key))) : NULL;
}

static bool within(const struct list_params *params, const char *key)
{
	return !strncmp(key, params->prefix, strlen(params->prefix));
}

static size_t behind_start(const struct memory_store *s3, const struct memory_map *objects,
			   const struct list_params *params)
{
	char *common = NULL;
	size_t i;

	if (s3->start_after_skips && within(params, params->start_after))
		common = common_prefix(params, params->start_after);
	i = common ? memory_map_past(objects, common) : behind(objects, params->start_after);
	free(common);
	return i;
}

/* Where the page begins. A token says it all: start_after counts for the first page only. */
static int first(const struct memory_store *s3, const struct memory_map *objects,
		 const struct list_params *params, size_t *ret_index)
{
	size_t i = memory_map_from(objects, params->prefix), from = 0;

	if (params->token && params->token[0] == TOKEN_KEY)
		from = behind(objects, params->token + 1);
	else if (params->token && params->token[0] == TOKEN_PREFIX)
		from = memory_map_past(objects, params->token + 1);
	else if (params->token)
		return -EINVAL;
	else if (params->start_after)
		from = behind_start(s3, objects, params);
	*ret_index = i > from ? i : from;
	return 0;
}

static void add(struct object_page *page, struct object_entry entry)
{
	if (array_grow(&page->v, page->n, sizeof(*page->v)) < 0)
		abort();
	page->v[page->n++] = entry;
}

static void add_key(const struct memory_store *s3, const struct memory_object *object,
		    struct object_page *page)
{
	const struct object *told = &object->told;
	struct object_entry entry = {
	    .key = memory_must(strdup(object->named.name)),
	    .size = told->size,
	    .mtime_ms = s3->listing_millis ? told->mtime_ms : memory_header_date(told->mtime_ms),
	    .etag = memory_must(strdup(told->etag)),
	};

	if (told->storage_class)
		snprintf(entry.storage_class, sizeof(entry.storage_class), "%s",
			 told->storage_class);
	add(page, entry);
}

/* Adds the entry of that index. Returns the index of the next one. */
static size_t add_entry(const struct memory_store *s3, const struct memory_map *objects, size_t i,
			const struct list_params *params, struct object_page *page)
{
	const struct memory_object *object = (struct memory_object *)objects->v[i];
	char *common = common_prefix(params, object->named.name);

	if (common) {
		add(page, (struct object_entry){.key = common, .is_prefix = true});
		return memory_map_past(objects, common);
	}
	add_key(s3, object, page);
	return i + 1;
}

static int fill_locked(struct memory_store *s3, const struct memory_map *objects,
		       const struct list_params *params, struct object_page *page)
{
	size_t max = (size_t)params->max_keys, i;
	int r = first(s3, objects, params, &i);

	if (r < 0)
		return r;
	if (max > s3->listing_size)
		max = s3->listing_size;
	while (i < objects->n && page->n < max && within(params, objects->v[i]->name))
		i = add_entry(s3, objects, i, params, page);
	if (max == 0)
		page->next_token = memory_must(strdup(params->token ? params->token : "k"));
	else if (i < objects->n && within(params, objects->v[i]->name))
		page->next_token = token_of(&page->v[page->n - 1]);
	return 0;
}

static int list(struct memory_store *s3, const char *name, const struct list_params *params,
		struct object_page *page)
{
	const struct memory_bucket *bucket;
	int r = -ENOENT;

	if (!params->prefix || params->max_keys < 1 || params->max_keys > MEMORY_LISTING)
		return -EINVAL;
	pthread_mutex_lock(&s3->lock);
	bucket = memory_bucket_locked(s3, name);
	if (bucket)
		r = fill_locked(s3, &bucket->objects, params, page);
	pthread_mutex_unlock(&s3->lock);
	return r;
}

int memory_list_objects(struct store *store, struct call *call, const char *bucket,
			const struct list_params *params, struct object_page *ret_page)
{
	struct object_page page = {0};
	struct memory_call c;
	int r = memory_begin(&c, store, call, MEMORY_LIST_OBJECTS, bucket, params->prefix);

	if (r < 0)
		return r;
	r = memory_end(&c, list(memory_of(store), bucket, params, &page));
	if (r == 0)
		*ret_page = page;
	else
		object_page_deinit(&page);
	return r;
}
