//! What the runtime itself takes, without a board: `boards/footprint.txt`.

use super::thumb::Program;
use super::*;
use skimp::board::description::Profile;
use skimp::board::footprint;

const TARGETS: [&str; 4] =
    ["thumbv6m-none-eabi", "thumbv7m-none-eabi", "thumbv7em-none-eabihf", "thumbv8m.main-none-eabihf"];
const PROFILES: [Profile; 2] = [Profile::Small, Profile::Release];
/// Features of `boards/footprint`.
const OPERATORS: [&str; 2] = ["every-operator", "resnet8"];

/// By how many bytes the stack may differ where the compiler is the same; with another, it may by half.
const SAME_COMPILER_STACK_BYTES: u32 = 16;

/// A row of the file.
struct Row {
    build: [&'static str; 3],
    sizes: Sizes,
    /// Of `load` and of `infer`.
    stack: [u32; 2],
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for target in TARGETS {
        for profile in PROFILES {
            for operators in OPERATORS {
                let progress = &mut |line: &str| println!("{line}");
                let elf = footprint::build(target, profile, &[operators], Install::Allowed, progress);
                let elf = elf.unwrap_or_else(|e| panic!("{e}"));
                let program = Program::read(&elf);
                let stack =
                    ["load", "infer"].map(|name| program.stack_bytes(&format!("skimp_footprint_{name}")));
                let build = [target, profile.name(), operators];
                rows.push(Row { build, sizes: measure_bytes(&elf), stack });
            }
        }
    }
    rows
}

#[test]
fn the_runtime_takes_what_is_written_down() {
    let path = file().with_file_name("footprint.txt");
    let (rows, compilers) = (rows(), compilers());
    if std::env::var_os("SKIMP_REFRESH_SIZES").is_some() {
        return std::fs::write(path, text(&rows, &compilers)).unwrap();
    }

    let written = std::fs::read_to_string(path).unwrap();
    let same = written.lines().any(|line| line == format!("# {compilers}"));
    let percent = if same { SAME_COMPILER_PERCENT } else { OTHER_COMPILER_PERCENT };
    for Row { build, sizes, stack } in &rows {
        let line = written
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
            .find(|words| words.starts_with(build))
            .unwrap_or_else(|| panic!("no row {build:?}"));
        let [flash, ram, load, infer] = [3, 4, 5, 6].map(|column| line[column].parse::<u32>().unwrap());
        let tolerance = |bytes: u32| if same { SAME_COMPILER_STACK_BYTES } else { bytes / 2 };
        let close = [(stack[0], load), (stack[1], infer)]
            .iter()
            .all(|&(got, written)| got.abs_diff(written) <= tolerance(written));
        assert!(
            close && sizes.flash.abs_diff(flash) * 100 <= flash * percent && sizes.ram == ram,
            "{build:?}: {sizes:?}, stack {stack:?}, but boards/footprint.txt says {flash}, {ram}, {load} and \
             {infer}: if that is meant, write it anew by\n  \
             SKIMP_REFRESH_SIZES=1 cargo test --release -p skimp --test firmware_sizes"
        );
    }
}

fn text(rows: &[Row], compilers: &str) -> String {
    let mut text = format!(
        "# The runtime alone, in bytes: flash; static RAM; how deep the stack gets at most in load, and in infer.\n\
         # {compilers}\n"
    );
    for Row { build: [target, profile, operators], sizes: Sizes { flash, ram }, stack: [load, infer] } in rows
    {
        let build = format!("{target:25} {profile:7} {operators:14}");
        text += &format!("{build} {flash:>6} {ram:>4} {load:>5} {infer:>5}\n");
    }
    text
}
