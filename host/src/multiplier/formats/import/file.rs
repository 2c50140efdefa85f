//! What a file holds, whatever its format.

use super::Importing;
use super::costs::folder_of;
use super::names::{base_name, check_name};
use crate::error::{Error, Result};
use crate::multiplier::formats::evoapprox::Published;
use crate::multiplier::formats::numbers::{IndexOrder, Numbers, Reading, table};
use crate::multiplier::formats::{Format, bin, c_header, netlists, npy, read_bounded, text, verilog_file};
use crate::multiplier::verilog;
use crate::multiplier::{Family, Netlist, TruthTable, folder, signed_by_name, signed_or_unsigned};
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
        let signed = signedness(path, &base, None, how)?;
        let verilog::Circuit { netlist, operands, .. } = verilog_file::read(path, text, signed, how)?;
        let [activation, weight] = &operands;
        notes.push(format!("input {activation} is the activation, {weight} the weight"));
        let mut provenance = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
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
    let signed = signedness(path, &base, Some(&numbers), how)?;
    notes.extend(numbers.notes.iter().cloned());
    let reading = Reading { signed, index: how.index, swap: how.swap_operands };
    let (table, index) = table(path, numbers, reading)?;
    if let (Some(index), None) = (index, how.index) {
        notes.push(format!("rows and columns in {index} order, under which products are nearest"));
    }
    Ok(Found { base, table, index, operands: None, circuit: None, published, notes })
}

/// Whether a table is signed (see [`formats`](crate::multiplier::formats)).
fn signedness(path: &Path, base: &str, numbers: Option<&Numbers>, how: &Importing) -> Result<bool> {
    let named = signed_by_name(base);
    if let (Some(named), Some(wanted)) = (named, how.signed)
        && named != wanted
    {
        let wanted = signed_or_unsigned(wanted);
        let reason =
            format!("is to be {wanted}, but the name {base} says otherwise; give another with --name");
        return Err(Error::file(path, reason));
    }
    let told = how.signed.or(named).or(numbers.and_then(|numbers| numbers.signed));
    told.map_or_else(
        || {
            folder::signedness(folder_of(path), base, path).map_err(|_| {
                Error::file(path, "is it signed? say --signed or --unsigned: neither name nor numbers tell")
            })
        },
        Ok,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signedness_is_what_is_said_named_or_seen() {
        let of = |name: &str, seen: Option<bool>, said: Option<bool>| {
            let numbers = Numbers::of_type(vec![], seen);
            let how = Importing { signed: said, ..Importing::default() };
            signedness(Path::new("/no/such/x.npy"), name, Some(&numbers), &how).map_err(|e| e.to_string())
        };
        assert_eq!(of("x", Some(false), Some(true)), Ok(true));
        assert_eq!(of("mul8s_x", Some(false), None), Ok(true));
        assert_eq!(of("x", Some(true), None), Ok(true));
        assert!(of("x", None, None).unwrap_err().contains("is it signed?"));
        assert!(of("mul8s_x", None, Some(false)).unwrap_err().contains("mul8s_x says otherwise"));
    }
}
