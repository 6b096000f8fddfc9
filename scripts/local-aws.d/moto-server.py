"""moto-server.py DIR PORT: moto on 127.0.0.1:PORT with accounts A and B, and before it what AWS asks of a request and moto does not.

Asked are: a key that is known, its signature, the time, a session's token and its end; of AssumeRole the role and its trust
policy (the principals, and StringEquals of sts:ExternalId) and the shortest session; of a bucket, that it is the caller's account's.
Not asked are the policies of users, roles and buckets: who is of an account may do all in it.
moto.sh starts this and gives the keys in the environment; DIR only marks the process as ours.
"""
import datetime
import hmac
import io
import json
import os
import sys
from urllib.parse import parse_qsl, quote, unquote_to_bytes
from xml.sax.saxutils import escape

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.core.utils import utcnow
from moto.iam.models import iam_backends
from moto.moto_server import werkzeug_app
from moto.s3.models import FakeKey, s3_backends
from moto.sts.models import sts_backends
from werkzeug.serving import run_simple

PARTITION = "aws"
SKEW = datetime.timedelta(minutes=15)
UNSIGNED = ("AssumeRoleWithWebIdentity", "AssumeRoleWithSAML")


class Refused(Exception):
    """Status, code and message of an error answer."""


class Caller:
    """Whose key it is: account, arn, and the key itself; of a role's session, also its token and its end."""

    def __init__(self, account, arn, key, session=None):
        self.account, self.arn, self.key, self.session = account, arn, key, session


def caller_of(key_id):
    for account in list(iam_backends):
        for user in list(iam_backends[account][PARTITION].users.values()):
            for key in user.access_keys:
                if key.access_key_id == key_id and key.status == "Active":
                    return Caller(account, user.arn, key)
        for session in list(sts_backends[account][PARTITION].assumed_roles):
            if session.access_key_id == key_id:
                return Caller(account, session.arn, session.access_key, session)
    return None


def encoded_anew(target):
    """Path and query as they are signed, however the client encoded them: each byte that is not unreserved, and "/" only in the query."""
    path, _, query = target.partition("?")
    pairs = (pair.partition("=")[::2] for pair in query.split("&") if pair)
    query = "&".join("=".join(quote(unquote_to_bytes(text.replace("+", " ")), safe="-_.~") for text in pair) for pair in pairs)
    return quote(unquote_to_bytes(path), safe="/-_.~") + (query and "?" + query)


class Asked:
    """A signed request, as far as AWS looks at it before it is carried out."""

    def __init__(self, environ):
        self.environ = environ
        self.method = environ["REQUEST_METHOD"]
        self.target = environ["RAW_URI"]
        self.form = {}
        self.body = b""
        if self.method == "POST" and self.target == "/":
            self.body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(self.body)
            self.form = dict(parse_qsl(self.body.decode()))
        self.action = self.form.get("Action", "")
        scheme, _, fields = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        fields = dict(field.strip().partition("=")[::2] for field in fields.split(","))
        scope = fields.get("Credential", "").split("/")
        self.signed = scheme == "AWS4-HMAC-SHA256" and len(scope) == 5
        if self.signed:
            self.key_id, self.date, self.region, self.service, _ = scope
            self.signature = fields.get("Signature", "")
            self.signed_headers = fields.get("SignedHeaders", "").split(";")

    def header(self, name):
        name = name.upper().replace("-", "_")
        value = self.environ.get(name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + name, "")
        return value.encode("latin-1").decode()

    def signature_by(self, key):
        request = AWSRequest(self.method, f"http://{self.header('host')}{encoded_anew(self.target)}", data=self.body,
                             headers={name: self.header(name) for name in self.signed_headers})
        request.context["timestamp"] = self.header("x-amz-date")
        signer = S3SigV4Auth if self.service == "s3" else SigV4Auth
        auth = signer(Credentials(key.access_key_id, key.secret_access_key), self.service, self.region)
        return auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)


def refuse_unless_signed(asked):
    """The caller, or Refused."""
    s3 = asked.service == "s3"
    caller = caller_of(asked.key_id)
    if not caller:
        raise Refused(403, "InvalidAccessKeyId" if s3 else "InvalidClientTokenId", "The access key ID does not exist in our records.")
    token = asked.header("x-amz-security-token")
    if token != (caller.session.session_token if caller.session else ""):
        raise Refused(400 if s3 else 403, "InvalidToken" if s3 else "InvalidClientTokenId", "The provided token is malformed or otherwise invalid.")
    at = datetime.datetime.strptime(asked.header("x-amz-date"), "%Y%m%dT%H%M%SZ")
    if abs(at - utcnow()) > SKEW:
        raise Refused(403, "RequestTimeTooSkewed" if s3 else "SignatureDoesNotMatch", "Signature expired: the time of the request is too far off.")
    if not hmac.compare_digest(asked.signature, asked.signature_by(caller.key)):
        raise Refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")
    if caller.session and caller.session.expiration < utcnow():
        raise Refused(400 if s3 else 403, "ExpiredToken", "The provided token has expired.")
    return caller


def trusts(statement, caller, external_id):
    """Whether this statement of a trust policy lets the caller in. Deny, and conditions of other kinds, are not known here."""
    role = caller.session.role_arn if caller.session else None
    names = {"*", caller.account, f"arn:{PARTITION}:iam::{caller.account}:root", caller.arn, role}
    principals = statement["Principal"]
    principals = principals if principals == "*" else principals["AWS"]
    conditions = statement.get("Condition", {}).get("StringEquals", {})
    return bool(names & set([principals] if isinstance(principals, str) else principals)) \
        and conditions.get("sts:ExternalId") in (None, external_id)


def refuse_unless_trusted(asked, caller):
    arn = asked.form.get("RoleArn", "")
    account = (arn.split(":") + [""] * 5)[4]
    roles = iam_backends[account][PARTITION].roles.values() if account in iam_backends else []
    policy = next((json.loads(role.assume_role_policy_document) for role in roles if role.arn == arn), {"Statement": []})
    if not any(trusts(statement, caller, asked.form.get("ExternalId")) for statement in policy["Statement"]):
        raise Refused(403, "AccessDenied", f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}")
    if int(asked.form.get("DurationSeconds", 3600)) < int(os.environ["MIN_SESSION"]):
        raise Refused(400, "ValidationError", "Value at 'durationSeconds' failed to satisfy constraint: it is too small")


def refuse_unless_owned(asked, caller):
    path, _, query = asked.target.partition("?")
    bucket, slash, key = path[1:].partition("/")
    _, owner = s3_backends.bucket_accounts.get(bucket, (PARTITION, caller.account))
    creates = asked.method == "PUT" and not key and not query       # whose name it is, is moto's to tell
    if owner != caller.account and not creates:
        raise Refused(403, "AccessDenied", "Access Denied")


def admit(asked):
    if asked.action in UNSIGNED:
        return
    if not asked.signed:
        raise Refused(403, "AccessDenied", "Access Denied")
    caller = refuse_unless_signed(asked)
    if asked.service == "sts" and asked.action == "AssumeRole":
        refuse_unless_trusted(asked, caller)
    if asked.service == "s3":
        refuse_unless_owned(asked, caller)


def error_body(asked, code, message):
    if asked.action:
        return f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>" \
               "<RequestId>moto</RequestId></ErrorResponse>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{escape(message)}</Message><RequestId>moto</RequestId></Error>'


class Door:
    """A WSGI application: moto, behind admit()."""

    def __init__(self, moto):
        self.moto = moto

    def __call__(self, environ, start_response):
        asked = Asked(environ)
        try:
            admit(asked)
        except Refused as refused:
            status, code, message = refused.args
            body = b"" if asked.method == "HEAD" else error_body(asked, code, message).encode()
            start_response(f"{status} Refused", [("content-type", "application/xml"), ("content-length", str(len(body)))])
            return [body]
        environ["HTTP_HOST"] = "127.0.0.1"      # of a host's name moto takes the first label for a bucket
        return self.moto(environ, start_response)


class AnyByte(werkzeug_app.RegexConverter):
    """Of moto's paths: a key may have a line feed, which is no "." of a regular expression."""

    def __init__(self, url_map, pattern):
        super().__init__(url_map, pattern.replace(".", r"[\s\S]"))


def make_user(account, name):
    iam = iam_backends[account][PARTITION]
    iam.create_user(region_name="us-east-1", user_name=name)
    key = iam.create_access_key(name)
    del iam.access_keys[key.access_key_id]
    key.access_key_id, key.secret_access_key = os.environ[f"{name.upper()}_KEY"], os.environ[f"{name.upper()}_SECRET"]
    iam.access_keys[key.access_key_id] = key


def make_accounts():
    a, b = os.environ["ACCOUNT_A"], os.environ["ACCOUNT_B"]
    make_user(a, "Anne")
    make_user(a, "aroot")
    make_user(b, "broot")
    iam_backends[b][PARTITION].create_role(
        role_name=os.environ["ROLE_NAME"], assume_role_policy_document=os.environ["TRUST"], path="/", permissions_boundary=None,
        description="", tags=[], max_session_duration="3600")


def lock_etags():
    """moto reads an object's bytes for its ETag without the lock that it has for them: two at once make a wrong one of it, or a
    short answer to who gets the object meanwhile."""
    unlocked = FakeKey.etag.fget

    def etag(key):
        with key.lock:
            return unlocked(key)

    FakeKey.etag = property(etag)


lock_etags()
make_accounts()
werkzeug_app.RegexConverter = AnyByte
run_simple("127.0.0.1", int(sys.argv[2]), Door(werkzeug_app.DomainDispatcherApplication(werkzeug_app.create_backend_app)), threaded=True,
           request_handler=werkzeug_app.MotoRequestHandler)
