#include "http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "xacctfs/util/buf.h"

struct http_conn {
	struct http_server *server;
	struct http_conn *next; /* server->lock */
	pthread_t thread;
	size_t number;
	int fd;
	SSL *ssl;      /* NULL in plain text */
	struct buf in; /* read, but not yet taken */
	size_t taken;  /* bytes of in, from its begin */
};

struct http_server {
	struct http_server_options options;
	int fd;
	int port;
	char authority[32];
	pthread_t thread;
	X509 *cert;
	SSL_CTX *tls;
	pthread_mutex_t lock;
	bool stopping;           /* lock */
	struct http_conn *conns; /* lock */
	size_t n_conns;          /* lock */
	char **requests;         /* lock */
	size_t n_requests;       /* lock */
};

static void must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "http_server: %s: %s\n", what, strerror(errno));
		abort();
	}
}

/* TLS */

static void add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	must(extension && X509_add_ext(cert, extension, -1) == 1, "extension");
	X509_EXTENSION_free(extension);
}

static X509 *make_cert(EVP_PKEY *key, const char *host)
{
	X509 *cert = X509_new();
	X509_NAME *name;
	struct in_addr address;
	uint64_t serial;
	char san[300];

	must(cert && RAND_bytes((unsigned char *)&serial, sizeof(serial)) == 1, "certificate");
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial >> 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	name = X509_get_subject_name(cert);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)host, -1, -1,
				   0);
	X509_set_issuer_name(cert, name);
	X509_set_pubkey(cert, key);
	snprintf(san, sizeof(san), "%s:%s", inet_pton(AF_INET, host, &address) ? "IP" : "DNS",
		 host);
	add_extension(cert, NID_subject_alt_name, san);
	add_extension(cert, NID_basic_constraints, "critical,CA:TRUE");
	must(X509_sign(cert, key, EVP_sha256()) > 0, "sign");
	return cert;
}

static void make_tls(struct http_server *server)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	must(key != NULL, "key");
	server->cert = make_cert(key, server->options.cert_host);
	server->tls = SSL_CTX_new(TLS_server_method());
	must(server->tls && SSL_CTX_use_certificate(server->tls, server->cert) == 1 &&
		 SSL_CTX_use_PrivateKey(server->tls, key) == 1,
	     "TLS context");
	EVP_PKEY_free(key);
}

bool http_conn_start_tls(struct http_conn *conn)
{
	conn->ssl = SSL_new(conn->server->tls);
	must(conn->ssl && SSL_set_fd(conn->ssl, conn->fd) == 1, "TLS connection");
	return SSL_accept(conn->ssl) == 1;
}

void http_server_write_cert(const struct http_server *server, const char *path)
{
	FILE *f = fopen(path, "we");

	must(f && PEM_write_X509(f, server->cert) == 1 && fclose(f) == 0, path);
}

/* Bytes */

static ssize_t conn_recv(struct http_conn *conn, void *data, size_t size)
{
	if (conn->ssl)
		return SSL_read(conn->ssl, data, (int)size);
	return recv(conn->fd, data, size, 0);
}

bool http_conn_send_bytes(struct http_conn *conn, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = conn->ssl ? SSL_write(conn->ssl, p, (int)len)
				      : send(conn->fd, p, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

bool http_conn_send(struct http_conn *conn, const char *text)
{
	return http_conn_send_bytes(conn, text, strlen(text));
}

/* More bytes into conn->in. False when the peer closed the connection. */
static bool fill(struct http_conn *conn)
{
	char data[16384];
	ssize_t n = conn_recv(conn, data, sizeof(data));

	if (n <= 0)
		return false;
	must(buf_add(&conn->in, data, (size_t)n) == 0, "memory");
	return true;
}

bool http_conn_skip(struct http_conn *conn, size_t len)
{
	char data[16384];
	ssize_t n = conn_recv(conn, data, len < sizeof(data) ? len : sizeof(data));

	return n > 0;
}

void http_conn_wait_closed(struct http_conn *conn)
{
	while (http_conn_skip(conn, SIZE_MAX))
		;
}

void http_conn_reset(struct http_conn *conn)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

size_t http_conn_number(const struct http_conn *conn)
{
	return conn->number;
}

static size_t content_length(const char *head)
{
	for (const char *line = head; line; line = strstr(line, "\r\n")) {
		line += line == head ? 0 : 2;
		if (!strncasecmp(line, "Content-Length:", 15))
			return strtoul(line + 15, NULL, 10);
	}
	return 0;
}

static const char *record(struct http_server *server, const char *data, size_t len)
{
	char *copy = malloc(len + 1);

	must(copy != NULL, "memory");
	memcpy(copy, data, len);
	copy[len] = '\0';
	pthread_mutex_lock(&server->lock);
	server->requests = reallocarray(server->requests, server->n_requests + 1, sizeof(char *));
	must(server->requests != NULL, "memory");
	server->requests[server->n_requests++] = copy;
	pthread_mutex_unlock(&server->lock);
	return copy;
}

const char *http_conn_read(struct http_conn *conn)
{
	size_t head = 0, total;
	const char *end, *request;
	char *rest;

	while (!(end = strstr(buf_str(&conn->in) + conn->taken, "\r\n\r\n")))
		if (!fill(conn))
			return NULL;
	head = (size_t)(end + 4 - conn->in.data) - conn->taken;
	rest = strndup(conn->in.data + conn->taken, head);
	must(rest != NULL, "memory");
	total = head + content_length(rest);
	free(rest);
	while (conn->in.len - conn->taken < total)
		if (!fill(conn))
			return NULL;
	request = record(conn->server, conn->in.data + conn->taken, total);
	conn->taken += total;
	return request;
}

void http_script_hello(struct http_conn *conn, void *data)
{
	(void)data;
	while (http_conn_read(conn))
		if (!http_conn_send(conn, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))
			return;
}

/* Threads */

static void *conn_main(void *data)
{
	struct http_conn *conn = data;
	struct http_server *server = conn->server;
	int fd;

	if (!server->tls || server->options.plain_first || http_conn_start_tls(conn))
		server->options.script(conn, server->options.data);
	if (conn->ssl)
		SSL_free(conn->ssl);
	pthread_mutex_lock(&server->lock);
	fd = conn->fd;
	conn->fd = -1;
	pthread_mutex_unlock(&server->lock);
	close(fd);
	buf_deinit(&conn->in);
	return NULL;
}

static void serve(struct http_server *server, int fd)
{
	struct http_conn *conn = calloc(1, sizeof(*conn));

	must(conn != NULL, "memory");
	conn->server = server;
	conn->fd = fd;
	pthread_mutex_lock(&server->lock);
	conn->number = ++server->n_conns;
	conn->next = server->conns;
	server->conns = conn;
	if (server->stopping)
		shutdown(fd, SHUT_RDWR);
	must(pthread_create(&conn->thread, NULL, conn_main, conn) == 0, "thread");
	pthread_mutex_unlock(&server->lock);
}

static void *server_main(void *data)
{
	struct http_server *server = data;

	for (;;) {
		int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
		bool stopping;

		pthread_mutex_lock(&server->lock);
		stopping = server->stopping;
		pthread_mutex_unlock(&server->lock);
		if (stopping) {
			if (fd >= 0)
				close(fd);
			return NULL;
		}
		if (fd >= 0)
			serve(server, fd);
	}
}

struct http_server *http_server_start(const struct http_server_options *options)
{
	struct http_server *server = calloc(1, sizeof(*server));
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);

	must(server != NULL, "memory");
	signal(SIGPIPE, SIG_IGN); /* SSL_write() to a peer that has gone */
	server->options = *options;
	pthread_mutex_init(&server->lock, NULL);
	if (options->cert_host)
		make_tls(server);
	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(server->fd >= 0 &&
		 bind(server->fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		 listen(server->fd, 128) == 0 &&
		 getsockname(server->fd, (struct sockaddr *)&address, &len) == 0,
	     "listen");
	server->port = ntohs(address.sin_port);
	snprintf(server->authority, sizeof(server->authority), "127.0.0.1:%d", server->port);
	must(pthread_create(&server->thread, NULL, server_main, server) == 0, "thread");
	return server;
}

static void stop_all(struct http_server *server)
{
	pthread_mutex_lock(&server->lock);
	server->stopping = true;
	for (struct http_conn *conn = server->conns; conn; conn = conn->next)
		if (conn->fd >= 0)
			shutdown(conn->fd, SHUT_RDWR);
	pthread_mutex_unlock(&server->lock);
	shutdown(server->fd, SHUT_RDWR); /* accept() returns */
	pthread_join(server->thread, NULL);
	close(server->fd);
}

void http_server_stop(struct http_server *server)
{
	if (!server)
		return;
	stop_all(server);
	while (server->conns) {
		struct http_conn *conn = server->conns;

		server->conns = conn->next;
		pthread_join(conn->thread, NULL);
		free(conn);
	}
	for (size_t i = 0; i < server->n_requests; i++)
		free(server->requests[i]);
	free(server->requests);
	SSL_CTX_free(server->tls);
	X509_free(server->cert);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

const char *http_server_authority(const struct http_server *server)
{
	return server->authority;
}

int http_server_port(const struct http_server *server)
{
	return server->port;
}

size_t http_server_connections(struct http_server *server)
{
	size_t n;

	pthread_mutex_lock(&server->lock);
	n = server->n_conns;
	pthread_mutex_unlock(&server->lock);
	return n;
}

size_t http_server_requests(struct http_server *server)
{
	size_t n;

	pthread_mutex_lock(&server->lock);
	n = server->n_requests;
	pthread_mutex_unlock(&server->lock);
	return n;
}

const char *http_server_request(struct http_server *server, size_t i)
{
	const char *request = NULL;

	pthread_mutex_lock(&server->lock);
	if (i < server->n_requests)
		request = server->requests[i];
	pthread_mutex_unlock(&server->lock);
	return request;
}
