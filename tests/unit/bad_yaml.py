"""Wrong YAML of every kind, and how each is refused."""

import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Bad:
    """A text, and the problems that it has: `line: message` each, or the beginning of that."""

    text: str
    problems: tuple[str, ...]


def bad(text: str, *problems: str) -> Bad:
    return Bad(text, problems)


NINES = "9" * 4000
CUT = f"{'9' * 40}…{'9' * 20}"
LAUGHS = "a0: &a0 [x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)
ALIAS = "aliases are not supported: write the value instead of *"
ANCHOR = "anchors are not supported: remove &"
TAG = "tags are not supported: remove "
DEEP = "nested more than 20 levels deep"
UNSEEN = "cannot be seen: remove it"
NOT_YAML = "not valid YAML: "
KEY = "a key is text: write "
INTEGER = "input should be a valid integer, not "
TEXT = "input should be a valid string, not "
BOOLEAN = "input should be true or false, not "
SECTION = 'input should be a section, lines of "key: value" below its name, not '
EMPTY = "is empty: write its settings below it, or remove it"
REQUIRED = EMPTY.removesuffix(", or remove it")
DATE = "should be a date without quotes, such as 2026-11-30, not "

STRUCTURE = [
    # What expands.
    bad("airflow: &a {tasks: *a}\n", f"1: airflow: {ANCHOR}a", f"1: airflow.tasks: {ALIAS}a"),
    bad("x: &x [1]\ny: *x\n", f"1: x: {ANCHOR}x", f"2: y: {ALIAS}x"),
    bad("a: *unknown\n", f"1: a: {ALIAS}unknown"),
    bad("*a : x\n", "1: a key is text, and no list, mapping or alias"),
    bad("airflow:\n  <<: *x\n", "2: airflow.<<: merges are not supported: write the keys"),
    bad("airflow:\n  <<: [{a: 1}, *x]\n", "2: airflow.<<: merges are not supported"),
    bad(LAUGHS, f"1: a0: {ANCHOR}a0", f"2: a1: {ANCHOR}a1", f"2: a1.0: {ALIAS}a0"),
    # What nests.
    bad("{a: " * 500, f"1: {'.'.join('a' * 21)}: {DEEP}"),
    bad("[" * 100_000, f"1: {'.'.join('0' * 21)}: {DEEP}"),
    bad("? " * 1000, f"1: {'.'.join('?' * 21)}: {DEEP}"),
    bad("".join(f"{' ' * n}a:\n" for n in range(40)), f"22: {'.'.join('a' * 21)}: {DEEP}"),
    bad(f"a: [{'1,' * 20_000}]", "1: more than 10000 keys and values"),
    # What constructs.
    bad("images: !!python/object:os.system {build: true}\n",
        f"1: images: {TAG}!!python/object:os.system"),
    bad("images:\n  build: !!bool true\n", f"2: images.build: {TAG}!!bool"),
    bad("namespace: !!binary aGk=\n", f"1: namespace: {TAG}!!binary"),
    bad("images: !!set {build}\n", f"1: images: {TAG}!!set"),
    bad("images: !!omap [build: true]\n", f"1: images: {TAG}!!omap"),
    bad("images: !!str {build: true}\n", f"1: images: {TAG}!!str"),
    bad("namespace: !!str 3.10\n", f"1: namespace: {TAG}!!str"),
    bad("namespace: !own x\n", f"1: namespace: {TAG}!own"),
    bad("namespace: ! x\n", f"1: namespace: {TAG}!;"),
    bad("!!map {namespace: x}\n", f"1: {TAG}!!map"),
    bad("!!str namespace: x\n", f"1: namespace: {TAG}!!str"),
    bad("%TAG !e! tag:e,2000:\n---\nnamespace: !e!x y\n", f"3: namespace: {TAG}tag:e,2000:x"),
    # What is no single mapping with text as keys.
    bad("x\n", '1: must be a mapping, lines of "key: value"'),
    bad("- namespace: x\n", "1: must be a mapping"),
    bad("~\n", "1: must be a mapping"),
    bad("namespace: x\n---\nnamespace: y\n", "2: a second document begins; a file has one"),
    bad("---\nnamespace: x\n...\n---\n", "4: a second document begins"),
    bad("namespace: x\n...\ny\n", f"3: {NOT_YAML}something follows the end of the YAML"),
    bad("1: x\n", f'1: 1: {KEY}"1"'),
    bad("null: x\n", f'1: null: {KEY}"null"'),
    bad("~: x\n", f'1: ~: {KEY}"~"'),
    bad("yes: x\n", f'1: yes: {KEY}"yes"'),
    bad("True: x\n", f'1: True: {KEY}"True"'),
    bad("010: x\n", f'1: 010: {KEY}"010"'),
    bad("2026-99-99: x\n", f'1: 2026-99-99: {KEY}"2026-99-99"'),
    bad("airflow: {1.5: x}\n", f'1: airflow.1.5: {KEY}"1.5"'),
    bad("[a]: x\n", "1: a key is text, and no list, mapping or alias"),
    bad("? {a: b}\n: x\n", "1: a key is text, and no list, mapping or alias"),
    bad("? \n: x\n", "1: a key is missing before a colon"),
    bad("{: x}\n", f"1: {NOT_YAML}a key or a value is missing"),
    bad("'': x\n", "1: a key is missing before a colon"),
    bad("namespace: a\nlogs: {}\nnamespace: a\n", "3: namespace: the key is set twice; keep one"),
    bad("airflow: {stopped: true, stopped: true}\n", "1: airflow.stopped: the key is set twice"),
    # What cannot be seen, also as an escape.
    bad("# \0\n", f"1: U+0000 (control character) {UNSEEN}"),
    bad("namespace: \x07\n", f"1: U+0007 (control character) {UNSEEN}"),
    bad("\nname\x1b[31m: x\n", f"2: U+001B (control character) {UNSEEN}"),
    bad("namespace: a\x7f\n", f"1: U+007F (control character) {UNSEEN}"),
    bad("namespace: a\x85b: c\n", f"1: U+0085 (control character) {UNSEEN}"),
    bad("namespace: a\rb: c\n", f"1: U+000D (control character) {UNSEEN}"),
    bad("# a\u202eb\n", f"1: U+202E (right-to-left override) {UNSEEN}"),
    bad("# a\u2066b\n", f"1: U+2066 (left-to-right isolate) {UNSEEN}"),
    bad("name\u200bspace: x\n", f"1: U+200B (zero width space) {UNSEEN}"),
    bad("namespace:\u00a0x\n", f"1: U+00A0 (no-break space) {UNSEEN}"),
    bad("namespace: a\u2028b\n", f"1: U+2028 (line separator) {UNSEEN}"),
    bad("namespace: \ufeffx\n", f"1: U+FEFF (zero width no-break space) {UNSEEN}"),
    bad("namespace: a\ue000\n", f"1: U+E000 (control character) {UNSEEN}"),
    bad('namespace: "\\e[31m"\n', f"1: namespace: U+001B (control character) {UNSEEN}"),
    bad('namespace: "\\0"\n', f"1: namespace: U+0000 (control character) {UNSEEN}"),
    bad('namespace: "\\u202e"\n', f"1: namespace: U+202E (right-to-left override) {UNSEEN}"),
    bad('"a\\e": x\n', f"1: a\\x1b: U+001B (control character) {UNSEEN}"),
    bad('"a\\nb": x\n', "1: a\\nb: U+000A (control character)"),
    # What is no YAML.
    bad("a: 1\nnamespace: \"x\n\n", f"2: {NOT_YAML}a quote is opened here and not closed"),
    bad("namespace: 'x\nb: 1\n", f"1: {NOT_YAML}a quote is opened here and not closed"),
    bad("airflow:\n\tparallelism: 3\n", f"2: {NOT_YAML}a tab: indent with spaces"),
    bad("airflow:\n  a: 1\n b: 2\n", f'3: {NOT_YAML}no key with ": " after it, or indented unlike'),
    bad("airflow: 1\n  a: 2\n", f'2: {NOT_YAML}a second ": " on a line'),
    bad("namespace: a: b\n", f'1: {NOT_YAML}a second ": " on a line (quote such a text)'),
    bad("namespace: x\nword\nlogs: {}\n", f'2: {NOT_YAML}no key with ": " after it'),
    bad("namespace: - x\n", f'1: {NOT_YAML}a list begins on a line of its own: "- " below its key'),
    bad("x:\n- a\n b\n c: 1\n", f'4: {NOT_YAML}a second ": " on a line'),
    bad("x:\n  - a\n  b: 1\n", f'3: {NOT_YAML}items of a list begin with "- "'),
    bad("x: [1, 2\ny: 1\n", f"2: {NOT_YAML}a comma is missing, or the ] of a list"),
    bad("x: {a: 1\ny: 1\n", f"2: {NOT_YAML}a comma is missing, or the }} of a mapping"),
    bad("x: [\n", f"2: {NOT_YAML}a key or a value is missing, or the ] or }} of what is opened"),
    bad("x: }\n", f"1: {NOT_YAML}a value is missing, or begins with a character that needs"),
    bad("x: @y\n", f"1: {NOT_YAML}text cannot begin with @: write it in quotes"),
    bad("x: `y`\n", f"1: {NOT_YAML}text cannot begin with `: write it in quotes"),
    bad("x: %y\n", f"1: {NOT_YAML}text cannot begin with %: write it in quotes"),
    bad("x: *.example.com\n", f"1: {NOT_YAML}text cannot begin with & or *: write it in quotes"),
    bad("x: !a!b c\n", f"1: {NOT_YAML}text cannot begin with !: write it in quotes"),
    bad("x: |y\n  z\n", f"1: {NOT_YAML}after | or > the text begins on the next line"),
    bad('x: "\\q"\n', f"1: {NOT_YAML}an unknown escape after \\ in double quotes"),
    bad('x: "\\ud800"\n', f"1: {NOT_YAML}an unknown escape after \\ in double quotes"),
    bad("%x\n", f"1: {NOT_YAML}a line cannot begin with %: write text in quotes"),
    bad("x: 2026-02-30\n", f"1: x: {NOT_YAML}day is out of range for month, in 2026-02-30"),
]  # fmt: skip
"""Not to be read at all: refused alike in every file."""


def _as_name(text: str) -> str:
    """The message about a name that is no text: quotes help if it would be a name then."""
    if re.fullmatch("[a-z0-9]([a-z0-9-]*[a-z0-9])?", text):
        return f'{TEXT}{text} (write "{text}")'
    return f"should be up to 63 characters of a-z, 0-9 and -, without - at an end, not {text}"


VALUES = [
    # No number.
    *(
        bad(f"logs: {{}}\nairflow: {{parallelism: {text}}}\n",
            f"2: airflow.parallelism: {INTEGER}{shown}")
        for text, shown in {
            "010": "010 (write 8 or 10)", "007": "007 (write 7)", "08": "08 (write 8)",
            "-010": "-010", "0o17": "0o17 (write 15)", "0b11": "0b11 (write 3)",
            "1:30": "1:30 (write 90)", "12:30:00": "12:30:00",
            "1_000": "1_000 (write 1000)", "0_8": "0_8 (write 8)",
            "1e3": "1e3 (write 1000)", "7.0": "7.0 (write 7)", "1.5": "1.5",
            ".inf": ".inf", "-.INF": "-.INF", ".NaN": ".NaN", "1e999": "1e999",
            "0x" + "f" * 40: "0x" + "f" * 40,
            "yes": "yes", "true": "true", "~": "~", "null": "null",
            "2026-11-30": "2026-11-30", "2026-11-30 10:00:00": "2026-11-30 10:00:00",
            "'7'": "'7' (write 7)", "x": "'x'", "[1]": "a list", "{a: 1}": "a mapping",
        }.items()
    ),
    bad("airflow: {parallelism: }\n",
        "1: airflow.parallelism: input should be a valid integer, but is empty"),
    bad(f"airflow: {{parallelism: {NINES}}}\n",
        f"1: airflow.parallelism: input should be less than or equal to 10000, not {CUT}"),
    bad(f"airflow: {{parallelism: -{NINES[:30]}}}\n",
        f"1: airflow.parallelism: input should be greater than or equal to 1, not -{NINES[:30]}"),
    bad("airflow: {parallelism: 0x7FFF}\n",
        "1: airflow.parallelism: input should be less than or equal to 10000, not 0x7FFF"),
    # No boolean.
    *(
        bad(f"images: {{build: {text}}}\n", f"1: images.build: {BOOLEAN}{text} (write {right})")
        for right, texts in {
            "true": ("yes", "Yes", "YES", "on", "On", "ON", "y", "Y", "'true'", "'yes'"),
            "false": ("no", "No", "NO", "off", "Off", "OFF", "n", "N", "'False'"),
        }.items()
        for text in texts
    ),
    bad("images: {build: 1}\n", f"1: images.build: {BOOLEAN}1"),
    bad("images: {build: 010}\n", f"1: images.build: {BOOLEAN}010"),
    bad("images: {build: }\n", "1: images.build: input should be true or false, but is empty"),
    # No text.
    *(
        bad(f"namespace: {text}\n", f"1: namespace: {_as_name(text)}")
        for text in (
            "3.10", "1e3", "1.", ".5", "+5", "-0", "0x1F", "0o17", "010", "08", "1_000", "1:30",
            "12:30:00", "190:20:30.15", "yes", "No", "ON", "off", "y", "N", "true", "True", "FALSE",
            "~", "null", "NULL", ".inf", "-.Inf", ".nan", "2026-11-30", "2026-11-30 10:00:00",
            "2026-11-30T10:00:00Z", "12345678901234567890", "12e34567",
        )
    ),
    bad(f"namespace: {NINES}\n", f"1: namespace: {TEXT}{CUT}"),
    bad("namespace: [a]\n", f"1: namespace: {TEXT}a list"),
    bad("namespace: {a: b}\n", f"1: namespace: {TEXT}a mapping"),
    bad("namespace:\n", "1: namespace: input should be a valid string, but is empty"),
    bad(f"namespace: {'a' * 4000}\n", "1: namespace: should be up to 63"),
    bad(f"namespace: {'a' * 5000}\n", "1: namespace: should have at most 4096 characters"),
    bad('namespace: "a\\nb"\n', "1: namespace: should be up to 63"),
    # No section, list or mapping.
    bad("airflow:\n", f"1: airflow: {EMPTY}"),
    bad("airflow:\n  celery:\n", f"2: airflow.celery: {EMPTY}"),
    bad("database: # {}\n", f"1: database: {EMPTY}"),
    bad("airflow:\n  celery:\n    workers:\n      default:\n",
        f"4: airflow.celery.workers.default: {EMPTY}"),
    bad("airflow: {celery: {workers: }}\n",
        "1: airflow.celery.workers: input should be a mapping, but is empty (write {})"),
    bad("airflow: {celery: {workers: [default]}}\n",
        "1: airflow.celery.workers: input should be a mapping, not a list"),
    bad("airflow: 3\n", f"1: airflow: {SECTION}3"),
    bad("airflow: null\n", f"1: airflow: {SECTION}null"),
    bad("airflow: yes\n", f"1: airflow: {SECTION}yes"),
    bad("airflow: [parallelism]\n", f"1: airflow: {SECTION}a list"),
    bad("images:\n  imagePullSecrets:\n",
        "2: images.imagePullSecrets: input should be a valid list, but is empty (write [])"),
    bad("airflow:\n  tasks:\n    tolerations:\n    - {operator: Exists}\n    - 1\n",
        f"5: airflow.tasks.tolerations.1: {SECTION}1"),
    bad("airflow: {tasks: {tolerations: [{operator: no}]}}\n",
        "1: airflow.tasks.tolerations.0.operator: input should be 'Exists' or 'Equal', not no"),
    # Misspelled.
    bad("airflow: {'<<': 1}\n", "1: airflow.<<: unknown key; known: version"),
    bad("a" * 900 + ": 1\n", f"1: {'a' * 106}…{'a' * 54}: unknown key; known: engine"),
    bad("airflow:\n  paralellism: 3\n",
        "2: airflow.paralellism: unknown key; did you mean parallelism?"),
    # No date.
    *(
        bad(f"until: {{images.build: {text}}}\n", f"1: until.images.build: {DATE}{shown}")
        for text, shown in {
            "yes": "yes", "1:30": "1:30", "2026": "2026", "'2026-11-30'": "'2026-11-30'",
            "2026-11-30 10:00:00": "2026-11-30 10:00:00", "[2026-11-30]": "a list", "": "empty",
        }.items()
    ),
    bad("until:\n", "1: until: should be a mapping of fields to dates"),
    bad("until: yes\n", "1: until: should be a mapping of fields to dates"),
]  # fmt: skip
"""In the file of an environment."""

OPTION = "input should be a valid string, a valid integer, a valid number, true or false, not "
COMMON = [
    *(
        ("pods: {}", f"pods: {{env: {{B: {text}}}}}", f'pods.env.B: {TEXT}{text} (write "{text}")')
        for text in ("yes", "3.10", "1e3", "~", "0x1F", "2026-11-30", "010", "true")
    ),
    # Quotes would not be enough, or a number in their place would be another one.
    ("version: 3.3.2", "version: 3.3",
     "airflow.version: '3.3' is unknown; did you mean 3.3.2? known: 3.3.2, 2.11.2"),
    ("executor: KubernetesExecutor # or", "executor: yes # or",
     "airflow.executor: 'yes' is unknown; known: KubernetesExecutor, CeleryExecutor, CeleryKubernet"
     "esExecutor, LocalKubernetesExecutor, LocalExecutor, SequentialExecutor"),
    ("configuration: {}", "configuration: {core: {dags_are_paused_at_creation: yes}}",
     "airflow.configuration.core.dags_are_paused_at_creation: must be true or false, not 'yes'"),
    ("configuration: {}", "configuration: {core: {daemon_umask: 0o77}}",
     f'airflow.configuration.core.daemon_umask: {OPTION}0o77 (write "0o77")'),
]  # fmt: skip

SET = {
    "airflow.parallelism": "'airflow.parallelism' is not of the form section.key=value",
    "=1": "'=1' is not of the form section.key=value",
    "airflow..url=x": "'airflow..url=x' is not of the form section.key=value",
    ".airflow=x": "'.airflow=x' is not of the form section.key=value",
    "airflow.=x": "'airflow.=x' is not of the form section.key=value",
    "name\x1bspace=x": "'name\\x1bspace=x' is not of the form section.key=value",
    "namespace=\u202ex": "'namespace=\\u202ex' is not of the form section.key=value",
    "namespace=\udc80": "'namespace=\\udc80' is not of the form section.key=value",
    'namespace="\\e"': "namespace: U+001B (control character) cannot be seen",
    "airflow.url=": 'airflow.url: has no value: write null, or "" for an empty text',
    "airflow.stopped=true airflow.stopped=true": "airflow.stopped: is set twice; keep one",
    "logs.claim.size=1Gi logs={}": "logs: conflicts with another override: `logs` and",
    "airflow.admin.firstName='a b'": "airflow.admin.firstName: ''a' is not valid YAML: a quote is",
    "namespace=[": "namespace: '[' is not valid YAML: a key or a value is missing",
    "namespace=2026-99-99": "namespace: '2026-99-99' is not valid YAML: month must be in 1..12",
    "namespace=*a": f"namespace: {ALIAS}a",
    "namespace=&a": f"namespace: {ANCHOR}a",
    "namespace=!!str": f"namespace: {TAG}!!str",
    f"airflow={'[' * 1000}": f"airflow{'.0' * 21}: {DEEP}",
    "airflow={a::}": "airflow: '{a::}' is not valid YAML: a colon needs a space after it",
    'airflow={"<<":1}': "airflow.<<: unknown key",
    "airflow.tasks.env.B=yes": f'airflow.tasks.env.B: {TEXT}yes (write "yes")',
    "airflow.tasks.env.B=3.10": f'airflow.tasks.env.B: {TEXT}3.10 (write "3.10")',
    "airflow.parallelism=010": f"airflow.parallelism: {INTEGER}010 (write 8 or 10)",
    "airflow.stopped=on": f"airflow.stopped: {BOOLEAN}on (write true)",
    f"airflow.parallelism={NINES}": "airflow.parallelism: input should be less than or equal to",
    "airflow=null": f"airflow: {SECTION}null",
    "airflow=~": f"airflow: {SECTION}~",
    "{airflow}=1": "{airflow}: unknown key",
    f"{'a' * 9000}=1": f"{'a' * 106}…{'a' * 54}: unknown key",
}

DIGEST = f"sha256:{'1' * 64}"
_WRONG_DIGEST = "should be sha256: and 64 hexadecimal digits, not "
_IMAGES = f"bases: {{}}\nimages:\n  airflow: {{tag: abc, digest: '{DIGEST}'}}\n"

LOCK = [
    bad("", "1: bases: missing", "1: images: missing"),
    bad("bases: {}\n", "1: images: missing"),
    bad("bases: x\nimages: []\n", "1: bases: input should be a mapping, not 'x'",
        "2: images: input should be a mapping, not a list"),
    bad("bases: {}\nimages: {}\nmore: 1\n", "3: more: unknown key; known: images, bases"),
    bad("bases: {python: latest}\nimages: {}\n", f"1: bases.python: {_WRONG_DIGEST}'latest'"),
    bad("bases: {python: }\nimages: {}\n",
        "1: bases.python: input should be a valid string, but is empty"),
    bad(f"bases: {{'Not a reference': '{DIGEST}'}}\nimages: {{}}\n", "1: bases.Not a reference: "),
    *(
        bad(_IMAGES.replace(f"'{DIGEST}'", digest), f"3: images.airflow.digest: {message}")
        for digest, message in {
            "foo": f"{_WRONG_DIGEST}'foo'", "sha256:abc": f"{_WRONG_DIGEST}'sha256:abc'",
            f"'{DIGEST}0'": f"{_WRONG_DIGEST}'sha256:1", f"'{DIGEST[:-1]}A'": _WRONG_DIGEST,
            f"'{DIGEST}\n\n'": _WRONG_DIGEST, DIGEST.replace("256", "512"): _WRONG_DIGEST,
            "1": f"{_WRONG_DIGEST}1", "~": f"{_WRONG_DIGEST}~", "[x]": f"{TEXT}a list",
        }.items()
    ),
    *(
        bad(_IMAGES.replace("abc", tag), f"3: images.airflow.tag: {message}")
        for tag, message in {
            "a b": "should be up to 128 letters", "'@x'": "should be up to 128 letters",
            "''": "should be up to 128 letters", f"{'a' * 129}": "should be up to 128 letters",
            "0123456789012345": f'{TEXT}0123456789012345 (write "0123456789012345")',
            "12345678901234e5": f'{TEXT}12345678901234e5 (write "12345678901234e5")',
        }.items()
    ),
    bad("bases: {}\nimages:\n  Air_flow: 1\n", "3: images.Air_flow: ", "3: images.Air_flow: "),
    bad("bases: {}\nimages:\n  airflow: sha256:1\n", f"3: images.airflow: {SECTION}'sha256:1'"),
    bad("bases: {}\nimages:\n  airflow:\n", f"3: images.airflow: {EMPTY}"),
    bad("bases: {}\nimages: {airflow: {tag: a}}\n", "2: images.airflow.digest: missing"),
    bad("bases: {}\n<<<<<<< HEAD\nimages: {}\n=======\n",
        f"2: {NOT_YAML}a conflict of a merge in Git begins here: resolve it"),
]  # fmt: skip

STACK = [
    bad("config: x\n", f"1: config: {SECTION}'x'"),
    bad("config: [a]\n", f"1: config: {SECTION}a list"),
    bad("config: 2026-11-30\n", f"1: config: {SECTION}2026-11-30"),
    *(
        bad(f"config:\n  kubernetes:context: {text}\n", f"2: config.kubernetes:context: {message}")
        for text, message in {
            "1": f'{TEXT}1 (write "1")', "yes": f'{TEXT}yes (write "yes")',
            "010": f'{TEXT}010 (write "010")', "[a]": f"{TEXT}a list",
            "{secure: v1}": f"{TEXT}a mapping", "2026-11-30": f"{TEXT}2026-11-30 (write",
        }.items()
    ),
    bad("encryptionsalt: 5\n", f'1: encryptionsalt: {TEXT}5 (write "5")'),
]  # fmt: skip

WAIVER = """\
waivers:
- rule: image-digest
  object: StatefulSet/airflow-mysql
  reason: its registry is unavailable
  owner: ana
  expires: 2026-11-30
"""

POLICIES = [
    bad("", "1: waivers: missing"),
    bad("waivers:\n", "1: waivers: input should be a valid list, but is empty (write [])"),
    bad("waivers: {}\n", "1: waivers: input should be a valid list, not a mapping"),
    bad("waivers: [x]\n", f"1: waivers.0: {SECTION}'x'"),
    *(
        bad(WAIVER.replace("2026-11-30", text),
            f"6: waivers.0.expires: input should be a valid date, not {shown}")
        for text, shown in {
            "soon": "'soon'", "'2026-11-30'": "'2026-11-30' (write 2026-11-30)", "2026": "2026",
            "2026-11-30 10:00:00": "2026-11-30 10:00:00", "yes": "yes", "[]": "a list",
        }.items()
    ),
    bad(WAIVER.replace("2026-11-30", "2026-13-01"), f"6: waivers.0.expires: {NOT_YAML}month must"),
    bad(WAIVER.replace("ana", "yes"), f'5: waivers.0.owner: {TEXT}yes (write "yes")'),
    bad(WAIVER.replace("ana", "' '"), "5: waivers.0.owner: string should have at least 1 char"),
    bad(WAIVER.replace("its registry is unavailable", f"'{' ' * 12}'"),
        "4: waivers.0.reason: string should have at least 10 characters"),
    bad(WAIVER.replace("StatefulSet/", ""), "3: waivers.0.object: should be Kind/name"),
]  # fmt: skip

IMAGE = [
    bad("python: 3.10\n", f'1: python: {TEXT}3.10 (write "3.10")'),
    *(
        bad(f"\npython: {text}\n", "2: python: should be a Python version without its patch number"
            f', one of "3.10" to "3.14", not {shown}')
        for text, shown in {"3": "3", "3.1": "3.1", "'3.9'": "'3.9'", "3.20": "3.20"}.items()
    ),
    bad("base: no\n", "1: base: input should be 'buster', 'bookworm' or 'trixie', not no"),
    bad("systemPackages: libcairo2\n",
        "1: systemPackages: input should be a valid list, not 'libcairo2'"),
    bad("systemPackages: [yes]\n", f'1: systemPackages.0: {TEXT}yes (write "yes")'),
    bad("systemPackages:\n",
        "1: systemPackages: input should be a valid list, but is empty (write [])"),
]  # fmt: skip

BYTES: dict[bytes, str] = {
    "namespace: é\n".encode("latin-1"): "1: not UTF-8: the byte 0xe9; save the file as UTF-8",
    b"a: 1\n\n# \xff\n": "3: not UTF-8: the byte 0xff",
    "namespace: x\n".encode("utf-16"): "1: is UTF-16 or UTF-32, or no text: save it as UTF-8",
    "namespace: x\n".encode("utf-16-le"): "1: is UTF-16 or UTF-32, or no text",
    "namespace: x\n".encode("utf-16-be"): "1: is UTF-16 or UTF-32, or no text",
    "namespace: x\n".encode("utf-32"): "1: is UTF-16 or UTF-32, or no text",
    "namespace: x\n".encode("utf-8-sig"): "1: begins with a byte order mark: save it as UTF-8",
    b"a: \xed\xa0\x80\n": "1: not UTF-8: the byte 0xed",
    b"#" * (4 * 2**20 + 1): "is larger than 4 MiB",
}

PYTHON = ("True", "False", "None", "dict", "'str'", "NoneType", "Traceback", "datetime", "repr")
"""Words that no message has unless the user wrote them."""
