#include "content.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"
#include "xacctfs/util/waiter.h"

#include "private.h"

#define MIB ((uint64_t)1 << 20)

/* 1,000 of 8 MiB, 4,000 of 32 MiB, 5,000 of 1 GiB: 132 GiB, then up to 5.01 TiB. */
uint64_t content_part_size(int number)
{
	if (number <= 1000)
		return 8 * MIB;
	return number <= 5000 ? 32 * MIB : 1024 * MIB;
}

/* ---- a new one, and its end ---- */

static int content_new(struct content_room *room, const struct object_id *id,
		       struct content **ret_content)
{
	_cleanup_(freep) char *bucket = strdup(id->bucket), *key = strdup(id->key);
	struct content *content = calloc(1, sizeof(*content));

	if (!content || !bucket || !key || clock_cond_init(&content->changed) < 0) {
		free(content);
		return -ENOMEM;
	}
	pthread_mutex_init(&content->lock, NULL);
	content->room = room;
	content->bucket = steal(&bucket);
	content->key = steal(&key);
	content->id = (struct object_id){content->bucket, content->key};
	*ret_content = content;
	return 0;
}

int content_open(struct content_room *room, const struct object_id *id, const char *etag,
		 uint64_t size, struct content **ret_content)
{
	struct content *content;
	int r = content_new(room, id, &content);

	if (r < 0)
		return r;
	content->state = CONTENT_CLEAN;
	content->base.size = size;
	content->base.etag = etag ? strdup(etag) : NULL;
	if (etag && !content->base.etag) {
		content_free(content, NULL);
		return -ENOMEM;
	}
	*ret_content = content;
	return 0;
}

int content_create(struct content_room *room, const struct object_id *id, bool exclusive,
		   struct content **ret_content)
{
	struct content *content;
	int r = content_new(room, id, &content);

	if (r < 0)
		return r;
	content->exclusive = exclusive;
	r = upstream_new(room, id, &content->stream);
	if (r < 0) {
		content_free(content, NULL);
		return r;
	}
	content->state = CONTENT_STREAM;
	*ret_content = content;
	return 0;
}

/* An upload that is of no use any more. When it cannot be aborted, it is tried again later. */
void content_abandon(struct content *content, struct call *call, struct multipart *upload)
{
	if (!upload)
		return;
	if (multipart_abort(upload, call) == 0) {
		multipart_free(upload);
		return;
	}
	upload->next = content->abandoned;
	content->abandoned = upload;
}

void content_abort_abandoned(struct content *content, struct call *call)
{
	struct multipart *upload = content->abandoned;

	content->abandoned = NULL;
	while (upload) {
		struct multipart *next = upload->next;

		content_abandon(content, call, upload);
		upload = next;
	}
}

static void give_up_abandoned(struct content *content)
{
	while (content->abandoned) {
		struct multipart *upload = content->abandoned;

		content->abandoned = upload->next;
		log_warn("s3://%s/%s: the incomplete upload %s could not be aborted yet",
			 upload->bucket, upload->key, upload->upload_id);
		multipart_free(upload);
	}
}

void content_free(struct content *content, struct call *call)
{
	if (!content)
		return;
	if (content->abandoned)
		content_abort_abandoned(content, call);
	if (content->stream)
		content_abandon(content, call, upstream_free(content->stream));
	give_up_abandoned(content);
	staged_deinit(&content->staged);
	reader_unref(content->base.reader);
	free(content->base.etag);
	content_params_unref(content->base.described);
	free(content->expected);
	content_params_unref(content->expected_params);
	content_params_unref(content->params);
	object_deinit(&content->settled);
	free(content->bucket);
	free(content->key);
	pthread_cond_destroy(&content->changed);
	pthread_mutex_destroy(&content->lock);
	free(content);
}

/* ---- the turn ---- */

int content_hold(struct content *content, struct call *call)
{
	struct waiter waiter;
	int r = 0;

	waiter_begin(&waiter, call, &content->lock, &content->changed);
	pthread_mutex_lock(&content->lock);
	while (r == 0 && content->turn && !pthread_equal(content->owner, pthread_self()))
		r = waiter_wait_locked(&waiter);
	if (r == 0) {
		content->turn = true;
		content->owner = pthread_self();
		content->depth++;
	}
	pthread_mutex_unlock(&content->lock);
	waiter_end(&waiter);
	return r;
}

void content_release(struct content *content)
{
	pthread_mutex_lock(&content->lock);
	if (--content->depth == 0) {
		content->turn = false;
		pthread_cond_broadcast(&content->changed);
	}
	pthread_mutex_unlock(&content->lock);
}

/* ---- what was uploaded before its time ---- */

void content_set_settled(struct content *content, struct object *object)
{
	struct object old;

	pthread_mutex_lock(&content->lock);
	old = content->settled;
	content->settled = object ? *object : (struct object){0};
	pthread_mutex_unlock(&content->lock);
	if (object)
		*object = (struct object){0};
	object_deinit(&old);
}

bool content_has_settled(struct content *content)
{
	bool has;

	pthread_mutex_lock(&content->lock);
	has = content->settled.etag != NULL;
	pthread_mutex_unlock(&content->lock);
	return has;
}

bool content_take_settled(struct content *content, struct object *ret_object)
{
	struct object object;

	pthread_mutex_lock(&content->lock);
	object = content->settled;
	content->settled = (struct object){0};
	pthread_mutex_unlock(&content->lock);
	if (!object.etag) {
		object_deinit(&object);
		return false;
	}
	*ret_object = object;
	return true;
}

/* ---- what it is ---- */

uint64_t content_size_locked(struct content *content)
{
	switch (content->state) {
	case CONTENT_STREAM:
		return upstream_size(content->stream);
	case CONTENT_STAGED:
		return content->staged.size;
	case CONTENT_CLEAN:
		break;
	}
	return content->base.size;
}

uint64_t content_size(struct content *content)
{
	uint64_t size;

	pthread_mutex_lock(&content->lock);
	size = content_size_locked(content);
	pthread_mutex_unlock(&content->lock);
	return size;
}

bool content_dirty_locked(struct content *content)
{
	if (content->unlinked)
		return false;
	return content->state == CONTENT_STREAM || content->params_dirty ||
	       (content->state == CONTENT_STAGED && content->staged.changed);
}

bool content_dirty(struct content *content)
{
	bool dirty;

	pthread_mutex_lock(&content->lock);
	dirty = content_dirty_locked(content);
	pthread_mutex_unlock(&content->lock);
	return dirty;
}

bool content_is_changing(struct content *content)
{
	bool changing;

	pthread_mutex_lock(&content->lock);
	changing = content->turn || content->settled.etag || content_dirty_locked(content);
	pthread_mutex_unlock(&content->lock);
	return changing;
}

bool content_unwritten(struct content *content)
{
	bool unwritten;

	pthread_mutex_lock(&content->lock);
	unwritten = !content->unlinked && content->state == CONTENT_STREAM &&
		    upstream_size(content->stream) == 0;
	pthread_mutex_unlock(&content->lock);
	return unwritten;
}

static enum fs_unsaved_how how_locked(const struct content *content)
{
	if (content->state == CONTENT_STREAM)
		return FS_UNSAVED_STREAM;
	return content->state == CONTENT_STAGED && content->staged.changed ? FS_UNSAVED_STAGED
									   : FS_UNSAVED_ATTRIBUTES;
}

void content_get_unsaved(struct content *content, struct fs_unsaved *ret_unsaved)
{
	struct fs_unsaved unsaved = {0};

	pthread_mutex_lock(&content->lock);
	unsaved.how = how_locked(content);
	unsaved.size = content_size_locked(content);
	if (content->state == CONTENT_STREAM)
		multipart_get_progress(content->stream->upload, &unsaved.sent, &unsaved.under_way,
				       &unsaved.parts_failed);
	pthread_mutex_unlock(&content->lock);
	*ret_unsaved = unsaved;
}

/* ---- the base ---- */

void content_set_base(struct content *content, const char *etag, uint64_t size)
{
	char *copy = etag ? strdup(etag) : NULL; /* without memory it is not known */
	struct reader *old;

	pthread_mutex_lock(&content->lock);
	old = steal(&content->base.reader);
	free(content->base.etag);
	content->base.etag = copy;
	content->base.size = size;
	content->base.gone = false;
	content->base.generation++;
	pthread_mutex_unlock(&content->lock);
	reader_unref(old);
	content_set_described(content, NULL);
}

void content_set_described(struct content *content, struct content_params *described)
{
	struct content_params *old;

	pthread_mutex_lock(&content->lock);
	old = content->base.described;
	content->base.described = described;
	pthread_mutex_unlock(&content->lock);
	content_params_unref(old);
}

int content_reader_locked(struct content *content, struct reader **ret_reader)
{
	if (!content->base.reader) {
		int r = reader_new(&content->room->reader, &content->id, content->base.etag,
				   content->base.size, &content->base.reader);

		if (r < 0)
			return r;
	}
	*ret_reader = reader_ref(content->base.reader);
	return 0;
}

/* ---- parameters ---- */

void content_params_unref(struct content_params *params)
{
	if (!params || atomic_fetch_sub(&params->references, 1) > 1)
		return;
	object_deinit(&params->object);
	free(params);
}

struct content_params *content_params_ref(struct content_params *params)
{
	if (params)
		atomic_fetch_add(&params->references, 1);
	return params;
}

struct content_params *content_params_get(struct content *content)
{
	struct content_params *params;

	pthread_mutex_lock(&content->lock);
	params = content_params_ref(content->params);
	pthread_mutex_unlock(&content->lock);
	return params;
}

uint64_t content_params_version(const struct content_params *params)
{
	return params ? params->version : 0;
}

struct put_params content_put_params(const struct content_params *params)
{
	if (!params)
		return (struct put_params){0};
	return object_put_params(&params->object);
}

struct content_params *content_params_new(const struct put_params *params, uint64_t version)
{
	struct content_params *copy = calloc(1, sizeof(*copy));

	if (!copy)
		return NULL;
	atomic_init(&copy->references, 1);
	copy->version = version;
	if (object_describe(&copy->object, params) == 0)
		return copy;
	content_params_unref(copy);
	return NULL;
}

static int set_params(struct content *content, const struct put_params *params, uint64_t newer,
		      bool dirty)
{
	struct content_params *copy = content_params_new(params, 0), *old;

	if (!copy)
		return -ENOMEM;
	pthread_mutex_lock(&content->lock);
	old = content->params;
	copy->version = content_params_version(old) + newer;
	content->params = copy;
	content->params_dirty = content->params_dirty || dirty;
	pthread_mutex_unlock(&content->lock);
	content_params_unref(old);
	return 0;
}

int content_set_params(struct content *content, const struct put_params *params, bool dirty)
{
	return set_params(content, params, 1, dirty);
}

int content_suggest_params(struct content *content, const struct put_params *params)
{
	return set_params(content, params, 0, false);
}

/* ---- names ---- */

static int rename_reader(struct content *content, const struct object_id *id, const char *etag)
{
	if (!content->base.reader)
		return 0;
	return etag ? reader_rename(content->base.reader, id, etag) : -ENOMEM;
}

/* Who reads just now goes on, or begins again because the base is another. */
static int rename_clean(struct content *content, const struct object_id *id, const char *etag)
{
	char *bucket = strdup(id->bucket), *key = strdup(id->key);
	char *copy = etag ? strdup(etag) : NULL;
	struct reader *dropped = NULL;

	if (!bucket || !key || (etag && !copy)) {
		free(bucket);
		free(key);
		free(copy);
		return -ENOMEM;
	}
	pthread_mutex_lock(&content->lock);
	if (rename_reader(content, id, etag) < 0)
		dropped = steal(&content->base.reader);
	free(content->bucket);
	free(content->key);
	free(content->base.etag);
	content->bucket = bucket;
	content->key = key;
	content->id = (struct object_id){bucket, key};
	content->base.etag = copy;
	content->base.generation++;
	pthread_mutex_unlock(&content->lock);
	reader_unref(dropped);
	return 0;
}

int content_rename(struct content *content, struct call *call, const struct object_id *id,
		   const char *etag)
{
	int r = content_hold(content, call);

	if (r < 0)
		return r;
	if (content->state == CONTENT_STREAM || content_dirty(content))
		r = -EBUSY;
	else
		r = rename_clean(content, id, etag);
	content_release(content);
	return r;
}

void content_unlinked(struct content *content, struct call *call)
{
	pthread_mutex_lock(&content->lock);
	content->unlinked = true;
	pthread_mutex_unlock(&content->lock);
	if (content_hold(content, call) < 0)
		return; /* then content_free aborts it */
	if (content->state == CONTENT_STREAM) {
		multipart_stop(content->stream->upload);
		(void)multipart_abort(content->stream->upload, call);
	}
	content_release(content);
}
