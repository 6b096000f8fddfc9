/*
 * fs/copy: objects copied on the server, whatever their size.
 */
#ifndef FS_COPY_H
#define FS_COPY_H

#include "private.h"

/* Above S3_PUT_MAX an object is copied in parts of this size. */
#define COPY_PART ((uint64_t)1 << 30)

/*
 * etag: of the source; another one is -ESTALE. replace: the copy's metadata and type; NULL: those
 * of the source. The target may be the source, when they are replaced.
 */
int copy_object(struct fs *fs, struct call *call, const struct object_id *source, const char *etag,
		uint64_t size, const struct object_id *target, const struct put_params *replace,
		struct object *ret_object);

#endif
