"""Tokens of Python's `cryptography`, which FiftyOne encrypts its secrets with.

stdin:  {"key": KEY, "encrypt": [text, ...], "decrypt": [token, ...]}
stdout: {"tokens": [token, ...], "texts": [text | null, ...]} in the same order; null: it does not decrypt
"""

import json
import sys

from cryptography.fernet import Fernet, InvalidToken

request = json.load(sys.stdin)
fernet = Fernet(request["key"])


def decrypt(token):
    try:
        return fernet.decrypt(token.encode()).decode()
    except InvalidToken:
        return None


json.dump(
    {
        "tokens": [fernet.encrypt(text.encode()).decode() for text in request["encrypt"]],
        "texts": [decrypt(token) for token in request["decrypt"]],
    },
    sys.stdout,
)
