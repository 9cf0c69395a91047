-- Sound: files, other sampling rates, spectrograms and mel features.
--
-- Samples are f32 [channels, frames], from -1 to 1; [frames] is taken for one channel. Names and
-- values of spectrograms are those of torch.stft and torchaudio.

local ffi = require "ffi"
local errors = require "selenite.errors"
local memory = require "selenite.memory"
local arguments = require "selenite.arguments"
local creation = require "selenite.creation"
local load_library = require "selenite.data.library"

local M = {}

local function library(operation) return load_library("audio", operation) end

local function samples_of(operation, samples)
  if not arguments.is_tensor(samples) or samples:dim() < 1 or samples:dim() > 2 then
    errors.argument(operation, 1, "samples", "a tensor [channels, frames]", samples)
  end
  if samples:dim() == 1 then samples = samples:unsqueeze(1) end
  return samples:detach():to("cpu"):to("f32"):contiguous()
end

local function positive(operation, name, value)
  if type(value) ~= "number" or value % 1 ~= 0 or value < 1 or value > 2 ^ 30 then
    errors.option(operation, name, "a whole number of 1 or more", value)
  end
  return value
end

-- ---- files ----

-- samples, rate = sel.load_audio(path): a WAV file (8 to 32 bits, float), FLAC, Ogg or what else
-- libsndfile reads: f32 [channels, frames], from -1 to 1, and frames a second.
function M.load_audio(path)
  errors.expect("string", "load_audio", 1, "path", path)
  local C = library "load_audio"
  local sound = ffi.new "sel_sound"
  errors.check(C.sel_sound_read(path, sound))
  memory.out[0] = sound.samples
  return memory.wrap(), sound.rate
end

local formats = { u8 = 8, i16 = 16, i24 = 24, i32 = 32, f32 = -32 }

-- sel.save_wav(path, samples, rate, { format = "i16" }): as "u8", "i16", "i24", "i32" or "f32".
-- What is beyond -1 to 1 is clipped where samples are whole numbers.
function M.save_wav(path, samples, rate, options)
  errors.expect("string", "save_wav", 1, "path", path)
  samples = samples_of("save_wav", samples)
  positive("save_wav", "rate", rate)
  errors.check_options("save_wav", options, { format = true })
  local format = options and options.format or "i16"
  if not formats[format] then
    errors.option("save_wav", "format", "'u8', 'i16', 'i24', 'i32' or 'f32'", format)
  end
  errors.check(library "save_wav".sel_sound_write(path, samples, rate, formats[format]))
end

local qualities = { best = 0, medium = 1, fast = 2 } -- sel_resampling

-- data.resample(samples, from, to, { quality = "medium" }): samples at rate `from` as they are at
-- rate `to`, by band-limited interpolation of quality "best", "medium" or "fast".
function M.resample(samples, from, to, options)
  samples = samples_of("resample", samples)
  positive("resample", "from", from)
  positive("resample", "to", to)
  errors.check_options("resample", options, { quality = true })
  local quality = qualities[options and options.quality or "medium"]
  if not quality then
    errors.option("resample", "quality", "'best', 'medium' or 'fast'", options.quality)
  end
  if from == to then return samples end
  errors.check(library "resample".sel_sound_resample(samples, from, to, quality, memory.out))
  return memory.wrap()
end

-- ---- spectrograms ----

-- Periodic windows, as torch makes them.
local windows = {
  hann = function(phase) return 0.5 - 0.5 * math.cos(phase) end,
  hamming = function(phase) return 0.54 - 0.46 * math.cos(phase) end,
  ones = function() return 1 end,
}

local function window_of(operation, window, size)
  if arguments.is_tensor(window) then return window:detach():to("cpu"):to("f32"):contiguous() end
  local make = windows[window]
  if not make then
    errors.option(operation, "window", "'hann', 'hamming', 'ones' or a tensor", window)
  end
  local values = {}
  for i = 1, size do values[i] = make(2 * math.pi * (i - 1) / size) end
  return creation.tensor(values, { device = "cpu" })
end

local stft_options = { n_fft = true, hop_length = true, win_length = true, window = true,
                       center = true }

local function stft(operation, samples, options)
  samples = samples_of(operation, samples)
  local n_fft = positive(operation, "n_fft", options.n_fft or 400)
  local win_length = positive(operation, "win_length", options.win_length or n_fft)
  local hop = positive(operation, "hop_length", options.hop_length or math.floor(win_length / 2))
  local center = options.center == nil or options.center
  if type(center) ~= "boolean" then errors.option(operation, "center", "true or false", center) end
  local window = window_of(operation, options.window or "hann", win_length)
  errors.check(library(operation).sel_sound_stft(samples, n_fft, hop, window, center, memory.out))
  return memory.wrap(), n_fft
end

-- data.stft(samples, { n_fft = 400, win_length = n_fft, hop_length = win_length / 2,
-- window = "hann", center = true }): f32 [channels, n_fft / 2 + 1, frames, 2], real and imaginary
-- parts, as torch.stft. window: "hann", "hamming", "ones" or a tensor. center: frames are centred
-- on samples 0, hop_length and so on, the sound mirrored at its ends.
function M.stft(samples, options)
  errors.check_options("stft", options, stft_options)
  return (stft("stft", samples, options or {}))
end

local function with(known, more)
  local all = {}
  for name in pairs(known) do all[name] = true end
  for _, name in ipairs(more) do all[name] = true end
  return all
end

local function power_of(parts, operation, power)
  if power ~= 1 and power ~= 2 then
    errors.option(operation, "power", "1 (magnitudes) or 2 (energies)", power)
  end
  local energy = parts:square():sum(-1)
  return power == 1 and energy:sqrt() or energy
end

local spectrogram_options = with(stft_options, { "power" })

-- data.spectrogram(samples, options): f32 [channels, n_fft / 2 + 1, frames]: magnitudes with power
-- = 1, energies with power = 2, which is the default; other options as data.stft.
function M.spectrogram(samples, options)
  errors.check_options("spectrogram", options, spectrogram_options)
  options = options or {}
  local parts = stft("spectrogram", samples, options)
  return power_of(parts, "spectrogram", options.power or 2)
end

-- ---- mel ----

-- Hertz to mel and back: O'Shaughnessy's formula, and that of Slaney's Auditory Toolbox (linear up
-- to 1000 Hz, then logarithmic).
local scales = {
  htk = {
    function(f) return 2595 * math.log10(1 + f / 700) end,
    function(m) return 700 * (10 ^ (m / 2595) - 1) end,
  },
  slaney = {
    function(f) return f < 1000 and f * 3 / 200 or 15 + math.log(f / 1000) * 27 / math.log(6.4) end,
    function(m) return m < 15 and m * 200 / 3 or 1000 * math.exp((m - 15) * math.log(6.4) / 27) end,
  },
}

local filter_options = { rate = true, n_fft = true, n_mels = true, f_min = true, f_max = true,
                         mel_scale = true, norm = true }

-- data.mel_filters{ rate = 16000, n_fft = 400, n_mels = 128, f_min = 0, f_max = rate / 2,
-- mel_scale = "htk", norm = false }: f32 [n_mels, n_fft / 2 + 1]: triangles whose corners are
-- evenly spaced in mel, each 1 at its top, as torchaudio's melscale_fbanks (transposed). mel_scale
-- = "slaney" and norm = "slaney" (each of the same area) are librosa's.
function M.mel_filters(options)
  errors.check_options("mel_filters", options, filter_options)
  options = options or {}
  local rate = positive("mel_filters", "rate", options.rate or 16000)
  local n_fft = positive("mel_filters", "n_fft", options.n_fft or 400)
  local n_mels = positive("mel_filters", "n_mels", options.n_mels or 128)
  local low, high = options.f_min or 0, options.f_max or rate / 2
  if type(low) ~= "number" or type(high) ~= "number" or not (low >= 0 and low < high) then
    errors.raise(("mel_filters: expected frequencies f_min below f_max, from 0, got %s and %s")
                 :format(tostring(low), tostring(high)))
  end
  local scale = scales[options.mel_scale or "htk"]
  if not scale then
    errors.option("mel_filters", "mel_scale", "'htk' or 'slaney'", options.mel_scale)
  end
  local norm = options.norm or false
  if norm and norm ~= "slaney" then
    errors.option("mel_filters", "norm", "'slaney' or false", norm)
  end
  local to_mel, to_hertz = scale[1], scale[2]
  local first, last, corners = to_mel(low), to_mel(high), {}
  for i = 0, n_mels + 1 do corners[i] = to_hertz(first + (last - first) * i / (n_mels + 1)) end
  local bins, filters = math.floor(n_fft / 2) + 1, {}
  for m = 1, n_mels do
    local left, top, right = corners[m - 1], corners[m], corners[m + 1]
    local height, row = norm and 2 / (right - left) or 1, {}
    for k = 1, bins do
      local f = math.floor(rate / 2) * (k - 1) / (bins - 1)
      row[k] = height * math.max(0, math.min((f - left) / (top - left),
                                             (right - f) / (right - top)))
    end
    filters[m] = row
  end
  return creation.tensor(filters, { device = "cpu" })
end

local mel_options = with(spectrogram_options, { "rate", "n_mels", "f_min", "f_max", "mel_scale",
                                                "norm" })

-- data.mel_spectrogram(samples, options): f32 [channels, n_mels, frames]: data.spectrogram in the
-- bands of data.mel_filters, whose options both are taken; rate is that of the samples.
function M.mel_spectrogram(samples, options)
  errors.check_options("mel_spectrogram", options, mel_options)
  options = options or {}
  local parts, n_fft = stft("mel_spectrogram", samples, options)
  local filters = M.mel_filters { rate = options.rate, n_fft = n_fft, n_mels = options.n_mels,
    f_min = options.f_min, f_max = options.f_max, mel_scale = options.mel_scale,
    norm = options.norm }
  return filters:matmul(power_of(parts, "mel_spectrogram", options.power or 2))
end

return M
