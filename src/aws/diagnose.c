#include "xacctfs/aws/diagnose.h"

#include <errno.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"

static const struct {
	const char *name, *remedy;
} breaks[] = {
    [BREAK_NONE] = {"none", ""},
    [BREAK_NO_CREDENTIALS] =
	{"no-credentials",
	 "Put Anne's access key into the credentials file (aws configure --profile Anne) or into "
	 "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."},
    [BREAK_KEY_REFUSED] =
	{"key-refused",
	 "Check that the access key exists and is active (aws iam list-access-keys) and that its "
	 "secret was copied whole."},
    [BREAK_TOKEN_EXPIRED] =
	{"token-expired",
	 "The base credentials are a temporary session that has ended: renew them, or use Anne's "
	 "long-lived access key."},
    [BREAK_ASSUME_DENIED] =
	{"assume-denied",
	 "One of three refuses: Anne's policy in Account A must allow sts:AssumeRole on this role; "
	 "the role's trust policy in Account B must name Account A or Anne; and its condition "
	 "sts:ExternalId must equal external_id. AWS refuses a role that does not exist alike: check "
	 "role_arn."},
    [BREAK_CLOCK] = {"clock", "Set this machine's clock (timedatectl set-ntp true)."},
    [BREAK_REGION] =
	{"region",
	 "Check the region's name, and that STS is active there (IAM console, Account settings)."},
    [BREAK_ROLE_PARAMETER] =
	{"role-parameter",
	 "Check that role_arn names a role that exists, role_session_name, external_id, and that "
	 "duration_seconds is not above the role's maximum session duration."},
    [BREAK_LIST_DENIED] =
	{"list-denied",
	 "Allow s3:ListAllMyBuckets on Resource \"*\" in the role's permissions in Account B."},
    [BREAK_BUCKET_DENIED] =
	{"bucket-denied",
	 "Allow s3:ListBucket on the bucket in the role's permissions in Account B, and in the "
	 "bucket's policy if it has one."},
    [BREAK_NO_BUCKET] = {"no-bucket", "Check the bucket's name; without one, all are mounted."},
    [BREAK_UNREACHABLE] =
	{"unreachable",
	 "Check the network, the region, the endpoint URL, HTTPS_PROXY and the CA bundle."},
    [BREAK_THROTTLED] = {"throttled", "Try again later; the account sends too many requests."},
    [BREAK_UNSUPPORTED] = {"unsupported",
			   "This server does not offer the call; check the endpoint URL."},
    [BREAK_SERVER] = {"server", "Try again later; if it stays, look at the endpoint URL."},
};

const char *link_break_name(enum link_break broken)
{
	return breaks[broken].name;
}

const char *link_break_remedy(enum link_break broken)
{
	return breaks[broken].remedy;
}

static const struct {
	const char *code;
	enum link_break broken;
} codes[] = {
    {"InvalidClientTokenId", BREAK_KEY_REFUSED},
    {"InvalidAccessKeyId", BREAK_KEY_REFUSED},
    {"SignatureDoesNotMatch", BREAK_KEY_REFUSED},
    {"IncompleteSignature", BREAK_KEY_REFUSED},
    {"UnrecognizedClientException", BREAK_KEY_REFUSED},
    {"MissingAuthenticationToken", BREAK_KEY_REFUSED},
    {"ExpiredToken", BREAK_TOKEN_EXPIRED},
    {"ExpiredTokenException", BREAK_TOKEN_EXPIRED},
    {"InvalidToken", BREAK_TOKEN_EXPIRED},
    {"RequestTimeTooSkewed", BREAK_CLOCK},
    {"RequestExpired", BREAK_CLOCK},
    {"RequestInTheFuture", BREAK_CLOCK},
    {"RegionDisabledException", BREAK_REGION},
    {"AuthorizationHeaderMalformed", BREAK_REGION},
    {"ValidationError", BREAK_ROLE_PARAMETER},
    {"InvalidParameterValue", BREAK_ROLE_PARAMETER},
    {"MalformedPolicyDocument", BREAK_ROLE_PARAMETER},
    {"MethodNotAllowed", BREAK_UNSUPPORTED},
    {"NotImplemented", BREAK_UNSUPPORTED},
    {"InvalidAction", BREAK_UNSUPPORTED},
    {"UnknownOperationException", BREAK_UNSUPPORTED},
};

static enum link_break diagnose_reply(enum link link, const struct aws_error *error)
{
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (!strcmp(error->code, codes[i].code))
			return codes[i].broken;
	if (aws_error_is_throttle(error))
		return BREAK_THROTTLED;
	/* Ceph's word for a role that does not exist */
	if (link == LINK_ROLE && !strcmp(error->code, "NoSuchEntity"))
		return BREAK_ROLE_PARAMETER;
	if (error->status == 403 && link == LINK_ROLE)
		return BREAK_ASSUME_DENIED;
	if (error->status == 403 && link == LINK_LIST_BUCKETS)
		return BREAK_LIST_DENIED;
	if (error->status == 403)
		return BREAK_KEY_REFUSED;
	if (error->status == 405 || error->status == 501 ||
	    (link == LINK_IDENTITY && error->status / 100 == 4))
		return BREAK_UNSUPPORTED;
	return BREAK_SERVER;
}

enum link_break diagnose(enum link link, int r, const struct aws_error *error)
{
	if (r == 0)
		return BREAK_NONE;
	if (link == LINK_BASE)
		return BREAK_NO_CREDENTIALS;
	if (r == AWS_E_REPLY)
		return diagnose_reply(link, error);
	if (r == AWS_E_TRANSPORT)
		return error->transport == HTTP_E_TOO_LARGE || error->transport == HTTP_E_PROTOCOL
			   ? BREAK_SERVER
			   : BREAK_UNREACHABLE;
	return r == -ETIMEDOUT ? BREAK_UNREACHABLE : BREAK_SERVER;
}
