/* The only file that knows libxml2. */
#include "xacctfs/util/xml.h"

#include <ctype.h>
#include <errno.h>
#include <libxml/parser.h>
#include <libxml/xmlreader.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"

struct xml {
	xmlTextReaderPtr reader;
	struct buf mended; /* the document, when it is not as it came */
	bool ended;        /* the root element has ended */
	int epilogue;      /* when ended: XML_E_END, or -EBADMSG for more than comments behind it */
};

static pthread_once_t parser_once = PTHREAD_ONCE_INIT;

/* libxml2 would write its complaints to stderr; the caller says them in his own words. */
static void silent(void *data, const char *msg, xmlParserSeverities severity,
		   xmlTextReaderLocatorPtr locator)
{
	(void)data;
	(void)msg;
	(void)severity;
	(void)locator;
}

/* The like, of what no reader's handler is told: bytes that are not of the document's encoding. */
static void silent_generic(void *data, const char *msg, ...)
{
	(void)data;
	(void)msg;
}

/* ---- references to control characters ---- */

/*
 * XML 1.1 has them and XML 1.0, which libxml2 reads, has not. radosgw sends them in what it says of
 * keys. While libxml2 reads, U+10FF00 and its like stand for them, which nobody uses.
 */
#define STAND_IN     "\xf4\x8f\xbc"
#define STAND_IN_LEN 4 /* no longer than the shortest reference, "&#1;" */

/* The bytes of the reference at p to a control character; 0 when it is none. */
static size_t control_reference(const char *p, size_t len, char *ret_control)
{
	bool hex = len > 2 && p[2] == 'x';
	unsigned long value = 0;
	size_t i = hex ? 3 : 2;

	for (; i < len && value < 0x20 && p[i] != ';'; i++) {
		if (!(hex ? isxdigit((unsigned char)p[i]) : isdigit((unsigned char)p[i])))
			return 0;
		value = value * (hex ? 16 : 10) + (unsigned long)(isdigit((unsigned char)p[i])
								      ? p[i] - '0'
								      : (p[i] | 0x20) - 'a' + 10);
	}
	if (i >= len || p[i] != ';' || value == 0 || value >= 0x20 || strchr("\t\n\r", (int)value))
		return 0;
	*ret_control = (char)value;
	return i + 1;
}

/* Leaves the buf empty where nothing is to mend. */
static int mend(const char *data, size_t len, struct buf *mended)
{
	const char *end = data + len, *rest = data, *p = data;
	int r = 0;

	while (r == 0 && (p = memmem(p, (size_t)(end - p), "&#", 2))) {
		char control;
		size_t n = control_reference(p, (size_t)(end - p), &control);

		if (n > 0) {
			r = buf_add(mended, rest, (size_t)(p - rest));
			if (r == 0)
				r = buf_add_str(mended, STAND_IN);
			if (r == 0)
				r = buf_add_char(mended, (char)(0x80 | control));
			rest = p + n;
		}
		p += n ? n : 2;
	}
	return r == 0 && mended->len ? buf_add(mended, rest, (size_t)(end - rest)) : r;
}

static void unmend(struct buf *text)
{
	char *from = text->data, *to = text->data, *end = text->data + text->len;

	while (from < end)
		if (end - from >= STAND_IN_LEN && !memcmp(from, STAND_IN, strlen(STAND_IN)) &&
		    (unsigned char)from[3] < 0xa0) {
			*to++ = (char)(from[3] & 0x1f);
			from += STAND_IN_LEN;
		} else {
			*to++ = *from++;
		}
	text->len = (size_t)(to - text->data);
	*to = '\0';
}

/* ---- reading ---- */

int xml_open(const char *data, size_t len, struct xml **ret_xml)
{
	_cleanup_(xml_freep) struct xml *xml = NULL;

	for (; len > 0 && strchr(" \t\r\n", *data) && *data; len--)
		data++;
	if (len == 0 || len > INT_MAX)
		return -EBADMSG;
	pthread_once(&parser_once, xmlInitParser);
	xmlSetGenericErrorFunc(NULL, silent_generic); /* of this thread */
	xml = calloc(1, sizeof(*xml));
	if (!xml)
		return -ENOMEM;
	if (mend(data, len, &xml->mended) < 0)
		return -ENOMEM;
	if (xml->mended.len > 0) {
		data = xml->mended.data;
		len = xml->mended.len;
	}
	/* No XML_PARSE_NOENT, no XML_PARSE_DTDLOAD, no XML_PARSE_HUGE: entities stay unexpanded and
	 * libxml2's own bounds in force. */
	xml->reader = xmlReaderForMemory(data, (int)len, NULL, NULL,
					 XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (!xml->reader)
		return -ENOMEM;
	xmlTextReaderSetErrorHandler(xml->reader, silent, NULL);
	*ret_xml = steal(&xml);
	return 0;
}

void xml_free(struct xml *xml)
{
	if (!xml)
		return;
	if (xml->reader)
		xmlFreeTextReader(xml->reader);
	buf_wipe(&xml->mended);
	free(xml);
}

void xml_freep(struct xml **xml)
{
	xml_free(*xml);
}

/* One node on. 0, -EBADMSG for what no server of ours sends, XML_E_END behind the last. */
static int step(struct xml *xml)
{
	int r = xmlTextReaderRead(xml->reader);

	if (r < 0)
		return -EBADMSG;
	if (r == 0)
		return XML_E_END;
	switch (xmlTextReaderNodeType(xml->reader)) {
	case XML_READER_TYPE_DOCUMENT_TYPE:
	case XML_READER_TYPE_ENTITY_REFERENCE:
	case XML_READER_TYPE_ENTITY:
	case XML_READER_TYPE_NOTATION:
		return -EBADMSG;
	default:
		break;
	}
	return xmlTextReaderDepth(xml->reader) > XML_MAX_DEPTH ? -EBADMSG : 0;
}

/* The root element has ended: the document must, too. */
static int end_root(struct xml *xml)
{
	int r = 0;

	while (!xml->ended && (r = step(xml)) == 0)
		;
	if (!xml->ended) {
		xml->ended = true;
		xml->epilogue = r;
	}
	return xml->epilogue;
}

int xml_root(struct xml *xml, const char *name, const char *xmlns)
{
	const char *ns;
	int r;

	do {
		r = step(xml);
		if (r != 0)
			return -EBADMSG;
	} while (xmlTextReaderNodeType(xml->reader) != XML_READER_TYPE_ELEMENT);

	if (strcmp(xml_name(xml), name) != 0)
		return XML_E_OTHER;
	ns = (const char *)xmlTextReaderConstNamespaceUri(xml->reader);
	if (ns && xmlns && strcmp(ns, xmlns) != 0)
		return XML_E_OTHER;
	return 0;
}

const char *xml_name(const struct xml *xml)
{
	return (const char *)xmlTextReaderConstLocalName(xml->reader);
}

/* The reader stands at the end of the element at this depth, or on that element and it is empty. */
static bool at_end(struct xml *xml, int depth)
{
	int type = xmlTextReaderNodeType(xml->reader);

	return xmlTextReaderDepth(xml->reader) == depth &&
	       (type == XML_READER_TYPE_END_ELEMENT ||
		(type == XML_READER_TYPE_ELEMENT && xmlTextReaderIsEmptyElement(xml->reader)));
}

int xml_child(struct xml *xml, int depth, const char **ret_name)
{
	int r;

	if (xml->ended)
		return xml->epilogue;
	while (!at_end(xml, depth)) {
		r = step(xml);
		if (r != 0)
			return -EBADMSG; /* the document ended before the element */
		if (xmlTextReaderNodeType(xml->reader) == XML_READER_TYPE_ELEMENT &&
		    xmlTextReaderDepth(xml->reader) == depth + 1) {
			*ret_name = xml_name(xml);
			return 0;
		}
	}
	return depth == 0 ? end_root(xml) : XML_E_END;
}

static bool is_text(int type)
{
	return type == XML_READER_TYPE_TEXT || type == XML_READER_TYPE_CDATA ||
	       type == XML_READER_TYPE_WHITESPACE || type == XML_READER_TYPE_SIGNIFICANT_WHITESPACE;
}

int xml_text(struct xml *xml, char **ret_text)
{
	_cleanup_(buf_wipe) struct buf text = BUF_INIT; /* it may be a secret key */
	int depth = xmlTextReaderDepth(xml->reader);
	char *stolen;
	int r;

	while (!at_end(xml, depth)) {
		r = step(xml);
		if (r != 0)
			return -EBADMSG;
		if (xmlTextReaderDepth(xml->reader) != depth + 1 ||
		    !is_text(xmlTextReaderNodeType(xml->reader)))
			continue;
		r = buf_add_str(&text, (const char *)xmlTextReaderConstValue(xml->reader));
		if (r < 0)
			return r;
	}
	if (depth == 0 && end_root(xml) < 0)
		return -EBADMSG;
	if (xml->mended.len > 0 && text.len > 0)
		unmend(&text);
	stolen = buf_steal(&text);
	if (!stolen)
		return -ENOMEM;
	*ret_text = stolen;
	return 0;
}
