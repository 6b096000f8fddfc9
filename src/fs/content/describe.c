#include "describe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"

int describe_find(struct store *store, struct call *call, const struct object_id *id,
		  const char *etag, struct reader *reader, struct object *ret_object)
{
	_cleanup_(object_deinit) struct object object = {0};
	int r = reader ? reader_told(reader, ret_object) : -ENODATA;

	if (r != -ENODATA)
		return r;
	r = store->head_object(store, call, id, &object);
	if (r < 0)
		return r == -ENOENT ? -ESTALE : r;
	if (etag && object.etag && strcmp(etag, object.etag) != 0)
		return -ESTALE;
	*ret_object = object;
	object = (struct object){0};
	return 0;
}

/* A date that s3fs, rclone or this program has put there is older than the change: S3's is right.
 */
static bool tells_of_bytes(const char *name)
{
	return !strcmp(name, "mtime") || !strcmp(name, DESCRIBE_MD5);
}

static bool is_named(const struct put_params *own, const char *name)
{
	for (size_t i = 0; i < own->n_meta; i++)
		if (!strcmp(own->meta[i].name, name))
			return true;
	return false;
}

int describe_merge(const struct object *base, const struct put_params *own, bool same_bytes,
		   struct object *ret_object)
{
	_cleanup_(freep) struct object_meta *meta =
	    calloc(base->n_meta + own->n_meta + 1, sizeof(*meta));
	struct put_params params = object_put_params(base);
	size_t n = 0;

	if (!meta)
		return -ENOMEM;
	for (size_t i = 0; i < base->n_meta; i++) {
		const char *name = base->meta[i].name;

		if (!is_named(own, name) && (same_bytes || !tells_of_bytes(name)))
			meta[n++] = base->meta[i];
	}
	for (size_t i = 0; i < own->n_meta; i++)
		meta[n++] = own->meta[i];
	if (!params.content_type)
		params.content_type = own->content_type;
	params.meta = meta;
	params.n_meta = n;
	return object_describe(ret_object, &params);
}
