#!/bin/bash
# In the background it holds nothing of the shell it came of: no terminal, no pipe, no folder; closing the terminal does not end it.
. "$(dirname "$0")/../support/case.sh"
start_aws
mkdir mnt from-here
# not by $program: a wrapper holds what the program does not

# a command substitution ends when nobody holds its pipe
timeout "$patience" bash -c 'cd from-here && text=$("$XACCTFS" accountB ../mnt 2>&1)' || fail "it keeps the pipe, or fails"
mountpoint -q mnt || fail "it returned before it was mounted"
rmdir from-here
umount mnt
await '! pgrep -x xacctfs'

# a terminal of its own for the command, closed when the command has returned
/usr/bin/python3 - "$XACCTFS" "$work/mnt" <<'EOF' >terminal.out
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "accountB", sys.argv[2]])
said = b""
try:
    while piece := os.read(terminal, 4096):
        said += piece
except OSError:
    pass  # the terminal has no other end any more
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
os.close(terminal)
print(status, said.decode().count("is mounted on"))
EOF
equal "status, and lines that say so" "$(cat terminal.out)" '0 1'
pid=$(pgrep -x xacctfs)
read -r _ _ _ _ group session tty _ < <(sed 's/(.*)/name/' "/proc/$pid/stat")
equal "session, group" "$session $group" "$pid $pid"
equal "terminal" "$tty" 0
ls mnt >/dev/null
kill -HUP "$pid"
ended "$pid"
! mountpoint -q mnt || fail "mounted still"

# it returns no sooner than the buckets were listed
fault add --method GET hang >/dev/null
"$XACCTFS" accountB "$work/mnt" 2>err &
command=$!
hanging 1
kill -0 $command || fail "it has returned"
! mountpoint -q mnt || fail "mounted before the buckets were listed"
fault clear
wait $command
mountpoint -q mnt || fail "not mounted"
umount mnt
