#!/bin/bash
# On moto, another server: 12-digit accounts, GetCallerIdentity, files of all sizes both ways, directories, renames, multipart copies, xattrs.
XACCTFS_SERVER=moto
. "$(dirname "$0")/../support/case.sh"
start_aws
sizes=(0 1 4095 4096 4097 131071 131073 1048575 1048576 1048577 8388607 8388608 8388609 9437184)
make_files made "${sizes[@]}"

# the chain; what radosgw does not tell
"${program[@]}" --check accountB >text
cat text
has text '^ok    identity     arn:aws:iam::111111111111:user/Anne$'
has text "^ok    role         $XACCTFS_ROLE_ARN\$"
has text '^ok    session      arn:aws:sts::222222222222:assumed-role/cross-account-s3-access/xacctfs-.*, until 20..-..-..T..:..:..Z'
has text '^All links hold\.$'

# the root is Account B's, not Anne's
aws --profile Anne s3api create-bucket --bucket of-anne --create-bucket-configuration LocationConstraint=eu-west-1 >aws.out
mount_b -o metadata_ttl=1
equal "an empty account" "$(ls -A mnt)" ""
mkdir mnt/moto-bucket mnt/their-bucket
equal "ls" "$(ls mnt | xargs)" "moto-bucket their-bucket"
equal "the account" "$(aws --profile broot s3api list-buckets --query 'Buckets[].Name' --output text | xargs)" "moto-bucket their-bucket"
equal "the region" "$(aws --profile broot s3api get-bucket-location --bucket moto-bucket --output text)" eu-west-1
refused "File exists" mkdir mnt/moto-bucket

# files of all sizes: by the mount, then by another client
cp made/* mnt/moto-bucket/
aws --profile broot s3 cp --quiet --recursive s3://moto-bucket back
diff -r made back
put_files made their-bucket/d/
diff -r made mnt/their-bucket/d
drop_pages mnt/their-bucket/d/*
diff -r made mnt/their-bucket/d
equal "names and sizes" "$(ls -l mnt/their-bucket/d | awk 'NR > 1 { print $9, $5 }' | sort -n)" "$(printf '%s\n' "${sizes[@]}" | awk '{ print $1, $1 }')"
equal "bytes in the middle" "$(tail -c +8000001 mnt/their-bucket/d/9437184 | head -c 5000 | md5sum)" \
    "$(tail -c +8000001 made/9437184 | head -c 5000 | md5sum)"
refused "Directory not empty" rmdir mnt/their-bucket

# a patch in the middle and at the end: parts, of which the server copies those that did not change
head -c 20971520 /dev/urandom >large
cp large mnt/moto-bucket/large
for file in large mnt/moto-bucket/large; do
    printf 'patch' | dd of=$file bs=1 seek=10000000 conv=notrunc status=none
    printf 'end' >>$file
done
other moto-bucket/large | cmp - large
other -I moto-bucket/large | tr -d '\r' >head.txt
has head.txt '^[Ee][Tt]ag: "[0-9a-f]{32}-[0-9]+"$'
truncate -s 9000001 large mnt/moto-bucket/large
other moto-bucket/large | cmp - large

# directories and renames
mkdir -p mnt/moto-bucket/one/two
cp made/4097 mnt/moto-bucket/one/two/file
refused "Directory not empty" rmdir mnt/moto-bucket/one
mv mnt/moto-bucket/one mnt/their-bucket/moved
cmp made/4097 mnt/their-bucket/moved/two/file
refused "No such file" stat mnt/moto-bucket/one
mv mnt/moto-bucket/large mnt/their-bucket/moved/4097
other their-bucket/moved/4097 | cmp - large
refused "404" other -o out moto-bucket/large
rm -r mnt/their-bucket/moved
equal "objects left" "$(aws --profile broot s3api list-objects-v2 --bucket their-bucket --prefix moved --query 'length(Contents || `[]`)')" 0

# names; moto differs from AWS: a key with a line feed is answered by 404
python <<'PYTHON'
from case import *
from urllib.parse import quote
names = ["with space", " ", "plus+", "per%cent", "%41", "%2F", "%", "and&amp;", "quest?", "hash#", "eq=", "semi;", "co:lon", 'quo"te', "apos'",
         "<xml>", "]]>", "back\\slash", "tab\t", "\x01", "\x7f", "ümläut", "u\u0308", "日本", "😀", "~tilde", "*", "[b]", "{c,d}", "$d", "`e`", "|", "@at",
         "!", ",", "..x", "...", ".hidden", "--", "x" * 255, "ü" * 127, "\u2028", "^"]
os.mkdir("mnt/their-bucket/names")
os.chdir("mnt/their-bucket/names")
for name in names:
    with open(name, "w") as f:
        f.write(name)
    assert sh('other -g "their-bucket/names/$1"', quote(name, safe="")) == name.encode(), name
assert sorted(os.listdir(b".")) == sorted(name.encode() for name in names)
for name in names:
    os.rename(name, "2")
    os.rename("2", name)
    assert open(name).read() == name, name
PYTHON
rm -r mnt/their-bucket/names

# a date, metadata and xattrs
other -T made/4097 -H 'x-amz-meta-colour: blue' -H 'content-type: text/x-blue' their-bucket/dressed
mv mnt/their-bucket/dressed mnt/moto-bucket/dressed
equal "etag" "$(getfattr --only-values -n user.s3.etag mnt/moto-bucket/dressed)" "\"$(md5sum <made/4097 | cut -c 1-32)\""
equal "type" "$(getfattr --only-values -n user.s3.content-type mnt/moto-bucket/dressed)" text/x-blue
equal "user metadata" "$(getfattr --only-values -n user.meta.colour mnt/moto-bucket/dressed)" blue
touch -d '2001-02-03 04:05:06 UTC' dated
cp --preserve=timestamps dated mnt/moto-bucket/dated
other -I moto-bucket/dated | tr -d '\r' >head.txt
has head.txt '^x-amz-meta-mtime: 981173106'

equal "uploads left behind" "$(uploads moto-bucket)$(uploads their-bucket)" 00
rm -r mnt/moto-bucket/* mnt/their-bucket/*
rmdir mnt/moto-bucket mnt/their-bucket
equal "the account" "$(aws --profile broot s3api list-buckets --query 'length(Buckets)')" 0
unmount_b
lacks "$daemon_log" ' (error|warn): '
