/*
 * fs/reader/streams: which reads of a file follow each other, and what should be fetched for each.
 * Pure: no lock, no memory, no time.
 *
 * A stream is a run of bytes that were asked for without a hole. A read at its end makes it longer.
 * Reads that come out of order (the kernel sends several at once) begin streams of their own, which
 * become one when the hole between them closes: so none of them is a seek. The longer a stream is,
 * the further ahead of it is fetched: as far as it is long, or twice as far when it began at the
 * file's beginning. A reader that jumps about thus never fetches much more than it asked for.
 */
#ifndef FS_STREAMS_H
#define FS_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STREAMS_MAX 16
/* How far behind or before its end a read still belongs to a stream. */
#define STREAMS_SLACK (1 << 20)

struct stream {
	uint64_t start, pos; /* asked for: [start, pos) */
	unsigned int reads;
	uint64_t used; /* the tick of the last read */
};

/* Zeroed is empty. */
struct streams {
	struct stream v[STREAMS_MAX];
	size_t n;
	uint64_t tick; /* reads so far */
	bool begun;    /* the file's beginning was planned once */
	bool modest; /* they were forgotten: nothing is fetched but for a read, or a run of them */
};

/* What of the file, around a read, should be at hand or on its way. */
struct stream_plan {
	uint64_t from, to; /* what a fetch for the read may span; not beyond the file's size */
	bool ahead;        /* it is in order: */
	uint64_t pos;      /* from here on */
	uint64_t window;   /* so many bytes should be on their way */
};

/* A read of [offset, end), which is not empty and within size. */
struct stream_plan streams_note(struct streams *streams, uint64_t size, uint64_t max_window,
				uint64_t offset, uint64_t end);

/*
 * What was fetched ahead of them was lost: each that goes on begins anew, with what its reads ask
 * for. Who is read from so seldom would else fetch much again and again, to lose it each time.
 */
void streams_forget(struct streams *streams);

/* True when a stream that is alive has [start, end) before it. */
bool streams_need(const struct streams *streams, uint64_t start, uint64_t end);

#endif
