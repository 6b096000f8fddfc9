#include <errno.h>

#include "provider.h"

int credentials_provider_new(const struct conf_identity *identity,
			     struct credentials_provider **ret_provider)
{
	switch (identity->base) {
	case CONF_BASE_ENVIRONMENT:
		return provider_environment_new(ret_provider);
	case CONF_BASE_PROFILE:
		return provider_profile_new(identity, ret_provider);
	}
	return -EINVAL;
}

void credentials_provider_free(struct credentials_provider *provider)
{
	if (provider)
		provider->free(provider);
}
