#include "xacctfs/util/utf8.h"

#include "xacctfs/util/cleanup.h"

size_t utf8_len(const unsigned char *p)
{
	static const struct {
		unsigned char first, last;  /* of the first byte */
		unsigned char lowest, most; /* of the second */
		size_t len;
	} forms[] = {
	    {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
	    {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
	    {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	if (*p < 0x80)
		return 1;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		size_t n = 2;

		if (*p < forms[i].first || *p > forms[i].last)
			continue;
		if (p[1] < forms[i].lowest || p[1] > forms[i].most)
			return 0;
		while (n < forms[i].len && p[n] >= 0x80 && p[n] <= 0xbf)
			n++;
		return n == forms[i].len ? n : 0;
	}
	return 0;
}

bool utf8_valid(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t len;

	while (*p && (len = utf8_len(p)))
		p += len;
	return *p == '\0';
}
