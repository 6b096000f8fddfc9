/* util/array: room for one more, and what is there stays. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "xacctfs/util/array.h"

static void there_is_room_for_one_more(void **state)
{
	uint64_t *v = NULL;

	(void)state;
	for (size_t n = 0; n < 1000; n++) {
		assert_int_equal(array_grow(&v, n, sizeof(*v)), 0);
		v[n] = n;
	}
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(v[i], i);
	free(v);
}

static void what_is_too_large_leaves_it_as_it_was(void **state)
{
	uint64_t *v = NULL, *before;

	(void)state;
	assert_int_equal(array_grow(&v, 0, sizeof(*v)), 0);
	v[0] = 7;
	before = v;
	assert_int_equal(array_grow(&v, 1, SIZE_MAX), -ENOMEM);
	assert_int_equal(array_grow(&v, SIZE_MAX / 2 + 1, 1), -ENOMEM);
	assert_ptr_equal(v, before);
	assert_int_equal(v[0], 7);
	free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(there_is_room_for_one_more),
	    cmocka_unit_test(what_is_too_large_leaves_it_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
