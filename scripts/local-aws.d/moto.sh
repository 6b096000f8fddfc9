# moto.sh: moto in place of radosgw, where SERVER=moto: a second reading of AWS's protocol. Sourced by local-aws.
#
#   moto_up       starts it on port base+1, with accounts A and B; all it knows is in its memory
#   moto_down     stops it
#
# Accounts have 12 digits, STS has GetCallerIdentity, and a session or a key that ended is told by AWS's own codes. moto itself
# checks nothing that is asked; moto-server.py stands before it and does: see there what.
# shellcheck shell=bash disable=SC2154,SC2034  # dir, parts, here and the settings are local-aws's

moto_processes() { echo moto; }

moto_account_id() { random_chars 1-9 12; }

moto_up() {
    local name
    for name in {ANNE,AROOT,BROOT}_{KEY,SECRET}; do export "${name?}"; done     # by the environment: argv can be read by others
    ACCOUNT_A=$ACCOUNT_A ACCOUNT_B=$ACCOUNT_B ROLE_NAME=$ROLE_NAME TRUST=$(moto_trust_policy) MIN_SESSION=$MIN_SESSION \
        setsid "$moto_root/bin/python" "$parts/moto-server.py" "$dir" $((BASE_PORT + 1)) >"$dir/moto.log" 2>&1 </dev/null 9<&- &
    local pid=$!
    disown "$pid"
    echo "$pid" >"$dir/moto.pid"
    wait_for "moto" moto_settled "$pid" && kill -0 "$pid" 2>/dev/null
}

# moto_settled PID  Answers, or has ended.
moto_settled() { answers "http://127.0.0.1:$((BASE_PORT + 1))/" || ! kill -0 "$1" 2>/dev/null; }

moto_trust_policy() {
    cat <<END
{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::$ACCOUNT_A:root"]},
"Action":["sts:AssumeRole"],"Condition":{"StringEquals":{"sts:ExternalId":"$EXTERNAL_ID"}}}]}
END
}

moto_down() { stop_process "$dir/moto.pid" "$dir"; }
