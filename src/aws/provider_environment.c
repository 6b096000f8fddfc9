/*
 * AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, read once. The secret ones are
 * taken out of the environment, so that neither /proc/PID/environ nor a child shows them. As in the
 * AWS CLI, an empty variable is none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provider.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/secret.h"

#define V_ID     "AWS_ACCESS_KEY_ID"
#define V_SECRET "AWS_SECRET_ACCESS_KEY"
#define V_TOKEN  "AWS_SESSION_TOKEN"

struct provider_environment {
	struct credentials_provider base;
	struct credentials *credentials; /* NULL: `error` and `why` say what is wrong */
	int error;
	const char *why; /* constant */
};

static struct provider_environment *from_base(struct credentials_provider *base)
{
	return (struct provider_environment *)base;
}

static int environment_fetch(struct credentials_provider *base, struct call *call,
			     struct credentials **ret_credentials, char **ret_why)
{
	struct provider_environment *provider = from_base(base);
	char *why;

	(void)call;
	if (provider->credentials) {
		*ret_credentials = credentials_ref(provider->credentials);
		return 0;
	}
	why = strdup(provider->why);
	if (!why)
		return -ENOMEM;
	*ret_why = why;
	return provider->error;
}

static bool environment_changed(struct credentials_provider *base)
{
	(void)base;
	return false;
}

static void environment_free(struct credentials_provider *base)
{
	credentials_unref(from_base(base)->credentials);
	free(base);
}

static bool is_set(const char *value)
{
	return value && value[0];
}

/* Keys and tokens are of printable ASCII; a newline or a space is what an unlucky paste leaves. */
static bool has_other_bytes(const char *value)
{
	for (; value && *value; value++)
		if (*value <= 0x20 || *value >= 0x7f)
			return true;
	return false;
}

/* A constant text of what is wrong, with *ret_error; NULL for a key that may be tried. */
static const char *complaint(const char *id, const char *secret, const char *token, int *ret_error)
{
	*ret_error = -EINVAL;
	if (!is_set(id) && !is_set(secret)) {
		*ret_error = -ENOENT;
		return V_ID " and " V_SECRET " are not set";
	}
	if (!is_set(secret))
		return V_ID " is set, but " V_SECRET " is not";
	if (!is_set(id))
		return V_SECRET " is set, but " V_ID " is not";
	if (has_other_bytes(id))
		return V_ID " has a character in it that no key has (a space or a newline?)";
	if (has_other_bytes(secret))
		return V_SECRET " has a character in it that no key has (a space or a newline?)";
	if (has_other_bytes(token))
		return V_TOKEN " has a character in it that no token has (a space or a newline?)";
	return NULL;
}

int provider_environment_new(struct credentials_provider **ret_provider)
{
	const char *id = getenv(V_ID), *secret = getenv(V_SECRET), *token = getenv(V_TOKEN);
	_cleanup_(freep) struct provider_environment *provider = calloc(1, sizeof(*provider));

	if (!provider)
		return -ENOMEM;
	provider->base = (struct credentials_provider){
	    .name = "environment",
	    .fetch = environment_fetch,
	    .changed = environment_changed,
	    .free = environment_free,
	};
	provider->why = complaint(id, secret, token, &provider->error);
	if (!provider->why) {
		int r = credentials_new(id, secret, is_set(token) ? token : NULL, CLOCK_NEVER,
					&provider->credentials);

		if (r < 0)
			return r;
	}
	secret_unsetenv(V_SECRET);
	secret_unsetenv(V_TOKEN);
	*ret_provider = &steal(&provider)->base;
	return 0;
}
