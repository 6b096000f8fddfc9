/* What answers tell: of objects, in headers; of everything else, in XML. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/timefmt.h"

#include "private.h"

#define META_PREFIX "x-amz-meta-"

int s3_parse_size(const char *text, uint64_t *ret_size)
{
	uint64_t value = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (!isdigit((unsigned char)*text) || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return -EINVAL;
	}
	if (value > INT64_MAX)
		return -EINVAL;
	*ret_size = value;
	return 0;
}

int s3_content_length(const struct http_response *response, uint64_t *ret_len)
{
	const char *text = http_headers_get(&response->headers, "Content-Length");

	return text ? s3_parse_size(text, ret_len) : -EINVAL;
}

/* ---- headers ---- */

static int take_header(const struct http_response *response, const char *name, char **field)
{
	const char *value = http_headers_get(&response->headers, name);

	if (!value || !*value)
		return 0;
	*field = strdup(value);
	return *field ? 0 : -ENOMEM;
}

static int add_meta(struct object *object, const struct http_header *header)
{
	struct object_meta meta = {.name = strdup(header->name + strlen(META_PREFIX)),
				   .value = strdup(header->value)};
	struct object_meta *v =
	    reallocarray(object->meta, object->n_meta + 1, sizeof(*object->meta));

	if (v)
		object->meta = v;
	if (!v || !meta.name || !meta.value) {
		free(meta.name);
		free(meta.value);
		return -ENOMEM;
	}
	for (char *p = meta.name; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	object->meta[object->n_meta++] = meta;
	return 0;
}

static int take_meta(const struct http_response *response, struct object *object)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < response->headers.n; i++)
		if (!strncasecmp(response->headers.v[i].name, META_PREFIX, strlen(META_PREFIX)))
			r = add_meta(object, &response->headers.v[i]);
	return r;
}

int s3_read_object(const struct http_response *response, struct object *ret_object)
{
	_cleanup_(object_deinit) struct object object = {0};
	const char *modified = http_headers_get(&response->headers, "Last-Modified");
	int r = take_header(response, "ETag", &object.etag);

	if (r == 0)
		r = take_header(response, "Content-Type", &object.content_type);
	if (r == 0)
		r = take_header(response, "x-amz-version-id", &object.version_id);
	if (r == 0)
		r = take_header(response, "x-amz-storage-class", &object.storage_class);
	if (r == 0)
		r = take_header(response, "x-amz-server-side-encryption", &object.encryption);
	for (enum object_header i = 0; r == 0 && i < OBJECT_HEADERS; i++)
		r = take_header(response, object_header_name(i), &object.headers[i]);
	if (r == 0)
		r = take_meta(response, &object);
	if (r < 0)
		return r;
	if (modified && time_parse_http(modified, &object.mtime_ms) < 0)
		object.mtime_ms = 0;
	*ret_object = object;
	object = (struct object){0};
	return 0;
}

int s3_read_written(struct s3_store *s3, const struct http_response *response,
		    struct object *ret_object)
{
	_cleanup_(object_deinit) struct object object = {0};
	const char *date = http_headers_get(&response->headers, "Date");
	int r = take_header(response, "ETag", &object.etag);

	if (r == 0)
		r = take_header(response, "x-amz-version-id", &object.version_id);
	if (r == 0)
		r = take_header(response, "x-amz-server-side-encryption", &object.encryption);
	if (r < 0)
		return r;
	if (!date || time_parse_http(date, &object.mtime_ms) < 0)
		object.mtime_ms = aws_caller_now_ms(s3->caller);
	*ret_object = object;
	object = (struct object){0};
	return 0;
}

int s3_check_etag(const struct http_response *response, const uint8_t digest[MD5_LEN],
		  struct aws_error *error)
{
	if (s3_etag_fits(response, digest))
		return 0;
	return s3_bad_answer(error, "WrongETag",
			     "the server has other bytes than were sent (ETag %s)",
			     http_headers_get(&response->headers, "ETag"));
}

int s3_check_encryption(const struct s3_store *s3, const struct http_response *response,
			struct aws_error *error)
{
	const char *told = http_headers_get(&response->headers, "x-amz-server-side-encryption");

	if (!s3->sse || (told && !strcmp(told, s3->sse)))
		return 0;
	return s3_bad_answer(error, "WrongEncryption", "it is encrypted with %s, not with %s",
			     told ? told : "nothing", s3->sse);
}

/* ---- XML ---- */

int s3_open_xml(const struct http_response *response, const char *root, struct xml **ret_xml)
{
	_cleanup_(xml_freep) struct xml *xml = NULL;
	int r = xml_open(response->body.data, response->body.len, &xml);

	if (r == 0)
		r = xml_root(xml, root, S3_XMLNS);
	if (r != 0)
		return r == -ENOMEM ? r : -EBADMSG;
	*ret_xml = steal(&xml);
	return 0;
}

int s3_take_text(struct xml *xml, char **field)
{
	free(*field);
	*field = NULL;
	return xml_text(xml, field);
}

int s3_take_is(struct xml *xml, const char *text, bool *ret_is)
{
	_cleanup_(freep) char *found = NULL;
	int r = xml_text(xml, &found);

	if (r == 0)
		*ret_is = !strcmp(found, text);
	return r;
}

int s3_take_time(struct xml *xml, int64_t *ret_ms)
{
	_cleanup_(freep) char *text = NULL;
	int r = xml_text(xml, &text);

	if (r == 0 && time_parse_iso(text, ret_ms) < 0)
		*ret_ms = 0;
	return r;
}

int s3_read_child(const struct http_response *response, const char *root, const char *name,
		  char **ret_text)
{
	_cleanup_(xml_freep) struct xml *xml = NULL;
	_cleanup_(freep) char *text = NULL;
	const char *found;
	int r = s3_open_xml(response, root, &xml);

	if (r < 0)
		return r;
	while ((r = xml_child(xml, 0, &found)) == 0)
		if (!strcmp(found, name) && (r = s3_take_text(xml, &text)) < 0)
			return r;
	if (r != XML_E_END)
		return r;
	if (!text || !*text)
		return -EBADMSG;
	*ret_text = steal(&text);
	return 0;
}

int s3_decode(char **text)
{
	_cleanup_(buf_deinit) struct buf decoded = BUF_INIT;
	char *stolen;
	int r = buf_add_decoded(&decoded, *text);

	if (r < 0)
		return r;
	if (strlen(buf_str(&decoded)) != decoded.len)
		return -EBADMSG;
	stolen = buf_steal(&decoded);
	if (!stolen)
		return -ENOMEM;
	free(*text);
	*text = stolen;
	return 0;
}
