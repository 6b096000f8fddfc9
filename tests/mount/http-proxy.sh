#!/bin/bash
# HTTP_PROXY and http_proxy lead all requests through the proxy, NO_PROXY none; a proxy that is not there is named.
. "$(dirname "$0")/../support/case.sh"
start_aws
cat >proxy.cfg <<EOF
global
  log stdout format raw local0
defaults
  mode http
  timeout connect 60s
  timeout client 15m
  timeout server 15m
listen proxy
  bind 127.0.0.1:3128
  log global
  log-format "%HM %[var(txn.uri)]"
  http-request set-var(txn.uri) url
  http-request set-uri %[pathq]
  server gateway ${AWS_ENDPOINT_URL#http://}
EOF
haproxy -db -f proxy.cfg >proxy.out 2>proxy.err &
listening 3128
proxied() { grep -c " $AWS_ENDPOINT_URL/" proxy.out || :; } # the absolute form is for proxies

# through NUMBER-IS-ZERO-OR-ALL VARIABLE=VALUE...
through() {
    local want=$1 before
    shift
    before=$(proxied)
    mark
    env -u http_proxy -u HTTP_PROXY -u no_proxy -u NO_PROXY "$@" "${program[@]}" -o metadata_ttl=3600 accountB "$work/mnt"
    mkdir mnt/by-proxy
    rmdir mnt/by-proxy
    umount mnt
    at_least "requests" "$(requests)" 4 # AssumeRole, ListBuckets, CreateBucket, DeleteBucket
    if [ "$want" != 0 ]; then
        want=$(requests)
        await "[ \$((\$(proxied) - $before)) -ge $want ]" # its log comes behind its answers
    fi
    DEPTH=1 equal "requests by the proxy with $*" $(($(proxied) - before)) "$want"
}
mkdir mnt
through 0
through all HTTP_PROXY=http://127.0.0.1:3128
through all http_proxy=http://127.0.0.1:3128
through all http_proxy=http://127.0.0.1:3128 HTTP_PROXY=http://127.0.0.1:9
through all http_proxy=127.0.0.1:3128 NO_PROXY=example.com,localhost
through 0 http_proxy=http://127.0.0.1:3128 NO_PROXY=example.com,127.0.0.1
through 0 HTTP_PROXY=http://127.0.0.1:3128 no_proxy='*'
through 0 https_proxy=http://127.0.0.1:3128

refused "127.0.0.1 port 9" env http_proxy=http://127.0.0.1:9 "${program[@]}" -o max_attempts=1 accountB "$work/mnt"
refused "no-such-proxy.invalid" env http_proxy=http://no-such-proxy.invalid:3128 "${program[@]}" -o max_attempts=1 accountB "$work/mnt"
! mountpoint -q mnt || fail "it is mounted"
