/*
 * util/secret: strings that are overwritten before their memory is given back.
 */
#ifndef XACCTFS_UTIL_SECRET_H
#define XACCTFS_UTIL_SECRET_H

/* Overwrites the string, then frees it. NULL is fine. */
void secret_free(char *s);

/* _cleanup_(secret_freep) char *key = ...; */
void secret_freep(char **s);

/* Takes a variable out of the environment and overwrites its value, which /proc/PID/environ shows.
 */
void secret_unsetenv(const char *name);

#endif
