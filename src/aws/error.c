/* The error answers of S3 (<Error>) and STS (<ErrorResponse><Error>), as struct aws_error. */
#include <stdio.h>
#include <string.h>

#include "xacctfs/aws/caller.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/utf8.h"
#include "xacctfs/util/xml.h"

/* Printable UTF-8, cut between characters, since it goes into lines of a log and into JSON. */
static void take(char *field, size_t size, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t o = 0, len;

	for (; *p; p += len ? len : 1) {
		len = utf8_len(p);
		if (o + (len ? len : 1) >= size)
			break;
		if (len == 0) {
			field[o++] = '?';
		} else if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0)) {
			field[o++] = ' ';
		} else {
			memcpy(field + o, p, len);
			o += len;
		}
	}
	field[o] = '\0';
}

/* It goes into a host name: cut to fit it would name another place. */
static void take_region(struct aws_error *error, const char *text)
{
	if (strlen(text) < sizeof(error->region))
		take(error->region, sizeof(error->region), text);
}

static void take_element(struct xml *xml, const char *name, struct aws_error *error)
{
	_cleanup_(freep) char *text = NULL;

	if (strcmp(name, "Code") != 0 && strcmp(name, "Message") != 0 &&
	    strcmp(name, "RequestId") != 0 && strcmp(name, "Region") != 0)
		return;
	if (xml_text(xml, &text) != 0)
		return;
	if (!strcmp(name, "Code"))
		take(error->code, sizeof(error->code), text);
	else if (!strcmp(name, "Message"))
		take(error->message, sizeof(error->message), text);
	else if (!strcmp(name, "RequestId"))
		take(error->request_id, sizeof(error->request_id), text);
	else
		take_region(error, text);
}

static void take_children(struct xml *xml, int depth, struct aws_error *error)
{
	const char *name;

	while (xml_child(xml, depth, &name) == 0) {
		if (depth == 0 && !strcmp(name, "Error"))
			take_children(xml, 1, error);
		else
			take_element(xml, name, error);
	}
}

static void parse_body(const struct http_response *response, struct aws_error *error)
{
	_cleanup_(xml_freep) struct xml *xml = NULL;

	if (xml_open(response->body.data, response->body.len, &xml) != 0)
		return;
	if (xml_root(xml, "Error", NULL) == 0) {
		take_children(xml, 0, error);
		if (error->code[0] == '\0' && response->status / 100 == 2)
			take(error->code, sizeof(error->code), "UnknownError");
	} else if (xml_name(xml) && !strcmp(xml_name(xml), "ErrorResponse")) {
		take_children(xml, 0, error);
	}
}

void aws_error_parse(const struct http_response *response, struct aws_error *ret_error)
{
	const struct http_headers *headers = &response->headers;
	const char *id = http_headers_get(headers, "x-amz-request-id");
	const char *region = http_headers_get(headers, "x-amz-bucket-region");

	if (!id)
		id = http_headers_get(headers, "x-amzn-requestid");
	ret_error->status = response->status;
	if (response->body.len > 0)
		parse_body(response, ret_error);
	if (id && ret_error->request_id[0] == '\0')
		take(ret_error->request_id, sizeof(ret_error->request_id), id);
	if (region)
		take_region(ret_error, region);
	if (response->status / 100 != 2 && ret_error->code[0] == '\0')
		snprintf(ret_error->code, sizeof(ret_error->code), "HTTP%d", response->status);
}

void aws_error_format(const struct aws_error *error, char *ret_text, size_t size)
{
	if (error->status == 0)
		snprintf(ret_text, size, "%s", error->message[0] ? error->message : "no answer");
	else
		snprintf(ret_text, size, "%s%s%s (HTTP %d%s%s)", error->code,
			 error->message[0] ? ": " : "", error->message, error->status,
			 error->request_id[0] ? ", request id " : "", error->request_id);
}
