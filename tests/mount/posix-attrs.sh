#!/usr/bin/env bash
# With attrs=posix mode, owner, date and symbolic links are kept: a new mount shows them. What is set before the file is
# closed costs no request of its own.
. "$(dirname "$0")/../support/case.sh"
need rsync rsync
start_aws
mount_b -o attrs=posix
mkdir mnt/photos

# again: what is seen is what S3 has
again() { unmount_b; mount_b -o attrs=posix; }
# shows PATH FORMAT WANTED
shows() { equal "$1" "$(stat -c "$2" "mnt/photos/$1")" "$3"; }
# header KEY NAME, meta KEY NAME: what another client sees of the object
header() { other -I "photos/$1" | tr -d '\r' | sed -n "s/^$2: //Ip"; }
meta() { header "$1" "x-amz-meta-$2"; }

# --- new ones ---
(umask 027 && echo hello >mnt/photos/new && mkdir mnt/photos/dir)
ln -s ../some/where mnt/photos/link
shows new '%a %u:%g' '640 0:0'
shows dir '%a %F' '750 directory'
shows link '%F %N' "symbolic link 'mnt/photos/link' -> '../some/where'"
equal 'the file of the server' "$(meta new mode) $(meta new uid)" "$((0100640)) 0"
equal 'the directory of the server' "$(meta dir/ mode)" "$((040750))"
equal 'the link of the server' "$(meta link mode)" "$((0120777))"
equal 'its body' "$(other photos/link)" ../some/where
again
shows new '%a %u:%g' '640 0:0'
shows dir '%a %F' '750 directory'
equal 'the target' "$(readlink mnt/photos/link)" ../some/where
refused 'File exists' ln -s x mnt/photos/link

# --- chmod, chown, touch ---
: >empty
other -T empty -H 'content-type: text/css' -H 'x-amz-meta-colour: red' photos/plain
shows plain '%a %u:%g' '644 0:0'
mark
chmod 4751 mnt/photos/plain
equal 'copies for chmod' "$(requests PUT '/photos/plain')" 1
mark
chmod 4751 mnt/photos/plain
equal 'copies for a mode that it has' "$(requests PUT)" 0
chown 1000:1001 mnt/photos/plain
shows plain '%u:%g' '1000:1001'
chmod 4751 mnt/photos/plain
touch -d '2001-02-03 04:05:06.123456789Z' mnt/photos/plain
chown -h 7:8 mnt/photos/link
touch -h -d '2002-02-03 04:05:06.5Z' mnt/photos/link
chmod 1777 mnt/photos/dir
chown 9 mnt/photos/dir
touch -d '2003-02-03 04:05:06Z' mnt/photos/dir
check() {
    shows plain '%a %u:%g %.9Y' '4751 1000:1001 981173106.123456789'
    shows link '%a %u:%g %.9Y %F' '777 7:8 1012709106.500000000 symbolic link'
    shows dir '%a %u:%g %.9Y' '1777 9:0 1044245106.000000000'
}
check
again
check
equal 'the type is kept' "$(header plain content-type)" text/css
equal 'others are kept' "$(meta plain colour)" red
equal 'the date, as it is kept' "$(meta plain mtime)" 981173106.123456789
refused 'Operation not permitted' chmod 700 mnt/photos

# a directory that S3 knows by its keys alone
other -T empty photos/implicit/a
shows implicit '%a %F' '755 directory'
chmod 700 mnt/photos/implicit
again
shows implicit '%a %F' '700 directory'
equal 'what is in it' "$(ls mnt/photos/implicit)" a

# --- writing keeps them, renaming takes them along ---
echo more >>mnt/photos/plain
shows plain '%a %u:%g' '4751 1000:1001'
equal 'others are kept' "$(meta plain colour)" red
mv mnt/photos/plain mnt/photos/moved
mv mnt/photos/link mnt/photos/dir/link
mv mnt/photos/dir mnt/photos/other
again
shows moved '%a %u:%g' '4751 1000:1001'
shows other '%a %u:%g' '1777 9:0'
shows other/link '%a %u:%g %F' '777 7:8 symbolic link'
rm mnt/photos/other/link
refused 'No such file' stat mnt/photos/other/link

# --- trees: tar, cp -a, rsync -a ---
mkdir -p tree/sub tree/empty
for i in 1 2 3; do echo "$i" >tree/sub/$i; done
head -c 20000000 /dev/urandom >tree/large
chmod 600 tree/sub/1
chmod 2755 tree/sub
chown 1000:1000 tree/sub/2
ln -s sub/1 tree/link
ln -s missing tree/dangling
touch -h -d '2004-01-01 00:00:00.25Z' tree/link
touch -d '2005-01-01 00:00:00.987654321Z' tree/large tree/sub/3
touch -d '2006-01-01Z' tree/sub tree/empty tree
tree() { (cd "$1" && find . -printf '%p %y %m %U:%G %T@ %l\n' | sort); }
tree tree >wanted
contents() { (cd "$1" && find . -type f -exec sha256sum {} + | sort); }
contents tree >wanted.sums

mark
tar --format=posix -cf - tree | tar -xpf - -C mnt/photos
tree mnt/photos/tree | diff wanted - || fail 'tar: see above'
cp -a tree mnt/photos/copied
rsync -aH tree/ mnt/photos/synced
again
for i in tree copied synced; do
    tree mnt/photos/$i | diff wanted - || fail "$i: see above"
    contents mnt/photos/$i | diff wanted.sums - || fail "$i: see above"
done
rsync -ain tree/ mnt/photos/synced >changes
equal 'what rsync would transfer again' "$(cat changes)" ''
mark
rsync -a tree/ mnt/photos/synced
equal 'what is written by a second rsync' "$(requests PUT) $(requests POST '/photos')" '0 0'
mkdir back
(cd mnt/photos/tree && tar --format=posix -cf - .) | tar -xpf - -C back
tree back | diff wanted - || fail 'tar, back: see above'

# what is set on an open file goes with its upload
mark
cp -a tree/sub/2 mnt/photos/one
equal 'requests that write' "$(requests PUT)" 1
shows one '%u:%g' '1000:1000'

# --- ls asks for each file once, several at a time; plain names cost nothing ---
mkdir mnt/photos/many
put_files tree/sub photos/many/
unmount_b
mount_b -o attrs=posix,metadata_ttl=3600
mark
# shellcheck disable=SC2012
ls -l mnt/photos/many | tail -n +2 | wc -l >/dev/null
equal 'HEADs of three files' "$(requests HEAD '/photos/many/[0-9]')" 3
ls -l mnt/photos/many >/dev/null
equal 'HEADs, the second time' "$(requests HEAD '/photos/many/[0-9]')" 3
unmount_b

# attrs=object asks for none, and knows no links
mount_b
mark
ls -lR mnt/photos >/dev/null
equal 'HEADs with attrs=object' "$(requests HEAD)" 0
refused 'Operation not permitted' ln -s x mnt/photos/y
