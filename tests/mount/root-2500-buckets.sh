#!/bin/bash
# 2,500 buckets are shown, sorted and found, by one request, in bounded memory.
. "$(dirname "$0")/../support/case.sh"
start_aws
n=2500
memory() { awk -v key="$1:" '$1 == key { print $2 }' "/proc/$daemon_pid/status"; }

mount_b -o metadata_ttl=1
idle=$(memory VmRSS)
/usr/bin/python3 - $n <<'EOF' || fail "the buckets were not made"
import concurrent.futures, os, sys
import botocore.config, botocore.session
session = botocore.session.Session(profile="broot")
client = session.create_client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"], config=botocore.config.Config(max_pool_connections=8))
def make(i):
    client.create_bucket(Bucket=f"many-{i:04}", CreateBucketConfiguration={"LocationConstraint": os.environ["AWS_REGION"]})
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    list(pool.map(make, range(1, int(sys.argv[1]) + 1)))
EOF
"$local_aws" log-sync -C "$work/aws" >/dev/null
await "[ \"\$(ls mnt | wc -l)\" = $n ]"
umount mnt; ended_b 0
mark
mount_b -o metadata_ttl=3600
equal "the names" "$(ls mnt | tr '\n' ' ')" "$(seq -w $n | sed 's/^/many-/' | tr '\n' ' ')"
equal "find" "$(find mnt -maxdepth 1 -mindepth 1 -type d | wc -l)" $n
equal "ls -l" "$(ls -l mnt | grep -c '^d')" $n
stat mnt/many-0001 mnt/many-2500 >/dev/null
refused "No such file" stat mnt/many-2501
equal "ListBuckets for all of it" "$(requests GET '^/\?')" 1
echo "figure: resident memory idle $idle kB, after listing $n buckets $(memory VmRSS) kB, at most $(memory VmHWM) kB"
case $XACCTFS in
*san/*) ;;
*) [ -n "${XACCTFS_WRAP:-}" ] || at_most "the daemon's most memory in kB" "$(memory VmHWM)" 65536 ;;
esac
unmount_b
