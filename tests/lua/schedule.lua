-- Schedules against PyTorch: tests/golden/schedules.txt, made by tests/golden/make_schedules.py.

local sel = require "selenite"
local optim = sel.optim
local check = require "check"
local test, equal, near, raises = check.test, check.equal, check.near, check.raises

-- name -> list of lines, each a list of numbers.
local function read_golden()
  local golden, name = {}, nil
  for line in io.lines(os.getenv "SEL_TEST_DIR" .. "/golden/schedules.txt") do
    local title = line:match "^# (.+)"
    if title then
      name = title
      golden[name] = {}
    else
      local numbers = {}
      for number in line:gmatch "%S+" do numbers[#numbers + 1] = tonumber(number) end
      table.insert(golden[name], numbers)
    end
  end
  return golden
end
local golden = read_golden()

local function new_optimizer()
  local a = sel.ones(1, { requires_grad = true })
  local b = sel.ones(1, { requires_grad = true })
  return optim.sgd({ { params = { a } }, { params = { b }, lr = 0.5 } },
                   { lr = 0.1, momentum = 0.9 })
end

-- Steps the schedule as often as the golden file has lines and compares both groups' rates (and
-- momentum where the file has it).
local function compare(name, make)
  test(name, function()
    local o = new_optimizer()
    local schedule = make(o)
    for i, line in ipairs(golden[name]) do
      if i > 1 then schedule:step() end
      near({ schedule:last_lr(1), schedule:last_lr(2) }, { line[1], line[2] }, 1e-12)
      if line[3] then near(o:get "momentum", line[3], 1e-12) end
    end
  end)
end

compare("step_lr", function(o) return optim.step_lr(o, { step_size = 3, gamma = 0.5 }) end)
compare("multi_step_lr", function(o)
  return optim.multi_step_lr(o, { milestones = { 2, 5, 5, 9 }, gamma = 0.1 })
end)
compare("exponential_lr", function(o) return optim.exponential_lr(o, { gamma = 0.9 }) end)
compare("linear_lr", function(o)
  return optim.linear_lr(o, { start_factor = 0.25, end_factor = 1, total_iters = 4 })
end)
compare("linear_lr defaults", function(o) return optim.linear_lr(o) end)
compare("lambda_lr", function(o)
  return optim.lambda_lr(o, { fn = function(step) return 1 / (1 + step) end })
end)
compare("cosine_annealing_lr", function(o)
  return optim.cosine_annealing_lr(o, { t_max = 10, eta_min = 0.01 })
end)
compare("one_cycle_lr", function(o)
  return optim.one_cycle_lr(o, { max_lr = 1, total_steps = 20 })
end)
compare("one_cycle_lr linear three phases", function(o)
  return optim.one_cycle_lr(o, { max_lr = 1, total_steps = 20, anneal_strategy = "linear",
    three_phase = true, pct_start = 0.4, div_factor = 10, final_div_factor = 100 })
end)
compare("sequential_lr", function(o)
  local warm_up = optim.linear_lr(o, { start_factor = 0.1, total_iters = 5 })
  local decay = optim.cosine_annealing_lr(o, { t_max = 10 })
  return optim.sequential_lr(o, { schedules = { warm_up, decay }, milestones = { 5 } })
end)

local losses = { 1, 0.9, 0.95, 0.95, 0.95, 0.89, 0.89, 0.89, 0.89, 0.89, 0.5, 0.6, 0.6, 0.6, 0.6 }
local function compare_plateau(name, options)
  test(name, function()
    local o = new_optimizer()
    local schedule = optim.reduce_lr_on_plateau(o, options)
    for i, line in ipairs(golden[name]) do
      schedule:step(losses[i])
      near({ schedule:last_lr(1), schedule:last_lr(2) }, line, 1e-12)
    end
  end)
end
compare_plateau("reduce_lr_on_plateau", { patience = 1, factor = 0.5 })
compare_plateau("reduce_lr_on_plateau max abs",
  { mode = "max", patience = 2, threshold_mode = "abs", threshold = 0.01, cooldown = 1,
    min_lr = 0.02 })

test("a schedule continues from its state", function()
  local o = new_optimizer()
  local a = optim.step_lr(o, { step_size = 2 })
  for _ = 1, 3 do a:step() end
  local p = new_optimizer()
  local b = optim.step_lr(p, { step_size = 2 })
  b:load_state_dict(a:state_dict())
  a:step()
  b:step()
  near(p:get "lr", o:get "lr")
  local plateau = optim.reduce_lr_on_plateau(o, { patience = 0 })
  plateau:step(1)
  plateau:step(2)
  local other = optim.reduce_lr_on_plateau(p, { patience = 0 })
  other:load_state_dict(plateau:state_dict())
  near(p:get "lr", o:get "lr")
end)

test("mistakes", function()
  local o = new_optimizer()
  raises(function() optim.step_lr(o) end, "step_lr: option 'step_size' is required")
  raises(function() optim.step_lr({}) end, "step_lr: argument 1 (optimizer)")
  raises(function() optim.step_lr(o, { stepsize = 1 }) end, "step_lr: no option 'stepsize'")
  local wrong = { max_lr = 1, total_steps = 2, anneal_strategy = "x" }
  raises(function() optim.one_cycle_lr(o, wrong) end,
         "'cos' or 'linear'")
  local cycle = optim.one_cycle_lr(o, { max_lr = 1, total_steps = 1 })
  cycle:step()
  raises(function() cycle:step() end, "one_cycle_lr: step 2 of 1")
  raises(function() optim.reduce_lr_on_plateau(o):step() end, "reduce_lr_on_plateau", "a number")
  equal(pcall(optim.sequential_lr, o, { schedules = { cycle }, milestones = { 1 } }), false)
end)
