"""Builds a virtual environment with the reference's packages at a fixed place, once, whoever asks at the same time.

usage: install.py DIRECTORY REQUIREMENT...    (prints the environment's python; progress on stderr)
"""

import fcntl
import hashlib
import pathlib
import shutil
import subprocess
import sys
import venv

root, requirements = pathlib.Path(sys.argv[1]), sys.argv[2:]
digest = hashlib.sha256(" ".join([sys.version, *requirements]).encode()).hexdigest()[:12]
target = root / digest
python = target / "bin" / "python"
# Scripts in an environment hold its path, so it cannot be built elsewhere and moved here: this file says that it is whole.
whole = target / "whole"


def build():
    shutil.rmtree(target, ignore_errors=True)
    print(f"installing {', '.join(requirements)} …", file=sys.stderr, flush=True)
    venv.create(target, with_pip=True)
    command = [python, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    subprocess.run([*command, *requirements], check=True, stdout=sys.stderr)
    whole.touch()


root.mkdir(parents=True, exist_ok=True)
with open(root / f"{digest}.lock", "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    # The python is a link: the one that it leads to may be gone since.
    if not (whole.exists() and python.exists()):
        build()
print(python)
