"""Renders templates with the real Jinja2: one JSON line {template, context, options} in, one line {output} or {error} out."""

import json
import signal
import sys

import jinja2


def render(job):
    options = job.get("options") or {}
    environment = jinja2.Environment(
        trim_blocks=options.get("trimBlocks", False),
        lstrip_blocks=options.get("lstripBlocks", False),
        keep_trailing_newline=options.get("keepTrailingNewline", False),
    )
    return environment.from_string(job["template"]).render(job.get("context") or {})


def too_slow(_signal, _frame):
    raise TimeoutError("the template took too long")


signal.signal(signal.SIGALRM, too_slow)
for line in sys.stdin:
    signal.alarm(3)
    try:
        answer = {"output": render(json.loads(line))}
    except Exception as error:  # whatever the reference throws is an answer
        answer = {"error": f"{type(error).__name__}: {error}"}
    finally:
        signal.alarm(0)
    print(json.dumps(answer), flush=True)
