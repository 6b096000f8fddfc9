/* Dates: of listings and sessions (ISO 8601), of headers, and of Retry-After. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "xacctfs/http/retry.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/timefmt.h"

#define LEAST_MS INT64_C(-2208988800000)  /* 1900-01-01T00:00:00Z */
#define MOST_MS  INT64_C(253402300800999) /* 9999-12-31T23:59:60.999Z */

static int64_t floor_to_s(int64_t ms)
{
	int64_t rest = ms % 1000;

	return ms - (rest < 0 ? rest + 1000 : rest);
}

/* What is written is read again. */
static void write_and_read(int64_t ms)
{
	char iso[TIME_ISO_LEN + 1], amz[TIME_AMZ_LEN + 1];
	int64_t again;

	time_format_iso(ms, iso);
	time_format_amz(ms, amz);
	MUST(strlen(iso) == TIME_ISO_LEN);
	MUST(strlen(amz) == TIME_AMZ_LEN);
	MUST(time_parse_iso(iso, &again) == 0);
	if (ms >= LEAST_MS && ms < MOST_MS - 1999)
		MUST(again == floor_to_s(ms));
}

static void read_text(const char *text)
{
	int64_t iso_ms = 7, http_ms = 7, wait_ms;

	if (time_parse_iso(text, &iso_ms) == 0) {
		MUST(iso_ms >= LEAST_MS && iso_ms <= MOST_MS);
		write_and_read(iso_ms);
	} else {
		MUST(iso_ms == 7);
	}
	if (time_parse_http(text, &http_ms) == 0) {
		MUST(http_ms >= LEAST_MS && http_ms <= MOST_MS && http_ms % 1000 == 0);
		write_and_read(http_ms);
	} else {
		MUST(http_ms == 7);
	}
	wait_ms = retry_after_parse(text, 0);
	MUST(wait_ms >= 0 && wait_ms <= 3600 * 1000);
	MUST(retry_delay_ms(1, wait_ms, 0) >= wait_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = fuzz_text(data, size);
	int64_t ms;

	read_text(text);
	if (size >= sizeof(ms)) {
		memcpy(&ms, data, sizeof(ms));
		write_and_read(ms);
	}
	return 0;
}
