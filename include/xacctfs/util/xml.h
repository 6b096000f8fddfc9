/*
 * util/xml: a pull reader for the replies of S3 and STS, made for servers that can't be trusted.
 *
 *	r = xml_open(body, len, &xml);
 *	r = xml_root(xml, "ListAllMyBucketsResult", S3_XMLNS);
 *	while ((r = xml_child(xml, 0, &name)) == 0)
 *		if (!strcmp(name, "Name")) r = xml_text(xml, &text);
 *
 * A document type declaration (and so every entity of its own), more than XML_MAX_DEPTH levels and
 * anything that is not well-formed are -EBADMSG. Nothing is ever fetched. Unknown elements are
 * passed over by whoever reads. One thread at a time.
 */
#ifndef XACCTFS_UTIL_XML_H
#define XACCTFS_UTIL_XML_H

#include <stddef.h>

#define XML_MAX_DEPTH 32
#define XML_E_END     1 /* no more children */
#define XML_E_OTHER   2 /* another root element, or another namespace */

struct xml;

/*
 * data must outlive the reader. Blanks before the document are passed over: S3 sends some to keep
 * the connection while it works (Amazon S3 API Reference, CompleteMultipartUpload). References to
 * control characters ("&#x1;") are read as if the document were XML 1.1. Returns 0,
 * -EBADMSG for no document, -ENOMEM.
 */
int xml_open(const char *data, size_t len, struct xml **ret_xml);
void xml_free(struct xml *xml); /* NULL is fine */
void xml_freep(struct xml **xml);

/*
 * Goes to the root element. xmlns: the namespace it must have; a document with none is let pass, as
 * several servers send none. Returns 0, XML_E_OTHER (the root's name is then xml_name()), -EBADMSG.
 */
int xml_root(struct xml *xml, const char *name, const char *xmlns);

/* The local name of the element that the reader stands on; valid until the next step. */
const char *xml_name(const struct xml *xml);

/*
 * The next child element of the element at this depth (the root's depth is 0, so its children are
 * asked for with depth 0). What lies between, grandchildren not asked for included, is passed over.
 * Returns 0, XML_E_END when the element at this depth has ended (for the root: and nothing but
 * comments is behind it), -EBADMSG.
 */
int xml_child(struct xml *xml, int depth, const char **ret_name);

/*
 * The text of the element that the reader stands on, to free(); "" for none. That of its children
 * is left out, and they are passed over. Returns 0, -EBADMSG, -ENOMEM.
 */
int xml_text(struct xml *xml, char **ret_text);

#endif
