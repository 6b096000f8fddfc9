/* ListObjectsV2, ListMultipartUploads: requests and answers. */
#include "bench.h"

#define PAGE(children)    "<ListBucketResult" S3_NS ">" children "</ListBucketResult>"
#define ENCODED(children) PAGE("<EncodingType>url</EncodingType>" children)
#define KEY(key)          "<Contents><Key>" key "</Key><Size>1</Size></Contents>"
#define PREFIX(key)       "<CommonPrefixes><Prefix>" key "</Prefix></CommonPrefixes>"
#define MORE(token)                                                                                \
	"<IsTruncated>true</IsTruncated><NextContinuationToken>" token "</NextContinuationToken>"
#define UPLOADS(children)                                                                          \
	"<ListMultipartUploadsResult" S3_NS ">" children "</ListMultipartUploadsResult>"

static int list_with(struct bench *b, const struct list_params *params, struct object_page *page)
{
	return b->store->list_objects(b->store, &b->call, "bucket", params, page);
}

static int list_all(struct bench *b, struct object_page *page)
{
	return list_with(b, &(struct list_params){.prefix = "", .max_keys = 1000}, page);
}

/* ---- ListObjectsV2: the request ---- */

static void list_on_the_wire(void **state)
{
	struct bench *b = *state;
	struct object_page page;

	script_answer(&b->script, 200, "", PAGE(""));
	assert_int_equal(list_all(b, &page), 0);
	assert_string_equal(sent(b, 0)->method, "GET");
	assert_string_equal(sent(b, 0)->authority, "bucket.s3.eu-west-1.amazonaws.com");
	assert_string_equal(sent(b, 0)->path, "/");
	assert_string_equal(sent(b, 0)->query, "list-type=2&encoding-type=url&max-keys=1000");
	assert_int_equal(page.n, 0);
	assert_null(page.next_token);
}

static void list_with_all_parameters(void **state)
{
	static const struct list_params params = {.prefix = "a b/\x01\xc3\xa9",
						  .delimited = true,
						  .start_after = "k&",
						  .token = "t+/=",
						  .max_keys = 2};
	struct bench *b = *state;
	struct object_page page;

	script_answer(&b->script, 200, "", PAGE(""));
	assert_int_equal(list_with(b, &params, &page), 0);
	assert_string_equal(sent(b, 0)->query,
			    "list-type=2&encoding-type=url&max-keys=2&prefix=a%20b%2F%01%C3%A9"
			    "&delimiter=%2F&start-after=k%26&continuation-token=t%2B%2F%3D");
}

static void list_of_a_prefix_that_no_key_has(void **state)
{
	struct bench *b = *state;
	struct object_page page;

	assert_int_equal(
	    list_with(b, &(struct list_params){.prefix = "\xff", .max_keys = 1}, &page), -EILSEQ);
	assert_int_equal(script_count(&b->script), 0);
}

/* ---- ListObjectsV2: the answer ---- */

static void list_tells_all_of_an_entry(void **state)
{
	struct bench *b = *state;
	struct object_page page;

	script_answer(
	    &b->script, 200, "",
	    PAGE("<Name>bucket</Name><Contents><Owner><ID>x</ID></Owner><Key>k</Key>"
		 "<LastModified>2026-11-23T12:00:00.000Z</LastModified>"
		 "<ETag>&quot;e&quot;</ETag><Size>9223372036854775807</Size>"
		 "<StorageClass>GLACIER</StorageClass></Contents>"
		 "<Contents><Key>l</Key><StorageClass>STANDARD</StorageClass>"
		 "<LastModified>once</LastModified><Size>0</Size></Contents>" PREFIX("p/")));
	assert_int_equal(list_all(b, &page), 0);
	assert_int_equal(page.n, 3);
	assert_string_equal(page.v[0].key, "k");
	assert_false(page.v[0].is_prefix);
	assert_int_equal(page.v[0].size, INT64_MAX);
	assert_int_equal(page.v[0].mtime_ms, TEST_CLOCK_WALL_MS);
	assert_string_equal(page.v[0].etag, "\"e\"");
	assert_string_equal(page.v[0].storage_class, "GLACIER");
	assert_string_equal(page.v[1].storage_class, "");
	assert_int_equal(page.v[1].mtime_ms, 0);
	assert_null(page.v[1].etag);
	assert_string_equal(page.v[2].key, "p/");
	assert_true(page.v[2].is_prefix);
	object_page_deinit(&page);
}

static void expect_keys(struct bench *b, const char *body, const char *keys)
{
	struct object_page page;
	char found[200] = "";

	script_answer(&b->script, 200, "", body);
	assert_int_equal(list_all(b, &page), 0);
	for (size_t i = 0; i < page.n; i++) {
		strcat(found, page.v[i].key);
		strcat(found, "|");
	}
	assert_string_equal(found, keys);
	object_page_deinit(&page);
}

static void keys_and_prefixes_come_in_the_order_of_bytes(void **state)
{
	expect_keys(*state, PAGE(KEY("a") KEY("b.txt") KEY("c") PREFIX("b/") PREFIX("d/")),
		    "a|b.txt|b/|c|d/|");
	expect_keys(*state, PAGE(PREFIX("\xc3\xa9/") KEY("z") KEY("Z") KEY("~")),
		    "Z|z|~|\xc3\xa9/|");
}

static void keys_are_decoded(void **state)
{
	expect_keys(*state, ENCODED(KEY("a%20b+c%2B%25%26&amp;") PREFIX("%C3%A9/%0A/")),
		    "a b c+%&&|\xc3\xa9/\n/|");
	expect_keys(*state, ENCODED(KEY("%") KEY("%4") KEY("%zz") KEY("%41")), "%|%4|%zz|A|");
	expect_keys(*state, ENCODED(KEY("%ff")), "\xff|");
}

/* Wherever it stands, as it is read when all of them are there. */
static void keys_are_decoded_if_the_server_says_so(void **state)
{
	expect_keys(*state, PAGE(KEY("a%20b+c")), "a%20b+c|");
	expect_keys(*state, PAGE("<EncodingType>none</EncodingType>" KEY("a%20b+c")), "a%20b+c|");
	expect_keys(*state, PAGE(KEY("a%20b+c") "<EncodingType>url</EncodingType>"), "a b c|");
}

/* As radosgw sends them. */
static void keys_by_references_of_xml_1_1(void **state)
{
	expect_keys(*state, PAGE("<Prefix>a&#x01;</Prefix>" KEY("a&#x1;&#31;&#x0d;b")),
		    "a\x01\x1f\rb|");
}

static void keys_with_a_nul_are_left_out(void **state)
{
	expect_keys(*state, ENCODED(KEY("%00") KEY("a") KEY("b%00c") KEY("d") PREFIX("e%00/")),
		    "a|d|");
	expect_keys(*state, ENCODED(KEY("%00")), "");
}

static void pages_lead_on(void **state)
{
	struct bench *b = *state;
	struct object_page page;

	script_answer(&b->script, 200, "", ENCODED(KEY("a") MORE("t%2B+=")));
	assert_int_equal(list_all(b, &page), 0);
	assert_string_equal(page.next_token, "t%2B+=");
	object_page_deinit(&page);
	script_answer(&b->script, 200, "",
		      PAGE("<IsTruncated>false</IsTruncated><NextContinuationToken>x"
			   "</NextContinuationToken>"));
	assert_int_equal(list_all(b, &page), 0);
	assert_null(page.next_token);
}

static void answers_that_make_no_sense(void **state)
{
	static const char *const bodies[] = {
	    "",
	    "<html/>",
	    "<ListBucketResult xmlns=\"urn:x\"/>",
	    PAGE("<Contents><Size>1</Size></Contents>"),
	    PAGE("<Contents><Key>k</Key><Size>x</Size></Contents>"),
	    PAGE("<Contents><Key>k</Key><Size>-1</Size></Contents>"),
	    PAGE("<Contents><Key>k</Key><Size>9223372036854775808</Size></Contents>"),
	    PAGE("<Contents><Key>k</Key><Size>18446744073709551616</Size></Contents>"),
	    PAGE("<CommonPrefixes/>"),
	    PAGE("<IsTruncated>true</IsTruncated>"),
	    PAGE(MORE("")),
	    PAGE(MORE("before")),
	    "<ListBucketResult>" KEY("a"),
	};
	static const struct list_params params = {.prefix = "", .token = "before", .max_keys = 1};
	struct bench *b = *state;
	struct object_page page = {.n = 77};

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		script_answer(&b->script, 200, S3_ID, bodies[i]);
		assert_int_equal(list_with(b, &params, &page), -EIO);
		assert_int_equal(page.n, 77);
	}
	expect_last_line("error: ListObjectsV2 of bucket: MalformedAnswer: the server answered "
			 "200, but not with the XML of ListObjectsV2 (HTTP 200, request id id1)");
	assert_int_equal(log_lines_count(""), ARRAY_LEN(bodies));
}

static void list_of_no_bucket(void **state)
{
	struct bench *b = *state;
	struct object_page page;

	script_answer(&b->script, 404, "", ERROR("NoSuchBucket"));
	assert_int_equal(list_all(b, &page), -ENOENT);
}

static void a_page_of_a_thousand_long_keys(void **state)
{
	struct bench *b = *state;
	struct buf body = BUF_INIT;
	struct object_page page;
	char key[3 * S3_KEY_MAX + 1];

	for (size_t i = 0; i < S3_KEY_MAX; i++)
		memcpy(key + 3 * i, "%01", 4);
	buf_add_str(&body, "<ListBucketResult><EncodingType>url</EncodingType>");
	for (int i = 0; i < 1000; i++)
		buf_printf(&body, "<Contents><Key>%04d%s</Key></Contents>", 999 - i, key + 12);
	buf_add_str(&body, "</ListBucketResult>");
	script_answer(&b->script, 200, "", buf_str(&body));
	assert_int_equal(list_all(b, &page), 0);
	assert_int_equal(page.n, 1000);
	for (size_t i = 0; i < page.n; i++) {
		assert_int_equal(strlen(page.v[i].key), S3_KEY_MAX);
		assert_int_equal(atoi(page.v[i].key), i);
	}
	object_page_deinit(&page);
	buf_deinit(&body);
}

/* ---- ListMultipartUploads ---- */

static int uploads(struct bench *b, const char *prefix, const char *key, const char *id,
		   struct upload_page *page)
{
	return b->store->list_uploads(b->store, &b->call, "bucket", prefix, key, id, page);
}

static void uploads_on_the_wire(void **state)
{
	struct bench *b = *state;
	struct upload_page page;

	script_answer(&b->script, 200, "", UPLOADS(""));
	assert_int_equal(uploads(b, NULL, NULL, NULL, &page), 0);
	assert_string_equal(sent(b, 0)->query, "uploads=&max-uploads=1000");
	assert_int_equal(page.n, 0);
	assert_null(page.next_key);
	script_answer(&b->script, 200, "", UPLOADS(""));
	assert_int_equal(uploads(b, "p/", "k+", "i", &page), 0);
	assert_string_equal(
	    sent(b, 1)->query,
	    "uploads=&max-uploads=1000&prefix=p%2F&key-marker=k%2B&upload-id-marker=i");
}

static void uploads_tell_all(void **state)
{
	struct bench *b = *state;
	struct upload_page page;

	script_answer(
	    &b->script, 200, "",
	    UPLOADS("<KeyMarker/><NextKeyMarker>k2</NextKeyMarker><NextUploadIdMarker>i2"
		    "</NextUploadIdMarker><IsTruncated>true</IsTruncated><Upload><Key>k%20+</Key>"
		    "<UploadId>i1</UploadId><Initiator><ID>arn:x</ID><DisplayName>n</DisplayName>"
		    "</Initiator><Owner><ID>o</ID></Owner><Initiated>2026-11-23T12:00:00Z"
		    "</Initiated></Upload><Upload><UploadId>i2</UploadId><Key>k2</Key></Upload>"));
	assert_int_equal(uploads(b, NULL, NULL, NULL, &page), 0);
	assert_int_equal(page.n, 2);
	assert_string_equal(page.v[0].key, "k%20+");
	assert_string_equal(page.v[0].upload_id, "i1");
	assert_string_equal(page.v[0].initiator, "arn:x");
	assert_int_equal(page.v[0].initiated_ms, TEST_CLOCK_WALL_MS);
	assert_string_equal(page.v[1].key, "k2");
	assert_null(page.v[1].initiator);
	assert_int_equal(page.v[1].initiated_ms, 0);
	assert_string_equal(page.next_key, "k2");
	assert_string_equal(page.next_id, "i2");
	upload_page_deinit(&page);
}

/* radosgw sends markers on the last page, too. */
static void uploads_of_the_last_page(void **state)
{
	struct bench *b = *state;
	struct upload_page page;

	script_answer(&b->script, 200, "",
		      UPLOADS("<NextKeyMarker>k</NextKeyMarker><NextUploadIdMarker>i"
			      "</NextUploadIdMarker><IsTruncated>false</IsTruncated>"));
	assert_int_equal(uploads(b, NULL, NULL, NULL, &page), 0);
	assert_null(page.next_key);
	assert_null(page.next_id);
}

static void uploads_that_make_no_sense(void **state)
{
	static const char *const bodies[] = {
	    "<ListBucketResult/>",
	    UPLOADS("<Upload><Key>k</Key></Upload>"),
	    UPLOADS("<Upload><UploadId>i</UploadId></Upload>"),
	    UPLOADS("<IsTruncated>true</IsTruncated>"),
	    UPLOADS("<IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker>"
		    "<NextUploadIdMarker>i</NextUploadIdMarker>"),
	    UPLOADS("<IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker>"),
	};
	struct bench *b = *state;
	struct upload_page page = {.n = 77};

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		script_answer(&b->script, 200, "", bodies[i]);
		assert_int_equal(uploads(b, NULL, "k", "i", &page), -EIO);
		assert_int_equal(page.n, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    bench_test(list_on_the_wire),
	    bench_test(list_with_all_parameters),
	    bench_test(list_of_a_prefix_that_no_key_has),
	    bench_test(list_tells_all_of_an_entry),
	    bench_test(keys_and_prefixes_come_in_the_order_of_bytes),
	    bench_test(keys_are_decoded),
	    bench_test(keys_are_decoded_if_the_server_says_so),
	    bench_test(keys_by_references_of_xml_1_1),
	    bench_test(keys_with_a_nul_are_left_out),
	    bench_test(pages_lead_on),
	    bench_test(answers_that_make_no_sense),
	    bench_test(list_of_no_bucket),
	    bench_test(a_page_of_a_thousand_long_keys),
	    bench_test(uploads_on_the_wire),
	    bench_test(uploads_tell_all),
	    bench_test(uploads_of_the_last_page),
	    bench_test(uploads_that_make_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
