#include "private.h"

#include <errno.h>
#include <string.h>

#include "../least.h"

/* Something became another meanwhile: from the start. */
#define READ_E_AGAIN 1

/* Where the next bytes come from. */
struct source {
	struct reader *reader; /* a reference; NULL: data has them already */
	uint64_t generation;   /* of the base */
	uint64_t n;
};

static int look_at_base(struct content *content, struct source *source)
{
	if (content->base.gone)
		return -ESTALE;
	source->generation = content->base.generation;
	return content_reader_locked(content, &source->reader);
}

static int look_at_staged(struct content *content, uint64_t offset, size_t len, void *data,
			  struct source *source)
{
	switch (staged_at(&content->staged, offset, len, &source->n)) {
	case STAGED_FILE:
		return staging_read(&content->staged.area, offset, data, (size_t)source->n);
	case STAGED_ZEROES:
		memset(data, 0, (size_t)source->n);
		return 0;
	case STAGED_BASE:
		break;
	}
	return look_at_base(content, source);
}

/* What is at hand is in data then. n is 0 at the end. 0, UPSTREAM_E_ELSEWHERE, a negative errno. */
static int look_locked(struct content *content, uint64_t offset, size_t len, void *data,
		       struct source *source)
{
	uint64_t size = content_size_locked(content);
	size_t n = 0;
	int r;

	if (offset >= size)
		return 0;
	source->n = least(len, size - offset);
	switch (content->state) {
	case CONTENT_STREAM:
		r = upstream_read(content->stream, offset, (size_t)source->n, data, &n);
		source->n = n;
		return r;
	case CONTENT_STAGED:
		return look_at_staged(content, offset, (size_t)source->n, data, source);
	case CONTENT_CLEAN:
		break;
	}
	return look_at_base(content, source);
}

static int settle(struct content *content, struct call *call)
{
	int r = content_hold(content, call);

	if (r < 0)
		return r;
	if (content->state == CONTENT_STREAM)
		r = content_settle(content, call);
	content_release(content);
	return r < 0 ? r : READ_E_AGAIN;
}

/*
 * The base that was read is not in S3 any more. That may be this content's own doing: an upload
 * that ends just now, or one whose answer was lost.
 */
static int base_is_stale(struct content *content, struct call *call, uint64_t generation)
{
	int r = content_hold(content, call);

	if (r < 0)
		return r;
	if (content->base.generation == generation)
		r = content_resolve(content, call, NULL);
	if (r == 0)
		r = content->base.generation == generation ? -ESTALE : READ_E_AGAIN;
	content_release(content);
	return r;
}

static int read_some(struct content *content, struct call *call, uint64_t offset, size_t len,
		     void *data, size_t *ret_n)
{
	struct source source = {0};
	size_t n;
	int r;

	pthread_mutex_lock(&content->lock);
	r = look_locked(content, offset, len, data, &source);
	pthread_mutex_unlock(&content->lock);
	if (r == UPSTREAM_E_ELSEWHERE)
		return settle(content, call);
	n = (size_t)source.n;
	if (r == 0 && source.reader) {
		r = reader_read(source.reader, call, offset, n, data, &n);
		reader_unref(source.reader);
		if (r == -ESTALE)
			return base_is_stale(content, call, source.generation);
		if (r == 0 && n == 0)
			return -EIO; /* shorter than it was said to be */
	}
	if (r == 0)
		*ret_n = n;
	return r;
}

int content_read(struct content *content, struct call *call, uint64_t offset, size_t len,
		 void *data, size_t *ret_n)
{
	size_t done = 0;

	while (done < len) {
		size_t n = 0;
		int r =
		    read_some(content, call, offset + done, len - done, (char *)data + done, &n);

		if (r == READ_E_AGAIN)
			continue;
		if (r < 0)
			return r;
		if (n == 0)
			break;
		done += n;
	}
	*ret_n = done;
	return 0;
}
