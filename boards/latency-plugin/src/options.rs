//! The plugin's arguments.

use crate::flash::{Geometry, Range};
use crate::timing::Core;
use std::path::PathBuf;

/// All arguments. On QEMU's command line they are `name=value` with commas between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// `core`: m0, m0plus, m3, m4, m7 or m33.
    pub core: Core,
    /// `begin`: the address of the function that marks a layer's begin.
    pub begin: u32,
    /// `end`: the address of the function that marks a layer's end.
    pub end: u32,
    /// `out`: the file to write.
    pub out: PathBuf,
    /// `flash`: ranges such as `0x8000000-0x8100000`, with + between; none by default.
    pub flash: Vec<Range>,
    /// `wait`: the flash's wait states; 0 by default.
    pub wait_states: u32,
    /// `icache`: lines x bytes between flash and instruction fetch, such as `64x16`; by default `1x4`, the
    /// word just read.
    pub instruction_cache: Geometry,
    /// `dcache`: the same for data.
    pub data_cache: Geometry,
    /// `prefetch`: `on` if the instruction line after the one just read is read ahead; off by default.
    pub prefetch: bool,
    /// `multiply`: cycles of a product on a Cortex-M0 or M0+, 1 (the default) or 32.
    pub multiply_cycles: u32,
}

/// The word just read.
const NO_CACHE: Geometry = Geometry { lines: 1, bytes: 4 };

impl Options {
    /// Options from arguments, each `name=value`. The error names the argument.
    pub fn parse<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<Options, String> {
        let mut options = Options {
            core: Core::M4,
            begin: 0,
            end: 0,
            out: PathBuf::new(),
            flash: Vec::new(),
            wait_states: 0,
            instruction_cache: NO_CACHE,
            data_cache: NO_CACHE,
            prefetch: false,
            multiply_cycles: 1,
        };
        let mut missing = vec!["core", "begin", "end", "out"];
        for argument in arguments {
            let (name, value) =
                argument.split_once('=').ok_or_else(|| format!("argument {argument}: no value"))?;
            options.set(name, value).map_err(|reason| format!("argument {name}={value}: {reason}"))?;
            missing.retain(|wanted| *wanted != name);
        }
        match missing.first() {
            Some(name) => Err(format!("argument {name} is missing")),
            None => Ok(options),
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "core" => {
                let named = Core::NAMES.iter().find(|(name, _)| *name == value);
                self.core = named.ok_or("cores are m0, m0plus, m3, m4, m7, m33")?.1;
            }
            // Bit 0 says Thumb, and is not part of the address.
            "begin" => self.begin = number(value)? & !1,
            "end" => self.end = number(value)? & !1,
            "out" => self.out = value.into(),
            "flash" => self.flash = value.split('+').map(range).collect::<Result<_, _>>()?,
            "wait" => self.wait_states = number(value)?,
            "icache" => self.instruction_cache = geometry(value)?,
            "dcache" => self.data_cache = geometry(value)?,
            "prefetch" => self.prefetch = matches!(value, "on" | "true" | "1"),
            "multiply" => self.multiply_cycles = number(value)?,
            _ => return Err("no such argument".to_owned()),
        }
        Ok(())
    }
}

fn number(text: &str) -> Result<u32, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| format!("\"{text}\" is no number"))
}

fn range(text: &str) -> Result<Range, String> {
    let (start, end) = text.split_once('-').ok_or("a range is START-END")?;
    let range = Range { start: number(start)?, end: number(end)? };
    if range.start < range.end { Ok(range) } else { Err("a range ends behind its start".to_owned()) }
}

fn geometry(text: &str) -> Result<Geometry, String> {
    let (lines, bytes) = text.split_once('x').ok_or("a cache is LINESxBYTES")?;
    let geometry = Geometry { lines: number(lines)? as usize, bytes: number(bytes)? };
    if !(1..=65536).contains(&geometry.lines) {
        return Err("a cache has 1 to 65536 lines".to_owned());
    }
    if !geometry.bytes.is_power_of_two() || geometry.bytes < 2 {
        return Err("a line's bytes are a power of two, 2 at least".to_owned());
    }
    Ok(geometry)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: [&str; 4] = ["core=m3", "begin=0x101", "end=0x103", "out=/tmp/a=b"];

    fn error_of(argument: &str) -> String {
        Options::parse(LEAST.into_iter().chain([argument])).unwrap_err()
    }

    #[test]
    fn all_arguments_are_taken() {
        let more = ["flash=0x0-0x400+0x1000-8192", "wait=5", "icache=64x16", "dcache=8x16", "prefetch=on"];
        let options = Options::parse(LEAST.into_iter().chain(more)).unwrap();
        assert_eq!((options.core, options.begin, options.end), (Core::M3, 0x100, 0x102));
        assert_eq!(options.out, PathBuf::from("/tmp/a=b"));
        let flash = [Range { start: 0, end: 0x400 }, Range { start: 0x1000, end: 0x2000 }];
        assert_eq!(options.flash, flash);
        assert_eq!(options.instruction_cache, Geometry { lines: 64, bytes: 16 });
        assert_eq!(options.data_cache, Geometry { lines: 8, bytes: 16 });
        assert_eq!((options.wait_states, options.prefetch, options.multiply_cycles), (5, true, 1));
    }

    #[test]
    fn errors_name_the_argument() {
        assert_eq!(error_of("core=m9"), "argument core=m9: cores are m0, m0plus, m3, m4, m7, m33");
        assert_eq!(error_of("wait=x"), "argument wait=x: \"x\" is no number");
        assert_eq!(error_of("icache=0x16"), "argument icache=0x16: a cache has 1 to 65536 lines");
        assert!(error_of("dcache=8x12").ends_with("a power of two, 2 at least"));
        assert!(error_of("flash=9-8").ends_with("ends behind its start"));
        assert!(error_of("cheese=1").ends_with("no such argument"));
        assert_eq!(error_of("x"), "argument x: no value");
        assert_eq!(Options::parse(["core=m4"]).unwrap_err(), "argument begin is missing");
    }
}
