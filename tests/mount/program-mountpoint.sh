#!/bin/bash
# Mount points: relative, with odd names, through a link, with contents; the same one twice is refused by whatever path.
. "$(dirname "$0")/../support/case.sh"
start_aws
status() { local s=0; timeout "$patience" "$@" >out 2>&1 </dev/null || s=$?; echo $s; }
gone() { DEPTH=1 await "! pgrep -f '$XACCTFS accountB'"; }

for name in plain 'with space' 'with,comma' 'back\slash' $'new\nline' $'f\xc3\xbcr-alle' -dash; do
    mkdir -- "$name"
    : >"./$name/hidden"
    equal "status of mounting on '$name'" "$(status "${program[@]}" accountB "./$name")" 0
    mountpoint -q -- "./$name" || fail "'$name' is not mounted"
    mkdir "./$name/a-bucket"
    equal "ls of '$name'" "$(ls -A -- "./$name")" a-bucket
    equal "status of mounting on '$name' again" "$(status "${program[@]}" accountB "$work/$name")" 1
    has out 'is mounted by xacctfs already'
    rmdir "./$name/a-bucket"
    fusermount3 -u "./$name"
    gone
    equal "its own contents" "$(ls -A -- "./$name")" hidden
done

ln -s plain link
equal "status of mounting on a link" "$(status "${program[@]}" accountB link)" 0
mountpoint -q plain || fail "not mounted where the link leads"
equal "status of mounting where it leads" "$(status "${program[@]}" accountB plain)" 1
has out 'is mounted by xacctfs already'
equal "status of mounting by a way round" "$(status "${program[@]}" accountB ./aws/../plain/.)" 1
has out 'is mounted by xacctfs already'
umount plain
gone

for bad in none none/deeper file file/below; do
    : >file
    equal "status of mounting on $bad" "$(status "${program[@]}" accountB "$bad")" 1
    equal "lines about it" "$(wc -l <out)" 1
done
