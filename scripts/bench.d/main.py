"""main.py: runs the scenes and prints the table; scripts/bench calls it and says what the options are."""
import argparse
import json
import multiprocessing
import os
import re
import signal
import statistics
import sys
import time

SCENE_SECONDS, SAVE_SECONDS = 600, 60
COLUMNS = ["seconds", "saved", "requests", "sent", "fetched", "cpu", "memory"]


def timed(stage, act):
    """When it began, seconds, and what went wrong or None; in a process that ends after SCENE_SECONDS."""
    def child():
        os.setsid()
        error, now, began = None, time.time(), time.perf_counter()
        try:
            act(stage)
        except Exception as e:
            error = str(e)
        pipe.send((now, time.perf_counter() - began, error))
    result, pipe = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    pipe.close()
    answered = result.poll(SCENE_SECONDS)
    try:
        return result.recv() if answered else (0, SCENE_SECONDS, f"no end after {SCENE_SECONDS} s")
    except EOFError:
        return 0, 0, "it ended without a word"
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.join()


class Bench:
    """The accounts and what is in them. xacctfs is mounted with the options."""
    def __init__(self, folder, options):
        from account import Account
        from scenes import Originals
        self.folder, self.options, self.runs = folder, options, 0
        self.account = Account()
        self.originals = Originals(self.account, os.path.join(folder, "originals"))

    def run(self, scene, name):
        """One run: a dict of COLUMNS, kinds, error."""
        from programs import Mount, NotMounted
        from scenes import Stage
        self.runs += 1
        stage = Stage(self.account, self.originals, f"run-{self.runs}")
        if scene.prepare:
            scene.prepare(stage)
        try:
            mount = Mount(name, self.account, os.path.join(self.folder, f"mount-{self.runs}"),
                          self.options + ["attrs=posix"] * scene.posix)
        except NotMounted as e:
            return {"error": str(e)}
        try:
            stage.mount = mount.place.mount
            mark = self.account.mark()
            began, seconds, error = timed(stage, scene.act)
            if not error and scene.check:
                error = looked_at(scene, stage)
            cpu, memory = mount.used()
        finally:
            mount.end()
        kinds, sent, fetched, written = self.account.counted(mark)
        self.account.remove(f"{stage.own}/")
        return {"seconds": seconds, "saved": max(seconds, written - began) if scene.check else seconds,
                "requests": sum(kinds.values()), "sent": sent, "fetched": fetched, "cpu": cpu, "memory": memory,
                "kinds": kinds, "error": error}


def looked_at(scene, stage):
    """What another client sees is right in the end; else what is wrong."""
    end = time.monotonic() + SAVE_SECONDS
    while True:
        try:
            scene.check(stage)
            return None
        except Exception as e:
            if time.monotonic() > end:
                return f"at the server: {e}"
        time.sleep(0.2)


# --- the table ---

def size(n):
    for unit in ["B", "KiB", "MiB"]:
        if n < 1000:
            break
        n /= 1024
    else:
        unit = "GiB"
    return f"{n:.0f} {unit}" if unit == "B" or n >= 100 else f"{n:.1f} {unit}"


def row(words, name, cells):
    print(f"{words:<27} {name:<14}" + cells, flush=True)


def head(delay):
    print(f"\n{f'with {delay} ms more for each request' if delay else 'as it is'}")
    row("", "", "".join(f"{column:>10}" for column in COLUMNS))


def medians(runs):
    return {column: statistics.median(run[column] for run in runs) for column in COLUMNS}


def figures(middle):
    texts = [f"{middle['seconds']:.2f}", f"{middle['saved']:.2f}", f"{middle['requests']:.0f}",
             size(middle["sent"]), size(middle["fetched"]), f"{middle['cpu']:.2f}", size(middle["memory"])]
    return "".join(f"{text:>10}" for text in texts)


def cells(runs):
    errors = [run["error"] for run in runs if run["error"]]
    return f"  FAILED: {errors[0]}" if errors else figures(medians(runs))


def measure(args, scenes, names):
    bench, results = Bench(args.folder, [args.options] if args.options else []), []
    for delay in args.delay.split(","):
        bench.account.set_delay(int(delay))
        head(int(delay))
        for scene in scenes:
            for name in names:
                runs = [bench.run(scene, name) for _ in range(args.repeat)]
                row(scene.words if name == names[0] else "", name, cells(runs))
                results.append({"scene": scene.name, "program": name, "delay_ms": int(delay), "runs": runs})
    return results


def installed(names):
    from programs import version
    versions = {name: version(name) for name in names}
    for name, text in versions.items():
        print(f"{name}: {text}" if text else f"skipped: {name} is not installed")
    return {name: text for name, text in versions.items() if text}


def chosen(only):
    from scenes import SCENES
    try:
        scenes = [scene for scene in SCENES if re.search(only, scene.name)]
    except re.error as e:
        bad_usage(f"--only '{only}': {e}")
    return scenes or bad_usage(f"--only '{only}' matches no scene")


def bad_usage(text):
    print(f"bench: {text}", file=sys.stderr)
    sys.exit(2)


def main():
    parser = argparse.ArgumentParser()
    for option in ["--folder", "--only", "--with", "--options", "--delay", "--json"]:
        parser.add_argument(option)
    parser.add_argument("--repeat", type=int)
    args = parser.parse_args()
    scenes = chosen(args.only)
    if not args.folder:
        for scene in scenes:
            print(f"{scene.name:<14}{scene.words}")
        return 0
    versions = installed(getattr(args, "with").split(","))
    load = os.getloadavg()
    print(f"{os.cpu_count()} processors, load {load[0]:.1f}" + (f", medians of {args.repeat} runs" if args.repeat > 1 else "") +
          (f", xacctfs with -o {args.options}" if args.options else ""))
    results = measure(args, scenes, list(versions))
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({"time": int(time.time()), "load": load, "versions": versions, "options": args.options, "results": results},
                      file, indent=1)
            file.write("\n")
    return 1 if any(run["error"] for result in results for run in result["runs"]) else 0


sys.exit(main())
