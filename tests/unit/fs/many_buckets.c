/* 10,000 buckets in pages, from the wire up to the file system. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "xacctfs/aws/session.h"
#include "xacctfs/fs/fs.h"
#include "xacctfs/s3/client.h"
#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"

#include "script_transport.h"
#include "test_clock.h"

#define BUCKETS  10000
#define PER_PAGE 1000

static const char role_answer[] =
    "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>"
    "<Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"
    "<SessionToken>token</SessionToken><Expiration>2026-11-23T13:00:00Z</Expiration></Credentials>"
    "<AssumedRoleUser><Arn>arn:aws:sts::222222222222:assumed-role/r/s</Arn></AssumedRoleUser>"
    "</AssumeRoleResult></AssumeRoleResponse>";

static int fetch(struct credentials_provider *provider, struct call *call,
		 struct credentials **ret_credentials, char **ret_why)
{
	(void)provider;
	(void)call;
	(void)ret_why;
	return credentials_new("AKIAEXAMPLE", "secret", NULL, CLOCK_NEVER, ret_credentials);
}

static bool changed(struct credentials_provider *provider)
{
	(void)provider;
	return false;
}

static void add_bucket(struct buf *b, int i)
{
	assert_int_equal(buf_printf(b,
				    "<Bucket><Name>many-%05d</Name><CreationDate>"
				    "2026-11-23T10:00:00Z</CreationDate>"
				    "<BucketRegion>%s</BucketRegion></Bucket>",
				    i, i % 2 ? "eu-west-1" : "ap-south-1"),
			 0);
}

/* S3 as it answers ListBuckets: by prefix, or a page from where the token says. */
static int answer(void *data, struct call *call, const struct http_request *request,
		  struct http_response *ret_response)
{
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;
	const char *token, *prefix;
	int from = 0, i;

	(void)data;
	(void)call;
	if (!strcmp(request->method, "POST"))
		return script_respond(ret_response, 200, "", role_answer);
	if (!strcmp(request->method, "DELETE"))
		return script_respond(ret_response, 204, "", "");
	buf_add_str(&body, "<ListAllMyBucketsResult "
			   "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Buckets>");
	prefix = strstr(request->query, "&prefix=many-");
	token = strstr(request->query, "continuation-token=");
	if (prefix) {
		i = atoi(prefix + strlen("&prefix=many-"));
		if (i < BUCKETS)
			add_bucket(&body, i);
		buf_add_str(&body, "</Buckets></ListAllMyBucketsResult>");
	} else {
		if (token)
			from = atoi(token + strlen("continuation-token="));
		for (i = from; i < from + PER_PAGE; i++)
			add_bucket(&body, i);
		buf_add_str(&body, "</Buckets>");
		if (i < BUCKETS)
			buf_printf(&body, "<ContinuationToken>%d</ContinuationToken>", i);
		buf_add_str(&body, "</ListAllMyBucketsResult>");
	}
	return script_respond(ret_response, 200, "", buf_str(&body));
}

struct bench {
	struct test_clock clock;
	struct script script;
	struct aws_caller caller;
	struct sts sts;
	struct credentials_provider provider;
	struct session *session;
	struct store *store;
	struct fs *fs;
	struct call call;
	char staging[32];
};

static char role_arn[] = "arn:aws:iam::222222222222:role/r";
static char session_name[] = "session";
static char region[] = "eu-west-1";
static const struct conf_role role = {
    .role_arn = role_arn, .session_name = session_name, .duration_s = 3600};

static int setup(void **state)
{
	struct conf conf = {.region = region, .create_region = region};
	struct session_failure failure;
	struct bench *b = calloc(1, sizeof(*b));

	test_clock_init(&b->clock, false);
	script_init(&b->script);
	script_callback(&b->script, answer, NULL);
	b->provider = (struct credentials_provider){"test", fetch, changed, NULL};
	aws_caller_init(&b->caller, &b->script.transport, &b->clock.clock, 3);
	assert_int_equal(sts_init(&b->sts, &b->caller, &conf), 0);
	assert_int_equal(session_new(&(struct session_options){.clock = &b->clock.clock,
							       .sts = &b->sts,
							       .provider = &b->provider,
							       .roles = &role,
							       .n_roles = 1},
				     &b->session),
			 0);
	call_init(&b->call, NULL, &b->clock.clock, CLOCK_NEVER);
	assert_int_equal(session_start(b->session, &b->call, &failure), 0);
	assert_int_equal(s3_store_new(&b->caller, b->session, &conf, &b->store), 0);
	strcpy(b->staging, "/tmp/xacctfs-test-XXXXXX");
	assert_non_null(mkdtemp(b->staging));
	assert_int_equal(fs_new(&(struct fs_options){.clock = &b->clock.clock,
						     .store = b->store,
						     .metadata_ttl_ms = 1000,
						     .dir_mode = 0755,
						     .file_mode = 0644,
						     .memory_limit = 256 << 20,
						     .staging_dir = b->staging,
						     .staging_limit = 64 << 20,
						     .background_timeout_ms = 60000},
				&b->fs),
			 0);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	call_deinit(&b->call);
	fs_free(b->fs);
	store_free(b->store);
	session_free(b->session);
	sts_deinit(&b->sts);
	aws_caller_deinit(&b->caller);
	script_deinit(&b->script);
	test_clock_deinit(&b->clock);
	assert_int_equal(rmdir(b->staging), 0);
	free(b);
	return 0;
}

static void lists_every_page_once(void **state)
{
	struct bench *b = *state;
	struct fs_dirent dirent;
	struct fs_dir *dir;
	uint64_t offset = 2;
	char name[32];
	size_t n = 0;

	assert_int_equal(fs_prime(b->fs, &b->call, &n), 0);
	assert_int_equal(n, BUCKETS);
	assert_int_equal(script_count(&b->script), 1 + BUCKETS / PER_PAGE);
	assert_int_equal(fs_opendir(b->fs, &b->call, FS_ROOT, &dir), 0);
	for (int i = 0; i < BUCKETS; i++) {
		assert_int_equal(fs_readdir(b->fs, &b->call, dir, offset, &dirent), 0);
		snprintf(name, sizeof(name), "many-%05d", i);
		assert_string_equal(dirent.name, name);
		offset = dirent.next;
	}
	assert_int_equal(fs_readdir(b->fs, &b->call, dir, offset, &dirent), -ENOENT);
	fs_releasedir(b->fs, dir);
	assert_int_equal(script_count(&b->script), 1 + BUCKETS / PER_PAGE);
}

static void asks_for_one_name_with_one_request(void **state)
{
	struct bench *b = *state;
	struct fs_entry entry;
	size_t n, sent;

	assert_int_equal(fs_prime(b->fs, &b->call, &n), 0);
	test_clock_advance(&b->clock, 1001);
	sent = script_count(&b->script);
	assert_int_equal(fs_lookup(b->fs, &b->call, FS_ROOT, "many-09999", &entry), 0);
	assert_true(entry.ino > FS_ROOT);
	assert_int_equal(script_count(&b->script), sent + 1);
	fs_forget(b->fs, entry.ino, 1);
	assert_int_equal(fs_lookup(b->fs, &b->call, FS_ROOT, "many-10000", &entry), 0);
	assert_int_equal(entry.ino, 0);
	assert_int_equal(script_count(&b->script), sent + 2);
}

static void learns_each_region_from_the_listing(void **state)
{
	struct bench *b = *state;
	char found[S3_REGION_MAX + 1];
	size_t n, sent;

	assert_int_equal(b->store->bucket_region(b->store, "many-00002", found), -ENODATA);
	assert_int_equal(fs_prime(b->fs, &b->call, &n), 0);
	assert_int_equal(b->store->bucket_region(b->store, "many-00002", found), 0);
	assert_string_equal(found, "ap-south-1");
	sent = script_count(&b->script);
	assert_int_equal(b->store->delete_bucket(b->store, &b->call, "many-00002"), 0);
	assert_string_equal(script_request(&b->script, sent)->http.authority,
			    "many-00002.s3.ap-south-1.amazonaws.com");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(lists_every_page_once, setup, teardown),
	    cmocka_unit_test_setup_teardown(asks_for_one_name_with_one_request, setup, teardown),
	    cmocka_unit_test_setup_teardown(learns_each_region_from_the_listing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
