#include "endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "complain.h"
#include "value.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/url.h"

/* The command line is one level, whether in -o or not. */
static const struct {
	enum conf_level high, low;
} levels[] = {
    {LEVEL_ARGV, LEVEL_OPTION}, {LEVEL_ENV, LEVEL_ENV},         {LEVEL_SECTION, LEVEL_SECTION},
    {LEVEL_FILE, LEVEL_FILE},   {LEVEL_PROFILE, LEVEL_PROFILE},
};

const struct conf_setting *conf_endpoint_get(const struct conf_settings *settings,
					     enum conf_key_id own, enum conf_level *ret_level)
{
	const enum conf_key_id ids[] = {own, KEY_ENDPOINT_URL};

	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		for (size_t j = 0; j < ARRAY_LEN(ids); j++) {
			const struct conf_setting *at = settings->at[ids[j]];
			enum conf_level level =
			    at[levels[i].high].value ? levels[i].high : levels[i].low;

			if (!at[level].value)
				continue;
			if (ret_level)
				*ret_level = level;
			return &at[level];
		}
	return NULL;
}

int conf_endpoint_url(const struct conf_settings *settings, enum conf_key_id own, char **ret_url,
		      char **ret_why)
{
	const struct conf_setting *setting = conf_endpoint_get(settings, own, NULL);
	bool allow_http = conf_value_flag(conf_settings_text(settings, KEY_ALLOW_HTTP));
	struct url url;
	char *text;
	int r;

	if (!setting) {
		*ret_url = NULL;
		return 0;
	}
	/* another key's value may be in force where check_in_force() looked */
	r = conf_value_check(&conf_keys[own], setting->value, setting->where, ret_why);
	if (r < 0)
		return r;
	r = url_parse(setting->value, &url, &(const char *){NULL});
	if (r < 0)
		return r;
	if (!strcmp(url.scheme, "http") && !url.loopback && !allow_http)
		r = conf_complain(ret_why,
				  "%s: plain http to %s would show everything to the network; use "
				  "https, or allow_http if you must",
				  setting->where, url.authority);
	else if (asprintf(&text, "%s://%s%s", url.scheme, url.authority, url.path) < 0)
		r = -ENOMEM;
	else
		*ret_url = text;
	url_deinit(&url);
	return r;
}
