#include "xacctfs/aws/credentials.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "xacctfs/util/cleanup.h"

#define SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define TOKEN  "IQoJb3JpZ2luX2VjEXAMPLETOKEN"

/* In place of the C library's: which secrets were overwritten. */
static bool secret_wiped, token_wiped, key_wiped;

static void wipe(void *p, size_t len)
{
	volatile char *bytes = p;

	if (len == strlen(SECRET) && !memcmp(p, SECRET, len))
		secret_wiped = true;
	if (len == strlen(TOKEN) && !memcmp(p, TOKEN, len))
		token_wiped = true;
	if (len == sizeof(struct credentials))
		key_wiped = true;
	for (size_t i = 0; i < len; i++)
		bytes[i] = 0;
}

void explicit_bzero(void *p, size_t len)
{
	wipe(p, len);
}

/* What a build with _FORTIFY_SOURCE calls. */
void __explicit_bzero_chk(void *p, size_t len, size_t size);
void __explicit_bzero_chk(void *p, size_t len, size_t size)
{
	(void)size;
	wipe(p, len);
}

static struct credentials *make(const char *token)
{
	struct credentials *credentials;

	assert_int_equal(credentials_new("AKIAIOSFODNN7EXAMPLE", SECRET, token, 42, &credentials),
			 0);
	return credentials;
}

static void test_copies(void **state)
{
	char id[] = "id", secret[] = "secret", token[] = "token";
	_cleanup_(credentials_unrefp) struct credentials *credentials = NULL;

	(void)state;
	assert_int_equal(credentials_new(id, secret, token, 42, &credentials), 0);
	id[0] = secret[0] = token[0] = 'x';
	assert_string_equal(credentials->access_key_id, "id");
	assert_string_equal(credentials->secret_access_key, "secret");
	assert_string_equal(credentials->session_token, "token");
	assert_int_equal(credentials->expires_ms, 42);
}

static void test_without_token(void **state)
{
	_cleanup_(credentials_unrefp) struct credentials *credentials = make(NULL);

	(void)state;
	assert_null(credentials->session_token);
}

static void test_unref_of_null(void **state)
{
	(void)state;
	credentials_unref(NULL);
}

static void test_last_unref_wipes(void **state)
{
	struct credentials *credentials = make(TOKEN);

	(void)state;
	secret_wiped = token_wiped = key_wiped = false;
	assert_ptr_equal(credentials_ref(credentials), credentials);
	credentials_unref(credentials);
	assert_false(secret_wiped || token_wiped || key_wiped);
	assert_string_equal(credentials->secret_access_key, SECRET);
	credentials_unref(credentials);
	assert_true(secret_wiped && token_wiped && key_wiped);
}

#define THREADS 8
#define ROUNDS  20000

static void *hold_and_let_go(void *data)
{
	struct credentials *credentials = data;
	size_t read = 0;

	for (int i = 0; i < ROUNDS; i++) {
		_cleanup_(credentials_unrefp) struct credentials *mine =
		    credentials_ref(credentials);

		read += (size_t)mine->secret_access_key[0];
	}
	credentials_unref(credentials);
	return read == (size_t)ROUNDS * 'w' ? NULL : data;
}

/* Each thread has a reference of its own; whichever lets go last frees. */
static void test_refs_in_threads(void **state)
{
	struct credentials *credentials = make(TOKEN);
	pthread_t threads[THREADS];

	(void)state;
	secret_wiped = false;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hold_and_let_go,
						credentials_ref(credentials)),
				 0);
	credentials_unref(credentials);
	for (size_t i = 0; i < THREADS; i++) {
		void *failed;

		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	assert_true(secret_wiped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_copies),          cmocka_unit_test(test_without_token),
	    cmocka_unit_test(test_unref_of_null),   cmocka_unit_test(test_last_unref_wipes),
	    cmocka_unit_test(test_refs_in_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
