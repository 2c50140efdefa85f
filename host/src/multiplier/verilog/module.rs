//! Modules as they are written; what their names mean is seen when they are put together.

use super::expression::Expression;
use crate::multiplier::netlist::GateKind;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Input,
    Output,
}

/// A wire or vector of a module.
#[derive(Debug)]
pub(super) struct Net {
    pub name: String,
    /// The numbers of the highest and the lowest bit, if it is a vector.
    pub range: Option<(u32, u32)>,
    pub direction: Option<Direction>,
    /// Whether a declaration calls it signed.
    pub signed: bool,
}

/// What a declaration says of the nets it names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub signed: bool,
    pub range: Option<(u32, u32)>,
}

impl Net {
    pub fn width(&self) -> usize {
        self.range.map_or(1, |(left, right)| left.abs_diff(right) as usize + 1)
    }
}

/// A primitive gate's function.
#[derive(Debug, Clone, Copy)]
pub(super) enum Primitive {
    /// First terminal the output, the others inputs.
    Wide(GateKind),
    /// Last terminal the input, the others outputs; complemented or not.
    Copy { complement: bool },
}

/// What an instance's ports are tied to; nothing where a connection is left empty.
#[derive(Debug)]
pub(super) enum Connections {
    Ordered(Vec<Option<Expression>>),
    Named(Vec<(String, Option<Expression>)>),
}

#[derive(Debug)]
pub(super) enum Item {
    Assign { target: Expression, value: Expression },
    Gate { primitive: Primitive, terminals: Vec<Expression> },
    Instance { module: String, name: String, connections: Connections },
}

#[derive(Debug)]
pub(super) struct Module {
    pub name: String,
    pub nets: Vec<Net>,
    /// The nets that are ports, in the order of the header.
    pub ports: Vec<usize>,
    /// Whether the ports have an order at all; cells may have names alone.
    pub ordered: bool,
    /// Everything in the body, with its line.
    pub items: Vec<(Item, u32)>,
}
