"""Read configs that mmengine dumped, without running them.

``Config.fromfile`` executes a ``.py`` file. A dumped config of somebody else's
run is data, so it is read by a small parser that knows assignments of
literals and ``dict(...)``, and nothing else of Python.
"""

import ast
import io
import tokenize
from typing import Any

# mmengine's own dumps nest about ten levels.
MAX_DEPTH = 50
_CONSTANTS = {'None': None, 'True': True, 'False': False}
_SKIPPED = (tokenize.COMMENT, tokenize.NL)
_CLOSING = {'(': ')', '[': ']', '{': '}'}


def parse_config(text: str) -> dict[str, Any]:
    """Return the variables of a config file that holds data only.

    Not ``ast.parse``, which crashes the interpreter of Python 3.10 on deeply
    nested expressions.

    Args:
        text: Lines ``name = value``. A value is a number, a string,
            ``None``, ``True``, ``False``, a list, tuple, set or dict of
            values, or a call of ``dict``, ``list``, ``tuple`` or ``set``.

    Raises:
        ValueError: If there is anything else; names line and word.
    """
    try:
        tokens = [
            token
            for token in tokenize.generate_tokens(io.StringIO(text).readline)
            if token.type not in _SKIPPED
        ]
    except (tokenize.TokenError, SyntaxError) as error:
        raise ValueError(f'the file is incomplete: {error}') from None
    return _Parser(tokens).parse_file()


class _Parser:
    """Recursive-descent parser over the tokens of a file."""

    def __init__(self, tokens: list[tokenize.TokenInfo]) -> None:
        self._tokens = tokens
        self._position = 0
        self._depth = 0

    def parse_file(self) -> dict[str, Any]:
        found = {}
        while self._token.type != tokenize.ENDMARKER:
            if self._token.type == tokenize.STRING:  # a docstring
                self._parse_value()
            elif self._token.type != tokenize.NEWLINE:
                name = self._take_name()
                self._expect('=')
                found[name] = self._parse_value()
            if self._token.type != tokenize.NEWLINE:
                self._raise_unsupported()
            self._position += 1
        return found

    @property
    def _token(self) -> tokenize.TokenInfo:
        return self._tokens[self._position]

    def _parse_value(self) -> Any:  # noqa: ANN401
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ValueError(
                f'line {self._token.start[0]}: values are nested deeper than '
                f'{MAX_DEPTH} levels'
            )
        kind, word = self._token.type, self._token.string
        if kind == tokenize.NUMBER or word == '-':
            value: Any = self._parse_number()
        elif kind == tokenize.STRING:
            value = self._parse_string()
        elif word in _CONSTANTS:
            self._position += 1
            value = _CONSTANTS[word]
        elif word == 'dict':
            value = self._parse_dict_call()
        elif word in ('list', 'tuple', 'set'):
            value = self._parse_sequence_call()
        elif word == '{':
            value = self._parse_braces()
        elif word in ('[', '('):
            value = self._parse_sequence()
        else:
            self._raise_unsupported()
        self._depth -= 1
        return value

    def _parse_number(self) -> complex:
        minus = self._accept('-')
        if self._token.type != tokenize.NUMBER:
            self._raise_unsupported()
        value = self._evaluate()
        return -value if minus else value

    def _parse_string(self) -> str | bytes:
        value = self._evaluate()
        while self._token.type == tokenize.STRING:  # 'a' 'b' is one string
            more = self._evaluate()
            if type(more) is not type(value):
                self._raise_unsupported()
            value += more
        return value

    def _evaluate(self) -> Any:  # noqa: ANN401
        """Return the value of one number or string token."""
        token = self._token
        try:
            value = ast.literal_eval(token.string)
        except (SyntaxError, ValueError):  # f-strings, 5,000 digits
            self._raise_unsupported()
        self._position += 1
        return value

    def _parse_dict_call(self) -> dict:
        self._position += 1
        self._expect('(')
        found: dict = {}
        while not self._accept(')'):
            if self._token.string == '{':  # dict({'.bias': 0})
                more = self._parse_braces()
                found |= self._build(dict, more)
                self._expect_end_of_item(')')
                continue
            name = self._take_name()
            self._expect('=')
            found[name] = self._parse_value()
            self._expect_end_of_item(')')
        return found

    def _parse_sequence_call(self) -> list | tuple | set:
        make = {'list': list, 'tuple': tuple, 'set': set}[self._token.string]
        self._position += 1
        self._expect('(')
        if self._accept(')'):
            return make()
        items = self._parse_value()
        if not isinstance(items, (list, tuple, set)):
            self._raise_unsupported()
        self._expect(')')
        return self._build(make, items)

    def _parse_sequence(self) -> Any:  # noqa: ANN401
        """Return a list, a tuple, or the value in a pair of parentheses."""
        opening = self._token.string
        self._position += 1
        items, commas = [], 0
        while not self._accept(_CLOSING[opening]):
            items.append(self._parse_value())
            commas += self._expect_end_of_item(_CLOSING[opening])
        if opening == '[':
            return items
        return items[0] if items and not commas else tuple(items)

    def _parse_braces(self) -> dict | set:
        self._position += 1
        keys: list = []
        values: list = []
        while not self._accept('}'):
            keys.append(self._parse_value())
            if len(keys) == 1 or values:
                if self._accept(':'):
                    values.append(self._parse_value())
                elif values:
                    self._raise_unsupported()
            self._expect_end_of_item('}')
        if keys and not values:
            return self._build(set, keys)
        return self._build(dict, zip(keys, values, strict=True))

    def _build(self, make: type, items: Any) -> Any:  # noqa: ANN401
        try:
            return make(items)
        except (TypeError, ValueError):  # a list as a key, dict({1})
            self._raise_unsupported()

    def _take_name(self) -> str:
        if self._token.type != tokenize.NAME:
            self._raise_unsupported()
        self._position += 1
        return self._tokens[self._position - 1].string

    def _accept(self, word: str) -> bool:
        found = self._token.type == tokenize.OP and self._token.string == word
        self._position += found
        return found

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            self._raise_unsupported()

    def _expect_end_of_item(self, closing: str) -> bool:
        """Return whether a comma follows; else the closing word must."""
        comma = self._accept(',')
        if not comma and self._token.string != closing:
            self._raise_unsupported()
        return comma

    def _raise_unsupported(self) -> None:
        word = self._token.string.strip() or 'the end of the line'
        raise ValueError(
            f'line {self._token.start[0]}: found {word!r:.60}; only literals, '
            f'dict(), list(), tuple() and set() are read, and nothing is '
            f'executed'
        )
