"""A check of errors: their class, and that the message names argument and value."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def raises(error: type[Exception], *mentions: object) -> Iterator[None]:
    """Check that the block raises ``error`` with a message that mentions all of ``mentions``.

    Args:
        error: the class of the error.
        mentions: texts in the message, in any order: the argument, the value, the remedy.
    """
    with pytest.raises(error) as caught:
        yield
    message = str(caught.value)
    missing = [text for text in map(str, mentions) if text not in message]
    assert not missing, f"{message!r} does not mention {missing}"
