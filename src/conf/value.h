/*
 * conf/value: what a value must look like, by the type of its key; and its conversion.
 *
 * The conversions take a text that conf_value_check() let pass.
 */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "keys.h"

/* That it is one line, without control characters: all that is asked of a value without a key.
 * where: named first in the complaint. Returns 0, -EINVAL with *ret_why, -ENOMEM. */
int conf_value_check_line(const char *value, const char *where, char **ret_why);
/* The same, and by its key's type. */
int conf_value_check(const struct conf_keydef *key, const char *value, const char *where,
		     char **ret_why);

bool conf_value_flag(const char *value);
int64_t conf_value_int(const char *value);
int64_t conf_value_ms(const char *value); /* of seconds; what is finer is cut off */
int64_t conf_value_age_ms(const char *value);
int64_t conf_value_size(const char *value); /* bytes */
mode_t conf_value_mode(const char *value);

/* Looked up in the system's users and groups. Return 0, -EINVAL. */
int conf_value_user(const char *value, uid_t *ret_uid);
int conf_value_group(const char *value, gid_t *ret_gid);

#endif
