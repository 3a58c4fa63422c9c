"""The peer of RestoreExperiment: a prompt continued from a file with mlx-lm.

Usage: restore_peer.py GGUF DIRECTORY
Reads commands from standard input, a line each, and answers each with a line of JSON:
  prepare TOKENS     computes TOKENS (comma-separated) and saves their cache, unless an earlier run
                     has left one in DIRECTORY; {"seconds"}
  restore            reads the cache and computes one token; {"seconds", "read", "step"}
  bytes              {"bytes"} of the cache file
Needs what mlx_lm_peer.py needs.
"""

import json
import os
import sys
import time


class MlxLm:
    def __init__(self, gguf, directory):
        import mlx.core as mx
        import mlx_lm_peer
        from mlx_lm.models import cache

        mx.set_default_device(mx.cpu)
        self.mx, self.cache = mx, cache
        self.model = mlx_lm_peer.load(gguf)
        self.file = os.path.join(directory, "peer.safetensors")

    def prepare(self, tokens):
        held = self.cache.make_prompt_cache(self.model)
        for start in range(0, len(tokens), 512):
            self.model(self.mx.array([tokens[start:start + 512]]), cache=held)
            self.mx.eval([c.state for c in held])
        self.cache.save_prompt_cache(self.file, held)
        self.step(held)

    def step(self, held):
        self.mx.eval(self.mx.argmax(self.model(self.mx.array([[7]]), cache=held)[:, -1], axis=-1))

    def restore(self):
        start = time.perf_counter()
        held = self.cache.load_prompt_cache(self.file)
        self.mx.eval([c.state for c in held])
        read = time.perf_counter()
        self.step(held)
        end = time.perf_counter()
        return {"seconds": end - start, "read": read - start, "step": end - read}


def main():
    peer = MlxLm(*sys.argv[1:3])
    print(json.dumps({"ready": "mlx-lm"}), flush=True)
    for line in sys.stdin:
        command, _, rest = line.strip().partition(" ")
        if command == "prepare":
            start = time.perf_counter()
            if not os.path.exists(peer.file):
                peer.prepare([int(t) for t in rest.split(",")])
            answer = {"seconds": time.perf_counter() - start}
        elif command == "restore":
            answer = peer.restore()
        else:
            answer = {"bytes": os.path.getsize(peer.file)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
