-- What the headers' comments are found to belong to, and which operations have one.

local check = require "check"
local headers = require "selenite.doc.headers"
local comments = require "selenite.doc.comments"
local sel = require "selenite"

local test, equal = check.test, check.equal

test("a comment belongs to the declaration behind it", function()
  equal(headers.comment "topk", "The k largest (smallest) along dim, in order.")
  equal(headers.comment "amin", headers.comment "amax") -- the same arguments
  equal(headers.comment "view", headers.comment "reshape") -- named
  equal(headers.comment "layer_type_at", "NULL past the last") -- behind it
  equal(headers.comment "nowhere", nil)
end)

test("rows of pointwise operations are formulas", function()
  equal(headers.comment "sigmoid", "1 / (1 + exp(-x)), element by element; float dtypes")
  equal(headers.comment "remainder",
        "a - b * floor(a / b), element by element; every dtype but bool")
  equal(headers.comment "clamp_", "(x < min) ? min : (x > max) ? max : x, element by element; "
        .. "every dtype but bool; written into the first")
  equal(headers.comment "relu_grad", nil)
end)

test("arguments have their defaults", function()
  equal(comments.parameters(sel.norm), "x, p = 2, dims, keepdim")
  equal(comments.parameters(sel.matmul), "a, b")
end)

test("the page about layer types has what they describe", function()
  local page = require("selenite.doc.layers").page()
  local linear = page:match "\n### nn%.linear\n(.-)\n###"
  check.contains(linear, "`nn.linear(in_features, out_features, {bias, dtype})`",
                 "| `in_features` | whole number 1..inf | required |",
                 "| `bias` | boolean | `true` |",
                 "| takes `input` | `[*, in_features]` |", "```lua\nnn.linear(784, 10)")
  for _, piece in ipairs { "| relu\\|gelu\\|swiglu |", "| takes `lengths`, may be left out |" } do
    equal({ piece, page:find(piece, 1, true) ~= nil }, { piece, true })
  end
end)

test("the page about functions has signatures and first sentences", function()
  local page = require("selenite.doc.functions").page()
  for _, row in ipairs {
    "| `x:matmul(b)` | As torch.matmul: [n,k]x[k,m], vectors on either side",
    "| `x:sigmoid()` | 1 / (1 + exp(-x)), element by element; float dtypes (in place: ",
    "| `sel.cat({a, b}, dim)` | joined along a dim (1 unless given) |",
    "| `loader:rows()` | examples |", "| `sel.zeros(2, 3)` | all 0 |",
    "| `x:topk(k, dim = -1, largest = true)` |",
    "| `nn.mse_loss(...)` | A loss: squared difference",
  } do
    equal({ row, page:find(row, 1, true) ~= nil }, { row, true })
  end
end)

test("every operation says what it does", function()
  local missing = {}
  for name in pairs(require "selenite.operations") do
    if not headers.comment(name) then missing[#missing + 1] = name end
  end
  equal(missing, {})
end)
