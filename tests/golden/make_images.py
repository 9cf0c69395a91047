#!/usr/bin/env python3
"""Makes golden/images: pictures as Pillow writes and resizes them. Needs Pillow and numpy; the tests
only need the files. sizes.safetensors holds, for each picture and size, what torchvision's Resize and
CenterCrop (on Pillow's images) leave: named "FILE HEIGHTxWIDTH".

folder/ is a small image folder: two classes, files of several sizes and kinds, and bad ones in bad/."""
import os

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "images")


def picture(height, width, seed):
    """Smooth waves with sharp edges, so that both show in what resizing makes of them."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    planes = []
    for _ in range(3):
        a, b, c = rng.uniform(0.02, 0.5, 3)
        wave = 127.5 + 127.5 * np.sin(a * x + b * y + 10 * c)
        wave[(x // 7 + y // 5) % 3 == 0] *= 0.3
        planes.append(wave)
    return Image.fromarray(np.stack(planes, -1).astype("u1"))


def save(image, name, **options):
    path = os.path.join(FOLDER, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    image.save(path, **options)
    return path


def resize(image, width, height):
    """Columns first, then rows. Image.resize in one call does the same, or rows first, whichever it
    thinks is quicker; then bytes differ by 1."""
    return image.resize((width, image.height), Image.BILINEAR).resize((width, height), Image.BILINEAR)


def crop_of(image, height, width):
    """torchvision.transforms.Resize (of the side that just covers), then CenterCrop."""
    w, h = image.size
    if h * width <= w * height:
        size = (height * w // h, height)
    else:
        size = (width, width * h // w)
    image = resize(image, *size)
    left, top = int(round((size[0] - width) / 2.0)), int(round((size[1] - height) / 2.0))
    return image.crop((left, top, left + width, top + height))


wide = picture(50, 75, 1)
tall = picture(61, 40, 2)
save(wide, "wide.jpg", quality=90)
save(tall, "tall.jpg", quality=80, progressive=True)
save(wide.convert("L"), "grey.jpg", quality=90)
save(tall.convert("CMYK"), "cmyk.jpg")
save(tall, "tall.png")

tensors = {}
for name in ["wide.jpg", "tall.jpg", "grey.jpg", "tall.png"]:
    image = Image.open(os.path.join(FOLDER, name))
    array = np.asarray(image)
    tensors[name] = array if array.ndim == 3 else array[..., None]
    rgb = image.convert("RGB")
    for height, width in [(32, 32), (24, 40), (100, 90), (61, 40)]:
        size = "%s %dx%d" % (name, height, width)
        tensors["crop " + size] = np.asarray(crop_of(rgb, height, width)).transpose(2, 0, 1).copy()
        tensors["stretch " + size] = np.asarray(
            resize(rgb, width, height)).transpose(2, 0, 1).copy()
    tensors["L " + name] = np.asarray(crop_of(image.convert("L"), 32, 32))[None].copy()
save_file(tensors, os.path.join(FOLDER, "sizes.safetensors"))

for i, kind in enumerate(["cat", "dog"]):
    for k in range(3):
        image = picture(20 + 3 * k, 30 - 4 * k, 10 * i + k)
        save(image, "folder/%s/%d.%s" % (kind, k, "png" if k == 1 else "jpg"))
save(picture(9, 9, 9).convert("L"), "folder/dog/more/deep.PNG")

os.makedirs(os.path.join(FOLDER, "bad/broken"), exist_ok=True)
jpeg = open(os.path.join(FOLDER, "wide.jpg"), "rb").read()
png = open(os.path.join(FOLDER, "tall.png"), "rb").read()
for name, data in [("0good.jpg", jpeg), ("1truncated.jpg", jpeg[:len(jpeg) // 2]), ("2empty.png", b""),
                   ("3text.jpg", b"this is no image\n"), ("4truncated.png", png[:len(png) // 2]),
                   ("5cmyk.jpg", open(os.path.join(FOLDER, "cmyk.jpg"), "rb").read()),
                   ("6header.jpg", jpeg[:20]), ("7good.png", png)]:
    with open(os.path.join(FOLDER, "bad/broken", name), "wb") as file:
        file.write(data)
