#!/bin/bash
# A certificate that is not trusted, or of another name, is refused; with its CA bundle it is accepted; plain http needs asking.
. "$(dirname "$0")/../support/case.sh"
start_aws
gateway=${AWS_ENDPOINT_URL#http://}
# certificate FILE NAME: a self-signed one, with its key
certificate() {
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$2" -addext "subjectAltName=DNS:$2" -keyout "$1.key" -out "$1.crt" 2>/dev/null
    cat "$1.crt" "$1.key" >"$1.pem"
}
certificate right localhost
certificate other elsewhere.example
cat >tls.cfg <<EOF
defaults
  mode http
  timeout connect 60s
  timeout client 15m
  timeout server 15m
frontend right
  bind 127.0.0.1:19443 ssl crt $work/right.pem
  default_backend gateway
frontend other
  bind 127.0.0.1:19444 ssl crt $work/other.pem
  default_backend gateway
backend gateway
  server g $gateway
EOF
haproxy -D -f tls.cfg -p haproxy.pid >/dev/null 2>&1
unset AWS_ENDPOINT_URL AWS_CA_BUNDLE
mkdir -p mnt
# over URL [OPTIONS...]: --check of that endpoint
over() { local url=$1; shift; "${program[@]}" --check --endpoint-url "$url" "$@" accountB; }

status=0; over https://localhost:19443 >untrusted 2>&1 || status=$?
equal "status with an untrusted certificate" $status 1
has untrusted '^FAIL .*certificate'
status=0; over https://localhost:19444 --ca-bundle "$work/other.crt" >misnamed 2>&1 || status=$?
equal "status with a certificate of another name" $status 1
has misnamed '^FAIL .*(certificate|name)'
status=0; "${program[@]}" -f --endpoint-url https://localhost:19443 accountB "$work/mnt" >mount.log 2>&1 || status=$?
equal "status of the mount" $status 1
has mount.log certificate
over https://localhost:19443 --ca-bundle "$work/right.crt" >trusted 2>&1 || fail "$(cat trusted)"
has trusted 'All links hold'
mount_b --endpoint-url https://localhost:19443 --ca-bundle "$work/right.crt"
mkdir mnt/over-tls
equal "ls over TLS" "$(ls mnt)" over-tls
unmount_b

status=0; over http://192.0.2.1:80 >plain 2>&1 || status=$?
equal "status of plain http to elsewhere" $status 2
has plain 'http'
status=0; over http://user:pass@127.0.0.1:80 >user 2>&1 || status=$?
equal "status of a URL with a password" $status 2
