-- Tensors: making them, calculating with them, looking into them.
--
--   selenite examples/01_tensors.lua

local sel = require "selenite"

-- From numbers, by size, at random. Options come last, in a table.
local a = sel.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
local b = sel.ones(2, 3)
local ids = sel.arange(6, { dtype = "i64" })
sel.manual_seed(1)
local noise = sel.randn(2, 3)
print(a)
print("shape", table.concat(a:shape(), " x "), "dtype", a:dtype(), "device", a:device())

-- Arithmetic is elementwise; sizes broadcast as in NumPy.
print(a + b * 10)
print(a * sel.tensor { 1, 0, -1 })
print((a + noise):relu())

-- Dims and positions count from 1, from the end with a minus.
print(a[1], a[{ 2, -1 }], a:get(2, 3))
print(a[{ {}, { 2, 3 } }])           -- all rows, columns 2 to 3
print(a:sum(), a:sum(1), a:mean(2, true))
local largest, where = a:max(2)      -- along dim 2: values, and positions that count from 0
print(largest, where)

-- Views share memory: writing to one shows in the other.
local row = a[1]
row:fill_(7)
a[{ 2, 1 }] = -1
print(a)

-- Shapes.
print(a:t():shape()[1], a:reshape(3, -1):shape()[2], sel.cat({ a, b }, 1):shape()[1])

-- Products, and conversions, which are always explicit.
print(a:matmul(b:t()))
print(ids:float() / 2)

-- To Lua and back; to a file NumPy reads and back.
local numbers = a:totable()
print(numbers[1][1], sel.tensor(numbers):eq(a):all():item())
local file = os.tmpname()
sel.save_npy(file, a)
print(sel.load_npy(file):eq(a):all():item())
os.remove(file)

-- Mistakes are told in the line's own terms.
print(select(2, pcall(function() return a + sel.ones(4) end)))
