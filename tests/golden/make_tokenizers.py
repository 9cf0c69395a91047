#!/usr/bin/env python3
"""Makes golden/tokenizers: tokenizer.json files that Hugging Face's library trained on genesis.txt
(the beginning of the King James Bible), and what it makes of some texts. Needs the package
`tokenizers`; the tests only need the files.

expected.json: for each file a list of [text, ids, ids without special tokens, decoded, decoded without
special tokens]."""
import json
import os

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers import processors, trainers

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tokenizers")
TEXT = open(os.path.join(FOLDER, "genesis.txt")).read()

TEXTS = [
    "", " ", "  ", "\n", "a", "In the beginning God created the heaven and the earth.",
    "And God said, Let there be light: and there was light.", "don't I'll we've you're it's I'm he'd",
    "DON'T I'LL WE'VE", "'s's'S", "two  spaces   three\ttab\n\nlines \n end ", "   leading", "trailing   ",
    "naïve café résumé Ångström", "cafe\u0301 A\u030angstro\u0308m", "Straße İstanbul ΑΣΣΟΣ ǅ ﬁ",
    "日本語のテキスト、中文文本。한국어", "漢字 mixed漢字text", "🙂 😀👍🏽 👨‍👩‍👧 🥲🫠 🇰🇷", "x²+y³=½ ٣٤ Ⅷ ① 12,345.67",
    "$5.00 + €3 = ¥?", "a-b_c/d\\e|f~g`h^i", "(round) [square] {curly} <angle>", "“curly” ‘quotes’ — dash…",
    "\u00a0non\u00a0breaking\u2003em\u3000wide\u200bzero\u2028line\u1680ogham\u180emvs\u0085nel",
    "\u0000\u0001\u001c\u001f\u007f\u0080 controls \r\n", "\ufeffbom \ufffd replacement \ue000 private \u0378",
    "السلام عليكم हिन्दी ไทย", "Zażółć gęślą jaźń", "a" * 150, "the" * 60, "<|endoftext|>", "a<|endoftext|>b",
    "<|endoftext|><|endoftext|>x", "<|end", "[CLS] text [SEP] [MASK] [mask]", " <mask> here<mask>",
    "keep NEWTOKEN keepNEWTOKENkeep newtoken", "it is n't so , ' do not ' go . ok ? yes !", "##ing ing##",
    "AND GOD SAID unto ABRAHAM", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𠀀𪜀 math", "e\u0301\u0301\u0301 \u0301alone",
]


def bpe(special, **level):
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(**level)
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator([TEXT], trainers.BpeTrainer(
        vocab_size=420, min_frequency=2, special_tokens=special, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return t


def wordpiece(**normal):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(**normal)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.decoder = decoders.WordPiece()
    t.train_from_iterator([TEXT + " naive cafe istanbul 漢 字 do not n't , . ! ? ' é"],
                          trainers.WordPieceTrainer(vocab_size=300, show_progress=False, special_tokens=[
                              "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))
    return t


files = {"bpe": bpe(["<|endoftext|>"], add_prefix_space=False)}

t = bpe(["<s>", "<pad>", "</s>", "<unk>", "<mask>"], add_prefix_space=True)
t.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
t.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=False)])
files["roberta"] = t

t = bpe(["<|endoftext|>"], add_prefix_space=False)
t.pre_tokenizer = pre_tokenizers.Sequence([
    pre_tokenizers.Split(Regex(
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"), "isolated"),
    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
t.post_processor = processors.Sequence([processors.ByteLevel(), processors.TemplateProcessing(
    single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)])])
files["llama"] = t

t = wordpiece(lowercase=True)
t.post_processor = processors.TemplateProcessing(
    single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
    special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
t.add_tokens([AddedToken("NEWTOKEN", single_word=True)])
files["bert"] = t

t = wordpiece(lowercase=False)
t.decoder = decoders.WordPiece(cleanup=False)
files["bert_cased"] = t

expected = {}
for name, t in files.items():
    t.save(os.path.join(FOLDER, name + ".json"), pretty=False)
    expected[name] = []
    for text in TEXTS:
        ids, plain = t.encode(text).ids, t.encode(text, add_special_tokens=False).ids
        expected[name].append([text, ids, plain, t.decode(ids, skip_special_tokens=False),
                               t.decode(ids, skip_special_tokens=True)])
with open(os.path.join(FOLDER, "expected.json"), "w") as file:
    json.dump(expected, file)
