#include "proxy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/secret.h"

static char *read_variable(const char *lower, const char *upper)
{
	const char *value = getenv(lower);

	if (!value)
		value = getenv(upper);
	return strdup(value ? value : "");
}

int proxy_env_init(struct proxy_env *env)
{
	env->http = read_variable("http_proxy", "HTTP_PROXY");
	env->https = read_variable("https_proxy", "HTTPS_PROXY");
	env->none = read_variable("no_proxy", "NO_PROXY");
	if (!env->http || !env->https || !env->none) {
		proxy_env_deinit(env);
		return -ENOMEM;
	}
	return 0;
}

void proxy_env_deinit(struct proxy_env *env)
{
	secret_free(env->http);
	secret_free(env->https);
	free(env->none);
	*env = (struct proxy_env){0};
}

const char *proxy_env_for(const struct proxy_env *env, const char *scheme)
{
	return strcmp(scheme, "https") == 0 ? env->https : env->http;
}
