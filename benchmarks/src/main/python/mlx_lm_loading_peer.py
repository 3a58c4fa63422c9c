"""The peer of LoadingExperiment: from nothing in memory to a first token, with mlx-lm.

Usage: mlx_lm_loading_peer.py write DIRECTORY GGUF TOKENIZER.json [EOS]
           writes the model of a GGUF file as mlx-lm reads it: DIRECTORY/float32, DIRECTORY/4bit (float32
           scales, the fastest here) and DIRECTORY/4bit-bfloat16 (as most of those that are published)
       mlx_lm_loading_peer.py serve
           loads the directory that a line names, answers a prompt with one token, unloads, and
           prints a JSON object; until its input ends
       mlx_lm_loading_peer.py once DIRECTORY PROMPT
           prints the first token as text and ends at once
Needs what mlx_lm_peer.py needs, and transformers.
"""

import gc
import json
import os
import pathlib
import shutil
import sys
import time

PROMPT = "Once upon a time"


def write(directory, gguf, tokenizer, end="<|im_end|>"):
    import mlx.core as mx
    import mlx_lm_peer
    from mlx.utils import tree_flatten
    from mlx_lm.utils import quantize_model, save_config, save_model

    for name, dtype in [("float32", None), ("4bit", None), ("4bit-bfloat16", mx.bfloat16)]:
        target = pathlib.Path(directory) / name
        target.mkdir(parents=True, exist_ok=True)
        model = mlx_lm_peer.load(gguf)
        config = {k: v for k, v in vars(model.args).items() if v is not None and k != "layer_types"}
        if dtype is not None:
            model.set_dtype(dtype)
        if name != "float32":
            model, config = quantize_model(model, config, 64, 4)
        save_model(target, model, donate_model=True)
        save_config(config, target / "config.json")
        (target / "tokenizer_config.json").write_text(
            json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": end}))
        shutil.copyfile(tokenizer, target / "tokenizer.json")


def resident(field):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field))


def first_token(mx, load, path, prompt):
    model, tokenizer = load(path)
    logits = model(mx.array([tokenizer.encode(prompt, add_special_tokens=False)]))[:, -1]
    return mx.argmax(logits, axis=-1).item()


def serve():
    import mlx.core as mx
    from mlx_lm.utils import load

    for line in sys.stdin:
        pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        mx.reset_peak_memory()
        before = resident("VmRSS")
        start = time.perf_counter()
        token = first_token(mx, load, line.strip(), PROMPT)
        seconds = time.perf_counter() - start
        peak = resident("VmHWM") - before
        gc.collect()
        mx.clear_cache()
        print(json.dumps({"seconds": seconds, "token": token, "rss": peak,
                          "mlx": mx.get_peak_memory()}), flush=True)


def once(path, prompt):
    from mlx_lm import load, stream_generate

    model, tokenizer = load(path)
    for answer in stream_generate(model, tokenizer, prompt, max_tokens=1):
        print(answer.text, flush=True)
        os._exit(0)


if __name__ == "__main__":
    {"write": write, "serve": serve, "once": once}[sys.argv[1]](*sys.argv[2:])
