"""The two ways in which ganbench says no. Apart from the other nouns so that the command line starts fast."""

from __future__ import annotations


class UsageError(Exception):
    """A user's mistake, told in one sentence: what, where, what is allowed. The command line exits with 2."""


class WorkError(Exception):
    """Work that could not be done, told in one sentence. The command line exits with 1."""


def first_line(error: BaseException, most: int = 200) -> str:
    """What somebody else's error says, in a line; its kind where it says nothing.

    >>> first_line(ValueError("no such thing\\nfor these reasons")), first_line(KeyError())
    ('no such thing', 'KeyError')
    """
    return str(error).partition("\n")[0][:most] or type(error).__name__
