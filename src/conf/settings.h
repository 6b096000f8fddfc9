/*
 * conf/settings: every value that was given, by key and by the level it was given at.
 */
#ifndef CONF_SETTINGS_H
#define CONF_SETTINGS_H

#include "keys.h"

/* Low to high: a value at a higher level wins. */
enum conf_level {
	LEVEL_PROFILE, /* AWS profile */
	LEVEL_FILE,    /* xacctfs.conf, above the first section */
	LEVEL_SECTION, /* xacctfs.conf, the section of SOURCE */
	LEVEL_ENV,
	LEVEL_OPTION, /* -o */
	LEVEL_ARGV,
	LEVEL_COUNT,
};

struct conf_setting {
	char *value; /* NULL: not given at this level */
	char *where; /* "--region", "-o region", "AWS_REGION", "/etc/xacctfs.conf:3: region" */
};

struct conf_settings {
	struct conf_setting at[KEY_COUNT][LEVEL_COUNT];
};

/* Copies both; a value given before at the same level is replaced. Returns 0, -ENOMEM. */
int conf_settings_set(struct conf_settings *settings, enum conf_key_id key, enum conf_level level,
		      const char *value, const char *where);
void conf_settings_unset(struct conf_settings *settings, enum conf_key_id key,
			 enum conf_level level);
void conf_settings_deinit(struct conf_settings *settings);

/* What is in force, with its level; NULL when the key was given nowhere. ret_level may be NULL. */
const struct conf_setting *conf_settings_get(const struct conf_settings *settings,
					     enum conf_key_id key, enum conf_level *ret_level);

/* The text in force, else the table's default, else NULL. */
const char *conf_settings_text(const struct conf_settings *settings, enum conf_key_id key);

#endif
