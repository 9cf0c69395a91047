-- Damaged files: whatever the bytes, a reader of sel.data gives a result or an error with a text.

local sel = require "selenite"
local data = sel.data
local check = require "check"
local test = check.test

local golden = os.getenv "SEL_TEST_DIR" .. "/golden/"

local read, write = check.read_file, check.write_file

-- One to four changes: a byte, a piece that is missing, a piece that is there twice, the end.
local function damage(text)
  for _ = 1, math.random(4) do
    local at, n = math.random(#text), math.random(8)
    local kind = math.random(5)
    if kind <= 2 then
      text = text:sub(1, at - 1) .. string.char(math.random(0, 255)) .. text:sub(at + 1)
    elseif kind == 3 then
      text = text:sub(1, at - 1) .. text:sub(at + n)
    elseif kind == 4 then
      text = text:sub(1, at) .. text:sub(math.max(1, at - n))
    else
      text = text:sub(1, math.max(1, math.random(2) == 1 and at or #text - n))
    end
  end
  return text
end

local function survives(name, path, rounds, reader)
  test(name, function()
    math.randomseed(7)
    local whole, good = read(golden .. path), 0
    for _ = 1, rounds do
      local text = damage(whole)
      write("damaged", text)
      local ok, message = pcall(reader, "damaged", text)
      if ok then
        good = good + 1
      elseif type(message) ~= "string" or #message == 0 then
        error("an error without a text")
      end
    end
    assert(good < rounds, "nothing was damaged")
  end)
end

for _, name in ipairs { "wide.jpg", "tall.jpg", "grey.jpg", "tall.png" } do
  survives(name, "images/" .. name, 150, sel.load_image)
end
for _, name in ipairs { "bpe", "bert", "llama" } do
  survives(name .. ".json", "tokenizers/" .. name .. ".json", 150, function(path)
    local tokenizer = data.load_tokenizer(path)
    tokenizer:decode(tokenizer:encode "And God said, don't [MASK] 日本 \xff")
  end)
end
for _, name in ipairs { "stereo", "pcm24", "float" } do
  survives(name .. ".wav", "audio/" .. name .. ".wav", 150, sel.load_audio)
end
survives("a table", "tokenizers/genesis.txt", 150, function(path)
  local csv = data.read_csv(path, { delimiter = " ", header = false })
  for _, name in ipairs(csv.names) do csv:column(name) end
end)

test("tables of random characters", function()
  math.randomseed(3)
  local letters = { "a", "1", ".5", ",", ",", '"', '""', "\n", "\r\n", "\r", " ", "-", "\0", "é" }
  for _ = 1, 400 do
    local parts = {}
    for i = 1, math.random(40) do parts[i] = letters[math.random(#letters)] end
    write("damaged", table.concat(parts))
    local ok, csv = pcall(data.read_csv, "damaged")
    if ok then
      for _, name in ipairs(csv.names) do csv:column(name) end
    else
      check.contains(csv, "damaged")
    end
  end
end)
