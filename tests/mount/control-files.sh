#!/bin/bash
# /.xacctfs is there and not listed; its files tell what is so, cost no request, cannot be changed, and hold no secret.
. "$(dirname "$0")/../support/case.sh"
need jq jq
start_aws
control=mnt/.xacctfs
files=(config identity metrics session uploads)
# metric SERIES: its value
metric() { awk -v series="xacctfs_$1" '$1 == series { print $2 }' $control/metrics; }
# becomes SERIES VALUE: close(2) returns before the kernel tells that the handle is gone
becomes() { DEPTH=1 await "[ \"\$(metric '$1')\" = $2 ]"; }
# of KEY FILE: the value behind "KEY = "
of() { sed -n "s/^$1 = //p" "$control/$2"; }

# the session is one that is known here, too
"$local_aws" session -C "$work/aws" >session.json
jq -r --arg until "$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%SZ)" '"<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>" +
    "\(.AccessKeyId)</AccessKeyId><SecretAccessKey>\(.SecretAccessKey)</SecretAccessKey><SessionToken>\(.SessionToken)</SessionToken>" +
    "<Expiration>\($until)</Expiration></Credentials><AssumedRoleUser><Arn>arn:aws:sts::210987654321:assumed-role/r/s</Arn>" +
    "</AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>"' session.json >known
fault add --action AssumeRole --count 1 body known >/dev/null
{
    jq -r '.AccessKeyId, .SecretAccessKey, .SessionToken' session.json
    awk '$1 ~ /^aws_(access_key_id|secret_access_key)$/ { print $3 }' "$AWS_SHARED_CREDENTIALS_FILE"
} >secrets
at_least "secrets that are known" "$(wc -l <secrets)" 5
mark
mount_b -o metadata_ttl=3600,allow_other
started=$marked

# there, and not listed
mark
equal "the names" "$(cd $control && echo *)" "${files[*]}"
equal "the modes" "$(cd $control && stat -c '%a' . "${files[@]}" | tr '\n' ' ')" '555 400 444 444 444 400 '
equal "their sizes" "$(cd $control && stat -c '%s' "${files[@]}" | sort -u)" 0
ls -la $control >listing
df $control >space
stat -f $control >space
(cd $control && wc -l "${files[@]}") >lines
equal "requests" "$(requests)" 0
equal "the root" "$(ls -A mnt)" ''
equal "the tree" "$(find mnt -xdev)" mnt
python <<'EOF'
from case import *
for name in [".", "identity"]:
    assert os.listxattr(f"mnt/.xacctfs/{name}") == []
# others may read what tells neither of settings nor of names
directory = os.open("mnt/.xacctfs", os.O_RDONLY)
os.setuid(65534)
for name in ["identity", "session", "metrics"]:
    assert os.read(os.open(name, os.O_RDONLY, dir_fd=directory), 1)
for name in ["config", "uploads"]:
    try:
        os.open(name, os.O_RDONLY, dir_fd=directory)
        raise SystemExit(f"{name} is open to all")
    except PermissionError:
        pass
EOF

# not to be changed
refused 'Permission denied' bash -c "echo x >$control/session"
refused 'Permission denied' truncate -s 0 $control/session
refused 'Operation not permitted' touch $control/new
refused 'Operation not permitted' mkdir $control/new
refused 'Operation not permitted' rm -f $control/session
refused 'Operation not permitted' rmdir $control
refused 'Operation not permitted' mv $control/session $control/other
refused 'Operation not permitted' mv $control mnt/other-bucket
refused 'Operation not permitted' ln $control/session $control/other
refused 'Operation not permitted' chmod 600 $control/session
refused 'File exists' mkdir $control
equal "requests" "$(requests)" 0

# who, what, until when
equal "the account" "$(of account identity)" 210987654321
equal "the session's ARN" "$(of arn identity)" arn:aws:sts::210987654321:assumed-role/r/s
equal "the role" "$(of role_arn identity)" "$XACCTFS_ROLE_ARN"
equal "the base" "$(of base identity)" 'profile Anne'
equal "the state" "$(of state session)" valid
equal "the end" "$(of expires session)" "$(sed 's/.*<Expiration>\(.*\)<.Expiration>.*/\1/' known)"
at_least "seconds left" "$(of remaining_seconds session)" 3000
[[ $(of next_renewal session) < $(of expires session) ]] || fail "it is renewed at $(of next_renewal session)"
equal "renewals" "$(of renewals session)+$(of failed_renewals session)" 0+0
has $control/config '^metadata_ttl = 3600  # -o metadata_ttl$'
has $control/config '^memory_limit = .*  # default$'

# what is counted is what the gateway counted
mkdir mnt/ctl-bucket
make_files made 10 100 1000
cp made/* mnt/ctl-bucket/
other -T made/100 ctl-bucket/dir/ok
other -T made/100 ctl-bucket/dir//no-name
other -T made/100 ctl-bucket/dir/../dots
fault add --method GET --count 1 status 503 SlowDown >/dev/null
equal "a directory" "$(ls mnt/ctl-bucket/dir)" ok
fault clear
drop_pages mnt/ctl-bucket/1000
cmp made/1000 mnt/ctl-bucket/1000
refused 'No such file' stat mnt/ctl-bucket/none
marked=$started
equal "PutObject" "$(metric 's3_requests_total{operation="PutObject",status="2xx"}')" "$(requests PUT '^/ctl-bucket/[0-9]')"
equal "PutObject" "$(metric 's3_request_seconds_count{operation="PutObject"}')" 3
equal "CreateBucket" "$(metric 's3_requests_total{operation="CreateBucket",status="2xx"}')" 1
equal "GetObject" "$(metric 's3_requests_total{operation="GetObject",status="2xx"}')" "$(requests GET '^/ctl-bucket/[0-9]')"
equal "ListObjectsV2" "$(awk '/^xacctfs_s3_requests_total.*ListObjectsV2/ { n += $2 } END { print n }' $control/metrics)" "$(requests GET '^/ctl-bucket\?|^/ctl-bucket/\?')"
equal "throttled" "$(metric 's3_throttled_total{operation="ListObjectsV2"}')" 1
equal "retries" "$(metric 's3_retries_total{operation="ListObjectsV2"}')" 1
equal "bytes sent" "$(metric 's3_sent_bytes_total{operation="PutObject"}')" 1110
equal "bytes written" "$(metric written_bytes_total)" 1110
equal "bytes fetched" "$(metric 's3_received_bytes_total{operation="GetObject"}')" 1000
equal "hidden keys" "$(metric hidden_keys_total)" 2
becomes open_files 0
equal "most memory" "$([ "$(metric 'memory_most_bytes{use="write"}')" -ge 1000 ] && echo used)" used

# a file while it is written, and not after
python <<'EOF'
from case import *
import re
import time
def lines(kind):
    with open("mnt/.xacctfs/uploads") as f:
        return [line.split()[1:] for line in f if line.startswith(kind + " ")]
def metric(name):
    with open("mnt/.xacctfs/metrics") as f:
        return int(re.search(rf"^xacctfs_{name} (\d+)$", f.read(), re.M)[1])
def becomes(name, value):
    # close(2) returns before the kernel tells that the handle is gone
    until = time.monotonic() + int(os.environ["patience"])
    while metric(name) != value:
        assert time.monotonic() < until, f"{name} is {metric(name)}, not {value}"
assert lines("file") == lines("upload") == []
fd = os.open("mnt/ctl-bucket/two words", os.O_WRONLY | os.O_CREAT)
os.write(fd, b"hello")
assert lines("file") == [["stream", "5", "0", "0", "0", "s3://ctl-bucket/two", "words"]], lines("file")
assert metric("unsaved_files") == metric("open_files") == 1
os.fsync(fd)
assert lines("file") == [] and metric("unsaved_files") == 0
os.close(fd)
becomes("open_files", 0)

fd = os.open("mnt/ctl-bucket/large", os.O_WRONLY | os.O_CREAT)
piece = bytes(1 << 20)
for i in range(20):
    os.write(fd, piece)
(file,), (upload,) = lines("file"), lines("upload")
assert file[0] == "stream" and file[1] == str(20 << 20) and file[5] == "s3://ctl-bucket/large", file
assert upload[2] == "s3://ctl-bucket/large", upload
listed = sh("other 'ctl-bucket?uploads='").decode()
assert re.search("<UploadId>(.*?)</UploadId>", listed)[1] == upload[1], (listed, upload)
assert metric("s3_multipart_uploads") == 1
os.close(fd)
assert lines("file") == lines("upload") == []
assert metric("s3_multipart_uploads") == 0

fd = os.open("mnt/ctl-bucket/1000", os.O_WRONLY)
os.pwrite(fd, b"x", 500)
assert lines("file") == [["staged", "1000", "0", "0", "0", "s3://ctl-bucket/1000"]], lines("file")
assert metric("staging_bytes") == 1
os.close(fd)
assert lines("file") == []
becomes("staging_bytes", 0)
EOF

# Prometheus can read it
python <<'EOF'
from case import *
import re
text = open("mnt/.xacctfs/metrics").read()
types, seen, family = {}, set(), None
assert text.endswith("\n")
for line in text.splitlines():
    if header := re.fullmatch(r"# (HELP|TYPE) ([a-z_:][a-z0-9_:]*) (\S.*)", line):
        if header[1] == "HELP":
            family = header[2]
            assert family not in types, f"{family} comes twice"
        else:
            assert header[2] == family and header[3] in ("counter", "gauge", "summary"), line
            types[family] = header[3]
        continue
    sample = re.fullmatch(r'([a-z_:][a-z0-9_:]*)(\{[a-z_]+="[^"\\\n]*"(?:,[a-z_]+="[^"\\\n]*")*\})? (\d+(?:\.\d+)?)', line)
    assert sample, line
    name = sample[1]
    assert name == family or types[family] == "summary" and name in (family + "_sum", family + "_count"), line
    assert (types[family] == "counter") == name.endswith("_total"), line
    assert (name, sample[2]) not in seen, line
    seen.add((name, sample[2]))
print(len(types), "families,", len(seen), "series")
EOF

# no secret
mkdir looked
(cd $control && cp "${files[@]}" "$work/looked")
if grep -aFf secrets -r looked >leak; then fail "a secret is in $(cut -c1-200 leak)"; fi
! grep -aiE 'AWS4-HMAC|Signature=|security-token|secret_access_key *=' -r looked || fail "what looks like a secret"
unmount_b

# when the session has ended and STS is away, and S3 hangs, the files answer at once
mount_b -o duration_seconds=2,metadata_ttl=0
fault add --action AssumeRole status 503 ServiceUnavailable >/dev/null
await_log 'session has ended and is not renewed'
fault add --method GET hang >/dev/null
# shellcheck disable=SC2016 # expanded by the inner shell
timeout "$patience" bash -c 'cd "$0" && cat "$@"' $control "${files[@]}" >told || fail "they hang"
equal "the state" "$(of state session)" ended
equal "seconds left" "$(of remaining_seconds session)" 0
at_least "failed renewals" "$(of failed_renewals session)" 1
[[ $(of last_failure session) == 20*"sts:AssumeRole of $XACCTFS_ROLE_ARN: ServiceUnavailable"* ]] || fail "the reason is '$(of last_failure session)'"
equal "failing" "$(metric session_renewal_failing)" 1
fault clear
unmount_b

# where a bucket is mounted alone, they are there too, and hide its keys of that name
other -T made/10 ctl-bucket/.xacctfs/session
"${program[@]}" "accountB:ctl-bucket" "$work/mnt" -o metadata_ttl=0 2>>"$daemon_log"
equal "the bucket" "$(ls -A mnt | tr '\n' ' ')" '10 100 1000 dir large two words '
equal "the state" "$(of state session)" valid
equal "the bucket's name" "$(of bucket config)" 'ctl-bucket  # SOURCE'
equal "hidden keys" "$(metric hidden_keys_total)" 1
umount mnt
equal "the key" "$(other ctl-bucket/.xacctfs/session | cmp - made/10 && echo whole)" whole
