//! Libraries of circuits as text: a line of JSON about all of them, then one for each.
//!
//! The first line: `format` ("skimp-netlists"), `version` (1), `signed`, `licence`, and `program`, the version of
//! skimp that wrote the file and that the commands in it are for (libraries of earlier ones do not have it). The
//! others: `name`, `family`, `provenance` (what made it) and `gates` (see [`Netlist::to_text`]). Other fields are
//! for people to read; products, errors and costs are worked out from the gates.

use super::cost::Cost;
use super::{CostSource, Family, Multiplier, Netlist, Statistics, builtin};
use crate::error::{Error, Result};
use crate::file;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;

const FORMAT: &str = "skimp-netlists";
const VERSION: u32 = 1;

/// What wrote a file: who runs a command of it with another version may come to other circuits.
const PROGRAM: &str = concat!("skimp ", env!("CARGO_PKG_VERSION"));

/// The licence of skimp's own circuits.
pub(super) const OWN_LICENCE: &str = "MIT OR Apache-2.0";

/// More multipliers than a library could need: a guard against nonsense.
const MOST_RECORDS: usize = 10_000;

/// What the first line says.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
    signed: bool,
    licence: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    program: Option<String>,
}

/// A circuit of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetlistRecord {
    /// Its name.
    pub name: String,
    /// The idea behind it.
    pub family: Family,
    /// The seed and command that made it, or the paper it is from.
    pub provenance: String,
    /// Power relative to the file's exact multiplier. For people; worked out anew when read.
    #[serde(default)]
    pub power_rel: f64,
    /// Mean absolute error in percent of 65,536. For people.
    #[serde(default)]
    pub mae_pct: f64,
    /// Worst-case error in percent of 65,536. For people.
    #[serde(default)]
    pub wce_pct: f64,
    /// The circuit: see [`Netlist::to_text`].
    pub gates: String,
}

/// A file of circuits of one signedness.
#[derive(Debug, Clone, PartialEq)]
pub struct NetlistFile {
    /// Whether operands and products are two's complement.
    pub signed: bool,
    /// The circuits.
    pub records: Vec<NetlistRecord>,
}

impl NetlistFile {
    /// Reads the text of the file at `path`, which is named in errors.
    pub fn parse(path: &Path, text: &str) -> Result<NetlistFile> {
        let header = header(path, text)?;
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let mut records = Vec::new();
        for (number, line) in lines.skip(1) {
            if records.len() == MOST_RECORDS {
                return Err(at(path, number, format!("more than {MOST_RECORDS} multipliers")));
            }
            records.push(serde_json::from_str(line).map_err(|e| at(path, number, e.to_string()))?);
        }
        Ok(NetlistFile { signed: header.signed, records })
    }

    /// Writes the file, under the licence of skimp's own circuits.
    pub fn write(&self, path: &Path) -> Result<()> {
        file::write_atomically(path, self.to_text(path, OWN_LICENCE)?.as_bytes())
    }

    /// The text of the file; `licence` is what its first line says of the circuits, and `path` is named in
    /// errors.
    pub fn to_text(&self, path: &Path, licence: &str) -> Result<String> {
        let header = Header {
            format: FORMAT.into(),
            version: VERSION,
            signed: self.signed,
            licence: licence.into(),
            program: Some(PROGRAM.into()),
        };
        let json = |line: serde_json::Result<String>| line.map_err(|e| Error::file(path, e.to_string()));
        let mut text = json(serde_json::to_string(&header))?;
        for record in &self.records {
            text.push('\n');
            text.push_str(&json(serde_json::to_string(record))?);
        }
        text.push('\n');
        Ok(text)
    }

    /// Reads the file at `path`.
    pub fn read(path: &Path) -> Result<NetlistFile> {
        file::check_regular(path)?;
        NetlistFile::parse(path, &file::read_text(path)?)
    }

    /// All circuits, with the costs of the cost model relative to the cheapest exact circuit of the built-in
    /// library, so that figures of several files compare. `path` is named in errors.
    pub fn multipliers(&self, path: &Path) -> Result<Vec<Multiplier>> {
        let exact = builtin::exact_cost(self.signed);
        let multiplier = |record: &NetlistRecord| {
            let netlist = self.netlist(path, record)?;
            Ok(modelled(record.name.clone(), record.family, record.provenance.clone(), netlist, &exact))
        };
        self.records.par_iter().map(multiplier).collect()
    }

    /// What the exact circuit that needs least power costs, if there is an exact one.
    pub(super) fn cheapest_exact(&self, path: &Path) -> Result<Option<Cost>> {
        let cost = |record| {
            let netlist = self.netlist(path, record)?;
            let simulation = netlist.simulate();
            let cost = Cost::of(&netlist, &simulation.activity);
            Ok(Statistics::of(&simulation.table).is_exact().then_some(cost))
        };
        // What errs by its own figures need not be simulated.
        let exact = self.records.par_iter().filter(|record| record.wce_pct == 0.0).map(cost);
        let costs: Vec<Option<Cost>> = exact.collect::<Result<_>>()?;
        Ok(costs.into_iter().flatten().min_by(|x, y| x.power_uw.total_cmp(&y.power_uw)))
    }

    /// The circuit of one of the file's records.
    pub(super) fn netlist(&self, path: &Path, record: &NetlistRecord) -> Result<Netlist> {
        Netlist::from_text(self.signed, &record.gates)
            .map_err(|reason| Error::file(path, format!("{}: {reason}", record.name)))
    }
}

/// A multiplier with the costs of the cost model, relative to those of `exact`.
pub(super) fn modelled(
    name: String,
    family: Family,
    provenance: String,
    netlist: Netlist,
    exact: &Cost,
) -> Multiplier {
    let simulation = netlist.simulate();
    let cost = Cost::of(&netlist, &simulation.activity);
    Multiplier {
        name,
        family,
        power_rel: cost.power_uw / exact.power_uw,
        area_rel: Some(cost.area_um2 / exact.area_um2),
        delay_rel: Some(cost.delay_ps / exact.delay_ps),
        cost_source: CostSource::GateModel,
        statistics: Statistics::of(&simulation.table),
        table: simulation.table,
        netlist: Some(Arc::new(netlist)),
        provenance: Some(provenance),
    }
}

fn at(path: &Path, line: usize, reason: String) -> Error {
    Error::file(path, format!("line {}: {reason}", line + 1))
}

/// What the first line says; it must be that of such a file.
fn header(path: &Path, text: &str) -> Result<Header> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let Some((number, first)) = lines.next() else {
        return Err(Error::file(path, "empty; a library of netlists begins with a line of JSON"));
    };
    let header: Header = serde_json::from_str(first).map_err(|e| at(path, number, e.to_string()))?;
    if header.format != FORMAT || header.version != VERSION {
        let found = format!("format {:?} version {}", header.format, header.version);
        return Err(at(path, number, format!("{found}; this program reads {FORMAT:?} version {VERSION}")));
    }
    Ok(header)
}

/// The licence that the first line of a file gives its circuits.
pub(super) fn licence(path: &Path, text: &str) -> Result<String> {
    header(path, text).map(|header| header.licence)
}

/// Whether `text` says of itself that it is such a file, sound or not.
pub(super) fn claims_netlists(text: &str) -> bool {
    text.lines().find(|line| !line.trim().is_empty()).is_some_and(|line| line.contains(FORMAT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_say_which_program_wrote_them_and_those_that_do_not_can_be_read() {
        let path = Path::new("mine.jsonl");
        let file = NetlistFile { signed: true, records: Vec::new() };
        let text = file.to_text(path, "mine").unwrap();
        let program = format!(",\"program\":\"skimp {}\"", env!("CARGO_PKG_VERSION"));
        assert!(text.contains(&program), "{text}");
        assert_eq!(NetlistFile::parse(path, &text).unwrap(), file);
        assert_eq!(NetlistFile::parse(path, &text.replace(&program, "")).unwrap(), file);
    }
}
