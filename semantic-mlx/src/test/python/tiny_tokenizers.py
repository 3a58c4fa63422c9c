"""Small tokenizers of every usual make, and what Hugging Face's tokenizers 0.23 make of texts.

usage: tiny_tokenizers.py OUT
"""
import json, sys
from pathlib import Path
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

TEXTS = ["Hello world", " leading and  double  spaces ", "naïve café 東京 🙂", "a\nb\r\n\tc 12345 x=1;",
         "<|user|>Hi there<|end|>\n<|assistant|>", "<tool>call</tool> done", "it's we'll I'd", "", "   "]
CORPUS = TEXTS + ["the quick brown fox jumps over the lazy dog " * 3, "Hello there world, hello again",
                  "call the tool and be done", "spaces and double spaces leading and trailing"]
SPECIAL = ["<s>", "</s>", "<|user|>", "<|assistant|>", "<|end|>"]

def train(tokenizer, **options):
    tokenizer.train_from_iterator(CORPUS, options.pop("trainer")(**options))

def byte_level():
    t = Tokenizer(models.BPE())
    split = Regex(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(split, "isolated"),
                                               pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder = decoders.ByteLevel()
    train(t, trainer=trainers.BpeTrainer, vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    t.add_special_tokens(SPECIAL)
    t.add_tokens(["<tool>", "</tool>"])
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    return t

def sentencepiece(prepend):
    alphabet = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    steps = [normalizers.Replace(" ", "▁")]
    t.normalizer = normalizers.Sequence(([normalizers.Prepend("▁")] if prepend else []) + steps)
    train(t, trainer=trainers.BpeTrainer, vocab_size=420, special_tokens=alphabet, show_progress=False,
          initial_alphabet=[], limit_alphabet=60)
    state = json.loads(t.to_str())
    state["added_tokens"] = [a for a in state["added_tokens"] if a["content"] in ("<unk>", "<s>", "</s>")]
    t = Tokenizer.from_str(json.dumps(state))
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    t.decoder = decoders.Sequence(steps + ([decoders.Strip(" ", 1, 0)] if prepend else []))
    t.add_special_tokens([AddedToken(s, rstrip=s == "<|assistant|>", normalized=False) for s in SPECIAL[2:]])
    t.add_tokens([AddedToken("<tool>", normalized=False), AddedToken("</tool>", normalized=False)])
    t.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", t.token_to_id("<s>"))])
    return t

def unigram():
    t = Tokenizer(models.Unigram())
    t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    t.decoder = decoders.Metaspace(prepend_scheme="always")
    train(t, trainer=trainers.UnigramTrainer, vocab_size=120, unk_token="<unk>", special_tokens=["<unk>", "<s>", "</s>"], show_progress=False)
    t.add_special_tokens(SPECIAL)
    return t

def write(out, name, t):
    target = out / name
    target.mkdir(parents=True, exist_ok=True)
    (target / "tokenizer.json").write_text(t.to_str(), encoding="utf-8")
    (target / "tokenizer_config.json").write_text(json.dumps(dict(
        bos_token="<s>", eos_token=dict(content="</s>"),
        chat_template=[dict(name="default", template="{% for m in messages %}<|user|>{{ m.content }}<|end|>\n{% endfor %}<|assistant|>"),
                       dict(name="tool_use", template="{{ nothing }}")])))
    (target / "generation_config.json").write_text(json.dumps(dict(eos_token_id=[t.token_to_id("<|end|>")])))
    cases = []
    for text in TEXTS:
        ids = t.encode(text, add_special_tokens=False).ids
        cases.append(dict(text=text, ids=ids, decoded=t.decode(ids)))
    chat = "<|user|>Hello there<|end|>\n<|assistant|>"
    (target / "expected.json").write_text(json.dumps(dict(
        cases=cases, chat=t.encode(chat, add_special_tokens=False).ids,
        bos=t.encode("a", add_special_tokens=True).ids[0] == t.token_to_id("<s>"),
        ends=sorted({t.token_to_id("</s>"), t.token_to_id("<|end|>")})), ensure_ascii=False), encoding="utf-8")

if __name__ == "__main__":
    out = Path(sys.argv[1])
    write(out, "byte-level", byte_level())
    write(out, "sentencepiece-prepend", sentencepiece(True))
    write(out, "sentencepiece-plain", sentencepiece(False))
    write(out, "unigram", unigram())
