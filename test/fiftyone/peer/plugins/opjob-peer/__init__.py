"""One delegated operator that ends as its parameters say.

params: msg (returned), sleep (seconds, in four steps with progress), fail (raises), die (SIGKILL, half way).
"""

import os
import signal
import time

import fiftyone.operators as foo
import fiftyone.operators.types as types

STEPS = 4


class Echo(foo.Operator):
    @property
    def config(self):
        return foo.OperatorConfig(
            name="echo",
            label="Echo",
            allow_immediate_execution=True,
            allow_delegated_execution=True,
            default_choice_to_delegated=True,
        )

    def resolve_input(self, ctx):
        inputs = types.Object()
        inputs.str("msg", default="hello", label="Message")
        inputs.float("sleep", default=0, label="Seconds to run")
        inputs.bool("fail", default=False, label="Fail")
        inputs.bool("die", default=False, label="Kill the worker")
        return types.Property(inputs)

    def execute(self, ctx):
        seconds = float(ctx.params.get("sleep") or 0)
        for step in range(1, STEPS + 1):
            ctx.set_progress(progress=step / STEPS, label=f"step {step}/{STEPS}")
            time.sleep(seconds / STEPS)
            if ctx.params.get("die") and step == STEPS // 2:
                # As the kernel's out-of-memory killer does it: of a monitored
                # worker it hits the child that runs the operator.
                os.kill(os.getpid(), signal.SIGKILL)
        if ctx.params.get("fail"):
            raise ValueError(f"told to fail: {ctx.params.get('msg')}")
        return {"msg": ctx.params.get("msg"), "num_samples": len(ctx.dataset)}


def register(plugin):
    plugin.register(Echo)
