# shellcheck shell=bash disable=SC2154  # case.sh's variables
# moto.sh: moto instead of the local accounts, a second server with another reading of AWS's protocol. A case sources it after case.sh;
# start_aws does, too, where XACCTFS_SERVER is moto, so that the same cases run on both.
#
#   start_moto         Account A (111111111111) with Anne, Account B (222222222222) with the role, and their administrators; all empty
#   aws, other         as case.sh has them
#
# The server is build/moto-venv/bin/moto_server, which scripts/test installs. In one network namespace one is started, and later
# cases of the namespace get it emptied. It checks neither signatures nor policies, and knows the account of a request by the
# key's ID. There is no gateway: requests are counted by its log, bytes are not, and faults can't be made.

moto_server=${XACCTFS_MOTO_SERVER:-$XACCTFS_CLONE/build/moto-venv/bin/moto_server}

start_moto() {
    [ -x "$moto_server" ] || skip "moto is not installed"
    moto_begin
    mkdir -p aws/aws
    export AWS_CONFIG_FILE=$work/aws/aws/config AWS_SHARED_CREDENTIALS_FILE=$work/aws/aws/credentials
    export AWS_EC2_METADATA_DISABLED=true AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=eu-west-1 AWS_PAGER=
    export AWS_ENDPOINT_URL=$XACCTFS_MOTO_ENDPOINT XACCTFS_ENDPOINT=$XACCTFS_MOTO_ENDPOINT
    export XACCTFS_ACCOUNT_A=111111111111 XACCTFS_ACCOUNT_B=222222222222 XACCTFS_EXTERNAL_ID=moto-external-id
    export XACCTFS_ROLE_ARN=arn:aws:iam::222222222222:role/cross-account-s3-access
    (umask 077; AWS_CONFIG_FILE='' AWS_SHARED_CREDENTIALS_FILE='' /usr/bin/python3 "$XACCTFS_CLONE/tests/support/moto.py" "$work/aws/aws")
}

# The server is there, and empty.
moto_begin() {
    local log=$work/moto.log line
    if [ -n "${XACCTFS_MOTO_ENDPOINT:-}" ]; then
        curl --silent --show-error --fail --output reset.out -X POST "$XACCTFS_MOTO_ENDPOINT/moto-api/reset"
        return
    fi
    # the kernel finds a free port; the server says which one
    PYTHONUNBUFFERED=1 "$moto_server" -H 127.0.0.1 -p 0 >"$log" 2>&1 &
    moto_pid=$!
    daemon_pid=$moto_pid await_log 'Running on http' $((60 * slow)) "$log" || { cat "$log" >&2; fail "moto does not start"; }
    line=$(grep -m 1 -o 'http://127.0.0.1:[0-9]*' "$log")
    export XACCTFS_MOTO_ENDPOINT=$line XACCTFS_MOTO_LOG=$log
}

aws() { AWS_CONFIG_FILE=$work/aws/aws/config.cli command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }
mark() { marked=$(wc -l <"$XACCTFS_MOTO_LOG"); }
# A line is `127.0.0.1 - - [DATE] "METHOD PATH HTTP/1.1" 200 -`, coloured when it is an error; it is there before the answer is.
requests() {
    method=${1:-} regex=${2:-} awk -v since="$marked" '
        { gsub(/\033\[[0-9;]*m/, ""); sub(/^[^"]*"/, "") }
        NR > since && / HTTP\/1\.1" / && (ENVIRON["method"] == "" || $1 == ENVIRON["method"]) && $2 ~ ENVIRON["regex"] { n++ }
        END { print n + 0 }' "$XACCTFS_MOTO_LOG"
}
bytes() { fail "moto counts no bytes"; }
fault() { fail "moto makes no faults"; }
