#!/usr/bin/env python3
"""Trains small tokenizers and writes what Hugging Face tokenizers and sentencepiece encode with them, as goldens.

Needs `pip install tokenizers==0.23.3 sentencepiece==0.2.3`. All text is written here. Each file holds a tokenizer
("tokenizer", a whole tokenizer.json; or pieces, scores and types of a SentencePiece model) and cases: the text, its ids
without bos and eos, and the ids decoded.
"""
import base64
import io
import json
import os
import random
import tempfile

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = os.path.dirname(os.path.abspath(__file__))
CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
MARKS = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SLASH = MARKS.replace(r"[\r\n]*|", r"[\r\n/]*|", 1)
LOWER = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
UPPER = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
PATTERNS = {
    "gpt-2": None,
    "llama3": [CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + MARKS],
    "qwen2": [CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + MARKS],
    "qwen35": [CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+"
               r"|\s+(?!\S)|\s+"],
    "gpt-4o": [LOWER + CONTRACTIONS + "?|" + UPPER + CONTRACTIONS + r"?|\p{N}{1,3}" + SLASH],
    "tekken": [LOWER + "|" + UPPER + r"|\p{N}" + SLASH],
    "deepseek-v3": [r"\p{N}{1,3}", "[一-龥\u3040-ゟ゠-ヿ]+",
                    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"""
                    r"|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
                    r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"],
    "deepseek-coder": [r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥\u0800-一가-\uD7FF]+", r"\p{N}"],
}
TEXT = """The lighthouse keeper's daughter doesn't sleep; she's counting ships: 1, 12, 123, 1234 and 20260 of them.
They'll say WE'LL GO, I'M SURE, you'd've known. Café, naïve, Zürich, Łódź, señor, crème brûlée; déjà vu!
    for (int i = 0; i < 10; ++i) { total += values[i] * 3.14159; }  // sums up\r\n\tif (total > 42) return false;\n\n\n
Привет, мир! Γειά σου Κόσμε. 你好，世界。こんにちは、元気ですか？ 안녕하세요 세계. مرحبا بالعالم. नमस्ते दुनिया. שלום עולם.
HTTPServer parseXMLDocument camelCaseWords SCREAMING_SNAKE_CASE x2y3 README.md https://example.org/a?b=c&d=e#f 100% €5 £7
"""
NASTY = [
    "", " ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", " \n ", "\n \n  x", "a", " a", "a ", " a ", "  a  b", "hello world",
    "Hello, World!", "don't DON'T Don'T 'S 'T 'RE 'VE 'M 'LL 'D it'ſ Iʼm 'k 'l 'r", "'", "''", "'s", "''s", " 's", "x's's",
    "1234567890", "1 22 333 4444", "١٢٣٤٥", "½ ¼ ² Ⅷ ⑨", "3.14e-10", "a1b22c333", "🙂", "👩‍👩‍👧‍👦 family", "🇩🇪🇫🇷", "👍🏽", "é", "e\u0301",
    "A\u030A\u0323", "ÅΩ\u2126\u212B", "각\u1100\u1161\u11A8", "क्षि नमस्ते", "ภาษาไทย", "日本語のテキスト、です。", "中文字符测试", "한국어 텍스트", "العربية", "עברית",
    "мир ПРИВЕТ Мир", "HTTPServer parseXML iPhone McDonald's ÉCOLE École", "ǅ ǈ ǋ", "\u00A0x\u00A0", "\u2028\u2029x\u0085y",
    "\u200Bzero\u200Dwidth", "\x00\x01\x1f\x7f", "\x1c\x1d x", "\ufeffbom", "ﬁ ﬂ Ａｂｃ １２", "....", "!!!???", "a/b//c///\n/", "://\n\n", "<|x|> <s>",
    "    indented\n\tcode();\r\n\r\n  }", "trailing   \n", "tabs\t\t\tx", "a\n\n\nb", "a \n b", "_under_score_", "a-b--c", "“quoted” ‘x’", "$100 €5 ¥9", "x²+y²=z²",
    "ͅ\u0345x", "\u0301x", "x\u0301\u0301\u0301", "\U0001F1E6", "\U000E0001", "𝒳𝟘", "ℵ₀", "ªº", "ʰʲ", "々〆ヶ", "a\u00ADb", "%%%%", "======", "a" * 70, " " * 50 + "x", "9" * 40,
    "\n" * 30, "é" * 30, "the the the the", "the lighthouse keeper's daughter", "\r\r\n\n", " \r\n x", "x\u3000y", "{\"a\": [1, 2.5, null]}",
]


def random_texts(count):
    source = random.Random(5)
    letters = list("aAzZ09 '''ststrevml  \n\r\t.,!/_-日é\u0301Ж\u00A0\u3000½ǅʰ🙂ไ\u200B€ſ")
    return ["".join(source.choice(letters) for _ in range(source.randrange(1, 24))) for _ in range(count)]


TEXTS = NASTY + random_texts(120)


def cases_of(tokenizer, texts):
    cases = []
    for text in texts:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        cases.append({"text": text, "ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=False)})
    return cases


def save(name, value):
    path = os.path.join(HERE, name + ".json")
    with open(path, "w", encoding="utf-8") as out:
        json.dump(value, out, ensure_ascii=True, separators=(",", ":"))
        out.write("\n")
    print(name, os.path.getsize(path))


def byte_level(name, patterns):
    tokenizer = Tokenizer(models.BPE())
    splits = [pre_tokenizers.Split(Regex(p), "isolated") for p in patterns or []]
    levels = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=not patterns)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(splits + [levels]) if splits else levels
    tokenizer.decoder = decoders.ByteLevel()
    if name == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    trainer = trainers.BpeTrainer(vocab_size=420, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
                                  special_tokens=["<|x|>"], show_progress=False)
    tokenizer.train_from_iterator([TEXT] * 3, trainer)
    tokenizer.add_special_tokens([AddedToken("<s>", special=True, lstrip=name == "gpt-2", rstrip=name == "llama3")])
    tokenizer.add_tokens([AddedToken("<s>x", special=False, normalized=False)])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 421)] if
                                                             tokenizer.token_to_id("<s>") == 421 else
                                                             [("<s>", tokenizer.token_to_id("<s>"))])
    texts = TEXTS + ["a <s> b", "<s>xyz", "<s><s>", "x<|x|>y", "<|x|", " <s>x <s>"]
    save(name, {"tokenizer": json.loads(tokenizer.to_str()), "cases": cases_of(tokenizer, texts)})


def sentencepiece_model(model_type, **options):
    out = io.BytesIO()
    lines = [line for line in TEXT.split("\n") if line.strip()] * 4
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(lines), model_writer=out, model_type=model_type,
                                             vocab_size=480, minloglevel=2, hard_vocab_limit=False, **options)
    return sentencepiece.SentencePieceProcessor(model_proto=out.getvalue()), out.getvalue()


def charsmap_of(proto):
    """normalizer_spec (field 3 of ModelProto) . precompiled_charsmap (field 2)."""
    def fields(data):
        at = 0
        while at < len(data):
            key, at = varint(data, at)
            if key & 7 == 2:
                size, at = varint(data, at)
                yield key >> 3, data[at:at + size]
                at += size
            elif key & 7 == 0:
                value, at = varint(data, at)
                yield key >> 3, value
            else:
                yield key >> 3, data[at:at + 4]
                at += 4

    def varint(data, at):
        value = shift = 0
        while True:
            byte = data[at]
            value |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if byte < 128:
                return value, at
    for number, value in fields(proto):
        if number == 3:
            return dict(fields(value)).get(2, b"")
    return b""


def save_sentencepiece(name, kind, processor, proto, **flags):
    def kind_of(i):
        return (2 if processor.is_unknown(i) else 3 if processor.is_control(i) else 6 if processor.is_byte(i) else
                5 if processor.is_unused(i) else 1)
    count = processor.get_piece_size()
    cases = [{"text": t, "ids": processor.encode(t), "decoded": None} for t in TEXTS if "\0" not in t]
    save(name, {"kind": kind, "pieces": [processor.id_to_piece(i) for i in range(count)],
                "scores": [processor.get_score(i) for i in range(count)], "types": [kind_of(i) for i in range(count)],
                "unknown": processor.unk_id(), "charsmap": list(charsmap_of(proto)), **flags, "cases": cases})


def sentencepieces():
    processor, proto = sentencepiece_model("bpe", byte_fallback=True, normalization_rule_name="identity",
                                           remove_extra_whitespaces=False, split_digits=True, character_coverage=0.98)
    save_sentencepiece("spm-bpe", "sentencepiece_bpe", processor, proto, remove_extra_whitespaces=False)
    with tempfile.NamedTemporaryFile("w", suffix=".tsv", delete=False) as rules:
        for source, target in [("ﬁ", "fi"), ("ﬂ", "fl"), ("½", "1/2"), ("\u00A0", " "), ("\u3000", " "), ("\t", " "),
                               ("\n", " "), ("\r", " "), ("e\u0301", "é"), ("\u200B", ""), ("…", "..."), ("Ａ", "A")]:
            rules.write(" ".join(f"{ord(c):X}" for c in source) + "\t" + " ".join(f"{ord(c):X}" for c in target) + "\n")
    processor, proto = sentencepiece_model("unigram", normalization_rule_tsv=rules.name)
    save_sentencepiece("spm-unigram", "unigram", processor, proto, remove_extra_whitespaces=True)
    os.unlink(rules.name)


def llama2_json():
    """A Llama-2 style tokenizer.json: Prepend and Replace, byte fallback, ranked merges."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
                                           decoders.Strip(" ", 1, 0)])
    byte_tokens = [f"<0x{b:02X}>" for b in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=560, special_tokens=["<unk>", "<s>", "</s>"] + byte_tokens,
                                  limit_alphabet=60, max_token_length=8, show_progress=False)
    tokenizer.train_from_iterator([line for line in TEXT.split("\n")] * 3, trainer)
    value = json.loads(tokenizer.to_str())
    value["added_tokens"] = [t for t in value["added_tokens"] if not t["content"].startswith("<0x")]
    tokenizer = Tokenizer.from_str(json.dumps(value))
    valid = [t for t in TEXTS]
    save("llama2-json", {"tokenizer": json.loads(tokenizer.to_str()),
                         "cases": cases_of(tokenizer, valid + ["a<s>b", "<s> x", "</s><s>y"])})


def main():
    for name, patterns in PATTERNS.items():
        byte_level(name, patterns)
    sentencepieces()
    llama2_json()


if __name__ == "__main__":
    main()
