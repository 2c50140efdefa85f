//! Standard cells: their pins and what their outputs compute.

use super::expression::Expression;
use super::lexer::{Token, at};
use super::module::{Direction, Item, Module};
use super::parser::Parser;
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Cells that a netlist may use without defining them.
///
/// A library is a text of entries such as
///
/// ```text
/// AOI21_X* (A, B1, B2, ZN) ZN = ~(A | (B1 & B2));
/// FAX1 {A, B, C, YC, YS} YC = (A & B) | (B & C) | (A & C); YS = A ^ B ^ C;
/// ```
///
/// One or more names, each possibly with `*` for a number at its end; the pins, in parentheses in the order of
/// unnamed connections or in braces if only names may connect them; then every output's expression of the
/// inputs, with Verilog's operators. Comments are Verilog's too.
#[derive(Debug, Clone)]
pub struct CellLibrary {
    cells: HashMap<String, Arc<Module>>,
    /// Cells by what stands before the number at the end of their names.
    stems: HashMap<String, Arc<Module>>,
}

impl CellLibrary {
    /// The cells that skimp knows: NanGate FreePDK45, OSU FreePDK45 (EvoApproxLib's), SKY130 and Yosys' gates.
    pub fn builtin() -> CellLibrary {
        let text = include_str!("cells.txt");
        CellLibrary::read(Path::new("cells.txt"), text).expect("the built-in cells are tested")
    }

    /// The cells of `text` beside the built-in ones, whose place they take where names are equal. `path` is for
    /// messages alone.
    pub fn parse(path: &Path, text: &str) -> Result<CellLibrary> {
        let mut library = Self::builtin();
        let added = Self::read(path, text)?;
        // A new cell with a number must not be hidden by an old one without, nor the other way round.
        library.cells.retain(|name, _| stem(name).is_none_or(|stem| !added.stems.contains_key(stem)));
        library.cells.extend(added.cells);
        library.stems.extend(added.stems);
        Ok(library)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Arc<Module>> {
        self.cells.get(name).or_else(|| self.stems.get(stem(name)?))
    }

    fn read(path: &Path, text: &str) -> Result<CellLibrary> {
        let mut parser = Parser::new(path, text)?;
        let mut library = CellLibrary { cells: HashMap::new(), stems: HashMap::new() };
        while *parser.peek() != Token::End {
            let line = parser.line();
            let mut names = Vec::new();
            while !matches!(parser.peek(), Token::Symbol("(" | "{")) {
                names.push((parser.name()?.to_owned(), parser.takes("*")));
            }
            let Some((first, _)) = names.first() else {
                return Err(at(path, line, "a cell's entry begins with its name"));
            };
            let cell = Arc::new(cell(&mut parser, first.clone())?);
            for (name, starred) in names {
                let cells = if starred { &mut library.stems } else { &mut library.cells };
                if cells.insert(name.clone(), Arc::clone(&cell)).is_some() {
                    return Err(at(path, line, format!("a second cell `{name}`")));
                }
            }
        }
        Ok(library)
    }
}

/// The part of a name before the number at its end, if there is one.
fn stem(name: &str) -> Option<&str> {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (stem.len() < name.len()).then_some(stem)
}

/// What follows the names: pins and outputs, as a module of assignments.
fn cell(parser: &mut Parser, name: String) -> Result<Module> {
    let ordered = parser.takes("(");
    if !ordered {
        parser.expect("{")?;
    }
    let mut ports = vec![parser.net()?];
    while parser.takes(",") {
        ports.push(parser.net()?);
    }
    parser.expect(if ordered { ")" } else { "}" })?;
    let mut items = Vec::new();
    while let (Token::Name(_) | Token::Escaped(_), Token::Symbol("=")) = (parser.peek(), parser.peek_second())
    {
        let line = parser.line();
        let target = Expression::Net(parser.net()?);
        parser.expect("=")?;
        let value = parser.expression()?;
        if value.adds() {
            // Liberty's cells mean `or` by it.
            return Err(parser.error(format!("cell `{name}` adds: write | where a bit or another is meant")));
        }
        parser.expect(";")?;
        items.push((Item::Assign { target, value }, line));
    }
    let wrong = |parser: &Parser, reason: &str| -> Error { parser.error(format!("cell `{name}` {reason}")) };
    let mut nets = parser.finish_nets();
    if nets.len() != ports.len() {
        return Err(wrong(parser, "names a pin twice or uses one that its list of pins lacks"));
    }
    if items.is_empty() {
        return Err(wrong(parser, "has no output: after the pins comes OUTPUT = EXPRESSION;"));
    }
    for net in &mut nets {
        net.direction = Some(Direction::Input);
    }
    for (item, _) in &items {
        if let Item::Assign { target: Expression::Net(output), .. } = item {
            nets[*output].direction = Some(Direction::Output);
        }
    }
    Ok(Module { name, nets, ports, ordered, items })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        CellLibrary::parse(Path::new("my.cells"), text).unwrap_err().to_string()
    }

    #[test]
    fn drive_strengths_share_an_entry() {
        let library = CellLibrary::builtin();
        for name in ["AND2_X1", "AND2_X32", "FAX1", "CLKBUF3", "sky130_fd_sc_hd__maj3_4", "$_AND_"] {
            assert!(library.get(name).is_some(), "{name}");
        }
        for name in ["AND2_X", "AND2_X1Z", "$_DFF_P_", "", "MUX2X1"] {
            assert!(library.get(name).is_none(), "{name}");
        }
    }

    #[test]
    fn own_cells_replace_built_in_ones() {
        let library = CellLibrary::parse(Path::new("my.cells"), "INVX1 ODD* (I, O) O = I;").unwrap();
        assert_eq!(library.get("INVX1").unwrap().nets[0].name, "I");
        assert_eq!(library.get("INVX2").unwrap().nets[0].name, "A");
        assert_eq!(library.get("ODD7").unwrap().name, "INVX1");
    }

    #[test]
    fn bad_entries_are_refused_with_their_lines() {
        for (text, reason) in [
            ("A1 (X, Y) Y = X;\nB1 (X, Y)", "line 2: cell `B1` has no output"),
            ("B1 (X, Y) Y = Z;", "lacks"),
            ("B1 (X, X, Y) Y = X;", "twice"),
            ("(X, Y) Y = X;", "begins with its name"),
            ("B1 (X, Y) Y = (X + X) & X;", "cell `B1` adds: write |"),
            ("B1 (X, Y) Y = X;\nB1 (X, Y) Y = X;", "line 2: a second cell `B1`"),
            ("B1 (X, Y) Y = X", "`;` should be here"),
        ] {
            let message = refusal(text);
            assert!(message.starts_with("my.cells: line") && message.contains(reason), "{message}");
        }
    }
}
