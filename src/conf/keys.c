#include "keys.h"

#include <ctype.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"

#define MIB ((int64_t)1 << 20)
#define GIB ((int64_t)1 << 30)

static const char *const addressing_words[] = {"auto", "path", "virtual", NULL};
static const char *const sts_words[] = {"regional", "legacy", NULL};
static const char *const source_words[] = {"Environment", NULL};
static const char *const sse_words[] = {"AES256", "aws:kms", "aws:kms:dsse", NULL};
static const char *const attrs_words[] = {"object", "posix", NULL};
static const char *const uploads_words[] = {"list", "abort", NULL};
static const char *const log_words[] = {"error", "warn", "info", "debug", NULL};

const char *const conf_key_groups[GROUP_COUNT] = {
    [GROUP_AWS] = "AWS (names and meaning are those of the AWS CLI)",
    [GROUP_OBJECTS] = "Objects",
    [GROUP_MOUNT] = "Mount",
    [GROUP_FILES] = "Files",
    [GROUP_RUN] = "Running",
};

const struct conf_keydef conf_keys[KEY_COUNT] = {
    [KEY_PROFILE] = {.name = "profile",
		     .type = TYPE_NAME,
		     .group = GROUP_AWS,
		     .env = {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"},
		     .metavar = "NAME",
		     .help = "AWS profile: a role, or the keys it is for"},
    [KEY_ROLE_ARN] = {.name = "role_arn",
		      .type = TYPE_ROLE_ARN,
		      .group = GROUP_AWS,
		      .aws = "role_arn",
		      .metavar = "ARN",
		      .help = "role of the other account that is assumed"},
    [KEY_SOURCE_PROFILE] = {.name = "source_profile",
			    .type = TYPE_NAME,
			    .group = GROUP_AWS,
			    .aws = "source_profile",
			    .metavar = "NAME",
			    .help = "profile whose identity assumes the role"},
    [KEY_CREDENTIAL_SOURCE] = {.name = "credential_source",
			       .type = TYPE_WORD,
			       .group = GROUP_AWS,
			       .aws = "credential_source",
			       .words = source_words,
			       .metavar = "Environment",
			       .help = "keys of AWS_ACCESS_KEY_ID etc. assume the role"},
    [KEY_EXTERNAL_ID] = {.name = "external_id",
			 .type = TYPE_EXTERNAL_ID,
			 .group = GROUP_AWS,
			 .aws = "external_id",
			 .metavar = "ID",
			 .help = "what the role's trust policy asks for"},
    [KEY_ROLE_SESSION_NAME] = {.name = "role_session_name",
			       .type = TYPE_SESSION_NAME,
			       .group = GROUP_AWS,
			       .aws = "role_session_name",
			       .metavar = "NAME",
			       .help = "name in CloudTrail (default xacctfs-HOST-PID)"},
    [KEY_DURATION_SECONDS] = {.name = "duration_seconds",
			      .type = TYPE_INT,
			      .group = GROUP_AWS,
			      .min = 1,
			      .max = 43200,
			      .def = "3600",
			      .aws = "duration_seconds",
			      .metavar = "SECONDS",
			      .help = "life of one session, from 900; it is renewed"},
    [KEY_REGION] = {.name = "region",
		    .type = TYPE_REGION,
		    .group = GROUP_AWS,
		    .env = {"AWS_REGION", "AWS_DEFAULT_REGION"},
		    .aws = "region",
		    .metavar = "REGION",
		    .help = "where STS is asked, and S3 at first"},
    [KEY_CREATE_REGION] = {.name = "create_region",
			   .type = TYPE_REGION,
			   .group = GROUP_AWS,
			   .metavar = "REGION",
			   .help = "where mkdir makes buckets (default --region)"},
    [KEY_ENDPOINT_URL] = {.name = "endpoint_url",
			  .type = TYPE_URL,
			  .group = GROUP_AWS,
			  .env = {"AWS_ENDPOINT_URL"},
			  .aws = "endpoint_url",
			  .metavar = "URL",
			  .help = "server for both S3 and STS (default: AWS)"},
    [KEY_S3_ENDPOINT_URL] = {.name = "s3_endpoint_url",
			     .type = TYPE_URL,
			     .group = GROUP_AWS,
			     .env = {"AWS_ENDPOINT_URL_S3"},
			     .metavar = "URL",
			     .help = "server for S3 alone"},
    [KEY_STS_ENDPOINT_URL] = {.name = "sts_endpoint_url",
			      .type = TYPE_URL,
			      .group = GROUP_AWS,
			      .env = {"AWS_ENDPOINT_URL_STS"},
			      .metavar = "URL",
			      .help = "server for STS alone"},
    [KEY_STS_REGIONAL_ENDPOINTS] = {.name = "sts_regional_endpoints",
				    .type = TYPE_WORD,
				    .group = GROUP_AWS,
				    .def = "regional",
				    .env = {"AWS_STS_REGIONAL_ENDPOINTS"},
				    .aws = "sts_regional_endpoints",
				    .words = sts_words,
				    .metavar = "WHICH",
				    .help = "regional, or legacy for sts.amazonaws.com"},
    [KEY_ADDRESSING_STYLE] = {.name = "addressing_style",
			      .type = TYPE_WORD,
			      .group = GROUP_AWS,
			      .def = "auto",
			      .aws = "s3.addressing_style",
			      .words = addressing_words,
			      .metavar = "STYLE",
			      .help = "where the bucket is: auto, path, virtual"},
    [KEY_CA_BUNDLE] = {.name = "ca_bundle",
		       .type = TYPE_PATH,
		       .group = GROUP_AWS,
		       .env = {"AWS_CA_BUNDLE"},
		       .aws = "ca_bundle",
		       .metavar = "FILE",
		       .help = "certificates to trust (default: the system's)"},
    [KEY_ALLOW_HTTP] = {.name = "allow_http",
			.type = TYPE_FLAG,
			.group = GROUP_AWS,
			.def = "no",
			.help = "plain http to servers other than this machine"},
    [KEY_MAX_ATTEMPTS] = {.name = "max_attempts",
			  .type = TYPE_INT,
			  .group = GROUP_AWS,
			  .min = 1,
			  .max = 100,
			  .def = "5",
			  .env = {"AWS_MAX_ATTEMPTS"},
			  .aws = "max_attempts",
			  .metavar = "N",
			  .help = "tries of one request, the first included"},
    [KEY_CONNECT_TIMEOUT] = {.name = "connect_timeout",
			     .type = TYPE_SECONDS,
			     .group = GROUP_AWS,
			     .min = 100,
			     .max = 3600000,
			     .def = "10",
			     .metavar = "SECONDS",
			     .help = "patience with making a connection"},
    [KEY_STALL_TIMEOUT] = {.name = "stall_timeout",
			   .type = TYPE_SECONDS,
			   .group = GROUP_AWS,
			   .min = 100,
			   .max = 3600000,
			   .def = "30",
			   .metavar = "SECONDS",
			   .help = "patience with a transfer that stands still"},
    [KEY_REQUEST_TIMEOUT] = {.name = "request_timeout",
			     .type = TYPE_SECONDS,
			     .group = GROUP_AWS,
			     .min = 100,
			     .max = 86400000,
			     .def = "120",
			     .metavar = "SECONDS",
			     .help = "patience with an operation, all tries of it"},
    [KEY_STORAGE_CLASS] = {.name = "storage_class",
			   .type = TYPE_STORAGE_CLASS,
			   .group = GROUP_OBJECTS,
			   .metavar = "CLASS",
			   .help = "of what is written (default: S3's, STANDARD)"},
    [KEY_SSE] = {.name = "sse",
		 .type = TYPE_WORD,
		 .group = GROUP_OBJECTS,
		 .words = sse_words,
		 .metavar = "HOW",
		 .help = "encryption: AES256, aws:kms, aws:kms:dsse"},
    [KEY_SSE_KMS_KEY_ID] = {.name = "sse_kms_key_id",
			    .type = TYPE_KMS_KEY,
			    .group = GROUP_OBJECTS,
			    .metavar = "KEY",
			    .help = "KMS key of --sse aws:kms (default: AWS's own)"},
    [KEY_REQUESTER_PAYS] = {.name = "requester_pays",
			    .type = TYPE_FLAG,
			    .group = GROUP_OBJECTS,
			    .def = "no",
			    .help = "pay for buckets that ask for it"},
    [KEY_EXPECTED_BUCKET_OWNER] = {.name = "expected_bucket_owner",
				   .type = TYPE_ACCOUNT,
				   .group = GROUP_OBJECTS,
				   .metavar = "ACCOUNT",
				   .help = "account that buckets must belong to"},
    [KEY_METADATA_TTL] = {.name = "metadata_ttl",
			  .type = TYPE_SECONDS,
			  .group = GROUP_MOUNT,
			  .min = 0,
			  .max = 86400000,
			  .def = "1",
			  .metavar = "SECONDS",
			  .help = "how long names and attributes are remembered"},
    [KEY_MEMORY_LIMIT] = {.name = "memory_limit",
			  .type = TYPE_SIZE,
			  .group = GROUP_MOUNT,
			  .min = 64 * MIB,
			  .max = 1024 * GIB,
			  .def = "256M",
			  .metavar = "SIZE",
			  .help = "memory for bytes and names of files, from 64M"},
    [KEY_STAGING_DIR] = {.name = "staging_dir",
			 .type = TYPE_PATH,
			 .group = GROUP_MOUNT,
			 .metavar = "DIR",
			 .help = "for files changed in the middle"},
    [KEY_STAGING_LIMIT] = {.name = "staging_limit",
			   .type = TYPE_SIZE,
			   .group = GROUP_MOUNT,
			   .min = 0,
			   .max = 1024 * 1024 * GIB,
			   .def = "10G",
			   .metavar = "SIZE",
			   .help = "space for them there, all together"},
    [KEY_STOP_TIMEOUT] = {.name = "stop_timeout",
			  .type = TYPE_SECONDS,
			  .group = GROUP_MOUNT,
			  .min = 0,
			  .max = 86400000,
			  .def = "60",
			  .metavar = "SECONDS",
			  .help = "for saving open files when the mount ends"},
    [KEY_UID] = {.name = "uid",
		 .type = TYPE_USER,
		 .group = GROUP_MOUNT,
		 .metavar = "USER",
		 .help = "owner of all files (default: who mounts)"},
    [KEY_GID] = {.name = "gid",
		 .type = TYPE_GROUP,
		 .group = GROUP_MOUNT,
		 .metavar = "GROUP",
		 .help = "group of all files (default: who mounts)"},
    [KEY_UMASK] = {.name = "umask",
		   .type = TYPE_MODE,
		   .group = GROUP_MOUNT,
		   .def = "022",
		   .metavar = "OCTAL",
		   .help = "permissions that no file has"},
    [KEY_DIR_MODE] = {.name = "dir_mode",
		      .type = TYPE_MODE,
		      .group = GROUP_MOUNT,
		      .metavar = "OCTAL",
		      .help = "mode of directories (default 0777 less umask)"},
    [KEY_FILE_MODE] = {.name = "file_mode",
		       .type = TYPE_MODE,
		       .group = GROUP_MOUNT,
		       .metavar = "OCTAL",
		       .help = "mode of files (default 0666 less umask)"},
    [KEY_ATTRS] = {.name = "attrs",
		   .type = TYPE_WORD,
		   .group = GROUP_MOUNT,
		   .words = attrs_words,
		   .def = "object",
		   .metavar = "HOW",
		   .help = "posix: modes, owners, dates, links too"},
    [KEY_ALLOW_OTHER] = {.name = "allow_other",
			 .type = TYPE_FLAG,
			 .group = GROUP_MOUNT,
			 .def = "no",
			 .help = "let all users in"},
    [KEY_ALLOW_ROOT] = {.name = "allow_root",
			.type = TYPE_FLAG,
			.group = GROUP_MOUNT,
			.def = "no",
			.help = "let root in"},
    [KEY_READ_ONLY] = {.name = "read_only",
		       .type = TYPE_FLAG,
		       .group = GROUP_MOUNT,
		       .def = "no",
		       .help = "also -r, -o ro; -w and -o rw undo it"},
    [KEY_CONFIG] = {.name = "config",
		    .type = TYPE_PATH,
		    .group = GROUP_FILES,
		    .flags = CONF_KEY_NOT_IN_FILE,
		    .def = XACCTFS_CONF,
		    .env = {"XACCTFS_CONF_FILE"},
		    .metavar = "FILE",
		    .help = "xacctfs.conf to read"},
    [KEY_AWS_CONFIG_FILE] = {.name = "aws_config_file",
			     .type = TYPE_PATH,
			     .group = GROUP_FILES,
			     .def = "~/.aws/config",
			     .env = {"AWS_CONFIG_FILE"},
			     .metavar = "FILE",
			     .help = "AWS profiles"},
    [KEY_AWS_SHARED_CREDENTIALS_FILE] = {.name = "aws_shared_credentials_file",
					 .type = TYPE_PATH,
					 .group = GROUP_FILES,
					 .def = "~/.aws/credentials",
					 .env = {"AWS_SHARED_CREDENTIALS_FILE"},
					 .metavar = "FILE",
					 .help = "AWS keys"},
    [KEY_LOG_LEVEL] = {.name = "log_level",
		       .type = TYPE_WORD,
		       .group = GROUP_RUN,
		       .def = "info",
		       .words = log_words,
		       .metavar = "LEVEL",
		       .help = "error, warn, info or debug"},
    [KEY_FOREGROUND] = {.name = "foreground",
			.type = TYPE_FLAG,
			.group = GROUP_RUN,
			.flags = CONF_KEY_NOT_IN_FILE,
			.def = "no",
			.help = "stay in the foreground, log to stderr"},
    [KEY_DEBUG] = {.name = "debug",
		   .type = TYPE_FLAG,
		   .group = GROUP_RUN,
		   .flags = CONF_KEY_NOT_IN_FILE,
		   .def = "no",
		   .help = "foreground, and every request and FUSE call"},
    [KEY_CHECK] = {.name = "check",
		   .type = TYPE_FLAG,
		   .group = GROUP_RUN,
		   .flags = CONF_KEY_NOT_IN_FILE | CONF_KEY_NO_MOUNT,
		   .def = "no",
		   .help = "try every link of the chain, mount nothing"},
    [KEY_INCOMPLETE_UPLOADS] = {.name = "incomplete_uploads",
				.type = TYPE_WORD,
				.group = GROUP_RUN,
				.flags = CONF_KEY_NOT_IN_FILE | CONF_KEY_NO_MOUNT,
				.words = uploads_words,
				.metavar = "WHAT",
				.help = "list or abort them, mount nothing"},
    [KEY_OLDER_THAN] = {.name = "older_than",
			.type = TYPE_AGE,
			.group = GROUP_RUN,
			.flags = CONF_KEY_NOT_IN_FILE | CONF_KEY_NO_MOUNT,
			.metavar = "AGE",
			.help = "leave younger ones out: 90m, 36h, 7d"},
    [KEY_ALL] = {.name = "all",
		 .type = TYPE_FLAG,
		 .group = GROUP_RUN,
		 .flags = CONF_KEY_NOT_IN_FILE | CONF_KEY_NO_MOUNT,
		 .def = "no",
		 .help = "also those that other roles and users began"},
    [KEY_JSON] = {.name = "json",
		  .type = TYPE_FLAG,
		  .group = GROUP_RUN,
		  .flags = CONF_KEY_NOT_IN_FILE | CONF_KEY_NO_MOUNT,
		  .def = "no",
		  .help = "the report of these as JSON"},
};

static char fold(char c)
{
	return c == '-' ? '_' : c;
}

static bool same_name(const char *a, const char *name, size_t len)
{
	if (strlen(a) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (a[i] != fold(name[i]))
			return false;
	return true;
}

const struct conf_keydef *conf_keys_find(const char *name, size_t len)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (same_name(conf_keys[i].name, name, len) ||
		    (conf_keys[i].aws && same_name(conf_keys[i].aws, name, len)))
			return &conf_keys[i];
	return NULL;
}

#define NEAREST_MAX_LEN 40

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein's distance; both at most NEAREST_MAX_LEN long. */
static size_t distance(const char *a, const char *b, size_t b_len)
{
	size_t row[NEAREST_MAX_LEN + 1], a_len = strlen(a);

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 0; i < a_len; i++) {
		size_t corner = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < b_len; j++) {
			size_t replaced = corner + (a[i] != fold(b[j]));

			corner = row[j + 1];
			row[j + 1] = min3(replaced, row[j] + 1, row[j + 1] + 1);
		}
	}
	return row[b_len];
}

const char *conf_keys_nearest(const char *name, size_t len)
{
	const char *nearest = NULL;
	size_t least = len < 5 ? 2 : 3; /* more than one, or two, wrong is no typo */

	if (len > NEAREST_MAX_LEN)
		return NULL;
	for (size_t i = 0; i < KEY_COUNT; i++) {
		size_t d = distance(conf_keys[i].name, name, len);

		if (d < least) {
			least = d;
			nearest = conf_keys[i].name;
		}
	}
	return nearest;
}

bool conf_keys_secret(const char *name, size_t len)
{
	static const char *const parts[] = {"secret",     "password",      "passwd",
					    "access_key", "session_token", "security_token"};
	char folded[64] = "";

	for (size_t i = 0; i < len && i < sizeof(folded) - 1; i++)
		folded[i] = (char)tolower((unsigned char)fold(name[i]));
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (strstr(folded, parts[i]))
			return true;
	return false;
}
