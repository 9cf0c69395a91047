-- The benchmark: workloads in Selenite and in PyTorch, in turn on one machine. docs/BENCHMARKS.md
-- says how to run and read it; workloads.lua lists what is measured.
--
-- usage: selenite bench.lua [options]
--        selenite bench.lua compare BEFORE.json AFTER.json

local here = arg[0]:match "^(.*/)[^/]*$" or "./"
package.path = here .. "?.lua;" .. package.path
local json = require "selenite.json"
local result_text = require "result_text"
local measure = require "measure"
local networks = require "networks"
local operations = require "operations"
local report = require "report"
local workloads = require "workloads"

local usage = [[
options
  --only TEXT      only workloads whose name contains TEXT
  --kind KIND      only "training", "inference" or "micro"
  --rounds N       how often the sides take turns (9)
  --seconds S      how long a turn is (0.5; micro: a fifth of it)
  --threads N      of each side (2)
  --python PATH    a Python that has PyTorch
  --alone          Selenite alone
  --fused          PyTorch's optimizers with fused kernels
  --out FILE       where results go (results.json)
  --short          one step of all but the larger operations: whether it works, nothing of time
  --list           prints the names]]

local options = { rounds = 9, seconds = 0.5, threads = 2, out = "results.json" }
local switches = { alone = true, fused = true, short = true, list = true }
local values = { only = true, kind = true, python = true }

local function mistake(text)
  io.stderr:write("bench: ", text, "\n", usage, "\n")
  os.exit(2)
end

local function read_options()
  local i = 1
  while i <= #arg do
    local name = arg[i]:match "^%-%-(.+)"
    if name and switches[name] then
      options[name] = true
    elseif name and (values[name] or options[name]) and arg[i + 1] then
      i = i + 1
      local number = type(options[name]) == "number"
      options[name] = number and (tonumber(arg[i]) or mistake(arg[i] .. " is no number")) or arg[i]
    else
      mistake(("there is no option '%s', or no value behind it"):format(arg[i]))
    end
    i = i + 1
  end
  if not (options.python or options.alone or options.list) then
    mistake "PyTorch needs --python PATH; --alone does without"
  end
end

local function read_run(path)
  local file = assert(io.open(path))
  local run = json.decode(file:read "*a")
  file:close()
  return run
end

-- ---- what a file says about where its numbers are from ----

local function output_of(command)
  local pipe = io.popen(command .. " 2>/dev/null")
  local line = pipe:read "*l"
  pipe:close()
  return line
end

local function commit()
  local git = ("git -C '%s' "):format(here)
  local name = output_of(git .. "rev-parse --short HEAD")
  if not name then return "unknown" end
  return name .. (output_of(git .. "status --porcelain -uno") and "+" or "")
end

local function describe_machine()
  local load = output_of "cut -d' ' -f1 /proc/loadavg"
  return { processor = output_of "sed -n 's/^model name[^:]*: //p' /proc/cpuinfo" or "unknown",
           cores = tonumber(output_of "nproc") or 0, load = tonumber(load) or 0 }
end

-- ---- running ----

local function sides()
  local selenite = here .. "worker.lua"
  local list = { { name = "selenite", command = ("exec '%s' '%s' %d"):format(
    arg[-1], selenite, options.threads) } }
  if not options.alone then
    list[2] = { name = "pytorch", command = ("exec '%s' -W ignore '%sworker.py' %d%s"):format(
      options.python, here, options.threads, options.fused and " --fused" or "") }
  end
  return list
end

local function chosen()
  local list = {}
  for _, workload in ipairs(workloads.list) do
    local named = not options.only or workload.name:find(options.only, 1, true)
    local large = options.short and workload.kind == "micro" and workload.size > 1
    if named and not large and (not options.kind or workload.kind == options.kind) then
      list[#list + 1] = workload
    end
  end
  if #list == 0 then mistake "no workload is chosen" end
  return list
end

-- Additions and multiplications of the products in one step, or token; nil where there are none.
local function flops_of(workload)
  local source = workload.network and networks[workload.network]
    or operations.by_name[workload.operation]
  if not source.flops then return nil end
  local forward, unneeded = source.flops(workload)
  if workload.mode == "train" then return 3 * forward - unneeded end
  if workload.mode == "gradient" then return 3 * forward end
  return forward / (workload.tokens or 1)
end

local TOLERANCE = 1e-3 -- of a loss after some steps in f32, relative

local function agrees(result)
  local workload = workloads.find(result.name)
  local random = workload.operation and operations.by_name[workload.operation].random
  return random or not result.difference or result.difference <= TOLERANCE
end

local run = { results = {}, machine = describe_machine(), commit = commit(),
              date = os.date "!%Y-%m-%dT%H:%M:%SZ" }
local failures = 0

local function write_results()
  local file = assert(io.open(options.out, "w"))
  file:write(result_text(run))
  file:close()
end

local function settings_for(workload)
  if options.short then return { rounds = 1, checks = 1 } end
  return { rounds = options.rounds, checks = 5,
           seconds = workload.kind == "micro" and options.seconds / 5 or options.seconds }
end

local function measure_one(workload, workers)
  local result = measure.workload(workload, workers, settings_for(workload))
  result.flops = flops_of(workload)
  local ratio = report.ratio(result)
  io.stderr:write(("%-45s %s%s\n"):format(workload.name, ratio and ("%.2f"):format(ratio) or "done",
    agrees(result) and "" or ("  THE SIDES DISAGREE BY %g"):format(result.difference)))
  for _, each in ipairs(workers) do
    for _, value in ipairs(result[each.side.name].values) do
      if value ~= value then
        error(("%s: %s computes NaN"):format(workload.name, each.side.name), 0)
      end
    end
  end
  if not agrees(result) then failures = failures + 1 end
  return result
end

-- The faster of the two sides' products is what the machine can do.
local function measure_peak(workers)
  local result = measure_one(workloads.peak, workers)
  run.peak = 0
  for _, each in ipairs(workers) do
    local best = math.min(unpack(result[each.side.name].samples))
    run["peak_" .. each.side.name] = result.flops / best
    if result.flops / best > run.peak then
      run.peak, run.peak_of = result.flops / best, each.version
    end
  end
end

local function with_workers(folder, fn)
  local workers = {}
  for i, side in ipairs(sides()) do workers[i] = measure.start(side, folder) end
  run.versions = run.versions or {}
  for _, each in ipairs(workers) do run.versions[each.side.name] = each.version end
  fn(workers)
  for _, each in ipairs(workers) do each:stop() end
end

-- Processes of their own for networks, whose memory is compared; one pair for all operations.
local function measure_all(folder)
  local micro = {}
  for _, workload in ipairs(chosen()) do
    if workload.kind == "micro" then
      micro[#micro + 1] = workload
    else
      with_workers(folder, function(workers)
        run.results[#run.results + 1] = measure_one(workload, workers)
      end)
      write_results()
    end
  end
  with_workers(folder, function(workers)
    if not options.short then measure_peak(workers) end
    for _, workload in ipairs(micro) do
      run.results[#run.results + 1] = measure_one(workload, workers)
    end
  end)
  write_results()
end

if arg[1] == "compare" then
  if #arg ~= 3 then mistake "compare needs two files of results" end
  report.compare(read_run(arg[2]), read_run(arg[3]))
  return
end
read_options()
if options.list then
  for _, workload in ipairs(chosen()) do print(workload.name) end
  return
end
if run.machine.load > 0.5 and not options.short then
  io.stderr:write(("bench: the machine is busy (load %.2f): times will mislead\n")
                  :format(run.machine.load))
end
run.threads, run.fused = options.threads, options.fused or false
local folder = assert(output_of "mktemp -d")
local ok, message = pcall(measure_all, folder)
os.execute(("rm -rf '%s'"):format(folder))
if not ok then error(message, 0) end
report.print(run)
print("results are in " .. options.out)
if failures > 0 then
  io.stderr:write(("bench: in %d workloads the sides don't compute the same\n"):format(failures))
  os.exit(1)
end
