//! Which module of a file is the multiplier, and which of its ports are what.

use super::module::{Direction, Item, Module};
use crate::error::{Error, Result};
use std::path::Path;

/// A net and which of its bits, 0 being the lowest.
type Bit = (usize, usize);

/// Ports of a multiplier, bits from the lowest on.
#[derive(Debug)]
pub(super) struct Shape {
    pub activation: Vec<Bit>,
    pub weight: Vec<Bit>,
    pub product: Vec<Bit>,
}

/// The multiplier among `modules`: the one with its ports, or of several the one that no other holds.
pub(super) fn multiplier<'m>(path: &Path, modules: &'m [Module]) -> Result<(&'m Module, Shape)> {
    let mut found: Vec<(&Module, Shape)> = modules.iter().filter_map(|m| Some((m, shape(m)?))).collect();
    if found.len() > 1 {
        let instantiated = |name: &str| {
            let mut items =
                modules.iter().filter(|module| module.name != name).flat_map(|module| &module.items);
            items.any(|(item, _)| matches!(item, Item::Instance { module, .. } if module == name))
        };
        found.retain(|(module, _)| !instantiated(&module.name));
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => {
            let list: Vec<String> = modules.iter().take(5).map(ports).collect();
            Err(Error::file(
                path,
                format!(
                    "has no multiplier: a module with two inputs of 8 bits and one output of 16, or of such \
                     scalars as a0 to a7. It has {}",
                    list.join("; ")
                ),
            ))
        }
        _ => {
            let names: Vec<&str> = found.iter().map(|(module, _)| &*module.name).collect();
            Err(Error::file(path, format!("has several multipliers: {}; leave one", names.join(", "))))
        }
    }
}

/// Whether one of the modules has the ports of a multiplier.
pub(super) fn is_there_one(modules: &[Module]) -> bool {
    modules.iter().any(|module| shape(module).is_some())
}

fn ports(module: &Module) -> String {
    let of = |direction| {
        let nets = module.ports.iter().map(|&port| &module.nets[port]);
        let widths = nets.filter(|net| net.direction == Some(direction)).map(|net| net.width().to_string());
        widths.take(40).collect::<Vec<_>>().join(", ")
    };
    let (inputs, outputs) = (of(Direction::Input), of(Direction::Output));
    format!("`{}` with inputs of ({inputs}) and outputs of ({outputs}) bits", module.name)
}

fn shape(module: &Module) -> Option<Shape> {
    let groups = |direction| {
        let ports = module.ports.iter().copied();
        let ports: Vec<usize> =
            ports.filter(|&port| module.nets[port].direction == Some(direction)).collect();
        if ports.iter().all(|&port| module.nets[port].width() == 1) {
            scalars(module, &ports)
        } else {
            vectors(module, &ports)
        }
    };
    let mut inputs = groups(Direction::Input)?.into_iter();
    let mut outputs = groups(Direction::Output)?.into_iter();
    let shape = Shape { activation: inputs.next()?, weight: inputs.next()?, product: outputs.next()? };
    let fits = shape.activation.len() == 8 && shape.weight.len() == 8 && shape.product.len() == 16;
    (fits && inputs.next().is_none() && outputs.next().is_none()).then_some(shape)
}

fn vectors(module: &Module, ports: &[usize]) -> Option<Vec<Vec<Bit>>> {
    Some(ports.iter().map(|&port| (0..module.nets[port].width()).map(|bit| (port, bit)).collect()).collect())
}

/// Ports such as `a0` to `a7`, or `a[0]` to `a[7]` escaped, put together by what stands before their number.
fn scalars(module: &Module, ports: &[usize]) -> Option<Vec<Vec<Bit>>> {
    let mut groups: Vec<(&str, Vec<Option<Bit>>)> = Vec::new();
    for &port in ports {
        let name = module.nets[port].name.trim_end_matches(']');
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let number: usize = name[stem.len()..].parse().ok().filter(|&number| number < 16)?;
        let index = groups.iter().position(|(other, _)| *other == stem).unwrap_or_else(|| {
            groups.push((stem, Vec::new()));
            groups.len() - 1
        });
        let bits = &mut groups[index].1;
        bits.resize(bits.len().max(number + 1), None);
        // Two names may give one number, as `a1` and `a01` do.
        if bits[number].replace((port, 0)).is_some() {
            return None;
        }
    }
    groups.into_iter().map(|(_, bits)| bits.into_iter().collect()).collect()
}
