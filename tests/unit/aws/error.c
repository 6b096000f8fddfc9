/* Error answers as S3 and STS write them, and as they would if they meant harm. */
#include "xacctfs/aws/caller.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xacctfs/util/cleanup.h"

#include "script_transport.h"

static struct aws_error parse_bytes(int status, const char *headers, const char *body, size_t len)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	struct aws_error error = {0};

	assert_int_equal(script_respond(&response, status, headers, ""), 0);
	assert_int_equal(buf_add(&response.body, body, len), 0);
	aws_error_parse(&response, &error);
	return error;
}

static struct aws_error parse(int status, const char *headers, const char *body)
{
	return parse_bytes(status, headers, body, strlen(body));
}

static void s3_error(void **state)
{
	struct aws_error e =
	    parse(404, "x-amz-request-id: header-id\n",
		  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchBucket</Code>"
		  "<Message>The specified bucket does not exist</Message>"
		  "<BucketName>b</BucketName><RequestId>body-id</RequestId>"
		  "<HostId>x/y=</HostId></Error>");

	(void)state;
	assert_int_equal(e.status, 404);
	assert_int_equal(e.transport, 0);
	assert_string_equal(e.code, "NoSuchBucket");
	assert_string_equal(e.message, "The specified bucket does not exist");
	assert_string_equal(e.request_id, "body-id");
	assert_string_equal(e.region, "");
}

static void sts_error_has_the_id_outside(void **state)
{
	struct aws_error e =
	    parse(403, "",
		  "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>"
		  "<Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error>"
		  "<RequestId>r-1</RequestId></ErrorResponse>");

	(void)state;
	assert_string_equal(e.code, "AccessDenied");
	assert_string_equal(e.message, "no");
	assert_string_equal(e.request_id, "r-1");
}

static void sts_error_of_ceph_has_the_id_inside(void **state)
{
	struct aws_error e = parse(403, "",
				   "<ErrorResponse><Error><Code>AccessDenied</Code><Message/>"
				   "<RequestId>tx1</RequestId></Error></ErrorResponse>");

	(void)state;
	assert_string_equal(e.code, "AccessDenied");
	assert_string_equal(e.message, "");
	assert_string_equal(e.request_id, "tx1");
}

static void any_namespace_and_prefix_will_do(void **state)
{
	struct aws_error e = parse(409, "",
				   "<s:Error xmlns:s=\"urn:whatever\"><s:Code>BucketNotEmpty"
				   "</s:Code></s:Error>");

	(void)state;
	assert_string_equal(e.code, "BucketNotEmpty");
}

static void no_body_is_named_after_the_status(void **state)
{
	struct aws_error e = parse(404, "x-amz-request-id: h1\n", "");

	(void)state;
	assert_string_equal(e.code, "HTTP404");
	assert_string_equal(e.message, "");
	assert_string_equal(e.request_id, "h1");
}

static void id_of_sts_is_in_another_header(void **state)
{
	(void)state;
	assert_string_equal(parse(500, "x-amzn-RequestId: n1\n", "").request_id, "n1");
}

static void what_is_not_xml_is_named_after_the_status(void **state)
{
	static const char *const bodies[] = {
	    "Bad gateway",
	    "{\"Code\":\"AccessDenied\"}",
	    "<html><body>502</body></html>",
	    "<",
	    "\xff\xfe<Error>",
	    " ",
	    "<Error2><Code>x</Code></Error2>",
	    "<Errors><Error><Code>x</Code></Error></Errors>",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
		assert_string_equal(parse(502, "", bodies[i]).code, "HTTP502");
}

static void nul_in_the_body_does_no_harm(void **state)
{
	static const char body[] = "<Error><Code>A\0B</Code></Error>";

	(void)state;
	assert_string_equal(parse_bytes(500, "", body, sizeof(body) - 1).code, "HTTP500");
}

static void truncated_keeps_what_was_whole(void **state)
{
	struct aws_error e = parse(403, "", "<Error><Code>AccessDenied</Code><Message>not al");

	(void)state;
	assert_string_equal(e.code, "AccessDenied");
	assert_string_equal(e.message, "");
}

static void truncated_in_the_code_has_none(void **state)
{
	(void)state;
	assert_string_equal(parse(403, "", "<Error><Code>AccessDe").code, "HTTP403");
}

static void huge_texts_are_cut(void **state)
{
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;
	struct aws_error e;

	(void)state;
	buf_add_str(&body, "<Error><Code>");
	for (int i = 0; i < 5000; i++)
		buf_add_str(&body, "C");
	buf_add_str(&body, "</Code><Message>");
	for (int i = 0; i < 5000; i++)
		buf_add_str(&body, "message ");
	buf_add_str(&body, "</Message><RequestId>");
	for (int i = 0; i < 5000; i++)
		buf_add_str(&body, "r");
	buf_add_str(&body, "</RequestId></Error>");
	e = parse(400, "", buf_str(&body));
	assert_int_equal(strlen(e.code), sizeof(e.code) - 1);
	assert_int_equal(strlen(e.message), sizeof(e.message) - 1);
	assert_int_equal(strlen(e.request_id), sizeof(e.request_id) - 1);
}

static void cut_between_characters(void **state)
{
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;
	struct aws_error e;

	(void)state;
	buf_add_str(&body, "<Error><Code>X</Code><Message>");
	for (int i = 0; i < 100; i++)
		buf_add_str(&body, "\xe6\x9c\xaa"); /* three bytes; 255 is a multiple of three */
	buf_add_str(&body, "</Message></Error>");
	e = parse(400, "", buf_str(&body));
	assert_int_equal(strlen(e.message), 255);

	buf_clear(&body);
	buf_add_str(&body, "<Error><Code>X</Code><Message>");
	for (int i = 0; i < 100; i++)
		buf_add_str(&body, "\xf0\x9f\x94\x91"); /* four bytes */
	buf_add_str(&body, "</Message></Error>");
	e = parse(400, "", buf_str(&body));
	assert_int_equal(strlen(e.message), 252);
}

static void control_characters_become_blanks(void **state)
{
	struct aws_error e = parse(403, "x-amz-request-id: a\tb\x1b[31mc\x7f\n",
				   "<Error><Code>A&#10;B</Code><Message>one\r\n\ttwo&#13;"
				   "&#x9b;31m&#x85;end</Message></Error>");

	(void)state;
	assert_string_equal(e.code, "A B");
	assert_string_equal(e.message, "one  two  31m end");
	assert_string_equal(e.request_id, "a b [31mc ");
}

static void bytes_that_are_no_text_become_question_marks(void **state)
{
	(void)state;
	assert_string_equal(parse(403, "x-amz-request-id: a\xff\xc3\xa4\xe6\x9c\n", "").request_id,
			    "a?\xc3\xa4??");
	assert_string_equal(parse(403, "x-amz-request-id: \xc0\xaf\xed\xa0\x80\n", "").request_id,
			    "?????");
}

static void entity_bomb_is_refused(void **state)
{
	struct aws_error e =
	    parse(403, "",
		  "<!DOCTYPE Error [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;\">"
		  "<!ENTITY c \"&b;&b;&b;&b;&b;\">]><Error><Code>&c;</Code></Error>");

	(void)state;
	assert_string_equal(e.code, "HTTP403");
}

static void file_entity_is_not_read(void **state)
{
	struct aws_error e = parse(403, "",
				   "<!DOCTYPE Error [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>"
				   "<Error><Code>X</Code><Message>&a;</Message></Error>");

	(void)state;
	assert_string_equal(e.code, "HTTP403");
	assert_string_equal(e.message, "");
}

static void deep_nesting_is_refused(void **state)
{
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;

	(void)state;
	buf_add_str(&body, "<Error>");
	for (int i = 0; i < 1000; i++)
		buf_add_str(&body, "<x>");
	assert_string_equal(parse(403, "", buf_str(&body)).code, "HTTP403");
}

static void region_of_the_header(void **state)
{
	(void)state;
	assert_string_equal(parse(301, "x-amz-bucket-region: eu-west-1\n", "").region, "eu-west-1");
}

static void region_of_the_body(void **state)
{
	struct aws_error e = parse(400, "",
				   "<Error><Code>AuthorizationHeaderMalformed</Code>"
				   "<Region>eu-central-1</Region></Error>");

	(void)state;
	assert_string_equal(e.region, "eu-central-1");
}

static void region_of_the_header_wins(void **state)
{
	struct aws_error e = parse(400, "x-amz-bucket-region: eu-west-1\n",
				   "<Error><Code>X</Code><Region>us-east-1</Region></Error>");

	(void)state;
	assert_string_equal(e.region, "eu-west-1");
}

/* Cut to fit it would be another region's name. */
static void region_that_does_not_fit_is_none(void **state)
{
	char name[100], headers[200], body[300];

	(void)state;
	memset(name, 'a', 65);
	name[65] = '\0';
	snprintf(headers, sizeof(headers), "x-amz-bucket-region: %s\n", name);
	assert_string_equal(parse(301, headers, "").region, "");
	snprintf(body, sizeof(body), "<Error><Code>X</Code><Region>%s</Region></Error>", name);
	assert_string_equal(parse(400, "", body).region, "");
}

static void region_is_the_codes_sibling_only(void **state)
{
	struct aws_error e = parse(400, "",
				   "<Error><Code>X</Code><Detail><Region>eu-west-1</Region>"
				   "<Code>Y</Code></Detail></Error>");

	(void)state;
	assert_string_equal(e.region, "");
	assert_string_equal(e.code, "X");
}

/* CompleteMultipartUpload and CopyObject may fail after the 200 was sent. */
static void error_in_a_200_is_an_error(void **state)
{
	struct aws_error e = parse(200, "", "<Error><Code>InternalError</Code></Error>");

	(void)state;
	assert_string_equal(e.code, "InternalError");
}

static void error_in_a_200_without_a_code_is_one_too(void **state)
{
	(void)state;
	assert_string_equal(parse(200, "", "<Error/>").code, "UnknownError");
}

static void error_without_a_code_is_named_after_the_status(void **state)
{
	(void)state;
	assert_string_equal(parse(403, "", "<Error><Message/></Error>").code, "HTTP403");
}

static void success_has_no_code(void **state)
{
	(void)state;
	assert_string_equal(parse(200, "", "<ListAllMyBucketsResult/>").code, "");
	assert_string_equal(parse(204, "", "").code, "");
}

static void format_has_all_that_is_known(void **state)
{
	struct aws_error e = {
	    .status = 403, .code = "AccessDenied", .message = "no", .request_id = "r1"};
	char text[200];

	(void)state;
	aws_error_format(&e, text, sizeof(text));
	assert_string_equal(text, "AccessDenied: no (HTTP 403, request id r1)");
	e.message[0] = e.request_id[0] = '\0';
	aws_error_format(&e, text, sizeof(text));
	assert_string_equal(text, "AccessDenied (HTTP 403)");
	aws_error_format(&e, text, 8);
	assert_string_equal(text, "AccessD");
}

static void format_without_an_answer(void **state)
{
	struct aws_error e = {.transport = HTTP_E_CONNECT, .message = "connection refused"};
	char text[200];

	(void)state;
	aws_error_format(&e, text, sizeof(text));
	assert_string_equal(text, "connection refused");
	e.message[0] = '\0';
	aws_error_format(&e, text, sizeof(text));
	assert_string_equal(text, "no answer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(s3_error),
	    cmocka_unit_test(sts_error_has_the_id_outside),
	    cmocka_unit_test(sts_error_of_ceph_has_the_id_inside),
	    cmocka_unit_test(any_namespace_and_prefix_will_do),
	    cmocka_unit_test(no_body_is_named_after_the_status),
	    cmocka_unit_test(id_of_sts_is_in_another_header),
	    cmocka_unit_test(what_is_not_xml_is_named_after_the_status),
	    cmocka_unit_test(nul_in_the_body_does_no_harm),
	    cmocka_unit_test(truncated_keeps_what_was_whole),
	    cmocka_unit_test(truncated_in_the_code_has_none),
	    cmocka_unit_test(huge_texts_are_cut),
	    cmocka_unit_test(cut_between_characters),
	    cmocka_unit_test(control_characters_become_blanks),
	    cmocka_unit_test(bytes_that_are_no_text_become_question_marks),
	    cmocka_unit_test(entity_bomb_is_refused),
	    cmocka_unit_test(file_entity_is_not_read),
	    cmocka_unit_test(deep_nesting_is_refused),
	    cmocka_unit_test(region_of_the_header),
	    cmocka_unit_test(region_of_the_body),
	    cmocka_unit_test(region_of_the_header_wins),
	    cmocka_unit_test(region_that_does_not_fit_is_none),
	    cmocka_unit_test(region_is_the_codes_sibling_only),
	    cmocka_unit_test(error_in_a_200_is_an_error),
	    cmocka_unit_test(error_in_a_200_without_a_code_is_one_too),
	    cmocka_unit_test(error_without_a_code_is_named_after_the_status),
	    cmocka_unit_test(success_has_no_code),
	    cmocka_unit_test(format_has_all_that_is_known),
	    cmocka_unit_test(format_without_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
