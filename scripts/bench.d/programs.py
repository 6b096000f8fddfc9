"""programs.py: the programs that mount S3, and a mount of one. Secrets go to them by the environment or by a file that only
its owner can read."""
import os
import select
import shutil
import subprocess
import time

from account import BUCKET

XACCTFS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "build-bench", "xacctfs")
START_SECONDS = END_SECONDS = 60


def xacctfs(account, place, options):
    words = [word for option in options for word in ("-o", option)]
    return [XACCTFS, "-f", *words, f"accountB:{BUCKET}", place.mount], dict(os.environ)


def xacctfs_posix(account, place, options):
    return xacctfs(account, place, [*options, "attrs=posix"])


def without_aws():
    """The environment; these programs shall not look at the profiles, which know more than they do."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def s3fs(account, place, options):
    session = account.session()
    options = f"url={account.endpoint},endpoint={account.region},use_path_request_style,use_session_token,tmpdir={place.tmp}"
    return ["s3fs", BUCKET, place.mount, "-f", "-o", options], {
        **without_aws(),
        "AWSACCESSKEYID": session["AccessKeyId"],
        "AWSSECRETACCESSKEY": session["SecretAccessKey"],
        "AWSSESSIONTOKEN": session["SessionToken"],
    }


def rclone(account, place, options):
    session = account.session()
    config = os.path.join(place.folder, "rclone.conf")
    with open(os.open(config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(f"[b]\ntype = s3\nprovider = Ceph\nendpoint = {account.endpoint}\nregion = {account.region}\n"
                   f"access_key_id = {session['AccessKeyId']}\nsecret_access_key = {session['SecretAccessKey']}\n"
                   f"session_token = {session['SessionToken']}\n")
    return ["rclone", "mount", f"b:{BUCKET}", place.mount, "--config", config, "--cache-dir", place.tmp,
            "--vfs-cache-mode", "writes", "--vfs-write-back", "0"], without_aws()


# name: its program, how it is started, how it tells its version
PROGRAMS = {
    "xacctfs": (XACCTFS, xacctfs, ["--version"]),
    "xacctfs-posix": (XACCTFS, xacctfs_posix, ["--version"]),
    "s3fs": ("s3fs", s3fs, ["--version"]),
    "rclone": ("rclone", rclone, ["version"]),
}


def version(name):
    """None when it is not installed."""
    program, _, args = PROGRAMS[name]
    if not shutil.which(program):
        return None
    return subprocess.run([program, *args], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[0]


class Place:
    """A folder for one mount: where it is mounted, where the program keeps files."""
    def __init__(self, folder):
        self.folder, self.mount, self.tmp = folder, os.path.join(folder, "mnt"), os.path.join(folder, "tmp")
        self.log = os.path.join(folder, "log")
        os.makedirs(self.mount)
        os.mkdir(self.tmp, 0o700)


class NotMounted(Exception):
    pass


class Mount:
    """Of the bucket, by a program in the foreground. xacctfs takes the options."""
    def __init__(self, name, account, folder, options=()):
        self.place = Place(folder)
        argv, environment = PROGRAMS[name][1](account, self.place, options)
        with open(self.place.log, "wb") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**environment, "TMPDIR": self.place.tmp})
        try:
            self._await()
        except BaseException:
            self.end()
            raise

    def _is_there(self, mounts):
        os.lseek(mounts, 0, os.SEEK_SET)
        with os.fdopen(os.dup(mounts), encoding="utf-8") as lines:
            return any(line.split(" ")[4] == self.place.mount for line in lines)

    def _await(self):
        """Until the kernel tells that it is mounted, and the program has answered something that needs no request."""
        end = time.monotonic() + START_SECONDS
        mounts = os.open("/proc/self/mountinfo", os.O_RDONLY)
        try:
            changed = select.poll()
            changed.register(mounts, select.POLLPRI)
            while not self._is_there(mounts):
                if self.process.poll() is not None or time.monotonic() > end:
                    raise NotMounted(f"no mount: {self.last_words()}")
                changed.poll(200)
        finally:
            os.close(mounts)
        os.statvfs(self.place.mount)

    def last_words(self):
        with open(self.place.log, encoding="utf-8", errors="replace") as log:
            lines = log.read().splitlines()
        return lines[-1] if lines else "it says nothing"

    def used(self):
        """Seconds of the processors, and the most bytes that were resident, so far; zeros when it has ended."""
        if self.process.poll() is not None:
            return 0, 0
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as file:
            times = file.read().rpartition(")")[2].split()
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as file:
            memory = [int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM:")]
        return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK"), memory[0]

    def end(self):
        if subprocess.run(["umount", self.place.mount], stderr=subprocess.DEVNULL).returncode:
            subprocess.run(["umount", "-l", self.place.mount], stderr=subprocess.DEVNULL)
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.place.folder)
