/* DeleteObject, DeleteObjects: requests and answers. */
#include "bench.h"

#define RESULT(children) "<DeleteResult" S3_NS ">" children "</DeleteResult>"
#define REFUSED(key, code)                                                                         \
	"<Error><Key>" key "</Key><Code>" code "</Code><Message>m</Message></Error>"
#define DELETE(children)                                                                           \
	"<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>" children   \
	"</Delete>"
#define OBJECT(key) "<Object><Key>" key "</Key></Object>"

static int delete (struct bench *b, const char *key)
{
	struct object_id id = {"bucket", key};

	return b->store->delete_object(b->store, &b->call, &id, NULL);
}

static int delete_two(struct bench *b)
{
	static const char *const keys[] = {"a", "b"};

	return b->store->delete_objects(b->store, &b->call, "bucket", keys, NULL, 2);
}

static void delete_on_the_wire(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 204, "", "");
	assert_int_equal(delete (b, "a/b"), 0);
	assert_string_equal(sent(b, 0)->method, "DELETE");
	assert_string_equal(sent(b, 0)->path, "/a/b");
	assert_string_equal(sent(b, 0)->query, "");
}

static void delete_of_nothing(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 404, "", ERROR("NoSuchKey"));
	assert_int_equal(delete (b, "a"), 0);
	script_answer(&b->script, 404, "", "");
	assert_int_equal(delete (b, "a"), 0);
	script_answer(&b->script, 404, "", ERROR("NoSuchBucket"));
	assert_int_equal(delete (b, "a"), -ENOENT);
	script_answer(&b->script, 403, "", ERROR("AccessDenied"));
	assert_int_equal(delete (b, "a"), -EACCES);
}

static int delete_if(struct bench *b, const char *key, const char *etag)
{
	struct object_id id = {"bucket", key};

	return b->store->delete_object(b->store, &b->call, &id, etag);
}

static void delete_of_one_object_alone(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 204, "", "");
	assert_int_equal(delete_if(b, "a", "\"e\""), 0);
	expect_header(b, 0, "If-Match", "\"e\"");
	script_answer(&b->script, 404, "", ERROR("NoSuchKey"));
	assert_int_equal(delete_if(b, "a", "\"e\""), 0);
	assert_int_equal(log_lines_count(""), 0);
	script_answer(&b->script, 412, "", ERROR("PreconditionFailed"));
	assert_int_equal(delete_if(b, "a", "\"e\""), 0);
	expect_last_line("info: bucket/a: another client has replaced the object that was to be "
			 "deleted; its own stays");
}

/* The answer to the first try is lost; what another client makes meanwhile is not ours to delete.
 */
static void delete_that_is_repeated(void **state)
{
	struct bench *b = *state;

	script_fail(&b->script, HTTP_E_BROKEN, 0);
	script_answer(&b->script, 412, "", ERROR("PreconditionFailed"));
	assert_int_equal(delete_if(b, "a", "\"e\""), 0);
	expect_header(b, 1, "If-Match", "\"e\"");
}

static void delete_where_no_condition_is_known(void **state)
{
	static const char *const keys[] = {"a", "b"}, *const etags[] = {"\"e\"", NULL};
	struct bench *b = *state;

	script_answer(&b->script, 501, "", ERROR("NotImplemented"));
	script_answer(&b->script, 204, "", "");
	assert_int_equal(delete_if(b, "a", "\"e\""), 0);
	assert_null(http_headers_get(&sent(b, 1)->headers, "If-Match"));
	script_answer(&b->script, 400, "", ERROR("MalformedXML"));
	script_answer(&b->script, 200, "", RESULT(""));
	assert_int_equal(b->store->delete_objects(b->store, &b->call, "bucket", keys, etags, 2), 0);
	assert_string_equal(buf_str(&sent(b, 3)->body), DELETE(OBJECT("a") OBJECT("b")));
	assert_int_equal(log_lines_count(""), 0);
	script_answer(&b->script, 400, "", ERROR("MalformedXML"));
	script_answer(&b->script, 400, "", ERROR("MalformedXML"));
	assert_int_equal(b->store->delete_objects(b->store, &b->call, "bucket", keys, etags, 2),
			 -EIO);
	assert_int_equal(log_lines_count(""), 1);
}

static void many_each_of_one_object(void **state)
{
	static const char *const keys[] = {"a", "b", "c\x01"};
	static const char *const etags[] = {"\"e\"", NULL, "\"f\""};
	struct bench *b = *state;

	script_answer(&b->script, 200, "",
		      RESULT(REFUSED("a", "PreconditionFailed") REFUSED("b", "AccessDenied")));
	script_answer(&b->script, 204, "", "");
	assert_int_equal(b->store->delete_objects(b->store, &b->call, "bucket", keys, etags, 3),
			 -EACCES);
	assert_string_equal(
	    buf_str(&sent(b, 0)->body),
	    DELETE("<Object><Key>a</Key><ETag>&quot;e&quot;</ETag></Object>" OBJECT("b")));
	expect_header(b, 1, "If-Match", "\"f\"");
	assert_int_equal(log_lines_count("info: bucket/a: another client has replaced"), 1);
	script_answer(&b->script, 200, "", RESULT(REFUSED("a", "PreconditionFailed")));
	assert_int_equal(b->store->delete_objects(b->store, &b->call, "bucket", keys, etags, 2), 0);
}

static void many_on_the_wire(void **state)
{
	static const char *const keys[] = {"a<&>\"'", "\xc3\xa9 b", "c"};
	struct bench *b = *state;

	script_answer(&b->script, 200, "", RESULT(""));
	assert_int_equal(b->store->delete_objects(b->store, &b->call, "bucket", keys, NULL, 3), 0);
	assert_string_equal(sent(b, 0)->method, "POST");
	assert_string_equal(sent(b, 0)->path, "/");
	assert_string_equal(sent(b, 0)->query, "delete=");
	assert_string_equal(
	    buf_str(&sent(b, 0)->body),
	    DELETE(OBJECT("a&lt;&amp;&gt;&quot;&apos;") OBJECT("\xc3\xa9 b") OBJECT("c")));
	expect_header(b, 0, "Content-Type", "application/xml");
	expect_header(b, 0, "Content-MD5", "U7Q8TbGowIr1BTbzEMvIDw==");
}

/* XML has no words for them. */
static void keys_that_go_alone(void **state)
{
	static const char *const keys[] = {"a",   "b\x01",         "c",    "d\r",
					   "e\n", "f\xef\xbf\xbe", "g\x7f"};
	struct bench *b = *state;

	script_answer(&b->script, 200, "", RESULT(""));
	for (int i = 0; i < 4; i++)
		script_answer(&b->script, 204, "", "");
	assert_int_equal(b->store->delete_objects(b->store, &b->call, "bucket", keys, NULL, 7), 0);
	assert_string_equal(buf_str(&sent(b, 0)->body),
			    DELETE(OBJECT("a") OBJECT("c") OBJECT("g\x7f")));
	assert_string_equal(sent(b, 1)->path, "/b%01");
	assert_string_equal(sent(b, 2)->path, "/d%0D");
	assert_string_equal(sent(b, 3)->path, "/e%0A");
	assert_string_equal(sent(b, 4)->path, "/f%EF%BF%BE");
	assert_int_equal(script_left(&b->script), 0);
}

static void keys_that_all_go_alone(void **state)
{
	static const char *const keys[] = {"\x01", "\x02"};
	struct bench *b = *state;

	script_answer(&b->script, 403, "", ERROR("AccessDenied"));
	script_answer(&b->script, 204, "", "");
	assert_int_equal(b->store->delete_objects(b->store, &b->call, "bucket", keys, NULL, 2),
			 -EACCES);
	assert_int_equal(script_count(&b->script), 2);
	assert_string_equal(sent(b, 1)->path, "/%02");
}

static void keys_that_were_refused(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 200, S3_ID,
		      RESULT("<Deleted><Key>a</Key></Deleted>" REFUSED("b", "AccessDenied")));
	assert_int_equal(delete_two(b), -EACCES);
	assert_int_equal(log_lines_count("warn: DeleteObjects of bucket/b: AccessDenied: m"), 1);
	assert_int_equal(log_lines_count(""), 1);
	script_answer(&b->script, 200, "",
		      RESULT(REFUSED("a", "NoSuchKey") REFUSED("b", "AccessDenied")));
	assert_int_equal(delete_two(b), -EACCES);
	script_answer(&b->script, 200, "", RESULT(REFUSED("a", "NoSuchKey")));
	assert_int_equal(delete_two(b), 0);
}

/* The bench's caller tries three times. */
static void keys_that_the_server_had_no_time_for(void **state)
{
	struct bench *b = *state;

	script_answer(&b->script, 200, "", RESULT(REFUSED("a", "InternalError")));
	script_answer(&b->script, 200, "", RESULT(REFUSED("b", "SlowDown")));
	script_answer(&b->script, 200, "", RESULT(""));
	assert_int_equal(delete_two(b), 0);
	assert_string_equal(sent(b, 2)->path, "/");
	assert_string_equal(buf_str(&sent(b, 2)->body), buf_str(&sent(b, 0)->body));
	assert_int_equal(log_lines_count(""), 0);
	for (int i = 0; i < 3; i++)
		script_answer(&b->script, 200, "", RESULT(REFUSED("b", "SlowDown")));
	assert_int_equal(delete_two(b), -EAGAIN);
	assert_int_equal(script_left(&b->script), 0);
}

static void answers_that_make_no_sense(void **state)
{
	static const char *const bodies[] = {"", "<html/>", RESULT("<Error/>"),
					     "<DeleteResult><Error>"};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		script_answer(&b->script, 200, "", bodies[i]);
		assert_int_equal(delete_two(b), -EIO);
	}
}

static void a_thousand_keys(void **state)
{
	const char *keys[S3_DELETE_MAX];
	struct bench *b = *state;
	const char *p;
	size_t n = 0;

	for (size_t i = 0; i < S3_DELETE_MAX; i++)
		keys[i] = "k";
	script_answer(&b->script, 200, "", RESULT(""));
	assert_int_equal(
	    b->store->delete_objects(b->store, &b->call, "bucket", keys, NULL, S3_DELETE_MAX), 0);
	for (p = buf_str(&sent(b, 0)->body); (p = strstr(p, OBJECT("k"))); p++)
		n++;
	assert_int_equal(n, S3_DELETE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    bench_test(delete_on_the_wire),
	    bench_test(delete_of_nothing),
	    bench_test(delete_of_one_object_alone),
	    bench_test(delete_that_is_repeated),
	    bench_test(delete_where_no_condition_is_known),
	    bench_test(many_each_of_one_object),
	    bench_test(many_on_the_wire),
	    bench_test(keys_that_go_alone),
	    bench_test(keys_that_all_go_alone),
	    bench_test(keys_that_were_refused),
	    bench_test(keys_that_the_server_had_no_time_for),
	    bench_test(answers_that_make_no_sense),
	    bench_test(a_thousand_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
