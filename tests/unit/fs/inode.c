/* The inodes that the kernel knows. */
#include "bench.h"

#include "../../../src/fs/inode.h"

#define THREADS 4
#define ROUNDS  5000

static int setup(void **state)
{
	struct inode_table *table = malloc(sizeof(*table));

	assert_non_null(table);
	inode_table_init(table);
	*state = table;
	return 0;
}

static int teardown(void **state)
{
	inode_table_deinit(*state);
	free(*state);
	return 0;
}

static uint64_t acquire(struct inode_table *table, const char *bucket)
{
	uint64_t ino = 0;

	assert_int_equal(inode_acquire(table, bucket, CREATED_MS, &ino), 0);
	return ino;
}

static bool known(struct inode_table *table, uint64_t ino)
{
	char *bucket = NULL;
	int64_t created_ms;
	int r = inode_bucket(table, ino, &bucket, &created_ms);

	free(bucket);
	assert_true(r == 0 || r == -ESTALE);
	return r == 0;
}

static void one_name_is_one_inode(void **state)
{
	struct inode_table *table = *state;
	uint64_t a = acquire(table, "alpha"), b = acquire(table, "beta");

	assert_true(a > FS_ROOT && b > FS_ROOT);
	assert_int_not_equal(a, b);
	assert_int_equal(acquire(table, "alpha"), a);
	assert_int_equal(acquire(table, "beta"), b);
	assert_int_not_equal(acquire(table, "alph"), a);
}

static void an_inode_knows_its_bucket(void **state)
{
	struct inode_table *table = *state;
	uint64_t a = acquire(table, "alpha");
	char *bucket;
	int64_t created_ms;

	assert_int_equal(inode_bucket(table, a, &bucket, &created_ms), 0);
	assert_string_equal(bucket, "alpha");
	assert_int_equal(created_ms, CREATED_MS);
	free(bucket);
}

static void a_bucket_made_again_has_its_new_date(void **state)
{
	struct inode_table *table = *state;
	uint64_t a = acquire(table, "alpha"), again;
	char *bucket;
	int64_t created_ms;

	assert_int_equal(inode_acquire(table, "alpha", CREATED_MS + 5, &again), 0);
	assert_int_equal(again, a);
	assert_int_equal(inode_bucket(table, a, &bucket, &created_ms), 0);
	assert_int_equal(created_ms, CREATED_MS + 5);
	free(bucket);
}

static void a_number_that_is_not_known_leaves_the_outputs(void **state)
{
	static char untouched[] = "untouched";
	struct inode_table *table = *state;
	char *bucket = untouched;
	int64_t created_ms = 42;

	assert_int_equal(inode_bucket(table, 77, &bucket, &created_ms), -ESTALE);
	assert_int_equal(inode_bucket(table, FS_ROOT, &bucket, &created_ms), -ESTALE);
	assert_int_equal(inode_bucket(table, 0, &bucket, &created_ms), -ESTALE);
	assert_ptr_equal(bucket, untouched);
	assert_int_equal(created_ms, 42);
}

static void it_lives_until_forgotten_as_often_as_handed_out(void **state)
{
	struct inode_table *table = *state;
	uint64_t a = acquire(table, "alpha"), b = acquire(table, "beta");

	for (int i = 0; i < 4; i++)
		acquire(table, "alpha");
	inode_forget(table, a, 1);
	inode_forget(table, a, 3);
	assert_true(known(table, a));
	inode_forget(table, a, 1);
	assert_false(known(table, a));
	assert_true(known(table, b));
}

static void a_number_is_never_used_again(void **state)
{
	struct inode_table *table = *state;
	uint64_t last = FS_ROOT;

	for (int i = 0; i < 100; i++) {
		uint64_t ino = acquire(table, i % 2 ? "alpha" : "beta");

		assert_true(ino > last);
		inode_forget(table, ino, 1);
		last = ino;
	}
}

static void forgetting_nothing_changes_nothing(void **state)
{
	struct inode_table *table = *state;
	uint64_t a = acquire(table, "alpha");

	inode_forget(table, a, 0);
	assert_true(known(table, a));
	inode_forget(table, a + 1, 1);
	inode_forget(table, FS_ROOT, 1);
	inode_forget(table, 0, UINT64_MAX);
	assert_true(known(table, a));
	assert_int_equal(acquire(table, "alpha"), a);
}

static void forgetting_more_than_was_handed_out_is_the_end_of_it(void **state)
{
	struct inode_table *table = *state;
	uint64_t a = acquire(table, "alpha"), again;

	inode_forget(table, a, UINT64_MAX);
	assert_false(known(table, a));
	inode_forget(table, a, 1);
	again = acquire(table, "alpha");
	assert_int_not_equal(again, a);
	inode_forget(table, a, 1);
	assert_true(known(table, again));
}

static void what_users_see_is_made_of_the_name(void **state)
{
	(void)state;
	assert_int_equal(inode_number("alpha"), inode_number("alpha"));
	assert_int_not_equal(inode_number("alpha"), inode_number("beta"));
	assert_int_not_equal(inode_number("alpha"), inode_number("alphb"));
	assert_int_not_equal(inode_number("ab"), inode_number("ba"));
	assert_true(inode_number("") > FS_ROOT);
}

/* ---- many threads ---- */

struct runner {
	struct inode_table *table;
	pthread_t thread;
	uint64_t shared; /* the inode of the name that one more reference keeps */
	unsigned int wrong;
};

/* Each thread acquires and forgets names that the others do, too; "kept" never goes. */
static void *run(void *data)
{
	static const char *const names[] = {"kept", "alpha", "beta"};
	struct runner *runner = data;

	for (size_t i = 0; i < ROUNDS; i++) {
		const char *name = names[i % ARRAY_LEN(names)];
		_cleanup_(freep) char *bucket = NULL;
		int64_t created_ms;
		uint64_t ino;

		if (inode_acquire(runner->table, name, CREATED_MS, &ino) != 0 ||
		    inode_bucket(runner->table, ino, &bucket, &created_ms) != 0) {
			runner->wrong++;
			continue;
		}
		if (strcmp(bucket, name) != 0 || created_ms != CREATED_MS)
			runner->wrong++;
		if (i % ARRAY_LEN(names) == 0 && ino != runner->shared)
			runner->wrong++;
		inode_forget(runner->table, ino, 1);
	}
	return NULL;
}

static void many_threads_leave_nothing_behind(void **state)
{
	struct inode_table *table = *state;
	struct runner runners[THREADS];
	uint64_t kept = acquire(table, "kept");

	for (size_t i = 0; i < THREADS; i++) {
		runners[i] = (struct runner){.table = table, .shared = kept};
		assert_int_equal(pthread_create(&runners[i].thread, NULL, run, &runners[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(runners[i].thread, NULL), 0);
		assert_int_equal(runners[i].wrong, 0);
	}
	assert_true(known(table, kept));
	inode_forget(table, kept, 1);
	/* all that was ever handed out is gone */
	for (uint64_t ino = 0, end = acquire(table, "end"); ino < end; ino++)
		assert_false(known(table, ino));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(one_name_is_one_inode),
	    TEST(an_inode_knows_its_bucket),
	    TEST(a_bucket_made_again_has_its_new_date),
	    TEST(a_number_that_is_not_known_leaves_the_outputs),
	    TEST(it_lives_until_forgotten_as_often_as_handed_out),
	    TEST(a_number_is_never_used_again),
	    TEST(forgetting_nothing_changes_nothing),
	    TEST(forgetting_more_than_was_handed_out_is_the_end_of_it),
	    TEST(what_users_see_is_made_of_the_name),
	    TEST(many_threads_leave_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
