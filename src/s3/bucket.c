/* ListBuckets, CreateBucket, DeleteBucket, HeadBucket (Amazon S3 API Reference). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"
#include "xacctfs/util/timefmt.h"
#include "xacctfs/util/xml.h"

#include "private.h"

/* The most that AWS gives on a page; asking for pages at all makes it name each bucket's region. */
#define LIST_PAGE_BUCKETS 10000
/* A bucket takes about 200 bytes of XML. */
#define LIST_MAX_ANSWER ((size_t)16 * 1024 * 1024)
#define MAX_ANSWER      ((size_t)64 * 1024)

/* ---- ListBuckets ---- */

static int add_encoded(struct buf *query, const char *name, const char *value)
{
	int r = buf_printf(query, "&%s=", name);

	return r < 0 ? r : buf_add_encoded(query, value, strlen(value), false);
}

static int list_query(const char *prefix, const char *token, struct buf *query)
{
	int r = buf_printf(query, "max-buckets=%d", LIST_PAGE_BUCKETS);

	if (r == 0 && prefix)
		r = add_encoded(query, "prefix", prefix);
	if (r == 0 && token)
		r = add_encoded(query, "continuation-token", token);
	return r;
}

struct bucket_element {
	char *name, *created, *region;
};

static void bucket_element_deinit(struct bucket_element *e)
{
	free(e->name);
	free(e->created);
	free(e->region);
}

static int take_text(struct xml *xml, char **field)
{
	free(*field);
	*field = NULL;
	return xml_text(xml, field);
}

static int read_bucket(struct s3_store *s3, struct xml *xml, struct bucket_page *page)
{
	_cleanup_(bucket_element_deinit) struct bucket_element e = {0};
	int64_t created_ms = 0;
	const char *name;
	int r;

	while ((r = xml_child(xml, 2, &name)) == 0) {
		if (!strcmp(name, "Name"))
			r = take_text(xml, &e.name);
		else if (!strcmp(name, "CreationDate"))
			r = take_text(xml, &e.created);
		else if (!strcmp(name, "BucketRegion"))
			r = take_text(xml, &e.region);
		if (r < 0)
			return r;
	}
	if (r != XML_E_END)
		return r;
	if (!e.name || e.name[0] == '\0')
		return -EBADMSG;
	if (e.created && time_parse_iso(e.created, &created_ms) < 0)
		created_ms = 0;
	if (e.region)
		region_map_set(&s3->regions, e.name, e.region);
	return bucket_page_add(page, e.name, created_ms);
}

static int read_buckets(struct s3_store *s3, struct xml *xml, struct bucket_page *page)
{
	const char *name;
	int r;

	while ((r = xml_child(xml, 1, &name)) == 0)
		if (!strcmp(name, "Bucket") && (r = read_bucket(s3, xml, page)) < 0)
			return r;
	return r == XML_E_END ? 0 : r;
}

static int read_list(struct s3_store *s3, const struct http_response *response,
		     struct bucket_page *page)
{
	_cleanup_(xml_freep) struct xml *xml = NULL;
	const char *name;
	int r;

	r = xml_open(response->body.data, response->body.len, &xml);
	if (r == 0)
		r = xml_root(xml, "ListAllMyBucketsResult", S3_XMLNS);
	if (r != 0)
		return r == -ENOMEM ? r : -EBADMSG;
	while ((r = xml_child(xml, 0, &name)) == 0) {
		if (!strcmp(name, "Buckets"))
			r = read_buckets(s3, xml, page);
		else if (!strcmp(name, "ContinuationToken"))
			r = take_text(xml, &page->next_token);
		if (r < 0)
			return r;
	}
	if (r != XML_E_END)
		return r;
	if (page->next_token && page->next_token[0] == '\0') {
		free(page->next_token);
		page->next_token = NULL;
	}
	return 0;
}

static const struct s3_request list_request = {
    .operation = "ListBuckets",
    .method = "GET",
    .max_body = LIST_MAX_ANSWER,
};

int s3_list_buckets_page(struct store *store, struct call *call, const char *prefix,
			 const char *token, struct bucket_page *ret_page,
			 struct aws_error *ret_error)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	_cleanup_(buf_deinit) struct buf query = BUF_INIT;
	struct s3_request request = list_request;
	struct bucket_page page = {0};
	int r;

	*ret_error = (struct aws_error){0};
	r = list_query(prefix, token, &query);
	if (r < 0)
		return r;
	request.query = buf_str(&query);
	r = s3_send(s3_of(store), call, &request, &response, ret_error);
	if (r != 0)
		return r;
	r = read_list(s3_of(store), &response, &page);
	if (r == 0 && token && page.next_token && !strcmp(token, page.next_token))
		r = -EBADMSG; /* it would go on for ever */
	if (r < 0) {
		snprintf(ret_error->code, sizeof(ret_error->code), "MalformedAnswer");
		snprintf(ret_error->message, sizeof(ret_error->message),
			 "the server answered 200, but not with the XML of ListBuckets");
		bucket_page_deinit(&page);
		return r;
	}
	*ret_page = page;
	return 0;
}

static int list_buckets(struct store *store, struct call *call, const char *prefix,
			const char *token, struct bucket_page *ret_page)
{
	struct aws_error error;
	int r = s3_list_buckets_page(store, call, prefix, token, ret_page, &error);

	return r == 0 ? 0 : s3_fail(&list_request, r, &error);
}

/* ---- CreateBucket, DeleteBucket, HeadBucket ---- */

/* us-east-1 is the one region that must not be named (CreateBucket, LocationConstraint). */
static int create_body(const char *region, struct buf *body)
{
	if (!strcmp(region, "us-east-1"))
		return 0;
	return buf_printf(body,
			  "<CreateBucketConfiguration xmlns=\"%s\"><LocationConstraint>%s"
			  "</LocationConstraint></CreateBucketConfiguration>",
			  S3_XMLNS, region);
}

static int create_bucket(struct store *store, struct call *call, const char *name)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;
	struct s3_store *s3 = s3_of(store);
	struct s3_request request = {
	    .operation = "CreateBucket",
	    .method = "PUT",
	    .bucket = name,
	    .region = s3->create_region,
	    .max_body = MAX_ANSWER,
	};
	struct aws_error error;
	int r;

	r = create_body(s3->create_region, &body);
	if (r < 0)
		return r;
	request.body = body.len ? buf_str(&body) : NULL;
	r = s3_send(s3, call, &request, &response, &error);
	/* an earlier attempt of this very request made it, though its answer was lost */
	if (r == AWS_E_REPLY && error.maybe_done && !strcmp(error.code, "BucketAlreadyOwnedByYou"))
		r = 0;
	if (r != 0)
		return s3_fail(&request, r, &error);
	region_map_set(&s3->regions, name, s3->create_region);
	log_info("bucket %s made in %s", name, s3->create_region);
	return 0;
}

static int delete_bucket(struct store *store, struct call *call, const char *name)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	struct s3_store *s3 = s3_of(store);
	struct s3_request request = {
	    .operation = "DeleteBucket",
	    .method = "DELETE",
	    .bucket = name,
	    .max_body = MAX_ANSWER,
	};
	struct aws_error error;
	int r;

	r = s3_send(s3, call, &request, &response, &error);
	if (r == AWS_E_REPLY && error.maybe_done && !strcmp(error.code, "NoSuchBucket"))
		r = 0;
	if (r != 0)
		return s3_fail(&request, r, &error);
	region_map_forget(&s3->regions, name);
	log_info("bucket %s deleted", name);
	return 0;
}

static int head_bucket(struct store *store, struct call *call, const char *name)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	struct s3_request request = {
	    .operation = "HeadBucket",
	    .method = "HEAD",
	    .bucket = name,
	    .max_body = MAX_ANSWER,
	};
	struct aws_error error;
	int r = s3_send(s3_of(store), call, &request, &response, &error);

	return r == 0 ? 0 : s3_fail(&request, r, &error);
}

static int bucket_region(struct store *store, const char *name, char ret_region[S3_REGION_MAX + 1])
{
	return region_map_get(&s3_of(store)->regions, name, ret_region);
}

/* ---- life ---- */

static void s3_store_free(struct store *store)
{
	struct s3_store *s3 = s3_of(store);

	url_deinit(&s3->endpoint);
	region_map_deinit(&s3->regions);
	credentials_unref(s3->absolved);
	pthread_mutex_destroy(&s3->lock);
	free(s3->region);
	free(s3->create_region);
	free(s3);
}

int s3_store_new(struct aws_caller *caller, struct session *session, const struct conf *conf,
		 struct store **ret_store)
{
	struct s3_store *s3 = calloc(1, sizeof(*s3));
	const char *why;
	int r = 0;

	if (!s3)
		return -ENOMEM;
	s3->store = (struct store){
	    .list_buckets = list_buckets,
	    .create_bucket = create_bucket,
	    .delete_bucket = delete_bucket,
	    .head_bucket = head_bucket,
	    .bucket_region = bucket_region,
	    .free = s3_store_free,
	};
	s3->caller = caller;
	s3->session = session;
	s3->addressing = conf->addressing;
	region_map_init(&s3->regions);
	pthread_mutex_init(&s3->lock, NULL);
	s3->region = strdup(conf->region);
	s3->create_region = strdup(conf->create_region);
	if (!s3->region || !s3->create_region)
		r = -ENOMEM;
	if (r == 0 && conf->s3_endpoint_url) {
		s3->custom_endpoint = true;
		r = url_parse(conf->s3_endpoint_url, &s3->endpoint, &why);
	}
	if (r < 0) {
		s3_store_free(&s3->store);
		return r;
	}
	*ret_store = &s3->store;
	return 0;
}
