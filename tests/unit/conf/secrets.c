/* Secrets: refused where they do not belong, never repeated; read where they do. */
#include "bench.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "xacctfs/util/secret.h"

static const char *const names[] = {
    "aws_access_key_id", "aws_secret_access_key", "aws_session_token", "secret_key",
    "password",          "AWS_SECRET_ACCESS_KEY", "access-key",
};

static void refused_in_the_file(void **state)
{
	struct bench *b = *state;
	char text[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(text, sizeof(text), "[x]\n%s = hush-hush\n", names[i]);
		put(b, "xacctfs.conf", text);
		parse(b, "xacctfs", "accountB", "/m", NULL);
		assert_why(b, "xacctfs.conf:2: ");
		assert_why(b, "a secret does not belong here but into ~/.aws/credentials");
		assert_null(strstr(b->why, "hush"));
	}
}

static void refused_on_the_command_line(void **state)
{
	struct bench *b = *state;
	char text[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(text, sizeof(text), "--%s=hush-hush", names[i]);
		parse(b, "xacctfs", text, "accountB", "/m", NULL);
		assert_why(b, "a secret is not taken from the command line");
		assert_null(strstr(b->why, "hush"));
		snprintf(text, sizeof(text), "ro,%s=hush-hush", names[i]);
		parse(b, "xacctfs", "-o", text, "accountB", "/m", NULL);
		assert_why(b, "a secret is not taken from the command line");
		assert_null(strstr(b->why, "hush"));
	}
}

static struct conf_key key;

static int read_key(struct bench *b, const char *profile)
{
	struct conf_identity identity = {.base = CONF_BASE_PROFILE};
	char name[64], config[64], credentials[64];

	snprintf(name, sizeof(name), "%s", profile);
	snprintf(config, sizeof(config), "%s/.aws/config", b->dir);
	snprintf(credentials, sizeof(credentials), "%s/.aws/credentials", b->dir);
	identity.profile = name;
	identity.config_file = config;
	identity.credentials_file = credentials;
	forget(b);
	key = (struct conf_key){0};
	b->r = 1; /* no conf to forget */
	return conf_read_key(&identity, &key, &b->why);
}

static void free_key(void)
{
	secret_free(key.access_key_id);
	secret_free(key.secret_access_key);
	secret_free(key.session_token);
}

static void key_of_either_file(void **state)
{
	struct bench *b = *state;

	assert_int_equal(read_key(b, "Anne"), 0);
	assert_string_equal(key.access_key_id, "AKIAANNE");
	assert_string_equal(key.secret_access_key, "hush-hush-Anne");
	assert_null(key.session_token);
	free_key();
	put(b, ".aws/config",
	    "[profile Anne]\naws_access_key_id = 1\naws_secret_access_key = 2\n"
	    "[profile Bob]\naws_access_key_id = 3\naws_secret_access_key = 4 # +/=\n"
	    "aws_session_token = 5\n");
	assert_int_equal(read_key(b, "Anne"), 0);
	assert_string_equal(key.access_key_id, "AKIAANNE");
	free_key();
	assert_int_equal(read_key(b, "Bob"), 0);
	assert_string_equal(key.access_key_id, "3");
	assert_string_equal(key.secret_access_key, "4 # +/=");
	assert_string_equal(key.session_token, "5");
	free_key();
}

static void long_token(void **state)
{
	struct bench *b = *state;
	char text[4200] = CREDENTIALS "aws_session_token = ";
	size_t len = strlen(text);

	memset(text + len, 't', 4000);
	put(b, ".aws/credentials", text);
	assert_int_equal(read_key(b, "Anne"), 0);
	assert_int_equal(strlen(key.session_token), 4000);
	free_key();
}

static void no_key(void **state)
{
	struct bench *b = *state;

	assert_int_equal(read_key(b, "nobody"), -ENOENT);
	assert_non_null(strstr(b->why, "there is no profile 'nobody' in /tmp/"));
	assert_int_equal(read_key(b, "accountB"), -ENOENT);
	assert_non_null(strstr(b->why, "the profile 'accountB' has no aws_access_key_id in /tmp/"));
	assert_int_equal(unlink(at(b, ".aws/credentials")), 0);
	assert_int_equal(read_key(b, "Anne"), -ENOENT);
	assert_non_null(strstr(b->why, "credentials (no such file)"));
}

static void half_a_key(void **state)
{
	struct bench *b = *state;

	put(b, ".aws/credentials", "[Anne]\naws_secret_access_key = hush\naws_access_key_id =\n");
	assert_int_equal(read_key(b, "Anne"), -EINVAL);
	assert_non_null(
	    strstr(b->why, "credentials:1: the profile 'Anne' has no aws_access_key_id"));
	assert_null(strstr(b->why, "hush"));
	put(b, ".aws/credentials", "[Anne]\naws_access_key_id = AKIA\n");
	assert_int_equal(read_key(b, "Anne"), -EINVAL);
	assert_non_null(strstr(b->why, "has no aws_secret_access_key"));
	put(b, ".aws/credentials", "[Anne]\naws_secret_access_key: hush\nhush\n");
	assert_int_equal(read_key(b, "Anne"), -EINVAL);
	assert_non_null(strstr(b->why, "credentials:3: expected"));
	assert_null(strstr(b->why, "hush"));
}

/* Root may read everything, so somebody else tries, in a process of his own. */
static void unreadable(void **state)
{
	struct bench *b = *state;
	int status;
	pid_t pid;

	assert_int_equal(chmod(at(b, ".aws/credentials"), 0), 0);
	assert_int_equal(chmod(b->dir, 0755), 0);
	assert_int_equal(chmod(at(b, ".aws"), 0755), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(1);
		if (read_key(b, "Anne") != -EACCES || !strstr(b->why, "(permission denied)"))
			_exit(2);
		parse(b, "xacctfs", "accountB", "/m", NULL);
		if (b->r != -EINVAL || !strstr(b->why, "credentials (permission denied)"))
			_exit(3);
		parse(b, "xacctfs", "--credential-source=Environment", "accountB", "/m", NULL);
		if (b->r != 0)
			_exit(4);
		parse(b, "xacctfs", "--config", at(b, ".aws/credentials"), "accountB", "/m", NULL);
		if (b->r != -EINVAL || !strstr(b->why, "--config: cannot read /tmp/"))
			_exit(5);
		forget(b);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	b->r = 1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(refused_in_the_file),
	    test(refused_on_the_command_line),
	    test(key_of_either_file),
	    test(long_token),
	    test(no_key),
	    test(half_a_key),
	    test(unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
