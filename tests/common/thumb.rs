//! Programs for Cortex-M as far as their machine code tells: which function calls which, and how much stack
//! each takes.
//!
//! Frames and calls are read off the instructions that make them; an indirect call may go to any function whose
//! address is found in constants or code. Both err on the side of too much.

use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
struct Function {
    names: Vec<String>,
    /// What it takes of the stack itself.
    frame_bytes: u32,
    calls: BTreeSet<u32>,
    calls_indirectly: bool,
}

/// The functions of a program by their addresses.
pub struct Program {
    functions: BTreeMap<u32, Function>,
    /// Functions whose addresses are data.
    named_as_data: BTreeSet<u32>,
}

impl Program {
    /// Reads an ELF file.
    pub fn read(elf: &[u8]) -> Program {
        let file = object::File::parse(elf).unwrap();
        let mut bounds = BTreeMap::new();
        let mut functions: BTreeMap<u32, Function> = BTreeMap::new();
        // `$t` and `$d` say where code and constants begin.
        let mut kinds = BTreeMap::new();
        for symbol in file.symbols() {
            let (name, address) = (symbol.name().unwrap(), symbol.address() as u32);
            match name.get(..2) {
                Some("$t" | "$d") => drop(kinds.insert(address, name.starts_with("$t"))),
                _ if symbol.kind() == SymbolKind::Text && symbol.size() > 0 => {
                    let start = address & !1;
                    bounds.insert(start, start + symbol.size() as u32);
                    functions.entry(start).or_default().names.push(name.to_owned());
                }
                _ => {}
            }
        }
        let starts: BTreeSet<u32> = functions.keys().copied().collect();
        let mut named_as_data = BTreeSet::new();
        for section in file.sections() {
            let (address, bytes) = (section.address() as u32, section.data().unwrap());
            if section.name().unwrap() == ".text" {
                for (&start, function) in &mut functions {
                    let body = (start..bounds[&start]).filter(|at| at % 2 == 0).map(|at| {
                        let is_code = kinds.range(..=at).next_back().is_none_or(|(_, &code)| code);
                        let offset = (at - address) as usize;
                        (is_code, u16::from_le_bytes([bytes[offset], bytes[offset + 1]]))
                    });
                    let body: Vec<(bool, u16)> = body.collect();
                    let mut reader = Reader { start, body: &body, function, addresses: BTreeSet::new() };
                    reader.run();
                    named_as_data.extend(reader.addresses.intersection(&starts));
                }
            } else if address != 0 {
                // Not one that only debuggers read.
                let words = bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word));
                named_as_data.extend(words.filter(|word| word % 2 == 1).map(|word| word - 1));
            }
        }
        named_as_data.retain(|address| starts.contains(address));
        Program { functions, named_as_data }
    }

    /// The functions that call one whose name `wanted` accepts, each with the name it calls.
    pub fn callers(&self, wanted: impl Fn(&str) -> bool) -> Vec<(&str, &str)> {
        let mut found = Vec::new();
        for function in self.functions.values() {
            for callee in function.calls.iter().filter_map(|address| self.functions.get(address)) {
                if let Some(name) = callee.names.iter().find(|name| wanted(name)) {
                    found.push((&*function.names[0], &**name));
                }
            }
        }
        found
    }

    /// How deep the stack gets at most below the function `name`, its own frame included.
    pub fn stack_bytes(&self, name: &str) -> u32 {
        let root = self.functions.iter().find(|(_, function)| function.names.iter().any(|n| n == name));
        let (&root, _) = root.unwrap_or_else(|| panic!("no function {name}"));
        self.depth(root, &mut Vec::new(), &mut BTreeMap::new())
    }

    fn depth(&self, at: u32, path: &mut Vec<u32>, known: &mut BTreeMap<u32, u32>) -> u32 {
        if let Some(&depth) = known.get(&at) {
            return depth;
        }
        let function = self.functions.get(&at).unwrap_or_else(|| panic!("a call to {at:#x}, no function"));
        assert!(!path.contains(&at), "{:?} calls itself", function.names);
        path.push(at);
        let anyone = function.calls_indirectly.then_some(&self.named_as_data);
        let callees = function.calls.iter().chain(anyone.into_iter().flatten());
        let deepest = callees.map(|&callee| self.depth(callee, path, known)).max().unwrap_or(0);
        path.pop();
        known.insert(at, function.frame_bytes + deepest);
        function.frame_bytes + deepest
    }
}

/// Goes through a function's instructions.
struct Reader<'a> {
    start: u32,
    /// Its halfwords, and which are code.
    body: &'a [(bool, u16)],
    function: &'a mut Function,
    /// What might be addresses of functions.
    addresses: BTreeSet<u32>,
}

impl Reader<'_> {
    fn run(&mut self) {
        // The last constant that each register got.
        let mut constants = [0; 16];
        let mut at = self.start;
        while let Some((is_code, first)) = self.half(at) {
            let second = self.half(at + 2).map_or(0, |(_, half)| half);
            if !is_code {
                if at.is_multiple_of(4) {
                    self.note(u32::from(second) << 16 | u32::from(first));
                }
                at += 2;
            } else if first >> 11 >= 0b11101 {
                self.wide(at, first, second, &mut constants);
                at += 4;
            } else {
                self.narrow(at, first, &mut constants);
                at += 2;
            }
        }
    }

    fn half(&self, at: u32) -> Option<(bool, u16)> {
        self.body.get((at - self.start) as usize / 2).copied()
    }

    /// Notes a constant that may be the address of a function: those are odd.
    fn note(&mut self, constant: u32) {
        if constant % 2 == 1 {
            self.addresses.insert(constant - 1);
        }
    }

    /// A jump from the instruction at `at`: one out of the function is a call. One within it is none even if it
    /// is made like one, which is how far jumps are made on a Cortex-M0.
    fn jump(&mut self, at: u32, distance: i32, is_call: bool) {
        let target = at.wrapping_add(4).wrapping_add_signed(distance);
        let end = self.start + 2 * self.body.len() as u32;
        if !(self.start..end).contains(&target) || is_call && target == self.start {
            self.function.calls.insert(target);
        }
    }

    fn narrow(&mut self, at: u32, code: u16, constants: &mut [u32; 16]) {
        let frame = &mut self.function.frame_bytes;
        if code & 0xfe00 == 0xb400 {
            *frame += 4 * (code & 0x1ff).count_ones(); // push
        } else if code & 0xff80 == 0xb080 {
            *frame += 4 * u32::from(code & 0x7f); // sub sp, #
        } else if code & 0xff87 == 0x4485 {
            // add sp, r: a frame if r is negative
            let bytes = constants[usize::from(code >> 3 & 15)] as i32;
            *frame += bytes.min(0).unsigned_abs();
        } else if code & 0xf800 == 0x4800 {
            // ldr r, [pc, #]
            let place = ((at + 4) & !3) + 4 * u32::from(code & 0xff);
            let [low, high] = [place, place + 2].map(|at| self.half(at).map_or(0, |(_, half)| half));
            constants[usize::from(code >> 8 & 7)] = u32::from(high) << 16 | u32::from(low);
        } else if code & 0xff07 == 0x4700 && code != 0x4770 {
            self.function.calls_indirectly = true; // blx r, or bx r that is no return
        } else if code & 0xf800 == 0xe000 {
            self.jump(at, i32::from(code) << 21 >> 20, false); // b
        }
    }

    fn wide(&mut self, at: u32, first: u16, second: u16, constants: &mut [u32; 16]) {
        let frame = &mut self.function.frame_bytes;
        let (a, b) = (u32::from(first), u32::from(second));
        let immediate = (a >> 10 & 1) << 11 | (b >> 12 & 7) << 8 | b & 0xff;
        match first {
            0xe92d => *frame += 4 * second.count_ones(),        // push
            0xf84d if b & 0xf00 == 0xd00 => *frame += b & 0xff, // str r, [sp, #-]!
            0xe96d => *frame += 4 * (b & 0xff),                 // strd r, r, [sp, #-]!
            0xed2d | 0xed6d if b & 0xe00 == 0xa00 => *frame += 4 * (b & 0xff), // vpush
            0xf2ad | 0xf6ad if b & 0x8f00 == 0xd00 => *frame += immediate, // subw sp, sp, #
            0xf1ad | 0xf5ad if b & 0x8f00 == 0xd00 => *frame += expand(immediate), // sub.w sp, sp, #
            _ if matches!(first & 0xfbf0, 0xf240 | 0xf2c0) && b & 0x8000 == 0 => {
                // movw, movt
                let half = (a & 15) << 12 | immediate;
                let constant = &mut constants[usize::from(second >> 8 & 15)];
                *constant = if a & 0x80 == 0 { half } else { *constant & 0xffff | half << 16 };
                let constant = *constant;
                self.note(constant);
            }
            _ if first & 0xf800 == 0xf000 && b & 0x9000 == 0x9000 => {
                // b, bl: two bits of the distance are stored as whether they are its sign
                let sign = a >> 10 & 1;
                let [i1, i2] = [b >> 13 & 1, b >> 11 & 1].map(|bit| 1 ^ bit ^ sign);
                let distance = sign << 24 | i1 << 23 | i2 << 22 | (a & 0x3ff) << 12 | (b & 0x7ff) << 1;
                self.jump(at, (distance << 7) as i32 >> 7, b & 0x4000 != 0);
            }
            _ if first & 0xf800 == 0xf000 && b & 0xd000 == 0x8000 && a >> 6 & 15 < 14 => {
                // b under a condition
                let distance = (a >> 10 & 1) << 20 | (b >> 11 & 1) << 19 | (b >> 13 & 1) << 18;
                let distance = distance | (a & 0x3f) << 12 | (b & 0x7ff) << 1;
                self.jump(at, (distance << 11) as i32 >> 11, false);
            }
            _ => {}
        }
    }
}

/// The 32 bits that a 12-bit immediate stands for.
fn expand(immediate: u32) -> u32 {
    let byte = immediate & 0xff;
    match immediate >> 8 {
        0 => byte,
        1 => byte * 0x0001_0001,
        2 => byte * 0x0100_0100,
        3 => byte * 0x0101_0101,
        _ => (byte | 0x80).rotate_right(immediate >> 7),
    }
}
