#!/bin/bash
# What another client gave an object besides its bytes (type, headers, metadata) is kept when the file is changed in part,
# touched and renamed, small or large, at the cost of one HEAD at most; a file that is written anew is a new object.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=3600
mkdir mnt/photos mnt/elsewhere
make_files files 100 20000000

given=('content-type: text/x-special' 'cache-control: max-age=60, public' 'content-disposition: attachment; filename="a b.txt"'
    'content-encoding: gzip' 'content-language: de, en' 'expires: Mon, 23 Nov 2026 12:00:00 GMT' 'x-amz-meta-colour: blue'
    'x-amz-meta-long-name: a, b; c=d')
# metadata that tell of the bytes: not of others
bytes=('x-amz-meta-md5chksum: XUFAKrxLKna5cZ2REBfFkg==' 'x-amz-meta-mtime: 1500000000.5')
# give KEY SIZE: another client puts the object, with all that can be given
give() {
    local header headers=()
    for header in "${given[@]}" "${bytes[@]}"; do headers+=(-H "$header"); done
    other "${headers[@]}" -T "files/$2" "photos/$1"
}
head_of() { other -I "$1" | tr -d '\r' | awk '{ colon = index($0, ":"); print tolower(substr($0, 1, colon)) substr($0, colon + 1) }'; }
# keeps BUCKET/KEY [NAME...]: another client finds all that was given; and of the metadata that tell of the bytes, these
keeps() {
    local header
    head_of "$1" >headers
    for header in "${given[@]}"; do
        grep -qxF -- "$header" headers || { cat headers >&2; DEPTH=1 fail "$1 has lost '$header'"; }
    done
    equal "what tells of the bytes of $1" "$({ grep -oE '^x-amz-meta-(mtime|md5chksum)' headers || :; } | sort | xargs)" "${*:2}"
}
all=(x-amz-meta-md5chksum x-amz-meta-mtime)

patch() { printf 12345 | dd of="$1" bs=1 seek=50 conv=notrunc status=none; }
append() { printf 12345 >>"$1"; }
shorten() { truncate -s -1 "$1"; }
lengthen() { truncate -s +1 "$1"; }

# --- changed in part ---
for change in patch append shorten lengthen; do
    for size in 100 20000000; do
        file=$change-$size
        give "$file" $size
        keeps "photos/$file" "${all[@]}"
        cp files/$size wanted
        $change wanted
        stat mnt/photos/$file >/dev/null
        mark
        $change mnt/photos/$file
        if [ $size = 100 ]; then
            equal "requests of $file" "$(requests HEAD) $(requests GET '/photos/'$file) $(requests PUT)" "0 1 1"
        else
            # each copied part is looked at on servers that are not AWS
            at_most "HEADs of $file" "$(requests HEAD)" $((1 + $(requests PUT 'partNumber=')))
        fi
        keeps "photos/$file"
        other "photos/$file" | cmp - wanted
    done
done

# what was read tells it: no HEAD but those of the copied parts
give read 20000000
python <<'EOP'
import os
f = os.open("mnt/photos/read", os.O_RDWR)
assert len(os.pread(f, 1000, 0)) == 1000
os.pwrite(f, b"12345", 20000000)
os.close(f)
EOP
keeps photos/read

# all of its bytes are others, but it is the same file
give over 100
stat mnt/photos/over >/dev/null
mark
dd if=files/20000000 of=mnt/photos/over bs=100 count=1 conv=notrunc status=none
equal "requests of a file that is written over" "$(requests HEAD) $(requests GET '/photos/over') $(requests PUT)" "1 0 1"
keeps photos/over

# --- touched, renamed ---
give touched 100
stat mnt/photos/touched >/dev/null
mark
touch mnt/photos/touched
equal "requests of touch" "$(requests HEAD) $(requests PUT)" "1 1"
keeps photos/touched x-amz-meta-md5chksum
mkdir mnt/photos/dir
for size in 100 20000000; do
    give renamed-$size $size
    give dir/renamed-$size $size
    stat mnt/photos/renamed-$size >/dev/null
    mark
    mv mnt/photos/renamed-$size mnt/photos/new-$size
    equal "requests of a rename" "$(requests HEAD) $(requests PUT) $(requests DELETE)" "0 1 1"
    keeps photos/new-$size "${all[@]}"
    python <<EOP
import os
os.rename("mnt/photos/new-$size", "mnt/elsewhere/new-$size")
EOP
    keeps elsewhere/new-$size "${all[@]}"
done
mv mnt/photos/dir mnt/photos/moved
for size in 100 20000000; do keeps photos/moved/renamed-$size "${all[@]}"; done

# --- written anew ---
is_new() {
    head_of "$1" >headers
    has headers '^content-type: text/html$'
    lacks headers '^(cache-control|content-(disposition|encoding|language)|expires|x-amz-meta-)'
}
give anew.html 100
stat mnt/photos/anew.html >/dev/null
mark
echo text >mnt/photos/anew.html
equal "requests of a file that is written anew" "$(requests HEAD) $(requests GET '/photos/anew') $(requests PUT)" "0 0 1"
is_new photos/anew.html
give copied.html 100
cp files/100 mnt/photos/copied.html
is_new photos/copied.html
give emptied.html 20000000
truncate -s 0 mnt/photos/emptied.html
is_new photos/emptied.html

# --- another client's change ---
give theirs 20000000
python <<'EOP'
from case import *
f = os.open("mnt/photos/theirs", os.O_WRONLY)
os.pwrite(f, b"12345", 20000000)
sh('other -H "x-amz-meta-whose: theirs" -T files/100 photos/theirs')
refused(errno.ESTALE, os.fsync, f)
refused(errno.ESTALE, os.close, f)
EOP
head_of photos/theirs >headers
has headers '^x-amz-meta-whose: theirs$'
lacks headers '^x-amz-meta-colour'
other photos/theirs | cmp - files/100

# --- xattrs ---
give xattrs 100
equal "Content-Encoding" "$(getfattr --only-values -n user.s3.content-encoding mnt/photos/xattrs)" gzip
equal "Cache-Control" "$(getfattr --only-values -n user.s3.cache-control mnt/photos/xattrs)" 'max-age=60, public'
refused "No such attribute" getfattr -n user.s3.website-redirect-location mnt/photos/xattrs
unmount_b

# --- attrs=posix keeps all of it, too, and dates it ---
mount_b -o attrs=posix
for change in patch append shorten lengthen touch 'chmod 600' 'cp files/100'; do
    for size in 100 20000000; do
        give posix $size
        # the mount may have known another object of that name
        await "[ \"\$(stat -c %s $work/mnt/photos/posix)\" = $size ]"
        $change mnt/photos/posix
        case $change in
        touch | chmod*) keeps photos/posix "${all[@]}" ;;
        *) keeps photos/posix x-amz-meta-mtime ;;
        esac
    done
done
mv mnt/photos/posix mnt/photos/posix-2
keeps photos/posix-2 x-amz-meta-mtime
unmount_b
