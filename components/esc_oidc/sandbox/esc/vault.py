"""Secrets at rest: definitions and deployment settings go out with ciphertext in place of their secrets."""

import base64
import hashlib
import json
import secrets
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final

import yaml
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ...definitions import compose
from .store import InvalidRequest

_SECRET: Final = "fn::secret"  # noqa: S105 - the function's name
CIPHERTEXT: Final = "ciphertext"
_ENVELOPE: Final = b"escx" + (1).to_bytes(4)
_SHORTEST: Final = 15
_NONCE: Final = 12


def is_ciphertext(text: object) -> bool:
    """Whether a text has the form of a ciphertext of ESC: base64 of "escx", a version, what is sealed, and its CRC-32.

    Source: eval/crypt.go of github.com/pulumi/esc v0.26.0.
    """
    try:
        sealed = base64.b64decode(text if isinstance(text, str) else "", validate=True)
    except ValueError:
        return False
    return sealed[:8] == _ENVELOPE and len(sealed) > _SHORTEST and sealed[-4:] == _checksum(sealed[:-4])


def _checksum(sealed: bytes) -> bytes:
    return zlib.crc32(sealed).to_bytes(4)


class Cipher:
    """Encrypts with a key that is made of a name alone.

    So what one sandbox wrote can be read in the next. What it encrypts is nobody's secret.
    """

    def __init__(self, name: str) -> None:
        self._name, self._cipher = name, AESGCM(hashlib.sha256(f"esc-oidc sandbox: {name}".encode()).digest())

    def encrypt(self, plaintext: bytes, nonce: bytes | None = None) -> bytes:
        """The ciphertext of a plaintext: another one each time, unless a nonce is given."""
        nonce = secrets.token_bytes(_NONCE) if nonce is None else nonce
        return nonce + self._cipher.encrypt(nonce, plaintext, None)

    def decrypt(self, ciphertext: bytes) -> bytes:
        """The plaintext of a ciphertext; InvalidRequest if another key made it."""
        try:
            return self._cipher.decrypt(ciphertext[:_NONCE], ciphertext[_NONCE:], None)
        except (InvalidTag, ValueError) as error:
            raise InvalidRequest(
                f"cannot decrypt: no sandbox encrypted this for {self._name}. Set it again."
            ) from error


class Vault:
    """Exchanges plain text for opaque text and back, the same text for the same secret."""

    def __init__(self) -> None:
        self._cipher = Cipher("environments")

    def encrypt(self, plaintext: str) -> str:
        """The opaque text for a secret, base64."""
        nonce = hashlib.sha256(plaintext.encode()).digest()[:_NONCE]
        sealed = _ENVELOPE + self._cipher.encrypt(plaintext.encode(), nonce)
        return base64.b64encode(sealed + _checksum(sealed)).decode()

    def conceal(self, definition: str) -> str:
        """A definition with ``fn::secret: {ciphertext: ...}`` for its secrets, all else as it was."""
        return _rewrite(definition, self._concealed)

    def reveal(self, definition: str) -> str:
        """A definition with the secrets that `conceal` took out; ciphertext of others stays."""
        return _rewrite(definition, self._revealed)

    def seal(self, settings: Any) -> Any:
        """Deployment settings with ``{"ciphertext": ...}`` for each ``{"secret": ...}`` in them."""
        if isinstance(settings, dict):
            if settings.keys() == {"secret"} and isinstance(settings["secret"], str):
                return {CIPHERTEXT: self.encrypt(settings["secret"])}
            return {key: self.seal(value) for key, value in settings.items()}
        if isinstance(settings, list):
            return [self.seal(value) for value in settings]
        return settings

    def _concealed(self, node: yaml.Node) -> str | None:
        return f"{{{CIPHERTEXT}: {self.encrypt(node.value)}}}" if isinstance(node, yaml.ScalarNode) else None

    def _revealed(self, node: yaml.Node) -> str | None:
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            if key.value == CIPHERTEXT and is_ciphertext(value.value):
                with suppress(InvalidRequest):
                    plaintext = self._cipher.decrypt(base64.b64decode(value.value)[8:-4])
                    return json.dumps(plaintext.decode(), ensure_ascii=False)
        return None


def _rewrite(definition: str, replacement: Callable[[yaml.Node], str | None]) -> str:
    """Replace the text of each secret, from the last to the first so that positions stay good."""
    if _SECRET not in definition:
        return definition
    try:
        root = compose(definition)
    except yaml.YAMLError:
        return definition
    for node in sorted(_secrets(root), key=lambda each: each.start_mark.index, reverse=True):
        new = replacement(node)
        if new is not None:
            begin, end = node.start_mark.index, node.end_mark.index
            # A block ends where the next token begins: the white space between is not its own.
            text = definition[begin:end]
            definition = definition[:begin] + new + text[len(text.rstrip()) :] + definition[end:]
    return definition


def _secrets(node: yaml.Node | None) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _secrets(item)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == _SECRET:
                yield value
            else:
                yield from _secrets(value)
