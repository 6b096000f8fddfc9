/* The values that xacctfs/s3/store.h hands out: how they end, and what is looked up in them. */
#include "xacctfs/s3/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/array.h"
#include "xacctfs/util/cleanup.h"

void bucket_page_deinit(struct bucket_page *page)
{
	for (size_t i = 0; i < page->n; i++)
		free(page->v[i].name);
	free(page->v);
	free(page->next_token);
	*page = (struct bucket_page){0};
}

int bucket_page_add(struct bucket_page *page, const char *name, int64_t created_ms)
{
	char *copy = strdup(name);

	if (!copy || array_grow(&page->v, page->n, sizeof(*page->v)) < 0) {
		free(copy);
		return -ENOMEM;
	}
	page->v[page->n++] = (struct bucket){.name = copy, .created_ms = created_ms};
	return 0;
}

const char *object_header_name(enum object_header header)
{
	static const char *const names[OBJECT_HEADERS] = {
	    [OBJECT_CACHE_CONTROL] = "Cache-Control",
	    [OBJECT_CONTENT_DISPOSITION] = "Content-Disposition",
	    [OBJECT_CONTENT_ENCODING] = "Content-Encoding",
	    [OBJECT_CONTENT_LANGUAGE] = "Content-Language",
	    [OBJECT_EXPIRES] = "Expires",
	    [OBJECT_WEBSITE_REDIRECT] = "x-amz-website-redirect-location",
	};

	return names[header];
}

static void meta_deinit(struct object_meta *meta)
{
	free(meta->name);
	free(meta->value);
}

void object_deinit(struct object *object)
{
	for (size_t i = 0; i < object->n_meta; i++)
		meta_deinit(&object->meta[i]);
	for (size_t i = 0; i < OBJECT_HEADERS; i++)
		free(object->headers[i]);
	free(object->meta);
	free(object->etag);
	free(object->content_type);
	free(object->version_id);
	free(object->storage_class);
	free(object->encryption);
	*object = (struct object){0};
}

const char *object_meta_get(const struct object *object, const char *name)
{
	for (size_t i = 0; i < object->n_meta; i++)
		if (!strcmp(object->meta[i].name, name))
			return object->meta[i].value;
	return NULL;
}

void object_meta_drop(struct object *object, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < object->n_meta; i++) {
		if (!strcmp(object->meta[i].name, name))
			meta_deinit(&object->meta[i]);
		else
			object->meta[kept++] = object->meta[i];
	}
	object->n_meta = kept;
}

/*
 * The archives' objects can't be read before they are restored, and those of special buckets are in
 * no others (Amazon S3 User Guide, "Understanding and managing Amazon S3 storage classes").
 */
const char *object_kept_class(const char *class)
{
	static const char *const kept[] = {"STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING",
					   "GLACIER_IR", "REDUCED_REDUNDANCY"};

	for (size_t i = 0; class && i < ARRAY_LEN(kept); i++)
		if (!strcmp(kept[i], class))
			return class;
	return NULL;
}

struct put_params object_put_params(const struct object *object)
{
	return (struct put_params){
	    .content_type = object->content_type,
	    .headers = object->headers,
	    .storage_class = object_kept_class(object->storage_class),
	    .meta = object->meta,
	    .n_meta = object->n_meta,
	};
}

static int copy_text(const char *text, char **ret_copy)
{
	*ret_copy = text ? strdup(text) : NULL;
	return text && !*ret_copy ? -ENOMEM : 0;
}

static int copy_meta(const struct put_params *params, struct object *object)
{
	object->meta = calloc(params->n_meta + 1, sizeof(*object->meta));
	if (!object->meta)
		return -ENOMEM;
	while (object->n_meta < params->n_meta) {
		const struct object_meta *from = &params->meta[object->n_meta];
		struct object_meta *to = &object->meta[object->n_meta++];

		if (copy_text(from->name, &to->name) < 0 || copy_text(from->value, &to->value) < 0)
			return -ENOMEM;
	}
	return 0;
}

int object_describe(struct object *object, const struct put_params *params)
{
	int r = copy_text(params->content_type, &object->content_type);

	if (r == 0)
		r = copy_text(params->storage_class, &object->storage_class);
	for (size_t i = 0; r == 0 && params->headers && i < OBJECT_HEADERS; i++)
		r = copy_text(params->headers[i], &object->headers[i]);
	if (r == 0)
		r = copy_meta(params, object);
	if (r < 0)
		object_deinit(object);
	return r;
}

void object_page_deinit(struct object_page *page)
{
	for (size_t i = 0; i < page->n; i++) {
		free(page->v[i].key);
		free(page->v[i].etag);
	}
	free(page->v);
	free(page->next_token);
	*page = (struct object_page){0};
}

void upload_page_deinit(struct upload_page *page)
{
	for (size_t i = 0; i < page->n; i++) {
		free(page->v[i].key);
		free(page->v[i].upload_id);
		free(page->v[i].initiator);
	}
	free(page->v);
	free(page->next_key);
	free(page->next_id);
	*page = (struct upload_page){0};
}
