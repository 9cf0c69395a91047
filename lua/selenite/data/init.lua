-- sel.data: datasets, batches, and what is done to images on the way.

local dataset = require "selenite.data.dataset"
local fashion_mnist = require "selenite.data.fashion_mnist"
local audio = require "selenite.data.audio"
local images = require "selenite.data.images"
local samplers = require "selenite.data.samplers"
local tokenizer = require "selenite.data.tokenizer"
local transforms = require "selenite.data.transforms"

return {
  tensor_dataset = dataset.tensor_dataset,
  subset = dataset.subset,
  random_split = require "selenite.data.split",
  padding_mask = require("selenite.data.sequences").padding_mask,
  loader = require "selenite.data.loader",
  sequential_sampler = samplers.sequential_sampler,
  random_sampler = samplers.random_sampler,
  weighted_random_sampler = samplers.weighted_random_sampler,
  image_folder = images.image_folder,
  resize_image = images.resize_image,
  fashion_mnist = fashion_mnist.load,
  fashion_mnist_classes = fashion_mnist.classes,
  characters = tokenizer.characters,
  resample = audio.resample,
  stft = audio.stft,
  spectrogram = audio.spectrogram,
  mel_filters = audio.mel_filters,
  mel_spectrogram = audio.mel_spectrogram,
  read_csv = require "selenite.data.csv",
  byte_tokenizer = tokenizer.byte_tokenizer,
  train_bpe = tokenizer.train_bpe,
  load_tokenizer = tokenizer.load_tokenizer,
  king_james = require "selenite.data.king_james",
  random_crop = transforms.random_crop,
  center_crop = transforms.center_crop,
  random_horizontal_flip = transforms.random_horizontal_flip,
  random_vertical_flip = transforms.random_vertical_flip,
  random_erasing = transforms.random_erasing,
}
