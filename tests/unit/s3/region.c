/* Which bucket is where, and what can be a region's name. */
#include "../../../src/s3/region.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "xacctfs/util/cleanup.h"

#define THREADS 8

static void names_of_regions(void **state)
{
	char longest[S3_REGION_MAX + 2];

	(void)state;
	assert_true(region_valid("eu-west-1"));
	assert_true(region_valid("default"));
	assert_true(region_valid("a"));
	memset(longest, 'a', sizeof(longest));
	longest[S3_REGION_MAX] = '\0';
	assert_true(region_valid(longest));
}

static void names_of_no_region(void **state)
{
	static const char *const names[] = {"",    "-",   "-a",   "a-",       "A",   "a.b",
					    "a/b", "a@b", "a b",  "a\nb",     "a_b", "a:1",
					    "..",  "%61", "\xe9", "\xc3\xa9", "a\\b"};
	char too_long[S3_REGION_MAX + 2];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_false(region_valid(names[i]));
	memset(too_long, 'a', sizeof(too_long));
	too_long[S3_REGION_MAX + 1] = '\0';
	assert_false(region_valid(too_long));
}

static void map_keeps_forgets_and_replaces(void **state)
{
	char region[S3_REGION_MAX + 1] = "untouched";
	struct region_map map;

	(void)state;
	region_map_init(&map);
	assert_int_equal(region_map_get(&map, "b", region), -ENODATA);
	assert_string_equal(region, "untouched");
	region_map_set(&map, "b", "eu-west-1");
	region_map_set(&map, "c", "us-east-1");
	assert_int_equal(region_map_get(&map, "b", region), 0);
	assert_string_equal(region, "eu-west-1");
	region_map_set(&map, "b", "sa-east-1");
	region_map_set(&map, "b", "no/region");
	assert_int_equal(region_map_get(&map, "b", region), 0);
	assert_string_equal(region, "sa-east-1");
	region_map_forget(&map, "b");
	region_map_forget(&map, "b");
	assert_int_equal(region_map_get(&map, "b", region), -ENODATA);
	assert_int_equal(region_map_get(&map, "c", region), 0);
	region_map_deinit(&map);
}

static void *use_map(void *data)
{
	char name[20], region[S3_REGION_MAX + 1];

	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "b%d", i % 50);
		region_map_set(data, name, "eu-west-1");
		region_map_get(data, name, region);
		region_map_forget(data, name);
	}
	return NULL;
}

static void map_bears_many_threads(void **state)
{
	char region[S3_REGION_MAX + 1];
	pthread_t threads[THREADS];
	struct region_map map;

	(void)state;
	region_map_init(&map);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use_map, &map), 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(region_map_get(&map, "b7", region), -ENODATA);
	region_map_deinit(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_of_regions),
	    cmocka_unit_test(names_of_no_region),
	    cmocka_unit_test(map_keeps_forgets_and_replaces),
	    cmocka_unit_test(map_bears_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
