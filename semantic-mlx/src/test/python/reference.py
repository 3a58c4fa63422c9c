"""jinja2 set up as transformers sets it up: what our templates are compared with."""

import datetime
import json

import jinja2
import jinja2.ext
import jinja2.nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

NOW = datetime.datetime(2026, 7, 4, 9, 5, 3)


class GenerationTag(jinja2.ext.Extension):
    """{% generation %}: marks what the assistant said; here it only writes it."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_said"), [], [], body).set_lineno(line)

    def _said(self, caller):
        return caller()


def _refuse(message):
    raise jinja2.exceptions.TemplateError(message)


def _tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(
        x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def environment():
    env = ImmutableSandboxedEnvironment(
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[GenerationTag, jinja2.ext.loopcontrols],
    )
    env.filters["tojson"] = _tojson
    env.globals["raise_exception"] = _refuse
    env.globals["strftime_now"] = lambda format: NOW.strftime(format)
    return env


def outcome(env, template, values):
    """A case: its text, or why there is none."""
    case = {"template": template}
    try:
        case["text"] = env.from_string(template).render(**values)
    except RecursionError:
        case["error"] = "RecursionError"
    except Exception as e:  # whatever Python raises, we must refuse
        case["error"] = f"{type(e).__name__}: {e}"
    return case


def portable(text):
    """Can it be written to a file and read back? Lone surrogates and addresses cannot."""
    if text is None:
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return " at 0x" not in text
