#include "value.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "complain.h"
#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/url.h"

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define WORD   LOWER UPPER DIGITS "_"

static bool made_of(const char *text, size_t len, const char *bytes)
{
	return strspn(text, bytes) >= len;
}

/* min..max bytes, all of them among bytes. */
static bool fits(const char *text, size_t min, size_t max, const char *bytes)
{
	size_t len = strlen(text);

	return len >= min && len <= max && made_of(text, len, bytes);
}

/* STS, AssumeRole: ExternalId, RoleSessionName; IAM: account, path and name of a role. */
static bool valid_external_id(const char *value)
{
	return fits(value, 2, 1224, WORD "+=,.@:/-");
}

static bool valid_session_name(const char *value)
{
	return fits(value, 2, 64, WORD "+=,.@-");
}

static bool valid_region(const char *value)
{
	return fits(value, 1, 64, LOWER DIGITS "-");
}

static bool valid_account(const char *account, size_t len)
{
	/* other servers' accounts have other names: Ceph's are RGW and 17 digits */
	return len >= 1 && len <= 64 && made_of(account, len, LOWER UPPER DIGITS) &&
	       (len == 12 || !made_of(account, len, DIGITS));
}

static bool valid_role_path(const char *path)
{
	const char *name = strrchr(path, '/') + 1; /* "role/NAME" or "role/PATH/NAME" */
	size_t len = strlen(path);

	if (strncmp(path, "role/", 5) != 0 || len > 5 + 512 + 64)
		return false;
	for (size_t i = 0; i < len; i++)
		if (path[i] <= 0x20 || path[i] == 0x7f)
			return false;
	return fits(name, 1, 64, WORD "+=,.@-");
}

static bool valid_role_arn(const char *value)
{
	const char *account, *end;
	size_t partition;

	if (strncmp(value, "arn:aws", 7) != 0)
		return false;
	partition = 7 + strspn(value + 7, LOWER "-");
	if (strncmp(value + partition, ":iam::", 6) != 0)
		return false;
	account = value + partition + 6;
	end = strchr(account, ':');
	return end && valid_account(account, (size_t)(end - account)) && strchr(end, '/') &&
	       valid_role_path(end + 1);
}

/* Other servers' classes have names of their own. */
static bool valid_storage_class(const char *value)
{
	return fits(value, 1, 31, WORD "-");
}

/* KMS: a key's id, an alias, or an ARN of either. */
static bool valid_kms_key(const char *value)
{
	return fits(value, 1, 2048, WORD "-:/");
}

static bool parse_flag(const char *value, bool *ret_flag)
{
	static const char *const yes[] = {"yes", "true", "on", "1"};
	static const char *const no[] = {"no", "false", "off", "0"};

	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		if (!strcasecmp(value, yes[i]) || !strcasecmp(value, no[i])) {
			*ret_flag = strcasecmp(value, yes[i]) == 0;
			return true;
		}
	return false;
}

static bool parse_int(const char *value, int64_t *ret_int)
{
	if (!fits(value, 1, 12, DIGITS))
		return false;
	*ret_int = strtoll(value, NULL, 10);
	return true;
}

/* Decimal digits with at most one point: no exponent, no locale. */
static bool parse_ms(const char *value, int64_t *ret_ms)
{
	size_t whole = strspn(value, DIGITS);
	const char *fraction = value + whole + (value[whole] == '.');
	size_t digits = strspn(fraction, DIGITS);
	int64_t ms = 0, unit = 100;

	if (fraction[digits] || whole + digits == 0 || whole > 12)
		return false;
	if (whole)
		ms = strtoll(value, NULL, 10) * 1000;
	for (size_t i = 0; i < digits; i++, unit /= 10)
		ms += unit * (fraction[i] - '0');
	*ret_ms = ms;
	return true;
}

static bool parse_age(const char *value, int64_t *ret_ms)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	size_t digits = strspn(value, DIGITS);

	if (digits == 0 || digits > 9 || !value[digits] || value[digits + 1])
		return false;
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (units[i].letter == value[digits]) {
			*ret_ms = strtoll(value, NULL, 10) * units[i].seconds * 1000;
			return true;
		}
	return false;
}

/* As the AWS CLI reads sizes: K, KB and KiB alike are 1024, in either case. */
static bool parse_size(const char *value, int64_t *ret_size)
{
	static const char units[] = "kmgt";
	size_t digits = strspn(value, DIGITS);
	const char *suffix = value + digits, *unit;
	int64_t size, factor = 1;

	if (digits == 0 || digits > 18)
		return false;
	size = strtoll(value, NULL, 10);
	unit = *suffix ? strchr(units, tolower((unsigned char)*suffix)) : NULL;
	if (unit) {
		factor = (int64_t)1 << (10 * (unit - units + 1));
		suffix++;
		if (!strcasecmp(suffix, "b") || !strcasecmp(suffix, "ib"))
			suffix += strlen(suffix);
	}
	return !*suffix && !__builtin_mul_overflow(size, factor, ret_size);
}

static bool parse_mode(const char *value, mode_t *ret_mode)
{
	unsigned long mode;

	if (!fits(value, 1, 6, "01234567"))
		return false;
	mode = strtoul(value, NULL, 8);
	if (mode > 0777)
		return false;
	*ret_mode = (mode_t)mode;
	return true;
}

static bool parse_id(const char *value, id_t *ret_id)
{
	unsigned long long id;

	if (!fits(value, 1, 10, DIGITS))
		return false;
	id = strtoull(value, NULL, 10);
	if (id >= UINT32_MAX) /* (uid_t)-1 means "unchanged" to the kernel */
		return false;
	*ret_id = (id_t)id;
	return true;
}

bool conf_value_flag(const char *value)
{
	bool flag = false;

	parse_flag(value, &flag);
	return flag;
}

int64_t conf_value_int(const char *value)
{
	int64_t n = 0;

	parse_int(value, &n);
	return n;
}

int64_t conf_value_ms(const char *value)
{
	int64_t ms = 0;

	parse_ms(value, &ms);
	return ms;
}

int64_t conf_value_age_ms(const char *value)
{
	int64_t ms = 0;

	parse_age(value, &ms);
	return ms;
}

int64_t conf_value_size(const char *value)
{
	int64_t size = 0;

	parse_size(value, &size);
	return size;
}

mode_t conf_value_mode(const char *value)
{
	mode_t mode = 0;

	parse_mode(value, &mode);
	return mode;
}

int conf_value_user(const char *value, uid_t *ret_uid)
{
	const struct passwd *user;

	if (parse_id(value, ret_uid))
		return 0;
	user = getpwnam(value);
	if (!user)
		return -EINVAL;
	*ret_uid = user->pw_uid;
	return 0;
}

int conf_value_group(const char *value, gid_t *ret_gid)
{
	const struct group *group;

	if (parse_id(value, ret_gid))
		return 0;
	group = getgrnam(value);
	if (!group)
		return -EINVAL;
	*ret_gid = group->gr_gid;
	return 0;
}

static int check_int(const struct conf_keydef *key, const char *value, const char *where,
		     char **ret_why)
{
	int64_t n;

	if (parse_int(value, &n) && n >= key->min && n <= key->max)
		return 0;
	return conf_complain(ret_why, "%s: '%s' is not a number from %" PRId64 " to %" PRId64,
			     where, value, key->min, key->max);
}

static int check_seconds(const struct conf_keydef *key, const char *value, const char *where,
			 char **ret_why)
{
	int64_t ms;

	if (parse_ms(value, &ms) && ms >= key->min && ms <= key->max)
		return 0;
	return conf_complain(ret_why, "%s: '%s' is not a number of seconds from %g to %g", where,
			     value, (double)key->min / 1000, (double)key->max / 1000);
}

/* As short as it goes: "64M". */
static const char *size_text(int64_t size, char text[32])
{
	static const char *const units[] = {"", "K", "M", "G", "T"};
	size_t unit = 0;

	for (; size && size % 1024 == 0 && unit + 1 < ARRAY_LEN(units); unit++)
		size /= 1024;
	snprintf(text, 32, "%" PRId64 "%s", size, units[unit]);
	return text;
}

static int check_size(const struct conf_keydef *key, const char *value, const char *where,
		      char **ret_why)
{
	char least[32], most[32];
	int64_t size;

	if (parse_size(value, &size) && size >= key->min && size <= key->max)
		return 0;
	return conf_complain(ret_why,
			     "%s: '%s' is not a size from %s to %s (bytes, or a number with K, M, "
			     "G or T)",
			     where, value, size_text(key->min, least), size_text(key->max, most));
}

static int check_word(const struct conf_keydef *key, const char *value, const char *where,
		      char **ret_why)
{
	_cleanup_(buf_deinit) struct buf list = BUF_INIT;

	for (const char *const *word = key->words; *word; word++) {
		int r;

		if (!strcasecmp(value, *word))
			return 0;
		r = buf_printf(&list, "%s%s", list.len ? ", " : "", *word);
		if (r < 0)
			return r;
	}
	return conf_complain(ret_why, "%s: '%s' is not supported; it may be: %s", where, value,
			     buf_str(&list));
}

static int check_url(const char *value, const char *where, char **ret_why)
{
	struct url url;
	const char *what;
	int r = url_parse(value, &url, &what);

	if (r == -EINVAL)
		return conf_complain(ret_why, "%s: this is no endpoint URL: %s", where, what);
	if (r < 0)
		return r;
	url_deinit(&url);
	return 0;
}

int conf_value_check_line(const char *value, const char *where, char **ret_why)
{
	for (; *value; value++)
		if ((unsigned char)*value < 0x20 || *value == 0x7f)
			return conf_complain(ret_why,
					     "%s: the value goes on in another line, or has "
					     "control characters",
					     where);
	return 0;
}

/* What a value of the type must be, for the types that only are right or wrong; else NULL. */
static const char *wrong(enum conf_key_type type, const char *value)
{
	bool flag;
	int64_t age;
	mode_t mode;
	id_t id;

	switch (type) {
	case TYPE_FLAG:
		return parse_flag(value, &flag) ? NULL : "yes or no";
	case TYPE_AGE:
		return parse_age(value, &age) ? NULL
					      : "an age (a number with s, m, h, d or w behind "
						"it, such as 36h)";
	case TYPE_MODE:
		return parse_mode(value, &mode) ? NULL : "an octal number up to 0777";
	case TYPE_USER:
		return conf_value_user(value, &id) == 0 ? NULL : "a user of this machine";
	case TYPE_GROUP:
		return conf_value_group(value, &id) == 0 ? NULL : "a group of this machine";
	case TYPE_ROLE_ARN:
		return valid_role_arn(value) ? NULL
					     : "a role's ARN (arn:aws:iam::222222222222:role/NAME)";
	case TYPE_REGION:
		return valid_region(value) ? NULL : "the name of a region (such as eu-west-1)";
	case TYPE_EXTERNAL_ID:
		return valid_external_id(value) ? NULL
						: "an external ID (2 to 1224 letters, digits, "
						  "or _ + = , . @ : / -)";
	case TYPE_SESSION_NAME:
		return valid_session_name(value) ? NULL
						 : "a session name (2 to 64 letters, digits, or "
						   "_ + = , . @ -)";
	case TYPE_STORAGE_CLASS:
		return valid_storage_class(value) ? NULL : "a storage class (such as STANDARD_IA)";
	case TYPE_KMS_KEY:
		return valid_kms_key(value) ? NULL : "a KMS key (its id, alias/NAME, or ARN)";
	case TYPE_ACCOUNT:
		return valid_account(value, strlen(value)) ? NULL : "an account (12 digits)";
	case TYPE_NAME:
	case TYPE_PATH:
	case TYPE_INT:
	case TYPE_SECONDS:
	case TYPE_SIZE:
	case TYPE_WORD:
	case TYPE_URL:
		return NULL;
	}
	return NULL;
}

int conf_value_check(const struct conf_keydef *key, const char *value, const char *where,
		     char **ret_why)
{
	const char *what;
	int r;

	if (!*value)
		return conf_complain(ret_why, "%s: the value is missing", where);
	r = conf_value_check_line(value, where, ret_why);
	if (r < 0)
		return r;
	if (key->type == TYPE_INT)
		return check_int(key, value, where, ret_why);
	if (key->type == TYPE_SECONDS)
		return check_seconds(key, value, where, ret_why);
	if (key->type == TYPE_SIZE)
		return check_size(key, value, where, ret_why);
	if (key->type == TYPE_WORD)
		return check_word(key, value, where, ret_why);
	if (key->type == TYPE_URL)
		return check_url(value, where, ret_why);
	what = wrong(key->type, value);
	return what ? conf_complain(ret_why, "%s: '%.200s' is not %s", where, value, what) : 0;
}
