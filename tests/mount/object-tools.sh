#!/bin/bash
# rsync, tar, zip, ed, vim (where it is) and cp -r work below the mount, and what they made is in S3.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=3600
mkdir mnt/tools-bucket
mkdir -p tree/sub/deep
seq 20000 >tree/numbers
seq 300 >tree/sub/few
head -c 9000000 /dev/urandom >tree/sub/deep/large
: >tree/empty

cp -r tree mnt/tools-bucket/copied
diff -r tree mnt/tools-bucket/copied

need rsync rsync
rsync --recursive tree/ mnt/tools-bucket/synced
diff -r tree mnt/tools-bucket/synced
printf 'patch' | dd of=tree/sub/deep/large bs=1 seek=4000000 conv=notrunc status=none
echo more >>tree/numbers
rm tree/sub/few
rsync --recursive --checksum --delete --inplace --no-whole-file tree/ mnt/tools-bucket/synced
diff -r tree mnt/tools-bucket/synced
mark
rsync --recursive --checksum --delete tree/ mnt/tools-bucket/synced
equal "PUT when nothing changed" "$(requests PUT)" 0
seq 300 >tree/sub/few

tar -cf tree.tar tree
tar --extract --touch --no-same-owner --file tree.tar --directory mnt/tools-bucket
diff -r tree mnt/tools-bucket/tree
tar --create --file mnt/tools-bucket/tree.tar tree
tar --compare --file mnt/tools-bucket/tree.tar

need zip zip
(cd mnt/tools-bucket && zip -qr zipped.zip copied)
/usr/bin/python3 -m zipfile -t mnt/tools-bucket/zipped.zip
other tools-bucket/zipped.zip | cmp - mnt/tools-bucket/zipped.zip

need ed ed
printf '%s\n' '2s/2/two/' '$a' last . w q | ed -s mnt/tools-bucket/copied/numbers
equal "what ed wrote" "$(other tools-bucket/copied/numbers | sed -n '2p;$p' | xargs)" "two last"

command -v vim >/dev/null || { unmount_b; exit; }
vim -es -u NONE -c '%s/^1$/one/' -c 'wq' mnt/tools-bucket/copied/numbers
equal "what vim wrote" "$(other tools-bucket/copied/numbers | sed -n '1,2p' | xargs)" "one two"
equal "what vim left" "$(ls -A mnt/tools-bucket/copied | xargs)" "empty numbers sub"
unmount_b
