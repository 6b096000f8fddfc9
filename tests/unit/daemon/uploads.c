/* daemon/uploads: which unfinished uploads are listed and aborted, and what is told of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"

#include "../../../src/daemon/uploads.h"

#include "test_clock.h"

#define ROLE  "arn:aws:sts::222222222222:assumed-role/access/"
#define OTHER "arn:aws:sts::222222222222:assumed-role/access2/s"
#define DAY   INT64_C(86400000)
/* 2026-11-23T00:00:00Z */
#define T0 INT64_C(1795392000000)

#define PAGE 2 /* uploads, and buckets */

struct entry {
	const char *bucket, *key, *id, *initiator;
	int64_t initiated_ms;
	bool aborted;
};

/* A store of a few buckets and uploads; what else it is asked is a crash. */
struct bench {
	struct store store;
	struct entry entries[6];
	size_t n;
	const char *buckets[3];
	int list_error;          /* of list_uploads in the first bucket */
	const char *unabortable; /* its upload id */
	int abort_error;
	struct test_clock clock;
	struct call_group group;
	struct uploads_options options;
	char *out;
	size_t out_len;
	int status;
	char last_error[256];
};

static struct bench *bench_of(struct store *store)
{
	return (struct bench *)((char *)store - offsetof(struct bench, store));
}

static int list_buckets(struct store *store, struct call *call, const char *prefix,
			const char *token, struct bucket_page *ret_page)
{
	struct bench *b = bench_of(store);
	size_t from = token ? (size_t)atoi(token) : 0, i;

	assert_null(prefix);
	if (call_check(call) < 0)
		return call_check(call);
	for (i = from; i < ARRAY_LEN(b->buckets) && b->buckets[i] && i < from + PAGE; i++)
		assert_int_equal(bucket_page_add(ret_page, b->buckets[i], 0), 0);
	if (i < ARRAY_LEN(b->buckets) && b->buckets[i])
		assert_true(asprintf(&ret_page->next_token, "%zu", i) > 0);
	return 0;
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

/* The next one's number is the marker. */
static int list_uploads(struct store *store, struct call *call, const char *bucket,
			const char *prefix, const char *key, const char *id,
			struct upload_page *ret_page)
{
	struct bench *b = bench_of(store);
	size_t i = key ? (size_t)atoi(key) : 0;

	assert_true(!key == !id);
	if (call_check(call) < 0)
		return call_check(call);
	if (b->list_error && !strcmp(bucket, b->buckets[0]))
		return b->list_error;
	ret_page->v = calloc(PAGE, sizeof(*ret_page->v));
	for (; i < b->n && ret_page->n < PAGE; i++)
		if (!strcmp(b->entries[i].bucket, bucket) &&
		    !strncmp(b->entries[i].key, prefix, strlen(prefix)))
			ret_page->v[ret_page->n++] =
			    (struct upload){.key = copy(b->entries[i].key),
					    .upload_id = copy(b->entries[i].id),
					    .initiated_ms = b->entries[i].initiated_ms,
					    .initiator = copy(b->entries[i].initiator)};
	if (i < b->n) {
		assert_true(asprintf(&ret_page->next_key, "%zu", i) > 0);
		ret_page->next_id = copy("x");
	}
	return 0;
}

static int abort_upload(struct store *store, struct call *call, const struct object_id *id,
			const char *upload_id)
{
	struct bench *b = bench_of(store);

	if (call_check(call) < 0)
		return call_check(call);
	if (b->unabortable && !strcmp(upload_id, b->unabortable))
		return b->abort_error;
	for (size_t i = 0; i < b->n; i++)
		if (!strcmp(b->entries[i].id, upload_id)) {
			assert_string_equal(b->entries[i].bucket, id->bucket);
			assert_string_equal(b->entries[i].key, id->key);
			assert_false(b->entries[i].aborted);
			b->entries[i].aborted = true;
			return 0;
		}
	fail_msg("no upload %s", upload_id);
	return 0;
}

static void run(struct bench *b)
{
	free(b->out);
	b->options.out = open_memstream(&b->out, &b->out_len);
	assert_non_null(b->options.out);
	b->status = uploads_run(&b->options);
	fclose(b->options.out);
}

/* Letters: the ids of those that were aborted. */
static const char *aborted(const struct bench *b)
{
	static char ids[8];
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		if (b->entries[i].aborted)
			ids[n++] = b->entries[i].id[0];
	ids[n] = '\0';
	return ids;
}

static void take_line(void *data, enum log_level level, const char *line)
{
	struct bench *b = data;

	if (level == LOG_LEVEL_ERROR)
		snprintf(b->last_error, sizeof(b->last_error), "%s", line);
}

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	static const struct entry entries[] = {
	    {"photos", "a", "A", ROLE "s-1", T0, false},
	    {"photos", "old/b\t\\", "B", ROLE "s-2", T0 - 2 * DAY, false},
	    {"photos", "old/c", "C", OTHER, T0 - 2 * DAY, false},
	    {"photos", "old/\xff", "D", NULL, T0 - 2 * DAY, false},
	    {"texts", "e", "E", ROLE "s-1", T0 - DAY, false},
	    {"zoo", "f", "F", ROLE "s-1", T0 - 3 * DAY, false},
	};

	log_capture(take_line, b);
	memcpy(b->entries, entries, sizeof(entries));
	b->n = ARRAY_LEN(entries);
	b->buckets[0] = "photos";
	b->buckets[1] = "texts";
	b->buckets[2] = "zoo";
	b->store.list_buckets = list_buckets;
	b->store.list_uploads = list_uploads;
	b->store.abort_upload = abort_upload;
	test_clock_init(&b->clock, false);
	call_group_init(&b->group);
	b->options = (struct uploads_options){
	    .store = &b->store,
	    .group = &b->group,
	    .clock = &b->clock.clock,
	    .timeout_ms = 1000,
	    .prefix = "",
	    .begun_before_ms = T0,
	    .session_arn = ROLE "me",
	};
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	log_capture(NULL, NULL);
	free(b->out);
	call_group_deinit(&b->group);
	test_clock_deinit(&b->clock);
	free(b);
	return 0;
}

/* ---- */

static void same_role(void **state)
{
	static const struct {
		const char *initiator, *session;
		bool same;
	} rows[] = {
	    {ROLE "s-1", ROLE "me", true},
	    {ROLE "me", ROLE "me", true},
	    {OTHER, ROLE "me", false},
	    {"arn:aws:sts::333333333333:assumed-role/access/me", ROLE "me", false},
	    {"arn:aws:iam::222222222222:user/access", ROLE "me", false},
	    {"arn:aws:sts::222222222222:assumed-role/access", ROLE "me", false},
	    {"", ROLE "me", false},
	    {NULL, ROLE "me", false},
	    {"", "", false},
	    {"arn:aws:iam::222222222222:user/x", "arn:aws:iam::222222222222:user/x", false},
	    {"x:assumed-role//s", "x:assumed-role//s", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (uploads_same_role(rows[i].initiator, rows[i].session) != rows[i].same)
			fail_msg("row %zu", i);
}

static void list_is_a_line_each(void **state)
{
	struct bench *b = *state;

	run(b);
	assert_int_equal(b->status, 0);
	assert_string_equal(b->out,
			    "photos\ta\t2026-11-23T00:00:00Z\t" ROLE "s-1\tA\n"
			    "photos\told/b\\x09\\x5c\t2026-11-21T00:00:00Z\t" ROLE "s-2\tB\n"
			    "texts\te\t2026-11-22T00:00:00Z\t" ROLE "s-1\tE\n"
			    "zoo\tf\t2026-11-20T00:00:00Z\t" ROLE "s-1\tF\n");
	assert_string_equal(aborted(b), "");
}

static void abort_takes_the_old_ones_of_this_role(void **state)
{
	struct bench *b = *state;

	b->options.abort = true;
	b->options.begun_before_ms = T0 - DAY;
	run(b);
	assert_int_equal(b->status, 0);
	assert_string_equal(aborted(b), "BEF");
	assert_null(strstr(b->out, "\tA\n"));
	assert_non_null(strstr(b->out, "\tB\n"));
}

static void of_whoever(void **state)
{
	struct bench *b = *state;

	b->options.abort = true;
	b->options.session_arn = NULL;
	run(b);
	assert_int_equal(b->status, 0);
	assert_string_equal(aborted(b), "ABCDEF");
	assert_non_null(strstr(b->out, "\t-\tD\n"));
}

static void of_one_bucket_and_prefix(void **state)
{
	struct bench *b = *state;

	b->options.abort = true;
	b->options.session_arn = NULL;
	b->options.bucket = "photos";
	b->options.prefix = "old/";
	b->store.list_buckets = NULL;
	run(b);
	assert_int_equal(b->status, 0);
	assert_string_equal(aborted(b), "BCD");
}

static void one_bucket_refuses(void **state)
{
	struct bench *b = *state;

	b->list_error = -EACCES;
	run(b);
	assert_int_equal(b->status, 1);
	assert_null(strstr(b->out, "photos"));
	assert_non_null(strstr(b->out, "\tE\n"));
	assert_non_null(strstr(b->out, "\tF\n"));
}

static void a_bucket_that_is_not_there(void **state)
{
	struct bench *b = *state;

	b->list_error = -ENOENT; /* gone since the buckets were listed */
	run(b);
	assert_int_equal(b->status, 0);
	assert_non_null(strstr(b->out, "\tE\n"));
	b->options.bucket = "photos";
	run(b);
	assert_int_equal(b->status, 1);
	assert_string_equal(b->out, "");
	assert_string_equal(b->last_error, "there is no bucket photos");
}

static void one_upload_refuses(void **state)
{
	struct bench *b = *state;

	b->options.abort = true;
	b->unabortable = "B";
	b->abort_error = -EACCES;
	run(b);
	assert_int_equal(b->status, 1);
	assert_string_equal(aborted(b), "AEF");
	assert_null(strstr(b->out, "\tB\n"));
}

static void interrupted(void **state)
{
	struct bench *b = *state;

	b->options.abort = true;
	b->unabortable = "B";
	b->abort_error = -EINTR;
	run(b);
	assert_int_equal(b->status, 1);
	assert_string_equal(aborted(b), "A");
	b->unabortable = NULL;
	call_group_cancel(&b->group);
	run(b);
	assert_int_equal(b->status, 1);
	assert_string_equal(aborted(b), "A");
}

static const char *text_of(json_t *entry, const char *key)
{
	return json_string_value(json_object_get(entry, key));
}

static void as_json(void **state)
{
	struct bench *b = *state;
	json_t *whole, *list, *entry;

	b->options.abort = b->options.json = true;
	b->options.session_arn = NULL;
	b->options.begun_before_ms = T0 - 2 * DAY;
	b->unabortable = "C";
	b->abort_error = -EACCES;
	run(b);
	assert_int_equal(b->status, 1);
	whole = json_loads(b->out, 0, NULL);
	assert_non_null(whole);
	assert_true(json_is_false(json_object_get(whole, "ok")));
	assert_int_equal(json_integer_value(json_object_get(whole, "younger")), 2);
	list = json_object_get(whole, "uploads");
	assert_int_equal(json_array_size(list), 4);
	entry = json_array_get(list, 0);
	assert_string_equal(text_of(entry, "bucket"), "photos");
	assert_string_equal(text_of(entry, "key"), "old/b\t\\");
	assert_string_equal(text_of(entry, "started"), "2026-11-21T00:00:00Z");
	assert_string_equal(text_of(entry, "initiator"), ROLE "s-2");
	assert_string_equal(text_of(entry, "upload_id"), "B");
	assert_true(json_is_true(json_object_get(entry, "aborted")));
	assert_null(json_object_get(entry, "error"));
	entry = json_array_get(list, 1);
	assert_true(json_is_false(json_object_get(entry, "aborted")));
	assert_string_equal(text_of(entry, "error"), "Permission denied");
	entry = json_array_get(list, 2);
	assert_string_equal(text_of(entry, "key"), "old/\\xff");
	assert_true(json_is_null(json_object_get(entry, "initiator")));
	json_decref(whole);
	b->unabortable = NULL;
	b->options.abort = false;
	b->options.bucket = "zoo";
	run(b);
	assert_int_equal(b->status, 0);
	whole = json_loads(b->out, 0, NULL);
	assert_true(json_is_true(json_object_get(whole, "ok")));
	entry = json_array_get(json_object_get(whole, "uploads"), 0);
	assert_string_equal(text_of(entry, "upload_id"), "F");
	assert_null(json_object_get(entry, "aborted"));
	json_decref(whole);
}

static void nowhere_to_write(void **state)
{
	struct bench *b = *state;

	b->options.abort = true;
	b->options.out = fopen("/dev/full", "w");
	assert_non_null(b->options.out);
	assert_int_equal(uploads_run(&b->options), 1);
	fclose(b->options.out);
	assert_string_equal(aborted(b), "A");
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(same_role),
	    test(list_is_a_line_each),
	    test(abort_takes_the_old_ones_of_this_role),
	    test(of_whoever),
	    test(of_one_bucket_and_prefix),
	    test(one_bucket_refuses),
	    test(a_bucket_that_is_not_there),
	    test(one_upload_refuses),
	    test(interrupted),
	    test(as_json),
	    test(nowhere_to_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
