/* Multipart uploads (Amazon S3 User Guide, "Uploading and copying objects using multipart upload").
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"

#include "memory_private.h"

struct part {
	char *etag; /* NULL: not uploaded */
	struct memory_content content;
};

struct memory_upload {
	struct memory_named named; /* first: the upload id */
	char *key;
	struct object description; /* type and metadata */
	int64_t initiated_ms;
	struct part *parts; /* number - 1 */
	size_t n;
};

static void part_deinit(struct part *part)
{
	free(part->etag);
	memory_content_deinit(&part->content);
	*part = (struct part){0};
}

void memory_upload_free(struct memory_upload *upload)
{
	if (!upload)
		return;
	for (size_t i = 0; i < upload->n; i++)
		part_deinit(&upload->parts[i]);
	free(upload->parts);
	object_deinit(&upload->description);
	free(upload->key);
	free(upload->named.name);
	free(upload);
}

/* The upload of that id and key, or NULL with -ENOENT (no bucket) or -ESTALE (NoSuchUpload). */
static struct memory_upload *find_locked(struct memory_store *s3, const struct object_id *id,
					 const char *upload_id, int *ret_error)
{
	struct memory_bucket *bucket = memory_bucket_locked(s3, id->bucket);
	struct memory_upload *upload = NULL;

	*ret_error = bucket ? -ESTALE : -ENOENT;
	if (bucket)
		upload = memory_map_find(&bucket->uploads, upload_id);
	return upload && !strcmp(upload->key, id->key) ? upload : NULL;
}

/* ---- create, abort ---- */

static int create(struct memory_store *s3, const struct object_id *id,
		  const struct put_params *params, char **ret_upload_id)
{
	struct memory_bucket *bucket;
	struct memory_upload *upload;
	int r = memory_check_key(id->key);

	if (r < 0)
		return r;
	pthread_mutex_lock(&s3->lock);
	bucket = memory_bucket_locked(s3, id->bucket);
	if (bucket) {
		upload = memory_must(calloc(1, sizeof(*upload)));
		if (asprintf(&upload->named.name, "upload-%08lu", ++s3->last_upload) < 0)
			abort();
		upload->key = memory_must(strdup(id->key));
		upload->initiated_ms = s3->clock->wall_ms(s3->clock);
		memory_describe(&upload->description, params);
		memory_map_insert(&bucket->uploads, &upload->named);
		*ret_upload_id = memory_must(strdup(upload->named.name));
	}
	pthread_mutex_unlock(&s3->lock);
	return bucket ? 0 : -ENOENT;
}

/* The call's end: text is the caller's when it is 0. */
static int answer_text(struct memory_call *c, int r, char *text, char **ret_text)
{
	r = memory_end(c, r);
	if (r == 0)
		*ret_text = text;
	else
		free(text);
	return r;
}

int memory_create_upload(struct store *store, struct call *call, const struct object_id *id,
			 const struct put_params *params, char **ret_upload_id)
{
	char *upload_id = NULL;
	struct memory_call c;
	int r = memory_begin(&c, store, call, MEMORY_CREATE_UPLOAD, id->bucket, id->key);

	if (r < 0)
		return r;
	r = create(memory_of(store), id, params, &upload_id);
	return answer_text(&c, r, upload_id, ret_upload_id);
}

static int end_upload(struct memory_store *s3, const struct object_id *id, const char *upload_id)
{
	int r;

	pthread_mutex_lock(&s3->lock);
	if (find_locked(s3, id, upload_id, &r)) {
		memory_upload_free(
		    memory_map_remove(&memory_bucket_locked(s3, id->bucket)->uploads, upload_id));
		r = 0;
	}
	pthread_mutex_unlock(&s3->lock);
	return r == -ESTALE ? 0 : r;
}

int memory_abort_upload(struct store *store, struct call *call, const struct object_id *id,
			const char *upload_id)
{
	struct memory_call c;
	int r = memory_begin(&c, store, call, MEMORY_ABORT_UPLOAD, id->bucket, id->key);

	return r < 0 ? r : memory_end(&c, end_upload(memory_of(store), id, upload_id));
}

/* ---- parts ---- */

/* Takes content. */
static void set_part(struct memory_upload *upload, int number, struct memory_content *content,
		     char **ret_etag)
{
	size_t n = (size_t)number;
	struct part *part;

	if (n > upload->n) {
		upload->parts = memory_must(reallocarray(upload->parts, n, sizeof(*upload->parts)));
		memset(upload->parts + upload->n, 0, (n - upload->n) * sizeof(*upload->parts));
		upload->n = n;
	}
	part = &upload->parts[n - 1];
	part_deinit(part);
	part->etag = memory_content_etag(content);
	part->content = *content;
	*content = (struct memory_content){0};
	*ret_etag = memory_must(strdup(part->etag));
}

static int check_part(int number, uint64_t len)
{
	if (number < 1 || number > S3_PARTS_MAX)
		return -EINVAL;
	return len > S3_PART_MAX ? -EFBIG : 0;
}

int memory_upload_part(struct store *store, struct call *call, const struct object_id *id,
		       const char *upload_id, int number, const void *data, size_t len,
		       char **ret_etag)
{
	struct memory_store *s3 = memory_of(store);
	struct memory_content content = {0};
	struct memory_upload *upload;
	struct memory_call c;
	char *etag = NULL;
	int r = memory_begin(&c, store, call, MEMORY_UPLOAD_PART, id->bucket, id->key);

	if (r < 0)
		return r;
	r = check_part(number, len);
	pthread_mutex_lock(&s3->lock);
	s3->bytes_put += len;
	if (r == 0 && (upload = find_locked(s3, id, upload_id, &r))) {
		memory_content_add(&content, data, len);
		set_part(upload, number, &content, &etag);
		r = 0;
	}
	pthread_mutex_unlock(&s3->lock);
	return answer_text(&c, r, etag, ret_etag);
}

static int copy_part_locked(struct memory_store *s3, const struct object_id *id,
			    const char *upload_id, int number, const struct object_id *source,
			    const char *source_etag, uint64_t offset, uint64_t len, char **ret_etag)
{
	const struct memory_object *object = memory_object_locked(s3, source);
	struct memory_content content = {0};
	struct memory_upload *upload;
	int r;

	upload = find_locked(s3, id, upload_id, &r);
	if (!upload)
		return r;
	if (!object)
		return -ENOENT;
	if (source_etag && strcmp(source_etag, object->told.etag) != 0)
		return -ESTALE;
	if (len == 0 || offset > object->content.size || len > object->content.size - offset)
		return -EINVAL; /* InvalidArgument: the range is not valid for the source */
	memory_content_add_range(&content, &object->content, offset, len);
	set_part(upload, number, &content, ret_etag);
	return 0;
}

int memory_copy_part(struct store *store, struct call *call, const struct object_id *id,
		     const char *upload_id, int number, const struct object_id *source,
		     const char *source_etag, uint64_t offset, uint64_t len, char **ret_etag)
{
	struct memory_store *s3 = memory_of(store);
	struct memory_call c;
	char *etag = NULL;
	int r = memory_begin(&c, store, call, MEMORY_COPY_PART, id->bucket, id->key);

	if (r < 0)
		return r;
	r = check_part(number, len);
	if (r == 0) {
		pthread_mutex_lock(&s3->lock);
		r = copy_part_locked(s3, id, upload_id, number, source, source_etag, offset, len,
				     &etag);
		pthread_mutex_unlock(&s3->lock);
	}
	return answer_text(&c, r, etag, ret_etag);
}

/* ---- complete ---- */

/* InvalidPart, EntityTooSmall, and MalformedXML for no part at all: -EINVAL. */
static int check_parts(const struct memory_store *s3, const struct memory_upload *upload,
		       const char *const *etags, size_t n)
{
	uint64_t size = 0;

	if (n < 1 || n > upload->n)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		const struct part *part = &upload->parts[i];

		if (!part->etag || strcmp(part->etag, etags[i]) != 0)
			return -EINVAL;
		if (i + 1 < n && part->content.size < s3->part_min)
			return -EINVAL;
		size += part->content.size;
	}
	return size > S3_OBJECT_MAX ? -EFBIG : 0;
}

/* "\"MD5 of the parts' MD5s-N\"". */
static char *etag_of_parts(const struct memory_upload *upload, size_t n)
{
	_cleanup_(buf_deinit) struct buf digests = BUF_INIT;
	struct memory_content content = {0};
	char *etag, *whole;

	for (size_t i = 0; i < n; i++)
		for (const char *p = upload->parts[i].etag + 1; *p != '"'; p += 2) {
			unsigned int byte;

			if (sscanf(p, "%2x", &byte) != 1 || buf_add_char(&digests, (char)byte) < 0)
				abort();
		}
	memory_content_add(&content, digests.data, digests.len);
	etag = memory_content_etag(&content);
	memory_content_deinit(&content);
	etag[strlen(etag) - 1] = '\0';
	if (asprintf(&whole, "%s-%zu\"", etag, n) < 0)
		abort();
	free(etag);
	return whole;
}

static struct memory_object *assemble(struct memory_store *s3, const struct memory_upload *upload,
				      size_t n)
{
	struct memory_content content = {0};

	for (size_t i = 0; i < n; i++)
		memory_content_add_range(&content, &upload->parts[i].content, 0,
					 upload->parts[i].content.size);
	return memory_object_new(s3, upload->key, &upload->description, &content,
				 etag_of_parts(upload, n));
}

/* A refused completion leaves the upload. */
static int complete_locked(struct memory_store *s3, const struct object_id *id,
			   const char *upload_id, const struct put_params *params,
			   const char *const *etags, size_t n, struct object *ret_told)
{
	struct memory_bucket *bucket = memory_bucket_locked(s3, id->bucket);
	struct memory_upload *upload;
	struct memory_object *object;
	int r;

	upload = find_locked(s3, id, upload_id, &r);
	if (!upload)
		return r;
	r = check_parts(s3, upload, etags, n);
	if (r == 0)
		r = memory_conditions(memory_map_find(&bucket->objects, id->key), params);
	if (r < 0)
		return r;
	object = assemble(s3, upload, n);
	ret_told->etag = memory_must(strdup(object->told.etag));
	ret_told->mtime_ms = memory_header_date(object->told.mtime_ms);
	memory_object_install_locked(bucket, object);
	memory_upload_free(memory_map_remove(&bucket->uploads, upload_id));
	return 0;
}

int memory_complete_upload(struct store *store, struct call *call, const struct object_id *id,
			   const char *upload_id, const struct put_params *params,
			   const char *const *etags, size_t n, struct object *ret_object)
{
	struct memory_store *s3 = memory_of(store);
	struct object told = {0};
	struct memory_call c;
	int r = memory_begin(&c, store, call, MEMORY_COMPLETE_UPLOAD, id->bucket, id->key);

	if (r < 0)
		return r;
	pthread_mutex_lock(&s3->lock);
	r = complete_locked(s3, id, upload_id, params, etags, n, &told);
	pthread_mutex_unlock(&s3->lock);
	r = memory_end(&c, r);
	if (r == 0 && ret_object)
		*ret_object = told;
	else
		object_deinit(&told);
	return r;
}

/* ---- list ---- */

static int compare(const char *key_a, const char *id_a, const char *key_b, const char *id_b)
{
	int by_key = strcmp(key_a, key_b);

	return by_key != 0 ? by_key : strcmp(id_a, id_b);
}

static bool listed(const struct memory_upload *upload, const char *prefix, const char *key,
		   const char *id)
{
	if (prefix && strncmp(upload->key, prefix, strlen(prefix)) != 0)
		return false;
	if (!key)
		return true;
	return id ? compare(upload->key, upload->named.name, key, id) > 0
		  : strcmp(upload->key, key) > 0;
}

static int by_key_and_id(const void *a, const void *b)
{
	const struct upload *x = a, *y = b;

	return compare(x->key, x->upload_id, y->key, y->upload_id);
}

/* All of them, in the order of the bucket's ids. */
static void collect(const struct memory_bucket *bucket, const char *prefix, const char *key,
		    const char *id, struct upload_page *page)
{
	page->v = memory_must(calloc(bucket->uploads.n + 1, sizeof(*page->v)));
	for (size_t i = 0; i < bucket->uploads.n; i++) {
		const struct memory_upload *upload = (struct memory_upload *)bucket->uploads.v[i];

		if (listed(upload, prefix, key, id))
			page->v[page->n++] = (struct upload){
			    .key = memory_must(strdup(upload->key)),
			    .upload_id = memory_must(strdup(upload->named.name)),
			    .initiated_ms = memory_header_date(upload->initiated_ms),
			};
	}
}

/* What does not fit on the page goes, and the page says where to go on. */
static void cut_page(struct upload_page *page, size_t max)
{
	if (page->n <= max)
		return;
	page->next_key = memory_must(strdup(page->v[max - 1].key));
	page->next_id = memory_must(strdup(page->v[max - 1].upload_id));
	while (page->n > max) {
		page->n--;
		free(page->v[page->n].key);
		free(page->v[page->n].upload_id);
	}
}

int memory_list_uploads(struct store *store, struct call *call, const char *bucket_name,
			const char *prefix, const char *key, const char *id,
			struct upload_page *ret_page)
{
	_cleanup_(upload_page_deinit) struct upload_page page = {0};
	struct memory_store *s3 = memory_of(store);
	const struct memory_bucket *bucket;
	struct memory_call c;
	int r = memory_begin(&c, store, call, MEMORY_LIST_UPLOADS, bucket_name, NULL);

	if (r < 0)
		return r;
	pthread_mutex_lock(&s3->lock);
	bucket = memory_bucket_locked(s3, bucket_name);
	if (bucket)
		collect(bucket, prefix, key, id, &page);
	pthread_mutex_unlock(&s3->lock);
	if (page.n > 0)
		qsort(page.v, page.n, sizeof(*page.v), by_key_and_id);
	cut_page(&page, s3->uploads_size);
	r = memory_end(&c, bucket ? 0 : -ENOENT);
	if (r < 0)
		return r;
	*ret_page = page;
	page = (struct upload_page){0};
	return 0;
}
