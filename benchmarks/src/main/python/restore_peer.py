"""The peers of RestoreExperiment: prompts continued from a file with mlx-lm and llama.cpp.

Usage: restore_peer.py mlx-lm|llama.cpp GGUF DIRECTORY
Reads commands from standard input, a line each, and answers each with a line of JSON:
  prepare N TOKENS   computes TOKENS (comma-separated) once and saves their cache; {"seconds"}
  restore            reads the cache and computes one token; {"seconds", "read", "step"}
  bytes              {"bytes"} of the cache file
mlx-lm needs what mlx_lm_peer.py needs; llama.cpp needs llama-cpp-python.
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


class LlamaCpp:
    def __init__(self, gguf, directory):
        import llama_cpp

        self.c = llama_cpp
        self.llama = llama_cpp.Llama(gguf, n_ctx=4352, n_batch=512, logits_all=False, verbose=False)
        self.context = self.llama._ctx.ctx
        self.file = os.path.join(directory, "peer.llama").encode()

    def prepare(self, tokens):
        self.llama.reset()
        self.llama.eval(tokens)
        self.tokens = tokens
        ids = (self.c.llama_token * len(tokens))(*tokens)
        self.c.llama_state_seq_save_file(self.context, self.file, 0, ids, len(tokens))
        self.llama.eval([7])

    def restore(self):
        memory = self.c.llama_get_memory(self.context)
        self.c.llama_memory_clear(memory, True)
        ids = (self.c.llama_token * 8192)()
        count = self.c.c_size_t() if hasattr(self.c, "c_size_t") else __import__("ctypes").c_size_t()
        start = time.perf_counter()
        if not self.c.llama_state_seq_load_file(self.context, self.file, 0, ids, 8192, count):
            raise RuntimeError("llama.cpp did not read its own file")
        read = time.perf_counter()
        self.llama.n_tokens = len(self.tokens)
        self.llama.eval([7])
        end = time.perf_counter()
        return {"seconds": end - start, "read": read - start, "step": end - read}


def main():
    kind, gguf, directory = sys.argv[1:4]
    peer = {"mlx-lm": MlxLm, "llama.cpp": LlamaCpp}[kind](gguf, directory)
    print(json.dumps({"ready": kind}), flush=True)
    for line in sys.stdin:
        command, _, rest = line.strip().partition(" ")
        if command == "prepare":
            start = time.perf_counter()
            peer.prepare([int(t) for t in rest.split(",")])
            answer = {"seconds": time.perf_counter() - start}
        elif command == "restore":
            answer = peer.restore()
        else:
            answer = {"bytes": os.path.getsize(peer.file)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
