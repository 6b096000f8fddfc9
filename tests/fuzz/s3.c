/*
 * S3's answers to every operation: the first line names it, the rest is as in answers.h. Words
 * behind the name: "endpoint" for a server other than AWS's, "sse" for encryption that is asked
 * for, "conditional" for conditions.
 */
#include "../unit/s3/bench.h"

#include <stdbool.h>

#include "../../src/s3/region.h"
#include "answers.h"
#include "fuzz.h"

#define MS_LEAST INT64_C(-2208988800000)
#define MS_MOST  INT64_C(253402300800999)

/* The bytes that a get may be given. */
#define GET_OFFSET 3
#define GET_LEN    11

#define RENEWALS_APART_MS 10000
/* Well before it would be renewed by itself. */
#define SESSION_KEPT_MS (15 * 60 * 1000)

static char endpoint[] = "https://s3.example.com", sse[] = "AES256";

struct run {
	struct fuzz_rest rest; /* of the input: answers that were not given */
	struct bench *b;
	bool conditional;
};

static void check_object(const struct object *object)
{
	MUST(object->size <= INT64_MAX);
	MUST(object->mtime_ms >= MS_LEAST && object->mtime_ms <= MS_MOST);
	for (size_t i = 0; i < object->n_meta; i++)
		MUST(object->meta[i].name && object->meta[i].value);
}

/* ---- listings ---- */

static int list_buckets(struct run *run)
{
	struct bucket_page page = {.n = 77};
	int r = run->b->store->list_buckets(run->b->store, &run->b->call, NULL, "token", &page);

	if (r < 0) {
		MUST(page.n == 77);
		return r;
	}
	MUST(!page.next_token || (*page.next_token && strcmp(page.next_token, "token") != 0));
	for (size_t i = 0; i < page.n; i++) {
		char region[S3_REGION_MAX + 1];

		MUST(page.v[i].name[0]);
		MUST(page.v[i].created_ms >= MS_LEAST && page.v[i].created_ms <= MS_MOST);
		if (run->b->store->bucket_region(run->b->store, page.v[i].name, region) == 0)
			MUST(region_valid(region));
	}
	bucket_page_deinit(&page);
	return 0;
}

static int list_objects(struct run *run)
{
	struct list_params params = {
	    .prefix = "p/", .token = "token", .delimited = true, .max_keys = 1000};
	struct object_page page = {.n = 77};
	int r = run->b->store->list_objects(run->b->store, &run->b->call, "bucket", &params, &page);

	if (r < 0) {
		MUST(page.n == 77);
		return r;
	}
	MUST(!page.next_token || (*page.next_token && strcmp(page.next_token, "token") != 0));
	for (size_t i = 0; i < page.n; i++) {
		const struct object_entry *e = &page.v[i];

		MUST(e->key && (i == 0 || strcmp(page.v[i - 1].key, e->key) <= 0));
		MUST(e->size <= INT64_MAX);
		MUST(e->mtime_ms >= MS_LEAST && e->mtime_ms <= MS_MOST);
		MUST(memchr(e->storage_class, '\0', sizeof(e->storage_class)));
		MUST(!e->is_prefix || (!e->etag && !e->size));
	}
	object_page_deinit(&page);
	return 0;
}

static int list_uploads(struct run *run)
{
	struct upload_page page = {.n = 77};
	int r = run->b->store->list_uploads(run->b->store, &run->b->call, "bucket", NULL, "k", "i",
					    &page);

	if (r < 0) {
		MUST(page.n == 77);
		return r;
	}
	MUST(!page.next_key || *page.next_key);
	MUST(!page.next_key || !page.next_id || strcmp(page.next_key, "k") != 0 ||
	     strcmp(page.next_id, "i") != 0);
	for (size_t i = 0; i < page.n; i++)
		MUST(page.v[i].key && page.v[i].upload_id);
	upload_page_deinit(&page);
	return 0;
}

/* ---- buckets ---- */

static int create_bucket(struct run *run)
{
	return create(run->b, "bucket");
}

static int delete_bucket(struct run *run)
{
	return remove_bucket(run->b, "bucket");
}

static int head_bucket(struct run *run)
{
	return head(run->b, "bucket");
}

/* ---- objects ---- */

static const struct object_id id = {"bucket", "key"};

static int head_object(struct run *run)
{
	struct object object = {0};
	int r = run->b->store->head_object(run->b->store, &run->b->call, &id, &object);

	MUST(r == 0 || !object.etag);
	check_object(&object);
	object_deinit(&object);
	return r;
}

struct sunk {
	size_t n;
	bool told;
};

static int sink(void *data, const void *bytes, size_t n)
{
	struct sunk *sunk = data;

	MUST(sunk->told && bytes && n > 0);
	sunk->n += n;
	MUST(sunk->n <= GET_LEN);
	return 0;
}

static void told(void *data, const struct object *object)
{
	struct sunk *sunk = data;

	MUST(!sunk->told && sunk->n == 0);
	sunk->told = true;
	check_object(object);
}

static int get_object(struct run *run)
{
	struct sunk sunk = {0};
	struct get_params params = {.offset = GET_OFFSET,
				    .len = GET_LEN,
				    .if_match = run->conditional ? "\"1\"" : NULL,
				    .sink = sink,
				    .sink_data = &sunk,
				    .told = told,
				    .told_data = &sunk};
	struct object object = {0};
	int r = run->b->store->get_object(run->b->store, &run->b->call, &id, &params, &object);

	if (r == 0) {
		uint64_t end =
		    object.size < GET_OFFSET + GET_LEN ? object.size : GET_OFFSET + GET_LEN;

		MUST(sunk.told && sunk.n == end - GET_OFFSET);
	}
	object_deinit(&object);
	return r;
}

static struct put_params put_params(const struct run *run)
{
	return (struct put_params){.if_match = run->conditional ? "\"1\"" : NULL};
}

static int put_object(struct run *run)
{
	struct put_params params = put_params(run);
	struct object object = {0};
	int r = run->b->store->put_object(run->b->store, &run->b->call, &id, &params, "hello", 5,
					  &object);

	MUST(object.size == (r == 0 ? 5 : 0));
	check_object(&object);
	object_deinit(&object);
	return r;
}

static int copy_object(struct run *run)
{
	struct copy_params params = {.if_match = run->conditional ? "\"1\"" : NULL};
	struct object object = {0};
	int r = run->b->store->copy_object(run->b->store, &run->b->call, &id,
					   &(struct object_id){"bucket", "to"}, &params, &object);

	MUST(r < 0 || object.etag[0]);
	check_object(&object);
	object_deinit(&object);
	return r;
}

static int delete_object(struct run *run)
{
	return run->b->store->delete_object(run->b->store, &run->b->call, &id,
					    run->conditional ? "\"1\"" : NULL);
}

static int delete_objects(struct run *run)
{
	static const char *const keys[] = {"a", "b\n", "c"}, *const etags[] = {"\"1\"", NULL,
									       "\"3\""};

	return run->b->store->delete_objects(run->b->store, &run->b->call, "bucket", keys,
					     run->conditional ? etags : NULL, 3);
}

/* ---- uploads ---- */

static int create_upload(struct run *run)
{
	struct put_params params = put_params(run);
	char *upload_id = NULL;
	int r =
	    run->b->store->create_upload(run->b->store, &run->b->call, &id, &params, &upload_id);

	MUST(!upload_id == (r < 0) && (r < 0 || *upload_id));
	if (r == 0) /* with the answers that are left, if any are */
		run->b->store->abort_upload(run->b->store, &run->b->call, &id, upload_id);
	free(upload_id);
	return r;
}

static int upload_part(struct run *run)
{
	char *etag = NULL;
	int r = run->b->store->upload_part(run->b->store, &run->b->call, &id, "i", 1, "hello", 5,
					   &etag);

	MUST(!etag == (r < 0) && (r < 0 || *etag));
	free(etag);
	return r;
}

static int copy_part(struct run *run)
{
	char *etag = NULL;
	int r = run->b->store->copy_part(run->b->store, &run->b->call, &id, "i", 1,
					 &(struct object_id){"bucket", "from"},
					 run->conditional ? "\"1\"" : NULL, 0, 5, &etag);

	MUST(!etag == (r < 0) && (r < 0 || *etag));
	free(etag);
	return r;
}

static int complete_upload(struct run *run)
{
	static const char *const etags[] = {"\"5d41402abc4b2a76b9719d911017c592\"",
					    "5d41402abc4b2a76b9719d911017c592"};
	struct put_params params = put_params(run);
	struct object object = {0};
	int r = run->b->store->complete_upload(run->b->store, &run->b->call, &id, "i", &params,
					       etags, 2, &object);

	MUST(r < 0 || object.etag[0]);
	check_object(&object);
	object_deinit(&object);
	return r;
}

static int abort_upload(struct run *run)
{
	return run->b->store->abort_upload(run->b->store, &run->b->call, &id, "i");
}

/* ---- which ---- */

static const struct {
	const char *name;
	int (*run)(struct run *run);
} operations[] = {
    {"ListObjectsV2", list_objects},
    {"ListBuckets", list_buckets},
    {"ListMultipartUploads", list_uploads},
    {"CreateBucket", create_bucket},
    {"DeleteBucket", delete_bucket},
    {"HeadBucket", head_bucket},
    {"HeadObject", head_object},
    {"GetObject", get_object},
    {"PutObject", put_object},
    {"CopyObject", copy_object},
    {"DeleteObject", delete_object},
    {"DeleteObjects", delete_objects},
    {"CreateMultipartUpload", create_upload},
    {"UploadPart", upload_part},
    {"UploadPartCopy", copy_part},
    {"CompleteMultipartUpload", complete_upload},
    {"AbortMultipartUpload", abort_upload},
};

/* The session's clock goes on, as renewals are some time apart. */
static int answer(void *data, struct call *call, const struct http_request *request,
		  struct http_response *ret_response)
{
	struct run *run = data;

	test_clock_advance(&run->b->session_clock, RENEWALS_APART_MS);
	return fuzz_answer(&run->rest, call, request, ret_response);
}

/* The session is kept while it is the first one, since its refresher is a thread. */
static struct bench *session_begin(void)
{
	static void *state;
	struct bench *b = state;

	if (b && (b->serial > 1 ||
		  test_clock_boot_ms(&b->session_clock) > TEST_CLOCK_BOOT_MS + SESSION_KEPT_MS)) {
		bench_teardown(&state);
		state = NULL;
	}
	if (!state) {
		bench_setup(&state);
		fuzz_watch_log();
	}
	return state;
}

static void begin(struct run *run, const char *words)
{
	struct bench *b = session_begin();

	run->b = b;
	run->conditional = strstr(words, " conditional");
	store_free(b->store);
	b->store = NULL;
	aws_caller_deinit(&b->caller);
	script_deinit(&b->script);
	script_init(&b->script);
	script_callback(&b->script, answer, run);
	aws_caller_init(&b->caller, &b->script.transport, &b->clock.clock, 3);
	b->conf.s3_endpoint_url = strstr(words, " endpoint") ? endpoint : NULL;
	b->conf.sse = strstr(words, " sse") ? sse : NULL;
	bench_open(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run run = {.rest = {data, size}};
	_cleanup_(freep) char *words = fuzz_line(&run.rest);

	begin(&run, words);
	for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
		size_t len = strlen(operations[i].name);

		if (!strncmp(words, operations[i].name, len) &&
		    (!words[len] || words[len] == ' ')) {
			int r = operations[i].run(&run);

			MUST(r <= 0 && r > -4096);
		}
	}
	return 0;
}
