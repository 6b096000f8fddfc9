/*
 * A file system over an account in memory, a clock that the test moves, and operations that other
 * threads are in.
 *
 *	struct job job;
 *	job_start(&job, b, JOB_LOOKUP, "photos");
 *	assert_true(memory_wait_held(&b->s3, MEMORY_LIST_BUCKETS, 1));
 *	...
 *	assert_int_equal(job_join(&job), 0);
 */
#ifndef TESTS_FS_BENCH_H
#define TESTS_FS_BENCH_H

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "xacctfs/fs/fs.h"
#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"

#include "memory_store.h"
#include "test_clock.h"

#define TTL_MS    1000
#define UID       1234
#define GID       567
#define DIR_MODE  0750
#define FILE_MODE 0640
/* When the buckets that are there at first were made. */
#define CREATED_MS INT64_C(1700000000123)

/* Who makes files and directories. */
#define MAKER (&(struct fs_maker){.uid = UID, .gid = GID, .mode = 0755})

#define MIB (UINT64_C(1) << 20)

struct bench {
	struct test_clock clock;
	struct memory_store s3;
	char staging[32]; /* a folder of this bench alone */
	struct fs_options options;
	struct fs *fs;
	struct call call; /* the test thread's */
};

static inline void bench_mount(struct bench *b)
{
	assert_int_equal(fs_new(&b->options, &b->fs), 0);
}

/* Another mount of the same account, as after a crash: nothing is flushed. */
static inline void bench_remount(struct bench *b)
{
	fs_free(b->fs);
	bench_mount(b);
}

/* As bench_begin, without a mount: for a test that changes b->options first. */
static inline void bench_prepare(struct bench *b, int64_t ttl_ms)
{
	test_clock_init(&b->clock, false);
	memory_store_init(&b->s3, &b->clock.clock);
	call_init(&b->call, NULL, &b->clock.clock, CLOCK_NEVER);
	strcpy(b->staging, "/tmp/xacctfs-test-XXXXXX");
	assert_non_null(mkdtemp(b->staging));
	b->options = (struct fs_options){.clock = &b->clock.clock,
					 .store = &b->s3.store,
					 .metadata_ttl_ms = ttl_ms,
					 .uid = UID,
					 .gid = GID,
					 .dir_mode = DIR_MODE,
					 .file_mode = FILE_MODE,
					 .memory_limit = 256 * MIB,
					 .staging_dir = b->staging,
					 .staging_limit = 64 * MIB,
					 .background_timeout_ms = 60000};
}

static inline void bench_begin(struct bench *b, int64_t ttl_ms)
{
	bench_prepare(b, ttl_ms);
	bench_mount(b);
}

static inline void bench_end(struct bench *b)
{
	fs_free(b->fs);
	call_deinit(&b->call);
	memory_store_deinit(&b->s3);
	test_clock_deinit(&b->clock);
	assert_int_equal(rmdir(b->staging), 0); /* nothing is left in it */
}

/* ---- an operation in a thread of its own ---- */

enum job_op { JOB_LOOKUP, JOB_OPENDIR, JOB_MKDIR, JOB_RMDIR };

struct job {
	struct bench *b;
	enum job_op op;
	const char *name;
	struct call call;
	pthread_t thread;
	int r;
	struct fs_entry entry;
	struct fs_dir *dir;
};

static inline void *job_run(void *data)
{
	struct job *job = data;
	struct fs *fs = job->b->fs;

	switch (job->op) {
	case JOB_LOOKUP:
		job->r = fs_lookup(fs, &job->call, FS_ROOT, job->name, &job->entry);
		break;
	case JOB_OPENDIR:
		job->r = fs_opendir(fs, &job->call, FS_ROOT, &job->dir);
		break;
	case JOB_MKDIR:
		job->r = fs_mkdir(fs, &job->call, FS_ROOT, job->name, MAKER, &job->entry);
		break;
	case JOB_RMDIR:
		job->r = fs_rmdir(fs, &job->call, FS_ROOT, job->name);
		break;
	}
	return NULL;
}

/* timeout_ms: of its call, from now, by the test's clock. */
static inline void job_start_timeout(struct job *job, struct bench *b, enum job_op op,
				     const char *name, int64_t timeout_ms)
{
	*job = (struct job){.b = b, .op = op, .name = name};
	call_init(&job->call, NULL, &b->clock.clock, timeout_ms);
	assert_int_equal(pthread_create(&job->thread, NULL, job_run, job), 0);
}

static inline void job_start(struct job *job, struct bench *b, enum job_op op, const char *name)
{
	job_start_timeout(job, b, op, name, CLOCK_NEVER);
}

/* What it returned. What it was handed is in job->entry and job->dir. */
static inline int job_join(struct job *job)
{
	assert_int_equal(pthread_join(job->thread, NULL), 0);
	call_deinit(&job->call);
	return job->r;
}

#endif
