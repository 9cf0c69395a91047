-- Tokenizers: text as ids and back, of characters, bytes, byte pairs (BPE) or WordPiece; read from
-- and written to the tokenizer.json files of Hugging Face.
--
-- ids count from 0, as nn.embedding and sel.cross_entropy want them; tokenizer.size is how many.

local ffi = require "ffi"
local errors = require "selenite.errors"
local memory = require "selenite.memory"
local arguments = require "selenite.arguments"
local files = require "selenite.files"
local load_library = require "selenite.data.library"

local core = require("selenite.library").C
local M = {}
local tokenizer = {}
tokenizer.__index = tokenizer

local function library(operation) return load_library("text", operation) end

-- The tokenizer that make(C, out) writes to out[0].
local function new(operation, make)
  local C = library(operation)
  local out = ffi.new "sel_tokenizer *[1]"
  errors.check(make(C, out))
  local handle = ffi.gc(out[0], C.sel_tokenizer_release)
  return setmetatable({ handle = handle, size = tonumber(C.sel_tokenizer_size(handle)) }, tokenizer)
end

-- The text that give(size, out) writes to out[0].
local function text_of(C, give)
  local size, out = ffi.new "size_t[1]", ffi.new "char *[1]"
  errors.check(give(size, out))
  local text = ffi.string(out[0], size[0])
  C.sel_text_free(out[0])
  return text
end

-- ---- making one ----

-- data.characters(text): a tokenizer of the characters that occur in text, in the order of their
-- code points. Bytes that are no UTF-8 count as characters of their own.
function M.characters(text)
  errors.expect("string", "characters", 1, "text", text)
  return new("characters", function(C, out)
    return C.sel_tokenizer_characters(text, #text, out)
  end)
end

-- data.byte_tokenizer(): one id a byte, 256 of them.
function M.byte_tokenizer()
  return new("byte_tokenizer", function(C, out) return C.sel_tokenizer_bytes(out) end)
end

local train_options = { vocab_size = true, min_frequency = true, special_tokens = true }

local function whole(options, name, default)
  local value = options[name] == nil and default or options[name]
  if type(value) ~= "number" or value % 1 ~= 0 or value < 1 then
    errors.option("train_bpe", name, "a whole number of 1 or more", value)
  end
  return value
end

-- data.train_bpe(text, { vocab_size = 8192, min_frequency = 2, special_tokens = {} }): byte-level
-- BPE with the pattern of GPT-2, learnt from text: the most frequent pair of neighbouring tokens
-- becomes a token, until there are vocab_size of them or no pair comes min_frequency times. Special
-- tokens, such as "<|endoftext|>", get the first ids. Any text, and any bytes, can be encoded.
function M.train_bpe(text, options)
  errors.expect("string", "train_bpe", 1, "text", text)
  errors.check_options("train_bpe", options, train_options)
  options = options or {}
  local special = options.special_tokens or {}
  if type(special) ~= "table" then
    errors.option("train_bpe", "special_tokens", "a list of texts", special)
  end
  for _, token in ipairs(special) do
    if type(token) ~= "string" then
      errors.option("train_bpe", "special_tokens", "texts", token)
    end
  end
  return new("train_bpe", function(C, out)
    local settings = ffi.new "sel_bpe_settings"
    settings.vocab_size = whole(options, "vocab_size", 8192)
    settings.min_frequency = whole(options, "min_frequency", 2)
    local names = ffi.new("const char *[?]", math.max(#special, 1), special)
    settings.n_special, settings.special = #special, names
    return C.sel_tokenizer_train_bpe(text, #text, settings, out)
  end)
end

-- data.load_tokenizer(path): a tokenizer.json file, as Hugging Face's libraries write it, with a
-- BPE model behind a ByteLevel pre-tokenizer (GPT-2, RoBERTa, Llama 3) or a WordPiece model with
-- BERT's normalizer; or what tokenizer:save wrote.
function M.load_tokenizer(path)
  errors.expect("string", "load_tokenizer", 1, "path", path)
  local file, problem = io.open(path, "rb")
  local json = file and file:read "*a"
  if file then file:close() end
  if not json then errors.raise(("load_tokenizer: %s"):format(problem or path)) end
  return new("load_tokenizer", function(C, out)
    local status = C.sel_tokenizer_parse(json, #json, out)
    if status ~= 0 then core.sel_error_prefix("load_tokenizer: " .. path) end
    return status
  end)
end

-- ---- using it ----

-- tokenizer:save(path): writes a tokenizer.json file.
function tokenizer:save(path)
  errors.expect("string", "save", 1, "path", path)
  local C = library "save"
  files.write_text(path, text_of(C, function(size, out)
    return C.sel_tokenizer_json(self.handle, size, out)
  end))
end

local function flag(operation, options, name, default)
  errors.check_options(operation, options, { [name] = true })
  local value = options and options[name]
  if value == nil then return default end
  if type(value) ~= "boolean" then errors.option(operation, name, "true or false", value) end
  return value
end

-- tokenizer:encode(text, { special_tokens = true }): its ids, i64 [tokens], on the CPU; with the
-- tokens that the tokenizer puts around a text, such as [CLS] and [SEP], unless told not to.
function tokenizer:encode(text, options)
  errors.expect("string", "encode", 1, "text", text)
  local special = flag("encode", options, "special_tokens", true)
  errors.check(library "encode".sel_tokenizer_encode(self.handle, text, #text, special, memory.out))
  return memory.wrap()
end

-- tokenizer:decode(ids, { skip_special_tokens = false }): the text of ids, an i64 tensor of any
-- shape or a table. What a BPE tokenizer encoded comes back byte for byte.
function tokenizer:decode(ids, options)
  if arguments.is_tensor(ids) then ids = ids:reshape(-1):totable() end
  errors.expect("table", "decode", 1, "ids", ids)
  local skip = flag("decode", options, "skip_special_tokens", false)
  for i, id in ipairs(ids) do
    if type(id) ~= "number" or id % 1 ~= 0 then
      errors.raise(("decode: expected whole numbers, got %s at place %d")
                   :format(errors.describe(id), i))
    end
  end
  local C = library "decode"
  local array = ffi.new("int64_t[?]", math.max(#ids, 1), ids)
  return text_of(C, function(size, out)
    return C.sel_tokenizer_decode(self.handle, #ids, array, skip, size, out)
  end)
end

-- tokenizer:token(id): the text that an id stands for; nil where there is none.
function tokenizer:token(id)
  arguments.integer("token", 1, "id", id)
  local size = ffi.new "size_t[1]"
  local text = library "token".sel_tokenizer_token(self.handle, id, size)
  return text ~= nil and ffi.string(text, size[0]) or nil
end

-- tokenizer:id(token): the id of a token's text; nil where there is none.
function tokenizer:id(token)
  errors.expect("string", "id", 1, "token", token)
  local id = tonumber(library "id".sel_tokenizer_id(self.handle, token, #token))
  return id >= 0 and id or nil
end

return M
