/*
 * conf/keys: the table of all keys. --help, the checks, the environment and the render come of it.
 */
#ifndef CONF_KEYS_H
#define CONF_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum conf_key_id {
	KEY_PROFILE,
	KEY_ROLE_ARN,
	KEY_SOURCE_PROFILE,
	KEY_CREDENTIAL_SOURCE,
	KEY_EXTERNAL_ID,
	KEY_ROLE_SESSION_NAME,
	KEY_DURATION_SECONDS,
	KEY_REGION,
	KEY_CREATE_REGION,
	KEY_ENDPOINT_URL,
	KEY_S3_ENDPOINT_URL,
	KEY_STS_ENDPOINT_URL,
	KEY_STS_REGIONAL_ENDPOINTS,
	KEY_ADDRESSING_STYLE,
	KEY_CA_BUNDLE,
	KEY_ALLOW_HTTP,
	KEY_MAX_ATTEMPTS,
	KEY_CONNECT_TIMEOUT,
	KEY_STALL_TIMEOUT,
	KEY_REQUEST_TIMEOUT,
	KEY_STORAGE_CLASS,
	KEY_SSE,
	KEY_SSE_KMS_KEY_ID,
	KEY_REQUESTER_PAYS,
	KEY_EXPECTED_BUCKET_OWNER,
	KEY_METADATA_TTL,
	KEY_MEMORY_LIMIT,
	KEY_STAGING_DIR,
	KEY_STAGING_LIMIT,
	KEY_STOP_TIMEOUT,
	KEY_UID,
	KEY_GID,
	KEY_UMASK,
	KEY_DIR_MODE,
	KEY_FILE_MODE,
	KEY_ATTRS,
	KEY_ALLOW_OTHER,
	KEY_ALLOW_ROOT,
	KEY_READ_ONLY,
	KEY_CONFIG,
	KEY_AWS_CONFIG_FILE,
	KEY_AWS_SHARED_CREDENTIALS_FILE,
	KEY_LOG_LEVEL,
	KEY_FOREGROUND,
	KEY_DEBUG,
	KEY_CHECK,
	KEY_INCOMPLETE_UPLOADS,
	KEY_OLDER_THAN,
	KEY_ALL,
	KEY_JSON,
	KEY_COUNT,
};

enum conf_key_type {
	TYPE_NAME, /* one line of text */
	TYPE_PATH,
	TYPE_FLAG,    /* yes no true false on off 1 0; alone it means yes */
	TYPE_INT,     /* min..max */
	TYPE_SECONDS, /* a fraction may follow; min and max in milliseconds */
	TYPE_AGE,     /* a number with s m h d w behind it */
	TYPE_SIZE,    /* bytes; K M G T may follow, as KB and KiB; min..max */
	TYPE_MODE,    /* octal, up to 0777 */
	TYPE_USER,    /* a number or a name */
	TYPE_GROUP,
	TYPE_WORD, /* one of words */
	TYPE_URL,
	TYPE_ROLE_ARN,
	TYPE_REGION,
	TYPE_EXTERNAL_ID,
	TYPE_SESSION_NAME,
	TYPE_STORAGE_CLASS,
	TYPE_KMS_KEY,
	TYPE_ACCOUNT,
};

enum conf_key_group {
	GROUP_AWS,
	GROUP_OBJECTS,
	GROUP_MOUNT,
	GROUP_FILES,
	GROUP_RUN,
	GROUP_COUNT,
};

#define CONF_KEY_NOT_IN_FILE 1 /* it may not stand in xacctfs.conf */
#define CONF_KEY_NO_MOUNT    2 /* of what mounts nothing: --check, --incomplete-uploads */

struct conf_keydef {
	const char *name; /* --name, -o name, xacctfs.conf; '-' and '_' are the same there */
	enum conf_key_type type;
	enum conf_key_group group;
	unsigned int flags;
	int64_t min, max;
	const char *def;          /* as the user would write it; NULL: none, or it depends */
	const char *env[2];       /* the first that is set and not empty counts */
	const char *aws;          /* in an AWS profile, and in xacctfs.conf too */
	const char *const *words; /* TYPE_WORD, NULL at the end */
	const char *metavar;      /* for --help; NULL for a flag */
	const char *help;
};

extern const struct conf_keydef conf_keys[KEY_COUNT];
extern const char *const conf_key_groups[GROUP_COUNT];

/* By name or name in an AWS profile, len bytes. NULL for none. */
const struct conf_keydef *conf_keys_find(const char *name, size_t len);

/* The name that a typo was most likely meant to be, or NULL. */
const char *conf_keys_nearest(const char *name, size_t len);

/* True for a key whose value would be a secret, which we take from AWS's places only. */
bool conf_keys_secret(const char *name, size_t len);

#endif
