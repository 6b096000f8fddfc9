#include "xacctfs/aws/session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/http/retry.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"
#include "xacctfs/util/timefmt.h"
#include "xacctfs/util/waiter.h"

/* No two attempts that requests ask for are closer than this, however many ask. */
#define SPACING_MS 1000
/* After a failed attempt: from 200 ms, doubled up to half a minute, jittered down to the half. */
#define BACKOFF_BASE_MS 200
#define BACKOFF_CAP_MS  30000
/* One attempt's patience: a hanging STS must not use up the time that others could be tried in. */
#define ATTEMPT_TIMEOUT_MS 20000
/* How soon a changed credentials file is noticed while sign-in fails. */
#define WATCH_MS 1000
/* A wall clock that moved this much against the boot clock was set, not disciplined. */
#define WALL_JUMP_MS 30000
/* Credentials this near to their end may have been refused for it. */
#define ENDING_MS 1000

struct session {
	struct session_options options;
	struct call_group group; /* the refresher's own calls */
	pthread_t thread;
	bool started; /* of the thread that starts and stops */

	pthread_mutex_t lock;
	pthread_cond_t changed;          /* anything below, or a waiter's call was cancelled */
	struct credentials *credentials; /* lock; NULL before the first sign-in */
	struct sts_role_session info;    /* lock; arn and expiry; its credentials are not used */
	bool wanted;                     /* lock: a request waits for a renewal */
	bool stopping;                   /* lock */
	uint64_t attempts;               /* lock: ended ones */
	uint64_t renewals, failures;     /* lock */
	unsigned int failures_in_a_row;  /* lock */
	int64_t last_attempt_ms;         /* lock: when the last one ended, boot time */
	int64_t next_attempt_ms;         /* lock: boot time */
	int64_t last_failure_wall_ms;    /* lock */
	char last_failure[640];          /* lock: why an attempt failed last, or "" */

	int64_t wall_offset_ms; /* refresher: wall less boot clock, as last seen */
};

int session_new(const struct session_options *options, struct session **ret_session)
{
	struct session *session = calloc(1, sizeof(*session));
	struct clock *clock = options->clock;

	if (!session)
		return -ENOMEM;
	if (clock_cond_init(&session->changed) < 0) {
		free(session);
		return -ENOMEM;
	}
	session->options = *options;
	session->wall_offset_ms = clock->wall_ms(clock) - clock->boot_ms(clock);
	pthread_mutex_init(&session->lock, NULL);
	call_group_init(&session->group);
	*ret_session = session;
	return 0;
}

static int64_t boot_ms(const struct session *session)
{
	return session->options.clock->boot_ms(session->options.clock);
}

/* ---- signing in: the provider, then each role of the chain ---- */

static void describe_role_failure(const struct conf_role *role, int r,
				  const struct aws_error *error, struct session_failure *failure)
{
	const char *ended = "";
	char text[400];

	if (r == -ETIMEDOUT)
		ended = "timed out";
	else if (r < 0 && r != -EBADMSG)
		ended = strerror(-r);
	aws_error_format(error, text, sizeof(text));
	snprintf(failure->text, sizeof(failure->text), "sts:AssumeRole of %.160s: %s%s%s",
		 role->role_arn, ended, ended[0] ? "; " : "", text);
}

static int sign_in(struct session *session, struct call *call, int max_attempts,
		   struct sts_role_session *ret_info, struct session_failure *failure)
{
	const struct session_options *o = &session->options;
	_cleanup_(credentials_unrefp) struct credentials *credentials = NULL;
	_cleanup_(freep) char *why = NULL;
	int r;

	*failure = (struct session_failure){.link = LINK_BASE};
	r = o->provider->fetch(o->provider, call, &credentials, &why);
	if (r < 0) {
		failure->broken = diagnose(LINK_BASE, r, NULL);
		snprintf(failure->text, sizeof(failure->text), "base credentials (%s): %s",
			 o->provider->name, why ? why : strerror(-r));
		return r;
	}
	failure->link = LINK_ROLE;
	for (size_t i = 0; i < o->n_roles; i++) {
		struct sts_role_session info = {0};
		struct aws_error error;

		failure->role = i;
		r = sts_assume_role(o->sts, call, credentials, &o->roles[i], max_attempts, &info,
				    &error);
		if (r != 0) {
			failure->broken = diagnose(LINK_ROLE, r, &error);
			describe_role_failure(&o->roles[i], r, &error, failure);
			return r;
		}
		credentials_unref(credentials);
		credentials = credentials_ref(info.credentials);
		sts_role_session_deinit(ret_info);
		*ret_info = info;
	}
	return 0;
}

/* ---- the state, under the lock ---- */

static void install_locked(struct session *session, struct sts_role_session *info)
{
	int64_t now = boot_ms(session);
	int64_t jitter = (int64_t)(retry_random() % (uint32_t)(info->lifetime_ms / 20 + 1));

	credentials_unref(session->credentials);
	session->credentials = credentials_ref(info->credentials);
	sts_role_session_deinit(&session->info);
	session->info = *info;
	*info = (struct sts_role_session){0};
	session->failures_in_a_row = 0;
	session->next_attempt_ms = now + session->info.lifetime_ms * 2 / 3 - jitter;
}

static void back_off_locked(struct session *session)
{
	unsigned int n = session->failures_in_a_row++;
	int64_t delay = n < 8 ? (int64_t)BACKOFF_BASE_MS << n : BACKOFF_CAP_MS;

	if (delay > BACKOFF_CAP_MS)
		delay = BACKOFF_CAP_MS;
	session->failures++;
	session->next_attempt_ms =
	    boot_ms(session) + delay / 2 + (int64_t)(retry_random() % (uint32_t)(delay / 2 + 1));
}

static void note_failure_locked(struct session *session, const struct session_failure *failure)
{
	session->last_failure_wall_ms = aws_caller_now_ms(session->options.sts->caller);
	snprintf(session->last_failure, sizeof(session->last_failure), "%s", failure->text);
}

static bool valid_locked(const struct session *session)
{
	return session->credentials && boot_ms(session) < session->credentials->expires_ms;
}

static int64_t remaining_locked(const struct session *session)
{
	int64_t left =
	    session->credentials ? session->credentials->expires_ms - boot_ms(session) : 0;

	return left > 0 ? left : 0;
}

/* ---- the refresher ---- */

static void log_outcome(struct session *session, int r, const struct session_failure *failure,
			bool recovered)
{
	char expires[TIME_ISO_LEN + 1];
	int64_t left;

	pthread_mutex_lock(&session->lock);
	left = remaining_locked(session);
	time_format_iso(session->info.expires_wall_ms, expires);
	pthread_mutex_unlock(&session->lock);
	if (r == 0)
		log_write(recovered ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
			  "session renewed%s, valid until %s", recovered ? " after failures" : "",
			  expires);
	else if (left > 0)
		log_warn("session not renewed: %s. The old one is valid for %" PRId64 " s more. %s",
			 failure->text, left / 1000, link_break_remedy(failure->broken));
	else
		log_error("session has ended and is not renewed: %s. Calls fail with EKEYEXPIRED "
			  "until it is. %s",
			  failure->text, link_break_remedy(failure->broken));
}

/* One attempt, outside the lock but for its result. */
static void renew(struct session *session)
{
	struct sts_role_session info = {0};
	struct session_failure failure;
	struct call call;
	bool recovered, cancelled;
	int r;

	call_init(&call, &session->group, session->options.clock, ATTEMPT_TIMEOUT_MS);
	r = sign_in(session, &call, 1, &info, &failure);
	cancelled = call_check(&call) == -EINTR;
	call_deinit(&call);

	pthread_mutex_lock(&session->lock);
	recovered = session->failures_in_a_row > 0;
	if (r == 0) {
		install_locked(session, &info);
		session->renewals++;
	} else {
		back_off_locked(session);
		note_failure_locked(session, &failure);
	}
	session->attempts++;
	session->last_attempt_ms = boot_ms(session);
	session->wanted = false; /* whoever asked meanwhile is answered by this one */
	pthread_cond_broadcast(&session->changed);
	pthread_mutex_unlock(&session->lock);
	sts_role_session_deinit(&info);
	if (!cancelled)
		log_outcome(session, r, &failure, recovered);
}

/* Suspend moves the boot clock along and is no jump; a set clock or a paused machine is. */
static bool wall_clock_jumped(struct session *session)
{
	struct clock *clock = session->options.clock;
	int64_t offset = clock->wall_ms(clock) - clock->boot_ms(clock);
	int64_t moved = offset - session->wall_offset_ms;

	if (llabs(moved) < WALL_JUMP_MS)
		return false;
	session->wall_offset_ms = offset;
	log_warn("the wall clock jumped by %" PRId64 " s: renewing the session now", moved / 1000);
	/* a machine that was paused lost this time without its boot clock knowing; if the clock was
	 * only set right, the next answer's Date says so */
	if (moved > 0)
		aws_caller_shift_time(session->options.sts->caller, moved);
	return true;
}

/* When the next attempt is due, boot time. */
static int64_t due_locked(const struct session *session)
{
	int64_t soonest = session->last_attempt_ms + SPACING_MS;

	if (session->wanted && soonest < session->next_attempt_ms)
		return soonest;
	return session->next_attempt_ms;
}

/* Lets the lock go meanwhile: the file may be on a server that hangs. */
static bool source_changed_unlocking(struct session *session)
{
	struct credentials_provider *provider = session->options.provider;
	bool changed;

	pthread_mutex_unlock(&session->lock);
	changed = provider->changed(provider);
	pthread_mutex_lock(&session->lock);
	return changed;
}

static void wait_until_due_locked(struct session *session)
{
	struct clock *clock = session->options.clock;

	while (!session->stopping) {
		int64_t now = boot_ms(session), due = due_locked(session), until = due;

		if (now >= due)
			return;
		if (wall_clock_jumped(session))
			return;
		if (session->failures_in_a_row > 0) {
			if (source_changed_unlocking(session))
				return;
			if (session->stopping || due_locked(session) != due)
				continue;
			if (until > now + WATCH_MS)
				until = now + WATCH_MS;
		}
		clock->wait(clock, &session->changed, &session->lock, until);
	}
}

static void *refresher(void *data)
{
	struct session *session = data;

	pthread_mutex_lock(&session->lock);
	for (;;) {
		wait_until_due_locked(session);
		if (session->stopping)
			break;
		pthread_mutex_unlock(&session->lock);
		renew(session);
		pthread_mutex_lock(&session->lock);
	}
	pthread_mutex_unlock(&session->lock);
	return NULL;
}

/* ---- life ---- */

/* The errno of a failed first sign-in. */
static int failure_errno(int r, const struct session_failure *failure)
{
	if (r < 0 && r != -EBADMSG)
		return failure->link == LINK_BASE && r != -EINTR && r != -ENOMEM ? -EACCES : r;
	switch (failure->broken) {
	case BREAK_UNREACHABLE:
		return -EHOSTUNREACH;
	case BREAK_SERVER:
	case BREAK_THROTTLED:
	case BREAK_UNSUPPORTED:
		return -EIO;
	case BREAK_NONE:
	case BREAK_NO_CREDENTIALS:
	case BREAK_KEY_REFUSED:
	case BREAK_TOKEN_EXPIRED:
	case BREAK_ASSUME_DENIED:
	case BREAK_CLOCK:
	case BREAK_REGION:
	case BREAK_ROLE_PARAMETER:
	case BREAK_LIST_DENIED:
	case BREAK_BUCKET_DENIED:
	case BREAK_NO_BUCKET:
		break;
	}
	return -EACCES;
}

int session_start(struct session *session, struct call *call, struct session_failure *ret_failure)
{
	struct sts_role_session info = {0};
	int r;

	r = sign_in(session, call, 0, &info, ret_failure);
	if (r != 0) {
		sts_role_session_deinit(&info);
		return failure_errno(r, ret_failure);
	}
	pthread_mutex_lock(&session->lock);
	install_locked(session, &info);
	session->last_attempt_ms = boot_ms(session);
	pthread_mutex_unlock(&session->lock);
	r = pthread_create(&session->thread, NULL, refresher, session);
	if (r != 0) {
		snprintf(ret_failure->text, sizeof(ret_failure->text), "no refresher thread: %s",
			 strerror(r));
		return -r;
	}
	session->started = true;
	return 0;
}

void session_stop(struct session *session)
{
	pthread_mutex_lock(&session->lock);
	session->stopping = true;
	pthread_cond_broadcast(&session->changed);
	pthread_mutex_unlock(&session->lock);
	call_group_cancel(&session->group);
	if (session->started)
		pthread_join(session->thread, NULL);
	session->started = false;
}

void session_free(struct session *session)
{
	if (!session)
		return;
	session_stop(session);
	credentials_unref(session->credentials);
	sts_role_session_deinit(&session->info);
	call_group_deinit(&session->group);
	pthread_cond_destroy(&session->changed);
	pthread_mutex_destroy(&session->lock);
	free(session);
}

/* ---- those who need credentials ---- */

/* Asks for a renewal and waits until one has ended. 0, -EINTR, -ETIMEDOUT. */
static int wait_for_attempt_locked(struct session *session, struct waiter *waiter)
{
	uint64_t seen = session->attempts;
	int r = 0;

	session->wanted = true;
	pthread_cond_broadcast(&session->changed);
	while (r == 0 && session->attempts == seen)
		r = session->stopping ? -EINTR : waiter_wait_locked(waiter);
	return r;
}

/* Credentials that are valid and not the refused ones, by one renewal at most. */
static int obtain(struct session *session, struct call *call, const struct credentials *refused,
		  struct credentials **ret_credentials)
{
	struct waiter waiter;
	int r = 0;

	waiter_begin(&waiter, call, &session->lock, &session->changed);
	pthread_mutex_lock(&session->lock);
	if (!valid_locked(session) || session->credentials == refused)
		r = wait_for_attempt_locked(session, &waiter);
	/* the refresher's last attempt, which stopping ended, may come before its waiters wake */
	if (r == 0 && (!valid_locked(session) || session->credentials == refused))
		r = session->stopping ? -EINTR : -EKEYEXPIRED;
	if (r == 0)
		*ret_credentials = credentials_ref(session->credentials);
	pthread_mutex_unlock(&session->lock);
	waiter_end(&waiter);
	return r;
}

int session_get(struct session *session, struct call *call, struct credentials **ret_credentials)
{
	pthread_mutex_lock(&session->lock);
	if (valid_locked(session)) {
		*ret_credentials = credentials_ref(session->credentials);
		pthread_mutex_unlock(&session->lock);
		return 0;
	}
	pthread_mutex_unlock(&session->lock);
	return obtain(session, call, NULL, ret_credentials);
}

int session_replace(struct session *session, struct call *call, struct credentials *refused,
		    struct credentials **ret_credentials)
{
	return obtain(session, call, refused, ret_credentials);
}

bool session_may_have_ended(struct session *session, const struct credentials *credentials)
{
	return credentials->expires_ms != CLOCK_NEVER &&
	       boot_ms(session) + ENDING_MS >= credentials->expires_ms;
}

void session_get_status(struct session *session, struct session_status *ret_status)
{
	int64_t now;

	pthread_mutex_lock(&session->lock);
	now = boot_ms(session);
	*ret_status = (struct session_status){
	    .expires_wall_ms = session->info.expires_wall_ms,
	    .remaining_ms = remaining_locked(session),
	    .renewals = session->renewals,
	    .failures = session->failures,
	    .failing = session->failures_in_a_row > 0,
	    .next_renewal_ms = due_locked(session) > now ? due_locked(session) - now : 0,
	    .last_failure_wall_ms = session->last_failure_wall_ms,
	};
	strcpy(ret_status->last_failure, session->last_failure);
	if (session->info.arn)
		snprintf(ret_status->arn, sizeof(ret_status->arn), "%s", session->info.arn);
	pthread_mutex_unlock(&session->lock);
}
