#include "multipart.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/aws/digest.h"
#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/waiter.h"

int multipart_new(struct content_room *room, const struct object_id *id,
		  struct multipart **ret_upload)
{
	_cleanup_(freep) char *bucket = strdup(id->bucket), *key = strdup(id->key);
	struct multipart *upload;

	if (!bucket || !key)
		return -ENOMEM;
	upload = calloc(1, sizeof(*upload));
	if (!upload)
		return -ENOMEM;
	if (clock_cond_init(&upload->changed) < 0) {
		free(upload);
		return -ENOMEM;
	}
	pthread_mutex_init(&upload->lock, NULL);
	upload->room = room;
	upload->bucket = steal(&bucket);
	upload->key = steal(&key);
	upload->id = (struct object_id){upload->bucket, upload->key};
	*ret_upload = upload;
	return 0;
}

static void part_free(struct part *part)
{
	part_buffer_deinit(&part->buffer);
	free(part->etag);
	free(part);
}

void multipart_free(struct multipart *upload)
{
	if (!upload)
		return;
	assert(upload->under_way == 0);
	while (upload->n > 0)
		multipart_drop_last(upload);
	free(upload->parts);
	free(upload->upload_id);
	free(upload->bucket);
	free(upload->key);
	pthread_cond_destroy(&upload->changed);
	pthread_mutex_destroy(&upload->lock);
	free(upload);
}

static struct store *store_of(const struct multipart *upload)
{
	return upload->room->reader.store;
}

int multipart_begin(struct multipart *upload, struct call *call, const struct put_params *params)
{
	struct store *store = store_of(upload);

	if (upload->upload_id)
		return 0;
	return store->create_upload(store, call, &upload->id, params, &upload->upload_id);
}

/* ---- parts ---- */

static int append(struct multipart *upload, struct part *part)
{
	size_t size = upload->size ? 2 * upload->size : 16;
	struct part **parts = upload->parts;

	if (upload->n == upload->size) {
		parts = reallocarray(parts, size, sizeof(struct part *));
		if (!parts)
			return -ENOMEM;
		upload->parts = parts;
		upload->size = size;
	}
	parts[upload->n++] = part;
	return 0;
}

static int add(struct multipart *upload, uint64_t offset, struct part **ret_part)
{
	struct part *part;
	int r;

	if (upload->n == S3_PARTS_MAX)
		return -EFBIG;
	part = calloc(1, sizeof(*part));
	if (!part)
		return -ENOMEM;
	part->upload = upload;
	part->offset = offset;
	part->number = (int)upload->n + 1;
	pthread_mutex_lock(&upload->lock);
	r = append(upload, part);
	pthread_mutex_unlock(&upload->lock);
	if (r < 0) {
		free(part);
		return r;
	}
	*ret_part = part;
	return 0;
}

int multipart_add(struct multipart *upload, uint64_t offset, struct part_buffer *buffer, size_t len,
		  struct part **ret_part)
{
	int r = add(upload, offset, ret_part);

	if (r < 0)
		return r;
	(*ret_part)->buffer = *buffer;
	(*ret_part)->size = buffer->size;
	(*ret_part)->len = len;
	*buffer = (struct part_buffer){0};
	return 0;
}

int multipart_add_copy(struct multipart *upload, uint64_t offset, uint64_t len,
		       struct part **ret_part)
{
	int r = add(upload, offset, ret_part);

	if (r == 0)
		(*ret_part)->copied = len;
	return r;
}

void multipart_drop_last(struct multipart *upload)
{
	struct part *part;

	pthread_mutex_lock(&upload->lock);
	part = upload->parts[--upload->n];
	assert(part->state != PART_UNDER_WAY);
	if (part->state == PART_FAILED)
		upload->failed--;
	pthread_mutex_unlock(&upload->lock);
	part_free(part);
}

/* ---- what is under way ---- */

static int send_bytes(struct part *part, struct call *call, char **ret_etag)
{
	struct multipart *upload = part->upload;
	struct store *store = store_of(upload);
	const void *data;
	int r = part_buffer_map(&part->buffer, call, part->len, &data);

	if (r < 0)
		return r;
	r = store->upload_part(store, call, &upload->id, upload->upload_id, part->number, data,
			       part->len, ret_etag);
	part_buffer_unmap(&part->buffer, part->len, data);
	return r;
}

static int send_part(struct part *part, struct call *call, char **ret_etag)
{
	struct multipart *upload = part->upload;
	struct store *store = store_of(upload);

	if (part->copied == 0)
		return send_bytes(part, call, ret_etag);
	return store->copy_part(store, call, &upload->id, upload->upload_id, part->number,
				&upload->id, upload->source_etag, part->offset, part->copied,
				ret_etag);
}

/* The part has its result. Its bytes, when they are of no use any more, are for the caller. */
static struct part_buffer take_result(struct part *part, int r, char *etag)
{
	struct multipart *upload = part->upload;
	struct part_buffer unused = {0};

	pthread_mutex_lock(&upload->lock);
	part->call = NULL;
	part->state = r == 0 ? PART_SENT : PART_FAILED;
	if (r == 0) {
		free(part->etag);
		part->etag = etag;
		unused = part->buffer;
		part->buffer = (struct part_buffer){0};
	} else {
		upload->failed++;
		upload->error = r;
	}
	pthread_mutex_unlock(&upload->lock);
	return unused;
}

/* Behind its end the upload may be gone. */
static void run(struct part *part)
{
	struct multipart *upload = part->upload;
	struct content_room *room = upload->room;
	struct part_buffer unused;
	char *etag = NULL;
	struct call call;
	bool stopping;
	int r;

	call_init(&call, room->group, room->reader.clock, room->timeout_ms);
	pthread_mutex_lock(&upload->lock);
	part->ticket = NULL;
	part->call = &call;
	stopping = upload->stopping;
	pthread_mutex_unlock(&upload->lock);
	r = stopping ? -EINTR : send_part(part, &call, &etag);
	unused = take_result(part, r, etag);
	call_deinit(&call);
	part_buffer_deinit(&unused);
	atomic_fetch_sub(&room->under_way, 1);
	pthread_mutex_lock(&upload->lock);
	upload->under_way--;
	pthread_cond_broadcast(&upload->changed);
	pthread_mutex_unlock(&upload->lock);
}

/*
 * What the pool has in its queue. Who takes it first, the job or multipart_stop, has to do with the
 * part; the job, whenever it comes, frees it.
 */
struct part_ticket {
	struct part *part;
	atomic_bool taken;
};

static bool take_ticket(struct part_ticket *ticket)
{
	return !atomic_exchange(&ticket->taken, true);
}

static void part_job(void *data)
{
	struct part_ticket *ticket = data;

	if (take_ticket(ticket))
		run(ticket->part);
	free(ticket);
}

static void set_under_way(struct part *part, struct part_ticket *ticket)
{
	struct multipart *upload = part->upload;

	pthread_mutex_lock(&upload->lock);
	if (part->state == PART_FAILED)
		upload->failed--;
	part->state = PART_UNDER_WAY;
	part->ticket = ticket;
	upload->under_way++;
	pthread_mutex_unlock(&upload->lock);
	atomic_fetch_add(&upload->room->under_way, 1);
}

void multipart_send(struct part *part)
{
	struct part_ticket *ticket = calloc(1, sizeof(*ticket));

	if (ticket)
		ticket->part = part;
	set_under_way(part, ticket);
	if (ticket && pool_submit(part->upload->room->uploads, part_job, ticket) == 0)
		return;
	/* no memory, or no thread to be had: in this one, then */
	run(part);
	free(ticket);
}

void multipart_send_failed(struct multipart *upload)
{
	for (size_t i = 0; i < upload->n; i++) {
		bool failed;

		pthread_mutex_lock(&upload->lock);
		failed = upload->parts[i]->state == PART_FAILED;
		pthread_mutex_unlock(&upload->lock);
		if (failed)
			multipart_send(upload->parts[i]);
	}
}

int multipart_wait(struct multipart *upload, struct call *call, unsigned int most)
{
	struct waiter waiter;
	int r = 0;

	waiter_begin(&waiter, call, &upload->lock, &upload->changed);
	pthread_mutex_lock(&upload->lock);
	while (r == 0 && upload->under_way > most)
		r = waiter_wait_locked(&waiter);
	pthread_mutex_unlock(&upload->lock);
	waiter_end(&waiter);
	return r;
}

unsigned int multipart_under_way(struct multipart *upload)
{
	unsigned int under_way;

	pthread_mutex_lock(&upload->lock);
	under_way = upload->under_way;
	pthread_mutex_unlock(&upload->lock);
	return under_way;
}

void multipart_get_progress(struct multipart *upload, uint64_t *ret_sent, uint64_t *ret_under_way,
			    size_t *ret_failed)
{
	uint64_t sent = 0, under_way = 0;

	pthread_mutex_lock(&upload->lock);
	for (size_t i = 0; i < upload->n; i++) {
		const struct part *part = upload->parts[i];

		if (part->state == PART_SENT)
			sent += part->len;
		else if (part->state == PART_UNDER_WAY)
			under_way += part->len;
	}
	*ret_failed = upload->failed;
	pthread_mutex_unlock(&upload->lock);
	*ret_sent = sent;
	*ret_under_way = under_way;
}

int multipart_error(struct multipart *upload)
{
	int r;

	pthread_mutex_lock(&upload->lock);
	r = upload->failed > 0 ? upload->error : 0;
	pthread_mutex_unlock(&upload->lock);
	return r;
}

static void stop_locked(struct part *part)
{
	struct multipart *upload = part->upload;

	if (part->call)
		call_cancel(part->call);
	if (!part->ticket || !take_ticket(part->ticket))
		return;
	part->ticket = NULL;
	part->state = PART_FAILED;
	upload->failed++;
	upload->error = -EINTR;
	upload->under_way--;
	atomic_fetch_sub(&upload->room->under_way, 1);
}

void multipart_stop(struct multipart *upload)
{
	pthread_mutex_lock(&upload->lock);
	upload->stopping = true;
	for (size_t i = 0; i < upload->n; i++)
		stop_locked(upload->parts[i]);
	while (upload->under_way > 0)
		pthread_cond_wait(&upload->changed, &upload->lock);
	upload->stopping = false;
	pthread_mutex_unlock(&upload->lock);
}

/* ---- the end ---- */

int multipart_complete(struct multipart *upload, struct call *call, const struct put_params *params,
		       struct object *ret_object)
{
	struct store *store = store_of(upload);
	_cleanup_(freep) const char **etags = calloc(upload->n, sizeof(*etags));
	int r;

	if (!etags)
		return -ENOMEM;
	for (size_t i = 0; i < upload->n; i++) {
		assert(upload->parts[i]->state == PART_SENT);
		etags[i] = upload->parts[i]->etag;
	}
	r = store->complete_upload(store, call, &upload->id, upload->upload_id, params, etags,
				   upload->n, ret_object);
	if (r == 0) {
		free(upload->upload_id);
		upload->upload_id = NULL;
	}
	return r;
}

int multipart_abort(struct multipart *upload, struct call *call)
{
	struct store *store = store_of(upload);
	int r;

	if (!upload->upload_id)
		return 0;
	r = store->abort_upload(store, call, &upload->id, upload->upload_id);
	if (r == 0) {
		free(upload->upload_id);
		upload->upload_id = NULL;
	}
	return r;
}

/* ---- ETags ---- */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "\"32 hexadecimal digits\"" as bytes. False for anything else. */
static bool parse_etag(const char *etag, uint8_t ret_sum[MD5_LEN])
{
	if (!etag || strlen(etag) != 2 * MD5_LEN + 2 || etag[0] != '"' ||
	    etag[2 * MD5_LEN + 1] != '"')
		return false;
	for (size_t i = 0; i < MD5_LEN; i++) {
		int high = hex_value(etag[1 + 2 * i]), low = hex_value(etag[2 + 2 * i]);

		if (high < 0 || low < 0)
			return false;
		ret_sum[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* suffix: "" or "-N". NULL when out of memory. */
static char *etag_text(const void *data, size_t len, size_t n_parts)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	uint8_t sum[MD5_LEN];

	if (md5_digest(data, len, sum) < 0 || buf_add_char(&text, '"') < 0 ||
	    buf_add_hex(&text, sum, sizeof(sum)) < 0)
		return NULL;
	if (n_parts > 0 && buf_printf(&text, "-%zu", n_parts) < 0)
		return NULL;
	if (buf_add_char(&text, '"') < 0)
		return NULL;
	return buf_steal(&text);
}

char *multipart_expected_etag(struct multipart *upload)
{
	_cleanup_(freep) uint8_t *sums = calloc(upload->n, MD5_LEN);

	if (!sums)
		return NULL;
	for (size_t i = 0; i < upload->n; i++)
		if (!parse_etag(upload->parts[i]->etag, sums + i * MD5_LEN))
			return NULL;
	return etag_text(sums, upload->n * MD5_LEN, upload->n);
}

char *multipart_expected_etag_of(const void *data, size_t len)
{
	return etag_text(data, len, 0);
}
