//! Netlists as one line of text.
//!
//! Gates are separated by blanks and numbered from 0. Each is a letter and what it reads: `A` AND, `O` OR,
//! `X` XOR, `N` NAND, `R` NOR, `E` XNOR (equal), `I` inverter; `a0`..`a7` and `w0`..`w7` are the operands'
//! bits, a number is an earlier gate, `L` and `H` are the constants 0 and 1. A comma stands between two
//! numbers or names. Behind a `>` come the sixteen bits of the product, the lowest first. A multiplier that
//! only knows the product of the highest bits: `Aa7,w7 > L,L,L,L,L,L,L,L,L,L,L,L,L,L,0,L`.

use super::netlist::{Gate, GateKind, Netlist, OUTPUTS, Wire};
use std::fmt::Write;

const LETTERS: [(char, GateKind); 7] = [
    ('A', GateKind::And),
    ('O', GateKind::Or),
    ('X', GateKind::Xor),
    ('N', GateKind::Nand),
    ('R', GateKind::Nor),
    ('E', GateKind::Xnor),
    ('I', GateKind::Not),
];

impl Netlist {
    /// The netlist as one line of text: gates, then what the product's bits are. A multiplier that only knows
    /// the product of the highest bits is `Aa7,w7 > L,L,L,L,L,L,L,L,L,L,L,L,L,L,0,L`; `models/multipliers/FORMATS.md`
    /// has the letters.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for gate in self.gates() {
            let letter =
                LETTERS.iter().find(|(_, kind)| *kind == gate.kind).map_or('?', |(letter, _)| *letter);
            text.push(letter);
            text.push_str(&name(gate.inputs[0]));
            if gate.kind != GateKind::Not {
                let _ = write!(text, ",{}", name(gate.inputs[1]));
            }
            text.push(' ');
        }
        let outputs: Vec<String> = self.outputs().iter().map(|&wire| name(wire)).collect();
        text + "> " + &outputs.join(",")
    }

    /// Reads what [`to_text`](Self::to_text) writes. The error says what is wrong.
    pub fn from_text(signed: bool, text: &str) -> Result<Netlist, String> {
        let (gates, outputs) = text.split_once('>').ok_or("no > before the product's bits")?;
        let mut list = Vec::new();
        for token in gates.split_ascii_whitespace() {
            let wrong = |reason: String| format!("gate {} ({token}): {reason}", list.len());
            if list.len() == Netlist::MOST_GATES {
                return Err(format!("more than {} gates", Netlist::MOST_GATES));
            }
            let mut rest = token.chars();
            let letter = rest.next().unwrap_or(' ');
            let (_, kind) = LETTERS
                .into_iter()
                .find(|(known, _)| *known == letter)
                .ok_or_else(|| wrong(format!("no gate begins with {letter}")))?;
            let inputs: Vec<Wire> = rest
                .as_str()
                .split(',')
                .map(|name| wire(name, list.len()))
                .collect::<Result<_, _>>()
                .map_err(wrong)?;
            let inputs = match (kind, &inputs[..]) {
                (GateKind::Not, &[x]) => [x, x],
                (GateKind::Not, _) => return Err(wrong("an inverter reads one wire".into())),
                (_, &[x, y]) => [x, y],
                _ => return Err(wrong("it reads two wires".into())),
            };
            list.push(Gate { kind, inputs });
        }
        let outputs: Vec<Wire> =
            outputs.trim().split(',').map(|name| wire(name, list.len())).collect::<Result<_, _>>()?;
        let count = outputs.len();
        let outputs: [Wire; OUTPUTS] =
            outputs.try_into().map_err(|_| format!("{count} bits of the product, not {OUTPUTS}"))?;
        Ok(Netlist::from_parts(signed, list, outputs))
    }
}

fn name(wire: Wire) -> String {
    match (wire.input(), wire.gate()) {
        (Some((operand, bit)), _) => format!("{operand}{bit}"),
        (_, Some(gate)) => gate.to_string(),
        _ if wire == Wire::ZERO => "L".into(),
        _ => "H".into(),
    }
}

/// The wire called `name` where there are `gates` gates.
fn wire(name: &str, gates: usize) -> Result<Wire, String> {
    match name.as_bytes() {
        b"L" => Ok(Wire::ZERO),
        b"H" => Ok(Wire::ONE),
        [b'a', bit @ b'0'..=b'7'] => Ok(Wire::a(usize::from(bit - b'0'))),
        [b'w', bit @ b'0'..=b'7'] => Ok(Wire::w(usize::from(bit - b'0'))),
        _ => match name.parse::<usize>() {
            Ok(gate) if gate < gates => Ok(Wire::of_gate(gate)),
            Ok(gate) => Err(format!("gate {gate} does not come before")),
            Err(_) => Err(format!("{name:?} is no wire")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::Design;

    #[test]
    fn netlists_survive_as_text() {
        for signed in [false, true] {
            for design in Design::landmarks() {
                let netlist = design.netlist(signed);
                assert_eq!(Netlist::from_text(signed, &netlist.to_text()), Ok(netlist));
            }
        }
    }

    #[test]
    fn the_example_is_what_it_says() {
        let text = "Aa7,w7 > L,L,L,L,L,L,L,L,L,L,L,L,L,L,0,L";
        let netlist = Netlist::from_text(false, text).unwrap();
        assert_eq!(netlist.to_text(), text);
        assert_eq!(netlist.simulate().table.product(128, 200), 1 << 14);
    }

    #[test]
    fn nonsense_is_refused_with_the_reason() {
        let refused = |text: &str| Netlist::from_text(false, text).unwrap_err();
        assert!(refused("Aa0,w0").contains("no >"));
        assert!(refused("Qa0,w0 > L").contains("begins with Q"));
        assert!(refused("Aa0 > L").contains("reads two wires"));
        assert!(refused("Ia0,a1 > L").contains("reads one"));
        assert!(refused("Aa0,0 > L").contains("gate 0 does not come before"));
        assert!(refused("Aa8,w0 > L").contains("\"a8\""));
        assert!(refused("Aa0,w0 > 0,0").contains("2 bits"));
        assert!(refused("Aa0,w0 > 7").contains("gate 7"));
        assert!(refused(&chain(Netlist::MOST_GATES + 1)).contains("more than 32768 gates"));
    }

    /// So many gates, each of which only passes on the lowest bit of the activation.
    fn chain(gates: usize) -> String {
        let reads = |gate: usize| if gate == 0 { "a0".into() } else { (gate - 1).to_string() };
        let list: Vec<String> = (0..gates).map(|gate| format!("A{},H", reads(gate))).collect();
        format!("{} > {}{}", list.join(" "), gates - 1, ",L".repeat(15))
    }

    #[test]
    fn the_largest_netlist_is_simulated_whole() {
        let netlist = Netlist::from_text(false, &chain(Netlist::MOST_GATES)).unwrap();
        let table = netlist.simulate().table;
        assert!(table.products().iter().enumerate().all(|(i, &product)| product == (i >> 8 & 1) as i32));
    }
}
