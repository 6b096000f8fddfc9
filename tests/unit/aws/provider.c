/*
 * The providers of base credentials. The environment's are tested in a child, as only what was
 * there when a program was started is in its /proc/self/environ.
 */
#include "xacctfs/aws/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <cmocka.h>

#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"

#define ID      "AKIAIOSFODNN7EXAMPLE"
#define SECRET  "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define SECRET2 "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY"
#define TOKEN   "IQoJb3JpZ2luX2VjEXAMPLETOKEN"

static int fetch(struct credentials_provider *provider, struct credentials **ret_credentials,
		 char **ret_why)
{
	struct call call;
	int r;

	call_init(&call, NULL, clock_system(), CLOCK_NEVER);
	r = provider->fetch(provider, &call, ret_credentials, ret_why);
	call_deinit(&call);
	return r;
}

static void assert_fetches(struct credentials_provider *provider, const char *id,
			   const char *secret, const char *token)
{
	_cleanup_(credentials_unrefp) struct credentials *credentials = NULL;
	char *why = NULL;

	assert_int_equal(fetch(provider, &credentials, &why), 0);
	assert_null(why);
	assert_string_equal(credentials->access_key_id, id);
	assert_string_equal(credentials->secret_access_key, secret);
	assert_string_equal(credentials->session_token ? credentials->session_token : "", token);
	assert_true(credentials->expires_ms == CLOCK_NEVER);
}

/* That it fails so, and that its text has `says` and no secret in it. */
static void assert_refuses(struct credentials_provider *provider, int error, const char *says)
{
	struct credentials *credentials = NULL;
	_cleanup_(freep) char *why = NULL;

	assert_int_equal(fetch(provider, &credentials, &why), error);
	assert_null(credentials);
	assert_non_null(why);
	assert_null(strchr(why, '\n'));
	if (!strstr(why, says))
		fail_msg("\"%s\" does not say \"%s\"", why, says);
	assert_null(strstr(why, SECRET));
	assert_null(strstr(why, TOKEN));
}

/* ---- environment ---- */

static struct credentials_provider *environment(const char *id, const char *secret,
						const char *token)
{
	const char *const variables[][2] = {{"AWS_ACCESS_KEY_ID", id},
					    {"AWS_SECRET_ACCESS_KEY", secret},
					    {"AWS_SESSION_TOKEN", token}};
	const struct conf_identity identity = {.base = CONF_BASE_ENVIRONMENT};
	struct credentials_provider *provider;

	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		if (variables[i][1])
			setenv(variables[i][0], variables[i][1], 1);
		else
			unsetenv(variables[i][0]);
	assert_int_equal(credentials_provider_new(&identity, &provider), 0);
	assert_null(getenv("AWS_SECRET_ACCESS_KEY"));
	assert_null(getenv("AWS_SESSION_TOKEN"));
	return provider;
}

static void test_environment(void **state)
{
	struct credentials_provider *provider = environment(ID, SECRET, TOKEN);

	(void)state;
	assert_string_equal(provider->name, "environment");
	assert_fetches(provider, ID, SECRET, TOKEN);
	assert_fetches(provider, ID, SECRET, TOKEN);
	assert_false(provider->changed(provider));
	credentials_provider_free(provider);
}

static void test_environment_without_token(void **state)
{
	struct credentials_provider *provider = environment(ID, SECRET, NULL);

	(void)state;
	assert_fetches(provider, ID, SECRET, "");
	credentials_provider_free(provider);
	provider = environment(ID, SECRET, "");
	assert_fetches(provider, ID, SECRET, "");
	credentials_provider_free(provider);
}

static void test_environment_half_sets(void **state)
{
	static const struct {
		const char *id, *secret, *token;
		int error;
		const char *says;
	} cases[] = {
	    {NULL, NULL, NULL, -ENOENT, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"},
	    {NULL, NULL, TOKEN, -ENOENT, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"},
	    {ID, NULL, NULL, -EINVAL, "AWS_SECRET_ACCESS_KEY is not"},
	    {ID, "", TOKEN, -EINVAL, "AWS_SECRET_ACCESS_KEY is not"},
	    {NULL, SECRET, NULL, -EINVAL, "AWS_ACCESS_KEY_ID is not"},
	    {"", SECRET, TOKEN, -EINVAL, "AWS_ACCESS_KEY_ID is not"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct credentials_provider *provider =
		    environment(cases[i].id, cases[i].secret, cases[i].token);

		assert_refuses(provider, cases[i].error, cases[i].says);
		assert_refuses(provider, cases[i].error, cases[i].says);
		credentials_provider_free(provider);
	}
}

static void test_environment_bad_bytes(void **state)
{
	static const char *const keys[][4] = {
	    {ID "\n", SECRET, TOKEN, "AWS_ACCESS_KEY_ID has a character"},
	    {ID, SECRET " ", TOKEN, "AWS_SECRET_ACCESS_KEY has a character"},
	    {ID, SECRET, TOKEN "\r\n", "AWS_SESSION_TOKEN has a character"},
	    {ID, SECRET, "\xc3\xa4" TOKEN, "AWS_SESSION_TOKEN has a character"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct credentials_provider *provider =
		    environment(keys[i][0], keys[i][1], keys[i][2]);

		assert_refuses(provider, -EINVAL, keys[i][3]);
		credentials_provider_free(provider);
	}
}

static bool environ_has(const char *text)
{
	_cleanup_(buf_deinit) struct buf b = BUF_INIT;
	_cleanup_(closep) int fd = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
	char chunk[4096];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		if (buf_add(&b, chunk, (size_t)n) < 0)
			return true;
	return n < 0 || memmem(buf_str(&b), b.len, text, strlen(text));
}

/* Run as a program of its own: exit status 0 when the secrets were there, and are gone. */
static int wipe_environment(void)
{
	const struct conf_identity identity = {.base = CONF_BASE_ENVIRONMENT};
	struct credentials_provider *provider;

	if (!environ_has(SECRET) || !environ_has(TOKEN))
		return 2;
	if (credentials_provider_new(&identity, &provider) < 0)
		return 3;
	credentials_provider_free(provider);
	return environ_has(SECRET) || environ_has(TOKEN) || !environ_has("OTHER=stays") ? 4 : 0;
}

static void test_environment_is_wiped(void **state)
{
	char program[PATH_MAX] = ""; /* by its name: under valgrind the link itself is valgrind */
	pid_t pid;
	int status;

	(void)state;
	assert_true(readlink("/proc/self/exe", program, sizeof(program) - 1) > 0);
	pid = fork();
	if (pid == 0) {
		execle(program, "provider", "--wipe-environment", NULL,
		       (const char *const[]){"AWS_ACCESS_KEY_ID=" ID, "OTHER=stays",
					     "AWS_SECRET_ACCESS_KEY=" SECRET,
					     "AWS_SESSION_TOKEN=" TOKEN, NULL});
		_exit(127);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- profile ---- */

struct files {
	char dir[32];
	char *config, *credentials, *other;
	struct credentials_provider *provider;
};

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void write_key(const char *path, const char *secret)
{
	_cleanup_(freep) char *text = NULL;

	assert_true(asprintf(&text,
			     "[Anne]\naws_access_key_id = " ID "\naws_secret_access_key = %s\n",
			     secret) > 0);
	write_file(path, text);
}

/* A kernel's file times have ticks of up to 10 ms. */
static void let_file_time_pass(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 30 * 1000 * 1000}, NULL);
}

static int set_up(void **state)
{
	struct files *files = calloc(1, sizeof(*files));
	struct conf_identity identity = {.base = CONF_BASE_PROFILE};

	snprintf(files->dir, sizeof(files->dir), "/tmp/xacctfs-test-XXXXXX");
	assert_non_null(mkdtemp(files->dir));
	assert_true(asprintf(&files->config, "%s/config", files->dir) > 0);
	assert_true(asprintf(&files->credentials, "%s/credentials", files->dir) > 0);
	assert_true(asprintf(&files->other, "%s/other", files->dir) > 0);
	write_key(files->credentials, SECRET);
	identity.profile = strdup("Anne");
	identity.config_file = strdup(files->config);
	identity.credentials_file = strdup(files->credentials);
	assert_int_equal(credentials_provider_new(&identity, &files->provider), 0);
	/* the provider has copies */
	free(identity.profile);
	free(identity.config_file);
	free(identity.credentials_file);
	let_file_time_pass();
	*state = files;
	return 0;
}

static int tear_down(void **state)
{
	struct files *files = *state;

	credentials_provider_free(files->provider);
	unlink(files->config);
	unlink(files->credentials);
	unlink(files->other);
	rmdir(files->dir);
	free(files->config);
	free(files->credentials);
	free(files->other);
	free(files);
	return 0;
}

static bool changed(struct files *files)
{
	return files->provider->changed(files->provider);
}

static void test_profile(void **state)
{
	struct files *files = *state;

	assert_string_equal(files->provider->name, "profile");
	assert_false(changed(files));
	assert_fetches(files->provider, ID, SECRET, "");
	assert_false(changed(files));
}

static void test_profile_with_token(void **state)
{
	struct files *files = *state;

	write_file(files->credentials,
		   "[Anne]\naws_access_key_id=" ID "\naws_secret_access_key=" SECRET
		   "\naws_session_token=" TOKEN "\n");
	assert_fetches(files->provider, ID, SECRET, TOKEN);
}

/* The new key is as long as the old one, as keys are: the size tells nothing. */
static void test_profile_rotated_in_place(void **state)
{
	struct files *files = *state;

	assert_fetches(files->provider, ID, SECRET, "");
	write_key(files->credentials, SECRET2);
	assert_true(changed(files));
	assert_true(changed(files));
	assert_fetches(files->provider, ID, SECRET2, "");
	assert_false(changed(files));
}

static void test_profile_changed_before_first_fetch(void **state)
{
	struct files *files = *state;

	write_key(files->credentials, SECRET2);
	assert_true(changed(files));
}

/* With the old file's modification time, as rsync and install keep it. */
static void test_profile_renamed_over(void **state)
{
	struct files *files = *state;
	struct stat st;

	assert_fetches(files->provider, ID, SECRET, "");
	assert_int_equal(stat(files->credentials, &st), 0);
	write_key(files->other, SECRET2);
	assert_int_equal(
	    utimensat(AT_FDCWD, files->other, (const struct timespec[]){st.st_atim, st.st_mtim}, 0),
	    0);
	assert_false(changed(files));
	assert_int_equal(rename(files->other, files->credentials), 0);
	assert_true(changed(files));
	assert_fetches(files->provider, ID, SECRET2, "");
	assert_false(changed(files));
}

/* The directory swap by which Kubernetes brings a new version of a mounted secret. */
static void test_profile_symlink_swapped(void **state)
{
	struct files *files = *state;

	assert_int_equal(rename(files->credentials, files->other), 0);
	assert_int_equal(symlink("other", files->credentials), 0);
	assert_fetches(files->provider, ID, SECRET, "");
	assert_false(changed(files));
	write_key(files->config, SECRET2);
	assert_fetches(files->provider, ID, SECRET, "");
	assert_int_equal(unlink(files->credentials), 0);
	assert_int_equal(symlink("config", files->credentials), 0);
	assert_true(changed(files));
	assert_fetches(files->provider, ID, SECRET2, "");
}

static void test_profile_file_removed(void **state)
{
	struct files *files = *state;

	assert_fetches(files->provider, ID, SECRET, "");
	assert_int_equal(unlink(files->credentials), 0);
	assert_true(changed(files));
	assert_refuses(files->provider, -ENOENT, "Anne");
	assert_false(changed(files));
	write_key(files->credentials, SECRET2);
	assert_true(changed(files));
	assert_fetches(files->provider, ID, SECRET2, "");
}

static void test_profile_in_config_file(void **state)
{
	struct files *files = *state;

	assert_int_equal(unlink(files->credentials), 0);
	assert_refuses(files->provider, -ENOENT, "Anne");
	write_file(files->config,
		   "[profile Anne]\naws_access_key_id=" ID "\naws_secret_access_key=" SECRET "\n");
	assert_true(changed(files));
	assert_fetches(files->provider, ID, SECRET, "");
	assert_false(changed(files));
}

static void test_profile_without_key(void **state)
{
	struct files *files = *state;

	write_file(files->credentials, "[Anne]\nregion = eu-west-1\n[Bob]\naws_access_key_id=" ID
				       "\naws_secret_access_key=" SECRET "\n");
	assert_refuses(files->provider, -ENOENT, "Anne");
}

static void test_profile_with_half_a_key(void **state)
{
	struct files *files = *state;

	write_file(files->credentials, "[Anne]\naws_secret_access_key=" SECRET "\n");
	assert_refuses(files->provider, -EINVAL, "aws_access_key_id");
	write_file(files->credentials,
		   "[Anne]\naws_access_key_id=" ID "\naws_session_token=" TOKEN "\n");
	assert_refuses(files->provider, -EINVAL, "aws_secret_access_key");
}

/* A line that is none, as an editor or an interrupted write leaves it. */
static void test_profile_broken_file(void **state)
{
	struct files *files = *state;

	write_file(files->credentials, "[Anne]\naws_access_key_id=" ID "\n" SECRET "\n" TOKEN "\n");
	assert_refuses(files->provider, -EINVAL, files->credentials);
	assert_false(changed(files));
	let_file_time_pass();
	write_key(files->credentials, SECRET);
	assert_true(changed(files));
	assert_fetches(files->provider, ID, SECRET, "");
}

/* Opening the pipe for writing waits for the reader: the config file changes amid the fetch. */
static void *rotate_amid_fetch(void *data)
{
	struct files *files = data;
	_cleanup_(closep) int fd = open(files->credentials, O_WRONLY | O_CLOEXEC);

	write_file(files->config, "[profile Anne]\nregion = eu-west-1\n");
	dprintf(fd, "[Anne]\naws_access_key_id=" ID "\naws_secret_access_key=" SECRET "\n");
	return NULL;
}

static void test_profile_changed_amid_fetch(void **state)
{
	struct files *files = *state;
	pthread_t thread;

	assert_int_equal(unlink(files->credentials), 0);
	assert_int_equal(mkfifo(files->credentials, 0600), 0);
	assert_int_equal(pthread_create(&thread, NULL, rotate_amid_fetch, files), 0);
	assert_fetches(files->provider, ID, SECRET, "");
	pthread_join(thread, NULL);
	assert_true(changed(files));
}

static void test_free_of_null(void **state)
{
	(void)state;
	credentials_provider_free(NULL);
}

#define profile_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_environment),
	    cmocka_unit_test(test_environment_without_token),
	    cmocka_unit_test(test_environment_half_sets),
	    cmocka_unit_test(test_environment_bad_bytes),
	    cmocka_unit_test(test_environment_is_wiped),
	    profile_test(test_profile),
	    profile_test(test_profile_with_token),
	    profile_test(test_profile_rotated_in_place),
	    profile_test(test_profile_changed_before_first_fetch),
	    profile_test(test_profile_renamed_over),
	    profile_test(test_profile_symlink_swapped),
	    profile_test(test_profile_file_removed),
	    profile_test(test_profile_in_config_file),
	    profile_test(test_profile_without_key),
	    profile_test(test_profile_with_half_a_key),
	    profile_test(test_profile_broken_file),
	    profile_test(test_profile_changed_amid_fetch),
	    cmocka_unit_test(test_free_of_null),
	};

	if (argc == 2 && !strcmp(argv[1], "--wipe-environment"))
		return wipe_environment();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
