/*
 * conf/profile: the AWS files, and what a profile in them says.
 *
 * Of a profile NAME, [NAME] of the credentials file wins key by key over [profile NAME] of the
 * config file, as in botocore; [default] stands for [profile default].
 */
#ifndef CONF_PROFILE_H
#define CONF_PROFILE_H

#include <stdbool.h>

#include "ini.h"

struct conf_profile_files {
	struct conf_ini config, credentials;
	int config_r, credentials_r; /* 0, -ENOENT or -EACCES */
};

/* A file that is missing or may not be read is none here. Returns 0, -EINVAL, -ENOMEM. */
int conf_profile_load(const char *config_path, const char *credentials_path,
		      struct conf_profile_files *ret_files, char **ret_why);
void conf_profile_unload(struct conf_profile_files *files);

bool conf_profile_exists(const struct conf_profile_files *files, const char *name);

/* NULL when the profile has no such key, or an empty value. key: in lower case. */
const struct conf_ini_entry *conf_profile_find(const struct conf_profile_files *files,
					       const char *name, const char *key);

/* endpoint_url of service ("s3", "sts") in the services section that the profile names, or NULL. */
const struct conf_ini_entry *conf_profile_endpoint(const struct conf_profile_files *files,
						   const char *name, const char *service);

/* True when the config file has the section [services NAME]. */
bool conf_profile_has_services(const struct conf_profile_files *files, const char *services);

/* True when the profile has an access key of its own, or half of one. */
bool conf_profile_has_key(const struct conf_profile_files *files, const char *name);

/* What to write behind a file's path: "", " (no such file)", " (permission denied)". r: its *_r. */
const char *conf_profile_state(int r);

/* Complains that no file has the profile; before: "--profile: ", say, or "". */
int conf_profile_missing(const struct conf_profile_files *files, const char *before,
			 const char *name, char **ret_why);

#endif
