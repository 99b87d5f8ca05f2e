"""Loads YAML with the real PyYAML: a JSON line {text} in, a line {base, safe} out, each {value} or {error}.

base: all scalars as they are written. safe: as the safe loader resolves them; what JSON cannot hold becomes {"$": its type}.
"""

import json
import math
import sys

import yaml


def plain(value):
    if isinstance(value, dict):
        return {plain_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"$": "float"}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return {"$": type(value).__name__}


def plain_key(key):
    return key if isinstance(key, str) else json.dumps(plain(key))


def load(text, loader):
    try:
        return {"value": plain(yaml.load(text, Loader=loader))}
    except Exception as error:
        return {"error": type(error).__name__}


for line in sys.stdin:
    text = json.loads(line)["text"]
    print(json.dumps({"base": load(text, yaml.BaseLoader), "safe": load(text, yaml.SafeLoader)}), flush=True)
