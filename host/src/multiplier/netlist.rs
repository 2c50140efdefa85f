//! Gate-level netlists of 8x8-bit multipliers.

pub use super::builder::Builder;

/// Number of inputs: `a0..a7` then `w0..w7`.
pub const INPUTS: usize = 16;
/// Number of outputs, the product's bits from the lowest.
pub const OUTPUTS: usize = 16;

/// A signal: a constant, an operand bit or the output of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Wire(u32);

impl Wire {
    /// The constant 0.
    pub const ZERO: Wire = Wire(0);
    /// The constant 1.
    pub const ONE: Wire = Wire(1);
    /// The [`index`](Self::index) of the first input, behind both constants.
    pub const FIRST_INPUT: usize = 2;
    /// The index of the first gate, behind all inputs.
    pub const FIRST_GATE: usize = Self::FIRST_INPUT + INPUTS;

    /// The constant `bit`.
    pub fn constant(bit: bool) -> Wire {
        if bit { Wire::ONE } else { Wire::ZERO }
    }

    /// Bit `i` (0..=7, the lowest is 0) of the activation.
    ///
    /// # Panics
    /// If `i` is above 7.
    pub fn a(i: usize) -> Wire {
        assert!(i < 8, "the activation has bits 0..=7, not {i}");
        Wire((Self::FIRST_INPUT + i) as u32)
    }

    /// Bit `j` (0..=7, the lowest is 0) of the weight.
    ///
    /// # Panics
    /// If `j` is above 7.
    pub fn w(j: usize) -> Wire {
        assert!(j < 8, "the weight has bits 0..=7, not {j}");
        Wire((Self::FIRST_INPUT + 8 + j) as u32)
    }

    /// Where this wire's value is in a list of both constants, all inputs and all gates, in that order.
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// The operand, `a` or `w`, and the bit of it that this wire is, if it is one.
    pub fn input(self) -> Option<(char, usize)> {
        match self.index().checked_sub(Self::FIRST_INPUT)? {
            bit @ 0..8 => Some(('a', bit)),
            bit @ 8..INPUTS => Some(('w', bit - 8)),
            _ => None,
        }
    }

    /// The gate that drives this wire, if one does.
    pub fn gate(self) -> Option<usize> {
        self.index().checked_sub(Self::FIRST_GATE)
    }

    pub(super) fn of_gate(gate: usize) -> Wire {
        Wire((Self::FIRST_GATE + gate) as u32)
    }
}

/// What a gate computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum GateKind {
    And,
    Or,
    Xor,
    Nand,
    Nor,
    Xnor,
    /// The complement of the first input; the second is not looked at.
    Not,
}

impl GateKind {
    /// All of them.
    pub const ALL: [GateKind; 7] = {
        use GateKind::*;
        [And, Or, Xor, Nand, Nor, Xnor, Not]
    };

    /// What Verilog calls it.
    pub fn name(self) -> &'static str {
        match self {
            GateKind::And => "and",
            GateKind::Or => "or",
            GateKind::Xor => "xor",
            GateKind::Nand => "nand",
            GateKind::Nor => "nor",
            GateKind::Xnor => "xnor",
            GateKind::Not => "not",
        }
    }

    /// The gate's output, bit by bit.
    pub fn apply(self, x: u64, y: u64) -> u64 {
        match self {
            GateKind::And => x & y,
            GateKind::Or => x | y,
            GateKind::Xor => x ^ y,
            GateKind::Nand => !(x & y),
            GateKind::Nor => !(x | y),
            GateKind::Xnor => !(x ^ y),
            GateKind::Not => !x,
        }
    }

    /// What the gate adds up modulo 2, as in an [`Instruction`](crate::kernels::Instruction): bit 0, the
    /// constant 1; bit 1, `x + y`; bit 2, `x y`. That of [`GateKind::Not`] holds for a `y` that is `x`.
    pub(crate) fn terms(self) -> u16 {
        let of = |x, y| (self.apply(x, y) & 1) as u16;
        let constant = of(0, 0);
        constant | (constant ^ of(1, 0)) << 1 | (constant ^ of(1, 1)) << 2
    }
}

/// A gate of at most two inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// Its function.
    pub kind: GateKind,
    /// What it reads; always wires that exist before it. A [`GateKind::Not`] holds the same wire twice.
    pub inputs: [Wire; 2],
}

/// A combinational circuit from two 8-bit operands to a 16-bit product, gates in topological order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Netlist {
    signed: bool,
    gates: Vec<Gate>,
    outputs: [Wire; OUTPUTS],
}

impl Netlist {
    /// Most gates of a netlist from elsewhere. Simulation numbers wires in 16 bits, of which this leaves room for
    /// the operands and more; real 8x8-bit multipliers have some hundreds of gates.
    pub const MOST_GATES: usize = 32_768;

    /// The netlist of these gates, each of which reads only earlier ones.
    pub(super) fn from_parts(signed: bool, gates: Vec<Gate>, outputs: [Wire; OUTPUTS]) -> Netlist {
        Netlist { signed, gates, outputs }
    }

    /// Whether operands and product are two's complement.
    pub fn is_signed(&self) -> bool {
        self.signed
    }

    /// The gates, each after those it reads.
    pub fn gates(&self) -> &[Gate] {
        &self.gates
    }

    /// The same circuit with its operands exchanged: the multiplier M(w, a).
    pub fn swapped(&self) -> Netlist {
        let exchanged = |wire: Wire| match wire.input() {
            Some(('a', bit)) => Wire::w(bit),
            Some((_, bit)) => Wire::a(bit),
            None => wire,
        };
        let gates =
            self.gates.iter().map(|gate| Gate { kind: gate.kind, inputs: gate.inputs.map(exchanged) });
        Netlist { signed: self.signed, gates: gates.collect(), outputs: self.outputs.map(exchanged) }
    }

    /// The same gates, operands and product taken for two's complement or not.
    pub(super) fn with_signedness(self, signed: bool) -> Netlist {
        Netlist { signed, ..self }
    }

    /// The product's bits, the lowest first.
    pub fn outputs(&self) -> &[Wire; OUTPUTS] {
        &self.outputs
    }
}
