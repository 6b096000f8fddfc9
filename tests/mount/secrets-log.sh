#!/bin/bash
# No secret is in the debug log, in argv or in the environment, whatever happens in a mount's life.
. "$(dirname "$0")/../support/case.sh"
need jq jq
start_aws
anne() { awk -v key="$1" '/^\[/ { on = $0 == "[Anne]" } on && $1 == key { print $3 }' aws/aws/credentials; }

# sts_answer FILE SECONDS EXPIRATION: AssumeRole's answer, of a real session that is known here, too
sts_answer() {
    "$local_aws" session -C "$work/aws" >session.json
    jq -r '.SecretAccessKey, .SessionToken' session.json >>secrets
    jq -r --arg until "$2" '"<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>" +
        "<AccessKeyId>\(.AccessKeyId)</AccessKeyId><SecretAccessKey>\(.SecretAccessKey)</SecretAccessKey>" +
        "<SessionToken>\(.SessionToken)</SessionToken><Expiration>\($until)</Expiration></Credentials>" +
        "<AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/r/s</Arn></AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>"' session.json >"$1"
}
later() { date -u -d "+$1 seconds" +%Y-%m-%dT%H:%M:%SZ; }
# no_secret FILE...: neither those known, nor what looks like one
no_secret() {
    local file
    for file; do
        if grep -aFf secrets "$file" >leak; then DEPTH=1 fail "a secret is in $file: $(cut -c1-200 leak)"; fi
        if grep -aiE 'AWS4-HMAC|Signature=|security-token:|<SecretAccessKey>|<SessionToken>|secret_access_key *= *[^ ]' "$file" >leak; then
            DEPTH=1 fail "what looks like a secret is in $file: $(cut -c1-200 leak)"
        fi
    done
}
looked_at=0
# look: at all of the daemon that others can see
look() {
    tr '\0' '\n' <"/proc/$daemon_pid/cmdline" >cmdline
    tr '\0' '\n' <"/proc/$daemon_pid/environ" >environ
    no_secret "$daemon_log" cmdline environ
    looked_at=$((looked_at + 1))
}

anne aws_secret_access_key >secrets
sts_answer first UNTIL
sts_answer second UNTIL
sts_answer broken nonsense
sed -i "s/UNTIL/$(later 3600)/" first second
fault add --action AssumeRole --count 1 body first >fault.id
fault add --action AssumeRole --count 1 body second >fault.id
fault add --action AssumeRole --count 1 body broken >fault.id

# the keys come by the environment; not by $program: a wrapper's environment is its own
mkdir mnt
touch "$daemon_log"
env AWS_ACCESS_KEY_ID="$(anne aws_access_key_id)" AWS_SECRET_ACCESS_KEY="$(anne aws_secret_access_key)" \
    "$XACCTFS" -d -o "external_id=$XACCTFS_EXTERNAL_ID,metadata_ttl=0" "$XACCTFS_ROLE_ARN" mnt >>"$daemon_log" 2>&1 &
daemon_pid=$!
await_log 'is mounted on'
look
ls mnt >listing
mkdir mnt/bucket
fault add --method GET --count 1 expired-token >fault.id # asks for a renewal
ls mnt >listing
await_log 'session renewed'
look
ls mnt >listing
fault add --method GET --count 1 expired-token >fault.id
ls mnt >listing 2>&1 || :
await_log 'session not renewed: .*MalformedAnswer'
await_log 'session renewed after failures'
look
for kind in 'status 503 SlowDown' 'status 403 AccessDenied' expired-token cut 'cut-body 40' 'redirect eu-north-1'; do
    # shellcheck disable=SC2086 # a kind and its arguments
    fault add --count 1 $kind >fault.id
    ls mnt >listing 2>&1 || :
    mkdir mnt/other 2>mkdir.err || :
    rmdir mnt/other 2>rmdir.err || :
done
fault clear
cut -d: -f1 "/proc/$daemon_pid/status" >status # so that its absence would be told
look
fault add --action AssumeRole status 403 InvalidClientTokenId >fault.id
fault add --method PUT --count 1 expired-token >fault.id
refused 'Key has expired' mkdir mnt/third
look
unmount_b
no_secret "$daemon_log"
echo "$looked_at looks at argv, environment and $(wc -l <"$daemon_log") lines of debug log; $(wc -l <secrets) secrets looked for"
grep -q AWS_ACCESS_KEY_ID= environ || fail "the environment was not looked at"
