#include "load.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "complain.h"
#include "endpoint.h"
#include "value.h"
#include "xacctfs/util/cleanup.h"

static const enum conf_key_id role_keys[] = {
    KEY_ROLE_ARN,    KEY_SOURCE_PROFILE,    KEY_CREDENTIAL_SOURCE,
    KEY_EXTERNAL_ID, KEY_ROLE_SESSION_NAME, KEY_DURATION_SECONDS,
};

void conf_load_deinit(struct conf_load *load)
{
	conf_settings_deinit(&load->settings);
	conf_args_deinit(&load->args);
	conf_ini_deinit(&load->file);
	conf_profile_unload(&load->aws);
	conf_source_deinit(&load->of_source);
	free(load->name);
	free(load->profile);
}

char *conf_load_where(const struct conf_ini_entry *entry)
{
	char *where;

	return asprintf(&where, "%s:%u: %s", entry->path, entry->line, entry->key) < 0 ? NULL
										       : where;
}

/* At boot there is no HOME. */
static const char *home(void)
{
	const char *dir = getenv("HOME");
	const struct passwd *user;

	if (dir && *dir)
		return dir;
	user = getpwuid(getuid());
	return user ? user->pw_dir : NULL;
}

static int join(const char *dir, const char *rest, char **ret_path)
{
	return asprintf(ret_path, "%s/%s", dir, rest) < 0 ? -ENOMEM : 0;
}

int conf_load_path(const char *path, char **ret_path, char **ret_why)
{
	_cleanup_(freep) char *dir = NULL;

	if (*path == '/') {
		*ret_path = strdup(path);
		return *ret_path ? 0 : -ENOMEM;
	}
	if (!strncmp(path, "~/", 2)) {
		/* no home: a path that does not exist, so that the defaults stay harmless */
		const char *base = home();

		return join(base ? base : "/nonexistent", path + 2, ret_path);
	}
	dir = getcwd(NULL, 0);
	if (!dir)
		return conf_complain(ret_why, "%s: cannot tell the current directory: %m", path);
	return join(dir, path, ret_path);
}

static int load_environment(struct conf_load *load)
{
	for (enum conf_key_id id = 0; id < KEY_COUNT; id++)
		for (size_t i = 0; i < ARRAY_LEN(conf_keys[id].env) && conf_keys[id].env[i]; i++) {
			const char *value = getenv(conf_keys[id].env[i]);
			int r;

			if (!value || !*value)
				continue;
			r = conf_settings_set(&load->settings, id, LEVEL_ENV, value,
					      conf_keys[id].env[i]);
			if (r < 0)
				return r;
			break;
		}
	return 0;
}

/* A section of xacctfs.conf that nobody asked for is checked all the same. */
static int check_file_entry(const struct conf_ini_entry *entry, char **ret_why)
{
	size_t len = strlen(entry->key);
	const struct conf_keydef *key = conf_keys_find(entry->key, len);
	_cleanup_(freep) char *where = NULL;
	const char *nearest;

	if (!strcmp(entry->key, "s3") && !*entry->value)
		return 0; /* the head of s3.addressing_style */
	where = conf_load_where(entry);
	if (!where)
		return -ENOMEM;
	if (key && !(key->flags & CONF_KEY_NOT_IN_FILE))
		return conf_value_check(key, entry->value, where, ret_why);
	if (conf_keys_secret(entry->key, len))
		return conf_complain(ret_why,
				     "%s: a secret does not belong here but into "
				     "~/.aws/credentials, or into the environment as "
				     "AWS_SECRET_ACCESS_KEY",
				     where);
	nearest = key ? NULL : conf_keys_nearest(entry->key, len);
	if (nearest)
		return conf_complain(ret_why, "%s: unknown key; did you mean '%s'?", where,
				     nearest);
	return conf_complain(ret_why, "%s: %s", where,
			     key ? "this can only be said on the command line" : "unknown key");
}

static int read_file(struct conf_load *load, char **ret_why)
{
	const struct conf_setting *named = conf_settings_get(&load->settings, KEY_CONFIG, NULL);
	_cleanup_(freep) char *path = NULL;
	int r = conf_load_path(conf_settings_text(&load->settings, KEY_CONFIG), &path, ret_why);

	if (r < 0)
		return r;
	r = conf_ini_read(path, CONF_INI_OWN, &load->file, ret_why);
	if (r == -EACCES)
		return conf_complain(ret_why, "%s%scannot read %s: permission denied",
				     named ? named->where : "", named ? ": " : "", path);
	if (r == -ENOENT)
		return named ? conf_complain(ret_why, "%s: there is no file %s", named->where, path)
			     : 0;
	for (size_t i = 0; r == 0 && i < load->file.n_entries; i++)
		r = check_file_entry(&load->file.entries[i], ret_why);
	return r;
}

static int set_from(struct conf_load *load, enum conf_key_id id, enum conf_level level,
		    const struct conf_ini_entry *entry)
{
	_cleanup_(freep) char *where = conf_load_where(entry);

	if (!where)
		return -ENOMEM;
	return conf_settings_set(&load->settings, id, level, entry->value, where);
}

static int apply_section(struct conf_load *load, size_t section, enum conf_level level,
			 char **ret_why)
{
	for (size_t i = 0; i < load->file.n_entries; i++) {
		const struct conf_ini_entry *entry = &load->file.entries[i];
		const struct conf_keydef *key = conf_keys_find(entry->key, strlen(entry->key));
		enum conf_key_id id;
		int r;

		if (entry->section != section || !key)
			continue;
		id = (enum conf_key_id)(key - conf_keys);
		if (load->settings.at[id][level].value) /* as role_arn and role-arn */
			return conf_complain(ret_why, "%s:%u: %s: it is there already, at %s",
					     entry->path, entry->line, entry->key,
					     load->settings.at[id][level].where);
		r = set_from(load, id, level, entry);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What is asked for, in the words of the command line ("--check", "-o check"), or NULL. */
static const char *asked(const struct conf_load *load, enum conf_key_id id)
{
	const struct conf_setting *setting = conf_settings_get(&load->settings, id, NULL);
	bool off = setting && conf_keys[id].type == TYPE_FLAG && !conf_value_flag(setting->value);

	return setting && !off ? setting->where : NULL;
}

static int goes_with(const char *option, const char *with, char **ret_why)
{
	return option ? conf_complain(ret_why, "%s: it goes with %s only", option, with) : 0;
}

/* *ret_alone: the option that makes it no mount, or NULL. */
static int take_what(const struct conf_load *load, const char **ret_alone, char **ret_why)
{
	const char *check = asked(load, KEY_CHECK), *uploads = asked(load, KEY_INCOMPLETE_UPLOADS);
	int r = 0;

	if (check && uploads)
		return conf_complain(ret_why, "%s: it contradicts %s; give one of them", uploads,
				     check);
	if (!check && !uploads)
		r = goes_with(asked(load, KEY_JSON), "--check and --incomplete-uploads", ret_why);
	if (r == 0 && !uploads)
		r = goes_with(asked(load, KEY_ALL), "--incomplete-uploads", ret_why);
	if (r == 0 && !uploads)
		r = goes_with(asked(load, KEY_OLDER_THAN), "--incomplete-uploads", ret_why);
	if (r == 0)
		*ret_alone = check ? check : uploads;
	return r;
}

static int take_positional(struct conf_load *load, char **ret_why)
{
	const struct conf_args *args = &load->args;
	const char *alone = NULL;
	int r = take_what(load, &alone, ret_why);

	if (r < 0)
		return r;
	if (alone) {
		if (args->n_positional > 1)
			return conf_complain(ret_why,
					     "too many arguments: %s takes SOURCE alone, but '%s' "
					     "follows",
					     alone, args->positional[1]);
		load->given = args->positional[0];
		return 0;
	}
	if (args->n_positional == 0)
		return conf_complain(ret_why, "the mountpoint is missing: xacctfs [options] "
					      "[SOURCE] MOUNTPOINT");
	load->given = args->n_positional == 2 ? args->positional[0] : NULL;
	load->mountpoint = args->positional[args->n_positional - 1];
	return 0;
}

static int take_source(struct conf_load *load, char **ret_why)
{
	int r;

	if (load->given && !*load->given)
		return conf_complain(ret_why, "SOURCE is empty");
	r = load->given ? conf_source_parse(load->given, &load->of_source, ret_why) : 0;
	load->source = load->of_source.name;
	return r;
}

/* What the command line itself says of a key, or NULL. */
static const struct conf_setting *given(const struct conf_load *load, enum conf_key_id id)
{
	const struct conf_setting *at = load->settings.at[id];

	return at[LEVEL_ARGV].value     ? &at[LEVEL_ARGV]
	       : at[LEVEL_OPTION].value ? &at[LEVEL_OPTION]
					: NULL;
}

static int take_arn(struct conf_load *load, char **ret_why)
{
	const struct conf_setting *role = given(load, KEY_ROLE_ARN);

	if (role && strcmp(role->value, load->source) != 0)
		return conf_complain(ret_why, "%s: SOURCE names another role, %s", role->where,
				     load->source);
	return conf_settings_set(&load->settings, KEY_ROLE_ARN, LEVEL_ARGV, load->source, "SOURCE");
}

static int apply_file(struct conf_load *load, char **ret_why)
{
	size_t section;
	int r = 0;

	if (conf_ini_section(&load->file, "", &section))
		r = apply_section(load, section, LEVEL_FILE, ret_why);
	if (r < 0)
		return r;
	if (load->source && !strncmp(load->source, "arn:", 4))
		return take_arn(load, ret_why);
	if (load->source) {
		load->name = strdup(load->source);
	} else {
		const char *profile = conf_settings_text(&load->settings, KEY_PROFILE);

		load->name = strdup(profile ? profile : "default");
	}
	if (!load->name)
		return -ENOMEM;
	if (!*load->name || !conf_ini_section(&load->file, load->name, &section))
		return 0;
	load->in_file = true;
	return apply_section(load, section, LEVEL_SECTION, ret_why);
}

static int load_aws(struct conf_load *load, char **ret_why)
{
	_cleanup_(freep) char *config = NULL, *credentials = NULL;
	int r = conf_load_path(conf_settings_text(&load->settings, KEY_AWS_CONFIG_FILE), &config,
			       ret_why);

	if (r == 0)
		r = conf_load_path(
		    conf_settings_text(&load->settings, KEY_AWS_SHARED_CREDENTIALS_FILE),
		    &credentials, ret_why);
	return r < 0 ? r : conf_profile_load(config, credentials, &load->aws, ret_why);
}

static int use_profile(struct conf_load *load, const char *name, const char *where, char **ret_why)
{
	_cleanup_(freep) char *before = NULL;

	if (!conf_profile_exists(&load->aws, name)) {
		if (asprintf(&before, "%s%s", where, *where ? ": " : "") < 0)
			return -ENOMEM;
		return conf_profile_missing(&load->aws, before, name, ret_why);
	}
	load->profile = strdup(name);
	return load->profile ? 0 : -ENOMEM;
}

static int no_such_source(struct conf_load *load, char **ret_why)
{
	_cleanup_(freep) char *before = NULL;

	if (asprintf(&before, "SOURCE: %s has no section [%s], and ", load->file.path,
		     load->source) < 0)
		return -ENOMEM;
	return conf_profile_missing(&load->aws, before, load->source, ret_why);
}

/* The profile for a name that stands in neither -o, --profile nor the files of AWS. */
static int fall_back(struct conf_load *load, char **ret_why)
{
	static const enum conf_level levels[] = {LEVEL_ENV, LEVEL_FILE};
	const struct conf_setting *source =
	    conf_settings_get(&load->settings, KEY_SOURCE_PROFILE, NULL);

	if (load->in_file && source && conf_profile_exists(&load->aws, source->value))
		return use_profile(load, source->value, "", ret_why);
	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		const struct conf_setting *profile = &load->settings.at[KEY_PROFILE][levels[i]];
		bool ours = profile->value && load->in_file && !strcmp(profile->value, load->name);

		if (profile->value && !ours) /* a section may be all there is of that name */
			return use_profile(load, profile->value, profile->where, ret_why);
	}
	return conf_profile_exists(&load->aws, "default")
		   ? use_profile(load, "default", "", ret_why)
		   : 0;
}

static int choose_profile(struct conf_load *load, char **ret_why)
{
	const struct conf_setting *explicit = given(load, KEY_PROFILE);
	const struct conf_setting *of_section = &load->settings.at[KEY_PROFILE][LEVEL_SECTION];

	if (explicit && load->source && load->name && !load->in_file &&
	    strcmp(load->source, explicit->value) != 0)
		return conf_complain(ret_why,
				     "%s: '%s' is one profile and SOURCE '%s' another; "
				     "give one of them",
				     explicit->where, explicit->value, load->source);
	load->profile_named = true;
	if (explicit && !(load->in_file && !strcmp(explicit->value, load->name) &&
			  !conf_profile_exists(&load->aws, load->name)))
		return use_profile(load, explicit->value, explicit->where, ret_why);
	if (of_section->value)
		return use_profile(load, of_section->value, of_section->where, ret_why);
	load->profile_named = load->source && load->name;
	if (load->name && conf_profile_exists(&load->aws, load->name))
		return use_profile(load, load->name, "", ret_why);
	load->profile_named = false;
	if (load->source && load->name && !load->in_file)
		return no_such_source(load, ret_why);
	return fall_back(load, ret_why);
}

static bool is_role_key(enum conf_key_id id)
{
	for (size_t i = 0; i < ARRAY_LEN(role_keys); i++)
		if (role_keys[i] == id)
			return true;
	return false;
}

/*
 * With a role from elsewhere, a profile that is another role or has keys is where we come from, and
 * its external ID and the like are not that role's.
 */
static bool profile_is_the_role(const struct conf_load *load)
{
	const struct conf_setting *role = conf_settings_get(&load->settings, KEY_ROLE_ARN, NULL);
	const struct conf_ini_entry *own = conf_profile_find(&load->aws, load->profile, "role_arn");

	if (!role)
		return true;
	if (own)
		return strcmp(own->value, role->value) == 0;
	return !conf_profile_has_key(&load->aws, load->profile);
}

static int apply_endpoint(struct conf_load *load, enum conf_key_id id, const char *service)
{
	const struct conf_ini_entry *entry =
	    conf_profile_endpoint(&load->aws, load->profile, service);

	return entry ? set_from(load, id, LEVEL_PROFILE, entry) : 0;
}

static int apply_profile(struct conf_load *load)
{
	bool role = profile_is_the_role(load);
	int r;

	for (enum conf_key_id id = 0; id < KEY_COUNT; id++) {
		const struct conf_ini_entry *entry;

		if (!conf_keys[id].aws || (is_role_key(id) && !role))
			continue;
		entry = conf_profile_find(&load->aws, load->profile, conf_keys[id].aws);
		r = entry ? set_from(load, id, LEVEL_PROFILE, entry) : 0;
		if (r < 0)
			return r;
	}
	r = apply_endpoint(load, KEY_S3_ENDPOINT_URL, "s3");
	return r < 0 ? r : apply_endpoint(load, KEY_STS_ENDPOINT_URL, "sts");
}

/* Somebody asks for the server in the services section that the profile names: is it there? */
static int check_services(const struct conf_load *load, char **ret_why)
{
	static const enum conf_key_id ids[] = {KEY_S3_ENDPOINT_URL, KEY_STS_ENDPOINT_URL};
	const struct conf_ini_entry *services =
	    load->profile ? conf_profile_find(&load->aws, load->profile, "services") : NULL;

	if (!services || conf_profile_has_services(&load->aws, services->value))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		enum conf_level level = LEVEL_PROFILE;

		conf_endpoint_get(&load->settings, ids[i], &level);
		if (level == LEVEL_PROFILE)
			return conf_complain(ret_why, "%s:%u: %s: there is no [services %s] in %s",
					     services->path, services->line, services->key,
					     services->value, load->aws.config.path);
	}
	return 0;
}

/* AWS_IGNORE_CONFIGURED_ENDPOINT_URLS, or the profile's key of that name: true when it says so. */
static bool ignore_endpoints(struct conf_load *load)
{
	static const enum conf_key_id ids[] = {KEY_ENDPOINT_URL, KEY_S3_ENDPOINT_URL,
					       KEY_STS_ENDPOINT_URL};
	const char *value = getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
	const struct conf_ini_entry *entry =
	    load->profile
		? conf_profile_find(&load->aws, load->profile, "ignore_configured_endpoint_urls")
		: NULL;

	if ((!value || !*value) && entry)
		value = entry->value;
	if (!value || strcasecmp(value, "true") != 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		conf_settings_unset(&load->settings, ids[i], LEVEL_ENV);
		conf_settings_unset(&load->settings, ids[i], LEVEL_PROFILE);
	}
	return true;
}

/* What is overruled is not looked at: it may serve another program well. */
static int check_in_force(const struct conf_load *load, char **ret_why)
{
	for (enum conf_key_id id = 0; id < KEY_COUNT; id++) {
		const struct conf_setting *setting = conf_settings_get(&load->settings, id, NULL);
		int r = 0;

		if (setting)
			r = conf_value_check(&conf_keys[id], setting->value, setting->where,
					     ret_why);
		if (r < 0)
			return r;
	}
	return 0;
}

int conf_load(int argc, char *const argv[], struct conf_load *load, char **ret_why)
{
	int r = conf_args_read(argc, argv, &load->args, &load->settings, ret_why);

	if (r == 0)
		r = take_positional(load, ret_why);
	if (r == 0)
		r = take_source(load, ret_why);
	if (r == 0)
		r = load_environment(load);
	if (r == 0)
		r = read_file(load, ret_why);
	if (r == 0)
		r = apply_file(load, ret_why);
	if (r == 0)
		r = load_aws(load, ret_why);
	if (r == 0)
		r = choose_profile(load, ret_why);
	if (r == 0 && load->profile)
		r = apply_profile(load);
	if (r == 0 && !ignore_endpoints(load))
		r = check_services(load, ret_why);
	return r == 0 ? check_in_force(load, ret_why) : r;
}
