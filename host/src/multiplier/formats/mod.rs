//! Truth tables and circuits in the formats of other tools: [`import`] makes library folders of them,
//! [`export`] writes them. `models/multipliers/FORMATS.md` says which tool takes which.
//!
//! | format | files | what is read | what is written |
//! |---|---|---|---|
//! | [`Bin`](Format::Bin) | `.bin` | 65,536 products, little endian, of 16 or 32 bits | u16 or i16 |
//! | [`Npy`](Format::Npy) | `.npy` | shape (256, 256) or (65536,), any order and version, integers of 16 to 64 bits or whole floats | version 1.0, `<u2` or `<i2`, (256, 256) |
//! | [`CHeader`](Format::CHeader) | `.h`, `.c` and the like | an initialiser of 65,536 numbers, flat or by rows | `const int16_t lut [256][256]` |
//! | [`Csv`](Format::Csv) | `.csv`, `.txt` and the like | 256 lines of 256, 65,536 numbers, or lines `a,w,product` | 256 lines of 256 |
//! | [`Verilog`](Format::Verilog) | `.v` | a structural module, and EvoApproxLib's comments with costs | the module and a test bench |
//! | [`Netlists`](Format::Netlists) | `.jsonl` | all circuits of a [`NetlistFile`](super::NetlistFile) | all circuits in one `netlists.jsonl` |
//!
//! # Operands
//! The activation comes first: row `a`, column `w`. A file with the weight first is read the other way round
//! on request; of a Verilog module the first input is the activation, and columns of text may be named. Rows and columns of signed tables stand for -128..=127 in one of two orders ([`IndexOrder`]);
//! unless it is given, the order is taken under which the products are nearer to the exact ones.
//!
//! # Signedness
//! What the caller says; else the name's `mul8u_` or `mul8s_`; else the type of the numbers (of 16 bits, or
//! unsigned), or a module's `signed` inputs; else their values, negative or too large for i16; else the word
//! `unsigned` or `signed` in the name of the nearest folder that has one; else it has to be asked for.
//!
//! # Costs
//! By hand, or from the `costs.csv` or `costs.json` beside the file (see
//! [`Library::load_folder`](super::Library::load_folder) for the columns; JSON has the same as an array of
//! objects or an object by name), or from the comments of EvoApproxLib's files; a circuit without any is
//! charged by the [gate model](super::cost). A table without any is refused.
//!
//! # Circuits
//! Their gates are kept in the folder's `netlists.jsonl`, so that they can be exported as circuits again.

mod bin;
mod c_header;
mod costs_json;
mod distinct_json;
mod evoapprox;
mod export;
mod import;
mod library_folder;
mod netlists;
mod npy;
mod numbers;
mod origin;
#[cfg(test)]
mod round_trips;
mod target;
mod text;
mod verilog_file;
mod written;

pub use export::{Exporting, export};
pub use import::{Imported, Importing, Imports, Skipped, import};
pub use library_folder::write_library;
pub use numbers::IndexOrder;
pub use written::Written;

use crate::error::{Error, Result};
use crate::file;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// Files larger than this are no tables: the longest way to write one is a fraction of it.
const MAX_BYTES: u64 = 16 << 20;

/// How a table is written in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// The products alone.
    Bin,
    /// NumPy's arrays.
    Npy,
    /// An array of C.
    CHeader,
    /// Text.
    Csv,
    /// A module of gates.
    Verilog,
    /// Lines of JSON, a circuit each.
    Netlists,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 6] =
        [Format::Bin, Format::Npy, Format::CHeader, Format::Csv, Format::Verilog, Format::Netlists];

    /// The format that a file's extension stands for.
    pub fn of(path: &Path) -> Option<Format> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match &*extension {
            "bin" => Format::Bin,
            "npy" => Format::Npy,
            "h" | "hpp" | "c" | "cc" | "cpp" | "cu" | "cuh" | "inc" => Format::CHeader,
            "csv" | "tsv" | "txt" | "dat" => Format::Csv,
            "v" | "sv" => Format::Verilog,
            "jsonl" => Format::Netlists,
            _ => return None,
        })
    }

    /// The extension of files that are written.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Bin => "bin",
            Format::Npy => "npy",
            Format::CHeader => "h",
            Format::Csv => "csv",
            Format::Verilog => "v",
            Format::Netlists => "jsonl",
        }
    }

    /// Whether files of it hold gates, not tables.
    pub fn is_circuit(self) -> bool {
        matches!(self, Format::Verilog | Format::Netlists)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Format::Bin => "bin",
            Format::Npy => "npy",
            Format::CHeader => "c-header",
            Format::Csv => "csv",
            Format::Verilog => "verilog",
            Format::Netlists => "netlists",
        })
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Format> {
        Format::ALL.into_iter().find(|format| format.to_string() == text).ok_or_else(|| {
            let formats = "bin, npy, c-header, csv, verilog or netlists";
            Error::Argument(format!("a format is {formats}, not \"{text}\""))
        })
    }
}

/// All of a file that may be a table.
fn read_bounded(path: &Path) -> Result<Vec<u8>> {
    file::check_regular(path)?;
    let size = std::fs::metadata(path).map_err(Error::io(path))?.len();
    if size > MAX_BYTES {
        return Err(Error::file(path, format!("{size} bytes; no table takes more than {MAX_BYTES}")));
    }
    file::read(path)
}
