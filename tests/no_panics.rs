//! No panic can be reached from loading an image, choosing an operating point or running a network: the runtime
//! is linked alone, as each board's firmware compiles it, and what handles panics is not linked along. The
//! firmware itself has no message of a panic from there either.

#[allow(dead_code, reason = "shared with a test that uses the rest")]
#[path = "common/thumb.rs"]
mod thumb;

use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, SymbolKind, elf};
use skimp::board::description::{BOARDS, Profile};
use skimp::board::{Install, firmware, footprint};
use std::collections::BTreeSet;
use thumb::Program;

fn build(target: &str, profile: Profile, features: &[&str]) -> Vec<u8> {
    footprint::build(target, profile, features, Install::Allowed, &mut |line| println!("{line}"))
        .unwrap_or_else(|e| panic!("{e}"))
}

/// Part of panicking: the handler, and what core calls on the way there.
fn panics(name: &str) -> bool {
    ["skimp_panic_is_reachable", "rust_begin_unwind", "panicking", "_fail"]
        .iter()
        .any(|part| name.contains(part))
}

/// What is linked of panicking.
fn linked(elf: &[u8]) -> Vec<String> {
    let file = object::File::parse(elf).unwrap();
    let functions = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text);
    functions.map(|symbol| symbol.name().unwrap().to_owned()).filter(|name| panics(name)).collect()
}

/// The ways to compile the runtime that boards have.
fn builds() -> BTreeSet<(&'static str, &'static str)> {
    BOARDS.iter().map(|board| (board.target, board.profile.name())).collect()
}

#[test]
fn loading_and_running_can_not_panic() {
    for (target, name) in builds() {
        let profile = if name == Profile::Small.name() { Profile::Small } else { Profile::Release };
        let elf = build(target, profile, &["every-operator"]);
        let linked = linked(&elf);
        let callers = if linked.is_empty() { Vec::new() } else { callers(&elf) };
        assert!(linked.is_empty(), "{target}, {name}: {linked:#?} can be reached, from {callers:#?}");
    }
}

fn callers(elf: &[u8]) -> Vec<String> {
    let program = Program::read(elf);
    program.callers(panics).into_iter().map(|(caller, panic)| format!("{caller} calls {panic}")).collect()
}

#[test]
fn a_panic_would_be_found() {
    let elf = build("thumbv7em-none-eabihf", Profile::Release, &["every-operator", "panic"]);
    assert!(linked(&elf).iter().any(|name| name == "skimp_panic_is_reachable"));
    let callers = callers(&elf);
    assert!(callers.iter().any(|line| line.starts_with("skimp_footprint_infer calls")), "{callers:#?}");
}

/// Panics name the file they come from. In firmware, the runtime's protocol may; nothing else of it.
#[test]
fn firmware_has_no_message_of_a_panic_in_the_runtime() {
    const FOLDER: &[u8] = b"runtime/src/";
    for board in BOARDS {
        let elf = firmware::build(board, Install::Allowed, &mut |line| println!("{line}"));
        let bytes = std::fs::read(elf.unwrap_or_else(|e| panic!("{e}"))).unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        for section in file.sections() {
            let SectionFlags::Elf { sh_flags } = section.flags() else { continue };
            if sh_flags & u64::from(elf::SHF_ALLOC) == 0 {
                continue;
            }
            let data = section.data().unwrap();
            for at in 0..data.len() {
                let Some(rest) = data[at..].strip_prefix(FOLDER) else { continue };
                let name = String::from_utf8_lossy(&rest[..rest.len().min(40)]);
                assert!(name.starts_with("protocol"), "{}: a panic may come from {name:?}", board.name);
            }
        }
    }
}
