#!/bin/bash
# What cannot sign in is not mounted: one message that tells why and what to do, and the exit status; with -f as without.
. "$(dirname "$0")/../support/case.sh"
start_aws
export AWS_MAX_ATTEMPTS=2
mkdir mnt
cp -r aws/aws files # to be spoilt
export AWS_CONFIG_FILE=$work/files/config AWS_SHARED_CREDENTIALS_FILE=$work/files/credentials

lines=1
# refuses WHAT STATUS REGEX [NAME=VALUE | -u NAME]... OPTION...: in the background, and in the foreground
refuses() {
    local what=$1 wanted=$2 regex=$3 status foreground environment=()
    shift 3
    while [[ $1 = *=* && $1 != -* && $1 != arn:* ]] || [ "$1" = -u ]; do
        if [ "$1" = -u ]; then environment+=(-u "$2"); shift 2; else environment+=("$1"); shift; fi
    done
    for foreground in '' -f; do
        status=0
        # shellcheck disable=SC2086 # the wrapper is several words, -f none or one
        timeout "$patience" env "${environment[@]}" "${program[@]}" $foreground "$@" mnt >out 2>&1 </dev/null || status=$?
        [ $status != 124 ] || DEPTH=1 fail "$what: it does not end"
        equal "$what: status" $status "$wanted"
        has out "$regex"
        at_most "$what: lines of $(cat out)" "$(wc -l <out)" "$lines"
        if mountpoint -q mnt; then fail "$what: it is mounted"; fi
        await '! pgrep -x xacctfs'
    done
    echo "$what: $wanted, $(cut -c1-300 <out)"
}

denied='error: sts:AssumeRole of arn:aws:iam::.*AccessDenied.*trust policy.*external_id'
refuses 'wrong external ID' 1 "$denied" --external-id wrong-ID accountB
sed '/^external_id/d' aws/aws/config >files/config
refuses 'no external ID' 1 "$denied" accountB
cp aws/aws/config files/config
refuses 'no such role' 1 'error: sts:AssumeRole of .*no-such-role: ' --role-arn "${XACCTFS_ROLE_ARN%/*}/no-such-role" --source-profile Anne accountB
sed '/^\[Anne\]/,/^\[aroot\]/s/^\(aws_secret_access_key = \).*/\1wrongwrongwrongwrongwrongwrongwrongwrongw/' aws/aws/credentials >files/credentials
refuses 'wrong secret' 1 'error: sts:AssumeRole of .*: (AccessDenied|SignatureDoesNotMatch)' accountB
sed '/^\[Anne\]/,/^\[aroot\]/s/^\(aws_access_key_id = \).*/\1AKIAWRONGWRONGWRONG2/' aws/aws/credentials >files/credentials
refuses 'unknown key' 1 'error: sts:AssumeRole of ' accountB
cp aws/aws/credentials files/credentials
fault add --action AssumeRole status 403 InvalidClientTokenId 'The security token included in the request is invalid.' >fault.id
refuses 'InvalidClientTokenId' 1 'error: .*InvalidClientTokenId.*Check that the access key exists' accountB
fault clear

fault add --action AssumeRole status 503 ServiceUnavailable >fault.id
refuses 'STS answers 503' 1 'error: .*ServiceUnavailable.*Try again later' accountB
fault clear
refuses 'nothing behind the STS endpoint' 1 'error: sts:AssumeRole of .*refused.*Check the network' --sts-endpoint-url http://127.0.0.1:1 accountB
refuses 'no such host' 1 'error: sts:AssumeRole of .*resolve.*Check the network' --sts-endpoint-url http://no-such-host.invalid --allow-http accountB

refuses 'no credentials' 2 'nobody to assume the role' AWS_CONFIG_FILE=/nonexistent AWS_SHARED_CREDENTIALS_FILE=/nonexistent "$XACCTFS_ROLE_ARN"
refuses 'no secret' 1 'error: .*AWS_SECRET_ACCESS_KEY is not' AWS_CONFIG_FILE=/nonexistent AWS_SHARED_CREDENTIALS_FILE=/nonexistent AWS_ACCESS_KEY_ID=AKIAWRONGWRONGWRONG2 "$XACCTFS_ROLE_ARN"
refuses 'no region' 2 'region' -u AWS_REGION -u AWS_DEFAULT_REGION -u AWS_ENDPOINT_URL AWS_CONFIG_FILE=/nonexistent \
    --profile Anne "$XACCTFS_ROLE_ARN"
refuses 'no such profile' 2 'accountC' accountC
refuses 'a secret on the command line' 2 'secret' -o aws_secret_access_key=x accountB

# S3's refusal has a line of its own before
lines=2
fault add --path '^/\?' status 403 AccessDenied >fault.id
refuses 'ListBuckets denied' 1 'ListBuckets: AccessDenied.* Allow the action in the role.s permissions' accountB
has out 'the buckets cannot be listed: Permission denied'
fault clear
refuses 'nothing behind the S3 endpoint' 1 'ListBuckets: .*refused.*Check the network' --s3-endpoint-url http://127.0.0.1:1 accountB
has out 'the buckets cannot be listed: Connection refused'
