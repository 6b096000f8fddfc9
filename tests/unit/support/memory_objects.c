/* Objects of the store in memory: bytes, conditions, copies, deletion, what is told of them. */
#include "bench.h"

#define ABC_ETAG "\"900150983cd24fb0d6963f7d28e17f72\"" /* RFC 1321, A.5 */

static const struct object_id id_x = {"b", "x"}, id_y = {"b", "y"}, id_no_bucket = {"none", "x"};

static int head(struct bench *b, const char *key, struct object *ret_object)
{
	return b->store->head_object(b->store, &b->call, &(struct object_id){"b", key}, ret_object);
}

static void what_is_put_is_told(void **state)
{
	_cleanup_(object_deinit) struct object told = {0}, seen = {0};
	struct object_meta meta[] = {{(char[]){"mtime"}, (char[]){"17"}},
				     {(char[]){"mode"}, (char[]){"420"}}};
	struct put_params params = {.content_type = "text/plain", .meta = meta, .n_meta = 2};
	struct bench *b = *state;

	assert_int_equal(b->store->put_object(b->store, &b->call, &id_x, &params, "abc", 3, &told),
			 0);
	assert_int_equal(told.size, 3);
	assert_string_equal(told.etag, ABC_ETAG);
	assert_int_equal(told.mtime_ms, TEST_CLOCK_WALL_MS);
	assert_null(told.content_type);
	assert_int_equal(head(b, "x", &seen), 0);
	assert_int_equal(seen.size, 3);
	assert_string_equal(seen.etag, ABC_ETAG);
	assert_int_equal(seen.mtime_ms, TEST_CLOCK_WALL_MS);
	assert_string_equal(seen.content_type, "text/plain");
	assert_int_equal(seen.n_meta, 2);
	assert_string_equal(object_meta_get(&seen, "mtime"), "17");
	assert_string_equal(object_meta_get(&seen, "mode"), "420");
	assert_null(object_meta_get(&seen, "uid"));
	assert_true(is_text(b, "x", "abc"));
	assert_int_equal(memory_bytes_put(&b->s3), 3);
}

static void a_plain_put_replaces_all(void **state)
{
	_cleanup_(object_deinit) struct object seen = {0};
	struct object_meta meta = {(char[]){"a"}, (char[]){"b"}};
	struct bench *b = *state;

	memory_put_as(&b->s3, "b", "x", "old", 3, &(struct object){.meta = &meta, .n_meta = 1});
	assert_int_equal(put(b, &b->call, "x", "", NULL), 0);
	assert_int_equal(head(b, "x", &seen), 0);
	assert_int_equal(seen.size, 0);
	assert_int_equal(seen.n_meta, 0);
	assert_string_equal(seen.content_type, MEMORY_TYPE);
	assert_string_equal(seen.etag, "\"d41d8cd98f00b204e9800998ecf8427e\"");
	assert_int_equal(memory_objects(&b->s3, NULL), 1);
}

static void a_get_is_a_range_up_to_the_end(void **state)
{
	_cleanup_(taken_deinit) struct taken taken = {0};
	struct bench *b = *state;

	put_text(b, "x", "0123456789");
	assert_int_equal(get(b, &b->call, "x", 0, UINT64_MAX, NULL, &taken), 0);
	assert_string_equal(buf_str(&taken.bytes), "0123456789");
	assert_int_equal(get(b, &b->call, "x", 3, 4, NULL, &taken), 0);
	assert_string_equal(buf_str(&taken.bytes), "3456");
	assert_int_equal(get(b, &b->call, "x", 9, 4, NULL, &taken), 0);
	assert_string_equal(buf_str(&taken.bytes), "9");
	assert_int_equal(get(b, &b->call, "x", 10, 1, NULL, &taken), -ERANGE);
	assert_int_equal(get(b, &b->call, "x", 0, 0, NULL, &taken), -EINVAL);
	assert_int_equal(get(b, &b->call, "y", 0, 1, NULL, &taken), -ENOENT);
	assert_int_equal(taken.pieces, 0);
	put_text(b, "empty", "");
	assert_int_equal(get(b, &b->call, "empty", 0, 1, NULL, &taken), -ERANGE);
	assert_int_equal(memory_bytes_got(&b->s3), 10 + 4 + 1);
}

static void a_get_tells_the_whole_object(void **state)
{
	_cleanup_(taken_deinit) struct taken taken = {0};
	_cleanup_(object_deinit) struct object told = {0};
	struct bench *b = *state;

	put_text(b, "x", "abc");
	assert_int_equal(
	    b->store->get_object(
		b->store, &b->call, &id_x,
		&(struct get_params){
		    .offset = 1, .len = 1, .if_match = ABC_ETAG, .sink = take, .sink_data = &taken},
		&told),
	    0);
	assert_int_equal(told.size, 3);
	assert_string_equal(told.etag, ABC_ETAG);
	assert_int_equal(told.mtime_ms, TEST_CLOCK_WALL_MS);
	assert_string_equal(told.content_type, MEMORY_TYPE);
}

static void a_get_comes_in_pieces(void **state)
{
	_cleanup_(taken_deinit) struct taken taken = {0};
	struct bench *b = *state;

	put_text(b, "x", "0123456789");
	b->s3.get_size = 4;
	assert_int_equal(get(b, &b->call, "x", 0, 10, NULL, &taken), 0);
	assert_string_equal(buf_str(&taken.bytes), "0123456789");
	assert_int_equal(taken.pieces, 3);
	assert_int_equal(taken.largest, 4);
	taken.error = -ECANCELED;
	assert_int_equal(get(b, &b->call, "x", 0, 10, NULL, &taken), -ECANCELED);
	assert_int_equal(taken.pieces, 1);
	taken.error = 7;
	assert_int_equal(get(b, &b->call, "x", 0, 10, NULL, &taken), 7);
}

static void a_get_is_of_that_object_only(void **state)
{
	_cleanup_(taken_deinit) struct taken taken = {0};
	struct bench *b = *state;

	put_text(b, "x", "abc");
	assert_int_equal(get(b, &b->call, "x", 0, 3, ABC_ETAG, &taken), 0);
	put_text(b, "x", "abd");
	assert_int_equal(get(b, &b->call, "x", 0, 3, ABC_ETAG, &taken), -ESTALE);
	assert_int_equal(taken.pieces, 0);
}

static int replace_x(void *data, enum memory_op op, enum memory_when when, const char *name)
{
	if (op == MEMORY_GET_OBJECT && when == MEMORY_DURING && !strcmp(name, "b/x"))
		put_text(data, "x", "new");
	return 0;
}

static void a_get_goes_on_with_what_it_began(void **state)
{
	_cleanup_(taken_deinit) struct taken taken = {0};
	struct bench *b = *state;

	put_text(b, "x", "0123456789");
	b->s3.get_size = 4;
	memory_hook(&b->s3, replace_x, b);
	assert_int_equal(get(b, &b->call, "x", 0, 10, NULL, &taken), 0);
	assert_string_equal(buf_str(&taken.bytes), "0123456789");
	assert_true(is_text(b, "x", "new"));
}

static void conditions_of_a_put(void **state)
{
	struct put_params new = {.if_none_match = true}, over = {.if_match = ABC_ETAG};
	struct bench *b = *state;

	assert_int_equal(put(b, &b->call, "x", "none", &over), -ESTALE);
	assert_int_equal(memory_objects(&b->s3, "b"), 0);
	assert_int_equal(put(b, &b->call, "x", "abc", &new), 0);
	assert_int_equal(put(b, &b->call, "x", "again", &new), -EEXIST);
	assert_true(is_text(b, "x", "abc"));
	assert_int_equal(put(b, &b->call, "x", "over", &over), 0);
	assert_int_equal(put(b, &b->call, "x", "again", &over), -ESTALE);
	assert_true(is_text(b, "x", "over"));
}

static void a_bad_put_is_refused(void **state)
{
	_cleanup_(freep) char *key = calloc(1, S3_KEY_MAX + 2);
	struct bench *b = *state;

	assert_non_null(key);
	memset(key, 'k', S3_KEY_MAX);
	assert_int_equal(put(b, &b->call, key, "", NULL), 0);
	key[S3_KEY_MAX] = 'k';
	assert_int_equal(put(b, &b->call, key, "", NULL), -ENAMETOOLONG);
	assert_int_equal(put(b, &b->call, "", "", NULL), -EINVAL);
	b->s3.put_max = 3;
	assert_int_equal(put(b, &b->call, "x", "1234", NULL), -EFBIG);
	assert_int_equal(put(b, &b->call, "x", "123", NULL), 0);
}

static int copy(struct bench *b, const struct object_id *source, const struct object_id *target,
		struct copy_params params)
{
	return b->store->copy_object(b->store, &b->call, source, target, &params, NULL);
}

static void a_copy_keeps_or_replaces_what_is_told(void **state)
{
	_cleanup_(object_deinit) struct object seen = {0}, told = {0};
	struct object_meta meta = {(char[]){"a"}, (char[]){"1"}};
	struct object_meta other = {(char[]){"b"}, (char[]){"2"}};
	struct put_params replace = {.meta = &other, .n_meta = 1};
	char type[] = "text/plain";
	struct bench *b = *state;

	memory_put_as(&b->s3, "b", "x", "abc", 3,
		      &(struct object){.meta = &meta, .n_meta = 1, .content_type = type});
	test_clock_advance(&b->clock, 5000);
	assert_int_equal(b->store->copy_object(b->store, &b->call, &id_x, &id_y,
					       &(struct copy_params){0}, &told),
			 0);
	assert_string_equal(told.etag, ABC_ETAG);
	assert_int_equal(told.mtime_ms, TEST_CLOCK_WALL_MS + 5000);
	assert_true(is_text(b, "y", "abc"));
	assert_int_equal(head(b, "y", &seen), 0);
	assert_string_equal(seen.content_type, "text/plain");
	assert_string_equal(object_meta_get(&seen, "a"), "1");
	object_deinit(&seen);
	/* onto itself */
	assert_int_equal(copy(b, &id_x, &id_x, (struct copy_params){0}), -EINVAL);
	assert_int_equal(copy(b, &id_x, &id_x, (struct copy_params){.replace = &replace}), 0);
	assert_int_equal(head(b, "x", &seen), 0);
	assert_string_equal(seen.content_type, MEMORY_TYPE);
	assert_null(object_meta_get(&seen, "a"));
	assert_string_equal(object_meta_get(&seen, "b"), "2");
	assert_true(is_text(b, "x", "abc"));
}

static void headers_go_with_a_copy_but_for_one(void **state)
{
	_cleanup_(object_deinit) struct object copied = {0}, put = {0};
	struct object as = {
	    .storage_class = (char[]){"STANDARD_IA"},
	    .headers = {
		[OBJECT_EXPIRES] = (char[]){"never"}, [OBJECT_WEBSITE_REDIRECT] = (char[]){"/z"}}};
	struct put_params params = object_put_params(&as);
	struct bench *b = *state;

	memory_put_as(&b->s3, "b", "x", "abc", 3, &as);
	assert_int_equal(copy(b, &id_x, &id_y, (struct copy_params){.storage_class = "ONEZONE_IA"}),
			 0);
	assert_int_equal(head(b, "y", &copied), 0);
	assert_string_equal(copied.headers[OBJECT_EXPIRES], "never");
	assert_null(copied.headers[OBJECT_WEBSITE_REDIRECT]);
	assert_string_equal(copied.storage_class, "ONEZONE_IA");
	assert_int_equal(b->store->put_object(b->store, &b->call, &id_y, &params, "abc", 3, NULL),
			 0);
	assert_int_equal(head(b, "y", &put), 0);
	assert_string_equal(put.headers[OBJECT_EXPIRES], "never");
	assert_string_equal(put.headers[OBJECT_WEBSITE_REDIRECT], "/z");
	assert_string_equal(put.storage_class, "STANDARD_IA");
}

static void conditions_of_a_copy(void **state)
{
	struct object_id elsewhere = {"c", "x"};
	struct bench *b = *state;

	assert_int_equal(copy(b, &id_x, &id_y, (struct copy_params){0}), -ENOENT);
	put_text(b, "x", "abc");
	assert_int_equal(copy(b, &id_x, &id_y, (struct copy_params){.if_match = "\"1\""}), -ESTALE);
	assert_false(memory_has(&b->s3, "b", "y"));
	assert_int_equal(copy(b, &id_x, &id_y, (struct copy_params){.if_match = ABC_ETAG}), 0);
	assert_int_equal(copy(b, &id_x, &elsewhere, (struct copy_params){0}), -ENOENT);
	memory_add_bucket(&b->s3, "c", 0, MEMORY_REGION);
	assert_int_equal(copy(b, &id_x, &elsewhere, (struct copy_params){0}), 0);
	assert_true(memory_is(&b->s3, "c", "x", "abc", 3));
	memory_put_zeros(&b->s3, "b", "x", S3_PUT_MAX + 1);
	assert_int_equal(copy(b, &id_x, &id_y, (struct copy_params){0}), -EFBIG);
	assert_true(is_text(b, "y", "abc"));
}

static void deletion_is_of_what_there_is(void **state)
{
	const char *keys[] = {"x", "none", "y"};
	struct bench *b = *state;

	put_text(b, "x", "");
	put_text(b, "y", "");
	put_text(b, "z", "");
	assert_int_equal(
	    b->store->delete_object(b->store, &b->call, &(struct object_id){"b", "z"}, NULL), 0);
	assert_int_equal(
	    b->store->delete_object(b->store, &b->call, &(struct object_id){"b", "z"}, NULL), 0);
	assert_int_equal(memory_objects(&b->s3, "b"), 2);
	assert_int_equal(b->store->delete_objects(b->store, &b->call, "b", keys, NULL, 3), 0);
	assert_int_equal(memory_objects(&b->s3, "b"), 0);
	assert_int_equal(b->store->delete_objects(b->store, &b->call, "b", keys, NULL, 0), -EINVAL);
	assert_int_equal(
	    b->store->delete_objects(b->store, &b->call, "b", keys, NULL, S3_DELETE_MAX + 1),
	    -EINVAL);
}

static void deletion_may_be_of_one_object_alone(void **state)
{
	const char *keys[] = {"x", "y"}, *etags[] = {NULL, "\"another\""};
	struct object_id id = {"b", "x"};
	struct bench *b = *state;
	struct object told;

	put_text(b, "x", "");
	put_text(b, "y", "");
	assert_int_equal(b->store->delete_object(b->store, &b->call, &id, etags[1]), 0);
	assert_int_equal(b->store->delete_objects(b->store, &b->call, "b", keys, etags, 2), 0);
	assert_false(memory_has(&b->s3, "b", "x"));
	assert_true(memory_stat(&b->s3, "b", "y", &told));
	id.key = "y";
	assert_int_equal(b->store->delete_object(b->store, &b->call, &id, told.etag), 0);
	assert_false(memory_has(&b->s3, "b", "y"));
	object_deinit(&told);
}

static void a_key_that_cannot_be_deleted_stays_alone(void **state)
{
	const char *keys[] = {"x", "y", "z"};
	_cleanup_(buf_deinit) struct buf left = BUF_INIT;
	struct bench *b = *state;

	for (int i = 0; i < 3; i++)
		put_text(b, keys[i], "");
	memory_deny(&b->s3, "b", "y", -EACCES);
	assert_int_equal(b->store->delete_objects(b->store, &b->call, "b", keys, NULL, 3), -EACCES);
	assert_int_equal(b->store->delete_object(b->store, &b->call, &id_y, NULL), -EACCES);
	memory_keys(&b->s3, "b", &left);
	assert_string_equal(buf_str(&left), "y\n");
	memory_deny(&b->s3, NULL, NULL, 0);
	assert_int_equal(b->store->delete_object(b->store, &b->call, &id_y, NULL), 0);
	assert_int_equal(memory_objects(&b->s3, "b"), 0);
}

static void no_bucket_no_object(void **state)
{
	struct bench *b = *state;
	struct store *s = b->store;
	struct object told;
	const char *key = "x";

	put_text(b, "x", "");
	assert_int_equal(s->head_object(s, &b->call, &id_no_bucket, &told), -ENOENT);
	assert_int_equal(
	    s->get_object(
		s, &b->call, &id_no_bucket,
		&(struct get_params){
		    .offset = 0, .len = 1, .if_match = NULL, .sink = take, .sink_data = NULL},
		NULL),
	    -ENOENT);
	assert_int_equal(s->put_object(s, &b->call, &id_no_bucket, NULL, "", 0, NULL), -ENOENT);
	assert_int_equal(copy(b, &id_no_bucket, &id_x, (struct copy_params){0}), -ENOENT);
	assert_int_equal(s->delete_object(s, &b->call, &id_no_bucket, NULL), -ENOENT);
	assert_int_equal(s->delete_objects(s, &b->call, "none", &key, NULL, 1), -ENOENT);
	assert_int_equal(head(b, "y", &told), -ENOENT);
}

static void a_bucket_with_objects_stays(void **state)
{
	struct bench *b = *state;

	put_text(b, "x", "");
	assert_int_equal(b->store->delete_bucket(b->store, &b->call, "b"), -ENOTEMPTY);
	assert_true(memory_remove(&b->s3, "b", "x"));
	assert_int_equal(b->store->delete_bucket(b->store, &b->call, "b"), 0);
	assert_int_equal(b->store->delete_bucket(b->store, &b->call, "b"), -ENOENT);
}

static void zeros_are_read_like_bytes(void **state)
{
	_cleanup_(taken_deinit) struct taken taken = {0};
	static const char zeros[100000];
	struct bench *b = *state;

	memory_put_zeros(&b->s3, "b", "x", UINT64_C(6) << 30);
	assert_int_equal(
	    get(b, &b->call, "x", (UINT64_C(6) << 30) - sizeof(zeros), UINT64_MAX, NULL, &taken),
	    0);
	assert_int_equal(taken.bytes.len, sizeof(zeros));
	assert_memory_equal(taken.bytes.data, zeros, sizeof(zeros));
	memory_put_zeros(&b->s3, "b", "y", sizeof(zeros));
	assert_true(memory_is(&b->s3, "b", "y", zeros, sizeof(zeros)));
}

static void an_archived_object_is_not_read(void **state)
{
	_cleanup_(object_deinit) struct object seen = {0};
	_cleanup_(taken_deinit) struct taken taken = {0};
	char archive[] = "DEEP_ARCHIVE", version[] = "v1", etag[] = "\"mine\"", kms[] = "aws:kms";
	struct bench *b = *state;

	memory_put_as(&b->s3, "b", "x", "abc", 3,
		      &(struct object){.storage_class = archive,
				       .version_id = version,
				       .encryption = kms,
				       .etag = etag,
				       .mtime_ms = 5});
	assert_int_equal(get(b, &b->call, "x", 0, 1, NULL, &taken), -EACCES);
	assert_true(memory_stat(&b->s3, "b", "x", &seen));
	assert_string_equal(seen.storage_class, "DEEP_ARCHIVE");
	assert_string_equal(seen.version_id, "v1");
	assert_string_equal(seen.encryption, "aws:kms");
	assert_string_equal(seen.etag, "\"mine\"");
	assert_int_equal(seen.mtime_ms, 5);
	assert_false(memory_stat(&b->s3, "b", "y", &seen));
}

#define test(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(what_is_put_is_told),
	    test(a_plain_put_replaces_all),
	    test(a_get_is_a_range_up_to_the_end),
	    test(a_get_tells_the_whole_object),
	    test(a_get_comes_in_pieces),
	    test(a_get_is_of_that_object_only),
	    test(a_get_goes_on_with_what_it_began),
	    test(conditions_of_a_put),
	    test(a_bad_put_is_refused),
	    test(a_copy_keeps_or_replaces_what_is_told),
	    test(headers_go_with_a_copy_but_for_one),
	    test(conditions_of_a_copy),
	    test(deletion_is_of_what_there_is),
	    test(deletion_may_be_of_one_object_alone),
	    test(a_key_that_cannot_be_deleted_stays_alone),
	    test(no_bucket_no_object),
	    test(a_bucket_with_objects_stays),
	    test(zeros_are_read_like_bytes),
	    test(an_archived_object_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
