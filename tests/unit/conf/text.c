/* What a person reads: --help, and the configuration in force. */
#include "bench.h"

#include "../../../src/conf/keys.h"

static char *help(void)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	conf_print_help(f);
	fclose(f);
	return text;
}

static void help_fits_80_columns(void **state)
{
	char *text = help();

	(void)state;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (strlen(line) > 80)
			fail_msg("%zu columns: %s", strlen(line), line);
		assert_null(strchr(line, '\t'));
		assert_int_not_equal(line[strlen(line) - 1], ' ');
	}
	free(text);
}

static void help_has_every_key(void **state)
{
	char *text = help();
	char name[64];

	(void)state;
	for (size_t i = 0; i < KEY_COUNT; i++) {
		assert_non_null(conf_keys[i].name);
		assert_non_null(conf_keys[i].help);
		snprintf(name, sizeof(name), "--%s%s", conf_keys[i].name,
			 conf_keys[i].metavar ? "=" : "\n");
		if (!conf_keys[i].metavar)
			name[strlen(name) - 1] = ' ';
		for (char *c = name; *c; c++)
			*c = *c == '_' ? '-' : *c;
		if (!strstr(text, name))
			fail_msg("%s is missing", name);
		if (conf_keys[i].env[0])
			assert_non_null(strstr(text, conf_keys[i].env[0]));
	}
	free(text);
}

static const char *render(struct bench *b)
{
	static struct buf text;

	assert_parsed(b);
	buf_deinit(&text);
	assert_int_equal(conf_render(&b->conf, &text), 0);
	return buf_str(&text);
}

#define assert_line(b, line)                                                                       \
	do {                                                                                       \
		const char *rendered_ = render(b);                                                 \
		if (!strstr(rendered_, line))                                                      \
			fail_msg("'%s' is not in:\n%s", line, rendered_);                          \
	} while (0)

static void render_says_where_from(void **state)
{
	struct bench *b = *state;
	char line[300];

	put(b, "xacctfs.conf", "metadata_ttl = 2\n");
	setenv("AWS_ENDPOINT_URL_STS", "https://sts", 1);
	setenv("AWS_MAX_ATTEMPTS", "4", 1);
	parse(b, "xacctfs", "-f", "--uid=0", "-o", "umask=027,nodev", "--staging-dir=/s",
	      "--staging-limit=2GiB", "accountB", "/m", NULL);
	assert_line(b, "source = accountB\n");
	assert_line(b, "mountpoint = /m\n");
	assert_line(b, "role_arn = " ROLE "  # /tmp/");
	snprintf(line, sizeof(line), "external_id = XX9812DDF2V  # %s:4: external_id\n",
		 at(b, ".aws/config"));
	assert_line(b, line);
	snprintf(line, sizeof(line), "base = profile Anne  # %s:3: source_profile\n",
		 at(b, ".aws/config"));
	assert_line(b, line);
	snprintf(line, sizeof(line), "metadata_ttl = 2  # %s:1: metadata_ttl\n",
		 at(b, "xacctfs.conf"));
	assert_line(b, line);
	assert_line(b, "sts_endpoint_url = https://sts  # AWS_ENDPOINT_URL_STS\n");
	assert_null(strstr(render(b), "s3_endpoint_url"));
	assert_line(b, "max_attempts = 4  # AWS_MAX_ATTEMPTS\n");
	assert_line(b, "umask = 027  # -o umask\n");
	assert_line(b, "dir_mode = 0750  # default\n");
	assert_line(b, "file_mode = 0640  # default\n");
	assert_line(b, "attrs = object  # default\n");
	assert_line(b, "memory_limit = 256M  # default\n");
	assert_line(b, "staging_limit = 2GiB  # --staging-limit\n");
	assert_line(b, "staging_dir = /s  # --staging-dir\n");
	assert_line(b, "stop_timeout = 60  # default\n");
	assert_line(b, "uid = 0  # --uid\n");
	assert_line(b, "foreground = yes  # -f\n");
	assert_line(b, "duration_seconds = 3600  # default\n");
	assert_line(b, "stall_timeout = 30  # default\n");
	assert_line(b, "create_region = eu-west-1  # default\n");
	assert_line(b, "fuse_options = nodev  # -o\n");
	assert_null(strstr(render(b), "check ="));
	assert_null(strstr(render(b), "json ="));
}

static void render_keeps_to_its_lines(void **state)
{
	struct bench *b = *state;

	parse(b, "xacctfs", "accountB", "/m\nread_only = yes", NULL);
	assert_line(b, "mountpoint = /m\\x0aread_only = yes\n");
	setenv("TMPDIR", "/t\nx", 1);
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_non_null(strstr(render(b), "staging_dir = /t\\x0ax/xacctfs-"));
	unsetenv("TMPDIR");
}

static void render_has_no_secret(void **state)
{
	struct bench *b = *state;

	setenv("AWS_SECRET_ACCESS_KEY", "hush-env", 1);
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_null(strstr(render(b), "hush"));
	parse(b, "xacctfs", "--credential-source=Environment", "accountB", "/m", NULL);
	assert_null(strstr(render(b), "hush"));
	assert_line(b, "base = environment  # AWS_ACCESS_KEY_ID\n");
}

static void render_of_a_chain(void **state)
{
	struct bench *b = *state;
	const char *text, *first;

	parse(b, "xacctfs", "--profile=accountB", OTHER_ROLE, "/m", NULL);
	text = render(b);
	first = strstr(text, "role_arn = " ROLE);
	assert_non_null(first);
	assert_non_null(strstr(first, "role_arn = " OTHER_ROLE "  # SOURCE\n"));
}

/* The files in config/, found from this one's name as the compiler was given it. */
static char *sample(const char *name)
{
	const char *end = strstr(__FILE__, "tests/unit/conf/");
	char *path, *whole;

	assert_non_null(end);
	assert_true(asprintf(&path, "%.*sconfig/%s", (int)(end - __FILE__), __FILE__, name) >= 0);
	whole = realpath(path, NULL);
	free(path);
	return whole;
}

static void samples_are_right(void **state)
{
	struct bench *b = *state;
	char *own = sample("xacctfs.conf"), *config = sample("aws-config");
	char *credentials = sample("aws-credentials");

	if (!own || !config || !credentials)
		skip(); /* run from elsewhere than the build directory */
	setenv("XACCTFS_CONF_FILE", own, 1);
	setenv("AWS_CONFIG_FILE", config, 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", credentials, 1);
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_parsed(b);
	assert_string_equal(b->conf.roles[0].role_arn, ROLE);
	parse(b, "xacctfs", "archive", "/m", NULL);
	assert_parsed(b);
	assert_int_equal(b->conf.n_roles, 2);
	parse(b, "xacctfs", "lab", "/m", NULL);
	assert_parsed(b);
	assert_int_equal(b->conf.addressing, CONF_ADDRESSING_PATH);
	assert_string_equal(b->conf.sts_endpoint_url, "https://s3.example.com");
	setenv("XACCTFS_CONF_FILE", "/dev/null", 1);
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_parsed(b);
	free(own);
	free(config);
	free(credentials);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(help_fits_80_columns),   test(help_has_every_key),
	    test(render_says_where_from), test(render_keeps_to_its_lines),
	    test(render_has_no_secret),   test(render_of_a_chain),
	    test(samples_are_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
