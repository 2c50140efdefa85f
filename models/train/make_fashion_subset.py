"""Make the committed subset of Fashion-MNIST in models/data/fashion-mnist/.

Three sets that share no image:

    test         the first 1,000 of the 10,000 test images
    calibration  512 of the 58,000 training images the network is trained on
    selection    1,000 of the last 2,000 training images, held out of training

Everything that goes into the bytes is fixed (seed, order, no time stamp in
the gzip header), so a rerun writes the same files.
"""

import argparse
import gzip
import pathlib

import numpy as np

import common

SEED = 20
OUT = pathlib.Path(__file__).resolve().parent.parent / "data" / "fashion-mnist"


def write_idx(path, array):
    """Write unsigned bytes as one gzipped IDX file."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(header + array.tobytes(), 9, mtime=0))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=pathlib.Path, default=common.FASHION_DIR)
    parser.add_argument("--out", type=pathlib.Path, default=OUT)
    args = parser.parse_args()

    def read(split):
        images = common.read_idx(args.data / f"{split}-images-idx3-ubyte.gz")
        labels = common.read_idx(args.data / f"{split}-labels-idx1-ubyte.gz")
        return images, labels

    train, test = read("train"), read("t10k")
    kept = len(train[0]) - common.FASHION_HELD_OUT
    random = np.random.default_rng(SEED)
    calibration = np.sort(random.choice(kept, 512, replace=False))
    selection = kept + np.sort(
        random.choice(common.FASHION_HELD_OUT, 1_000, replace=False)
    )
    args.out.mkdir(parents=True, exist_ok=True)
    for name, (images, labels), chosen in (
        ("test", test, np.arange(1_000)),
        ("calibration", train, calibration),
        ("selection", train, selection),
    ):
        write_idx(args.out / f"{name}-images.idx3-ubyte.gz", images[chosen])
        write_idx(args.out / f"{name}-labels.idx1-ubyte.gz", labels[chosen])
        counts = np.bincount(labels[chosen], minlength=10)
        print(f"{name}: {len(chosen)} images, per class {counts.tolist()}")


if __name__ == "__main__":
    main()
