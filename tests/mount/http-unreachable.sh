#!/bin/bash
# A server that is not there, or does not answer in time, is told as such, in the time that was set; when it is back, all is well.
. "$(dirname "$0")/../support/case.sh"
start_aws
cat >relay.cfg <<EOF
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen relay
  bind 127.0.0.1:9000
  server gateway ${AWS_ENDPOINT_URL#http://}
EOF
relay() { haproxy -db -f relay.cfg >/dev/null 2>&1 & relay=$!; timeout 20 bash -c 'until : </dev/tcp/127.0.0.1/9000; do :; done' 2>/dev/null; }
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

# tenths N: so many tenths of a second
tenths() { echo "$(($1 * slow / 10)).$(($1 * slow % 10))"; }
# late NAME=VALUE... MIN MAX: what ls says while the server hangs, and when; milliseconds
late() {
    local began took
    mount_b -o "metadata_ttl=0,$1"
    fault add --method GET hang >/dev/null
    began=$(ms)
    DEPTH=1 refused "Connection timed out" ls mnt
    took=$(($(ms) - began))
    fault clear
    equal "ls afterwards" "$(ls mnt)" some-bucket
    unmount_b
    DEPTH=1 at_least "ms with $1" $took $(($2 * slow))
    DEPTH=1 at_most "ms with $1" $took $(($3 * slow))
    echo "figure: $1: timed out after $took ms"
}
late "stall_timeout=$(tenths 5),max_attempts=1" 500 1500
late "stall_timeout=$(tenths 5),max_attempts=2" 1000 2500
late "request_timeout=$(tenths 10)" 1000 2000
late "request_timeout=$(tenths 15),stall_timeout=$(tenths 4)" 1000 2500
has "$daemon_log" 'error: ListBuckets: .*not a byte for'
