"""Train ResNet-8 on CIFAR-10 and export it to ONNX.

The layout is that of the image classification network of the MLPerf Tiny
benchmark: a 3x3 convolution, three residual stages of one block each, global
average pooling and a dense layer.
"""

import pathlib

from torch import nn

import common

MODELS = pathlib.Path(__file__).resolve().parent.parent
SHAPE = (3, 32, 32)


def build():
    return nn.Sequential(
        common.conv_bn(3, 16, 3),
        nn.ReLU(),
        common.BasicBlock(16, 16),
        common.BasicBlock(16, 32, stride=2),
        common.BasicBlock(32, 64, stride=2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(64, 10),
    )


def main():
    args = common.arguments(
        __doc__,
        epochs=60,
        checkpoints=pathlib.Path("checkpoints"),
        out=MODELS / "resnet8.onnx",
        data=common.cifar10_cache(),
    )
    common.prepare(args)
    network = build()
    seconds = common.train(
        network,
        *common.load_cifar10(args.data, "train"),
        args=args,
        checkpoint=args.checkpoints / "resnet8.pt",
        batch=128,
        peak_rate=0.2,
        weight_decay=2e-4,
        vary=lambda images, generator: common.augment(images, 4, generator),
    )
    common.report(network, SHAPE, *common.load_cifar10(args.data, "test"), seconds)
    common.export(network, SHAPE, args.out)


if __name__ == "__main__":
    main()
