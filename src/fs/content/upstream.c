#include "upstream.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "xacctfs/util/cleanup.h"

#include "../least.h"

/* The most parts of one stream that are under way at once. */
#define UNDER_WAY_MAX 4
/* The first part is kept back when the stream's share of the memory is so many of it. */
#define KEEP_SHARE 4
/* How long memory is waited for at once, and how often while there is hope. */
#define PATIENCE_MS     1000
#define PATIENCE_ROUNDS 10

int upstream_new(struct content_room *room, const struct object_id *id,
		 struct upstream **ret_stream)
{
	struct upstream *stream = calloc(1, sizeof(*stream));
	int r;

	if (!stream)
		return -ENOMEM;
	stream->room = room;
	stream->next = 1;
	r = multipart_new(room, id, &stream->upload);
	if (r < 0) {
		free(stream);
		return r;
	}
	memory_join(room->memory);
	*ret_stream = stream;
	return 0;
}

struct multipart *upstream_free(struct upstream *stream)
{
	struct multipart *upload = stream->upload;

	multipart_stop(upload);
	while (upload->n > 0)
		multipart_drop_last(upload);
	memory_leave(stream->room->memory);
	free(stream->expected);
	free(stream);
	return upload;
}

uint64_t upstream_size(struct upstream *stream)
{
	uint64_t size;

	pthread_mutex_lock(&stream->upload->lock);
	size = stream->size;
	pthread_mutex_unlock(&stream->upload->lock);
	return size;
}

static enum part_state state_of(const struct part *part)
{
	enum part_state state;

	pthread_mutex_lock(&part->upload->lock);
	state = part->state;
	pthread_mutex_unlock(&part->upload->lock);
	return state;
}

bool upstream_has_sent(struct upstream *stream)
{
	const struct multipart *upload = stream->upload;

	return stream->next > 1 || (upload->n > 0 && state_of(upload->parts[0]) != PART_HELD);
}

/* The part of that offset, which is before the end. */
static size_t part_at(const struct upstream *stream, uint64_t offset)
{
	const struct multipart *upload = stream->upload;
	size_t low = 0, high = upload->n - 1;

	while (low < high) {
		size_t middle = high - (high - low) / 2;

		if (upload->parts[middle]->offset <= offset)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* From one part that may be HELD to the next one: the first, and the last ones. */
static size_t after(const struct upstream *stream, size_t i)
{
	return i + 1 < stream->next ? stream->next : i + 1;
}

/* ---- read ---- */

static int read_locked(struct upstream *stream, uint64_t offset, size_t len, char *data)
{
	const struct multipart *upload = stream->upload;

	for (size_t i = part_at(stream, offset); len > 0; i++) {
		const struct part *part = upload->parts[i];
		size_t n;
		int r;

		if (part->state == PART_SENT)
			return UPSTREAM_E_ELSEWHERE;
		n = (size_t)least(len, part->offset + part->len - offset);
		r = part_buffer_read(&part->buffer, (size_t)(offset - part->offset), data, n);
		if (r < 0)
			return r;
		offset += n;
		data += n;
		len -= n;
	}
	return 0;
}

int upstream_read(struct upstream *stream, uint64_t offset, size_t len, void *data, size_t *ret_n)
{
	size_t n = 0;
	int r = 0;

	pthread_mutex_lock(&stream->upload->lock);
	if (offset < stream->size) {
		n = (size_t)least(len, stream->size - offset);
		r = read_locked(stream, offset, n, data);
	}
	pthread_mutex_unlock(&stream->upload->lock);
	if (r == 0)
		*ret_n = n;
	return r;
}

static int each_part(struct part *part,
		     int (*fn)(void *data, uint64_t offset, const void *bytes, size_t len),
		     void *data)
{
	const void *bytes;
	int r = part_buffer_map(&part->buffer, NULL, part->len, &bytes);

	if (r < 0)
		return r;
	r = fn(data, part->offset, bytes, part->len);
	part_buffer_unmap(&part->buffer, part->len, bytes);
	return r;
}

int upstream_each(struct upstream *stream,
		  int (*fn)(void *data, uint64_t offset, const void *bytes, size_t len), void *data)
{
	const struct multipart *upload = stream->upload;

	multipart_stop(stream->upload);
	for (size_t i = 0; i < upload->n; i++) {
		int r;

		if (upload->parts[i]->len == 0 || state_of(upload->parts[i]) == PART_SENT)
			continue;
		r = each_part(upload->parts[i], fn, data);
		if (r != 0)
			return r;
	}
	return 0;
}

/* ---- room for more ---- */

static uint64_t part_size(const struct upstream *stream, int number)
{
	const struct content_limits *limits = stream->room->limits;

	return limits ? limits->part_size(number) : content_part_size(number);
}

static unsigned int under_way_max(const struct upstream *stream, uint64_t size)
{
	uint64_t parts = memory_share(stream->room->memory) / size;

	return parts < 1 ? 1 : (unsigned int)least(parts, UNDER_WAY_MAX);
}

static bool is_full(const struct part *part, size_t len)
{
	return len == part->size;
}

/* An upload that was begun for parts of before stays in use, with the parameters of then. */
static int begin(struct upstream *stream, struct call *call, const struct upstream_params *params)
{
	if (!stream->upload->upload_id)
		stream->version = params->version;
	return multipart_begin(stream->upload, call, &params->put);
}

/* Gives the memory of the first part back by and by. 1 when it is under way then, 0 when it cannot.
 */
static int send_first(struct upstream *stream, struct call *call,
		      const struct upstream_params *params)
{
	struct part *first = stream->upload->parts[0];
	int r;

	if (stream->upload->n < 2 || state_of(first) != PART_HELD || !is_full(first, first->len))
		return 0;
	r = begin(stream, call, params);
	if (r < 0)
		return r;
	multipart_send(first);
	return 1;
}

static int move_to_file(struct part *part)
{
	struct part_buffer old = part->buffer, in_file;
	int r = part_buffer_in_file(&part->buffer, part->len, &in_file);

	if (r < 0)
		return r;
	pthread_mutex_lock(&part->upload->lock);
	part->buffer = in_file;
	pthread_mutex_unlock(&part->upload->lock);
	part_buffer_deinit(&old);
	return 0;
}

/*
 * So that the first len bytes of the part may be written. Memory is waited for while some upload,
 * of whatever file, will give some back; else the part goes on in a local file.
 */
static int make_room(struct upstream *stream, struct call *call,
		     const struct upstream_params *params, struct part *part, size_t len)
{
	struct content_room *room = stream->room;

	for (int round = 0; round < PATIENCE_ROUNDS; round++) {
		size_t n = part_buffer_needs(&part->buffer, len);
		int r = n == 0 ? 0 : memory_take(room->memory, call, n, PATIENCE_MS);

		if (r == 0)
			part_buffer_took(&part->buffer, n);
		if (r != -EAGAIN)
			return r;
		r = send_first(stream, call, params);
		if (r < 0)
			return r;
		if (r == 0 && atomic_load(&room->under_way) == 0)
			break;
	}
	return move_to_file(part);
}

static bool is_plenty(const struct upstream *stream, size_t part)
{
	return memory_share(stream->room->memory) / KEEP_SHARE >= part;
}

static int add_part(struct upstream *stream, struct call *call, struct part **ret_part)
{
	struct multipart *upload = stream->upload;
	uint64_t size = part_size(stream, (int)upload->n + 1), offset = 0;
	struct part_buffer buffer;
	int r = multipart_wait(upload, call, under_way_max(stream, size) - 1);

	if (r == 0)
		r = multipart_error(upload);
	if (r < 0)
		return r;
	if (upload->n > 0) {
		const struct part *last = upload->parts[upload->n - 1];

		offset = last->offset + last->size;
		if (upload->n == 1)
			stream->first_is_kept =
			    !last->buffer.bytes || is_plenty(stream, last->size);
	}
	r = part_buffer_init(&buffer, stream->room, (size_t)size);
	if (r < 0)
		return r;
	r = multipart_add(upload, offset, &buffer, 0, ret_part);
	if (r < 0)
		part_buffer_deinit(&buffer);
	return r;
}

/* How far the part is filled when the stream ends there. */
static size_t filled(const struct part *part, uint64_t end)
{
	return end > part->offset ? (size_t)least(end - part->offset, part->size) : 0;
}

/* True when it is to be sent as soon as the stream reaches to end. */
static bool is_due(const struct upstream *stream, const struct part *part, uint64_t end)
{
	if (state_of(part) != PART_HELD || !is_full(part, filled(part, end)))
		return false;
	return part->number > 1 || (stream->upload->n > 1 && !stream->first_is_kept);
}

static bool any_due(const struct upstream *stream, uint64_t end)
{
	for (size_t i = 0; i < stream->upload->n; i = after(stream, i))
		if (is_due(stream, stream->upload->parts[i], end))
			return true;
	return false;
}

/* The parts from the stream's end to `end`, and memory for them. */
static int reserve(struct upstream *stream, struct call *call, const struct upstream_params *params,
		   uint64_t end)
{
	struct multipart *upload = stream->upload;
	uint64_t at = stream->size;
	int r = 0;

	while (r == 0 && at < end) {
		struct part *part = upload->n ? upload->parts[upload->n - 1] : NULL;

		if (!part || at == part->offset + part->size)
			r = add_part(stream, call, &part);
		if (r == 0)
			r = make_room(stream, call, params, part, filled(part, end));
		if (r == 0)
			at = part->offset + filled(part, end);
	}
	if (r == 0 && any_due(stream, end))
		r = begin(stream, call, params);
	return r;
}

/* Drops the parts that nothing was written to. */
static void drop_empty(struct upstream *stream)
{
	struct multipart *upload = stream->upload;

	while (upload->n > 0 && upload->parts[upload->n - 1]->len == 0)
		multipart_drop_last(upload);
}

/* ---- write ---- */

/* True when [start, end), before the stream's end, is in parts that were not sent. */
static bool is_held(const struct upstream *stream, uint64_t start, uint64_t end)
{
	while (start < end) {
		const struct part *part = stream->upload->parts[part_at(stream, start)];

		if (state_of(part) != PART_HELD)
			return false;
		start = part->offset + part->len;
	}
	return true;
}

/* Behind the stream's end, where nobody reads yet. */
static int fill(struct upstream *stream, uint64_t end, const char *data)
{
	for (size_t i = 0; i < stream->upload->n; i = after(stream, i)) {
		struct part *part = stream->upload->parts[i];
		size_t n = filled(part, end);
		int r;

		if (state_of(part) != PART_HELD || n <= part->len)
			continue;
		r = part_buffer_write(&part->buffer, part->len, data, n - part->len);
		if (r < 0)
			return r;
		data += n - part->len;
	}
	return 0;
}

/* Before the stream's end: those who read see the bytes of before or these. */
static int patch(struct upstream *stream, uint64_t start, uint64_t end, const char *data)
{
	const struct multipart *upload = stream->upload;
	int r = 0;

	pthread_mutex_lock(&stream->upload->lock);
	for (size_t i = part_at(stream, start); r == 0 && start < end; i++) {
		struct part *part = upload->parts[i];
		size_t n;

		n = (size_t)least(end, part->offset + part->len) - (size_t)start;
		r = part_buffer_write(&part->buffer, (size_t)(start - part->offset), data, n);
		start += n;
		data += n;
	}
	pthread_mutex_unlock(&stream->upload->lock);
	return r;
}

static void grow(struct upstream *stream, uint64_t end)
{
	pthread_mutex_lock(&stream->upload->lock);
	for (size_t i = 0; i < stream->upload->n; i = after(stream, i)) {
		struct part *part = stream->upload->parts[i];

		if (part->state == PART_HELD && filled(part, end) > part->len)
			part->len = filled(part, end);
	}
	stream->size = end;
	pthread_mutex_unlock(&stream->upload->lock);
}

static void send_due(struct upstream *stream)
{
	for (size_t i = 0; i < stream->upload->n; i = after(stream, i)) {
		if (!is_due(stream, stream->upload->parts[i], stream->size))
			continue;
		multipart_send(stream->upload->parts[i]);
		if (i > 0)
			stream->next = i + 1;
	}
}

static int extend(struct upstream *stream, struct call *call, const struct upstream_params *params,
		  const char *data, uint64_t end)
{
	int r = reserve(stream, call, params, end);

	return r < 0 ? r : fill(stream, end, data);
}

int upstream_write(struct upstream *stream, struct call *call, const struct upstream_params *params,
		   uint64_t offset, const void *data, size_t len)
{
	uint64_t size = stream->size, end = offset + len, inside = least(end, size);
	const char *bytes = data;
	int r = multipart_error(stream->upload);

	if (r < 0) {
		stream->refused = true;
		return r;
	}
	if (stream->sealed || offset > size || !is_held(stream, offset, inside))
		return UPSTREAM_E_ELSEWHERE;
	if (end > size)
		r = extend(stream, call, params, bytes + (size - offset), end);
	/* the wait for memory may have sent the first part */
	if (r == 0 && !is_held(stream, offset, inside))
		r = UPSTREAM_E_ELSEWHERE;
	if (r == 0 && inside > offset)
		r = patch(stream, offset, inside, bytes);
	if (r != 0) {
		drop_empty(stream);
		return r;
	}
	if (end > size) {
		grow(stream, end);
		send_due(stream);
	}
	return 0;
}

/* ---- truncate ---- */

/* Behind size all is HELD; the part that ends there may be under way. */
static void cut(struct upstream *stream, uint64_t size)
{
	struct multipart *upload = stream->upload;
	struct part *last;

	while (upload->parts[upload->n - 1]->offset >= size)
		multipart_drop_last(upload);
	last = upload->parts[upload->n - 1];
	pthread_mutex_lock(&upload->lock);
	if (last->state == PART_HELD)
		last->len = filled(last, size);
	stream->size = size;
	pthread_mutex_unlock(&upload->lock);
}

int upstream_truncate(struct upstream *stream, uint64_t size)
{
	if (size == stream->size)
		return 0;
	if (size == 0 || stream->sealed || size > stream->size ||
	    !is_held(stream, size, stream->size))
		return UPSTREAM_E_ELSEWHERE;
	cut(stream, size);
	return 0;
}

/* ---- flush ---- */

static void expect(struct upstream *stream, char *etag)
{
	free(stream->expected);
	stream->expected = etag;
	stream->attempted = true;
}

static int put_bytes(struct upstream *stream, struct call *call,
		     const struct upstream_params *params, const void *bytes, size_t len,
		     struct object *ret_object)
{
	struct store *store = stream->room->reader.store;
	int r = store->put_object(store, call, &stream->upload->id, &params->put, bytes, len,
				  ret_object);

	if (r < 0)
		expect(stream, multipart_expected_etag_of(bytes, len));
	else
		stream->version = params->version;
	return r;
}

static int put(struct upstream *stream, struct call *call, const struct upstream_params *params,
	       struct object *ret_object)
{
	const struct part *part;
	const void *bytes;
	int r;

	if (stream->size == 0)
		return put_bytes(stream, call, params, "", 0, ret_object);
	part = stream->upload->parts[0];
	r = part_buffer_map(&part->buffer, call, part->len, &bytes);
	if (r < 0)
		return r;
	r = put_bytes(stream, call, params, bytes, part->len, ret_object);
	part_buffer_unmap(&part->buffer, part->len, bytes);
	return r;
}

/* The first part last: it is the one that may still be changed, if the others fail. */
static void send_held(struct upstream *stream)
{
	for (size_t i = stream->upload->n; i > 0; i--)
		if (state_of(stream->upload->parts[i - 1]) == PART_HELD)
			multipart_send(stream->upload->parts[i - 1]);
	stream->next = stream->upload->n;
}

static int finish(struct upstream *stream, struct call *call, const struct upstream_params *params,
		  struct object *ret_object)
{
	struct multipart *upload = stream->upload;
	int r = begin(stream, call, params);

	if (r < 0)
		return r;
	stream->sealed = true;
	multipart_send_failed(upload);
	send_held(stream);
	r = multipart_wait(upload, call, 0);
	if (r == 0)
		r = multipart_error(upload);
	if (r < 0)
		return r;
	r = multipart_complete(upload, call, &params->put, ret_object);
	if (r < 0)
		expect(stream, multipart_expected_etag(upload));
	return r;
}

int upstream_flush(struct upstream *stream, struct call *call, const struct upstream_params *params,
		   struct object *ret_object)
{
	int r;

	stream->attempted = false;
	if (stream->refused) {
		stream->refused = false;
		return multipart_error(stream->upload);
	}
	if (stream->upload->n > 1 || upstream_has_sent(stream))
		r = finish(stream, call, params, ret_object);
	else
		r = put(stream, call, params, ret_object);
	if (r == 0 && ret_object)
		ret_object->size = stream->size;
	return r;
}
