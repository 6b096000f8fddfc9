# gateway.sh: HAProxy before the server: start, stop, request log, faults. Sourced by local-aws.
#
#   gateway_up, gateway_down     the process, on BASE_PORT; its files are $dir/gateway.{log,err,pid,sock}
#   log_sync, count_requests     the request log; its columns are told in gateway.cfg
#   fault                        talks to faults.lua on the control socket
# shellcheck shell=bash disable=SC2154,SC2034  # dir, parts, here and the settings are local-aws's

PORTS=12            # a block: gateway, the server, and of Ceph: mon, OSD (up to nine)

# The gateway's port stands for the whole block: HAProxy binds it exclusively, so of two runs that pick the same block one
# fails here and takes another. Blocks lie below the kernel's ephemeral ports.
gateway_up() {
    local tries
    for tries in {1..20}; do
        BASE_PORT=$((20000 + PORTS * (RANDOM % 1000)))
        block_is_free || continue
        write_state
        start_haproxy && { load_state; return; }
        grep -q 'Address already in use' "$dir/gateway.err" || return 1
    done
    say "no free block of $PORTS ports on 127.0.0.1 after $tries tries"
    return 1
}

# No listener in the block, by the kernel's table (address and port in hex, state 0A).
block_is_free() {
    ! cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
        awk -v from="$BASE_PORT" -v n="$PORTS" '
            function hex(s,  i, v) { for (i = 1; i <= length(s); i++) v = v * 16 + index("123456789ABCDEF", substr(s, i, 1)); return v }
            $4 == "0A" { p = hex(substr($2, length($2) - 3)); if (p >= from && p < from + n) taken = 1 }
            END { exit !taken }'
}

# The control socket's path is relative: a socket's name may have 107 characters only. "-C DIR" also marks the process as ours.
start_haproxy() {
    LOCAL_AWS_D=$parts LOCAL_AWS_PORT=$BASE_PORT LOCAL_AWS_SERVER_PORT=$((BASE_PORT + 1)) \
        setsid haproxy -db -C "$dir" -f "$parts/gateway.cfg" >>"$dir/gateway.log" 2>"$dir/gateway.err" </dev/null 9<&- &
    local pid=$!
    disown "$pid"                               # else bash tells of its end
    echo "$pid" >"$dir/gateway.pid"
    wait_for "the gateway" gateway_settled "$pid" && kill -0 "$pid" 2>/dev/null
}

# gateway_settled PID  Answers, or has ended.
gateway_settled() { control ping || ! kill -0 "$1" 2>/dev/null; }

gateway_down() { stop_process "$dir/gateway.pid" "$dir"; }

# control PATH CURL-ARG...  One call to faults.lua; prints what it says.
control() {
    local path=$1
    shift
    (cd "$dir" && curl --silent --fail-with-body --max-time "$patience" --unix-socket gateway.sock "$@" "http://gateway/$path")
}

# Requests are logged in the order in which they end, so our marker comes after all that ended before.
log_sync() {
    local id
    id=$(random_chars a-z0-9 16)
    curl --silent --max-time "$patience" "$ENDPOINT/-/local-aws/$id" || die "the gateway does not answer"
    wait_for "the request log" grep -q "/-/local-aws/$id" "$dir/gateway.log" || exit 1
    wc -l <"$dir/gateway.log"
}

count_requests() {
    local since=0 action=''
    while [ $# -gt 0 ]; do
        case $1 in
        --since) [[ ${2-} =~ ^[0-9]+$ ]] || bad_usage "--since needs a line number"; since=$2; shift 2 ;;
        --action) [ -n "${2-}" ] || bad_usage "--action needs a name"; action=$2; shift 2 ;;
        -*) bad_usage "count: unknown option '$1'" ;;
        *) break ;;
        esac
    done
    [ $# -le 2 ] || bad_usage "count takes METHOD and PATH-REGEX"
    log_sync >/dev/null
    METHOD=${1-} REGEX=${2-} ACTION=$action awk -v since="$since" '
        NR > since && $3 !~ "^/-/local-aws/" &&
        (ENVIRON["METHOD"] == "" || $2 == ENVIRON["METHOD"]) &&
        (ENVIRON["ACTION"] == "" || $7 == ENVIRON["ACTION"]) &&
        (ENVIRON["REGEX"] == "" || $3 ~ ENVIRON["REGEX"]) { n++ }
        END { print n + 0 }' "$dir/gateway.log"
}

# --- faults ---

fault() {
    local verb=${1-}
    [ $# -gt 0 ] || bad_usage "fault needs add, list or clear"
    shift
    case $verb in
    add) fault_add "$@" ;;
    list)
        [ $# = 0 ] || bad_usage "fault list takes no argument"
        control list
        ;;
    clear)
        [ $# -le 1 ] || bad_usage "fault clear takes one id"
        control clear --url-query "id=${1-}" || exit 1
        ;;
    *) bad_usage "unknown fault command '$verb'" ;;
    esac
}

fault_add() {
    local query=() kind name arg
    while [[ ${1-} == --* ]]; do
        name=${1#--}
        [ -n "${2-}" ] || bad_usage "--$name needs a value"
        case $name in
        method | path | action) ;;
        skip | count | retry-after) want_number "--$name" "$2" ;;
        *) bad_usage "fault add: unknown option '--$name'" ;;
        esac
        query+=(--url-query "${name//-/_}=$2")
        shift 2
    done
    kind=${1-}
    [ $# = 0 ] || shift
    fault_check "$kind" "$@"
    query+=(--url-query "kind=$kind")
    if [ "$kind" = body ]; then
        query+=(--data-binary "@$(realpath "$1")")
        shift
    fi
    for arg; do
        query+=(--url-query "arg=$arg")
    done
    control add "${query[@]}" || exit 2
}

# fault_check KIND ARG...
fault_check() {
    local kind=$1 few=0 many=0
    shift
    case $kind in
    status) few=2 many=3 ;;
    header) few=2 many=2 ;;
    redirect) few=1 many=2 ;;
    delay | cut-body | body) few=1 many=1 ;;
    expired-token | hang | cut) ;;
    *) bad_usage "unknown kind of fault '$kind'" ;;
    esac
    if [ $# -lt "$few" ] || [ $# -gt "$many" ]; then
        bad_usage "fault $kind takes $few to $many arguments"
    fi
    case $kind in
    status) [[ $1 =~ ^[1-5][0-9][0-9]$ ]] || bad_usage "'$1' is not an HTTP status" ;;
    delay | cut-body) want_number "$kind" "$1" ;;
    body) [[ -f $1 && -r $1 ]] || bad_usage "no file '$1'" ;;
    esac
}

want_number() { [[ $2 =~ ^[0-9]+$ ]] || bad_usage "$1: '$2' is not a number"; }
