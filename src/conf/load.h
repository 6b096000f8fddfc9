/*
 * conf/load: what conf_parse() has gathered, before it becomes a struct conf.
 */
#ifndef CONF_LOAD_H
#define CONF_LOAD_H

#include <stdbool.h>

#include "args.h"
#include "ini.h"
#include "profile.h"
#include "settings.h"
#include "source.h"

struct conf_load {
	struct conf_settings settings;
	struct conf_args args;
	struct conf_ini file;          /* xacctfs.conf */
	struct conf_profile_files aws; /* AWS's config and credentials */
	const char *given;             /* SOURCE of argv, or NULL */
	struct conf_source of_source;  /* taken apart */
	const char *source;            /* its name, or NULL */
	const char *mountpoint;        /* of argv, or NULL */
	char *name;                    /* of the section and profile we go by; NULL with an ARN */
	bool in_file;                  /* xacctfs.conf has a section of that name */
	char *profile;                 /* the AWS profile in force; NULL for none; it exists */
	bool profile_named;            /* on the command line, or by the section it names */
};

/* "PATH:LINE: KEY" to free(), NULL when out of memory. */
char *conf_load_where(const struct conf_ini_entry *entry);

/* Everything of argv, environment and files. As conf_parse(). */
int conf_load(int argc, char *const argv[], struct conf_load *load, char **ret_why);
void conf_load_deinit(struct conf_load *load);

/* path as an absolute one, "~/" expanded. Returns 0, -EINVAL with *ret_why, -ENOMEM. */
int conf_load_path(const char *path, char **ret_path, char **ret_why);

#endif
