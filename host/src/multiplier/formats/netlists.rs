//! Circuits as lines of JSON (see [`NetlistFile`]), by themselves or beside a folder's tables.

use super::import::gate_model;
use super::text;
use crate::error::{Error, Result};
use crate::multiplier::{Family, Figure, Netlist, NetlistFile, NetlistRecord, Statistics, folder};
use std::path::{Path, PathBuf};

/// What the first line says of the circuits of others.
const LICENCE: &str = "that of each circuit's source: see its provenance";

/// The circuits of a file, and whether they are signed.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<(bool, Vec<(NetlistRecord, Netlist)>)> {
    let file = NetlistFile::parse(path, text::decode(path, bytes)?)?;
    let netlists = file.records.iter().map(|record| file.netlist(path, record));
    let netlists: Vec<Netlist> = netlists.collect::<Result<_>>()?;
    Ok((file.signed, file.records.into_iter().zip(netlists).collect()))
}

/// The line of a circuit.
pub(super) fn record(
    name: &str,
    family: Family,
    provenance: &str,
    netlist: &Netlist,
    statistics: &Statistics,
) -> NetlistRecord {
    let power_rel = match gate_model(netlist).power {
        Figure::Relative(power) | Figure::Absolute(power) => power,
    };
    NetlistRecord {
        name: name.to_owned(),
        family,
        provenance: provenance.to_owned(),
        power_rel,
        mae_pct: statistics.mae_pct,
        wce_pct: statistics.wce_pct,
        gates: netlist.to_text(),
    }
}

/// The folder's `netlists.jsonl` with `records` in it and the circuits called `gone` no longer; None if it is
/// not there and need not be.
pub(super) fn updated(
    folder: &Path,
    signed: bool,
    gone: &[&str],
    records: Vec<NetlistRecord>,
) -> Result<Option<(PathBuf, Vec<u8>)>> {
    let path = folder.join(folder::NETLISTS);
    let old = folder::circuits(folder)?;
    if old.is_none() && records.is_empty() {
        return Ok(None);
    }
    let mut all = match old {
        Some(old) if old.signed != signed && !old.records.is_empty() => {
            let reason = "its circuits are of the other signedness; keep signed and unsigned ones apart";
            return Err(Error::file(&path, reason));
        }
        Some(old) => old.records,
        None => Vec::new(),
    };
    all.retain(|old| !gone.contains(&&*old.name) && !records.iter().any(|new| new.name == old.name));
    all.extend(records);
    let text = NetlistFile { signed, records: all }.to_text(&path, LICENCE)?;
    Ok(Some((path, text.into_bytes())))
}
