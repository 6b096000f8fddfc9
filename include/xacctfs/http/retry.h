/*
 * http/retry: whether and when to try again. Pure but for the budget.
 *
 * Exponential back-off with full jitter and a token bucket, as the AWS SDKs' "standard" mode does
 * it (AWS SDKs and Tools Reference Guide, "Retry behavior").
 */
#ifndef XACCTFS_HTTP_RETRY_H
#define XACCTFS_HTTP_RETRY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define RETRY_BASE_MS 100
#define RETRY_CAP_MS  20000

/*
 * How long to wait before attempt `attempt` + 1 (attempts count from 1): a random time up to
 * min(cap, base * 2^(attempt - 1)), and no less than what the server asked for. retry_after_ms:
 * 0 for none. random: 32 random bits.
 */
int64_t retry_delay_ms(int attempt, int64_t retry_after_ms, uint32_t random);

/*
 * The milliseconds that a Retry-After header asks for (RFC 9110, 10.2.3: seconds, or a date, which
 * is measured against now_wall_ms). 0 for NULL, for nonsense and for the past; an hour at most.
 */
int64_t retry_after_parse(const char *value, int64_t now_wall_ms);

/* Shared by all calls: when most requests fail, most retries are not sent. */
struct retry_budget {
	pthread_mutex_t lock;
	int tokens; /* lock */
};

#define RETRY_BUDGET_TOKENS 500
#define RETRY_COST          5  /* of a retry after an error reply or a broken connection */
#define RETRY_COST_TIMEOUT  10 /* of a retry after a time-out */

void retry_budget_init(struct retry_budget *budget);
void retry_budget_deinit(struct retry_budget *budget);
/* Takes cost tokens. False, taking none, when there are not enough. */
bool retry_budget_take(struct retry_budget *budget, int cost);
/* Gives back what a retry took, when it succeeded; 1 for a first attempt that did. */
void retry_budget_give(struct retry_budget *budget, int tokens);

/* 32 random bits, good enough for jitter. Thread-safe. */
uint32_t retry_random(void);

#endif
