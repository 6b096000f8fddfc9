#!/bin/bash
# Directories are the prefixes of keys, with or without a marker object; what is made and removed here shows at once, there too.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=3600
mkdir mnt/dirs-bucket
cd mnt/dirs-bucket
echo data >"$work/data"
keys() { other "dirs-bucket?list-type=2" | { grep -o '<Key>[^<]*' || :; } | cut -c 6- | tr '\n' ' '; }

# implicit and explicit ones, of another client
other -T "$work/data" dirs-bucket/implicit/a/b/file
other -X PUT -H "content-length: 0" dirs-bucket/marked/
other -T "$work/data" dirs-bucket/marked/file
other -X PUT -H "content-length: 0" dirs-bucket/hollow/
equal "find" "$(find . -printf '%P%y ' | tr ' ' '\n' | sort | xargs)" \
    "d hollowd implicit/a/b/filef implicit/a/bd implicit/ad implicitd marked/filef markedd"
equal "the modes" "$(stat -c %A implicit marked | xargs)" "drwxr-xr-x drwxr-xr-x"
equal "ls of an empty one" "$(ls -A hollow)" ""
refused "Directory not empty" rmdir marked
refused "Directory not empty" rmdir implicit
refused "Is a directory" cat marked
refused "Not a directory" stat marked/file/x
refused "Not a directory" rmdir marked/file
refused "File exists" mkdir implicit

# emptied, with a marker or without: it stays until it is removed
rm implicit/a/b/file marked/file
equal "what is left" "$(find implicit marked | xargs)" "implicit implicit/a implicit/a/b marked"
rmdir implicit/a/b implicit/a implicit marked hollow
equal "ls" "$(ls -A)" ""
equal "keys" "$(keys)" ""

# made here
mark
mkdir new
equal "PUT of mkdir" "$(requests PUT)" 1
at_most "requests of mkdir" "$(requests)" 2
mkdir -p new/deep/deeper
equal "keys" "$(keys)" "new/ new/deep/ new/deep/deeper/ "
refused "File exists" mkdir new/deep
refused "No such file" mkdir none/deep
echo x >new/deep/deeper/file
mark
rm new/deep/deeper/file
equal "DELETE of rm" "$(requests DELETE)" 1
rm -r new
equal "keys" "$(keys)" ""
refused "No such file" ls new

# a key and a directory of one name: the directory is shown, once, and the log says so, once
other -T "$work/data" dirs-bucket/both
other -T "$work/data" dirs-bucket/both-
other -T "$work/data" dirs-bucket/both/inside
equal "ls" "$(ls -F)" $'both/\nboth-'
equal "what is inside" "$(cat both/inside)" data
refused "Is a directory" cat both
equal "lines of the log" "$(grep -c 'dirs-bucket/both is an object and a directory' "$daemon_log")" 1
rm -r both
equal "ls" "$(ls -F | xargs)" "$(keys | xargs)"
cd "$work"
unmount_b
