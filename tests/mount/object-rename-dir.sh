#!/bin/bash
# A directory of 300 objects is renamed by copies on the server; none is deleted before all are copied, and one that fails leaves the old.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=3600
mkdir mnt/tree-bucket mnt/other-bucket
mkdir tree
for n in {1..300}; do
    dir=tree/$((n % 7))/$((n % 3))
    mkdir -p "$dir"
    echo "file $n" >"$dir/$n"
done
mkdir tree/hollow
cp -r tree mnt/tree-bucket/tree

mark
mv mnt/tree-bucket/tree mnt/tree-bucket/moved
diff -r tree mnt/tree-bucket/moved
refused "No such file" stat mnt/tree-bucket/tree
equal "old keys" "$(other 'tree-bucket?list-type=2&prefix=tree' | grep -c '<Key>' || :)" 0
objects=$(other 'tree-bucket?list-type=2&prefix=moved%2F' | grep -o '<Key>' | wc -l)
at_least "objects" "$objects" 301
equal "COPY" "$(requests PUT)" "$objects"
at_most "DELETE" "$(($(requests DELETE) + $(requests POST)))" "$objects"
at_most "bytes sent of a COPY" $(($(bytes in PUT) / objects)) 3000

# to another bucket, over an empty directory, with an open file
mkdir mnt/other-bucket/target
exec 5<mnt/tree-bucket/moved/1/1/1
mv -T mnt/tree-bucket/moved mnt/other-bucket/target
equal "the open file" "$(cat <&5)" "file 1"
exec 5<&-
diff -r tree mnt/other-bucket/target
equal "ls of where it was" "$(ls -A mnt/tree-bucket)" ""

# one copy is refused: all stays where it was
fault add --method PUT --path '^/tree-bucket/again/' --skip 150 status 403 AccessDenied >/dev/null
refused "Permission denied" mv mnt/other-bucket/target mnt/tree-bucket/again
fault clear
diff -r tree mnt/other-bucket/target
equal "what was copied" "$(other 'tree-bucket?list-type=2' | grep -c '<Key>' || :)" 0
# the deletion is refused: all is there, once or twice
fault add --method DELETE status 403 AccessDenied >/dev/null
fault add --method POST status 403 AccessDenied >/dev/null
# (mv would find the directory that is there now, and move into it)
refused "Permission denied" python <<<'import os; os.rename("mnt/other-bucket/target", "mnt/tree-bucket/again")'
fault clear
aws --profile broot s3 cp --quiet --recursive s3://tree-bucket/again copied
(cd tree && find . -type f | while read -r file; do cmp "$file" "../copied/$file"; done)
unmount_b
