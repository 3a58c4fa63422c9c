# Makes added-tokens.json: what Hugging Face's tokenizers (0.23) make of texts around added tokens with random flags.
import json,random,sys
from tokenizers import Tokenizer
root=sys.argv[1]; random.seed(20261130)
POOL=["<|end|>","<|end|>>","<s>","</s>","end","<e","d|>","[X]","§","日本","🙂","<|a|>","|a","<end> "]
BITS=["<|end|>","<|en","d|>","<s>","</s>","end","endless","<e","[X]","x","_"," ","  ","\n","\u00a0","\u2003","é","日本","🙂","§","<|a|>","|a|","1","<b>",".","\n\n","\u0085"]
out=[]
for base,normalizers in [("byte-level",False),("metaspace",False),("byte-level",False),("metaspace",False),("sentencepiece-prepend",True)]*12:
    scheme=None
    if base=="metaspace":
        d=json.load(open(root+"/sentencepiece-plain/tokenizer.json")); scheme=random.choice(["first","always","never"])
        d["normalizer"]=None
        d["pre_tokenizer"]={"type":"Metaspace","replacement":"▁","prepend_scheme":scheme,"split":random.choice([True,False])}
    else:
        d=json.load(open(root+f"/{base}/tokenizer.json"))
        if base=="byte-level":
            d["pre_tokenizer"]["pretokenizers"][-1]["add_prefix_space"]=random.choice([True,False])
    d["post_processor"]=None
    vocab=d["model"]["vocab"]; n=max(vocab.values())+1
    keep=[t for t in d["added_tokens"] if t["content"] in vocab]
    added=list(keep)
    flag=lambda p: random.random()<p
    for i,c in enumerate(random.sample([p for p in POOL if p not in vocab],7)):
        special=flag(.6)
        normalized=flag(.3)
        if normalizers: normalized=False
        added.append(dict(id=n+i,content=c,single_word=flag(.25),lstrip=flag(.3),rstrip=flag(.3),normalized=normalized,special=special))
    d["added_tokens"]=added
    t=Tokenizer.from_str(json.dumps(d))
    cases=[]
    for _ in range(12):
        x="".join(random.choice(BITS) for _ in range(random.randint(1,12)))
        try: cases.append(dict(text=x,ids=t.encode(x,add_special_tokens=False).ids))
        except BaseException: pass # it panics where a token begins with what another strips
    out.append(dict(base="sentencepiece-plain" if scheme else base,normalizer=d["normalizer"],pre_tokenizer=d["pre_tokenizer"],added=added,cases=cases))
open(sys.argv[2],"w").write("[\n"+",\n".join(json.dumps(o,ensure_ascii=True) for o in out)+"\n]\n")
