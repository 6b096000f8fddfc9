#include "copy.h"

#include <errno.h>
#include <stdlib.h>

#include "xacctfs/util/cleanup.h"

#include "batch.h"

struct part {
	struct store *store;
	const struct object_id *source, *target;
	const char *source_etag, *upload_id;
	int number;
	uint64_t offset, len;
	char *etag;
};

static int copy_one_part(struct call *call, void *data)
{
	struct part *part = data;

	return part->store->copy_part(part->store, call, part->target, part->upload_id,
				      part->number, part->source, part->source_etag, part->offset,
				      part->len, &part->etag);
}

static int copy_all_parts(struct fs *fs, struct call *call, struct part *parts, size_t n)
{
	struct batch batch;
	int r = 0, first;

	batch_init(&batch, fs->uploads, call, fs->options.background_timeout_ms);
	for (size_t i = 0; i < n && r == 0; i++)
		r = batch_add(&batch, copy_one_part, &parts[i]);
	first = batch_finish(&batch);
	return first < 0 ? first : r;
}

static int complete(struct fs *fs, struct call *call, const struct object_id *target,
		    const char *upload_id, const struct part *parts, size_t n,
		    struct object *ret_object)
{
	_cleanup_(freep) const char **etags = calloc(n, sizeof(*etags));
	struct put_params none = {0};

	if (!etags)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		etags[i] = parts[i].etag;
	return fs->options.store->complete_upload(fs->options.store, call, target, upload_id, &none,
						  etags, n, ret_object);
}

static struct part *make_parts(const struct part *model, uint64_t size, size_t *ret_n)
{
	size_t n = (size_t)((size + COPY_PART - 1) / COPY_PART);
	struct part *parts = calloc(n, sizeof(*parts));

	for (size_t i = 0; parts && i < n; i++) {
		parts[i] = *model;
		parts[i].number = (int)i + 1;
		parts[i].offset = i * COPY_PART;
		parts[i].len = i + 1 < n ? COPY_PART : size - parts[i].offset;
	}
	*ret_n = n;
	return parts;
}

/* What began is aborted when the rest fails, with a patience of its own. */
static void abort_upload(struct fs *fs, const struct object_id *target, const char *upload_id)
{
	struct call call;

	call_init(&call, fs->options.closing, fs->options.clock, fs->options.background_timeout_ms);
	fs->options.store->abort_upload(fs->options.store, &call, target, upload_id);
	call_deinit(&call);
}

static int copy_in_parts(struct fs *fs, struct call *call, const struct object_id *source,
			 const struct object *object, const struct object_id *target,
			 const struct put_params *replace, struct object *ret_object)
{
	_cleanup_(object_deinit) struct object now = {0};
	_cleanup_(freep) char *upload_id = NULL;
	struct store *store = fs->options.store;
	struct put_params params;
	struct part *parts;
	size_t n;
	int r = store->head_object(store, call, source, &now);

	if (r < 0)
		return r;
	if (now.size != object->size)
		return -ESTALE;
	params = replace ? *replace : object_put_params(&now);
	r = store->create_upload(store, call, target, &params, &upload_id);
	if (r < 0)
		return r;
	parts = make_parts(&(struct part){.store = store,
					  .source = source,
					  .target = target,
					  .source_etag = object->etag ? object->etag : now.etag,
					  .upload_id = upload_id},
			   object->size, &n);
	r = parts ? copy_all_parts(fs, call, parts, n) : -ENOMEM;
	if (r == 0)
		r = complete(fs, call, target, upload_id, parts, n, ret_object);
	if (r < 0)
		abort_upload(fs, target, upload_id);
	for (size_t i = 0; parts && i < n; i++)
		free(parts[i].etag);
	free(parts);
	return r;
}

int copy_object(struct fs *fs, struct call *call, const struct object_id *source,
		const struct object *object, const struct object_id *target,
		const struct put_params *replace, struct object *ret_object)
{
	struct copy_params params = {
	    .if_match = object->etag, .replace = replace, .storage_class = object->storage_class};

	if (object->size > S3_PUT_MAX)
		return copy_in_parts(fs, call, source, object, target, replace, ret_object);
	return fs->options.store->copy_object(fs->options.store, call, source, target, &params,
					      ret_object);
}
