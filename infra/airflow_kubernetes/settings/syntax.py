"""Messages of the YAML parser (libyaml) in words that say what to write."""

import yaml

_QUOTE = "a quote is opened here and not closed"
_KEY = 'no key with ": " after it, or indented unlike the keys around it'
_COLON = 'a second ": " on a line (quote such a text), or indented unlike the keys around it'
_MARK = 'text cannot begin with & or *: write it in quotes, "*.example.com"'
_ESCAPE = "an unknown escape after \\ in double quotes: use single quotes, or write \\\\"
_TAG = "text cannot begin with !: write it in quotes"
_PERCENT = "a line cannot begin with %: write text in quotes"

_WORDS = {
    ("while scanning a quoted scalar", "found unexpected end of stream"): _QUOTE,
    ("while scanning a quoted scalar", "found unexpected document indicator"): _QUOTE,
    ("", "mapping values are not allowed in this context"): _COLON,
    ("while scanning a simple key", "could not find expected ':'"): _KEY,
    ("while parsing a block mapping", "did not find expected key"): _KEY,
    ("while parsing a block collection", "did not find expected '-' indicator"):
        'items of a list begin with "- ", all indented alike',
    ("", "block sequence entries are not allowed in this context"):
        'a list begins on a line of its own: "- " below its key',
    ("while parsing a flow sequence", "did not find expected ',' or ']'"):
        "a comma is missing, or the ] of a list",
    ("while parsing a flow mapping", "did not find expected ',' or '}'"):
        "a comma is missing, or the } of a mapping",
    ("while parsing a flow node", "did not find expected node content"):
        "a key or a value is missing, or the ] or } of what is opened before",
    ("while parsing a block node", "did not find expected node content"):
        "a value is missing, or begins with a character that needs quotes",
    ("while scanning an alias", "did not find expected alphabetic or numeric character"): _MARK,
    ("while scanning an anchor", "did not find expected alphabetic or numeric character"): _MARK,
    ("while parsing a quoted scalar", "found unknown escape character"): _ESCAPE,
    ("while parsing a quoted scalar", "did not find expected hexdecimal number"): _ESCAPE,
    ("while parsing a quoted scalar", "found invalid Unicode character escape code"): _ESCAPE,
    ("while parsing a node", "found undefined tag handle"): _TAG,
    ("while scanning a plain scalar", "found unexpected ':'"):
        "a colon needs a space after it, or the text quotes",
    ("while scanning a block scalar", "did not find expected comment or line break"):
        "after | or > the text begins on the next line",
    ("", "did not find expected <document start>"): "something follows the end of the YAML",
    ("", "found incompatible YAML document"): _PERCENT,
}  # fmt: skip


def explained(error: yaml.MarkedYAMLError, lines: list[str]) -> tuple[int, str]:
    """Line from 1 and message of a syntax error in a text of these lines."""
    for number, line in enumerate(lines, 1):
        if line.startswith("<<<<<<< "):
            return number, "a conflict of a merge in Git begins here: resolve it"
    context, problem = error.context or "", error.problem or ""
    mark, begins = error.problem_mark or error.context_mark, error.context_mark
    words = _WORDS.get((context, problem))
    if words in (_QUOTE, _KEY) and begins and context.startswith("while scanning"):
        mark = begins
    if problem == "found character that cannot start any token" and mark:
        char = lines[mark.line][mark.column : mark.column + 1]
        words = (
            "a tab: indent with spaces"
            if char == "\t"
            else f"text cannot begin with {char}: write it in quotes"
        )
    elif words is None and context.startswith("while scanning a tag"):
        words = _TAG
    elif words is None and context.startswith("while scanning a directive"):
        words = _PERCENT
    return mark.line + 1 if mark else 0, words or " ".join(filter(None, (context, problem)))
