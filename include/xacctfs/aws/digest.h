/*
 * aws/digest: MD5 as S3 uses it, in Content-MD5 and in ETags. No protection against anyone.
 */
#ifndef XACCTFS_AWS_DIGEST_H
#define XACCTFS_AWS_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define MD5_LEN        16
#define MD5_HEX_LEN    32
#define MD5_BASE64_LEN 24

/* Returns 0, or -EIO when OpenSSL has no MD5 (FIPS). Thread-safe. */
int md5_digest(const void *data, size_t len, uint8_t ret_digest[MD5_LEN]);

/* In lower case. */
void md5_hex(const uint8_t digest[MD5_LEN], char ret_text[MD5_HEX_LEN + 1]);
void md5_base64(const uint8_t digest[MD5_LEN], char ret_text[MD5_BASE64_LEN + 1]);

#endif
