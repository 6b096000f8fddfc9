/*
 * util/utf8: what is UTF-8 and what is not (RFC 3629, section 4).
 */
#ifndef XACCTFS_UTIL_UTF8_H
#define XACCTFS_UTIL_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The bytes of the character at p, which is NUL-terminated; 0 when they are none. */
size_t utf8_len(const unsigned char *p);
bool utf8_valid(const char *text);

#endif
