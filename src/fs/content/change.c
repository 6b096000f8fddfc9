#include "private.h"

#include <errno.h>

#include "xacctfs/util/cleanup.h"

/* ---- from one state to another ---- */

int content_stage(struct content *content)
{
	struct staged staged;
	int r = staged_init(&staged, content->room, content->base.size, content->base.size);

	if (r < 0)
		return r;
	pthread_mutex_lock(&content->lock);
	content->staged = staged;
	content->state = CONTENT_STAGED;
	pthread_mutex_unlock(&content->lock);
	return 0;
}

static int into_staged(void *data, uint64_t offset, const void *bytes, size_t len)
{
	return staged_write(data, offset, bytes, len);
}

/*
 * What is at hand goes into the local file. Of a file without a name the rest is lost: nobody may
 * complete its upload.
 */
static int move_to_staged(struct content *content, struct call *call, bool unlinked)
{
	uint64_t size = upstream_size(content->stream);
	struct upstream *stream;
	struct staged staged;
	int r = staged_init(&staged, content->room, size, unlinked ? size : 0);

	if (r < 0)
		return r;
	r = upstream_each(content->stream, into_staged, &staged);
	if (r < 0) {
		staged_deinit(&staged);
		return r;
	}
	staged.changed = true;
	content_set_base(content, NULL, 0);
	pthread_mutex_lock(&content->lock);
	stream = steal(&content->stream);
	content->staged = staged;
	content->base.gone = unlinked;
	content->state = CONTENT_STAGED;
	pthread_mutex_unlock(&content->lock);
	content_abandon(content, call, upstream_free(stream));
	return 0;
}

int content_settle(struct content *content, struct call *call)
{
	struct object object = {0};
	bool unlinked;
	int r;

	pthread_mutex_lock(&content->lock);
	unlinked = content->unlinked;
	pthread_mutex_unlock(&content->lock);
	if (unlinked || !upstream_has_sent(content->stream))
		return move_to_staged(content, call, unlinked);
	r = content_resolve(content, call, NULL);
	if (r == 0 && content->state == CONTENT_STREAM)
		r = content_flush_stream(content, call, &object);
	if (r == 0 && object.etag)
		content_set_settled(content, &object);
	object_deinit(&object);
	return r;
}

/* Truncated to 0: nothing of before is of use any more. */
static int start_over(struct content *content, struct call *call)
{
	struct upstream *stream, *old_stream;
	struct staged old_staged;
	int r = upstream_new(content->room, &content->id, &stream);

	if (r < 0)
		return r;
	content_set_base(content, NULL, 0);
	pthread_mutex_lock(&content->lock);
	old_staged = content->staged;
	content->staged = (struct staged){0};
	old_stream = content->stream;
	content->stream = stream;
	content->state = CONTENT_STREAM;
	pthread_mutex_unlock(&content->lock);
	staged_deinit(&old_staged);
	if (old_stream)
		content_abandon(content, call, upstream_free(old_stream));
	return 0;
}

/* ---- write ---- */

static int write_stream(struct content *content, struct call *call, uint64_t offset,
			const void *data, size_t len)
{
	struct content_params *params = content_params_get(content);
	struct upstream_params stream_params = {content_put_params(params),
						content_params_version(params)};
	int r = upstream_write(content->stream, call, &stream_params, offset, data, len);

	content_params_unref(params);
	return r;
}

static int write_staged(struct content *content, uint64_t offset, const void *data, size_t len)
{
	int r;

	pthread_mutex_lock(&content->lock);
	r = staged_write(&content->staged, offset, data, len);
	pthread_mutex_unlock(&content->lock);
	return r;
}

/* What is written to a file without a name is not sent. */
static bool is_lost_stream(struct content *content)
{
	bool lost;

	pthread_mutex_lock(&content->lock);
	lost = content->unlinked && content->state == CONTENT_STREAM;
	pthread_mutex_unlock(&content->lock);
	return lost;
}

static int write_turn(struct content *content, struct call *call, uint64_t offset, const void *data,
		      size_t len)
{
	int r = is_lost_stream(content) ? content_settle(content, call) : 0;

	if (r == 0 && content->state == CONTENT_STREAM) {
		r = write_stream(content, call, offset, data, len);
		if (r != UPSTREAM_E_ELSEWHERE)
			return r;
		r = content_settle(content, call);
	}
	if (r == 0 && content->state == CONTENT_CLEAN)
		r = content_stage(content);
	return r < 0 ? r : write_staged(content, offset, data, len);
}

static int write_at(struct content *content, struct call *call, uint64_t offset, const void *data,
		    size_t len)
{
	if (len == 0)
		return 0;
	if (len > S3_OBJECT_MAX || offset > S3_OBJECT_MAX - len)
		return -EFBIG;
	return write_turn(content, call, offset, data, len);
}

int content_write(struct content *content, struct call *call, uint64_t offset, const void *data,
		  size_t len)
{
	int r = content_hold(content, call);

	if (r < 0)
		return r;
	r = write_at(content, call, offset, data, len);
	content_release(content);
	return r;
}

int content_append(struct content *content, struct call *call, const void *data, size_t len)
{
	int r = content_hold(content, call);

	if (r < 0)
		return r;
	r = write_at(content, call, content_size(content), data, len);
	content_release(content);
	return r;
}

/* ---- truncate ---- */

static int truncate_staged(struct content *content, uint64_t size)
{
	int r;

	pthread_mutex_lock(&content->lock);
	r = staged_truncate(&content->staged, size);
	pthread_mutex_unlock(&content->lock);
	return r;
}

static int truncate_turn(struct content *content, struct call *call, uint64_t size)
{
	int r = 0;

	if (size == content_size(content))
		return 0;
	if (size == 0)
		return start_over(content, call);
	if (content->state == CONTENT_STREAM) {
		r = upstream_truncate(content->stream, size);
		if (r != UPSTREAM_E_ELSEWHERE)
			return r;
		r = content_settle(content, call);
		if (r < 0)
			return r;
	}
	if (content->state == CONTENT_CLEAN)
		r = content_stage(content);
	return r < 0 ? r : truncate_staged(content, size);
}

int content_truncate(struct content *content, struct call *call, uint64_t size)
{
	int r;

	if (size > S3_OBJECT_MAX)
		return -EFBIG;
	r = content_hold(content, call);
	if (r < 0)
		return r;
	r = truncate_turn(content, call, size);
	content_release(content);
	return r;
}
