use super::*;

const BEGIN: u32 = 0x10;
const END: u32 = 0x20;

fn machine(arguments: &[&str]) -> Machine {
    let least = ["begin=0x10", "end=0x20", "out=none"];
    Machine::new(&Options::parse(least.into_iter().chain(arguments.iter().copied())).unwrap())
}

fn bytes(encoding: u32) -> Vec<u8> {
    let (first, second) = ((encoding >> 16) as u16, encoding as u16);
    let wide = if first == 0 { vec![] } else { first.to_le_bytes().to_vec() };
    [wide.as_slice(), &second.to_le_bytes()].concat()
}

/// Runs instructions from address 0x100 on, as a layer; `None` skips 16 bytes, which makes the instruction
/// before a taken branch.
fn run(machine: &mut Machine, program: &[Option<u32>]) -> Layer {
    machine.step(&machine.translate(BEGIN, &[0x70, 0x47], false));
    let mut address = 0x100;
    let mut governed = 0;
    for encoding in program {
        let Some(encoding) = encoding else {
            address += 16;
            continue;
        };
        let bytes = bytes(*encoding);
        let insn = machine.translate(address, &bytes, governed > 0);
        assert_eq!(machine.step(&insn), None);
        governed = match insn.decoded().kind {
            Kind::IfThen { count } => count,
            _ => governed.saturating_sub(1),
        };
        address += bytes.len() as u32;
    }
    machine.step(&machine.translate(END, &[0x70, 0x47], false)).unwrap()
}

fn cycles_on(core: &str, program: &[u32]) -> u64 {
    let program: Vec<Option<u32>> = program.iter().map(|&encoding| Some(encoding)).collect();
    let layer = run(&mut machine(&[&format!("core={core}")]), &program);
    assert_eq!(layer.insns, program.len() as u64);
    layer.cycles
}

const NOP: u32 = 0xbf00;
/// ldrb r0, [r4]; ldrb r1, [r4, #1]
const INDICES: [u32; 2] = [0x7820, 0x7861];
/// ldrsh r2, [r5, r0, lsl #1]; ldrsh r3, [r5, r1, lsl #1]
const PRODUCTS: [u32; 2] = [0xf935_2010, 0xf935_3011];
/// add r6, r2; add r7, r3
const SUMS: [u32; 2] = [0x4416, 0x441f];

#[test]
fn what_the_cortex_m3_and_m4_manuals_give_as_examples() {
    for core in ["m3", "m4"] {
        // ldr r0, [r1]; ldr r1, [r2]
        assert_eq!(cycles_on(core, &[0x6808, 0x6811]), 3);
        // ldr r0, [r1, r2]; str r0, [r3, #20]
        assert_eq!(cycles_on(core, &[0x5888, 0x6158]), 3);
        // ldr r0, [r1, r2]; str r1, [r3, r2]
        assert_eq!(cycles_on(core, &[0x5888, 0x5099]), 3);
        // ldr r0, [r1, r5]; ldr r1, [r2]; ldr r2, [r3, #4]
        assert_eq!(cycles_on(core, &[0x5948, 0x6811, 0x685a]), 4);
        // ldrd r0, r1, [r2], among loads: nothing overlaps
        assert_eq!(cycles_on(core, &[0x6808, 0xe9d2_0100, 0x6808]), 2 + 3 + 2);
        // ldm r0, {r1-r4}
        assert_eq!(cycles_on(core, &[0xe890_001e]), 5);
    }
}

#[test]
fn an_address_from_the_instruction_before() {
    // Loaded: no overlap. ldr r1, [r2]; ldr r0, [r1]
    assert_eq!(cycles_on("m4", &[0x6811, 0x6808]), 4);
    // Computed: a cycle more, unless another instruction stands between. adds r1, r1, r2; ldr r0, [r1]
    assert_eq!(cycles_on("m4", &[0x1889, 0x6808]), 1 + 3);
    assert_eq!(cycles_on("m4", &[0x1889, NOP, 0x6808]), 1 + 1 + 2);
    assert_eq!(cycles_on("m0plus", &[0x1889, 0x6808]), 1 + 2);
    // Nothing overlaps with a store. str r0, [r1]; ldr r2, [r3]
    assert_eq!(cycles_on("m4", &[0x6008, 0x681a]), 1 + 2);
}

#[test]
fn products_by_core() {
    // muls r0, r1; mla r0, r1, r2, r3; smull r0, r1, r2, r3
    let products = [0x4348, 0xfb01_3002, 0xfb82_0103];
    assert_eq!(cycles_on("m4", &products), 3);
    assert_eq!(cycles_on("m3", &products), 1 + 2 + 4);
    let slow = run(&mut machine(&["core=m0plus", "multiply=32"]), &[Some(0x4348)]);
    assert_eq!(slow.cycles, 32);
}

#[test]
fn branches_are_charged_when_they_are_taken() {
    // beq, then on, and elsewhere; bx lr.
    let cases = [("m0", 2, 2), ("m0plus", 1, 1), ("m3", 1, 2), ("m4", 1, 2), ("m33", 1, 2), ("m7", 0, 0)];
    for (core, direct, indirect) in cases {
        let mut machine = machine(&[&format!("core={core}")]);
        let stays = run(&mut machine, &[Some(0xd0fe), Some(0xd0fe)]);
        assert_eq!(stays.cycles, 2, "{core}");
        let leaves = run(&mut machine, &[Some(0xd0fe), None, Some(0xd0fe)]);
        assert_eq!((leaves.insns, leaves.cycles), (2, 2 + direct), "{core}");
        let returns = run(&mut machine, &[Some(0x4770), None, Some(NOP)]);
        assert_eq!(returns.cycles, 2 + indirect, "{core}");
    }
}

#[test]
fn a_branch_to_an_instruction_across_two_words_takes_a_cycle_more() {
    // add.w r0, r1, r2 at 0x112 and at 0x114.
    let (branch, target) = (Some(0xd0fe), Some(0xeb01_0002));
    let across = [branch, None, target];
    let aligned = [Some(NOP), branch, None, target];
    assert_eq!(run(&mut machine(&["core=m4"]), &across).cycles, 1 + 1 + 1 + 1);
    assert_eq!(run(&mut machine(&["core=m4"]), &aligned).cycles, 1 + 1 + 1 + 1);
    assert_eq!(run(&mut machine(&["core=m0plus"]), &across).cycles, 1 + 1 + 1);
}

#[test]
fn a_conditional_load_is_charged_when_it_loads() {
    let mut machine = machine(&["core=m4"]);
    // it eq; ldreq r0, [r1]
    let program = [Some(0xbf08), Some(0x6808)];
    assert_eq!(run(&mut machine, &program).cycles, 2);
    machine.step(&machine.translate(BEGIN, &[0x70, 0x47], false));
    for (encoding, conditional) in [(0xbf08, false), (0x6808, true)] {
        let insn = machine.translate(0x100, &bytes(encoding), conditional);
        assert_eq!(machine.follows_accesses(&insn), conditional);
        machine.step(&insn);
    }
    machine.access(0x2000_0000, false);
    machine.access(0x2000_0004, false);
    let layer = machine.step(&machine.translate(END, &[0x70, 0x47], false)).unwrap();
    assert_eq!(layer.insns, 2);
    // The address was the same, which is a branch as far as the machine knows, if not a direct one.
    assert_eq!(layer.cycles, 1 + 2 + 2);
}

#[test]
fn pairs_of_independent_instructions() {
    // adds r0, r0, #1; adds r1, r1, #1; adds r2, r2, #1
    assert_eq!(cycles_on("m7", &[0x3001, 0x3101, 0x3201]), 2);
    // The same register again and again.
    assert_eq!(cycles_on("m7", &[0x3001, 0x3001, 0x3001]), 3);
    // ldr r0, [r1]; adds r0, r0, #1: the value comes late.
    assert_eq!(cycles_on("m7", &[0x6808, 0x3001]), 3);
    // Two products do not pair.
    assert_eq!(cycles_on("m7", &[0x4348, 0x4353]), 2);
}

#[test]
fn flash_waits_for_instructions_and_data() {
    // 8 nops are 16 bytes: two lines of 8.
    let flash = ["core=m4", "flash=0x0-0x1000", "icache=1x8", "dcache=1x8"];
    let nops = [Some(NOP); 8];
    for wait in [0_u64, 1, 5] {
        let argument = format!("wait={wait}");
        let mut machine = machine(&[flash.as_slice(), &[&argument]].concat());
        assert_eq!(run(&mut machine, &nops).cycles, 8 + 2 * wait);
    }
    let mut machine = machine(&[flash.as_slice(), &["wait=5"]].concat());
    machine.step(&machine.translate(BEGIN, &[0x70, 0x47], false));
    // ldr r0, [r1], in RAM itself
    let insn = machine.translate(0x2000_0000, &bytes(0x6808), false);
    assert!(machine.follows_accesses(&insn));
    machine.step(&insn);
    machine.access(0x100, false);
    machine.access(0x104, false);
    machine.access(0x200, true);
    let layer = machine.step(&machine.translate(END, &[0x70, 0x47], false)).unwrap();
    assert_eq!(layer.cycles, 2 + 5);
}

/// A tap of a table kernel for eight pixels, two at a time: byte of the activation, product, sum.
#[test]
fn table_lookups_two_by_two_take_three_and_a_half_cycles() {
    let two = [INDICES, PRODUCTS, SUMS].concat();
    // 2 + 1 for the indices, 1 + 1 for the products, 1 + 1 for the sums.
    assert_eq!(cycles_on("m4", &two), 7);
    // Row pointer by ldrb r8, [r9], #1 and add r5, r10, r8, lsl #9, the way there a word of documentation:
    // 2 + 1, and the first index does not depend on it.
    let tap: Vec<u32> = [0xf819_8b01, 0xeb0a_2548].into_iter().chain(two.repeat(4)).collect();
    assert_eq!(tap.len(), 26);
    assert_eq!(cycles_on("m4", &tap), 3 + 4 * 7);
    // A byte unpacked by uxtb right before it indexes stalls: uxtb r0, r4; ldrsh r2, [r5, r0, lsl #1]
    assert_eq!(cycles_on("m4", &[0xb2e0, PRODUCTS[0]]), 1 + 3);
}

#[test]
fn only_what_is_between_the_markers_counts() {
    let mut machine = machine(&["core=m4"]);
    assert_eq!(machine.step(&machine.translate(0x100, &bytes(NOP), false)), None);
    assert_eq!(machine.step(&machine.translate(END, &[0x70, 0x47], false)), None);
    assert_eq!(run(&mut machine, &[]), Layer { insns: 0, cycles: 0 });
    assert_eq!(run(&mut machine, &[Some(NOP); 3]), Layer { insns: 3, cycles: 3 });
    assert_eq!(machine.step(&machine.translate(0x100, &bytes(NOP), false)), None);
    assert_eq!(run(&mut machine, &[Some(NOP); 2]), Layer { insns: 2, cycles: 2 });
}
