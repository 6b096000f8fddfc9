#!/bin/bash
# A server whose name cannot be resolved yet, as at boot, is found once it can be.
. "$(dirname "$0")/../support/case.sh"
start_aws
mkdir mnt
touch "$daemon_log"
grep -v gateway.test /etc/hosts >hosts
mount --bind hosts /etc/hosts # in the case's own namespace
named=http://gateway.test:${XACCTFS_ENDPOINT##*:}

"${program[@]}" -f -d -o "endpoint_url=$named,allow_http,max_attempts=20" accountB mnt >>"$daemon_log" 2>&1 &
daemon_pid=$!
await_log 'attempt 2 failed .*Could not resolve host'
echo '127.0.0.1 gateway.test' >>/etc/hosts
await_log 'is mounted on' || fail "no mount: $(tail -n 3 "$daemon_log")"
mkdir mnt/found
unmount_b
