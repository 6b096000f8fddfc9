#include "script_transport.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <utlist.h>

#include "xacctfs/util/cleanup.h"

#define PATIENCE_S 300
#define SINK_PIECE 1000

struct script_step {
	struct script_step *prev, *next;
	bool hangs;
	bool sent_before;
	bool cut; /* the body ends short */
	int error, os_errno;
	int status;
	char *headers, *body;
	size_t len;
};

/* A test that has no memory has no result either. */
static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

static void free_step(struct script_step *step)
{
	free(step->headers);
	free(step->body);
	free(step);
}

DEFINE_CLEANUP_PTR(struct script_step, free_step, free_stepp)

static void add_headers(struct http_headers *headers, const char *text)
{
	_cleanup_(freep) char *copy = must(strdup(text));
	char *save = NULL;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *colon = must(strchr(line, ':'));

		*colon = '\0';
		if (http_headers_add(headers, line, colon + 1 + strspn(colon + 1, " ")) != 0)
			abort();
	}
}

static int respond(struct http_response *response, int status, const char *headers,
		   const char *body, size_t len)
{
	response->status = status;
	add_headers(&response->headers, headers);
	return buf_add(&response->body, body, len);
}

int script_respond(struct http_response *ret_response, int status, const char *headers,
		   const char *body)
{
	return respond(ret_response, status, headers, body, strlen(body));
}

/* ---- the transport ---- */

static char *copy_of(const char *text)
{
	return text ? must(strdup(text)) : NULL;
}

static struct script_request *copy_request(struct call *call, const struct http_request *request)
{
	struct script_request *copy = must(calloc(1, sizeof(*copy)));
	const void *body;
	size_t len;

	copy->boot_ms = call->clock->boot_ms(call->clock);
	copy->http.method = request->method;
	copy->http.scheme = copy_of(request->scheme);
	copy->http.authority = copy_of(request->authority);
	copy->http.path = copy_of(request->path);
	copy->http.query = copy_of(request->query);
	for (size_t i = 0; i < request->headers.n; i++)
		if (http_headers_add(&copy->http.headers, request->headers.v[i].name,
				     request->headers.v[i].value) != 0)
			abort();
	body = http_request_body(request, &len);
	if (buf_add(&copy->http.body, body, len) != 0)
		abort();
	return copy;
}

static void note_locked(struct script *script, struct script_request *request)
{
	size_t size = (script->n_asked + 1) * sizeof(struct script_request *);

	script->asked = must(realloc(script->asked, size));
	script->asked[script->n_asked++] = request;
	script->under_way++;
	pthread_cond_broadcast(&script->changed);
}

static void wake(void *data)
{
	struct script *script = data;

	pthread_mutex_lock(&script->lock);
	pthread_cond_broadcast(&script->changed);
	pthread_mutex_unlock(&script->lock);
}

/* Waits while the test holds requests; for ever with `hangs`. 0, or as call_check. */
static int wait_for_test(struct script *script, struct call *call, bool hangs)
{
	struct call_watch watch;
	int r;

	call_watch(call, &watch, wake, script);
	pthread_mutex_lock(&script->lock);
	for (;;) {
		/* the call's lock comes before this one */
		pthread_mutex_unlock(&script->lock);
		r = call_check(call);
		pthread_mutex_lock(&script->lock);
		if (r < 0 || !(hangs || script->holding))
			break;
		call->clock->wait(call->clock, &script->changed, &script->lock, call->deadline_ms);
	}
	pthread_mutex_unlock(&script->lock);
	call_unwatch(call, &watch);
	return r;
}

static int play(struct script *script, struct call *call, const struct http_request *request,
		struct http_response *response)
{
	_cleanup_(free_stepp) struct script_step *step = NULL;
	script_fn *fn;
	void *data;

	pthread_mutex_lock(&script->lock);
	step = script->steps;
	if (step)
		DL_DELETE(script->steps, step);
	fn = script->fn;
	data = script->data;
	pthread_mutex_unlock(&script->lock);
	if (!step && fn)
		return fn(data, call, request, response);
	if (!step) {
		snprintf(response->error, sizeof(response->error), "the script has ended");
		return HTTP_E_PROTOCOL;
	}
	response->sent_before = step->sent_before;
	if (step->hangs)
		return wait_for_test(script, call, true);
	if (step->error) {
		snprintf(response->error, sizeof(response->error), "scripted failure %d",
			 step->error);
		response->os_errno = step->os_errno;
		return step->error;
	}
	respond(response, step->status, step->headers, step->body, step->len);
	if (step->cut)
		snprintf(response->error, sizeof(response->error), "scripted cut");
	return step->cut ? HTTP_E_BROKEN : 0;
}

/* The body of a 2xx answer goes to the sink in pieces. */
static int sink_body(const struct http_request *request, struct http_response *response,
		     size_t max_body)
{
	struct buf body = response->body;
	int r = 0;

	response->body = (struct buf)BUF_INIT;
	for (size_t n; r == 0 && response->sunk < body.len; response->sunk += n) {
		n = body.len - (size_t)response->sunk;
		n = n > SINK_PIECE ? SINK_PIECE : n;
		if (response->sunk + n > max_body)
			r = HTTP_E_TOO_LARGE;
		else if (request->sink(request->sink_data, response, body.data + response->sunk, n))
			r = HTTP_E_SINK;
	}
	buf_deinit(&body);
	return r;
}

static int perform(struct http_transport *transport, struct call *call,
		   const struct http_request *request, size_t max_body,
		   struct http_response *ret_response)
{
	struct script *script = (struct script *)transport;
	int r = call_check(call);

	if (r < 0)
		return r;
	pthread_mutex_lock(&script->lock);
	note_locked(script, copy_request(call, request));
	pthread_mutex_unlock(&script->lock);

	r = wait_for_test(script, call, false);
	if (r == 0)
		r = play(script, call, request, ret_response);
	if (r >= 0 && request->sink && ret_response->status / 100 == 2) {
		int sunk = sink_body(request, ret_response, max_body);

		r = sunk ? sunk : r;
	}
	if (r == 0 && ret_response->body.len > max_body)
		r = HTTP_E_TOO_LARGE;

	pthread_mutex_lock(&script->lock);
	script->under_way--;
	pthread_cond_broadcast(&script->changed);
	pthread_mutex_unlock(&script->lock);
	return r;
}

/* ---- the test's side ---- */

void script_init(struct script *script)
{
	*script = (struct script){.transport = {.perform = perform}};
	pthread_mutex_init(&script->lock, NULL);
	if (clock_cond_init(&script->changed) < 0)
		abort();
}

void script_deinit(struct script *script)
{
	struct script_step *step, *next;

	DL_FOREACH_SAFE (script->steps, step, next)
		free_step(step);
	for (size_t i = 0; i < script->n_asked; i++) {
		http_request_deinit(&script->asked[i]->http);
		free(script->asked[i]);
	}
	free(script->asked);
	pthread_cond_destroy(&script->changed);
	pthread_mutex_destroy(&script->lock);
}

static void append(struct script *script, const struct script_step *step)
{
	struct script_step *copy = must(malloc(sizeof(*copy)));

	*copy = *step;
	pthread_mutex_lock(&script->lock);
	DL_APPEND(script->steps, copy);
	pthread_mutex_unlock(&script->lock);
}

void script_answer_bytes(struct script *script, int status, const char *headers, const char *body,
			 size_t len)
{
	struct script_step step = {
	    .status = status,
	    .headers = must(strdup(headers)),
	    .body = must(malloc(len + 1)),
	    .len = len,
	};

	memcpy(step.body, body, len);
	append(script, &step);
}

void script_answer(struct script *script, int status, const char *headers, const char *body)
{
	script_answer_bytes(script, status, headers, body, strlen(body));
}

void script_fail(struct script *script, int error, int os_errno)
{
	append(script, &(struct script_step){.error = error, .os_errno = os_errno});
}

void script_cut_bytes(struct script *script, int status, const char *headers, const char *body,
		      size_t len)
{
	script_answer_bytes(script, status, headers, body, len);
	pthread_mutex_lock(&script->lock);
	script->steps->prev->cut = true;
	pthread_mutex_unlock(&script->lock);
}

void script_hang(struct script *script)
{
	append(script, &(struct script_step){.hangs = true});
}

void script_sent_before(struct script *script)
{
	pthread_mutex_lock(&script->lock);
	must(script->steps);
	script->steps->prev->sent_before = true; /* utlist: the head's prev is the tail */
	pthread_mutex_unlock(&script->lock);
}

void script_callback(struct script *script, script_fn *fn, void *data)
{
	pthread_mutex_lock(&script->lock);
	script->fn = fn;
	script->data = data;
	pthread_mutex_unlock(&script->lock);
}

static void set_holding(struct script *script, bool holding)
{
	pthread_mutex_lock(&script->lock);
	script->holding = holding;
	pthread_cond_broadcast(&script->changed);
	pthread_mutex_unlock(&script->lock);
}

void script_hold(struct script *script)
{
	set_holding(script, true);
}

void script_release(struct script *script)
{
	set_holding(script, false);
}

size_t script_count(struct script *script)
{
	size_t n;

	pthread_mutex_lock(&script->lock);
	n = script->n_asked;
	pthread_mutex_unlock(&script->lock);
	return n;
}

const struct script_request *script_request(struct script *script, size_t i)
{
	const struct script_request *request;

	pthread_mutex_lock(&script->lock);
	request = i < script->n_asked ? script->asked[i] : NULL;
	pthread_mutex_unlock(&script->lock);
	return request;
}

static bool wait_for(struct script *script, size_t n, bool answered)
{
	struct timespec ts;
	bool done;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&script->lock);
	while (!(done = script->n_asked >= n && !(answered && script->under_way > 0)) && r == 0)
		r = pthread_cond_timedwait(&script->changed, &script->lock, &ts);
	pthread_mutex_unlock(&script->lock);
	return done;
}

bool script_wait_answered(struct script *script, size_t n)
{
	return wait_for(script, n, true);
}

bool script_wait_asked(struct script *script, size_t n)
{
	return wait_for(script, n, false);
}

size_t script_left(struct script *script)
{
	struct script_step *step;
	size_t n;

	pthread_mutex_lock(&script->lock);
	DL_COUNT(script->steps, step, n);
	pthread_mutex_unlock(&script->lock);
	return n;
}
