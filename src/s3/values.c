/* The values that xacctfs/s3/store.h hands out: how they end, and what is looked up in them. */
#include "xacctfs/s3/store.h"

#include <stdlib.h>
#include <string.h>

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
