/* The providers of base credentials, one a file; credentials_provider_new() picks. */
#ifndef AWS_PROVIDER_H
#define AWS_PROVIDER_H

#include "xacctfs/aws/credentials.h"

/* Takes its variables at once, the secret ones out of the environment. Returns 0, -ENOMEM. */
int provider_environment_new(struct credentials_provider **ret_provider);

/* Copies what it needs. Returns 0, -ENOMEM. */
int provider_profile_new(const struct conf_identity *identity,
			 struct credentials_provider **ret_provider);

#endif
