use super::*;

/// The instruction with this encoding, its first halfword in the upper half if it has two.
fn of(encoding: u32) -> Decoded {
    match encoding >> 16 {
        0 => decode(&(encoding as u16).to_le_bytes()),
        first => {
            let (first, second) = ((first as u16).to_le_bytes(), (encoding as u16).to_le_bytes());
            decode(&[first[0], first[1], second[0], second[1]])
        }
    }
}

fn kind(encoding: u32) -> Kind {
    of(encoding).kind
}

/// What it reads for its address, what it loads, and all it writes.
fn memory(encoding: u32) -> (Vec<u32>, Vec<u32>, Vec<u32>) {
    let list = |set: Registers| (0..16).filter(|register| set >> register & 1 == 1).collect();
    let decoded = of(encoding);
    (list(decoded.address), list(decoded.loaded), list(decoded.writes))
}

const LOAD: Kind = Kind::Load { to_pc: false };
const STORE: Kind = Kind::Store { register_offset: false };

#[test]
fn narrow_kinds() {
    let cases = [
        (0x2001, Kind::Plain, "movs r0, #1"),
        (0x1888, Kind::Plain, "adds r0, r1, r2"),
        (0x0080, Kind::Plain, "lsls r0, r0, #2"),
        (0x4348, Kind::Multiply, "muls r0, r1"),
        (0x44c8, Kind::Plain, "add r8, r9"),
        (0x46f7, JUMP, "mov pc, lr"),
        (0x4770, JUMP, "bx lr"),
        (0x4798, JUMP, "blx r3"),
        (0x4801, LOAD, "ldr r0, [pc, #4]"),
        (0x5c88, LOAD, "ldrb r0, [r1, r2]"),
        (0x5e88, LOAD, "ldrsh r0, [r1, r2]"),
        (0x5288, Kind::Store { register_offset: true }, "strh r0, [r1, r2]"),
        (0x6848, LOAD, "ldr r0, [r1, #4]"),
        (0x6008, STORE, "str r0, [r1]"),
        (0x7808, LOAD, "ldrb r0, [r1]"),
        (0x8008, STORE, "strh r0, [r1]"),
        (0x9001, STORE, "str r0, [sp, #4]"),
        (0xb2c8, Kind::Plain, "uxtb r0, r1"),
        (0xb510, Kind::Several { words: 2, load: false, to_pc: false }, "push {r4, lr}"),
        (0xbd10, Kind::Several { words: 2, load: true, to_pc: true }, "pop {r4, pc}"),
        (0xc806, Kind::Several { words: 2, load: true, to_pc: false }, "ldm r0!, {r1, r2}"),
        (0xc006, Kind::Several { words: 2, load: false, to_pc: false }, "stm r0!, {r1, r2}"),
        (0xb100, BRANCH, "cbz r0"),
        (0xb900, BRANCH, "cbnz r0"),
        (0xd0fe, BRANCH, "beq"),
        (0xe7fe, BRANCH, "b"),
        (0xdf00, Kind::System, "svc 0"),
        (0xbf08, Kind::IfThen { count: 1 }, "it eq"),
        (0xbf0c, Kind::IfThen { count: 2 }, "ite eq"),
        (0xbf01, Kind::IfThen { count: 4 }, "itttt eq"),
        (0xbf00, Kind::Plain, "nop"),
    ];
    for (encoding, expected, text) in cases {
        assert_eq!(kind(encoding), expected, "{text}");
    }
}

#[test]
fn wide_kinds() {
    let several = |words, load, to_pc| Kind::Several { words, load, to_pc };
    let cases = [
        (0xf851_0022, LOAD, "ldr.w r0, [r1, r2, lsl #2]"),
        (0xf931_0012, LOAD, "ldrsh.w r0, [r1, r2, lsl #1]"),
        (0xf801_0002, Kind::Store { register_offset: true }, "strb.w r0, [r1, r2]"),
        (0xf8a1_0100, STORE, "strh.w r0, [r1, #256]"),
        (0xf8d0_f000, Kind::Load { to_pc: true }, "ldr.w pc, [r0]"),
        (0xf890_f000, Kind::Plain, "pld [r0]"),
        (0xe9d2_0100, several(2, true, false), "ldrd r0, r1, [r2]"),
        (0xe96d_0102, several(2, false, false), "strd r0, r1, [sp, #-8]!"),
        (0xe9cd_002d, several(2, false, false), "strd r0, r0, [sp, #180]"),
        (0xe890_001e, several(4, true, false), "ldm.w r0, {r1-r4}"),
        (0xe92d_4ff0, several(9, false, false), "push.w {r4-r11, lr}"),
        (0xe8bd_8ff0, several(9, true, true), "pop.w {r4-r11, pc}"),
        (0xe8df_f000, Kind::TableBranch, "tbb [pc, r0]"),
        (0xe8df_f010, Kind::TableBranch, "tbh [pc, r0, lsl #1]"),
        (0xe851_0f00, LOAD, "ldrex r0, [r1]"),
        (0xe842_1000, STORE, "strex r0, r1, [r2]"),
        (0xfb01_f002, Kind::Multiply, "mul r0, r1, r2"),
        (0xfb01_3002, Kind::MultiplyAdd, "mla r0, r1, r2, r3"),
        (0xfb01_3012, Kind::MultiplyAdd, "mls r0, r1, r2, r3"),
        (0xfb21_3002, Kind::MultiplyAdd, "smlad r0, r1, r2, r3"),
        (0xfb21_f002, Kind::Multiply, "smuad r0, r1, r2"),
        (0xfb82_0103, Kind::LongMultiply, "smull r0, r1, r2, r3"),
        (0xfbe2_0103, Kind::LongMultiplyAdd, "umlal r0, r1, r2, r3"),
        (0xfb91_f0f2, Kind::Divide, "sdiv r0, r1, r2"),
        (0xfbb1_f0f2, Kind::Divide, "udiv r0, r1, r2"),
        (0xeb01_0002, Kind::Plain, "add.w r0, r1, r2"),
        (0xf04f_0000, Kind::Plain, "mov.w r0, #0"),
        (0xf240_0001, Kind::Plain, "movw r0, #1"),
        (0xf3c1_0007, Kind::Plain, "ubfx r0, r1, #0, #8"),
        (0xfa01_f002, Kind::Plain, "lsl.w r0, r1, r2"),
        (0xfab1_f081, Kind::Plain, "clz r0, r1"),
        (0xf000_f800, Kind::Call, "bl"),
        (0xf000_b800, BRANCH, "b.w"),
        (0xf000_8000, BRANCH, "beq.w"),
        (0xf3bf_8f4f, Kind::System, "dsb"),
        (0xf3ef_8010, Kind::System, "mrs r0, primask"),
        (0xf380_8810, Kind::System, "msr primask, r0"),
        (0xed90_0a00, LOAD, "vldr s0, [r0]"),
        (0xed2d_8a02, several(2, false, false), "vpush {s16, s17}"),
        (0xee00_0a81, Kind::FloatMultiplyAdd, "vmla.f32 s0, s1, s2"),
        (0xee20_0a81, Kind::Plain, "vmul.f32 s0, s1, s2"),
        (0xee80_0a81, Kind::FloatDivide, "vdiv.f32 s0, s1, s2"),
        (0xeeb1_0ae0, Kind::FloatDivide, "vsqrt.f32 s0, s1"),
        (0xee00_0a10, Kind::Plain, "vmov s0, r0"),
    ];
    for (encoding, expected, text) in cases {
        assert_eq!(kind(encoding), expected, "{text}");
    }
}

#[test]
fn registers_of_loads_and_stores() {
    // ldrsh.w r0, [r1, r2, lsl #1]
    assert_eq!(memory(0xf931_0012), (vec![1, 2], vec![0], vec![0]));
    // ldr r0, [r1], #4
    assert_eq!(memory(0xf851_0b04), (vec![1], vec![0], vec![0, 1]));
    // str r0, [r1, #4]!
    assert_eq!(memory(0xf841_0f04), (vec![1], vec![], vec![1]));
    // ldr r1, [sp]
    assert_eq!(memory(0x9900), (vec![13], vec![1], vec![1]));
    // ldm r0!, {r1, r2}, and with its base in the list
    assert_eq!(memory(0xc806), (vec![0], vec![1, 2], vec![0, 1, 2]));
    assert_eq!(memory(0xc803), (vec![0], vec![0, 1], vec![0, 1]));
    // ldrd r0, r1, [r2]
    assert_eq!(memory(0xe9d2_0100), (vec![2], vec![0, 1], vec![0, 1]));
}

#[test]
fn registers_of_data_processing() {
    let registers = |encoding| (of(encoding).reads, of(encoding).writes);
    // adds r0, r1, r2; add.w r0, r1, r2, lsl #9
    assert_eq!(registers(0x1888), (0b110, 1));
    assert_eq!(registers(0xeb01_2042), (0b110, 1));
    // cmp r0, #0; cmp.w r0, #256
    assert_eq!(registers(0x2800), (1, 0));
    assert_eq!(registers(0xf5b0_7f80), (1, 0));
    // mla r0, r1, r2, r3; smlal's sum is read and written
    assert_eq!(registers(0xfb01_3002), (0b1110, 1));
    assert_eq!(registers(0xfbc2_0103), (0b1111, 0b11));
    // movw r0, #0x1001: the 1 is no register; movt keeps the lower half
    assert_eq!(registers(0xf241_0001), (0, 1));
    assert_eq!(registers(0xf2c0_0001), (1, 1));
}

#[test]
fn anything_at_all_is_taken() {
    for first in 0..=u16::MAX {
        for second in [0, 0x0fff, 0x5a5a, 0xa5a5, 0xf000, 0xffff_u16] {
            let (a, b) = (first.to_le_bytes(), second.to_le_bytes());
            decode(&[a[0], a[1], b[0], b[1]]);
        }
        decode(&first.to_le_bytes());
    }
    assert_eq!(decode(&[]).kind, Kind::Plain);
    assert_eq!(decode(&[0x70]).kind, Kind::Plain);
}
