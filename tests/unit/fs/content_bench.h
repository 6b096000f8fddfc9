/*
 * A content over an account in memory, with parts of a few KiB, and what is checked of it.
 *
 *	struct bench b;
 *	bench_begin(&b, 1 << 20);
 *	bench_create(&b, false);
 *	bench_append(&b, 3 * PART);
 *	assert_int_equal(bench_flush(&b), 0);
 *	bench_end(&b);
 */
#ifndef TESTS_FS_CONTENT_BENCH_H
#define TESTS_FS_CONTENT_BENCH_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../../src/fs/content/private.h"
#include "xacctfs/util/cleanup.h"

#include "memory_store.h"
#include "test_clock.h"

#define BUCKET   "photos"
#define KEY      "2026/a.bin"
#define PART     4096
#define FILE_MAX (64 * PART)

struct bench {
	struct test_clock clock;
	struct memory_store s3;
	struct memory_purse readers, memory;
	struct pool *pool, *uploads;
	struct call_group group;
	struct staging staging;
	char dir[64];
	struct content_limits limits;
	struct content_room room;
	struct call call;
	struct content *content;

	/* What the file is to be. */
	uint8_t bytes[FILE_MAX];
	size_t size;
};

static inline uint64_t bench_part_size(int number)
{
	return number <= 4 ? PART : number <= 8 ? 2 * PART : 4 * PART;
}

static const struct object_id bench_id = {BUCKET, KEY};

static inline void bench_begin(struct bench *b, size_t memory)
{
	*b = (struct bench){0};
	test_clock_init(&b->clock, true);
	memory_store_init(&b->s3, &b->clock.clock);
	memory_add_bucket(&b->s3, BUCKET, 0, MEMORY_REGION);
	b->s3.part_min = PART;
	assert_int_equal(memory_purse_init(&b->readers, 16 << 20), 0);
	assert_int_equal(memory_purse_init(&b->memory, memory), 0);
	assert_int_equal(pool_new(4, &b->pool), 0);
	assert_int_equal(pool_new(4, &b->uploads), 0);
	call_group_init(&b->group);
	snprintf(b->dir, sizeof(b->dir), "/tmp/xacctfs-content-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	assert_int_equal(staging_init(&b->staging, b->dir, 64 << 20), 0);
	b->limits = (struct content_limits){bench_part_size, S3_PART_MAX};
	b->room = (struct content_room){
	    .reader = {.store = &b->s3.store,
		       .clock = &b->clock.clock,
		       .pool = b->pool,
		       .group = &b->group,
		       .timeout_ms = CLOCK_NEVER,
		       .memory = &b->readers},
	    .uploads = b->uploads,
	    .memory = &b->memory,
	    .staging = &b->staging,
	    .group = &b->group,
	    .timeout_ms = CLOCK_NEVER,
	    .limits = &b->limits,
	};
	call_init(&b->call, NULL, &b->clock.clock, CLOCK_NEVER);
}

/* Nothing is left: no memory, no local bytes, no upload but so many. */
static inline void bench_end_with(struct bench *b, size_t uploads)
{
	content_free(b->content, &b->call);
	b->content = NULL;
	assert_int_equal(atomic_load(&b->room.under_way), 0);
	assert_int_equal(memory_uploads(&b->s3, NULL), uploads);
	call_group_cancel(&b->group);
	pool_free(b->uploads);
	pool_free(b->pool);
	assert_int_equal(b->memory.used, 0);
	assert_int_equal(b->memory.users, 0);
	assert_int_equal(b->readers.used, 0);
	assert_int_equal(b->staging.used, 0);
	staging_deinit(&b->staging);
	assert_int_equal(rmdir(b->dir), 0);
	call_deinit(&b->call);
	call_group_deinit(&b->group);
	memory_purse_deinit(&b->memory);
	memory_purse_deinit(&b->readers);
	memory_store_deinit(&b->s3);
	test_clock_deinit(&b->clock);
}

static inline void bench_end(struct bench *b)
{
	bench_end_with(b, 0);
}

/* A byte of a file that was written for the `mark`th time. */
static inline uint8_t bench_byte(uint64_t offset, unsigned int mark)
{
	return (uint8_t)(1 + (offset * 31 + offset / 251 + mark * 101) % 255);
}

static inline void bench_fill(uint8_t *bytes, uint64_t offset, size_t len, unsigned int mark)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = bench_byte(offset + i, mark);
}

/* ---- one content ---- */

static inline void bench_create(struct bench *b, bool exclusive)
{
	assert_int_equal(content_create(&b->room, &bench_id, exclusive, &b->content), 0);
	b->size = 0;
}

/* The object that is there. */
static inline void bench_open(struct bench *b)
{
	_cleanup_(object_deinit) struct object object = {0};

	assert_true(memory_stat(&b->s3, BUCKET, KEY, &object));
	assert_int_equal(content_open(&b->room, &bench_id, object.etag, object.size, &b->content),
			 0);
}

/* Another client's object, of so many bytes; the content is opened over it. */
static inline void bench_open_new(struct bench *b, size_t size)
{
	bench_fill(b->bytes, 0, size, 0);
	b->size = size;
	memory_put(&b->s3, BUCKET, KEY, b->bytes, size);
	bench_open(b);
	memory_reset_counts(&b->s3);
}

static inline void bench_close(struct bench *b)
{
	content_free(b->content, &b->call);
	b->content = NULL;
}

/* What a write of so many bytes there is to lead to. */
static inline void bench_expect_write(struct bench *b, size_t offset, size_t len, unsigned int mark)
{
	assert_true(offset + len <= FILE_MAX);
	if (offset > b->size)
		memset(b->bytes + b->size, 0, offset - b->size);
	bench_fill(b->bytes + offset, offset, len, mark);
	if (offset + len > b->size)
		b->size = offset + len;
}

static inline int bench_try_write(struct bench *b, size_t offset, size_t len, unsigned int mark)
{
	static uint8_t bytes[FILE_MAX];
	int r;

	bench_fill(bytes, offset, len, mark);
	r = content_write(b->content, &b->call, offset, bytes, len);
	if (r == 0)
		bench_expect_write(b, offset, len, mark);
	return r;
}

static inline void bench_write(struct bench *b, size_t offset, size_t len, unsigned int mark)
{
	assert_int_equal(bench_try_write(b, offset, len, mark), 0);
}

/* So many bytes at the end. */
static inline void bench_append(struct bench *b, size_t len)
{
	bench_write(b, b->size, len, 1);
}

static inline int bench_try_truncate(struct bench *b, size_t size)
{
	int r = content_truncate(b->content, &b->call, size);

	if (r < 0)
		return r;
	if (size > b->size)
		memset(b->bytes + b->size, 0, size - b->size);
	b->size = size;
	return 0;
}

static inline void bench_truncate(struct bench *b, size_t size)
{
	assert_int_equal(bench_try_truncate(b, size), 0);
}

static inline int bench_flush(struct bench *b)
{
	return content_flush(b->content, &b->call, NULL);
}

static inline void bench_check_read(struct bench *b, size_t offset, size_t len)
{
	_cleanup_(freep) uint8_t *got = malloc(len + 1);
	size_t n = 4711, expected = offset < b->size ? b->size - offset : 0;

	assert_non_null(got);
	expected = expected < len ? expected : len;
	assert_int_equal(content_read(b->content, &b->call, offset, len, got, &n), 0);
	assert_int_equal(n, expected);
	if (n > 0)
		assert_memory_equal(got, b->bytes + offset, n);
}

static inline void bench_check_all(struct bench *b)
{
	assert_int_equal(content_size(b->content), b->size);
	bench_check_read(b, 0, FILE_MAX);
}

/* The object is what the file is to be. */
static inline bool bench_is_saved(struct bench *b)
{
	return memory_is(&b->s3, BUCKET, KEY, b->bytes, b->size);
}

static inline void bench_flush_check(struct bench *b)
{
	assert_int_equal(bench_flush(b), 0);
	assert_true(bench_is_saved(b));
	assert_false(content_dirty(b->content));
}

#endif
