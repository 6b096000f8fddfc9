/*
 * util/timefmt: the dates that AWS speaks. All in UTC, all in milliseconds since 1970.
 */
#ifndef XACCTFS_UTIL_TIMEFMT_H
#define XACCTFS_UTIL_TIMEFMT_H

#include <stdint.h>

/* "2026-11-23T20:13:18Z", with or without a fraction of any length. Returns 0 or -EINVAL. */
int time_parse_iso(const char *text, int64_t *ret_ms);

/* "Mon, 23 Nov 2026 20:13:18 GMT" (RFC 9110, 5.6.7, the preferred form). Returns 0 or -EINVAL. */
int time_parse_http(const char *text, int64_t *ret_ms);

#define TIME_ISO_LEN 20 /* "2026-11-23T20:13:18Z" */
#define TIME_AMZ_LEN 16 /* "20261123T201318Z" */

/*
 * Whole seconds, rounded down. What is before 1900 or behind 9999, as the time of a server may be
 * whose Date is believed, is written as the nearest moment that has a form.
 */
void time_format_iso(int64_t ms, char ret_text[TIME_ISO_LEN + 1]);
void time_format_amz(int64_t ms, char ret_text[TIME_AMZ_LEN + 1]);

#endif
