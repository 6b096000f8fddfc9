#include "profile.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "complain.h"
#include "xacctfs/conf/conf.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/secret.h"

static int load(const char *path, struct conf_ini *ret_ini, int *ret_r, char **ret_why)
{
	int r = conf_ini_read(path, 0, ret_ini, ret_why);

	if (r < 0 && r != -ENOENT && r != -EACCES)
		return r;
	*ret_r = r;
	return 0;
}

int conf_profile_load(const char *config_path, const char *credentials_path,
		      struct conf_profile_files *ret_files, char **ret_why)
{
	struct conf_profile_files files = {0};
	int r = load(config_path, &files.config, &files.config_r, ret_why);

	if (r == 0)
		r = load(credentials_path, &files.credentials, &files.credentials_r, ret_why);
	if (r < 0) {
		conf_profile_unload(&files);
		return r;
	}
	*ret_files = files;
	return 0;
}

void conf_profile_unload(struct conf_profile_files *files)
{
	conf_ini_deinit(&files->config);
	conf_ini_deinit(&files->credentials);
}

/* True for 'KIND NAME', with any blanks between and NAME maybe in quotes. */
static bool section_is(const char *section, const char *kind, const char *name)
{
	size_t kind_len = strlen(kind), len;

	if (strncmp(section, kind, kind_len) != 0 || !isspace((unsigned char)section[kind_len]))
		return false;
	section += kind_len;
	while (isspace((unsigned char)*section))
		section++;
	len = strlen(section);
	if (len >= 2 && (*section == '"' || *section == '\'') && section[len - 1] == *section) {
		section++;
		len -= 2;
	}
	return strlen(name) == len && !memcmp(section, name, len);
}

static bool find_kind(const struct conf_ini *ini, const char *kind, const char *name,
		      size_t *ret_section)
{
	for (size_t i = 0; i < ini->n_sections; i++)
		if (section_is(ini->sections[i].name, kind, name)) {
			*ret_section = i;
			return true;
		}
	return false;
}

static bool find_in_config(const struct conf_profile_files *files, const char *name,
			   size_t *ret_section)
{
	if (find_kind(&files->config, "profile", name, ret_section))
		return true;
	return !strcmp(name, "default") && conf_ini_section(&files->config, name, ret_section);
}

bool conf_profile_exists(const struct conf_profile_files *files, const char *name)
{
	size_t section;

	return conf_ini_section(&files->credentials, name, &section) ||
	       find_in_config(files, name, &section);
}

const struct conf_ini_entry *conf_profile_find(const struct conf_profile_files *files,
					       const char *name, const char *key)
{
	const struct conf_ini_entry *entry = NULL;
	size_t section;

	if (conf_ini_section(&files->credentials, name, &section))
		entry = conf_ini_find(&files->credentials, section, key);
	if ((!entry || !*entry->value) && find_in_config(files, name, &section))
		entry = conf_ini_find(&files->config, section, key);
	return entry && *entry->value ? entry : NULL;
}

const struct conf_ini_entry *conf_profile_endpoint(const struct conf_profile_files *files,
						   const char *name, const char *service)
{
	const struct conf_ini_entry *services = conf_profile_find(files, name, "services"), *entry;
	const char *key = !strcmp(service, "s3") ? "s3.endpoint_url" : "sts.endpoint_url";
	size_t section;

	if (!services || !find_kind(&files->config, "services", services->value, &section))
		return NULL;
	entry = conf_ini_find(&files->config, section, key);
	return entry && *entry->value ? entry : NULL;
}

bool conf_profile_has_services(const struct conf_profile_files *files, const char *services)
{
	size_t section;

	return find_kind(&files->config, "services", services, &section);
}

bool conf_profile_has_key(const struct conf_profile_files *files, const char *name)
{
	return conf_profile_find(files, name, "aws_access_key_id") ||
	       conf_profile_find(files, name, "aws_secret_access_key");
}

const char *conf_profile_state(int r)
{
	return r == 0 ? "" : r == -ENOENT ? " (no such file)" : " (permission denied)";
}

int conf_profile_missing(const struct conf_profile_files *files, const char *before,
			 const char *name, char **ret_why)
{
	return conf_complain(ret_why, "%sthere is no profile '%s' in %s%s or %s%s", before, name,
			     files->config.path, conf_profile_state(files->config_r),
			     files->credentials.path, conf_profile_state(files->credentials_r));
}

static bool unreadable(const struct conf_profile_files *files)
{
	return files->config_r == -EACCES || files->credentials_r == -EACCES;
}

/* The key pair and its token come of one and the same file. */
static int copy_key(const struct conf_ini *ini, size_t section, const char *name,
		    struct conf_key *ret_key, char **ret_why)
{
	const struct conf_ini_entry *id = conf_ini_find(ini, section, "aws_access_key_id");
	const struct conf_ini_entry *secret = conf_ini_find(ini, section, "aws_secret_access_key");
	const struct conf_ini_entry *token = conf_ini_find(ini, section, "aws_session_token");
	_cleanup_(secret_freep) char *id_copy = NULL, *secret_copy = NULL, *token_copy = NULL;

	if ((!id || !*id->value) && (!secret || !*secret->value))
		return -ENOENT;
	if (!id || !*id->value || !secret || !*secret->value)
		return conf_complain(ret_why, "%s:%u: the profile '%s' has no %s", ini->path,
				     ini->sections[section].line, name,
				     id && *id->value ? "aws_secret_access_key"
						      : "aws_access_key_id");
	id_copy = strdup(id->value);
	secret_copy = strdup(secret->value);
	token_copy = token && *token->value ? strdup(token->value) : NULL;
	if (!id_copy || !secret_copy || (token && *token->value && !token_copy))
		return -ENOMEM;
	*ret_key = (struct conf_key){steal(&id_copy), steal(&secret_copy), steal(&token_copy)};
	return 0;
}

static int read_key(const struct conf_profile_files *files, const char *name,
		    struct conf_key *ret_key, char **ret_why)
{
	size_t section;
	int r = -ENOENT;

	if (conf_ini_section(&files->credentials, name, &section))
		r = copy_key(&files->credentials, section, name, ret_key, ret_why);
	if (r == -ENOENT && find_in_config(files, name, &section))
		r = copy_key(&files->config, section, name, ret_key, ret_why);
	return r;
}

/* Returns what conf_read_key() returns then. */
static int complain_no_key(const struct conf_profile_files *files, const char *name, char **ret_why)
{
	int r;

	if (!conf_profile_exists(files, name))
		r = conf_profile_missing(files, "", name, ret_why);
	else
		r = conf_complain(
		    ret_why, "the profile '%s' has no aws_access_key_id in %s%s or %s%s", name,
		    files->config.path, conf_profile_state(files->config_r),
		    files->credentials.path, conf_profile_state(files->credentials_r));
	if (r == -ENOMEM)
		return r;
	return unreadable(files) ? -EACCES : -ENOENT;
}

int conf_read_key(const struct conf_identity *identity, struct conf_key *ret_key, char **ret_why)
{
	struct conf_profile_files files;
	int r =
	    conf_profile_load(identity->config_file, identity->credentials_file, &files, ret_why);

	if (r < 0)
		return r;
	r = read_key(&files, identity->profile, ret_key, ret_why);
	if (r == -ENOENT)
		r = complain_no_key(&files, identity->profile, ret_why);
	conf_profile_unload(&files);
	return r;
}
