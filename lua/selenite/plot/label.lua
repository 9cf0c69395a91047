-- Text in figures: made harmless once, measured and cut in columns of a terminal.
--
-- Labels come from anywhere (class names, tokens), so control characters, which a terminal would
-- obey and XML refuses, become spaces, and bytes that are not UTF-8 become "?".

local M = {}

-- Length of the UTF-8 sequence that begins at byte i, nil where none does.
local function sequence(text, i)
  local a, b, c, d = text:byte(i, i + 3)
  local function follows(byte) return byte and byte >= 0x80 and byte < 0xC0 end
  if a < 0x80 then return 1 end
  if a >= 0xC2 and a < 0xE0 and follows(b) then return 2 end
  if a >= 0xE0 and a < 0xF0 and follows(b) and follows(c) then
    local overlong, surrogate = a == 0xE0 and b < 0xA0, a == 0xED and b >= 0xA0
    local forbidden = a == 0xEF and b == 0xBF and c >= 0xBE -- U+FFFE, U+FFFF
    return not (overlong or surrogate or forbidden) and 3 or nil
  end
  if a >= 0xF0 and a < 0xF5 and follows(b) and follows(c) and follows(d) then
    return not (a == 0xF0 and b < 0x90 or a == 0xF4 and b >= 0x90) and 4 or nil
  end
end

-- tostring(value) as one line of valid UTF-8.
function M.clean(value)
  local text = tostring(value)
  if not text:find "[^\32-\126]" then return text end
  local parts, i = {}, 1
  while i <= #text do
    local n = sequence(text, i)
    local char = n and text:sub(i, i + n - 1) or "?"
    if char:find "^[%z\1-\31\127]" or char:find "^\194[\128-\159]" then char = " " end
    parts[#parts + 1] = char
    i = i + (n or 1)
  end
  return table.concat(parts)
end

-- Iterator over the characters of a clean text.
function M.characters(text) return text:gmatch "[%z\1-\127\194-\244][\128-\191]*" end

local function code_point(char)
  local a, b, c, d = char:byte(1, 4)
  if not b then return a end
  if not c then return (a - 0xC0) * 64 + b - 0x80 end
  if not d then return ((a - 0xE0) * 64 + b - 0x80) * 64 + c - 0x80 end
  return (((a - 0xF0) * 64 + b - 0x80) * 64 + c - 0x80) * 64 + d - 0x80
end

-- Ranges that take two columns (East Asian wide, emoji), from Unicode's EastAsianWidth.txt, coarse.
local wide = { { 0x1100, 0x115F }, { 0x2E80, 0x303E }, { 0x3041, 0xA4CF }, { 0xA960, 0xA97C },
               { 0xAC00, 0xD7A3 }, { 0xF900, 0xFAFF }, { 0xFE30, 0xFE6F }, { 0xFF00, 0xFF60 },
               { 0xFFE0, 0xFFE6 }, { 0x1F300, 0x1F64F }, { 0x1F680, 0x1F6FF }, { 0x1F900, 0x1F9FF },
               { 0x20000, 0x3FFFD } }

local function columns_of(char)
  if #char == 1 then return 1 end
  local code = code_point(char)
  if code >= 0x300 and code <= 0x36F or code >= 0x200B and code <= 0x200F then return 0 end
  for _, range in ipairs(wide) do
    if code >= range[1] and code <= range[2] then return 2 end
  end
  return 1
end

-- Columns that a clean text takes.
function M.columns(text)
  if not text:find "[\128-\255]" then return #text end
  local n = 0
  for char in M.characters(text) do n = n + columns_of(char) end
  return n
end

-- The beginning of `text` that takes at most n columns.
function M.cut(text, n)
  if M.columns(text) <= n then return text end
  local parts, used = {}, 0
  for char in M.characters(text) do
    used = used + columns_of(char)
    if used > n then break end
    parts[#parts + 1] = char
  end
  return table.concat(parts)
end

-- `text` cut or filled up to exactly n columns; `side` says where it then stands: "left" unless
-- given, "right" or "centre".
function M.fit(text, n, side)
  text = M.cut(text, n)
  local free = n - M.columns(text)
  local before = side == "right" and free or side == "centre" and math.floor(free / 2) or 0
  return (" "):rep(before) .. text .. (" "):rep(free - before)
end

-- The text in ASCII: other characters become "?".
function M.ascii(text) return (text:gsub("[\194-\244][\128-\191]*", "?")) end

return M
