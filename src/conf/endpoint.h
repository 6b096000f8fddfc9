/*
 * conf/endpoint: which server, out of the general and the service's own URL at every level.
 */
#ifndef CONF_ENDPOINT_H
#define CONF_ENDPOINT_H

#include "settings.h"

/*
 * own: KEY_S3_ENDPOINT_URL or KEY_STS_ENDPOINT_URL. At one level the service's own wins; a higher
 * level wins whichever it has (AWS SDKs and Tools, "Service-specific endpoints"). NULL for AWS's.
 * ret_level: which level that is (untouched for AWS's), or NULL.
 */
const struct conf_setting *conf_endpoint_get(const struct conf_settings *settings,
					     enum conf_key_id own, enum conf_level *ret_level);

/* The URL as it is used, to free(): without a slash at its end; NULL for AWS's. Returns 0, -EINVAL
 * with *ret_why when it is plain http and may not be, -ENOMEM. */
int conf_endpoint_url(const struct conf_settings *settings, enum conf_key_id own, char **ret_url,
		      char **ret_why);

#endif
