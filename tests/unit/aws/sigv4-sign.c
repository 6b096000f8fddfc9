/*
 * Signs requests for sigv4-botocore.py. Everything on stdin and stdout is netstrings ("3:abc,").
 *
 * A request: service, region, access key ID, secret, token ("" for none), milliseconds since 1970,
 * payload hash ("" to have it computed), method, authority, path, query, body, the number of
 * headers, then each header's name and value. For each there are three on stdout: the Authorization
 * header, step 1, step 2. Ends with 0 at the end of stdin.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/aws/sigv4.h"
#include "xacctfs/util/cleanup.h"

static void die(const char *what, int r)
{
	fprintf(stderr, "sigv4-sign: %s: %s\n", what, strerror(-r));
	exit(1);
}

/* False at the end of stdin. */
static bool read_netstring(struct buf *b)
{
	size_t len;

	buf_clear(b);
	if (scanf("%zu", &len) != 1)
		return false;
	if (getchar() != ':' || buf_reserve(b, len) < 0 || fread(b->data, 1, len, stdin) != len ||
	    getchar() != ',')
		die("stdin", -EBADMSG);
	b->len = len;
	b->data[len] = '\0';
	return true;
}

static char *read_text(void)
{
	struct buf b = BUF_INIT;

	if (!read_netstring(&b))
		die("stdin", -EBADMSG);
	return buf_steal(&b);
}

static int64_t read_number(void)
{
	_cleanup_(freep) char *text = read_text();

	return strtoll(text, NULL, 10);
}

static void write_netstring(const char *text)
{
	printf("%zu:%s,", strlen(text), text);
}

/* One credentials value as long as the key stays the same, so that its key cache is at work. */
static struct credentials *credentials_of(const char *id, const char *secret, const char *token)
{
	static struct credentials *last;

	if (!last || strcmp(last->access_key_id, id) != 0 ||
	    strcmp(last->secret_access_key, secret) != 0 ||
	    strcmp(last->session_token ? last->session_token : "", token) != 0) {
		int r;

		credentials_unref(steal(&last));
		r = credentials_new(id, secret, token[0] ? token : NULL, CLOCK_NEVER, &last);
		if (r < 0)
			die("credentials", r);
	}
	return last;
}

static void read_headers(struct http_headers *headers)
{
	for (int64_t n = read_number(); n > 0; n--) {
		_cleanup_(freep) char *name = read_text();
		_cleanup_(freep) char *value = read_text();
		int r = http_headers_add(headers, name, value);

		if (r < 0)
			die(name, r);
	}
}

static void sign(struct http_request *request, const struct sigv4_params *params)
{
	_cleanup_(freep) char *one = NULL, *two = NULL;
	int r = sigv4_sign(request, params);

	if (r == 0)
		r = sigv4_canonical_request(request, params, &one);
	if (r == 0)
		r = sigv4_string_to_sign(request, params, &two);
	if (r < 0)
		die(request->path, r);
	write_netstring(http_headers_get(&request->headers, "Authorization"));
	write_netstring(one);
	write_netstring(two);
}

/* service: the request's first netstring. */
static void sign_next(const char *service)
{
	_cleanup_(freep) char *region = read_text();
	_cleanup_(freep) char *id = read_text(), *secret = read_text(), *token = read_text();
	int64_t now_ms = read_number();
	_cleanup_(freep) char *payload_hash = read_text(), *method = read_text();
	_cleanup_(http_request_deinit) struct http_request request = {.method = method};
	struct sigv4_params params = {
	    .credentials = credentials_of(id, secret, token),
	    .region = region,
	    .service = service,
	    .now_ms = now_ms,
	    .payload_hash = payload_hash[0] ? payload_hash : NULL,
	};

	request.authority = read_text();
	request.path = read_text();
	request.query = read_text();
	if (!read_netstring(&request.body))
		die("stdin", -EBADMSG);
	read_headers(&request.headers);
	sign(&request, &params);
}

int main(void)
{
	_cleanup_(buf_deinit) struct buf service = BUF_INIT;

	while (read_netstring(&service))
		sign_next(service.data);
	credentials_unref(credentials_of("", "", ""));
	return ferror(stdin) || fflush(stdout) ? 1 : 0;
}
