#!/bin/bash
# A server that is not there, or does not answer in the time that was set, is told as such; when it is back, all is well.
. "$(dirname "$0")/../support/case.sh"
start_aws
cat >relay.cfg <<EOF
defaults
  mode tcp
  timeout connect 60s
  timeout client 15m
  timeout server 15m
listen relay
  bind 127.0.0.1:9000
  server gateway ${AWS_ENDPOINT_URL#http://}
EOF
relay() { haproxy -db -f relay.cfg >/dev/null 2>&1 & relay=$!; listening 9000; }
ms() { echo $((${EPOCHREALTIME/./} / 1000)); }
relay

mount_b -o s3_endpoint_url=http://127.0.0.1:9000,metadata_ttl=0,max_attempts=2
mkdir mnt/some-bucket
kill $relay; wait $relay || :
refused "Connection refused" ls mnt
refused "Connection refused" stat mnt/some-bucket
refused "Connection refused" mkdir mnt/other-bucket
has "$daemon_log" 'error: ListBuckets: .*127.0.0.1:9000.*refused'
relay
equal "ls when it is back" "$(ls mnt)" some-bucket
unmount_b

late=0
# impatient OPTIONS: a mount with these, for which an honest answer may come too late: then it is tried again
impatient() {
    local tries
    log_from=$(($(wc -l <"$daemon_log") + 1))
    for tries in {1..20}; do
        "${program[@]}" -f -o "metadata_ttl=0,$1" accountB "$work/mnt" >>"$daemon_log" 2>&1 &
        daemon_pid=$!
        ! await_log 'is mounted on' || return 0
        wait "$daemon_pid" || :
    done
    fail "no mount in $tries tries: $(tail -n 5 "$daemon_log")"
}
# late OPTIONS MS MIN MAX LOG-REGEX: what ls and mkdir say while the server hangs: no sooner than that, and by so many requests
late() {
    local began took
    impatient "$1"
    # another name each time: what hung is handed on in the end, and makes the bucket
    for call in 'GET ls mnt' "PUT mkdir mnt/too-slow-$((++late))"; do
        fault add --method "${call%% *}" hang >/dev/null
        mark
        began=$(ms)
        # shellcheck disable=SC2086 # a command and its argument
        DEPTH=1 refused "Connection timed out" ${call#* }
        took=$(($(ms) - began))
        fault clear
        DEPTH=1 at_least "ms of $call with $1" $took "$2"
        DEPTH=1 at_least "requests of $call with $1" "$(requests "${call%% *}")" "$3"
        DEPTH=1 at_most "requests of $call with $1" "$(requests "${call%% *}")" "$4"
        echo "figure: $call with $1: timed out after $took ms"
        await 'ls mnt | grep -qx some-bucket'
    done
    DEPTH=1 has "$daemon_log" "error: ListBuckets: .*$5"
    unmount_b
    : >"$daemon_log"
}
late stall_timeout=1,max_attempts=1 1000 1 1 'not a byte for'
late stall_timeout=1,max_attempts=2 2000 2 2 'not a byte for'
late request_timeout=2 2000 1 1 'timed out'
late request_timeout=3,stall_timeout=1,max_attempts=20 1000 1 3 'not a byte for'
