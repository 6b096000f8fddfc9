/*
 * aws/credentials: an access key, its secret and its session token, as an immutable shared value;
 * and the table by which base credentials (Anne's) are fetched.
 */
#ifndef XACCTFS_AWS_CREDENTIALS_H
#define XACCTFS_AWS_CREDENTIALS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "xacctfs/conf/conf.h"
#include "xacctfs/util/call.h"

/* The signing key of one day, region and service (aws/sigv4 fills it). */
#define SIGV4_KEY_SCOPE_MAX 96
#define SIGV4_KEY_SLOTS     8
struct sigv4_key {
	char scope[SIGV4_KEY_SCOPE_MAX]; /* "20261123/eu-west-1/s3"; "" for an empty slot */
	uint8_t key[32];
};

/* Immutable but for the keys derived of it; every reference may be used by any thread. */
struct credentials {
	char *access_key_id;
	char *secret_access_key;
	char *session_token; /* NULL for a user's long-lived key */
	int64_t expires_ms;  /* boot time; CLOCK_NEVER for a long-lived key */
	pthread_mutex_t lock;
	struct sigv4_key keys[SIGV4_KEY_SLOTS]; /* lock */
	unsigned int next_key;                  /* lock: the slot to be overwritten next */
	atomic_uint refs;
};

/* Copies its arguments. Returns 0 with one reference, -ENOMEM. */
int credentials_new(const char *access_key_id, const char *secret_access_key,
		    const char *session_token, int64_t expires_ms, struct credentials **ret);
struct credentials *credentials_ref(struct credentials *credentials); /* returns its argument */
void credentials_unref(struct credentials *credentials); /* NULL is fine; secrets are overwritten */
void credentials_unrefp(struct credentials **credentials);

/*
 * Where base credentials come from: one provider a file (aws/provider_*.c). A provider is asked
 * again at every renewal of the session, so that a key rotated in its file is taken up. A provider
 * is used by one thread at a time.
 */
struct credentials_provider {
	const char *name; /* constant: "environment", "profile" */
	/*
	 * Returns 0 with a reference, or a negative errno with *ret_why (to free(), no secret) a
	 * line for a person. -ENOENT: nothing there; -EINVAL: there, but wrong; -EACCES; and
	 * -EINTR, -ENOMEM, which may leave *ret_why untouched.
	 */
	int (*fetch)(struct credentials_provider *provider, struct call *call,
		     struct credentials **ret_credentials, char **ret_why);
	/*
	 * True when the source (a file) is another than at the last fetch, whether that succeeded
	 * or not; before the first, than at the provider's making. Costs a stat() a file.
	 */
	bool (*changed)(struct credentials_provider *provider);
	void (*free)(struct credentials_provider *provider);
};

/*
 * The provider that conf's identity names; it copies what it needs. With CONF_BASE_ENVIRONMENT it
 * takes the secrets out of the process's environment, so call it once, before there are threads.
 * Whatever is wrong with the key there is what fetch says. Returns 0, -ENOMEM.
 */
int credentials_provider_new(const struct conf_identity *identity,
			     struct credentials_provider **ret_provider);
void credentials_provider_free(struct credentials_provider *provider); /* NULL is fine */

#endif
