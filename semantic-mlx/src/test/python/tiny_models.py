"""Random small models in MLX's directory layout, and what mlx-lm computes from them.

usage: tiny_models.py OUT [NAME...|grid]      (mlx, mlx-cpu, mlx-lm 0.32.2)

Writes OUT/tiny-NAME. What lies in src/test/resources/reference was made by this, but for the
six models that came first. -Dsemantic.tiny.models=OUT lets TinyModelsTest read others.
"""
import importlib, json, shutil, sys
from pathlib import Path
import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten, tree_map
from mlx_lm.models.cache import make_prompt_cache
from mlx_lm.utils import quantize_model, load_model

BASE = dict(vocab_size=96, hidden_size=64, num_hidden_layers=2, intermediate_size=96,
            num_attention_heads=4, num_key_value_heads=2, rms_norm_eps=1e-5,
            max_position_embeddings=512, rope_theta=10000.0, hidden_act="silu",
            eos_token_id=1)
LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=64)
GEMMA2 = dict(head_dim=32, attn_logit_softcapping=5.0, final_logit_softcapping=6.0,
              query_pre_attn_scalar=24, hidden_act="gelu_pytorch_tanh")
GEMMA3 = dict(head_dim=32, num_key_value_heads=1, num_hidden_layers=4, sliding_window=8,
              sliding_window_pattern=2, query_pre_attn_scalar=32, rope_local_base_freq=10000.0,
              rope_theta=1000000.0, hidden_act="gelu_pytorch_tanh")
# Of both lengths alike, as mlx-lm takes the long factors for short sequences, too.
LONG = dict(type="longrope", long_factor=[1.0, 1.5, 2.0, 3.0, 4.0, 6.0],
            short_factor=[1.0, 1.5, 2.0, 3.0, 4.0, 6.0])

NARROW = dict(intermediate_size=48)

# Small enough to be kept with the tests.
KEPT = {
  "qwen3-bf16": dict(model_type="qwen3", head_dim=32, tie_word_embeddings=True, dtype="bfloat16"),
  "qwen2-f16": dict(model_type="qwen2", tie_word_embeddings=False, dtype="float16"),
  "qwen2-yarn-f32": dict(model_type="qwen2", tie_word_embeddings=True, **NARROW,
                         rope_scaling=dict(type="yarn", factor=4.0, original_max_position_embeddings=64)),
  "mistral-q3": dict(model_type="mistral", head_dim=32, tie_word_embeddings=False, bits=3, group=64, hidden_size=128),
  "llama3-rope-f32": dict(model_type="llama", rope_scaling=LLAMA3, tie_word_embeddings=True, shards=3, **NARROW),
  "llama-sliding-f32": dict(model_type="llama", layer_types=["full_attention", "sliding_attention"],
                            sliding_window=8, tie_word_embeddings=True, **NARROW),
  "llama-bias-mixed": dict(model_type="llama", attention_bias=True, mlp_bias=True, tie_word_embeddings=False,
                           bits=5, group=32, mixed=True, intermediate_size=128),
  "llama-linear-q6": dict(model_type="llama", rope_scaling=dict(type="linear", factor=4.0),
                          tie_word_embeddings=True, bits=6, group=32),
  "llama-q2": dict(model_type="llama", hidden_size=128, intermediate_size=256, tie_word_embeddings=False, bits=2, group=128),
  "gemma2-bf16": dict(model_type="gemma2", dtype="bfloat16", **GEMMA2),
  "gemma3-head-q4": dict(model_type="gemma3_text", bits=4, group=32, head=True, **GEMMA3),
  "qwen3-narrow-q4": dict(model_type="qwen3", head_dim=16, tie_word_embeddings=True, bits=4, group=64, intermediate_size=128, dtype="bfloat16"),
  "gemma2-narrow-q8": dict(model_type="gemma2", bits=8, group=32, dtype="float16", sliding_window=8, **{**GEMMA2, "head_dim": 16, "intermediate_size": 64}),
  "llama-narrow-mixed": dict(model_type="llama", attention_bias=True, mlp_bias=True, tie_word_embeddings=False,
                                bits=5, group=32, mixed=True, intermediate_size=64, num_hidden_layers=1, dtype="bfloat16"),
  "gemma3-loud-f16": dict(model_type="gemma3_text", dtype="float16", loud=4e4, **{**GEMMA3, **NARROW, "num_hidden_layers": 2, "num_attention_heads": 2}),
  "phi3-long-f32": dict(model_type="phi3", tie_word_embeddings=True, rope_scaling=LONG, **NARROW,
                        partial_rotary_factor=0.75, original_max_position_embeddings=64),
}

MORE = {
  "qwen3-f32": dict(model_type="qwen3", head_dim=24, tie_word_embeddings=False),
  "gemma2-f32": dict(model_type="gemma2", **GEMMA2),
  "gemma3-bf16": dict(model_type="gemma3_text", dtype="bfloat16", **GEMMA3),
  "phi3-q8": dict(model_type="phi3", bits=8, group=64, tie_word_embeddings=False),
  "llama-bf16": dict(model_type="llama", dtype="bfloat16", tie_word_embeddings=False, num_hidden_layers=4),
  "llama-bias-bf16": dict(model_type="llama", dtype="bfloat16", attention_bias=True, mlp_bias=True, tie_word_embeddings=True),
  "llama-f16": dict(model_type="llama", dtype="float16", tie_word_embeddings=True, num_hidden_layers=3),
  "llama-wide-f32": dict(model_type="llama", head_dim=48, num_attention_heads=8, num_key_value_heads=1, tie_word_embeddings=False),
  "qwen3-q4-128": dict(model_type="qwen3", head_dim=32, hidden_size=128, intermediate_size=256, tie_word_embeddings=True, bits=4, group=128),
}

# Every family in every form; "grid" as a name makes them all.
WIDE = dict(hidden_size=128, intermediate_size=192)
FAMILIES = {
  "llama": dict(model_type="llama", tie_word_embeddings=True, **WIDE),
  "llama-untied": dict(model_type="llama", tie_word_embeddings=False, num_hidden_layers=4, **WIDE),
  "mistral": dict(model_type="mistral", head_dim=32, tie_word_embeddings=False, **WIDE),
  "qwen2": dict(model_type="qwen2", tie_word_embeddings=True, **WIDE),
  "qwen3": dict(model_type="qwen3", head_dim=32, tie_word_embeddings=True, **WIDE),
  "gemma2": dict(model_type="gemma2", sliding_window=8, **{**GEMMA2, **WIDE}),
  "gemma3": dict(model_type="gemma3_text", **{**GEMMA3, **WIDE}),
  "phi3": dict(model_type="phi3", tie_word_embeddings=False, **WIDE),
}
STRETCHED = {
  "llama-llama3": dict(model_type="llama", rope_scaling=LLAMA3, tie_word_embeddings=True, **WIDE),
  "llama-linear": dict(model_type="llama", rope_scaling=dict(type="linear", factor=4.0), tie_word_embeddings=True, **WIDE),
  "llama-bias": dict(model_type="llama", attention_bias=True, mlp_bias=True, tie_word_embeddings=False, **WIDE),
  "qwen2-yarn": dict(model_type="qwen2", tie_word_embeddings=True, **WIDE,
                     rope_scaling=dict(type="yarn", factor=4.0, original_max_position_embeddings=64)),
  "phi3-long": dict(model_type="phi3", tie_word_embeddings=True, rope_scaling={**LONG, "long_factor": LONG["long_factor"] * 2, "short_factor": LONG["short_factor"] * 2}, **WIDE,
                    partial_rotary_factor=0.75, original_max_position_embeddings=64),
}
FORMS = {
  "f32": dict(), "bf16": dict(dtype="bfloat16"), "f16": dict(dtype="float16"),
  "q4-f32": dict(bits=4, group=64),
  "q4-bf16": dict(bits=4, group=64, dtype="bfloat16"),
  "q4-f16": dict(bits=4, group=64, dtype="float16"),
  "q8-bf16": dict(bits=8, group=32, dtype="bfloat16"),
  "q6-bf16": dict(bits=6, group=64, dtype="bfloat16"),
  "q5-f16": dict(bits=5, group=32, dtype="float16"),
  "q3-bf16": dict(bits=3, group=64, dtype="bfloat16"),
  "q2-bf16": dict(bits=2, group=32, dtype="bfloat16"),
  "mixed-bf16": dict(bits=4, group=64, mixed=True, dtype="bfloat16"),
}
GRID = {f"{family}-{form}": {**FAMILIES[family], **FORMS[form]} for family in FAMILIES for form in FORMS}
GRID.update({f"{family}-{form}": {**STRETCHED[family], **FORMS[form]} for family in STRETCHED
             for form in ("bf16", "f16", "q4-bf16", "q5-f16", "mixed-bf16")})

MODELS = {**KEPT, **MORE}
OURS = {"dtype", "bits", "group", "mixed", "shards", "head", "loud"}

def config_of(given):
    config = dict(BASE)
    config.update({k: v for k, v in given.items() if k not in OURS})
    config["torch_dtype"] = given.get("dtype", "float32")
    return config

def classes(model_type):
    name = {"mistral": "llama"}.get(model_type, model_type)
    module = importlib.import_module("mlx_lm.models." + name)
    return module.Model, module.ModelArgs

def randomised(model, rng, dtype, loud):
    def fresh(name, x):
        if "norm" in name:
            one = 0.0 if GEMMA else 1.0
            y = one + 0.2 * rng.standard_normal(x.shape)
            if loud and "post_" in name: # the stream reaches what float16 can hold
                y = loud + 0.0 * y
        elif name.endswith("bias"):
            y = 0.2 * rng.standard_normal(x.shape)
        elif "embed" in name:
            y = 0.5 * rng.standard_normal(x.shape)
        else:
            y = 1.2 * rng.standard_normal(x.shape) / np.sqrt(x.shape[-1])
        return mx.array(y.astype(np.float32)).astype(dtype)
    model.load_weights([(n, fresh(n, x)) for n, x in tree_flatten(model.parameters())])

def make(name, given, out):
    global GEMMA
    config = config_of(given)
    GEMMA = config["model_type"].startswith("gemma")
    Model, Args = classes(config["model_type"])
    model = Model(Args.from_dict(config))
    if GEMMA and not given.get("head") and config["model_type"] == "gemma3_text":
        model.tie_word_embeddings = True
        model.pop("lm_head")
    seed = sum(map(ord, name))
    randomised(model, np.random.default_rng(seed), getattr(mx, given.get("dtype", "float32")), given.get("loud"))
    if "bits" in given:
        predicate = None
        if given.get("mixed"):
            def predicate(path, module):
                if "k_proj" in path: return False
                if "v_proj" in path or "down_proj" in path: return dict(bits=8, group_size=64)
                return True
        model, config = quantize_model(model, config, given["group"], given["bits"], quant_predicate=predicate)
    target = out / ("tiny-" + name)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    weights = dict(tree_flatten(model.parameters()))
    names = sorted(weights)
    shards = given.get("shards", 1)
    if shards == 1:
        mx.save_safetensors(str(target / "model.safetensors"), weights, {"format": "mlx"})
    else:
        index = {}
        for i in range(shards):
            file = f"model-{i+1:05d}-of-{shards:05d}.safetensors"
            mine = {n: weights[n] for n in names[i::shards]}
            mx.save_safetensors(str(target / file), mine, {"format": "mlx"})
            index.update({n: file for n in mine})
        total = sum(w.nbytes for w in weights.values())
        (target / "model.safetensors.index.json").write_text(json.dumps(dict(metadata=dict(total_size=total), weight_map=dict(sorted(index.items()))), indent=1))
    (target / "config.json").write_text(json.dumps(config, indent=1))
    (target / "expected.json").write_text(json.dumps(expected(target, seed)))

def expected(target, seed, count=32):
    model, config = load_model(target)
    rng = np.random.default_rng(seed + 1)
    prompt = [int(t) for t in rng.integers(2, config["vocab_size"], 24)]
    cache = make_prompt_cache(model)
    logits = model(mx.array([prompt]), cache=cache)[0].astype(mx.float32)
    rows = np.array(logits)
    greedy, margins, last = [], [], rows[-1]
    for _ in range(count):
        top = np.sort(last)[-2:]
        greedy.append(int(last.argmax()))
        margins.append(round(float(top[1] - top[0]), 6))
        last = np.array(model(mx.array([[greedy[-1]]]), cache=cache)[0, -1].astype(mx.float32))
    r = lambda row: [round(float(x), 6) for x in row]
    return dict(prompt=prompt, logits_last=r(rows[-1]), logits_pos_7=r(rows[7]), greedy=greedy, margins=margins)

if __name__ == "__main__":
    out = Path(sys.argv[1])
    known = {**MODELS, **GRID}
    for name in GRID if sys.argv[2:] == ["grid"] else sys.argv[2:] or MODELS:
        make(name, known[name], out)
        print(name, sum(f.stat().st_size for f in (out / ("tiny-" + name)).iterdir()))
