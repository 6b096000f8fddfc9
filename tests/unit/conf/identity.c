/* Whose keys, which roles, in which order. */
#include "bench.h"

#define KEYS(name) "[" name "]\naws_access_key_id = AK" name "\naws_secret_access_key = S\n"

static void env_keys(void)
{
	setenv("AWS_ACCESS_KEY_ID", "AKIAENV", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "hush-env", 1);
}

static void assert_base(const struct bench *b, const char *profile)
{
	assert_parsed(b);
	if (!profile) {
		assert_int_equal(b->conf.identity.base, CONF_BASE_ENVIRONMENT);
		assert_null(b->conf.identity.profile);
		return;
	}
	assert_int_equal(b->conf.identity.base, CONF_BASE_PROFILE);
	assert_string_equal(b->conf.identity.profile, profile);
}

static void profile_with_a_source(void **state)
{
	struct bench *b = *state;

	env_keys();
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_base(b, "Anne");
	assert_int_equal(b->conf.n_roles, 1);
	assert_string_equal(b->conf.roles[0].role_arn, ROLE);
	assert_string_equal(b->conf.roles[0].external_id, "XX9812DDF2V");
	assert_int_equal(b->conf.roles[0].duration_s, 3600);
	assert_int_equal(strncmp(b->conf.roles[0].session_name, "xacctfs-", 8), 0);
	assert_true(strlen(b->conf.roles[0].session_name) <= 64);
}

static void arn_and_profile(void **state)
{
	struct bench *b = *state;

	parse(b, "xacctfs", "--profile=Anne", "--region=x", ROLE, "/m", NULL);
	assert_base(b, "Anne");
	assert_string_equal(b->conf.roles[0].role_arn, ROLE);
	assert_null(b->conf.roles[0].external_id);
	assert_string_equal(b->conf.source, ROLE);
	parse(b, "xacctfs", "--profile=Anne", "--region=x", "--role-arn", ROLE, "/m", NULL);
	assert_base(b, "Anne");
	setenv("AWS_PROFILE", "Anne", 1);
	parse(b, "xacctfs", "--region=x", ROLE, "/m", NULL);
	assert_base(b, "Anne");
}

static void role_attributes_of_a_profile_with_keys_are_not_the_roles(void **state)
{
	struct bench *b = *state;

	put(b, ".aws/config",
	    "[profile Anne]\nexternal_id = of-Anne\nsource_profile = nobody\nregion = x\n");
	parse(b, "xacctfs", "--profile=Anne", ROLE, "/m", NULL);
	assert_base(b, "Anne");
	assert_null(b->conf.roles[0].external_id);
}

static void empty_value_leaves_it_to_the_other_file(void **state)
{
	struct bench *b = *state;

	put(b, ".aws/credentials", CREDENTIALS "[accountB]\nexternal_id =\nregion = first\n");
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_base(b, "Anne");
	assert_string_equal(b->conf.roles[0].external_id, "XX9812DDF2V");
	assert_string_equal(b->conf.region, "first");
}

static void role_over_another_role(void **state)
{
	struct bench *b = *state;

	parse(b, "xacctfs", "--profile=accountB", OTHER_ROLE, "/m", NULL);
	assert_base(b, "Anne");
	assert_int_equal(b->conf.n_roles, 2);
	assert_string_equal(b->conf.roles[0].role_arn, ROLE);
	assert_string_equal(b->conf.roles[0].external_id, "XX9812DDF2V");
	assert_string_equal(b->conf.roles[1].role_arn, OTHER_ROLE);
	assert_null(b->conf.roles[1].external_id);
	assert_string_equal(b->conf.region, "eu-west-1");
}

static void same_role_given_twice_is_one(void **state)
{
	struct bench *b = *state;

	parse(b, "xacctfs", "--profile=accountB", ROLE, "/m", NULL);
	assert_base(b, "Anne");
	assert_int_equal(b->conf.n_roles, 1);
	assert_string_equal(b->conf.roles[0].external_id, "XX9812DDF2V");
}

static void section_alone(void **state)
{
	struct bench *b = *state;

	put(b, ".aws/config", "");
	put(b, "xacctfs.conf",
	    "[B]\nrole_arn = " ROLE
	    "\nsource_profile = Anne\nexternal_id = E2\nregion = y\nallow_other = yes\n");
	parse(b, "xacctfs", "B", "/m", NULL);
	assert_base(b, "Anne");
	assert_string_equal(b->conf.roles[0].external_id, "E2");
	assert_string_equal(b->conf.source, "B");
	assert_true(b->conf.allow_other);
	setenv("AWS_PROFILE", "B", 1);
	parse(b, "xacctfs", "/m", NULL);
	assert_base(b, "Anne");
	assert_string_equal(b->conf.source, "B");
	unsetenv("AWS_PROFILE");
	parse(b, "xacctfs", "--profile=B", "/m", NULL);
	assert_base(b, "Anne");
	setenv("AWS_PROFILE", "nobody", 1);
	parse(b, "xacctfs", "B", "/m", NULL);
	assert_base(b, "Anne");
}

static void section_named_by_the_environment_needs_no_profile(void **state)
{
	struct bench *b = *state;

	put(b, "xacctfs.conf", "[B]\nrole_arn = " ROLE "\nregion = y\n");
	setenv("AWS_PROFILE", "B", 1);
	env_keys();
	parse(b, "xacctfs", "/m", NULL);
	assert_base(b, NULL);
	assert_string_equal(b->conf.source, "B");
}

static void section_with_a_profile(void **state)
{
	struct bench *b = *state;

	put(b, "xacctfs.conf", "[B]\nrole_arn = " OTHER_ROLE "\nprofile = Anne\nregion = y\n");
	parse(b, "xacctfs", "B", "/m", NULL);
	assert_base(b, "Anne");
	assert_int_equal(b->conf.n_roles, 1);
	put(b, "xacctfs.conf", "[B]\nprofile = accountB\n");
	parse(b, "xacctfs", "B", "/m", NULL);
	assert_base(b, "Anne");
	assert_string_equal(b->conf.roles[0].role_arn, ROLE);
	put(b, "xacctfs.conf", "[B]\nprofile = nobody\n");
	parse(b, "xacctfs", "B", "/m", NULL);
	assert_why(b, "xacctfs.conf:2: profile: there is no profile 'nobody' in /tmp/");
}

static void section_and_profile_of_one_name(void **state)
{
	struct bench *b = *state;

	put(b, "xacctfs.conf", "[accountB]\nexternal_id = mine\nmetadata_ttl = 0\n");
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_base(b, "Anne");
	assert_string_equal(b->conf.roles[0].external_id, "mine");
	assert_string_equal(b->conf.roles[0].role_arn, ROLE);
	assert_int_equal(b->conf.metadata_ttl_ms, 0);
}

static void profile_named_at_the_top_of_the_file(void **state)
{
	struct bench *b = *state;

	put(b, "xacctfs.conf", "profile = accountB\n");
	parse(b, "xacctfs", "/m", NULL);
	assert_base(b, "Anne");
	assert_string_equal(b->conf.source, "accountB");
}

static void chain_of_roles(void **state)
{
	struct bench *b = *state;

	put(b, ".aws/config",
	    "[profile c]\nrole_arn = arn:aws:iam::333333333333:role/c\nsource_profile = b\n"
	    "region = x\nrole_session_name = three\n"
	    "[profile b]\nrole_arn = arn:aws:iam::222222222222:role/b\nsource_profile = a\n"
	    "external_id = for-b\n"
	    "[profile \"a\"]\nrole_arn = arn:aws:iam::111111111111:role/a\nsource_profile = Anne\n"
	    "duration_seconds = 7200\n");
	parse(b, "xacctfs", "c", "/m", NULL);
	assert_base(b, "Anne");
	assert_int_equal(b->conf.n_roles, 3);
	assert_string_equal(b->conf.roles[0].role_arn, "arn:aws:iam::111111111111:role/a");
	assert_int_equal(b->conf.roles[0].duration_s, 7200);
	assert_string_equal(b->conf.roles[1].external_id, "for-b");
	assert_string_equal(b->conf.roles[2].role_arn, "arn:aws:iam::333333333333:role/c");
	assert_string_equal(b->conf.roles[2].session_name, "three");
	assert_null(b->conf.roles[2].external_id);
	parse(b, "xacctfs", "--duration-seconds=3601", "c", "/m", NULL);
	assert_why(b, "--duration-seconds: 3601 is too long for a role that another role assumes");
}

static void chain_too_long(void **state)
{
	struct bench *b = *state;
	struct buf config = BUF_INIT;

	for (int i = 1; i <= CONF_MAX_ROLES + 1; i++)
		buf_printf(
		    &config,
		    "[profile p%d]\nregion = x\nrole_arn = arn:aws:iam::222222222222:role/r%d\n"
		    "source_profile = p%d\n",
		    i, i, i - 1);
	put(b, ".aws/config", buf_str(&config));
	buf_deinit(&config);
	put(b, ".aws/credentials", KEYS("p0"));
	parse(b, "xacctfs", "p5", "/m", NULL);
	assert_base(b, "p0");
	assert_int_equal(b->conf.n_roles, CONF_MAX_ROLES);
	parse(b, "xacctfs", "p6", "/m", NULL);
	assert_why(b, "the chain of source_profile is too long: more than 5 roles");
}

static void cycles(void **state)
{
	struct bench *b = *state;

	put(b, ".aws/config",
	    "[profile a]\nregion = x\nrole_arn = " ROLE "\nsource_profile = b\n"
	    "[profile b]\nrole_arn = " ROLE "\nsource_profile = c\n"
	    "[profile c]\nrole_arn = " ROLE "\nsource_profile = b\n"
	    "[profile d]\nrole_arn = " ROLE "\nsource_profile = d\n"
	    "[profile e]\nrole_arn = " ROLE "\nsource_profile = f\n"
	    "[profile f]\nrole_arn = " ROLE "\nsource_profile = e\n");
	parse(b, "xacctfs", "a", "/m", NULL);
	assert_why(b, "source_profile goes round in a circle: b -> c -> b");
	parse(b, "xacctfs", "d", "/m", NULL);
	assert_why(b, "circle: d -> d");
	parse(b, "xacctfs", "e", "/m", NULL);
	assert_why(b, "circle: e -> f -> e");
	parse(b, "xacctfs", "--profile=e", OTHER_ROLE, "/m", NULL);
	assert_why(b, "circle: e -> f -> e");
}

static void source_that_is_oneself(void **state)
{
	struct bench *b = *state;

	put(b, ".aws/config",
	    "[profile me]\nrole_arn = " ROLE "\nsource_profile = me\nregion = x\n");
	put(b, ".aws/credentials", KEYS("me"));
	parse(b, "xacctfs", "me", "/m", NULL);
	assert_base(b, "me");
	assert_int_equal(b->conf.n_roles, 1);
}

static void keys_of_a_source_win_over_its_role(void **state)
{
	struct bench *b = *state;

	put(b, ".aws/config",
	    CONFIG "[profile Anne]\nrole_arn = " OTHER_ROLE "\nsource_profile = accountB\n");
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_base(b, "Anne");
	assert_int_equal(b->conf.n_roles, 1);
}

static void credential_source(void **state)
{
	struct bench *b = *state;

	put(b, ".aws/config",
	    "[profile e]\nrole_arn = " ROLE "\ncredential_source = Environment\nregion = x\n"
	    "[profile m]\nrole_arn = " ROLE "\ncredential_source = Ec2InstanceMetadata\n"
	    "[profile two]\nrole_arn = " ROLE
	    "\ncredential_source = Environment\nsource_profile = e\nregion = x\n"
	    "[profile over]\nrole_arn = " ROLE "\nsource_profile = two\nregion = x\n"
	    "[profile on]\nrole_arn = " OTHER_ROLE "\nsource_profile = e\nregion = x\n");
	parse(b, "xacctfs", "e", "/m", NULL);
	assert_base(b, NULL);
	parse(b, "xacctfs", "on", "/m", NULL);
	assert_base(b, NULL);
	assert_int_equal(b->conf.n_roles, 2);
	parse(b, "xacctfs", "m", "/m", NULL);
	assert_why(b, "config:7: credential_source: 'Ec2InstanceMetadata' is not supported; it may "
		      "be: Environment");
	parse(b, "xacctfs", "two", "/m", NULL);
	assert_why(b, "config:10: credential_source: it contradicts ");
	assert_why(b, "config:11: source_profile; give one of them");
	parse(b, "xacctfs", "over", "/m", NULL);
	assert_why(b, "config:10: credential_source: it contradicts ");
	parse(b, "xacctfs", "--source-profile=Anne", "e", "/m", NULL);
	assert_base(b, "Anne");
	parse(b, "xacctfs", "--credential-source=environment", "on", "/m", NULL);
	assert_base(b, NULL);
	assert_int_equal(b->conf.n_roles, 1);
}

static void role_without_a_source(void **state)
{
	struct bench *b = *state;

	put(b, ".aws/config",
	    "[profile bare]\nrole_arn = " ROLE "\nregion = x\n"
	    "[profile own]\nrole_arn = " ROLE "\nregion = x\n");
	put(b, ".aws/credentials", CREDENTIALS KEYS("own"));
	parse(b, "xacctfs", "bare", "/m", NULL);
	assert_why(b, "nobody to assume the role " ROLE);
	parse(b, "xacctfs", "own", "/m", NULL);
	assert_base(b, "own");
	put(b, ".aws/credentials", CREDENTIALS KEYS("own") KEYS("default"));
	parse(b, "xacctfs", "bare", "/m", NULL);
	assert_base(b, "default");
	parse(b, "xacctfs", "--region=x", ROLE, "/m", NULL);
	assert_base(b, "default");
	env_keys();
	parse(b, "xacctfs", "bare", "/m", NULL);
	assert_base(b, NULL);
	parse(b, "xacctfs", "own", "/m", NULL);
	assert_base(b, "own");
	parse(b, "xacctfs", "--region=x", ROLE, "/m", NULL);
	assert_base(b, NULL);
	parse(b, "xacctfs", "--region=x", "--profile=Anne", ROLE, "/m", NULL);
	assert_base(b, "Anne");
	setenv("AWS_PROFILE", "Anne", 1);
	parse(b, "xacctfs", "--region=x", ROLE, "/m", NULL);
	assert_base(b, NULL);
}

static void missing_profiles(void **state)
{
	struct bench *b = *state;

	parse(b, "xacctfs", "nobody", "/m", NULL);
	assert_why(b, "has no section [nobody], and there is no profile 'nobody' in /tmp/");
	assert_why(b, "/.aws/config or /tmp/");
	parse(b, "xacctfs", "--profile=nobody", "/m", NULL);
	assert_why(b, "--profile: there is no profile 'nobody'");
	setenv("AWS_PROFILE", "nobody", 1);
	parse(b, "xacctfs", "/m", NULL);
	assert_why(b, "AWS_PROFILE: there is no profile 'nobody'");
	parse(b, "xacctfs", "--source-profile=nobody", "accountB", "/m", NULL);
	assert_why(b, "--source-profile: there is no profile 'nobody'");
	put(b, ".aws/credentials", "");
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_why(b, "config:3: source_profile: there is no profile 'Anne'");
	assert_int_equal(unlink(at(b, ".aws/credentials")), 0);
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_why(b, "credentials (no such file)");
	/* a section of the config file that is no profile */
	put(b, ".aws/config", "[accountB]\nregion = x\n");
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_why(b, "there is no profile 'accountB'");
}

static void no_role_or_region(void **state)
{
	struct bench *b = *state;

	parse(b, "xacctfs", "Anne", "/m", NULL);
	assert_why(b, "no role to assume: give --role-arn");
	assert_why(b, "role_arn = arn:aws:iam::222222222222:role/NAME, source_profile = Anne");
	parse(b, "xacctfs", "/m", NULL);
	assert_why(b, "no role to assume");
	parse(b, "xacctfs", "--profile=Anne", ROLE, "/m", NULL);
	assert_why(b,
		   "no region: give --region, AWS_REGION, or region = ... in the profile 'Anne'");
	parse(b, "xacctfs", "--profile=Anne", "--endpoint-url=https://h", ROLE, "/m", NULL);
	assert_why(b, "no region");
}

static void sources_we_do_not_support(void **state)
{
	struct bench *b = *state;
	static const char *const keys[] = {"credential_process", "web_identity_token_file",
					   "sso_session", "sso_start_url", "sso_account_id"};
	char config[400];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(config, sizeof(config), CONFIG "[profile Carl]\n%s = x\n", keys[i]);
		put(b, ".aws/config", config);
		parse(b, "xacctfs", "--source-profile=Carl", "accountB", "/m", NULL);
		assert_why(b, "this source of credentials is not supported; supported are");
		assert_why(b, keys[i]);
		assert_why(b, "config:7: ");
	}
	put(b, ".aws/config",
	    "[profile w]\nrole_arn = " ROLE "\nregion = x\nweb_identity_token_file = /t\n");
	parse(b, "xacctfs", "w", "/m", NULL);
	assert_why(b, "config:4: web_identity_token_file: this source");
	put(b, ".aws/config", CONFIG "[profile Carl]\noutput = json\n");
	parse(b, "xacctfs", "--source-profile=Carl", "accountB", "/m", NULL);
	assert_why(b, "the profile 'Carl' has neither aws_access_key_id nor role_arn");
	assert_int_equal(unlink(at(b, ".aws/credentials")), 0);
	parse(b, "xacctfs", "--source-profile=Carl", "accountB", "/m", NULL);
	assert_why(b, "/.aws/credentials (no such file)");
	put(b, ".aws/config", CONFIG "[profile Carl]\nrole_arn = " OTHER_ROLE "\n");
	parse(b, "xacctfs", "--source-profile=Carl", "accountB", "/m", NULL);
	assert_why(b, "the profile 'Carl' has a role_arn, but neither source_profile nor");
}

/* Where the AWS SDKs would go on, the program says that it does not. */
static void sources_of_the_environment_we_do_not_support(void **state)
{
	struct bench *b = *state;
	static const char *const names[] = {"AWS_WEB_IDENTITY_TOKEN_FILE",
					    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
					    "AWS_CONTAINER_CREDENTIALS_FULL_URI"};
	char text[100];

	put(b, ".aws/credentials", "");
	assert_int_equal(unlink(at(b, ".aws/config")), 0);
	parse(b, "xacctfs", "--region=x", ROLE, "/m", NULL);
	assert_why(b, "nobody to assume the role " ROLE);
	assert_why(b, "/.aws/config (no such file) or /tmp/");
	assert_why(b, "the roles of EC2 instances and of containers are not supported");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		setenv(names[i], "/token", 1);
		parse(b, "xacctfs", "--region=x", ROLE, "/m", NULL);
		snprintf(text, sizeof(text), "%s: this source of credentials is not supported",
			 names[i]);
		assert_why(b, text);
		assert_null(strstr(b->why, "/token"));
		unsetenv(names[i]);
	}
	/* with a key it is not needed */
	setenv(names[0], "/token", 1);
	env_keys();
	parse(b, "xacctfs", "--region=x", ROLE, "/m", NULL);
	assert_base(b, NULL);
}

static void keys_of_other_programs_are_let_be(void **state)
{
	struct bench *b = *state;

	put(b, ".aws/config",
	    CONFIG
	    "output = json\ncli_pager =\nmfa_serial = x\ns3 =\n  max_concurrent_requests = 3\n"
	    "[plugins]\nfoo = bar\n[sso-session s]\nsso_region = x\n");
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_base(b, "Anne");
}

static void default_profile(void **state)
{
	struct bench *b = *state;

	put(b, ".aws/config",
	    "[default]\nrole_arn = " ROLE "\nsource_profile = Anne\nregion = x\n");
	parse(b, "xacctfs", "/m", NULL);
	assert_base(b, "Anne");
	assert_string_equal(b->conf.source, "default");
	put(b, ".aws/config",
	    "[default]\nregion = x\n"
	    "[profile default]\nrole_arn = " ROLE "\nsource_profile = Anne\nregion = y\n");
	parse(b, "xacctfs", "/m", NULL);
	assert_string_equal(b->conf.region, "y");
}

static void short_sessions(void **state)
{
	struct bench *b = *state;

	parse(b, "xacctfs", "--duration-seconds=899", "accountB", "/m", NULL);
	assert_why(b, "--duration-seconds: 899 is below 900");
	parse(b, "xacctfs", "--duration-seconds=1", "--sts-endpoint-url=https://h", "accountB",
	      "/m", NULL);
	assert_parsed(b);
	assert_int_equal(b->conf.roles[0].duration_s, 1);
	parse(b, "xacctfs", "--duration-seconds=43200", "accountB", "/m", NULL);
	assert_parsed(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(profile_with_a_source),
	    test(arn_and_profile),
	    test(role_attributes_of_a_profile_with_keys_are_not_the_roles),
	    test(empty_value_leaves_it_to_the_other_file),
	    test(role_over_another_role),
	    test(same_role_given_twice_is_one),
	    test(section_alone),
	    test(section_named_by_the_environment_needs_no_profile),
	    test(section_with_a_profile),
	    test(section_and_profile_of_one_name),
	    test(profile_named_at_the_top_of_the_file),
	    test(chain_of_roles),
	    test(chain_too_long),
	    test(cycles),
	    test(source_that_is_oneself),
	    test(keys_of_a_source_win_over_its_role),
	    test(credential_source),
	    test(role_without_a_source),
	    test(missing_profiles),
	    test(no_role_or_region),
	    test(sources_we_do_not_support),
	    test(sources_of_the_environment_we_do_not_support),
	    test(keys_of_other_programs_are_let_be),
	    test(default_profile),
	    test(short_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
