#!/bin/bash
# The local Account A and B by themselves: who may take the role, each fault of the gateway, its log, and that nothing stays.
#
#     tests/gateway/faults.sh              as root, from anywhere; TAP on stdout; needs curl and the aws command
#     XACCTFS_TEST_TMP=DIR tests/...       work below DIR instead of build/
set -uo pipefail

clone=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
local_aws=$clone/scripts/local-aws
mkdir -p "${XACCTFS_TEST_TMP:-$clone/build}"
work=$(mktemp -d "${XACCTFS_TEST_TMP:-$clone/build}/gateway-test.XXXXXX")
dir=$work/aws-here
number=0 failed=0
patience=120    # seconds until what is awaited is given up: it ends a hang, nothing is said of how fast something is

finish() {
    "$local_aws" down "$dir" || :
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

# ok WHAT CMD...  One check: CMD succeeds.
ok() {
    local what=$1
    shift
    number=$((number + 1))
    if "$@" >"$work/why" 2>&1; then
        echo "ok $number - $what"
    else
        echo "not ok $number - $what"
        sed 's/^/#   /' "$work/why"
        failed=$((failed + 1))
    fi
}

# is GOT WANTED, like GOT REGEX, at_least GOT LEAST: say what was got when it is not so.
is() { [ "$1" = "$2" ] || { echo "got '$1', wanted '$2'"; return 1; }; }
like() { [[ $1 =~ $2 ]] || { echo "got '$1', wanted something like '$2'"; return 1; }; }
at_least() { (($1 >= $2)) || { echo "got $1, wanted $2 or more"; return 1; }; }
not() { ! "$@"; }
# comes_to WANTED CMD...  What CMD prints is that, sooner or later.
comes_to() {
    local wanted=$1 got end=$((SECONDS + patience))
    shift
    until got=$("$@") && [ "$got" = "$wanted" ]; do
        [ $SECONDS -lt $end ] || { echo "got '$got', wanted '$wanted'"; return 1; }
        sleep 0.05
    done
}

here() { local command=$1; shift; "$local_aws" "$command" -C "$dir" "$@"; }

# signed SERVICE IDENTITY CURL-ARG...  Sets status (000: no answer), seconds in ms, result (curl's), body, and $work/header.
# IDENTITY is a profile of the credentials file, or "role". Keys reach curl by stdin.
signed() {
    local service=$1 identity=$2 began=${EPOCHREALTIME/./} header='content-type: application/x-www-form-urlencoded'
    shift 2
    [ "$service" = sts ] || header='x-amz-content-sha256: UNSIGNED-PAYLOAD'
    : >"$work/header"; : >"$work/body"
    status=$(identity_config "$identity" |
        curl -K - --silent --max-time "${max_time:-$patience}" --aws-sigv4 "aws:amz:${region:-eu-west-1}:$service" --header "$header" \
            --dump-header "$work/header" --output "$work/body" --write-out '%{http_code}' "$@")
    result=$?
    ms=$(((${EPOCHREALTIME/./} - began) / 1000))
    body=$(tr -d '\0' <"$work/body")
    header=$(tr -d '\r' <"$work/header")
    answer_header=$header
}

identity_config() {
    local id secret token
    if [ "$1" = role ]; then
        IFS=$'\t' read -r id secret token <"$work/role"
        printf 'user = "%s:%s"\nheader = "x-amz-security-token: %s"\n' "$id" "$secret" "$token"
    else
        awk -v section="[$1]" '/^\[/ { on = $0 == section } on && /_id/ { id = $3 } on && /secret/ { print "user = \"" id ":" $3 "\"" }' \
            "$AWS_SHARED_CREDENTIALS_FILE"
    fi
}

s3() { local path=$1; shift; signed s3 role "$@" "$AWS_ENDPOINT_URL$path"; }

# assume [FORM-FIELD] CURL-ARG...
assume() {
    signed sts "${who:-Anne}" "$AWS_ENDPOINT_URL/" --data-urlencode Action=AssumeRole --data-urlencode Version=2011-06-15 \
        --data-urlencode "RoleArn=$XACCTFS_ROLE_ARN" --data-urlencode RoleSessionName=faults "$@"
}

# take_role  Keeps the session for `signed ... role`.
take_role() {
    assume --data-urlencode "ExternalId=$XACCTFS_EXTERNAL_ID"
    local name
    for name in AccessKeyId SecretAccessKey SessionToken; do
        sed -n "s/.*<$name>\([^<]*\)<.*/\1/p" <<<"$body"
    done | paste -s >"$work/role"
    [ "$status" = 200 ]
}

inject() { here fault clear && here fault add "$@"; }

# last_log COLUMN  Of the last request in the log.
last_log() {
    here log-sync >/dev/null
    grep -v ' /-/local-aws/' "$dir/gateway.log" | tail -n 1 | cut -d' ' -f"$1"
}

# --- the accounts ---

check_up() {
    ok "up" "$local_aws" up "$dir"
    [ $failed = 0 ] || { echo "Bail out! without it there is nothing to test"; exit 1; }
    eval "$("$local_aws" env "$dir")"
    local before
    before=$(processes)
    ok "status says that all answers" "$local_aws" status "$dir"
    ok "a second up succeeds" "$local_aws" up "$dir"
    ok "... and starts nothing" is "$(processes)" "$before"
    ok "the log begins empty: own checks are not in it" is "$(here count)" 0
    ok "the credentials are for the owner only" is "$(stat -c %a "$dir/aws/credentials" "$dir/aws/config" | paste -s)" $'600\t600'
    ok "up refuses a folder that is not its own" not "$local_aws" up "$clone/scripts"
}

processes() { pgrep -f "$(fsid)|haproxy.*$dir" | paste -s; }
fsid() { sed -n 's/^FSID=//p' "$dir/state"; }

check_external_id() {
    assume --data-urlencode "ExternalId=$XACCTFS_EXTERNAL_ID"
    ok "right external ID: 200" is "$status" 200
    ok "... logged with its action" is "$(last_log 2-4,7,8)" "POST / 200 AssumeRole -"
    assume --data-urlencode ExternalId=WRONG
    ok "wrong external ID: 403" is "$status" 403
    assume
    ok "missing external ID: 403" is "$status" 403
    assume --header "Referer: $XACCTFS_EXTERNAL_ID"
    ok "missing, with a forged Referer: 403" is "$status" 403
    assume --data-urlencode ExternalId=WRONG --header "Referer: $XACCTFS_EXTERNAL_ID"
    ok "wrong, with a forged Referer: 403" is "$status" 403
    who=broot assume --data-urlencode "ExternalId=$XACCTFS_EXTERNAL_ID"
    ok "a principal the trust policy does not name: 403" is "$status" 403
}

check_accounts() {
    ok "take the role" take_role
    s3 /role-bucket -X PUT
    ok "the role makes a bucket" is "$status" 200
    signed s3 broot "$AWS_ENDPOINT_URL/"
    ok "... which is Account B's" like "$body" "<Name>role-bucket</Name>"
    signed s3 Anne "$AWS_ENDPOINT_URL/"
    ok "Anne without the role is refused ListBuckets" like "$status$body" "403.*AccessDenied"
    signed s3 Anne "$AWS_ENDPOINT_URL/role-bucket/"
    ok "... and B's bucket" is "$status" 403
    head -c 100000 /dev/urandom >"$work/object"
    s3 /role-bucket/object -T "$work/object"
    ok "an object is stored" is "$status" 200
    ok "... logged with the sizes, region and key" like "$(last_log 2-12)" \
        "^PUT /role-bucket/object 200 1[0-9]{5} [0-9]+ - - [0-9]+ eu-west-1 $(cut -f1 "$work/role") --"
    ok "the AWS CLI lists through the role" like "$(here aws --profile accountB s3 ls)" "role-bucket"
    assume --data-urlencode "ExternalId=$XACCTFS_EXTERNAL_ID" --data-urlencode DurationSeconds=2
    ok "a session of 2 s can be had" is "$status" 200
}

# --- each fault ---

# check_log CODE [ACTION]  The last request carries the fault's code.
check_log() { ok "... logged with $1" comes_to "${2:--} $1" last_log 7,8; }

check_status() {
    inject --method GET --path '^/role-bucket' --retry-after 7 status 503 SlowDown 'Please reduce your <rate>' >/dev/null
    s3 /role-bucket/object
    ok "status 503 SlowDown" like "$status $body" "^503 .*<Code>SlowDown</Code><Message>Please reduce your &lt;rate&gt;<"
    ok "... with Retry-After and a request id" like "$answer_header" "retry-after: 7.*|x-amz-request-id: [0-9A-F]{16}"
    check_log SlowDown
    s3 /role-bucket/object --head
    ok "... leaves other methods alone" is "$status" 200
    s3 /
    ok "... and other paths" is "$status" 200
    inject --method HEAD status 500 InternalError >/dev/null
    s3 /role-bucket/object --head
    ok "status for HEAD has no body" is "$status $body $result" "500 $(cat "$work/body") 0"
    inject --method PUT status 503 SlowDown >/dev/null
    head -c 20000000 /dev/zero >"$work/large"
    s3 /role-bucket/large -T "$work/large"
    ok "status for a large PUT is seen by the client" is "$status" 503
    check_log SlowDown
}

check_sts_down() {
    inject --action AssumeRole status 503 ServiceUnavailable >/dev/null
    assume --data-urlencode "ExternalId=$XACCTFS_EXTERNAL_ID"
    ok "STS down: 503 as STS words it" like "$status $body" "^503 .*sts.amazonaws.com.*<Type>Receiver</Type><Code>ServiceUnavailable"
    check_log ServiceUnavailable AssumeRole
    s3 /
    ok "... S3 goes on" is "$status" 200
    inject --action AssumeRole expired-token >/dev/null
    assume --data-urlencode "ExternalId=$XACCTFS_EXTERNAL_ID"
    ok "expired-token of STS: 403" like "$status $body" "^403 .*<Code>ExpiredToken<"
    ok "own checks are not disturbed" "$local_aws" status "$dir"
}

check_delay() {
    inject --path object delay 700 >/dev/null
    s3 /role-bucket/object
    ok "delay 700: the real answer" is "$status $(sha256sum <"$work/body")" "200 $(sha256sum <"$work/object")"
    ok "... after 700 ms" at_least "$ms" 700
    check_log delay
}

# is_hit  The fault has met a request: it tells so, or is gone.
is_hit() { not grep -q hits=0 <<<"$(here fault list)"; }

# clear_when_hit [ID]
clear_when_hit() {
    rm -f "$work/cleared"
    until is_hit; do sleep 0.05; done
    : >"$work/cleared"
    here fault clear "$@"
}

check_hang() {
    inject --path object hang >/dev/null
    until is_hit; do max_time=1 s3 /role-bucket/object; done
    ok "hang: the client gives up" is "$result" 28
    check_log hang
    inject --path object hang >/dev/null
    clear_when_hit &
    s3 /role-bucket/object
    ok "hang: ends when cleared, and the request passes on" is "$status" 200
    ok "... not before" test -e "$work/cleared"
    wait $!
    id=$(inject --count 1 --path object hang)
    clear_when_hit "$id" &
    s3 /role-bucket/object
    wait $!
    ok "hang --count 1 can be cleared while it hangs" is "$status" 200
}

check_cut() {
    inject --path object cut >/dev/null
    s3 /role-bucket/object
    ok "cut: closed without an answer" is "$result $status" "52 000"
    check_log cut
}

check_cut_body() {
    inject --path object cut-body 30000 >/dev/null
    s3 /role-bucket/object
    ok "cut-body 30000: the real header" like "$status $answer_header" "^200 .*content-length: 100000"
    ok "... 30000 real bytes" is "$(sha256sum <"$work/body")" "$(head -c 30000 "$work/object" | sha256sum)"
    ok "... then the end" is "$result" 18
    check_log cut-body
    inject --path object cut-body 0 >/dev/null
    s3 /role-bucket/object
    ok "cut-body 0: a header only" is "$result $status $(stat -c %s "$work/body")" "18 200 0"
    inject cut-body 50 >/dev/null
    s3 /
    ok "cut-body 50 of a chunked answer" is "$result $status $(stat -c %s "$work/body")" "18 200 50"
    inject --path object cut-body 200000 >/dev/null
    s3 /role-bucket/object
    ok "cut-body beyond the end cuts nothing" is "$result $(sha256sum <"$work/body")" "0 $(sha256sum <"$work/object")"
}

check_expired_token() {
    inject expired-token >/dev/null
    s3 /role-bucket/object
    ok "expired-token: 400" like "$status $body" "^400 .*<Code>ExpiredToken<"
    check_log ExpiredToken
}

check_redirect() {
    inject --path '^/role-bucket' redirect ap-south-1 >/dev/null
    s3 /role-bucket/object
    ok "redirect: 301 with the bucket's region" like "$status $answer_header $body" \
        "^301 .*x-amz-bucket-region: ap-south-1.*<Code>PermanentRedirect<.*<Endpoint>role-bucket.s3.ap-south-1.amazonaws.com<"
    check_log PermanentRedirect
    region=ap-south-1 s3 /role-bucket/object
    ok "... not for who signs for that region" is "$status" 200
    ok "... logged with the region" is "$(last_log 8,10)" "- ap-south-1"
}

check_header() {
    inject --path object header x-amz-bucket-region us-west-2 >/dev/null
    s3 /role-bucket/object
    ok "header: added to the real answer" like "$status $answer_header" "^200 .*x-amz-bucket-region: us-west-2"
    check_log header
    inject --action AssumeRole header Date 'Mon, 01 Jan 2024 00:00:00 GMT' >/dev/null
    assume --data-urlencode "ExternalId=$XACCTFS_EXTERNAL_ID"
    ok "header: overrides the real Date" is "$(grep -ci '^date:' "$work/header") $(grep -c '01 Jan 2024' "$work/header")" "1 1"
}

check_body() {
    { echo '<ListAllMyBucketsResult>'; head -c 300000 /dev/zero | tr '\0' x; } >"$work/hostile"
    inject --path '^/$' body "$work/hostile" >/dev/null
    s3 /
    ok "body: 200 with the file, however large" is "$status $(sha256sum <"$work/body")" "200 $(sha256sum <"$work/hostile")"
    check_log body
}

check_counting() {
    inject --count 2 --skip 1 --path object status 503 SlowDown >/dev/null
    local seen=''
    for _ in 1 2 3 4; do
        s3 /role-bucket/object
        seen+="$status "
    done
    ok "--skip 1 --count 2" is "$seen" "200 503 503 200 "
    here fault clear
    here fault add --path object status 503 SlowDown >/dev/null
    here fault add status 500 InternalError >/dev/null
    s3 /role-bucket/object
    ok "the first that matches wins" is "$status" 503
    s3 /
    ok "... else the next" is "$status" 500
    ok "list tells them with their hits" like "$(here fault list)" "hits=1 path=object status 503 SlowDown.*hits=1 status 500 InternalError"
    here fault clear
    ok "clear removes all" is "$(here fault list)" ""
    ok "a bad kind is refused" not here fault add explode
    ok "a bad regular expression is refused" not here fault add --path '(' cut
    local mark
    mark=$(here log-sync)
    s3 /; s3 /role-bucket/object; s3 /role-bucket/none
    ok "count" is "$(here count --since "$mark")" 3
    ok "count by method and path" is "$(here count --since "$mark" GET '^/role-bucket/')" 2
}

check_rotate_key() {
    cp "$AWS_SHARED_CREDENTIALS_FILE" "$work/old"
    ok "rotate-key" here rotate-key
    assume --data-urlencode "ExternalId=$XACCTFS_EXTERNAL_ID"
    ok "the new key takes the role" is "$status" 200
    AWS_SHARED_CREDENTIALS_FILE=$work/old assume --data-urlencode "ExternalId=$XACCTFS_EXTERNAL_ID"
    ok "the old key is refused" is "$status" 403
}

# An S3 account of AWS may have more than 1,000 buckets; so may this.
check_many_buckets() {
    identity_config broot >"$work/broot"
    chmod 600 "$work/broot"
    curl -K "$work/broot" --silent --fail --parallel --parallel-max 16 --aws-sigv4 aws:amz:eu-west-1:s3 -X PUT \
        --header 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "$AWS_ENDPOINT_URL/many-[1-1100]" >/dev/null 2>&1
    s3 /
    ok "account B has more than 1,000 buckets" is "$(grep -o '<Name>' "$work/body" | wc -l)" 1101
    cp "$work/body" "$work/list"
    inject cut-body 20000 >/dev/null
    s3 /
    ok "cut-body of a long chunked answer" is "$result $(sha256sum <"$work/body")" "18 $(head -c 20000 "$work/list" | sha256sum)"
    inject cut-body 90000 >/dev/null
    s3 /
    ok "... also cut when that is beyond the gateway's buffer" is "$result" 18
    here fault clear
}

check_down() {
    local id
    id=$(fsid)
    ok "down" "$local_aws" down "$dir"
    ok "... leaves no process" not pgrep -f "$id|haproxy.*$dir"
    ok "... no mount" not grep -F "$dir" /proc/mounts
    ok "... no file" not test -e "$dir"
    ok "down again is fine" "$local_aws" down "$dir"
    "$local_aws" status "$dir" >/dev/null
    ok "status says down" is $? 3
    "$local_aws" explode 2>/dev/null
    ok "an unknown command is status 2" is $? 2
}

for check in check_up check_external_id check_accounts check_status check_sts_down check_delay check_hang check_cut \
    check_cut_body check_expired_token check_redirect check_header check_body check_counting check_rotate_key \
    check_many_buckets check_down; do
    $check
done
echo "1..$number"
[ $failed = 0 ]
