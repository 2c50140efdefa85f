//! What a file holds, whatever its format.

use super::Importing;
use super::names::{base_name, check_name};
use super::signedness::signedness;
use crate::error::{Error, Result};
use crate::multiplier::formats::evoapprox::Published;
use crate::multiplier::formats::numbers::{IndexOrder, Reading, table};
use crate::multiplier::formats::{Format, bin, c_header, netlists, npy, read_bounded, text, verilog_file};
use crate::multiplier::verilog;
use crate::multiplier::{Family, Netlist, TruthTable, signed_by_name, signed_or_unsigned};
use std::path::Path;

/// A multiplier as its file has it.
pub(super) struct Found {
    /// Its name, perhaps without what stands for its signedness.
    pub base: String,
    pub table: TruthTable,
    pub index: Option<IndexOrder>,
    pub operands: Option<[String; 2]>,
    pub circuit: Option<Circuit>,
    pub published: Published,
    pub notes: Vec<String>,
}

/// Gates and what is known of them.
pub(super) struct Circuit {
    pub netlist: Netlist,
    pub family: Family,
    pub provenance: String,
}

/// The multipliers of the file at `path`.
pub(super) fn read(path: &Path, format: Format, how: &Importing) -> Result<Vec<Found>> {
    let bytes = read_bounded(path)?;
    if format.is_circuit() && how.index.is_some() {
        return Err(Error::file(path, "--index is for tables; these are circuits"));
    }
    match format {
        Format::Netlists => circuits(path, &bytes, how),
        _ => Ok(vec![single(path, format, &bytes, how)?]),
    }
}

/// The circuits of a file of netlists.
fn circuits(path: &Path, bytes: &[u8], how: &Importing) -> Result<Vec<Found>> {
    let (signed, circuits) = netlists::read(path, bytes)?;
    if circuits.len() != 1 && (how.name.is_some() || how.costs.is_some()) {
        let reason = format!("holds {} circuits; a name or costs by hand are for one", circuits.len());
        return Err(Error::file(path, reason));
    }
    if how.signed.is_some_and(|wanted| wanted != signed) {
        let kind = signed_or_unsigned(signed);
        return Err(Error::file(path, format!("its first line says that it is {kind}")));
    }
    let how = &Importing { signed: Some(signed), ..how.clone() };
    let found = circuits.into_iter().map(|(record, netlist)| {
        let base = how.name.clone().unwrap_or(record.name);
        check_name(path, &base)?;
        signedness(path, &base, None, how)?;
        let netlist = if how.swap_operands { netlist.swapped() } else { netlist };
        Ok(Found {
            base,
            table: netlist.simulate().table,
            index: None,
            operands: None,
            circuit: Some(Circuit { netlist, family: record.family, provenance: record.provenance }),
            published: Published::default(),
            notes: Vec::new(),
        })
    });
    found.collect()
}

/// The multiplier of a file that holds one.
fn single(path: &Path, format: Format, bytes: &[u8], how: &Importing) -> Result<Found> {
    let base = how.name.clone().map_or_else(|| base_name(path, format), Ok)?;
    check_name(path, &base)?;
    let mut notes = Vec::new();
    if format == Format::Verilog {
        let text = text::decode(path, bytes)?;
        let published = Published::read(path, text)?;
        let verilog::Circuit { netlist, operands, signed_inputs } = verilog_file::read(path, text, how)?;
        let told = signed_inputs.then_some(true).or(published.evoapprox8b.then_some(false));
        let signed = signedness(path, &base, told, how)?;
        if signed_inputs && !signed {
            let by = if signed_by_name(&base).is_some() { "its name says" } else { "it was read as" };
            notes.push(format!("its inputs are declared signed, but {by} unsigned: is that right?"));
        }
        let netlist = netlist.with_signedness(signed);
        let [activation, weight] = &operands;
        notes.push(format!("input {activation} is the activation, {weight} the weight"));
        let mut provenance = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(source) = published.source {
            provenance = format!("{provenance} of {source}");
        }
        if how.swap_operands {
            provenance.push_str(" with its operands exchanged");
        }
        let table = netlist.simulate().table;
        let circuit = Some(Circuit { netlist, family: Family::Imported, provenance });
        return Ok(Found { base, table, index: None, operands: Some(operands), circuit, published, notes });
    }
    let numbers = match format {
        Format::Bin => bin::read(path, bytes),
        Format::Npy => npy::read(path, bytes),
        Format::CHeader => c_header::read(path, bytes),
        Format::Csv | Format::Verilog | Format::Netlists => text::read(path, bytes),
    }?;
    let published = match format {
        Format::CHeader => Published::read(path, text::decode(path, bytes)?)?,
        _ => Published::default(),
    };
    let signed = signedness(path, &base, numbers.signed, how)?;
    notes.extend(numbers.notes.iter().cloned());
    let reading = Reading { signed, index: how.index, swap: how.swap_operands };
    let (table, index) = table(path, numbers, reading)?;
    if let (Some(index), None) = (index, how.index) {
        notes.push(format!("rows and columns in {index} order, under which products are nearest"));
    }
    Ok(Found { base, table, index, operands: None, circuit: None, published, notes })
}
