"""Reads the operators of this environment as FiftyOne's own registry lists them.

stdin:  anything
stdout: [uri, ...] sorted
"""

import answer

from fiftyone.operators import OperatorRegistry

answer.read_request()
answer.give(sorted(operator.uri for operator in OperatorRegistry().list_operators()))
