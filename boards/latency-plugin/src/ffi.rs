//! What the plugin takes from QEMU's plugin interface, version 1, as QEMU 7.2 has it.

#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_uint, c_void};

/// A block of translated instructions, while it is being translated.
#[repr(C)]
pub struct Block([u8; 0]);

/// An instruction of such a block.
#[repr(C)]
pub struct BlockInsn([u8; 0]);

/// The emulator that loads the plugin.
#[repr(C)]
pub struct Info {
    pub target_name: *const c_char,
    pub oldest_version: c_int,
    pub version: c_int,
    pub system_emulation: bool,
    pub processors: c_int,
    pub most_processors: c_int,
}

pub type Id = u64;
pub type OnBlock = extern "C" fn(Id, *mut Block);
pub type OnInsn = extern "C" fn(c_uint, *mut c_void);
pub type OnAccess = extern "C" fn(c_uint, u32, u64, *mut c_void);

/// The callback neither reads nor writes registers.
pub const NO_REGISTERS: c_int = 0;
/// Both reads and writes.
pub const READ_WRITE: c_int = 3;

unsafe extern "C" {
    pub fn qemu_plugin_register_vcpu_tb_trans_cb(id: Id, callback: OnBlock);
    pub fn qemu_plugin_register_vcpu_insn_exec_cb(
        insn: *mut BlockInsn,
        callback: OnInsn,
        flags: c_int,
        data: *mut c_void,
    );
    pub fn qemu_plugin_register_vcpu_mem_cb(
        insn: *mut BlockInsn,
        callback: OnAccess,
        flags: c_int,
        accesses: c_int,
        data: *mut c_void,
    );
    pub fn qemu_plugin_tb_n_insns(block: *const Block) -> usize;
    pub fn qemu_plugin_tb_get_insn(block: *const Block, index: usize) -> *mut BlockInsn;
    pub fn qemu_plugin_insn_data(insn: *const BlockInsn) -> *const c_void;
    pub fn qemu_plugin_insn_size(insn: *const BlockInsn) -> usize;
    pub fn qemu_plugin_insn_vaddr(insn: *const BlockInsn) -> u64;
    pub fn qemu_plugin_mem_is_store(info: u32) -> bool;
}
