#!/usr/bin/python3
"""Signs seeded random requests with aws/sigv4 and with botocore, and compares.

usage: sigv4-botocore.py SIGV4-SIGN [SEED [COUNT]]

Compared are the Authorization header, the string to sign and the canonical request (the session
token masked, as aws/sigv4 never shows it). A seed in the output runs the same requests again.

Where the two are meant to differ, and what is done about it:

- botocore signs Connection and Transfer-Encoding when a caller sets them; a proxy may change both,
  so aws/sigv4 leaves them out. They are given to aws/sigv4 alone.
- botocore keeps an old X-Amz-Security-Token when the new credentials have none; the service would
  refuse that. It is given to aws/sigv4 alone, which must drop it.
- botocore puts the time into a Date header, if there is one, and sends no X-Amz-Date. xacctfs always
  sends X-Amz-Date; no request here has a Date.
- botocore folds all of Unicode's white space in header values (U+00A0, U+2003, ...) and the control
  characters 0x1c-0x1f. To HTTP and to the service the former are bytes of the text as others are,
  and the latter may not be sent at all (RFC 9110, 5.5). No value here has them.
- botocore's path for an S3 URL without any is "", which no client sends. Every path here has a "/".
"""

import datetime
import random
import re
import subprocess
import sys
from types import SimpleNamespace
from urllib.parse import quote

try:
    import botocore.auth
    import botocore.awsrequest
    import botocore.credentials
except ImportError:
    print('skipped: python3-botocore is not installed')
    sys.exit(77)

MASK = '***'
KEYS = [
    ('AKIAIOSFODNN7EXAMPLE', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', ''),
    ('ASIAIOSFODNN7EXAMPLE', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'IQoJb3JpZ2luX2VjEH//+w=='),
    ('ASIAI44QH8DHBEXAMPLE', 'je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY', 'FwoGZXIvYXdzE' * 80),
    ('a', 's' * 200, ''),
]
REGIONS = ['us-east-1', 'eu-west-1', 'ap-southeast-4', 'us-gov-west-1', 'cn-north-1', 'aws-global']
TIMES = [
    datetime.datetime(2026, 11, 23, 20, 13, 18),
    datetime.datetime(2026, 11, 23, 23, 59, 59),
    datetime.datetime(2026, 11, 24, 0, 0, 0),
    datetime.datetime(2024, 2, 29, 12, 0, 1),
    datetime.datetime(2038, 1, 19, 3, 14, 8),
]
HOSTS = ['b.s3.eu-west-1.amazonaws.com', 's3.amazonaws.com', 'localhost', '127.0.0.1', '[::1]',
         'sts.amazonaws.com', 'my-bucket.with.dots.s3.example']
HEADERS = ['Content-Type', 'Range', 'If-Match', 'If-None-Match', 'x-amz-copy-source', 'Cache-Control',
           'Content-MD5', 'x-amz-meta-a', 'X-Amz-Meta-A', 'x-amz-meta-a-b', 'x-amz-meta-a_b',
           'x-amz-meta-ab', 'X-AMZ-META-Z', 'x-amz-acl', 'x-amz-storage-class', 'Zz', '!odd', "q'`|~"]
UNSIGNED = ['User-Agent', 'Expect', 'X-Amzn-Trace-Id']  # by both
WHITE = [' ', '  ', '\t', ' \t ', '      ', '\v', '\f', '']
UTF8 = ['é', 'ß', '日本', '\U0001f600', 'a\u0308', '\u07ff', '\ufffd']
PARTS = [b'', b'.', b'..', b'...', b'+', b'%2F', b'%', b'%25', b' ', b'  ', b'a', b'dir', b'~', b'*',
         b"!'()", b'=', b'&', b'?', b'#', b';', b':', b'@', b',', b'$', b'\\', b'"', b'<>', b'\n',
         b'\r\n', b'\0', b'a b', 'käse'.encode(), '日本'.encode(), b'\xff\xfe', b'x' * 300]
NAMES = ['list-type', 'prefix', 'delimiter', 'continuation-token', 'max-keys', 'uploads', 'uploadId',
         'partNumber', 'encoding-type', 'start-after', 'a', 'A', 'a-', 'a.', 'a b', 'ab', 'ä', '', 'a=']


class Fixed(datetime.datetime):
    """A clock that stands still, for botocore, whatever way a version of it asks."""

    time = TIMES[0]

    @classmethod
    def utcnow(cls):
        return cls.time

    @classmethod
    def now(cls, tz=None):
        return cls.time


class FixedModule:
    """botocore.auth's name for the module datetime."""

    datetime = Fixed

    def __getattr__(self, name):
        return getattr(datetime, name)


botocore.auth.datetime = FixedModule()
if hasattr(botocore.auth, 'get_current_datetime'):
    botocore.auth.get_current_datetime = lambda *args, **kwargs: Fixed.time


class Request:
    """One request, in the terms of aws/sigv4; byte is one that it shall have everywhere."""

    def __init__(self, rng, byte):
        self.rng = rng
        self.byte = byte
        self.service = rng.choice(['s3', 's3', 's3', 'sts'])
        self.region = rng.choice(REGIONS)
        self.id, self.secret, self.token = rng.choice(KEYS)
        self.time = rng.choice(TIMES)
        self.scheme = rng.choice(['https', 'http'])
        self.method = rng.choice(['GET', 'PUT', 'POST', 'HEAD', 'DELETE'])
        # A default port is in no Host that we send: util/url drops it.
        self.authority = rng.choice(HOSTS) + rng.choice(['', '', ':9000', ':8443', ':1', ':65535'])
        self.path = self.make_path()
        self.query = self.make_query()
        self.body = self.make_body()
        # Only over TLS: S3 takes no other.
        self.unsigned = self.service == 's3' and self.scheme == 'https' and rng.random() < 0.3
        self.headers = self.make_headers()
        self.ours = self.make_headers_for_ours()

    def encode(self, data, safe=''):
        text = quote(data, safe=safe + '-_.~')
        if self.rng.random() < 0.05:  # nobody's way, but valid, and to be signed as it is sent
            text = re.sub('%[0-9A-F]{2}', lambda m: m.group().lower(), text)
        return text

    def make_path(self):
        rng = self.rng
        parts = [rng.choice(PARTS) for _ in range(rng.choice([0, 1, 1, 2, 3, 6]))]
        if self.byte is not None:
            parts.append(bytes([self.byte]))
        if rng.random() < 0.3:
            parts.append(bytes(rng.randrange(256) for _ in range(rng.randrange(1, 60))))
        rng.shuffle(parts)
        safe = "/!$&'()*+,;=:@" if rng.random() < 0.1 else '/'
        return '/' + self.encode(b'/'.join(parts), safe)

    def make_parameter(self):
        rng = self.rng
        name = rng.choice(NAMES).encode() if rng.random() < 0.8 else rng.choice(PARTS)
        text = self.encode(name)
        kind = rng.random()
        if kind < 0.15:
            return text
        if kind < 0.3:
            return text + '='
        value = rng.choice(PARTS)
        if rng.random() < 0.3:
            value += bytes(rng.randrange(256) for _ in range(rng.randrange(1, 40)))
        return text + '=' + self.encode(value)

    def make_query(self):
        rng = self.rng
        parameters = [self.make_parameter() for _ in range(rng.choice([0, 0, 1, 2, 3, 8, 20]))]
        if parameters and rng.random() < 0.3:
            parameters += rng.choices(parameters, k=2)
        if self.byte is not None:
            parameters.append(f'%{self.byte:02X}=%{self.byte:02X}')
        rng.shuffle(parameters)
        return '&'.join(parameters)

    def make_body(self):
        kind = self.rng.random()
        if kind < 0.4:
            return b''
        if kind < 0.6:
            return b'Action=AssumeRole&Version=2011-06-15&RoleSessionName=a%20b'
        size = 300000 if kind > 0.995 else self.rng.randrange(1, 2000)
        return self.rng.randbytes(size)

    def make_value(self):
        rng = self.rng
        words = [rng.choice(['bytes=0-9', '"etag"', 'a,b', '*', 'k=v; q="x  y"', 'text/plain', '%20', '+',
                             'x' * 4000] + UTF8) for _ in range(rng.choice([0, 1, 1, 2, 5]))]
        text = rng.choice(WHITE)
        for word in words:
            text += word + rng.choice(WHITE)
        # HTTP forbids the control characters; see above for 0x80 on.
        if self.byte is not None and 0x20 <= self.byte < 0x7f:
            text += chr(self.byte) + rng.choice(WHITE)
        return text

    def make_headers(self):
        rng = self.rng
        names = [rng.choice(HEADERS) for _ in range(rng.choice([0, 1, 2, 3, 10]))]
        if rng.random() < 0.2:
            names += [rng.choice(UNSIGNED)]
        headers = [(name, self.make_value()) for name in names]
        if rng.random() < 0.1:  # what the first signing of a retried request left
            headers += [('X-Amz-Date', '20200101T000000Z'), ('Authorization', 'AWS4-HMAC-SHA256 old')]
            if self.token:
                headers += [('x-amz-security-token', 'old')]
            if self.service == 's3':
                headers += [('X-Amz-Content-Sha256', 'old')]
        rng.shuffle(headers)
        return headers

    def make_headers_for_ours(self):
        headers = []
        if self.rng.random() < 0.1:
            headers += [('Connection', 'keep-alive'), ('transfer-encoding', 'chunked')]
        if not self.token and self.rng.random() < 0.1:
            headers += [('X-Amz-Security-Token', 'of other credentials')]
        return headers

    def netstrings(self):
        epoch = int(self.time.replace(tzinfo=datetime.timezone.utc).timestamp())
        # Less than a second is never rounded up.
        fields = [self.service, self.region, self.id, self.secret, self.token, str(epoch * 1000 + 999),
                  'UNSIGNED-PAYLOAD' if self.unsigned else '', self.method, self.authority, self.path,
                  self.query, self.body]
        headers = self.headers + self.ours
        fields.append(str(len(headers)))
        for header in headers:
            fields += header
        fields = [f if isinstance(f, bytes) else f.encode() for f in fields]
        return b''.join(b'%d:%s,' % (len(f), f) for f in fields)

    def sign_with_botocore(self):
        """Returns the Authorization header, the canonical request and the string to sign."""
        Fixed.time = self.time
        url = f'{self.scheme}://{self.authority}{self.path}'
        if self.query:
            url += '?' + self.query
        request = botocore.awsrequest.AWSRequest(method=self.method, url=url, data=self.body)
        for name, value in self.headers:
            request.headers[name] = value  # adds, as e-mail's headers do
        request.context['client_config'] = SimpleNamespace(
            s3={'payload_signing_enabled': not self.unsigned})
        signer = botocore.auth.S3SigV4Auth if self.service == 's3' else botocore.auth.SigV4Auth
        credentials = botocore.credentials.Credentials(self.id, self.secret, self.token or None)
        auth = signer(credentials, self.service, self.region)
        auth.add_auth(request)
        authorization = request.headers['Authorization']
        del request.headers['Authorization']
        canonical = auth.canonical_request(request)
        string_to_sign = auth.string_to_sign(request, canonical)
        masked = re.sub('^(x-amz-security-token:).*$', r'\g<1>' + MASK, canonical, flags=re.M)
        return authorization, masked, string_to_sign


def read_netstrings(data):
    strings, at = [], 0
    while at < len(data):
        colon = data.index(b':', at)
        end = colon + 1 + int(data[at:colon])
        strings.append(data[colon + 1:end].decode())
        at = end + 1
    return strings


def show(title, text):
    print(f'--- {title}')
    print(text)


def complain(number, seed, request, ours, theirs):
    print(f'request {number} of seed {seed} is signed otherwise')
    print(f'{request.method} {request.scheme}://{request.authority}{request.path}?{request.query}')
    for name, value in request.headers + request.ours:
        print(f'{name}: {value!r}')
    for i, title in enumerate(['Authorization', 'canonical request', 'string to sign']):
        if ours[i] != theirs[i]:
            show(f'{title}, aws/sigv4', ours[i])
            show(f'{title}, botocore', theirs[i])


def main():
    program = sys.argv[1]
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(2**32)
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 10000
    print(f'seed {seed}, botocore {botocore.__version__}', flush=True)
    rng = random.Random(seed)
    # Each byte has its turn, whatever the seed.
    requests = [Request(rng, i if i < 256 else None) for i in range(count)]
    result = subprocess.run([program], input=b''.join(r.netstrings() for r in requests),
                            stdout=subprocess.PIPE, check=True)
    ours = read_netstrings(result.stdout)
    if len(ours) != 3 * count:
        sys.exit(f'{len(ours)} answers came to {count} requests')
    for i, request in enumerate(requests):
        theirs = request.sign_with_botocore()
        mine = tuple(ours[3 * i:3 * i + 3])
        if mine != theirs:
            complain(i, seed, request, mine, theirs)
            sys.exit(1)
    print(f'{count} requests signed alike (seed {seed})')


if __name__ == '__main__':
    main()
