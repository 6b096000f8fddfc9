#include <inttypes.h>
#include <stdlib.h>

#include "endpoint.h"
#include "settings.h"
#include "xacctfs/conf/conf.h"
#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"

/* Keys of the roles and servers, which are rendered as what came of them. */
static bool rendered_apart(enum conf_key_id id)
{
	switch ((int)id) {
	case KEY_PROFILE:
	case KEY_ROLE_ARN:
	case KEY_SOURCE_PROFILE:
	case KEY_CREDENTIAL_SOURCE:
	case KEY_EXTERNAL_ID:
	case KEY_ROLE_SESSION_NAME:
	case KEY_DURATION_SECONDS:
	case KEY_ENDPOINT_URL:
	case KEY_S3_ENDPOINT_URL:
	case KEY_STS_ENDPOINT_URL:
	case KEY_AWS_CONFIG_FILE:
	case KEY_AWS_SHARED_CREDENTIALS_FILE:
		return true;
	default:
		return false;
	}
}

static int line(struct buf *b, const char *key, const char *value, const char *where)
{
	return buf_printf(b, "%s = %s  # %s\n", key, value, where);
}

/* A path may have any bytes. where: NULL leaves it out. */
static int path_line(struct buf *b, const char *key, const char *path, const char *where)
{
	int r = buf_printf(b, "%s = ", key);

	if (r == 0)
		r = buf_add_escaped(b, path);
	if (r < 0)
		return r;
	return where ? buf_printf(b, "  # %s\n", where) : buf_add_char(b, '\n');
}

static const char *where_of(const struct conf *conf, enum conf_key_id id)
{
	const struct conf_setting *setting =
	    conf->settings ? conf_settings_get(conf->settings, id, NULL) : NULL;

	return setting ? setting->where : "default";
}

static int render_identity(const struct conf *conf, struct buf *b)
{
	const struct conf_identity *identity = &conf->identity;
	int r;

	if (identity->base == CONF_BASE_ENVIRONMENT)
		r = line(b, "base", "environment", "AWS_ACCESS_KEY_ID");
	else
		r = buf_printf(b, "base = profile %s  # %s\n", identity->profile,
			       where_of(conf, KEY_SOURCE_PROFILE));
	if (r == 0)
		r = path_line(b, "aws_config_file", identity->config_file,
			      where_of(conf, KEY_AWS_CONFIG_FILE));
	if (r == 0)
		r = path_line(b, "aws_shared_credentials_file", identity->credentials_file,
			      where_of(conf, KEY_AWS_SHARED_CREDENTIALS_FILE));
	return r;
}

static int render_role(const struct conf *conf, size_t i, struct buf *b)
{
	const struct conf_role *role = &conf->roles[i];
	bool last = i + 1 == conf->n_roles;
	const char *chain = "source_profile";
	int r = line(b, "role_arn", role->role_arn, last ? where_of(conf, KEY_ROLE_ARN) : chain);

	if (r == 0 && role->external_id)
		r = line(b, "external_id", role->external_id,
			 last ? where_of(conf, KEY_EXTERNAL_ID) : chain);
	if (r == 0)
		r = line(b, "role_session_name", role->session_name,
			 last ? where_of(conf, KEY_ROLE_SESSION_NAME) : chain);
	if (r == 0)
		r = buf_printf(b, "duration_seconds = %d  # %s\n", role->duration_s,
			       last ? where_of(conf, KEY_DURATION_SECONDS) : chain);
	return r;
}

static int render_server(const struct conf *conf, enum conf_key_id id, const char *url,
			 struct buf *b)
{
	const struct conf_setting *setting =
	    conf->settings ? conf_endpoint_get(conf->settings, id, NULL) : NULL;

	return url ? line(b, conf_keys[id].name, url, setting ? setting->where : "default") : 0;
}

static int render_key(const struct conf *conf, enum conf_key_id id, struct buf *b)
{
	const char *text = conf->settings ? conf_settings_text(conf->settings, id) : NULL;

	if (rendered_apart(id) || conf_keys[id].flags & CONF_KEY_NO_MOUNT)
		return 0;
	if (id == KEY_CREATE_REGION)
		text = conf->create_region;
	if (id == KEY_STAGING_DIR)
		return path_line(b, "staging_dir", conf->staging_dir, where_of(conf, id));
	if (id == KEY_UID)
		return buf_printf(b, "uid = %u  # %s\n", conf->uid, where_of(conf, id));
	if (id == KEY_GID)
		return buf_printf(b, "gid = %u  # %s\n", conf->gid, where_of(conf, id));
	if (id == KEY_DIR_MODE)
		return buf_printf(b, "dir_mode = %04o  # %s\n", conf->dir_mode, where_of(conf, id));
	if (id == KEY_FILE_MODE)
		return buf_printf(b, "file_mode = %04o  # %s\n", conf->file_mode,
				  where_of(conf, id));
	return text ? line(b, conf_keys[id].name, text, where_of(conf, id)) : 0;
}

int conf_render(const struct conf *conf, struct buf *b)
{
	int r = buf_printf(b, "source = %s\n", conf->source);

	if (r == 0 && conf->bucket)
		r = line(b, "bucket", conf->bucket, "SOURCE");
	if (r == 0 && *conf->prefix)
		r = line(b, "prefix", conf->prefix, "SOURCE");
	if (r == 0 && conf->mountpoint)
		r = path_line(b, "mountpoint", conf->mountpoint, NULL);
	if (r == 0)
		r = render_identity(conf, b);
	for (size_t i = 0; r == 0 && i < conf->n_roles; i++)
		r = render_role(conf, i, b);
	if (r == 0)
		r = render_server(conf, KEY_S3_ENDPOINT_URL, conf->s3_endpoint_url, b);
	if (r == 0)
		r = render_server(conf, KEY_STS_ENDPOINT_URL, conf->sts_endpoint_url, b);
	for (enum conf_key_id id = 0; r == 0 && id < KEY_COUNT; id++)
		r = render_key(conf, id, b);
	if (r == 0 && conf->fuse_options)
		r = line(b, "fuse_options", conf->fuse_options, "-o");
	return r;
}
