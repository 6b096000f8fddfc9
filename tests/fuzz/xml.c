/* The XML reader: any document, walked through any way; and text that is written, and read. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"
#include "xacctfs/util/utf8.h"
#include "xacctfs/util/xml.h"

/* Bits that say which way is gone at each element: into it, over it, or to its text. */
struct way {
	uint64_t bits;
	unsigned int steps;
};

static unsigned int turn(struct way *way)
{
	unsigned int at = way->steps++ * 2 % 64;

	return way->bits >> at & 3;
}

static int take_text(struct xml *xml)
{
	_cleanup_(freep) char *text = NULL;
	int r = xml_text(xml, &text);

	MUST(r == (text ? 0 : -EBADMSG));
	return r;
}

static int walk(struct xml *xml, int depth, struct way *way)
{
	const char *name;
	int r;

	while ((r = xml_child(xml, depth, &name)) == 0) {
		MUST(name && *name && !strcmp(name, xml_name(xml)));
		MUST(depth < XML_MAX_DEPTH);
		switch (turn(way)) {
		case 0:
			r = walk(xml, depth + 1, way);
			break;
		case 1:
			r = take_text(xml);
			break;
		default:
			break;
		}
		if (r < 0)
			return r;
	}
	MUST(r == XML_E_END || r == -EBADMSG);
	return r == XML_E_END ? 0 : r;
}

static void read_document(const uint8_t *data, size_t size)
{
	_cleanup_(xml_freep) struct xml *xml = NULL;
	struct way way = {0};
	int r = xml_open((const char *)data, size, &xml);

	MUST(r == (xml ? 0 : -EBADMSG));
	if (r < 0)
		return;
	for (size_t i = 0; i < size; i++)
		way.bits = way.bits * 31 + data[i];
	r = xml_root(xml, "ListBucketResult", "http://s3.amazonaws.com/doc/2006-03-01/");
	MUST(r == 0 || r == XML_E_OTHER || r == -EBADMSG);
	if (r != 0)
		return;
	if (turn(&way) == 0) {
		take_text(xml);
		return;
	}
	walk(xml, 0, &way);
}

/* What XML 1.0 has, and the control characters of 1.1; see util/xml.c for what stands in for these.
 */
static bool fits_xml(const char *text)
{
	const char *p = text;

	for (size_t len; *p; p += len) {
		len = utf8_len((const unsigned char *)p);
		if (len == 0 || !strncmp(p, "\xef\xbf\xbe", 3) || !strncmp(p, "\xef\xbf\xbf", 3) ||
		    !strncmp(p, "\xf4\x8f\xbc", 3))
			return false;
	}
	return true;
}

static int write_text(struct buf *b, const char *text)
{
	int r = buf_add_str(b, "<a>");

	for (; r == 0 && *text; text++) {
		char one[2] = {*text};

		r = (unsigned char)*text < 0x20 ? buf_printf(b, "&#x%x;", *text)
						: buf_add_xml(b, one);
	}
	return r == 0 ? buf_add_str(b, "</a>") : r;
}

static void write_and_read(const char *text)
{
	_cleanup_(buf_deinit) struct buf b = BUF_INIT;
	_cleanup_(xml_freep) struct xml *xml = NULL;
	_cleanup_(freep) char *again = NULL;

	if (!fits_xml(text))
		return;
	MUST(write_text(&b, text) == 0);
	MUST(xml_open(b.data, b.len, &xml) == 0);
	MUST(xml_root(xml, "a", NULL) == 0);
	MUST(xml_text(xml, &again) == 0);
	MUST(!strcmp(again, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = fuzz_text(data, size);

	read_document(data, size);
	write_and_read(text);
	return 0;
}
