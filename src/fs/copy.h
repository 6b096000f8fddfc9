/*
 * fs/copy: objects copied on the server, whatever their size.
 */
#ifndef FS_COPY_H
#define FS_COPY_H

#include "private.h"

/* Above S3_PUT_MAX an object is copied in parts of this size. */
#define COPY_PART ((uint64_t)1 << 30)

/*
 * object: the source, of which size, etag (another one is -ESTALE; may be NULL) and storage_class
 * count. replace: how the copy is described; NULL: as the source. The target may be the source,
 * when that is replaced.
 */
int copy_object(struct fs *fs, struct call *call, const struct object_id *source,
		const struct object *object, const struct object_id *target,
		const struct put_params *replace, struct object *ret_object);

#endif
