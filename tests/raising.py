"""What a test asks of an error: its class, and that it names the argument and the value."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def raises(error: type[Exception], *mentions: object) -> Iterator[None]:
    """Passes where the code inside raises ``error`` with a message that mentions all of these.

    The message must be one line, since it is shown as it is on the command line.

    Args:
        error: the class of the error.
        mentions: what the message names, in any order: the argument, the value, the remedy's name.
    """
    with pytest.raises(error) as caught:
        yield
    message = str(caught.value)
    missing = [text for text in map(str, mentions) if text not in message]
    assert not missing, f"{message!r} does not mention {missing}"
