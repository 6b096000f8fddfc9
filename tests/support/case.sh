# shellcheck shell=bash
# case.sh: what a mount test case stands on. Its first line of code is
#
#     . "$(dirname "$0")/../support/case.sh"
#
# The working folder is the case's own. It ends at the first command that fails, and fails then; it passes when it comes to
# its end and no sanitizer complained. Functions: see each; they say on stderr what did not hold, and where.
set -euo pipefail

: "${XACCTFS_CLONE:?run me by tests/mount/run}" "${XACCTFS:?}"
work=$PWD
local_aws=$XACCTFS_CLONE/scripts/local-aws
daemon_log=$work/xacctfs.log
# where the program stages files, too
export TMPDIR=$work/tmp
mkdir -m 1777 "$TMPDIR"
daemon_pid=''
# Seconds until what is awaited is given up. It ends a hang and measures nothing: no case says how fast something is.
patience=$((120 * ${XACCTFS_SLOW:-1}))
# whole DAY NIGHT: prints the size of something: the second when the case runs at its whole size (scripts/test --night)
whole() { if [ -n "${XACCTFS_NIGHT:-}" ]; then echo "$2"; else echo "$1"; fi; }
# "${program[@]}" ARGS...: the program, as XACCTFS_WRAP runs it; "$XACCTFS" where a wrapper would be what is looked at
# shellcheck disable=SC2206 # the wrapper is several words
program=(${XACCTFS_WRAP:-} "$XACCTFS")

failed_at() { echo "not held: line ${BASH_LINENO[0]} of $(basename "$0"): $BASH_COMMAND" >&2; }
trap failed_at ERR
set -E

# fail TEXT...: the case fails
fail() { echo "$(basename "$0"), line ${BASH_LINENO[${DEPTH:-0}]}: $*" >&2; trap - ERR; exit 1; }
# skip TEXT...: the case can't be run here
skip() { echo "skipped: $*"; trap - ERR; exit 77; }
# need COMMAND PACKAGE: skipped where a test's own tool is missing
need() { command -v "$1" >/dev/null || skip "$2 is not installed"; }

# --- asserts ---

# equal WHAT GOT WANTED
equal() { [ "$2" = "$3" ] || DEPTH=1 fail "$1 is '$2', not '$3'"; }
# at_most WHAT GOT LIMIT, at_least WHAT GOT LIMIT
at_most() { [ "$2" -le "$3" ] || DEPTH=1 fail "$1 is $2, over $3"; }
at_least() { [ "$2" -ge "$3" ] || DEPTH=1 fail "$1 is $2, under $3"; }
# has FILE EXTENDED-REGEX, lacks FILE EXTENDED-REGEX
has() { grep -Eq -- "$2" "$1" || { tail -n 20 "$1" >&2; DEPTH=1 fail "$1 has no line like '$2'"; }; }
lacks() { ! grep -E -- "$2" "$1" >&2 || DEPTH=1 fail "$1 has a line like '$2'"; }
# refused 'TEXT OF THE ERRNO' COMMAND...: the command fails, and says so in these words
refused() {
    local words=$1 out
    shift
    if out=$(LC_ALL=C "$@" 2>&1); then DEPTH=1 fail "'$*' succeeded"; fi
    [[ $out == *"$words"* ]] || DEPTH=1 fail "'$*' says '$out', not '$words'"
}

# --- the accounts ---

# the server that the accounts are on: ceph, or what tests/mount/run -s says
server=${XACCTFS_SERVER:-ceph}

# start_aws [NAME=VALUE...]: Account A and B of this case; knobs as local-aws has them
start_aws() {
    env "SERVER=$server" "$@" "$local_aws" up "$work/aws" >aws.out 2>&1 || { cat aws.out >&2; fail "the local accounts do not start"; }
    eval "$("$local_aws" env "$work/aws")"
}
# aws ARGS...: the AWS CLI on the local accounts; profiles: accountB, Anne, aroot, broot
aws() { "$local_aws" aws -C "$work/aws" "$@"; }
# fault add|list|clear ...
fault() { "$local_aws" fault -C "$work/aws" "$@"; }
# mark; ...; requests [--action A] [METHOD [PATH-REGEX]]: how many ended since the mark, as the gateway counted them
mark() { marked=$("$local_aws" log-sync -C "$work/aws"); }
requests() { "$local_aws" count -C "$work/aws" --since "$marked" "$@"; }
# bytes in|out [METHOD [PATH-REGEX]]: how many came from the clients, or went to them, in these requests, headers included
bytes() {
    "$local_aws" log-sync -C "$work/aws" >/dev/null
    column=$([ "$1" = in ] && echo 5 || echo 6) method=${2:-} regex=${3:-} awk -v since="$marked" '
        NR > since && (ENVIRON["method"] == "" || $2 == ENVIRON["method"]) && $3 ~ ENVIRON["regex"] { n += $ENVIRON["column"] }
        END { printf "%d\n", n }' "$work/aws/gateway.log"
}
# uploads BUCKET: how many multipart uploads are neither completed nor aborted
uploads() { other "$1?uploads=" | { grep -o '<UploadId>' || :; } | wc -l; }

# --- another client, and files ---

# other [CURL-ARG...] BUCKET/KEY: signed requests by curl as B's administrator: GET to stdout; -T FILE puts, -X DELETE, -I is HEAD.
# Keys are percent-encoded and may be curl's globs: k-[1-2500]; -T '{a,b}' BUCKET/ puts both files
other() {
    awk '/^\[/ { on = $0 == "[broot]" }
        on && $1 == "aws_access_key_id" { key = $3 }
        on && $1 == "aws_secret_access_key" { print "user = \"" key ":" $3 "\"" }' "$AWS_SHARED_CREDENTIALS_FILE" |
        curl -K - --silent --show-error --fail --path-as-is --parallel --parallel-max 8 --no-progress-meter \
            --aws-sigv4 "aws:amz:$AWS_REGION:s3" -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' \
            "${@:1:$#-1}" "$AWS_ENDPOINT_URL/${*: -1}"
}
# make_bucket BUCKET: by another client
make_bucket() {
    local region="<LocationConstraint>$AWS_REGION</LocationConstraint>"
    other -o make_bucket.out -X PUT -H 'content-type: application/xml' --data "<CreateBucketConfiguration>$region</CreateBucketConfiguration>" "$1"
}
# make_files DIR SIZE...: random bytes in files that are named by their sizes
make_files() {
    local dir=$1 size
    shift
    mkdir -p "$dir"
    for size; do head -c "$size" /dev/urandom >"$dir/$size"; done
}
# put_files DIR BUCKET/PREFIX/: another client puts all files of DIR
put_files() {
    local names
    names=$(cd "$1" && printf '%s,' *)
    (cd "$1" && other -T "{${names%,}}" "$2")
}
# put_many N BUCKET/PREFIX: another client puts N small objects, PREFIX000001 and so on
put_many() {
    echo data >"$work/put_many"
    other -T "$work/put_many" "$2[000001-$(printf '%06d' "$1")]"
}
# drop_pages FILE...: the kernel forgets what it has of them
drop_pages() {
    local file
    for file; do dd if="$file" iflag=nocache count=0 status=none; done
}
# python [ARG...] <<'EOF': a script, for the calls that the shell does not have; see case.py
python() {
    (
        export work local_aws patience PYTHONPATH=$XACCTFS_CLONE/tests/support PYTHONDONTWRITEBYTECODE=1
        export -f other fault uploads
        exec /usr/bin/python3 -u - "$@"
    )
}

# --- the mount ---

# mount_b [OPTIONS...]: Account B on ./mnt, in the foreground of a process of its own, whose log is ./xacctfs.log
mount_b() {
    mkdir -p mnt
    touch "$daemon_log"
    log_from=$(($(wc -l <"$daemon_log") + 1))
    "${program[@]}" -f "$@" accountB "$work/mnt" >>"$daemon_log" 2>&1 &
    daemon_pid=$!
    await_log 'is mounted on' || fail "no mount: $(tail -n 5 "$daemon_log")"
}
# await_log EXTENDED-REGEX [FILE]: until the log has such a line, since the last mount_b; false when the daemon ended or the time is over
await_log() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    timeout $patience bash -c 'grep -Eqm1 -- "$1" < <(exec tail -s 0.05 -n "+$4" -f "--pid=$3" "$2" 2>/dev/null)' \
        await "$1" "${2:-$daemon_log}" "${daemon_pid:-$$}" "${log_from:-1}"
}
# unmount_b: a clean end, exit status 0
unmount_b() {
    fusermount3 -u "$work/mnt"
    ended_b 0
}
# ended_b STATUS: the daemon ends by itself, with this exit status
ended_b() {
    local status=0
    wait "$daemon_pid" || status=$?
    daemon_pid=''
    [ "$status" = "$1" ] || { tail -n 20 "$daemon_log" >&2; DEPTH=1 fail "the daemon ended with status $status, not $1"; }
}

# within_memory MIB: the daemon never had more than memory_limit, which is this, and 64 MiB. A sanitizer needs memory of its own
within_memory() {
    local most
    case $XACCTFS${XACCTFS_WRAP:-} in
    *san/* | *valgrind*) return 0 ;;
    esac
    most=$(awk '$1 == "VmHWM:" { print int($2 / 1024) }' "/proc/$daemon_pid/status")
    echo "figure: the most memory of the daemon: $most MiB with memory_limit=$1M"
    [ "$most" -le $(($1 + 64)) ] || DEPTH=1 fail "the most memory of the daemon is $most MiB with memory_limit=$1M"
}

# --- time and processes ---

# await COMMAND-LINE: until it holds
await() {
    local until=$((SECONDS + patience))
    until eval "$1" >/dev/null 2>&1; do
        [ $SECONDS -lt $until ] || DEPTH=$((${DEPTH:-0} + 1)) fail "it does not come to hold: $1"
        sleep 0.02
    done
}
# ended PID...: until they have
ended() {
    local pid
    for pid; do timeout $patience tail "--pid=$pid" -f /dev/null || DEPTH=$((${DEPTH:-0} + 1)) fail "process $pid does not end"; done
}
# listening PORT: until something does, on 127.0.0.1
listening() { DEPTH=1 await ": </dev/tcp/127.0.0.1/$1"; }
# hanging N [WHAT]: until N requests in all have come to hang at the gateway, of the fault whose line in the list has this
hanging() { DEPTH=1 await "is_hit $1 ${2:-}"; }
is_hit() {
    fault list | awk -v n="$1" -v what="${2:-}" '
        index($0, what) && match($0, /hits=[0-9]+/) && substr($0, RSTART + 5, RLENGTH - 5) + 0 >= n { hit = 1 }
        END { exit !hit }'
}
# pass_ttl: what another client did is shown at the first look behind it, when metadata_ttl is a second
pass_ttl() { sleep 1.1; }

# elapsed_ms SINCE: milliseconds since this $EPOCHREALTIME
elapsed_ms() {
    local now=$EPOCHREALTIME
    echo $(((${now/[.,]/} - ${1/[.,]/}) / 1000))
}
# wait_all PID...: false when one of them failed
wait_all() {
    local pid
    for pid; do wait "$pid" || return 1; done
}

# --- a load ---

# load_start N: N processes list, make, look at and remove buckets, each its own, until load_stop or the case's end
load_start() {
    local n
    load_pids=()
    mkdir load
    for ((n = 1; n <= $1; n++)); do
        load_worker "$n" &
        load_pids+=($!)
    done
}
load_worker() {
    local bucket=load-$1 calls=0 failed=0
    trap - ERR
    set +e
    while [ ! -e load/stop ]; do
        for call in "ls mnt" "mkdir mnt/$bucket" "stat mnt/$bucket" "ls mnt/" "rmdir mnt/$bucket"; do
            calls=$((calls + 1))
            # shellcheck disable=SC2086 # a command of two words
            LC_ALL=C $call >/dev/null 2>"load/$1.error" && continue
            failed=$((failed + 1))
            echo "$EPOCHREALTIME $(cat "load/$1.error")" >>"load/$1.failed"
        done
        echo "$calls $failed" >"load/$1.count"
    done
}
# load_stop: sets calls and failed; what failed is told
load_stop() {
    : >load/stop
    wait "${load_pids[@]}"
    read -r calls failed < <(awk '{ calls += $1; failed += $2 } END { print calls, failed + 0 }' load/*.count)
    cat load/*.failed 2>/dev/null | sort | head -n 20 || :
    rm -r load
}

# --- the end ---

finish() {
    local status=$?
    trap - ERR
    set +e
    if [ -n "$daemon_pid" ] && [ $status -eq 0 ]; then
        fusermount3 -u "$work/mnt"
        wait "$daemon_pid" || { echo "the daemon did not end well: status $?" >&2; status=1; }
    fi
    # wherever a case has sent what the program says
    mapfile -d '' -t said < <(find "$work" -maxdepth 1 -type f -size -4096k -print0)
    if grep -aEls 'ERROR: (Address|Leak|Thread)Sanitizer|WARNING: ThreadSanitizer|runtime error:|^==[0-9]+== .*(Invalid|uninitialised|definitely lost)' \
        "${said[@]}" >&2; then
        grep -aEA 25 'Sanitizer|runtime error:|^==[0-9]+==' "${said[@]}" | head -n 80 >&2
        status=1
    fi
    if [ $status -ne 0 ] && [ $status -ne 77 ] && [ -s "$daemon_log" ]; then
        echo "--- the end of the daemon's log" >&2
        tail -n 20 "$daemon_log" >&2
    fi
    exit $status
}
trap finish EXIT
