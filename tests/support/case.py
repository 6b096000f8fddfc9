"""case.py: what the Python scripts in mount cases stand on (python of case.sh); they begin with `from case import *`."""
import errno
import multiprocessing
import os
import subprocess


def _serve(pipe):
    while True:
        try:
            args, cwd = pipe.recv()
        except EOFError:
            os._exit(0)
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", *args], cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        pipe.send((done.returncode, done.stdout))


# The shells are begun by a process that has none of the script's files: another one would close its copies of them, and so save them.
_shells, _server = multiprocessing.Pipe()
if os.fork() == 0:
    _shells.close()
    _serve(_server)
_server.close()


def sh(line, *args):
    """The output of a line of shell, which has $1... and, of case.sh, other, fault and uploads."""
    _shells.send(((line, "sh", *args), os.getcwd()))
    status, output = _shells.recv()
    assert status == 0, f"{line} {args}: status {status}"
    return output


def refused(code, fn, *args, **kwargs):
    """fn(*args) fails with this errno."""
    try:
        fn(*args, **kwargs)
    except OSError as e:
        assert e.errno == code, f"{fn.__name__}{args}: {e}, not {errno.errorcode[code]}"
    else:
        raise AssertionError(f"{fn.__name__}{args} succeeded")


def write_all(fd, data):
    """Like os.write, until all is written."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view):]
