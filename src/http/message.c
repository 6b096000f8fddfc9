#include "xacctfs/http/message.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/secret.h"

/* RFC 9110, 5.6.2: token */
static bool name_valid(const char *name)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789"
				    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return name[0] && name[strspn(name, token)] == '\0';
}

static bool value_valid(const char *value)
{
	return value[strcspn(value, "\r\n")] == '\0';
}

static void header_deinit(struct http_header *header)
{
	free(header->name);
	secret_free(header->value);
}

int http_headers_add(struct http_headers *headers, const char *name, const char *value)
{
	_cleanup_(freep) char *name_copy = NULL;
	_cleanup_(secret_freep) char *value_copy = NULL;
	struct http_header *grown;

	if (!name_valid(name) || !value_valid(value))
		return -EINVAL;
	name_copy = strdup(name);
	value_copy = strdup(value);
	if (!name_copy || !value_copy)
		return -ENOMEM;
	grown = reallocarray(headers->v, headers->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	headers->v = grown;
	headers->v[headers->n++] = (struct http_header){steal(&name_copy), steal(&value_copy)};
	return 0;
}

int http_headers_add_line(struct http_headers *headers, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len), *value;
	_cleanup_(freep) char *name_copy = NULL, *value_copy = NULL;
	int r;

	if (!colon)
		return 0;
	for (value = colon + 1; value < line + len && (*value == ' ' || *value == '\t');)
		value++;
	while (len > 0 && strchr(" \t\r\n", line[len - 1]))
		len--;
	if (value > line + len)
		value = line + len;
	name_copy = strndup(line, (size_t)(colon - line));
	value_copy = strndup(value, (size_t)(line + len - value));
	if (!name_copy || !value_copy)
		return -ENOMEM;
	r = http_headers_add(headers, name_copy, value_copy);
	return r == -EINVAL ? 0 : r;
}

static size_t find(const struct http_headers *headers, const char *name, size_t from)
{
	while (from < headers->n && strcasecmp(headers->v[from].name, name) != 0)
		from++;
	return from;
}

static void remove_at(struct http_headers *headers, size_t i)
{
	header_deinit(&headers->v[i]);
	headers->n--;
	memmove(headers->v + i, headers->v + i + 1, (headers->n - i) * sizeof(*headers->v));
}

int http_headers_set(struct http_headers *headers, const char *name, const char *value)
{
	size_t i = find(headers, name, 0), other;
	char *copy;

	if (i == headers->n)
		return http_headers_add(headers, name, value);
	if (!value_valid(value))
		return -EINVAL;
	copy = strdup(value);
	if (!copy)
		return -ENOMEM;
	secret_free(headers->v[i].value);
	headers->v[i].value = copy;
	while ((other = find(headers, name, i + 1)) < headers->n)
		remove_at(headers, other);
	return 0;
}

const char *http_headers_get(const struct http_headers *headers, const char *name)
{
	size_t i = find(headers, name, 0);

	return i < headers->n ? headers->v[i].value : NULL;
}

void http_headers_deinit(struct http_headers *headers)
{
	for (size_t i = 0; i < headers->n; i++)
		header_deinit(&headers->v[i]);
	free(headers->v);
	*headers = (struct http_headers){0};
}

void http_request_deinit(struct http_request *request)
{
	free(request->scheme);
	free(request->authority);
	free(request->path);
	free(request->query);
	http_headers_deinit(&request->headers);
	buf_wipe(&request->body);
	*request = (struct http_request){0};
}

const void *http_request_body(const struct http_request *request, size_t *ret_len)
{
	*ret_len = request->payload ? request->payload_len : request->body.len;
	return request->payload ? request->payload : buf_str(&request->body);
}

void http_response_deinit(struct http_response *response)
{
	http_headers_deinit(&response->headers);
	/* STS's holds a secret key; not buf_wipe(), which would touch pages never used */
	if (response->body.data)
		explicit_bzero(response->body.data, response->body.len);
	buf_deinit(&response->body);
	*response = (struct http_response){0};
}
