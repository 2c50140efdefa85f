//! Verilog text to tokens: comments, attributes and harmless compiler directives are left out.

use crate::error::{Error, Result};
use std::path::Path;

/// Longest text in bytes; real 8x8-bit netlists have some ten thousand.
const MAX_TEXT: usize = 1 << 20;
/// Widest vector or constant in bits.
pub(super) const MAX_WIDTH: usize = 1 << 16;

/// What can be read, for errors about everything else.
pub(super) const SUPPORTED: &str = "only structure is read: modules, input/output/wire declarations, the gates \
     and or xor nand nor xnor not buf, assign with ~ ! & | ^ ~^ && || ?: + and concatenation, instances";

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'t> {
    /// An identifier or keyword.
    Name(&'t str),
    /// `\name `, which is never a keyword.
    Escaped(&'t str),
    /// A constant, its lowest bit first. Unsized ones take the width their place asks for.
    Constant {
        bits: Vec<bool>,
        sized: bool,
    },
    Symbol(&'static str),
    End,
}

impl Token<'_> {
    /// The token as an error shows it.
    pub fn shown(&self) -> String {
        match self {
            Token::Name(name) | Token::Escaped(name) => format!("`{name}`"),
            Token::Constant { .. } => "a number".into(),
            Token::Symbol(symbol) => format!("`{symbol}`"),
            Token::End => "the end of the file".into(),
        }
    }
}

/// An error about a line of the file.
pub(super) fn at(path: &Path, line: u32, reason: impl std::fmt::Display) -> Error {
    Error::file(path, format!("line {line}: {reason}"))
}

/// The longest first: `~^` must not be read as `~` and `^`.
const SYMBOLS: [&str; 26] = [
    "~^", "^~", "~&", "~|", "&&", "||", "(", ")", "[", "]", "{", "}", ",", ";", ":", ".", "?", "~", "&", "|",
    "^", "=", "!", "#", "*", "+",
];

/// Directives that do not change what a netlist computes; the rest of their line goes with them.
const HARMLESS: [&str; 5] = ["timescale", "default_nettype", "celldefine", "endcelldefine", "resetall"];

/// The tokens of `text` with their lines, [`Token::End`] last.
pub(super) fn tokens<'t>(path: &Path, text: &'t str) -> Result<Vec<(Token<'t>, u32)>> {
    if text.len() > MAX_TEXT {
        return Err(Error::file(
            path,
            format!("is {} bytes long; netlists of at most {MAX_TEXT} are read", text.len()),
        ));
    }
    let mut lexer = Lexer { path, rest: text, line: 1 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_ignored()?;
        let line = lexer.line;
        let token = lexer.token()?;
        let last = token == Token::End;
        tokens.push((token, line));
        if last {
            return Ok(tokens);
        }
    }
}

struct Lexer<'t, 'p> {
    path: &'p Path,
    rest: &'t str,
    line: u32,
}

impl<'t> Lexer<'t, '_> {
    fn error(&self, reason: impl std::fmt::Display) -> Error {
        at(self.path, self.line, reason)
    }

    /// Takes the next `length` bytes, counting lines.
    fn take(&mut self, length: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(length);
        self.line += taken.bytes().filter(|&byte| byte == b'\n').count() as u32;
        self.rest = rest;
        taken
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'t str {
        self.take(self.rest.find(|c| !keep(c)).unwrap_or(self.rest.len()))
    }

    /// White space, comments, attributes and directives.
    fn skip_ignored(&mut self) -> Result<()> {
        loop {
            self.take_while(char::is_whitespace);
            if self.rest.starts_with("//") {
                self.take_while(|c| c != '\n');
            } else if self.rest.starts_with("/*") {
                self.skip_past("*/")?;
            } else if self.rest.starts_with("(*") {
                self.skip_past("*)")?;
            } else if self.rest.starts_with('`') {
                self.take(1);
                let name = self.take_while(is_name);
                if !HARMLESS.contains(&name) {
                    return Err(
                        self.error(format!("the directive `{name} is not supported; expand it first"))
                    );
                }
                self.take_while(|c| c != '\n');
            } else {
                return Ok(());
            }
        }
    }

    fn skip_past(&mut self, end: &str) -> Result<()> {
        let Some(length) = self.rest[2..].find(end) else {
            return Err(self.error(format!("this comment or attribute has no `{end}`")));
        };
        self.take(2 + length + end.len());
        Ok(())
    }

    fn token(&mut self) -> Result<Token<'t>> {
        let Some(first) = self.rest.chars().next() else { return Ok(Token::End) };
        if first.is_ascii_alphabetic() || first == '_' {
            return Ok(Token::Name(self.take_while(is_name)));
        }
        if first == '\\' {
            self.take(1);
            let name = self.take_while(|c| !c.is_whitespace());
            return if name.is_empty() { Err(self.error("a lone `\\`")) } else { Ok(Token::Escaped(name)) };
        }
        if first.is_ascii_digit() || first == '\'' {
            return self.constant();
        }
        if let Some(&symbol) = SYMBOLS.iter().find(|&&symbol| self.rest.starts_with(symbol)) {
            self.take(symbol.len());
            return Ok(Token::Symbol(symbol));
        }
        Err(self.error(format!("`{}` is not supported: {SUPPORTED}", first.escape_default())))
    }

    /// `12`, `'b01`, `8'hff`.
    fn constant(&mut self) -> Result<Token<'t>> {
        let size = self.take_while(|c| c.is_ascii_digit() || c == '_');
        let after = self.rest.trim_start();
        if !after.starts_with('\'') {
            let bits = self.decimal(size)?;
            return Ok(Token::Constant { bits, sized: false });
        }
        self.take(self.rest.len() - after.len() + 1);
        if self.rest.starts_with(['s', 'S']) {
            self.take(1);
        }
        let base = self.rest.chars().next().map(|c| c.to_ascii_lowercase());
        let bits_per_digit = match base {
            Some('b') => 1,
            Some('o') => 3,
            Some('h') => 4,
            Some('d') => 0,
            _ => return Err(self.error("a constant is written like 1'b0, 8'hff, 4'o17 or 8'd255")),
        };
        self.take(1);
        self.take_while(char::is_whitespace);
        let digits = self.take_while(is_name);
        let mut bits = match bits_per_digit {
            0 => self.decimal(digits)?,
            _ => self.digits(digits, bits_per_digit)?,
        };
        if size.is_empty() {
            return Ok(Token::Constant { bits, sized: false });
        }
        let width = size.replace('_', "").parse().ok().filter(|width| (1..=MAX_WIDTH).contains(width));
        let Some(width) = width else {
            return Err(self.error(format!("a constant has 1 to {MAX_WIDTH} bits, not {size}")));
        };
        if bits.iter().skip(width).any(|&bit| bit) {
            return Err(self.error(format!("{digits} does not fit {width} bits")));
        }
        bits.resize(width, false);
        Ok(Token::Constant { bits, sized: true })
    }

    fn decimal(&self, digits: &str) -> Result<Vec<bool>> {
        match digits.replace('_', "").parse::<u64>() {
            Ok(value) => Ok((0..64).map(|bit| value >> bit & 1 == 1).collect()),
            Err(_) => Err(self.error(format!("`{digits}` is no decimal number of at most 64 bits"))),
        }
    }

    fn digits(&self, digits: &str, bits_per_digit: usize) -> Result<Vec<bool>> {
        let mut bits = Vec::new();
        for digit in digits.chars().rev().filter(|&digit| digit != '_') {
            let value = digit.to_digit(1 << bits_per_digit);
            let Some(value) = value.filter(|_| bits.len() < MAX_WIDTH) else {
                return Err(self.error(format!("`{digit}` can't be a digit here: constants are of 0 and 1")));
            };
            bits.extend((0..bits_per_digit).map(|bit| value >> bit & 1 == 1));
        }
        if bits.is_empty() {
            return Err(self.error("a constant without digits"));
        }
        Ok(bits)
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$'
}
