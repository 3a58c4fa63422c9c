"""The peer: mlx-lm on the same weights (expanded to float32), the same MLX and the same BLAS.

Usage: mlx_lm_peer.py GGUF [GGUF ...]   prints one JSON object per model.
Needs: pip install mlx==0.32.2 mlx-cpu==0.32.2 mlx-lm==0.32.2 gguf, and the wheel's libblas
replaced by OpenBLAS as the natives build does it (see project/experiments).
"""

import json
import statistics
import sys
import time

import mlx.core as mx
import numpy as np
from gguf import GGUFReader, dequantize
from mlx_lm.models import gemma3_text, llama
from mlx_lm.models.cache import make_prompt_cache

LAYER = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj", "attn_norm": "input_layernorm",
    "post_attention_norm": "post_attention_layernorm", "post_ffw_norm": "post_feedforward_layernorm",
}


def name_of(name, arch):
    if name == "token_embd.weight":
        return "model.embed_tokens.weight"
    if name == "output_norm.weight":
        return "model.norm.weight"
    _, index, part, _ = name.split(".")
    if part == "ffn_norm":
        part = "post_attention_layernorm" if arch == "llama" else "pre_feedforward_layernorm"
    return f"model.layers.{index}.{LAYER.get(part, part)}.weight"


def field(reader, key):
    return reader.fields[key].contents()


def load(path):
    reader = GGUFReader(path)
    arch = field(reader, "general.architecture")
    get = lambda key: field(reader, f"{arch}.{key}")
    heads, kv_heads = get("attention.head_count"), get("attention.head_count_kv")
    weights = {}
    for t in reader.tensors:
        values = dequantize(t.data, t.tensor_type).astype(np.float32).reshape(t.shape[::-1])
        if arch == "llama" and ("attn_q." in t.name or "attn_k." in t.name):
            n = heads if "attn_q." in t.name else kv_heads
            values = values.reshape(n, values.shape[0] // n // 2, 2, -1).swapaxes(1, 2).reshape(values.shape)
        if arch == "gemma3" and t.name.endswith("norm.weight"):
            values = values - 1
        weights[name_of(t.name, arch)] = mx.array(np.ascontiguousarray(values))
    common = dict(
        model_type=arch, hidden_size=get("embedding_length"), num_hidden_layers=get("block_count"),
        intermediate_size=get("feed_forward_length"), num_attention_heads=heads,
        num_key_value_heads=kv_heads, rms_norm_eps=get("attention.layer_norm_rms_epsilon"),
        vocab_size=weights["model.embed_tokens.weight"].shape[0], rope_theta=get("rope.freq_base"))
    if arch == "llama":
        model = llama.Model(llama.ModelArgs(**common, tie_word_embeddings=True))
    else:
        common["model_type"] = "gemma3_text"
        dim = get("attention.key_length")
        model = gemma3_text.Model(gemma3_text.ModelArgs(
            **common, head_dim=dim, query_pre_attn_scalar=dim, sliding_window=get("attention.sliding_window")))
    weights = model.sanitize(weights) if hasattr(model, "sanitize") else weights
    model.load_weights(list(weights.items()))
    mx.eval(model.parameters())
    return model


def prefill(model, tokens):
    cache = make_prompt_cache(model)
    start = time.perf_counter()
    mx.eval(model(mx.array([tokens]), cache=cache)[:, -1])
    return len(tokens) / (time.perf_counter() - start)


def decode(model, count, batch=1):
    cache = make_prompt_cache(model)
    logits = model(mx.array([[7, 8, 9, 10]] * batch), cache=cache)[:, -1]
    token = mx.argmax(logits, axis=-1)
    mx.eval(token)
    start = time.perf_counter()
    for _ in range(count):
        logits = model(token[:, None], cache=cache)[:, -1]
        token = mx.argmax(logits, axis=-1)
        mx.eval(token)
    return batch * count / (time.perf_counter() - start)


def main():
    mx.set_default_device(mx.cpu)
    for path in sys.argv[1:]:
        model = load(path)
        prompt = [10 + i % 97 for i in range(256)]
        prefill(model, prompt), decode(model, 4)
        print(json.dumps({
            "file": path.rsplit("/", 1)[-1],
            "prefill_256_tokens_per_second": statistics.median(prefill(model, prompt) for _ in range(5)),
            "decode_tokens_per_second": statistics.median(decode(model, 32) for _ in range(5)),
            "decode_5_agents_tokens_per_second": statistics.median(decode(model, 16, 5) for _ in range(3)),
        }), flush=True)
        del model
        mx.clear_cache()


if __name__ == "__main__":
    main()
