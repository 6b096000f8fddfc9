#include "answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"

struct fuzz_rest fuzz_headers(struct fuzz_rest *block, struct http_headers *headers)
{
	while (block->size > 0) {
		_cleanup_(freep) char *line = fuzz_line(block);

		if (!*line)
			break;
		MUST(http_headers_add_line(headers, line, strlen(line)) == 0);
	}
	return *block;
}

int fuzz_answer(void *data, struct call *call, const struct http_request *request,
		struct http_response *ret_response)
{
	struct fuzz_rest *rest = data, block, body;
	_cleanup_(freep) char *status = NULL;
	char *behind;
	long number;

	(void)call;
	(void)request;
	if (rest->size == 0)
		return HTTP_E_PROTOCOL;
	block = fuzz_until(rest, "====");
	status = fuzz_line(&block);
	number = strtol(status, &behind, 10);
	if (number < 200 || number > 599)
		return HTTP_E_PROTOCOL;
	ret_response->status = (int)number;
	body = fuzz_headers(&block, &ret_response->headers);
	MUST(buf_add(&ret_response->body, body.data, body.size) == 0);
	return !strcmp(behind, " cut") ? HTTP_E_BROKEN : 0;
}

static void look_at(void *data, enum log_level level, const char *line)
{
	(void)data;
	(void)level;
	for (; *line; line++)
		MUST((unsigned char)*line >= 0x20 && *line != 0x7f);
}

void fuzz_watch_log(void)
{
	log_init(LOG_SINK_STDERR, LOG_LEVEL_DEBUG);
	log_capture(look_at, NULL);
}
