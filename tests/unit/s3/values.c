/* s3/values: objects as they are told, and how others are written like them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "xacctfs/s3/store.h"
#include "xacctfs/util/cleanup.h"

static struct object_meta meta[] = {{(char[]){"colour"}, (char[]){"blue"}},
				    {(char[]){"empty"}, (char[]){""}}};

static void a_description_is_copied(void **state)
{
	_cleanup_(object_deinit) struct object copy = {0};
	struct object object = {.etag = (char[]){"e"},
				.content_type = (char[]){"a/b"},
				.storage_class = (char[]){"STANDARD_IA"},
				.headers[OBJECT_EXPIRES] = (char[]){"never"},
				.meta = meta,
				.n_meta = 2};
	struct put_params params = object_put_params(&object);

	(void)state;
	assert_int_equal(object_describe(&copy, &params), 0);
	assert_null(copy.etag);
	assert_string_equal(copy.content_type, "a/b");
	assert_ptr_not_equal(copy.content_type, object.content_type);
	assert_string_equal(copy.storage_class, "STANDARD_IA");
	for (size_t i = 0; i < OBJECT_HEADERS; i++)
		assert_int_equal(copy.headers[i] != NULL, i == OBJECT_EXPIRES);
	assert_string_equal(copy.headers[OBJECT_EXPIRES], "never");
	assert_int_equal(copy.n_meta, 2);
	assert_string_equal(object_meta_get(&copy, "colour"), "blue");
	assert_string_equal(object_meta_get(&copy, "empty"), "");
}

static void nothing_is_described_by_nothing(void **state)
{
	_cleanup_(object_deinit) struct object copy = {0};

	(void)state;
	assert_int_equal(object_describe(&copy, &(struct put_params){0}), 0);
	assert_null(copy.content_type);
	assert_null(copy.storage_class);
	for (size_t i = 0; i < OBJECT_HEADERS; i++)
		assert_null(copy.headers[i]);
	assert_int_equal(copy.n_meta, 0);
}

static void metadata_may_be_dropped(void **state)
{
	_cleanup_(object_deinit) struct object copy = {0};

	(void)state;
	assert_int_equal(object_describe(&copy, &(struct put_params){.meta = meta, .n_meta = 2}),
			 0);
	object_meta_drop(&copy, "other");
	assert_int_equal(copy.n_meta, 2);
	object_meta_drop(&copy, "colour");
	assert_int_equal(copy.n_meta, 1);
	assert_null(object_meta_get(&copy, "colour"));
	assert_non_null(object_meta_get(&copy, "empty"));
	object_meta_drop(&copy, "empty");
	assert_int_equal(copy.n_meta, 0);
}

static void classes_that_are_kept(void **state)
{
	static const char *const kept[] = {"STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING",
					   "GLACIER_IR", "REDUCED_REDUNDANCY"};
	static const char *const not_kept[] = {"STANDARD",        "GLACIER",  "DEEP_ARCHIVE",
					       "EXPRESS_ONEZONE", "OUTPOSTS", ""};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		assert_string_equal(object_kept_class(kept[i]), kept[i]);
	for (size_t i = 0; i < ARRAY_LEN(not_kept); i++)
		assert_null(object_kept_class(not_kept[i]));
	assert_null(object_kept_class(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_description_is_copied),
	    cmocka_unit_test(nothing_is_described_by_nothing),
	    cmocka_unit_test(metadata_may_be_dropped),
	    cmocka_unit_test(classes_that_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
