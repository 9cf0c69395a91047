-- sel.data: datasets, batches, and what is done to images on the way.

local fashion_mnist = require "selenite.data.fashion_mnist"
local text = require "selenite.data.text"
local transforms = require "selenite.data.transforms"

return {
  tensor_dataset = require "selenite.data.dataset",
  loader = require "selenite.data.loader",
  fashion_mnist = fashion_mnist.load,
  fashion_mnist_classes = fashion_mnist.classes,
  characters = text.characters,
  king_james = text.king_james,
  random_crop = transforms.random_crop,
  center_crop = transforms.center_crop,
  random_horizontal_flip = transforms.random_horizontal_flip,
  random_vertical_flip = transforms.random_vertical_flip,
  random_erasing = transforms.random_erasing,
}
