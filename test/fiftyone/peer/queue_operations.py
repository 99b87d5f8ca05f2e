"""Queues operations as the App does: FiftyOne resolves the operator and writes the document.

stdin:  [{"target": str | null, "params": {...}, "operator": URI?, "dataset": NAME?}, ...]
stdout: [id, ...] in the same order
"""

import sys

import answer

import fiftyone as fo
import fiftyone.operators as foo

OPERATOR = "@opjob/peer/echo"
DATASET = "opjob-peer"


def dataset_named(name):
    if fo.dataset_exists(name):
        return fo.load_dataset(name)
    # The last FiftyOne process to leave a database deletes every dataset that
    # is not persistent, and with it the operations that were queued for it.
    dataset = fo.Dataset(name, persistent=True)
    dataset.add_samples([fo.Sample(filepath=f"/no/such/{i}.png") for i in range(3)])
    return dataset


def queue(spec):
    result = foo.execute_operator(
        spec.get("operator", OPERATOR),
        dataset=dataset_named(spec.get("dataset", DATASET)),
        params=spec.get("params", {}),
        request_delegation=True,
        delegation_target=spec.get("target"),
    )
    if result.error:
        sys.exit(result.error)
    return str(result.result["id"])


answer.give([queue(spec) for spec in answer.read_request()])
