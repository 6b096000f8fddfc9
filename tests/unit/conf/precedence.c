/* Command line > -o > environment > xacctfs.conf > AWS profile > default, key by key. */
#include "bench.h"

enum place {
	DEFAULT,
	CREDENTIALS_FILE,
	CONFIG_FILE,
	FILE_TOP,
	FILE_SECTION,
	ENVIRONMENT,
	LIST,
	ARGV,
	PLACES,
};

struct row {
	const char *key, *env, *profile; /* NULL: it has no such place */
	const char *values[PLACES];      /* "ca": the name of a file that is made */
	const char *(*get)(const struct conf *conf);
};

static char number[32];

static const char *get_region(const struct conf *conf)
{
	return conf->region;
}

static const char *get_external_id(const struct conf *conf)
{
	return conf->roles[0].external_id;
}

static const char *get_session_name(const struct conf *conf)
{
	return conf->roles[0].session_name;
}

static const char *get_duration(const struct conf *conf)
{
	snprintf(number, sizeof(number), "%d", conf->roles[0].duration_s);
	return number;
}

static const char *get_attempts(const struct conf *conf)
{
	snprintf(number, sizeof(number), "%d", conf->max_attempts);
	return number;
}

static const char *get_addressing(const struct conf *conf)
{
	static const char *const words[] = {"auto", "path", "virtual"};

	return words[conf->addressing];
}

static const char *get_s3_endpoint(const struct conf *conf)
{
	return conf->s3_endpoint_url;
}

static const char *get_sts(const struct conf *conf)
{
	return conf->sts_legacy_global ? "legacy" : "regional";
}

static const char *get_ttl(const struct conf *conf)
{
	snprintf(number, sizeof(number), "%g", (double)conf->metadata_ttl_ms / 1000);
	return number;
}

static const char *get_storage_class(const struct conf *conf)
{
	return conf->storage_class;
}

static const char *get_sse(const struct conf *conf)
{
	return conf->sse;
}

static const char *get_requester_pays(const struct conf *conf)
{
	return conf->requester_pays ? "yes" : "no";
}

static const char *get_owner(const struct conf *conf)
{
	return conf->expected_bucket_owner;
}

static const char *get_memory(const struct conf *conf)
{
	snprintf(number, sizeof(number), "%lluM", (unsigned long long)conf->memory_limit >> 20);
	return number;
}

static const char *get_staging_limit(const struct conf *conf)
{
	snprintf(number, sizeof(number), "%llu", (unsigned long long)conf->staging_limit);
	return number;
}

static const char *get_staging_dir(const struct conf *conf)
{
	return conf->staging_dir;
}

static const char *get_stop_timeout(const struct conf *conf)
{
	snprintf(number, sizeof(number), "%g", (double)conf->stop_timeout_ms / 1000);
	return number;
}

static const char *get_file_mode(const struct conf *conf)
{
	snprintf(number, sizeof(number), "%04o", conf->file_mode);
	return number;
}

static const char *get_attrs(const struct conf *conf)
{
	return conf->posix ? "posix" : "object";
}

static const struct row rows[] = {
    {"region",
     "AWS_REGION",
     "region",
     {NULL, "r-1", "r-2", "r-3", "r-4", "r-5", "r-6", "r-7"},
     get_region},
    {"external_id",
     NULL,
     "external_id",
     {NULL, "e1", "e2", "e3", "e4", NULL, "e6", "e7"},
     get_external_id},
    {"role_session_name",
     NULL,
     "role_session_name",
     {NULL, "s1", "s2", "s3", "s4", NULL, "s6", "s7"},
     get_session_name},
    {"duration_seconds",
     NULL,
     "duration_seconds",
     {"3600", "901", "902", "903", "904", NULL, "906", "907"},
     get_duration},
    {"max_attempts",
     "AWS_MAX_ATTEMPTS",
     "max_attempts",
     {"5", "11", "12", "13", "14", "15", "16", "17"},
     get_attempts},
    {"addressing_style",
     NULL,
     "s3 =\n  addressing_style",
     {"auto", NULL, "path", "virtual", "path", NULL, "virtual", "path"},
     get_addressing},
    {"endpoint_url",
     "AWS_ENDPOINT_URL",
     "endpoint_url",
     {NULL, "https://h1", "https://h2", "https://h3", "https://h4", "https://h5", "https://h6",
      "https://h7"},
     get_s3_endpoint},
    {"sts_regional_endpoints",
     "AWS_STS_REGIONAL_ENDPOINTS",
     "sts_regional_endpoints",
     {"regional", NULL, "legacy", "regional", "legacy", "regional", "legacy", "regional"},
     get_sts},
    {"storage_class",
     NULL,
     NULL,
     {NULL, NULL, NULL, "S3", "S4", NULL, "S6", "S7"},
     get_storage_class},
    {"sse",
     NULL,
     NULL,
     {NULL, NULL, NULL, "AES256", "aws:kms", NULL, "aws:kms:dsse", "AES256"},
     get_sse},
    {"requester_pays",
     NULL,
     NULL,
     {"no", NULL, NULL, "yes", "no", NULL, "yes", "no"},
     get_requester_pays},
    {"expected_bucket_owner",
     NULL,
     NULL,
     {NULL, NULL, NULL, "333333333333", "444444444444", NULL, "666666666666", "777777777777"},
     get_owner},
    {"metadata_ttl", NULL, NULL, {"1", NULL, NULL, "3", "4", NULL, "6", "7"}, get_ttl},
    {"memory_limit",
     NULL,
     NULL,
     {"256M", NULL, NULL, "103M", "104M", NULL, "106M", "107M"},
     get_memory},
    {"staging_limit",
     NULL,
     NULL,
     {"10737418240", NULL, NULL, "3", "4", NULL, "6", "7"},
     get_staging_limit},
    {"staging_dir", NULL, NULL, {NULL, NULL, NULL, "/3", "/4", NULL, "/6", "/7"}, get_staging_dir},
    {"stop_timeout", NULL, NULL, {"60", NULL, NULL, "3", "4", NULL, "6", "7"}, get_stop_timeout},
    {"file_mode",
     NULL,
     NULL,
     {"0644", NULL, NULL, "0603", "0604", NULL, "0606", "0607"},
     get_file_mode},
    {"attrs",
     NULL,
     NULL,
     {"object", NULL, NULL, "posix", "object", NULL, "posix", "object"},
     get_attrs},
};

static void add(struct buf *b, const char *key, const char *value)
{
	if (key && value)
		assert_int_equal(buf_printf(b, "%s = %s\n", key, value), 0);
}

/* With the row's value at every place up to top. */
static void parse_up_to(struct bench *b, const struct row *row, int top)
{
	const char *v[PLACES];
	struct buf config = BUF_INIT, credentials = BUF_INIT, file = BUF_INIT;
	char option[64] = "ro", argument[64] = "--ro";

	for (int place = 0; place < PLACES; place++)
		v[place] = place <= top ? row->values[place] : NULL;
	buf_add_str(&config, "[profile accountB]\nrole_arn = " ROLE "\nsource_profile = Anne\n");
	if (strcmp(row->key, "region") != 0)
		buf_add_str(&config, "region = default\n");
	add(&config, row->profile, v[CONFIG_FILE]);
	buf_add_str(&credentials, CREDENTIALS "[accountB]\n");
	add(&credentials, row->profile, v[CREDENTIALS_FILE]);
	add(&file, row->key, v[FILE_TOP]);
	buf_add_str(&file, "[other]\nregion = wrong\n[accountB]\n");
	add(&file, row->key, v[FILE_SECTION]);
	put(b, ".aws/config", buf_str(&config));
	put(b, ".aws/credentials", buf_str(&credentials));
	put(b, "xacctfs.conf", buf_str(&file));
	if (row->env && v[ENVIRONMENT])
		setenv(row->env, v[ENVIRONMENT], 1);
	if (v[LIST])
		snprintf(option, sizeof(option), "%s=%s", row->key, v[LIST]);
	if (v[ARGV])
		snprintf(argument, sizeof(argument), "--%s=%s", row->key, v[ARGV]);
	parse(b, "xacctfs", argument, "-o", option, "accountB", "/m", NULL);
	if (row->env)
		unsetenv(row->env);
	buf_deinit(&config);
	buf_deinit(&credentials);
	buf_deinit(&file);
}

static void each_place_beats_those_below(void **state)
{
	struct bench *b = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int top = 0; top < PLACES; top++) {
			const char *want = rows[i].values[top], *got;

			/* of a profile, the credentials file has the say */
			if (top == CONFIG_FILE && rows[i].values[CREDENTIALS_FILE])
				want = rows[i].values[CREDENTIALS_FILE];
			if (!want)
				continue;
			parse_up_to(b, &rows[i], top);
			assert_parsed(b);
			got = rows[i].get(&b->conf);
			if (!got || strcmp(got, want) != 0)
				fail_msg("%s at place %d: %s", rows[i].key, top, got ? got : "-");
		}
}

static void first_name_of_the_environment_counts(void **state)
{
	struct bench *b = *state;

	setenv("AWS_DEFAULT_REGION", "second", 1);
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_string_equal(b->conf.region, "second");
	setenv("AWS_REGION", "first", 1);
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_string_equal(b->conf.region, "first");
	setenv("AWS_REGION", "", 1);
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_string_equal(b->conf.region, "second");
	setenv("AWS_DEFAULT_PROFILE", "nobody", 1);
	setenv("AWS_PROFILE", "accountB", 1);
	parse(b, "xacctfs", "/m", NULL);
	assert_parsed(b);
}

static void role_of_the_environment_is_not_ours(void **state)
{
	struct bench *b = *state;

	setenv("AWS_ROLE_ARN", OTHER_ROLE, 1);
	setenv("AWS_ROLE_SESSION_NAME", "web", 1);
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_parsed(b);
	assert_string_equal(b->conf.roles[0].role_arn, ROLE);
	assert_string_not_equal(b->conf.roles[0].session_name, "web");
}

static void overruled_values_are_not_looked_at(void **state)
{
	struct bench *b = *state;

	setenv("AWS_REGION", "No Region", 1);
	parse(b, "xacctfs", "--region=x", "accountB", "/m", NULL);
	assert_parsed(b);
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_why(b, "AWS_REGION: 'No Region' is not the name of a region");
}

static void files_by_name(void **state)
{
	struct bench *b = *state;

	put(b, "cfg", "[default]\nrole_arn = " ROLE "\nsource_profile = Bob\nregion = z\n");
	put(b, "crd", "[Bob]\naws_access_key_id = A\naws_secret_access_key = B\n");
	put(b, "own", "metadata_ttl = 7.5\n");
	setenv("AWS_CONFIG_FILE", at(b, "cfg"), 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", "~/crd", 1);
	setenv("XACCTFS_CONF_FILE", at(b, "own"), 1);
	parse(b, "xacctfs", "/m", NULL);
	assert_parsed(b);
	assert_string_equal(b->conf.identity.config_file, at(b, "cfg"));
	assert_string_equal(b->conf.identity.credentials_file, at(b, "crd"));
	assert_string_equal(b->conf.identity.profile, "Bob");
	assert_int_equal(b->conf.metadata_ttl_ms, 7500);
	setenv("XACCTFS_CONF_FILE", at(b, "none"), 1);
	parse(b, "xacctfs", "/m", NULL);
	assert_why(b, "XACCTFS_CONF_FILE: there is no file /tmp/");
	parse(b, "xacctfs", "--config", at(b, "own"), "/m", NULL);
	assert_parsed(b);
	parse(b, "xacctfs", "-o", "config=/none", "/m", NULL);
	assert_why(b, "-o config: there is no file /none");
}

static void relative_files_become_absolute(void **state)
{
	struct bench *b = *state;

	assert_int_equal(chdir(b->dir), 0);
	parse(b, "xacctfs", "--aws-config-file=.aws/config", "--ca-bundle=xacctfs.conf", "accountB",
	      "/m", NULL);
	assert_int_equal(chdir("/"), 0);
	assert_parsed(b);
	assert_string_equal(b->conf.identity.config_file, at(b, ".aws/config"));
	assert_string_equal(b->conf.ca_bundle, at(b, "xacctfs.conf"));
}

static void no_home(void **state)
{
	struct bench *b = *state;

	unsetenv("HOME");
	put(b, "xacctfs.conf",
	    "role_arn = " ROLE "\nregion = x\ncredential_source = Environment\n");
	parse(b, "xacctfs", "/m", NULL);
	assert_parsed(b);
	assert_int_equal(b->conf.identity.config_file[0], '/');
	assert_non_null(strstr(b->conf.identity.config_file, "/.aws/config"));
}

static void defaults(void **state)
{
	struct bench *b = *state;

	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_parsed(b);
	assert_string_equal(b->conf.create_region, "eu-west-1");
	assert_null(b->conf.s3_endpoint_url);
	assert_null(b->conf.sts_endpoint_url);
	assert_null(b->conf.ca_bundle);
	assert_null(b->conf.fuse_options);
	assert_false(b->conf.allow_http || b->conf.allow_other || b->conf.allow_root);
	assert_int_equal(b->conf.connect_timeout_ms, 10000);
	assert_int_equal(b->conf.stall_timeout_ms, 30000);
	assert_int_equal(b->conf.request_timeout_ms, 120000);
	assert_int_equal(b->conf.metadata_ttl_ms, 1000);
	assert_int_equal(b->conf.uid, getuid());
	assert_int_equal(b->conf.gid, getgid());
	assert_int_equal(b->conf.umask, 022);
	assert_int_equal(b->conf.dir_mode, 0755);
	assert_int_equal(b->conf.file_mode, 0644);
}

static void modes_come_of_the_umask(void **state)
{
	struct bench *b = *state;

	parse(b, "xacctfs", "--umask=027", "accountB", "/m", NULL);
	assert_int_equal(b->conf.dir_mode, 0750);
	assert_int_equal(b->conf.file_mode, 0640);
	parse(b, "xacctfs", "--umask=027", "--file-mode=0777", "accountB", "/m", NULL);
	assert_int_equal(b->conf.dir_mode, 0750);
	assert_int_equal(b->conf.file_mode, 0777);
}

static void staging_dir_is_our_own(void **state)
{
	struct bench *b = *state;
	char own[300];

	snprintf(own, sizeof(own), "/var/tmp/xacctfs-%u", geteuid());
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_string_equal(b->conf.staging_dir, geteuid() ? own : "/var/cache/xacctfs");
	setenv("TMPDIR", "relative", 1);
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_string_equal(b->conf.staging_dir, geteuid() ? own : "/var/cache/xacctfs");
	setenv("TMPDIR", b->dir, 1);
	snprintf(own, sizeof(own), "%s/xacctfs-%u", b->dir, geteuid());
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_string_equal(b->conf.staging_dir, own);
	parse(b, "xacctfs", "--staging-dir=~/stage", "accountB", "/m", NULL);
	assert_string_equal(b->conf.staging_dir, at(b, "stage"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(each_place_beats_those_below),
	    test(first_name_of_the_environment_counts),
	    test(role_of_the_environment_is_not_ours),
	    test(overruled_values_are_not_looked_at),
	    test(files_by_name),
	    test(relative_files_become_absolute),
	    test(no_home),
	    test(defaults),
	    test(modes_come_of_the_umask),
	    test(staging_dir_is_our_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
