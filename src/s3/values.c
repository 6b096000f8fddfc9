/* The values that xacctfs/s3/store.h hands out: how they end, and what is looked up in them. */
#include "xacctfs/s3/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/array.h"

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

void object_deinit(struct object *object)
{
	for (size_t i = 0; i < object->n_meta; i++) {
		free(object->meta[i].name);
		free(object->meta[i].value);
	}
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
