"""Seeded random templates about where a name has which value, each with what Python makes of it.

jinja2 decides that when it compiles a template: a block that sets a name has it for its own from
its beginning, so that a loop before the assignment does not see a value of that name.

python3 scopes.py SEED COUNT OUT.json
"""

import json
import random
import signal
import sys
import warnings

import reference

VALUES = {
    "a": "A",
    "b": "B",
    "l": [1, 2],
    "t": True,
    "f": False,
    "k": {"x": 1, "y": None},
}

WRITTEN = [
    "{% for i in l %}{{ a }}{% endfor %}{% set a = 1 %}",
    "{% for i in l %}{{ a }}{% endfor %}{% set a = 1 %}{{ a }}",
    "{{ a }}{% for i in l %}{{ a }}{% endfor %}{% set a = 1 %}",
    "{% macro q() %}{{ a }}{% endmacro %}{{ q() }}{% set a = 1 %}{{ q() }}",
    "{% if f %}{% set a = 1 %}{% endif %}{% for i in l %}{{ a }}{% endfor %}",
    "{% if f %}{% set a = 1 %}{% elif t %}{% for i in l %}{{ a }}{% endfor %}{% set a = 3 %}{% endif %}{{ a }}",
    "{% for i in l %}{% for j in l %}{{ a }}{% endfor %}{% set a = 1 %}{% endfor %}",
    "{% for i in l %}{% set loop = 1 %}{% endfor %}",
    "{% for loop, x in [(1, 2)] %}{% endfor %}",
    "{% for i in l %}{% macro q() %}{% set loop = 1 %}{% endmacro %}{% endfor %}",
    "{% for i in [none, 1, none] %}{{ loop.previtem is none }}{{ loop.nextitem is none }}{{ loop.nextitem }};{% endfor %}",
    "{% set c = cycler(none, 1) %}{{ c.current }}{{ c.next() }}{{ c.current }}",
    "{{ [1, 2] in k.items() }}{{ ('x', 1) in k.items() }}{{ ('x', 2) in k.items() }}{{ (1, 2, 3) in k.items() }}",
    "{{ ([1], 2) in k.items() }}",
    "{{ [1] in k.keys() }}",
    "{% macro m(a, b=1) %}{{ caller() }}{{ kwargs }}{% endmacro %}{{ m.arguments }}{{ m.catch_kwargs }}{{ m.catch_varargs }}{{ m.caller }}{{ m.zz }}{{ m.name }}",
    "{{ range(5).index(3) }}{{ range(0, 10, 2).count(4) }}{{ range(0, 10, 2).count(3) }}{{ range(3).start }}{{ range(1, 3).stop }}",
    "{{ range(5).index(9) }}",
]

READ = [
    "a", "b", "c", "i", "m", "l", "x", "a ~ b", "c|default('D')", "a if t else b", "1", "'s'", "loop.index", "loop.first", "[a, c]", "varargs", "kwargs",
    "m is defined", "a is defined", "c is defined", "loop is defined", "caller is defined", "range is defined",
]
SET = ["a", "a", "b", "c", "i", "m", "l", "loop", "caller", "range"]
ITEMS = ["l", "l", "[]", "[1]", "[(1, 2)]", "a", "k.items()"]


def statement(r, depth):
    def body():
        return "".join(statement(r, depth - 1) for _ in range(r.choice([1, 1, 2, 3])))

    def read():
        return "{{ " + r.choice(READ) + " }};"

    kind = r.randrange(19)
    if depth <= 0 or kind < 5:
        return read()
    if kind < 8:
        return "{% set " + r.choice(SET) + " = " + r.choice([r.choice(READ), "'%d'" % r.randrange(9)]) + " %}"
    if kind == 8:
        return "{% set " + r.choice(SET) + " %}" + body() + "{% endset %}"
    if kind in (9, 10):
        more = r.choice(["", "{% else %}" + body(), "{% elif t %}" + body(), "{% elif " + r.choice(READ) + " %}" + body() + "{% else %}" + body()])
        return "{% if " + r.choice(["t", "f", "a", "c", "c is defined"]) + " %}" + body() + more + "{% endif %}"
    if kind in (11, 12):
        head = r.choice(["i", "a", "b", "c", "loop", "a, b"]) + " in " + r.choice(ITEMS) + r.choice(["", "", " if t", " if i != 1", " if a", " if f", " if loop"])
        return "{% for " + head + " %}" + body() + r.choice(["", "{% else %}" + body()]) + "{% endfor %}"
    if kind == 13:
        return "{% with " + r.choice(["a = b", "a = 1, b = a", "c = a", "i = 5", ""]) + " %}" + body() + "{% endwith %}"
    if kind == 14:
        parameters = r.choice(["", "a", "b=a", "a, b=a", "c=c", "i=i", "caller=none"])
        special = r.choice(["", "{{ caller() if caller else '-' }}", "{{ varargs }}{{ kwargs }}", "{{ caller() }}"])
        call = r.choice(["", "{{ m() }}", "{{ m(1) }}", "{{ m(a=2) }}", "{{ m(1, 2, 3) }}", "{{ m(q=1) }}"])
        return "{% macro " + r.choice(["m", "m", "a"]) + "(" + parameters + ") %}<" + body() + special + ">{% endmacro %}" + call
    if kind == 15:
        return "{% call" + r.choice(["", "(a)", "(a, b=2)"]) + " m(" + r.choice(["", "1"]) + ") %}" + body() + "{% endcall %}"
    if kind == 16:
        return "{% filter " + r.choice(["upper", "replace('A', b)"]) + " %}" + body() + "{% endfilter %}"
    if kind == 17:
        return "{{ m() }}"
    return "{% set " + r.choice(["a, b = b, a", "a, c = 1, a", "ns = namespace(a=a)", "ns.a = 1", "a.b = 1"]) + " %}"


def timed_out(signum, frame):
    raise TimeoutError


def main(seed, count, out):
    warnings.simplefilter("ignore")
    r = random.Random(int(seed))
    env = reference.environment()
    signal.signal(signal.SIGALRM, timed_out)
    cases = [{**reference.outcome(env, template, VALUES), "values": "v"} for template in WRITTEN]
    while len(cases) < int(count):
        template = "".join(statement(r, r.choice([1, 2, 3])) for _ in range(r.choice([1, 2, 3, 4])))
        if len(template) > 400:
            continue
        signal.setitimer(signal.ITIMER_REAL, 2)
        case = reference.outcome(env, template, json.loads(json.dumps(VALUES)))
        signal.setitimer(signal.ITIMER_REAL, 0)
        text = case.get("text") or ""
        if "TimeoutError" not in case.get("error", "") and reference.portable(text.lower()) and "<macro" not in text.lower():
            cases.append({**case, "values": "v"})
    with open(out, "w", encoding="utf-8") as file:
        json.dump({"values": {"v": VALUES}, "cases": cases}, file, ensure_ascii=False)
    print(f"seed {seed}: {len(cases)} templates, {sum('error' in case for case in cases)} of them errors")


if __name__ == "__main__":
    main(*sys.argv[1:])
