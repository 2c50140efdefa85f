//! Reading what is right and refusing what is not.

use super::*;
use crate::multiplier::{Design, TruthTable};

/// Full adders and half adders as modules, in two ways of writing them.
const ADDERS: &str = "
    module half(input x, input y, output s, output c);
        assign s = x ^ y, c = x & y;
    endmodule
    module full(x, y, z, s, c);
        input x, y, z;
        output s, c;
        assign c = (x & y) | (y & z) | (x & z);
        assign s = (x ^ y) ^ z;
    endmodule
";

/// A module `m` with the ports of a multiplier.
fn module(body: &str) -> String {
    format!("module m (A, B, O);\n input [7:0] A, B;\n output [15:0] O;\n{body}\nendmodule\n")
}

fn read_text(text: &str) -> Netlist {
    read(Path::new("x.v"), text, false).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// The product bits of `body`, which drives all of O, for these operands.
fn product(body: &str, a: u8, b: u8) -> i32 {
    read_text(&module(body)).simulate().table.product(a, b)
}

fn refusal(text: &str) -> String {
    let message = read(Path::new("x.v"), text, false).unwrap_err().to_string();
    assert!(message.starts_with("x.v: "), "{message}");
    message
}

/// The exact array of 64 partial products, adders being instances of `half` and `full`.
fn array(half: impl Fn([&str; 4]) -> String, full: impl Fn([&str; 5]) -> String) -> String {
    let mut body = String::from(" wire [400:0] n;\n");
    let mut columns: Vec<Vec<String>> = vec![Vec::new(); 17];
    let mut count = 0;
    let mut new = || {
        count += 1;
        format!("n[{count}]")
    };
    for (i, j) in (0..8).flat_map(|i| (0..8).map(move |j| (i, j))) {
        let partial = new();
        body += &format!(" and ({partial}, A[{i}], B[{j}]);\n");
        columns[i + j].push(partial);
    }
    for column in 0..16 {
        while columns[column].len() > 1 {
            let (x, y) = (columns[column].remove(0), columns[column].remove(0));
            let (sum, carry) = (new(), new());
            if columns[column].is_empty() {
                body += &half([&x, &y, &sum, &carry]);
            } else {
                let z = columns[column].remove(0);
                body += &full([&x, &y, &z, &sum, &carry]);
            }
            columns[column].push(sum);
            columns[column + 1].push(carry);
        }
        let bit = columns[column].first().map_or("1'b0", |bit| bit);
        body += &format!(" assign O[{column}] = {bit};\n");
    }
    module(&body)
}

#[test]
fn arrays_of_adder_modules_and_of_cells_are_as_small_as_the_built_in_one() {
    let modules = array(
        |[x, y, s, c]| format!(" half h (.c({c}), .s({s}), .y({y}), .x({x}));\n"),
        |[x, y, z, s, c]| format!(" full f ({x}, {y}, {z}, {s}, {c});\n"),
    );
    let cells = array(
        |[x, y, s, c]| format!(" HAX1 h (.A({x}), .B({y}), .YS({s}), .YC({c}));\n"),
        |[x, y, z, s, c]| format!(" FA_X1 f (.A({x}), .B({y}), .CI({z}), .S({s}), .CO({c}));\n"),
    );
    // Sums are XORs either way, and carries three NANDs however they were written.
    for text in [modules + ADDERS, cells] {
        let netlist = read_text(&text);
        assert_eq!(netlist.simulate().table, TruthTable::exact(false));
        assert_eq!(netlist.gates().len(), Design::Exact.netlist(false).gates().len());
    }
}

#[test]
fn the_first_input_of_the_header_is_the_activation() {
    let text =
        "module m (B, O, A); output [15:0] O; input [7:0] A; input [7:0] B; assign O = {A, B}; endmodule";
    assert_eq!(read_text(text).simulate().table.product(3, 200), 200 << 8 | 3);
}

#[test]
fn expressions_mean_what_verilog_says() {
    let (a, b) = (0b1100_1010u8, 0b0110_0011u8);
    let wide = |low: u8| i32::from(low);
    for (expression, expected) in [
        ("A & ~B", a & !b),
        ("A | B ^ A & B", a | (b ^ (a & b))),
        ("~(A ~^ B)", a ^ b),
        ("A ^~ B", !(a ^ b)),
        ("A ^ B ~^ A", !b),
        ("A[7] ? A : B", a),
        ("A[0] ? A : B[0] ? {8{A[1]}} : B", 0xff),
        ("A[2] ? A : ~B", !b),
        ("{A[3:0], B[7:4]}", a << 4 | b >> 4),
        ("{2{A[1:0], 1'b1, 1'b0}}", 0b1010_1010),
        ("8'hf_0 | 8'b11", 0xf3),
        ("8'o17 ^ 8'd255", 0xf0),
        ("A & 'h0f", a & 15),
        ("{&A, |A, ^A, ~&A, ~|A, ~^A, !A, !A[0]}", 0b0101_0101),
        ("{6'd0, A[0] && B, A || B}", 1),
        ("(A)", a),
    ] {
        let found = product(&format!("assign O[15:8] = 0; assign O[7:0] = {expression};"), a, b);
        assert_eq!(found, wide(expected), "{expression}: {found:08b}, expected {expected:08b}");
    }
}

#[test]
fn wide_gates_are_balanced_trees() {
    let body = "nand (O[0], A[0], A[1], A[2], A[3], A[4], A[5], A[6], A[7]); xnor x (O[1], A[0], A[1], A[2]);
        buf b (O[2], O[3], A[5]); not (O[4], A[6]); assign O[15:5] = 0;";
    let netlist = read_text(&module(body));
    assert_eq!(netlist.gates().len(), 7 + 2 + 1);
    let products = netlist.simulate().table;
    assert_eq!((products.product(0xff, 0), products.product(0xfe, 0)), (0b0_1100, 0b0_1111));
}

#[test]
fn what_does_not_matter_is_skipped() {
    let text = "`timescale 1ns / 1ps // unit
        `default_nettype none
        (* top = 1 *) module /* a * comment */ m (input wire [7:0] \\a[x] , b, output signed [0:15] p);
            wire [7:0] t = \\a[x] & b, unused;
            tri u;
            buf (u, b[7]);
            BUF_X4 q (.A(u), .Z(v));
            assign p = {v, 7'd0, t};
        endmodule";
    let table = read_text(text).simulate().table;
    assert_eq!(table.product(0x3c, 0x97), 0x3c & 0x97 | 0x8000);
}

#[test]
fn scalars_are_put_together_by_their_numbers() {
    let names = |stem: &str, count: usize| (0..count).map(|i| format!("{stem}{i}")).collect::<Vec<_>>();
    // The highest first: it is the number that counts.
    let (x, y, p) = (names("x", 8), names("y", 8), names("p", 16));
    let reversed = |names: &[String]| names.iter().rev().cloned().collect::<Vec<_>>().join(", ");
    let mut text = format!("module m ({}, {}, {});", reversed(&x), y.join(", "), p.join(", "));
    text += &format!("input {}; input {}; output {};", x.join(","), y.join(","), p.join(","));
    text += &format!("assign {{{}}} = {{{}, {}}}; endmodule", reversed(&p), reversed(&x), reversed(&y));
    assert_eq!(read_text(&text).simulate().table.product(0x12, 0x34), 0x1234);
}

#[test]
fn own_cells_and_the_ambiguous_multiplexer() {
    let text = module(" MUX2X1 u (.A(A[0]), .B(A[1]), .S(B[0]), .Y(O[0])); assign O[15:1] = 0;");
    let message = refusal(&text);
    assert!(
        message.contains("line 4") && message.contains("MUX2X1") && message.contains("EvoApproxLib"),
        "{message}"
    );
    let cells = CellLibrary::parse(Path::new("c"), "MUX2X* {A, B, S, Y} Y = S ? B : A;").unwrap();
    let table = read_with(Path::new("x.v"), &text, false, &cells).unwrap().netlist.simulate().table;
    assert_eq!([(1, 0), (2, 0), (1, 1), (2, 1)].map(|(a, w)| table.product(a, w)), [1, 0, 0, 1]);
}

#[test]
fn choices_keep_their_function_where_values_are_known() {
    for (expression, on, off) in [
        ("A[0] ? 1'b1 : B[0]", 1, 0),
        ("A[0] ? 1'b0 : B[0]", 0, 0),
        ("A[0] ? B[1] : 1'b0", 1, 0),
        ("A[0] ? B[1] : 1'b1", 1, 1),
        ("1'b1 ? B[0] : A[0]", 0, 0),
        ("A[0] ? B[1] : B[1]", 1, 1),
    ] {
        let body = format!("assign O = {{15'd0, {expression}}};");
        assert_eq!([product(&body, 1, 2), product(&body, 0, 2)], [on, off], "{expression}");
    }
}

#[test]
fn what_is_no_netlist_is_refused_with_its_line() {
    for (body, reason) in [
        ("assign O = A * B;", "line 4: `;` should be here, not `*`"),
        ("assign O = A - B;", "line 4: `-` is not supported"),
        (
            "wire signed [7:0] s; assign s = A, O = s + B;",
            "signed `s` of 8 bits in a sum of 16; repeat its sign",
        ),
        ("assign O = ~A + B;", "an operator of 8 bits in a sum of 16; assign it to a wire"),
        ("wire [6:0] s; assign s = A + B;", "an expression of 8 bits where 7 belong"),
        ("\nalways @(A) O = A;", "line 5: `@` is not supported"),
        ("reg [7:0] r;", "line 4: a name should be here, not `reg`"),
        ("parameter N = 8;", "not `parameter`"),
        ("and #3 (O[0], A[0], B[0]);", "line 4: a name should be here, not `#`"),
        (
            "assign O[7:0] = A; assign O[15:8] = B;\nbuf (O[3], A[1]);",
            "line 5: `O[3]` is driven here and on line 4",
        ),
        ("assign O[14:0] = {A, B[6:0]};", "output `O[15]` is driven by nothing"),
        ("wire x;\nassign O = {15'd0, x};", "line 5: `x` is read here, but nothing drives it"),
        ("wire x, y; and (x, y, A[0]); or (y, x, A[1]); assign O = {16{x}};", "a loop through"),
        ("assign A[0] = B[0];", "`A` is an input"),
        ("assign O = {A, B[6:0]};", "15 bits where 16 belong"),
        ("assign O = A[8] ? 16'd0 : 16'd1;", "`A[8:8]` is not within `A[7:0]`"),
        ("wire x; assign O = {16{x[0]}};", "not declared as a vector"),
        ("assign O = 17'd0;", "17 bits where 16 belong"),
        ("assign O = 65536;", "does not fit 16 bits"),
        ("assign O = 2'd4;", "4 does not fit 2 bits"),
        ("assign O = {A, 0};", "needs a size"),
        ("assign O = 16'bx;", "can't be a digit"),
        ("assign ~O = {A, B};", "what is driven should be"),
        ("input [7:0] A;", "declared a second time"),
        ("wire [3:0] A;", "another range"),
        ("input C;", "the header of `m` does not list"),
        ("`define X 1", "the directive `define"),
        (
            "DFFPOSX1 d (.D(A[0]), .Q(O[0]));",
            "line 4: `DFFPOSX1` is no module of this file and no known cell",
        ),
        ("INVX1 i (A[0], O[0]);", "connect `i` by names"),
        ("INV_X1 i (.A(A[0]), .Q(O[0]));", "`INV_X1` has no port `Q`, only A, ZN"),
        ("INV_X1 i (.A(A[0]), .A(A[1]), .ZN(O[0]));", "`i.A` is connected twice"),
        ("INV_X1 i (A[0], O[0], O[1]);", "3 connections, `INV_X1` 2 ports"),
        ("INV_X1 i (.A(A), .ZN(O[0]));", "8 bits where 1 belong"),
        ("INV_X1 i (.A(A[0]), .ZN(O));", "`i.ZN` has 1 bits, what it drives 16"),
        ("FA_X1 f (.A(A[0]), .B(B[0]), .S(O[0]));", "`f.CI` is read here"),
        ("INV_X1 i (.ZN(O[0]));", "`i.A` is read here, but nothing drives it"),
        ("m again (A, B, O);", "does `m` hold itself?"),
        ("assign O = {A, B}; /* ", "has no `*/`"),
        ("wire [70000:0] x;", "at most 65536 bits"),
        ("assign O = {99999999{A}};", "1 to 65536 times"),
        ("assign O = {60000{{60000{A}}}};", "at most 65536 bits"),
    ] {
        let message = refusal(&module(body));
        assert!(message.contains(reason), "{body}\n{message}\nnot: {reason}");
    }
}

#[test]
fn files_without_one_multiplier_are_refused() {
    for (text, reason) in [
        ("", "has no module"),
        ("wire x;", "line 1: a module should begin here, not `wire`"),
        (
            "module m (input [3:0] a, b, output [7:0] p); endmodule",
            "`m` with inputs of (4, 4) and outputs of (8)",
        ),
        ("module m (a); endmodule", "`a` should be declared once"),
        ("module m (input a); endmodule module m (input a); endmodule", "second module `m`"),
        ("module m (input [7:0] a, b, output [15:0] p);", "`endmodule` is missing"),
        (
            "module m (input [7:0] a, b, output [15:0] p); endmodule
             module n (input [7:0] a, b, output [15:0] p); endmodule",
            "several multipliers: m, n",
        ),
    ] {
        let message = refusal(text);
        assert!(message.contains(reason), "{text}\n{message}");
    }
    let inner = module("assign O = {A, B};");
    let outer = "module top (input [7:0] x, y, output [15:0] z); m i (y, x, z); endmodule";
    assert_eq!(read_text(&(inner + outer)).simulate().table.product(1, 2), 2 << 8 | 1);
}

#[test]
fn hostile_texts_are_refused_soon() {
    let deep = format!("assign O = {}A{};", "(".repeat(50_000), ")".repeat(50_000));
    assert!(refusal(&module(&deep)).contains("nested more than"));
    let deep = format!("assign O = {}A;", "~".repeat(50_000));
    assert!(refusal(&module(&deep)).contains("nested more than"));
    let deep = format!("assign O = {}A;", "!A?A:".repeat(50_000));
    assert!(refusal(&module(&deep)).contains("nested more than"));
    assert!(refusal(&" ".repeat(2 << 20)).contains("bytes long"));
    // Each module holds two of the next: 2^40 instances.
    let mut text = module("m0 i (A[0]); assign O = {A, B};");
    for level in 0..40 {
        text += &format!("module m{level} (input x); m{0} i (x); m{0} j (x); endmodule\n", level + 1);
    }
    text += "module m40 (input x); endmodule";
    assert!(refusal(&text).contains("instances"), "{}", refusal(&text));
    let vectors = "wire [65535:0] x;".replace('x', "x%");
    let many: String = (0..100).map(|i| vectors.replace('%', &i.to_string())).collect();
    assert!(refusal(&module(&many)).contains("too large"));
    let chain: String = (0..30).map(|i| format!("wire [65535:0] y{i} = {{65536{{A[0]}}}};")).collect();
    assert!(refusal(&module(&chain)).contains("too large"));
    // As many gates as simulation can number are fine, one more is not.
    let passed_on = |gates: usize| {
        let gate = |i: usize| format!("xor(n{i},n{},A[{}]);", i.max(1) - 1, i % 2);
        let gates: String = (1..gates).map(gate).collect();
        module(&format!("xor(n0,A[0],A[1]);{gates}assign O = {{15'b0, n{}}};", gates_last(&gates)))
    };
    let largest = read_text(&passed_on(Netlist::MOST_GATES));
    assert_eq!(largest.gates().len(), Netlist::MOST_GATES);
    let message = refusal(&passed_on(Netlist::MOST_GATES + 1));
    assert!(message.contains("has 32769 gates; a multiplier may have at most 32768"), "{message}");
}

/// The number of the last gate in a list of `xor(nI,...);`.
fn gates_last(gates: &str) -> usize {
    gates.matches("xor").count()
}

#[test]
fn inputs_may_be_declared_signed() {
    let circuit = |header: &str| {
        let text = format!("module m {header} assign O = {{A, B}}; endmodule");
        read_with(Path::new("x.v"), &text, false, &CellLibrary::builtin()).unwrap()
    };
    for (header, signed) in [
        ("(input signed [7:0] A, B, output [15:0] O);", true),
        ("(input [7:0] A, B, output signed [15:0] O);", false),
        ("(input signed [7:0] A, input [7:0] B, output [15:0] O);", false),
        ("(A, B, O); input signed [7:0] A, B; output [15:0] O;", true),
        ("(A, B, O); input [7:0] A, B; wire signed [7:0] A, B; output [15:0] O;", true),
    ] {
        assert_eq!(circuit(header).signed_inputs, signed, "{header}");
    }
}

#[test]
fn evoapprox8b_s_undefined_cells_are_what_its_c_models_compute() {
    for (cell, function) in [
        ("NPDKGEPDKGENNAND2X1", "~(A[0] & B[0])"),
        ("NPDKGEPDKGENNOR2X1", "~(A[0] | B[0])"),
        ("XPDKGEPDKGENNOR2X1", "A[0] ^ B[0]"),
        ("XNPDKGEPDKGENNOR2X1", "~(A[0] ^ B[0])"),
    ] {
        let text = module(&format!("{cell} g(.A(A[0]), .B(B[0]), .Y(y)); assign O = {{15'b0, y}};"));
        let wanted = module(&format!("assign O = {{15'b0, {function}}};"));
        assert_eq!(read_text(&text).simulate().table, read_text(&wanted).simulate().table, "{cell}");
    }
}

#[test]
fn odd_names_are_written_so_that_they_can_be_read() {
    let netlist = Design::Truncated { columns: 12 }.netlist(true);
    for name in ["plain", "and", "8", "a b", "", "*/\n", "über", "\\x", "m\"%d"] {
        let text = write_module(name, &netlist);
        assert_eq!(read(Path::new("x.v"), &text, true).unwrap(), netlist, "{text}");
    }
}

/// The rows of partial products, each as many bits as it has.
const ROWS: &str = "wire [7:0] r0, r1, r2, r3, r4, r5, r6, r7;
 assign r0 = A & {8{B[0]}}, r1 = A & {8{B[1]}}, r2 = A & {8{B[2]}}, r3 = A & {8{B[3]}};
 assign r4 = A & {8{B[4]}}, r5 = A & {8{B[5]}}, r6 = A & {8{B[6]}}, r7 = A & {8{B[7]}};";

#[test]
fn sums_carry_into_the_bits_their_place_has() {
    let rows = "r0 + {r1, 1'b0} + {r2, 2'b0} + {r3, 3'b0}";
    let upper = "({r4, 4'b0} + {r5, 5'b0}) + ({r6, 6'b0} + {r7, 7'b0})";
    let netlist = read_text(&module(&format!("{ROWS} assign O = {rows} + {upper};")));
    assert_eq!(netlist.simulate().table, TruthTable::exact(false));

    // By itself a sum has the bits of its widest operand; in braces nothing asks for more.
    assert_eq!(product("assign O = {8'b0, A + B};", 200, 100), 300 & 255);
    assert_eq!(product("assign O = A + B;", 200, 100), 300);
    assert_eq!(product("assign O = A + 1;", 255, 0), 256);
    assert_eq!(product("wire [8:0] s; assign s = {A} + {B}; assign O = {7'b0, s};", 255, 255), 510);
    // It binds more tightly than all gates do.
    assert_eq!(product("assign O = {8'b0, A & A + B};", 12, 1), 12 & 13);
}
