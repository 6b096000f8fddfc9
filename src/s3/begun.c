#include "begun.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct begun_entry {
	struct s3_begun upload;
	struct begun_entry *prev, *next;
};

static void upload_deinit(struct s3_begun *upload)
{
	free(upload->bucket);
	free(upload->key);
	free(upload->upload_id);
}

static void entry_free(struct begun_entry *entry)
{
	upload_deinit(&entry->upload);
	free(entry);
}

/* All of it, or -ENOMEM and nothing. */
static int upload_init(struct s3_begun *upload, const char *bucket, const char *key,
		       const char *upload_id, int64_t begun_ms)
{
	*upload = (struct s3_begun){strdup(bucket), strdup(key), strdup(upload_id), begun_ms};
	if (upload->bucket && upload->key && upload->upload_id)
		return 0;
	upload_deinit(upload);
	return -ENOMEM;
}

void begun_init(struct begun *begun)
{
	begun->entries = NULL;
	pthread_mutex_init(&begun->lock, NULL);
}

void begun_deinit(struct begun *begun)
{
	struct begun_entry *entry, *next;

	DL_FOREACH_SAFE (begun->entries, entry, next)
		entry_free(entry);
	pthread_mutex_destroy(&begun->lock);
}

void begun_add(struct begun *begun, const struct object_id *id, const char *upload_id,
	       int64_t begun_ms)
{
	struct begun_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return;
	if (upload_init(&entry->upload, id->bucket, id->key, upload_id, begun_ms) < 0) {
		free(entry);
		return;
	}
	pthread_mutex_lock(&begun->lock);
	DL_APPEND(begun->entries, entry);
	pthread_mutex_unlock(&begun->lock);
}

void begun_remove(struct begun *begun, const char *upload_id)
{
	struct begun_entry *entry;

	pthread_mutex_lock(&begun->lock);
	DL_FOREACH (begun->entries, entry) {
		if (!strcmp(entry->upload.upload_id, upload_id))
			break;
	}
	if (entry)
		DL_DELETE(begun->entries, entry);
	pthread_mutex_unlock(&begun->lock);
	if (entry)
		entry_free(entry);
}

static int copy_locked(const struct begun *begun, struct s3_begun_list *list)
{
	const struct begun_entry *entry;
	size_t n;

	DL_COUNT(begun->entries, entry, n);
	list->v = calloc(n + 1, sizeof(*list->v));
	if (!list->v)
		return -ENOMEM;
	DL_FOREACH (begun->entries, entry) {
		const struct s3_begun *from = &entry->upload;
		int r = upload_init(&list->v[list->n], from->bucket, from->key, from->upload_id,
				    from->begun_ms);

		if (r < 0)
			return r;
		list->n++;
	}
	return 0;
}

int begun_list(struct begun *begun, struct s3_begun_list *ret_list)
{
	struct s3_begun_list list = {0};
	int r;

	pthread_mutex_lock(&begun->lock);
	r = copy_locked(begun, &list);
	pthread_mutex_unlock(&begun->lock);
	if (r < 0)
		s3_begun_list_deinit(&list);
	else
		*ret_list = list;
	return r;
}

void s3_begun_list_deinit(struct s3_begun_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		upload_deinit(&list->v[i]);
	free(list->v);
	*list = (struct s3_begun_list){0};
}
