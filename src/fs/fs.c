#include "control.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/log.h"

#define MIME_TYPES "/etc/mime.types"

/* Threads are made when there is work for them. */
#define DOWNLOAD_THREADS 32
#define UPLOAD_THREADS   16

/* What is not aborted by then stays at the server until somebody does. */
#define CLOSE_TIMEOUT_MS 10000

/*
 * Of memory_limit three quarters are for file data, a fifth is for names, which take about 420
 * bytes each (measured), and the rest for what the libraries hold.
 */
static size_t names_max(uint64_t memory_limit)
{
	return (size_t)(memory_limit / 2048);
}

static size_t purse_bytes(uint64_t memory_limit)
{
	return (size_t)(memory_limit / 8 * 3);
}

/* A transfer may take as long as its bytes do: one that stands still ends by the stall timeout. */
static void make_rooms(struct fs *fs)
{
	fs->room.reader = (struct reader_room){
	    .store = fs->options.store,
	    .clock = fs->options.clock,
	    .pool = fs->downloads,
	    .group = &fs->background,
	    .timeout_ms = CLOCK_NEVER,
	    .memory = &fs->read_memory,
	    .gone_ttl_ms = fs->options.metadata_ttl_ms,
	};
	fs->room.uploads = fs->uploads;
	fs->room.memory = &fs->write_memory;
	fs->room.staging = &fs->staging;
	fs->room.group = &fs->background;
	fs->room.timeout_ms = CLOCK_NEVER;
	fs->room.keeps = !fs->options.posix; /* else what is kept is known before a change */
}

static int open_parts(struct fs *fs)
{
	const struct fs_options *o = &fs->options;
	int r = buckets_init(&fs->buckets, o->store, o->clock, o->metadata_ttl_ms);

	call_group_init(&fs->background);
	if (r == 0)
		r = tree_init(&fs->tree, o->bucket, o->prefix, names_max(o->memory_limit));
	if (r == 0)
		r = turns_init(&fs->turns);
	if (r == 0)
		r = control_init(fs);
	if (r == 0)
		r = pool_new(DOWNLOAD_THREADS, &fs->downloads);
	if (r == 0)
		r = pool_new(UPLOAD_THREADS, &fs->uploads);
	if (r == 0)
		r = memory_purse_init(&fs->read_memory, purse_bytes(o->memory_limit));
	if (r == 0)
		r = memory_purse_init(&fs->write_memory, purse_bytes(o->memory_limit));
	if (r < 0)
		return r;
	r = staging_init(&fs->staging, o->staging_dir, o->staging_limit);
	if (r < 0)
		log_error("staging_dir %s: %s", o->staging_dir,
			  r == -EPERM ? "it must be this user's own, and closed to others (0700)"
				      : strerror(-r));
	return r;
}

int fs_new(const struct fs_options *options, struct fs **ret_fs)
{
	struct fs *fs = calloc(1, sizeof(*fs));
	int r;

	if (!fs)
		return -ENOMEM;
	fs->options = *options;
	fs->born_wall_ms = options->clock->wall_ms(options->clock);
	covered_init(&fs->covered);
	r = open_parts(fs);
	if (r < 0) {
		fs_free(fs);
		return r;
	}
	/* the texts are the tree's and the staging's by now */
	fs->options.bucket = fs->options.prefix = fs->options.staging_dir = NULL;
	make_rooms(fs);
	mime_init(&fs->mime, MIME_TYPES);
	*ret_fs = fs;
	return 0;
}

void fs_free(struct fs *fs)
{
	struct call call;

	if (!fs)
		return;
	call_init(&call, fs->options.closing, fs->options.clock, CLOSE_TIMEOUT_MS);
	dirs_close_all(fs);
	files_close_all(fs, &call);
	call_deinit(&call);
	call_group_cancel(&fs->background);
	pool_free(fs->downloads);
	pool_free(fs->uploads);
	turns_deinit(&fs->turns);
	tree_deinit(&fs->tree);
	covered_deinit(&fs->covered);
	buckets_deinit(&fs->buckets);
	staging_deinit(&fs->staging);
	mime_deinit(&fs->mime);
	memory_purse_deinit(&fs->read_memory);
	memory_purse_deinit(&fs->write_memory);
	call_group_deinit(&fs->background);
	free(fs);
}

static int prime_bucket(struct fs *fs, struct call *call)
{
	struct object_page page = {0};
	struct list_params params = {.prefix = fs->tree.prefix, .max_keys = 1};
	int r = fs->options.store->list_objects(fs->options.store, call, fs->tree.bucket, &params,
						&page);

	object_page_deinit(&page);
	return r;
}

int fs_prime(struct fs *fs, struct call *call, size_t *ret_buckets)
{
	struct listing *listing;
	int r;

	if (fs->tree.bucket) {
		r = prime_bucket(fs, call);
		if (r == 0)
			*ret_buckets = 1;
		return r;
	}
	r = buckets_list(&fs->buckets, call, &listing);
	if (r < 0)
		return r;
	*ret_buckets = listing->n;
	buckets_unref(&fs->buckets, listing);
	return 0;
}

int fs_statfs(struct fs *fs, struct statvfs *ret_statvfs)
{
	/* S3 has no end; these are numbers that no program's arithmetic trips over */
	const fsblkcnt_t blocks = (fsblkcnt_t)1 << 38; /* of 4 KiB: 1 PiB */

	(void)fs;
	*ret_statvfs = (struct statvfs){
	    .f_bsize = 4096,
	    .f_frsize = 4096,
	    .f_blocks = blocks,
	    .f_bfree = blocks,
	    .f_bavail = blocks,
	    .f_files = 1000000000,
	    .f_ffree = 1000000000,
	    .f_favail = 1000000000,
	    .f_namemax = NAME_MAX,
	};
	return 0;
}
