/*
 * http/proxy: the proxies that the environment asks for, as the AWS CLI reads it: the lower-case
 * name goes before the upper-case one, set but empty means none, and there is no ALL_PROXY.
 */
#ifndef HTTP_PROXY_H
#define HTTP_PROXY_H

struct proxy_env {
	char *http;  /* http_proxy, HTTP_PROXY: for http:// requests; "" for none */
	char *https; /* https_proxy, HTTPS_PROXY: for https:// requests; "" for none */
	char *none;  /* no_proxy, NO_PROXY: the hosts to be spoken to without one; "" for none */
};

/* A snapshot: later changes of the environment change nothing. Returns 0 or -ENOMEM. */
int proxy_env_init(struct proxy_env *env);
/* A proxy's URL may hold a password: overwritten first. */
void proxy_env_deinit(struct proxy_env *env);

/* The proxy for requests of that scheme, unless env->none lists the host. */
const char *proxy_env_for(const struct proxy_env *env, const char *scheme);

#endif
