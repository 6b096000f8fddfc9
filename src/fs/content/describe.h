/*
 * fs/content/describe: an object that is changed in part stays described as the one that it lies
 * over: type, headers, storage class, user metadata.
 */
#ifndef FS_DESCRIBE_H
#define FS_DESCRIBE_H

#include <stdbool.h>

#include "xacctfs/s3/store.h"
#include "xacctfs/util/call.h"

#include "../reader/reader.h"

/* User metadata that rclone has of an object that was sent in parts: the MD5 of its bytes. */
#define DESCRIBE_MD5 "md5chksum"

/*
 * The description of the object with that ETag (NULL: of whatever object is there): what reader
 * (may be NULL) was told, else by a HEAD. 0 with *ret_object filled; -ESTALE: it is another by now,
 * or gone; the store's errno.
 */
int describe_find(struct store *store, struct call *call, const struct object_id *id,
		  const char *etag, struct reader *reader, struct object *ret_object);

/*
 * Fills an empty object with base's description and the metadata of own, which replace those of the
 * same name. same_bytes: else what metadata told of the bytes holds no longer, and goes. 0,
 * -ENOMEM.
 */
int describe_merge(const struct object *base, const struct put_params *own, bool same_bytes,
		   struct object *ret_object);

#endif
