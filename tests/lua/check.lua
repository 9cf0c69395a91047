-- What the tests of this folder are written with: named tests, comparisons, expected errors.

local check = { passed = 0, failed = 0 }

-- Runs one test; a failure is printed with its line and doesn't stop the others.
function check.test(name, fn)
  local ok, message = xpcall(fn, debug.traceback)
  if ok then
    check.passed = check.passed + 1
  else
    check.failed = check.failed + 1
    print(("FAILED %s: %s"):format(name, message))
  end
end

local function text_of(value)
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  for i = 1, #value do parts[i] = text_of(value[i]) end
  return "{" .. table.concat(parts, ", ") .. "}"
end

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b or (a ~= a and b ~= b) end
  if #a ~= #b then return false end
  for i = 1, #a do
    if not same(a[i], b[i]) then return false end
  end
  return true
end

-- Equal numbers, strings, or arrays of them.
function check.equal(got, expected)
  if not same(got, expected) then
    error(("expected %s, got %s"):format(text_of(expected), text_of(got)), 2)
  end
end

local function near(a, b, tolerance)
  if type(a) == "table" then
    if type(b) ~= "table" or #a ~= #b then return false end
    for i = 1, #a do
      if not near(a[i], b[i], tolerance) then return false end
    end
    return true
  end
  return math.abs(a - b) <= tolerance * math.max(1, math.abs(b))
end

-- A tensor (or number, or array) equal to numbers up to `tolerance`, 1e-6 unless given.
function check.near(got, expected, tolerance)
  local numbers = type(got) == "cdata" and got:totable() or got
  if not near(numbers, expected, tolerance or 1e-6) then
    error(("expected %s, got %s"):format(text_of(expected), text_of(numbers)), 2)
  end
end

-- A text that holds every one of the given pieces (plain text).
function check.contains(text, ...)
  for _, piece in ipairs { ... } do
    if not tostring(text):find(piece, 1, true) then
      error(("expected %q in: %s"):format(piece, tostring(text)), 2)
    end
  end
end

-- fn raises an error at the caller's file whose text holds every one of the given pieces.
function check.raises(fn, ...)
  local ok, message = pcall(fn)
  if ok then error("expected an error, there was none", 2) end
  for _, piece in ipairs { ... } do
    if not tostring(message):find(piece, 1, true) then
      error(("expected %q in the error: %s"):format(piece, tostring(message)), 2)
    end
  end
  local source = debug.getinfo(fn, "S").short_src
  if not tostring(message):find(source, 1, true) then
    error(("expected an error at %s, got: %s"):format(source, message), 2)
  end
end

-- A text as one word of a shell command.
function check.quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

-- The executable that runs the tests, as a word of a shell command that holds in any folder.
local index = 0
while arg[index - 1] do index = index - 1 end
local path = arg[index]
if path:sub(1, 1) ~= "/" then path = io.popen "pwd":read "*l" .. "/" .. path end
check.program = check.quote(path)

-- Standard output, standard error (both together) and exit status of a shell command.
function check.run(command)
  local pipe = io.popen(("{ %s ; } 2>&1; echo \"[$?]\""):format(command))
  local text = pipe:read "*a"
  pipe:close()
  local output, status = text:match "^(.*)%[(%d+)%]\n$"
  return output, tonumber(status)
end

-- The bytes of a file, and a file of these bytes in place of what was there.
function check.read_file(name)
  local file = assert(io.open(name, "rb"))
  local bytes = file:read "*a"
  file:close()
  return bytes
end
function check.write_file(name, bytes)
  local file = assert(io.open(name, "wb"))
  file:write(bytes)
  file:close()
end

return check
