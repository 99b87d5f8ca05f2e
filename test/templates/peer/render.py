"""Renders templates with the real Jinja2: a JSON line {template, context, options} in, a line {output} or {error, line} out."""

import json
import resource
import signal
import sys
import traceback
import warnings

import jinja2

warnings.simplefilter("ignore")


def render(job):
    options = job.get("options") or {}
    environment = jinja2.Environment(
        trim_blocks=options.get("trimBlocks", False),
        lstrip_blocks=options.get("lstripBlocks", False),
        keep_trailing_newline=options.get("keepTrailingNewline", False),
    )
    return environment.from_string(job["template"]).render(job.get("context") or {})


def line_of(error):
    if isinstance(error, jinja2.TemplateSyntaxError):
        return error.lineno
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in ("<template>", "<unknown>")]
    return frames[-1].lineno if frames else None


# What hangs in one step of the interpreter cannot be interrupted: the process ends, and the caller goes on without an answer.
signal.signal(signal.SIGALRM, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
for line in sys.stdin:
    signal.alarm(5)
    try:
        answer = {"output": render(json.loads(line))}
    except BaseException as error:  # whatever the reference throws is an answer
        answer = {"error": f"{type(error).__name__}: {error}", "line": line_of(error)}
    signal.alarm(0)
    print(json.dumps(answer), flush=True)
