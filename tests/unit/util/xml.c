#include "xacctfs/util/xml.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"

#define NS "http://s3.amazonaws.com/doc/2006-03-01/"

static struct xml *open_text(const char *text)
{
	struct xml *xml;

	assert_int_equal(xml_open(text, strlen(text), &xml), 0);
	return xml;
}

/* Opens a document whose root is R. */
static struct xml *open_root(const char *text)
{
	struct xml *xml = open_text(text);

	assert_int_equal(xml_root(xml, "R", NS), 0);
	return xml;
}

/*
 * Reads what is in the element at this depth and writes it down as it was understood: an element
 * whose name begins with D with its children ("D(A=one,),"), others with their text ("A=one,").
 * Returns 0 or the error.
 */
static int walk(struct xml *xml, int depth, struct buf *out)
{
	const char *name;
	int r;

	while ((r = xml_child(xml, depth, &name)) == 0) {
		_cleanup_(freep) char *text = NULL;

		buf_add_str(out, name);
		if (name[0] == 'D') {
			buf_add_char(out, '(');
			r = walk(xml, depth + 1, out);
			if (r != 0)
				return r;
			buf_add_str(out, ")");
		} else {
			r = xml_text(xml, &text);
			if (r != 0)
				return r;
			buf_printf(out, "=%s", text);
		}
		buf_add_char(out, ',');
	}
	return r == XML_E_END ? 0 : r;
}

static void assert_understood(const char *text, const char *as)
{
	struct xml *xml = open_root(text);
	struct buf out = BUF_INIT;

	assert_int_equal(walk(xml, 0, &out), 0);
	assert_string_equal(buf_str(&out), as);
	buf_deinit(&out);
	xml_free(xml);
}

/* Whatever is asked, somewhere the document is found to be bad. */
static void assert_bad(const char *text, size_t len)
{
	struct xml *xml = NULL;
	struct buf out = BUF_INIT;
	int r = xml_open(text, len, &xml);

	if (r == 0)
		r = xml_root(xml, "R", NS);
	if (r == 0)
		r = walk(xml, 0, &out);
	if (r != -EBADMSG)
		fail_msg("accepted (%d): %s", r, text);
	buf_deinit(&out);
	xml_free(xml);
}

static void elements_and_texts(void **state)
{
	(void)state;
	assert_understood("<R><A>one</A><B>two</B></R>", "A=one,B=two,");
	assert_understood("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<R xmlns='" NS
			  "'>\n  <A>one</A>\n  <D>\n <A>in</A>\n </D>\n</R>\n",
			  "A=one,D(A=in,),");
	assert_understood("<R><A> kept  as is\n</A></R>", "A= kept  as is\n,");
}

static void empty_elements(void **state)
{
	(void)state;
	assert_understood("<R/>", "");
	assert_understood("<R></R>", "");
	assert_understood("<R><A/><D/><A></A><D></D><A>x</A></R>", "A=,D(),A=,D(),A=x,");
	assert_understood("<R><D><D/><A/></D><A>x</A></R>", "D(D(),A=,),A=x,");
}

/* As XML 1.1 has them. */
static void references_to_control_characters(void **state)
{
	(void)state;
	assert_understood("<R><A>a&#x1;b&#31;c&#x00000e;&#1;</A><B>&#x02;</B></R>",
			  "A=a\x01"
			  "b\x1f"
			  "c\x0e\x01,B=\x02,");
	assert_understood("<R><A>&#x9;&#10;&#xd;|&#x20;&#x41;</A><B>&#x1f;&#x20;</B></R>",
			  "A=\t\n\r| A,B=\x1f ,");
	assert_understood("<R><A>&#1;\xf4\x8f\xbc\xa1</A></R>", "A=\x01\xf4\x8f\xbc\xa1,");
	/* what stands in for them stays itself where none is */
	assert_understood("<R><A>\xf4\x8f\xbc\x81</A></R>", "A=\xf4\x8f\xbc\x81,");
}

static void references_that_are_none(void **state)
{
	static const char *const texts[] = {
	    "<R><A>&#0;</A></R>",     "<R><A>&#x0;</A></R>", "<R><A>&#x1</A></R>",
	    "<R><A>&#x;</A></R>",     "<R><A>&#;</A></R>",   "<R><A>&#1a;</A></R>",
	    "<R><A>&#X1;</A></R>",    "<R><A>&#x1",          "<R><A>&#",
	    "<R><A>&#xffff;</A></R>", "<R><A>\x01</A></R>",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_bad(texts[i], strlen(texts[i]));
}

static void blanks_before_the_document(void **state)
{
	(void)state;
	assert_understood(" \r\n\t<?xml version=\"1.0\"?>\n <R><A>x</A></R>", "A=x,");
	assert_bad(" \n", 2);
	assert_bad("\0<R/>", 5);
}

static void references_and_cdata(void **state)
{
	(void)state;
	assert_understood("<R><A>&lt;a&gt; &amp; &quot;b&quot; &apos;c&#39; &#xe4;</A></R>",
			  "A=<a> & \"b\" 'c' \xc3\xa4,");
	assert_understood("<R><A>x<![CDATA[<b>&amp;]]>y</A></R>", "A=x<b>&amp;y,");
	assert_understood("<R><A><![CDATA[]]></A></R>", "A=,");
}

static void comments_and_instructions_are_passed_over(void **state)
{
	(void)state;
	assert_understood("<!-- a --><?b c?><R><!-- d --><A>o<!-- e -->n<?f?>e</A><!-- g -->"
			  "<B>two</B></R><!-- h --><?i?>\n",
			  "A=one,B=two,");
}

static void text_of_children_is_left_out(void **state)
{
	(void)state;
	assert_understood("<R><A>one<X>two<Y>three</Y></X> four</A><B>five</B></R>",
			  "A=one four,B=five,");
}

static void encodings(void **state)
{
	(void)state;
	assert_understood("<?xml version='1.0' encoding='ISO-8859-1'?><R><A>\xe4</A></R>",
			  "A=\xc3\xa4,");
	assert_understood("\xef\xbb\xbf<R><A>x</A></R>", "A=x,");
}

static void unknown_elements_are_skipped_whole(void **state)
{
	const char *text =
	    "<R><Skip><Key>no</Key><Deep><Key>no</Key></Deep></Skip><Key>yes</Key></R>";
	struct xml *xml = open_root(text);
	const char *name;
	char *value;

	(void)state;
	assert_int_equal(xml_child(xml, 0, &name), 0);
	assert_string_equal(name, "Skip");
	assert_int_equal(xml_child(xml, 0, &name), 0);
	assert_string_equal(name, "Key");
	assert_string_equal(xml_name(xml), "Key");
	assert_int_equal(xml_text(xml, &value), 0);
	assert_string_equal(value, "yes");
	free(value);
	assert_int_equal(xml_child(xml, 0, &name), XML_E_END);
	assert_int_equal(xml_child(xml, 0, &name), XML_E_END);
	xml_free(xml);
}

static void half_read_element_is_left_by_asking_above(void **state)
{
	struct xml *xml = open_root("<R><D><A>1</A><B>2</B><C><E/></C></D><F>3</F></R>");
	const char *name;

	(void)state;
	assert_int_equal(xml_child(xml, 0, &name), 0);
	assert_int_equal(xml_child(xml, 1, &name), 0);
	assert_string_equal(name, "A");
	assert_int_equal(xml_child(xml, 0, &name), 0);
	assert_string_equal(name, "F");
	xml_free(xml);
}

static void end_of_an_inner_element_is_said_again(void **state)
{
	struct xml *xml = open_root("<R><D><A>1</A></D><D><B>2</B></D></R>");
	const char *name;

	(void)state;
	assert_int_equal(xml_child(xml, 0, &name), 0);
	assert_int_equal(xml_child(xml, 1, &name), 0);
	assert_int_equal(xml_child(xml, 1, &name), XML_E_END);
	assert_int_equal(xml_child(xml, 1, &name), XML_E_END);
	assert_int_equal(xml_child(xml, 0, &name), 0);
	assert_int_equal(xml_child(xml, 1, &name), 0);
	assert_string_equal(name, "B");
	xml_free(xml);
}

static void text_of_the_root(void **state)
{
	static const char *const texts[] = {"<R>eu-west-1</R>", "<R xmlns='" NS "'>eu-west-1</R> "};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct xml *xml = open_root(texts[i]);
		const char *name;
		char *value;

		assert_int_equal(xml_text(xml, &value), 0);
		assert_string_equal(value, "eu-west-1");
		free(value);
		assert_int_equal(xml_child(xml, 0, &name), XML_E_END);
		xml_free(xml);
	}
}

static void long_text_comes_whole(void **state)
{
	struct buf document = BUF_INIT;
	struct xml *xml;
	const char *name;
	char *value;

	(void)state;
	buf_add_str(&document, "<R><A>");
	for (int i = 0; i < 100000; i++)
		buf_add_str(&document, "abc&amp;");
	buf_add_str(&document, "</A></R>");
	xml = open_root(buf_str(&document));
	assert_int_equal(xml_child(xml, 0, &name), 0);
	assert_int_equal(xml_text(xml, &value), 0);
	assert_int_equal(strlen(value), 400000);
	assert_memory_equal(value + 399996, "abc&", 4);
	free(value);
	xml_free(xml);
	buf_deinit(&document);
}

static void other_root_or_namespace(void **state)
{
	struct xml *xml = open_text("<Error><Code>x</Code></Error>");

	(void)state;
	assert_int_equal(xml_root(xml, "R", NS), XML_E_OTHER);
	assert_string_equal(xml_name(xml), "Error");
	xml_free(xml);

	xml = open_text("<R xmlns='http://example.com/'/>");
	assert_int_equal(xml_root(xml, "R", NS), XML_E_OTHER);
	xml_free(xml);

	xml = open_text("<p:R xmlns:p='" NS "'><p:A>1</p:A></p:R>");
	assert_int_equal(xml_root(xml, "R", NS), 0);
	xml_free(xml);

	xml = open_text("<R xmlns='http://example.com/'/>");
	assert_int_equal(xml_root(xml, "R", NULL), 0);
	xml_free(xml);
}

static void no_document(void **state)
{
	static const char *const texts[] = {
	    "",           " ",        "hello",    "\n\n",
	    "<",          "<R",       "<!-- -->", "<?xml version='1.0'?>",
	    "{\"a\": 1}", "\xff\xfe", "<html",    "<!-- R"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_bad(texts[i], strlen(texts[i]));
}

static void every_truncation_is_bad(void **state)
{
	const char *text = "<?xml version='1.0'?><R xmlns='" NS "'><A>one</A><D><A>two</A>"
			   "<A/></D><!-- c --><B><![CDATA[x]]></B></R>";

	(void)state;
	for (size_t len = 0; len < strlen(text); len++) {
		char *copy = strndup(text, len);

		assert_bad(copy, len);
		free(copy);
	}
}

static void garbage_behind_the_root_is_bad(void **state)
{
	static const char *const texts[] = {
	    "<R><A>1</A></R>x",      "<R><A>1</A></R><R/>", "<R/><R/>",     "<R/>x",
	    "<R><A>1</A></R><!-- x", "<R></R></R>",         "<R></R>&amp;",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_bad(texts[i], strlen(texts[i]));
	assert_bad("<R/>\0", 5);
}

static void malformed_is_bad(void **state)
{
	static const char *const texts[] = {
	    "<R><A>1</B></R>",         "<R><A>1</R>",
	    "<R><A x=1>1</A></R>",     "<R><A>&unknown;</A></R>",
	    "<R><A>&#0;</A></R>",      "<R><A>\x01</A></R>",
	    "<R><A>a & b</A></R>",     "<R><A>a < b</A></R>",
	    "<R><A>\xff</A></R>",      "<R><A>]]></A></R>",
	    "<R><A x='1' x='2'/></R>", "<R><!-- -- --></R>",
	    "<R>&#xD800;</R>",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_bad(texts[i], strlen(texts[i]));
}

static void document_type_is_bad(void **state)
{
	static const char *const texts[] = {
	    "<!DOCTYPE R><R/>",
	    "<!DOCTYPE R SYSTEM 'http://127.0.0.1:1/x.dtd'><R/>",
	    "<!DOCTYPE R [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><R><A>&e;</A></R>",
	    "<!DOCTYPE R [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>"
	    "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;&c;'>"
	    "<!ENTITY e '&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;'><!ENTITY f '&e;&e;&e;&e;&e;&e;&e;&e;&e;'>"
	    "]><R><A>&f;&f;&f;&f;&f;&f;&f;&f;</A></R>",
	    "<!DOCTYPE R [<!ENTITY % p SYSTEM 'file:///etc/passwd'> %p;]><R/>",
	    "<!DOCTYPE R [<!ATTLIST R a CDATA 'x'>]><R/>",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_bad(texts[i], strlen(texts[i]));
}

/* Levels below the root, the root's depth being 0. */
static char *nested(int levels)
{
	struct buf b = BUF_INIT;

	buf_add_str(&b, "<R>");
	for (int i = 0; i < levels; i++)
		buf_add_str(&b, "<D>");
	for (int i = 0; i < levels; i++)
		buf_add_str(&b, "</D>");
	buf_add_str(&b, "</R>");
	return buf_steal(&b);
}

static void depth_is_bounded(void **state)
{
	const int levels[] = {XML_MAX_DEPTH + 1, 255, 257, 100000};
	char *text = nested(XML_MAX_DEPTH);
	struct xml *xml = open_root(text);
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(walk(xml, 0, &out), 0);
	buf_deinit(&out);
	xml_free(xml);
	free(text);
	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		const char *name;

		text = nested(levels[i]);
		assert_bad(text, strlen(text));
		/* also when all of it is only passed over */
		xml = open_root(text);
		assert_int_equal(xml_child(xml, 0, &name), 0);
		assert_int_equal(xml_child(xml, 0, &name), -EBADMSG);
		xml_free(xml);
		free(text);
	}
}

static void nothing_is_written_to_stderr(void **state)
{
	static const char half_a_character[] = "\xff\xfe<\0R\0>\0\0\xd9y"; /* of UTF-16 */
	int saved = dup(STDERR_FILENO);
	FILE *file = tmpfile();
	long size;

	(void)state;
	dup2(fileno(file), STDERR_FILENO);
	assert_bad("<R><A>&x;</B>", 13);
	assert_bad("<!DOCTYPE R SYSTEM 'x'><R/>", 27);
	assert_bad(half_a_character, sizeof(half_a_character));
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	fclose(file);
	assert_int_equal(size, 0);
}

static void free_takes_null(void **state)
{
	(void)state;
	xml_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(elements_and_texts),
	    cmocka_unit_test(empty_elements),
	    cmocka_unit_test(references_to_control_characters),
	    cmocka_unit_test(references_that_are_none),
	    cmocka_unit_test(blanks_before_the_document),
	    cmocka_unit_test(references_and_cdata),
	    cmocka_unit_test(comments_and_instructions_are_passed_over),
	    cmocka_unit_test(text_of_children_is_left_out),
	    cmocka_unit_test(encodings),
	    cmocka_unit_test(unknown_elements_are_skipped_whole),
	    cmocka_unit_test(half_read_element_is_left_by_asking_above),
	    cmocka_unit_test(end_of_an_inner_element_is_said_again),
	    cmocka_unit_test(text_of_the_root),
	    cmocka_unit_test(long_text_comes_whole),
	    cmocka_unit_test(other_root_or_namespace),
	    cmocka_unit_test(no_document),
	    cmocka_unit_test(every_truncation_is_bad),
	    cmocka_unit_test(garbage_behind_the_root_is_bad),
	    cmocka_unit_test(malformed_is_bad),
	    cmocka_unit_test(document_type_is_bad),
	    cmocka_unit_test(depth_is_bounded),
	    cmocka_unit_test(nothing_is_written_to_stderr),
	    cmocka_unit_test(free_takes_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
