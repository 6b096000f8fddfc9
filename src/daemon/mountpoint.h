/*
 * daemon/mountpoint: is this a place to mount on?
 */
#ifndef DAEMON_MOUNTPOINT_H
#define DAEMON_MOUNTPOINT_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Returns 0 for a directory that is no mount of ours yet; else a negative errno, having logged what
 * is wrong and what to do: -ENOENT, -ENOTDIR, -ENOTCONN (a stale mount), -EBUSY (mounted already).
 */
int mountpoint_check(const char *path);

/* For tests: whether a mountinfo file (proc(5)) has a mount of this type on this path. */
bool mountinfo_has(FILE *mountinfo, const char *path, const char *type);

#endif
