/*
 * fs/copy: objects copied on the server, whatever their size.
 */
#ifndef FS_COPY_H
#define FS_COPY_H

#include "private.h"

/* Above S3_PUT_MAX an object is copied in parts of this size. */
#define COPY_PART ((uint64_t)1 << 30)

/*
 * object: the source, of which size, etag (may be NULL) and storage_class count. replace: how the
 * copy is described; NULL: as the source. The target may be the source, when that is replaced.
 * Returns 0; -ESTALE when the source is another object by now, which without an ETag is told of
 * what is copied in parts only, and there by the size; -ENOMEM; the store's errno.
 */
int copy_object(struct fs *fs, struct call *call, const struct object_id *source,
		const struct object *object, const struct object_id *target,
		const struct put_params *replace, struct object *ret_object);

#endif
