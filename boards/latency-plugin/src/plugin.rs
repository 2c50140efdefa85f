//! QEMU's calls, handed on to the machine.

#![allow(unsafe_code)]

use crate::decode::Kind;
use crate::ffi;
use crate::machine::{Insn, Machine};
use crate::options::Options;
use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::fs::File;
use std::io::Write;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

/// The version of the interface this is written for; QEMU looks here before it loads the plugin.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals, reason = "the interface names it")]
pub static qemu_plugin_version: c_int = 1;

/// What the first line of the file says: the format, and that the plugin runs.
const HEADER: &str = "skimp-latency 1";

/// What an instruction is known by: QEMU translates the same ones again and again.
type Key = (u32, [u8; 4], bool);

struct State {
    machine: Machine,
    insns: HashMap<Key, &'static Insn>,
    out: File,
}

/// Set once, before QEMU runs any instruction.
static STATE: AtomicPtr<State> = AtomicPtr::new(null_mut());

/// The state, for one callback.
///
/// # Safety
///
/// Only for callbacks that QEMU makes while it translates or runs instructions, once in each.
unsafe fn state() -> Option<&'static mut State> {
    // SAFETY: null, or leaked by `qemu_plugin_install`. It accepts a single emulated processor only, whose
    // thread makes all callbacks, none within another, so no two references live at a time.
    unsafe { STATE.load(Ordering::Acquire).as_mut() }
}

/// QEMU's first call: reads the arguments, opens the file and asks to be told of instructions.
///
/// # Safety
///
/// QEMU calls it, with as many arguments as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qemu_plugin_install(
    id: ffi::Id,
    info: *const ffi::Info,
    count: c_int,
    arguments: *const *const c_char,
) -> c_int {
    // SAFETY: QEMU passes its own description, which lives through the call.
    let single = unsafe { info.as_ref() }.is_some_and(|info| info.system_emulation && info.processors == 1);
    let arguments: Vec<String> = (0..usize::try_from(count).unwrap_or(0))
        .map(|index| {
            // SAFETY: QEMU passes `count` strings, which live through the call.
            let text = unsafe { CStr::from_ptr(*arguments.add(index)) };
            text.to_string_lossy().into_owned()
        })
        .collect();
    let started = if single {
        start(arguments.iter().map(String::as_str))
    } else {
        Err("needs qemu-system-arm with a single processor".to_owned())
    };
    match started {
        Ok(state) => {
            STATE.store(Box::into_raw(Box::new(state)), Ordering::Release);
            // SAFETY: the identity is the one QEMU has just given, and the callback has the type it asks for.
            unsafe { ffi::qemu_plugin_register_vcpu_tb_trans_cb(id, on_block) };
            0
        }
        Err(reason) => {
            eprintln!("skimp's latency plugin: {reason}");
            -1
        }
    }
}

fn start<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<State, String> {
    let options = Options::parse(arguments)?;
    let mut out = File::create(&options.out)
        .map_err(|error| format!("argument out={}: {error}", options.out.display()))?;
    writeln!(out, "{HEADER}").map_err(|error| format!("{}: {error}", options.out.display()))?;
    Ok(State { machine: Machine::new(&options), insns: HashMap::new(), out })
}

/// QEMU has translated a block: prepares its instructions.
extern "C" fn on_block(_: ffi::Id, block: *mut ffi::Block) {
    // SAFETY: QEMU calls this while it translates.
    let Some(state) = (unsafe { state() }) else { return };
    // How many instructions an if-then instruction still governs. QEMU may cut a block within them; those
    // of the second half are then taken for unconditional.
    let mut governed = 0;
    // SAFETY: the block is the one at hand.
    for index in 0..unsafe { ffi::qemu_plugin_tb_n_insns(block) } {
        // SAFETY: the block has more than `index` instructions.
        let handle = unsafe { ffi::qemu_plugin_tb_get_insn(block, index) };
        // SAFETY: the instruction lives as long as its block, and its data is as long as it says.
        let (address, bytes) = unsafe {
            let size = ffi::qemu_plugin_insn_size(handle);
            let data = ffi::qemu_plugin_insn_data(handle);
            (ffi::qemu_plugin_insn_vaddr(handle), std::slice::from_raw_parts(data.cast::<u8>(), size))
        };
        let conditional = governed > 0;
        let mut key: Key = (address as u32, [0; 4], conditional);
        for (place, byte) in key.1.iter_mut().zip(bytes) {
            *place = *byte;
        }
        let insn: &'static Insn = state.insns.entry(key).or_insert_with(|| {
            Box::leak(Box::new(state.machine.translate(address as u32, bytes, conditional)))
        });
        governed = match insn.decoded().kind {
            Kind::IfThen { count } => count,
            _ => governed.saturating_sub(1),
        };
        let data = std::ptr::from_ref(insn).cast_mut().cast::<c_void>();
        // SAFETY: the instruction is one of the block at hand, the callbacks have the types QEMU asks for, and
        // the data lives for ever.
        unsafe {
            ffi::qemu_plugin_register_vcpu_insn_exec_cb(handle, on_insn, ffi::NO_REGISTERS, data);
            if state.machine.follows_accesses(insn) {
                let (flags, accesses) = (ffi::NO_REGISTERS, ffi::READ_WRITE);
                ffi::qemu_plugin_register_vcpu_mem_cb(handle, on_access, flags, accesses, null_mut());
            }
        }
    }
}

/// An instruction is about to run.
extern "C" fn on_insn(_: c_uint, data: *mut c_void) {
    // SAFETY: `on_block` has registered a leaked instruction.
    let insn = unsafe { &*data.cast::<Insn>() };
    // SAFETY: QEMU calls this while it runs.
    let Some(state) = (unsafe { state() }) else { return };
    let Some(layer) = state.machine.step(insn) else { return };
    // One call, so that no one reads half a line.
    let line = format!("{} {}\n", layer.insns, layer.cycles);
    if let Err(error) = state.out.write_all(line.as_bytes()) {
        eprintln!("skimp's latency plugin: its file can't be written: {error}");
    }
}

/// The instruction at hand reads or writes memory.
extern "C" fn on_access(_: c_uint, info: u32, address: u64, _: *mut c_void) {
    // SAFETY: QEMU calls this while it runs.
    let Some(state) = (unsafe { state() }) else { return };
    // SAFETY: the description is the one QEMU has passed.
    let is_store = unsafe { ffi::qemu_plugin_mem_is_store(info) };
    state.machine.access(address as u32, is_store);
}
