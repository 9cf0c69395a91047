-- sel.data: datasets and batches.

local fashion_mnist = require "selenite.data.fashion_mnist"
local text = require "selenite.data.text"

return {
  tensor_dataset = require "selenite.data.dataset",
  loader = require "selenite.data.loader",
  fashion_mnist = fashion_mnist.load,
  fashion_mnist_classes = fashion_mnist.classes,
  characters = text.characters,
  king_james = text.king_james,
}
