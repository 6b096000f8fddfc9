#!/bin/bash
# vim and nano in a terminal: a file made, one changed, one looked at; what they say, what is in S3, and what they leave.
. "$(dirname "$0")/../support/case.sh"
need vim.tiny vim-tiny
need nano nano
start_aws
mount_b -o metadata_ttl=3600
mkdir mnt/editors-bucket
export HOME=$work TERM=vt100
seq 30000 >numbers
for editor in vim nano; do other -T numbers "editors-bucket/$editor/numbers"; done
printf 'set nocompatible writebackup\n' >.vimrc

# edit COMMAND-LINE [AWAITED KEYS]...: as by somebody who types each KEYS when AWAITED is on the screen
edit() {
    python "$@" <<'EOF'
from case import *
import pty, re, select, sys
command, *script = sys.argv[1:]
pid, tty = pty.fork()
if pid == 0:
    os.execvp("bash", ["bash", "-c", "exec " + command])
shown = screen = b""

def see(awaited):
    """Waits until it was printed since the last keys; with None until the editor ends."""
    global screen
    while awaited is None or awaited not in screen:
        assert select.select([tty], [], [], int(os.environ["patience"]))[0], f"{awaited} does not come: {screen}"
        try:
            got = os.read(tty, 65536)
        except OSError:
            got = b""
        if not got:
            assert awaited is None, f"it ended before {awaited}: {screen}"
            return
        screen += got

for awaited, keys in zip(script[::2], script[1::2]):
    see(awaited.encode())
    shown, screen = shown + screen, b""
    write_all(tty, keys.encode().decode("unicode_escape").encode())
see(None)
shown += screen
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
assert status == 0, f"{command}: status {status}: {shown}"
# what an editor says of trouble, in any of its ways
trouble = re.search(rb"\b[EW]\d+:|[Ee]rror|not permitted", shown)
assert not trouble, (trouble[0], shown)
EOF
}

mark
edit 'vim.tiny mnt/editors-bucket/vim/new' '[New]' 'ione\rtwo\x1b:w\r' written 'othree\x1b:w\r' written ':q\r'
equal "what vim made" "$(other editors-bucket/vim/new | xargs)" "one two three"
edit 'vim.tiny mnt/editors-bucket/vim/numbers' 30000L 'Gofirst\x1b:w\r' written 'ggOzero\x1b:w\r' written ':wq\r'
{ echo zero && seq 30000 && echo first; } | cmp - <(other editors-bucket/vim/numbers)
edit 'vim.tiny -R mnt/editors-bucket/vim/numbers' 30002L ':q\r'
equal "what vim left" "$(ls -A mnt/editors-bucket/vim | xargs)" "new numbers"
equal "what vim left in S3" "$(other 'editors-bucket?list-type=2&prefix=vim' | grep -o '<Key>[^<]*' | cut -d '>' -f 2 | xargs)" "vim/new vim/numbers"

edit 'nano mnt/editors-bucket/nano/new' 'New File' 'one\rtwo\r\x0f' 'Name to Write' '\r' 'Wrote ' 'three\r\x0f' 'Name to Write' '\r' 'Wrote ' '\x18'
equal "what nano made" "$(other editors-bucket/nano/new | xargs)" "one two three"
edit 'nano --backup mnt/editors-bucket/nano/numbers' 'Read 30000' 'zero\r\x0f' 'Name to Write' '\r' 'Wrote ' '\x18'
{ echo zero && seq 30000; } | cmp - <(other editors-bucket/nano/numbers)
cmp numbers <(other editors-bucket/nano/numbers~)
equal "what nano left" "$(ls -A mnt/editors-bucket/nano | xargs)" "new numbers numbers~"
unmount_b
lacks xacctfs.log '^(warning|error)'
