"""Writes affine-quantize.json: what mlx.core.quantize (MLX 0.32.2, CPU) makes of some numbers.

The digest is SHA-256 over integers, scales and biases, as they lie in a file.
"""

import base64
import hashlib
import json
import pathlib

import mlx.core as mx
import numpy as np

mx.set_default_device(mx.cpu)
rng = np.random.default_rng(1)
numbers = (rng.standard_normal((12, 256)) * 0.05).astype(np.float32)
numbers[0] = 0
numbers[1] = 0.3
numbers[2] = -0.2
numbers[3] = abs(numbers[3])
numbers[4] = -abs(numbers[4])
numbers[5] *= 1e-6
numbers[6] *= 1e3
numbers[7] = np.linspace(-1, 1, 256)
numbers[8, 1:] = 0

cases = []
for name in ("float32", "float16", "bfloat16"):
    rounded = mx.array(numbers).astype(getattr(mx, name))
    for bits in (2, 3, 4, 5, 6, 8):
        for group in (32, 64, 128):
            digest = hashlib.sha256()
            for part in mx.quantize(rounded, group_size=group, bits=bits):
                digest.update(bytes(memoryview(part.view(mx.uint8))))
            cases.append([name, bits, group, digest.hexdigest()])
text = base64.b64encode(numbers.astype("<f4").tobytes()).decode()
target = pathlib.Path(__file__).with_name("affine-quantize.json")
lines = ",\n".join(json.dumps(case) for case in cases)
target.write_text(f'{{"numbers": "{text}",\n"cases": [\n{lines}]}}\n')
