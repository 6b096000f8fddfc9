/* daemon/control, daemon/metrics: what the control files say, word for word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"

#include "../../../src/daemon/control.h"
#include "../../../src/daemon/metrics.h"

#define ARN      "arn:aws:sts::222222222222:assumed-role/access/xacctfs-host-1"
#define ROLE_ARN "arn:aws:iam::333333333333:role/access"
/* 2026-11-23T00:00:00Z */
#define T0 INT64_C(1795392000000)

static char profile[] = "Anne", region[] = "eu-west-1", role_arn[] = ROLE_ARN,
	    first_arn[] = "arn:aws:iam::111111111111:role/first",
	    endpoint[] = "http://127.0.0.1:18090";

static void assert_text(struct buf *text, const char *wanted)
{
	assert_string_equal(buf_str(text), wanted);
	buf_deinit(text);
}

/* ---- identity ---- */

static struct conf profile_conf(void)
{
	return (struct conf){
	    .identity = {.base = CONF_BASE_PROFILE, .profile = profile},
	    .roles = {{.role_arn = first_arn}, {.role_arn = role_arn}},
	    .n_roles = 2,
	    .region = region,
	    .s3_endpoint_url = endpoint,
	};
}

static void identity_is_who_we_became(void **state)
{
	struct session_status session = {.arn = ARN};
	struct conf conf = profile_conf();
	struct buf text = BUF_INIT;

	(void)state;
	assert_int_equal(control_identity(&conf, &session, &text), 0);
	assert_text(&text, "account = 222222222222\n"
			   "arn = " ARN "\n"
			   "role_arn = arn:aws:iam::111111111111:role/first\n"
			   "role_arn = " ROLE_ARN "\n"
			   "base = profile Anne\n"
			   "region = eu-west-1\n"
			   "s3_endpoint_url = http://127.0.0.1:18090\n");
}

static void identity_of_a_server_that_does_not_say(void **state)
{
	struct conf conf = profile_conf();
	struct session_status session = {0};
	struct buf text = BUF_INIT;

	(void)state;
	conf.identity.base = CONF_BASE_ENVIRONMENT;
	conf.s3_endpoint_url = NULL;
	assert_int_equal(control_identity(&conf, &session, &text), 0);
	assert_text(&text, "account = 333333333333\n"
			   "role_arn = arn:aws:iam::111111111111:role/first\n"
			   "role_arn = " ROLE_ARN "\n"
			   "base = environment\n"
			   "region = eu-west-1\n");
}

/* ---- session ---- */

static void a_session_that_is_valid(void **state)
{
	struct session_status session = {.expires_wall_ms = T0 + 3600000,
					 .remaining_ms = 3600999,
					 .next_renewal_ms = 2400000,
					 .renewals = 3};
	struct buf text = BUF_INIT;

	(void)state;
	assert_int_equal(control_session(&session, T0, &text), 0);
	assert_text(&text, "state = valid\n"
			   "expires = 2026-11-23T01:00:00Z\n"
			   "remaining_seconds = 3600\n"
			   "next_renewal = 2026-11-23T00:40:00Z\n"
			   "renewals = 3\n"
			   "failed_renewals = 0\n");
}

static void a_session_that_is_not_renewed(void **state)
{
	struct session_status session = {.expires_wall_ms = T0 + 1000,
					 .remaining_ms = 1000,
					 .failures = 2,
					 .failing = true,
					 .last_failure_wall_ms = T0 - 1000,
					 .last_failure = "sts:AssumeRole of r: AccessDenied"};
	struct buf text = BUF_INIT;

	(void)state;
	assert_int_equal(control_session(&session, T0, &text), 0);
	assert_text(&text,
		    "state = renewal fails\n"
		    "expires = 2026-11-23T00:00:01Z\n"
		    "remaining_seconds = 1\n"
		    "next_renewal = 2026-11-23T00:00:00Z\n"
		    "renewals = 0\n"
		    "failed_renewals = 2\n"
		    "last_failure = 2026-11-22T23:59:59Z sts:AssumeRole of r: AccessDenied\n");
	session.remaining_ms = 0;
	assert_int_equal(control_session(&session, T0, &text), 0);
	assert_memory_equal(text.data, "state = ended\n", 14);
	buf_deinit(&text);
}

/* ---- uploads ---- */

#define COMMENT                                                                                    \
	"# file STATE SIZE SENT SENDING FAILED-PARTS OBJECT\n# upload BEGUN UPLOAD-ID OBJECT\n"

static void nothing_to_upload(void **state)
{
	struct fs_unsaved_list files = {0};
	struct s3_begun_list uploads = {0};
	struct buf text = BUF_INIT;

	(void)state;
	assert_int_equal(control_uploads(&files, &uploads, &text), 0);
	assert_text(&text, COMMENT);
}

static void an_upload_is_one_line_whatever_its_key(void **state)
{
	char bucket[] = "bucket", plain[] = "dir/a b", odd[] = "a\nfile\x7f\\\xc3\xa4",
	     id[] = "2~x";
	struct fs_unsaved v[] = {
	    {bucket, plain, FS_UNSAVED_STREAM, 100, 20, 30, 0},
	    {bucket, odd, FS_UNSAVED_STAGED, 5, 0, 0, 1},
	    {bucket, plain, FS_UNSAVED_ATTRIBUTES, 7, 0, 0, 0},
	};
	struct s3_begun begun = {bucket, odd, id, T0};
	struct fs_unsaved_list files = {v, 3};
	struct s3_begun_list uploads = {&begun, 1};
	struct buf text = BUF_INIT;

	(void)state;
	assert_int_equal(control_uploads(&files, &uploads, &text), 0);
	assert_text(&text, COMMENT "file stream 100 20 30 0 s3://bucket/dir/a b\n"
				   "file staged 5 0 0 1 s3://bucket/a\\x0afile\\x7f\\x5c\xc3\xa4\n"
				   "file attributes 7 0 0 0 s3://bucket/dir/a b\n"
				   "upload 2026-11-23T00:00:00Z 2~x "
				   "s3://bucket/a\\x0afile\\x7f\\x5c\xc3\xa4\n");
}

/* ---- metrics ---- */

static struct metrics some_metrics(void)
{
	struct metrics m = {
	    .session = {.remaining_ms = 3599999,
			.next_renewal_ms = 1500,
			.renewals = 2,
			.failures = 1,
			.failing = true},
	    .s3 = {.in_flight = 4},
	    .fs = {.hidden_keys = 5,
		   .lookups_known = 6,
		   .lookups_asked = 7,
		   .inodes = 8,
		   .open_dirs = 9,
		   .open_files = 10,
		   .unsaved_files = 11,
		   .parts_under_way = 12,
		   .read_bytes = 13,
		   .written_bytes = UINT64_MAX,
		   .read_memory = {14, 15, 16},
		   .write_memory = {17, 18, 19},
		   .staging_used = 20,
		   .staging_limit = 21},
	    .uploads = 22,
	};

	for (size_t i = 0; i < S3_OPERATIONS; i++)
		m.s3.operations[i].name = i == 0 ? "GetObject" : "Other";
	m.s3.operations[0].requests[S3_NO_ANSWER] = 31;
	m.s3.operations[0].requests[S3_2XX] = 32;
	m.s3.operations[0].requests[S3_3XX] = 33;
	m.s3.operations[0].requests[S3_4XX] = 34;
	m.s3.operations[0].requests[S3_5XX] = 35;
	m.s3.operations[0].retries = 36;
	m.s3.operations[0].throttled = 37;
	m.s3.operations[0].sent_bytes = 38;
	m.s3.operations[0].received_bytes = 39;
	m.s3.operations[0].ms = 40041;
	return m;
}

static void metrics_are_all_told(void **state)
{
	static const char *const lines[] = {
	    "info{version=\"" XACCTFS_VERSION "\"} 1",
	    "session_renewals_total{result=\"ok\"} 2",
	    "session_renewals_total{result=\"failed\"} 1",
	    "session_renewal_failing 1",
	    "session_remaining_seconds 3599",
	    "session_next_renewal_seconds 1",
	    "s3_requests_total{operation=\"GetObject\",status=\"none\"} 31",
	    "s3_requests_total{operation=\"GetObject\",status=\"2xx\"} 32",
	    "s3_requests_total{operation=\"GetObject\",status=\"3xx\"} 33",
	    "s3_requests_total{operation=\"GetObject\",status=\"4xx\"} 34",
	    "s3_requests_total{operation=\"GetObject\",status=\"5xx\"} 35",
	    "s3_retries_total{operation=\"GetObject\"} 36",
	    "s3_throttled_total{operation=\"GetObject\"} 37",
	    "s3_sent_bytes_total{operation=\"GetObject\"} 38",
	    "s3_received_bytes_total{operation=\"GetObject\"} 39",
	    "s3_request_seconds_sum{operation=\"GetObject\"} 40.041",
	    "s3_request_seconds_count{operation=\"GetObject\"} 165",
	    "s3_requests_in_flight 4",
	    "s3_multipart_uploads 22",
	    "hidden_keys_total 5",
	    "lookups_total{answer=\"known\"} 6",
	    "lookups_total{answer=\"asked\"} 7",
	    "inodes 8",
	    "open_directories 9",
	    "open_files 10",
	    "unsaved_files 11",
	    "parts_under_way 12",
	    "read_bytes_total 13",
	    "written_bytes_total 18446744073709551615",
	    "memory_bytes{use=\"read\"} 14",
	    "memory_most_bytes{use=\"read\"} 15",
	    "memory_limit_bytes{use=\"read\"} 16",
	    "memory_bytes{use=\"write\"} 17",
	    "memory_most_bytes{use=\"write\"} 18",
	    "memory_limit_bytes{use=\"write\"} 19",
	    "staging_bytes 20",
	    "staging_limit_bytes 21",
	};
	struct metrics m = some_metrics();
	struct buf text = BUF_INIT;
	char line[200];

	(void)state;
	assert_int_equal(metrics_render(&m, &text), 0);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		snprintf(line, sizeof(line), "\nxacctfs_%s\n", lines[i]);
		if (!strstr(text.data, line))
			fail_msg("there is no line %s", lines[i]);
	}
	buf_deinit(&text);
}

/* One header a family, whatever the number of its samples. */
static void a_family_has_one_header(void **state)
{
	struct metrics m = some_metrics();
	struct buf text = BUF_INIT;
	const char *header = "# HELP xacctfs_memory_bytes Bytes of files in memory.\n"
			     "# TYPE xacctfs_memory_bytes gauge\n"
			     "xacctfs_memory_bytes{use=\"read\"} 14\n"
			     "xacctfs_memory_bytes{use=\"write\"} 17\n"
			     "# HELP xacctfs_memory_most_bytes ";

	(void)state;
	assert_int_equal(metrics_render(&m, &text), 0);
	assert_non_null(strstr(text.data, header));
	buf_deinit(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(identity_is_who_we_became),
	    cmocka_unit_test(identity_of_a_server_that_does_not_say),
	    cmocka_unit_test(a_session_that_is_valid),
	    cmocka_unit_test(a_session_that_is_not_renewed),
	    cmocka_unit_test(nothing_to_upload),
	    cmocka_unit_test(an_upload_is_one_line_whatever_its_key),
	    cmocka_unit_test(metrics_are_all_told),
	    cmocka_unit_test(a_family_has_one_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
