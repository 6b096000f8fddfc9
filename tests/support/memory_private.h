/* What the files of support/memory_*.c share. A test includes memory_store.h alone. */
#ifndef SUPPORT_MEMORY_PRIVATE_H
#define SUPPORT_MEMORY_PRIVATE_H

#include <stdlib.h>

#include "memory_store.h"

/* A test that has no memory has no result either. */
static inline void *memory_must(void *p)
{
	if (!p)
		abort();
	return p;
}

static inline struct memory_store *memory_of(struct store *store)
{
	return (struct memory_store *)store;
}

/* ---- memory_map.c: things with names, in the order of their bytes ---- */

/* What has this name, or NULL. */
void *memory_map_find(const struct memory_map *map, const char *name);
/* The name is not there yet. */
void memory_map_insert(struct memory_map *map, struct memory_named *named);
/* What was taken out, or NULL. */
void *memory_map_remove(struct memory_map *map, const char *name);
/* The index of the first name that is not before this one, or the map's n. */
size_t memory_map_from(const struct memory_map *map, const char *name);
/* The index of the first name that is behind this one and behind all that begin with it. */
size_t memory_map_past(const struct memory_map *map, const char *prefix);

/* ---- memory_content.c: bytes that are shared, and zeros that take no memory ---- */

struct memory_bytes;

struct memory_piece {
	struct memory_bytes *bytes; /* a reference; NULL: zeros */
	uint64_t offset, len;       /* of bytes */
};

/* Zeroed is empty. What it holds never changes. */
struct memory_content {
	struct memory_piece *v;
	size_t n;
	uint64_t size;
};

void memory_content_deinit(struct memory_content *content);
void memory_content_add(struct memory_content *content, const void *data, size_t len);
void memory_content_add_zeros(struct memory_content *content, uint64_t len);
/* The range is within source. */
void memory_content_add_range(struct memory_content *content, const struct memory_content *source,
			      uint64_t offset, uint64_t len);
/* How many bytes from there (before the end) lie together, and where they are; 1 at least. */
size_t memory_content_at(const struct memory_content *content, uint64_t offset,
			 const uint8_t **ret_bytes);
/* "\"MD5\"", as PutObject's ETag; zeros count by their number. */
char *memory_content_etag(const struct memory_content *content);

/* ---- memory_calls.c: what every call goes through ---- */

struct memory_call {
	struct memory_store *s3;
	struct call *call;
	enum memory_op op;
	char *name;     /* as the hook's */
	int late_error; /* what it ends with when it is done; 0 */
	int cut_error;  /* a get's, behind cut_bytes; 0 */
	uint64_t cut_bytes;
};

/*
 * The way into a call, up to where it is done. 0: go on, and end with memory_end; else it has
 * ended. bucket and key may be NULL.
 */
int memory_begin(struct memory_call *c, struct store *store, struct call *call, enum memory_op op,
		 const char *bucket, const char *key);
/* 0 to go on with the next bytes of a get. */
int memory_between(struct memory_call *c);
/* r: how it went. Returns what the call returns. */
int memory_end(struct memory_call *c, int r);
/* What the test wants this key to be refused with, or 0. */
int memory_refusal(struct memory_store *s3, const char *bucket, const char *key);

/* ---- memory_store.c: buckets ---- */

struct memory_bucket {
	struct memory_named named; /* first */
	int64_t created_ms;
	char region[S3_REGION_MAX + 1];
	bool region_known; /* to the client */
	struct memory_map objects, uploads;
};

struct memory_bucket *memory_bucket_locked(struct memory_store *s3, const char *name);

/* ---- memory_objects.c ---- */

struct memory_object {
	struct memory_named named; /* first: the key */
	struct object told;        /* mtime_ms to the millisecond */
	struct memory_content content;
};

void memory_object_free(struct memory_object *object); /* NULL is fine */
struct memory_object *memory_object_locked(struct memory_store *s3, const struct object_id *id);
struct object memory_told_copy(const struct object *from);
/* A date as a header has it: in whole seconds. */
int64_t memory_header_date(int64_t ms);
/* 0, -EINVAL, -ENAMETOOLONG. */
int memory_check_key(const char *key);
/* Type, headers, class and metadata of told become these. */
void memory_describe(struct object *told, const struct put_params *params);
/* old: the object that is there, or NULL. 0, -EEXIST, -ESTALE. */
int memory_conditions(const struct memory_object *old, const struct put_params *params);
/*
 * An object of the content, which it takes, with the ETag, which it takes, described as source is;
 * dated now.
 */
struct memory_object *memory_object_new(struct memory_store *s3, const char *key,
					const struct object *source, struct memory_content *content,
					char *etag);
/* Takes object, the place of one of that key included. */
void memory_object_install_locked(struct memory_bucket *bucket, struct memory_object *object);

int memory_head_object(struct store *store, struct call *call, const struct object_id *id,
		       struct object *ret_object);
int memory_get_object(struct store *store, struct call *call, const struct object_id *id,
		      const struct get_params *params, struct object *ret_object);
int memory_put_object(struct store *store, struct call *call, const struct object_id *id,
		      const struct put_params *params, const void *data, size_t len,
		      struct object *ret_object);
int memory_copy_object(struct store *store, struct call *call, const struct object_id *source,
		       const struct object_id *target, const struct copy_params *params,
		       struct object *ret_object);
int memory_delete_object(struct store *store, struct call *call, const struct object_id *id,
			 const char *if_match);
int memory_delete_objects(struct store *store, struct call *call, const char *bucket,
			  const char *const *keys, const char *const *etags, size_t n);

/* ---- memory_listing.c ---- */

int memory_list_objects(struct store *store, struct call *call, const char *bucket,
			const struct list_params *params, struct object_page *ret_page);

/* ---- memory_uploads.c ---- */

struct memory_upload;

void memory_upload_free(struct memory_upload *upload); /* NULL is fine */

int memory_create_upload(struct store *store, struct call *call, const struct object_id *id,
			 const struct put_params *params, char **ret_upload_id);
int memory_upload_part(struct store *store, struct call *call, const struct object_id *id,
		       const char *upload_id, int number, const void *data, size_t len,
		       char **ret_etag);
int memory_copy_part(struct store *store, struct call *call, const struct object_id *id,
		     const char *upload_id, int number, const struct object_id *source,
		     const char *source_etag, uint64_t offset, uint64_t len, char **ret_etag);
int memory_complete_upload(struct store *store, struct call *call, const struct object_id *id,
			   const char *upload_id, const struct put_params *params,
			   const char *const *etags, size_t n, struct object *ret_object);
int memory_abort_upload(struct store *store, struct call *call, const struct object_id *id,
			const char *upload_id);
int memory_list_uploads(struct store *store, struct call *call, const char *bucket,
			const char *prefix, const char *key, const char *id,
			struct upload_page *ret_page);

#endif
