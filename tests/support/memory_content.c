#include <openssl/evp.h>
#include <stdatomic.h>
#include <string.h>

#include "xacctfs/util/buf.h"

#include "memory_private.h"

#define MD5_LEN 16

static const uint8_t zeros[64 * 1024];

struct memory_bytes {
	atomic_uint references;
	uint8_t v[];
};

static void bytes_unref(struct memory_bytes *bytes)
{
	if (bytes && atomic_fetch_sub(&bytes->references, 1) == 1)
		free(bytes);
}

/* Takes the reference. */
static void add(struct memory_content *content, struct memory_bytes *bytes, uint64_t offset,
		uint64_t len)
{
	if (len == 0) {
		bytes_unref(bytes);
		return;
	}
	content->v = memory_must(reallocarray(content->v, content->n + 1, sizeof(*content->v)));
	content->v[content->n++] = (struct memory_piece){bytes, offset, len};
	content->size += len;
}

void memory_content_deinit(struct memory_content *content)
{
	for (size_t i = 0; i < content->n; i++)
		bytes_unref(content->v[i].bytes);
	free(content->v);
	*content = (struct memory_content){0};
}

void memory_content_add(struct memory_content *content, const void *data, size_t len)
{
	struct memory_bytes *bytes = memory_must(malloc(sizeof(*bytes) + len));

	atomic_init(&bytes->references, 1);
	if (len > 0)
		memcpy(bytes->v, data, len);
	add(content, bytes, 0, len);
}

void memory_content_add_zeros(struct memory_content *content, uint64_t len)
{
	add(content, NULL, 0, len);
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void memory_content_add_range(struct memory_content *content, const struct memory_content *source,
			      uint64_t offset, uint64_t len)
{
	for (size_t i = 0; i < source->n && len > 0; i++) {
		const struct memory_piece *piece = &source->v[i];
		uint64_t n;

		if (offset >= piece->len) {
			offset -= piece->len;
			continue;
		}
		n = min(len, piece->len - offset);
		if (piece->bytes)
			atomic_fetch_add(&piece->bytes->references, 1);
		add(content, piece->bytes, piece->offset + offset, n);
		offset = 0;
		len -= n;
	}
}

static size_t piece_at(const struct memory_piece *piece, uint64_t offset, const uint8_t **ret_bytes)
{
	if (!piece->bytes) {
		*ret_bytes = zeros;
		return (size_t)min(piece->len - offset, sizeof(zeros));
	}
	*ret_bytes = piece->bytes->v + piece->offset + offset;
	return (size_t)(piece->len - offset);
}

size_t memory_content_at(const struct memory_content *content, uint64_t offset,
			 const uint8_t **ret_bytes)
{
	const struct memory_piece *piece = content->v;

	while (offset >= piece->len)
		offset -= piece++->len;
	return piece_at(piece, offset, ret_bytes);
}

static void must_be(int one)
{
	if (one != 1)
		abort();
}

char *memory_content_etag(const struct memory_content *content)
{
	EVP_MD_CTX *md5 = memory_must(EVP_MD_CTX_new());
	struct buf etag = BUF_INIT;
	uint8_t digest[MD5_LEN];

	must_be(EVP_DigestInit_ex(md5, EVP_md5(), NULL));
	for (size_t i = 0; i < content->n; i++) {
		const struct memory_piece *piece = &content->v[i];

		if (piece->bytes)
			must_be(EVP_DigestUpdate(md5, piece->bytes->v + piece->offset, piece->len));
		else
			must_be(EVP_DigestUpdate(md5, &piece->len, sizeof(piece->len)));
	}
	must_be(EVP_DigestFinal_ex(md5, digest, NULL));
	EVP_MD_CTX_free(md5);
	if (buf_add_char(&etag, '"') < 0 || buf_add_hex(&etag, digest, sizeof(digest)) < 0 ||
	    buf_add_char(&etag, '"') < 0)
		abort();
	return buf_steal(&etag);
}
