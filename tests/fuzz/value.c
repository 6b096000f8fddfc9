/* A value of any key: "KEY=VALUE". */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/conf/value.h"
#include "fuzz.h"
#include "xacctfs/util/cleanup.h"

static void check_number(const struct conf_keydef *key, const char *value)
{
	uid_t uid;
	gid_t gid;

	switch ((int)key->type) {
	case TYPE_INT:
		MUST(conf_value_int(value) >= key->min && conf_value_int(value) <= key->max);
		break;
	case TYPE_SECONDS:
		MUST(conf_value_ms(value) >= key->min && conf_value_ms(value) <= key->max);
		break;
	case TYPE_SIZE:
		MUST(conf_value_size(value) >= key->min && conf_value_size(value) <= key->max);
		break;
	case TYPE_AGE:
		MUST(conf_value_age_ms(value) >= 0);
		break;
	case TYPE_MODE:
		MUST(conf_value_mode(value) <= 0777);
		break;
	case TYPE_USER:
		MUST(conf_value_user(value, &uid) == 0 && uid != (uid_t)-1);
		break;
	case TYPE_GROUP:
		MUST(conf_value_group(value, &gid) == 0 && gid != (gid_t)-1);
		break;
	default:
		break;
	}
}

static void check_text(const char *value)
{
	MUST(*value);
	for (; *value; value++)
		MUST((unsigned char)*value >= 0x20 && *value != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = fuzz_text(data, size), *why = NULL;
	size_t len = strcspn(text, "=");
	const char *value = text[len] ? text + len + 1 : text;
	const struct conf_keydef *key = conf_keys_find(text, len);
	const char *nearest = conf_keys_nearest(text, len);
	bool secret = conf_keys_secret(text, len);
	int r;

	MUST(!nearest || conf_keys_find(nearest, strlen(nearest)));
	MUST(!key || !secret);
	if (!key)
		key = &conf_keys[size % KEY_COUNT];
	r = conf_value_check(key, value, "here", &why);
	MUST(r == 0 || (r == -EINVAL && !strncmp(why, "here: ", 6)));
	if (r == 0) {
		check_text(value);
		check_number(key, value);
	} else {
		check_text(why);
	}
	return 0;
}
