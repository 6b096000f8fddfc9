#include "xacctfs/util/timefmt.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "xacctfs/util/cleanup.h"

/* Of the years that are read and have four digits. */
#define LEAST_S INT64_C(-2208988800)  /* 1900-01-01T00:00:00Z */
#define MOST_S  INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

/* timegm() mends fields that are out of range; a server's must be refused instead. */
static int to_ms(const struct tm *tm, int64_t *ret_ms)
{
	struct tm copy = *tm;
	time_t t;

	copy.tm_sec = 0; /* a leap second's 60 is fine, and would move the minute */
	t = timegm(&copy);
	if (copy.tm_mday != tm->tm_mday || copy.tm_mon != tm->tm_mon ||
	    copy.tm_hour != tm->tm_hour || copy.tm_min != tm->tm_min || tm->tm_sec < 0 ||
	    tm->tm_sec > 60 || tm->tm_year < 0)
		return -EINVAL;
	*ret_ms = ((int64_t)t + tm->tm_sec) * 1000;
	return 0;
}

/* Exactly n digits at p; -1 when there are not. */
static int digits(const char *p, int n)
{
	int value = 0;

	for (int i = 0; i < n; i++) {
		if (!isdigit((unsigned char)p[i]))
			return -1;
		value = value * 10 + (p[i] - '0');
	}
	return value;
}

int time_parse_iso(const char *text, int64_t *ret_ms)
{
	struct tm tm = {0};
	int64_t ms, fraction = 0;
	const char *p;

	if (strlen(text) < TIME_ISO_LEN || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
	    text[13] != ':' || text[16] != ':')
		return -EINVAL;
	tm.tm_year = digits(text, 4) - 1900;
	tm.tm_mon = digits(text + 5, 2) - 1;
	tm.tm_mday = digits(text + 8, 2);
	tm.tm_hour = digits(text + 11, 2);
	tm.tm_min = digits(text + 14, 2);
	tm.tm_sec = digits(text + 17, 2);
	if (to_ms(&tm, &ms) < 0)
		return -EINVAL;

	p = text + 19;
	if (*p == '.') {
		int weight = 100;

		if (!isdigit((unsigned char)p[1]))
			return -EINVAL;
		for (p++; isdigit((unsigned char)*p); p++, weight /= 10)
			fraction += (*p - '0') * weight;
	}
	if (strcmp(p, "Z") != 0)
		return -EINVAL;
	*ret_ms = ms + fraction;
	return 0;
}

int time_parse_http(const char *text, int64_t *ret_ms)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char month[4];
	struct tm tm = {0};
	const char *m;
	int end = 0;

	if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &tm.tm_mday, month,
		   &tm.tm_year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &end) != 6 ||
	    end == 0 || text[end] != '\0' || strlen(month) != 3)
		return -EINVAL;
	m = strstr(months, month);
	if (!m || (m - months) % 3 != 0)
		return -EINVAL;
	tm.tm_mon = (int)(m - months) / 3;
	tm.tm_year -= 1900;
	return to_ms(&tm, ret_ms);
}

static struct tm utc(int64_t ms)
{
	time_t t = (time_t)(ms / 1000 - (ms % 1000 < 0));
	struct tm tm;

	if (t < LEAST_S)
		t = LEAST_S;
	if (t > MOST_S)
		t = MOST_S;
	gmtime_r(&t, &tm);
	return tm;
}

void time_format_iso(int64_t ms, char ret_text[TIME_ISO_LEN + 1])
{
	struct tm tm = utc(ms);

	strftime(ret_text, TIME_ISO_LEN + 1, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

void time_format_amz(int64_t ms, char ret_text[TIME_AMZ_LEN + 1])
{
	struct tm tm = utc(ms);

	strftime(ret_text, TIME_AMZ_LEN + 1, "%Y%m%dT%H%M%SZ", &tm);
}
