/*
 * fuse/closing: whether a process has a file open, so that a close that another one, or it itself,
 * does is not the last word on the file.
 */
#ifndef FUSE_CLOSING_H
#define FUSE_CLOSING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Looks into /proc/PID/fdinfo (its "ino:" is there since Linux 5.14), which asks no file system.
 * False when it is not known.
 */
bool closing_more_to_come(pid_t pid, uint64_t st_ino);

#endif
