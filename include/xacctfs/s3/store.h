/*
 * s3/store: every S3 call as a function. The second seam: S3 in the program, a store in memory in
 * unit tests of fs/.
 *
 * Results are 0 or a negative errno that is the final answer to the kernel; the S3 store has logged
 * the reason by then. All functions are thread-safe and end early with -EINTR or -ETIMEDOUT as the
 * call says.
 */
#ifndef XACCTFS_S3_STORE_H
#define XACCTFS_S3_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xacctfs/util/call.h"

#define S3_REGION_MAX 64
#define S3_KEY_MAX    1024 /* bytes (Amazon S3 User Guide, "Naming Amazon S3 objects") */
/* The least that a part may have, the last excepted; the most; how many (S3 User Guide, "Amazon S3
 * multipart upload limits").
 */
#define S3_PART_MIN          ((uint64_t)5 << 20)
#define S3_PART_MAX          ((uint64_t)5 << 30)
#define S3_PARTS_MAX         10000
#define S3_OBJECT_MAX        ((uint64_t)5 << 40)
#define S3_PUT_MAX           ((uint64_t)5 << 30) /* of one PutObject, and of one CopyObject */
#define S3_DELETE_MAX        1000                /* keys of one DeleteObjects */
#define S3_STORAGE_CLASS_MAX 31

struct bucket {
	char *name;
	int64_t created_ms; /* since 1970; 0 when the server did not say */
};

/* One page of ListBuckets, in the server's order. */
struct bucket_page {
	struct bucket *v;
	size_t n;
	char *next_token; /* NULL on the last page */
};

void bucket_page_deinit(struct bucket_page *page); /* leaves it zeroed */
/* Appends a copy of name. Returns 0, -ENOMEM. */
int bucket_page_add(struct bucket_page *page, const char *name, int64_t created_ms);

/* ---- objects ---- */

/* Which object. Neither text is owned. */
struct object_id {
	const char *bucket;
	const char *key; /* 1..S3_KEY_MAX bytes; not UTF-8: -EILSEQ, as S3 keeps no others */
};

/* User metadata: x-amz-meta-NAME. Names are in lower case, without the prefix. */
struct object_meta {
	char *name;
	char *value;
};

/*
 * Headers that S3 keeps with an object and sends along as they were given, Content-Type and user
 * metadata apart.
 */
enum object_header {
	OBJECT_CACHE_CONTROL,
	OBJECT_CONTENT_DISPOSITION,
	OBJECT_CONTENT_ENCODING,
	OBJECT_CONTENT_LANGUAGE,
	OBJECT_EXPIRES,
	OBJECT_WEBSITE_REDIRECT,
	OBJECT_HEADERS, /* how many there are */
};

const char *object_header_name(enum object_header header); /* "Cache-Control" */

/* What S3 says of one object. Owned; zeroed is empty. */
struct object {
	uint64_t size;
	int64_t mtime_ms;              /* Last-Modified; 0 when not told */
	char *etag;                    /* as sent, with its quotes; NULL when not told */
	char *content_type;            /* NULL when not told */
	char *version_id;              /* NULL when not told */
	char *storage_class;           /* NULL: STANDARD, or not told */
	char *encryption;              /* x-amz-server-side-encryption; NULL when not told */
	char *headers[OBJECT_HEADERS]; /* each NULL when not told */
	struct object_meta *meta;
	size_t n_meta;
};

void object_deinit(struct object *object); /* leaves it zeroed */
/* The value of that user metadata, or NULL. */
const char *object_meta_get(const struct object *object, const char *name);

/* One line of a listing: a key, or a common prefix with its '/' at the end. */
struct object_entry {
	char *key;
	bool is_prefix; /* then nothing below is told */
	uint64_t size;
	int64_t mtime_ms;
	char *etag;                                   /* NULL when not told */
	char storage_class[S3_STORAGE_CLASS_MAX + 1]; /* "" for STANDARD */
};

/* One page of ListObjectsV2: keys and prefixes merged, in the order of their bytes. */
struct object_page {
	struct object_entry *v;
	size_t n;
	char *next_token; /* NULL on the last page */
};

void object_page_deinit(struct object_page *page); /* leaves it zeroed */

struct list_params {
	const char *prefix;      /* "" for all */
	bool delimited;          /* by '/': deeper keys come as common prefixes */
	const char *start_after; /* only keys behind this one; NULL from the start */
	const char *token;       /* of the page before; NULL for the first */
	int max_keys;            /* 1..1000 */
};

struct get_params {
	uint64_t offset;
	uint64_t len;         /* at least 1 */
	const char *if_match; /* an ETag: another object is -ESTALE; NULL takes any */
	/*
	 * Takes the bytes in order, each once, as they come: when a connection breaks, the rest is
	 * asked for from there, of the same object. A non-zero return ends the call with it.
	 */
	int (*sink)(void *data, const void *bytes, size_t n);
	void *sink_data;
	/* Once, before the first byte: what get_object's ret_object will be. Or NULL. */
	void (*told)(void *data, const struct object *object);
	void *told_data;
};

/* How an object is written. Texts are not owned. */
struct put_params {
	const char *content_type;  /* NULL: the server's default */
	char *const *headers;      /* OBJECT_HEADERS of them, each may be NULL; or NULL for none */
	const char *storage_class; /* unless the options name one; NULL: the bucket's default */
	const struct object_meta *meta;
	size_t n_meta;
	const char *if_match; /* only over the object with this ETag, else -ESTALE; or NULL */
	bool if_none_match;   /* only where no object is, else -EEXIST */
};

/*
 * The storage class that an object keeps when it is written anew or copied: the same if it can be
 * read at once and be asked for in any bucket; else NULL. NULL is NULL.
 */
const char *object_kept_class(const char *storage_class);
/*
 * How an object that is described as this one is written, without conditions; valid as long as
 * object.
 */
struct put_params object_put_params(const struct object *object);
/* Fills an empty object with copies of what params describe. 0, -ENOMEM: it is empty still. */
int object_describe(struct object *object, const struct put_params *params);
/* Nothing when there is none of that name. */
void object_meta_drop(struct object *object, const char *name);

struct copy_params {
	const char *if_match; /* of the source; another one is -ESTALE; or NULL */
	/*
	 * NULL: type, headers and metadata are the source's, but for OBJECT_WEBSITE_REDIRECT, which
	 * no copy has; else they are these (conditions are not used).
	 */
	const struct put_params *replace;
	const char *storage_class; /* as in put_params, when nothing is replaced */
};

/* An upload that was begun and neither completed nor aborted. */
struct upload {
	char *key;
	char *upload_id;
	int64_t initiated_ms;
	char *initiator; /* ARN; NULL when not told */
};

struct upload_page {
	struct upload *v;
	size_t n;
	char *next_key, *next_id; /* both NULL on the last page */
};

void upload_page_deinit(struct upload_page *page); /* leaves it zeroed */

struct store {
	/* ---- buckets ---- */

	/*
	 * ListBuckets. prefix: only names that begin so, NULL for all; a server may ignore it and
	 * send others too. token: NULL for the first page, else the last page's next_token.
	 */
	int (*list_buckets)(struct store *store, struct call *call, const char *prefix,
			    const char *token, struct bucket_page *ret_page);
	/* CreateBucket in the create region. -EEXIST: somebody's already; -EINVAL, -EDQUOT, ... */
	int (*create_bucket)(struct store *store, struct call *call, const char *name);
	/* DeleteBucket. -ENOTEMPTY, -ENOENT, ... */
	int (*delete_bucket)(struct store *store, struct call *call, const char *name);
	/* HeadBucket: learns the region of a bucket that no listing told, and checks access. */
	int (*head_bucket)(struct store *store, struct call *call, const char *name);
	/* What is known without a request: 0, or -ENODATA. */
	int (*bucket_region)(struct store *store, const char *name,
			     char ret_region[S3_REGION_MAX + 1]);

	/* ---- objects ---- */

	/* ListObjectsV2. -EILSEQ: the prefix is not UTF-8, so nothing begins with it. */
	int (*list_objects)(struct store *store, struct call *call, const char *bucket,
			    const struct list_params *params, struct object_page *ret_page);
	/* HeadObject. -ENOENT. */
	int (*head_object)(struct store *store, struct call *call, const struct object_id *id,
			   struct object *ret_object);
	/*
	 * GetObject of a range. 0 when all of it came, or all up to the object's end; ret_object
	 * (may be NULL) is the whole object's, meta included. -ESTALE: if_match does not hold, or
	 * the object changed while it was read; -ERANGE: offset is at or behind the end; -ENOENT.
	 */
	int (*get_object)(struct store *store, struct call *call, const struct object_id *id,
			  const struct get_params *params, struct object *ret_object);
	/*
	 * PutObject. The server checks the bytes by their MD5, and its ETag is checked where it is
	 * one. ret_object (may be NULL): size, etag, version_id, and mtime_ms as the answer's Date.
	 */
	int (*put_object)(struct store *store, struct call *call, const struct object_id *id,
			  const struct put_params *params, const void *data, size_t len,
			  struct object *ret_object);
	/* CopyObject, up to S3_PUT_MAX; both buckets may be in different regions. */
	int (*copy_object)(struct store *store, struct call *call, const struct object_id *source,
			   const struct object_id *target, const struct copy_params *params,
			   struct object *ret_object);
	/*
	 * DeleteObject. That there was none is 0, as S3 has it. if_match: only the object with this
	 * ETag; another one stays, which is 0 too, as that one came after. A server that does not
	 * know conditional deletes deletes any. NULL: any.
	 */
	int (*delete_object)(struct store *store, struct call *call, const struct object_id *id,
			     const char *if_match);
	/*
	 * DeleteObjects, n of 1..S3_DELETE_MAX. etags: as if_match, each of its key's, may be NULL;
	 * or NULL altogether. Returns the first key's error when some were not deleted; which are
	 * left, a listing tells.
	 */
	int (*delete_objects)(struct store *store, struct call *call, const char *bucket,
			      const char *const *keys, const char *const *etags, size_t n);

	/* CreateMultipartUpload (the conditions of params are not used); the id is to free(). */
	int (*create_upload)(struct store *store, struct call *call, const struct object_id *id,
			     const struct put_params *params, char **ret_upload_id);
	/* UploadPart, number from 1; checked as put_object; the etag is to free(). */
	int (*upload_part)(struct store *store, struct call *call, const struct object_id *id,
			   const char *upload_id, int number, const void *data, size_t len,
			   char **ret_etag);
	/* UploadPartCopy of len bytes of source from offset; another source_etag is -ESTALE. */
	int (*copy_part)(struct store *store, struct call *call, const struct object_id *id,
			 const char *upload_id, int number, const struct object_id *source,
			 const char *source_etag, uint64_t offset, uint64_t len, char **ret_etag);
	/*
	 * CompleteMultipartUpload of the parts 1..n. Of params only the conditions are used.
	 * ret_object (may be NULL): etag, version_id, mtime_ms as the answer's Date.
	 */
	int (*complete_upload)(struct store *store, struct call *call, const struct object_id *id,
			       const char *upload_id, const struct put_params *params,
			       const char *const *etags, size_t n, struct object *ret_object);
	/*
	 * AbortMultipartUpload. That there is none is 0. No part of it may be under way. Whatever
	 * is returned, the upload must not be used any more; it may be aborted again.
	 */
	int (*abort_upload)(struct store *store, struct call *call, const struct object_id *id,
			    const char *upload_id);
	/* ListMultipartUploads. key and id: the last page's next_key and next_id, or NULL. */
	int (*list_uploads)(struct store *store, struct call *call, const char *bucket,
			    const char *prefix, const char *key, const char *id,
			    struct upload_page *ret_page);
	void (*free)(struct store *store);
};

void store_free(struct store *store); /* NULL is fine */

#endif
