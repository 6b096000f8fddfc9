/* One table: what S3 says -> errno, and what a person should do about it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "xacctfs/aws/diagnose.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"

#include "private.h"

static const char denied[] =
    "Allow the action in the role's permissions in Account B (and in the bucket's policy).";

/* s3_send gives such an answer only after it had replaced the token: it was refused twice. */
static const char again[] =
    "The session was renewed and its new token is refused alike: is the region enabled in Account "
    "B, and do the endpoints of STS and S3 belong together?";
static const char elsewhere[] =
    "The bucket is not at this endpoint: check its region, region and endpoint_url.";
static const char changed[] = "The object is no longer the one that was opened.";
static const char damaged[] = "The data was damaged on its way: this machine, or a proxy?";

static const struct {
	const char *code;
	int errno_value;
	enum log_level level; /* DEBUG: an answer that a caller expects as often as not */
	const char *remedy;
} codes[] = {
    {"AccessDenied", EACCES, LOG_LEVEL_WARN, denied},
    {"AllAccessDisabled", EACCES, LOG_LEVEL_WARN, "The bucket's owner or AWS has closed it."},
    {"AccountProblem", EACCES, LOG_LEVEL_ERROR, "Account B has a problem; ask AWS support."},
    {"InvalidAccessKeyId", EACCES, LOG_LEVEL_ERROR, "The session's key is refused."},
    {"SignatureDoesNotMatch", EACCES, LOG_LEVEL_ERROR,
     "The signature is refused: a proxy that changes requests, or a wrong region?"},
    {"RequestTimeTooSkewed", EACCES, LOG_LEVEL_ERROR, "Set this machine's clock."},
    {"ExpiredToken", EKEYEXPIRED, LOG_LEVEL_ERROR, again},
    {"ExpiredTokenException", EKEYEXPIRED, LOG_LEVEL_ERROR, again},
    {"InvalidToken", EKEYEXPIRED, LOG_LEVEL_ERROR, again},
    {"TokenRefreshRequired", EKEYEXPIRED, LOG_LEVEL_ERROR, again},
    {"NoSuchKey", ENOENT, LOG_LEVEL_DEBUG, ""},
    {"NoSuchBucket", ENOENT, LOG_LEVEL_DEBUG, ""},
    {"HTTP404", ENOENT, LOG_LEVEL_DEBUG, ""},
    {"BucketNotEmpty", ENOTEMPTY, LOG_LEVEL_INFO,
     "Old versions and unfinished uploads count as content, too."},
    {"BucketAlreadyExists", EEXIST, LOG_LEVEL_INFO,
     "Bucket names are shared by all accounts; take another."},
    {"BucketAlreadyOwnedByYou", EEXIST, LOG_LEVEL_INFO, "Account B has it already."},
    {"TooManyBuckets", EDQUOT, LOG_LEVEL_WARN, "Ask for a higher quota of buckets in Account B."},
    {"QuotaExceeded", EDQUOT, LOG_LEVEL_WARN, "Account B's quota is used up."},
    {"InvalidBucketName", EINVAL, LOG_LEVEL_INFO,
     "A bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens."},
    {"IllegalLocationConstraintException", EINVAL, LOG_LEVEL_WARN,
     "This endpoint makes no buckets in that region: check region, create_region, endpoint_url."},
    {"InvalidLocationConstraint", EINVAL, LOG_LEVEL_WARN, "Check create_region."},
    {"InvalidObjectState", EACCES, LOG_LEVEL_WARN, "The object is archived: restore it first."},
    {"EntityTooLarge", EFBIG, LOG_LEVEL_WARN, "The object is larger than the server takes."},
    {"MethodNotAllowed", EOPNOTSUPP, LOG_LEVEL_WARN, "The server does not offer this."},
    {"NotImplemented", EOPNOTSUPP, LOG_LEVEL_WARN, "The server does not offer this."},
    {"AuthorizationHeaderMalformed", EINVAL, LOG_LEVEL_ERROR, "Check the region."},
    {"PermanentRedirect", EREMOTE, LOG_LEVEL_ERROR, elsewhere},
    {"TemporaryRedirect", EREMOTE, LOG_LEVEL_ERROR, elsewhere},
    {"HTTP301", EREMOTE, LOG_LEVEL_ERROR, elsewhere},
    {"HTTP307", EREMOTE, LOG_LEVEL_ERROR, elsewhere},
    {"HTTP400", EIO, LOG_LEVEL_ERROR, "The answer does not say why."},
    {"HTTP403", EACCES, LOG_LEVEL_WARN, denied},
    /* objects */
    {"PreconditionFailed", ESTALE, LOG_LEVEL_INFO, changed},
    {"HTTP412", ESTALE, LOG_LEVEL_INFO, changed},
    {"InvalidRange", ERANGE, LOG_LEVEL_INFO, ""},
    {"HTTP416", ERANGE, LOG_LEVEL_INFO, ""},
    {"NoSuchUpload", ESTALE, LOG_LEVEL_ERROR,
     "The multipart upload was ended from outside: by another client, or a lifecycle rule?"},
    {"InvalidPart", EIO, LOG_LEVEL_ERROR, "A part of the upload is gone: write the file again."},
    {"EntityTooSmall", EINVAL, LOG_LEVEL_ERROR, "This server wants larger parts."},
    {"BadDigest", EIO, LOG_LEVEL_ERROR, damaged},
    {"InvalidDigest", EIO, LOG_LEVEL_ERROR, damaged},
    {"XAmzContentSHA256Mismatch", EIO, LOG_LEVEL_ERROR, damaged},
    {"MissingContentLength", EIO, LOG_LEVEL_ERROR, "A proxy takes the Content-Length away."},
    {"HTTP411", EIO, LOG_LEVEL_ERROR, "A proxy takes the Content-Length away."},
    {"InvalidArgument", EINVAL, LOG_LEVEL_ERROR, ""},
    {"KeyTooLongError", ENAMETOOLONG, LOG_LEVEL_INFO, "A key has at most 1024 bytes of UTF-8."},
    {"InvalidObjectName", EINVAL, LOG_LEVEL_INFO, "This server does not take such a key."},
    {"InvalidURI", EINVAL, LOG_LEVEL_INFO, "The key is not UTF-8."},
    {"RequestTimeout", ETIMEDOUT, LOG_LEVEL_WARN, "The request came too slowly: the network?"},
    {"ConditionalRequestConflict", EBUSY, LOG_LEVEL_WARN,
     "Another client writes the object at this moment; try again."},
    {"OperationAborted", EBUSY, LOG_LEVEL_WARN,
     "Another operation on the bucket is under way; try again."},
};

static int transport_errno(const struct aws_error *error)
{
	switch (error->transport) {
	case HTTP_E_CONNECT:
		return error->os_errno == ECONNREFUSED ? ECONNREFUSED : EHOSTUNREACH;
	case HTTP_E_RESOLVE:
		return EHOSTUNREACH;
	case HTTP_E_CONNECT_TIMEOUT:
	case HTTP_E_STALL:
		return ETIMEDOUT;
	default:
		return EIO;
	}
}

int s3_errno(int r, const struct aws_error *error)
{
	if (r == 0)
		return 0;
	if (r == -EBADMSG)
		return -EIO;
	if (r < 0)
		return r;
	if (r == AWS_E_TRANSPORT)
		return -transport_errno(error);
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (!strcmp(error->code, codes[i].code))
			return -codes[i].errno_value;
	if (aws_error_is_throttle(error) || error->status == 503)
		return -EAGAIN;
	return -EIO;
}

static enum log_level level_of(int r, const struct aws_error *error)
{
	if (r == -EINTR || r == -EKEYEXPIRED) /* the session has said why */
		return LOG_LEVEL_DEBUG;
	if (r == -ENAMETOOLONG || r == -EILSEQ) /* a name that a user tried */
		return LOG_LEVEL_DEBUG;
	if (r == AWS_E_REPLY)
		for (size_t i = 0; i < ARRAY_LEN(codes); i++)
			if (!strcmp(error->code, codes[i].code))
				return codes[i].level;
	return LOG_LEVEL_ERROR;
}

static const char *remedy_of(int r, const struct aws_error *error)
{
	if (r == AWS_E_TRANSPORT)
		return link_break_remedy(BREAK_UNREACHABLE);
	if (r == AWS_E_REPLY)
		for (size_t i = 0; i < ARRAY_LEN(codes); i++)
			if (!strcmp(error->code, codes[i].code))
				return codes[i].remedy;
	if (r == AWS_E_REPLY && (aws_error_is_throttle(error) || error->status == 503))
		return link_break_remedy(BREAK_THROTTLED);
	if (r == AWS_E_REPLY && error->status >= 500)
		return link_break_remedy(BREAK_SERVER);
	return "";
}

bool s3_maybe_done(int r, const struct aws_error *error)
{
	if (r == 0 || error->maybe_done)
		return error->maybe_done;
	if (r == AWS_E_REPLY)
		return error->status / 100 == 2 || error->status >= 500;
	if (r == AWS_E_TRANSPORT)
		return error->transport == HTTP_E_STALL || error->transport == HTTP_E_BROKEN ||
		       error->transport == HTTP_E_PROTOCOL || error->transport == HTTP_E_TOO_LARGE;
	return error->attempts > 0 && (r == -EBADMSG || r == -EINTR || r == -ETIMEDOUT);
}

bool s3_precondition_failed(int r, const struct aws_error *error)
{
	return r == AWS_E_REPLY &&
	       (!strcmp(error->code, "PreconditionFailed") || !strcmp(error->code, "HTTP412"));
}

int s3_bad_answer(struct aws_error *error, const char *code, const char *format, ...)
{
	va_list args;

	snprintf(error->code, sizeof(error->code), "%s", code);
	va_start(args, format);
	vsnprintf(error->message, sizeof(error->message), format, args);
	va_end(args);
	return -EBADMSG;
}

int s3_malformed(int r, const struct s3_request *request, struct aws_error *error)
{
	if (r == -EBADMSG)
		s3_bad_answer(error, "MalformedAnswer",
			      "the server answered %d, but not with the XML of %s", error->status,
			      request->operation);
	return r;
}

/* The errno when it is the request's own condition that does not hold; else 0. */
static int condition_errno(const struct s3_request *request, int r, const struct aws_error *error)
{
	const struct put_params *conditions = request->conditions;

	if (!conditions || r != AWS_E_REPLY)
		return 0;
	if (conditions->if_none_match && s3_precondition_failed(r, error))
		return -EEXIST;
	/* an If-Match where no object is (Amazon S3 User Guide, "Conditional writes") */
	if (conditions->if_match && !strcmp(error->code, "NoSuchKey"))
		return -ESTALE;
	return 0;
}

/* "GetObject of bucket/key"; a very long key is cut, so that the reason stays on the line. */
static void name_request(const struct s3_request *request, char *text, size_t size)
{
	snprintf(text, size, "%s%s%s%s%s", request->operation, request->bucket ? " of " : "",
		 request->bucket ? request->bucket : "", request->key ? "/" : "",
		 request->key ? request->key : "");
}

int s3_fail(const struct s3_request *request, int r, const struct aws_error *error)
{
	int own = condition_errno(request, r, error);
	int e = own ? own : s3_errno(r, error);
	const char *remedy = own ? "" : remedy_of(r, error);
	char text[480], name[800];

	name_request(request, name, sizeof(name));
	if (error->status == 0 && error->message[0] == '\0')
		snprintf(text, sizeof(text), "%s", strerror(-e));
	else
		aws_error_format(error, text, sizeof(text));
	log_write(own ? LOG_LEVEL_DEBUG : level_of(r, error), "%s: %s%s%s%s%s", name,
		  r == -ETIMEDOUT ? "timed out; " : "", text,
		  error->attempts > 1 ? ", after several attempts" : "", remedy[0] ? ". " : "",
		  remedy);
	return e;
}
