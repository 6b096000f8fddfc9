#include "identity.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "complain.h"
#include "value.h"
#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"

#define CHAINED_MAX_S 3600 /* AWS: a role assumed by a role lives one hour at most */
#define AWS_MIN_S     900

/* The way from the last role back. */
struct walk {
	const struct conf_load *load;
	struct conf *conf;
	const char *visited[CONF_MAX_ROLES + 1]; /* profiles; owned by load */
	size_t n_visited;
	char *duration_where[CONF_MAX_ROLES]; /* as conf->roles; NULL for the default */
	char **why;
};

static bool environment_has_key(void)
{
	const char *id = getenv("AWS_ACCESS_KEY_ID");

	return id && *id;
}

/* xacctfs-HOST-PID, valid for STS whatever the host is called. */
static char *default_session_name(void)
{
	char host[HOST_NAME_MAX + 1] = "", *name;

	gethostname(host, sizeof(host) - 1);
	for (char *c = host; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_+=,.@-", *c))
			*c = '-';
	/* 64 bytes less "xacctfs-", "-" and a pid of up to 10 digits */
	if (asprintf(&name, "xacctfs-%.45s-%d", *host ? host : "host", (int)getpid()) < 0)
		return NULL;
	return name;
}

/* Any of the strings but arn may be NULL. All are checked already. */
static int push_role(struct walk *walk, const char *arn, const char *external_id,
		     const char *session_name, const char *duration, const char *duration_where)
{
	struct conf *conf = walk->conf;
	struct conf_role *role = &conf->roles[conf->n_roles];

	if (conf->n_roles == CONF_MAX_ROLES)
		return conf_complain(walk->why,
				     "the chain of source_profile is too long: more "
				     "than %d roles",
				     CONF_MAX_ROLES);
	role->role_arn = strdup(arn);
	role->external_id = external_id ? strdup(external_id) : NULL;
	role->session_name = session_name ? strdup(session_name) : default_session_name();
	role->duration_s =
	    (int)conf_value_int(duration ? duration : conf_keys[KEY_DURATION_SECONDS].def);
	if (duration)
		walk->duration_where[conf->n_roles] = strdup(duration_where);
	conf->n_roles++;
	if (!role->role_arn || (external_id && !role->external_id) || !role->session_name ||
	    (duration && !walk->duration_where[conf->n_roles - 1]))
		return -ENOMEM;
	return 0;
}

static int base_environment(struct walk *walk)
{
	walk->conf->identity.base = CONF_BASE_ENVIRONMENT;
	return 0;
}

static int base_profile(struct walk *walk, const char *profile)
{
	walk->conf->identity.base = CONF_BASE_PROFILE;
	walk->conf->identity.profile = strdup(profile);
	return walk->conf->identity.profile ? 0 : -ENOMEM;
}

/* where: who asks for it. */
static int complain_unsupported(struct walk *walk, const char *where)
{
	return conf_complain(walk->why,
			     "%s: this source of credentials is not supported; supported are "
			     "aws_access_key_id and aws_secret_access_key in a profile, and the "
			     "environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)",
			     where);
}

/* A profile that gets its keys in a way that we cannot go. Returns 0 when it has none of those. */
static int check_supported(struct walk *walk, const char *profile)
{
	static const char *const keys[] = {
	    "credential_process", "web_identity_token_file", "sso_session",
	    "sso_start_url",      "sso_account_id",          "login_session",
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const struct conf_ini_entry *entry =
		    conf_profile_find(&walk->load->aws, profile, keys[i]);
		_cleanup_(freep) char *where = NULL;

		if (!entry)
			continue;
		where = conf_load_where(entry);
		return where ? complain_unsupported(walk, where) : -ENOMEM;
	}
	return 0;
}

/* Where the AWS SDKs would go on. Returns 0 when the environment has none of those. */
static int check_environment(struct walk *walk)
{
	static const char *const names[] = {"AWS_WEB_IDENTITY_TOKEN_FILE",
					    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
					    "AWS_CONTAINER_CREDENTIALS_FULL_URI"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return complain_unsupported(walk, names[i]);
	}
	return 0;
}

static int no_key(struct walk *walk, const char *profile)
{
	const struct conf_profile_files *aws = &walk->load->aws;
	int r = check_supported(walk, profile);

	if (r < 0)
		return r;
	return conf_complain(
	    walk->why,
	    "the profile '%s' has neither aws_access_key_id nor role_arn in %s%s or %s%s", profile,
	    aws->config.path, conf_profile_state(aws->config_r), aws->credentials.path,
	    conf_profile_state(aws->credentials_r));
}

static int complain_cycle(struct walk *walk, const char *name)
{
	_cleanup_(buf_deinit) struct buf way = BUF_INIT;
	size_t i = 0;

	while (i < walk->n_visited && strcmp(walk->visited[i], name) != 0)
		i++;
	for (; i < walk->n_visited; i++)
		if (buf_printf(&way, "%s -> ", walk->visited[i]) < 0)
			return -ENOMEM;
	return conf_complain(walk->why, "source_profile goes round in a circle: %s%s",
			     buf_str(&way), name);
}

static bool visited(const struct walk *walk, const char *name)
{
	for (size_t i = 0; i < walk->n_visited; i++)
		if (!strcmp(walk->visited[i], name))
			return true;
	return false;
}

/* A profile's value, checked. *ret_value NULL when it has none. */
static int profile_value(struct walk *walk, const char *profile, enum conf_key_id id,
			 const char **ret_value, char **ret_where)
{
	const struct conf_ini_entry *entry =
	    conf_profile_find(&walk->load->aws, profile, conf_keys[id].aws);
	_cleanup_(freep) char *where = NULL;
	int r;

	*ret_value = NULL;
	if (!entry)
		return 0;
	where = conf_load_where(entry);
	if (!where)
		return -ENOMEM;
	r = conf_value_check(&conf_keys[id], entry->value, where, walk->why);
	if (r < 0)
		return r;
	*ret_value = entry->value;
	if (ret_where)
		*ret_where = steal(&where);
	return 0;
}

/* Pushes the role that a profile is. Returns 0, or an error when it is none. */
static int push_profile(struct walk *walk, const char *profile)
{
	_cleanup_(freep) char *duration_where = NULL;
	const char *arn, *external_id, *session_name, *duration;
	int r = profile_value(walk, profile, KEY_ROLE_ARN, &arn, NULL);

	if (r == 0 && !arn)
		return no_key(walk, profile);
	if (r == 0)
		r = profile_value(walk, profile, KEY_EXTERNAL_ID, &external_id, NULL);
	if (r == 0)
		r = profile_value(walk, profile, KEY_ROLE_SESSION_NAME, &session_name, NULL);
	if (r == 0)
		r = profile_value(walk, profile, KEY_DURATION_SECONDS, &duration, &duration_where);
	if (r < 0)
		return r;
	return push_role(walk, arn, external_id, session_name, duration, duration_where);
}

static int complain_two_sources(struct walk *walk, const char *first, const char *second)
{
	return conf_complain(walk->why, "%s: it contradicts %s; give one of them", first, second);
}

/* Where a role's profile comes from: *ret_next, or NULL when that is the environment. */
static int next_profile(struct walk *walk, const char *profile, const char **ret_next,
			char **ret_where)
{
	_cleanup_(freep) char *source_where = NULL, *where = NULL;
	const char *source, *environment;
	int r = profile_value(walk, profile, KEY_SOURCE_PROFILE, &source, &where);

	if (r == 0)
		r = profile_value(walk, profile, KEY_CREDENTIAL_SOURCE, &environment,
				  &source_where);
	if (r < 0)
		return r;
	if (source && environment)
		return complain_two_sources(walk, source_where, where);
	if (!source && !environment) {
		r = check_supported(walk, profile);
		return r < 0 ? r
			     : conf_complain(walk->why,
					     "the profile '%s' has a role_arn, but neither "
					     "source_profile nor credential_source nor keys",
					     profile);
	}
	*ret_next = source;
	*ret_where = steal(&where);
	return 0;
}

/* From a profile to its keys, over as many roles as there are. where: who named it, or NULL. */
static int walk_back(struct walk *walk, const char *name, const char *named_by)
{
	_cleanup_(freep) char *where = named_by ? strdup(named_by) : NULL;

	while (name) {
		const struct conf_profile_files *aws = &walk->load->aws;
		_cleanup_(freep) char *before = NULL, *next_where = NULL;
		int r;

		if (asprintf(&before, "%s%s", where ? where : "", where ? ": " : "") < 0)
			return -ENOMEM;
		if (!conf_profile_exists(aws, name))
			return conf_profile_missing(aws, before, name, walk->why);
		/* botocore: keys win over a role in a source profile, so one may name itself */
		if (conf_profile_has_key(aws, name) &&
		    (!visited(walk, name) || !strcmp(walk->visited[walk->n_visited - 1], name)))
			return base_profile(walk, name);
		if (visited(walk, name))
			return complain_cycle(walk, name);
		r = push_profile(walk, name);
		if (r < 0)
			return r;
		walk->visited[walk->n_visited++] = name;
		r = next_profile(walk, name, &name, &next_where);
		if (r < 0)
			return r;
		free(where);
		where = steal(&next_where);
	}
	return base_environment(walk);
}

static int no_base(struct walk *walk)
{
	const struct conf_load *load = walk->load;
	const struct conf_profile_files *aws = &load->aws;
	int r = load->profile ? check_supported(walk, load->profile) : 0;

	if (r == 0)
		r = check_environment(walk);
	if (r < 0)
		return r;
	return conf_complain(
	    walk->why,
	    "nobody to assume the role %s: there is no source_profile, no AWS_ACCESS_KEY_ID in the "
	    "environment, and no profile with aws_access_key_id in %s%s or %s%s; the roles of EC2 "
	    "instances and of containers are not supported",
	    conf_settings_text(&load->settings, KEY_ROLE_ARN), aws->config.path,
	    conf_profile_state(aws->config_r), aws->credentials.path,
	    conf_profile_state(aws->credentials_r));
}

/* The role says nothing of where it comes from. */
static int guess_base(struct walk *walk, bool profile_is_role)
{
	const struct conf_load *load = walk->load;
	const char *profile = load->profile;

	if (environment_has_key() && !load->profile_named)
		return base_environment(walk);
	if (profile && !profile_is_role)
		return walk_back(walk, profile, NULL);
	if (profile && conf_profile_has_key(&load->aws, profile))
		return base_profile(walk, profile);
	if (environment_has_key())
		return base_environment(walk);
	if (conf_profile_has_key(&load->aws, "default"))
		return base_profile(walk, "default");
	return no_base(walk);
}

static int find_base(struct walk *walk)
{
	const struct conf_load *load = walk->load;
	const struct conf_settings *settings = &load->settings;
	enum conf_level source_level = LEVEL_PROFILE, env_level = LEVEL_PROFILE;
	const struct conf_setting *source, *environment;
	/* only then did the profile's role_arn become a setting */
	bool profile_is_role = settings->at[KEY_ROLE_ARN][LEVEL_PROFILE].value != NULL;

	source = conf_settings_get(settings, KEY_SOURCE_PROFILE, &source_level);
	environment = conf_settings_get(settings, KEY_CREDENTIAL_SOURCE, &env_level);
	if (source && environment && source_level == env_level)
		return complain_two_sources(walk, environment->where, source->where);
	if (profile_is_role)
		walk->visited[walk->n_visited++] = load->profile;
	if (environment && (!source || env_level > source_level))
		return base_environment(walk);
	if (source)
		return walk_back(walk, source->value, source->where);
	return guess_base(walk, profile_is_role);
}

static int no_role(const struct conf_load *load, char **ret_why)
{
	return conf_complain(
	    ret_why,
	    "no role to assume: give --role-arn, or a SOURCE that has one, as in %s: "
	    "[profile accountB] role_arn = arn:aws:iam::222222222222:role/NAME, "
	    "source_profile = Anne, external_id = ID, region = eu-west-1 (a line each)",
	    load->aws.config.path);
}

static int push_wanted(struct walk *walk)
{
	const struct conf_settings *settings = &walk->load->settings;
	const struct conf_setting *role = conf_settings_get(settings, KEY_ROLE_ARN, NULL);
	const struct conf_setting *duration =
	    conf_settings_get(settings, KEY_DURATION_SECONDS, NULL);

	if (!role)
		return no_role(walk->load, walk->why);
	return push_role(walk, role->value, conf_settings_text(settings, KEY_EXTERNAL_ID),
			 conf_settings_text(settings, KEY_ROLE_SESSION_NAME),
			 duration ? duration->value : NULL, duration ? duration->where : NULL);
}

static int check_duration(const struct walk *walk, size_t i)
{
	const struct conf *conf = walk->conf;
	const struct conf_role *role = &conf->roles[i];
	bool chained = i + 1 < conf->n_roles; /* still the last role first */

	if (!conf->sts_endpoint_url && role->duration_s < AWS_MIN_S)
		return conf_complain(walk->why, "%s: %d is below %d, the least that AWS takes",
				     walk->duration_where[i], role->duration_s, AWS_MIN_S);
	if (chained && role->duration_s > CHAINED_MAX_S)
		return conf_complain(walk->why,
				     "%s: %d is too long for a role that another role assumes: AWS "
				     "limits role chaining to one hour (%d)",
				     walk->duration_where[i], role->duration_s, CHAINED_MAX_S);
	return 0;
}

static void reverse_roles(struct conf *conf)
{
	for (size_t i = 0, j = conf->n_roles; i + 1 < j; i++) {
		struct conf_role role = conf->roles[i];

		conf->roles[i] = conf->roles[--j];
		conf->roles[j] = role;
	}
}

static int copy_paths(const struct conf_load *load, struct conf_identity *identity)
{
	identity->config_file = strdup(load->aws.config.path);
	identity->credentials_file = strdup(load->aws.credentials.path);
	return identity->config_file && identity->credentials_file ? 0 : -ENOMEM;
}

int conf_identity_resolve(const struct conf_load *load, struct conf *conf, char **ret_why)
{
	struct walk walk = {.load = load, .conf = conf, .why = ret_why};
	int r = push_wanted(&walk);

	if (r == 0)
		r = find_base(&walk);
	for (size_t i = 0; r == 0 && i < conf->n_roles; i++)
		r = check_duration(&walk, i);
	for (size_t i = 0; i < CONF_MAX_ROLES; i++)
		free(walk.duration_where[i]);
	if (r < 0)
		return r;
	reverse_roles(conf);
	return copy_paths(load, &conf->identity);
}
