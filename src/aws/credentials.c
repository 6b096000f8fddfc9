#include "xacctfs/aws/credentials.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/secret.h"

int credentials_new(const char *access_key_id, const char *secret_access_key,
		    const char *session_token, int64_t expires_ms, struct credentials **ret)
{
	_cleanup_(credentials_unrefp) struct credentials *credentials =
	    calloc(1, sizeof(*credentials));

	if (!credentials)
		return -ENOMEM;
	atomic_init(&credentials->refs, 1);
	pthread_mutex_init(&credentials->lock, NULL);
	credentials->expires_ms = expires_ms;
	credentials->access_key_id = strdup(access_key_id);
	credentials->secret_access_key = strdup(secret_access_key);
	if (!credentials->access_key_id || !credentials->secret_access_key)
		return -ENOMEM;
	if (session_token) {
		credentials->session_token = strdup(session_token);
		if (!credentials->session_token)
			return -ENOMEM;
	}
	*ret = steal(&credentials);
	return 0;
}

struct credentials *credentials_ref(struct credentials *credentials)
{
	atomic_fetch_add_explicit(&credentials->refs, 1, memory_order_relaxed);
	return credentials;
}

void credentials_unref(struct credentials *credentials)
{
	/* the last one sees all that the others did before they let go */
	if (!credentials ||
	    atomic_fetch_sub_explicit(&credentials->refs, 1, memory_order_acq_rel) != 1)
		return;
	free(credentials->access_key_id);
	secret_free(credentials->secret_access_key);
	secret_free(credentials->session_token);
	pthread_mutex_destroy(&credentials->lock);
	explicit_bzero(credentials, sizeof(*credentials));
	free(credentials);
}

void credentials_unrefp(struct credentials **credentials)
{
	credentials_unref(*credentials);
}
