#include "control.h"

#include <inttypes.h>
#include <string.h>

#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/timefmt.h"

#include "metrics.h"

#define ALL   0444
#define OWNER 0400

static int add_line(struct buf *text, const char *key, const char *value)
{
	return buf_printf(text, "%s = %s\n", key, value);
}

/* ---- identity ---- */

/* The fifth field of an ARN (AWS General Reference, "Amazon Resource Names"). 0, or 1: it has none.
 */
static int add_account(struct buf *text, const char *arn)
{
	const char *end;

	for (int i = 0; i < 4; i++) {
		arn = strchr(arn, ':');
		if (!arn)
			return 1;
		arn++;
	}
	end = strchr(arn, ':');
	if (!end || end == arn)
		return 1;
	return buf_printf(text, "account = %.*s\n", (int)(end - arn), arn);
}

static int add_base(struct buf *text, const struct conf_identity *identity)
{
	if (identity->base == CONF_BASE_ENVIRONMENT)
		return add_line(text, "base", "environment");
	return buf_printf(text, "base = profile %s\n", identity->profile);
}

int control_identity(const struct conf *conf, const struct session_status *session,
		     struct buf *text)
{
	int r = add_account(text, session->arn);

	if (r > 0) /* a server need not say who we became */
		r = add_account(text, conf->roles[conf->n_roles - 1].role_arn);
	if (r >= 0)
		r = session->arn[0] ? add_line(text, "arn", session->arn) : 0;
	for (size_t i = 0; r == 0 && i < conf->n_roles; i++)
		r = add_line(text, "role_arn", conf->roles[i].role_arn);
	if (r == 0)
		r = add_base(text, &conf->identity);
	if (r == 0)
		r = add_line(text, "region", conf->region);
	if (r == 0 && conf->s3_endpoint_url)
		r = add_line(text, "s3_endpoint_url", conf->s3_endpoint_url);
	return r;
}

/* ---- session ---- */

static const char *state_of(const struct session_status *session)
{
	if (session->remaining_ms == 0)
		return "ended";
	return session->failing ? "renewal fails" : "valid";
}

static int add_time(struct buf *text, const char *key, int64_t ms)
{
	char time[TIME_ISO_LEN + 1];

	time_format_iso(ms, time);
	return add_line(text, key, time);
}

static int add_last_failure(struct buf *text, const struct session_status *session)
{
	char time[TIME_ISO_LEN + 1];

	if (!session->last_failure_wall_ms)
		return 0;
	time_format_iso(session->last_failure_wall_ms, time);
	return buf_printf(text, "last_failure = %s %s\n", time, session->last_failure);
}

int control_session(const struct session_status *session, int64_t now_ms, struct buf *text)
{
	int r = add_line(text, "state", state_of(session));

	if (r == 0)
		r = add_time(text, "expires", session->expires_wall_ms);
	if (r == 0)
		r = buf_printf(text, "remaining_seconds = %" PRId64 "\n",
			       session->remaining_ms / 1000);
	if (r == 0)
		r = add_time(text, "next_renewal", now_ms + session->next_renewal_ms);
	if (r == 0)
		r = buf_printf(text, "renewals = %" PRIu64 "\nfailed_renewals = %" PRIu64 "\n",
			       session->renewals, session->failures);
	return r < 0 ? r : add_last_failure(text, session);
}

/* ---- uploads ---- */

/* Each is one line, whatever the key. */
static int add_object(struct buf *text, const char *bucket, const char *key)
{
	int r = buf_printf(text, "s3://%s/", bucket);

	if (r == 0)
		r = buf_add_escaped(text, key);
	return r < 0 ? r : buf_add_char(text, '\n');
}

static const char *const hows[] = {
    [FS_UNSAVED_STREAM] = "stream",
    [FS_UNSAVED_STAGED] = "staged",
    [FS_UNSAVED_ATTRIBUTES] = "attributes",
};

static int add_file(struct buf *text, const struct fs_unsaved *file)
{
	int r =
	    buf_printf(text, "file %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %zu ", hows[file->how],
		       file->size, file->sent, file->under_way, file->parts_failed);

	return r < 0 ? r : add_object(text, file->bucket, file->key);
}

static int add_upload(struct buf *text, const struct s3_begun *upload)
{
	char time[TIME_ISO_LEN + 1];
	int r;

	time_format_iso(upload->begun_ms, time);
	r = buf_printf(text, "upload %s %s ", time, upload->upload_id);
	return r < 0 ? r : add_object(text, upload->bucket, upload->key);
}

int control_uploads(const struct fs_unsaved_list *files, const struct s3_begun_list *uploads,
		    struct buf *text)
{
	int r = buf_add_str(text, "# file STATE SIZE SENT SENDING FAILED-PARTS OBJECT\n"
				  "# upload BEGUN UPLOAD-ID OBJECT\n");

	for (size_t i = 0; i < files->n && r == 0; i++)
		r = add_file(text, &files->v[i]);
	for (size_t i = 0; i < uploads->n && r == 0; i++)
		r = add_upload(text, &uploads->v[i]);
	return r;
}

/* ---- the files ---- */

static int render_identity(void *data, struct buf *text)
{
	const struct stack *stack = data;
	struct session_status session;

	session_get_status(stack->session, &session);
	return control_identity(stack->conf, &session, text);
}

static int render_session(void *data, struct buf *text)
{
	struct stack *stack = data;
	struct session_status session;

	session_get_status(stack->session, &session);
	return control_session(&session, aws_caller_now_ms(&stack->caller), text);
}

static int render_config(void *data, struct buf *text)
{
	const struct stack *stack = data;

	return conf_render(stack->conf, text);
}

static int render_uploads(void *data, struct buf *text)
{
	const struct stack *stack = data;
	_cleanup_(fs_unsaved_list_deinit) struct fs_unsaved_list files = {0};
	_cleanup_(s3_begun_list_deinit) struct s3_begun_list uploads = {0};
	int r = fs_list_unsaved(stack->fs, &files);

	if (r == 0)
		r = s3_list_begun(stack->store, &uploads);
	return r < 0 ? r : control_uploads(&files, &uploads, text);
}

static int render_metrics(void *data, struct buf *text)
{
	const struct stack *stack = data;
	_cleanup_(s3_begun_list_deinit) struct s3_begun_list uploads = {0};
	struct metrics metrics;
	int r = s3_list_begun(stack->store, &uploads);

	if (r < 0)
		return r;
	metrics.uploads = uploads.n;
	session_get_status(stack->session, &metrics.session);
	s3_get_stats(stack->store, &metrics.s3);
	fs_get_stats(stack->fs, &metrics.fs);
	return metrics_render(&metrics, text);
}

static const struct fs_control files[] = {
    {"identity", ALL, render_identity}, {"session", ALL, render_session},
    {"metrics", ALL, render_metrics},   {"config", OWNER, render_config},
    {"uploads", OWNER, render_uploads},
};

void control_give(struct stack *stack, struct fs_options *options)
{
	options->control = files;
	options->n_control = ARRAY_LEN(files);
	options->control_data = stack;
}
