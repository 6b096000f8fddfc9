#include "staging.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/waiter.h"

int staging_init(struct staging *staging, const char *dir, uint64_t limit)
{
	_cleanup_(closep) int fd = -1;
	struct stat st;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() || st.st_mode & 077)
		return -EPERM;
	if (faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return -errno;
	*staging = (struct staging){.dir = fd, .limit = limit};
	if (clock_cond_init(&staging->unmapped) < 0)
		return -ENOMEM;
	staging->ready = true;
	fd = -1;
	pthread_mutex_init(&staging->lock, NULL);
	return 0;
}

void staging_deinit(struct staging *staging)
{
	if (!staging->ready)
		return;
	pthread_cond_destroy(&staging->unmapped);
	pthread_mutex_destroy(&staging->lock);
	close(staging->dir);
	staging->ready = false;
}

uint64_t staging_used(struct staging *staging)
{
	uint64_t used;

	pthread_mutex_lock(&staging->lock);
	used = staging->used;
	pthread_mutex_unlock(&staging->lock);
	return used;
}

static bool reserve(struct staging *staging, uint64_t n)
{
	bool fits;

	pthread_mutex_lock(&staging->lock);
	fits = staging->used <= staging->limit && n <= staging->limit - staging->used;
	if (fits)
		staging->used += n;
	pthread_mutex_unlock(&staging->lock);
	return fits;
}

static void give_back(struct staging *staging, uint64_t n)
{
	pthread_mutex_lock(&staging->lock);
	staging->used -= n;
	pthread_mutex_unlock(&staging->lock);
}

/* ---- a file without a name ---- */

/* Where the file system has no O_TMPFILE. */
static int open_and_unlink(int dir)
{
	_cleanup_(freep) char *path = NULL;
	int fd;

	if (asprintf(&path, "/proc/self/fd/%d/XXXXXX", dir) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (unlink(path) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

static int open_nameless(int dir)
{
	int fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);

	if (fd >= 0)
		return fd;
	if (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)
		return open_and_unlink(dir);
	return -errno;
}

int staging_area_init(struct staging_area *area, struct staging *staging)
{
	int fd = open_nameless(staging->dir);

	if (fd < 0)
		return fd;
	*area = (struct staging_area){.staging = staging, .fd = fd};
	return 0;
}

void staging_area_deinit(struct staging_area *area)
{
	if (!area->staging)
		return;
	close(area->fd);
	give_back(area->staging, ranges_total(&area->present));
	ranges_deinit(&area->present);
	*area = (struct staging_area){0};
}

/* ---- bytes ---- */

static uint64_t absent_in(const struct staging_area *area, uint64_t start, uint64_t end)
{
	struct range run;
	uint64_t absent = 0;

	while (ranges_next(&area->present, start, end, false, &run)) {
		absent += run.end - run.start;
		start = run.end;
	}
	return absent;
}

/* The disk's space for all of it, so that a full disk is known before any byte is overwritten. */
static int allocate(int fd, uint64_t offset, uint64_t len)
{
	while (fallocate(fd, 0, (off_t)offset, (off_t)len) < 0) {
		if (errno == EOPNOTSUPP || errno == ENOSYS)
			return 0;
		if (errno != EINTR)
			return errno == EFBIG || errno == EDQUOT ? -ENOSPC : -errno;
	}
	return 0;
}

static int write_all(int fd, uint64_t offset, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, data, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EFBIG || errno == EDQUOT ? -ENOSPC : -errno;
		data += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* What was allocated for bytes that did not become present goes back to the disk. */
static void punch_absent(const struct staging_area *area, uint64_t start, uint64_t end)
{
	struct range run;

	while (ranges_next(&area->present, start, end, false, &run)) {
		if (fallocate(area->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      (off_t)run.start, (off_t)(run.end - run.start)) < 0)
			return;
		start = run.end;
	}
}

int staging_write(struct staging_area *area, uint64_t offset, const void *data, size_t len)
{
	uint64_t end = offset + len, more = absent_in(area, offset, end);
	int r;

	if (len == 0)
		return 0;
	if (!reserve(area->staging, more))
		return -ENOSPC;
	r = ranges_reserve(&area->present, 1);
	if (r == 0)
		r = allocate(area->fd, offset, len);
	if (r == 0)
		r = write_all(area->fd, offset, data, len);
	if (r == 0)
		return ranges_add(&area->present, offset, end);
	punch_absent(area, offset, end);
	give_back(area->staging, more);
	return r;
}

int staging_read(const struct staging_area *area, uint64_t offset, void *data, size_t len)
{
	char *to = data;

	while (len > 0) {
		ssize_t n = pread(area->fd, to, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO; /* shorter than what was written: somebody cut the file */
		to += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int staging_truncate(struct staging_area *area, uint64_t size)
{
	uint64_t before = ranges_total(&area->present);
	struct stat st;

	if (fstat(area->fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size > size && ftruncate(area->fd, (off_t)size) < 0)
		return -errno;
	/* from the middle of a range to behind the last: never one more */
	(void)ranges_remove(&area->present, size, UINT64_MAX);
	give_back(area->staging, before - ranges_total(&area->present));
	return 0;
}

/* Counts len bytes as mapped, when it is their turn. */
static int take_mapping(struct staging *staging, struct call *call, size_t len)
{
	struct waiter waiter;
	int r = 0;

	if (call)
		waiter_begin(&waiter, call, &staging->lock, &staging->unmapped);
	pthread_mutex_lock(&staging->lock);
	while (call && r == 0 && staging->mapped > 0 && staging->mapped + len > STAGING_MAPPED_MAX)
		r = waiter_wait_locked(&waiter);
	if (r == 0)
		staging->mapped += len;
	pthread_mutex_unlock(&staging->lock);
	if (call)
		waiter_end(&waiter);
	return r;
}

static void give_mapping(struct staging *staging, size_t len)
{
	pthread_mutex_lock(&staging->lock);
	staging->mapped -= len;
	pthread_cond_broadcast(&staging->unmapped);
	pthread_mutex_unlock(&staging->lock);
}

int staging_map(const struct staging_area *area, struct call *call, size_t len,
		const void **ret_data)
{
	int r = take_mapping(area->staging, call, len);
	void *data;

	if (r < 0)
		return r;
	data = mmap(NULL, len, PROT_READ, MAP_SHARED, area->fd, 0);
	if (data == MAP_FAILED) {
		r = errno == EAGAIN || errno == ENFILE ? -ENOMEM : -errno;
		give_mapping(area->staging, len);
		return r;
	}
	*ret_data = data;
	return 0;
}

void staging_unmap(const struct staging_area *area, size_t len, const void *data)
{
	munmap((void *)(uintptr_t)data, len);
	give_mapping(area->staging, len);
}
