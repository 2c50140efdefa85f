//! Test benches that check every product of a multiplier.

use super::writer::{identifier, printable};
use crate::multiplier::TruthTable;
use std::fmt::Write;

/// A self-checking test bench for the module called `name`, whose ports are taken in order: activation, weight,
/// product. It needs no other file.
///
/// It prints `PASS NAME 65536 products`, or the first ten products that differ from `table`, then
/// `FAIL NAME N of 65536 products` and ends by `$fatal`, which makes a simulator's exit status nonzero. The module
/// is called `NAME_test`.
pub fn write_test_bench(name: &str, table: &TruthTable) -> String {
    let (shown, kind) = (printable(name), if table.is_signed() { "two's complement" } else { "unsigned" });
    let mut text = format!(
        "// Compares all 65536 products of {shown} ({kind}) with the expected ones.\n\
         `timescale 1ns / 1ps\n\
         module {} ;\n{BODY}    {} dut (a, w, p);\n\n    initial begin\n",
        identifier(&format!("{name}_test")),
        identifier(name)
    );
    for activation in 0..=255u8 {
        write!(text, "        row(8'd{activation}, 4096'h").expect("strings take everything");
        // A number begins with its highest digit, so the last weight's product comes first.
        for weight in (0..=255u8).rev() {
            write!(text, "{:04x}", table.product(activation, weight) as u16)
                .expect("strings take everything");
        }
        text.push_str(");\n");
    }
    let verdict = VERDICT.replace("NAME", &shown);
    text + &verdict
}

/// Weights are walked in Gray code: one bit changes at a time, and few gates with it.
const BODY: &str = r#"    reg [7:0] a, w;
    wire [15:0] p;
    integer step, failures = 0;
    reg [15:0] expected;

    // All products of one activation; the lowest 16 bits belong to weight 0.
    task row(input [7:0] activation, input [4095:0] products);
        for (step = 0; step < 256; step = step + 1) begin
            a = activation;
            w = step ^ (step >> 1);
            #1 expected = products[16 * w +: 16];
            if (p !== expected) begin
                failures = failures + 1;
                if (failures <= 10) $display("a %h w %h: product %h, expected %h", a, w, p, expected);
            end
        end
    endtask

"#;

const VERDICT: &str = r#"        if (failures == 0) begin
            $display("PASS NAME 65536 products");
            $finish;
        end else begin
            $display("FAIL NAME %0d of 65536 products", failures);
            $fatal(1);
        end
    end
endmodule
"#;
