#!/bin/bash
# While files are written, read and removed, the control files are read over and over: counts never fall, and are right at the end.
. "$(dirname "$0")/../support/case.sh"
start_aws
mark
mount_b -o metadata_ttl=1
mkdir mnt/load-bucket
make_files made 100 20000 9000000
python <<'EOF'
from case import *
import re
import threading

control = "mnt/.xacctfs"
files = {name: open(f"made/{name}", "rb").read() for name in os.listdir("made")}
done = threading.Event()
failed = []


def load(n):
    for turn in range(3):
        for name, content in files.items():
            path = f"mnt/load-bucket/{n}-{name}"
            with open(path, "wb") as f:
                f.write(content)
            with open(path, "r+b") as f:
                f.seek(len(content) // 2)
                f.write(b"changed")
            with open(path, "rb") as f:
                assert len(f.read()) >= len(content)
            os.listdir("mnt/load-bucket")
            os.rename(path, path + "-moved")
            os.unlink(path + "-moved")


def counters():
    text = open(f"{control}/metrics").read()
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
    samples = re.findall(r"^(([a-z0-9_]+?)(?:_sum|_count)?(?:\{.*\})?) (\S+)$", text, re.M)
    return {series: float(value) for series, name, value in samples if kinds[name] in ("counter", "summary")}


def look():
    last, n = counters(), 0
    while not done.is_set():
        for name in ("identity", "session", "config"):
            assert open(f"{control}/{name}").read()
        for line in open(f"{control}/uploads"):
            assert re.match(r"#|file (stream|staged|attributes) \d+ \d+ \d+ \d+ s3://load-bucket/\d-\d+$"
                            r"|upload \S+Z \S+ s3://load-bucket/\d-\d+(-moved)?$", line), line
        now = counters()
        fallen = {series: (last[series], now[series]) for series in last if now[series] < last[series]}
        assert not fallen and now.keys() == last.keys(), fallen
        last, n = now, n + 1
    print(n, "looks")


def caught(fn, *args):
    try:
        fn(*args)
    except BaseException as e:
        failed.append(f"{fn.__name__}{args}: {e!r}")


loads = [threading.Thread(target=caught, args=(load, n)) for n in range(3)]
looks = [threading.Thread(target=caught, args=(look,))]
for thread in loads + looks:
    thread.start()
for thread in loads:
    thread.join()
done.set()
for thread in looks:
    thread.join()
assert not failed, failed
EOF
metric() { awk -v pattern="^xacctfs_$1" '$0 ~ pattern { n += $NF } END { print n + 0 }' mnt/.xacctfs/metrics; }
await '[ "$(metric "s3_requests_in_flight ")" = 0 ]' # what was read ahead
equal "DeleteObject" "$(metric 's3_requests_total.*"DeleteObject"')" "$(requests DELETE '^/load-bucket/[0-9]')"
at_least "DeleteObject" "$(metric 's3_requests_total.*"DeleteObject"')" 27
equal "all with PUT" "$(metric 's3_requests_total.*"(CreateBucket|PutObject|CopyObject|UploadPart|UploadPartCopy)"')" "$(requests PUT '^/load-bucket')"
equal "what is not saved or under way" "$(metric 'unsaved_files ')$(metric 's3_multipart_uploads ')" 00
equal "the uploads" "$(sed '/^#/d' mnt/.xacctfs/uploads)" ''
unmount_b
