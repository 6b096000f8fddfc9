/* What a value may be, and that a complaint says where it stands. */
#include "bench.h"

struct row {
	const char *key, *value, *why; /* why NULL: it is fine */
};

static const struct row rows[] = {
    {"region", "default", NULL},
    {"region", "us-gov-east-1", NULL},
    {"region", "EU", "'EU' is not the name of a region"},
    {"region", "eu west", "is not the name of a region"},
    {"create_region", "eu.west", "is not the name of a region"},
    {"role_arn", ROLE, NULL},
    {"role_arn", "arn:aws-us-gov:iam::222222222222:role/path/to/x", NULL},
    {"role_arn", "arn:aws:iam::RGW12345678901234567:role/x", NULL},
    {"role_arn", "arn:aws:iam::2222:role/x", "is not a role's ARN"},
    {"role_arn", "arn:aws:iam::222222222222:user/x", "is not a role's ARN"},
    {"role_arn", "arn:aws:iam::222222222222:role/", "is not a role's ARN"},
    {"role_arn", "arn:aws:iam::222222222222:role", "is not a role's ARN"},
    {"role_arn", "arn:aws:iam::222222222222:role/a b", "is not a role's ARN"},
    {"role_arn", "arn:aws:iam:::role/x", "is not a role's ARN"},
    {"role_arn", "arn:aws:sts::222222222222:assumed-role/x/y", "is not a role's ARN"},
    {"role_arn", "arn:aws", "is not a role's ARN"},
    {"role_arn", "arn:aws:iam::222222222222", "is not a role's ARN"},
    {"external_id", "a1_+=,.@:/-", NULL},
    {"external_id", "a", "is not an external ID"},
    {"external_id", "a b", "is not an external ID"},
    {"role_session_name", "a1_+=,.@-", NULL},
    {"role_session_name", "a:b", "is not a session name"},
    {"role_session_name", "12345678901234567890123456789012345678901234567890123456789012345",
     "is not a session name"},
    {"duration_seconds", "0", "'0' is not a number from 1 to 43200"},
    {"duration_seconds", "43201", "is not a number from 1 to 43200"},
    {"duration_seconds", "1h", "is not a number"},
    {"duration_seconds", "-900", "is not a number"},
    {"max_attempts", "100", NULL},
    {"max_attempts", "101", "'101' is not a number from 1 to 100"},
    {"max_attempts", "99999999999999999999", "is not a number"},
    {"metadata_ttl", "0", NULL},
    {"metadata_ttl", ".5", NULL},
    {"metadata_ttl", "86400", NULL},
    {"metadata_ttl", "86400.001", "is not a number of seconds from 0 to 86400"},
    {"metadata_ttl", "1e3", "is not a number of seconds"},
    {"metadata_ttl", ".", "is not a number of seconds"},
    {"metadata_ttl", "1.2.3", "is not a number of seconds"},
    {"metadata_ttl", "-1", "is not a number of seconds"},
    {"metadata_ttl", "nan", "is not a number of seconds"},
    {"connect_timeout", "0", "is not a number of seconds from 0.1 to 3600"},
    {"stall_timeout", "0.1", NULL},
    {"request_timeout", "86401", "is not a number of seconds from 0.1 to 86400"},
    {"memory_limit", "64M", NULL},
    {"memory_limit", "67108864", NULL},
    {"memory_limit", "65536kb", NULL},
    {"memory_limit", "1TiB", NULL},
    {"memory_limit", "67108863", "'67108863' is not a size from 64M to 1T"},
    {"memory_limit", "1025G", "is not a size from 64M to 1T"},
    {"memory_limit", "M", "is not a size"},
    {"memory_limit", "64 M", "is not a size"},
    {"memory_limit", "64MM", "is not a size"},
    {"memory_limit", "64Mi", "is not a size"},
    {"memory_limit", "64P", "is not a size"},
    {"memory_limit", "-64M", "is not a size"},
    {"memory_limit", "0.5G", "is not a size"},
    {"memory_limit", "999999999999999999T", "is not a size"},
    {"memory_limit", "18446744073709551616", "is not a size"},
    {"staging_limit", "0", NULL},
    {"staging_limit", "1024T", NULL},
    {"staging_limit", "1025T", "'1025T' is not a size from 0 to 1024T"},
    {"staging_dir", "~/stage", NULL},
    {"stop_timeout", "0", NULL},
    {"stop_timeout", "1d", "is not a number of seconds from 0 to 86400"},
    {"uid", "0", NULL},
    {"uid", "root", NULL},
    {"uid", "no-such-user", "'no-such-user' is not a user of this machine"},
    {"uid", "4294967295", "is not a user"},
    {"gid", "4294967294", NULL},
    {"gid", "no-such-group", "is not a group of this machine"},
    {"umask", "0777", NULL},
    {"umask", "1000", "'1000' is not an octal number up to 0777"},
    {"umask", "8", "is not an octal number"},
    {"dir_mode", "rwx", "is not an octal number"},
    {"file_mode", "0640", NULL},
    {"file_mode", "1644", "'1644' is not an octal number up to 0777"},
    {"attrs", "posix", NULL},
    {"attrs", "object", NULL},
    {"attrs", "s3fs", "'s3fs' is not supported; it may be: object, posix"},
    {"allow_other", "ON", NULL},
    {"allow_http", "2", "is not yes or no"},
    {"log_level", "DEBUG", NULL},
    {"log_level", "loud", "'loud' is not supported; it may be: error, warn, info, debug"},
    {"addressing_style", "host", "it may be: auto, path, virtual"},
    {"sts_regional_endpoints", "global", "it may be: regional, legacy"},
    {"credential_source", "EcsContainer", "it may be: Environment"},
    {"endpoint_url", "https://h:8443/p/", NULL},
    {"endpoint_url", "h", "this is no endpoint URL: it must begin with"},
    {"endpoint_url", "https://u:hush@h", "it must not have a user name or password"},
    {"s3_endpoint_url", "https://", "this is no endpoint URL"},
    {"sts_endpoint_url", "http://example.com", "plain http to example.com would show"},
    {"endpoint_url", "http://127.0.0.1:8000", NULL},
    {"storage_class", "STANDARD_IA", NULL},
    {"storage_class", "cold-1", NULL},
    {"storage_class", "a b", "'a b' is not a storage class"},
    {"storage_class", "12345678901234567890123456789012", "is not a storage class"},
    {"sse", "aws:kms:dsse", NULL},
    {"sse", "aes256", NULL},
    {"sse", "aws:fsx", "it may be: AES256, aws:kms, aws:kms:dsse"},
    {"sse_kms_key_id", "alias/key", "it goes with sse = aws:kms or aws:kms:dsse only"},
    {"sse_kms_key_id", "a b", "is not a KMS key"},
    {"requester_pays", "maybe", "is not yes or no"},
    {"expected_bucket_owner", "RGW12345678901234567", NULL},
    {"expected_bucket_owner", "2222", "'2222' is not an account"},
    {"ca_bundle", "/none", "cannot read /none: No such file"},
};

/* why, after where: it must stand at the line's beginning. */
static void assert_verdict(struct bench *b, const struct row *row, const char *where)
{
	if (!row->why) {
		assert_parsed(b);
		return;
	}
	assert_why(b, row->why);
	assert_why(b, where);
	assert_ptr_equal(strstr(b->why, where), b->why);
	assert_null(strstr(b->why, "hush"));
}

static const char *escaped(const char *value)
{
	static char text[256];
	char *to = text;

	for (; *value; value++) {
		if (*value == ',')
			*to++ = '\\';
		*to++ = *value;
	}
	*to = '\0';
	return text;
}

/* A role named elsewhere than in its profile would make a chain of this one. */
static void role_comes_from_the_profile(struct bench *b)
{
	put(b, ".aws/config", "[profile accountB]\nregion = x\nsource_profile = Anne\n");
}

static void in_the_file(void **state)
{
	struct bench *b = *state;
	char text[512], where[512];

	role_comes_from_the_profile(b);
	snprintf(where, sizeof(where), "%s:3: ", at(b, "xacctfs.conf"));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "# a\n[accountB]\n%s = %s\n%s", rows[i].key,
			 rows[i].value,
			 strcmp(rows[i].key, "role_arn") ? "role_arn = " ROLE "\n" : "");
		put(b, "xacctfs.conf", text);
		parse(b, "xacctfs", "--sts-endpoint-url=https://h", "accountB", "/m", NULL);
		if (!strcmp(rows[i].key, "sts_endpoint_url"))
			parse(b, "xacctfs", "accountB", "/m", NULL);
		assert_verdict(b, &rows[i], where);
		if (rows[i].why)
			assert_why(b, rows[i].key);
	}
}

static void on_the_command_line(void **state)
{
	struct bench *b = *state;
	char text[512], where[128];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "--%s=%s", rows[i].key, rows[i].value);
		snprintf(where, sizeof(where), "--%s: ", rows[i].key);
		for (char *c = where; *c; c++)
			*c = *c == '_' ? '-' : *c;
		if (!strncmp(text, "--credential", 12))
			continue;
		parse(b, "xacctfs", text, "accountB", "/m", NULL);
		assert_verdict(b, &rows[i], where);
		snprintf(text, sizeof(text), "%s=%s", rows[i].key, escaped(rows[i].value));
		snprintf(where, sizeof(where), "-o %s: ", rows[i].key);
		parse(b, "xacctfs", "-o", text, "accountB", "/m", NULL);
		assert_verdict(b, &rows[i], where);
	}
}

static void in_a_profile(void **state)
{
	struct bench *b = *state;

	put(b, ".aws/config", CONFIG "duration_seconds = long\n");
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_why(b, "config:6: duration_seconds: 'long' is not a number");
	put(b, ".aws/config",
	    CONFIG
	    "[profile c]\nregion = x\nrole_arn = " OTHER_ROLE
	    "\nsource_profile = d\n[profile d]\nrole_arn = nonsense\nsource_profile = Anne\n");
	parse(b, "xacctfs", "c", "/m", NULL);
	assert_why(b, "config:11: role_arn: 'nonsense' is not a role's ARN");
	put(b, ".aws/config", CONFIG "duration_seconds = 3600\n  and more\n");
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_why(b, "config:6: duration_seconds: the value goes on in another line");
	put(b, ".aws/config", "[profile accountB]\nrole_arn = " ROLE " # a comment\n");
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_why(b, "config:2: role_arn: ");
}

static void in_the_environment(void **state)
{
	struct bench *b = *state;

	setenv("AWS_MAX_ATTEMPTS", "many", 1);
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_why(b, "AWS_MAX_ATTEMPTS: 'many' is not a number from 1 to 100");
}

static void any_section_of_the_file_is_checked(void **state)
{
	struct bench *b = *state;

	put(b, "xacctfs.conf", "[other]\numask = 9\n");
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_why(b, "xacctfs.conf:2: umask: '9' is not an octal number");
	put(b, "xacctfs.conf", "[other]\numsk = 022\n");
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_why(b, "xacctfs.conf:2: umsk: unknown key; did you mean 'umask'?");
	put(b, "xacctfs.conf", "frobnicate = yes\n");
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_why(b, "xacctfs.conf:1: frobnicate: unknown key");
	put(b, "xacctfs.conf", "region =\n");
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_why(b, "xacctfs.conf:1: region: the value is missing");
	put(b, "xacctfs.conf", "role-arn = " ROLE "\nrole_arn = " ROLE "\n");
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_why(b, "xacctfs.conf:2: role_arn: it is there already, at ");
	put(b, "xacctfs.conf", "allow_other = yes\nallow_root = yes\n");
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_why(b, "xacctfs.conf:2: allow_root: it contradicts ");
	put(b, "xacctfs.conf", "a\n");
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_why(b, "xacctfs.conf:1: expected [section] or key = value");
}

static void keys_of_the_command_line_alone(void **state)
{
	struct bench *b = *state;
	static const char *const lines[] = {"config = /x\n", "check = yes\n", "json = yes\n",
					    "debug = yes\n", "foreground = yes\n"};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		put(b, "xacctfs.conf", lines[i]);
		parse(b, "xacctfs", "accountB", "/m", NULL);
		assert_why(b, "this can only be said on the command line");
	}
}

static void aws_names_in_the_file(void **state)
{
	struct bench *b = *state;

	put(b, "xacctfs.conf",
	    "[accountB]\ns3 =\n  addressing_style = path\nmax-attempts = 3 # few\n");
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_parsed(b);
	assert_int_equal(b->conf.addressing, CONF_ADDRESSING_PATH);
	assert_int_equal(b->conf.max_attempts, 3);
	put(b, "xacctfs.conf", "s3.addressing_style = virtual\n");
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_int_equal(b->conf.addressing, CONF_ADDRESSING_VIRTUAL);
}

static void fractions_of_a_second(void **state)
{
	struct bench *b = *state;

	parse(b, "xacctfs", "--metadata-ttl=1.2345", "--connect-timeout=.25", "--stall-timeout=7.",
	      "accountB", "/m", NULL);
	assert_parsed(b);
	assert_int_equal(b->conf.metadata_ttl_ms, 1234);
	assert_int_equal(b->conf.connect_timeout_ms, 250);
	assert_int_equal(b->conf.stall_timeout_ms, 7000);
}

static void a_kms_key_with_its_encryption(void **state)
{
	struct bench *b = *state;

	parse(b, "xacctfs", "--sse=AWS:KMS", "-o", "sse_kms_key_id=arn:aws:kms:r:1:key/2-3",
	      "accountB", "/m", NULL);
	assert_parsed(b);
	assert_string_equal(b->conf.sse, "aws:kms");
	assert_string_equal(b->conf.sse_kms_key_id, "arn:aws:kms:r:1:key/2-3");
	parse(b, "xacctfs", "--sse=AES256", "-o", "sse_kms_key_id=k", "accountB", "/m", NULL);
	assert_why(b, "-o sse_kms_key_id: it goes with sse = aws:kms");
}

static void strange_files(void **state)
{
	struct bench *b = *state;

	setenv("XACCTFS_CONF_FILE", b->dir, 1);
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_why(b, "Is a directory");
	setenv("XACCTFS_CONF_FILE", "/dev/null", 1);
	setenv("AWS_CONFIG_FILE", b->dir, 1);
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_why(b, "Is a directory");
	setenv("AWS_CONFIG_FILE", at(b, ".aws/config"), 1);
	put_bytes(b, ".aws/credentials", "[Anne]\n\0", 8);
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_why(b, "credentials:2: there is a NUL byte");
}

static void control_characters_do_not_reach_the_complaint(void **state)
{
	struct bench *b = *state;

	parse(b, "xacctfs", "--reg\n\033[1m", "accountB", "/m", NULL);
	assert_why(b, "unknown option '--reg??[1m'");
	parse(b, "xacctfs", "--region=a\nb", "accountB", "/m", NULL);
	assert_why(b, "--region: the value goes on in another line");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(in_the_file),
	    test(on_the_command_line),
	    test(in_a_profile),
	    test(in_the_environment),
	    test(any_section_of_the_file_is_checked),
	    test(keys_of_the_command_line_alone),
	    test(aws_names_in_the_file),
	    test(fractions_of_a_second),
	    test(a_kms_key_with_its_encryption),
	    test(strange_files),
	    test(control_characters_do_not_reach_the_complaint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
