"""The peer of SwapExperiment: unload, load and one token with mlx-lm, between the same two models.

Usage: mlx_lm_swap_peer.py DIRECTORY SMOLLM2.gguf SMOLLM2_TOKENIZER.json GEMMA3.gguf GEMMA3_TOKENIZER.json [ROUNDS]
Writes both models as mlx-lm reads them (float32 safetensors) into DIRECTORY, once, with the
tokenizers that semantic keeps in its own cache, and prints one JSON object per way of loading:
seconds of each swap to a model, and their median.
Needs what mlx_lm_peer.py needs, and transformers.
"""

import gc
import json
import pathlib
import shutil
import statistics
import sys
import time

import mlx.core as mx
import mlx_lm_peer
from mlx.utils import tree_flatten
from mlx_lm.utils import load, load_model


def written(directory, name, gguf, tokenizer):
    target = pathlib.Path(directory) / name
    if not (target / "tokenizer.json").exists():
        target.mkdir(parents=True, exist_ok=True)
        model = mlx_lm_peer.load(gguf)
        weights = dict(tree_flatten(model.parameters()))
        mx.save_safetensors(str(target / "model.safetensors"), weights, metadata={"format": "mlx"})
        config = {k: v for k, v in vars(model.args).items() if v is not None and k != "layer_types"}
        (target / "config.json").write_text(json.dumps(config))
        end = "<|im_end|>" if "SmolLM2" in gguf else "<eos>"
        (target / "tokenizer_config.json").write_text(
            json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": end}))
        shutil.copyfile(tokenizer, target / "tokenizer.json")
    return target


def swaps(loader, one, other, rounds):
    took = {one.name: [], other.name: []}
    model = loader(one)
    for _ in range(rounds):
        for target in (other, one):
            start = time.perf_counter()
            del model
            gc.collect()
            mx.clear_cache()
            model = loader(target)
            mx.eval(model[0](mx.array([[5]])))
            took[target.name].append(round(time.perf_counter() - start, 3))
    return {k: {"median": statistics.median(v), "each": v} for k, v in took.items()}


if __name__ == "__main__":
    directory, *files = sys.argv[1:6]
    rounds = int(sys.argv[6]) if len(sys.argv) > 6 else 4
    one = written(directory, "smollm2", *files[:2])
    other = written(directory, "gemma3", *files[2:])
    print(json.dumps({"weights and tokenizer": swaps(lambda d: load(str(d)), one, other, rounds)}))
    print(json.dumps({"weights alone": swaps(load_model, one, other, rounds)}))
