/* User metadata as s3fs writes it: lines "name: value". */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../src/fs/posix.h"
#include "fuzz.h"
#include "xacctfs/util/array.h"
#include "xacctfs/util/cleanup.h"

static void add(struct object *object, char *line)
{
	size_t len = strcspn(line, ":");
	const char *value = line[len] ? line + len + 1 : "";

	if (array_grow(&object->meta, object->n_meta, sizeof(*object->meta)) < 0)
		fuzz_have(NULL);
	value += strspn(value, " ");
	object->meta[object->n_meta].name = fuzz_have(strndup(line, len));
	object->meta[object->n_meta++].value = fuzz_have(strdup(value));
}

static void check(const struct posix_attr *attr)
{
	MUST(!(attr->has & ~(unsigned int)POSIX_ALL));
	if (attr->has & POSIX_MODE)
		MUST(!(attr->mode & ~(mode_t)(S_IFMT | 07777)));
	if (attr->has & POSIX_UID)
		MUST(attr->uid != (uid_t)-1);
	if (attr->has & POSIX_GID)
		MUST(attr->gid != (gid_t)-1);
}

/* What is kept of it is read as the same, and all else stays. */
static void keep(const struct object *object, const struct posix_attr *attr)
{
	_cleanup_(posix_meta_deinit) struct posix_meta meta = {0};
	struct posix_attr again;
	struct object kept;

	MUST(posix_merge(object->meta, object->n_meta, attr, &meta) == 0);
	kept = (struct object){.meta = meta.v, .n_meta = meta.n};
	posix_read(&kept, &again);
	MUST(again.has == attr->has && again.mode == attr->mode && again.uid == attr->uid &&
	     again.gid == attr->gid && again.mtime_ns == attr->mtime_ns);
	for (size_t i = 0; i < object->n_meta; i++)
		MUST(object_meta_get(&kept, object->meta[i].name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(object_deinit) struct object object = {0};
	struct fuzz_rest rest = {data, size};
	struct posix_attr attr;

	while (rest.size > 0) {
		_cleanup_(freep) char *line = fuzz_line(&rest);

		add(&object, line);
	}
	posix_read(&object, &attr);
	check(&attr);
	keep(&object, &attr);
	return 0;
}
