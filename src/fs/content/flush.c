#include "describe.h"
#include "private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"

static struct store *store_of(const struct content *content)
{
	return content->room->reader.store;
}

/* ---- uploads of which nobody knows whether they were done ---- */

static void forget_doubt(struct content *content)
{
	free(content->expected);
	content->expected = NULL;
	content_params_unref(content->expected_params);
	content->expected_params = NULL;
}

/* Not when the server said that it did nothing. */
static bool is_doubtful(int error)
{
	return error != -EEXIST && error != -ESTALE;
}

static bool has_params(const struct object *object, const struct content_params *params)
{
	if (object->n_meta != params->object.n_meta)
		return false;
	for (size_t i = 0; i < object->n_meta; i++) {
		const struct object_meta *meta = &object->meta[i];
		const char *value = object_meta_get(&params->object, meta->name);

		if (!value || strcmp(value, meta->value) != 0)
			return false;
	}
	return true;
}

/* A copy onto itself has the same size, the new metadata and, mostly, another ETag. */
static bool is_expected(const struct content *content, const struct object *object)
{
	if (content->expected)
		return object->etag && !strcmp(object->etag, content->expected);
	return object->size == content->base.size && has_params(object, content->expected_params);
}

/* ---- how the object is described ---- */

/* The content lies over an object. */
static bool is_over(const struct content *content)
{
	return content->base.etag || content->base.size > 0;
}

static struct content_params *described_as(const struct content *content,
					   const struct put_params *params)
{
	return content->room->keeps ? content_params_new(params, 0) : NULL;
}

static struct content_params *described_by(const struct content *content,
					   const struct object *object)
{
	struct put_params params = object_put_params(object);

	return described_as(content, &params);
}

/* Without memory it is the default. */
static void tell_class(struct object *object, const struct put_params *params)
{
	free(object->storage_class);
	object->storage_class = params->storage_class ? strdup(params->storage_class) : NULL;
}

/* ---- what was uploaded ---- */

/*
 * The object is what the content is, written with the parameters of that version. Takes described,
 * which may be NULL.
 */
static void uploaded(struct content *content, struct call *call, const struct object *object,
		     uint64_t version, struct content_params *described)
{
	struct upstream *stream;

	content_set_base(content, object->etag, object->size);
	content_set_described(content, described);
	content_set_settled(content, NULL); /* it is older */
	pthread_mutex_lock(&content->lock);
	stream = steal(&content->stream);
	if (stream)
		content->state = CONTENT_CLEAN;
	if (content->state == CONTENT_STAGED)
		staged_clean(&content->staged);
	content->params_dirty = content_params_version(content->params) != version;
	pthread_mutex_unlock(&content->lock);
	content->exclusive = false;
	forget_doubt(content);
	if (stream)
		content_abandon(content, call, upstream_free(stream));
}

/* A stream of which all is at hand is just sent again, and so is what a STAGED file changed. */
static void adopt(struct content *content, struct call *call, const struct object *object)
{
	content->exclusive = false;
	if (content->state != CONTENT_STREAM) {
		content_set_base(content, object->etag, object->size);
		content_set_described(content, described_by(content, object));
	} else if (content->stream->sealed) {
		uploaded(content, call, object, content->stream->version,
			 described_by(content, object));
	}
}

int content_resolve(struct content *content, struct call *call, struct object *ret_object)
{
	_cleanup_(object_deinit) struct object object = {0};
	struct store *store = store_of(content);
	int r;

	if (!content->expected && !content->expected_params)
		return 0;
	r = store->head_object(store, call, &content->id, &object);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0 && is_expected(content, &object)) {
		adopt(content, call, &object);
		if (ret_object) {
			*ret_object = object;
			object = (struct object){0};
		} else {
			content_set_settled(content, &object);
		}
	}
	forget_doubt(content);
	return 0;
}

/* ---- STREAM ---- */

/*
 * Only of an exclusive creation, and of a completed upload, need it be known: else all is sent
 * again. An empty file that was there already may be another client's, made with O_EXCL as a lock:
 * that is never taken for this one.
 */
static void doubt_stream(struct content *content, int error)
{
	struct upstream *stream = content->stream;
	bool asked_for = stream->sealed || (content->exclusive && upstream_size(stream) > 0);

	if (stream->attempted && is_doubtful(error) && stream->expected && asked_for)
		content->expected = steal(&stream->expected);
}

int content_flush_stream(struct content *content, struct call *call, struct object *ret_object)
{
	struct content_params *params = content_params_get(content);
	struct upstream_params stream_params = {content_put_params(params),
						content_params_version(params)};
	int r;

	stream_params.put.if_none_match = content->exclusive;
	r = upstream_flush(content->stream, call, &stream_params, ret_object);
	if (r < 0) {
		doubt_stream(content, r);
	} else {
		uint64_t version = content->stream->version;

		tell_class(ret_object, &stream_params.put);
		/* else it is copied onto itself next */
		uploaded(content, call, ret_object, version,
			 version == stream_params.version
			     ? described_as(content, &stream_params.put)
			     : NULL);
	}
	content_params_unref(params);
	return r;
}

/* ---- STAGED ---- */

static int run_staged(struct content *content, struct call *call, struct staged_upload *job,
		      struct object *ret_object)
{
	int r = 0;

	if (content->staged.visible > 0) {
		pthread_mutex_lock(&content->lock);
		r = content_reader_locked(content, &job->base);
		pthread_mutex_unlock(&content->lock);
	}
	if (r == 0)
		r = staged_upload(job, call, ret_object);
	reader_unref(job->base);
	if (job->left) {
		job->left->next = content->abandoned;
		content->abandoned = job->left;
	}
	return r;
}

static int flush_staged(struct content *content, struct call *call, struct object *ret_object)
{
	struct content_params *params = content_params_get(content);
	struct staged_upload job = {
	    .room = content->room,
	    .id = &content->id,
	    .staged = &content->staged,
	    .base_etag = content->base.etag,
	    .lock = &content->lock,
	    .params = content_put_params(params),
	    .keeps = content->room->keeps && is_over(content),
	    .told = content->base.described ? &content->base.described->object : NULL,
	};
	int r;

	job.params.if_match = content->base.etag;
	job.params.if_none_match = content->exclusive && !content->base.etag;
	r = run_staged(content, call, &job, ret_object);
	if (r == 0) {
		ret_object->size = content->staged.size;
		tell_class(ret_object, &job.params);
		uploaded(content, call, ret_object, content_params_version(params),
			 described_as(content, &job.params));
	} else if (job.attempted && is_doubtful(r) && job.expected) {
		content->expected = steal(&job.expected);
	}
	free(job.expected);
	object_deinit(&job.description);
	content_params_unref(params);
	return r;
}

/* ---- parameters alone ---- */

static int copy_onto_itself(struct content *content, struct call *call,
			    struct content_params *params, struct object *ret_object)
{
	struct store *store = store_of(content);
	struct put_params put = content_put_params(params);
	struct copy_params copy = {.if_match = content->base.etag, .replace = &put};
	int r = store->copy_object(store, call, &content->id, &content->id, &copy, ret_object);

	if (r < 0) {
		if (is_doubtful(r))
			content->expected_params = content_params_ref(params);
		return r;
	}
	ret_object->size = content->base.size;
	tell_class(ret_object, &put);
	content_set_base(content, ret_object->etag, content->base.size);
	content_set_described(content, described_as(content, &put));
	pthread_mutex_lock(&content->lock);
	content->params_dirty =
	    content_params_version(content->params) != content_params_version(params);
	pthread_mutex_unlock(&content->lock);
	return 0;
}

/* With room->keeps, what is set is added to how the base is described. */
static int merge_over(struct content *content, struct call *call,
		      const struct content_params *params, struct content_params **ret_params)
{
	_cleanup_(object_deinit) struct object found = {0}, merged = {0};
	const struct content_params *described = content->base.described;
	struct put_params own = content_put_params(params), put;
	int r = 0;

	if (!described)
		r = describe_find(store_of(content), call, &content->id, content->base.etag, NULL,
				  &found);
	if (r == 0)
		r = describe_merge(described ? &described->object : &found, &own, true, &merged);
	if (r < 0)
		return r;
	put = object_put_params(&merged);
	*ret_params = content_params_new(&put, content_params_version(params));
	return *ret_params ? 0 : -ENOMEM;
}

/* With a reference. */
static int params_over(struct content *content, struct call *call,
		       struct content_params **ret_params)
{
	struct content_params *params = content_params_get(content);
	int r;

	if (!content->room->keeps) {
		*ret_params = params;
		return 0;
	}
	r = merge_over(content, call, params, ret_params);
	content_params_unref(params);
	return r;
}

static int flush_params(struct content *content, struct call *call, struct object *ret_object)
{
	const struct content_limits *limits = content->room->limits;
	struct content_params *params;
	int r;

	if (content->base.size > (limits ? limits->copy_max : S3_PUT_MAX)) {
		r = content->state == CONTENT_CLEAN ? content_stage(content) : 0;
		return r < 0 ? r : flush_staged(content, call, ret_object);
	}
	r = params_over(content, call, &params);
	if (r < 0)
		return r;
	r = copy_onto_itself(content, call, params, ret_object);
	content_params_unref(params);
	return r;
}

/* ---- flush ---- */

static int flush_once(struct content *content, struct call *call, struct object *ret_object)
{
	if (content->state == CONTENT_STREAM)
		return content_flush_stream(content, call, ret_object);
	if (content->state == CONTENT_STAGED && content->staged.changed)
		return flush_staged(content, call, ret_object);
	return flush_params(content, call, ret_object);
}

/* More than once where the parameters became others after the upload was begun. */
static int flush_turn(struct content *content, struct call *call, struct object *ret_object)
{
	int r;

	content_abort_abandoned(content, call);
	if (!content_dirty(content))
		return 0;
	r = content_resolve(content, call, ret_object);
	while (r == 0 && content_dirty(content)) {
		object_deinit(ret_object);
		r = flush_once(content, call, ret_object);
	}
	return r;
}

int content_flush(struct content *content, struct call *call, struct object *ret_object)
{
	_cleanup_(object_deinit) struct object object = {0};
	int r = content_hold(content, call);

	if (r < 0)
		return r;
	r = flush_turn(content, call, &object);
	content_release(content);
	if (r == 0 && ret_object) {
		*ret_object = object;
		object = (struct object){0};
	}
	return r;
}
