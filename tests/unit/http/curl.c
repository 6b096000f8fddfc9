/* The transport on libcurl, against a server that behaves as each test wants it to. */
#include "xacctfs/http/transport.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "event.h"
#include "http_server.h"
#include "test_clock.h"
#include "xacctfs/util/cleanup.h"

#define BODY_MAX (1024 * 1024)
#define LONG_MS  600000

/* A resolver that hangs for the name "hang.test", in place of the C library's. */
static struct event resolver_entered = EVENT_INIT, resolver_release = EVENT_INIT;

int getaddrinfo(const char *restrict node, const char *restrict service,
		const struct addrinfo *restrict hints, struct addrinfo **restrict ret)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

	if (node && !strcmp(node, "hang.test")) {
		event_set(&resolver_entered);
		event_wait(&resolver_release);
		return EAI_NONAME;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	return real(node, service, hints, ret);
}

/* Between libcurl and us: counts how often we wait for the network, and tells when behind a slow
 * sink. */
static atomic_uint polls;
static atomic_bool poll_for_ever; /* or until something happens */
static struct event polled_behind_the_sink = EVENT_INIT;
static atomic_bool sink_was_slow;

int curl_multi_poll(void *multi, void *extra, unsigned int n, int timeout_ms, int *ret_ready);

int curl_multi_poll(void *multi, void *extra, unsigned int n, int timeout_ms, int *ret_ready)
{
	int (*real)(void *, void *, unsigned int, int, int *);

	atomic_fetch_add(&polls, 1);
	if (atomic_load(&sink_was_slow))
		event_set(&polled_behind_the_sink);
	*(void **)&real = dlsym(RTLD_NEXT, "curl_multi_poll");
	return real(multi, extra, n, atomic_load(&poll_for_ever) ? INT_MAX : timeout_ms, ret_ready);
}

struct fixture {
	struct http_server *server;
	struct http_transport *transport;
	struct http_curl_options options;
	struct http_request request;
	struct http_response response;
	struct call call;
	char *text;
	struct event event; /* of the script */
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->options = (struct http_curl_options){
	    .connect_timeout_ms = LONG_MS, .stall_timeout_ms = LONG_MS, .user_agent = "test/1"};
	f->event = (struct event)EVENT_INIT;
	call_init(&f->call, NULL, clock_system(), LONG_MS);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const variables[] = {"http_proxy",  "HTTP_PROXY", "https_proxy",
						"HTTPS_PROXY", "no_proxy",   "NO_PROXY"};
	struct fixture *f = *state;

	http_response_deinit(&f->response);
	http_request_deinit(&f->request);
	http_transport_free(f->transport);
	http_server_stop(f->server);
	call_deinit(&f->call);
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		unsetenv(variables[i]);
	free(f->text);
	free(f);
	return 0;
}

static void make_request(struct http_request *request, const char *method, const char *scheme,
			 const char *authority, const char *path)
{
	http_request_deinit(request);
	*request = (struct http_request){.method = method,
					 .scheme = strdup(scheme),
					 .authority = strdup(authority),
					 .path = strdup(path)};
}

static void start(struct fixture *f, void (*script)(struct http_conn *, void *), void *data)
{
	f->server =
	    http_server_start(&(struct http_server_options){.script = script, .data = data});
	make_request(&f->request, "GET", "http", http_server_authority(f->server), "/b/k");
}

/* For the scripts whose data is a text. */
static void start_text(struct fixture *f, void (*script)(struct http_conn *, void *),
		       const char *text)
{
	free(f->text);
	f->text = strdup(text);
	start(f, script, f->text);
}

static int perform(struct fixture *f)
{
	if (!f->transport)
		assert_int_equal(http_curl_new(&f->options, &f->transport), 0);
	http_response_deinit(&f->response);
	return f->transport->perform(f->transport, &f->call, &f->request, BODY_MAX, &f->response);
}

static const char *sent(struct fixture *f)
{
	return http_server_request(f->server, http_server_requests(f->server) - 1);
}

/* The script that sends its data, a text, to each request. */
static void reply(struct http_conn *conn, void *data)
{
	while (http_conn_read(conn))
		if (!http_conn_send(conn, data))
			return;
}

/* ... and then closes the connection. */
static void reply_once(struct http_conn *conn, void *data)
{
	if (http_conn_read(conn))
		http_conn_send(conn, data);
}

/* ... and then says nothing more. */
static void reply_and_hang(struct http_conn *conn, void *data)
{
	if (http_conn_read(conn) && http_conn_send(conn, data))
		http_conn_wait_closed(conn);
}

/* Both: of connections to many servers libcurl keeps a few, and not always those used last. */
static void stop(struct fixture *f)
{
	http_server_stop(steal(&f->server));
	http_transport_free(steal(&f->transport));
}

static void assert_body(struct fixture *f, int status, const char *body)
{
	assert_int_equal(f->response.status, status);
	assert_string_equal(buf_str(&f->response.body), body);
}

/* What is sent */

static void get_is_sent_to_the_byte(void **state)
{
	struct fixture *f = *state;
	char expected[512];

	start(f, http_script_hello, NULL);
	f->request.query = strdup("list-type=2&prefix=a%2Fb&x=");
	http_headers_add(&f->request.headers, "X-Amz-Date", "20261123T201318Z");
	http_headers_add(&f->request.headers, "Authorization", "AWS4-HMAC-SHA256 Credential=x");
	assert_int_equal(perform(f), 0);
	assert_body(f, 200, "hello");
	snprintf(expected, sizeof(expected),
		 "GET /b/k?list-type=2&prefix=a%%2Fb&x= HTTP/1.1\r\n"
		 "Host: %s\r\n"
		 "User-Agent: test/1\r\n"
		 "X-Amz-Date: 20261123T201318Z\r\n"
		 "Authorization: AWS4-HMAC-SHA256 Credential=x\r\n\r\n",
		 http_server_authority(f->server));
	assert_string_equal(sent(f), expected);
}

static void paths_are_sent_as_they_are(void **state)
{
	static const char *const paths[] = {
	    "/",        "/b/../a",  "/b/./a",  "/b//a",   "/b/a/..",   "/b/%2e%2E/%2f",
	    "/b/a%20b", "/b/+&=~:", "/b/%00a", "//b//a/", "/b/a;x@y!", "/b/(')*,$|^",
	};
	struct fixture *f = *state;

	start(f, http_script_hello, NULL);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		char expected[64];

		make_request(&f->request, "GET", "http", http_server_authority(f->server),
			     paths[i]);
		assert_int_equal(perform(f), 0);
		snprintf(expected, sizeof(expected), "GET %s HTTP/1.1\r\n", paths[i]);
		assert_memory_equal(sent(f), expected, strlen(expected));
	}
}

static void host_header_is_the_authority(void **state)
{
	struct fixture *f = *state;

	start(f, http_script_hello, NULL);
	/* libcurl would drop the default port, which was signed */
	setenv("http_proxy", http_server_authority(f->server), 1);
	make_request(&f->request, "GET", "http", "bucket.invalid:80", "/k");
	assert_int_equal(perform(f), 0);
	assert_non_null(strstr(sent(f), "\r\nHost: bucket.invalid:80\r\n"));
}

static void empty_header_value_is_sent(void **state)
{
	struct fixture *f = *state;

	start(f, http_script_hello, NULL);
	http_headers_add(&f->request.headers, "X-Empty", "");
	http_headers_add(&f->request.headers, "User-Agent", "other/2");
	assert_int_equal(perform(f), 0);
	assert_non_null(strstr(sent(f), "\r\nX-Empty:\r\n"));
	assert_non_null(strstr(sent(f), "\r\nUser-Agent: other/2\r\n"));
	assert_null(strstr(sent(f), "test/1"));
}

static void put_sends_body_and_length(void **state)
{
	struct fixture *f = *state;

	start(f, http_script_hello, NULL);
	f->request.method = "PUT";
	buf_add(&f->request.body, "ab\0cd", 5);
	assert_int_equal(perform(f), 0);
	assert_memory_equal(sent(f), "PUT /b/k HTTP/1.1\r\n", 19);
	assert_non_null(strstr(sent(f), "\r\nContent-Length: 5\r\n"));
	assert_null(strstr(sent(f), "Expect"));
	assert_null(strstr(sent(f), "Content-Type"));
	assert_memory_equal(strstr(sent(f), "\r\n\r\n") + 4, "ab\0cd", 5);
}

static void put_empty_sends_length_zero(void **state)
{
	struct fixture *f = *state;

	start(f, http_script_hello, NULL);
	f->request.method = "PUT";
	assert_int_equal(perform(f), 0);
	assert_memory_equal(sent(f), "PUT /b/k HTTP/1.1\r\n", 19);
	assert_non_null(strstr(sent(f), "\r\nContent-Length: 0\r\n"));
}

static void post_sends_content_type_as_given(void **state)
{
	struct fixture *f = *state;

	start(f, http_script_hello, NULL);
	f->request.method = "POST";
	http_headers_add(&f->request.headers, "Content-Type", "application/xml");
	buf_add_str(&f->request.body, "<x/>");
	assert_int_equal(perform(f), 0);
	assert_memory_equal(sent(f), "POST /b/k HTTP/1.1\r\n", 20);
	assert_non_null(strstr(sent(f), "\r\nContent-Type: application/xml\r\n"));
	assert_non_null(strstr(sent(f), "\r\n\r\n<x/>"));
}

static void delete_sends_no_length(void **state)
{
	struct fixture *f = *state;

	start_text(f, reply, "HTTP/1.1 204 No Content\r\n\r\n");
	f->request.method = "DELETE";
	assert_int_equal(perform(f), 0);
	assert_body(f, 204, "");
	assert_memory_equal(sent(f), "DELETE /b/k HTTP/1.1\r\n", 22);
	assert_null(strstr(sent(f), "Content-Length"));
}

static void put_of_many_bytes_arrives_whole(void **state)
{
	struct fixture *f = *state;
	const char *body;
	size_t len = 9 * 1024 * 1024 + 7;

	start(f, http_script_hello, NULL);
	f->request.method = "PUT";
	buf_reserve(&f->request.body, len);
	for (size_t i = 0; i < len; i++)
		f->request.body.data[i] = (char)('a' + i % 23);
	f->request.body.len = len;
	assert_int_equal(perform(f), 0);
	assert_null(strstr(sent(f), "Expect"));
	body = strstr(sent(f), "\r\n\r\n") + 4;
	assert_memory_equal(body, f->request.body.data, len);
	assert_int_equal(body[len], '\0');
}

static void payload_goes_out_of_the_callers_memory(void **state)
{
	struct fixture *f = *state;
	const char *body;
	size_t len = 9 * 1024 * 1024 + 7;

	f->text = malloc(len);
	for (size_t i = 0; i < len; i++)
		f->text[i] = (char)('a' + i % 23);
	start(f, http_script_hello, NULL);
	f->request.method = "PUT";
	f->request.payload = f->text;
	f->request.payload_len = len;
	assert_int_equal(perform(f), 0);
	assert_non_null(strstr(sent(f), "\r\nContent-Length: 9437191\r\n"));
	body = strstr(sent(f), "\r\n\r\n") + 4;
	assert_memory_equal(body, f->text, len);
	assert_int_equal(body[len], '\0');
}

static void payload_of_no_bytes(void **state)
{
	struct fixture *f = *state;

	start(f, http_script_hello, NULL);
	f->request.method = "PUT";
	f->request.payload = "x";
	assert_int_equal(perform(f), 0);
	assert_non_null(strstr(sent(f), "\r\nContent-Length: 0\r\n"));
}

/* What comes back */

static void head_has_headers_and_no_body(void **state)
{
	struct fixture *f = *state;

	start_text(f, reply,
		   "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\nETag: \"x\"\r\n\r\n");
	f->request.method = "HEAD";
	for (int i = 0; i < 2; i++) {
		assert_int_equal(perform(f), 0);
		assert_body(f, 200, "");
		assert_string_equal(http_headers_get(&f->response.headers, "content-length"),
				    "99999999999");
	}
	assert_memory_equal(sent(f), "HEAD /b/k HTTP/1.1\r\n", 20);
	assert_int_equal(http_server_connections(f->server), 1);
}

static void headers_are_trimmed_and_kept_in_order(void **state)
{
	struct fixture *f = *state;
	struct http_headers *headers = &f->response.headers;

	start_text(f, reply,
		   "HTTP/1.1 200 OK\r\nA:  one \t\r\nB:\r\na: two\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(perform(f), 0);
	assert_int_equal(headers->n, 4);
	assert_string_equal(headers->v[0].value, "one");
	assert_string_equal(headers->v[1].value, "");
	assert_string_equal(headers->v[2].value, "two");
	assert_string_equal(http_headers_get(headers, "A"), "one");
}

/*
 * Versions of libcurl differ in what they make of it; those before 8.1 would join it to a header of
 * the response before, which is freed by then.
 */
static void folded_first_line_is_of_no_other_response(void **state)
{
	struct fixture *f = *state;
	int first;

	start_text(f, reply,
		   "HTTP/1.1 200 OK\r\n folded: x\r\nA: one\r\nContent-Length: 0\r\n\r\n");
	first = perform(f);
	http_server_stop(steal(&f->server));
	for (int i = 0; i < 10; i++) {
		start_text(f, reply, "HTTP/1.1 200 OK\r\nA: one\r\nContent-Length: 0\r\n\r\n");
		assert_int_equal(perform(f), 0);
		http_server_stop(steal(&f->server));
		start_text(f, reply,
			   "HTTP/1.1 200 OK\r\n folded: x\r\nA: one\r\nContent-Length: "
			   "0\r\n\r\n");
		assert_int_equal(perform(f), first);
		http_server_stop(steal(&f->server));
	}
}

static void error_status_is_a_response(void **state)
{
	struct fixture *f = *state;

	start_text(f, reply, "HTTP/1.1 503 Slow Down\r\nContent-Length: 8\r\n\r\n<Error/>");
	assert_int_equal(perform(f), 0);
	assert_body(f, 503, "<Error/>");
}

static void interim_responses_leave_no_trace(void **state)
{
	struct fixture *f = *state;

	start_text(f, reply,
		   "HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n"
		   "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
		   "HTTP/1.1 200 OK\r\nX-Final: 1\r\nContent-Length: 2\r\n\r\nok");
	assert_int_equal(perform(f), 0);
	assert_body(f, 200, "ok");
	assert_int_equal(f->response.headers.n, 2);
	assert_non_null(http_headers_get(&f->response.headers, "X-Final"));
}

static void chunked_body_is_joined_and_trailers_left_out(void **state)
{
	struct fixture *f = *state;

	start_text(f, reply,
		   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		   "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(perform(f), 0);
		assert_body(f, 200, "abcde");
		assert_null(http_headers_get(&f->response.headers, "X-Trailer"));
	}
	assert_int_equal(http_server_connections(f->server), 1);
}

static void body_without_length_ends_with_the_connection(void **state)
{
	struct fixture *f = *state;

	start_text(f, reply_once, "HTTP/1.1 200 OK\r\n\r\nto the end");
	assert_int_equal(perform(f), 0);
	assert_body(f, 200, "to the end");
}

static void content_encoding_is_left_alone(void **state)
{
	struct fixture *f = *state;

	start_text(f, reply,
		   "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nraw");
	assert_int_equal(perform(f), 0);
	assert_body(f, 200, "raw");
	assert_null(strstr(sent(f), "Accept"));
}

static void redirects_are_not_followed(void **state)
{
	struct fixture *f = *state;
	struct http_server *other =
	    http_server_start(&(struct http_server_options){.script = http_script_hello});
	char text[256];

	snprintf(text, sizeof(text),
		 "HTTP/1.1 301 Moved\r\nLocation: http://%s/x\r\nContent-Length: 4\r\n\r\ngone",
		 http_server_authority(other));
	start_text(f, reply, text);
	assert_int_equal(perform(f), 0);
	assert_body(f, 301, "gone");
	assert_int_equal(http_server_connections(other), 0);
	assert_int_equal(http_server_requests(f->server), 1);
	http_server_stop(other);
}

/* Responses that are none */

static void assert_fails(struct fixture *f, int error)
{
	int r = perform(f);

	if (r != error)
		print_message("error text: %s\n", f->response.error);
	assert_int_equal(r, error);
	assert_string_not_equal(f->response.error, "");
}

static void truncated_body_is_broken(void **state)
{
	struct fixture *f = *state;

	start_text(f, reply_once, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
	assert_fails(f, HTTP_E_BROKEN);
}

static void cut_chunks_are_broken(void **state)
{
	static const char *const cuts[] = {
	    "",          "5",           "5\r",
	    "5\r\n",     "5\r\nab",     "2\r\nab",
	    "2\r\nab\r", "2\r\nab\r\n", "2\r\nab\r\n0\r\n",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
		char text[128];

		snprintf(text, sizeof(text),
			 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s", cuts[i]);
		start_text(f, reply_once, text);
		assert_fails(f, HTTP_E_BROKEN);
		http_server_stop(steal(&f->server));
	}
}

static void cut_headers_are_broken(void **state)
{
	static const char *const cuts[] = {"", "HTTP/1.1 200 OK\r\n",
					   "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
		start_text(f, reply_once, cuts[i]);
		assert_fails(f, HTTP_E_BROKEN);
		http_server_stop(steal(&f->server));
	}
}

static void reply_and_reset(struct http_conn *conn, void *data)
{
	if (!http_conn_read(conn))
		return;
	http_conn_send(conn, data);
	http_conn_reset(conn);
}

static void reset_is_broken(void **state)
{
	struct fixture *f = *state;

	start_text(f, reply_and_reset, "");
	assert_fails(f, HTTP_E_BROKEN);
}

static void not_http_is_a_protocol_error(void **state)
{
	static const char *const texts[] = {
	    "SSH-2.0-OpenSSH_9.2p1 Debian\r\n",
	    "<html>hello</html>\r\n\r\n",
	    "\x16\x03\x01\x02\x03\x04\x05\x06\x07\x08",
	    "HTTP/7.5 200 OK\r\nContent-Length: 0\r\n\r\n",
	    "HTTP/1.1 777 Odd\r\nContent-Length: 0\r\n\r\n",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		start_text(f, reply_once, texts[i]);
		assert_fails(f, HTTP_E_PROTOCOL);
		http_server_stop(steal(&f->server));
	}
}

static void endless_body(struct http_conn *conn, void *data)
{
	static char block[65536];

	if (!http_conn_read(conn) || !http_conn_send(conn, data))
		return;
	while (http_conn_send_bytes(conn, block, sizeof(block)))
		;
}

static void endless_body_is_too_large(void **state)
{
	struct fixture *f = *state;

	start_text(f, endless_body, "HTTP/1.1 200 OK\r\n\r\n");
	assert_fails(f, HTTP_E_TOO_LARGE);
	assert_true(f->response.body.len <= BODY_MAX);
}

/* A sink */

struct sink {
	struct buf bytes;
	size_t calls;
	int status;    /* of the response, when bytes came */
	char etag[20]; /* its header */
	size_t room;   /* more is refused; 0: none is */
	struct test_clock *clock;
};

static int sink_bytes(void *data, const struct http_response *response, const void *bytes, size_t n)
{
	struct sink *sink = data;
	const char *etag = http_headers_get(&response->headers, "ETag");

	sink->calls++;
	sink->status = response->status;
	snprintf(sink->etag, sizeof(sink->etag), "%s", etag ? etag : "");
	if (sink->clock) {
		test_clock_advance(sink->clock, 2 * LONG_MS);
		atomic_store(&sink_was_slow, true);
	}
	if (sink->room && sink->bytes.len + n > sink->room)
		return 1;
	return buf_add(&sink->bytes, bytes, n);
}

static void sink_into(struct fixture *f, struct sink *sink)
{
	f->request.sink = sink_bytes;
	f->request.sink_data = sink;
}

static void sink_takes_the_body(void **state)
{
	struct fixture *f = *state;
	struct sink sink = {0};

	start_text(f, reply,
		   "HTTP/1.1 206 Partial Content\r\nETag: e\r\nContent-Length: 5\r\n\r\nhello");
	sink_into(f, &sink);
	for (uint64_t i = 1; i < 3; i++) {
		assert_int_equal(perform(f), 0);
		assert_body(f, 206, "");
		assert_int_equal(f->response.sunk, 5);
	}
	assert_string_equal(buf_str(&sink.bytes), "hellohello");
	assert_int_equal(sink.status, 206);
	assert_string_equal(sink.etag, "e");
	assert_int_equal(http_server_connections(f->server), 1);
	buf_deinit(&sink.bytes);
}

static void sink_is_not_for_errors(void **state)
{
	struct fixture *f = *state;
	struct sink sink = {0};

	start_text(f, reply, "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello");
	sink_into(f, &sink);
	assert_int_equal(perform(f), 0);
	assert_body(f, 404, "hello");
	assert_int_equal(sink.calls, 0);
	assert_int_equal(f->response.sunk, 0);
}

static void sink_has_what_came_before_the_break(void **state)
{
	struct fixture *f = *state;
	struct sink sink = {0};

	start_text(f, reply_once, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello");
	sink_into(f, &sink);
	assert_int_equal(perform(f), HTTP_E_BROKEN);
	assert_string_equal(buf_str(&sink.bytes), "hello");
	assert_int_equal(f->response.sunk, 5);
	buf_deinit(&sink.bytes);
}

static void sink_that_wants_no_more_ends_it(void **state)
{
	struct fixture *f = *state;
	struct sink sink = {.room = 200000};

	start_text(f, endless_body, "HTTP/1.1 200 OK\r\nETag: e\r\n\r\n");
	sink_into(f, &sink);
	assert_int_equal(perform(f), HTTP_E_SINK);
	assert_true(sink.bytes.len > 0 && sink.bytes.len <= 200000);
	assert_int_equal(f->response.status, 200);
	assert_string_equal(http_headers_get(&f->response.headers, "ETag"), "e");
	assert_non_null(strstr(f->response.error, "was not wanted"));
	buf_deinit(&sink.bytes);
}

static void sink_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct sink sink = {0};

	start_text(f, endless_body, "HTTP/1.1 200 OK\r\n\r\n");
	sink_into(f, &sink);
	assert_int_equal(perform(f), HTTP_E_TOO_LARGE);
	assert_true(sink.bytes.len <= BODY_MAX);
	assert_int_equal(f->response.sunk, sink.bytes.len);
	buf_deinit(&sink.bytes);
}

/* Half of the answer, and the rest when the client waits for it. */
static void reply_in_halves(struct http_conn *conn, void *data)
{
	if (!http_conn_read(conn) || !http_conn_send(conn, data))
		return;
	event_wait(&polled_behind_the_sink);
	http_conn_send(conn, "lo");
}

/* The time that the sink takes, twice the stall timeout, is not the server's. */
static void sink_may_take_its_time(void **state)
{
	struct fixture *f = *state;
	struct test_clock clock;
	struct sink sink = {.clock = &clock};
	struct call call;

	test_clock_init(&clock, false);
	call_init(&call, NULL, &clock.clock, CLOCK_NEVER);
	start_text(f, reply_in_halves, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
	sink_into(f, &sink);
	assert_int_equal(http_curl_new(&f->options, &f->transport), 0);
	assert_int_equal(
	    f->transport->perform(f->transport, &call, &f->request, BODY_MAX, &f->response), 0);
	assert_string_equal(buf_str(&sink.bytes), "hello");
	assert_int_equal(sink.calls, 2);
	buf_deinit(&sink.bytes);
	call_deinit(&call);
	test_clock_deinit(&clock);
}

static void announced_length_is_checked_first(void **state)
{
	struct fixture *f = *state;

	start_text(f, endless_body, "HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n");
	assert_fails(f, HTTP_E_TOO_LARGE);
	assert_int_equal(f->response.body.len, 0);
}

static void body_of_max_body_is_accepted(void **state)
{
	struct fixture *f = *state;

	start(f, http_script_hello, NULL);
	assert_int_equal(http_curl_new(&f->options, &f->transport), 0);
	assert_int_equal(
	    f->transport->perform(f->transport, &f->call, &f->request, 5, &f->response), 0);
	assert_body(f, 200, "hello");
	http_response_deinit(&f->response);
	assert_int_equal(
	    f->transport->perform(f->transport, &f->call, &f->request, 4, &f->response),
	    HTTP_E_TOO_LARGE);
}

static void error_document_comes_whole(void **state)
{
	struct fixture *f = *state;

	start_text(f, reply, "HTTP/1.1 412 Failed\r\nContent-Length: 8\r\n\r\n<Error/>");
	assert_int_equal(http_curl_new(&f->options, &f->transport), 0);
	assert_int_equal(
	    f->transport->perform(f->transport, &f->call, &f->request, 0, &f->response), 0);
	assert_body(f, 412, "<Error/>");
}

/* Sends its data again and again. */
static void endless_text(struct http_conn *conn, void *data)
{
	if (!http_conn_read(conn) || !http_conn_send(conn, "HTTP/1.1 200 OK\r\n"))
		return;
	while (http_conn_send(conn, data))
		;
}

static void endless_headers_are_too_large(void **state)
{
	struct fixture *f = *state;

	start_text(f, endless_text, "X-More: and more\r\n");
	assert_fails(f, HTTP_E_TOO_LARGE);
	assert_non_null(strstr(f->response.error, "headers"));
}

static void endless_header_line_is_too_large(void **state)
{
	struct fixture *f = *state;

	start_text(f, endless_text, "X-More: and more and more ");
	assert_fails(f, HTTP_E_TOO_LARGE);
}

static void endless_interim(struct http_conn *conn, void *data)
{
	(void)data;
	if (!http_conn_read(conn))
		return;
	while (http_conn_send(conn, "HTTP/1.1 100 Continue\r\nX: y\r\n\r\n"))
		;
}

static void endless_interim_responses_are_too_large(void **state)
{
	struct fixture *f = *state;

	start(f, endless_interim, NULL);
	assert_fails(f, HTTP_E_TOO_LARGE);
}

/* Waiting */

static void stall_before_the_answer(void **state)
{
	struct fixture *f = *state;

	f->options.stall_timeout_ms = 50;
	start_text(f, reply_and_hang, "");
	assert_fails(f, HTTP_E_STALL);
}

static void stall_in_the_headers(void **state)
{
	struct fixture *f = *state;

	f->options.stall_timeout_ms = 50;
	start_text(f, reply_and_hang, "HTTP/1.1 200 OK\r\nContent-Le");
	assert_fails(f, HTTP_E_STALL);
}

static void stall_in_the_body(void **state)
{
	struct fixture *f = *state;

	f->options.stall_timeout_ms = 50;
	start_text(f, reply_and_hang, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
	assert_fails(f, HTTP_E_STALL);
}

static void read_nothing(struct http_conn *conn, void *data)
{
	(void)conn;
	event_wait(data);
}

static void stall_while_sending(void **state)
{
	struct fixture *f = *state;

	f->options.stall_timeout_ms = 50;
	start(f, read_nothing, &f->event);
	f->request.method = "PUT";
	buf_reserve(&f->request.body, 32 << 20);
	memset(f->request.body.data, 'x', 32 << 20);
	f->request.body.len = 32 << 20;
	assert_fails(f, HTTP_E_STALL);
	event_set(&f->event);
}

/* Until the client waits for the network again. */
static void wait_for_a_poll(unsigned int before, const atomic_bool *stop)
{
	const struct timespec slice = {.tv_nsec = 100000};

	while (atomic_load(&polls) == before && !(stop && atomic_load(stop)))
		nanosleep(&slice, NULL);
}

static atomic_bool drip_is_over;

/* Twice the stall timeout in all, a small part of it between two bytes. data: the clock. */
static void drip(struct http_conn *conn, void *data)
{
	if (!http_conn_read(conn) ||
	    !http_conn_send(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"))
		return;
	for (int i = 0; i < 100; i++) {
		unsigned int before = atomic_load(&polls);

		test_clock_advance(data, LONG_MS / 50);
		if (!http_conn_send(conn, "x"))
			return;
		wait_for_a_poll(before, &drip_is_over);
	}
}

static void slow_drip_is_no_stall(void **state)
{
	struct fixture *f = *state;
	struct test_clock clock;
	struct call call;
	int r;

	test_clock_init(&clock, false);
	call_init(&call, NULL, &clock.clock, CLOCK_NEVER);
	start(f, drip, &clock);
	assert_int_equal(http_curl_new(&f->options, &f->transport), 0);
	r = f->transport->perform(f->transport, &call, &f->request, BODY_MAX, &f->response);
	atomic_store(&drip_is_over, true);
	assert_int_equal(r, 0);
	assert_int_equal(f->response.body.len, 100);
	call_deinit(&call);
	test_clock_deinit(&clock);
}

static void set_deadline(struct fixture *f, int64_t ms)
{
	call_deinit(&f->call);
	call_init(&f->call, NULL, clock_system(), ms);
}

static void deadline_ends_the_exchange(void **state)
{
	struct fixture *f = *state;

	start_text(f, reply_and_hang, "HTTP/1.1 200 OK\r\n");
	set_deadline(f, 50);
	assert_fails(f, -ETIMEDOUT);
}

static void past_deadline_sends_nothing(void **state)
{
	struct fixture *f = *state;

	start(f, http_script_hello, NULL);
	set_deadline(f, 0);
	assert_fails(f, -ETIMEDOUT);
	assert_int_equal(http_server_connections(f->server), 0);
}

static void cancelled_before_sends_nothing(void **state)
{
	struct fixture *f = *state;

	start(f, http_script_hello, NULL);
	call_cancel(&f->call);
	assert_fails(f, -EINTR);
	assert_int_equal(http_server_connections(f->server), 0);
}

static void say_when_it_waits_and_hang(struct http_conn *conn, void *data)
{
	unsigned int before;

	if (!http_conn_read(conn))
		return;
	before = atomic_load(&polls);
	http_conn_send(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
	wait_for_a_poll(before, NULL);
	event_set(data);
	http_conn_wait_closed(conn);
}

struct canceller {
	struct event *when;
	struct call *call;
};

static void *cancel_main(void *data)
{
	struct canceller *canceller = data;

	event_wait(canceller->when);
	call_cancel(canceller->call);
	return NULL;
}

static void assert_cancelled_when(struct fixture *f, struct event *when)
{
	struct canceller canceller = {when, &f->call};
	pthread_t thread;

	set_deadline(f, CLOCK_NEVER);
	assert_int_equal(pthread_create(&thread, NULL, cancel_main, &canceller), 0);
	assert_fails(f, -EINTR);
	pthread_join(thread, NULL);
}

/* The test would not end, if a cancel were noticed by and by only. */
static void cancel_ends_a_hanging_exchange(void **state)
{
	struct fixture *f = *state;

	atomic_store(&poll_for_ever, true);
	start(f, say_when_it_waits_and_hang, &f->event);
	for (int i = 0; i < 200; i++) {
		assert_cancelled_when(f, &f->event);
		http_server_stop(steal(&f->server));
		f->event.set = false;
		start(f, say_when_it_waits_and_hang, &f->event);
	}
	atomic_store(&poll_for_ever, false);
}

static void transport_serves_on_after_a_cancel(void **state)
{
	struct fixture *f = *state;
	struct http_server *hanging;

	start(f, say_when_it_waits_and_hang, &f->event);
	assert_cancelled_when(f, &f->event);
	hanging = steal(&f->server);
	start(f, http_script_hello, NULL);
	set_deadline(f, LONG_MS);
	assert_int_equal(perform(f), 0);
	assert_body(f, 200, "hello");
	http_server_stop(hanging);
}

static void cancel_ends_a_hanging_resolver(void **state)
{
	struct fixture *f = *state;

	make_request(&f->request, "GET", "http", "hang.test", "/");
	assert_cancelled_when(f, &resolver_entered);
}

/* Connecting */

static void refused_connection_says_so(void **state)
{
	struct fixture *f = *state;
	char authority[64], expected[128];

	start(f, http_script_hello, NULL);
	snprintf(authority, sizeof(authority), "%s", http_server_authority(f->server));
	http_server_stop(steal(&f->server));
	make_request(&f->request, "GET", "http", authority, "/");
	assert_fails(f, HTTP_E_CONNECT);
	snprintf(expected, sizeof(expected), "connect to %s: Connection refused", authority);
	assert_string_equal(f->response.error, expected);
}

static void unknown_name_is_a_resolve_error(void **state)
{
	struct fixture *f = *state;

	make_request(&f->request, "GET", "http", "nowhere.invalid", "/");
	assert_fails(f, HTTP_E_RESOLVE);
	assert_non_null(strstr(f->response.error, "nowhere.invalid"));
}

static void overlong_name_is_a_resolve_error(void **state)
{
	struct fixture *f = *state;
	char name[400];

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	make_request(&f->request, "GET", "http", name, "/");
	assert_fails(f, HTTP_E_RESOLVE);
}

static void hanging_resolver_is_a_connect_timeout(void **state)
{
	struct fixture *f = *state;

	f->options.connect_timeout_ms = 50;
	make_request(&f->request, "GET", "http", "hang.test", "/");
	assert_fails(f, HTTP_E_CONNECT_TIMEOUT);
}

/* A listener whose queue is full answers no more SYN (Linux). */
static int full_listener(int *fill, size_t n, char *ret_authority, size_t size)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 0), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	for (size_t i = 0; i < n; i++) {
		fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fill[i], (struct sockaddr *)&address, sizeof(address));
	}
	snprintf(ret_authority, size, "127.0.0.1:%d", ntohs(address.sin_port));
	return fd;
}

static void unanswered_connect_is_a_timeout(void **state)
{
	struct fixture *f = *state;
	char authority[64];
	int fill[8], fd = full_listener(fill, ARRAY_LEN(fill), authority, sizeof(authority));

	f->options.connect_timeout_ms = 100;
	make_request(&f->request, "GET", "http", authority, "/");
	assert_fails(f, HTTP_E_CONNECT_TIMEOUT);
	for (size_t i = 0; i < ARRAY_LEN(fill); i++)
		close(fill[i]);
	close(fd);
}

static void hang(struct http_conn *conn, void *data)
{
	(void)data;
	http_conn_wait_closed(conn);
}

static void unanswered_handshake_is_a_connect_timeout(void **state)
{
	struct fixture *f = *state;

	f->options.connect_timeout_ms = 100;
	f->options.stall_timeout_ms = 10;
	start(f, hang, NULL);
	make_request(&f->request, "GET", "https", http_server_authority(f->server), "/");
	assert_fails(f, HTTP_E_CONNECT_TIMEOUT);
}

/* Keeping connections */

static void requests_in_a_row_share_a_connection(void **state)
{
	struct fixture *f = *state;

	start(f, http_script_hello, NULL);
	for (int i = 0; i < 50; i++) {
		f->request.method = i % 3 == 0 ? "PUT" : "GET";
		assert_int_equal(perform(f), 0);
	}
	assert_int_equal(http_server_connections(f->server), 1);
	assert_int_equal(http_server_requests(f->server), 50);
}

static void servers_in_turn_keep_their_connections(void **state)
{
	struct fixture *f = *state;
	struct http_server *other =
	    http_server_start(&(struct http_server_options){.script = http_script_hello});

	start(f, http_script_hello, NULL);
	for (int i = 0; i < 10; i++) {
		make_request(&f->request, "GET", "http",
			     http_server_authority(i % 2 ? other : f->server), "/");
		assert_int_equal(perform(f), 0);
	}
	assert_int_equal(http_server_connections(f->server), 1);
	assert_int_equal(http_server_connections(other), 1);
	http_server_stop(other);
}

struct worker {
	pthread_t thread;
	struct fixture *f;
	int failures;
};

static void *worker_main(void *data)
{
	struct worker *w = data;
	struct http_request request = {0};

	make_request(&request, "GET", "http", http_server_authority(w->f->server), "/b/k");
	for (int i = 0; i < 200; i++) {
		struct http_response response = {0};
		struct call call;

		call_init(&call, NULL, clock_system(), LONG_MS);
		if (w->f->transport->perform(w->f->transport, &call, &request, BODY_MAX,
					     &response) != 0 ||
		    strcmp(buf_str(&response.body), "hello") != 0)
			w->failures++;
		http_response_deinit(&response);
		call_deinit(&call);
	}
	http_request_deinit(&request);
	return NULL;
}

static void threads_use_no_more_connections_than_they_are(void **state)
{
	struct fixture *f = *state;
	struct worker workers[8] = {0};

	start(f, http_script_hello, NULL);
	assert_int_equal(http_curl_new(&f->options, &f->transport), 0);
	for (size_t i = 0; i < ARRAY_LEN(workers); i++) {
		workers[i].f = f;
		pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(workers); i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].failures, 0);
	}
	assert_int_equal(http_server_requests(f->server), 1600);
	assert_in_range(http_server_connections(f->server), 1, 8);
}

/* The first connection serves one request, and is closed while nobody looks. */
static void close_when_idle(struct http_conn *conn, void *data)
{
	(void)data;
	if (http_conn_number(conn) > 1) {
		http_script_hello(conn, NULL);
		return;
	}
	if (http_conn_read(conn))
		http_conn_send(conn, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
}

static void connection_closed_when_idle_is_replaced(void **state)
{
	struct fixture *f = *state;

	start(f, close_when_idle, NULL);
	for (int i = 0; i < 3; i++)
		assert_int_equal(perform(f), 0);
	assert_in_range(http_server_connections(f->server), 2, 2);
}

/*
 * The first connection serves one request, takes a few bytes of the second, and dies: the server
 * closed it at the moment that it was taken up again. data: whether with a reset.
 */
static void close_when_taken_up(struct http_conn *conn, void *data)
{
	if (http_conn_number(conn) > 1) {
		http_script_hello(conn, NULL);
		return;
	}
	if (!http_conn_read(conn) ||
	    !http_conn_send(conn, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))
		return;
	http_conn_skip(conn, 10);
	if (data)
		http_conn_reset(conn);
}

static void stale_connection_fails_no_request(void **state)
{
	static const char *const methods[] = {"GET", "HEAD", "DELETE", "PUT"};
	struct fixture *f = *state;

	for (size_t i = 0; i < 2 * ARRAY_LEN(methods); i++) {
		start(f, close_when_taken_up, i % 2 ? f : NULL);
		assert_int_equal(perform(f), 0);
		f->request.method = methods[i / 2];
		assert_int_equal(perform(f), 0);
		assert_int_equal(f->response.status, 200);
		assert_true(f->response.sent_before);
		assert_int_equal(http_server_connections(f->server), 2);
		stop(f);
	}
}

static void stale_connection_fails_no_large_put(void **state)
{
	struct fixture *f = *state;
	size_t len = 16 << 20;

	for (int i = 0; i < 2; i++) {
		start(f, close_when_taken_up, i ? f : NULL);
		assert_int_equal(perform(f), 0);
		f->request.method = "PUT";
		buf_reserve(&f->request.body, len);
		memset(f->request.body.data, 'x', len);
		f->request.body.len = len;
		assert_int_equal(perform(f), 0);
		assert_int_equal(f->response.status, 200);
		assert_true(f->response.sent_before);
		assert_int_equal(strlen(strstr(sent(f), "\r\n\r\n") + 4), len);
		assert_int_equal(http_server_connections(f->server), 2);
		stop(f);
	}
}

static void broken_fresh_connection_is_not_tried_again(void **state)
{
	struct fixture *f = *state;

	start_text(f, reply_and_reset, "");
	assert_fails(f, HTTP_E_BROKEN);
	assert_false(f->response.sent_before);
	assert_int_equal(http_server_connections(f->server), 1);
}

/*
 * The first connection answers one request, reads the next whole, and dies, as a server that did
 * what was asked and could not say so. data: what each other connection has to say.
 */
static void lose_an_answer(struct http_conn *conn, void *data)
{
	if (http_conn_number(conn) > 1) {
		reply_once(conn, data);
		return;
	}
	if (http_conn_read(conn) &&
	    http_conn_send(conn, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))
		http_conn_read(conn);
}

static void answer_to_the_second_sending_says_so(void **state)
{
	static const char *const methods[] = {"PUT", "DELETE", "GET", "HEAD", "POST"};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		start_text(f, lose_an_answer, "HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n");
		assert_int_equal(perform(f), 0);
		assert_false(f->response.sent_before);
		f->request.method = methods[i];
		assert_int_equal(perform(f), 0);
		assert_int_equal(f->response.status, 409);
		assert_true(f->response.sent_before);
		assert_int_equal(http_server_requests(f->server), 3);
		stop(f);
	}
}

static void second_sending_that_breaks_says_so(void **state)
{
	struct fixture *f = *state;

	start_text(f, lose_an_answer, "");
	assert_int_equal(perform(f), 0);
	f->request.method = "PUT";
	assert_fails(f, HTTP_E_BROKEN);
	assert_true(f->response.sent_before);
	assert_int_equal(http_server_requests(f->server), 3);
}

static void requests_on_a_kept_connection_are_sent_once(void **state)
{
	struct fixture *f = *state;

	start(f, http_script_hello, NULL);
	for (int i = 0; i < 3; i++) {
		f->request.method = "PUT";
		assert_int_equal(perform(f), 0);
		assert_false(f->response.sent_before);
	}
	assert_int_equal(http_server_connections(f->server), 1);
}

/* An answer that says no while the body is still on its way. */
static void refuse_early(struct http_conn *conn, void *data)
{
	(void)data;
	http_conn_skip(conn, 1000);
	http_conn_send(conn, "HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nnope");
	http_conn_wait_closed(conn);
}

static void early_answer_to_a_large_put_is_heard(void **state)
{
	struct fixture *f = *state;
	size_t len = 16 << 20;

	start(f, refuse_early, NULL);
	f->request.method = "PUT";
	buf_reserve(&f->request.body, len);
	memset(f->request.body.data, 'x', len);
	f->request.body.len = len;
	assert_int_equal(perform(f), 0);
	assert_body(f, 403, "nope");
}

/* TLS */

static void start_tls(struct fixture *f, const char *cert_host)
{
	f->server = http_server_start(
	    &(struct http_server_options){.script = http_script_hello, .cert_host = cert_host});
	make_request(&f->request, "GET", "https", http_server_authority(f->server), "/b/k");
}

/* Writes the server's certificate to a new file and makes it the ca_bundle. */
static void trust(struct fixture *f, char path[32])
{
	strcpy(path, "/tmp/xacctfs-test-XXXXXX");
	close(mkstemp(path));
	http_server_write_cert(f->server, path);
	f->options.ca_bundle = path;
}

static void self_signed_certificate_is_refused(void **state)
{
	struct fixture *f = *state;

	start_tls(f, "127.0.0.1");
	assert_fails(f, HTTP_E_TLS);
	assert_non_null(strstr(f->response.error, "certificate"));
	assert_int_equal(http_server_requests(f->server), 0);
}

static void certificate_of_the_bundle_is_accepted(void **state)
{
	struct fixture *f = *state;
	char path[32];

	start_tls(f, "127.0.0.1");
	trust(f, path);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(perform(f), 0);
		assert_body(f, 200, "hello");
	}
	assert_int_equal(http_server_connections(f->server), 1);
	unlink(path);
}

static void certificate_for_another_host_is_refused(void **state)
{
	struct fixture *f = *state;
	char path[32];

	start_tls(f, "s3.example.com");
	trust(f, path);
	assert_fails(f, HTTP_E_TLS);
	assert_int_equal(http_server_requests(f->server), 0);
	unlink(path);
}

static void plain(struct http_conn *conn, void *data)
{
	(void)data;
	http_conn_skip(conn, 100);
	http_conn_send(conn, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
	http_conn_wait_closed(conn);
}

static void tls_to_a_plain_server_is_a_tls_error(void **state)
{
	struct fixture *f = *state;

	start(f, plain, NULL);
	make_request(&f->request, "GET", "https", http_server_authority(f->server), "/");
	assert_fails(f, HTTP_E_TLS);
}

static void cut(struct http_conn *conn, void *data)
{
	(void)data;
	http_conn_skip(conn, 100);
	http_conn_reset(conn);
}

/* A server that restarts: worth a retry, unlike a bad certificate. */
static void cut_handshake_is_a_connect_error(void **state)
{
	struct fixture *f = *state;

	start(f, cut, NULL);
	make_request(&f->request, "GET", "https", http_server_authority(f->server), "/");
	assert_fails(f, HTTP_E_CONNECT);
}

/* The first connection serves one request and dies in the next; no other gets to a handshake. */
static void die_and_cut_handshakes(struct http_conn *conn, void *data)
{
	if (http_conn_number(conn) > 1)
		cut(conn, data);
	else if (http_conn_start_tls(conn) && http_conn_read(conn) &&
		 http_conn_send(conn, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))
		http_conn_read(conn);
}

/* Worth a retry as well, but this time the server may have done what it was asked. */
static void handshake_cut_after_a_sending_says_so(void **state)
{
	struct fixture *f = *state;
	char path[32];

	f->server = http_server_start(&(struct http_server_options){
	    .script = die_and_cut_handshakes, .cert_host = "127.0.0.1", .plain_first = true});
	trust(f, path);
	make_request(&f->request, "PUT", "https", http_server_authority(f->server), "/");
	assert_int_equal(perform(f), 0);
	assert_fails(f, HTTP_E_CONNECT);
	assert_true(f->response.sent_before);
	assert_int_equal(http_server_connections(f->server), 2);
	unlink(path);
}

static void unreadable_bundle_is_refused(void **state)
{
	struct fixture *f = *state;

	f->options.ca_bundle = "/nonexistent/ca.pem";
	assert_int_equal(http_curl_new(&f->options, &f->transport), -EINVAL);
}

/* Proxies */

static void proxy_variable_is_obeyed(void **state)
{
	static const char *const names[] = {"http_proxy", "HTTP_PROXY"};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char url[64];

		start(f, http_script_hello, NULL);
		snprintf(url, sizeof(url), "http://%s", http_server_authority(f->server));
		setenv(names[i], url, 1);
		make_request(&f->request, "GET", "http", "bucket.invalid", "/b/../k");
		assert_int_equal(perform(f), 0);
		assert_memory_equal(sent(f), "GET http://bucket.invalid/b/../k HTTP/1.1\r\n", 43);
		assert_non_null(strstr(sent(f), "\r\nHost: bucket.invalid\r\n"));
		unsetenv(names[i]);
		http_transport_free(steal(&f->transport));
		http_server_stop(steal(&f->server));
	}
}

static void lower_case_variable_goes_first(void **state)
{
	struct fixture *f = *state;

	start(f, http_script_hello, NULL);
	setenv("HTTP_PROXY", "http://proxy.invalid:1", 1);
	setenv("http_proxy", "", 1);
	assert_int_equal(perform(f), 0);
	assert_memory_equal(sent(f), "GET /b/k HTTP/1.1\r\n", 19);
}

static void no_proxy_is_obeyed(void **state)
{
	static const char *const names[] = {"no_proxy", "NO_PROXY"};
	struct fixture *f = *state;

	start(f, http_script_hello, NULL);
	setenv("HTTP_PROXY", "http://proxy.invalid:1", 1);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		setenv(names[i], "example.com,127.0.0.1", 1);
		assert_int_equal(http_curl_new(&f->options, &f->transport), 0);
		unsetenv(names[i]); /* read once, by http_curl_new() */
		assert_int_equal(perform(f), 0);
		assert_memory_equal(sent(f), "GET /b/k HTTP/1.1\r\n", 19);
		http_transport_free(steal(&f->transport));
	}
}

static void loopback_goes_through_the_proxy_too(void **state)
{
	struct fixture *f = *state;

	start(f, http_script_hello, NULL);
	setenv("http_proxy", "http://proxy.invalid:1", 1);
	assert_fails(f, HTTP_E_PROXY);
	assert_non_null(strstr(f->response.error, "proxy.invalid"));
}

static void all_proxy_is_not_read(void **state)
{
	struct fixture *f = *state;

	start(f, http_script_hello, NULL);
	setenv("ALL_PROXY", "http://proxy.invalid:1", 1);
	setenv("all_proxy", "http://proxy.invalid:1", 1);
	assert_int_equal(perform(f), 0);
	unsetenv("ALL_PROXY");
	unsetenv("all_proxy");
}

static void tunnel(struct http_conn *conn, void *data)
{
	(void)data;
	if (http_conn_read(conn) &&
	    http_conn_send(conn, "HTTP/1.1 200 Tunnel\r\nX-Proxy: 1\r\n\r\n") &&
	    http_conn_start_tls(conn))
		http_script_hello(conn, NULL);
}

static void tunnel_carries_no_token(void **state)
{
	struct fixture *f = *state;
	char path[32];

	f->server = http_server_start(&(struct http_server_options){
	    .script = tunnel, .cert_host = "bucket.invalid", .plain_first = true});
	trust(f, path);
	setenv("HTTPS_PROXY", http_server_authority(f->server), 1);
	make_request(&f->request, "GET", "https", "bucket.invalid", "/k");
	http_headers_add(&f->request.headers, "X-Amz-Security-Token", "TOKEN");
	assert_int_equal(perform(f), 0);
	assert_body(f, 200, "hello");
	assert_null(http_headers_get(&f->response.headers, "X-Proxy"));
	assert_memory_equal(http_server_request(f->server, 0), "CONNECT bucket.invalid:443 ", 27);
	assert_null(strstr(http_server_request(f->server, 0), "TOKEN"));
	assert_non_null(strstr(http_server_request(f->server, 1), "TOKEN"));
	unlink(path);
}

static void tunnel_refused_is_a_proxy_error(void **state)
{
	struct fixture *f = *state;

	start_text(f, reply, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
	setenv("https_proxy", http_server_authority(f->server), 1);
	make_request(&f->request, "GET", "https", "bucket.invalid", "/k");
	assert_fails(f, HTTP_E_PROXY);
	assert_non_null(strstr(f->response.error, "403"));
}

static void unanswered_tunnel_is_a_connect_timeout(void **state)
{
	struct fixture *f = *state;

	f->options.connect_timeout_ms = 100;
	f->options.stall_timeout_ms = 10;
	start(f, hang, NULL);
	setenv("https_proxy", http_server_authority(f->server), 1);
	make_request(&f->request, "GET", "https", "bucket.invalid", "/k");
	assert_fails(f, HTTP_E_CONNECT_TIMEOUT);
}

static void proxy_password_is_in_no_error(void **state)
{
	struct fixture *f = *state;
	char url[128];

	start(f, http_script_hello, NULL);
	snprintf(url, sizeof(url), "http://user:PASSWORD@%s", http_server_authority(f->server));
	http_server_stop(steal(&f->server));
	setenv("http_proxy", url, 1);
	assert_fails(f, HTTP_E_CONNECT);
	assert_null(strstr(f->response.error, "PASSWORD"));
	assert_non_null(strstr(f->response.error, "Connection refused"));
}

static void version_names_libcurl(void **state)
{
	(void)state;
	assert_memory_equal(http_curl_version(), "libcurl/", 8);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(get_is_sent_to_the_byte),
	    TEST(paths_are_sent_as_they_are),
	    TEST(host_header_is_the_authority),
	    TEST(empty_header_value_is_sent),
	    TEST(put_sends_body_and_length),
	    TEST(put_empty_sends_length_zero),
	    TEST(post_sends_content_type_as_given),
	    TEST(delete_sends_no_length),
	    TEST(put_of_many_bytes_arrives_whole),
	    TEST(payload_goes_out_of_the_callers_memory),
	    TEST(payload_of_no_bytes),
	    TEST(head_has_headers_and_no_body),
	    TEST(headers_are_trimmed_and_kept_in_order),
	    TEST(folded_first_line_is_of_no_other_response),
	    TEST(error_status_is_a_response),
	    TEST(interim_responses_leave_no_trace),
	    TEST(chunked_body_is_joined_and_trailers_left_out),
	    TEST(body_without_length_ends_with_the_connection),
	    TEST(content_encoding_is_left_alone),
	    TEST(redirects_are_not_followed),
	    TEST(truncated_body_is_broken),
	    TEST(cut_chunks_are_broken),
	    TEST(cut_headers_are_broken),
	    TEST(reset_is_broken),
	    TEST(not_http_is_a_protocol_error),
	    TEST(endless_body_is_too_large),
	    TEST(sink_takes_the_body),
	    TEST(sink_is_not_for_errors),
	    TEST(sink_has_what_came_before_the_break),
	    TEST(sink_that_wants_no_more_ends_it),
	    TEST(sink_is_bounded),
	    TEST(sink_may_take_its_time),
	    TEST(announced_length_is_checked_first),
	    TEST(body_of_max_body_is_accepted),
	    TEST(error_document_comes_whole),
	    TEST(endless_headers_are_too_large),
	    TEST(endless_header_line_is_too_large),
	    TEST(endless_interim_responses_are_too_large),
	    TEST(stall_before_the_answer),
	    TEST(stall_in_the_headers),
	    TEST(stall_in_the_body),
	    TEST(stall_while_sending),
	    TEST(slow_drip_is_no_stall),
	    TEST(deadline_ends_the_exchange),
	    TEST(past_deadline_sends_nothing),
	    TEST(cancelled_before_sends_nothing),
	    TEST(cancel_ends_a_hanging_exchange),
	    TEST(transport_serves_on_after_a_cancel),
	    TEST(cancel_ends_a_hanging_resolver),
	    TEST(refused_connection_says_so),
	    TEST(unknown_name_is_a_resolve_error),
	    TEST(overlong_name_is_a_resolve_error),
	    TEST(hanging_resolver_is_a_connect_timeout),
	    TEST(unanswered_connect_is_a_timeout),
	    TEST(unanswered_handshake_is_a_connect_timeout),
	    TEST(requests_in_a_row_share_a_connection),
	    TEST(servers_in_turn_keep_their_connections),
	    TEST(threads_use_no_more_connections_than_they_are),
	    TEST(connection_closed_when_idle_is_replaced),
	    TEST(stale_connection_fails_no_request),
	    TEST(stale_connection_fails_no_large_put),
	    TEST(broken_fresh_connection_is_not_tried_again),
	    TEST(answer_to_the_second_sending_says_so),
	    TEST(second_sending_that_breaks_says_so),
	    TEST(requests_on_a_kept_connection_are_sent_once),
	    TEST(early_answer_to_a_large_put_is_heard),
	    TEST(self_signed_certificate_is_refused),
	    TEST(certificate_of_the_bundle_is_accepted),
	    TEST(certificate_for_another_host_is_refused),
	    TEST(tls_to_a_plain_server_is_a_tls_error),
	    TEST(cut_handshake_is_a_connect_error),
	    TEST(handshake_cut_after_a_sending_says_so),
	    TEST(unreadable_bundle_is_refused),
	    TEST(proxy_variable_is_obeyed),
	    TEST(lower_case_variable_goes_first),
	    TEST(no_proxy_is_obeyed),
	    TEST(loopback_goes_through_the_proxy_too),
	    TEST(all_proxy_is_not_read),
	    TEST(tunnel_carries_no_token),
	    TEST(tunnel_refused_is_a_proxy_error),
	    TEST(unanswered_tunnel_is_a_connect_timeout),
	    TEST(proxy_password_is_in_no_error),
	    TEST(version_names_libcurl),
	};
	int failures;

	clearenv();
	failures = cmocka_run_group_tests(tests, NULL, NULL);
	event_set(&resolver_release);
	return failures;
}
