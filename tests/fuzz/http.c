/* All that a server sends on a connection, status line and headers included. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "http_server.h"
#include "xacctfs/http/transport.h"
#include "xacctfs/util/cleanup.h"

#define BODY_MAX 2000
/* a server keeps a thread for each connection that it has had */
#define INPUTS_OF_A_SERVER 64

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct fuzz_rest input; /* lock */
static struct http_server *server;
static struct http_transport *transport;

static void send_input(struct http_conn *conn, void *data)
{
	(void)data;
	if (!http_conn_read(conn))
		return;
	pthread_mutex_lock(&lock);
	http_conn_send_bytes(conn, input.data, input.size);
	pthread_mutex_unlock(&lock);
}

static int sink(void *data, const struct http_response *response, const void *bytes, size_t n)
{
	uint64_t *sunk = data;

	MUST(bytes && n > 0 && response->status / 100 == 2 && response->sunk == *sunk + n);
	*sunk += n;
	return 0;
}

static void check(int r, const struct http_response *response, uint64_t sunk)
{
	MUST(r >= 0 && r <= HTTP_E_SINK);
	MUST(memchr(response->error, '\0', sizeof(response->error)));
	MUST(response->sunk == sunk && sunk <= BODY_MAX);
	if (r != 0) {
		MUST(response->error[0]);
		return;
	}
	MUST(response->status >= 200 && response->status <= 599);
	for (size_t i = 0; i < response->headers.n; i++)
		MUST(response->headers.v[i].name[0] &&
		     !strpbrk(response->headers.v[i].value, "\r\n"));
}

static void stop(void)
{
	http_transport_free(steal(&transport));
	http_server_stop(steal(&server));
}

static void start(void)
{
	static bool first = true;
	static unsigned int inputs;

	if (inputs++ % INPUTS_OF_A_SERVER != 0)
		return;
	stop();
	server = http_server_start(&(struct http_server_options){.script = send_input});
	MUST(http_curl_new(&(struct http_curl_options){.connect_timeout_ms = 60000,
						       .stall_timeout_ms = 60000,
						       .user_agent = "fuzz"},
			   &transport) == 0);
	if (first)
		MUST(atexit(stop) == 0);
	first = false;
}

static void perform(const char *method, bool with_sink)
{
	_cleanup_(http_request_deinit) struct http_request request = {.method = method};
	_cleanup_(http_response_deinit) struct http_response response = {0};
	uint64_t sunk = 0;
	struct call call;
	int r;

	start();
	request.scheme = fuzz_have(strdup("http"));
	request.authority = fuzz_have(strdup(http_server_authority(server)));
	request.path = fuzz_have(strdup("/"));
	if (with_sink) {
		request.sink = sink;
		request.sink_data = &sunk;
	}
	call_init(&call, NULL, clock_system(), CLOCK_NEVER);
	r = transport->perform(transport, &call, &request, BODY_MAX, &response);
	check(r, &response, sunk);
	call_deinit(&call);
}

static void set_input(const uint8_t *data, size_t size)
{
	pthread_mutex_lock(&lock);
	input = (struct fuzz_rest){data, size};
	pthread_mutex_unlock(&lock);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	set_input(data, size);
	perform("GET", size % 2);
	/* the server may still be about to send it on a connection that was given up */
	set_input(NULL, 0);
	return 0;
}
