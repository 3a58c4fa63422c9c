"""Seeded random snippets of the template language, each with what Python makes of it.

python3 snippets.py SEED COUNT OUT.json
"""

import json
import random
import re
import signal
import sys

import reference

VALUES = {
    "s": "Hello, World",
    "t": "  a-b_c\n\tDé ﬁ ß 😀 x ",
    "e": "",
    "m": "one\ntwo\r\n\nthree\u2028four",
    "num": "42",
    "n": 7,
    "neg": -3,
    "z": 0,
    "big": 123456789012345678901234567890,
    "f": 2.5,
    "tiny": 1e-7,
    "yes": True,
    "no": False,
    "nil": None,
    "l": [3, 1, 2, 1],
    "ls": ["b", "A", "c", "a"],
    "mixed": [1, "x", None, 2.5, True, [1], {"k": 1}],
    "empty": [],
    "nest": [[1, 2], [3], []],
    "d": {"b": 1, "a": [1, {"x": "y"}], "c": None, "items": "I", "Z": "z"},
    "d0": {},
    "ms": [
        {"role": "user", "content": "Hi <b>", "n": 1},
        {"role": "assistant", "content": None, "n": 2, "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]},
        {"role": "User", "content": [{"type": "text", "text": "part"}], "n": 3},
    ],
}

ATOMS = list(VALUES) + [
    "undef", "1", "0", "-1", "2", "10", "1.5", "0.1", "1e3", "1_000", "'a'", "'b'", '"q\\"\\n"', "'x' 'y'", "''",
    "' '", "'é\\u00e9\\x41'", "'%s-%s'", "'{}:{}'", "'a,b,,c'", "true", "false", "none", "[]", "[1, 'a']", "[[1, 'b'], [2, 'a']]",
    "{}", "{'k': 1, 'j': [2]}", "(1, 2)", "('a',)", "()", "range(3)", "range(5, 1, -2)", "d.a", "d['b']", "d.zz", "ms[0]", "ms[-1].role",
    "d.items()", "d.keys()", "d.values()", "l[1:]", "s[::2]", "namespace(a=1)", "dict(a=1, b=2)", "'<x>'|safe", "ms|map(attribute='n')",
]
BINARY = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or", "**"]
FILTERS = [
    "abs", "attr('role')", "attr('upper')", "batch(2)|list", "batch(2, 'x')|list", "capitalize", "center(9)", "count", "default('D')", "default('D', true)",
    "d(1)", "dictsort", "dictsort(true)", "dictsort(by='value')", "dictsort(reverse=true)", "escape", "e", "first", "float", "float(1.5)",
    "format(1, 2)", "format('a')", "forceescape", "groupby('role')", "groupby('n')|list", "indent", "indent(2)", "indent(2, true)", "indent(1, blank=true)",
    "indent('> ')", "int", "int(9)", "int(0, 16)", "items|list", "items", "join", "join(', ')", "join('-', attribute='role')", "last", "length", "list",
    "lower", "map('upper')|list", "map(attribute='role')|list", "map(attribute='zz', default='-')|list", "map('int')|list", "map('length')|list",
    "max", "min", "max(attribute='n')", "reject('none')|list", "reject|list", "rejectattr('content')|list", "replace('a', 'Z')", "replace('l', 'L', 1)",
    "replace('', '.')", "reverse", "reverse|list", "round", "round(1)", "round(2, 'floor')", "round(0, 'ceil')", "round(-1)", "safe", "select('string')|list",
    "select|list", "select('gt', 1)|list", "selectattr('n', 'gt', 1)|list", "selectattr('content')|list", "selectattr('tool_calls', 'defined')|list", "slice(2)|list",
    "slice(3, 'f')|list", "sort", "sort(reverse=true)", "sort(case_sensitive=true)", "sort(attribute='n')", "sort(attribute='role,n')", "string", "sum",
    "sum(attribute='n')", "sum(start=[])", "title", "tojson", "tojson(indent=2)", "tojson(indent='\\t')", "tojson(ensure_ascii=true)", "tojson(sort_keys=true)",
    "tojson(separators=(',', ':'))", "tojson(indent=0)", "trim", "trim('a ')", "trim(' ')", "truncate(8)", "truncate(5, true, '')", "truncate(3, leeway=0)",
    "unique|list", "unique(case_sensitive=true)|list", "upper", "urlencode", "wordcount", "nosuch", "upper(1)", "join(sep='x')", "length()", "string|length",
    "map('nosuch')|list", "select('nosuch')|list", "map|list", "selectattr|list", "map('default', 'x')|list", "map('replace', 'b', 'z')|list", "trim|upper|lower",
]
TESTS = [
    "boolean", "callable", "defined", "divisibleby 2", "divisibleby(3)", "eq 1", "equalto('a')", "escaped", "even", "false", "filter", "float", "ge(1)", "gt 1",
    "in [1, 'a']", "in(s)", "in s", "integer", "iterable", "le 1", "lower", "lt(2)", "mapping", "ne 1", "none", "number", "odd", "sameas none", "sameas(1)", "sequence",
    "string", "test", "true", "undefined", "upper", "nosuch", "== 1", "greaterthan 0", "defined(1)",
]
METHODS = [
    "upper()", "lower()", "title()", "capitalize()", "swapcase()", "casefold()", "strip()", "strip('a ')", "lstrip()", "rstrip('\\n ')", "strip(none)", "strip(1)",
    "split()", "split(',')", "split(',', 1)", "split(none, 1)", "split(maxsplit=1)", "split(sep=' ')", "split('')", "rsplit()", "rsplit(',', 1)", "rsplit(none, 2)",
    "rsplit(' ')", "splitlines()", "splitlines(true)", "startswith('a')", "startswith(('H', ' '))", "startswith('l', 2)", "startswith('l', 2, 3)", "endswith('d')",
    "endswith(['d'])", "replace('l', 'L')", "replace('l', 'L', 1)", "replace('', '-')", "replace('', '-', 2)", "replace('a')", "find('o')", "find('o', 5)",
    "find('o', 5, 7)", "find('')", "rfind('l')", "index('o')", "index('q')", "rindex('o')", "count('l')", "count('')", "count('o', 5)", "join(ls)", "join(l)", "join('xyz')",
    "format(1, 'a')", "format(x=1)", "zfill(5)", "ljust(14)", "ljust(14, '.')", "rjust(14)", "center(15)", "center(14, '*')", "expandtabs()", "expandtabs(4)",
    "partition(',')", "rpartition(' ')", "partition('')", "removeprefix('Hel')", "removesuffix('ld')", "isdigit()", "isdecimal()", "isnumeric()", "isalpha()",
    "isalnum()", "isspace()", "isupper()", "islower()", "istitle()", "isidentifier()", "isprintable()", "isascii()", "upper(1)", "strip(x=1)", "nosuch()", "__class__",
    "items()", "items()|list", "keys()", "keys()|list", "values()|list", "get('b')", "get('zz')", "get('zz', 5)", "get()", "get('b', default=1)", "copy()", "index(1)", "count(1)",
    "index(99)", "append(1)", "pop()", "update({})", "real", "imag", "bit_length()", "is_integer()", "role", "0", "1", "b", "a.0", "a[1].x", "items", "keys", "role.upper()",
]
SUBSCRIPTS = ["[0]", "[-1]", "[99]", "['b']", "['role']", "['zz']", "[1:]", "[:-1]", "[::-1]", "[::2]", "[1:3]", "[-2:]", "[5:2]", "[::0]", "[none:2]", "[1:none:1]", "[true]", "[1.0]", "['a', 1]", "[undef]", "[nil]"]
FORMATS = ["%s", "%d", "%5d", "%-5d|", "%05d", "%+d", "% d", "%x", "%X", "%#x", "%o", "%e", "%.2e", "%f", "%.1f", "%8.3f", "%g", "%.3g", "%r", "%.2s", "%5s", "%-5s|", "%c", "%%", "%i", "%5.1f%%", "%*d", "%q", "%", "%G", "%E"]
SPECS = ["", ":5", ":<5", ":>5", ":^5", ":*^6", ":05", ":+", ": ", ":,", ":_", ":.2f", ":8.2f", ":e", ":g", ":.3g", ":%", ":.1%", ":x", ":#x", ":b", ":d", ":s", ":.2", "!r", "!s", "!r:>8", ":c", ":n", ":08.2f", ":=5", ":+.1e", ":,.2f", ":<08", ":o", ":X"]
SCALARS = ["1", "-7", "0", "255", "1234567", "3.14159", "-0.5", "1e10", "1e-5", "0.0", "123456789.125", "'abc'", "'é😀'", "true", "none", "[1]", "big", "2.5", "1e100", "65", "undef", "100.0"]


def expression(r, depth):
    if depth <= 0:
        return r.choice(ATOMS)
    kind = r.random()
    inner = expression(r, depth - 1)
    if kind < 0.22:
        return f"{wrapped(r, inner)}|{r.choice(FILTERS)}"
    if kind < 0.42:
        method = r.choice(METHODS)
        return f"{wrapped(r, inner)}.{method}"
    if kind < 0.52:
        return f"{wrapped(r, inner)}{r.choice(SUBSCRIPTS)}"
    if kind < 0.74:
        return f"{inner} {r.choice(BINARY)} {expression(r, depth - 1 - (r.random() < 0.5))}"
    if kind < 0.82:
        return f"{wrapped(r, inner)} is {r.choice(['', 'not '])}{r.choice(TESTS)}"
    if kind < 0.86:
        return f"{inner} if {expression(r, depth - 2)} else {expression(r, depth - 2)}"
    if kind < 0.89:
        return f"{r.choice(['not ', '-', '+'])}{wrapped(r, inner)}"
    if kind < 0.92:
        return f"[{inner}, {expression(r, depth - 2)}]"
    if kind < 0.94:
        return "{" + f"{r.choice(ATOMS)}: {inner}" + "}"
    if kind < 0.96:
        return f"({inner})"
    if kind < 0.98:
        return f"{inner} {r.choice(['<', '==', '<=', 'in'])} {r.choice(ATOMS)} {r.choice(['<', '!=', '>'])} {r.choice(ATOMS)}"
    return f"({inner}, {r.choice(ATOMS)})"


def wrapped(r, text):
    return text if text.isidentifier() or (text[0] in "'\"[" and r.random() < 0.5) else f"({text})"


def formats(r):
    if r.random() < 0.5:
        count = r.choice([1, 1, 1, 2])
        pattern = " ".join(r.choice(FORMATS) for _ in range(count))
        values = ", ".join(r.choice(SCALARS) for _ in range(count + r.choice([0, 0, 0, 0, 1, -1])))
        return f"'{pattern}' % ({values},)" if values and r.random() < 0.9 else f"'{pattern}' % {r.choice(SCALARS + ['d', 'l'])}"
    pattern = "".join("{" + r.choice(["", "", "0", "x", "0.real", "0[0]"]) + r.choice(SPECS) + "}" for _ in range(r.choice([1, 1, 2])))
    return f"'{pattern}'.format({r.choice(SCALARS)}, {r.choice(SCALARS)}, x={r.choice(SCALARS)})"


SPACE = ["", " ", "  ", "\n", "\n\n", " \n", "\n ", "\t", "\n\t", "x", " x ", "\u00a0", "x\n  ", "\r\n", "\r", " \u2003\n"]


def spaces(r):
    def sign():
        return r.choice(["", "", "", "-", "+"])

    def gap():
        return "".join(r.choice(SPACE) for _ in range(r.choice([0, 1, 1, 2])))

    def bit(depth):
        kind = r.random()
        if kind < 0.25:
            end = r.choice(["", "", "-"])
            return "{{" + sign() + " 'v' " + end + "}}"
        if kind < 0.4:
            return "{#" + sign() + r.choice([" c ", "", "\n", " {{ "]) + sign() + "#}"
        if kind < 0.5:
            return "{%" + sign() + " raw " + r.choice(["", "-"]) + "%}" + gap() + r.choice(["{{ r }}", "{% r %}", "r"]) + gap() + "{%" + sign() + " endraw " + sign() + "%}"
        if kind < 0.65:
            return "{%" + sign() + " set q = 1 " + sign() + "%}"
        if depth == 0:
            return "y"
        body = gap() + bit(depth - 1) + gap()
        if kind < 0.8:
            return "{%" + sign() + " if " + r.choice(["yes", "no"]) + sign_end(r) + body + "{%" + sign() + " else" + sign_end(r) + gap() + "{%" + sign() + " endif" + sign_end(r)
        if kind < 0.95:
            return "{%" + sign() + " for i in [1, 2]" + sign_end(r) + body + "{%" + sign() + " endfor" + sign_end(r)
        return "{%" + sign() + " set w" + sign_end(r) + body + "{%" + sign() + " endset" + sign_end(r) + "[{{ w }}]"

    return gap() + "".join(bit(2) + gap() for _ in range(r.choice([1, 2, 3])))


def sign_end(r):
    return r.choice([" %}", " %}", " -%}", " +%}", "-%}"])


TARGETS = ["i", "k, v", "(a, b)", "i", "i", "a, (b, c)"]
LOOP = ["loop.index", "loop.index0", "loop.first", "loop.last", "loop.length", "loop.revindex", "loop.revindex0", "loop.previtem", "loop.nextitem", "loop.depth", "loop.depth0", "loop.cycle('a', 'b')", "loop.changed(i)", "loop.nosuch", "loop.cycle()", "loop"]


def statement(r, depth):
    e = lambda: expression(r, r.choice([0, 1, 1, 2]))
    if depth <= 0:
        return "{{ " + r.choice([e(), r.choice(LOOP), "x", "i", "ns.a", "m(1)", "x ~ y"]) + " }}"
    body = lambda: "".join(statement(r, depth - 1) for _ in range(r.choice([1, 1, 2])))
    kind = r.randrange(17)
    name = r.choice(["x", "y", "i"])
    if kind == 0:
        return "{% set " + name + " = " + e() + " %}" + body()
    if kind == 1:
        return "{% if " + e() + " %}" + body() + r.choice(["", "{% elif " + e() + " %}" + body(), "{% else %}" + body()]) + "{% endif %}"
    if kind in (2, 3, 4):
        extra = r.choice(["", "", "", " if i", " if " + e(), " if loop.index"])
        return "{% for " + r.choice(TARGETS) + " in " + e() + extra + " %}" + body() + r.choice(["", "{% else %}E"]) + "{% endfor %}"
    if kind == 5:
        return "{% macro m(" + r.choice(["", "a", "a, b=2", "a=x", "a, b=a", "x"]) + ") %}" + r.choice(["", "{{ a }}{{ b }}", "{{ varargs }}", "{{ kwargs }}", "{{ caller() if caller else '' }}"]) + body() + "{% endmacro %}{{ m(" + r.choice(["", "1", "1, 2", "1, 2, 3", "a=1", "b=5", "1, a=2", "*l", "**d0", "zz=1"]) + ") }}"
    if kind == 6:
        return "{% macro c() %}[{{ caller(" + r.choice(["", "1"]) + ") }}]{% endmacro %}{% call" + r.choice(["", "(q)"]) + " c() %}" + body() + "{{ q }}{% endcall %}"
    if kind == 7:
        return "{% set ns = namespace(a=" + e() + ") %}{% for i in [1, 2] %}{% set ns.a = " + e() + " %}" + body() + "{% endfor %}{{ ns.a }}"
    if kind == 8:
        return "{% set " + name + r.choice(["", " | upper", " | trim | length"]) + " %}" + body() + "{% endset %}{{ " + name + " }}"
    if kind == 9:
        return "{% with x = " + e() + r.choice(["", ", y = x"]) + " %}" + body() + "{% endwith %}{{ x }}"
    if kind == 10:
        return "{% filter " + r.choice(["upper", "trim", "replace('a', 'b')", "length", "indent(2)|upper"]) + " %}" + body() + "{% endfilter %}"
    if kind == 11:
        return "{% for i in l %}{% if i == 1 %}{% " + r.choice(["break", "continue"]) + " %}{% endif %}" + body() + "{% endfor %}"
    if kind == 12:
        return "{% generation %}" + body() + "{% endgeneration %}"
    if kind == 13:
        return "{% for i in nest recursive %}{{ loop.depth }}{% if i is iterable %}{{ loop(i) }}{% else %}{{ i }}{% endif %}{% endfor %}"
    if kind == 14:
        return "{% set a, b = " + r.choice(["1, 2", "l[:2]", "'xy'", "l", "d.items()|first", e()]) + " %}{{ a }}{{ b }}"
    if kind == 15:
        return "{% set " + name + " = " + name + " | default(" + e() + ") %}{{ " + name + " }}"
    return body() + body()


def snippet(r):
    kind = r.random()
    if kind < 0.55:
        return "{{ " + expression(r, r.choice([1, 1, 2, 2, 3])) + " }}"
    if kind < 0.65:
        return "{{ " + formats(r) + " }}"
    if kind < 0.78:
        return spaces(r)
    return statement(r, r.choice([1, 2, 2, 3]))


UNLIKE = re.compile(r"generator|iterator object|[0-9]j\b", re.I)


def comparable(case):
    """Leaves out what prints addresses or sets, complex numbers, and jinja2's folding of constants
    such as 1[2:], which is undefined where n[2:] fails."""
    text = case.get("text")
    return reference.portable(text) and not (text is not None and (UNLIKE.search(text) or sliced_constant(case["template"])))


def sliced_constant(template):
    return re.search(r"[)}0-9a-z]\[[^\]\[]*:", template) and not re.search(r"\b(l|ls|s|t|m|num|mixed|nest|ms)\[", template)


def timed_out(signum, frame):
    raise TimeoutError


def main(seed, count, out):
    r = random.Random(int(seed))
    env = reference.environment()
    signal.signal(signal.SIGALRM, timed_out)
    cases, seen = [], set()
    while len(cases) < int(count):
        template = snippet(r)
        if template in seen:
            continue
        seen.add(template)
        signal.setitimer(signal.ITIMER_REAL, 2)
        case = reference.outcome(env, template, json.loads(json.dumps(VALUES)))
        signal.setitimer(signal.ITIMER_REAL, 0)
        if "TimeoutError" not in case.get("error", "") and comparable(case):
            cases.append({**case, "values": "v"})
    with open(out, "w", encoding="utf-8") as file:
        json.dump({"values": {"v": VALUES}, "cases": cases}, file, ensure_ascii=False)
    print(f"seed {seed}: {len(cases)} snippets, {sum('error' in case for case in cases)} of them errors")


if __name__ == "__main__":
    main(*sys.argv[1:])
