#include "stack.h"

#include <errno.h>
#include <string.h>

#include "xacctfs/s3/client.h"
#include "xacctfs/util/log.h"
#include "xacctfs/util/secret.h"

#include "control.h"

/* Then uploads that are left are for --incomplete-uploads. */
#define END_TIMEOUT_MS 5000

static int open_transport(struct stack *stack, const struct conf *conf)
{
	struct http_curl_options options = {
	    .connect_timeout_ms = conf->connect_timeout_ms,
	    .stall_timeout_ms = conf->stall_timeout_ms,
	    .ca_bundle = conf->ca_bundle,
	    .user_agent = "xacctfs/" XACCTFS_VERSION,
	};
	int r = http_curl_new(&options, &stack->transport);

	if (r == -EINVAL)
		log_error("ca_bundle %s cannot be read", conf->ca_bundle);
	return r;
}

static int open_session(struct stack *stack, const struct conf *conf)
{
	struct session_options options = {
	    .clock = clock_system(),
	    .sts = &stack->sts,
	    .roles = conf->roles,
	    .n_roles = conf->n_roles,
	};
	int r = credentials_provider_new(&conf->identity, &stack->provider);

	/* those that the provider does not take, too: fusermount3 would inherit them */
	secret_unsetenv("AWS_SECRET_ACCESS_KEY");
	secret_unsetenv("AWS_SESSION_TOKEN");
	if (r < 0)
		return r;
	options.provider = stack->provider;
	return session_new(&options, &stack->session);
}

static int open_fs(struct stack *stack, const struct conf *conf, struct call_group *closing)
{
	struct fs_options options = {
	    .clock = clock_system(),
	    .store = stack->store,
	    .metadata_ttl_ms = conf->metadata_ttl_ms,
	    .uid = conf->uid,
	    .gid = conf->gid,
	    .dir_mode = conf->dir_mode,
	    .file_mode = conf->file_mode,
	    .posix = conf->posix,
	    .bucket = conf->bucket,
	    .prefix = conf->prefix,
	    .memory_limit = conf->memory_limit,
	    .staging_dir = conf->staging_dir,
	    .staging_limit = conf->staging_limit,
	    .background_timeout_ms = conf->request_timeout_ms,
	    .closing = closing,
	};

	control_give(stack, &options);
	return fs_new(&options, &stack->fs);
}

int stack_open(struct stack *stack, const struct conf *conf, struct call_group *closing)
{
	int r;

	*stack = (struct stack){.conf = conf, .closing = closing};
	r = open_transport(stack, conf);
	if (r == 0) {
		aws_caller_init(&stack->caller, stack->transport, clock_system(),
				conf->max_attempts);
		r = sts_init(&stack->sts, &stack->caller, conf);
	}
	if (r == 0)
		r = open_session(stack, conf);
	if (r == 0)
		r = s3_store_new(&stack->caller, stack->session, conf, &stack->store);
	if (r == 0 && conf->mountpoint)
		r = open_fs(stack, conf, closing);
	if (r == -ENOMEM)
		log_error("%s", strerror(-r));
	return r;
}

/* What the file system could not abort, and what it knows nothing of. */
static void end_uploads(struct stack *stack)
{
	struct call call;

	call_init(&call, stack->closing, clock_system(), END_TIMEOUT_MS);
	s3_end_uploads(stack->store, &call);
	call_deinit(&call);
}

void stack_close(struct stack *stack)
{
	bool mounted = stack->fs;

	fs_free(stack->fs);
	if (mounted)
		end_uploads(stack);
	store_free(stack->store);
	session_free(stack->session);
	credentials_provider_free(stack->provider);
	sts_deinit(&stack->sts);
	if (stack->transport)
		aws_caller_deinit(&stack->caller);
	http_transport_free(stack->transport);
	*stack = (struct stack){0};
}
