/* Header lines as they come, and what the values of an object's tell. */
#include <stdlib.h>
#include <string.h>

#include "../../src/s3/private.h"
#include "answers.h"
#include "fuzz.h"
#include "xacctfs/util/cleanup.h"

static void check_headers(const struct http_headers *headers)
{
	for (size_t i = 0; i < headers->n; i++) {
		const struct http_header *header = &headers->v[i];
		size_t len = strlen(header->value);

		MUST(header->name[0] && !strpbrk(header->name, ": \t\r\n"));
		MUST(!strpbrk(header->value, "\r\n"));
		MUST(!len ||
		     (!strchr(" \t", header->value[0]) && !strchr(" \t", header->value[len - 1])));
		MUST(http_headers_get(headers, header->name));
	}
}

/* What is told of an object goes with a request that writes it anew, and is told again. */
static void write_and_read(const struct object *object)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	_cleanup_(object_deinit) struct object again = {0};
	struct put_params params = object_put_params(object);

	MUST(s3_add_description(&response.headers, &params) == 0);
	MUST(s3_read_object(&response, &again) == 0);
	MUST(again.n_meta == object->n_meta);
	for (size_t i = 0; i < again.n_meta; i++)
		MUST(!strcmp(again.meta[i].name, object->meta[i].name) &&
		     !strcmp(again.meta[i].value, object->meta[i].value));
	for (size_t i = 0; i < OBJECT_HEADERS; i++)
		MUST(!again.headers[i] == !object->headers[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(http_response_deinit) struct http_response response = {.status = 200};
	_cleanup_(object_deinit) struct object object = {0};
	struct fuzz_rest rest = {data, size};
	uint8_t digest[MD5_LEN] = {0};
	uint64_t len;

	fuzz_headers(&rest, &response.headers);
	check_headers(&response.headers);
	MUST(s3_read_object(&response, &object) == 0);
	write_and_read(&object);
	if (s3_content_length(&response, &len) == 0)
		MUST(http_headers_get(&response.headers, "Content-Length")[0]);
	s3_etag_fits(&response, digest);
	return 0;
}
