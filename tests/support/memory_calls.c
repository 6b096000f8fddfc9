#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "memory_private.h"

#define PATIENCE_S 300

/* "bucket", "bucket/key", or NULL. */
static char *name_of(const char *bucket, const char *key)
{
	char *name = NULL;

	if (bucket && asprintf(&name, "%s%s%s", bucket, key ? "/" : "", key ? key : "") < 0)
		abort();
	return name;
}

struct waiter {
	struct memory_store *s3;
	bool cancelled; /* s3->lock */
};

static void wake(void *data)
{
	struct waiter *waiter = data;

	pthread_mutex_lock(&waiter->s3->lock);
	waiter->cancelled = true;
	pthread_cond_broadcast(&waiter->s3->changed);
	pthread_mutex_unlock(&waiter->s3->lock);
}

/* Waits while the test holds calls there. 0, or as call_check. */
static int wait_for_test(struct memory_call *c, enum memory_when when)
{
	struct memory_calls *calls = &c->s3->calls[c->op];
	struct waiter waiter = {.s3 = c->s3};
	struct call_watch watch;
	size_t held = 0;
	bool late;

	call_watch(c->call, &watch, wake, &waiter);
	pthread_mutex_lock(&c->s3->lock);
	while (!(late = call_remaining_ms(c->call) == 0) && !waiter.cancelled &&
	       calls->hold[when]) {
		if (held == 0) {
			held = 1;
			calls->held++;
			pthread_cond_broadcast(&c->s3->changed);
		}
		c->call->clock->wait(c->call->clock, &c->s3->changed, &c->s3->lock,
				     c->call->deadline_ms);
	}
	calls->held -= held;
	pthread_mutex_unlock(&c->s3->lock);
	call_unwatch(c->call, &watch);
	if (waiter.cancelled)
		return -EINTR;
	return late ? -ETIMEDOUT : 0;
}

static int run_hook(struct memory_call *c, enum memory_when when)
{
	struct memory_store *s3 = c->s3;
	memory_hook_fn *hook;
	void *data;

	pthread_mutex_lock(&s3->lock);
	hook = s3->hook;
	data = s3->data;
	pthread_mutex_unlock(&s3->lock);
	return hook ? hook(data, c->op, when, c->name) : 0;
}

static int refusal_locked(struct memory_store *s3, const char *name)
{
	return s3->denied && name && !strcmp(name, s3->denied) ? s3->denied_error : 0;
}

int memory_refusal(struct memory_store *s3, const char *bucket, const char *key)
{
	char *name = name_of(bucket, key);
	int r;

	pthread_mutex_lock(&s3->lock);
	r = refusal_locked(s3, name);
	pthread_mutex_unlock(&s3->lock);
	free(name);
	return r;
}

/* What is due now; what is due later is noted in c. */
static int apply_fault(struct memory_call *c, const struct memory_fault *fault)
{
	switch (fault->when) {
	case MEMORY_BEFORE:
		return fault->error;
	case MEMORY_DURING:
		c->cut_error = fault->error;
		c->cut_bytes = fault->bytes;
		break;
	case MEMORY_AFTER:
		c->late_error = fault->error;
		break;
	}
	return 0;
}

static int take_faults_locked(struct memory_call *c)
{
	struct memory_store *s3 = c->s3;
	struct memory_calls *calls = &s3->calls[c->op];
	int r = refusal_locked(s3, c->name);

	if (calls->failures > 0) {
		calls->failures--;
		r = calls->error;
	}
	for (size_t i = 0; i < MEMORY_FAULTS; i++) {
		struct memory_fault *fault = &s3->faults[i];
		int error = 0;

		if (fault->in > 0 && (fault->op == c->op || fault->op == MEMORY_ANY) &&
		    --fault->in == 0)
			error = apply_fault(c, fault);
		if (error < 0)
			r = error;
	}
	return r;
}

static int enter(struct memory_call *c)
{
	int r = call_check(c->call);

	if (r < 0)
		return r;
	pthread_mutex_lock(&c->s3->lock);
	c->s3->calls[c->op].n++;
	pthread_mutex_unlock(&c->s3->lock);
	r = run_hook(c, MEMORY_BEFORE);
	if (r < 0)
		return r;
	pthread_mutex_lock(&c->s3->lock);
	r = take_faults_locked(c);
	pthread_mutex_unlock(&c->s3->lock);
	return r < 0 ? r : wait_for_test(c, MEMORY_BEFORE);
}

int memory_begin(struct memory_call *c, struct store *store, struct call *call, enum memory_op op,
		 const char *bucket, const char *key)
{
	int r;

	*c = (struct memory_call){.s3 = memory_of(store), .call = call, .op = op};
	c->name = name_of(bucket, key);
	r = enter(c);
	if (r < 0)
		free(c->name);
	return r;
}

int memory_between(struct memory_call *c)
{
	int r = wait_for_test(c, MEMORY_DURING);

	return r < 0 ? r : run_hook(c, MEMORY_DURING);
}

int memory_end(struct memory_call *c, int r)
{
	if (r == 0)
		r = wait_for_test(c, MEMORY_AFTER);
	if (r == 0)
		r = run_hook(c, MEMORY_AFTER);
	if (r == 0)
		r = c->late_error;
	free(c->name);
	return r;
}

/* ---- the test's side ---- */

static void add_fault(struct memory_store *s3, struct memory_fault fault)
{
	size_t i = 0;

	pthread_mutex_lock(&s3->lock);
	while (i < MEMORY_FAULTS && s3->faults[i].in > 0)
		i++;
	if (i == MEMORY_FAULTS)
		abort();
	s3->faults[i] = fault;
	pthread_mutex_unlock(&s3->lock);
}

void memory_fail_nth(struct memory_store *s3, enum memory_op op, size_t nth, enum memory_when when,
		     int error)
{
	add_fault(s3, (struct memory_fault){.op = op, .when = when, .in = nth, .error = error});
}

void memory_cut(struct memory_store *s3, size_t nth, uint64_t bytes, int error)
{
	add_fault(s3, (struct memory_fault){.op = MEMORY_GET_OBJECT,
					    .when = MEMORY_DURING,
					    .in = nth,
					    .bytes = bytes,
					    .error = error});
}

void memory_clear_faults(struct memory_store *s3)
{
	pthread_mutex_lock(&s3->lock);
	memset(s3->faults, 0, sizeof(s3->faults));
	for (size_t op = 0; op < MEMORY_OPS; op++)
		s3->calls[op].failures = 0;
	free(s3->denied);
	s3->denied = NULL;
	pthread_mutex_unlock(&s3->lock);
}

void memory_deny(struct memory_store *s3, const char *bucket, const char *key, int error)
{
	char *name = name_of(bucket, key);

	pthread_mutex_lock(&s3->lock);
	free(s3->denied);
	s3->denied = name;
	s3->denied_error = error;
	pthread_mutex_unlock(&s3->lock);
}

void memory_fail(struct memory_store *s3, enum memory_op op, size_t n, int error)
{
	pthread_mutex_lock(&s3->lock);
	s3->calls[op].failures = n;
	s3->calls[op].error = error;
	pthread_mutex_unlock(&s3->lock);
}

void memory_hook(struct memory_store *s3, memory_hook_fn *fn, void *data)
{
	pthread_mutex_lock(&s3->lock);
	s3->hook = fn;
	s3->data = data;
	pthread_mutex_unlock(&s3->lock);
}

void memory_hold(struct memory_store *s3, enum memory_op op, enum memory_when when)
{
	pthread_mutex_lock(&s3->lock);
	s3->calls[op].hold[when] = true;
	pthread_mutex_unlock(&s3->lock);
}

void memory_release(struct memory_store *s3, enum memory_op op)
{
	pthread_mutex_lock(&s3->lock);
	s3->calls[op].hold[MEMORY_BEFORE] = false;
	s3->calls[op].hold[MEMORY_DURING] = false;
	s3->calls[op].hold[MEMORY_AFTER] = false;
	pthread_cond_broadcast(&s3->changed);
	pthread_mutex_unlock(&s3->lock);
}

bool memory_wait_held(struct memory_store *s3, enum memory_op op, size_t n)
{
	struct timespec ts;
	bool done;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&s3->lock);
	while (!(done = s3->calls[op].held >= n) && r == 0)
		r = pthread_cond_timedwait(&s3->changed, &s3->lock, &ts);
	pthread_mutex_unlock(&s3->lock);
	return done;
}

size_t memory_count(struct memory_store *s3, enum memory_op op)
{
	size_t n = 0;

	pthread_mutex_lock(&s3->lock);
	for (size_t i = 0; i < MEMORY_OPS; i++)
		if (i == op || op == MEMORY_ANY)
			n += s3->calls[i].n;
	pthread_mutex_unlock(&s3->lock);
	return n;
}

void memory_reset_counts(struct memory_store *s3)
{
	pthread_mutex_lock(&s3->lock);
	for (size_t i = 0; i < MEMORY_OPS; i++)
		s3->calls[i].n = 0;
	s3->bytes_got = 0;
	s3->bytes_put = 0;
	pthread_mutex_unlock(&s3->lock);
}

uint64_t memory_bytes_got(struct memory_store *s3)
{
	uint64_t n;

	pthread_mutex_lock(&s3->lock);
	n = s3->bytes_got;
	pthread_mutex_unlock(&s3->lock);
	return n;
}

uint64_t memory_bytes_put(struct memory_store *s3)
{
	uint64_t n;

	pthread_mutex_lock(&s3->lock);
	n = s3->bytes_put;
	pthread_mutex_unlock(&s3->lock);
	return n;
}
