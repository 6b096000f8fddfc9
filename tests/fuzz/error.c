/* Error answers of S3 and STS: a status, headers, a body, as in answers.h. */
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "fuzz.h"
#include "xacctfs/aws/caller.h"
#include "xacctfs/aws/diagnose.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/utf8.h"

/* It goes into logs, JSON and host names. */
static void check_text(const char *text, size_t size)
{
	MUST(memchr(text, '\0', size));
	MUST(utf8_valid(text));
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		MUST(*p >= 0x20 && *p != 0x7f && !(p[0] == 0xc2 && p[1] < 0xa0));
}

static void check(const struct aws_error *error)
{
	char text[480], small[7];

	check_text(error->code, sizeof(error->code));
	check_text(error->message, sizeof(error->message));
	check_text(error->request_id, sizeof(error->request_id));
	check_text(error->region, sizeof(error->region));
	MUST(error->status / 100 == 2 || error->code[0]);
	aws_error_format(error, text, sizeof(text));
	MUST(memchr(text, '\0', sizeof(text)));
	aws_error_format(error, small, sizeof(small));
	MUST(memchr(small, '\0', sizeof(small)) && !strncmp(small, text, strlen(small)));
	for (enum link link = LINK_BASE; link <= LINK_LIST_BUCKETS; link++)
		MUST(*link_break_name(diagnose(link, AWS_E_REPLY, error)));
	MUST(!aws_error_is_throttle(error) || aws_error_is_passing(error));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	struct fuzz_rest rest = {data, size};
	struct aws_error error = {0};

	if (fuzz_answer(&rest, NULL, NULL, &response) != 0)
		return 0;
	aws_error_parse(&response, &error);
	check(&error);
	return 0;
}
