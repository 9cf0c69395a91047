-- An axis: from values to places between 0 and 1, with ticks at round numbers.

local M = {}

-- A step of 1, 2 or 5 times a power of ten that cuts `range` into about n parts.
local function round_step(range, n)
  local raw = range / n
  local power = 10 ^ math.floor(math.log10(raw))
  local digit = raw / power
  return (digit < 1.5 and 1 or digit < 3.5 and 2 or digit < 7.5 and 5 or 10) * power
end

-- "1.50e+06" -> "1.50e6"
local function tidy(text)
  return (text:gsub("e%+?(%-?)0*(%d)", "e%1%2"))
end

-- Text of a tick, with the decimals that `step` needs and no more.
local function text_of(value, step, largest)
  if value == 0 then return "0" end
  local decimals = -math.floor(math.log10(step) + 1e-9)
  if largest >= 1e6 or step < 1e-4 then
    local digits = math.floor(math.log10(math.abs(value)) + 1e-9) + decimals
    return tidy(("%." .. math.min(math.max(digits, 0), 16) .. "e"):format(value))
  end
  return ("%." .. math.max(decimals, 0) .. "f"):format(value)
end

-- Bounds that leave room: where all values are (nearly) the same, or there is none.
local function widened(low, high)
  if low > high then return 0, 1 end
  local size = math.max(math.abs(low), math.abs(high))
  if high - low > size * 1e-9 then return low, high end
  local room = size > 0 and size / 2 or 0.5
  return low - room, high + room
end

-- Numbers that are drawn at a place: a function value -> 0..1.
local function placer(low, high)
  local range = high - low
  return function(value) return (value - low) / range end
end

-- An axis from low to high, `padding` being the part of the range to leave free at either end, with
-- about n ticks, at whole numbers alone where `whole` is set. Fields: place(value),
-- ticks = { { value, text, place } ... }, low, high.
function M.linear(low, high, n, padding, whole)
  low, high = widened(low, high)
  local room = (high - low) * (padding or 0)
  low, high = low - room, high + room
  local step = round_step(high - low, n)
  if whole then step = math.max(step, 1) end
  local place, ticks = placer(low, high), {}
  local largest = math.max(math.abs(low), math.abs(high))
  for i = math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6) do
    local value = i * step
    ticks[#ticks + 1] = { value = value, text = text_of(value, step, largest),
                          place = place(value) }
  end
  return { low = low, high = high, place = place, ticks = ticks }
end

-- The same with logarithms; low must be above zero where low <= high. Ticks are powers of ten, or
-- 1, 2 and 5 times such where there are few of them.
function M.logarithmic(low, high, n, padding)
  if low > high then low, high = 1, 10 end
  if high / low < 1.001 then low, high = low / 2, high * 2 end
  local from, to = math.log10(low), math.log10(high)
  local room = (to - from) * (padding or 0)
  from, to = from - room, to + room
  local between = placer(from, to)
  local function place(value) return between(math.log10(value)) end
  local digits = to - from < 2 and { 1, 2, 5 } or { 1 }
  local every = math.max(math.floor((to - from) / n + 0.5), 1)
  local ticks = {}
  for power = math.floor(from), math.ceil(to) do
    for _, digit in ipairs(digits) do
      local at = between(power + math.log10(digit))
      if power % every == 0 and at >= -1e-9 and at <= 1 + 1e-9 then
        local value = digit * 10 ^ power
        ticks[#ticks + 1] = { value = value, text = tidy(("%g"):format(value)), place = at }
      end
    end
  end
  return { low = 10 ^ from, high = 10 ^ to, place = place, ticks = ticks }
end

return M
