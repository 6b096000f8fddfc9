#include "streams.h"

#include "../least.h"
#include "reader.h"

/* A read from somewhere else is fetched in whole pages. */
#define PAGE 4096
/* A stream that so many reads have passed by is over. */
#define ALIVE_TICKS 256

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static bool alive(const struct streams *streams, const struct stream *stream)
{
	return streams->tick - stream->used <= ALIVE_TICKS;
}

static uint64_t window(const struct stream *stream)
{
	uint64_t run = stream->pos - stream->start;

	return stream->start == 0 ? most(2 * run, READER_FIRST) : run;
}

bool streams_need(const struct streams *streams, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < streams->n; i++) {
		const struct stream *stream = &streams->v[i];

		if (alive(streams, stream) && stream->pos < end &&
		    stream->pos + window(stream) > start)
			return true;
	}
	return false;
}

/* The stream in which the read goes on, or repeats what it read just now. */
static bool find(const struct streams *streams, uint64_t offset, size_t *ret_i)
{
	uint64_t nearest = UINT64_MAX;

	for (size_t i = 0; i < streams->n; i++) {
		const struct stream *stream = &streams->v[i];

		if (offset < stream->start || offset > stream->pos ||
		    stream->pos - offset > STREAMS_SLACK || stream->pos >= nearest)
			continue;
		nearest = stream->pos;
		*ret_i = i;
	}
	return nearest != UINT64_MAX;
}

/* Where the stream is that the read has run ahead of; no change when there is none. */
static void find_before(const struct streams *streams, uint64_t offset, uint64_t *ret_pos)
{
	for (size_t i = 0; i < streams->n; i++) {
		const struct stream *stream = &streams->v[i];
		uint64_t slack = least(STREAMS_SLACK, stream->pos - stream->start);

		if (alive(streams, stream) && stream->reads > 1 && stream->pos < offset &&
		    offset - stream->pos <= slack)
			*ret_pos = stream->pos;
	}
}

static struct stream take(struct streams *streams, size_t i)
{
	struct stream stream = streams->v[i];

	streams->v[i] = streams->v[--streams->n];
	return stream;
}

static void put(struct streams *streams, const struct stream *stream)
{
	size_t oldest = 0;

	for (size_t i = 1; i < streams->n; i++)
		if (streams->v[i].used < streams->v[oldest].used)
			oldest = i;
	if (streams->n == STREAMS_MAX)
		take(streams, oldest);
	streams->v[streams->n++] = *stream;
}

/* True for reads that ran ahead, and that the stream, grown from `before`, has reached now. */
static bool reached(const struct streams *streams, const struct stream *grown, uint64_t before,
		    const struct stream *other)
{
	return alive(streams, other) && other->start >= before && other->start <= grown->pos &&
	       other->pos <= grown->pos + STREAMS_SLACK;
}

static void join(struct streams *streams, struct stream *grown, uint64_t before)
{
	for (size_t i = 0; i < streams->n;) {
		struct stream other;

		if (!reached(streams, grown, before, &streams->v[i])) {
			i++;
			continue;
		}
		other = take(streams, i);
		grown->pos = most(grown->pos, other.pos);
		grown->reads += other.reads;
		i = 0; /* it may have reached others now */
	}
}

void streams_forget(struct streams *streams)
{
	streams->n = 0;
	streams->modest = true;
}

static bool near_beginning(const struct streams *streams, uint64_t size, uint64_t offset)
{
	if (streams->modest)
		return false;
	if (offset == 0)
		return true;
	return offset < READER_FIRST / 2 && (!streams->begun || size <= READER_FIRST);
}

static struct stream_plan exactly(uint64_t size, uint64_t offset, uint64_t end)
{
	return (struct stream_plan){.from = offset / PAGE * PAGE,
				    .to = least(size, (end + PAGE - 1) / PAGE * PAGE)};
}

/*
 * Where the bytes begin that another stream has read already, before it: they are not fetched again
 * ahead of this one. A few of them are no hindrance.
 */
static uint64_t barrier(const struct streams *streams, const struct stream *stream)
{
	uint64_t nearest = UINT64_MAX;

	for (size_t i = 0; i < streams->n; i++) {
		const struct stream *other = &streams->v[i];

		if (alive(streams, other) && other->start >= stream->pos &&
		    other->pos - other->start > STREAMS_SLACK)
			nearest = least(nearest, other->start);
	}
	return nearest;
}

/* The read is the stream's next one, or one that it had already. */
static void go_on(struct streams *streams, size_t i, uint64_t end, struct stream_plan *plan,
		  uint64_t size, uint64_t max_window)
{
	struct stream stream = take(streams, i);
	uint64_t before = stream.pos;

	stream.used = streams->tick;
	if (end > before) {
		stream.pos = end;
		stream.reads++;
		join(streams, &stream, before);
		plan->ahead = true;
		plan->pos = stream.pos;
		plan->window = least(least(window(&stream), max_window),
				     barrier(streams, &stream) - stream.pos);
		plan->to = most(plan->to, least(size, plan->pos + plan->window));
	}
	put(streams, &stream);
}

static void begin(struct streams *streams, uint64_t offset, uint64_t end)
{
	struct stream stream = {offset, end, 1, streams->tick};

	join(streams, &stream, offset);
	put(streams, &stream);
}

struct stream_plan streams_note(struct streams *streams, uint64_t size, uint64_t max_window,
				uint64_t offset, uint64_t end)
{
	struct stream_plan plan = exactly(size, offset, end);
	size_t i;

	streams->tick++;
	if (find(streams, offset, &i)) {
		plan.from = offset;
		go_on(streams, i, end, &plan, size, max_window);
	} else {
		find_before(streams, offset, &plan.from);
		begin(streams, offset, end);
	}
	if (near_beginning(streams, size, offset)) {
		streams->begun = true;
		plan.from = 0;
		plan.to = most(plan.to, least(size, READER_FIRST));
	}
	return plan;
}
