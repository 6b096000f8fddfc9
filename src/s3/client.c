#include "xacctfs/s3/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/aws/partition.h"
#include "xacctfs/aws/sigv4.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"
#include "xacctfs/util/utf8.h"

#include "private.h"

/* ---- where a request goes ---- */

/* A bucket stands before the host only where that makes a name which the certificate covers. */
static bool virtual_host(const struct s3_store *s3, const char *bucket)
{
	if (!bucket || s3->addressing == CONF_ADDRESSING_PATH)
		return false;
	if (s3->custom_endpoint && s3->endpoint.is_ip)
		return false;
	if (strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(bucket) &&
	    !(s3->addressing == CONF_ADDRESSING_VIRTUAL &&
	      strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-.") == strlen(bucket)))
		return false;
	return s3->addressing == CONF_ADDRESSING_VIRTUAL || !s3->custom_endpoint;
}

static int make_authority(const struct s3_store *s3, const char *bucket, const char *region,
			  char **ret_authority)
{
	const char *dot = bucket ? "." : "";
	int n;

	if (!bucket)
		bucket = "";
	if (s3->custom_endpoint)
		n = asprintf(ret_authority, "%s%s%s", bucket, dot, s3->endpoint.authority);
	else
		n = asprintf(ret_authority, "%s%ss3.%s.%s", bucket, dot, region,
			     aws_dns_suffix(region));
	return n < 0 ? -ENOMEM : 0;
}

/* A key keeps all of its slashes: "/a", "a//b" and "a/../b" are other keys than "a" and "b". */
static int make_path(const struct s3_store *s3, const char *bucket, const char *key,
		     char **ret_path)
{
	_cleanup_(buf_deinit) struct buf path = BUF_INIT;
	int r = buf_printf(&path, "%s/", s3->custom_endpoint ? s3->endpoint.path : "");

	if (r == 0 && bucket)
		r = buf_add_encoded(&path, bucket, strlen(bucket), false);
	if (r == 0 && bucket && key)
		r = buf_add_char(&path, '/');
	if (r == 0 && key)
		r = buf_add_encoded(&path, key, strlen(key), true);
	if (r < 0)
		return r;
	*ret_path = buf_steal(&path);
	return *ret_path ? 0 : -ENOMEM;
}

static int add_contents(const struct s3_request *request, struct http_request *http)
{
	int r = 0;

	http->payload = request->data;
	http->payload_len = request->len;
	http->sink = request->sink;
	http->sink_data = request->user;
	if (request->body) {
		http->payload = request->body;
		http->payload_len = strlen(request->body);
		r = http_headers_add(&http->headers, "Content-Type", "application/xml");
	}
	for (size_t i = 0; r == 0 && request->headers && i < request->headers->n; i++)
		r = http_headers_add(&http->headers, request->headers->v[i].name,
				     request->headers->v[i].value);
	return r;
}

static int make_http(const struct s3_store *s3, const struct s3_request *request,
		     const char *region, struct http_request *http)
{
	bool in_host = virtual_host(s3, request->bucket);
	int r;

	*http = (struct http_request){.method = request->method};
	http->scheme = strdup(s3->custom_endpoint ? s3->endpoint.scheme : "https");
	http->query = strdup(request->query ? request->query : "");
	if (!http->scheme || !http->query)
		return -ENOMEM;
	r = make_authority(s3, in_host ? request->bucket : NULL, region, &http->authority);
	if (r == 0)
		r = make_path(s3, in_host ? NULL : request->bucket, request->key, &http->path);
	/* CreateBucket, which alone has a region of its own, makes a bucket that is nobody's */
	if (r == 0 && request->bucket && !request->region)
		r = s3_add_bucket_options(s3, &http->headers);
	return r == 0 ? add_contents(request, http) : r;
}

static void choose_region(struct s3_store *s3, const struct s3_request *request,
			  char region[S3_REGION_MAX + 1])
{
	if (request->region)
		strcpy(region, request->region);
	else if (!request->bucket || region_map_get(&s3->regions, request->bucket, region) != 0)
		strcpy(region, s3->region);
}

/* ---- what an answer mends ---- */

/* True when the error says that the bucket is in another region than the one asked. */
static bool wrong_region(const struct s3_request *request, int r, const struct aws_error *error,
			 const char *region)
{
	if (r != AWS_E_REPLY || !request->bucket || request->region || error->region[0] == '\0')
		return false;
	if (!region_valid(error->region) || !strcmp(error->region, region))
		return false;
	return error->status / 100 == 3 || error->status == 400 || error->status == 403;
}

/*
 * What ExpiredToken and InvalidToken are to HEAD, whose answers have no body to name them (Amazon
 * S3 API Reference, HeadBucket, "Errors"). Other reasons look alike.
 */
static bool bare_400(const struct s3_request *request, int r, const struct aws_error *error)
{
	return r == AWS_E_REPLY && !strcmp(request->method, "HEAD") &&
	       !strcmp(error->code, "HTTP400");
}

/* These have just been got for a bare 400 and met it again: no renewal mends it. */
static void absolve(struct s3_store *s3, struct credentials *credentials)
{
	struct credentials *former;

	pthread_mutex_lock(&s3->lock);
	former = s3->absolved;
	s3->absolved = credentials_ref(credentials);
	pthread_mutex_unlock(&s3->lock);
	credentials_unref(former);
}

static bool is_absolved(struct s3_store *s3, const struct credentials *credentials)
{
	bool is;

	pthread_mutex_lock(&s3->lock);
	is = s3->absolved == credentials;
	pthread_mutex_unlock(&s3->lock);
	return is;
}

static bool token_refused(struct s3_store *s3, const struct s3_request *request, int r,
			  const struct aws_error *error, const struct credentials *credentials)
{
	bool bare = bare_400(request, r, error);

	if (r != AWS_E_REPLY)
		return false;
	if (aws_error_is_token(error) || (bare && !is_absolved(s3, credentials)))
		return true;
	return (bare || error->status == 403) && session_may_have_ended(s3->session, credentials);
}

/*
 * Others than the refused ones. Returns as session_replace; or AWS_E_REPLY, so that the answer
 * stands, when there are none and only its being bare spoke against the token.
 */
static int replace_token(struct s3_store *s3, struct call *call, const struct aws_error *error,
			 struct credentials **credentials)
{
	struct credentials *fresh;
	int r = session_replace(s3->session, call, *credentials, &fresh);

	if (r == -EKEYEXPIRED && !aws_error_is_token(error) &&
	    !session_may_have_ended(s3->session, *credentials))
		return AWS_E_REPLY;
	if (r < 0)
		return r;
	credentials_unref(*credentials);
	*credentials = fresh;
	return 0;
}

static int send_once(struct s3_store *s3, struct call *call, const struct s3_request *request,
		     const char *region, struct credentials *credentials,
		     struct http_response *response, struct aws_error *error)
{
	_cleanup_(http_request_deinit) struct http_request http = {0};
	struct aws_request aws = {
	    .http = &http,
	    .credentials = credentials,
	    .region = region,
	    .service = "s3",
	    .max_body = request->max_body,
	    .prepare = request->prepare,
	    .prepare_data = request->user,
	    .ended = counters_add,
	    .ended_data = counters_of(&s3->counters, request->operation),
	};
	bool maybe_done = error->maybe_done;
	int r = make_http(s3, request, region, &http);

	if (r < 0)
		return r;
	/* over TLS nobody can change the bytes; hashing them would be half of the work */
	if (request->data && request->len > 0 && !strcmp(http.scheme, "https"))
		aws.payload_hash = SIGV4_UNSIGNED_PAYLOAD;
	s3->counters.in_flight++;
	r = aws_send(s3->caller, call, &aws, response, error);
	s3->counters.in_flight--;
	error->maybe_done = error->maybe_done || maybe_done;
	return r;
}

static void learn_region(struct s3_store *s3, const struct s3_request *request,
			 const struct http_response *response)
{
	const char *region = http_headers_get(&response->headers, "x-amz-bucket-region");

	if (region && request->bucket)
		region_map_set(&s3->regions, request->bucket, region);
}

/*
 * S3 would refuse such keys, too, but a HEAD could not say why. An empty name addresses something
 * else: DELETE of the object "" is one of the bucket.
 */
static int check_names(const struct s3_request *request)
{
	if ((request->bucket && !*request->bucket) || (request->key && !*request->key))
		return -EINVAL;
	if (request->key && strlen(request->key) > S3_KEY_MAX)
		return -ENAMETOOLONG;
	return request->key && !utf8_valid(request->key) ? -EILSEQ : 0;
}

int s3_send(struct s3_store *s3, struct call *call, const struct s3_request *request,
	    struct http_response *ret_response, struct aws_error *ret_error)
{
	_cleanup_(credentials_unrefp) struct credentials *credentials = NULL;
	bool region_mended = false, token_mended = false;
	char region[S3_REGION_MAX + 1];
	int r;

	*ret_error = (struct aws_error){0};
	r = check_names(request);
	if (r < 0)
		return r;
	choose_region(s3, request, region);
	r = session_get(s3->session, call, &credentials);
	while (r == 0) {
		r = send_once(s3, call, request, region, credentials, ret_response, ret_error);
		if (!region_mended && wrong_region(request, r, ret_error, region)) {
			region_mended = true;
			log_info("bucket %s is in region %s, not %s", request->bucket,
				 ret_error->region, region);
			strcpy(region, ret_error->region);
			region_map_set(&s3->regions, request->bucket, region);
			r = 0;
			continue;
		}
		if (token_mended && bare_400(request, r, ret_error))
			absolve(s3, credentials);
		if (token_mended || !token_refused(s3, request, r, ret_error, credentials))
			break;
		token_mended = true;
		r = replace_token(s3, call, ret_error, &credentials);
	}
	if (r == 0)
		learn_region(s3, request, ret_response);
	return r;
}
