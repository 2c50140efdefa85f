"""Make models/data/digits/ from the digits that come with scikit-learn.

Its 1,797 images are forms that several people filled in, one after another.
Each form begins with the digits in order, three times over, which tells where
the forms begin. The sets are made of whole forms:

    calibration  the first 8 forms, on which the network is trained
    selection    the next 2
    test         the last 4

`--csv` takes `digits.csv.gz`, from `sklearn/datasets/data` of the package.
Everything that goes into the bytes is fixed (order, no time stamp in the gzip
header), so a rerun writes the same files.
"""

import argparse
import gzip
import pathlib

import numpy as np

from make_fashion_subset import write_idx

OUT = pathlib.Path(__file__).resolve().parent.parent / "data" / "digits"
# The first image of each set, and one behind the last.
SETS = {"calibration": (0, 1029), "selection": (1029, 1287), "test": (1287, 1797)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--csv", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, default=OUT)
    args = parser.parse_args()

    with gzip.open(args.csv, "rt") as file:
        rows = np.loadtxt(file, delimiter=",")
    if rows.shape != (1797, 65):
        raise SystemExit(f"{args.csv}: not the digits, but a table of {rows.shape}")
    # Ink comes in 0 to 16.
    images = np.rint(rows[:, :64] * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8)
    labels = rows[:, 64].astype(np.uint8)
    args.out.mkdir(parents=True, exist_ok=True)
    for name, (first, behind) in SETS.items():
        form = labels[first : first + 30]
        if form.tolist() != list(range(10)) * 3:
            raise SystemExit(f"{args.csv}: no form begins at image {first}")
        write_idx(args.out / f"{name}-images.idx3-ubyte.gz", images[first:behind])
        write_idx(args.out / f"{name}-labels.idx1-ubyte.gz", labels[first:behind])
        counts = np.bincount(labels[first:behind], minlength=10)
        print(f"{name}: {behind - first} images, per class {counts.tolist()}")


if __name__ == "__main__":
    main()
