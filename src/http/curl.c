/*
 * One exchange: a slot is taken, its easy handle set up from the request, and run in the caller's
 * own thread until it is done, cancelled (another thread then wakes the poll), stalled, or late.
 */
#include "xacctfs/http/transport.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy.h"
#include "slots.h"
#include "xacctfs/util/cleanup.h"

#define HEADERS_MAX    (64 * 1024)
#define ERROR_BODY_MAX (64 * 1024)
#define POLL_MAX_MS    1000 /* poll() does not count the time that the machine slept */
#define BUFFER_BYTES   (128 * 1024L)

struct transport {
	struct http_transport base;
	int64_t connect_timeout_ms;
	int64_t stall_timeout_ms;
	char *ca_file; /* at most one of these two; */
	char *ca_dir;  /* neither: what libcurl was built with */
	char *user_agent;
	struct proxy_env proxies;
	struct slots slots;
};

enum phase {
	PHASE_STATUS,  /* a status line is to come: the first, or one after a 1xx response */
	PHASE_HEADERS, /* of the response that it began */
	PHASE_BODY,    /* the final response's headers are complete */
};

struct exchange {
	struct transport *transport;
	struct call *call;
	const struct http_request *request;
	struct http_response *response;
	struct slot *slot;
	size_t max_body;
	struct buf url;
	struct buf header_text;         /* the request's header lines, each with its NUL */
	struct curl_slist *header_list; /* one array, of lines in header_text */
	bool connected;                 /* the connection stands and the request is going out */
	unsigned int sendings;          /* how often it began to go out; libcurl's own retry too */
	enum phase phase;
	size_t header_bytes; /* of all responses, status lines and trailers included */
	int64_t active_ms;   /* boot time when a byte last moved */
	int refusal;         /* HTTP_E_* or -ENOMEM, when a callback ended the transfer */
	char curl_text[CURL_ERROR_SIZE];
};

static int64_t boot_ms(struct exchange *x)
{
	return x->call->clock->boot_ms(x->call->clock);
}

static void explain(struct exchange *x, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void explain(struct exchange *x, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(x->response->error, sizeof(x->response->error), format, args);
	va_end(args);
}

/* Callbacks: the response as it comes */

static size_t refuse(struct exchange *x, int refusal, const char *what, size_t limit)
{
	x->refusal = refusal;
	explain(x, "%s: the %s of the response exceed %zu bytes", x->request->authority, what,
		limit);
	return 0;
}

static long response_status(struct exchange *x)
{
	long status = 0;

	curl_easy_getinfo(x->slot->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static size_t on_header(char *line, size_t one, size_t len, void *user)
{
	struct exchange *x = user;

	(void)one;
	x->header_bytes += len;
	if (x->header_bytes > HEADERS_MAX)
		return refuse(x, HTTP_E_TOO_LARGE, "headers", HEADERS_MAX);
	switch (x->phase) {
	case PHASE_STATUS:
		http_headers_deinit(&x->response->headers);
		x->phase = PHASE_HEADERS;
		break;
	case PHASE_HEADERS:
		if (line[0] == '\r' || line[0] == '\n') {
			x->phase = response_status(x) < 200 ? PHASE_STATUS : PHASE_BODY;
		} else if (http_headers_add_line(&x->response->headers, line, len) < 0) {
			x->refusal = -ENOMEM;
			return 0;
		}
		break;
	case PHASE_BODY: /* a trailer */
		break;
	}
	return len;
}

static size_t body_limit(struct exchange *x)
{
	if (response_status(x) / 100 != 2 && x->max_body < ERROR_BODY_MAX)
		return ERROR_BODY_MAX;
	return x->max_body;
}

/* The sink may take its time, which is not the server's. */
static size_t sink_body(struct exchange *x, const char *data, size_t len)
{
	struct http_response *response = x->response;

	if (len > x->max_body - response->sunk)
		return refuse(x, HTTP_E_TOO_LARGE, "contents", x->max_body);
	response->status = (int)response_status(x);
	response->sunk += len;
	if (x->request->sink(x->request->sink_data, response, data, len) != 0) {
		x->refusal = HTTP_E_SINK;
		explain(x, "%s: the rest of the response was not wanted", x->request->authority);
		return 0;
	}
	x->active_ms = boot_ms(x);
	return len;
}

static size_t on_body(char *data, size_t one, size_t len, void *user)
{
	struct exchange *x = user;
	struct buf *body = &x->response->body;
	size_t limit = body_limit(x);
	curl_off_t announced = -1;

	(void)one;
	if (x->request->sink && response_status(x) / 100 == 2)
		return sink_body(x, data, len);
	if (body->len == 0)
		curl_easy_getinfo(x->slot->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
	if (len > limit - body->len || (announced > 0 && (uint64_t)announced > limit))
		return refuse(x, HTTP_E_TOO_LARGE, "contents", limit);
	if ((announced > 0 && buf_reserve(body, (size_t)announced) < 0) ||
	    buf_add(body, data, len) < 0) {
		x->refusal = -ENOMEM;
		return 0;
	}
	return len;
}

static int on_connected(void *user, char *remote_ip, char *local_ip, int remote_port,
			int local_port)
{
	struct exchange *x = user;

	(void)remote_ip;
	(void)local_ip;
	(void)remote_port;
	(void)local_port;
	x->connected = true;
	x->sendings++;
	x->active_ms = boot_ms(x);
	return CURL_PREREQFUNC_OK;
}

/* Set-up: the request as libcurl wants it */

static int add_line(struct buf *text, const char *name, const char *value)
{
	/* libcurl: "Name;" is a header without a value, "Name:" one that is not to be sent */
	int r = value[strspn(value, " \t")] ? buf_printf(text, "%s: %s", name, value)
					    : buf_printf(text, "%s;", name);

	return r < 0 ? r : buf_add_char(text, '\0');
}

static int write_header_lines(struct exchange *x, size_t *ret_n)
{
	/* what libcurl would add of itself, and what SigV4 might then not have signed */
	static const char *const unwanted[] = {"Accept", "Content-Type", "Expect"};
	const struct http_headers *headers = &x->request->headers;
	int r = add_line(&x->header_text, "Host", x->request->authority);
	size_t n = 1;

	for (size_t i = 0; r == 0 && i < headers->n; i++, n++)
		r = add_line(&x->header_text, headers->v[i].name, headers->v[i].value);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(unwanted); i++) {
		if (http_headers_get(headers, unwanted[i]))
			continue;
		r = buf_printf(&x->header_text, "%s:", unwanted[i]);
		if (r == 0)
			r = buf_add_char(&x->header_text, '\0');
		n++;
	}
	*ret_n = n;
	return r;
}

/* Not curl_slist_append(), whose copies of a session token could not be overwritten. */
static int build_headers(struct exchange *x)
{
	char *line;
	size_t n;
	int r;

	r = write_header_lines(x, &n);
	if (r < 0)
		return r;
	x->header_list = calloc(n, sizeof(*x->header_list));
	if (!x->header_list)
		return -ENOMEM;
	line = x->header_text.data;
	for (size_t i = 0; i < n; i++, line += strlen(line) + 1)
		x->header_list[i] = (struct curl_slist){
		    .data = line, .next = i + 1 < n ? &x->header_list[i + 1] : NULL};
	return 0;
}

static int build_url(struct exchange *x)
{
	const struct http_request *q = x->request;
	const char *mark = q->query && q->query[0] ? "?" : "";

	return buf_printf(&x->url, "%s://%s%s%s%s", q->scheme, q->authority, q->path, mark,
			  q->query ? q->query : "");
}

#define SET(option, value)                                                                         \
	do {                                                                                       \
		CURLcode code_ = curl_easy_setopt(easy, option, value);                            \
		if (code_ != CURLE_OK)                                                             \
			return code_;                                                              \
	} while (0)

static CURLcode set_body(struct exchange *x, CURL *easy)
{
	const struct http_request *q = x->request;
	const void *body;
	size_t len;

	if (!strcmp(q->method, "HEAD")) {
		SET(CURLOPT_NOBODY, 1L);
		return CURLE_OK;
	}
	body = http_request_body(q, &len);
	if (len || !strcmp(q->method, "PUT") || !strcmp(q->method, "POST")) {
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
		SET(CURLOPT_POSTFIELDS, body);
	}
	SET(CURLOPT_CUSTOMREQUEST, q->method);
	return CURLE_OK;
}

static CURLcode set_request(struct exchange *x, CURL *easy)
{
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_URL, x->url.data);
	SET(CURLOPT_PATH_AS_IS, 1L);
	SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_HTTPHEADER, x->header_list);
	if (!http_headers_get(&x->request->headers, "User-Agent"))
		SET(CURLOPT_USERAGENT, x->transport->user_agent);
	return set_body(x, easy);
}

static CURLcode set_response(struct exchange *x, CURL *easy)
{
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, x);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, x);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_ERRORBUFFER, x->curl_text);
	return CURLE_OK;
}

static CURLcode set_connection(struct exchange *x, CURL *easy)
{
	const struct transport *t = x->transport;

	SET(CURLOPT_NOSIGNAL, 1L);
	/* or giving up while a name is resolved would wait for the resolver */
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)t->connect_timeout_ms);
	SET(CURLOPT_TCP_NODELAY, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_BUFFERSIZE, BUFFER_BYTES);
	SET(CURLOPT_UPLOAD_BUFFERSIZE, BUFFER_BYTES);
	SET(CURLOPT_PREREQFUNCTION, on_connected);
	SET(CURLOPT_PREREQDATA, x);
	/* both set, even if empty, so that libcurl does not read the environment by its own rules
	 */
	SET(CURLOPT_PROXY, proxy_env_for(&t->proxies, x->request->scheme));
	SET(CURLOPT_NOPROXY, t->proxies.none);
	/* a proxy's CONNECT must not carry the session token */
	SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	return CURLE_OK;
}

static CURLcode set_tls(struct exchange *x, CURL *easy)
{
	const struct transport *t = x->transport;

	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	if (!t->ca_file && !t->ca_dir)
		return CURLE_OK;
	SET(CURLOPT_CAINFO, t->ca_file);
	SET(CURLOPT_PROXY_CAINFO, t->ca_file);
	SET(CURLOPT_CAPATH, t->ca_dir);
	SET(CURLOPT_PROXY_CAPATH, t->ca_dir);
	return CURLE_OK;
}

static int exchange_setup(struct exchange *x)
{
	CURL *easy = x->slot->easy;
	CURLcode code;

	if (build_url(x) < 0 || build_headers(x) < 0)
		return -ENOMEM;
	code = set_request(x, easy);
	if (!code)
		code = set_response(x, easy);
	if (!code)
		code = set_connection(x, easy);
	if (!code)
		code = set_tls(x, easy);
	return code ? -ENOMEM : 0;
}

/* The run */

static void wake(void *data)
{
	curl_multi_wakeup((CURLM *)data);
}

/* How long to poll, or why not to. */
static int patience(struct exchange *x, int *ret_ms)
{
	int64_t stall_ms = x->transport->stall_timeout_ms;
	int64_t left_ms = call_remaining_ms(x->call);
	int r = call_check(x->call);

	if (r < 0) {
		explain(x, "%s: %s", x->request->authority,
			r == -EINTR ? "interrupted" : "not done in the time that the call had");
		return r;
	}
	if (x->connected) {
		int64_t quiet_ms = boot_ms(x) - x->active_ms;

		if (quiet_ms >= stall_ms) {
			explain(x, "%s: not a byte for %lld ms", x->request->authority,
				(long long)quiet_ms);
			return HTTP_E_STALL;
		}
		if (left_ms > stall_ms - quiet_ms)
			left_ms = stall_ms - quiet_ms;
	}
	*ret_ms = left_ms < POLL_MAX_MS ? (int)left_ms : POLL_MAX_MS;
	return 0;
}

/* Until libcurl is done: 0, or why we gave up. */
static int drive(struct exchange *x)
{
	for (;;) {
		int running, ready, poll_ms, r;

		if (curl_multi_perform(x->slot->multi, &running))
			return -ENOMEM;
		if (!running)
			return 0;
		r = patience(x, &poll_ms);
		if (r != 0)
			return r;
		if (curl_multi_poll(x->slot->multi, NULL, 0, poll_ms, &ready))
			return -ENOMEM;
		if (ready)
			x->active_ms = boot_ms(x);
	}
}

static CURLcode result_of(CURLM *multi)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(multi, &left)))
		if (msg->msg == CURLMSG_DONE)
			return msg->data.result;
	return CURLE_FAILED_INIT;
}

/* 0 with libcurl's result, or why we gave up. */
static int run(struct exchange *x, CURLcode *ret_code)
{
	CURLM *multi = x->slot->multi;
	struct call_watch watch;
	int r;

	if (curl_multi_add_handle(multi, x->slot->easy))
		return -ENOMEM;
	call_watch(x->call, &watch, wake, multi);
	r = drive(x);
	call_unwatch(x->call, &watch);
	if (r == 0)
		*ret_code = result_of(multi);
	curl_multi_remove_handle(multi, x->slot->easy);
	return r;
}

/*
 * A kept connection may die just as it is taken up again. libcurl then tries a new one by itself,
 * unless it was in the middle of sending a large body.
 */
static bool was_stale(struct exchange *x, CURLcode code)
{
	long connects = 1;

	if (code != CURLE_SEND_ERROR && code != CURLE_RECV_ERROR && code != CURLE_GOT_NOTHING)
		return false;
	curl_easy_getinfo(x->slot->easy, CURLINFO_NUM_CONNECTS, &connects);
	return connects == 0 && x->header_bytes == 0 && strcmp(x->request->method, "POST") != 0;
}

static int run_fresh_if_stale(struct exchange *x, CURLcode *ret_code)
{
	int r = run(x, ret_code);

	if (r != 0 || !was_stale(x, *ret_code))
		return r;
	if (curl_easy_setopt(x->slot->easy, CURLOPT_FRESH_CONNECT, 1L))
		return -ENOMEM;
	x->connected = false;
	x->curl_text[0] = '\0';
	return run(x, ret_code);
}

/* The outcome */

/* What is not here is a connection that broke. */
static const struct {
	CURLcode code;
	int error;
} errors[] = {
    {CURLE_COULDNT_RESOLVE_HOST, HTTP_E_RESOLVE},
    {CURLE_URL_MALFORMAT, HTTP_E_RESOLVE}, /* a host name too long, say */
    {CURLE_COULDNT_RESOLVE_PROXY, HTTP_E_PROXY},
    {CURLE_PROXY, HTTP_E_PROXY},
    {CURLE_COULDNT_CONNECT, HTTP_E_CONNECT},
    {CURLE_OPERATION_TIMEDOUT, HTTP_E_CONNECT_TIMEOUT}, /* the only time-out left to libcurl */
    {CURLE_SSL_CONNECT_ERROR, HTTP_E_TLS},
    {CURLE_PEER_FAILED_VERIFICATION, HTTP_E_TLS},
    {CURLE_SSL_CACERT_BADFILE, HTTP_E_TLS},
    {CURLE_SSL_CERTPROBLEM, HTTP_E_TLS},
    {CURLE_SSL_CIPHER, HTTP_E_TLS},
    {CURLE_SSL_ISSUER_ERROR, HTTP_E_TLS},
    {CURLE_UNSUPPORTED_PROTOCOL, HTTP_E_PROTOCOL},
    {CURLE_WEIRD_SERVER_REPLY, HTTP_E_PROTOCOL},
    {CURLE_OUT_OF_MEMORY, -ENOMEM},
    {CURLE_FAILED_INIT, -ENOMEM},
};

static int from_table(CURLcode code)
{
	for (size_t i = 0; i < ARRAY_LEN(errors); i++)
		if (errors[i].code == code)
			return errors[i].error;
	return HTTP_E_BROKEN;
}

/* The handshake was cut, rather than refused: a server that restarts does so. */
static bool handshake_cut(struct exchange *x)
{
	return strstr(x->curl_text, "SSL_ERROR_SYSCALL") ||
	       strstr(x->curl_text, "Connection reset") || strstr(x->curl_text, "unexpected eof");
}

static int classify(struct exchange *x, CURLcode code)
{
	long proxy_status = 0;
	int error = from_table(code);

	if (x->refusal)
		return x->refusal;
	/* before 8.6, libcurl's answer to a header line longer than 100 KiB */
	if (code == CURLE_OUT_OF_MEMORY && x->connected && x->phase != PHASE_BODY)
		return HTTP_E_TOO_LARGE;
#if LIBCURL_VERSION_NUM >= 0x080600
	if (code == CURLE_TOO_LARGE)
		return HTTP_E_TOO_LARGE;
#endif
	/* the connection may be a second one, though libcurl does not tell */
	if (error == HTTP_E_TLS && handshake_cut(x))
		return HTTP_E_CONNECT;
	if (x->connected)
		return error;
	curl_easy_getinfo(x->slot->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
	if (error == HTTP_E_BROKEN)
		return proxy_status ? HTTP_E_PROXY : HTTP_E_CONNECT;
	return error;
}

static void explain_failure(struct exchange *x, CURLcode code)
{
	const char *what = x->curl_text[0] ? x->curl_text : curl_easy_strerror(code);
	long os_error = 0;
	char text[128];

	if (x->response->error[0])
		return;
	curl_easy_getinfo(x->slot->easy, CURLINFO_OS_ERRNO, &os_error);
	if (code == CURLE_COULDNT_CONNECT && os_error) {
		const char *reason = strerror_r((int)os_error, text, sizeof(text));

		x->response->os_errno = (int)os_error;
		/* libcurl's words say whether it was the proxy */
		if (proxy_env_for(&x->transport->proxies, x->request->scheme)[0])
			explain(x, "%s: %s (%s)", x->request->authority, what, reason);
		else
			explain(x, "connect to %s: %s", x->request->authority, reason);
	} else {
		explain(x, "%s: %s", x->request->authority, what);
	}
}

static int conclude(struct exchange *x, CURLcode code)
{
	long status = response_status(x);

	if (code != CURLE_OK) {
		int r = classify(x, code);

		if (r == HTTP_E_TOO_LARGE && !x->refusal)
			refuse(x, r, "headers", HEADERS_MAX);
		explain_failure(x, code);
		return r;
	}
	/* libcurl takes a connection closed among the headers for their end */
	if (x->phase != PHASE_BODY) {
		explain(x, "%s: closed the connection before the response was complete",
			x->request->authority);
		return HTTP_E_BROKEN;
	}
	if (status < 200 || status > 599) {
		explain(x, "%s: answered with the status %ld", x->request->authority, status);
		return HTTP_E_PROTOCOL;
	}
	x->response->status = (int)status;
	return 0;
}

/* r: the outcome, which belongs to the last sending, or to a connection that it did not get to. */
static bool sent_before(const struct exchange *x, int r)
{
	switch (r) {
	case HTTP_E_RESOLVE:
	case HTTP_E_CONNECT:
	case HTTP_E_CONNECT_TIMEOUT:
	case HTTP_E_TLS:
	case HTTP_E_PROXY:
		return x->sendings > 0;
	default:
		return x->sendings > 1;
	}
}

static void exchange_deinit(struct exchange *x)
{
	free(x->header_list);
	buf_wipe(&x->header_text);
	buf_deinit(&x->url);
}

static int exchange_run(struct exchange *x)
{
	CURLcode code = CURLE_OK;
	int ignored, r;

	r = patience(x, &ignored);
	if (r != 0)
		return r;
	r = exchange_setup(x);
	if (r < 0)
		return r;
	r = run_fresh_if_stale(x, &code);
	if (r == 0)
		r = conclude(x, code);
	x->response->sent_before = sent_before(x, r);
	return r;
}

static int perform(struct http_transport *base, struct call *call,
		   const struct http_request *request, size_t max_body,
		   struct http_response *ret_response)
{
	struct transport *t = (struct transport *)base;
	_cleanup_(exchange_deinit) struct exchange x = {
	    .transport = t,
	    .call = call,
	    .request = request,
	    .response = ret_response,
	    .max_body = max_body,
	};
	char *origin;
	int r;

	if (asprintf(&origin, "%s://%s", request->scheme, request->authority) < 0)
		return -ENOMEM;
	x.slot = slots_take(&t->slots, origin);
	if (!x.slot) {
		free(origin);
		return -ENOMEM;
	}
	r = exchange_run(&x);
	slots_put(&t->slots, x.slot, origin);
	return r;
}

/* The transport */

static pthread_once_t global_once = PTHREAD_ONCE_INIT;
static CURLcode global_code;
static const char *global_version;

static void global_init(void)
{
	struct sigaction action;

	global_code = curl_global_init(CURL_GLOBAL_DEFAULT);
	global_version = curl_version();
	/* OpenSSL writes to a socket that its peer closed with write() */
	if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL)
		signal(SIGPIPE, SIG_IGN);
}

static void transport_free(struct http_transport *base)
{
	struct transport *t = (struct transport *)base;

	slots_deinit(&t->slots);
	proxy_env_deinit(&t->proxies);
	free(t->ca_file);
	free(t->ca_dir);
	free(t->user_agent);
	free(t);
}

DEFINE_CLEANUP_PTR(struct http_transport, http_transport_free, transport_freep)

static int set_ca(struct transport *t, const char *path)
{
	struct stat st;
	char **member;

	if (stat(path, &st) < 0)
		return -EINVAL;
	member = S_ISDIR(st.st_mode) ? &t->ca_dir : &t->ca_file;
	if (access(path, S_ISDIR(st.st_mode) ? R_OK | X_OK : R_OK) < 0)
		return -EINVAL;
	*member = strdup(path);
	return *member ? 0 : -ENOMEM;
}

/* Debian's libcurl knows a file and a directory with the same certificates. With a directory it
 * reads them all anew for each connection; with a file alone it keeps them (since 7.87). */
static int set_system_ca(struct transport *t)
{
	const char *file = curl_version_info(CURLVERSION_NOW)->cainfo;

	if (!file || access(file, R_OK) < 0)
		return 0;
	return set_ca(t, file);
}

int http_curl_new(const struct http_curl_options *options, struct http_transport **ret_transport)
{
	struct transport *t;
	_cleanup_(transport_freep) struct http_transport *owner = NULL;
	int r;

	pthread_once(&global_once, global_init);
	if (global_code != CURLE_OK)
		return -ENOMEM;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->base = (struct http_transport){.perform = perform, .free = transport_free};
	owner = &t->base;
	t->connect_timeout_ms = options->connect_timeout_ms;
	t->stall_timeout_ms = options->stall_timeout_ms;
	t->user_agent = strdup(options->user_agent);
	if (!t->user_agent)
		return -ENOMEM;
	r = options->ca_bundle ? set_ca(t, options->ca_bundle) : set_system_ca(t);
	if (r < 0)
		return r;
	r = proxy_env_init(&t->proxies);
	if (r < 0)
		return r;
	r = slots_init(&t->slots);
	if (r < 0)
		return r;
	*ret_transport = steal(&owner);
	return 0;
}

const char *http_curl_version(void)
{
	pthread_once(&global_once, global_init);
	return global_version;
}

void http_transport_free(struct http_transport *transport)
{
	if (transport)
		transport->free(transport);
}
