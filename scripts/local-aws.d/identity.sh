# identity.sh: accounts' ids, keys, and the AWS files that tell them to the AWS CLI and to xacctfs. Sourced by local-aws.
#
#   make_identities        new ids and keys, at random
#   write_aws_files        $dir/aws/config and credentials, mode 0600 (config.old-cli: see run_aws)
#   session_works          Anne assumes the role, and B's buckets are listed: the whole chain through the gateway
#   rotate_key, run_aws, print_env, print_summary      the commands
# shellcheck shell=bash disable=SC2154,SC2034  # dir, parts, here and the settings are local-aws's

ROLE_NAME=cross-account-s3-access

make_identities() {
    FSID=$(</proc/sys/kernel/random/uuid)
    ACCOUNT_A=$("${SERVER}_account_id") ACCOUNT_B=$("${SERVER}_account_id")
    local name
    for name in ANNE AROOT BROOT; do
        printf -v "${name}_KEY" %s "AKIA$(random_chars A-Z2-7 16)"
        printf -v "${name}_SECRET" %s "$(random_chars A-Za-z0-9 40)"
    done
}

write_aws_files() {
    mkdir -p "$dir/aws"
    local role="role_arn = $ROLE_ARN
source_profile = Anne
external_id = $EXTERNAL_ID"
    aws_config "$role" | private_file "$dir/aws/config"
    aws_config "credential_process = \"$here/local-aws\" session -C \"$dir\"" | private_file "$dir/aws/config.old-cli"
    write_credentials
}

# aws_config LINES-OF-THE-ROLE
aws_config() {
    local profile
    for profile in Anne accountB aroot broot; do
        printf '[profile %s]\n' "$profile"
        [ "$profile" != accountB ] || printf '%s\n' "$1"
        printf 'region = %s\nendpoint_url = %s\n\n' "$REGION" "$ENDPOINT"
    done
}

write_credentials() {
    private_file "$dir/aws/credentials" <<EOF
[Anne]
aws_access_key_id = $ANNE_KEY
aws_secret_access_key = $ANNE_SECRET

[aroot]
aws_access_key_id = $AROOT_KEY
aws_secret_access_key = $AROOT_SECRET

[broot]
aws_access_key_id = $BROOT_KEY
aws_secret_access_key = $BROOT_SECRET
EOF
}

# private_file PATH  Replaces it by what comes on stdin, at once and readable by the owner only.
private_file() {
    (umask 077; cat >"$1.new")
    mv "$1.new" "$1"
}

# Reads the keys back out of the credentials file.
load_keys() {
    local name
    for name in Anne aroot broot; do
        printf -v "${name^^}_KEY" %s "$(credential "$name" aws_access_key_id)"
        printf -v "${name^^}_SECRET" %s "$(credential "$name" aws_secret_access_key)"
    done
}

credential() {
    awk -v section="[$1]" -v key="$2" '/^\[/ { on = $0 == section } on && $1 == key { print $3 }' "$dir/aws/credentials"
}

# signed SERVICE KEY SECRET CURL-ARG...  One signed request to the gateway. Keys go in by stdin: argv can be read by others.
# RGW wants content-type among the signed headers of a form, and a checksum header of S3; curl 7.88 adds neither itself.
signed() {
    local service=$1 key=$2 secret=$3 header='content-type: application/x-www-form-urlencoded'
    [ "$service" != s3 ] || header='x-amz-content-sha256: UNSIGNED-PAYLOAD'
    shift 3
    printf 'user = "%s:%s"\n' "$key" "$secret" |
        curl -K - --silent --max-time 60 --user-agent local-aws --aws-sigv4 "aws:amz:$REGION:$service" --header "$header" "$@"
}

# assume_role  Prints the answer of STS.
assume_role() {
    signed sts "$ANNE_KEY" "$ANNE_SECRET" --fail "$ENDPOINT/" \
        --data-urlencode Action=AssumeRole --data-urlencode Version=2011-06-15 \
        --data-urlencode "RoleArn=$ROLE_ARN" --data-urlencode RoleSessionName=local-aws \
        --data-urlencode "ExternalId=$EXTERNAL_ID"
}

# xml_text TAG  Of the first such element on stdin.
xml_text() { sed -n "s/.*<$1>\([^<]*\)<\/$1>.*/\1/p"; }

session_works() {
    local answer key secret token
    load_keys
    answer=$(assume_role) || return 1
    key=$(xml_text AccessKeyId <<<"$answer") secret=$(xml_text SecretAccessKey <<<"$answer")
    token=$(xml_text SessionToken <<<"$answer")
    # The token is a secret too: by a file that only we can read.
    signed s3 "$key" "$secret" --header @<(echo "x-amz-security-token: $token") --fail --output /dev/null "$ENDPOINT/"
}

# The one thing Anne may do.
allow_anne_to_assume() {
    local policy
    policy='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"'$ROLE_ARN'"}]}'
    iam_of_a PutUserPolicy PolicyName=assume-role-of-account-B "PolicyDocument=$policy" >/dev/null
}

# iam_of_a ACTION NAME=VALUE...  Of Account A's administrator, about Anne; prints the answer.
iam_of_a() {
    local action=$1 pair parameters=()
    shift
    for pair; do parameters+=(--data-urlencode "$pair"); done
    signed iam "$AROOT_KEY" "$AROOT_SECRET" --fail --show-error "$ENDPOINT/" \
        --data-urlencode "Action=$action" --data-urlencode Version=2010-05-08 --data-urlencode UserName=Anne "${parameters[@]}"
}

# The new key works before the file names it; the old one ends after.
rotate_key() {
    load_keys
    local old=$ANNE_KEY answer
    answer=$(iam_of_a CreateAccessKey) || die "the server gives no new key"
    ANNE_KEY=$(xml_text AccessKeyId <<<"$answer") ANNE_SECRET=$(xml_text SecretAccessKey <<<"$answer")
    write_credentials
    iam_of_a DeleteAccessKey "AccessKeyId=$old" >/dev/null
    say "Anne's key is now $ANNE_KEY"
}

print_env() {
    printf 'export AWS_CONFIG_FILE=%q\n' "$dir/aws/config"
    printf 'export AWS_SHARED_CREDENTIALS_FILE=%q\n' "$dir/aws/credentials"
    printf 'export AWS_EC2_METADATA_DISABLED=true\n'
    printf 'export AWS_ENDPOINT_URL=%q\n' "$ENDPOINT"
    printf 'export AWS_REGION=%q AWS_DEFAULT_REGION=%q\n' "$REGION" "$REGION"
    printf 'export XACCTFS_LOCAL_AWS=%q\n' "$dir"
    printf 'export XACCTFS_ENDPOINT=%q\n' "$ENDPOINT"
    printf 'export XACCTFS_ACCOUNT_A=%q XACCTFS_ACCOUNT_B=%q\n' "$ACCOUNT_A" "$ACCOUNT_B"
    printf 'export XACCTFS_ROLE_ARN=%q XACCTFS_EXTERNAL_ID=%q\n' "$ROLE_ARN" "$EXTERNAL_ID"
}

print_summary() {
    cat <<EOF
endpoint   $ENDPOINT
Account A  $ACCOUNT_A, user Anne
Account B  $ACCOUNT_B, role $ROLE_ARN, external ID $EXTERNAL_ID
AWS files  $dir/aws/config  $dir/aws/credentials
log        $dir/gateway.log
use        eval "\$($0 env $dir)"; $0 aws -C $dir --profile accountB s3 ls
EOF
}

# HOME is in DIR, because the CLI keeps roles' sessions in ~/.aws/cli/cache.
# An AWS CLI that does not know endpoint_url in profiles would ask the real STS for the role, so it gets our session instead.
run_aws() {
    command -v aws >/dev/null || die "no aws command here (package awscli)"
    local name config=$dir/aws/config
    aws_knows_endpoint_url || config=$dir/aws/config.old-cli
    for name in $(compgen -v AWS_); do unset "$name"; done
    export AWS_CONFIG_FILE=$config AWS_SHARED_CREDENTIALS_FILE=$dir/aws/credentials AWS_EC2_METADATA_DISABLED=true AWS_PAGER=
    HOME=$dir/aws exec aws --endpoint-url "$ENDPOINT" "$@"
}

# Known since 1.29 and 2.13. Prints like "aws-cli/2.9.19 Python/..."
aws_knows_endpoint_url() {
    local major minor
    IFS=/. read -r _ major minor _ < <(aws --version 2>&1)
    [ "$major" -gt 2 ] || { [ "$major" = 2 ] && [ "$minor" -ge 13 ]; } || { [ "$major" = 1 ] && [ "$minor" -ge 29 ]; }
}

# The session as a credential_process tells it.
print_session() {
    local answer
    load_keys
    answer=$(assume_role) || die "STS refuses the role"
    printf '{"Version": 1, "AccessKeyId": "%s", "SecretAccessKey": "%s", "SessionToken": "%s", "Expiration": "%s"}\n' \
        "$(xml_text AccessKeyId <<<"$answer")" "$(xml_text SecretAccessKey <<<"$answer")" \
        "$(xml_text SessionToken <<<"$answer")" "$(xml_text Expiration <<<"$answer" | sed 's/\.[0-9]*Z/Z/')"
}
