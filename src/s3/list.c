/* ListObjectsV2 (Amazon S3 API Reference), with encoding-type=url, since XML cannot hold all keys.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/array.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/utf8.h"

#include "private.h"

static int list_query(const struct list_params *params, struct buf *query)
{
	int r = buf_printf(query, "list-type=2&encoding-type=url&max-keys=%d", params->max_keys);

	if (r == 0 && *params->prefix)
		r = s3_add_parameter(query, "prefix", params->prefix);
	if (r == 0 && params->delimited)
		r = s3_add_parameter(query, "delimiter", "/");
	if (r == 0 && params->start_after)
		r = s3_add_parameter(query, "start-after", params->start_after);
	if (r == 0 && params->token)
		r = s3_add_parameter(query, "continuation-token", params->token);
	return r;
}

/* ---- the answer ---- */

struct answer {
	struct object_page page;
	bool truncated;
	bool encoded; /* told anywhere in the answer */
};

static void answer_deinit(struct answer *answer)
{
	object_page_deinit(&answer->page);
}

/* The next entry, zeroed; NULL when out of memory. */
static struct object_entry *add_entry(struct object_page *page)
{
	if (array_grow(&page->v, page->n, sizeof(*page->v)) < 0)
		return NULL;
	page->v[page->n] = (struct object_entry){0};
	return &page->v[page->n++];
}

static int take_size(struct xml *xml, uint64_t *size)
{
	_cleanup_(freep) char *text = NULL;
	int r = xml_text(xml, &text);

	if (r < 0)
		return r;
	return s3_parse_size(text, size) < 0 ? -EBADMSG : 0;
}

static int take_class(struct xml *xml, struct object_entry *entry)
{
	_cleanup_(freep) char *text = NULL;
	int r = xml_text(xml, &text);

	if (r == 0 && strcmp(text, "STANDARD") != 0)
		snprintf(entry->storage_class, sizeof(entry->storage_class), "%s", text);
	return r;
}

static int read_field(struct xml *xml, const char *name, struct object_entry *entry)
{
	if (!strcmp(name, "Key"))
		return s3_take_text(xml, &entry->key);
	if (!strcmp(name, "LastModified"))
		return s3_take_time(xml, &entry->mtime_ms);
	if (!strcmp(name, "ETag"))
		return s3_take_text(xml, &entry->etag);
	if (!strcmp(name, "Size"))
		return take_size(xml, &entry->size);
	if (!strcmp(name, "StorageClass"))
		return take_class(xml, entry);
	return 0;
}

static int read_contents(struct xml *xml, struct object_page *page)
{
	struct object_entry *entry = add_entry(page);
	const char *name;
	int r;

	if (!entry)
		return -ENOMEM;
	while ((r = xml_child(xml, 1, &name)) == 0)
		if ((r = read_field(xml, name, entry)) < 0)
			return r;
	if (r != XML_E_END)
		return r;
	return entry->key ? 0 : -EBADMSG;
}

static int read_prefix(struct xml *xml, struct object_page *page)
{
	struct object_entry *entry = add_entry(page);
	const char *name;
	int r;

	if (!entry)
		return -ENOMEM;
	entry->is_prefix = true;
	while ((r = xml_child(xml, 1, &name)) == 0)
		if (!strcmp(name, "Prefix") && (r = s3_take_text(xml, &entry->key)) < 0)
			return r;
	if (r != XML_E_END)
		return r;
	return entry->key ? 0 : -EBADMSG;
}

static int read_element(struct xml *xml, const char *name, struct answer *answer)
{
	if (!strcmp(name, "Contents"))
		return read_contents(xml, &answer->page);
	if (!strcmp(name, "CommonPrefixes"))
		return read_prefix(xml, &answer->page);
	if (!strcmp(name, "IsTruncated"))
		return s3_take_is(xml, "true", &answer->truncated);
	if (!strcmp(name, "NextContinuationToken"))
		return s3_take_text(xml, &answer->page.next_token);
	if (!strcmp(name, "EncodingType"))
		return s3_take_is(xml, "url", &answer->encoded);
	return 0;
}

/* A key with a NUL in it can't be named: it is left out. */
static int decode_keys(struct object_page *page)
{
	size_t kept = 0;
	int r = 0;

	for (size_t i = 0; i < page->n; i++) {
		if (r == 0 || r == -EBADMSG)
			r = s3_decode(&page->v[i].key);
		if (r == -EBADMSG) {
			free(page->v[i].key);
			free(page->v[i].etag);
		} else {
			page->v[kept++] = page->v[i];
		}
	}
	page->n = kept;
	return r == -ENOMEM ? r : 0;
}

static int compare_entries(const void *a, const void *b)
{
	const struct object_entry *x = a, *y = b;

	return strcmp(x->key, y->key);
}

/* A page that is not the last must lead to another one, or entries would be missing silently. */
static int check_token(struct answer *answer, const struct list_params *params)
{
	char **token = &answer->page.next_token;

	if (!answer->truncated) {
		free(*token);
		*token = NULL;
		return 0;
	}
	if (!*token || !**token || (params->token && !strcmp(*token, params->token)))
		return -EBADMSG;
	return 0;
}

static int read_page(const struct http_response *response, const struct list_params *params,
		     struct object_page *ret_page)
{
	_cleanup_(answer_deinit) struct answer answer = {0};
	_cleanup_(xml_freep) struct xml *xml = NULL;
	const char *name;
	int r = s3_open_xml(response, "ListBucketResult", &xml);

	if (r < 0)
		return r;
	while ((r = xml_child(xml, 0, &name)) == 0)
		if ((r = read_element(xml, name, &answer)) < 0)
			return r;
	if (r != XML_E_END)
		return r;
	r = check_token(&answer, params);
	if (r == 0 && answer.encoded)
		r = decode_keys(&answer.page);
	if (r < 0)
		return r;
	if (answer.page.n > 0)
		qsort(answer.page.v, answer.page.n, sizeof(answer.page.v[0]), compare_entries);
	*ret_page = answer.page;
	answer.page = (struct object_page){0};
	return 0;
}

int s3_list_objects(struct store *store, struct call *call, const char *bucket,
		    const struct list_params *params, struct object_page *ret_page)
{
	_cleanup_(http_response_deinit) struct http_response response = {0};
	_cleanup_(buf_deinit) struct buf query = BUF_INIT;
	struct s3_request request = {
	    .operation = "ListObjectsV2",
	    .method = "GET",
	    .bucket = bucket,
	    .max_body = S3_MAX_LISTING,
	};
	struct aws_error error = {0};
	int r = utf8_valid(params->prefix) ? list_query(params, &query) : -EILSEQ;

	request.query = buf_str(&query);
	if (r == 0)
		r = s3_send(s3_of(store), call, &request, &response, &error);
	if (r == 0)
		r = s3_malformed(read_page(&response, params, ret_page), &request, &error);
	return r == 0 ? 0 : s3_fail(&request, r, &error);
}
