"""Reads operations as FiftyOne's own service does: what a user of the SDK or the App is shown.

stdin:  [id, ...]
stdout: [{...} | null, ...] in the same order; null for one that does not exist
"""

import answer
from bson import ObjectId

from fiftyone.operators.delegated import DelegatedOperationService

TIMES = ("queued_at", "scheduled_at", "started_at", "updated_at", "completed_at", "failed_at")


def show(service, operation_id):
    try:
        operation = service.get(ObjectId(operation_id))
    except ValueError:
        return None
    status, result = operation.status, operation.result
    times = {name: getattr(operation, name) for name in TIMES}
    return {
        "id": str(operation.id),
        "operator": operation.operator,
        "label": operation.label,
        "target": operation.delegation_target,
        "state": operation.run_state,
        "runLink": operation.run_link,
        "progress": status.progress if status else None,
        "progressLabel": status.label if status else None,
        "result": result.result if result else None,
        "error": result.error if result else None,
        "times": {name: time.isoformat() + "Z" for name, time in times.items() if time},
    }


service = DelegatedOperationService()
answer.give([show(service, operation_id) for operation_id in answer.read_request()])
