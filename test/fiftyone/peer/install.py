"""Builds a virtual environment with one package at a fixed place, once, whoever asks at the same time.

usage: install.py DIRECTORY VERSION [PACKAGE=fiftyone]    (prints the environment's python; progress on stderr)
"""

import fcntl
import pathlib
import platform
import shutil
import subprocess
import sys
import venv

root, version = pathlib.Path(sys.argv[1]), sys.argv[2]
package = sys.argv[3] if len(sys.argv) > 3 else "fiftyone"
size = " (1 GB, about a minute)" if package == "fiftyone" else ""
python_version = "%d.%d" % sys.version_info[:2]
target = root / f"{version}-python{python_version}-{sys.platform}-{platform.machine()}"
python = target / "bin" / "python"
# Scripts in an environment hold its path, so it cannot be built elsewhere and
# moved here: this file says that it is whole.
whole = target / "whole"


def say(line):
    print(line, file=sys.stderr, flush=True)


def usable():
    # The python is a link: the one that it leads to may be gone since.
    return whole.exists() and python.exists()


def build():
    shutil.rmtree(target, ignore_errors=True)
    say(f"installing {package} {version} for Python {python_version}{size} …")
    venv.create(target, with_pip=True)
    command = [python, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    subprocess.run([*command, f"{package}=={version}"], check=True, stdout=sys.stderr)
    whole.touch()


root.mkdir(parents=True, exist_ok=True)
with open(root / f"{target.name}.lock", "w") as lock:
    if not usable():
        fcntl.flock(lock, fcntl.LOCK_EX)
    if not usable():
        try:
            build()
        except subprocess.CalledProcessError as failure:
            sys.exit(f"{package} {version} could not be installed (pip ended with {failure.returncode})")
print(python)
