/* Extended attributes: what S3 says of a bucket or an object. */
#include <errno.h>
#include <string.h>

#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"

#include "private.h"

#define REGION      "user.s3.region"
#define META_PREFIX "user.meta."

static int get_region(struct fs *fs, struct call *call, const char *bucket, struct buf *value)
{
	struct store *store = fs->options.store;
	char region[S3_REGION_MAX + 1];
	int r = store->bucket_region(store, bucket, region);

	if (r == -ENODATA) {
		r = store->head_bucket(store, call, bucket);
		if (r == 0)
			r = store->bucket_region(store, bucket, region);
	}
	return r < 0 ? r : buf_add_str(value, region);
}

/* The attributes of an object, by the order in which they are listed. */
static const struct {
	const char *name;
	size_t field; /* of a text in struct object */
} object_attributes[] = {
    {"user.s3.etag", offsetof(struct object, etag)},
    {"user.s3.storage-class", offsetof(struct object, storage_class)},
    {"user.s3.version-id", offsetof(struct object, version_id)},
    {"user.s3.content-type", offsetof(struct object, content_type)},
    {"user.s3.server-side-encryption", offsetof(struct object, encryption)},
    {"user.s3.cache-control", offsetof(struct object, headers[OBJECT_CACHE_CONTROL])},
    {"user.s3.content-disposition", offsetof(struct object, headers[OBJECT_CONTENT_DISPOSITION])},
    {"user.s3.content-encoding", offsetof(struct object, headers[OBJECT_CONTENT_ENCODING])},
    {"user.s3.content-language", offsetof(struct object, headers[OBJECT_CONTENT_LANGUAGE])},
    {"user.s3.expires", offsetof(struct object, headers[OBJECT_EXPIRES])},
    {"user.s3.website-redirect-location",
     offsetof(struct object, headers[OBJECT_WEBSITE_REDIRECT])},
};

static const char *attribute(const struct object *object, size_t i)
{
	const char *text;

	memcpy(&text, (const char *)object + object_attributes[i].field, sizeof(text));
	/* S3 leaves the word out for the one class that is the default */
	if (!text && object_attributes[i].field == offsetof(struct object, storage_class))
		return "STANDARD";
	return text;
}

static const char *find_attribute(const struct object *object, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(object_attributes); i++)
		if (!strcmp(object_attributes[i].name, name))
			return attribute(object, i);
	if (!strncmp(name, META_PREFIX, strlen(META_PREFIX)))
		return object_meta_get(object, name + strlen(META_PREFIX));
	return NULL;
}

/* Asks only for names that can be there: programs ask for many others of every file. */
static bool may_have(const char *name)
{
	if (!strncmp(name, META_PREFIX, strlen(META_PREFIX)))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(object_attributes); i++)
		if (!strcmp(object_attributes[i].name, name))
			return true;
	return false;
}

/* The object of a file that is in S3. -ENODATA for one that is not yet. */
static int head(struct fs *fs, struct call *call, struct node *node, struct object *ret_object)
{
	_cleanup_(place_deinit) struct place place = {0};
	bool local;
	int r;

	pthread_mutex_lock(&fs->tree.lock);
	local = node->local;
	r = tree_place_locked(&fs->tree, node, &place);
	pthread_mutex_unlock(&fs->tree.lock);
	if (r < 0)
		return r;
	if (local)
		return -ENODATA;
	return fs->options.store->head_object(
	    fs->options.store, call, &(struct object_id){place.bucket, place.key}, ret_object);
}

static int get_bucket(struct fs *fs, struct call *call, struct node *node, const char *name,
		      struct buf *value)
{
	_cleanup_(place_deinit) struct place place = {0};
	int r;

	if (strcmp(name, REGION) != 0)
		return -ENODATA;
	pthread_mutex_lock(&fs->tree.lock);
	r = tree_place_locked(&fs->tree, node, &place);
	pthread_mutex_unlock(&fs->tree.lock);
	return r < 0 ? r : get_region(fs, call, place.bucket, value);
}

static int get_object(struct fs *fs, struct call *call, struct node *node, const char *name,
		      struct buf *value)
{
	_cleanup_(object_deinit) struct object object = {0};
	const char *text;
	int r;

	if (!may_have(name))
		return -ENODATA;
	r = head(fs, call, node, &object);
	if (r < 0)
		return r;
	text = find_attribute(&object, name);
	return text ? buf_add_str(value, text) : -ENODATA;
}

int fs_getxattr(struct fs *fs, struct call *call, uint64_t ino, const char *name,
		struct buf *ret_value)
{
	struct node *node;
	int r;

	if (strncmp(name, "user.", 5) != 0)
		return -EOPNOTSUPP;
	r = fs_ref(fs, ino, &node);
	if (r < 0)
		return r;
	if (node->kind == NODE_BUCKET)
		r = get_bucket(fs, call, node, name, ret_value);
	else if (node->kind == NODE_FILE || node->kind == NODE_SYMLINK)
		r = get_object(fs, call, node, name, ret_value);
	else
		r = -ENODATA;
	fs_unref(fs, node);
	return r;
}

static int add_name(struct buf *names, const char *prefix, const char *name)
{
	int r = buf_printf(names, "%s%s", prefix, name);

	return r < 0 ? r : buf_add_char(names, '\0');
}

static int list_object(struct fs *fs, struct call *call, struct node *node, struct buf *names)
{
	_cleanup_(object_deinit) struct object object = {0};
	int r = head(fs, call, node, &object);

	if (r == -ENODATA)
		return 0;
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(object_attributes); i++)
		if (attribute(&object, i))
			r = add_name(names, "", object_attributes[i].name);
	for (size_t i = 0; r == 0 && i < object.n_meta; i++)
		r = add_name(names, META_PREFIX, object.meta[i].name);
	return r;
}

int fs_listxattr(struct fs *fs, struct call *call, uint64_t ino, struct buf *ret_names)
{
	struct node *node;
	int r = fs_ref(fs, ino, &node);

	if (r < 0)
		return r;
	if (node->kind == NODE_BUCKET)
		r = add_name(ret_names, "", REGION);
	else if (node->kind == NODE_FILE || node->kind == NODE_SYMLINK)
		r = list_object(fs, call, node, ret_names);
	fs_unref(fs, node);
	return r;
}
