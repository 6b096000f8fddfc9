#!/bin/bash
# What another client makes of the old name between a rename's copy and its delete stays, as if it had come behind the rename.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=3600
mkdir -p mnt/one-bucket/dir
for name in file dir/a dir/b; do echo "ours, $name" >"mnt/one-bucket/$name"; done
echo theirs >theirs

# meanwhile METHOD PATH-REGEX KEY FROM TO: another client puts KEY while the deletion of what was FROM is on its way
meanwhile() {
    fault add --method "$1" --path "$2" hang >/dev/null
    mv "mnt/one-bucket/$4" "mnt/one-bucket/$5" &
    local renaming=$!
    hanging 1
    other -T theirs "one-bucket/$3"
    fault clear
    wait $renaming || fail "the rename of $4 failed"
}
meanwhile DELETE '^/one-bucket/file' file file renamed
equal "the copy" "$(cat mnt/one-bucket/renamed)" "ours, file"
equal "what came behind it" "$(cat mnt/one-bucket/file)" theirs
if [ "$server" = moto ]; then # its DeleteObjects does not look at an object's ETag
    unmount_b
    exit
fi
meanwhile POST '^/one-bucket/?[?]delete' dir/a dir renamed-dir
equal "the copies" "$(cat mnt/one-bucket/renamed-dir/{a,b})" $'ours, dir/a\nours, dir/b'
equal "what is below the old name" "$(ls mnt/one-bucket/dir)" a
equal "what came behind it" "$(cat mnt/one-bucket/dir/a)" theirs
equal "in the log" "$(grep -Ec 'another client has replaced the object that was to be deleted' "$daemon_log")" 2
unmount_b
