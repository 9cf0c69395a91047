-- Sound files, resampling, spectrograms and mel features.

local sel = require "selenite"
local data = sel.data
local check = require "check"
local test, equal, raises = check.test, check.equal, check.raises

local golden = os.getenv "SEL_TEST_DIR" .. "/golden/audio/"
local known = sel.load(golden .. "spectrograms.safetensors")

-- Equal up to `tolerance` of the largest number that is expected.
local function close(got, expected, tolerance)
  equal(got:shape(), expected:shape())
  local error = (got - expected):abs():max():item()
  local most = expected:abs():max():item()
  if error ~= error or error > tolerance * most then
    _G.error(("expected an error up to %g of %g, got %g"):format(tolerance, most, error), 2)
  end
end

test("WAV files of all kinds", function()
  local expected = (sel.arange(100):float() / 128):unsqueeze(1)
  for name, rate in pairs { pcm8 = 8000, pcm16 = 8000, pcm24 = 8000, pcm32 = 8000, float = 44100,
                            double = 44100 } do
    local samples, got = sel.load_audio(golden .. name .. ".wav")
    equal(got, rate)
    equal(samples:dtype(), "f32")
    equal(samples:totable(), expected:totable())
  end
  local stereo = sel.load_audio(golden .. "stereo.wav")
  equal(stereo:shape(), { 2, 100 })
  equal(stereo[2]:totable(), (-expected[1]):totable())
end)

test("what was saved is read again", function()
  local wave = (sel.arange(2000):float() * 0.1):sin():reshape(2, 1000)
  local steps = { u8 = 2 ^ -7, i16 = 2 ^ -15, i24 = 2 ^ -23, i32 = 2 ^ -23, f32 = 0 }
  for format, step in pairs(steps) do
    sel.save_wav("copy.wav", wave, 22050, { format = format })
    local copy, rate = sel.load_audio "copy.wav"
    equal(rate, 22050)
    assert((copy - wave):abs():max():item() <= step, format)
  end
  sel.save_wav("loud.wav", sel.tensor { 2, -2, 0.5 }, 8000)
  local loud = sel.load_audio "loud.wav"
  assert(loud:max():item() > 0.9999 and loud:min():item() == -1)
  sel.save_wav("none.wav", sel.zeros(1, 0), 8000)
  equal(sel.load_audio "none.wav":shape(), { 1, 0 })
end)

-- A tone stays the same tone, away from the ends, where it begins and stops.
test("resampling", function()
  local function tone(rate, hertz)
    return (sel.arange(rate):double() * (2 * math.pi * hertz / rate)):sin():float():unsqueeze(1)
  end
  local errors = { best = 5e-7, medium = 3e-6, fast = 3e-5 }
  for _, rates in ipairs { { 8000, 16000 }, { 44100, 16000 }, { 16000, 11025 } } do
    for quality, most in pairs(errors) do
      local got = data.resample(tone(rates[1], 440), rates[1], rates[2], { quality = quality })
      equal(got:shape(), { 1, rates[2] })
      local middle = { 1, math.floor(rates[2] * 0.1), math.floor(rates[2] * 0.8) }
      local error = (got - tone(rates[2], 440)):narrow(2, middle[2], middle[3]):abs():max():item()
      assert(error <= most, ("%s, %d to %d: %g"):format(quality, rates[1], rates[2], error))
    end
  end
  -- What the lower rate can't tell is gone.
  local high = data.resample(tone(16000, 7000), 16000, 8000):narrow(2, 800, 6000)
  assert(high:abs():max():item() < 1e-3)
  equal(data.resample(sel.zeros(2, 30), 8000, 12000):shape(), { 2, 45 })
  equal(data.resample(sel.ones(5), 8000, 8000):totable(), { { 1, 1, 1, 1, 1 } })
end)

test("short-time Fourier transforms are torch.stft's", function()
  local x = known.samples
  close(data.stft(x), known.default, 1e-6)
  close(data.stft(x, { n_fft = 64, hop_length = 10, win_length = 40, window = "hamming" }),
        known["short window"], 1e-6)
  close(data.stft(x, { n_fft = 128, hop_length = 50, center = false }), known["not centred"], 1e-6)
  close(data.stft(x, { n_fft = 30, hop_length = 7, window = "ones" }), known.ones, 1e-6)
  close(data.stft(x, { n_fft = 30, hop_length = 7, window = sel.ones(30) }), known.ones, 1e-6)
  equal(data.stft(x[1]):shape(), { 1, 201, 4, 2 })
end)

test("spectrograms and mel features", function()
  local energy = known.default:square():sum(-1)
  close(data.spectrogram(known.samples), energy, 2e-6)
  close(data.spectrogram(known.samples, { power = 1 }), energy:sqrt(), 1e-6)
  close(data.mel_filters { rate = 16000, n_fft = 400, n_mels = 20 }, known.htk, 1e-6)
  close(data.mel_filters { rate = 22050, n_fft = 512, n_mels = 24, f_min = 50, f_max = 10000,
                           mel_scale = "slaney", norm = "slaney" }, known.slaney, 1e-6)
  close(data.mel_spectrogram(known.samples, { rate = 8000, n_mels = 16 }), known.mel, 2e-6)
end)

test("speech, from Debian's package asterisk-core-sounds-en-wav", function()
  local rows = 0
  for _, name in ipairs { "digits/1", "digits/7", "added", "vm-goodbye" } do
    local path = "/usr/share/asterisk/sounds/en_US_f_Allison/" .. name .. ".wav"
    local samples, rate = sel.load_audio(path)
    equal({ samples:size(1), rate }, { 1, 8000 })
    assert(samples:size(2) > 2000 and samples:abs():max():item() <= 1)
    local mel = data.mel_spectrogram(data.resample(samples, rate, 16000), { n_mels = 40 })
    equal({ mel:size(1), mel:size(2) }, { 1, 40 })
    equal(mel:isfinite():all():item(), true)
    assert(mel:narrow(2, 1, 30):sum():item() > 1000 * mel:narrow(2, 38, 3):sum():item())
    rows = rows + mel:size(3)
  end
  assert(rows > 100)
end)

test("bad files are named", function()
  raises(function() sel.load_audio(golden .. "truncated.wav") end,
         "load_audio: " .. golden .. "truncated.wav: truncated: the header states 244 bytes, "
         .. "the file has 150")
  raises(function() sel.load_audio(golden .. "empty.wav") end, "empty.wav: the file is empty")
  raises(function() sel.load_audio(golden .. "text.wav") end, "text.wav: ")
  raises(function() sel.load_audio "none.wave" end, "load_audio: none.wave: No such file")
end)

test("mistakes", function()
  local x = sel.zeros(1, 100)
  raises(function() sel.load_audio(3) end, "load_audio: argument 1 (path)")
  raises(function() sel.save_wav("x.wav", sel.zeros(1, 2, 3), 8000) end, "[channels, frames]")
  raises(function() sel.save_wav("x.wav", x, 0) end, "rate")
  raises(function() sel.save_wav("x.wav", x, 8000, { format = "mp3" }) end, "'i16'", "mp3")
  raises(function() data.resample(x, 8000, 0.5) end, "to", "0.5")
  raises(function() data.resample(x, 1, 1000) end, "ratio is at most 256")
  raises(function() data.resample(x, 8000, 16000, { quality = "good" }) end, "'best'")
  raises(function() data.stft(x) end, "stft: expected 201 samples or more for an n_fft of 400")
  raises(function() data.stft(x, { n_fft = 33 }) end, "even n_fft", "33")
  raises(function() data.stft(x, { n_fft = 32, win_length = 40 }) end, "a window f32[1 to 32]")
  raises(function() data.stft(x, { n_fft = 32, window = "kaiser" }) end, "'hann'", "kaiser")
  raises(function() data.stft(x, { n_fft = 32, hop_length = 0 }) end, "hop_length")
  raises(function() data.spectrogram(x, { n_fft = 32, power = 3 }) end, "power")
  raises(function() data.mel_filters { f_min = 9000 } end, "f_min below f_max", "9000")
  raises(function() data.mel_filters { mel_scale = "bark" } end, "'htk' or 'slaney'")
  raises(function() data.mel_filters { norm = "area" } end, "'slaney' or false")
  raises(function() data.mel_spectrogram(x, { mels = 3 }) end, "no option 'mels'")
end)
