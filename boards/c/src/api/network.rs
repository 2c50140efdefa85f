//! Loading an image and running it.

use super::memory::{Area, check_disjoint};
use super::status::SkimpStatus;
use core::mem::MaybeUninit;
use skimp_runtime::{Network, Silent};

/// Room for a loaded network, in words of the machine.
pub const SKIMP_NETWORK_WORDS: usize = 48;

/// What [`SkimpNetwork::state`] is once an image is loaded.
const LOADED: u32 = 0x736b_6d70;

/// A network that the caller gives memory to and `skimp_load` fills in. What is inside is of no concern to
/// anyone else and may change with the library. It may be copied once it is loaded.
#[repr(C)]
pub struct SkimpNetwork {
    state: u32,
    flash_bytes: usize,
    flash: *const u8,
    words: [MaybeUninit<usize>; SKIMP_NETWORK_WORDS],
}

const _: () = {
    assert!(size_of::<Network>() <= size_of::<[usize; SKIMP_NETWORK_WORDS]>());
    assert!(align_of::<Network>() <= align_of::<usize>());
    // So it can be forgotten or copied.
    assert!(!core::mem::needs_drop::<Network>());
};

/// How numbers become input codes and logits numbers.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SkimpCoding {
    /// Rows of the input.
    pub input_height: u32,
    /// Columns of the input.
    pub input_width: u32,
    /// Channels of the input, innermost: code `(y * width + x) * channels + c` is that of row y, column x.
    pub input_channels: u32,
    /// The code of the number 0.
    pub input_zero_point: u32,
    /// What a step of a code is worth: the code of a number is `input_zero_point + number / input_scale`,
    /// rounded to the nearest and kept within 0 to 255.
    pub input_scale: f32,
    /// What a logit of 1 is worth.
    pub output_scale: f32,
}

/// Checks the image that begins at `flash` and makes `network` ready to run it from there.
///
/// `flash_bytes` may be more than the image has, such as the whole flash from there on. Nothing is copied;
/// every byte of the image is read once. If it fails, `network` is not loaded.
///
/// # Safety
/// `flash_bytes` bytes are readable at `flash` and stay what they are for as long as the network is used;
/// `network` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn skimp_load(
    flash: *const u8,
    flash_bytes: usize,
    network: *mut SkimpNetwork,
) -> SkimpStatus {
    // SAFETY: the caller's promises are what `load` asks for.
    status(unsafe { load(flash, flash_bytes, network) })
}

/// # Safety
/// That of [`skimp_load`].
unsafe fn load(flash: *const u8, flash_bytes: usize, network: *mut SkimpNetwork) -> Result<(), SkimpStatus> {
    let target = Area::new(network, 1)?;
    let area = Area::new(flash, flash_bytes);
    if let Ok(area) = &area {
        check_disjoint(&[target.span(), area.span()])?;
    }
    // SAFETY: not null and aligned by `target`, writable by the caller's promise, and no flash. It may not
    // have been written before, so no reference to it is made.
    unsafe { (&raw mut (*network).state).write(0) };
    // SAFETY: readable and unchanging by the caller's promise.
    let loaded = Network::load(unsafe { area?.read() })?;
    // SAFETY: as above; the words are large enough and aligned, which is asserted where they are declared.
    unsafe {
        (&raw mut (*network).words).cast::<Network>().write(loaded);
        (&raw mut (*network).flash).write(flash);
        (&raw mut (*network).flash_bytes).write(flash_bytes);
        (&raw mut (*network).state).write(LOADED);
    }
    Ok(())
}

/// A network that is loaded, and the memory it and its image are in.
pub(super) struct Loaded<'a> {
    pub network: &'a Network<'static>,
    pub spans: [core::ops::Range<usize>; 2],
}

/// The network behind `network`.
///
/// # Safety
/// Behind `network` are bytes that may be read and that nothing but `skimp_load` has written, or a copy of
/// such; they and the image stay what they are for as long as `'a`.
pub(super) unsafe fn loaded<'a>(network: *const SkimpNetwork) -> Result<Loaded<'a>, SkimpStatus> {
    let area = Area::new(network, 1)?;
    // SAFETY: not null, aligned, readable by the caller's promise. Only this field is looked at while it is
    // not known whether the others were written.
    if unsafe { (&raw const (*network).state).read() } != LOADED {
        return Err(SkimpStatus::SkimpNotLoaded);
    }
    // SAFETY: the state says that `load` has written all of it.
    let (network, flash) = unsafe {
        let flash = Area::new((*network).flash, (*network).flash_bytes)?;
        (&*(&raw const (*network).words).cast::<Network<'static>>(), flash)
    };
    Ok(Loaded { network, spans: [area.span(), flash.span()] })
}

/// Bytes of working memory that `skimp_infer` needs; 0 if the network is not loaded.
///
/// # Safety
/// `network` is null, or one that `skimp_load` was called with, whose image is still there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn skimp_arena_bytes(network: *const SkimpNetwork) -> usize {
    // SAFETY: the caller's promise is what `loaded` asks for.
    unsafe { loaded(network) }.map_or(0, |loaded| loaded.network.arena_bytes())
}

/// Bytes of an input, one code an element; 0 if the network is not loaded.
///
/// # Safety
/// That of `skimp_arena_bytes`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn skimp_input_bytes(network: *const SkimpNetwork) -> usize {
    // SAFETY: the caller's promise is what `loaded` asks for.
    unsafe { loaded(network) }.map_or(0, |loaded| loaded.network.input_bytes())
}

/// Number of logits; 0 if the network is not loaded.
///
/// # Safety
/// That of `skimp_arena_bytes`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn skimp_output_len(network: *const SkimpNetwork) -> usize {
    // SAFETY: the caller's promise is what `loaded` asks for.
    unsafe { loaded(network) }.map_or(0, |loaded| loaded.network.output_len())
}

/// Number of operating points in the image; 0 if the network is not loaded.
///
/// # Safety
/// That of `skimp_arena_bytes`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn skimp_points(network: *const SkimpNetwork) -> usize {
    // SAFETY: the caller's promise is what `loaded` asks for.
    unsafe { loaded(network) }.map_or(0, |loaded| loaded.network.point_count())
}

/// Goes to operating point `point`, counted from 0, at which `skimp_load` begins. Arena, input and logits stay
/// as long as they were. If it fails, the network stays where it was.
///
/// # Safety
/// That of `skimp_arena_bytes`; `network` is writable, and nothing else uses it meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn skimp_select(network: *mut SkimpNetwork, point: usize) -> SkimpStatus {
    let select = || {
        // SAFETY: the caller's promise is what `loaded` asks for.
        let there = unsafe { loaded(network) }?.network.at_point(point)?;
        // SAFETY: loaded, so not null, aligned and large enough; writable by the caller's promise. The reference
        // to what was there has ended.
        unsafe { (&raw mut (*network).words).cast::<Network>().write(there) };
        Ok(())
    };
    status(select())
}

/// Says how inputs are coded and what logits are worth.
///
/// # Safety
/// That of `skimp_arena_bytes`; `coding` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn skimp_describe(
    network: *const SkimpNetwork,
    coding: *mut SkimpCoding,
) -> SkimpStatus {
    let describe = || {
        // SAFETY: the caller's promise is what `loaded` asks for.
        let loaded = unsafe { loaded(network) }?;
        let [own, flash] = loaded.spans;
        check_disjoint(&[Area::new(coding, 1)?.span(), own, flash])?;
        let head = loaded.network.head();
        let described = SkimpCoding {
            input_height: head.input.height.into(),
            input_width: head.input.width.into(),
            input_channels: head.input.channels.into(),
            input_zero_point: head.input_zero_point.into(),
            input_scale: head.input_scale,
            output_scale: head.output_scale,
        };
        // SAFETY: not null, aligned and apart from the network by the checks above; writable by the caller's
        // promise.
        unsafe { coding.write(described) };
        Ok(())
    };
    status(describe())
}

/// Runs one inference.
///
/// `arena` is working memory of at least `skimp_arena_bytes`, at a multiple of 4, which need not be kept in between; `input` has
/// `skimp_input_bytes` codes, and `logits` room for `skimp_output_len` values. No two of these may overlap.
/// Several tasks may run the same network at once, each with memory of its own. If it fails, the logits are
/// as they were, unless the image has changed since it was loaded.
///
/// # Safety
/// That of `skimp_arena_bytes`; arena, input and logits are as long as is said, the input is readable, the
/// others are writable, and nothing else uses them meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn skimp_infer(
    network: *const SkimpNetwork,
    arena: *mut u8,
    arena_bytes: usize,
    input: *const u8,
    input_bytes: usize,
    logits: *mut i32,
    logits_len: usize,
) -> SkimpStatus {
    let infer = || {
        // SAFETY: the caller's promise is what `loaded` asks for.
        let loaded = unsafe { loaded(network) }?;
        let arena = Area::new(arena, arena_bytes)?;
        let input = Area::new(input, input_bytes)?;
        let logits = Area::new(logits, logits_len)?;
        let [own, flash] = loaded.spans;
        // An input may be in the same flash as the image.
        check_disjoint(&[arena.span(), logits.span(), input.span(), own.clone()])?;
        check_disjoint(&[arena.span(), logits.span(), flash])?;
        // SAFETY: there and of that length by the caller's promise; what is written is apart from all else
        // by the checks above. Any bytes are values of these types.
        let (arena, input, logits) = unsafe { (arena.write(), input.read(), logits.write()) };
        Ok(loaded.network.infer(arena, input, logits, &mut Silent)?)
    };
    status(infer())
}

/// Index of the largest of `len` logits, the first one on a tie; `SIZE_MAX` if there are none or `logits` is
/// null or misaligned.
///
/// # Safety
/// `len` logits are readable at `logits`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn skimp_argmax(logits: *const i32, len: usize) -> usize {
    match Area::new(logits, len) {
        // SAFETY: readable by the caller's promise, and nothing writes to them during this call.
        Ok(area) if len > 0 => skimp_runtime::argmax(unsafe { area.read() }),
        _ => usize::MAX,
    }
}

fn status(result: Result<(), SkimpStatus>) -> SkimpStatus {
    result.err().unwrap_or(SkimpStatus::SkimpOk)
}
