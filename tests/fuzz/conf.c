/*
 * The whole of a configuration. Sections, each begun by its line:
 *
 *	%argv          an argument a line; "-o" lists among them
 *	%env           NAME=VALUE a line, AWS's alone
 *	%conf          xacctfs.conf
 *	%config        ~/.aws/config
 *	%credentials   ~/.aws/credentials
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../src/conf/keys.h"
#include "../../src/conf/settings.h"
#include "fuzz.h"
#include "xacctfs/conf/conf.h"
#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/secret.h"

#define ARGS_MAX 30

enum section { ARGV, ENV, CONF, CONFIG, CREDENTIALS, SECTIONS };

static const char *const marks[SECTIONS] = {"%argv", "%env", "%conf", "%config", "%credentials"};
/* Where the files are told to be. */
static const char *const variables[SECTIONS] = {
    [CONF] = "XACCTFS_CONF_FILE",
    [CONFIG] = "AWS_CONFIG_FILE",
    [CREDENTIALS] = "AWS_SHARED_CREDENTIALS_FILE",
};

struct world {
	struct buf sections[SECTIONS];
	int fds[SECTIONS];
	char *argv[ARGS_MAX + 2];
	int argc;
};

/* ---- the input's sections ---- */

static void take_sections(struct world *w, struct fuzz_rest rest)
{
	enum section at = ARGV;

	while (rest.size > 0) {
		const uint8_t *newline = memchr(rest.data, '\n', rest.size);
		size_t len = newline ? (size_t)(newline - rest.data) : rest.size;
		bool mark = false;

		for (enum section i = ARGV; i < SECTIONS && !mark; i++)
			if (len == strlen(marks[i]) && !memcmp(rest.data, marks[i], len)) {
				at = i;
				mark = true;
			}
		len += newline ? 1 : 0;
		if (!mark)
			MUST(buf_add(&w->sections[at], rest.data, len) == 0);
		rest.data += len;
		rest.size -= len;
	}
}

static struct fuzz_rest section(const struct world *w, enum section i)
{
	return (struct fuzz_rest){(const uint8_t *)w->sections[i].data, w->sections[i].len};
}

static void take_argv(struct world *w)
{
	struct fuzz_rest rest = section(w, ARGV);

	w->argv[w->argc++] = fuzz_have(strdup("xacctfs"));
	while (rest.size > 0 && w->argc <= ARGS_MAX)
		w->argv[w->argc++] = fuzz_line(&rest);
}

static void take_environment(struct world *w)
{
	struct fuzz_rest rest = section(w, ENV);

	clearenv();
	setenv("HOME", "/nonexistent", 1);
	while (rest.size > 0) {
		_cleanup_(freep) char *line = fuzz_line(&rest);
		char *equals = strchr(line, '=');

		if (!equals || strncmp(line, "AWS_", 4) != 0)
			continue;
		*equals = '\0';
		setenv(line, equals + 1, 1);
	}
}

static void write_file(struct world *w, enum section i)
{
	char path[64];

	w->fds[i] = memfd_create("conf", MFD_CLOEXEC);
	MUST(w->fds[i] >= 0);
	MUST(w->sections[i].len == 0 || write(w->fds[i], w->sections[i].data, w->sections[i].len) ==
					    (ssize_t)w->sections[i].len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", w->fds[i]);
	setenv(variables[i], path, 1);
}

static void world_init(struct world *w, struct fuzz_rest rest)
{
	take_sections(w, rest);
	take_argv(w);
	take_environment(w);
	for (enum section i = CONF; i < SECTIONS; i++)
		write_file(w, i);
}

static void world_deinit(struct world *w)
{
	for (enum section i = ARGV; i < SECTIONS; i++) {
		buf_deinit(&w->sections[i]);
		if (i >= CONF)
			close(w->fds[i]);
	}
	while (w->argc > 0)
		free(w->argv[--w->argc]);
}

/* ---- what came of it ---- */

static void check_line(const char *why)
{
	MUST(why && *why);
	for (; *why; why++)
		MUST((unsigned char)*why >= 0x20 && *why != 0x7f);
}

static void check_identity(const struct conf *conf)
{
	MUST(conf->n_roles >= 1 && conf->n_roles <= CONF_MAX_ROLES);
	for (size_t i = 0; i < conf->n_roles; i++) {
		const struct conf_role *role = &conf->roles[i];

		MUST(!strncmp(role->role_arn, "arn:aws", 7));
		MUST(role->duration_s >= 1 && role->duration_s <= 43200);
		MUST(strlen(role->session_name) >= 2 && strlen(role->session_name) <= 64);
		MUST(!role->external_id || strlen(role->external_id) >= 2);
	}
	MUST(!conf->identity.profile == (conf->identity.base == CONF_BASE_ENVIRONMENT));
	MUST(conf->identity.config_file && conf->identity.credentials_file);
}

static void check_mount(const struct conf *conf)
{
	MUST(conf->source && *conf->source && conf->prefix);
	MUST(!*conf->prefix || conf->bucket);
	MUST(!conf->mountpoint || conf->mountpoint[0] == '/');
	MUST(conf->mountpoint || conf->check || conf->uploads != CONF_UPLOADS_NONE);
	MUST(conf->region[0] && conf->create_region[0] && conf->staging_dir[0] == '/');
	MUST(conf->max_attempts >= 1 && conf->max_attempts <= 100);
	MUST(conf->umask <= 0777 && conf->dir_mode <= 0777 && conf->file_mode <= 0777);
	MUST(conf->memory_limit >= 64 << 20 && conf->memory_limit <= INT64_MAX);
	MUST(conf->metadata_ttl_ms >= 0 && conf->connect_timeout_ms > 0 &&
	     conf->stall_timeout_ms > 0 && conf->request_timeout_ms > 0);
	MUST(!(conf->allow_other && conf->allow_root));
	MUST(!conf->sse_kms_key_id || conf->sse);
}

/* ---- what is rendered is read as the same ---- */

/* Lines of keys that xacctfs.conf may have; a value with what would begin a comment there, or
 * that was escaped, is left out. True when all are written. */
static bool write_rendered(const char *rendered, struct buf *file)
{
	struct fuzz_rest rest = {(const uint8_t *)rendered, strlen(rendered)};
	bool all = true;

	while (rest.size > 0) {
		_cleanup_(freep) char *line = fuzz_line(&rest);
		size_t len = strcspn(line, " ");
		const struct conf_keydef *key = conf_keys_find(line, len);

		check_line(line);
		MUST(!strncmp(line + len, " = ", 3));
		if (!key || key->flags & CONF_KEY_NOT_IN_FILE)
			continue;
		if (strpbrk(line + len + 3, "#;\\") != strrchr(line, '#')) {
			all = false;
			continue;
		}
		MUST(buf_printf(file, "%s\n", line) == 0);
	}
	return all;
}

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void compare(const struct conf *a, const struct conf *b)
{
	MUST(same(a->region, b->region) && same(a->create_region, b->create_region));
	MUST(same(a->s3_endpoint_url, b->s3_endpoint_url) &&
	     same(a->sts_endpoint_url, b->sts_endpoint_url));
	MUST(same(a->storage_class, b->storage_class) && same(a->sse, b->sse) &&
	     same(a->sse_kms_key_id, b->sse_kms_key_id));
	MUST(same(a->staging_dir, b->staging_dir) && same(a->ca_bundle, b->ca_bundle));
	MUST(a->addressing == b->addressing && a->sts_legacy_global == b->sts_legacy_global);
	MUST(a->metadata_ttl_ms == b->metadata_ttl_ms && a->memory_limit == b->memory_limit);
	MUST(a->staging_limit == b->staging_limit && a->stop_timeout_ms == b->stop_timeout_ms);
	MUST(a->connect_timeout_ms == b->connect_timeout_ms &&
	     a->stall_timeout_ms == b->stall_timeout_ms &&
	     a->request_timeout_ms == b->request_timeout_ms && a->max_attempts == b->max_attempts);
	MUST(a->uid == b->uid && a->gid == b->gid && a->umask == b->umask);
	MUST(a->dir_mode == b->dir_mode && a->file_mode == b->file_mode && a->posix == b->posix);
	MUST(a->allow_other == b->allow_other && a->allow_root == b->allow_root &&
	     a->read_only == b->read_only);
}

static void read_rendered(const struct buf *file, const struct conf *conf)
{
	struct world w = {0};
	struct conf again = {0};
	char *why = NULL, mountpoint[] = "/", name[] = "xacctfs";
	char *argv[] = {name, mountpoint, NULL};

	MUST(buf_add(&w.sections[CONF], file->data, file->len) == 0);
	take_environment(&w);
	setenv("AWS_ACCESS_KEY_ID", "AKIA", 1);
	for (enum section i = CONF; i < SECTIONS; i++)
		write_file(&w, i);
	/* who we are may be a profile, of which there is none here */
	setenv("AWS_CONFIG_FILE", "/nonexistent", 1);
	MUST(conf_parse(2, argv, &again, &why) == 0);
	compare(conf, &again);
	free(why);
	conf_deinit(&again);
	world_deinit(&w);
}

static void render(const struct conf *conf)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT, file = BUF_INIT;

	MUST(conf_render(conf, &text) == 0);
	/* a chain's roles are profiles, of which a file has one */
	if (write_rendered(buf_str(&text), &file) && conf->n_roles == 1)
		read_rendered(&file, conf);
}

static void read_key(const struct conf *conf)
{
	struct conf_key key = {0};
	_cleanup_(freep) char *why = NULL;
	int r;

	if (conf->identity.base == CONF_BASE_ENVIRONMENT)
		return;
	r = conf_read_key(&conf->identity, &key, &why);
	MUST(r == 0 || r == -ENOENT || r == -EACCES || r == -EINVAL);
	if (r == 0)
		MUST(key.access_key_id[0] && key.secret_access_key[0]);
	else
		check_line(why);
	secret_free(key.access_key_id);
	secret_free(key.secret_access_key);
	secret_free(key.session_token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {0};
	struct conf conf = {0};
	char *why = NULL;
	int r;

	world_init(&w, (struct fuzz_rest){data, size});
	r = conf_parse(w.argc, w.argv, &conf, &why);
	MUST(r == 0 || r == -EINVAL || r == CONF_HELP || r == CONF_VERSION);
	if (r == -EINVAL)
		check_line(why);
	if (r == 0) {
		MUST(!why);
		check_identity(&conf);
		check_mount(&conf);
		read_key(&conf);
		render(&conf);
	}
	free(why);
	conf_deinit(&conf);
	world_deinit(&w);
	return 0;
}
