"""Train the digits network and export it to ONNX.

The network is sized for a Cortex-M0 with 16 KiB of RAM: convolutions, ReLU,
max pooling and a dense layer, nothing else.
"""

import pathlib

from torch import nn

import common

MODELS = pathlib.Path(__file__).resolve().parent.parent
SHAPE = (1, 8, 8)


def build():
    return nn.Sequential(
        common.conv_bn(1, 16, 3),
        nn.ReLU(),
        common.conv_bn(16, 16, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        common.conv_bn(16, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(128, 10),
    )


def vary(images, generator):
    return common.warp(
        images, generator, turn=0.25, stretch=0.15, slant=0.2, shift=0.8
    )


def main():
    args = common.arguments(
        __doc__,
        epochs=300,
        checkpoints=pathlib.Path("checkpoints"),
        out=MODELS / "digits-cnn.onnx",
        data=MODELS / "data" / "digits",
    )
    common.prepare(args)
    network = build()
    seconds = common.train(
        network,
        *common.load_digits(args.data, "calibration"),
        args=args,
        checkpoint=args.checkpoints / "digits-cnn.pt",
        batch=64,
        peak_rate=0.1,
        weight_decay=1e-3,
        vary=vary,
        smoothing=0.05,
        validation=common.load_digits(args.data, "selection"),
    )
    test = common.load_digits(args.data, "test")
    common.report(network, SHAPE, *test, seconds)
    common.export(network, SHAPE, args.out)


if __name__ == "__main__":
    main()
