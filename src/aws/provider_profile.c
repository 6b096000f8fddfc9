/*
 * The access key of a profile in the AWS files, read anew at each fetch, so that a rotated key
 * needs no remount. The files' stat() tells a change: written in place, renamed over, made or
 * removed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "provider.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/secret.h"

/* What a file looked like; zeroed but for error where it could not be looked at. */
struct stamp {
	int error; /* errno of stat(), 0 when it succeeded: a missing file is a state, too */
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
};

struct provider_profile {
	struct credentials_provider base;
	struct conf_identity identity;
	struct stamp config, credentials;
};

static struct provider_profile *from_base(struct credentials_provider *base)
{
	return (struct provider_profile *)base;
}

static struct stamp stamp_of(const char *path)
{
	struct stat st;

	if (!path)
		return (struct stamp){.error = ENOENT};
	if (stat(path, &st) < 0)
		return (struct stamp){.error = errno};
	return (struct stamp){0, st.st_dev, st.st_ino, st.st_size, st.st_mtim, st.st_ctim};
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_stamp(const struct stamp *a, const struct stamp *b)
{
	return a->error == b->error && a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       same_time(&a->mtime, &b->mtime) && same_time(&a->ctime, &b->ctime);
}

static void take_stamps(struct provider_profile *provider)
{
	provider->config = stamp_of(provider->identity.config_file);
	provider->credentials = stamp_of(provider->identity.credentials_file);
}

static void key_deinit(struct conf_key *key)
{
	secret_free(key->access_key_id);
	secret_free(key->secret_access_key);
	secret_free(key->session_token);
}

static int profile_fetch(struct credentials_provider *base, struct call *call,
			 struct credentials **ret_credentials, char **ret_why)
{
	struct provider_profile *provider = from_base(base);
	_cleanup_(key_deinit) struct conf_key key = {0};
	int r;

	(void)call;
	/* before the read: what changes while it is read is noticed by the next look */
	take_stamps(provider);
	r = conf_read_key(&provider->identity, &key, ret_why);
	if (r < 0)
		return r;
	return credentials_new(key.access_key_id, key.secret_access_key, key.session_token,
			       CLOCK_NEVER, ret_credentials);
}

static bool profile_changed(struct credentials_provider *base)
{
	struct provider_profile *provider = from_base(base);
	struct stamp config = stamp_of(provider->identity.config_file);
	struct stamp credentials = stamp_of(provider->identity.credentials_file);

	return !same_stamp(&config, &provider->config) ||
	       !same_stamp(&credentials, &provider->credentials);
}

static void profile_free(struct credentials_provider *base)
{
	struct provider_profile *provider = from_base(base);

	free(provider->identity.profile);
	free(provider->identity.config_file);
	free(provider->identity.credentials_file);
	free(provider);
}

/* On failure, too, *copy is to be freed. */
static int copy_identity(const struct conf_identity *identity, struct conf_identity *copy)
{
	const struct {
		const char *from;
		char **to;
	} strings[] = {
	    {identity->profile, &copy->profile},
	    {identity->config_file, &copy->config_file},
	    {identity->credentials_file, &copy->credentials_file},
	};

	copy->base = identity->base;
	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		if (!strings[i].from)
			continue;
		*strings[i].to = strdup(strings[i].from);
		if (!*strings[i].to)
			return -ENOMEM;
	}
	return 0;
}

int provider_profile_new(const struct conf_identity *identity,
			 struct credentials_provider **ret_provider)
{
	struct provider_profile *provider = calloc(1, sizeof(*provider));
	int r;

	if (!provider)
		return -ENOMEM;
	provider->base = (struct credentials_provider){
	    .name = "profile",
	    .fetch = profile_fetch,
	    .changed = profile_changed,
	    .free = profile_free,
	};
	r = copy_identity(identity, &provider->identity);
	if (r < 0) {
		profile_free(&provider->base);
		return r;
	}
	take_stamps(provider);
	*ret_provider = &provider->base;
	return 0;
}
