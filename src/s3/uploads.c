/*
 * ListMultipartUploads (Amazon S3 API Reference). Not with encoding-type=url: radosgw then encodes
 * the keys, but does not say so.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/array.h"
#include "xacctfs/util/cleanup.h"

#include "private.h"

static int list_query(const char *prefix, const char *key, const char *id, struct buf *query)
{
	int r = buf_add_str(query, "uploads=&max-uploads=1000");

	if (r == 0 && prefix && *prefix)
		r = s3_add_parameter(query, "prefix", prefix);
	if (r == 0 && key)
		r = s3_add_parameter(query, "key-marker", key);
	if (r == 0 && key && id)
		r = s3_add_parameter(query, "upload-id-marker", id);
	return r;
}

struct answer {
	struct upload_page page;
	bool truncated;
};

static void answer_deinit(struct answer *answer)
{
	upload_page_deinit(&answer->page);
}

/* The next upload, zeroed; NULL when out of memory. */
static struct upload *add_upload(struct upload_page *page)
{
	if (array_grow(&page->v, page->n, sizeof(*page->v)) < 0)
		return NULL;
	page->v[page->n] = (struct upload){0};
	return &page->v[page->n++];
}

static int read_initiator(struct xml *xml, char **arn)
{
	const char *name;
	int r;

	while ((r = xml_child(xml, 2, &name)) == 0)
		if (!strcmp(name, "ID") && (r = s3_take_text(xml, arn)) < 0)
			return r;
	return r == XML_E_END ? 0 : r;
}

static int read_field(struct xml *xml, const char *name, struct upload *upload)
{
	if (!strcmp(name, "Key"))
		return s3_take_text(xml, &upload->key);
	if (!strcmp(name, "UploadId"))
		return s3_take_text(xml, &upload->upload_id);
	if (!strcmp(name, "Initiator"))
		return read_initiator(xml, &upload->initiator);
	if (!strcmp(name, "Initiated"))
		return s3_take_time(xml, &upload->initiated_ms);
	return 0;
}

static int read_upload(struct xml *xml, struct upload_page *page)
{
	struct upload *upload = add_upload(page);
	const char *name;
	int r;

	if (!upload)
		return -ENOMEM;
	while ((r = xml_child(xml, 1, &name)) == 0)
		if ((r = read_field(xml, name, upload)) < 0)
			return r;
	if (r != XML_E_END)
		return r;
	return upload->key && upload->upload_id ? 0 : -EBADMSG;
}

static int read_element(struct xml *xml, const char *name, struct answer *answer)
{
	if (!strcmp(name, "Upload"))
		return read_upload(xml, &answer->page);
	if (!strcmp(name, "IsTruncated"))
		return s3_take_is(xml, "true", &answer->truncated);
	if (!strcmp(name, "NextKeyMarker"))
		return s3_take_text(xml, &answer->page.next_key);
	if (!strcmp(name, "NextUploadIdMarker"))
		return s3_take_text(xml, &answer->page.next_id);
	return 0;
}

/* A page that is not the last must lead to another one than itself. */
static int check_markers(struct answer *answer, const char *key, const char *id)
{
	struct upload_page *page = &answer->page;

	if (!answer->truncated) {
		free(page->next_key);
		free(page->next_id);
		page->next_key = page->next_id = NULL;
		return 0;
	}
	if (!page->next_key || !*page->next_key)
		return -EBADMSG;
	return key && !strcmp(key, page->next_key) &&
		       (!page->next_id || (id && !strcmp(id, page->next_id)))
		   ? -EBADMSG
		   : 0;
}

static int read_page(const struct http_response *response, const char *key, const char *id,
		     struct upload_page *ret_page)
{
	_cleanup_(answer_deinit) struct answer answer = {0};
	_cleanup_(xml_freep) struct xml *xml = NULL;
	const char *name;
	int r = s3_open_xml(response, "ListMultipartUploadsResult", &xml);

	if (r < 0)
		return r;
	while ((r = xml_child(xml, 0, &name)) == 0)
		if ((r = read_element(xml, name, &answer)) < 0)
			return r;
	if (r != XML_E_END)
		return r;
	r = check_markers(&answer, key, id);
	if (r < 0)
		return r;
	*ret_page = answer.page;
	answer.page = (struct upload_page){0};
	return 0;
}

static struct s3_request list_request(const char *bucket)
{
	return (struct s3_request){
	    .operation = "ListMultipartUploads",
	    .method = "GET",
	    .bucket = bucket,
	    .max_body = S3_MAX_LISTING,
	};
}

int s3_list_uploads_page(struct s3_store *s3, struct call *call, const char *bucket,
			 const char *prefix, const char *key, const char *id,
			 struct upload_page *ret_page, struct aws_error *ret_error)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	_cleanup_(buf_deinit) struct buf query = BUF_INIT;
	struct s3_request request = list_request(bucket);
	int r = list_query(prefix, key, id, &query);

	*ret_error = (struct aws_error){0};
	request.query = buf_str(&query);
	if (r == 0)
		r = s3_send(s3, call, &request, &response, ret_error);
	if (r == 0)
		r = s3_malformed(read_page(&response, key, id, ret_page), &request, ret_error);
	return r;
}

int s3_list_uploads(struct store *store, struct call *call, const char *bucket, const char *prefix,
		    const char *key, const char *id, struct upload_page *ret_page)
{
	struct s3_request request = list_request(bucket);
	struct aws_error error;
	int r = s3_list_uploads_page(s3_of(store), call, bucket, prefix, key, id, ret_page, &error);

	return r == 0 ? 0 : s3_fail(&request, r, &error);
}
