#!/bin/bash
# Keys with every byte that S3 allows, here and there; a name of 255 and a key of 1,024 bytes; what is no file name is not shown.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=1
mkdir mnt/names-bucket mnt/their-bucket mnt/hidden-bucket

python <<'EOF'
from case import *
from urllib.parse import quote, unquote_to_bytes
import html, re
os.chdir("mnt")
names = ["with space", " ", "plus+", "per%cent", "%41", "%2F", "%", "and&amp;", "quest?", "hash#", "eq=", "semi;", "co:lon", 'quo"te', "apos'",
         "<xml>", "]]>", "back\\slash", "tab\t", "new\nline", "cr\r", "\x01", "\x7f", "ümläut", "u\u0308", "日本", "😀", "~tilde", "*", "[b]", "{c,d}", "$d", "`e`",
         "|", "@at", "!", ",", "..x", "...", ".hidden", "-dash", "--", "x" * 255, "ü" * 127, "\u2028", "(p)", "^", "_"]

def keys(bucket):
    """As another client sees them, as bytes: control characters can't be in XML."""
    listing = sh('other "$1?encoding-type=url&list-type=2"', bucket)
    return sorted(unquote_to_bytes(html.unescape(key)) for key in re.findall("<Key>(.*?)</Key>", listing.decode(), re.S))

for name in names:
    with open(f"names-bucket/{name}", "w", newline="") as f:
        f.write(name)
encoded = sorted(name.encode() for name in names)
assert keys("names-bucket") == encoded, [n for n in encoded if n not in keys("names-bucket")]
assert sorted(os.listdir(b"names-bucket")) == encoded
for name in names:
    assert open(f"names-bucket/{name}", newline="").read() == name, name

# the other way round, below directories of such names
for name in names:
    with open("../one", "w", newline="") as f:
        f.write(name)
    sh('other -g -T ../one "their-bucket/$1/$1"', quote(name, safe=""))
assert sorted(os.listdir(b"their-bucket")) == encoded
for name in names:
    assert os.listdir(f"their-bucket/{name}") == [name]
    assert open(f"their-bucket/{name}/{name}", newline="").read() == name
    os.rename(f"their-bucket/{name}/{name}", f"their-bucket/{name}/2")
    os.rename(f"their-bucket/{name}/2", f"their-bucket/{name}/{name}")
assert keys("their-bucket") == sorted(name + b"/" + name for name in encoded)
for name in names:
    os.unlink(f"their-bucket/{name}/{name}")
    os.rmdir(f"their-bucket/{name}")
assert keys("their-bucket") == []

# the longest
long = "/".join(["d" * 200] * 4)
os.makedirs(f"their-bucket/{long}")
with open(f"their-bucket/{long}/" + "f" * 220, "w") as f:
    f.write("long")
assert len(f"{long}/" + "f" * 220) == 1024
assert sh('other "their-bucket/$1"', f"{long}/" + "f" * 220) == b"long"
refused(errno.ENAMETOOLONG, open, f"their-bucket/{long}/" + "f" * 221, "w")
refused(errno.ENAMETOOLONG, os.mkdir, f"their-bucket/{long}/" + "g" * 220)
refused(errno.ENAMETOOLONG, open, "their-bucket/" + "f" * 256, "w")
refused(errno.ENAMETOOLONG, os.stat, "their-bucket/" + "f" * 256)

# bytes that are no UTF-8, which radosgw refuses as AWS does: the name is at fault, not the server
def write(name):
    with open(name, "wb") as f:
        f.write(b"x")
refused(errno.EILSEQ, write, b"names-bucket/not\xffutf-8")
refused(errno.EILSEQ, os.stat, b"names-bucket/not\xffutf-8")

# what no path leads to
hidden = ["/lead", "a//b", "./x", "x/../y", "d/.", "d/..", "d//", "long/" + "n" * 256, "n" * 256 + "/file"]
shown = ["d/file", "long/file", "a/file", "top"]
for key in hidden + shown:
    sh('other -X PUT -H "content-type: text/plain" --data-binary @../one "hidden-bucket/$1"', key) # -T would add a name to some
seen = sorted(os.path.relpath(os.path.join(top, f), "hidden-bucket") for top, _, files in os.walk("hidden-bucket") for f in files)
assert seen == sorted(shown), seen
assert sorted(os.listdir("hidden-bucket")) == ["a", "d", "long", "top", "x"]
assert len(keys("hidden-bucket")) == len(hidden + shown)
EOF
unmount_b
