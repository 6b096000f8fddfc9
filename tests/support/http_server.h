/*
 * support/http_server: an HTTP server in this process that does what a real one can't be made to
 *do.
 *
 *	static void never(struct http_conn *conn, void *data)
 *	{
 *		http_conn_read(conn);
 *		http_conn_wait_closed(conn);
 *	}
 *	server = http_server_start(&(struct http_server_options){.script = never});
 *
 * Each connection gets its own thread, which runs the script; the connection is closed when the
 * script returns. All functions end the test program when the machine is out of something.
 */
#ifndef SUPPORT_HTTP_SERVER_H
#define SUPPORT_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct http_server;
struct http_conn;

struct http_server_options {
	void (*script)(struct http_conn *conn, void *data);
	void *data;
	/* The name or address in the certificate: the server then has one, signed by itself. */
	const char *cert_host;
	/* With cert_host: connections begin in plain text; http_conn_start_tls() when wanted. */
	bool plain_first;
};

/* Listens on 127.0.0.1. */
struct http_server *http_server_start(const struct http_server_options *options);
/* Closes all connections and waits for the scripts to return. NULL is fine. */
void http_server_stop(struct http_server *server);

/* "127.0.0.1:PORT" */
const char *http_server_authority(const struct http_server *server);
int http_server_port(const struct http_server *server);
/* Writes the certificate (PEM) there. */
void http_server_write_cert(const struct http_server *server, const char *path);

/* Connections accepted and requests read so far. */
size_t http_server_connections(struct http_server *server);
size_t http_server_requests(struct http_server *server);
/* Request i (from 0) to the byte, with its body; NUL-terminated. Valid until the server stops. */
const char *http_server_request(struct http_server *server, size_t i);

/* For scripts. */

/* The next request, whole: as http_server_request(). NULL when the peer closed the connection. */
const char *http_conn_read(struct http_conn *conn);
/* Takes up to len bytes off the connection, and forgets them. False when the peer closed it. */
bool http_conn_skip(struct http_conn *conn, size_t len);
/* False when the peer closed the connection. */
bool http_conn_send(struct http_conn *conn, const char *text);
bool http_conn_send_bytes(struct http_conn *conn, const void *data, size_t len);
/* Swallows what comes, until the peer closes the connection. */
void http_conn_wait_closed(struct http_conn *conn);
/* The connection will end with a reset. */
void http_conn_reset(struct http_conn *conn);
/* False when the handshake failed. */
bool http_conn_start_tls(struct http_conn *conn);
/* The number of this connection, from 1. */
size_t http_conn_number(const struct http_conn *conn);

/* A script: answers each request with `200 OK` and the body "hello". */
void http_script_hello(struct http_conn *conn, void *data);

#endif
