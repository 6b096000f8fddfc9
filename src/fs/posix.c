#include "posix.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "xacctfs/util/cleanup.h"

#define NS_PER_S    1000000000
#define SECONDS_MAX (INT64_MAX / NS_PER_S - 1)
#define MODE_MAX    (S_IFMT | 07777)
#define TEXT_MAX    32 /* of one value */

static const char *const names[] = {"mode", "uid", "gid", "mtime"};

/* ---- reading ---- */

/* Digits up to end. */
static bool parse_digits(const char *text, const char *end, uint64_t max, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (text == end)
		return false;
	for (; text < end; text++) {
		if (!isdigit((unsigned char)*text))
			return false;
		number = number * 10 + (uint64_t)(*text - '0');
		if (number > max)
			return false;
	}
	*ret_number = number;
	return true;
}

static bool read_number(const struct object *object, const char *name, uint64_t max,
			uint64_t *ret_number)
{
	const char *text = object_meta_get(object, name);

	return text && parse_digits(text, text + strlen(text), max, ret_number);
}

/* Behind the dot: nine digits count, fewer are of the higher places. */
static bool parse_fraction(const char *text, uint64_t *ret_ns)
{
	size_t len = strlen(text);
	uint64_t ns;

	if (strspn(text, "0123456789") != len)
		return false;
	if (!parse_digits(text, text + (len < 9 ? len : 9), NS_PER_S - 1, &ns))
		return false;
	for (; len < 9; len++)
		ns *= 10;
	*ret_ns = ns;
	return true;
}

/* As s3fs writes a timespec: the seconds rounded down, and what is to be added. */
static bool parse_time(const char *text, int64_t *ret_ns)
{
	bool negative = *text == '-';
	const char *digits = text + negative, *dot = strchrnul(digits, '.');
	uint64_t seconds, ns = 0;

	if (!parse_digits(digits, dot, SECONDS_MAX, &seconds))
		return false;
	if (*dot && !parse_fraction(dot + 1, &ns))
		return false;
	*ret_ns = (negative ? -1 : 1) * (int64_t)seconds * NS_PER_S + (int64_t)ns;
	return true;
}

void posix_read(const struct object *object, struct posix_attr *ret_attr)
{
	const char *mtime = object_meta_get(object, "mtime");
	struct posix_attr attr = {0};
	uint64_t number;

	if (read_number(object, "mode", MODE_MAX, &number)) {
		attr.has |= POSIX_MODE;
		attr.mode = (mode_t)number;
	}
	/* the highest number is nobody's: chown(2) */
	if (read_number(object, "uid", UINT32_MAX - 1, &number)) {
		attr.has |= POSIX_UID;
		attr.uid = (uid_t)number;
	}
	if (read_number(object, "gid", UINT32_MAX - 1, &number)) {
		attr.has |= POSIX_GID;
		attr.gid = (gid_t)number;
	}
	if (mtime && parse_time(mtime, &attr.mtime_ns))
		attr.has |= POSIX_MTIME;
	*ret_attr = attr;
}

/* ---- writing ---- */

static void format_time(int64_t ns, char text[TEXT_MAX])
{
	int64_t seconds = ns / NS_PER_S, rest = ns % NS_PER_S;

	if (rest < 0) {
		seconds--;
		rest += NS_PER_S;
	}
	if (rest)
		snprintf(text, TEXT_MAX, "%" PRId64 ".%09" PRId64, seconds, rest);
	else
		snprintf(text, TEXT_MAX, "%" PRId64, seconds);
}

/* The value of names[i]. */
static void format_value(const struct posix_attr *attr, size_t i, char text[TEXT_MAX])
{
	switch (1U << i) {
	case POSIX_MODE:
		snprintf(text, TEXT_MAX, "%u", attr->mode);
		break;
	case POSIX_UID:
		snprintf(text, TEXT_MAX, "%u", attr->uid);
		break;
	case POSIX_GID:
		snprintf(text, TEXT_MAX, "%u", attr->gid);
		break;
	default:
		format_time(attr->mtime_ns, text);
	}
}

void posix_meta_deinit(struct posix_meta *meta)
{
	for (size_t i = 0; i < meta->n; i++) {
		free(meta->v[i].name);
		free(meta->v[i].value);
	}
	free(meta->v);
	*meta = (struct posix_meta){0};
}

static int add(struct posix_meta *meta, const char *name, const char *value)
{
	struct object_meta *one = &meta->v[meta->n++];

	*one = (struct object_meta){.name = strdup(name), .value = strdup(value)};
	return one->name && one->value ? 0 : -ENOMEM;
}

static bool is_replaced(const struct posix_attr *attr, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if ((attr->has & 1U << i) && !strcmp(names[i], name))
			return true;
	return false;
}

int posix_merge(const struct object_meta *old, size_t n_old, const struct posix_attr *attr,
		struct posix_meta *ret_meta)
{
	_cleanup_(posix_meta_deinit) struct posix_meta meta = {0};
	char text[TEXT_MAX];
	int r = 0;

	meta.v = calloc(n_old + ARRAY_LEN(names), sizeof(*meta.v));
	if (!meta.v)
		return -ENOMEM;
	for (size_t i = 0; i < n_old && r == 0; i++)
		if (!is_replaced(attr, old[i].name))
			r = add(&meta, old[i].name, old[i].value);
	for (size_t i = 0; i < ARRAY_LEN(names) && r == 0; i++) {
		if (!(attr->has & 1U << i))
			continue;
		format_value(attr, i, text);
		r = add(&meta, names[i], text);
	}
	if (r < 0)
		return r;
	*ret_meta = meta;
	meta = (struct posix_meta){0};
	return 0;
}
