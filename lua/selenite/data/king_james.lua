-- The King James Bible, to train on.

local errors = require "selenite.errors"

-- data.king_james(): the King James Bible as the program `bible` prints it, a verse a line; 4.3
-- million characters of ASCII. From Debian's package bible-kjv.
local function king_james()
  local pipe = io.popen("bible -l9999 gen1:1-rev22:21 2>/dev/null")
  local text = pipe and pipe:read "*a" or ""
  if pipe then pipe:close() end
  if #text < 4000000 then
    errors.raise "king_james: the program `bible` is not there. On Debian: apt install bible-kjv"
  end
  return text
end

return king_james
