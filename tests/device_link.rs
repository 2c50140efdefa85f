//! The firmware of every board, in QEMU: refuses flash without a proper image, and runs networks exactly as
//! the host does. Needs an embedded Rust target and QEMU, and installs them where it can; where it can't,
//! the tests fail and say why.

#[allow(dead_code, reason = "shared with tests that use more of it")]
mod common;
#[path = "device_link/files.rs"]
mod files;
#[cfg(unix)]
#[path = "device_link/serial.rs"]
mod serial;
#[cfg(unix)]
#[path = "device_link/stack.rs"]
mod stack;

use common::random::{Case, case, case_near_lines};
use skimp::board::{Board, Device, Install, Qemu, QemuOptions, firmware, toolchain};
use skimp::emulate::ApproximateConv;
use skimp::execute::{self, AlignedImage};
use skimp::image::{self, ByActivation, OperatingPoint, Options, TableForm};
use skimp::multiplier::{ProductTable, TruthTable};
use skimp_runtime::image::{Kernel, Op};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, OnceLock};

/// Networks that run on each board, if so many of the first [`SEEDS`] fit, and how many have to.
const WANTED: usize = 12;
const NEEDED: usize = 4;
const SEEDS: u64 = 40;

/// QEMU and each board's firmware, made once for all tests.
fn tools() -> &'static (PathBuf, Vec<PathBuf>) {
    static TOOLS: OnceLock<(PathBuf, Vec<PathBuf>)> = OnceLock::new();
    TOOLS.get_or_init(|| {
        let mut progress = |line: &str| println!("{line}");
        let mut build = |board| firmware::build(board, Install::Allowed, &mut progress);
        let elves = Board::emulated().map(|board| build(board).unwrap_or_else(|e| panic!("{e}"))).collect();
        let program = toolchain::qemu(Install::Allowed, &mut progress).unwrap_or_else(|e| panic!("{e}"));
        (program, elves)
    })
}

fn options(board: &'static Board) -> QemuOptions<'static> {
    let (program, elves) = tools();
    let index = Board::emulated().position(|other| other.name == board.name).unwrap();
    QemuOptions::new(program, board, &elves[index])
}

fn start(board: &'static Board, image: Option<&Path>) -> (Device<Qemu>, Receiver<String>) {
    let options = QemuOptions { image, ..options(board) };
    let (sender, log) = channel();
    let qemu = Qemu::start(&options, move |line| {
        // The receiver may be gone before the emulator is.
        let _ = sender.send(format!("{}: {}", line.level, line.message));
    });
    let device = qemu.and_then(|qemu| Device::connect(qemu, board.name)).unwrap_or_else(|e| panic!("{e}"));
    (device, log)
}

fn write_image(folder: &Path, bytes: &[u8]) -> PathBuf {
    let path = folder.join("an, image.skimp");
    std::fs::write(&path, bytes).unwrap();
    path
}

fn run_on_host(image: &[u8], input: &[u8]) -> Vec<i32> {
    execute::on_host(&AlignedImage::new(image), input).unwrap()
}

#[test]
fn boards_are_what_the_table_says() {
    for board in Board::emulated() {
        let (device, log) = start(board, None);
        let info = device.info();
        assert_eq!(info.memory_bytes, board.memory_bytes, "{}", board.name);
        assert_eq!(info.image_capacity_bytes, board.image_capacity_bytes, "{}", board.name);
        assert_eq!(device.insns(info.counter_hz.into()), Some(1_000_000_000));
        assert_eq!(info.counter_hz, board.qemu.unwrap().counter_hz, "{}", board.name);
        drop(device);
        let log: Vec<String> = log.iter().collect();
        assert!(log[0].starts_with(&format!("info: {}: ", board.name)), "{log:?}");
        assert_eq!(log[1], "warn: no usable image in flash: Magic");
    }
}

#[test]
fn flash_without_a_proper_image_gives_an_error_and_the_board_lives_on() {
    let folder = tempfile::tempdir().unwrap();
    let good = {
        let case = case(1);
        image::build(&case.network, &case.convs, &case.names).unwrap().bytes
    };
    let mut damaged = good.clone();
    *damaged.last_mut().unwrap() ^= 1;
    for board in Board::emulated() {
        for (image, fault) in [(None, "Magic"), (Some(&damaged), "Checksum")] {
            let path = image.map(|bytes| write_image(folder.path(), bytes));
            let (mut device, _log) = start(board, path.as_deref());
            for _ in 0..2 {
                let message = device.load().unwrap_err().to_string();
                let expected = format!("{}: there is no usable image in its flash ({fault})", board.name);
                assert!(message.starts_with(&expected), "{message}");
            }
            device.hello().unwrap();
            assert!(!device.holds_image(&good).unwrap());
        }
    }
}

#[test]
fn boards_compute_what_the_host_computes() {
    for board in Board::emulated() {
        run_networks(board, |board, path| start(board, Some(path)).0, |_| {});
    }
}

/// Random networks, every other one with tables that [`image_of`] can store with a byte an entry.
fn network(seed: u64) -> Case {
    if seed.is_multiple_of(2) { case_near_lines(seed + 120) } else { case(seed) }
}

/// The image of a case at two operating points, of which the second is exact, in one of several forms.
fn image_of(case: &Case, seed: u64) -> Vec<u8> {
    let scheme = case.network.scheme;
    let exact = TruthTable::exact(scheme.wants_signed_table());
    let exact: Vec<ApproximateConv> = case
        .network
        .convs()
        .map(|(_, conv)| {
            let products = ProductTable::new(&exact, scheme, false, conv.input_zero_point).unwrap();
            ApproximateConv::uncompensated(conv, scheme, Arc::new(products))
        })
        .collect();
    let points = [("own", &case.convs), ("exact", &exact)];
    let points = points.map(|(name, convs)| OperatingPoint { name, convs, multipliers: &case.names });
    let by_activation = if seed % 8 < 6 { ByActivation::Everywhere } else { ByActivation::WhereItPays };
    let options = Options {
        by_activation,
        table_form: [TableForm::Smallest, TableForm::Fastest, TableForm::Compact, TableForm::Smallest]
            [seed as usize % 4],
        tables_only: seed.is_multiple_of(3),
        copy_tables_within_bytes: seed.is_multiple_of(5).then_some(100_000),
    };
    // Small boards have no room for two points' tables.
    let points = if seed % 4 == 3 { &points[..1] } else { &points[..] };
    image::build_points(&case.network, points, &options).unwrap().bytes
}

#[test]
fn boards_with_room_meet_every_kernel_for_tables() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..WANTED as u64 {
        let image = AlignedImage::new(&image_of(&network(seed), seed));
        let network = image.load().unwrap();
        let entries: Vec<_> = network.tables().map(|table| table.entry).collect();
        let points = (0..network.point_count()).map(|point| network.at_point(point).unwrap());
        for layer in points.flat_map(|point| point.layers()) {
            let Op::Conv2d(conv) = layer.op else { continue };
            let entry = conv.kernel.rows().map(|rows| entries[usize::from(rows.table)]);
            let pixels = if conv.output.height * conv.output.width <= 4 { "few pixels" } else { "blocks" };
            match (conv.kernel, entry) {
                (Kernel::Table { coding, .. }, Some(entry)) => {
                    seen.insert(format!("{coding:?} {entry:?} {pixels}"));
                }
                (Kernel::TableByActivation { .. }, Some(entry)) => {
                    seen.insert(format!("by activation {entry:?}"));
                }
                (Kernel::DepthwiseTable { coding, .. }, Some(entry)) => {
                    seen.insert(format!("depthwise {coding:?} {entry:?}"));
                }
                _ => {}
            }
        }
    }
    println!("{seen:?}");
    for kernel in ["Row U8 blocks", "Row U8 few pixels", "SignedRow U8 blocks", "SignedRow U8 few pixels"] {
        assert!(seen.contains(kernel), "{kernel} is missing among {seen:?}");
    }
    for kernel in ["Row U16", "SignedRow U16"] {
        for pixels in ["blocks", "few pixels"] {
            assert!(
                seen.contains(&format!("{kernel} {pixels}")),
                "{kernel} {pixels} is missing among {seen:?}"
            );
        }
    }
    assert!(seen.contains("by activation U16"), "{seen:?}");
}

/// Runs random networks, twelve that fit if there are so many, and hands each device to `after`.
fn run_networks(
    board: &'static Board,
    start: impl Fn(&'static Board, &Path) -> Device<Qemu>,
    mut after: impl FnMut(&mut Device<Qemu>),
) {
    let folder = tempfile::tempdir().unwrap();
    let mut ran = 0;
    for seed in 0..SEEDS {
        let case = network(seed);
        let image = image_of(&case, seed);
        if image.len() > board.image_capacity_bytes as usize {
            println!("{}: network {seed} skipped, {} bytes of flash", board.name, image.len());
            continue;
        }
        let path = write_image(folder.path(), &image);
        let mut device = start(board, &path);
        assert!(device.holds_image(&image).unwrap());
        let layers = match device.load() {
            Ok(info) => info.layer_count as usize,
            Err(error) => {
                let message = error.to_string();
                let needed = message.strip_prefix(&format!("{}: the network needs ", board.name));
                let needed =
                    needed.and_then(|rest| rest.split(' ').next()).unwrap_or_else(|| panic!("{message}"));
                assert!(needed.parse::<u32>().unwrap() > board.memory_bytes, "{message}");
                println!("{}: network {seed} skipped, {needed} bytes of RAM", board.name);
                continue;
            }
        };
        let first = device.infer(&case.input).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(first.logits, run_on_host(&image, &case.input), "{}, seed {seed}", board.name);

        let layer_ticks = device.layer_ticks().unwrap();
        assert_eq!(layer_ticks.len(), layers);
        let sum: u64 = layer_ticks.iter().map(|&ticks| u64::from(ticks)).sum();
        assert!(sum > 0 && sum <= first.ticks, "{sum} of {}", first.ticks);

        // Again, and another input in between.
        let other: Vec<u8> = case.input.iter().map(|code| code ^ 0x55).collect();
        let second = device.infer(&other).unwrap();
        assert_eq!(second.logits, run_on_host(&image, &other), "{}, seed {seed}", board.name);
        assert_eq!(device.infer(&case.input).unwrap().logits, first.logits);
        switch_points(&mut device, &image, &case.input, &first.logits);
        after(&mut device);
        ran += 1;
        if ran == WANTED {
            break;
        }
    }
    println!("{}: {ran} networks ran", board.name);
    assert!(ran >= NEEDED, "only {ran} networks fit the {}", board.name);
}

/// Goes to the image's second operating point, if it has one, and back again.
fn switch_points(device: &mut Device<Qemu>, image: &[u8], input: &[u8], at_first: &[i32]) {
    let image = AlignedImage::new(image);
    let points = image.load().unwrap().point_count();
    assert!(device.select(points as u16).unwrap_err().to_string().contains("OutOfRange"));
    if points == 1 {
        return;
    }
    // The second point may need more: it has layers of its own.
    if let Err(error) = device.select(1) {
        assert!(error.to_string().contains("bytes of RAM there"), "{error}");
        return;
    }
    let exact = execute::on_host(&image.clone().at_point("exact").unwrap(), input).unwrap();
    assert_eq!(device.infer(input).unwrap().logits, exact);
    device.select(0).unwrap();
    assert_eq!(device.infer(input).unwrap().logits, at_first);
}

/// Every call to a debugger that is not there is a fault, which the firmware steps over.
#[test]
fn boards_without_a_debugger_serve_all_the_same() {
    for board in Board::emulated() {
        let mut options = options(board);
        options.arguments = vec!["-semihosting-config".into(), "enable=off".into()];
        let (sender, log) = channel();
        let qemu = Qemu::start(&options, move |line| drop(sender.send(line)));
        let device = qemu.and_then(|qemu| Device::connect(qemu, board.name));
        let mut device = device.unwrap_or_else(|e| panic!("{e}"));
        assert!(device.load().is_err(), "there is no image");
        device.hello().unwrap();
        drop(device);
        assert_eq!(log.iter().count(), 0, "{}", board.name);
    }
}

#[test]
fn an_emulator_that_dies_is_an_error_with_its_last_words() {
    let mut options = options(Board::find("mps2-an386").unwrap());
    options.arguments = vec!["-no-such-option".into()];
    let message = Qemu::start(&options, |_| {}).unwrap_err().to_string();
    assert!(message.contains("no-such-option"), "{message}");
}

#[test]
fn an_image_too_large_is_refused_before_anything_starts() {
    let board = Board::find("netduinoplus2").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = write_image(folder.path(), &vec![0; board.image_capacity_bytes as usize + 1]);
    let mut options = QemuOptions::new(Path::new("/no/such/qemu"), board, Path::new("/no/such/elf"));
    options.image = Some(&path);
    let message = Qemu::start(&options, |_| {}).unwrap_err().to_string();
    assert!(message.ends_with("786433 bytes, but the netduinoplus2 has room for 786432"), "{message}");
}

#[test]
fn an_emulator_killed_in_between_is_reported() {
    let options = options(Board::find("netduinoplus2").unwrap());
    let qemu = Qemu::start(&options, |_| {}).unwrap();
    let id = qemu.process_id();
    let mut device = Device::connect(qemu, "netduinoplus2").unwrap();
    assert!(std::process::Command::new("kill").args(["-KILL", &id.to_string()]).status().unwrap().success());
    let message = device.load().unwrap_err().to_string();
    assert!(message.contains("QEMU has ended (signal: 9 (SIGKILL))"), "{message}");
    assert!(message.contains("no usable image in flash: Magic"), "{message}");
}
