/* The store: what it is made of, and its life. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

static void s3_store_free(struct store *store)
{
	struct s3_store *s3 = s3_of(store);

	url_deinit(&s3->endpoint);
	region_map_deinit(&s3->regions);
	begun_deinit(&s3->begun);
	credentials_unref(s3->absolved);
	pthread_mutex_destroy(&s3->lock);
	free(s3->region);
	free(s3->create_region);
	free(s3->storage_class);
	free(s3->sse);
	free(s3->sse_kms_key_id);
	free(s3->expected_owner);
	free(s3);
}

static int copy(const char *text, char **ret_copy)
{
	*ret_copy = text ? strdup(text) : NULL;
	return text && !*ret_copy ? -ENOMEM : 0;
}

int s3_store_new(struct aws_caller *caller, struct session *session, const struct conf *conf,
		 struct store **ret_store)
{
	struct s3_store *s3 = calloc(1, sizeof(*s3));
	const char *why;
	int r = 0;

	if (!s3)
		return -ENOMEM;
	s3->store = (struct store){
	    .list_buckets = s3_list_buckets,
	    .create_bucket = s3_create_bucket,
	    .delete_bucket = s3_delete_bucket,
	    .head_bucket = s3_head_bucket,
	    .bucket_region = s3_bucket_region,
	    .list_objects = s3_list_objects,
	    .head_object = s3_head_object,
	    .get_object = s3_get_object,
	    .put_object = s3_put_object,
	    .copy_object = s3_copy_object,
	    .delete_object = s3_delete_object,
	    .delete_objects = s3_delete_objects,
	    .create_upload = s3_create_upload,
	    .upload_part = s3_upload_part,
	    .copy_part = s3_copy_part,
	    .complete_upload = s3_complete_upload,
	    .abort_upload = s3_abort_upload,
	    .list_uploads = s3_list_uploads,
	    .free = s3_store_free,
	};
	s3->caller = caller;
	s3->session = session;
	s3->addressing = conf->addressing;
	region_map_init(&s3->regions);
	begun_init(&s3->begun);
	pthread_mutex_init(&s3->lock, NULL);
	s3->requester_pays = conf->requester_pays;
	if (copy(conf->region, &s3->region) < 0 ||
	    copy(conf->create_region, &s3->create_region) < 0 ||
	    copy(conf->storage_class, &s3->storage_class) < 0 || copy(conf->sse, &s3->sse) < 0 ||
	    copy(conf->sse_kms_key_id, &s3->sse_kms_key_id) < 0 ||
	    copy(conf->expected_bucket_owner, &s3->expected_owner) < 0)
		r = -ENOMEM;
	if (r == 0 && conf->s3_endpoint_url) {
		s3->custom_endpoint = true;
		r = url_parse(conf->s3_endpoint_url, &s3->endpoint, &why);
	}
	if (r < 0) {
		s3_store_free(&s3->store);
		return r;
	}
	*ret_store = &s3->store;
	return 0;
}

void s3_get_stats(struct store *store, struct s3_stats *ret_stats)
{
	counters_read(&s3_of(store)->counters, ret_stats);
}

int s3_list_begun(struct store *store, struct s3_begun_list *ret_list)
{
	return begun_list(&s3_of(store)->begun, ret_list);
}

void store_free(struct store *store)
{
	if (store)
		store->free(store);
}
