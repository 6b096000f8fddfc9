/* ListBuckets, CreateBucket, DeleteBucket, HeadBucket (Amazon S3 API Reference). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"
#include "xacctfs/util/timefmt.h"

#include "private.h"

/* The most that AWS gives on a page; asking for pages at all makes it name each bucket's region. */
#define LIST_PAGE_BUCKETS 10000
/* A bucket takes about 200 bytes of XML. */
#define LIST_MAX_ANSWER ((size_t)16 * 1024 * 1024)

/* ---- ListBuckets ---- */

static int list_query(const char *prefix, const char *token, struct buf *query)
{
	int r = buf_printf(query, "max-buckets=%d", LIST_PAGE_BUCKETS);

	if (r == 0 && prefix)
		r = s3_add_parameter(query, "prefix", prefix);
	if (r == 0 && token)
		r = s3_add_parameter(query, "continuation-token", token);
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

static int read_bucket(struct s3_store *s3, struct xml *xml, struct bucket_page *page)
{
	_cleanup_(bucket_element_deinit) struct bucket_element e = {0};
	int64_t created_ms = 0;
	const char *name;
	int r;

	while ((r = xml_child(xml, 2, &name)) == 0) {
		if (!strcmp(name, "Name"))
			r = s3_take_text(xml, &e.name);
		else if (!strcmp(name, "CreationDate"))
			r = s3_take_text(xml, &e.created);
		else if (!strcmp(name, "BucketRegion"))
			r = s3_take_text(xml, &e.region);
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

	r = s3_open_xml(response, "ListAllMyBucketsResult", &xml);
	if (r < 0)
		return r;
	while ((r = xml_child(xml, 0, &name)) == 0) {
		if (!strcmp(name, "Buckets"))
			r = read_buckets(s3, xml, page);
		else if (!strcmp(name, "ContinuationToken"))
			r = s3_take_text(xml, &page->next_token);
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
		bucket_page_deinit(&page);
		return s3_malformed(r, &list_request, ret_error);
	}
	*ret_page = page;
	return 0;
}

int s3_list_buckets(struct store *store, struct call *call, const char *prefix, const char *token,
		    struct bucket_page *ret_page)
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

int s3_create_bucket(struct store *store, struct call *call, const char *name)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;
	struct s3_store *s3 = s3_of(store);
	struct s3_request request = {
	    .operation = "CreateBucket",
	    .method = "PUT",
	    .bucket = name,
	    .region = s3->create_region,
	    .max_body = S3_MAX_ANSWER,
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

int s3_delete_bucket(struct store *store, struct call *call, const char *name)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	struct s3_store *s3 = s3_of(store);
	struct s3_request request = {
	    .operation = "DeleteBucket",
	    .method = "DELETE",
	    .bucket = name,
	    .max_body = S3_MAX_ANSWER,
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

int s3_head_bucket(struct store *store, struct call *call, const char *name)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	struct s3_request request = {
	    .operation = "HeadBucket",
	    .method = "HEAD",
	    .bucket = name,
	    .max_body = S3_MAX_ANSWER,
	};
	struct aws_error error;
	int r = s3_send(s3_of(store), call, &request, &response, &error);

	return r == 0 ? 0 : s3_fail(&request, r, &error);
}

int s3_bucket_region(struct store *store, const char *name, char ret_region[S3_REGION_MAX + 1])
{
	return region_map_get(&s3_of(store)->regions, name, ret_region);
}
