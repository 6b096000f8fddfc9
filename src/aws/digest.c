#include "xacctfs/aws/digest.h"

#include <errno.h>
#include <openssl/evp.h>

int md5_digest(const void *data, size_t len, uint8_t ret_digest[MD5_LEN])
{
	return EVP_Digest(data, len, ret_digest, NULL, EVP_md5(), NULL) == 1 ? 0 : -EIO;
}

void md5_hex(const uint8_t digest[MD5_LEN], char ret_text[MD5_HEX_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < MD5_LEN; i++) {
		ret_text[2 * i] = digits[digest[i] >> 4];
		ret_text[2 * i + 1] = digits[digest[i] & 15];
	}
	ret_text[MD5_HEX_LEN] = '\0';
}

void md5_base64(const uint8_t digest[MD5_LEN], char ret_text[MD5_BASE64_LEN + 1])
{
	EVP_EncodeBlock((unsigned char *)ret_text, digest, MD5_LEN);
}
