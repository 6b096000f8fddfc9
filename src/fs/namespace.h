/*
 * fs/namespace: which names can be. Pure.
 */
#ifndef FS_NAMESPACE_H
#define FS_NAMESPACE_H

#include <stdbool.h>

/*
 * The rule of AWS's that a new bucket's name breaks, as a sentence for a person; NULL when none.
 * Source: Amazon S3 User Guide, "General purpose bucket naming rules".
 */
const char *bucket_name_rule_broken(const char *name);

/* True when a file system can show the name: no '/', not "." or "..", 1 to 255 bytes. */
bool name_representable(const char *name);

#endif
