/*
 * conf: what the user wants, out of every place where he may say it, as one validated value.
 *
 * Precedence, key by key: command line > -o options > AWS_* environment > xacctfs.conf (SOURCE's
 * section, then the keys above all sections) > AWS profile (config and credentials files) >
 * defaults. The keys, their types, bounds and environment
 * names stand in one table, conf/keys.c, from which --help, the checks and the man page's list
 * come.
 *
 * Every complaint is one line for a person that names where the value came from: "--umask",
 * "-o umask", "AWS_REGION", or file, line and key.
 */
#ifndef XACCTFS_CONF_CONF_H
#define XACCTFS_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct buf;

#define CONF_MAX_ROLES 5 /* of a chain: A's own roles, then B's */

enum conf_base {
	CONF_BASE_ENVIRONMENT, /* AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN */
	CONF_BASE_PROFILE,     /* keys of a profile in the credentials or the config file */
};

enum conf_addressing {
	CONF_ADDRESSING_AUTO, /* virtual for AWS's own endpoints where the name allows, else path */
	CONF_ADDRESSING_PATH,
	CONF_ADDRESSING_VIRTUAL,
};

enum conf_uploads {
	CONF_UPLOADS_NONE,
	CONF_UPLOADS_LIST,
	CONF_UPLOADS_ABORT,
};

/* Who we are before any role. */
struct conf_identity {
	enum conf_base base;
	char *profile;     /* CONF_BASE_PROFILE: its name */
	char *config_file; /* absolute paths; neither need exist */
	char *credentials_file;
};

struct conf_role {
	char *role_arn;
	char *external_id;  /* NULL for none */
	char *session_name; /* always set, valid for STS: [\w+=,.@-]{2,64} */
	int duration_s; /* 900..43200, or from 1 with an STS endpoint of one's own; default 3600 */
};

struct conf {
	char *source; /* SOURCE as given, or the profile's name, or the role's ARN: a name for logs
			 and mtab */
	char *bucket; /* of SOURCE: mounted alone; NULL for all buckets */
	char *prefix; /* of SOURCE: only what is below it; "", or with '/' at its end */
	char *mountpoint; /* NULL where nothing is mounted (--check, --incomplete-uploads) */

	struct conf_identity identity;
	/* in the order of AssumeRole; the last is Account B's */
	struct conf_role roles[CONF_MAX_ROLES];
	size_t n_roles; /* at least 1 */

	char *region;           /* never NULL */
	char *create_region;    /* where mkdir makes buckets: region unless set */
	char *s3_endpoint_url;  /* NULL: AWS's, by region */
	char *sts_endpoint_url; /* NULL: AWS's, by sts_region */
	bool sts_legacy_global; /* sts_regional_endpoints = legacy: the global sts.amazonaws.com */
	enum conf_addressing addressing;
	char *ca_bundle;                              /* NULL: the system's */
	bool allow_http;                              /* plain http to other than loopback */
	int max_attempts;                             /* 1..100, default 5 */
	int64_t connect_timeout_ms, stall_timeout_ms; /* default 10 s, 30 s */
	int64_t request_timeout_ms; /* a whole operation, all attempts: default 120 s */

	char *storage_class;  /* of what is written; NULL: S3's, STANDARD */
	char *sse;            /* as x-amz-server-side-encryption has it; NULL: the bucket's */
	char *sse_kms_key_id; /* with sse aws:kms and aws:kms:dsse; NULL: AWS's own key */
	bool requester_pays;  /* x-amz-request-payer */
	char *expected_bucket_owner; /* account; NULL: any */

	int64_t metadata_ttl_ms; /* default 1 s; 0: nothing is kept */
	uint64_t memory_limit;   /* bytes, from 64 MiB; default 256 MiB */
	char *staging_dir;       /* an absolute path; need not exist, its parent must */
	uint64_t staging_limit;  /* bytes; default 10 GiB */
	int64_t stop_timeout_ms; /* default 60 s */
	uid_t uid;               /* default: who mounts */
	gid_t gid;
	mode_t umask;     /* default 022 */
	mode_t dir_mode;  /* default 0777 & ~umask */
	mode_t file_mode; /* default 0666 & ~umask */
	bool posix;       /* attrs = posix: modes, owners, dates and links are kept as s3fs does */
	bool allow_other, allow_root, read_only;
	char *fuse_options; /* what only the kernel or libfuse knows ("noatime,fsname=..."), or NULL
			     */

	bool foreground;           /* -f */
	bool debug;                /* -d: foreground, log level debug, and libfuse's own trace */
	int log_level;             /* enum log_level */
	bool check, json;          /* --check, --json */
	enum conf_uploads uploads; /* --incomplete-uploads */
	int64_t older_than_ms;     /* of uploads; default 0 to list them, a day to abort them */
	bool all;                  /* uploads of whoever began them */
	bool fake; /* as mount.xacctfs -f (mount(8)'s --fake): everything but the mount */

	struct conf_settings *settings; /* conf/'s own: where each value came from; may be NULL */
};

/* What conf_parse found that is no mount. */
enum {
	CONF_HELP = 1,
	CONF_VERSION = 2,
};

/*
 * Reads argv, the environment, xacctfs.conf and the AWS files. Returns 0; CONF_HELP; CONF_VERSION;
 * -ENOMEM; -EINVAL with *ret_why (to free()) a line for a person: usage and configuration errors
 * alike end in exit status 2. Single-threaded; reads the environment but changes nothing.
 */
int conf_parse(int argc, char *const argv[], struct conf *ret_conf, char **ret_why);
void conf_deinit(struct conf *conf); /* leaves it zeroed */

/* The text of --help, made of the table of keys. */
void conf_print_help(FILE *f);

/*
 * Appends what is in force, a line "key = value" each, with where it came from as a comment; no
 * secret is among them. Returns 0, -ENOMEM.
 */
int conf_render(const struct conf *conf, struct buf *b);

/*
 * An access key out of the AWS files, for aws/provider_profile: [name] of the credentials file wins
 * over [profile name] of the config file, as in the AWS CLI; the three strings always come of one
 * of them. Returns 0 with strings to secret_free() (token may be NULL); -ENOENT when no file has
 * such a profile or it has no key; -EACCES when that is so and a file may not be read; -EINVAL
 * (half a key, bad file); all three with *ret_why to free(); -ENOMEM. Thread-safe.
 */
struct conf_key {
	char *access_key_id;
	char *secret_access_key;
	char *session_token;
};
int conf_read_key(const struct conf_identity *identity, struct conf_key *ret_key, char **ret_why);

#endif
