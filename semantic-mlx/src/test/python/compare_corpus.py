"""Renders a directory of *.jinja with many conversations and writes what Python made of them.

python3 compare_corpus.py DIRECTORY OUT.json
mvn test … -Dtest=TemplateComparisonTest -Dsemantic.templates=OUT.json

With --few as the third word it writes what lies among the tests' resources.
"""

import json
import pathlib
import sys

import conversations
import reference


SETTINGS = ("plain", "no thinking, tools", "many tools", "documents", "unset", "effort")


def main(directory, out, few=""):
    env = reference.environment()
    values = dict(conversations.cases())
    if few:
        values = {name: given for name, given in values.items() if name.split(", ", 1)[1] in SETTINGS}
    templates, cases = {}, []
    for path in sorted(pathlib.Path(directory).glob("*.jinja")):
        templates[path.stem] = path.read_text(encoding="utf-8")
        try:
            compiled = env.from_string(templates[path.stem])
        except Exception as e:
            print(path.stem, "does not compile:", e)
            compiled = None
        for name, given in values.items():
            case = {"template": path.stem, "values": name}
            try:
                case["text"] = compiled.render(**json.loads(json.dumps(given)))
            except Exception as e:
                case["error"] = f"{type(e).__name__}: {e}"
            if reference.portable(case.get("text")):
                cases.append(case)
    with open(out, "w", encoding="utf-8") as file:
        json.dump({"templates": templates, "values": values, "cases": cases}, file, ensure_ascii=False)
    failing = sum("error" in case for case in cases)
    print(f"{len(templates)} templates, {len(cases)} renderings, {failing} of them errors")


if __name__ == "__main__":
    main(*sys.argv[1:])
