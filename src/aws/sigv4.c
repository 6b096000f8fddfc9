#include "xacctfs/aws/sigv4.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/secret.h"
#include "xacctfs/util/timefmt.h"

#define ALGORITHM       "AWS4-HMAC-SHA256"
#define TERMINATOR      "aws4_request"
#define SHA256_LEN      32
#define DATE_LEN        8 /* of "20261123T201318Z" */
#define H_DATE          "X-Amz-Date"
#define H_TOKEN         "X-Amz-Security-Token"
#define H_CONTENT_HASH  "X-Amz-Content-SHA256"
#define H_AUTHORIZATION "Authorization"

/* ---- hashes ---- */

int sha256_hex(const void *data, size_t len, char ret_hex[SHA256_HEX_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t hash[SHA256_LEN];

	if (EVP_Digest(data, len, hash, NULL, EVP_sha256(), NULL) != 1)
		return -EIO;
	for (size_t i = 0; i < SHA256_LEN; i++) {
		ret_hex[2 * i] = digits[hash[i] >> 4];
		ret_hex[2 * i + 1] = digits[hash[i] & 15];
	}
	ret_hex[SHA256_HEX_LEN] = '\0';
	return 0;
}

static int hmac(const void *key, size_t key_len, const char *text, uint8_t ret_mac[SHA256_LEN])
{
	size_t len;

	if (!EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, key_len, (const uint8_t *)text,
		       strlen(text), ret_mac, SHA256_LEN, &len))
		return -EIO;
	return len == SHA256_LEN ? 0 : -EIO;
}

/* ---- the request's time and scope ---- */

static bool is_s3(const struct sigv4_params *params)
{
	return !strcmp(params->service, "s3");
}

/* "20261123/eu-west-1/s3": the signing key's; the credential scope adds TERMINATOR. */
static int add_scope(struct buf *b, const struct sigv4_params *params)
{
	char date[TIME_AMZ_LEN + 1];

	time_format_amz(params->now_ms, date);
	return buf_printf(b, "%.*s/%s/%s", DATE_LEN, date, params->region, params->service);
}

/* What the signature says of the body; hex is the memory for a hash that is computed. */
static int payload_hash(const struct http_request *request, const struct sigv4_params *params,
			char hex[SHA256_HEX_LEN + 1], const char **ret_hash)
{
	const void *body;
	size_t len;
	int r;

	if (params->payload_hash) {
		*ret_hash = params->payload_hash;
		return 0;
	}
	body = http_request_body(request, &len);
	r = sha256_hex(body, len, hex);
	if (r < 0)
		return r;
	*ret_hash = hex;
	return 0;
}

/* ---- canonical path ---- */

/* Drops the last segment behind start, with the slash before it. */
static void drop_segment(struct buf *b, size_t start)
{
	while (b->len > start && b->data[b->len - 1] != '/')
		b->len--;
	if (b->len > start)
		b->len--;
	b->data[b->len] = '\0';
}

/* RFC 3986, 5.2.4, empty segments dropped as well; then encoded once more. */
static int add_normalized_path(struct buf *b, const char *path)
{
	size_t start = b->len, len;
	int r;

	for (const char *p = path; *p; p += len) {
		p += strspn(p, "/");
		len = strcspn(p, "/");
		if (len == 0 || (len == 1 && p[0] == '.'))
			continue;
		if (len == 2 && !memcmp(p, "..", 2)) {
			drop_segment(b, start);
			continue;
		}
		r = buf_add_char(b, '/');
		if (r == 0)
			r = buf_add_encoded(b, p, len, false);
		if (r < 0)
			return r;
	}
	return b->len == start || path[strlen(path) - 1] == '/' ? buf_add_char(b, '/') : 0;
}

/* S3 takes the path as it stands, because "a//b" and "a/../b" are keys of their own. */
static int add_path(struct buf *b, const char *path, bool s3)
{
	if (!path || !path[0])
		return buf_add_char(b, '/');
	return s3 ? buf_add_str(b, path) : add_normalized_path(b, path);
}

/* ---- canonical query ---- */

struct parameter {
	const char *name, *value;
	size_t name_len, value_len;
};

static int compare_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int c = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return c ? c : (a_len > b_len) - (a_len < b_len);
}

/* By name, then by value: not by "name=value", in which '=' would take part in the order. */
static int compare_parameters(const void *a, const void *b)
{
	const struct parameter *x = a, *y = b;
	int c = compare_bytes(x->name, x->name_len, y->name, y->name_len);

	return c ? c : compare_bytes(x->value, x->value_len, y->value, y->value_len);
}

static struct parameter parse_parameter(const char *p, size_t len)
{
	const char *equals = memchr(p, '=', len);

	if (!equals)
		return (struct parameter){p, p + len, len, 0};
	return (struct parameter){p, equals + 1, (size_t)(equals - p),
				  len - (size_t)(equals + 1 - p)};
}

static int add_parameters(struct buf *b, const struct parameter *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = buf_printf(b, "%s%.*s=%.*s", i ? "&" : "", (int)v[i].name_len, v[i].name,
				   (int)v[i].value_len, v[i].value);

		if (r < 0)
			return r;
	}
	return 0;
}

static int add_query(struct buf *b, const char *query)
{
	_cleanup_(freep) struct parameter *v = NULL;
	size_t n = 1, len, i = 0;

	if (!query || !query[0])
		return 0;
	for (const char *p = query; (p = strchr(p, '&')); p++)
		n++;
	v = calloc(n, sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (const char *p = query; i < n; p += len + 1) {
		len = strcspn(p, "&");
		v[i++] = parse_parameter(p, len);
	}
	qsort(v, n, sizeof(*v), compare_parameters);
	return add_parameters(b, v, n);
}

/* ---- canonical headers ---- */

static bool is_any_of(const char *name, const char *const names[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcasecmp(name, names[i]))
			return true;
	return false;
}

/* Proxies and libraries change or add these, or they are the signature itself. */
static bool is_unsigned(const char *name)
{
	static const char *const names[] = {H_AUTHORIZATION,     "Connection", "Expect",
					    "Transfer-Encoding", "User-Agent", "X-Amzn-Trace-Id"};

	return is_any_of(name, names, ARRAY_LEN(names));
}

/* The transport's own: signing the request's would sign what is not sent. */
static bool is_forbidden(const char *name)
{
	static const char *const names[] = {"Content-Length", "Host"};

	return is_any_of(name, names, ARRAY_LEN(names));
}

/* The signed headers in the order of their names; a name's own in the order they are sent. */
struct fields {
	struct http_header host;
	const struct http_header **v;
	size_t n;
};

static void fields_deinit(struct fields *fields)
{
	free(fields->v);
}

static int compare_fields(const void *a, const void *b)
{
	const struct http_header *x = *(const struct http_header *const *)a;
	const struct http_header *y = *(const struct http_header *const *)b;
	int c = strcasecmp(x->name, y->name);

	/* equal names are in the request's own array, so its addresses tell the order */
	return c ? c : (x > y) - (x < y);
}

/* On failure, too, *fields is to be deinitialised. */
static int fields_init(struct fields *fields, const struct http_request *request)
{
	static char host[] = "host";

	fields->host = (struct http_header){host, request->authority};
	fields->n = 0;
	fields->v = calloc(request->headers.n + 1, sizeof(fields->v[0]));
	if (!fields->v)
		return -ENOMEM;
	fields->v[fields->n++] = &fields->host;
	for (size_t i = 0; i < request->headers.n; i++) {
		const struct http_header *header = &request->headers.v[i];

		if (is_forbidden(header->name))
			return -EINVAL;
		if (!is_unsigned(header->name))
			fields->v[fields->n++] = header;
	}
	qsort(fields->v, fields->n, sizeof(fields->v[0]), compare_fields);
	return 0;
}

static bool same_name(const struct fields *fields, size_t i, size_t j)
{
	return !strcasecmp(fields->v[i]->name, fields->v[j]->name);
}

static int add_lower(struct buf *b, const char *name)
{
	int r = 0;

	for (; r == 0 && *name; name++)
		r = buf_add_char(b, *name >= 'A' && *name <= 'Z' ? (char)(*name | 0x20) : *name);
	return r;
}

/*
 * Without white space at its ends, every run of it inside as one space. The documents speak of
 * spaces only; the SDKs fold tabs alike, and so do we.
 */
static int add_folded(struct buf *b, const char *value)
{
	static const char white[] = " \t\v\f";
	const char *p = value + strspn(value, white);
	int r = 0;

	while (r == 0 && *p) {
		size_t len = strcspn(p, white);

		r = buf_add(b, p, len);
		p += len;
		p += strspn(p, white);
		if (r == 0 && *p)
			r = buf_add_char(b, ' ');
	}
	return r;
}

static int add_value(struct buf *b, const struct http_header *header, bool mask)
{
	if (mask && !strcasecmp(header->name, H_TOKEN))
		return buf_add_str(b, SIGV4_MASK);
	return add_folded(b, header->value);
}

/* "name:value\n" a name, the values of a repeated one joined by commas. */
static int add_headers(struct buf *b, const struct fields *fields, bool mask)
{
	for (size_t i = 0; i < fields->n; i++) {
		bool repeated = i > 0 && same_name(fields, i, i - 1);
		bool last = i + 1 == fields->n || !same_name(fields, i, i + 1);
		int r = repeated ? 0 : add_lower(b, fields->v[i]->name);

		if (r == 0)
			r = buf_add_char(b, repeated ? ',' : ':');
		if (r == 0)
			r = add_value(b, fields->v[i], mask);
		if (r == 0 && last)
			r = buf_add_char(b, '\n');
		if (r < 0)
			return r;
	}
	return 0;
}

/* "host;x-amz-date" */
static int add_signed_headers(struct buf *b, const struct fields *fields)
{
	for (size_t i = 0; i < fields->n; i++) {
		int r;

		if (i > 0 && same_name(fields, i, i - 1))
			continue;
		r = i > 0 ? buf_add_char(b, ';') : 0;
		if (r == 0)
			r = add_lower(b, fields->v[i]->name);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- the three steps ---- */

/* Step 1. mask: the session token stands as SIGV4_MASK. */
static int add_canonical_request(struct buf *b, const struct http_request *request,
				 const struct sigv4_params *params, const struct fields *fields,
				 const char *payload, bool mask)
{
	int r = buf_printf(b, "%s\n", request->method);

	if (r == 0)
		r = add_path(b, request->path, is_s3(params));
	if (r == 0)
		r = buf_add_char(b, '\n');
	if (r == 0)
		r = add_query(b, request->query);
	if (r == 0)
		r = buf_add_char(b, '\n');
	if (r == 0)
		r = add_headers(b, fields, mask);
	if (r == 0)
		r = buf_add_char(b, '\n');
	if (r == 0)
		r = add_signed_headers(b, fields);
	if (r == 0)
		r = buf_printf(b, "\n%s", payload);
	return r;
}

/* Step 2. */
static int add_string_to_sign(struct buf *b, const struct http_request *request,
			      const struct sigv4_params *params, const struct fields *fields,
			      const char *payload)
{
	_cleanup_(buf_wipe) struct buf canonical = BUF_INIT;
	char date[TIME_AMZ_LEN + 1], hash[SHA256_HEX_LEN + 1];
	int r;

	r = add_canonical_request(&canonical, request, params, fields, payload, false);
	if (r == 0)
		r = sha256_hex(canonical.data, canonical.len, hash);
	if (r < 0)
		return r;
	time_format_amz(params->now_ms, date);
	r = buf_printf(b, "%s\n%s\n", ALGORITHM, date);
	if (r == 0)
		r = add_scope(b, params);
	if (r == 0)
		r = buf_printf(b, "/%s\n%s", TERMINATOR, hash);
	return r;
}

static int derive_key(const struct sigv4_params *params, uint8_t ret_key[SHA256_LEN])
{
	_cleanup_(buf_wipe) struct buf secret = BUF_INIT;
	char date[TIME_AMZ_LEN + 1];
	uint8_t a[SHA256_LEN], b[SHA256_LEN];
	int r;

	time_format_amz(params->now_ms, date);
	date[DATE_LEN] = '\0';
	r = buf_printf(&secret, "AWS4%s", params->credentials->secret_access_key);
	if (r == 0)
		r = hmac(secret.data, secret.len, date, a);
	if (r == 0)
		r = hmac(a, sizeof(a), params->region, b);
	if (r == 0)
		r = hmac(b, sizeof(b), params->service, a);
	if (r == 0)
		r = hmac(a, sizeof(a), TERMINATOR, ret_key);
	explicit_bzero(a, sizeof(a));
	explicit_bzero(b, sizeof(b));
	return r;
}

/* The derived key out of the credentials' slots, or into one. */
static int find_key_locked(struct credentials *credentials, const char *scope,
			   const struct sigv4_params *params, uint8_t ret_key[SHA256_LEN])
{
	struct sigv4_key *slot;
	int r;

	for (size_t i = 0; i < SIGV4_KEY_SLOTS; i++)
		if (!strcmp(credentials->keys[i].scope, scope)) {
			memcpy(ret_key, credentials->keys[i].key, SHA256_LEN);
			return 0;
		}
	r = derive_key(params, ret_key);
	if (r < 0)
		return r;
	slot = &credentials->keys[credentials->next_key];
	credentials->next_key = (credentials->next_key + 1) % SIGV4_KEY_SLOTS;
	snprintf(slot->scope, sizeof(slot->scope), "%s", scope);
	memcpy(slot->key, ret_key, SHA256_LEN);
	return 0;
}

static int signing_key(const struct sigv4_params *params, uint8_t ret_key[SHA256_LEN])
{
	struct credentials *credentials = params->credentials;
	_cleanup_(buf_deinit) struct buf scope = BUF_INIT;
	int r = add_scope(&scope, params);

	if (r < 0)
		return r;
	if (scope.len >= SIGV4_KEY_SCOPE_MAX)
		return derive_key(params, ret_key);
	pthread_mutex_lock(&credentials->lock);
	r = find_key_locked(credentials, scope.data, params, ret_key);
	pthread_mutex_unlock(&credentials->lock);
	return r;
}

/* Step 3: the string to sign, signed, in hex. */
static int add_signature(struct buf *b, const struct sigv4_params *params,
			 const char *string_to_sign)
{
	uint8_t key[SHA256_LEN], mac[SHA256_LEN];
	int r = signing_key(params, key);

	if (r == 0)
		r = hmac(key, sizeof(key), string_to_sign, mac);
	if (r == 0)
		r = buf_add_hex(b, mac, sizeof(mac));
	explicit_bzero(key, sizeof(key));
	return r;
}

static int set_authorization(struct http_request *request, const struct sigv4_params *params,
			     const char *payload)
{
	_cleanup_(fields_deinit) struct fields fields = {0};
	_cleanup_(buf_deinit) struct buf string_to_sign = BUF_INIT;
	_cleanup_(buf_wipe) struct buf value = BUF_INIT;
	int r = fields_init(&fields, request);

	if (r == 0)
		r = add_string_to_sign(&string_to_sign, request, params, &fields, payload);
	if (r == 0)
		r = buf_printf(&value, "%s Credential=%s/", ALGORITHM,
			       params->credentials->access_key_id);
	if (r == 0)
		r = add_scope(&value, params);
	if (r == 0)
		r = buf_printf(&value, "/%s, SignedHeaders=", TERMINATOR);
	if (r == 0)
		r = add_signed_headers(&value, &fields);
	if (r == 0)
		r = buf_add_str(&value, ", Signature=");
	if (r == 0)
		r = add_signature(&value, params, string_to_sign.data);
	if (r == 0)
		r = http_headers_set(&request->headers, H_AUTHORIZATION, value.data);
	return r;
}

/* ---- signing ---- */

/* A token of other credentials would make the key's own signature wrong. */
static void drop_token(struct http_headers *headers)
{
	size_t kept = 0;

	for (size_t i = 0; i < headers->n; i++)
		if (!strcasecmp(headers->v[i].name, H_TOKEN)) {
			free(headers->v[i].name);
			secret_free(headers->v[i].value);
		} else {
			headers->v[kept++] = headers->v[i];
		}
	headers->n = kept;
}

int sigv4_sign(struct http_request *request, const struct sigv4_params *params)
{
	char date[TIME_AMZ_LEN + 1], hex[SHA256_HEX_LEN + 1];
	const char *payload, *token = params->credentials->session_token;
	int r = payload_hash(request, params, hex, &payload);

	if (r < 0)
		return r;
	time_format_amz(params->now_ms, date);
	r = http_headers_set(&request->headers, H_DATE, date);
	if (r == 0 && is_s3(params))
		r = http_headers_set(&request->headers, H_CONTENT_HASH, payload);
	if (r == 0 && token)
		r = http_headers_set(&request->headers, H_TOKEN, token);
	if (r < 0)
		return r;
	if (!token)
		drop_token(&request->headers);
	return set_authorization(request, params, payload);
}

int sigv4_canonical_request(const struct http_request *request, const struct sigv4_params *params,
			    char **ret_text)
{
	_cleanup_(fields_deinit) struct fields fields = {0};
	_cleanup_(buf_wipe) struct buf b = BUF_INIT;
	char hex[SHA256_HEX_LEN + 1];
	const char *payload;
	int r = payload_hash(request, params, hex, &payload);

	if (r == 0)
		r = fields_init(&fields, request);
	if (r == 0)
		r = add_canonical_request(&b, request, params, &fields, payload, true);
	if (r < 0)
		return r;
	*ret_text = buf_steal(&b);
	return 0;
}

int sigv4_string_to_sign(const struct http_request *request, const struct sigv4_params *params,
			 char **ret_text)
{
	_cleanup_(fields_deinit) struct fields fields = {0};
	_cleanup_(buf_deinit) struct buf b = BUF_INIT;
	char hex[SHA256_HEX_LEN + 1];
	const char *payload;
	int r = payload_hash(request, params, hex, &payload);

	if (r == 0)
		r = fields_init(&fields, request);
	if (r == 0)
		r = add_string_to_sign(&b, request, params, &fields, payload);
	if (r < 0)
		return r;
	*ret_text = buf_steal(&b);
	return 0;
}
