#include "xacctfs/util/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"

void buf_deinit(struct buf *b)
{
	free(b->data);
	*b = (struct buf)BUF_INIT;
}

void buf_wipe(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->size);
	buf_deinit(b);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	if (b->data)
		b->data[0] = '\0';
}

const char *buf_str(const struct buf *b)
{
	return b->data ? b->data : "";
}

char *buf_steal(struct buf *b)
{
	char *data = b->data ? b->data : strdup("");

	*b = (struct buf)BUF_INIT;
	return data;
}

int buf_reserve(struct buf *b, size_t more)
{
	size_t need, size = b->size ? b->size : 64;
	char *data;

	if (more >= SIZE_MAX / 2 - b->len)
		return -ENOMEM;
	need = b->len + more + 1;
	if (need <= b->size)
		return 0;
	while (size < need)
		size *= 2;
	/* not realloc: it would leave a copy of what may be a secret behind */
	data = malloc(size);
	if (!data)
		return -ENOMEM;
	if (b->data) {
		memcpy(data, b->data, b->len + 1);
		explicit_bzero(b->data, b->size);
		free(b->data);
	} else {
		data[0] = '\0';
	}
	b->data = data;
	b->size = size;
	return 0;
}

int buf_add(struct buf *b, const void *data, size_t len)
{
	int r = buf_reserve(b, len);

	if (r < 0)
		return r;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

int buf_add_str(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

int buf_add_char(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

int buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	int n, r;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0)
		return -ENOMEM;
	r = buf_reserve(b, (size_t)n);
	if (r < 0)
		return r;
	va_start(args, format);
	vsnprintf(b->data + b->len, (size_t)n + 1, format, args);
	va_end(args);
	b->len += (size_t)n;
	return 0;
}

int buf_add_hex(struct buf *b, const uint8_t *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	int r = buf_reserve(b, len * 2);

	if (r < 0)
		return r;
	for (size_t i = 0; i < len; i++) {
		b->data[b->len++] = digits[data[i] >> 4];
		b->data[b->len++] = digits[data[i] & 15];
	}
	b->data[b->len] = '\0';
	return 0;
}

static bool unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

int buf_add_encoded(struct buf *b, const char *data, size_t len, bool keep_slash)
{
	static const char digits[] = "0123456789ABCDEF";
	int r = buf_reserve(b, len * 3);

	if (r < 0)
		return r;
	for (size_t i = 0; i < len; i++) {
		if (unreserved(data[i]) || (keep_slash && data[i] == '/')) {
			b->data[b->len++] = data[i];
		} else {
			b->data[b->len++] = '%';
			b->data[b->len++] = digits[(uint8_t)data[i] >> 4];
			b->data[b->len++] = digits[(uint8_t)data[i] & 15];
		}
	}
	b->data[b->len] = '\0';
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
		return (c | 0x20) - 'a' + 10;
	return -1;
}

int buf_add_decoded(struct buf *b, const char *text)
{
	int r = buf_reserve(b, strlen(text));

	if (r < 0)
		return r;
	for (; *text; text++) {
		bool escape = *text == '%' && hex_digit(text[1]) >= 0 && hex_digit(text[2]) >= 0;

		if (escape) {
			b->data[b->len++] = (char)(hex_digit(text[1]) << 4 | hex_digit(text[2]));
			text += 2;
		} else {
			b->data[b->len++] = *text == '+' ? ' ' : *text;
		}
	}
	b->data[b->len] = '\0';
	return 0;
}

static const char *xml_reference(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&apos;";
	default:
		return NULL;
	}
}

int buf_add_xml(struct buf *b, const char *text)
{
	size_t start = b->len;

	for (; *text; text++) {
		const char *reference = xml_reference(*text);
		int r = reference ? buf_add_str(b, reference) : buf_add_char(b, *text);

		if (r < 0) {
			b->len = start;
			b->data[start] = '\0';
			return r;
		}
	}
	return 0;
}

int buf_add_escaped(struct buf *b, const char *text)
{
	int r = 0;

	for (; r == 0 && *text; text++) {
		unsigned char c = (unsigned char)*text;

		r = c < 0x20 || c == 0x7f || c == '\\' ? buf_printf(b, "\\x%02x", c)
						       : buf_add_char(b, *text);
	}
	return r;
}
