#!/bin/bash
# --check names the first link that is broken, why, and how to mend it; exit status 1, as text and as JSON.
. "$(dirname "$0")/../support/case.sh"
need jq jq
start_aws
export AWS_MAX_ATTEMPTS=2

# breaks LINK REASON REMEDY-REGEX OPTION...: what holds before it is told, too
breaks() {
    local link=$1 reason=$2 remedy=$3 status=0 got
    shift 3
    # shellcheck disable=SC2086 # the wrapper is several words
    "${program[@]}" --check --json "$@" >json 2>err || status=$?
    DEPTH=1
    equal "status" $status 1
    got=$(jq -r '[.ok, (.links[-1] | .link, .ok, .reason)] | join(" ")' json)
    echo "$got: $(jq -r '.links[-1].text' json)"
    equal "the broken link" "$got" "false $link false $reason"
    jq -r '.links[-1].remedy' json >remedy
    has remedy "$remedy"
    equal "links before that are broken" "$(jq '[.links[:-1][] | select(.ok | not)] | length' json)" 0
    status=0
    # shellcheck disable=SC2086
    "${program[@]}" --check "$@" >text 2>err || status=$?
    equal "status" $status 1
    has text "^FAIL  $link "
    has text '^      mend it:'
    has text "$remedy"
    lacks text 'All links hold'
}

# --- Anne's key ---
fault add --action GetCallerIdentity status 403 InvalidClientTokenId 'The security token included in the request is invalid.' >fault.id
breaks identity key-refused 'access key exists and is active' accountB
fault clear
fault add --action AssumeRole status 403 SignatureDoesNotMatch >fault.id
breaks role key-refused 'secret was copied whole' accountB
fault clear
fault add --action AssumeRole status 403 ExpiredToken >fault.id
breaks role token-expired 'temporary session that has ended' accountB
fault clear
AWS_ACCESS_KEY_ID=AKIAWRONGWRONGWRONG2 breaks key no-credentials 'aws configure' --external-id "$XACCTFS_EXTERNAL_ID" "$XACCTFS_ROLE_ARN"

# --- the role ---
breaks role assume-denied 'sts:ExternalId' --external-id wrong-ID accountB
trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::'$XACCTFS_ACCOUNT_B':root"]},"Action":["sts:AssumeRole"]}]}'
aws --profile broot iam get-role --role-name cross-account-s3-access --query Role.AssumeRolePolicyDocument >trust.json
aws --profile broot iam update-assume-role-policy --role-name cross-account-s3-access --policy-document "$trust"
breaks role assume-denied "the role's trust policy in Account B must name Account A" accountB
aws --profile broot iam update-assume-role-policy --role-name cross-account-s3-access --policy-document file://trust.json
# radosgw does not ask Anne's own policy
fault add --action AssumeRole status 403 AccessDenied 'User: arn:aws:iam::111111111111:user/Anne is not authorized to perform: sts:AssumeRole' >fault.id
breaks role assume-denied "Anne's policy in Account A must allow sts:AssumeRole" accountB
fault clear
fault add --action AssumeRole status 400 ValidationError 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.' >fault.id
breaks role role-parameter 'maximum session duration' accountB
fault clear
# AWS does not tell who may not assume a role whether there is one; radosgw does
breaks role "$([ "$server" = ceph ] && echo role-parameter || echo assume-denied)" 'role_arn( names a role that exists|\.$)' \
    --role-arn "$XACCTFS_ROLE_ARN-of-another-name" accountB
fault add --action AssumeRole status 403 RegionDisabledException >fault.id
breaks role region 'STS is active there' accountB
fault clear
fault add --action AssumeRole status 503 ServiceUnavailable >fault.id
breaks role server 'Try again later' accountB
fault clear
fault add --action AssumeRole status 400 Throttling >fault.id
breaks role throttled 'Try again later' accountB
fault clear
fault add --action AssumeRole status 403 RequestTimeTooSkewed >fault.id # and the Date does not show by how much
breaks role clock "Set this machine's clock" accountB
fault clear

# --- the network ---
breaks identity unreachable 'Check the network' --sts-endpoint-url http://127.0.0.1:1 accountB
breaks identity unreachable 'Check the network' --sts-endpoint-url https://no-such-host.invalid accountB
breaks buckets unreachable 'Check the network' --s3-endpoint-url http://127.0.0.1:1 accountB

# --- ListBuckets ---
case $server in # moto asks no role's policy
moto) fault add --method GET --path '^/' status 403 AccessDenied >fault.id ;;
*) aws --profile broot iam put-role-policy --role-name cross-account-s3-access --policy-name s3 --policy-document \
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::*"]}]}' ;;
esac
breaks buckets list-denied 's3:ListAllMyBuckets' accountB
equal "what holds" "$(jq -r '[.links[] | select(.ok).link] | join(" ")' json)" 'region key identity role session'

# --- no region: the command is wrong, no link ---
status=0
env -u AWS_REGION -u AWS_DEFAULT_REGION AWS_CONFIG_FILE=/nonexistent "${program[@]}" --check --profile Anne "$XACCTFS_ROLE_ARN" >text 2>err || status=$?
equal "status" $status 2
has err 'no region'
