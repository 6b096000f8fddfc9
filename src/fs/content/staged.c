#include "staged.h"

#include <errno.h>
#include <stdlib.h>

#include "xacctfs/util/cleanup.h"

#include "../least.h"
#include "describe.h"
#include "plan.h"

/* Parts of one file that are under way at once. */
#define UNDER_WAY_MAX 4
/* A file of so many units is sent by one PUT. */
#define SINGLE_UNITS 2
/* What is carried from the local file, or the base, to a part at once. */
#define CHUNK ((size_t)1 << 20)
/* How long memory is waited for at once, and how often while other files' parts are under way. */
#define PATIENCE_MS     1000
#define PATIENCE_ROUNDS 10

/* ---- the file ---- */

int staged_init(struct staged *staged, struct content_room *room, uint64_t size, uint64_t visible)
{
	struct staging_area area;
	int r = staging_area_init(&area, room->staging);

	if (r < 0)
		return r;
	*staged = (struct staged){.area = area, .size = size, .visible = visible};
	return 0;
}

void staged_deinit(struct staged *staged)
{
	staging_area_deinit(&staged->area);
	ranges_deinit(&staged->dirty);
	*staged = (struct staged){0};
}

int staged_write(struct staged *staged, uint64_t offset, const void *data, size_t len)
{
	int r = ranges_reserve(&staged->dirty, 1);

	if (r == 0)
		r = staging_write(&staged->area, offset, data, len);
	if (r == 0)
		r = ranges_add(&staged->dirty, offset, offset + len);
	if (r < 0 || len == 0)
		return r;
	if (offset + len > staged->size)
		staged->size = offset + len;
	staged->changed = true;
	return 0;
}

int staged_truncate(struct staged *staged, uint64_t size)
{
	int r;

	if (size == staged->size)
		return 0;
	r = size < staged->size ? staging_truncate(&staged->area, size) : 0;
	if (r < 0)
		return r;
	/* nothing is behind the end, so this never makes one range two */
	(void)ranges_remove(&staged->dirty, size, UINT64_MAX);
	staged->visible = least(staged->visible, size);
	staged->size = size;
	staged->changed = true;
	return 0;
}

void staged_clean(struct staged *staged)
{
	ranges_deinit(&staged->dirty);
	staged->visible = staged->size;
	staged->changed = false;
}

enum staged_from staged_at(const struct staged *staged, uint64_t offset, uint64_t len,
			   uint64_t *ret_n)
{
	uint64_t end = least(offset + len, staged->size);
	struct range absent;

	if (!ranges_next(&staged->area.present, offset, end, false, &absent)) {
		*ret_n = end - offset;
		return STAGED_FILE;
	}
	if (absent.start > offset) {
		*ret_n = absent.start - offset;
		return STAGED_FILE;
	}
	if (offset < staged->visible) {
		*ret_n = least(absent.end, staged->visible) - offset;
		return STAGED_BASE;
	}
	*ret_n = absent.end - offset;
	return STAGED_ZEROES;
}

/* ---- filling a part ---- */

/* All n bytes of the base. */
static int read_base(struct staged_upload *job, struct call *call, uint64_t offset, size_t n,
		     char *chunk)
{
	for (size_t done = 0; done < n;) {
		size_t got = 0;
		int r = reader_read(job->base, call, offset + done, n - done, chunk + done, &got);

		if (r < 0)
			return r;
		if (got == 0)
			return -EIO; /* shorter than it was said to be */
		done += got;
	}
	return 0;
}

struct filling {
	struct part_buffer *buffer;
	size_t at;
};

static int into_buffer(void *data, const void *bytes, size_t n)
{
	struct filling *filling = data;
	int r = part_buffer_write(filling->buffer, filling->at, bytes, n);

	filling->at += n;
	return r;
}

/* Many bytes of the base come by one GET that is theirs alone: the reader would run ahead. */
static int fetch_base(struct staged_upload *job, struct call *call, uint64_t offset, size_t n,
		      struct part_buffer *buffer, size_t at)
{
	struct store *store = job->room->reader.store;
	struct filling filling = {buffer, at};
	const struct get_params params = {.offset = offset,
					  .len = n,
					  .if_match = job->base_etag,
					  .sink = into_buffer,
					  .sink_data = &filling};
	int r = store->get_object(store, call, job->id, &params, NULL);

	/* the base has these bytes: else it is another object now */
	if (r == -ENOENT || r == -ERANGE || (r == 0 && filling.at < at + n))
		r = -ESTALE;
	return r;
}

/* n: bytes of the file from there, up to where they come from elsewhere at most. */
static int carry(struct staged_upload *job, struct call *call, uint64_t offset, uint64_t len,
		 char *chunk, struct part_buffer *buffer, uint64_t start, uint64_t *ret_n)
{
	size_t at = (size_t)(offset - start);
	enum staged_from from = staged_at(job->staged, offset, len, ret_n);
	size_t n;
	int r;

	if (from == STAGED_ZEROES)
		return part_buffer_zero(buffer, at, (size_t)*ret_n);
	if (from == STAGED_BASE && *ret_n > CHUNK && job->base_etag)
		return fetch_base(job, call, offset, (size_t)*ret_n, buffer, at);
	*ret_n = least(*ret_n, CHUNK);
	n = (size_t)*ret_n;
	if (from == STAGED_FILE)
		r = staging_read(&job->staged->area, offset, chunk, n);
	else
		r = read_base(job, call, offset, n, chunk);
	return r < 0 ? r : part_buffer_write(buffer, at, chunk, n);
}

static int fill(struct staged_upload *job, struct call *call, uint64_t start, uint64_t len,
		struct part_buffer *buffer)
{
	_cleanup_(freep) char *chunk = malloc(CHUNK);
	uint64_t n;

	if (!chunk)
		return -ENOMEM;
	for (uint64_t at = start; at < start + len; at += n) {
		int r = carry(job, call, at, start + len - at, chunk, buffer, start, &n);

		if (r < 0)
			return r;
	}
	return 0;
}

/* How much of the buffer will be written to: nothing of what is zeroes at its end. */
static size_t filled_len(const struct staged *staged, uint64_t start, uint64_t len)
{
	size_t filled = 0;
	uint64_t n;

	for (uint64_t at = start; at < start + len; at += n)
		if (staged_at(staged, at, start + len - at, &n) != STAGED_ZEROES)
			filled = (size_t)(at - start + least(n, start + len - at));
	return filled;
}

/* True while memory may come back, of this file's parts or of others'. */
static bool there_is_hope(struct staged_upload *job, struct multipart *upload, int round)
{
	if (upload && multipart_under_way(upload) > 0)
		return true;
	return round < PATIENCE_ROUNDS && atomic_load(&job->room->under_way) > 0;
}

/*
 * Memory for the buffer: waited for while parts are under way, and taken all the same when none is,
 * so that a flush never fails for want of it.
 */
static int make_room(struct staged_upload *job, struct multipart *upload, struct call *call,
		     struct part_buffer *buffer, size_t len)
{
	struct memory_purse *memory = job->room->memory;
	size_t n = part_buffer_needs(buffer, len);
	int r = n == 0 ? 0 : -EAGAIN;

	for (int round = 1; r == -EAGAIN; round++) {
		r = memory_take(memory, call, n, PATIENCE_MS);
		if (r == -EAGAIN && !there_is_hope(job, upload, round)) {
			memory_force(memory, n);
			r = 0;
		}
	}
	if (r == 0)
		part_buffer_took(buffer, n);
	return r;
}

static int fill_buffer(struct staged_upload *job, struct multipart *upload, struct call *call,
		       uint64_t start, uint64_t len, struct part_buffer *buffer)
{
	int r = make_room(job, upload, call, buffer, filled_len(job->staged, start, len));

	return r < 0 ? r : fill(job, call, start, len, buffer);
}

/* These bytes of the file, to be deinitialised; in memory where there is no local space. */
static int get_filled(struct staged_upload *job, struct multipart *upload, struct call *call,
		      uint64_t start, uint64_t len, struct part_buffer *ret_buffer)
{
	struct part_buffer buffer = {0};
	int r = part_buffer_init(&buffer, job->room, (size_t)len);

	if (r == 0)
		r = fill_buffer(job, upload, call, start, len, &buffer);
	if (r == -ENOSPC) {
		part_buffer_deinit(&buffer);
		r = part_buffer_init_memory(&buffer, job->room, (size_t)len);
		if (r == 0)
			r = fill_buffer(job, upload, call, start, len, &buffer);
	}
	if (r < 0)
		part_buffer_deinit(&buffer);
	else
		*ret_buffer = buffer;
	return r;
}

/* ---- how it is described ---- */

static int find_and_merge(struct staged_upload *job, struct call *call)
{
	_cleanup_(object_deinit) struct object found = {0};
	int r = 0;

	if (!job->told)
		r = describe_find(job->room->reader.store, call, job->id, job->base_etag, job->base,
				  &found);
	return r < 0 ? r
		     : describe_merge(job->told ? job->told : &found, &job->params,
				      !job->staged->changed, &job->description);
}

/* Once what is fetched of the base was: that tells it, too. */
static int describe(struct staged_upload *job, struct call *call)
{
	struct put_params own = job->params;
	int r = job->keeps ? find_and_merge(job, call) : 0;

	if (r < 0 || !job->keeps)
		return r;
	job->params = object_put_params(&job->description);
	job->params.if_match = own.if_match;
	job->params.if_none_match = own.if_none_match;
	return 0;
}

/* ---- one PUT ---- */

/*
 * What came from the base is kept in the local file, if it takes it: the next flush, after the
 * next small change, needs no GET then.
 */
static void keep(struct staged_upload *job, const char *bytes)
{
	struct staged *staged = job->staged;
	uint64_t at = 0;
	struct range gap;

	while (ranges_next(&staged->area.present, at, staged->visible, false, &gap)) {
		int r;

		pthread_mutex_lock(job->lock);
		r = staging_write(&staged->area, gap.start, bytes + gap.start,
				  (size_t)(gap.end - gap.start));
		pthread_mutex_unlock(job->lock);
		if (r < 0)
			return;
		at = gap.end;
	}
}

static int put_bytes(struct staged_upload *job, struct call *call, const void *bytes, size_t len,
		     struct object *ret_object)
{
	struct store *store = job->room->reader.store;
	int r = describe(job, call);

	if (r < 0)
		return r;
	r = store->put_object(store, call, job->id, &job->params, bytes, len, ret_object);
	if (r < 0) {
		job->attempted = true;
		job->expected = multipart_expected_etag_of(bytes, len);
	} else {
		keep(job, bytes);
	}
	return r;
}

static int put(struct staged_upload *job, struct call *call, struct object *ret_object)
{
	size_t len = (size_t)job->staged->size;
	struct part_buffer buffer;
	const void *bytes;
	int r;

	if (len == 0)
		return put_bytes(job, call, "", 0, ret_object);
	r = get_filled(job, NULL, call, 0, len, &buffer);
	if (r < 0)
		return r;
	r = part_buffer_map(&buffer, call, len, &bytes);
	if (r == 0) {
		r = put_bytes(job, call, bytes, len, ret_object);
		part_buffer_unmap(&buffer, len, bytes);
	}
	part_buffer_deinit(&buffer);
	return r;
}

/* ---- in parts ---- */

static int add_filled(struct staged_upload *job, struct multipart *upload, struct call *call,
		      const struct plan_part *plan, struct part **ret_part)
{
	struct part_buffer buffer;
	int r = get_filled(job, upload, call, plan->offset, plan->len, &buffer);

	if (r < 0)
		return r;
	r = multipart_add(upload, plan->offset, &buffer, (size_t)plan->len, ret_part);
	if (r < 0)
		part_buffer_deinit(&buffer);
	return r;
}

static int send(struct staged_upload *job, struct multipart *upload, struct call *call,
		const struct plan_part *plan)
{
	struct part *part;
	int r = multipart_wait(upload, call, UNDER_WAY_MAX - 1);

	if (r == 0)
		r = multipart_error(upload);
	if (r == 0)
		r = plan->copied ? multipart_add_copy(upload, plan->offset, plan->len, &part)
				 : add_filled(job, upload, call, plan, &part);
	if (r == 0)
		multipart_send(part);
	return r;
}

static int send_all(struct staged_upload *job, struct multipart *upload, struct call *call,
		    const struct plan *plan, struct object *ret_object)
{
	int r = describe(job, call);

	if (r == 0)
		r = multipart_begin(upload, call, &job->params);
	for (size_t i = 0; r == 0 && i < plan->n; i++)
		r = send(job, upload, call, &plan->v[i]);
	if (r == 0)
		r = multipart_wait(upload, call, 0);
	if (r == 0)
		r = multipart_error(upload);
	if (r < 0)
		return r;
	r = multipart_complete(upload, call, &job->params, ret_object);
	if (r < 0) {
		job->attempted = true;
		job->expected = multipart_expected_etag(upload);
	}
	return r;
}

static int upload_parts(struct staged_upload *job, struct call *call, const struct plan *plan,
			struct object *ret_object)
{
	struct multipart *upload;
	int r = multipart_new(job->room, job->id, &upload);

	if (r < 0)
		return r;
	upload->source_etag = job->base_etag;
	r = send_all(job, upload, call, plan, ret_object);
	if (r < 0) {
		multipart_stop(upload);
		if (multipart_abort(upload, call) < 0) {
			job->left = upload;
			return r;
		}
	}
	multipart_free(upload);
	return r;
}

int staged_upload(struct staged_upload *job, struct call *call, struct object *ret_object)
{
	const struct content_limits *limits = job->room->limits;
	uint64_t unit = limits ? limits->part_size(1) : content_part_size(1);
	const struct plan_limits parts = {limits ? unit : S3_PART_MIN, unit,
					  limits ? limits->copy_max : S3_PART_MAX};
	const struct staged *staged = job->staged;
	struct plan plan = {0};
	int r;

	if (staged->size <= SINGLE_UNITS * unit)
		return put(job, call, ret_object);
	r = plan_make(staged->size, job->base_etag ? staged->visible : 0, &staged->dirty, &parts,
		      &plan);
	if (r < 0)
		return r;
	r = upload_parts(job, call, &plan, ret_object);
	plan_deinit(&plan);
	return r;
}
