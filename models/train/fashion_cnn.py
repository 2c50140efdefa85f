"""Train the small Fashion-MNIST network and export it to ONNX.

The network is sized for a Cortex-M4, and holds one of each thing an importer
must cope with: max pooling, an identity shortcut, a strided shortcut, 1x1
convolutions, global average pooling, flatten and a dense layer.

The last 2,000 training images are never trained on. The committed subset
takes its selection images from them (see make_fashion_subset.py), so that a
search scored on those images is not scored on memorised ones.
"""

import pathlib

from torch import nn

import common

MODELS = pathlib.Path(__file__).resolve().parent.parent
SHAPE = (1, 28, 28)


def build():
    return nn.Sequential(
        common.conv_bn(1, 16, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        common.BasicBlock(16, 16),
        common.BasicBlock(16, 32, stride=2),
        common.conv_bn(32, 48, 1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(48, 10),
    )


def main():
    args = common.arguments(
        __doc__,
        epochs=40,
        checkpoints=pathlib.Path("checkpoints"),
        out=MODELS / "fashion-cnn.onnx",
        data=common.FASHION_DIR,
    )
    common.prepare(args)
    images, labels = common.load_fashion_mnist(args.data, "train")
    kept = len(images) - common.FASHION_HELD_OUT
    network = build()
    seconds = common.train(
        network,
        images[:kept],
        labels[:kept],
        args=args,
        checkpoint=args.checkpoints / "fashion-cnn.pt",
        batch=128,
        peak_rate=0.2,
        weight_decay=2e-4,
        vary=lambda images, generator: common.augment(images, 2, generator),
        smoothing=0.05,
        validation=(images[kept:], labels[kept:]),
    )
    test = common.load_fashion_mnist(args.data, "t10k")
    common.report(network, SHAPE, *test, seconds)
    common.export(network, SHAPE, args.out)


if __name__ == "__main__":
    main()
