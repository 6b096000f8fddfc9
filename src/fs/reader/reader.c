#include "reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/ranges.h"
#include "xacctfs/util/waiter.h"

#include "extents.h"
#include "../least.h"
#include "streams.h"

/* What a waiting read may take whatever the purse says. */
#define FORCE_MAX ((size_t)1 << 20)
/* Fetches that run ahead are not smaller, however small the share of memory is. */
#define AHEAD_MIN ((size_t)128 << 10)
#define PAGE      4096
/* A fetch's end that no reader sees: the object got another name meanwhile, or nobody reads. */
#define TRY_AGAIN 1

/* The object's name and ETag; another one after a rename. */
struct target {
	unsigned int refs; /* reader->lock */
	char *bucket, *key;
	char *etag;   /* reader->lock until pinned, then fixed; NULL when the server tells none */
	bool pinned;  /* lock: the ETag is known, as far as it ever will be */
	bool pinning; /* lock: the fetch that will tell it is under way */
	int64_t gone_until_ms; /* lock: it is known not to be there, in boot time */
};

/* A read under way. */
struct reading {
	struct waiter waiter;
	struct reader *reader;
	uint64_t pos, end;           /* reader->lock: what it still has to get */
	struct reading *prev, *next; /* reader->lock */
};

struct reader {
	struct reader_room room;
	uint64_t size;
	/* taken under a call's; the purse's, the pool's, a call's under it; another reader's is
	 * only tried under it (give_up) */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned int refs;        /* lock: handles */
	unsigned int uses;        /* lock: handles and fetches */
	struct target *target;    /* lock */
	struct streams streams;   /* lock */
	struct extents extents;   /* lock */
	struct extent *kept;      /* lock: the last one that was consumed; NULL when it is gone */
	struct reading *readings; /* lock */
	bool failed;              /* lock: the last fetch did: nothing runs ahead */
	bool is_told;             /* lock: told is as a fetch told it */
	struct object told;       /* lock */
	size_t held;              /* lock: bytes of the purse */
	size_t share;             /* lock: what it might hold at the last read */
	struct memory_holder holder;
};

/* ---- targets ---- */

static void target_free(struct target *target)
{
	if (!target)
		return;
	free(target->bucket);
	free(target->key);
	free(target->etag);
	free(target);
}

static int target_new(const struct object_id *id, const char *etag, struct target **ret_target)
{
	struct target *target = calloc(1, sizeof(*target));

	if (!target)
		return -ENOMEM;
	target->refs = 1;
	target->bucket = strdup(id->bucket);
	target->key = strdup(id->key);
	target->etag = etag ? strdup(etag) : NULL;
	target->pinned = etag != NULL;
	if (!target->bucket || !target->key || (etag && !target->etag)) {
		target_free(target);
		return -ENOMEM;
	}
	*ret_target = target;
	return 0;
}

static void target_unref_locked(struct target *target)
{
	if (--target->refs == 0)
		target_free(target);
}

/* ---- memory ---- */

static void held_locked(struct reader *reader, size_t n)
{
	if (reader->held == 0)
		memory_holder_begin(reader->room.memory, &reader->holder);
	reader->held += n;
}

static void give_back_locked(struct reader *reader, size_t n)
{
	memory_give(reader->room.memory, n);
	reader->held -= n;
	if (reader->held == 0)
		memory_holder_end(reader->room.memory, &reader->holder);
}

static void free_extent_locked(struct reader *reader, struct extent *extent)
{
	give_back_locked(reader, extent->taken);
	extent_free(extent);
}

/* No read will find it any more; those who use it already keep it until they are done. */
static void drop_locked(struct reader *reader, struct extent *extent)
{
	if (reader->kept == extent)
		reader->kept = NULL;
	extents_remove(&reader->extents, extent);
	if (extent->users == 0 && !extent->loading)
		free_extent_locked(reader, extent);
}

/* A read under way will come to it. */
static bool wanted_locked(const struct reader *reader, const struct extent *extent)
{
	const struct reading *reading;

	DL_FOREACH (reader->readings, reading)
		if (reading->pos < extent_end(extent) && reading->end > extent->start)
			return true;
	return false;
}

static bool needed_locked(const struct reader *reader, const struct extent *extent)
{
	return !extent_consumed(extent) &&
	       streams_need(&reader->streams, extent->start, extent_end(extent));
}

/*
 * An extent that nobody waits for, and, unless any will do, no stream needs. The longest unused
 * first, and of these the furthest ahead. NULL when there is none.
 */
static struct extent *find_spare_locked(const struct reader *reader, bool any)
{
	struct extent *spare = NULL;

	for (size_t i = 0; i < reader->extents.n; i++) {
		struct extent *extent = reader->extents.v[i];

		if (extent->loading || extent->users > 0 || (spare && spare->used < extent->used) ||
		    wanted_locked(reader, extent))
			continue;
		if (any || !needed_locked(reader, extent))
			spare = extent;
	}
	return spare;
}

/* Another reader needs n bytes, and may hold its own lock: this one is only tried. */
static size_t give_up(void *data, size_t n, bool idle)
{
	struct reader *reader = data;
	struct extent *spare;
	bool forget = false;
	size_t given = 0;

	if (pthread_mutex_trylock(&reader->lock) != 0)
		return 0;
	while (given < n && (spare = find_spare_locked(reader, idle))) {
		given += spare->taken;
		forget = forget || needed_locked(reader, spare);
		drop_locked(reader, spare);
	}
	if (forget)
		streams_forget(&reader->streams);
	pthread_mutex_unlock(&reader->lock);
	return given;
}

/* Of what this reader can spare, or else of the others'. */
static bool take_locked(struct reader *reader, size_t n)
{
	while (!memory_try(reader->room.memory, n)) {
		struct extent *spare = find_spare_locked(reader, false);

		if (spare)
			drop_locked(reader, spare);
		else if (!memory_reclaim(reader->room.memory, n))
			return false;
	}
	held_locked(reader, n);
	return true;
}

/* Its bytes were handed out: it goes when no stream will want them, but not at once. */
static void retire_locked(struct reader *reader, struct extent *extent)
{
	struct extent *before = reader->kept;

	if (!extent_consumed(extent) || extent == before ||
	    streams_need(&reader->streams, extent->start, extent_end(extent)))
		return;
	reader->kept = extent;
	if (before && !wanted_locked(reader, before))
		drop_locked(reader, before);
}

/* Its fetch has ended, or one of its users has. */
static void let_go_locked(struct reader *reader, struct extent *extent)
{
	if (extent->loading || extent->users > 0)
		return;
	if (!extent->listed)
		free_extent_locked(reader, extent);
	else if (extent->forced && !wanted_locked(reader, extent))
		drop_locked(reader, extent);
	else
		retire_locked(reader, extent);
}

/* ---- fetches: in the pool ---- */

static void reader_free(struct reader *reader)
{
	memory_holder_part(reader->room.memory, &reader->holder);
	pthread_cond_destroy(&reader->changed);
	pthread_mutex_destroy(&reader->lock);
	target_free(reader->target);
	object_deinit(&reader->told);
	extents_deinit(&reader->extents);
	free(reader);
}

static int take_bytes(void *data, const void *bytes, size_t n)
{
	struct extent *extent = data;
	struct reader *reader = extent->reader;

	/* nobody else writes `have` */
	if (n > extent->len - extent->have)
		return -EIO;
	memcpy(extent->data + extent->have, bytes, n);
	pthread_mutex_lock(&reader->lock);
	extent->have += n;
	if (extent->pinned && extent->have >= extent->wake_at) {
		extent->wake_at = SIZE_MAX;
		pthread_cond_broadcast(&reader->changed);
	}
	pthread_mutex_unlock(&reader->lock);
	return 0;
}

/* Without memory it is not told. */
static void take_told_locked(struct reader *reader, const struct object *object)
{
	struct put_params params = object_put_params(object);

	if (!reader->is_told)
		reader->is_told = object_describe(&reader->told, &params) == 0;
}

/* So that whoever has the bytes can have this, too. */
static void take_told(void *data, const struct object *object)
{
	struct reader *reader = data;

	pthread_mutex_lock(&reader->lock);
	take_told_locked(reader, object);
	pthread_mutex_unlock(&reader->lock);
}

/* The first answer tells the ETag. */
static int pin_locked(struct reader *reader, struct extent *extent, struct object *object, int r)
{
	struct target *target = extent->target;

	target->pinning = false;
	if (r < 0)
		return r;
	if (target != reader->target)
		return TRY_AGAIN;
	if (object->size != reader->size)
		return -ESTALE;
	target->etag = steal(&object->etag);
	target->pinned = true;
	return 0;
}

/* What the fetch's end means for those who wait. */
static int meaning_locked(struct reader *reader, struct extent *extent, struct object *object,
			  int r)
{
	if (r == 0 && extent->have < extent->len)
		r = -ERANGE;
	/* the size is the pinned object's: it is another one */
	if (r == -ENOENT || r == -ERANGE)
		r = -ESTALE;
	if (!extent->pinned)
		r = pin_locked(reader, extent, object, r);
	if (r < 0 && extent->target != reader->target)
		r = TRY_AGAIN;
	return r;
}

/* What came is good as far as it goes, when it is known to be of the right object. */
static void finish_locked(struct reader *reader, struct extent *extent, struct object *object,
			  int r)
{
	r = meaning_locked(reader, extent, object, r);
	if (r != TRY_AGAIN)
		reader->failed = r < 0;
	if (r == -ESTALE)
		extent->target->gone_until_ms =
		    clock_after(reader->room.clock, reader->room.gone_ttl_ms);
	if (r == 0)
		take_told_locked(reader, object);
	if (r != 0 && !extent->pinned)
		extent->have = 0;
	extent->error = r;
	extent->loading = false;
	target_unref_locked(steal(&extent->target));
	if (extent->have < extent->len)
		extent_cut(extent, extent->have);
	if (extent->listed && extent->len == 0)
		drop_locked(reader, extent);
	else
		let_go_locked(reader, extent);
	pthread_cond_broadcast(&reader->changed);
}

static int get(struct reader *reader, struct extent *extent, struct call *call,
	       struct object *ret_object)
{
	const struct target *target = extent->target;
	const struct object_id id = {target->bucket, target->key};
	const struct get_params params = {.offset = extent->start,
					  .len = extent->len,
					  .if_match = extent->pinned ? target->etag : NULL,
					  .sink = take_bytes,
					  .sink_data = extent,
					  .told = extent->pinned ? take_told : NULL,
					  .told_data = reader};

	return reader->room.store->get_object(reader->room.store, call, &id, &params, ret_object);
}

static void fetch(void *data)
{
	struct extent *extent = data;
	struct reader *reader = extent->reader;
	_cleanup_(object_deinit) struct object object = {0};
	struct call call;
	bool wanted, last;
	int r = -EINTR;

	call_init(&call, reader->room.group, reader->room.clock, reader->room.timeout_ms);
	pthread_mutex_lock(&reader->lock);
	wanted = reader->refs > 0;
	extent->call = &call;
	pthread_mutex_unlock(&reader->lock);
	if (wanted)
		r = get(reader, extent, &call, &object);
	pthread_mutex_lock(&reader->lock);
	extent->call = NULL;
	finish_locked(reader, extent, &object, r);
	last = --reader->uses == 0;
	pthread_mutex_unlock(&reader->lock);
	call_deinit(&call);
	if (last)
		reader_free(reader);
}

/* Its memory is taken. On failure it is given back. */
static int start_locked(struct reader *reader, uint64_t start, size_t len, bool forced)
{
	struct extent *extent = extent_new(start, len);
	int r = extent ? extents_add(&reader->extents, extent) : -ENOMEM;

	if (r < 0) {
		give_back_locked(reader, len);
		extent_free(extent);
		return r;
	}
	extent->reader = reader;
	extent->target = reader->target;
	extent->taken = len;
	extent->forced = forced;
	extent->loading = true;
	extent->pinned = reader->target->pinned;
	extent->used = reader->streams.tick;
	r = pool_submit(reader->room.pool, fetch, extent);
	if (r < 0) {
		extent->loading = false;
		drop_locked(reader, extent);
		return r;
	}
	reader->target->refs++;
	reader->target->pinning = !extent->pinned;
	reader->uses++;
	return 0;
}

/* ---- what to fetch ---- */

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* One GET's most, so that several fit into the reader's share of memory. */
static size_t fetch_max_locked(struct reader *reader)
{
	return (size_t)most(AHEAD_MIN, least(READER_EXTENT_MAX, reader->share / 4));
}

/* As much of the plan around pos as one GET may bring. */
static struct range planned_locked(struct reader *reader, const struct stream_plan *plan,
				   uint64_t pos, struct range hole)
{
	size_t max = (size_t)most(fetch_max_locked(reader), READER_FIRST);
	struct range range = {most(hole.start, least(plan->from, pos)),
			      least(hole.end, most(plan->to, pos + 1))};

	/* its bytes are not handed out before its end */
	if (!reader->target->pinned)
		max = READER_FIRST;
	if (range.end - range.start > max && pos - range.start >= max / 2)
		range.start = pos;
	range.end = least(range.end, range.start + max);
	return range;
}

/* As little as the read needs. */
static struct range needed(uint64_t pos, uint64_t end, struct range hole)
{
	struct range range = {most(hole.start, pos / PAGE * PAGE),
			      least(hole.end, (end + PAGE - 1) / PAGE * PAGE)};

	range.end = least(range.end, range.start + FORCE_MAX);
	return range;
}

static struct range what_to_fetch_locked(struct reader *reader, const struct stream_plan *plan,
					 uint64_t pos, uint64_t end, bool planned)
{
	struct range hole;

	extents_hole(&reader->extents, pos, &hole.start, &hole.end);
	hole.end = least(hole.end, reader->size);
	return planned ? planned_locked(reader, plan, pos, hole) : needed(pos, end, hole);
}

/*
 * A read needs pos, which is in no extent: a fetch is begun. Not while another one is under way to
 * learn the ETag, nor, unless it must be, without memory: then there is still no extent.
 */
static int demand_locked(struct reader *reader, const struct stream_plan *plan, uint64_t pos,
			 uint64_t end, bool must)
{
	struct clock *clock = reader->room.clock;
	bool planned = !reader->failed, taken;
	struct range range = what_to_fetch_locked(reader, plan, pos, end, planned);

	if (clock->boot_ms(clock) < reader->target->gone_until_ms)
		return -ESTALE;
	if (reader->target->pinning)
		return 0;
	taken = take_locked(reader, (size_t)(range.end - range.start));
	if (!taken && planned) {
		range = what_to_fetch_locked(reader, plan, pos, end, false);
		taken = take_locked(reader, (size_t)(range.end - range.start));
	}
	if (!taken && !must)
		return 0;
	if (!taken) {
		memory_force(reader->room.memory, (size_t)(range.end - range.start));
		held_locked(reader, (size_t)(range.end - range.start));
	}
	return start_locked(reader, range.start, (size_t)(range.end - range.start), !taken);
}

/* Something is to be fetched ahead when half of the window has been used up, or a large GET's worth
 * of it. */
static bool ahead_due(const struct stream_plan *plan, uint64_t covered, uint64_t target, size_t max)
{
	return covered < target &&
	       (covered - plan->pos < plan->window / 2 || target - covered >= max);
}

/* n bytes to run ahead with, within the reader's share. */
static bool take_ahead_locked(struct reader *reader, size_t n)
{
	struct extent *spare;

	while (reader->held + n > reader->share) {
		spare = find_spare_locked(reader, false);
		if (!spare)
			return false;
		drop_locked(reader, spare);
	}
	return take_locked(reader, n);
}

static void run_ahead_locked(struct reader *reader, const struct stream_plan *plan)
{
	uint64_t target = least(reader->size, plan->pos + plan->window);
	uint64_t covered = extents_covered(&reader->extents, plan->pos);
	size_t max = fetch_max_locked(reader);

	if (!plan->ahead || reader->failed || !reader->target->pinned)
		return;
	while (ahead_due(plan, covered, target, max)) {
		struct range hole;
		size_t n;

		extents_hole(&reader->extents, covered, &hole.start, &hole.end);
		n = (size_t)least(least(hole.end, target) - covered, max);
		if (!take_ahead_locked(reader, n) || start_locked(reader, covered, n, false) < 0)
			return;
		covered = extents_covered(&reader->extents, covered);
	}
}

/* For all of [offset, end) at once, and what will follow it, as far as there is memory. */
static int begin_fetches_locked(struct reader *reader, const struct stream_plan *plan,
				uint64_t offset, uint64_t end)
{
	uint64_t pos = extents_covered(&reader->extents, offset);

	while (pos < end) {
		uint64_t before = pos;
		int r = demand_locked(reader, plan, pos, end, false);

		if (r < 0)
			return r;
		pos = extents_covered(&reader->extents, pos);
		if (pos == before)
			return 0;
	}
	run_ahead_locked(reader, plan);
	return 0;
}

/* ---- reads ---- */

/* How far its bytes may be handed out. */
static uint64_t extent_usable(const struct extent *extent)
{
	return extent->loading && !extent->pinned ? extent->start : extent->start + extent->have;
}

/* Waits for the extent's bytes up to `stop`. 0 as well when the fetch ended before. */
static int wait_for_locked(struct reading *reading, struct extent *extent, uint64_t stop)
{
	int r = 0;

	while (r == 0 && extent->loading && extent_usable(extent) < stop) {
		extent->wake_at = (size_t)least(extent->wake_at, stop - extent->start);
		r = waiter_wait_locked(&reading->waiter);
	}
	return r;
}

/* The bytes of [pos, stop) that are there, to data. The lock is let go meanwhile. */
static size_t copy_locked(struct reader *reader, struct extent *extent, uint64_t pos, uint64_t stop,
			  void *data)
{
	uint64_t end = least(stop, extent_usable(extent));

	pthread_mutex_unlock(&reader->lock);
	memcpy(data, extent->data + (pos - extent->start), (size_t)(end - pos));
	pthread_mutex_lock(&reader->lock);
	extent_mark_read(extent, pos, end);
	extent->used = reader->streams.tick;
	return (size_t)(end - pos);
}

/*
 * Hands out bytes of the extent, from where the read is; none when the fetch is to be tried
 * again.
 */
static int serve_locked(struct reading *reading, struct extent *extent, void *data)
{
	uint64_t stop = least(reading->end, extent_end(extent));
	int r;

	extent->users++;
	r = wait_for_locked(reading, extent, stop);
	if (r == 0 && extent_usable(extent) < stop && extent->error < 0)
		r = extent->error;
	if (r == 0 && extent_usable(extent) > reading->pos)
		reading->pos += copy_locked(reading->reader, extent, reading->pos, stop, data);
	if (r < 0)
		reading->end = reading->pos; /* it wants no more */
	extent->users--;
	let_go_locked(reading->reader, extent);
	return r;
}

static int read_locked(struct reading *reading, const struct stream_plan *plan, uint8_t *data)
{
	struct reader *reader = reading->reader;
	uint64_t offset = reading->pos;
	int r = begin_fetches_locked(reader, plan, offset, reading->end);

	while (r == 0 && reading->pos < reading->end) {
		struct extent *extent = extents_find(&reader->extents, reading->pos);

		if (!extent) {
			r = demand_locked(reader, plan, reading->pos, reading->end, true);
			extent = extents_find(&reader->extents, reading->pos);
		}
		if (r == 0)
			r = extent ? serve_locked(reading, extent, data + (reading->pos - offset))
				   : waiter_wait_locked(&reading->waiter);
	}
	return r;
}

int reader_read(struct reader *reader, struct call *call, uint64_t offset, size_t len, void *data,
		size_t *ret_n)
{
	struct reading reading = {.reader = reader};
	struct stream_plan plan;
	size_t window;
	int r;

	if (offset >= reader->size || len == 0) {
		*ret_n = 0;
		return 0;
	}
	len = (size_t)least(len, reader->size - offset);
	reading.pos = offset;
	reading.end = offset + len;
	waiter_begin(&reading.waiter, call, &reader->lock, &reader->changed);
	pthread_mutex_lock(&reader->lock);
	DL_APPEND(reader->readings, &reading);
	reader->share = memory_holder_read(reader->room.memory, &reader->holder);
	window = (size_t)least(READER_WINDOW_MAX, reader->share);
	plan = streams_note(&reader->streams, reader->size, window, offset, reading.end);
	r = read_locked(&reading, &plan, data);
	DL_DELETE(reader->readings, &reading);
	pthread_mutex_unlock(&reader->lock);
	waiter_end(&reading.waiter);
	if (r == 0)
		*ret_n = len;
	return r;
}

/* ---- lifetime ---- */

int reader_new(const struct reader_room *room, const struct object_id *id, const char *etag,
	       uint64_t size, struct reader **ret_reader)
{
	_cleanup_(freep) struct reader *reader = calloc(1, sizeof(*reader));
	int r;

	if (!reader)
		return -ENOMEM;
	reader->room = *room;
	reader->size = size;
	reader->refs = reader->uses = 1;
	reader->holder = (struct memory_holder){.give_up = give_up, .data = reader};
	r = target_new(id, etag, &reader->target);
	if (r < 0)
		return r;
	if (clock_cond_init(&reader->changed) < 0) {
		target_free(reader->target);
		return -ENOMEM;
	}
	pthread_mutex_init(&reader->lock, NULL);
	*ret_reader = steal(&reader);
	return 0;
}

struct reader *reader_ref(struct reader *reader)
{
	pthread_mutex_lock(&reader->lock);
	reader->refs++;
	reader->uses++;
	pthread_mutex_unlock(&reader->lock);
	return reader;
}

/* Fetches under way are told to end; the last of them frees the reader. */
static void abandon_locked(struct reader *reader)
{
	for (size_t i = reader->extents.n; i > 0; i--) {
		struct extent *extent = reader->extents.v[i - 1];

		if (extent->loading && extent->call)
			call_cancel(extent->call);
		drop_locked(reader, extent);
	}
}

void reader_unref(struct reader *reader)
{
	bool last;

	if (!reader)
		return;
	pthread_mutex_lock(&reader->lock);
	if (--reader->refs == 0)
		abandon_locked(reader);
	last = --reader->uses == 0;
	pthread_mutex_unlock(&reader->lock);
	if (last)
		reader_free(reader);
}

int reader_told(struct reader *reader, struct object *ret_object)
{
	struct put_params params;
	int r = -ENODATA;

	pthread_mutex_lock(&reader->lock);
	if (reader->is_told) {
		params = object_put_params(&reader->told);
		r = object_describe(ret_object, &params);
	}
	pthread_mutex_unlock(&reader->lock);
	return r;
}

int reader_rename(struct reader *reader, const struct object_id *id, const char *etag)
{
	struct target *target, *before;
	int r = target_new(id, etag, &target);

	if (r < 0)
		return r;
	pthread_mutex_lock(&reader->lock);
	before = reader->target;
	reader->target = target;
	reader->failed = false;
	target_unref_locked(before);
	pthread_cond_broadcast(&reader->changed);
	pthread_mutex_unlock(&reader->lock);
	return 0;
}
