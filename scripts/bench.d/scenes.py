"""scenes.py: what the programs do. A scene has a name, a few words, and up to three steps, each of which gets a Stage:
prepare (by another client, not timed), act (timed, in a process of its own), check (by another client, not timed, again and
again until it holds: some programs save later)."""
import hashlib
import mmap
import os
import random
import subprocess

MANY, SMALL, READS = 2500, 500, 200
BIG = 256 << 20
PATCH, PATCH_AT = b"patch", BIG // 2 + 1


class Wrong(Exception):
    pass


class Originals:
    """Local files, and the same as objects: many/, tree/, small/, big."""
    def __init__(self, account, folder):
        self.folder = folder
        rand = random.Random(1)
        os.makedirs(folder)
        self.small = [f"f{n:03}" for n in range(SMALL)]
        self.tree = [f"d{n // 60}/e{n // 10 % 6}/f{n % 10}" for n in range(300)]
        for name in self.small:
            self._write(f"small/{name}", rand.randbytes(rand.randrange(1, 16384)))
        for name in self.tree:
            self._write(f"tree/{name}", rand.randbytes(rand.randrange(1, 4096)))
        with open(self.path("big"), "wb") as file:
            for _ in range(BIG >> 20):
                file.write(rand.randbytes(1 << 20))
        subprocess.run(["tar", "-C", folder, "-cf", self.path("tree.tar"), "tree/d0"], check=True)
        self.big_digest = self.digest("big")
        with open(self.path("big"), "r+b") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as view:
            view[PATCH_AT:PATCH_AT + len(PATCH)] = PATCH
            self.patched_digest = hashlib.sha256(view).hexdigest()
        account.put((f"many/object-{n:04}", b"") for n in range(MANY))
        account.put((f"tree/{name}", self.path(f"tree/{name}")) for name in self.tree)
        account.put((f"small/{name}", self.path(f"small/{name}")) for name in self.small)
        account.put([("big", self.path("big"))])

    def _write(self, name, content):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(content)

    def path(self, name):
        return os.path.join(self.folder, name)

    def digest(self, name):
        with open(self.path(name), "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


class Stage:
    """own is a folder below the mount that is this run's alone; what is prepared there is there, else it is made here."""
    def __init__(self, account, originals, own):
        self.account, self.originals, self.own = account, originals, own
        self.mount = None

    def at(self, name):
        return os.path.join(self.mount, name)

    def mine(self, name):
        return f"{self.own}/{name}"

    def local(self, name):
        return self.originals.path(name)


def run(*argv):
    """Its output, by lines."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "LC_ALL": "C"})
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise Wrong(f"{argv[0]}: {said[-1] if said else f'status {done.returncode}'}")
    return done.stdout.splitlines()


def equal(what, got, wanted):
    if got != wanted:
        raise Wrong(f"{what}: {got}, not {wanted}")


def same_keys(stage, names):
    """The keys below own are these."""
    got, wanted = stage.account.keys(f"{stage.own}/"), [stage.mine(name) for name in names]
    if got != wanted:
        other = sorted(set(got) ^ set(wanted))[0]
        raise Wrong(f"{len(got)} keys, not {len(wanted)}: {other} is {'too many' if other in got else 'missing'}")


def same_bytes(stage, name, digest):
    if stage.account.digest(stage.mine(name)) != digest:
        raise Wrong(f"{name} has wrong bytes")


# --- steps ---

def ls_f(stage):
    equal("names", len(run("ls", "-f", stage.at("many"))), MANY + 2)


def ls_l(stage):
    equal("lines", len(run("ls", "-l", stage.at("many"))), MANY + 1)


def find(stage):
    equal("files", len(run("find", stage.at("tree"), "-type", "f")), len(stage.originals.tree))


def write_small(stage):
    run("cp", "-r", stage.local("small"), stage.at(stage.own))


def same_small(stage):
    same_keys(stage, stage.originals.small)
    for name in stage.originals.small[::25]:
        same_bytes(stage, name, stage.originals.digest(f"small/{name}"))


def read_small(stage):
    run("diff", "-r", stage.local("small"), stage.at("small"))


def put_small(stage):
    stage.account.put((stage.mine(name), stage.local(f"small/{name}")) for name in stage.originals.small)


def remove(stage):
    run("rm", "-r", stage.at(stage.own))


def nothing_left(stage):
    same_keys(stage, [])


def make_own(stage):
    stage.account.put([(f"{stage.own}/", b"")])


def write_big(stage):
    run("cp", stage.local("big"), stage.at(stage.mine("big")))


def same_big(stage):
    same_keys(stage, ["big"])
    same_bytes(stage, "big", stage.originals.big_digest)


def read_big(stage):
    run("cmp", stage.local("big"), stage.at("big"))


def read_random(stage):
    rand = random.Random(2)
    with open(stage.local("big"), "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        fd = os.open(stage.at("big"), os.O_RDONLY)
        for _ in range(READS):
            at = rand.randrange(BIG // 4096) * 4096
            if os.pread(fd, 4096, at) != view[at:at + 4096]:
                raise Wrong(f"wrong bytes at {at}")
        os.close(fd)


def copy_big(stage):
    stage.account.copy("big", stage.mine("big"))


def patch(stage):
    fd = os.open(stage.at(stage.mine("big")), os.O_WRONLY)
    os.pwrite(fd, PATCH, PATCH_AT)
    os.close(fd)


def same_patched(stage):
    same_bytes(stage, "big", stage.originals.patched_digest)


def move_big(stage):
    run("mv", stage.at(stage.mine("big")), stage.at(stage.mine("moved")))


def same_moved(stage):
    same_keys(stage, ["moved"])
    same_bytes(stage, "moved", stage.originals.big_digest)


def put_tree(stage):
    stage.account.put((stage.mine(f"tree/{name}"), stage.local(f"tree/{name}")) for name in stage.originals.tree)


def move_tree(stage):
    run("mv", stage.at(stage.mine("tree")), stage.at(stage.mine("moved")))


def same_moved_tree(stage):
    same_keys(stage, [f"moved/{name}" for name in stage.originals.tree])


def untar(stage):
    run("tar", "-C", stage.at(stage.own), "-xf", stage.local("tree.tar"))


def same_untarred(stage):
    names = [f"tree/{name}" for name in stage.originals.tree if name.startswith("d0/")]
    same_keys(stage, names)
    for name in names[::7]:
        same_bytes(stage, name, stage.originals.digest(name))


class Scene:
    """posix: xacctfs can it with attrs=posix only."""
    def __init__(self, name, words, act, prepare=None, check=None, posix=False):
        self.name, self.words, self.act, self.prepare, self.check, self.posix = name, words, act, prepare, check, posix


SCENES = [
    Scene("ls-f", "ls -f of 2,500", ls_f),
    Scene("ls-l", "ls -l of 2,500", ls_l),
    Scene("find", "find in a tree of 300", find),
    Scene("small-write", "cp -r of 500 small files", write_small, check=same_small),
    Scene("small-read", "diff -r of 500 small files", read_small),
    Scene("small-remove", "rm -r of 500 small files", remove, prepare=put_small, check=nothing_left),
    Scene("big-write", "cp of 256 MiB to it", write_big, prepare=make_own, check=same_big),
    Scene("big-read", "cmp of 256 MiB", read_big),
    Scene("big-random", "200 reads of 4 KiB", read_random),
    Scene("big-patch", "5 bytes amid 256 MiB", patch, prepare=copy_big, check=same_patched),
    Scene("big-move", "mv of 256 MiB", move_big, prepare=copy_big, check=same_moved),
    Scene("tree-move", "mv of a tree of 300", move_tree, prepare=put_tree, check=same_moved_tree),
    Scene("tar", "tar x of 60 files", untar, prepare=make_own, check=same_untarred, posix=True),
]
