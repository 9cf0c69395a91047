-- CSV files: quoting, types given and guessed, missing values, mistakes and where they are.

local sel = require "selenite"
local data = sel.data
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

local function read(text, options)
  local file = assert(io.open("table.csv", "wb"))
  file:write(text)
  file:close()
  return data.read_csv("table.csv", options)
end

local people = 'name,age,height,city,id\n"Kim, Min",31,1.75,Seoul,7\r\nAda,36,1.6,London,8\n'
  .. 'Bo,,NA,Seoul,9\n'

test("types are guessed", function()
  local csv = read(people)
  equal(csv.rows, 3)
  equal(csv.names, { "name", "age", "height", "city", "id" })
  equal({ csv.types.name, csv.types.age, csv.types.height, csv.types.city, csv.types.id },
        { "category", "number", "number", "category", "integer" })
  near(csv:column "height":narrow(1, 1, 2), { 1.75, 1.6 })
  equal(csv:column "height":dtype(), "f32")
  local age = csv:column("age", "f64"):totable()
  equal({ age[1], age[2] }, { 31, 36 })
  equal(age[3] ~= age[3], true)
  equal(csv:column "id":totable(), { 7, 8, 9 })
  equal(csv:column "id":dtype(), "i64")
  equal(csv:categories "city", { "London", "Seoul" })
  equal(csv:column "city":totable(), { 1, 0, 1 })
  equal(csv:categories "name", { "Ada", "Bo", "Kim, Min" })
  check.contains(csv, "csv of 3 rows", "age: number")
end)

test("types that are given", function()
  local csv = read(people, { types = { name = "string", id = "number", city = "skip" } })
  equal(csv:column "name", { "Kim, Min", "Ada", "Bo" })
  equal(csv:column "id":dtype(), "f32")
  equal(csv.names, { "name", "age", "height", "id" })
  csv = read("a,b\n1,x\n007,y\n", { types = { a = "category" } })
  equal(csv:categories "a", { "007", "1" })
  equal(csv:column "a":totable(), { 1, 0 })
  csv = read("a\n9223372036854775807\n-5\n", { types = { a = "integer" } })
  equal(csv:column "a":totable()[2], -5)
  csv = read("a,b\n,1\nx,2\n", { types = { a = "category" } })
  equal(csv:column "a":totable(), { -1, 0 })
end)

test("quoted cells hold delimiters, quotes and line ends", function()
  local csv = read('\xEF\xBB\xBFa,"b ""x"""\n"1\n2","say ""hi"""\n\n"",\r\nx,"y;,\r\n"')
  equal(csv.names, { "a", 'b "x"' })
  csv = read('a,b\n"1\n2","say ""hi"""\n\n"",\r\nx,"y;,\r\n"',
             { types = { a = "string", b = "string" } })
  equal(csv:column "a", { "1\n2", "", "x" })
  equal(csv:column "b", { 'say "hi"', "", "y;,\r\n" })
end)

test("other delimiters, no header, other words for missing", function()
  local csv = read("1;2,5\n3;?\n", { header = false, delimiter = ";", missing = { "?" } })
  equal(csv.names, { "1", "2" })
  equal(csv:column "1":totable(), { 1, 3 })
  equal(csv:categories "2", { "2,5" })
  equal(csv:column "2":totable(), { 0, -1 })
  csv = read("x\ty\n1\t-\n", { delimiter = "\t", missing = { "-" }, types = { y = "number" } })
  equal(csv.types.y, "number")
  csv = read("a,b\n1, 2 \n-3e2,inf\n")
  equal(csv:column "b":totable(), { 2, math.huge })
  equal(csv:column "a":totable(), { 1, -300 })
end)

test("tensors and datasets", function()
  local csv = read("x,y,z,kind\n1,2,0.5,b\n3,4,1.5,a\n5,6,2.5,b\n")
  equal(csv:tensor { "z", "x" }:totable(), { { 0.5, 1 }, { 1.5, 3 }, { 2.5, 5 } })
  equal(csv:tensor():shape(), { 3, 3 })
  equal(csv:tensor({ "x" }, "i64"):dtype(), "i64")
  local x, y = csv:dataset { inputs = { "x", "y" }, target = "kind" }:example(1)
  equal({ x:dtype(), y:dtype() }, { "f32", "i64" })
  equal({ x:totable()[1][2], y:item() }, { 2, 1 })
  x, y = csv:dataset { inputs = { "x" }, target = "z" }:example(2)
  equal({ x:shape()[2], y:shape()[2], y:item() }, { 1, 1, 1.5 })
  equal(csv:dataset { inputs = { "x" } }:size(), 3)
end)

test("many rows, across blocks", function()
  local lines = { "i,text" }
  for i = 1, 30000 do lines[i + 1] = ('%d,"row ""%d"""'):format(i, i) end
  local csv = read(table.concat(lines, "\n"), { types = { text = "string" } })
  equal(csv.rows, 30000)
  equal(csv:column "i":sum():item(), 30000 * 30001 / 2)
  equal(csv:column "text"[29999], 'row "29999"')
end)

test("mistakes in a file are named by line and byte", function()
  local function refused(text, options, ...)
    local pieces = { ... }
    raises(function() read(text, options) end, unpack(pieces))
  end
  local number = { types = { b = "number" } }
  refused("a,b\n1,2\n3,x\n", number, "table.csv:3:3: column 'b': expected a number, got 'x'")
  refused("a,b\n1,0x10\n", number, "table.csv:2:3: ", "0x10")
  refused("a,b\n1,2.5\n", { types = { b = "integer" } }, "2:3", "a whole number, got '2.5'")
  refused("a,b\n1,\n", { types = { b = "integer" } }, "which can't be missing")
  refused("a,b\n1,99999999999999999999\n", { types = { b = "integer" } }, "2:3")
  refused("a,b\n1,2,3\n", nil, "table.csv:2:5: expected 2 cells in a line", "more than 2")
  refused("a,b\n1\n", nil, "table.csv:2:1: expected 2 cells", "got 1")
  refused('a,b\n1,"x\n', nil, "table.csv:2:3: the quote that opens here is never closed")
  refused('a,b\n1,x"y"\n', nil, "table.csv:2:4: a quote inside a cell")
  refused('a,b\n1,"x"y\n', nil, "table.csv:2:6: behind a closing quote")
  refused("a,b\r1,2\r", nil, "table.csv:1:5: a CR without LF")
  refused("a,a\n1,2\n", nil, "table.csv:1: two columns are named 'a'")
  refused("a,b\n1,x\0y\n", nil, "table.csv:2:3: the cell has a zero byte")
  refused("", nil, "read_csv: table.csv: expected a first line")
  refused('"a\nb",c\n1,2\n3,x\n', { types = { c = "number" } }, "table.csv:4:3")
end)

test("mistakes in a call", function()
  local csv = read "a,b\n1,x\n"
  raises(function() data.read_csv "none.csv" end, "read_csv: none.csv: No such file")
  raises(function() data.read_csv(3) end, "read_csv: argument 1 (path)")
  raises(function() read("a\n1\n", { types = { c = "number" } }) end, "has no column 'c'")
  raises(function() read("a\n1\n", { types = { a = "float" } }) end, "'number'", "float")
  raises(function() read("a\n1\n", { delimiter = ";;" }) end, "one character")
  raises(function() read("a\n1\n", { sep = ";" }) end, "no option 'sep'")
  raises(function() csv:column "c" end, "column: expected a column of the file, a, b")
  raises(function() csv:categories "a" end, "'a' is of type integer")
  raises(function() csv:dataset {} end, "inputs")
  csv = read("a,b\n1,x\n", { types = { b = "string" } })
  raises(function() csv:tensor { "b" } end, "'b' is of type string")
  raises(function() csv:dataset { inputs = { "a" }, target = "b" } end, "'b' is of type string")
end)
