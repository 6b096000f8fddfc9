/* Sorted pieces of an object, and which of their bytes were handed out. */
#include "../../../src/fs/reader/extents.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct extent *add(struct extents *extents, uint64_t start, size_t len)
{
	struct extent *extent = extent_new(start, len);

	assert_non_null(extent);
	assert_int_equal(extents_add(extents, extent), 0);
	assert_true(extent->listed);
	return extent;
}

static void drop(struct extents *extents, struct extent *extent)
{
	extents_remove(extents, extent);
	assert_false(extent->listed);
	extent_free(extent);
}

static void a_byte_is_found(void **state)
{
	struct extents extents = {0};
	struct extent *b = add(&extents, 100, 50), *a = add(&extents, 0, 10),
		      *c = add(&extents, 150, 1);

	(void)state;
	assert_ptr_equal(extents_find(&extents, 0), a);
	assert_ptr_equal(extents_find(&extents, 9), a);
	assert_null(extents_find(&extents, 10));
	assert_null(extents_find(&extents, 99));
	assert_ptr_equal(extents_find(&extents, 100), b);
	assert_ptr_equal(extents_find(&extents, 149), b);
	assert_ptr_equal(extents_find(&extents, 150), c);
	assert_null(extents_find(&extents, 151));
	drop(&extents, b);
	assert_null(extents_find(&extents, 100));
	assert_ptr_equal(extents_find(&extents, 150), c);
	assert_int_equal(extents.n, 2);
	extents_deinit(&extents);
	assert_null(extents_find(&extents, 0));
}

static void holes_and_what_is_covered(void **state)
{
	struct extents extents = {0};
	uint64_t start, end;

	(void)state;
	extents_hole(&extents, 7, &start, &end);
	assert_true(start == 0 && end == UINT64_MAX);
	assert_int_equal(extents_covered(&extents, 7), 7);
	add(&extents, 100, 50);
	add(&extents, 150, 10);
	add(&extents, 200, 10);
	assert_int_equal(extents_covered(&extents, 120), 160);
	assert_int_equal(extents_covered(&extents, 160), 160);
	extents_hole(&extents, 160, &start, &end);
	assert_true(start == 160 && end == 200);
	extents_hole(&extents, 50, &start, &end);
	assert_true(start == 0 && end == 100);
	extents_hole(&extents, 210, &start, &end);
	assert_true(start == 210 && end == UINT64_MAX);
	extents_deinit(&extents);
}

static void many_in_any_order(void **state)
{
	struct extents extents = {0};

	(void)state;
	for (uint64_t i = 0; i < 1000; i++)
		add(&extents, i * 7919 % 1000 * 10, 5);
	for (uint64_t i = 0; i < 1000; i++) {
		assert_int_equal(extents_find(&extents, i * 10 + 4)->start, i * 10);
		assert_null(extents_find(&extents, i * 10 + 5));
	}
	for (uint64_t i = 0; i < 1000; i += 2)
		drop(&extents, extents_find(&extents, i * 10));
	for (uint64_t i = 0; i < 1000; i++)
		assert_true((extents_find(&extents, i * 10) != NULL) == (i % 2 == 1));
	extents_deinit(&extents);
}

static void consumed_when_each_page_was_handed_out(void **state)
{
	struct extent *extent = extent_new(1000, 3 * 4096 + 5);

	(void)state;
	assert_non_null(extent);
	extent_mark_read(extent, 1000, 1000 + 4096);
	extent_mark_read(extent, 1000, 1000 + 4096); /* again: no progress */
	extent_mark_read(extent, 1000, 1000 + 4096);
	extent_mark_read(extent, 1000, 1000 + 4096);
	assert_false(extent_consumed(extent));
	extent_mark_read(extent, 1000 + 2 * 4096, extent_end(extent));
	assert_false(extent_consumed(extent));
	extent_mark_read(extent, 1000 + 4096, 1000 + 2 * 4096 - 1);
	assert_false(extent_consumed(extent));
	extent_mark_read(extent, 1000 + 2 * 4096 - 1, 1000 + 2 * 4096);
	assert_true(extent_consumed(extent));
	extent_free(extent);
	extent_free(NULL);
}

static void a_cut_extent_has_fewer_pages(void **state)
{
	struct extent *extent = extent_new(0, 10 * 4096);

	(void)state;
	assert_non_null(extent);
	extent_mark_read(extent, 0, 4096);
	extent_cut(extent, 4096 + 10);
	assert_int_equal(extent_end(extent), 4096 + 10);
	assert_false(extent_consumed(extent));
	extent_mark_read(extent, 4096, 4096 + 10);
	assert_true(extent_consumed(extent));
	extent_free(extent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_byte_is_found),
	    cmocka_unit_test(holes_and_what_is_covered),
	    cmocka_unit_test(many_in_any_order),
	    cmocka_unit_test(consumed_when_each_page_was_handed_out),
	    cmocka_unit_test(a_cut_extent_has_fewer_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
