"""What the training scripts of the zoo share: data, training loop, export.

Pixels are only divided by 255. There is no mean or standard deviation step,
because whoever runs the exported network would have to repeat it exactly;
batch normalisation after the first convolution does the same job and is
folded into that convolution when the network is exported.
"""

import argparse
import gzip
import os
import pathlib
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

FASHION_DIR = pathlib.Path("/usr/share/datasets/fashion-mnist")
FASHION_HELD_OUT = 2_000


# ---------------------------------------------------------------- data


def read_idx(path):
    """Read one gzipped IDX file of unsigned bytes."""
    with gzip.open(path, "rb") as file:
        raw = file.read()
    if raw[:3] != b"\x00\x00\x08":
        raise ValueError(f"{path}: not an IDX file of unsigned bytes")
    dims = raw[3]
    shape = np.frombuffer(raw, ">u4", dims, 4).astype(int)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * dims).reshape(shape)


def load_fashion_mnist(folder, split):
    """Images (N, 1, 28, 28) as bytes and labels, of split "train" or "t10k"."""
    folder = pathlib.Path(folder)
    images_path = folder / f"{split}-images-idx3-ubyte.gz"
    labels_path = folder / f"{split}-labels-idx1-ubyte.gz"
    for path in (images_path, labels_path):
        if not path.exists():
            raise SystemExit(
                f"{path} is missing: install Debian's dataset-fashion-mnist "
                "or pass --data FOLDER"
            )
    images = torch.from_numpy(read_idx(images_path).copy()).unsqueeze(1)
    labels = torch.from_numpy(read_idx(labels_path).astype(np.int64))
    return images, labels


def load_digits(folder, split):
    """Images (N, 1, 8, 8) as bytes and labels, of split "calibration",
    "selection" or "test"."""
    folder = pathlib.Path(folder)
    images = read_idx(folder / f"{split}-images.idx3-ubyte.gz")
    labels = read_idx(folder / f"{split}-labels.idx1-ubyte.gz")
    images = torch.from_numpy(images.copy()).unsqueeze(1)
    return images, torch.from_numpy(labels.astype(np.int64))


def cifar10_cache():
    """The folder in which `skimp data fetch cifar10` leaves its files."""
    if "SKIMP_CACHE" in os.environ:
        root = pathlib.Path(os.environ["SKIMP_CACHE"])
    elif "XDG_CACHE_HOME" in os.environ:
        root = pathlib.Path(os.environ["XDG_CACHE_HOME"]) / "skimp"
    else:
        root = pathlib.Path.home() / ".cache" / "skimp"
    return root / "cifar10"


def load_cifar10(folder, split):
    """Images (N, 3, 32, 32) as bytes and labels, of split "train" or "test"."""
    path = pathlib.Path(folder) / f"cifar10_{split}.bin"
    if not path.exists():
        raise SystemExit(
            f"{path} is missing: run `cargo run --release -- data fetch cifar10`"
        )
    records = np.fromfile(path, np.uint8).reshape(-1, 1 + 3 * 32 * 32)
    images = torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32).copy())
    labels = torch.from_numpy(records[:, 0].astype(np.int64))
    return images, labels


def augment(images, pad, generator):
    """Mirror half of a batch and shift each image by up to `pad` pixels.

    Works on the whole batch with one gather, on bytes: per-image Python code
    would take longer than the training step of networks this small.
    """
    batch, _, height, width = images.shape
    padded = F.pad(images, (pad, pad, pad, pad))
    top = torch.randint(0, 2 * pad + 1, (batch, 1), generator=generator)
    left = torch.randint(0, 2 * pad + 1, (batch, 1), generator=generator)
    mirror = torch.rand(batch, 1, generator=generator) < 0.5
    rows = top + torch.arange(height)
    columns = torch.arange(width).expand(batch, width)
    columns = left + torch.where(mirror, width - 1 - columns, columns)
    at = torch.arange(batch)[:, None, None]
    # Indexing around the channel dimension leaves it last: (N, H, W, C).
    shifted = padded[at, :, rows[:, :, None], columns[:, None, :]]
    return shifted.permute(0, 3, 1, 2)


def warp(images, generator, *, turn, stretch, slant, shift):
    """Turn each image by up to `turn` radians, stretch its sides by up to the
    share `stretch` each, slant it by up to `slant`, and move it by up to
    `shift` pixels. Written and drawn things keep their meaning so, and must
    not be mirrored."""

    def draw(limit):
        return (torch.rand(len(images), generator=generator) * 2 - 1) * limit

    angle, lean = draw(turn), draw(slant)
    wide, high = 1 + draw(stretch), 1 + draw(stretch)
    # grid_sample measures in half sides.
    right, down = draw(shift) * 2 / images.shape[3], draw(shift) * 2 / images.shape[2]
    cos, sin = angle.cos(), angle.sin()
    rows = [
        torch.stack([wide * cos, wide * (lean * cos - sin), right], 1),
        torch.stack([high * sin, high * (lean * sin + cos), down], 1),
    ]
    grid = F.affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    bent = F.grid_sample(images.float(), grid, align_corners=False)
    return bent.round().to(torch.uint8)


def to_input(images):
    """Bytes to the network's input range, 0 to 1."""
    return images.float().div_(255).contiguous(memory_format=torch.channels_last)


# -------------------------------------------------------------- layers


def conv_bn(inputs, outputs, kernel, stride=1):
    """Convolution and batch normalisation, without the ReLU.

    The convolution has no bias of its own: the normalisation would cancel it.
    """
    return nn.Sequential(
        nn.Conv2d(
            inputs, outputs, kernel, stride, padding=kernel // 2, bias=False
        ),
        nn.BatchNorm2d(outputs),
    )


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut, added, then a ReLU.

    When the block changes shape the shortcut is a strided 1x1 convolution.
    """

    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.first = conv_bn(inputs, outputs, 3, stride)
        self.second = conv_bn(outputs, outputs, 3)
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = conv_bn(inputs, outputs, 1, stride)

    def forward(self, x):
        inner = self.second(F.relu(self.first(x)))
        return F.relu(inner + self.shortcut(x))


# ------------------------------------------------------------ training


def arguments(description, epochs, checkpoints, out, data):
    """The command line all training scripts understand."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--data", type=pathlib.Path, default=data, help="folder of the data set"
    )
    parser.add_argument(
        "--out", type=pathlib.Path, default=out, help="ONNX file to write"
    )
    parser.add_argument(
        "--checkpoints",
        type=pathlib.Path,
        default=checkpoints,
        help="folder for the checkpoint; training resumes from it if present",
    )
    parser.add_argument(
        "--export-only",
        action="store_true",
        help="evaluate and export the checkpoint (or the untrained network) as is",
    )
    return parser.parse_args()


def prepare(args):
    """Fix the seed, thread count and algorithms, so that a rerun repeats."""
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    torch.use_deterministic_algorithms(True)


@torch.no_grad()
def accuracy(network, images, labels, batch=500):
    """Share of images whose largest logit is the right class."""
    network.eval()
    right = 0
    for start in range(0, len(images), batch):
        logits = network(to_input(images[start : start + batch]))
        right += (logits.argmax(1) == labels[start : start + batch]).sum().item()
    return right / len(images)


def train(
    network,
    images,
    labels,
    *,
    args,
    checkpoint,
    batch,
    peak_rate,
    weight_decay,
    vary,
    smoothing=0.0,
    validation=None,
):
    """SGD with Nesterov momentum on a one-cycle schedule.

    `vary(images, generator)` gives a batch as it is to be trained on.

    The state after each epoch goes to `checkpoint`. Shuffling and
    augmentation draw from a generator seeded by (seed, epoch), so a resumed
    run sees the same batches as one that was never interrupted.
    """
    network.to(memory_format=torch.channels_last)
    # Only weights decay. Shrinking biases and normalisation scales gains
    # nothing, since they are few and rescaled freely.
    decayed = [p for p in network.parameters() if p.dim() > 1]
    kept = [p for p in network.parameters() if p.dim() <= 1]
    optimizer = torch.optim.SGD(
        [
            {"params": decayed, "weight_decay": weight_decay},
            {"params": kept, "weight_decay": 0.0},
        ],
        lr=peak_rate,
        momentum=0.9,
        nesterov=True,
    )
    steps = len(images) // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=peak_rate,
        total_steps=steps * args.epochs,
        pct_start=0.2,
        final_div_factor=1000,
    )
    first_epoch, seconds = 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint)
        if not args.export_only and state["epochs"] != args.epochs:
            raise SystemExit(
                f"{checkpoint} belongs to a run of {state['epochs']} epochs, "
                f"not {args.epochs}: the schedules do not fit together"
            )
        network.load_state_dict(state["network"])
        first_epoch, seconds = state["done"], state["seconds"]
        if not args.export_only:
            optimizer.load_state_dict(state["optimizer"])
            schedule.load_state_dict(state["schedule"])
        print(f"{checkpoint}: {first_epoch} epochs done", flush=True)
    if args.export_only:
        return seconds

    for epoch in range(first_epoch, args.epochs):
        began = time.monotonic()
        generator = torch.Generator().manual_seed(args.seed * 100_003 + epoch)
        # The last incomplete batch is dropped: a handful of images would
        # disturb the statistics of batch normalisation.
        order = torch.randperm(len(images), generator=generator)
        order = order[: steps * batch].view(steps, batch)
        network.train()
        total_loss, right = 0.0, 0
        for chosen in order:
            x = to_input(vary(images[chosen], generator))
            y = labels[chosen]
            logits = network(x)
            loss = F.cross_entropy(logits, y, label_smoothing=smoothing)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            total_loss += loss.item()
            right += (logits.argmax(1) == y).sum().item()
        seconds += time.monotonic() - began
        line = (
            f"epoch {epoch + 1}/{args.epochs} loss {total_loss / steps:.4f} "
            f"train {right / order.numel():.4f}"
        )
        if validation is not None:
            line += f" held out {accuracy(network, *validation):.4f}"
        print(f"{line} {time.monotonic() - began:.1f} s", flush=True)
        save(
            checkpoint,
            {
                "network": network.state_dict(),
                "optimizer": optimizer.state_dict(),
                "schedule": schedule.state_dict(),
                "epochs": args.epochs,
                "done": epoch + 1,
                "seconds": seconds,
            },
        )
    return seconds


def save(path, state):
    """Write beside the target and rename, so a kill never leaves half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)


# -------------------------------------------------------------- result


def layer_table(network, shape):
    """Rows (name, kind, output shape, parameters, multiplications).

    Counted as in the exported network: batch normalisation disappears into
    the convolution before it, which gains one bias per output channel.
    Multiplications with padding zeros count too.
    """
    rows, hooks = [], []

    def note(name):
        def hook(layer, _, output):
            weights = layer.weight.numel()
            biases = layer.weight.shape[0]
            places = output[0].numel() // output.shape[1]
            kind = "dense"
            if isinstance(layer, nn.Conv2d):
                side, stride = layer.kernel_size[0], layer.stride[0]
                kind = f"conv {side}x{side}" + (f", stride {stride}" * (stride > 1))
            rows.append(
                (name, kind, tuple(output.shape[1:]), weights + biases, weights * places)
            )

        return hook

    for name, layer in network.named_modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            hooks.append(layer.register_forward_hook(note(name)))
    network.eval()
    with torch.no_grad():
        network(torch.zeros(1, *shape))
    for hook in hooks:
        hook.remove()
    return rows


def report(network, shape, images, labels, seconds):
    """Print the layers and the accuracy a model card quotes."""
    rows = layer_table(network, shape)
    for name, kind, output, parameters, multiplications in rows:
        print(
            f"{name:18} {kind:20} {'x'.join(map(str, output)):10} "
            f"{parameters:7} {multiplications:9}"
        )
    print(f"parameters: {sum(row[3] for row in rows)}")
    print(f"multiplications per image: {sum(row[4] for row in rows)}")
    print(f"training time: {seconds / 60:.1f} min")
    for name, count in (("first 1000", 1000), (f"all {len(images)}", len(images))):
        share = accuracy(network, images[:count], labels[:count])
        print(f"accuracy, {name} test images: {share:.4f}")


def export(network, shape, path):
    """Write the network in inference form, normalisation folded away."""
    network = network.to(memory_format=torch.contiguous_format).eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        network,
        torch.zeros(1, *shape),
        str(path),
        opset_version=13,
        do_constant_folding=True,
        input_names=["image"],
        output_names=["logits"],
        dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}},
    )
    print(f"wrote {path}")
