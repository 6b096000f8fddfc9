/*
 * util/buf: growing bytes, always followed by a NUL that is not counted.
 *
 *	_cleanup_(buf_deinit) struct buf b = BUF_INIT;
 *	r = buf_printf(&b, "%s/", bucket);
 *
 * Not thread-safe. Functions that grow return 0 or -ENOMEM, and leave the bytes as they were then.
 */
#ifndef XACCTFS_UTIL_BUF_H
#define XACCTFS_UTIL_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *data; /* NULL when nothing was ever added */
	size_t len;
	size_t size;
};

#define BUF_INIT                                                                                   \
	{                                                                                          \
		NULL, 0, 0                                                                         \
	}

void buf_deinit(struct buf *b);
/* As buf_deinit, but the bytes are overwritten first: for what held a secret. */
void buf_wipe(struct buf *b);
void buf_clear(struct buf *b);
/* The bytes, NUL-terminated; "" for an empty buf. Valid until the next change. */
const char *buf_str(const struct buf *b);
/* The bytes become the caller's, to free(); the buf is empty then. NULL when out of memory. */
char *buf_steal(struct buf *b);

int buf_reserve(struct buf *b, size_t more);
int buf_add(struct buf *b, const void *data, size_t len);
int buf_add_str(struct buf *b, const char *s);
int buf_add_char(struct buf *b, char c);
int buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
int buf_add_hex(struct buf *b, const uint8_t *data, size_t len);

/*
 * Percent-encodes as SigV4 wants it (RFC 3986's unreserved characters stay; all other bytes become
 * %XX, upper case). With keep_slash, '/' stays too: for an object key in a path.
 */
int buf_add_encoded(struct buf *b, const char *data, size_t len, bool keep_slash);

/*
 * Undoes percent-encoding; '+' is a space, as in forms and in S3's encoding-type=url. A '%' that
 * begins no %XX stays.
 */
int buf_add_decoded(struct buf *b, const char *text);

/* Appends text with &, <, > and quotes as XML references. */
int buf_add_xml(struct buf *b, const char *text);

/*
 * Appends text as one field of one line: control characters and the backslash as \xNN. When it
 * fails, the beginning may be there.
 */
int buf_add_escaped(struct buf *b, const char *text);

#endif
