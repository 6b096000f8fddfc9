/* Uploads that would be left, and what is done about them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/log.h"

#include "private.h"

/* Why something failed, for the log. */
static void format(int r, const struct aws_error *error, char *text, size_t size)
{
	if (error->status == 0 && error->message[0] == '\0')
		snprintf(text, size, "%s", strerror(-s3_errno(r, error)));
	else
		aws_error_format(error, text, size);
}

/* ---- those with an id ---- */

/* True when it is aborted. */
static bool abort_left(struct s3_store *s3, struct call *call, const struct s3_begun *upload,
		       bool last)
{
	struct object_id id = {upload->bucket, upload->key};
	struct aws_error error;
	int r = s3_abort(s3, call, &id, upload->upload_id, &error);
	char text[480];

	if (r == 0)
		return true;
	format(r, &error, text, sizeof(text));
	log_write(last ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG,
		  "%s/%s: the incomplete upload %s could not be aborted and is left: %s; see "
		  "xacctfs --incomplete-uploads",
		  upload->bucket, upload->key, upload->upload_id, text);
	return false;
}

/* ---- those whose beginning was not answered ---- */

enum whose { OURS, OTHERS, UNKNOWN };

/* Initiator: for a role's session its ARN; on radosgw the account (Amazon S3 API Reference). */
static enum whose whose(const struct upload *upload, const char *session_arn)
{
	if (!upload->initiator || strncmp(upload->initiator, "arn:", 4) != 0)
		return UNKNOWN;
	/* many hosts may be one user; a session is one host's */
	return strstr(session_arn, ":assumed-role/") && !strcmp(upload->initiator, session_arn)
		   ? OURS
		   : OTHERS;
}

static bool may_be_lost(const struct begun_entry *entry, const struct upload *upload)
{
	return !strcmp(upload->key, entry->upload.key) &&
	       upload->initiated_ms >= entry->lost_from_ms &&
	       upload->initiated_ms <= entry->lost_to_ms;
}

static void tell_unknown(const struct begun_entry *entry, const struct upload *upload)
{
	log_warn("%s/%s: the upload %s may be one whose beginning was not answered, and is left: "
		 "the server does not tell who began it; see xacctfs --incomplete-uploads",
		 entry->upload.bucket, entry->upload.key, upload->upload_id);
}

static int abort_lost(struct s3_store *s3, struct call *call, const struct begun_entry *entry,
		      const struct upload_page *page, struct aws_error *error)
{
	struct object_id id = {entry->upload.bucket, entry->upload.key};
	struct session_status status;
	int r = 0;

	session_get_status(s3->session, &status);
	for (size_t i = 0; r == 0 && i < page->n; i++) {
		const struct upload *upload = &page->v[i];
		enum whose by = whose(upload, status.arn);

		if (!may_be_lost(entry, upload) || by == OTHERS)
			continue;
		if (by == UNKNOWN) {
			tell_unknown(entry, upload);
			continue;
		}
		r = s3_abort(s3, call, &id, upload->upload_id, error);
		if (r == 0)
			log_info("%s/%s: aborted the upload %s, whose beginning was not answered",
				 id.bucket, id.key, upload->upload_id);
	}
	return r;
}

/*
 * All pages with uploads of exactly that key, which are the first: keys come in their order. 0;
 * -EBUSY when the key is in use; or as s3_send.
 */
static int find_lost(struct s3_store *s3, struct call *call, const struct begun_entry *entry,
		     struct aws_error *error)
{
	const struct s3_begun *lost = &entry->upload;
	_cleanup_(freep) char *key = NULL, *id = NULL;
	int r;

	do {
		_cleanup_(upload_page_deinit) struct upload_page page = {0};

		r = s3_list_uploads_page(s3, call, lost->bucket, lost->key, key, id, &page, error);
		/* what is listed was begun by now, so that it would be known */
		if (r == 0 && begun_in_use(&s3->begun, entry))
			return -EBUSY;
		if (r == 0)
			r = abort_lost(s3, call, entry, &page, error);
		free(key);
		free(id);
		key = steal(&page.next_key);
		id = steal(&page.next_id);
	} while (r == 0 && key && !strcmp(key, lost->key));
	return r;
}

static bool is_passing(int r, const struct aws_error *error)
{
	return r == AWS_E_TRANSPORT || r == -EINTR || r == -ETIMEDOUT || r == -EKEYEXPIRED ||
	       (r == AWS_E_REPLY && aws_error_is_passing(error));
}

static void end_lost(struct s3_store *s3, struct call *call, struct begun_entry *entry, bool last)
{
	struct aws_error error = {0};
	int r = find_lost(s3, call, entry, &error);
	bool again = !last && is_passing(r, &error) && entry->tries + 1 < BEGUN_TRIES;
	char text[480];

	if (r == -EBUSY && !last) {
		begun_put_off(&s3->begun, entry);
		return;
	}
	if (r != 0 && !again) {
		format(r, &error, text, sizeof(text));
		log_warn("%s/%s: an upload whose beginning was not answered may be left: %s; see "
			 "xacctfs --incomplete-uploads",
			 entry->upload.bucket, entry->upload.key, text);
	}
	begun_end_find(&s3->begun, entry, !again);
}

/* ---- all of it ---- */

static void end_left(struct s3_store *s3, struct call *call, bool last)
{
	unsigned int pass = begun_begin_pass(&s3->begun, last);
	struct begun_entry *entry;
	enum begun_chore chore;

	while (pass && (last || call_check(call) == 0) &&
	       (entry = begun_next(&s3->begun, pass, last, s3_boot_ms(s3), &chore))) {
		if (chore == BEGUN_FIND_LOST)
			end_lost(s3, call, entry, last);
		else
			begun_end_abort(&s3->begun, entry,
					abort_left(s3, call, &entry->upload, last), s3_boot_ms(s3));
	}
}

void s3_end_left(struct s3_store *s3, struct call *call)
{
	end_left(s3, call, false);
}

void s3_end_uploads(struct store *store, struct call *call)
{
	end_left(s3_of(store), call, true);
}
