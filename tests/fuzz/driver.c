/*
 * fuzz/driver: a target on its corpus, and on what comes of it by chance.
 *
 *	fuzz-NAME [-runs=N] [-dict=FILE] FILE|FOLDER...
 *
 * Runs the target on each file, then N times on a mixture of them: bytes changed, cut, doubled, put
 * together from two files, and words of the dictionary put in. What is given is as libFuzzer has
 * it, which may be linked instead (config/meson/fuzz.ini). The environment says otherwise:
 *
 *	XACCTFS_SEED=N      begins with run N instead of a random one; a run depends on its number
 *	                    and on the corpus alone
 *	XACCTFS_ROUNDS=N    how many
 *
 * When the target breaks, its input is written to crash-fuzz-NAME-N in the working folder; run on
 *that file alone, it breaks again.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "sequence.h"
#include "xacctfs/util/array.h"
#include "xacctfs/util/buf.h"
#include "xacctfs/util/cleanup.h"

/* A mixture is cut to it. */
#define INPUT_MAX ((size_t)64 * 1024)
/* The most changes that one mixture has. */
#define CHANGES_MAX 8

struct inputs {
	struct buf *v;
	size_t n;
};

static struct inputs corpus, words;
static const char *target; /* the program's name */

/* What the target has now, for the handlers. */
static const uint8_t *present;
static size_t present_size;
static char present_name[32]; /* the run's number, or "corpus" */

/* ---- when it breaks ---- */

static void say(const char *text)
{
	ssize_t ignored = write(STDERR_FILENO, text, strlen(text));

	(void)ignored;
}

static void tell(void)
{
	char path[128];
	int fd;

	if (!present)
		return;
	strcpy(path, "crash-");
	strncat(path, target, 64);
	strcat(path, "-");
	strcat(path, present_name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0 && write(fd, present, present_size) == (ssize_t)present_size) {
		say("to replay: ");
		say(target);
		say(" ");
		say(path);
		say("\n");
	}
	close(fd);
	present = NULL;
}

static void on_signal(int number)
{
	tell();
	raise(number); /* with its default action: SA_RESETHAND */
}

/* Defined where a sanitizer is linked, which then tells of signals, too. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void watch(void)
{
	/* SIGTERM is a test's time-out */
	static const int always[] = {SIGABRT, SIGTERM, SIGINT};
	static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
	struct sigaction action = {.sa_handler = on_signal,
				   .sa_flags = (int)SA_RESETHAND | SA_NODEFER};

	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		sigaction(always[i], &action, NULL);
	if (__sanitizer_set_death_callback) {
		__sanitizer_set_death_callback(tell);
	} else {
		for (size_t i = 0; i < ARRAY_LEN(crashes); i++)
			sigaction(crashes[i], &action, NULL);
	}
	atexit(tell); /* of the target's own exit() */
}

/* In memory of just its size, so that a read behind the end is seen. */
static void run_one(const struct buf *input)
{
	uint8_t *copy = fuzz_have(malloc(input->len ? input->len : 1));

	if (input->len)
		memcpy(copy, input->data, input->len);
	present_size = input->len;
	present = copy;
	LLVMFuzzerTestOneInput(copy, input->len);
	present = NULL;
	free(copy);
}

/* ---- mixtures ---- */

struct mixer {
	uint64_t chance;
	struct buf b;
};

static size_t pick(struct mixer *m, size_t n)
{
	return (size_t)chance_below(&m->chance, n);
}

/* So many bytes at `at` become those. They may be the mixture's own. */
static void replace(struct mixer *m, size_t at, size_t n, const char *bytes, size_t len)
{
	struct buf fresh = BUF_INIT;
	size_t rest = m->b.len - at - n;

	if (at + len + rest > INPUT_MAX)
		return;
	if (buf_add(&fresh, m->b.data, at) < 0 || buf_add(&fresh, bytes, len) < 0 ||
	    buf_add(&fresh, m->b.data + at + n, rest) < 0)
		fuzz_have(NULL);
	buf_deinit(&m->b);
	m->b = fresh;
}

/* Most slices are short. */
static size_t slice_len(struct mixer *m, size_t most)
{
	size_t n = pick(m, 2) ? 8 : pick(m, 2) ? 64 : most;

	return most ? 1 + pick(m, n < most ? n : most) : 0;
}

static void change_byte(struct mixer *m, size_t at)
{
	static const char likely[] = "\0\t\n\r !\"#%&'()*+,-./0189:;<=>?@[\\]^_az{|}~\x7f\x80\xff";
	char *byte = &m->b.data[at];

	switch (pick(m, 4)) {
	case 0:
		*byte = (char)(*byte ^ (1 << pick(m, 8)));
		break;
	case 1:
		*byte = (char)(*byte + (pick(m, 2) ? 1 : -1));
		break;
	case 2:
		*byte = (char)chance_any(&m->chance);
		break;
	default:
		*byte = likely[pick(m, sizeof(likely) - 1)];
	}
}

static const struct buf *any_of(struct mixer *m, const struct inputs *inputs)
{
	return &inputs->v[pick(m, inputs->n)];
}

static void put_other(struct mixer *m, size_t at, size_t n)
{
	const struct buf *other = any_of(m, &corpus);
	size_t from = other->len ? pick(m, other->len) : 0;

	replace(m, at, n, other->data + from, slice_len(m, other->len - from));
}

static void put_word(struct mixer *m, size_t at, size_t n)
{
	const struct buf *word;

	if (words.n == 0)
		return;
	word = any_of(m, &words);
	replace(m, at, n, word->data, word->len);
}

static void change(struct mixer *m)
{
	size_t at = m->b.len ? pick(m, m->b.len) : 0;
	size_t n = slice_len(m, m->b.len - at), to = pick(m, m->b.len + 1);

	switch (pick(m, 10)) {
	case 0:
	case 1:
	case 2:
		if (m->b.len)
			change_byte(m, at);
		break;
	case 3:
		replace(m, at, n, NULL, 0);
		break;
	case 4:
		replace(m, to, 0, m->b.data + at, n);
		break;
	case 5:
		replace(m, at, n, m->b.data + to, slice_len(m, m->b.len - to));
		break;
	case 6:
		put_other(m, at, pick(m, 2) ? 0 : n);
		break;
	case 7:
		put_word(m, to, 0);
		break;
	case 8:
		put_word(m, at, n);
		break;
	default:
		if (pick(m, 4) == 0) /* the end is cut off */
			replace(m, at, m->b.len - at, NULL, 0);
	}
}

static void run_mixture(uint64_t seed)
{
	struct mixer m = {.chance = seed};
	const struct buf *input = any_of(&m, &corpus);

	if (buf_add(&m.b, input->data, input->len) < 0)
		fuzz_have(NULL);
	for (size_t n = 1 + pick(&m, CHANGES_MAX); n > 0; n--)
		change(&m);
	snprintf(present_name, sizeof(present_name), "%" PRIu64, seed);
	run_one(&m.b);
	buf_deinit(&m.b);
}

/* ---- what is given ---- */

static struct buf *add_to(struct inputs *inputs)
{
	if (array_grow(&inputs->v, inputs->n, sizeof(*inputs->v)) < 0)
		fuzz_have(NULL);
	inputs->v[inputs->n] = (struct buf)BUF_INIT;
	return &inputs->v[inputs->n++];
}

static void inputs_deinit(struct inputs *inputs)
{
	for (size_t i = 0; i < inputs->n; i++)
		buf_deinit(&inputs->v[i]);
	free(inputs->v);
}

static void fail(const char *path)
{
	fprintf(stderr, "%s: %s: %s\n", target, path, strerror(errno));
	exit(2);
}

static void read_file(const char *path, struct buf *b)
{
	FILE *f = fopen(path, "re");
	char bytes[4096];
	size_t n;

	if (!f)
		fail(path);
	while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0)
		if (buf_add(b, bytes, n) < 0)
			fuzz_have(NULL);
	fclose(f);
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void read_folder(const char *path)
{
	struct dirent **entries;
	int n = scandir(path, &entries, visible, alphasort);

	if (n < 0)
		fail(path);
	for (int i = 0; i < n; i++) {
		struct buf name = BUF_INIT;

		if (buf_printf(&name, "%s/%s", path, entries[i]->d_name) < 0)
			fuzz_have(NULL);
		read_file(name.data, add_to(&corpus));
		buf_deinit(&name);
		free(entries[i]);
	}
	free(entries);
}

/* "name=\"bytes\"" or "\"bytes\"", with \\, \" and \xNN, as libFuzzer has it. */
static void read_word(const char *line)
{
	const char *p = strchr(line, '"');
	struct buf *word;

	if (line[0] == '#' || !p)
		return;
	word = add_to(&words);
	for (p++; *p && *p != '"'; p++) {
		char c = *p;
		unsigned int value;

		if (c == '\\' && p[1] == 'x' && sscanf(p + 2, "%2x", &value) == 1) {
			c = (char)value;
			p += 3;
		} else if (c == '\\' && p[1]) {
			c = *++p;
		}
		if (buf_add_char(word, c) < 0)
			fuzz_have(NULL);
	}
}

static void read_words(const char *path)
{
	struct buf text = BUF_INIT;
	char *rest = NULL;

	read_file(path, &text);
	for (char *line = strtok_r(text.data, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		read_word(line);
	buf_deinit(&text);
}

static void read_argument(const char *argument, uint64_t *runs)
{
	struct stat st;

	if (!strncmp(argument, "-runs=", 6))
		*runs = strtoull(argument + 6, NULL, 10);
	else if (!strncmp(argument, "-dict=", 6))
		read_words(argument + 6);
	else if (stat(argument, &st) < 0)
		fail(argument);
	else if (S_ISDIR(st.st_mode))
		read_folder(argument);
	else
		read_file(argument, add_to(&corpus));
}

static uint64_t number_from(const char *variable, uint64_t otherwise)
{
	const char *text = getenv(variable);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

int main(int argc, char *argv[])
{
	uint64_t runs = 0, seed;
	uint32_t random;

	target = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	for (int i = 1; i < argc; i++)
		read_argument(argv[i], &runs);
	if (corpus.n == 0 || getrandom(&random, sizeof(random), 0) != sizeof(random)) {
		fprintf(stderr, "%s: there is no input\n", target);
		return 2;
	}
	seed = number_from("XACCTFS_SEED", random);
	runs = number_from("XACCTFS_ROUNDS", runs);
	watch();
	strcpy(present_name, "corpus");
	for (size_t i = 0; i < corpus.n; i++)
		run_one(&corpus.v[i]);
	printf("%zu files, XACCTFS_SEED=%" PRIu64 " XACCTFS_ROUNDS=%" PRIu64 "\n", corpus.n, seed,
	       runs);
	fflush(stdout);
	for (uint64_t i = 0; i < runs; i++)
		run_mixture(seed + i);
	inputs_deinit(&corpus);
	inputs_deinit(&words);
	return 0;
}
