/* No upload is left: those that nobody has the id of, and those that could not be aborted at once.
 */
#include "bench.h"
#include "xacctfs/util/timefmt.h"

#define SESSION "arn:aws:sts::222222222222:assumed-role/r/s"
#define ANOTHER "arn:aws:sts::222222222222:assumed-role/r/another"
#define HELLO   "\"5d41402abc4b2a76b9719d911017c592\""
#define UPLOADS 16

struct open_upload {
	char id[20], key[20];
	const char *initiator;
	int64_t initiated_ms;
};

/* How requests of one kind end: so many of them, done or not, and how. */
struct trouble {
	int n;
	bool done;
	int how; /* HTTP_E_*, a negative errno, or a status */
	const char *body;
};

/* The account's open uploads, all in one bucket, and what becomes of requests. */
struct account {
	struct bench *b;
	struct open_upload v[UPLOADS];
	size_t n, made;
	const char *initiator; /* of those that are begun */
	int64_t ahead_ms;      /* the server's clock */
	size_t page;           /* uploads on a page */
	struct trouble creates, parts, aborts, lists;
	size_t n_creates, n_aborts, n_lists; /* that came */
	const char *meanwhile;               /* a key that is begun before a listing is answered */
	char *meanwhile_id;
};

static struct account account;

static int64_t server_ms(void)
{
	return account.b->clock.clock.wall_ms(&account.b->clock.clock) + account.ahead_ms;
}

/* Somebody begins one. Its id is valid until uploads change. */
static const char *add_upload(const char *key, const char *initiator, int64_t initiated_ms)
{
	struct open_upload *upload = &account.v[account.n++];

	assert_true(account.n < UPLOADS);
	snprintf(upload->id, sizeof(upload->id), "up%02zu", ++account.made);
	snprintf(upload->key, sizeof(upload->key), "%s", key);
	upload->initiator = initiator;
	upload->initiated_ms = initiated_ms;
	return upload->id;
}

static int trouble_answer(const struct trouble *trouble, struct http_response *response)
{
	if (trouble->how < 100)
		return trouble->how;
	return script_respond(response, trouble->how, "", trouble->body ? trouble->body : "");
}

/* True when the next request is in trouble, and as much of it is left that it is not done. */
static bool comes(struct trouble *trouble, bool done)
{
	if (trouble->n == 0 || trouble->done != done)
		return false;
	trouble->n--;
	return true;
}

static int answer_create(const char *key, struct http_response *response)
{
	char body[300], date[64];
	time_t s = (time_t)(server_ms() / 1000);
	struct tm tm;

	account.n_creates++;
	if (comes(&account.creates, false))
		return trouble_answer(&account.creates, response);
	snprintf(body, sizeof(body),
		 "<InitiateMultipartUploadResult" S3_NS "><UploadId>%s</UploadId>"
		 "</InitiateMultipartUploadResult>",
		 add_upload(key, account.initiator, server_ms()));
	if (comes(&account.creates, true))
		return trouble_answer(&account.creates, response);
	strftime(date, sizeof(date), "Date: %a, %d %b %Y %H:%M:%S GMT\n", gmtime_r(&s, &tm));
	return script_respond(response, 200, date, body);
}

static bool end_upload(const char *id)
{
	for (size_t i = 0; i < account.n; i++)
		if (!strcmp(account.v[i].id, id)) {
			account.n--;
			memmove(&account.v[i], &account.v[i + 1],
				(account.n - i) * sizeof(account.v[0]));
			return true;
		}
	return false;
}

static int answer_abort(const char *id, struct http_response *response)
{
	account.n_aborts++;
	if (comes(&account.aborts, false))
		return trouble_answer(&account.aborts, response);
	return end_upload(id) ? script_respond(response, 204, "", "")
			      : script_respond(response, 404, "", ERROR("NoSuchUpload"));
}

static int answer_complete(const char *id, struct http_response *response)
{
	assert_true(end_upload(id));
	return script_respond(response, 200, "",
			      "<CompleteMultipartUploadResult" S3_NS "><ETag>&quot;e-1&quot;"
			      "</ETag></CompleteMultipartUploadResult>");
}

static char *begin(const char *key)
{
	struct object_id id = {"bucket", key};
	struct bench *b = account.b;
	char *upload_id = NULL;

	assert_int_equal(
	    b->store->create_upload(b->store, &b->call, &id, &(struct put_params){0}, &upload_id),
	    0);
	return upload_id;
}

static int compare(const struct open_upload *upload, const char *key, const char *id)
{
	int by_key = strcmp(upload->key, key);

	return by_key ? by_key : strcmp(upload->id, id);
}

static int by_key_and_id(const void *a, const void *b)
{
	const struct open_upload *other = b;

	return compare(a, other->key, other->id);
}

static int write_page(struct buf *body, const char *prefix, const char *key, const char *id)
{
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < account.n; i++) {
		const struct open_upload *upload = &account.v[i];
		char initiated[TIME_ISO_LEN + 1];

		if (strncmp(upload->key, prefix, strlen(prefix)) != 0 ||
		    (key && compare(upload, key, id) <= 0))
			continue;
		if (n++ == account.page)
			return buf_printf(body,
					  "<IsTruncated>true</IsTruncated><NextKeyMarker>%s"
					  "</NextKeyMarker><NextUploadIdMarker>%s"
					  "</NextUploadIdMarker>",
					  account.v[i - 1].key, account.v[i - 1].id);
		time_format_iso(upload->initiated_ms, initiated);
		r = buf_printf(body,
			       "<Upload><Key>%s</Key><UploadId>%s</UploadId><Initiator><ID>%s</ID>"
			       "</Initiator><Initiated>%s</Initiated></Upload>",
			       upload->key, upload->id, upload->initiator, initiated);
	}
	return r;
}

/* Of the query's parameter, up to the next one; keys and ids here are short and plain. */
static const char *parameter(const char *query, const char *name, char text[20])
{
	const char *found = strstr(query, name);

	if (!found)
		return NULL;
	found += strlen(name);
	snprintf(text, 20, "%.*s", (int)strcspn(found, "&"), found);
	return text;
}

static int answer_list(const char *query, struct http_response *response)
{
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;
	const char *meanwhile = account.meanwhile;
	char prefix[20], key[20], id[20];

	account.n_lists++;
	if (comes(&account.lists, false))
		return trouble_answer(&account.lists, response);
	account.meanwhile = NULL;
	if (meanwhile)
		account.meanwhile_id = begin(meanwhile);
	qsort(account.v, account.n, sizeof(account.v[0]), by_key_and_id);
	assert_non_null(parameter(query, "&prefix=", prefix));
	buf_add_str(&body, "<ListMultipartUploadsResult" S3_NS ">");
	assert_int_equal(write_page(&body, prefix, parameter(query, "&key-marker=", key),
				    parameter(query, "&upload-id-marker=", id)),
			 0);
	buf_add_str(&body, "</ListMultipartUploadsResult>");
	return script_respond(response, 200, "", buf_str(&body));
}

static int answer(void *data, struct call *call, const struct http_request *request,
		  struct http_response *response)
{
	const char *id = strstr(request->query, "uploadId=");

	(void)data;
	(void)call;
	if (!strcmp(request->query, "uploads="))
		return answer_create(request->path + 1, response);
	if (!strcmp(request->method, "GET"))
		return answer_list(request->query, response);
	if (!strcmp(request->method, "DELETE"))
		return answer_abort(id + 9, response);
	if (!strcmp(request->method, "POST"))
		return answer_complete(id + 9, response);
	return comes(&account.parts, false)
		   ? trouble_answer(&account.parts, response)
		   : script_respond(response, 200, "ETag: " HELLO "\n", "");
}

static int setup(void **state)
{
	int r = bench_setup(state);

	account = (struct account){.b = *state, .initiator = SESSION, .page = 1000};
	script_callback(&account.b->script, answer, NULL);
	return r;
}

/* ---- what a test does ---- */

/* The next n beginnings are carried out, and end so for who asks. */
static void lose_beginnings(int n, int how)
{
	account.creates = (struct trouble){n, true, how, NULL};
}

static int begin_in_vain(const char *key)
{
	struct object_id id = {"bucket", key};
	struct bench *b = account.b;
	char *upload_id = NULL;
	int r =
	    b->store->create_upload(b->store, &b->call, &id, &(struct put_params){0}, &upload_id);

	assert_null(upload_id);
	return r;
}

static void complete(const char *key, char *upload_id)
{
	struct object_id id = {"bucket", key};
	static const char *const etags[] = {HELLO};
	struct bench *b = account.b;

	assert_int_equal(b->store->complete_upload(b->store, &b->call, &id, upload_id,
						   &(struct put_params){0}, etags, 1, NULL),
			 0);
	free(upload_id);
}

static int try_abort(const char *key, const char *upload_id)
{
	struct object_id id = {"bucket", key};
	struct bench *b = account.b;

	return b->store->abort_upload(b->store, &b->call, &id, upload_id);
}

static int try_part(const char *key, const char *upload_id)
{
	struct object_id id = {"bucket", key};
	struct bench *b = account.b;
	char *etag = NULL;
	int r = b->store->upload_part(b->store, &b->call, &id, upload_id, 1, "hello", 5, &etag);

	free(etag);
	return r;
}

/* An upload of a key that has nothing to do with the others comes and goes. */
static void another_ends(void)
{
	complete("other", begin("other"));
}

static void at_the_end(void)
{
	s3_end_uploads(account.b->store, &account.b->call);
}

/* ---- beginnings whose answer was lost ---- */

static void a_beginning_that_is_repeated_leaves_nothing(void **state)
{
	static const int how[] = {HTTP_E_BROKEN, HTTP_E_STALL, 500};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(how); i++) {
		char *id;

		lose_beginnings(2, how[i]);
		id = begin("k");
		assert_int_equal(account.n, 3);
		assert_int_equal(account.n_lists, i);
		complete("k", id);
		assert_int_equal(account.n, 0);
		assert_int_equal(account.n_lists, i + 1);
	}
	assert_int_equal(account.n_aborts, 2 * ARRAY_LEN(how));
	assert_int_equal(log_lines_count("info: bucket/k: aborted the upload up01, whose"), 1);
	assert_int_equal(log_lines_count("warn"), 0);
}

static int sent_twice(void *data, struct call *call, const struct http_request *request,
		      struct http_response *response)
{
	int r = answer(data, call, request, response);

	response->sent_before = true;
	return r;
}

/* libcurl sends again itself what a kept connection dies under. */
static void one_that_the_transport_repeats_leaves_nothing(void **state)
{
	char *id;

	(void)state;
	add_upload("k", SESSION, server_ms());
	script_callback(&account.b->script, sent_twice, NULL);
	id = begin("k");
	script_callback(&account.b->script, answer, NULL);
	assert_int_equal(try_abort("k", id), 0);
	assert_int_equal(account.n, 0);
	free(id);
}

/* And costs nothing. */
static void one_that_was_refused_is_not_looked_for(void **state)
{
	(void)state;
	account.creates = (struct trouble){1, false, HTTP_E_CONNECT, NULL};
	complete("k", begin("k"));
	account.creates = (struct trouble){1, false, 403, ERROR("AccessDenied")};
	assert_int_equal(begin_in_vain("k"), -EACCES);
	another_ends();
	at_the_end();
	assert_int_equal(account.n_lists, 0);
	assert_int_equal(account.n_aborts, 0);
}

/* There is no upload of that key that could end: another one's end does. */
static void one_that_fails_for_good_leaves_nothing(void **state)
{
	static const struct {
		int n, how, result;
	} rows[] = {{3, HTTP_E_BROKEN, -EIO}, {3, 500, -EIO}, {1, -EINTR, -EINTR}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		lose_beginnings(rows[i].n, rows[i].how);
		assert_int_equal(begin_in_vain("k"), rows[i].result);
		assert_int_equal(account.n, (size_t)rows[i].n);
		assert_int_equal(account.n_lists, i);
		another_ends();
		assert_int_equal(account.n, 0);
		assert_int_equal(account.n_lists, i + 1);
	}
}

static void the_end_of_all_finds_them_too(void **state)
{
	(void)state;
	lose_beginnings(3, HTTP_E_BROKEN);
	assert_int_equal(begin_in_vain("k"), -EIO);
	at_the_end();
	assert_int_equal(account.n, 0);
	at_the_end();
	assert_int_equal(account.n_lists, 1);
}

/* Another session's, another key's, and those of another time. */
static void nothing_else_is_touched(void **state)
{
	char *id;

	(void)state;
	add_upload("k", SESSION, server_ms() - 5000);
	add_upload("k", ANOTHER, server_ms());
	add_upload("k2", SESSION, server_ms());
	lose_beginnings(1, HTTP_E_BROKEN);
	id = begin("k");
	add_upload("k", SESSION, server_ms() + 60000);
	test_clock_advance(&account.b->clock, 60000);
	complete("k", id);
	assert_int_equal(account.n, 4);
	assert_int_equal(account.n_aborts, 1);
	assert_int_equal(log_lines_count("warn"), 0);
}

/* Times are the server's. */
static void a_clock_that_is_off_makes_no_difference(void **state)
{
	(void)state;
	account.ahead_ms = -3600000;
	add_upload("k", SESSION, server_ms() - 60000);
	lose_beginnings(1, HTTP_E_BROKEN);
	complete("k", begin("k"));
	assert_int_equal(account.n, 1);
	assert_string_equal(account.v[0].id, "up01");
}

static void what_is_in_use_is_not_touched(void **state)
{
	char *id;

	(void)state;
	lose_beginnings(3, HTTP_E_BROKEN);
	assert_int_equal(begin_in_vain("k"), -EIO);
	id = begin("k");
	another_ends();
	assert_int_equal(account.n_lists, 0);
	assert_int_equal(account.n, 4);
	complete("k", id);
	assert_int_equal(account.n, 0);
}

/* It is listed, and of the session, and of the time; but it was begun here since. */
static void what_is_begun_while_others_are_looked_for_is_not_touched(void **state)
{
	(void)state;
	lose_beginnings(3, HTTP_E_BROKEN);
	assert_int_equal(begin_in_vain("k"), -EIO);
	account.meanwhile = "k";
	another_ends();
	assert_int_equal(account.n_lists, 1);
	assert_int_equal(account.n_aborts, 0);
	complete("k", account.meanwhile_id);
	assert_int_equal(account.n, 0);
}

static void of_several_pages_those_of_the_key_are_read(void **state)
{
	(void)state;
	account.page = 2;
	for (int i = 0; i < 3; i++)
		add_upload("k2", SESSION, server_ms());
	lose_beginnings(2, HTTP_E_BROKEN);
	account.b->caller.max_attempts = 8;
	complete("k", begin("k"));
	assert_int_equal(account.n, 3);
	/* the second page ends in k2: no third one */
	lose_beginnings(3, HTTP_E_BROKEN);
	account.n_lists = 0;
	complete("k", begin("k"));
	assert_int_equal(account.n, 3);
	assert_int_equal(account.n_lists, 2);
}

/* As radosgw does: the initiator is the account. */
static void what_nobody_can_tell_is_logged(void **state)
{
	(void)state;
	account.initiator = "RGW65431234567890123";
	lose_beginnings(1, HTTP_E_BROKEN);
	complete("k", begin("k"));
	assert_int_equal(account.n, 1);
	assert_int_equal(account.n_aborts, 0);
	expect_last_line(
	    "warn: bucket/k: the upload up01 may be one whose beginning was not "
	    "answered, and is left: the server does not tell who began it; see xacctfs "
	    "--incomplete-uploads");
	at_the_end();
	assert_int_equal(account.n_lists, 1);
}

static void a_refusal_is_told_once(void **state)
{
	(void)state;
	account.lists = (struct trouble){1, false, 403, ERROR("AccessDenied")};
	lose_beginnings(1, HTTP_E_BROKEN);
	complete("k", begin("k"));
	expect_last_line("warn: bucket/k: an upload whose beginning was not answered may be left: "
			 "AccessDenied: because (HTTP 403); see xacctfs --incomplete-uploads");
	another_ends();
	at_the_end();
	assert_int_equal(log_lines_count(""), 1);
	assert_int_equal(account.n_lists, 1);
}

static void what_passes_is_tried_again(void **state)
{
	(void)state;
	account.lists = (struct trouble){3, false, 500, NULL};
	lose_beginnings(1, HTTP_E_BROKEN);
	complete("k", begin("k"));
	assert_int_equal(account.n, 1);
	another_ends();
	assert_int_equal(account.n, 0);
	assert_int_equal(log_lines_count("warn"), 0);
}

/* ---- uploads that are not aborted ---- */

static void an_abort_that_fails_is_tried_when_another_ends(void **state)
{
	char *id = begin("k");

	(void)state;
	account.aborts = (struct trouble){3, false, 500, NULL};
	assert_int_equal(try_abort("k", id), -EIO);
	assert_int_equal(account.n, 1);
	another_ends();
	assert_int_equal(account.n, 0);
	free(id);
}

/* What the file system has given up. */
static void what_is_open_at_the_end_is_aborted(void **state)
{
	(void)state;
	free(begin("k"));
	free(begin("k2"));
	another_ends();
	assert_int_equal(account.n, 2);
	at_the_end();
	assert_int_equal(account.n, 0);
	assert_int_equal(account.n_aborts, 2);
	at_the_end();
	assert_int_equal(account.n_aborts, 2);
}

/* Not for ever, in between. */
static void an_abort_that_always_fails_is_told_at_the_end(void **state)
{
	char *id = begin("k");

	(void)state;
	account.aborts = (struct trouble){1000, false, 403, ERROR("AccessDenied")};
	assert_int_equal(try_abort("k", id), -EACCES);
	for (int i = 0; i < 5; i++)
		another_ends();
	assert_int_equal(account.n_aborts, 4);
	assert_int_equal(log_lines_count(""), 1);
	at_the_end();
	assert_int_equal(account.n_aborts, 5);
	expect_last_line(
	    "warn: bucket/k: the incomplete upload up01 could not be aborted and is "
	    "left: AccessDenied: because (HTTP 403); see xacctfs --incomplete-uploads");
	free(id);
}

static void nothing_to_do_costs_nothing(void **state)
{
	(void)state;
	complete("k", begin("k"));
	at_the_end();
	assert_int_equal(script_count(&account.b->script), 2);
}

/* The server may take in a part whose connection broke after it has aborted the upload. */
static void an_abort_that_a_part_may_overtake_is_repeated(void **state)
{
	char *id = begin("k");

	(void)state;
	account.parts = (struct trouble){3, false, HTTP_E_STALL, NULL};
	assert_int_equal(try_part("k", id), -ETIMEDOUT);
	assert_int_equal(try_abort("k", id), 0);
	assert_int_equal(account.n_aborts, 1);
	another_ends();
	assert_int_equal(account.n_aborts, 1);
	test_clock_advance(&account.b->clock, 60000);
	another_ends();
	assert_int_equal(account.n_aborts, 2);
	another_ends();
	at_the_end();
	assert_int_equal(account.n_aborts, 2);
	free(id);
}

static void and_at_the_end_if_it_comes_before(void **state)
{
	char *id = begin("k");

	(void)state;
	account.parts = (struct trouble){1, false, -EINTR, NULL};
	assert_int_equal(try_part("k", id), -EINTR);
	assert_int_equal(try_abort("k", id), 0);
	at_the_end();
	assert_int_equal(account.n_aborts, 2);
	free(id);
}

static void and_all_of_it_for_one_that_was_given_up(void **state)
{
	char *id;

	(void)state;
	lose_beginnings(1, HTTP_E_BROKEN);
	id = begin("k");
	account.parts = (struct trouble){1, false, -EINTR, NULL};
	assert_int_equal(try_part("k", id), -EINTR);
	at_the_end();
	assert_int_equal(account.n, 0);
	assert_int_equal(account.n_aborts, 3);
	assert_int_equal(account.n_lists, 1);
	free(id);
}

/* Its answer has an id, and it would hold bytes that are not encrypted. */
static void one_that_is_not_as_asked_for_is_aborted(void **state)
{
	(void)state;
	account.b->conf.sse = (char[]){"AES256"};
	bench_open(account.b);
	assert_int_equal(begin_in_vain("k"), -EIO);
	assert_int_equal(account.n, 0);
	at_the_end();
	assert_int_equal(script_count(&account.b->script), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_beginning_that_is_repeated_leaves_nothing),
	    TEST(one_that_the_transport_repeats_leaves_nothing),
	    TEST(one_that_was_refused_is_not_looked_for),
	    TEST(one_that_fails_for_good_leaves_nothing),
	    TEST(the_end_of_all_finds_them_too),
	    TEST(nothing_else_is_touched),
	    TEST(a_clock_that_is_off_makes_no_difference),
	    TEST(what_is_in_use_is_not_touched),
	    TEST(what_is_begun_while_others_are_looked_for_is_not_touched),
	    TEST(of_several_pages_those_of_the_key_are_read),
	    TEST(what_nobody_can_tell_is_logged),
	    TEST(a_refusal_is_told_once),
	    TEST(what_passes_is_tried_again),
	    TEST(an_abort_that_fails_is_tried_when_another_ends),
	    TEST(what_is_open_at_the_end_is_aborted),
	    TEST(an_abort_that_always_fails_is_told_at_the_end),
	    TEST(nothing_to_do_costs_nothing),
	    TEST(an_abort_that_a_part_may_overtake_is_repeated),
	    TEST(and_at_the_end_if_it_comes_before),
	    TEST(and_all_of_it_for_one_that_was_given_up),
	    TEST(one_that_is_not_as_asked_for_is_aborted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
