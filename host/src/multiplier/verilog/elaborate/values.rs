//! What expressions are worth and which bits they name, within one instance.

use super::{Flat, Frame, Function, Signal};
use crate::error::Result;
use crate::multiplier::netlist::Wire;
use crate::multiplier::verilog::expression::Expression;
use crate::multiplier::verilog::lexer::MAX_WIDTH;
use crate::multiplier::verilog::module::{Direction, Net};

impl Flat<'_> {
    /// The bits that an assignment or an output drives, the lowest first.
    pub(super) fn target(&self, frame: &Frame, target: &Expression, line: u32) -> Result<Vec<usize>> {
        let signals = match target {
            Expression::Net(net) | Expression::Select { net, .. } => {
                let Net { name, direction, .. } = &frame.module.nets[*net];
                if *direction == Some(Direction::Input) {
                    return Err(self.error(line, format!("`{name}` is an input and can't be driven inside")));
                }
                self.part(frame, target, line)?
            }
            Expression::Concatenation(parts) => {
                let mut bits = Vec::new();
                for part in parts.iter().rev() {
                    bits.extend(self.target(frame, part, line)?);
                }
                return Ok(bits);
            }
            _ => {
                return Err(
                    self.error(line, "what is driven should be a net, some of its bits or nets in braces")
                );
            }
        };
        let bit = |signal: &Signal| match signal {
            Signal::Bit(bit) => Ok(*bit),
            Signal::Known(_) => Err(self.error(line, "an input can't be driven")),
        };
        signals.iter().map(bit).collect()
    }

    /// A net, or the part of it that is selected.
    fn part<'f>(&self, frame: &'f Frame, expression: &Expression, line: u32) -> Result<&'f [Signal]> {
        match *expression {
            Expression::Net(net) => Ok(&frame.nets[net]),
            Expression::Select { net, left, right } => {
                let Net { name, range, .. } = &frame.module.nets[net];
                let Some((first, last)) = *range else {
                    let reason = format!("`{name}` is not declared as a vector, so it has no bit {left}");
                    return Err(self.error(line, reason));
                };
                let falling = first >= last;
                let ordered = left == right || (left > right) == falling;
                let inside = |bit: u32| (first.min(last)..=first.max(last)).contains(&bit);
                if !(ordered && inside(left) && inside(right)) {
                    let reason = format!("`{name}[{left}:{right}]` is not within `{name}[{first}:{last}]`");
                    return Err(self.error(line, reason));
                }
                Ok(&frame.nets[net][last.abs_diff(right) as usize..=last.abs_diff(left) as usize])
            }
            _ => Err(self.error(line, "a net or some of its bits should be here")),
        }
    }

    /// How many bits an expression has by itself; nothing if it takes what width its place asks for.
    fn width(&self, frame: &Frame, expression: &Expression, line: u32) -> Result<Option<usize>> {
        let widest = |operands: &[Expression]| -> Result<Option<usize>> {
            for operand in operands {
                if let Some(width) = self.width(frame, operand, line)? {
                    return Ok(Some(width));
                }
            }
            Ok(None)
        };
        Ok(match expression {
            Expression::Net(_) | Expression::Select { .. } => Some(self.part(frame, expression, line)?.len()),
            Expression::Constant { bits, sized } => sized.then_some(bits.len()),
            Expression::Gate(_, operands) => widest(operands)?,
            Expression::Reduce(..) => Some(1),
            Expression::Sum(operands) => {
                let widths = operands.iter().map(|operand| self.width(frame, operand, line));
                widths.collect::<Result<Vec<_>>>()?.into_iter().flatten().max()
            }
            Expression::Choice(parts) => widest(&parts[1..])?,
            Expression::Concatenation(parts) => {
                let mut sum = 0;
                for part in parts {
                    let Some(width) = self.width(frame, part, line)? else {
                        return Err(self.error(line, "a constant in braces needs a size, such as 1'b0"));
                    };
                    sum += width;
                }
                Some(sum)
            }
            Expression::Repeat(count, part) => self.width(frame, part, line)?.map(|width| width * count),
        })
        .and_then(|width| match width {
            Some(width) if width > MAX_WIDTH => {
                Err(self.error(line, format!("an expression has at most {MAX_WIDTH} bits, not {width}")))
            }
            width => Ok(width),
        })
    }

    /// The bits of an expression of `width` bits, the lowest first.
    pub(super) fn value(
        &mut self,
        frame: &Frame,
        expression: &Expression,
        width: usize,
        line: u32,
    ) -> Result<Vec<Signal>> {
        let own = self.width(frame, expression, line)?.unwrap_or(width);
        // A sum has as many bits as its place asks for: carries go on into those that its operands lack.
        let fits = if matches!(expression, Expression::Sum(_)) { own <= width } else { own == width };
        if !fits {
            return Err(self.error(line, format!("an expression of {own} bits where {width} belong")));
        }
        self.spend(width)?;
        match expression {
            Expression::Net(_) | Expression::Select { .. } => {
                Ok(self.part(frame, expression, line)?.to_vec())
            }
            Expression::Constant { bits, .. } => {
                if bits.iter().skip(width).any(|&bit| bit) {
                    return Err(self.error(line, format!("a constant does not fit {width} bits")));
                }
                let bit = |bit| Signal::Known(Wire::constant(bits.get(bit).copied().unwrap_or(false)));
                Ok((0..width).map(bit).collect())
            }
            Expression::Gate(kind, operands) => {
                self.bitwise(frame, Function::Gate(*kind), operands, width, line)
            }
            Expression::Reduce(kind, operand) => {
                let operand_width = self.width(frame, operand, line)?.unwrap_or(1);
                let inputs = self.value(frame, operand, operand_width, line)?;
                self.operation(Function::Gate(*kind), inputs, line).map(|signal| vec![signal])
            }
            Expression::Sum(operands) => self.sum(frame, operands, width, line),
            Expression::Choice(parts) => {
                let condition = self.value(frame, &parts[0], 1, line)?[0];
                let yes = self.value(frame, &parts[1], width, line)?;
                let no = self.value(frame, &parts[2], width, line)?;
                let bits = yes.into_iter().zip(no);
                bits.map(|(yes, no)| self.operation(Function::Choice, vec![condition, yes, no], line))
                    .collect()
            }
            Expression::Concatenation(parts) => {
                let mut signals = Vec::with_capacity(width);
                for part in parts.iter().rev() {
                    let part_width = self.width(frame, part, line)?.unwrap_or(0);
                    signals.extend(self.value(frame, part, part_width, line)?);
                }
                Ok(signals)
            }
            Expression::Repeat(count, part) => {
                Ok(self.value(frame, part, width / count, line)?.repeat(*count))
            }
        }
    }

    /// The lowest `width` bits of a sum, by a ripple of full adders for each operand.
    fn sum(
        &mut self,
        frame: &Frame,
        operands: &[Expression],
        width: usize,
        line: u32,
    ) -> Result<Vec<Signal>> {
        let mut total: Option<Vec<Signal>> = None;
        for operand in operands {
            let operand = self.extended(frame, operand, width, line)?;
            let Some(so_far) = total else {
                total = Some(operand);
                continue;
            };
            let mut carry = Signal::Known(Wire::ZERO);
            let mut bits = Vec::with_capacity(width);
            for (x, y) in so_far.into_iter().zip(operand) {
                let new = self.bits(2)?;
                let (sum, carry_out) = (new.start, new.start + 1);
                self.operate(Function::FullAdder, vec![x, y, carry], [Some(sum), Some(carry_out)], line)?;
                bits.push(Signal::Bit(sum));
                carry = Signal::Bit(carry_out);
            }
            total = Some(bits);
        }
        Ok(total.unwrap_or_default())
    }

    /// An operand of a sum of `width` bits; one of fewer bits has zeros above them.
    fn extended(
        &mut self,
        frame: &Frame,
        operand: &Expression,
        width: usize,
        line: u32,
    ) -> Result<Vec<Signal>> {
        let own = self.width(frame, operand, line)?.unwrap_or(width);
        if own >= width || matches!(operand, Expression::Sum(_)) {
            return self.value(frame, operand, width, line);
        }
        // Verilog extends what an operator works on, not what comes out of it, and signed nets by their signs.
        match operand {
            Expression::Net(net) if frame.module.nets[*net].signed => {
                let name = &frame.module.nets[*net].name;
                let reason = format!(
                    "signed `{name}` of {own} bits in a sum of {width}; repeat its sign in braces in front of it"
                );
                return Err(self.error(line, reason));
            }
            Expression::Gate(..) | Expression::Choice(_) => {
                let reason = format!(
                    "an operator of {own} bits in a sum of {width}; assign it to a wire and add that"
                );
                return Err(self.error(line, reason));
            }
            _ => {}
        }
        let mut bits = self.value(frame, operand, own, line)?;
        bits.resize(width, Signal::Known(Wire::ZERO));
        Ok(bits)
    }

    fn bitwise(
        &mut self,
        frame: &Frame,
        function: Function,
        operands: &[Expression],
        width: usize,
        line: u32,
    ) -> Result<Vec<Signal>> {
        let mut values = Vec::with_capacity(operands.len());
        for operand in operands {
            values.push(self.value(frame, operand, width, line)?);
        }
        (0..width)
            .map(|bit| self.operation(function, values.iter().map(|value| value[bit]).collect(), line))
            .collect()
    }

    /// An operation inside of an expression.
    fn operation(&mut self, function: Function, inputs: Vec<Signal>, line: u32) -> Result<Signal> {
        let bit = self.bits(1)?.start;
        self.operate(function, inputs, [Some(bit), None], line)?;
        Ok(Signal::Bit(bit))
    }
}
