"""Loads directories with mlx-lm and prints what it computes, as one JSON object.

Arguments: tokens as a JSON list, then directories, each for itself or as CONVERTED=SOURCE. Of the
latter every quantised matrix is compared with what mlx.core.quantize makes of the source's.
"""

import json
import pathlib
import sys

import mlx.core as mx
from mlx_lm.utils import load_model

mx.set_default_device(mx.cpu)


def weights(directory):
    found = {}
    for file in sorted(pathlib.Path(directory).glob("model*.safetensors")):
        found.update(mx.load(str(file)))
    return found


def unequal(converted, source):
    """Names of matrices that are not what MLX makes of the source's; and how many there are."""
    ours, theirs = weights(converted), weights(source)
    wrong, count = [], 0
    for name in ours:
        if not name.endswith(".scales"):
            continue
        module = name[: -len(".scales")]
        matrix = theirs[module + ".weight"]
        group = matrix.shape[1] // ours[name].shape[1]
        bits = ours[module + ".weight"].shape[1] * 32 // matrix.shape[1]
        expected = mx.quantize(matrix, group_size=group, bits=bits)
        actual = [ours[f"{module}.{part}"] for part in ("weight", "scales", "biases")]
        same = all(a.dtype == b.dtype and mx.array_equal(a, b) for a, b in zip(actual, expected))
        count += 1
        if not same:
            wrong.append(module)
    return {"matrices": count, "wrong": wrong}


answer = {}
prompt = mx.array([json.loads(sys.argv[1])])
for argument in sys.argv[2:]:
    directory, _, source = argument.partition("=")
    model, _ = load_model(pathlib.Path(directory))
    logits = model(prompt)[0, -1].astype(mx.float32)
    answer[directory] = {"logits": logits.tolist()}
    if source:
        answer[directory].update(unequal(directory, source))
print(json.dumps(answer))
