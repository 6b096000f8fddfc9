#include "xacctfs/conf/conf.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "complain.h"
#include "endpoint.h"
#include "identity.h"
#include "load.h"
#include "value.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)

void conf_deinit(struct conf *conf)
{
	for (size_t i = 0; i < CONF_MAX_ROLES; i++) {
		free(conf->roles[i].role_arn);
		free(conf->roles[i].external_id);
		free(conf->roles[i].session_name);
	}
	free(conf->identity.profile);
	free(conf->identity.config_file);
	free(conf->identity.credentials_file);
	free(conf->source);
	free(conf->bucket);
	free(conf->prefix);
	free(conf->mountpoint);
	free(conf->region);
	free(conf->create_region);
	free(conf->s3_endpoint_url);
	free(conf->sts_endpoint_url);
	free(conf->ca_bundle);
	free(conf->storage_class);
	free(conf->sse);
	free(conf->sse_kms_key_id);
	free(conf->expected_bucket_owner);
	free(conf->staging_dir);
	free(conf->fuse_options);
	if (conf->settings)
		conf_settings_deinit(conf->settings);
	free(conf->settings);
	*conf = (struct conf){0};
}

static int copy(const char *text, char **ret_copy)
{
	*ret_copy = strdup(text);
	return *ret_copy ? 0 : -ENOMEM;
}

static bool flag(const struct conf_load *load, enum conf_key_id id)
{
	return conf_value_flag(conf_settings_text(&load->settings, id));
}

static int64_t milliseconds(const struct conf_load *load, enum conf_key_id id)
{
	return conf_value_ms(conf_settings_text(&load->settings, id));
}

/* Which of the key's words is in force. */
static int word(const struct conf_load *load, enum conf_key_id id)
{
	const char *text = conf_settings_text(&load->settings, id);
	int i = 0;

	while (conf_keys[id].words[i] && strcasecmp(conf_keys[id].words[i], text) != 0)
		i++;
	return i;
}

static int take_regions(const struct conf_load *load, struct conf *conf, char **ret_why)
{
	const char *region = conf_settings_text(&load->settings, KEY_REGION);
	const char *create = conf_settings_text(&load->settings, KEY_CREATE_REGION);
	int r;

	if (!region)
		return conf_complain(
		    ret_why, "no region: give --region, AWS_REGION, or region = ... in %s%s%s",
		    load->profile ? "the profile '" : "xacctfs.conf",
		    load->profile ? load->profile : "", load->profile ? "'" : "");
	r = copy(region, &conf->region);
	return r < 0 ? r : copy(create ? create : region, &conf->create_region);
}

static int take_ca_bundle(const struct conf_load *load, struct conf *conf, char **ret_why)
{
	const struct conf_setting *setting =
	    conf_settings_get(&load->settings, KEY_CA_BUNDLE, NULL);
	int r;

	if (!setting)
		return 0;
	r = conf_load_path(setting->value, &conf->ca_bundle, ret_why);
	if (r == 0 && access(conf->ca_bundle, R_OK) < 0)
		r = conf_complain(ret_why, "%s: cannot read %s: %m", setting->where,
				  conf->ca_bundle);
	return r;
}

static int take_servers(const struct conf_load *load, struct conf *conf, char **ret_why)
{
	static const enum conf_addressing addressing[] = {
	    CONF_ADDRESSING_AUTO, CONF_ADDRESSING_PATH, CONF_ADDRESSING_VIRTUAL};
	const struct conf_settings *settings = &load->settings;
	int r = conf_endpoint_url(settings, KEY_S3_ENDPOINT_URL, &conf->s3_endpoint_url, ret_why);

	if (r == 0)
		r = conf_endpoint_url(settings, KEY_STS_ENDPOINT_URL, &conf->sts_endpoint_url,
				      ret_why);
	if (r < 0)
		return r;
	conf->sts_legacy_global = word(load, KEY_STS_REGIONAL_ENDPOINTS) == 1;
	conf->addressing = addressing[word(load, KEY_ADDRESSING_STYLE)];
	conf->allow_http = flag(load, KEY_ALLOW_HTTP);
	conf->max_attempts = (int)conf_value_int(conf_settings_text(settings, KEY_MAX_ATTEMPTS));
	conf->connect_timeout_ms = milliseconds(load, KEY_CONNECT_TIMEOUT);
	conf->stall_timeout_ms = milliseconds(load, KEY_STALL_TIMEOUT);
	conf->request_timeout_ms = milliseconds(load, KEY_REQUEST_TIMEOUT);
	return take_ca_bundle(load, conf, ret_why);
}

static int copy_if_set(const struct conf_load *load, enum conf_key_id id, char **ret_copy)
{
	const char *text = conf_settings_text(&load->settings, id);

	return text ? copy(text, ret_copy) : 0;
}

static int take_sse(const struct conf_load *load, struct conf *conf, char **ret_why)
{
	const struct conf_setting *sse = conf_settings_get(&load->settings, KEY_SSE, NULL);
	const struct conf_setting *key =
	    conf_settings_get(&load->settings, KEY_SSE_KMS_KEY_ID, NULL);
	int r = sse ? copy(conf_keys[KEY_SSE].words[word(load, KEY_SSE)], &conf->sse) : 0;

	if (r == 0 && key && (!conf->sse || strncmp(conf->sse, "aws:kms", 7) != 0))
		return conf_complain(ret_why, "%s: it goes with sse = aws:kms or aws:kms:dsse only",
				     key->where);
	return r == 0 ? copy_if_set(load, KEY_SSE_KMS_KEY_ID, &conf->sse_kms_key_id) : r;
}

static int take_objects(const struct conf_load *load, struct conf *conf, char **ret_why)
{
	int r = take_sse(load, conf, ret_why);

	if (r == 0)
		r = copy_if_set(load, KEY_STORAGE_CLASS, &conf->storage_class);
	if (r == 0)
		r = copy_if_set(load, KEY_EXPECTED_BUCKET_OWNER, &conf->expected_bucket_owner);
	conf->requester_pays = flag(load, KEY_REQUESTER_PAYS);
	return r;
}

/* uid, gid: check_in_force() has looked them up, but they may be gone by now. */
static int take_owner(const struct conf_load *load, struct conf *conf, char **ret_why)
{
	const struct conf_setting *uid = conf_settings_get(&load->settings, KEY_UID, NULL);
	const struct conf_setting *gid = conf_settings_get(&load->settings, KEY_GID, NULL);

	conf->uid = getuid();
	conf->gid = getgid();
	if (uid && conf_value_user(uid->value, &conf->uid) < 0)
		return conf_complain(ret_why, "%s: no such user", uid->where);
	if (gid && conf_value_group(gid->value, &conf->gid) < 0)
		return conf_complain(ret_why, "%s: no such group", gid->where);
	return 0;
}

static int take_access(const struct conf_load *load, struct conf *conf, char **ret_why)
{
	const struct conf_settings *settings = &load->settings;

	conf->allow_other = flag(load, KEY_ALLOW_OTHER);
	conf->allow_root = flag(load, KEY_ALLOW_ROOT);
	conf->read_only = flag(load, KEY_READ_ONLY);
	if (!conf->allow_other || !conf->allow_root)
		return 0;
	return conf_complain(ret_why, "%s: it contradicts %s; give one of them",
			     conf_settings_get(settings, KEY_ALLOW_ROOT, NULL)->where,
			     conf_settings_get(settings, KEY_ALLOW_OTHER, NULL)->where);
}

/*
 * Where nobody else can be first to make it: a root daemon does not use a directory that all may
 * write to. staging_init() refuses one that is another user's or open to others.
 */
static int default_staging_dir(char **ret_path)
{
	const char *tmp = getenv("TMPDIR");
	int r;

	if (tmp && *tmp == '/')
		r = asprintf(ret_path, "%s/xacctfs-%u", tmp, geteuid());
	else if (geteuid() == 0)
		r = asprintf(ret_path, "/var/cache/xacctfs");
	else
		r = asprintf(ret_path, "/var/tmp/xacctfs-%u", geteuid());
	if (r < 0)
		*ret_path = NULL;
	return r < 0 ? -ENOMEM : 0;
}

static int take_limits(const struct conf_load *load, struct conf *conf, char **ret_why)
{
	const struct conf_settings *settings = &load->settings;
	const char *dir = conf_settings_text(settings, KEY_STAGING_DIR);

	conf->memory_limit =
	    (uint64_t)conf_value_size(conf_settings_text(settings, KEY_MEMORY_LIMIT));
	conf->staging_limit =
	    (uint64_t)conf_value_size(conf_settings_text(settings, KEY_STAGING_LIMIT));
	conf->stop_timeout_ms = milliseconds(load, KEY_STOP_TIMEOUT);
	return dir ? conf_load_path(dir, &conf->staging_dir, ret_why)
		   : default_staging_dir(&conf->staging_dir);
}

static void take_modes(const struct conf_load *load, struct conf *conf)
{
	const char *dir = conf_settings_text(&load->settings, KEY_DIR_MODE);
	const char *file = conf_settings_text(&load->settings, KEY_FILE_MODE);

	conf->umask = conf_value_mode(conf_settings_text(&load->settings, KEY_UMASK));
	conf->dir_mode = dir ? conf_value_mode(dir) : 0777 & ~conf->umask;
	conf->file_mode = file ? conf_value_mode(file) : 0666 & ~conf->umask;
}

static int take_mount(struct conf_load *load, struct conf *conf, char **ret_why)
{
	int r = take_owner(load, conf, ret_why);

	if (r == 0)
		r = take_access(load, conf, ret_why);
	if (r == 0)
		r = take_limits(load, conf, ret_why);
	if (r < 0)
		return r;
	conf->metadata_ttl_ms = milliseconds(load, KEY_METADATA_TTL);
	take_modes(load, conf);
	conf->posix = word(load, KEY_ATTRS) == 1;
	if (load->args.fuse_options.len > 0) {
		conf->fuse_options = buf_steal(&load->args.fuse_options);
		if (!conf->fuse_options)
			return -ENOMEM;
	}
	return 0;
}

static void take_uploads(const struct conf_load *load, struct conf *conf)
{
	const char *age = conf_settings_text(&load->settings, KEY_OLDER_THAN);

	if (!conf_settings_text(&load->settings, KEY_INCOMPLETE_UPLOADS))
		return;
	conf->uploads =
	    word(load, KEY_INCOMPLETE_UPLOADS) == 0 ? CONF_UPLOADS_LIST : CONF_UPLOADS_ABORT;
	conf->all = flag(load, KEY_ALL);
	/* one that is under way in some mount is not to be broken by mistake */
	if (age)
		conf->older_than_ms = conf_value_age_ms(age);
	else if (conf->uploads == CONF_UPLOADS_ABORT)
		conf->older_than_ms = DAY_MS;
}

static void take_running(const struct conf_load *load, struct conf *conf)
{
	static const enum log_level log_levels[] = {LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO,
						    LOG_LEVEL_DEBUG};

	conf->debug = flag(load, KEY_DEBUG);
	conf->foreground = conf->debug || flag(load, KEY_FOREGROUND);
	conf->log_level = (int)log_levels[word(load, KEY_LOG_LEVEL)];
	if (conf->debug)
		conf->log_level = LOG_LEVEL_DEBUG;
	conf->check = flag(load, KEY_CHECK);
	conf->json = flag(load, KEY_JSON);
	conf->fake = load->args.fake;
	take_uploads(load, conf);
}

/* The part that exists is resolved; a directory that does not is the daemon's to complain of. */
static int take_mountpoint(const struct conf_load *load, struct conf *conf, char **ret_why)
{
	_cleanup_(freep) char *path = NULL, *parent = NULL;
	char *slash;
	int r;

	if (!load->mountpoint)
		return 0;
	if (!*load->mountpoint)
		return conf_complain(ret_why, "MOUNTPOINT is empty");
	conf->mountpoint = realpath(load->mountpoint, NULL);
	if (conf->mountpoint)
		return 0;
	/* not "~/": the shell has had its turn */
	if (*load->mountpoint == '~' && asprintf(&path, "./%s", load->mountpoint) < 0)
		return -ENOMEM;
	r = conf_load_path(path ? path : load->mountpoint, &parent, ret_why);
	if (r < 0)
		return r;
	for (size_t len = strlen(parent); len > 1 && parent[len - 1] == '/'; len--)
		parent[len - 1] = '\0';
	slash = strrchr(parent, '/');
	*slash = '\0';
	free(path);
	path = realpath(*parent ? parent : "/", NULL);
	r = asprintf(&conf->mountpoint, "%s/%s",
		     !path               ? parent
		     : strcmp(path, "/") ? path
					 : "",
		     slash + 1);
	if (r < 0)
		conf->mountpoint = NULL;
	return r < 0 ? -ENOMEM : 0;
}

static int take_source(struct conf_load *load, struct conf *conf)
{
	const char *name = load->source    ? load->given
			   : load->in_file ? load->name
			   : load->profile ? load->profile
					   : conf_settings_text(&load->settings, KEY_ROLE_ARN);
	/* ":BUCKET" goes on from the name of who it is */
	const char *rest = load->given && !load->source ? load->given : "";

	conf->bucket = steal(&load->of_source.bucket);
	conf->prefix = steal(&load->of_source.prefix);
	if (asprintf(&conf->source, "%s%s", name, rest) < 0) {
		conf->source = NULL;
		return -ENOMEM;
	}
	return conf->prefix ? 0 : copy("", &conf->prefix);
}

static int take_all(struct conf_load *load, struct conf *conf, char **ret_why)
{
	int r = take_servers(load, conf, ret_why);

	if (r == 0)
		r = conf_identity_resolve(load, conf, ret_why);
	if (r == 0)
		r = take_regions(load, conf, ret_why);
	if (r == 0)
		r = take_objects(load, conf, ret_why);
	if (r == 0)
		r = take_mount(load, conf, ret_why);
	if (r == 0)
		r = take_mountpoint(load, conf, ret_why);
	if (r == 0)
		r = take_source(load, conf);
	if (r < 0)
		return r;
	take_running(load, conf);
	conf->settings = malloc(sizeof(*conf->settings));
	if (!conf->settings)
		return -ENOMEM;
	*conf->settings = load->settings;
	load->settings = (struct conf_settings){0};
	return 0;
}

int conf_parse(int argc, char *const argv[], struct conf *ret_conf, char **ret_why)
{
	struct conf_load load = {0};
	struct conf conf = {0};
	int r = conf_load(argc, argv, &load, ret_why);

	if (r == 0)
		r = take_all(&load, &conf, ret_why);
	if (r == 0)
		*ret_conf = conf;
	else
		conf_deinit(&conf);
	conf_load_deinit(&load);
	return r;
}
