#include "xacctfs/http/retry.h"

#include <ctype.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "xacctfs/util/timefmt.h"

#define RETRY_AFTER_MAX_MS (3600 * INT64_C(1000))

int64_t retry_delay_ms(int attempt, int64_t retry_after_ms, uint32_t random)
{
	int64_t window = RETRY_BASE_MS;
	int64_t delay;

	for (int i = 1; i < attempt && window < RETRY_CAP_MS; i++)
		window *= 2;
	if (window > RETRY_CAP_MS)
		window = RETRY_CAP_MS;
	delay = random % (window + 1);
	return delay > retry_after_ms ? delay : retry_after_ms;
}

static int64_t clamp(int64_t ms)
{
	if (ms < 0)
		return 0;
	return ms < RETRY_AFTER_MAX_MS ? ms : RETRY_AFTER_MAX_MS;
}

int64_t retry_after_parse(const char *value, int64_t now_wall_ms)
{
	int64_t date_ms, seconds = 0;
	const char *p;

	if (!value)
		return 0;
	if (time_parse_http(value, &date_ms) == 0)
		return clamp(date_ms - now_wall_ms);
	for (p = value; isdigit((unsigned char)*p); p++)
		if (seconds <= RETRY_AFTER_MAX_MS)
			seconds = seconds * 10 + (*p - '0');
	return *p == '\0' ? clamp(seconds * 1000) : 0;
}

void retry_budget_init(struct retry_budget *budget)
{
	*budget = (struct retry_budget){.tokens = RETRY_BUDGET_TOKENS};
	pthread_mutex_init(&budget->lock, NULL);
}

void retry_budget_deinit(struct retry_budget *budget)
{
	pthread_mutex_destroy(&budget->lock);
}

bool retry_budget_take(struct retry_budget *budget, int cost)
{
	bool enough;

	pthread_mutex_lock(&budget->lock);
	enough = budget->tokens >= cost;
	if (enough)
		budget->tokens -= cost;
	pthread_mutex_unlock(&budget->lock);
	return enough;
}

void retry_budget_give(struct retry_budget *budget, int tokens)
{
	pthread_mutex_lock(&budget->lock);
	budget->tokens = tokens < RETRY_BUDGET_TOKENS - budget->tokens ? budget->tokens + tokens
								       : RETRY_BUDGET_TOKENS;
	pthread_mutex_unlock(&budget->lock);
}

uint32_t retry_random(void)
{
	struct timespec ts;
	uint32_t random;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) == (ssize_t)sizeof(random))
		return random;
	/* early in boot: spread enough for hosts that started together */
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint32_t)ts.tv_nsec * UINT32_C(2654435761);
}
