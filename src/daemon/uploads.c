#include "uploads.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"
#include "xacctfs/util/timefmt.h"

struct run {
	const struct uploads_options *options;
	json_t *list;                 /* with options->json */
	size_t done, others, younger; /* listed or aborted; left out */
	bool failed;
};

bool uploads_same_role(const char *initiator, const char *session_arn)
{
	static const char mark[] = ":assumed-role/";
	const char *role = strstr(session_arn, mark), *end;

	role = role ? role + strlen(mark) : NULL;
	/* arn:aws:sts::222222222222:assumed-role/NAME/SESSION; neither has a slash */
	end = role ? strchr(role, '/') : NULL;
	return initiator && end && end > role &&
	       !strncmp(initiator, session_arn, (size_t)(end - session_arn) + 1);
}

/* ---- telling ---- */

static int tell_line(const struct uploads_options *o, const char *bucket,
		     const struct upload *upload, const char *started)
{
	_cleanup_(buf_deinit) struct buf b = BUF_INIT;
	int r = buf_printf(&b, "%s\t", bucket);

	if (r == 0)
		r = buf_add_escaped(&b, upload->key);
	if (r == 0)
		r = buf_printf(&b, "\t%s\t", started);
	if (r == 0)
		r = buf_add_escaped(&b, upload->initiator ? upload->initiator : "-");
	if (r == 0)
		r = buf_add_char(&b, '\t');
	if (r == 0)
		r = buf_add_escaped(&b, upload->upload_id);
	if (r < 0)
		return r;
	return fprintf(o->out, "%s\n", buf_str(&b)) < 0 || fflush(o->out) != 0 ? -errno : 0;
}

/* A key need not be UTF-8, and JSON must. */
static json_t *json_bytes(const char *text)
{
	_cleanup_(buf_deinit) struct buf b = BUF_INIT;
	json_t *string = json_string(text);

	for (const char *c = text; !string && *c; c++)
		if ((unsigned char)*c < 0x80 ? buf_add_char(&b, *c)
					     : buf_printf(&b, "\\x%02x", (unsigned char)*c))
			return NULL;
	return string ? string : json_string(buf_str(&b));
}

static int tell_json(struct run *run, const char *bucket, const struct upload *upload,
		     const char *started, int r)
{
	json_t *entry = json_pack("{s:s, s:o, s:s, s:o, s:o}", "bucket", bucket, "key",
				  json_bytes(upload->key), "started", started, "initiator",
				  upload->initiator ? json_bytes(upload->initiator) : json_null(),
				  "upload_id", json_bytes(upload->upload_id));

	if (entry && run->options->abort)
		json_object_set_new(entry, "aborted", json_boolean(r == 0));
	if (entry && r < 0)
		json_object_set_new(entry, "error", json_string(strerror(-r)));
	return json_array_append_new(run->list, entry) < 0 ? -ENOMEM : 0;
}

/* r: what came of the abort. */
static int tell(struct run *run, const char *bucket, const struct upload *upload, int r)
{
	char started[TIME_ISO_LEN + 1];

	time_format_iso(upload->initiated_ms, started);
	if (run->options->json)
		return tell_json(run, bucket, upload, started, r);
	/* one that was not aborted is in the log */
	return r < 0 ? 0 : tell_line(run->options, bucket, upload, started);
}

/* ---- asking ---- */

static void begin(const struct run *run, struct call *call)
{
	const struct uploads_options *o = run->options;

	call_init(call, o->group, o->clock, o->timeout_ms);
}

static int abort_upload(struct run *run, const char *bucket, const struct upload *upload)
{
	struct object_id id = {.bucket = bucket, .key = upload->key};
	struct store *store = run->options->store;
	struct call call;
	int r;

	begin(run, &call);
	r = store->abort_upload(store, &call, &id, upload->upload_id);
	call_deinit(&call);
	return r;
}

/* What S3 refuses is noted, and no reason to stop; what is wrong here is. */
static int refused(struct run *run, int r)
{
	run->failed = true;
	return r == -EINTR || r == -ENOMEM ? r : 0;
}

/* Returns 0 to go on, whether it was aborted or not. */
static int do_upload(struct run *run, const char *bucket, const struct upload *upload)
{
	const struct uploads_options *o = run->options;
	int r = 0;

	if (o->session_arn && !uploads_same_role(upload->initiator, o->session_arn)) {
		run->others++;
		return 0;
	}
	if (upload->initiated_ms > o->begun_before_ms) {
		run->younger++;
		return 0;
	}
	if (o->abort)
		r = abort_upload(run, bucket, upload);
	if (r < 0 && refused(run, r) < 0)
		return r;
	if (r == 0)
		run->done++;
	return tell(run, bucket, upload, r);
}

static int list_page(struct run *run, const char *bucket, const char *key, const char *id,
		     struct upload_page *ret_page)
{
	const struct uploads_options *o = run->options;
	struct call call;
	int r;

	begin(run, &call);
	r = o->store->list_uploads(o->store, &call, bucket, o->prefix, key, id, ret_page);
	call_deinit(&call);
	return r;
}

static int do_page(struct run *run, const char *bucket, const struct upload_page *page)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < page->n; i++)
		r = do_upload(run, bucket, &page->v[i]);
	return r;
}

/* That something is not there the store does not log as an error: it is an answer as a rule. */
static int unlisted(struct run *run, const char *bucket, int r)
{
	if (r == -ENOENT && !run->options->bucket)
		return 0; /* gone since the buckets were listed, and its uploads with it */
	if (r == -ENOENT)
		log_error("there is no bucket %s", bucket);
	return refused(run, r);
}

static int do_bucket(struct run *run, const char *bucket)
{
	_cleanup_(freep) char *key = NULL, *id = NULL;
	int r;

	do {
		struct upload_page page = {0};

		r = list_page(run, bucket, key, id, &page);
		if (r < 0)
			return unlisted(run, bucket, r);
		r = do_page(run, bucket, &page);
		free(key);
		free(id);
		key = steal(&page.next_key);
		id = steal(&page.next_id);
		upload_page_deinit(&page);
	} while (r == 0 && key);
	return r;
}

static int do_buckets(struct run *run)
{
	struct store *store = run->options->store;
	_cleanup_(freep) char *token = NULL;
	int r;

	do {
		struct bucket_page page = {0};
		struct call call;

		begin(run, &call);
		r = store->list_buckets(store, &call, NULL, token, &page);
		call_deinit(&call);
		for (size_t i = 0; r == 0 && i < page.n; i++)
			r = do_bucket(run, page.v[i].name);
		free(token);
		token = steal(&page.next_token);
		bucket_page_deinit(&page);
	} while (r == 0 && token);
	return r;
}

/* ---- all of it ---- */

static void print_json(struct run *run)
{
	json_auto_t *whole =
	    json_pack("{s:b, s:i, s:i, s:O}", "ok", !run->failed, "of_others", (int)run->others,
		      "younger", (int)run->younger, "uploads", run->list);

	if (!whole || json_dumpf(whole, run->options->out, JSON_INDENT(2)) < 0 ||
	    fputc('\n', run->options->out) == EOF || fflush(run->options->out) != 0)
		run->failed = true;
}

int uploads_run(const struct uploads_options *options)
{
	struct run run = {.options = options};
	int r;

	run.list = json_array();
	r = !run.list         ? -ENOMEM
	    : options->bucket ? do_bucket(&run, options->bucket)
			      : do_buckets(&run);
	if (r < 0) {
		run.failed = true;
		log_error("the unfinished uploads were not gone through to the end: %s",
			  strerror(-r));
	}
	if (options->json)
		print_json(&run);
	log_info("%zu unfinished uploads%s; left out: %zu that others began, %zu that are younger",
		 run.done, options->abort ? " aborted" : "", run.others, run.younger);
	json_decref(run.list);
	return run.failed ? 1 : 0;
}
