-- Tokenizers: what Hugging Face's library makes of the same files and texts, training, saving.

local sel = require "selenite"
local data = sel.data
local check = require "check"
local json = require "selenite.json"
local test, equal, raises = check.test, check.equal, check.raises

local golden = os.getenv "SEL_TEST_DIR" .. "/golden/tokenizers/"

local read, write = check.read_file, check.write_file

local genesis = read(golden .. "genesis.txt")
local expected = json.decode(read(golden .. "expected.json"))

for name, cases in pairs(expected) do
  test(name .. ".json gives the ids and texts of Hugging Face's library", function()
    local tokenizer = data.load_tokenizer(golden .. name .. ".json")
    local wrong = {}
    for _, case in ipairs(cases) do
      local text, ids, plain, decoded, skipped = unpack(case, 1, 5)
      local function compare(what, got, want)
        if type(want) == "table" then
          got, want = table.concat(got, " "), table.concat(want, " ")
        end
        if got ~= want then
          wrong[#wrong + 1] = ("%s of %q: expected %q, got %q"):format(what, text, want, got)
        end
      end
      compare("ids", tokenizer:encode(text):totable(), ids)
      compare("plain ids", tokenizer:encode(text, { special_tokens = false }):totable(), plain)
      compare("text", tokenizer:decode(ids), decoded)
      compare("text without special tokens",
              tokenizer:decode(ids, { skip_special_tokens = true }), skipped)
    end
    if #wrong > 0 then error(#wrong .. " differ:\n" .. table.concat(wrong, "\n")) end
  end)
end

-- Special tokens and the merged tokens' names and order are in the files, so this is all of them.
test("training makes what Hugging Face's trainer makes", function()
  local trained = data.train_bpe(genesis, { vocab_size = 420, min_frequency = 2,
                                            special_tokens = { "<|endoftext|>" } })
  local theirs = data.load_tokenizer(golden .. "bpe.json")
  equal(trained.size, 420)
  for id = 0, 419 do equal(trained:token(id), theirs:token(id)) end
  trained:save "trained.json"
  equal(json.encode(json.decode(read "trained.json").model),
        json.encode(json.decode(read(golden .. "bpe.json")).model))
end)

test("any bytes come back", function()
  local bytes = {}
  for i = 0, 255 do bytes[i + 1] = string.char(i) end
  local all = table.concat(bytes)
  sel.manual_seed(2)
  local noise = {}
  for i, byte in ipairs(sel.randint(0, 256, { 5000 }):totable()) do noise[i] = string.char(byte) end
  for _, tokenizer in ipairs { data.load_tokenizer(golden .. "bpe.json"), data.byte_tokenizer(),
                               data.train_bpe(genesis, { vocab_size = 300 }),
                               data.characters(all .. "日本") } do
    for _, text in ipairs { "", all, table.concat(noise), "x\0y", "日本", "\xe6\x97", genesis } do
      if not (tokenizer.size == 258 and text ~= all) then
        equal(tokenizer:decode(tokenizer:encode(text)) == text, true)
      end
    end
  end
end)

test("characters and bytes", function()
  local characters = data.characters "日本語 abc\n"
  equal(characters.size, 8)
  equal(characters:encode "cab 日":totable(), { 4, 2, 3, 1, 5 })
  equal(characters:decode { 6, 7 }, "本語")
  equal({ characters:token(5), characters:id "本" }, { "日", 6 })
  equal(characters:token(8), nil)
  equal(characters:id "x", nil)
  raises(function() characters:encode "ab語é" end, "encode: character 4, \"é\"", "of 8 tokens")
  local bytes = data.byte_tokenizer()
  equal(bytes.size, 256)
  equal(bytes:encode "aé":totable(), { 97, 0xc3, 0xa9 })
end)

test("what was saved is read again", function()
  local all = {}
  for i = 0, 255 do all[i + 1] = string.char(i) end
  local made = { data.characters "日本語 abc\n\"\\é", data.byte_tokenizer(),
                 data.train_bpe(genesis, { vocab_size = 350, special_tokens = { "<a>", "<b>" } }),
                 data.load_tokenizer(golden .. "bert.json") }
  local texts = { "日本語 a\"\\", table.concat(all), "And God <b>saw<a><a> it", "And God saw it" }
  for i, tokenizer in ipairs(made) do
    tokenizer:save "saved.json"
    local again = data.load_tokenizer "saved.json"
    equal(again.size, tokenizer.size)
    equal(again:encode(texts[i]):totable(), tokenizer:encode(texts[i]):totable())
    again:save "again.json"
    equal(read "again.json" == read "saved.json", true)
  end
  equal(made[3]:encode "<b>":totable(), { 1 })
  raises(function() data.characters "a\xff":save "bad.json" end, "no UTF-8")
end)

test("a long word, and a long text", function()
  local tokenizer = data.train_bpe(("ab"):rep(500), { vocab_size = 300, min_frequency = 1 })
  local word = ("ab"):rep(30000)
  equal(tokenizer:decode(tokenizer:encode(word)) == word, true)
  local text = genesis:rep(20)
  local trained = data.load_tokenizer(golden .. "bpe.json")
  equal(trained:decode(trained:encode(text)) == text, true)
end)

test("what isn't known of a file is refused by name", function()
  local plain = read(golden .. "bpe.json")
  local function refused(from, to, ...)
    local changed, n = plain:gsub(from, to, 1)
    equal(n, 1)
    write("changed.json", changed)
    raises(function() data.load_tokenizer "changed.json" end, "load_tokenizer: changed.json: ", ...)
  end
  refused('"normalizer":null', '"normalizer":{"type":"NFKC"}', "normalizer", "NFKC")
  refused('"type":"BPE"', '"type":"Unigram"', "model", "BPE or WordPiece", "Unigram")
  refused('"type":"ByteLevel"', '"type":"Metaspace"', "pre_tokenizer", "Metaspace")
  refused('"byte_fallback":false', '"byte_fallback":true', "byte_fallback")
  refused('"dropout":null', '"dropout":0.1', "dropout", "0.1")
  refused('"end_of_word_suffix":null', '"end_of_word_suffix":"</w>"', "</w>")
  refused('"merges":%[', '"merges":[["q","nowhere"],', "merge 1", "nowhere")
  refused('"merges":%[', '"merges":["q",', "merge 1 is no pair")
  refused('"merges":%[', '"merges":[["q","z"],', "merge 1 gives what is no token")
  refused('"a":65', '"a":"x"', "'a' has no id")
  refused('"a":65', '"a":66', "the id 66")
  refused('"post_processor":null', '"post_processor":{"type":"X"}', "post_processor", "X")
  -- An unknown token that isn't there matters to WordPiece alone.
  write("changed.json", (plain:gsub('"unk_token":null', '"unk_token":"<none>"')))
  equal(data.load_tokenizer "changed.json":decode { 65 }, "a")
  plain = read(golden .. "bert.json")
  refused('"unk_token":"%[UNK%]"', '"unk_token":"[NONE]"', "the unk_token '[NONE]'")
  plain = read(golden .. "bpe.json")
  write("changed.json", plain:sub(1, 2000))
  raises(function() data.load_tokenizer "changed.json" end, "changed.json: tokenizer: line")
  write("changed.json", "[1]")
  raises(function() data.load_tokenizer "changed.json" end, "expected an object")
  raises(function() data.load_tokenizer "none.json" end, "load_tokenizer: none.json: No such file")
end)

test("mistakes", function()
  local bytes = data.byte_tokenizer()
  raises(function() bytes:encode(3) end, "encode: argument 1 (text): expected a string")
  raises(function() bytes:encode("a", { special = true }) end, "no option 'special'")
  raises(function() bytes:encode("a", { special_tokens = 1 }) end, "true or false")
  raises(function() bytes:decode { 256 } end, "decode: id 256 is not in the vocabulary of 256")
  raises(function() bytes:decode { 0.5 } end, "whole numbers", "0.5", "place 1")
  raises(function() data.train_bpe("a", { vocab_size = 100 }) end, "train_bpe: ", "256 tokens")
  raises(function() data.train_bpe("a", { vocab_size = 0.5 }) end, "vocab_size")
  raises(function() data.train_bpe("a", { special_tokens = { "x", "x" } }) end,
         "'x' is there twice")
  raises(function() data.train_bpe("a", { special_tokens = { "" } }) end, "token 1 is empty")
  raises(function() data.train_bpe("a", { special_tokens = { 3 } }) end, "special_tokens")
  raises(function() data.train_bpe(3) end, "train_bpe: argument 1 (text)")
end)
