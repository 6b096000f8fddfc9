/* fs/staging: local files without a name, what they hold, and the bound on all of them. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../../src/fs/content/staging.h"

#define LIMIT 10000

struct bench {
	char parent[64], dir[80];
	struct staging staging;
	struct staging_area area;
};

static void begin(struct bench *b)
{
	snprintf(b->parent, sizeof(b->parent), "/tmp/xacctfs-staging-XXXXXX");
	assert_non_null(mkdtemp(b->parent));
	snprintf(b->dir, sizeof(b->dir), "%s/staging", b->parent);
	assert_int_equal(staging_init(&b->staging, b->dir, LIMIT), 0);
	assert_int_equal(staging_area_init(&b->area, &b->staging), 0);
}

static void end(struct bench *b)
{
	staging_area_deinit(&b->area);
	assert_int_equal(b->staging.used, 0);
	staging_deinit(&b->staging);
	assert_int_equal(rmdir(b->dir), 0); /* and so there is no file in it */
	assert_int_equal(rmdir(b->parent), 0);
}

static void assert_bytes(struct bench *b, uint64_t offset, const char *expected)
{
	char bytes[32] = {0};
	size_t len = strlen(expected);

	assert_true(len < sizeof(bytes));
	assert_true(ranges_has(&b->area.present, offset, offset + len));
	assert_int_equal(staging_read(&b->area, offset, bytes, len), 0);
	assert_string_equal(bytes, expected);
}

static void the_directory_is_made_for_us_alone(void **state)
{
	struct bench b;
	struct stat st;

	(void)state;
	begin(&b);
	assert_int_equal(stat(b.dir, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(fstat(b.area.fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_nlink, 0);
	end(&b);
}

static void a_directory_that_is_there_serves(void **state)
{
	struct bench b;
	struct staging again;

	(void)state;
	begin(&b);
	assert_int_equal(staging_init(&again, b.dir, 1), 0);
	staging_deinit(&again);
	end(&b);
}

static void a_directory_that_others_may_use_is_refused(void **state)
{
	struct bench b;
	struct staging again = {0};

	(void)state;
	begin(&b);
	assert_int_equal(chmod(b.dir, 0710), 0);
	assert_int_equal(staging_init(&again, b.dir, 1), -EPERM);
	assert_int_equal(chmod(b.dir, 0702), 0);
	assert_int_equal(staging_init(&again, b.dir, 1), -EPERM);
	assert_int_equal(chmod(b.dir, 0700), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(b.dir, 65534, 65534), 0);
		assert_int_equal(staging_init(&again, b.dir, 1), -EPERM);
		assert_int_equal(chown(b.dir, 0, 0), 0);
	}
	staging_deinit(&again); /* it is none, and stays so */
	assert_int_equal(staging_init(&again, b.dir, 1), 0);
	staging_deinit(&again);
	end(&b);
}

static void where_its_name_leads_to_later_is_of_no_matter(void **state)
{
	struct staging_area area;
	struct bench b;
	char away[100];

	(void)state;
	begin(&b);
	snprintf(away, sizeof(away), "%s/away", b.parent);
	assert_int_equal(rename(b.dir, away), 0);
	assert_int_equal(symlink("/nonexistent", b.dir), 0);
	assert_int_equal(staging_area_init(&area, &b.staging), 0);
	assert_int_equal(staging_write(&area, 0, "x", 1), 0);
	staging_area_deinit(&area);
	assert_int_equal(unlink(b.dir), 0);
	assert_int_equal(rename(away, b.dir), 0);
	end(&b);
}

static void what_cannot_be_a_directory_is_told(void **state)
{
	struct staging staging;

	(void)state;
	assert_int_equal(staging_init(&staging, "/dev/null", 1), -ENOTDIR);
	assert_int_equal(staging_init(&staging, "/nonexistent/a/b", 1), -ENOENT);
}

static void holds_what_was_written(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	assert_int_equal(staging_write(&b.area, 100, "hello", 5), 0);
	assert_int_equal(staging_write(&b.area, (uint64_t)1 << 40, "far away", 8), 0);
	assert_int_equal(staging_write(&b.area, 103, "p me", 4), 0);
	assert_bytes(&b, 100, "help me");
	assert_bytes(&b, (uint64_t)1 << 40, "far away");
	assert_int_equal(ranges_total(&b.area.present), 15);
	assert_int_equal(b.staging.used, 15);
	end(&b);
}

static void the_limit_counts_present_bytes_of_all_areas(void **state)
{
	struct bench b;
	struct staging_area other;
	char bytes[LIMIT] = {0};

	(void)state;
	begin(&b);
	assert_int_equal(staging_area_init(&other, &b.staging), 0);
	assert_int_equal(staging_write(&b.area, 0, bytes, LIMIT - 10), 0);
	assert_int_equal(staging_write(&other, 0, "0123456789", 10), 0);
	assert_int_equal(staging_write(&other, 10, "0", 1), -ENOSPC);
	assert_false(ranges_meets(&other.present, 10, 11));
	/* over what is present already nothing more is needed */
	assert_int_equal(staging_write(&b.area, 50, "over", 4), 0);
	assert_int_equal(staging_write(&other, 5, "abcdef", 6), -ENOSPC);
	assert_int_equal(staging_read(&other, 0, bytes, 10), 0);
	assert_memory_equal(bytes, "0123456789", 10);
	staging_area_deinit(&other);
	assert_int_equal(b.staging.used, LIMIT - 10);
	assert_int_equal(staging_write(&b.area, LIMIT, "0123456789", 10), 0);
	end(&b);
}

static void truncate_gives_space_back(void **state)
{
	struct bench b;
	struct stat st;

	(void)state;
	begin(&b);
	assert_int_equal(staging_write(&b.area, 0, "0123456789", 10), 0);
	assert_int_equal(staging_write(&b.area, 20, "0123456789", 10), 0);
	assert_int_equal(staging_truncate(&b.area, 25), 0);
	assert_int_equal(b.staging.used, 15);
	assert_int_equal(staging_truncate(&b.area, 20), 0);
	assert_int_equal(staging_truncate(&b.area, 15), 0);
	assert_int_equal(staging_truncate(&b.area, 1000), 0);
	assert_int_equal(b.staging.used, 10);
	assert_false(ranges_meets(&b.area.present, 10, 1000));
	assert_int_equal(fstat(b.area.fd, &st), 0);
	assert_true(st.st_size <= 15);
	assert_int_equal(staging_truncate(&b.area, 3), 0);
	assert_bytes(&b, 0, "012");
	assert_int_equal(b.staging.used, 3);
	end(&b);
}

static void a_full_disk_is_enospc_and_nothing_is_present(void **state)
{
	struct bench b;
	struct rlimit before, small;
	char bytes[8192];

	(void)state;
	begin(&b);
	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(staging_write(&b.area, 0, "0123", 4), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){.rlim_cur = 4096, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(staging_write(&b.area, 0, bytes, sizeof(bytes)), -ENOSPC);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(b.staging.used, 4);
	assert_bytes(&b, 0, "0123");
	assert_int_equal(staging_write(&b.area, 0, bytes, sizeof(bytes)), 0);
	end(&b);
}

static void mapped_bytes_are_those_written(void **state)
{
	struct bench b;
	const void *data;

	(void)state;
	begin(&b);
	assert_int_equal(staging_write(&b.area, 0, "0123456789", 10), 0);
	assert_int_equal(staging_map(&b.area, NULL, 10, &data), 0);
	assert_memory_equal(data, "0123456789", 10);
	staging_unmap(&b.area, 10, data);
	end(&b);
}

/* What is mapped counts as the program's memory, so that only so much is at once. */
static void a_second_large_mapping_waits(void **state)
{
	static const char bytes[STAGING_MAPPED_MAX / 2 + 1];
	const void *first, *second = NULL;
	struct call call;
	struct bench b;

	(void)state;
	begin(&b);
	b.staging.limit = sizeof(bytes);
	assert_int_equal(staging_write(&b.area, 0, bytes, sizeof(bytes)), 0);
	assert_int_equal(staging_map(&b.area, NULL, sizeof(bytes), &first), 0);
	call_init(&call, NULL, clock_system(), 0);
	assert_int_equal(staging_map(&b.area, &call, sizeof(bytes), &second), -ETIMEDOUT);
	call_deinit(&call);
	call_init(&call, NULL, clock_system(), CLOCK_NEVER);
	call_cancel(&call);
	assert_int_equal(staging_map(&b.area, &call, sizeof(bytes), &second), -EINTR);
	call_deinit(&call);
	assert_null(second);
	staging_unmap(&b.area, sizeof(bytes), first);
	call_init(&call, NULL, clock_system(), 0);
	assert_int_equal(staging_map(&b.area, &call, sizeof(bytes), &second), 0);
	call_deinit(&call);
	staging_unmap(&b.area, sizeof(bytes), second);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_directory_is_made_for_us_alone),
	    cmocka_unit_test(a_directory_that_is_there_serves),
	    cmocka_unit_test(a_directory_that_others_may_use_is_refused),
	    cmocka_unit_test(where_its_name_leads_to_later_is_of_no_matter),
	    cmocka_unit_test(what_cannot_be_a_directory_is_told),
	    cmocka_unit_test(holds_what_was_written),
	    cmocka_unit_test(the_limit_counts_present_bytes_of_all_areas),
	    cmocka_unit_test(truncate_gives_space_back),
	    cmocka_unit_test(a_full_disk_is_enospc_and_nothing_is_present),
	    cmocka_unit_test(mapped_bytes_are_those_written),
	    cmocka_unit_test(a_second_large_mapping_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
