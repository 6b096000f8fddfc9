/*
 * fuse/device: how a session's messages go through the kernel's device, and what libfuse leaves out
 * of one of them.
 */
#ifndef FUSE_DEVICE_H
#define FUSE_DEVICE_H

#include <fuse_lowlevel.h>

/*
 * Lets a session tell the kernel that lookups and readdirs of one directory may be under way at the
 * same time, where the operations' init asked for that (ops_context's parallel_dirops). Between
 * fuse_session_mount and the loop; the session's userdata is a struct ops_context. 0, or -ENOMEM.
 */
int device_complete(struct fuse_session *session);

#endif
