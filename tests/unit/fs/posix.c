/* fs/posix: user metadata as s3fs writes them, as others do, and nonsense. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "xacctfs/util/cleanup.h"

#include "../../../src/fs/posix.h"

static char mode[] = "mode", uid[] = "uid", gid[] = "gid", mtime[] = "mtime";

/* Of an object with that one alone. */
static struct posix_attr read_one(char *name, const char *value)
{
	struct object_meta meta = {.name = name, .value = strdup(value)};
	struct object object = {.meta = &meta, .n_meta = 1};
	struct posix_attr attr;

	assert_non_null(meta.value);
	posix_read(&object, &attr);
	free(meta.value);
	return attr;
}

static void assert_not_told(char *name, const char *value)
{
	struct posix_attr attr = read_one(name, value);

	if (attr.has)
		fail_msg("%s '%s' is told", name, value);
}

static void assert_mtime(const char *value, int64_t ns)
{
	struct posix_attr attr = read_one(mtime, value);

	if (attr.has != POSIX_MTIME || attr.mtime_ns != ns)
		fail_msg("mtime '%s' is read as %lld", value, (long long)attr.mtime_ns);
}

static void no_metadata(void **state)
{
	struct object object = {0};
	struct posix_attr attr;

	(void)state;
	posix_read(&object, &attr);
	assert_int_equal(attr.has, 0);
}

static void as_s3fs_writes_it(void **state)
{
	struct object_meta meta[] = {
	    {(char[]){"atime"}, (char[]){"1700000001.5"}},
	    {(char[]){"ctime"}, (char[]){"1700000002.5"}},
	    {(char[]){"gid"}, (char[]){"1001"}},
	    {(char[]){"mode"}, (char[]){"33188"}},
	    {(char[]){"mtime"}, (char[]){"1700000000.123456789"}},
	    {(char[]){"uid"}, (char[]){"1000"}},
	};
	struct object object = {.meta = meta, .n_meta = ARRAY_LEN(meta)};
	struct posix_attr attr;

	(void)state;
	posix_read(&object, &attr);
	assert_int_equal(attr.has, POSIX_ALL);
	assert_int_equal(attr.mode, S_IFREG | 0644);
	assert_int_equal(attr.uid, 1000);
	assert_int_equal(attr.gid, 1001);
	assert_true(attr.mtime_ns == INT64_C(1700000000123456789));
}

static void modes(void **state)
{
	(void)state;
	assert_int_equal(read_one(mode, "41471").mode, S_IFLNK | 0777);
	assert_int_equal(read_one(mode, "16877").mode, S_IFDIR | 0755);
	assert_int_equal(read_one(mode, "36333").mode, S_IFREG | 06755);
	assert_int_equal(read_one(mode, "420").mode, 0644); /* without a type */
	assert_int_equal(read_one(mode, "0").has, POSIX_MODE);
	assert_not_told(mode, "");
	assert_not_told(mode, "-1");
	assert_not_told(mode, "+33188");
	assert_not_told(mode, " 33188");
	assert_not_told(mode, "33188 ");
	assert_not_told(mode, "rw-r--r--");
	assert_not_told(mode, "65536");
	assert_not_told(mode, "99999999999999999999999999");
}

static void owners(void **state)
{
	(void)state;
	assert_int_equal(read_one(uid, "0").has, POSIX_UID);
	assert_int_equal(read_one(uid, "4294967294").uid, 4294967294);
	assert_int_equal(read_one(gid, "4294967294").gid, 4294967294);
	assert_not_told(uid, "4294967295"); /* (uid_t)-1 */
	assert_not_told(uid, "18446744073709551616");
	assert_not_told(uid, "root");
	assert_not_told(gid, "0x10");
	assert_not_told(gid, "1.5");
}

static void times(void **state)
{
	(void)state;
	assert_mtime("0", 0);
	assert_mtime("1700000000", INT64_C(1700000000000000000));
	assert_mtime("1700000000.000000001", INT64_C(1700000000000000001));
	assert_mtime("1700000000.5", INT64_C(1700000000500000000));
	assert_mtime("1700000000.1234567899", INT64_C(1700000000123456789));
	assert_mtime("-1", INT64_C(-1000000000));
	assert_mtime("-2.500000000", INT64_C(-1500000000));
	assert_not_told(mtime, "");
	assert_not_told(mtime, ".");
	assert_not_told(mtime, ".5");
	assert_not_told(mtime, "1.");
	assert_not_told(mtime, "-");
	assert_not_told(mtime, "--1");
	assert_not_told(mtime, "1.-5");
	assert_not_told(mtime, "1.5.5");
	assert_not_told(mtime, "1.5s");
	assert_not_told(mtime, "2026-01-01T00:00:00Z");
	assert_not_told(mtime, "9223372036854775807");
	assert_not_told(mtime, "1e9");
}

/* ---- writing ---- */

static const char *value_of(const struct posix_meta *meta, const char *name)
{
	struct object object = {.meta = meta->v, .n_meta = meta->n};

	return object_meta_get(&object, name);
}

static void write_all(void **state)
{
	_cleanup_(posix_meta_deinit) struct posix_meta meta = {0};
	struct posix_attr attr = {POSIX_ALL, S_IFREG | 0640, 1000, 4294967294,
				  INT64_C(1700000000000000007)};

	(void)state;
	assert_int_equal(posix_merge(NULL, 0, &attr, &meta), 0);
	assert_int_equal(meta.n, 4);
	assert_string_equal(value_of(&meta, "mode"), "33184");
	assert_string_equal(value_of(&meta, "uid"), "1000");
	assert_string_equal(value_of(&meta, "gid"), "4294967294");
	assert_string_equal(value_of(&meta, "mtime"), "1700000000.000000007");
}

static void others_are_kept(void **state)
{
	struct object_meta old[] = {
	    {(char[]){"atime"}, (char[]){"5"}},
	    {(char[]){"colour"}, (char[]){"red"}},
	    {(char[]){"mode"}, (char[]){"33188"}},
	    {(char[]){"uid"}, (char[]){"nonsense"}},
	};
	_cleanup_(posix_meta_deinit) struct posix_meta meta = {0};
	struct posix_attr attr = {.has = POSIX_MODE, .mode = S_IFREG | 0600};

	(void)state;
	assert_int_equal(posix_merge(old, ARRAY_LEN(old), &attr, &meta), 0);
	assert_int_equal(meta.n, 4);
	assert_string_equal(value_of(&meta, "atime"), "5");
	assert_string_equal(value_of(&meta, "colour"), "red");
	assert_string_equal(value_of(&meta, "mode"), "33152");
	assert_string_equal(value_of(&meta, "uid"), "nonsense");
}

static void what_is_written_is_read(void **state)
{
	static const int64_t dates[] = {0,
					1,
					999999999,
					-1,
					-1000000000,
					-1500000000,
					INT64_C(1700000000123456789),
					INT64_C(-9000000000000000001)};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
		_cleanup_(posix_meta_deinit) struct posix_meta meta = {0};
		struct posix_attr attr = {POSIX_ALL, S_IFLNK | 0777, 0, 7, dates[i]}, again;

		assert_int_equal(posix_merge(NULL, 0, &attr, &meta), 0);
		posix_read(&(struct object){.meta = meta.v, .n_meta = meta.n}, &again);
		assert_int_equal(again.has, POSIX_ALL);
		assert_int_equal(again.mode, attr.mode);
		assert_int_equal(again.uid, 0);
		assert_int_equal(again.gid, 7);
		assert_true(again.mtime_ns == dates[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_metadata),     cmocka_unit_test(as_s3fs_writes_it),
	    cmocka_unit_test(modes),           cmocka_unit_test(owners),
	    cmocka_unit_test(times),           cmocka_unit_test(write_all),
	    cmocka_unit_test(others_are_kept), cmocka_unit_test(what_is_written_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
