/* conf/args: argv, the list after -o, and mount(8)'s way of calling. */
#include "bench.h"

#define X "xacctfs", "--region=x"

static void mountpoint_alone_or_after_source(void **state)
{
	struct bench *b = *state;

	parse(b, "xacctfs", "accountB", at(b, "mnt"), NULL);
	assert_parsed(b);
	assert_string_equal(b->conf.mountpoint, at(b, "mnt"));
	assert_string_equal(b->conf.source, "accountB");
	setenv("AWS_PROFILE", "accountB", 1);
	parse(b, "xacctfs", at(b, "mnt"), NULL);
	assert_parsed(b);
	assert_string_equal(b->conf.mountpoint, at(b, "mnt"));
	assert_string_equal(b->conf.source, "accountB");
}

static void wrong_number_of_arguments(void **state)
{
	struct bench *b = *state;

	parse(b, "xacctfs", NULL);
	assert_why(b, "the mountpoint is missing");
	parse(b, "xacctfs", "a", "/b", "c", NULL);
	assert_why(b, "too many arguments: 'c'");
	parse(b, "xacctfs", "--check", "a", "/b", NULL);
	assert_why(b, "too many arguments: --check takes SOURCE alone, but '/b' follows");
	parse(b, "xacctfs", "--json", "accountB", "/b", NULL);
	assert_why(b, "--json: it goes with --check and --incomplete-uploads only");
	parse(b, "xacctfs", "accountB", "", NULL);
	assert_why(b, "MOUNTPOINT is empty");
	parse(b, "xacctfs", "", "/m", NULL);
	assert_why(b, "SOURCE is empty");
}

static void mountpoint_becomes_absolute(void **state)
{
	struct bench *b = *state;

	assert_int_equal(chdir(b->dir), 0);
	parse(b, "xacctfs", "accountB", "./mnt/../mnt", NULL);
	assert_string_equal(b->conf.mountpoint, at(b, "mnt"));
	parse(b, "xacctfs", "accountB", "mnt/../none/", NULL);
	assert_string_equal(b->conf.mountpoint, at(b, "none"));
	parse(b, "xacctfs", "accountB", "/none", NULL);
	assert_string_equal(b->conf.mountpoint, "/none");
	parse(b, "xacctfs", "accountB", "/none/deeper", NULL);
	assert_string_equal(b->conf.mountpoint, "/none/deeper");
	parse(b, "xacctfs", "accountB", "--", "-mnt", NULL);
	assert_string_equal(b->conf.mountpoint, at(b, "-mnt"));
	parse(b, "xacctfs", "accountB", "~/x", NULL);
	assert_string_equal(b->conf.mountpoint, at(b, "./~/x"));
	assert_int_equal(chdir("/"), 0);
}

static void check_has_no_mountpoint(void **state)
{
	struct bench *b = *state;

	parse(b, "xacctfs", "--check", "--json", "accountB", NULL);
	assert_parsed(b);
	assert_null(b->conf.mountpoint);
	assert_true(b->conf.check && b->conf.json);
	parse(b, "xacctfs", "-o", "check,json", "accountB", NULL);
	assert_parsed(b);
	assert_true(b->conf.check && b->conf.json);
	/* in fstab by mistake */
	parse(b, "mount.xacctfs", "accountB", "/m", "-o", "rw,check", NULL);
	assert_why(b, "too many arguments: -o check takes SOURCE alone, but '/m' follows");
}

static void uploads_have_no_mountpoint(void **state)
{
	struct bench *b = *state;
	static const struct {
		const char *age;
		int64_t ms;
	} ages[] = {{"0s", 0},
		    {"90m", INT64_C(5400000)},
		    {"36h", INT64_C(129600000)},
		    {"7d", INT64_C(604800000)},
		    {"2w", INT64_C(1209600000)}};
	static const char *const bad[] = {"7",   "d",   "7D",   "7 d",
					  "7dd", "-7d", "1.5d", "1234567890s"};

	parse(b, "xacctfs", "--incomplete-uploads", "list", "accountB:reports/x", NULL);
	assert_parsed(b);
	assert_null(b->conf.mountpoint);
	assert_int_equal(b->conf.uploads, CONF_UPLOADS_LIST);
	assert_int_equal(b->conf.older_than_ms, 0);
	assert_false(b->conf.all || b->conf.json || b->conf.check);
	assert_string_equal(b->conf.bucket, "reports");
	parse(b, "xacctfs", "--incomplete-uploads=abort", "--all", "--json", "accountB", NULL);
	assert_parsed(b);
	assert_int_equal(b->conf.uploads, CONF_UPLOADS_ABORT);
	assert_int_equal(b->conf.older_than_ms, INT64_C(86400000));
	assert_true(b->conf.all && b->conf.json);
	for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
		parse(b, "xacctfs", "--incomplete-uploads=abort", "--older-than", ages[i].age,
		      "accountB", NULL);
		assert_parsed(b);
		assert_int_equal(b->conf.older_than_ms, ages[i].ms);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		parse(b, "xacctfs", "--incomplete-uploads=abort", "--older-than", bad[i],
		      "accountB", NULL);
		assert_why(b, "is not an age (a number with s, m, h, d or w behind it");
	}
	parse(b, "xacctfs", "-o", "incomplete_uploads=abort,older_than=2w,all", "accountB", NULL);
	assert_parsed(b);
	assert_true(b->conf.all && b->conf.older_than_ms == INT64_C(1209600000));
	parse(b, "xacctfs", "--incomplete-uploads=remove", "accountB", NULL);
	assert_why(b, "'remove' is not supported; it may be: list, abort");
	parse(b, "xacctfs", "--incomplete-uploads=list", "accountB", "/m", NULL);
	assert_why(b, "--incomplete-uploads takes SOURCE alone, but '/m' follows");
	parse(b, "xacctfs", "--incomplete-uploads=list", "--check", "accountB", NULL);
	assert_why(b, "--incomplete-uploads: it contradicts --check");
	parse(b, "xacctfs", "--all", "accountB", "/m", NULL);
	assert_why(b, "--all: it goes with --incomplete-uploads only");
	parse(b, "xacctfs", "--older-than=1d", "--check", "accountB", NULL);
	assert_why(b, "--older-than: it goes with --incomplete-uploads only");
	parse(b, "xacctfs", "-o", "older_than=1d,ro", "accountB", "/m", NULL);
	assert_why(b, "-o older_than: it goes with --incomplete-uploads only");
	put(b, "xacctfs.conf", "all = yes\n");
	parse(b, "xacctfs", "accountB", "/m", NULL);
	assert_why(b, "this can only be said on the command line");
}

static void values_in_both_forms(void **state)
{
	struct bench *b = *state;

	parse(b, "xacctfs", "--region", "a-1", "--external_id=x=y", "accountB", "/m", NULL);
	assert_parsed(b);
	assert_string_equal(b->conf.region, "a-1");
	assert_string_equal(b->conf.roles[0].external_id, "x=y");
	parse(b, "xacctfs", "accountB", "/m", "--region", NULL);
	assert_why(b, "--region: the value is missing");
	parse(b, "xacctfs", "accountB", "/m", "--region=", NULL);
	assert_why(b, "--region: the value is missing");
	parse(b, "xacctfs", "accountB", "/m", "-o", NULL);
	assert_why(b, "-o: the value is missing");
	parse(b, "xacctfs", "accountB", "/m", "-o", "region", NULL);
	assert_why(b, "-o region: the value is missing");
}

static void flags(void **state)
{
	struct bench *b = *state;

	parse(b, X, "accountB", "/m", NULL);
	assert_false(b->conf.foreground || b->conf.debug || b->conf.read_only || b->conf.fake);
	assert_int_equal(b->conf.log_level, LOG_LEVEL_INFO);
	parse(b, X, "-fr", "accountB", "/m", "--allow-other", NULL);
	assert_true(b->conf.foreground && b->conf.read_only && b->conf.allow_other);
	assert_false(b->conf.debug);
	parse(b, X, "-d", "--log-level=error", "accountB", "/m", NULL);
	assert_true(b->conf.foreground && b->conf.debug);
	assert_int_equal(b->conf.log_level, LOG_LEVEL_DEBUG);
	parse(b, X, "-r", "-w", "-nv", "accountB", "/m", "--allow-other=no", NULL);
	assert_parsed(b);
	assert_false(b->conf.read_only || b->conf.allow_other);
	parse(b, X, "--allow-other=maybe", "accountB", "/m", NULL);
	assert_why(b, "--allow-other: 'maybe' is not yes or no");
	parse(b, X, "--ro", "accountB", "/m", NULL);
	assert_true(b->conf.read_only);
}

static void help_and_version(void **state)
{
	struct bench *b = *state;

	assert_int_equal(parse(b, "xacctfs", "-h", NULL), CONF_HELP);
	assert_int_equal(parse(b, "xacctfs", "a", "--help", NULL), CONF_HELP);
	assert_int_equal(parse(b, "xacctfs", "-fV", NULL), CONF_VERSION);
	assert_int_equal(parse(b, "xacctfs", "--version", NULL), CONF_VERSION);
}

static void unknown_options(void **state)
{
	struct bench *b = *state;
	static const struct {
		const char *arg, *why;
	} cases[] = {
	    {"--bogus", "unknown option '--bogus'"},
	    {"--bogus=hidden", "unknown option '--bogus'"},
	    {"--regoin", "unknown option '--regoin'; did you mean '--region'?"},
	    {"--external-if=1", "did you mean '--external-id'?"},
	    {"-s", "unknown option '-s'"},
	    {"-fx", "unknown option '-x'"},
	    {"-ofoo", "unknown option '-o foo'"},
	    {"-ofoo=hidden", "unknown option '-o foo'"},
	    {"-ofsname", "unknown option '-o fsname'"},
	    {"-ofsname=a\fb", "-o fsname: the value goes on in another line, or has control "
			      "characters"},
	    {"-orole-arm=x", "did you mean '-o role_arn'?"},
	    {"-ohelp", "unknown option '-o help'"},
	    {"-oro=yes", "unknown option '-o ro'"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		parse(b, "xacctfs", cases[i].arg, "accountB", "/m", NULL);
		assert_why(b, cases[i].why);
		assert_null(strstr(b->why, "hidden"));
	}
	parse(b, "xacctfs", "--bogus", NULL);
	assert_null(strstr(b->why, "did you mean"));
}

static void list_of_options(void **state)
{
	struct bench *b = *state;

	parse(b, "xacctfs", "accountB", "/m", "-o", "region=a-1,,ro,external-id=a\\,b,debug",
	      "-oumask=077,allow_other", NULL);
	assert_parsed(b);
	assert_string_equal(b->conf.region, "a-1");
	assert_string_equal(b->conf.roles[0].external_id, "a,b");
	assert_true(b->conf.read_only && b->conf.debug && b->conf.allow_other);
	assert_int_equal(b->conf.umask, 077);
	assert_int_equal(b->conf.dir_mode, 0700);
	assert_null(b->conf.fuse_options);
	parse(b, "xacctfs", "accountB", "/m", "-o", "ro,rw,region=a,region=b", NULL);
	assert_false(b->conf.read_only);
	assert_string_equal(b->conf.region, "b");
	parse(b, "xacctfs", "accountB", "/m", "-o", "", "-o", ",", "-o", "ro,\\", NULL);
	assert_why(b, "unknown option '-o \\'");
}

static void words_of_fstab(void **state)
{
	struct bench *b = *state;

	parse(
	    b, "xacctfs", "accountB", "/m", "-o",
	    "rw,_netdev,nofail,auto,noauto,user,user=anne,nouser,users,owner,group,defaults,"
	    "comment=a,x-systemd.automount,x-gvfs-show,relatime,norelatime,strictatime,nostrictatime,"
	    "lazytime,nolazytime,diratime,nodiratime",
	    NULL);
	assert_parsed(b);
	assert_null(b->conf.fuse_options);
	parse(b, "xacctfs", "accountB", "/m", "-o", "users2", NULL);
	assert_why(b, "unknown option '-o users2'");
}

static void options_of_the_kernel(void **state)
{
	struct bench *b = *state;
	const char *all = "dev,nodev,suid,nosuid,exec,noexec,atime,noatime,sync,"
			  "async,dirsync,fsname=a\\,b,subtype=x,default_permissions,"
			  "auto_unmount,context=\"a\",fscontext=a,defcontext=a,rootcontext=a";

	parse(b, "xacctfs", "accountB", "/m", "-o", all, NULL);
	assert_parsed(b);
	assert_string_equal(b->conf.fuse_options, all);
	/* with it libfuse ends the mount as soon as it is there */
	parse(b, "xacctfs", "accountB", "/m", "-o", "max_read=4096", NULL);
	assert_why(b, "unknown option '-o max_read'");
	parse(b, "xacctfs", "accountB", "/m", "-o", "_netdev,nodev", "-o", "ro,nosuid", NULL);
	assert_string_equal(b->conf.fuse_options, "nodev,nosuid");
}

static void mount_helper(void **state)
{
	struct bench *b = *state;

	parse(b, "/sbin/mount.xacctfs", "accountB", "/m", "-sfnv", "-t", "fuse.xacctfs", "-o",
	      "rw,_netdev", NULL);
	assert_parsed(b);
	assert_true(b->conf.fake);
	assert_false(b->conf.foreground);
	parse(b, "mount.fuse.xacctfs", "accountB", "/m", "-n", "-o", "ro", NULL);
	assert_parsed(b);
	assert_false(b->conf.fake);
	assert_true(b->conf.read_only);
	parse(b, "/sbin/mount.xacctfs.old/xacctfs", "-f", "accountB", "/m", NULL);
	assert_true(b->conf.foreground);
	assert_false(b->conf.fake);
}

static void contradictions(void **state)
{
	struct bench *b = *state;

	parse(b, "xacctfs", "accountB", "/m", "-o", "allow_other", "--allow-root", NULL);
	assert_why(b, "--allow-root: it contradicts -o allow_other");
	parse(b, "xacctfs", "--profile=Anne", "accountB", "/m", NULL);
	assert_why(b, "--profile: 'Anne' is one profile and SOURCE 'accountB' another");
	parse(b, "xacctfs", "--profile=accountB", "accountB", "/m", NULL);
	assert_parsed(b);
	parse(b, "xacctfs", "--role-arn", OTHER_ROLE, ROLE, "/m", NULL);
	assert_why(b, "--role-arn: SOURCE names another role, " ROLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(mountpoint_alone_or_after_source),
	    test(wrong_number_of_arguments),
	    test(mountpoint_becomes_absolute),
	    test(check_has_no_mountpoint),
	    test(uploads_have_no_mountpoint),
	    test(values_in_both_forms),
	    test(flags),
	    test(help_and_version),
	    test(unknown_options),
	    test(list_of_options),
	    test(words_of_fstab),
	    test(options_of_the_kernel),
	    test(mount_helper),
	    test(contradictions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
