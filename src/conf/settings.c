#include "settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void conf_settings_unset(struct conf_settings *settings, enum conf_key_id key,
			 enum conf_level level)
{
	struct conf_setting *setting = &settings->at[key][level];

	free(setting->value);
	free(setting->where);
	*setting = (struct conf_setting){0};
}

int conf_settings_set(struct conf_settings *settings, enum conf_key_id key, enum conf_level level,
		      const char *value, const char *where)
{
	struct conf_setting setting = {strdup(value), strdup(where)};

	if (!setting.value || !setting.where) {
		free(setting.value);
		free(setting.where);
		return -ENOMEM;
	}
	conf_settings_unset(settings, key, level);
	settings->at[key][level] = setting;
	return 0;
}

void conf_settings_deinit(struct conf_settings *settings)
{
	for (enum conf_key_id key = 0; key < KEY_COUNT; key++)
		for (enum conf_level level = 0; level < LEVEL_COUNT; level++)
			conf_settings_unset(settings, key, level);
}

const struct conf_setting *conf_settings_get(const struct conf_settings *settings,
					     enum conf_key_id key, enum conf_level *ret_level)
{
	for (int level = LEVEL_COUNT - 1; level >= 0; level--)
		if (settings->at[key][level].value) {
			if (ret_level)
				*ret_level = (enum conf_level)level;
			return &settings->at[key][level];
		}
	return NULL;
}

const char *conf_settings_text(const struct conf_settings *settings, enum conf_key_id key)
{
	const struct conf_setting *setting = conf_settings_get(settings, key, NULL);

	return setting ? setting->value : conf_keys[key].def;
}
